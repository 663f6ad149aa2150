# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The report of an estate: what was found, what is worth reading in detail, the files, and reasons to fail."""

from __future__ import annotations

import json
import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ._estate_csv import csv_of
from ._estate_facts import estate_of
from ._estate_findings import AREAS, SEVERITIES, THRESHOLDS, Limits, findings_of
from ._estate_northflank import days_until, run_days, when_done
from ._estate_page import PLATFORMS, page_of
from ._estate_values import DAY, Row, age, plain, stamp
from ._surveys import as_list

FORMAT = 1  # of the report; greater when something is no longer where it was
MAX_DAYS = 90

Tables = Mapping[str, list[Row]]


def make_report(
    raw: t.Any,
    now: datetime,
    *,
    title: str,
    thresholds: Mapping[str, t.Any],
    backup_exempt: t.Any,
    max_telemetry_containers: int,
) -> Row:
    """Make the report on what was read.

    Args:
        raw: See estate_of().
        now: The moment of the report, in UTC.
        title: Its title.
        thresholds: Those that differ from THRESHOLDS.
        backup_exempt: See estate_of(); also as text, as a survey gives it.
        max_telemetry_containers: How many running containers telemetry is read of.

    Raises:
        ValueError: A threshold is unknown or no number, or there are too few or too many days.
    """
    limits = Limits(now, _thresholds(thresholds))
    days, exempt = int(limits["days"]), as_list(backup_exempt)
    if not 1 <= days <= MAX_DAYS:
        raise ValueError(f"days must be 1 to {MAX_DAYS}, not {days}")
    estate = estate_of(plain(raw), now, days, exempt)
    findings = _unread_findings(estate.platforms) + findings_of(estate.tables, limits)
    return {
        "format": FORMAT,
        "title": plain(str(title)),
        "now": stamp(now.isoformat()),
        "thresholds": {**limits.thresholds, "backup_exempt": exempt},
        "platforms": estate.platforms,
        "unread": estate.unread,
        "telemetry_left_out": max(0, len(_running_containers(estate.tables)) - max_telemetry_containers),
        "counts": {name: sum(one["severity"] == name for one in findings) for name in SEVERITIES},
        "findings": findings,
        "areas": _areas(estate.tables, findings),
        "lately": _lately(estate.tables, now),
        "tables": estate.tables,
        "series": {
            "days": days_until(now, days),
            "template_runs": run_days(estate.tables.get("template_runs", []), now, days),
        },
    }


def _thresholds(given: Mapping[str, t.Any]) -> dict[str, float]:
    unknown = [name for name in given if name not in THRESHOLDS]
    if unknown:
        raise ValueError(f"thresholds has the unknown {', '.join(map(str, unknown))}")
    return {name: type(default)(given.get(name, default)) for name, default in THRESHOLDS.items()}


def _unread_findings(platforms: Mapping[str, Row]) -> list[Row]:
    """Make a finding for each platform that was not read, or not in full."""
    found: list[Row] = []
    for platform, how in platforms.items():
        if how["state"] in ("unread", "partly"):
            was = "Not read" if how["state"] == "unread" else "Not read in full"
            count = len(how["problems"])
            more = f" (and {count - 1} more)" if count > 1 else ""
            found.append(
                {
                    "severity": "critical",
                    "rule": "unread",
                    "platform": platform,
                    "table": None,
                    "row": None,
                    "subject": PLATFORMS[platform],
                    "where": [],
                    "text": f"{was}: {how['problems'][0]}{more}",
                    "since": None,
                }
            )
    return found


def _areas(tables: Tables, findings: Sequence[Row]) -> list[Row]:
    """Count the rows of each table, and their findings by severity."""
    counts = Counter((one["table"], one["severity"]) for one in findings)
    return [
        {
            "table": table,
            "title": area.title,
            "platform": area.platform,
            "rows": len(tables[table]),
            **{severity: counts[table, severity] for severity in SEVERITIES},
        }
        for table, area in AREAS.items()
        if table in tables
    ]


