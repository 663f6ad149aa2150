# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""WebSockets on websocket-client: deadlines, bounded messages, proxies and TLS as for requests, no token in any text.

The socket is made here, because websocket-client has a time-out for each read only, no bound for what it takes in, and
follows redirects with the token.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.client
import importlib.util
import math
import os
import select
import socket
import ssl
import time
import typing as t
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from ._client import ErrorBody, api_error
from ._errors import ApiError, InvalidResponseError, OptionError, PaasError, TransportError
from ._libraries import missing_libraries
from ._response import EXCERPT, Response, parse_json, retry_after
from ._retry import RETRY_STATUSES, RetryBudget, backoff, new_retry

try:
    import websocket
except ImportError:
    HAS_WEBSOCKET = False
else:
    HAS_WEBSOCKET = True
# Importing it takes longer than many a task. Parts of it are, where they are needed.
HAS_REQUESTS = importlib.util.find_spec("requests") is not None

if t.TYPE_CHECKING:
    from typing import Self

    from ._options import ConnectionOptions
    from ._wait import Deadline

MAX_MESSAGE = 8 * 1024 * 1024  # bytes
MAX_HANDSHAKE = 64 * 1024  # bytes of an answer to the handshake
PORTION = 64 * 1024  # bytes that are handed to the system at once
CLOSE_WITHIN = 1.0  # seconds that the other side gets to confirm the end
SCHEMES = {"ws": "http", "wss": "https"}

Redact = t.Callable[[t.Any], t.Any]


@dataclasses.dataclass(frozen=True)
class Message:
    """A complete message. data: as it was sent, also where a text is no valid UTF-8."""

    data: bytes
    is_text: bool


@dataclasses.dataclass(frozen=True)
class Close:
    """How the other side ended the connection. code: of RFC 6455, None when it was just gone."""

    code: int | None
    reason: str


