# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WebSockets over a pair of sockets, with a server at the other end that does what each test says."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import socket
import struct
import threading
import typing as t

from ansible_collections.quayside.paas.plugins.module_utils import _websocket_handshake
from support.settings import limit

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Peer:
    """The other end of a connection. request: what was asked for when it was opened, by lines."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(limit(5))
        self.socket = sock
        self.request: list[str] = []

    def read_request(self) -> None:
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            data += self.socket.recv(4096)
        self.request = data.decode().split("\r\n")

    def accept(self, *more: str) -> None:
        self.read_request()
        key = self.header("Sec-WebSocket-Key") or ""
        digest = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", *more]
        self.write("\r\n".join([*lines, f"Sec-WebSocket-Accept: {digest}", "", ""]).encode())

    def header(self, name: str) -> str | None:
        found = [line.partition(": ")[2] for line in self.request if line.lower().startswith(f"{name.lower()}:")]
        return found[0] if found else None

    def answer(self, status: int, body: t.Any = None, *headers: str) -> None:
        self.read_request()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = [f"HTTP/1.1 {status} Because", f"Content-Length: {len(content)}", *headers]
        self.write("\r\n".join([*head, "", ""]).encode() + content)

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send(self, data: bytes | str, opcode: int = BINARY, fin: bool = True) -> None:
        self.write(frame(data, opcode, fin))

    def wait_for_the_end(self) -> None:
        """Reads until the client is gone, and confirms its close."""
        with contextlib.suppress(OSError, AssertionError):
            while True:
                opcode, content = self.read()
                if opcode == CLOSE:
                    self.send(content, CLOSE)
                    self.socket.shutdown(socket.SHUT_WR)

    def read(self) -> tuple[int, bytes]:
        """A frame of the client: its opcode, its content without the mask."""
        first, second = self._exactly(2)
        assert second & 0x80, "a client has to mask"
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self._exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._exactly(8))
        mask = self._exactly(4)
        content = self._exactly(length)
        key = (mask * (length // 4 + 1))[:length]
        plain = int.from_bytes(content, "big") ^ int.from_bytes(key, "big")
        return first & 0x0F, plain.to_bytes(length, "big")

    def _exactly(self, number: int) -> bytes:
        data = bytearray()
        while len(data) < number:
            more = self.socket.recv(number - len(data))
            assert more, "the client is gone"
            data += more
        return bytes(data)


def frame(data: bytes | str, opcode: int = BINARY, fin: bool = True) -> bytes:
    """A frame of a server."""
    content = data.encode() if isinstance(data, str) else data
    length = len(content)
    if length < 126:
        size = bytes([length])
    else:
        size = b"\x7e" + struct.pack("!H", length) if length < 2**16 else b"\x7f" + struct.pack("!Q", length)
    return bytes([(0x80 if fin else 0) | opcode]) + size + content


Script = t.Callable[[Peer], t.Any]


class Network:
    """Takes the place of the network: each connection is served by the next script, in a thread."""

    def __init__(self, *scripts: Script | Exception) -> None:
        self.scripts = list(scripts)
        self.peers: list[Peer] = []
        self.threads: list[threading.Thread] = []
        self.failures: list[BaseException] = []
        self.ways: list[_websocket_handshake._Target] = []

    def way(self, target: _websocket_handshake._Target, _options: t.Any) -> t.Any:
        self.ways.append(target)
        script = self.scripts.pop(0)
        connection = t.cast("t.Any", http.client.HTTPConnection("unused"))
        if isinstance(script, Exception):
            connection.connect = lambda: _throw(script)
            return connection
        ours, theirs = socket.socketpair()
        self.peers.append(Peer(theirs))
        self.threads.append(threading.Thread(target=self._serve, args=(script, self.peers[-1]), daemon=True))
        connection.sock = ours
        connection.connect = self.threads[-1].start
        return connection

    def _serve(self, script: Script, peer: Peer) -> None:
        try:
            script(peer)
        except BaseException as error:
            self.failures.append(error)

    def check(self) -> None:
        for thread in self.threads:
            thread.join(limit(5))
            assert not thread.is_alive()
        for peer in self.peers:
            peer.socket.close()
        assert not self.failures, self.failures
        assert not self.scripts, "fewer attempts than expected"


def _throw(error: Exception) -> t.NoReturn:
    raise error
