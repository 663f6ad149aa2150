# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The WebSockets of Cycle: console, telemetry, notifications, with a client that shares nothing with the service."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import websocket

from support.settings import limit
from support.simulator import Simulator

NOTIFICATIONS = "/v1/hubs/current/notifications"
BINARY, TEXT = websocket.ABNF.OPCODE_BINARY, websocket.ABNF.OPCODE_TEXT
Open = Callable[[str], websocket.WebSocket]


@pytest.fixture
def instance(sim: Simulator) -> dict[str, Any]:
    """An instance that runs; lines and snapshots come quickly."""
    sim.cycle.settings(console={"interval": 0.005}, telemetry={"interval": 0.005})
    found = [each for container in sim.estate()["cycle"]["containers"] for each in container["instances"]]
    chosen: dict[str, Any] = next(each for each in found if each["state"]["current"] == "running")
    return chosen


@pytest.fixture
def connect() -> Iterator[Open]:
    """Opens WebSockets and closes them in the end."""
    opened: list[websocket.WebSocket] = []

    def connect(url: str) -> websocket.WebSocket:
        client = websocket.create_connection(url, timeout=limit(5))
        opened.append(client)
        return client

    yield connect
    for client in opened:
        client.shutdown()


def path_of(instance: dict[str, Any]) -> str:
    """Return the path of an instance in the API."""
    return f"/v1/containers/{instance['container_id']}/instances/{instance['id']}"


def authorised(sim: Simulator, instance: dict[str, Any], kind: str) -> str:
    """Return the address of a stream with its token, as a client puts them together."""
    what = "console" if kind == "console" else "telemetry/resources/stream"
    answer = sim.cycle.get(f"{path_of(instance)}/{what}")
    assert answer.status == 200, answer.data
    address: str = answer.data["data"]["address"].replace("http", "ws", 1)
    return f"{address}?token={answer.data['data']['token']}"


def listening(sim: Simulator) -> str:
    """Return the address of the notifications with its token."""
    token = sim.cycle.get(NOTIFICATIONS).data["data"]["token"]
    return f"{sim.cycle.url.replace('http', 'ws', 1)}{NOTIFICATIONS}?token={token}"


def read_until(client: websocket.WebSocket, true: Callable[[bytes], bool]) -> bytes:
    """Read until what came is enough."""
    output = b""
    while not true(output):
        opcode, data = client.recv_data()
        assert opcode in (BINARY, TEXT), (opcode, data)
        output += data
    return output


def handshake(url: str) -> tuple[int, Any]:
    """Return status and JSON body of a handshake that is refused."""
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(url, timeout=limit(5))
    body = caught.value.resp_body
    return caught.value.status_code, json.loads(body) if body else None


def ends_with(client: websocket.WebSocket) -> int | None:
    """Read to the end; return the code of the close, None for a connection that was cut."""
    try:
        while True:
            opcode, data = client.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(data[:2], "big")
    except (ConnectionError, websocket.WebSocketConnectionClosedException):
        return None


def test_console_replays_and_goes_on(sim: Simulator, instance: dict[str, Any], connect: Open) -> None:
    sim.cycle.settings(console={"interval": 3600})
    opcode, backlog = connect(authorised(sim, instance, "console")).recv_data()
    assert opcode == BINARY
    assert backlog.count(b"\n") > 10
    sim.cycle.settings(console={"interval": 0.2})
    started = time.monotonic()
    client = connect(authorised(sim, instance, "console"))
    replayed = client.recv_data()[1]
    assert replayed.count(b"\n") >= backlog.count(b"\n")
    lines = [client.recv_data()[1] for _number in range(2)]
    assert time.monotonic() - started > 0.35
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines)
    assert not [line for line in lines if line in replayed]


def test_console_is_no_utf_8(sim: Simulator, instance: dict[str, Any], connect: Open) -> None:
    client = connect(authorised(sim, instance, "console"))
    output = read_until(client, lambda seen: seen.count(b"\n") > 100)
    with pytest.raises(UnicodeDecodeError):
        output.decode()


