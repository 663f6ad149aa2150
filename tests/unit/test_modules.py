# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module, call by call, on the vendor's own examples and on what the platform sends today."""

from __future__ import annotations

import json
import typing as t

import pytest

from unit.examples import (
    ADDON_2021,
    ADDON_BUCKET,
    ADDON_CUSTOM,
    ADDON_TODAY,
    BACKUP_TODAY,
    CONTAINER_TODAY,
    CONTAINERS_2024,
    PROJECT_TODAY,
    RESTORE_TODAY,
    RESTORES_2024,
    RUN_TODAY,
    RUNS_2024,
    TEMPLATE_TODAY,
)
from unit.fakes import Answer, Call, Platform, Reply, error_reply, get, json_reply, page
from unit.hosts import MODULES, failure, found, run

P = "/v1/projects/web-shop"
A = f"{P}/addons/db"
B = f"{A}/backups/nightly"
T = "/v1/templates/preview"
ADDONS = [{"id": name, "name": name, "appId": f"/u/p/{name}", "status": "running"} for name in ("a", "b", "c")]
ADDONS_FOUND = [
    {"project_id": "web-shop", "id": name, "name": name, "app_id": f"/u/p/{name}", "status": "running"}
    for name in "abc"
]


def listed(path: str, answer: Answer, size: int = 100, **query: t.Any) -> Call:
    return get(path, answer, per_page=size, **query)


def of_list(path: str, list_key: str, items: list[t.Any]) -> Call:
    return listed(path, page(list_key, items))


# project_info


def test_projects(platform: Platform) -> None:
    short = {"id": "web-shop", "name": "Web Shop", "lifecycleStatus": "tearing_down"}
    platform.expects(
        listed("/v1/projects", page("projects", [short], hasNextPage=True, cursor="a")),
        listed("/v1/projects", page("projects", [{"id": "b", "name": "B"}]), cursor="a"),
    )
    assert found("project_info", "projects") == [
        {"id": "web-shop", "name": "Web Shop", "lifecycle_status": "tearing_down"},
        {"id": "b", "name": "B"},
    ]


def test_a_project(platform: Platform) -> None:
    platform.expects(get(P, json_reply({"data": PROJECT_TODAY})))
    (project,) = found("project_info", "projects", project_id="web-shop")
    assert project["services"][0]["service_type"] == "combined"
    assert project["jobs"] == [
        {"id": "sweep", "app_id": "/u/web-shop/sweep", "name": "Sweep", "uid": "u3", "job_type": "cron"}
    ]
    assert project["addons"][0]["spec"] == {"type": "mysql"}
    assert project["cluster"]["load_balancers"] == []
    assert set(project) == {
        *("id", "name", "uid", "description", "created_at", "lifecycle_status", "deployment", "cluster"),
        *("services", "jobs", "addons"),
    }


def test_a_project_that_is_not_there(platform: Platform) -> None:
    platform.expects(get("/v1/projects/no", error_reply(404)))
    assert found("project_info", "projects", project_id="no") == []


def test_a_project_of_a_team_that_is_not_there(platform: Platform) -> None:
    platform.expects(
        get("/v1/teams/crew/projects/web-shop", error_reply(404)),
        get("/v1/teams/crew/projects", error_reply(404), per_page=1),
    )
    result = failure("project_info", project_id="web-shop", team_id="crew")
    assert 'The team "crew" was not found' in result["msg"]
    assert result["request_count"] == 2


def test_the_projects_of_a_team(platform: Platform) -> None:
    platform.expects(of_list("/v1/teams/my%20team/projects", "projects", [{"id": "a"}]))
    assert found("project_info", "projects", team_id="my team") == [{"id": "a"}]


# addon_info


def test_the_addon_of_the_vendor_page(platform: Platform) -> None:
    path = "/v1/projects/default-project/addons/example-addon"
    platform.expects(get(path, json_reply(ADDON_2021)))
    assert found("addon_info", "addons", project_id="default-project", addon_id="example-addon") == [
        {
            "project_id": "default-project",
            "id": "example-addon",
            "name": "Example Addon",
            "app_id": "/example-user/default-project/example-addon",
            "description": "This is the addon description",
            "created_at": "2021-01-20T11:19:53.175Z",
            "status": "running",
            "spec": {
                "type": "mongodb",
                "config": {
                    "version_tag": "4.2.14",
                    "lifecycle_status": "active",
                    "deployment": {
                        "replicas": 1,
                        "storage_size": 1024,
                        "plan_id": "nf-compute-20",
                        "region": "europe-west",
                    },
                    "networking": {
                        "tls_enabled": True,
                        "external_access_enabled": True,
                        "ip_policies": [{"address": "127.0.0.1", "action": "ALLOW"}],
                    },
                },
            },
        }
    ]


