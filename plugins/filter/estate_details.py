# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: estate_details
short_description: Chooses what of an estate is worth reading in detail
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Lists of an estate are read with few requests, the nodes of template runs and telemetry with one request each. This
    filter chooses a bounded number of them, for the role P(quayside.paas.estate_report#role).
positional: _input
options:
  _input:
    description:
      - Registered results, C(template_runs) of M(quayside.paas.template_run_info) and C(containers) of
        M(quayside.paas.container_info). What is missing or failed counts as empty.
    type: dict
    required: true
  now:
    description: The moment of the report, in ISO 8601. Without a zone it is UTC.
    type: str
    required: true
  days:
    description: How many days back a failed run is of interest.
    type: int
    default: 14
  runs:
    description: How many failed runs to choose, the last of each template, newest first.
    type: int
    default: 10
  containers:
    description: How many running containers to choose, in their order.
    type: int
    default: 50
  telemetry_hours:
    description: Length of the range for telemetry.
    type: float
    default: 3
"""

EXAMPLES = r"""
- name: Read all runs
  quayside.paas.template_run_info:
  register: runs

- name: Read the nodes of the last failed run of each template
  quayside.paas.template_run_info:
    template_id: "{{ item.template_id }}"
    run_id: "{{ item.run_id }}"
  loop: "{{ ({'template_runs': runs} | quayside.paas.estate_details(now=now(utc=true).isoformat())).runs }}"
"""

RETURN = r"""
_value:
  description: What to read.
  type: dict
  contains:
    runs:
      description: Failed template runs, each with C(template_id), C(run_id), and an C(id) of both for display.
      type: list
      elements: dict
    container_ids:
      description: Containers of Cycle that run.
      type: list
      elements: str
    containers_left_out:
      description: How many more containers run.
      type: int
    telemetry_start:
      description: Beginning of the range for telemetry, in RFC 3339.
      type: str
    telemetry_end:
      description: Its end, which is O(now).
      type: str
"""

import typing as t
from datetime import timedelta

from ansible.errors import AnsibleFilterError

from ansible_collections.quayside.paas.plugins.module_utils import _timestamps
from ansible_collections.quayside.paas.plugins.plugin_utils._estate_facts import (
    Row,
    age,
    at,
    plain,
    read_part,
    run_rows,
    stamp,
)

DAY = 86400.0


def estate_details(
    raw: t.Any, now: str, days: int = 14, runs: int = 10, containers: int = 50, telemetry_hours: float = 3
) -> Row:
    """See DOCUMENTATION. Raises AnsibleFilterError for a moment that is none."""
    moment = _timestamps.parse(now)
    if moment is None:
        raise AnsibleFilterError(f"estate_details: now is no time in ISO 8601: {now!r}")
    given = plain(raw)
    rows = run_rows(read_part(given.get("template_runs"), "template_runs", "runs").items, [])
    last: dict[t.Any, Row] = {}
    for row in sorted(rows, key=lambda row: row["created_at"] or ""):
        seconds = age(row["created_at"], moment)
        if row["outcome"] == "failed" and row["id"] and row["template_id"] and (seconds or 0.0) <= int(days) * DAY:
            last[row["template_id"]] = row
    chosen = sorted(last.values(), key=lambda row: row["created_at"] or "", reverse=True)[: int(runs)]
    running = [
        str(one["id"])
        for one in read_part(given.get("containers"), "containers", "containers").items
        if at(one, "state.current") == "running" and one.get("id")
    ]
    return {
        "runs": [
            {"template_id": row["template_id"], "run_id": row["id"], "id": f"{row['template_id']}/{row['id']}"}
            for row in chosen
        ],
        "container_ids": running[: int(containers)],
        "containers_left_out": max(0, len(running) - int(containers)),
        "telemetry_start": stamp((moment - timedelta(hours=float(telemetry_hours))).isoformat()),
        "telemetry_end": stamp(moment.isoformat()),
    }


class FilterModule:
    def filters(self) -> dict[str, t.Any]:
        return {"estate_details": estate_details}
