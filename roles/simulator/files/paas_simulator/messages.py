# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes in and out of a platform: one request, one answer, and the errors a handler may raise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from .ratelimit import Allowance

JSON_TYPE = "application/json; charset=utf-8"

Record = dict[str, Any]


@dataclass(slots=True)
class Call:
    """One request. ``path`` is as sent, without the query; ``segments`` are percent-decoded once.

    A platform notes route template, name of the token and rate limit on admission; ``trap`` is a pagination fault.
    """

    method: str
    path: str
    segments: tuple[str, ...]
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    route: str | None = None
    token: str | None = None
    trap: str | None = None
    allowance: Allowance | None = None

    def first(self, name: str) -> str | None:
        """Return the first value of a query parameter, or None."""
        values = self.query.get(name)
        return values[0] if values else None


@dataclass(slots=True)
class Answer:
    """One answer. ``payload`` is sent as JSON unless ``text`` is set; a header with the value None is left out."""

    status: int = 200
    payload: Any = None
    text: str | None = None
    headers: dict[str, str | None] = field(default_factory=dict)
    content_type: str = JSON_TYPE

    def body(self) -> bytes:
        """Return the bytes of the body."""
        if self.text is not None:
            return self.text.encode("utf-8")
        return json.dumps(self.payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def read_call(method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Build a Call from the parts of a request line as they came over the wire."""
    query: dict[str, list[str]] = {}
    if raw_query:
        for name, value in parse_qsl(raw_query, keep_blank_values=True):
            query.setdefault(name, []).append(value)
    segments = tuple(unquote(part) for part in raw_path.split("/")[1:])
    return Call(method, raw_path, segments, query, headers, body)
