# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exec over WebSocket, with a client that shares nothing with the service."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import websocket

from paas_simulator import places
from support.settings import limit, wait_for
from support.simulator import Simulator, start_simulator

WEB_SHOP = "/v1/command-exec/projects/storefront/services/web-shop"
POSTGRES = "/v1/command-exec/projects/storefront/addons/orders-postgres"
INVOICES = "/v1/command-exec/projects/storefront/jobs/nightly-invoices"
FIRST, SECOND = "web-shop-5f6d9c7b84-k2x9p", "web-shop-5f6d9c7b84-tq7wz"
ODD = "checkout api/{{ 7*7 }} ü-0"
BINARY = bytes(range(256)) * 4096
Message = dict[str, Any]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root may be somebody else")


class Exec:
    """One session, from its first message on."""

    def __init__(self, sim: Simulator, path: str = WEB_SHOP, token: str = "demo", **context: Any) -> None:
        """Connect; send init unless the context is ``raw``. ``acknowledge``: a line of input follows each output."""
        self.socket = websocket.create_connection(sim.url.replace("http", "ws", 1) + path, timeout=limit(8))
        self.encoding = context.get("encoding", "utf-8")
        self.acknowledge = context.pop("acknowledge", False)
        if not context.pop("raw", False):
            auth = {"type": "apiToken", "apiToken": sim.tokens.get(token, token)}
            self.send("init", {"auth": auth, "context": context})

    def send(self, kind: str, data: Any = None) -> None:
        """Send a message as text."""
        self.socket.send(json.dumps({"type": kind, **({} if data is None else {"data": data})}))

    def feed(self, data: bytes, end: bool = False) -> None:
        """Send bytes for standard input, and perhaps its end."""
        self.send("payload", base64.b64encode(data).decode() if self.encoding == "base64" else data.decode())
        if end:
            self.send("stdInEnd")

    def receive(self) -> Message:
        """Return the next message."""
        opcode, data = self.socket.recv_data()
        assert opcode == websocket.ABNF.OPCODE_TEXT, (opcode, data)
        return self._taken(data)

    def _taken(self, data: bytes) -> Message:
        message: Message = json.loads(data)
        if self.acknowledge and message["type"] == "stdOut":
            with suppress(OSError, websocket.WebSocketException):
                self.feed(b"\n")
        return message

    def rest(self) -> list[Message]:
        """Return all messages until the server closes in good order."""
        messages = []
        while True:
            opcode, data = self.socket.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                assert int.from_bytes(data[:2], "big") == 1000
                return messages
            messages.append(self._taken(data))

    def until(self, text: str) -> None:
        """Read output until some text has come."""
        seen = ""
        while text not in seen:
            message = self.receive()
            assert message["type"] == "stdOut", message
            seen += self.decoded(message).decode()

    def decoded(self, message: Message) -> bytes:
        """Return the bytes of a message of output."""
        data: str = message["data"]
        return base64.b64decode(data, validate=True) if self.encoding == "base64" else data.encode()

    def result(self) -> tuple[bytes, bytes, Any]:
        """Return standard output, standard error, and the exit code as it was sent."""
        messages = self.rest()
        out, err = (
            b"".join(self.decoded(each) for each in messages if each["type"] == kind) for kind in ("stdOut", "stdErr")
        )
        assert messages[-1]["type"] == "completion", messages
        return out, err, messages[-1]["data"]["exitCode"]


Run = Callable[..., tuple[bytes, bytes, Any]]


@pytest.fixture
def run(sim: Simulator) -> Run:
    """Runs a script of the shell without input and returns output, errors, exit code."""

    def run(script: str, path: str = WEB_SHOP, **context: Any) -> tuple[bytes, bytes, Any]:
        session = Exec(sim, path, command=["sh", "-c", script], shell="none", instanceName=FIRST, **context)
        return session.result()

    return run


def error_of(session: Exec) -> str:
    """Return the message of the error a session ends with."""
    last = session.rest()[-1]
    assert last["type"] == "error", last
    message: str = last["data"]["message"]
    return message


