# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection and its become plugin. In place of Northflank, the commands are run here, with the tools that a test
lets them have."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import become_loader

from ansible_collections.quayside.paas.plugins.become import northflank_user
from ansible_collections.quayside.paas.plugins.connection import northflank_exec as plugin
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    InvalidResponseError,
    MissingLibraryError,
    NotFoundError,
    PaasError,
    TransportError,
    WaitTimeoutError,
)
from ansible_collections.quayside.paas.plugins.module_utils._northflank import exec as northflank_exec
from ansible_collections.quayside.paas.plugins.module_utils._northflank.exec import Access, Input, Limits, Target
from ansible_collections.quayside.paas.plugins.plugin_utils import _remote_tools
from unit.definitions import define_options
from unit.fakes import TOKEN

NAME = "quayside.paas.northflank_exec"
BECOME = "quayside.paas.northflank_user"
WHERE = {
    "inventory_hostname": "web-0",
    "ansible_northflank_project_id": "shop",
    "ansible_northflank_kind": "service",
    "ansible_northflank_resource_id": "web",
    "ansible_northflank_api_token": TOKEN,
}
# What is in the path of a container, besides a POSIX shell's own commands.
TOOLS = ["cat", "chgrp", "chmod", "chown", "head", "mkdir", "rm", "sleep", "wc"]
ODD = 'it\'s "a" $HOME `x` ü\t-;'
BINARY = bytes(range(256)) * 1000 + b"\n\n"


class Container:
    """Runs commands here. asked: target, limits and arguments of each. fails: what happens in place of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[tuple[Target, Limits, list[str]]] = []
        self.fails: PaasError | None = None
        self._failures: list[AnsibleError] = []
        self.path = self.folder / "bin"
        self.path.mkdir()
        for name in TOOLS:
            (self.path / name).symlink_to(shutil.which(name) or "")

    def without(self, tool: str) -> None:
        (self.path / tool).unlink()

    def run(
        self,
        access: Access,
        target: Target,
        command: list[str],
        take: t.Callable[[str, bytes], None],
        *,
        source: Input | None = None,
        limits: Limits,
    ) -> int:
        self.asked.append((target, limits, command))
        assert access.options.token == TOKEN
        if self.fails is not None:
            raise self.fails
        environment = {"PATH": str(self.path), "HOME": str(self.folder)}
        with subprocess.Popen(
            command, stdin=-1, stdout=-1, stderr=-1, env=environment, cwd=self.folder, bufsize=0, start_new_session=True
        ) as child:
            readers = [
                threading.Thread(target=self._pass_on, args=(pipe, kind, take))
                for kind, pipe in (("stdOut", child.stdout), ("stdErr", child.stderr))
            ]
            for reader in readers:
                reader.start()
            try:
                if source is None:
                    t.cast("t.Any", child.stdin).close()
                else:
                    self._feed(child, source)
            finally:
                for reader in readers:
                    reader.join(20)
            if self._failures:
                raise self._failures.pop()
            return child.wait(20)

    def _pass_on(self, pipe: t.Any, kind: str, take: t.Callable[[str, bytes], None]) -> None:
        while data := pipe.read(65536):
            try:
                take(kind, data)
            except AnsibleError as error:
                self._failures = [error]

    def _feed(self, child: t.Any, source: Input) -> None:
        """Never ends the input, as Northflank's client must not."""
        try:
            while not source.is_ready():
                time.sleep(0.01)
            for chunk in source.chunks:
                while chunk:
                    chunk = chunk[child.stdin.write(chunk) :]
        except BrokenPipeError:
            pass
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise


@pytest.fixture(autouse=True, scope="module")
def _options() -> None:
    define_options("connection", NAME, plugin.DOCUMENTATION)
    define_options("become", BECOME, northflank_user.DOCUMENTATION)


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    one = Container(tmp_path)
    monkeypatch.setattr(northflank_exec, "run", one.run)
    return one


def connect(**variables: t.Any) -> t.Any:
    """A connection with these variables of the host."""
    connection = plugin.Connection(PlayContext())
    connection._load_name = connection.ansible_name = NAME
    connection._redirected_names = [NAME]
    connection.set_options(var_options={**WHERE, **variables})
    return connection


