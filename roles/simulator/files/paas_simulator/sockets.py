# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Handshakes of WebSockets: what the journal, faults and a platform have to say before there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiohttp import web

from . import delivery
from .faults import alter, instead
from .messages import Answer, Call, Record
from .world import Platform, World

CLOSING_LIMIT = 1.0
LARGEST_MESSAGE = 64 * 1024 * 1024

Purpose = TypeVar("Purpose")


@dataclass(slots=True)
class Opened(Generic[Purpose]):
    """An accepted handshake: what it is for, the socket, its entry in the journal, the fault that is to act."""

    purpose: Purpose
    socket: web.WebSocketResponse
    entry: Record
    action: Record


def wanted(request: web.BaseRequest) -> bool:
    """Say whether a request asks for a WebSocket."""
    return request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket"


async def accept(
    world: World,
    platform: Platform,
    call: Call,
    request: web.BaseRequest,
    admit: Callable[[Record], Purpose | Answer],
    answers_ping: bool = True,
) -> Opened[Purpose] | web.StreamResponse:
    """Answer a handshake: open the socket, or return the response that it gets in place of one.

    ``admit`` says what the socket is for, or how it is refused; it may complete the journal's entry.
    """
    entry = world.journal.open(call, world.clock.now())
    action = world.faults.take(call) or {}
    where = action.get("reset")
    await asyncio.sleep(action.get("delay", 0))
    if where == "before":
        return await delivery.reset(request)
    world.timelines.run(world.clock.now())
    admitted = instead(action, platform.refuse) or admit(entry)
    if isinstance(admitted, Answer):
        alter(action, admitted)
        entry["status"] = admitted.status
    if where == "after":
        return await delivery.reset(request)
    if isinstance(admitted, Answer):
        return delivery.whole(admitted)
    entry["status"] = 101
    socket = web.WebSocketResponse(
        timeout=CLOSING_LIMIT, compress=False, autoping=answers_ping, max_msg_size=LARGEST_MESSAGE
    )
    await socket.prepare(request)
    if where == "body":
        return await delivery.reset(request)
    return Opened(admitted, socket, entry, action)
