# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts tests from JUnit files, and words the lines about suites, failures and skips."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# What ansible-test writes for a test that has nothing to look at in this collection: not a test of ours.
NOT_APPLICABLE = "No tests applicable."
# Pytest's message for a test file that is skipped as a whole.
LEFT_OUT = "collection skipped"
SHOWN = 10  # failed tests of a session that are named, and reasons to skip
WIDTH = 160  # of a reason
COLUMNS = "{:<26}  {:<38}  {:>6}  {:>9}"
HEADING = COLUMNS.format("suite", "tests", "time", "processor")


@dataclass(frozen=True)
class Case:
    """One test."""

    name: str
    state: str  # "passed", "failed" or "skipped"
    text: str = ""  # why it failed or was skipped
    node: str = ""  # what pytest calls it, such as tests/unit/test_http.py::test_x


@dataclass
class Outcome:
    """What became of a session."""

    session: str
    seconds: float  # wall time
    cases: list[Case] = field(default_factory=list)
    trouble: str = ""  # a failure besides those of its tests
    processor_seconds: float = 0.0
    allowed: bool = False  # whether it may fail

    def count(self, state: str) -> int:
        """How many tests ended in this state; trouble counts as one failed test."""
        extra = 1 if state == "failed" and self.trouble else 0
        return sum(case.state == state for case in self.cases) + extra

    @property
    def failed(self) -> bool:
        """Whether anything went wrong that must not."""
        return self.count("failed") > 0 and not self.allowed


def read_cases(folder: Path) -> list[Case]:
    """All tests of the JUnit files in a folder. Raises ParseError for a broken file."""
    cases = []
    for path in sorted(folder.glob("*.xml")):
        cases += [read_case(node) for node in ET.parse(path).iter("testcase")]
    return [case for case in cases if case.text != NOT_APPLICABLE]


def read_case(node: ET.Element) -> Case:
    """One <testcase> element. A test that passed and failed in its teardown has failed."""
    name = ".".join(part for part in (node.get("classname", ""), node.get("name", "")) if part)
    identity = "::".join([node.get("file", ""), node.get("name", "")]) if node.get("file") else ""
    for tags, state in ((("failure", "error"), "failed"), (("skipped",), "skipped")):
        for tag in tags:
            found = node.find(tag)
            if found is not None:
                return Case(name, state, reason(found), identity)
    return Case(name, "passed", "", identity)


def reason(found: ET.Element) -> str:
    """Why a test failed or was skipped. For a file left out as a whole pytest tells that in the text only."""
    message, text = found.get("message"), (found.text or "").strip()
    if message != LEFT_OUT:
        return message or text
    told = re.search(r"Skipped: (.*)['\"]\)$", text, re.DOTALL)
    return told[1] if told else text


def write_cases(path: Path, cases: Iterable[Case]) -> None:
    """Write tests as a JUnit file that read_cases reads."""
    suite = ET.Element("testsuite", name=path.stem)
    for case in cases:
        node = ET.SubElement(suite, "testcase", name=case.name)
        if case.state != "passed":
            ET.SubElement(node, "failure" if case.state == "failed" else "skipped", message=case.text)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def conclude(session: str, seconds: float, exit_code: int, folder: Path, selected: bool = False) -> Outcome:
    """Return the outcome of a session from its exit code and its JUnit files.

    An exit code without a failed test is trouble, and so is a session that ran no test.

    Args:
        session: Its name.
        seconds: Its wall time.
        exit_code: That of nox.
        folder: Where the JUnit files are.
        selected: Whether somebody has selected tests, so that a session without any is in order.
    """
    outcome = Outcome(session, seconds)
    try:
        outcome.cases = read_cases(folder)
    except ET.ParseError as error:
        outcome.trouble = f"unreadable results: {error}"
    if selected and not outcome.cases and not outcome.trouble and exit_code == 0:
        return outcome
    if not outcome.count("passed") + outcome.count("failed"):
        outcome.trouble = "ran no test" if exit_code == 0 else f"ended with exit code {exit_code} before any test"
    elif exit_code and not outcome.failed:
        outcome.trouble = f"ended with exit code {exit_code} although no test failed"
    return outcome


def totals(outcomes: Sequence[Outcome]) -> tuple[int, int, int]:
    """Passed, failed, skipped of all sessions but those that may fail."""
    outcomes = [outcome for outcome in outcomes if not outcome.allowed]
    passed, failed, skipped = (sum(o.count(state) for o in outcomes) for state in ("passed", "failed", "skipped"))
    return passed, failed, skipped


def line(outcome: Outcome) -> str:
    """Return the line about a session that ended, below HEADING."""
    counts = [f"{outcome.count(state)} {state}" for state in ("passed", "failed", "skipped") if outcome.count(state)]
    text = ", ".join(counts) or "none selected"
    failed = "  FAILED" if outcome.count("failed") else ""
    failed += " (a release candidate: this fails nothing, and is not counted)" if outcome.allowed else ""
    times = clock(outcome.seconds), clock(outcome.processor_seconds)
    return COLUMNS.format(outcome.session, text, *times) + failed


def clock(seconds: float) -> str:
    """Return seconds as minutes and seconds: 83.4 -> "1:23"."""
    return "{}:{:02}".format(*divmod(round(seconds), 60))


def details(outcomes: Sequence[Outcome]) -> str:
    """Return why tests were skipped and failed, with the command that repeats a failed one."""
    lines = []
    for outcome in outcomes:
        reasons = Counter(first_line(case) for case in outcome.cases if case.state == "skipped")
        lines += [f"  {outcome.session}: {count} skipped: {reason}" for reason, count in reasons.most_common(SHOWN)]
    skipped = ["", "Skipped", *lines] if lines else []
    failed = [failure for outcome in outcomes for failure in failures(outcome)]
    return "\n".join([*skipped, *(["", "Failed", *failed] if failed else []), ""])


def failures(outcome: Outcome) -> list[str]:
    """Return three lines for each failed test of a session, SHOWN of them at most: its name, why, how to repeat it."""
    suite = outcome.session.partition("(")[0]
    found = [case for case in outcome.cases if case.state == "failed"]
    lines = []
    for case in found[:SHOWN]:
        again = f"make {suite} ARGS={quoted(case.node)}" if case.node else f"make {suite}"
        lines += [f"  {outcome.session}: {case.node or case.name}", f"      {first_line(case)}", f"      {again}"]
    if len(found) > SHOWN:
        lines.append(f"  {outcome.session}: and {len(found) - SHOWN} more, see its log")
    if outcome.trouble:
        lines += [f"  {outcome.session}: {outcome.trouble}, see its log", f"      make {suite}"]
    return lines


def quoted(node: str) -> str:
    """Return an argument of pytest for `make SUITE ARGS=…`, which passes two shells and make."""
    inner = shlex.quote(node)
    return shlex.quote(inner.replace("$", "$$")) if re.search(r'["$`\\\\!]', inner) else f'"{inner}"'


def first_line(case: Case) -> str:
    """Return the first line of a test's text, cut to WIDTH."""
    return (case.text.strip().splitlines() or ["no reason given"])[0][:WIDTH]


def closing_line(outcomes: Sequence[Outcome]) -> str:
    """Return the last line of a run, such as `120 passed, 0 failed, 2 skipped`."""
    return "{} passed, {} failed, {} skipped".format(*totals(outcomes))
