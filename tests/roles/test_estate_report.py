# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of an estate says what is in the estate, whatever the estate is like and whatever of it can be read."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from role_runs import RoleRun, play

from support.simulator import Simulator, start_simulator

MOMENT = "2026-11-02T08:00:00Z"  # where the clock of the shipped estate starts
# What keeps a run short where the test is about something else.
SHORT = {"projects": ["storefront"], "telemetry_containers": 0}
NO_CYCLE = {"CYCLE_API_KEY": "", "CYCLE_HUB_ID": ""}
NO_NORTHFLANK = {"NORTHFLANK_API_TOKEN": ""}


def report(
    sim: Simulator, folder: Path, *arguments: str, env: dict[str, str] | None = None, **variables: Any
) -> RoleRun:
    """Runs the playbook at the moment at which the estate starts. The files go to the folder "report" below folder."""
    named = {f"estate_report_{name}": value for name, value in {"now": MOMENT, **variables}.items()}
    return play(
        sim, folder, "estate_report", {"estate_report_dest": str(folder / "report"), **named}, *arguments, env=env
    )


def content(run: RoleRun, kind: str) -> str:
    return (run.folder / "report" / f"estate.{kind}").read_text(encoding="utf-8")


def facts(run: RoleRun) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content(run, "json"))
    return found


def result(run: RoleRun) -> dict[str, Any]:
    found: dict[str, Any] = run.artifacts["estate_report_result"]
    return found


def checksums(run: RoleRun) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (run.folder / "report").iterdir()}