def test_an_addon_of_today(platform: Platform) -> None:
    platform.expects(get(A, json_reply({"data": ADDON_TODAY})))
    (addon,) = found("addon_info", "addons", project_id="web-shop", addon_id="db")
    assert addon["status"] == "errorAllocating"
    assert addon["stage_id"] == "stage-1"
    assert addon["cluster"] == {"id": "nf-eu", "name": "EU", "namespace": "ns-1", "load_balancers": ["1.2.3.4"]}
    assert addon["spec"]["pending_actions"] == [{"type": "restart", "created_at": "2026-01-20T11:19:53.175Z"}]
    assert addon["spec"]["config"]["deployment"]["storage_class"] == "ssd"
    assert addon["spec"]["config"]["type_specific_settings"] == {"postgresql_supabase_mode": False}


@pytest.mark.parametrize(
    ("addon", "config"),
    [
        (ADDON_CUSTOM, {"template_values": {"replicaCount": 1, "Image_Tag": "x"}}),
        (ADDON_BUCKET, {"region": "europe-west"}),
    ],
)
def test_addons_of_other_kinds(platform: Platform, addon: dict[str, t.Any], config: dict[str, t.Any]) -> None:
    platform.expects(get(A, json_reply({"data": addon})))
    (one,) = found("addon_info", "addons", project_id="web-shop", addon_id="db")
    assert one["spec"]["config"] == config
    assert one["status"] == addon["status"]


def test_addons(platform: Platform) -> None:
    platform.expects(
        listed(f"{P}/addons", page("addons", ADDONS[:2], hasNextPage=True, cursor="x")),
        listed(f"{P}/addons", page("addons", ADDONS[2:]), cursor="x"),
    )
    assert found("addon_info", "addons", project_id="web-shop") == ADDONS_FOUND


def test_addons_with_a_limit(platform: Platform) -> None:
    platform.expects(listed(f"{P}/addons", page("addons", ADDONS[:2], hasNextPage=True, cursor="x"), 2))
    assert found("addon_info", "addons", project_id="web-shop", limit=2) == ADDONS_FOUND[:2]


def test_addons_in_full(platform: Platform) -> None:
    platform.expects(
        of_list(f"{P}/addons", "addons", ADDONS),
        *[get(f"{P}/addons/{one['id']}", json_reply({"data": {**one, "spec": {"storageSize": 1}}})) for one in ADDONS],
        any_order=True,
    )
    addons = found("addon_info", "addons", project_id="web-shop", full=True, concurrency=3)
    assert addons == [{**one, "spec": {"storage_size": 1}} for one in ADDONS_FOUND]
    assert platform.paths()[0] == f"{P}/addons"


def test_addons_in_full_with_a_limit(platform: Platform) -> None:
    platform.expects(
        listed(f"{P}/addons", page("addons", ADDONS[:1], hasNextPage=True, cursor="x"), 1),
        get(f"{P}/addons/a", json_reply({"data": ADDONS[0]})),
    )
    assert found("addon_info", "addons", project_id="web-shop", full=True, limit=1) == ADDONS_FOUND[:1]


def test_an_addon_in_full_that_cannot_be_read_is_named(platform: Platform) -> None:
    platform.expects(
        of_list(f"{P}/addons", "addons", ADDONS[:2]),
        get(f"{P}/addons/a", json_reply({"data": ADDONS[0]})),
        get(f"{P}/addons/b", error_reply(500, "oh", id="e7")),
        any_order=True,
    )
    result = failure("addon_info", project_id="web-shop", full=True)
    assert result["msg"].startswith(
        'addon "b": GET /v1/projects/web-shop/addons/b failed with status 500: oh (error id e7)'
    )
    assert result["error"]["id"] == "e7"
    assert result["request_count"] == 3


def test_an_addon_that_is_not_there(platform: Platform) -> None:
    platform.expects(get(A, error_reply(404)), get(P, json_reply({"data": PROJECT_TODAY})))
    assert found("addon_info", "addons", project_id="web-shop", addon_id="db") == []


@pytest.mark.parametrize("arguments", [{}, {"addon_id": "db"}, {"full": True}])
def test_addons_of_a_project_that_is_not_there(platform: Platform, arguments: dict[str, t.Any]) -> None:
    first = get(A, error_reply(404)) if "addon_id" in arguments else listed(f"{P}/addons", error_reply(404))
    platform.expects(first, get(P, error_reply(404, "No project web-shop", id="e1")))
    result = failure("addon_info", project_id="web-shop", **arguments)
    assert result["msg"].startswith('The project "web-shop" was not found (option project_id).')
    assert "No project web-shop" in result["msg"]
    assert result["error"] == {"method": "GET", "path": P, "status": 404, "code": None, "id": "e1", "details": None}
    assert result["request_count"] == 2


