# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator must not be what a measurement measures."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing
from urllib.parse import urlsplit

from support.simulator import Simulator


def per_request(sim: Simulator, path: str, amount: int) -> float:
    """Return the seconds a request takes on one connection, the median of three tries."""
    where = urlsplit(sim.url)
    headers = {"Authorization": f"Bearer {sim.token}"}
    tries = []
    with closing(http.client.HTTPConnection(str(where.hostname), where.port)) as connection:
        for _try in range(3):
            started = time.perf_counter()
            for _number in range(amount):
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200
            tries.append((time.perf_counter() - started) / amount)
    return sorted(tries)[1]


def test_a_plain_get(sim: Simulator) -> None:
    sim.settings(rate_limit={"limit": 10**6})
    # Client and server share the machine with others: several times what it takes.
    assert per_request(sim, "/v1/projects/storefront/addons/orders-postgres", 300) < 0.005


def test_ten_thousand_addons_page_quickly(sim: Simulator) -> None:
    project = sim.generate(projects=1, addons=10_000)["projects"][0]
    first = per_request(sim, f"/v1/projects/{project}/addons?per_page=100", 20)
    final = per_request(sim, f"/v1/projects/{project}/addons?per_page=100&page=100", 20)
    assert first < 0.02
    assert final < 0.02


def test_a_reset_is_quick(sim: Simulator) -> None:
    started = time.perf_counter()
    for _number in range(10):
        sim.reset()
    assert (time.perf_counter() - started) / 10 < 0.1


def test_the_estate_stays_small(sim: Simulator) -> None:
    assert len(json.dumps(sim.estate())) < 400_000
