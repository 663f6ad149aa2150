# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying out a migration: starting it once, waiting for the successor, and what to do if it fails."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from .._errors import PaasError, StateError, WaitTimeoutError
from .._types import Item, Params
from .._wait import Deadline
from . import jobs
from .api import Cycle
from .instances import failure_of, is_leaving, state_of
from .migration_pair import (
    Pair,
    as_shown,
    described,
    find,
    heir_of,
    id_of_successor,
    is_retained,
    is_up,
    result_of,
)
from .revert import revert
from .states import should_run
from .tasks import InstanceTasks

START = "migration.start"


@dataclasses.dataclass(frozen=True)
class Move:
    """A migration: the instance it begins with, where it goes, and what was known of it before it was asked for."""

    container: Item
    # None if it is purged already.
    source: Item | None
    # The server.
    to: str
    # The id of a successor of an earlier migration that was taken back, which is not the one to wait for.
    old: str | None = None
    successor_id: str | None = None

    def __str__(self) -> str:
        return str(self.source["id"]) if self.source else f"that became {self.successor_id}"


def pair_of(client: Cycle, move: Move) -> Pair:
    if move.source is None:
        return Pair(None, find(client, move.container, str(move.successor_id)))
    identity = str(move.source["id"])
    source = find(client, move.container, identity)
    if source is None:
        return Pair(None, heir_of(client, move.container, identity))
    to = id_of_successor(source)
    if to == move.old and not is_leaving(source):
        return Pair(source, None)
    return Pair(source, find(client, move.container, to))


def migrate(client: Cycle, params: Params, move: Move, deadline: Deadline) -> tuple[Item, Item]:
    """Start a migration, and finish it unless told not to wait. Return the result and what the diff shows."""
    source = t.cast("Item", move.source)
    was = source.get("migration")

    def is_accepted() -> bool:
        now = find(client, move.container, str(source["id"]))
        if now is None or is_leaving(now) or state_of(now) == "migrating":
            return True
        return id_of_successor(now) is not None and now["migration"] != was

    task = {
        "action": START,
        "contents": {"destination_server_id": move.to, "stateful": {"copy_volumes": params["copy_volumes"]}},
    }
    try:
        descriptor = InstanceTasks(client, move.container, str(source["id"]), deadline).ask(task, is_accepted)
    except PaasError as error:
        if error.may_have_succeeded:
            _add_situation(client, move, error)
        raise
    if params["wait"]:
        return finish(client, params, move, [descriptor], deadline)
    return _outcome(client, move, pair_of(client, move), [jobs.announced(descriptor)])


def finish(client: Cycle, params: Params, move: Move, descriptors: list[Item], deadline: Deadline) -> tuple[Item, Item]:
    """Wait for the end of a migration. Return the result and what the diff shows.

    Raises:
        PaasError: With the state of both instances, after a revert if that is asked for.
    """
    # A successor stays stopped if its source was, or if all instances are.
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

    try:
        pair, done = jobs.finish(
            client,
            descriptors,
            lambda: pair_of(client, move),
            is_done,
            what=f"The migration of the instance {move}",
            state=Pair.states,
            deadline=deadline,
            settled=lambda: _is_over(pair_of(client, move)),
        )
    except PaasError as error:
        pair = _add_situation(client, move, error)
        if params["revert_on_failure"]:
            _revert_after(client, params, move, pair, error, deadline.renewed())
        else:
            error.message += f" {_advice(pair)}"
        raise
    return _outcome(client, move, pair, done)


def _outcome(client: Cycle, move: Move, pair: Pair, done: list[Item]) -> tuple[Item, Item]:
    after = as_shown(pair.successor) if pair.successor else {"instance_id": None, "server_id": move.to}
    return result_of(client, pair, move.to, done), after


def _is_over(pair: Pair) -> bool:
    """Whether the source has been left behind."""
    left = pair.source is None or (state_of(pair.source) != "migrating" and is_leaving(pair.source))
    return left and pair.successor is not None


def _check_course(move: Move, pair: Pair, has_begun: bool) -> None:
    successor, source = pair.successor, pair.source
    if successor is not None and state_of(successor) == "failed":
        raise StateError(f"The new instance {successor.get('id')} failed: {failure_of(successor).rstrip('.')}.")
    if successor is not None and is_leaving(successor):
        raise StateError(f"The new instance {successor.get('id')} is about to be gone.")
    if has_begun and successor is None and source is not None and state_of(source) != "migrating":
        raise StateError(f"The migration of the instance {move} was given up.")


def _add_situation(client: Cycle, move: Move, error: PaasError) -> Pair:
    """Add to an error what state both instances are in, and return them."""
    try:
        pair = pair_of(client, move)
    except PaasError as unreadable:
        error.message += f" What became of the instances could not be read: {unreadable.message}"
        pair = Pair(move.source, None)
    else:
        old = described(pair.source) if pair.source else f"{move} is not there"
        new = described(pair.successor) if pair.successor else f"on server {move.to} is not there"
        error.message += f" Now the old instance {old}; the new instance {new}."
    error.results.update({name: value for name, value in result_of(client, pair, move.to).items() if name != "jobs"})
    return pair


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


def _revert_after(client: Cycle, params: Params, move: Move, pair: Pair, error: PaasError, deadline: Deadline) -> None:
    """Take a migration back that has failed, and add to the error what came of it."""
    if not isinstance(error, WaitTimeoutError):
        pair = _wait_for_end(client, move, pair, deadline)
    source = pair.source
    if source is None or not is_retained(source):
        still = source is not None and state_of(source) == "migrating"
        why = "that takes a migration that is done" if still else "there is no old instance that is kept"
        error.message += f" It was not reverted: {why}. {_advice(pair)}"
        return
    begun = error.results["jobs"]
    try:
        result, _shown_after = revert(client, {**params, "wait": True}, move.container, pair, deadline)
    except PaasError as again:
        error.results.update({**again.results, "jobs": [*begun, *again.results.get("jobs", [])]})
        error.message += f" Reverting it failed as well: {again.message}"
        return
    error.results.update({**result, "jobs": [*begun, *result["jobs"]]})
    error.message += (
        f" The migration was reverted: the instance {source.get('id')} is {state_of(result['old_instance'])} on server"
        f" {source.get('server_id')} again."
    )


def _wait_for_end(client: Cycle, move: Move, pair: Pair, deadline: Deadline) -> Pair:
    """Wait until a migration is over whose new instance has failed before that; return what was seen last."""
    with contextlib.suppress(PaasError):
        while state_of(pair.source or {}) == "migrating" and deadline.pause():
            pair = pair_of(client, move)
    return pair
