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

from ansible_collections.quayside.paas.plugins.module_utils._argspec import WAIT, ArgumentSpec
from ansible_collections.quayside.paas.plugins.module_utils._client import Item
from ansible_collections.quayside.paas.plugins.module_utils._cycle import jobs
from ansible_collections.quayside.paas.plugins.module_utils._cycle.api import Cycle
from ansible_collections.quayside.paas.plugins.module_utils._cycle.instances import (
    container_of,
    instance_of,
    instance_path,
    instances_of,
    is_gone,
    is_leaving,
    server_name,
    state_of,
    usable_servers,
    with_ids,
)
from ansible_collections.quayside.paas.plugins.module_utils._cycle.resources import CONTAINERS_VIEW
from ansible_collections.quayside.paas.plugins.module_utils._cycle.tasks import add_jobs, ask, settle
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    NotFoundError,
    OptionError,
    PaasError,
    StateError,
)
from ansible_collections.quayside.paas.plugins.module_utils._plan import Done, Plan
from ansible_collections.quayside.paas.plugins.module_utils._resource import value_at
from ansible_collections.quayside.paas.plugins.module_utils._wait import Deadline, wait_until

Params = t.Mapping[str, t.Any]
_START = "migration.start"
_REVERT = "migration.revert"

ARGUMENTS = WAIT.merge(
    ArgumentSpec(
        options={
            "container_id": {"type": "str", "required": True},
            "instance_id": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "reverted"], "default": "present"},
            "destination_server_id": {"type": "str"},
            "any_usable": {"type": "bool", "default": False},
            "copy_volumes": {"type": "bool", "default": False},
            "revert_on_failure": {"type": "bool", "default": False},
        },
    )
)


@dataclasses.dataclass(frozen=True)
class Pair:
    """Both instances of a migration as they were last read; None for one that is not there or not known yet."""

    source: Item | None
    successor: Item | None


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
        if params["destination_server_id"] or params["any_usable"]:
            raise OptionError("With state=reverted the instance goes back to where it was: name no destination.")
        return _plan_revert(client, params, container_of(client, params["container_id"]), deadline)
    if bool(params["destination_server_id"]) == bool(params["any_usable"]):
        raise OptionError("Say where to migrate to: destination_server_id, or any_usable=true, and not both.")
    return _plan_migration(client, params, container_of(client, params["container_id"]), deadline)


# What is there


def _find(client: Cycle, container: Item, instance_id: str) -> Item | None:
    try:
        found = client.get(instance_path(str(container["id"]), instance_id), permission=CONTAINERS_VIEW)
    except NotFoundError:
        return None
    return with_ids({**found, "id": instance_id})


def _heir(client: Cycle, container: Item, instance_id: str) -> Item | None:
    """The successor of an instance that was purged."""
    for one in instances_of(client, str(container["id"])):
        if value_at(one, "migration.from.instance_id") == instance_id and not is_gone(one):
            return one
    return None


def _to(instance: Item | None) -> str | None:
    """The id of the successor of an instance, whether that is still there or not."""
    found = value_at(instance, "migration.to.instance_id")
    return str(found) if found else None


def _from(instance: Item | None) -> str | None:
    found = value_at(instance, "migration.from.instance_id")
    return str(found) if found else None


def _successor(client: Cycle, container: Item, instance: Item) -> Item | None:
    """The successor of an instance that has migrated; None while it migrates, and when the migration was taken back."""
    if _to(instance) is None or state_of(instance) == "migrating":
        return None
    if state_of(instance) == "running" and not is_leaving(instance):
        return None
    found = _find(client, container, str(_to(instance)))
    return None if found is None or is_gone(found) else found


def trace(client: Cycle, container: Item, instance_id: str) -> list[Item]:
    """An instance and those that followed it by migrations, the present one last; the first ones may be purged.

    Raises NotFoundError when neither the instance nor a successor is there.
    """
    one = _find(client, container, instance_id)
    if one is None or state_of(one) == "deleted":
        one = _heir(client, container, instance_id) or instance_of(client, str(container["id"]), instance_id)
    found: list[Item] = []
    while one is not None and one.get("id") not in {each.get("id") for each in found}:
        found.append(one)
        one = _successor(client, container, one)
    return found


