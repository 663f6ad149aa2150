# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module as a process of its own, as Ansible starts it on a host, so that it can be killed. Its time is simulated."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from support.playbook import COLLECTIONS_PATH, environment
from support.settings import limit

if t.TYPE_CHECKING:
    from support.simulator import Simulator

Arguments = dict[str, t.Any]

# Options that make no test depend on the speed of the machine.
PATIENT: Arguments = {"timeout": 3600, "retry_budget": 86400, "wait_interval": 1}
SERVER = Path(__file__).with_name("fork_server.py")


@dataclasses.dataclass(frozen=True)
class ModuleProcess:
    """A module that runs. output: a pipe that ends with the process."""

    pid: int
    output: int

    def ended(self) -> bool:
        """Return whether the process has ended or is about to: it writes nothing before its result."""
        return bool(select.select([self.output], [], [], 0)[0])

    def kill(self) -> None:
        """Kill the process, which must not have ended, and wait for its end."""
        os.kill(self.pid, signal.SIGKILL)
        self._read()

    def result(self) -> dict[str, t.Any]:
        """Wait for the end of the process and return the result of the module."""
        output = self._read()
        found: dict[str, t.Any] = json.loads(output)
        return found

    def _read(self) -> bytes:
        parts, deadline = [], time.monotonic() + limit(30)
        while select.select([self.output], [], [], max(0.0, deadline - time.monotonic()))[0]:
            part = os.read(self.output, 65536)
            if not part:
                os.close(self.output)
                return b"".join(parts)
            parts.append(part)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"the module did not end; it has written {b''.join(parts)!r}")


def start(sim: Simulator, folder: Path, module: str, arguments: Arguments) -> ModuleProcess:
    """Start a module. The simulator's clock, which stands otherwise, advances where the module sleeps.

    Args:
        sim: The simulator that the arguments point to.
        folder: For temporary files.
        module: The short name of the module.
        arguments: Its options, and Ansible's own as `_ansible_check_mode`.
    """
    sim.clock(freeze=True)
    request = {
        "module": module,
        "arguments": arguments,
        "environment": environment(folder, PYTHONPATH=str(COLLECTIONS_PATH)),
        "clock_url": f"{sim.url}/_sim/clock",
    }
    reader, writer = os.pipe()
    server = fork_server()
    socket.send_fds(server, [json.dumps(request).encode()], [writer])
    os.close(writer)
    return ModuleProcess(int(server.recv(32)), reader)


def run(sim: Simulator, folder: Path, module: str, arguments: Arguments) -> dict[str, t.Any]:
    """Run a module to its end and return its result. Takes what `start` does."""
    return start(sim, folder, module, arguments).result()


@functools.cache
def fork_server() -> socket.socket:
    """Start the process that forks, once. It ends when this process does."""
    ours, theirs = socket.socketpair()
    with theirs:
        subprocess.Popen(
            [sys.executable, str(SERVER)], stdin=theirs, env={**os.environ, "PYTHONPATH": str(COLLECTIONS_PATH)}
        )
    return ours
