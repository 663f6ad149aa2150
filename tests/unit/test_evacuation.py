# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Emptying a server: the choice of targets, the order, what stays and why, and what is said of it afterwards."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.quayside.paas.plugins.filter.evacuation_outcomes import evacuation_outcomes
from ansible_collections.quayside.paas.plugins.filter.evacuation_plan import evacuation_plan
from ansible_collections.quayside.paas.plugins.filter.evacuation_result import evacuation_result
from ansible_collections.quayside.paas.plugins.plugin_utils._evacuation import room_of

Item = dict[str, t.Any]


def server(identity: str, **more: t.Any) -> Item:
    node = {"online": more.pop("online", True), "healthy": more.pop("healthy", True)}
    return {"id": identity, "hostname": f"host-{identity}", "cluster": "eu", "evacuate": None,
            "state": {"current": "live"}, "constraints": {"tags": []}, "meta": {"node": node}, **more}  # fmt: skip


def container(identity: str = "c1", **deploy: t.Any) -> Item:
    volumes = deploy.pop("volumes", [])
    reserve = deploy.pop("reserve", None)
    service = deploy.pop("service", None)
    return {
        "id": identity,
        "identifier": f"name-{identity}",
        "environment": {"id": "e1", "cluster": "eu"},
        "image": {"service": service},
        "config": {"deploy": {"strategy": "manual", **deploy}, "resources": {"ram": {"reserve": reserve}}},
        "state": {"current": "running", "desired": "running"},
        "volumes": volumes,
    }


def instance(identity: str, of: Item | None = None, state: str = "running", **more: t.Any) -> Item:
    of = of or container()
    healthy = more.pop("healthy", True)
    return {"id": identity, "container_id": of["id"], "server_id": "s1", "hostname": f"h-{identity}",
            "ready_state": "active", "traffic_drain": None, "migration": None, "included": {"container": of},
            "state": {"current": state, "health": {"healthy": healthy}}, **more}  # fmt: skip


def volume(**local: t.Any) -> Item:
    return {"config": {"local": {"max_size": "1G", **local}}}


def plan(*instances: Item, servers: list[Item] | None = None, usable: t.Any = None, **more: t.Any) -> Item:
    """A plan for s1, with s2 and s3 next to it, which every container can use."""
    servers = servers or [server("s1"), server("s2"), server("s3")]
    containers = {one["container_id"] for one in instances}
    by_id = {one["id"]: one for one in servers}
    usable = {name: list(by_id) for name in containers} | (usable or {})
    siblings = {name: [one for one in instances if one["container_id"] == name] for name in containers}
    siblings |= more.pop("siblings", {})
    details = more.pop("details", {})
    found: Item = evacuation_plan(
        list(instances),
        server_id="s1",
        servers=servers,
        usable=[{"item": name, "servers": [by_id[one] for one in ids]} for name, ids in usable.items()],
        siblings=[{"item": name, "instances": ones} for name, ones in siblings.items()],
        details=[{"item": name, "servers": [one]} for name, one in details.items()],
        **more,
    )
    return found


def ways(found: Item) -> list[tuple[str, str]]:
    return [(one["instance_id"], one["target_id"]) for one in found["moves"]]


def reason(found: Item) -> str:
    (left,) = found["left"]
    assert found["moves"] == found["batches"] == []
    return str(left["reason"])


# Targets


def test_instances_of_a_container_spread_then_of_all() -> None:
    found = plan(instance("i1"), instance("i2"), instance("i3"), instance("i4", container("c2")))
    assert dict(ways(found)) == {"i1": "s2", "i4": "s3", "i2": "s3", "i3": "s2"}


def test_a_server_that_has_the_container_already_comes_last() -> None:
    there = instance("i9", server_id="s2")
    found = plan(instance("i1"), siblings={"c1": [instance("i1"), there]})
    assert ways(found) == [("i1", "s3")]


