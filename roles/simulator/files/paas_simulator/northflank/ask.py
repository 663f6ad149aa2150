# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An admitted request as the functions that serve routes see it: what it names, and how answers are made."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeVar

from ..messages import Call, Record
from ..timeline import Timelines
from .access import Token
from .errors import ApiError, not_found
from .loading import Loader
from .paging import page
from .settings import Settings
from .shapes import render
from .state import Addon, Project, Team, Template, Workload

Holder = TypeVar("Holder", Project, Addon, Template, Workload)


@dataclass(slots=True)
class Ask:
    """An admitted request.

    ``given`` are the path's parameters, ``team_id`` is empty for a route outside of teams, ``list_id`` tells one list
    from another, ``permissions`` are all that routes may ask for. ``left``: how many more backups, restores and runs
    have the outcome that the settings say; None: all.
    """

    call: Call
    token: Token
    given: dict[str, str]
    settings: Settings
    teams: dict[str, Team]
    team_id: str
    permissions: tuple[str, ...]
    list_id: str
    loader: Loader
    timelines: Timelines
    left: dict[str, int | None]

    @property
    def now(self) -> float:
        """The simulator's time in unix seconds."""
        return self.loader.now()

    @property
    def team(self) -> Team:
        """The team the request is about."""
        return self.teams[self.team_id]

    def show(self, kind: str) -> Callable[[Record], Record]:
        """Return the function that renders records of a kind."""
        seed = self.settings.seed
        return lambda record: render(kind, record, seed)

    def one(self, kind: str, record: Record) -> Record:
        """Return the payload of a single thing."""
        return {"data": render(kind, record, self.settings.seed)}

    def body(self, *names: str) -> Record:
        """Return the body, an object with any of these names; without a body it is empty. Raises ApiError."""
        if not self.call.body:
            return {}
        try:
            body = json.loads(self.call.body)
        except ValueError:
            raise ApiError(400, "Invalid request body: it is not JSON") from None
        if not isinstance(body, dict):
            raise ApiError(400, "Invalid request body: an object is expected")
        unknown = sorted(set(body) - set(names))
        if unknown:
            raise ApiError(400, f"Invalid request body: unknown: {', '.join(unknown)}", details={"unknown": unknown})
        return body

    def outcome(self, group: str, usual: str, identifier: str) -> str:
        """Return what is to become of a thing that is started: as the settings of its group say, else as usual."""
        wanted, left = getattr(self.settings, group), self.left[group]
        if wanted.outcome is None or left == 0 or not fnmatchcase(identifier, wanted.outcome_of):
            return usual
        self.left[group] = None if left is None else left - 1
        return str(wanted.outcome)

    def page(self, key: str, kind: str, records: Collection[Record]) -> Record:
        """Return the payload of a list of records."""
        return page(self.call, self.list_id, key, records, self.show(kind), self.settings.page)

    def page_of(self, key: str, kind: str, holders: Collection[Holder]) -> Record:
        """Return the payload of a list of things; only what is shown is looked at."""
        show = self.show(kind)
        return page(self.call, self.list_id, key, holders, lambda holder: show(holder.data), self.settings.page)

    def project(self, project_id: str | None = None) -> Project:
        """Return the project the path names, or the one of an id. Raises ApiError."""
        wanted = self.given["projectId"] if project_id is None else project_id
        project = self.team.projects.get(wanted)
        if project is None or not self.token.sees(wanted):
            raise not_found("project", projectId=wanted)
        return project

    def shown(self, addon: Addon) -> bool:
        """Say whether an addon is of a kind that the shapes in force know."""
        return addon.managed or not self.settings.seed

    def addons(self) -> Collection[Addon]:
        """Return the addons to show of the project the path names. Raises ApiError."""
        every = self.project().addons.values()
        return [addon for addon in every if addon.managed] if self.settings.seed else every

    def addon(self, project_id: str | None = None, addon_id: str | None = None) -> Addon:
        """Return the addon the path names, or the one of the ids. Raises ApiError."""
        wanted = self.given["addonId"] if addon_id is None else addon_id
        addon = self.project(project_id).addons.get(wanted)
        if addon is None or not self.shown(addon):
            raise not_found("addon", addonId=wanted)
        return addon

    def service(self) -> Workload:
        """Return the service the path names. Raises ApiError."""
        service = self.project().services.get(self.given["serviceId"])
        if service is None:
            raise not_found("service", serviceId=self.given["serviceId"])
        return service

    def job(self) -> Workload:
        """Return the job the path names. Raises ApiError."""
        job = self.project().jobs.get(self.given["jobId"])
        if job is None:
            raise not_found("job", jobId=self.given["jobId"])
        return job

    def template(self) -> Template:
        """Return the template the path names. Raises ApiError."""
        template = self.team.templates.get(self.given["templateId"])
        if template is None:
            raise not_found("template", templateId=self.given["templateId"])
        return template
