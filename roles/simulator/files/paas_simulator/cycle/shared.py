# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub, and what is only ever included: accounts, integrations, locations, models, clusters, images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..messages import Record
from .stamps import ZERO, stamp
from .state import State

DAY = 86400.0
NO_ID = "000000000000000000000000"


def events(moment: float, **more: Any) -> Record:
    return {"created": stamp(moment), "updated": stamp(moment), "deleted": ZERO, **more}


def live(moment: float) -> Record:
    return {"current": "live", "changed": stamp(moment)}


def hub(entry: Record, now: float) -> Record:
    """Return the hub."""
    made = now - 400 * DAY
    return {
        "id": NO_ID,
        "identifier": "hub",
        "name": "Hub",
        "creator": {"id": "66aa00000000000000000001", "type": "account"},
        "events": events(made),
        "state": live(made),
        "security": {"force_2fa": False},
        "webhooks": {"server_deployed": None, "server_deleted": None},
        "billing": None,
        "integrations": {},
        **entry,
    }


def shared(estate: Record, state: State) -> dict[str, dict[str, Record]]:
    """Return what is only ever included, by kind and id."""
    moment = state.now() - 400 * DAY
    found = {
        kind: {entry["id"]: make(entry, state, moment) for entry in estate.get(kind, [])}
        for kind, make in _MAKERS.items()
    }
    return {**found, "api_keys": {}, "stacks": {}}


def _account(entry: Record, _state: State, _moment: float) -> Record:
    first, _blank, last = entry["name"].partition(" ")
    return {
        "id": entry["id"],
        "name": {"first": first, "last": last},
        "email": {"address": entry["email"]},
        "two_factor_auth": {"verified": True},
    }


def _integration(entry: Record, state: State, moment: float) -> Record:
    return {
        "auth": None,
        "extra": None,
        "creator": state.hub["creator"],
        "hub_id": state.hub_id,
        "state": live(moment),
        "events": events(moment),
        **entry,
    }


def _location(entry: Record, _state: State, _moment: float) -> Record:
    """Return a location from id, code, name, city, state, country, region, latitude, longitude and provider."""
    places = ("latitude", "longitude", "city", "state", "country", "region")
    return {
        "id": entry["id"],
        "name": entry["name"],
        "geographic": {name: entry[name] for name in places},
        "provider": {
            "identifier": entry["vendor"],
            "integration_id": entry["integration_id"],
            "location": entry["code"],
            "code": entry["code"],
            "vendor": entry["vendor"],
            "availability_zones": [],
        },
        "compatible": True,
        "features": {"available": ["sdn"], "supported": ["sdn"]},
        "abbreviation": entry["code"].upper(),
        "annotations": {},
    }


def _model(entry: Record, _state: State, _moment: float) -> Record:
    return {
        "id": entry["id"],
        "name": entry["name"],
        "description": f"{entry['name']}, simulated",
        "specs": {
            "cpu": {"count": 1, "cores": 16, "threads": 32, "type": "x86_64"},
            "gpu": {"count": 0, "type": ""},
            "memory": {"size_gb": 64, "type": "DDR5", "extra": {}},
            "storage": [{"count": 2, "size_gb": 960, "type": "nvme", "extra": {}}],
            "network": [{"count": 1, "scope": "public", "throughput": 10, "type": "ethernet"}],
            "features": {"raid": None},
        },
        "provider": {
            "vendor": entry["vendor"],
            "identifier": entry["vendor"],
            "integration_id": entry["integration_id"],
            "category": "compute",
            "model": entry["name"],
            "locations": [],
        },
        "price": {"mills": 129000, "term": "monthly"},
        "compatible": True,
        "low_resource": False,
        "location_ids": [],
    }


def _cluster(entry: Record, state: State, moment: float) -> Record:
    return {
        "creator": state.hub["creator"],
        "hub_id": state.hub_id,
        "acl": None,
        "non_essential": False,
        "state": live(moment),
        "features": {"monitoring": {"tier": "standard"}},
        "events": events(moment),
        **entry,
    }


def _image(entry: Record, state: State, moment: float) -> Record:
    return {
        "id": entry["id"],
        "hub_id": state.hub_id,
        "name": entry["name"],
        "size": 52428800,
        "about": {"description": None},
        "backend": {"provider": "local", "size": 52428800, "file_name": f"{entry['id']}.img", "file_id": entry["id"]},
        "requires": {},
        "config": {
            "user": "root",
            "ports": [],
            "env": {},
            "labels": {},
            "command": [],
            "entrypoint": ["/entrypoint"],
            "volumes": [],
            "workdir": "/",
            "signal_stop": "SIGTERM",
        },
        "creator": state.hub["creator"],
        "state": live(moment),
        "events": events(moment),
    }


_MAKERS: dict[str, Callable[[Record, State, float], Record]] = {
    "accounts": _account,
    "integrations": _integration,
    "locations": _location,
    "models": _model,
    "clusters": _cluster,
    "images": _image,
}
