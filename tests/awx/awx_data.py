# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data in extensions/awx, and the roles that it speaks of."""

from __future__ import annotations

from typing import Any

import yaml

from support.playbook import COLLECTION


def load(name: str) -> Any:
    """A file of extensions/awx, by its name without .yml."""
    return yaml.safe_load((COLLECTION / "extensions" / "awx" / f"{name}.yml").read_text(encoding="utf-8"))


def role_options(name: str) -> dict[str, Any]:
    """The options of a role, as its argument specification has them."""
    path = COLLECTION / "roles" / name / "meta" / "argument_specs.yml"
    options: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    return options
