# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers of Northflank as hosts: each request that is made, what is told of a host, and what may go wrong."""

from __future__ import annotations

import itertools
import json
import math
import typing as t
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.module_utils._errors import ApiError, NotFoundError
from ansible_collections.quayside.paas.plugins.module_utils._hosts import Found, Host
from ansible_collections.quayside.paas.plugins.module_utils._northflank.api import Northflank
from ansible_collections.quayside.paas.plugins.module_utils._northflank.hosts import (
    Selection,
    latest,
    moment,
    read_hosts,
)
from unit.fakes import TOKEN, URL, Call, Clock, Platform, Reply, error_reply, get, json_reply, page

OPTIONS: dict[str, t.Any] = {
    "api_token": TOKEN,
    "api_url": URL,
    "team_id": None,
    "timeout": 30,
    "retry_budget": 0,
    "validate_certs": True,
    "ca_path": None,
}
DATABASE = {"id": "db", "appId": "/me/shop/db", "name": "Db", "spec": {"type": "mongodb"}}
WEB = {"id": "web", "appId": "/me/shop/web", "name": "Web", "serviceType": "combined"}
NIGHTLY = {"id": "nightly", "appId": "/me/shop/nightly", "name": "Nightly", "jobType": "cron"}
RUNNING = {"name": "db-0", "createdAt": 1611241087, "updatedAt": 1611241090, "status": "TASK_RUNNING"}


def read(**selection: t.Any) -> Found:
    team = selection.pop("team", None)
    return read_hosts(Northflank({**OPTIONS, "team_id": team}.get), Selection(**{"concurrency": 1, **selection}))


def listed(path: str, list_key: str, items: list[t.Any], **pagination: t.Any) -> Call:
    return get(path, page(list_key, items, **pagination), per_page=100)


def project(identity: str = "shop", **holds: t.Any) -> Call:
    data = {"id": identity, "name": identity.title(), "addons": [], "services": [], "jobs": [], **holds}
    return get(f"/v1/projects/{identity}", json_reply({"data": data}))


def containers(place: str, *names: str, status: str = "TASK_RUNNING") -> Call:
    items = [{"name": name, "status": status} for name in names]
    return listed(f"/v1/projects/{place}/containers", "containers", items)


def names(found: Found) -> list[str]:
    return [host["name"] for host in found.hosts]


def the_host(found: Found) -> Host:
    (host,) = found.hosts
    return host


# What is asked for


def test_one_list_of_projects_one_call_for_each_and_one_list_for_each_parent(platform: Platform) -> None:
    platform.expects(
        listed("/v1/projects", "projects", [{"id": "shop"}], hasNextPage=True, cursor="c1"),
        get("/v1/projects", page("projects", [{"id": "lab"}]), per_page=100, cursor="c1"),
        project("shop", addons=[DATABASE], services=[WEB], jobs=[NIGHTLY]),
        project("lab", addons=[{**DATABASE, "id": "db 2"}]),
        containers("shop/addons/db", "db-0", "db-1"),
        containers("shop/services/web", "web-0"),
        containers("shop/jobs/nightly", "nightly-0"),
        containers("lab/addons/db%202", "db-0"),
    )
    found = read()
    assert names(found) == ["db-0", "db-1", "web-0", "nightly-0", "db-0"]
    assert len({host["identity"] for host in found.hosts}) == 5
    assert not found.warnings
    assert not found.notes


def test_named_projects_spare_the_list(platform: Platform) -> None:
    platform.expects(project("lab", services=[WEB]), project("shop"), containers("lab/services/web", "web-0"))
    assert names(read(projects=["lab", "shop", "lab"])) == ["web-0"]


def test_only_the_kinds_that_are_wanted(platform: Platform) -> None:
    platform.expects(
        project("shop", addons=[DATABASE], services=[WEB], jobs=[NIGHTLY]), containers("shop/jobs/nightly", "nightly-0")
    )
    assert names(read(projects=["shop"], kinds=["job"])) == ["nightly-0"]


def test_services_that_only_build_are_not_asked(platform: Platform) -> None:
    platform.expects(project("shop", services=[{**WEB, "serviceType": "build"}]))
    assert not read(projects=["shop"]).hosts


