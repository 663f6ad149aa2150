# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be switched: shapes of today or of the oldest pages, rate limit, page sizes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..places import TOOLS

TODAY, SEED = "today", "seed"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Requests a window; ``window`` in seconds; ``retry_after``: whether a 429 carries that header."""

    limit: int = 1000
    window: float = 3600.0
    retry_after: bool = False


@dataclass(frozen=True, slots=True)
class PageSize:
    """Items on a page when the request does not say, and at most."""

    default: int = 50
    maximum: int = 100


@dataclass(frozen=True, slots=True)
class Exec:
    """Commands over WebSocket.

    ``exit_codes``: other codes than 0 are a string or a number. ``tools``: what commands find in their path: all, or
    nothing but a POSIX sh and python3 (posix). ``delay``: seconds before the answer to init. ``overtake``: stdInEnd
    overtakes payloads sent right before it, which are lost. ``answers_ping``: pings get a pong. ``after_close``: what
    becomes of the processes of a client that has gone: kill or leave.
    """

    exit_codes: str = "string"
    tools: str = "all"
    delay: float = 0.0
    overtake: bool = False
    answers_ping: bool = True
    after_close: str = "kill"


_CHOICES = {"exit_codes": ("string", "number"), "tools": TOOLS, "after_close": ("kill", "leave")}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; ``compatibility`` is ``today`` or ``seed`` (the shapes of the pages of 2021 to 2024)."""

    compatibility: str = TODAY
    rate_limit: RateLimit = field(default_factory=RateLimit)
    page: PageSize = field(default_factory=PageSize)
    exec: Exec = field(default_factory=Exec)

    @property
    def seed(self) -> bool:
        """Say whether the shapes of 2021 to 2024 are wanted."""
        return self.compatibility == SEED

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON data."""
        return asdict(self)

    def changed(self, changes: Any) -> Settings:
        """Return the settings with changes such as ``{"rate_limit": {"limit": 5}}``. Raises ValueError."""
        if not isinstance(changes, dict) or set(changes) - {"compatibility", "rate_limit", "page", "exec"}:
            raise ValueError("settings are compatibility, rate_limit, page and exec")
        try:
            result = replace(
                self,
                compatibility=changes.get("compatibility", self.compatibility),
                rate_limit=replace(self.rate_limit, **changes.get("rate_limit", {})),
                page=replace(self.page, **changes.get("page", {})),
                exec=replace(self.exec, **changes.get("exec", {})),
            )
        except TypeError as exc:
            raise ValueError(f"unknown setting: {exc}") from exc
        result.check()
        return result

    def check(self) -> None:
        """Raise ValueError for values that make no sense."""
        if self.compatibility not in (TODAY, SEED):
            raise ValueError(f"compatibility is {TODAY} or {SEED}")
        numbers: tuple[object, ...] = (
            self.rate_limit.limit,
            self.rate_limit.window,
            self.page.default,
            self.page.maximum,
            self.exec.delay,
        )
        if not all(isinstance(number, (int, float)) and number >= 0 for number in numbers):
            raise ValueError("limits, windows, page sizes and delays are numbers from 0")
        if self.page.default < 1 or self.page.maximum < 1 or self.rate_limit.window <= 0:
            raise ValueError("page sizes are at least 1, the window is longer than 0")
        for name, choices in _CHOICES.items():
            if getattr(self.exec, name) not in choices:
                raise ValueError(f"exec.{name} is one of {', '.join(choices)}")
        if not all(isinstance(flag, bool) for flag in (self.exec.overtake, self.exec.answers_ping)):
            raise ValueError("exec.overtake and exec.answers_ping are true or false")
