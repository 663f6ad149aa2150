# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks, and what they may: API keys, hub, capabilities."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ..clock import parse
from ..messages import Record
from .errors import ApiError

# Capabilities that the specification lists, as far as what is served here goes.
CAPABILITIES = (
    "containers-view",
    "containers-deploy",
    "containers-manage",
    "containers-lock",
    "containers-console",
    "containers-ssh",
    "containers-instances-migrate",
    "containers-functions-trigger",
    "containers-volumes-view",
    "containers-volumes-manage",
    "containers-backups-view",
    "containers-backups-manage",
    "servers-view",
    "servers-manage",
    "servers-provision",
    "environments-view",
    "environments-manage",
    "clusters-view",
    "clusters-manage",
    "apionly-jobs-view",
    "apionly-notifications-listen",
    "hubs-update",
    "hubs-auditlog-view",
    "monitor-view",
)


@dataclass(slots=True)
class Key:
    """An API key; its role's capabilities are patterns, one that begins with ``!`` takes away."""

    id: str
    name: str
    hub: str
    patterns: tuple[str, ...]
    expires: float | None = None
    _answers: dict[str, bool] = field(default_factory=dict)

    def may(self, capability: str) -> bool:
        """Say whether the key's role has a capability."""
        known = self._answers.get(capability)
        if known is None:
            given = any(fnmatchcase(capability, pattern) for pattern in self.patterns)
            taken = any(fnmatchcase(capability, pattern[1:]) for pattern in self.patterns if pattern[:1] == "!")
            known = self._answers[capability] = given and not taken
        return known

    @property
    def creator(self) -> Record:
        """The key as the creator of something."""
        return {"id": self.id, "type": "api-key"}

    def capabilities(self) -> list[str]:
        """Return the capabilities of the role."""
        return [name for name in CAPABILITIES if self.may(name)]


def read_key(entry: Record, hub: str) -> Key:
    """Build a key from its entry in the estate. Raises KeyError, ValueError."""
    expires = entry.get("expires")
    patterns = tuple(entry.get("capabilities", ["*"]))
    return Key(entry["id"], entry["name"], entry.get("hub", hub), patterns, None if expires is None else parse(expires))


def bearer(header: str | None) -> str | None:
    """Return the key of an Authorization header, or None."""
    kind, _blank, value = (header or "").partition(" ")
    return value.strip() or None if kind.lower() == "bearer" else None


def authenticate(keys: dict[str, Key], header: str | None, hub: str | None, now: float) -> Key:
    """Return the key of a request, which is for the hub named. Raises ApiError.

    A missing or foreign hub id is a 403.wrong-hub: the simulator's choice.
    """
    value = bearer(header)
    if value is None:
        raise ApiError("401.auth-invalid", "An API key is required")
    key = keys.get(value)
    if key is None:
        raise ApiError("401.auth-invalid", "The API key is not valid")
    if key.expires is not None and key.expires <= now:
        raise ApiError("401.auth-expired", "The API key has expired")
    if hub != key.hub:
        detail = "The header X-Hub-Id is missing" if hub is None else "The API key belongs to another hub"
        raise ApiError("403.wrong-hub", "Wrong hub", detail)
    return key


def demand(key: Key, capability: str) -> None:
    """Raise ApiError unless the key has the capability."""
    if not key.may(capability):
        detail = f"The capability {capability} is required"
        raise ApiError("403.permissions", "Missing capability", detail, capability=capability)