def test_the_team_is_in_every_path(platform: Platform) -> None:
    def teams(call: Call) -> Call:
        return Call(call.method, call.path.replace("/v1/", "/v1/teams/ours/"), call.answer, call.query)

    platform.expects(
        teams(listed("/v1/projects", "projects", [{"id": "shop"}])),
        teams(project("shop", addons=[DATABASE])),
        teams(containers("shop/addons/db", "db-0")),
    )
    assert names(read(team="ours")) == ["db-0"]


@given(
    estate=st.lists(st.lists(st.integers(0, 250), max_size=4), max_size=4),
    concurrency=st.integers(1, 4),
    backups=st.booleans(),
)
def test_the_number_of_requests(estate: list[list[int]], concurrency: int, backups: bool) -> None:
    def respond(request: requests.PreparedRequest) -> Reply:
        parts = urlsplit(t.cast("str", request.url))
        path = parts.path.removeprefix("/v1/projects").strip("/").split("/")
        if path == [""]:
            return pages("projects", [{"id": f"p{number}"} for number in range(len(estate))], parts.query)
        amounts = estate[int(path[0][1:])]
        if len(path) == 1:
            addons = [{"id": f"a{number}", "spec": {"type": "redis"}} for number in range(len(amounts))]
            return json_reply({"data": {"id": path[0], "addons": addons, "services": [], "jobs": []}})
        amount = amounts[int(path[2][1:])] if path[3] == "containers" else 1
        items = [{"name": f"c{number}", "id": number, "status": "TASK_RUNNING"} for number in range(amount)]
        return pages(path[3], items, parts.query)

    with Platform(Clock()) as platform:
        platform.respond = respond
        found = read(concurrency=concurrency, backups=backups)
        sizes = [amount for amounts in estate for amount in amounts]
        assert len(found.hosts) == sum(sizes)
        expected = 1 + len(estate) + sum(max(1, math.ceil(size / 100)) for size in sizes)
        expected += 2 * len([size for size in sizes if size]) if backups else 0
        assert len(platform.requests) == expected


def pages(list_key: str, items: list[t.Any], query: str) -> Reply:
    start = int(parse_qs(query).get("cursor", ["0"])[0])
    more = len(items) > start + 100
    cursor = {"cursor": str(start + 100)} if more else {}
    return page(list_key, items[start : start + 100], hasNextPage=more, **cursor)


# What is told


def test_the_facts_of_a_host(platform: Platform) -> None:
    node = {"nodeName": "n1", "nodePoolUserId": "pool", "nodePoolProviderId": "ng-1", "host": "10.0.0.1"}
    platform.expects(
        project("shop", uid=7, createdAt="2024-01-01T00:00:00.000Z", addons=[DATABASE], services=[WEB]),
        listed(
            "/v1/projects/shop/addons/db/containers", "containers", [{**RUNNING, **node, "ipAddresses": ["10.1.0.1"]}]
        ),
    )
    host = the_host(read(projects=["shop"], kinds=["addon"]))
    assert host == {
        "name": "db-0",
        "identity": "/me/shop/db:shop/addon/db/db-0",
        "facts": {
            "kind": "addon",
            "project": {"id": "shop", "uid": "7", "name": "Shop", "created_at": "2024-01-01T00:00:00.000Z"},
            "addon": {"id": "db", "app_id": "/me/shop/db", "name": "Db", "spec": {"type": "mongodb"}},
            "container": {
                "name": "db-0",
                "created_at": 1611241087,
                "updated_at": 1611241090,
                "status": "TASK_RUNNING",
                "node_name": "n1",
                "node_pool_user_id": "pool",
                "node_pool_provider_id": "ng-1",
                "host": "10.0.0.1",
                "ip_addresses": ["10.1.0.1"],
            },
            "node": {"name": "n1", "pool_user_id": "pool", "pool_provider_id": "ng-1", "host": "10.0.0.1"},
        },
        "connection": {
            "ansible_host": "db-0",
            "ansible_northflank_project_id": "shop",
            "ansible_northflank_kind": "addon",
            "ansible_northflank_resource_id": "db",
        },
        "groups": ["project_shop", "kind_addon", "addon_type_mongodb", "status_TASK_RUNNING"],
    }
    assert json.loads(json.dumps(host)) == host