@dataclasses.dataclass(frozen=True)
class _Target:
    """Where a WebSocket goes. place: what messages call it, without the query, which may hold a token."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    place: str


class _Wire:
    """A connected socket with an end in time and a bound in size, as websocket-client wants to have it.

    What is sent waits in a queue for the other side to take it, and goes while something is being received too: neither
    side can keep the other waiting for ever by talking.
    deadline: by the clock, for what is waited for. received: bytes, limit: how many may come. only_until_sent: do not
    wait when the queue is empty. Its user sets these for each message. heard_at, moved_at: when something last arrived,
    and when something last went out or began to wait.
    """

    def __init__(self, plain: socket.socket, clock: t.Callable[[], float]) -> None:
        plain.setblocking(False)
        self._socket = plain
        self._clock = clock
        self._queue = bytearray()
        self._waits_for = select.POLLOUT  # what the queue waits for; TLS may have to read before it can write
        self._broken: OSError | None = None
        self.deadline = float("-inf")
        self.limit = MAX_HANDSHAKE
        self.received = 0
        self.only_until_sent = False
        self.heard_at = self.moved_at = clock()

    @property
    def unsent(self) -> int:
        """Bytes in the queue."""
        return len(self._queue)

    def recv(self, size: int) -> bytes:
        """What is there, at least a byte; nothing at the end. Raises TimeoutError, InvalidResponseError, OSError."""
        while True:
            self._flush()
            waits_for = select.POLLIN
            try:
                data = self._socket.recv(min(size, PORTION))
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            except ssl.SSLWantWriteError:
                waits_for = select.POLLOUT
            else:
                self.heard_at = self._clock()
                self.received += len(data)
                if self.received > self.limit:
                    raise InvalidResponseError(f"A message of the WebSocket is larger than {self.limit} bytes.")
                return data
            # What came before the connection broke has been read.
            if self._broken is not None:
                raise self._broken
            if self.only_until_sent and not self._queue:
                raise TimeoutError("sent")
            self._wait(waits_for)

    def send(self, data: bytes) -> int:
        """Puts it into the queue, and sends what is taken at once."""
        if not self._queue:
            self.moved_at = self._clock()
        self._queue += data
        self._flush()
        return len(data)

    def finish(self) -> None:
        """Sends what is in the queue. Raises TimeoutError, OSError."""
        self._flush()
        while self._queue:
            self._wait(0)
            self._flush()
        if self._broken is not None:
            raise self._broken

    def settimeout(self, _seconds: float | None) -> None:
        """The deadline counts, whatever websocket-client says."""

    def _flush(self) -> None:
        try:
            while self._queue:
                sent = self._socket.send(bytes(memoryview(self._queue)[:PORTION]))
                del self._queue[:sent]
                self.moved_at = self._clock()
        except (BlockingIOError, ssl.SSLWantWriteError):
            self._waits_for = select.POLLOUT
        except ssl.SSLWantReadError:
            self._waits_for = select.POLLIN
        except OSError as error:
            self._broken = error
            self._queue.clear()

    def _wait(self, waits_for: int) -> None:
        left = self.deadline - self._clock()
        poll = select.poll()
        poll.register(self._socket, waits_for | (self._waits_for if self._queue else 0))
        if left <= 0 or not poll.poll(math.ceil(left * 1000)):
            raise TimeoutError("timed out")

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._socket, name)


class WebSocket:
    """An open WebSocket, for one thread at a time.

    closed: how the other side ended it, None while it has not. answers_pings: whether it has answered one.
    Made by open_websocket(). Leaving it as a context closes it.
    """

    def __init__(self, client: t.Any, wire: _Wire, place: str, redact: Redact, clock: t.Callable[[], float]) -> None:
        self._client = client
        self._wire = wire
        self._place = place
        self._redact = redact
        self._clock = clock
        self._boundary = 0
        self.closed: Close | None = None
        self.answers_pings = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def unsent(self) -> int:
        """Bytes that the other side has not taken yet."""
        return self._wire.unsent

    def quiet(self) -> float:
        """Seconds since anything arrived, a pong for example."""
        return self._clock() - self._wire.heard_at

    def stuck(self) -> float:
        """Seconds since the other side last took something of what waits to be sent."""
        return self._clock() - self._wire.moved_at

    def receive(self, timeout: float, *, only_until_sent: bool = False) -> Message | None:
        """The next message. None when none was complete within so many seconds, and when the connection was closed.

        Meanwhile it sends what there is to send. only_until_sent: returns None as soon as all of it is sent.
        Raises TransportError when it broke, InvalidResponseError for what is no WebSocket message or too large.
        """
        self._wire.deadline = self._clock() + timeout
        self._wire.only_until_sent = only_until_sent
        while self.closed is None:
            try:
                # Returns after control frames too, so that those do not keep it beyond the deadline.
                opcode, frame = self._client.recv_data_frame(True)
            except websocket.WebSocketTimeoutException:
                return None
            except websocket.WebSocketConnectionClosedException as error:
                if self._wire.received != self._boundary:
                    raise self._broken(error) from None
                self.closed = Close(None, "")
            except (websocket.WebSocketException, ValueError) as error:
                raise InvalidResponseError(
                    f"{self._place} sent what is no WebSocket message: {self._reason(error)}."
                ) from None
            except OSError as error:
                raise self._broken(error) from None
            else:
                if opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
                    self._wire.received = self._boundary = 0
                    return Message(bytes(frame.data), opcode == websocket.ABNF.OPCODE_TEXT)
                self._control(opcode, bytes(frame.data))
                if self._clock() >= self._wire.deadline:
                    return None
        return None

    def _control(self, opcode: int, data: bytes) -> None:
        self._boundary = self._wire.received
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            self.closed = self._told(data)
        elif opcode == websocket.ABNF.OPCODE_PONG:
            self.answers_pings = True

    def messages(self, deadline: Deadline) -> t.Iterator[Message]:
        """Every message until the deadline is over or the other side closes. Raises what receive() raises."""
        while self.closed is None and (left := deadline.left()) > 0:
            message = self.receive(left)
            if message is not None:
                yield message

    def send(self, data: bytes | str, timeout: float) -> None:
        """Sends a message: binary for bytes, text for str. timeout: in seconds. Raises TransportError."""
        self.queue(data)
        self._wire.deadline = self._clock() + timeout
        try:
            self._wire.finish()
        except TimeoutError:
            raise TransportError(
                f"{self._place} did not take a message within {timeout:g} seconds.", may_have_succeeded=True
            ) from None
        except OSError as error:
            raise self._broken(error) from None

    def queue(self, data: bytes | str) -> None:
        """Like send(), without waiting: what the other side does not take at once goes with receive()."""
        opcode = websocket.ABNF.OPCODE_TEXT if isinstance(data, str) else websocket.ABNF.OPCODE_BINARY
        self._queue(data, opcode)

    def ping(self) -> None:
        """Asks the other side for a sign of life, without waiting."""
        self._queue(b"", websocket.ABNF.OPCODE_PING)

    def _queue(self, data: bytes | str, opcode: int) -> None:
        try:
            self._client.send(data, opcode)
        except (websocket.WebSocketException, OSError) as error:
            raise self._broken(error) from None

    def watch_tcp(self, seconds: int) -> None:
        """Lets the operating system end the connection when the other machine has not answered for so long.

        Where the system cannot, it is left as it is.
        """
        options = {
            "TCP_KEEPIDLE": max(seconds // 3, 1),
            "TCP_KEEPINTVL": max(seconds // 6, 1),
            "TCP_KEEPCNT": 4,
            "TCP_USER_TIMEOUT": seconds * 1000,
        }
        with contextlib.suppress(OSError):
            self._wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in options.items():
                if hasattr(socket, name):
                    self._wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def close(self) -> None:
        """Ends the connection, in a second at most. More than once is no error."""
        self._wire.deadline = self._clock() + CLOSE_WITHIN
        self._wire.received, self._wire.limit = 0, MAX_MESSAGE
        self._wire.only_until_sent = False
        # A farewell within a message would be a part of that.
        if not self._wire.unsent:
            with contextlib.suppress(websocket.WebSocketException, OSError, PaasError):
                self._client.close(timeout=CLOSE_WITHIN)
        self._wire.close()

    def _told(self, data: bytes) -> Close:
        code = int.from_bytes(data[:2], "big") if len(data) >= 2 else None
        return Close(code, self._redact(data[2:].decode("utf-8", "replace"))[:EXCERPT])

    def _broken(self, error: Exception) -> TransportError:
        return TransportError(f"The connection to {self._place} broke: {self._reason(error)}.", may_have_succeeded=True)

    def _reason(self, error: Exception) -> str:
        return _reason(error, self._redact)


def open_websocket(
    url: str,
    options: ConnectionOptions,
    *,
    redact: Redact,
    headers: t.Mapping[str, str] | None = None,
    error_body: t.Callable[[Response], ErrorBody] = lambda answer: ErrorBody(answer.text),
    largest: int = MAX_MESSAGE,
    attempting: t.Callable[[], None] = lambda: None,
    sleep: t.Callable[[float], t.Any] = time.sleep,
    clock: t.Callable[[], float] = time.monotonic,
) -> WebSocket:
    """Opens a WebSocket, again if need be, as often as retry_budget allows.

    url: ws or wss. options: time-out, budget and certificates; its URL and token are not used. redact: takes secrets
    out of texts, those of the URL and the headers too. error_body: reads an error answer. largest: bytes of a message
    that comes. attempting: called before each attempt. sleep, clock: replaced in tests.
    Raises MissingLibraryError, OptionError for an impossible URL, TransportError, ApiError when the platform refuses,
    InvalidResponseError for an answer that is none of a WebSocket.
    """
    require_libraries()
    target = _target(url)
    budget = RetryBudget(options.retry_budget, clock)
    budget.enter(clock())
    retry = None
    while True:
        attempting()
        try:
            wire = _connect(target, options, redact, clock)
            client = _shake_hands(wire, target, options, headers, redact, error_body)
        except (TransportError, ApiError) as error:
            retry = (retry or new_retry(True)).increment("GET", target.path)
            seconds = _wait_before_next(error, retry)
            if seconds is None or seconds >= budget.left():
                raise
            sleep(seconds)
        else:
            wire.received, wire.limit = 0, largest
            return WebSocket(client, wire, target.place, redact, clock)


def require_libraries() -> None:
    """Check that a WebSocket can be opened here. Raises MissingLibraryError."""
    needed = {"requests": HAS_REQUESTS, "websocket-client": HAS_WEBSOCKET}
    if missing := [name for name, is_there in needed.items() if not is_there]:
        raise missing_libraries(*missing)


def _target(url: str) -> _Target:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise OptionError("The address of the WebSocket is no URL.") from None
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise OptionError("The address of the WebSocket has to be a URL with the scheme ws or wss.")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    number = port or (443 if parts.scheme == "wss" else 80)
    path = parts.path or "/"
    return _Target(url, parts.scheme, parts.hostname, number, path, f"{parts.scheme}://{name}:{number}{path}")


def _connect(target: _Target, options: ConnectionOptions, redact: Redact, clock: t.Callable[[], float]) -> _Wire:
    """A connected socket, through a proxy and with TLS where wanted."""
    facts: dict[str, t.Any] = {"method": "GET", "path": target.path}
    try:
        connection = _way(target, options)
        connection.connect()
    except ssl.SSLError as error:
        raise TransportError(
            f"The TLS connection to {target.place} could not be made: {_reason(error, redact)}. If the"
            " certificate comes from your own authority, name its file in ca_path.",
            is_final=not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)),
            **facts,
        ) from None
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise TransportError(
            f"{target.place} could not be reached: {_reason(error, redact)}. Check the network and proxy variables.",
            **facts,
        ) from None
    wire = _Wire(connection.sock, clock)
    wire.deadline = clock() + options.timeout
    return wire


def _way(target: _Target, options: ConnectionOptions) -> http.client.HTTPConnection:
    """A connection that is not made yet, to the place itself or by a tunnel through the proxy of the environment."""
    proxy = _proxy_of(target)
    host, port = target.host, target.port
    headers: dict[str, str] = {}
    if proxy:
        host, port, headers = _proxy(proxy)
    if target.scheme == "wss":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=options.timeout, context=_context(_trusted(options))
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=options.timeout)
    if proxy:
        connection.set_tunnel(target.host, target.port, headers)
    return connection


def _proxy_of(target: _Target) -> str | None:
    """The proxy that requests takes from the environment; None for a direct connection."""
    if not getproxies().keys() - {"no"}:
        return None
    from ._http import proxy_for

    return proxy_for(target.place.replace(target.scheme, SCHEMES[target.scheme], 1))


def _trusted(options: ConnectionOptions) -> str | None:
    """The certificates that requests trusts, in a file or a folder; None for those of anybody."""
    if not options.validate_certs:
        return None
    import certifi  # comes with requests

    chosen = options.ca_path or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return chosen or certifi.where()


def _proxy(url: str) -> tuple[str, int, dict[str, str]]:
    """Host, port and headers for a proxy. Raises OptionError for kinds that cannot be used here."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or 80
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme != "http" or not parts.hostname:
        raise OptionError(
            "WebSockets can use a proxy that is named by a URL such as http://proxy.example.com:3128 only. Change the"
            " proxy variable, or name the host of the WebSocket in no_proxy."
        )
    if parts.username is None:
        return parts.hostname, port, {}
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return parts.hostname, port, {"Proxy-Authorization": f"Basic {base64.b64encode(credentials).decode()}"}


