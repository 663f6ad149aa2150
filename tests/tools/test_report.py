# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counting tests, and the closing table and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.report import NOT_APPLICABLE, SHOWN, Case, Outcome, closing_line, conclude, read_cases, table, write_cases

if TYPE_CHECKING:
    from pathlib import Path

PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4">
<testcase classname="unit.test_x" name="test_good" time="0.1"/>
<testcase classname="unit.test_x" name="test_bad"><failure message="assert 1 == 2">long text</failure></testcase>
<testcase classname="unit.test_x" name="test_teardown"><error message="failed on teardown">text</error></testcase>
<testcase classname="unit.test_x" name="test_left_out"><skipped type="pytest.skip" message="no ssh"/></testcase>
</testsuite></testsuites>
"""


LEFT_OUT = """<testsuites><testsuite name="pytest" skipped="1" tests="1">
<testcase classname="" name="unit.test_x"><skipped message="collection skipped">('/x.py', 7, {})</skipped></testcase>
</testsuite></testsuites>
"""


def folder_with(tmp_path: Path, *cases: Case) -> Path:
    write_cases(tmp_path / "results" / "tools.xml", cases)
    return tmp_path / "results"


def test_pytest_results_are_counted_by_test(tmp_path: Path) -> None:
    (tmp_path / "pytest.xml").write_text(PYTEST, encoding="utf-8")
    outcome = conclude("unit", 1.0, 1, tmp_path)
    assert [outcome.count(state) for state in ("passed", "failed", "skipped")] == [1, 2, 1]
    assert not outcome.trouble
    assert read_cases(tmp_path)[3] == Case("unit.test_x.test_left_out", "skipped", "no ssh")


@pytest.mark.parametrize("told", [repr("Skipped: there is no file"), repr("Skipped: the vendor's file (its own)")])
def test_a_file_left_out_as_a_whole_says_why(tmp_path: Path, told: str) -> None:
    (tmp_path / "pytest.xml").write_text(LEFT_OUT.format(told), encoding="utf-8")
    wanted = "there is no file" if "no file" in told else "the vendor's file (its own)"
    assert read_cases(tmp_path) == [Case("unit.test_x", "skipped", wanted)]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    cases = [Case("ruff", "passed"), Case("mypy", "failed", "exit code 1\n<more>"), Case("x", "skipped", "why")]
    assert [case.state for case in read_cases(folder_with(tmp_path, *cases))] == ["passed", "failed", "skipped"]


def test_a_test_with_nothing_to_look_at_is_not_counted(tmp_path: Path) -> None:
    assert read_cases(folder_with(tmp_path, Case("sanity.pslint", "skipped", NOT_APPLICABLE))) == []


@pytest.mark.parametrize(
    ("exit_code", "cases", "trouble"),
    [
        (0, [], "ran no test"),
        (0, [Case("a", "skipped")], "ran no test"),
        (4, [], "ended with exit code 4 before any test"),
        (1, [Case("a", "passed")], "ended with exit code 1 although no test failed"),
        (1, [Case("a", "failed")], ""),
        (0, [Case("a", "passed")], ""),
    ],
)
def test_a_session_fails_when_it_says_so_or_ran_nothing(
    tmp_path: Path, exit_code: int, cases: list[Case], trouble: str
) -> None:
    outcome = conclude("s", 1.0, exit_code, folder_with(tmp_path, *cases))
    assert outcome.trouble == trouble
    assert outcome.failed == (exit_code != 0 or bool(trouble))


def test_broken_results_are_a_failure(tmp_path: Path) -> None:
    (tmp_path / "pytest.xml").write_text("<testsuites><testsuite>", encoding="utf-8")
    assert conclude("s", 1.0, 0, tmp_path).failed


def test_a_failed_test_fails_the_session_whatever_the_exit_code(tmp_path: Path) -> None:
    assert conclude("s", 1.0, 0, folder_with(tmp_path, Case("a", "failed"), Case("b", "passed"))).failed


def test_the_closing_line_adds_up_all_sessions() -> None:
    outcomes = [
        Outcome("unit", 1.0, [Case("a", "passed"), Case("b", "passed"), Case("c", "skipped", "no reason")]),
        Outcome("lint", 2.0, [Case("ruff", "failed", "exit code 1\nand more")]),
        Outcome("sanity", 3.0, [], "ran no test"),
    ]
    assert closing_line(outcomes) == "2 passed, 2 failed, 1 skipped"
    text = table(outcomes)
    assert "skipped: unit: c: no reason" in text
    assert "FAILED: lint: ruff: exit code 1" in text
    assert "FAILED: sanity: ran no test" in text
    assert "and more" not in text


def test_many_failures_are_not_all_named() -> None:
    text = table([Outcome("unit", 1.0, [Case(f"test_{number}", "failed", "why") for number in range(100)])])
    assert text.count("FAILED: unit: test_") == SHOWN
    assert "FAILED: unit: and 80 more, see above" in text
