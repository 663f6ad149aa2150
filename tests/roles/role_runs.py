# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays a role against the simulator, as a user does: its playbook, tokens in the environment, answers of a survey."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support import processes
from support.playbook import environment, prepare, run_playbook
from support.settings import limit
from support.simulator import Simulator

COLLECTION_NAME = "quayside.paas"
HANGS_AFTER = 90.0  # seconds on a fast machine


@dataclasses.dataclass(frozen=True)
class RoleRun:
    """A finished run. artifacts: what set_stats left. journal: the requests that the simulator got meanwhile."""

    code: int
    output: str
    artifacts: dict[str, Any]
    journal: list[dict[str, Any]]
    folder: Path

    @property
    def writes(self) -> list[dict[str, Any]]:
        """The requests that are not GET."""
        return [entry for entry in self.journal if entry["method"] != "GET"]

    @property
    def changed(self) -> int:
        """How many tasks changed something, by the closing line of localhost."""
        found = re.search(r"^localhost\s.*\bchanged=(\d+)", self.output, flags=re.MULTILINE)
        assert found, self.output
        return int(found[1])


def credentials(sim: Simulator, folder: Path, **more: str) -> dict[str, str]:
    """The environment of a run: where the simulator is and tokens that may do everything; more replaces any of them."""
    return {
        "NORTHFLANK_API_BASE_URL": sim.url,
        "NORTHFLANK_API_TOKEN": sim.token,
        "CYCLE_BASE_URL": sim.cycle.url,
        "CYCLE_API_KEY": sim.cycle.key,
        "CYCLE_HUB_ID": sim.cycle.hub,
        # The host key of the simulator is a new one at each start.
        "ANSIBLE_SSH_COMMON_ARGS": f"-o UserKnownHostsFile={folder / 'known_hosts'}",
        "ANSIBLE_SHOW_CUSTOM_STATS": "1",
        # For connections and logins; the default is 10 seconds.
        "ANSIBLE_TIMEOUT": str(int(limit(15))),
        **more,
    }


def play(
    sim: Simulator,
    folder: Path,
    plays: list[dict[str, Any]] | str,
    variables: dict[str, Any] | None = None,
    *arguments: str,
    env: dict[str, str] | None = None,
) -> RoleRun:
    """Plays a playbook of the collection (its short name), or plays as data, to the end.

    variables: extra vars. arguments: of ansible-playbook, as --check, or -i for a further inventory. env: replaces
    variables of the environment.
    """
    since = last_request(sim)
    done = run_playbook(
        folder, named(plays), *arguments, extra_vars=variables, env=credentials(sim, folder, **(env or {})),
        timeout=limit(HANGS_AFTER),
    )  # fmt: skip
    return RoleRun(done.returncode, done.output, artifacts_in(done.output), sim.journal(since), folder)


@contextlib.contextmanager
def started(
    sim: Simulator, folder: Path, plays: list[dict[str, Any]] | str, variables: dict[str, Any] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Starts what play() would run, as a process group of its own; kills all of it in the end."""
    command = prepare(folder, named(plays), extra_vars=variables)
    process = processes.start(
        command,
        cwd=folder,
        env=environment(folder, **credentials(sim, folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        yield process
    finally:
        processes.kill_group(process)


def named(plays: list[dict[str, Any]] | str) -> list[dict[str, Any]] | str:
    """Plays as data unchanged, or the full name of a playbook of the collection."""
    return f"{COLLECTION_NAME}.{plays}" if isinstance(plays, str) else plays


def last_request(sim: Simulator) -> int:
    """The number of the latest request in the simulator's journal; 0 without one."""
    return max((int(entry["number"]) for entry in sim.journal()), default=0)


def artifacts_in(output: str) -> dict[str, Any]:
    """What set_stats left, from the line that ansible-playbook prints of it; empty without one."""
    found = re.findall(r"^\tRUN: (\{.*\})$", output, flags=re.MULTILINE)
    artifacts: dict[str, Any] = json.loads(found[-1]) if found else {}
    return artifacts


def every_result(output: str, name: str) -> list[dict[str, Any]]:
    """All that set_stats left under a name, in order, from the output of a run with -v."""
    found = [
        json.loads(line) for line in re.findall(r"^ok: \[.*?\] => (\{.*\"ansible_stats\".*\})$", output, flags=re.M)
    ]
    data = [one["ansible_stats"]["data"] for one in found]
    return [one[name] for one in data if name in one]
