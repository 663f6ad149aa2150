# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Migrating the instances of a batch, each with the functions of instance_traffic_drain and instance_migration.

Instances of one container migrate one after the other, those of different containers at the same time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import PaasError
from .._options import RANGES
from .._paging import fan_out
from .._plan import Done, Plan
from .._types import value_at
from .._wait import Deadline
from . import migration, traffic_drain
from .instances import is_leaving, state_of
from .migration_pair import as_shown, find

if t.TYPE_CHECKING:
    from .._types import Item
    from .api import Cycle
    from .evacuation_plan import Move

Params = t.Mapping[str, t.Any]
R = t.TypeVar("R")

MAX_CONCURRENCY = t.cast("int", RANGES["concurrency"][1])


@dataclasses.dataclass(frozen=True)
class Step:
    """A move of the batch with the plan of its migration, or why it cannot be planned."""

    move: Move
    plan: Plan | None = None
    error: PaasError | None = None

    @property
    def starts(self) -> bool:
        """Whether a migration is to be started, not only to be waited for."""
        return self.plan is not None and self.plan.before != self.plan.after

    @property
    def before(self) -> Item:
        """The instance in the diff."""
        if self.plan is not None:
            return t.cast("Item", self.plan.before)
        return {"instance_id": self.move.instance_id, "server_id": self.move.server_id}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a move; in check mode, what would."""

    # migrated, reverted or failed
    state: str
    # The result of the migration, as far as it came.
    result: Item
    # The instance in the diff.
    after: Item
    reason: str = ""
    jobs: t.Sequence[Item] = ()
    # Id of an instance that could not be given traffic again.
    drained: str | None = None


def plan_steps(client: Cycle, params: Params, moves: t.Sequence[Move]) -> dict[str, Step]:
    """Return the steps by instance id, in the order of the moves. Waits for what earlier tasks have started."""

    def plan_step(move: Move) -> Step:
        try:
            return Step(move, _plan_migration(client, params, move))
        except PaasError as error:
            return Step(move, error=error)

    return _by_container(plan_step, moves)


def foresee(step: Step) -> Outcome:
    """Return what would become of a step."""
    if step.plan is None:
        return _not_migrated(step, t.cast("PaasError", step.error))
    return Outcome("migrated", dict(step.plan.result), step.plan.after)


def migrate(client: Cycle, params: Params, steps: t.Mapping[str, Step]) -> dict[str, Outcome]:
    """Drain the instances of traffic, migrate them, and return the outcomes. A failure is an outcome, too."""
    to_drain = [step.move for step in steps.values() if params["drain"] and step.move.drain and step.starts]
    asked = _by_container(lambda move: _drain(client, params, move), to_drain)
    # Without those that somebody else has drained since they were planned.
    drained = {instance_id: (jobs, error) for instance_id, (jobs, error) in asked.items() if jobs or error}
    if any(jobs for jobs, _error in drained.values()):
        Deadline(params["drain_seconds"], params["drain_seconds"]).pause()

    def migrate_one(move: Move) -> Outcome:
        step = steps[move.instance_id]
        jobs, error = drained.get(move.instance_id, ([], step.error))
        outcome = _not_migrated(step, error) if error else _migrate(client, params, step)
        outcome = dataclasses.replace(outcome, jobs=[*jobs, *outcome.jobs])
        return _resume_traffic(client, params, move, outcome) if move.instance_id in drained else outcome

    return _by_container(migrate_one, [step.move for step in steps.values()])


def _by_container(work: t.Callable[[Move], R], moves: t.Sequence[Move]) -> dict[str, R]:
    """Call work for each move, one after the other for those of one container. Return the results by instance id."""
    groups: dict[str, list[Move]] = {}
    for move in moves:
        groups.setdefault(move.container_id, []).append(move)
    done = dict(
        fan_out(
            lambda group: [(move.instance_id, work(move)) for move in group],
            list(groups.values()),
            concurrency=MAX_CONCURRENCY,
            name=lambda group: f"container {group[0].container_id}",
        )
    )
    return {move.instance_id: done[move.instance_id] for move in moves}


def _plan_migration(client: Cycle, params: Params, move: Move) -> Plan:
    return migration.plan(
        client,
        {
            **_common(params, move.container_id, move.instance_id),
            "state": "present",
            "source_server_id": move.server_id,
            "destination_server_id": move.target_id,
            "any_usable": False,
            "copy_volumes": move.copy_volumes,
            "revert_on_failure": move.revert and params["revert"],
        },
    )


def _plan_drain(client: Cycle, params: Params, container_id: str, instance_id: str, state: str) -> Plan:
    return traffic_drain.plan(client, {**_common(params, container_id, instance_id), "state": state})


def _common(params: Params, container_id: str, instance_id: str) -> Item:
    waiting = {name: params[name] for name in ("wait_timeout", "wait_interval")}
    return {"container_id": container_id, "instance_id": instance_id, "wait": True, **waiting}


def _apply(planned: Plan) -> Done:
    return planned.act() if planned.act else Done(planned.result, planned.after, changed=False)


def _drain(client: Cycle, params: Params, move: Move) -> tuple[t.Sequence[Item], PaasError | None]:
    """Drain an instance of traffic. Return the jobs, or what went wrong."""
    try:
        done = _apply(_plan_drain(client, params, move.container_id, move.instance_id, "enabled"))
    except PaasError as error:
        return [], error.named("It could not be drained of traffic")
    return done.result["jobs"], None


def _migrate(client: Cycle, params: Params, step: Step) -> Outcome:
    try:
        # Planned again: other instances of the container have migrated since the first time.
        done = _apply(_plan_migration(client, params, step.move))
    except PaasError as error:
        return _not_migrated(step, error)
    return Outcome("migrated", dict(done.result), done.after, jobs=done.result["jobs"])


def _not_migrated(step: Step, error: PaasError) -> Outcome:
    result = error.results
    reverted = bool(result.get("reverted"))
    new = None if reverted else result.get("new_instance")
    return Outcome(
        "reverted" if reverted else "failed",
        {"new_instance": new, "new_instance_id": new["id"] if new else None},
        as_shown(new) if new else step.before,
        error.message,
        result.get("jobs", []),
    )


def _resume_traffic(client: Cycle, params: Params, move: Move, outcome: Outcome) -> Outcome:
    """Give traffic to the new instance if it came up drained, or to the old one if that stays."""
    instance_id = str(outcome.result["new_instance_id"])
    try:
        # Whether a new instance is drained as the old one was is not documented.
        needed = bool(value_at(outcome.result, "new_instance.traffic_drain"))
        if outcome.state != "migrated":
            instance_id = move.instance_id
            old = find(client, {"id": move.container_id}, instance_id)
            needed = old is not None and state_of(old) == "running" and not is_leaving(old)
        if not needed:
            return outcome
        done = _apply(_plan_drain(client, params, move.container_id, instance_id, "disabled"))
    except PaasError as error:
        jobs = [*outcome.jobs, *error.results.get("jobs", [])]
        return dataclasses.replace(outcome, jobs=jobs, drained=instance_id)
    return dataclasses.replace(outcome, jobs=[*outcome.jobs, *done.result["jobs"]])
