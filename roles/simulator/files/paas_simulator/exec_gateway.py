# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Northflank's exec: commands in containers over WebSocket.

The first message has token and command. A "container" here is a directory of its own, in which processes of this
machine run as the user that runs the simulator, or as the one asked for where that user is root.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from . import delivery, sockets
from .exec_process import Input, Running, read, start
from .messages import Call, Record
from .northflank import exec_messages as messages
from .northflank import execution
from .northflank.errors import ApiError
from .northflank.exec_messages import Init, ProtocolError
from .northflank.execution import Target
from .northflank.settings import Exec
from .places import identity
from .sockets import Opened
from .world import World

WATCH_INTERVAL = 0.05
# Seconds for the first message to arrive; and after one that is refused, until the server closes.
INIT_LIMIT = 30.0
REFUSED_PAUSE = 0.2
# Output that does not end with the command is given up after so many seconds without any.
GRACE = 0.2
KILLED = 128 + signal.SIGKILL
CANNOT_BE_RUN, CANNOT_BE_FOUND = 126, 127
# When a fault acts; without any of them, after the answer to the first message.
MOMENTS = {"messages", "seconds", "completion"}
_INTERJECTIONS: dict[str, Record | str] = {
    "unknown": {"type": "novelty", "data": {}},
    "init": {"type": "init", "data": {"auth": "successful", "context": {}}},
    "no_json": "<html>Bad gateway</html>",
}

_numbers = count(1)
Route = tuple[str, dict[str, str]]


def knows(world: World, call: Call) -> bool:
    """Say whether a path is one at which commands are run."""
    return world.northflank.exec_route(call) is not None


async def serve(world: World, call: Call, request: web.BaseRequest) -> web.StreamResponse:
    """Answer a handshake; if it is accepted, run a command."""
    platform = world.northflank

    def admit(entry: Record) -> Route:
        route = platform.exec_route(call)
        assert route is not None
        entry["route"] = route[0]
        return route

    answers = platform.settings_now.exec.answers_ping
    opened = await sockets.accept(world, platform, call, request, admit, answers)
    if not isinstance(opened, Opened):
        return opened
    session = Session(world, call, opened)
    world.endpoints.exec_sessions += 1
    try:
        await session.run()
    finally:
        world.endpoints.exec_sessions -= 1
    if session.ending == "reset":
        return await delivery.reset(request)
    if session.ending != "gone":
        with suppress(ConnectionError):
            await opened.socket.close(code=session.close_code)
    return opened.socket


