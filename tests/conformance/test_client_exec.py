# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's client runs commands, opens sessions and copies files, all of it unchanged."""

from __future__ import annotations

import asyncio
import base64
import os
from pathlib import Path
from typing import Any

import pytest
from northflank import AsyncApiClient
from northflank.errors import ApiCallError

from conformance.calls import ADDON, JOB, SERVICE, Clients
from support.simulator import Simulator

PLACES: dict[str, dict[str, Any]] = {
    "addon": {**ADDON, "instance_name": "orders-postgres-1"},
    "service": {**SERVICE, "instance_name": "web-shop-5f6d9c7b84-tq7wz"},
    "job": {**JOB, "instance_name": "nightly-invoices-29365415-4gk8s"},
}
each_kind = pytest.mark.parametrize("kind", PLACES)
both_encodings = pytest.mark.parametrize("encoding", ["utf-8", "base64"])


def text(data: str, encoding: str) -> str:
    """Return what a message says; each of them is decodable by itself."""
    return base64.b64decode(data).decode() if encoding == "base64" else data


@each_kind
@pytest.mark.parametrize("team", [None, "tidewater"])
def test_a_command(clients: Clients, kind: str, team: str | None) -> None:
    run = getattr(clients("demo").exec, f"run_{kind}_command")
    result = run(command=["sh", "-c", "echo out; echo err >&2; exit 7"], team_id=team, **PLACES[kind])
    assert (result.stdout, result.stderr, result.exit_code) == ("out\n", "err\n", 7)
    assert (result.ok, result.status) == (False, "Failure")
    whole = run(command="echo $HOSTNAME", shell="sh -c", team_id=team, **PLACES[kind])
    assert (whole.stdout, whole.ok) == (f"{PLACES[kind]['instance_name']}\n", True)


@each_kind
@both_encodings
def test_a_session(clients: Clients, kind: str, encoding: str) -> None:
    opening = getattr(clients("demo").exec, f"open_{kind}_session")
    with opening(command="cat; exit 3", shell="sh -c", tty=False, encoding=encoding, **PLACES[kind]) as session:
        assert session.info.instance_name == PLACES[kind]["instance_name"]
        session.send("aGVsbG8=" if encoding == "base64" else "hello")
        assert text(next(session).data, encoding) == "hello"
        session.send_eof()
        assert session.wait().exit_code == 3


def test_a_terminal(clients: Clients) -> None:
    with clients("demo").exec.open_addon_session(tty_rows=20, tty_columns=70, **PLACES["addon"]) as session:
        session.send("stty size; exit\n")
        assert "20 70" in "".join(output.data for output in session)
        assert session.result is not None
        assert session.result.ok


@pytest.mark.parametrize("codes", ["string", "number"])
def test_exit_codes(sim: Simulator, clients: Clients, codes: str) -> None:
    sim.settings(exec={"exit_codes": codes})
    for code in (0, 1, 255):
        result = clients("demo").exec.run_addon_command(command=["sh", "-c", f"exit {code}"], **ADDON)
        assert (result.exit_code, result.ok) == (code, code == 0)


def test_another_user(clients: Clients) -> None:
    uid = 65534 if os.geteuid() == 0 else os.geteuid()
    result = clients("demo").exec.run_service_command(command="id -u", user=uid, **SERVICE)
    assert result.stdout == f"{uid}\n"


@each_kind
def test_files_there_and_back(clients: Clients, tmp_path: Path, kind: str) -> None:
    files, data = clients("demo").files, os.urandom(1_500_000)
    where = PLACES[kind]
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_bytes(data)
    files.upload(local_path=tmp_path / "there" / "file", remote_path="some/where", **where)
    files.download(remote_path="some/where/file", local_path=tmp_path / "back", **where)
    found = [path for path in (tmp_path / "back").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in found] == [data]


def test_files_need_tar(sim: Simulator, clients: Clients, tmp_path: Path) -> None:
    sim.settings(exec={"tools": "posix"})
    (tmp_path / "file").write_text("x")
    with pytest.raises(ApiCallError, match="tar"):
        clients("demo").files.upload(local_path=tmp_path / "file", remote_path="where", **PLACES["service"])


@pytest.mark.parametrize(
    ("token", "place", "status", "message"),
    [
        ("nobody", {}, 401, "not valid"),
        ("read-only", {}, 401, "Insufficient permissions"),
        ("demo", {"addon_id": "nothing"}, 0, "Addon not found"),
        ("demo", {"instance_name": "orders-postgres-2"}, 0, "is not running"),
        ("demo", {"team_id": "tidewater-labs"}, 0, "Team not found"),
    ],
)
def test_refusals_are_heard(clients: Clients, token: str, place: dict[str, Any], status: int, message: str) -> None:
    """One-shot commands send their second message at once: the refusal must not be lost for that."""
    for _number in range(5):
        with pytest.raises(ApiCallError) as caught:
            clients(token).exec.run_addon_command(command="true", **{**ADDON, **place})
        assert (caught.value.status, message in caught.value.message) == (status, True)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"do": "close", "messages": 1}, "closed without a completion frame"),
        ({"do": "error", "message": "No more"}, "No more"),
        ({"do": "unknown"}, "unknown frame type"),
        ({"do": "no_json"}, "malformed JSON"),
        ({"do": "reset", "messages": 1}, "exec WebSocket error"),
    ],
)
def test_faults_are_what_the_client_takes_for_some(
    sim: Simulator, clients: Clients, fault: dict[str, Any], message: str
) -> None:
    sim.fault("GET", "/v1/command-exec/*", {"exec": fault})
    with pytest.raises(ApiCallError, match=message):
        clients("demo").exec.run_addon_command(command="echo; sleep 0.2", shell="sh -c", **ADDON)


def test_a_handshake_that_is_refused(sim: Simulator, clients: Clients) -> None:
    sim.fault("GET", "/v1/command-exec/*", {"status": 502})
    with pytest.raises(ApiCallError) as caught:
        clients("demo").exec.run_addon_command(command="true", **ADDON)
    assert caught.value.status == 502


@pytest.mark.usefixtures("clients")
def test_the_asynchronous_client(sim: Simulator) -> None:
    async def both() -> Any:
        client = AsyncApiClient(api_token=sim.token, base_url=sim.url)
        run = client.exec.arun_service_command
        return await asyncio.gather(
            *(run(command="sleep 0.2; echo done", shell="sh -c", **SERVICE) for _number in range(5))
        )

    assert [result.stdout for result in asyncio.run(both())] == ["done\n"] * 5
