# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Northflank's exec message by message, with a platform at the other end that does what each test says."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import threading
import typing as t

import pytest

from ansible_collections.quayside.paas.plugins.module_utils import _websocket, _websocket_handshake
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    InvalidResponseError,
    NotFoundError,
    OptionError,
    PaasError,
    TransportError,
    WaitTimeoutError,
)
from ansible_collections.quayside.paas.plugins.module_utils._northflank import exec as northflank_exec
from ansible_collections.quayside.paas.plugins.module_utils._northflank.exec import (
    PORTION,
    Input,
    Limits,
    Target,
    access_from,
    run,
)
from support.settings import limit
from unit.fakes import TOKEN, Clock
from unit.peers import CLOSE, PING, PONG, TEXT, Network, Peer, Script

pytest.importorskip("websocket")

URL = "http://api.example.com:8080"
TARGET = Target("web-shop", "addon", "orders db", "orders-0")
DONE = {"exitCode": 0, "status": "Success", "message": ""}
LARGE = 4_000_000  # more than the buffers of a connection take
LIMITS = Limits(limit(5), limit(5))


class Platform:
    """Northflank's side of one command. context: what was asked for."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.context: dict[str, t.Any] = {}

    def begin(self, *, at_its_end: bool = True) -> None:
        """Takes the command, and perhaps the end of its input that comes with it, and accepts it."""
        self.peer.accept()
        first = self.read()
        assert first["type"] == "init"
        assert first["data"]["auth"] == {"type": "apiToken", "apiToken": TOKEN}
        assert self.peer.header("Authorization") is None
        self.context = first["data"]["context"]
        if at_its_end:
            assert self.read() == {"type": "stdInEnd"}
        self.send("init", {"auth": "successful", "context": {"instanceName": "orders-0", "containerName": "db"}})

    def read(self) -> dict[str, t.Any]:
        """The next message; pings in between are answered."""
        while True:
            opcode, data = self.peer.read()
            if opcode == TEXT:
                return t.cast("dict[str, t.Any]", json.loads(data))
            assert opcode == PING
            self.peer.send(data, PONG)

    def send(self, kind: str, data: t.Any) -> None:
        self.peer.send(json.dumps({"type": kind, "data": data}), TEXT)

    def say(self, kind: str, data: bytes) -> None:
        self.send(kind, base64.b64encode(data).decode())

    def complete(self, code: t.Any = 0, **more: t.Any) -> None:
        """The end of the command; the platform closes after it."""
        self.send("completion", {**DONE, "exitCode": code, **more})
        self.close()

    def close(self) -> None:
        self.peer.send(b"\x03\xe8", CLOSE)

    def wait_for_the_end(self) -> None:
        """Reads until the client is gone."""
        self.peer.wait_for_the_end()


def side(script: t.Callable[[Platform], t.Any]) -> Script:
    return lambda peer: script(Platform(peer))


class Outcome(t.NamedTuple):
    code: int
    stdout: bytes
    stderr: bytes


Execute = t.Callable[..., Outcome]


@pytest.fixture
def execute(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Execute]:
    """Runs a command on a platform that does what the scripts say, one for each attempt."""
    networks: list[Network] = []

    def executed(
        *scripts: t.Callable[[Platform], t.Any] | Script,
        target: Target = TARGET,
        raw: bool = False,
        limits: Limits = LIMITS,
        options: t.Mapping[str, t.Any] | None = None,
        **keywords: t.Any,
    ) -> Outcome:
        network = Network(*(t.cast("Script", script) if raw else side(t.cast("t.Any", script)) for script in scripts))
        networks.append(network)
        executed.network = network  # type: ignore[attr-defined]
        monkeypatch.setattr(_websocket_handshake, "_way", network.way)
        outputs: dict[str, list[bytes]] = {"stdOut": [], "stdErr": []}
        known = {
            "api_token": TOKEN,
            "api_url": URL,
            "timeout": limit(5),
            "retry_budget": limit(30),
            "validate_certs": True,
        }
        access = access_from({**known, "team_id": None, "ca_path": None, **(options or {})}.__getitem__)
        code = run(access, target, ["true"], lambda kind, data: outputs[kind].append(data), limits=limits, **keywords)
        return Outcome(code, b"".join(outputs["stdOut"]), b"".join(outputs["stdErr"]))

    yield executed
    for network in networks:
        network.check()


def refused(execute: Execute, kind: type[PaasError], *scripts: t.Any, **keywords: t.Any) -> str:
    """What the error says, which never has the token in it and always names the container."""
    with pytest.raises(kind) as caught:
        execute(*scripts, **keywords)
    assert caught.type is kind
    assert TOKEN not in repr(caught.value)
    assert caught.value.message.startswith("The container orders-0 (addon orders db, project web-shop): ")
    return caught.value.message


# Beginning


def test_the_first_message_has_what_is_wanted_and_nothing_else(execute: Execute) -> None:
    seen: list[Platform] = []

    def script(platform: Platform) -> None:
        seen.append(platform)
        platform.begin()
        platform.complete()

    assert execute(script) == (0, b"", b"")
    wanted = {"command": ["true"], "shell": "none", "encoding": "base64", "tty": False, "instanceName": "orders-0"}
    assert seen[0].context == wanted
    assert (
        execute.network.ways[0].url == "ws://api.example.com:8080/v1/command-exec/projects/web-shop/addons/orders%20db"
    )  # type: ignore[attr-defined]

    whole = Target("p", "job", "j", "i", container_name="c", user="1000", group="staff")
    execute(script, target=whole, options={"team_id": "my team", "api_url": "https://api.example.com/v1"})
    more = {"containerName": "c", "user": 1000, "group": "staff", "instanceName": "i"}
    assert seen[1].context == {**wanted, **more}
    assert (
        execute.network.ways[0].url  # type: ignore[attr-defined]
        == "wss://api.example.com/v1/command-exec/teams/my%20team/projects/p/jobs/j"
    )


@pytest.mark.parametrize("changes", [{"kind": "build"}, {"project_id": ".."}, {"resource_id": ""}])
def test_impossible_targets_are_refused_before_anything_is_sent(execute: Execute, changes: t.Any) -> None:
    with pytest.raises(OptionError):
        execute(target=Target(**{**vars(TARGET), **changes}))


def test_a_handshake_is_repeated_and_the_command_is_not(execute: Execute) -> None:
    def script(peer: Peer) -> None:
        platform = Platform(peer)
        platform.begin()
        peer.socket.close()

    message = refused(
        execute,
        TransportError,
        ConnectionRefusedError(111, "Connection refused"),
        lambda peer: peer.answer(503, {}, "Retry-After: 0"),
        script,
        raw=True,
    )
    assert "broke" in message or "closed the connection" in message
    assert "What became of the command is not known" in message


def test_what_does_not_exist_is_told_with_what_to_do(execute: Execute) -> None:
    body = {"error": {"status": 404, "message": f"No addon for {TOKEN}"}}
    message = refused(execute, NotFoundError, lambda peer: peer.answer(404, body), raw=True)
    assert "status 404: No addon for ********" in message
    assert "Does the addon still exist?" in message


@pytest.mark.parametrize("answer", ["failed", None, {"x": 1}, True])
def test_a_token_that_is_refused(execute: Execute, answer: t.Any) -> None:
    def script(platform: Platform) -> None:
        platform.peer.accept()
        platform.read()
        platform.send("init", {"auth": answer, "message": f"{TOKEN} is not known"})
        platform.wait_for_the_end()

    assert "refused the token: ******** is not known. Is it valid" in refused(execute, ApiError, script)


@pytest.mark.parametrize(
    ("message", "kind", "wanted"),
    [
        (
            {"type": "error", "data": {"message": "Instance not found."}},
            ApiError,
            "did not run the command: Instance not",
        ),
        ({"type": "error"}, ApiError, "no reason was given"),
        ({"type": "init", "data": None}, InvalidResponseError, "did not answer the command, but sent a message init"),
        ({"type": "stdOut", "data": "YQ=="}, InvalidResponseError, "did not answer the command"),
        ("<html>", InvalidResponseError, "begins: <html>"),
        (["init"], InvalidResponseError, 'begins: ["init"]'),
        ({"data": {}}, InvalidResponseError, "no message of exec"),
        ({"type": 1}, InvalidResponseError, "no message of exec"),
    ],
)
def test_other_answers_to_the_first_message(execute: Execute, message: t.Any, kind: t.Any, wanted: str) -> None:
    def script(platform: Platform) -> None:
        platform.peer.accept()
        platform.read()
        platform.peer.send(message if isinstance(message, str) else json.dumps(message), TEXT)
        platform.wait_for_the_end()

    assert wanted in refused(execute, kind, script)


def test_a_platform_that_does_not_answer_the_first_message(execute: Execute) -> None:
    def script(platform: Platform) -> None:
        platform.peer.accept()
        platform.wait_for_the_end()

    message = refused(execute, TransportError, script, limits=Limits(0.1, 60))
    assert "did not accept the command within 0.1 seconds (option timeout)" in message


# The command


@pytest.mark.parametrize("code", [0, 42, "0", "42", "137", "-1"])
def test_exit_codes_are_numbers_or_text(execute: Execute, code: t.Any) -> None:
    def script(platform: Platform) -> None:
        platform.begin()
        platform.complete(code, status="Failure")

    assert execute(script).code == int(code)


@pytest.mark.parametrize(
    "data", [{}, None, {"exitCode": None}, {"exitCode": True}, {"exitCode": "x"}, {"exitCode": 1.5}]
)
def test_an_end_without_an_exit_code_is_no_success(execute: Execute, data: t.Any) -> None:
    def script(platform: Platform) -> None:
        platform.begin()
        platform.send("completion", data if data is None else {**data, "status": "Unknown", "message": "lost it"})
        platform.wait_for_the_end()

    message = refused(execute, InvalidResponseError, script)
    assert "no exit code" in message
    assert data is None or "(Unknown)" in message
    assert data is None or "lost it" in message


def test_output_of_both_kinds_in_pieces(execute: Execute) -> None:
    def script(platform: Platform) -> None:
        platform.begin()
        platform.say("stdOut", b"\x00\xff one")
        platform.say("stdErr", b"warning")
        platform.send("init", {"auth": "successful", "context": {}})  # official clients ignore it too
        platform.send("stdOut", None)
        platform.say("stdOut", b" two\n")
        platform.complete("3")

    assert execute(script) == (3, b"\x00\xff one two\n", b"warning")


@pytest.mark.parametrize(
    ("kind", "data", "error", "wanted"),
    [
        ("novelty", {}, InvalidResponseError, "unknown type novelty"),
        ("error", {"message": f"Pod deleted {TOKEN}"}, ApiError, "gave the command up: Pod deleted ********."),
        ("stdOut", "not base64!", InvalidResponseError, "output (stdOut) that is not base64"),
        ("stdErr", 7, InvalidResponseError, "output (stdErr) that is not base64"),
    ],
)
def test_messages_that_end_it(execute: Execute, kind: str, data: t.Any, error: t.Any, wanted: str) -> None:
    def script(platform: Platform) -> None:
        platform.begin()
        platform.send(kind, data)
        platform.wait_for_the_end()

    message = refused(execute, error, script)
    assert wanted in message
    assert "What became of the command is not known" in message


def test_a_close_before_the_end_is_no_end(execute: Execute) -> None:
    def script(platform: Platform) -> None:
        platform.begin()
        platform.say("stdOut", b"half of it")
        platform.peer.send(b"\x03\xe9gone", CLOSE)
        platform.wait_for_the_end()

    message = refused(execute, TransportError, script)
    assert "closed the connection before the command had ended, code 1001, gone." in message


def test_a_cut_within_a_message_is_no_end(execute: Execute) -> None:
    def script(platform: Platform) -> None:
        platform.begin()
        platform.peer.write(b"\x81\x7e\x01\x00half")
        platform.peer.socket.shutdown(socket.SHUT_RDWR)

    assert "broke" in refused(execute, TransportError, script)


# Input


def portions(data: bytes) -> t.Iterator[bytes]:
    return (data[at : at + PORTION] for at in range(0, len(data), PORTION))


def test_input_goes_in_payloads_and_its_end_is_never_sent(execute: Execute) -> None:
    """An end that overtakes what is on its way, as the platform's can, has nothing to overtake."""
    whole = bytes(range(256)) * 1000
    got = bytearray()
    sizes: list[int] = []

    def script(platform: Platform) -> None:
        platform.begin(at_its_end=False)
        while len(got) < len(whole):
            message = platform.read()
            assert message["type"] == "payload"
            data = base64.b64decode(message["data"], validate=True)
            sizes.append(len(data))
            got.extend(data)
        platform.peer.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            platform.peer.read()
        platform.complete()

    assert execute(script, source=Input(portions(whole))).code == 0
    assert got == whole
    assert max(sizes) == PORTION