def alive(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def cut(session: Exec) -> list[Message]:
    """Return all messages until the connection is cut."""
    messages = []
    while True:
        try:
            messages.append(session.receive())
        except (ConnectionError, websocket.WebSocketConnectionClosedException):
            return messages


def ended(sim: Simulator) -> dict[str, Any]:
    """Return what the journal says of the end of the last session, once it does."""
    wait_for(lambda: sim.journal()[-1]["method"] == "EXEC", "the end of the session in the journal")
    body: dict[str, Any] = sim.journal()[-1]["body"]
    return body


# Messages


def test_a_command_from_start_to_end(sim: Simulator) -> None:
    command = ["sh", "-c", "echo out; echo err >&2; exit 3"]
    session = Exec(sim, command=command, shell="none", instanceName=SECOND)
    messages = session.rest()
    context = {"instanceName": SECOND, "containerName": "web-shop"}
    assert messages[0] == {"type": "init", "data": {"auth": "successful", "context": context}}
    between = sorted((each["type"], each["data"]) for each in messages[1:-1])
    assert between == [("stdErr", "err\n"), ("stdOut", "out\n")]
    data = messages[-1]["data"]
    assert (messages[-1]["type"], data["exitCode"], data["status"]) == ("completion", "3", "Failure")


def test_binary_messages_and_nothing_but_a_command(sim: Simulator) -> None:
    session = Exec(sim, raw=True)
    auth = {"type": "apiToken", "apiToken": sim.token}
    init = {"type": "init", "data": {"auth": auth, "context": {"command": "read line; echo $line $0"}}}
    session.socket.send_binary(json.dumps(init).encode())
    session.socket.send_binary(b'{"type": "payload", "data": "hello\\n"}')
    out, _err, code = session.result()
    assert out.startswith(b"hello ")
    assert code == 0


@pytest.mark.parametrize(("setting", "expected"), [("string", "42"), ("number", 42)])
def test_exit_codes(sim: Simulator, run: Run, setting: str, expected: Any) -> None:
    sim.settings(exec={"exit_codes": setting})
    assert run("exit 42")[2] == expected
    assert run("exit 0")[2] == 0
    assert isinstance(run("exit 0")[2], int)
    assert int(run("kill -9 $$")[2]) == 137


def test_the_shell_is_as_asked_for(sim: Simulator) -> None:
    def output(**context: Any) -> bytes:
        return Exec(sim, instanceName=FIRST, **context).result()[0]

    assert output(command=["echo", "a b", "$HOME"], shell="none") == b"a b $HOME\n"
    assert output(command="echo 'a b' $HOME", shell="none") == b"a b $HOME\n"
    assert output(command="echo a$((6*7))", shell="sh -c") == b"a42\n"
    assert output(command="echo ${0##*/}", shell="bash") == b"bash\n"
    assert output(command=["echo", "a b", "$HOME"], shell="bash -c") == b"a b $HOME\n"
    assert output(command="echo a$((6*7))") == b"a42\n"


def test_what_cannot_be_run(sim: Simulator, run: Run) -> None:
    messages = Exec(sim, command=["no-such-thing", "secret"], shell="none").rest()
    assert [each["type"] for each in messages] == ["init", "completion"]
    assert messages[1]["data"]["exitCode"] == "127"
    assert "secret" not in json.dumps(messages)
    run("echo > data")
    assert Exec(sim, command=["./data"], shell="none", instanceName=FIRST).result()[2] == "126"
    assert Exec(sim, shell="fish", instanceName=FIRST).result()[2] == "127"
    assert "taken apart" in error_of(Exec(sim, command="'", shell="none"))


def test_base64_each_message_by_itself(sim: Simulator) -> None:
    session = Exec(sim, POSTGRES, command="cat", shell="none", encoding="base64")
    for start in range(0, len(BINARY), 10_007):
        session.feed(BINARY[start : start + 10_007])
    session.send("stdInEnd")
    out, err, code = session.result()
    assert out == BINARY
    assert (err, code) == (b"", 0)


def test_utf_8_loses_what_is_none(run: Run) -> None:
    assert run(r"printf 'a\377b'")[0].decode() == "a\ufffdb"
    # Characters are whole, wherever the output is split.
    assert run("i=0; while [ $i -lt 3000 ]; do printf 'äöü€'; i=$((i+1)); done")[0].decode() == "äöü€" * 3000


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("no json", "not JSON"),
        ('["init"]', "an object with a type"),
        ('{"type": "payload", "data": "x"}', "must be init"),
        ('{"type": "init"}', "data must be an object"),
        ('{"type": "init", "data": {"auth": {}, "context": {"instanceName": null}}}', "instanceName must be a string"),
        ('{"type": "init", "data": {"auth": {}, "context": {"user": null}}}', "user must be a string or a number"),
        ('{"type": "init", "data": {"auth": {}, "context": {"tty": "yes"}}}', "tty must be a boolean"),
        ('{"type": "init", "data": {"auth": {}, "context": {"encoding": "utf-16"}}}', "utf-8 or base64"),
        ('{"type": "init", "data": {"auth": {}, "context": {"command": []}}}', "command must be"),
    ],
)
def test_first_messages_that_are_none(sim: Simulator, data: str, expected: str) -> None:
    session = Exec(sim, raw=True)
    session.socket.send(data)
    assert expected in error_of(session)
    assert sim.journal()[0]["status"] == 400


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("{", "not JSON"),
        ('{"type": "novelty"}', "novelty is not expected"),
        ('{"type": "payload", "data": "%%%"}', "not base64"),
        ('{"type": "payload", "data": 1}', "must be a string"),
        ('{"type": "resize", "data": {"ttyRows": 3}}', "ttyColumns"),
    ],
)
def test_later_messages_that_are_none(sim: Simulator, data: str, expected: str) -> None:
    session = Exec(sim, command="cat", shell="none", encoding="base64")
    assert session.receive()["type"] == "init"
    session.socket.send(data)
    assert expected in error_of(session)


