# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where commands run: directories of this machine that play containers, and the processes in them.

A place is a directory of its own, home and working directory of real processes of this machine.
"""

from __future__ import annotations

import asyncio
import fcntl
import grp
import os
import pwd
import shutil
import signal
import struct
import sys
import tempfile
import termios
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LINES, COLUMNS = 24, 80
# Processes of a session that has ended may tidy up for so long, in seconds.
HANG_UP = 0.3
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TOOLS = ("all", "posix")
# The first process of a session opens the terminal, which thereby becomes the one that controls it.
ON_TERMINAL = ("/bin/sh", "-c", 'exec "$@" <>"$0" >&0 2>&0')


def _processes() -> Iterator[int]:
    with suppress(OSError):
        yield from (int(name) for name in os.listdir("/proc") if name.isdigit())


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _signal_session(session: int, number: int) -> None:
    """Signal every process of a session; shells put their jobs into groups of their own."""
    for pid in {session, *_processes()}:
        if _session_of(pid) == session:
            with suppress(OSError):
                os.kill(pid, number)


def hang_up(session: int) -> None:
    """Do to a session what the end of a terminal does, and a little later what nothing survives."""
    _signal_session(session, signal.SIGHUP)
    asyncio.get_running_loop().call_later(HANG_UP, _signal_session, session, signal.SIGKILL)


def _at_home(pid: int, home: Path) -> bool:
    """Say whether a process works below a directory or was started with a home below it."""
    with suppress(OSError):
        if Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(home):
            return True
    with suppress(OSError):
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        homes = [Path(os.fsdecode(each[5:])) for each in variables if each.startswith(b"HOME=")]
        return any(each.is_relative_to(home) for each in homes)
    return False


def clear_out(home: Path) -> None:
    """End every process of a directory, those that left their session too, and remove it."""
    for _attempt in range(10):
        found = [pid for pid in _processes() if pid != os.getpid() and _at_home(pid, home)]
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            break
    shutil.rmtree(home, ignore_errors=True)


class Places:
    """The places of one platform: kept from session to session, gone with the platform they belong to."""

    def __init__(self, prefix: str, shared: bool = False) -> None:
        """Make nothing yet. ``shared``: every user of the machine may write in a place, not only the simulator's."""
        self._prefix = prefix
        self._modes = (0o711, 0o777) if shared else (0o700, 0o700)
        self._owner: object = None
        self._home: Path | None = None

    def directory(self, owner: object, name: str) -> Path:
        """Return the directory of a place of a platform; those of the platform before it (a reset) are removed."""
        if self._owner is not owner:
            self.clear()
            self._owner = owner
        if self._home is None:
            self._home = Path(os.path.realpath(tempfile.mkdtemp(prefix=self._prefix)))
            self._home.chmod(self._modes[0])
        directory = self._home / name
        if not directory.exists():
            directory.mkdir()
            directory.chmod(self._modes[1])
        return directory

    def remove(self, name: str) -> None:
        """Remove a place and what runs in it."""
        if self._home is not None:
            clear_out(self._home / name)

    def clear(self) -> None:
        """Remove all places and what runs in them."""
        if self._home is not None:
            clear_out(self._home)
            self._home = None


