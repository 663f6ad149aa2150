# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""SSH credentials of an instance: creating them, reading the address they come with, expiring them.

Facts from the vendor's page "Instances" and its API specification of 2026; the form of the address from an example in
the vendor's documentation of 2019.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import ipaddress
import json
import os
import re
import tempfile
import typing as t

from .._argspec import ArgumentSpec
from .._errors import ApiError, InvalidResponseError, NotFoundError, OptionError, PaasError, StateError
from .._plan import Done, Plan
from .._types import value_at
from .api import Cycle
from .instances import (
    about_instance,
    instance_of,
    instance_path,
    is_there,
    note_state,
)
from .resources import CONTAINERS_SSH

Params = t.Mapping[str, t.Any]

ARGUMENTS = ArgumentSpec(
    options={
        "container_id": {"type": "str", "required": True},
        "instance_id": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "dest": {"type": "path"},
    }
)
# Credentials live 30 minutes, says the documentation; what counts is events.expires of each.
LIFETIME = "30 minutes"
PORT = 22


@dataclasses.dataclass(frozen=True)
class Credentials:
    """SSH credentials for an instance."""

    host: str
    port: int
    user: str
    secret: str = dataclasses.field(repr=False)
    # When they expire, as the platform writes it.
    expires: str | None
    # As the platform returns it: user, host and port in one.
    address: str
    token_id: str | None


# The fields of credentials in results.
SHOWN = tuple(field.name for field in dataclasses.fields(Credentials))


@dataclasses.dataclass(frozen=True)
class Expired:
    """What expiring did. count: credentials that the platform says it ended. is_sure: whether that is all of them.

    A request that had to be repeated may have ended some the first time, of which the last answer does not tell.
    """

    count: int
    is_sure: bool

    @property
    def changed(self) -> bool:
        """Whether there was something to expire, or may have been."""
        return self.count > 0 or not self.is_sure


def create_credentials(client: Cycle, container_id: str, instance_id: str) -> Credentials:
    """Create SSH credentials for a running instance. Every call creates new ones. Not sent in check mode.

    Raises:
        PaasError: With may_have_succeeded if credentials may exist now. The request is not repeated then.
    """
    path = f"{instance_path(container_id, instance_id)}/ssh"
    try:
        with about_instance(client, container_id, instance_id):
            found = client.get_new(path, permission=CONTAINERS_SSH)
        return credentials_of(found, instance_id)
    except PaasError as error:
        if error.may_have_succeeded:
            error.message = (
                f"{error.message.rstrip('.')}. It was not sent again: credentials that nobody has the secret of may"
                f" exist now. They expire by themselves, after {LIFETIME} as documented. To expire all credentials of"
                " the instance at once, those of others too, use quayside.paas.instance_ssh with state=absent."
            )
        raise


def credentials_of(found: t.Mapping[str, t.Any], instance_id: str) -> Credentials:
    """Return the credentials of a response. Raises InvalidResponseError, with may_have_succeeded."""
    secret, address = found.get("secret"), found.get("address")
    try:
        if not (isinstance(secret, str) and secret and isinstance(address, str)):
            raise InvalidResponseError(
                "The platform created SSH credentials, but its response lacks the secret or the address."
            )
        user, host, port = parse_address(address, instance_id)
    except InvalidResponseError as error:
        error.may_have_succeeded = True
        raise
    expires, token_id = value_at(found, "token.events.expires"), value_at(found, "token.id")
    return Credentials(
        host=host,
        port=port,
        user=user,
        secret=secret,
        expires=None if expires is None else str(expires),
        address=address,
        token_id=None if token_id is None else str(token_id),
    )


def parse_address(address: str, instance_id: str) -> tuple[str, str, int]:
    """User, host and port of an address, which is USER@HOST:PORT in the documentation.

    User and port may be missing: then the user is the instance, the port is 22. IPv6 may be in brackets, ssh:// may be
    in front. Raises InvalidResponseError for what is none, or could be taken for something else by an ssh client.
    """
    rest = re.sub(r"^[a-z][a-z0-9+.-]*://", "", address.strip(), flags=re.IGNORECASE).partition("/")[0]
    user, _at, place = rest.rpartition("@")
    user = user.partition(":")[0] or instance_id
    found = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", place) or re.fullmatch(r"([^:]*)(?::(\d+))?", place)
    host, digits = found.groups() if found else (place, None)  # more than one colon: IPv6 without brackets
    port = int(digits) if digits else PORT
    is_host = _is_ipv6(host) if ":" in host else re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", host) is not None
    is_user = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", user) is not None
    if not (is_host and is_user and 0 < port < 65536):
        raise InvalidResponseError(
            f"The platform made SSH credentials with an address that is not understood: {address[:100]!r}; it should be"
            " USER@HOST:PORT."
        )
    return user, host, port


def _is_ipv6(host: str) -> bool:
    address, _percent, zone = host.partition("%")
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return re.fullmatch(r"[A-Za-z0-9._-]*", zone) is not None


def expire(client: Cycle, container_id: str, instance_id: str) -> Expired:
    """Expires all credentials of an instance, those of others too. An instance that is gone has none.

    Whether sessions that are open are cut is not documented. Raises ApiError, TransportError, InvalidResponseError.
    """
    sent = client.report()["request_count"]
    path = f"{instance_path(container_id, instance_id)}/ssh"
    try:
        found = client.delete(path, permission=CONTAINERS_SSH)
    except NotFoundError:
        if is_there(client, container_id, instance_id):
            raise
        return Expired(0, is_sure=True)
    except ApiError as error:
        note_state(client, container_id, instance_id, error)
        raise
    count = found.get("tokens")
    if not isinstance(count, int):
        raise InvalidResponseError(
            f"The answer to DELETE /v1/{path} does not say how many credentials have ended.",
            method="DELETE",
            path=f"/v1/{path}",
        )
    return Expired(count, is_sure=client.report()["request_count"] - sent == 1)


