# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands through real interactive shells, most of them on real terminals, with few tools in their path."""

from __future__ import annotations

import random
import shlex
import shutil
import sys
import typing as t
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import pytest

from ansible_collections.quayside.paas.plugins.plugin_utils import _interactive_shell
from ansible_collections.quayside.paas.plugins.plugin_utils._interactive_shell import (
    MissingToolsError,
    SessionLostError,
    run,
)
from support.settings import limit, wait_for

# Stands for ssh: what its arguments say runs on a terminal, to which it passes on what it reads. The first argument
# names a file for a record of that, or says "spoil": then one byte of what comes back gets lost on the way.
RELAY = """
import os, pty, sys, threading

spoil = sys.argv[1] == "spoil"
record = "" if spoil else sys.argv[1]
child, terminal = pty.fork()
if child == 0:
    os.environ["LEADER"] = str(os.getpid())
    os.execvp(sys.argv[2], sys.argv[2:])

def pass_on():
    while data := os.read(0, 65536):
        if record:
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
NEEDED = ("base64", "head", "stty")
EVERY_BYTE = bytes(range(256)) + b"\r\n~.\n\x03\x04\x11\x13\x1a\n\x00" + bytes(range(255, -1, -1))
CAT = shutil.which("cat") or "/bin/cat"
BASH = shutil.which("bash") or "/bin/bash"
SLEEP = shutil.which("sleep") or "/bin/sleep"


class Container(t.NamedTuple):
    """What has the path, home and variables of a container."""

    folder: Path

    def variables(self, tools: t.Sequence[str] = NEEDED, **more: str) -> list[str]:
        """A command that runs another one in the container's environment."""
        path = self.folder / "-".join(["bin", *tools])
        if not path.exists():
            path.mkdir()
            for name in tools:
                (path / name).symlink_to(shutil.which(name) or "")
        known = {"PATH": str(path), "HOME": str(self.folder), "TERM": "xterm", **more}
        return ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in known.items())]

    def terminal(self, *shell: str, record: str = "", tools: t.Sequence[str] = NEEDED, **more: str) -> list[str]:
        """What opens a session on a terminal, in place of ssh."""
        inside = shell or (BASH, "--norc", "--noprofile", "-i")
        return [*self.variables(tools, **more), sys.executable, "-c", RELAY, record, *inside]


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path)


