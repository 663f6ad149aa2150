# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers replaced while they run, as a new deployment or a lost node does it: one goes, another comes."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from ..messages import Record
from ..timeline import Timelines
from . import execution
from .generation import named, suffix
from .lives import changer
from .loading import Loader
from .state import Addon, Project, Team, Workload

_KEYS = {"team", "project", "addon", "service", "job", "container", "name", "leaves", "after", "sockets"}
LEAVES = ("killed", "gone")
SOCKETS = ("reset", "close", "completion")


@dataclass(frozen=True, slots=True)
class Replaced:
    """The container that went, its place on this machine, what becomes of its sockets; and the one that came."""

    old: Record
    place: str
    sockets: str
    new: Record


def replace(loader: Loader, timelines: Timelines, teams: dict[str, Team], request: Any) -> Replaced:
    """Carry out ``POST /_sim/replace``. Raises ValueError."""
    _check(request)
    team = named(teams, request.get("team", next(iter(teams), "")), "team")
    project: Project = named(team.projects, request.get("project"), "project")
    kind, holder = _holder(project, request)
    old = _container(holder.containers, request.get("container"))
    timelines.cancel(old)
    changer("container")(old, {"status": "TASK_KILLED"}, loader.now())
    if request.get("leaves") == "gone":
        holder.containers.remove(old)
    entry = {name: old[name] for name in ("runId",) if name in old}
    entry |= {"name": request.get("name", _name(old, len(holder.containers))), "createdAt": int(loader.now())}
    if request.get("after"):
        entry |= {"status": "TASK_STARTING", "then": [{"after": request["after"], "status": "TASK_RUNNING"}]}
    new = loader.container(project, holder.containers, entry)
    place = execution.place(holder.data["appId"], kind, old["name"])
    return Replaced(old, place, request.get("sockets", SOCKETS[0]), new)


def _check(request: Any) -> None:
    if not isinstance(request, dict) or set(request) - _KEYS:
        raise ValueError(f"the body is an object with any of {', '.join(sorted(_KEYS))}")
    if request.get("leaves", LEAVES[0]) not in LEAVES or request.get("sockets", SOCKETS[0]) not in SOCKETS:
        raise ValueError(f"leaves is one of {', '.join(LEAVES)}, sockets one of {', '.join(SOCKETS)}")
    after = request.get("after", 0)
    if not isinstance(after, (int, float)) or isinstance(after, bool) or after < 0:
        raise ValueError("after is a number of seconds from 0")


def _holder(project: Project, request: Record) -> tuple[str, Addon | Workload]:
    kinds: dict[str, dict[str, Any]] = {"addon": project.addons, "service": project.services, "job": project.jobs}
    given = [kind for kind in kinds if kind in request]
    if len(given) != 1:
        raise ValueError("one of addon, service, job is needed")
    return given[0], named(kinds[given[0]], request[given[0]], given[0])


def _container(containers: list[Record], name: Any) -> Record:
    """Return the running container of that name; without a name, the first that runs."""
    running = [each for each in containers if each["status"] == execution.RUNNING]
    found = [each for each in running if name is None or each["name"] == name]
    if not found:
        raise ValueError("there is no such running container")
    return found[0]


def _name(old: Record, number: int) -> str:
    """Return a name that differs from the old one behind the last dash."""
    name = str(old["name"])
    return f"{name.rpartition('-')[0] or name}-{suffix(Random(f'{name}/{number}'))}"
