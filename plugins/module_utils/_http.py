# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP on requests: one session a process, retries within a budget, bounded responses, tokens that stay secret."""

from __future__ import annotations

import dataclasses
import functools
import os
import ssl
import threading
import time
import typing as t

from ._errors import (
    InvalidResponseError,
    OptionError,
    PaasError,
    TransportError,
    WriteInCheckModeError,
)
from ._libraries import missing_libraries
from ._options import ConnectionOptions
from ._redact import Redactor
from ._response import EXCERPT, RateLimit, Response
from ._retry import RetryBudget, with_retries
from ._types import Query
from ._version import VERSION

try:
    import requests
    import requests.adapters
    import urllib3
except ImportError:
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
IDEMPOTENT_METHODS = SAFE_METHODS | {"PUT", "DELETE"}
MAX_RESPONSE = 64 * 1024 * 1024  # bytes, after decompression
BEGINNING = 16 * 1024  # bytes of a response that are searched for an excerpt
CONNECTIONS = 32  # the largest concurrency


class Transport:
    """Sends requests for one task, and counts them.

    Args:
        options: How to reach the platform.
        headers: Sent with every request, besides the bearer token.
        check_mode: Refuse whatever may change something.
        sleep, clock: Replaced in tests.
    """

    def __init__(
        self,
        options: ConnectionOptions,
        *,
        headers: t.Mapping[str, str] | None = None,
        check_mode: bool = False,
        sleep: t.Callable[[float], t.Any] | None = None,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        if not HAS_REQUESTS:
            raise missing_libraries("requests")
        self.options = options
        self.redact = Redactor(options.token)
        self.check_mode = check_mode
        # Whether a request changed something, or may have.
        self.may_have_changed = False
        self.rate_limit = RateLimit()
        self.request_count = 0
        self._headers = dict(headers or {})
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        self._clock = clock
        self._budget = RetryBudget(options.retry_budget, clock)
        self._lock = threading.Lock()
        self._rate_limit_since = float("-inf")
        if not options.validate_certs:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def request(
        self, method: str, path: str, *, query: Query | None = None, body: t.Any = None, changes: bool | None = None
    ) -> Response:
        """Send a request, again if necessary, and return the response, whatever its status.

        Args:
            path: Begins with a slash, already percent-encoded.
            query: None values are left out, booleans become true and false, lists are repeated.
            body: Sent as JSON.
            changes: Whether the request may change something, where the method does not tell.

        Raises:
            TransportError: No complete response.
            InvalidResponseError: A response that is too large, or a redirect.
            OptionError: The URL is unusable.
            WriteInCheckModeError: The request may change something, and this is check mode.
        """
        safe = method in SAFE_METHODS if changes is None else not changes
        if self.check_mode and not safe:
            raise WriteInCheckModeError(f"{method} {path} was not sent: this is check mode.", method=method, path=path)

        def attempt(timeout: int) -> Response:
            try:
                response = self._attempt(method, path, query, body, timeout, safe)
            except (TransportError, InvalidResponseError) as error:
                self._note_change(not safe and (error.may_have_succeeded or isinstance(error, InvalidResponseError)))
                raise
            # After a fault of the platform nobody knows how far the request got.
            self._note_change(not safe and not 400 <= response.status < 500)
            return response

        return with_retries(
            attempt,
            method,
            path,
            timeout=self.options.timeout,
            budget=self._budget,
            idempotent=safe or (changes is None and method in IDEMPOTENT_METHODS),
            sleep=self._sleep,
            clock=self._clock,
        )

    def count_request(self) -> None:
        """Count a request that goes another way: the handshake of a WebSocket."""
        with self._lock:
            self.request_count += 1

    def close(self) -> None:
        self._closed.set()

    def report(self) -> dict[str, t.Any]:
        return report(self.rate_limit, self.request_count)

    def _note_change(self, may_have_changed: bool) -> None:
        self.may_have_changed = self.may_have_changed or may_have_changed

    def _attempt(self, method: str, path: str, query: Query | None, body: t.Any, timeout: int, safe: bool) -> Response:
        if self._closed.is_set():
            raise TransportError(
                f"{method} {path} was not sent: the task is over.", is_final=True, method=method, path=path
            )
        self.count_request()
        began = self._clock()
        verify = (self.options.ca_path or True) if self.options.validate_certs else False
        try:
            with _session_of(os.getpid(), verify).request(
                method,
                self.options.url + path,
                params=_query_pairs(query),
                json=body,
                headers=self._headers,
                auth=self._authorise,
                timeout=timeout,
                # Given with each request, because REQUESTS_CA_BUNDLE would overrule the session's.
                verify=verify,
                allow_redirects=False,
                stream=True,
            ) as raw:
                response = self._read(raw, method, path, timeout)
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            urllib3.exceptions.LocationValueError,
            UnicodeError,
        ) as error:
            reason = self.redact(str(error)).rstrip(".")
            raise OptionError(f"The option api_url, or a proxy variable, is no usable URL: {reason}.") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._transport_error(error, method, path, timeout, safe) from None
        self._note_rate_limit(response, began)
        return response

    def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # As an auth callable, because an entry in ~/.netrc would replace a plain header.
        request.headers["Authorization"] = f"Bearer {self.options.token}"
        return request

    def _read(self, raw: requests.Response, method: str, path: str, timeout: int) -> Response:
        if raw.is_redirect:
            target = self.redact(str(raw.headers.get("Location", "")))[:EXCERPT]
            raise InvalidResponseError(
                f"{method} {path} was answered with a redirect to {target}. Redirects are not followed, so that the"
                " token stays with one host: set api_url to the address of the API itself.",
                method=method,
                path=path,
                status=raw.status_code,
            )
        content = b"".join(self._chunks(raw, self._clock() + timeout))
        if len(content) > MAX_RESPONSE:
            raise InvalidResponseError(
                f"The answer to {method} {path} is larger than {MAX_RESPONSE // 1024**2} MiB.", method=method, path=path
            )
        return Response.parse(raw.status_code, raw.headers, content, self._excerpt(content))

    def _chunks(self, response: requests.Response, deadline: float) -> t.Iterator[bytes]:
        # read1 (urllib3 2) returns what has arrived, so that a server that drips is seen in time; older ones block.
        raw: t.Any = response.raw
        raw.enforce_content_length = True  # the default from urllib3 2 on
        read = getattr(raw, "read1", raw.read)
        size = 0
        while size <= MAX_RESPONSE and (chunk := read(65536, decode_content=True)):
            size += len(chunk)
            yield chunk
            if self._clock() > deadline:
                raise requests.exceptions.ReadTimeout("the answer was not complete in time")

    def _excerpt(self, content: bytes) -> str:
        """Return how a response begins, in one line. Redacted before it is cut, so that no part of a secret remains."""
        beginning: str = self.redact(content[:BEGINNING].decode("utf-8", "replace"))
        if len(content) > BEGINNING:
            beginning = beginning[: -self.redact.longest()]
        return " ".join(beginning.split())[:EXCERPT]

    def _note_rate_limit(self, response: Response, began: float) -> None:
        new = RateLimit.from_headers(response.headers)
        if new.remaining is None:
            return
        with self._lock:
            old = self.rate_limit
            # Of requests that were in progress at the same time, the one that left the fewest was served last.
            is_lower = old.remaining is None or new.remaining <= old.remaining
            if began >= self._rate_limit_since or is_lower:
                self.rate_limit = new
                self._rate_limit_since = self._clock()

    def _transport_error(self, error: Exception, method: str, path: str, timeout: int, safe: bool) -> TransportError:
        """Classify a failure: was it TLS, was the request never sent, or may it have succeeded?"""
        host = self.options.url
        reason = self.redact(_root_cause(error))[:EXCERPT]
        facts: dict[str, t.Any] = {"method": method, "path": path}
        tried = f"{method} {path} failed:"
        if _is_tls(error):
            return TransportError(
                f"{tried} the TLS connection to {host} could not be made: {reason}. If the platform's certificate comes"
                " from your own authority, name its file in ca_path.",
                is_final=True,
                **facts,
            )
        if _never_sent(error):
            return TransportError(
                f"{tried} {host} could not be reached: {reason}. Check api_url, the network and proxy variables.",
                **facts,
            )
        if isinstance(error, (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)):
            what = f"no complete answer from {host} within {timeout} seconds (option timeout)"
        else:
            what = f"the connection to {host} broke before the answer was complete: {reason}"
        unsure = "" if safe else " Whether the request was carried out is not known."
        return TransportError(f"{tried} {what}.{unsure}", may_have_succeeded=True, **facts)


