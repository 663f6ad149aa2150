# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers of addons, services and jobs as hosts: which are meant, reading them, what is told of each.

Facts from the official Python client 2.1.0: the response for one project has its services, jobs and addons, without
their tags and states. The list of a job's containers takes the id of a run; without one it names the run that it chose.
"""

from __future__ import annotations

import dataclasses
import json
import math
import typing as t
from collections import Counter

from .._client import not_found, path_segment
from .._errors import NotFoundError
from .._hosts import Found, Host, read_each
from .._timestamps import parse
from .._types import Item, value_at
from .api import Northflank
from .resources import (
    ADDON,
    ADDON_BACKUP,
    ADDON_CONTAINER,
    BACKUP_RESTORE,
    PROJECT,
    USER_KEYED,
)
from .states import CONTAINER_RUNNING_STATE


class Kind(t.NamedTuple):
    """What has containers: the platform's name of the list, and what it takes to read it and the containers of one."""

    list_key: str
    permission: str
    containers: str


KINDS = {
    "addon": Kind("addons", ADDON.permission, ADDON_CONTAINER.permission),
    "service": Kind(
        "services",
        "Project > Services > General > Read",
        "Project > Services > General > Read (in older roles: Deployment > View Instances)",
    ),
    "job": Kind(
        "jobs",
        "Project > Jobs > General > Read",
        "Project > Jobs > Deployment > View Observability (in older roles: View Instance Logs)",
    ),
}
# What a project holds, which is no fact of its hosts.
HELD = frozenset(kind.list_key for kind in KINDS.values())
# What a container on a cluster of one's own says about its node.
NODE_FACTS = {
    "node_name": "name",
    "node_pool_user_id": "pool_user_id",
    "node_pool_provider_id": "pool_provider_id",
    "host": "host",
}
# Facts about addons, from the latest item of a list: the resource, and the field that says when.
EVENTS = {"last_backup": (ADDON_BACKUP, "createdAt"), "last_restore": (BACKUP_RESTORE, "restoreTimestamp")}

