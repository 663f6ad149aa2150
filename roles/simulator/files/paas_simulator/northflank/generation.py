# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated parts of an estate: any number of things, the same for the same seed."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from ..clock import iso
from ..messages import Record
from .state import Addon, Project, Team, Template, Workload

if TYPE_CHECKING:
    from .loading import Loader

_PURPOSES = ("orders", "billing", "catalogue", "sessions", "search", "reports", "identity", "media", "ledger", "stock")
_KINDS = {"postgresql": "16.4.0", "mysql": "8.4.3", "redis": "7.4.1", "mongodb": "7.0.14", "minio": "2024.11.7"}
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_STATES = ("TASK_RUNNING",) * 8 + ("TASK_STARTING", "TASK_FINISHED")
_BACKUP_STATES = ("completed",) * 9 + ("failed",)
_JOB_STATES = ("SUCCESS",) * 7 + ("FAILED",)
_RUN_STATES = ("success",) * 7 + ("failure", "failure", "aborted")
_AMOUNTS = ("projects", "addons", "services", "jobs", "containers", "backups", "restores", "templates", "runs")
_HOUR = 3600.0


def suffix(rng: Random) -> str:
    """Return how the name of a container ends."""
    return "".join(rng.choices(_ALPHABET, k=5))


def _containers(
    loader: Loader, rng: Random, project: Project, holder: Addon | Workload, amount: int, **more: str
) -> None:
    created = int(loader.now()) - 40 * 86400
    for _number in range(amount):
        created += rng.randrange(1, 600)
        entry = {
            **more,
            "name": f"{holder.data['id']}-{len(holder.containers) + 1}-{suffix(rng)}",
            "createdAt": created,
            "status": rng.choice(_STATES),
            "updatedAt": created + rng.randrange(0, 3600),
        }
        loader.container(project, holder.containers, entry)


def _backups(loader: Loader, rng: Random, addon: Addon, amount: int) -> list[Record]:
    moment = loader.now() - _HOUR
    made = []
    for _number in range(amount):
        took = rng.uniform(20, 900)
        entry = {
            "name": f"nightly-{len(addon.backups) + 1:05}",
            "status": rng.choice(_BACKUP_STATES),
            "createdAt": iso(moment),
            "completedAt": iso(moment + took),
            "config": {"size": str(rng.randrange(10**6, 10**10)), "source": {"type": "liveInstance"}},
        }
        made.append(loader.backup(addon, entry))
        moment -= rng.uniform(0.5, 1.5) * _HOUR
    return made


def _restores(loader: Loader, rng: Random, project: Project, addon: Addon, backups: list[Record], amount: int) -> None:
    moment = loader.now() - _HOUR / 2
    for backup in backups:
        for _number in range(amount):
            moment -= rng.uniform(1, 900)
            entry = {
                "backupId": backup["id"],
                "status": rng.choice(_BACKUP_STATES),
                "restoreTimestamp": iso(moment),
                "completedAt": iso(moment + rng.uniform(5, 600)),
            }
            loader.restore(project, addon, entry)


def fill_addon(loader: Loader, project: Project, addon: Addon, request: Record) -> None:
    """Add containers, backups and restores (for each of these backups) to an addon. Raises ValueError."""
    amounts = _amounts(request)
    rng = Random(f"{request.get('seed', 0)}/{addon.data['appId']}/{len(addon.backups)}")
    _containers(loader, rng, project, addon, amounts["containers"])
    made = _backups(loader, rng, addon, amounts["backups"])
    _restores(loader, rng, project, addon, made or list(addon.backups.values()), amounts["restores"])


def fill_service(loader: Loader, project: Project, service: Workload, request: Record) -> None:
    """Add containers to a service. Raises ValueError."""
    rng = Random(f"{request.get('seed', 0)}/{service.data['appId']}/{len(service.containers)}")
    _containers(loader, rng, project, service, _amounts(request)["containers"])


def fill_job(loader: Loader, project: Project, job: Workload, request: Record) -> None:
    """Add runs that have ended to a job, and containers to the last one, which runs. Raises ValueError."""
    amounts = _amounts(request)
    rng = Random(f"{request.get('seed', 0)}/{job.data['appId']}/{len(job.runs)}/{len(job.containers)}")
    if amounts["containers"]:
        last = job.last_run() or loader.job_run(project, job, {"status": "RUNNING"})
        _containers(loader, rng, project, job, amounts["containers"], runId=last["id"])
    moment = loader.now() - 40 * 86400
    for _number in range(amounts["runs"]):
        entry = {"status": rng.choice(_JOB_STATES), "startedAt": iso(moment), "concludedAt": iso(moment + 60)}
        loader.job_run(project, job, entry)
        moment -= rng.uniform(0.5, 4) * _HOUR


def fill_template(loader: Loader, template: Template, request: Record) -> None:
    """Add runs to a template. Raises ValueError."""
    rng = Random(f"{request.get('seed', 0)}/{template.data['id']}/{len(template.runs)}")
    moment = loader.now() - _HOUR
    for _number in range(_amounts(request)["runs"]):
        took = rng.uniform(10, 1200)
        entry = {
            "status": rng.choice(_RUN_STATES),
            "createdAt": iso(moment, " "),
            "startedAt": iso(moment + 1, " "),
            "concludedAt": iso(moment + took, " "),
        }
        loader.run(template, entry)
        moment -= rng.uniform(0.5, 4) * _HOUR


def _amounts(request: Record) -> dict[str, int]:
    amounts = {name: request.get(name, 0) for name in _AMOUNTS}
    for name, amount in amounts.items():
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount <= 100_000:
            raise ValueError(f"{name} is a number from 0 to 100000")
    return amounts


