# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Waiting for something asynchronous, with a deadline."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.quayside.paas.plugins.module_utils._errors import WaitTimeoutError

T = t.TypeVar("T")


def wait_until(
    read: t.Callable[[], T],
    done: t.Callable[[T], bool],
    *,
    what: str,
    state: t.Callable[[T], t.Any],
    timeout: float,
    interval: float,
    sleep: t.Callable[[float], None] = time.sleep,
    clock: t.Callable[[], float] = time.monotonic,
) -> T:
    """Reads until done, and returns what was read last.

    read: reads the present state; what it raises goes through. done: may raise for a state that never becomes right.
    what: names the thing and its id for the message. state: the part of what was read that the message shows.
    timeout, interval: seconds. The last read happens at the deadline, never long after it.
    Raises WaitTimeoutError.
    """
    deadline = clock() + timeout
    while True:
        value = read()
        if done(value):
            return value
        left = deadline - clock()
        if left <= 0:
            raise WaitTimeoutError(
                f"{what} was not done after {timeout:g} seconds (option wait_timeout);"
                f" its last state was {state(value)!r}.",
                last_seen=state(value),
            )
        sleep(min(interval, left))
