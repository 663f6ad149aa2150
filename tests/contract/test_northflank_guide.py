# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The play of the Northflank guide that acts, as it stands there."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import yaml

from support.playbook import COLLECTION, run_playbook

if TYPE_CHECKING:
    from pathlib import Path

    from support.simulator import Simulator

GUIDE = (COLLECTION / "docs" / "docsite" / "rst" / "northflank_guide.rst").read_text(encoding="utf-8")
WAITING = ("addon_backup", "backup_restore", "template_run")
PASSWORD = "correct-horse-battery"


def test_the_play_that_acts(simulator: Simulator, tmp_path: Path) -> None:
    simulator.reset()
    quick = {"scheduled": 0.1, "running": 0.1}
    simulator.settings(backups=quick, restores=quick, runs={"pending": 0.1, "node": 0.1})
    (text,) = re.findall(r"^    - name: Migrate the ledger\n(?:    .*\n|\n)+", GUIDE, flags=re.MULTILINE)
    access = {"NORTHFLANK_API_BASE_URL": simulator.url, "NORTHFLANK_API_TOKEN": simulator.token}
    plays = yaml.safe_load(textwrap.dedent(text))
    for play in plays:
        play["module_defaults"] = {f"quayside.paas.{name}": {"wait_interval": 1} for name in WAITING}
    run = run_playbook(tmp_path, plays, "-vvvvv", extra_vars={"ledger_password": PASSWORD}, env=access)
    assert run.shows("The ledger is as it was before. The run"), run.summary
    assert run.shows("migrate")
    assert not run.shows(PASSWORD)
    ended = [entry["path"].rpartition("/")[2] for entry in simulator.journal() if entry["method"] == "POST"]
    assert ended == ["backups", "runs", "restore"]
