# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log of the hub, and the notifications that go out when something happens."""

from __future__ import annotations

from typing import Any

from ..messages import Record
from .access import Key
from .stamps import nano
from .state import Container, State

# Events of requests that have a name of their own; the execution is told without the word task.
REQUESTS = frozenset(
    {
        "container.start",
        "container.stop",
        "container.restart",
        "container.scale",
        "container.reconfigure",
        "container.instance.migration.start",
        "container.instance.migration.revert",
        "container.instance.volume.extend",
        "infrastructure.server.evacuation.start",
        "infrastructure.server.evacuation.reset",
    }
)
_TASKS = ("migration", "volume", "evacuation")


def request_event(event: str) -> str:
    """Return the event of the request that leads to an event: itself, where the log has no other name."""
    if event not in REQUESTS:
        return event
    parts = event.split(".")
    place = next((index for index, part in enumerate(parts) if part in _TASKS), len(parts) - 1)
    return ".".join([*parts[:place], "task", *parts[place:]])


def context_of(
    container: Container | None = None, instance: Record | None = None, server: Record | None = None
) -> Record:
    """Return the context of an entry; only what is known is in it."""
    context: Record = {}
    if container is not None:
        environment = container.data["environment"]
        context |= {
            "container_id": container.id,
            "environment_id": environment["id"],
            "cluster": environment["cluster"],
        }
    if instance is not None:
        context |= {"instance_id": instance["id"], "server_id": instance["server_id"]}
    if server is not None:
        context |= {"server_id": server["id"], "cluster": server["cluster"]}
    return context


def _component(context: Record) -> Record | None:
    for kind in ("instance", "container", "server", "environment"):
        if f"{kind}_id" in context:
            return {"id": context[f"{kind}_id"], "type": kind}
    return None


def log(
    state: State,
    key: Key,
    event: str,
    context: Record,
    moment: float,
    status: str = "success",
    error: str | None = None,
) -> Record:
    """Enter an event of a key; ``status`` is that of the entry."""
    entry: Record = {
        "id": state.mint(moment),
        "hub_id": state.hub_id,
        "user": {"type": "api-key", "id": key.id},
        "verbosity": 1 if status == "request" else 0,
        "context": context,
        "session": {"url": f"/{event.replace('.', '/')}", "ip": "127.0.0.1", "token": None, "api_key": key.id},
        "changes": [],
        "annotations": {"key": key.name},
        "error": None if error is None else {"message": error},
        "component": _component(context),
        "tags": [],
        "status": status,
        "event": event,
        "time": nano(moment),
    }
    state.activity.append(entry)
    notify(state, "hub.activity.new", {"id": entry["id"]}, context)
    return entry


def notify(state: State, topic: str, thing: Record, context: Record, **flags: bool) -> None:
    """Send a notification to whoever listens; the context never names an instance."""
    if not state.listeners:
        return

    def listed(name: str) -> list[Any]:
        return [context[name]] if name in context else []

    as_map = state.settings.notifications.flags == "map"
    message = {
        "topic": topic,
        "object": thing,
        "context": {
            "hub_id": state.hub_id,
            "account_id": None,
            "environments": listed("environment_id"),
            "dns_zones": None,
            "clusters": listed("cluster"),
            "containers": listed("container_id"),
        },
        "flags": dict(flags) if as_map else [{name: value} for name, value in flags.items()],
    }
    for listener in list(state.listeners):
        listener(message)
