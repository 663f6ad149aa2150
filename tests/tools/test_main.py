# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which suites the arguments of `make test` select."""

from __future__ import annotations

import pytest

from tools import main, paths


@pytest.mark.parametrize(
    ("arguments", "suites"),
    [
        (["tests/unit/test_http.py"], ("unit",)),
        (["tests/unit/test_http.py::test_x[tests/a]", "-k", "retry"], ("unit",)),
        (["tests/browser", "tests/contract/"], ("contract", "awx")),
        (["-k", "addon_info"], ()),
    ],
)
def test_paths_select_their_suites(arguments: list[str], suites: tuple[str, ...]) -> None:
    assert main.suites_of(arguments) == suites


def test_every_folder_of_pytest_tests_has_a_suite() -> None:
    folders = {path.relative_to(paths.ROOT / "tests").parts[0] for path in (paths.ROOT / "tests").rglob("test_*.py")}
    assert folders - {"benchmark"} == {name for names in main.PYTEST_SUITES.values() for name in names}


def test_every_suite_of_pytest_is_run() -> None:
    assert set(main.PYTEST_SUITES) < set(main.TEST)


def test_make_knows_every_suite() -> None:
    (line,) = [
        line for line in (paths.ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if line.startswith("SUITES")
    ]
    assert set(line.partition("=")[2].split()) == set(main.TEST)
