# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's client works against the simulator unchanged, on every endpoint served."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from northflank import ApiClient, AsyncApiClient
from northflank.errors import ApiCallError

from conformance.calls import (
    ADDON,
    BACKUP,
    JOB,
    PROJECT,
    READS,
    RUN,
    SERVICE,
    TEMPLATE,
    WITHOUT_CALL,
    WITHOUT_TEAM,
    WRITES,
    Clients,
    Read,
)
from conformance.vendor import answer_type, endpoints, type_faults
from support.simulator import Simulator

LISTS = {path: read for path, read in READS.items() if read.key}
MERGED = {path: read for path, read in LISTS.items() if read.alone}


def plain(path: str) -> str:
    """Return a template without its team."""
    return path.replace("/v1/teams/{teamId}", "/v1", 1)


def test_every_route_is_called(sim: Simulator, clients: Clients) -> None:
    client = clients("demo")
    for path, read in READS.items():
        read.of(client)(**read.arguments)
        if path not in WITHOUT_TEAM:
            read.of(client)(team_id=sim.team, **read.arguments)
    called = {entry["route"] for entry in sim.journal()}
    served = {route["path"] for route in sim.routes() if route["method"] == "GET" and not route.get("websocket")}
    assert called == served - WITHOUT_CALL
    assert {entry["status"] for entry in sim.journal()} == {200}


def test_routes_are_those_of_the_client(sim: Simulator) -> None:
    known = endpoints()
    for route in sim.routes():
        if route["path"] in WITHOUT_CALL or route.get("websocket"):
            continue
        endpoint = known[route["method"], route["path"]]
        assert endpoint.required_permissions == route["permission"], route["path"]
        assert endpoint.is_paginated or route["method"] != "GET" or READS[plain(route["path"])].key is None
    for method, path in [*(("GET", path) for path in READS), *WRITES]:
        both = set(known[method, path].path_templates)
        served = [route["path"] for route in sim.routes() if route["method"] == method]
        assert both == {each for each in served if plain(each) == path}


def sample(sim: Simulator, path: str) -> list[dict[str, str]]:
    """Return arguments for all things of the estate that a template's placeholders can name."""
    team = sim.estate()["northflank"]["teams"][0]
    found: list[dict[str, str]] = [{}]
    if "{projectId}" in path:
        found = [{"project_id": project["id"]} for project in team["projects"]]
    if "{addonId}" in path:
        found = [
            {"project_id": project["id"], "addon_id": addon["id"]}
            for project in team["projects"]
            for addon in project["addons"]
            if "versionTag" in addon["spec"]["config"] or not path.endswith("/version")
        ]
    for kind in ("service", "job"):
        if f"{{{kind}Id}}" in path:
            found = [
                {"project_id": project["id"], f"{kind}_id": thing["id"]}
                for project in team["projects"]
                for thing in project[f"{kind}s"]
            ]
    if "{backupId}" in path:
        found = [
            {"project_id": project["id"], "addon_id": addon["id"], "backup_id": backup["id"]}
            for project in team["projects"]
            for addon in project["addons"]
            for backup in addon["backups"][:12]
        ]
    if "{templateId}" in path:
        found = [{"template_id": template["id"]} for template in team["templates"]]
    if "{templateRunId}" in path:
        found = [
            {"template_id": template["id"], "template_run_id": run["id"]}
            for template in team["templates"]
            for run in template["runs"][:20]
        ]
    return found


def accepted(fault: str, path: str) -> bool:
    """Say whether a difference is one the platform itself has: what is still at work has no end."""
    ends = {"backups": ".completedAt: missing", "runs": ".concludedAt: missing"}
    return any(path.endswith(f"/{name}") and fault.endswith(text) for name, text in ends.items())


@pytest.mark.parametrize("path", READS)
def test_answers_are_of_the_declared_types(sim: Simulator, clients: Clients, path: str) -> None:
    client, read = clients("demo"), READS[path]
    kind = answer_type(endpoints()["GET", path])
    calls = sample(sim, path)
    assert calls
    for arguments in calls:
        data = read.of(client)(**arguments).data
        faults = [fault for fault in type_faults(data, kind, path) if not accepted(fault, path)]
        assert faults == [], arguments


def test_the_measure_finds_what_is_wrong(clients: Clients) -> None:
    path = "/v1/projects/{projectId}/addons/{addonId}"
    kind = answer_type(endpoints()["GET", path])
    data: dict[str, Any] = READS[path].of(clients("demo"))(**ADDON).data
    data |= {"status": "levitating", "tags": "none", "novelty": 1}
    del data["uid"]
    data["spec"]["config"]["lifecycleStatus"] = "young"
    faults = " ".join(type_faults(data, kind, "addon"))
    for expected in (
        "addon.uid: missing",
        "'levitating' is not one of",
        "'none' is no list",
        "novelty: not declared",
        "young",
    ):
        assert expected in faults


