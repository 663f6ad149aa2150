# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From two inventory files to a play in every running container of both platforms."""

from __future__ import annotations

import dataclasses
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

from support.cycle import instance_id
from support.settings import NIGHTLY
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
FACTS: list[dict[str, Any]] = [
    {
        "name": "Look at the facts",
        "ansible.builtin.assert": {"that": "ansible_facts.python_version is version('3', '>=')", "quiet": True},
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


@dataclasses.dataclass(frozen=True)
class Hosts:
    """Where a play runs. pattern: for Ansible. count: how many hosts that is. instances: those of Cycle, by id."""

    pattern: str
    count: int
    instances: set[str]


# Each kind of container once: of an addon and a job, with a name that is hostile, with one that two projects have; of
# Cycle healthy, unhealthy and unknown ones, on a server that is evacuated, beside instances in all states, with a name
# that is hostile, with one that Northflank has too.
NORTHFLANK_KINDS = ("session-redis-0", "northflank_kind_job", "checkout_api*", "worker-0_*")
NORTHFLANK_COUNT = 5
CYCLE_KINDS = {
    "web-1": ("web", 1),
    "canary-3": ("canary", 3),
    "checkout-api-3": ("checkout-api", 3),
    "ledger-2": ("ledger", 5),
    "hostile-name-1": ("hostile-name", 1),
    "orders-postgres-1_*": ("orders-postgres", 1),
}
# What makes a difference to the way in.
CYCLE_FEW = ("web-1", "hostile-name-1")


def every_host(sim: Simulator) -> Hosts:
    """All running containers of both platforms."""
    instances = running_instances(sim)
    return Hosts("all", len(running_containers(sim)) + len(instances), instances)


def one_of_each_kind() -> Hosts:
    """A container of each kind of both platforms."""
    pattern = ":".join((*NORTHFLANK_KINDS, *CYCLE_KINDS))
    instances = {instance_id(*found) for found in CYCLE_KINDS.values()}
    return Hosts(pattern, NORTHFLANK_COUNT + len(instances), instances)


def some_of_cycle() -> Hosts:
    """Some instances of Cycle."""
    instances = {instance_id(*CYCLE_KINDS[name]) for name in CYCLE_FEW}
    return Hosts(":".join(CYCLE_FEW), len(instances), instances)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_play_runs_twice_and_changes_nothing_the_second_time(me: User, shape: str) -> None:
    me.sim.cycle.settings(ssh=SHAPES[shape])
    everything = shape == "exec and sftp"  # facts and Northflank do not depend on the shape of Cycle's gateway
    hosts = every_host(me.sim) if NIGHTLY else one_of_each_kind() if everything else some_of_cycle()
    # Without pipelining, modules are files that have to be copied first.
    pipelining = "0" if shape == "exec only" else "1"
    for changed in (1, 0):
        facts = everything and bool(changed)
        play = {"hosts": hosts.pattern, "gather_facts": facts, "tasks": [*TASKS, *(FACTS if facts else [])]}
        me.sim.clear_journal()
        done = me.play([play], "-vvvvv", ANSIBLE_PIPELINING=pipelining)
        assert done.code == 0, done.output[-3000:]
        assert len(done.recap) == hosts.count
        assert {line["changed"] for line in done.recap.values()} == {changed}
        assert not any(line["unreachable"] or line["failed"] for line in done.recap.values())
        # Credentials are created once for each host, however many tasks. The second play uses the same connections.
        assert sorted(ssh_requests(me.sim, "GET")) == sorted(hosts.instances if changed else [])
        assert ssh_requests(me.sim, "DELETE") == []
        assert not done.leaks
        assert not [secret for secret in me.secrets if secret in done.output]
        assert not me.files_with_secrets()
        assert SSH_SECRET not in me.sim.log
