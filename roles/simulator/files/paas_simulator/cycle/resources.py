# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments, servers and containers made complete from the little that the estate file says of them."""

from __future__ import annotations

import zlib
from copy import deepcopy

from ..messages import Record
from .shared import DAY, events, live
from .stamps import ZERO, stamp
from .state import State


def environment(state: State, entry: Record, creator: Record) -> Record:
    """Return an environment from id, identifier, name, cluster and what it says besides."""
    moment = state.now() - 200 * DAY
    tag = zlib.crc32(entry["id"].encode()) & 0xFFFF
    return {
        "about": {"description": entry.get("description", ""), "favorite": False},
        "creator": creator,
        "hub_id": state.hub_id,
        "state": live(moment),
        "events": events(moment),
        "features": {"legacy_networking": False, "monitoring": {"tier": "standard"}},
        "services": {"loadbalancer": None, "discovery": None, "vpn": None, "scheduler": None, "gateway": None},
        "acl": None,
        "private_network": {
            "vxlan_tag": tag,
            "subnet": f"fd00:{tag:x}",
            "ipv6": {"ip": f"fd00:{tag:x}::", "cidr": f"fd00:{tag:x}::/64"},
            "legacy": None,
        },
        "deployments": None,
        **{name: value for name, value in entry.items() if name != "description"},
    }


def server(state: State, entry: Record, location: Record, creator: Record) -> Record:
    """Return a server from id, hostname, cluster, model and what it says besides."""
    moment = state.now() - 150 * DAY
    number = zlib.crc32(entry["id"].encode())
    place = location["provider"]
    evacuating = {"started": stamp(state.now() - entry["evacuating"])} if "evacuating" in entry else None
    return {
        "id": entry["id"],
        "hub_id": state.hub_id,
        "location_id": location["id"],
        "model_id": entry["model_id"],
        "node_id": f"66ee{entry['id'][4:]}",
        "shared_file_systems": {"mounts": None, "directories": None},
        "hostname": entry["hostname"],
        "nickname": entry.get("nickname"),
        "creator": creator,
        "provider": {
            "vendor": place["vendor"],
            "integration_id": place["integration_id"],
            "model": state.resources["models"][entry["model_id"]]["name"],
            "location": place["location"],
            "server": f"sim-{number:08x}",
            "zone": None,
            "init_ips": [f"198.51.100.{number % 250 + 1}"],
            "mac_addr": "02:01:00:{:02x}:{:02x}:{:02x}".format(*(number & 0xFFFFFF).to_bytes(3, "big")),
        },
        "cluster": entry["cluster"],
        "features": {"sftp": entry.get("sftp", False), "base_volume_gb": 50, "gateway": None},
        "constraints": {
            "tags": entry.get("tags", []),
            "allow": {"pool": True, "services": entry.get("services", True), "overcommit": False},
        },
        "autoscale": None,
        "ephemeral": False,
        "evacuate": evacuating,
        "state": {"current": entry.get("state", "live"), "changed": stamp(moment)},
        "events": events(
            moment,
            latest_instance=ZERO,
            provisioning={"started": stamp(moment), "failed": ZERO, "completed": stamp(moment + 600)},
        ),
    }


def _volume(entry: Record, number: int, container_id: str) -> Record:
    """Return a volume of a container from its size and destination and what its config says besides."""
    config: Record = {
        "identifier": None,
        "read_only": False,
        "block_device": False,
        "local": {"max_size": entry["size"], "stateless": entry.get("stateless", False), "storage_pool": None},
        "external": None,
        "destination": entry["destination"],
        "remote_access": {"enable": False, "ips": [], "webhook": "", "password": None},
        **entry.get("config", {}),
    }
    identifier = f"66cf{container_id[4:22]}{number:02x}"
    return {"id": identifier, "hash": f"{zlib.crc32(identifier.encode()):08x}", "config": config, "external": None}


def container(state: State, entry: Record, environment: Record, creator: Record) -> Record:
    """Return a container from id, name, environment, strategy and what it says besides.

    ``deploy`` and ``network`` are parts of its config; ``volumes`` have size and destination.
    """
    moment = state.now() - entry.get("age", 100 * DAY)
    identifier = entry["identifier"]
    current = entry.get("state", "function" if entry.get("strategy") == "function" else "running")
    config = {
        "network": {"public": "disable", "hostname": identifier, "ports": [], **entry.get("network", {})},
        "deploy": {
            "instances": entry.get("wanted", len(entry.get("instances", []))),
            "strategy": entry.get("strategy"),
            "stateful": None,
            "constraints": None,
            "health_check": None,
            "readiness_check": None,
            "telemetry": {"retention": "168h", "interval": "60s", "disable": False},
            **deepcopy(entry.get("deploy", {})),
        },
        "runtime": {"privileged": False, "environment_vars": deepcopy(entry.get("environment_vars", {}))},
        "resources": {
            "cpu": {"shares": {"limit": 512, "reserve": 128}},
            "ram": {"limit": "512M", "reserve": "256M"},
        },
    }
    return {
        "id": entry["id"],
        "name": entry["name"],
        "identifier": identifier,
        "creator": creator,
        "environment": {
            "id": environment["id"],
            "cluster": environment["cluster"],
            "container_subnet": None,
            "ipv6": None,
            "legacy": None,
        },
        "hub_id": state.hub_id,
        "image": {"id": entry.get("image_id"), "extension": None, "service": entry.get("service")},
        "stack": None,
        "config": config,
        "deployment": {"version": entry["version"]} if "version" in entry else None,
        "instances": 0,
        "volumes": [_volume(each, number, entry["id"]) for number, each in enumerate(entry.get("volumes", []), 1)],
        "annotations": entry.get("annotations"),
        "role": None,
        "stateful": entry.get("stateful", False),
        "deprecate": False,
        "lock": entry.get("lock", False),
        "state": {"current": current, "desired": current, "changed": stamp(moment + 30)},
        "events": events(moment, started=ZERO if current == "new" else stamp(moment + 30)),
    }