T = t.TypeVar("T")
R = t.TypeVar("R")


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which containers are meant, and what is read about them."""

    # Ids; none means all.
    projects: t.Sequence[str] = ()
    kinds: t.Sequence[str] = tuple(KINDS)
    # Of an addon, service or job, which has to have one of them; none means any.
    tags: t.Sequence[str] = ()
    # Of a container; none means any.
    statuses: t.Sequence[str] = (CONTAINER_RUNNING_STATE,)
    # Whether to read the last backup and the last restore of an addon.
    backups: bool = False
    # Whether to read tags and states of addons, services and jobs.
    details: bool = False
    # Requests at once.
    concurrency: int = 4


@dataclasses.dataclass(frozen=True)
class _Parent:
    """An addon, service or job. The facts of both have their id as text."""

    project: Item
    kind: str
    facts: Item

    @property
    def path(self) -> str:
        return f"{_list_path(self.project, self.kind)}/{path_segment(self.facts['id'], 'id')}"

    @property
    def label(self) -> str:
        """What messages call it; no two have the same."""
        return f"{self.project['id']}/{self.kind}/{self.facts['id']}"


@dataclasses.dataclass(frozen=True)
class _Reading:
    client: Northflank
    wanted: Selection
    found: Found = dataclasses.field(default_factory=Found)

    def each(self, read: t.Callable[[T], R], parents: t.Sequence[T], **options: t.Any) -> list[tuple[T, R]]:
        return read_each(read, parents, concurrency=self.wanted.concurrency, found=self.found, **options)

    def with_id(self, items: t.Any, what: str) -> list[Item]:
        """Return the facts of those items that have an id, as text. One without cannot be read, and is warned about."""
        kept: dict[str, Item] = {}
        for item in items:
            identity = item.get("id") if isinstance(item, dict) else None
            if identity in (None, ""):
                self.found.warnings.append(f"The platform lists {what} without an id: what is there is missing.")
            else:
                kept.setdefault(str(identity), {**self.client.plain(item, USER_KEYED), "id": str(identity)})
        return list(kept.values())


def read_hosts(client: Northflank, wanted: Selection) -> Found:
    """Return the hosts that are meant, in the platform's order.

    Requests: the pages of the list of projects, unless they are named; one for each project; with tags or details the
    list of each kind that a project has; one list for each addon, service and job; with backups two lists for each
    addon that has a host.

    Raises:
        PaasError: Nothing at all can be read.
    """
    reading = _Reading(client, wanted)
    parents = _selected(reading, _parents(reading, _projects(reading)))
    containers = _containers(reading, parents)
    last = _last_events(reading, [parent for parent, listed in containers if listed and parent.kind == "addon"])
    reading.found.hosts = [
        _host(parent, client.plain(container), last.get(parent.label, {}))
        for parent, listed in containers
        for container in listed
    ]
    return reading.found


def _projects(reading: _Reading) -> list[Item]:
    """Return the projects as the platform sends them, each with what it holds."""
    client = reading.client
    named = list(dict.fromkeys(map(str, reading.wanted.projects)))

    def read(identity: str) -> Item:
        try:
            project = client.get(f"projects/{path_segment(identity, 'projects')}", permission=PROJECT.permission)
        except NotFoundError as error:
            if not named:
                raise
            client.check_scope()
            raise not_found("project", "projects", identity, error) from None
        return {**project, "id": identity}

    lost = "The projects {} could not be read, so their hosts are missing."
    ids = named or [one["id"] for one in reading.with_id(PROJECT.read_list(client, "projects", {}, {}), "a project")]
    return [project for _id, project in reading.each(read, ids, name=str, lost=lost, may_be_gone=not named)]


def _parents(reading: _Reading, projects: t.Sequence[Item]) -> list[_Parent]:
    """Return the addons, services and jobs of the projects, with tags and states if these are asked for."""
    wanted = reading.wanted
    held = [(project, kind, project.get(KINDS[kind].list_key)) for project in projects for kind in wanted.kinds]
    # If the project does not say what it holds, or not all that is asked for, the list of the kind does.
    to_list = [
        (project, kind) for project, kind, items in held if items is None or (items and (wanted.tags or wanted.details))
    ]

    def read(place: tuple[Item, str]) -> list[Item]:
        kind = KINDS[place[1]]
        return reading.client.get_list(_list_path(*place), kind.list_key, permission=kind.permission)

    lists = reading.each(
        read,
        to_list,
        name=lambda place: f"{place[0]['id']}/{KINDS[place[1]].list_key}",
        lost="The lists {} could not be read, so tags and states of what they hold are unknown.",
        are_hosts=bool(wanted.tags) or any(items is None for _project, _kind, items in held),
    )
    listed = {(project["id"], kind): items for (project, kind), items in lists}
    parents = []
    for project, kind, items in held:
        facts = reading.client.plain({key: value for key, value in project.items() if key not in HELD})
        what = f"one of the {KINDS[kind].list_key} of {project['id']}"
        found: dict[str, Item] = {}
        for source in (items or (), listed.get((project["id"], kind), ())):
            for item in reading.with_id(source, what):
                found[item["id"]] = {**found.get(item["id"], {}), **item}
        parents += [_Parent(facts, kind, item) for item in found.values()]
    return parents


def _selected(reading: _Reading, parents: t.Sequence[_Parent]) -> list[_Parent]:
    # What a service of this type builds runs in others.
    parents = [parent for parent in parents if parent.facts.get("service_type") != "build"]
    tags = set(reading.wanted.tags)
    if not tags:
        return parents
    unknown = [parent.label for parent in parents if not isinstance(parent.facts.get("tags"), list)]
    if unknown:
        reading.found.warnings.append(
            f"Left out, as the platform does not tell their tags: {', '.join(unknown)}. Without the option tags they"
            " are there."
        )
    selected = [parent for parent in parents if parent.label not in unknown and tags & set(parent.facts["tags"])]
    left_out = len(parents) - len(selected) - len(unknown)
    if left_out:
        reading.found.notes.append(f"Left out for their tags: {left_out} addons, services and jobs.")
    return selected


def _containers(reading: _Reading, parents: t.Sequence[_Parent]) -> list[tuple[_Parent, list[Item]]]:
    """Return the containers of the parents whose status is asked for."""
    statuses = set(reading.wanted.statuses)
    left_out: Counter[str] = Counter()

    def read(parent: _Parent) -> list[Item]:
        permission = KINDS[parent.kind].containers
        return reading.client.get_list(
            f"{parent.path}/containers", "containers", identity="name", permission=permission
        )

    def is_wanted(container: Item) -> bool:
        # One that does not tell its status stays.
        return not statuses or container.get("status") is None or str(container["status"]) in statuses

    listed = reading.each(
        read,
        parents,
        name=lambda parent: parent.label,
        lost="The containers of {} could not be read, so these hosts are missing.",
    )
    for _parent, containers in listed:
        left_out.update(str(one["status"]) for one in containers if not is_wanted(one))
        containers[:] = filter(is_wanted, containers)
    if left_out:
        counts = ", ".join(f"{count} {status}" for status, count in sorted(left_out.items()))
        reading.found.notes.append(f"Containers left out for their status: {counts}. The option statuses selects.")
    return listed


def _last_events(reading: _Reading, addons: t.Sequence[_Parent]) -> dict[str, Item]:
    """Return the facts last_backup and last_restore by label of an addon, None without any; {} if not asked for."""
    if not reading.wanted.backups:
        return {}

    def read(place: tuple[_Parent, str]) -> Item | None:
        parent, fact = place
        resource, time = EVENTS[fact]
        path = f"{parent.path}/{resource.list_key}"
        try:
            items = reading.client.get_list(path, resource.list_key, permission=resource.permission)
        except NotFoundError:  # gone meanwhile, or of a type that has none
            return None
        return latest(items, time)

    found = reading.each(
        read,
        [(parent, fact) for parent in addons for fact in EVENTS],
        name=lambda place: f"{place[0].label}/{EVENTS[place[1]][0].list_key}",
        lost="The lists {} could not be read, so these facts are missing.",
        are_hosts=False,
    )
    last: dict[str, Item] = {}
    for (parent, fact), item in found:
        last.setdefault(parent.label, {})[fact] = None if item is None else reading.client.plain(item)
    return last


def latest(items: t.Sequence[Item], field: str) -> Item | None:
    """Return the item with the latest time stamp in a field; the first of several. None without any item."""
    return max(items, key=lambda item: moment(item.get(field)), default=None)


def moment(value: t.Any) -> float:
    """Return a time stamp of the platform in seconds since 1970; one that cannot be read is before all others."""
    when = parse(value)
    return -math.inf if when is None else when.timestamp()


def _host(parent: _Parent, container: Item, last: Item) -> Host:
    """Return a host from the facts of its container and parent. last: see _last_events()."""
    name = str(container.get("name") or "")
    # Without a name, only all that is known about a container distinguishes it.
    own = name or json.dumps(container, sort_keys=True)
    kind = parent.kind
    groups = [f"project_{parent.project['id']}", f"kind_{kind}"]
    addon_type = value_at(parent.facts, "spec.type") if kind == "addon" else None
    groups += [f"addon_type_{addon_type}"] if addon_type else []
    groups += [f"status_{container['status']}"] if container.get("status") else []
    return Host(
        name=name,
        # The platform's id of an app begins with the team.
        identity=f"{parent.facts.get('app_id')}:{parent.label}/{own}",
        facts={
            "kind": kind,
            "project": parent.project,
            kind: parent.facts,
            "container": container,
            "node": {fact: container[field] for field, fact in NODE_FACTS.items() if container.get(field) is not None},
            **last,
        },
        connection={
            "ansible_northflank_project_id": parent.project["id"],
            "ansible_northflank_kind": kind,
            "ansible_northflank_resource_id": parent.facts["id"],
            **({"ansible_host": name} if name else {}),
        },
        groups=groups,
    )


def _list_path(project: Item, kind: str) -> str:
    return f"projects/{path_segment(project['id'], 'projects')}/{KINDS[kind].list_key}"
