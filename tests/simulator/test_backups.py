# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups and restores that requests set going: their lives on the clock, what is refused, what can be switched."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.simulator import Reply, Simulator

STAGING = "/v1/projects/staging/addons"
LEDGER = f"{STAGING}/ledger-postgres"
SCRATCH = f"{STAGING}/restore-scratch"
GOOD = f"{LEDGER}/backups/nightly-2026-11-02"
OF_LEDGER = "?sourceProjectId=staging&sourceAddonId=ledger-postgres"


def begin(sim: Simulator, addon: str = LEDGER, **body: Any) -> str:
    """Start a backup and return its path."""
    reply = sim.send("POST", f"{addon}/backups", body)
    assert reply.status == 200, reply.data
    return f"{addon}/backups/{reply.data['data']['id']}"


def restore(sim: Simulator, backup: str = "nightly-2026-11-02", addon: str = SCRATCH, query: str = OF_LEDGER) -> Reply:
    """Start a restore and return the answer."""
    return sim.send("POST", f"{addon}/backups/{backup}/restore{query}")


def data(sim: Simulator, path: str) -> dict[str, Any]:
    """Return a thing."""
    found: dict[str, Any] = sim.get(path).data["data"]
    return found


def status(sim: Simulator, *paths: str) -> list[str]:
    """Return the states of things."""
    return [data(sim, path)["status"] for path in paths]


def error(reply: Reply) -> tuple[int, str]:
    """Return status and message of an error."""
    return reply.status, reply.data["error"]["message"]


def test_a_backup_lives(still: Simulator) -> None:
    answer = still.send("POST", f"{LEDGER}/backups", {})
    assert (answer.status, set(answer.data)) == (200, {"data"})
    made = answer.data["data"]
    assert made["name"] == "Manual 2026-11-02 08:00:00"
    assert made["status"] == "scheduled"
    assert made["createdAt"] == "2026-11-02T08:00:00.000Z"
    assert made["config"] == {"size": "0", "addonVersion": "14.13.0", "source": {"type": "snapshot"}}
    assert "completedAt" not in made
    path = f"{LEDGER}/backups/{made['id']}"
    assert data(still, path) == made
    seen = []
    for moment in (0, 0.4, 0.5, 1.9, 2.0):
        still.clock(set=f"2026-11-02T08:00:0{moment}00Z" if moment else "2026-11-02T08:00:00Z")
        seen.append(status(still, path, LEDGER))
    assert seen == [
        ["scheduled", "running"],
        ["scheduled", "running"],
        ["in-progress", "backup"],
        ["in-progress", "backup"],
        ["completed", "running"],
    ]
    done = data(still, path)
    assert (done["completedAt"], done["config"]["size"]) == ("2026-11-02T08:00:02.000Z", "104857600")
    assert data(still, f"{LEDGER}/backups")["backups"][-1]["id"] == made["id"]


def test_times_and_size_are_settings(still: Simulator) -> None:
    still.settings(backups={"scheduled": 10, "running": 100, "size": 7})
    path = begin(still)
    still.clock(advance=109)
    assert status(still, path) == ["in-progress"]
    still.clock(advance=1)
    assert data(still, path)["config"]["size"] == "7"


def test_what_the_body_says_is_kept(still: Simulator) -> None:
    more = [{"destinationId": "offsite-s3", "type": "custom", "retentionTime": 30}]
    path = begin(
        still,
        name="drill/2026-11-02 a:b",
        backupType="dump",
        compressionType="zstd",
        customDestinationId="offsite-s3",
        additionalDestinations=more,
    )
    assert path == f"{LEDGER}/backups/drill-2026-11-02-a-b"
    item = data(still, f"{LEDGER}/backups")["backups"][-1]
    assert (item["name"], item["customDestinationId"]) == ("drill/2026-11-02 a:b", "offsite-s3")
    assert item["config"]["compressionType"] == "zstd"
    assert item["config"]["additionalDestinations"] == more


