# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""A backup drill: what it does, and what it proved, from what has been read and done so far."""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ..module_utils._northflank.states import BACKUP_SUCCESS_STATES, is_backup_finished
from ..module_utils._timestamps import parse

Item = dict[str, t.Any]

LATEST, TAKE = "latest", "take"
# The steps that only read, and the key of what each has read.
LOOKED_AT = {
    "projects": "results",
    "source": "addons",
    "scratch": "addons",
    "backups": "backups",
    "restores": "restores",
}
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclasses.dataclass(frozen=True)
class Options:
    """What is asked of a drill."""

    project_id: str
    addon_id: str
    scratch_project_id: str
    scratch_addon_id: str
    # latest, take, or the id of a backup.
    backup: str = LATEST
    # Minutes; 0 for no limit.
    max_age: int = 0
    max_duration: int = 0
    # The file with checks; empty for none.
    checks: str = ""
    cleanup: bool = True
    check_mode: bool = False

    @property
    def backup_name(self) -> str:
        """The name of a backup that the drill takes. It belongs to the pair of addons, so that a later run finds it."""
        pair = [self.project_id, self.addon_id, self.scratch_project_id, self.scratch_addon_id]
        return f"backup drill {hashlib.sha256('/'.join(map(str, pair)).encode()).hexdigest()[:12]}"


def drill(so_far: Mapping[str, t.Any], options: Options) -> Item:
    """Work out what a drill does next, and its result.

    Args:
        so_far: Registered results of the steps, empty or missing for those to come: ``projects`` (a loop over both),
            ``source``, ``scratch``, ``backups``, ``restores``, ``taken``, ``restored`` and ``aborted``; ``failures``,
            reasons why a step failed; ``times``, when the restore started and ended by the controller's clock, in
            seconds; ``checked`` (none, failed or passed); ``deleted``, whether the backup that was taken is gone.
        options: What is asked of it.
    """
    plan = _plan(so_far, options)
    taken, restored = so_far.get("taken") or {}, so_far.get("restored") or {}
    backup = taken.get("backup") or plan["backup"] or {}
    restore = (so_far.get("aborted") or {}).get("restore") or restored.get("restore") or {}
    return {
        **plan,
        "name": options.backup_name,
        "backup": backup,
        "restore": restore,
        "is_backup_open": "status" in backup and not is_backup_finished(backup),
        "is_restore_open": bool(restored) and not is_backup_finished(restore),
        "result": _result(so_far, options, plan, backup, restore),
    }


# What the drill does


def _plan(so_far: Mapping[str, t.Any], options: Options) -> Item:
    """Choose the backup, and say why the drill must not start (refusals) and what to delete first (leftovers)."""
    if any(key not in (so_far.get(name) or {}) for name, key in LOOKED_AT.items()):
        return {"refusals": [], "backup": None, "leftovers": []}
    source, scratch = (_first(so_far[name], "addons") for name in ("source", "scratch"))
    projects = [_first(one, "projects").get("id") for one in so_far["projects"]["results"]]
    backups, restores = so_far["backups"]["backups"], so_far["restores"]["restores"]
    running = [one for one in restores if not is_backup_finished(one)]
    refusals = [
        f"The {what} does not exist." for what, found in (("addon", source), ("scratch addon", scratch)) if not found
    ]
    if source and scratch:
        refusals += _misfits(source, scratch, projects)
    if options.backup == TAKE:
        earlier = [one for one in backups if one.get("name") == options.backup_name]
        in_use = [one["id"] for one in earlier if any(other.get("backup_id") == one["id"] for other in running)]
        leftovers = [one["id"] for one in earlier if is_backup_finished(one) and one["id"] not in in_use]
        return {"refusals": refusals or _conflicts(running, in_use), "backup": None, "leftovers": leftovers}
    backup = _chosen(options.backup, backups)
    if source:
        refusals += _unusable(options.backup, backup)
    return {
        "refusals": refusals or _conflicts(running, [(backup or {}).get("id")]),
        "backup": backup,
        "leftovers": [],
    }


def _first(result: Mapping[str, t.Any], key: str) -> Item:
    found = result.get(key)
    return found[0] if found else {}


def _misfits(source: Item, scratch: Item, projects: Sequence[t.Any]) -> list[str]:
    """Say why the scratch addon cannot take a backup of the addon. projects: ids of their projects."""
    # By what the platform reports, not by what the options say.
    is_same_id = any(source.get(key) and source.get(key) == scratch.get(key) for key in ("uid", "app_id"))
    if is_same_id or (projects[0], source.get("id")) == (projects[-1], scratch.get("id")):
        place = f"{source['id']} of the project {projects[0]} (uid {source.get('uid')})"
        return [f"The scratch addon is the addon itself: both are {place}. A drill never restores into that one."]
    own, other = ((one.get("spec") or {}).get("type") for one in (source, scratch))
    if own != other:
        return [f"The addon is of type {own}, the scratch addon of type {other}. They have to be of the same type."]
    return []


def _chosen(wanted: str, backups: Sequence[Item]) -> Item | None:
    if wanted != LATEST:
        return next((one for one in backups if one["id"] == wanted), None)
    completed = [one for one in backups if one.get("status") in BACKUP_SUCCESS_STATES]
    return max(completed, key=lambda one: parse(one.get("completed_at")) or parse(one.get("created_at")) or NEVER,
               default=None)  # fmt: skip


