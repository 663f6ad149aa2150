# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands behind the Makefile: `test`, `test-all`, `demo`, `bench`, `docs`. Runs in `.cache/boot`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import demo, interpreters, paths, report

NOX = paths.CACHE / "boot" / "bin" / "nox"
TEST = ("lint", "docs", "licence", "package", "unit", "simulator", "conformance", "contract", "integration", "sanity")
TEST_ALL = ("unit", "contract", "sanity")


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


def run_steps(steps: list[Step]) -> list[report.Outcome]:
    """Run sessions one after the other, whatever becomes of each. Returns their outcomes in this order."""
    outcomes = []
    for position, step in enumerate(steps, start=1):
        print(f"\n===== [{position}/{len(steps)}] {step.title} =====", flush=True)
        started = time.monotonic()
        shutil.rmtree(paths.RESULTS / step.name, ignore_errors=True)
        code = nox("--session", step.name)
        outcomes.append(report.conclude(step.name, time.monotonic() - started, code, paths.RESULTS / step.name))
    return outcomes


def nox(*arguments: str) -> int:
    """Run nox on the project. Returns its exit code."""
    return subprocess.run([str(NOX), "--noxfile", str(paths.ROOT / "noxfile.py"), *arguments], check=False).returncode


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
    """The suites that depend on ansible-core, on each of its versions; a version that cannot be tested is a skip."""
    found = interpreters.find_interpreters()
    missing = interpreters.missing_lines(found)
    print(*missing, sep="\n", flush=True)
    outcomes = run_steps([Step(suite, pair) for pair in interpreters.oldest_pairs(found) for suite in TEST_ALL])
    tested = {pair.core for pair in interpreters.oldest_pairs(found)}
    for core in sorted(set(interpreters.SUPPORT) - tested, key=interpreters.number):
        skip = report.Case(core, "skipped", f"needs Python {' or '.join(interpreters.SUPPORT[core])}")
        outcomes.append(report.Outcome(f"ansible-core {core}", 0.0, [skip]))
    return finish(outcomes, missing)


def single(suite: str) -> int:
    """One session outside the tests, on the newest ansible-core."""
    pair = interpreters.newest_pair(interpreters.find_interpreters())
    if pair is None:
        print("no usable Python was found", file=sys.stderr)
        return 1
    return nox("--session", f"{suite}({pair.name})")


COMMANDS: dict[str, Callable[[], int]] = {
    "test": test,
    "test-all": test_all,
    "demo": demo.main,
    "bench": lambda: single("bench"),
    "docs": lambda: single("docs-html"),
}


def main() -> int:
    """Run the command named by the first argument. Returns its exit code; 130 after Ctrl-C."""
    try:
        return COMMANDS[sys.argv[1]]()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