class Session:
    """One socket: the first message, then the command until it, the client or something else ends."""

    def __init__(self, world: World, call: Call, opened: Opened[Route]) -> None:
        """Wait for the first message. ``ending``: what becomes of the socket: close, reset, or gone already."""
        self.ending = "close"
        self.close_code = 1000
        self._world, self._platform, self._journal = world, world.northflank, world.journal
        self._call, self._entry = call, opened.entry
        self._route, self._given = opened.purpose
        self._socket = opened.socket
        self._number = next(_numbers)
        self._entry["body"] = {"event": "handshake", "session": self._number}
        self._fault: Record = opened.action.get("exec", {})
        self._sending = asyncio.Lock()
        self._sent = 0
        self._silent = self._noted = False
        self._stop: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def _settings(self) -> Exec:
        return self._platform.settings_now.exec

    async def run(self) -> None:
        """Serve the socket to the end of the session."""
        try:
            init = messages.read_init(messages.read_message(await self._first()))
            await self._serve(init, self._admitted(init))
        except ProtocolError as error:
            await self._refuse(400, str(error), messages.failed(str(error)))
        except ApiError as error:
            refused = messages.refused if error.status in (401, 403) else messages.failed
            await self._refuse(error.status, error.message, refused(error.message))
        except (ConnectionError, TimeoutError, EOFError):
            self._end("no first message", "gone")
        if self._stop.done() and not self._noted:
            self._note("close", reason=self._stop.result())

    async def _first(self) -> str | bytes:
        """Return the first message. Raises TimeoutError, EOFError when the client goes before."""
        while True:
            message = await asyncio.wait_for(self._socket.receive(), INIT_LIMIT)
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                data: str | bytes = message.data
                return data
            if message.type not in (WSMsgType.PING, WSMsgType.PONG):
                raise EOFError

    def _admitted(self, init: Init) -> Target:
        """Return where the command is to run. Raises ApiError."""
        if self._fault.get("do") == "refuse":
            fault, self._fault = self._fault, {}
            raise ApiError(401, str(fault.get("message", "Fault injected by the simulator")))
        self._entry["token"] = self._platform.token_name(init.token)
        token = self._platform.exec_token(init.token)
        self._world.timelines.run(self._world.clock.now())
        ask = self._platform.exec_ask(self._call, self._route, self._given, token)
        target = execution.target(ask, execution.PATHS[self._route], init.instance, init.container)
        told = {name: getattr(init, name) for name in ("shell", "encoding", "tty", "user", "group")}
        self._entry["body"] |= {"event": "command", "instance": target.container["name"], **told}
        return target

    async def _refuse(self, status: int, message: str, answer: Record) -> None:
        """Say why there is no command; what the client has sent by then is read, so that it hears the answer."""
        self._entry["status"] = status
        self._entry["body"] |= {"event": "refused", "message": message}
        await self._send(answer)
        with suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(self._socket.receive(), REFUSED_PAUSE)

    async def _serve(self, init: Init, target: Target) -> None:
        """Start a command, say so, and let it run. Raises ProtocolError."""
        await asyncio.sleep(self._settings.delay)
        if (reason := self._why_end(target)) is not None:
            self._end(reason, "reset")
            return
        try:
            who = identity(init.user, init.group)
        except ValueError as error:
            raise ProtocolError(str(error)) from None
        place = self._world.places.directory(self._platform, target.place)
        environment = {"HOSTNAME": target.container["name"], "PATH": self._world.toolbox.path(self._settings.tools)}
        running, failure, code = None, "", 0
        try:
            running = await start(init, place, environment, who)
        except (OSError, ValueError) as error:
            failure = f"exec failed: {error}"
            code = CANNOT_BE_FOUND if isinstance(error, FileNotFoundError) else CANNOT_BE_RUN
        await self._send(messages.started(target.container["name"], target.container_name))
        if running is None:
            await self._complete(code, failure)
            return
        cuts = self._world.exec_sessions.setdefault(id(target.container), [])
        cuts.append(self._cut)
        try:
            await self._work(init, target, running)
        finally:
            cuts.remove(self._cut)

    async def _work(self, init: Init, target: Target, running: Running) -> None:
        """Let a process run until something ends the session."""
        stdin = Input(running, self._settings.overtake)
        finished = asyncio.create_task(self._finish(init, running))
        work = (self._receive(init, running, stdin), stdin.feed(), self._watch(target), self._act_in_time())
        others = [asyncio.create_task(each) for each in work]
        try:
            ends: list[asyncio.Future[Any]] = [finished, self._stop]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancelled(finished, *others)
            reason = self._stop.result() if self._stop.done() else ""
            if reason in ("client", "fault") and self._settings.after_close == "leave":
                running.leave()
            else:
                running.end()
        if not self._stop.done():
            await self._complete(finished.result())
        elif self.ending == "completion":
            self.ending = "close"
            await self._write(messages.completed(KILLED, self._settings.exit_codes))

    async def _finish(self, init: Init, running: Running) -> int:
        """Pass on the output until the process has ended and no more comes; return the exit code."""
        passing = [
            asyncio.create_task(self._pass_on(reader, messages.Writer(kind, init.encoding)))
            for kind, reader in running.outputs.items()
        ]
        try:
            code = await running.wait()
            sent, pending = -1, set(passing)
            # What a process has left behind may hold its output open for ever.
            while pending and (sent != self._sent or self._sending.locked()):
                sent = self._sent
                _done, pending = await asyncio.wait(pending, timeout=GRACE)
            return code
        finally:
            await _cancelled(*passing)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: messages.Writer) -> None:
        while data := await read(reader):
            await self._send_output(writer.frame(data))
        await self._send_output(writer.frame(b"", last=True))

    async def _receive(self, init: Init, running: Running, stdin: Input) -> None:
        """Take what the client sends, until it goes or sends what is no message."""
        try:
            async for raw in self._socket:
                if raw.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    self._take(messages.read_message(raw.data), init, running, stdin)
            self._end("client", "gone")
        except ProtocolError as error:
            await self._send(messages.failed(str(error)))
            self._end(str(error), "close")

    def _take(self, message: Record, init: Init, running: Running, stdin: Input) -> None:
        kind = message["type"]
        if kind == "payload":
            stdin.payload(messages.read_payload(message.get("data"), init.encoding))
        elif kind == "stdInEnd":
            stdin.end()
        elif kind == "resize":
            running.resize(*messages.read_size(message.get("data")))
        else:
            raise ProtocolError(f"A message of type {kind} is not expected")

    async def _watch(self, target: Target) -> None:
        """Let time pass for the estate; end the session when its container does not run any more."""
        while (reason := self._why_end(target)) is None:
            await asyncio.sleep(WATCH_INTERVAL)
        self._end(reason, "reset")

    def _why_end(self, target: Target) -> str | None:
        if self._world.northflank is not self._platform:
            return "reset"
        self._world.timelines.run(self._world.clock.now())
        return None if target.container["status"] == execution.RUNNING else "container not running"

    def _cut(self, sockets_end: str) -> None:
        self._end("container replaced", sockets_end)

    def _end(self, reason: str, ending: str) -> None:
        """End the session, unless it ends already."""
        if not self._stop.done():
            self.ending = ending
            self._stop.set_result(reason)

    async def _complete(self, code: int, message: str = "") -> None:
        """Tell the client how its command ended."""
        self._note("exit", exit_status=code)
        if self._fault.get("completion"):
            await self._act()
        await self._send(messages.completed(code, self._settings.exit_codes, message))
        if self._silent:
            async for _message in self._socket:
                pass
            self.ending = "gone"

    async def _send(self, message: Record) -> None:
        """Send a message that is no output, unless the session has ended; the first answer may bring a fault on."""
        async with self._sending:
            if self._stop.done():
                return
            await self._write(message)
            if message["type"] == "init" and self._fault and not MOMENTS & set(self._fault):
                await self._act()

    async def _send_output(self, message: Record | None) -> None:
        async with self._sending:
            if message is None or self._stop.done():
                return
            await self._write(message)
            self._sent += 1
            if self._sent == self._fault.get("messages"):
                await self._act()

    async def _write(self, message: Record | str) -> None:
        if self._silent:
            return
        try:
            await self._socket.send_str(message if isinstance(message, str) else json.dumps(message))
        except ConnectionError:
            self._end("client", "gone")

    async def _act_in_time(self) -> None:
        if "seconds" in self._fault:
            await asyncio.sleep(self._fault["seconds"])
            async with self._sending:
                await self._act()

    async def _act(self) -> None:
        """Do what a fault says, once."""
        fault, self._fault = self._fault, {}
        act = fault["do"]
        if act in _INTERJECTIONS:
            await self._write(_INTERJECTIONS[act])
        elif act == "silence":
            self._silent = True
        else:
            if act == "error":
                await self._write(messages.failed(str(fault.get("message", "Fault injected by the simulator"))))
            self.close_code = fault.get("code", 1000)
            self._end("fault", "reset" if act == "reset" else "close")

    def _note(self, event: str, **more: Any) -> None:
        """Enter the end of the session into the journal."""
        body = json.dumps({"event": event, "session": self._number, **more}).encode()
        call = Call("EXEC", self._call.path, self._call.segments, {}, {}, body)
        entry = self._journal.open(call, self._world.clock.now())
        self._noted = True
        entry |= {"status": 200, "route": self._route, "token": self._entry["token"]}


async def _cancelled(*tasks: asyncio.Task[Any]) -> None:
    """End tasks that are still at work, and wait until they have."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def describe(world: World, _call: Call, _body: Any) -> Record:
    """Answer ``GET /_sim/exec``: how many sessions are open."""
    return {"sessions": world.endpoints.exec_sessions}


def replace(world: World, _call: Call, body: Any) -> Record:
    """Answer ``POST /_sim/replace``: another container comes, what runs in the old one ends, its sockets are cut."""
    replaced = world.northflank.replace(body)
    for cut in list(world.exec_sessions.get(id(replaced.old), ())):
        cut(replaced.sockets)
    world.places.remove(replaced.place)
    return {"container": replaced.new}


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[None]:
    """Leave nothing behind in the end."""
    try:
        yield
    finally:
        world.places.clear()
        world.toolbox.clear()
