# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixed windows of requests, each opened by its first request and measured on the simulator's clock."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """Where a caller stands after a request; ``reset`` is in whole seconds from now."""

    limit: int
    remaining: int
    reset: int
    exceeded: bool


class RateLimiter:
    """One window a key."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, key: str, now: float, limit: int, window: float) -> Allowance:
        """Count a request and say where its caller stands; ``window`` is in seconds."""
        start, used = self._windows.get(key, (now, 0))
        if not start <= now < start + window:
            start, used = now, 0
        exceeded = used >= limit
        used = min(used + 1, limit)
        self._windows[key] = (start, used)
        return Allowance(limit, max(0, limit - used), max(1, math.ceil(start + window - now)), exceeded)

    def clear(self) -> None:
        """Forget all windows."""
        self._windows.clear()
