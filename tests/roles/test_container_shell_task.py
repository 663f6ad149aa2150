# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands and tasks in containers of both platforms: batches, results, and what goes wrong in some of them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from role_runs import RoleRun, play

from support.playbook import save
from support.settings import limit
from support.simulator import Simulator

REDIS, SHOP = "session-redis-0", "web-shop-5f6d9c7b84-k2x9p"  # Northflank, project storefront
WEB, WEB2 = "web-1", "web-2"  # Cycle, container web
Plays = list[dict[str, Any]]
KEYS = {"changed", "message", "rc", "seconds", "status", "stderr", "stdout"}


def run(sim: Simulator, folder: Path, hosts: list[str], *arguments: str, **variables: Any) -> RoleRun:
    """Plays the playbook with the inventories of both platforms for these hosts; variables without their prefix."""
    return with_inventories(sim, folder, "container_shell_task", *arguments, hosts=",".join(hosts), **variables)


def with_inventories(sim: Simulator, folder: Path, plays: Plays | str, *arguments: str, **variables: Any) -> RoleRun:
    """Plays a playbook, or plays as data, with the inventories of both platforms; variables without their prefix."""
    folder.mkdir(parents=True, exist_ok=True)
    inventories = {
        "my.northflank.yml": "plugin: quayside.paas.northflank\nprojects: [storefront]\n",
        "my.cycle.yml": "plugin: quayside.paas.cycle\ncontainers: [web]\n",
    }
    for name, text in inventories.items():
        (folder / name).write_text(text, encoding="utf-8")
    given = {f"container_shell_task_{name}": value for name, value in variables.items()}
    more = [word for name in inventories for word in ("-i", str(folder / name))]
    return play(
        sim,
        folder,
        plays,
        given,
        *more,
        *arguments,
        env={"ANSIBLE_PIPELINING": "1", "ANSIBLE_FORKS": "10"},
    )


def result(done: RoleRun) -> dict[str, Any]:
    """The artifact, whose shape is always the same."""
    assert "Traceback" not in done.output
    found: dict[str, Any] = done.artifacts["container_shell_task_result"]
    assert set(found) == {"hosts", "ok", "failed", "unreachable", "skipped", "passed", "check_mode"}
    assert all(set(record) == KEYS for record in found["hosts"].values())
    return found


def states(found: dict[str, Any]) -> dict[str, list[str]]:
    """The hosts by what became of them."""
    return {state: found[state] for state in ("ok", "failed", "unreachable", "skipped") if found[state]}


def entered(done: RoleRun) -> list[str]:
    """The paths of Northflank's exec and of Cycle's credentials that were asked for."""
    return [
        entry["path"]
        for entry in done.journal
        if entry["method"] == "GET" and ("command-exec" in entry["path"] or entry["path"].endswith("/ssh"))
    ]


def test_commands_in_both_platforms_go_from_batch_to_batch(sim: Simulator, tmp_path: Path) -> None:
    commands = "echo began; date +%s%N >> ~/times\n\necho '{{ 1 + 1 }}, seen' >&2\nsleep 0.2; cat ~/times\n"
    hosts = [WEB, REDIS, SHOP, WEB2]
    text = {"__ansible_unsafe": commands}  # as it stands, also where extra variables are templates
    done = run(sim, tmp_path, hosts, commands=text, batch=2, changes=False)
    assert done.code == 0, done.output
    found = result(done)
    assert found["passed"]
    assert set(found["ok"]) == set(found["hosts"]) == set(hosts)
    times = {}
    for name, record in found["hosts"].items():
        assert re.fullmatch(r"began\n\d+", record["stdout"]), record
        assert record["stderr"] == "{{ 1 + 1 }}, seen"
        assert (record["rc"], record["message"], record["changed"]) == (0, "", False)
        assert record["seconds"] >= 0.2
        times[name] = int(record["stdout"].split()[1])
    # Whoever is in the first batch was through before anybody of the second began.
    first, second = found["ok"][:2], found["ok"][2:]
    assert min(times[name] for name in second) - max(times[name] for name in first) > 0.2e9
    assert "4 hosts: 4 ok" in done.output
    assert re.search(rf"{REDIS} +ok +0 ", done.output)


