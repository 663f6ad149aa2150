# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection cycle_ssh without a gateway: what it tells ssh, when it logs in, and masters as programs of tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import typing as t
from pathlib import Path

import pytest
from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.playbook.play_context import PlayContext

from ansible_collections.quayside.paas.plugins.connection import cycle_ssh as plugin
from ansible_collections.quayside.paas.plugins.module_utils._cycle.ssh import Credentials
from ansible_collections.quayside.paas.plugins.plugin_utils import _ssh_master
from support.settings import limit, wait_for
from unit.definitions import define_options

NAME = "quayside.paas.cycle_ssh"
SECRET = "I5qQGoaU9s63RFnm5KQE52JIm"
CREDENTIALS = Credentials("gateway", 2222, "i1", SECRET, None, "i1@gateway:2222", None)


@pytest.fixture(autouse=True, scope="module")
def _options() -> None:
    define_options("connection", NAME, plugin.DOCUMENTATION)


def connection(**variables: t.Any) -> t.Any:
    one = plugin.Connection.__new__(plugin.Connection)
    one._load_name = one.ansible_name = NAME
    one._redirected_names = [NAME]
    one.__init__(PlayContext())  # type: ignore[misc]
    ids = {"ansible_cycle_container_id": "c1", "ansible_cycle_instance_id": "i1"}
    one.set_options(var_options={**ids, **variables})
    return one


# What ssh is told


def words(one: t.Any, *, is_login: bool = False) -> list[str]:
    """The arguments of a login or a session."""
    one._login = CREDENTIALS if is_login else None
    return [each.decode() for each in one._build_command("ssh", "ssh", one.get_option("host"), "true")]


def value(arguments: list[str], name: str) -> str | None:
    """What ssh takes for an option: the first one counts."""
    found = [one.partition("=")[2] for one in arguments if one.startswith(f"{name}=")]
    return found[0].strip('"') if found else None


def test_all_options_of_ssh_are_there() -> None:
    connection()
    ours = C.config.get_configuration_definitions("connection", NAME)
    theirs = C.config.get_configuration_definitions("connection", "ssh")
    assert set(theirs) < set(ours)
    assert "ansible_ssh_args" in {one["name"] for one in ours["ssh_args"]["vars"]}
    assert ours["timeout"] == theirs["timeout"]


def test_the_home_is_that_of_the_user_in_the_instance() -> None:
    assert connection(ansible_user="somebody").get_option("remote_user") is None


def test_sessions_use_the_master_and_nothing_else() -> None:
    one = connection(
        ansible_ssh_common_args="-J bastion -o ForwardAgent=yes", ansible_password="p", ansible_ssh_args="-o User=me"
    )
    arguments = words(one)
    assert value(arguments, "ControlPath") == one._control_path()
    assert value(arguments, "ControlMaster") == "no"
    assert value(arguments, "Port") is None
    assert value(arguments, "PasswordAuthentication") == "no"
    assert value(arguments, "ForwardAgent") == "yes"
    assert "bastion" not in arguments
    assert _ssh_master.NO_SESSION not in " ".join(arguments)
    assert arguments[-2:] == ["instance-i1", "true"]
    said = subprocess.run(["sh", "-c", f"exec {value(arguments, 'ProxyCommand')}"], capture_output=True, check=False)
    assert said.stderr.decode().strip() == _ssh_master.NO_SESSION


@pytest.mark.parametrize("mechanism", ["ssh_askpass", "sshpass", "disable"])
def test_a_login_gives_the_password_of_the_platform_to_the_gateway(mechanism: str) -> None:
    one = connection(
        ansible_ssh_common_args="-J bastion",
        ansible_cycle_idle_timeout=42,
        ansible_ssh_password_mechanism=mechanism,
        ansible_password="of somebody else",
        ansible_port=22,
        ansible_ssh_private_key_file="key",
    )
    arguments = words(one, is_login=True)
    assert value(arguments, "ControlMaster") == "auto"
    assert value(arguments, "ControlPersist") == "42"
    assert value(arguments, "PasswordAuthentication") == "yes"
    assert value(arguments, "PreferredAuthentications") == "password,keyboard-interactive"
    assert value(arguments, "PubkeyAuthentication") == "no"
    assert value(arguments, "ProxyCommand") is None
    assert value(arguments, "IdentityFile") is None
    assert (value(arguments, "User"), value(arguments, "Port")) == ("i1", "2222")
    assert "bastion" in arguments
    assert arguments[0] == "ssh"
    assert arguments[-2:] == ["gateway", "true"]
    assert one.get_option("password") == SECRET
    assert SECRET not in " ".join(arguments)


