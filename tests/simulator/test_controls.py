# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controls under /_sim/."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.simulator import Simulator, fetch

ADDONS = "/v1/projects/storefront/addons"


def test_health(sim: Simulator) -> None:
    health = sim.control("health")
    assert health["status"] == "ok"
    assert health["pid"] == sim.process.pid


def test_journal(still: Simulator) -> None:
    assert still.journal() == []
    still.get(f"{ADDONS}?per_page=2&x=1&x=2", **{"X-Test": "yes"})
    still.get("/v1/nothing", token=None)
    still.get("/v1/teams/tidewater/projects", token="read-only")
    first, second, third = still.journal()
    assert {key: first[key] for key in ("number", "time", "method", "path", "query", "body", "status", "token")} == {
        "number": 1,
        "time": "2026-11-02T08:00:00.000Z",
        "method": "GET",
        "path": ADDONS,
        "query": {"per_page": ["2"], "x": ["1", "2"]},
        "body": None,
        "status": 200,
        "token": "demo",
    }
    assert first["route"] == "/v1/projects/{projectId}/addons"
    assert first["headers"]["x-test"] == "yes"
    assert (second["status"], second["route"], second["token"]) == (404, None, None)
    assert (third["route"], third["token"]) == ("/v1/teams/{teamId}/projects", "read-only")
    assert first["monotonic"] <= second["monotonic"] <= third["monotonic"]
    assert [entry["number"] for entry in still.journal(since=2)] == [3]
    still.clear_journal()
    assert still.journal() == []


def test_journal_holds_bodies_and_no_tokens(sim: Simulator) -> None:
    headers = {"Authorization": f"Bearer {sim.token}"}
    fetch(f"{sim.url}{ADDONS}", "POST", headers, {"name": "New"})
    fetch(f"{sim.url}/v1/auth", "GET", {"Authorization": "Bearer nobody-knows-this"})
    entries = sim.journal()
    assert entries[0]["body"] == {"name": "New"}
    assert entries[1]["token"] is None
    text = json.dumps(entries)
    assert sim.token not in text
    assert "nobody-knows-this" not in text


def test_controls_do_not_count(sim: Simulator) -> None:
    before = int(sim.get("/v1/auth").headers["x-ratelimit-remaining"])
    sim.control("health")
    sim.estate()
    assert int(sim.get("/v1/auth").headers["x-ratelimit-remaining"]) == before - 1
    assert len(sim.journal()) == 2
    assert not [name for name in fetch(f"{sim.url}/_sim/health").headers if name.startswith("x-ratelimit")]


def test_clock(sim: Simulator) -> None:
    assert sim.clock()["frozen"] is False
    assert sim.clock(freeze=True, set="2030-01-01T00:00:00Z") == {"now": "2030-01-01T00:00:00.000Z", "frozen": True}
    assert sim.clock(advance=90.5)["now"] == "2030-01-01T00:01:30.500Z"
    assert sim.clock(advance=-60)["now"] == "2030-01-01T00:00:30.500Z"
    assert sim.clock(freeze=False)["frozen"] is False
    moving = sim.clock()["now"]
    while sim.clock()["now"] == moving:
        pass
    assert sim.clock()["now"].startswith("2030-01-01T00:00:3")


def test_reset_puts_everything_back(sim: Simulator) -> None:
    start = sim.estate()["northflank"]
    sim.clock(freeze=True, advance=100_000)
    sim.generate(projects=1, addons=1)
    sim.settings(compatibility="seed", rate_limit={"limit": 3})
    sim.fault("GET", "*", {"status": 500}, times=None)
    sim.get("/v1/auth")
    assert sim.estate()["northflank"] != start
    sim.reset()
    assert sim.estate()["northflank"] == start
    assert sim.clock()["now"].startswith("2026-11-02T08:00:0")
    assert sim.faults() == []
    assert sim.journal() == []
    assert sim.get("/v1/auth").headers["x-ratelimit-remaining"] == "999"


