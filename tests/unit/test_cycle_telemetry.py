# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Telemetry: what is read for which instances, and what counters say, whatever is missing from them."""

from __future__ import annotations

import copy
import datetime
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.module_utils._cycle import telemetry
from ansible_collections.quayside.paas.plugins.module_utils._cycle.streams import Authorisation
from ansible_collections.quayside.paas.plugins.module_utils._cycle.telemetry import summary_of
from ansible_collections.quayside.paas.plugins.module_utils._errors import ApiError
from ansible_collections.quayside.paas.plugins.module_utils._wait import Deadline
from unit.fakes import Call, Platform, Reply, cycle, cycle_error, cycle_page, resources
from unit.hosts import declared, run, validate

RANGE = {"range_start": "2026-01-31T11:00:00Z", "range_end": "2026-01-31T12:00:00Z"}
QUERY = {"filter[range-start]": "2026-01-31T11:00:00Z", "filter[range-end]": "2026-01-31T12:00:00Z"}
REPORT = {"instance_id", "container_id", "start", "end", "snapshots", "summary"}
SUMMARY = {
    "cpu", "cpu_cores", "memory_used", "memory_limit", "memory_share", "network_rx", "network_tx", "processes",
    "samples", "seconds",
}  # fmt: skip
NOTHING = {**dict.fromkeys(SUMMARY), "samples": 0}


def sample(second: float = 0.0, total: int = 0, rx: int = 0, tx: int = 0, **changes: t.Any) -> dict[str, t.Any]:
    """A ResourceSnapshot, as the specification has it, with nanoseconds."""
    at = datetime.datetime(2026, 1, 31, 11, 0, tzinfo=datetime.UTC) + datetime.timedelta(seconds=second)
    found = {
        "time": at.isoformat(timespec="microseconds").replace("+00:00", "987Z"),
        "instance_id": "i1",
        "cpu": {"num_cores": 4, "usage": {"total": total, "kernel": 0, "user": total}, "throttling": {"periods": 0}},
        "memory": {"cache": 1, "usage": {"usage": 128 * 2**20, "max_usage": 2**29, "fail_count": 0, "limit": 2**29}},
        "processes": {"current": 7, "limit": 1024},
        "network": {
            "interfaces": [
                {"name": "eth0", "rx_bytes": rx, "tx_bytes": tx},
                {"name": "lo", "rx_bytes": rx * 100, "tx_bytes": tx * 100},
            ]
        },
    }
    return {**found, **changes}


def reported(*snapshots: t.Any, **request: t.Any) -> Reply:
    return resources({"request": {"instance_id": "i1", **request}, "snapshots": list(snapshots)})


def report(answer: Reply, instance: str = "i1", **query: t.Any) -> Call:
    return cycle("GET", f"containers/c1/instances/{instance}/telemetry/resources/report", answer, **query)


def instance(state: str = "running", identity: str = "i1") -> dict[str, t.Any]:
    return {"id": identity, "state": {"current": state}}


def looked_at(state: str = "running", identity: str = "i1") -> Call:
    return cycle("GET", f"containers/c1/instances/{identity}", resources(instance(state, identity)))


NO_INSTANCE = cycle("GET", "containers/c1/instances/i1", cycle_error(404, "instance"))
CONTAINER = cycle("GET", "containers/c1", resources({"id": "c1"}))


def reports(**arguments: t.Any) -> list[dict[str, t.Any]]:
    result = run("instance_telemetry_info", **{"container_id": "c1", **arguments})
    assert not result.get("failed"), result
    assert set(result) == {"changed", "reports", "rate_limit", "request_count"}
    assert result["changed"] is False
    for one in result["reports"]:
        assert set(one) == REPORT
        assert set(one["summary"]) == SUMMARY
    return t.cast("list[dict[str, t.Any]]", result["reports"])


def failed(**arguments: t.Any) -> dict[str, t.Any]:
    result = run("instance_telemetry_info", **{"container_id": "c1", **arguments})
    assert result["failed"] is True
    return result


# Reports


def test_a_report_of_a_range(platform: Platform) -> None:
    first, last = sample(0, 10**9, 1000, 5000), sample(10, 21 * 10**9, 3000, 5500)
    answered = {"start": "2026-01-31T11:00:00Z", "end": "2026-01-31T11:59:00Z"}
    platform.expects(report(reported(first, last, **answered), **QUERY))
    (one,) = reports(instance_id="i1", **RANGE)
    assert one == {
        "instance_id": "i1",
        "container_id": "c1",
        **answered,
        "snapshots": [first, last],
        "summary": {
            "cpu": 0.5,  # 20 seconds of work in 10 seconds, on 4 cores
            "cpu_cores": 4,
            "memory_used": 128 * 2**20,
            "memory_limit": 2**29,
            "memory_share": 0.25,
            "network_rx": 200.0,
            "network_tx": 50.0,
            "processes": 7,
            "samples": 2,
            "seconds": 10.0,
        },
    }


