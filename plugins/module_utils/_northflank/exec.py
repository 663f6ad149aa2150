# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands in containers over Northflank's exec: one WebSocket for each command.

Facts from the official Python client 2.1.0 and JavaScript client 0.9.5: addresses, messages, that exit codes may be
text, and that the end of the input can overtake what was sent right before it, which is then lost. So the end is never
sent after input: the command that gets input has to know how much of it there is.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import dataclasses
import json
import os
import time
import typing as t

from .._client import path_segment
from .._errors import ApiError, InvalidResponseError, NotFoundError, OptionError, TransportError, WaitTimeoutError
from .._options import ConnectionOptions, GetOption
from .._redact import Redactor
from .._response import EXCERPT, json_object
from .._types import Item
from .._websocket import Close, WebSocket
from .._websocket_handshake import SCHEMES, open_websocket
from .api import access_options, error_body, team_path

# What stands in the path, by what a container belongs to.
KINDS = {"addon": "addons", "service": "services", "job": "jobs"}
PORTION = 64 * 1024  # bytes of a payload, as the official clients send them
POLL = 0.5  # seconds between two looks at whether the input may be sent
OUTPUTS = ("stdOut", "stdErr")
UNKNOWN = "What became of the command is not known."


class Access(t.NamedTuple):
    """How exec is reached. team_path: see team_path()."""

    options: ConnectionOptions
    team_path: str


@dataclasses.dataclass(frozen=True)
class Target:
    """Where and as whom a command runs."""

    project_id: str
    # See KINDS.
    kind: str
    # Of the addon, service or job.
    resource_id: str
    # The name of the container, as lists of containers have it, and which one of several in it.
    instance: str
    container_name: str | None = None
    # Names or numbers; None for those of the image.
    user: str | None = None
    group: str | None = None

    def __str__(self) -> str:
        return f"The container {self.instance} ({self.kind} {self.resource_id}, project {self.project_id})"


class Limits(t.NamedTuple):
    """Seconds until the command is accepted, without a sign of life, and for all of it, or None."""

    answer: float
    silence: float
    command: float | None = None


@dataclasses.dataclass
class Input:
    """What a command gets to read. is_ready: whether it may be sent yet; asked again and again until then."""

    chunks: t.Iterator[bytes]
    is_ready: t.Callable[[], bool] = lambda: True


def access_from(get_option: GetOption) -> Access:
    """Return how exec is reached. get_option: as for Northflank, which is slow to import. Raises OptionError."""
    return Access(access_options(get_option), team_path(get_option("team_id")))


def exec_url(access: Access, target: Target) -> str:
    """Return the address of the WebSocket. The team stands inside the path, not in front. Raises OptionError."""
    if target.kind not in KINDS:
        raise OptionError(f"The kind of {target.instance} is {target.kind!r}; it has to be one of {', '.join(KINDS)}.")
    scheme = {http: websocket for websocket, http in SCHEMES.items()}
    like_http, rest = access.options.url.split("://", 1)
    project, resource = path_segment(target.project_id, "project_id"), path_segment(target.resource_id, "resource_id")
    path = f"{access.team_path}projects/{project}/{KINDS[target.kind]}/{resource}"
    return f"{scheme[like_http]}://{rest}/v1/command-exec/{path}"


def run(
    access: Access,
    target: Target,
    command: t.Sequence[str],
    take: t.Callable[[str, bytes], None],
    *,
    source: Input | None = None,
    limits: Limits,
    clock: t.Callable[[], float] = time.monotonic,
) -> int:
    """Run a command, as arguments without a shell, and return its exit code.

    The handshake is repeated as retry_budget allows; nothing is, once the command was sent.

    Args:
        take: Called with stdOut or stdErr, and bytes, as they arrive.
        source: What the command reads, without an end that it could see; without any it sees the end at once.
        clock: Replaced in tests.

    Raises:
        OptionError, MissingLibraryError: Nothing was sent.
        WaitTimeoutError: The command takes too long.
        ApiError, TransportError, InvalidResponseError: The command did not end with an exit code.
    """
    ends = None if limits.command is None else clock() + limits.command
    redact = Redactor(access.options.token)
    try:
        with open_websocket(exec_url(access, target), access.options, redact=redact, error_body=error_body) as socket:
            socket.watch_tcp(round(limits.silence))
            session = _Session(target, socket, redact, take, limits, ends, clock)
            session.begin(_wish(access.options.token, target, command), at_its_end=source is None)
            return session.attend(source)
    except (ApiError, TransportError, InvalidResponseError) as error:
        if isinstance(error, NotFoundError):
            error.message += f" Does the {target.kind} still exist? An inventory from a cache may be too old."
        raise error.named(str(target)) from None