def test_settings(sim: Simulator) -> None:
    assert sim.settings() == {
        "compatibility": "today",
        "rate_limit": {"limit": 1000, "window": 3600, "retry_after": False},
        "page": {"default": 50, "maximum": 100},
        "exec": {
            "exit_codes": "string",
            "tools": "all",
            "delay": 0,
            "overtake": False,
            "answers_ping": True,
            "after_close": "kill",
        },
        "backups": {
            "scheduled": 0.5,
            "running": 1.5,
            "aborting": 0.5,
            "size": 104_857_600,
            "outcome": None,
            "outcome_of": "*",
            "outcome_times": None,
            "concurrent": "allow",
            "not_running": "allow",
            "same_name": "allow",
            "delete_active": "conflict",
            "addon_status": True,
        },
        "restores": {
            "scheduled": 0.5,
            "running": 1.5,
            "aborting": 0.5,
            "outcome": None,
            "outcome_of": "*",
            "outcome_times": None,
            "concurrent": "allow",
            "not_running": "allow",
            "addon_status": True,
            "addon_after_failure": "running",
        },
        "runs": {
            "pending": 0.3,
            "node": 0.7,
            "aborting": 0.5,
            "outcome": None,
            "outcome_of": "*",
            "outcome_times": None,
            "fail_node": "",
            "fail_code": 500,
            "fail_message": "The simulator was told to let this node fail",
            "approval": None,
            "forbidden": "conflict",
        },
        "aborts": {"ended": "conflict"},
    }
    changed = sim.settings(page={"default": 2}, rate_limit={"limit": 7})
    assert (changed["page"], changed["rate_limit"]["limit"]) == ({"default": 2, "maximum": 100}, 7)
    assert sim.get(ADDONS).data["pagination"]["count"] == 2


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("settings", {"northflank": {"compatibility": "tomorrow"}}),
        ("settings", {"northflank": {"rate_limit": {"limits": 1}}}),
        ("settings", {"northflank": {"page": {"default": 0}}}),
        ("settings", {"northflank": {"exec": {"exit_codes": "roman"}}}),
        ("settings", {"northflank": {"exec": {"overtake": "sometimes"}}}),
        ("settings", {"northflank": {"exec": {"delay": -1}}}),
        ("settings", {"northflank": {"exec": {"shell": "fish"}}}),
        ("settings", {"northflank": {"backups": {"outcome": "lost"}}}),
        ("settings", {"northflank": {"backups": {"outcome_times": "often"}}}),
        ("settings", {"northflank": {"restores": {"running": None}}}),
        ("settings", {"northflank": {"runs": {"approval": -1}}}),
        ("settings", {"northflank": {"aborts": {"ended": "maybe"}}}),
        ("settings", {"cycle": {"ssh": {"tools": "none"}}}),
        ("settings", {"heroku": {}}),
        ("replace", {}),
        ("replace", {"project": "storefront", "addon": "orders-postgres", "service": "web-shop"}),
        ("replace", {"project": "storefront", "service": "web-shop", "leaves": "slowly"}),
        ("replace", {"project": "storefront", "service": "web-shop", "container": "nowhere"}),
        ("replace", {"project": "data-platform", "service": "metabase"}),
        ("replace", {"project": "storefront", "service": "web-shop", "after": -1}),
        ("faults", {"fault": {"exec": {"do": "nothing"}}}),
        ("faults", {"fault": {"exec": {"do": "reset", "messages": 1, "seconds": 1}}}),
        ("faults", {"fault": {"exec": {"do": "reset", "when": "later"}}}),
        ("clock", {"set": "yesterday"}),
        ("clock", {"forward": 3}),
        ("generate", {"addon": "orders-postgres", "containers": 1}),
        ("generate", {"addons": 3}),
        ("generate", {"projects": 1, "containers": 3}),
        ("generate", {"runs": 3}),
        ("generate", {"team": "nobody", "projects": 1}),
        ("generate", {"hosts": 3}),
        ("generate", {"projects": -1}),
        ("generate", {"project": "nowhere", "addons": 1}),
        ("generate", {"platform": "nowhere"}),
        ("faults", []),
        ("faults", {"path": "*"}),
        ("faults", {"path": "*", "fault": {"explode": True}}),
        ("faults", {"path": "*", "fault": {"reset": "sometimes"}}),
        ("faults", {"path": "*", "fault": {"pagination": "upside_down"}}),
        ("faults", {"path": "*", "fault": {"status": 500}, "times": 0}),
        ("faults", {"route": "*", "fault": {"status": 500}}),
    ],
)
def test_requests_that_make_no_sense_are_refused(sim: Simulator, name: str, body: Any) -> None:
    reply = fetch(f"{sim.url}/_sim/{name}", "POST", body=body)
    assert reply.status == 400
    assert reply.data["error"]


