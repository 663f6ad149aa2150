# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Masters of OpenSSH: background processes that hold a connection for later sessions (ControlPersist).

A lock file beside the control sockets keeps the processes of all runs from logging in to an instance at the same time.
It also remembers what the first of them has found out about the gateway.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import tempfile
import typing as t

Notes = dict[str, str]

# Sessions never connect by themselves. Without a master, or with one that takes no more sessions, ssh runs NO_PROXY in
# place of a connection, which prints NO_SESSION: nothing has run then. The text of the command differs from what it
# prints, because ssh may show its arguments. The shell is there because ssh ends its child when stdout is closed.
NO_SESSION = "quayside.paas.cycle_ssh: no session"
NO_PROXY = """sh -c 'echo quayside.paas.cycle_ssh: "no session" >&2; exit 1'"""
PROBE = "echo quayside-7; exit 7"
PROBE_CODE, PROBE_OUTPUT = 7, b"quayside-7"


@contextlib.contextmanager
def locked(path: str) -> t.Iterator[Notes]:
    """Hold the lock on a file, which is created if there is none.

    Yields:
        The notes in the file. Changes to them are written back.

    Raises:
        OSError: The file cannot be used.
    """
    with open(path, "a+", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        notes = _parse(text)
        yield notes
        if json.dumps(notes) != text:
            file.truncate(0)
            file.write(json.dumps(notes))


def _parse(text: str) -> Notes:
    """Return notes; none if the process that wrote them was killed."""
    with contextlib.suppress(ValueError):
        return t.cast("Notes", json.loads(text))
    return {}


def is_live(ssh: str, control_path: str, timeout: float) -> bool:
    """Return whether a master listens at a path. `ssh` is the program."""
    command = [ssh, "-F", "none", "-O", "check", "-o", f'ControlPath="{control_path}"', "master"]
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
        return done.returncode == 0
    return False


def start(command: t.Sequence[bytes], environment: t.Mapping[str, str], timeout: float) -> str | None:
    """Start a master.

    Args:
        command: An ssh that goes to the background after the login (-f).
        timeout: Seconds for the login.

    Returns:
        None after the login, else what ssh wrote.
    """
    # Not a pipe: a master that writes debugging messages keeps its standard error open.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"it took longer than {timeout:g} seconds"
        output.seek(0)
        return None if code == 0 else last_words(output.read().decode(errors="replace"))


def last_words(output: str) -> str:
    """Return what matters of the output of ssh, without its debugging messages, warnings and line breaks."""
    lines = [line.strip() for line in output.splitlines()]
    kept = [line for line in lines if line and not re.match(r"debug\d: |Warning: |OpenSSH_|@+$", line)]
    return " ".join(kept[-6:])


def serves_commands(command: t.Sequence[bytes], timeout: float) -> bool | None:
    """Return whether a gateway runs commands, or has only an interactive shell; None if no session began.

    Args:
        command: An ssh that runs PROBE through a master.
        timeout: Seconds to wait for a result.
    """
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return False
    if NO_SESSION.encode() in done.stderr:
        return None
    return done.returncode == PROBE_CODE and PROBE_OUTPUT in done.stdout