# Who may, and where


def test_paths(sim: Simulator) -> None:
    inside = POSTGRES.replace("exec/", "exec/teams/tidewater/")
    assert Exec(sim, inside, token="org", command="true", shell="none").result()[2] == 0
    assert Exec(sim, INVOICES, command="hostname", shell="sh -c").result()[2] in (0, "127")
    for path in (POSTGRES.replace("/v1/", "/v1/teams/tidewater/"), POSTGRES.replace("addons", "builds"), "/v1/auth"):
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            Exec(sim, path)
        assert caught.value.status_code in (404, 401)
    assert sim.get(POSTGRES).status == 404


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        (POSTGRES, "nobody", 401),
        (POSTGRES, "expired", 401),
        (POSTGRES, "read-only", 403),
        (POSTGRES, "no-addons", 403),
        (POSTGRES, "org", 400),
        (POSTGRES.replace("orders-postgres", "nothing"), "demo", 404),
        (POSTGRES.replace("exec/", "exec/teams/tidewater-labs/"), "demo", 404),
        (WEB_SHOP.replace("storefront", "data-platform"), "one-project", 404),
    ],
)
def test_who_may_not(sim: Simulator, path: str, token: str, status: int) -> None:
    started = time.monotonic()
    session = Exec(sim, path, token=token, command="true")
    message = session.receive()
    assert message["type"] == ("init" if status in (401, 403) else "error")
    assert message["data"].get("auth") != "successful"
    assert message["data"]["message"]
    assert session.rest() == []
    assert time.monotonic() - started > 0.15, "a client that sends on at once does not hear the answer"
    (entry,) = sim.journal()
    assert (entry["status"], entry["body"]["event"]) == (status, "refused")
    assert entry["token"] == (None if token == "nobody" else token)


