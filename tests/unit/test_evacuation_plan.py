# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instances of a server migrate where, in which order, which are left and why."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._cycle.evacuation_plan import (
    Found,
    Move,
    Rules,
    check_servers,
    describe,
    free_memory,
    is_considered,
    plan_moves,
)
from ansible_collections.quayside.paas.plugins.module_utils._errors import PaasError

Item = dict[str, t.Any]
Planned = tuple[list[Move], dict[str, str]]


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
            "ready_state": "active", "traffic_drain": None, "migration": None, "container": of,
            "state": {"current": state, "health": {"healthy": healthy}}, **more}  # fmt: skip


def volume(**local: t.Any) -> Item:
    return {"config": {"local": {"max_size": "1G", **local}}}


def plan(*instances: Item, servers: list[Item] | None = None, usable: t.Any = None, **more: t.Any) -> Planned:
    """A plan for s1, with s2 and s3 next to it, which every container can use. more: siblings, details, rules."""
    known = {one["id"]: one for one in servers or [server("s1"), server("s2"), server("s3")]}
    containers = {one["container_id"] for one in instances}
    siblings = {name: [one for one in instances if one["container_id"] == name] for name in containers}
    found = Found(
        known,
        instances,
        usable={name: list(known) for name in containers} | (usable or {}),
        siblings=siblings | more.pop("siblings", {}),
        details=more.pop("details", {}),
    )
    return plan_moves(found, Rules("s1", **{"leave_strategies": ["node", "function"], **more}))


def ways(planned: Planned) -> list[tuple[str, str]]:
    return [(move.instance_id, move.target_id) for move in planned[0]]


def reason(planned: Planned) -> str:
    moves, left = planned
    assert moves == []
    (found,) = left.values()
    return found


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
def test_servers_that_do_not_fit(other: Item, said: str) -> None:
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


def test_memory_is_used_up() -> None:
    big = container(reserve="1G")
    ram = {"meta": {"allocations": {"ram": {"total_mb": 4096, "allocatable_mb": 4096, "allocated_mb": 2560}}}}
    servers = [server("s1"), server("s2")]
    found = plan(instance("i1", big), instance("i2", big), servers=servers, details={"s2": ram})
    assert ways(found) == [("i1", "s2")]
    assert "has too little memory: 512 MB free, 1024 MB needed" in found[1]["i2"]


@pytest.mark.parametrize(
    ("ram", "free"),
    [
        ({"total_mb": 100, "allocatable_mb": 90, "allocated_mb": 30}, 70),
        ({"total_mb": 100, "allocatable_mb": 60, "allocated_mb": 30}, 60),
        ({"allocatable_mb": 60}, 60),
        ({"total_mb": 100}, None),
        ({}, None),
    ],
)
def test_free_memory(ram: Item, free: int | None) -> None:
    assert free_memory({"meta": {"allocations": {"ram": ram}}}) == free


def test_only_the_named_targets() -> None:
    assert ways(plan(instance("i1"), instance("i2"), targets=["s3"])) == [("i1", "s3"), ("i2", "s3")]
    servers = [server("s1"), server("s2"), server("s3", online=False)]
    assert reason(plan(instance("i1"), servers=servers, targets=["s3"])).endswith("host-s3 (s3) is offline")


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (Rules("s1", targets=["s2", "s7"]), "no server s7 (option targets). Servers of the hub: host-s1 (s1), "),
        (Rules("s1", targets=["s1"]), "s1 is to be emptied"),
        (Rules("s9"), "no server s9. Servers of the hub: host-s1 (s1), host-s2 (s2)."),
    ],
)
def test_servers_that_do_not_exist(rules: Rules, said: str) -> None:
    with pytest.raises(PaasError) as caught:
        check_servers({name: server(name) for name in ("s1", "s2")}, rules)
    assert said in caught.value.message


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
    assert not is_considered(one, Rules("s1", leave_strategies=["node", "function"]))


def test_strategies_that_stay_are_a_choice() -> None:
    assert ways(plan(instance("i1", container(strategy="node")), leave_strategies=[])) == [("i1", "s2")]
    assert "strategy edge" in reason(plan(instance("i1", container(strategy="edge")), leave_strategies=["edge"]))


def test_instances_to_skip_stay() -> None:
    moves, left = plan(instance("i1"), instance("i2"), skip_instances=["i1"])
    assert [move.instance_id for move in moves] == ["i2"]
    assert left == {"i1": "it is named in skip_instances"}
    assert not is_considered(instance("i1"), Rules("s1", skip_instances=["i1"]))


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
    assert plan(one)[0][0].copy_volumes is contents
    assert (plan(one, volumes="leave")[0] == []) is contents


def test_what_is_gone_or_kept_is_neither_moved_nor_left() -> None:
    gone = [instance("i1", state="deleting"), instance("i2", state="deleted")]
    old = instance("i3", state="stopped", ready_state="purge", purge_time="2026-01-01T03:00:00Z")
    assert plan(*gone, old) == ([], {})
    assert [is_considered(one, Rules("s1")) for one in (*gone, old)] == [False, False, True]


# Order


def test_containers_take_turns_and_unhealthy_instances_come_last() -> None:
    two = container("c2")
    found = plan(
        instance("i1", healthy=False), instance("i2"), instance("i3"), instance("i4", two, state="failed"),
        instance("i5", two), instance("i6", two, state="migrating", migration={"to": {"server_id": "s3"}}),
    )  # fmt: skip
    assert [move.instance_id for move in found[0]] == ["i6", "i2", "i5", "i3", "i1", "i4"]
    assert ways(found)[0] == ("i6", "s3")


def test_only_what_runs_and_is_not_drained_is_drained() -> None:
    drained = {"started": "2026-01-01T00:00:00Z"}
    moves, _left = plan(instance("i1"), instance("i2", traffic_drain=drained), instance("i3", state="stopped"))
    assert {move.instance_id: (move.drain, move.instance["state"]) for move in moves} == {
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
    assert [(move.drain, move.revert) for move in found[0]] == [(False, False)] * waits


def test_a_successor_that_is_gone_is_not_waited_for() -> None:
    old = instance("i1", state="stopped", ready_state="purge", migration={"to": {"instance_id": "i2"}})
    assert plan(old) == ([], {})
    assert plan(old, siblings={"c1": [old, instance("i2", state="deleting")]}) == ([], {})


def test_records_may_lack_any_field() -> None:
    bare = {"id": "i1", "container_id": "c1", "state": {"current": "running"}}
    moves, _left = plan(bare)
    assert [(move.instance["container"], move.target_id) for move in moves] == [("c1", "s2")]
    assert describe({"id": "i1"})["state"] == "unknown"
