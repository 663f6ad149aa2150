# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform without sockets: a transport adapter that knows which calls have to come, and what each is answered."""

from __future__ import annotations

import dataclasses
import http.client
import io
import json
import os
import threading
import typing as t
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import requests
import requests.adapters
import urllib3

from ansible_collections.quayside.paas.plugins.module_utils import _http
from ansible_collections.quayside.paas.plugins.module_utils._options import ConnectionOptions
from ansible_collections.quayside.paas.plugins.module_utils._version import VERSION

URL = "https://api.example.com"
TOKEN = "nf-0123456789-abcdefghij-klmnopqrst"
KEY = "cycle-0123456789-abcdefghij-klmnopqrst"
HUB = "651586fca6078e98982dbd92"
new_session = _http._session_of.__wrapped__

Piece = bytes | BaseException | t.Callable[[], t.Any]


class Clock:
    """Time that passes only when somebody sleeps, or when it is told to. sleeps: what was waited, in seconds."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.time += seconds


class Stream(io.RawIOBase):
    """What a connection delivers, piece by piece: bytes, a fault to raise, or something to do in between."""

    def __init__(self, *pieces: Piece) -> None:
        self.pieces = list(pieces)
        self.delivered = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        while self.pieces:
            piece = self.pieces.pop(0)
            if isinstance(piece, BaseException):
                raise piece
            if callable(piece):
                piece()
                continue
            if piece:
                taken, rest = piece[: len(buffer)], piece[len(buffer) :]
                if rest:
                    self.pieces.insert(0, rest)
                buffer[: len(taken)] = taken
                self.delivered += len(taken)
                return len(taken)
        return 0


class Pipe(io.BufferedReader):
    """What a socket gives http.client to read from."""

    def flush(self) -> None:
        """Nothing is written; the garbage collector may have closed it before its reader."""


@dataclasses.dataclass(frozen=True)
class Reply:
    """An answer as it goes over the wire. body: bytes or pieces; without a Content-Length, the right one is added."""

    status: int = 200
    body: bytes | tuple[Piece, ...] = b""
    headers: t.Mapping[str, str] | t.Sequence[tuple[str, str]] = ()
    reason: str = "Some reason"

    def pieces(self) -> list[Piece]:
        headers = list(self.headers.items() if isinstance(self.headers, dict) else self.headers)
        names = {name.lower() for name, _value in headers}
        body = [self.body] if isinstance(self.body, bytes) else list(self.body)
        if not names & {"content-length", "transfer-encoding", "connection"}:
            headers.append(("Content-Length", str(sum(len(piece) for piece in body if isinstance(piece, bytes)))))
        head = f"HTTP/1.1 {self.status} {self.reason}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
        return [head.encode("latin-1"), *body]


def json_reply(document: t.Any, status: int = 200, **headers: str) -> Reply:
    """An answer with JSON. headers: x_ratelimit_reset becomes x-ratelimit-reset."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json; charset=utf-8", **extra})


def page(list_key: str, items: list[t.Any], **pagination: t.Any) -> Reply:
    """A page of a list as Northflank sends it; more: hasNextPage, cursor."""
    block = {"hasNextPage": False, "count": len(items), **pagination}
    return json_reply({"data": {list_key: items}, "pagination": block})


def error_reply(status: int, message: str = "Not here", **more: t.Any) -> Reply:
    """An error in Northflank's envelope."""
    return json_reply({"error": {"status": status, "message": message, **more}}, status)


def resources(data: t.Any, **includes: t.Any) -> Reply:
    """An answer of Cycle. includes: the resources that come along, by kind."""
    return json_reply({"data": data, **({"includes": includes} if includes else {})})


def cycle_error(status: int, code: str, title: str = "Not here", **more: t.Any) -> Reply:
    """An error in Cycle's envelope."""
    return json_reply(
        {"error": {"status": status, "code": f"{status}.{code}", "title": title, **more}, "data": None}, status
    )


OK = json_reply({"data": {}})
Answer = Reply | BaseException | t.Callable[[requests.PreparedRequest], Reply]


@dataclasses.dataclass(frozen=True)
class Call:
    """A request that has to come, and its answer: a reply, a fault to raise, or a function of the request."""

    method: str
    path: str
    answer: Answer = OK
    query: t.Sequence[tuple[str, str]] = ()
    body: t.Any = None
    token: str = TOKEN
    hub: str | None = None


def get(path: str, answer: Answer = OK, *, token: str = TOKEN, **query: t.Any) -> Call:
    """A GET; its query as keywords, in order."""
    return Call("GET", path, answer, [(name, str(value)) for name, value in query.items()], token=token)


def cycle(method: str, path: str, answer: Answer = OK, body: t.Any = None, **query: t.Any) -> Call:
    """A request to Cycle. path: relative to /v1; its query as keywords, in order; lists are repeated."""
    pairs = [
        (name, str(one)) for name, value in query.items() for one in (value if isinstance(value, list) else [value])
    ]
    return Call(method, f"/v1/{path}", answer, pairs, body, KEY, HUB)


