# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a migration back, as long as the old instance is kept."""

from __future__ import annotations

import contextlib
import typing as t

from .._errors import PaasError, StateError
from .._plan import Done, Plan
from .._types import Item, Params, value_at
from .._wait import Deadline, wait_until
from . import jobs
from .api import Cycle
from .instances import failure_of, is_gone, is_leaving, state_of
from .migration_pair import (
    Pair,
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
from .states import INSTANCE_STARTING_STATES, INSTANCE_UP_STATES, should_run
from .tasks import InstanceTasks

REVERT = "migration.revert"


def plan_revert(client: Cycle, params: Params, container: Item, deadline: Deadline) -> Plan:
    """Plan what the module does with state=reverted. Raises StateError if the source was purged, WaitTimeoutError."""
    pair = _migration_of(client, container, params["instance_id"])
    if _is_revertible(pair.source) or (pair.source is not None and state_of(pair.source) == "migrating"):
        # A revert or a migration that an earlier task has asked for decides.
        InstanceTasks(client, container, str((pair.source or {})["id"]), deadline).settle(REVERT)
        pair = wait_until(
            lambda: _migration_of(client, container, params["instance_id"]),
            lambda now: now.source is None or state_of(now.source) != "migrating",
            what=f"An earlier migration of the instance {params['instance_id']}",
            state=lambda now: state_of(now.source or {}),
            deadline=deadline,
        )
    needed = _is_revertible(pair.source)
    coming = not needed and params["wait"] and not client.check_mode and _is_coming_back(container, pair)

    def act() -> Done:
        if needed:
            return Done(*revert(client, params, container, pair, deadline))
        now, _jobs = _finish(client, container, pair, [], deadline, wait=True)
        return Done(_back(client, pair, now), changed=False)

    return Plan(
        result=_back(client, pair, Pair(pair.source, None) if needed else pair, reverted=needed),
        subject=subject(params),
        before=as_shown(pair.successor) if needed and pair.successor else as_shown(pair.source),
        after=as_shown(pair.source),
        act=act if needed or coming else None,
    )


def _migration_of(client: Cycle, container: Item, instance_id: str) -> Pair:
    """Return the migration that an instance is the source or the successor of, with it as source if there is none.

    Raises:
        StateError: The source was purged.
    """
    found = find(client, container, instance_id)
    if found is None or state_of(found) == "deleted":
        heir = heir_of(client, container, instance_id)
        if heir is not None:
            raise _purged(instance_id, heir)
        return Pair(None, None)
    if is_retained(found) or state_of(found) == "migrating":
        return Pair(found, find(client, container, id_of_successor(found)))
    if is_gone(found) and id_of_successor(found):
        raise _purged(instance_id, find(client, container, id_of_successor(found)))
    source_id = id_of_source(found)
    if source_id is None:
        return Pair(found, None)
    source = find(client, container, source_id)
    if source is None or is_gone(source):
        raise _purged(source_id, found)
    if is_retained(source) and id_of_successor(source) not in (None, instance_id):
        raise _purged(source_id, found)
    return Pair(source, found)


def _purged(source_id: str, successor: Item | None) -> StateError:
    now = f" Its successor {described(successor)}." if successor else ""
    instead = f" Migrate {successor.get('id')} instead." if successor else ""
    return StateError(
        f"The migration of the instance {source_id} can no longer be reverted: that instance is gone, or is being"
        f" purged.{now}{instead}"
    )


def _is_revertible(source: Item | None) -> bool:
    """Whether there is a migration to take back: its source is kept, and nobody brings it back already."""
    return is_retained(source) and state_of(source or {}) not in INSTANCE_UP_STATES


def _is_coming_back(container: Item, pair: Pair) -> bool:
    """Whether a revert is in progress."""
    if pair.source is None or not should_run(container):
        return False
    return state_of(pair.source) in INSTANCE_STARTING_STATES or (pair.successor is not None and is_gone(pair.successor))


def revert(client: Cycle, params: Params, container: Item, pair: Pair, deadline: Deadline) -> tuple[Item, Item]:
    """Take a migration back, and wait unless told not to. Return the result and what the diff shows."""
    identity = str(t.cast("Item", pair.source)["id"])

    def is_accepted() -> bool:
        now = find(client, container, identity)
        return now is not None and not _is_revertible(now)

    descriptor = InstanceTasks(client, container, identity, deadline).ask({"action": REVERT}, is_accepted)
    try:
        now, done = _finish(client, container, pair, [descriptor], deadline, wait=params["wait"])
    except PaasError as error:
        with contextlib.suppress(PaasError):
            now = _reread(client, container, pair)
            error.results.update(_back(client, pair, now, error.results["jobs"]))
            error.message += f" {_reverting(now)}"
        raise
    return _back(client, pair, now, done, reverted=True), as_shown(now.source or pair.source)


def _finish(
    client: Cycle, container: Item, pair: Pair, descriptors: list[Item], deadline: Deadline, *, wait: bool
) -> tuple[Pair, list[Item]]:
    """Wait until a migration is taken back. Raises StateError if it never will be."""
    identity = (pair.source or {}).get("id")

    def is_done(now: Pair) -> bool:
        if now.source is None or is_gone(now.source):
            raise StateError(f"The instance {identity} is gone: the migration could not be reverted.")
        if state_of(now.source) == "failed":
            said = failure_of(now.source).rstrip(".")
            raise StateError(f"The instance {identity} failed when it was brought back: {said}.")
        return _is_back(container, now)

    return jobs.finish(
        client,
        descriptors,
        lambda: _reread(client, container, pair),
        is_done,
        what=f"The revert of the migration of the instance {identity}",
        state=Pair.states,
        deadline=deadline,
        wait=wait,
        settled=lambda: _is_back(container, _reread(client, container, pair)),
    )


def _reread(client: Cycle, container: Item, pair: Pair) -> Pair:
    source, successor = pair.source or {}, pair.successor
    now = find(client, container, str(source["id"]))
    return Pair(now, None if successor is None else find(client, container, str(successor["id"])))


def _is_back(container: Item, pair: Pair) -> bool:
    """Whether the source runs again and the successor is gone, or kept only until it is purged."""
    source, successor = pair.source, pair.successor
    if source is None or is_leaving(source):
        return False
    if successor is not None:
        state = state_of(successor)
        if not is_leaving(successor) or state in INSTANCE_UP_STATES or state == "deleting":
            return False
    return state_of(source) == ("running" if should_run(container) else "stopped")


def _reverting(pair: Pair) -> str:
    old = described(pair.source) if pair.source else "is gone"
    new = described(pair.successor) if pair.successor else "is gone"
    more = " Run the task again to go on." if pair.source else ""
    return f"Now the old instance {old}; the new instance {new}.{more}"


def _back(client: Cycle, pair: Pair, now: Pair, done: t.Sequence[Item] = (), *, reverted: bool = False) -> Item:
    """Return the result of a revert.

    Args:
        pair: The migration before.
        now: Its instances afterwards.
    """
    to = value_at(pair.source, "migration.to.server_id") or value_at(pair.successor, "server_id")
    shown = {"old_instance": client.plain(now.source), "new_instance": client.plain(now.successor)}
    return {**result_of(client, pair, to, done, reverted=reverted), **shown}
