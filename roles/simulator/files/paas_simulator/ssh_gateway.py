# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cycle's SSH gateway: user is the instance id, password the secret of a credential.

What is known is that a login gives an interactive shell. Whether the platform has commands, SFTP, and what it does to
open sessions when their credentials expire, nobody knows: settings. An "instance" here is a directory of its own, in
which processes of this machine run as the user that runs the simulator.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, cast

import asyncssh

from . import places
from .messages import Call, Record
from .places import Places, Toolbox
from .world import World

WATCH_INTERVAL = 0.1
PRESS_INTERVAL = 0.2
PORTION = 64 * 1024
END_OF_TRANSMISSION = b"\x04"


def _call(user: str, body: bytes = b"") -> Call:
    """Return what the journal and faults know a login or session as."""
    return Call("SSH", f"/{user}", (user,), {}, {}, body)


class Gateway:
    """What all connections share: the directories of the instances, and who is connected."""

    def __init__(self, world: World) -> None:
        """Serve the Cycle platform of a world, also the one it has after a reset."""
        self.world = world
        self.connections: set[Connection] = set()
        self.numbers = count(1)
        self._places = Places("paas-simulator-ssh-")

    def directory(self, instance_id: str) -> Path:
        """Return the working directory of an instance; it is kept from session to session."""
        return self._places.directory(self.world.cycle, instance_id)

    def end(self) -> None:
        """Cut all connections and leave nothing behind."""
        for connection in list(self.connections):
            connection.abort()
        self._places.clear()


class Connection(asyncssh.SSHServer):
    """One client: its login, its sessions, and why it has to go."""

    def __init__(self, gateway: Gateway) -> None:
        """Wait for a client to be connected."""
        self._gateway = gateway
        self._world = gateway.world
        self.platform = gateway.world.cycle
        self._journal = gateway.world.journal
        self._endpoints = gateway.world.endpoints
        self._number = next(gateway.numbers)
        self._conn: asyncssh.SSHServerConnection | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._reason = "client"
        self.instance_id = ""
        self.open_sessions = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember the transport."""
        self._conn = conn

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._watcher is not None:
            self._watcher.cancel()
            self._endpoints.ssh_connections -= 1
            self.note("close", reason=self._reason)
        self._gateway.connections.discard(self)

    def abort(self) -> None:
        """Cut the connection."""
        if self._conn is not None:
            self._conn.abort()

    def note(self, event: str, status: int = 200, user: str | None = None, **more: Any) -> None:
        """Enter something that happened into the journal."""
        body = json.dumps({"event": event, "connection": self._number, **more}).encode()
        call = _call(self.instance_id if user is None else user, body)
        self._journal.open(call, self._world.clock.now())["status"] = status

    def count(self, difference: int) -> None:
        """Count the sessions that are open."""
        self._endpoints.ssh_sessions += difference

    def begin_auth(self, username: str) -> bool:
        """Ask everybody for a password, so that nothing tells which instances exist."""
        return True

    def password_auth_supported(self) -> bool:
        """Take passwords and nothing else."""
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Say whether a credential lets in now. Faults for ``SSH /{instanceId}`` may delay, refuse or cut a login."""
        action = self._world.faults.take(_call(username)) or {}
        await asyncio.sleep(self.platform.settings_now.ssh.delay + action.get("delay", 0))
        self._world.timelines.run(self._world.clock.now())
        if "reset" in action:
            self.abort()
            return False
        if "status" in action or not self.platform.ssh_login(username, password):
            self.note("refused", 401, username)
            return False
        self.instance_id = username
        self.note("login")
        self._gateway.connections.add(self)
        self._endpoints.ssh_connections += 1
        self._watcher = asyncio.create_task(self._watch())
        return True

    async def _watch(self) -> None:
        while (reason := self._why_end()) is None:
            await asyncio.sleep(WATCH_INTERVAL)
        self._reason = reason
        if self._conn is not None:
            self._conn.disconnect(asyncssh.DISC_BY_APPLICATION, f"Session closed: {reason}")

    def _why_end(self) -> str | None:
        if self._world.cycle is not self.platform:
            return "reset"
        self._world.timelines.run(self._world.clock.now())
        if not self.platform.running(self.instance_id):
            return "instance not running"
        if self.platform.settings_now.ssh.close_on_expire and not self.platform.ssh_token_valid(self.instance_id):
            return "credentials expired"
        return None

    def session_requested(self) -> Session | bool:
        """Open another session on the connection, unless it has as many as it takes."""
        most = self.platform.settings_now.ssh.sessions
        if most and self.open_sessions >= most:
            self.note("session", 403)
            return False
        self.open_sessions += 1
        return Session(self, self._gateway.directory(self.instance_id), self._world.toolbox)


