# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is read with GET."""

from __future__ import annotations

from collections.abc import Collection

from ..messages import Record
from . import backups as stored
from . import catalogue, template_runs
from .access import scoped
from .ask import Ask
from .errors import ApiError, not_found
from .shapes import render
from .state import Project

RUN_STATES = (
    "pending",
    "running",
    "success",
    "failure",
    "aborted",
    "aborting",
    "queued",
    "unknown",
    "skipped",
    "waiting",
    "retrying",
    "async_wait",
    "approval_wait",
)


def auth(ask: Ask) -> Record:
    """GET /v1/auth."""
    held = [permission for permission in ask.permissions if ask.token.may(permission)]
    return ask.one("auth", {**ask.token.data, "permissions": scoped(held)})


def login(_ask: Ask) -> Record:
    """GET /v1/login: not documented; the command line client takes any JSON of a 200 as success."""
    return {"data": {}}


def projects(ask: Ask) -> Record:
    """GET /v1/projects."""
    found: Collection[Project] = ask.team.projects.values()
    if ask.token.restricted:
        found = [project for project in found if ask.token.sees(project.data["id"])]
    return ask.page_of("projects", "project item", found)


def project(ask: Ask) -> Record:
    """GET P, with its services, jobs and addons."""
    found = ask.project()
    payload = ask.one("project", found.data)
    payload["data"] |= {
        "services": [ask.show("embedded service")(service.data) for service in found.services.values()],
        "jobs": [ask.show("embedded job")(job.data) for job in found.jobs.values()],
        "addons": [ask.show("embedded addon")(addon.data) for addon in ask.addons()],
    }
    return payload


def addons(ask: Ask) -> Record:
    """GET P/addons."""
    return ask.page_of("addons", "addon item", ask.addons())


def addon(ask: Ask) -> Record:
    """GET A."""
    return ask.one("addon", ask.addon().data)


def containers(ask: Ask) -> Record:
    """GET A/containers."""
    return ask.page("containers", "container", ask.addon().containers)


def backups(ask: Ask) -> Record:
    """GET A/backups."""
    return ask.page("backups", "backup item", ask.addon().backups.values())


def backup(ask: Ask) -> Record:
    """GET B."""
    found = stored.named(ask)
    restores = ask.addon().by_backup.get((ask.given["projectId"], ask.given["addonId"], found["id"]), [])
    if restores:
        last = max(restores, key=lambda restore: str(restore["restoreTimestamp"]))
        found = {**found, "lastRestore": render("last restore", last, ask.settings.seed)}
    return ask.one("backup", found)


def backup_restores(ask: Ask) -> Record:
    """GET B/restores; with a source: the restores of another addon's backup into this one."""
    source = stored.source(ask)
    target, found = ask.addon(), stored.named(ask, *source)
    return ask.page("restores", "restore", target.by_backup.get((*source, found["id"]), []))


def addon_restores(ask: Ask) -> Record:
    """GET A/restores: all restores into the addon."""
    return ask.page("restores", "addon restore", ask.addon().restores)


def version(ask: Ask) -> Record:
    """GET A/version; addons of other kinds than managed databases have none."""
    found = ask.addon()
    if not found.managed:
        raise ApiError(404, "Addon has no version", "addon-version-not-found", {"addonId": found.data["id"]})
    return ask.one("version", catalogue.version(found))


def addon_types(_ask: Ask) -> Record:
    """GET /v1/addon-types, which does not page."""
    return {"data": {"addonTypes": catalogue.TYPES}}


def services(ask: Ask) -> Record:
    """GET P/services."""
    return ask.page_of("services", "service item", ask.project().services.values())


def service(ask: Ask) -> Record:
    """GET P/services/{serviceId}."""
    return ask.one("service", ask.service().data)


def service_containers(ask: Ask) -> Record:
    """GET P/services/{serviceId}/containers."""
    return ask.page("containers", "container", ask.service().containers)


def jobs(ask: Ask) -> Record:
    """GET P/jobs."""
    return ask.page_of("jobs", "job item", ask.project().jobs.values())


def job(ask: Ask) -> Record:
    """GET P/jobs/{jobId}."""
    return ask.one("job", ask.job().data)


def job_runs(ask: Ask) -> Record:
    """GET P/jobs/{jobId}/runs."""
    return ask.page("runs", "job run", ask.job().runs.values())


def job_containers(ask: Ask) -> Record:
    """GET P/jobs/{jobId}/containers of the run that is asked for, else of the last one; runId is empty without any."""
    holder, wanted = ask.job(), ask.call.first("runId")
    run = holder.runs.get(wanted) if wanted else holder.last_run()
    if wanted and run is None:
        raise not_found("job run", runId=wanted)
    run_id = run["id"] if run is not None else ""
    found = [container for container in holder.containers if container["runId"] == run_id]
    payload = ask.page("containers", "container", found)
    payload["data"]["runId"] = run_id
    return payload


def templates(ask: Ask) -> Record:
    """GET /v1/templates."""
    return ask.page_of("templates", "template item", ask.team.templates.values())


def template(ask: Ask) -> Record:
    """GET T; it takes the paging parameters and does not page."""
    return ask.one("template", ask.template().data)


def _invalid(name: str, why: str, value: str) -> ApiError:
    return ApiError(400, f"Invalid query parameter: {name} {why}", details={name: value})


def _filters(ask: Ask) -> Record:
    if ask.settings.seed:
        return {}
    wanted: Record = {}
    status, concluded = ask.call.first("status"), ask.call.first("concluded")
    if status:
        if status not in RUN_STATES:
            raise _invalid("status", "is not a state of template runs", status)
        wanted["status"] = status
    if concluded:
        if concluded not in ("true", "false"):
            raise _invalid("concluded", "must be true or false", concluded)
        wanted["concluded"] = concluded == "true"
    return wanted


def runs(ask: Ask) -> Record:
    """GET T/runs, with the filters status and concluded."""
    found: Collection[Record] = template_runs.settled(ask).runs.values()
    wanted = _filters(ask)
    if wanted:
        found = [run for run in found if all(run[name] == value for name, value in wanted.items())]
    return ask.page("templateRuns", "run item", found)


def run(ask: Ask) -> Record:
    """GET T/runs/{templateRunId}, with the node tree."""
    template = template_runs.settled(ask)
    return template_runs.whole(ask, template, template_runs.named(ask, template))
