# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of requests. Tokens never enter it: they appear by their name in the estate, or hidden."""

from __future__ import annotations

import json
import time
from collections import deque
from itertools import islice
from typing import Any

from .clock import iso
from .messages import Call, Record

CAPACITY = 100_000
WITHHELD = frozenset({"authorization", "cookie", "proxy-authorization", "x-cycle-token"})
SECRET_PARAMETER = "token"
HIDDEN = "********"


def _body(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


class Journal:
    """The last requests, numbered from 1 since the start or the last clearing."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._entries: deque[tuple[Record, bytes]] = deque(maxlen=capacity)
        self._number = 0

    def open(self, call: Call, now: float) -> Record:
        """Enter a request as it arrives; the caller fills in status, route and token when they are known.

        A caller that sets ``body`` as well has it shown in place of the request's own.
        """
        self._number += 1
        entry: Record = {
            "number": self._number,
            "time": iso(now),
            "monotonic": time.monotonic(),
            "method": call.method,
            "path": call.path,
            "query": {name: [HIDDEN] if name == SECRET_PARAMETER else values for name, values in call.query.items()},
            "headers": {name.lower(): value for name, value in call.headers.items() if name.lower() not in WITHHELD},
            "status": None,
            "route": None,
            "token": None,
        }
        self._entries.append((entry, call.body))
        return entry

    def entries(self, since: int = 0) -> list[Record]:
        """Return the entries with a number greater than ``since``, oldest first."""
        skip = max(0, since - (self._number - len(self._entries)))
        return [{"body": _body(raw), **entry} for entry, raw in islice(self._entries, skip, None)]

    def clear(self) -> None:
        """Forget everything and count from 1 again."""
        self._entries.clear()
        self._number = 0
