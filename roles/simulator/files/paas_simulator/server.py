# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP service: reads a request, lets platform and faults have their say, sends the answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from . import delivery, exec_gateway, sockets, streams
from .control import control
from .faults import alter, instead
from .messages import Answer, Call, Record, read_call
from .world import Platform, World

BODY_LIMIT = 64 * 1024 * 1024

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_log = logging.getLogger("paas_simulator")


async def _read(request: web.BaseRequest) -> Call:
    chunks: list[bytes] = []
    size = 0
    if request.can_read_body:
        async for chunk in request.content.iter_any():
            size += len(chunk)
            if size > BODY_LIMIT:
                raise web.HTTPRequestEntityTooLarge(BODY_LIMIT, size)
            chunks.append(chunk)
    url = request.rel_url
    return read_call(request.method, url.raw_path, url.raw_query_string, request.headers, b"".join(chunks))


def _carry_out(world: World, platform: Platform, call: Call, entry: Record, action: Record) -> Answer:
    """Return the platform's answer to a call, or the one a fault puts in its place; complete the journal's entry."""
    world.timelines.run(world.clock.now())
    call.trap = action.get("pagination")
    common = platform.admit(call)
    entry["route"], entry["token"] = call.route, call.token
    try:
        answer = instead(action, platform.refuse) or platform.answer(call)
    except Exception:
        _log.exception("%s %s failed inside the simulator", call.method, call.path)
        answer = platform.refuse(500, "The simulator failed; its log has the details")
    # A fault's rate limit says how much is left only where the platform does.
    told = {name: value for name, value in answer.headers.items() if name in common or "ratelimit" not in name}
    answer.headers = {**common, **told}
    alter(action, answer)
    entry["status"] = answer.status
    return answer


async def _platform(world: World, platform: Platform, call: Call, request: web.BaseRequest) -> web.StreamResponse:
    entry = world.journal.open(call, world.clock.now())
    action = world.faults.take(call) or {}
    where = action.get("reset")
    if where == "before":
        await asyncio.sleep(action.get("delay", 0))
        return await delivery.reset(request)
    answer = _carry_out(world, platform, call, entry, action)
    if "delay" in action:
        await asyncio.sleep(action["delay"])
    if where == "after":
        return await delivery.reset(request)
    if where == "body":
        return await delivery.half(request, answer)
    if "truncate" in action:
        return await delivery.cut(request, answer, action["truncate"])
    return delivery.whole(answer)


def handler(world: World, name: str) -> Handler:
    """Return the request handler of a listener that plays the platform of that name."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            call = await _read(request)
        except web.HTTPRequestEntityTooLarge:
            return delivery.whole(world.platforms[name].refuse(413, "Request body too large"))
        if call.segments[:1] == ("_sim",):
            return delivery.whole(control(world, call))
        if name == "cycle" and sockets.wanted(request):
            return await streams.serve(world, call, request)
        if name == "northflank" and sockets.wanted(request) and exec_gateway.knows(world, call):
            return await exec_gateway.serve(world, call, request)
        return await _platform(world, world.platforms[name], call, request)

    return handle
