# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Placing and deleting instances of a container: what has to change. placing.py makes it so."""

from __future__ import annotations

import typing as t

from .._argspec import WAIT, ArgumentSpec
from .._errors import ApiError, OptionError, StateError
from .._plan import Done, Plan
from .._types import Item, Params, value_at
from .._wait import Deadline
from . import jobs
from .api import Cycle
from .audit import has_open_creation
from .instances import (
    container_of,
    instances_of,
    is_gone,
    is_leaving,
    live_by_server,
    server_name,
    state_of,
    successor_of,
    usable_servers,
)
from .placing import Change, make
from .states import health_of

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


def plan(client: Cycle, params: Params) -> Plan:
    """Plan what the module instance does. Raises what required_change() and make() raise."""
    deadline = Deadline(params["wait_timeout"], params["wait_interval"])
    change = required_change(client, params, deadline)
    going = [str(one["id"]) for one in change.surplus]
    left = [one for one in change.before if one.get("id") not in going]

    def act() -> Done:
        found, done = make(client, change, deadline, wait=params["wait"])
        return Done(
            {
                # What nobody waited for is reported as it was asked for.
                "servers": change.server_counts(found if params["wait"] else None),
                "instances": client.plain(_staying(found)),
                "created": [str(one["id"]) for one in change.created(found)],
                "jobs": done,
            },
            after=_shown(change, found) if params["wait"] else None,
        )

    return Plan(
        result={
            "servers": change.server_counts(None),
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
    """Return servers with their number of instances and the ids, for a diff. missing: instances yet to be created."""
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
        for server in change.counts(change.before)
    }


def required_change(client: Cycle, params: Params, deadline: Deadline) -> Change:
    """Read what is there and return what has to change. Sends nothing that changes anything.

    Args:
        deadline: For the jobs that earlier tasks have left behind.

    Raises:
        OptionError, StateError, ApiError: The change is impossible.
        WaitTimeoutError: Jobs of earlier tasks did not end.
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
        # What an earlier task has started is not there yet, and must not be done twice. The instances are read after
        # the jobs: what a job that ended in between has done is then seen.
        _wait_for_earlier_tasks(client, container, deadline)
        change = _placement(client, container, wanted, params)
    return change


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


def _moving(instances: t.Iterable[Item]) -> set[str]:
    """Return the ids of both ends of every migration in progress. If one of them went, the other would stay."""
    sources = [one for one in instances if state_of(one) == "migrating" or (successor_of(one) and not is_leaving(one))]
    return {one["id"] for one in sources} | {str(value_at(one, "migration.to.instance_id")) for one in sources}


def _surplus(server: str, there: list[Item], number: int) -> list[Item]:
    """Return which instances of a server go, of those that do not migrate: failed ones first, healthy ones last."""
    if len(there) < number:
        raise StateError(
            f"The server {server} has {number} instances too many, but only {len(there)} of them can be deleted"
            " while the others migrate. Run the task again when the migrations are done."
        )

    def order(instance: Item) -> int:
        if state_of(instance) == "failed":
            return 0
        if health_of(instance) is False:
            return 1
        return 3 if state_of(instance) == "running" else 2

    return sorted(there, key=order)[:number]


def _check_servers(client: Cycle, change: Change) -> None:
    """Raise StateError if instances are wanted on a server that cannot have them, as far as the key can see."""
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


def _wait_for_earlier_tasks(client: Cycle, container: Item, deadline: Deadline) -> None:
    """Wait until no job of the container is open, and none that the audit log announces is yet to become visible."""
    began = deadline.waited()
    identity = str(container["id"])
    jobs.wait_for_open_jobs(client, container, deadline)
    while has_open_creation(client, identity, lambda: instances_of(client, identity)):
        # What only the log shows is given up: it may not show the end at all.
        if deadline.waited() - began >= jobs.VISIBLE_WITHIN or not deadline.pause():
            return
        jobs.wait_for_open_jobs(client, container, deadline)


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
    """Return all instances of the container, and those that the options name and that are not gone yet."""
    before = instances_of(client, params["container_id"])
    there = [one for one in before if not is_gone(one)]
    if params["instance_ids"] is not None:
        there = [one for one in there if one["id"] in params["instance_ids"]]
    elif params["server_id"]:
        there = [one for one in there if one["server_id"] == params["server_id"]]
    return before, there