def _lately(tables: Tables, now: datetime) -> list[Row]:
    """Count what happened in the last 24 hours, and in the 24 before."""
    events = {
        "Backups completed": _times(tables, "backups", "status", "completed"),
        "Backups failed": _times(tables, "backups", "status", "failed"),
        "Restores completed": _times(tables, "restores", "status", "completed"),
        "Restores failed": _times(tables, "restores", "status", "failed"),
        "Template runs succeeded": _times(tables, "template_runs", "outcome", "success"),
        "Template runs failed": _times(tables, "template_runs", "outcome", "failed"),
        "Instances created": [one["created_at"] for one in tables.get("instances", [])],
    }
    end, yesterday, before = (stamp((now - timedelta(seconds=back)).isoformat()) or "" for back in (0, DAY, 2 * DAY))
    return [
        {
            "name": name,
            "last": sum(yesterday < moment <= end for moment in moments if moment),
            "before": sum(before < moment <= yesterday for moment in moments if moment),
        }
        for name, moments in events.items()
    ]


def _times(tables: Tables, table: str, column: str, value: str) -> list[str | None]:
    """Get when those rows of a table finished that have a value in a column."""
    rows = [row for row in tables.get(table, []) if row[column] == value]
    return [row.get("concluded_at") or when_done({"completed_at": None, **row}) for row in rows]


def details_of(report: Row, *, max_runs: int, max_telemetry_containers: int, telemetry_hours: float) -> Row:
    """Choose what is worth reading in detail, with a request for each run and more for each container.

    Returns:
        runs: The last failed run of each template, the newest first. container_ids: Containers that are running.
        telemetry_start, telemetry_end: The range of telemetry.
    """
    now = datetime.fromisoformat(report["now"])
    last: dict[str, Row] = {}
    for run in sorted(report["tables"].get("template_runs", []), key=_created):
        recent = (age(run["created_at"], now) or 0.0) <= report["thresholds"]["days"] * DAY
        if run["outcome"] == "failed" and run["id"] and run["template_id"] and recent:
            last[run["template_id"]] = run
    return {
        "runs": [
            {"template_id": run["template_id"], "run_id": run["id"], "id": f"{run['template_id']}/{run['id']}"}
            for run in sorted(last.values(), key=_created, reverse=True)[:max_runs]
        ],
        "container_ids": _running_containers(report["tables"])[:max_telemetry_containers],
        "telemetry_start": stamp((now - timedelta(hours=telemetry_hours)).isoformat()),
        "telemetry_end": report["now"],
    }


def _created(row: Row) -> str:
    return row["created_at"] or ""


def _running_containers(tables: Tables) -> list[str]:
    return [str(one["id"]) for one in tables.get("containers", []) if one["state"] == "running" and one["id"]]


def files_of(report: Row, folder: str, max_rows: int) -> dict[str, str]:
    """Write a report as html, json and csv.

    Args:
        report: What make_report() returns.
        folder: Where the template, the style and the script of the page are.
        max_rows: How many rows a table of the page may have; json and csv have all.

    Raises:
        OSError: The folder lacks a file.
    """
    return {
        "html": page_of(report, folder, max(1, max_rows)),
        "json": json.dumps(report, indent=1, ensure_ascii=False) + "\n",
        "csv": csv_of(report),
    }


def reasons_to_fail(report: Row, fail_on: str, fail_unread: bool) -> list[str]:
    """List the reasons to fail.

    Args:
        report: What make_report() returns.
        fail_on: The lowest severity of findings to fail on, or never.
        fail_unread: Whether to fail if a platform was not read, or not in full.
    """
    missing = [platform for platform, how in report["platforms"].items() if how["state"] in ("unread", "partly")]
    reasons = [f"Not read, or not in full: {', '.join(missing)}."] if fail_unread and missing else []
    for severity in SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on in SEVERITIES else ():
        count = report["counts"][severity]
        if count:
            reasons.append(f"There {'is 1 finding' if count == 1 else f'are {count} findings'} of severity {severity}.")
    return reasons
