# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task runs: in the controller's worker when that is safe, as an ordinary module in every other case."""

from __future__ import annotations

import re
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from contract.runs import run_or_fail
from support.playbook import Run, output_file, save

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.simulator import Simulator

INFO = "quayside.paas.project_info"
VAULT_PASSWORD = "a password"
# The name of a situation, keywords and options of its task, and whether the worker may run it.
SITUATIONS: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("nothing special", {}, {}, True),
    ("in_process: false", {}, {"in_process": False}, False),
    ("the variable is false", {"vars": {"quayside_paas_in_process": False}}, {}, False),
    ("the variable is false as text", {"vars": {"quayside_paas_in_process": "no"}}, {}, False),
    ("the variable is a template", {"vars": {"quayside_paas_in_process": "{{ 1 == 2 }}"}}, {}, False),
    ("the option wins", {"vars": {"quayside_paas_in_process": False}}, {"in_process": True}, True),
    ("become", {"become": True}, {}, False),
    ("async", {"async": 30, "poll": 1}, {}, False),
    ("another interpreter", {"vars": {"ansible_python_interpreter": "/usr/bin/env python3"}}, {}, False),
    ("the same interpreter", {"vars": {"ansible_python_interpreter": sys.executable}}, {}, True),
    ("interpreter discovery", {"vars": {"ansible_python_interpreter": "auto_silent"}}, {}, True),
    ("delegated here", {"delegate_to": "localhost"}, {}, True),
    ("delegated to a host with its own interpreter", {"delegate_to": "elsewhere"}, {}, False),
    ("delegated to a host out of reach", {"delegate_to": "far"}, {}, False),
    ("run_once", {"run_once": True}, {}, True),
    ("no_log", {"no_log": True}, {}, True),
    ("an option that does not exist", {}, {"no_such_option": 1}, False),
    ("an option of the wrong type", {}, {"limit": "many"}, False),
]


def play(tasks: list[dict[str, Any]], **extra: Any) -> list[dict[str, Any]]:
    return [{"name": "Try", "hosts": "localhost", "gather_facts": False, "tasks": tasks, **extra}]


def defaults(url: str, token: str) -> dict[str, Any]:
    return {"group/quayside.paas.northflank": {"api_url": url, "api_token": token}}


def task_output(run: Run, name: str) -> str:
    """What was printed between the heading of a task and the next heading."""
    found = re.search(rf"^TASK \[{re.escape(name)}\][^\n]*\n(.*?)(?=^TASK \[|^PLAY RECAP)", run.output, re.M | re.S)
    assert found, f"no task {name!r} in {output_file(run.folder)}"
    return found[1]


