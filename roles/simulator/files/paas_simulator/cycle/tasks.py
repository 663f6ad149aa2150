# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of an instance besides migration, and which task is which."""

from __future__ import annotations

from collections.abc import Callable

from ..messages import Record
from . import jobs, migration
from .activity import context_of
from .ask import Ask
from .errors import invalid
from .stamps import nano
from .state import State
from .units import megabytes

MIGRATE = "containers-instances-migrate"


def _volume(state: State, instance: Record, wanted: object) -> Record:
    """Return the volume of an id: its own or that of its deployment; that of the container where it is switched on."""
    for volume in state.volumes.get(instance["id"], []):
        deployed = volume["deployed"] or {}
        ids = [volume["id"], deployed.get("id")]
        if state.settings.volumes.container_volume_id:
            ids.append(deployed.get("container_volume_id"))
        if wanted in ids:
            return volume
    raise invalid("the instance has no such volume", "/contents/volume_id")


def extend_volume(ask: Ask, contents: Record) -> Record:
    """The task volume.extend: adds to what there is."""
    state, instance = ask.state, ask.instance()
    if not {"volume_id", "extend_size"} <= set(contents):
        raise invalid("volume_id and extend_size are required", "/contents", "422.missing-argument")
    try:
        added = megabytes(contents["extend_size"])
    except ValueError as exc:
        raise invalid(str(exc), "/contents/extend_size") from None
    if added < 1:
        raise invalid("extend_size is more than nothing", "/contents/extend_size")
    volume = _volume(state, instance, contents["volume_id"])
    if volume["deployed"] is None:
        raise invalid("the volume is not deployed", "/contents/volume_id", "422.invalid-input")

    def done(moment: float) -> None:
        volume["deployed"]["storage"]["total"] += added
        volume["deployed"]["last_updated"] = nano(moment)

    given = {"container_id": instance["container_id"], "instance_id": instance["id"], **contents}
    work = jobs.Work(
        "container.instance.volume.extend",
        f"Extend a volume of {instance['hostname']}",
        context_of(ask.container(), instance),
        [("Extend volume", given)],
        ("Extend volume", "Grow file system"),
        state.settings.jobs.running,
        done=done,
    )
    return jobs.begin(state, ask.key, work)


def drain_traffic(ask: Ask, contents: Record) -> Record:
    """The task traffic-drain.reconfigure: sets or clears traffic_drain."""
    state, instance, enable = ask.state, ask.instance(), contents.get("enable")
    if not isinstance(enable, bool):
        raise invalid("enable is a boolean", "/contents/enable")

    def done(moment: float) -> None:
        if not enable:
            instance["traffic_drain"] = None
        elif instance["traffic_drain"] is None:
            instance["traffic_drain"] = {"started": nano(moment)}

    given = {"container_id": instance["container_id"], "instance_id": instance["id"], "enable": enable}
    work = jobs.Work(
        "container.instance.traffic-drain.reconfigure",
        f"{'Drain' if enable else 'Resume'} traffic of {instance['hostname']}",
        context_of(ask.container(), instance),
        [("Reconfigure traffic drain", given)],
        ("Reconfigure load balancers",),
        state.settings.jobs.running,
        done=done,
    )
    return jobs.begin(state, ask.key, work)


_TASKS: dict[str, Callable[[Ask, Record], Record]] = {
    "migration.start": migration.start,
    "migration.revert": migration.revert,
    "volume.extend": extend_volume,
    "traffic-drain.reconfigure": drain_traffic,
}


def instance_task(ask: Ask) -> Record:
    """POST I/tasks."""
    settings = ask.state.settings
    instance = ask.instance()
    action, contents = ask.task()
    if action not in _TASKS or (settings.seed and not action.startswith("migration.")):
        raise invalid(f"no such action: {action}", "/action")
    ask.demand(settings.volumes.capability if action == "volume.extend" else MIGRATE)
    if instance["state"]["current"] in ("deleting", "deleted"):
        raise invalid(f"the instance is {instance['state']['current']}", "/action", "422.invalid-input")
    return {"data": _TASKS[action](ask, contents)}
