# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the simulator itself share."""

from __future__ import annotations

import sys

import pytest

from support import properties
from support.simulator import SERVICE, Simulator

sys.path.insert(0, str(SERVICE))
properties.load()


@pytest.fixture
def still(sim: Simulator) -> Simulator:
    """The simulator at its start, its clock standing still."""
    sim.clock(freeze=True, set="2026-11-02T08:00:00.000Z")
    return sim
