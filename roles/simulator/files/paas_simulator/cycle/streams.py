# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a WebSocket may open, where."""

from __future__ import annotations

from dataclasses import dataclass

# Kind of the stream → path on the HTTP listener; the token says which instance.
PATHS = {
    "console": "/v1/console",
    "telemetry": "/v1/telemetry",
    "notifications": "/v1/hubs/current/notifications",
}


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream: kind is console, telemetry or notifications; the last has no instance. ``key``: who asked for it."""

    kind: str
    instance_id: str | None
    key: str | None = None