def test_unknown_controls(sim: Simulator) -> None:
    assert fetch(f"{sim.url}/_sim/nothing").status == 404
    reply = fetch(f"{sim.url}/_sim/reset")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_generate(sim: Simulator) -> None:
    added = sim.generate(projects=2, addons=3, containers=4, backups=5, restores=2, templates=1, runs=6, seed=11)
    assert (added["team"], len(added["projects"]), len(added["templates"])) == ("tidewater", 2, 1)
    project = added["projects"][1]
    assert len(added["addons"][project]) == 3
    addon = f"/v1/projects/{project}/addons/{added['addons'][project][2]}"
    for path, key, count in (("containers", "containers", 4), ("backups", "backups", 5), ("restores", "restores", 10)):
        assert len(sim.get(f"{addon}/{path}").data["data"][key]) == count
    backup = sim.get(f"{addon}/backups").data["data"]["backups"][0]["id"]
    assert len(sim.get(f"{addon}/backups/{backup}/restores").data["data"]["restores"]) == 2
    runs = sim.get(f"/v1/templates/{added['templates'][0]}/runs").data["data"]["templateRuns"]
    assert len(runs) == 6
    assert len(sim.get("/v1/projects").data["data"]["projects"]) == 5


def test_generate_is_the_same_for_the_same_seed(still: Simulator) -> None:
    def made(seed: int) -> Any:
        still.reset()
        still.clock(freeze=True, set="2026-11-02T08:00:00Z")
        still.generate(projects=1, addons=2, containers=2, backups=2, restores=1, templates=1, runs=2, seed=seed)
        return still.estate()["northflank"]["teams"]

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_generate_into_what_exists(sim: Simulator) -> None:
    sim.generate(project="storefront", addon="session-redis", containers=120, backups=1, restores=101)
    redis = f"{ADDONS}/session-redis"
    assert sim.get(f"{redis}/containers?per_page=100").data["pagination"]["hasNextPage"] is True
    assert sim.get(f"{redis}/backups/nightly-00001/restores?per_page=100").data["pagination"]["hasNextPage"] is True
    sim.generate(team="tidewater-labs", project="prototypes", addons=2)
    labs = sim.get("/v1/teams/tidewater-labs/projects/prototypes/addons", token="org").data
    assert len(labs["data"]["addons"]) == 3
    sim.generate(template="empty-one", runs=3)
    assert len(sim.get("/v1/templates/empty-one/runs").data["data"]["templateRuns"]) == 3


def test_generate_services_and_jobs(sim: Simulator) -> None:
    added = sim.generate(projects=1, services=2, jobs=3, containers=4, runs=5, templates=1)
    (project,) = added["projects"]
    services, jobs = (sim.get(f"/v1/projects/{project}/{kind}").data["data"][kind] for kind in ("services", "jobs"))
    assert [each["id"] for each in services] == added["services"][project]
    assert [each["id"] for each in jobs] == added["jobs"][project]
    for kind, found in (("services", services), ("jobs", jobs)):
        path = f"/v1/projects/{project}/{kind}/{found[0]['id']}"
        assert len(sim.get(f"{path}/containers").data["data"]["containers"]) == 4
    assert len(sim.get(f"{path}/runs").data["data"]["runs"]) == 6
    sim.generate(project="storefront", service="web-shop", containers=120)
    assert sim.get("/v1/projects/storefront/services/web-shop").data["data"]["deployment"]["instances"] > 50
    sim.generate(project="storefront", job="reindex-search", containers=3)
    job = sim.get("/v1/projects/storefront/jobs/reindex-search/containers").data["data"]
    assert job["runId"]
    assert len(job["containers"]) == 3


def test_generated_containers_show_the_nodes_of_an_own_cluster(sim: Simulator) -> None:
    sim.generate(project="data-platform", addon="feature-store", containers=3)
    path = "/v1/projects/data-platform/addons/feature-store/containers"
    containers = sim.get(path).data["data"]["containers"]
    assert [container["host"] for container in containers] == ["10.0.12.7", "10.0.12.8", "10.0.12.7"]
    assert len({container["ipAddresses"][0] for container in containers}) == 3


def test_estate_names_tokens_without_their_values(sim: Simulator) -> None:
    estate = sim.estate()
    assert {token["name"] for token in estate["northflank"]["tokens"]} == set(sim.tokens)
    text = json.dumps(estate)
    assert not [value for value in sim.tokens.values() if value in text]


def test_routes(sim: Simulator) -> None:
    routes = {(route["method"], route["path"]): route["permission"] for route in sim.routes()}
    assert len(routes) == 67
    assert routes["GET", "/v1/auth"] is None
    assert ("GET", "/v1/teams/{teamId}/auth") not in routes
    assert routes["GET", "/v1/teams/{teamId}/templates"] == "Account > Templates > General > Read"
    sockets = {route["path"] for route in sim.routes() if route.get("websocket")}
    assert len(sockets) == 6
    assert "/v1/command-exec/teams/{teamId}/projects/{projectId}/jobs/{jobId}" in sockets
