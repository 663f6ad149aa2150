# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Making a change of a container's instances, once only, and waiting for it."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from .._errors import NotFoundError, PaasError, StateError
from .._types import Item
from .._wait import Deadline
from . import jobs
from .api import Cycle
from .instances import failure_of, instance_path, instances_of, instances_path, is_gone, live_by_server, state_of
from .resources import CONTAINERS_MANAGE, CONTAINERS_VIEW
from .states import should_run


@dataclasses.dataclass
class Change:
    """What has to change for a container's instances."""

    container_id: str
    # All instances of the container, newest first.
    before: list[Item]
    # Live instances by server, and how many to create.
    wanted: dict[str, int]
    missing: dict[str, int]
    # The instances to delete.
    surplus: list[Item]
    # Whether a server has no more than what is wanted.
    exact: bool = False
    # Whether to delete by one request.
    batch: bool = False
    # The container, if instances are placed.
    container: Item = dataclasses.field(default_factory=dict)

    def is_needed(self) -> bool:
        return bool(self.missing or self.surplus)

    def counts(self, instances: t.Iterable[Item]) -> dict[str, int]:
        """Return live instances by server, for the servers that the change is about."""
        live = live_by_server(instances)
        servers = self.wanted or dict.fromkeys(str(one.get("server_id")) for one in self.surplus)
        return {server: len(live.get(server, [])) for server in servers}

    def server_counts(self, instances: t.Iterable[Item] | None) -> list[Item]:
        """Return each server with its live instances before and after, as results show it.

        Args:
            instances: Those that are there afterwards; None to predict.
        """
        before = self.counts(self.before)
        if instances is None:
            gone = {one.get("id") for one in self.surplus}
            left = self.counts([one for one in self.before if one.get("id") not in gone])
            after = {server: count + self.missing.get(server, 0) for server, count in left.items()}
        else:
            after = self.counts(instances)
        return [{"server_id": server, "before": count, "after": after[server]} for server, count in before.items()]

    def created(self, instances: t.Iterable[Item]) -> list[Item]:
        """Return the instances that were not there before, on the servers that the change is about."""
        before = {one.get("id") for one in self.before}
        return [one for one in instances if one.get("id") not in before and one.get("server_id") in self.missing]


def make(client: Cycle, change: Change, deadline: Deadline, *, wait: bool) -> tuple[list[Item], list[Item]]:
    """Make a change, and wait for it if told to. Return the instances that are there then, and the jobs.

    Raises:
        PaasError: With the jobs so far in results.
    """
    descriptors: list[Item] = []

    def is_done(found: list[Item]) -> bool:
        if not _is_made(change, found):
            return False
        _require_no_more(change, found)
        return True

    try:
        if change.missing:
            descriptors += _create(client, change, deadline)
        for descriptor in _delete(client, change):
            descriptors.append(descriptor)  # one by one: another one may fail
        return jobs.finish(
            client,
            descriptors,
            lambda: instances_of(client, change.container_id),
            is_done,
            what=f"The placement of the instances of {change.container_id}",
            state=lambda found: {str(one.get("id")): state_of(one) for one in found},
            deadline=deadline,
            wait=wait,
            settled=lambda: _is_made(change, instances_of(client, change.container_id)),
        )
    except PaasError as error:
        error.results.setdefault("jobs", [jobs.announced(one) for one in descriptors])
        with contextlib.suppress(PaasError):
            error.results["servers"] = change.server_counts(instances_of(client, change.container_id))
        raise


def _create(client: Cycle, change: Change, deadline: Deadline) -> list[Item]:
    """Ask for the missing instances, in one request, and once only. Return the job descriptors."""
    missing = change.missing
    for may_repeat in (True, False):
        body = [{"server_id": server, "new_instances": number} for server, number in missing.items()]
        try:
            return [client.post(instances_path(change.container_id), body, permission=CONTAINERS_MANAGE)]
        except PaasError as error:
            if not error.may_have_succeeded:
                raise
            missing = _still_missing(client, change, deadline, error)
            if missing and not may_repeat:
                raise
            if not missing:
                break
    return []


