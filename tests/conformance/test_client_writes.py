# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's client makes and restores backups and runs templates on the simulator, unchanged."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from northflank import ApiClient, AsyncApiClient
from northflank.errors import ApiCallError

from conformance.calls import GOOD, LEDGER, RUN, SCRATCH, TEMPLATE, WRITES, Clients, Write
from conformance.vendor import answer_type, endpoints, type_faults
from support.simulator import Simulator

SOURCE = {"source_project_id": "staging", "source_addon_id": "ledger-postgres"}
INTO_SCRATCH = {**SCRATCH, "backup_id": GOOD["backup_id"], **SOURCE}
MIGRATION = {"template_id": "schema-migration"}


def failed(write: Write, client: ApiClient, **more: Any) -> ApiCallError:
    """Return the error of a write."""
    with pytest.raises(ApiCallError) as caught:
        write.send(client, **more)
    return caught.value


def carried_out(client: ApiClient, key: tuple[str, str], **more: Any) -> Any:
    """Carry a write of the table out and return the data of the answer."""
    write = WRITES[key]
    if key[1].endswith("/abort-restore"):
        found = client.get.addon.backup.restores(**GOOD).data["restores"]
        more["data"] = {"restoreId": found[-1]["id"]}
    return write.send(client, **more).data


@pytest.mark.parametrize("team", [None, "tidewater"])
def test_every_write_is_carried_out(sim: Simulator, clients: Clients, team: str | None) -> None:
    client = clients("demo")
    extra = {} if team is None else {"team_id": team}
    for key in WRITES:
        kind = answer_type(endpoints()[key])
        data = carried_out(client, key, **extra)
        assert type_faults(data, kind, str(key)) == []
    wrote = [entry for entry in sim.journal() if entry["method"] != "GET"]
    assert [entry["status"] for entry in wrote] == [200] * len(WRITES)
    prefix = "/v1" if team is None else "/v1/teams/{teamId}"
    assert [(entry["method"], entry["route"]) for entry in wrote] == [
        (method, path.replace("/v1", prefix, 1)) for method, path in WRITES
    ]
    assert {(route["method"], route["path"]) for route in sim.routes() if route["method"] != "GET"} == {
        (method, path.replace("/v1", each, 1)) for method, path in WRITES for each in ("/v1", "/v1/teams/{teamId}")
    }


def test_a_backup_from_start_to_end(sim: Simulator, clients: Clients) -> None:
    client = clients("demo")
    more = [{"destinationId": "offsite-s3", "type": "custom", "retentionTime": 3}]
    body = {"name": "by the client", "backupType": "dump", "compressionType": "zstd", "additionalDestinations": more}
    made = client.backup.addon(data=body, **LEDGER).data
    states = [made["status"]]
    for advance in (1, 1):
        sim.clock(advance=advance)
        states.append(client.get.addon.backup(backup_id=made["id"], **LEDGER).data["status"])
    assert states == ["scheduled", "in-progress", "completed"]
    (listed,) = [each for each in client.get.addon.backups.all(**LEDGER).data["backups"] if each["id"] == made["id"]]
    assert (listed["name"], listed["status"]) == ("by the client", "completed")
    assert client.retain.addon.backup(backup_id=made["id"], **LEDGER).data == {}
    assert client.delete.backup(backup_id=made["id"], **LEDGER).data == {}
    with pytest.raises(ApiCallError, match="Backup not found"):
        client.get.addon.backup(backup_id=made["id"], **LEDGER)


def test_a_backup_is_aborted(sim: Simulator, clients: Clients) -> None:
    client = clients("demo")
    backup = client.backup.addon(data={}, **LEDGER).data["id"]
    assert client.abort.addon.backup(backup_id=backup, **LEDGER).data == {}
    assert client.get.addon.backup(backup_id=backup, **LEDGER).data["status"] == "aborting"
    sim.clock(advance=1)
    assert client.get.addon.backup(backup_id=backup, **LEDGER).data["status"] == "aborted"