def error_of(kind: type[AnsibleError], call: t.Callable[[], t.Any]) -> str:
    """What an error says. An unreachable host is not a failed task."""
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, AnsibleConnectionFailure) == (kind is AnsibleConnectionFailure)
    assert TOKEN not in repr(caught.value)
    return str(caught.value)


# Commands


def test_output_and_exit_code(container: Container) -> None:
    command = f"/bin/sh -c 'echo out; echo \"{ODD[:3].replace(chr(39), '')}\" >&2; exit 42'"
    assert connect().exec_command(command) == (42, b"out\n", b"it\n")


def test_without_input_the_end_is_seen_at_once(container: Container) -> None:
    code, stdout, _stderr = connect().exec_command("read line; echo $?")
    assert (code, stdout) == (0, b"1\n")


@pytest.mark.parametrize("size", [1, 65536, len(BINARY)])
def test_input_arrives_with_its_end(container: Container, size: int) -> None:
    command = f"{sys.executable} -c 'import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())'; exit 3"
    assert connect().exec_command(command, in_data=BINARY[:size]) == (3, BINARY[:size], b"")


def test_a_command_that_reads_nothing_ends(container: Container) -> None:
    assert connect().exec_command("exit 5", in_data=b"x" * 1_000_000)[0] == 5


def test_a_command_whose_input_cannot_be_passed_on_does_not_run(container: Container) -> None:
    container.without("head")
    message = error_of(AnsibleError, lambda: connect().exec_command("echo x >ran", in_data=b"x"))
    assert "has no head. Ansible needs a POSIX shell and the usual tools" in message
    assert not (container.folder / "ran").exists()


@pytest.mark.parametrize("tool", ["mkdir", "chmod"])
def test_a_container_without_a_tool_that_ansible_uses(container: Container, tool: str) -> None:
    container.without(tool)
    command = "mkdir -p a && chmod 700 a && echo there"
    assert f"has no {tool}. Ansible needs" in error_of(AnsibleError, lambda: connect().exec_command(command))


@pytest.mark.parametrize("tool", ["head", "wc"])
def test_a_container_without_a_tool_for_files(container: Container, tool: str) -> None:
    connection, back = connect(), str(container.folder / "back")
    connection.put_file(__file__, "there")
    container.without(tool)
    for transfer in (
        lambda: connection.put_file(__file__, "there"),
        lambda: connection.fetch_file("there", back),
    ):
        assert f"has no {tool}. Ansible needs" in error_of(AnsibleError, transfer)
    assert not os.path.exists(back)


def test_a_command_of_the_user_that_is_missing_is_a_result(container: Container) -> None:
    code, _stdout, stderr = connect().exec_command("my-chmod x")
    assert (code, b"not found" in stderr) == (127, True)


@pytest.mark.parametrize(
    "output",
    [
        "/bin/sh: 1: mkdir: not found\n",
        "/bin/sh: line 1: mkdir: command not found\n",
        "sh: mkdir: not found\r\n",
        "E: /bin/mksh: mkdir: inaccessible or not found\n",
        "zsh:1: command not found: mkdir\n",
    ],
    ids=["dash", "bash", "busybox", "mksh", "zsh"],
)
def test_what_shells_say_about_missing_tools(output: str) -> None:
    assert "has no mkdir." in (_remote_tools.missing_tool(127, f"before\n{output}after\n".encode()) or "")
    assert _remote_tools.missing_tool(1, output.encode()) is None


def test_the_shell_may_be_another_one(container: Container) -> None:
    connection = connect(ansible_executable="/bin/dash")
    connection.exec_command("true")
    assert container.asked[-1][2][0] == "/bin/dash"


# Who, where, how long


