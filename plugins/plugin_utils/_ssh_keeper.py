# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The way to the credential keeper of a run: the folder it has, starting it, talking to it.

There is one keeper for each run of ansible-playbook (or ansible, or ansible-console) that needs one. The first worker
that does starts it, as a process that belongs to no terminal and outlives the worker. What it does: _ssh_credentials.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import hashlib
import json
import multiprocessing
import os
import select
import shutil
import signal
import socket
import stat
import tempfile
import time
import typing as t
import warnings

from ansible_collections.quayside.paas.plugins.module_utils._errors import StateError

Message = dict[str, t.Any]
# What a keeper does: serves a listening socket, has a folder, until the process with an id has ended.
Serve = t.Callable[[socket.socket, str, int], None]

SOCKET = "keeper"
# Unix sockets have paths of at most 104 bytes (108 on Linux), the last one zero. ssh makes a socket under the name of
# the master's with 17 more characters.
PATH_MAX = 103 - len("/m99999") - 17
START_LIMIT = 10.0  # seconds


class Channel:
    """Messages in both directions over a socket, each a line of JSON."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = bytearray()

    def send(self, message: Message) -> None:
        """Sends a message. Raises OSError when the other side is gone."""
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, timeout: float | None = None) -> Message | None:
        """The next message; None when the other side is gone. Raises TimeoutError."""
        until = None if timeout is None else time.monotonic() + timeout
        while b"\n" not in self._received:
            self._socket.settimeout(None if until is None else max(0.001, until - time.monotonic()))
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise
            except OSError:
                return None
            finally:
                self._socket.settimeout(None)
            if not data:
                return None
            self._received += data
        line, _end, rest = bytes(self._received).partition(b"\n")
        self._received = bytearray(rest)
        return t.cast("Message", json.loads(line))

    def is_open(self) -> bool:
        """Whether the other side is still there. Only between messages."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if not poll.poll(0):
            return True
        with contextlib.suppress(OSError):
            return bool(self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        return False

    def close(self) -> None:
        """Ends the conversation."""
        self._socket.close()


def controller() -> int:
    """The id of the process that runs the play: the parent of a worker, or this one."""
    parent = multiprocessing.parent_process()
    return os.getpid() if parent is None or parent.pid is None else parent.pid


def find(preferred: str) -> Channel | None:
    """A channel to the keeper of this run, if there is one. preferred: see reach()."""
    for _parent, folder in _places(preferred, controller()):
        channel = _connect(folder)
        if channel is not None:
            return channel
    return None


def reach(preferred: str, load: t.Callable[[], Serve]) -> Channel:
    """A channel to the keeper of this run, which is started when there is none.

    preferred: the folder to make its own folder in. load: gives what a new keeper does. Raises StateError.
    """
    process = controller()
    folder = _folder(preferred, process)
    channel = _connect(folder)
    if channel is not None:
        return channel
    serve = load()
    try:
        with _locked(folder):
            channel = _connect(folder)
            if channel is None:
                _start(folder, process, serve)
                channel = _connect(folder)
    except OSError as error:
        raise StateError(f"The keeper of SSH credentials could not be started: {error.strerror}.") from None
    if channel is None:
        raise StateError("The keeper of SSH credentials could not be started: it ended at once. See the system's log.")
    return channel


def _connect(folder: str) -> Channel | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(os.path.join(folder, SOCKET))
    except OSError:
        connection.close()
        return None
    return Channel(connection)


def _places(preferred: str, process: int) -> list[tuple[str, str]]:
    """Where the keeper of a run may have its folder: below which other one, and its path."""
    name = f"qs-{_digest(os.uname().nodename, process, _started(process))}"
    temporary = [os.path.join(place, f"quayside-{os.getuid()}") for place in (tempfile.gettempdir(), "/tmp")]
    return [(parent, os.path.join(parent, name)) for parent in (preferred, *temporary)]


def _folder(preferred: str, process: int) -> str:
    """The folder of the keeper of a run, below the preferred one or, if that does not do, one for temporary files."""
    problems = []
    for parent, folder in _places(preferred, process):
        if len(os.fsencode(folder)) > PATH_MAX:
            most = PATH_MAX - len(os.path.basename(folder)) - 1
            problems.append(f"{parent} is longer than the {most} bytes that leave room for the names of sockets")
            continue
        try:
            os.makedirs(parent, 0o700, exist_ok=True)
            if parent != preferred:
                _make_private(parent)
            _make_private(folder)
        except OSError as error:
            problems.append(f"{parent}: {error.strerror}")
        else:
            return folder
    raise StateError(
        f"There is no folder for the sockets of SSH connections: {'; '.join(problems)}. Set control_path_dir to a"
        " folder with a short name that can be written to."
    )


def _make_private(folder: str) -> None:
    """Makes a folder that nobody else can use. Raises OSError also for one that somebody else can."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(1, "it is there already, and not private")


def _digest(*parts: t.Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:10]


def _started(process: int) -> str:
    """When a process was started, so that a later one with its id is told from it. Empty where that is not known."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


@contextlib.contextmanager
def _locked(folder: str) -> t.Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        until = time.monotonic() + START_LIMIT
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _start(folder: str, process: int, serve: Serve) -> None:
    """Starts a keeper. Its socket listens when this returns. Raises OSError."""
    path = os.path.join(folder, SOCKET)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(path)
        listener.listen(128)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about forking with threads: what they held is not used in the keeper
            child = os.fork()
        if child == 0:
            _become_keeper(listener, folder, process, serve)
        os.waitpid(child, 0)
    finally:
        listener.close()


def _become_keeper(listener: socket.socket, folder: str, process: int, serve: Serve) -> t.NoReturn:
    """The rest of the life of the keeper's process, from the fork on. Nothing of the worker is run in it."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        gc.freeze()  # what is left of the worker must not be tidied up here: its descriptors are others now
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM, signal.SIGUSR1):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        listener = _detached(listener)
        os.chdir("/")
        os.umask(0o077)
        serve(listener, folder, process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


def _detached(listener: socket.socket) -> socket.socket:
    """Closes all descriptors but that of a socket, which is given under a new one."""
    kept = os.dup2(listener.fileno(), 3, inheritable=False) if listener.fileno() != 3 else 3
    os.closerange(4, min(os.sysconf("SC_OPEN_MAX"), 65536))
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    if nothing > 2:
        os.close(nothing)
    return socket.socket(fileno=kept)