def test_console_in_text(sim: Simulator, instance: dict[str, Any], connect: Open) -> None:
    sim.cycle.settings(console={"frames": "text"})
    client = connect(authorised(sim, instance, "console"))
    messages = [client.recv_data() for _number in range(40)]
    assert {opcode for opcode, _data in messages} == {BINARY, TEXT}
    for opcode, data in messages[1:]:
        assert (opcode == TEXT) == (data.decode("utf-8", "ignore").encode() == data)


@pytest.mark.parametrize(("scheme", "kind"), [("http", "console"), ("ws", "console"), ("http", "telemetry")])
def test_schemes_of_addresses(sim: Simulator, instance: dict[str, Any], scheme: str, kind: str) -> None:
    sim.cycle.settings(**{kind: {"scheme": scheme}})
    what = "console" if kind == "console" else "telemetry/resources/stream"
    address = sim.cycle.get(f"{path_of(instance)}/{what}").data["data"]["address"]
    assert address.startswith(f"{scheme}://127.0.0.1:{sim.cycle.url.rpartition(':')[2]}/")


def test_telemetry(sim: Simulator, instance: dict[str, Any], connect: Open) -> None:
    client = connect(authorised(sim, instance, "telemetry"))
    first = json.loads(client.recv())
    sim.clock(advance=60)
    later = [json.loads(client.recv()) for _number in range(3)][-1]
    assert first["instance_id"] == later["instance_id"] == instance["id"]
    assert later["time"] > first["time"]
    assert later["cpu"]["usage"]["total"] > first["cpu"]["usage"]["total"]
    assert later["network"]["interfaces"][0]["rx_bytes"] >= first["network"]["interfaces"][0]["rx_bytes"]


@pytest.mark.parametrize(("flags", "kind"), [("list", list), ("map", dict)])
def test_notifications(sim: Simulator, instance: dict[str, Any], connect: Open, flags: str, kind: type) -> None:
    short = {"jobs": {"queued": 0.05, "running": 0.1}, "instances": {"deleting": 0.05}}
    sim.cycle.settings(notifications={"flags": flags}, **short)
    client = connect(listening(sim))
    other = connect(listening(sim))
    answer = sim.cycle.send("DELETE", path_of(instance))
    assert answer.status == 202
    # Nothing else is asked meanwhile: time goes on by itself.
    seen: list[dict[str, Any]] = []
    while not any(told["object"].get("state") == "deleted" for told in seen):
        seen.append(json.loads(client.recv()))
    assert all(isinstance(told["flags"], kind) for told in seen)
    assert all(told["context"]["hub_id"] == sim.cycle.hub for told in seen)
    assert {"job.created", "job.state.changed", "container.instance.state.changed"} <= {told["topic"] for told in seen}
    assert [json.loads(other.recv()) for _told in seen] == seen
    states = [told["object"]["state"] for told in seen if told["object"]["id"] == instance["id"]]
    assert states == ["deleting", "deleted"]


def test_notifications_without_upgrade_are_rest(sim: Simulator) -> None:
    answer = sim.cycle.get(NOTIFICATIONS)
    assert set(answer.data["data"]) == {"token"}
    assert sim.cycle.get(f"{NOTIFICATIONS}?token={answer.data['data']['token']}").status == 200
    assert sim.cycle.get(f"{NOTIFICATIONS}?token={answer.data['data']['token']}", key=None).status == 401


def test_tokens_that_do_not_let_in(sim: Simulator, instance: dict[str, Any]) -> None:
    console, telemetry = (authorised(sim, instance, kind) for kind in ("console", "telemetry"))
    address, _question, token = console.partition("?token=")
    elsewhere = f"{telemetry.partition('?')[0]}?token={token}"
    for url in (address, f"{address}?token=", f"{address}?token=wrong", elsewhere, f"{address}/x?token={token}"):
        status, body = handshake(url)
        assert status == 401
        # The oldest version of the client that is supported does not tell the body.
        assert body is None or (body["error"]["status"], body["data"]) == (401, None)


def test_a_refused_handshake_has_the_errors_of_the_platform(sim: Simulator) -> None:
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answer = sim.cycle.get(f"{NOTIFICATIONS}?token=wrong", key=None, **upgrade)
    assert answer.status == 401
    assert answer.data["data"] is None
    assert (answer.data["error"]["status"], answer.data["error"]["code"]) == (401, "401.auth-invalid")


