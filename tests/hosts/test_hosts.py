# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From two inventory files to a play in every running container of both platforms."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from host_runs import (
    SHAPES,
    SSH_SECRET,
    User,
    running_containers,
    running_instances,
    ssh_requests,
    user,
)

from support.simulator import Simulator

TASKS: list[dict[str, Any]] = [
    {
        "name": "Install a file",
        "ansible.builtin.template": {"src": "motd.j2", "dest": "~/motd.txt", "mode": "0640"},
    },
    {"name": "Read it", "ansible.builtin.slurp": {"src": "~/motd.txt"}, "register": "motd"},
    {
        "name": "Compare it",
        "ansible.builtin.assert": {
            "that": "(motd.content | b64decode) == ('Here is ' ~ inventory_hostname ~ ', \u00e4\u20ac\n')",
            "quiet": True,
        },
    },
]


@pytest.fixture
def me(tmp_path: Path, sim: Simulator) -> User:
    """A user of the whole estate, in which nothing starts or ends by itself."""
    sim.clock(freeze=True)
    (tmp_path / "motd.j2").write_text("Here is {{ inventory_hostname }}, ä€\n", encoding="utf-8")
    return user(tmp_path, sim)


def test_the_graph_shows_the_estate_in_groups(me: User) -> None:
    done = me.run("ansible-inventory", "--graph")
    assert done.code == 0, done.output
    groups = set(re.findall(r"@([\w-]+):", done.output))
    assert {
        *("northflank_kind_addon", "northflank_kind_service", "northflank_kind_job", "northflank_project_storefront"),
        *("northflank_addon_type_postgresql", "northflank_status_TASK_RUNNING"),
        *("cycle_environment_production", "cycle_container_web", "cycle_server_eu_ams_1", "cycle_state_running"),
        *("cycle_health_healthy",),
    } <= groups
    assert not done.leaks


def test_facts_are_gathered_in_every_running_container(me: User) -> None:
    expected = len(running_containers(me.sim)) + len(running_instances(me.sim))
    done = me.run("ansible", "all", "-m", "ansible.builtin.setup", ANSIBLE_PIPELINING="1")
    assert done.output.count(" | SUCCESS => ") == expected, done.output[-3000:]
    assert done.code == 0
    assert done.output.count('"ansible_python_version"') == expected


@pytest.mark.parametrize("shape", SHAPES)
def test_a_play_runs_twice_and_changes_nothing_the_second_time(me: User, shape: str) -> None:
    me.sim.cycle.settings(ssh=SHAPES[shape])
    instances = running_instances(me.sim)
    # Northflank does not depend on the shape of Cycle's gateway.
    everywhere = shape == "exec and sftp" or "NIGHTLY" in os.environ
    hosts = len(instances) + (len(running_containers(me.sim)) if everywhere else 0)
    play = {"hosts": "all" if everywhere else "cycle_state_running", "gather_facts": False, "tasks": TASKS}
    # Without pipelining, modules are files that have to be copied first.
    pipelining = "0" if shape == "exec only" else "1"
    for changed in (1, 0):
        me.sim.clear_journal()
        done = me.play([play], "-vvvvv", ANSIBLE_PIPELINING=pipelining)
        assert done.code == 0, done.output[-3000:]
        assert len(done.recap) == hosts
        assert {line["changed"] for line in done.recap.values()} == {changed}
        assert not any(line["unreachable"] or line["failed"] for line in done.recap.values())
        # Credentials are created once for each host, however many tasks. The second play uses the same connections.
        assert sorted(ssh_requests(me.sim, "GET")) == sorted(instances if changed else [])
        assert ssh_requests(me.sim, "DELETE") == []
        assert not done.leaks
        assert not [secret for secret in me.secrets if secret in done.output]
        assert not me.files_with_secrets()
        assert SSH_SECRET not in me.sim.log