def test_backups_at_work_lack_completed_at(sim: Simulator, clients: Clients) -> None:
    backups = clients("demo").get.addon.backups.all(**ADDON).data["backups"]
    for backup in backups:
        assert ("completedAt" in backup) == (backup["status"] not in ("scheduled", "in-progress", "aborting"))


def whole(sim: Simulator, path: str) -> list[dict[str, Any]]:
    """Return what the estate holds of a list."""
    team = sim.estate()["northflank"]["teams"][0]
    project = next(item for item in team["projects"] if item["id"] == PROJECT["project_id"])
    addon = next(item for item in project["addons"] if item["id"] == ADDON["addon_id"])
    service = next(item for item in project["services"] if item["id"] == SERVICE["service_id"])
    job = next(item for item in project["jobs"] if item["id"] == JOB["job_id"])
    template = next(item for item in team["templates"] if item["id"] == TEMPLATE["template_id"])
    own = {"projectId": PROJECT["project_id"], "addonId": ADDON["addon_id"]}
    of_backup = [
        restore
        for restore in addon["restores"]
        if restore["backupId"] == BACKUP["backup_id"] and restore["source"] == own
    ]
    lists: dict[str, list[dict[str, Any]]] = {
        "/v1/projects": team["projects"],
        "/v1/projects/{projectId}/addons": project["addons"],
        "/v1/projects/{projectId}/addons/{addonId}/containers": addon["containers"],
        "/v1/projects/{projectId}/addons/{addonId}/backups": addon["backups"],
        "/v1/projects/{projectId}/addons/{addonId}/backups/{backupId}/restores": of_backup,
        "/v1/projects/{projectId}/addons/{addonId}/restores": addon["restores"],
        "/v1/projects/{projectId}/services": project["services"],
        "/v1/projects/{projectId}/services/{serviceId}/containers": service["containers"],
        "/v1/projects/{projectId}/jobs": project["jobs"],
        "/v1/projects/{projectId}/jobs/{jobId}/runs": job["runs"],
        "/v1/templates": team["templates"],
        "/v1/templates/{templateId}/runs": template["runs"],
    }
    return lists[path]


def agrees(shown: dict[str, Any], held: dict[str, Any]) -> bool:
    """Say whether all of an item is as the estate holds it."""
    return all(
        agrees(value, held[name]) if isinstance(value, dict) and name == "spec" else value == held[name]
        for name, value in shown.items()
    )


