# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are stopped for certain."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from support.settings import wait_for
from tools import processes

# Writes its child's process id to a file, then both sleep. The child ignores polite signals.
FAMILY = """
import pathlib, subprocess, sys, time
child = "import signal, time; [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; time.sleep(600)"
process = subprocess.Popen([sys.executable, "-c", child], start_new_session=sys.argv[2] == "apart")
pathlib.Path(sys.argv[1]).write_text(str(process.pid))
time.sleep(600)
"""


def is_gone(pid: int) -> bool:
    """Return whether a process has ended."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return True


def child_of(note: Path) -> int:
    """Return the process id in a note, once it is there."""
    return int(wait_for(lambda: note.is_file() and note.read_text(encoding="utf-8"), "the child"))


def test_a_program_is_stopped_with_its_children(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FAMILY, str(tmp_path / "pid"), "together"]
    process = processes.start(command, os.environ, tmp_path)
    child = child_of(tmp_path / "pid")
    processes.stop(process)
    assert process.returncode != 0
    wait_for(lambda: is_gone(child), "the end of the child")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system has no /proc")
def test_what_left_the_group_is_swept_up(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FAMILY, str(tmp_path / "pid"), "apart"]
    process = processes.start(command, os.environ, tmp_path)
    child = child_of(tmp_path / "pid")
    processes.stop(process)
    os.kill(child, 0)  # still there
    processes.sweep()
    wait_for(lambda: is_gone(child), "the end of the child")


def test_the_exit_code_is_handed_on_and_the_output_goes_to_the_log(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        process = processes.start([sys.executable, "-c", "print('said'); exit(3)"], os.environ, tmp_path, log)
        assert processes.wait(process) == 3
    assert (tmp_path / "log").read_text(encoding="utf-8") == "said\n"


def test_the_processor_time_of_an_ended_program_includes_its_children(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}], check=True)"
    process = processes.start([sys.executable, "-c", parent], os.environ, tmp_path)
    while (used := processes.processor_seconds(process)) is None:
        processes.pause()
    assert process.returncode == 0
    assert used >= 0.3


def test_a_program_can_be_interrupted_although_this_one_was_started_in_the_background(tmp_path: Path) -> None:
    """Shells start programs in the background with SIGINT ignored."""
    program = f"""
import os, signal, sys, time
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from tools import processes
signal.signal(signal.SIGINT, signal.SIG_IGN)
processes.treat_signals_as_interrupt()
look = "import signal; print(signal.getsignal(signal.SIGINT))"
sys.exit(processes.wait(processes.start([sys.executable, "-c", look], os.environ, "/")))
"""
    with (tmp_path / "log").open("wb") as log:
        process = processes.start([sys.executable, "-c", program], os.environ, tmp_path, log)
        assert processes.wait(process) == 0
    assert "default_int_handler" in (tmp_path / "log").read_text(encoding="utf-8")
