# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be switched: shapes, limits, how long things take (in seconds), what becomes of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..changes import Rules, changed
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


@dataclass(frozen=True, slots=True)
class Backups:
    """Seconds a backup is ``scheduled``, ``running`` (its status is in-progress), ``aborting``; its ``size`` in bytes.

    ``outcome``: what becomes of backups of addons whose id matches ``outcome_of``, the next ``outcome_times`` of them
    or (null) all; scheduled and in-progress: for ever; null: it is completed, unless the addon has no such backups.
    ``concurrent``: a second one while one is under way. ``not_running``: of an addon that does not run. ``same_name``:
    as one that is there. ``delete_active``: deleting one that is under way or being restored. ``addon_status``:
    whether the addon's status is backup meanwhile.
    """

    scheduled: float = 0.5
    running: float = 1.5
    aborting: float = 0.5
    size: int = 104_857_600
    outcome: str | None = None
    outcome_of: str = "*"
    outcome_times: int | None = None
    concurrent: str = "allow"
    not_running: str = "allow"
    same_name: str = "allow"
    delete_active: str = "conflict"
    addon_status: bool = True


@dataclass(frozen=True, slots=True)
class Restores:
    """The same for restores; ``outcome_of`` is the id of the addon restored into.

    ``addon_after_failure``: the addon's status after a restore that has failed.
    """

    scheduled: float = 0.5
    running: float = 1.5
    aborting: float = 0.5
    outcome: str | None = None
    outcome_of: str = "*"
    outcome_times: int | None = None
    concurrent: str = "allow"
    not_running: str = "allow"
    addon_status: bool = True
    addon_after_failure: str = "running"


@dataclass(frozen=True, slots=True)
class Runs:
    """Seconds a template run is ``pending``, is at each ``node``, is ``aborting``.

    ``outcome``: what becomes of runs of templates whose id matches ``outcome_of``, the next ``outcome_times`` of them
    or (null) all; states that are not concluded: for ever; null: what the estate says, else success. A failing run
    fails at the first node whose ref or kind is ``fail_node`` (empty: the last node), with ``fail_code`` and
    ``fail_message``. ``approval``: seconds until an Approval node is approved; null: never. ``forbidden``: what a start
    is answered that the concurrency policy forbids: conflict (409), or a run that is skipped or aborted.
    """

    pending: float = 0.3
    node: float = 0.7
    aborting: float = 0.5
    outcome: str | None = None
    outcome_of: str = "*"
    outcome_times: int | None = None
    fail_node: str = ""
    fail_code: int = 500
    fail_message: str = "The simulator was told to let this node fail"
    approval: float | None = None
    forbidden: str = "conflict"


@dataclass(frozen=True, slots=True)
class Aborts:
    """``ended``: what aborting something that has ended is answered: conflict (409), or nothing happens (ignore)."""

    ended: str = "conflict"


TAKEN = ("allow", "conflict")
REFUSED = ("allow", "conflict", "bad-request")
OUTCOMES = (None, "completed", "failed", "not-supported", "aborted", "scheduled", "in-progress")
CONCLUSIONS = ("success", "failure", "aborted", "skipped", "unknown")
STAYS = ("pending", "queued", "running", "waiting", "retrying", "async_wait", "approval_wait")

_RULES = Rules(
    {
        "compatibility": (TODAY, SEED),
        "exec.exit_codes": ("string", "number"),
        "exec.tools": TOOLS,
        "exec.after_close": ("kill", "leave"),
        "backups.outcome": OUTCOMES,
        "backups.concurrent": TAKEN,
        "backups.not_running": REFUSED,
        "backups.same_name": TAKEN,
        "backups.delete_active": TAKEN,
        "restores.outcome": OUTCOMES,
        "restores.concurrent": TAKEN,
        "restores.not_running": REFUSED,
        "restores.addon_after_failure": ("running", "failed", "error"),
        "runs.outcome": (None, *CONCLUSIONS, *STAYS),
        "runs.forbidden": ("conflict", "skipped", "aborted"),
        "aborts.ended": ("conflict", "ignore"),
    },
    {
        "backups.outcome_times": int,
        "restores.outcome_times": int,
        "runs.outcome_times": int,
        "runs.approval": float,
    },
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; ``compatibility`` is ``today`` or ``seed`` (the shapes of the pages of 2021 to 2024)."""

    compatibility: str = TODAY
    rate_limit: RateLimit = field(default_factory=RateLimit)
    page: PageSize = field(default_factory=PageSize)
    exec: Exec = field(default_factory=Exec)
    backups: Backups = field(default_factory=Backups)
    restores: Restores = field(default_factory=Restores)
    runs: Runs = field(default_factory=Runs)
    aborts: Aborts = field(default_factory=Aborts)

    @property
    def seed(self) -> bool:
        """Say whether the shapes of 2021 to 2024 are wanted."""
        return self.compatibility == SEED

    def outcomes(self) -> dict[str, int | None]:
        """Return how many backups, restores and runs are to have the outcome set; None: all."""
        return {name: getattr(self, name).outcome_times for name in ("backups", "restores", "runs")}

    def describe(self) -> dict[str, Any]:
        """Return the settings as JSON data."""
        return asdict(self)

    def changed(self, changes: Any) -> Settings:
        """Return the settings with changes such as ``{"rate_limit": {"limit": 5}}``. Raises ValueError."""
        result: Settings = changed(self, changes, _RULES)
        if result.page.default < 1 or result.page.maximum < 1 or result.rate_limit.window <= 0:
            raise ValueError("page sizes are at least 1, the window is longer than 0")
        return result