def test_a_restore_into_another_addon(sim: Simulator, clients: Clients) -> None:
    client = clients("demo")
    restore = client.restore.addon.backup(**INTO_SCRATCH).data["restoreId"]
    sim.clock(advance=1)
    assert client.get.addon(**SCRATCH).data["status"] == "restore"
    sim.clock(advance=1)
    (found,) = client.get.addon.backup.restores.all(**INTO_SCRATCH).data["restores"]
    assert (found["id"], found["status"]) == (restore, "completed")
    again = client.restore.addon.backup(**INTO_SCRATCH).data["restoreId"]
    assert client.abort.addon.restore(data={"restoreId": again}, **INTO_SCRATCH).data == {}
    sim.clock(advance=1)
    found = client.get.addon.restores.all(**SCRATCH).data["restores"]
    assert [(each["id"], each["status"]) for each in found] == [(restore, "completed"), (again, "aborted")]


def test_a_run_that_fails_names_its_node(sim: Simulator, clients: Clients) -> None:
    client = clients("demo")
    made = client.run.template(data={"arguments": {"release": "2026.11"}}, **MIGRATION).data
    assert (made["status"], made["arguments"]) == ("pending", {"release": "2026.11"})
    sim.clock(advance=10)
    run = client.get.template_run(template_run_id=made["id"], **MIGRATION).data
    assert (run["status"], run["concluded"]) == ("failure", True)
    steps = {step["ref"]: step["response"] for step in run["spec"]["spec"]["steps"]}
    assert {ref: response["status"] for ref, response in steps.items()} == {
        "backup": "success",
        "migrate": "failure",
        "announce": "skipped",
    }
    assert set(steps["migrate"]["error"]) == {"code", "message"}
    (listed,) = client.list.template_runs.all(status="failure", **MIGRATION).data["templateRuns"]
    assert listed["id"] == made["id"]


def test_a_run_is_aborted(sim: Simulator, clients: Clients) -> None:
    client = clients("demo")
    assert client.abort.template_run(**RUN).data["status"] == "aborting"
    sim.clock(advance=1)
    assert client.get.template_run(**RUN).data["status"] == "aborted"
    with pytest.raises(ApiCallError) as caught:
        client.abort.template_run(**RUN)
    assert (caught.value.status, caught.value.id) == (409, "conflict")


def test_the_answer_of_a_queued_run_is_of_the_declared_type(clients: Clients) -> None:
    data = clients("demo").run.template(data={}, **TEMPLATE).data
    kind = answer_type(endpoints()["POST", "/v1/templates/{templateId}/runs"])
    assert type_faults(data, kind, "run") == []
    assert data["status"] == "queued"


@pytest.mark.usefixtures("clients")
def test_the_asynchronous_client(sim: Simulator) -> None:
    async def backup() -> Any:
        client = AsyncApiClient(api_token=sim.token, base_url=sim.url)
        return await client.backup.addon(data={"name": "later"}, **LEDGER)

    assert asyncio.run(backup()).data["id"] == "later"


def test_the_client_starts_a_second_backup_when_an_answer_is_lost(sim: Simulator, clients: Clients) -> None:
    """The trap is real: it sends a POST again after any error of the connection."""
    sim.fault("POST", "*/backups", {"reset": "after"})
    client = clients("demo")
    client.backup.addon(data={"name": "twice"}, **LEDGER)
    names = [each["name"] for each in client.get.addon.backups.all(**LEDGER).data["backups"]]
    assert names.count("twice") == 2


@pytest.mark.parametrize("key", WRITES)
def test_forbidden_and_unauthorised(clients: Clients, key: tuple[str, str]) -> None:
    error = failed(WRITES[key], clients("read-only"))
    assert (error.status, error.id) == (403, "forbidden")
    assert error.details == {"permission": endpoints()[key].required_permissions}
    assert failed(WRITES[key], clients("expired")).status == 401
    wrong = failed(WRITES[key], clients("demo"), team_id="tidewater-labs")
    assert (wrong.status, wrong.id) == (404, "team-not-found")


@pytest.mark.parametrize("key", WRITES)
def test_not_found(clients: Clients, key: tuple[str, str]) -> None:
    write = WRITES[key]
    for name in write.arguments:
        error = failed(write, clients("demo"), **{name: "no such thing/å"})
        assert (error.status, error.id) == (404, f"{name.removesuffix('_id').replace('_', '-')}-not-found")
