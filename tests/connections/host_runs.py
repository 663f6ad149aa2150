# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user has: two inventory files and a play. Runs them against the simulator and watches for secrets."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from support import processes
from support.playbook import environment
from support.settings import limit, wait_for
from support.simulator import Simulator

NORTHFLANK = "plugin: quayside.paas.northflank\n"
CYCLE = "plugin: quayside.paas.cycle\n"
LONG = "sleep 3600; echo done"  # a command that takes longer than any test: what ends sooner was ended
# What every SSH secret of the simulator begins with.
SSH_SECRET = "SimSsh"
HANGS_AFTER = 120.0  # seconds on a fast machine
SHAPES: dict[str, dict[str, bool]] = {
    "exec and sftp": {"exec": True, "sftp": True},
    "exec only": {"exec": True, "sftp": False},
    "shell only": {"exec": False, "sftp": False},
}


@dataclasses.dataclass(frozen=True)
class Done:
    """A finished program. leaks: where a secret was seen while it ran."""

    code: int
    output: str
    leaks: set[str]

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """The closing lines of ansible-playbook by host."""
        found = re.findall(r"^(\S+)\s+: (ok=\d+.*)$", self.output, flags=re.MULTILINE)
        return {name: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", rest)} for name, rest in found}


@dataclasses.dataclass(frozen=True)
class User:
    """Somebody with two inventory files, and tokens in the environment. folder: where the files are."""

    folder: Path
    sim: Simulator

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may see."""
        return (self.sim.token, self.sim.cycle.key, SSH_SECRET)

    def variables(self, **more: str) -> dict[str, str]:
        """The environment: where the simulator is, tokens, and a file for its host key, which is new at each start."""
        found = environment(
            self.folder,
            NORTHFLANK_API_BASE_URL=self.sim.url,
            NORTHFLANK_API_TOKEN=self.sim.token,
            CYCLE_BASE_URL=self.sim.cycle.url,
            CYCLE_API_KEY=self.sim.cycle.key,
            CYCLE_HUB_ID=self.sim.cycle.hub,
            ANSIBLE_SSH_COMMON_ARGS=f"-o UserKnownHostsFile={self.folder / 'known_hosts'}",
            ANSIBLE_FORKS="20",
            # For connections and logins; the default is 10 seconds.
            ANSIBLE_TIMEOUT=str(int(limit(15))),
            **more,
        )
        # Containers have a place for temporary files of their own.
        del found["ANSIBLE_REMOTE_TEMP"]
        return found

    def command(self, program: str, *arguments: str) -> list[str]:
        """A command line with both inventories."""
        inventories = [word for name in ("my.northflank.yml", "my.cycle.yml") for word in ("-i", name)]
        return [str(Path(sys.executable).parent / program), *inventories, *arguments]

    def run(self, program: str, *arguments: str, **more: str) -> Done:
        """Runs a program of Ansible to its end. Raises subprocess.TimeoutExpired."""
        with watched(self.secrets) as leaks, self.started(program, *arguments, **more) as process:
            output, _nothing = process.communicate(timeout=limit(HANGS_AFTER))
        return Done(process.returncode, output, leaks)

    @contextlib.contextmanager
    def started(self, program: str, *arguments: str, **more: str) -> Iterator[subprocess.Popen[str]]:
        """Starts a program of Ansible as a process group of its own; kills all of it in the end."""
        process = processes.start(
            self.command(program, *arguments),
            cwd=self.folder,
            env=self.variables(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            yield process
        finally:
            processes.kill_group(process)

    def play(self, plays: list[dict[str, Any]], *arguments: str, **more: str) -> Done:
        """Runs a playbook to its end."""
        (self.folder / "play.yml").write_text(json.dumps(plays, indent=1), encoding="utf-8")
        return self.run("ansible-playbook", "play.yml", *arguments, **more)

    def files_with_secrets(self) -> list[str]:
        """The files below the folder, and in the temporary folder of the machine, that hold a secret."""
        marks = [secret.encode() for secret in self.secrets]
        return [str(path) for path in self.folder.rglob("*") if path.is_file() and holds(path, marks)]


def user(folder: Path, sim: Simulator, northflank: str = NORTHFLANK, cycle: str = CYCLE) -> User:
    """Somebody whose inventory files have these texts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "my.northflank.yml").write_text(northflank, encoding="utf-8")
    (folder / "my.cycle.yml").write_text(cycle, encoding="utf-8")
    return User(folder, sim)


