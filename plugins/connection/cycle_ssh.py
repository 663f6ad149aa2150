# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cycle_ssh
short_description: Run tasks in instances on Cycle, over its SSH gateway
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Creates SSH credentials for an instance, logs in with the C(ssh) of the controller, and uses that connection for all
    tasks of this and later runs, until it has been idle for O(idle_timeout) seconds.
  - Credentials are created only when there is no connection to the instance, or when new ones were refused, then once
    more. They are never deleted, because the platform can only expire I(all) credentials of an instance, including
    those of other users. They expire by themselves, after 30 minutes as documented. To expire them earlier, use
    M(quayside.paas.instance_ssh) with O(quayside.paas.instance_ssh#module:state=absent).
  - The password goes from the API to C(ssh) in memory. It is never in a file, an argument, an environment variable or
    the output.
  - Everything else is inherited from P(ansible.builtin.ssh#connection). All options of that plugin work here as well,
    with their variables, environment variables and configuration. They are documented there. The exceptions are those
    that the platform or this plugin decides. C(host), C(port), C(remote_user), C(password), C(password_mechanism),
    C(private_key), C(private_key_file), C(pkcs11_provider), C(sshpass_prompt), C(control_path), and C(ControlMaster),
    C(ControlPath) and C(ControlPersist) in C(ssh_args) are not used.
  - The instance must run. Its container needs a POSIX shell and the usual tools, as coreutils or busybox provide them,
    and Python for most modules.
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
  host_keys:
    description:
      - How the host key of the gateway is checked.
      - V(accept-new) accepts a gateway that is not known yet, adds its key to the known hosts, and refuses to connect
        if the key changes later.
      - V(strict) connects only to known hosts.
      - V(ignore) checks and remembers nothing. Any machine that answers is given the password.
      - If the option is not set and host key checking is turned off as for P(ansible.builtin.ssh#connection),
        V(ignore) is used.
    type: str
    choices: [accept-new, strict, ignore]
    default: accept-new
    vars:
      - name: ansible_cycle_host_keys
  idle_timeout:
    description:
      - Seconds without any session after which the connection ends. The next task then creates new credentials.
      - With V(0) the connection stays until the gateway or C(meta=reset_connection) ends it.
      - It is used in place of C(ControlPersist) in C(ssh_args).
    type: int
    default: 600
    vars:
      - name: ansible_cycle_idle_timeout
  transport:
    description:
      - How commands are run.
      - V(exec) is for a gateway that runs commands, as SSH servers do. Files are transferred with SFTP, or with C(dd)
        if the gateway has no SFTP.
      - V(shell) is for a gateway that has only an interactive shell. Commands and files go through it. It is slower,
        C(become) works only without a password, and the container needs C(base64), C(head) and C(stty).
      - V(auto) finds out, once for each connection.
    type: str
    choices: [auto, exec, shell]
    default: auto
    vars:
      - name: ansible_cycle_transport
  timeout:
    description:
      - Seconds for the connection to the gateway, as for P(ansible.builtin.ssh#connection), with the same environment
        variables and configuration. The whole login may take three times as long.
      - For requests to the API see O(api_timeout).
    type: int
    default: 10
    vars:
      - name: ansible_ssh_timeout
  api_timeout:
    description:
      - Seconds to wait for the connection to the API, for a response to begin, and for it to be complete, V(1) to
        V(3600).
    type: int
    default: 30
    vars:
      - name: ansible_cycle_timeout
notes:
  - C(ansible_user) and C(remote_user) have no effect. The platform decides which user runs the commands. C(~) is the
    home of that user.
  - Runs of the same user on the same controller share connections, through control sockets and lock files in
    C(control_path_dir). If the gateway takes no more sessions on a connection, up to four connections are opened.
  - C(meta=reset_connection) ends the connections after the sessions that are open. The next task creates new
    credentials.
  - Check mode creates credentials and logs in too, because modules that support it have to look around.
  - Whether sessions end with their credentials is not documented by the platform. A command that is cut off is not run
    again.
  - Exit code 255 of a command cannot be distinguished from a session that ended, as with
    P(ansible.builtin.ssh#connection).
seealso:
  - module: quayside.paas.instance_ssh
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
import hashlib
import os
import shlex
import shutil
import typing as t

from ansible import constants as C
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.connection.ssh import Connection as SshConnection
from ansible.plugins.loader import connection_loader
from ansible.utils.display import Display
from ansible.utils.path import makedirs_safe, unfrackpath

from ..module_utils._errors import PaasError
from ..plugin_utils import _interactive_shell, _ssh_master
from ..plugin_utils._remote_tools import missing_tool, without
from ..plugin_utils._ssh_master import NO_SESSION

if t.TYPE_CHECKING:
    from ..module_utils._cycle.ssh import Credentials

display = Display()

T = t.TypeVar("T")

# Connections to the gateway for one instance. The next one is opened when the gateway takes no more sessions on the
# ones before.
MAX_MASTERS = 4
# The path of a control socket is limited to 104 bytes, 103 without the final zero; ssh appends 17 while it connects.
MAX_PATH = 103 - 17
REFUSED = "Permission denied"  # what ssh says about a password that is not valid
# Options of ansible.builtin.ssh that the platform or this plugin decides. Those with None are not used.
DECIDED = {
    "control_path": None,
    "host_key_checking": True,  # see _strictness()
    "password_mechanism": "ssh_askpass",
    "pkcs11_provider": None,
    "private_key": None,
    "private_key_file": None,
    "private_key_passphrase": None,
}
# Those that are known while the plugin logs in, and not used by sessions.
LOGIN_OPTIONS = frozenset({"port", "remote_user", "password", "sshpass_prompt"})
# Where users can add arguments of ssh.
ARGUMENTS = frozenset({"ssh_args", "ssh_common_args", "ssh_extra_args", "sftp_extra_args", "scp_extra_args"})
STRICTNESS = {
    "accept-new": ["StrictHostKeyChecking=accept-new"],
    "strict": ["StrictHostKeyChecking=yes"],
    # ssh gives no password to a gateway whose key has changed, so no key must be known.
    "ignore": ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null"],
}
LOGIN = [
    "ControlMaster=auto",
    "PasswordAuthentication=yes",
    "KbdInteractiveAuthentication=yes",
    "PreferredAuthentications=password,keyboard-interactive",
    "PubkeyAuthentication=no",
    "BatchMode=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "ServerAliveInterval=15",
    "ServerAliveCountMax=3",
]
SESSION = ["ControlMaster=no", "ControlPersist=no", f"ProxyCommand={_ssh_master.NO_PROXY}"]


class NoSessionError(AnsibleAuthenticationFailure):  # type: ignore[misc]
    """A session did not begin. Of a kind that ansible.builtin.ssh does not retry."""


class Connection(SshConnection):  # type: ignore[misc]
    """See the documentation above."""

    transport = "quayside.paas.cycle_ssh"

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        _add_options_of_ssh(self._load_name)
        self._number = 0  # of the master in use
        self._has_master = False  # as far as is known
        self._notes: _ssh_master.Notes = {}  # what is known about the gateway, from the lock file
        self._login: Credentials | None = None  # while the plugin logs in
        self._method: str | None = None  # of transferring a file, while one is

    # Commands and files

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a command in the instance."""

        def run() -> tuple[int, bytes, bytes]:
            if self._has_only_shell():
                return self._run_in_shell(cmd, in_data)
            return self._run_command(cmd, in_data, sudoable)

        code, stdout, stderr = self._in_session(run)
        message = missing_tool(code, stdout + stderr)
        if message:
            raise AnsibleError(message)
        return code, stdout, stderr

    def _run_command(self, cmd: str, in_data: bytes | None, sudoable: bool) -> tuple[int, bytes, bytes]:
        asks = sudoable and self.become is not None and self.become.expect_prompt()
        if not in_data and not asks and self._shell.SHELL_FAMILY == "sh":
            cmd = f"exec </dev/null; {cmd}"  # without input, ssh would wait for it
        try:
            return t.cast("tuple[int, bytes, bytes]", super().exec_command(cmd, in_data, sudoable))
        except NoSessionError:
            raise
        except AnsibleConnectionFailure as error:
            raise AnsibleConnectionFailure(
                f"The SSH session on instance {self._instance()} ended unexpectedly. The command may have run,"
                f" completely or in part. {error}"
            ) from None

    def _run_in_shell(self, cmd: str, in_data: bytes | None) -> tuple[int, bytes, bytes]:
        if self.become is not None and self.become.expect_prompt():
            raise AnsibleError("The gateway has only an interactive shell, where become works only without a password.")
        self.host = self.get_option("host")
        display.vvv(f"SSH: RUN {cmd}", host=self.host)
        command = self._build_command(self._ssh(), "ssh", "-tt", "-e", "none", self.host)
        try:
            code, stdout, stderr = _interactive_shell.run(command, cmd, in_data or b"", timeout=self._limit())
        except _interactive_shell.MissingToolsError as error:
            raise AnsibleError(without(str(error))) from None
        except _interactive_shell.SessionLostError as error:
            if NO_SESSION in str(error) and not error.has_begun:
                raise NoSessionError(NO_SESSION) from None
            done = "The command may have run, completely or in part." if error.has_begun else "Nothing was run."
            raise AnsibleConnectionFailure(f"{error} {done}") from None
        if self.become is not None and self.become.success:
            success = to_bytes(self.become.success)
            stdout = b"".join(line for line in stdout.splitlines(keepends=True) if line.rstrip() != success)
        return code, stdout, stderr

    def _file_transport_command(self, in_path: str, out_path: str, sftp_action: str) -> tuple[int, bytes, bytes]:
        """Transfer a file, by default with SFTP or, if the gateway does not offer it, through a command."""

        def transfer(method: str) -> tuple[int, bytes, bytes]:
            def act() -> t.Any:
                return super(Connection, self)._file_transport_command(in_path, out_path, sftp_action)

            self._method = method
            try:
                # Commands find a session by themselves.
                return t.cast("tuple[int, bytes, bytes]", act() if method == "piped" else self._in_session(act))
            except OSError as error:
                path = to_text(error.filename)
                raise AnsibleError(f"The file {path} on the controller cannot be used: {error.strerror}.") from None
            finally:
                self._method = None

        self._connect_master()
        method = "piped" if self._has_only_shell() else self.get_option("ssh_transfer_method")
        if method != "smart":
            return transfer(method)
        if self._notes.get("transfer") != "piped":
            try:
                return transfer("sftp")
            except AnsibleError as error:
                display.vvv(f"SFTP failed; trying without it: {error}", host=self.host)
        result = transfer("piped")
        self._remember("transfer", "piped")
        return result

    def _bare_run(
        self, cmd: list[bytes], in_data: bytes | None, sudoable: bool = True, checkrc: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Run a program of OpenSSH. Raise NoSessionError if no session began."""
        try:
            code, stdout, stderr = super()._bare_run(cmd, in_data, sudoable=sudoable, checkrc=checkrc)
        except AnsibleError as error:
            if NO_SESSION in str(error):
                raise NoSessionError(NO_SESSION) from None
            raise
        if code == 255 and NO_SESSION.encode() in stderr:
            raise NoSessionError(NO_SESSION)
        return code, stdout, stderr

    # Masters

    def _in_session(self, act: t.Callable[[], T]) -> T:
        """Return the result of `act`, which uses a master. Repeat it with another master while no session begins."""
        while True:
            is_new = self._connect_master()
            try:
                return act()
            except NoSessionError:
                self._has_master = False
                is_live = self._is_master_live()
                if is_live:  # it takes no more sessions
                    self._number += 1
                if self._number == MAX_MASTERS or (is_new and not is_live):
                    raise self._no_session() from None

    def _connect_master(self) -> bool:
        """Log in unless there is a master. Return whether it is a new one."""
        if self._has_master:
            return False
        self._play_context.password = None  # of --ask-pass, which is not meant for the platform
        self._check_controller()
        with self._locked() as notes:
            is_new = not self._is_master_live()
            if is_new:
                notes.clear()
                self._log_in()
            if "transport" not in notes and self.get_option("transport") == "auto":
                notes["transport"] = self._probe()
            self._notes = dict(notes)
        self._has_master = True
        return is_new

    def _check_controller(self) -> None:
        """Raise AnsibleError for what would make credentials useless."""
        ssh = self._ssh()
        if shutil.which(ssh) is None:
            raise AnsibleError(f"There is no {ssh} on the controller: install OpenSSH's client, or set ssh_executable.")
        path = self._control_path()
        makedirs_safe(os.path.dirname(path), 0o700)
        if len(os.fsencode(path)) > MAX_PATH:
            raise AnsibleError(f"The path {path} is too long for a control socket of ssh: set control_path_dir.")

    def _log_in(self) -> None:
        """Start a master, with new credentials. If these are refused, somebody has expired them: try once more."""
        for is_last in (False, True):
            credentials = self._create_credentials()
            failure = self._start_master(credentials)
            if failure is None:
                return
            if is_last or REFUSED not in failure:
                raise AnsibleConnectionFailure(_login_failure(self._instance(), credentials, failure))

    def _create_credentials(self) -> Credentials:
        # Imported here because it takes long, and most tasks find a master.
        from ..module_utils._cycle.api import Cycle
        from ..module_utils._cycle.ssh import create_credentials
        from ..plugin_utils._options import options_of

        try:
            client = Cycle(options_of(_OptionsOfApi(self), Cycle))
            try:
                return create_credentials(client, str(self.get_option("container_id")), self._instance())
            finally:
                client.close()
        except PaasError as error:
            raise AnsibleConnectionFailure(error.message) from None

    def _start_master(self, credentials: Credentials) -> str | None:
        """Log in with credentials. Return None, or why that failed."""
        from ..module_utils._cycle.api import KEY_VARIABLES

        self._login = credentials
        try:
            command = self._build_command(self._ssh(), "ssh", "-f", "-N", credentials.host)
            display.vvv(f"SSH: LOGIN {shlex.join(map(os.fsdecode, command))}", host=credentials.host)
            # The password is in shared memory, which the program that ssh asks for it reads.
            environment = self._init_shm()["env"]
            environment = {name: value for name, value in environment.items() if name not in KEY_VARIABLES}
            return _ssh_master.start(command, environment, self._limit())
        finally:
            self._login = None
            if self.shm:
                with contextlib.suppress(FileNotFoundError):
                    self.shm.unlink()

    def _probe(self) -> str:
        """Return whether the gateway runs commands (exec) or has only an interactive shell (shell)."""
        command = self._build_command(self._ssh(), "ssh", self.get_option("host"), _ssh_master.PROBE)
        serves = _ssh_master.serves_commands(command, self._limit())
        if serves is None:
            raise self._no_session()
        return "exec" if serves else "shell"

    def reset(self) -> None:
        """End the connections to the instance after their sessions."""
        for self._number in range(MAX_MASTERS):
            if os.path.exists(self._control_path()):
                super().reset()
        self._number, self._has_master = 0, False

    def _is_master_live(self) -> bool:
        return _ssh_master.is_live(self._ssh(), self._control_path(), self._limit())

    def _has_only_shell(self) -> bool:
        transport = self.get_option("transport")
        return bool((self._notes["transport"] if transport == "auto" else transport) == "shell")

    def _remember(self, name: str, value: str) -> None:
        """Note something for the tasks that use the master after this one."""
        with self._locked() as notes:
            notes[name] = value
            self._notes = dict(notes)

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[_ssh_master.Notes]:
        path = f"{self._control_path().rpartition('-')[0]}.lock"
        with contextlib.ExitStack() as stack:
            try:
                notes = stack.enter_context(_ssh_master.locked(path))
            except OSError as error:
                raise AnsibleError(f"The file {path} cannot be used: {error.strerror}. Set control_path_dir.") from None
            yield notes

    def _no_session(self) -> AnsibleConnectionFailure:
        return AnsibleConnectionFailure(
            f"The SSH gateway accepted the login to instance {self._instance()}, but no session. Nothing was run."
        )

    # Options

    def get_option(self, option: str, hostvars: dict[str, t.Any] | None = None) -> t.Any:
        """Return the value of an option, for the options of ansible.builtin.ssh as they apply here."""
        if option in DECIDED:
            return DECIDED[option]
        if option == "host":
            # ssh needs a name also where it uses a master.
            return self._login.host if self._login else f"instance-{self._instance()}"
        if option in LOGIN_OPTIONS:
            return _login_options(self._login)[option] if self._login else None
        value = super().get_option(option, hostvars)
        if option == "ssh_transfer_method":
            return self._method or value
        return self._arguments(option, value) if option in ARGUMENTS else value

    def _arguments(self, option: str, value: str | None) -> str:
        """Return arguments of ssh. Ours come before those of users, because the first one counts."""
        users = shlex.split(value or "")
        if not self._login:
            users = _without_jump(users)
        if option != "ssh_args":
            return shlex.join(users)
        ours = [f'ControlPath="{self._control_path()}"']
        if self._login:
            ours += [*LOGIN, f"ControlPersist={self.get_option('idle_timeout') or 'yes'}"]
            ours += STRICTNESS[self._strictness()]
        else:
            ours += SESSION
        return shlex.join([*(word for each in ours for word in ("-o", each)), *users])

    def _control_path(self) -> str:
        """Return the control socket of the master, which is the same for all runs with the same check of host keys."""
        parts = (str(self.get_option("api_url")), self._instance(), self._strictness())
        name = hashlib.sha256(repr(parts).encode()).hexdigest()[:10]
        return os.path.join(unfrackpath(self.get_option("control_path_dir")), f"{name}-{self._number}")

    def _strictness(self) -> str:
        value, origin = self.get_option_and_origin("host_keys")
        if origin == "default" and super().get_option("host_key_checking") is False:
            return "ignore"
        return str(value)

    def _instance(self) -> str:
        return str(self.get_option("instance_id"))

    def _ssh(self) -> str:
        return str(self.get_option("ssh_executable"))

    def _limit(self) -> float:
        """Return the seconds that a login may take."""
        return 3.0 * (self.get_option("timeout") or 10)


def _login_failure(instance_id: str, credentials: Credentials, said: str) -> str:
    """Return the message about a failed login. `said` is what ssh wrote."""
    host, port = credentials.host, credentials.port
    advice = ""
    if "IDENTIFICATION HAS CHANGED" in said or "Host key verification failed" in said:
        said = "the host key of the gateway is unknown or has changed"
        known = host if port == 22 else f"[{host}]:{port}"
        advice = f" If the new key is right, remove the old one with ssh-keygen -R '{known}'; see the option host_keys."
    elif REFUSED in said:
        advice = " The credentials were new: the instance may have stopped, or somebody expires them all the time."
    return (
        f"SSH login to instance {instance_id} at {host} port {port} failed: {said.rstrip('.')}.{advice}"
        " Nothing was run there."
    )


def _login_options(credentials: Credentials) -> dict[str, t.Any]:
    """Return the options of ansible.builtin.ssh for a login."""
    return {
        "port": credentials.port,
        "remote_user": credentials.user,
        "password": credentials.secret,
        # A host on the way (ProxyJump) may ask for a password as well. ssh cuts long names in its prompts.
        "sshpass_prompt": f"{credentials.user[:30]}@",
    }


class _OptionsOfApi:
    """A connection as the client of the API sees it: in connections, the name timeout has another meaning."""

    plugin_type = "connection"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get_option(self, option: str) -> t.Any:
        return self.get_option_and_origin(option)[0]

    def get_option_and_origin(self, option: str) -> tuple[t.Any, t.Any]:
        name = "api_timeout" if option == "timeout" else option
        return t.cast("tuple[t.Any, t.Any]", self._connection.get_option_and_origin(name))


def _without_jump(arguments: list[str]) -> list[str]:
    """Return arguments of ssh without hosts on the way, which only the login needs."""
    kept: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "-J":
            next(words, None)
        elif not word.startswith("-J"):
            kept.append(word)
    return kept


def _add_options_of_ssh(name: str) -> None:
    """Add the options of ansible.builtin.ssh, as this version of Ansible has them, to those of the plugin.

    The only one that both have is timeout: Ansible's is used.
    """
    ours = C.config.get_configuration_definitions("connection", name)
    if "ssh_args" in ours:
        return
    connection_loader.get("ssh", class_only=True)
    theirs = C.config.get_configuration_definitions("connection", "ssh")
    if not theirs:
        raise AnsibleError("The options of ansible.builtin.ssh are not known: is the plugin missing from Ansible?")
    C.config.initialize_plugin_configuration_definitions("connection", name, {**ours, **theirs})
