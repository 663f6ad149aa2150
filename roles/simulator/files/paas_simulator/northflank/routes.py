# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes served. Names of permissions are those of the official Python client; where the pages of 2021 to 2024
name another, ``seed_permission`` has it. ``team``: the route exists under ``/v1/teams/{teamId}`` as well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..messages import Record
from . import backups, reads, restores, template_runs
from .ask import Ask

PROJECTS = "Project > Projects > Manage > Read"
ADDONS = "Project > Addons > General > Read"
INSTANCES = "Project > Addons > Deployment > View Instances"
SERVICES = "Project > Services > General > Read"
SERVICE_INSTANCES = "Project > Services > Deployment > View Instances"
JOBS = "Project > Jobs > General > Read"
JOB_OBSERVABILITY = "Project > Jobs > Deployment > View Observability"
JOB_LOGS = "Project > Jobs > Deployment > View Instance Logs"
TEMPLATES = "Account > Templates > General > Read"
CHANGE_ADDONS = "Project > Addons > General > Update"
RUN_TEMPLATES = "Account > Templates > General > Run"
ABORT_RUNS = "Account > Templates > Runs > Abort"

# Permissions that routes of this platform ask for, here or elsewhere: what GET /v1/auth can name.
PERMISSIONS = (
    PROJECTS,
    ADDONS,
    CHANGE_ADDONS,
    "Project > Addons > General > Delete",
    "Project > Addons > General > Read Spec",
    INSTANCES,
    SERVICES,
    SERVICE_INSTANCES,
    JOBS,
    JOB_OBSERVABILITY,
    JOB_LOGS,
    TEMPLATES,
    RUN_TEMPLATES,
    ABORT_RUNS,
    "Organisation > Team > General > Read",
)

_P = "/v1/projects/{projectId}"
_A = f"{_P}/addons/{{addonId}}"
_S = f"{_P}/services/{{serviceId}}"
_J = f"{_P}/jobs/{{jobId}}"
_B = f"{_A}/backups/{{backupId}}"
_T = "/v1/templates/{templateId}"


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path, the permission it asks for, and the function that serves it."""

    method: str
    path: str
    permission: str | None
    serve: Callable[[Ask], Record]
    team: bool = True
    seed_permission: str | None = None

    def paths(self) -> list[str]:
        """Return the path and, where it exists, the one with the team."""
        return [self.path, *([self.path.replace("/v1", "/v1/teams/{teamId}", 1)] if self.team else [])]

    def needs(self, seed: bool) -> str | None:
        """Return the permission asked for."""
        return (self.seed_permission or self.permission) if seed else self.permission


ROUTES = (
    Route("GET", "/v1/auth", None, reads.auth, team=False),
    Route("GET", "/v1/login", None, reads.login, team=False),
    Route("GET", "/v1/projects", PROJECTS, reads.projects),
    Route("GET", _P, PROJECTS, reads.project),
    Route("GET", "/v1/addon-types", None, reads.addon_types, team=False),
    Route("GET", f"{_P}/addons", ADDONS, reads.addons),
    Route("GET", _A, ADDONS, reads.addon),
    Route("GET", f"{_A}/containers", ADDONS, reads.containers, seed_permission=INSTANCES),
    Route("GET", f"{_A}/version", ADDONS, reads.version),
    Route("GET", f"{_A}/backups", ADDONS, reads.backups),
    Route("POST", f"{_A}/backups", CHANGE_ADDONS, backups.start),
    Route("GET", _B, ADDONS, reads.backup),
    Route("DELETE", _B, CHANGE_ADDONS, backups.delete),
    Route("POST", f"{_B}/abort", CHANGE_ADDONS, backups.abort),
    Route("POST", f"{_B}/retain", CHANGE_ADDONS, backups.retain),
    Route("POST", f"{_B}/restore", CHANGE_ADDONS, restores.start),
    Route("POST", f"{_B}/abort-restore", CHANGE_ADDONS, restores.abort),
    Route("GET", f"{_B}/restores", ADDONS, reads.backup_restores),
    Route("GET", f"{_A}/restores", ADDONS, reads.addon_restores),
    Route("GET", f"{_P}/services", SERVICES, reads.services),
    Route("GET", _S, SERVICES, reads.service),
    Route("GET", f"{_S}/containers", SERVICES, reads.service_containers, seed_permission=SERVICE_INSTANCES),
    Route("GET", f"{_P}/jobs", JOBS, reads.jobs),
    Route("GET", _J, JOBS, reads.job),
    Route("GET", f"{_J}/runs", JOBS, reads.job_runs),
    Route("GET", f"{_J}/containers", JOB_OBSERVABILITY, reads.job_containers, seed_permission=JOB_LOGS),
    Route("GET", "/v1/templates", TEMPLATES, reads.templates),
    Route("GET", _T, TEMPLATES, reads.template),
    Route("GET", f"{_T}/runs", TEMPLATES, reads.runs),
    Route("POST", f"{_T}/runs", RUN_TEMPLATES, template_runs.start),
    Route("GET", f"{_T}/runs/{{templateRunId}}", TEMPLATES, reads.run),
    Route("POST", f"{_T}/runs/{{templateRunId}}/abort", ABORT_RUNS, template_runs.abort),
)
