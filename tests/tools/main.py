# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands behind the Makefile: see COMMANDS. Runs in the work folder's `boot`.

Arguments after the command go to pytest; a path below tests/ selects the suite that it belongs to.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import demo, interpreters, processes, report, runner
from tools.runner import Step

# Suites of pytest with their folders below tests/.
PYTEST_SUITES = {
    "unit": ("unit", "tools"),
    "simulator": ("simulator",),
    "conformance": ("conformance",),
    "contract": ("contract",),
    "resilience": ("resilience",),
    "connections": ("connections",),
    "roles": ("roles",),
    "awx": ("awx", "browser"),
}
# Those that take longest come first, so that what runs at the same time ends at about the same time.
TEST = (
    *("integration", "awx", "contract", "sanity", "simulator", "roles", "connections", "resilience", "package"),
    *("conformance", "unit", "lint", "docs-html", "docs-lint", "licence"),
)
TEST_ALL = ("contract", "sanity", "unit")
SLOWEST = ("sanity", "contract")  # of TEST_ALL


def every_suite(arguments: Sequence[str]) -> int:
    """Run every suite on the newest ansible-core that the found interpreters allow.

    Args:
        arguments: For pytest; with any, only suites of pytest run, those of the paths among them if there are some.
    """
    named = suites_of(arguments)
    return run_suites(named or (TEST if not arguments else tuple(PYTEST_SUITES)), arguments)


def suites_of(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the suites of the paths among the arguments of pytest, such as `tests/unit/test_http.py::test_x`."""
    folders = [Path(argument).parts[1:2] for argument in arguments if argument.startswith("tests/")]
    return tuple(suite for suite, names in PYTEST_SUITES.items() if any((name,) in folders for name in names))


def one_suite(arguments: Sequence[str]) -> int:
    """Run the suite that the first argument names, with further arguments for pytest."""
    return run_suites(arguments[:1], arguments[1:])


def run_suites(suites: Sequence[str], arguments: Sequence[str]) -> int:
    """Run suites on the newest ansible-core that the found interpreters allow. Returns the exit code."""
    found = interpreters.find_interpreters()
    pair = interpreters.newest_pair(found)
    if pair is None:
        print("no usable Python was found", file=sys.stderr)
        return 1
    return runner.run([Step(suite, pair, tuple(arguments)) for suite in suites], interpreters.missing_lines(found))


def older_cores() -> int:
    """Run the suites that depend on ansible-core on each of its versions; a version that cannot be tested is a skip.

    A release candidate of ansible-core runs the unit tests, and may fail.
    Unless NIGHTLY is set, the newest version is left to every_suite(), and the slowest suites run only on the oldest.
    """
    found = interpreters.find_interpreters()
    pairs = interpreters.oldest_pairs(found)
    every = [Step(suite, pair) for suite in TEST_ALL for pair in pairs]
    newest = interpreters.newest_pair(found)
    sample = [
        step
        for step in every
        if step.pair == pairs[0] or (step.suite not in SLOWEST and newest and step.pair.core != newest.core)
    ]
    candidates = [Step("unit", pair) for pair in interpreters.candidate_pairs(found)]
    skipped = []
    for core in sorted(set(interpreters.SUPPORT) - {pair.core for pair in pairs}, key=interpreters.number):
        case = report.Case(core, "skipped", f"needs Python {' or '.join(interpreters.SUPPORT[core])}")
        skipped.append(report.Outcome(f"ansible-core {core}", 0.0, [case]))
    steps = [*(every if os.environ.get("NIGHTLY") else sample), *candidates]
    return runner.run(steps, interpreters.missing_lines(found), skipped)


def single(session: str, arguments: Sequence[str]) -> int:
    """Run one session outside the tests on the newest ansible-core and show its output. Returns the exit code."""
    pair = interpreters.newest_pair(interpreters.find_interpreters())
    if pair is None:
        print("no usable Python was found", file=sys.stderr)
        return 1
    process = runner.start(Step(session, pair, tuple(arguments)))
    try:
        return processes.wait(process)
    finally:
        processes.stop(process)


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "test": every_suite,
    "test-all": lambda _arguments: older_cores(),
    "suite": one_suite,
    "demo": lambda _arguments: demo.main(),
    "bench": lambda arguments: single("bench", arguments),
    "docs": lambda _arguments: single("docs-html", ()),
}


def main() -> int:
    """Run the command named by the first argument. Returns its exit code; 130 after Ctrl-C."""
    processes.treat_signals_as_interrupt()
    os.umask(0o022)
    try:
        return COMMANDS[sys.argv[1]](sys.argv[2:])
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
