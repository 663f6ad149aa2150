# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specifications as data that can be merged, and the options that every module shares."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible.module_utils.errors import AnsibleFallbackNotFound


@dataclasses.dataclass(frozen=True)
class ArgumentSpec:
    """An argument specification and its rules, with the names that AnsibleModule and ArgumentSpecValidator use."""

    options: dict[str, dict[str, t.Any]] = dataclasses.field(default_factory=dict)
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    required_one_of: tuple[tuple[str, ...], ...] = ()
    required_if: tuple[tuple[t.Any, ...], ...] = ()
    required_by: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def merge(self, other: ArgumentSpec) -> ArgumentSpec:
        """Return both specifications in one. If both have an option, the other one's definition counts."""
        return ArgumentSpec(
            options={**self.options, **other.options},
            mutually_exclusive=self.mutually_exclusive + other.mutually_exclusive,
            required_one_of=self.required_one_of + other.required_one_of,
            required_if=self.required_if + other.required_if,
            required_by={**self.required_by, **other.required_by},
        )

    def rules(self) -> dict[str, t.Any]:
        """Return keyword arguments for ArgumentSpecValidator, besides the options."""
        return {
            "mutually_exclusive": [list(names) for names in self.mutually_exclusive],
            "required_one_of": [list(names) for names in self.required_one_of],
            "required_if": [list(rule) for rule in self.required_if],
            "required_by": {name: list(needed) for name, needed in self.required_by.items()},
        }

    def to_kwargs(self) -> dict[str, t.Any]:
        """Return keyword arguments for AnsibleModule."""
        return {"argument_spec": self.options, **self.rules()}


def from_environment(*variables: str) -> str:
    """Return the first of the environment variables that is not empty, as the fallback of an option.

    Ansible's own env_fallback would take an empty one, as AWX makes them of fields that were not filled in.
    """
    for variable in variables:
        if os.environ.get(variable):
            return os.environ[variable]
    raise AnsibleFallbackNotFound


# The doc fragments next to these names have the defaults and meaning.
CONNECTION = ArgumentSpec(
    options={
        "timeout": {"type": "int", "default": 30},
        "retry_budget": {"type": "int", "default": 120},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "in_process": {"type": "bool", "default": True},
    }
)
LIST = ArgumentSpec(options={"limit": {"type": "int"}})
CONCURRENCY = ArgumentSpec(options={"concurrency": {"type": "int", "default": 4}})
WAIT = ArgumentSpec(
    options={
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 300},
        "wait_interval": {"type": "int", "default": 2},
    }
)