@pytest.mark.parametrize("team", [None, "tidewater"])
@pytest.mark.parametrize("path", MERGED)
def test_all_pages_together_are_the_estate(sim: Simulator, clients: Clients, path: str, team: str | None) -> None:
    read = READS[path]
    sim.generate(project="storefront", addon="orders-postgres", containers=60)
    sim.generate(projects=7, templates=7)
    sim.generate(project="storefront", addons=11, services=6, jobs=5)
    sim.generate(project="storefront", service="web-shop", containers=12)
    sim.generate(project="storefront", job="nightly-invoices", runs=15)
    read_all = read.of(clients("demo")).all
    extra = {} if team is None else {"team_id": team}
    held = whole(sim, path)
    for size in (2, 7, None, 100):
        sim.clear_journal()
        data = read_all(per_page=size, **read.arguments, **extra).data
        assert list(data) == [read.key]
        items = data[read.key]
        assert len(items) == len(held) > 3
        assert all(agrees(shown, kept) for shown, kept in zip(items, held, strict=True))
        assert len(sim.journal()) == -(-len(held) // (size or 50))


def test_containers_of_a_job_are_those_of_a_run(sim: Simulator, clients: Clients) -> None:
    """The client does not merge pages that have more than a list."""
    containers = clients("demo").get.job.containers
    for run in clients("demo").get.job.runs(**JOB).data["runs"]:
        data = containers(run_id=run["id"], **JOB).data
        assert data["runId"] == run["id"]
        assert data["containers"]
    sim.generate(project="storefront", job="nightly-invoices", containers=9)
    pages = containers.all(per_page=4, **JOB).data
    assert [len(page["containers"]) for page in pages] == [4, 4, 2]
    assert containers(**{**JOB, "job_id": "reindex-search"}).data == {"runId": "", "containers": []}
    error = failed(READS["/v1/projects/{projectId}/jobs/{jobId}/containers"], clients("demo"), run_id="none")
    assert (error.status, error.id) == (404, "job-run-not-found")


def test_a_paused_service_is_known_to_the_client(clients: Clients) -> None:
    client = clients("demo")
    client.helpers.wait_for_service_paused(project_id="data-platform", service_id="metabase", timeout_s=5)
    client.helpers.wait_for_service_ready(**SERVICE, timeout_s=5)
    with pytest.raises(TimeoutError):
        client.helpers.wait_for_service_paused(**SERVICE, timeout_s=0.1)


@pytest.mark.parametrize("path", LISTS)
def test_page_numbers(sim: Simulator, clients: Clients, path: str) -> None:
    read = READS[path]
    if not read.alone:
        sim.generate(project="storefront", job="nightly-invoices", containers=2)
    call = read.of(clients("demo"))
    second = call(page=2, per_page=1, **read.arguments)
    everything = call(per_page=100, **read.arguments).data[read.key]
    assert second.data[read.key] == everything[1:2]
    assert second.pagination.count == 1


@pytest.mark.usefixtures("clients")
def test_the_asynchronous_client(sim: Simulator) -> None:
    async def backups() -> Any:
        client = AsyncApiClient(api_token=sim.token, base_url=sim.url)
        return await client.get.addon.backups.all(per_page=30, **ADDON)

    assert len(asyncio.run(backups()).data["backups"]) == 137


def test_filters(clients: Clients) -> None:
    runs = clients("demo").list.template_runs
    waiting = runs(status="approval_wait", **TEMPLATE).data["templateRuns"]
    assert [run["id"] for run in waiting] == [RUN["template_run_id"]]
    unfinished = runs.all(concluded=False, per_page=3, **TEMPLATE).data["templateRuns"]
    assert len(unfinished) == 8
    assert not any(run["concluded"] for run in unfinished)


def test_restores_of_a_global_backup(clients: Clients) -> None:
    restores = clients("demo").get.addon.backup.restores(
        **{**ADDON, "backup_id": "nightly"}, source_project_id="data-platform", source_addon_id="analytics-postgres"
    )
    assert [restore["status"] for restore in restores.data["restores"]] == ["completed"]


def failed(read: Read, client: ApiClient, **arguments: str) -> ApiCallError:
    """Return the error of a call."""
    with pytest.raises(ApiCallError) as caught:
        read.of(client)(**{**read.arguments, **arguments})
    return caught.value


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("token", ["nf-wrong-token", "expired"])
def test_unauthorised(clients: Clients, path: str, token: str) -> None:
    error = failed(READS[path], clients(token))
    assert (error.status, error.id) == (401, "unauthorized")
    assert error.message.startswith("Unauthorized")


@pytest.mark.parametrize("path", [path for path, read in READS.items() if read.arguments])
def test_not_found(clients: Clients, path: str) -> None:
    read = READS[path]
    for name in read.arguments:
        error = failed(read, clients("demo"), **{name: "no such thing/å"})
        kind = name.removesuffix("_id").replace("_", "-")
        assert (error.status, error.id) == (404, f"{kind}-not-found")
        assert list(error.details.values()) == ["no such thing/å"]


@pytest.mark.parametrize("path", [path for path in READS if path not in WITHOUT_TEAM])
def test_wrong_team(clients: Clients, path: str) -> None:
    error = failed(READS[path], clients("demo"), team_id="tidewater-labs")
    assert (error.status, error.id) == (404, "team-not-found")


@pytest.mark.parametrize("path", [path for path in READS if "addons" in path])
def test_forbidden(clients: Clients, path: str) -> None:
    error = failed(READS[path], clients("no-addons"))
    assert (error.status, error.id) == (403, "forbidden")
    assert error.details == {"permission": endpoints()["GET", path].required_permissions}


def test_organisation_token(clients: Clients) -> None:
    client = clients("org")
    assert failed(READS["/v1/projects"], client).status == 400
    found = client.list.projects.all(team_id="tidewater-labs").data["projects"]
    assert [project["id"] for project in found] == ["prototypes"]
    assert client.get.auth().data["entityType"] == "org"


def test_rate_limit_headers(clients: Clients) -> None:
    answer = clients("demo").list.projects()
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "999"}.items() <= headers.items()


def test_errors_that_are_no_json(sim: Simulator, clients: Clients) -> None:
    sim.fault("GET", "/v1/projects", {"status": 502, "text": "<html>Bad gateway</html>"})
    error = failed(READS["/v1/projects"], clients("demo"))
    assert (error.status, error.message, error.id) == (502, "<html>Bad gateway</html>", None)


def test_the_client_survives_a_reset(sim: Simulator, clients: Clients) -> None:
    sim.fault("GET", "/v1/projects", {"reset": "before"})
    assert clients("demo").list.projects().data["projects"]
    assert [entry["status"] for entry in sim.journal()] == [None, 200]


def test_a_stale_cursor_keeps_the_client_going(sim: Simulator, clients: Clients) -> None:
    """The trap is real: the client asks on although the platform says that there is no further page."""
    sim.fault("GET", "/v1/projects", {"pagination": "stale_cursor"}, times=3)
    assert len(clients("demo").list.projects.all().data["projects"]) == 3
    assert len(sim.journal()) == 4
