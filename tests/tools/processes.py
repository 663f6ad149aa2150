# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts programs that are stopped for certain: each in a process group of its own, and marked in its environment."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MARK = "QUAYSIDE_PAAS_RUN"
STOP_SECONDS = 5.0  # between a polite signal and the next one
POLL_SECONDS = 0.1
PARENT = os.getppid()


def start(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, output: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Start a program. output: a file for what it prints, instead of this process's own output."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**environment, MARK: str(os.getpid())},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        process_group=0,
    )


def wait(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a program. Raises KeyboardInterrupt when the parent of this process (make) is gone."""
    while process.poll() is None:
        pause()
    return process.returncode


def pause() -> None:
    """Sleep between two looks at programs. Raises KeyboardInterrupt when the parent of this process (make) is gone."""
    if os.getppid() != PARENT:
        raise KeyboardInterrupt
    time.sleep(POLL_SECONDS)


def processor_seconds(process: subprocess.Popen[bytes]) -> float | None:
    """Return the processor time that an ended program and its children used, or None while it runs.

    Sets `process.returncode`. Children that nobody waited for are not counted.
    """
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if not pid:
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a program and its process group: SIGINT, then SIGTERM, then SIGKILL."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def sweep() -> None:
    """Kill what is left of the started programs: Ansible's workers have sessions of their own and may outlive them.

    Finds them by the mark in their environment. Does nothing where there is no /proc.
    """
    mark = f"{MARK}={os.getpid()}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)


def treat_signals_as_interrupt() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt.

    SIGHUP stays ignored under nohup. SIGINT is ignored in a program that a shell starts in the background; a handler
    also makes it work again in the programs started from here.
    """

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, interrupt)


def ignore_signals() -> None:
    """Let nothing interrupt the clearing up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
