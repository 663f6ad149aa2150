# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores started and aborted by requests."""

from __future__ import annotations

from ..messages import Record
from . import backups, transfers
from .ask import Ask
from .errors import ApiError, invalid, not_found
from .lives import stamp


def _backup(ask: Ask) -> Record:
    """Return the backup to restore. Raises ApiError unless it can be restored into the path's addon."""
    origin = backups.source(ask)
    record = backups.named(ask, *origin)
    kind, wanted = ask.addon(*origin).data["spec"]["type"], ask.addon().data["spec"]["type"]
    if kind != wanted:
        raise ApiError(400, f"A backup of a {kind} addon cannot be restored into a {wanted} addon")
    if record["status"] != "completed":
        message = f"The backup cannot be restored: its status is {record['status']}"
        raise ApiError(409, message, details={"status": record["status"]})
    return record


def _moment(taken: set[str], moment: float) -> str:
    """Return a time stamp that no other restore of the addon has: the oldest shapes have ids made of it."""
    while (written := str(stamp("restore", moment))) in taken:
        moment += 0.001
    return written


def start(ask: Ask) -> Record:
    """POST B/restore."""
    addon, record = ask.addon(), _backup(ask)
    transfers.demand_start(ask, "restore", addon, addon.restores)
    project_id, addon_id = backups.source(ask)
    entry = {
        "backupId": record["id"],
        "source": {"projectId": project_id, "addonId": addon_id},
        "status": "scheduled",
        "restoreTimestamp": _moment({str(each["restoreTimestamp"]) for each in addon.restores}, ask.now),
    }
    restore = ask.loader.restore(ask.project(), addon, entry)
    transfers.begin(ask, "restore", addon, restore, ask.outcome("restores", "completed", addon.data["id"]))
    return {"data": {"restoreId": str(ask.show("restore")(restore)["id"])}}


def abort(ask: Ask) -> Record:
    """POST B/abort-restore."""
    origin, addon = backups.source(ask), ask.addon()
    found = addon.by_backup.get((*origin, backups.named(ask, *origin)["id"]), [])
    wanted = ask.body("restoreId").get("restoreId")
    if not isinstance(wanted, str) or not wanted:
        raise invalid("restoreId", "is a text and required", wanted)
    show = ask.show("restore")
    restore = next((each for each in found if str(show(each)["id"]) == wanted), None)
    if restore is None:
        raise not_found("restore", restoreId=wanted)
    transfers.abort(ask, "restore", addon, restore)
    return {"data": {}}
