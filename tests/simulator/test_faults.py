# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand, as a client sees them."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.settings import limit, wait_for
from support.simulator import Simulator

PATH = "/v1/projects/storefront/addons/orders-postgres"


@pytest.fixture
def connection(sim: Simulator) -> Iterator[http.client.HTTPConnection]:
    """A keep-alive connection."""
    where = urlsplit(sim.url)
    with closing(http.client.HTTPConnection(str(where.hostname), where.port, timeout=limit(10))) as made:
        yield made


def ask(sim: Simulator, connection: http.client.HTTPConnection, path: str = PATH) -> tuple[int, Any]:
    """Send a GET and return status and body."""
    connection.request("GET", path, headers={"Authorization": f"Bearer {sim.token}"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def exchange(sim: Simulator) -> tuple[bytes, str]:
    """Send a GET over a socket of its own; return all that came and how it ended."""
    where = urlsplit(sim.url)
    received = b""
    with socket.create_connection((str(where.hostname), int(where.port or 0)), timeout=limit(10)) as plain:
        plain.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sim.token}\r\n\r\n".encode())
        try:
            while chunk := plain.recv(65536):
                received += chunk
        except ConnectionResetError:
            return received, "reset"
    return received, "end"


def test_status(sim: Simulator) -> None:
    sim.fault("GET", PATH, {"status": 503})
    reply = sim.get(PATH)
    assert reply.status == 503
    assert reply.data["error"]["status"] == 503
    assert {"message", "id"} <= set(reply.data["error"])
    assert reply.headers["x-ratelimit-limit"] == "1000"
    assert sim.get(PATH).status == 200


@pytest.mark.parametrize(
    ("fault", "status", "data", "content_type"),
    [
        ({"status": 409, "body": {"code": 409, "message": "flat"}}, 409, {"code": 409, "message": "flat"}, "json"),
        ({"status": 500, "body": [1]}, 500, [1], "json"),
        ({"body": {"data": {}}}, 200, {"data": {}}, "json"),
        ({"status": 502, "text": "<html>Bad gateway"}, 502, "<html>Bad gateway", "text/html"),
        ({"text": "<html>Login"}, 200, "<html>Login", "text/html"),
        ({"status": 500, "text": ""}, 500, "", "text/html"),
        ({"status": 500, "text": "oops", "content_type": "text/plain"}, 500, "oops", "text/plain"),
    ],
)
def test_bodies(sim: Simulator, fault: dict[str, Any], status: int, data: Any, content_type: str) -> None:
    sim.fault("*", PATH, fault)
    reply = sim.get(PATH)
    assert (reply.status, reply.data) == (status, data)
    assert content_type in reply.headers["content-type"]


def test_headers_are_added_and_taken_away(sim: Simulator) -> None:
    sim.fault("GET", PATH, {"headers": {"X-New": 7, "x-ratelimit-reset": None}})
    reply = sim.get(PATH)
    assert reply.headers["x-new"] == "7"
    assert "x-ratelimit-reset" not in reply.headers
    assert reply.data["data"]["id"] == "orders-postgres"


@pytest.mark.parametrize(
    ("rate_limit", "status", "retry_after", "reset"),
    [
        ({}, 429, None, "3600"),
        ({"retry_after": 3}, 429, "3", "3600"),
        ({"retry_after": None, "reset": 12}, 429, None, "12"),
        ({"status": 403, "retry_after": 1, "reset": None}, 403, "1", None),
    ],
)
def test_rate_limit(
    still: Simulator, rate_limit: dict[str, Any], status: int, retry_after: str | None, reset: str | None
) -> None:
    still.fault("GET", PATH, {"rate_limit": rate_limit})
    reply = still.get(PATH)
    assert reply.status == status
    assert reply.headers["x-ratelimit-remaining"] == "0"
    assert (reply.headers.get("retry-after"), reply.headers.get("x-ratelimit-reset")) == (retry_after, reset)


def test_patch(sim: Simulator) -> None:
    sim.fault("GET", PATH, {"patch": {"data": {"status": "levitating", "tags": None, "spec": {"x": [1]}}}})
    data = sim.get(PATH).data["data"]
    assert data["status"] == "levitating"
    assert "tags" not in data
    assert data["spec"]["x"] == [1]
    assert data["spec"]["type"] == "postgresql"
    assert sim.get(PATH).data["data"]["status"] == "running"


def test_delay(sim: Simulator) -> None:
    sim.fault("GET", PATH, {"delay": 0.3})
    started = time.monotonic()
    assert sim.get(PATH).status == 200
    assert time.monotonic() - started >= 0.3
    sim.fault("GET", PATH, {"delay": 0.2, "status": 504})
    started = time.monotonic()
    assert sim.get(PATH).status == 504
    assert time.monotonic() - started >= 0.2


def test_others_are_served_during_a_delay(sim: Simulator, connection: http.client.HTTPConnection) -> None:
    sim.fault("GET", PATH, {"delay": 3600})
    connection.request("GET", PATH, headers={"Authorization": f"Bearer {sim.token}"})
    wait_for(sim.journal, "the request")
    assert sim.get(PATH).status == 200


def test_reset_before(sim: Simulator) -> None:
    sim.fault("GET", PATH, {"reset": "before"})
    assert exchange(sim) == (b"", "reset")
    entry = sim.journal()[0]
    assert (entry["path"], entry["status"]) == (PATH, None)
    assert sim.get(PATH).headers["x-ratelimit-remaining"] == "999"


def test_reset_after(sim: Simulator) -> None:
    sim.fault("GET", PATH, {"reset": "after"})
    assert exchange(sim) == (b"", "reset")
    assert sim.journal()[0]["status"] == 200
    assert sim.get(PATH).headers["x-ratelimit-remaining"] == "998"


def test_reset_in_the_body(sim: Simulator) -> None:
    sim.fault("GET", PATH, {"reset": "body"})
    received, end = exchange(sim)
    head, _blank, body = received.partition(b"\r\n\r\n")
    assert end == "reset"
    assert head.startswith(b"HTTP/1.1 200 OK")
    announced = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    assert len(body) == announced // 2


def test_truncate(sim: Simulator) -> None:
    sim.fault("GET", PATH, {"truncate": 25})
    received, end = exchange(sim)
    head, _blank, body = received.partition(b"\r\n\r\n")
    assert end == "end"
    assert b"content-length" not in head.lower()
    assert b"chunked" not in head.lower()
    assert body == b'{"data":{"id":"orders-pos'
    sim.fault("GET", PATH, {"truncate": 25})
    reply = sim.get(PATH)
    assert (reply.status, reply.data) == (200, body.decode())


def test_after_and_times(sim: Simulator) -> None:
    sim.fault("GET", PATH, {"status": 500}, after=2, times=2)
    assert [sim.get(PATH).status for _attempt in range(6)] == [200, 200, 500, 500, 200, 200]
    assert [(fault["hits"], fault["times"]) for fault in sim.faults()] == [(2, 0)]


def test_without_end_until_cleared(sim: Simulator) -> None:
    sim.fault("GET", PATH, {"status": 500}, times=None)
    assert [sim.get(PATH).status for _attempt in range(4)] == [500] * 4
    assert sim.faults()[0]["times"] is None
    sim.clear_faults()
    assert sim.get(PATH).status == 200


def test_faults_are_tried_in_order(sim: Simulator) -> None:
    sim.fault("GET", "*", {"status": 500})
    sim.fault("GET", "*", {"status": 502})
    assert [sim.get(PATH).status for _attempt in range(3)] == [500, 502, 200]


def test_method_and_path_select(sim: Simulator) -> None:
    sim.fault("POST", PATH, {"status": 500}, times=None)
    sim.fault("GET", "/v1/projects/*/addons", {"status": 502}, times=None)
    assert sim.get(PATH).status == 200
    assert sim.get(PATH, method="POST").status == 500
    assert sim.get("/v1/projects/staging/addons").status == 502
    assert sim.get("/v1/teams/tidewater/projects/staging/addons").status == 200


def test_a_refused_fault_is_not_set(sim: Simulator) -> None:
    with pytest.raises(AssertionError):
        sim.fault("GET", PATH, {"status": "500"})
    assert sim.faults() == []


def test_keep_alive_over_many_requests(sim: Simulator, connection: http.client.HTTPConnection) -> None:
    assert ask(sim, connection)[0] == 200
    used = connection.sock
    for path in (PATH, "/v1/nothing", "/v1/projects", "/v1/teams/nobody/projects"):
        ask(sim, connection, path)
    sim.fault("GET", "*", {"status": 503})
    assert ask(sim, connection)[0] == 503
    assert connection.sock is used
    assert connection.sock is not None


def test_request_bodies_on_get_are_ignored(sim: Simulator, connection: http.client.HTTPConnection) -> None:
    headers = {"Authorization": f"Bearer {sim.token}", "Content-Type": "application/json"}
    for body in (b"{}", b"x" * 200_000):
        connection.request("GET", PATH, body=body, headers=headers)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["data"]["id"]) == (200, "orders-postgres")


def test_clients_that_leave_do_no_harm(sim: Simulator) -> None:
    where = urlsplit(sim.url)
    written = sim.log
    sim.fault("GET", "*", {"delay": 0.2}, times=4)
    for attempt in range(3):
        with socket.create_connection((str(where.hostname), int(where.port or 0))) as plain:
            plain.sendall(b"GET /v1/projects HTTP/1.1\r\nHost: x\r\n\r\n")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wait_for(partial(sim.journal, attempt), "the request")
    # The same delay later: the other responses have been sent by then.
    assert sim.get(PATH).status == 200
    assert sim.log == written


def test_no_fault_leaves_noise_in_the_log(sim: Simulator) -> None:
    for fault in ({"reset": "before"}, {"reset": "after"}, {"reset": "body"}, {"truncate": 3}):
        sim.fault("GET", PATH, fault)
        exchange(sim)
    assert sim.get(PATH).status == 200
    assert sim.log == ""
