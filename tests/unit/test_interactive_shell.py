# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands and files through real interactive shells, most of them on real terminals, with few tools in their path."""

from __future__ import annotations

import contextlib
import random
import shlex
import shutil
import sys
import time
import typing as t
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import pytest

from ansible_collections.quayside.paas.plugins.module_utils._errors import StateError, TransportError
from ansible_collections.quayside.paas.plugins.plugin_utils import _interactive_shell
from ansible_collections.quayside.paas.plugins.plugin_utils._interactive_shell import fetch, put, run

# Stands for ssh: what its arguments say runs on a terminal, to which it passes on what it reads. The first argument
# names a file for a record of that, or says "spoil": then one byte of what comes back gets lost on the way.
RELAY = """
import os, pty, sys, threading

record, spoil = sys.argv[1], sys.argv[1] == "spoil"
child, terminal = pty.fork()
if child == 0:
    os.environ["LEADER"] = str(os.getpid())
    os.execvp(sys.argv[2], sys.argv[2:])

def pass_on():
    while data := os.read(0, 65536):
        if record and not spoil:
            with open(record, "ab") as file:
                file.write(data)
        while data:
            data = data[os.write(terminal, data):]

threading.Thread(target=pass_on, daemon=True).start()
passed = 0
try:
    while data := os.read(terminal, 65536):
        passed += len(data)
        if spoil and passed > 50000:
            data, spoil = data[:-1], False
        while data:
            data = data[os.write(1, data):]
except OSError:
    pass
os._exit(0)
"""
KNOWN_SHELLS = {
    "dash": ["-i"],
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
    "mksh": ["-i"],
    "busybox": ["sh", "-i"],
}
# Those that this machine has.
SHELLS = {name: [shutil.which(name) or "", *rest] for name, rest in KNOWN_SHELLS.items() if shutil.which(name)}
# What the path of a container may hold. Without Python and stty, the terminal stays as it is: lines, echo and all.
TOOLS = {
    "python": ["python3"],
    "base64": ["base64", "stty", "wc"],
    "od": ["od", "stty", "wc"],
    "base64 alone": ["base64"],
    "od alone": ["od"],
}
EVERY_BYTE = bytes(range(256)) + b"\r\n~.\n\x03\x04\x11\x13\x1a\n\x00" + bytes(range(255, -1, -1))
CAT = shutil.which("cat") or "/bin/cat"
BASH = shutil.which("bash") or "/bin/bash"
SLEEP = shutil.which("sleep") or "/bin/sleep"

Tools = t.Callable[..., dict[str, str]]


def terminal(*shell: str, record: str = "") -> list[str]:
    """What opens a session, in place of ssh."""
    return [sys.executable, "-c", RELAY, record, *(shell or [BASH, "--norc", "--noprofile", "-i"])]


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    """Makes an environment whose path has nothing but some tools."""

    def environment(*names: str, **variables: str) -> dict[str, str]:
        folder = tmp_path / "-".join(["bin", *names])
        folder.mkdir(exist_ok=True)
        for name in names:
            target = sys.executable if name == "python3" else shutil.which(name)
            assert target, name
            with contextlib.suppress(FileExistsError):
                (folder / name).write_text(f'#!/bin/sh\nexec "{target}" "$@"\n')
                (folder / name).chmod(0o755)
        return {"PATH": str(folder), "HOME": str(tmp_path), "TERM": "xterm", **variables}

    return environment


@pytest.fixture(params=TOOLS)
def container(request: pytest.FixtureRequest, tools: Tools) -> dict[str, str]:
    """The environment of a container, one for each set of tools."""
    return tools(*TOOLS[request.param])


def paths(tmp_path: Path, data: bytes) -> tuple[str, str, str]:
    """Files: here, in the container, back again."""
    here = tmp_path / "here"
    here.write_bytes(data)
    return str(here), str(tmp_path / "there"), str(tmp_path / "back")


