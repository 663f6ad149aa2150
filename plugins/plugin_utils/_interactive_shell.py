# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Run commands through an interactive shell, for SSH gateways that offer nothing else.

An agent, which is a script of the shell, takes the place of the interactive shell and runs one command. TAG is random.
Data is in base64, because the terminal or the gateway may change other bytes. Lines without the tag are ignored: they
are prompts, echoes and messages of the day.

    client                                      container
    echo TAG\\a:                           ──►                    typed, again and again until
                                          ◄──   TAGa:            the shell answers
    exec /bin/sh -c '…'                   ──►                    typed, once
                                          ◄──   TAGr:            the agent has put the terminal into raw mode
    the agent's script                    ──►
                                          ◄──   TAGb:            the command begins
    its standard input                    ──►
                                          ◄──   TAG1:… TAG2:…    its standard output and standard error, line by line
                                          ◄──   TAG1end:COUNT    the number of characters sent in those lines
                                          ◄──   TAGx:CODE        its exit code
    TAG                                   ──►                    the agent ends
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import secrets
import selectors
import shlex
import subprocess
import time
import typing as t

QUESTION_INTERVAL = 1.0  # seconds until the first question is repeated; later ones wait twice as long each
FAREWELL_TIMEOUT = 2.0  # seconds for the session to end by itself
CHUNK = 64 * 1024

# The backslash makes what is typed, and echoed, differ from what is printed.
QUESTION = " unset HISTFILE; echo %(tag)s\\a:\n"
# Stays below 1000 characters, because a terminal that is not in raw mode may cut longer lines. Signals stay on, so that
# Ctrl-C ends the command of a session that is given up.
START = (
    " exec /bin/sh -c '_tag=%(tag)s _missing=;"
    'for _tool in base64 head stty; do command -v $_tool >/dev/null 2>&1 || _missing="$_missing $_tool"; done;'
    "[ -t 0 ] && stty raw -echo isig;"
    'echo "${_tag}r:$_missing";'
    '[ "$_missing" ] || eval "$(head -c %(size)d | base64 -d)"\'\n'
)
AGENT = """\
_command=%(command)s
# Descriptors: 3 is the terminal, 4 takes the exit code, 5 is the command's standard error.
exec 3>&1
_send() {
  _count=0
  while IFS= read -r _line; do
    _count=$((_count + ${#_line}))
    echo "$_tag$1:$_line"
  done
  echo "$_tag$1end:$_count"
}
echo "${_tag}b:"
_code=$(
  {
    {
      %(input)s | { (exec /bin/sh -c "$_command" 2>&5 3>&- 4>&- 5>&-); echo $? >&4; } | base64 | _send 1 >&3
    } 5>&1 | base64 | _send 2 >&3
  } 4>&1
)
echo "${_tag}x:${_code:-137}"
# Some gateways lose the last output of a process that has ended.
while IFS= read -r _line && [ "$_line" != "$_tag" ]; do :; done
"""


class MissingToolsError(Exception):
    """The container lacks tools that the agent needs. The message names them."""


class SessionLostError(Exception):
    """The session ended, or no shell answered. has_begun: whether the command may have run."""

    def __init__(self, message: str, has_begun: bool) -> None:
        super().__init__(message)
        self.has_begun = has_begun


def run(argv: t.Sequence[str], command: str, stdin: bytes = b"", *, timeout: float) -> tuple[int, bytes, bytes]:
    """Run a command with /bin/sh -c in the interactive shell that `argv` opens.

    The command has the environment of the interactive shell and no terminal.

    Args:
        argv: A local command whose standard streams are the shell, for example ssh -tt -e none HOST.
        stdin: What the command reads, up to the end of its input.
        timeout: Seconds for each step until the command begins.

    Returns:
        The exit code (128 + n for signal n), standard output and standard error.

    Raises:
        MissingToolsError: The container lacks tools. The command has not run.
        SessionLostError: The session ended or gave no answer in time.
    """
    data = base64.b64encode(stdin)
    with _Session(argv) as session:
        _wait_for_shell(session, timeout)
        _start_agent(session, _agent(command, len(data)), timeout)
        session.send(data)
        return _receive_result(session)


def _agent(command: str, size: int) -> bytes:
    """Return the agent's script for a command and the size of its input in base64."""
    source = f"head -c {size} | base64 -d" if size else ":"
    return base64.b64encode(os.fsencode(AGENT % {"command": shlex.quote(command), "input": source}))


def _wait_for_shell(session: _Session, timeout: float) -> None:
    """Ask until the shell answers: while it starts, it may lose what is typed."""
    deadline = time.monotonic() + timeout
    interval = QUESTION_INTERVAL
    while time.monotonic() < deadline:
        session.type(QUESTION)
        if session.receive("a", min(time.monotonic() + interval, deadline)) is not None:
            return
        interval *= 2
    raise session.lost(f"no POSIX shell answered within {timeout:g} seconds")


def _start_agent(session: _Session, agent: bytes, timeout: float) -> None:
    session.type(START, size=len(agent))
    missing = session.receive("r", time.monotonic() + timeout)
    if missing is None:
        raise session.lost(f"the shell did not start a command within {timeout:g} seconds")
    if missing:
        raise MissingToolsError(missing.decode(errors="replace").strip().replace(" ", ", "))
    session.has_begun = True
    session.send(agent)
    if session.receive("b", time.monotonic() + timeout) is None:
        raise session.lost(f"the command did not begin within {timeout:g} seconds")


