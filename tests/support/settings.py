# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of all suites, from the environment, and the one way to wait in a test."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# How many times slower than the machine where limits were chosen a machine may be.
TIMEOUT_FACTOR = float(os.environ.get("TEST_TIMEOUT_FACTOR", "4"))
# Whether every combination runs instead of a representative sample.
NIGHTLY = os.environ.get("NIGHTLY", "") not in ("", "0")


def limit(seconds: float) -> float:
    """Return the limit in seconds for something that takes at most `seconds` on a fast machine."""
    return seconds * TIMEOUT_FACTOR


def wait_for(condition: Callable[[], T], what: str, seconds: float = 30.0, interval: float = 0.02) -> T:
    """Call `condition` until it returns something true, and return that.

    Args:
        condition: Checked every `interval` seconds.
        what: What is awaited, for the message of a failure.
        seconds: The limit on a fast machine; `limit()` extends it.
        interval: Seconds between two checks.

    Raises:
        AssertionError: The condition did not hold in time.
    """
    deadline = time.monotonic() + limit(seconds)
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"timed out after {limit(seconds):.0f} s waiting for {what}"
        time.sleep(interval)
