# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo`: builds and installs the collection, starts the simulator, runs the tour, shows the inventories as a
graph, runs a play in every container, writes the report of the estate, stops what it started, and says where the report
lies.

With NORTHFLANK_API_TOKEN, NF_API_TOKEN or CYCLE_API_KEY set, no simulator is started: tour, graph and report read the
real platform, and nothing goes into its containers.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

from tools import environments, interpreters, paths, processes, tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FOLDER = paths.CACHE / "demo"
COLLECTIONS = FOLDER / "collections"
TOUR = "quayside.paas.tour"
PLAY = "quayside.paas.hosts"
REPORT = "quayside.paas.estate_report"
REPORT_FOLDER = FOLDER / "report"
# The platforms with the variables that hold a token for them.
TOKENS = {"northflank": ("NORTHFLANK_API_TOKEN", "NF_API_TOKEN"), "cycle": ("CYCLE_API_KEY",)}
START_SECONDS = 20.0  # until the simulator listens


def main() -> int:
    """Run the demo. Returns the playbook's exit code; raises CalledProcessError when something cannot be prepared."""
    pair = interpreters.newest_pair(interpreters.find_interpreters())
    if pair is None:
        print("no usable Python was found", file=sys.stderr)
        return 1
    tree.sync(paths.tree("demo"))
    environments.prepare_home()
    bin_folder = environments.demo_environment(pair)
    variables = demo_variables(bin_folder)
    install(bin_folder, variables)
    if platforms_of(variables):
        print("a token is set: reading the real platform", flush=True)
        code = (
            run(bin_folder, variables, "ansible-playbook", TOUR)
            or show_graph(bin_folder, variables)
            or write_report(bin_folder, variables)
        )
    else:
        with simulator(bin_folder, variables) as access:
            everything = variables | access
            code = (
                run(bin_folder, everything, "ansible-playbook", TOUR)
                or show_graph(bin_folder, everything)
                or run(bin_folder, everything, "ansible-playbook", *inventories(everything), PLAY)
                or write_report(bin_folder, everything, now=simulated_now(access["NORTHFLANK_API_BASE_URL"]))
            )
    if not code:
        print(f"\nThe report of the estate: {REPORT_FOLDER / 'estate.html'}", flush=True)
    return code


def platforms_of(variables: Mapping[str, str]) -> list[str]:
    """The platforms for which there is a token."""
    return [platform for platform, names in TOKENS.items() if any(variables.get(name) for name in names)]


def inventories(variables: Mapping[str, str]) -> list[str]:
    """Write an inventory file for each platform there is a token for. Returns arguments that name them."""
    names = []
    for platform in platforms_of(variables):
        file = FOLDER / f"demo.{platform}.yml"
        file.write_text(f"plugin: quayside.paas.{platform}\n", encoding="utf-8")
        names += ["-i", file.name]
    return names


def show_graph(bin_folder: Path, variables: dict[str, str]) -> int:
    """Show the hosts of the inventories in their groups. Returns the exit code."""
    print("\nThe containers as hosts: ansible-inventory --graph", flush=True)
    return run(bin_folder, variables, "ansible-inventory", *inventories(variables), "--graph")


def write_report(bin_folder: Path, variables: dict[str, str], **facts: str) -> int:
    """Write the report of the estate. facts: variables of its role, without their prefix. Returns the exit code."""
    given = {f"estate_report_{name}": value for name, value in {"dest": str(REPORT_FOLDER), **facts}.items()}
    return run(bin_folder, variables, "ansible-playbook", REPORT, "--extra-vars", json.dumps(given))


def simulated_now(url: str) -> str:
    """The time on the simulator's own clock."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/_sim/clock", timeout=START_SECONDS) as answer:
        now: str = json.load(answer)["now"]
        return now


def demo_variables(bin_folder: Path) -> dict[str, str]:
    """Variables of the playbook: the installed collection only, readable results, and the platform's variables."""
    platform = environments.clean(os.environ, keep="(NORTHFLANK|NF|CYCLE)_.*")
    isolated = environments.session_variables(bin_folder, COLLECTIONS)
    del isolated["PYTHONPATH"]
    return (platform | isolated) | {
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_FORKS": "20",
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_PYTHON_INTERPRETER": "auto_silent",
        # The gateway of the simulator has a new host key each time it starts.
        "ANSIBLE_SSH_COMMON_ARGS": f"-o UserKnownHostsFile={shlex.quote(str(FOLDER / 'known_hosts'))}",
    }


def install(bin_folder: Path, variables: dict[str, str]) -> None:
    """Build the collection and install the archive, as a user would, below `.cache/demo`."""
    galaxy = [str(bin_folder / "ansible-galaxy"), "collection"]
    shutil.rmtree(FOLDER, ignore_errors=True)
    print("building and installing the collection", flush=True)
    build = [*galaxy, "build", "--output-path", str(FOLDER)]
    subprocess.run(build, cwd=paths.tree("demo"), env=variables, check=True, stdout=subprocess.DEVNULL)
    archives = [str(path) for path in FOLDER.glob("*.tar.gz")]
    fetch = [*galaxy, "install", "--offline", "--collections-path", str(COLLECTIONS), *archives]
    subprocess.run(fetch, cwd=FOLDER, env=variables, check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def simulator(bin_folder: Path, variables: dict[str, str]) -> Iterator[dict[str, str]]:
    """The simulator of the installed collection. Yields the variables that point the modules at it."""
    files = COLLECTIONS / "ansible_collections" / "quayside" / "paas" / "roles" / "simulator" / "files"
    own = variables | {"PYTHONPATH": str(files)}
    program = [str(bin_folder / "python"), "-m", "paas_simulator"]
    listed = subprocess.run([*program, "tokens"], env=own, check=True, capture_output=True, text=True)
    known = json.loads(listed.stdout)
    ready = FOLDER / "simulator.json"
    serve = [*program, "serve", "--host", "127.0.0.1", "--port", "0", "--ready-file", str(ready)]
    with (FOLDER / "simulator.log").open("wb") as log:
        process = processes.start([*serve, "--watch-pid", str(os.getpid())], own, FOLDER, log)
    try:
        running = wait_until_ready(process, ready)
        print(f"simulator: Northflank at {running['url']}, Cycle at {running['cycle']['url']}", flush=True)
        yield {
            "NORTHFLANK_API_BASE_URL": running["url"],
            "NORTHFLANK_API_TOKEN": known["tokens"]["demo"],
            "CYCLE_BASE_URL": running["cycle"]["url"],
            "CYCLE_API_KEY": known["cycle"]["keys"]["demo"],
            "CYCLE_HUB_ID": known["cycle"]["hub"],
        }
    finally:
        processes.stop(process)
        print("simulator stopped", flush=True)


def wait_until_ready(process: subprocess.Popen[bytes], ready: Path) -> dict[str, Any]:
    """What the simulator says of itself once it listens. Raises RuntimeError when it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if ready.is_file():
            found: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
            return found
        time.sleep(0.05)
    log = FOLDER / "simulator.log"
    raise RuntimeError(f"the simulator did not start, see {log}:\n{log.read_text(encoding='utf-8')[-2000:]}")


def run(bin_folder: Path, variables: dict[str, str], program: str, *arguments: str) -> int:
    """Run a program of Ansible. Returns its exit code."""
    process = processes.start([str(bin_folder / program), *arguments], variables, FOLDER)
    try:
        return processes.wait(process)
    finally:
        processes.stop(process)
