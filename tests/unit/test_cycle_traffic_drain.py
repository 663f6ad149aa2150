# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draining instances of traffic, on a platform in memory, by a clock that is moved by hand."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    JobError,
    NotFoundError,
    StateError,
    TransportError,
    WaitTimeoutError,
)
from unit.cycle_hub import Hub, Item, Killed, act, broken, instance, refused, trouble
from unit.fakes import Clock

NAME = "instance_traffic_drain"
KEYS = {"changed", "diff", "instance", "jobs", "traffic_drain"}
STARTED = "2026-01-01T00:00:00Z"


def asked(enable: bool) -> Item:
    return {"action": "traffic-drain.reconfigure", "contents": {"enable": enable}}


@pytest.fixture
def hub(clock: Clock) -> Hub:
    return Hub(clock, instance("i1"), instance("i2", traffic_drain={"started": STARTED}))


def drain(hub: Hub, **more: t.Any) -> Item:
    return act(hub, NAME, **{"instance_id": "i1", **more})


def test_enabled_and_again(hub: Hub) -> None:
    result = drain(hub)
    assert set(result) == KEYS
    assert hub.sent == [asked(True)]
    assert (result["changed"], result["traffic_drain"]) == (True, {"enabled": True, "started": STARTED})
    assert result["instance"]["traffic_drain"] == {"started": STARTED}
    assert [job["state"] for job in result["jobs"]] == ["completed"]
    assert (result["diff"]["before"], result["diff"]["after"]) == (
        {"traffic_drain": "disabled"},
        {"traffic_drain": "enabled"},
    )
    again = drain(hub)
    assert set(again) == KEYS
    assert (again["changed"], again["jobs"], again["traffic_drain"]) == (False, [], result["traffic_drain"])
    assert len(hub.sent) == 1


def test_disabled_and_again(hub: Hub) -> None:
    result = drain(hub, instance_id="i2", state="disabled")
    assert (result["changed"], result["traffic_drain"]) == (True, {"enabled": False, "started": None})
    assert drain(hub, instance_id="i2", state="disabled")["changed"] is False
    assert hub.sent == [asked(False)]


def test_an_instance_without_the_field_is_not_drained(clock: Clock) -> None:
    old = instance("i1")
    del old["traffic_drain"]
    hub = Hub(clock, old)
    assert drain(hub, state="disabled")["changed"] is False
    assert hub.reads == ["containers/c1/instances/i1"]


@pytest.mark.parametrize(("identity", "state"), [("i1", "enabled"), ("i2", "disabled")])
def test_check_mode_predicts(hub: Hub, identity: str, state: str) -> None:
    result = drain(hub, instance_id=identity, state=state, check=True)
    assert set(result) == KEYS
    assert (result["changed"], hub.sent) == (True, [])
    assert result["traffic_drain"] == {"enabled": state == "enabled", "started": None}
    assert result["diff"]["after"] == {"traffic_drain": state}


def test_without_waiting(hub: Hub, clock: Clock) -> None:
    result = drain(hub, wait=False)
    assert (result["changed"], result["traffic_drain"]["enabled"], clock.now()) == (True, False, 1000)
    assert result["diff"]["after"] == {"traffic_drain": "enabled"}
    assert [job["state"] for job in result["jobs"]] == [None]


def test_without_seeing_jobs(hub: Hub) -> None:
    hub.may_see_jobs = False
    assert drain(hub)["traffic_drain"]["enabled"] is True


def test_unknown_and_leaving_ones(hub: Hub) -> None:
    assert '"i9" was not found' in trouble(hub, NAME, NotFoundError, instance_id="i9").message
    hub.instances.append(instance("i3", state="deleting"))
    assert "i3 is deleting" in trouble(hub, NAME, StateError, instance_id="i3").message


def test_failures_carry_the_job(hub: Hub) -> None:
    hub.ends_in = "error"
    error = trouble(hub, NAME, JobError, instance_id="i1")
    assert [job["state"] for job in error.results["jobs"]] == ["error"]
    hub.ends_in, hub.work = "completed", 60
    error = trouble(hub, NAME, WaitTimeoutError, instance_id="i1", wait_timeout=10)
    assert [job["state"] for job in error.results["jobs"]] == ["queued"]
    hub.may_see_jobs = False
    error = trouble(hub, NAME, WaitTimeoutError, instance_id="i1", wait_timeout=10)
    assert [job["state"] for job in error.results["jobs"]] == [None]


def test_an_older_platform_refuses(hub: Hub) -> None:
    hub.trouble = [(refused(422, "422.invalid-argument"), False)]
    trouble(hub, NAME, ApiError, instance_id="i1")
    assert len(hub.sent) == 1


def test_killed_after_the_request_and_run_again(hub: Hub) -> None:
    hub.trouble = [(Killed(), True)]
    with pytest.raises(Killed):
        drain(hub)
    result = drain(hub)
    assert (result["changed"], result["traffic_drain"]["enabled"]) == (False, True)
    assert len(hub.sent) == 1


@pytest.mark.parametrize("blind", [False, True])
def test_a_broken_connection_after_the_request(hub: Hub, blind: bool) -> None:
    hub.may_see_jobs = not blind
    hub.trouble = [(broken(), True)]
    result = drain(hub)
    assert (result["changed"], result["traffic_drain"]["enabled"], len(hub.sent)) == (True, True, 1)


def test_a_request_that_never_arrived(hub: Hub) -> None:
    hub.trouble = [(broken(), False)]
    assert drain(hub)["traffic_drain"]["enabled"] is True
    assert hub.sent == [asked(True)] * 2
    hub.trouble = [(broken(), False)] * 2
    assert "Nothing tells" in trouble(hub, NAME, TransportError, instance_id="i1", state="disabled").message
