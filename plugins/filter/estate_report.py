# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: estate_report
short_description: Report on what was read of both platforms
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Takes registered results of info modules of both platforms, whether they failed or not, and returns a report with
    the findings by severity, a row for each thing that was read, and series over time.
  - The report comes with what is worth reading in detail, with the files of the report if O(folder) is given, and with
    the reasons to fail. The role P(quayside.paas.estate_report#role) first asks for the details of its lists, reads
    these, and then makes the report.
  - The same input with the same options gives the same result.
positional: _input
options:
  _input:
    description:
      - C(northflank) and C(cycle), each a dictionary of registered results, or V(null) for a platform that is not
        reported on.
      - For Northflank these are C(projects), C(addons), C(versions), C(addon_containers), C(backups), C(restores),
        C(templates), C(template_runs) and C(run_details); for Cycle C(environments), C(servers), C(containers),
        C(instances) and C(telemetry). Each can be the result of a task or of a loop, or be missing.
    type: dict
    required: true
  now:
    description: The moment of the report, in ISO 8601. Without a zone it is UTC.
    type: str
    required: true
  title:
    description: The title of the report.
    type: str
    default: Estate report
  thresholds:
    description: The thresholds that differ from their defaults.
    type: dict
    default: {}
    suboptions:
      backup_max_age:
        description: Hours after which the last backup of an addon is a warning.
        type: float
        default: 26
      backup_critical_age:
        description: Hours after which it is critical.
        type: float
        default: 168
      support_notice:
        description: Days before the end of support of a version from which it is a warning.
        type: float
        default: 90
      restart_window:
        description: Hours for which a restart is a warning.
        type: float
        default: 24
      stuck_after:
        description: Hours after which a backup, restore, run or change of state that is in progress is a warning.
        type: float
        default: 6
      memory_max:
        description: Percent of its memory from which an instance is a warning.
        type: float
        default: 90
      failures_in_a_row:
        description: Number of failed runs of a template in a row that are critical. Fewer are a warning.
        type: int
        default: 3
      days:
        description: Number of days that the series go back, and for which failures count, V(1) to V(90).
        type: int
        default: 14
  backup_exempt:
    description: What needs no backups, as a type of addons, the id of a project, or V(PROJECT/ADDON).
    type: list
    elements: str
    default: []
  run_details:
    description: Number of failed template runs to read in detail.
    type: int
    default: 10
  telemetry_containers:
    description: Number of running containers of Cycle to read telemetry of.
    type: int
    default: 50
  telemetry_hours:
    description: Number of hours of telemetry to read.
    type: float
    default: 3
  folder:
    description:
      - The folder with the template, the style and the script of the page, C(files) of the role.
      - Without it no files are written.
    type: path
  rows:
    description: Number of rows that a table of the page can have. It keeps the worst and says how many are left out.
    type: int
    default: 500
  fail_on:
    description: The lowest severity of findings that is a reason to fail.
    type: str
    choices: [never, critical, warning]
    default: never
  fail_unread:
    description: Whether a platform that was not read, or not in full, is a reason to fail.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Read the addons of a project
  quayside.paas.addon_info:
    project_id: storefront
    full: true
  register: addons

- name: Read their backups
  quayside.paas.addon_backup_info:
    project_id: storefront
  register: backups

- name: Show what is wrong with them
  ansible.builtin.debug:
    msg: "{{ item.severity }}: {{ item.subject }}: {{ item.text }}"
  loop: "{{ (estate | quayside.paas.estate_report(now=now(utc=true).isoformat())).report.findings }}"
  loop_control:
    label: "{{ item.subject }}"
  vars:
    estate:
      northflank: {addons: "{{ addons }}", backups: "{{ backups }}"}
      cycle: null
"""

RETURN = r"""
_value:
  description: The report and what goes with it.
  type: dict
  contains:
    report:
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
          description: The thresholds by name, and C(backup_exempt).
          type: dict
        platforms:
          description:
            - How reading went, for C(northflank) and C(cycle). C(state) is V(read), V(partly), V(unread), or V(off) for
              a platform that is not reported on; C(requests) is the number of requests sent, C(problems) lists what
              could not be read.
          type: dict
        unread:
          description: The parts that are missing, or not complete.
          type: list
          elements: str
        telemetry_left_out:
          description: Number of running containers beyond O(telemetry_containers).
          type: int
        counts:
          description: Number of findings of each severity, C(critical), C(warning), C(notice).
          type: dict
        findings:
          description:
            - The findings, the worst first. Each has C(severity), C(rule), C(platform), C(table), the C(row) of the
              table, C(subject), C(where), C(text), and C(since), when it began, if that is known.
          type: list
          elements: dict
        areas:
          description: For each table its title, platform, number of rows, and number of findings by severity.
          type: list
          elements: dict
        lately:
          description: What happened in the last 24 hours (C(last)), and in the 24 hours before (C(before)).
          type: list
          elements: dict
        tables:
          description: The rows of each table. Times are in UTC, sizes in bytes.
          type: dict
        series:
          description: C(days), and the template runs requested on each, by outcome (C(template_runs)).
          type: dict
    details:
      description: What is worth reading in detail.
      type: dict
      contains:
        runs:
          description:
            - The last failed run of each template, the newest first, with C(template_id), C(run_id), and an C(id) of
              both for display.
          type: list
          elements: dict
        container_ids:
          description: Containers of Cycle that are running.
          type: list
          elements: str
        telemetry_start:
          description: Start of the range of telemetry, in RFC 3339.
          type: str
        telemetry_end:
          description: Its end, which is O(now).
          type: str
    files:
      description:
        - The texts of the files, empty without O(folder). C(html) is the page, which needs no other file and in which
          texts of the platforms are escaped. C(json) is the report. C(csv) has one line for each row of each table,
          without a cell that a spreadsheet takes for a formula.
      type: dict
    reasons:
      description: The reasons to fail, as sentences. Empty without a reason.
      type: list
      elements: str
"""

import typing as t
from datetime import UTC

from ansible.errors import AnsibleFilterError

from ..module_utils import _timestamps
from ..plugin_utils._estate_report import details_of, files_of, make_report, reasons_to_fail


def estate_report(
    raw: t.Any,
    now: str,
    title: str = "Estate report",
    thresholds: t.Mapping[str, t.Any] | None = None,
    backup_exempt: t.Sequence[str] = (),
    run_details: int = 10,
    telemetry_containers: int = 50,
    telemetry_hours: float = 3,
    folder: str | None = None,
    rows: int = 500,
    fail_on: str = "never",
    fail_unread: bool = True,
) -> dict[str, t.Any]:
    """Make a report; see DOCUMENTATION.

    Raises:
        AnsibleFilterError: An option is invalid, or the folder lacks a file.
    """
    moment = _timestamps.parse(now)
    if moment is None:
        raise AnsibleFilterError(f"estate_report: now is not a time in ISO 8601: {now!r}")
    try:
        report = make_report(
            raw,
            moment.astimezone(UTC),
            title=title,
            thresholds=thresholds or {},
            backup_exempt=backup_exempt,
            max_telemetry_containers=int(telemetry_containers),
        )
        details = details_of(
            report,
            max_runs=int(run_details),
            max_telemetry_containers=int(telemetry_containers),
            telemetry_hours=float(telemetry_hours),
        )
        files = {} if folder is None else files_of(report, str(folder), int(rows))
    except ValueError as error:
        raise AnsibleFilterError(f"estate_report: {error}") from error
    except OSError as error:
        raise AnsibleFilterError(f"estate_report: cannot read the parts of the page: {error}") from error
    return {
        "report": report,
        "details": details,
        "files": files,
        "reasons": reasons_to_fail(report, fail_on, fail_unread),
    }


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, t.Any]:
        """Get the filter by its name."""
        return {"estate_report": estate_report}