def test_instances(sim: Simulator) -> None:
    hosts: set[str] = set()
    for _number in range(24):  # without a name, any that runs
        hosts.add(Exec(sim, command="echo $HOSTNAME").result()[0].decode().strip())
        if len(hosts) > 1:
            break
    assert hosts == {FIRST, SECOND}
    odd = WEB_SHOP.replace("web-shop", "checkout-api")
    assert Exec(sim, odd, command='echo "$HOSTNAME"', instanceName=ODD).result()[0].decode() == f"{ODD}\n"
    assert Exec(sim, command="true", containerName="web-shop").result()[2] == 0
    assert "not found" in error_of(Exec(sim, command="true", containerName="side-car"))
    assert "not found" in error_of(Exec(sim, command="true", instanceName="web-shop-0"))
    killed = Exec(sim, command="true", instanceName="web-shop-6b8f4d5c97-9hd2m")
    assert error_of(killed) == "Instance web-shop-6b8f4d5c97-9hd2m is not running: TASK_KILLED"
    paused = WEB_SHOP.replace("storefront", "data-platform").replace("web-shop", "metabase")
    assert error_of(Exec(sim, paused, command="true")) == "There is no running instance"


def test_each_container_has_a_directory_of_its_own(sim: Simulator, run: Run) -> None:
    run("echo mine > file")
    assert run("pwd; cat ~/file")[0].endswith(b"\nmine\n")
    assert Exec(sim, command="cat file", instanceName=SECOND).result()[2] == "1"
    same = [
        WEB_SHOP.replace("storefront", project).replace("web-shop", service)
        for project, service in (("data-platform", "dbt-runner"), ("staging", "worker"))
    ]
    assert Exec(sim, same[0], command="touch file", instanceName="worker-0").result()[2] == 0
    assert Exec(sim, same[1], command="ls", instanceName="worker-0").result()[0] == b""


def test_the_simulators_own_user(run: Run) -> None:
    own = f"{os.geteuid()}\n".encode()
    assert run("id -u")[0] == own
    assert run("id -u", user=os.geteuid())[0] == own
    assert run("id -u", user=str(os.geteuid()), group=os.getegid())[0] == own


def test_a_user_nobody_knows(sim: Simulator) -> None:
    assert "unable to find user" in error_of(Exec(sim, command="true", user="no-such-user"))
    assert "unable to find group" in error_of(Exec(sim, command="true", group="no-such-group"))


def test_without_root_there_is_one_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    monkeypatch.setattr(os, "getegid", lambda: 55)
    assert places.identity(None, None) is None
    assert places.identity(1234, "55") is None
    for user, group in ((0, None), ("root", None), (None, 0)):
        with pytest.raises(ValueError, match="does not run as root: commands run as user 1234"):
            places.identity(user, group)


@as_root
def test_another_user(sim: Simulator, run: Run) -> None:
    script = "id -u; id -g; echo $HOME; touch mine ~/mine; ls -ld ~ | cut -c 1-10; cat secret"
    run("echo x > secret; chmod 600 secret")
    out, err, code = run(script, user="nobody")
    lines = out.decode().splitlines()
    assert lines[:2] == ["65534", "65534"]
    assert lines[2].endswith("/home/65534")
    assert lines[3] == "drwx------"
    assert (b"Permission denied" in err, code) == (True, "1")
    assert run("id -u; id -g", user=4321, group="nogroup")[0] == b"4321\n65534\n"
    assert run("id -u; id -g", group=77)[0] == b"0\n77\n"
    session = Exec(sim, command="id -u; test -t 0 && stty size", user="nobody", tty=True, instanceName=FIRST)
    assert session.result()[0] == b"65534\r\n24 80\r\n"


# Terminals and input


def test_a_terminal(sim: Simulator) -> None:
    session = Exec(sim, shell="sh", tty=True, ttyRows=31, ttyColumns=97, instanceName=FIRST)
    assert session.receive()["type"] == "init"
    session.feed(b"stty size; echo $((40 + 2)); echo err >&2\n")
    session.until("31 97\r\n42\r\nerr\r\n")
    session.send("resize", {"ttyRows": 12, "ttyColumns": 34})
    session.feed(b"stty size\n")
    session.until("12 34\r\n")
    session.send("stdInEnd")
    assert session.result()[2] == 0


def test_a_shell_without_a_terminal(sim: Simulator) -> None:
    session = Exec(sim, shell="none", tty=False, instanceName=FIRST)
    session.feed(b"echo $((40 + 2))\nexit 5\n")
    assert session.result() == (b"42\n", b"", "5")