def _context(trusted: str | None) -> ssl.SSLContext:
    if trusted is None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif os.path.isdir(trusted):
        context = ssl.create_default_context(capath=trusted)
    else:
        context = ssl.create_default_context(cafile=trusted)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _shake_hands(
    wire: _Wire,
    target: _Target,
    options: ConnectionOptions,
    headers: t.Mapping[str, str] | None,
    redact: Redact,
    error_body: t.Callable[[Response], ErrorBody],
) -> t.Any:
    facts: dict[str, t.Any] = {"method": "GET", "path": target.path}
    # Texts of the console are not always UTF-8.
    client: t.Any = websocket.WebSocket(skip_utf8_validation=True)
    _forget_cookies()
    with contextlib.ExitStack() as failed:
        failed.callback(wire.close)
        try:
            client.connect(
                target.url,
                socket=wire,
                header=[f"{name}: {value}" for name, value in (headers or {}).items()],
                suppress_origin=True,
                redirect_limit=0,
                timeout=options.timeout,
            )
            if client.getstatus() != 101:
                raise websocket.WebSocketException
        except websocket.WebSocketBadStatusException as error:
            raise _refused(error, target, redact, error_body) from error
        except websocket.WebSocketTimeoutException:
            raise TransportError(
                f"No complete answer from {target.place} within {options.timeout} seconds (option timeout).", **facts
            ) from None
        except (websocket.WebSocketConnectionClosedException, OSError) as error:
            raise TransportError(
                f"The connection to {target.place} broke before it was open: {_reason(error, redact)}.", **facts
            ) from None
        except (websocket.WebSocketException, ValueError, LookupError, InvalidResponseError) as error:
            status, what = client.getstatus(), _reason(error, redact)
            if status not in (None, 101):
                what = f"it redirects (status {status}), which is not followed, so that the token stays with one host"
            raise InvalidResponseError(
                f"{target.place} does not answer as a WebSocket: {what}.", status=status, **facts
            ) from None
        failed.pop_all()
    return client


