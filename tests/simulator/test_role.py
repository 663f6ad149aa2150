# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role simulator, with a real ansible-playbook."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from paas_simulator import northflank
from paas_simulator.process import process_identity
from support.playbook import COLLECTION, Run, run_playbook
from support.settings import limit, wait_for
from support.simulator import SERVICE, fetch, run_service

FACTS = ("url", "pid", "token", "tokens", "team", "teams")
CYCLE_FACTS = ("cycle_url", "cycle_ssh_port", "cycle_key", "cycle_keys", "cycle_hub")
SMALL = """
northflank:
  tokens: [{name: only, token: only-one, team: small}]
  teams: [{id: small, projects: [{name: "{{ 7*7 }}", id: one}]}]
"""
SMALL_CYCLE = """
cycle:
  hub: {id: "555555555555555555555555", name: Small}
  keys: [{name: only, id: "444444444444444444444444", key: only-one}]
"""
Role = Callable[..., Run]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The directory of the simulator; the one left running in it is stopped."""
    directory = tmp_path / "simulator"
    yield directory
    run_service("stop", "--ready-file", str(directory / "ready.json"))


@pytest.fixture
def role(tmp_path: Path, home: Path) -> Role:
    """Run the role with variables, which come without their prefix."""

    def run(*arguments: str, **variables: Any) -> Run:
        given = {"directory": str(home), "python": sys.executable, **variables}
        play = {
            "name": "Run the role",
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [
                {
                    "name": "Include the role",
                    "ansible.builtin.include_role": {"name": "simulator"},
                    "vars": {f"simulator_{name}": value for name, value in given.items()},
                },
                {
                    "name": "Print the facts",
                    "ansible.builtin.debug": {
                        "msg": {name: f"{{{{ simulator_{name} | default(none) }}}}" for name in FACTS + CYCLE_FACTS}
                    },
                },
            ],
        }
        folder = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        done = run_playbook(folder, [play], *arguments, env={"ANSIBLE_ROLES_PATH": str(COLLECTION / "roles")})
        assert "[WARNING]" not in done.output, done.output
        assert "[DEPRECATION" not in done.output, done.output
        return done

    return run


def changed(run: Run) -> list[str]:
    """Return the names of the role's tasks that changed something."""
    assert run.returncode == 0, run.output
    return re.findall(r"TASK \[simulator : ([^\]]*)\] \**\n(?:.*\n)??changed: ", run.output)


def facts_of(run: Run) -> dict[str, Any]:
    """Return the facts that the role has set, by name without their prefix."""
    assert run.returncode == 0, run.output
    printed = re.search(r"TASK \[Print the facts\] \**\nok: \[localhost\] => (\{\n.*?\n\})\n", run.output, re.DOTALL)
    assert printed, run.output
    facts: dict[str, Any] = json.loads(printed[1])["msg"]
    return facts


def is_healthy(facts: dict[str, Any]) -> bool:
    """Return whether the simulator of these facts answers, and is the process that they name."""
    return bool(fetch(f"{facts['url']}/_sim/health").data["pid"] == int(facts["pid"]))


