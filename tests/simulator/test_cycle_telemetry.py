# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycle: telemetry, SSH credentials, tokens of streams, and what the sockets ask the platform for."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from paas_simulator.cycle import Cycle, Stream
from paas_simulator.estate import load_estate
from paas_simulator.messages import Answer, read_call
from paas_simulator.world import World
from support.cycle import at, code, instance_id
from support.simulator import Simulator

REPORT = at("web", 1, "/telemetry/resources/report")
WEB_1 = instance_id("web", 1)


@pytest.fixture
def world() -> World:
    """A world of the shipped estate in this process, its clock standing still."""
    made = World(load_estate())
    made.clock.freeze(True)
    return made


def _ask(world: World, method: str, path: str) -> Answer:
    estate = load_estate()["cycle"]
    headers = {"Authorization": f"Bearer {estate['keys'][0]['key']}", "X-Hub-Id": estate["hub"]["id"]}
    return world.cycle.answer(read_call(method, path, "", headers, b""))


def _data(world: World, method: str, path: str) -> Any:
    answer = _ask(world, method, path)
    assert answer.status == 200
    return answer.payload["data"]


def test_a_report_has_a_snapshot_a_minute(still: Simulator) -> None:
    query = "filter[range-start]=2026-11-02T07:00:00Z&filter[range-end]=2026-11-02T07:10:00Z"
    found = still.cycle.get(f"{REPORT}?{query}").data["data"]
    assert found["request"] == {
        "instance_id": WEB_1,
        "start": "2026-11-02T07:00:00Z",
        "end": "2026-11-02T07:10:00Z",
    }
    times = [each["time"] for each in found["snapshots"]]
    assert len(times) == 11
    assert times[0].startswith("2026-11-02T07:00:00.")
    assert times[-1].startswith("2026-11-02T07:10:00.")


def test_counters_grow(still: Simulator) -> None:
    snapshots = still.cycle.get(REPORT).data["data"]["snapshots"]
    assert len(snapshots) == 61
    for counter in (
        lambda each: each["cpu"]["usage"]["total"],
        lambda each: each["network"]["interfaces"][0]["rx_bytes"],
        lambda each: each["network"]["interfaces"][0]["tx_bytes"],
    ):
        values = [counter(each) for each in snapshots]
        assert all(later > earlier for earlier, later in pairwise(values))
    # Between two snapshots the share of the cores that is used stays one.
    used = [each["cpu"]["usage"]["total"] for each in snapshots]
    shares = [(later - earlier) / (60e9 * 2) for earlier, later in pairwise(used)]
    assert all(0 < share < 1 for share in shares)
    assert snapshots[0]["memory"]["usage"]["usage"] < snapshots[0]["memory"]["usage"]["limit"]
    assert still.cycle.get(REPORT).data["data"]["snapshots"] == snapshots


def test_reports_of_little(still: Simulator) -> None:
    future = "?filter[range-start]=2026-11-02T09:00:00Z&filter[range-end]=2026-11-02T10:00:00Z"
    assert still.cycle.get(REPORT + future).data["data"]["snapshots"] == []
    stopped = at("reports", 1, "/telemetry/resources/report")
    assert still.cycle.get(stopped).data["data"]["snapshots"] == []
    still.cycle.settings(telemetry={"delay": 600})
    assert len(still.cycle.get(REPORT).data["data"]["snapshots"]) == 51
    still.cycle.settings(telemetry={"delay": 0, "sample": 10})
    assert len(still.cycle.get(REPORT).data["data"]["snapshots"]) == 361
    still.cycle.settings(telemetry={"sample": 60})
    long = still.cycle.get(f"{REPORT}?filter[range-start]=2020-01-01T00:00:00Z&filter[range-end]=2040-01-01T00:00:00Z")
    assert len(long.data["data"]["snapshots"]) == 7 * 1440 + 1
    backwards = "?filter[range-start]=2026-11-02T09:00:00Z&filter[range-end]=2026-11-02T08:00:00Z"
    assert code(still.cycle.get(REPORT + backwards)) == "422.invalid-argument"
    assert code(still.cycle.get(f"{REPORT}?filter[range-end]=now")) == "422.invalid-argument"


def test_every_get_makes_a_credential(still: Simulator) -> None:
    first, second = (still.cycle.get(at("web", 1, "/ssh")).data["data"] for _number in range(2))
    assert first["secret"] != second["secret"]
    assert first["token"]["id"] != second["token"]["id"]
    assert first["secret"].startswith("SimSsh")
    assert first["secret"].isalnum()
    assert len(first["secret"]) == 25
    assert first["address"] == f"{WEB_1}@127.0.0.1:{still.cycle.ssh_port}"
    assert first["token"]["events"] == {
        "created": "2026-11-02T08:00:00.000000487Z",
        "used": "0001-01-01T00:00:00Z",
        "expires": "2026-11-02T08:30:00.000000487Z",
    }
    assert first["token"]["valid"] is True


def test_expiring_takes_all_and_counts_the_valid_ones(still: Simulator) -> None:
    path = at("web", 1, "/ssh")
    still.cycle.get(path)
    still.clock(advance=1799)
    still.cycle.get(path)
    still.cycle.get(path, "no-jobs")
    still.cycle.get(at("web", 2, "/ssh"))
    still.clock(advance=2)
    assert still.cycle.send("DELETE", path).data == {"data": {"tokens": 2}}
    assert still.cycle.send("DELETE", path).data == {"data": {"tokens": 0}}
    assert still.cycle.send("DELETE", at("web", 2, "/ssh")).data == {"data": {"tokens": 1}}


