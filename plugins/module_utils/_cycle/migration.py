# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrating an instance to another server: what has to be done. migrating.py does it.

A migration makes a new instance with an id of its own. The old one, the source, is kept until it is purged, names its
successor in migration.to, and is what a revert is asked of. The successor names it in migration.from.
"""

from __future__ import annotations

from .._argspec import WAIT, ArgumentSpec
from .._errors import ApiError, OptionError, StateError
from .._plan import Done, Plan
from .._types import Item, Params, value_at
from .._wait import Deadline, wait_until
from .api import Cycle
from .instances import (
    container_of,
    instance_of,
    instances_on,
    is_gone,
    is_leaving,
    server_name,
    state_of,
    unfit,
    usable_servers,
)
from .migrating import START, Move, finish, migrate, pair_of
from .migration_pair import (
    Pair,
    as_shown,
    find,
    heir_of,
    id_of_source,
    id_of_successor,
    is_up,
    result_of,
    subject,
)
from .revert import plan_revert
from .states import should_run
from .tasks import InstanceTasks

ARGUMENTS = WAIT.merge(
    ArgumentSpec(
        options={
            "container_id": {"type": "str", "required": True},
            "instance_id": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "reverted"], "default": "present"},
            "destination_server_id": {"type": "str"},
            "any_usable": {"type": "bool", "default": False},
            "source_server_id": {"type": "str"},
            "copy_volumes": {"type": "bool", "default": False},
            "revert_on_failure": {"type": "bool", "default": False},
        },
    )
)


def plan(client: Cycle, params: Params) -> Plan:
    """Plan what the module instance_migration does.

    Raises OptionError, StateError, ApiError, and JobError, StateError or WaitTimeoutError with what is known of both
    instances, and the jobs, in results.
    """
    deadline = Deadline(params["wait_timeout"], params["wait_interval"])
    if params["state"] == "reverted":
        if params["destination_server_id"] or params["any_usable"] or params["source_server_id"]:
            raise OptionError(
                "With state=reverted an instance goes back to where it was: name no destination, no source."
            )
        return plan_revert(client, params, container_of(client, params["container_id"]), deadline)
    if bool(params["destination_server_id"]) == bool(params["any_usable"]):
        raise OptionError("Say where to migrate to: destination_server_id, or any_usable=true, and not both.")
    return _plan_migration(client, params, container_of(client, params["container_id"]), deadline)


def _plan_migration(client: Cycle, params: Params, container: Item, deadline: Deadline) -> Plan:
    found = trace(client, container, params["instance_id"])
    if not _is_there(found, params) and not _is_on_its_way(found[-1], params):
        # What an earlier task has started decides: its job may end any moment, so what is there is read after it.
        InstanceTasks(client, container, str(found[-1]["id"]), deadline).settle(START)
        found = wait_until(
            lambda: trace(client, container, params["instance_id"]),
            lambda now: state_of(now[-1]) != "migrating" or _is_on_its_way(now[-1], params),
            what=f"An earlier migration of the instance {params['instance_id']}",
            state=lambda now: state_of(now[-1]),
            deadline=deadline,
        )
    current = found[-1]
    if _is_on_its_way(current, params):
        return _plan_wait(client, params, Move(container, current, _server_to(current)), deadline)
    if _is_there(found, params):
        return _plan_arrived(client, params, container, found, deadline)
    _check_source(current)
    move = Move(container, current, _destination(client, params, container, current), old=id_of_successor(current))
    return Plan(
        result=result_of(client, Pair(current, None), move.to),
        subject=subject(params),
        before=as_shown(current),
        after={"instance_id": None, "server_id": move.to},
        act=lambda: Done(*migrate(client, params, move, deadline)),
    )


def trace(client: Cycle, container: Item, instance_id: str) -> list[Item]:
    """Return an instance and those that followed it by migrations, the present one last; the first may be purged.

    Raises:
        NotFoundError: Neither the instance nor a successor is there.
    """
    one = find(client, container, instance_id)
    if one is None or state_of(one) == "deleted":
        one = heir_of(client, container, instance_id) or instance_of(client, str(container["id"]), instance_id)
    found: list[Item] = []
    while one is not None and one.get("id") not in {each.get("id") for each in found}:
        found.append(one)
        one = _successor(client, container, one)
    return found


def _successor(client: Cycle, container: Item, instance: Item) -> Item | None:
    """Return the successor of an instance that has migrated; None while it migrates, and if that was taken back."""
    if state_of(instance) == "migrating" or (state_of(instance) == "running" and not is_leaving(instance)):
        return None
    found = find(client, container, id_of_successor(instance))
    return None if found is None or is_gone(found) else found


def _server_to(instance: Item) -> str:
    return str(value_at(instance, "migration.to.server_id", ""))


def _is_on_its_way(instance: Item, params: Params) -> bool:
    if state_of(instance) != "migrating" or not _server_to(instance):
        return False
    if params["source_server_id"]:
        return bool(_server_to(instance) != params["source_server_id"])
    return bool(params["any_usable"] or _server_to(instance) == params["destination_server_id"])


def _is_there(found: list[Item], params: Params) -> bool:
    """Whether the present instance is where it should be. Any server will do if the named one has left its own."""
    current = found[-1]
    if params["source_server_id"]:
        return bool(current.get("server_id") != params["source_server_id"])
    if params["any_usable"]:
        return bool(current.get("id") != params["instance_id"])
    stays = state_of(current) != "migrating" and not is_leaving(current)
    return stays and bool(current.get("server_id") == params["destination_server_id"])


def _check_source(instance: Item) -> None:
    identity = instance.get("id")
    if instance.get("service") == "loadbalancer":
        raise StateError(f"The instance {identity} is a load balancer's: those cannot be migrated.")
    if is_gone(instance):
        raise StateError(f"The instance {identity} is {state_of(instance)}: it cannot be migrated.")
    if is_leaving(instance):
        until = instance.get("purge_time") or "it is purged"
        gone = f", and its successor {id_of_successor(instance)} is gone" if id_of_successor(instance) else ""
        raise StateError(
            f"The instance {identity} has migrated{gone}. It is kept only until {until}; state=reverted brings it back."
        )


def _destination(client: Cycle, params: Params, container: Item, instance: Item) -> str:
    """Return the id of the server to migrate to. Raises StateError if there is none, or it cannot be that one."""
    wanted = params["destination_server_id"]
    try:
        usable = usable_servers(client, str(container["id"]), "instances_count")
    except ApiError as error:
        if wanted and error.status == 403:
            return str(wanted)  # then the platform says it when it is asked to migrate
        raise
    names = ", ".join(map(server_name, usable)) or "none"
    if wanted:
        if wanted not in {one.get("id") for one in usable}:
            raise StateError(
                f"The instance {instance.get('id')} cannot be migrated to {wanted}. Servers that its container can use:"
                f" {names}."
            )
        return str(wanted)
    fitting = [one for one in usable if one["id"] != instance.get("server_id") and unfit(one, container) is None]
    if not fitting:
        raise StateError(
            f"There is no other server for the instance {instance.get('id')}, which is on {instance.get('server_id')}."
            f" Servers that its container can use: {names}. Left out are those that are being evacuated, are not live,"
            " or are in another cluster."
        )
    return str(min(fitting, key=lambda server: (instances_on(server), str(server["id"])))["id"])


def _plan_arrived(client: Cycle, params: Params, container: Item, found: list[Item], deadline: Deadline) -> Plan:
    """No change. If the instance got there by a migration, its end is waited for all the same."""
    current = found[-1]
    source = found[-2] if len(found) > 1 else None
    came = source is not None or current.get("id") != params["instance_id"]
    move = Move(container, source, str(current.get("server_id")), successor_id=str(current.get("id")))
    if came and not is_up(container, current, may_rest=not should_run(container)):
        return _plan_wait(client, params, move, deadline)
    if source is None:
        source = find(client, container, id_of_source(current))
    shown = as_shown(current)
    return Plan(result_of(client, Pair(source, current), move.to), subject(params), shown, shown)


def _plan_wait(client: Cycle, params: Params, move: Move, deadline: Deadline) -> Plan:
    """No change, but a migration to wait for."""
    pair = pair_of(client, move)
    shown = as_shown(pair.successor or move.source)
    waits = params["wait"] and not client.check_mode

    def act() -> Done:
        return Done(*finish(client, params, move, [], deadline), changed=False)

    return Plan(result_of(client, pair, move.to), subject(params), shown, shown, act if waits else None)
