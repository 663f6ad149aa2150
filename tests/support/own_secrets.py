# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator whose tokens are like no other's on this machine, so that finding one means that it leaked."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from support.simulator import SERVICE, Simulator, start_simulator


def start_with_own_secrets(folder: Path) -> Simulator:
    """Starts a simulator of the shipped estate with other tokens and keys. folder: for its estate file."""
    estate = yaml.safe_load((SERVICE / "paas_simulator" / "estate.yml").read_text(encoding="utf-8"))
    for entry in estate["northflank"]["tokens"]:
        entry["token"] = f"nf-sim-{entry['name']}-{os.urandom(16).hex()}"
    for entry in estate["cycle"]["keys"]:
        entry["key"] = f"cycle-sim-{entry['name']}-{os.urandom(16).hex()}"
    file = folder / "estate.yml"
    file.write_text(yaml.safe_dump(estate, allow_unicode=True), encoding="utf-8")
    return start_simulator(estate=file)
