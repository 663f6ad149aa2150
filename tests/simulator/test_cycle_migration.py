# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycle: instances that move to another server, and back; servers that are emptied."""

from __future__ import annotations

from typing import Any

import pytest

from support.cycle import SERVERS, at, code, ids, instance, instance_id, job, state
from support.simulator import Reply, Simulator

AMS2 = SERVERS["eu-ams-2"]


def _task(sim: Simulator, name: str, which: int | str, action: str, **contents: Any) -> Reply:
    body = {"action": action, "contents": contents} if contents else {"action": action}
    return sim.cycle.send("POST", at(name, which, "/tasks"), body)


def _migrate(sim: Simulator, name: str = "web", which: int | str = 1, server: str = AMS2, **contents: Any) -> Reply:
    accepted = _task(sim, name, which, "migration.start", destination_server_id=server, **contents)
    assert accepted.status == 202, accepted.data
    return accepted


def _destination(sim: Simulator, name: str = "web", which: int | str = 1) -> str:
    return str(instance(sim, name, which)["migration"]["to"]["instance_id"])


def test_an_instance_moves_and_gets_another_id(still: Simulator) -> None:
    accepted = _migrate(still)
    assert accepted.data["data"]["action"] == "container.instance.migration.start"
    still.clock(advance=0.5)
    source = instance(still, "web", 1)
    new_id = source["migration"]["to"]["instance_id"]
    assert source["state"]["current"] == "migrating"
    assert source["migration"]["completed"].startswith("0001")
    seen = []
    for seconds in (0, 0.6, 1, 0.4):
        still.clock(advance=seconds)
        found = instance(still, "web", new_id)
        seen.append((found["state"]["current"], found["state"]["health"]))
    assert [current for current, _health in seen] == ["new", "starting", "running", "running"]
    assert seen[2][1]["healthy"] is None
    assert seen[3][1]["healthy"] is True
    assert state(still, "web", 1) == "migrating"
    still.clock(advance=0.6)
    assert job(still, accepted)["state"]["current"] == "completed"
    source, destination = instance(still, "web", 1), instance(still, "web", new_id)
    assert (source["state"]["current"], source["ready_state"]) == ("stopped", "purge")
    assert source["purge_time"].startswith("2026-11-02T11:00:0")
    assert destination["server_id"] == AMS2
    assert destination["migration"]["from"] == {"instance_id": source["id"], "server_id": SERVERS["eu-ams-1"]}
    assert destination["migration"]["key"] == source["migration"]["key"]
    assert destination["hostname"] == source["hostname"]
    assert still.cycle.get(at("web")).data["data"]["instances"] == 4


def test_the_source_is_purged_in_the_end(still: Simulator) -> None:
    _migrate(still)
    still.clock(advance=3)
    still.clock(advance=3 * 3600 - 1)
    assert state(still, "web", 1) == "stopped"
    still.clock(advance=1)
    assert state(still, "web", 1) == "gone"
    assert code(_task(still, "web", 1, "migration.revert")) == "404.instance"


def test_the_leftover_of_the_estate_is_purged_too(still: Simulator) -> None:
    assert instance(still, "ledger", 2)["migration"]["to"]["instance_id"] == instance_id("ledger", 5)
    still.clock(advance=7201)
    assert state(still, "ledger", 2) == "gone"


def test_a_migration_can_be_reverted_on_the_source(still: Simulator) -> None:
    _migrate(still, "orders-postgres")
    still.clock(advance=4)
    new_id = _destination(still, "orders-postgres")
    assert code(_task(still, "orders-postgres", new_id, "migration.revert")) == "422.invalid-input"
    accepted = _task(still, "orders-postgres", 1, "migration.revert")
    assert accepted.data["data"]["action"] == "container.instance.migration.revert"
    still.clock(advance=0.5)
    assert (state(still, "orders-postgres", 1), state(still, "orders-postgres", new_id)) == ("starting", "deleting")
    still.clock(advance=3)
    source = instance(still, "orders-postgres", 1)
    assert (source["state"]["current"], source["ready_state"]) == ("running", "active")
    assert (source["purge_time"], source["migration"]) == (None, None)
    assert source["state"]["health"]["healthy"] is True
    assert state(still, "orders-postgres", new_id) == "gone"
    # The purge that had been planned does not come.
    still.clock(advance=4 * 3600)
    assert state(still, "orders-postgres", 1) == "running"


