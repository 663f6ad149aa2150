# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting, by a clock that stands still."""

from __future__ import annotations

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._errors import ApiError, WaitTimeoutError
from ansible_collections.quayside.paas.plugins.module_utils._wait import Deadline, wait_until
from unit.fakes import Clock


def deadline_of(clock: Clock, timeout: float, interval: float) -> Deadline:
    return Deadline(timeout, interval, sleep=clock.sleep, clock=clock.now)


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
        deadline=deadline_of(clock, timeout, interval),
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
        wait_until(read, bool, what="It", state=str, deadline=deadline_of(clock, 9, 1))


def test_a_state_that_never_becomes_right_may_end_it(clock: Clock) -> None:
    def done(state: str) -> bool:
        raise ApiError(f"it is {state}")

    with pytest.raises(ApiError, match="it is failed"):
        wait_until(lambda: "failed", done, what="It", state=str, deadline=deadline_of(clock, 9, 1))
    assert clock.sleeps == []


def test_a_deadline_counts_from_when_it_was_made(clock: Clock) -> None:
    deadline = deadline_of(clock, 12, 5)
    assert (deadline.waited(), deadline.left()) == (0, 12)
    clock.advance(4)
    assert (deadline.waited(), deadline.left()) == (4, 8)
    assert [deadline.pause() for _look in range(3)] == [True, True, False]
    assert clock.sleeps == [5, 3]
    clock.advance(7)
    assert deadline.left() == -7
    assert deadline.pause() is False
    assert clock.sleeps == [5, 3]


def test_two_waits_share_one_deadline(clock: Clock) -> None:
    deadline = deadline_of(clock, 10, 4)
    looks = iter([False, False, True])
    wait_until(lambda: next(looks), bool, what="The first", state=str, deadline=deadline)
    assert clock.sleeps == [4, 4]
    with pytest.raises(WaitTimeoutError, match="The second was not done after 10 seconds"):
        wait_until(lambda: False, bool, what="The second", state=str, deadline=deadline)
    assert clock.sleeps == [4, 4, 2]