def _runs(container: Item) -> bool:
    """Whether instances of the container are meant to run: those of one that is stopped stay stopped."""
    return value_at(container, "state.desired", "running") in ("running", "function")


def is_up(container: Item, instance: Item, *, may_rest: bool = False) -> bool:
    """Whether an instance runs and is healthy. may_rest: whether being stopped will do as well.

    Without a health check the platform may say nothing of the health; with one that means "not reported yet".
    """
    if state_of(instance) != "running":
        return may_rest and state_of(instance) == "stopped"
    healthy = value_at(instance, "state.health.healthy")
    if value_at(container, "config.deploy.health_check") is None:
        return healthy is not False
    return healthy is True


# To another server


def _plan_migration(client: Cycle, params: Params, container: Item, deadline: Deadline) -> Plan:
    found = trace(client, container, params["instance_id"])
    if _is_undecided(found, params):
        # What an earlier task has set going decides: its job may end any moment, so what is there is read after it.
        settle(client, container, str(found[-1]["id"]), _START, deadline)
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
    move = Move(container, current, server, old=_to(current))

    def act() -> Done:
        return Done(*_migrate(client, params, move, deadline))

    before = Pair(current, None)
    return Plan(
        result=_result(client, before, move.to),
        subject=_subject(params),
        before=_shown(current),
        after={"instance_id": None, "server_id": server},
        act=act,
    )


def _subject(params: Params) -> str:
    return f"server of instance {params['instance_id']}"


def _shown(instance: Item | None) -> Item:
    return {name: None if instance is None else instance.get(key) for name, key in _SHOWN.items()}


_SHOWN = {"instance_id": "id", "server_id": "server_id"}


def _server_to(instance: Item) -> str:
    return str(value_at(instance, "migration.to.server_id", ""))


def _is_on_its_way(instance: Item, params: Params) -> bool:
    """Whether an instance migrates to where it shall be."""
    if state_of(instance) != "migrating" or not _server_to(instance):
        return False
    return bool(params["any_usable"] or _server_to(instance) == params["destination_server_id"])


def _is_there(found: list[Item], params: Params) -> bool:
    """Whether the present instance is where it shall be. Any server will do when the named one has left its own."""
    if params["any_usable"]:
        return bool(found[-1].get("id") != params["instance_id"])
    current = found[-1]
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
        gone = f", and its successor {_to(instance)} is gone" if _to(instance) else ""
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
    cluster = value_at(container, "environment.cluster")

    def fits(server: Item) -> bool:
        other = cluster and server.get("cluster") and server["cluster"] != cluster
        live = value_at(server, "state.current", "live") == "live"
        return bool(live and not other and not server.get("evacuate") and server.get("id") != instance.get("server_id"))

    def order(server: Item) -> tuple[float, str]:
        counts = value_at(server, "meta.instances_count", {})
        known = [counts.get(name) for name in ("available", "total")] if isinstance(counts, dict) else []
        numbers = [one for one in known if isinstance(one, int)]
        return (numbers[0] if numbers else float("inf"), str(server.get("id")))

    return sorted(filter(fits, usable), key=order)


def _plan_arrived(client: Cycle, params: Params, container: Item, found: list[Item], deadline: Deadline) -> Plan:
    """No change. When the instance got there by a migration, its end is waited for all the same."""
    current = found[-1]
    source = found[-2] if len(found) > 1 else None
    came = source is not None or current.get("id") != params["instance_id"]
    move = Move(container, source, str(current.get("server_id")), successor_id=str(current.get("id")))
    if came and not is_up(container, current, may_rest=not _runs(container)):
        return _plan_wait(client, params, move, deadline)
    if source is None and _from(current):
        source = _find(client, container, str(_from(current)))
    return Plan(
        result=_result(client, Pair(source, current), move.to),
        subject=_subject(params),
        before=_shown(current),
        after=_shown(current),
    )


