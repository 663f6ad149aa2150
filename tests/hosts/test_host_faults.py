# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on the way into a container is one clear message, soon."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from host_runs import Done, User, ssh_requests, user, watched

from support.cycle import CONTAINERS
from support.simulator import Simulator

REDIS = "session-redis-0"  # of the addon session-redis in the project storefront
WEB = "cycle_container_web[0]"
SOON = 25.0  # seconds, with what Ansible itself needs


@pytest.fixture
def me(tmp_path: Path, sim: Simulator) -> User:
    """A user of the whole estate."""
    return user(tmp_path, sim)


def one_message(done: Done, kind: str, *texts: str) -> None:
    """Asserts that the host failed in that way, with one message that holds the texts, and without a traceback."""
    assert done.output.count(f"{kind}!") == 1, done.output[-3000:]
    assert "Traceback" not in done.output
    (told,) = re.findall(r'"msg": (".*")', done.output)
    message = json.loads(told)
    for text in texts:
        assert text in message, message
    assert not [secret for secret in (*done.leaks,) if secret]


def adhoc(me: User, host: str, command: str, *arguments: str, **more: str) -> tuple[Done, float]:
    """Runs a command in a host; how it went, and the seconds it took."""
    began = time.monotonic()
    done = me.run("ansible", host, "-m", "ansible.builtin.raw", "-a", command, *arguments, timeout=120, **more)
    assert not [secret for secret in me.secrets if secret in done.output]
    return done, time.monotonic() - began


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"do": "reset", "seconds": 0.5}, "broke"),
        ({"do": "close", "seconds": 0.5}, "closed the connection before the command had ended"),
        ({"do": "error", "message": "The node is gone", "seconds": 0.5}, "The node is gone"),
        ({"do": "close", "completion": True}, "before the command had ended"),
        ({"do": "unknown", "seconds": 0.5}, "unknown type"),
        ({"do": "no_json", "seconds": 0.5}, "no message of exec"),
        ({"do": "refuse", "message": "Not today"}, "Not today"),
    ],
    ids=lambda value: value["do"] if isinstance(value, dict) else "",
)
def test_exec_that_breaks_is_one_message(me: User, fault: dict[str, object], text: str) -> None:
    me.sim.fault("GET", "/v1/command-exec/*", {"exec": fault})
    done, seconds = adhoc(me, REDIS, "sleep 2; echo done")
    assert done.code == 4
    one_message(done, "UNREACHABLE", REDIS, text)
    assert seconds < SOON
    # What may have run is not run again.
    assert len([entry for entry in me.sim.journal() if "command-exec" in entry["path"]]) <= 2


def test_another_init_changes_nothing(me: User) -> None:
    me.sim.fault("GET", "/v1/command-exec/*", {"exec": {"do": "init", "messages": 1}})
    done, _seconds = adhoc(me, REDIS, "echo one; sleep 1; echo two; exit 3")
    assert "rc=3" in done.output
    assert "one" in done.output
    assert "two" in done.output


def test_a_handshake_that_fails_is_repeated(me: User) -> None:
    me.sim.fault("GET", "/v1/command-exec/*", {"status": 503}, times=2)
    done, _seconds = adhoc(me, REDIS, "echo there")
    assert done.code == 0, done.output


@pytest.mark.parametrize("token", ["read-only", "expired", "nonsense"])
def test_a_token_that_is_refused_is_one_message(me: User, token: str) -> None:
    value = me.sim.tokens.get(token, token)
    (me.folder / "vars.json").write_text(json.dumps({"ansible_northflank_api_token": value}), encoding="utf-8")
    done, seconds = adhoc(me, REDIS, "true", "-e", "@vars.json")
    assert value not in done.output
    one_message(done, "UNREACHABLE", "token")
    assert seconds < SOON


def test_exec_that_is_slow_is_one_message(me: User) -> None:
    me.sim.settings(exec={"delay": 60})
    done, seconds = adhoc(me, REDIS, "true", "-e", "ansible_northflank_timeout=2")
    one_message(done, "UNREACHABLE", "within 2 seconds")
    assert seconds < SOON


def in_the_middle(me: User, host: str, act: Callable[[], object]) -> tuple[Done, float]:
    """Runs a command of ten seconds in a host; acts when it has begun."""
    flag = me.folder / "begun"
    command = f"touch {flag}; sleep 10; echo over"
    with (
        watched(me.secrets) as leaks,
        me.started("ansible", host, "-m", "ansible.builtin.raw", "-a", command) as process,
    ):
        while not flag.exists():
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.05)
        began = time.monotonic()
        act()
        output, _nothing = process.communicate(timeout=60)
    return Done(process.returncode, output, leaks), time.monotonic() - began


@pytest.mark.parametrize("sockets", ["reset", "close"])
def test_a_container_that_is_replaced_in_mid_play_is_one_message(me: User, sockets: str) -> None:
    request = {"project": "storefront", "addon": "session-redis", "container": REDIS, "sockets": sockets}
    done, seconds = in_the_middle(me, REDIS, lambda: me.sim.control("replace", request))
    one_message(done, "UNREACHABLE", REDIS)
    assert seconds < 9
    # The next play with the same inventory finds the one that came instead.
    done, _seconds = adhoc(me, "northflank_addon_type_redis", "echo there")
    assert REDIS not in done.output
    assert "there" in done.output


def first_web(me: User) -> str:
    listed = me.run("ansible-inventory", "--list")
    hosts = json.loads(listed.output[listed.output.index("{\n") :])  # behind the warnings
    name: str = hosts["cycle_container_web"]["hosts"][0]
    identity = hosts["_meta"]["hostvars"][name]["ansible_cycle_instance_id"]
    return str(identity["__ansible_unsafe"] if isinstance(identity, dict) else identity)  # as Ansible writes it


def test_an_instance_that_is_deleted_in_mid_play_is_one_message(me: User) -> None:
    instance = first_web(me)
    path = f"/v1/containers/{CONTAINERS['web']}/instances/{instance}"
    done, seconds = in_the_middle(me, WEB, lambda: me.sim.cycle.send("DELETE", path))
    one_message(done, "UNREACHABLE")
    assert seconds < 9
    assert ssh_requests(me.sim, "GET") == [instance]
    assert not done.leaks


@pytest.mark.parametrize("key", ["read-only", "nonsense"])
def test_a_key_that_is_refused_is_one_message(me: User, key: str) -> None:
    value = me.sim.cycle.keys.get(key, key)
    (me.folder / "vars.json").write_text(json.dumps({"ansible_cycle_api_key": value}), encoding="utf-8")
    done, seconds = adhoc(me, WEB, "true", "-e", "@vars.json")
    assert value not in done.output
    one_message(done, "UNREACHABLE")
    assert seconds < SOON


def test_workers_end_with_the_controller_and_not_with_the_command(me: User) -> None:
    flag = me.folder / "begun"
    with me.started("ansible", f"{REDIS}*", "-m", "ansible.builtin.raw", "-a", f"touch {flag}; sleep 60") as process:
        while not flag.exists():
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.05)
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert workers
        process.kill()
        process.wait(timeout=30)
        deadline = time.monotonic() + 10
        while (left := [pid for pid in workers if Path(f"/proc/{pid}/cwd").exists()]) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not left