def test_the_team_is_the_outermost_parent(platform: Platform) -> None:
    team = "/v1/teams/crew/projects"
    platform.expects(
        listed(f"{team}/web-shop/addons", error_reply(404)),
        get(team, json_reply({"data": {}}), per_page=1),
        get(f"{team}/web-shop", error_reply(404)),
    )
    result = failure("addon_info", project_id="web-shop", team_id="crew")
    assert 'The project "web-shop" was not found' in result["msg"]


def test_a_list_that_is_missing_in_a_project_that_is_there(platform: Platform) -> None:
    platform.expects(listed(f"{P}/addons", error_reply(404, "Who knows")), get(P, json_reply({"data": {}})))
    result = failure("addon_info", project_id="web-shop")
    assert result["msg"] == f"GET {P}/addons failed with status 404: Who knows."
    assert result["error"]["path"] == f"{P}/addons"


@pytest.mark.parametrize("item", [{"name": "no id"}, {"id": None, "name": "no id"}])
@pytest.mark.parametrize(
    ("module", "arguments"),
    [("addon_info", {"full": True}), ("addon_container_info", {}), ("backup_restore_info", {})],
)
def test_a_parent_without_an_id_is_a_broken_answer(
    platform: Platform, module: str, arguments: dict[str, t.Any], item: dict[str, t.Any]
) -> None:
    platform.expects(of_list(f"{P}/addons", "addons", [item]))
    assert "id" in failure(module, project_id="web-shop", **arguments)["msg"]


@pytest.mark.parametrize("bad", ["..", ".", ""])
def test_ids_that_cannot_be(platform: Platform, bad: str) -> None:
    for arguments, option in [({"project_id": bad}, "project_id"), ({"project_id": "a", "addon_id": bad}, "addon_id")]:
        result = failure("addon_info", **arguments)
        assert f"The option {option} is '{bad}'" in result["msg"]
        assert result["request_count"] == 0


def test_ids_are_encoded(platform: Platform) -> None:
    platform.expects(get("/v1/projects/a%2Fb/addons/c%3Fd%20%252e%C3%A9", json_reply({"data": {"id": "x"}})))
    (addon,) = found("addon_info", "addons", project_id="a/b", addon_id="c?d %2eé")
    assert addon == {"project_id": "a/b", "id": "x"}


# addon_version_info

VERSION = {
    "version": "14.5.0",
    "upgradeTo": [{"version": "15.1.0", "type": "major"}],
    "lifecycleStatus": "deprecated",
    "discontinuedBy": "01.08.2027",
    "upgradeHistory": [{"upgradeId": 7, "status": {"status": "completed"}, "newVersion": "14.5.0"}],
}
VERSION_FOUND = {
    "version": "14.5.0",
    "upgrade_to": [{"version": "15.1.0", "type": "major"}],
    "lifecycle_status": "deprecated",
    "discontinued_by": "01.08.2027",
    "upgrade_history": [{"upgrade_id": "7", "status": {"status": "completed"}, "new_version": "14.5.0"}],
}
NO_VERSION = {"version": None, "upgrade_to": [], "lifecycle_status": None, "upgrade_history": []}


def test_the_version_of_an_addon(platform: Platform) -> None:
    platform.expects(get(f"{A}/version", json_reply({"data": VERSION})))
    versions = found("addon_version_info", "addon_versions", project_id="web-shop", addon_id="db")
    assert versions == [{"project_id": "web-shop", "addon_id": "db", **VERSION_FOUND}]


@pytest.mark.parametrize("status", [400, 404, 422])
def test_an_addon_without_a_version(platform: Platform, status: int) -> None:
    platform.expects(get(f"{A}/version", error_reply(status)), get(P, json_reply({"data": {}})))
    platform.expects(get(A, json_reply({"data": {}})))
    versions = found("addon_version_info", "addon_versions", project_id="web-shop", addon_id="db")
    assert versions == [{"project_id": "web-shop", "addon_id": "db", **NO_VERSION}]


def test_the_version_of_an_addon_that_is_not_there(platform: Platform) -> None:
    platform.expects(get(f"{A}/version", error_reply(404)), get(P, json_reply({"data": {}})), get(A, error_reply(404)))
    result = failure("addon_version_info", project_id="web-shop", addon_id="db")
    assert result["msg"].startswith('The addon "db" was not found (option addon_id).')


def test_an_answer_without_a_version(platform: Platform) -> None:
    platform.expects(get(f"{A}/version", json_reply({"data": {}})))
    (one,) = found("addon_version_info", "addon_versions", project_id="web-shop", addon_id="db")
    assert one["version"] is None


def test_the_versions_of_a_project(platform: Platform) -> None:
    answers = [json_reply({"data": VERSION}), error_reply(404), error_reply(400)]
    calls = [get(f"{P}/addons/{one['id']}/version", answer) for one, answer in zip(ADDONS, answers, strict=True)]
    platform.expects(of_list(f"{P}/addons", "addons", ADDONS), *calls, any_order=True)
    versions = found("addon_version_info", "addon_versions", project_id="web-shop")
    assert [(one["addon_id"], one["version"]) for one in versions] == [("a", "14.5.0"), ("b", None), ("c", None)]