def _plan_wait(client: Cycle, params: Params, move: Move, deadline: Deadline) -> Plan:
    """No change, but a migration to wait for."""
    pair = _pair(client, move)
    shown = _shown(pair.successor or move.source)

    def act() -> Done:
        return Done(*_finish(client, params, move, [], deadline), changed=False)

    return Plan(
        result=_result(client, pair, move.to),
        subject=_subject(params),
        before=shown,
        after=shown,
        act=act if params["wait"] and not client.check_mode else None,
    )


def _migrate(client: Cycle, params: Params, move: Move, deadline: Deadline) -> tuple[Item, Item]:
    """Starts a migration, and finishes it unless told not to wait. Returns the result and what the diff shows."""
    source = t.cast("Item", move.source)
    was = source.get("migration")

    def has_begun() -> bool:
        now = _find(client, move.container, str(source["id"]))
        if now is None or is_leaving(now) or state_of(now) == "migrating":
            return True
        return _to(now) is not None and now["migration"] != was

    task = {
        "action": _START,
        "contents": {"destination_server_id": move.to, "stateful": {"copy_volumes": params["copy_volumes"]}},
    }
    try:
        descriptor = ask(client, move.container, str(source["id"]), task, deadline, is_accepted=has_begun)
    except PaasError as error:
        if error.may_be_done:
            _tell(client, move, error)
        raise
    if not params["wait"]:
        pair = _pair(client, move)
        return _result(client, pair, move.to, [jobs.announced(descriptor)]), _after(move, pair)
    return _finish(client, params, move, [descriptor], deadline)


def _after(move: Move, pair: Pair) -> Item:
    return _shown(pair.successor) if pair.successor else {"instance_id": None, "server_id": move.to}


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
    return _result(client, pair, move.to, done), _after(move, pair)


def _pair(client: Cycle, move: Move) -> Pair:
    """Both instances of a migration, as they are now."""
    if move.source is None:
        return Pair(None, _find(client, move.container, str(move.successor_id)))
    identity = str(move.source["id"])
    source = _find(client, move.container, identity)
    if source is None:
        return Pair(None, _heir(client, move.container, identity))
    to = _to(source)
    if to is None or (to == move.old and not is_leaving(source)):
        return Pair(source, None)
    return Pair(source, _find(client, move.container, to))


def _is_over(pair: Pair) -> bool:
    """Whether the source has been left behind."""
    left = pair.source is None or (state_of(pair.source) != "migrating" and is_leaving(pair.source))
    return left and pair.successor is not None


def _wait_for_successor(client: Cycle, move: Move, deadline: Deadline) -> Pair:
    """Waits until the successor is up. Raises StateError when it never will be."""
    # A successor stays stopped where its source was, or where all instances are.
    was_stopped = move.source is not None and state_of(move.source) == "stopped" and not is_leaving(move.source)
    may_rest = was_stopped or not _runs(move.container)
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
    error.results.update({name: value for name, value in _result(client, pair, move.to).items() if name != "jobs"})
    return pair


def _situation(pair: Pair, move: Move) -> str:
    old = _described(pair.source) if pair.source else f"{_identity(move)} is not there"
    new = _described(pair.successor) if pair.successor else f"on server {move.to} is not there"
    return f"Now the old instance {old}; the new instance {new}."


def _described(instance: Item) -> str:
    text = f"{instance.get('id')} on server {instance.get('server_id')} is {state_of(instance)}"
    error = value_at(instance, "state.error.message")
    if error:
        text += f" ({str(error).rstrip('.')})"
    healthy = value_at(instance, "state.health.healthy")
    if state_of(instance) == "running":
        text += {True: " and healthy", False: " and unhealthy"}.get(healthy, ", its health not reported")
    if instance.get("ready_state") == "purge":
        text += f", kept until it is purged ({instance.get('purge_time') or 'time not known'})"
    return text


def _is_retained(instance: Item | None) -> bool:
    """Whether a source can still be reverted to."""
    return instance is not None and instance.get("ready_state") == "purge" and not is_gone(instance)


def _advice(pair: Pair) -> str:
    source = pair.source
    if source is None:
        return "The old instance cannot be brought back; see to the new one."
    if _is_retained(source):
        again = "" if state_of(pair.successor or {}) == "failed" else "; running the task again waits for the new one"
        return f"With state=reverted the old instance is brought back{again}."
    if state_of(source) == "migrating":
        return "The migration goes on. Running the task again waits for it, and does not start another one."
    return "See to the reason, and run the task again: it goes on from what is there."


