# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time stamps as the platform writes them: RFC 3339, in places with nanoseconds; the zero time means never."""

from __future__ import annotations

from datetime import UTC, datetime

from ..clock import parse

ZERO = "0001-01-01T00:00:00Z"


def stamp(moment: float) -> str:
    """Return unix seconds as RFC 3339, with milliseconds where there are any."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z").replace(".000Z", "Z")


def nano(moment: float) -> str:
    """Return unix seconds as RFC 3339 with nanoseconds; the last three digits carry no meaning."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "487Z")


def read(text: str) -> float:
    """Return unix seconds of a stamp; 0 for the zero time. Raises ValueError."""
    return 0.0 if text == ZERO else parse(text)
