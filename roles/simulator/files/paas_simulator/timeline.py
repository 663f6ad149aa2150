# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Things that happen later: steps that are carried out when the simulator's clock passes their moment."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from .messages import Record

Apply = Callable[[Record, dict[str, Any], float], None]
# Something that happens at a moment, in unix seconds.
Effect = Callable[[float], None]


class Timelines:
    """All pending steps of the estate, in order of time. One record has at most one timeline."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, Record, dict[str, Any], Apply]] = []
        self._number = count()
        self._current: dict[int, int] = {}

    def attach(self, record: Record, steps: Iterable[dict[str, Any]], start: float, apply: Apply) -> None:
        """Give a record its future, in place of the one it had.

        Each step is ``{"after": seconds since start, ...changes}``; ``apply(record, changes, moment)`` carries it out.
        """
        line = next(self._number)
        self._current[id(record)] = line
        for step in steps:
            changes = {key: value for key, value in step.items() if key != "after"}
            moment = start + float(step["after"])
            # The running number keeps steps of one moment in their order, and heapq from comparing records.
            heapq.heappush(self._heap, (moment, next(self._number), line, record, changes, apply))

    def later(self, record: Record, steps: Iterable[tuple[float, Effect]], start: float) -> None:
        """Give a record its future: effects in seconds after the start, in place of the one it had."""
        self.attach(record, ({"after": after, "do": do} for after, do in steps), start, _do)

    def cancel(self, record: Record) -> None:
        """Drop what was still to happen to a record."""
        self._current.pop(id(record), None)

    def run(self, now: float) -> None:
        """Carry out every step whose moment has come."""
        while self._heap and self._heap[0][0] <= now:
            moment, _number, line, record, changes, apply = heapq.heappop(self._heap)
            if self._current.get(id(record)) == line:
                apply(record, changes, moment)


def _do(_record: Record, changes: dict[str, Any], moment: float) -> None:
    changes["do"](moment)