@pytest.mark.parametrize(("kind", "holds"), [("service", {"services": [WEB]}), ("job", {"jobs": [NIGHTLY]})])
def test_services_and_jobs_stand_under_their_kind(platform: Platform, kind: str, holds: dict[str, t.Any]) -> None:
    ((list_key, (item,)),) = holds.items()
    platform.expects(project("shop", **holds), containers(f"shop/{list_key}/{item['id']}", "c-0"))
    host = the_host(read(projects=["shop"]))
    assert host["facts"][kind]["app_id"] == item["appId"]
    assert host["facts"]["node"] == {}
    assert host["groups"] == ["project_shop", f"kind_{kind}", "status_TASK_RUNNING"]
    assert host["connection"]["ansible_northflank_kind"] == kind


def test_the_containers_of_a_job_come_with_the_id_of_its_run(platform: Platform) -> None:
    answers = iter([{"runId": "r1", "containers": [RUNNING]}, {"runId": "r1"}])
    place = "/v1/projects/shop/jobs/{}/containers"
    platform.expects(
        project("shop", jobs=[NIGHTLY, {"id": "weekly"}]),
        *(get(place.format(name), json_reply({"data": next(answers)}), per_page=100) for name in ("nightly", "weekly")),
    )
    assert names(read(projects=["shop"])) == ["db-0"]


def test_hosts_share_the_facts_of_their_parents(platform: Platform) -> None:
    platform.expects(project("shop", addons=[DATABASE]), containers("shop/addons/db", "db-0", "db-1"))
    first, second = read(projects=["shop"]).hosts
    assert first["facts"]["project"] is second["facts"]["project"]
    assert first["facts"]["addon"] is second["facts"]["addon"]


def test_a_container_without_a_name_stays_and_nobody_connects_to_another_in_its_stead(platform: Platform) -> None:
    items = [{"status": "TASK_RUNNING", "createdAt": number} for number in (1, 2)]
    platform.expects(
        project("shop", addons=[DATABASE]), listed("/v1/projects/shop/addons/db/containers", "containers", items)
    )
    hosts = read(projects=["shop"]).hosts
    assert [host["name"] for host in hosts] == ["", ""]
    assert len({host["identity"] for host in hosts}) == 2
    assert all("ansible_host" not in host["connection"] for host in hosts)


# Statuses


def test_how_many_were_left_out_for_their_status(platform: Platform) -> None:
    statuses = ["TASK_FAILED", "TASK_RUNNING", "TASK_FAILED", "TASK_KILLED", "SOMETHING_NEW"]
    items = [{"name": f"db-{number}", "status": status} for number, status in enumerate(statuses)]
    platform.expects(
        project("shop", addons=[DATABASE]),
        listed("/v1/projects/shop/addons/db/containers", "containers", [*items, {"name": "does-not-tell"}]),
    )
    found = read(projects=["shop"])
    assert names(found) == ["db-1", "does-not-tell"]
    (note,) = found.notes
    assert note.startswith("Containers left out for their status: 1 SOMETHING_NEW, 2 TASK_FAILED, 1 TASK_KILLED.")
    assert not found.warnings


@pytest.mark.parametrize(
    ("statuses", "expected"), [([], ["a", "b", "c"]), (["TASK_FAILED", "TASK_KILLED"], ["b", "c"])]
)
def test_other_statuses(platform: Platform, statuses: list[str], expected: list[str]) -> None:
    pairs = zip("abc", ("TASK_RUNNING", "TASK_FAILED", "TASK_KILLED"), strict=True)
    items = [{"name": name, "status": status} for name, status in pairs]
    platform.expects(
        project("shop", addons=[DATABASE]), listed("/v1/projects/shop/addons/db/containers", "containers", items)
    )
    assert names(read(projects=["shop"], statuses=statuses)) == expected


# Tags and details


