# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycle: settings, the shapes of 2024, the audit log, the estate of one platform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from paas_simulator.cycle import Settings
from paas_simulator.estate import EstateError, load_estate
from paas_simulator.world import World
from support.cycle import CONTAINERS, SERVERS, at, code, ids, instance, instance_id, placement
from support.simulator import Simulator

ACTIVITY = "/v1/hubs/current/activity"


def test_settings_are_merged_and_reset(sim: Simulator) -> None:
    assert sim.cycle.settings(jobs={"running": 9})["jobs"]["running"] == 9
    changed = sim.cycle.settings(jobs={"queued": 1}, seed=True)
    assert (changed["jobs"]["running"], changed["jobs"]["queued"], changed["seed"]) == (9, 1, True)
    sim.reset()
    assert sim.cycle.settings() == Settings().describe()


@pytest.mark.parametrize(
    "changes",
    [
        {"unheard-of": 1},
        {"page": {"size": 1}},
        {"page": {"default": 0}},
        {"page": {"default": "20"}},
        {"page": 20},
        {"jobs": {"running": -1}},
        {"jobs": {"running": True}},
        {"jobs": {"fail": "sometimes"}},
        {"jobs": {"fail_times": 1.5}},
        {"jobs": {"descriptor": None}},
        {"instances": {"outcomes": {"web": "great"}}},
        {"instances": {"unhealthy": "web"}},
        {"migration": {"outcome": "lost"}},
        {"container_servers_shape": "list"},
        {"console": {"scheme": "https"}},
        {"ssh": {"exec": 1}},
        {"telemetry": {"sample": 0}},
        [],
    ],
)
def test_settings_that_are_none(changes: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        Settings().changed(changes)


def test_a_refused_setting_changes_nothing(sim: Simulator) -> None:
    with pytest.raises(AssertionError, match="fail is one of"):
        sim.cycle.settings(jobs={"running": 5, "fail": "x"})
    assert sim.cycle.settings() == Settings().describe()


def test_the_shapes_of_2024(sim: Simulator) -> None:
    today = instance(sim, "web", 1)
    sim.cycle.settings(seed=True)
    old = instance(sim, "web", 1)
    assert set(today) - set(old) == {"traffic_drain", "extension", "autoscale", "ha_elections"}
    assert "readiness" not in old["state"]
    assert "health" not in instance(sim, "canary", 4)["state"]
    assert "meta" not in sim.cycle.get(at("web", 1, "?meta=node")).data["data"]
    drain = {"action": "traffic-drain.reconfigure", "contents": {"enable": True}}
    assert code(sim.cycle.send("POST", at("web", 1, "/tasks"), drain)) == "422.invalid-argument"
    move = {"action": "migration.start", "contents": {"destination_server_id": SERVERS["eu-ams-2"]}}
    assert sim.cycle.send("POST", at("web", 1, "/tasks"), move).status == 202


def _events(sim: Simulator, query: str = "") -> list[tuple[str, str]]:
    found = sim.cycle.get(f"{ACTIVITY}?page[size]=100&{query}").data["data"]
    return [(each["event"], each["status"]) for each in found]


def test_the_audit_log_tells_who_did_what(still: Simulator) -> None:
    assert still.cycle.send("POST", at("web", rest="/instances"), placement(eu_ams_1=1), key="no-jobs").status == 202
    move = {"action": "migration.start", "contents": {"destination_server_id": SERVERS["eu-ams-2"]}}
    assert still.cycle.send("POST", at("web", 1, "/tasks"), move).status == 202
    assert still.cycle.send("DELETE", at("web", 2)).status == 202
    still.clock(advance=4)
    range_start = "filter[range-start]=2026-11-02T08:00:00Z"
    assert sorted(_events(still, range_start)) == [
        ("container.instance.delete", "request"),
        ("container.instance.delete", "success"),
        ("container.instance.migration.start", "success"),
        ("container.instance.task.migration.start", "request"),
        ("container.instances.create", "request"),
        ("container.instances.create", "success"),
    ]
    assert _events(still, f"filter[instance]={instance_id('web', 1)}&sort=-id") == [
        ("container.instance.migration.start", "success"),
        ("container.instance.task.migration.start", "request"),
    ]
    assert len(_events(still, f"filter[container]={CONTAINERS['web']}")) == 7
    assert len(_events(still, f"filter[server]={SERVERS['eu-ams-1']}&{range_start}")) == 4
    assert len(_events(still, "filter[events]=container.instances.create,container.instance.delete")) == 6
    assert len(_events(still, "filter[user]=66ab00000000000000000003")) == 3
    assert len(_events(still, f"filter[verbosity]=0&{range_start}")) == 3
    assert len(_events(still, "filter[search]=no-jobs")) == 3
    reply = still.cycle.get(f"{ACTIVITY}?include=users,components&filter[user]=66ab00000000000000000003")
    assert [each["name"] for each in reply.data["includes"]["users"]["api_keys"].values()] == ["no-jobs"]
    assert CONTAINERS["web"] in reply.data["includes"]["components"]


def test_what_fails_is_in_the_audit_log(still: Simulator) -> None:
    still.cycle.settings(jobs={"fail": "error", "fail_message": "no space left"})
    assert still.cycle.send("DELETE", at("web", 2)).status == 202
    still.clock(advance=2)
    (entry,) = still.cycle.get(f"{ACTIVITY}?filter[state]=error&filter[instance]={instance_id('web', 2)}").data["data"]
    assert entry["error"] == {"message": "no space left"}
    assert entry["session"]["api_key"] == "66ab00000000000000000001"


def test_generated_things_are_the_same_for_the_same_seed(sim: Simulator) -> None:
    request = {"platform": "cycle", "servers": 2, "environments": 1, "containers": 3, "instances": 4, "jobs": 5}
    first = sim.generate(**request, seed=7)
    sim.reset()
    assert sim.generate(**request, seed=7) == first
    sim.reset()
    assert sim.generate(**request, seed=8) != first
    assert {name: len(first[name]) for name in ("servers", "environments", "containers", "jobs")} == {
        "servers": 2,
        "environments": 1,
        "containers": 3,
        "jobs": 5,
    }
    assert [len(each) for each in first["instances"].values()] == [4, 4, 4]


def test_generated_things_are_there(sim: Simulator) -> None:
    made = sim.generate(platform="cycle", servers=1, environments=1, containers=1, instances=3, jobs=1)
    (container,) = made["containers"]
    found = ids(sim.cycle.get(f"/v1/containers/{container}/instances"))
    assert found == sorted(made["instances"][container])
    assert sim.cycle.get(f"/v1/infrastructure/servers/{made['servers'][0]}?meta=node").status == 200
    assert sim.cycle.get(f"/v1/environments/{made['environments'][0]}").status == 200
    assert sim.cycle.get(f"/v1/jobs/{made['jobs'][0]}").data["data"]["state"]["current"] == "completed"


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"instances": -1}, "a number from 0"),
        ({"instances": 5}, "needs container or containers"),
        ({"container": "nothing", "instances": 5}, "no such container"),
        ({"addons": 1}, "unknown keys"),
        ({"jobs": True}, "a number from 0"),
    ],
)
def test_what_cannot_be_generated(sim: Simulator, request_: dict[str, Any], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        sim.generate(platform="cycle", **request_)


def test_the_estate_and_the_routes_are_told(sim: Simulator) -> None:
    told = sim.estate()["cycle"]
    assert [each["identifier"] for each in told["containers"]] == list(CONTAINERS)
    assert {each["name"] for each in told["keys"]} == set(sim.cycle.keys)
    assert told["settings"] == Settings().describe()
    routes = sim.control("routes")["cycle"]
    assert {"method": "GET", "path": "/v1/jobs/latest", "capability": "apionly-jobs-view"} in routes
    assert len(routes) == 30


def test_an_estate_may_have_one_platform_only(tmp_path: Path) -> None:
    estate = load_estate()
    for name, other in (("cycle", "northflank"), ("northflank", "cycle")):
        path = tmp_path / f"{name}.yml"
        path.write_text(yaml.safe_dump({name: estate[name]}), encoding="utf-8")
        world = World(load_estate(path))
        assert len(world.platforms) == 2
        assert not world.platforms[other].describe().get("teams")
        assert not world.platforms[other].describe().get("containers")
    with pytest.raises(ValueError, match="no such team"):
        World({"cycle": estate["cycle"]}).northflank.generate({"projects": 1})


@pytest.mark.parametrize(
    "section",
    [
        {"containers": [{"id": "x", "name": "x", "identifier": "x", "environment": "nowhere"}]},
        {"keys": [{"name": "x"}]},
        {"settings": {"page": {"default": 0}}},
        {"servers": [{"id": "x", "hostname": "x", "cluster": "x", "location": "moon", "model_id": "x"}]},
        [],
    ],
)
def test_estates_that_cannot_be_used(tmp_path: Path, section: Any) -> None:
    path = tmp_path / "estate.yml"
    path.write_text(yaml.safe_dump({"cycle": section}), encoding="utf-8")
    with pytest.raises(EstateError):
        World(load_estate(path))
