# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycle: instances made and deleted, one by one and many at once, by hand and by tasks of the container."""

from __future__ import annotations

from typing import Any

import pytest

from support.cycle import CONTAINERS, SERVERS, at, code, ids, instance, instance_id, job, placement, state
from support.simulator import Simulator

WEB = at("web", rest="/instances")
WORKER = at("worker", rest="/instances")


def _create(sim: Simulator, path: str = WORKER, **amounts: int) -> Any:
    accepted = sim.cycle.send("POST", path, placement(**amounts))
    assert accepted.status == 202, accepted.data
    return accepted


def test_instances_come_into_being_step_by_step(still: Simulator) -> None:
    accepted = _create(still, WEB, eu_ams_1=1, eu_ams_2=2)
    assert accepted.data["data"]["action"] == "container.instances.create"
    seen = []
    for seconds in (0.1, 0.1, 0.2, 0.7, 0.5, 0.5, 0.3):
        still.clock(advance=seconds)
        new = [each for each in still.cycle.get(WEB).data["data"] if each["id"] > "67"]
        states = {(each["state"]["current"], (each["state"]["health"] or {}).get("healthy")) for each in new}
        seen.append((job(still, accepted)["state"]["current"], len(new), states))
    assert seen == [
        ("new", 0, set()),
        ("queued", 0, set()),
        ("running", 3, {("new", None)}),
        ("running", 3, {("starting", None)}),
        ("completed", 3, {("starting", None)}),
        ("completed", 3, {("running", None)}),
        ("completed", 3, {("running", True)}),
    ]
    assert [each["server_id"] for each in new] == [SERVERS["eu-ams-1"], SERVERS["eu-ams-2"], SERVERS["eu-ams-2"]]
    assert new[0]["id"] > instance_id("web", 4)


def test_the_job_tells_what_was_asked_for(still: Simulator) -> None:
    accepted = _create(still, eu_ams_1=1, eu_fra_1=2)
    (task,) = job(still, accepted)["tasks"]
    assert task["input"] == {"container_id": CONTAINERS["worker"], "servers": placement(eu_ams_1=1, eu_fra_1=2)}
    assert accepted.data["data"]["job"]["tasks"][0]["input"] == task["input"]
    assert len(still.cycle.get(f"/v1/jobs?filter[search]={CONTAINERS['worker']}").data["data"]) == 1


def test_what_is_asked_for_is_added(still: Simulator) -> None:
    for _number in range(2):
        _create(still, eu_ams_1=1)
        _create(still, eu_ams_1=1)
    still.clock(advance=5)
    assert len(ids(still.cycle.get(WORKER))) == 4


def test_instances_can_come_late_and_one_by_one(still: Simulator) -> None:
    still.cycle.settings(instances={"appear": 1, "apart": 0.5})
    accepted = _create(still, eu_ams_1=2, eu_ams_2=1)
    seen = []
    for seconds in (1.2, 0.2, 0.5, 0.5):
        still.clock(advance=seconds)
        seen.append((job(still, accepted)["state"]["current"], len(ids(still.cycle.get(WORKER)))))
    assert seen == [("running", 0), ("running", 1), ("completed", 2), ("completed", 3)]


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("web", [], "422.missing-argument"),
        ("web", {}, "422.missing-argument"),
        ("web", ["x"], "422.missing-argument"),
        ("web", [{"server_id": SERVERS["eu-ams-1"]}], "422.missing-argument"),
        ("web", placement(eu_ams_1=0), "422.invalid-argument"),
        ("web", placement(eu_ams_1=-1), "422.invalid-argument"),
        ("web", [{"server_id": SERVERS["eu-ams-1"], "new_instances": True}], "422.invalid-argument"),
        ("web", [{"server_id": SERVERS["eu-ams-1"], "new_instances": "1"}], "422.invalid-argument"),
        ("web", placement(eu_ams_1=1001), "422.max-exceeded"),
        ("web", [{"server_id": "665e000000000000000000ff", "new_instances": 1}], "422.invalid-argument"),
        ("web", placement(eu_ams_1=1, us_nyc_1=1), "422.not-compatible"),
        ("web", placement(eu_fra_2=1), "422.not-compatible"),
        ("edge-cache", placement(us_nyc_1=1), "422.invalid-input"),
        ("checkout-api", placement(eu_ams_1=1), "422.invalid-input"),
    ],
)
def test_placements_that_are_refused(still: Simulator, name: str, body: Any, expected: str) -> None:
    path = at(name, rest="/instances")
    before = ids(still.cycle.get(path))
    assert code(still.cycle.send("POST", path, body)) == expected
    still.clock(advance=5)
    assert ids(still.cycle.get(path)) == before


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("failed", ("failed", None)),
        ("unhealthy", ("running", False)),
        ("unreported", ("running", None)),
        ("starting", ("starting", None)),
    ],
)
def test_new_instances_can_be_told_not_to_do_well(
    still: Simulator, outcome: str, expected: tuple[str, bool | None]
) -> None:
    still.cycle.settings(instances={"outcomes": {"web": outcome}})
    _create(still, WEB, eu_ams_1=1)
    _create(still, WORKER, eu_ams_1=1)
    still.clock(advance=600)
    found = instance(still, "web", ids(still.cycle.get(WEB))[-1])
    assert (found["state"]["current"], (found["state"]["health"] or {}).get("healthy")) == expected
    assert ("error" in found["state"]) == (outcome == "failed")
    assert state(still, "worker", ids(still.cycle.get(WORKER))[0]) == "running"