def test_too_many_failures_stop_what_is_left(sim: Simulator, tmp_path: Path) -> None:
    sim.fault("GET", "/v1/command-exec/*session-redis*", {"exec": {"do": "refuse", "message": "Not today"}}, times=None)
    command = 'echo here; case "$HOSTNAME" in web-shop*) echo oh >&2; exit 7;; *orders*0) sleep 3600;; esac'
    hosts = [REDIS, SHOP, "shop-mysql-0", "orders-postgres-0", WEB]
    seconds = int(limit(4))  # enough for the others
    done = run(sim, tmp_path, hosts, commands=[command, "echo again"], batch=4, max_failures=2, timeout=seconds)
    assert done.code == 2, done.output
    found = result(done)
    by_name = found["hosts"]
    assert set(found["failed"]) == {SHOP, "orders-postgres-0"}
    assert (found["unreachable"], found["ok"], found["skipped"]) == ([REDIS], ["shop-mysql-0"], [WEB])
    assert not found["passed"]
    assert "Not today" in by_name[REDIS]["message"]
    assert by_name[SHOP]["message"] == "Command 1: ended with 7"
    assert (by_name[SHOP]["rc"], by_name[SHOP]["stdout"], by_name[SHOP]["stderr"]) == (7, "here", "oh")
    assert str(seconds) in by_name["orders-postgres-0"]["message"]
    assert by_name["shop-mysql-0"]["stdout"] == "here\nagain"
    assert by_name[WEB]["message"] == "Not begun."
    assert not [place for place in entered(done) if place.endswith("/ssh")]
    # What is left to do is what failed, for whoever starts the run again with the hosts that failed.
    assert re.search(rf"^{WEB} .*failed=1", done.output, flags=re.MULTILINE)
    assert re.search(r"^shop-mysql-0 .*failed=0", done.output, flags=re.MULTILINE)


def test_failures_within_bounds_stop_nothing_and_may_be_no_failure(sim: Simulator, tmp_path: Path) -> None:
    done = run(
        sim, tmp_path, ["all"], "--limit", f"{REDIS},{SHOP},{WEB}",
        commands=['case "$HOSTNAME" in session*) exit 1;; esac; seq 1 10000'],
        batch=1, max_failures=1, fail=False, output_limit=100,
    )  # fmt: skip
    assert done.code == 0, done.output
    assert states(result(done)).keys() == {"ok", "failed"}
    assert result(done)["failed"] == [REDIS]
    assert set(result(done)["hosts"]) == {REDIS, SHOP, WEB}
    text = result(done)["hosts"][WEB]["stdout"]
    assert re.fullmatch(r"1\n2\n3\n[\d\n]+\n\[… 48\d+ characters cut …\]\n[\d\n]+\n9999\n10000", text)
    assert len(text) < 150


TASKS = """
- name: Say who is there
  ansible.builtin.command: {cmd: echo there}
  register: container_shell_task_output
  changed_when: false
- name: Say more
  ansible.builtin.command: {cmd: sh -c 'echo broken >&2; exit 9'}
  changed_when: false
  when: inventory_hostname == 'web-1'
- name: Look again
  ansible.builtin.command: {cmd: echo still there}
  changed_when: false
"""


def test_tasks_of_a_file_in_both_platforms(sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "my_tasks.yml").write_text(TASKS, encoding="utf-8")
    # Reached once, and then no more: that host is lost for Ansible, and for nobody else.
    sim.fault("GET", "/v1/command-exec/*session-redis*", {"exec": {"do": "refuse"}}, times=None, after=1)
    done = run(
        sim, tmp_path, [REDIS, SHOP, WEB, WEB2],
        tasks_file=str(tmp_path / "my_tasks.yml"), batch=2, max_failures=9, fail=False,
    )  # fmt: skip
    found = result(done)
    assert (found["failed"], found["unreachable"]) == ([WEB], [REDIS]), done.output
    assert set(found["ok"]) == {SHOP, WEB2}
    assert found["hosts"][SHOP]["stdout"] == "there"
    assert found["hosts"][WEB]["message"] == "Say more: ended with 9"
    assert (found["hosts"][WEB]["rc"], found["hosts"][WEB]["stderr"]) == (9, "broken")
    assert "Ansible lost the host" in found["hosts"][REDIS]["message"]
    assert found["hosts"][WEB2]["seconds"] > 0
    assert "4 hosts: 2 ok, 1 failed, 1 unreachable, 0 skipped." in done.output


def test_what_a_task_of_a_file_with_no_log_says_is_not_in_the_result(sim: Simulator, tmp_path: Path) -> None:
    command = "echo secret-$((6 * 7)) | tee /dev/stderr; exit 3"
    task = f"- {{name: Log in, no_log: true, ansible.builtin.shell: {{cmd: '{command}'}}}}"
    (tmp_path / "my_tasks.yml").write_text(f"{task}\n", encoding="utf-8")
    done = run(sim, tmp_path, [REDIS, WEB], tasks_file=str(tmp_path / "my_tasks.yml"), max_failures=2)
    found = result(done)
    assert set(found["failed"]) == {REDIS, WEB}
    assert (found["hosts"][WEB]["message"], found["hosts"][WEB]["rc"]) == ("Log in: ended with 3", 3)
    assert "secret-42" not in done.output