@pytest.fixture(scope="module")
def whole(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> tuple[RoleRun, dict[str, Any]]:
    """A report on the whole shipped estate, and the estate, which does not move meanwhile."""
    simulator.reset()
    simulator.clock(set=MOMENT, freeze=True)
    estate = simulator.estate()
    estate["instances"] = [
        instance
        for container in simulator.cycle.get("/v1/containers?page[size]=100").data["data"]
        for instance in simulator.cycle.get(f"/v1/containers/{container['id']}/instances?page[size]=100").data["data"]
    ]
    return report(simulator, tmp_path_factory.mktemp("whole")), estate


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


def test_it_reads_everything_and_only_reads(whole: tuple[RoleRun, dict[str, Any]]) -> None:
    run, estate = whole
    assert run.code == 0, run.output
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


def test_it_finds_what_is_wrong_with_addons(whole: tuple[RoleRun, dict[str, Any]]) -> None:
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


def test_it_finds_what_is_wrong_with_instances(whole: tuple[RoleRun, dict[str, Any]]) -> None:
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


def test_runs_are_counted_by_day(whole: tuple[RoleRun, dict[str, Any]]) -> None:
    run, estate = whole
    series = facts(run)["series"]
    every = [one for template in estate["northflank"]["teams"][0]["templates"] for one in template["runs"]]
    for day in series["template_runs"]:
        of_day = [one for one in every if one["createdAt"].startswith(day["day"])]
        assert sum(day[outcome] for outcome in ("success", "failed", "other", "open")) == len(of_day)
        assert day["success"] == sum(one["status"] == "success" for one in of_day)
        assert day["open"] == sum(not one["concluded"] for one in of_day)
    assert sum(day["failed"] for day in series["template_runs"]) > 0


def test_the_artifacts_and_the_last_words(whole: tuple[RoleRun, dict[str, Any]]) -> None:
    run, _estate = whole
    told = result(run)
    assert f"Report: {run.folder}/report/estate.html" in run.output
    assert told["html"] == f"{run.folder}/report/estate.html"
    assert told["findings"] == facts(run)["counts"]
    assert told["platforms"] == {"northflank": "read", "cycle": "read"}
    assert (told["passed"], told["reasons"], told["written"], told["put"]) == (True, [], True, False)
    assert "[WARNING]" not in run.output
    assert "[DEPRECATION" not in run.output


def test_no_secret_is_in_the_files_or_the_output(simulator: Simulator, whole: tuple[RoleRun, dict[str, Any]]) -> None:
    run, _estate = whole
    for kind in ("html", "json", "csv"):
        for secret in (*simulator.tokens.values(), *simulator.cycle.keys.values()):
            assert secret not in content(run, kind)
            assert secret not in run.output


def test_the_csv_has_a_line_for_each_row(whole: tuple[RoleRun, dict[str, Any]]) -> None:
    run, _estate = whole
    lines = list(csv.DictReader(io.StringIO(content(run, "csv"))))
    tables = facts(run)["tables"]
    assert {name: sum(line["table"] == name for line in lines) for name in tables} == {
        name: len(rows) for name, rows in tables.items()
    }
    critical = [line for line in lines if line["severity"] == "critical"]
    assert len(critical) == sum(row["severity"] == "critical" for rows in tables.values() for row in rows)


def test_a_second_run_changes_nothing_and_check_mode_writes_nothing(sim: Simulator, tmp_path: Path) -> None:
    sim.clock(set=MOMENT, freeze=True)
    checked = report(sim, tmp_path, "--check", env=NO_NORTHFLANK, **SHORT)
    assert checked.code == 0, checked.output
    assert not (tmp_path / "report").exists()
    assert result(checked)["written"] is False
    assert checked.changed > 0
    first = report(sim, tmp_path, env=NO_NORTHFLANK, **SHORT)
    assert first.code == 0, first.output
    assert result(first)["findings"] == result(checked)["findings"]
    before = checksums(first)
    second = report(sim, tmp_path, "--diff", env=NO_NORTHFLANK, **SHORT)
    assert second.code == 0, second.output
    assert second.changed == 0
    assert checksums(second) == before


class Store(http.server.BaseHTTPRequestHandler):
    """Takes what is put, if it comes with the right key. Without it json gets no response, and the others a 403."""

    def do_PUT(self) -> None:
        """Keep the body under its path."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        allowed = self.headers.get("X-Key") == "key-to-the-store-7431"
        if allowed:
            self.server.kept[self.path] = (self.headers["Content-Type"], body)  # type: ignore[attr-defined]
        elif self.path.endswith(".json"):
            self.close_connection = True
            return
        self.send_response(200 if allowed else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def object_store() -> Iterator[tuple[str, dict[str, tuple[str, bytes]]]]:
    """The address of a store, and what it keeps, by path."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
    server.kept = {}  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/reports/", server.kept  # type: ignore[attr-defined]
    finally:
        server.shutdown()


def test_one_platform_put_into_a_store_and_a_failure_that_was_asked_for(sim: Simulator, tmp_path: Path) -> None:
    with object_store() as (url, kept):
        run = report(
            sim,
            tmp_path,
            "-vvv",
            env=NO_CYCLE,
            **SHORT,
            fail_on="critical",
            put_url=url,
            put_headers={"X-Key": "key-to-the-store-7431"},
        )
    assert run.code != 0
    assert result(run)["platforms"] == {"northflank": "read", "cycle": "off"}
    assert result(run)["passed"] is False
    assert "critical" in result(run)["reasons"][0]
    assert result(run)["put"] is True
    assert sorted(kept) == ["/reports/estate.csv", "/reports/estate.html", "/reports/estate.json"]
    assert kept["/reports/estate.html"] == ("text/html; charset=utf-8", content(run, "html").encode())
    assert "key-to-the-store-7431" not in run.output
    assert "Cycle: not asked for" in " ".join(content(run, "html").split())
    assert not [entry for entry in run.journal if "/v1/containers" in entry["path"]]


def test_a_store_that_refuses_is_said(sim: Simulator, tmp_path: Path) -> None:
    with object_store() as (url, _kept):
        run = report(sim, tmp_path, env=NO_NORTHFLANK, **SHORT, put_url=url)
    assert run.code != 0
    reason = "The object store did not take the files, it answered not at all and with status 403."
    assert reason in run.output
    assert result(run)["reasons"] == [reason]
    assert result(run)["put"] is False


def test_a_platform_that_cannot_be_read(sim: Simulator, tmp_path: Path) -> None:
    env = {"NORTHFLANK_API_TOKEN": "wrong-token-of-nobody-5512"}
    run = report(sim, tmp_path, env=env, telemetry_containers=0)
    assert run.code != 0
    assert result(run)["platforms"] == {"northflank": "unread", "cycle": "read"}
    assert result(run)["reasons"] == ["Not read, or not in full: northflank."]
    assert "Northflank was not read" in content(run, "html")
    assert facts(run)["findings"][0]["rule"] == "unread"
    assert facts(run)["tables"]["instances"]
    # One request tells that the token is wrong; there is no need for more.
    assert len([entry for entry in run.journal if "/projects" in entry["path"] or "/templates" in entry["path"]]) == 1


def test_a_part_that_cannot_be_read(sim: Simulator, tmp_path: Path) -> None:
    """A token that may not see addons, and a server list that is broken."""
    sim.fault(
        "GET",
        "/v1/infrastructure/servers",
        {"status": 422, "body": {"error": {"title": "broken", "code": "422.broken"}}},
        times=None,
    )
    env = {"NORTHFLANK_API_TOKEN": sim.tokens["no-addons"]}
    run = report(sim, tmp_path, env=env, **SHORT, fail_unread=False)
    assert run.code == 0, run.output
    assert result(run)["platforms"] == {"northflank": "partly", "cycle": "partly"}
    assert facts(run)["tables"]["template_runs"]
    assert facts(run)["tables"]["instances"]
    assert {"addons", "backups", "servers"} <= set(facts(run)["unread"])
    assert "was not read in full" in content(run, "html")


def test_a_project_that_is_not_there_is_said(sim: Simulator, tmp_path: Path) -> None:
    """Also as text, which is what the command line gives."""
    folder = tmp_path / "report"
    folder.mkdir(mode=0o700)
    run = report(sim, tmp_path, env=NO_CYCLE, projects="storefront, store-front")
    assert run.code != 0
    assert result(run)["platforms"] == {"northflank": "partly", "cycle": "off"}
    assert 'The project "store-front" was not found' in facts(run)["findings"][0]["text"]
    assert {row["project_id"] for row in facts(run)["tables"]["addons"]} == {"storefront"}
    # A folder that is there keeps its mode.
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_estate_with_nothing_in_it(tmp_path: Path) -> None:
    names = hostile_estate(["none"] * 3)
    names["northflank"]["teams"][0].update(projects=[], templates=[])
    for kind in ("servers", "containers", "environments"):
        names["cycle"][kind] = []
    file = tmp_path / "estate.yml"
    file.write_text(yaml.safe_dump(names), encoding="utf-8")
    sim = start_simulator(estate=file)
    try:
        run = report(sim, tmp_path)
    finally:
        sim.stop()
    assert run.code == 0, run.output
    assert result(run)["platforms"] == {"northflank": "read", "cycle": "read"}
    assert facts(run)["unread"] == []
    assert "Everything within limits" in content(run, "html")
    assert "DEPRECATION" not in run.output


def test_no_credentials_at_all(sim: Simulator, tmp_path: Path) -> None:
    run = report(sim, tmp_path, env={**NO_CYCLE, **NO_NORTHFLANK})
    assert run.code != 0
    assert "No platform to report on. Set NORTHFLANK_API_TOKEN" in run.output
    assert not run.journal


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ lookup('pipe', 'touch HERE/pwned') }}",
    "{% for x in range(9) %}",
    "\u202egnp.exe",
    "=1+1",
    "x" * 10_000,
]


