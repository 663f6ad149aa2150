# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands behind the Makefile: `test`, `test-all`, `demo`, `bench`, `docs`. Runs in the work folder's `boot`."""

from __future__ import annotations

import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import demo, interpreters, paths, processes, report

# Suites that do one thing after another, and need no quiet machine: they run beside the others, with low priority, and
# are shown when they end.
BESIDE = ("lint", "docs", "docs-html", "licence", "package", "sanity", "integration")
TEST = (*BESIDE, "unit", "simulator", "conformance", "contract", "weather", "hosts", "roles", "awx")
TEST_ALL = ("sanity", "unit", "contract")
SLOWEST = ("sanity", "contract")  # of TEST_ALL
STILL_SECONDS = 20.0  # between two lines about what is awaited


@dataclass(frozen=True)
class Step:
    """A nox session to run."""

    suite: str
    pair: interpreters.Pair

    @property
    def name(self) -> str:
        """The session's name for nox."""
        return f"{self.suite}({self.pair.name})"

    @property
    def title(self) -> str:
        """The session for people."""
        return f"{self.suite}: ansible-core {self.pair.core}, Python {self.pair.python.full_version}"

    @property
    def log(self) -> Path:
        """What the session printed, if it ran beside others."""
        return paths.RESULTS / f"{self.name}.log"


Done = queue.Queue[tuple[Step, report.Outcome]]


def run_steps(steps: list[Step]) -> list[report.Outcome]:
    """Run sessions, whatever becomes of each. Returns their outcomes in the given order."""
    shutil.rmtree(paths.RESULTS, ignore_errors=True)
    paths.RESULTS.mkdir(parents=True)
    beside = [step for step in steps if step.suite in BESIDE]
    others = [step for step in steps if step.suite not in BESIDE]
    done: Done = queue.Queue()
    threading.Thread(target=run_beside, args=(beside, done), daemon=True).start()
    outcomes: dict[Step, report.Outcome] = {}
    for step in others:
        heading(step, len(outcomes) + 1, len(steps))
        outcomes[step] = run_step(step)
        while not done.empty():
            outcomes |= show(*done.get(), len(outcomes) + 1, len(steps))
    while len(outcomes) < len(steps):
        try:
            outcomes |= show(*done.get(timeout=STILL_SECONDS), len(outcomes) + 1, len(steps))
        except queue.Empty:
            waiting = [step.name for step in beside if step not in outcomes]
            print(f"----- waiting for {', '.join(waiting)}", flush=True)
            if os.getppid() != processes.PARENT:
                raise KeyboardInterrupt from None
    return [outcomes[step] for step in steps]


def run_beside(steps: list[Step], done: Done) -> None:
    """Run sessions with low priority, what they print going to their logs."""
    for step in steps:
        with step.log.open("wb") as log:
            done.put((step, run_step(step, log)))


def show(step: Step, outcome: report.Outcome, position: int, total: int) -> dict[Step, report.Outcome]:
    """Print what a session that ran beside others has printed. Returns its outcome by its step."""
    heading(step, position, total)
    print(step.log.read_text(encoding="utf-8", errors="replace"), end="", flush=True)
    return {step: outcome}


def heading(step: Step, position: int, total: int) -> None:
    """Print what comes next."""
    print(f"\n===== [{position}/{total}] {step.title} =====", flush=True)


def run_step(step: Step, log: IO[bytes] | None = None) -> report.Outcome:
    """Run a session; with a log, at low priority and printing there."""
    started = time.monotonic()
    code = nox(step.name, log)
    return report.conclude(step.name, time.monotonic() - started, code, paths.RESULTS / step.name)


def nox(name: str, log: IO[bytes] | None = None) -> int:
    """Run a nox session. Returns its exit code."""
    command = [str(paths.BOOT / "nox"), "--noxfile", str(paths.ROOT / "noxfile.py"), "--session", name]
    if log and shutil.which("nice"):
        command = ["nice", *command]
    process = processes.start(command, os.environ, paths.ROOT, log)
    try:
        return processes.wait(process)
    except KeyboardInterrupt:
        processes.stop(process)
        raise


def finish(outcomes: list[report.Outcome], missing: list[str]) -> int:
    """Print the closing table and line. Returns the exit code."""
    print(f"\n{report.table(outcomes)}", *missing, sep="\n")
    print(report.closing_line(outcomes), flush=True)
    return int(any(outcome.failed for outcome in outcomes))


def test() -> int:
    """Every suite, on the newest ansible-core that the found interpreters allow."""
    found = interpreters.find_interpreters()
    pair = interpreters.newest_pair(found)
    missing = interpreters.missing_lines(found)
    print(*missing, sep="\n", flush=True)
    if pair is None:
        print("no usable Python was found", file=sys.stderr)
        return 1
    return finish(run_steps([Step(suite, pair) for suite in TEST]), missing)


def test_all() -> int:
    """The suites that depend on ansible-core, on each of its versions; a version that cannot be tested is a skip.

    Unless NIGHTLY is set, the newest version is left to test(), and the slowest suites run on the oldest one only.
    """
    found = interpreters.find_interpreters()
    missing = interpreters.missing_lines(found)
    print(*missing, sep="\n", flush=True)
    pairs = interpreters.oldest_pairs(found)
    every = [Step(suite, pair) for pair in pairs for suite in TEST_ALL]
    newest = interpreters.newest_pair(found)
    sample = [
        step
        for step in every
        if step.pair == pairs[0] or (step.suite not in SLOWEST and newest and step.pair.core != newest.core)
    ]
    outcomes = run_steps(every if os.environ.get("NIGHTLY") else sample)
    for core in sorted(set(interpreters.SUPPORT) - {pair.core for pair in pairs}, key=interpreters.number):
        skip = report.Case(core, "skipped", f"needs Python {' or '.join(interpreters.SUPPORT[core])}")
        outcomes.append(report.Outcome(f"ansible-core {core}", 0.0, [skip]))
    return finish(outcomes, missing)


def single(suite: str) -> int:
    """One session outside the tests, on the newest ansible-core."""
    pair = interpreters.newest_pair(interpreters.find_interpreters())
    if pair is None:
        print("no usable Python was found", file=sys.stderr)
        return 1
    return nox(Step(suite, pair).name)


COMMANDS: dict[str, Callable[[], int]] = {
    "test": test,
    "test-all": test_all,
    "demo": demo.main,
    "bench": lambda: single("bench"),
    "docs": lambda: single("docs-html"),
}


def main() -> int:
    """Run the command named by the first argument. Returns its exit code; 130 after Ctrl-C."""
    processes.treat_signals_as_interrupt()
    try:
        return COMMANDS[sys.argv[1]]()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    finally:
        processes.ignore_signals()
        processes.sweep()


if __name__ == "__main__":
    sys.exit(main())