def test_the_versions_of_everything(platform: Platform) -> None:
    platform.expects(
        of_list("/v1/projects", "projects", [{"id": "web-shop"}, {"id": "lab"}]),
        of_list(f"{P}/addons", "addons", ADDONS[:1]),
        get(f"{P}/addons/a/version", json_reply({"data": VERSION})),
        of_list("/v1/projects/lab/addons", "addons", []),
        any_order=True,
    )
    versions = found("addon_version_info", "addon_versions")
    assert [(one["project_id"], one["addon_id"]) for one in versions] == [("web-shop", "a")]


def test_the_versions_with_a_limit(platform: Platform) -> None:
    platform.expects(
        of_list(f"{P}/addons", "addons", ADDONS), get(f"{P}/addons/a/version", json_reply({"data": VERSION}))
    )
    assert len(found("addon_version_info", "addon_versions", project_id="web-shop", limit=1)) == 1


def test_a_version_that_cannot_be_read_is_named(platform: Platform) -> None:
    platform.expects(of_list(f"{P}/addons", "addons", ADDONS[:1]), get(f"{P}/addons/a/version", error_reply(403, "No")))
    result = failure("addon_version_info", project_id="web-shop")
    assert result["msg"].startswith('addon "a": GET /v1/projects/web-shop/addons/a/version failed with status 403: No')


# addon_container_info


def test_the_containers_of_the_vendor_page(platform: Platform) -> None:
    path = "/v1/projects/default-project/addons/example-addon/containers"
    platform.expects(listed(path, json_reply(CONTAINERS_2024)))
    containers = found("addon_container_info", "containers", project_id="default-project", addon_id="example-addon")
    assert containers == [
        {
            "project_id": "default-project",
            "addon_id": "example-addon",
            "name": "example-service-78b4d4459d-sbtn8",
            "created_at": 1611241087,
            "status": "TASK_RUNNING",
            "updated_at": 1611241087,
        }
    ]


def test_containers_of_today(platform: Platform) -> None:
    platform.expects(of_list(f"{A}/containers", "containers", [CONTAINER_TODAY]))
    (container,) = found("addon_container_info", "containers", project_id="web-shop", addon_id="db")
    assert container["node_pool_user_id"] == "pool-a"
    assert container["node_pool_provider_id"] == "gke-1"
    assert container["ip_addresses"] == ["10.1.0.3"]


def test_containers_are_told_apart_by_name(platform: Platform) -> None:
    twins = [{"name": "a", "status": "X"}, {"name": "b", "status": "X"}, {"name": "a", "status": "Y"}]
    platform.expects(of_list(f"{A}/containers", "containers", twins))
    names = [one["name"] for one in found("addon_container_info", "containers", project_id="web-shop", addon_id="db")]
    assert names == ["a", "b"]


def test_an_addon_without_containers(platform: Platform) -> None:
    platform.expects(
        listed(f"{A}/containers", json_reply({"data": {}, "pagination": {"hasNextPage": False, "count": 0}}))
    )
    assert found("addon_container_info", "containers", project_id="web-shop", addon_id="db") == []


@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_containers_of_every_addon(platform: Platform, concurrency: int) -> None:
    platform.expects(
        of_list(f"{P}/addons", "addons", ADDONS),
        of_list(f"{P}/addons/a/containers", "containers", [{"name": "a-0"}, {"name": "a-1"}]),
        of_list(f"{P}/addons/b/containers", "containers", []),
        listed(f"{P}/addons/c/containers", page("containers", [{"name": "c-0"}], hasNextPage=True, cursor="x")),
        listed(f"{P}/addons/c/containers", page("containers", [{"name": "c-1"}]), cursor="x"),
        any_order=concurrency > 1,
    )
    containers = found("addon_container_info", "containers", project_id="web-shop", concurrency=concurrency)
    assert containers == [
        {"project_id": "web-shop", "addon_id": addon, "name": f"{addon}-{number}"}
        for addon in "ac"
        for number in (0, 1)
    ]


def test_containers_of_every_addon_with_a_limit(platform: Platform) -> None:
    platform.expects(
        of_list(f"{P}/addons", "addons", ADDONS),
        listed(f"{P}/addons/a/containers", page("containers", [{"name": "a-0"}]), 3),
        listed(f"{P}/addons/b/containers", page("containers", [{"name": f"b-{n}"} for n in range(3)]), 3),
    )
    containers = found("addon_container_info", "containers", project_id="web-shop", limit=3, concurrency=1)
    assert [one["name"] for one in containers] == ["a-0", "b-0", "b-1"]


