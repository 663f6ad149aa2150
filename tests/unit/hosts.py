# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module as both hosts do: arguments validated by Ansible, then execute()."""

from __future__ import annotations

import importlib
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult

from ansible_collections.quayside.paas.plugins.module_utils._module.runner import Module, execute
from unit.fakes import HUB, KEY, TOKEN, URL

MODULES = (
    "addon_backup_info",
    "addon_container_info",
    "addon_info",
    "addon_version_info",
    "backup_restore_info",
    "project_info",
    "template_info",
    "template_run_info",
)


def declared(name: str) -> Module:
    module = importlib.import_module(f"ansible_collections.quayside.paas.plugins.modules.{name}")
    return t.cast("Module", module.MODULE)


def validate(module: Module, **arguments: t.Any) -> ValidationResult:
    return ArgumentSpecValidator(module.arguments.options, **module.arguments.rules()).validate(arguments)


def run(module: str | Module, *, check_mode: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    """The result of a module with these arguments. Token or key, and address, are given; retry_budget is 0."""
    one = declared(module) if isinstance(module, str) else module
    access = {"api_key": KEY, "hub_id": HUB} if "hub_id" in one.arguments.options else {"api_token": TOKEN}
    checked = validate(one, **{**access, "api_url": URL, "retry_budget": 0, **arguments})
    assert checked.error_messages == []
    return execute(one, checked.validated_parameters, check_mode=check_mode)


def found(module: str, name: str, **arguments: t.Any) -> t.Any:
    """What a module returns under a name, when it succeeds and changes nothing."""
    result = run(module, **arguments)
    assert not result.get("failed"), result
    assert result["changed"] is False
    own = {"changed", name, "rate_limit", "request_count"}
    assert set(result) == ({*own, "includes"} if "include" in declared(module).arguments.options else own)
    return result[name]


def failure(module: str | Module, **arguments: t.Any) -> dict[str, t.Any]:
    """The result of a module that has to fail."""
    result = run(module, **arguments)
    assert result["failed"] is True
    assert set(result) == {"changed", "failed", "msg", "error", "rate_limit", "request_count"}
    assert set(result["error"]) == {"method", "path", "status", "code", "id", "details"}
    assert TOKEN not in repr(result)
    assert KEY not in repr(result)
    return result
