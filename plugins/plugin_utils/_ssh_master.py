# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Masters of OpenSSH: logging in with a password so that one stays in the background, watching and ending it."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import signal
import subprocess
import sys
import time
import typing as t

INTERVAL = 0.02  # seconds between two looks at a process that will soon be done
# What becomes ssh. The terminal in its first argument is made the one that controls it: ssh asks there for passwords. A
# command on the way (ProxyCommand) has to outlive that terminal together with the master.
ON_TERMINAL = (
    "import fcntl, os, signal, sys, termios\n"
    "terminal = int(sys.argv[1])\n"
    "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    "fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)\n"
    "os.close(terminal)\n"
    "try:\n"
    "    os.execvp(sys.argv[2], sys.argv[2:])\n"
    "except OSError as error:\n"
    "    sys.exit(f'{sys.argv[2]}: {error.strerror}')\n"
)
PROBE = "quayside-7"  # what the probe prints, and the exit code at its end


class Ended(t.NamedTuple):
    """How a command of OpenSSH ended. code: 255 also for one that had to be stopped. told: its stderr."""

    code: int
    told: str


class Process:
    """A process that is no child of this one, by its id. Ids are used again, descriptors of processes are not."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.descriptor: int | None = None
        self._is_gone = False
        try:
            self.descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            self._is_gone = True
        except (AttributeError, OSError):
            pass  # not on this system

    def is_running(self) -> bool:
        """Whether it has not ended."""
        descriptor = self.descriptor
        if not self._is_gone:
            self._is_gone = not _exists(self.pid) if descriptor is None else _is_readable(descriptor)
        return not self._is_gone

    def signal(self, number: int) -> None:
        """Sends a signal, if the process is still there."""
        if not self.is_running():
            return
        with contextlib.suppress(OSError):
            if self.descriptor is not None:
                signal.pidfd_send_signal(self.descriptor, number)
            else:
                os.kill(self.pid, number)

    def close(self) -> None:
        """Forgets the process."""
        self._is_gone = True
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def _is_readable(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")  # it has ended, and nobody has asked how
    except OSError as error:
        return error.errno not in (errno.ESRCH, errno.EPERM)


def log_in(
    argv: t.Sequence[str],
    *,
    user: str,
    secret: str,
    folder: str,
    limit: float,
    environment: t.Mapping[str, str] | None = None,
    is_wanted: t.Callable[[], bool] = lambda: True,
) -> Ended:
    """Runs an ssh that goes to the background once it is logged in. Code 0: it is there.

    user: whose password is given away, on the terminal of the process alone. folder: where it is run. limit: seconds.
    is_wanted: whether to go on.
    """
    near, far = os.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-ISc", ON_TERMINAL, str(far), *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(far,),
            start_new_session=True,
            cwd=folder,
            env=environment,
        )
    except OSError as error:
        os.close(near)
        return Ended(255, f"{sys.executable}: {error.strerror}")
    finally:
        os.close(far)
    try:
        return _converse(process, near, user, secret, time.monotonic() + limit, is_wanted)
    finally:
        _end_group(process)
        os.close(near)


def _converse(
    process: subprocess.Popen[bytes],
    terminal: int,
    user: str,
    secret: str,
    until: float,
    is_wanted: t.Callable[[], bool],
) -> Ended:
    stderr = t.cast("t.BinaryIO", process.stderr)
    told, asked = bytearray(), bytearray()
    os.set_blocking(stderr.fileno(), False)
    os.set_blocking(terminal, False)
    with stderr:
        while True:
            code = process.poll()
            _read(stderr.fileno(), told)
            _read(terminal, asked)
            if code is not None:
                return Ended(code, _text(told, secret))
            if _is_password_asked(asked, user):
                asked.clear()
                os.write(terminal, secret.encode() + b"\n")
            if time.monotonic() > until or not is_wanted():
                question = _text(asked, secret).strip()
                more = f" ssh asked, and got no answer: {question}" if question else ""
                return Ended(255, f"{_text(told, secret)}\nThe login took too long and was given up.{more}")
            time.sleep(INTERVAL)


def _is_password_asked(asked: bytes | bytearray, user: str) -> bool:
    """Whether ssh is waiting for the password of a user, and not for that of a host on the way."""
    line = bytes(asked).replace(b"\r", b"\n").rstrip(b" ").rpartition(b"\n")[2]
    return line.endswith(b":") and b"assword" in line and f"{user}@".encode() in line


def _read(descriptor: int, into: bytearray) -> None:
    with contextlib.suppress(OSError):  # nothing to read; for a terminal also that nobody has it open any more
        while data := os.read(descriptor, 65536):
            into += data


def _text(data: bytes | bytearray, secret: str) -> str:
    return data.decode(errors="replace").replace(secret, "********")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends a process that has not ended by itself, and what it has started in its group."""
    if process.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def master_of(ssh: str, control_path: str) -> Process | None:
    """The master that listens at a path; None when there is none. ssh: the program."""
    try:
        answer = subprocess.run(
            [ssh, "-F", "none", "-O", "check", "-o", f"ControlPath={control_path}", "master"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(rb"pid=(\d+)", answer.stderr + answer.stdout)
    return Process(int(found[1])) if found and answer.returncode == 0 else None


def serves_commands(
    argv: t.Sequence[str], *, folder: str, limit: float, environment: t.Mapping[str, str] | None = None
) -> bool:
    """Whether a gateway runs commands and tells their exit codes, or has nothing but an interactive shell.

    argv: runs probe() in the container. limit: seconds after which it is the latter.
    """
    try:
        answer = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            cwd=folder,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return PROBE.encode() in answer.stdout and answer.returncode == 7


def probe() -> str:
    """The command of serves_commands()."""
    return f"echo {PROBE}; exit 7"


def last_words(told: str) -> str:
    """What a person needs of what ssh has written: without its debugging, its warnings, and line ends."""
    lines = [line.strip() for line in told.splitlines()]
    kept = [line for line in lines if line and not re.match(r"debug\d: |Warning: |OpenSSH_|@+$", line)]
    return " ".join(kept[-6:])
