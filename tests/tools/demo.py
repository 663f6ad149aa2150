# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo`: builds and installs the collection, starts the simulator, runs the tour, and stops what it started.

With NORTHFLANK_API_TOKEN or NF_API_TOKEN set, the tour runs on the real platform and no simulator is started.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tools import environments, interpreters, paths, tree

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = paths.CACHE / "demo"
PLAYBOOK = "quayside.paas.tour"
TOKENS = ("NORTHFLANK_API_TOKEN", "NF_API_TOKEN")
START_SECONDS = 20.0  # until the simulator listens
MARK = "QUAYSIDE_PAAS_DEMO"  # in the environment of the playbook and of all that it starts
STOP_SECONDS = 10.0  # from a polite signal to SIGKILL


def main() -> int:
    """Run the demo. Returns the playbook's exit code; raises CalledProcessError when something cannot be prepared."""
    pair = interpreters.newest_pair(interpreters.find_interpreters())
    if pair is None:
        print("no usable Python was found", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    parent = os.getppid()
    tree.sync()
    environments.prepare_home()
    bin_folder = environments.demo_environment(pair)
    install(bin_folder)
    environment = demo_variables(bin_folder)
    if any(os.environ.get(name) for name in TOKENS):
        print("a token is set: running on the real platform", flush=True)
        return play(bin_folder, environment, parent)
    with simulator(bin_folder, environment) as access:
        return play(bin_folder, environment | access, parent)


def interrupt(_number: int, _frame: object) -> None:
    """Treat a signal like Ctrl-C."""
    raise KeyboardInterrupt


def demo_variables(bin_folder: Path) -> dict[str, str]:
    """Variables of the playbook: the installed collection only, readable results, and the platform's variables."""
    platform = environments.clean(os.environ, keep="(NORTHFLANK|NF)_.*")
    isolated = environments.session_environment(bin_folder)
    del isolated["PYTHONPATH"]
    return (platform | isolated) | {
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_COLLECTIONS_PATH": str(FOLDER / "collections"),
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }


def install(bin_folder: Path) -> None:
    """Build the collection and install the archive, as a user would, below `.cache/demo`."""
    galaxy = [str(bin_folder / "ansible-galaxy"), "collection"]
    environment = demo_variables(bin_folder)
    shutil.rmtree(FOLDER, ignore_errors=True)
    print("building and installing the collection", flush=True)
    build = [*galaxy, "build", "--output-path", str(FOLDER)]
    subprocess.run(build, cwd=paths.TREE, env=environment, check=True, stdout=subprocess.DEVNULL)
    archives = [str(path) for path in FOLDER.glob("*.tar.gz")]
    fetch = [*galaxy, "install", "--offline", "--collections-path", str(FOLDER / "collections"), *archives]
    subprocess.run(fetch, cwd=FOLDER, env=environment, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def simulator(bin_folder: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The simulator of the installed collection. Yields the variables that point the modules at it."""
    collection = FOLDER / "collections" / "ansible_collections" / "quayside" / "paas"
    ready = FOLDER / "simulator.json"
    command = [str(bin_folder / "python"), "-m", "paas_simulator", "serve", "--host", "127.0.0.1", "--port", "0"]
    command += ["--ready-file", str(ready), "--watch-pid", str(os.getpid())]
    own = environment | {"PYTHONPATH": str(collection / "roles" / "simulator" / "files")}
    with (FOLDER / "simulator.log").open("wb") as log:
        process = subprocess.Popen(command, env=own, stdout=log, stderr=log)
    try:
        url = wait_until_ready(process, ready)
        print(f"simulator: {url}", flush=True)
        yield {"NORTHFLANK_API_BASE_URL": url, "NORTHFLANK_API_TOKEN": demo_token(bin_folder, own)}
    finally:
        stop(process)
        print("simulator stopped", flush=True)


def demo_token(bin_folder: Path, environment: dict[str, str]) -> str:
    """The token of the simulator's estate that may read everything. Raises CalledProcessError."""
    command = [str(bin_folder / "python"), "-m", "paas_simulator", "tokens"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return str(json.loads(done.stdout)["tokens"]["demo"])


def wait_until_ready(process: subprocess.Popen[bytes], ready: Path) -> str:
    """The address of the simulator, once it listens. Raises RuntimeError when it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if ready.is_file():
            return str(json.loads(ready.read_text(encoding="utf-8"))["url"])
        time.sleep(0.05)
    log = FOLDER / "simulator.log"
    raise RuntimeError(f"the simulator did not start, see {log}:\n{log.read_text(encoding='utf-8')[-2000:]}")


def play(bin_folder: Path, environment: dict[str, str], parent: int) -> int:
    """Run the tour. Returns its exit code. Raises KeyboardInterrupt when the parent process (make) is gone."""
    command = [str(bin_folder / "ansible-playbook"), PLAYBOOK]
    process = subprocess.Popen(command, env=environment | {MARK: str(os.getpid())}, cwd=FOLDER)
    try:
        while process.poll() is None:
            if os.getppid() != parent:
                raise KeyboardInterrupt
            time.sleep(0.1)
        return process.returncode
    finally:
        stop(process)
        sweep(f"{MARK}={os.getpid()}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process: SIGINT, then SIGTERM, then SIGKILL. Further signals to this process wait until it is done."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS / 2)


def sweep(mark: str) -> None:
    """Kill what is left of the playbook: its workers have sessions of their own and may outlive it.

    mark: NAME=VALUE that their environments hold. Does nothing where there is no /proc.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
