# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An evacuation that is killed or cut off at any of its requests drains and migrates each instance once.

One situation: two instances of different containers, which migrate at the same time. The module runs as a process of
its own. Most of the time is spent waiting, so several simulators and modules run at once.
"""

from __future__ import annotations

import queue
import typing as t
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from resilience import module_process
from support.cycle import SERVERS, instance_id
from support.settings import wait_for
from support.simulator import Simulator, start_simulator

if t.TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

AT_ONCE = 3
PARTS = 5  # each test checks every fifth request, so that it ends within the time limit of a test
POLLS = 6  # by so many requests runs differ, because states are polled
SERVER = SERVERS["eu-ams-2"]
MOVABLE = [instance_id("checkout-api", 2), instance_id("hostile-name", 1)]
ASKED_ONCE = Counter((action, one) for action in ("traffic-drain.reconfigure", "migration.start") for one in MOVABLE)

Result = dict[str, t.Any]
every_part = pytest.mark.parametrize("part", range(PARTS))


@pytest.fixture(scope="module")
def simulators() -> Iterator[queue.SimpleQueue[Simulator]]:
    idle: queue.SimpleQueue[Simulator] = queue.SimpleQueue()
    started = [start_simulator() for _number in range(AT_ONCE)]
    for one in started:
        idle.put(one)
    yield idle
    for one in started:
        one.stop()


def for_each_request(
    simulators: queue.SimpleQueue[Simulator],
    folder: Path,
    part: int,
    check: Callable[[Simulator, Path, int], bool],
) -> None:
    """Call check with the number of each request of a part; it returns whether the run sent that request."""

    def on_a_simulator(number: int) -> bool:
        simulator = simulators.get()
        try:
            restart(simulator)
            place = folder / str(number)
            place.mkdir()
            return check(simulator, place, number)
        finally:
            simulators.put(simulator)

    simulator = simulators.get()
    restart(simulator)
    assert not module_process.finish(start(simulator, folder)).get("failed")
    last = len(simulator.journal())
    simulators.put(simulator)
    assert last > 40
    numbers = range(1 + part, last + 1, PARTS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = dict(zip(numbers, pool.map(on_a_simulator, numbers), strict=True))
    assert all(was_sent for number, was_sent in sent.items() if number <= last - POLLS), sent


def restart(simulator: Simulator) -> None:
    simulator.reset()
    simulator.cycle.settings(
        jobs={"queued": 0.2, "running": 0.3},
        instances={"new": 0.05, "starting": 0.1, "healthy": 0.1},
        migration={"seconds": 0.4},
    )
    simulator.clear_journal()


def start(simulator: Simulator, folder: Path) -> subprocess.Popen[bytes]:
    cycle = simulator.cycle
    connection = {"api_url": cycle.url, "api_key": cycle.key, "hub_id": cycle.hub, "wait_interval": 1}
    arguments = {"server_id": SERVER, "batch": 2, "drain_seconds": 0, "volumes": "leave"}
    return module_process.start(folder, "server_evacuation", {**connection, **arguments})


def check_end(simulator: Simulator, result: Result, when: str) -> None:
    """Assert that both instances have migrated, and that each was drained and migrated by one request."""
    assert not result.get("failed"), f"{when}: {result}"
    accepted = [entry for entry in simulator.journal() if (entry["method"], entry["status"]) == ("POST", 202)]
    asked = Counter((entry["body"]["action"], entry["path"].split("/")[-2]) for entry in accepted)
    assert asked == ASKED_ONCE, when
    assert result["batches_remaining"] == 0, when
    assert {one["instance_id"] for one in result["kept"]} == set(MOVABLE), when
    assert not {one["instance_id"] for one in result["remaining"]} & set(MOVABLE), when


@every_part
def test_killed_at_any_request_and_run_again(
    simulators: queue.SimpleQueue[Simulator], tmp_path: Path, part: int
) -> None:
    def check(simulator: Simulator, folder: Path, number: int) -> bool:
        # The platform has done what was asked, and its response does not arrive.
        simulator.fault("*", "*", {"delay": 60}, after=number - 1)
        process = start(simulator, folder)

        def done() -> int:
            return len([entry for entry in simulator.journal() if entry["status"] is not None])

        wait_for(lambda: process.poll() is not None or done() >= number, f"request {number}", seconds=60)
        killed = process.poll() is None
        process.kill()
        process.communicate()
        simulator.clear_faults()
        check_end(simulator, module_process.finish(start(simulator, folder)), f"killed at request {number}")
        return killed

    for_each_request(simulators, tmp_path, part, check)


@every_part
def test_cut_off_at_any_request(simulators: queue.SimpleQueue[Simulator], tmp_path: Path, part: int) -> None:
    def check(simulator: Simulator, folder: Path, number: int) -> bool:
        simulator.fault("*", "*", {"reset": "body"}, after=number - 1)
        result = module_process.finish(start(simulator, folder))
        hits: int = simulator.faults()[0]["hits"]
        simulator.clear_faults()
        check_end(simulator, result, f"cut off at request {number}")
        assert {one["state"] for one in result["outcomes"]} == {"migrated"}
        return hits == 1

    for_each_request(simulators, tmp_path, part, check)
