# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retries within a budget of seconds, for HTTP requests and handshakes of WebSockets alike."""

from __future__ import annotations

import contextlib
import random
import threading
import time
import typing as t

from ._errors import TransportError
from ._response import Response, is_rate_limited, retry_after

if t.TYPE_CHECKING:
    from urllib3.util.retry import Retry

RETRY_STATUSES = (429, 502, 503, 504)
# A request that is not idempotent is only resent if the platform says that it refused it.
REFUSED_STATUSES = (429,)
FIRST_BACKOFF = 0.5  # seconds
MAX_BACKOFF = 30.0  # seconds

T = t.TypeVar("T")


def with_retries(
    attempt: t.Callable[[int], T],
    method: str,
    path: str,
    *,
    timeout: int,
    budget: RetryBudget,
    idempotent: bool = True,
    sleep: t.Callable[[float], t.Any] = time.sleep,
    clock: t.Callable[[], float] = time.monotonic,
) -> T:
    """Call attempt until its outcome is final or the budget does not allow another wait. Return the last outcome.

    Args:
        attempt: Takes its time-out in seconds. A response that it returns, and a TransportError, may be retried.
        timeout: Seconds of a single attempt; fewer if less is left of the budget.
        idempotent: Whether to repeat an attempt that may have succeeded.
        sleep, clock: Replaced in tests.
    """
    retry = new_retry(idempotent)
    seconds = timeout
    with contextlib.ExitStack() as trouble:
        while True:
            began = clock()
            outcome: T | TransportError
            try:
                outcome = attempt(seconds)
            except TransportError as error:
                outcome = error
            if not _may_repeat(outcome, retry, idempotent):
                return _final(outcome)
            if not retry.history:
                budget.enter(began)
                trouble.callback(budget.leave)
            retry = retry.increment(method, path)
            wait = _pause(outcome, retry)
            if wait >= budget.left():
                return _final(outcome)
            sleep(wait)
            seconds = max(1, min(timeout, int(budget.left())))


def new_retry(idempotent: bool) -> Retry:
    """Return a fresh Retry of urllib3 without limits of its own: the budget decides when to stop."""
    from urllib3.util.retry import Retry  # comes with requests, which may be missing

    return Retry(
        total=None,
        backoff_factor=FIRST_BACKOFF,
        allowed_methods=None,
        status_forcelist=RETRY_STATUSES if idempotent else REFUSED_STATUSES,
    )


def _may_repeat(outcome: t.Any, retry: Retry, idempotent: bool) -> bool:
    if isinstance(outcome, Response):
        return retry.is_retry("", outcome.status) or is_rate_limited(outcome)
    if isinstance(outcome, TransportError):
        return not outcome.is_final and (idempotent or not outcome.may_have_succeeded)
    return False


def _final(outcome: T | TransportError) -> T:
    if isinstance(outcome, TransportError):
        raise outcome
    return outcome


def _pause(outcome: t.Any, retry: Retry) -> float:
    if not isinstance(outcome, Response):
        return backoff(retry, answered=False)
    # Never less than the backoff: a platform that asks for no wait must not be hammered.
    return max(retry_after(outcome) or 0.0, backoff(retry, answered=True))


def backoff(retry: Retry, answered: bool) -> float:
    """Return the seconds before the next attempt if the platform does not say: growing, with jitter.

    Without a response the first repetition is immediate: the server may just have closed an idle connection.
    """
    shortest = FIRST_BACKOFF if answered else 0.0
    longest = min(max(retry.get_backoff_time(), shortest), MAX_BACKOFF)
    return longest * random.uniform(0.5, 1.0)


class RetryBudget:
    """The seconds that a task may spend in all on failed attempts and the waits between them. Thread-safe.

    Time that several threads spend in trouble at once counts once.
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
        """Note that a request is in trouble. since: when its failed attempt began, by the clock."""
        with self._lock:
            since = max(since, self._counted_until)
            self._since = min(self._since, since) if self._in_trouble else since
            self._in_trouble += 1

    def leave(self) -> None:
        """Note that a request that was in trouble is over, one way or the other."""
        with self._lock:
            self._in_trouble -= 1
            if not self._in_trouble:
                self._counted_until = self._clock()
                self._spent += self._counted_until - self._since

    def left(self) -> float:
        """Return the seconds left; negative when overspent."""
        with self._lock:
            now = self._clock() - self._since if self._in_trouble else 0.0
            return self._seconds - self._spent - now