def test_input_waits_until_it_may_go(execute: Execute) -> None:
    asked: list[bytes] = []

    def take_asked() -> bool:
        return bool(asked)

    def script(platform: Platform) -> None:
        platform.begin(at_its_end=False)
        platform.peer.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            platform.peer.socket.recv(1)
        platform.peer.socket.settimeout(limit(5))
        asked.append(b"password:")
        assert base64.b64decode(platform.read()["data"]) == b"secret\n"
        platform.complete()

    assert execute(script, source=Input(iter([b"secret\n"]), take_asked)).code == 0


def test_both_talk_at_once_without_waiting_for_each_other(execute: Execute) -> None:
    """The platform does not read before all of its output is out: who sends first and reads later would hang here."""
    outgoing = b"out " * (LARGE // 4)
    got = bytearray()

    def script(platform: Platform) -> None:
        platform.begin(at_its_end=False)
        platform.peer.socket.settimeout(limit(30))
        for portion in portions(outgoing):
            platform.say("stdOut", portion)
        while len(got) < LARGE:
            got.extend(base64.b64decode(platform.read()["data"]))
        platform.complete()

    result = execute(script, source=Input(portions(b"in  " * (LARGE // 4))), limits=Limits(limit(5), limit(30)))
    assert result == (0, outgoing, b"")
    assert got == b"in  " * (LARGE // 4)


@pytest.mark.parametrize("closes", [True, False])
def test_a_command_that_ends_without_taking_its_input(
    execute: Execute, monkeypatch: pytest.MonkeyPatch, closes: bool
) -> None:
    def script(platform: Platform) -> None:
        platform.begin(at_its_end=False)
        assert platform.read()["type"] == "payload"
        platform.say("stdErr", b"no room")
        platform.send("completion", {**DONE, "exitCode": "1"})
        if closes:
            platform.peer.socket.close()
        else:
            over.wait(limit(60))

    monkeypatch.setattr(_websocket, "CLOSE_WITHIN", 0.1)
    over = threading.Event()
    try:
        assert execute(script, source=Input(portions(b"x" * LARGE))) == (1, b"", b"no room")
    finally:
        over.set()


def test_an_error_while_input_is_read_goes_through_and_closes(execute: Execute) -> None:
    def chunks() -> t.Iterator[bytes]:
        yield b"1"
        raise RuntimeError("the file is gone")

    def script(platform: Platform) -> None:
        platform.begin(at_its_end=False)
        platform.wait_for_the_end()

    with pytest.raises(RuntimeError, match="the file is gone"):
        execute(script, source=Input(chunks()))


# Time


class Line:
    """An open WebSocket on which time passes only while something is awaited, and which takes `takes` bytes.

    messages: by the second at which they arrive. pongs_until: the second from which pings are no longer answered.
    """

    def __init__(
        self, clock: Clock, messages: dict[float, t.Any], *, pongs_until: float = 0, takes: float = float("inf")
    ) -> None:
        self.clock, self.pongs_until, self.takes = clock, pongs_until, takes
        self.pending = [(clock.now() + at, messages[at]) for at in sorted(messages)]
        self.began = self.heard_at = clock.now()
        self.pings = self.unsent = 0
        self.closed = None
        self.answers_pings = False

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def watch_tcp(self, _seconds: int) -> None:
        pass

    def queue(self, data: str) -> None:
        self.takes -= len(data)
        self.unsent = int(max(0, -self.takes))

    def ping(self) -> None:
        self.pings += 1
        if self.clock.now() - self.began < self.pongs_until:
            self.answers_pings, self.heard_at = True, self.clock.now()

    def receive(self, timeout: float, *, only_until_sent: bool = False) -> bytes | None:
        if self.pending and self.pending[0][0] <= self.clock.now() + timeout:
            self.clock.time, message = self.pending.pop(0)
            self.heard_at = self.clock.now()
            return json.dumps(message).encode()
        if self.unsent or not only_until_sent:
            self.clock.advance(timeout)
        return None

    def quiet(self) -> float:
        return self.clock.now() - self.heard_at

    def stuck(self) -> float:
        return self.clock.now() - self.began if self.unsent else 0


ACCEPTED = {"type": "init", "data": {"auth": "successful", "context": {}}}
OUTPUT = {"type": "stdOut", "data": "eQ=="}


def wait(monkeypatch: pytest.MonkeyPatch, line: Line, limits: Limits, source: Input | None = None) -> int:
    """Runs a command on a line."""
    monkeypatch.setattr(northflank_exec, "open_websocket", lambda *_args, **_options: contextlib.nullcontext(line))
    known = {"api_token": TOKEN, "api_url": URL, "timeout": 10, "retry_budget": 0, "validate_certs": True}
    access = access_from({**known, "team_id": None, "ca_path": None}.__getitem__)
    return run(access, TARGET, ["true"], lambda _kind, _data: None, source=source, limits=limits, clock=line.clock.now)


def test_the_answer_to_the_first_message_is_waited_for_so_long(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(clock, {11: ACCEPTED})
    with pytest.raises(TransportError, match=r"did not accept the command within 10 seconds \(option timeout\)"):
        wait(monkeypatch, line, Limits(10, 60))
    assert clock.now() - line.began == pytest.approx(10)


@pytest.mark.parametrize("output", [{}, {tenths / 10: OUTPUT for tenths in range(1, 1000)}], ids=["none", "endless"])
def test_a_command_may_take_so_long(clock: Clock, monkeypatch: pytest.MonkeyPatch, output: t.Any) -> None:
    line = Line(clock, {0: ACCEPTED, **output}, pongs_until=1000)
    with pytest.raises(WaitTimeoutError, match=r"did not end within 90 seconds \(option command_timeout\)"):
        wait(monkeypatch, line, Limits(10, 60, 90))
    assert clock.now() - line.began == pytest.approx(90, abs=northflank_exec.POLL)


def test_who_answered_pings_and_then_does_not_is_gone(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(clock, {0: ACCEPTED}, pongs_until=100)
    with pytest.raises(TransportError, match=r"gave no sign of life for 60 seconds .* \(option silence_timeout\)"):
        wait(monkeypatch, line, Limits(10, 60))
    assert line.quiet() == pytest.approx(60, abs=2 * northflank_exec.POLL)
    assert clock.now() - line.began > 100


def test_a_quiet_command_is_no_silence(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(clock, {0: ACCEPTED, 600: {"type": "completion", "data": DONE}}, pongs_until=1000)
    assert wait(monkeypatch, line, Limits(10, 60)) == 0
    assert 600 / 20 * 0.9 < line.pings <= 600 / 20


def test_who_never_answers_pings_may_be_alive(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(clock, {0: ACCEPTED, 600: {"type": "completion", "data": {**DONE, "exitCode": 7}}})
    assert wait(monkeypatch, line, Limits(10, 60)) == 7


def test_who_takes_no_input_is_not_waited_for_for_ever(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(clock, {0: ACCEPTED}, takes=1000)
    with pytest.raises(TransportError, match=r"did not take any input for 60 seconds .* \(option silence_timeout\)"):
        wait(monkeypatch, line, Limits(10, 60), Input(portions(b"x" * LARGE)))
    assert line.stuck() == pytest.approx(60, abs=2 * northflank_exec.POLL)


def test_a_command_is_not_waited_for_on_behalf_of_nobody(execute: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(platform: Platform) -> None:
        platform.begin()
        monkeypatch.setattr(os, "getppid", lambda: 1)
        platform.wait_for_the_end()

    assert "The process that wanted the command has ended" in refused(execute, TransportError, script)


def test_the_operating_system_watches_the_connection(execute: Execute, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(_websocket.WebSocket, "watch_tcp", lambda _self, seconds: asked.append(seconds))

    def script(platform: Platform) -> None:
        platform.begin()
        platform.complete()

    execute(script, limits=Limits(limit(5), 45))
    assert asked == [45]


def test_every_kind_has_its_path() -> None:
    assert set(northflank_exec.KINDS) == {"addon", "service", "job"}
