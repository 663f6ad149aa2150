# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New records of instances and their volumes."""

from __future__ import annotations

import zlib
from copy import deepcopy
from typing import Any

from ..messages import Record
from .stamps import ZERO, nano, stamp
from .state import Container, State
from .units import megabytes


def network(environment: Record, number: int) -> Record:
    """Return what an instance shows of its environment; ``number`` tells instances apart."""
    private = environment["private_network"]
    host = f"{number & 0xFFFF:x}"
    return {
        "id": environment["id"],
        "network_subnet": private["subnet"],
        "subnet": f"{private['subnet']}:{host}",
        "ipv6": {"ip": f"fd00::{private['vxlan_tag']:x}:{host}", "cidr": f"fd00::{private['vxlan_tag']:x}:{host}/96"},
        "legacy": None,
        "mac_addr": "02:00:00:{:02x}:{:02x}:{:02x}".format(*(number & 0xFFFFFF).to_bytes(3)),
        "vxlan_tag": private["vxlan_tag"],
    }


def instance(
    state: State, container: Container, server: Record, moment: float, creator: Record, given: Record | None = None
) -> Record:
    """Return a new instance of a container on a server; ``given``: what is known better."""
    container.made += 1
    own = given or {}
    identifier = own.get("id") or state.mint(moment)
    data, number = container.data, zlib.crc32(identifier.encode())
    made: Record = {
        "id": identifier,
        "creator": creator,
        "hub_id": state.hub_id,
        "container_id": container.id,
        "location_id": server["location_id"],
        "environment": network(state.environments[data["environment"]["id"]], number),
        "stateful": None,
        "provider": {name: server["provider"][name] for name in ("vendor", "integration_id", "location")},
        "server_id": server["id"],
        "ready_state": "active",
        "purge_time": None,
        "hostname": f"{data['config']['network']['hostname']}-{container.made}",
        "extension": None,
        "state": {"current": "new", "changed": nano(moment), "health": None, "readiness": None},
        "autoscale": None,
        "traffic_drain": None,
        "migration": None,
        "deployment": deepcopy(data["deployment"]),
        "events": {"created": stamp(moment), "updated": stamp(moment), "deleted": ZERO},
        "ha_elections": None,
    }
    made |= _kind(state, container, moment, number)
    if data["config"]["deploy"].get("readiness_check") is not None:
        made["state"]["readiness"] = {"ready": None, "updated": ZERO}
    made |= {name: value for name, value in own.items() if name != "state"}
    made["state"] |= own.get("state", {})
    return made


def _kind(state: State, container: Container, moment: float, number: int) -> Record:
    """Return what instances of some kinds of containers have besides."""
    made: Record = {}
    if container.service is not None:
        made["service"] = container.service
    if container.strategy == "function":
        made["function"] = {"seed": number & 0xFFFF}
    if container.data["stateful"]:
        base = f"{container.data['config']['network']['hostname']}-{container.made}"
        made["stateful"] = {"id": state.mint(moment), "base_hostname": base}
    return made


def password(kind: str, identifier: str) -> Record:
    """Return a password that can be recognised: the same for the same volume."""
    return {"algorithm": "raw", "data": f"sim-{kind}-password-{zlib.crc32(identifier.encode()):08x}"}


def volumes(state: State, container: Container, instance: Record, moment: float) -> list[Record]:
    """Return the volumes of a new instance: one for each of its container, nothing in it."""
    return [_volume(state, container, instance, each, moment) for each in container.data["volumes"]]


def _volume(state: State, container: Container, instance: Record, template: Record, moment: float) -> Record:
    identifier = state.mint(moment)
    config = deepcopy(template["config"])
    local: Any = config.get("local")
    deployed = {
        "id": state.mint(moment),
        "server_id": instance["server_id"],
        "container_id": container.id,
        "container_volume_id": template["id"],
        "instance_id": instance["id"],
        "hash": template["hash"],
        "path": f"/var/lib/cycle/volumes/{identifier}",
        "storage": {"used": 0, "total": megabytes(local["max_size"]) if local else 0},
        "last_updated": nano(moment),
    }
    return {"id": identifier, "config": config, "deployed": deployed, "sftp": sftp(state, instance, identifier, config)}


def sftp(state: State, instance: Record, identifier: str, config: Record) -> Record | None:
    """Return the access to a volume by SFTP: where it is enabled and the server has the feature."""
    server = state.servers[instance["server_id"]]
    if not config.get("remote_access", {}).get("enable") or not server["features"]["sftp"]:
        return None
    host = server["hostname"]
    return {"host": host, "port": 22, "username": identifier, "password": password("sftp", identifier)}
