# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What takes its time on Northflank: asked for once only, waited for, stopped.

The platform knows no idempotency key, and starting something twice makes two of it. A request that broke off may have
been carried out. So it is never sent again: what is new in the lists since then tells what became of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from .._argspec import WAIT, ArgumentSpec
from .._client import Item
from .._errors import (
    InvalidResponseError,
    NotFoundError,
    PaasError,
    StateError,
)
from .._plan import Done, Plan
from .._wait import Deadline, wait_until
from .states import (
    BACKUP_SUCCESS_STATES,
    RUN_SUCCESS_STATES,
    is_backup_finished,
)

if t.TYPE_CHECKING:
    from .api import Northflank

Params = t.Mapping[str, t.Any]

# Sparing, because the platform allows for 1000 requests an hour. Source: vendor documentation.
WAITING = WAIT.merge(
    ArgumentSpec(
        options={
            "wait_timeout": {"type": "int", "default": 1800},
            "wait_interval": {"type": "int", "default": 5},
        }
    )
)
# Seconds in which something that may have been begun becomes visible. Nothing is documented; Cycle's clients wait as
# long.
VISIBLE_WITHIN = 30.0
# The same for what the platform accepted, so that there is something to wait for.
ACCEPTED_SHOWS_WITHIN = 300.0


def deadline_of(params: Params) -> Deadline:
    """The deadline of a task, from its options."""
    return Deadline(params["wait_timeout"], params["wait_interval"])


def id_of(item: Item) -> str | None:
    """The id of something, as text; None where the platform told none."""
    found = item.get("id")
    return None if found in (None, "") else str(found)


def start(send: t.Callable[[], Item], trace: t.Callable[[], list[Item]], deadline: Deadline, *, what: str) -> Item:
    """Asks for something to be begun, once only, and returns the answer, or else what the lists show of it.

    send: sends the request, and returns what was begun with its id. trace: what is new since before the request, and
    may be it. what: names it in messages. Raises PaasError, also when nobody can tell what became of the request.
    """
    try:
        answer = send()
    except PaasError as error:
        if not error.may_have_succeeded:
            raise
        doubt = error
    else:
        if id_of(answer) is not None:
            return answer
        doubt = InvalidResponseError(f"The platform accepted {what}, and did not say which id it has.")
    return _traced(trace, deadline, what, doubt)


def _traced(trace: t.Callable[[], list[Item]], deadline: Deadline, what: str, doubt: PaasError) -> Item:
    began = deadline.waited()
    while True:
        try:
            found = trace()
        except PaasError as unreadable:
            raise _unknown(doubt, what, f"Looking for it failed as well: {unreadable.message}") from None
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(str(id_of(one)) for one in found)
            raise _unknown(doubt, what, f"{len(found)} new ones are there ({ids}), and nothing tells which one it is.")
        if deadline.waited() - began >= VISIBLE_WITHIN or not deadline.pause():
            raise _unknown(doubt, what, f"Within {deadline.waited() - began:.0f} seconds nothing new has shown.")


def _unknown(doubt: PaasError, what: str, why: str) -> PaasError:
    doubt.message += f" {why} So {what} was not asked for again: look at what is there before you run the task again."
    return doubt


def if_there(read: t.Callable[[], Item]) -> Item | None:
    """What was read; None after a 404."""
    try:
        return read()
    except NotFoundError:
        return None


@dataclasses.dataclass(frozen=True)
class Kind:
    """What the plans below have to know of a kind of thing that is begun and ends.

    subject: what the diff is about. now: one as it is now; None when it is not there. named: what messages call one.
    is_over: whether one has ended, well or not. require_good: raises JobError for one that ended badly, or is about to.
    result: one as the task returns it; None for none. late: what to say when one is not waited for any longer.
    """

    subject: str
    now: t.Callable[[Item], Item | None]
    named: t.Callable[[Item], str]
    require_good: t.Callable[[Item], None]
    result: t.Callable[[Item | None], dict[str, t.Any]]
    late: t.Callable[[Item], str]
    is_over: t.Callable[[Item], bool] = is_backup_finished


def shown(item: Item | None) -> Item:
    """What the diff shows of something."""
    return {} if item is None else {"id": id_of(item), "status": item.get("status")}


def plan_as_it_is(kind: Kind, item: Item | None) -> Plan:
    """Nothing to do."""
    return Plan(kind.result(item), kind.subject, shown(item), shown(item))