def test_a_host_on_the_way_does_not_get_the_password() -> None:
    one = connection()
    one._login = CREDENTIALS
    prompt = one.get_option("sshpass_prompt")
    assert prompt in "i1@gateway's password: "
    assert prompt in "(i1@gateway) Password: "
    assert prompt not in "me@bastion's password: "


def test_no_limit_to_idleness() -> None:
    assert value(words(connection(ansible_cycle_idle_timeout=0), is_login=True), "ControlPersist") == "yes"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ("accept-new", None)),
        ({"ansible_cycle_host_keys": "strict"}, ("yes", None)),
        ({"ansible_cycle_host_keys": "ignore"}, ("no", "/dev/null")),
        ({"ansible_host_key_checking": False}, ("no", "/dev/null")),
        ({"ansible_host_key_checking": False, "ansible_cycle_host_keys": "accept-new"}, ("accept-new", None)),
        ({"ansible_host_key_checking": False, "ansible_cycle_host_keys": "strict"}, ("yes", None)),
    ],
)
def test_host_keys(variables: dict[str, t.Any], expected: tuple[str, str | None]) -> None:
    arguments = words(connection(**variables), is_login=True)
    assert (value(arguments, "StrictHostKeyChecking"), value(arguments, "UserKnownHostsFile")) == expected


def test_what_shares_a_master() -> None:
    paths = [
        connection(**variables)._control_path()
        for variables in (
            {},
            {"ansible_cycle_instance_id": "i2"},
            {"ansible_cycle_api_url": "https://other.example.com"},
            # A login without a check of the host key is of no use to somebody who wants one.
            {"ansible_cycle_host_keys": "ignore"},
        )
    ]
    assert len(set(paths)) == len(paths)
    assert connection(ansible_cycle_api_key="other", ansible_user="other")._control_path() == paths[0]


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [([], []), (["-J", "a", "-v"], ["-v"]), (["-Ja", "-v"], ["-v"]), (["-v", "-J"], ["-v"])],
)
def test_hosts_on_the_way(arguments: list[str], kept: list[str]) -> None:
    assert plugin._without_jump(arguments) == kept


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        ({}, {}, "exec </dev/null; cat"),
        ({"in_data": b"input"}, {}, "cat"),
        ({}, {"ansible_shell_type": "powershell"}, "cat"),
    ],
)
def test_commands_without_input_do_not_wait_for_any(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, t.Any], variables: dict[str, t.Any], expected: str
) -> None:
    one, ran = connection(**variables), list[str]()

    def run(_self: t.Any, cmd: str, _in_data: bytes | None, _sudoable: bool) -> tuple[int, bytes, bytes]:
        ran.append(cmd)
        return 0, b"", b""

    monkeypatch.setattr(plugin.SshConnection, "exec_command", run)
    one._has_master, one._notes = True, {"transport": "exec"}
    if variables:
        one._shell = type("Shell", (), {"SHELL_FAMILY": "powershell"})
    assert one.exec_command("cat", **arguments) == (0, b"", b"")
    assert ran == [expected]


# When it logs in


class Gateway:
    """A gateway that a connection logs in to."""

    def __init__(self, one: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.one = one
        self.created = 0  # credentials
        self.live: set[int] = set()  # the numbers of masters
        self.failures: list[str] = []  # what the next logins end with
        monkeypatch.setattr(one, "_create_credentials", self._create)
        monkeypatch.setattr(one, "_start_master", self._start)
        monkeypatch.setattr(one, "_is_master_live", lambda: one._number in self.live)
        monkeypatch.setattr(one, "_probe", lambda: "exec")

    def _create(self) -> Credentials:
        self.created += 1
        return CREDENTIALS

    def _start(self, credentials: Credentials) -> str | None:
        assert credentials is CREDENTIALS
        failure = self.failures.pop(0) if self.failures else None
        if failure is None:
            self.live.add(self.one._number)
        return failure


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Gateway]:
    # A short path, because control sockets have one.
    with tempfile.TemporaryDirectory(prefix="qs", dir="/tmp") as folder:
        yield Gateway(connection(ansible_control_path_dir=folder, ansible_ssh_executable="sh"), monkeypatch)


