# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Migrating instances away from a server, a batch a task.

The platform is the state: each task reads everything again, and finds what earlier tasks have started.
"""

from __future__ import annotations

import contextlib
import typing as t

from .._argspec import CONCURRENCY, ArgumentSpec
from .._client import path_segment
from .._errors import OptionError, PaasError, StateError
from .._paging import fan_out
from .._plan import Done, Plan
from .._types import value_at
from .evacuation_batch import Outcome, Step, foresee, migrate, plan_steps
from .evacuation_plan import ARRIVED, WAITING, Found, Move, Rules, check_servers, describe, is_considered, plan_moves
from .instances import instances_of, is_leaving, usable_servers, with_ids
from .migration_pair import is_retained
from .resources import CONTAINERS_VIEW, JOBS_VIEW, SERVERS_VIEW

if t.TYPE_CHECKING:
    from .._types import Item
    from .api import Cycle

Params = t.Mapping[str, t.Any]

ARGUMENTS = ArgumentSpec(
    options={
        "server_id": {"type": "str", "required": True},
        "targets": {"type": "list", "elements": "str", "default": []},
        "batch": {"type": "int", "default": 3},
        "max_unhealthy": {"type": "int", "default": 0},
        "drain": {"type": "bool", "default": True},
        "drain_seconds": {"type": "int", "default": 30},
        "volumes": {"type": "str", "choices": ["copy", "leave"], "default": "copy"},
        "leave_strategies": {"type": "list", "elements": "str", "default": ["node", "function"]},
        "skip_instances": {"type": "list", "elements": "str", "default": []},
        "revert": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 600},
        "wait_interval": {"type": "int", "default": 2},
    }
)
MIN_VALUES = {"batch": 1, "max_unhealthy": 0, "drain_seconds": 0}
READ_CONCURRENCY: int = CONCURRENCY.options["concurrency"]["default"]


def plan(client: Cycle, params: Params) -> Plan:
    """Return what the module server_evacuation does.

    Raises:
        OptionError: An option has a value that cannot be used.
        StateError: A server does not exist. In check mode, more migrations would fail than max_unhealthy allows; act()
            raises it if more failed. All outcomes are in its results.
        ApiError: Something could not be read.
    """
    _check_numbers(params)
    rules = Rules(
        **{name: params[name] for name in ("server_id", "targets", "volumes", "leave_strategies", "skip_instances")}
    )
    found = _read(client, rules)
    moves, left = plan_moves(found, rules)
    batch, later = moves[: params["batch"]], moves[params["batch"] :]
    steps = plan_steps(client, params, batch)

    def result(outcomes: t.Mapping[str, Outcome], instances: t.Sequence[Item]) -> Item:
        own = _own(rules, found.servers, steps, outcomes)
        rest = _rest(found.servers, instances, outcomes, later, left)
        batches = -(-len(later) // params["batch"])
        return t.cast("Item", client.plain({**own, **rest, "batches_remaining": batches}))

    def act() -> Done:
        outcomes = migrate(client, params, steps)
        instances: t.Sequence[Item] = found.instances
        with contextlib.suppress(PaasError):  # the outcomes count more
            instances = _instances_on(client, rules.server_id)
        done = result(outcomes, instances)
        _require_success(params, done)
        return Done(
            done, _diff(outcome.after for outcome in outcomes.values()), changed=client.transport.may_have_changed
        )

    foreseen = {instance_id: foresee(step) for instance_id, step in steps.items()}
    promised = result(foreseen, found.instances)
    if client.check_mode:
        _require_success(params, promised)
    needed = any(step.starts for step in steps.values()) if client.check_mode else bool(steps)
    return Plan(
        result=promised,
        subject=f"instances of server {rules.server_id}",
        before=_diff(step.before for step in steps.values()),
        after=_diff(outcome.after for outcome in foreseen.values()),
        act=act if needed else None,
    )


def _diff(instances: t.Iterable[Item]) -> Item:
    return {"instances": list(instances)}


def _check_numbers(params: Params) -> None:
    for name, least in MIN_VALUES.items():
        if params[name] < least:
            raise OptionError(f"The option {name} is {params[name]}; it has to be at least {least}.")


def _read(client: Cycle, rules: Rules) -> Found:
    """Read what decides about the moves. Raises OptionError, StateError, ApiError."""
    # A key that cannot see jobs cannot see either whether a migration that was asked for is still to come.
    client.get_list("jobs", "jobs", limit=1, permission=JOBS_VIEW)
    listed = client.get_list("infrastructure/servers", "servers", query={"meta": ["node"]}, permission=SERVERS_VIEW)
    servers = {str(one["id"]): one for one in listed if one.get("id") is not None}
    check_servers(servers, rules)
    instances = _instances_on(client, rules.server_id)
    wanted = [one for one in instances if is_considered(one, rules)]

    def read_container(container_id: str) -> list[tuple[str, set[str], list[Item]]]:
        usable = {str(one["id"]) for one in usable_servers(client, container_id)}
        return [(container_id, usable, instances_of(client, container_id))]

    def read_server(server_id: str) -> list[Item]:
        path = f"infrastructure/servers/{path_segment(server_id, 'server_id')}"
        query = {"meta": ["allocations", "instances_count"]}
        return [{**client.get(path, query=query, permission=SERVERS_VIEW), "id": server_id}]

    containers = fan_out(
        read_container,
        sorted({str(one.get("container_id")) for one in wanted}),
        concurrency=READ_CONCURRENCY,
        name=lambda container_id: f"container {container_id}",
    )
    usable_ids = {server_id for _id, usable, _siblings in containers for server_id in usable}
    details = fan_out(
        read_server,
        sorted(usable_ids.intersection(rules.targets or servers) - {rules.server_id}),
        concurrency=READ_CONCURRENCY,
        name=lambda server_id: f"server {server_id}",
    )
    return Found(
        servers,
        instances,
        usable={container_id: usable for container_id, usable, _siblings in containers},
        siblings={container_id: siblings for container_id, _usable, siblings in containers},
        details={str(one["id"]): one for one in details},
    )


def _instances_on(client: Cycle, server_id: str) -> list[Item]:
    """Return the instances on a server, each with its container under the key container."""
    listed = client.get_list(
        f"infrastructure/servers/{path_segment(server_id, 'server_id')}/instances",
        "instances",
        query={"include": ["containers"]},
        permission=CONTAINERS_VIEW,
    )
    containers = client.includes.get("containers") or {}
    return [{**with_ids(one), "container": containers.get(str(one.get("container_id")))} for one in listed]


def _own(
    rules: Rules, servers: t.Mapping[str, Item], steps: t.Mapping[str, Step], outcomes: t.Mapping[str, Outcome]
) -> Item:
    """Return what became of the batch."""
    return {
        "server_id": rules.server_id,
        "server": _name(servers, rules.server_id),
        "outcomes": [_shown(servers, steps[one].move, outcome) for one, outcome in outcomes.items()],
    }


def _shown(servers: t.Mapping[str, Item], move: Move, outcome: Outcome) -> Item:
    # An earlier task may have chosen another server than this one.
    target_id = str(value_at(outcome.result, "new_instance.server_id") or move.target_id)
    return {
        **{name: move.instance[name] for name in ("instance_id", "container_id", "container", "hostname")},
        "new_instance_id": outcome.result["new_instance_id"],
        "target_id": target_id,
        "target": _name(servers, target_id),
        "state": outcome.state,
        "reason": outcome.reason,
        "job_ids": [job["id"] for job in outcome.jobs if job["id"]],
    }


def _rest(
    servers: t.Mapping[str, Item],
    instances: t.Sequence[Item],
    outcomes: t.Mapping[str, Outcome],
    later: t.Sequence[Move],
    left: t.Mapping[str, str],
) -> Item:
    """Return what is on the server besides the batch.

    Args:
        instances: Those on the server now.
        later: The moves of further batches.
        left: Why instances are left, by their ids.
    """
    targets = {move.instance_id: move.target_id for move in later}
    staying = {str(one["id"]): one for one in instances if not is_leaving(one)}
    failed = [outcome.drained for outcome in outcomes.values() if outcome.drained]
    drained = [instance_id for instance_id, one in staying.items() if one.get("traffic_drain")]
    return {
        "remaining": [
            {
                **describe(one),
                "target_id": targets.get(instance_id),
                "target": _name(servers, targets.get(instance_id)),
                "reason": left.get(instance_id) or (WAITING if instance_id in targets else ARRIVED),
            }
            for instance_id, one in staying.items()
            if instance_id not in outcomes
        ],
        "kept": [{**describe(one), "until": one.get("purge_time")} for one in instances if is_retained(one)],
        "drained": list(dict.fromkeys([*failed, *drained])),
    }


def _name(servers: t.Mapping[str, Item], server_id: str | None) -> str | None:
    server = servers.get(server_id or "", {})
    return server.get("nickname") or server.get("hostname") or server_id


def _require_success(params: Params, result: Item) -> None:
    """Raise StateError with the result if more migrations failed than max_unhealthy allows."""
    failed = [one for one in result["outcomes"] if one["state"] != "migrated"]
    if len(failed) <= params["max_unhealthy"]:
        return
    names = ", ".join(f"{one['container']} ({one['instance_id']})" for one in failed)
    error = StateError(
        f"{len(failed)} of {len(result['outcomes'])} migrations from the server {result['server']} failed, and"
        f" max_unhealthy allows {params['max_unhealthy']}: {names}. The first one: {failed[0]['reason']} Fix the cause"
        " and run the task again. It resumes from the current state."
    )
    error.results.update(result)
    raise error
