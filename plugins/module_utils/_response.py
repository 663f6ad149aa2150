# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Responses of a platform, whether over HTTP or from the handshake of a WebSocket, and the errors they mean.

Does not import requests, which takes longer than many a task over a WebSocket.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import typing as t

from ._errors import ApiError, InvalidResponseError, NotFoundError, PaasError
from ._types import Item

EXCERPT = 300  # characters of a foreign text that an error message repeats
MAX_ERROR_TEXT = 1000  # characters of the platform's own message


@dataclasses.dataclass(frozen=True)
class RateLimit:
    """What the platform last said about its rate limit; None where it said nothing."""

    # Requests in the current window.
    limit: int | None = None
    remaining: int | None = None
    # Seconds until the window ends.
    reset: int | None = None

    @classmethod
    def from_headers(cls, headers: t.Mapping[str, str]) -> RateLimit:
        """Read the x-ratelimit-* headers."""
        return cls(*(_whole_number(headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining", "reset")))


def _whole_number(value: str | None) -> int | None:
    try:
        return int(float(value)) if value is not None else None
    except (ValueError, OverflowError):
        return None


@dataclasses.dataclass(frozen=True)
class Response:
    status: int
    # Looked up in lower case.
    headers: t.Mapping[str, str]
    # The parsed JSON; None if there was none, or it was not JSON.
    body: t.Any
    # How the body begins, without secrets.
    text: str
    is_json: bool

    @classmethod
    def parse(cls, status: int, headers: t.Mapping[str, str], content: bytes, text: str) -> Response:
        """Make a response from its content. text: how the content begins, without secrets."""
        try:
            return cls(status, headers, parse_json(content), text, True)
        except ValueError:
            return cls(status, headers, None, text, False)


def parse_json(content: bytes) -> t.Any:
    """Parse JSON without the numbers that only Python accepts. Raises ValueError."""
    try:
        return json.loads(content, parse_constant=_not_a_number, parse_float=_finite)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _not_a_number(constant: str) -> t.NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _not_a_number(number)


def json_object(content: bytes) -> Item | None:
    """Return the object in a JSON text; None if it is not JSON, or not an object."""
    with contextlib.suppress(ValueError):
        found = parse_json(content)
        return found if isinstance(found, dict) else None
    return None


def is_rate_limited(response: Response) -> bool:
    """Whether a response refuses because of the rate limit: 429, or 403 with no requests remaining."""
    if response.status == 403:
        return RateLimit.from_headers(response.headers).remaining == 0
    return response.status == 429


def retry_after(response: Response) -> float | None:
    """Return the seconds that the platform asks to wait: Retry-After, else the reset of the rate limit, else None."""
    asked = response.headers.get("retry-after")
    if asked is not None:
        # Comes with requests, is slow to import and rarely needed.
        from urllib3.exceptions import HTTPError
        from urllib3.util.retry import Retry

        with contextlib.suppress(ValueError, OverflowError, HTTPError):
            return float(Retry().parse_retry_after(asked))
    reset = RateLimit.from_headers(response.headers).reset
    return max(0.0, float(reset)) if reset is not None and is_rate_limited(response) else None


@dataclasses.dataclass(frozen=True)
class ErrorBody:
    """What an error response says, as far as its shape was recognised."""

    message: str
    code: str | None = None
    error_id: str | None = None
    details: t.Any = None
    # What the platform says that the token lacks.
    lacking: str | None = None
    # Whether a missing permission may be the reason.
    may_be_permission: bool = True

    def redacted(self, redact: t.Callable[[t.Any], t.Any]) -> ErrorBody:
        return ErrorBody(*(redact(getattr(self, field.name)) for field in dataclasses.fields(self)))


def api_error(response: Response, method: str, path: str, body: ErrorBody, permission: str | None = None) -> ApiError:
    """Return the error for a response with an error status.

    Args:
        permission: What the token needs for this request, according to the platform's documentation.
    """
    identity = f" (error id {body.error_id})" if body.error_id else ""
    code = f" {body.code}" if body.code else ""
    said = body.message[:MAX_ERROR_TEXT].rstrip(".") or "the platform gave no reason"
    hint = _hint(response, permission if body.may_be_permission else None, body.lacking)
    kind = NotFoundError if response.status == 404 else ApiError
    return kind(
        f"{method} {path} failed with status {response.status}{code}: {said}{identity}. {hint}".rstrip(),
        method=method,
        path=path,
        status=response.status,
        code=body.code,
        error_id=body.error_id,
        details=body.details,
    )


def _hint(response: Response, permission: str | None, lacking: str | None) -> str:
    if is_rate_limited(response):
        wait = retry_after(response)
        ends = "" if wait is None else f" It ends in {math.ceil(wait)} seconds."
        return f"The rate limit is used up.{ends} Raise retry_budget to wait for it, or send fewer requests."
    if response.status == 401:
        return "The token is wrong, has expired or was deleted."
    if response.status == 403:
        if lacking:
            return f"The role in use lacks {lacking}."
        return f"The role of the token may lack the permission {permission}." if permission else ""
    if response.status >= 500:
        return "The fault is on the platform's side; try again later."
    return ""


def malformed(method: str, path: str, what: str) -> InvalidResponseError:
    """Return the error for a response without what the API promises. what: what is wrong with it."""
    return InvalidResponseError(f"The answer to {method} {path} {what}.", method=method, path=path)


@contextlib.contextmanager
def mark_ambiguous() -> t.Iterator[None]:
    """Mark errors of a request that changes something if the request may have succeeded all the same.

    A response that cannot be understood, or a fault of the platform, does not say that nothing was done.
    """
    try:
        yield
    except PaasError as error:
        if isinstance(error, InvalidResponseError) or (isinstance(error, ApiError) and (error.status or 0) >= 500):
            error.may_have_succeeded = True
        raise
