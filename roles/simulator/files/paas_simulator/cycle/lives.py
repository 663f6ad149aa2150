# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of an instance: new, starting, running, healthy; or something else, when it is told so."""

from __future__ import annotations

from ..messages import Record
from ..timeline import Effect
from .activity import context_of, notify
from .stamps import ZERO, nano, stamp
from .state import Container, State

START_FAILED = "The process of the instance ended with exit code 1"


def place(state: State, container: Container, instance: Record) -> None:
    """Enter an instance into the state."""
    container.instances[instance["id"]] = instance
    state.instances[instance["id"]] = instance


def change(state: State, instance: Record, current: str, moment: float, error: str | None = None) -> None:
    """Put an instance into a state and tell those who listen."""
    previous = instance["state"]["current"]
    instance["state"] |= {"current": current, "changed": nano(moment)}
    instance["state"].pop("error", None)
    instance["events"]["updated"] = stamp(moment)
    told: Record = {"id": instance["id"], "state": current, "previous_state": previous}
    context = context_of(state.containers[instance["container_id"]])
    if error is not None:
        instance["state"]["error"] = {"message": error, "time": nano(moment)}
        notify(state, "container.instance.error", {"id": instance["id"], "state": current, "error": error}, context)
    notify(state, "container.instance.state.changed", told, context)


def report(state: State, instance: Record, healthy: bool | None, moment: float) -> None:
    """Note what the health check says."""
    instance["state"]["health"] = {"healthy": healthy, "updated": ZERO if healthy is None else nano(moment)}
    if instance["state"].get("readiness") is not None:
        instance["state"]["readiness"] = {"ready": healthy, "updated": ZERO if healthy is None else nano(moment)}
    context = context_of(state.containers[instance["container_id"]])
    notify(state, "container.instance.health.status.changed", {"id": instance["id"]}, context, healthy=healthy is True)


def outcome_of(state: State, container: Container) -> str:
    """Return what becomes of new instances of a container: as the settings say, else as the estate does."""
    outcomes = state.settings.instances.outcomes
    for name in (container.id, container.data["name"], container.data["identifier"], "*"):
        if name in outcomes:
            return outcomes[name]
    return container.outcome


def checked(container: Container) -> bool:
    """Say whether the container has a health check."""
    return container.data["config"]["deploy"].get("health_check") is not None


def start(state: State, instance: Record, moment: float, outcome: str, wait: float = 0.0) -> None:
    """Let an instance come up; ``wait`` seconds pass before it starts."""
    steps: list[tuple[float, Effect]] = [(wait, lambda now: change(state, instance, "starting", now))]
    if outcome != "starting":
        steps.append((wait + state.settings.instances.starting, lambda now: up(state, instance, now, outcome)))
    state.later(instance, steps, moment)


def up(state: State, instance: Record, moment: float, outcome: str) -> None:
    """Let an instance that has started run, and its health be reported a little later; or let it fail."""
    container = state.containers[instance["container_id"]]
    if outcome == "failed":
        change(state, instance, "failed", moment, START_FAILED)
        return
    change(state, instance, "running", moment)
    if not checked(container) and outcome == "running":
        return
    report(state, instance, None, moment)
    if outcome != "unreported":
        after = state.settings.instances.healthy
        state.later(instance, [(after, lambda now: report(state, instance, outcome != "unhealthy", now))], moment)


def stop(state: State, instance: Record, moment: float, seconds: float) -> None:
    """Let an instance stop within seconds."""
    change(state, instance, "stopping", moment)
    state.later(instance, [(seconds, lambda now: change(state, instance, "stopped", now))], moment)


def rest(state: State, instance: Record, moment: float) -> None:
    """A new instance of a container that is stopped stays stopped."""
    after = state.settings.instances.new
    state.later(instance, [(after, lambda now: change(state, instance, "stopped", now))], moment)


def remove(state: State, instance: Record, moment: float) -> None:
    """Let an instance be gone: not found any more, or shown as deleted where that is switched on."""
    if state.instances.get(instance["id"]) is not instance or instance["state"]["current"] == "deleted":
        return
    state.timelines.cancel(instance)
    change(state, instance, "deleted", moment)
    instance["events"]["deleted"] = stamp(moment)
    state.volumes.pop(instance["id"], None)
    if not state.settings.instances.deleted_visible:
        del state.instances[instance["id"]]
        state.containers[instance["container_id"]].instances.pop(instance["id"], None)