@pytest.mark.parametrize("missing", ["project", "addon", "neither"])
def test_containers_of_what_is_not_there(platform: Platform, missing: str) -> None:
    platform.expects(listed(f"{A}/containers", error_reply(404)))
    platform.expects(get(P, error_reply(404) if missing == "project" else json_reply({"data": {}})))
    if missing != "project":
        platform.expects(get(A, error_reply(404) if missing == "addon" else json_reply({"data": {}})))
    message = failure("addon_container_info", project_id="web-shop", addon_id="db")["msg"]
    expected = {
        "project": 'The project "web-shop" was not found (option project_id).',
        "addon": 'The addon "db" was not found (option addon_id).',
        "neither": f"GET {A}/containers failed with status 404",
    }
    assert message.startswith(expected[missing])


def test_an_addon_that_vanishes_meanwhile_is_named(platform: Platform) -> None:
    platform.expects(
        of_list(f"{P}/addons", "addons", ADDONS[:1]),
        listed(f"{P}/addons/a/containers", error_reply(404)),
        get(P, json_reply({"data": {}})),
        get(f"{P}/addons/a", error_reply(404)),
    )
    assert failure("addon_container_info", project_id="web-shop")["msg"].startswith('addon "a": The addon "a" was not')


# addon_backup_info


def test_backups(platform: Platform) -> None:
    platform.expects(of_list(f"{A}/backups", "backups", [BACKUP_TODAY]))
    assert found("addon_backup_info", "backups", project_id="web-shop", addon_id="db") == [
        {
            "project_id": "web-shop",
            "addon_id": "db",
            "id": "nightly",
            "name": "nightly",
            "uid": "62cc20b90956ab62a58e8474",
            "status": "in-progress",
            "created_at": "2026-01-20T11:19:53.175Z",
            "config": {"size": "734003200", "source": {"type": "liveInstance"}, "compression_type": "gz"},
        }
    ]


def test_a_backup_with_its_last_restore(platform: Platform) -> None:
    last = {"restoreTimestamp": "2021-01-20T11:19:54.494Z", "status": "completed"}
    platform.expects(get(B, json_reply({"data": {**BACKUP_TODAY, "lastRestore": last}})))
    (backup,) = found("addon_backup_info", "backups", project_id="web-shop", addon_id="db", backup_id="nightly")
    assert (backup["project_id"], backup["addon_id"], backup["id"]) == ("web-shop", "db", "nightly")
    assert backup["last_restore"] == {"restore_timestamp": "2021-01-20T11:19:54.494Z", "status": "completed"}


@pytest.mark.parametrize("missing", ["project", "addon", "backup"])
def test_a_backup_that_is_not_there(platform: Platform, missing: str) -> None:
    there = json_reply({"data": {}})
    platform.expects(get(B, error_reply(404)), get(P, error_reply(404) if missing == "project" else there))
    if missing != "project":
        platform.expects(get(A, error_reply(404) if missing == "addon" else there))
    arguments = {"project_id": "web-shop", "addon_id": "db", "backup_id": "nightly"}
    if missing == "backup":
        assert found("addon_backup_info", "backups", **arguments) == []
    else:
        assert failure("addon_backup_info", **arguments)["msg"].startswith(f"The {missing} ")


def test_the_backups_of_every_addon(platform: Platform) -> None:
    platform.expects(
        of_list(f"{P}/addons", "addons", ADDONS),
        *[of_list(f"{P}/addons/{one}/backups", "backups", [{"id": f"{one}1"}]) for one in "abc"],
        any_order=True,
    )
    backups = found("addon_backup_info", "backups", project_id="web-shop")
    assert backups == [{"project_id": "web-shop", "addon_id": one, "id": f"{one}1"} for one in "abc"]


# backup_restore_info


def test_the_restores_of_the_vendor_page(platform: Platform) -> None:
    platform.expects(listed(f"{B}/restores", json_reply(RESTORES_2024)))
    restores = found("backup_restore_info", "restores", project_id="web-shop", addon_id="db", backup_id="nightly")
    assert restores == [
        {
            "project_id": "web-shop",
            "addon_id": "db",
            "backup_id": "nightly",
            "id": "1693287033325",
            "restore_timestamp": "2021-01-20T11:19:54.494Z",
            "status": "completed",
            "completed_at": "2021-01-20T11:19:54.494Z",
        }
    ]


def test_the_restores_of_all_backups_of_an_addon(platform: Platform) -> None:
    platform.expects(of_list(f"{A}/restores", "restores", [RESTORE_TODAY]))
    assert found("backup_restore_info", "restores", project_id="web-shop", addon_id="db") == [
        {
            "project_id": "web-shop",
            "addon_id": "db",
            "backup_id": "nightly",
            "id": "668596c647fed81696a8a82c",
            "restore_timestamp": "2026-01-20T11:19:54.494Z",
            "status": "in-progress",
        }
    ]