def test_nothing_to_revert(still: Simulator) -> None:
    for name, number in (("web", 1), ("ledger", 1), ("ledger", 5)):
        assert code(_task(still, name, number, "migration.revert")) == "422.invalid-input"


def test_a_revert_that_fails(still: Simulator) -> None:
    _migrate(still)
    still.clock(advance=4)
    new_id = _destination(still)
    still.cycle.settings(jobs={"fail": "error"})
    accepted = _task(still, "web", 1, "migration.revert")
    still.clock(advance=4)
    assert job(still, accepted)["state"]["current"] == "error"
    assert (state(still, "web", 1), state(still, "web", new_id)) == ("stopped", "running")
    assert instance(still, "web", 1)["ready_state"] == "purge"


@pytest.mark.parametrize(
    ("name", "number", "contents", "expected"),
    [
        ("loadbalancer", 1, {"destination_server_id": AMS2}, "422.not-compatible"),
        ("web", 1, {"destination_server_id": SERVERS["us-nyc-1"]}, "422.not-compatible"),
        ("web", 1, {"destination_server_id": SERVERS["eu-fra-2"]}, "422.not-compatible"),
        ("web", 1, {"destination_server_id": SERVERS["eu-ams-1"]}, "422.invalid-input"),
        ("web", 1, {"destination_server_id": "665e000000000000000000ff"}, "422.invalid-argument"),
        ("web", 1, {"server": AMS2}, "422.missing-argument"),
        ("web", 1, {"destination_server_id": AMS2, "stateful": {"copy_volumes": 1}}, "422.invalid-argument"),
        ("ledger", 1, {"destination_server_id": AMS2}, "422.invalid-input"),
        ("ledger", 2, {"destination_server_id": AMS2}, "422.invalid-input"),
        ("ledger", 3, {"destination_server_id": SERVERS["eu-fra-1"]}, "422.invalid-input"),
    ],
)
def test_migrations_that_are_refused(
    still: Simulator, name: str, number: int, contents: dict[str, Any], expected: str
) -> None:
    before = instance(still, name, number)
    assert code(_task(still, name, number, "migration.start", **contents)) == expected
    still.clock(advance=5)
    assert instance(still, name, number) == before


def test_a_migration_that_fails_leaves_the_source_as_it_was(still: Simulator) -> None:
    before = instance(still, "web", 1)
    still.cycle.settings(jobs={"fail": "error", "fail_action": "*migration*"})
    accepted = _migrate(still)
    still.clock(advance=1)
    new_id = _destination(still)
    assert state(still, "web", 1) == "migrating"
    still.clock(advance=3)
    assert job(still, accepted)["state"]["current"] == "error"
    assert instance(still, "web", 1)["state"] == before["state"]
    assert instance(still, "web", 1)["migration"] is None
    assert state(still, "web", new_id) == "gone"


@pytest.mark.parametrize(("outcome", "expected"), [("failed", ("failed", None)), ("unhealthy", ("running", False))])
def test_a_destination_that_does_not_do_well(still: Simulator, outcome: str, expected: tuple[str, bool | None]) -> None:
    still.cycle.settings(migration={"outcome": outcome, "purge": 60})
    accepted = _migrate(still)
    still.clock(advance=4)
    assert job(still, accepted)["state"]["current"] == "completed"
    destination = instance(still, "web", _destination(still))
    assert (destination["state"]["current"], (destination["state"]["health"] or {}).get("healthy")) == expected
    assert instance(still, "web", 1)["ready_state"] == "purge"
    assert _task(still, "web", 1, "migration.revert").status == 202
    still.clock(advance=4)
    assert (state(still, "web", 1), state(still, "web", destination["id"])) == ("running", "gone")


