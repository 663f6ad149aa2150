# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of exec: under a terminal or with pipes, and what feeds it."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from contextlib import suppress
from pathlib import Path

from . import places
from .northflank import exec_messages as messages
from .northflank.exec_messages import Init

PORTION = 32 * 1024
END_OF_TRANSMISSION = b"\x04"
# With "overtake", a payload is so many seconds on its way.
ON_ITS_WAY = 0.1

Output = tuple[asyncio.StreamReader, asyncio.ReadTransport]

_left: set[asyncio.Task[None]] = set()


class Running:
    """A process and its streams by the kind of message they go into."""

    def __init__(
        self,
        child: asyncio.subprocess.Process,
        stdin: asyncio.StreamWriter,
        outputs: dict[str, Output],
        terminal: int | None = None,
    ) -> None:
        """Take a process; ``terminal`` is the end of its terminal that processes have."""
        self.child, self.stdin = child, stdin
        self._outputs = outputs
        self._terminal = terminal

    @property
    def outputs(self) -> dict[str, asyncio.StreamReader]:
        """What the process writes, by the kind of message it goes into."""
        return {kind: reader for kind, (reader, _transport) in self._outputs.items()}

    @property
    def on_terminal(self) -> bool:
        """Say whether the process has a terminal."""
        return self._terminal is not None

    async def wait(self) -> int:
        """Wait for the end of the process; return its exit code as a shell would. Output may still be coming."""
        code = await self.child.wait()
        self._close_terminal()
        return 128 - code if code < 0 else code

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal, if there is one, a size."""
        if self._terminal is not None:
            places.resize(self._terminal, columns, lines)

    def end(self) -> None:
        """End the process and all of its session."""
        places.hang_up(self.child.pid)
        self._close()

    def leave(self) -> None:
        """Leave the process alone; nobody talks to it any more."""
        if not self.on_terminal:
            self.stdin.close()
        task = asyncio.create_task(self._ignore())
        _left.add(task)
        task.add_done_callback(_left.discard)

    async def _ignore(self) -> None:
        readers = [asyncio.ensure_future(_drain(reader)) for reader in self.outputs.values()]
        await self.wait()
        for reader in readers:
            reader.cancel()
        self._close()

    def _close(self) -> None:
        _close(self.stdin, *self._outputs.values())
        self._close_terminal()

    def _close_terminal(self) -> None:
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None


async def _drain(reader: asyncio.StreamReader) -> None:
    while await read(reader):
        pass


async def read(reader: asyncio.StreamReader) -> bytes:
    """Return some output, nothing at its end, which for a terminal is an error."""
    try:
        return await reader.read(PORTION)
    except OSError:
        return b""


async def start(init: Init, place: Path, environment: dict[str, str], who: places.Identity | None) -> Running:
    """Start what a first message asks for. Raises OSError, ValueError, ProtocolError."""
    path = environment["PATH"]
    command = messages.arguments(init, lambda name: places.find(name, path) is not None)
    if command is None:
        command = _interactive(init, path)
    if init.tty:
        return await _on_terminal(init, command, place, environment, who)
    return await _on_pipes(command, place, environment, who)


def _interactive(init: Init, path: str) -> list[str]:
    """Return the command of a shell that is driven by its input."""
    wanted = messages.interactive(init)
    name = wanted or next((each for each in messages.SHELLS if places.find(each, path)), "sh")
    if wanted and places.find(name, path) is None:
        raise FileNotFoundError(2, f"{name}: executable file not found in $PATH")
    command = places.shell(name, path)
    return command if init.tty else [each for each in command if each != "-i"]


async def _on_pipes(
    command: list[str], place: Path, environment: dict[str, str], who: places.Identity | None
) -> Running:
    # Pipes of one's own: asyncio takes a process for ended only when its pipes have been closed by everybody else.
    (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = os.pipe(), os.pipe(), os.pipe()
    feeder = await places.writer(to_stdin)
    outputs = {"stdOut": await places.reader(from_stdout), "stdErr": await places.reader(from_stderr)}
    try:
        child = await places.spawn(command, place, environment, who, stdin, stdout, stderr)
    except BaseException:
        _close(feeder, *outputs.values())
        raise
    finally:
        for descriptor in (stdin, stdout, stderr):
            os.close(descriptor)
    return Running(child, feeder, outputs)


def _close(stdin: asyncio.StreamWriter, *outputs: Output) -> None:
    stdin.close()
    for _reader, transport in outputs:
        transport.close()


async def _on_terminal(
    init: Init, command: list[str], place: Path, environment: dict[str, str], who: places.Identity | None
) -> Running:
    # As long as the end of the processes is open here as well, nothing that they wrote is lost.
    master, terminal = os.openpty()
    places.resize(terminal, init.columns or places.COLUMNS, init.lines or places.LINES)
    stdin, stdout = await places.writer(os.dup(master)), await places.reader(master)
    try:
        if who is not None:
            os.fchown(terminal, who.user, -1)
        nothing = asyncio.subprocess.DEVNULL
        whole = [*places.ON_TERMINAL, os.ttyname(terminal), *command]
        environment = {**environment, "TERM": "xterm"}
        child = await places.spawn(whole, place, environment, who, nothing, nothing, nothing)
    except BaseException:
        _close(stdin, stdout)
        os.close(terminal)
        raise
    return Running(child, stdin, {"stdOut": stdout}, terminal)


class Input:
    """Standard input of a process: payloads in their order, then perhaps the end."""

    def __init__(self, running: Running, overtake: bool) -> None:
        """``overtake``: the end overtakes payloads that are still on their way, which are lost."""
        self._running = running
        self._delay = ON_ITS_WAY if overtake else 0.0
        self._pending: deque[tuple[float, bytes | None]] = deque()
        self._news = asyncio.Event()

    def payload(self, data: bytes) -> None:
        """Take bytes for the process."""
        self._pending.append((self._now() + self._delay, data))
        self._news.set()

    def end(self) -> None:
        """Take the end of the input."""
        now = self._now()
        while self._pending and self._pending[-1][0] > now:
            self._pending.pop()
        self._pending.append((now, None))
        self._news.set()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def feed(self) -> None:
        """Pass on what there is until the end; what a process does not read any more is dropped."""
        while True:
            data = await self._following()
            if data is None:
                break
            with suppress(OSError):
                self._running.stdin.write(data)
                await self._running.stdin.drain()
        with suppress(OSError):
            if self._running.on_terminal:
                self._running.stdin.write(END_OF_TRANSMISSION)
            else:
                self._running.stdin.close()

    async def _following(self) -> bytes | None:
        while True:
            self._news.clear()
            wait = self._pending[0][0] - self._now() if self._pending else None
            if wait is not None and wait <= 0:
                return self._pending.popleft()[1]
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait)
