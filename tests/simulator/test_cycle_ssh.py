# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SSH gateway of Cycle, with the client of OpenSSH and with asyncssh."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import asyncssh
import pytest

from support.settings import limit, wait_for
from support.simulator import Simulator, start_simulator

needs_openssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="NOT TESTED: the client of OpenSSH is missing")

SYSTEM = os.uname().sysname.encode()
BINARY = bytes(range(256)) * 8192


class Login(NamedTuple):
    """Credentials of an instance."""

    user: str
    secret: str
    port: int


Mint = Callable[..., Login]
OpenSsh = Callable[..., subprocess.CompletedProcess[bytes]]


def running(sim: Simulator) -> list[dict[str, Any]]:
    """Return the instances of the estate that run."""
    found = [instance for container in sim.estate()["cycle"]["containers"] for instance in container["instances"]]
    return [instance for instance in found if instance["state"]["current"] == "running"]


def path_of(instance: dict[str, Any]) -> str:
    """Return the path of an instance in the API."""
    return f"/v1/containers/{instance['container_id']}/instances/{instance['id']}"


def mint_for(sim: Simulator, number: int = 0) -> Login:
    """Make credentials for one of the running instances."""
    answer = sim.cycle.get(f"{path_of(running(sim)[number])}/ssh").data["data"]
    user, _at, place = answer["address"].partition("@")
    host, _colon, port = place.rpartition(":")
    assert (user, host, int(port)) == (answer["token"]["instance_id"], "127.0.0.1", sim.cycle.ssh_port)
    return Login(user, answer["secret"], int(port))


@pytest.fixture
def mint(sim: Simulator) -> Mint:
    """Makes credentials for one of the running instances."""
    return lambda number=0: mint_for(sim, number)


