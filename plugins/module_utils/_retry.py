# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""When to try again, how long to wait, and when to stop: urllib3's Retry within one budget of time."""

from __future__ import annotations

import random
import threading
import time
import typing as t

if t.TYPE_CHECKING:
    from urllib3.util.retry import Retry

RETRY_STATUSES = (429, 502, 503, 504)
# A request that is not idempotent is repeated only when the platform says that it refused it.
REFUSED_STATUSES = (429,)
FIRST_BACKOFF = 0.5  # seconds
MAX_BACKOFF = 30.0  # seconds


def new_retry(idempotent: bool) -> Retry:
    """A fresh urllib3 Retry without limits of its own: the budget decides when to stop."""
    from urllib3.util.retry import Retry  # urllib3 comes with requests, which may be missing

    return Retry(
        total=None,
        backoff_factor=FIRST_BACKOFF,
        allowed_methods=None,
        status_forcelist=RETRY_STATUSES if idempotent else REFUSED_STATUSES,
    )


def backoff(retry: Retry, answered: bool) -> float:
    """Seconds to wait before the next attempt, when the platform names none: growing, with jitter.

    answered: whether there was an answer. If not, the first repetition is immediate: the server may just have closed a
    connection that was kept open for a while.
    """
    shortest = FIRST_BACKOFF if answered else 0.0
    longest = min(max(retry.get_backoff_time(), shortest), MAX_BACKOFF)
    return longest * random.uniform(0.5, 1.0)


class RetryBudget:
    """Seconds that a task may spend in all on failed attempts and the waits between them.

    Time that several threads spend in trouble at once counts once. Thread-safe.
    """

    def __init__(self, seconds: float, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._spent = 0.0
        self._in_trouble = 0
        self._since = 0.0
        self._counted_until = float("-inf")

    def enter(self, since: float) -> None:
        """A request got into trouble; since: when its failed attempt began, by the clock."""
        with self._lock:
            since = max(since, self._counted_until)
            self._since = min(self._since, since) if self._in_trouble else since
            self._in_trouble += 1

    def leave(self) -> None:
        """A request that was in trouble is over, one way or the other."""
        with self._lock:
            self._in_trouble -= 1
            if not self._in_trouble:
                self._counted_until = self._clock()
                self._spent += self._counted_until - self._since

    def left(self) -> float:
        """Seconds left; negative when overspent."""
        with self._lock:
            now = self._clock() - self._since if self._in_trouble else 0.0
            return self._seconds - self._spent - now