def _receive_result(session: _Session) -> tuple[int, bytes, bytes]:
    streams = {"1": bytearray(), "2": bytearray()}
    counts = {"1": 0, "2": 0}
    complete = set()
    while True:
        kind, payload = session.next_message()
        if kind in streams:
            counts[kind] += len(payload)
            try:
                streams[kind] += base64.b64decode(payload, validate=True)
            except ValueError:
                raise session.lost("something else was written into the output of the command") from None
        elif kind == "x":
            break
        elif kind.endswith("end") and counts.get(kind[0]) == int(payload):
            complete.add(kind[0])
    if len(complete) != len(streams):
        raise session.lost("some of the output of the command is missing")
    session.say_goodbye()
    return int(payload), bytes(streams["1"]), bytes(streams["2"])


class _Session:
    """The local process that leads to the shell. It ends with the context."""

    def __init__(self, argv: t.Sequence[str]) -> None:
        self.has_begun = False
        self._tag = f"q{secrets.token_hex(8)}"
        self._pattern = re.compile(self._tag.encode() + rb"([a-z0-9]+):(.*)")
        self._messages: list[tuple[str, bytes]] = []
        self._partial_line = b""
        self._outgoing = memoryview(b"")
        self._complaint = b""
        self._is_over = False
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)
        except OSError as error:
            raise SessionLostError(f"{argv[0]} could not be started: {error.strerror}.", has_begun=False) from None
        files = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._stdin, self._stdout, self._stderr = t.cast("tuple[t.BinaryIO, t.BinaryIO, t.BinaryIO]", files)
        os.set_blocking(self._stdin.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._selector.register(self._stderr, selectors.EVENT_READ)

    def __enter__(self) -> t.Self:
        return self

    def type(self, line: str, **values: t.Any) -> None:
        """Type a line, in which %(tag)s is the tag."""
        self.send((line % {"tag": self._tag, **values}).encode())

    def send(self, data: bytes) -> None:
        """Send data after what has not been sent yet."""
        self._outgoing = memoryview(bytes(self._outgoing) + data)

    def receive(self, kind: str, deadline: float) -> bytes | None:
        """Return the payload of the next message of a kind, None if there is none in time."""
        while time.monotonic() < deadline:
            while self._messages:
                found, payload = self._messages.pop(0)
                if found == kind:
                    return payload
            self._move_data(deadline - time.monotonic())
        return None

    def next_message(self) -> tuple[str, bytes]:
        """Return the kind and the payload of the next message, however long it takes."""
        while not self._messages:
            self._move_data(None)
        return self._messages.pop(0)

    def lost(self, reason: str) -> SessionLostError:
        """Return the error for a session that cannot be continued, with what the local process has written."""
        while self._is_over and self._stderr in self._selector.get_map() and self._selector.select(0.5):
            self._read(self._stderr)
        complaint = " ".join(self._complaint.decode(errors="replace").split())
        told = f" ({complaint})" if complaint else ""
        return SessionLostError(f"The session with the interactive shell was lost: {reason}{told}.", self.has_begun)

    def say_goodbye(self, line: str = "%(tag)s\n") -> None:
        """Let the agent end."""
        self._outgoing = memoryview(b"")
        self.type(line)
        deadline = time.monotonic() + FAREWELL_TIMEOUT
        while not self._is_over and (left := deadline - time.monotonic()) > 0:
            self._move_data(left)

    def __exit__(self, *_exception: object) -> None:
        if not self._is_over:
            # Ctrl-C ends the command; some gateways keep a session that its client has left.
            with contextlib.suppress(SessionLostError):
                self.say_goodbye("\3\n%(tag)s\n exit\n")
        self._process.terminate()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._selector.close()
        for file in (self._stdin, self._stdout, self._stderr):
            file.close()

    def _move_data(self, seconds: float | None) -> None:
        """Wait until data can be read or written, and do it. Raise SessionLostError after the end of the session."""
        if self._is_over:
            raise self.lost("it ended")
        if self._outgoing and self._stdin not in self._selector.get_map():
            self._selector.register(self._stdin, selectors.EVENT_WRITE)
        for key, _events in self._selector.select(seconds):
            if key.fileobj is self._stdin:
                self._write()
            else:
                self._read(t.cast("t.BinaryIO", key.fileobj))

    def _write(self) -> None:
        try:
            written = os.write(self._stdin.fileno(), self._outgoing[:CHUNK])
        except OSError:  # the process reads no more; what it has written is still to be read
            written = len(self._outgoing)
        self._outgoing = self._outgoing[written:]
        if not self._outgoing:
            self._selector.unregister(self._stdin)

    def _read(self, file: t.BinaryIO) -> None:
        data = os.read(file.fileno(), CHUNK)
        if not data:
            self._selector.unregister(file)
            self._is_over = self._is_over or file is self._stdout
        elif file is self._stderr:
            self._complaint = (self._complaint + data)[-500:]
        else:
            *lines, self._partial_line = (self._partial_line + data).split(b"\n")
            for found in filter(None, map(self._pattern.search, lines)):
                self._messages.append((found[1].decode(), found[2].rstrip(b"\r")))