@pytest.mark.parametrize(
    ("given_", "query"),
    [({}, {}), ({"range_end": "now-ish"}, {"filter[range-end]": "now-ish"}),
     ({"range_start": RANGE["range_start"]}, {"filter[range-start]": RANGE["range_start"]})],
)  # fmt: skip
def test_what_is_not_given_is_left_to_the_platform(platform: Platform, given_: t.Any, query: t.Any) -> None:
    platform.expects(report(reported(), **query))
    (one,) = reports(instance_id="i1", **given_)
    assert (one["start"], one["end"]) == (given_.get("range_start"), given_.get("range_end"))
    assert one["summary"] == NOTHING


def test_the_samples_can_be_left_out(platform: Platform) -> None:
    platform.expects(report(reported(sample())))
    (one,) = reports(instance_id="i1", snapshots=False)
    assert (one["snapshots"], one["summary"]["samples"]) == ([], 1)


def test_all_instances_of_a_container(platform: Platform) -> None:
    listed = resources([instance(identity="i1"), instance("deleted", "i2"), instance("stopped", "i3")])
    platform.expects(
        cycle_page("containers/c1/instances", listed),
        report(reported(sample()), "i3"),
        report(reported(), "i1"),
        any_order=True,
    )
    assert [one["instance_id"] for one in reports()] == ["i3", "i1"]


def test_an_instance_that_goes_after_it_was_listed_is_left_out(platform: Platform) -> None:
    platform.expects(
        cycle_page("containers/c1/instances", resources([instance(identity="i1"), instance(identity="i0")])),
        report(cycle_error(404, "instance"), "i1"),
        *([NO_INSTANCE, CONTAINER] * 2),
        report(reported(), "i0"),
        any_order=True,
    )
    assert [one["instance_id"] for one in reports(concurrency=1)] == ["i0"]


@pytest.mark.parametrize("answer", [resources({"snapshots": None}), resources({}), reported(None, "x", 5)])
def test_a_report_without_samples_is_empty(platform: Platform, answer: Reply) -> None:
    platform.expects(report(answer))
    (one,) = reports(instance_id="i1")
    assert (one["snapshots"], one["summary"]) == ([], NOTHING)


def test_a_report_that_is_none(platform: Platform) -> None:
    platform.expects(report(resources({"snapshots": {"a": 1}})))
    assert "no list of snapshots" in failed(instance_id="i1")["msg"]


@pytest.mark.parametrize(
    ("refusal", "state"),
    [(cycle_error(404, "node"), "running"), (cycle_error(403, "invalid-state"), "stopped"),
     (cycle_error(409, "x"), "starting"), (cycle_error(422, "x"), "new"), (cycle_error(503, "not-ready"), "failed")],
    ids=["404", "403", "409", "422", "503"],
)  # fmt: skip
def test_an_instance_without_telemetry_has_an_empty_report(platform: Platform, refusal: Reply, state: str) -> None:
    platform.expects(report(refusal, **QUERY), looked_at(state))
    (one,) = reports(instance_id="i1", **RANGE)
    assert (one["start"], one["end"]) == tuple(RANGE.values())
    assert (one["snapshots"], one["summary"]) == ([], NOTHING)


@pytest.mark.parametrize(
    ("refusal", "calls", "said"),
    [
        (cycle_error(403, "permissions"), [], "may lack the permission containers-view"),
        (cycle_error(403, "invalid-state"), [looked_at()], "status 403"),
        (cycle_error(422, "invalid-argument"), [looked_at()], "status 422"),
        (cycle_error(500, "unknown"), [], "status 500"),
        (cycle_error(404, "instance"), [NO_INSTANCE, CONTAINER], 'The instance "i1" was not found'),
    ],
    ids=["capability", "running", "range", "fault", "missing"],
)
def test_other_refusals_are_failures(platform: Platform, refusal: Reply, calls: list[Call], said: str) -> None:
    platform.expects(report(refusal), *calls)
    assert said in failed(instance_id="i1")["msg"]


def test_a_failure_names_the_instance_where_there_are_several(platform: Platform) -> None:
    platform.expects(
        cycle_page("containers/c1/instances", resources([instance(identity="i1")])),
        report(cycle_error(500, "unknown")),
    )
    assert failed()["msg"].startswith('instance "i1": GET ')