def holds(path: Path, marks: list[bytes]) -> bool:
    """Whether a file holds one of the texts; one that is gone holds nothing."""
    with contextlib.suppress(OSError):
        content = path.read_bytes()
        return any(mark in content for mark in marks)
    return False


@contextlib.contextmanager
def watched(secrets: tuple[str, ...]) -> Iterator[set[str]]:
    """Looks for secrets in all command lines, and for those of SSH in all environments, of processes that start while
    the block runs."""
    leaks: set[str] = set()
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(secrets, leaks, over), daemon=True)
    watcher.start()
    try:
        yield leaks
    finally:
        over.set()
        watcher.join()


def _watch(secrets: tuple[str, ...], leaks: set[str], over: threading.Event) -> None:
    marks = [secret.encode() for secret in secrets]
    before = set(Path("/proc").glob("[0-9]*"))
    while not over.wait(0.05):
        for folder in set(Path("/proc").glob("[0-9]*")) - before:
            if holds(folder / "cmdline", marks):
                leaks.add("command line")
            if holds(folder / "environ", [SSH_SECRET.encode()]):
                leaks.add("environment")


def running_containers(sim: Simulator) -> list[str]:
    """The names of Northflank's running containers; two projects may each have one of the same name."""
    return [
        container["name"]
        for team in sim.estate()["northflank"]["teams"]
        if team["id"] == sim.team
        for project in team["projects"]
        for kind in ("addons", "services", "jobs")
        for parent in project[kind]
        for container in parent.get("containers", [])
        if container["status"] == "TASK_RUNNING"
    ]


def running_instances(sim: Simulator) -> set[str]:
    """The ids of Cycle's running instances."""
    containers = sim.cycle.get("/v1/containers?page[size]=100").data["data"]
    return {
        instance["id"]
        for container in containers
        for instance in sim.cycle.get(f"/v1/containers/{container['id']}/instances?page[size]=100").data["data"]
        if instance["state"]["current"] == "running"
    }


def ssh_requests(sim: Simulator, method: str) -> list[str]:
    """The instances for which credentials were made (GET) or expired (DELETE), one entry for each request."""
    found = [re.fullmatch(r"/v1/containers/\w+/instances/(\w+)/ssh", entry["path"]) for entry in sim.journal()
             if entry["method"] == method]  # fmt: skip
    return [match[1] for match in found if match]


def wait_until_begun(flag: Path, process: subprocess.Popen[str]) -> None:
    """Waits until a command in a container has made a file. Raises AssertionError, also when the run has ended."""

    def begun() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return flag.exists()

    wait_for(begun, f"the command that makes {flag.name}")


def message_of(done: Done, host: str = "") -> str:
    """The one message with which a host was unreachable, in a run that fails without a traceback; of the only host
    unless it is named."""
    assert "Traceback" not in done.output, done.output[-3000:]
    assert not [secret for secret in done.leaks if secret]
    found = re.findall(rf"^{re.escape(host) or '.*'} \| UNREACHABLE! => (\{{.*?^\}})", done.output, re.M | re.S)
    assert len(found) == 1, done.output[-3000:]
    message: str = json.loads(found[0])["msg"]
    return message


def adhoc(me: User, host: str, command: str, *arguments: str, **more: str) -> Done:
    """Runs a command in a host."""
    done = me.run("ansible", host, "-m", "ansible.builtin.raw", "-a", command, *arguments, **more)
    assert not [secret for secret in me.secrets if secret in done.output]
    return done


def with_variables(me: User, variables: dict[str, dict[str, Any]]) -> None:
    """Gives hosts variables, as files beside the inventory do."""
    folder = me.folder / "host_vars"
    folder.mkdir()
    for host, values in variables.items():
        (folder / f"{host}.json").write_text(json.dumps(values), encoding="utf-8")


def in_the_middle(me: User, hosts: list[str], act: Callable[[], object]) -> Done:
    """Runs a command in hosts that does not end by itself; acts when it has begun in all of them."""
    flags = [me.folder / f"begun-{host}" for host in hosts]
    command = f"touch {me.folder}/begun-{{{{ inventory_hostname }}}}; {LONG}"
    with (
        watched(me.secrets) as leaks,
        me.started("ansible", ":".join(hosts), "-m", "ansible.builtin.raw", "-a", command) as process,
    ):
        for flag in flags:
            wait_until_begun(flag, process)
        act()
        output, _nothing = process.communicate(timeout=limit(60))
    return Done(process.returncode, output, leaks)
