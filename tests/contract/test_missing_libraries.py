# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Without a Python library everything fails at once and shows the command that installs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.playbook import COLLECTIONS_PATH, Run, environment, run_playbook, save
from support.settings import limit

if TYPE_CHECKING:
    from support.simulator import Simulator

REQUESTS, WEBSOCKET = "'requests>=2.28.0'", "'websocket-client>=1.6.0'"
INSTANCE = {"container_id": "66c000000000000000000001", "instance_id": "66d000010000000000000001"}
MODULES: dict[str, dict[str, Any]] = {
    "project_info": {},
    "server_info": {},
    "instance_console": INSTANCE,
    "instance_telemetry_info": {**INSTANCE, "live": {}},
}
STREAMS = ("instance_console", "instance_telemetry_info")


def install(*requirements: str, python: str | Path = sys.executable) -> str:
    return f"Install them with: {python} -m pip install {' '.join(requirements)}"


def without(folder: Path, *modules: str) -> dict[str, str]:
    """Return variables that hide Python modules from every interpreter. folder: an empty one."""
    folder.mkdir()
    hidden = dict.fromkeys(modules)
    (folder / "sitecustomize.py").write_text(f"import sys\nsys.modules.update({hidden!r})\n", encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(COLLECTIONS_PATH)])}


def run_modules(sim: Simulator, folder: Path, env: dict[str, str], **variables: Any) -> dict[str, Any]:
    """Run each module of MODULES. Returns the results by module."""
    run = run_playbook(
        folder,
        [
            {
                "name": "Run modules",
                "hosts": "all",
                "gather_facts": False,
                "module_defaults": {
                    "group/quayside.paas.northflank": {"api_url": sim.url, "api_token": sim.token},
                    "group/quayside.paas.cycle": {
                        "api_url": sim.cycle.url,
                        "api_key": sim.cycle.key,
                        "hub_id": sim.cycle.hub,
                    },
                },
                "tasks": [
                    *(
                        {"name": name, f"quayside.paas.{name}": arguments, "register": name, "ignore_errors": True}
                        for name, arguments in MODULES.items()
                    ),
                    save({name: name for name in MODULES}),
                ],
            }
        ],
        extra_vars=variables,
        env=env,
    )
    assert run.results, run.output
    return run.results


def check(result: dict[str, Any], command: str) -> None:
    assert result["failed"]
    assert result["msg"].endswith(command)
    assert "Traceback" not in json.dumps(result)
    assert result["request_count"] == 0


@pytest.mark.parametrize("in_process", [True, False])
def test_modules_without_requests(sim: Simulator, tmp_path: Path, in_process: bool) -> None:
    env = without(tmp_path / "hidden", "requests", "websocket")
    for result in run_modules(sim, tmp_path / "run", env, quayside_paas_in_process=in_process).values():
        check(result, install(REQUESTS))


@pytest.mark.parametrize("in_process", [True, False])
def test_modules_without_websocket_client(sim: Simulator, tmp_path: Path, in_process: bool) -> None:
    env = without(tmp_path / "hidden", "websocket")
    results = run_modules(sim, tmp_path / "run", env, quayside_paas_in_process=in_process)
    for name, result in results.items():
        if name in STREAMS:
            check(result, install(WEBSOCKET))
        else:
            assert not result.get("failed"), result


def test_a_module_names_the_interpreter_that_runs_it(sim: Simulator, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True, timeout=limit(60)
    )
    python = tmp_path / "venv" / "bin" / "python"
    results = run_modules(sim, tmp_path / "run", {}, ansible_python_interpreter=str(python))
    for result in results.values():
        check(result, install(REQUESTS, python=python))


def run(folder: Path, env: dict[str, str], program: str, *arguments: str) -> str:
    """Run a program of Ansible in a folder. Returns what it printed."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / program), *arguments],
        cwd=folder,
        env=environment(folder, **env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit(60),
        check=False,
    )
    return done.stdout


CREDENTIALS = {"NORTHFLANK_API_TOKEN": "token", "CYCLE_API_KEY": "key", "CYCLE_HUB_ID": "66b000000000000000000001"}


@pytest.mark.parametrize("platform", ["northflank", "cycle"])
def test_inventories_without_requests(tmp_path: Path, platform: str) -> None:
    env = without(tmp_path / "hidden", "requests")
    (tmp_path / f"my.{platform}.yml").write_text(f"plugin: quayside.paas.{platform}\n", encoding="utf-8")
    output = run(tmp_path, {**env, **CREDENTIALS}, "ansible-inventory", "-i", f"my.{platform}.yml", "--list")
    assert install(REQUESTS) in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("connection", "variables", "requirements"),
    [
        (
            "northflank_exec",
            {
                "ansible_northflank_project_id": "web-shop",
                "ansible_northflank_kind": "addon",
                "ansible_northflank_resource_id": "orders-postgres",
            },
            (REQUESTS, WEBSOCKET),
        ),
        ("cycle_ssh", {f"ansible_cycle_{name}": value for name, value in INSTANCE.items()}, (REQUESTS,)),
    ],
)
def test_connections_without_libraries(
    tmp_path: Path, connection: str, variables: dict[str, str], requirements: tuple[str, ...]
) -> None:
    env = without(tmp_path / "hidden", "requests", "websocket")
    hosts = {"box": {"ansible_connection": f"quayside.paas.{connection}", **variables}}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    output = run(tmp_path, {**env, **CREDENTIALS}, "ansible", "-i", "hosts.json", "box", "-m", "ansible.builtin.ping")
    assert install(*requirements) in output
    assert "Traceback" not in output


@pytest.mark.parametrize("module", ["requests", "websocket"])
def test_the_tour_checks_before_it_starts_a_simulator(tmp_path: Path, module: str) -> None:
    env = without(tmp_path / "hidden", module)
    tour: Run = run_playbook(
        tmp_path / "run", "quayside.paas.tour", env={**env, "HOME": str(tmp_path)}, timeout=limit(60)
    )
    assert tour.returncode == 2
    assert install(REQUESTS, WEBSOCKET) in tour.output
    assert not (tmp_path / ".cache").exists()