def test_a_container_that_is_not_there_is_named(platform: Platform) -> None:
    platform.expects(
        cycle_page("containers/c1/instances", cycle_error(404, "container")),
        cycle("GET", "containers/c1", cycle_error(404, "container")),
    )
    assert 'The container "c1" was not found' in failed()["msg"]


# Live


class Stream:
    """A WebSocket that delivers messages, and then nothing more."""

    closed = None

    def __init__(self, *messages: t.Any) -> None:
        self._messages = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in messages]
        self.is_left = False
        self.timeout = 0.0

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.is_left = True

    def messages(self, deadline: Deadline) -> t.Iterator[bytes]:
        self.timeout = deadline.timeout
        yield from self._messages


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., Stream]:
    def prepared(*messages: t.Any) -> Stream:
        stream = Stream(*messages)

        def opened(_client: t.Any, authorisation: Authorisation) -> Stream:
            assert authorisation.url == "wss://s1.example.com/t?token=x"
            return stream

        monkeypatch.setattr(telemetry, "open_stream", opened)
        return stream

    return prepared


def authorised(answer: Reply | None = None, instance: str = "i1") -> Call:
    found = answer or resources({"token": "x", "address": "wss://s1.example.com/t"})
    return cycle("GET", f"containers/c1/instances/{instance}/telemetry/resources/stream", found)


def test_live_samples(platform: Platform, live: t.Any) -> None:
    samples = [sample(second, second * 10**9) for second in (0, 1, 2)]
    stream = live(*samples)
    platform.expects(authorised())
    (one,) = reports(instance_id="i1", live={"timeout": 9})
    assert one["snapshots"] == samples[:2]
    assert (one["start"], one["end"]) == (samples[0]["time"], samples[1]["time"])
    assert (one["summary"]["cpu"], one["summary"]["samples"]) == (0.25, 2)
    assert stream.is_left
    assert stream.timeout == 9


def test_live_samples_that_do_not_come(platform: Platform, live: t.Any) -> None:
    live()
    platform.expects(authorised())
    (one,) = reports(instance_id="i1", live={})
    assert (one["start"], one["end"], one["snapshots"], one["summary"]) == (None, None, [], NOTHING)


def test_live_samples_of_several_instances(platform: Platform, live: t.Any) -> None:
    live(sample())
    listed = resources([instance(identity="i1"), instance("stopped", "i2")])
    platform.expects(
        cycle_page("containers/c1/instances", listed),
        authorised(instance="i1"),
        authorised(cycle_error(403, "invalid-state"), "i2"),
        looked_at("stopped", "i2"),
        looked_at("stopped", "i2"),
        any_order=True,
    )
    assert [(one["instance_id"], one["summary"]["samples"]) for one in reports(live={"samples": 1})] == [
        ("i2", 0),
        ("i1", 1),
    ]


@pytest.mark.parametrize("message", [b"\xff", b"[]", b"{", b"5", b'{"a": NaN}', b"[" * 100_000])
def test_a_message_that_is_no_sample(platform: Platform, live: t.Any, message: bytes) -> None:
    stream = live(message)
    platform.expects(authorised())
    assert "no JSON object" in failed(instance_id="i1", live={})["msg"]
    assert stream.is_left


def test_a_stream_that_refuses_is_a_failure(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_arguments: t.Any) -> t.NoReturn:
        raise ApiError("wss://s1.example.com/t refused the WebSocket.", status=403)

    monkeypatch.setattr(telemetry, "open_stream", refused)
    platform.expects(authorised())
    assert "refused the WebSocket" in failed(instance_id="i1", live={})["msg"]


@pytest.mark.parametrize("live_", [{"samples": 0}, {"samples": 1001}, {"timeout": 0}])
def test_bounds(platform: Platform, live_: t.Any) -> None:
    result = failed(live=live_)
    assert "it has to be from 1 to" in result["msg"]
    assert result["request_count"] == 0


@pytest.mark.parametrize("name", ["range_start", "range_end"])
def test_live_samples_have_no_range(name: str) -> None:
    module = declared("instance_telemetry_info")
    assert validate(module, api_key="k", hub_id="h", container_id="c1", live={}, **{name: "x"}).error_messages


# Summaries


def without(snapshot: dict[str, t.Any], field: str) -> dict[str, t.Any]:
    found = copy.deepcopy(snapshot)
    *way, last = field.split(".")
    inner = found
    for name in way:
        inner = inner[name]
    del inner[last]
    return found


