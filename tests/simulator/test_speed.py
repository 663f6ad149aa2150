# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator must not be what a measurement measures: no page costs more because its list is long."""

from __future__ import annotations

import http.client
import json
import os
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from support.cycle import CONTAINERS, at
from support.simulator import Simulator

FEW, MANY = 100, 3000
# Measured is about 1. A page that looked at each item of its list would take 30 times as long.
FACTOR = 6
TICK = 1 / os.sysconf("SC_CLK_TCK")


def processor_time(sim: Simulator) -> float:
    """Return the seconds of processor time the simulator has had: others on the machine do not matter."""
    fields = Path(f"/proc/{sim.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def cost(sim: Simulator, url: str, headers: dict[str, str], path: str, amount: int = 50) -> float:
    """Return the seconds of processor time that the simulator takes for some requests."""
    where = urlsplit(url)
    with closing(http.client.HTTPConnection(str(where.hostname), where.port)) as connection:
        before = processor_time(sim)
        for _number in range(amount):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
        # The clock of the kernel is coarse.
        return processor_time(sim) - before + TICK


def test_pages_of_long_lists(sim: Simulator) -> None:
    few, many = (sim.generate(projects=1, addons=addons)["projects"][0] for addons in (FEW, MANY))
    headers = {"Authorization": f"Bearer {sim.token}"}
    usual = cost(sim, sim.url, headers, f"/v1/projects/{few}/addons?per_page=100")
    for page in (1, MANY // 100):
        assert cost(sim, sim.url, headers, f"/v1/projects/{many}/addons?per_page=100&page={page}") < FACTOR * usual


def test_pages_of_large_containers(sim: Simulator) -> None:
    few, many = (
        at(name, rest="/instances?include=servers&meta=node&page[size]=100&page[number]=") for name in ("web", "worker")
    )
    for name, instances in (("web", FEW), ("worker", MANY)):
        sim.generate(platform="cycle", container=CONTAINERS[name], instances=instances)
    usual = cost(sim, sim.cycle.url, sim.cycle.headers(), f"{few}1", 10)
    for page in (1, MANY // 100):
        assert cost(sim, sim.cycle.url, sim.cycle.headers(), f"{many}{page}", 10) < FACTOR * usual


def test_the_estate_stays_small(sim: Simulator) -> None:
    assert len(json.dumps(sim.estate())) < 400_000