class Session(asyncssh.SSHServerProcess[bytes]):
    """One channel: a shell, a command, or the transfer of files."""

    def __init__(self, connection: Connection, home: Path, tools: Toolbox) -> None:
        """Wait for the client to say what it is to be."""
        super().__init__(
            self._run, lambda channel: Files(cast("asyncssh.SSHServerChannel[bytes]", channel), home), 3, True
        )
        self._connection = connection
        self._home = home
        self._tools = tools
        self._leader: int | None = None
        # Signals that arrived before the process was there.
        self._early: list[int] = []
        self._terminal: int | None = None
        self._open = False

    def exec_requested(self, command: str) -> bool:
        """Say whether commands (scp is one) are served."""
        return self._served("exec", self._connection.platform.settings_now.ssh.exec)

    def subsystem_requested(self, subsystem: str) -> bool:
        """Say whether a subsystem is served; there is none but SFTP."""
        return subsystem == "sftp" and self._served("sftp", self._connection.platform.settings_now.ssh.sftp)

    def _served(self, kind: str, served: bool) -> bool:
        if not served:
            self._connection.note(kind, 403)
        return served

    def session_started(self) -> None:
        """Note what begins, and begin."""
        self._open = True
        self._connection.count(1)
        self._connection.note(self.subsystem or ("shell" if self.command is None else "exec"))
        super().session_started()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the channel."""
        self._connection.open_sessions -= 1
        if self._open:
            self._connection.count(-1)
        super().connection_lost(exc)

    def signal_received(self, signal: str) -> None:
        """Pass a signal on to the processes of the session."""
        number = _signal_number(signal)
        if number is None:
            return
        if self._leader is None:
            self._early.append(number)
            return
        with suppress(OSError):
            os.killpg(self._leader, number)

    def break_received(self, msec: int) -> bool:
        """Refuse breaks."""
        return False

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Resize the terminal; the kernel tells who uses it."""
        if self._terminal is not None:
            places.resize(self._terminal, width, height)

    async def _run(self, _process: asyncssh.SSHServerProcess[bytes]) -> None:
        settings = self._connection.platform.settings_now.ssh
        await asyncio.sleep(settings.delay)
        if self.command is None:
            start = self._on_terminal(places.shell(settings.shell, self._path()))
        elif self.term_type is not None:
            start = self._on_terminal(["/bin/sh", "-c", self.command])
        else:
            start = self._on_pipes(["/bin/sh", "-c", self.command])
        child, stdin = await start
        self._leader = child.pid
        for number in self._early:
            with suppress(OSError):
                os.killpg(child.pid, number)
        feeding = asyncio.create_task(self._feed(stdin))
        try:
            await places.either(child.wait(), self.channel.wait_closed())
        finally:
            feeding.cancel()
            self._leader = None
            places.hang_up(child.pid)
            stdin.close()
            if self._terminal is not None:
                os.close(self._terminal)
                self._terminal = None
        if not self.is_closing():
            # What was written before the end is still on its way.
            await self.stdout.drain()
            await self.stderr.drain()
            self._tell(await child.wait())

    async def _feed(self, stdin: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await self.stdin.read(PORTION):
                stdin.write(data)
                await stdin.drain()
            if self._terminal is None:
                stdin.close()
            # A client that asked for no terminal cannot press Ctrl-D; a shell that is busy does not see the first one.
            while self._terminal is not None and self.term_type is None:
                stdin.write(END_OF_TRANSMISSION)
                await asyncio.sleep(PRESS_INTERVAL)

    async def _on_pipes(self, command: list[str]) -> tuple[asyncio.subprocess.Process, asyncio.StreamWriter]:
        (from_stdout, stdout), (from_stderr, stderr) = os.pipe(), os.pipe()
        try:
            # Without send_eof=False, the end of one output would close the other.
            await self.redirect(stdout=from_stdout, stderr=from_stderr, send_eof=False)
            child = await self._spawn(command, asyncio.subprocess.PIPE, stdout, stderr)
        finally:
            os.close(stdout)
            os.close(stderr)
        assert child.stdin is not None
        return child, child.stdin

    async def _on_terminal(self, command: list[str]) -> tuple[asyncio.subprocess.Process, asyncio.StreamWriter]:
        # As long as the end of the processes is open here as well, nothing that they wrote is lost.
        master, self._terminal = os.openpty()
        width, height = self.term_size[:2]
        places.resize(self._terminal, width or places.COLUMNS, height or places.LINES)
        stdin = await places.writer(os.dup(master))
        await self.redirect(stdout=master, send_eof=False)
        nothing = asyncio.subprocess.DEVNULL
        child = await self._spawn(
            [*places.ON_TERMINAL, os.ttyname(self._terminal), *command], nothing, nothing, nothing
        )
        return child, stdin

    async def _spawn(self, command: list[str], stdin: int, stdout: int, stderr: int) -> asyncio.subprocess.Process:
        return await places.spawn(command, self._home, self._environment(), None, stdin, stdout, stderr)

    def _environment(self) -> dict[str, str]:
        terminal = {} if self.command is not None and self.term_type is None else {"TERM": self.term_type or "xterm"}
        return {
            "CYCLE_INSTANCE_ID": self._connection.instance_id,
            "PATH": self._path(),
            **terminal,
        }

    def _path(self) -> str:
        return self._tools.path(self._connection.platform.settings_now.ssh.tools)

    def _tell(self, returned: int) -> None:
        """Tell the client how the process ended."""
        if returned < 0:
            name = signal.Signals(-returned).name.removeprefix("SIG")
            self._connection.note("exit", signal=name)
            self.exit_with_signal(name)
        else:
            self._connection.note("exit", exit_status=returned)
            self.exit(returned)


def _signal_number(name: str) -> int | None:
    number = getattr(signal, f"SIG{name}", None)
    return number if isinstance(number, signal.Signals) else None


class Files(asyncssh.SFTPServer):
    """Files of one directory, under the paths that a shell of the instance sees."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], home: Path) -> None:
        """Serve a directory; relative paths start in it."""
        super().__init__(channel)
        self._directory = os.fsencode(home)

    def map_path(self, path: bytes) -> bytes:
        """Return the path meant. Raises SFTPPermissionDenied outside of the directory, and for links that lead out."""
        full = os.path.normpath(os.path.join(self._directory, path))
        if full == os.path.dirname(self._directory):
            # Listings have the directory above; this one is its own, like a root.
            return self._directory
        if os.path.commonpath([self._directory, os.path.realpath(full)]) != self._directory:
            raise asyncssh.SFTPPermissionDenied("not below the working directory of the instance")
        return full

    def exit(self) -> None:
        """Tell the client that all went well; scp of OpenSSH wants to hear it."""
        self.channel.exit(0)


def describe(world: World, _call: Call, _body: Any) -> Record:
    """Answer ``GET /_sim/ssh``: the public host key, and how many connections and sessions are open."""
    known = world.endpoints
    return {"host_key": known.ssh_host_key, "connections": known.ssh_connections, "sessions": known.ssh_sessions}


@asynccontextmanager
async def listening(world: World, host: str, port: int) -> AsyncIterator[int]:
    """Serve the gateway; give its port. Raises OSError."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    world.endpoints.ssh_host_key = key.export_public_key().decode().strip()
    gateway = Gateway(world)
    acceptor = await asyncssh.listen(
        host,
        port,
        server_factory=lambda: Connection(gateway),
        server_host_keys=[key],
        server_version="paas_simulator",
        encoding=None,
        line_editor=False,
        password_auth=True,
        public_key_auth=False,
        kbdint_auth=False,
        gss_host=None,
        agent_forwarding=False,
    )
    try:
        yield int(acceptor.sockets[0].getsockname()[1])
    finally:
        acceptor.close()
        gateway.end()
