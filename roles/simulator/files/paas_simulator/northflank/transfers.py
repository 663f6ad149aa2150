# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lives of backups and restores that are started by a request: scheduled, in progress, ended.

Meanwhile the addon's status says so, if it is one that runs; afterwards it is as before.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..messages import Record
from ..timeline import Effect
from .ask import Ask
from .errors import ApiError
from .lives import changer
from .settings import Backups, Restores
from .state import Addon

ACTIVE = ("scheduled", "in-progress", "aborting")
_FREE = "running"


def times(ask: Ask, kind: str) -> Backups | Restores:
    """Return the settings of backups or of restores; ``kind`` is backup or restore, as everywhere here."""
    return ask.settings.backups if kind == "backup" else ask.settings.restores


def _show(kind: str, addon: Addon, record: Record, moment: float) -> None:
    """Let the addon's status show what it is at work on."""
    addon.busy.append((kind, record))
    if addon.data["status"] in (_FREE, "backup", "restore"):
        changer("addon")(addon.data, {"status": kind}, moment)


def leave(addon: Addon, record: Record, moment: float, status: str = _FREE) -> None:
    """Let the addon have done with a backup or restore: its status is that of what it is still at work on, if any."""
    rest = [(kind, other) for kind, other in addon.busy if other is not record]
    if len(rest) < len(addon.busy) and addon.data["status"] in ("backup", "restore"):
        changer("addon")(addon.data, {"status": rest[-1][0] if rest else status}, moment)
    addon.busy = rest


def _end(ask: Ask, kind: str, addon: Addon, record: Record, outcome: str) -> Effect:
    failed = ask.settings.restores.addon_after_failure if (kind, outcome) == ("restore", "failed") else _FREE
    changes: Record = {"status": outcome}
    if (kind, outcome) == ("backup", "completed"):
        changes["config"] = {"size": str(ask.settings.backups.size)}

    def end(moment: float) -> None:
        changer(kind)(record, changes, moment)
        leave(addon, record, moment, failed)

    return end


def begin(ask: Ask, kind: str, addon: Addon, record: Record, outcome: str) -> None:
    """Give a backup, or a restore into an addon, its life; an outcome of scheduled or in-progress is for ever."""
    wanted = times(ask, kind)

    def start(moment: float) -> None:
        changer(kind)(record, {"status": "in-progress"}, moment)
        if wanted.addon_status:
            _show(kind, addon, record, moment)

    end = _end(ask, kind, addon, record, outcome)
    lives: dict[str, list[tuple[float, Effect]]] = {
        "scheduled": [],
        "in-progress": [(wanted.scheduled, start)],
        "not-supported": [(wanted.scheduled, end)],
    }
    usual = [(wanted.scheduled, start), (wanted.scheduled + wanted.running, end)]
    ask.timelines.later(record, lives.get(outcome, usual), ask.now)


def abort(ask: Ask, kind: str, addon: Addon, record: Record) -> None:
    """Abort a backup or restore: it is aborting for a while. Raises ApiError for one that has ended."""
    if record["status"] not in ACTIVE:
        refuse_ended(ask, kind, record["status"])
        return
    if record["status"] != "aborting":
        changer(kind)(record, {"status": "aborting"}, ask.now)
        ask.timelines.later(record, [(times(ask, kind).aborting, _end(ask, kind, addon, record, "aborted"))], ask.now)


def refuse_ended(ask: Ask, what: str, status: str) -> None:
    """Raise ApiError for aborting what has ended, unless that does nothing."""
    if ask.settings.aborts.ended == "conflict":
        raise ApiError(409, f"The {what} has ended already: its status is {status}", details={"status": status})


def demand_start(ask: Ask, kind: str, addon: Addon, others: Iterable[Record]) -> None:
    """Raise ApiError when the settings forbid to start a backup or restore: the addon does not run, others are active.

    Where the platform's behaviour is unknown the settings say what is refused; as shipped, nothing is.
    """
    wanted = times(ask, kind)
    status = addon.data["status"]
    if wanted.not_running != "allow" and status not in (_FREE, "backup", "restore"):
        code = 409 if wanted.not_running == "conflict" else 400
        raise ApiError(code, f"The addon is not running: its status is {status}", details={"status": status})
    if wanted.concurrent == "conflict" and any(each["status"] in ACTIVE for each in others):
        raise ApiError(409, f"Another {kind} of this addon is under way")
