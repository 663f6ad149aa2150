# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Values of an estate report: any result of a module as JSON types, times as text, ages."""

from __future__ import annotations

import math
import typing as t
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime

from ..module_utils import _timestamps

Row = dict[str, t.Any]

HOUR = 3600.0
DAY = 24 * HOUR


def plain(value: t.Any) -> t.Any:
    """Convert a value to ordinary JSON types, without what Ansible attaches to it; texts become valid Unicode."""
    if isinstance(value, Mapping):
        # Reading the key left out, which Ansible sets for a loop over nothing, is deprecated in ansible-core 2.21.
        return {plain(str(key)): plain(value[key]) for key in value if key != "skipped_reason"}
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Sequence | Set):
        return [plain(one) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return plain(str(value))


def stamp(value: t.Any) -> str | None:
    """Convert a time stamp of a platform to ISO 8601 in UTC, to the second; None for what is no time stamp."""
    moment = None if value is None else _timestamps.parse(value)
    try:
        return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return None


def age(value: str | None, now: datetime) -> float | None:
    """Get the seconds since a time stamp; 0 for one in the future, None without one."""
    moment = None if value is None else _timestamps.parse(value)
    return None if moment is None else max(0.0, (now - moment).total_seconds())


def text(value: t.Any) -> str | None:
    """Convert a name, state or message, which should be text, to text; None for nothing."""
    return None if value is None or value == "" else str(value)


def truth(value: t.Any) -> bool | None:
    """Get a boolean; None for anything else."""
    return value if isinstance(value, bool) else None


def number(value: t.Any) -> float | None:
    """Get a number as float; None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
