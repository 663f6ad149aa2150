# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances of a hub as hosts: which are meant, and reading them in few requests.

Facts from the vendor's page "Instances" and its public API specification of 2026.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t
from collections import Counter

from .._client import path_segment
from .._errors import PaasError
from .._hosts import Found, read_each
from .._types import Item, Query, value_at
from .api import Cycle
from .host_facts import hosts_from
from .instances import instances_path, state_of, with_ids
from .resources import CONTAINER, CONTAINERS_VIEW, ENVIRONMENTS_VIEW, SERVERS_VIEW
from .telemetry import report

T = t.TypeVar("T")

MAX_IDS_IN_QUERY = 50  # addresses of requests have a limit


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which instances are meant, and what is read about them."""

    # Ids, identifiers or names, of servers also host names. An instance has to fit one of each; none means any.
    environments: t.Sequence[str] = ()
    containers: t.Sequence[str] = ()
    servers: t.Sequence[str] = ()
    clusters: t.Sequence[str] = ()
    # In the platform's words; none means any.
    states: t.Sequence[str] = ("running",)
    # Whether to read a summary of what running instances use.
    telemetry: bool = False
    # Requests at once.
    concurrency: int = 4


@dataclasses.dataclass(frozen=True)
class _Reading:
    """What the steps of reading share. The client has the resources that are known, by kind and id."""

    client: Cycle
    wanted: Selection
    found: Found = dataclasses.field(default_factory=Found)

    def listed(self, path: str, list_key: str, name: str, permission: str, query: Query | None = None) -> list[Item]:
        """Return a list as far as it can be read. name: what it is called in the warning if it breaks off.

        Raises:
            PaasError: Not even its first page can be read.
        """
        items: list[Item] = []

        def take(item: Item) -> bool:
            items.append(item)
            return False

        try:
            self.client.get_list(path, list_key, query=query, keep=take, permission=permission)
        except PaasError as error:
            if not items:
                raise
            self.found.warnings.append(
                f"{name} breaks off; what comes after the first {len(items)} is missing. {error}"
            )
        return items

    def know(self, kind: str, items: t.Iterable[Item]) -> None:
        self.client.includes.setdefault(kind, {}).update(_by_id(items))

    def of(self, kind: str, identity: t.Any) -> Item:
        """Return a resource that is known, or no more than its id."""
        known = self.client.includes.get(kind, {}).get(str(identity))
        return known if isinstance(known, dict) else {"id": None if identity is None else str(identity)}

    def each(self, read: t.Callable[[T], list[Item]], parents: t.Sequence[T], name: t.Callable[[T], str]) -> list[Item]:
        lost = "Instances that cannot be read are missing from the inventory: {}."
        pairs = read_each(read, parents, concurrency=self.wanted.concurrency, name=name, found=self.found, lost=lost)
        return [one for _parent, instances in pairs for one in instances]

    def selected(
        self,
        items: t.Iterable[Item],
        names_of: t.Callable[[Item], t.Iterable[t.Any]],
        wanted: t.Sequence[str],
        noun: str,
    ) -> list[Item]:
        """Return the items that are meant by one of their names. What means none of them is warned about."""
        chosen: list[Item] = []
        met: set[str] = set()
        for item in items:
            names = {str(name) for name in names_of(item) if name is not None}.intersection(wanted)
            if names:
                chosen.append(item)
                met |= names
        missing = ", ".join(f'"{name}"' for name in wanted if name not in met)
        if missing:
            self.found.warnings.append(f"There is no {noun} with the id or name {missing}.")
        return chosen


def read_hosts(client: Cycle, wanted: Selection) -> Found:
    """Return the hosts that are meant, the oldest first.

    Requests: a page of the list of containers for each 100 of them, and a list of instances for each container that may
    have any that are meant. Environments that are not given by ids are looked up before, in one list. With servers or
    clusters the list of servers is read first; then, without environments and containers, nothing is read besides a
    list of instances for each such server. With telemetry one more for each host that runs.

    Raises:
        PaasError: Nothing at all can be read.
    """
    reading = _Reading(client, wanted)
    servers = _servers(reading)
    containers: list[Item] = []
    if servers is None or (servers and (wanted.environments or wanted.containers)):
        containers = _containers(reading)
        found = _of_containers(reading, containers, servers)
    else:
        found = _on_servers(reading, servers)
    # Filters of the platform count here as well, lest one that does not know them changes what is meant.
    there = [one for one in found if servers is None or one["server_id"] in servers]
    meant = {one["id"]: one for one in there if not wanted.states or state_of(one) in wanted.states}
    if wanted.states:
        others = [one for one in there if one["id"] not in meant]
        _note_others(reading, others, containers, filtered=servers is not None)
    instances = [meant[identity] for identity in sorted(meant)]  # ids tell their age
    use = _telemetry(reading, instances) if wanted.telemetry else None
    reading.found.hosts = hosts_from(client, instances, reading.of, use)
    return reading.found


def _named(item: Item) -> tuple[t.Any, ...]:
    return (item.get("id"), item.get("identifier"), item.get("name"))


def _by_id(items: t.Iterable[Item]) -> dict[str, Item]:
    return {str(one["id"]): one for one in items if isinstance(one.get("id"), (str, int))}


def _servers(reading: _Reading) -> dict[str, Item] | None:
    """Return the servers that are meant, by id; None if any are."""
    wanted = reading.wanted
    if not (wanted.servers or wanted.clusters):
        return None
    query = {"include": ["locations", "clusters"], "meta": ["instances_count"]}
    found = reading.listed("infrastructure/servers", "servers", "The list of servers", SERVERS_VIEW, query)
    reading.know("servers", found)
    if wanted.clusters:
        # Servers have the identifier of their cluster. Its id comes along.
        clusters = [one for one in (reading.client.includes.get("clusters") or {}).values() if isinstance(one, dict)]
        names = {str(one.get("identifier")): _named(one) for one in clusters}

        def of_cluster(server: Item) -> tuple[t.Any, ...]:
            return (server.get("cluster"), *names.get(str(server.get("cluster")), ()))

        found = reading.selected(found, of_cluster, wanted.clusters, "cluster that has servers,")
    if wanted.servers:
        noun = "server in the clusters asked for," if wanted.clusters else "server"
        found = reading.selected(
            found, lambda one: (one.get("id"), one.get("hostname"), one.get("nickname")), wanted.servers, noun
        )
    return _by_id(found)


def _environments(reading: _Reading) -> list[str] | None:
    """Return the ids of the environments that are meant, looked up by name; None if that cannot be done."""
    try:
        found = reading.listed("environments", "environments", "The list of environments", ENVIRONMENTS_VIEW)
    except PaasError as error:
        reading.found.notes.append(f"Environments are looked up among those of all containers instead. {error}")
        return None
    reading.know("environments", found)
    return list(_by_id(reading.selected(found, _named, reading.wanted.environments, "environment")))


def _containers(reading: _Reading) -> list[Item]:
    wanted = reading.wanted
    are_ids = all(re.fullmatch("[0-9a-f]{24}", name) for name in wanted.environments)
    looked_up = None if are_ids else _environments(reading)
    if looked_up == []:
        return []
    query: dict[str, t.Any] = {"include": ["environments"], "meta": ["instances_count"]}
    environments = list(wanted.environments) if are_ids else looked_up
    if environments and len(environments) <= MAX_IDS_IN_QUERY:
        query["filter[environment]"] = ",".join(environments)
    found = reading.listed("containers", "containers", "The list of containers", CONTAINERS_VIEW, query)
    if looked_up is not None:
        found = [one for one in found if str(value_at(one, "environment.id")) in looked_up]
    elif wanted.environments:

        def of_environment(container: Item) -> tuple[t.Any, ...]:
            return _named(reading.of("environments", value_at(container, "environment.id")))

        found = reading.selected(found, of_environment, wanted.environments, "environment that has containers,")
    if wanted.containers:
        noun = "container in the environments asked for," if wanted.environments else "container"
        found = reading.selected(found, _named, wanted.containers, noun)
    found = [one for one in found if not CONTAINER.is_deleted(one)]
    known = _by_id(found)
    if len(known) < len(found):
        lost = len(found) - len(known)
        reading.found.warnings.append(
            f"Containers that the platform lists without an id, whose instances are missing: {lost}."
        )
    reading.know("containers", found)
    return list(known.values())


def _counted(holder: Item) -> dict[str, int] | None:
    """Return how many instances a container or server has in each state; None if it does not say, or not clearly."""

    def is_count(value: t.Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0

    states, total = value_at(holder, "meta.instances_count.state"), value_at(holder, "meta.instances_count.total")
    if not isinstance(states, dict) or not all(map(is_count, states.values())):
        return None
    return states if is_count(total) and sum(states.values()) == total else None


def _may_have(holder: Item, states: t.Sequence[str]) -> bool:
    """Whether a container or server may have instances in these states; no states are all of them."""
    counted = _counted(holder)
    return counted is None or any(number for state, number in counted.items() if not states or state in states)


def _note_others(reading: _Reading, read: t.Iterable[Item], containers: t.Sequence[Item], *, filtered: bool) -> None:
    """Note how many instances are left out because of their state.

    Args:
        read: Those that were read all the same.
        containers: Those whose instances the platform filtered by state; they say how many they have besides.
        filtered: Whether by servers, too, which their numbers do not consider.
    """
    counts = {str(one["id"]): counted for one in containers if (counted := _counted(one)) is not None and not filtered}
    others = Counter(state_of(one) or "unknown" for one in read if one["container_id"] not in counts)
    for counted in counts.values():
        others.update({state: number for state, number in counted.items() if state not in reading.wanted.states})
    told = ", ".join(f"{number} {state}" for state, number in sorted(others.items()) if number)
    if told:
        reading.found.notes.append(f"Instances left out because of their state: {told}.")
    if len(containers) > len(counts):
        unknown = len(containers) - len(counts)
        reading.found.notes.append(
            f"Containers that do not tell how many instances they have in other states: {unknown}."
        )


def _of_containers(reading: _Reading, containers: t.Sequence[Item], servers: t.Mapping[str, Item] | None) -> list[Item]:
    """Return the instances of containers, filtered by the platform as far as it can."""
    # Of all array parameters only this one is specified as one text with commas.
    query = {"include": "servers,locations,environments"}
    if reading.wanted.states:
        query["filter[state]"] = ",".join(reading.wanted.states)
    if servers is not None and len(servers) == 1:
        query["filter[server]"] = next(iter(servers))

    def label(container: Item) -> str:
        return f'container "{container.get("identifier") or container["id"]}"'

    def read(container: Item) -> list[Item]:
        name = f"The list of instances of the {label(container)}"
        found = reading.listed(instances_path(container["id"]), "instances", name, CONTAINERS_VIEW, query)
        return _usable(reading, [{**one, "container_id": container["id"]} for one in found], name)

    return reading.each(read, [one for one in containers if _may_have(one, reading.wanted.states)], label)


def _on_servers(reading: _Reading, servers: t.Mapping[str, Item]) -> list[Item]:
    """Return the instances on servers in whatever state: this list has no filters."""

    def label(identity: str) -> str:
        return f'server "{servers[identity].get("hostname") or identity}"'

    def read(identity: str) -> list[Item]:
        name = f"The list of instances of the {label(identity)}"
        path = f"infrastructure/servers/{path_segment(identity, 'server_id')}/instances"
        query = {"include": ["containers", "environments"]}
        found = reading.listed(path, "instances", name, CONTAINERS_VIEW, query)
        return _usable(reading, [{**one, "server_id": identity} for one in found], name)

    return reading.each(read, [key for key, server in servers.items() if _may_have(server, ())], label)


def _usable(reading: _Reading, instances: t.Iterable[Item], name: str) -> list[Item]:
    """Return instances with their ids as texts. One without its own or its container's cannot be reached: a warning."""
    found: list[Item] = []
    for one in instances:
        if isinstance(one.get("id"), (str, int)) and isinstance(one.get("container_id"), (str, int)):
            found.append({**with_ids(one), "container_id": str(one["container_id"])})
        else:
            reading.found.warnings.append(f"{name} has an instance without its id, or its container's: it is left out.")
    return found


def _telemetry(reading: _Reading, instances: t.Iterable[Item]) -> dict[str, Item]:
    """Return what running instances use, by id. There is none of others."""

    def read(instance: Item) -> Item:
        return t.cast("Item", report(reading.client, instance["container_id"], instance["id"], None, None)["summary"])

    try:
        pairs = read_each(
            read,
            [one for one in instances if state_of(one) == "running"],
            concurrency=reading.wanted.concurrency,
            name=lambda one: f'instance "{one["id"]}"',
            found=reading.found,
            lost="Telemetry cannot be read of {}.",
        )
    except PaasError as error:  # of every single one: the hosts are there all the same
        reading.found.warnings.append(f"Telemetry cannot be read. {error}")
        return {}
    return {one["id"]: summary for one, summary in pairs}
