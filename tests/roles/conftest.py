# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator for the roles, with tokens like no other's on this machine, as at its start for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import yaml

from support.simulator import SERVICE, Simulator, start_simulator


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator of the shipped estate with other tokens and keys, for the whole session."""
    estate = yaml.safe_load((SERVICE / "paas_simulator" / "estate.yml").read_text(encoding="utf-8"))
    for entry in estate["northflank"]["tokens"]:
        entry["token"] = f"nf-sim-{entry['name']}-{os.urandom(16).hex()}"
    for entry in estate["cycle"]["keys"]:
        entry["key"] = f"cycle-sim-{entry['name']}-{os.urandom(16).hex()}"
    file = tmp_path_factory.mktemp("estate") / "estate.yml"
    file.write_text(yaml.safe_dump(estate, allow_unicode=True), encoding="utf-8")
    running = start_simulator(estate=file)
    yield running
    running.stop()


@pytest.fixture
def sim(simulator: Simulator) -> Simulator:
    """The simulator with the estate, clock, settings, faults and journal of its start."""
    simulator.reset()
    return simulator
