# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How records are shown: what is computed when they are, what ``meta`` adds, what the shapes of 2024 leave out."""

from __future__ import annotations

from collections.abc import Callable

from ..messages import Record
from .meta import METAS
from .state import State

_NEWER = ("traffic_drain", "extension", "autoscale", "function", "ha_elections")


def _instance(state: State, record: Record) -> Record:
    shown = dict(record)
    if record["id"] in state.settings.instances.unhealthy:
        health = {"healthy": False, "updated": record["state"]["changed"]}
        shown["state"] = {**record["state"], "health": health}
    if state.settings.seed:
        shown = {name: value for name, value in shown.items() if name not in _NEWER}
        shown["state"] = {name: value for name, value in shown["state"].items() if name != "readiness"}
        if (shown["state"].get("health") or {"healthy": None})["healthy"] is None:
            shown["state"].pop("health", None)
    return shown


def _container(state: State, record: Record) -> Record:
    living = state.containers[record["id"]].living()
    return {**record, "instances": len(living)}


def _server(state: State, record: Record) -> Record:
    made = [instance["events"]["created"] for instance in state.on_server(record["id"])]
    latest = max(made, default=record["events"]["latest_instance"])
    return {**record, "events": {**record["events"], "latest_instance": latest}}


_SHOWN: dict[str, Callable[[State, Record], Record]] = {
    "instance": _instance,
    "container": _container,
    "server": _server,
    "single server": _server,
}


def render(state: State, kind: str, record: Record, meta: list[str]) -> Record:
    """Return a record as answers show it, with the values of ``meta`` that its kind has."""
    shown = _SHOWN[kind](state, record) if kind in _SHOWN else record
    known = [] if state.settings.seed else [name for name in meta if name in METAS.get(kind, {})]
    if known:
        shown = {**shown, "meta": {name: METAS[kind][name](state, record) for name in known}}
    return shown