@pytest.mark.parametrize("name", SHELLS)
def test_command(container: dict[str, str], name: str) -> None:
    command = f"{CAT}; echo err >&2; [ -t 0 ] || [ -t 1 ] || [ -t 2 ] || exit 5"
    for stdin in (EVERY_BYTE, b"", None):
        done = run(terminal(*SHELLS[name]), command, stdin, environment=container)
        assert done == (5, stdin or b"", b"err\n")


@pytest.mark.parametrize("name", [name for name in SHELLS if name != "mksh"])  # which has no printf of its own
def test_shell_of_the_container_is_another(
    container: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = " ".join([*SHELLS[name][:-1], "-c"])
    monkeypatch.setattr(
        _interactive_shell, "FIRST_PART", _interactive_shell.FIRST_PART.replace("exec /bin/sh -c", f"exec {shell}")
    )
    data = random.Random(1).randbytes(20_000)
    assert run(terminal(), f"{CAT} >&2; exit 255", data, environment=container) == (255, b"", data)


def test_exit_codes(container: dict[str, str]) -> None:
    ends = {"exit 0": 0, "exit 1": 1, "exit 255": 255, "kill -9 $$": 137, "kill -15 $$": 143, "nothing-like-it": 127}
    for command, code in ends.items():
        done = run(terminal(), command, environment=container)
        assert done[:2] == (code, b"")
        assert (done[2] == b"") is (code != 127)


def test_text_of_a_command_arrives_as_it_is(container: dict[str, str]) -> None:
    text = "'\"\\$HOME `date` %s %% ! ~ \t {é} * ?;&|<>()#\x7f"
    command = f"printf %s {shlex.quote(text)}; # " + "long " * 500 + "\n"
    assert run(terminal(), command, environment=container) == (0, text.encode(), b"")


@hypothesis.settings(max_examples=5, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(out=st.binary(max_size=3000), err=st.binary(max_size=300), code=st.integers(0, 255))
def test_any_data(container: dict[str, str], tmp_path: Path, out: bytes, err: bytes, code: int) -> None:
    (tmp_path / "err").write_bytes(err)
    command = f"{CAT}; {CAT} {tmp_path}/err >&2; exit {code}"
    assert run(terminal(), command, out, environment=container) == (code, out, err)


@pytest.mark.parametrize(("names", "size"), [("python", 5_000_000), ("base64", 1_000_000), ("od", 300_000)])
def test_much_data_both_ways(tools: Tools, names: str, size: int) -> None:
    data = random.Random(2).randbytes(size)
    done = run(terminal(), f"{CAT}; exit 3", data, environment=tools(*TOOLS[names]))
    assert done == (3, data, b"")


def test_command_that_does_not_read(container: dict[str, str]) -> None:
    stdin = bytes(1_000_000 if "python3" in container["PATH"] or "stty" in container["PATH"] else 30_000)
    for command in ("echo done", "exec <&-; echo done", f"{CAT} </dev/null; echo done"):
        assert run(terminal(), command, stdin, environment=container) == (0, b"done\n", b"")


def test_files(container: dict[str, str], tmp_path: Path) -> None:
    here, there, back = paths(tmp_path, EVERY_BYTE)
    Path(there).write_bytes(bytes(5000))
    put(terminal(), here, there, environment=container)
    assert Path(there).read_bytes() == EVERY_BYTE
    Path(back).write_bytes(bytes(5000))
    fetch(terminal(), there, back, environment=container)
    assert Path(back).read_bytes() == EVERY_BYTE


def test_empty_file_and_odd_name(container: dict[str, str], tmp_path: Path) -> None:
    here, there, back = paths(tmp_path, b"")
    there += " '\"$x`;\\\n"
    put(terminal(), here, there, environment=container)
    assert Path(there).read_bytes() == b""
    fetch(terminal(), there, back, environment=container)
    assert Path(back).read_bytes() == b""


@pytest.mark.parametrize(("names", "size"), [("python", 20_000_000), ("base64", 500_000), ("od", 200_000)])
def test_large_file(tools: Tools, tmp_path: Path, names: str, size: int) -> None:
    data = random.Random(3).randbytes(size)
    here, there, back = paths(tmp_path, data)
    begun = time.monotonic()
    put(terminal(), here, there, environment=tools(*TOOLS[names]))
    assert Path(there).read_bytes() == data
    fetch(terminal(), there, back, environment=tools(*TOOLS[names]))
    assert Path(back).read_bytes() == data
    assert time.monotonic() - begun < 20


def test_files_that_cannot_be(container: dict[str, str], tmp_path: Path) -> None:
    here, there, back = paths(tmp_path, b"data")
    Path(back).write_bytes(b"kept")
    with pytest.raises(StateError, match=r"there could not be read in the container: .*No such file"):
        fetch(terminal(), there, back, environment=container)
    assert Path(back).read_bytes() == b"kept"
    with pytest.raises(StateError, match=r"could not be written in the container: .*(No such file|nonexistent)"):
        put(terminal(), here, f"{there}/file", environment=container)
    with pytest.raises(StateError, match="could not be written in the container"):
        put(terminal(), here, "/dev/full", environment=container)
    with pytest.raises(FileNotFoundError):
        put(terminal(), f"{here}-not", there, environment=container)


@pytest.mark.parametrize("names", ["python", "base64", "od"])
def test_file_of_another_size(tools: Tools, tmp_path: Path, names: str) -> None:
    here, _there, _back = paths(tmp_path, b"data")
    with pytest.raises(StateError, match=r"not with the 4 bytes of .*: there are 0 now"):
        put(terminal(), here, "/dev/null", environment=tools(*TOOLS[names]))


@pytest.mark.parametrize("names", ["python", "base64", "od"])
def test_without_terminal(tools: Tools, names: str) -> None:
    data = EVERY_BYTE * 100
    for shell in SHELLS.values():
        done = run(shell, f"{CAT}; exit 4", data, environment=tools(*TOOLS[names]))
        assert done == (4, data, b"")


@pytest.mark.parametrize(
    "prompt",
    [
        "q0123456789abcdef1 4:QUJD\n",
        "\x1b[31m\\w\n\r$(echo x >&2; echo 'y' | tr y z)`false`\\$ ",
        "%n@%m ' \" \\",
        "$ " * 500,
        "",
    ],
)
def test_prompts(container: dict[str, str], prompt: str) -> None:
    environment = {**container, "PS1": prompt, "PS2": prompt, "PROMPT_COMMAND": "echo; printf 'q%s' $RANDOM; false"}
    assert run(terminal(), f"{CAT}; exit 1", EVERY_BYTE, environment=environment) == (1, EVERY_BYTE, b"")


def test_message_of_the_day(container: dict[str, str], tmp_path: Path) -> None:
    message = tmp_path / "motd"
    message.write_bytes(random.Random(4).randbytes(60_000) + b"Welcome to this day!\n" * 2000 + b"No line feed")
    shell = terminal("/bin/sh", "-c", f'{CAT} {message}; exec "$0" --norc -i', BASH)
    assert run(shell, CAT, EVERY_BYTE, environment=container) == (0, EVERY_BYTE, b"")


def test_slow_shell_that_loses_what_was_typed(tools: Tools) -> None:
    slow = "import os, sys, termios, time; time.sleep(1.5); termios.tcflush(0, termios.TCIFLUSH);"
    slow += "os.execv(sys.argv[1], sys.argv[1:])"
    shell = terminal(sys.executable, "-c", slow, BASH, "--norc", "-i")
    assert run(shell, CAT, b"data", environment=tools(*TOOLS["base64"])) == (0, b"data", b"")


@pytest.mark.parametrize("names", ["python", "od alone"])
def test_slow_shell_that_keeps_what_was_typed(tools: Tools, names: str) -> None:
    shell = terminal("/bin/sh", "-c", f'{SLEEP} 1.5; exec "$0" --norc -i', BASH)
    assert run(shell, CAT, b"data", environment=tools(*TOOLS[names])) == (0, b"data", b"")


@pytest.mark.parametrize("command", [[SLEEP, "60"], [shutil.which("yes") or "yes"], [CAT]])
def test_no_shell(tools: Tools, command: list[str]) -> None:
    begun = time.monotonic()
    with pytest.raises(TransportError, match="No POSIX shell answered within 1 seconds") as caught:
        run(terminal(*command), "true", timeout=1, environment=tools())
    assert not caught.value.may_have_succeeded
    assert time.monotonic() - begun < 6


def test_client_that_fails(tools: Tools) -> None:
    with pytest.raises(TransportError, match=r"it ended \(no way there\)\. Nothing was done\.") as caught:
        run(["/bin/sh", "-c", "echo no way there >&2; exit 255"], "true", environment=tools())
    assert not caught.value.may_have_succeeded


def test_client_that_is_not_there() -> None:
    with pytest.raises(TransportError, match="/nothing could not be started: No such file") as caught:
        run(["/nothing"], "true")
    assert caught.value.is_final


def test_container_without_tools(tools: Tools) -> None:
    with pytest.raises(StateError, match="neither Python nor printf with base64 or od"):
        run(terminal(), "true", environment=tools("stty", "wc"))


def test_python_that_does_not_work(tools: Tools) -> None:
    environment = tools("python3", "base64")
    Path(environment["PATH"], "python3").write_text("#!/bin/sh\necho no version is set\nexit 127\n")
    assert run(terminal(), CAT, EVERY_BYTE, environment=environment) == (0, EVERY_BYTE, b"")


def test_session_that_is_cut(container: dict[str, str]) -> None:
    begun = time.monotonic()
    with pytest.raises(TransportError, match=r"was lost: .*may have been done") as caught:
        run(terminal(), f"echo begun; kill -9 $LEADER; {SLEEP} 20", environment=container)
    assert caught.value.may_have_succeeded
    assert time.monotonic() - begun < 10


def test_silence(container: dict[str, str], tmp_path: Path) -> None:
    said = tmp_path / "process"
    with pytest.raises(TransportError, match=r"nothing came or went for 1 seconds") as caught:
        run(terminal(), f"echo $$ > {said}; exec {SLEEP} 20", silence=1, environment=container)
    assert caught.value.may_have_succeeded
    # What was begun does not go on without anybody who knows of it.
    until = time.monotonic() + 3
    while is_running(int(said.read_text())) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_running(int(said.read_text()))


def is_running(process: int) -> bool:
    """Whether there is such a process, other than one that nobody has taken note of the end of."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_silence_is_no_harm(container: dict[str, str]) -> None:
    done = run(terminal(), f"{SLEEP} 1.2; echo done", timeout=1, environment=container)
    assert done == (0, b"done\n", b"")


@pytest.mark.parametrize("names", ["python", "base64", "od"])
def test_lost_data_is_noticed(tools: Tools, names: str) -> None:
    with pytest.raises(TransportError) as caught:
        run(terminal(record="spoil"), CAT, bytes(200_000), silence=3, environment=tools(*TOOLS[names]))
    assert caught.value.may_have_succeeded


def test_what_is_typed(container: dict[str, str], tmp_path: Path) -> None:
    record, history = tmp_path / "record", tmp_path / "history"
    environment = {**container, "HISTFILE": str(history)}
    run(terminal(record=str(record)), f"{CAT} # a-command-line", b"~.\n" * 3000, environment=environment)
    lines = record.read_bytes().split(b"\n")
    assert len(lines) > 10
    # A terminal that is not raw may take 1024 characters; the client of ssh takes ~ at the beginning for its own.
    assert max(map(len, lines)) < 1000
    assert not any(line.startswith(b"~") for line in lines)
    assert b"a-command-line" not in record.read_bytes()
    assert not history.exists() or history.read_bytes() == b""
