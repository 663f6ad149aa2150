# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Not twice, not lost: whatever happens to a task that places instances, running it again ends with the right number.

The module runs as a process of its own, as Ansible starts it. The process is killed at each of its requests in turn,
after the platform has carried the request out and before the answer arrives. Time is simulated.
"""

from __future__ import annotations

import datetime
import typing as t

import pytest

from resilience import module_process
from resilience.module_process import PATIENT, Arguments, ModuleProcess
from support.settings import wait_for
from support.simulator import Simulator

if t.TYPE_CHECKING:
    from pathlib import Path

WORKER = "worker"  # a container without instances
WEB = "web"  # one with instances on two servers
NEVER_ANSWERED = {"delay": 3600}


class Platform:
    """A simulator, and what the tests ask of it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.restart()

    def restart(self) -> None:
        self.simulator.reset()
        self.simulator.cycle.settings(jobs={"queued": 0.3, "running": 0.4}, instances={"new": 0.1, "starting": 0.2})

    def posts(self) -> list[dict[str, t.Any]]:
        """The requests for instances that were carried out or broken off."""
        return [one for one in self.simulator.journal() if one["method"] == "POST" and one["path"].startswith("/v1/")]

    def containers(self) -> dict[str, dict[str, t.Any]]:
        found = self.simulator.cycle.get("/v1/containers?page[size]=100").data["data"]
        return {one["identifier"]: one for one in found}

    def live(self, container: str) -> dict[str, int]:
        """Instances that are there to stay, by server, when everything that was begun is done."""
        self.simulator.clock(advance=600)
        counted: dict[str, int] = {}
        for one in self.simulator.cycle.get(f"/v1/containers/{container}/instances?page[size]=100").data["data"]:
            if one["ready_state"] != "purge" and one["state"]["current"] not in ("deleting", "deleted"):
                counted[one["server_id"]] = counted.get(one["server_id"], 0) + 1
        return counted

    def usable(self, container: str) -> list[str]:
        found = self.simulator.cycle.get(f"/v1/containers/{container}/servers/usable?page[size]=100").data["data"]
        return [str(one["id"]) for one in found]

    def created(self) -> int:
        """How many instances the platform was asked for, and said yes."""
        accepted = [one for one in self.simulator.journal() if one["method"] == "POST" and one["status"] == 202]
        return sum(part["new_instances"] for one in accepted for part in one["body"])


@pytest.fixture
def platform(simulator: Simulator) -> Platform:
    return Platform(simulator)


def start(platform: Platform, folder: Path, arguments: Arguments) -> ModuleProcess:
    """The module as a process."""
    cycle = platform.simulator.cycle
    access = {"api_url": cycle.url, "api_key": cycle.key, "hub_id": cycle.hub}
    return module_process.start(platform.simulator, folder, "instance", {**access, **PATIENT, **arguments})


def run(platform: Platform, folder: Path, arguments: Arguments) -> dict[str, t.Any]:
    return start(platform, folder, arguments).result()


def kill_at(platform: Platform, folder: Path, arguments: Arguments, number: int) -> bool:
    """Kills the module when the platform has carried its request of that number out. False when it sends fewer."""
    platform.simulator.fault("*", "*", NEVER_ANSWERED, after=number - 1)
    platform.simulator.clear_journal()
    process = start(platform, folder, arguments)
    wait_for(lambda: process.ended() or carried_out(platform, number), f"request {number} or the end of the module")
    platform.simulator.clear_faults()
    if process.ended():
        assert not process.result().get("failed")
        return False
    process.kill()
    return True


def carried_out(platform: Platform, number: int) -> bool:
    """Whether the platform has carried out so many requests."""
    return sum(entry["status"] is not None for entry in platform.simulator.journal()) >= number


def placement(platform: Platform) -> tuple[str, Arguments, dict[str, int]]:
    """Three new instances on two servers of a container without any."""
    container = platform.containers()[WORKER]["id"]
    first, second = platform.usable(container)[:2]
    wanted = {first: 2, second: 1}
    asked = [{"server_id": server, "count": count} for server, count in wanted.items()]
    return container, {"container_id": container, "placement": asked}, wanted


def exchange(platform: Platform) -> tuple[str, Arguments, dict[str, int]]:
    """One more on one server, all but one deleted on another."""
    container = platform.containers()[WEB]["id"]
    there = platform.live(container)
    fullest = max(there, key=lambda server: there[server])
    other = next(server for server in platform.usable(container) if server != fullest)
    wanted = {**there, fullest: 1, other: there.get(other, 0) + 1}
    asked = [{"server_id": server, "count": wanted[server]} for server in (fullest, other)]
    return container, {"container_id": container, "placement": asked, "exact": True}, wanted


