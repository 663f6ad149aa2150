# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Runs a declared module, and the only place that ends one. The same execute() serves both hosts of a module."""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import PaasError
from .._http import report
from .._options import GetOption, check_ranges
from .._response import RateLimit

if t.TYPE_CHECKING:
    from .._argspec import ArgumentSpec

Params = t.Mapping[str, t.Any]


class Client(t.Protocol):
    """What a runner needs to know of a platform's client."""

    @property
    def check_mode(self) -> bool:
        """Whether it refuses requests that change something."""

    @property
    def may_have_changed(self) -> bool:
        """Whether the platform carried out something that changes it, or may have."""

    def report(self) -> dict[str, t.Any]:
        """What every result tells of the requests."""

    def close(self) -> None:
        """Sends nothing more."""


class Platform(t.Protocol):
    """A platform's client class: how to make a client, and the options this takes."""

    arguments: ArgumentSpec

    def __call__(self, get_option: GetOption, *, check_mode: bool = False) -> Client:
        """A client for one task."""


def _nothing_secret(arguments: Params) -> bool:
    return False


@dataclasses.dataclass(frozen=True)
class Module:
    """A module as a declaration: its options, its platform, and what it does with a client and its parameters.

    is_secret: whether a successful result holds a secret, by the arguments of the task. It is then kept from display
    and logs as with no_log, while a registered variable has it.
    """

    arguments: ArgumentSpec
    platform: Platform
    run: t.Callable[[t.Any, Params], dict[str, t.Any]]
    is_secret: t.Callable[[Params], bool] = _nothing_secret


def module_of(
    platform: Platform,
    run: t.Callable[[t.Any, Params], dict[str, t.Any]],
    *arguments: ArgumentSpec,
    is_secret: t.Callable[[Params], bool] = _nothing_secret,
) -> Module:
    """Declares a module that is of no particular kind. arguments: its options, besides those of the platform."""
    merged = platform.arguments
    for spec in arguments:
        merged = merged.merge(spec)
    return Module(merged, platform, run, is_secret)


def execute(module: Module, params: Params, *, check_mode: bool, diff: bool = False) -> dict[str, t.Any]:
    """Runs a module with validated parameters and returns its result, with `failed` and `msg` when it failed.

    diff: whether the result of a module that acts shows what is different.
    """
    client: Client | None = None
    result: dict[str, t.Any] = {"changed": False, **report(RateLimit(), 0)}
    try:
        check_ranges(params)
        client = module.platform(params.get, check_mode=check_mode)
        result.update(module.run(client, params))
    except PaasError as error:
        changed = client is not None and client.may_have_changed
        result.update(error.results, changed=changed, failed=True, msg=error.message, error=error.as_result())
    finally:
        if client is not None:
            # In the controller's worker nothing may go on behind the end of a task.
            client.close()
            result.update(client.report())
    if not diff:
        result.pop("diff", None)
    return result


def run_module(module: Module) -> None:
    """The ordinary way: a process of its own, started by Ansible on any host."""
    # Here, because the other way does without it and its import costs.
    from ansible.module_utils.basic import AnsibleModule

    ansible_module = AnsibleModule(**module.arguments.to_kwargs(), supports_check_mode=True)
    result = execute(
        module, ansible_module.params, check_mode=ansible_module.check_mode, diff=bool(ansible_module._diff)
    )
    if result.get("failed"):
        ansible_module.fail_json(**result)
    ansible_module.exit_json(**result)
