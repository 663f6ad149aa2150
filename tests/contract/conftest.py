# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every case of every module in every way, once for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.ways import WAYS, Ran, play
from support.playbook import run_playbook

if TYPE_CHECKING:
    from support.simulator import Simulator


@pytest.fixture(scope="session")
def ways(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """All cases, in every way, each on a simulator in the same state whose clock stands still."""
    ran = {}
    for name, way in WAYS.items():
        simulator.reset()
        # The time from one reset to its freeze differs; what the platform tells may depend on it.
        simulator.clock(freeze=True, set="2026-11-02T08:00:00Z")
        run = run_playbook(
            tmp_path_factory.mktemp("contract"),
            play(simulator, way["turns"]),
            "-vvvvv",
            *(["--check", "--diff"] if way["check"] else []),
            extra_vars={"quayside_paas_in_process": way["in_process"]},
            # Results then repeat the arguments, the token among them: masked, in both hosts.
            env={"ANSIBLE_INJECT_INVOCATION": "1"},
        )
        assert run.results, run.output[-4000:]
        ran[name] = Ran(run, simulator.journal())
    return ran
