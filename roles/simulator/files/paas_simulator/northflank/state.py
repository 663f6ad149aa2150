# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the platform. Records are dictionaries in the platform's own spelling; shapes.py says who shows what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..messages import Record

_ALIVE = ("TASK_RUNNING", "TASK_STARTING", "TASK_STAGING")

RestoreKey = tuple[str, str, str]


@dataclass(slots=True)
class Addon:
    """An addon; ``restores`` are those into this addon, also from backups of other addons.

    ``busy`` are the kinds and records of what it is at work on, when that shows in its status.
    """

    data: Record
    containers: list[Record] = field(default_factory=list)
    backups: dict[str, Record] = field(default_factory=dict)
    restores: list[Record] = field(default_factory=list)
    by_backup: dict[RestoreKey, list[Record]] = field(default_factory=dict)
    busy: list[tuple[str, Record]] = field(default_factory=list)

    @property
    def managed(self) -> bool:
        """Say whether this is a managed database, the only kind the oldest pages know."""
        return "versionTag" in self.data["spec"]["config"]

    def add_restore(self, restore: Record) -> None:
        """Add a restore; its ``source`` names project and addon of the backup."""
        self.restores.append(restore)
        key = (restore["source"]["projectId"], restore["source"]["addonId"], restore["backupId"])
        self.by_backup.setdefault(key, []).append(restore)

    def describe(self) -> Record:
        """Return the whole addon as JSON data."""
        parts = {"containers": self.containers, "backups": list(self.backups.values()), "restores": self.restores}
        return {**self.data, **parts}


@dataclass(slots=True)
class Workload:
    """A service or a job; ``runs`` are a job's, whose containers name theirs with ``runId``."""

    data: Record
    containers: list[Record] = field(default_factory=list)
    runs: dict[str, Record] = field(default_factory=dict)

    def count(self) -> None:
        """Let a service want as many containers as run or are about to; without any it is paused."""
        if "deployment" in self.data:
            alive = sum(each["status"] in _ALIVE for each in self.containers)
            self.data["deployment"] = {**self.data["deployment"], "instances": alive}

    def last_run(self) -> Record | None:
        """Return the run that was started last."""
        return max(self.runs.values(), key=lambda run: str(run["startedAt"]), default=None)

    def describe(self) -> Record:
        """Return the whole service or job as JSON data."""
        return {**self.data, "containers": self.containers, "runs": list(self.runs.values())}


@dataclass(slots=True)
class Project:
    """A project. ``base`` begins the full identifiers in it; ``nodes``: what its containers show of an own cluster."""

    data: Record
    base: str
    nodes: list[Record] = field(default_factory=list)
    services: dict[str, Workload] = field(default_factory=dict)
    jobs: dict[str, Workload] = field(default_factory=dict)
    addons: dict[str, Addon] = field(default_factory=dict)

    def describe(self) -> Record:
        """Return the whole project as JSON data."""
        return {
            **self.data,
            "services": [service.describe() for service in self.services.values()],
            "jobs": [job.describe() for job in self.jobs.values()],
            "addons": [addon.describe() for addon in self.addons.values()],
        }


@dataclass(slots=True)
class Template:
    """A template and its runs; ``queue`` are those that wait for their turn, by id."""

    data: Record
    runs: dict[str, Record] = field(default_factory=dict)
    queue: list[str] = field(default_factory=list)

    def describe(self) -> Record:
        """Return the whole template as JSON data."""
        return {**self.data, "runs": list(self.runs.values())}


@dataclass(slots=True)
class Team:
    """A team with its projects and templates."""

    data: Record
    projects: dict[str, Project] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)

    def describe(self) -> Record:
        """Return the whole team as JSON data."""
        return {**self.data, "projects": _all(self.projects.values()), "templates": _all(self.templates.values())}


def _all(things: Iterable[Project] | Iterable[Template]) -> list[Record]:
    return [thing.describe() for thing in things]
