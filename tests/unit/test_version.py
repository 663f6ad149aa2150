# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in two places."""

from __future__ import annotations

from pathlib import Path

import yaml

from ansible_collections.quayside.paas.plugins.module_utils._version import VERSION

ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_that_of_galaxy_yml() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert galaxy["version"] == VERSION
