# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The two instances of a migration: the old one, which is kept until it is purged, and its successor."""

from __future__ import annotations

import dataclasses
import typing as t

from .._client import Item
from .._errors import NotFoundError
from .._resource import value_at
from .api import Cycle
from .instances import (
    instance_path,
    instances_of,
    is_gone,
    state_of,
    with_ids,
)
from .resources import CONTAINERS_VIEW
from .states import READY_PURGE, health_of, should_run

Params = t.Mapping[str, t.Any]

shall_run = should_run  # the name that _evacuation.py imports


@dataclasses.dataclass(frozen=True)
class Pair:
    """Both instances of a migration as they were last read; None for one that is not there or not known yet."""

    source: Item | None
    successor: Item | None


def find(client: Cycle, container: Item, instance_id: str) -> Item | None:
    """An instance; None when it is not there."""
    try:
        found = client.get(instance_path(str(container["id"]), instance_id), permission=CONTAINERS_VIEW)
    except NotFoundError:
        return None
    return with_ids({**found, "id": instance_id})


def heir_of(client: Cycle, container: Item, instance_id: str) -> Item | None:
    """The successor of an instance that was purged."""
    for one in instances_of(client, str(container["id"])):
        if value_at(one, "migration.from.instance_id") == instance_id and not is_gone(one):
            return one
    return None


def id_of_successor(instance: Item | None) -> str | None:
    """The id of the successor of an instance, whether that is still there or not."""
    found = value_at(instance, "migration.to.instance_id")
    return str(found) if found else None


def id_of_source(instance: Item | None) -> str | None:
    """The id of the instance that this one is the successor of."""
    found = value_at(instance, "migration.from.instance_id")
    return str(found) if found else None


def is_retained(instance: Item | None) -> bool:
    """Whether a source can still be reverted to."""
    return instance is not None and instance.get("ready_state") == READY_PURGE and not is_gone(instance)


def described(instance: Item) -> str:
    """What state an instance is in, for a message."""
    text = f"{instance.get('id')} on server {instance.get('server_id')} is {state_of(instance)}"
    error = value_at(instance, "state.error.message")
    if error:
        text += f" ({str(error).rstrip('.')})"
    if state_of(instance) == "running":
        told = {True: " and healthy", False: " and unhealthy", None: ", its health not reported"}
        text += told[health_of(instance)]
    if instance.get("ready_state") == READY_PURGE:
        text += f", kept until it is purged ({instance.get('purge_time') or 'time not known'})"
    return text


def subject(params: Params) -> str:
    """What the diff is about."""
    return f"server of instance {params['instance_id']}"


_SHOWN = {"instance_id": "id", "server_id": "server_id"}


def as_shown(instance: Item | None) -> Item:
    """An instance in the diff: where it is, under which id."""
    return {name: None if instance is None else instance.get(key) for name, key in _SHOWN.items()}


def result_of(
    client: Cycle, pair: Pair, to: str | None, done: t.Sequence[Item] = (), *, reverted: bool = False
) -> Item:
    """The result of the module. to: the server of the successor. done: the jobs."""
    source, successor = pair.source, pair.successor
    return {
        "old_instance_id": source.get("id") if source else id_of_source(successor),
        "new_instance_id": successor.get("id") if successor else None,
        "old_instance": client.plain(source),
        "new_instance": client.plain(successor),
        "source_server_id": source.get("server_id") if source else value_at(successor, "migration.from.server_id"),
        "destination_server_id": to,
        "reverted": reverted,
        "jobs": list(done),
    }
