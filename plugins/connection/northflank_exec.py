# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: northflank_exec
short_description: Run tasks in containers on Northflank
version_added: 0.1.0
description:
  - Runs commands in a container of an addon, a service or a job, and copies files to and from it, over the
    WebSocket exec API of Northflank. The container needs no SSH server and no open port.
  - The inventory P(quayside.paas.northflank#inventory) sets all required variables. Hosts created with C(add_host) need
    O(project_id), O(kind) and O(resource_id).
  - The container needs a POSIX shell and the usual tools, as coreutils or busybox provide them, and Python for most
    modules. Files are copied without C(tar).
  - Each command is a WebSocket of its own, so there is nothing to keep open between tasks. A failed handshake is
    retried within O(retry_budget). A command that has been sent is never retried.
  - A host is unreachable if the token is rejected, the container does not exist, or the connection breaks. A task fails
    if a command takes longer than O(command_timeout), or if a file cannot be copied.
author:
  - Quayside contributors (@quayside)
requirements:
  - websocket-client >= 1.6
extends_documentation_fragment:
  - quayside.paas._northflank
  - quayside.paas._northflank.plugin
  - quayside.paas._northflank.connection
  - ansible.builtin.connection_pipelining
options:
  remote_addr:
    description: Name of the container, as in lists of containers.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: delegated_vars['ansible_host']
  project_id:
    description: Id of the project. Required.
    type: str
    vars:
      - name: ansible_northflank_project_id
  kind:
    description: Kind of resource that the container belongs to. Required.
    type: str
    choices: [addon, service, job]
    vars:
      - name: ansible_northflank_kind
  resource_id:
    description: Id of the addon, service or job. Required.
    type: str
    vars:
      - name: ansible_northflank_resource_id
  container_name:
    description: Name of the container to use if O(remote_addr) has several.
    type: str
    vars:
      - name: ansible_northflank_container_name
  remote_user:
    description:
      - User that runs the commands, as a user name in the container or a number. By default, the user of the image.
      - To change the user for some tasks, see P(quayside.paas.northflank_user#become).
    type: str
    vars:
      - name: ansible_user
    env:
      - name: ANSIBLE_REMOTE_USER
    ini:
      - section: defaults
        key: remote_user
    cli:
      - name: user
    keyword:
      - name: remote_user
  group:
    description:
      - Group that runs the commands, as a name or a number. By default, the group of the user.
      - Does not apply to commands that P(quayside.paas.northflank_user#become) runs as another user.
    type: str
    vars:
      - name: ansible_northflank_group
  executable:
    description: The POSIX shell in the container that runs the commands.
    type: str
    default: /bin/sh
    vars:
      - name: ansible_executable
    ini:
      - section: defaults
        key: executable
  timeout:
    description:
      - Seconds to wait for the connection, and until a command is accepted, V(1) to V(3600).
      - Without the variable it is the time-out that Ansible has for all connections, as set with C(--timeout) or
        E(ANSIBLE_TIMEOUT).
    type: int
    default: 10
  command_timeout:
    description:
      - Maximum number of seconds for a command. By default, there is no limit.
      - When the command times out, the task fails. The command may still be running in the container.
    type: int
    vars:
      - name: ansible_northflank_command_timeout
    env:
      - name: ANSIBLE_NORTHFLANK_COMMAND_TIMEOUT
    ini:
      - section: northflank_exec
        key: command_timeout
  silence_timeout:
    description:
      - Maximum number of seconds without data or a pong from Northflank while a command runs. Pings are sent meanwhile,
        so a command without output does not time out.
      - Whether Northflank replies to pings is not documented. Until the first pong, a missing one is ignored, and only
        TCP detects a lost peer. Set O(command_timeout) to guarantee an end.
      - A command that reads none of its input for this time also times out.
    type: int
    default: 60
    vars:
      - name: ansible_northflank_silence_timeout
    env:
      - name: ANSIBLE_NORTHFLANK_SILENCE_TIMEOUT
    ini:
      - section: northflank_exec
        key: silence_timeout
notes:
  - Enable O(pipelining). A task then needs one or two commands instead of five to seven, and each command is a
    connection.
  - Check mode also connects to the container, because modules that support check mode run there.
  - C(async) works if processes in the container can outlive the command that started them.
  - A command that is given input, as pipelining does, gets all of it or none of its end. If the connection breaks
    in between, it is left with a part.
  - The handshakes may count against the rate limit of the API.
seealso:
  - plugin: quayside.paas.northflank
    plugin_type: inventory
  - plugin: quayside.paas.northflank_user
    plugin_type: become
"""

EXAMPLES = r"""
- name: Run in every container of a project
  hosts: northflank_project_storefront
  vars:
    ansible_pipelining: true
  tasks:
    - name: Show the disk usage
      ansible.builtin.command:
        cmd: df -h
      changed_when: false

- name: Create hosts without an inventory plugin
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Read the containers of the database
      quayside.paas.addon_container_info:
        project_id: storefront
        addon_id: orders-postgres
      register: found

    - name: Add them as hosts
      ansible.builtin.add_host:
        name: "{{ item.name }}"
        groups: databases
        ansible_connection: quayside.paas.northflank_exec
        ansible_northflank_project_id: storefront
        ansible_northflank_kind: addon
        ansible_northflank_resource_id: orders-postgres
      loop: "{{ found.containers }}"
      loop_control:
        label: "{{ item.name }}"
"""

import contextlib
import os
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

from ..module_utils._errors import ApiError, InvalidResponseError, OptionError, PaasError, TransportError
from ..module_utils._northflank import exec as northflank_exec
from ..module_utils._northflank.api import Northflank
from ..module_utils._northflank.exec import PORTION, Input, Limits, Target
from ..plugin_utils import _remote_tools as tools
from ..plugin_utils._options import options_of

display = Display()

STDOUT = northflank_exec.OUTPUTS[0]
STDERR = northflank_exec.OUTPUTS[1]
Take = t.Callable[[str, bytes], None]


class Connection(ConnectionBase):  # type: ignore[misc]
    """A container of Northflank."""

    transport = "quayside.paas.northflank_exec"
    has_pipelining = True
    has_tty = False

    def _connect(self) -> t.Self:
        """Nothing is opened before there is a command."""
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Runs a command. Returns its exit code, standard output and standard error."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        command = to_text(cmd, errors="surrogate_or_strict")
        as_other = tools.BECOME_MARK in command
        command = command.replace(tools.BECOME_MARK, "", 1)
        display.vvv(f"EXEC {command}", host=self._host())
        outputs = {STDOUT: bytearray(), STDERR: bytearray()}
        source = self._input(command, in_data, sudoable, outputs)
        shell = self.get_option("executable")
        arguments = [shell, "-c", command] if source is None else tools.fed(shell, command)
        code = self._run(arguments, lambda kind, data: outputs[kind].extend(data), source, as_other=as_other)
        if sudoable and code:
            self._check_password(bytes(outputs[STDOUT] + outputs[STDERR]))
        _check_tools(code, outputs[STDOUT] + outputs[STDERR])
        return code, bytes(outputs[STDOUT]), bytes(outputs[STDERR])

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copies a file into the container."""
        super().put_file(in_path, out_path)
        display.vvv(f"PUT {in_path} TO {out_path}", host=self._host())
        outputs = {STDOUT: bytearray(), STDERR: bytearray()}
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(open(to_bytes(in_path, errors="surrogate_or_strict"), "rb"))
                size = os.fstat(file.fileno()).st_size
            except FileNotFoundError:
                raise AnsibleFileNotFound(f"The file {in_path} does not exist.") from None
            except OSError as error:
                raise AnsibleError(f"The file {in_path} cannot be read: {error.strerror}.") from None
            source = Input(tools.counted(size, _portions_of(file, size, in_path)))
            shell = self.get_option("executable")
            code = self._run(tools.store(shell, out_path), lambda kind, data: outputs[kind].extend(data), source)
        _check_tools(code, outputs[STDERR])
        there = bytes(outputs[STDOUT]).strip()
        if code or there != b"%d" % size:
            why = _reason(code, bytes(outputs[STDERR])) or f"it has {to_text(there)} bytes there"
            raise AnsibleError(
                f"{self._target()}: the file {in_path} ({size} bytes) could not be written to {out_path}: {why}."
            )

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copies a file out of the container."""
        super().fetch_file(in_path, out_path)
        display.vvv(f"FETCH {in_path} TO {out_path}", host=self._host())
        stderr = bytearray()
        with _Copy(out_path) as copy:
            code = self._run(
                tools.load(self.get_option("executable"), in_path),
                lambda kind, data: copy.write(data) if kind == STDOUT else stderr.extend(data),
            )
            _check_tools(code, stderr)
            size, _end, errors = bytes(stderr).partition(b"\n")
            if code or size.strip() != b"%d" % copy.size:
                why = _reason(code, errors if size.strip().isdigit() else bytes(stderr))
                raise AnsibleError(
                    f"{self._target()}: the file {in_path} could not be read:"
                    f" {why or f'{copy.size} of {to_text(size.strip())} bytes arrived'}."
                )
            copy.complete()

    def close(self) -> None:
        """Nothing is open."""
        self._connected = False

    def reset(self) -> None:
        """Every command has a connection of its own."""
        self.close()

    def _host(self) -> str:
        return str(self.get_option("remote_addr"))

    def _target(self, as_other: bool = False) -> Target:
        """Where and as whom a command runs. as_other: as the user to become."""
        missing = [name for name in ("project_id", "kind", "resource_id") if not self.get_option(name)]
        if missing:
            variables = " and ".join(f"ansible_northflank_{name}" for name in missing)
            raise OptionError(
                f"The connection does not know where the container {self._host()} is: set {variables}, or use the"
                " inventory quayside.paas.northflank."
            )
        user, group = self.get_option("remote_user"), self.get_option("group")
        if as_other and self.become is not None:
            user, group = self.become.get_option("become_user"), None
        return Target(
            project_id=str(self.get_option("project_id")),
            kind=str(self.get_option("kind")),
            resource_id=str(self.get_option("resource_id")),
            instance=self._host(),
            container_name=_text(self.get_option("container_name")),
            user=_text(user),
            group=_text(group),
        )

    def _run(self, command: list[str], take: Take, source: Input | None = None, *, as_other: bool = False) -> int:
        """Runs arguments. Raises AnsibleConnectionFailure, AnsibleError."""
        try:
            access = northflank_exec.access_from(options_of(self, Northflank))
            limits = Limits(
                access.options.timeout, self._seconds("silence_timeout") or 60, self._seconds("command_timeout")
            )
            return northflank_exec.run(access, self._target(as_other), command, take, source=source, limits=limits)
        except (ApiError, TransportError, InvalidResponseError) as error:
            raise AnsibleConnectionFailure(error.message) from None
        except PaasError as error:
            raise AnsibleError(error.message) from None

    def _seconds(self, name: str) -> int | None:
        value = self.get_option(name)
        if value is not None and value < 1:
            raise OptionError(f"The option {name} is {value}; it has to be at least 1.")
        return t.cast("int | None", value)

    def _input(
        self, command: str, in_data: bytes | None, sudoable: bool, outputs: dict[str, bytearray]
    ) -> Input | None:
        """What a command reads: perhaps the password that sudo and the like ask for, then its input. None: nothing."""
        data = to_bytes(in_data) if in_data else b""
        become = self.become
        if not (sudoable and become and become.expect_prompt() and become.success and become.success in command):
            return Input(tools.counted(len(data), _portions(data))) if data else None
        prompt = _Prompt(become, outputs, self.get_option("timeout"))
        return Input(prompt.counted(data), prompt.is_over)

    def _check_password(self, output: bytes) -> None:
        """Raises AnsibleError when a command ended because of a password that was wrong, or was not given."""
        if self.become is None:
            return
        if self.become.check_incorrect_password(output):
            raise AnsibleError(f"{self._host()}: the password for {self.become.name} is not the right one.")
        if self.become.check_missing_password(output):
            raise AnsibleError(f"{self._host()}: {self.become.name} needs a password (become_password).")


class _Prompt:
    """Waits until a become plugin's program asks for the password, or goes without. timeout: seconds once it runs."""

    def __init__(self, become: t.Any, outputs: dict[str, bytearray], timeout: float) -> None:
        self._become = become
        self._outputs = outputs
        self._timeout = timeout
        self._until: float | None = None
        self._password: bytes | None = None

    def is_over(self) -> bool:
        """Whether it is known if a password is wanted. Raises AnsibleError when that takes too long."""
        if self._until is None:
            self._until = time.monotonic() + self._timeout
        if self._password is None:
            output = bytes(self._outputs[STDOUT] + b"\n" + self._outputs[STDERR])
            if self._become.check_password_prompt(output):
                self._password = to_bytes(self._become.get_option("become_pass")) + b"\n"
                for each in self._outputs.values():
                    each.clear()
            elif self._become.check_success(output):
                self._password = b""
            elif time.monotonic() > self._until:
                raise AnsibleError(
                    f"{self._become.name} did not ask for a password in time (option timeout). It said:"
                    f" {to_text(output[-300:], errors='replace').strip() or '(nothing)'}"
                )
        return self._password is not None

    def counted(self, data: bytes) -> t.Iterator[bytes]:
        """The password and the input, with their length; begun when it is known whether a password is wanted."""
        whole = (self._password or b"") + data
        yield from tools.counted(len(whole), _portions(whole))


class _Copy:
    """A local file that is made when there is something for it, and removed unless it becomes complete."""

    def __init__(self, path: str) -> None:
        self._path = to_bytes(path, errors="surrogate_or_strict")
        self._file: t.BinaryIO | None = None
        self._is_complete = False
        self.size = 0

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            if not self._is_complete and os.path.isfile(self._path):
                with contextlib.suppress(OSError):
                    os.unlink(self._path)

    def write(self, data: bytes) -> None:
        """Adds to the file. Raises AnsibleError."""
        with self._said():
            if self._file is None:
                self._file = open(self._path, "wb")  # noqa: SIM115 - closed when the context is left
            self._file.write(data)
        self.size += len(data)

    def complete(self) -> None:
        """Nothing is missing. Raises AnsibleError."""
        self.write(b"")
        with self._said():
            t.cast("t.BinaryIO", self._file).close()
        self._is_complete = True

    @contextlib.contextmanager
    def _said(self) -> t.Iterator[None]:
        try:
            yield
        except OSError as error:
            raise AnsibleError(f"The local file {to_text(self._path)} cannot be written: {error.strerror}.") from None


def _portions(data: bytes) -> t.Iterator[bytes]:
    for begin in range(0, len(data), PORTION):
        yield data[begin : begin + PORTION]


def _portions_of(file: t.BinaryIO, size: int, path: str) -> t.Iterator[bytes]:
    """So much of a local file. Raises AnsibleError when it has less, or cannot be read."""
    left = size
    while left:
        try:
            data = file.read(min(left, PORTION))
        except OSError as error:
            raise AnsibleError(f"The file {path} cannot be read: {error.strerror}.") from None
        if not data:
            raise AnsibleError(f"The file {path} became shorter while it was being copied: {left} bytes are missing.")
        left -= len(data)
        yield data


def _check_tools(code: int, output: bytearray) -> None:
    """Raise AnsibleError if a command failed because the container lacks one of the usual tools."""
    message = tools.missing_tool(code, bytes(output))
    if message:
        raise AnsibleError(message)


def _text(value: t.Any) -> str | None:
    return None if value in (None, "") else str(value)


def _reason(code: int, errors: bytes) -> str:
    """Why a command of ours failed, for a message; nothing when it did not."""
    told = " ".join(to_text(errors, errors="replace").split())[:300].rstrip(".")
    return told or (f"exit code {code}" if code else "")
