# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrating a batch of instances away from a server, on a platform in memory, by a clock that is moved by hand."""

from __future__ import annotations

import contextlib
import functools
import threading
import typing as t
from unittest import mock

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._cycle import (
    evacuation,
    evacuation_batch,
    migration,
    traffic_drain,
)
from ansible_collections.quayside.paas.plugins.module_utils._errors import ApiError, OptionError, PaasError, StateError
from ansible_collections.quayside.paas.plugins.module_utils._module.action import apply
from ansible_collections.quayside.paas.plugins.module_utils._wait import Deadline
from unit.cycle_hub import Hub, Item, Killed, broken, hop, instance, refused
from unit.fakes import Clock
from unit.hosts import declared, validate

KEYS = {"server_id", "server", "outcomes", "remaining", "batches_remaining", "kept", "drained"}
DRAINED = {"started": "2026-01-01T00:00:00Z"}


@pytest.fixture
def hub(clock: Clock) -> Hub:
    return Hub(clock, instance("i1"))


def add_container(hub: Hub, identity: str, *found: Item) -> None:
    """Adds a container like c1, and instances of it."""
    hub.containers[identity] = {**hub.container, "id": identity}
    hub.instances += [{**one, "container_id": identity} for one in found]


def evacuate(hub: Hub, *, check: bool = False, **arguments: t.Any) -> Item:
    """The result of the module for s1, by the hub's clock. Raises what it raises."""
    checked = validate(
        declared("server_evacuation"),
        **{"api_key": "k", "hub_id": "h", "server_id": "s1", "targets": "s2", **arguments},
    )
    assert checked.error_messages == []
    timed = functools.partial(Deadline, sleep=hub.clock.sleep, clock=hub.clock.now)
    hub.check_mode, hub.may_have_changed = check, False
    with contextlib.ExitStack() as patches:
        for one in (evacuation_batch, migration, traffic_drain):
            patches.enter_context(mock.patch.object(one, "Deadline", timed))
        client = t.cast("t.Any", hub)
        result = apply(client, evacuation.plan(client, checked.validated_parameters))
    assert set(result) == {*KEYS, "changed", "diff"}
    return result


def fails(hub: Hub, **arguments: t.Any) -> StateError:
    with pytest.raises(StateError) as caught:
        evacuate(hub, **arguments)
    return caught.value