def _unusable(wanted: str, backup: Item | None) -> list[str]:
    if backup is None and wanted == LATEST:
        return ["The addon has no completed backup."]
    if backup is None:
        return [f"The addon has no backup {wanted}. Say {LATEST}, {TAKE}, or the id of one."]
    if backup.get("status") not in BACKUP_SUCCESS_STATES:
        return [f"The backup {wanted} is not completed (its status is {backup.get('status')})."]
    return []


def _conflicts(running: Sequence[Item], wanted: Sequence[t.Any]) -> list[str]:
    """Say which restores of other backups are in progress. One that does not report its backup is of another one."""
    return [
        f"The scratch addon is being restored already, from the backup {one.get('backup_id')} (restore {one.get('id')},"
        f" {one.get('status')})."
        for one in running
        if one.get("backup_id") not in wanted
    ]


# What the drill proved


def _result(so_far: Mapping[str, t.Any], options: Options, plan: Item, backup: Item, restore: Item) -> Item:
    """Make the artifact of the role."""
    age = _seconds_between(backup.get("completed_at") or backup.get("created_at"), restore.get("restore_timestamp"))
    duration, duration_by = _duration(restore, so_far.get("times") or [])
    has_restored = restore.get("status") in BACKUP_SUCCESS_STATES
    age_met = _is_met(age, options.max_age, bool(restore))
    duration_met = _is_met(duration, options.max_duration, has_restored)
    failures = list(so_far.get("failures") or [])
    reasons = [*failures]
    if age_met is False:
        reasons.append(f"The backup was {_minutes(age)} old when its restore began; {options.max_age} min are allowed.")
    if duration_met is False:
        reasons.append(f"The restore took {_minutes(duration)}; {options.max_duration} min are allowed.")
    if not reasons and not options.check_mode and not has_restored:
        # The keyword check_mode, which no variable reports, can keep the restore from starting.
        reasons.append("No restore was completed, so that nothing is proved.")
    is_taken = bool(so_far.get("taken"))
    size = (backup.get("config") or {}).get("size")
    return {
        "passed": False if reasons else None if options.check_mode else True,
        "reasons": reasons,
        "backup": {**_columns(backup, "id", "name", "status", "created_at", "completed_at"), "size": size}
        if backup
        else None,
        "restore": _columns(restore, "id", "status", "restore_timestamp", "completed_at") if restore else None,
        "age_seconds": age,
        "duration_seconds": duration,
        "duration_by": duration_by,
        "objectives": {
            "max_age_seconds": options.max_age * 60 or None,
            "max_duration_seconds": options.max_duration * 60 or None,
            "age_met": age_met,
            "duration_met": duration_met,
        },
        "check_mode": options.check_mode,
        "project_id": options.project_id,
        "addon_id": options.addon_id,
        "scratch_project_id": options.scratch_project_id,
        "scratch_addon_id": options.scratch_addon_id,
        "taken": is_taken,
        "checks": so_far.get("checked") or "none",
        "left": _left(options, restore, is_backup_left=is_taken and not so_far.get("deleted")),
        "would": _steps(options, plan) if options.check_mode and not failures else [],
    }


def _columns(item: Item, *names: str) -> Item:
    return {name: item.get(name) for name in names}


def _duration(restore: Item, times: Sequence[float]) -> tuple[float | None, str | None]:
    """Get the seconds that a completed restore took, and which clock measured them."""
    if restore.get("status") not in BACKUP_SUCCESS_STATES:
        return None, None
    reported = _seconds_between(restore.get("restore_timestamp"), restore.get("completed_at"))
    if reported is not None and reported >= 0:
        return reported, "platform"
    return (round(float(times[1]) - float(times[0]), 3), "clock") if len(times) == 2 else (None, None)


def _seconds_between(earlier: t.Any, later: t.Any) -> float | None:
    start, end = parse(earlier), parse(later)
    return round((end - start).total_seconds(), 3) if start and end else None


def _is_met(seconds: float | None, minutes: int, is_measured: bool) -> bool | None:
    """Check an objective; None if there is none, or nothing to measure. An unknown time misses it."""
    if not minutes or not is_measured:
        return None
    return seconds is not None and seconds <= minutes * 60


def _minutes(seconds: float | None) -> str:
    return "an unknown time" if seconds is None else f"{seconds / 60:.1f} min"


def _left(options: Options, restore: Item, *, is_backup_left: bool) -> list[str]:
    """Say what the drill leaves behind."""
    left = []
    if restore:
        is_whole = restore.get("status") in BACKUP_SUCCESS_STATES
        state = " has the data of the backup." if is_whole else ", whose data may be incomplete."
        left.append(f"The addon {options.scratch_addon_id} of the project {options.scratch_project_id}{state}")
    if is_backup_left:
        left.append(f'The backup "{options.backup_name}" of the addon {options.addon_id}.')
    return left


def _steps(options: Options, plan: Item) -> list[str]:
    """Say what the drill would do."""
    takes = options.backup == TAKE
    what = "it" if takes else f"the backup {(plan['backup'] or {}).get('id', options.backup)}"
    steps = [
        f"Delete the backup {', '.join(plan['leftovers'])}, which an earlier drill left." if plan["leftovers"] else "",
        f"Take a backup of the addon {options.addon_id}." if takes else "",
        f"Restore {what} into the addon {options.scratch_addon_id}. Its data is replaced.",
        f"Run the checks of {options.checks}." if options.checks else "",
        "Delete the backup." if takes and options.cleanup else "",
    ]
    return [step for step in steps if step]
