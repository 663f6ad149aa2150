# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Waiting for something asynchronous, with a deadline."""

from __future__ import annotations

import time
import typing as t

from ._errors import WaitTimeoutError

T = t.TypeVar("T")


class Deadline:
    """When a task stops waiting, for everything that it waits for together.

    timeout: seconds from now. interval: seconds between two looks. sleep, clock: replaced in tests.
    """

    def __init__(
        self,
        timeout: float,
        interval: float,
        *,
        sleep: t.Callable[[float], t.Any] = time.sleep,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self.timeout = timeout
        self._interval = interval
        self._sleep = sleep
        self._clock = clock
        self._began = clock()

    def waited(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._began

    def left(self) -> float:
        """Seconds left; negative when it is over."""
        return self.timeout - self.waited()

    def pause(self) -> bool:
        """Waits until the next look, which is at the deadline at the latest. False, at once, when it is over."""
        left = self.left()
        if left <= 0:
            return False
        self._sleep(min(self._interval, left))
        return True


def wait_until(
    read: t.Callable[[], T],
    done: t.Callable[[T], bool],
    *,
    what: str,
    state: t.Callable[[T], t.Any],
    deadline: Deadline,
) -> T:
    """Reads until done, and returns what was read last.

    read: reads the present state; what it raises goes through. done: may raise for a state that never becomes right.
    what: names the thing and its id for the message. state: the part of what was read that the message shows.
    Raises WaitTimeoutError.
    """
    while True:
        value = read()
        if done(value):
            return value
        if not deadline.pause():
            raise WaitTimeoutError(
                f"{what} was not done after {deadline.timeout:g} seconds (option wait_timeout);"
                f" its last state was {state(value)!r}.",
                last_seen=state(value),
            )
