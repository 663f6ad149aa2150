# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: which requests they hit, and what they do to an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .merge import merge_patch
from .messages import Answer, Call, Record

RESETS = ("before", "after", "body")
# Ways to spoil a list. The first ones are of Northflank's pages, "endless" is of both platforms', the last of Cycle's.
TRAPS = (
    "null_cursor",
    "empty_cursor",
    "repeat_cursor",
    "stale_cursor",
    "no_cursor",
    "page_numbers_only",
    "cursor_only",
    "no_block",
    "list_key_absent",
    "list_null",
    "endless",
    "ignore_page",
    "ignore_size",
    "clamp",
)
ACTIONS = frozenset(
    {"status", "body", "text", "headers", "content_type", "delay"}
    | {"reset", "truncate", "rate_limit", "pagination", "patch", "exec"}
)


# What can happen to a session of exec, and when.
EXEC_ACTS = ("refuse", "reset", "close", "error", "unknown", "init", "no_json", "silence")
_EXEC_KEYS = frozenset({"do", "messages", "seconds", "completion", "message", "code"})


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _exec(value: Any) -> bool:
    """Say whether this is what happens to a session of exec, and at most one moment for it."""
    if not isinstance(value, dict) or value.get("do") not in EXEC_ACTS or set(value) - _EXEC_KEYS:
        return False
    moments = [name for name in ("messages", "seconds", "completion") if name in value]
    good = _number(value.get("seconds", 0)) and _whole(value.get("messages", 0)) and _whole(value.get("code", 1000))
    return good and len(moments) < 2


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "status": lambda value: _whole(value) and 200 <= value <= 599,
    "text": lambda value: isinstance(value, str),
    "headers": lambda value: isinstance(value, dict),
    "content_type": lambda value: isinstance(value, str),
    "delay": _number,
    "reset": lambda value: value in RESETS,
    "truncate": _whole,
    "rate_limit": lambda value: isinstance(value, dict) and set(value) <= {"status", "retry_after", "reset"},
    "pagination": lambda value: value in TRAPS,
    "exec": _exec,
}


@dataclass(slots=True)
class Fault:
    """A fault and the requests it is for; ``left`` is None for a fault without end."""

    number: int
    method: str
    path: str
    skip: int
    left: int | None
    action: Record
    hits: int = 0

    def matches(self, call: Call) -> bool:
        """Say whether a request is one of those this fault is for."""
        return self.left != 0 and self.method in ("*", call.method) and fnmatchcase(call.path, self.path)

    def describe(self) -> Record:
        """Return what ``GET /_sim/faults`` shows."""
        return {
            "id": self.number,
            "method": self.method,
            "path": self.path,
            "after": self.skip,
            "times": self.left,
            "hits": self.hits,
            "fault": self.action,
        }


class Faults:
    """The faults in force, tried in the order they were set."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._number = 0

    def add(self, request: Any) -> Fault:
        """Set a fault from the body of ``POST /_sim/faults``. Raises ValueError."""
        if not isinstance(request, dict) or set(request) - {"method", "path", "after", "times", "fault"}:
            raise ValueError("a fault is an object with method, path, after, times and fault")
        skip, times = request.get("after", 0), request.get("times", 1)
        if not _whole(skip) or not (times is None or (_whole(times) and times > 0)):
            raise ValueError("after is a number from 0, times a number from 1 or null")
        action = _checked(request.get("fault"))
        self._number += 1
        method, path = str(request.get("method", "*")).upper(), str(request.get("path", "*"))
        fault = Fault(self._number, method, path, skip, times, action)
        self._faults.append(fault)
        return fault

    def take(self, call: Call) -> Record | None:
        """Return what to do to this request, and count it; None when no fault is for it."""
        for fault in self._faults:
            if not fault.matches(call):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.hits += 1
            if fault.left is not None:
                fault.left -= 1
            return fault.action
        return None

    def describe(self) -> list[Record]:
        """Return all faults, spent ones included."""
        return [fault.describe() for fault in self._faults]

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()


def _checked(action: Any) -> Record:
    if not isinstance(action, dict) or not action:
        raise ValueError("fault is an object that says what happens")
    unknown = sorted(set(action) - ACTIONS)
    if unknown:
        raise ValueError(f"unknown keys in fault: {', '.join(unknown)}")
    for key, value in action.items():
        if key in _CHECKS and not _CHECKS[key](value):
            raise ValueError(f"not a value for {key}: {json.dumps(value)}")
    return action


def instead(action: Record, refuse: Callable[[int, str], Answer]) -> Answer | None:
    """Return the answer a fault puts in place of the platform's, which then does not carry the request out.

    ``refuse(status, message)`` gives the platform's own error. None when the fault leaves the request to the platform.
    """
    if "rate_limit" in action:
        return _rate_limited(action["rate_limit"], refuse)
    if "text" in action:
        return Answer(int(action.get("status", 200)), text=action["text"], content_type="text/html; charset=utf-8")
    if "status" not in action:
        return Answer(payload=action["body"]) if "body" in action else None
    if "body" in action:
        return Answer(action["status"], payload=action["body"])
    return refuse(action["status"], "Fault injected by the simulator")


def _rate_limited(limit: Record, refuse: Callable[[int, str], Answer]) -> Answer:
    answer = refuse(int(limit.get("status", 429)), "Rate limit exceeded")
    answer.headers["x-ratelimit-remaining"] = "0"
    if limit.get("retry_after") is not None:
        answer.headers["retry-after"] = str(limit["retry_after"])
    if "reset" in limit:
        answer.headers["x-ratelimit-reset"] = None if limit["reset"] is None else str(limit["reset"])
    return answer


def alter(action: Record, answer: Answer) -> None:
    """Change an answer that is about to be sent: patch of the body, headers, content type."""
    if "patch" in action and answer.text is None:
        answer.payload = merge_patch(answer.payload, action["patch"])
    for name, value in action.get("headers", {}).items():
        answer.headers[name.lower()] = None if value is None else str(value)
    if "content_type" in action:
        answer.content_type = action["content_type"]
