# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycle: keys, hub, capabilities, errors."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from support.cycle import HUB, SERVERS, at, code, placement
from support.settings import limit
from support.simulator import Simulator, fetch

WEB = at("web", rest="/instances")


def test_both_headers_are_required(sim: Simulator) -> None:
    key = sim.cycle.keys["demo"]
    assert fetch(sim.cycle.url + WEB, headers={"Authorization": f"Bearer {key}", "X-Hub-Id": HUB}).status == 200
    assert fetch(sim.cycle.url + WEB, headers={"authorization": f"bearer {key}", "x-hub-ID": HUB}).status == 200
    assert code(fetch(sim.cycle.url + WEB, headers={"X-Hub-Id": HUB})) == "401.auth-invalid"
    assert code(fetch(sim.cycle.url + WEB, headers={"Authorization": f"Bearer {key}"})) == "403.wrong-hub"
    assert code(sim.cycle.get(WEB, "nobody's key")) == "401.auth-invalid"


def test_a_foreign_hub(sim: Simulator) -> None:
    assert code(sim.cycle.get(WEB, **{"X-Hub-Id": "66b000000000000000000002"})) == "403.wrong-hub"
    assert code(sim.cycle.get(WEB, "other-hub")) == "403.wrong-hub"
    assert code(sim.cycle.get(WEB, "other-hub", **{"X-Hub-Id": "66b000000000000000000002"})) == "404.hub"


def test_an_expired_key(sim: Simulator) -> None:
    assert code(sim.cycle.get(WEB, "expired")) == "401.auth-expired"


def test_errors_of_authentication_can_have_the_shape_of_oauth(sim: Simulator) -> None:
    sim.cycle.settings(errors={"oauth": True})
    reply = sim.cycle.get(WEB, "expired")
    assert reply.status == 401
    assert reply.data == {"error": "401.auth-expired", "error_description": "The API key has expired"}
    assert code(sim.cycle.get("/v1/nothing")) == "404.uri"


CASES = [
    ("read-only", "POST", WEB, placement(eu_ams_1=1), "containers-manage"),
    ("read-only", "GET", at("web", 1, "/ssh"), None, "containers-ssh"),
    ("read-only", "GET", at("web", 1, "/console"), None, "containers-console"),
    ("read-only", "GET", "/v1/hubs/current/notifications", None, "apionly-notifications-listen"),
    ("no-jobs", "GET", "/v1/jobs", None, "apionly-jobs-view"),
    ("no-jobs", "GET", "/v1/jobs/latest", None, "apionly-jobs-view"),
    ("no-jobs", "GET", "/v1/jobs/66b100000000000000000001", None, "apionly-jobs-view"),
    ("no-ssh", "GET", at("web", 1, "/ssh"), None, "containers-ssh"),
    ("no-ssh", "DELETE", at("web", 1, "/ssh"), None, "containers-ssh"),
    ("no-manage", "POST", WEB, placement(eu_ams_1=1), "containers-manage"),
    ("no-manage", "DELETE", at("web", 1), None, "containers-manage"),
    ("no-manage", "DELETE", WEB, ["66d000010000000000000001"], "containers-manage"),
    ("no-manage", "PATCH", at("web"), {"name": "x"}, "containers-manage"),
    ("no-manage", "POST", at("web", rest="/tasks"), {"action": "stop"}, "containers-manage"),
    ("no-migrate", "POST", at("web", 1, "/tasks"), {"action": "migration.revert"}, "containers-instances-migrate"),
    ("no-console", "GET", at("web", 1, "/console"), None, "containers-console"),
]


@pytest.mark.parametrize(("key", "method", "path", "body", "capability"), CASES)
def test_a_missing_capability_is_named(
    sim: Simulator, key: str, method: str, path: str, body: object, capability: str
) -> None:
    reply = sim.cycle.send(method, path, body, key=key)
    assert code(reply) == "403.permissions"
    assert reply.data["error"]["extra"] == {"capability": capability}
    before = len(sim.cycle.get(WEB).data["data"])
    sim.clock(advance=10)
    assert len(sim.cycle.get(WEB).data["data"]) == before


def test_extending_a_volume_can_ask_for_another_capability(sim: Simulator) -> None:
    task = {"action": "volume.extend", "contents": {"volume_id": "x", "extend_size": "1G"}}
    path = at("orders-postgres", 1, "/tasks")
    assert code(sim.cycle.send("POST", path, task, key="no-migrate")) == "403.permissions"
    sim.cycle.settings(volumes={"capability": "containers-volumes-manage"})
    assert code(sim.cycle.send("POST", path, task, key="no-migrate")) == "422.invalid-argument"


def test_what_a_read_only_key_may(sim: Simulator) -> None:
    for path in (WEB, "/v1/environments", "/v1/infrastructure/servers", "/v1/jobs", "/v1/hubs/current/activity"):
        assert sim.cycle.get(path, "read-only").status == 200


def test_the_hub_is_a_ping_for_every_key(sim: Simulator) -> None:
    for key in ("demo", "read-only", "no-jobs", "no-manage"):
        reply = sim.cycle.get("/v1/hubs/current", key)
        assert reply.data["data"]["id"] == HUB
        assert reply.data["data"]["identifier"] == "tidewater"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/containers/66c0000000000000000000ff", "404.container"),
        ("/v1/containers/66c0000000000000000000ff/instances", "404.container"),
        (at("web", "66d0000100000000000000ff"), "404.instance"),
        (at("worker", "66d000010000000000000001"), "404.instance"),
        ("/v1/environments/nothing", "404.environment"),
        (f"/v1/infrastructure/servers/{HUB}", "404.infrastructure.server"),
        ("/v1/jobs/nothing", "404.job"),
        ("/v1/unheard-of", "404.uri"),
        ("/v1/containers/", "404.uri"),
    ],
)
def test_what_is_not_there(sim: Simulator, path: str, expected: str) -> None:
    assert code(sim.cycle.get(path)) == expected


def _raw(sim: Simulator, kind: str, body: bytes) -> int:
    headers = {**sim.cycle.headers(), "Content-Type": kind}
    request = urllib.request.Request(sim.cycle.url + WEB, data=body, method="POST", headers=headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=limit(10)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_bodies_that_cannot_be_read(sim: Simulator) -> None:
    assert _raw(sim, "text/plain", b"[]") == 415
    assert _raw(sim, "application/json; charset=utf-8", b"[{") == 400
    assert code(sim.cycle.send("POST", WEB)) == "422.missing-argument"
    assert code(sim.cycle.send("POST", at("web", 1, "/tasks"), "text")) == "422.missing-argument"


def test_the_journal_names_the_key_and_never_shows_it(sim: Simulator) -> None:
    sim.clear_journal()
    sim.cycle.get(f"/v1/infrastructure/servers/{SERVERS['eu-ams-1']}", "no-ssh")
    (entry,) = sim.journal()
    assert (entry["token"], entry["route"], entry["status"]) == (
        "no-ssh",
        "/v1/infrastructure/servers/{serverId}",
        200,
    )
    assert sim.cycle.keys["no-ssh"] not in str(entry)
    assert not any(key in str(sim.estate()) for key in sim.cycle.keys.values())


def test_no_header_tells_of_a_rate_limit(sim: Simulator) -> None:
    sim.fault("GET", WEB, {"rate_limit": {"retry_after": 3}})
    refused = sim.cycle.get(WEB)
    assert (code(refused), refused.headers["retry-after"]) == ("429.rate-limiting", "3")
    assert not [name for reply in (refused, sim.cycle.get(WEB)) for name in reply.headers if "ratelimit" in name]
