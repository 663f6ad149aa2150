# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for something, with one deadline for everything that a task waits for."""

from __future__ import annotations

import time
import typing as t

from ._errors import WaitTimeoutError

T = t.TypeVar("T")


class Deadline:
    """When a task stops waiting.

    Args:
        timeout: Seconds from now.
        interval: Seconds between two looks.
        sleep, clock: Replaced in tests.
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

    def renewed(self) -> Deadline:
        return Deadline(self.timeout, self._interval, sleep=self._sleep, clock=self._clock)

    def waited(self) -> float:
        return self._clock() - self._began

    def left(self) -> float:
        return self.timeout - self.waited()

    def pause(self) -> bool:
        """Wait until the next look, at most until the deadline. Return False, at once, after the deadline."""
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
    """Read until done, and return what was read last.

    Args:
        read: Reads the current state; what it raises passes through.
        done: May raise for a state that never becomes right.
        what: Names the thing and its id for the message.
        state: The part of what was read that the message shows.

    Raises:
        WaitTimeoutError: It was not done before the deadline.
    """
    while True:
        value = read()
        if done(value):
            return value
        if not deadline.pause():
            raise WaitTimeoutError(
                f"{what} was not done after {deadline.timeout:g} seconds (option wait_timeout);"
                f" its last state was {state(value)!r}."
            )
