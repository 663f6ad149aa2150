# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a drill has proved."""

from __future__ import annotations

DOCUMENTATION = r"""
name: backup_drill_result
short_description: What a backup drill has proved
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Measures the age of the backup and the duration of its restore, by the time stamps of the platform, and compares
    them with what is allowed. The role P(quayside.paas.backup_drill#role) uses it.
positional: _input
options:
  _input:
    description: Why the drill did not go well, a list of sentences. Empty when it did.
    type: list
    elements: str
    required: true
  backup:
    description: The backup, as M(quayside.paas.addon_backup_info) returns it. Empty when there is none.
    type: dict
    default: {}
  restore:
    description: The restore, as M(quayside.paas.backup_restore_info) returns it. Empty when there is none.
    type: dict
    default: {}
  clock:
    description: How many seconds the restore took by the controller's clock, for a platform that does not tell.
    type: float
  max_age:
    description: How many minutes old the backup may have been when its restore began. V(0) for any age.
    type: int
    default: 0
  max_duration:
    description: How many minutes the restore may have taken. V(0) for any time.
    type: int
    default: 0
  check_mode:
    description: Whether nothing was done.
    type: bool
    default: false
  facts:
    description: Further keys of the result.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Look at a restore that somebody made by hand
  ansible.builtin.debug:
    msg: "{{ [] | quayside.paas.backup_drill_result(backup=found.backups[0], restore=done.restores[0], max_age=1440) }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary with the keys C(passed) (null in check mode when nothing speaks against the drill), C(reasons) (why
      it was not), C(backup) and C(restore) (each with its C(id), C(status) and time stamps; null when there was none),
      C(age_seconds), C(duration_seconds) (null when unknown), C(duration_by) (V(platform) or V(clock)), C(objectives)
      (C(max_age_seconds) and C(max_duration_seconds), null when any will do, and C(age_met) and C(duration_met), null
      when there is nothing to compare), C(check_mode), and what was given as facts.
  type: dict
"""

import typing as t
from collections.abc import Mapping, Sequence

from ..module_utils._timestamps import parse

Item = Mapping[str, t.Any]

OF_BACKUP = ("id", "name", "status", "created_at", "completed_at")
OF_RESTORE = ("id", "status", "restore_timestamp", "completed_at")


def backup_drill_result(
    failures: Sequence[str],
    backup: Item | None = None,
    restore: Item | None = None,
    clock: float | None = None,
    max_age: int = 0,
    max_duration: int = 0,
    check_mode: bool = False,
    facts: Item | None = None,
) -> dict[str, t.Any]:
    """What a drill has proved; for what goes in and out see the documentation above."""
    backup, restore = backup or {}, restore or {}
    age = _between(backup.get("completed_at") or backup.get("created_at"), restore.get("restore_timestamp"))
    duration, by = _duration(restore, clock)
    objectives = {
        "max_age_seconds": max_age * 60 or None,
        "max_duration_seconds": max_duration * 60 or None,
        "age_met": _met(age, max_age, bool(restore)),
        "duration_met": _met(duration, max_duration, restore.get("status") == "completed"),
    }
    reasons = [*failures]
    if objectives["age_met"] is False:
        reasons.append(f"The backup was {_time(age)} old when its restore began; {max_age} min are allowed.")
    if objectives["duration_met"] is False:
        reasons.append(f"The restore took {_time(duration)}; {max_duration} min are allowed.")
    if not reasons and not check_mode and restore.get("status") != "completed":
        # As when the keyword check_mode, which no variable tells of, kept the restore from being begun.
        reasons.append("No restore was completed, so that nothing is proved.")
    return {
        "passed": False if reasons else None if check_mode else True,
        "reasons": reasons,
        "backup": {**{key: backup.get(key) for key in OF_BACKUP}, "size": (backup.get("config") or {}).get("size")}
        if backup
        else None,
        "restore": {key: restore.get(key) for key in OF_RESTORE} if restore else None,
        "age_seconds": age,
        "duration_seconds": duration,
        "duration_by": by,
        "objectives": objectives,
        "check_mode": check_mode,
        **(facts or {}),
    }


def _between(earlier: t.Any, later: t.Any) -> float | None:
    begin, end = parse(earlier), parse(later)
    return round((end - begin).total_seconds(), 3) if begin and end else None


def _duration(restore: Item, clock: float | None) -> tuple[float | None, str | None]:
    """The seconds of a restore that is completed, and who told."""
    if restore.get("status") != "completed":
        return None, None
    told = _between(restore.get("restore_timestamp"), restore.get("completed_at"))
    if told is not None and told >= 0:
        return told, "platform"
    return (None, None) if clock is None else (round(clock, 3), "clock")


def _met(seconds: float | None, minutes: int, measured: bool) -> bool | None:
    """Whether an objective was met; null when there is none, or nothing to measure. What nobody knows is missed."""
    if not minutes or not measured:
        return None
    return seconds is not None and seconds <= minutes * 60


def _time(seconds: float | None) -> str:
    return "an unknown time" if seconds is None else f"{seconds / 60:.1f} min"


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Any]:
        """The filter by its name."""
        return {"backup_drill_result": backup_drill_result}
