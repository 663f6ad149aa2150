# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs real ansible-playbook processes and collects the results of their tasks."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from .settings import limit

COLLECTION = Path(__file__).resolve().parents[2]
COLLECTIONS_PATH = COLLECTION.parent.parent.parent

# Beginnings of variables that would let accounts or settings of the developer into a test.
FOREIGN = (
    *("NORTHFLANK_", "NF_", "CYCLE_", "ANSIBLE_", "PYTHONDONTWRITEBYTECODE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"),
    *("LANG", "LC_", "NETRC", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSH_"),
)
# Signals that a shell or nohup may have set to be ignored, which programs inherit.
SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM)
# Longer messages of Ansible are cut in messages of tests.
MAX_MESSAGE = 300


class PlaybookTimeoutError(AssertionError):
    """An ansible-playbook process was killed because it did not end in time."""


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished ansible-playbook process."""

    returncode: int
    output: str = dataclasses.field(repr=False)
    # What the playbook saved, by name.
    results: dict[str, Any] = dataclasses.field(repr=False)
    # Where it ran.
    folder: Path

    @property
    def summary(self) -> str:
        """How it ended and where its output is, in one line for the message of a failing test."""
        return (
            f"ansible-playbook exited with {self.returncode}{_last_task(self.output)}{_last_error(self.output)};"
            f" output: {output_file(self.folder)}"
        )

    def shows(self, text: str) -> bool:
        """Say whether the output has a text; a failing assertion then does not repeat all of the output."""
        return text in self.output


@functools.cache
def control_folder(folder: Path) -> str:
    """A folder for the control sockets of a user's folder, with the short name that they need."""
    made = tempfile.mkdtemp(prefix="qs-", dir="/tmp")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def environment(folder: Path, **extra: str) -> dict[str, str]:
    """Return the environment of a run: no settings of the developer, and temporary files below `folder`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {
        **clean,
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS_PATH),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": control_folder(folder),
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
    """Write what ansible-playbook needs to a folder, and return its command line. Takes what run_playbook() does."""
    folder.mkdir(parents=True, exist_ok=True)
    # Without one here, Ansible would read that of the machine.
    (folder / "ansible.cfg").touch()
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
    timeout: float = limit(60),
) -> Run:
    """Run ansible-playbook on localhost, and return what it printed and saved.

    Args:
        folder: An empty folder for the playbook and all that the run leaves.
        plays: The plays as data, a file, or an FQCN. A task made by save() saves results.
        arguments: Further command line arguments.
        extra_vars: Extra variables.
        env: Variables of the environment that replace those of environment().
        timeout: Seconds after which the run is taken for one that hangs.

    Raises:
        PlaybookTimeoutError: The run did not end in time. All of its processes were killed.
    """
    command = prepare(folder, plays, *arguments, extra_vars=extra_vars)
    with output_file(folder).open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(folder, **(env or {})),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            umask=0o022,
            preexec_fn=_restore_signals,
            start_new_session=True,
        )
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            printed = _printed(folder)
            raise PlaybookTimeoutError(
                f"ansible-playbook did not end within {timeout:.0f} s{_last_task(printed)};"
                f" output: {output_file(folder)}"
            ) from None
        finally:
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    saved = folder / "results.json"
    results = json.loads(saved.read_text(encoding="utf-8")) if saved.exists() else {}
    return Run(process.returncode, _printed(folder), results, folder)


def save(variables: dict[str, str]) -> dict[str, Any]:
    """Return a task that saves registered variables, by name, for Run.results; in check mode too."""
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


def output_file(folder: Path) -> Path:
    """Return the file that holds what a run in `folder` printed."""
    return folder / "output.txt"


def _restore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _printed(folder: Path) -> str:
    return output_file(folder).read_text(encoding="utf-8", errors="replace")


def _last_task(output: str) -> str:
    found = re.findall(r"^TASK \[(.*)\] \*+$", output, re.MULTILINE)
    return f" in the task {found[-1]!r}" if found else ""


def _last_error(output: str) -> str:
    found = re.findall(r"^(?:\[ERROR\]: |ERROR! )(.*)$", output, re.MULTILINE)
    return f": {found[-1][:MAX_MESSAGE]}" if found else ""