def hostile_estate(names: list[str]) -> dict[str, Any]:
    hub, location, model, integration = (f"66{number}000000000000000000001" for number in ("b00", "100", "120", "110"))
    return {
        "clock": MOMENT,
        "northflank": {
            "tokens": [{"name": "demo", "token": "nf-sim-hostile-names-0123456789", "team": "us"}],
            "teams": [
                {
                    "id": "us",
                    "projects": [
                        {
                            "id": f"p{place}",
                            "name": name,
                            "addons": [
                                {
                                    "id": "db",
                                    "name": name,
                                    "type": "postgresql",
                                    "createdAt": "2026-01-01T00:00:00.000Z",
                                    "config": {"versionTag": "16.4.0", "lifecycleStatus": "deprecated"},
                                    "containers": [{"name": name, "status": "TASK_FAILED", "createdAt": 1793600000}],
                                    "backups": [
                                        {
                                            "id": "b",
                                            "name": name,
                                            "createdAt": "2026-10-01T00:00:00.000Z",
                                            "config": {"size": name},
                                        }
                                    ],
                                },
                            ],
                        }
                        for place, name in enumerate(names)
                    ],
                    "templates": [
                        {
                            "id": f"t{place}",
                            "name": name,
                            "runs": [
                                {
                                    "status": "failure",
                                    "createdAt": "2026-11-01 10:00:00.000Z",
                                    "concludedAt": "2026-11-01 10:00:09.000Z",
                                },
                            ],
                        }
                        for place, name in enumerate(names)
                    ],
                }
            ],
        },
        "cycle": {
            "hub": {"id": hub, "name": names[0]},
            "keys": [
                {
                    "name": "demo",
                    "id": "66ab00000000000000000001",
                    "key": "cycle-sim-hostile-names",
                    "capabilities": ["*"],
                }
            ],
            "integrations": [{"id": integration, "identifier": "racks", "name": names[0], "vendor": "virtual"}],
            "locations": [
                {
                    "id": location,
                    "code": "ams",
                    "name": names[1],
                    "integration_id": integration,
                    "vendor": "virtual",
                    "city": "A",
                    "state": "N",
                    "country": "NL",
                    "region": "Europe",
                    "latitude": 52,
                    "longitude": 5,
                }
            ],
            "models": [{"id": model, "name": "large", "vendor": "virtual", "integration_id": integration}],
            "environments": [
                {"id": "66e000000000000000000001", "identifier": "production", "name": names[2], "cluster": "eu"}
            ],
            "servers": [
                {
                    "id": "665e00000000000000000001",
                    "hostname": "ams-1",
                    "nickname": names[0],
                    "cluster": "eu",
                    "location": "ams",
                    "model_id": model,
                }
            ],
            "containers": [
                {
                    "id": f"66c00000000000000000000{place}",
                    "name": name,
                    "identifier": f"c{place}",
                    "environment": "production",
                    "strategy": "manual",
                    "instances": [
                        {"id": f"66d0000{place}0000000000000001", "server": "ams-1", "state": "failed", "error": name}
                    ],
                }
                for place, name in enumerate(names, 1)
            ],
        },
    }


