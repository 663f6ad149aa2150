# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the estate file to the state: what the file leaves out is filled in, timelines and generators are started."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from ..clock import Clock, iso, parse
from ..merge import merge_patch
from ..messages import Record
from ..timeline import Timelines
from . import generation
from .lives import changer, stamp
from .state import Addon, Project, Team, Template, Workload

MANAGED_CONFIG: Record = {
    "lifecycleStatus": "active",
    "deployment": {
        "replicas": 1,
        "storageSize": 4096,
        "planId": "nf-compute-20",
        "region": "europe-west",
        "storageClass": "ssd",
    },
    "networking": {"tlsEnabled": True, "externalAccessEnabled": False},
}
BUILD_SETTINGS: Record = {
    "dockerfile": {"buildEngine": "buildkit", "dockerFilePath": "/Dockerfile", "dockerWorkDir": "/"}
}
JOB: Record = {
    "jobType": "manual",
    "suspended": False,
    "billing": {"deploymentPlan": "nf-compute-20"},
    "settings": {"backoffLimit": 0, "activeDeadlineSeconds": 3600},
}
TEMPLATE_SPEC: Record = {"kind": "Workflow", "spec": {"type": "sequential", "steps": []}}

# Keys of the estate file that are no data of the platform.
_NOTES = frozenset({"then", "generate"})

# What a run has from its template.
_SHARED = ("name", "description", "apiVersion", "options", "arguments")


def slug(name: str) -> str:
    """Return the id the platform makes of a name: "My App" becomes "my-app". Raises ValueError."""
    made = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not made:
        raise ValueError(f"no id can be made of the name {name!r}: it has no letter or digit of ASCII; give an id")
    return made


def _id(entry: Record) -> str:
    return str(entry["id"]) if "id" in entry else slug(entry["name"])


