# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shipped estate: everything the platform can answer is in it."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from support.simulator import Simulator

BACKUP_STATES = {"scheduled", "in-progress", "completed", "aborting", "aborted", "failed", "not-supported"}
ADDON_STATES = {
    "preDeployment",
    "triggerAllocation",
    "allocating",
    "postDeployment",
    "running",
    "paused",
    "scaling",
    "upgrading",
    "resetting",
    "backup",
    "restore",
    "failed",
    "error",
    "errorAllocating",
    "deleting",
    "deleted",
}
CONTAINER_STATES = {
    "TASK_RUNNING",
    "TASK_STARTING",
    "TASK_STAGING",
    "TASK_KILLING",
    "TASK_KILLED",
    "TASK_FAILED",
    "TASK_FINISHED",
}
CONCLUDED_STATES = {"success", "failure", "aborted", "skipped", "unknown"}
RUN_STATES = CONCLUDED_STATES | {
    "pending",
    "running",
    "aborting",
    "queued",
    "waiting",
    "retrying",
    "async_wait",
    "approval_wait",
}
NODE_STATES = {"waiting", "failure", "retrying", "success", "aborted", "aborting", "skipped", "async_wait"} | {
    "approval_wait",
    "unknown",
}
ADDON_NAME = re.compile(r"^[a-zA-Z]((-|\s)?[a-zA-Z0-9]+((-|\s)[a-zA-Z0-9]+)*)?$")
BACKUP_NAME = re.compile(r"^[a-zA-Z0-9]+((-|\s|/|:)[a-zA-Z0-9]+)*$")
TEMPLATE_NAME = re.compile(r"^[a-zA-Z0-9]+((-|\s)[a-zA-Z0-9]+)*$")


@pytest.fixture
def team(still: Simulator) -> dict[str, Any]:
    """The first team of the estate."""
    found: dict[str, Any] = still.estate()["northflank"]["teams"][0]
    return found


@pytest.fixture
def addons(team: dict[str, Any]) -> list[dict[str, Any]]:
    """All addons of the first team."""
    return [addon for project in team["projects"] for addon in project["addons"]]


def test_every_state_is_there(team: dict[str, Any], addons: list[dict[str, Any]]) -> None:
    def all_of(key: str) -> set[str]:
        return {part["status"] for addon in addons for part in addon[key]}

    assert {addon["status"] for addon in addons} == ADDON_STATES
    assert all_of("containers") == CONTAINER_STATES
    assert all_of("backups") == BACKUP_STATES
    assert all_of("restores") == BACKUP_STATES
    assert {run["status"] for template in team["templates"] for run in template["runs"]} == RUN_STATES


def test_kinds_of_addons(addons: list[dict[str, Any]]) -> None:
    types = {addon["spec"]["type"] for addon in addons}
    assert {"postgresql", "mysql", "redis", "minio", "mongodb", "bucket"} <= types
    configs = [addon["spec"]["config"] for addon in addons]
    assert {config.get("lifecycleStatus") for config in configs} == {"active", "deprecated", "discontinued", None}
    assert any("templateValues" in config for config in configs)
    assert any(addon["spec"]["pendingActions"] for addon in addons)
    assert any("{{" in addon.get("description", "") for addon in addons)


def test_services_and_jobs(still: Simulator, team: dict[str, Any]) -> None:
    parts = {kind: [each for project in team["projects"] for each in project[kind]] for kind in ("services", "jobs")}
    assert {each["serviceType"] for each in parts["services"]} == {"combined", "build", "deployment"}
    assert {each["jobType"] for each in parts["jobs"]} == {"manual", "cron"}
    assert any(each["containers"] and each["deployment"]["instances"] > 1 for each in parts["services"])
    assert any(each.get("deployment") and each["deployment"]["instances"] == 0 for each in parts["services"])
    assert any(not each["runs"] for each in parts["jobs"])
    runs = [run for each in parts["jobs"] for run in each["runs"]]
    assert {run["status"] for run in runs} == {"RUNNING", "SUCCESS", "FAILED"}
    embedded = still.get("/v1/projects/storefront").data["data"]
    assert not [each for kind in parts for each in embedded[kind] if "tags" in each or "status" in each]


def test_running_containers(still: Simulator) -> None:
    """Each of them is a host that tests log in to: many would cost time."""
    running = [
        (project["id"], container["name"])
        for team in still.estate()["northflank"]["teams"]
        for project in team["projects"]
        for kind in ("addons", "services", "jobs")
        for thing in project[kind]
        for container in thing["containers"]
        if container["status"] == "TASK_RUNNING"
    ]
    assert 14 <= len(running) <= 18
    names = [name for _project, name in running]
    assert len(running) == len(set(running)) > len(set(names)), "equal names are in different projects"
    assert any("{{" in name and "/" in name and not name.isascii() for name in names)


def test_lists_longer_than_a_page(team: dict[str, Any], addons: list[dict[str, Any]]) -> None:
    assert max(len(addon["backups"]) for addon in addons) > 100
    assert max(len(template["runs"]) for template in team["templates"]) > 100


def test_names_are_legal(team: dict[str, Any], addons: list[dict[str, Any]]) -> None:
    for addon in addons:
        assert ADDON_NAME.match(addon["name"]), addon["name"]
        assert 3 <= len(addon["name"]) <= 39
        for backup in addon["backups"]:
            assert BACKUP_NAME.match(backup["name"].replace(": ", ":")), backup["name"]
    for template in team["templates"]:
        assert TEMPLATE_NAME.match(template["name"])