def named(things: dict[str, Any], identifier: str, kind: str) -> Any:
    """Return what an id names. Raises ValueError."""
    if identifier not in things:
        raise ValueError(f"no such {kind}: {identifier}")
    return things[identifier]


# What can only be added to something, and what that may be.
_PLACES = {
    "addon": ("project",),
    "service": ("project",),
    "job": ("project",),
    "addons": ("project", "projects"),
    "services": ("project", "projects"),
    "jobs": ("project", "projects"),
    "containers": ("addon", "addons", "service", "services", "job", "jobs"),
    "backups": ("addon", "addons"),
    "restores": ("addon", "addons"),
    "runs": ("template", "templates", "job", "jobs"),
}


def _check_places(request: Record) -> None:
    for name, places in _PLACES.items():
        if request.get(name) and not any(request.get(place) for place in places):
            raise ValueError(f"{name} needs {' or '.join(places)}")


def _following(things: dict[str, Any], amount: int) -> range:
    return range(len(things) + 1, len(things) + 1 + amount)


def _workload(request: Record, project: Project, kind: str) -> Record:
    """Return the entry of a new service or job."""
    number = len(project.services if kind == "service" else project.jobs) + 1
    rng = Random(f"{request.get('seed', 0)}/{project.data['id']}/{kind}/{number}")
    entry: Record = {"name": f"{rng.choice(_PURPOSES)}-{kind}-{number:05}"}
    return {**entry, "serviceType": "deployment"} if kind == "service" else entry


class Generator:
    """Carries out ``POST /_sim/generate``."""

    def __init__(self, loader: Loader, teams: dict[str, Team]) -> None:
        self._loader = loader
        self._teams = teams

    def add(self, request: Record) -> Record:
        """Add things to a team and return the ids of those added. Raises ValueError.

        Amounts: projects, addons, services, jobs (a project), containers (an addon, service, job), backups (an addon),
        restores (a backup), templates, runs (a template, a job). ``team`` names the team (the first one otherwise);
        ``project``, ``addon``, ``service``, ``job``, ``template`` name existing ones that get more, in place of new
        ones. ``seed`` is a number.
        """
        places = {"team", "project", "addon", "service", "job", "template", "seed"}
        unknown = sorted(set(request) - places - set(_AMOUNTS))
        if unknown:
            raise ValueError(f"unknown keys: {', '.join(unknown)}")
        amounts = _amounts(request)
        _check_places(request)
        team = named(self._teams, request.get("team", next(iter(self._teams), "")), "team")
        added: Record = {"team": team.data["id"], "projects": [], "templates": []}
        added |= {"addons": {}, "services": {}, "jobs": {}}
        for project in self._projects(team, request, amounts["projects"], added):
            self._addons(project, request, amounts["addons"], added)
            self._services(project, request, amounts["services"], added)
            self._jobs(project, request, amounts["jobs"], added)
        self._templates(team, request, amounts["templates"], added)
        return added

    def _projects(self, team: Team, request: Record, amount: int, added: Record) -> list[Project]:
        if "project" in request:
            return [named(team.projects, request["project"], "project")]
        rng = Random(f"{request.get('seed', 0)}/projects/{len(team.projects)}")
        made = []
        for number in _following(team.projects, amount):
            name = f"{rng.choice(_PURPOSES)}-{number:04}"
            project = self._loader.project(team.data["id"], {"name": name, "description": "Generated"})
            team.projects[name] = project
            added["projects"].append(name)
            made.append(project)
        return made

    def _addons(self, project: Project, request: Record, amount: int, added: Record) -> None:
        if "addon" in request:
            addons = [named(project.addons, request["addon"], "addon")]
        else:
            addons = [self._addon(project, request, len(project.addons) + 1) for _number in range(amount)]
            added["addons"][project.data["id"]] = [addon.data["id"] for addon in addons]
        for addon in addons:
            fill_addon(self._loader, project, addon, request)

    def _addon(self, project: Project, request: Record, number: int) -> Addon:
        rng = Random(f"{request.get('seed', 0)}/{project.data['id']}/{number}")
        kind = rng.choice(list(_KINDS))
        entry = {"name": f"{rng.choice(_PURPOSES)}-{number:05}", "type": kind, "config": {"versionTag": _KINDS[kind]}}
        addon = self._loader.addon(project, entry)
        project.addons[addon.data["id"]] = addon
        return addon

    def _services(self, project: Project, request: Record, amount: int, added: Record) -> None:
        if "service" in request:
            services = [named(project.services, request["service"], "service")]
        else:
            services = [
                self._loader.service(project, _workload(request, project, "service")) for _number in range(amount)
            ]
            added["services"][project.data["id"]] = [service.data["id"] for service in services]
        for service in services:
            fill_service(self._loader, project, service, request)
            service.count()

    def _jobs(self, project: Project, request: Record, amount: int, added: Record) -> None:
        if "job" in request:
            jobs = [named(project.jobs, request["job"], "job")]
        else:
            jobs = [self._loader.job(project, _workload(request, project, "job")) for _number in range(amount)]
            added["jobs"][project.data["id"]] = [job.data["id"] for job in jobs]
        for job in jobs:
            fill_job(self._loader, project, job, request)

    def _templates(self, team: Team, request: Record, amount: int, added: Record) -> None:
        if "template" in request:
            templates = [named(team.templates, request["template"], "template")]
        else:
            templates = []
            for number in _following(team.templates, amount):
                entry = {"name": f"Generated template {number}", "description": "Generated"}
                template = self._loader.template(team.data["id"], entry)
                team.templates[template.data["id"]] = template
                templates.append(template)
            added["templates"] = [template.data["id"] for template in templates]
        for template in templates:
            fill_template(self._loader, template, request)
