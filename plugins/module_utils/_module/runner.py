# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a declared module, in a process of its own or in the controller's worker. The only place that ends a module."""

from __future__ import annotations

import dataclasses
import typing as t

from .._argspec import ArgumentSpec
from .._client import PlatformClient
from .._errors import PaasError
from .._http import report
from .._options import check_ranges
from .._response import RateLimit
from .._types import Params

Platform = type[PlatformClient]
Run = t.Callable[[t.Any, Params], dict[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class Module:
    """A module as a declaration."""

    arguments: ArgumentSpec
    platform: Platform
    # What it does with a client and its parameters.
    run: Run
    # Whether a successful result contains a secret, by the arguments of the task. It is then kept from display and logs
    # as with no_log, while a registered variable has it.
    is_secret: t.Callable[[Params], bool] = lambda arguments: False


def module_of(platform: Platform, run: Run, *arguments: ArgumentSpec, **more: t.Any) -> Module:
    """Declare a module that is of no particular kind. arguments: its options, besides those of the platform."""
    merged = platform.arguments
    for spec in arguments:
        merged = merged.merge(spec)
    return Module(merged, platform, run, **more)


def execute(module: Module, params: Params, *, check_mode: bool, diff: bool = False) -> dict[str, t.Any]:
    """Run a module with validated parameters and return its result, with `failed` and `msg` if it failed.

    Args:
        diff: Whether the result of a module that acts shows what is different.
    """
    client: PlatformClient | None = None
    result: dict[str, t.Any] = {"changed": False, **report(RateLimit(), 0)}
    try:
        check_ranges(params)
        client = module.platform(params.get, check_mode=check_mode)
        result.update(module.run(client, params))
    except PaasError as error:
        changed = client is not None and client.transport.may_have_changed
        result.update(error.results, changed=changed, failed=True, msg=error.message, error=error.as_result())
    finally:
        if client is not None:
            # In the controller's worker nothing may go on after the end of a task.
            client.close()
            result.update(client.report())
    if not diff:
        result.pop("diff", None)
    return result


def run_module(module: Module) -> None:
    """Run a module as usual: in a process of its own, started by Ansible on any host."""
    from ansible.module_utils.basic import AnsibleModule  # slow to import, and the other way does without

    ansible_module = AnsibleModule(**module.arguments.to_kwargs(), supports_check_mode=True)
    result = execute(
        module, ansible_module.params, check_mode=ansible_module.check_mode, diff=bool(ansible_module._diff)
    )
    if result.get("failed"):
        ansible_module.fail_json(**result)
    ansible_module.exit_json(**result)
