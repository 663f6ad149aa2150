# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform as the service sees it: admission of a request, then its answer; and what the sockets ask for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ..clock import Clock
from ..endpoints import Endpoints
from ..messages import Answer, Call, Record
from ..routing import Router
from ..timeline import Timelines
from . import console, credentials, generation, loading
from .access import authenticate, bearer, demand
from .ask import Ask
from .errors import ApiError, not_found, refusal
from .routes import ROUTES, Route
from .settings import Settings
from .state import State
from .streams import PATHS, Stream
from .telemetry import snapshot


class Cycle:
    """The state of one Cycle hub, and what serves it."""

    def __init__(self, estate: Record, clock: Clock, timelines: Timelines, endpoints: Endpoints) -> None:
        """Build the state from the estate's section; empty, it has no key. Raises KeyError, TypeError, ValueError."""
        self._state = State(clock, timelines, endpoints, Settings().changed(estate.get("settings", {})))
        self._state.to_fail = self._state.settings.jobs.fail_times
        loading.load(self._state, estate)
        self._written: Counter[str] = Counter()
        self._router: Router[Route] = Router()
        for route in ROUTES:
            self._router.add(route.method, route.path, route)

    @property
    def settings_now(self) -> Settings:
        """The settings in force."""
        return self._state.settings

    def admit(self, call: Call) -> dict[str, str | None]:
        """Note route and key of a call; no header belongs to every answer."""
        found = self._router.find(call.segments)
        if found is not None and call.method in found[0]:
            call.route = found[0][call.method].path
        key = self._state.keys.get(bearer(call.headers.get("Authorization")) or "")
        call.token = key.name if key else None
        return {}

    def answer(self, call: Call) -> Answer:
        """Carry an admitted call out."""
        try:
            return self._serve(call)
        except ApiError as error:
            return error.answer(self._state.settings.errors.oauth)

    def _serve(self, call: Call) -> Answer:
        state = self._state
        header, hub = call.headers.get("Authorization"), call.headers.get("X-Hub-Id")
        key = authenticate(state.keys, header, hub, state.now())
        if key.hub != state.hub_id:
            raise not_found("hub")
        found = self._router.find(call.segments)
        if found is None or call.method not in found[0]:
            raise not_found("uri")
        methods, given = found  # pylint: disable=unpacking-non-sequence
        route = methods[call.method]
        if route.capability is not None:
            demand(key, route.capability)
        return Answer(route.status, route.serve(Ask(call, key, given, state)))

    def refuse(self, status: int, message: str) -> Answer:
        """Return the error of a status in the platform's envelope."""
        return refusal(status, message)

    def routes(self) -> list[Record]:
        """Return the routes served."""
        return [{"method": each.method, "path": each.path, "capability": each.capability} for each in ROUTES]

    def describe(self) -> Record:
        """Return the state as JSON data; keys by name, without their values, credentials as numbers."""
        state = self._state
        return {
            "settings": self.settings(),
            "hub": state.hub,
            "keys": [
                {"id": key.id, "name": key.name, "hub": key.hub, "capabilities": key.capabilities()}
                for key in state.keys.values()
            ],
            "environments": list(state.environments.values()),
            "servers": list(state.servers.values()),
            "containers": [
                {**each.data, "instances": list(each.instances.values())} for each in state.containers.values()
            ],
            "volumes": state.volumes,
            "jobs": [job.data for job in state.jobs.values()],
            "activity": state.activity,
            "credentials": {instance: len(each) for instance, each in state.credentials.items()},
        }

    def settings(self) -> Record:
        """Return the settings in force."""
        return self._state.settings.describe()

    def change_settings(self, changes: Any) -> None:
        """Change settings. Raises ValueError."""
        self._state.settings = self._state.settings.changed(changes)
        if isinstance(changes, dict) and "jobs" in changes:
            self._state.to_fail = self._state.settings.jobs.fail_times

    def generate(self, request: Record) -> Record:
        """Add generated things and return what was added. Raises ValueError."""
        return generation.add(self._state, request)

    def ssh_login(self, instance_id: str, secret: str) -> bool:
        """Say whether a credential lets in now: it is valid and the instance runs; note its use."""
        return credentials.ssh_login(self._state, instance_id, secret)

    def ssh_token_valid(self, instance_id: str) -> bool:
        """Say whether any credential of the instance is still valid."""
        return credentials.ssh_token_valid(self._state, instance_id)

    def running(self, instance_id: str) -> bool:
        """Say whether an instance runs now."""
        instance = self._state.instances.get(instance_id)
        return instance is not None and bool(instance["state"]["current"] == "running")

    def stream(self, path: str, token: str) -> Stream | None:
        """Return the stream that a WebSocket at that path with that token may open now, else None."""
        found = self._state.passes.get(token)
        if found is None or PATHS[found.kind] != path or found.expires <= self._state.now():
            return None
        if found.instance_id is not None and found.instance_id not in self._state.instances:
            return None
        return Stream(found.kind, found.instance_id, found.key)

    def console_backlog(self, instance_id: str) -> bytes:
        """Return what the console replays on connect: 128 KB at most."""
        return console.backlog(self._state, instance_id)

    def console_line(self, instance_id: str) -> bytes:
        """Return the next line of PID 1; not always UTF-8."""
        number = self._written[instance_id]
        self._written[instance_id] += 1
        return console.following(self._state, instance_id, number)

    def snapshot(self, instance_id: str) -> Record:
        """Return a ResourceSnapshot of now. Raises KeyError for an instance that has gone."""
        return snapshot(self._state, self._state.instances[instance_id], self._state.now())

    def listen(self, callback: Callable[[Record], None]) -> Callable[[], None]:
        """Have notifications of the hub sent to a callback; return what ends that."""
        listeners = self._state.listeners
        listeners.append(callback)

        def end() -> None:
            if callback in listeners:
                listeners.remove(callback)

        return end
