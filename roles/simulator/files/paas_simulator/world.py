# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated world: platforms, clock, pending steps, faults, journal; all of it as the estate file says."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Protocol

from .clock import Clock, parse
from .cycle import Cycle
from .endpoints import Endpoints
from .estate import EstateError
from .faults import Faults
from .journal import Journal
from .messages import Answer, Call, Record
from .northflank import Northflank
from .places import Places, Toolbox
from .timeline import Timelines

# Ends a session of exec; says what becomes of its socket.
Cut = Callable[[str], None]


class Platform(Protocol):
    """What a simulated platform offers to the rest of the service."""

    def admit(self, call: Call) -> dict[str, str | None]:
        """Note route and token of a call, count it against its rate limit, return headers that every answer carries."""

    def answer(self, call: Call) -> Answer:
        """Carry an admitted call out."""

    def refuse(self, status: int, message: str) -> Answer:
        """Return the platform's error of a status."""

    def routes(self) -> list[Record]:
        """Return every route served: method, path and what belongs to it."""

    def describe(self) -> Record:
        """Return the state as JSON data, without token values."""

    def settings(self) -> Record:
        """Return the settings in force."""

    def change_settings(self, changes: Any) -> None:
        """Change settings. Raises ValueError."""

    def generate(self, request: Any) -> Record:
        """Add things to the state and return what was added. Raises ValueError."""


class World:
    """Everything there is; ``reset()`` makes it anew from the estate."""

    clock: Clock
    timelines: Timelines
    faults: Faults
    journal: Journal
    platforms: dict[str, Platform]
    northflank: Northflank
    cycle: Cycle
    endpoints: Endpoints
    toolbox: Toolbox
    places: Places
    exec_sessions: dict[int, list[Cut]]

    def __init__(self, estate: Record) -> None:
        """Take an estate as ``load_estate`` returns it. Raises EstateError."""
        self._estate = estate
        self.endpoints = Endpoints()
        self.toolbox = Toolbox()
        # Only who may change to another user has to let others in.
        self.places = Places("paas-simulator-exec-", shared=os.geteuid() == 0)
        # By the identity of the container's record.
        self.exec_sessions: dict[int, list[Cut]] = {}
        self.reset()

    def reset(self) -> None:
        """Put estate, clock, faults, journal and rate limits back to the start; sockets stay. Raises EstateError."""
        start = self._estate.get("clock")
        self.faults = Faults()
        self.journal = Journal()
        self.timelines = Timelines()
        try:
            self.clock = Clock(None if start is None else parse(str(start)))
            northflank = self._estate.get("northflank", {"teams": [], "tokens": []})
            self.northflank = Northflank(northflank, self.clock, self.timelines)
            self.cycle = Cycle(self._estate.get("cycle", {}), self.clock, self.timelines, self.endpoints)
            self.platforms = {"northflank": self.northflank, "cycle": self.cycle}
            # All of the estate is of one moment; time passes from here on.
            self.clock.freeze(False)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise EstateError(f"the estate cannot be used: {type(exc).__name__}: {exc}") from exc