def plan_start(
    kind: Kind, params: Params, begin: t.Callable[[], Item], predicted: Item, deadline: Deadline, *, good: str
) -> Plan:
    """Something to begin, and to wait for unless told not to.

    begin: begins it, see start(). predicted: how it would be, with None for what only the platform can tell.
    good: the status of one that ended well.
    """

    def act() -> Done:
        item = begin()
        if params["wait"]:
            item = _end_of(kind, item, deadline)
        elif item.get("status") is None:
            # It was accepted, and its id is known: that it cannot be looked at is for the task that waits for it.
            with contextlib.suppress(PaasError):
                item = kind.now(item) or item
        kind.require_good(item)
        return Done(kind.result(item), after=shown(item))

    after = {"id": None, "status": good if params["wait"] else None}
    return Plan(kind.result(predicted), kind.subject, {}, after, act)


def plan_wait(client: Northflank, kind: Kind, params: Params, item: Item, deadline: Deadline) -> Plan:
    """No change, but perhaps something to wait for. Raises what require_good does."""
    kind.require_good(item)
    if kind.is_over(item) or not params["wait"] or client.check_mode:
        return plan_as_it_is(kind, item)

    def act() -> Done:
        found = _end_of(kind, item, deadline)
        kind.require_good(found)
        return Done(kind.result(found), after=shown(item), changed=False)

    return dataclasses.replace(plan_as_it_is(kind, item), act=act)


def plan_stop(
    client: Northflank, kind: Kind, params: Params, item: Item, send: t.Callable[[], t.Any], deadline: Deadline
) -> Plan:
    """Something to stop, unless it has ended; its end is waited for unless told not to. send: asks to stop it."""
    plan = plan_as_it_is(kind, item)
    asked_before = item.get("status") == "aborting"
    if kind.is_over(item) or (asked_before and (not params["wait"] or client.check_mode)):
        return plan

    def act() -> Done:
        accepted = False if asked_before else _stop(kind, item, send)
        found = kind.now(item) or item
        if params["wait"]:
            found = _end_of(kind, found, deadline, may_go=True)
        changed = accepted and found.get("status") not in BACKUP_SUCCESS_STATES + RUN_SUCCESS_STATES
        after = None if changed and not params["wait"] else shown(found if changed else item)
        return Done(kind.result(found), after=after, changed=changed)

    after = plan.before if asked_before else {**plan.before, "status": "aborted"}
    return dataclasses.replace(plan, after=after, act=act)


def _end_of(kind: Kind, item: Item, deadline: Deadline, *, may_go: bool = False) -> Item:
    """Waits for the end of something, and returns it as it is then, or was last.

    may_go: for what was aborted: it has ended, too, when it is not there any more, as nothing says that it stays.
    Raises PaasError with what is known of it in results; StateError when it is gone, or does not show for long.
    """
    began = deadline.waited()
    seen = False
    last = item

    def look() -> Item | None:
        nonlocal seen, last
        found = kind.now(item)
        if found is not None:
            seen, last = True, found
        elif may_go:
            return None
        elif seen or deadline.waited() - began >= ACCEPTED_SHOWS_WITHIN:
            missing = "is not there any more" if seen else "is not there, though the platform accepted it"
            raise StateError(
                f"{kind.named(item)} {missing}. Look on Northflank what became of it before you begin another."
            )
        return found

    if kind.is_over(item):
        return item
    try:
        wait_until(
            look,
            lambda found: may_go if found is None else kind.is_over(found),
            what=kind.named(item),
            state=lambda found: (found or {}).get("status"),
            deadline=deadline,
        )
    except PaasError as error:
        error.results.update(kind.result(last))
        if not isinstance(error, StateError):
            error.message += " Run the task again to go on waiting." if may_go else kind.late(last)
        raise
    return last


def _stop(kind: Kind, item: Item, send: t.Callable[[], t.Any]) -> bool:
    """Asks for something to be stopped. False when it was refused because there was nothing to stop any more.

    A request that may have been carried out is sent a second time where nothing shows of it: what is named by its id
    can only be stopped once. Raises PaasError.
    """
    in_doubt = False
    while True:
        try:
            send()
        except PaasError as error:
            # What is answered for something that has just ended, or is being stopped already, is not documented.
            if not error.may_have_succeeded and error.status not in (400, 404, 409, 422):
                raise
            now = kind.now(item)
            if now is None or kind.is_over(now) or now.get("status") == "aborting":
                return in_doubt or error.may_have_succeeded
            if in_doubt or not error.may_have_succeeded:
                raise
            in_doubt = True
        else:
            return True