def digest(*parts: str) -> str:
    """Return 24 hexadecimal digits, always the same for the same parts."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:24]


def organisations(estate: Record) -> dict[str, Record]:
    """Return the organisations of an estate by id."""
    return {entry["id"]: {"uid": digest("org", entry["id"]), **entry} for entry in estate.get("organisations", [])}


def service_defaults(kind: str) -> Record:
    """Return what a service of a kind (combined, build, deployment) has unless the estate says otherwise."""
    record: Record = {"serviceType": kind, "billing": {}, "status": {}}
    if kind != "deployment":
        record["billing"]["buildPlan"] = "nf-compute-400-16"
        record["status"]["build"] = {"status": "SUCCESS", "lastTransitionTime": "2026-11-01T15:20:00.000Z"}
        record["buildSettings"] = BUILD_SETTINGS
    if kind != "build":
        record["billing"]["deploymentPlan"] = "nf-compute-50"
        moment = "2026-11-01T15:24:30.000Z"
        record["status"]["deployment"] = {"status": "COMPLETED", "reason": "DEPLOYING", "lastTransitionTime": moment}
        record["deployment"] = {"type": "deployment"}
    return record


class Loader:
    """Makes records complete and gives them their timelines."""

    def __init__(self, clock: Clock, timelines: Timelines) -> None:
        self._clock = clock
        self._timelines = timelines

    def now(self) -> float:
        """Return the simulator's time in unix seconds."""
        return self._clock.now()

    def record(self, kind: str, entry: Record, defaults: Mapping[str, Any]) -> Record:
        """Return a record from an estate entry, its future attached."""
        record = {**defaults, **{key: deepcopy(value) for key, value in entry.items() if key not in _NOTES}}
        if "then" in entry:
            self._timelines.attach(record, entry["then"], self.now(), changer(kind))
        return record

    def teams(self, estate: Record) -> dict[str, Team]:
        """Return the teams of an estate's section by id."""
        return {entry["id"]: self.team(entry) for entry in estate["teams"]}

    def team(self, entry: Record) -> Team:
        """Return a team with everything in it."""
        own = {key: value for key, value in entry.items() if key not in ("projects", "templates")}
        team = Team({"uid": digest("team", entry["id"]), **own})
        for part in entry.get("projects", []):
            project = self.project(entry["id"], part)
            team.projects[project.data["id"]] = project
        for part in entry.get("templates", []):
            template = self.template(entry["id"], part)
            team.templates[template.data["id"]] = template
        return team

    def project(self, team_id: str, entry: Record) -> Project:
        """Return a project with everything in it."""
        parts = ("services", "jobs", "addons", "nodes")
        own = {key: value for key, value in entry.items() if key not in parts}
        identifier = _id(entry)
        region = entry.get("deployment", {}).get("region", "europe-west")
        uid = digest("project", team_id, identifier)
        defaults = {
            "id": identifier,
            "uid": uid,
            "lifecycleStatus": "created",
            "createdAt": iso(self.now()),
            "cluster": {"id": f"nf-{region}", "name": f"nf-{region}", "namespace": f"ns-{uid[:12]}"},
            **({} if "nodes" in entry else {"deployment": {"region": region}}),
        }
        base = f"/{team_id}/{identifier}"
        project = Project(self.record("project", own, defaults), base, entry.get("nodes", []))
        for part in entry.get("services", []):
            self.service(project, part)
        for part in entry.get("jobs", []):
            self.job(project, part)
        for part in entry.get("addons", []):
            addon = self.addon(project, part)
            project.addons[addon.data["id"]] = addon
        return project

    def service(self, project: Project, entry: Record) -> Workload:
        """Add a service to a project and return it; it wants as many containers as the estate gives it."""
        service = self._workload("service", project, entry, service_defaults(entry.get("serviceType", "combined")))
        for part in entry.get("containers", []):
            self.container(project, service.containers, part)
        service.count()
        project.services[service.data["id"]] = service
        return service

    def job(self, project: Project, entry: Record) -> Workload:
        """Add a job with its runs, and their containers, to a project and return it."""
        job = self._workload("job", project, entry, JOB)
        for part in entry.get("runs", []):
            self.job_run(project, job, part)
        project.jobs[job.data["id"]] = job
        return job

    def _workload(self, kind: str, project: Project, entry: Record, defaults: Record) -> Workload:
        own = {key: value for key, value in entry.items() if key not in ("containers", "runs")}
        identifier = _id(entry)
        app_id = f"{project.base}/{identifier}"
        common = {
            "id": identifier,
            "appId": app_id,
            "uid": digest("app", app_id),
            "projectId": project.data["id"],
            "tags": [],
            "disabledCI": False,
            "disabledCD": False,
            "createdAt": project.data["createdAt"],
            "cluster": project.data["cluster"],
        }
        return Workload(self.record(kind, own, deepcopy({**common, **defaults})))

    def job_run(self, project: Project, job: Workload, entry: Record) -> Record:
        """Add a run with its containers to a job and return its record."""
        number = str(len(job.runs))
        identifier = str(entry.get("id", digest("job run", job.data["appId"], number)))
        status = entry.get("status", "SUCCESS")
        defaults = {
            "id": identifier,
            "runName": f"{job.data['id']}-{identifier[:8]}",
            "status": status,
            "concluded": status != "RUNNING",
            "active": int(status == "RUNNING"),
            "succeeded": int(status == "SUCCESS"),
            "failed": int(status == "FAILED"),
            "completions": 1,
            "backoffLimit": job.data["settings"]["backoffLimit"],
            "startedAt": stamp("job run", self.now()),
        }
        own = {key: value for key, value in entry.items() if key != "containers"}
        run = self.record("job run", own, defaults)
        job.runs[identifier] = run
        for part in entry.get("containers", []):
            self.container(project, job.containers, {"runId": identifier, **part})
        return run

    def addon(self, project: Project, entry: Record) -> Addon:
        """Return an addon of a project with everything in it."""
        parts = ("type", "config", "pendingActions", "containers", "backups", "restores")
        own = {key: value for key, value in entry.items() if key not in parts}
        identifier = _id(entry)
        app_id = f"{project.base}/{identifier}"
        spec = {
            "type": entry["type"],
            "config": _config(entry.get("config", {}), project),
            "pendingActions": deepcopy(entry.get("pendingActions", [])),
        }
        defaults = {
            "id": identifier,
            "appId": app_id,
            "uid": digest("app", app_id),
            "status": "running",
            "tags": [],
            "createdAt": project.data["createdAt"],
            "cluster": deepcopy(project.data["cluster"]),
            "spec": spec,
        }
        addon = Addon(self.record("addon", own, defaults))
        for part in entry.get("containers", []):
            self.container(project, addon.containers, part)
        for part in entry.get("backups", []):
            self.backup(addon, part)
        for part in entry.get("restores", []):
            self.restore(project, addon, part)
        if "generate" in entry:
            generation.fill_addon(self, project, addon, entry["generate"])
        return addon

    def container(self, project: Project, containers: list[Record], entry: Record) -> Record:
        """Add a container to those of something and return its record; on an own cluster it shows its node."""
        number = len(containers)
        created = int(self.now()) - 86400
        defaults: Record = {
            "createdAt": created,
            "status": "TASK_RUNNING",
            "updatedAt": entry.get("createdAt", created),
        }
        if project.nodes:
            node = project.nodes[number % len(project.nodes)]
            defaults |= {**node, "ipAddresses": [f"10.244.{number // 250 % 250}.{number % 250 + 1}"]}
        record = self.record("container", entry, defaults)
        containers.append(record)
        return record

    def backup(self, addon: Addon, entry: Record) -> Record:
        """Add a backup to an addon and return its record."""
        identifier = _id(entry)
        config: Record = {"size": "0", "source": {"type": "liveInstance"}}
        version = addon.data["spec"]["config"].get("versionTag")
        if version:
            config["addonVersion"] = version
        defaults = {
            "id": identifier,
            "name": identifier,
            "uid": digest("backup", addon.data["appId"], identifier),
            "status": "completed",
            "createdAt": stamp("backup", self.now()),
        }
        record = self.record("backup", {**entry, "config": merge_patch(config, entry.get("config", {}))}, defaults)
        addon.backups[identifier] = record
        return record

    def restore(self, project: Project, addon: Addon, entry: Record) -> Record:
        """Add a restore into an addon and return its record; ``source`` names another addon of the backup."""
        own = {"projectId": project.data["id"], "addonId": addon.data["id"]}
        number = str(len(addon.restores))
        defaults = {
            "id": digest("restore", addon.data["appId"], entry["backupId"], number),
            "restoreTimestamp": stamp("restore", self.now()),
            "status": "completed",
        }
        record = self.record("restore", {**entry, "source": {**own, **entry.get("source", {})}}, defaults)
        addon.add_restore(record)
        return record

    def template(self, team_id: str, entry: Record) -> Template:
        """Return a template with its runs."""
        own = {key: value for key, value in entry.items() if key != "runs"}
        created = iso(self.now(), " ")
        defaults = {
            "id": _id(entry),
            "apiVersion": "v1.2",
            "options": {"autorun": False, "concurrencyPolicy": "allow"},
            "spec": TEMPLATE_SPEC,
            "createdAt": created,
            "updatedAt": created,
        }
        data = self.record("template", own, defaults)
        data.setdefault("concurrencyPolicy", data["options"].get("concurrencyPolicy", "allow"))
        template = Template(data)
        for part in entry.get("runs", []):
            self.run(template, part)
        if "generate" in entry:
            generation.fill_template(self, template, entry["generate"])
        return template

    def run(self, template: Template, entry: Record) -> Record:
        """Add a run to a template and return its record. Raises ValueError."""
        data = template.data
        number = str(len(template.runs))
        text = digest("run", data["id"], number) + digest(number)
        created = entry.get("createdAt", stamp("run", self.now()))
        shared: Record = {key: data[key] for key in _SHARED if key in data}
        status = entry.get("status", "success")
        defaults = {
            **shared,
            "id": f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}",
            "templateId": data["id"],
            "status": status,
            "concluded": status in ("success", "failure", "aborted", "skipped", "unknown"),
            "createdAt": created,
            "updatedAt": entry.get("concludedAt", entry.get("startedAt", created)),
        }
        record = self.record("run", entry, defaults)
        # Read again for each node of the run: refuse now what cannot be read then.
        parse(str(record.get("startedAt", created)))
        template.runs[record["id"]] = record
        return record

    def token(self, entry: Record) -> Record:
        """Return a token's entry with all that GET /v1/auth shows of it."""
        defaults = {"id": digest("token", entry["name"]), "createdAt": iso(self.now()), "tokenKind": "api"}
        return {**defaults, "expiresAt": None, "scope": "role", **entry}


def _config(config: Record, project: Project) -> Record:
    """Return an addon's configuration; only that of managed databases has more than the estate says."""
    if "versionTag" not in config:
        return deepcopy(config)
    region = project.data.get("deployment", {}).get("region", project.data["cluster"]["id"])
    managed: Record = merge_patch(MANAGED_CONFIG, {"deployment": {"region": region}})
    complete: Record = merge_patch(managed, config)
    return complete
