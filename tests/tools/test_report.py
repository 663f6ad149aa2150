# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counting tests, and the closing table and line."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tools.report import (
    NOT_APPLICABLE,
    SHOWN,
    Case,
    Outcome,
    closing_line,
    conclude,
    details,
    line,
    read_cases,
    write_cases,
)

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


def outcomes() -> list[Outcome]:
    return [
        Outcome("unit(2.21-py3.13)", 83.4, [Case("a", "passed"), Case("b", "passed"), Case("c", "skipped", "no ssh")]),
        Outcome("lint(2.21-py3.13)", 2.0, [Case("ruff", "failed", "exit code 1\nand more")]),
        Outcome("sanity(2.21-py3.13)", 3.0, [], "ran no test"),
    ]


def test_the_closing_line_adds_up_all_sessions() -> None:
    assert closing_line(outcomes()) == "2 passed, 2 failed, 1 skipped"


def test_a_session_is_one_line() -> None:
    unit, lint, _sanity = (line(outcome).split() for outcome in outcomes())
    assert unit == ["unit(2.21-py3.13)", "2", "passed,", "1", "skipped", "1:23", "0:00"]
    assert lint == ["lint(2.21-py3.13)", "1", "failed", "0:02", "0:00", "FAILED"]


def test_failures_and_skips_are_named_in_a_line_each() -> None:
    text = details(outcomes())
    assert "unit(2.21-py3.13): 1 skipped: no ssh" in text
    assert "lint(2.21-py3.13): ruff\n      exit code 1\n      make lint" in text
    assert "sanity(2.21-py3.13): ran no test, see its log\n      make sanity" in text
    assert "and more" not in text


def test_equal_reasons_to_skip_are_counted() -> None:
    text = details([Outcome("unit", 1.0, [Case(f"test_{number}", "skipped", "no ssh") for number in range(100)])])
    assert "unit: 100 skipped: no ssh" in text
    assert text.count("no ssh") == 1


def test_many_failures_are_not_all_named() -> None:
    text = details([Outcome("unit", 1.0, [Case(f"test_{number}", "failed", "why") for number in range(100)])])
    assert text.count("unit: test_") == SHOWN
    assert f"unit: and {100 - SHOWN} more, see its log" in text


@pytest.mark.parametrize("name", ["test_x", "test_x[a b-1]", 'test_x[it\'s $HOME "here"]'])
def test_the_command_that_repeats_a_failed_test_selects_it(name: str, tmp_path: Path) -> None:
    node = f"tests/unit/test_x.py::{name}"
    (command,) = re.findall(r"^ +make (.*)$", details([Outcome("unit", 1.0, [Case("x", "failed", "why", node)])]), re.M)
    (tmp_path / "Makefile").write_text("unit:\n\t@printf '<%s>' $(ARGS)\n", encoding="utf-8")
    done = subprocess.run(
        f"make --silent {command}", shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"<{node}>"


def test_pytest_says_where_a_test_is(tmp_path: Path) -> None:
    (tmp_path / "pytest.xml").write_text(
        '<testsuite><testcase classname="unit.test_x" name="test_a[1]" file="tests/unit/test_x.py"/></testsuite>',
        encoding="utf-8",
    )
    assert read_cases(tmp_path)[0].node == "tests/unit/test_x.py::test_a[1]"


def test_a_session_without_a_test_is_in_order_where_tests_were_selected(tmp_path: Path) -> None:
    outcome = conclude("unit", 1.0, 0, tmp_path, selected=True)
    assert not outcome.failed
    assert "none selected" in line(outcome)


def test_a_release_candidate_fails_loudly_and_nothing_else() -> None:
    outcome = Outcome("unit(2.22-py3.13)", 1.0, [Case("a", "failed", "why"), Case("b", "passed")], allowed=True)
    assert not outcome.failed
    assert "1 passed, 1 failed" in line(outcome)
    assert "FAILED (a release candidate" in line(outcome)
    assert "unit(2.22-py3.13): a\n      why" in details([outcome])
    assert closing_line([outcome]) == "0 passed, 0 failed, 0 skipped"
