# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on the way into an instance of Cycle is one clear message, and no credential is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from host_runs import (
    LONG,
    User,
    adhoc,
    in_the_middle,
    message_of,
    running_instances,
    ssh_requests,
    user,
    valid_credentials,
    wait_until_begun,
    wait_until_expired,
    with_variables,
)

from support.cycle import CONTAINERS, instance_id
from support.settings import NIGHTLY, limit, wait_for
from support.simulator import Simulator

WEB = "web-1"


@pytest.fixture
def me(tmp_path: Path, sim: Simulator) -> User:
    """A user of the whole estate."""
    return user(tmp_path, sim)


def test_an_instance_that_is_deleted_in_mid_play_is_one_message(me: User) -> None:
    instance = instance_id("web", 1)
    path = f"/v1/containers/{CONTAINERS['web']}/instances/{instance}"
    done = in_the_middle(me, [WEB], lambda: me.sim.cycle.send("DELETE", path))
    assert message_of(done)
    assert ssh_requests(me.sim, "GET") == [instance]


def test_a_key_that_is_refused_is_one_message(me: User) -> None:
    keys = {WEB: me.sim.cycle.keys["read-only"], "web-2": "nonsense"}
    with_variables(me, {host: {"ansible_cycle_api_key": key} for host, key in keys.items()})
    done = adhoc(me, ":".join(keys), "true")
    for host, key in keys.items():
        assert message_of(done, host)
        assert key not in done.output


def test_a_gateway_that_is_slow_is_one_message_and_leaves_no_credential(me: User) -> None:
    me.sim.cycle.settings(ssh={"delay": 3600})
    done = adhoc(me, WEB, "true", "-e", "ansible_ssh_timeout=3")
    assert message_of(done)
    assert len(ssh_requests(me.sim, "GET")) == 1
    wait_until_expired(me.sim, running_instances(me.sim))


def test_a_task_that_fails_leaves_no_credential(me: User) -> None:
    done = adhoc(me, WEB, "exit 7")
    assert done.code == 2
    assert "rc=7" in done.output
    wait_until_expired(me.sim, running_instances(me.sim))


def test_a_connection_that_is_reset_leaves_no_credential_for_the_end_of_the_run(me: User) -> None:
    # In a container that ends together with the run, there is nobody left then to expire anything.
    flag = me.folder / "reset"
    raw, wait = {"ansible.builtin.raw": "true"}, {"ansible.builtin.command": "sleep 3600"}
    plays: list[dict[str, Any]] = [
        {"hosts": "cycle_container_web", "tasks": [raw, {"ansible.builtin.meta": "reset_connection"}]},
        {"hosts": "localhost", "connection": "local", "tasks": [{"ansible.builtin.command": f"touch {flag}"}, wait]},
    ]
    (me.folder / "play.yml").write_text(json.dumps([{**play, "gather_facts": False} for play in plays]))
    with me.started("ansible-playbook", "play.yml") as process:
        wait_until_begun(flag, process)
        instances = set(ssh_requests(me.sim, "GET"))
        assert len(instances) > 1
        assert not valid_credentials(me.sim, instances)


def to_all(process: subprocess.Popen[str], number: int) -> None:
    """What Ctrl-C does: the signal goes to all processes of the terminal."""
    os.killpg(process.pid, number)


def to_one(process: subprocess.Popen[str], number: int) -> None:
    os.kill(process.pid, number)


EXEC, SHELL = {"exec": True, "sftp": True}, {"exec": False, "sftp": False}
ENDS = {
    "ctrl-c": (to_all, signal.SIGINT),
    "controller killed": (to_one, signal.SIGKILL),
    "all killed": (to_all, signal.SIGKILL),
    "terminated": (to_one, signal.SIGTERM),
}
# The credentials do not depend on the shape of the gateway.
IN_A_SHELL = list(ENDS) if NIGHTLY else ["ctrl-c"]


@pytest.mark.parametrize(
    ("end", "shape"),
    [(end, EXEC) for end in ENDS] + [(end, SHELL) for end in IN_A_SHELL],
    ids=[f"exec-{end}" for end in ENDS] + [f"shell-{end}" for end in IN_A_SHELL],
)
def test_a_run_that_is_ended_leaves_no_credential(me: User, end: str, shape: dict[str, bool]) -> None:
    send, number = ENDS[end]
    me.sim.cycle.settings(ssh=shape)
    flag = me.folder / "begun"
    command = f"touch {flag}; {LONG}"
    with me.started("ansible", WEB, "-m", "ansible.builtin.raw", "-a", command) as process:
        wait_until_begun(flag, process)
        send(process, number)
        process.wait(timeout=limit(30))
        instances = set(ssh_requests(me.sim, "GET"))
        assert len(instances) == 1
        wait_until_expired(me.sim, instances)
        wait_for(lambda: not me.sim.cycle.ssh()["connections"], "the end of all connections")