def test_no_end_of_input_is_needed(sim: Simulator) -> None:
    session = Exec(sim, command=["head", "-c", "3"], shell="none")
    session.feed(b"abcdef")
    assert session.result()[0] == b"abc"


def test_the_end_may_overtake_what_was_sent_before(sim: Simulator) -> None:
    def echoed(pause: float = 0) -> bytes:
        session = Exec(sim, command="cat", shell="none")
        session.feed(b"sent")
        time.sleep(pause)
        session.send("stdInEnd")
        return session.result()[0]

    assert echoed() == b"sent"
    sim.settings(exec={"overtake": True})
    # How far apart the two arrive depends on the machine.
    wait_for(lambda: echoed() == b"", "an end that overtakes")
    wait_for(lambda: echoed(0.2) == b"sent", "an end that does not overtake")


def test_output_that_something_else_holds_open(run: Run) -> None:
    assert run("sleep 600 & echo done")[0] == b"done\n"


def test_pings(sim: Simulator) -> None:
    def answered() -> bool:
        session = Exec(sim, command="cat", shell="none")
        assert session.receive()["type"] == "init"
        session.socket.ping("are you there")
        session.feed(b"x")
        seen = [session.socket.recv_frame().opcode for _number in range(1)]
        return websocket.ABNF.OPCODE_PONG in seen

    assert answered()
    sim.settings(exec={"answers_ping": False})
    assert not answered()


def test_the_answer_may_take_its_time(sim: Simulator) -> None:
    sim.settings(exec={"delay": 0.4})
    started = time.monotonic()
    session = Exec(sim, command="true", shell="none")
    assert session.receive()["type"] == "init"
    assert time.monotonic() - started > 0.35


def test_tools(sim: Simulator, run: Run) -> None:
    sim.settings(exec={"tools": "posix"})
    names = "sh python3 bash cat mkdir rm chmod tar ls id tail uname"
    found = run(f"for name in {names}; do command -v $name; done")[0].decode().split()
    assert [Path(each).name for each in found] == ["sh", "python3"]
    assert run("python3 -c 'import hashlib, zipfile; print(6*7)'")[0] == b"42\n"
    # A missing shell means that there has to be another one.
    assert Exec(sim, command="echo ${0##*/}").result()[0] == b"sh\n"


# The end of processes


def test_processes_end_with_the_client(sim: Simulator) -> None:
    session = Exec(sim, command="sleep 60 & echo $! $$; wait", shell="sh -c")
    assert session.receive()["type"] == "init"
    pids = [int(each) for each in session.receive()["data"].split()]
    assert all(map(alive, pids))
    assert sim.control("exec") == {"sessions": 1}
    session.socket.close()
    wait_for(lambda: not any(map(alive, pids)), "the end of the processes")
    assert ended(sim) == {"event": "close", "session": sim.journal()[0]["body"]["session"], "reason": "client"}
    assert sim.control("exec") == {"sessions": 0}


def test_processes_may_be_left_alone(sim: Simulator, run: Run) -> None:
    sim.settings(exec={"after_close": "leave"})
    command = "echo $$; until [ -e finish ]; do sleep 0.02; done; echo done > done"
    session = Exec(sim, command=command, shell="sh -c", instanceName=FIRST)
    assert session.receive()["type"] == "init"
    pid = int(session.receive()["data"])
    session.socket.shutdown()
    assert ended(sim)["reason"] == "client"
    assert alive(pid)
    assert run("touch finish")[2] == 0
    wait_for(lambda: not alive(pid), "the end of the process")
    assert run("cat done")[0] == b"done\n"


def test_a_reset_ends_everything(sim: Simulator, run: Run) -> None:
    in_own_session = "[ $(cut -d ' ' -f 6 /proc/$!/stat) -eq $! ]"
    pid = int(run(f"setsid sleep 600 >/dev/null 2>&1 & until {in_own_session}; do sleep 0.02; done; echo $!")[0])
    assert alive(pid)
    session = Exec(sim, command="cat", shell="none")
    assert session.receive()["type"] == "init"
    sim.reset()
    assert cut(session) == []
    assert sim.journal() == [], "what belongs to the time before is not in the new journal"
    assert run("ls -A")[0] == b""
    wait_for(lambda: not alive(pid), "the end of the daemon")


