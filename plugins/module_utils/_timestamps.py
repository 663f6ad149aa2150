# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time stamps as both platforms write them, read without being strict."""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, datetime

LATEST_SECONDS = 10**11  # a greater number counts milliseconds

NUMBER = re.compile(r"\d+(\.\d+)?")
DAY = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}")


def parse(value: t.Any) -> datetime | None:
    """Return the moment that a time stamp means, with its zone; None if it means none, or "never".

    Northflank's pages show ISO text, also with a blank for the T or a stray quote, numbers or digits that count seconds
    or milliseconds since 1970, and a day as 01.08.2021. Cycle's are RFC 3339 with up to nanoseconds, of which
    microseconds are kept; 0001-01-01T00:00:00Z stands for "never". Without a zone it is UTC.
    """
    text = str(value).strip().strip("\"'").strip()
    try:
        if NUMBER.fullmatch(text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if number > LATEST_SECONDS else number, UTC)
        found = datetime.strptime(text, "%d.%m.%Y") if DAY.fullmatch(text) else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    if found.year == 1:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