def test_equal_names_have_different_ids(still: Simulator) -> None:
    paths = [begin(still, name="same name") for _number in range(3)] + [begin(still), begin(still)]
    assert len(set(paths)) == 5
    still.settings(backups={"same_name": "conflict"})
    reply = still.send("POST", f"{LEDGER}/backups", {"name": "same name"})
    assert error(reply) == (409, "A backup with this name already exists")


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {"name": "ab"},
        {"name": "x" * 40},
        {"name": "a--b"},
        {"name": "before: x"},
        {"name": "naïve"},
        {"name": None},
        {"name": 123},
        {"backupType": "full"},
        {"compressionType": "zip"},
        {"customDestinationId": "offsite-s3"},
        {"customDestinationId": "off site", "backupType": "dump"},
        {"additionalDestinations": {}},
        {"additionalDestinations": [{"type": "custom"}]},
        {"additionalDestinations": [{"destinationId": "offsite-s3", "type": "s3"}]},
        {"additionalDestinations": [{"destinationId": "offsite-s3", "type": "custom", "retentionTime": 0}]},
        {"additionalDestinations": [{"destinationId": "offsite-s3", "type": "custom", "days": 1}]},
        {"backup_type": "dump"},
    ],
)
def test_bodies_that_make_no_sense(still: Simulator, body: Any) -> None:
    before = len(data(still, f"{LEDGER}/backups")["backups"])
    reply = still.send("POST", f"{LEDGER}/backups", body)
    assert reply.status == 400
    assert reply.data["error"]["message"].startswith("Invalid request body")
    assert len(data(still, f"{LEDGER}/backups")["backups"]) == before


def test_a_start_needs_no_body(still: Simulator) -> None:
    assert still.send("POST", f"{LEDGER}/backups").status == 200


@pytest.mark.parametrize("outcome", ["failed", "aborted", "not-supported"])
def test_backups_that_go_wrong(still: Simulator, outcome: str) -> None:
    still.settings(backups={"outcome": outcome, "outcome_of": "ledger-*", "outcome_times": 1})
    wrong, good, other = begin(still), begin(still), begin(still, SCRATCH)
    still.clock(advance=2)
    assert status(still, wrong, good, other) == [outcome, "completed", "completed"]
    assert data(still, wrong)["config"]["size"] == "0"
    assert data(still, wrong)["completedAt"]
    assert status(still, LEDGER, SCRATCH) == ["running", "running"]


@pytest.mark.parametrize(("outcome", "addon"), [("scheduled", "running"), ("in-progress", "backup")])
def test_backups_that_never_end(still: Simulator, outcome: str, addon: str) -> None:
    still.settings(backups={"outcome": outcome})
    path = begin(still)
    still.clock(advance=10**6)
    assert status(still, path, LEDGER) == [outcome, addon]
    assert still.send("POST", f"{path}/abort").data == {"data": {}}
    still.clock(advance=1)
    assert status(still, path, LEDGER) == ["aborted", "running"]


def test_what_an_addon_has_no_backups_of(still: Simulator) -> None:
    dump, snapshot = (
        begin(still, "/v1/projects/storefront/addons/asset-store", backupType=kind) for kind in ("dump", "snapshot")
    )
    bucket = begin(still, "/v1/projects/data-platform/addons/lake")
    still.clock(advance=2)
    assert status(still, dump, snapshot, bucket) == ["not-supported", "completed", "not-supported"]


def test_backup_aborted(still: Simulator) -> None:
    path = begin(still)
    still.clock(advance=1)
    assert still.send("POST", f"{path}/abort").data == {"data": {}}
    assert status(still, path, LEDGER) == ["aborting", "backup"]
    assert still.send("POST", f"{path}/abort").status == 200
    still.clock(advance=0.5)
    assert status(still, path, LEDGER) == ["aborted", "running"]
    assert data(still, path)["completedAt"] == "2026-11-02T08:00:01.500Z"
    still.clock(advance=60)
    assert status(still, path) == ["aborted"]
    assert error(still.send("POST", f"{path}/abort"))[0] == 409
    still.settings(aborts={"ended": "ignore"})
    assert still.send("POST", f"{path}/abort").data == {"data": {}}
    assert status(still, path) == ["aborted"]


def test_a_backup_of_the_estate_is_aborted(still: Simulator) -> None:
    path = "/v1/projects/storefront/addons/orders-postgres/backups/hourly-2026-11-02-07-00"
    still.send("POST", f"{path}/abort")
    still.clock(advance=100)
    assert status(still, path) == ["aborted"]


def test_two_backups_at_a_time(still: Simulator) -> None:
    still.settings(backups={"running": 10})
    first = begin(still)
    still.clock(advance=5)
    second = begin(still)
    still.clock(advance=6)
    assert status(still, first, second, LEDGER) == ["completed", "in-progress", "backup"]
    still.settings(backups={"concurrent": "conflict"})
    assert error(still.send("POST", f"{LEDGER}/backups")) == (409, "Another backup of this addon is under way")
    still.clock(advance=5)
    assert status(still, second, LEDGER) == ["completed", "running"]
    begin(still)


