# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The choice of the work folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.bootstrap import suits, work_folder


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/me/.cache")


@pytest.mark.parametrize("root", ["/opt/paas", "/home/Jörg/quayside.paas-2", "/srv/a+b"])
def test_the_work_folder_is_in_the_checkout(root: str) -> None:
    assert work_folder(Path(root)) == Path(root, ".cache")


@pytest.mark.parametrize("root", ["/home/me/my projects/paas", "/x:y/paas", "/" + 80 * "x"])
def test_a_path_that_scripts_cannot_begin_with_is_avoided(root: str) -> None:
    folder = work_folder(Path(root))
    assert folder.parent == Path("/home/me/.cache")
    assert suits(folder)


def test_checkouts_do_not_share_a_work_folder() -> None:
    assert work_folder(Path("/a b/1")) != work_folder(Path("/a b/2"))


def test_without_a_suitable_cache_the_checkout_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/me and you")
    assert work_folder(Path("/a b/paas")) == Path("/a b/paas/.cache")
