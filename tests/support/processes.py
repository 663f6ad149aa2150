# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that inherit nothing of how the suites were started, and that end with the test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import Any

# Signals that a shell or nohup may have set to be ignored, which programs inherit.
SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM)


def start(command: list[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a program as a process group of its own, with default signals and umask.

    Args:
        command: The command line.
        options: Of subprocess.Popen; the standard input is empty unless it is among them.
    """
    given = {"stdin": subprocess.DEVNULL, "start_new_session": True, "umask": 0o022, **options}
    return subprocess.Popen(command, preexec_fn=_restore_signals, **given)


def kill_group(process: subprocess.Popen[Any]) -> None:
    """Kill a process that start() has started, and its group, and wait for it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _restore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
