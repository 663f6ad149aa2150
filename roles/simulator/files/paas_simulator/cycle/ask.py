# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An admitted request as the functions that serve routes see it: what it names, and how answers are made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..messages import Call, Record
from .access import Key, demand
from .errors import ApiError, invalid, not_found
from .includes import Include, collect
from .jobs import visible
from .queries import Filters, array, chosen
from .shapes import render
from .state import Container, Job, State


@dataclass(slots=True)
class Ask:
    """An admitted request; ``given`` are the path's parameters."""

    call: Call
    key: Key
    given: dict[str, str]
    state: State

    def listed(
        self, kind: str, items: Iterable[Record], filters: Filters, includes: dict[str, Include] | None = None
    ) -> Record:
        """Return the payload of a list. Raises ApiError."""
        found = chosen(self.call, items, filters, self.state.settings.page)
        meta = array(self.call, "meta")
        return self._with(kind, includes, found, [render(self.state, kind, each, meta) for each in found])

    def one(self, kind: str, record: Record, includes: dict[str, Include] | None = None) -> Record:
        """Return the payload of a single thing."""
        return self._with(kind, includes, [record], render(self.state, kind, record, array(self.call, "meta")))

    def _with(self, kind: str, includes: dict[str, Include] | None, records: list[Record], data: Any) -> Record:
        wanted = array(self.call, "include")
        if not wanted or includes is None:
            return {"data": data}
        return {"data": data, "includes": collect(self.state, kind, wanted, includes, records)}

    def demand(self, capability: str) -> None:
        """Raise ApiError unless the key has the capability."""
        demand(self.key, capability)

    def container(self) -> Container:
        """Return the container the path names. Raises ApiError."""
        found = self.state.containers.get(self.given["containerId"])
        if found is None:
            raise not_found("container")
        return found

    def instance(self) -> Record:
        """Return the instance the path names. Raises ApiError."""
        found = self.container().instances.get(self.given["instanceId"])
        if found is None:
            raise not_found("instance")
        return found

    def server(self) -> Record:
        """Return the server the path names. Raises ApiError."""
        found = self.state.servers.get(self.given["serverId"])
        if found is None:
            raise not_found("infrastructure.server")
        return found

    def environment(self) -> Record:
        """Return the environment the path names. Raises ApiError."""
        found = self.state.environments.get(self.given["environmentId"])
        if found is None:
            raise not_found("environment")
        return found

    def job(self) -> Job:
        """Return the job the path names, if it can be seen. Raises ApiError."""
        found = self.state.jobs.get(self.given["jobId"])
        if found is None or not visible(self.state, found, self.state.settings.jobs.visible_after):
            raise not_found("job")
        return found

    def body(self) -> Any:
        """Return the body, None when there is none. Raises ApiError."""
        if not self.call.body:
            return None
        kind = self.call.headers.get("Content-Type") or ""
        if kind.partition(";")[0].strip().lower() != "application/json":
            raise ApiError("415.invalid-content-type", "The body is not JSON", f"Content-Type is {kind or 'missing'}")
        try:
            return json.loads(self.call.body)
        except ValueError as exc:
            raise ApiError("400.invalid-syntax", "The body cannot be read", str(exc)) from None

    def task(self) -> tuple[str, Record]:
        """Return action and contents of the body of a task. Raises ApiError."""
        body = self.body()
        if not isinstance(body, dict) or not isinstance(body.get("action"), str):
            raise invalid("the body is an object with an action", "/action", "422.missing-argument")
        contents = body.get("contents")
        if contents is not None and not isinstance(contents, dict):
            raise invalid("contents is an object", "/contents")
        return body["action"], contents or {}