def test_names_that_mean_harm_stay_names(tmp_path: Path) -> None:
    names = [name.replace("HERE", str(tmp_path)) for name in HOSTILE]
    file = tmp_path / "estate.yml"
    file.write_text(yaml.safe_dump(hostile_estate(names), allow_unicode=True), encoding="utf-8")
    sim = start_simulator(estate=file)
    try:
        run = report(sim, tmp_path, "--diff")
    finally:
        sim.stop()
    assert run.code == 0, run.output[-3000:]
    assert not (tmp_path / "pwned").exists()
    rows = facts(run)["tables"]
    assert {row["name"] for row in rows["addons"]} == set(names)
    assert {row["name"] for row in rows["containers"]} == set(names)
    assert {row["error"] for row in rows["instances"]} == set(names)
    html = content(run, "html")
    assert "<img" not in html
    assert html.count("<script>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    lines = csv.reader(io.StringIO(content(run, "csv")))
    assert not [cell for line in lines for cell in line if cell.startswith("=")]


def test_a_folder_that_cannot_be_made_is_said_before_anything_is_read(sim: Simulator, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    run = report(sim, tmp_path, dest=str(file / "report"))
    assert run.code != 0
    assert "Make the folder of estate_report_dest" in run.output
    assert f"{file}/report" in run.output.partition("fatal:")[2]
    assert run.journal == []