def test_nothing_is_left_behind() -> None:
    simulator = start_simulator()
    try:
        session = Exec(simulator, command="setsid sleep 60 >&- 2>&- & echo $PWD $!; wait", shell="sh -c")
        assert session.receive()["type"] == "init"
        home, pid = session.receive()["data"].split()
        assert Path(home).exists()
    finally:
        simulator.stop()
    assert not Path(home).exists()
    assert not Path(home).parent.exists()
    wait_for(lambda: not alive(int(pid)), "the end of the daemon")


# Faults


def begun(sim: Simulator) -> Exec:
    """Return a session that gives three messages of output, each after the one before it has arrived."""
    command = "for word in one two three; do echo $word; read answer; done"
    return Exec(sim, command=command, shell="sh -c", instanceName=FIRST, acknowledge=True)


def test_a_handshake_fails(sim: Simulator) -> None:
    sim.fault("GET", "/v1/command-exec/*", {"status": 503})
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        begun(sim)
    assert caught.value.status_code == 503
    for where in ("before", "after"):
        sim.fault("GET", "/v1/command-exec/*", {"reset": where})
        with pytest.raises((ConnectionError, websocket.WebSocketException)):
            begun(sim)
    sim.fault("GET", "/v1/command-exec/*", {"reset": "body"})
    assert cut(Exec(sim, raw=True)) == []
    assert len(begun(sim).rest()) == 5


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"do": "reset"}, ["init"]),
        ({"do": "reset", "messages": 2}, ["init", "stdOut", "stdOut"]),
        ({"do": "reset", "completion": True}, ["init", "stdOut", "stdOut", "stdOut"]),
    ],
)
def test_a_connection_is_cut(sim: Simulator, fault: Message, seen: list[str]) -> None:
    sim.fault("GET", WEB_SHOP, {"exec": fault})
    assert [message["type"] for message in cut(begun(sim))] == seen


def test_a_connection_is_cut_after_some_time(sim: Simulator) -> None:
    sim.fault("GET", WEB_SHOP, {"exec": {"do": "reset", "seconds": 0.05}})
    session = Exec(sim, command="sleep 600", shell="sh -c", instanceName=FIRST)
    assert [message["type"] for message in cut(session)] == ["init"]


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ({"do": "close", "messages": 1}, ["init", "stdOut"]),
        ({"do": "close", "completion": True}, ["init", "stdOut", "stdOut", "stdOut"]),
        ({"do": "error", "messages": 1}, ["init", "stdOut", "error"]),
        ({"do": "unknown", "messages": 2}, ["init", "stdOut", "stdOut", "novelty", "stdOut", "completion"]),
        ({"do": "init"}, ["init", "init", "stdOut", "stdOut", "stdOut", "completion"]),
        ({"do": "unknown", "completion": True}, ["init", "stdOut", "stdOut", "stdOut", "novelty", "completion"]),
        ({"do": "refuse", "message": "No"}, ["init"]),
    ],
)
def test_a_session_goes_wrong(sim: Simulator, fault: Message, seen: list[str]) -> None:
    sim.fault("GET", WEB_SHOP, {"exec": fault})
    assert [message["type"] for message in begun(sim).rest()] == seen
    assert [message["type"] for message in begun(sim).rest()][-1] == "completion"


def test_a_message_that_is_no_json(sim: Simulator) -> None:
    sim.fault("GET", WEB_SHOP, {"exec": {"do": "no_json"}})
    session = begun(sim)
    assert session.receive()["type"] == "init"
    assert session.socket.recv() == "<html>Bad gateway</html>"


