# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: estate_report
short_description: Finds in what was read of an estate what asks for attention
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Takes registered results of info modules of both platforms, whether they failed or not, and returns a report, which
    has the findings by severity, a row for each thing that was read, and series over time.
  - The role P(quayside.paas.estate_report#role) uses it. P(quayside.paas.estate_files#filter) writes what it returns as
    a page, as JSON and as CSV.
  - The same input with the same O(now) gives the same report.
positional: _input
options:
  _input:
    description:
      - C(northflank) and C(cycle), each a dictionary of registered results, or V(null) for a platform that is not to be
        reported on.
      - Of Northflank they are C(projects), C(addons), C(versions), C(addon_containers), C(backups), C(restores),
        C(templates), C(template_runs) and C(run_details), of Cycle C(environments), C(servers), C(containers),
        C(instances) and C(telemetry). Each may be the result of a task, or of a loop.
    type: dict
    required: true
  now:
    description: The moment of the report, in ISO 8601. Without a zone it is UTC.
    type: str
    required: true
  title:
    description: What the report is called.
    type: str
    default: Estate report
  backup_max_age:
    description: Hours after which the last backup of an addon is a warning.
    type: float
    default: 26
  backup_critical_age:
    description: Hours after which it is critical.
    type: float
    default: 168
  backup_exempt:
    description: What needs no backups, as a type of addons, the id of a project, or V(PROJECT/ADDON).
    type: list
    elements: str
    default: []
  support_notice:
    description: Days before the end of support of a version from which on it is a warning.
    type: float
    default: 90
  restart_window:
    description: Hours for which a restart is a warning.
    type: float
    default: 24
  stuck_after:
    description: Hours after which what is under way is a warning.
    type: float
    default: 6
  memory_max:
    description: Percent of its memory from which on an instance is a warning.
    type: float
    default: 90
  failures_in_a_row:
    description: How many failed runs of a template one after the other are critical. Fewer are a warning.
    type: int
    default: 3
  days:
    description: How many days the series go back, and for how long failures count.
    type: int
    default: 14
  telemetry_left_out:
    description: How many running containers there are whose telemetry was not asked for, to be told in the report.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Read the addons of a project
  quayside.paas.addon_info:
    project_id: web-shop
    full: true
  register: addons

- name: Read their backups
  quayside.paas.addon_backup_info:
    project_id: web-shop
  register: backups

- name: Show what is wrong with them
  ansible.builtin.debug:
    msg: "{{ item.severity }}: {{ item.subject }}: {{ item.text }}"
  loop: "{{ (estate | quayside.paas.estate_report(now=now(utc=true).isoformat())).findings }}"
  loop_control:
    label: "{{ item.subject }}"
  vars:
    estate:
      northflank: {addons: "{{ addons }}", backups: "{{ backups }}"}
      cycle: null
"""

RETURN = r"""
_value:
  description: The report, of JSON types.
  type: dict
  contains:
    format:
      description: V(1). Greater when something is no longer where it was.
      type: int
    title:
      description: The O(title).
      type: str
    now:
      description: The moment of the report, in UTC.
      type: str
    thresholds:
      description: The thresholds by the names of the options.
      type: dict
    platforms:
      description:
        - How reading went, for C(northflank) and C(cycle). C(state) is V(read), V(partly), V(unread), or V(off) for one
          that was not to be read; C(requests) is how many requests were sent, C(problems) lists what could not be read.
      type: dict
    unread:
      description: The parts that are not there, or not in full.
      type: list
      elements: str
    telemetry_left_out:
      description: How many running containers there are whose telemetry was not asked for.
      type: int
    counts:
      description: How many findings there are of each severity, C(critical), C(warning), C(notice).
      type: dict
    findings:
      description:
        - The findings, the worst first. Each has C(severity), C(rule), C(platform), C(table), the C(row) of the table,
          C(subject), C(where), C(text), and C(since), when it began, where that is known.
      type: list
      elements: dict
    areas:
      description: For each table its title, platform, number of rows, and of findings by severity.
      type: list
      elements: dict
    lately:
      description: What happened in the last 24 hours (C(last)), and in those before (C(before)).
      type: list
      elements: dict
    tables:
      description: The rows of each table. Times in them are in UTC, sizes in bytes.
      type: dict
    series:
      description: C(days), and the template runs asked for on each, by outcome (C(template_runs)).
      type: dict
"""

import typing as t
from collections import Counter
from datetime import UTC, datetime, timedelta

from ansible.errors import AnsibleFilterError

from ansible_collections.quayside.paas.plugins.module_utils import _timestamps
from ansible_collections.quayside.paas.plugins.plugin_utils._estate_facts import (
    Row,
    days_until,
    estate_of,
    plain,
    runs_by_day,
    stamp,
    when_done,
)
from ansible_collections.quayside.paas.plugins.plugin_utils._estate_findings import (
    AREAS,
    DAY,
    SEVERITIES,
    Limits,
    findings_of,
)
from ansible_collections.quayside.paas.plugins.plugin_utils._surveys import as_list

FORMAT = 1
LONGEST_DAYS = 90


def estate_report(
    raw: t.Any,
    now: str,
    title: str = "Estate report",
    backup_max_age: float = 26,
    backup_critical_age: float = 168,
    backup_exempt: t.Sequence[str] = (),
    support_notice: float = 90,
    restart_window: float = 24,
    stuck_after: float = 6,
    memory_max: float = 90,
    failures_in_a_row: int = 3,
    days: int = 14,
    telemetry_left_out: int = 0,
) -> Row:
    """See DOCUMENTATION. Raises AnsibleFilterError for a moment that is none, or days out of range."""
    moment = _timestamps.parse(now)
    if moment is None:
        raise AnsibleFilterError(f"estate_report: now is no time in ISO 8601: {now!r}")
    if not 1 <= int(days) <= LONGEST_DAYS:
        raise AnsibleFilterError(f"estate_report: days has to be 1 to {LONGEST_DAYS}, not {days}")
    thresholds = {
        "backup_max_age": float(backup_max_age),
        "backup_critical_age": float(backup_critical_age),
        "support_notice": float(support_notice),
        "restart_window": float(restart_window),
        "stuck_after": float(stuck_after),
        "memory_max": float(memory_max),
        "failures_in_a_row": int(failures_in_a_row),
        "days": int(days),
    }
    exempt = as_list(backup_exempt)
    estate = estate_of(plain(raw), moment, int(days), exempt)
    findings = findings_of(estate.tables, Limits(now=moment.astimezone(UTC), **thresholds))  # type: ignore[arg-type]
    findings = unread_findings(estate.platforms) + findings
    return {
        "format": FORMAT,
        "title": plain(str(title)),
        "now": stamp(now),
        "thresholds": {**thresholds, "backup_exempt": exempt},
        "platforms": estate.platforms,
        "unread": estate.unread,
        "telemetry_left_out": int(telemetry_left_out),
        "counts": {name: sum(one["severity"] == name for one in findings) for name in SEVERITIES},
        "findings": findings,
        "areas": areas_of(estate.tables, findings),
        "lately": lately(estate.tables, moment),
        "tables": estate.tables,
        "series": {
            "days": days_until(moment, int(days)),
            "template_runs": runs_by_day(estate.tables.get("template_runs", []), moment, int(days)),
        },
    }


def unread_findings(platforms: t.Mapping[str, Row]) -> list[Row]:
    """A finding for each platform that was not read, or not in full."""
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
                    "subject": {"northflank": "Northflank", "cycle": "Cycle"}[platform],
                    "where": [],
                    "text": f"{was}: {how['problems'][0]}{more}",
                    "since": None,
                }
            )
    return found


def areas_of(tables: t.Mapping[str, list[Row]], findings: t.Sequence[Row]) -> list[Row]:
    """How much there is in each table, and how many findings of it by severity."""
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


def lately(tables: t.Mapping[str, list[Row]], now: datetime) -> list[Row]:
    """Counts of the last 24 hours and of the 24 before."""
    completed = {"completed"}
    rows = [
        ("Backups completed", times(tables, "backups", "status", completed)),
        ("Backups failed", times(tables, "backups", "status", {"failed"})),
        ("Restores completed", times(tables, "restores", "status", completed)),
        ("Restores failed", times(tables, "restores", "status", {"failed"})),
        ("Template runs succeeded", times(tables, "template_runs", "outcome", {"success"})),
        ("Template runs failed", times(tables, "template_runs", "outcome", {"failed"})),
        ("Instances made", [one["created_at"] for one in tables.get("instances", [])]),
    ]
    edges = [stamp((now - timedelta(seconds=back)).isoformat()) or "" for back in (2 * DAY, DAY)]
    end = stamp(now.isoformat()) or ""
    return [
        {
            "name": name,
            "last": sum(edges[1] < moment <= end for moment in moments if moment),
            "before": sum(edges[0] < moment <= edges[1] for moment in moments if moment),
        }
        for name, moments in rows
    ]


def times(tables: t.Mapping[str, list[Row]], table: str, column: str, values: set[str]) -> list[str | None]:
    """When the rows of a table ended that have one of the values in a column."""
    return [
        row.get("concluded_at") or when_done({"completed_at": None, **row})
        for row in tables.get(table, [])
        if row[column] in values
    ]


class FilterModule:
    def filters(self) -> dict[str, t.Any]:
        return {"estate_report": estate_report}
