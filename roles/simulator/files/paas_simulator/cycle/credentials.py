# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lets in elsewhere: SSH credentials of instances, short-lived tokens of streams."""

from __future__ import annotations

import secrets
import string

from ..messages import Record
from .activity import context_of, log
from .ask import Ask
from .errors import ApiError
from .stamps import ZERO, nano
from .state import Credential, Pass, State
from .streams import PATHS

_LETTERS = string.ascii_letters + string.digits
# What every secret of SSH begins with, so that tests find it where it must not be.
SECRET_MARK = "SimSsh"
PASS_MARK = "simpass"


def mint_ssh(ask: Ask) -> Record:
    """GET I/ssh: makes a credential every time. The instance has to run: the simulator's choice of the answer."""
    state, instance = ask.state, ask.instance()
    if instance["state"]["current"] != "running":
        raise ApiError("403.invalid-state", "The instance does not run", f"It is {instance['state']['current']}")
    moment = state.now()
    expires = moment + state.settings.ssh.lifetime
    token = {
        "id": state.mint(moment),
        "instance_id": instance["id"],
        "container_id": instance["container_id"],
        "hub_id": state.hub_id,
        "creator": ask.key.creator,
        "events": {"created": nano(moment), "used": ZERO, "expires": nano(expires)},
        "valid": True,
    }
    secret = SECRET_MARK + "".join(secrets.choice(_LETTERS) for _number in range(19))
    state.credentials.setdefault(instance["id"], []).append(Credential(token, secret, expires, ask.key))
    host, port = state.endpoints.ssh_host, state.endpoints.ssh_port
    address = f"{instance['id']}@[{host}]:{port}" if ":" in host else f"{instance['id']}@{host}:{port}"
    return {"data": {"token": token, "secret": secret, "address": address}}


def expire_ssh(ask: Ask) -> Record:
    """DELETE I/ssh: expires every credential of the instance, whoever made it; those that had expired do not count."""
    state, moment = ask.state, ask.state.now()
    ended = state.credentials.pop(ask.instance()["id"], [])
    return {"data": {"tokens": sum(each.expires > moment for each in ended)}}


def ssh_login(state: State, instance_id: str, secret: str) -> bool:
    """Say whether a credential lets in now; note its use."""
    instance, moment = state.instances.get(instance_id), state.now()
    if instance is None or instance["state"]["current"] != "running":
        return False
    for credential in state.credentials.get(instance_id, []):
        if secrets.compare_digest(credential.secret.encode(), secret.encode()) and credential.expires > moment:
            credential.token["events"]["used"] = nano(moment)
            context = context_of(state.containers[instance["container_id"]], instance)
            log(state, credential.key, "container.instance.ssh.login", context, moment)
            return True
    return False


def ssh_token_valid(state: State, instance_id: str) -> bool:
    """Say whether any credential of the instance is still valid."""
    return any(each.expires > state.now() for each in state.credentials.get(instance_id, []))


def _pass(ask: Ask, kind: str, instance_id: str | None) -> str:
    state = ask.state
    moment = state.now()
    state.passes = {token: each for token, each in state.passes.items() if each.expires > moment}
    token = f"{PASS_MARK}{secrets.token_hex(24)}"
    state.passes[token] = Pass(kind, instance_id, moment + state.settings.tokens.lifetime, ask.key.name)
    return token


def _authorisation(ask: Ask, kind: str, scheme: str) -> Record:
    endpoints = ask.state.endpoints
    host = f"[{endpoints.http_host}]" if ":" in endpoints.http_host else endpoints.http_host
    address = f"{scheme}://{host}:{endpoints.http_port}{PATHS[kind]}"
    return {"data": {"token": _pass(ask, kind, ask.instance()["id"]), "address": address}}


def console(ask: Ask) -> Record:
    """GET I/console."""
    return _authorisation(ask, "console", ask.state.settings.console.scheme)


def telemetry(ask: Ask) -> Record:
    """GET I/telemetry/resources/stream."""
    return _authorisation(ask, "telemetry", ask.state.settings.telemetry.scheme)


def notifications(ask: Ask) -> Record:
    """GET /v1/hubs/current/notifications without a token."""
    return {"data": {"token": _pass(ask, "notifications", None)}}
