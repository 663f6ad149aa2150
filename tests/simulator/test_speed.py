# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator must not be what a measurement measures."""

from __future__ import annotations

import http.client
import json
import os
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from support.simulator import Simulator


def processor_time(sim: Simulator) -> float:
    """Return the seconds of processor time the simulator has had."""
    fields = Path(f"/proc/{sim.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def per_request(sim: Simulator, path: str, amount: int) -> float:
    """Return the seconds of processor time the simulator takes for a request: others on the machine do not matter."""
    where = urlsplit(sim.url)
    headers = {"Authorization": f"Bearer {sim.token}"}
    sim.settings(rate_limit={"limit": 10**6})
    with closing(http.client.HTTPConnection(str(where.hostname), where.port)) as connection:
        before = processor_time(sim)
        for _number in range(amount):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
        return (processor_time(sim) - before) / amount


def test_a_plain_get(sim: Simulator) -> None:
    assert per_request(sim, "/v1/projects/storefront/addons/orders-postgres", 1000) < 0.001


def test_ten_thousand_addons_page_quickly(sim: Simulator) -> None:
    project = sim.generate(projects=1, addons=10_000)["projects"][0]
    for page in (1, 50, 100):
        assert per_request(sim, f"/v1/projects/{project}/addons?per_page=100&page={page}", 40) < 0.01


def test_a_reset_is_quick(sim: Simulator) -> None:
    started = time.perf_counter()
    for _number in range(10):
        sim.reset()
    assert (time.perf_counter() - started) / 10 < 0.1


def test_the_estate_stays_small(sim: Simulator) -> None:
    assert len(json.dumps(sim.estate())) < 400_000