def _still_missing(client: Cycle, change: Change, deadline: Deadline, error: PaasError) -> dict[str, int]:
    """Return what is missing after a request to create that may have succeeded.

    Watches the instances and the jobs for as long as an accepted job may take to become visible.

    Raises:
        PaasError: The error, with what is there, if it is unclear whether more is to come.
    """
    asked_at = deadline.waited()
    while True:
        try:
            # The jobs before the instances: what a job does in between is then seen.
            open_jobs = jobs.open_jobs(client, change.container)
            have = change.counts(instances_of(client, change.container_id))
        except PaasError as unreadable:
            error.message += f" Looking at the instances failed as well: {unreadable.message}"
            raise error from None
        missing = {server: count - have[server] for server, count in change.wanted.items() if have[server] < count}
        if not missing:
            return {}
        if open_jobs == [] and deadline.waited() - asked_at >= jobs.VISIBLE_WITHIN:
            return missing
        if not deadline.pause():
            error.message += (
                f" Instances by server now: {have}, wanted: {change.wanted}. Whether more are to come is not known, so"
                " nothing was asked for again. Run the task again later: it finishes from what is there."
            )
            raise error


def _delete(client: Cycle, change: Change) -> t.Iterator[Item]:
    """Ask for the deletion of the surplus. Yield the job descriptors; those already gone have none."""
    ids = [str(one["id"]) for one in change.surplus]
    if change.batch and ids:
        # The body is not in the specification of today: it is that of the vendor's client of 2022.
        yield from _delete_these(client, change, instances_path(change.container_id), ids, {"instances_ids": ids})
        return
    for identity in ids:
        yield from _delete_these(client, change, instance_path(change.container_id, identity), [identity])


def _delete_these(
    client: Cycle, change: Change, path: str, ids: t.Sequence[str], body: t.Any = None
) -> t.Iterator[Item]:
    try:
        descriptor = client.delete(path, body=body, permission=CONTAINERS_MANAGE)
    except PaasError as error:
        # It may be done in spite of the error, or was done before: a DELETE is resent after a broken connection.
        may_be_gone = error.may_have_succeeded or error.status in (403, 404, 409, 422)
        if not may_be_gone or not all(_is_gone_now(client, change.container_id, identity) for identity in ids):
            raise
    else:
        yield descriptor


def _is_gone_now(client: Cycle, container_id: str, instance_id: str) -> bool:
    try:
        return is_gone(client.get(instance_path(container_id, instance_id), permission=CONTAINERS_VIEW))
    except PaasError as error:
        return isinstance(error, NotFoundError)


def _is_made(change: Change, instances: list[Item]) -> bool:
    """Whether a change shows in the instances. Raises StateError if a new one failed to start."""
    to_go = {one.get("id") for one in change.surplus}
    if any(one.get("id") in to_go and state_of(one) != "deleted" for one in instances):
        return False
    have = change.counts(instances)
    if any(have[server] < count for server, count in change.wanted.items()):
        return False
    new = change.created(instances)
    failed = next((one for one in new if state_of(one) == "failed"), None)
    if failed is not None:
        raise StateError(f"The new instance {failed.get('id')} failed: {failure_of(failed)}.")
    return not should_run(change.container) or all(state_of(one) == "running" for one in new)


def _require_no_more(change: Change, instances: list[Item]) -> None:
    """Raise StateError if a server has more instances than it should have at most."""
    have = change.counts(instances)
    more = [server for server, count in change.wanted.items() if change.exact and have[server] > count]
    if more:
        raise StateError(
            f"The server {more[0]} has {have[more[0]]} instances now, {change.wanted[more[0]]} were wanted: meanwhile"
            " something else has placed or moved instances of this container too. Run the task again."
        )
