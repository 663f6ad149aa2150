# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks, and what they may: tokens, teams, permissions, restriction to projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ..clock import parse
from ..messages import Record
from .errors import ApiError, not_found
from .state import Team

SCOPES = {"Project": "projectScope", "Account": "teamScope", "Organisation": "orgScope"}


@dataclass(slots=True)
class Token:
    """An API token. ``teams`` are those it belongs to; ``home`` is the one it addresses without a team in the path."""

    name: str
    data: Record
    teams: frozenset[str]
    home: str | None
    patterns: tuple[str, ...]
    expires: float | None = None
    _answers: dict[str, bool] = field(default_factory=dict)

    def may(self, permission: str) -> bool:
        """Say whether the token's role has a permission."""
        known = self._answers.get(permission)
        if known is None:
            known = any(fnmatchcase(permission, pattern) for pattern in self.patterns)
            self._answers[permission] = known
        return known

    @property
    def restricted(self) -> bool:
        """Say whether the token is restricted to some projects."""
        return bool(self.data.get("projectRestrictions", {}).get("enabled"))

    def sees(self, project: str) -> bool:
        """Say whether the token's restriction to projects lets it see one."""
        if not self.restricted:
            return True
        restriction = self.data["projectRestrictions"]
        listed, wanted = project in restriction["projects"], restriction["restrictionMode"] == "in"
        return bool(listed == wanted)


def read_token(entry: Record, teams: Mapping[str, Team], organisations: Mapping[str, Record]) -> Token:
    """Build a token from its entry in the estate. Raises KeyError, ValueError."""
    entity = entry.get("team") or entry["organisation"]
    if "team" in entry:
        members, home, uid = frozenset([entity]), entity, teams[entity].data["uid"]
    else:
        members = frozenset(name for name, team in teams.items() if team.data.get("organisation") == entity)
        home, uid = None, organisations[entity]["uid"]
    data = {key: value for key, value in entry.items() if key not in ("token", "team", "organisation", "permissions")}
    data |= {"entityType": "org" if home is None else "team", "entityId": entity, "entityUid": uid}
    expires = entry.get("expiresAt")
    patterns = tuple(entry.get("permissions", ["*"]))
    return Token(entry["name"], data, members, home, patterns, None if expires is None else parse(expires))


def scoped(permissions: list[str]) -> Record:
    """Return permissions sorted into the three scopes of ``GET /v1/auth``."""
    result: Record = {scope: [] for scope in ("orgScope", "teamScope", "projectScope")}
    for permission in permissions:
        result[SCOPES[permission.split(" > ", 1)[0]]].append(permission)
    return result


def bearer(header: str | None) -> str | None:
    """Return the token of an Authorization header, or None."""
    kind, _blank, value = (header or "").partition(" ")
    return value.strip() or None if kind.lower() == "bearer" else None


def choose_team(token: Token, asked: str | None) -> str:
    """Return the id of the team a request is about. Raises ApiError.

    A team the token does not belong to is answered like one that does not exist: the simulator's choice.
    """
    if asked is None:
        if token.home is None:
            raise ApiError(400, "An organisation token needs a team: use /v1/teams/{teamId}/...", "team-required")
        return token.home
    if asked not in token.teams:
        raise not_found("team", teamId=asked)
    return asked


def demand(token: Token, permission: str) -> None:
    """Raise ApiError unless the token has the permission."""
    if not token.may(permission):
        raise ApiError(403, f"Insufficient permissions: {permission} is required", details={"permission": permission})
