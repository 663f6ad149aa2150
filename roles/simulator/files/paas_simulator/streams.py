# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSockets of Cycle: console, telemetry, notifications of the hub.

A token lets in for 15 minutes; a connection that is open outlives it. Nothing that a client sends means anything.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from aiohttp import WSCloseCode, web

from . import delivery, sockets
from .cycle import Cycle, Stream
from .messages import Answer, Call, Record
from .sockets import Opened
from .world import World

# How often, in seconds, pending steps of the estate are carried out and an instance is looked after.
WATCH_INTERVAL = 0.05
# The backlog of a console comes in messages of at most so many bytes.
PORTION = 16 * 1024

Message = bytes | str


async def serve(world: World, call: Call, request: web.BaseRequest) -> web.StreamResponse:
    """Answer a handshake; if it is accepted, send until the client, the instance or a setting ends the stream."""
    platform = world.cycle

    def admit(entry: Record) -> Stream | Answer:
        entry["route"] = call.path
        stream = platform.stream(call.path, call.first("token") or "")
        if stream is None:
            return platform.refuse(401, "The token is not valid or has expired")
        entry["token"] = stream.key
        return stream

    opened = await sockets.accept(world, platform, call, request, admit)
    if not isinstance(opened, Opened):
        return opened
    if await _send_all(world, opened.purpose, opened.socket):
        await delivery.reset(request)
    return opened.socket


async def _send_all(world: World, stream: Stream, socket: web.WebSocketResponse) -> bool:
    """Serve an open stream; say whether it is to end with a reset."""
    platform = world.cycle
    sending = asyncio.create_task(_send(platform, stream, socket))
    tasks = [sending, asyncio.create_task(_receive(socket)), asyncio.create_task(_watch(world, stream))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    code = sending.result() if sending.done() and not sending.cancelled() else int(WSCloseCode.GOING_AWAY)
    if code == 0:
        return True
    with suppress(ConnectionError):
        await socket.close(code=code)
    return False


async def _receive(socket: web.WebSocketResponse) -> None:
    async for _message in socket:
        pass


async def _watch(world: World, stream: Stream) -> None:
    """Let time pass for the estate; return when there is nothing more to come."""
    platform = world.cycle
    while world.cycle is platform and (stream.instance_id is None or platform.running(stream.instance_id)):
        world.timelines.run(world.clock.now())
        await asyncio.sleep(WATCH_INTERVAL)


async def _send(platform: Cycle, stream: Stream, socket: web.WebSocketResponse) -> int:
    """Send messages until a setting says that it is enough; return the code to close with, 0 for a reset."""
    sent = 0
    with suppress(ConnectionError):
        async with aclosing(_messages(platform, stream)) as messages:
            async for message in messages:
                await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))
                await asyncio.sleep(0)  # Sending alone gives nobody else the turn to notice that the client has gone.
                sent += 1
                settings = _settings(platform, stream)
                if sent == settings.close_after:
                    return int(settings.close_code)
    return int(WSCloseCode.GOING_AWAY)


def _settings(platform: Cycle, stream: Stream) -> Any:
    return getattr(platform.settings_now, stream.kind)


def _messages(platform: Cycle, stream: Stream) -> AsyncGenerator[Message, None]:
    if stream.instance_id is None:
        return _notifications(platform)
    if stream.kind == "console":
        return _console(platform, stream.instance_id)
    return _telemetry(platform, stream.instance_id)


async def _console(platform: Cycle, instance_id: str) -> AsyncGenerator[Message, None]:
    backlog = platform.console_backlog(instance_id)
    for start in range(0, len(backlog), PORTION):
        yield _frame(platform, backlog[start : start + PORTION])
    while platform.running(instance_id):
        await asyncio.sleep(platform.settings_now.console.interval)
        yield _frame(platform, platform.console_line(instance_id))


def _frame(platform: Cycle, output: bytes) -> Message:
    """Return output for a binary message, or for one of text if it is wanted and this is some."""
    if platform.settings_now.console.frames == "text":
        with suppress(UnicodeDecodeError):
            return output.decode()
    return output


async def _telemetry(platform: Cycle, instance_id: str) -> AsyncGenerator[Message, None]:
    while platform.running(instance_id):
        yield json.dumps(platform.snapshot(instance_id))
        await asyncio.sleep(platform.settings_now.telemetry.interval)


async def _notifications(platform: Cycle) -> AsyncGenerator[Message, None]:
    pending: asyncio.Queue[Record] = asyncio.Queue()
    stop = platform.listen(pending.put_nowait)
    try:
        while True:
            yield json.dumps(await pending.get())
    finally:
        stop()
