# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open WebSockets on websocket-client: deadlines, bounded messages, no token in any text.

The socket is our own, because websocket-client has a time-out for each read only and no bound for what it takes in.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import ssl
import typing as t

from ._errors import InvalidResponseError, PaasError, TransportError
from ._response import EXCERPT
from ._wait import Deadline

try:
    import websocket
except ImportError:
    HAS_WEBSOCKET = False
else:
    HAS_WEBSOCKET = True

MAX_MESSAGE = 8 * 1024 * 1024  # bytes
PORTION = 64 * 1024  # bytes that are handed to the system at once
CLOSE_WITHIN = 1.0  # seconds that the other side gets to confirm the end

Redact = t.Callable[[t.Any], t.Any]


class Close(t.NamedTuple):
    """How the other side ended the connection. code: of RFC 6455, None if it was just gone."""

    code: int | None
    reason: str


class WebSocket:
    """An open WebSocket, for one thread at a time, made by open_websocket(). Leaving it as a context closes it.

    Args:
        client: The WebSocket of websocket-client, on the wire.
        place: What messages call the other side.
    """

    def __init__(self, client: t.Any, wire: Wire, place: str, redact: Redact, clock: t.Callable[[], float]) -> None:
        self._client = client
        self._wire = wire
        self._place = place
        self._redact = redact
        self._clock = clock
        self._boundary = 0
        # How the other side ended it; None while it has not.
        self.closed: Close | None = None
        # Whether the other side has answered a ping.
        self.answers_pings = False

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def unsent(self) -> int:
        """Bytes that the other side has not taken yet."""
        return self._wire.unsent

    def quiet(self) -> float:
        """Return the seconds since anything arrived, a pong for example."""
        return self._clock() - self._wire.heard_at

    def stuck(self) -> float:
        """Return the seconds since the other side last took something of what waits to be sent."""
        return self._clock() - self._wire.moved_at

    def messages(self, deadline: Deadline) -> t.Iterator[bytes]:
        """Yield every message until the deadline or until the other side closes. Raises what receive() raises."""
        while self.closed is None and (left := deadline.left()) > 0:
            message = self.receive(left)
            if message is not None:
                yield message

    def receive(self, timeout: float, *, only_until_sent: bool = False) -> bytes | None:
        """Return the next message, as it was sent, and send meanwhile what there is to send.

        Returns:
            None if no message was complete in time, the connection was closed, or, with only_until_sent, all is sent.

        Raises:
            TransportError: The connection broke.
            InvalidResponseError: What came is not a WebSocket message, or too large.
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
                    f"{self._place} sent what is no WebSocket message: {reason_of(error, self._redact)}."
                ) from None
            except OSError as error:
                raise self._broken(error) from None
            else:
                if opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
                    self._wire.received = self._boundary = 0
                    return bytes(frame.data)
                self._control(opcode, bytes(frame.data))
                if self._clock() >= self._wire.deadline:
                    return None
        return None

    def _control(self, opcode: int, data: bytes) -> None:
        self._boundary = self._wire.received
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            code = int.from_bytes(data[:2], "big") if len(data) >= 2 else None
            self.closed = Close(code, self._redact(data[2:].decode("utf-8", "replace"))[:EXCERPT])
        elif opcode == websocket.ABNF.OPCODE_PONG:
            self.answers_pings = True

    def queue(self, data: bytes | str) -> None:
        """Send a message, binary or text. What the other side does not take at once goes with receive()."""
        self._queue(data, websocket.ABNF.OPCODE_TEXT if isinstance(data, str) else websocket.ABNF.OPCODE_BINARY)

    def ping(self) -> None:
        """Ask the other side for a sign of life, without waiting."""
        self._queue(b"", websocket.ABNF.OPCODE_PING)

    def _queue(self, data: bytes | str, opcode: int) -> None:
        try:
            self._client.send(data, opcode)
        except (websocket.WebSocketException, OSError) as error:
            raise self._broken(error) from None

    def _broken(self, error: Exception) -> TransportError:
        return TransportError(
            f"The connection to {self._place} broke: {reason_of(error, self._redact)}.", may_have_succeeded=True
        )

    def watch_tcp(self, seconds: int) -> None:
        """Let the operating system, if it can, end the connection after so long without a sign of the other machine."""
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
        """End the connection, within a second. More than once is no error."""
        self._wire.deadline = self._clock() + CLOSE_WITHIN
        self._wire.received, self._wire.limit = 0, MAX_MESSAGE
        self._wire.only_until_sent = False
        # A close frame within a message would be a part of that.
        if not self._wire.unsent:
            with contextlib.suppress(websocket.WebSocketException, OSError, PaasError):
                self._client.close(timeout=CLOSE_WITHIN)
        self._wire.close()


class Wire:
    """A connected socket with an end in time and a bound in size, with the interface that websocket-client needs.

    What is sent waits in a queue for the other side to take it, and is sent while something is being received too:
    neither side can keep the other waiting for ever by talking.
    """

    def __init__(self, plain: socket.socket, limit: int, clock: t.Callable[[], float]) -> None:
        plain.setblocking(False)
        self._socket = plain
        self._clock = clock
        self._queue = bytearray()
        self._waits_for = select.POLLOUT  # what the queue waits for; TLS may have to read before it can write
        self._broken: OSError | None = None
        # These are set for each message: until when to wait, by the clock; how many bytes may come, and came; whether
        # not to wait when the queue is empty.
        self.deadline = float("-inf")
        self.limit = limit
        self.received = 0
        self.only_until_sent = False
        # When something last arrived, and when something last went out or began to wait.
        self.heard_at = self.moved_at = clock()

    @property
    def unsent(self) -> int:
        return len(self._queue)

    def recv(self, size: int) -> bytes:
        """Return what is there, at least a byte; nothing at the end. Raises what can go wrong, TimeoutError too."""
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
        """Put it into the queue, and send what is taken at once."""
        if not self._queue:
            self.moved_at = self._clock()
        self._queue += data
        self._flush()
        return len(data)

    def settimeout(self, _seconds: float | None) -> None:
        """Ignore the time-out of websocket-client: the deadline counts."""

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


def reason_of(error: Exception, redact: Redact) -> str:
    """Return what an error says, in one line and without secrets."""
    text = str(redact(str(error) or type(error).__name__))
    return " ".join(text.split())[:EXCERPT].rstrip(".")
