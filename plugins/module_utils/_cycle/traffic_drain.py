# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draining an instance of traffic, and ending that. Source: specification, traffic-drain.reconfigure (since 2025)."""

from __future__ import annotations

from .._argspec import WAIT, ArgumentSpec
from .._plan import Done, Plan
from .._types import Item, Params, value_at
from .._wait import Deadline
from . import jobs
from .api import Cycle
from .instances import container_of, instance_of
from .tasks import InstanceTasks, require_staying

ARGUMENTS = WAIT.merge(
    ArgumentSpec(
        options={
            "container_id": {"type": "str", "required": True},
            "instance_id": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
        }
    )
)


def plan(client: Cycle, params: Params) -> Plan:
    """Plan what the module instance_traffic_drain does.

    Raises StateError, ApiError, and JobError or WaitTimeoutError with the jobs in results.
    """
    enable = params["state"] == "enabled"
    instance = _read(client, params)
    deadline = Deadline(params["wait_timeout"], params["wait_interval"])
    container: Item = {}
    if is_drained(instance) != enable:
        container = container_of(client, params["container_id"])
        # What an earlier task has asked for may be in progress.
        jobs.wait_for_open_jobs(client, container, deadline)
        instance = _read(client, params)

    def act() -> Done:
        found, done = _set(client, params, container, deadline)
        return Done(_result(client, found, is_drained(found), done))

    return Plan(
        result=_result(client, instance, enable, []),
        subject=f"traffic drain of instance {params['instance_id']}",
        before=_shown(is_drained(instance)),
        after=_shown(enable),
        act=act if is_drained(instance) != enable else None,
    )


def is_drained(instance: Item) -> bool:
    """Whether an instance is drained of traffic. Older platforms do not have the field."""
    return isinstance(instance.get("traffic_drain"), dict)


def _read(client: Cycle, params: Params) -> Item:
    instance = instance_of(client, params["container_id"], params["instance_id"])
    require_staying(instance)
    return instance


def _set(client: Cycle, params: Params, container: Item, deadline: Deadline) -> tuple[Item, list[Item]]:
    """Ask for it, wait unless told not to, and return the instance and the jobs. Raises PaasError with the jobs."""
    enable: bool = params["state"] == "enabled"

    def is_set(instance: Item) -> bool:
        return is_drained(instance) is enable

    task = {"action": "traffic-drain.reconfigure", "contents": {"enable": enable}}
    tasks = InstanceTasks(client, container, params["instance_id"], deadline)
    return jobs.finish(
        client,
        [tasks.ask(task, lambda: is_set(_read(client, params)))],
        lambda: _read(client, params),
        is_set,
        what=f"The traffic drain of the instance {params['instance_id']}",
        state=lambda one: "enabled" if is_drained(one) else "disabled",
        deadline=deadline,
        wait=params["wait"],
    )


def _shown(enabled: bool) -> Item:
    return {"traffic_drain": "enabled" if enabled else "disabled"}


def _result(client: Cycle, instance: Item, enabled: bool, done: list[Item]) -> Item:
    started = value_at(instance, "traffic_drain.started") if enabled and is_drained(instance) else None
    return {
        "instance": client.plain(instance),
        "traffic_drain": {"enabled": enabled, "started": started},
        "jobs": done,
    }