def test_tags_cost_one_list_for_each_kind_that_a_project_has(platform: Platform) -> None:
    other = {**DATABASE, "id": "other", "appId": "/me/shop/other"}
    platform.expects(
        project("shop", addons=[DATABASE, other], services=[WEB]),
        project("lab", jobs=[NIGHTLY]),
        listed(
            "/v1/projects/shop/addons",
            "addons",
            [{**DATABASE, "tags": ["a", "prod"], "status": "running"}, {**other, "tags": []}],
        ),
        listed("/v1/projects/shop/services", "services", [{**WEB, "tags": ["b"]}]),
        listed("/v1/projects/lab/jobs", "jobs", [{**NIGHTLY, "tags": ["prod"]}]),
        containers("shop/addons/db", "db-0"),
        containers("lab/jobs/nightly", "nightly-0"),
    )
    found = read(projects=["shop", "lab"], tags=["prod", "more"])
    assert names(found) == ["db-0", "nightly-0"]
    assert found.hosts[0]["facts"]["addon"] == {
        "id": "db",
        "app_id": "/me/shop/db",
        "name": "Db",
        "spec": {"type": "mongodb"},
        "tags": ["a", "prod"],
        "status": "running",
    }
    assert found.notes == ["Left out for their tags: 2 addons, services and jobs."]


def test_a_platform_that_does_not_tell_tags_is_warned_about(platform: Platform) -> None:
    platform.expects(
        project("shop", addons=[DATABASE], services=[WEB]),
        listed("/v1/projects/shop/addons", "addons", [DATABASE]),
        listed("/v1/projects/shop/services", "services", [{**WEB, "tags": ["prod"]}]),
        containers("shop/services/web", "web-0"),
    )
    found = read(projects=["shop"], tags=["prod"])
    assert names(found) == ["web-0"]
    assert found.warnings == [
        "Left out, as the platform does not tell their tags: shop/addon/db. Without the option tags they are there."
    ]


def test_details_that_cannot_be_read_cost_no_host(platform: Platform) -> None:
    platform.expects(
        project("shop", addons=[DATABASE], services=[WEB]),
        get("/v1/projects/shop/addons", error_reply(403), per_page=100),
        listed("/v1/projects/shop/services", "services", [{**WEB, "tags": [], "status": {"build": {}}}]),
        containers("shop/addons/db", "db-0"),
        containers("shop/services/web", "web-0"),
    )
    found = read(projects=["shop"], details=True)
    assert names(found) == ["db-0", "web-0"]
    assert found.hosts[1]["facts"]["service"]["status"] == {"build": {}}
    (warning,) = found.warnings
    assert warning.startswith(
        "The lists shop/addons could not be read, so tags and states of what they hold are unknow"
    )


def test_a_token_that_may_not_read_details_at_all_costs_no_host(platform: Platform) -> None:
    platform.expects(
        project("shop", addons=[DATABASE]),
        get("/v1/projects/shop/addons", error_reply(403), per_page=100),
        containers("shop/addons/db", "db-0"),
    )
    found = read(projects=["shop"], details=True)
    assert names(found) == ["db-0"]
    assert len(found.warnings) == 1


def test_without_any_tags_there_is_nothing_to_select_by(platform: Platform) -> None:
    platform.expects(
        project("shop", addons=[DATABASE]), get("/v1/projects/shop/addons", error_reply(403), per_page=100)
    )
    with pytest.raises(ApiError, match=r"^shop/addons: "):
        read(projects=["shop"], tags=["prod"])


def test_a_project_that_does_not_say_what_it_holds(platform: Platform) -> None:
    platform.expects(
        get("/v1/projects/shop", json_reply({"data": {"id": "shop", "services": [], "jobs": None}})),
        listed("/v1/projects/shop/addons", "addons", [DATABASE]),
        listed("/v1/projects/shop/jobs", "jobs", []),
        containers("shop/addons/db", "db-0"),
    )
    assert names(read(projects=["shop"])) == ["db-0"]


# Backups


