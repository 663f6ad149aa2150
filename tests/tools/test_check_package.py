# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judging the answer of ansible-builder."""

from __future__ import annotations

import pytest

from tools.check_package import differences

RIGHT = ["websocket-client>=1.6.0", "requests>=2.28.0  # from collection quayside.paas"]
SYSTEM = ["openssh-clients [platform:rpm]", "openssh-client [platform:dpkg]  # from collection quayside.paas"]


def test_what_the_modules_need_is_right() -> None:
    assert differences({"python": RIGHT, "system": SYSTEM}) == []


@pytest.mark.parametrize(
    "found",
    [
        {"system": SYSTEM},
        {"python": [*RIGHT, "aiohttp"], "system": SYSTEM},
        {"python": ["requests", "websocket-client>=1.6.0"], "system": SYSTEM},
        {"python": RIGHT, "system": [*SYSTEM, "gcc [platform:rpm]"]},
        {"python": RIGHT},
    ],
)
def test_anything_else_is_said(found: dict[str, list[str]]) -> None:
    assert len(differences(found)) == 1
