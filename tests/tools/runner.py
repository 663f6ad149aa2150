# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs nox sessions, as many at once as there are processors, with a line for each and what they print in files."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from tools import interpreters, paths, processes, report

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from pathlib import Path

STILL_SECONDS = 30.0  # between two lines about what is running


@dataclass(frozen=True)
class Step:
    """A session to run; arguments are those of pytest."""

    suite: str
    pair: interpreters.Pair
    arguments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The session's name for nox."""
        return f"{self.suite}({self.pair.name})"

    @property
    def log(self) -> Path:
        """The file with what the session printed."""
        return paths.RESULTS / f"{self.name}.log"


@dataclass(frozen=True)
class Running:
    """A session that was started at a time of the monotonic clock."""

    step: Step
    process: subprocess.Popen[bytes]
    started: float


def run(steps: Sequence[Step], notes: Sequence[str] = (), others: Sequence[report.Outcome] = ()) -> int:
    """Run sessions and print what became of them.

    Args:
        steps: The sessions, those that take longest first.
        notes: Lines to print before and after.
        others: Outcomes to count besides.

    Returns:
        The exit code: 1 if anything failed.
    """
    started = time.monotonic()
    print(*dict.fromkeys(f"{step.pair.title}" for step in steps), *notes, sep="\n")
    print(f"Output and results: {paths.RESULTS}\n\n{report.HEADING}", flush=True)
    outcomes = [*run_steps(steps), *others]
    print(report.details(outcomes), *notes, sep="\n")
    print(f"{report.clock(time.monotonic() - started)} in all", report.closing_line(outcomes), sep="\n", flush=True)
    return int(any(outcome.failed for outcome in outcomes))


def run_steps(steps: Sequence[Step]) -> list[report.Outcome]:
    """Run sessions, whatever becomes of each, and print a line when one ends. Returns outcomes in the given order."""
    shutil.rmtree(paths.RESULTS, ignore_errors=True)
    paths.RESULTS.mkdir(parents=True)
    waiting = list(steps)
    running: list[Running] = []
    outcomes: dict[Step, report.Outcome] = {}
    told = time.monotonic()
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                running.append(begin(waiting.pop(0)))
            processes.pause()
            for one in list(running):
                if (used := processes.processor_seconds(one.process)) is not None:
                    running.remove(one)
                    outcomes[one.step] = conclude(one, used)
                    print(report.line(outcomes[one.step]), flush=True)
                    told = time.monotonic()
            if time.monotonic() - told > STILL_SECONDS:
                told = time.monotonic()
                print(
                    f"  … {', '.join(f'{one.step.name} {report.clock(told - one.started)}' for one in running)}",
                    flush=True,
                )
    finally:
        for one in running:
            processes.stop(one.process)
    return [outcomes[step] for step in steps]


def begin(step: Step) -> Running:
    """Start a session that writes to its log."""
    with step.log.open("wb") as log:
        return Running(step, start(step, log), time.monotonic())


def start(step: Step, log: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    """Start nox with a session; its output goes to the log, or else to where that of this process goes."""
    command = [str(paths.BOOT / "nox"), "--noxfile", str(paths.ROOT / "noxfile.py"), "--session", step.name]
    return processes.start([*command, "--", *step.arguments], os.environ, paths.ROOT, log)


def conclude(ended: Running, processor_seconds: float) -> report.Outcome:
    """Return the outcome of a session that ended."""
    step = ended.step
    outcome = report.conclude(
        step.name,
        time.monotonic() - ended.started,
        ended.process.returncode,
        paths.RESULTS / step.name,
        bool(step.arguments),
    )
    outcome.processor_seconds = processor_seconds
    outcome.allowed = step.pair.core in interpreters.CANDIDATES
    return outcome