def test_when_every_host_is_lost_there_is_a_result(sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "my_tasks.yml").write_text(TASKS, encoding="utf-8")
    sim.fault("GET", "/v1/command-exec/*", {"exec": {"do": "refuse"}}, times=None)
    done = run(sim, tmp_path, [REDIS, SHOP], tasks_file=str(tmp_path / "my_tasks.yml"))
    assert done.code == 4, done.output
    assert set(result(done)["unreachable"]) == {REDIS, SHOP}


def test_check_mode_goes_nowhere_and_says_so(sim: Simulator, tmp_path: Path) -> None:
    done = run(sim, tmp_path, [REDIS, WEB], "--check", commands=["echo one", "echo two"])
    assert done.code == 0, done.output
    found = result(done)
    assert set(states(found)["skipped"]) == {REDIS, WEB}
    assert (found["check_mode"], found["passed"]) == (True, True)
    assert "2 commands would run" in found["hosts"][WEB]["message"]
    assert "2 commands would run" in done.output
    assert not entered(done)
    assert not done.writes


def test_secrets_of_the_environment_stay_secret(sim: Simulator, tmp_path: Path) -> None:
    secret = f"it's {os.urandom(12).hex()}"
    # Neither the shell nor the module that started it has it in its command line, nor the module in its environment.
    seen = 'cat /proc/$$/cmdline /proc/$PPID/cmdline /proc/$PPID/environ | grep -a -c -F -e "$PASSWORD" || true'
    command = f'printf "%s\\n" "$PASSWORD" | wc -c; echo "[$PASSWORD]"; {seen}'
    done = run(
        sim, tmp_path, [REDIS, WEB], "-vvvvv",
        commands=[command], environment={"PASSWORD": secret, "TRIES": 3},
    )  # fmt: skip
    assert done.code == 0, done.output[-3000:]
    assert secret[5:] not in done.output
    for record in result(done)["hosts"].values():
        assert record["stdout"] == f"{len(secret) + 1}\n[********]\n0"


def test_without_a_host_there_is_a_result(sim: Simulator, tmp_path: Path) -> None:
    done = run(sim, tmp_path, ["nobody"], commands=["true"])
    assert done.code == 2
    assert "No host of the inventory matches the pattern" in done.output
    assert not entered(done)
    assert result(done)["hosts"] == {}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing to do": ({}, "Give either container_shell_task_commands or"),
    "an empty answer": ({"commands": None}, "Give either container_shell_task_commands or"),
    "a truth value": ({"commands": True}, "neither text nor a list of texts, but true."),
    "a number": ({"commands": ["date", 5]}, "neither text nor a list of texts"),
    "a mapping": ({"commands": {"date": "+%s"}}, "neither text nor a list of texts"),
    "odd name": ({"commands": ["true"], "environment": {"A;reboot": "1"}}, "only names of letters"),
}


def test_what_cannot_be_done_is_said_at_once(sim: Simulator, tmp_path: Path) -> None:
    tasks: list[dict[str, Any]] = [
        {
            "name": name,
            "block": [
                {
                    "ansible.builtin.include_role": {"name": "quayside.paas.container_shell_task"},
                    "vars": {f"container_shell_task_{option}": value for option, value in variables.items()},
                }
            ],
            "rescue": [{"ansible.builtin.set_fact": {f"message_{number}": "{{ ansible_failed_result.msg }}"}}],
        }
        for number, (name, (variables, _said)) in enumerate(REFUSED.items())
    ]
    ending = {**save({name: f"message_{number}" for number, name in enumerate(REFUSED)}), "delegate_to": "localhost"}
    done = with_inventories(sim, tmp_path, [{"hosts": REDIS, "gather_facts": False, "tasks": [*tasks, ending]}])
    assert done.code == 0, done.output
    messages = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    for name, (_variables, said) in REFUSED.items():
        assert said in messages[name], name
    assert not entered(done)


def test_a_run_that_cannot_be_done_fails(sim: Simulator, tmp_path: Path) -> None:
    done = run(sim, tmp_path, [REDIS])
    assert done.code == 2
    assert "Give either container_shell_task_commands or" in done.output