def test_a_server_with_few_instances_comes_first() -> None:
    counts = {"s2": {"meta": {"instances_count": {"available": 7}}}, "s3": {"meta": {"instances_count": {"total": 2}}}}
    assert ways(plan(instance("i1"), details=counts)) == [("i1", "s3")]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (server("s2", evacuate={"started": "2026-01-01T00:00:00Z"}), "host-s2 (s2) is being evacuated"),
        (server("s2", state={"current": "quarantined"}), "host-s2 (s2) is quarantined"),
        (server("s2", online=False), "host-s2 (s2) is offline"),
        (server("s2", healthy=False), "host-s2 (s2) is not healthy"),
        (server("s2", cluster="us"), "host-s2 (s2) is in the cluster us"),
    ],
)
def test_servers_that_do_not_do(other: Item, said: str) -> None:
    assert said in reason(plan(instance("i1"), servers=[server("s1"), other]))


def test_a_server_that_the_platform_does_not_allow_says_which_tags_it_lacks() -> None:
    every = container(constraints={"node": {"tags": {"all": ["ssd", "web"], "any": None}}})
    servers = [server("s1"), server("s2", constraints={"tags": ["web"]})]
    said = reason(plan(instance("i1", every), servers=servers, usable={"c1": ["s1"]}))
    assert said == "no server can take it: host-s2 (s2) cannot be used by the container: it lacks the tag ssd"
    some = container(constraints={"node": {"tags": {"all": None, "any": ["db"]}}})
    assert "none of the tags db" in reason(plan(instance("i1", some), servers=servers, usable={"c1": ["s1"]}))


def test_without_another_server() -> None:
    assert reason(plan(instance("i1"), servers=[server("s1")])) == "no server can take it: there is no other one"


def test_room_is_used_up() -> None:
    big = container(reserve="1G")
    ram = {"meta": {"allocations": {"ram": {"total_mb": 4096, "allocatable_mb": 4096, "allocated_mb": 2560}}}}
    servers = [server("s1"), server("s2")]
    found = plan(instance("i1", big), instance("i2", big), servers=servers, details={"s2": ram})
    assert ways(found) == [("i1", "s2")]
    assert "has no room: 512 MB of memory for 1024 MB" in found["left"][0]["reason"]


@pytest.mark.parametrize(
    ("ram", "room"),
    [
        ({"total_mb": 100, "allocatable_mb": 90, "allocated_mb": 30}, 70),
        ({"total_mb": 100, "allocatable_mb": 60, "allocated_mb": 30}, 60),
        ({"allocatable_mb": 60}, 60),
        ({"total_mb": 100}, None),
        ({}, None),
    ],
)
def test_room(ram: Item, room: int | None) -> None:
    assert room_of({"meta": {"allocations": {"ram": ram}}}) == room


def test_only_the_named_targets() -> None:
    assert ways(plan(instance("i1"), instance("i2"), targets="s3")) == [("i1", "s3"), ("i2", "s3")]
    servers = [server("s1"), server("s2"), server("s3", online=False)]
    assert reason(plan(instance("i1"), servers=servers, targets=["s3"])).endswith("host-s3 (s3) is offline")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"targets": ["s2", "s7"]}, "no server s7, named as a target. Servers of the hub: host-s1 (s1), "),
        ({"targets": ["s1"]}, "s1 shall be emptied"),
        ({"servers": [server("s2")]}, "no server s1. Servers of the hub: host-s2 (s2)."),
    ],
)
def test_what_cannot_be(more: Item, said: str) -> None:
    found = plan(instance("i1"), **more)
    assert said in found["problem"]
    assert (found["moves"], found["batches"], found["left"], found["kept"]) == ([], [], [], [])


def test_a_batch_has_at_least_one() -> None:
    with pytest.raises(AnsibleFilterError, match="not 0"):
        plan(instance("i1"), batch=0)


# What stays


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (instance("i1", service="loadbalancer"), "load balancers cannot be migrated"),
        (instance("i1", container(service="loadbalancer")), "load balancers cannot be migrated"),
        (instance("i1", extension={"identifier": "virtual-machine-v1", "id": "v1"}), "virtual machine"),
        (instance("i1", container(strategy="node")), "strategy node: there is one on every server that fits"),
        (instance("i1", container(strategy="function")), "strategy function"),
        (instance("i1", state="starting"), "it is starting: run this again when that is over"),
        (instance("i1", ready_state="hibernate"), "it is hibernate"),
    ],
)
def test_what_stays(one: Item, said: str) -> None:
    assert said in reason(plan(one))


