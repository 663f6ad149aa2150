# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Streams of an instance: what authorises them, opening them, and what a console shows.

Facts from the vendor's page "Instances", its API specification of 2026 and its WebSocket guide of 2022.
"""

from __future__ import annotations

import dataclasses
import re
import time
import typing as t
from urllib.parse import quote, urlsplit

from .._argspec import ArgumentSpec
from .._errors import InvalidResponseError, OptionError, PaasError, WaitTimeoutError
from .._redact import Redactor, mask
from .._response import malformed
from .._types import Params
from .._wait import Deadline
from .._websocket import WebSocket
from .._websocket_handshake import open_websocket, require_libraries
from .api import Cycle, error_body
from .instances import about_instance, instance_path
from .resources import CONTAINERS_CONSOLE, CONTAINERS_VIEW

# Kind of a stream: what follows the path of the instance, and what the key needs.
KINDS = {
    "console": ("console", CONTAINERS_CONSOLE),
    "telemetry": ("telemetry/resources/stream", CONTAINERS_VIEW),
}
# The console begins with what it kept, up to 128 KB. Nothing marks its end; the vendor's own tool takes what arrives in
# about the first second for it.
REPLAY_SECONDS = 1.0
MAX_SEARCHED = 4096  # characters of a line that the pattern is tried on

INSTANCE = ArgumentSpec(
    options={
        "container_id": {"type": "str", "required": True},
        "instance_id": {"type": "str", "required": True},
    }
)
INFO_ARGUMENTS = INSTANCE.merge(
    ArgumentSpec(
        options={
            "streams": {"type": "list", "elements": "str", "choices": list(KINDS), "default": list(KINDS)},
        }
    )
)
CONSOLE_ARGUMENTS = INSTANCE.merge(
    ArgumentSpec(
        options={
            "duration": {"type": "int", "default": 10},
            "until_regex": {"type": "str"},
            "max_bytes": {"type": "int", "default": 128 * 1024},
            "backlog": {"type": "bool", "default": True},
        }
    )
)


@dataclasses.dataclass(frozen=True)
class Authorisation:
    """What opens a stream, within 15 minutes. A stream that is open outlives it."""

    address: str
    token: str = dataclasses.field(repr=False)
    # The address with the token.
    url: str = dataclasses.field(repr=False)


def authorise(client: Cycle, kind: str, container_id: str, instance_id: str) -> Authorisation:
    """Return what opens a stream of an instance. kind: see KINDS. Raises ApiError, InvalidResponseError."""
    tail, permission = KINDS[kind]
    path = f"{instance_path(container_id, instance_id)}/{tail}"
    with about_instance(client, container_id, instance_id):
        found = client.get(path, permission=permission)
    address, token = found.get("address"), found.get("token")
    if not (isinstance(address, str) and address.isprintable() and isinstance(token, str) and token.isprintable()):
        address = token = ""
    if not (address and token):
        raise malformed("GET", f"/v1/{path}", "has no address or no token")
    return Authorisation(address, token, stream_url(address, token))


def stream_url(address: str, token: str) -> str:
    """Return the URL of a stream. The address has a scheme, http or https in examples; ws and wss stand for them."""
    scheme, separator, rest = address.strip().partition("://")
    if not separator:
        scheme, rest = "wss", scheme
    known = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(scheme.lower())
    if known is None:
        raise InvalidResponseError(
            f"The platform gave an address for the stream with the unknown scheme {scheme[:20]!r}."
        )
    joint = "&" if urlsplit(f"{known}://{rest}").query else "?"
    return f"{known}://{rest.rstrip('?&')}{joint}token={quote(token, safe='')}"


def open_stream(client: Cycle, authorisation: Authorisation) -> WebSocket:
    transport = client.transport
    token = authorisation.token
    return open_websocket(
        authorisation.url,
        transport.options,
        redact=Redactor(token, quote(token, safe=""), transport.options.token),
        error_body=error_body,
        attempting=transport.count_request,
    )


def read_authorisations(client: Cycle, params: Params) -> dict[str, t.Any]:
    """Return what the module instance_stream_info returns."""
    streams: dict[str, t.Any] = {}
    for kind in KINDS:
        streams[kind] = dict.fromkeys(("address", "token", "url"))
        if kind in params["streams"]:
            found = authorise(client, kind, params["container_id"], params["instance_id"])
            streams[kind] = {"address": found.address, "token": found.token, "url": found.url}
    return {"streams": streams}


class Capture:
    """Lines out of what a console sends, in pieces that end anywhere.

    Args:
        pattern: What to look for, line by line.
        most: Bytes to keep.
        with_replay: Whether to keep lines that began in the replay.
        token: What must not be in the lines.
    """

    def __init__(self, pattern: re.Pattern[str] | None, most: int, with_replay: bool, token: str) -> None:
        self._pattern = pattern
        self._most = most
        self._with_replay = with_replay
        self._token = token
        self._line = bytearray()
        self._is_begun = False
        self._is_replayed = False
        self.lines: list[str] = []
        self.replayed = 0
        self.bytes = 0
        self.truncated = False
        self.match: str | None = None
        # Why nothing more is wanted; None while more is.
        self.ended: str | None = None

    def add(self, data: bytes, is_replay: bool) -> bool:
        """Take what has arrived. Return True if nothing more is wanted."""
        *complete, rest = data.split(b"\n")
        for piece in [*(piece + b"\n" for piece in complete), *([rest] if rest else [])]:
            self._add_piece(piece, is_replay)
            if self.ended:
                return True
        return False

    def finish(self, ended: str) -> None:
        """End the capture: a line without an end counts as it is. ended: why, unless that is known already."""
        if self._line:
            self._end_line()
        self.ended = self.ended or ended

    def result(self) -> dict[str, t.Any]:
        return {
            "lines": self.lines,
            "replayed": self.replayed,
            "matched": self.match is not None,
            "match": self.match,
            "truncated": self.truncated,
            "bytes": self.bytes,
            "ended": self.ended,
        }

    def _add_piece(self, piece: bytes, is_replay: bool) -> None:
        if not self._is_begun:
            self._is_begun, self._is_replayed = True, is_replay
        if self._with_replay or not self._is_replayed:
            kept = piece[: self._most - self.bytes]
            self._line += kept
            self.bytes += len(kept)
            if len(kept) < len(piece):
                self.truncated, self.ended = True, "size"
        if piece.endswith(b"\n") or self.ended:
            self._end_line()

    def _end_line(self) -> None:
        if self._line:  # Empty where nothing of a line is wanted, or fits.
            text = self._line.decode("utf-8", "replace").removesuffix("\n").rstrip("\r")
            self.lines.append(mask(text, [self._token]))
            self.replayed += self._is_replayed
            found = self._pattern.search(self.lines[-1][:MAX_SEARCHED]) if self._pattern else None
            if found is not None:
                self.match, self.ended = found.group(0), "match"
        self._line.clear()
        self._is_begun = False


def capture(client: Cycle, params: Params, *, clock: t.Callable[[], float] = time.monotonic) -> dict[str, t.Any]:
    """Return what the module instance_console returns. clock: replaced in tests.

    Raises:
        WaitTimeoutError: There was something to look for that did not come. What was captured is in results.
        TransportError: The stream broke. What was captured is in results.
    """
    require_libraries()
    pattern = _pattern(params["until_regex"])
    authorisation = authorise(client, "console", params["container_id"], params["instance_id"])
    captured = Capture(pattern, params["max_bytes"], params["backlog"], authorisation.token)
    try:
        with open_stream(client, authorisation) as stream:
            deadline = Deadline(params["duration"], REPLAY_SECONDS, clock=clock)
            for message in stream.messages(deadline):
                if captured.add(message, deadline.waited() < REPLAY_SECONDS):
                    break
        captured.finish("duration" if stream.closed is None else "closed")
        if pattern is not None and captured.match is None:
            raise _unmatched(captured, params)
    except PaasError as error:
        captured.finish("broken")
        error.results.update(captured.result())
        raise
    return captured.result()


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise OptionError(f"The option until_regex is no regular expression: {error}.") from None


def _unmatched(captured: Capture, params: Params) -> WaitTimeoutError:
    until = {
        "duration": f"within {params['duration']} seconds (option duration)",
        "size": f"within {params['max_bytes']} bytes (option max_bytes)",
        "closed": "before the platform ended the stream",
    }[captured.ended or "closed"]
    return WaitTimeoutError(
        f"Nothing on the console of the instance {params['instance_id']} matched until_regex"
        f" ({params['until_regex']}) {until}. Lines seen: {len(captured.lines)}; they are in the result."
    )
