# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""HTTP on requests: one session a process, retries within a budget, bounded answers, tokens that stay secret."""

from __future__ import annotations

import contextlib
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
from ._response import EXCERPT, RateLimit, Response, is_rate_limited, json_spellings, parse_json, redacted, retry_after
from ._retry import RetryBudget, backoff, new_retry
from ._version import VERSION

try:
    import requests
    import requests.adapters
    import urllib3
except ImportError:
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

if t.TYPE_CHECKING:
    from urllib3.util.retry import Retry

    from ._options import ConnectionOptions

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
IDEMPOTENT_METHODS = SAFE_METHODS | {"PUT", "DELETE"}
MAX_RESPONSE = 64 * 1024 * 1024  # bytes, after decompression
BEGINNING = 16 * 1024  # bytes of an answer that are looked at for an excerpt
CONNECTIONS = 32  # as many as the largest concurrency

Query = t.Mapping[str, t.Any]


def report(rate_limit: RateLimit, request_count: int) -> dict[str, t.Any]:
    """What every result tells of the requests: rate_limit as a dictionary of numbers or None, request_count."""
    return {"rate_limit": dataclasses.asdict(rate_limit), "request_count": request_count}


@functools.lru_cache(maxsize=8)
def _session_of(process: int, verify: bool | str) -> requests.Session:
    # The process is part of the key because a forked worker must not share the sockets of its parent, verify because
    # urllib3 1 hands out a connection that was made without verification to a request that asks for it.
    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(pool_connections=8, pool_maxsize=CONNECTIONS, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.headers.update({"Accept": "application/json", "User-Agent": f"quayside.paas/{VERSION}"})
    # One session serves several tokens: no answer may leave a cookie for the next request.
    session.cookies.set_policy(_no_cookies())
    # Redirects are refused. Without this requests would prepare to follow them, and read their bodies without bound.
    session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
    return session


def proxy_for(url: str) -> str | None:
    """The proxy that requests takes from the environment for a URL; None for a direct connection."""
    return requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))


def _no_cookies() -> t.Any:
    from http.cookiejar import DefaultCookiePolicy

    return DefaultCookiePolicy(allowed_domains=[])


@dataclasses.dataclass(frozen=True)
class _Hidden:
    """Secrets besides the token, which repr does not show; the longest first, as one may be a part of another."""

    texts: tuple[str, ...] = dataclasses.field(default=(), repr=False)