def test_backups_cost_two_lists_for_each_addon_with_a_host(platform: Platform) -> None:
    empty = {**DATABASE, "id": "empty"}
    backups = [
        {"id": "b1", "createdAt": "2024-01-01T00:00:00.000Z"},
        {"id": "b2", "createdAt": "2024-03-01 00:00:00.000Z", "config": {"size": "7"}},
        {"id": "b3", "createdAt": None},
    ]
    restores = [
        {"id": 1693287033325, "restoreTimestamp": "2021-01-20T11:19:54.494Z", "backupId": "b1"},
        {"id": "older", "restoreTimestamp": 1611141087},
    ]
    platform.expects(
        project("shop", addons=[DATABASE, empty], services=[WEB]),
        containers("shop/addons/db", "db-0", "db-1"),
        containers("shop/addons/empty", "gone-0", status="TASK_KILLED"),
        containers("shop/services/web", "web-0"),
        listed("/v1/projects/shop/addons/db/backups", "backups", backups),
        listed("/v1/projects/shop/addons/db/restores", "restores", restores),
    )
    first, second, web = read(projects=["shop"], backups=True).hosts
    assert first["facts"]["last_backup"] == {
        "id": "b2",
        "created_at": "2024-03-01 00:00:00.000Z",
        "config": {"size": "7"},
    }
    assert first["facts"]["last_restore"]["id"] == "1693287033325"
    assert second["facts"]["last_backup"] is first["facts"]["last_backup"]
    assert "last_backup" not in web["facts"]


@pytest.mark.parametrize(
    "answer", [page("backups", []), error_reply(404), json_reply({"data": {}})], ids=["empty", "404", "absent"]
)
def test_no_backup_is_null(platform: Platform, answer: Reply) -> None:
    platform.expects(
        project("shop", addons=[DATABASE]),
        containers("shop/addons/db", "db-0"),
        get("/v1/projects/shop/addons/db/backups", answer, per_page=100),
        get("/v1/projects/shop/addons/db/restores", page("restores", []), per_page=100),
    )
    found = read(projects=["shop"], backups=True)
    facts = the_host(found)["facts"]
    assert (facts["last_backup"], facts["last_restore"]) == (None, None)
    assert not found.warnings


def test_backups_that_cannot_be_read_are_unknown_and_not_null(platform: Platform) -> None:
    platform.expects(
        project("shop", addons=[DATABASE]),
        containers("shop/addons/db", "db-0"),
        get("/v1/projects/shop/addons/db/backups", error_reply(500), per_page=100),
        get("/v1/projects/shop/addons/db/restores", page("restores", []), per_page=100),
    )
    found = read(projects=["shop"], backups=True)
    facts = the_host(found)["facts"]
    assert "last_backup" not in facts
    assert facts["last_restore"] is None
    assert "shop/addon/db/backups" in found.warnings[0]


def test_a_token_that_may_not_read_backups_at_all_costs_no_host(platform: Platform) -> None:
    platform.expects(
        project("shop", addons=[DATABASE]),
        containers("shop/addons/db", "db-0"),
        get("/v1/projects/shop/addons/db/backups", error_reply(403), per_page=100),
        get("/v1/projects/shop/addons/db/restores", error_reply(403), per_page=100),
    )
    found = read(projects=["shop"], backups=True)
    facts = the_host(found)["facts"]
    assert "last_backup" not in facts
    assert "last_restore" not in facts
    (warning,) = found.warnings
    assert "shop/addon/db/backups, shop/addon/db/restores" in warning


def test_time_stamps_of_every_shape_have_an_order() -> None:
    stamps = [
        None,
        1,
        "1611141087",
        "2021-01-20T11:19:54.494Z",
        "2021-01-20 11:19:55.000Z",
        "2021-01-20T11:19:56+00:00'",
        "2021-01-20T11:19:57",
        1693287033325,
        "2024-08-01",
    ]
    for order in (stamps, stamps[::-1], stamps[4:] + stamps[:4]):
        assert sorted(order, key=moment) == stamps
    assert moment("soon") == moment({}) == -math.inf


ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@given(stamps=st.lists(ODD, max_size=6))
def test_no_time_stamp_is_too_odd(stamps: list[t.Any]) -> None:
    items = [{"at": stamp} for stamp in stamps]
    assert (latest(items, "at") in items) if items else latest(items, "at") is None


# What goes wrong


def test_a_failing_project_is_named_and_the_others_stay(platform: Platform) -> None:
    platform.expects(
        listed("/v1/projects", "projects", [{"id": "bad"}, {"id": "gone"}, {"id": "shop"}, {"name": "without id"}]),
        get("/v1/projects/bad", error_reply(500, "Out of order")),
        get("/v1/projects/gone", error_reply(404)),
        project("shop", addons=[DATABASE]),
        containers("shop/addons/db", "db-0"),
    )
    found = read()
    assert names(found) == ["db-0"]
    without, bad = found.warnings
    assert without == "The platform lists a project without an id: what is there is missing."
    assert bad.startswith("The projects bad could not be read, so their hosts are missing. GET /v1/projects/bad failed")
    assert "Out of order" in bad
    assert found.notes == ["Gone meanwhile: gone."]


