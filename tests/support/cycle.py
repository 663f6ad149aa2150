# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of what the shipped estate has at Cycle, and paths made of them."""

from __future__ import annotations

from typing import Any

from .simulator import Reply, Simulator

HUB = "66b000000000000000000001"
SERVERS = {
    "eu-ams-1": "665e00000000000000000001",
    "eu-ams-2": "665e00000000000000000002",
    "eu-fra-1": "665e00000000000000000003",
    "eu-fra-2": "665e00000000000000000004",
    "us-nyc-1": "665e00000000000000000005",
    "us-sjc-1": "665e00000000000000000006",
}
CONTAINERS = {
    name: f"66c0000000000000000000{number:02x}"
    for number, name in enumerate(
        (
            "web",
            "worker",
            "orders-postgres",
            "checkout-api",
            "loadbalancer",
            "edge-cache",
            "resize",
            "reports",
            "canary",
            "ledger",
            "hostile-name",
        ),
        1,
    )
}
ENVIRONMENTS = {
    name: f"66e0000000000000000000{number:02x}" for number, name in enumerate(("production", "staging", "overseas"), 1)
}


def instance_id(container: str, number: int) -> str:
    """Return the id of an instance of the estate, by its container's identifier and its number from 1."""
    return f"66d000{CONTAINERS[container][-2:]}{number:016x}"


def at(container: str, instance: int | str | None = None, rest: str = "") -> str:
    """Return the path of a container, or of an instance of it (its number in the estate, or its id)."""
    path = f"/v1/containers/{CONTAINERS[container]}"
    if instance is not None:
        path += f"/instances/{instance_id(container, instance) if isinstance(instance, int) else instance}"
    return path + rest


def placement(**amounts: int) -> list[dict[str, Any]]:
    """Return the body of a request that creates instances; servers with _ for -."""
    return [{"server_id": SERVERS[name.replace("_", "-")], "new_instances": amount} for name, amount in amounts.items()]


def ids(reply: Reply) -> list[str]:
    """Return the ids of a list."""
    assert reply.status == 200, reply.data
    return [each["id"] for each in reply.data["data"]]


def code(reply: Reply) -> str:
    """Return the code of an error, its envelope checked."""
    assert reply.data["data"] is None
    assert reply.data["error"]["status"] == reply.status
    return str(reply.data["error"]["code"])


def job(sim: Simulator, accepted: Reply) -> dict[str, Any]:
    """Return the job that a 202 tells of, as it is now."""
    assert accepted.status == 202, accepted.data
    reply = sim.cycle.get(f"/v1/jobs/{accepted.data['data']['job']['id']}")
    assert reply.status == 200, reply.data
    found: dict[str, Any] = reply.data["data"]
    return found


def instance(sim: Simulator, container: str, which: int | str) -> dict[str, Any]:
    """Return an instance as it is now."""
    reply = sim.cycle.get(at(container, which))
    assert reply.status == 200, reply.data
    found: dict[str, Any] = reply.data["data"]
    return found


def state(sim: Simulator, container: str, which: int | str) -> str:
    """Return the state of an instance, or "gone"."""
    reply = sim.cycle.get(at(container, which))
    return "gone" if reply.status == 404 else str(reply.data["data"]["state"]["current"])
