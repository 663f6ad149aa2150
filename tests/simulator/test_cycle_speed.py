# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycle: large containers are made and listed in little time."""

from __future__ import annotations

import time

from support.cycle import CONTAINERS, at, ids
from support.simulator import Simulator

MANY = 10_000


def test_many_instances(sim: Simulator) -> None:
    start = time.monotonic()
    sim.generate(platform="cycle", container=CONTAINERS["worker"], instances=MANY)
    made = time.monotonic()
    path = at("worker", rest="/instances?include=servers&meta=node&page[size]=100")
    found: set[str] = set()
    for number in range(1, MANY // 100 + 1):
        found.update(ids(sim.cycle.get(f"{path}&page[number]={number}")))
    listed = time.monotonic()
    assert len(found) == MANY
    assert made - start < 10
    assert listed - made < 20