def test_a_session_falls_silent(sim: Simulator) -> None:
    sim.fault("GET", WEB_SHOP, {"exec": {"do": "silence", "messages": 1}})
    session = begun(sim)
    assert [session.receive()["type"] for _number in range(2)] == ["init", "stdOut"]
    session.socket.settimeout(0.3)
    with pytest.raises(websocket.WebSocketTimeoutException):
        session.receive()
    session.socket.close()
    wait_for(lambda: sim.control("exec") == {"sessions": 0}, "the end of the session")


# Containers that are replaced


@pytest.mark.parametrize("sockets", ["reset", "close", "completion"])
def test_a_container_is_replaced(sim: Simulator, run: Run, sockets: str) -> None:
    run("echo old > file")
    session = Exec(sim, command="echo $$; sleep 60", shell="sh -c", instanceName=FIRST)
    assert session.receive()["type"] == "init"
    pid = int(session.receive()["data"])
    answer = sim.control(
        "replace", {"project": "storefront", "service": "web-shop", "container": FIRST, "sockets": sockets}
    )
    new = answer["container"]
    assert new["status"] == "TASK_RUNNING"
    if sockets == "reset":
        assert cut(session) == []
    else:
        messages = session.rest()
        assert [each["data"]["exitCode"] for each in messages] == (["137"] if sockets == "completion" else [])
    wait_for(lambda: not alive(pid), "the end of the process")
    assert ended(sim)["reason"] == "container replaced"
    listed = sim.get("/v1/projects/storefront/services/web-shop/containers").data["data"]["containers"]
    states = {each["name"]: each["status"] for each in listed}
    assert (states[FIRST], states[new["name"]]) == ("TASK_KILLED", "TASK_RUNNING")
    assert new["name"].startswith("web-shop-5f6d9c7b84-")
    assert Exec(sim, command="ls", instanceName=new["name"]).result()[0] == b""
    assert error_of(Exec(sim, command="true", instanceName=FIRST)) == f"Instance {FIRST} is not running: TASK_KILLED"


def test_a_container_goes_without_a_trace(sim: Simulator, run: Run) -> None:
    run("touch file", path=WEB_SHOP)
    request = {"project": "storefront", "service": "web-shop", "container": FIRST, "leaves": "gone", "name": FIRST}
    sim.control("replace", {**request, "after": 30})
    assert "TASK_STARTING" in error_of(Exec(sim, command="true", instanceName=FIRST))
    sim.clock(advance=31)
    assert run("ls")[0] == b""


def test_a_container_of_a_job_stays_with_its_run(sim: Simulator) -> None:
    new = sim.control("replace", {"project": "storefront", "job": "nightly-invoices"})["container"]
    data = sim.get("/v1/projects/storefront/jobs/nightly-invoices/containers").data["data"]
    assert [each["status"] for each in data["containers"]] == ["TASK_KILLED", "TASK_RUNNING"]
    assert data["containers"][1]["name"] == new["name"]


# The journal


def test_the_journal_has_the_beginning_and_the_end(sim: Simulator) -> None:
    command = "cat > file; exit 4 # command-secret"
    session = Exec(sim, command=command, shell="sh -c", instanceName=FIRST, encoding="base64")
    session.feed(b"input-secret", end=True)
    assert session.result()[2] == "4"
    first, last = sim.journal()
    assert (first["method"], first["path"], first["status"], first["token"]) == ("GET", WEB_SHOP, 101, "demo")
    assert first["route"] == "/v1/command-exec/projects/{projectId}/services/{serviceId}"
    number = first["body"].pop("session")
    told = {"shell": "sh -c", "encoding": "base64", "tty": False, "user": None, "group": None}
    assert first["body"] == {"event": "command", "instance": FIRST, **told}
    assert (last["method"], last["path"], last["status"], last["token"]) == ("EXEC", WEB_SHOP, 200, "demo")
    assert last["body"] == {"event": "exit", "session": number, "exit_status": 4}
    text = json.dumps(sim.journal())
    for secret in ("command-secret", "input-secret", base64.b64encode(b"input-secret").decode(), sim.token):
        assert secret not in text


@pytest.fixture(autouse=True)
def without_errors(sim: Simulator) -> Iterator[None]:
    """No test makes the simulator complain."""
    before = len(sim.log)
    yield
    assert sim.log[before:] == ""
