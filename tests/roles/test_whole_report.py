# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of an estate says what is in the estate, whatever the estate is like."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from report_runs import MOMENT, content, facts, report, result
from role_runs import RoleRun

from support.shared_run import SharedRun
from support.simulator import Simulator

Whole = tuple[RoleRun, dict[str, Any]]


@pytest.fixture(scope="module")
def shared_run(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> SharedRun[Whole]:
    """A report on the whole shipped estate, and the estate, which does not move meanwhile."""

    def run() -> Whole:
        simulator.reset()
        simulator.clock(set=MOMENT, freeze=True)
        estate = simulator.estate()
        get = simulator.cycle.get
        estate["instances"] = [
            instance
            for container in get("/v1/containers?page[size]=100").data["data"]
            for instance in get(f"/v1/containers/{container['id']}/instances?page[size]=100").data["data"]
        ]
        done = report(simulator, tmp_path_factory.mktemp("whole"))
        assert done.code == 0, done.output[-3000:]
        return done, estate

    return SharedRun(run)


@pytest.fixture
def whole(shared_run: SharedRun[Whole]) -> Whole:
    """A report on the whole shipped estate, and the estate."""
    return shared_run.result()


def projects(estate: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = estate["northflank"]["teams"][0]["projects"]
    return found


def addons(estate: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{project['id']}/{addon['id']}": addon for project in projects(estate) for addon in project["addons"]}


def found_for(run: RoleRun, table: str, rule: str) -> set[str]:
    """The things that a rule found, as PROJECT/ADDON or by id."""
    tables = facts(run)["tables"]
    rows = {row["row"]: row for rows in tables.values() for row in rows}
    hits = [rows[one["row"]] for one in facts(run)["findings"] if one["table"] == table and one["rule"] == rule]
    return {
        f"{row['project_id']}/{row.get('addon_id', row['id'])}" if "project_id" in row else row["id"] for row in hits
    }


def test_it_reads_everything_and_only_reads(whole: Whole) -> None:
    run, estate = whole
    assert not run.writes
    assert not [entry for entry in run.journal if entry["path"].endswith("/ssh")]
    tables = facts(run)["tables"]
    every = addons(estate).values()
    assert len(tables["addons"]) == len(every)
    assert len(tables["addon_containers"]) == sum(len(addon["containers"]) for addon in every)
    assert len(tables["backups"]) == sum(len(addon["backups"]) for addon in every)
    assert len(tables["restores"]) == sum(len(addon["restores"]) for addon in every)
    templates = estate["northflank"]["teams"][0]["templates"]
    assert len(tables["template_runs"]) == sum(len(template["runs"]) for template in templates)
    assert {row["id"] for row in tables["templates"]} == {template["id"] for template in templates}
    assert {row["name"] for row in tables["servers"]} == {server["hostname"] for server in estate["cycle"]["servers"]}
    assert {row["id"] for row in tables["instances"]} == {instance["id"] for instance in estate["instances"]}


def test_it_finds_what_is_wrong_with_addons(whole: Whole) -> None:
    run, estate = whole
    every = addons(estate)
    broken = {key for key, addon in every.items() if addon["status"] in ("failed", "error", "errorAllocating")}
    assert broken
    assert found_for(run, "addons", "addon_state") >= broken
    ending = {
        key
        for key, addon in every.items()
        if addon["spec"]["config"].get("lifecycleStatus") not in (None, "active")
        and addon["status"] not in ("deleted", "deleting")
    }
    assert ending
    assert found_for(run, "addons", "addon_support") >= ending
    begins = (
        "preDeployment",
        "triggerAllocation",
        "allocating",
        "postDeployment",
        "resetting",
        "errorAllocating",
        "paused",
        "deleting",
        "deleted",
    )
    without = {
        key
        for key, addon in every.items()
        if addon["spec"]["config"].get("versionTag")
        and addon["status"] not in begins
        and addon["createdAt"] < "2026-11-01T06:00"
        and not [backup for backup in addon["backups"] if backup["status"] == "completed"]
    }
    assert without
    assert found_for(run, "addons", "backup_missing") == without


def test_it_finds_what_is_wrong_with_instances(whole: Whole) -> None:
    run, estate = whole
    failed = {instance["id"] for instance in estate["instances"] if instance["state"]["current"] == "failed"}
    unwell = {
        instance["id"]
        for instance in estate["instances"]
        if instance["state"]["current"] == "running" and (instance["state"].get("health") or {}).get("healthy") is False
    }
    assert failed
    assert unwell
    assert found_for(run, "instances", "instance_failed") == failed
    assert found_for(run, "instances", "instance_unhealthy") == unwell
    by_server = {row["name"]: row["instances"] for row in facts(run)["tables"]["servers"]}
    hosts = {server["id"]: server["hostname"] for server in estate["cycle"]["servers"]}
    counted = dict.fromkeys(hosts.values(), 0)
    for instance in estate["instances"]:
        if instance["state"]["current"] not in ("deleting", "deleted") and instance["ready_state"] != "purge":
            counted[hosts[instance["server_id"]]] += 1
    assert by_server == counted
    running = [row for row in facts(run)["tables"]["instances"] if row["state"] == "running"]
    assert [row for row in running if len(row["cpu_series"]) > 10]


def test_runs_are_counted_by_day(whole: Whole) -> None:
    run, estate = whole
    series = facts(run)["series"]
    every = [one for template in estate["northflank"]["teams"][0]["templates"] for one in template["runs"]]
    for day in series["template_runs"]:
        of_day = [one for one in every if one["createdAt"].startswith(day["day"])]
        assert sum(day[outcome] for outcome in ("success", "failed", "other", "open")) == len(of_day)
        assert day["success"] == sum(one["status"] == "success" for one in of_day)
        assert day["open"] == sum(not one["concluded"] for one in of_day)
    assert sum(day["failed"] for day in series["template_runs"]) > 0


def test_the_artifacts_and_the_last_words(whole: Whole) -> None:
    run, _estate = whole
    told = result(run)
    assert f"Report: {run.folder}/report/estate.html" in run.output
    assert told["html"] == f"{run.folder}/report/estate.html"
    assert told["findings"] == facts(run)["counts"]
    assert told["platforms"] == {"northflank": "read", "cycle": "read"}
    assert (told["passed"], told["reasons"], told["written"], told["put"]) == (True, [], True, False)
    assert "[WARNING]" not in run.output
    assert "[DEPRECATION" not in run.output


def test_no_secret_is_in_the_files_or_the_output(simulator: Simulator, whole: Whole) -> None:
    run, _estate = whole
    for kind in ("html", "json", "csv"):
        for secret in (*simulator.tokens.values(), *simulator.cycle.keys.values()):
            assert secret not in content(run, kind)
            assert secret not in run.output


def test_the_csv_has_a_line_for_each_row(whole: Whole) -> None:
    run, _estate = whole
    lines = list(csv.DictReader(io.StringIO(content(run, "csv"))))
    tables = facts(run)["tables"]
    assert {name: sum(line["table"] == name for line in lines) for name in tables} == {
        name: len(rows) for name, rows in tables.items()
    }
    critical = [line for line in lines if line["severity"] == "critical"]
    assert len(critical) == sum(row["severity"] == "critical" for rows in tables.values() for row in rows)