@pytest.mark.parametrize(("refusal", "code"), [("allow", 200), ("conflict", 409), ("bad-request", 400)])
def test_an_addon_that_does_not_run(still: Simulator, refusal: str, code: int) -> None:
    paused = "/v1/projects/storefront/addons/asset-store"
    still.settings(backups={"not_running": refusal})
    assert still.send("POST", f"{paused}/backups", {}).status == code
    still.clock(advance=1)
    assert status(still, paused) == ["paused"]
    assert still.send("POST", f"{LEDGER}/backups", {}).status == 200


def test_addon_status_can_stay(still: Simulator) -> None:
    still.settings(backups={"addon_status": False}, restores={"addon_status": False})
    path = begin(still)
    restore(still)
    still.clock(advance=1)
    assert status(still, path, LEDGER, SCRATCH) == ["in-progress", "running", "running"]


def test_retain(still: Simulator) -> None:
    before = data(still, GOOD)
    assert still.send("POST", f"{GOOD}/retain").data == {"data": {}}
    assert data(still, GOOD) == before


def test_delete(still: Simulator) -> None:
    assert still.send("DELETE", GOOD).data == {"data": {}}
    assert still.get(GOOD).status == 404
    assert [item["id"] for item in data(still, f"{LEDGER}/backups")["backups"]] == ["nightly-2026-11-01"]
    assert error(still.send("DELETE", GOOD)) == (404, "Backup not found")


def test_delete_of_what_is_in_use(still: Simulator) -> None:
    path = begin(still)
    still.clock(advance=1)
    restore(still)
    assert [still.send("DELETE", each).status for each in (path, GOOD)] == [409, 409]
    still.settings(backups={"delete_active": "allow"})
    assert still.send("DELETE", path).status == 200
    assert status(still, LEDGER) == ["running"]
    still.clock(advance=60)
    assert still.get(path).status == 404
    assert still.send("DELETE", GOOD).status == 200
    assert [each["status"] for each in data(still, f"{SCRATCH}/restores")["restores"]] == ["completed"]


def test_a_restore_of_another_addons_backup(still: Simulator) -> None:
    answer = restore(still)
    identifier = answer.data["data"]["restoreId"]
    assert (answer.status, answer.data) == (200, {"data": {"restoreId": identifier}})
    assert re.fullmatch("[0-9a-f]{24}", identifier)
    path = f"{SCRATCH}/backups/nightly-2026-11-02/restores{OF_LEDGER}"
    seen = []
    for advance in (0, 0.5, 1.5):
        still.clock(advance=advance)
        (found,) = data(still, path)["restores"]
        (same,) = data(still, f"{SCRATCH}/restores")["restores"]
        assert {**found, "backupId": "nightly-2026-11-02"} == same
        seen.append((found["status"], *status(still, SCRATCH, LEDGER), found.get("completedAt")))
    assert seen == [
        ("scheduled", "running", "running", None),
        ("in-progress", "restore", "running", None),
        ("completed", "running", "running", "2026-11-02T08:00:02.000Z"),
    ]
    assert (found["id"], found["restoreTimestamp"]) == (identifier, "2026-11-02T08:00:00.000Z")
    assert "lastRestore" not in data(still, GOOD)


def test_a_restore_into_the_same_addon(still: Simulator) -> None:
    assert restore(still, addon=LEDGER, query="").status == 200
    still.clock(advance=1)
    assert status(still, LEDGER) == ["restore"]
    last = {"restoreTimestamp": "2026-11-02T08:00:00.000Z", "status": "in-progress"}
    assert data(still, GOOD)["lastRestore"] == last
    still.clock(advance=1)
    assert data(still, GOOD)["lastRestore"] == {
        **last,
        "status": "completed",
        "completedAt": "2026-11-02T08:00:02.000Z",
    }


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"query": ""}, (404, "Backup not found")),
        ({"backup": "nothing"}, (404, "Backup not found")),
        ({"query": "?sourceProjectId=nope&sourceAddonId=ledger-postgres"}, (404, "Project not found")),
        ({"query": "?sourceProjectId=staging&sourceAddonId=nope"}, (404, "Addon not found")),
        ({"addon": f"{STAGING}/nope"}, (404, "Addon not found")),
        (
            {"addon": f"{STAGING}/wiped-mysql"},
            (400, "A backup of a postgresql addon cannot be restored into a mysql addon"),
        ),
        (
            {
                "backup": "nightly-2026-10-31",
                "query": "?sourceProjectId=storefront&sourceAddonId=orders-postgres",
            },
            (409, "The backup cannot be restored: its status is failed"),
        ),
    ],
)
def test_restores_that_cannot_be(still: Simulator, arguments: dict[str, str], expected: tuple[int, str]) -> None:
    assert error(restore(still, **arguments)) == expected
    assert data(still, f"{SCRATCH}/restores")["restores"] == []