def test_the_restores_of_every_addon(platform: Platform) -> None:
    platform.expects(
        of_list(f"{P}/addons", "addons", ADDONS),
        of_list(f"{P}/addons/a/restores", "restores", [{"id": 1, "backupId": 2}]),
        of_list(f"{P}/addons/b/restores", "restores", [{"id": "1", "backupId": "x"}]),
        listed(f"{P}/addons/c/restores", json_reply({"data": {}})),
        any_order=True,
    )
    assert found("backup_restore_info", "restores", project_id="web-shop") == [
        {"project_id": "web-shop", "addon_id": "a", "backup_id": "2", "id": "1"},
        {"project_id": "web-shop", "addon_id": "b", "backup_id": "x", "id": "1"},
    ]


def test_the_restores_of_a_global_backup(platform: Platform) -> None:
    source = {"sourceProjectId": "other", "sourceAddonId": "their db"}
    platform.expects(
        listed(f"{B}/restores", page("restores", [{"id": "r1"}], hasNextPage=True, cursor="x"), **source),
        get(f"{B}/restores", page("restores", [{"id": "r2"}]), per_page=100, cursor="x", **source),
    )
    restores = found(
        "backup_restore_info",
        "restores",
        project_id="web-shop",
        addon_id="db",
        backup_id="nightly",
        source_project_id="other",
        source_addon_id="their db",
    )
    assert [one["id"] for one in restores] == ["r1", "r2"]


def test_restores_of_a_backup_that_is_not_there(platform: Platform) -> None:
    there = json_reply({"data": {}})
    platform.expects(listed(f"{B}/restores", error_reply(404)), get(P, there), get(A, there), get(B, error_reply(404)))
    message = failure("backup_restore_info", project_id="web-shop", addon_id="db", backup_id="nightly")["msg"]
    assert message.startswith('The backup "nightly" was not found (option backup_id).')


# template_info


def test_templates(platform: Platform) -> None:
    template = {"id": "t", "apiVersion": "v1.2", "options": {"autorun": True, "concurrencyPolicy": "replace"}}
    platform.expects(of_list("/v1/templates", "templates", [template]))
    assert found("template_info", "templates") == [
        {"id": "t", "api_version": "v1.2", "options": {"autorun": True, "concurrency_policy": "replace"}}
    ]


def test_a_template(platform: Platform) -> None:
    platform.expects(get(T, json_reply({"data": TEMPLATE_TODAY})))
    (template,) = found("template_info", "templates", template_id="preview")
    assert template["arguments"] == TEMPLATE_TODAY["arguments"]
    assert template["schema"] == "https://schema.example.com/v1.2"
    assert template["concurrency_policy"] == "latest"
    build = template["spec"]["spec"]["steps"][0]
    assert build["ref"] == "theBuild"
    assert build["spec"]["build_settings"] == {"docker_file_path": "/Dockerfile"}


@pytest.mark.parametrize(
    ("step", "path", "kept"),
    [
        (0, "spec.build_arguments", {"nodeEnv": "prod"}),
        (0, "spec.build_files", {"/etc/appConfig.json": {"data": "eA=="}}),
        (0, "spec.docker_secret_mounts", {"npmToken": {"data": "eA=="}}),
        (1, "spec.runtime_environment", {"logLevel": "debug"}),
        (1, "spec.runtime_files", {"/etc/jobConfig": {"data": "eA=="}}),
        (1, "spec.metadata.labels", {"costCentre": "a1"}),
        (1, "spec.metadata.annotations", {"ourTeam/ownerName": "b"}),
        (2, "spec.secrets.variables", {"apiUrl": "x"}),
        (2, "spec.secrets.files", {"/aB": {}}),
        (3, "spec.argument_overrides", {"subArg": "x"}),
    ],
)
def test_names_that_users_made_up_stay(platform: Platform, step: int, path: str, kept: dict[str, t.Any]) -> None:
    # Which maps of nodes are free: the schema of the official Python client 2.1.0.
    platform.expects(get(T, json_reply({"data": TEMPLATE_TODAY})))
    (template,) = found("template_info", "templates", template_id="preview")
    value = template["spec"]["spec"]["steps"][step]
    for name in path.split("."):
        value = value[name]
    assert value == kept


def test_a_template_that_is_not_there(platform: Platform) -> None:
    platform.expects(get(T, error_reply(404)))
    assert found("template_info", "templates", template_id="preview") == []


# template_run_info


def test_the_runs_of_the_vendor_page(platform: Platform) -> None:
    platform.expects(listed("/v1/templates/example-template/runs", json_reply(RUNS_2024)))
    assert found("template_run_info", "template_runs", template_id="example-template") == [
        {
            "template_id": "example-template",
            "name": "Example Template",
            "description": "This is a sample template.",
            "api_version": "v1.2",
            "options": {"autorun": False, "concurrency_policy": "allow"},
            "id": "3dd592f6-ce63-45ee-acf8-13dc5ec5235c",
            "status": "success",
            "started_at": "2021-01-01 12:01:00.000Z",
            "concluded": True,
            "concluded_at": "2021-01-01 12:10:00.000Z",
            "created_at": "2021-01-01 12:00:00.000Z",
            "updated_at": "2021-01-01 12:00:00.000Z",
        }
    ]