def test_an_instance_can_be_shown_as_unhealthy(sim: Simulator) -> None:
    sim.cycle.settings(instances={"unhealthy": [instance_id("web", 2)]})
    found = [each["state"]["health"]["healthy"] for each in sim.cycle.get(WEB).data["data"]]
    assert found == [True, False, True, True]


def test_an_instance_of_a_container_that_is_stopped_does_not_run(still: Simulator) -> None:
    _create(still, at("reports", rest="/instances"), eu_ams_1=1)
    still.clock(advance=10)
    assert state(still, "reports", ids(still.cycle.get(at("reports", rest="/instances")))[-1]) == "stopped"


def test_deleting_takes_a_while(still: Simulator) -> None:
    accepted = still.cycle.send("DELETE", at("web", 2))
    assert accepted.data["data"]["action"] == "container.instance.delete"
    seen = [state(still, "web", 2)]
    for seconds in (0.4, 0.6):
        still.clock(advance=seconds)
        seen.append(state(still, "web", 2))
    assert seen == ["running", "deleting", "gone"]
    assert ids(still.cycle.get(WEB)) == [instance_id("web", number) for number in (1, 3, 4)]
    assert job(still, accepted)["state"]["current"] == "completed"
    assert code(still.cycle.send("DELETE", at("web", 2))) == "404.instance"


def test_deleting_twice_is_deleting_once(still: Simulator) -> None:
    first, second = (still.cycle.send("DELETE", at("web", 2)) for _number in range(2))
    still.clock(advance=1)
    assert [job(still, each)["state"]["current"] for each in (first, second)] == ["completed", "completed"]
    assert len(ids(still.cycle.get(WEB))) == 3


def test_deleted_instances_can_stay_in_sight(still: Simulator) -> None:
    still.cycle.settings(instances={"deleted_visible": True})
    still.cycle.send("DELETE", at("web", 2))
    still.clock(advance=1)
    found = instance(still, "web", 2)
    assert found["state"]["current"] == "deleted"
    assert found["events"]["deleted"].startswith("2026-11-02T08:00:01")
    assert len(ids(still.cycle.get(f"{WEB}?filter[state]=running"))) == 3
    assert still.cycle.get(at("web")).data["data"]["instances"] == 3
    count = still.cycle.get(at("web", rest="?meta=instances_count")).data["data"]["meta"]["instances_count"]
    assert (count["total"], count["available"]) == (4, 3)


def test_the_platform_replaces_what_it_counts_itself(still: Simulator) -> None:
    path = at("checkout-api", rest="/instances")
    assert still.cycle.send("DELETE", at("checkout-api", 1)).status == 202
    still.clock(advance=5)
    found = still.cycle.get(path).data["data"]
    assert len(found) == 3
    assert found[-1]["id"] > instance_id("checkout-api", 3)
    assert found[-1]["creator"]["type"] == "environment"
    still.cycle.settings(instances={"replace": False})
    assert still.cycle.send("DELETE", at("checkout-api", 2)).status == 202
    still.clock(advance=5)
    assert len(ids(still.cycle.get(path))) == 2


@pytest.mark.parametrize("form", ["object", "array"])
def test_deleting_many(still: Simulator, form: str) -> None:
    wanted = [instance_id("web", number) for number in (1, 3, 1)]
    accepted = still.cycle.send("DELETE", WEB, {"instances_ids": wanted} if form == "object" else wanted)
    assert accepted.data["data"]["action"] == "container.instance.delete"
    assert len(job(still, accepted)["tasks"]) == 2
    still.clock(advance=1)
    assert ids(still.cycle.get(WEB)) == [instance_id("web", number) for number in (2, 4)]


