# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cycle_ssh
short_description: Runs tasks in instances on Cycle, over its SSH gateway
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Makes SSH credentials of an instance when the first task connects to it, logs in with the C(ssh) of the controller,
    and uses that connection for all tasks of the run. The credentials are expired as soon as the connection ends, for
    whatever reason.
  - The password goes from the API to C(ssh) in memory. It is in no file, no command line, no environment and no output.
  - What this plugin does not do itself it leaves to P(ansible.builtin.ssh#connection). All options of that plugin, with
    their variables, environment variables and configuration, work here as well, in the version that comes with your
    ansible-core; they are documented there. Exceptions are those that say who logs in where and how, which the
    platform decides. C(host), C(port), C(remote_user), C(password), C(private_key), C(private_key_file),
    C(pkcs11_provider), C(password_mechanism) and C(control_path) are not used.
  - The instance has to run, and its container needs Python for most modules, as usual.
extends_documentation_fragment:
  - quayside.paas._cycle
  - quayside.paas._cycle.plugin
  - quayside.paas._cycle.connection
requirements:
  - ssh of OpenSSH on the controller
options:
  container_id:
    description:
      - Id of the container that the instance belongs to.
    type: str
    required: true
    vars:
      - name: ansible_cycle_container_id
  instance_id:
    description:
      - Id of the instance.
    type: str
    required: true
    vars:
      - name: ansible_cycle_instance_id
  expire:
    description:
      - Whether to expire the credentials when the connection ends. The platform then expires I(all) credentials of the
        instance, those of other users and other controllers too. Whether that cuts their sessions is not documented.
      - Runs of the same user on the same controller wait for each other. The last one that uses the instance expires.
      - With V(false) the credentials end by themselves, 30 minutes after they were made. A run with V(false) also
        keeps the other runs on the controller from expiring while it lasts.
    type: bool
    default: true
    vars:
      - name: ansible_cycle_expire
  host_keys:
    description:
      - How the host key of the gateway is checked.
      - V(accept-new) takes a gateway that is not known yet at its word, adds its key to the known hosts, and refuses to
        connect when the key is another one later.
      - V(strict) connects only to gateways among the known hosts.
      - V(ignore) checks nothing and remembers nothing. The password is then given to whoever answers.
      - When the option is not set and host key checking is turned off as for P(ansible.builtin.ssh#connection),
        V(ignore) is used.
    type: str
    choices: [accept-new, strict, ignore]
    default: accept-new
    vars:
      - name: ansible_cycle_host_keys
  idle_timeout:
    description:
      - Seconds without any session after which the connection ends, and with it the credentials. The next task then
        makes new ones. V(0) is for no limit but the end of the run.
      - It is used in place of C(ControlPersist) in C(ssh_args).
    type: int
    default: 600
    vars:
      - name: ansible_cycle_idle_timeout
  transport:
    description:
      - How commands are run.
      - V(exec) is for a gateway that runs commands, as SSH servers do. Files go by SFTP, or through C(cat) where the
        gateway has no SFTP.
      - V(shell) is for a gateway that has nothing but an interactive shell. Commands and files go through it. It is
        slower, and C(become) works only without a password.
      - V(auto) finds out, once for each instance and run.
    type: str
    choices: [auto, exec, shell]
    default: auto
    vars:
      - name: ansible_cycle_transport
  timeout:
    description:
      - Seconds for the connection to the gateway, as for P(ansible.builtin.ssh#connection), from which it also takes
        environment variables and configuration. A login as a whole may take three times as long.
      - For requests to the API see O(api_timeout).
    type: int
    default: 10
    vars:
      - name: ansible_ssh_timeout
  api_timeout:
    description:
      - Seconds to wait for the connection to the API, for an answer to begin, and for it to be complete, V(1) to
        V(3600).
    type: int
    default: 30
    vars:
      - name: ansible_cycle_timeout
notes:
  - C(ansible_user) and C(remote_user) have no meaning here. The user to log in as is the instance; who that is in the
    container, the platform decides. C(~) is the home of that user.
  - C(meta=reset_connection) ends the connection and expires the credentials before the play goes on.
  - In check mode the plugin connects all the same.
  - A process of the run watches the connections and expires credentials. It goes on after the run until that is done, a
    few seconds as a rule and a minute at most, and writes to the system's log when something could not be expired.
    In a container that ends together with the run, as those of AWX may, there is no time for that, and the credentials
    end by themselves. Let plays end with C(meta=reset_connection) there.
  - Where no session can be told from a command that ends with 255, it counts as the former, as it does for
    P(ansible.builtin.ssh#connection).
"""

EXAMPLES = r"""
# The inventory quayside.paas.cycle sets all of this for its hosts. By hand, with CYCLE_API_KEY and CYCLE_HUB_ID in the
# environment of the controller:
- name: Log in to an instance that was just made
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Add it as a host
      ansible.builtin.add_host:
        name: web-1
        groups: web
        ansible_connection: quayside.paas.cycle_ssh
        ansible_cycle_container_id: 66c000000000000000000001
        ansible_cycle_instance_id: 66d000010000000000000001

- name: Work in it
  hosts: web
  tasks:
    - name: Install the configuration
      ansible.builtin.template:
        src: app.conf.j2
        dest: ~/app.conf
        mode: "0644"
"""

import contextlib
import os
import shlex
import shutil
import time
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.connection.ssh import Connection as SshConnection
from ansible.plugins.loader import connection_loader
from ansible.utils.display import Display
from ansible.utils.path import unfrackpath

from ansible_collections.quayside.paas.plugins.module_utils._errors import PaasError, StateError, TransportError
from ansible_collections.quayside.paas.plugins.plugin_utils import _interactive_shell
from ansible_collections.quayside.paas.plugins.plugin_utils._ssh_keeper import Channel, Message, find, reach
from ansible_collections.quayside.paas.plugins.plugin_utils._ssh_master import probe

display = Display()

T = t.TypeVar("T")

# What ssh says instead of connecting by itself when there is no master, or the master takes no session. The command
# that says it looks different, so that it is not taken for it where ssh shows its arguments. It has a shell of its own
# because ssh ends it as soon as its stdout is closed.
NO_MASTER = "quayside.paas.cycle_ssh: no master"
SAY_NO_MASTER = """sh -c 'echo quayside.paas.cycle_ssh: "no master" >&2; exit 1'"""
# Options of ansible.builtin.ssh that the platform, or this plugin, decides.
DECIDED = frozenset(
    {"remote_user", "password", "private_key", "private_key_passphrase", "private_key_file", "pkcs11_provider"}
    | {"control_path"}
)
# Where users can add to the command line of ssh.
ARGUMENTS = frozenset({"ssh_args", "ssh_common_args", "ssh_extra_args", "sftp_extra_args", "scp_extra_args"})
STRICTNESS = {
    "accept-new": ["StrictHostKeyChecking=accept-new"],
    "strict": ["StrictHostKeyChecking=yes"],
    # Without a password for a gateway whose key has changed, ssh would not get in.
    "ignore": ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null"],
}
LOGIN = [
    "ControlMaster=yes",
    "PasswordAuthentication=yes",
    "KbdInteractiveAuthentication=yes",
    "PreferredAuthentications=password,keyboard-interactive",
    "PubkeyAuthentication=no",
    "NumberOfPasswordPrompts=1",
    "BatchMode=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
]
SESSION = ["ControlMaster=no", "ControlPersist=no", f"ProxyCommand={SAY_NO_MASTER}"]
ATTEMPTS = 6
PAUSE = 0.1  # seconds before the second attempt, and twice as many before each further one


class NoMasterError(AnsibleAuthenticationFailure):  # type: ignore[misc]
    """A session did not begin because its master is gone, or full. A kind of error that Ansible does not retry."""


class Connection(SshConnection):  # type: ignore[misc]
    """See the documentation above."""

    transport = "quayside.paas.cycle_ssh"

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        _add_options_of_ssh(self._load_name)
        self._channel: Channel | None = None
        self._place: Message = {}
        self._is_login = False
        self._method: str | None = None  # of transferring a file, while one is
        self._has_sftp_failed = False

    # Options

    def get_option(self, option: str, hostvars: dict[str, t.Any] | None = None) -> t.Any:
        """The value of an option, as ansible.builtin.ssh shall have it."""
        if option in DECIDED:
            return None
        if option in ("host", "port") and self._place:
            return self._place[option]
        if option == "host_key_checking" and self._place:
            return True  # see _strictness()
        value = super().get_option(option, hostvars)
        if option == "ssh_transfer_method" and self._method:
            return self._method
        if option in ARGUMENTS and self._place:
            return self._arguments(option, value)
        return value

    def _arguments(self, option: str, value: str | None) -> str:
        """Arguments of ssh, with ours in front: what comes first counts."""
        users = shlex.split(value or "")
        ours = []
        if option == "ssh_args":
            idle = self.get_option("idle_timeout")
            always = [f"ControlPath={self._place['control_path']}", f"User={self._place['user']}"]
            login = [*LOGIN, f"ControlPersist={idle or 'yes'}", *STRICTNESS[self._strictness()]]
            ours = [word for each in always + (login if self._is_login else SESSION) for word in ("-o", each)]
        if not self._is_login:
            users = _without_jump(users)
        return shlex.join(ours + users)

    def _strictness(self) -> str:
        value, origin = self.get_option_and_origin("host_keys")
        if origin == "default" and super().get_option("host_key_checking") is False:
            return "ignore"
        return str(value)

    # Reaching the master

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Runs a command in the instance."""

        def run() -> tuple[int, bytes, bytes]:
            if self._place["transport"] == "shell":
                return self._run_in_shell(cmd, in_data)
            return t.cast("tuple[int, bytes, bytes]", super(Connection, self).exec_command(cmd, in_data, sudoable))

        return self._with_master(run)

    def put_file(self, in_path: str, out_path: str) -> t.Any:
        """Sends a file to the instance."""
        return self._with_master(lambda: super(Connection, self).put_file(in_path, out_path))

    def fetch_file(self, in_path: str, out_path: str) -> t.Any:
        """Fetches a file from the instance."""
        return self._with_master(lambda: super(Connection, self).fetch_file(in_path, out_path))

    def reset(self) -> None:
        """Ends the master of the instance, which expires its credentials. Nothing to do when there is none."""
        self._hang_up()
        channel = find(self._control_folder())
        if channel is None:
            return
        with contextlib.closing(channel):
            try:
                channel.send(self._request("reset"))
                answer = channel.receive(self._patience())
            except OSError:
                answer = None
        if answer is None or "error" in answer:
            display.warning(f"The connection to instance {self._instance()} was not reset properly.")

    def close(self) -> None:
        """Forgets the connection. The master is left for the next task."""
        self._hang_up()
        super().close()

    def _with_master(self, act: t.Callable[[], T]) -> T:
        """What act returns, which is called while there is a master.

        When a session did not begin, because the master has ended in the meantime or takes no more, there is another.
        """
        if self._place:
            return act()
        self._play_context.password = None  # whatever --ask-pass is for, it is not for the platform
        lost = None
        for attempt in range(ATTEMPTS):
            if lost:
                time.sleep(PAUSE * 2 ** (attempt - 1))
            try:
                self._place = self._open(lost)
                return act()
            except NoMasterError:
                lost = self._place["control_path"]
            except AnsibleConnectionFailure as error:
                raise self._explained(error) from None
            finally:
                self._release()
        raise AnsibleConnectionFailure(
            f"The SSH gateway takes no session on its connection to instance {self._instance()}: it was tried"
            f" {ATTEMPTS} times, and nothing was run."
        )

    def _explained(self, error: AnsibleConnectionFailure) -> AnsibleConnectionFailure:
        if not self._place:
            return error
        return AnsibleConnectionFailure(
            f"The SSH session on instance {self._instance()} broke; what was run there may have been carried out, in"
            f" part or as a whole. {error}"
        )

    def _open(self, lost: str | None) -> Message:
        """Where the master is. lost: the path of one that took no session."""
        try:
            answer = self._converse(lost) or self._converse(lost)  # a keeper that was killed is replaced
            if answer is None:
                raise StateError("The keeper of SSH credentials ended unexpectedly. See the system's log.")
            if "error" in answer:
                raise StateError(answer["error"])
        except PaasError as error:
            raise AnsibleConnectionFailure(error.message) from None
        if answer["told"]:
            display.vvvv(f"SSH: LOGIN {answer['told']}", host=answer["host"])
        return answer

    def _converse(self, lost: str | None) -> Message | None:
        """What the keeper answers, which is told what it takes to start a master. None when it is gone."""
        try:
            if self._channel is None:
                self._channel = reach(self._control_folder(), _keeper)
            self._channel.send({**self._request("open"), "lost": lost})
            while (answer := self._channel.receive(self._patience())) is not None and "want" in answer:
                self._channel.send(self._terms() if answer["want"] == "options" else self._commands(answer))
        except TimeoutError:
            self._hang_up()
            raise StateError("The keeper of SSH credentials does not answer.") from None
        except OSError:
            answer = None
        except BaseException:
            self._hang_up()
            raise
        if answer is None:
            self._hang_up()
        return answer

    def _request(self, ask: str) -> Message:
        return {
            "ask": ask,
            "api_url": str(self.get_option("api_url")),
            "container_id": str(self.get_option("container_id")),
            "instance_id": self._instance(),
        }

    def _terms(self) -> Message:
        """What the keeper needs to make credentials. Raises StateError when they would be of no use."""
        ssh = str(self.get_option("ssh_executable"))
        if shutil.which(ssh) is None:
            raise StateError(f"There is no {ssh} on the controller: install OpenSSH's client, or set ssh_executable.")
        # Imported here because only the first task on an instance needs it.
        from ansible_collections.quayside.paas.plugins.module_utils._cycle.api import Cycle
        from ansible_collections.quayside.paas.plugins.plugin_utils._options import options_of

        get = options_of(_OptionsOfApi(self), Cycle)
        options = {name: _plain(get(name)) for name in Cycle.arguments.options if name != "in_process"}
        if options["ca_path"]:
            options["ca_path"] = os.path.abspath(options["ca_path"])
        settings = {
            "expire": bool(self.get_option("expire")),
            "limit": 3.0 * self._timeout(),
            "ssh": ssh,
            "transport": str(self.get_option("transport")),
            "locks": os.path.join(unfrackpath(C.config.get_config_value("ANSIBLE_HOME")), "quayside", "cycle_ssh"),
        }
        return {"options": options, "settings": settings}

    def _commands(self, place: Message) -> Message:
        """The command that logs in, and the one that finds out whether the gateway runs commands."""
        ssh = self.get_option("ssh_executable")
        self._place = place
        self.host = place["host"]
        try:
            self._is_login = True
            login = [os.fsdecode(each) for each in self._build_command(ssh, "ssh", "-N", self.host)]
            self._is_login = False
            probing = [os.fsdecode(each) for each in self._build_command(ssh, "ssh", self.host, probe())]
        finally:
            self._is_login = False
            self._place = {}
        display.vvv(f"SSH: LOGIN {shlex.join(login)}", host=self.host)
        return {"login": login, "probe": probing, "folder": os.getcwd()}

    def _release(self) -> None:
        """Tells the keeper that no session of this worker uses the master now."""
        learned = self._place.get("transfer")
        self._place = {}
        if self._channel is not None:
            try:
                self._channel.send({**self._request("release"), "transfer": learned})
            except OSError:
                self._hang_up()

    def _hang_up(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _instance(self) -> str:
        return str(self.get_option("instance_id"))

    def _control_folder(self) -> str:
        return str(unfrackpath(self.get_option("control_path_dir")))

    def _timeout(self) -> int:
        return int(self.get_option("timeout") or 10)

    def _patience(self) -> float:
        """Seconds that the keeper may take for an answer. It keeps to limits of its own; this is for one that hangs."""
        limits = self.get_option("api_timeout") + self.get_option("retry_budget")
        return float(300 + 10 * self._timeout() + 4 * limits)

    # Sessions

    def _bare_run(
        self, cmd: list[bytes], in_data: bytes | None, sudoable: bool = True, checkrc: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Runs a command of OpenSSH. Raises NoMasterError when no session began."""
        try:
            code, stdout, stderr = super()._bare_run(cmd, in_data, sudoable=sudoable, checkrc=checkrc)
        except AnsibleConnectionFailure as error:
            if NO_MASTER in str(error):
                raise NoMasterError(NO_MASTER) from None
            raise
        if code == 255 and NO_MASTER.encode() in stderr:
            raise NoMasterError(NO_MASTER)
        return code, stdout, stderr

    def _file_transport_command(self, in_path: str, out_path: str, sftp_action: str) -> tuple[int, bytes, bytes]:
        """Transfers a file by the method that works here."""
        if self._place["transport"] == "shell":
            return self._transfer_in_shell(in_path, out_path, sftp_action)
        if self.get_option("ssh_transfer_method") != "smart":
            return self._transfer(in_path, out_path, sftp_action)
        if self._place["transfer"] != "piped" and not self._has_sftp_failed:
            try:
                return self._transfer(in_path, out_path, sftp_action, "sftp")
            except NoMasterError:
                raise
            except AnsibleError as error:
                self._has_sftp_failed = True
                display.vvv(f"SFTP did not work, trying without it: {error}", host=self.host)
        result = self._pipe(in_path, out_path, sftp_action)
        self._place["transfer"] = "piped"
        return result

    def _transfer(
        self, in_path: str, out_path: str, action: str, method: str | None = None
    ) -> tuple[int, bytes, bytes]:
        self._method = method
        try:
            found = super()._file_transport_command(in_path, out_path, action)
        finally:
            self._method = None
        return t.cast("tuple[int, bytes, bytes]", found)

    def _pipe(self, in_path: str, out_path: str, action: str) -> tuple[int, bytes, bytes]:
        """Transfers a file through a command. Raises AnsibleError."""
        if action == "get":
            result = self.exec_command(f"cat {self._shell.quote(in_path)}", sudoable=False)
            if result[0] == 0:
                with _local(out_path), open(to_bytes(out_path), "wb") as file:
                    file.write(result[1])
        else:
            with _local(in_path), open(to_bytes(in_path), "rb") as file:
                data = file.read()
            command = "cat" if data else ":"
            result = self.exec_command(f"{command} > {self._shell.quote(out_path)}", in_data=data, sudoable=False)
        if result[0] != 0:
            raise AnsibleError(f"{in_path} could not be transferred to {out_path}: {to_text(result[2]).strip()}")
        return result

    def _in_shell(self, act: t.Callable[[list[str]], t.Any]) -> t.Any:
        """What act returns, called with the command that opens a shell of the instance."""
        self.host = self._place["host"]
        command = self._build_command(self.get_option("ssh_executable"), "ssh", "-tt", "-e", "none", self.host)
        argv = [os.fsdecode(each) for each in command]
        display.vvv(f"SSH: SHELL {shlex.join(argv)}", host=self.host)
        try:
            return act(argv)
        except TransportError as error:
            if NO_MASTER in error.message and not error.may_have_succeeded:
                raise NoMasterError(NO_MASTER) from None
            raise AnsibleConnectionFailure(error.message) from None
        except StateError as error:
            raise AnsibleError(error.message) from None

    def _run_in_shell(self, cmd: str, in_data: bytes | None) -> tuple[int, bytes, bytes]:
        if self.become is not None and self.become.expect_prompt():
            raise AnsibleError(
                "The gateway has nothing but an interactive shell, in which become works only without a password."
            )
        display.vvv(f"SSH: RUN {cmd}", host=self._place["host"])
        limit = 3.0 * self._timeout()
        code, stdout, stderr = self._in_shell(lambda argv: _interactive_shell.run(argv, cmd, in_data, timeout=limit))
        if self.become is not None and self.become.success:
            success = to_bytes(self.become.success)
            stdout = b"".join(line for line in stdout.splitlines(keepends=True) if line.rstrip() != success)
        return code, stdout, stderr

    def _transfer_in_shell(self, in_path: str, out_path: str, action: str) -> tuple[int, bytes, bytes]:
        transfer = _interactive_shell.fetch if action == "get" else _interactive_shell.put
        limit = 3.0 * self._timeout()
        with _local(out_path if action == "get" else in_path):
            self._in_shell(lambda argv: transfer(argv, in_path, out_path, timeout=limit))
        return 0, b"", b""


class _OptionsOfApi:
    """A connection as the client of the API sees it: Ansible has the name timeout for another one."""

    plugin_type = "connection"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get_option(self, option: str) -> t.Any:
        return self.get_option_and_origin(option)[0]

    def get_option_and_origin(self, option: str) -> tuple[t.Any, t.Any]:
        name = "api_timeout" if option == "timeout" else option
        return t.cast("tuple[t.Any, t.Any]", self._connection.get_option_and_origin(name))


@contextlib.contextmanager
def _local(path: str) -> t.Iterator[None]:
    """Tells of a local file that cannot be read or written. Raises AnsibleError."""
    try:
        yield
    except OSError as error:
        raise AnsibleError(f"The local file {to_text(path)} cannot be used: {error.strerror}.") from None


def _keeper() -> t.Any:
    # Imported here because it takes long, and once in a run is enough.
    from ansible_collections.quayside.paas.plugins.plugin_utils._ssh_credentials import serve

    return serve


def _plain(value: t.Any) -> t.Any:
    """A value without what Ansible attaches to it."""
    if isinstance(value, str):
        return str(value)
    return value


def _without_jump(arguments: list[str]) -> list[str]:
    """Arguments of ssh without hosts on the way, which only the master needs."""
    kept: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "-J":
            next(words, None)
        elif not word.startswith("-J"):
            kept.append(word)
    return kept


def _add_options_of_ssh(name: str) -> None:
    """Adds the options of ansible.builtin.ssh, as this version of Ansible has them, to those of the plugin.

    Where both have one, that is timeout, it is the one of Ansible.
    """
    ours = C.config.get_configuration_definitions("connection", name)
    if "ssh_args" in ours:
        return
    connection_loader.get("ssh", class_only=True)
    theirs = C.config.get_configuration_definitions("connection", "ssh")
    if not theirs:
        raise AnsibleError("The options of ansible.builtin.ssh are not known: is the plugin missing from Ansible?")
    C.config.initialize_plugin_configuration_definitions("connection", name, {**ours, **theirs})
