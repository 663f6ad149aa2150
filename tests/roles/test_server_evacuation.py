# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role server_evacuation: a server is emptied, or it is said why not; killed or stopped, it goes on later."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from role_runs import RoleRun, last_request, play, started

from support.cycle import CONTAINERS, SERVERS, instance_id, state
from support.settings import wait_for
from support.simulator import Simulator

SERVER = SERVERS["eu-ams-2"]
# What is on it and can migrate: two that run and two of a container that is stopped.
CHECKOUT, HOSTILE = instance_id("checkout-api", 2), instance_id("hostile-name", 1)
REPORTS = [instance_id("reports", number) for number in (1, 2)]
MOVABLE = {CHECKOUT, HOSTILE, *REPORTS}
# The last one is what cannot be migrated, and is in nobody's way here.
QUICK = {
    "server_evacuation_wait_interval": 1,
    "server_evacuation_drain_seconds": 0,
    "server_evacuation_allow_left": True,
}
KEYS = {
    *("server_id", "server", "state", "check_mode", "migrated", "reverted", "failed", "left", "kept", "drained"),
    *("batches", "reason", "next"),
}


@pytest.fixture
def hub(sim: Simulator) -> Simulator:
    """The simulator, in a hurry."""
    sim.cycle.settings(
        jobs={"queued": 0.05, "running": 0.1},
        instances={"new": 0.05, "starting": 0.1, "healthy": 0.1},
        migration={"seconds": 0.3},
    )
    return sim


def variables(server: str = SERVER, **more: Any) -> dict[str, Any]:
    return {"server_evacuation_server_id": server, **QUICK} | {
        f"server_evacuation_{key}": value for key, value in more.items()
    }


def evacuate(hub: Simulator, folder: Path, *arguments: str, server: str = SERVER, **more: Any) -> RoleRun:
    """Plays it. more: variables of the role without their prefix."""
    run = play(hub, folder, "server_evacuation", variables(server, **more), *arguments)
    assert "Traceback" not in run.output
    return run


def result_of(run: RoleRun) -> dict[str, Any]:
    """The artifact, of its one shape."""
    assert set(run.artifacts) == {"server_evacuation_result"}, run.output
    found: dict[str, Any] = run.artifacts["server_evacuation_result"]
    assert set(found) == KEYS
    return found


