# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform as the service sees it: admission of a request, then its answer."""

from __future__ import annotations

from typing import Any

from ..clock import Clock
from ..messages import Answer, Call, Record
from ..ratelimit import Allowance, RateLimiter
from ..routing import Router
from ..timeline import Timelines
from . import execution
from .access import Token, bearer, choose_team, demand, read_token
from .ask import Ask
from .errors import ApiError
from .generation import Generator
from .loading import Loader, organisations
from .replacement import Replaced, replace
from .routes import PERMISSIONS, ROUTES, Route
from .settings import Settings

ANONYMOUS = ""


class Northflank:
    """The state of one Northflank, and what serves it."""

    def __init__(self, estate: Record, clock: Clock, timelines: Timelines) -> None:
        """Build the state from the estate's section. Raises KeyError, TypeError, ValueError."""
        self._clock, self._timelines = clock, timelines
        self._settings = Settings().changed(estate.get("settings", {}))
        self._left = self._settings.outcomes()
        self._loader = Loader(clock, timelines)
        self._teams = self._loader.teams(estate)
        entities = organisations(estate)
        tokens = {
            entry["token"]: read_token(self._loader.token(entry), self._teams, entities) for entry in estate["tokens"]
        }
        self._tokens: dict[str, Token] = tokens
        self._limiter = RateLimiter()
        self._router: Router[tuple[str, Route]] = Router()
        for route in ROUTES:
            for path in route.paths():
                self._router.add(route.method, path, (path, route))
        self._exec_router: Router[str] = Router()
        for path in execution.PATHS:
            self._exec_router.add("GET", path, path)

    def admit(self, call: Call) -> dict[str, str | None]:
        """Note route and token of a call and count it; every request counts, answered well or not."""
        found = self._router.find(call.segments)
        if found is not None and call.method in found[0]:
            call.route = found[0][call.method][0]
        call.token = self.token_name(bearer(call.headers.get("Authorization")))
        limit = self._settings.rate_limit
        key = call.token or ANONYMOUS
        allowance = self._limiter.take(key, self._clock.now(), limit.limit, limit.window)
        call.allowance = allowance
        return {
            "x-ratelimit-limit": str(allowance.limit),
            "x-ratelimit-remaining": str(allowance.remaining),
            "x-ratelimit-reset": str(allowance.reset),
        }

    def answer(self, call: Call) -> Answer:
        """Carry an admitted call out."""
        try:
            if call.allowance is not None and call.allowance.exceeded:
                return self._limited(call.allowance)
            return Answer(payload=self._serve(call))
        except ApiError as error:
            answer = error.answer()
            if error.status == 405:
                answer.headers["Allow"] = ", ".join(error.details["allowed"])
            return answer

    def _limited(self, allowance: Allowance) -> Answer:
        answer = ApiError(429, "Rate limit exceeded").answer()
        if self._settings.rate_limit.retry_after:
            answer.headers["retry-after"] = str(allowance.reset)
        return answer

    def _serve(self, call: Call) -> Record:
        found = self._router.find(call.segments)
        if found is None:
            raise ApiError(404, "Not found: no such path", details={"path": call.path})
        methods, given = found  # pylint: disable=unpacking-non-sequence
        if call.method not in methods:
            raise ApiError(405, "Method not allowed", details={"allowed": sorted(methods)})
        route = methods[call.method][1]
        token = self._authenticate(bearer(call.headers.get("Authorization")))
        needed = route.needs(self._settings.seed)
        if needed:
            demand(token, needed)
        team = choose_team(token, given.get("teamId")) if route.team else ""
        list_id = "/".join([route.path, team, *(value for name, value in sorted(given.items()) if name != "teamId")])
        return route.serve(self._ask(call, token, given, team, list_id))

    def _ask(self, call: Call, token: Token, given: dict[str, str], team: str, list_id: str) -> Ask:
        common = self._settings, self._teams, team, PERMISSIONS, list_id
        return Ask(call, token, given, *common, self._loader, self._timelines, self._left)

    def exec_route(self, call: Call) -> tuple[str, dict[str, str]] | None:
        """Return route and parameters of a path at which commands are run; None for every other path."""
        found = self._exec_router.find(call.segments)
        return (found[0]["GET"], found[1]) if found is not None else None

    def token_name(self, value: str | None) -> str | None:
        """Return the name of a token in the estate, None for an unknown one."""
        token = self._tokens.get(value or ANONYMOUS)
        return token.name if token else None

    def exec_token(self, value: str | None) -> Token:
        """Return the token of a first message of exec. Raises ApiError."""
        return self._authenticate(value)

    def exec_ask(self, call: Call, route: str, given: dict[str, str], token: Token) -> Ask:
        """Return a request for exec, admitted. Raises ApiError."""
        demand(token, execution.PERMISSIONS[execution.PATHS[route]])
        team = choose_team(token, given.get("teamId"))
        return self._ask(call, token, given, team, route)

    def _authenticate(self, value: str | None) -> Token:
        if value is None:
            raise ApiError(401, "Unauthorized: a bearer token is required")
        token = self._tokens.get(value)
        if token is None:
            raise ApiError(401, "Unauthorized: the token is not valid")
        if token.expires is not None and token.expires <= self._clock.now():
            raise ApiError(401, "Unauthorized: the token has expired")
        return token

    def refuse(self, status: int, message: str) -> Answer:
        """Return the error of a status in the platform's envelope."""
        return ApiError(status, message).answer()

    def routes(self) -> list[Record]:
        """Return the routes served, each path with and without team."""
        return [
            {"method": route.method, "path": path, "permission": route.permission}
            for route in ROUTES
            for path in route.paths()
        ] + [
            {"method": "GET", "path": path, "permission": execution.PERMISSIONS[kind], "websocket": True}
            for path, kind in execution.PATHS.items()
        ]

    def describe(self) -> Record:
        """Return the state as JSON data; tokens by name, without their values."""
        return {
            "settings": self.settings(),
            "teams": [team.describe() for team in self._teams.values()],
            "tokens": [
                {**token.data, "name": token.name, "teams": sorted(token.teams), "permissions": list(token.patterns)}
                for token in self._tokens.values()
            ],
        }

    @property
    def settings_now(self) -> Settings:
        """The settings in force."""
        return self._settings

    def settings(self) -> Record:
        """Return the settings in force."""
        return self._settings.describe()

    def change_settings(self, changes: Any) -> None:
        """Change settings. Raises ValueError."""
        self._settings = self._settings.changed(changes)
        self._left.update({name: left for name, left in self._settings.outcomes().items() if name in changes})

    def replace(self, request: Any) -> Replaced:
        """Let a container go and another one come. Raises ValueError."""
        return replace(self._loader, self._timelines, self._teams, request)

    def generate(self, request: Record) -> Record:
        """Add generated things to a team and return what was added. Raises ValueError."""
        return Generator(self._loader, self._teams).add(request)
