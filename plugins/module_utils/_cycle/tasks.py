# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks of an instance: what can be asked of it, asked once only.

A request that broke off may have succeeded. It is resent only if neither the instance, nor any job, nor the audit log
shows a trace of it for as long as an accepted job may take to become visible. What an earlier task has asked for, which
may have been killed right after that, is looked for in the same places before anything is asked.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

from .._errors import PaasError, StateError, WaitTimeoutError
from .._types import Item, value_at
from .._wait import Deadline
from . import jobs
from .api import Cycle
from .audit import newest_entries
from .instances import instance_path, is_leaving, state_of
from .resources import INSTANCES_MIGRATE, JOBS_VIEW


def require_staying(instance: Item) -> None:
    """Raise StateError for an instance that is on its way out, naming its successor if it has migrated."""
    if not is_leaving(instance):
        return
    successor = value_at(instance, "migration.to.instance_id")
    if successor:
        raise StateError(
            f"The instance {instance.get('id')} has migrated and is kept only until it is purged. Its successor is"
            f" {successor}: name that in instance_id."
        )
    raise StateError(f"The instance {instance.get('id')} is {state_of(instance)} and about to be gone.")


@dataclasses.dataclass(frozen=True)
class InstanceTasks:
    """The tasks of one instance: settle() first, then ask()."""

    client: Cycle
    container: Item
    instance_id: str
    deadline: Deadline

    def settle(self, action: str, shows: t.Callable[[Item], bool] = lambda entry: True) -> None:
        """Wait until what earlier tasks asked for is done: jobs of the container, and this action of the instance.

        What only the audit log shows is given up after a while, but never if jobs cannot be seen.

        Args:
            shows: Whether the instance shows what an entry of the audit log says was done.

        Raises:
            WaitTimeoutError: It was not done in time.
        """
        began = self.deadline.waited()
        while True:
            open_jobs = jobs.open_jobs(self.client, self.container)
            if not open_jobs:
                is_late = open_jobs is not None and self.deadline.waited() - began >= jobs.VISIBLE_WITHIN
                if is_late or not self._is_pending(action, shows):
                    return
            if not self.deadline.pause():
                ids = ", ".join(str(job.get("id")) for job in open_jobs or [])
                what = f"jobs of the container: {ids}" if ids else f"{action}, as the audit log tells"
                if open_jobs is None:
                    what += f". With the capability {JOBS_VIEW} the key could see whether it still runs"
                raise WaitTimeoutError(
                    f"What was asked for before is not done after {self.deadline.timeout:g} seconds (option"
                    f" wait_timeout): {what}. Nothing was changed. Run the task again later."
                )

    def ask(self, task: Item, is_accepted: t.Callable[[], bool], *, permission: str = INSTANCES_MIGRATE) -> Item:
        """Ask for a task and return the descriptor of its job, without a job if none is known.

        Args:
            is_accepted: Whether the instance shows that the task was accepted.

        Raises:
            PaasError: Its may_have_succeeded says whether the task may have been accepted all the same.
        """
        path = f"{instance_path(str(self.container['id']), self.instance_id)}/tasks"
        try:
            return self.client.post(path, task, permission=permission)
        except PaasError as error:
            if not error.may_have_succeeded:
                raise
            try:
                found = self._trace(str(task["action"]), is_accepted)
            except PaasError as unreadable:
                # What went wrong first counts; that the truth could not be read either is a detail.
                raise _unknown(error, task, unreadable) from None
        if found is not None:
            return found
        # Once more and no more: a platform that fails twice is left alone.
        try:
            return self.client.post(path, task, permission=permission)
        except PaasError as error:
            if error.may_have_succeeded:
                _unknown(error, task)
            raise

    def _trace(self, action: str, is_accepted: t.Callable[[], bool]) -> Item | None:
        """Return the descriptor of a task that may have been accepted; None if not. Raises StateError if unclear."""
        asked_at = self.deadline.waited()
        suspicious = logged = False
        while True:
            # The jobs before the instance: what a job does in between is then seen on the instance.
            found = jobs.open_jobs(self.client, self.container)
            own = next((job for job in found or [] if self.instance_id in json.dumps(job)), None)
            if own is not None:
                return {"action": action, "job": {"id": own.get("id")}}
            if is_accepted():
                return {"action": action}
            # A job that does not say what it is about may be that of the request.
            suspicious = suspicious or bool(found)
            logged = logged or self._is_pending(action, lambda entry: True)
            is_late = self.deadline.waited() - asked_at >= jobs.VISIBLE_WITHIN
            if logged and (is_late or found is None):
                return {"action": action}
            if is_late and found == []:
                if not suspicious:
                    return None
                raise StateError("Other jobs ran meanwhile, and one of them may have been this.")
            if not self.deadline.pause():
                raise StateError("The time to wait is over (option wait_timeout).")

    def _is_pending(self, action: str, shows: t.Callable[[Item], bool]) -> bool:
        """Whether the audit log has a request of this action that is not done, or does not show yet."""
        # There is one event of the request and one of what was done. Source: specification; which is which follows from
        # their names.
        requested, done = f"container.instance.task.{action}", f"container.instance.{action}"
        entries = newest_entries(self.client, "instance", self.instance_id)
        newest = next((one for one in entries if one.get("event") in (requested, done)), None)
        if newest is None:
            return False
        return newest["event"] == requested or (newest.get("status") != "error" and not shows(newest))


def _unknown(error: PaasError, task: Item, why: PaasError | None = None) -> PaasError:
    detail = f" {why.message}" if why else ""
    error.message += (
        f" Nothing tells whether {task['action']} was accepted, so it was not asked for again.{detail} Run the task"
        " again later: it goes on from what is there."
    )
    return error