def asked(journal: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What instances were asked for and accepted, in order: drain, undrain, start or revert, and the instance."""
    names = {"migration.start": "start", "migration.revert": "revert"}
    found = []
    for entry in journal:
        if entry["method"] != "GET":
            assert (entry["method"], entry["status"]) == ("POST", 202), entry
            body = entry["body"]
            drain = "drain" if body.get("contents", {}).get("enable") else "undrain"
            found.append((names.get(body["action"], drain), entry["path"].split("/")[-2]))
    return found


def ids(found: list[dict[str, Any]]) -> set[str]:
    return {one["instance_id"] for one in found}


def alive(hub: Simulator, server: str = SERVER) -> dict[str, str]:
    """The container and the state of each instance that is on a server and stays there."""
    instances = hub.cycle.get(f"/v1/infrastructure/servers/{server}/instances?page[size]=100").data["data"]
    return {
        one["id"]: one["state"]["current"]
        for one in instances
        if one["ready_state"] == "active" and one["state"]["current"] not in ("deleting", "deleted")
    }


def test_the_result_of_an_earlier_job_of_the_workflow_is_not_taken_for_its_own(hub: Simulator, tmp_path: Path) -> None:
    # AWX gives the artifacts of earlier jobs as extra variables.
    earlier = {"state": "stopped", "reason": "Too many.", "server": "another", "next": "", "reverted": [], "failed": []}
    run = evacuate(hub, tmp_path, "--check", result=earlier)
    assert run.code == 0, run.output
    assert result_of(run)["state"] == "planned"


def test_a_server_is_emptied_batch_by_batch_and_once(hub: Simulator, tmp_path: Path) -> None:
    run = evacuate(hub, tmp_path / "1", batch=2, allow_left=False)
    found = result_of(run)
    assert run.code == 2  # one is left
    assert (found["state"], found["server"], found["reverted"], found["failed"]) == ("incomplete", "eu-ams-2", [], [])
    assert ids(found["migrated"]) == ids(found["kept"]) == MOVABLE
    assert found["batches"] == {"planned": 2, "done": 2}
    assert {one["container"]: one["reason"] for one in found["left"]}.keys() == {"resize"}
    assert "1 instance is left" in run.output

    # The first batch is drained and started before anything of the second one, and each once.
    work = asked(run.journal)
    first, second = {CHECKOUT, REPORTS[0]}, {HOSTILE, REPORTS[1]}
    assert [work[0], set(work[1:3])] == [("drain", CHECKOUT), {("start", one) for one in first}]
    assert [work[3], set(work[4:])] == [("drain", HOSTILE), {("start", one) for one in second}]
    # And is up elsewhere before.
    hurried = {entry["number"]: entry for entry in run.journal}
    drain = next(number for number, entry in hurried.items() if f"{HOSTILE}/tasks" in entry["path"])
    new = next(one["new_instance_id"] for one in found["migrated"] if one["instance_id"] == CHECKOUT)
    assert any(number < drain and entry["path"].endswith(new) for number, entry in hurried.items())

    # Volumes with contents are copied.
    copied = {
        entry["path"].split("/")[-2]: entry["body"]["contents"]["stateful"]["copy_volumes"]
        for entry in run.writes
        if entry["body"]["action"] == "migration.start"
    }
    assert copied == {CHECKOUT: False, HOSTILE: False, REPORTS[0]: True, REPORTS[1]: True}
    assert set(alive(hub)) == {instance_id("resize", 1)}
    for one in found["migrated"]:
        states = alive(hub, one["target_id"])
        assert states[one["new_instance_id"]] == ("stopped" if one["container"] == "reports" else "running")

    again = evacuate(hub, tmp_path / "2", batch=2)
    assert (again.code, again.writes, again.changed) == (0, [], 0)
    assert (result_of(again)["migrated"], ids(result_of(again)["kept"])) == ([], MOVABLE)


def test_check_mode_plans_and_writes_nothing(hub: Simulator, tmp_path: Path) -> None:
    run = evacuate(hub, tmp_path, "--check", "--diff")
    found = result_of(run)
    assert (run.code, run.writes) == (0, [])
    assert (found["state"], found["check_mode"], ids(found["migrated"])) == ("planned", True, MOVABLE)
    assert {one["new_instance_id"] for one in found["migrated"]} == {None}
    assert [one["container"] for one in found["left"]] == ["resize"]
    assert run.changed > 0
    assert re.search(rf'^- +"server_id": "{SERVER}"$', run.output, flags=re.MULTILINE)
    assert [one["target"] for one in found["migrated"]].count("Frieda: spare") > 0


def test_it_reverts_and_stops_when_too_much_goes_wrong_and_goes_on_later(hub: Simulator, tmp_path: Path) -> None:
    hub.cycle.settings(instances={"outcomes": {"checkout-api": "failed"}})
    run = evacuate(hub, tmp_path / "1", batch=1)
    found = result_of(run)
    assert (run.code, found["state"], found["batches"]["done"]) == (2, "stopped", 1)
    assert ids(found["reverted"]) == {CHECKOUT}
    assert (found["migrated"], found["failed"], found["drained"]) == ([], [], [])
    assert found["reason"].startswith(
        "Stopped in batch 1 of 4: 1 of the migrations failed, and server_evacuation_max_unhealthy"
    )
    assert "exit code 1" in found["reverted"][0]["reason"]
    assert {one["instance_id"] for one in found["left"] if one["reason"] == "its turn has not come"} == MOVABLE - {
        CHECKOUT
    }
    # It runs where it was, with traffic.
    assert asked(run.journal) == [(what, CHECKOUT) for what in ("drain", "start", "revert", "undrain")]
    assert alive(hub)[CHECKOUT] == "running"

    hub.cycle.settings(instances={"outcomes": {}})
    run = evacuate(hub, tmp_path / "2", batch=4)
    assert (run.code, ids(result_of(run)["migrated"])) == (0, MOVABLE)
    assert set(alive(hub)) == {instance_id("resize", 1)}


def test_one_migration_may_fail(hub: Simulator, tmp_path: Path) -> None:
    job = {"fail_action": "container.instance.migration.start", "fail_message": "out of disk", "fail_times": 1}
    hub.cycle.settings(jobs={"fail": "error", **job})
    run = evacuate(hub, tmp_path, targets=f"{SERVERS['eu-fra-1']}\n", volumes="leave", batch=1, max_unhealthy=1)
    found = result_of(run)
    assert (run.code, found["state"], found["reverted"]) == (2, "incomplete", [])
    assert (ids(found["migrated"]), ids(found["failed"])) == ({HOSTILE}, {CHECKOUT})
    assert "out of disk" in found["failed"][0]["reason"]
    assert [one for one in asked(run.journal) if one[1] == CHECKOUT] == [
        (what, CHECKOUT) for what in ("drain", "start", "undrain")
    ]
    assert {one["reason"] for one in found["left"] if one["container"] == "reports"} == {
        "it has volumes with contents, and volumes=leave"
    }
    assert alive(hub)[CHECKOUT] == "running"


def test_killed_in_the_middle_it_finishes_and_migrates_nothing_twice(hub: Simulator, tmp_path: Path) -> None:
    hub.cycle.settings(migration={"seconds": 3.0})
    since = last_request(hub)
    with started(hub, tmp_path / "1", "server_evacuation", variables(batch=4)) as process:

        def two_started() -> bool:
            assert process.poll() is None, process.communicate()[0]
            return len([one for one in asked(hub.journal(since)) if one[0] == "start"]) >= 2

        wait_for(two_started, "two migrations to start", seconds=60)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert MOVABLE & set(alive(hub))

    hub.cycle.settings(migration={"seconds": 0.3})
    run = evacuate(hub, tmp_path / "2", batch=4)
    assert (run.code, result_of(run)["state"]) == (0, "incomplete")
    assert set(alive(hub)) == {instance_id("resize", 1)}
    everything = asked(hub.journal(since))
    assert sorted(one for what, one in everything if what == "start") == sorted(MOVABLE)
    assert sorted(one for what, one in everything if what == "drain") == sorted({CHECKOUT, HOSTILE})


def test_a_successor_that_is_not_up_yet_is_waited_for(hub: Simulator, tmp_path: Path) -> None:
    hub.cycle.settings(instances={"outcomes": {"web": "unhealthy"}})
    web = f"/v1/containers/{CONTAINERS['web']}/instances/{instance_id('web', 4)}/tasks"
    body = {"action": "migration.start", "contents": {"destination_server_id": SERVERS["eu-ams-2"]}}
    assert hub.cycle.send("POST", web, body).status == 202
    wait_for(lambda: state(hub, "web", 4) == "stopped", "the migration to end")
    mark = last_request(hub)
    run = evacuate(
        hub, tmp_path, server=SERVERS["eu-fra-1"], leave_strategies="manual", volumes="leave", wait_timeout=2
    )
    found = result_of(run)
    assert (run.code, found["state"], ids(found["failed"])) == (2, "stopped", {instance_id("web", 4)})
    assert "unhealthy" in found["failed"][0]["reason"]
    assert asked(hub.journal(mark)) == []


def test_without_a_usable_target_nothing_is_touched(hub: Simulator, tmp_path: Path) -> None:
    run = evacuate(hub, tmp_path, server=SERVERS["us-nyc-1"])
    found = result_of(run)
    assert (run.code, run.writes, found["state"], found["migrated"]) == (0, [], "incomplete", [])
    assert "us-sjc-1 (665e00000000000000000006) is offline" in found["left"][0]["reason"]


def test_a_target_that_cannot_be_used(hub: Simulator, tmp_path: Path) -> None:
    run = evacuate(hub, tmp_path, targets=[SERVERS["eu-fra-2"]], allow_left=False)
    found = result_of(run)
    assert (run.code, run.writes, len(found["left"])) == (2, [], 5)
    assert "eu-fra-2 (665e00000000000000000004) is being evacuated" in found["left"][0]["reason"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"server": "665e000000000000000000ff"}, "There is no server 665e000000000000000000ff. Servers of the hub:"),
        ({"batch": 0}, "The option batch is 0; it has to be at least 1."),
    ],
)
def test_what_cannot_be_is_refused(hub: Simulator, tmp_path: Path, more: dict[str, Any], said: str) -> None:
    run = evacuate(hub, tmp_path, **more)
    found = result_of(run)
    assert (run.code, run.writes, found["state"]) == (2, [], "failed")
    assert said in found["reason"]


def test_a_key_that_cannot_see_jobs_is_refused(hub: Simulator, tmp_path: Path) -> None:
    run = play(hub, tmp_path, "server_evacuation", variables(), env={"CYCLE_API_KEY": hub.cycle.keys["no-jobs"]})
    assert (run.code, run.writes, result_of(run)["state"]) == (2, [], "failed")
    assert "apionly-jobs-view" in result_of(run)["reason"]
