# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``includes``: whole resources next to the data, by kind and id; identifiers lead to ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..messages import Record
from .shapes import render
from .state import State

Found = dict[str, Record]
Include = Callable[[State, list[Record]], Found]

_CREATORS = {"account": "accounts", "employee": "employees", "visitor": "visitors", "api-key": "api_keys"}


def _by_id(source: Callable[[State], dict[str, Record]], ids: Callable[[Record], Any]) -> Include:
    """Return what collects resources: ``ids`` gives the id in a record, or a list of them."""

    def collect(state: State, records: list[Record]) -> Found:
        resources = source(state)
        return {found: resources[found] for record in records for found in _listed(ids(record)) if found in resources}

    return collect


def _listed(value: Any) -> Iterable[str]:
    return value if isinstance(value, list) else [value]


def _resource(name: str) -> Callable[[State], dict[str, Record]]:
    return lambda state: state.resources.get(name, {})


def _shown(kind: str, source: Callable[[State], dict[str, Record]], ids: Callable[[Record], Any]) -> Include:
    collect = _by_id(source, ids)

    def show(state: State, records: list[Record]) -> Found:
        return {key: render(state, kind, record, []) for key, record in collect(state, records).items()}

    return show


def _people(scope: str) -> Include:
    def collect(state: State, records: list[Record]) -> Found:
        found: Record = {**{name: {} for name in _CREATORS.values()}, "environments": {}}
        for record in records:
            who = record[scope]
            kind = _CREATORS.get(who["type"])
            known = state.resources.get(kind or "", {}).get(who["id"])
            if kind is not None and known is not None:
                found[kind][who["id"]] = known
        return found

    return collect


def _containers(state: State) -> dict[str, Record]:
    return {key: container.data for key, container in state.containers.items()}


def _components(state: State, records: list[Record]) -> Found:
    sources = {"instance": state.instances, "container": _containers(state), "server": state.servers}
    found: Found = {}
    for record in records:
        component = record["component"]
        kind = component and component["type"]
        if kind in sources and component["id"] in sources[kind]:
            found[component["id"]] = render(state, kind, sources[kind][component["id"]], [])
    return found


_creators = _people("creator")
_locations = _by_id(_resource("locations"), lambda record: record["location_id"])
_integrations = _by_id(_resource("integrations"), lambda record: record["provider"]["integration_id"])
_environment = _by_id(lambda state: state.environments, lambda record: record["environment"]["id"])


def _cluster(state: State, records: list[Record]) -> Found:
    wanted = {record["cluster"] for record in records}
    return {key: each for key, each in state.resources.get("clusters", {}).items() if each["identifier"] in wanted}


INSTANCES: dict[str, Include] = {
    "creators": _creators,
    "servers": _shown("server", lambda state: state.servers, lambda record: record["server_id"]),
    "locations": _locations,
    "integrations": _integrations,
    "containers": _shown("container", _containers, lambda record: record["container_id"]),
    "environments": _environment,
}
CONTAINERS: dict[str, Include] = {
    "creators": _creators,
    "images": _by_id(_resource("images"), lambda record: record["image"]["id"]),
    "stacks": _by_id(_resource("stacks"), lambda record: (record["stack"] or {}).get("id")),
    "stack_builds": lambda _state, _records: {},
    "environments": _environment,
}
SERVERS: dict[str, Include] = {
    "locations": _locations,
    "models": _by_id(_resource("models"), lambda record: record["model_id"]),
    "integrations": _integrations,
    "clusters": _cluster,
}
ENVIRONMENTS: dict[str, Include] = {
    "creators": _creators,
    "stacks": lambda _state, _records: {},
    "clusters": _cluster,
}
JOBS: dict[str, Include] = {"creators": _creators}
ACTIVITY: dict[str, Include] = {"users": _people("user"), "components": _components}

# The key in the query → the key in the answer, where they differ.
SERVER_INSTANCES = {**{name: make for name, make in INSTANCES.items() if name != "creators"}, "creator": _creators}
USABLE_SERVERS = {**{name: SERVERS[name] for name in ("models", "integrations")}, "location": _locations}
_NAMES = {"creator": "creators", "location": "locations"}

# Where the answer also leads from identifiers to ids: kind of the records → kinds of the includes.
_IDENTIFIED = {"instance": ("integrations", "containers", "environments"), "container": ("stacks", "environments")}


def collect(state: State, kind: str, wanted: list[str], known: dict[str, Include], records: list[Record]) -> Record:
    """Return the includes asked for, of the records of a kind on a page; names that are not known are ignored."""
    made: Record = {}
    for name in wanted:
        if name not in known:
            continue
        found = known[name](state, records)
        key = _NAMES.get(name, name)
        made[key] = found
        if key in _IDENTIFIED.get(kind, ()):
            identifiers: dict[str, list[str]] = {}
            for each in found.values():
                identifiers.setdefault(each["identifier"], []).append(each["id"])
            made[f"{key}:identifiers"] = identifiers
    return made
