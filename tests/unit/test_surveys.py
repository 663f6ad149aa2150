# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers to surveys of AWX."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.quayside.paas.plugins.plugin_utils._surveys import as_list


@pytest.mark.parametrize(
    ("value", "expected"), [("a, b\nc", ["a", "b", "c"]), ("", []), (None, []), (["a"], ["a"]), (5, ["5"])]
)
def test_lists_of_a_survey(value: t.Any, expected: list[str]) -> None:
    assert as_list(value) == expected
