# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Placing and deleting instances of a container: what has to change, and making it so, once only."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from .._argspec import WAIT, ArgumentSpec
from .._client import Item, path_segment
from .._errors import ApiError, NotFoundError, OptionError, PaasError, StateError
from .._plan import Done, Plan
from .._resource import value_at
from .._wait import Deadline, wait_until
from . import jobs
from .api import Cycle
from .audit import has_open_creation
from .instances import (
    container_of,
    instance_path,
    instances_of,
    is_gone,
    is_leaving,
    live_by_server,
    server_name,
    state_of,
    successor_of,
    usable_servers,
)
from .resources import CONTAINERS_MANAGE, CONTAINERS_VIEW
from .states import health_of, should_run

Params = t.Mapping[str, t.Any]

ARGUMENTS = WAIT.merge(
    ArgumentSpec(
        options={
            "container_id": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "placement": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "server_id": {"type": "str", "required": True},
                    "count": {"type": "int", "required": True},
                },
            },
            "exact": {"type": "bool", "default": False},
            "instance_ids": {"type": "list", "elements": "str"},
            "server_id": {"type": "str"},
            "all": {"type": "bool", "default": False},
            "batch": {"type": "bool", "default": False},
        },
        mutually_exclusive=(("instance_ids", "server_id", "placement"),),
        required_if=(("state", "present", ("placement",)),),
    )
)


@dataclasses.dataclass
class Change:
    """What has to change for a container's instances.

    wanted: live instances by server. exact: whether no more than that. missing: how many to create by server.
    surplus: the instances to delete. batch: whether by one request.
    before: all instances of the container, newest first. container: the container, where instances are placed.
    """

    container_id: str
    before: list[Item]
    wanted: dict[str, int]
    missing: dict[str, int]
    surplus: list[Item]
    exact: bool = False
    batch: bool = False
    container: Item = dataclasses.field(default_factory=dict)

    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.missing or self.surplus)


def required_change(client: Cycle, params: Params, deadline: Deadline) -> Change:
    """Reads what is there and says what has to change. Sends nothing that changes anything.

    deadline: for the jobs that earlier tasks have left behind. Raises OptionError, StateError, ApiError,
    WaitTimeoutError when those jobs do not end.
    """
    if params["all"] and any(params[name] is not None for name in ("placement", "instance_ids", "server_id")):
        raise OptionError("The option all goes with none of placement, instance_ids and server_id.")
    if params["state"] == "absent":
        return _removal(client, params, deadline)
    if params["all"] or params["placement"] is None:
        raise OptionError("With state=present, say how many instances each server shall have: placement.")
    wanted = _wanted(params["placement"])
    container = container_of(client, params["container_id"])
    _require_manual(container)
    change = _placement(client, container, wanted, params)
    if change.is_needed():
        _check_servers(client, change)
        # What an earlier task has set going is not there yet, and must not be done twice. The instances are read after
        # the jobs: what a job that ended in between has done is then seen.
        _wait_for_earlier_tasks(client, container, deadline)
        change = _placement(client, container, wanted, params)
    return change


def _wait_for_earlier_tasks(client: Cycle, container: Item, deadline: Deadline) -> None:
    """Waits until no job of the container is open, and none that the audit log announces is yet to become visible.

    Raises WaitTimeoutError.
    """
    began = deadline.waited()
    identity = str(container["id"])
    jobs.wait_for_open_jobs(client, container, deadline)
    while has_open_creation(client, identity, lambda: instances_of(client, identity)):
        # What only the log tells of is given up: it may not tell of the end at all.
        if deadline.waited() - began >= jobs.VISIBLE_WITHIN or not deadline.pause():
            return
        jobs.wait_for_open_jobs(client, container, deadline)


def _wanted(placement: t.Sequence[Item]) -> dict[str, int]:
    wanted: dict[str, int] = {}
    for one in placement:
        server, count = one["server_id"], one["count"]
        if server in wanted:
            raise OptionError(f"The option placement names the server {server} twice.")
        if count < 0:
            raise OptionError(f"The option placement asks for {count} instances on the server {server}.")
        wanted[server] = count
    return wanted


def _require_manual(container: Item) -> None:
    strategy = value_at(container, "config.deploy.strategy")
    if strategy != "manual":
        raise StateError(
            f'The container "{container.get("name")}" ({container.get("id")}) has the deployment strategy'
            f" {strategy or 'of the platform'}, not manual: the platform places its instances itself. Scale it instead,"
            " or set its strategy to manual."
        )


