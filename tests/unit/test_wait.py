# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting, by a clock that stands still."""

from __future__ import annotations

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._errors import ApiError, WaitTimeoutError
from ansible_collections.quayside.paas.plugins.module_utils._wait import wait_until
from unit.fakes import Clock


def wait(clock: Clock, states: list[str], timeout: float, interval: float, cost: float = 0) -> str:
    reads = iter(states)

    def read() -> dict[str, str]:
        clock.advance(cost)
        return {"status": next(reads)}

    found = wait_until(
        read,
        lambda value: value["status"] == "done",
        what='The restore "r1"',
        state=lambda value: value["status"],
        timeout=timeout,
        interval=interval,
        sleep=clock.sleep,
        clock=clock.now,
    )
    assert next(reads, None) is None, "not read to the end"
    return found["status"]


def test_what_is_done_already_is_not_waited_for(clock: Clock) -> None:
    assert wait(clock, ["done"], timeout=0, interval=5) == "done"
    assert clock.sleeps == []


def test_it_reads_until_done(clock: Clock) -> None:
    assert wait(clock, ["begun", "begun", "done"], timeout=60, interval=5) == "done"
    assert clock.sleeps == [5, 5]


def test_the_last_read_is_at_the_deadline(clock: Clock) -> None:
    assert wait(clock, ["begun"] * 3 + ["done"], timeout=12, interval=5) == "done"
    assert clock.sleeps == [5, 5, 2]


def test_an_interval_longer_than_the_deadline(clock: Clock) -> None:
    assert wait(clock, ["begun", "done"], timeout=3, interval=60) == "done"
    assert clock.sleeps == [3]


@pytest.mark.parametrize(("timeout", "reads", "sleeps"), [(12, 4, [5, 5, 2]), (10, 3, [5, 5]), (0, 1, [])])
def test_the_deadline(clock: Clock, timeout: float, reads: int, sleeps: list[float]) -> None:
    with pytest.raises(WaitTimeoutError) as caught:
        wait(clock, ["begun"] * (reads - 1) + ["stuck"], timeout, 5)
    assert clock.sleeps == sleeps
    assert caught.value.last_seen == "stuck"
    assert str(caught.value) == (
        f"The restore \"r1\" was not done after {timeout} seconds (option wait_timeout); its last state was 'stuck'."
    )


def test_slow_reads_count(clock: Clock) -> None:
    with pytest.raises(WaitTimeoutError):
        wait(clock, ["begun"] * 3, timeout=20, interval=5, cost=6)
    assert clock.sleeps == [5, 3]


def test_what_a_read_raises_goes_through(clock: Clock) -> None:
    def read() -> str:
        raise ApiError("gone")

    with pytest.raises(ApiError):
        wait_until(read, bool, what="It", state=str, timeout=9, interval=1, sleep=clock.sleep, clock=clock.now)


def test_a_state_that_never_becomes_right_may_end_it(clock: Clock) -> None:
    def done(state: str) -> bool:
        raise ApiError(f"it is {state}")

    with pytest.raises(ApiError, match="it is failed"):
        wait_until(
            lambda: "failed", done, what="It", state=str, timeout=9, interval=1, sleep=clock.sleep, clock=clock.now
        )
    assert clock.sleeps == []
