# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the playbook estate_report and reads the files that it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from role_runs import RoleRun, play

from support.simulator import Simulator

MOMENT = "2026-11-02T08:00:00Z"  # where the clock of the shipped estate starts
# What keeps a run short where the test is about something else.
SHORT = {"projects": ["storefront"], "telemetry_containers": 0}
NO_CYCLE = {"CYCLE_API_KEY": "", "CYCLE_HUB_ID": ""}
NO_NORTHFLANK = {"NORTHFLANK_API_TOKEN": ""}


def report(
    sim: Simulator, folder: Path, *arguments: str, env: dict[str, str] | None = None, **variables: Any
) -> RoleRun:
    """Runs the playbook at the moment at which the estate starts. The files go to the folder "report" below folder."""
    named = {f"estate_report_{name}": value for name, value in {"now": MOMENT, **variables}.items()}
    return play(
        sim, folder, "estate_report", {"estate_report_dest": str(folder / "report"), **named}, *arguments, env=env
    )


def content(run: RoleRun, kind: str) -> str:
    return (run.folder / "report" / f"estate.{kind}").read_text(encoding="utf-8")


def facts(run: RoleRun) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content(run, "json"))
    return found


def result(run: RoleRun) -> dict[str, Any]:
    found: dict[str, Any] = run.artifacts["estate_report_result"]
    return found