def test_a_project_that_is_asked_for_and_does_not_exist(platform: Platform) -> None:
    platform.expects(
        get("/v1/projects/nope", error_reply(404)),
        project("shop", addons=[DATABASE]),
        containers("shop/addons/db", "db-0"),
    )
    found = read(projects=["nope", "shop"])
    assert names(found) == ["db-0"]
    assert 'The project "nope" was not found (option projects).' in found.warnings[0]


def test_nothing_at_all_is_an_error(platform: Platform) -> None:
    platform.expects(get("/v1/projects/nope", error_reply(404)), get("/v1/projects/neither", error_reply(404)))
    with pytest.raises(NotFoundError, match=r'^nope: The project "nope" was not found'):
        read(projects=["nope", "neither"])


def test_a_team_that_does_not_exist_is_named(platform: Platform) -> None:
    platform.expects(
        get("/v1/teams/ours/projects", error_reply(404), per_page=100),
        get("/v1/teams/ours/projects", error_reply(404), per_page=1),
    )
    with pytest.raises(NotFoundError, match='The team "ours" was not found'):
        read(team="ours")


def test_alike_errors_are_one_warning_with_all_names(platform: Platform) -> None:
    addons = [{**DATABASE, "id": f"db{number}"} for number in range(4)]
    place = "/v1/projects/shop/addons/db{}/containers"
    platform.expects(
        project("shop", addons=addons),
        get(place.format(0), error_reply(403, "Not yours"), per_page=100),
        containers("shop/addons/db1", "db-0"),
        get(place.format(2), error_reply(403, "Not yours"), per_page=100),
        get(place.format(3), Reply(404, b"<html>who knows</html>"), per_page=100),
    )
    found = read(projects=["shop"])
    assert names(found) == ["db-0"]
    refused, foreign = found.warnings
    assert refused.startswith("The containers of shop/addon/db0, shop/addon/db2 could not be read, so these hosts are")
    assert "Not yours" in refused
    assert "Project > Addons > General > Read" in refused
    assert "shop/addon/db3" in foreign


def test_no_permission_for_any_containers_is_an_error(platform: Platform) -> None:
    platform.expects(
        project("shop", addons=[DATABASE]),
        get("/v1/projects/shop/addons/db/containers", error_reply(403), per_page=100),
    )
    with pytest.raises(ApiError, match=r"^shop/addon/db: GET /v1/projects/shop/addons/db/containers failed with"):
        read(projects=["shop"])


def test_what_vanished_meanwhile_is_only_noted(platform: Platform) -> None:
    platform.expects(
        project("shop", addons=[DATABASE]),
        get("/v1/projects/shop/addons/db/containers", error_reply(404), per_page=100),
    )
    found = read(projects=["shop"])
    assert (found.hosts, found.warnings, found.notes) == ([], [], ["Gone meanwhile: shop/addon/db."])


def test_an_addon_without_an_id_cannot_be_read_and_is_warned_about(platform: Platform) -> None:
    platform.expects(
        project("shop", addons=[{"name": "who"}, {**DATABASE, "id": 7}]), containers("shop/addons/7", "db-0")
    )
    found = read(projects=["shop"])
    assert the_host(found)["connection"]["ansible_northflank_resource_id"] == "7"
    assert found.warnings == ["The platform lists one of the addons of shop without an id: what is there is missing."]


@pytest.mark.parametrize("order", [*itertools.permutations(["db", "shop", "web"])])
def test_the_order_is_that_of_the_platform_however_many_requests_run(
    platform: Platform, order: tuple[str, ...]
) -> None:
    platform.expects(
        project("shop", addons=[{**DATABASE, "id": identity} for identity in order]),
        *(containers(f"shop/addons/{identity}", f"{identity}-0") for identity in order),
        any_order=True,
    )
    assert names(read(projects=["shop"], concurrency=3)) == [f"{identity}-0" for identity in order]
