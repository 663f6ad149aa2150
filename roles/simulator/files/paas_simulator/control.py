# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control routes under ``/_sim/``: no token, no rate limit, never in the journal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from . import __version__, exec_gateway, ssh_gateway
from .clock import parse
from .messages import Answer, Call, Record
from .world import World

Control = Callable[[World, Call, Any], Any]


def _health(_world: World, _call: Call, _body: Any) -> Record:
    return {"status": "ok", "version": __version__, "pid": os.getpid()}


def _journal(world: World, call: Call, _body: Any) -> Record:
    return {"entries": world.journal.entries(int(call.first("since") or 0))}


def _clear_journal(world: World, _call: Call, _body: Any) -> Record:
    world.journal.clear()
    return {}


def _faults(world: World, _call: Call, _body: Any) -> Record:
    return {"faults": world.faults.describe()}


def _add_fault(world: World, _call: Call, body: Any) -> Record:
    return {"id": world.faults.add(body).number}


def _clear_faults(world: World, _call: Call, _body: Any) -> Record:
    world.faults.clear()
    return {}


def _clock(world: World, _call: Call, _body: Any) -> Record:
    return world.clock.describe()


def _move_clock(world: World, _call: Call, body: Any) -> Record:
    request = _object(body, {"set", "advance", "freeze"})
    if "freeze" in request:
        world.clock.freeze(request["freeze"] is True)
    if "set" in request:
        world.clock.set(parse(str(request["set"])))
    if "advance" in request:
        world.clock.advance(float(request["advance"]))
    world.timelines.run(world.clock.now())
    return world.clock.describe()


def _settings(world: World, _call: Call, _body: Any) -> Record:
    return {name: platform.settings() for name, platform in world.platforms.items()}


def _change_settings(world: World, call: Call, body: Any) -> Record:
    for name, changes in _object(body, set(world.platforms)).items():
        world.platforms[name].change_settings(changes)
    return _settings(world, call, body)


def _reset(world: World, call: Call, _body: Any) -> Record:
    world.reset()
    return _health(world, call, None)


def _generate(world: World, _call: Call, body: Any) -> Record:
    request = dict(body) if isinstance(body, dict) else {}
    name = request.pop("platform", "northflank")
    if name not in world.platforms:
        raise ValueError(f"no such platform: {name}")
    return world.platforms[name].generate(request)


def _estate(world: World, _call: Call, _body: Any) -> Record:
    described: Record = {name: platform.describe() for name, platform in world.platforms.items()}
    return {"clock": world.clock.describe(), **described}


def _routes(world: World, _call: Call, _body: Any) -> Record:
    return {name: platform.routes() for name, platform in world.platforms.items()}


CONTROLS: dict[str, dict[str, Control]] = {
    "health": {"GET": _health},
    "journal": {"GET": _journal, "DELETE": _clear_journal},
    "faults": {"GET": _faults, "POST": _add_fault, "DELETE": _clear_faults},
    "clock": {"GET": _clock, "POST": _move_clock},
    "settings": {"GET": _settings, "POST": _change_settings},
    "reset": {"POST": _reset},
    "generate": {"POST": _generate},
    "estate": {"GET": _estate},
    "routes": {"GET": _routes},
    "ssh": {"GET": ssh_gateway.describe},
    "exec": {"GET": exec_gateway.describe},
    "replace": {"POST": exec_gateway.replace},
}


def _object(body: Any, allowed: set[str]) -> Record:
    if not isinstance(body, dict) or set(body) - allowed:
        raise ValueError(f"the body is an object with any of {', '.join(sorted(allowed))}")
    return body


def control(world: World, call: Call) -> Answer:
    """Answer a request under ``/_sim/``."""
    methods = CONTROLS.get("/".join(call.segments[1:]))
    if methods is None:
        return Answer(404, {"error": "no such control", "controls": sorted(CONTROLS)})
    serve = methods.get(call.method)
    if serve is None:
        return Answer(405, {"error": "method not allowed"}, headers={"Allow": ", ".join(sorted(methods))})
    try:
        return Answer(payload=serve(world, call, json.loads(call.body) if call.body else None))
    except (ValueError, TypeError, OverflowError, KeyError) as exc:
        return Answer(400, {"error": str(exc)})
