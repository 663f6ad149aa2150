# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""From registered results of the info modules to the tables of an estate report.

Rows are dictionaries of JSON types. Times are ISO 8601 in UTC, or None if they cannot be read. Any field may be missing
from a result, and any state may be unknown.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from datetime import datetime

from ..module_utils._types import value_at
from ._estate_cycle import cycle_tables
from ._estate_northflank import northflank_tables
from ._estate_values import Row

# What is read of a platform: the name of the part, the key of its result, its name in messages.
PARTS: dict[str, dict[str, tuple[str, str]]] = {
    "northflank": {
        "projects": ("projects", "projects"),
        "addons": ("addons", "addons"),
        "versions": ("addon_versions", "versions of addons"),
        "addon_containers": ("containers", "containers of addons"),
        "backups": ("backups", "backups"),
        "restores": ("restores", "restores"),
        "templates": ("templates", "templates"),
        "template_runs": ("template_runs", "template runs"),
        "run_details": ("template_runs", "nodes of failed template runs"),
    },
    "cycle": {
        "environments": ("environments", "environments"),
        "servers": ("servers", "servers"),
        "containers": ("containers", "containers"),
        "instances": ("instances", "instances"),
        "telemetry": ("reports", "telemetry"),
    },
}
# Parts that are read for each project or container: nothing of them is read without the list of these.
ROOTS = {"northflank": "projects", "cycle": "containers"}
NEED_ROOT = {"addons", "addon_containers", "backups", "restores", "instances", "telemetry"}

MAX_MESSAGE = 1000  # characters


class Part(t.NamedTuple):
    """A part as it was read."""

    items: list[Row]
    # Why something of it was not read.
    problems: list[str]
    requests: int
    is_read: bool


class Estate(t.NamedTuple):
    """Both platforms as they were read."""

    # Rows by the name of their table.
    tables: dict[str, list[Row]]
    # By platform its state (off, read, partly, unread), the number of requests, and what was not read.
    platforms: dict[str, Row]
    # Parts of which something is missing.
    unread: list[str]


def estate_of(raw: Mapping[str, t.Any], now: datetime, days: int, backup_exempt: Sequence[str]) -> Estate:
    """Convert registered results to tables.

    Args:
        raw: By platform the registered result of each part in PARTS; None for a platform that is not reported on.
        now: The moment of the report.
        days: Length of the calendars of backups and runs, ending today.
        backup_exempt: What needs no backups: types of addons, ids of projects, or PROJECT/ADDON.
    """
    tables: dict[str, list[Row]] = {}
    platforms: dict[str, Row] = {}
    unread: list[str] = []
    for platform, parts in PARTS.items():
        given = raw.get(platform)
        if not isinstance(given, Mapping):
            platforms[platform] = {"state": "off", "requests": 0, "problems": []}
            continue
        read = {part: read_part(given.get(part), *found) for part, found in parts.items()}
        platforms[platform] = platform_summary(read.values())
        items = {name: part.items for name, part in read.items()}
        if platform == "northflank":
            tables |= northflank_tables(items, now, days, backup_exempt)
        else:
            tables |= cycle_tables(items)
        lacking = NEED_ROOT if read[ROOTS[platform]].problems else set()
        unread += [name for name, part in read.items() if not part.is_read or name in lacking]
    return Estate(tables, platforms, unread)


def read_part(result: t.Any, key: str, name: str) -> Part:
    """Take a registered result, of a task or of a loop, whether it failed or not."""
    # A loop over nothing counts as skipped, and there was nothing to read.
    if not isinstance(result, dict) or (result.get("skipped") and result.get("results") != []):
        return Part([], [], 0, False)
    each = [one for one in result["results"] if not one.get("skipped")] if "results" in result else [result]
    items, problems = [], []
    for one in each:
        found = one.get(key)
        if isinstance(found, list):
            items += [item for item in found if isinstance(item, dict)]
        else:
            of = one.get(one.get("ansible_loop_var") or "item")
            label = value_at(of, "id") if isinstance(of, dict) else of
            subject = f"{name} of {label}" if label else name
            message = " ".join(str(one.get("msg") or "no response").split())[:MAX_MESSAGE]
            problems.append(f"{subject}: {message}")
    return Part(items, problems, sum(int(one.get("request_count") or 0) for one in each), not problems)


def platform_summary(parts: t.Collection[Part]) -> Row:
    """Summarize how reading a platform went."""
    problems = [problem for part in parts for problem in part.problems]
    state = "read" if not problems else "partly" if any(part.items for part in parts) else "unread"
    return {"state": state, "requests": sum(part.requests for part in parts), "problems": problems}
