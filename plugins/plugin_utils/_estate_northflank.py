# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The tables of Northflank in an estate report: addons and what belongs to them, templates and their runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta

from ..module_utils._northflank.states import (
    BACKUP_FINAL_STATES,
    BACKUP_SUCCESS_STATES,
    CONTAINER_RUNNING_STATE,
    CONTAINER_STOPPED_STATES,
    RUN_FAILED_STATES,
    RUN_SUCCESS_STATES,
    failed_nodes,
    is_run_finished,
)
from ..module_utils._types import value_at
from ._estate_values import Row, stamp, text

# What is listed as a backup, but was imported from elsewhere.
IMPORT_SOURCES = ("fileUpload", "externalDump")
# How a run went, as the report calls it.
OUTCOMES = ("success", "failed", "other", "open")

Key = tuple[str | None, str | None]  # project and addon


def northflank_tables(
    items: Mapping[str, list[Row]], now: datetime, days: int, backup_exempt: Sequence[str]
) -> dict[str, list[Row]]:
    """Make the rows of Northflank. For the arguments see estate_of(); items are those that were read, by part."""
    projects = {str(one.get("id")): text(one.get("name")) or str(one.get("id")) for one in items["projects"]}
    containers = [container_row(one, projects) for one in items["addon_containers"]]
    backups = [backup_row(one, projects) for one in items["backups"]]
    restores = [restore_row(one, projects) for one in items["restores"]]
    runs = run_rows(items["template_runs"], items["run_details"])
    versions = {addon_key(one): one for one in items["versions"]}
    children = [by_addon(rows) for rows in (containers, backups, restores)]
    addons = []
    for one in items["addons"]:
        key = (str(one.get("project_id")), str(one.get("id")))
        own_containers, own_backups, own_restores = (rows.get(key, []) for rows in children)
        row = {
            **addon_row(one, projects, versions.get(key)),
            **addon_summary(own_containers, own_backups, own_restores, now, days),
        }
        exempt = bool({row["type"], row["project_id"], "/".join(key)} & set(backup_exempt))
        # Custom addons and buckets have no version. The platform does not make backups of them.
        is_database = value_at(one, "spec.config.version_tag") is not None or value_at(one, "spec.config") is None
        addons.append({**row, "needs_backups": (is_database or row["backups"] > 0) and not exempt})
    known = {(one["project_id"], one["id"]): one for one in addons}
    for row in (*containers, *backups, *restores):
        addon = known.get(addon_key(row), {"name": row["addon_id"], "created_at": None})
        row["addon"], row["addon_created_at"] = addon["name"], addon["created_at"]
    return {
        "addons": addons,
        "addon_containers": containers,
        "backups": backups,
        "restores": restores,
        "templates": template_rows(items["templates"], runs, now, days),
        "template_runs": runs,
    }


def addon_key(row: Row) -> Key:
    """Get what identifies the addon of a row."""
    return text(row.get("project_id")), text(row.get("addon_id"))


def by_addon(rows: Iterable[Row]) -> dict[Key, list[Row]]:
    """Group rows by their addon."""
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        found[addon_key(row)].append(row)
    return found


def parents(item: Row, projects: Mapping[str, str]) -> Row:
    """Make the columns that say where a child of an addon belongs."""
    project = str(item.get("project_id"))
    return {"project_id": project, "project": projects.get(project, project), "addon_id": text(item.get("addon_id"))}


def container_row(item: Row, projects: Mapping[str, str]) -> Row:
    """Make the row of a container of an addon."""
    return {
        **parents(item, projects),
        "name": text(item.get("name")),
        "status": text(item.get("status")),
        "created_at": stamp(item.get("created_at")),
        "updated_at": stamp(item.get("updated_at")),
        "node": text(item.get("node_name")),
    }


