# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of the documentation pages of 2021 to 2024, checked against what these pages say."""

from __future__ import annotations

from typing import Any

import pytest

from support.simulator import Simulator

BACKUP_STATES = {"scheduled", "in-progress", "completed", "aborting", "aborted", "failed", "not-supported"}

# A field is (type, required). A set lists the values, a dict is an object of exactly these fields, a list holds items.
RESTORE = {
    "id": (int, True),
    "restoreTimestamp": (str, True),
    "status": (BACKUP_STATES, True),
    "completedAt": (str, False),
}
CONTAINER_STATES = {"RUNNING", "STARTING", "STAGING", "KILLING", "KILLED", "FAILED", "FINISHED"}
CONTAINER = {
    "name": (str, True),
    "createdAt": (int, True),
    "status": ({f"TASK_{state}" for state in CONTAINER_STATES}, True),
    "updatedAt": (int, True),
}
RUN = {
    "name": (str, True),
    "description": (str, False),
    "apiVersion": ({"v1.2"}, True),
    "options": ({"autorun": (bool, False), "concurrencyPolicy": ({"allow", "queue", "forbid"}, False)}, False),
    "id": (str, True),
    "templateId": (str, True),
    "status": (
        {"pending", "running", "success", "failure", "aborted", "aborting", "queued", "unknown", "skipped"},
        True,
    ),
    "startedAt": (str, False),
    "concluded": (bool, True),
    "concludedAt": (str, False),
    "createdAt": (str, True),
    "updatedAt": (str, True),
}
ADDON = {
    "id": (str, True),
    "name": (str, True),
    "appId": (str, True),
    "description": (str, False),
    "createdAt": (str, True),
    "status": (
        {"preDeployment", "triggerAllocation", "allocating", "postDeployment", "running", "paused", "scaling"}
        | {"upgrading", "backup", "restore", "failed", "deleting", "deleted"},
        True,
    ),
    "spec": (
        {
            "type": (str, True),
            "config": (
                {
                    "versionTag": (str, True),
                    "lifecycleStatus": ({"active", "deprecated", "discontinued"}, True),
                    "deployment": (
                        {
                            "replicas": (int, True),
                            "storageSize": (int, True),
                            "planId": (str, True),
                            "region": (str, True),
                        },
                        True,
                    ),
                    "networking": (
                        {
                            "tlsEnabled": (bool, True),
                            "externalAccessEnabled": (bool, True),
                            "ipPolicies": ([{"address": (str, True), "action": ({"DENY", "ALLOW"}, True)}], False),
                        },
                        True,
                    ),
                },
                True,
            ),
        },
        True,
    ),
}


def faults(value: Any, kind: Any, where: str) -> list[str]:
    """Return what is wrong with a value, measured by a table above."""
    if isinstance(kind, set):
        return [] if value in kind else [f"{where}: {value!r} is not one of the values"]
    if isinstance(kind, list):
        return [fault for number, item in enumerate(value) for fault in faults(item, kind[0], f"{where}[{number}]")]
    if isinstance(kind, type):
        # A boolean is an int to isinstance.
        fits = isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
        return [] if fits else [f"{where}: {value!r} is no {kind.__name__}"]
    missing = [f"{where}.{name} is missing" for name, (_kind, needed) in kind.items() if needed and name not in value]
    unknown = [f"{where}.{name} did not exist" for name in value if name not in kind]
    inner = [
        fault
        for name, (part, _needed) in kind.items()
        if name in value
        for fault in faults(value[name], part, f"{where}.{name}")
    ]
    return missing + unknown + inner


@pytest.fixture
def old(still: Simulator) -> Simulator:
    """The simulator in the shapes of the oldest pages."""
    assert still.settings(compatibility="seed")["compatibility"] == "seed"
    return still


def addon_paths(sim: Simulator) -> list[str]:
    """Return the paths of all addons listed."""
    found = []
    for project in sim.get("/v1/projects").data["data"]["projects"]:
        path = f"/v1/projects/{project['id']}/addons"
        found += [f"{path}/{addon['id']}" for addon in sim.get(path).data["data"]["addons"]]
    return found


