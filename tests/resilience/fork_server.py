# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process that has imported the modules and forks for each run of one: starting Python takes longer than a run.

Time is simulated: where a module sleeps, the clock of the simulator advances instead, and so does the module's own.
A request comes over standard input, a socket, as one JSON object with the file descriptor for the module's output; the
response is the process id.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import time
import typing as t
import urllib.request

MODULES = ("addon_backup", "backup_restore", "container_info", "instance", "instance_console", "instance_info")
MODULES += ("instance_migration", "instance_ssh", "job_info", "server_evacuation", "template_run")
FOLDER = "ansible_collections.quayside.paas.plugins.modules"
MAX_REQUEST = 65536

_monotonic = time.monotonic
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
_slept = 0.0
_clock_url = ""


def main() -> None:
    """Serve requests until the socket is closed."""
    time.sleep, time.monotonic = sleep, monotonic  # before the import of the modules, which keep references
    modules = {name: importlib.import_module(f"{FOLDER}.{name}") for name in MODULES}
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no zombies
    with socket.socket(fileno=os.dup(0)) as requests:
        while True:
            data, descriptors, _flags, _address = socket.recv_fds(requests, MAX_REQUEST, 1)
            if not data:
                return
            (output,), request = descriptors, json.loads(data)
            child = os.fork()
            if not child:
                requests.close()
                run(modules[request["module"]], request, output)
            os.close(output)
            requests.sendall(str(child).encode())


def run(module: t.Any, request: dict[str, t.Any], output: int) -> t.NoReturn:
    """Run a module as Ansible's wrapper does, with its output to a file descriptor, and end the process."""
    global _clock_url
    from ansible.module_utils import basic

    for number in (1, 2):
        os.dup2(output, number)
    os.close(output)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(request["environment"])
    _clock_url = request["clock_url"]
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": request["arguments"]}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    with contextlib.suppress(SystemExit):
        module.main()
    sys.stdout.flush()
    os._exit(0)


def sleep(seconds: float) -> None:
    """Advance the simulator's clock, and this process's, instead of sleeping."""
    global _slept
    _slept += seconds
    body = json.dumps({"advance": seconds}).encode()
    with _open(urllib.request.Request(_clock_url, body, {"Content-Type": "application/json"}), timeout=600):
        pass


def monotonic() -> float:
    """Return the seconds of a clock that counts what was slept."""
    return _monotonic() + _slept


if __name__ == "__main__":
    main()