def test_a_run_in_full(platform: Platform) -> None:
    platform.expects(get(f"{T}/runs/r1", json_reply({"data": RUN_TODAY})))
    (one,) = found("template_run_info", "template_runs", template_id="preview", run_id="r1")
    assert one["status"] == "approval_wait"
    assert one["refs"] == {"theBuild": {"commitId": 7}}
    assert one["arguments"] == {"imageTag": "v2"}
    assert one["spec"]["response"] == {"status": "running", "start_time": 1611241087, "retries": {"max_attempts": 3}}


RUNS = [
    {"id": "r1", "status": "success", "concluded": True},
    {"id": "r2", "status": "failure", "concluded": True},
    {"id": "r3", "status": "running", "concluded": False},
    {"id": "r4", "status": "failure", "concluded": True},
]


@pytest.mark.parametrize(
    ("arguments", "query", "expected"),
    [
        ({"status": "failure"}, {"status": "failure"}, ["r2", "r4"]),
        ({"concluded": False}, {"concluded": "false"}, ["r3"]),
        ({"concluded": True}, {"concluded": "true"}, ["r1", "r2", "r4"]),
        ({"status": "failure", "concluded": True}, {"status": "failure", "concluded": "true"}, ["r2", "r4"]),
        ({"status": "failure", "limit": 1}, {"status": "failure"}, ["r2"]),
        ({"status": "aborted"}, {"status": "aborted"}, []),
    ],
)
def test_filters_hold_on_a_platform_that_ignores_them(
    platform: Platform, arguments: dict[str, t.Any], query: dict[str, str], expected: list[str]
) -> None:
    platform.expects(listed(f"{T}/runs", page("templateRuns", RUNS), **query))
    runs = found("template_run_info", "template_runs", template_id="preview", **arguments)
    assert [one["id"] for one in runs] == expected


def test_a_filter_and_a_limit_read_on_until_enough_passed(platform: Platform) -> None:
    platform.expects(
        listed(f"{T}/runs", page("templateRuns", RUNS[:3], hasNextPage=True, cursor="x"), status="failure"),
        get(
            f"{T}/runs",
            page("templateRuns", RUNS[3:], hasNextPage=True, cursor="y"),
            per_page=100,
            cursor="x",
            status="failure",
        ),
    )
    runs = found("template_run_info", "template_runs", template_id="preview", status="failure", limit=2)
    assert [one["id"] for one in runs] == ["r2", "r4"]


def test_the_runs_of_every_template(platform: Platform) -> None:
    platform.expects(
        of_list("/v1/templates", "templates", [{"id": "a"}, {"id": "my b"}]),
        listed("/v1/templates/a/runs", page("templateRuns", RUNS[:1]), concluded="true"),
        listed("/v1/templates/my%20b/runs", page("templateRuns", RUNS[1:2]), concluded="true"),
        any_order=True,
    )
    runs = found("template_run_info", "template_runs", concluded=True)
    assert [(one["template_id"], one["id"]) for one in runs] == [("a", "r1"), ("my b", "r2")]


def test_a_run_that_is_not_there(platform: Platform) -> None:
    platform.expects(get(f"{T}/runs/r1", error_reply(404)), get(T, json_reply({"data": {}})))
    assert found("template_run_info", "template_runs", template_id="preview", run_id="r1") == []


@pytest.mark.parametrize("run_id", [None, "r1"])
def test_runs_of_a_template_that_is_not_there(platform: Platform, run_id: str | None) -> None:
    first = get(f"{T}/runs/r1", error_reply(404)) if run_id else listed(f"{T}/runs", error_reply(404))
    platform.expects(first, get(T, error_reply(404)))
    message = failure("template_run_info", template_id="preview", run_id=run_id)["msg"]
    assert message.startswith('The template "preview" was not found (option template_id).')


# All of them

NEEDS = {
    name: {} if name in ("project_info", "template_info", "template_run_info") else {"project_id": "p"}
    for name in MODULES
}
PERMISSIONS = {
    "project_info": "Project > Projects > Manage > Read",
    "addon_info": "Project > Addons > General > Read",
    "addon_container_info": "Project > Addons > General > Read",
    "addon_backup_info": "Project > Addons > General > Read",
    "addon_version_info": "Project > Addons > General > Read",
    "backup_restore_info": "Project > Addons > General > Read",
    "template_info": "Account > Templates > General > Read",
    "template_run_info": "Account > Templates > General > Read",
}


