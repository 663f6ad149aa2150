# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two instances of a migration: the old one, which is kept until it is purged, and its successor."""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import NotFoundError
from .._types import Item, Params, value_at
from .api import Cycle
from .instances import instance_path, instances_of, is_gone, state_of, with_ids
from .resources import CONTAINERS_VIEW
from .states import READY_PURGE, health_of


@dataclasses.dataclass(frozen=True)
class Pair:
    """Both instances of a migration as they were last read; None for one that is not there or not known yet."""

    source: Item | None
    successor: Item | None

    def states(self) -> dict[str, str]:
        return {str(one.get("id")): state_of(one) for one in (self.source, self.successor) if one}


def find(client: Cycle, container: Item, instance_id: str | None) -> Item | None:
    """Return an instance; None if it is not there, or there is no id."""
    if instance_id is None:
        return None
    try:
        found = client.get(instance_path(str(container["id"]), instance_id), permission=CONTAINERS_VIEW)
    except NotFoundError:
        return None
    return with_ids({**found, "id": instance_id})


def heir_of(client: Cycle, container: Item, instance_id: str) -> Item | None:
    for one in instances_of(client, str(container["id"])):
        if value_at(one, "migration.from.instance_id") == instance_id and not is_gone(one):
            return one
    return None


def id_of_successor(instance: Item | None) -> str | None:
    """Return the id of the successor of an instance, whether that is still there or not."""
    found = value_at(instance, "migration.to.instance_id")
    return str(found) if found else None


def id_of_source(instance: Item | None) -> str | None:
    found = value_at(instance, "migration.from.instance_id")
    return str(found) if found else None


def is_up(container: Item, instance: Item, *, may_rest: bool = False) -> bool:
    """Whether an instance runs and is healthy.

    Without a health check the platform may say nothing about the health; with one that means "not reported yet".

    Args:
        may_rest: Whether being stopped will do as well.
    """
    if state_of(instance) != "running":
        return may_rest and state_of(instance) == "stopped"
    if value_at(container, "config.deploy.health_check") is None:
        return health_of(instance) is not False
    return health_of(instance) is True


def is_retained(instance: Item | None) -> bool:
    """Whether a source can still be reverted to."""
    return instance is not None and instance.get("ready_state") == READY_PURGE and not is_gone(instance)


def described(instance: Item) -> str:
    text = f"{instance.get('id')} on server {instance.get('server_id')} is {state_of(instance)}"
    error = value_at(instance, "state.error.message")
    if error:
        text += f" ({str(error).rstrip('.')})"
    if state_of(instance) == "running":
        text += {True: " and healthy", False: " and unhealthy", None: ", its health not reported"}[health_of(instance)]
    if instance.get("ready_state") == READY_PURGE:
        text += f", kept until it is purged ({instance.get('purge_time') or 'time not known'})"
    return text


def subject(params: Params) -> str:
    return f"server of instance {params['instance_id']}"


def as_shown(instance: Item | None) -> Item:
    """Return an instance in the diff: where it is, under which id."""
    shown = {"instance_id": "id", "server_id": "server_id"}
    return {name: None if instance is None else instance.get(key) for name, key in shown.items()}


def result_of(
    client: Cycle, pair: Pair, to: str | None, done: t.Sequence[Item] = (), *, reverted: bool = False
) -> Item:
    """Return the result of the module.

    Args:
        to: The server of the successor.
        done: The jobs.
    """
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
