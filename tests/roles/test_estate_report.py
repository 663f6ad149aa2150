# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of an estate is true, whatever of the estate can be read and whatever its names are."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from report_runs import MOMENT, NO_CYCLE, NO_NORTHFLANK, SHORT, content, facts, report, result
from role_runs import RoleRun

from support.simulator import Simulator, start_simulator


def checksums(run: RoleRun) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (run.folder / "report").iterdir()}


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


def test_a_second_run_changes_nothing_and_check_mode_writes_nothing(sim: Simulator, tmp_path: Path) -> None:
    sim.clock(set=MOMENT, freeze=True)
    checked = report(sim, tmp_path, "--check", env=NO_NORTHFLANK, **SHORT)
    assert checked.code == 0, checked.output
    assert not (tmp_path / "report").exists()
    assert result(checked)["written"] is False
    assert checked.changed > 0
    # The first run writes the files, and is refused by a store.
    with object_store() as (url, _kept):
        first = report(sim, tmp_path, env=NO_NORTHFLANK, **SHORT, put_url=url)
    assert first.code != 0
    assert "The object store did not take the files, it answered not at all and with status 403." in first.output
    assert (result(first)["written"], result(first)["put"]) == (True, False)
    assert result(first)["findings"] == result(checked)["findings"]
    before = checksums(first)
    second = report(sim, tmp_path, "--diff", env=NO_NORTHFLANK, **SHORT)
    assert second.code == 0, second.output
    assert second.changed == 0
    assert checksums(second) == before


def test_one_platform_put_into_a_store_and_a_failure_that_was_asked_for(sim: Simulator, tmp_path: Path) -> None:
    """Projects as text, which is what the command line gives; one of them is not there."""
    folder = tmp_path / "report"
    folder.mkdir(mode=0o700)
    with object_store() as (url, kept):
        run = report(
            sim,
            tmp_path,
            "-vvv",
            env=NO_CYCLE,
            projects="storefront, store-front",
            fail_on="critical",
            put_url=url,
            put_headers={"X-Key": "key-to-the-store-7431"},
        )
    assert run.code != 0
    assert result(run)["platforms"] == {"northflank": "partly", "cycle": "off"}
    assert result(run)["passed"] is False
    assert any("critical" in reason for reason in result(run)["reasons"])
    assert result(run)["put"] is True
    assert sorted(kept) == ["/reports/estate.csv", "/reports/estate.html", "/reports/estate.json"]
    assert kept["/reports/estate.html"] == ("text/html; charset=utf-8", content(run, "html").encode())
    assert "key-to-the-store-7431" not in run.output
    assert "Cycle: not asked for" in " ".join(content(run, "html").split())
    assert not [entry for entry in run.journal if "/v1/containers" in entry["path"]]
    assert 'The project "store-front" was not found' in facts(run)["findings"][0]["text"]
    assert {row["project_id"] for row in facts(run)["tables"]["addons"]} == {"storefront"}
    # A folder that is there keeps its mode.
    assert folder.stat().st_mode & 0o777 == 0o700


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