def removal(platform: Platform) -> tuple[str, Arguments, dict[str, int]]:
    """All instances of a container deleted."""
    container = platform.containers()[WEB]["id"]
    return container, {"container_id": container, "state": "absent", "all": True}, {}


SITUATIONS = {"placement": placement, "exchange": exchange, "removal": removal}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_killed_at_any_request(platform: Platform, tmp_path: Path, situation: str) -> None:
    number, killed = 1, True
    while killed:
        platform.restart()
        container, arguments, wanted = SITUATIONS[situation](platform)
        before = sum(platform.live(container).values())
        asked_for = max(0, sum(wanted.values()) - before) if situation == "placement" else None
        killed = kill_at(platform, tmp_path, arguments, number)
        result = run(platform, tmp_path, arguments)
        assert not result.get("failed"), f"killed at request {number}: {result}"
        if asked_for is not None:
            assert platform.created() == asked_for, f"killed at request {number}"
        assert platform.live(container) == wanted, f"killed at request {number}"
        number += 1
    assert number > 5


@pytest.mark.parametrize("settings", [{"list_visible_after": 3, "visible_after": 3, "queued": 4}])
def test_killed_before_its_job_is_visible(platform: Platform, tmp_path: Path, settings: dict[str, t.Any]) -> None:
    platform.simulator.cycle.settings(jobs=settings)
    container, arguments, wanted = placement(platform)
    platform.simulator.fault("POST", "*/instances", NEVER_ANSWERED)
    process = start(platform, tmp_path, arguments)
    wait_for(lambda: [one for one in platform.posts() if one["status"]], "the request for instances")
    process.kill()
    result = run(platform, tmp_path, arguments)
    assert not result.get("failed"), result
    assert platform.live(container) == wanted
    assert platform.created() == sum(wanted.values())


@pytest.mark.parametrize("where", ["after", "body"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_connection_breaks_at_any_request(platform: Platform, tmp_path: Path, situation: str, where: str) -> None:
    """The platform accepted the request, the answer is lost: the same task finishes all the same."""
    number, hit = 1, True
    while hit:
        platform.restart()
        container, arguments, wanted = SITUATIONS[situation](platform)
        platform.simulator.clear_journal()
        platform.simulator.fault("*", "*", {"reset": where}, after=number - 1)
        result = run(platform, tmp_path, arguments)
        hit = platform.simulator.faults()[0]["hits"] == 1
        platform.simulator.clear_faults()
        assert not result.get("failed"), f"broken at request {number}: {result}"
        assert platform.live(container) == wanted, f"broken at request {number}"
        number += 1
    assert number > 5


def test_a_request_that_never_arrived_is_sent_again_only_when_that_is_certain(
    platform: Platform, tmp_path: Path
) -> None:
    container, arguments, wanted = placement(platform)
    platform.simulator.fault("POST", "*/instances", {"reset": "before"})
    platform.simulator.clear_journal()
    result = run(platform, tmp_path, arguments)
    assert not result.get("failed"), result
    assert platform.live(container) == wanted
    first, second = (datetime.datetime.fromisoformat(entry["time"]) for entry in platform.posts())
    # As long as an accepted job may take to become visible.
    assert (second - first).total_seconds() >= 30


def test_without_the_capability_to_see_jobs_nothing_is_risked(platform: Platform, tmp_path: Path) -> None:
    container, arguments, wanted = placement(platform)
    key = platform.simulator.cycle.keys["no-jobs"]
    platform.simulator.fault("POST", "*/instances", {"reset": "before"})
    refused = run(platform, tmp_path, {**arguments, "api_key": key, "wait_timeout": 60})
    assert refused["failed"]
    assert refused["changed"]
    assert "Run the task again" in refused["msg"]
    assert platform.live(container) == {}
    again = run(platform, tmp_path, {**arguments, "api_key": key})
    assert not again.get("failed"), again
    assert platform.live(container) == wanted


def test_a_job_that_made_a_part_is_finished_by_the_next_run(platform: Platform, tmp_path: Path) -> None:
    container, arguments, wanted = placement(platform)
    platform.simulator.cycle.settings(jobs={"fail": "error", "partial": 1})
    failed = run(platform, tmp_path, arguments)
    assert failed["failed"]
    assert failed["changed"]
    assert failed["jobs"][0]["state"] == "error"
    platform.simulator.cycle.settings(jobs={"fail": None})
    again = run(platform, tmp_path, arguments)
    assert not again.get("failed"), again
    assert platform.live(container) == wanted
