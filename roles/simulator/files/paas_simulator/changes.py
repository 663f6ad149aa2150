# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings as frozen dataclasses, changed by JSON such as ``{"page": {"default": 5}}``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Rules:
    """What settings may be, by their path: one of some values; or also null, being numbers otherwise."""

    choices: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    nullable: Mapping[str, type] = field(default_factory=dict)


def changed(part: Any, changes: Any, rules: Rules, path: str = "") -> Any:
    """Return settings with changes; what they do not name stays. Raises ValueError."""
    names = {each.name for each in fields(part)}
    if not isinstance(changes, dict) or set(changes) - names:
        raise ValueError(f"settings{' of ' + path if path else ''} are {', '.join(sorted(names))}")
    made: dict[str, Any] = {}
    for name, value in changes.items():
        old, where = getattr(part, name), f"{path}.{name}".lstrip(".")
        made[name] = changed(old, value, rules, where) if is_dataclass(old) else _checked(where, old, value, rules)
    return replace(part, **made)


def _checked(where: str, old: Any, value: Any, rules: Rules) -> Any:
    choices = rules.choices.get(where)
    if choices is not None:
        if value not in choices:
            raise ValueError(f"{where} is one of {', '.join(map(str, choices))}")
        return value
    if where in rules.nullable and value is None:
        return value
    kind = rules.nullable.get(where, type(old))
    if not _fits(kind, value):
        raise ValueError(f"not a value for {where}: {value!r}")
    # A whole number must not decide that the next value has to be one, too.
    return float(value) if kind is float else value


def _fits(kind: type, value: Any) -> bool:
    if kind in (int, float):
        numbers = (int,) if kind is int else (int, float)
        return isinstance(value, numbers) and not isinstance(value, bool) and value >= 0
    return isinstance(value, kind)