def refuse() -> t.NoReturn:
    raise plugin.NoSessionError("no session")


def test_one_login_serves_all_that_comes_after_it(gateway: Gateway) -> None:
    assert [gateway.one._in_session(lambda: "done") for _number in range(3)] == ["done"] * 3
    assert gateway.created == 1
    gateway.one._has_master = False  # as in the next task
    assert gateway.one._in_session(lambda: "done") == "done"
    assert gateway.created == 1
    assert gateway.one._notes == {"transport": "exec"}


def test_a_master_that_has_gone_is_replaced_once(gateway: Gateway) -> None:
    gateway.live.add(0)
    gateway.one._connect_master()
    assert gateway.created == 0
    gateway.live.clear()
    assert gateway.one._in_session(lambda: "done" if gateway.created else refuse()) == "done"
    assert gateway.created == 1


def test_a_master_that_ends_at_once_is_not_replaced(gateway: Gateway) -> None:
    def act() -> t.NoReturn:
        gateway.live.clear()
        refuse()

    with pytest.raises(AnsibleConnectionFailure, match="accepted the login to instance i1, but no session"):
        gateway.one._in_session(act)
    assert gateway.created == 1


def test_a_master_that_is_full_gets_another_one_beside_it(gateway: Gateway) -> None:
    def act() -> int:
        return gateway.one._number if gateway.one._number == 2 else refuse()

    assert gateway.one._in_session(act) == 2
    assert gateway.created == 3
    with pytest.raises(AnsibleConnectionFailure, match="no session"):
        gateway.one._in_session(refuse)
    assert gateway.created == plugin.MAX_MASTERS


def test_credentials_that_are_refused_are_replaced_once(gateway: Gateway) -> None:
    gateway.failures = ["i1@gateway: Permission denied (password)."]
    assert gateway.one._in_session(lambda: "done") == "done"
    assert gateway.created == 2
    gateway.live.clear()
    gateway.one._has_master = False
    gateway.failures = ["i1@gateway: Permission denied (password)."] * 2
    with pytest.raises(AnsibleConnectionFailure, match=r"gateway port 2222 failed: i1@gateway: Permission denied"):
        gateway.one._in_session(lambda: "done")
    assert gateway.created == 4


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("Connection refused", "at gateway port 2222 failed: Connection refused. Nothing was run there."),
        ("Host key verification failed.", "has changed. If the new key is right, remove the old one with ssh-keygen"),
    ],
)
def test_other_failures_are_not_repeated(gateway: Gateway, said: str, message: str) -> None:
    gateway.failures = [said]
    with pytest.raises(AnsibleConnectionFailure, match=message):
        gateway.one._in_session(lambda: "done")
    assert gateway.created == 1


def test_a_session_that_breaks_is_not_repeated(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []

    def run(*_arguments: t.Any) -> t.NoReturn:
        begun.append(1)
        raise AnsibleConnectionFailure("Shared connection closed.")

    monkeypatch.setattr(plugin.SshConnection, "exec_command", run)
    with pytest.raises(AnsibleConnectionFailure, match=r"instance i1 ended unexpectedly\. The command may have run"):
        gateway.one.exec_command("true")
    assert begun == [1]
    assert gateway.created == 1


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ansible_ssh_executable": "/none/ssh"}, "There is no /none/ssh on the controller"),
        ({"ansible_control_path_dir": "/tmp/qs-unit/" + "x" * 80}, "is too long for a control socket of ssh"),
        ({"ansible_control_path_dir": "/dev/null/x"}, "/dev/null"),
    ],
)
def test_nothing_is_created_where_ssh_cannot_log_in(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, t.Any], message: str
) -> None:
    found = Gateway(connection(**variables), monkeypatch)
    with pytest.raises(AnsibleError, match=message):
        found.one._in_session(lambda: "done")
    assert found.created == 0