@pytest.fixture(scope="module")
def tried(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Run:
    simulator.reset()
    tasks = [
        {
            "name": name,
            INFO: options,
            "register": f"result_{number}",
            "ignore_errors": True,
            "ignore_unreachable": True,
            **keywords,
        }
        for number, (name, keywords, options, _in_worker) in enumerate(SITUATIONS)
    ]
    hosts = [
        {
            "name": "Know other hosts",
            "ansible.builtin.add_host": {"name": name, **variables},
            "changed_when": False,
        }
        for name, variables in {
            "elsewhere": {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/env python3"},
            "far": {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9},
        }.items()
    ]
    saved = save({name: f"result_{number}" for number, (name, *_rest) in enumerate(SITUATIONS)})
    plays = play([*hosts, *tasks, saved], module_defaults=defaults(simulator.url, simulator.token))
    return run_or_fail(tmp_path_factory.mktemp("hosts"), plays, "-vvv")


@pytest.mark.parametrize(("name", "in_worker"), [(situation[0], situation[3]) for situation in SITUATIONS])
def test_the_worker_runs_what_is_safe_there(name: str, in_worker: bool, tried: Run) -> None:
    # Only an ordinary module has Ansible execute something on the host.
    executes = "EXEC" in task_output(tried, name)
    assert executes is not in_worker


@pytest.mark.parametrize("name", [name for name, *_rest, in_worker in SITUATIONS if in_worker])
def test_the_worker_gives_the_result(name: str, tried: Run) -> None:
    assert tried.results[name]["projects"]


def test_wrong_arguments_are_refused_in_the_words_of_ansible(tried: Run) -> None:
    assert "Unsupported parameters for (quayside.paas.project_info) module: no_such_option" in tried.results[
        "an option that does not exist"
    ]["msg"].replace("(project_info)", "(quayside.paas.project_info)")
    assert "limit" in tried.results["an option of the wrong type"]["msg"]


def test_no_log_hides_the_result(tried: Run) -> None:
    is_shown = "projects" in task_output(tried, "no_log")
    assert not is_shown


@pytest.fixture(scope="module", params=[True, False], ids=["in process", "as a module"])
def surrounded(request: pytest.FixtureRequest, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Tasks with environment, module_defaults, vault, numbers as ids and a timeout, run in one way."""
    simulator.reset()
    folder = tmp_path_factory.mktemp("surroundings")
    (folder / "vaulted.yml").write_text(f"vaulted: {vaulted(simulator.token)}\n", encoding="utf-8")
    (folder / "password").write_text(VAULT_PASSWORD, encoding="utf-8")
    # It accepts connections and never responds. The module that Ansible leaves behind after a timeout ends with it.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tried = surroundings(simulator, f"http://127.0.0.1:{silent.getsockname()[1]}")
        tasks = [
            {"name": name, INFO: options, "register": f"result_{number}", "ignore_errors": True, **keywords}
            for number, (name, (keywords, options)) in enumerate(tried.items())
        ]
        return run_or_fail(
            folder,
            play([*tasks, save({name: f"result_{number}" for number, name in enumerate(tried)})]),
            *("-e", f"@{folder / 'vaulted.yml'}", "--vault-password-file", str(folder / "password")),
            extra_vars={"quayside_paas_in_process": request.param},
        )


def surroundings(sim: Simulator, silent_url: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return keywords and options of tasks, by a name for what is tried."""
    access = {"api_token": "{{ vaulted }}", "api_url": sim.url}
    return {
        "environment": (
            {"environment": {"NF_API_TOKEN": sim.token, "NORTHFLANK_API_BASE_URL": f"{sim.url}/v1/"}},
            {},
        ),
        "later environment wins": (
            {"environment": [{"NF_API_TOKEN": "wrong", "NF_HOST": sim.url}, {"NF_API_TOKEN": "{{ vaulted }}"}]},
            {},
        ),
        "option before environment": (
            {"environment": {"NF_API_TOKEN": "wrong"}},
            {"api_token": sim.token, "api_url": sim.url},
        ),
        "vault": ({}, access),
        "module default": ({"module_defaults": {INFO: access}}, {}),
        "number": ({}, {**access, "project_id": 42}),
        "after an environment": ({}, {"api_url": sim.url}),
        "timeout": ({"timeout": 2}, {**access, "api_url": silent_url, "timeout": 3600, "retry_budget": 0}),
    }


def vaulted(text: str) -> str:
    """Return a text as a YAML value in a vault."""
    from ansible.parsing.vault import VaultLib, VaultSecret

    secret = VaultLib([("default", VaultSecret(VAULT_PASSWORD.encode()))]).encrypt(text.encode()).decode()
    return "!vault |\n" + "\n".join(f"  {line}" for line in secret.splitlines())


@pytest.mark.parametrize(
    "name", ["environment", "later environment wins", "option before environment", "vault", "module default"]
)
def test_the_surroundings_of_a_task_reach_it(name: str, surrounded: Run) -> None:
    assert "storefront" in [project["id"] for project in surrounded.results[name].get("projects", [])]


def test_a_number_is_an_id(surrounded: Run) -> None:
    assert surrounded.results["number"]["projects"] == []


def test_the_environment_of_a_task_ends_with_it(surrounded: Run) -> None:
    assert "NORTHFLANK_API_TOKEN, NF_API_TOKEN" in surrounded.results["after an environment"]["msg"]


def test_the_timeout_of_a_task_ends_it(surrounded: Run) -> None:
    assert "timed out" in surrounded.results["timeout"]["msg"].lower()
    assert not surrounded.shows("Traceback")


class _CountingServer(ThreadingHTTPServer):
    """Answers with an empty list of projects, and counts the connections."""

    daemon_threads = True
    connections = 0

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()


class _EmptyList(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        body = b'{"data":{"projects":[]},"pagination":{"hasNextPage":false,"count":0}}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def counting() -> Iterator[_CountingServer]:
    with _CountingServer(("127.0.0.1", 0), _EmptyList) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_the_items_of_a_loop_share_a_connection(counting: _CountingServer, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{counting.server_address[1]}"
    # Each item with another token: the connection is shared, the token is not.
    task = {"name": "Loop", INFO: {"api_token": "token-number-{{ item }}"}, "loop": list(range(10))}
    run_or_fail(tmp_path, play([task], module_defaults=defaults(url, "unused")))
    assert counting.connections == 1
