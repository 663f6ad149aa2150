# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs real ansible-playbook processes and collects the results of their tasks."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

COLLECTION = Path(__file__).resolve().parents[2]
COLLECTIONS_PATH = COLLECTION.parent.parent.parent

# Variables that would let the developer's own account or settings into a test.
FOREIGN = ("NORTHFLANK_", "NF_", "CYCLE_", "ANSIBLE_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished ansible-playbook. results: what the playbook saved, by name. folder: where it ran."""

    returncode: int
    output: str
    results: dict[str, Any]
    folder: Path


def environment(folder: Path, **extra: str) -> dict[str, str]:
    """The environment of a run: none of the developer's settings, temporary files below folder, warnings on."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **clean,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS_PATH),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        **extra,
    }


def prepare(
    folder: Path,
    plays: list[dict[str, Any]] | Path | str,
    *arguments: str,
    extra_vars: dict[str, Any] | None = None,
) -> list[str]:
    """Writes what ansible-playbook needs to a folder and returns its command line. Takes what run_playbook does."""
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(plays, list):
        (folder / "playbook.yml").write_text(json.dumps(plays, indent=1), encoding="utf-8")
        plays = folder / "playbook.yml"
    # As variables of the host, so that a task's own can overrule them.
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": host}}}), encoding="utf-8")
    (folder / "vars.json").write_text(json.dumps(extra_vars or {}), encoding="utf-8")
    return [
        str(Path(sys.executable).parent / "ansible-playbook"),
        *("-i", str(folder / "inventory.json"), "-e", f"@{folder / 'vars.json'}"),
        *arguments,
        str(plays),
    ]


def run_playbook(
    folder: Path,
    plays: list[dict[str, Any]] | Path | str,
    *arguments: str,
    extra_vars: dict[str, Any] | None = None,
    env: dict[str, str] | None = None,
    timeout: float = 240,
) -> Run:
    """Runs ansible-playbook on localhost and returns what it printed and saved.

    folder: an empty folder for the playbook and all that the run leaves. plays: the plays as data, a file, or an FQCN.
    arguments: further command line arguments. timeout: seconds; raises subprocess.TimeoutExpired after them.
    A playbook saves results with the task that save() makes.
    """
    done = subprocess.run(
        prepare(folder, plays, *arguments, extra_vars=extra_vars),
        cwd=folder,
        env=environment(folder, **(env or {})),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )
    saved = folder / "results.json"
    results = json.loads(saved.read_text(encoding="utf-8")) if saved.exists() else {}
    return Run(done.returncode, done.stdout, results, folder)


def save(variables: dict[str, str]) -> dict[str, Any]:
    """A task that saves registered variables, by name, for Run.results; in check mode too."""
    content = ", ".join(f"{json.dumps(name)}: {variable}" for name, variable in variables.items())
    return {
        "name": "Save the results",
        "ansible.builtin.copy": {
            "content": "{{ {" + content + "} | to_json }}",
            "dest": "{{ playbook_dir }}/results.json",
            "mode": "0600",
        },
        "check_mode": False,
        "diff": False,
    }