def _placement(client: Cycle, container: Item, wanted: dict[str, int], params: Params) -> Change:
    before = instances_of(client, params["container_id"])
    live, moving = live_by_server(before), _moving(before)
    missing: dict[str, int] = {}
    surplus: list[Item] = []
    for server, count in wanted.items():
        there = live.get(server, [])
        if len(there) < count:
            missing[server] = count - len(there)
        elif params["exact"]:
            surplus += _surplus(server, [one for one in there if one["id"] not in moving], len(there) - count)
    return Change(params["container_id"], before, wanted, missing, surplus, params["exact"], params["batch"], container)


def _deleted_first(instance: Item) -> int:
    """Where an instance stands when some have to go: failed ones first, healthy ones last."""
    if state_of(instance) == "failed":
        return 0
    if health_of(instance) is False:
        return 1
    return 3 if state_of(instance) == "running" else 2


def _moving(instances: t.Iterable[Item]) -> set[str]:
    """The ids of both ends of every migration that is under way. If one of them went, the other would stay."""
    sources = [one for one in instances if state_of(one) == "migrating" or (successor_of(one) and not is_leaving(one))]
    return {one["id"] for one in sources} | {str(value_at(one, "migration.to.instance_id")) for one in sources}


def _surplus(server: str, there: list[Item], number: int) -> list[Item]:
    """Which instances of a server go, of those that do not migrate."""
    if len(there) < number:
        raise StateError(
            f"The server {server} has {number} instances too many, but only {len(there)} of them can be deleted"
            " while the others migrate. Run the task again when the migrations are done."
        )
    return sorted(there, key=_deleted_first)[:number]


def _check_servers(client: Cycle, change: Change) -> None:
    """Raises StateError when instances are wanted on a server that cannot have them, as far as the key may know."""
    live = live_by_server(change.before)
    unproven = [server for server in change.missing if server not in live]
    if not unproven:
        return
    try:
        usable = usable_servers(client, change.container_id)
    except ApiError as error:
        if error.status == 403:
            return  # then the platform says it when it is asked to create
        raise
    known = {str(one.get("id")) for one in usable}
    wrong = [server for server in unproven if server not in known]
    if wrong:
        names = ", ".join(map(server_name, usable)) or "none"
        raise StateError(
            f"Instances of this container cannot be placed on {', '.join(wrong)}. Servers that it can use: {names}."
        )


def _removal(client: Cycle, params: Params, deadline: Deadline) -> Change:
    if not (params["instance_ids"] is not None or params["server_id"] or params["all"]):
        raise OptionError("With state=absent, say which instances: instance_ids, server_id, or all=true.")
    before, there = _removable(client, params)
    if not there and params["instance_ids"] is None:
        container = container_of(client, params["container_id"])
        # What an earlier task has asked for may be yet to come.
        if jobs.open_jobs(client, container):
            jobs.wait_for_open_jobs(client, container, deadline)
            before, there = _removable(client, params)
    if there and params["batch"]:
        _require_manual(container_of(client, params["container_id"]))
    return Change(params["container_id"], before, {}, {}, there, batch=params["batch"])


def _removable(client: Cycle, params: Params) -> tuple[list[Item], list[Item]]:
    """All instances of the container, and those that the options name and that are not gone yet."""
    try:
        before = instances_of(client, params["container_id"])
    except NotFoundError:
        container_of(client, params["container_id"])  # raises when it is missing
        raise
    there = [one for one in before if not is_gone(one)]
    if params["instance_ids"] is not None:
        there = [one for one in there if one["id"] in params["instance_ids"]]
    elif params["server_id"]:
        there = [one for one in there if one["server_id"] == params["server_id"]]
    return before, there


def counts(change: Change, instances: t.Iterable[Item]) -> dict[str, int]:
    """Live instances by server, for the servers that a change is about."""
    live = live_by_server(instances)
    servers = change.wanted or dict.fromkeys(str(one.get("server_id")) for one in change.surplus)
    return {server: len(live.get(server, [])) for server in servers}


def predicted_counts(change: Change) -> dict[str, int]:
    """The same once the change is made."""
    gone = {one.get("id") for one in change.surplus}
    left = counts(change, [one for one in change.before if one.get("id") not in gone])
    return {server: count + change.missing.get(server, 0) for server, count in left.items()}