def _revert_after(client: Cycle, params: Params, move: Move, pair: Pair, error: PaasError) -> None:
    """Takes a migration back that has failed, and adds to the error what came of it."""
    source = pair.source
    if source is None or not _is_retained(source):
        still = source is not None and state_of(source) == "migrating"
        why = "that takes a migration that is done" if still else "there is no old instance that is kept"
        error.message += f" It was not reverted: {why}. {_advice(pair)}"
        return
    deadline = Deadline(params["wait_timeout"], params["wait_interval"])
    waiting = {**params, "wait": True}
    try:
        result, _shown_after = _revert(client, waiting, move.container, pair, deadline)
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


# Back again


def _plan_revert(client: Cycle, params: Params, container: Item, deadline: Deadline) -> Plan:
    pair = _migration_of(client, container, params["instance_id"])
    if _is_revertible(pair) or (pair.source is not None and state_of(pair.source) == "migrating"):
        # A revert or a migration that an earlier task has asked for decides.
        settle(client, container, str((pair.source or {})["id"]), _REVERT, deadline)
        pair = wait_until(
            lambda: _migration_of(client, container, params["instance_id"]),
            lambda now: now.source is None or state_of(now.source) != "migrating",
            what=f"An earlier migration of the instance {params['instance_id']}",
            state=lambda now: state_of(now.source or {}),
            deadline=deadline,
        )
    needed = _is_revertible(pair)
    coming = not needed and params["wait"] and not client.check_mode and _is_coming_back(container, pair)

    def act() -> Done:
        if needed:
            return Done(*_revert(client, params, container, pair, deadline))
        return Done(_back(client, pair, _wait_for_source(client, container, pair, deadline)), changed=False)

    return Plan(
        result=_back(client, pair, Pair(pair.source, None) if needed else pair, reverted=needed),
        subject=_subject(params),
        before=_shown(pair.successor) if needed and pair.successor else _shown(pair.source),
        after=_shown(pair.source),
        act=act if needed or coming else None,
    )


def _migration_of(client: Cycle, container: Item, instance_id: str) -> Pair:
    """The migration that an instance is the source or the successor of. Without a migration it is the source of none.

    Raises StateError when the source was purged.
    """
    found = _find(client, container, instance_id)
    if found is None or state_of(found) == "deleted":
        heir = _heir(client, container, instance_id)
        if heir is not None:
            raise _purged(instance_id, heir)
        return Pair(None, None)
    if _is_retained(found) or state_of(found) == "migrating":
        successor = _find(client, container, str(_to(found))) if _to(found) else None
        return Pair(found, successor)
    if is_gone(found) and _to(found):
        raise _purged(instance_id, _find(client, container, str(_to(found))))
    if _from(found) is None:
        return Pair(found, None)
    source = _find(client, container, str(_from(found)))
    if source is None or is_gone(source):
        raise _purged(str(_from(found)), found)
    if _is_retained(source) and _to(source) not in (None, instance_id):
        raise _purged(str(_from(found)), found)
    return Pair(source, found)


def _purged(source_id: str, successor: Item | None) -> StateError:
    now = f" Its successor {_described(successor)}." if successor else ""
    instead = f" Migrate {successor.get('id')} instead." if successor else ""
    return StateError(
        f"The migration of the instance {source_id} can no longer be reverted: that instance is gone, or is being"
        f" purged.{now}{instead}"
    )


def _is_revertible(pair: Pair) -> bool:
    """Whether there is a migration to take back: its source is kept, and nobody brings it back already."""
    return _is_retained(pair.source) and state_of(pair.source or {}) not in ("starting", "running")


def _is_coming_back(container: Item, pair: Pair) -> bool:
    """Whether a revert is under way."""
    if pair.source is None or not _runs(container):
        return False
    return state_of(pair.source) in ("new", "starting") or (pair.successor is not None and is_gone(pair.successor))