def test_strategies_that_stay_are_a_choice() -> None:
    assert ways(plan(instance("i1", container(strategy="node")), leave_strategies="")) == [("i1", "s2")]
    assert "strategy edge" in reason(plan(instance("i1", container(strategy="edge")), leave_strategies="edge"))


@pytest.mark.parametrize(
    ("volumes", "contents"),
    [
        ([volume()], True),
        ([volume(stateless=False)], True),
        ([volume(stateless=True)], False),
        ([{**volume(), "external": {"id": "x"}}], False),
        ([{"config": {"local": None, "external": {"id": "x"}}}], False),
        ([volume(stateless=True), volume()], True),
        ([], False),
    ],
)
def test_volumes_are_copied_or_stay(volumes: list[Item], contents: bool) -> None:
    one = instance("i1", container(volumes=volumes))
    assert plan(one)["moves"][0]["copy_volumes"] is contents
    assert (plan(one, volumes="leave")["moves"] == []) is contents


def test_what_is_gone_or_kept_is_neither_moved_nor_left() -> None:
    gone = [instance("i1", state="deleting"), instance("i2", state="deleted")]
    old = instance("i3", state="stopped", ready_state="purge", purge_time="2026-01-01T03:00:00Z")
    found = plan(*gone, old)
    assert found["moves"] == found["left"] == []
    assert [(one["instance_id"], one["until"]) for one in found["kept"]] == [("i3", "2026-01-01T03:00:00Z")]


# Order


def test_batches_take_turns_and_trouble_comes_last() -> None:
    two = container("c2")
    found = plan(
        instance("i1", healthy=False), instance("i2"), instance("i3"), instance("i4", two, state="failed"),
        instance("i5", two), instance("i6", two, state="migrating", migration={"to": {"server_id": "s3"}}), batch=2,
    )  # fmt: skip
    assert [[one["instance_id"] for one in batch] for batch in found["batches"]] == [
        ["i6", "i2"],
        ["i5", "i3"],
        ["i1", "i4"],
    ]
    assert ways(found)[0] == ("i6", "s3")
    assert [one["under_way"] for one in found["moves"]] == [True, *[False] * 5]


def test_only_what_runs_and_is_not_drained_is_drained() -> None:
    drained = {"started": "2026-01-01T00:00:00Z"}
    found = plan(instance("i1"), instance("i2", traffic_drain=drained), instance("i3", state="stopped"))
    assert {one["instance_id"]: (one["drain"], one["state"]) for one in found["moves"]} == {
        "i1": (True, "running, healthy"),
        "i2": (False, "running, healthy, drained"),
        "i3": (False, "stopped"),
    }


def test_the_same_plan_in_any_order() -> None:
    ones = [instance(f"i{number}", container(f"c{number % 3}")) for number in range(9)]
    assert plan(*ones) == plan(*reversed(ones))


@pytest.mark.parametrize(
    ("state", "healthy", "waits"), [("running", True, False), ("running", None, True), ("starting", None, True)]
)
def test_a_successor_that_is_not_up_is_waited_for(state: str, healthy: bool | None, waits: bool) -> None:
    of = container(health_check={"command": "x"})
    to = {"to": {"instance_id": "i2", "server_id": "s3"}}
    old = instance("i1", of, "stopped", ready_state="purge", migration=to)
    new = instance("i2", of, state, healthy=healthy, server_id="s3")
    found = plan(old, siblings={"c1": [old, new]})
    assert ways(found) == ([("i1", "s3")] if waits else [])
    if waits:
        (move,) = found["moves"]
        assert (move["drain"], move["under_way"], move["revert"]) == (False, True, False)


