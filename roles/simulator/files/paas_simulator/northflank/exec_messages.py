# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two sides of exec say to each other: one JSON object a message."""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..messages import Record

ENCODINGS = ("utf-8", "base64")
# Without a shell being named, these are tried.
SHELLS = ("bash", "sh")
LARGEST_SIDE = 0xFFFF


class ProtocolError(Exception):
    """A message that is none; the text is for the client."""


@dataclass(frozen=True, slots=True)
class Init:
    """What the first message asks for; ``shell`` and ``command`` are None where they are not in it."""

    token: str | None
    command: str | list[str] | None
    shell: str | None
    instance: str | None
    container: str | None
    user: str | int | None
    group: str | int | None
    encoding: str
    tty: bool
    lines: int | None
    columns: int | None


def read_message(raw: str | bytes) -> Record:
    """Return a message; clients send text or binary. Raises ProtocolError."""
    try:
        message = json.loads(raw)
    except ValueError:
        raise ProtocolError("The message is not JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ProtocolError("A message is an object with a type")
    return message


def _object(value: Any, name: str) -> Record:
    if not isinstance(value, dict):
        raise ProtocolError(f"{name} must be an object")
    return value


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_command(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and bool(value) and all(map(_is_string, value)))


_FIELDS = {
    "command": (_is_command, "a string or a list of strings"),
    "shell": (_is_string, "a string"),
    "instanceName": (_is_string, "a string"),
    "containerName": (_is_string, "a string"),
    "user": (lambda value: _is_string(value) or _is_number(value), "a string or a number"),
    "group": (lambda value: _is_string(value) or _is_number(value), "a string or a number"),
    "encoding": (lambda value: value in ENCODINGS, "utf-8 or base64"),
    "tty": (lambda value: isinstance(value, bool), "a boolean"),
    "ttyRows": (_is_number, "a number"),
    "ttyColumns": (_is_number, "a number"),
}


def read_init(message: Record) -> Init:
    """Return what a first message asks for; null is no value for any field. Raises ProtocolError."""
    if message["type"] != "init":
        raise ProtocolError("The first message must be init")
    data = _object(message.get("data"), "data")
    auth, context = _object(data.get("auth"), "data.auth"), _object(data.get("context", {}), "data.context")
    for name, (fits, expected) in _FIELDS.items():
        if name in context and not fits(context[name]):
            raise ProtocolError(f"data.context.{name} must be {expected}")
    token = auth.get("apiToken") if auth.get("type") == "apiToken" else None
    return Init(
        token=token if isinstance(token, str) else None,
        command=context.get("command"),
        shell=context.get("shell"),
        instance=context.get("instanceName"),
        container=context.get("containerName"),
        user=context.get("user"),
        group=context.get("group"),
        encoding=context.get("encoding", "utf-8"),
        tty=context.get("tty", False),
        lines=context.get("ttyRows"),
        columns=context.get("ttyColumns"),
    )


def read_payload(data: Any, encoding: str) -> bytes:
    """Return the bytes of a payload, each decodable by itself. Raises ProtocolError."""
    if not isinstance(data, str):
        raise ProtocolError("data of a payload must be a string")
    if encoding == "utf-8":
        return data.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise ProtocolError("data of a payload is not base64") from None


def read_size(data: Any) -> tuple[int, int]:
    """Return columns and lines of a resize. Raises ProtocolError."""
    size = _object(data, "data")
    columns: Any = size.get("ttyColumns")
    lines: Any = size.get("ttyRows")
    for side in (columns, lines):
        if not _is_number(side) or side > LARGEST_SIDE:
            raise ProtocolError("data of resize needs ttyRows and ttyColumns")
    return columns, lines


class Writer:
    """Writes one stream of output; in UTF-8, bytes that cannot be decoded are lost."""

    def __init__(self, kind: str, encoding: str) -> None:
        """``kind`` is stdOut or stdErr."""
        self._kind = kind
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace") if encoding == "utf-8" else None

    def frame(self, data: bytes, last: bool = False) -> Record | None:
        """Return the message for some output; None when there is nothing to say yet."""
        text = self._decoder.decode(data, last) if self._decoder else base64.b64encode(data).decode("ascii")
        return {"type": self._kind, "data": text} if text else None


def arguments(init: Init, found: Callable[[str], bool]) -> list[str] | None:
    """Return what is to be run without a terminal's help, None for an interactive shell. Raises ProtocolError.

    ``found(name)`` says whether a shell is there. ``none`` is no shell: the arguments as they are, or those in the one
    string. Any other one gets the command as its last argument.
    """
    if init.command is None:
        return None
    if init.shell == "none":
        return init.command if isinstance(init.command, list) else _words(init.command)
    text = shlex.join(init.command) if isinstance(init.command, list) else init.command
    if init.shell is None:
        shell = next((name for name in SHELLS if found(name)), SHELLS[-1])
        return [shell, "-c", text]
    words = _words(init.shell)
    return [*words, *([] if "-c" in words[1:] else ["-c"]), text]


def interactive(init: Init) -> str | None:
    """Return the name of the shell that a session without a command is to have; None for any."""
    words = _words(init.shell) if init.shell not in (None, "none") else []
    return words[0] if words else None


def _words(text: str | None) -> list[str]:
    try:
        words = shlex.split(text or "")
    except ValueError as error:
        raise ProtocolError(f"The command cannot be taken apart: {error}") from None
    if not words:
        raise ProtocolError("The command is empty")
    return words


def started(instance: str, container: str) -> Record:
    """Return the answer to an init that is accepted."""
    context = {"instanceName": instance, "containerName": container}
    return {"type": "init", "data": {"auth": "successful", "context": context}}


def refused(message: str) -> Record:
    """Return the answer to an init that is refused."""
    return {"type": "init", "data": {"auth": "failed", "message": message}}


def failed(message: str) -> Record:
    """Return the message of an error, the last one."""
    return {"type": "error", "data": {"message": message}}


def completed(code: int, codes: str, message: str = "") -> Record:
    """Return the message of the end of a command; 0 is a number, other codes are what ``codes`` says."""
    if code == 0:
        return {"type": "completion", "data": {"exitCode": 0, "status": "Success", "message": message}}
    text = message or f"command terminated with exit code {code}"
    shown = str(code) if codes == "string" else code
    return {"type": "completion", "data": {"exitCode": shown, "status": "Failure", "message": text}}