class _Session:
    """One command, from the first message to the end. ends: by the clock, when it takes too long."""

    def __init__(
        self,
        target: Target,
        socket: WebSocket,
        redact: Redactor,
        take: t.Callable[[str, bytes], None],
        limits: Limits,
        ends: float | None,
        clock: t.Callable[[], float],
    ) -> None:
        self._target = target
        self._socket = socket
        self._redact = redact
        self._take = take
        self._limits = limits
        self._ends = ends
        self._clock = clock
        self._pinged_at = float("-inf")
        self._parent = os.getppid()

    def begin(self, wish: Item, *, at_its_end: bool) -> None:
        """Send what is to be run, and wait until it is accepted. at_its_end: there is nothing to read."""
        self._socket.queue(_message("init", wish))
        if at_its_end:
            self._socket.queue(_message("stdInEnd"))
        accepted_by = self._clock() + self._limits.answer
        while (left := accepted_by - self._clock()) > 0:
            frame = self._next(min(left, POLL))
            if frame is not None:
                self._accept(frame)
                return
        raise TransportError(
            f"Northflank did not accept the command within {self._limits.answer:g} seconds (option timeout). It may"
            " run all the same.",
            may_have_succeeded=True,
        )

    def attend(self, source: Input | None) -> int:
        """Pass input and output on until the command has ended, and return its exit code."""
        while True:
            if source is not None and not self._socket.unsent and source.is_ready():
                chunk = next(source.chunks, None)
                if chunk is None:
                    source = None
                else:
                    self._socket.queue(_message("payload", base64.b64encode(chunk).decode()))
            frame = self._next(
                min(POLL, self._limits.silence), only_until_sent=source is not None and source.is_ready()
            )
            if frame is None:
                self._look_after()
            elif frame["type"] == "completion":
                return self._exit_code(frame.get("data"))
            else:
                self._pass_on(frame)

    def _next(self, timeout: float, only_until_sent: bool = False) -> Item | None:
        """Return the next message, None if there is none yet."""
        if os.getppid() != self._parent:  # killed, and could end nothing that it had started
            raise TransportError(f"The process that wanted the command has ended. {UNKNOWN}", may_have_succeeded=True)
        if self._ends is not None and self._clock() >= self._ends:
            raise WaitTimeoutError(
                f"{self._target}: the command did not end within {self._limits.command:g} seconds (option"
                " command_timeout). It may still be running there."
            )
        try:
            message = self._socket.receive(timeout, only_until_sent=only_until_sent)
        except (TransportError, InvalidResponseError) as error:
            error.message += f" {UNKNOWN}"
            raise
        if self._socket.closed is not None:
            raise _ended(self._socket.closed)
        if message is None:
            return None
        frame = json_object(message)
        if frame is None or not isinstance(frame.get("type"), str):
            begin = _shown(self._redact(message[: EXCERPT * 4].decode("utf-8", "replace")))
            raise InvalidResponseError(
                f"Northflank sent what is no message of exec, but begins: {begin or '(empty)'}. {UNKNOWN}"
            )
        return frame

    def _accept(self, frame: Item) -> None:
        data = frame.get("data")
        if frame["type"] == "error":
            raise ApiError(
                f"Northflank did not run the command: {self._said(data)}. If the container is gone or was replaced,"
                " read the inventory again."
            )
        if frame["type"] != "init" or not isinstance(data, dict):
            raise InvalidResponseError(
                f"Northflank did not answer the command, but sent a message {_shown(frame['type'])}."
            )
        if data.get("auth") != "successful":
            raise ApiError(
                f"Northflank refused the token: {self._said(data)}. Is it valid, does it belong to the team"
                " (option team_id), and may it run commands?",
                status=401,
            )

    def _pass_on(self, frame: Item) -> None:
        kind, data = frame["type"], frame.get("data")
        if kind in OUTPUTS:
            try:
                self._take(kind, base64.b64decode(data or "", validate=True))
            except (TypeError, ValueError, binascii.Error):
                raise InvalidResponseError(f"Northflank sent output ({kind}) that is not base64. {UNKNOWN}") from None
        elif kind == "error":
            raise ApiError(f"Northflank gave the command up: {self._said(data)}. {UNKNOWN}")
        elif kind != "init":  # another one changes nothing
            raise InvalidResponseError(f"Northflank sent a message of the unknown type {_shown(kind)}. {UNKNOWN}")

    def _look_after(self) -> None:
        """Raise TransportError if the platform gives no sign of life any more.

        It is not known whether Northflank answers pings. Once it has answered one, no answer means that it is gone.
        Until then only the operating system can tell, which watches the connection (watch_tcp()).
        """
        silence = self._limits.silence
        if self._socket.unsent:
            if self._socket.stuck() > silence and self._socket.quiet() > silence:
                raise _silent(f"did not take any input for {silence:g} seconds")
            return
        if self._socket.answers_pings and self._socket.quiet() > silence:
            raise _silent(f"gave no sign of life for {silence:g} seconds")
        if self._clock() - self._pinged_at > silence / 3:
            self._pinged_at = self._clock()
            self._socket.ping()

    def _exit_code(self, data: t.Any) -> int:
        """Return the exit code, a number or its digits. Raises InvalidResponseError without one."""
        data = data if isinstance(data, dict) else {}
        code = data.get("exitCode")
        if isinstance(code, (int, str)) and not isinstance(code, bool):
            with contextlib.suppress(ValueError):
                return int(code)
        raise InvalidResponseError(
            f"Northflank said that the command ended ({_shown(data.get('status'))}), but with no exit code:"
            f" {self._said(data)}. {UNKNOWN}"
        )

    def _said(self, data: t.Any) -> str:
        message = data.get("message") if isinstance(data, dict) else None
        return _shown(self._redact(message)) if isinstance(message, str) and message else "no reason was given"