def report(rate_limit: RateLimit, request_count: int) -> dict[str, t.Any]:
    """Return what every result says about the requests: the rate limit as numbers or None, and their count."""
    return {"rate_limit": dataclasses.asdict(rate_limit), "request_count": request_count}


@functools.lru_cache(maxsize=8)
def _session_of(process: int, verify: bool | str) -> requests.Session:
    # The process is part of the key because a forked worker must not share the sockets of its parent, verify because
    # urllib3 1 hands out a connection that was made without verification to a request that asks for it.
    from http.cookiejar import DefaultCookiePolicy

    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(pool_connections=8, pool_maxsize=CONNECTIONS, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"Accept": "application/json", "User-Agent": f"quayside.paas/{VERSION}"})
    # One session serves several tokens: no response may leave a cookie for the next request.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Redirects are refused. Without this requests would prepare to follow them, and read their bodies without bound.
    session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
    return session


def proxy_for(url: str) -> str | None:
    """Return the proxy that requests takes from the environment for a URL; None for a direct connection."""
    return requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))


def _query_pairs(query: Query | None) -> list[tuple[str, str]]:
    return [
        (name, str(one).lower() if isinstance(one, bool) else str(one))
        for name, value in (query or {}).items()
        for one in (value if isinstance(value, (list, tuple)) else [value])
        if one is not None
    ]


