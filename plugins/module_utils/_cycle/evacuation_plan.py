# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Which instances of a server migrate where, in which order, and which are left and why.

Sends no request. Records are those of the platform and may lack any field. The same records give the same plan.
"""

from __future__ import annotations

import dataclasses
import typing as t
from collections import Counter

from .._errors import OptionError, StateError
from .._types import value_at
from .instances import instances_on, is_gone, is_leaving, live_by_server, server_name, state_of, unfit
from .migration_pair import id_of_successor, is_retained, is_up
from .states import INSTANCE_MIGRATABLE_STATES, READY_ACTIVE, health_of, should_run
from .volumes import megabytes

if t.TYPE_CHECKING:
    from .._types import Item

Items = t.Sequence["Item"]

STRATEGIES = {
    "node": "there is one on every server that fits",
    "function": "the platform creates and deletes them with the requests",
}
WAITING = "its turn has not come"
ARRIVED = "it came after the batch was planned"


@dataclasses.dataclass(frozen=True)
class Found:
    """What was read from the platform."""

    # All servers of the hub by id, with meta.node.
    servers: t.Mapping[str, Item]
    # The instances on the server, each with its container under the key container.
    instances: Items
    # Ids of the servers that a container can use, by container id.
    usable: t.Mapping[str, t.Collection[str]]
    # All instances of a container, by container id.
    siblings: t.Mapping[str, Items]
    # Servers with meta.allocations and meta.instances_count, by id.
    details: t.Mapping[str, Item]


@dataclasses.dataclass(frozen=True)
class Rules:
    """What the task asks for."""

    server_id: str
    # Ids of the only servers to migrate to; empty for any.
    targets: t.Sequence[str] = ()
    # What to do with instances that have volumes with contents: copy or leave.
    volumes: str = "copy"
    leave_strategies: t.Collection[str] = ()
    skip_instances: t.Collection[str] = ()


@dataclasses.dataclass(frozen=True)
class Move:
    """An instance to migrate, and how."""

    # The instance as results show it.
    instance: Item
    server_id: str
    target_id: str
    copy_volumes: bool
    # Whether the instance is running and not drained of traffic.
    drain: bool
    # Whether it may be taken back if it fails.
    revert: bool = True

    @property
    def instance_id(self) -> str:
        """The id of the instance."""
        return str(self.instance["instance_id"])

    @property
    def container_id(self) -> str:
        """The id of its container."""
        return str(self.instance["container_id"])


def check_servers(servers: t.Mapping[str, Item], rules: Rules) -> None:
    """Check that the servers named exist.

    Raises:
        OptionError: The server itself is one of the targets.
        StateError: The server or a target does not exist.
    """
    names = ", ".join(sorted(map(server_name, servers.values()))) or "none"
    if rules.server_id not in servers:
        raise StateError(f"There is no server {rules.server_id}. Servers of the hub: {names}.")
    if rules.server_id in rules.targets:
        raise OptionError(f"The server {rules.server_id} is to be emptied: it cannot be one of the targets.")
    unknown = [one for one in rules.targets if one not in servers]
    if unknown:
        raise StateError(f"There is no server {', '.join(unknown)} (option targets). Servers of the hub: {names}.")


def plan_moves(found: Found, rules: Rules) -> tuple[list[Move], dict[str, str]]:
    """Return the moves in their order, and by instance id the reasons why the others are left."""
    chooser = _Chooser(found, rules)
    present = [one for one in found.instances if str(one["id"]) not in rules.skip_instances]
    moves = [move for move in (_arriving(one, found, rules) for one in present if is_retained(one)) if move]
    left = dict.fromkeys(rules.skip_instances, "it is named in skip_instances")
    for instance in _in_order([one for one in present if not is_leaving(one)]):
        reason = reason_to_leave(instance, rules)
        target, doubts = (None, []) if reason else chooser.choose(instance)
        if target is None:
            left[str(instance["id"])] = (
                reason or f"no server can take it: {'; '.join(doubts) or 'there is no other one'}"
            )
        else:
            moves.append(_move(instance, rules.server_id, target))
    return moves, left


def is_considered(instance: Item, rules: Rules) -> bool:
    """Return whether it depends on other records if and where an instance migrates."""
    if str(instance["id"]) in rules.skip_instances or is_gone(instance):
        return False
    return is_retained(instance) or reason_to_leave(instance, rules) is None


def reason_to_leave(instance: Item, rules: Rules) -> str | None:
    """Return why an instance is not migrated, whatever the target; None if it can be.

    Sources: specification, documentation of migrations.
    """
    container, state = container_in(instance), state_of(instance)
    strategy = value_at(container, "config.deploy.strategy")
    if "loadbalancer" in (instance.get("service"), value_at(container, "image.service")):
        return "instances of load balancers cannot be migrated"
    if instance.get("extension"):
        return "it belongs to a virtual machine"
    if strategy in rules.leave_strategies:
        more = f": {STRATEGIES[strategy]}" if strategy in STRATEGIES else ""
        return f"its container has the deployment strategy {strategy}{more}"
    if rules.volumes == "leave" and has_contents(container):
        return "it has volumes with contents, and volumes=leave"
    if state == "migrating":
        return None  # its migration is waited for
    ready = instance.get("ready_state", "active")
    if state not in INSTANCE_MIGRATABLE_STATES or ready != READY_ACTIVE:
        current = state if ready == "active" else ready
        return f"it is {current or 'in an unknown state'}: run this again when that is over"
    return None


def has_contents(container: Item) -> bool:
    """Return whether instances of a container have volumes on their server whose contents must last."""
    return any(
        value_at(one, "config.local") is not None
        and not value_at(one, "config.local.stateless")
        and not (value_at(one, "external") or value_at(one, "config.external"))
        for one in container.get("volumes") or []
    )


def _move(instance: Item, server_id: str, target_id: str, *, revert: bool = True) -> Move:
    return Move(
        describe(instance),
        server_id,
        target_id,
        copy_volumes=has_contents(container_in(instance)),
        drain=state_of(instance) == "running" and not instance.get("traffic_drain"),
        revert=revert,
    )


def _arriving(instance: Item, found: Found, rules: Rules) -> Move | None:
    """Return the move to wait for if an instance has migrated and its successor is not up yet; otherwise None.

    That is what a killed run leaves behind. It is not taken back: the successor may have other reasons by now.
    """
    container = container_in(instance)
    siblings = {str(one.get("id")): one for one in found.siblings.get(str(instance.get("container_id")), [])}
    successor = siblings.get(str(id_of_successor(instance)))
    if successor is None or is_leaving(successor) or is_gone(instance):
        return None
    if is_up(container, successor, may_rest=True) or not should_run(container):
        return None
    return _move(instance, rules.server_id, str(successor.get("server_id")), revert=False)


def _in_order(instances: Items) -> list[Item]:
    """Return instances in the order in which they migrate.

    Migrations in progress come first. Instances that have failed or are unhealthy come last, so that they do not hold
    up the others. In between the containers take turns, so that a batch has few instances of the same one.
    """
    turns: Counter[tuple[int, str]] = Counter()
    keys = []
    for one in sorted(instances, key=lambda instance: str(instance["id"])):
        rank = 0 if state_of(one) == "migrating" else 1 if _is_sound(one) else 2
        container_id = str(one.get("container_id"))
        keys.append((rank, turns[rank, container_id], container_id, str(one["id"]), one))
        turns[rank, container_id] += 1
    return [key[-1] for key in sorted(keys, key=lambda key: key[:-1])]


def _is_sound(instance: Item) -> bool:
    return state_of(instance) != "failed" and health_of(instance) is not False


class _Chooser:
    """Chooses a server for one instance after the other. Each choice counts for the next one."""

    def __init__(self, found: Found, rules: Rules) -> None:
        self._found, self._rules = found, rules
        self._coming: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()
        self._by_container = {
            container_id: Counter({server: len(ones) for server, ones in live_by_server(siblings).items()})
            for container_id, siblings in found.siblings.items()
        }

    def choose(self, instance: Item) -> tuple[str | None, list[str]]:
        """Return the id of the server with the fewest instances of the container, then with the fewest of all.

        If there is none, return None, and for each server why it cannot take the instance.
        """
        to = value_at(instance, "migration.to.server_id")
        if state_of(instance) == "migrating" and to:
            return str(to), []
        container = container_in(instance)
        others = [one for one in self._rules.targets or sorted(self._found.servers) if one != self._rules.server_id]
        doubts = {one: self._doubt(one, container) for one in others}
        fitting = [one for one, doubt in doubts.items() if doubt is None]
        if not fitting:
            return None, [f"{server_name(self._found.servers[one])} {doubt}" for one, doubt in doubts.items()]
        ours = self._by_container.setdefault(str(instance.get("container_id")), Counter())

        def order(server_id: str) -> tuple[float, float, int, str]:
            coming = self._coming[server_id]
            return ours[server_id], instances_on(self._found.details.get(server_id, {})) + coming, coming, server_id

        best = min(fitting, key=order)
        ours[best] += 1
        self._coming[best] += 1
        self._taken[best] += reserved_memory(container)
        return best, []

    def _doubt(self, server_id: str, container: Item) -> str | None:
        """Return why an instance of a container cannot go to a server; None if it can."""
        server = self._found.servers[server_id]
        reason = unfit(server, container)
        if reason is not None:
            return reason
        if value_at(server, "meta.node.online") is False:
            return "is offline"
        if value_at(server, "meta.node.healthy") is False:
            return "is not healthy"
        if server_id not in self._found.usable.get(str(container.get("id")), ()):
            return f"cannot be used by the container{_missing_tags(server, container)}"
        free, needed = free_memory(self._found.details.get(server_id, {})), reserved_memory(container)
        if free is not None and free - self._taken[server_id] < needed:
            return f"has too little memory: {max(0, free - self._taken[server_id])} MB free, {needed} MB needed"
        return None


def free_memory(server: Item) -> int | None:
    """Return the memory in MB that is not allocated yet; None if it is not known.

    What "allocatable" means, all or what is left, is not documented. It is an upper bound either way.
    """
    total, allocatable, allocated = (
        value_at(server, f"meta.allocations.ram.{name}") for name in ("total_mb", "allocatable_mb", "allocated_mb")
    )
    bounds = [allocatable] if isinstance(allocatable, int) else []
    if isinstance(total, int) and isinstance(allocated, int):
        bounds.append(total - allocated)
    return min(bounds, default=None)


def reserved_memory(container: Item) -> int:
    """Return the memory in MB that is reserved for each instance of a container; 0 if none is."""
    try:
        return megabytes(value_at(container, "config.resources.ram.reserve"))
    except ValueError:
        return 0


def _missing_tags(server: Item, container: Item) -> str:
    """Return which tags a server lacks for a container, as the end of a message."""
    tags = set(value_at(server, "constraints.tags") or [])
    wanted = value_at(container, "config.deploy.constraints.node.tags") or {}
    every, some = set(wanted.get("all") or []) - tags, set(wanted.get("any") or [])
    if every:
        return f": it lacks the tag {', '.join(sorted(every))}"
    return f": it has none of the tags {', '.join(sorted(some))}" if some and not some & tags else ""


def container_in(instance: Item) -> Item:
    """Return the container of an instance that was found; one with its id only if it is not known."""
    found = instance.get("container")
    return found if isinstance(found, dict) else {"id": instance.get("container_id")}


def describe(instance: Item) -> Item:
    """Return an instance as results show it."""
    container = container_in(instance)
    return {
        "instance_id": str(instance["id"]),
        "container_id": str(instance.get("container_id")),
        "container": container.get("identifier") or container.get("name") or str(container.get("id")),
        "hostname": instance.get("hostname"),
        "state": condition(instance),
    }


def condition(instance: Item) -> str:
    """Return the state of an instance, its health and whether it is drained of traffic."""
    health = health_of(instance)
    parts = [state_of(instance) or "unknown"]
    if state_of(instance) == "running" and health is not None:
        parts.append("healthy" if health else "unhealthy")
    if instance.get("traffic_drain"):
        parts.append("drained")
    return ", ".join(parts)