def _wish(token: str, target: Target, command: t.Sequence[str]) -> Item:
    """Return the first message. What is not wanted has to be left out: null is refused."""
    context = {
        "command": list(command),
        "shell": "none",
        "encoding": "base64",
        "tty": False,
        "instanceName": target.instance,
        "containerName": target.container_name,
        "user": _name_or_number(target.user),
        "group": _name_or_number(target.group),
    }
    wanted = {name: value for name, value in context.items() if value is not None}
    return {"auth": {"type": "apiToken", "apiToken": token}, "context": wanted}


def _name_or_number(value: str | None) -> str | int | None:
    return int(value) if value and value.isdecimal() else value


def _message(kind: str, data: t.Any = None) -> str:
    return json.dumps({"type": kind} if data is None else {"type": kind, "data": data})


def _ended(close: Close) -> TransportError:
    how = "".join(f", {part}" for part in (close.code and f"code {close.code}", close.reason) if part)
    return TransportError(
        f"Northflank closed the connection before the command had ended{how}. The container may have been stopped or"
        f" replaced. {UNKNOWN}",
        may_have_succeeded=True,
    )


def _silent(what: str) -> TransportError:
    return TransportError(
        f"Northflank {what} while the command ran (option silence_timeout). It may still be running.",
        may_have_succeeded=True,
    )


def _shown(value: t.Any) -> str:
    return " ".join(str(value).split())[:EXCERPT].rstrip(".")