def _is_tls(error: Exception) -> bool:
    """Whether TLS could not be agreed on. A TLS connection that is cut later on is a broken one like any other."""
    cut = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
    found = [cause for cause in _causes(error) if isinstance(cause, (ssl.SSLError, urllib3.exceptions.SSLError))]
    return bool(found) and not any(isinstance(cause, cut) for cause in found)


def _never_sent(error: Exception) -> bool:
    before_sending = (
        requests.exceptions.ConnectTimeout,
        urllib3.exceptions.ConnectTimeoutError,
        urllib3.exceptions.NewConnectionError,
    )
    return any(isinstance(cause, before_sending) for cause in _causes(error))


def _root_cause(error: Exception) -> str:
    """Return the innermost text of an error, without the object addresses that libraries write into theirs."""
    texts = [str(cause) for cause in _causes(error) if not isinstance(cause, requests.exceptions.RequestException)]
    for text in reversed(texts):
        if text and "object at 0x" not in text:
            return text
    return type(error).__name__


def _causes(error: BaseException) -> t.Iterator[BaseException]:
    """Yield the error and what libraries wrapped in it, outermost first."""
    seen: set[int] = set()
    waiting: list[t.Any] = [error]
    while waiting:
        cause = waiting.pop(0)
        # Errors of our own speak for themselves; one may be the context of another.
        if isinstance(cause, BaseException) and not isinstance(cause, PaasError) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            context = None if cause.__suppress_context__ else cause.__context__
            waiting += [getattr(cause, "reason", None), *cause.args, cause.__cause__, context]
