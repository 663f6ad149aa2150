# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time that repetition may take."""

from __future__ import annotations

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._retry import (
    FIRST_BACKOFF,
    MAX_BACKOFF,
    RetryBudget,
    backoff,
    new_retry,
)
from unit.fakes import Clock


def test_only_trouble_spends_the_budget(clock: Clock) -> None:
    budget = RetryBudget(60, clock.now)
    clock.advance(1000)
    assert budget.left() == 60
    began = clock.now()
    clock.advance(5)
    budget.enter(began)
    assert budget.left() == 55
    clock.advance(10)
    assert budget.left() == 45
    budget.leave()
    clock.advance(1000)
    assert budget.left() == 45


def test_troubles_one_after_the_other_add_up(clock: Clock) -> None:
    budget = RetryBudget(60, clock.now)
    for _time in range(3):
        budget.enter(clock.now())
        clock.advance(15)
        budget.leave()
        clock.advance(7)
    assert budget.left() == 15
    budget.enter(clock.now())
    clock.advance(20)
    assert budget.left() == -5


def test_overlapping_troubles_count_once(clock: Clock) -> None:
    budget = RetryBudget(60, clock.now)
    budget.enter(clock.now())
    clock.advance(10)
    budget.enter(clock.now())
    clock.advance(10)
    budget.leave()
    assert budget.left() == 40
    clock.advance(10)
    budget.leave()
    assert budget.left() == 30


def test_a_failed_attempt_that_began_before_the_trouble_of_another_counts_from_its_beginning(clock: Clock) -> None:
    budget = RetryBudget(60, clock.now)
    early = clock.now()
    clock.advance(8)
    budget.enter(clock.now())
    clock.advance(2)
    budget.enter(early)
    assert budget.left() == 50
    budget.leave()
    budget.leave()
    assert budget.left() == 50


def test_time_already_counted_is_not_counted_again_for_an_attempt_that_began_in_it(clock: Clock) -> None:
    # One request is in trouble from 0 to 10. Another's attempt lasts from 5 to 12 and fails: 12 seconds in all.
    budget = RetryBudget(60, clock.now)
    budget.enter(clock.now())
    clock.advance(5)
    second = clock.now()
    clock.advance(5)
    budget.leave()
    assert budget.left() == 50
    clock.advance(2)
    budget.enter(second)
    assert budget.left() == 48
    budget.leave()
    assert budget.left() == 48


@pytest.mark.parametrize(("answered", "first"), [(True, FIRST_BACKOFF), (False, 0)])
def test_backoff_grows_to_its_bound(answered: bool, first: float) -> None:
    retry = new_retry(True)
    bounds = []
    for _attempt in range(12):
        retry = retry.increment("GET", "/")
        waits = [backoff(retry, answered) for _sample in range(200)]
        bounds.append((min(waits), max(waits)))
    expected = [first, 1, 2, 4, 8, 16, *[MAX_BACKOFF] * 6]
    for (least, most), whole in zip(bounds, expected, strict=True):
        assert 0.5 * whole <= least <= most <= whole
        assert least < most or not whole, "no jitter"


def test_the_budget_alone_decides_when_to_stop() -> None:
    retry = new_retry(False)
    for _attempt in range(500):
        retry = retry.increment("POST", "/")
    assert not retry.is_exhausted()


@pytest.mark.parametrize(("idempotent", "statuses"), [(True, {429, 502, 503, 504}), (False, {429})])
def test_statuses_that_are_repeated(idempotent: bool, statuses: set[int]) -> None:
    retry = new_retry(idempotent)
    assert {status for status in range(100, 600) if retry.is_retry("", status)} == statuses