def test_where_and_as_whom_commands_run(container: Container) -> None:
    connect().exec_command("true")
    target, limits, _command = container.asked[-1]
    assert target == Target("shop", "service", "web", "web-0")
    assert limits == Limits(10, 60, None)
    connect(
        ansible_host="web-1",
        ansible_user="www",
        ansible_northflank_group="33",
        ansible_northflank_container_name="side",
        ansible_northflank_timeout=7,
        ansible_northflank_silence_timeout=8,
        ansible_northflank_command_timeout=9,
    ).exec_command("true")
    target, limits, _command = container.asked[-1]
    assert target == Target("shop", "service", "web", "web-1", "side", "www", "33")
    assert limits == Limits(7, 8, 9)


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"ansible_northflank_project_id": None}, "set ansible_northflank_project_id, or use the inventory"),
        ({"ansible_northflank_kind": None, "ansible_northflank_resource_id": ""}, "kind and ansible_northflank_res"),
        ({"ansible_northflank_api_token": ""}, "No api_token"),
        ({"ansible_northflank_command_timeout": 0}, "command_timeout is 0; it has to be at least 1"),
        ({"ansible_northflank_silence_timeout": -1}, "silence_timeout is -1; it has to be at least 1"),
        ({"ansible_northflank_timeout": 0}, "timeout is 0"),
    ],
)
def test_options_that_cannot_be_used_fail_the_task(container: Container, variables: t.Any, wanted: str) -> None:
    assert wanted in error_of(AnsibleError, lambda: connect(**variables).exec_command("true"))
    assert container.asked == []


def test_no_task_has_to_import_requests() -> None:
    # In a worker that takes longer than many a task; and each task has a worker of its own.
    program = f"""
import sys
sys.path[:] = {sys.path!r}
from ansible_collections.quayside.paas.plugins.connection import northflank_exec
from ansible_collections.quayside.paas.plugins.module_utils import _websocket_handshake
from ansible_collections.quayside.paas.plugins.module_utils._northflank.exec import Target, access_from, exec_url
known = {{"api_url": "https://api.example.com", "api_token": "x", "timeout": 1, "retry_budget": 1}}
access = access_from({{**known, "validate_certs": True}}.get)
url = exec_url(access, Target("shop", "job", "report", "report-0"))
_websocket_handshake._way(_websocket_handshake._target(url), access.options)
print(*sorted({{"requests", "urllib3", "websocket"}} & set(sys.modules)))
"""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.split() == ["websocket"]


def test_a_missing_library_fails_the_task(container: Container) -> None:
    container.fails = MissingLibraryError("Cannot import required Python libraries (websocket-client).")
    assert "websocket-client" in error_of(AnsibleError, lambda: connect().exec_command("true"))


@pytest.mark.parametrize("error", [ApiError, NotFoundError, TransportError, InvalidResponseError])
def test_a_host_that_cannot_be_reached(container: Container, error: type[PaasError]) -> None:
    container.fails = error("It is gone.")
    connection = connect()
    for call in (
        lambda: connection.exec_command("true"),
        lambda: connection.put_file(__file__, "/tmp/x"),
        lambda: connection.fetch_file("/tmp/x", str(container.folder / "x")),
    ):
        assert error_of(AnsibleConnectionFailure, call) == "It is gone."
    assert not (container.folder / "x").exists()


def test_a_command_that_takes_too_long_fails_the_task(container: Container) -> None:
    container.fails = WaitTimeoutError("Too long.")
    assert error_of(AnsibleError, lambda: connect().exec_command("true")) == "Too long."


def test_connections_have_nothing_to_keep(container: Container) -> None:
    connection = connect()
    assert connection.has_pipelining
    connection.exec_command("true")
    assert connection.connected
    connection.reset()
    assert not connection.connected
    connection.close()
    assert connection.exec_command("echo again")[1] == b"again\n"


# Files


@pytest.mark.parametrize("size", [0, 1, len(BINARY)])
def test_files_go_there_and_back(container: Container, size: int) -> None:
    connection = connect()
    local, back = container.folder / f"local {ODD[:6]}", container.folder / "back"
    local.write_bytes(BINARY[:size])
    place = f"{container.folder}/{ODD}"
    connection.put_file(str(local), place)
    assert Path(place).read_bytes() == BINARY[:size]
    connection.fetch_file(place, str(back))
    assert back.read_bytes() == BINARY[:size]


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ("/no/such/folder/x", r"/no/such/folder/x: .*(no such|nonexistent)"),
        ("/tmp", r"/tmp: .*directory"),
        ("/dev/full", r"/dev/full: .*No space left on device"),
    ],
)
def test_files_that_cannot_be_written_there(container: Container, place: str, wanted: str) -> None:
    local = container.folder / "local"
    local.write_bytes(BINARY)
    message = error_of(AnsibleError, lambda: connect().put_file(str(local), place))
    assert re.search(wanted, message, re.IGNORECASE), message
    assert message.startswith("The container web-0 (service web, project shop): the file ")
    assert f"({len(BINARY)} bytes) could not be written to" in message