@pytest.mark.parametrize(("name", "number"), [("reports", 1), ("canary", 2), ("ledger", 1), ("ledger", 4)])
def test_no_credentials_for_what_does_not_run(sim: Simulator, name: str, number: int) -> None:
    assert code(sim.cycle.get(at(name, number, "/ssh"))) == "403.invalid-state"
    assert sim.cycle.send("DELETE", at(name, number, "/ssh")).data == {"data": {"tokens": 0}}


def test_a_credential_lets_in_while_it_is_valid(world: World) -> None:
    cycle: Cycle = world.cycle
    made = _data(world, "GET", at("web", 1, "/ssh"))
    other = _data(world, "GET", at("web", 2, "/ssh"))
    assert cycle.ssh_login(WEB_1, made["secret"])
    assert not cycle.ssh_login(WEB_1, other["secret"])
    assert not cycle.ssh_login(WEB_1, made["secret"] + "é")
    assert not cycle.ssh_login("nobody", made["secret"])
    events = [entry["event"] for entry in world.cycle.describe()["activity"]]
    assert events.count("container.instance.ssh.login") == 1
    assert made["token"]["events"]["used"].startswith("2026-11-02T08:00:00")
    world.clock.advance(1799)
    assert cycle.ssh_login(WEB_1, made["secret"])
    assert cycle.ssh_token_valid(WEB_1)
    world.clock.advance(2)
    assert not cycle.ssh_login(WEB_1, made["secret"])
    assert not cycle.ssh_token_valid(WEB_1)


def test_expired_credentials_let_nobody_in(world: World) -> None:
    made = _data(world, "GET", at("web", 1, "/ssh"))
    assert _data(world, "DELETE", at("web", 1, "/ssh")) == {"tokens": 1}
    assert not world.cycle.ssh_login(WEB_1, made["secret"])


def test_a_credential_of_an_instance_that_stops(world: World) -> None:
    made = _data(world, "GET", at("web", 1, "/ssh"))
    assert _ask(world, "DELETE", at("web", 1)).status == 202
    world.clock.advance(0.5)
    world.timelines.run(world.clock.now())
    assert not world.cycle.ssh_login(WEB_1, made["secret"])


@pytest.mark.parametrize(
    ("rest", "path", "stream"),
    [
        (at("web", 1, "/console"), "/v1/console", Stream("console", WEB_1, "demo")),
        (at("web", 1, "/telemetry/resources/stream"), "/v1/telemetry", Stream("telemetry", WEB_1, "demo")),
        (
            "/v1/hubs/current/notifications",
            "/v1/hubs/current/notifications",
            Stream("notifications", None, "demo"),
        ),
    ],
)
def test_tokens_of_streams(world: World, rest: str, path: str, stream: Stream) -> None:
    world.endpoints.http_port = 4711
    made = _data(world, "GET", rest)
    if stream.instance_id is None:
        assert set(made) == {"token"}
    else:
        assert made["address"] == f"ws://127.0.0.1:4711{path}"
    assert world.cycle.stream(path, made["token"]) == stream
    assert world.cycle.stream(path, "something else") is None
    assert world.cycle.stream("/v1/somewhere", made["token"]) is None
    world.clock.advance(899)
    assert world.cycle.stream(path, made["token"]) == stream
    world.clock.advance(2)
    assert world.cycle.stream(path, made["token"]) is None


def test_schemes_of_addresses(sim: Simulator) -> None:
    sim.cycle.settings(console={"scheme": "http"})
    assert sim.cycle.get(at("web", 1, "/console")).data["data"]["address"] == f"{sim.cycle.url}/v1/console"
    stream = sim.cycle.get(at("web", 1, "/telemetry/resources/stream")).data["data"]
    assert stream["address"].startswith("ws://")


def test_the_console_is_not_always_text(world: World) -> None:
    backlog = world.cycle.console_backlog(WEB_1)
    assert len(backlog.splitlines()) == 40
    assert b"\xff\xfe" in backlog
    assert backlog.startswith(b"2026-11-02T07:59:20")
    lines = [world.cycle.console_line(WEB_1) for _number in range(3)]
    assert len(set(lines)) == 3
    assert all(line.endswith(b"\n") for line in lines)
    assert len(world.cycle.console_backlog(instance_id("checkout-api", 1))) == 128 * 1024


def test_the_snapshot_of_now_grows(world: World) -> None:
    first = world.cycle.snapshot(WEB_1)
    world.clock.advance(1)
    second = world.cycle.snapshot(WEB_1)
    assert second["cpu"]["usage"]["total"] > first["cpu"]["usage"]["total"]
    assert second["time"] > first["time"]
    assert world.cycle.snapshot(instance_id("reports", 1))["cpu"]["usage"]["total"] == 0


@pytest.mark.parametrize("flags", ["list", "map"])
def test_what_happens_is_told_to_those_who_listen(world: World, flags: str) -> None:
    told: list[dict[str, Any]] = []
    world.cycle.change_settings({"notifications": {"flags": flags}})
    end = world.cycle.listen(told.append)
    assert _ask(world, "DELETE", at("web", 1)).status == 202
    world.clock.advance(2)
    world.timelines.run(world.clock.now())
    topics = [message["topic"] for message in told]
    assert topics.count("job.created") == 1
    assert topics.count("job.state.changed") == 3
    changed = [message for message in told if message["topic"] == "container.instance.state.changed"]
    assert [(each["object"]["id"], each["object"]["state"]) for each in changed] == [
        (WEB_1, "deleting"),
        (WEB_1, "deleted"),
    ]
    assert set(changed[0]["context"]) == {
        "hub_id",
        "account_id",
        "environments",
        "dns_zones",
        "clusters",
        "containers",
    }
    assert isinstance(changed[0]["flags"], dict if flags == "map" else list)
    end()
    end()
    before = len(told)
    assert _ask(world, "DELETE", at("web", 2)).status == 202
    assert len(told) == before
