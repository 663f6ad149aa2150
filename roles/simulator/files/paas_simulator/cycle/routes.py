# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes served, with the capability that exists for each; tasks of instances ask for theirs when they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..messages import Record
from . import container_tasks, credentials, reads, server_tasks, tasks, telemetry, writes
from .ask import Ask

_VIEW, _MANAGE = "containers-view", "containers-manage"
_C = "/v1/containers/{containerId}"
_I = f"{_C}/instances/{{instanceId}}"
_S = "/v1/infrastructure/servers/{serverId}"


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path, the capability it asks for, the function that serves it, the status when that went well."""

    method: str
    path: str
    capability: str | None
    serve: Callable[[Ask], Record]
    status: int = 200


ROUTES = (
    Route("GET", "/v1/containers", _VIEW, reads.containers),
    Route("GET", _C, _VIEW, reads.container),
    Route("PATCH", _C, _MANAGE, container_tasks.patch),
    Route("POST", f"{_C}/tasks", _MANAGE, container_tasks.task, 202),
    Route("GET", f"{_C}/servers", _VIEW, reads.container_servers),
    Route("GET", f"{_C}/servers/usable", _VIEW, reads.usable_servers),
    Route("GET", f"{_C}/instances", _VIEW, reads.instances),
    Route("POST", f"{_C}/instances", _MANAGE, writes.create, 202),
    Route("DELETE", f"{_C}/instances", _MANAGE, writes.delete_many, 202),
    Route("GET", _I, _VIEW, reads.instance),
    Route("DELETE", _I, _MANAGE, writes.delete, 202),
    Route("GET", f"{_I}/ssh", "containers-ssh", credentials.mint_ssh),
    Route("DELETE", f"{_I}/ssh", "containers-ssh", credentials.expire_ssh),
    Route("POST", f"{_I}/tasks", None, tasks.instance_task, 202),
    Route("GET", f"{_I}/volumes", _VIEW, reads.volumes),
    Route("GET", f"{_I}/telemetry/resources/report", _VIEW, telemetry.report),
    Route("GET", f"{_I}/telemetry/resources/stream", _VIEW, credentials.telemetry),
    Route("GET", f"{_I}/console", "containers-console", credentials.console),
    Route("GET", "/v1/environments", "environments-view", reads.environments),
    Route("GET", "/v1/environments/{environmentId}", "environments-view", reads.environment),
    Route("GET", "/v1/hubs/current", None, reads.hub),
    Route("GET", "/v1/hubs/current/activity", "hubs-auditlog-view", reads.activity),
    Route("GET", "/v1/hubs/current/notifications", "apionly-notifications-listen", credentials.notifications),
    Route("GET", "/v1/infrastructure/servers", "servers-view", reads.servers),
    Route("GET", _S, "servers-view", reads.server),
    Route("GET", f"{_S}/instances", _VIEW, reads.server_instances),
    Route("POST", f"{_S}/tasks", "servers-manage", server_tasks.task, 202),
    Route("GET", "/v1/jobs", "apionly-jobs-view", reads.jobs),
    Route("GET", "/v1/jobs/latest", "apionly-jobs-view", reads.latest_jobs),
    Route("GET", "/v1/jobs/{jobId}", "apionly-jobs-view", reads.job),
)
