# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances of a container: reading them, and what their fields say."""

from __future__ import annotations

import contextlib
import typing as t

from .._client import not_found, path_segment
from .._errors import ApiError, InvalidResponseError, NotFoundError, PaasError
from .._types import Item, value_at
from .api import Cycle
from .resources import CONTAINERS_VIEW
from .states import GONE_STATES, READY_PURGE, SERVER_READY_STATE

# Statuses of what the platform does not do in the current state of an instance.
NOT_NOW = (403, 409, 422, 503)


def state_of(instance: Item) -> str:
    return str(value_at(instance, "state.current", ""))


def is_leaving(instance: Item) -> bool:
    """Whether an instance is gone, or on its way out: deleting, deleted, or kept only until it is purged."""
    return is_gone(instance) or instance.get("ready_state") == READY_PURGE


def is_gone(instance: Item) -> bool:
    """Whether an instance is deleted, or about to be."""
    return state_of(instance) in GONE_STATES


def failure_of(instance: Item) -> str:
    return str(value_at(instance, "state.error.message") or "the platform gave no reason")


def successor_of(instance: Item) -> Item | None:
    """Return where an instance migrates to, its successor's instance_id and server_id; None if it does not migrate."""
    successor = value_at(instance, "migration.to")
    # One that runs was moved back, or never left.
    return successor if isinstance(successor, dict) and state_of(instance) != "running" else None


def live_by_server(instances: t.Iterable[Item]) -> dict[str, list[Item]]:
    """Return the instances that stay, by the server that they are on or migrate to, each one counted once."""
    staying = [one for one in instances if not is_leaving(one)]
    ids = {one.get("id") for one in staying}
    found: dict[str, list[Item]] = {}
    for one in staying:
        successor = successor_of(one)
        server = one.get("server_id")
        if successor is not None:
            if str(successor.get("instance_id")) in ids - {one.get("id")}:
                continue  # the successor is counted
            server = successor.get("server_id") or server
        found.setdefault(str(server), []).append(one)
    return found


def instances_path(container_id: str) -> str:
    return f"containers/{path_segment(container_id, 'container_id')}/instances"


def instance_path(container_id: str, instance_id: str) -> str:
    return f"{instances_path(container_id)}/{path_segment(instance_id, 'instance_id')}"


def instances_of(client: Cycle, container_id: str) -> list[Item]:
    """Return all instances of a container, newest first (by id). Raises NotFoundError that names the container."""
    try:
        found = client.get_list(instances_path(container_id), "instances", permission=CONTAINERS_VIEW)
    except NotFoundError:
        container_of(client, container_id)  # raises if it is missing
        raise
    return sorted(map(with_ids, found), key=lambda one: str(one["id"]), reverse=True)


def with_ids(instance: Item) -> Item:
    """Return an instance whose ids are texts. Raises InvalidResponseError for one without an id."""
    identity, server = instance.get("id"), instance.get("server_id")
    if not isinstance(identity, (str, int)):
        raise InvalidResponseError(
            "The platform lists an instance without its id: nothing can be said of it, or done to it."
        )
    return {**instance, "id": str(identity), "server_id": None if server is None else str(server)}


def container_of(client: Cycle, container_id: str) -> Item:
    """Return a container. Raises NotFoundError that names it."""
    try:
        found = client.get(f"containers/{path_segment(container_id, 'container_id')}", permission=CONTAINERS_VIEW)
    except NotFoundError as error:
        raise not_found("container", "container_id", container_id, error) from None
    return {**found, "id": container_id}


def instance_of(client: Cycle, container_id: str, instance_id: str) -> Item:
    """Return an instance. Raises NotFoundError that names the container or the instance, whichever is missing."""
    try:
        found = client.get(instance_path(container_id, instance_id), permission=CONTAINERS_VIEW)
    except NotFoundError as error:
        container_of(client, container_id)
        raise not_found("instance", "instance_id", instance_id, error) from None
    return with_ids({**found, "id": instance_id})


def is_there(client: Cycle, container_id: str, instance_id: str) -> bool:
    """Whether an instance exists. Raises NotFoundError if its container does not."""
    try:
        client.get(instance_path(container_id, instance_id), permission=CONTAINERS_VIEW)
    except NotFoundError:
        container_of(client, container_id)
        return False
    return True


@contextlib.contextmanager
def about_instance(client: Cycle, container_id: str, instance_id: str) -> t.Iterator[None]:
    """Complete the platform's errors about an instance: what is missing, or that it does not run."""
    try:
        yield
    except NotFoundError:
        instance_of(client, container_id, instance_id)  # raises for the one of both that is missing
        raise
    except ApiError as error:
        note_state(client, container_id, instance_id, error)
        raise


def note_state(client: Cycle, container_id: str, instance_id: str, error: ApiError) -> None:
    """Add to an error that the instance does not run, if that may be why.

    Which status the platform has for that is not documented.
    """
    if error.status not in NOT_NOW:
        return
    with contextlib.suppress(PaasError):
        state = state_of(instance_of(client, container_id, instance_id))
        if state != "running":
            error.message += f" The instance is {state or 'in no known state'}: it has to run for that."


def usable_servers(client: Cycle, container_id: str, *meta: str) -> list[Item]:
    """Return the servers that instances of a container can be on, without those that have no id.

    Source: specification, "compatible servers".

    Args:
        meta: Extra facts to read.
    """
    path = f"containers/{path_segment(container_id, 'container_id')}/servers/usable"
    query = {"meta": list(meta)} if meta else None
    found = client.get_list(path, "servers", query=query, permission=CONTAINERS_VIEW)
    return [{**one, "id": str(one["id"])} for one in found if isinstance(one.get("id"), (str, int))]


def unfit(server: Item, container: Item) -> str | None:
    """Return why instances of a container should not migrate to a server, in a few words; None if they can.

    A server that is being evacuated takes no new instances. Source: specification.
    """
    cluster, theirs = value_at(container, "environment.cluster"), server.get("cluster")
    state = value_at(server, "state.current", SERVER_READY_STATE)
    if state != SERVER_READY_STATE:
        return f"is {state}"
    if server.get("evacuate"):
        return "is being evacuated"
    if cluster and theirs and theirs != cluster:
        return f"is in the cluster {theirs}"
    return None


def instances_on(server: Item) -> float:
    """Return how many instances a server has, according to its meta; infinity if that is not known."""
    counts = value_at(server, "meta.instances_count", {})
    known = [counts.get(name) for name in ("available", "total")] if isinstance(counts, dict) else []
    return next((one for one in known if isinstance(one, int)), float("inf"))


def server_name(server: Item) -> str:
    """Return a server for a message: what people call it, and its id."""
    return f"{server.get('nickname') or server.get('hostname') or 'server'} ({server.get('id')})"
