# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``meta`` adds to a resource: counts, nodes, allocations, addresses; computed when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..messages import Record
from .shared import NO_ID
from .stamps import nano, stamp
from .state import State
from .units import megabytes

Meta = Callable[[State, Record], Any]

_UPTIME = 30 * 86400
_RAM_MB = 65536
_SHARES = 16384


def count(records: Iterable[Record]) -> Record:
    """Return a StateCountSummary; available are all that are not deleted."""
    states = Counter(record["state"]["current"] for record in records)
    total = sum(states.values())
    return {"state": dict(states), "total": total, "available": total - states["deleted"]}


def _instances_of(state: State, container: Record) -> Iterable[Record]:
    return state.containers[container["id"]].instances.values()


def _containers_of(state: State, environment: Record) -> list[Record]:
    return [each.data for each in state.containers.values() if each.data["environment"]["id"] == environment["id"]]


def _ip(state: State, instance: Record) -> Record:
    address = instance["environment"]["ipv6"]
    return {
        "id": "66fa" + instance["id"][4:],
        "hub_id": state.hub_id,
        "kind": "ipv6",
        "ip": address["ip"],
        "address": address["ip"],
        "cidr": address["cidr"],
        "gateway": "fd00::1",
        "pool_id": "66fb00000000000000000001",
        "network_id": "66fc00000000000000000001",
        "assignment": {
            "container_id": instance["container_id"],
            "instance_id": instance["id"],
            "environment_id": instance["environment"]["id"],
        },
        "state": {"current": "assigned", "changed": instance["events"]["created"]},
    }


def _node_state(state: State, server_id: str) -> Record:
    current = "online" if state.online[server_id] else "offline"
    return {"current": current, "changed": state.servers[server_id]["events"]["created"], "desired": "online"}


def _checkin(state: State, server_id: str) -> str:
    now = state.now()
    return nano(now - now % 10 if state.online[server_id] else now - 7200)


def instance_node(state: State, instance: Record) -> Record:
    """Return the node an instance is on."""
    server_id = instance["server_id"]
    online = state.online[server_id]
    return {
        "healthy": online,
        "online": online,
        "last_checkin": _checkin(state, server_id),
        "state": _node_state(state, server_id),
    }


def _stats(state: State, server: Record) -> Record:
    number = int(server["id"][-4:], 16) % 250
    elapsed = int(state.now()) % _UPTIME
    interface = {
        "interface": "eth0",
        "flags": "up|broadcast|multicast",
        "mtu": 1500,
        "mac_addr": server["provider"]["mac_addr"],
        "addrs": server["provider"]["init_ips"],
        "speed": 10000,
        "rx_bytes": elapsed * 120_000,
        "tx_bytes": elapsed * 90_000,
    }
    return {
        "network": {
            "interfaces": {"eth0": interface},
            "external_ipv4": f"198.51.100.{number}",
            "external_ipv6": f"2001:db8::{number:x}",
        },
        "uptime": {"seconds": elapsed, "cpu_idle": elapsed * 12},
        "cpu": {
            "physical_cpus": 1,
            "cores": 16,
            "threads": 32,
            "processors": [{"model": "Simulated", "speed": 2800.0}],
        },
        "load": {"avg1m": 1.5, "avg5m": 1.25, "avg15m": 1.0},
        "ram": {"available": _RAM_MB - 8192, "free": _RAM_MB - 16384, "total": _RAM_MB},
        "storage": {"volume_groups": {}, "mounts": {}},
        "os": {"release": "CycleOS", "kernel": "6.6.0", "hostname": server["hostname"]},
        "vendor": {"system_vendor": "Simulated", "board_name": "board-1"},
        "versions": {"services": {"compute": "2026.03.24"}},
    }


def server_node(state: State, server: Record) -> Record:
    """Return the node of a server."""
    online = state.online[server["id"]]
    return {
        "last_checkin": _checkin(state, server["id"]),
        "drivers": ["containers"],
        "state": _node_state(state, server["id"]),
        "stats": _stats(state, server),
        "healthy": online,
        "online": online,
    }


def allocations(state: State, server: Record) -> Record:
    """Return what is allocated on a server: what the containers of its instances reserve."""
    ram = shares = 0
    for instance in state.on_server(server["id"]):
        resources = state.containers[instance["container_id"]].data["config"].get("resources", {})
        ram += megabytes(resources.get("ram", {}).get("reserve") or "0M")
        shares += resources.get("cpu", {}).get("shares", {}).get("reserve", 0)
    return {
        "cpu_shares": {"total": _SHARES, "allocatable": max(0, _SHARES - shares), "allocated": shares},
        "ram": {"total_mb": _RAM_MB, "allocatable_mb": max(0, _RAM_MB - ram), "allocated_mb": ram},
    }


def _environment_instances(state: State, environment: Record) -> Record:
    containers = _containers_of(state, environment)
    return count(instance for container in containers for instance in _instances_of(state, container))


def _environment_containers(state: State, environment: Record) -> list[Record]:
    return [
        {
            "id": container["id"],
            "name": container["name"],
            "state": container["state"],
            "image": {"id": container["image"]["id"] or NO_ID, "service": container["image"]["service"]},
            "environment": container["environment"],
        }
        for container in _containers_of(state, environment)
    ]


METAS: dict[str, dict[str, Meta]] = {
    "instance": {
        "node": instance_node,
        "sdn_pool_ips": lambda state, instance: [_ip(state, instance)],
    },
    "container": {
        "instances_count": lambda state, container: count(_instances_of(state, container)),
        "domains": lambda _state, _container: [],
        "ips": lambda state, container: [_ip(state, each) for each in _instances_of(state, container)],
    },
    "server": {
        "node": server_node,
        "instances_count": lambda state, server: count(state.on_server(server["id"])),
    },
    "single server": {
        "node": server_node,
        "instances_count": lambda state, server: count(state.on_server(server["id"])),
        "allocations": allocations,
    },
    "environment": {
        "containers": _environment_containers,
        "containers_count": lambda state, environment: count(_containers_of(state, environment)),
        "instances_count": _environment_instances,
        "service_versions": lambda state, environment: {
            "loadbalancer": [{"version": "2026.03.24", "last_updated": stamp(state.now())}]
        },
    },
}
