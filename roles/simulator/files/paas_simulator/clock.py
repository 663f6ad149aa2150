# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's clock: starts where the estate says, runs at the speed of real time, can be moved and frozen."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def iso(moment: float, separator: str = "T") -> str:
    """Return an ISO time stamp with milliseconds and ``Z`` for unix seconds."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(sep=separator, timespec="milliseconds")
    return text.replace("+00:00", "Z")


def parse(text: str) -> float:
    """Return unix seconds for an ISO time stamp (UTC when it names no zone). Raises ValueError."""
    moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


class Clock:
    """Unix seconds that pass with real time unless frozen."""

    def __init__(self, start: float | None = None) -> None:
        """Stand at ``start``, or at the real time, until it is unfrozen."""
        self.frozen = True
        self._base = time.time() if start is None else start
        self._mark = time.monotonic()

    def now(self) -> float:
        """Return the simulator's time in unix seconds."""
        return self._base if self.frozen else self._base + (time.monotonic() - self._mark)

    def set(self, moment: float) -> None:
        """Put the clock to a moment; it goes on from there (or stands there, when frozen)."""
        self._base = moment
        self._mark = time.monotonic()

    def advance(self, seconds: float) -> None:
        """Move the clock by seconds."""
        self.set(self.now() + seconds)

    def freeze(self, frozen: bool) -> None:
        """Stop the clock, or let it run on from where it stands."""
        self.set(self.now())
        self.frozen = frozen

    def describe(self) -> dict[str, object]:
        """Return what ``GET /_sim/clock`` answers."""
        return {"now": iso(self.now()), "frozen": self.frozen}