def execute(argv: list[str], command: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    return run(argv, command, stdin, timeout=limit(10))


@pytest.mark.parametrize("name", SHELLS)
@pytest.mark.parametrize("stdin", [EVERY_BYTE, b""], ids=["input", "no input"])
def test_a_command(container: Container, name: str, stdin: bytes) -> None:
    command = f"{CAT}; echo err >&2; [ -t 0 ] || [ -t 1 ] || [ -t 2 ] || exit 5"
    assert execute(container.terminal(*SHELLS[name]), command, stdin) == (5, stdin, b"err\n")


@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_without_a_terminal(container: Container, name: str) -> None:
    data = EVERY_BYTE * 100
    argv = [*container.variables(), *SHELLS[name]]
    assert execute(argv, f"{CAT}; exit 4", data) == (4, data, b"")


@pytest.mark.parametrize("name", SHELLS)
def test_the_shell_of_the_container_is_another(
    container: Container, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = " ".join(SHELLS[name][:-1])
    for part in ("START", "AGENT"):
        text = getattr(_interactive_shell, part)
        monkeypatch.setattr(_interactive_shell, part, text.replace("exec /bin/sh -c", f"exec {shell} -c"))
    data = random.Random(1).randbytes(20_000)
    assert execute(container.terminal(), f"{CAT} >&2; exit 255", data) == (255, b"", data)


@pytest.mark.parametrize(
    ("command", "code"),
    [("exit 0", 0), ("exit 1", 1), ("exit 255", 255), ("kill -9 $$", 137), ("kill -15 $$", 143), ("nothing", 127)],
)
def test_exit_codes(container: Container, command: str, code: int) -> None:
    found, stdout, stderr = execute(container.terminal(), command)
    assert (found, stdout, stderr == b"") == (code, b"", code != 127)


def test_the_text_of_a_command_arrives_as_it_is(container: Container) -> None:
    text = "'\"\\$HOME `date` %s %% ! ~ \t {é} * ?;&|<>()#\x7f"
    command = f"printf %s {shlex.quote(text)}; # " + "long " * 500 + "\n"
    assert execute(container.terminal(), command) == (0, text.encode(), b"")


def test_the_environment_is_that_of_the_interactive_shell(container: Container) -> None:
    found = execute(container.terminal(LINE="kept"), "set; echo $LINE")[1].decode().splitlines()
    assert found[-1] == "kept"
    assert not [line for line in found if line.startswith(("_tag=", "_command=", "_count="))]


@hypothesis.settings(
    max_examples=5, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.given(out=st.binary(max_size=3000), err=st.binary(max_size=300), code=st.integers(0, 255))
def test_any_data(container: Container, out: bytes, err: bytes, code: int) -> None:
    (container.folder / "err").write_bytes(err)
    command = f"{CAT}; {CAT} {container.folder}/err >&2; exit {code}"
    assert execute(container.terminal(), command, out) == (code, out, err)


def test_much_data_both_ways(container: Container) -> None:
    data = random.Random(2).randbytes(1_000_000)
    assert execute(container.terminal(), f"{CAT}; exit 3", data) == (3, data, b"")


@pytest.mark.parametrize("command", ["echo done", "exec <&-; echo done", f"{CAT} </dev/null; echo done"])
def test_a_command_that_does_not_read(container: Container, command: str) -> None:
    assert execute(container.terminal(), command, bytes(1_000_000)) == (0, b"done\n", b"")


@pytest.mark.parametrize(
    "prompt",
    [
        "q0123456789abcdef1:QUJD\n",
        "\x1b[31m\\w\n\r$(echo x >&2; echo 'y' | tr y z)`false`\\$ ",
        "%n@%m ' \" \\",
        "$ " * 500,
        "",
    ],
)
def test_prompts(container: Container, prompt: str) -> None:
    argv = container.terminal(PS1=prompt, PS2=prompt, PROMPT_COMMAND="echo; printf 'q%s' $RANDOM; false")
    assert execute(argv, f"{CAT}; exit 1", EVERY_BYTE) == (1, EVERY_BYTE, b"")


def test_a_message_of_the_day(container: Container) -> None:
    message = container.folder / "motd"
    message.write_bytes(random.Random(4).randbytes(60_000) + b"Welcome to this day!\n" * 2000 + b"No line feed")
    argv = container.terminal("/bin/sh", "-c", f'{CAT} {message}; exec "$0" --norc -i', BASH)
    assert execute(argv, CAT, EVERY_BYTE) == (0, EVERY_BYTE, b"")


def test_a_slow_shell_that_loses_what_was_typed(container: Container) -> None:
    slow = "import os, sys, termios, time; time.sleep(1.5); termios.tcflush(0, termios.TCIFLUSH);"
    slow += "os.execv(sys.argv[1], sys.argv[1:])"
    argv = container.terminal(sys.executable, "-c", slow, BASH, "--norc", "-i")
    assert execute(argv, CAT, b"data") == (0, b"data", b"")


def test_a_slow_shell_that_keeps_what_was_typed(container: Container) -> None:
    argv = container.terminal("/bin/sh", "-c", f'{SLEEP} 1.5; exec "$0" --norc -i', BASH)
    assert execute(argv, CAT, b"data") == (0, b"data", b"")


@pytest.mark.parametrize("command", [[SLEEP, "600"], [shutil.which("yes") or "yes"], [CAT]], ids=lambda words: words[0])
def test_no_shell(container: Container, command: list[str]) -> None:
    with pytest.raises(SessionLostError, match="no POSIX shell answered within 1 seconds") as caught:
        run(container.terminal(*command), "true", timeout=1)
    assert not caught.value.has_begun


def test_a_client_that_fails() -> None:
    with pytest.raises(SessionLostError, match=r"it ended \(no way there\)\.$") as caught:
        execute(["/bin/sh", "-c", "echo no way there >&2; exit 255"], "true")
    assert not caught.value.has_begun


def test_a_client_that_is_not_there() -> None:
    with pytest.raises(SessionLostError, match="/nothing could not be started: No such file") as caught:
        execute(["/nothing"], "true")
    assert not caught.value.has_begun


@pytest.mark.parametrize("missing", NEEDED)
def test_a_container_without_a_tool(container: Container, missing: str) -> None:
    with pytest.raises(MissingToolsError, match=f"^{missing}$"):
        execute(container.terminal(tools=[name for name in NEEDED if name != missing]), "true")


def test_a_container_without_any_tool(container: Container) -> None:
    with pytest.raises(MissingToolsError, match=r"^base64, head, stty$"):
        execute(container.terminal(tools=()), "true")


def test_a_session_that_is_cut(container: Container) -> None:
    with pytest.raises(SessionLostError, match="was lost: it ended") as caught:
        execute(container.terminal(), f"echo begun; kill -9 $LEADER; {SLEEP} 600")
    assert caught.value.has_begun


def test_a_session_that_is_given_up_ends_its_command(
    container: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = tmp_path / "pid"

    def give_up(_session: t.Any) -> t.NoReturn:
        wait_for(lambda: pid.exists() and pid.read_text(), "the command")
        raise KeyboardInterrupt

    monkeypatch.setattr(_interactive_shell, "_receive_result", give_up)
    with pytest.raises(KeyboardInterrupt):
        execute(container.terminal(), f"echo $$ > {pid}; exec {SLEEP} 600")
    wait_for(lambda: not is_running(int(pid.read_text())), "the end of the command")


def is_running(pid: int) -> bool:
    """Whether a process has not ended; one that its parent has not asked about has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_command_may_be_silent_longer_than_the_timeout(container: Container) -> None:
    assert run(container.terminal(), f"{SLEEP} 3; echo done", timeout=2.5) == (0, b"done\n", b"")


def test_lost_data_is_noticed(container: Container) -> None:
    with pytest.raises(SessionLostError, match="output of the command") as caught:
        execute(container.terminal(record="spoil"), CAT, bytes(200_000))
    assert caught.value.has_begun


def test_what_is_typed(container: Container, tmp_path: Path) -> None:
    record, history = tmp_path / "record", tmp_path / "history"
    argv = container.terminal(record=str(record), HISTFILE=str(history))
    execute(argv, f"{CAT} # a-command-line", b"~.\n" * 3000)
    typed = record.read_bytes()
    # A terminal that is not raw yet may take 1024 characters; the client of ssh takes ~ at the beginning for its own.
    assert max(len(line) for line in typed.split(b"\n")[:2]) < 1000
    assert b"\n~" not in typed
    assert b"a-command-line" not in typed
    assert not history.exists() or history.read_bytes() == b""