class Toolbox:
    """What commands find in their path: all there is here, or links to a POSIX shell and to Python only."""

    def __init__(self) -> None:
        self._links: Path | None = None

    def path(self, tools: str) -> str:
        """Return the PATH for ``all`` or ``posix``."""
        if tools == "posix":
            return str(self._folder())
        # Containers with Python have it in their path; here that of the simulator has to do.
        return f"{SYSTEM_PATH}:{Path(sys.executable).parent}"

    def _folder(self) -> Path:
        if self._links is None:
            self._links = Path(tempfile.mkdtemp(prefix="paas-simulator-tools-"))
            self._links.chmod(0o755)
            (self._links / "sh").symlink_to("/bin/sh")
            # The simulator's own Python may be where only its user can reach it.
            found = shutil.which("python3", path=SYSTEM_PATH) or sys.executable
            (self._links / "python3").symlink_to(os.path.realpath(found))
        return self._links

    def clear(self) -> None:
        """Remove the links."""
        if self._links is not None:
            shutil.rmtree(self._links, ignore_errors=True)
            self._links = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Another user than the simulator's own, with its group."""

    user: int
    group: int

    def options(self) -> dict[str, Any]:
        """Return what a process is started with to be that user's."""
        return {"user": self.user, "group": self.group, "extra_groups": []}

    def home(self, place: Path) -> Path:
        """Return the user's home in a place."""
        home = place / "home" / str(self.user)
        if not home.exists():
            home.parent.mkdir(mode=0o755, exist_ok=True)
            home.mkdir(mode=0o700)
            os.chown(home, self.user, self.group)
        return home


def _account(value: str | int, kind: str, find: Callable[[str], int]) -> int:
    if isinstance(value, int) or value.isdecimal():
        return int(value)
    try:
        return find(value)
    except KeyError:
        raise ValueError(f"unable to find {kind} {value}") from None


def identity(user: str | int | None, group: str | int | None) -> Identity | None:
    """Return who a command is to run as, given names or numbers; None for the simulator's own user.

    Raises ValueError for names that are not known, and unless the simulator runs as root for everybody else.
    """
    own = os.geteuid(), os.getegid()
    uid = own[0] if user is None else _account(user, "user", lambda name: pwd.getpwnam(name).pw_uid)
    gid = _primary(uid, own) if group is None else _account(group, "group", lambda name: grp.getgrnam(name).gr_gid)
    if (uid, gid) == own:
        return None
    if own[0] != 0:
        raise ValueError(f"the simulator does not run as root: commands run as user {own[0]} with group {own[1]} only")
    return Identity(uid, gid)


def _primary(uid: int, own: tuple[int, int]) -> int:
    """Return the group of a user; one that nobody knows has the simulator's."""
    if uid == own[0]:
        return own[1]
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_gid
    return own[1]


async def spawn(
    command: list[str], place: Path, environment: dict[str, str], who: Identity | None, *files: int
) -> asyncio.subprocess.Process:
    """Start the first process of a session in a place; ``files``: its input, output, errors. Raises OSError."""
    stdin, stdout, stderr = files
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=place,
        env={"HOME": str(place if who is None else who.home(place)), **environment},
        start_new_session=True,
        **({} if who is None else who.options()),
    )


def find(name: str, path: str) -> str | None:
    """Return where a program is."""
    return shutil.which(name, path=path)


def shell(name: str, path: str = SYSTEM_PATH) -> list[str]:
    """Return the command of an interactive shell; bash falls back to what every system has."""
    found = shutil.which(name, path=path)
    if found is None or name == "sh":
        return [found or "/bin/sh", "-i"]
    return [found, "--norc", "--noprofile", "-i"]


def resize(terminal: int, columns: int, lines: int) -> None:
    """Give a terminal a size; the kernel tells who uses it."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


async def writer(descriptor: int) -> asyncio.StreamWriter:
    """Return what writes to a file descriptor, which it closes in the end."""
    loop = asyncio.get_running_loop()
    file = os.fdopen(descriptor, "wb", buffering=0)
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), file
    )
    return asyncio.StreamWriter(transport, protocol, None, loop)


async def reader(descriptor: int) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    """Return what reads from a file descriptor, and what closes that."""
    loop = asyncio.get_running_loop()
    found = asyncio.StreamReader()
    file = os.fdopen(descriptor, "rb", buffering=0)
    transport, _protocol = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(found), file)
    return found, transport


async def either(*waited: Awaitable[Any]) -> None:
    """Wait for the first of several to be done."""
    tasks = [asyncio.ensure_future(each) for each in waited]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
