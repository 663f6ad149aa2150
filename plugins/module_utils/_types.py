# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types and small helpers shared by every layer."""

from __future__ import annotations

import typing as t

Item = dict[str, t.Any]  # a resource as the platform sends it
Params = t.Mapping[str, t.Any]  # the validated options of a task
Query = t.Mapping[str, t.Any]

MAX_DEPTH = 100  # levels of a response; Ansible itself fails on results some hundred levels deep


def value_at(item: t.Any, path: str, default: t.Any = None) -> t.Any:
    """Return the value at a dotted path such as state.current, or the default if a part of the path is missing."""
    for name in path.split("."):
        if not isinstance(item, dict) or name not in item:
            return default
        item = item[name]
    return item