@pytest.mark.parametrize("transport", ["exec", "shell"])
def test_a_transport_that_is_set_is_not_probed(gateway: Gateway, transport: str) -> None:
    gateway.one.set_option("transport", transport)
    gateway.one._connect_master()
    assert gateway.one._notes == {}
    assert gateway.one._has_only_shell() is (transport == "shell")


def test_options_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLE_API_KEY", "key")
    one = plugin._OptionsOfApi(connection(ansible_cycle_hub_id="hub", ansible_cycle_timeout=7, ansible_timeout=3))
    assert (one.get_option("hub_id"), one.get_option("timeout")) == ("hub", 7)


# Files


@pytest.mark.parametrize("action", ["put", "get"])
@pytest.mark.parametrize("transport", ["exec", "shell"])
def test_a_local_file_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, transport: str, action: str
) -> None:
    one, local = connection(), str(tmp_path / "none" / "file")
    one._has_master, one._notes = True, {"transport": transport, "transfer": "piped"}
    monkeypatch.setattr(one, "exec_command", lambda *_arguments, **_keywords: (0, b"data", b""))
    paths = (local, "/remote") if action == "put" else ("/remote", local)
    with pytest.raises(AnsibleError, match=rf"^The file {local} on the controller cannot be used: No such file"):
        one._file_transport_command(*paths, action)


# Masters


def program(text: str) -> list[bytes]:
    return [sys.executable.encode(), b"-c", text.encode()]


def test_a_login_that_works() -> None:
    assert _ssh_master.start(program("print('Warning: new key')"), {}, limit(10)) is None


def test_a_login_that_fails_says_why() -> None:
    text = "import sys; print('debug1: a\\nWarning: b\\n@@@@\\nPermission denied', file=sys.stderr); sys.exit(255)"
    assert _ssh_master.start(program(text), {}, limit(10)) == "Permission denied"


def test_a_login_that_hangs_is_ended_with_what_it_has_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"  # of what stands for a ProxyCommand
    text = f"""
import subprocess
process = subprocess.Popen(["sleep", "600"])
open({str(pid)!r}, "w").write(str(process.pid))
process.wait()
"""
    assert _ssh_master.start(program(text), os.environ, 3.0) == "it took longer than 3 seconds"
    wait_for(lambda: not is_running(int(pid.read_text())), "the end of the child")


def is_running(pid: int) -> bool:
    """Whether a process has not ended; one that its parent has not asked about has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_master_that_keeps_its_output_open_is_not_waited_for(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    text = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        f"    open({str(pid)!r}, 'w').write(str(os.getpid()))\n"
        "    time.sleep(600)\n"
    )
    assert _ssh_master.start(program(text), {}, limit(10)) is None
    os.kill(int(wait_for(lambda: pid.exists() and pid.read_text(), "the master")), signal.SIGKILL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import sys; print('quayside-7'); sys.exit(7)", True),
        ("import sys; print('Welcome'); print('quayside-7'); sys.exit(7)", True),
        ("print('quayside-7')", False),
        ("import sys; sys.exit(255)", False),
        ("import time; time.sleep(600)", False),
        (f"import sys; print({_ssh_master.NO_SESSION!r}, file=sys.stderr); sys.exit(255)", None),
    ],
)
def test_what_a_gateway_can_do(text: str, expected: bool | None) -> None:
    assert _ssh_master.serves_commands(program(text), 2.0 if "600" in text else limit(10)) is expected


def test_a_lock_is_held_by_one_and_keeps_notes(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    inside = []

    def work() -> None:
        with _ssh_master.locked(str(path)) as notes:
            inside.append(1)
            assert len(inside) == 1
            notes["count"] = str(int(notes.get("count", "0")) + 1)
            inside.pop()

    threads = [threading.Thread(target=work) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(limit(10))
    assert json.loads(path.read_text()) == {"count": "20"}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", '{"transport": "ex'])
def test_notes_that_were_not_written_to_their_end_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock").write_text(text)
    with _ssh_master.locked(str(tmp_path / "lock")) as notes:
        assert notes == {}
        notes["transport"] = "exec"
    with _ssh_master.locked(str(tmp_path / "lock")) as notes:
        assert notes == {"transport": "exec"}


def test_there_is_no_master_where_nothing_listens(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("none", "file"):
        assert not _ssh_master.is_live("ssh", str(tmp_path / name), limit(10))