def connection_variables(credentials: Credentials | None, *, with_secret: bool = True) -> dict[str, t.Any]:
    """The variables of a host that Ansible reaches by them; None where nothing is known."""
    names = ("ansible_connection", "ansible_host", "ansible_port", "ansible_user", "ansible_password")
    if credentials is None:
        return dict.fromkeys(names)
    secret = credentials.secret if with_secret else None
    return dict(zip(names, ("ssh", credentials.host, credentials.port, credentials.user, secret), strict=True))


def plan(client: Cycle, params: Params) -> Plan:
    """Return what the module instance_ssh does. Raises PaasError."""
    dest = os.path.abspath(params["dest"]) if params["dest"] else None
    if dest and os.path.isdir(dest):
        raise OptionError(f"The option dest names {dest}, which is a folder; name a file in it.")
    return (_present if params["state"] == "present" else _absent)(client, params, dest)


def _present(client: Cycle, params: Params, dest: str | None) -> Plan:
    container_id, instance_id = params["container_id"], params["instance_id"]
    if dest:
        _check_folder(dest)
    if client.check_mode:
        instance_of(client, container_id, instance_id)

    def act() -> Done:
        if dest is None:
            return Done(_result(create_credentials(client, container_id, instance_id)))
        with _private_file(dest) as store:
            credentials = create_credentials(client, container_id, instance_id)
            whole = {"container_id": container_id, "instance_id": instance_id, **_shown(credentials)}
            try:
                store(json.dumps(whole, indent=2) + "\n")
            except OSError as error:
                raise StateError(
                    f"SSH credentials were made, but the file {dest} could not be written: {error.strerror}. They are"
                    f" lost, and end by themselves at {credentials.expires or f'the end of {LIFETIME}'}."
                ) from None
        return Done(_result(credentials, dest))

    return Plan(
        result=_result(None, dest),
        subject=f"SSH credentials of instance {instance_id}",
        before={"new": 0, "file": _file(dest)},
        after={"new": 1, "file": dest},
        act=act,
    )


def _absent(client: Cycle, params: Params, dest: str | None) -> Plan:
    container_id, instance_id = params["container_id"], params["instance_id"]
    before = {"credentials": "not known", "file": _file(dest)}

    def act() -> Done:
        expired = expire(client, container_id, instance_id)
        removed = dest is not None and _remove(dest)
        changed = expired.changed or removed
        return Done({"expired": expired.count}, after=None if changed else before, changed=changed)

    # No request tells how many credentials there are. To predict, it takes an instance that can have some, or the file.
    is_gone = client.check_mode and not is_there(client, container_id, instance_id)
    return Plan(
        result={**_result(None, dest), "expired": 0 if is_gone else None},
        subject=f"SSH credentials of instance {instance_id}",
        before=before,
        after=before if is_gone and not before["file"] else {"credentials": "none", "file": None},
        act=None if is_gone and not before["file"] else act,
    )


def _result(credentials: Credentials | None, dest: str | None = None) -> dict[str, t.Any]:
    """What the task returns. Credentials that went to a file are there without the secret.

    The file is not called dest: AnsibleModule would add its owner, mode and more to a result with that key.
    """
    return {**_shown(credentials, with_secret=dest is None), "expired": 0, "file": dest}


def _shown(credentials: Credentials | None, *, with_secret: bool = True) -> dict[str, t.Any]:
    known: dict[str, t.Any] = {name: getattr(credentials, name, None) for name in SHOWN}
    if not with_secret:
        known["secret"] = None
    return {**known, "connection": connection_variables(credentials, with_secret=with_secret)}


def _file(dest: str | None) -> str | None:
    """The file, if there is one."""
    return dest if dest and os.path.lexists(dest) else None


def _remove(dest: str) -> bool:
    """Removes a file. Whether it was there. Raises StateError."""
    try:
        os.unlink(dest)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StateError(
            f"The credentials have ended, but the file {dest} could not be removed: {error.strerror}."
        ) from None
    return True


def _check_folder(dest: str) -> None:
    folder = os.path.dirname(dest)
    if not os.path.isdir(folder):
        raise OptionError(f"The option dest names a file in {folder}, which is no folder. Nothing was sent.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OptionError(f"The option dest names a file in {folder}, where nothing may be written. Nothing was sent.")


@contextlib.contextmanager
def _private_file(path: str) -> t.Iterator[t.Callable[[str], None]]:
    """A file that never anyone else can read. Gives what fills it, in one step, in place of the one that is there.

    Raises OptionError when there can be none; filling it raises OSError.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=".quayside-", dir=os.path.dirname(path))  # mode 0600
    except OSError as error:
        raise OptionError(f"The file {path} cannot be written: {error.strerror}. Nothing was sent.") from None

    def store(text: str) -> None:
        data = text.encode()
        os.fchmod(file.fileno(), 0o600)  # a strict umask may have taken even that
        if file.write(data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file.fileno())
        os.replace(name, path)

    # Without a buffer, so that closing it has nothing to write that could fail.
    with open(descriptor, "wb", buffering=0) as file:
        try:
            yield store
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
