# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role simulator, with a real ansible-playbook."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from paas_simulator import northflank
from support.playbook import COLLECTION, Run, run_playbook, save
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
                save({name: f"simulator_{name} | default(none)" for name in FACTS + CYCLE_FACTS}),
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


def test_from_nothing_to_nothing(role: Role, home: Path) -> None:
    everything = ["Make the directory of the simulator", "Install the simulator", "Start the simulator"]

    foreseen = role("--check")
    assert changed(foreseen) == everything
    assert not home.exists()
    assert foreseen.results["url"] is None

    first = role()
    assert changed(first) == everything
    facts = first.results
    assert fetch(f"{facts['url']}/_sim/health").data["pid"] == int(facts["pid"])
    assert (facts["team"], facts["teams"]) == ("tidewater", ["tidewater", "tidewater-labs"])
    assert facts["token"] == facts["tokens"]["demo"]
    answer = fetch(f"{facts['url']}/v1/auth", headers={"Authorization": f"Bearer {facts['token']}"})
    assert answer.status == 200
    assert facts["cycle_key"] == facts["cycle_keys"]["demo"]
    headers = {"Authorization": f"Bearer {facts['cycle_key']}", "X-Hub-Id": facts["cycle_hub"]}
    hub = fetch(f"{facts['cycle_url']}/v1/hubs/current", headers=headers)
    assert (hub.status, hub.data["data"]["id"]) == (200, facts["cycle_hub"])
    with socket.create_connection(("127.0.0.1", int(facts["cycle_ssh_port"])), timeout=5) as gateway:
        assert gateway.recv(8) == b"SSH-2.0-"
    assert home.stat().st_mode & 0o777 == 0o700

    for arguments in ([], ["--check"]):
        again = role(*arguments)
        assert changed(again) == []
        assert again.results == facts

    assert changed(role("--check", state="stopped")) == ["Stop the simulator"]
    assert fetch(f"{facts['url']}/_sim/health").status == 200
    assert changed(role(state="stopped")) == ["Stop the simulator"]
    with pytest.raises(OSError, match="refused"):
        fetch(f"{facts['url']}/_sim/health")
    assert changed(role(state="stopped")) == []


def test_stopping_what_never_was(role: Role, home: Path) -> None:
    assert changed(role(state="stopped")) == []
    assert not home.exists()


def test_another_estate_and_another_port(role: Role, home: Path, tmp_path: Path) -> None:
    shipped = role().results
    estate = tmp_path / "small.yml"
    estate.write_text(SMALL, encoding="utf-8")
    anew = ["Install the estate", "Stop a simulator that is not the one asked for", "Start the simulator"]

    own = role(estate=str(estate))
    assert changed(own) == anew
    assert (own.results["token"], own.results["tokens"]) == ("only-one", {"only": "only-one"})
    assert [own.results[name] for name in ("cycle_key", "cycle_keys", "cycle_hub")] == ["", {}, ""]
    assert own.results["pid"] != shipped["pid"]
    projects = fetch(f"{own.results['url']}/v1/projects", headers={"Authorization": "Bearer only-one"}).data
    assert projects["data"]["projects"][0]["name"] == "{{ 7*7 }}"
    assert changed(role(estate=str(estate))) == []

    port = int(shipped["url"].rpartition(":")[2])
    moved = role(estate=str(estate), port=port)
    assert changed(moved) == anew[1:]
    assert moved.results["url"] == shipped["url"]

    port = int(shipped["cycle_url"].rpartition(":")[2])
    estate.write_text(SMALL_CYCLE, encoding="utf-8")
    moved = role(estate=str(estate), cycle_port=port, ssh_port=int(shipped["cycle_ssh_port"]))
    assert changed(moved) == anew
    assert [moved.results[name] for name in CYCLE_FACTS] == [
        shipped["cycle_url"],
        shipped["cycle_ssh_port"],
        "only-one",
        {"only": "only-one"},
        "5" * 24,
    ]
    assert [moved.results[name] for name in ("token", "tokens", "team", "teams")] == ["", {}, "", []]


def test_over_one_that_was_killed(role: Role, home: Path) -> None:
    first = role().results
    stopped = run_service("stop", "--ready-file", str(home / "ready.json"))
    assert stopped.returncode == 0
    (home / "ready.json").write_text(f'{{"url": "{first["url"]}", "pid": {first["pid"]}, "port": 1}}')
    again = role()
    assert changed(again) == ["Forget a simulator that is gone", "Start the simulator"]
    assert fetch(f"{again.results['url']}/_sim/health").status == 200


def test_wrong_arguments_are_refused(role: Role) -> None:
    done = role(state="absent")
    assert done.returncode != 0
    assert "simulator_state" in done.output


def test_all_files_are_installed(role: Role, home: Path) -> None:
    role()
    installed = home / "service" / "paas_simulator"
    shipped = {
        path.relative_to(SERVICE / "paas_simulator"): path.read_bytes()
        for path in (SERVICE / "paas_simulator").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    found = {path: (installed / path).read_bytes() for path in shipped}
    assert found == shipped
    assert Path(str(northflank.__file__)).relative_to(SERVICE / "paas_simulator") in shipped