def test_a_successor_that_is_gone_is_not_waited_for() -> None:
    old = instance("i1", state="stopped", ready_state="purge", migration={"to": {"instance_id": "i2"}})
    assert plan(old)["moves"] == []
    assert plan(old, siblings={"c1": [old, instance("i2", state="deleting")]})["moves"] == []


def test_bare_records_do() -> None:
    found = plan({"id": "i1", "container_id": "c1", "state": {"current": "running"}})
    assert ways(found) == [("i1", "s2")]
    assert found["moves"][0]["container"] == "c1"


# What came of it


def became(*instances: str, check_mode: bool = False, **results: dict[str, Item]) -> list[Item]:
    """The outcomes of a batch; drains, starts and waits by instance."""
    moves = plan(*map(instance, instances))["moves"]
    loops = {
        name: [{"item": {"instance_id": identity}, **one} for identity, one in results.get(name, {}).items()]
        for name in ("drains", "starts", "waits")
    }
    found: list[Item] = evacuation_outcomes(moves, check_mode=check_mode, **loops)
    return found


UP = {"changed": False, "old_instance_id": "i1", "new_instance_id": "n1", "new_instance": {"server_id": "s2"}}
STARTED = {"changed": True, "new_instance_id": None, "new_instance": None}
DRAINED = {"changed": True, "instance": instance("i1")}


def test_one_that_migrated() -> None:
    (one,) = became("i1", drains={"i1": DRAINED}, starts={"i1": STARTED}, waits={"i1": UP})
    assert (one["result"], one["reason"], one["new_instance_id"], one["undrain"]) == ("migrated", "", "n1", None)


def test_a_new_one_that_is_drained_because_of_us_gets_traffic() -> None:
    up = {**UP, "new_instance": {"server_id": "s2", "traffic_drain": {"started": "x"}}}
    (one,) = became("i1", drains={"i1": DRAINED}, starts={"i1": STARTED}, waits={"i1": up})
    assert one["undrain"] == "n1"
    (one,) = became("i1", drains={"i1": {"changed": False}}, starts={"i1": STARTED}, waits={"i1": up})
    assert one["undrain"] is None


def test_one_that_went_elsewhere_meanwhile() -> None:
    (one,) = became("i1", starts={"i1": STARTED}, waits={"i1": {**UP, "new_instance": {"server_id": "s9"}}})
    assert (one["target_id"], one["target"]) == ("s9", "s9")


def test_those_that_failed() -> None:
    bad = {"failed": True, "msg": "Said the platform."}
    back = {**bad, "reverted": True, "old_instance": instance("i3"), "new_instance_id": "n3", "new_instance": None}
    gone = {**bad, "old_instance": instance("i4", ready_state="purge"), "new_instance_id": "n4"}
    ids = ("i1", "i2", "i3", "i4")
    found = became(
        *ids,
        drains={"i1": bad, **{one: {**DRAINED, "instance": instance(one)} for one in ids[1:]}},
        starts={"i2": bad, "i3": STARTED, "i4": STARTED},
        waits={"i3": back, "i4": {**gone, "old_instance_id": "i4"}},
    )
    assert [(one["instance_id"], one["result"], one["undrain"], one["new_instance_id"]) for one in found] == [
        ("i1", "failed", None, None),
        ("i2", "failed", "i2", None),
        ("i3", "reverted", "i3", None),
        ("i4", "failed", None, "n4"),
    ]
    assert found[0]["reason"] == "It could not be drained: Said the platform."
    assert found[1]["reason"] == "Its migration could not be started: Said the platform."


def test_the_job_says_why() -> None:
    job = {"id": "j1", "state": {"current": "error", "error": {"message": "no disk"}}}
    moves = plan(instance("i1"), instance("i2"))["moves"]
    down = [{"item": one, "failed": True, "msg": "Given up."} for one in moves]
    jobs = [{"item": {"item": moves[0]}, "jobs": [job]}, {"item": {"item": moves[1]}, "jobs": []}]
    found = evacuation_outcomes(moves, drains=[], starts=[], waits=down, jobs=jobs)
    assert [one["reason"] for one in found] == ["Given up. Its job j1 ended as error: no disk.", "Given up."]


