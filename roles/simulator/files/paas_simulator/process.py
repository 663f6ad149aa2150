# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service as a background process: starting and stopping it.

The libraries that serving needs are not imported here: that takes half a second.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

READY_LIMIT = 60.0
STOP_LIMIT = 10.0
HEALTH_LIMIT = 30.0


class ProcessError(Exception):
    """The service did not start or stop."""


def process_identity(pid: int) -> str | None:
    """Return what tells a living process from a later one of the same id; None when it is gone or a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (OSError, ValueError):
        return str(pid)
    return None if state in "ZX" else f"{pid}:{fields[18]}"


def read_ready(path: Path) -> dict[str, Any] | None:
    """Return the content of a ready file, or None."""
    try:
        ready = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return ready if isinstance(ready, dict) and {"url", "pid", "port"} <= set(ready) else None


def healthy(ready: dict[str, Any] | None) -> bool:
    """Say whether the service of a ready file answers, and is the process the file names."""
    if ready is None or process_identity(ready["pid"]) is None:
        return False
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{ready['url']}/_sim/health", timeout=HEALTH_LIMIT) as answer:
            return bool(json.load(answer)["pid"] == ready["pid"])
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return False


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Keep two starts or stops of one ready file from running at once."""
    with path.with_name(path.name + ".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _command(options: Namespace) -> list[str]:
    command = [sys.executable, "-m", __package__, "serve", "--ready-file", str(options.ready_file)]
    for name in ("host", "port", "cycle_port", "ssh_port", "estate", "watch_pid", "lifetime"):
        if getattr(options, name):
            command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    return command


def _launch(options: Namespace) -> dict[str, Any]:
    options.ready_file.unlink(missing_ok=True)
    options.log_file.parent.mkdir(parents=True, exist_ok=True)
    package_home = str(Path(__file__).resolve().parent.parent)
    environment = {**os.environ, "PYTHONPATH": package_home}
    with options.log_file.open("ab") as log:
        child = subprocess.Popen(
            _command(options),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_LIMIT
    while time.monotonic() < deadline and child.poll() is None:
        ready = read_ready(options.ready_file)
        if ready is not None and ready["pid"] == child.pid:
            child.returncode = 0  # It is to outlive this process: no warning about that.
            return ready
        time.sleep(0.02)
    if child.poll() is None:
        child.kill()
        child.wait()
    tail = options.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
    raise ProcessError("the service did not start: " + (" | ".join(tail) or f"see {options.log_file}"))


def start(options: Namespace) -> int:
    """Start the service in the background unless it runs, print its ready data. Raises ProcessError."""
    options.ready_file = options.ready_file.absolute()
    options.log_file = (options.log_file or options.ready_file.with_suffix(".log")).absolute()
    options.estate = options.estate and options.estate.absolute()
    options.ready_file.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(options.ready_file):
        ready = read_ready(options.ready_file)
        started = not healthy(ready)
        if ready is None or started:
            ready = _launch(options)
    print(json.dumps({**ready, "started": started}))
    return 0


def _end(pid: int) -> None:
    identity = process_identity(pid)
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + STOP_LIMIT
        while time.monotonic() < deadline:
            if process_identity(pid) != identity:
                return
            time.sleep(0.02)
    raise ProcessError(f"process {pid} does not end")


def stop(options: Namespace) -> int:
    """Stop the service of a ready file, print whether there was one. Raises ProcessError."""
    path: Path = options.ready_file
    ready = read_ready(path)
    if ready is None:
        print(json.dumps({"stopped": False}))
        return 0
    with _only_one(path):
        running = healthy(ready)
        if running:
            _end(ready["pid"])
        path.unlink(missing_ok=True)
    print(json.dumps({"stopped": running}))
    return 0