@pytest.mark.parametrize(
    ("field", "unknown"),
    [
        ("time", {"cpu", "network_rx", "network_tx", "seconds"}),
        ("cpu", {"cpu", "cpu_cores"}),
        ("cpu.usage", {"cpu"}),
        ("cpu.usage.total", {"cpu"}),
        ("cpu.num_cores", {"cpu", "cpu_cores"}),
        ("memory", {"memory_used", "memory_limit", "memory_share"}),
        ("memory.usage.limit", {"memory_limit", "memory_share"}),
        ("memory.usage.usage", {"memory_used", "memory_share"}),
        ("network", {"network_rx", "network_tx"}),
        ("network.interfaces", {"network_rx", "network_tx"}),
        ("processes", {"processes"}),
    ],
)
def test_what_is_missing_is_unknown_and_the_rest_is_told(field: str, unknown: set[str]) -> None:
    found = summary_of([without(one, field) for one in (sample(0), sample(1, 10**9, 10, 10))])
    assert {name for name, value in found.items() if value is None} == unknown


def test_one_sample_tells_no_rates() -> None:
    found = summary_of([sample(0, 10**9, 5, 5)])
    assert {name for name, value in found.items() if value is None} == {"cpu", "network_rx", "network_tx", "seconds"}


def test_two_samples_of_the_same_moment_tell_no_rates() -> None:
    assert summary_of([sample(0, 10**9), sample(0, 2 * 10**9)])["cpu"] is None


def test_samples_in_any_order() -> None:
    assert summary_of([sample(10, 10 * 10**9), sample(0, 0)])["cpu"] == 0.25


def test_older_samples_tell_the_cores_one_by_one() -> None:
    older = [{**sample(second), "cpu": {"usage": {"total": second * 10**9, "per_core": [0, 0]}}} for second in (0, 2)]
    assert (summary_of(older)["cpu_cores"], summary_of(older)["cpu"]) == (2, 0.5)
    older = [{**sample(second), "cpu": {"per_core": [0], "usage": {"total": second * 10**9}}} for second in (0, 2)]
    assert (summary_of(older)["cpu_cores"], summary_of(older)["cpu"]) == (1, 1.0)


def test_only_what_follows_a_restart_counts() -> None:
    found = summary_of(
        [
            sample(0, 500 * 10**9, 9000, 9000),
            sample(10, 510 * 10**9, 9999, 9999),
            sample(20, 10**9, 100, 0),
            sample(30, 11 * 10**9, 300, 50),
        ]
    )
    assert (found["cpu"], found["network_rx"], found["network_tx"]) == (0.25, 20.0, 5.0)
    assert (found["samples"], found["seconds"]) == (4, 10.0)


def test_a_restart_before_the_last_sample_leaves_no_rates() -> None:
    found = summary_of([sample(0, 5 * 10**9, 100, 100), sample(10, 10**9, 100, 100)])
    assert {name for name, value in found.items() if value is None} == {"cpu", "network_rx", "network_tx", "seconds"}


def test_a_network_interface_that_was_started_anew_counts_as_a_restart() -> None:
    assert summary_of([sample(0, 0, 100), sample(10, 10**9, 5), sample(20, 5 * 10**9, 105)])["network_rx"] == 10.0


def test_interfaces_that_come_or_go_do_not_count() -> None:
    first, last = sample(0, 0, 100, 100), sample(10, 0, 200, 300)
    last["network"]["interfaces"].append({"name": "eth1", "rx_bytes": 10**9, "tx_bytes": 10**9})
    found = summary_of([first, last])
    assert (found["network_rx"], found["network_tx"]) == (10.0, 20.0)


@pytest.mark.parametrize("limit", [0, -1, 9223372036854771712, None, "x"])
def test_no_limit_is_no_share(limit: t.Any) -> None:
    memory = {"usage": {"usage": 100, "limit": limit}}
    found = summary_of([sample(0, memory=memory)])
    assert (found["memory_used"], found["memory_limit"], found["memory_share"]) == (100, None, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("time", "cpu", "memory", "processes", "network")


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 10**12), st.sampled_from(FIELDS), JSON), max_size=6))
def test_no_sample_is_too_odd(odd: list[tuple[int, int, str, t.Any]]) -> None:
    found = summary_of([{**sample(second, total, total, total), field: value} for second, total, field, value in odd])
    assert set(found) == SUMMARY
    json.dumps(found, allow_nan=False)
    for name in ("cpu", "network_rx", "network_tx"):
        assert found[name] is None or found[name] >= 0
