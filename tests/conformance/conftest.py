# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's own client, aimed at the simulator."""

from __future__ import annotations

import pytest
from northflank import ApiClient

from conformance.calls import Clients
from support.simulator import Simulator


@pytest.fixture
def clients(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> Clients:
    """Make clients with the token of a name."""
    # The client goes through whatever proxy the environment names.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    sim.clock(freeze=True, set="2026-11-02T08:00:00Z")
    return lambda name: ApiClient(api_token=sim.tokens.get(name, name), base_url=sim.url)
