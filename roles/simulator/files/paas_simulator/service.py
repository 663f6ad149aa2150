# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serving in the foreground, until a signal or the end of a watched process or of a lifetime."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from . import __version__, exec_gateway, ssh_gateway
from .estate import load_estate
from .process import process_identity, read_ready
from .server import handler
from .world import World

WATCH_INTERVAL = 0.2


def serve(options: Namespace) -> int:
    """Serve until a signal, the end of the watched process or of the lifetime. Raises EstateError, OSError."""
    # A client may go away while something is being written to it; that is no news. Errors are still told.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    asyncio.run(_serve(options))
    return 0


async def _serve(options: Namespace) -> None:
    world = World(load_estate(options.estate))
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        # Processes in containers inherit an ignored signal (nohup), but not a handler.
        loop.add_signal_handler(signal.SIGHUP, bool)
    host = options.host
    async with (
        exec_gateway.serving(world),
        _listening(world, "northflank", host, options.port) as port,
        _listening(world, "cycle", host, options.cycle_port) as cycle_port,
        ssh_gateway.listening(world, host, options.ssh_port) as ssh_port,
    ):
        endpoints = world.endpoints
        endpoints.http_host = endpoints.ssh_host = _reachable(host)
        endpoints.http_port, endpoints.ssh_port = cycle_port, ssh_port
        cycle = {"url": _url(host, cycle_port), "port": cycle_port, "ssh_port": ssh_port}
        ready = {"url": _url(host, port), "pid": os.getpid(), "port": port, "version": __version__, "cycle": cycle}
        await _until_the_end(options, ready, ended)


@asynccontextmanager
async def _listening(world: World, platform: str, host: str, port: int) -> AsyncIterator[int]:
    """Serve a platform over HTTP; give the port. Raises OSError."""
    server = web.Server(handler(world, platform), access_log=None, keepalive_timeout=75)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _until_the_end(options: Namespace, ready: dict[str, Any], ended: asyncio.Event) -> None:
    """Tell that the service listens, and wait for what is to end it."""
    watchers = []
    try:
        if options.ready_file:
            _write_ready(options.ready_file, ready)
        if options.watch_pid:
            watchers.append(asyncio.create_task(_watch(options.watch_pid, ended)))
        if options.lifetime:
            watchers.append(asyncio.create_task(_expire(options.lifetime, ended)))
        await ended.wait()
    finally:
        for watcher in watchers:
            watcher.cancel()
        if options.ready_file:
            _remove_ready(options.ready_file)


def _write_ready(path: Path, ready: dict[str, Any]) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(ready) + "\n", encoding="utf-8")
    part.replace(path)


def _remove_ready(path: Path) -> None:
    """Remove our ready file, but not that of a successor."""
    if (read_ready(path) or {}).get("pid") == os.getpid():
        path.unlink(missing_ok=True)


async def _watch(pid: int, ended: asyncio.Event) -> None:
    identity = process_identity(pid)
    while identity is not None and process_identity(pid) == identity:
        await asyncio.sleep(WATCH_INTERVAL)
    ended.set()


async def _expire(seconds: float, ended: asyncio.Event) -> None:
    await asyncio.sleep(seconds)
    ended.set()


def _reachable(host: str) -> str:
    """Return the address at which this machine reaches what listens at ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def _url(host: str, port: int) -> str:
    shown = _reachable(host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
