# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts tests from JUnit files, and writes the closing table and line."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# What ansible-test writes for a test that has nothing to look at in this collection: not a test of ours.
NOT_APPLICABLE = "No tests applicable."
# Pytest's message for a test file that is skipped as a whole.
LEFT_OUT = "collection skipped"
SHOWN = 20  # failed or skipped tests of a session that the closing table names


@dataclass(frozen=True)
class Case:
    """One test. `text` tells why it failed or was skipped."""

    name: str
    state: str  # "passed", "failed" or "skipped"
    text: str = ""


@dataclass
class Outcome:
    """What a session brought. `seconds` is wall time; `trouble` is a failure beyond those of its tests."""

    session: str
    seconds: float
    cases: list[Case] = field(default_factory=list)
    trouble: str = ""

    def count(self, state: str) -> int:
        """How many tests ended in this state; trouble counts as one failed test."""
        extra = 1 if state == "failed" and self.trouble else 0
        return sum(case.state == state for case in self.cases) + extra

    @property
    def failed(self) -> bool:
        """Whether anything went wrong."""
        return self.count("failed") > 0


def read_cases(folder: Path) -> list[Case]:
    """All tests of the JUnit files in a folder. Raises ParseError for a broken file."""
    cases = []
    for path in sorted(folder.glob("*.xml")):
        cases += [read_case(node) for node in ET.parse(path).iter("testcase")]
    return [case for case in cases if case.text != NOT_APPLICABLE]


def read_case(node: ET.Element) -> Case:
    """One <testcase> element. A test that passed and failed in its teardown has failed."""
    name = ".".join(part for part in (node.get("classname", ""), node.get("name", "")) if part)
    for tags, state in ((("failure", "error"), "failed"), (("skipped",), "skipped")):
        for tag in tags:
            found = node.find(tag)
            if found is not None:
                return Case(name, state, reason(found))
    return Case(name, "passed")


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


def conclude(session: str, seconds: float, exit_code: int, folder: Path) -> Outcome:
    """The outcome of a session from its exit code and its JUnit files.

    An exit code without a failed test is trouble, and so is a session that ran no test.
    """
    outcome = Outcome(session, seconds)
    try:
        outcome.cases = read_cases(folder)
    except ET.ParseError as error:
        outcome.trouble = f"unreadable results: {error}"
    if not outcome.count("passed") + outcome.count("failed"):
        outcome.trouble = "ran no test" if exit_code == 0 else f"ended with exit code {exit_code} before any test"
    elif exit_code and not outcome.failed:
        outcome.trouble = f"ended with exit code {exit_code} although no test failed"
    return outcome


def totals(outcomes: Sequence[Outcome]) -> tuple[int, int, int]:
    """Passed, failed, skipped of all sessions."""
    passed, failed, skipped = (sum(o.count(state) for o in outcomes) for state in ("passed", "failed", "skipped"))
    return passed, failed, skipped


def table(outcomes: Sequence[Outcome]) -> str:
    """The sessions as a table, with the reasons of skips and failures below it."""
    width = max([len("session"), *(len(outcome.session) for outcome in outcomes)])
    lines = [f"{'session':<{width}}  passed  failed  skipped  seconds"]
    for outcome in outcomes:
        counts = [outcome.count(state) for state in ("passed", "failed", "skipped")]
        numbers = f"{counts[0]:>6}  {counts[1]:>6}  {counts[2]:>7}  {outcome.seconds:>7.1f}"
        lines.append(f"{outcome.session:<{width}}  {numbers}{'  FAILED' if outcome.failed else ''}")
    lines.append("")
    for word, state in (("skipped", "skipped"), ("FAILED", "failed")):
        for outcome in outcomes:
            lines += [f"{word}: {outcome.session}: {text}" for text in reasons(outcome, state)]
    return "\n".join(lines)


def reasons(outcome: Outcome, state: str) -> list[str]:
    """Why tests of a session are in this state, a line each, SHOWN of them at most."""
    lines = [f"{case.name}: {first_line(case)}" for case in outcome.cases if case.state == state]
    if state == "failed" and outcome.trouble:
        lines.append(outcome.trouble)
    if len(lines) > SHOWN:
        lines[SHOWN:] = [f"and {len(lines) - SHOWN} more, see above"]
    return lines


def first_line(case: Case) -> str:
    """The first line of a test's text, at most 200 characters."""
    return (case.text.strip().splitlines() or [""])[0][:200]


def closing_line(outcomes: Sequence[Outcome]) -> str:
    """The last line of a run, such as `120 passed, 0 failed, 2 skipped`."""
    return "{} passed, {} failed, {} skipped".format(*totals(outcomes))
