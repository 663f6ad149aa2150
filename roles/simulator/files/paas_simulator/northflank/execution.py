# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands over WebSocket: the paths, who may run one, and in which container.

The platform does not say which permission this asks for: those used here are the simulator's own.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from ..messages import Record
from .ask import Ask
from .errors import ApiError
from .loading import digest, slug

_EXEC = "/v1/command-exec"
RUNNING = "TASK_RUNNING"

PERMISSIONS = {
    "addon": "Project > Addons > Deployment > Exec",
    "service": "Project > Services > Deployment > Exec",
    "job": "Project > Jobs > Deployment > Exec",
}


def _path(kind: str, team: str) -> str:
    return f"{_EXEC}{team}/projects/{{projectId}}/{kind}s/{{{kind}Id}}"


# Path template → kind of what the command is to run in. The team is inside, not in front.
PATHS = {_path(kind, team): kind for kind in PERMISSIONS for team in ("", "/teams/{teamId}")}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a command is to run: a container, its place on this machine, and whose token it was."""

    container: Record
    container_name: str
    place: str


def holder(ask: Ask, kind: str) -> tuple[Record, list[Record]]:
    """Return the data and the containers of the addon, service or job that the path names. Raises ApiError."""
    if kind == "addon":
        addon = ask.addon()
        return addon.data, addon.containers
    workload = ask.service() if kind == "service" else ask.job()
    return workload.data, workload.containers


def place(app_id: str, kind: str, name: str) -> str:
    """Return the name of the directory that plays a container."""
    return f"{slug(f'c {name}')[:40]}-{digest(app_id, kind, name)[:12]}"


def target(ask: Ask, kind: str, instance: str | None, container_name: str | None) -> Target:
    """Return where a command is to run: in the container of that name, else in any that runs. Raises ApiError."""
    data, containers = holder(ask, kind)
    container = _any(containers) if instance is None else _named(containers, instance)
    if container_name is not None and container_name != data["id"]:
        raise ApiError(404, f"Container {container_name} not found in instance {container['name']}")
    return Target(container, data["id"], place(data["appId"], kind, container["name"]))


def _any(containers: list[Record]) -> Record:
    running = [each for each in containers if each["status"] == RUNNING]
    if not running:
        raise ApiError(409, "There is no running instance")
    return random.choice(running)


def _named(containers: list[Record], name: str) -> Record:
    found = [each for each in containers if each["name"] == name]
    if not found:
        raise ApiError(404, f"Instance {name} not found")
    running = [each for each in found if each["status"] == RUNNING]
    if not running:
        raise ApiError(409, f"Instance {name} is not running: {found[0]['status']}")
    return running[0]
