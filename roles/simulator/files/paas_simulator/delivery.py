# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How answers leave: whole, cut short, or not at all."""

from __future__ import annotations

import asyncio
import socket
import struct
from http import HTTPStatus

from aiohttp import web

from .messages import Answer

_NO_LINGER = struct.pack("ii", 1, 0)


def _headers(answer: Answer) -> dict[str, str]:
    headers = {name: value for name, value in answer.headers.items() if value is not None}
    headers.setdefault("Content-Type", answer.content_type)
    return headers


def whole(answer: Answer) -> web.Response:
    """Return the answer for aiohttp to send."""
    return web.Response(status=answer.status, body=answer.body(), headers=_headers(answer))


def _raw(answer: Answer, length: int | None, body: bytes) -> bytes:
    """Return an HTTP/1.1 answer as bytes; without a length its end is the end of the connection."""
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Unknown"
    headers = _headers(answer)
    if length is not None:
        headers["Content-Length"] = str(length)
    headers["Connection"] = "close"
    lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


async def reset(request: web.BaseRequest, partial: bytes = b"") -> web.StreamResponse:
    """Send the bytes given, then end the connection with a TCP reset."""
    transport = request.transport
    if transport is not None:
        if partial:
            transport.write(partial)
            # A reset overtakes what the client has not read yet: give it a moment.
            await asyncio.sleep(0.05)
        connection: socket.socket | None = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        transport.abort()
    return web.Response()


async def half(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    """Send the headers with the full length and half of the body, then reset."""
    body = answer.body()
    return await reset(request, _raw(answer, len(body), body[: len(body) // 2]))


async def cut(request: web.BaseRequest, answer: Answer, size: int) -> web.StreamResponse:
    """Send the first bytes of the body as if they were all: no length, the orderly end of the connection."""
    transport = request.transport
    if transport is not None:
        transport.write(_raw(answer, None, answer.body()[:size]))
        transport.close()
    return web.Response()
