# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""A report on an estate as CSV: one line for each row of each table, with the same columns for all."""

from __future__ import annotations

import csv
import io
import typing as t
from collections.abc import Mapping

from ._estate_findings import AREAS
from ._estate_values import Row

# Column of the file: columns of the tables that it may come from, the first that is there.
COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id",),
    "name": ("name", "template", "addon"),
    "project": ("project",),
    "addon": ("addon",),
    "environment": ("environment",),
    "container": ("container",),
    "server": ("server",),
    "location": ("location",),
    "type": ("type", "strategy"),
    "version": ("version",),
    "lifecycle": ("lifecycle",),
    "discontinued_by": ("discontinued_by",),
    "status": ("status", "state", "last_status"),
    "created_at": ("created_at",),
    "changed_at": ("updated_at", "changed_at", "completed_at", "concluded_at", "last_at"),
    "last_backup_at": ("last_backup_at",),
    "size": ("size", "last_backup_size"),
    "cpu": ("cpu",),
    "memory": ("memory",),
    "failure": ("failure", "last_failure", "error"),
}
# With these a spreadsheet would take a text for a formula.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_of(report: Mapping[str, t.Any]) -> str:
    """Write the tables, after a line of headings; findings that belong to no row come first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["platform", "table", "severity", "findings", *COLUMNS])
    for one in report["findings"]:
        if one["table"] is None:
            line = [one["platform"], "", one["severity"], one["text"], "", one["subject"]]
            writer.writerow([cell(value) for value in line + [""] * (len(COLUMNS) - 2)])
    for table, rows in report["tables"].items():
        for row in rows:
            line = [AREAS[table].platform, table, row["severity"], " ".join(row["findings"])]
            writer.writerow([cell(value) for value in line + [value_of(row, names) for names in COLUMNS.values()]])
    return out.getvalue()


def value_of(row: Row, names: tuple[str, ...]) -> t.Any:
    """The first of some columns that a row has."""
    return next((row[name] for name in names if row.get(name) is not None), "")


def cell(value: t.Any) -> t.Any:
    """A value that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    text = value.replace("\0", "")
    return f"'{text}" if text.startswith(FORMULAS) else text
