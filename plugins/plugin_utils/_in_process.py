# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module's code inside the controller's worker, where that gives the same result as a process of its own.

A module that is started as usual costs several hundred milliseconds before its first request, for each item of a loop
again. In the worker the same code costs a few, and the items of a loop share one connection. docs/architecture.md says
when this way is taken.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import typing as t

from ansible import constants as C
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible.module_utils.common.validation import check_type_dict
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as OrdinaryAction

# Imported before workers are forked from here, so that no task has to import requests and the engine again.
# pylint: disable=unused-import
from ..module_utils import _http
from ..module_utils._cycle import resources as cycle_resources  # noqa: F401
from ..module_utils._errors import OptionError
from ..module_utils._module import action, info  # noqa: F401
from ..module_utils._module.runner import Module, execute
from ..module_utils._northflank import resources  # noqa: F401
from ..module_utils._redact import mask_result
from ..module_utils._response import RateLimit

# pylint: enable=unused-import

SWITCH = "quayside_paas_in_process"  # the variable that turns this way off


class InProcessAction(OrdinaryAction):  # type: ignore[misc]
    """The action plugin of every module of the collection."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the result of the task: from the code in this process if that is safe, else from the module."""
        module = self._module()
        variables = _variables_of_host(self._task, task_vars or {})
        self._task.args = _with_secrets_read(module, self._task.args)
        is_secret = module.is_secret(self._task.args)
        if is_secret and self._task.async_val and not self._task.no_log:
            return _failed(
                "The result of this task holds a secret, and with async Ansible displays what it gets in the end:"
                " set no_log on the task, or run it without async. Nothing was sent."
            )
        if is_secret:
            # Connections show what they transfer, at high verbosity, unless this is set.
            self._connection._play_context.no_log = True
        result = self._run_here(variables) if self._may_run_here(variables) else None
        if result is None:
            result = t.cast("dict[str, t.Any]", super().run(tmp, task_vars))
        if is_secret and not result.get("failed"):
            # As no_log does: not displayed, not logged, and there in a registered variable all the same.
            result["_ansible_no_log"] = True
        return result

    def _module(self) -> Module:
        # Not the task's name for it, which may be one that was redirected here.
        name = type(self).__module__.rpartition(".")[2]
        module = importlib.import_module(f"ansible_collections.quayside.paas.plugins.modules.{name}")
        return t.cast("Module", module.MODULE)

    def _may_run_here(self, variables: t.Mapping[str, t.Any]) -> bool:
        if not _http.HAS_REQUESTS:
            return False  # the interpreter that is discovered may have it
        if self._connection.transport not in ("local", "ansible.builtin.local"):
            return False
        if self._connection.become is not None or self._task.async_val:
            return False
        return self._is_own_interpreter(variables) and self._is_switched_on(variables)

    def _is_own_interpreter(self, variables: t.Mapping[str, t.Any]) -> bool:
        wanted = str(self._templar.template(C.config.get_config_value("INTERPRETER_PYTHON", variables=variables)))
        # Links are not resolved: the interpreter of a virtual environment is often a link to one without its libraries.
        return wanted.startswith("auto") or os.path.abspath(wanted) == os.path.abspath(sys.executable)

    def _is_switched_on(self, variables: t.Mapping[str, t.Any]) -> bool:
        value = self._task.args.get("in_process", variables.get(SWITCH, True))
        try:
            return bool(boolean(self._templar.template(value)))
        except TypeError:
            return False  # the ordinary module says what is wrong with it

    def _run_here(self, variables: dict[str, t.Any]) -> dict[str, t.Any] | None:
        """Return the result, or None if the arguments are not in order: the ordinary module then says so."""
        module = self._module()
        environment: dict[str, t.Any] = {}
        self._compute_environment_string(environment)
        arguments = _as_sent(self, variables)
        internal = {key: value for key, value in arguments.items() if key.startswith("_ansible_")}
        with _environment(environment), contextlib.chdir(self._loader.get_basedir()):
            validator = ArgumentSpecValidator(module.arguments.options, **module.arguments.rules())
            checked = validator.validate({key: value for key, value in arguments.items() if key not in internal})
            if checked.error_messages or checked._warnings or checked._deprecations:
                return None
            result = execute(
                module,
                checked.validated_parameters,
                check_mode=bool(internal["_ansible_check_mode"]),
                diff=bool(internal["_ansible_diff"]),
            )
        # Newer versions of Ansible say whether the result repeats the arguments; older ones always want it.
        if internal.get("_ansible_inject_invocation", True):
            result["invocation"] = {"module_args": checked.validated_parameters}
        return mask_result(result, checked._no_log_values)


def _with_secrets_read(module: Module, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the arguments with secret dictionaries that are written as text (JSON, or a=b) as dictionaries.

    Ansible notes what to mask before it converts: it would mask such a text as a whole, and show the values in it.
    """
    read = dict(arguments)
    for name, option in module.arguments.options.items():
        if option.get("no_log") and option.get("type") == "dict" and isinstance(read.get(name), str):
            with contextlib.suppress(TypeError):  # Ansible says what is wrong with it
                read[name] = check_type_dict(str(read[name]))
    return read


def _failed(message: str) -> dict[str, t.Any]:
    """Return the result of a task that was not started."""
    error = OptionError(message)
    told = {"changed": False, "failed": True, "msg": error.message, "error": error.as_result()}
    return {**told, **_http.report(RateLimit(), 0)}


def _variables_of_host(task: t.Any, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the variables of the host that the task runs on, which delegation changes."""
    if not task.delegate_to:
        return task_vars
    delegated = task_vars.get("ansible_delegated_vars", {}).get(task.delegate_to)
    return task_vars if delegated is None else dict(delegated)


def _as_sent(plugin: t.Any, variables: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the arguments as a module would get them: plain JSON types, with Ansible's internal ones."""
    arguments = dict(plugin._task.args)
    plugin._update_module_args(plugin._task.action, arguments, variables)
    encoder = get_module_encoder("legacy", Direction.CONTROLLER_TO_MODULE)
    return t.cast("dict[str, t.Any]", json.loads(json.dumps(arguments, cls=encoder)))


@contextlib.contextmanager
def _environment(changes: t.Mapping[str, t.Any]) -> t.Iterator[None]:
    """Give the process the task's `environment`, as a module's process would have it, and take it back."""
    before = dict(os.environ)
    os.environ.update({name: str(value) for name, value in changes.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