def make(client: Cycle, change: Change, deadline: Deadline, *, wait: bool) -> tuple[list[Item], list[Item]]:
    """Makes a change, and waits for it if told to. Returns the instances that are there then, and the jobs.

    Raises PaasError with the jobs so far in results.
    """
    done: list[Item] = []
    descriptors: list[Item] = []
    try:
        if change.missing:
            descriptors += _create(client, change, deadline)
        for descriptor in _delete(client, change):
            descriptors.append(descriptor)  # one by one: another one may fail
        if not wait:
            done = [jobs.announced(one) for one in descriptors]
            return instances_of(client, change.container_id), done
        for descriptor in descriptors:
            done.append(
                jobs.follow(
                    client,
                    descriptor,
                    deadline,
                    settled=lambda: _is_made(change, instances_of(client, change.container_id)),
                )
            )
        found = _wait(client, change, deadline)
        _require_no_more(change, found)
    except PaasError as error:
        failed = error.results.get("jobs", [])
        known = {one["id"] for one in done + failed}
        rest = [jobs.announced(one) for one in descriptors if jobs.job_id(one) not in known]
        error.results["jobs"] = [*done, *failed, *rest]
        with contextlib.suppress(PaasError):
            error.results["servers"] = server_counts(change, instances_of(client, change.container_id))
        raise
    return found, done


def _create(client: Cycle, change: Change, deadline: Deadline) -> list[Item]:
    """Asks for the missing instances, in one request, and once only. Returns the job descriptors."""
    path = f"containers/{path_segment(change.container_id, 'container_id')}/instances"
    missing = change.missing
    for last in (False, True):
        body = [{"server_id": server, "new_instances": number} for server, number in missing.items()]
        try:
            return [client.post(path, body, permission=CONTAINERS_MANAGE)]
        except PaasError as error:
            if not error.may_have_succeeded:
                raise
            missing = _still_missing_after(client, change, deadline, error)
            if not missing:
                return []
            if last:
                raise
    return []


def _still_missing_after(client: Cycle, change: Change, deadline: Deadline, error: PaasError) -> dict[str, int]:
    try:
        return _still_missing(client, change, deadline, error)
    except PaasError as other:
        if other is not error:
            error.message += f" Looking at the instances failed as well: {other.message}"
        raise error from None


def _still_missing(client: Cycle, change: Change, deadline: Deadline, error: PaasError) -> dict[str, int]:
    """What is missing after a request to create of which nobody knows whether it was carried out.

    Watches the instances and the jobs for as long as an accepted job may take to become visible. Raises the error,
    with what is there, when nobody can tell whether more is to come.
    """
    asked_at = deadline.waited()
    while True:
        # The jobs before the instances, as above.
        open_jobs = jobs.open_jobs(client, change.container)
        have = counts(change, instances_of(client, change.container_id))
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
    """Asks for the deletion of the surplus. Yields the job descriptors; those already gone have none."""
    ids = [str(one["id"]) for one in change.surplus]
    if not ids:
        return
    if change.batch:
        # The body is not in the specification of today: it is that of the vendor's client of 2022.
        path = f"containers/{path_segment(change.container_id, 'container_id')}/instances"
        yield from _delete_these(client, change, path, ids, {"instances_ids": ids})
        return
    for identity in ids:
        yield from _delete_these(client, change, instance_path(change.container_id, identity), [identity])


def _delete_these(
    client: Cycle, change: Change, path: str, ids: t.Sequence[str], body: t.Any = None
) -> t.Iterator[Item]:
    try:
        descriptor = client.delete(path, body=body, permission=CONTAINERS_MANAGE)
    except PaasError as error:
        # It may be done in spite of the error, or was done before: a DELETE is repeated after a broken connection.
        may_be_gone = error.may_have_succeeded or error.status in (403, 404, 409, 422)
        if not may_be_gone or not all(_is_gone_now(client, change.container_id, identity) for identity in ids):
            raise
    else:
        yield descriptor


def _is_gone_now(client: Cycle, container_id: str, instance_id: str) -> bool:
    """Whether an instance is gone, as far as can be seen."""
    try:
        return is_gone(client.get(instance_path(container_id, instance_id), permission=CONTAINERS_VIEW))
    except PaasError as error:
        return isinstance(error, NotFoundError)


