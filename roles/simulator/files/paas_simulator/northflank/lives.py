# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How records change over time: how their time stamps are written, and what a new status brings with it.

The estate's timelines (``then:``) use it, and so can every request that sets something going.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..clock import iso
from ..merge import merge_patch
from ..messages import Record
from ..timeline import Apply

NOW = "now"

# Template runs show a blank instead of the T, containers show unix seconds.
_STAMPS: dict[str, Callable[[float], str | int]] = {"run": lambda moment: iso(moment, " "), "container": int}

_DONE = {"completedAt": NOW}
_CONCLUDED = {"concluded": True, "concludedAt": NOW}

# kind → new status → changes that come along unless the step itself says otherwise.
_CONSEQUENCES: dict[str, dict[str, Record]] = {
    "backup": dict.fromkeys(("completed", "failed", "aborted", "not-supported"), _DONE),
    "restore": dict.fromkeys(("completed", "failed", "aborted", "not-supported"), _DONE),
    "run": {
        "running": {"startedAt": NOW},
        **dict.fromkeys(("success", "failure", "aborted", "skipped", "unknown"), _CONCLUDED),
    },
    "job run": {
        "SUCCESS": {**_CONCLUDED, "active": 0, "succeeded": 1},
        "FAILED": {**_CONCLUDED, "active": 0, "failed": 1},
    },
}
_ALWAYS: dict[str, Record] = {"run": {"updatedAt": NOW}, "container": {"updatedAt": NOW}}


def stamp(kind: str, moment: float) -> str | int:
    """Return a moment (unix seconds) as records of a kind write it."""
    return _STAMPS.get(kind, iso)(moment)


def _dated(value: Any, written: str | int) -> Any:
    if isinstance(value, dict):
        return {key: _dated(part, written) for key, part in value.items()}
    if isinstance(value, list):
        return [_dated(part, written) for part in value]
    return written if value == NOW else value


def changer(kind: str) -> Apply:
    """Return the function that carries out changes (a merge patch; the value ``now`` is the moment) on a record."""
    consequences = _CONSEQUENCES.get(kind, {})

    def change(record: Record, changes: dict[str, Any], moment: float) -> None:
        implied = consequences.get(str(changes.get("status")), {})
        if "startedAt" in record:
            # What goes on after a wait has been started before.
            implied = {name: value for name, value in implied.items() if name != "startedAt"}
        patch = _dated({**_ALWAYS.get(kind, {}), **implied, **changes}, stamp(kind, moment))
        changed = merge_patch(record, patch)
        record.clear()
        record.update(changed)

    return change