def test_ids_are_unique(addons: list[dict[str, Any]], team: dict[str, Any]) -> None:
    for things in (
        [addon["appId"] for addon in addons],
        [addon["uid"] for addon in addons],
        [backup["uid"] for addon in addons for backup in addon["backups"]],
        [restore["id"] for addon in addons for restore in addon["restores"]],
        [run["id"] for template in team["templates"] for run in template["runs"]],
    ):
        assert len(things) == len(set(things))


def nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a node and all nodes below it."""
    steps = node["spec"].get("steps", []) if node["kind"] == "Workflow" else []
    return [node, *itertools.chain.from_iterable(nodes(step) for step in steps)]


def test_every_run_has_a_node_tree(still: Simulator, team: dict[str, Any]) -> None:
    seen = set()
    for run in team["templates"][0]["runs"][:40]:
        spec = still.get(f"/v1/templates/preview-environment/runs/{run['id']}").data["data"]["spec"]
        for node in nodes(spec):
            response = node["response"]
            seen.add(response["status"])
            assert ("error" in response) == (response["status"] == "failure" and node["kind"] != "Workflow")
            assert all(isinstance(response.get(key, 0), int) for key in ("startTime", "endTime"))
    assert seen == NODE_STATES


def test_a_run_with_odd_keys(still: Simulator) -> None:
    path = "/v1/templates/preview-environment/runs/3dd592f6-ce63-45ee-acf8-13dc5ec5235c"
    run = still.get(path).data["data"]
    assert "odd key / with.dots" in run["arguments"]
    assert set(run["refs"]) == {"database", "web-1", "camelCaseRef"}
    service = next(node for node in nodes(run["spec"]) if node["kind"] == "DeploymentService")
    assert {"x-odd.key", "camelCase_Mixed"} <= set(service["spec"]["runtimeEnvironment"])
    assert not {"startedAt", "concludedAt"} & set(run)


def test_own_cluster(still: Simulator) -> None:
    project = still.get("/v1/projects/data-platform").data["data"]
    assert "deployment" not in project
    assert project["cluster"]["loadBalancers"]
    own = {"nodeName", "nodePoolUserId", "nodePoolProviderId", "host", "ipAddresses"}
    path = "/v1/projects/{}/addons/{}/containers"
    for container in still.get(path.format("data-platform", "kafka")).data["data"]["containers"]:
        assert own <= set(container)
    for container in still.get(path.format("storefront", "orders-postgres")).data["data"]["containers"]:
        assert not own & set(container)


def test_shapes_of_time_and_size(still: Simulator) -> None:
    addon = "/v1/projects/storefront/addons/orders-postgres"
    for container in still.get(f"{addon}/containers").data["data"]["containers"]:
        assert isinstance(container["createdAt"], int)
        assert isinstance(container["updatedAt"], int)
    for backup in still.get(f"{addon}/backups").data["data"]["backups"]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", backup["createdAt"])
        assert re.fullmatch(r"\d+", backup["config"]["size"])
    for run in still.get("/v1/templates/preview-environment/runs").data["data"]["templateRuns"]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z", run["createdAt"])
    for restore in still.get(f"{addon}/restores").data["data"]["restores"]:
        assert re.fullmatch(r"[0-9a-f]{24}", restore["id"])


def test_restores_of_another_addons_backup(still: Simulator) -> None:
    path = "/v1/projects/storefront/addons/orders-postgres/backups/nightly/restores"
    assert still.get(path).status == 404
    source = "?sourceProjectId=data-platform&sourceAddonId=analytics-postgres"
    restores = still.get(path + source).data["data"]["restores"]
    assert [restore["status"] for restore in restores] == ["completed"]
    elsewhere = "/v1/projects/data-platform/addons/analytics-postgres/backups/nightly"
    assert still.get(f"{elsewhere}/restores").data["data"]["restores"] == []
    assert "lastRestore" not in still.get(elsewhere).data["data"]
    assert still.get(f"{path}?sourceProjectId=nope&sourceAddonId=analytics-postgres").status == 404
    assert still.get(f"{path}?sourceProjectId=data-platform&sourceAddonId=nope").status == 404
    own = "/v1/projects/storefront/addons/orders-postgres/backups/manual-2/restores"
    assert len(still.get(own).data["data"]["restores"]) == 2
    named = "?sourceProjectId=storefront&sourceAddonId=orders-postgres"
    assert still.get(own + named).data == still.get(own).data


def test_filters_of_runs(still: Simulator, team: dict[str, Any]) -> None:
    runs = team["templates"][0]["runs"]
    path = "/v1/templates/preview-environment/runs?per_page=100"

    def found(query: str) -> list[str]:
        pages = [still.get(f"{path}&{query}&page={number}").data["data"]["templateRuns"] for number in (1, 2)]
        return [run["id"] for run in itertools.chain.from_iterable(pages)]

    for status in sorted(RUN_STATES):
        assert found(f"status={status}") == [run["id"] for run in runs if run["status"] == status]
    for concluded in (True, False):
        wanted = [run["id"] for run in runs if run["concluded"] is concluded]
        assert found(f"concluded={str(concluded).lower()}") == wanted
    assert found("status=failure&concluded=false") == []
    assert still.get(f"{path}&status=levitating").status == 400
    assert still.get(f"{path}&concluded=1").status == 400