def _is_made(change: Change, instances: list[Item]) -> bool:
    """Whether a change shows in the instances. Raises StateError when a new one failed to start."""
    to_go = {one.get("id") for one in change.surplus}
    if any(one.get("id") in to_go and state_of(one) != "deleted" for one in instances):
        return False
    have = counts(change, instances)
    if any(have[server] < count for server, count in change.wanted.items()):
        return False
    new = created(change, instances)
    failed = [one for one in new if state_of(one) == "failed"]
    if failed:
        said = value_at(failed[0], "state.error.message") or "the platform gave no reason"
        raise StateError(f"The new instance {failed[0].get('id')} failed: {said}.")
    return not should_run(change.container) or all(state_of(one) == "running" for one in new)


def _wait(client: Cycle, change: Change, deadline: Deadline) -> list[Item]:
    return wait_until(
        lambda: instances_of(client, change.container_id),
        lambda found: _is_made(change, found),
        what=f"The placement of the instances of {change.container_id}",
        state=lambda found: {str(one.get("id")): state_of(one) for one in found},
        deadline=deadline,
    )


def _require_no_more(change: Change, instances: list[Item]) -> None:
    """Raises StateError when a server has more instances than it shall have at most."""
    have = counts(change, instances)
    more = [server for server, count in change.wanted.items() if change.exact and have[server] > count]
    if more:
        raise StateError(
            f"The server {more[0]} has {have[more[0]]} instances now, {change.wanted[more[0]]} were wanted: meanwhile"
            " something else has placed or moved instances of this container too. Run the task again."
        )


def created(change: Change, instances: t.Iterable[Item]) -> list[Item]:
    """The instances that were not there before, on the servers that a change is about."""
    before = {one.get("id") for one in change.before}
    return [one for one in instances if one.get("id") not in before and one.get("server_id") in change.missing]


def plan(client: Cycle, params: Params) -> Plan:
    """What the module instance does. Raises what required_change() and make() raise."""
    deadline = Deadline(params["wait_timeout"], params["wait_interval"])
    change = required_change(client, params, deadline)
    going = [str(one["id"]) for one in change.surplus]
    left = [one for one in change.before if one.get("id") not in going]

    def act() -> Done:
        found, done = make(client, change, deadline, wait=params["wait"])
        new = [str(one["id"]) for one in created(change, found)]
        return Done(
            {
                # What nobody waited for is told as it was asked for.
                "servers": server_counts(change, found if params["wait"] else None),
                "instances": client.plain(_staying(found)),
                "created": new,
                "jobs": done,
            },
            after=_shown(change, found) if params["wait"] else None,
        )

    return Plan(
        result={
            "servers": server_counts(change, None),
            "instances": client.plain(_staying(left)),
            "created": [],
            "deleted": going,
            "jobs": [],
        },
        subject=f"instances of container {change.container_id}",
        before=_shown(change, change.before),
        after=_shown(change, left, change.missing),
        act=act if change.is_needed() else None,
    )


def _staying(instances: t.Iterable[Item]) -> list[Item]:
    return [one for found in live_by_server(instances).values() for one in found]


def _shown(change: Change, instances: t.Iterable[Item], missing: t.Mapping[str, int] | None = None) -> Item:
    """Servers with their number of instances and the ids, for a diff. missing: instances yet to be created."""
    instances = list(instances)
    live = live_by_server(instances)
    # Those that are kept until they are purged do not live, and can be deleted all the same.
    going = {one.get("id") for one in change.surplus}
    there = [one for one in instances if one.get("id") in going and not is_gone(one)]
    to_come = missing or {}
    return {
        server: {
            "count": len(live.get(server, [])) + to_come.get(server, 0),
            "instances": sorted(
                {str(one["id"]) for one in live.get(server, []) + [o for o in there if o.get("server_id") == server]}
            ),
        }
        for server in counts(change, change.before)
    }


def server_counts(change: Change, instances: t.Iterable[Item] | None) -> list[Item]:
    """Each server of a change with its live instances before and after, as results show it.

    instances: those that are there afterwards; None to predict.
    """
    before = counts(change, change.before)
    after = predicted_counts(change) if instances is None else counts(change, instances)
    return [{"server_id": server, "before": count, "after": after[server]} for server, count in before.items()]