def _forget_cookies() -> None:
    """No answer may leave a cookie for the next request; websocket-client keeps them for the whole process."""
    with contextlib.suppress(AttributeError):
        websocket._handshake.CookieJar.jar.clear()


def _refused(error: t.Any, target: _Target, redact: Redact, error_body: t.Callable[[Response], ErrorBody]) -> PaasError:
    """The error for an answer with an error status, or with one of another kind of request."""
    answer = _answer(error, redact)
    if answer.status < 400:
        return InvalidResponseError(
            f"{target.place} does not answer as a WebSocket, but with status {answer.status}. The answer begins:"
            f" {answer.text or '(empty)'}",
            method="GET",
            path=target.path,
            status=answer.status,
        )
    found = api_error(answer, "GET", target.path, error_body(answer).redacted(redact))
    found.message = f"{target.place} refused the WebSocket. {found.message}"
    return found


def _answer(error: t.Any, redact: Redact) -> Response:
    """The answer that websocket-client made an error of."""
    content = error.resp_body if isinstance(error.resp_body, bytes) else b""
    text = " ".join(redact(content.decode("utf-8", "replace")).split())[:EXCERPT]
    try:
        body, is_json = parse_json(content), True
    except (ValueError, RecursionError):
        body, is_json = None, False
    headers = dict(error.resp_headers or {})
    if "retry-after" in headers:
        headers["Retry-After"] = headers["retry-after"]
    return Response(int(error.status_code), headers, body, text, is_json)


def _wait_before_next(error: TransportError | ApiError, retry: t.Any) -> float | None:
    """Seconds to wait before the next attempt, None when another one could not help."""
    if isinstance(error, TransportError):
        return None if error.is_final else backoff(retry, answered=False)
    if error.status not in RETRY_STATUSES:
        return None
    asked = retry_after(_answer(error.__cause__, str))
    return max(asked or 0.0, backoff(retry, answered=True))


def _reason(error: Exception, redact: Redact) -> str:
    text = str(redact(str(error) or type(error).__name__))
    return " ".join(text.split())[:EXCERPT].rstrip(".")