@pytest.mark.parametrize("module", MODULES)
def test_a_refusal_names_the_permission(platform: Platform, module: str) -> None:
    platform.respond = lambda _request: error_reply(403, "insufficient permissions", id="e9")
    result = failure(module, **NEEDS[module])
    assert "insufficient permissions (error id e9)" in result["msg"]
    assert f"may lack the permission {PERMISSIONS[module]}" in result["msg"]
    assert result["error"]["status"] == 403
    assert result["request_count"] == 1


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_failures_have_one_shape(platform: Platform, module: str, status: int) -> None:
    headers = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "99"}
    platform.respond = lambda _request: Reply(status, b'{"error": {"message": "No"}}', headers)
    result = failure(module, **NEEDS[module])
    assert result["changed"] is False
    assert result["error"]["status"] == status
    assert result["error"]["method"] == "GET"
    assert f"failed with status {status}: No" in result["msg"]
    assert result["rate_limit"] == {"limit": 1000, "remaining": 0, "reset": 99}


@pytest.mark.parametrize("module", MODULES)
def test_check_mode_reads_all_the_same(platform: Platform, module: str) -> None:
    platform.respond = lambda _request: json_reply({"data": {}})
    result = run(module, check_mode=True, **NEEDS[module])
    assert not result.get("failed")
    assert {request.method for request in platform.requests} == {"GET"}


@pytest.mark.parametrize("module", MODULES)
def test_modules_repeat_and_count(platform: Platform, module: str) -> None:
    answers = [Reply(503), Reply(429, headers={"Retry-After": "5"})]
    platform.respond = lambda _request: answers.pop(0) if answers else json_reply({"data": {}})
    result = run(module, retry_budget=60, **NEEDS[module])
    assert not result.get("failed")
    assert result["request_count"] == 3
    assert platform.clock.sleeps[1] == 5


@pytest.mark.parametrize("depth", [600, 3000])
def test_answers_nested_without_end_are_no_crash(platform: Platform, depth: int) -> None:
    body = b'{"data": {"projects": [{"id": "a", "x": ' + b"[" * depth + b"]" * depth + b"}]}}"
    platform.expects(listed("/v1/projects", Reply(200, body)))
    try:
        result = run("project_info")
    except RecursionError:
        result = {}
    assert result.get("failed") or result["projects"][0]["id"] == "a"


def test_a_result_can_be_written(platform: Platform) -> None:
    body = b'{"data": {"projects": [{"id": "\\ud800", "na\\ud800me": {"a": ["x\\udfff"]}}]}}'
    platform.expects(listed("/v1/projects", Reply(200, body)))
    (project,) = found("project_info", "projects")
    json.dumps(project, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"timeout": 0}, "timeout"),
        ({"timeout": 3601}, "timeout"),
        ({"retry_budget": 86401}, "retry_budget"),
        ({"limit": 0}, "limit"),
        ({"concurrency": 0}, "concurrency"),
        ({"concurrency": 33}, "concurrency"),
        ({"api_url": "api.northflank.com"}, "api_url"),
        ({"api_token": "secret\n"}, "api_token"),
        ({"ca_path": "/no/such/file"}, "ca_path"),
        ({"team_id": ""}, "team_id"),
    ],
)
def test_options_that_cannot_be_used(platform: Platform, arguments: dict[str, t.Any], word: str) -> None:
    result = failure("template_run_info", **arguments)
    assert word in result["msg"]
    assert "secret" not in repr(result)
    assert result["error"]["method"] is None
    assert result["request_count"] == 0


@pytest.mark.parametrize("module", MODULES)
def test_the_least_and_the_greatest_of_every_number(platform: Platform, module: str) -> None:
    platform.respond = lambda _request: json_reply({"data": {}})
    pooled = module not in ("project_info", "template_info")
    for timeout, budget, limit, concurrency in [(1, 0, 1, 1), (3600, 86400, 10**6, 32)]:
        numbers = {"timeout": timeout, "retry_budget": budget, "limit": limit}
        result = run(module, **numbers, **({"concurrency": concurrency} if pooled else {}), **NEEDS[module])
        assert not result.get("failed")
    assert platform.timeouts == [1, 3600]


def test_the_ids_that_the_task_named_stay(platform: Platform) -> None:
    odd = {"id": "a", "projectId": None, "name": "A", "uid": 9}
    platform.expects(
        listed("/v1/projects/p/addons", json_reply({"data": {"addons": [odd]}})),
        get("/v1/projects/p/addons/a", json_reply({"data": odd})),
    )
    (addon,) = found("addon_info", "addons", project_id="p", full=True)
    assert addon["project_id"] == "p"
    assert addon["uid"] == "9"


def test_a_run_that_does_not_say_whether_it_is_over_does_not_vanish(platform: Platform) -> None:
    runs = [{"id": "1", "status": "running"}, {"id": "2", "concluded": True}]
    answer = json_reply({"data": {"templateRuns": runs}})
    platform.expects(listed("/v1/templates/t/runs", answer, concluded="false"))
    open_runs = found("template_run_info", "template_runs", template_id="t", concluded=False)
    assert [run["id"] for run in open_runs] == ["1"]