def test_the_measure_itself(still: Simulator) -> None:
    today = still.get("/v1/projects/storefront/addons/orders-postgres").data["data"]
    found = faults(today, ADDON, "addon")
    assert "addon.uid did not exist" in found
    assert "addon.spec.pendingActions did not exist" in found
    assert faults({"id": "1"}, RESTORE, "r")[:2] == ["r.restoreTimestamp is missing", "r.status is missing"]


def test_addons(old: Simulator) -> None:
    paths = addon_paths(old)
    assert len(paths) == 21
    for path in paths:
        assert faults(old.get(path).data["data"], ADDON, path) == []


def test_lists(old: Simulator) -> None:
    counted = 0
    for path in addon_paths(old):
        for item in old.get(f"{path}/containers").data["data"]["containers"]:
            assert faults(item, CONTAINER, path) == []
        for backup in old.get(f"{path}/backups").data["data"]["backups"]:
            answer = old.get(f"{path}/backups/{backup['id']}/restores")
            for item in answer.data["data"]["restores"]:
                assert faults(item, RESTORE, path) == []
                counted += 1
    assert counted == 8


def test_runs(old: Simulator) -> None:
    for template in ("preview-environment", "nightly-dumps-2"):
        runs = old.get(f"/v1/templates/{template}/runs?per_page=100").data["data"]["templateRuns"]
        assert runs
        for run in runs:
            assert faults(run, RUN, run["id"]) == []


def test_numbers_of_restores_are_the_milliseconds(old: Simulator) -> None:
    path = "/v1/projects/storefront/addons/orders-postgres/backups/nightly-2026-11-01/restores"
    first = old.get(path).data["data"]["restores"][0]
    assert (first["id"], first["restoreTimestamp"]) == (1793606280010, "2026-11-02T07:58:00.010Z")


def test_nothing_of_today_is_left(old: Simulator) -> None:
    for path in ("/v1/projects", "/v1/projects/storefront", "/v1/projects/storefront/addons"):
        text = str(old.get(path).data)
        for name in ("uid", "tags", "stageId", "cluster", "pendingActions", "lifecycleStatus"):
            assert f"'{name}'" not in text
    assert "'uid'" not in str(old.get("/v1/projects/storefront/addons/orders-postgres/backups").data)


def test_filters_did_not_exist(old: Simulator) -> None:
    path = "/v1/templates/preview-environment/runs"
    everything = old.get(path).data
    assert old.get(f"{path}?status=success").data == everything
    assert old.get(f"{path}?concluded=maybe").data == everything


def test_sources_of_restores_did_not_exist(old: Simulator) -> None:
    path = "/v1/projects/storefront/addons/orders-postgres/backups/nightly/restores"
    assert old.get(f"{path}?sourceProjectId=data-platform&sourceAddonId=analytics-postgres").status == 404


def test_custom_addons_and_buckets_did_not_exist(old: Simulator) -> None:
    listed = [path.rpartition("/")[2] for path in addon_paths(old)]
    assert "analytics-postgres" in listed
    assert not {"kafka", "lake"} & set(listed)
    assert old.get("/v1/projects/data-platform/addons/kafka").status == 404
    embedded = old.get("/v1/projects/data-platform").data["data"]["addons"]
    assert not {"kafka", "lake"} & {addon["id"] for addon in embedded}


def test_containers_asked_for_another_permission(old: Simulator) -> None:
    path = "/v1/projects/storefront/addons/orders-postgres/containers"
    reply = old.get(path, token="no-addons")
    assert reply.data["error"]["details"] == {"permission": "Project > Addons > Deployment > View Instances"}
    assert old.get(path, token="read-only").status == 200


def test_back_to_today(old: Simulator) -> None:
    old.settings(compatibility="today")
    assert "uid" in old.get("/v1/projects/storefront/addons/orders-postgres").data["data"]


def test_containers_of_services_and_jobs(old: Simulator) -> None:
    for path in ("data-platform/services/dbt-runner", "storefront/jobs/nightly-invoices"):
        found = old.get(f"/v1/projects/{path}/containers").data["data"]["containers"]
        assert found
        assert [fault for container in found for fault in faults(container, CONTAINER, path)] == []


def test_services_and_jobs_without_later_fields(old: Simulator) -> None:
    for kind in ("services", "jobs"):
        listed = old.get(f"/v1/projects/storefront/{kind}").data["data"][kind]
        assert listed
        assert not [name for thing in listed for name in ("uid", "stageId") if name in thing]
