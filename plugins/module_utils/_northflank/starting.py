# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting something once, waiting for it and stopping it: what backups, restores and runs of templates share.

The platform knows no idempotency key, and starting something twice makes two of it. A request that broke off may have
succeeded. So it is never resent: what is new in the lists since then shows what became of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from .._argspec import WAIT, ArgumentSpec
from .._client import not_found
from .._errors import InvalidResponseError, JobError, NotFoundError, PaasError, StateError
from .._plan import Done, Plan
from .._resource import name_missing_parent, path_of
from .._types import Item, Params
from .._wait import Deadline, wait_until
from .api import Northflank
from .resource import NorthflankResource
from .states import is_backup_finished

# Sparing, because the platform allows 1000 requests an hour. Source: vendor documentation.
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


def id_of(item: Item) -> str | None:
    """Return the id of something as text; None if the platform gave none."""
    found = item.get("id")
    return None if found in (None, "") else str(found)


class Operation:
    """What a task starts, waits for or stops. Each kind says what it is called and how it ends."""

    resource: t.ClassVar[NorthflankResource]
    # The status of one that ended well.
    good = "completed"

    def __init__(self, client: Northflank, params: Params) -> None:
        self.client = client
        self.params = params
        self.deadline = Deadline(params["wait_timeout"], params["wait_interval"])
        self.ids = {one.id_option: str(params[one.id_option]) for one in self.resource.ancestors()}

    # What each kind defines

    def subject(self) -> str:
        """Return what the diff is about."""
        raise NotImplementedError

    def named(self, item: Item) -> str:
        """Return what messages call one."""
        raise NotImplementedError

    def failure(self, item: Item) -> str | None:
        """Return the message about one that ended badly, or is about to; None for others."""
        raise NotImplementedError

    def result(self, item: Item | None) -> Item:
        """Return what the task returns about one, or about none."""
        raise NotImplementedError

    def is_over(self, item: Item) -> bool:
        """Whether one has ended, well or not."""
        return is_backup_finished(item)

    def late(self, item: Item) -> str:
        """Return what to say if one is not waited for any longer."""
        return f" It goes on: {self.resource.id_option}={id_of(item)} waits for it."

    # Reading

    def list_path(self) -> str:
        """Return the path of the list, which one is also started with."""
        return path_of(self.resource.lists[0], self.ids)

    def path(self, item: Item) -> str:
        return path_of(str(self.resource.one), {**self.ids, self.resource.id_option: id_of(item) or ""})

    def listed(self, limit: int | None = None) -> list[Item]:
        """Return all of the parent. Raises NotFoundError that names what is missing."""
        return self.resource.read_list(self.client, self.resource.lists[0], self.ids, {}, limit)

    def now(self, item: Item) -> Item | None:
        """Return one as it is now; None if it is not there."""
        with contextlib.suppress(NotFoundError):
            return self.client.get(self.path(item), permission=self.resource.permission)
        return None

    def with_id(self) -> Item:
        """Return the one that the options name. Raises NotFoundError that names what is missing, parents first."""
        option = self.resource.id_option
        identity = str(self.params[option])
        try:
            return self.client.get(self.path({"id": identity}), permission=self.resource.permission)
        except NotFoundError as error:
            name_missing_parent(self.client, self.resource, self.ids, error)
            raise not_found(self.resource.noun, option, identity, error) from None

    def plain(self, item: Item, **unknown: t.Any) -> Item:
        """Return one as users get it. unknown: values of fields that it does not have."""
        return {**self.resource.plain(self.client, {**unknown, **item}, {}), **self.ids}

    def require_good(self, item: Item) -> None:
        """Raise JobError for one that ended badly, or is about to."""
        message = self.failure(item)
        if message is not None:
            error = JobError(message)
            error.results.update(self.result(item))
            raise error

    # Plans

    def plan_as_it_is(self, item: Item | None) -> Plan:
        return Plan(self.result(item), self.subject(), _shown(item), _shown(item))

    def plan_start(self, begin: t.Callable[[], Item], predicted: Item) -> Plan:
        """Something to start, and to wait for unless told not to.

        Args:
            begin: Starts it, see start().
            predicted: How it would be, without what only the platform can tell.
        """
        wait = self.params["wait"]

        def act() -> Done:
            item = begin()
            if wait:
                item = self._end_of(item)
            elif item.get("status") is None:
                # It was accepted, and its id is known: the task that waits for it reports what cannot be read.
                with contextlib.suppress(PaasError):
                    item = self.now(item) or item
            self.require_good(item)
            return Done(self.result(item), after=_shown(item))

        after = {"id": None, "status": self.good if wait else None}
        return Plan(self.result(predicted), self.subject(), {}, after, act)

    def plan_wait(self, item: Item) -> Plan:
        """No change, but perhaps something to wait for. Raises what require_good() raises."""
        self.require_good(item)
        if self.is_over(item) or not self.params["wait"] or self.client.check_mode:
            return self.plan_as_it_is(item)

        def act() -> Done:
            found = self._end_of(item)
            self.require_good(found)
            return Done(self.result(found), after=_shown(item), changed=False)

        return dataclasses.replace(self.plan_as_it_is(item), act=act)

    def plan_stop(self, item: Item, send: t.Callable[[], t.Any]) -> Plan:
        """Something to stop, unless it has ended; its end is waited for unless told not to. send: asks to stop it."""
        plan = self.plan_as_it_is(item)
        wait = self.params["wait"]
        asked_before = item.get("status") == "aborting"
        if self.is_over(item) or (asked_before and (not wait or self.client.check_mode)):
            return plan

        def act() -> Done:
            accepted = False if asked_before else self._stop(item, send)
            found = self.now(item) or item
            if wait:
                found = self._end_of(found, may_go=True)
            changed = accepted and found.get("status") != self.good
            after = None if changed and not wait else _shown(found if changed else item)
            return Done(self.result(found), after=after, changed=changed)

        after = plan.before if asked_before else {**plan.before, "status": "aborted"}
        return dataclasses.replace(plan, after=after, act=act)

    # Acting

    def start(self, send: t.Callable[[], Item], trace: t.Callable[[], list[Item]], what: str) -> Item:
        """Ask for something to be started, once only, and return the response, or else what the lists show of it.

        Args:
            send: Sends the request, and returns what was started with its id.
            trace: Returns what is new since before the request, and may be it.
            what: Names it in messages.

        Raises:
            PaasError: It was not started, or nobody can tell.
        """
        try:
            found = send()
        except PaasError as error:
            if not error.may_have_succeeded:
                raise
            doubt = error
        else:
            if id_of(found) is not None:
                return found
            doubt = InvalidResponseError(f"The platform accepted {what}, and did not say which id it has.")
        return self._traced(trace, what, doubt)

    def _traced(self, trace: t.Callable[[], list[Item]], what: str, doubt: PaasError) -> Item:
        began = self.deadline.waited()
        while True:
            try:
                found = trace()
            except PaasError as unreadable:
                raise _unknown(doubt, what, f"Looking for it failed as well: {unreadable.message}") from None
            if len(found) == 1:
                return found[0]
            if found:
                ids = ", ".join(str(id_of(one)) for one in found)
                why = f"{len(found)} new ones are there ({ids}), and nothing tells which one it is."
                raise _unknown(doubt, what, why)
            if self.deadline.waited() - began >= VISIBLE_WITHIN or not self.deadline.pause():
                seconds = self.deadline.waited() - began
                raise _unknown(doubt, what, f"Within {seconds:.0f} seconds nothing new has shown.")

    def _end_of(self, item: Item, *, may_go: bool = False) -> Item:
        """Wait for the end of something, and return it as it is then, or was last.

        Args:
            may_go: Whether it has also ended if it is no longer there. Nothing says that what was aborted stays.

        Raises:
            PaasError: With what is known of it in results. StateError if it is gone, or does not show for long.
        """
        if self.is_over(item):
            return item
        began = self.deadline.waited()
        seen, last = False, item

        def look() -> Item | None:
            nonlocal seen, last
            found = self.now(item)
            if found is not None:
                seen, last = True, found
            elif not may_go and (seen or self.deadline.waited() - began >= ACCEPTED_SHOWS_WITHIN):
                missing = "is not there any more" if seen else "is not there, though the platform accepted it"
                raise StateError(
                    f"{self.named(item)} {missing}. Look on Northflank what became of it before you begin another."
                )
            return found

        try:
            wait_until(
                look,
                lambda found: may_go if found is None else self.is_over(found),
                what=self.named(item),
                state=lambda found: (found or {}).get("status"),
                deadline=self.deadline,
            )
        except PaasError as error:
            error.results.update(self.result(last))
            if not isinstance(error, StateError):
                error.message += " Run the task again to go on waiting." if may_go else self.late(last)
            raise
        return last

    def _stop(self, item: Item, send: t.Callable[[], t.Any]) -> bool:
        """Ask for something to be stopped. Return False if it was refused because there was nothing to stop any more.

        A request that may have succeeded is sent a second time if nothing shows of it: what is named by its id can only
        be stopped once.
        """
        in_doubt = False
        while True:
            try:
                send()
            except PaasError as error:
                # What is answered for something that has just ended, or is being stopped already, is not documented.
                if not error.may_have_succeeded and error.status not in (400, 404, 409, 422):
                    raise
                now = self.now(item)
                if now is None or self.is_over(now) or now.get("status") == "aborting":
                    return in_doubt or error.may_have_succeeded
                if in_doubt or not error.may_have_succeeded:
                    raise
                in_doubt = True
            else:
                return True


def _shown(item: Item | None) -> Item:
    return {} if item is None else {"id": id_of(item), "status": item.get("status")}


def _unknown(doubt: PaasError, what: str, why: str) -> PaasError:
    doubt.message += f" {why} So {what} was not asked for again: look at what is there before you run the task again."
    return doubt