def backup_row(item: Row, projects: Mapping[str, str]) -> Row:
    """Make the row of a backup; its size in bytes."""
    size = value_at(item, "config.size")
    return {
        **parents(item, projects),
        "id": text(item.get("id")),
        "name": text(item.get("name")),
        "status": text(item.get("status")),
        "created_at": stamp(item.get("created_at")),
        "completed_at": stamp(item.get("completed_at")),
        "imported": value_at(item, "config.source.type") in IMPORT_SOURCES,
        "size": int(size) if str(size).isascii() and str(size).isdigit() and len(str(size)) < 20 else None,
    }


def restore_row(item: Row, projects: Mapping[str, str]) -> Row:
    """Make the row of a restore."""
    return {
        **parents(item, projects),
        "backup_id": text(item.get("backup_id")),
        "id": text(item.get("id")),
        "status": text(item.get("status")),
        "created_at": stamp(item.get("restore_timestamp")),
        "completed_at": stamp(item.get("completed_at")),
    }


def addon_row(item: Row, projects: Mapping[str, str], version: Row | None) -> Row:
    """Make the row of an addon, without what its containers, backups and restores say."""
    project, addon_id = str(item.get("project_id")), str(item.get("id"))
    reported = version or {}
    upgrades = reported.get("upgrade_to")
    return {
        "project_id": project,
        "project": projects.get(project, project),
        "id": addon_id,
        "name": text(item.get("name")) or addon_id,
        "type": text(value_at(item, "spec.type")),
        "status": text(item.get("status")),
        "created_at": stamp(item.get("created_at")),
        "version": text(reported.get("version")) or text(value_at(item, "spec.config.version_tag")),
        "lifecycle": text(reported.get("lifecycle_status")) or text(value_at(item, "spec.config.lifecycle_status")),
        "discontinued_by": stamp(reported.get("discontinued_by")),
        "upgrade_to": [
            str(one["version"])
            for one in (upgrades if isinstance(upgrades, list) else [])
            if isinstance(one, dict) and one.get("version") is not None
        ],
    }


def addon_summary(
    containers: Sequence[Row], backups: Sequence[Row], restores: Sequence[Row], now: datetime, days: int
) -> Row:
    """Make the columns of an addon that count its containers, backups and restores."""
    own = [one for one in backups if not one["imported"]]
    last = max((one for one in own if one["status"] in BACKUP_SUCCESS_STATES), key=when_done, default=None)
    latest = max((one for one in own if one["status"] in BACKUP_FINAL_STATES), key=when_done, default=None)
    has_failed = latest is not None and latest["status"] == "failed"
    last_restore = max(restores, key=lambda one: one["created_at"] or "", default=None)
    return {
        "containers": len(containers),
        "containers_running": sum(one["status"] == CONTAINER_RUNNING_STATE for one in containers),
        "containers_ended": sum(one["status"] in CONTAINER_STOPPED_STATES for one in containers),
        "backups": len(own),
        "last_backup": None if last is None else last["name"] or last["id"],
        "last_backup_at": None if last is None else when_done(last) or None,
        "last_backup_size": None if last is None else last["size"],
        "last_backup_status": None if latest is None else latest["status"],
        "last_backup_failed_at": when_done(latest) or None if latest is not None and has_failed else None,
        "backup_days": backup_days(own, now, days),
        "last_restore": last_restore and {"status": last_restore["status"], "at": when_done(last_restore) or None},
    }


def when_done(row: Row) -> str:
    """Get when a backup or restore finished, or else started; "" if unknown. These texts sort by time."""
    return row["completed_at"] or row["created_at"] or ""


def days_until(now: datetime, days: int) -> list[str]:
    """List so many dates, ending with that of a moment, in UTC."""
    return [(now - timedelta(days=back)).strftime("%Y-%m-%d") for back in range(days - 1, -1, -1)]


def backup_days(backups: Iterable[Row], now: datetime, days: int) -> list[str]:
    """Get the best outcome of the backups of each day: completed, failed, open or none."""
    by_day: dict[str, set[str | None]] = defaultdict(set)
    for one in backups:
        by_day[(one["created_at"] or one["completed_at"] or "")[:10]].add(one["status"])
    return [day_outcome(by_day.get(day, set())) for day in days_until(now, days)]


