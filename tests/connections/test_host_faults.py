# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong on the way into an instance of Cycle is one clear message."""

from __future__ import annotations

from pathlib import Path

import pytest
from host_runs import User, adhoc, in_the_middle, message_of, ssh_requests, user, with_variables

from support.cycle import CONTAINERS, instance_id
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