@pytest.mark.parametrize("after", ["running", "failed", "error"])
def test_a_restore_that_fails(still: Simulator, after: str) -> None:
    settings = {"outcome": "failed", "outcome_of": "restore-scratch", "outcome_times": 1, "addon_after_failure": after}
    still.settings(restores=settings)
    restore(still)
    still.clock(advance=2)
    assert [each["status"] for each in data(still, f"{SCRATCH}/restores")["restores"]] == ["failed"]
    assert status(still, SCRATCH) == [after]
    restore(still)
    still.clock(advance=2)
    assert [each["status"] for each in data(still, f"{SCRATCH}/restores")["restores"]] == ["failed", "completed"]


def test_restore_aborted(still: Simulator) -> None:
    identifier = restore(still).data["data"]["restoreId"]
    path = f"{SCRATCH}/backups/nightly-2026-11-02/abort-restore"
    still.clock(advance=1)
    for body in (None, {}, {"restoreId": 7}, {"restoreId": ""}, {"restoreId": identifier, "more": 1}):
        assert still.send("POST", path + OF_LEDGER, body).status == 400
    assert error(still.send("POST", path + OF_LEDGER, {"restoreId": "0" * 24})) == (404, "Restore not found")
    assert error(still.send("POST", path, {"restoreId": identifier})) == (404, "Backup not found")
    other = f"{SCRATCH}/backups/nightly-2026-11-01/abort-restore{OF_LEDGER}"
    assert error(still.send("POST", other, {"restoreId": identifier})) == (404, "Restore not found")
    assert still.send("POST", path + OF_LEDGER, {"restoreId": identifier}).data == {"data": {}}
    found = f"{SCRATCH}/restores"
    assert [each["status"] for each in data(still, found)["restores"]] == ["aborting"]
    assert status(still, SCRATCH) == ["restore"]
    still.clock(advance=0.5)
    assert [each["status"] for each in data(still, found)["restores"]] == ["aborted"]
    assert status(still, SCRATCH) == ["running"]
    assert still.send("POST", path + OF_LEDGER, {"restoreId": identifier}).status == 409


def test_restores_that_are_refused_by_settings(still: Simulator) -> None:
    still.settings(restores={"concurrent": "conflict", "not_running": "bad-request"})
    assert restore(still).status == 200
    assert error(restore(still)) == (409, "Another restore of this addon is under way")
    assert restore(still, addon=f"{STAGING}/scaling-postgres").status == 400
    still.clock(advance=2)
    assert restore(still).status == 200


def test_a_restore_beside_a_backup(still: Simulator) -> None:
    still.settings(backups={"running": 10})
    begin(still, SCRATCH)
    still.clock(advance=1)
    restore(still)
    still.clock(advance=0.5)
    assert status(still, SCRATCH) == ["restore"]
    still.clock(advance=1.5)
    assert status(still, SCRATCH) == ["backup"]
    still.clock(advance=10)
    assert status(still, SCRATCH) == ["running"]


def test_ids_of_restores_in_the_oldest_shapes(still: Simulator) -> None:
    still.settings(compatibility="seed")
    own = {"addon": LEDGER, "query": ""}
    ids = [restore(still, **own).data["data"]["restoreId"] for _number in range(2)]
    assert ids == ["1793606400000", "1793606400001"]
    found = data(still, f"{GOOD}/restores")["restores"]
    assert [each["id"] for each in found] == [1793606400000, 1793606400001]
    assert still.send("POST", f"{GOOD}/abort-restore", {"restoreId": ids[1]}).status == 200
    assert [each["status"] for each in data(still, f"{GOOD}/restores")["restores"]] == ["scheduled", "aborting"]