class Transport:
    """Sends requests for one task, and counts them.

    options: how to reach the platform. headers: sent with every request, besides the bearer token.
    check_mode: refuse whatever may change something. sleep, clock: replaced in tests.
    close() ends it: whatever other threads are still about to send or to repeat is given up.
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
        self._options = options
        self._hidden = _Hidden()
        self._headers = dict(headers or {})
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait
        self._clock = clock
        self._budget = RetryBudget(options.retry_budget, clock)
        self._lock = threading.Lock()
        self._rate_limit_since = float("-inf")
        self.rate_limit = RateLimit()
        self.request_count = 0
        # Whether the platform carried out something that changes it, or may have.
        self.may_have_changed = False
        self.check_mode = check_mode
        if not options.validate_certs:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: t.Any = None,
        changes: bool | None = None,
    ) -> Response:
        """Sends a request, again if need be, and returns the answer, whatever its status.

        path: begins with a slash, already percent-encoded. query: None values are left out, booleans become true and
        false. body: sent as JSON. changes: whether the request may change something, where the method does not tell.
        Raises TransportError, InvalidResponseError for a body too large or a redirect, OptionError for an unusable URL,
        WriteInCheckModeError.
        """
        safe = method in SAFE_METHODS if changes is None else not changes
        if self.check_mode and not safe:
            raise WriteInCheckModeError(f"{method} {path} was not sent: this is check mode.", method=method, path=path)
        idempotent = safe or (changes is None and method in IDEMPOTENT_METHODS)
        retry = new_retry(idempotent)
        with contextlib.ExitStack() as trouble:
            in_trouble = False
            while True:
                began = self._clock()
                timeout = self._options.timeout
                if in_trouble:
                    timeout = max(1, min(timeout, int(self._budget.left())))
                try:
                    outcome = self._attempt(method, path, query, body, timeout, safe)
                except InvalidResponseError:
                    self.may_have_changed = self.may_have_changed or not safe
                    raise
                if not safe and _may_have_succeeded(outcome):
                    self.may_have_changed = True
                if not self._may_repeat(outcome, retry, idempotent):
                    return self._final(outcome)
                if not in_trouble:
                    in_trouble = True
                    self._budget.enter(began)
                    trouble.callback(self._budget.leave)
                retry = retry.increment(method, path)
                if not self._wait(outcome, retry):
                    return self._final(outcome)

    @property
    def options(self) -> ConnectionOptions:
        """How the platform is reached."""
        return self._options

    def count_request(self) -> None:
        """Counts a request that goes another way: the handshake of a WebSocket."""
        with self._lock:
            self.request_count += 1

    def close(self) -> None:
        """Sends nothing more."""
        self._closed.set()

    def report(self) -> dict[str, t.Any]:
        """See report()."""
        return report(self.rate_limit, self.request_count)

    def hide(self, secrets: t.Iterable[str]) -> None:
        """Lets redact() take out more than the token, also as JSON spells it."""
        spelled = {spelling for secret in secrets for spelling in json_spellings(secret)}
        self._hidden = _Hidden(tuple(sorted(spelled, key=len, reverse=True)))

    def redact(self, value: t.Any) -> t.Any:
        """See redacted()."""
        return redacted(value, self._options.token, *self._hidden.texts)

    def _attempt(
        self, method: str, path: str, query: Query | None, body: t.Any, timeout: int, safe: bool
    ) -> Response | TransportError:
        if self._closed.is_set():
            raise TransportError(f"{method} {path} was not sent: the task is over.", method=method, path=path)
        with self._lock:
            self.request_count += 1
        began = self._clock()
        verify = (self._options.ca_path or True) if self._options.validate_certs else False
        try:
            response = _session_of(os.getpid(), verify).request(
                method,
                self._options.url + path,
                params=_query_pairs(query),
                json=body,
                headers=self._headers,
                auth=self._authorise,
                timeout=timeout,
                # Given with each request, because REQUESTS_CA_BUNDLE would overrule the session's.
                verify=verify,
                allow_redirects=False,
                stream=True,
            )
            with response:
                answer = self._read(response, method, path, timeout)
        except (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            urllib3.exceptions.LocationValueError,
            UnicodeError,
        ) as error:
            reason = self.redact(str(error)).rstrip(".")
            raise OptionError(f"The option api_url, or a proxy variable, is no usable URL: {reason}.") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            return self._transport_error(error, method, path, timeout, safe)
        self._note_rate_limit(answer, began)
        return answer

    def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # As an auth callable, because an entry in ~/.netrc would replace a plain header.
        request.headers["Authorization"] = f"Bearer {self._options.token}"
        return request

    def _read(self, response: requests.Response, method: str, path: str, timeout: int) -> Response:
        if response.is_redirect:
            target = self.redact(str(response.headers.get("Location", "")))[:EXCERPT]
            raise InvalidResponseError(
                f"{method} {path} was answered with a redirect to {target}. Redirects are not followed, so that the"
                " token stays with one host: set api_url to the address of the API itself.",
                method=method,
                path=path,
                status=response.status_code,
            )
        content = b"".join(self._chunks(response, self._clock() + timeout))
        if len(content) > MAX_RESPONSE:
            raise InvalidResponseError(
                f"The answer to {method} {path} is larger than {MAX_RESPONSE // 1024**2} MiB.",
                method=method,
                path=path,
            )
        try:
            parsed, is_json = (parse_json(content), True) if content.strip() else (None, False)
        except (ValueError, RecursionError):
            parsed, is_json = None, False
        return Response(response.status_code, response.headers, parsed, self._excerpt(content), is_json)

    def _excerpt(self, content: bytes) -> str:
        """How an answer begins, in one line. Redacted before it is cut, so that no part of a token is left over."""
        beginning = self.redact(content[:BEGINNING].decode("utf-8", "replace"))
        if len(content) > BEGINNING:
            beginning = beginning[: -max(map(len, (self._options.token, *self._hidden.texts)))]
        return " ".join(beginning.split())[:EXCERPT]

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

    def _note_rate_limit(self, answer: Response, began: float) -> None:
        new = RateLimit.from_headers(answer.headers)
        if new.remaining is None:
            return
        with self._lock:
            old = self.rate_limit
            # Of requests that were under way at the same time, the one that left the fewest was served last.
            is_lower = old.remaining is None or new.remaining <= old.remaining
            if began >= self._rate_limit_since or is_lower:
                self.rate_limit = new
                self._rate_limit_since = self._clock()

    def _may_repeat(self, outcome: Response | TransportError, retry: Retry, idempotent: bool) -> bool:
        if isinstance(outcome, Response):
            return retry.is_retry("", outcome.status) or is_rate_limited(outcome)
        return not outcome.is_final and (idempotent or not outcome.may_have_succeeded)

    def _wait(self, outcome: Response | TransportError, retry: Retry) -> bool:
        """Waits before the next attempt. False, at once, when the budget does not allow for it."""
        asked = retry_after(outcome) if isinstance(outcome, Response) else None
        # Never less than our own wait: a platform that asks for none must not be hammered.
        seconds = max(asked or 0.0, backoff(retry, answered=isinstance(outcome, Response)))
        if seconds >= self._budget.left():
            return False
        self._sleep(seconds)
        return True

    def _final(self, outcome: Response | TransportError) -> Response:
        if isinstance(outcome, TransportError):
            raise outcome
        return outcome

    def _transport_error(self, error: Exception, method: str, path: str, timeout: int, safe: bool) -> TransportError:
        """Sorts a failure: was it TLS, was the request never sent, or may it have been carried out?"""
        host = self._options.url
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


def _may_have_succeeded(outcome: Response | TransportError) -> bool:
    if isinstance(outcome, TransportError):
        return outcome.may_have_succeeded
    # Of a request that ended in a fault of the platform nobody knows how far it got.
    return outcome.status < 400 or outcome.status >= 500


def _query_pairs(query: Query | None) -> list[tuple[str, str]]:
    return [
        (name, str(one).lower() if isinstance(one, bool) else str(one))
        for name, value in (query or {}).items()
        for one in (value if isinstance(value, (list, tuple)) else [value])
        if one is not None
    ]


def _causes(error: BaseException) -> t.Iterator[BaseException]:
    """The error, and what libraries wrapped in it, outermost first."""
    seen: set[int] = set()
    waiting: list[t.Any] = [error]
    while waiting:
        cause = waiting.pop(0)
        # Errors of our own are told by themselves; one may be the context of another.
        if isinstance(cause, BaseException) and not isinstance(cause, PaasError) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            context = None if cause.__suppress_context__ else cause.__context__
            waiting += [getattr(cause, "reason", None), *cause.args, cause.__cause__, context]


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
    """The innermost text of an error, without the object addresses that libraries write into theirs."""
    texts = [str(cause) for cause in _causes(error) if not isinstance(cause, requests.exceptions.RequestException)]
    for text in reversed(texts):
        if text and "object at 0x" not in text:
            return text
    return type(error).__name__
