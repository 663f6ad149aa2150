# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What an answer of a platform is, whichever way it came, and reading it without harm.

Here nothing imports requests, which takes longer than many a task over a WebSocket.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import re
import typing as t

from ._retry import new_retry

MAX_DEPTH = 100  # levels of an answer; Ansible itself gives up on results some hundred levels deep
EXCERPT = 300  # characters of a foreign text that an error message repeats


@dataclasses.dataclass(frozen=True)
class RateLimit:
    """What the platform last said of its rate limit; None where it said nothing.

    limit, remaining: requests in the current window. reset: seconds until the window ends.
    """

    limit: int | None = None
    remaining: int | None = None
    reset: int | None = None

    @classmethod
    def from_headers(cls, headers: t.Mapping[str, str]) -> RateLimit:
        """Reads the x-ratelimit-* headers (Northflank facts: the last one counts seconds, it is no time stamp)."""
        values = (_whole_number(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining", "reset"))
        return cls(*values)


@dataclasses.dataclass(frozen=True)
class Response:
    """A complete answer. body: the parsed JSON, or None when there was none or it was no JSON. text: how it begins."""

    status: int
    headers: t.Mapping[str, str]
    body: t.Any
    text: str
    is_json: bool


def _whole_number(value: str | None) -> int | None:
    try:
        return int(float(value)) if value is not None else None
    except (ValueError, OverflowError):
        return None


def _no_number(constant: str) -> t.NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _no_number(number)


def parse_json(content: bytes) -> t.Any:
    """A JSON text, without the numbers that only Python takes for JSON. Raises ValueError, RecursionError."""
    return json.loads(content, parse_constant=_no_number, parse_float=_finite)


def redacted(value: t.Any, *secrets: str, depth: int = 0) -> t.Any:
    """A JSON value from outside without secrets, the credentials of a proxy, and what UTF-8 cannot hold.

    What is nested too deeply becomes None.
    """
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "********")
        return writable(re.sub(r"//[^/@\s]+@", "//********@", value))
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {redacted(key, *secrets): redacted(inner, *secrets, depth=depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [redacted(inner, *secrets, depth=depth + 1) for inner in value]
    return value


def json_spellings(text: str) -> set[str]:
    """A text as it is, and as it stands between quotes in JSON, with and without escapes for what is not ASCII."""
    return {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}


def is_rate_limited(answer: Response) -> bool:
    """Whether an answer refuses because of the rate limit: 429, or possibly 403 with nothing remaining."""
    if answer.status == 403:
        return RateLimit.from_headers(answer.headers).remaining == 0
    return answer.status == 429


def retry_after(answer: Response) -> float | None:
    """Seconds that the platform asks to wait: Retry-After, else the reset of the rate limit. None when it does not."""
    asked = answer.headers.get("Retry-After")
    if asked is not None:
        from urllib3.exceptions import HTTPError  # comes with requests, takes long, and is seldom needed

        with contextlib.suppress(ValueError, OverflowError, HTTPError):
            return float(new_retry(True).parse_retry_after(asked))
    if is_rate_limited(answer):
        reset = RateLimit.from_headers(answer.headers).reset
        return None if reset is None else max(0.0, float(reset))
    return None


def writable(text: str) -> str:
    """The text with lone surrogates escaped: JSON can hold them, UTF-8 and so Ansible's results cannot."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