WRITES = [
    ("POST", f"{LEDGER}/backups"),
    ("DELETE", GOOD),
    ("POST", f"{GOOD}/abort"),
    ("POST", f"{GOOD}/retain"),
    ("POST", f"{GOOD}/restore"),
    ("POST", f"{GOOD}/abort-restore"),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_permissions_and_teams(still: Simulator, method: str, path: str) -> None:
    before = still.estate()["northflank"]["teams"]
    for token in ("read-only", "no-addons"):
        reply = still.send(method, path, token=token)
        assert reply.status == 403
        assert reply.data["error"]["details"] == {"permission": "Project > Addons > General > Update"}
    assert still.send(method, path, token="one-project").status == 404
    assert still.send(method, path, token="expired").status == 401
    assert still.send(method, path, token="org").status == 400
    assert still.send(method, path.replace("/v1", "/v1/teams/tidewater-labs", 1), token="org").status == 404
    assert still.estate()["northflank"]["teams"] == before


def test_a_token_of_one_project_restores_nothing_of_another(still: Simulator) -> None:
    addon = "/v1/projects/storefront/addons/orders-postgres"
    path = f"{addon}/backups/nightly-2026-11-02/restore{OF_LEDGER}"
    assert error(still.send("POST", path, token="one-project")) == (404, "Project not found")


def test_with_a_team(still: Simulator) -> None:
    addon = LEDGER.replace("/v1", "/v1/teams/tidewater", 1)
    made = still.send("POST", f"{addon}/backups", {"name": "by team"}, token="org")
    assert (made.status, data(still, f"{LEDGER}/backups/by-team")["name"]) == (200, "by team")


def test_an_answer_that_is_lost(still: Simulator) -> None:
    still.fault("POST", "*/backups", {"reset": "after"})
    with pytest.raises(OSError, match="reset by peer"):
        still.send("POST", f"{LEDGER}/backups", {"name": "not heard of"})
    assert status(still, f"{LEDGER}/backups/not-heard-of") == ["scheduled"]
    (entry,) = [each for each in still.journal() if each["method"] == "POST"]
    assert (entry["route"], entry["body"]) == (
        "/v1/projects/{projectId}/addons/{addonId}/backups",
        {"name": "not heard of"},
    )


def test_reset_forgets_what_was_done(sim: Simulator) -> None:
    before = sim.estate()["northflank"]["teams"]
    sim.settings(backups={"outcome": "failed", "outcome_times": 1})
    begin(sim)
    restore(sim)
    sim.send("POST", f"{GOOD}/retain")
    sim.send("DELETE", f"{LEDGER}/backups/nightly-2026-11-01")
    assert sim.estate()["northflank"]["teams"] != before
    sim.reset()
    assert sim.estate()["northflank"]["teams"] == before
    path = begin(sim)
    sim.clock(advance=3)
    assert status(sim, path) == ["completed"]


def test_versions(still: Simulator) -> None:
    found = data(still, f"{LEDGER}/version")
    assert (found["version"], found["lifecycleStatus"]) == ("14.13.0", "deprecated")
    assert (found["discontinuedBy"], found["upgradeHistory"]) == ("01.08.2027", [])
    assert {"version": "14.15.0", "type": "minor"} in found["upgradeTo"]
    assert {"version": "16.4.0", "type": "major"} in found["upgradeTo"]
    assert data(still, "/v1/projects/data-platform/addons/feature-store/version")["upgradeTo"] == []
    legacy = data(still, "/v1/projects/storefront/addons/legacy-mongo/version")
    assert (legacy["lifecycleStatus"], legacy["discontinuedBy"]) == ("discontinued", "30.04.2023")
    for addon in ("kafka", "lake"):
        reply = still.get(f"/v1/projects/data-platform/addons/{addon}/version")
        assert (reply.status, reply.data["error"]["id"]) == (404, "addon-version-not-found")


def test_the_version_follows_an_upgrade(still: Simulator) -> None:
    path = "/v1/projects/storefront/addons/shop-mysql/version"
    before = data(still, path)
    assert (before["version"], before["upgradeHistory"][0]["status"]) == ("8.0.33", {"status": "in-progress"})
    assert "completedAt" not in before["upgradeHistory"][0]
    still.clock(advance=180)
    after = data(still, path)
    assert (after["version"], after["lifecycleStatus"], after["upgradeTo"]) == ("8.4.3", "active", [])
    assert "discontinuedBy" not in after
    assert after["upgradeHistory"][0]["status"] == {"status": "completed"}
    assert after["upgradeHistory"][0]["completedAt"] == "2026-11-02T08:03:00.000Z"


def test_types_of_addons(still: Simulator) -> None:
    types = {each["type"]: each for each in data(still, "/v1/addon-types")["addonTypes"]}
    managed = {
        (addon["spec"]["type"], addon["spec"]["config"]["versionTag"])
        for team in still.estate()["northflank"]["teams"]
        for project in team["projects"]
        for addon in project["addons"]
        if "versionTag" in addon["spec"]["config"]
    }
    assert all(version in types[kind]["versions"] for kind, version in managed)
    assert types["postgresql"]["features"]["backupsDump"] is True
    assert types["minio"]["features"]["backupsDump"] is False
    assert types["mysql"]["major"] == ["8"]