def test_tokens_live_for_15_minutes_connections_longer(sim: Simulator, instance: dict[str, Any], connect: Open) -> None:
    sim.clock(freeze=True)
    urls = [authorised(sim, instance, "console"), authorised(sim, instance, "telemetry"), listening(sim)]
    clients = [connect(url) for url in urls]
    sim.clock(advance=890)
    # A token is good for more than one connection.
    for url in urls:
        connect(url)
    sim.clock(advance=20)
    for url in urls:
        assert handshake(url)[0] == 401
    console, telemetry, _notifications = clients
    read_until(console, lambda seen: seen.count(b"\n") > 100)
    assert json.loads(telemetry.recv())["instance_id"] == instance["id"]
    assert connect(authorised(sim, instance, "telemetry")).recv()


def test_streams_end_with_their_instance(sim: Simulator, instance: dict[str, Any], connect: Open) -> None:
    clients = [connect(authorised(sim, instance, kind)) for kind in ("console", "telemetry")]
    assert sim.cycle.send("DELETE", path_of(instance)).status == 202
    assert [ends_with(client) for client in clients] == [1001, 1001]


def test_streams_end_with_a_reset(sim: Simulator, instance: dict[str, Any], connect: Open) -> None:
    clients = [connect(authorised(sim, instance, "console")), connect(listening(sim))]
    sim.reset()
    assert [ends_with(client) for client in clients] == [1001, 1001]


@pytest.mark.parametrize(("code", "expected"), [(0, None), (1000, 1000), (1011, 1011)])
@pytest.mark.parametrize("kind", ["console", "telemetry"])
def test_streams_can_be_cut(
    sim: Simulator, instance: dict[str, Any], connect: Open, kind: str, code: int, expected: int | None
) -> None:
    sim.cycle.settings(**{kind: {"close_after": 3, "close_code": code}})
    client = connect(authorised(sim, instance, kind))
    for _number in range(3):
        assert client.recv_data()[0] in (BINARY, TEXT)
    assert ends_with(client) == expected


def test_a_client_that_leaves(sim: Simulator, instance: dict[str, Any], connect: Open) -> None:
    client = connect(authorised(sim, instance, "console"))
    client.send("what is sent means nothing")
    client.ping("still there?")
    client.close(status=1000, timeout=limit(3))
    gone = connect(authorised(sim, instance, "telemetry"))
    assert gone.sock is not None
    gone.sock.close()
    assert sim.cycle.get("/v1/hubs/current").status == 200
    assert "Traceback" not in sim.log


def test_faults_on_the_handshake(sim: Simulator, instance: dict[str, Any], connect: Open) -> None:
    url = authorised(sim, instance, "console")
    path = "/" + url.split("/", 3)[3].partition("?")[0]
    sim.fault("GET", path, {"status": 503})
    assert handshake(url)[0] == 503
    for reset in ("before", "after"):
        sim.fault("GET", path, {"reset": reset})
        with pytest.raises(ConnectionError):
            connect(url)
    sim.fault("GET", path, {"reset": "body"})
    # It is cut as soon as it is open, or while it opens.
    with suppress(ConnectionError, websocket.WebSocketException):
        assert ends_with(connect(url)) is None
    sim.fault("GET", path, {"delay": 0.4})
    started = time.monotonic()
    assert connect(url).recv_data()[0] == BINARY
    assert time.monotonic() - started > 0.4


def test_the_journal_has_handshakes_without_tokens(sim: Simulator, instance: dict[str, Any], connect: Open) -> None:
    url = authorised(sim, instance, "console")
    token = url.partition("?token=")[2]
    client = websocket.create_connection(url, timeout=limit(5), header=[f"x-cycle-token: {token}"])
    client.shutdown()
    handshake(f"{url}x")
    entries = [entry for entry in sim.journal() if entry["headers"].get("upgrade") == "websocket"]
    assert [(entry["method"], entry["status"], entry["token"], entry["query"]) for entry in entries] == [
        ("GET", 101, "demo", {"token": ["********"]}),
        ("GET", 401, None, {"token": ["********"]}),
    ]
    assert token not in json.dumps(sim.journal())
    assert token not in json.dumps(sim.estate())