def test_in_check_mode_nobody_waits() -> None:
    (one,) = became(
        "i1", drains={"i1": DRAINED}, starts={"i1": STARTED}, waits={"i1": {"skipped": True}}, check_mode=True
    )
    assert (one["result"], one["undrain"]) == ("migrated", None)
    (one,) = became("i1", starts={"i1": STARTED}, waits={"i1": {"skipped": True}})
    assert one["result"] == "failed"


KEYS = {
    "batches",
    "check_mode",
    "drained",
    "failed",
    "kept",
    "left",
    "migrated",
    "next",
    "reason",
    "reverted",
    "server",
    "server_id",
    "state",
}


def ended(planned: Item, *results: str, **more: t.Any) -> Item:
    """The result after the first moves of a plan had these results."""
    moves = planned.get("moves", [])[: len(results)]
    done = [
        {**one, "result": result, "reason": "", "undrain": None} for one, result in zip(moves, results, strict=True)
    ]
    found: Item = evacuation_result(planned, server_id="s1", outcomes=done, **more)
    assert set(found) == KEYS
    return found


def test_a_server_that_is_empty() -> None:
    one = instance("i1")
    old = {**one, "ready_state": "purge", "purge_time": "later"}
    found = ended(plan(one), "migrated", begun=1, now=[old])
    assert (found["state"], found["reason"], found["next"], found["left"]) == ("evacuated", "", "", [])
    assert found["batches"] == {"planned": 1, "done": 1}
    assert [kept["until"] for kept in found["kept"]] == ["later"]
    assert "undrain" not in found["migrated"][0]


def test_what_was_not_tried_is_left_with_its_reason() -> None:
    stays, new = instance("i2", service="loadbalancer"), instance("i3")
    planned = plan(instance("i1"), stays, instance("i4"))
    found = ended(planned, "reverted", now=[instance("i1"), stays, new, instance("i4")])
    assert found["state"] == "incomplete"
    assert found["reason"].startswith("4 instances are left")
    assert {one["instance_id"]: one["reason"] for one in found["left"]} == {
        "i2": "instances of load balancers cannot be migrated",
        "i3": "it came while the server was being emptied",
        "i4": "its turn did not come",
    }
    assert [one["instance_id"] for one in found["reverted"]] == ["i1"]
    unread = ended(planned, "reverted", now=None)
    assert {one["instance_id"] for one in unread["left"]} == {"i2", "i4"}


def test_what_ended_it_early() -> None:
    planned = plan(instance("i1"), instance("i2"))
    failure = {"msg": "One or more items failed", "results": [{"failed": False}, {"failed": True, "msg": "Forbidden."}]}
    assert ended(planned, failure=failure)["state"] == "failed"
    assert ended({}, failure=failure)["reason"] == "Forbidden."
    stopped = ended(planned, "failed", failure={"msg": "Too many."}, begun=1)
    assert (stopped["state"], stopped["reason"]) == ("stopped", "Too many.")
    problem = ended({**plan(instance("i1")), "problem": "No such server."}, failure={"msg": "No such server."})
    assert (problem["state"], problem["reason"]) == ("failed", "No such server.")


def test_what_would_be() -> None:
    one, stays = instance("i1"), instance("i2", service="loadbalancer")
    found = ended(plan(one), "migrated", now=[one], check_mode=True)
    assert (found["state"], found["reason"], found["left"], found["next"]) == ("planned", "", [], "")
    found = ended(plan(one, stays), "migrated", now=[one, stays], check_mode=True)
    assert (found["state"], found["reason"]) == ("planned", "1 instance would stay.")


def test_what_is_drained_and_stays() -> None:
    drained = {"started": "2026-01-01T00:00:00Z"}
    one = instance("i1", traffic_drain=drained)
    old = instance("i2", state="stopped", ready_state="purge", traffic_drain=drained)
    found = ended(plan(one), "reverted", now=[one, old], drained=["n7", "i1"])
    assert found["drained"] == ["n7", "i1"]
    assert ended(plan(one), "reverted", now=[one, old])["drained"] == ["i1"]
    assert "state=disabled" in found["next"]
