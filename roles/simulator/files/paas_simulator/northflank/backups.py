# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups started, aborted, kept and deleted by requests."""

from __future__ import annotations

import re
from typing import Any

from ..clock import iso
from ..messages import Record
from . import catalogue, transfers
from .ask import Ask
from .errors import ApiError, invalid, not_found
from .loading import slug
from .state import Addon

# Patterns and lengths of the vendor's pages.
_NAME = re.compile(r"[a-zA-Z0-9]+((-|\s|/|:)[a-zA-Z0-9]+)*")
_DESTINATION = re.compile(r"[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*")
_BODY = ("name", "backupType", "compressionType", "customDestinationId", "additionalDestinations")


def source(ask: Ask) -> tuple[str, str]:
    """Return project and addon that a backup is from: the path's own, unless the query names others."""
    own = ask.given["projectId"], ask.given["addonId"]
    if ask.settings.seed:
        return own
    return ask.call.first("sourceProjectId") or own[0], ask.call.first("sourceAddonId") or own[1]


def named(ask: Ask, project_id: str | None = None, addon_id: str | None = None) -> Record:
    """Return the backup that the path names, of the path's addon or of another one. Raises ApiError."""
    found = ask.addon(project_id, addon_id).backups.get(ask.given["backupId"])
    if found is None:
        raise not_found("backup", backupId=ask.given["backupId"])
    return found


def _text(body: Record, name: str, pattern: re.Pattern[str], longest: int) -> None:
    value = body.get(name, "any")
    if not isinstance(value, str) or not 3 <= len(value) <= longest or not pattern.fullmatch(value):
        raise invalid(name, f"has to have 3 to {longest} characters and to match ^{pattern.pattern}$", value)


def _choice(body: Record, name: str, *choices: str) -> None:
    if name in body and body[name] not in choices:
        raise invalid(name, f"is one of {', '.join(choices)}", body[name])


def _destination(entry: Any) -> None:
    name = "additionalDestinations"
    if not isinstance(entry, dict) or set(entry) - {"destinationId", "retentionTime", "type"}:
        raise invalid(name, "holds objects with destinationId, type and retentionTime", entry)
    if "destinationId" not in entry or entry.get("type") != "custom":
        raise invalid(name, "needs a destinationId and the type custom", entry)
    _text(entry, "destinationId", _DESTINATION, 100)
    days = entry.get("retentionTime", 1)
    if not isinstance(days, int) or isinstance(days, bool) or days < 1:
        raise invalid(name, "has a retentionTime in days from 1", entry)


def _checked(ask: Ask) -> Record:
    """Return the body of a start. Raises ApiError."""
    body = ask.body(*_BODY)
    _text(body, "name", _NAME, 39)
    _text(body, "customDestinationId", _DESTINATION, 100)
    _choice(body, "backupType", "dump", "snapshot")
    _choice(body, "compressionType", "gz", "zstd")
    if "customDestinationId" in body and body.get("backupType") != "dump":
        raise invalid("customDestinationId", "is for dump backups only", body["customDestinationId"])
    destinations = body.get("additionalDestinations", [])
    if not isinstance(destinations, list):
        raise invalid("additionalDestinations", "is a list", destinations)
    for entry in destinations:
        _destination(entry)
    return body


def _free(addon: Addon, wanted: str) -> str:
    """Return an id that no backup of the addon has: the one wanted, or one with a number behind it."""
    numbers = iter(range(2, len(addon.backups) + 3))
    found = wanted
    while found in addon.backups:
        found = f"{wanted}-{next(numbers)}"
    return found


def _config(body: Record) -> Record:
    dump = body.get("backupType") == "dump"
    config: Record = {"source": {"type": "liveInstance" if dump else "snapshot"}}
    if dump:
        config["compressionType"] = body.get("compressionType", "gz")
    if body.get("additionalDestinations"):
        config["additionalDestinations"] = body["additionalDestinations"]
    return config


def start(ask: Ask) -> Record:
    """POST A/backups; without a name it gets one with the time in it. An id is made of the name."""
    addon, body = ask.addon(), _checked(ask)
    name = body.get("name") or f"Manual {iso(ask.now, ' ')[:19]}"
    if ask.settings.backups.same_name == "conflict" and any(each["name"] == name for each in addon.backups.values()):
        raise ApiError(409, "A backup with this name already exists", details={"name": name})
    transfers.demand_start(ask, "backup", addon, addon.backups.values())
    entry: Record = {"id": _free(addon, slug(name)), "name": name, "status": "scheduled", "config": _config(body)}
    if "customDestinationId" in body:
        entry["customDestinationId"] = body["customDestinationId"]
    record = ask.loader.backup(addon, entry)
    usual = "completed" if catalogue.backs_up(addon, body.get("backupType", "snapshot")) else "not-supported"
    transfers.begin(ask, "backup", addon, record, ask.outcome("backups", usual, addon.data["id"]))
    return ask.one("backup", record)


def abort(ask: Ask) -> Record:
    """POST B/abort."""
    record = named(ask)
    transfers.abort(ask, "backup", ask.addon(), record)
    return {"data": {}}


def retain(ask: Ask) -> Record:
    """POST B/retain; nothing of it shows in the answers of the platform."""
    named(ask)["retained"] = True
    return {"data": {}}


def delete(ask: Ask) -> Record:
    """DELETE B; the restores from it stay in the list of the addon."""
    addon, record = ask.addon(), named(ask)
    key = (ask.given["projectId"], ask.given["addonId"], record["id"])
    restores = [
        restore
        for project in ask.team.projects.values()
        for other in project.addons.values()
        for restore in other.by_backup.get(key, [])
    ]
    active = any(each["status"] in transfers.ACTIVE for each in (record, *restores))
    if active and ask.settings.backups.delete_active == "conflict":
        raise ApiError(
            409, "The backup is in use: it is under way or being restored", details={"backupId": record["id"]}
        )
    ask.timelines.cancel(record)
    transfers.leave(addon, record, ask.now)
    del addon.backups[record["id"]]
    return {"data": {}}