@pytest.mark.parametrize(("place", "wanted"), [("/no/such file", "no such|cannot open"), ("/tmp", "directory")])
def test_files_that_cannot_be_read_there(container: Container, place: str, wanted: str) -> None:
    local = container.folder / "local"
    message = error_of(AnsibleError, lambda: connect().fetch_file(place, str(local)))
    assert re.search(f"the file {place} could not be read: .*({wanted})", message, re.IGNORECASE), message
    assert not local.exists()


def test_local_files_that_are_not_there_or_go_away(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connect()
    local = container.folder / "local"
    assert f"{local} does not exist" in error_of(AnsibleFileNotFound, lambda: connection.put_file(str(local), "/x"))
    assert "cannot be read: Is a directory" in error_of(AnsibleError, lambda: connection.put_file("/tmp", "/x"))
    assert container.asked == []
    local.write_bytes(BINARY)
    monkeypatch.setattr(container, "_feed", lambda child, source: shorten(local, source, child))
    message = error_of(AnsibleError, lambda: connection.put_file(str(local), f"{container.folder}/there"))
    assert f"{local} became shorter while it was being copied: {len(BINARY) - 100} bytes are missing" in message


def shorten(path: Path, source: Input, child: t.Any) -> None:
    os.truncate(path, 100)
    try:
        for chunk in source.chunks:
            child.stdin.write(chunk)
    finally:
        child.kill()


def test_local_files_that_cannot_be_written(container: Container) -> None:
    connection = connect()
    there = container.folder / "there"
    there.write_bytes(BINARY)
    for place, why in (("/no/such/x", "No such file"), ("/dev/full", "No space left")):
        message = error_of(AnsibleError, lambda place=place: connection.fetch_file(str(there), place))  # type: ignore[misc]
        assert message.startswith(f"The local file {place} cannot be written: {why}")
    assert Path("/dev/full").is_char_device()  # only what was made is removed


def test_what_got_lost_on_the_way_is_noticed(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    there, back = container.folder / "there", container.folder / "back"
    there.write_bytes(BINARY)
    real = container.run

    def lossy(client: t.Any, target: t.Any, command: t.Any, take: t.Any, **more: t.Any) -> int:
        return real(
            client, target, command, lambda kind, data: take(kind, data[:100] if kind == "stdOut" else data), **more
        )

    monkeypatch.setattr(northflank_exec, "run", lossy)
    message = error_of(AnsibleError, lambda: connect().fetch_file(str(there), str(back)))
    assert re.search(rf"there could not be read: \d+ of {len(BINARY)} bytes arrived", message)
    assert not back.exists()

    def short(client: t.Any, target: t.Any, command: t.Any, take: t.Any, **_keywords: t.Any) -> int:
        take("stdOut", b"17\n")
        return 0

    monkeypatch.setattr(northflank_exec, "run", short)
    message = error_of(AnsibleError, lambda: connect().put_file(str(there), "/x"))
    assert "could not be written to /x: it has 17 bytes there" in message


# Become


def northflank_become() -> t.Any:
    one = northflank_user.BecomeModule()
    one._load_name = one.ansible_name = BECOME
    one._redirected_names = [BECOME]
    return one


def become(connection: t.Any, method: t.Any, **variables: t.Any) -> t.Callable[[str], str]:
    """Gives a connection a become plugin, and returns what that makes of commands, quoted as Ansible does it."""
    method.set_options(var_options=variables)
    connection.set_become_plugin(method)
    connection._shell.executable = "/bin/sh"

    def made(command: str) -> str:
        whole: str = method.build_become_command(command, connection._shell)
        return f"/bin/sh -c {connection._shell.quote(whole)}"

    return made


def test_northflank_runs_it_as_the_user_to_become(container: Container) -> None:
    connection = connect(ansible_user="www", ansible_northflank_group="staff")
    made = become(connection, northflank_become(), ansible_become_user="postgres")
    command = made("echo 'it''s' \"$0\"; exit 4")
    assert connection.exec_command(command, in_data=b"x")[:2] == (4, b"its /bin/sh\n")
    target = container.asked[-1][0]
    assert (target.user, target.group) == ("postgres", None)
    # What Ansible does not want to be done as another user is not.
    connection.exec_command("true", sudoable=False)
    assert container.asked[-1][0].user == "www"
    connection.put_file(__file__, f"{container.folder}/x")
    assert container.asked[-1][0].user == "www"


def test_root_is_who_to_become_if_nobody_is_named(container: Container) -> None:
    connection = connect()
    made = become(connection, northflank_become())
    connection.exec_command(made("true"))
    assert container.asked[-1][0].user == "root"
    assert northflank_become().build_become_command("", connection._shell) == ""


def test_another_connection_does_not_run_it(container: Container) -> None:
    made = become(connect(), northflank_become())
    done = subprocess.run(made("echo 'it ran'"), shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "works over the connection quayside.paas.northflank_exec only" in done.stderr


SUDO = """#!/bin/sh
# sudo -H -S -p PROMPT -u USER COMMAND..., with the password "right one"
[ -e {folder}/free ] && {{ shift 6; exec "$@"; }}
for attempt in 1 2; do
  printf '%s' "$4" >&2
  IFS= read -r password || {{ echo 'sudo: no password was provided' >&2; exit 1; }}
  [ "$password" = 'right one' ] && {{ shift 6; exec "$@"; }}
  echo 'Sorry, try again.' >&2
done
exit 1
"""


@pytest.fixture
def sudo(container: Container) -> str:
    program = container.folder / "sudo"
    program.write_text(SUDO.format(folder=container.folder))
    program.chmod(0o700)
    return str(program)


@pytest.mark.parametrize("data", [None, b"", b"input\n" * 50_000])
@pytest.mark.parametrize("is_free", [False, True])
def test_a_password_is_given_when_it_is_asked_for(
    container: Container, sudo: str, data: bytes | None, is_free: bool
) -> None:
    if is_free:
        (container.folder / "free").touch()
    connection = connect()
    made = become(
        connection,
        become_loader.get("sudo"),
        ansible_become_exe=sudo,
        ansible_become_pass="right one",
        ansible_become_user="u",
    )
    count = f"{sys.executable} -c 'import sys; print(len(sys.stdin.read()))'"
    code, stdout, stderr = connection.exec_command(made(f"{count}; exit 6"), in_data=data)
    success, number = stdout.decode().split()
    assert success.startswith("BECOME-SUCCESS-")
    assert (code, number, stderr) == (6, str(len(data or b"")), b"")
    assert "right one" not in repr(container.asked)


def test_a_wrong_password_is_told(container: Container, sudo: str) -> None:
    connection = connect()
    made = become(
        connection,
        become_loader.get("sudo"),
        ansible_become_exe=sudo,
        ansible_become_pass="guess",
        ansible_become_user="u",
    )
    message = error_of(AnsibleError, lambda: connection.exec_command(made("true")))
    assert "the password for sudo is not the right one" in message
    assert "guess" not in message


def test_a_password_that_is_never_asked_for(container: Container) -> None:
    connection = connect(ansible_northflank_timeout=1)
    program = container.folder / "sudo"
    program.write_text("#!/bin/sh\necho 'lecture: be good' >&2\nexec cat\n")
    program.chmod(0o700)
    made = become(
        connection,
        become_loader.get("sudo"),
        ansible_become_exe=str(program),
        ansible_become_pass="p",
        ansible_become_user="u",
    )
    message = error_of(AnsibleError, lambda: connection.exec_command(made("true")))
    assert "sudo did not ask for a password in time" in message
    assert "lecture: be good" in message


def test_the_time_to_ask_for_a_password_begins_with_the_command(
    container: Container, sudo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: t.Any, **keywords: t.Any) -> int:
        time.sleep(1.2)  # a handshake that has to be repeated
        return container.run(*arguments, **keywords)

    monkeypatch.setattr(northflank_exec, "run", run)
    connection = connect(ansible_northflank_timeout=1)
    made = become(
        connection,
        become_loader.get("sudo"),
        ansible_become_exe=sudo,
        ansible_become_pass="right one",
        ansible_become_user="u",
    )
    assert connection.exec_command(made("exit 6"))[0] == 6


def test_a_password_that_is_needed_is_told(container: Container) -> None:
    connection = connect()
    program = container.folder / "sudo"
    program.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n")
    program.chmod(0o700)
    made = become(connection, become_loader.get("sudo"), ansible_become_exe=str(program), ansible_become_user="u")
    assert "sudo needs a password" in error_of(AnsibleError, lambda: connection.exec_command(made("true")))
