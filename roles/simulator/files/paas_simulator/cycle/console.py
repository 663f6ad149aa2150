# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PID 1 of an instance writes: lines that follow from the instance and the clock, not always UTF-8."""

from __future__ import annotations

import zlib

from ..clock import iso
from .state import State

KEPT = 128 * 1024
_PATHS = ("/", "/cart", "/healthz", "/orders/1042", "/search?q=%C3%A9t%C3%A9", "/static/app.js")


def line(state: State, instance_id: str, number: int, moment: float) -> bytes:
    """Return a line by its number: one in seventeen is no UTF-8."""
    instance = state.instances.get(instance_id)
    host = instance["hostname"] if instance else "unknown"
    mixed = zlib.crc32(f"{instance_id}/{number}".encode())
    if number % 17 == 16:
        return f"{iso(moment)} {host} body ".encode() + b"\xff\xfe\x00\x80" + f" {number}\n".encode()
    took = mixed % 900 + 3
    return f"{iso(moment)} {host} GET {_PATHS[mixed % len(_PATHS)]} 200 {took}ms line={number}\n".encode()


def backlog(state: State, instance_id: str) -> bytes:
    """Return what is replayed on connect: the last lines before now, 128 KB at most."""
    instance = state.instances.get(instance_id)
    if instance is None:
        return b""
    interval = max(state.settings.console.interval, 0.001)
    amount = state.containers[instance["container_id"]].console_lines
    now = state.now()
    lines = [line(state, instance_id, number, now - (amount - number) * interval) for number in range(amount)]
    return b"".join(lines)[-KEPT:]


def following(state: State, instance_id: str, number: int) -> bytes:
    """Return what is written now: the line of a number, counted from 0, after those of the backlog."""
    instance = state.instances.get(instance_id)
    earlier = state.containers[instance["container_id"]].console_lines if instance else 0
    return line(state, instance_id, earlier + number, state.now())