def test_two_migrations_of_one_instance_are_one(still: Simulator) -> None:
    first, second = _migrate(still), _migrate(still)
    still.clock(advance=4)
    assert [job(still, each)["state"]["current"] for each in (first, second)] == ["completed", "completed"]
    assert len(ids(still.cycle.get(at("web", rest="/instances")))) == 5


def test_a_stopped_instance_stays_stopped(still: Simulator) -> None:
    _migrate(still, "reports", 2, SERVERS["eu-ams-1"])
    still.clock(advance=4)
    assert state(still, "reports", _destination(still, "reports", 2)) == "stopped"


@pytest.mark.parametrize("copy", [True, False])
def test_volumes_go_along_when_they_are_copied(still: Simulator, copy: bool) -> None:
    extend = {"volume_id": "66df00030000000000000101", "extend_size": "4G"}
    extend["volume_id"] = still.cycle.get(at("orders-postgres", 1, "/volumes")).data["data"][0]["id"]
    assert _task(still, "orders-postgres", 1, "volume.extend", **extend).status == 202
    still.clock(advance=2)
    _migrate(still, "orders-postgres", stateful={"copy_volumes": copy})
    still.clock(advance=4)
    new_id = _destination(still, "orders-postgres")
    data, scratch = still.cycle.get(at("orders-postgres", new_id, "/volumes")).data["data"]
    expected = {"used": 5 * 1024, "total": 24 * 1024} if copy else {"used": 0, "total": 20 * 1024}
    assert data["deployed"]["storage"] == expected
    assert data["deployed"]["server_id"] == AMS2
    # A volume that is stateless never goes along.
    assert scratch["deployed"]["storage"] == {"used": 0, "total": 512}
    assert instance(still, "orders-postgres", 1)["migration"]["copy_volumes"] is copy


def _server_task(sim: Simulator, name: str, action: str, **contents: Any) -> Reply:
    path = f"/v1/infrastructure/servers/{SERVERS[name]}/tasks"
    return sim.cycle.send("POST", path, {"action": action, "contents": contents})


def test_a_server_is_evacuated(still: Simulator) -> None:
    accepted = _server_task(still, "eu-fra-1", "evacuation.start", destination={"server_id": None})
    assert accepted.status == 202
    still.clock(advance=4)
    assert job(still, accepted)["state"]["current"] == "completed"
    path = f"/v1/infrastructure/servers/{SERVERS['eu-fra-1']}"
    assert still.cycle.get(path).data["data"]["evacuate"]["started"].startswith("2026-11-02T08:00:00")
    left = [each for each in still.cycle.get(f"{path}/instances").data["data"] if each["ready_state"] == "active"]
    # The load balancer cannot move, and what is starting does not.
    assert {each["id"] for each in left} == {instance_id("loadbalancer", 2), instance_id("ledger", 4)}
    usable = ids(still.cycle.get(at("web", rest="/servers/usable")))
    assert SERVERS["eu-fra-1"] not in usable
    assert _server_task(still, "eu-fra-1", "evacuation.reset").status == 202
    still.clock(advance=2)
    assert still.cycle.get(path).data["data"]["evacuate"] is None


def test_an_evacuation_to_a_server(still: Simulator) -> None:
    _server_task(still, "eu-ams-2", "evacuation.start", destination={"server_id": SERVERS["eu-ams-1"]})
    still.clock(advance=4)
    moved = instance(still, "hostile-name", _destination(still, "hostile-name"))
    assert moved["server_id"] == SERVERS["eu-ams-1"]
    unknown = _server_task(still, "eu-ams-2", "evacuation.start", destination={"server_id": "x"})
    assert code(unknown) == "422.invalid-argument"
    assert code(_server_task(still, "eu-ams-2", "restart")) == "422.invalid-argument"
