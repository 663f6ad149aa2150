# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An evacuation that is killed or cut off at any of its requests drains and migrates each instance once.

One situation: two instances of different containers, which migrate at the same time.
"""

from __future__ import annotations

import typing as t
from collections import Counter

import pytest

from resilience import module_process
from resilience.module_process import PATIENT, ModuleProcess
from support.cycle import SERVERS, instance_id
from support.settings import NIGHTLY, wait_for

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.simulator import Simulator

PARTS = 5  # each test checks every fifth request, so that it ends within the time limit of a test
STEP = 1 if NIGHTLY else 3  # of the requests of a part, every third by default
POLLS = 6  # by so many requests runs differ, because states are polled
SERVER = SERVERS["eu-ams-2"]
MOVABLE = [instance_id("checkout-api", 2), instance_id("hostile-name", 1)]
ASKED_ONCE = Counter((action, one) for action in ("traffic-drain.reconfigure", "migration.start") for one in MOVABLE)

Result = dict[str, t.Any]
every_part = pytest.mark.parametrize("part", range(PARTS))


def for_each_request(sim: Simulator, folder: Path, part: int, check: Callable[[int], bool]) -> None:
    """Call check with the number of each request of a part; it returns whether the run sent that request."""
    restart(sim)
    assert not start(sim, folder).result().get("failed")
    last = len(sim.journal())
    assert last > 40
    for number in range(1 + part, last + 1, PARTS * STEP):
        restart(sim)
        assert check(number) or number > last - POLLS, f"request {number} was not sent"


def restart(sim: Simulator) -> None:
    sim.reset()
    sim.cycle.settings(
        jobs={"queued": 0.2, "running": 0.3},
        instances={"new": 0.05, "starting": 0.1, "healthy": 0.1},
        migration={"seconds": 0.4},
    )
    sim.clear_journal()


def start(sim: Simulator, folder: Path) -> ModuleProcess:
    cycle = sim.cycle
    connection = {"api_url": cycle.url, "api_key": cycle.key, "hub_id": cycle.hub, **PATIENT}
    arguments = {"server_id": SERVER, "batch": 2, "drain_seconds": 0, "volumes": "leave"}
    return module_process.start(sim, folder, "server_evacuation", {**connection, **arguments})


def check_end(sim: Simulator, result: Result, when: str) -> None:
    """Assert that both instances have migrated, and that each was drained and migrated by one request."""
    assert not result.get("failed"), f"{when}: {result}"
    accepted = [entry for entry in sim.journal() if (entry["method"], entry["status"]) == ("POST", 202)]
    asked = Counter((entry["body"]["action"], entry["path"].split("/")[-2]) for entry in accepted)
    assert asked == ASKED_ONCE, when
    assert result["batches_remaining"] == 0, when
    assert {one["instance_id"] for one in result["kept"]} == set(MOVABLE), when
    assert not {one["instance_id"] for one in result["remaining"]} & set(MOVABLE), when


@every_part
def test_killed_at_any_request_and_run_again(sim: Simulator, tmp_path: Path, part: int) -> None:
    def check(number: int) -> bool:
        # The platform has done what was asked, and its response does not arrive.
        sim.fault("*", "*", {"delay": 3600}, after=number - 1)
        process = start(sim, tmp_path)

        def carried_out() -> bool:
            return len([entry for entry in sim.journal() if entry["status"] is not None]) >= number

        wait_for(lambda: process.ended() or carried_out(), f"request {number}", seconds=60)
        killed = not process.ended()
        if killed:
            process.kill()
        else:
            process.result()
        sim.clear_faults()
        check_end(sim, start(sim, tmp_path).result(), f"killed at request {number}")
        return killed

    for_each_request(sim, tmp_path, part, check)


@every_part
def test_cut_off_at_any_request(sim: Simulator, tmp_path: Path, part: int) -> None:
    def check(number: int) -> bool:
        sim.fault("*", "*", {"reset": "body"}, after=number - 1)
        result = start(sim, tmp_path).result()
        hits: int = sim.faults()[0]["hits"]
        sim.clear_faults()
        check_end(sim, result, f"cut off at request {number}")
        assert {one["state"] for one in result["outcomes"]} == {"migrated"}
        return hits == 1

    for_each_request(sim, tmp_path, part, check)