def test_from_nothing_to_nothing(role: Role, home: Path) -> None:
    everything = ["Make the directory of the simulator", "Install the simulator", "Start the simulator"]

    foreseen = role("--check")
    assert changed(foreseen) == everything
    assert not home.exists()
    assert facts_of(foreseen)["url"] is None

    first = role()
    assert changed(first) == everything
    facts = facts_of(first)
    assert is_healthy(facts)
    assert (facts["team"], facts["teams"]) == ("tidewater", ["tidewater", "tidewater-labs"])
    assert facts["token"] == facts["tokens"]["demo"]
    answer = fetch(f"{facts['url']}/v1/auth", headers={"Authorization": f"Bearer {facts['token']}"})
    assert answer.status == 200
    assert facts["cycle_key"] == facts["cycle_keys"]["demo"]
    headers = {"Authorization": f"Bearer {facts['cycle_key']}", "X-Hub-Id": facts["cycle_hub"]}
    hub = fetch(f"{facts['cycle_url']}/v1/hubs/current", headers=headers)
    assert (hub.status, hub.data["data"]["id"]) == (200, facts["cycle_hub"])
    with socket.create_connection(("127.0.0.1", int(facts["cycle_ssh_port"])), timeout=limit(5)) as gateway:
        assert gateway.recv(8) == b"SSH-2.0-"
    assert home.stat().st_mode & 0o777 == 0o700
    check_installed(home)

    for arguments in ([], ["--check"]):
        again = role(*arguments)
        assert changed(again) == []
        assert facts_of(again) == facts

    assert changed(role("--check", state="stopped")) == ["Stop the simulator"]
    assert is_healthy(facts)
    assert changed(role(state="stopped")) == ["Stop the simulator"]
    with pytest.raises(OSError, match="refused"):
        fetch(f"{facts['url']}/_sim/health")
    assert changed(role(state="stopped")) == []


def check_installed(home: Path) -> None:
    """Check that every file of the service is installed as it is."""
    installed = home / "service" / "paas_simulator"
    shipped = {
        path.relative_to(SERVICE / "paas_simulator"): path.read_bytes()
        for path in (SERVICE / "paas_simulator").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    found = {path: (installed / path).read_bytes() for path in shipped}
    assert found == shipped
    assert Path(str(northflank.__file__)).relative_to(SERVICE / "paas_simulator") in shipped


def test_stopping_what_never_was(role: Role, home: Path) -> None:
    assert changed(role(state="stopped")) == []
    assert not home.exists()


def test_another_estate_and_other_ports(role: Role, home: Path, tmp_path: Path) -> None:
    estate = tmp_path / "small.yml"
    estate.write_text(SMALL, encoding="utf-8")
    own = role(estate=str(estate))
    assert changed(own)[-2:] == ["Install the estate", "Start the simulator"]
    first = facts_of(own)
    assert (first["token"], first["tokens"]) == ("only-one", {"only": "only-one"})
    assert [first[name] for name in ("cycle_key", "cycle_keys", "cycle_hub")] == ["", {}, ""]
    projects = fetch(f"{first['url']}/v1/projects", headers={"Authorization": "Bearer only-one"}).data
    assert projects["data"]["projects"][0]["name"] == "{{ 7*7 }}"

    anew = ["Stop a simulator that is not the one asked for", "Start the simulator"]
    port, cycle_port, ssh_port = free_ports(3)
    moved = role(estate=str(estate), port=port)
    assert changed(moved) == anew
    assert facts_of(moved)["url"] == f"http://127.0.0.1:{port}"
    assert facts_of(moved)["pid"] != first["pid"]

    estate.write_text(SMALL_CYCLE, encoding="utf-8")
    variables: dict[str, Any] = {"estate": str(estate), "cycle_port": cycle_port, "ssh_port": ssh_port}
    other = role(**variables)
    assert changed(other) == ["Install the estate", *anew]
    facts = facts_of(other)
    assert [facts[name] for name in CYCLE_FACTS] == [
        f"http://127.0.0.1:{cycle_port}",
        ssh_port,
        "only-one",
        {"only": "only-one"},
        "5" * 24,
    ]
    assert [facts[name] for name in ("token", "tokens", "team", "teams")] == ["", {}, "", []]

    killed = int(facts["pid"])
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: process_identity(killed) is None, "the end of the killed simulator")
    again = role(**variables)
    assert changed(again) == ["Forget a simulator that is gone", "Start the simulator"]
    assert is_healthy(facts_of(again))


def free_ports(amount: int) -> list[int]:
    """Return ports that are free at this moment."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _number in range(amount)]
        return [int(server.getsockname()[1]) for server in servers]


def test_wrong_arguments_are_refused(role: Role) -> None:
    done = role(state="absent")
    assert done.returncode != 0
    assert "simulator_state" in done.output
