# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Migrating an instance to another server, and taking that back.

A migration makes a new instance with an id of its own. The old one, the source, is kept until it is purged, names its
successor in migration.to, and is what a revert is asked of. The successor names it in migration.from.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from .._argspec import WAIT, ArgumentSpec
from .._client import Item
from .._errors import ApiError, OptionError, PaasError, StateError, WaitTimeoutError
from .._plan import Done, Plan
from .._resource import value_at
from .._wait import Deadline, wait_until
from . import jobs
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
from .migration_pair import (
    Pair,
    Params,
    as_shown,
    described,
    find,
    heir_of,
    id_of_source,
    id_of_successor,
    is_retained,
    result_of,
    subject,
)
from .revert import plan_revert, revert
from .states import health_of, should_run
from .tasks import add_jobs, ask, settle

START = "migration.start"

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


@dataclasses.dataclass(frozen=True)
class Move:
    """A migration: the instance it begins with, where it goes, and what was known of it before it was asked for.

    source: None when it is purged already. to: the server. old: id of a successor of an earlier migration that was
    taken back, which is not the one to wait for.
    """

    container: Item
    source: Item | None
    to: str
    old: str | None = None
    successor_id: str | None = None


def plan(client: Cycle, params: Params) -> Plan:
    """What the module instance_migration does.

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


def _successor(client: Cycle, container: Item, instance: Item) -> Item | None:
    """The successor of an instance that has migrated; None while it migrates, and when the migration was taken back."""
    if id_of_successor(instance) is None or state_of(instance) == "migrating":
        return None
    if state_of(instance) == "running" and not is_leaving(instance):
        return None
    found = find(client, container, str(id_of_successor(instance)))
    return None if found is None or is_gone(found) else found


def trace(client: Cycle, container: Item, instance_id: str) -> list[Item]:
    """An instance and those that followed it by migrations, the present one last; the first ones may be purged.

    Raises NotFoundError when neither the instance nor a successor is there.
    """
    one = find(client, container, instance_id)
    if one is None or state_of(one) == "deleted":
        one = heir_of(client, container, instance_id) or instance_of(client, str(container["id"]), instance_id)
    found: list[Item] = []
    while one is not None and one.get("id") not in {each.get("id") for each in found}:
        found.append(one)
        one = _successor(client, container, one)
    return found


def is_up(container: Item, instance: Item, *, may_rest: bool = False) -> bool:
    """Whether an instance runs and is healthy. may_rest: whether being stopped will do as well.

    Without a health check the platform may say nothing of the health; with one that means "not reported yet".
    """
    if state_of(instance) != "running":
        return may_rest and state_of(instance) == "stopped"
    if value_at(container, "config.deploy.health_check") is None:
        return health_of(instance) is not False
    return health_of(instance) is True


# To another server


def _plan_migration(client: Cycle, params: Params, container: Item, deadline: Deadline) -> Plan:
    found = trace(client, container, params["instance_id"])
    if _is_undecided(found, params):
        # What an earlier task has set going decides: its job may end any moment, so what is there is read after it.
        settle(client, container, str(found[-1]["id"]), START, deadline)
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
    server = _destination(client, params, container, current)
    move = Move(container, current, server, old=id_of_successor(current))

    def act() -> Done:
        return Done(*_migrate(client, params, move, deadline))

    before = Pair(current, None)
    return Plan(
        result=result_of(client, before, move.to),
        subject=subject(params),
        before=as_shown(current),
        after={"instance_id": None, "server_id": server},
        act=act,
    )


def _server_to(instance: Item) -> str:
    return str(value_at(instance, "migration.to.server_id", ""))


def _is_on_its_way(instance: Item, params: Params) -> bool:
    """Whether an instance migrates to where it shall be."""
    if state_of(instance) != "migrating" or not _server_to(instance):
        return False
    if params["source_server_id"]:
        return bool(_server_to(instance) != params["source_server_id"])
    return bool(params["any_usable"] or _server_to(instance) == params["destination_server_id"])


def _is_there(found: list[Item], params: Params) -> bool:
    """Whether the present instance is where it shall be. Any server will do when the named one has left its own."""
    current = found[-1]
    if params["source_server_id"]:
        return bool(current.get("server_id") != params["source_server_id"])
    if params["any_usable"]:
        return bool(current.get("id") != params["instance_id"])
    stays = state_of(current) != "migrating" and not is_leaving(current)
    return stays and bool(current.get("server_id") == params["destination_server_id"])


def _is_undecided(found: list[Item], params: Params) -> bool:
    return not _is_there(found, params) and not _is_on_its_way(found[-1], params)


def _check_source(instance: Item) -> None:
    """Raises StateError for an instance that cannot migrate."""
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
    """The id of the server to migrate to. Raises StateError when there is none, or it cannot be that one."""
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
    found = _by_preference(usable, container, instance)
    if not found:
        raise StateError(
            f"There is no other server for the instance {instance.get('id')}, which is on {instance.get('server_id')}."
            f" Servers that its container can use: {names}. Left out are those that are being evacuated, are not live,"
            " or are in another cluster."
        )
    return str(found[0]["id"])


def _by_preference(usable: list[Item], container: Item, instance: Item) -> list[Item]:
    """The servers that an instance may go to, the one with the fewest instances first; then by id."""
    fitting = [one for one in usable if one["id"] != instance.get("server_id") and unfit(one, container) is None]
    return sorted(fitting, key=lambda server: (instances_on(server), str(server["id"])))


def _plan_arrived(client: Cycle, params: Params, container: Item, found: list[Item], deadline: Deadline) -> Plan:
    """No change. When the instance got there by a migration, its end is waited for all the same."""
    current = found[-1]
    source = found[-2] if len(found) > 1 else None
    came = source is not None or current.get("id") != params["instance_id"]
    move = Move(container, source, str(current.get("server_id")), successor_id=str(current.get("id")))
    if came and not is_up(container, current, may_rest=not should_run(container)):
        return _plan_wait(client, params, move, deadline)
    if source is None and id_of_source(current):
        source = find(client, container, str(id_of_source(current)))
    return Plan(
        result=result_of(client, Pair(source, current), move.to),
        subject=subject(params),
        before=as_shown(current),
        after=as_shown(current),
    )


def _plan_wait(client: Cycle, params: Params, move: Move, deadline: Deadline) -> Plan:
    """No change, but a migration to wait for."""
    pair = _pair(client, move)
    shown = as_shown(pair.successor or move.source)

    def act() -> Done:
        return Done(*_finish(client, params, move, [], deadline), changed=False)

    return Plan(
        result=result_of(client, pair, move.to),
        subject=subject(params),
        before=shown,
        after=shown,
        act=act if params["wait"] and not client.check_mode else None,
    )


def _migrate(client: Cycle, params: Params, move: Move, deadline: Deadline) -> tuple[Item, Item]:
    """Starts a migration, and finishes it unless told not to wait. Returns the result and what the diff shows."""
    source = t.cast("Item", move.source)
    was = source.get("migration")

    def has_begun() -> bool:
        now = find(client, move.container, str(source["id"]))
        if now is None or is_leaving(now) or state_of(now) == "migrating":
            return True
        return id_of_successor(now) is not None and now["migration"] != was

    task = {
        "action": START,
        "contents": {"destination_server_id": move.to, "stateful": {"copy_volumes": params["copy_volumes"]}},
    }
    try:
        descriptor = ask(client, move.container, str(source["id"]), task, deadline, is_accepted=has_begun)
    except PaasError as error:
        if error.may_have_succeeded:
            _tell(client, move, error)
        raise
    if not params["wait"]:
        pair = _pair(client, move)
        return result_of(client, pair, move.to, [jobs.announced(descriptor)]), _after(move, pair)
    return _finish(client, params, move, [descriptor], deadline)


def _after(move: Move, pair: Pair) -> Item:
    return as_shown(pair.successor) if pair.successor else {"instance_id": None, "server_id": move.to}


def _finish(
    client: Cycle, params: Params, move: Move, descriptors: list[Item], deadline: Deadline
) -> tuple[Item, Item]:
    """Waits for the end of a migration. Returns the result and what the diff shows.

    Raises PaasError that says what state both instances are in, after a revert when that is asked for.
    """
    done = [jobs.announced(one) for one in descriptors]
    try:
        done = [
            jobs.follow(client, one, deadline, settled=lambda: _is_over(_pair(client, move))) for one in descriptors
        ]
        pair = _wait_for_successor(client, move, deadline)
    except PaasError as error:
        add_jobs(error, done)
        pair = _tell(client, move, error)
        if params["revert_on_failure"]:
            _revert_after(client, params, move, pair, error)
        else:
            error.message += f" {_advice(pair)}"
        raise
    return result_of(client, pair, move.to, done), _after(move, pair)


def _pair(client: Cycle, move: Move) -> Pair:
    """Both instances of a migration, as they are now."""
    if move.source is None:
        return Pair(None, find(client, move.container, str(move.successor_id)))
    identity = str(move.source["id"])
    source = find(client, move.container, identity)
    if source is None:
        return Pair(None, heir_of(client, move.container, identity))
    to = id_of_successor(source)
    if to is None or (to == move.old and not is_leaving(source)):
        return Pair(source, None)
    return Pair(source, find(client, move.container, to))


def _is_over(pair: Pair) -> bool:
    """Whether the source has been left behind."""
    left = pair.source is None or (state_of(pair.source) != "migrating" and is_leaving(pair.source))
    return left and pair.successor is not None


def _wait_for_successor(client: Cycle, move: Move, deadline: Deadline) -> Pair:
    """Waits until the successor is up. Raises StateError when it never will be."""
    # A successor stays stopped where its source was, or where all instances are.
    was_stopped = move.source is not None and state_of(move.source) == "stopped" and not is_leaving(move.source)
    may_rest = was_stopped or not should_run(move.container)
    has_begun = False

    def is_done(pair: Pair) -> bool:
        nonlocal has_begun
        has_begun = has_begun or pair.successor is not None
        _check_course(move, pair, has_begun)
        if pair.successor is None or (pair.source is not None and state_of(pair.source) == "migrating"):
            return False
        return is_up(move.container, pair.successor, may_rest=may_rest)

    return wait_until(
        lambda: _pair(client, move),
        is_done,
        what=f"The migration of the instance {_identity(move)}",
        state=lambda pair: {str(one.get("id")): state_of(one) for one in (pair.source, pair.successor) if one},
        deadline=deadline,
    )


def _identity(move: Move) -> str:
    return str(move.source["id"]) if move.source else f"that became {move.successor_id}"


def _check_course(move: Move, pair: Pair, has_begun: bool) -> None:
    """Raises StateError when a migration has failed."""
    successor, source = pair.successor, pair.source
    if successor is not None and state_of(successor) == "failed":
        said = value_at(successor, "state.error.message") or "the platform gave no reason"
        raise StateError(f"The new instance {successor.get('id')} failed: {str(said).rstrip('.')}.")
    if successor is not None and is_leaving(successor):
        raise StateError(f"The new instance {successor.get('id')} is about to be gone.")
    if has_begun and successor is None and source is not None and state_of(source) != "migrating":
        raise StateError(f"The migration of the instance {_identity(move)} was given up.")


# What went wrong


def _tell(client: Cycle, move: Move, error: PaasError) -> Pair:
    """Adds to an error what state both instances are in, and returns them."""
    try:
        pair = _pair(client, move)
    except PaasError as unreadable:
        error.message += f" What became of the instances could not be read: {unreadable.message}"
        pair = Pair(move.source, None)
    else:
        error.message += f" {_situation(pair, move)}"
    error.results.update({name: value for name, value in result_of(client, pair, move.to).items() if name != "jobs"})
    return pair


def _situation(pair: Pair, move: Move) -> str:
    old = described(pair.source) if pair.source else f"{_identity(move)} is not there"
    new = described(pair.successor) if pair.successor else f"on server {move.to} is not there"
    return f"Now the old instance {old}; the new instance {new}."


def _advice(pair: Pair) -> str:
    source = pair.source
    if source is None:
        return "The old instance cannot be brought back; see to the new one."
    if is_retained(source):
        again = "" if state_of(pair.successor or {}) == "failed" else "; running the task again waits for the new one"
        return f"With state=reverted the old instance is brought back{again}."
    if state_of(source) == "migrating":
        return "The migration goes on. Running the task again waits for it, and does not start another one."
    return "See to the reason, and run the task again: it goes on from what is there."


def _wait_for_end(client: Cycle, move: Move, pair: Pair, deadline: Deadline) -> Pair:
    """Waits until a migration is over whose new instance has failed before that; returns what was seen last."""
    with contextlib.suppress(PaasError):
        while state_of(pair.source or {}) == "migrating" and deadline.pause():
            pair = _pair(client, move)
    return pair


def _revert_after(client: Cycle, params: Params, move: Move, pair: Pair, error: PaasError) -> None:
    """Takes a migration back that has failed, and adds to the error what came of it."""
    deadline = Deadline(params["wait_timeout"], params["wait_interval"])
    if not isinstance(error, WaitTimeoutError):
        pair = _wait_for_end(client, move, pair, deadline)
    source = pair.source
    if source is None or not is_retained(source):
        still = source is not None and state_of(source) == "migrating"
        why = "that takes a migration that is done" if still else "there is no old instance that is kept"
        error.message += f" It was not reverted: {why}. {_advice(pair)}"
        return
    waiting = {**params, "wait": True}
    try:
        result, _shown_after = revert(client, waiting, move.container, pair, deadline)
    except PaasError as again:
        begun = [*error.results["jobs"], *again.results.get("jobs", [])]
        error.results.update({**again.results, "jobs": begun})
        error.message += f" Reverting it failed as well: {again.message}"
        return
    error.results.update({**result, "jobs": [*error.results["jobs"], *result["jobs"]]})
    error.message += (
        f" The migration was reverted: the instance {source.get('id')} is {state_of(result['old_instance'])} on server"
        f" {source.get('server_id')} again."
    )