@pytest.fixture
def openssh(tmp_path: Path, sim: Simulator) -> OpenSsh:
    """Runs ssh, scp or sftp as a user would, with the password from a program, and the host key of the gateway."""
    ask = tmp_path / "ask"
    ask.write_text(f'#!/bin/sh\ncat "{tmp_path}/secret"\n')
    ask.chmod(0o700)
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{sim.cycle.ssh_port} {sim.cycle.ssh()['host_key']}\n")

    def run(login: Login, program: str, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        (tmp_path / "secret").write_text(login.secret)
        options = ["-F", "none", "-o", f"UserKnownHostsFile={tmp_path}/known_hosts", "-o", "StrictHostKeyChecking=yes"]
        options += ["-o", "NumberOfPasswordPrompts=1", "-o", "BatchMode=no", "-o", f"Port={login.port}"]
        environment = {**os.environ, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"}
        command = [program, *options, *(part.replace("HOST", f"{login.user}@127.0.0.1") for part in arguments)]
        # A master that goes into the background keeps its standard error: no pipe.
        with (tmp_path / "stderr").open("w+b") as errors:
            done = subprocess.run(
                command,
                input=data,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                timeout=limit(10),
                check=False,
            )
            errors.seek(0)
            done.stderr = errors.read()
        return done

    return run


async def connect(login: Login, **options: Any) -> asyncssh.SSHClientConnection:
    """Log in with asyncssh."""
    given = {"known_hosts": None, "config": None, "client_keys": None, "agent_path": None, **options}
    return await asyncssh.connect("127.0.0.1", login.port, username=login.user, password=login.secret, **given)


def talk(work: Coroutine[Any, Any, Any]) -> Any:
    """Run asynchronous work."""
    return asyncio.run(asyncio.wait_for(work, limit(15)))


def over(login: Login, work: Callable[[asyncssh.SSHClientConnection], Coroutine[Any, Any, Any]]) -> Any:
    """Log in, do something on the connection, and return what came of it."""

    async def do() -> Any:
        async with await connect(login) as connection:
            return await work(connection)

    return talk(do())


def output_of(done: asyncssh.SSHCompletedProcess) -> bytes:
    """Return the standard output of what ran without an encoding."""
    assert isinstance(done.stdout, bytes)
    return done.stdout


def command(login: Login, text: str, **options: Any) -> tuple[bytes, bytes, int | None]:
    """Run a command and return standard output, standard error, exit status."""

    async def run(connection: asyncssh.SSHClientConnection) -> tuple[bytes, bytes, int | None]:
        done = await connection.run(text, encoding=None, **options)
        assert isinstance(done.stderr, bytes)
        return output_of(done), done.stderr, done.exit_status

    answer: tuple[bytes, bytes, int | None] = over(login, run)
    return answer


def lets_in(login: Login) -> bool:
    """Say whether the credentials are accepted."""

    async def enter() -> bool:
        try:
            (await connect(login)).close()
        except asyncssh.PermissionDenied:
            return False
        return True

    return bool(talk(enter()))


def processes(mark: str) -> list[str]:
    """Return the processes of this machine with a text in their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return [line for line in found if mark in line]


def lines_of(output: bytes) -> list[bytes]:
    """Return the lines of a terminal's output, which carriage returns begin as well; without prompts."""
    return [line.strip() for line in re.split(rb"[\r\n]+|^# ", output, flags=re.MULTILINE)]


def ssh_events(sim: Simulator) -> list[tuple[str, int]]:
    """Return what the journal says of the gateway."""
    return [(entry["body"]["event"], entry["status"]) for entry in sim.journal() if entry["method"] == "SSH"]


def test_a_command(mint: Mint) -> None:
    login = mint()
    assert command(login, "echo out; echo err >&2; exit 3") == (b"out\n", b"err\n", 3)
    assert command(login, "exec 1>&-; sleep 0.1; echo late >&2") == (b"", b"late\n", 0)
    assert command(login, "head -c 5000000 /dev/zero | tr '\\0' x")[0] == b"x" * 5_000_000
    assert command(login, "no-such-command")[2] == 127


def test_standard_input_is_binary_and_large(mint: Mint) -> None:
    login = mint()
    assert command(login, "cat", input=BINARY) == (BINARY, b"", 0)
    assert command(login, "wc -c", input=BINARY)[0].split() == [str(len(BINARY)).encode()]
    # A command that does not want it.
    assert command(login, "exec 0<&-; echo done", input=BINARY)[0] == b"done\n"


def test_signals_go_both_ways(mint: Mint) -> None:
    async def work(connection: asyncssh.SSHClientConnection) -> Any:
        ended = await connection.run("kill -USR1 $$", encoding=None)
        process = await connection.create_process("echo ready; sleep 600; echo not reached", encoding=None)
        assert await process.stdout.readline() == b"ready\n"
        process.send_signal("TERM")
        return ended.exit_signal, (await process.wait()).exit_signal

    by_itself, by_us = over(mint(), work)
    assert (by_itself[0], by_us[0]) == ("USR1", "TERM")


def test_several_channels_at_once(sim: Simulator, mint: Mint) -> None:
    async def work(connection: asyncssh.SSHClientConnection) -> list[bytes]:
        one = await connection.create_process("cat", encoding=None)
        wait_for(lambda: sim.cycle.ssh() == {**sim.cycle.ssh(), "connections": 1, "sessions": 1}, "the session")
        done = await asyncio.gather(*(connection.run(f"echo {number}", encoding=None) for number in range(8)))
        one.stdin.write(b"still here")
        one.stdin.write_eof()
        return [*(output_of(each) for each in done), output_of(await one.wait())]

    assert over(mint(), work) == [*(f"{number}\n".encode() for number in range(8)), b"still here"]
    wait_for(lambda: sim.cycle.ssh()["sessions"] == sim.cycle.ssh()["connections"] == 0, "the end of all sessions")


def test_a_limit_of_channels(sim: Simulator, mint: Mint) -> None:
    sim.cycle.settings(ssh={"sessions": 2})

    async def work(connection: asyncssh.SSHClientConnection) -> bytes:
        first = await connection.create_process("cat", encoding=None)
        second = await connection.create_process("cat", encoding=None)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.run("true")
        for each in (first, second):
            each.stdin.write_eof()
            await each.wait()
        return output_of(await connection.run("echo again", encoding=None))

    assert over(mint(), work) == b"again\n"
    assert ("session", 403) in ssh_events(sim)


def test_the_shell_is_a_terminal(mint: Mint) -> None:
    async def work(connection: asyncssh.SSHClientConnection) -> tuple[bytes, int | None]:
        shell = await connection.create_process(term_type="xterm", term_size=(40, 20), encoding=None)
        shell.stdin.write(b"tty; stty size; uname -a; echo " + b"long " * 12 + b"| wc -c\n")
        seen = b""
        while b"\n60" not in seen:
            seen += await shell.stdout.read(4096)
        shell.change_terminal_size(132, 50)
        shell.stdin.write(b"stty size; echo err >&2; exit 7\n")
        done = await shell.wait()
        return seen + output_of(done), done.exit_status

    output, status = over(mint(), work)
    assert status == 7
    lines = lines_of(output)
    assert any(line.startswith(b"/dev/") for line in lines)
    assert {b"20 40", b"50 132", b"60", b"err"} <= set(lines)
    assert any(line.startswith(SYSTEM) for line in lines)
    # Echo, prompt and carriage returns are in the way, as they are in a terminal.
    assert b"stty size" in output
    assert b"\r\n" in output


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_shell_without_a_terminal_asked_for(sim: Simulator, mint: Mint, shell: str) -> None:
    sim.cycle.settings(ssh={"shell": shell})

    async def work(connection: asyncssh.SSHClientConnection) -> bytes:
        done = await connection.run(None, input=b"tty; echo $0 $TERM\n", encoding=None)
        return output_of(done)

    output = over(mint(), work)
    assert b"/dev/" in output
    assert f"{shell} xterm".encode() in output


def test_a_command_with_a_terminal(mint: Mint) -> None:
    output, errors, status = command(mint(), "tty; echo err >&2; exit 4", term_type="vt100")
    assert (output.startswith(b"/dev/"), output.endswith(b"err\r\n"), errors, status) == (True, True, b"", 4)


def test_the_environment_is_clean(mint: Mint) -> None:
    login = mint()
    lines = dict(line.split("=", 1) for line in command(login, "env; pwd >&2")[0].decode().splitlines())
    assert set(lines) - {"_", "SHLVL"} == {"CYCLE_INSTANCE_ID", "HOME", "PATH", "PWD"}
    assert lines["CYCLE_INSTANCE_ID"] == login.user
    assert lines["HOME"] == lines["PWD"]


def test_each_instance_has_a_directory_that_is_kept(sim: Simulator, mint: Mint) -> None:
    first, second = mint(0), mint(1)
    home = Path(command(first, "echo mine > file; umask; pwd")[0].split()[-1].decode())
    assert command(second, "cat file")[2] == 1
    assert command(mint(0), "cat file")[0] == b"mine\n"
    assert home.stat().st_mode & 0o777 == 0o700
    sim.reset()
    assert command(mint(0), "ls -A; echo $?")[0] == b"0\n"
    assert not (home / "file").exists()


def test_files(mint: Mint) -> None:
    login = mint()

    async def work(connection: asyncssh.SSHClientConnection) -> list[str]:
        refused: list[str] = []
        async with connection.start_sftp_client() as sftp:
            home = str(await sftp.realpath("."))
            async with sftp.open("data", "wb") as file:
                await file.write(BINARY)
            assert await sftp.listdir(home) == await sftp.listdir(".") == [".", "..", "data"]
            async with sftp.open(f"{home}/data", "rb") as file:
                assert await file.read() == BINARY
            done = await connection.run("pwd; wc -c < data; ln -s /etc out; ln -s data in", check=True)
            assert str(done.stdout).split() == [home, str(len(BINARY))]
            assert (await sftp.stat("in")).size == len(BINARY)
            for path in ("/etc/passwd", "../../etc/passwd", "out/passwd", f"{home}x"):
                with pytest.raises(asyncssh.SFTPPermissionDenied):
                    await sftp.stat(path)
                refused.append(path)
            await sftp.remove("data")
        return refused

    assert len(over(login, work)) == 4


def test_without_sftp(sim: Simulator, mint: Mint) -> None:
    sim.cycle.settings(ssh={"sftp": False})

    async def work(connection: asyncssh.SSHClientConnection) -> bytes:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.start_sftp_client()
        # The connection is none the worse for it.
        return output_of(await connection.run("echo fine", encoding=None))

    assert over(mint(), work) == b"fine\n"
    assert ssh_events(sim)[:3] == [("login", 200), ("sftp", 403), ("exec", 200)]


def test_with_nothing_but_a_shell(sim: Simulator, mint: Mint) -> None:
    sim.cycle.settings(ssh={"exec": False, "sftp": False})

    async def work(connection: asyncssh.SSHClientConnection) -> int | None:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.run("true")
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.start_sftp_client()
        shell = await connection.create_process(term_type="xterm", encoding=None)
        shell.stdin.write(b"exit 9\n")
        return (await shell.wait()).exit_status

    assert over(mint(), work) == 9
    wait_for(lambda: len(ssh_events(sim)) == 6, "six events")
    expected = [("login", 200), ("exec", 403), ("sftp", 403), ("shell", 200), ("exit", 200), ("close", 200)]
    assert ssh_events(sim) == expected


def test_nothing_else_is_served(mint: Mint) -> None:
    login = mint()

    async def work(connection: asyncssh.SSHClientConnection) -> None:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_session(asyncssh.SSHClientSession, subsystem="netconf")
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", login.port)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 1)

    over(login, work)
    methods = asyncssh.get_server_auth_methods("127.0.0.1", login.port, username="any", config=None)
    assert talk(methods) == ["password"]


def test_who_is_refused(sim: Simulator, mint: Mint) -> None:
    first, second = mint(0), mint(1)
    assert lets_in(first)
    for wrong in (
        first._replace(secret="wrong"),
        first._replace(secret=""),
        first._replace(user=second.user),
        first._replace(user="0" * 24),
        first._replace(user="../.."),
    ):
        assert not lets_in(wrong)
    assert lets_in(second)
    assert [status for event, status in ssh_events(sim) if event == "refused"] == [401] * 5


def test_credentials_expire(sim: Simulator, mint: Mint) -> None:
    login, later = mint(), mint()
    assert lets_in(login)
    sim.clock(advance=1795)
    assert lets_in(login)
    newest = mint()
    sim.clock(advance=10)
    assert (lets_in(login), lets_in(later), lets_in(newest)) == (False, False, True)
    instance = running(sim)[0]
    assert sim.cycle.send("DELETE", f"{path_of(instance)}/ssh").data["data"] == {"tokens": 1}
    assert not lets_in(newest)


@pytest.mark.parametrize("close", [False, True])
def test_open_sessions_when_credentials_expire(sim: Simulator, mint: Mint, close: bool) -> None:
    sim.cycle.settings(ssh={"close_on_expire": close})
    login, other = mint(0), mint(1)

    async def work() -> bool:
        async with await connect(login) as first, await connect(other) as second:
            reader = await first.create_process("cat", encoding=None)
            assert sim.cycle.send("DELETE", f"{path_of(running(sim)[0])}/ssh").status == 200
            # Open sessions are looked at every 0.1 seconds.
            await (first.wait_closed() if close else asyncio.sleep(0.3))
            reader.stdin.write_eof()
            status = (await reader.wait()).exit_status
            assert (await second.run("true")).exit_status == 0
            return status == 0

    assert talk(work()) is not close
    wait_for(lambda: [event for event, _status in ssh_events(sim)].count("close") == 2, "the end of both connections")
    reasons = {entry["body"].get("reason") for entry in sim.journal() if entry["method"] == "SSH"} - {None}
    assert reasons == ({"client", "credentials expired"} if close else {"client"})


def test_a_session_ends_with_its_instance(sim: Simulator, mint: Mint) -> None:
    login, instance, mark = mint(), running(sim)[0], f"sleep 77{os.getpid()}"

    async def work(connection: asyncssh.SSHClientConnection) -> int | None:
        reader = await connection.create_process(mark, encoding=None)
        wait_for(lambda: processes(mark), "the process")
        assert sim.cycle.send("DELETE", path_of(instance)).status == 202
        return (await reader.wait()).exit_status

    assert over(login, work) != 0
    assert not lets_in(login)
    wait_for(lambda: not processes(mark), "the end of the processes")


def test_a_reset_ends_sessions(sim: Simulator, mint: Mint) -> None:
    async def work(connection: asyncssh.SSHClientConnection) -> None:
        sim.reset()
        await connection.wait_closed()

    over(mint(), work)
    wait_for(lambda: sim.cycle.ssh()["connections"] == 0, "the end of the connection")
    assert sim.journal() == []


def test_tools(sim: Simulator, mint: Mint) -> None:
    names = "sh python3 bash cat mkdir rm chmod tar"
    look = f"for name in {names}; do command -v $name; done"
    assert len(command(mint(), look)[0].split()) >= 7
    sim.cycle.settings(ssh={"tools": "posix"})
    found = command(mint(), look)[0].decode().split()
    assert [path.rpartition("/")[2] for path in found] == ["sh", "python3"]
    assert command(mint(), "python3 -c 'import zipfile; print(6*7)'")[0] == b"42\n"


def test_a_slow_gateway(sim: Simulator, mint: Mint) -> None:
    login = mint()
    sim.cycle.settings(ssh={"delay": 0.4})
    started = time.monotonic()
    assert command(login, "echo slow")[0] == b"slow\n"
    assert time.monotonic() - started > 0.8


def test_faults_of_logins(sim: Simulator, mint: Mint) -> None:
    login = mint()
    sim.fault("SSH", f"/{login.user}", {"status": 401})
    assert not lets_in(login)
    sim.fault("SSH", "*", {"reset": "before"})
    with pytest.raises((asyncssh.ConnectionLost, ConnectionError)):
        lets_in(login)
    sim.fault("SSH", "*", {"delay": 0.4})
    started = time.monotonic()
    assert lets_in(login)
    assert time.monotonic() - started > 0.4
    assert lets_in(login)
    events = [event for event, _status in ssh_events(sim) if event in ("login", "refused")]
    assert events == ["refused", "login", "login"]


def test_sessions_leave_no_processes(mint: Mint) -> None:
    mark = f"sleep 88{os.getpid()}"

    async def work(connection: asyncssh.SSHClientConnection) -> None:
        for text in (mark, f"{mark} & {mark} & wait", f"trap '' HUP; {mark}; {mark}"):
            await connection.create_process(text, encoding=None)
        shell = await connection.create_process(term_type="xterm", encoding=None)
        shell.stdin.write(f"set -m; {mark} & nohup {mark} & {mark}\n".encode())
        while len([line for line in processes(mark) if line.startswith("sleep")]) < 7:
            await asyncio.sleep(0.02)

    over(mint(), work)
    wait_for(lambda: not processes(mark), "the end of the processes")


def test_a_daemon_outlives_its_session_but_not_the_simulator() -> None:
    mark = f"sleep 99{os.getpid()}"
    own = start_simulator()
    try:
        login = mint_for(own)
        # Nothing of the session survives its end, and this process is the last to go.
        stubborn = f"sleep 98{os.getpid()}"
        in_own_session = "[ $(cut -d ' ' -f 6 /proc/$!/stat) -eq $! ]"
        text = f"""
            (trap '' HUP; exec {stubborn}) > /dev/null 2>&1 < /dev/null &
            setsid {mark} > /dev/null 2>&1 < /dev/null &
            until {in_own_session}; do sleep 0.02; done; pwd
        """
        home = Path(command(login, text)[0].decode().strip())
        wait_for(lambda: not processes(stubborn), "the end of the session")
        assert processes(mark)

        async def cut_off() -> None:
            connection = await connect(login)
            await connection.create_process(mark, encoding=None)
            wait_for(lambda: len([each for each in processes(mark) if each.startswith("sleep")]) == 2, "the process")
            own.stop()
            await connection.wait_closed()

        talk(cut_off())
    finally:
        own.stop()
    wait_for(lambda: not processes(mark), "the end of the processes")
    assert not home.exists()
    assert not home.parent.exists()


def test_secrets_are_nowhere(sim: Simulator, mint: Mint) -> None:
    login = mint()
    assert not lets_in(login._replace(user="0" * 24))

    async def work(connection: asyncssh.SSHClientConnection) -> str:
        process = await connection.create_process("sleep 600", encoding=None)
        listed = "\n".join(processes(""))
        process.terminate()
        return listed

    seen = [
        over(login, work),
        json.dumps(sim.journal()),
        json.dumps(sim.estate()),
        sim.log,
        json.dumps(sim.cycle.ssh()),
    ]
    assert not [text for text in seen if login.secret in text]
    activity = sim.cycle.get("/v1/hubs/current/activity?filter[events]=container.instance.ssh.login").data["data"]
    assert [event["context"]["instance_id"] for event in activity][:1] == [login.user]


@needs_openssh
def test_openssh_runs_commands(mint: Mint, openssh: OpenSsh) -> None:
    done = openssh(mint(), "ssh", "HOST", "cat; echo err >&2; exit 5", data=BINARY)
    assert (done.stdout, done.stderr, done.returncode) == (BINARY, b"err\n", 5)
    assert openssh(mint(), "ssh", "HOST", "kill -9 $$").returncode == 255


@needs_openssh
def test_openssh_has_a_shell(sim: Simulator, mint: Mint, openssh: OpenSsh) -> None:
    sim.cycle.settings(ssh={"exec": False, "sftp": False})
    done = openssh(mint(), "ssh", "-tt", "HOST", data=b"uname -a; exit 6\n")
    assert done.returncode == 6
    assert any(line.startswith(SYSTEM) for line in lines_of(done.stdout))
    assert SYSTEM in lines_of(openssh(mint(), "ssh", "HOST", data=b"uname\n").stdout)
    refused = openssh(mint(), "ssh", "HOST", "uname")
    assert (refused.returncode, refused.stdout) == (255, b"")
    assert b"exec request failed" in refused.stderr


@needs_openssh
@pytest.mark.parametrize("program", [("scp",), ("scp", "-O"), ("sftp", "-q")])
def test_openssh_copies_files(mint: Mint, openssh: OpenSsh, tmp_path: Path, program: tuple[str, ...]) -> None:
    (tmp_path / "there").write_bytes(BINARY)
    name, *options = program
    if name == "sftp":
        batch = f"put {tmp_path}/there name\nget name {tmp_path}/back\nexit\n"
        done = openssh(mint(), name, *options, "HOST", data=batch.encode())
        assert done.returncode == 0, done
    else:
        for pair in ((f"{tmp_path}/there", "HOST:name"), ("HOST:name", f"{tmp_path}/back")):
            done = openssh(mint(), name, *options, *pair)
            assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "back").read_bytes() == BINARY


@needs_openssh
def test_openssh_is_refused(sim: Simulator, mint: Mint, openssh: OpenSsh) -> None:
    login = mint()
    assert openssh(login, "ssh", "HOST", "true").returncode == 0
    sim.clock(advance=1801)
    done = openssh(login, "ssh", "HOST", "true")
    assert done.returncode == 255
    assert b"Permission denied (password)" in done.stderr


@needs_openssh
def test_openssh_shares_a_connection(sim: Simulator, mint: Mint, openssh: OpenSsh, tmp_path: Path) -> None:
    shared = ["-o", f"ControlPath={tmp_path}/master", "-o", "ControlMaster=auto", "-o", "ControlPersist=10"]
    login = mint()
    for number in range(3):
        assert openssh(login, "ssh", *shared, "HOST", f"exit {number}").returncode == number
    assert openssh(login, "ssh", *shared, "-O", "exit", "HOST").returncode == 0
    assert [event for event, _status in ssh_events(sim)].count("login") == 1