def cycle_page(path: str, answer: Answer = OK, number: int = 1, **query: t.Any) -> Call:
    """A page of a list of Cycle."""
    return cycle("GET", path, answer, **query, **{"page[number]": number, "page[size]": 100})


class Platform(requests.adapters.BaseAdapter):
    """Takes the place of the network while it is entered, and says whether exactly the expected calls were made."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.any_order = False
        self.respond: t.Callable[[requests.PreparedRequest], Reply] | None = None
        self.requests: list[requests.PreparedRequest] = []
        self.timeouts: list[t.Any] = []
        self.verify: list[t.Any] = []
        self.streams: list[Stream] = []
        self._expected: list[Call] = []
        self._problems: list[str] = []
        self._lock = threading.Lock()

    def expects(self, *calls: Call, any_order: bool = False) -> None:
        self._expected += calls
        self.any_order = any_order

    def paths(self) -> list[str]:
        return [urlsplit(t.cast("str", request.url)).path for request in self.requests]

    def check(self) -> None:
        """Raises AssertionError for calls that were wrong, too many or missing."""
        assert not self._problems, "\n".join(self._problems)
        assert not self._expected, f"never asked for: {[(one.method, one.path) for one in self._expected]}"

    def __enter__(self) -> Platform:
        session = new_session(os.getpid(), True)
        session.mount("https://", self)
        session.mount("http://", self)
        timing = {"sleep": self.clock.sleep, "clock": self.clock.now}
        self._patches = [
            mock.patch.object(_http, "_session_of", return_value=session),
            mock.patch.dict(_http.Transport.__init__.__kwdefaults__, timing),
        ]
        for patch in self._patches:
            patch.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        for patch in self._patches:
            patch.stop()

    def send(  # type: ignore[override]
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: t.Any = None,
        verify: t.Any = True,
        cert: t.Any = None,
        proxies: t.Any = None,
    ) -> requests.Response:
        with self._lock:
            self.requests.append(request)
            self.timeouts.append(timeout)
            self.verify.append(verify)
            answer = self.respond or self._answer_for(request)
        if isinstance(answer, BaseException):
            raise answer
        reply = answer if isinstance(answer, Reply) else answer(request)
        pipe = Stream(*reply.pieces())
        self.streams.append(pipe)
        return as_response(self, request, pipe)

    def close(self) -> None:
        """Nothing is open."""

    def _answer_for(self, request: requests.PreparedRequest) -> Answer:
        seen = _signature(request)
        expected = self._expected
        place = next((n for n, call in enumerate(expected) if seen == _wanted(call)), 0) if self.any_order else 0
        if not expected or seen != _wanted(expected[place]):
            wanted = _wanted(expected[place]) if expected else "nothing more"
            self._problems.append(f"asked for {seen}, expected {wanted}")
            raise AssertionError(self._problems[-1])
        call = expected.pop(place)
        self._check_headers(request, call)
        return call.answer

    def _check_headers(self, request: requests.PreparedRequest, call: Call) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        wanted = {
            "authorization": f"Bearer {call.token}",
            "accept": "application/json",
            "user-agent": f"quayside.paas/{VERSION}",
            "cookie": None,
            "content-type": None if call.body is None else "application/json",
            "x-hub-id": call.hub,
        }
        for name, value in wanted.items():
            if headers.get(name) != value:
                self._problems.append(f"{call.method} {call.path}: header {name} was {headers.get(name)!r}")


def as_response(adapter: t.Any, request: requests.PreparedRequest, stream: Stream) -> requests.Response:
    """A response of requests, on one of urllib3, on one of http.client, made the way the real adapter makes it."""
    connection = mock.Mock()
    connection.makefile.return_value = Pipe(stream)
    plain = http.client.HTTPResponse(connection, method=request.method)
    plain.begin()
    raw = urllib3.HTTPResponse(
        body=plain,
        headers=urllib3._collections.HTTPHeaderDict(plain.msg.items()),
        status=plain.status,
        version=plain.version,
        reason=plain.reason,
        preload_content=False,
        decode_content=False,
        original_response=plain,
        request_method=request.method,
    )
    return requests.adapters.HTTPAdapter.build_response(adapter, request, raw)


def _signature(request: requests.PreparedRequest) -> tuple[t.Any, ...]:
    parts = urlsplit(t.cast("str", request.url))
    body = json.loads(request.body) if request.body else None
    return (
        request.method,
        f"{parts.scheme}://{parts.netloc}{parts.path}",
        parse_qsl(parts.query, keep_blank_values=True),
        body,
    )


def _wanted(call: Call) -> tuple[t.Any, ...]:
    url = call.path if "://" in call.path else URL + call.path
    return (call.method, url, list(call.query), call.body)


def connection_options(**changes: t.Any) -> ConnectionOptions:
    """Options of a connection to the platform above."""
    return ConnectionOptions(**{"url": URL, "token": TOKEN, "timeout": 30, "retry_budget": 120, **changes})


def transport(clock: Clock, *, check_mode: bool = False, **options: t.Any) -> _http.Transport:
    """A transport whose time is the clock's."""
    return _http.Transport(connection_options(**options), check_mode=check_mode, sleep=clock.sleep, clock=clock.now)
