# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where things lie. What is made lies below CACHE: `.cache` of the checkout, unless its path is unsuitable."""

from __future__ import annotations

from pathlib import Path

from tools.bootstrap import work_folder

ROOT = Path(__file__).resolve().parents[2]
CACHE = work_folder(ROOT)
BOOT = CACHE / "boot" / "bin"
ENVIRONMENTS = CACHE / "envs"
RESULTS = CACHE / "results"
HOME = CACHE / "home"


def collections(name: str) -> Path:
    """The folder that holds `ansible_collections` for a suite; each suite has a copy of the checkout for itself."""
    return CACHE / "trees" / name


def tree(name: str) -> Path:
    """The copy of the checkout for a suite."""
    return collections(name) / "ansible_collections" / "quayside" / "paas"
