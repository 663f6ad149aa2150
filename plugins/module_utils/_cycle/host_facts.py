# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory has about an instance: its name, facts, groups and the variables for the connection."""

from __future__ import annotations

import typing as t

from .._hosts import Host
from .._types import Item, value_at
from .api import Cycle
from .instances import state_of
from .states import health_of
from .telemetry import summary_of

# Hosts get every field of an instance but these, which are facts of their own.
NOT_OF_INSTANCES = frozenset({"creator", "hub_id", "provider"})
# A selection for the others, because each of their instances carries it.
CONTAINER_FACTS = (
    *("id", "identifier", "name", "annotations", "deployment", "deprecate", "image", "lock", "role", "stack"),
    *("stateful", "state", "config.network.hostname", "config.network.public", "config.deploy.strategy"),
)
ENVIRONMENT_FACTS = ("id", "identifier", "name", "cluster", "about.description", "state")
SERVER_FACTS = (
    *("id", "hostname", "nickname", "cluster", "location_id", "model_id", "state", "constraints.tags", "features"),
    *("ephemeral", "evacuate", "provider.vendor", "provider.model", "provider.location", "provider.zone"),
    "provider.init_ips",
)
LOCATION_FACTS = ("id", "name", "abbreviation", "geographic", "provider.code", "provider.location", "provider.vendor")


def hosts_from(
    client: Cycle,
    instances: t.Iterable[Item],
    known: t.Callable[[str, t.Any], Item],
    use: t.Mapping[str, Item] | None,
) -> list[Host]:
    """Return instances as hosts. What belongs to several of them is one and the same object.

    Args:
        known: From kind and id to a resource.
        use: A summary of what running instances use, by id; None if that is not wanted.
    """
    facts: dict[tuple[str, str], Item] = {}
    unknown_use = summary_of([])

    def facts_of(kind: str, identity: t.Any, fields: t.Iterable[str]) -> Item:
        key = (kind, str(identity))
        if key not in facts:
            facts[key] = client.plain(_fields(known(kind, identity), fields))
        return facts[key]

    hosts: list[Host] = []
    for one in instances:
        container = facts_of("containers", one["container_id"], CONTAINER_FACTS)
        server = facts_of("servers", one["server_id"], SERVER_FACTS)
        inside = value_at(one, "environment.id")
        told = {
            "instance": client.plain({key: value for key, value in one.items() if key not in NOT_OF_INSTANCES}),
            "container": container,
            "environment": facts_of("environments", inside, ENVIRONMENT_FACTS),
            "server": server,
            "location": facts_of("locations", one.get("location_id") or server.get("location_id"), LOCATION_FACTS),
        }
        if use is not None:
            told["telemetry"] = use.get(one["id"], unknown_use)
        hosts.append(
            {
                "name": str(one.get("hostname") or f"{container.get('identifier') or one['container_id']}-{one['id']}"),
                "identity": one["id"],
                "facts": told,
                "connection": {
                    "ansible_cycle_container_id": one["container_id"],
                    "ansible_cycle_instance_id": one["id"],
                },
                "groups": _groups(told),
            }
        )
    return hosts


def _fields(item: Item, fields: t.Iterable[str]) -> Item:
    """Return some fields of a resource, those with dots below what they are in. What it does not have stays away."""
    found: Item = {}
    for field in fields:
        value = value_at(item, field, found)
        if value is not found:
            *places, name = field.split(".")
            inner = found
            for place in places:
                inner = inner.setdefault(place, {})
            inner[name] = value
    return found


def _groups(facts: Item) -> list[str]:
    """Return the groups of a host, by what it is in and how it is. What is not known makes none."""
    location, server = facts["location"], facts["server"]
    names = {
        "environment": facts["environment"].get("identifier") or facts["environment"].get("id"),
        "container": facts["container"].get("identifier") or facts["container"].get("id"),
        "server": server.get("hostname") or server.get("id"),
        "location": value_at(location, "provider.code") or location.get("name") or location.get("id"),
        "state": state_of(facts["instance"]),
        "health": _health(facts["instance"]),
    }
    return [f"{kind}_{name}" for kind, name in names.items() if name]


def _health(instance: Item) -> str:
    """Return what the health check says: healthy, unhealthy, or unknown if it said nothing yet, or there is none."""
    return {True: "healthy", False: "unhealthy", None: "unknown"}[health_of(instance)]