@pytest.mark.parametrize("body", [None, [], {}, {"instances_ids": []}, {"ids": ["66d000010000000000000001"]}])
def test_deleting_nothing_in_particular(still: Simulator, body: Any) -> None:
    assert code(still.cycle.send("DELETE", WEB, body)) == "422.missing-argument"
    still.cycle.settings(delete_collection={"empty": "nothing"})
    assert still.cycle.send("DELETE", WEB, body).data == {"data": {"action": "container.instance.delete"}}
    still.clock(advance=2)
    assert len(ids(still.cycle.get(WEB))) == 4
    still.cycle.settings(delete_collection={"empty": "all"})
    assert still.cycle.send("DELETE", WEB, body).status == 202
    still.clock(advance=2)
    assert ids(still.cycle.get(WEB)) == []


def test_deleting_many_is_for_manual_containers_and_known_instances(still: Simulator) -> None:
    other = still.cycle.send("DELETE", at("checkout-api", rest="/instances"), [instance_id("checkout-api", 1)])
    assert code(other) == "422.invalid-input"
    mixed = [instance_id("web", 1), instance_id("canary", 1)]
    assert code(still.cycle.send("DELETE", WEB, {"instances_ids": mixed})) == "422.invalid-argument"
    assert code(still.cycle.send("DELETE", WEB, {"instances_ids": "all"})) == "422.invalid-argument"
    still.clock(advance=2)
    assert len(ids(still.cycle.get(WEB))) == 4


def _task(sim: Simulator, name: str, action: str, **contents: Any) -> Any:
    return sim.cycle.send("POST", at(name, rest="/tasks"), {"action": action, "contents": contents or None})


def test_a_container_stops_and_starts(still: Simulator) -> None:
    assert _task(still, "web", "stop").data["data"]["action"] == "container.stop"
    still.clock(advance=0.5)
    assert {state(still, "web", number) for number in (1, 2, 3, 4)} == {"stopping"}
    still.clock(advance=2)
    assert {state(still, "web", number) for number in (1, 2, 3, 4)} == {"stopped"}
    assert still.cycle.get(at("web")).data["data"]["state"]["current"] == "stopped"
    _task(still, "web", "start")
    still.clock(advance=5)
    assert {state(still, "web", number) for number in (1, 2, 3, 4)} == {"running"}
    container = still.cycle.get(at("web")).data["data"]
    assert container["state"]["current"] == "running"
    assert container["events"]["started"].startswith("2026-11-02T08:00:0")


def test_a_container_restarts(still: Simulator) -> None:
    assert _task(still, "canary", "restart").status == 202
    still.clock(advance=0.4)
    assert state(still, "canary", 1) == "starting"
    still.clock(advance=5)
    assert [state(still, "canary", number) for number in (1, 2, 3, 4)] == ["running"] * 4


def test_scaling(still: Simulator) -> None:
    path = at("checkout-api", rest="/instances")
    _task(still, "checkout-api", "scale", instances=5)
    still.clock(advance=5)
    assert len(ids(still.cycle.get(path))) == 5
    _task(still, "checkout-api", "scale", instances=2)
    still.clock(advance=5)
    # Scaling down takes the newest.
    assert ids(still.cycle.get(path)) == [instance_id("checkout-api", number) for number in (1, 2)]
    assert still.cycle.get(at("checkout-api")).data["data"]["config"]["deploy"]["instances"] == 2
    for name in ("web", "orders-postgres"):
        assert code(_task(still, name, "scale", instances=5)) == "422.invalid-input"
    assert code(_task(still, "checkout-api", "scale", instances=-1)) == "422.invalid-argument"


def test_reconfiguring_replaces_the_whole_config(still: Simulator) -> None:
    assert code(_task(still, "web", "reconfigure", deploy={"instances": 1})) == "422.missing-argument"
    config = {"network": {"public": "disable", "hostname": "web"}, "deploy": {"instances": 4, "strategy": "manual"}}
    assert _task(still, "web", "reconfigure", **config).status == 202
    still.clock(advance=2)
    found = still.cycle.get(at("web")).data["data"]["config"]
    assert found["deploy"] == config["deploy"]
    assert "runtime" not in found
    assert code(_task(still, "web", "dance")) == "422.invalid-argument"


def test_patching_a_container(still: Simulator) -> None:
    reply = still.cycle.send("PATCH", at("worker"), {"name": "Hard worker", "annotation": {"team": "ops"}})
    assert reply.status == 200
    assert (reply.data["data"]["name"], reply.data["data"]["annotations"]) == ("Hard worker", {"team": "ops"})
    assert code(still.cycle.send("PATCH", at("worker"), {"lock": "yes"})) == "422.invalid-argument"
    again = still.cycle.send("PATCH", at("worker"), {"annotations": {"lost": "yes"}})
    assert again.data["data"]["annotations"] == {"team": "ops"}