def day_outcome(statuses: Set[str | None]) -> str:
    """Get the best of the states that backups of a day are in."""
    if statuses & set(BACKUP_SUCCESS_STATES):
        return "completed"
    if "failed" in statuses:
        return "failed"
    return "open" if statuses - set(BACKUP_FINAL_STATES) else "none"


# Templates


def run_rows(items: Iterable[Row], details: Iterable[Row]) -> list[Row]:
    """Make the rows of runs, with the node that failed if it was read."""

    def key_of(run: Row) -> tuple[str | None, str | None]:
        return text(run.get("template_id")), text(run.get("id"))

    failures = {key_of(one): failure_of(one) for one in details}
    return [
        {
            "template_id": text(one.get("template_id")),
            "template": text(one.get("name")) or text(one.get("template_id")),
            "id": text(one.get("id")),
            "status": text(one.get("status")),
            "outcome": outcome_of(one),
            "created_at": stamp(one.get("created_at")),
            "started_at": stamp(one.get("started_at")),
            "concluded_at": stamp(one.get("concluded_at")),
            "failure": failures.get(key_of(one)),
        }
        for one in items
    ]


def outcome_of(run: Row) -> str:
    """Get how a run went: success, failed, other (aborted, skipped, a new state), or open while it is in progress."""
    if not is_run_finished(run):
        return "open"
    status = run.get("status")
    return "success" if status in RUN_SUCCESS_STATES else "failed" if status in RUN_FAILED_STATES else "other"


def failure_of(run: Row) -> str | None:
    """Get the first node of a run that failed, and why; None if no node reports it."""
    node = next(iter(failed_nodes(run)), None)
    if node is None:
        return None
    name = f"{node['kind']} {node['ref']}" if node["ref"] else str(node["kind"])
    return f"{name}: {node['message']}" if node["message"] else name


def template_rows(items: Iterable[Row], runs: Sequence[Row], now: datetime, days: int) -> list[Row]:
    """Make the rows of templates, with what their runs come to; also of templates of which only runs are known."""
    by_template: dict[str | None, list[Row]] = defaultdict(list)
    for run in runs:
        by_template[run["template_id"]].append(run)
    names = {text(one.get("id")): text(one.get("name")) for one in items}
    names |= {key: some[0]["template"] for key, some in by_template.items() if key not in names}
    return [template_row(key, name or key, by_template[key], now, days) for key, name in names.items()]


def template_row(key: str | None, name: str | None, runs: Sequence[Row], now: datetime, days: int) -> Row:
    """Make the row of a template: its last run, failures in a row, and outcomes by day."""
    newest_first = sorted(runs, key=lambda run: run["created_at"] or "", reverse=True)
    in_a_row: list[Row] = []
    for run in newest_first:
        if run["outcome"] == "success":
            break
        if run["outcome"] == "failed":
            in_a_row.append(run)
    last = newest_first[0] if newest_first else None
    return {
        "id": key,
        "name": name,
        "runs": len(runs),
        "open": sum(run["outcome"] == "open" for run in runs),
        "last_status": None if last is None else last["status"],
        "last_at": None if last is None else last["created_at"],
        "failures_in_a_row": len(in_a_row),
        "last_failure_at": in_a_row[0]["concluded_at"] or in_a_row[0]["created_at"] if in_a_row else None,
        "last_failure": in_a_row[0]["failure"] if in_a_row else None,
        "run_days": run_days(runs, now, days),
    }


def run_days(runs: Iterable[Row], now: datetime, days: int) -> list[Row]:
    """Count the runs that were requested on each day, by outcome."""
    counts = Counter((str(run["created_at"])[:10], run["outcome"]) for run in runs)
    return [{"day": day, **{name: counts[day, name] for name in OUTCOMES}} for day in days_until(now, days)]
