# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of all pytest suites."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support.simulator import Simulator, start_simulator


def pytest_addoption(parser: pytest.Parser) -> None:
    """Define options of suites here, so that they can be given whatever paths are."""
    parser.addoption(
        "--module", action="append", default=[], metavar="NAME", help="contract: only tests of this module (repeatable)"
    )


def pytest_configure() -> None:
    """Let programs that tests start have the usual signals and umask, however the suites were started."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            # A handler is not inherited, and is ignoring it all the same.
            signal.signal(number, lambda _number, _frame: None)
    os.umask(0o022)


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """A simulator of the shipped estate for the whole session."""
    running = start_simulator()
    yield running
    running.stop()


@pytest.fixture
def sim(simulator: Simulator) -> Simulator:
    """The session's simulator, everything put back to the start."""
    simulator.reset()
    return simulator