def states(result: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {one["instance_id"]: one["state"] for one in result["outcomes"]}


def asked(hub: Hub) -> list[tuple[str, str]]:
    """What instances were asked for, in order."""
    names = {"migration.start": "start", "migration.revert": "revert"}
    found = []
    for method, path, body in hub.calls:
        if method == "POST":
            drain = "drain" if body.get("contents", {}).get("enable") else "undrain"
            found.append((names.get(body["action"], drain), path.split("/")[-2]))
    return found


def reads(hub: Hub) -> list[str]:
    return [path for method, path, _query in hub.calls if method == "GET"]


# One batch


READ = [
    ("GET", "jobs", None),
    ("GET", "infrastructure/servers", {"meta": ["node"]}),
    ("GET", "infrastructure/servers/s1/instances", {"include": ["containers"]}),
    ("GET", "containers/c1/servers/usable", None),
    ("GET", "containers/c1/instances", None),
    ("GET", "infrastructure/servers/s2", {"meta": ["allocations", "instances_count"]}),
]
OPEN_JOBS = ("GET", "jobs", {"filter[state]": "new,queued,scheduled,running", "sort": "-id"})
LOG = {"filter[instance]": "i1", "sort": "-id", "page[number]": 1, "page[size]": 100}
PLAN_MIGRATION = [
    ("GET", "containers/c1", None),
    ("GET", "containers/c1/instances/i1", None),
    OPEN_JOBS,
    ("GET", "hubs/current/activity", LOG),
    ("GET", "containers/c1/instances/i1", None),
    ("GET", "containers/c1/servers/usable", {"meta": ["instances_count"]}),
]
DRAIN = [
    ("GET", "containers/c1/instances/i1", None),
    ("GET", "containers/c1", None),
    OPEN_JOBS,
    ("GET", "containers/c1/instances/i1", None),
    (
        "POST",
        "containers/c1/instances/i1/tasks",
        {"action": "traffic-drain.reconfigure", "contents": {"enable": True}},
    ),
    *[("GET", "jobs/j1", None)] * 4,
    ("GET", "containers/c1/instances/i1", None),
]
START = {
    "action": "migration.start",
    "contents": {"destination_server_id": "s2", "stateful": {"copy_volumes": False}},
}


def test_an_instance_request_by_request(hub: Hub, clock: Clock) -> None:
    result = evacuate(hub, drain_seconds=7)
    new = hub.instances[-1]["id"]
    pair = [("GET", f"containers/c1/instances/{one}", None) for one in ("i1", new)]
    migrated = hub.calls[len(READ + PLAN_MIGRATION + DRAIN + PLAN_MIGRATION) :]
    assert hub.calls[: -len(migrated)] == [*READ, *PLAN_MIGRATION, *DRAIN, *PLAN_MIGRATION]
    assert migrated == [
        ("POST", "containers/c1/instances/i1/tasks", START),
        *[("GET", f"jobs/{result['outcomes'][0]['job_ids'][1]}", None)] * 4,
        *pair * 2,
        ("GET", "infrastructure/servers/s1/instances", {"include": ["containers"]}),
    ]
    assert clock.sleeps == [2, 2, 2, 7, 2, 2, 2, 2]
    assert result["outcomes"] == [
        {
            "instance_id": "i1",
            "new_instance_id": new,
            "container_id": "c1",
            "container": "c1",
            "hostname": None,
            "target_id": "s2",
            "target": "host-s2",
            "state": "migrated",
            "reason": "",
            "job_ids": [job["id"] for job in hub.jobs],
        }
    ]
    assert (result["changed"], result["server_id"], result["server"]) == (True, "s1", "host-s1")
    assert (result["remaining"], result["batches_remaining"], result["drained"]) == ([], 0, [])
    assert [(one["instance_id"], one["until"]) for one in result["kept"]] == [("i1", "2026-01-01T03:00:00Z")]
    assert result["diff"] == {
        "before_header": "instances of server s1",
        "after_header": "instances of server s1",
        "before": {"instances": [{"instance_id": "i1", "server_id": "s1"}]},
        "after": {"instances": [{"instance_id": new, "server_id": "s2"}]},
    }


def test_check_mode_predicts_and_only_reads(hub: Hub) -> None:
    result = evacuate(hub, check=True)
    assert hub.calls == [*READ, *PLAN_MIGRATION]
    assert (result["changed"], states(result), result["outcomes"][0]["new_instance_id"]) == (
        True,
        {"i1": "migrated"},
        None,
    )
    assert result["diff"]["after"] == {"instances": [{"instance_id": None, "server_id": "s2"}]}
    hub.calls.clear()
    real = evacuate(hub)
    assert (real["changed"], states(real), real["diff"]["before"]) == (True, states(result), result["diff"]["before"])


@pytest.mark.parametrize("check", [False, True])
def test_an_empty_server_is_no_change(clock: Clock, check: bool) -> None:
    hub = Hub(clock, instance("i1", service="loadbalancer"), instance("i2", "s2"), instance("i3", state="deleting"))
    result = evacuate(hub, check=check)
    assert hub.calls == READ[:3]
    assert (result["changed"], result["outcomes"], result["diff"]["before"]) == (False, [], {"instances": []})
    assert [(one["instance_id"], one["target_id"]) for one in result["remaining"]] == [("i1", None)]
    assert result["remaining"][0]["reason"] == "instances of load balancers cannot be migrated"


def test_a_batch_is_part_of_the_instances(clock: Clock) -> None:
    hub = Hub(clock, *(instance(f"i{number}") for number in range(5)))
    result = evacuate(hub, batch=2, drain=False)
    assert states(result) == {"i0": "migrated", "i1": "migrated"}
    assert result["batches_remaining"] == 2
    assert {one["reason"] for one in result["remaining"]} == {"its turn has not come"}
    assert {one["target"] for one in result["remaining"]} == {"host-s2"}
    assert evacuate(hub, batch=2, drain=False)["batches_remaining"] == 1
    assert evacuate(hub, batch=2, drain=False)["batches_remaining"] == 0
    assert sorted(asked(hub)) == [("start", f"i{number}") for number in range(5)]
    assert evacuate(hub, batch=2)["changed"] is False


def test_what_arrives_meanwhile_remains(hub: Hub) -> None:
    hub.after(3, lambda: hub.instances.append(instance("i9")))
    result = evacuate(hub)
    assert [(one["instance_id"], one["reason"]) for one in result["remaining"]] == [
        ("i9", "it came after the batch was planned")
    ]
    assert result["batches_remaining"] == 0


def test_instances_of_one_container_migrate_one_after_the_other(clock: Clock) -> None:
    hub = Hub(clock, instance("i1"), instance("i2"))
    evacuate(hub, drain_seconds=0)
    assert asked(hub) == [("drain", "i1"), ("drain", "i2"), ("start", "i1"), ("start", "i2")]
    second = hub.calls.index(("POST", "containers/c1/instances/i2/tasks", START))
    first = next(one["id"] for one in hub.instances if one["migration"] == hop(came=("i1", "s1")))
    assert ("GET", f"containers/c1/instances/{first}", None) in hub.calls[:second]


def test_containers_migrate_at_the_same_time(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    add_container(hub, "c2", instance("i2"))
    add_container(hub, "c3", instance("i3"))
    together = threading.Barrier(3, timeout=30)

    def post(path: str, body: Item, *, permission: str) -> Item:
        together.wait()  # breaks unless all three ask before the first one gets its response
        return Hub.post(hub, path, body, permission=permission)

    monkeypatch.setattr(hub, "post", post)
    result = evacuate(hub)
    assert states(result) == {"i1": "migrated", "i2": "migrated", "i3": "migrated"}
    assert [one["container_id"] for one in result["outcomes"]] == ["c1", "c2", "c3"]
    assert sorted(asked(hub)[:3]) == [("drain", "i1"), ("drain", "i2"), ("drain", "i3")]


def test_instances_to_skip_are_not_looked_at(hub: Hub) -> None:
    add_container(hub, "c2", instance("i2"))
    result = evacuate(hub, skip_instances="i1")
    assert states(result) == {"i2": "migrated"}
    assert [one["reason"] for one in result["remaining"]] == ["it is named in skip_instances"]
    assert [path for path in reads(hub) if path.startswith("containers/c1")] == []


# Failures


@pytest.fixture
def two(hub: Hub) -> Hub:
    """A hub with an instance each of two containers. New instances of c1 fail."""
    add_container(hub, "c2", instance("i2"))
    hub.outcomes["c1"] = "failed"
    return hub


def test_a_failure_does_not_stop_the_others(two: Hub) -> None:
    error = fails(two)
    assert set(error.results) == KEYS
    assert states(error.results) == {"i1": "reverted", "i2": "migrated"}
    assert [what for what, one in asked(two) if one == "i1"] == ["drain", "start", "revert", "undrain"]
    assert [what for what, one in asked(two) if one == "i2"] == ["drain", "start"]
    assert error.message.startswith(
        "1 of 2 migrations from the server host-s1 failed, and max_unhealthy allows 0: c1 (i1). The first one: The new"
        " instance"
    )
    assert error.message.endswith("Fix the cause and run the task again. It resumes from the current state.")
    (one,) = [one for one in error.results["outcomes"] if one["instance_id"] == "i1"]
    assert "The migration was reverted: the instance i1 is running on server s1 again." in one["reason"]
    assert (one["new_instance_id"], len(one["job_ids"])) == (None, 4)
    assert error.results["drained"] == error.results["remaining"] == []


def test_failures_that_are_allowed(two: Hub) -> None:
    result = evacuate(two, max_unhealthy=1)
    assert (result["changed"], states(result)) == (True, {"i1": "reverted", "i2": "migrated"})
    shown = {one["instance_id"] for one in result["diff"]["after"]["instances"]}
    assert "i1" in shown
    assert "i2" not in shown


def test_a_failure_that_is_not_taken_back(two: Hub) -> None:
    error = fails(two, revert=False)
    (one,) = [one for one in error.results["outcomes"] if one["instance_id"] == "i1"]
    (new,) = [each["id"] for each in two.instances if each["migration"] == hop(came=("i1", "s1"))]
    assert (one["state"], one["new_instance_id"], one["target_id"]) == ("failed", new, "s2")
    assert [what for what, one in asked(two) if one == "i1"] == ["drain", "start"]
    assert "With state=reverted the old instance is brought back." in one["reason"]


def test_a_job_that_fails_gives_traffic_back(hub: Hub) -> None:
    hub.after(6, lambda: setattr(hub, "ends_in", "error"))
    hub.after(13, lambda: setattr(hub, "ends_in", "completed"))
    error = fails(hub, drain_seconds=1)
    assert states(error.results) == {"i1": "failed"}
    assert "no room" in error.results["outcomes"][0]["reason"]
    assert asked(hub) == [("drain", "i1"), ("start", "i1"), ("undrain", "i1")]
    assert hub.instances[0]["traffic_drain"] is None
    assert error.results["drained"] == []


def test_an_instance_that_cannot_be_drained_is_not_migrated(hub: Hub) -> None:
    hub.trouble = [(refused(403, "403.permissions"), False)]
    error = fails(hub)
    (one,) = error.results["outcomes"]
    assert (one["state"], one["reason"]) == (
        "failed",
        "It could not be drained of traffic: The platform said 403.permissions.",
    )
    assert asked(hub) == [("drain", "i1")]
    assert hub.clock.sleeps == []


def test_traffic_that_cannot_be_given_back(hub: Hub) -> None:
    hub.trouble = [None, (refused(), False), (refused(), False)]
    error = fails(hub)
    assert asked(hub) == [("drain", "i1"), ("start", "i1"), ("undrain", "i1")]
    assert error.results["drained"] == ["i1"]


def test_a_new_instance_that_comes_up_drained_gets_traffic(hub: Hub) -> None:
    hub.after(8, lambda: hub.instances[-1].update(traffic_drain=DRAINED))
    result = evacuate(hub, drain_seconds=0)
    new = result["outcomes"][0]["new_instance_id"]
    assert asked(hub) == [("drain", "i1"), ("start", "i1"), ("undrain", new)]
    assert (hub.instances[-1]["traffic_drain"], result["drained"]) == (None, [])


def test_a_new_instance_that_stays_drained_is_named(hub: Hub) -> None:
    hub.after(8, lambda: hub.instances[-1].update(traffic_drain=DRAINED))
    hub.trouble = [None, None, (refused(), False)]
    result = evacuate(hub, drain_seconds=0)
    assert result["drained"] == [result["outcomes"][0]["new_instance_id"]]
    assert states(result) == {"i1": "migrated"}


def test_what_somebody_else_has_drained_stays_drained(clock: Clock) -> None:
    hub = Hub(
        clock, instance("i1", traffic_drain=DRAINED), instance("i2", service="loadbalancer", traffic_drain=DRAINED)
    )
    hub.outcome = "failed"
    error = fails(hub)
    assert asked(hub) == [("start", "i1"), ("revert", "i1")]
    assert error.results["drained"] == ["i1", "i2"]


def test_what_somebody_else_drains_meanwhile_stays_drained(hub: Hub) -> None:
    hub.outcome = "failed"

    def plan_steps(*arguments: t.Any) -> t.Any:
        found = evacuation_batch.plan_steps(*arguments)
        hub.instances[0]["traffic_drain"] = DRAINED
        return found

    with mock.patch.object(evacuation, "plan_steps", plan_steps):
        error = fails(hub)
    assert asked(hub) == [("start", "i1"), ("revert", "i1")]
    assert error.results["drained"] == ["i1"]


def test_a_target_that_is_gone_fails_before_anything_is_done(hub: Hub) -> None:
    hub.usable, usable = hub.usable[:1], hub.usable
    with mock.patch.object(evacuation, "usable_servers", return_value=usable):
        predicted = fails(hub, check=True)
        error = fails(hub)
    assert "cannot be migrated to s2" in error.results["outcomes"][0]["reason"]
    assert error.message == predicted.message
    assert states(error.results) == states(predicted.results) == {"i1": "failed"}
    assert asked(hub) == []


def test_when_the_server_cannot_be_read_afterwards_the_outcomes_count(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_list(path: str, *rest: t.Any, **more: t.Any) -> list[Item]:
        if path == "infrastructure/servers/s1/instances" and hub.sent:
            raise broken()
        return Hub.get_list(hub, path, *rest, **more)

    monkeypatch.setattr(hub, "get_list", get_list)
    result = evacuate(hub)
    assert (states(result), result["remaining"]) == ({"i1": "migrated"}, [])


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ({"batch": 0}, OptionError, "The option batch is 0; it has to be at least 1."),
        ({"max_unhealthy": -1}, OptionError, "The option max_unhealthy is -1; it has to be at least 0."),
        ({"drain_seconds": -1}, OptionError, "The option drain_seconds is -1"),
        ({"server_id": "s9"}, StateError, "There is no server s9. Servers of the hub: host-s1 (s1), host-s2 (s2)"),
        ({"targets": "s1"}, OptionError, "cannot be one of the targets"),
    ],
)
def test_what_is_refused(hub: Hub, arguments: Item, kind: type[PaasError], said: str) -> None:
    with pytest.raises(kind) as caught:
        evacuate(hub, **arguments)
    assert said in caught.value.message
    assert set(reads(hub)) <= {"jobs", "infrastructure/servers"}


def test_a_key_that_cannot_see_jobs_is_refused(hub: Hub) -> None:
    hub.may_see_jobs = False
    with pytest.raises(ApiError):
        evacuate(hub)
    assert reads(hub) == ["jobs"]


# Not twice


@pytest.mark.parametrize("request_number", [1, 2])
@pytest.mark.parametrize("later", [0, 2, 60])
def test_killed_and_run_again(hub: Hub, clock: Clock, request_number: int, later: int) -> None:
    hub.trouble = [*[None] * (request_number - 1), (Killed(), True)]
    with pytest.raises(Killed):
        evacuate(hub)
    clock.advance(later)
    result = evacuate(hub)
    assert asked(hub) == [("drain", "i1"), ("start", "i1")]
    assert states(result) == {"i1": "migrated"}
    assert result["changed"] is (request_number == 1)
    assert [one["server_id"] for one in hub.instances if one["ready_state"] == "active"] == ["s2"]


def test_a_migration_to_another_server_than_the_one_chosen_now_is_left_alone(hub: Hub) -> None:
    hub.trouble = [None, (Killed(), True)]
    with pytest.raises(Killed):
        evacuate(hub, targets="s3")
    result = evacuate(hub, targets="s2")
    assert (states(result), result["outcomes"][0]["target"]) == ({"i1": "migrated"}, "host-s3")
    assert asked(hub) == [("drain", "i1"), ("start", "i1")]


def test_a_migration_that_was_asked_for_is_predicted_as_no_change(hub: Hub, clock: Clock) -> None:
    hub.trouble = [None, (Killed(), True)]
    with pytest.raises(Killed):
        evacuate(hub)
    result = evacuate(hub, check=True)
    assert (result["changed"], states(result)) == (False, {"i1": "migrated"})
    assert result["diff"]["before"] == result["diff"]["after"]


def test_a_migration_in_progress_is_waited_for(clock: Clock) -> None:
    old = instance("i1", state="migrating", migration=hop(to=("i2", "s3")))
    hub = Hub(clock, old, instance("i2", "s3", "starting", migration=hop(came=("i1", "s1"))))
    hub.after(5, lambda: old.update(ready_state="purge", state={"current": "stopped"}))
    hub.after(9, lambda: hub.instances[1].update(state={"current": "running", "health": {"healthy": True}}))
    result = evacuate(hub)
    assert (result["changed"], hub.sent, clock.now()) == (False, [], 1010)
    assert [(one["new_instance_id"], one["target_id"]) for one in result["outcomes"]] == [("i2", "s3")]


def test_a_new_instance_that_is_not_up_is_waited_for_and_not_taken_back(clock: Clock) -> None:
    old = instance("i1", state="stopped", ready_state="purge", migration=hop(to=("i2", "s2")))
    hub = Hub(clock, old, instance("i2", "s2", healthy=None, migration=hop(came=("i1", "s1"))))
    error = fails(hub, wait_timeout=20)
    assert (states(error.results), hub.sent) == ({"i1": "failed"}, [])
    hub.after(3, lambda: hub.instances[1]["state"]["health"].update(healthy=True))
    assert states(evacuate(hub)) == {"i1": "migrated"}
    assert evacuate(hub)["outcomes"] == []


def test_a_request_that_breaks_is_not_sent_again(hub: Hub) -> None:
    hub.trouble = [(broken(), True), (broken(), True)]
    assert states(evacuate(hub)) == {"i1": "migrated"}
    assert asked(hub) == [("drain", "i1"), ("start", "i1")]