def _revert(client: Cycle, params: Params, container: Item, pair: Pair, deadline: Deadline) -> tuple[Item, Item]:
    """Takes a migration back, and waits unless told not to. Returns the result and what the diff shows."""
    source = t.cast("Item", pair.source)
    identity = str(source["id"])

    def has_begun() -> bool:
        now = _find(client, container, identity)
        return now is not None and not _is_revertible(Pair(now, None))

    task = {"action": _REVERT}
    descriptor = ask(client, container, identity, task, deadline, is_accepted=has_begun)
    done = [jobs.announced(descriptor)]
    try:
        if params["wait"]:
            done = [
                jobs.follow(
                    client, descriptor, deadline, settled=lambda: _is_back(container, _reread(client, container, pair))
                )
            ]
            now = _wait_for_source(client, container, pair, deadline)
        else:
            now = _reread(client, container, pair)
    except PaasError as error:
        add_jobs(error, done)
        with contextlib.suppress(PaasError):
            now = _reread(client, container, pair)
            error.results.update(_back(client, pair, now, error.results["jobs"]))
            error.message += f" {_reverting(now)}"
        raise
    return _back(client, pair, now, done, reverted=True), _shown(now.source or pair.source)


def _reverting(pair: Pair) -> str:
    old = _described(pair.source) if pair.source else "is gone"
    new = _described(pair.successor) if pair.successor else "is gone"
    more = " Run the task again to go on." if pair.source else ""
    return f"Now the old instance {old}; the new instance {new}.{more}"


def _reread(client: Cycle, container: Item, pair: Pair) -> Pair:
    source, successor = pair.source or {}, pair.successor
    now = _find(client, container, str(source["id"]))
    return Pair(now, None if successor is None else _find(client, container, str(successor["id"])))


def _is_back(container: Item, pair: Pair) -> bool:
    """Whether the source runs again and the successor is gone, or kept only until it is purged."""
    source, successor = pair.source, pair.successor
    if source is None or is_leaving(source):
        return False
    if successor is not None and (not is_leaving(successor) or state_of(successor) in ("deleting", "running")):
        return False
    return state_of(source) == ("running" if _runs(container) else "stopped")


def _wait_for_source(client: Cycle, container: Item, pair: Pair, deadline: Deadline) -> Pair:
    """Waits until a migration is taken back. Raises StateError when it never will be."""
    identity = (pair.source or {}).get("id")

    def is_done(now: Pair) -> bool:
        if now.source is None or is_gone(now.source):
            raise StateError(f"The instance {identity} is gone: the migration could not be reverted.")
        if state_of(now.source) == "failed":
            said = value_at(now.source, "state.error.message") or "the platform gave no reason"
            raise StateError(f"The instance {identity} failed when it was brought back: {str(said).rstrip('.')}.")
        return _is_back(container, now)

    return wait_until(
        lambda: _reread(client, container, pair),
        is_done,
        what=f"The revert of the migration of the instance {identity}",
        state=lambda now: {str(one.get("id")): state_of(one) for one in (now.source, now.successor) if one},
        deadline=deadline,
    )


# Results


def _result(client: Cycle, pair: Pair, to: str | None, done: t.Sequence[Item] = (), *, reverted: bool = False) -> Item:
    source, successor = pair.source, pair.successor
    return {
        "old_instance_id": source.get("id") if source else _from(successor),
        "new_instance_id": successor.get("id") if successor else None,
        "old_instance": client.plain(source),
        "new_instance": client.plain(successor),
        "source_server_id": source.get("server_id") if source else value_at(successor, "migration.from.server_id"),
        "destination_server_id": to,
        "reverted": reverted,
        "jobs": list(done),
    }


def _back(client: Cycle, pair: Pair, now: Pair, done: t.Sequence[Item] = (), *, reverted: bool = False) -> Item:
    """The result of a revert. pair: the migration before. now: its instances afterwards."""
    to = value_at(pair.source, "migration.to.server_id") or value_at(pair.successor, "server_id")
    shown = {"old_instance": client.plain(now.source), "new_instance": client.plain(now.successor)}
    return {**_result(client, pair, to, done, reverted=reverted), **shown}
