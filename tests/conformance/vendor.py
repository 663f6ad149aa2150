# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the vendor's client knows of each endpoint: its class, and the declared type of its answer."""

from __future__ import annotations

import importlib
import pkgutil
import typing
from typing import Any, Literal, Union, get_args, get_origin

import northflank._types as declared
import northflank.endpoints
import typing_extensions
from northflank.endpoint import ApiEndpoint
from northflank.response import ApiCallResponse


def endpoints() -> dict[tuple[str, str], type[ApiEndpoint]]:
    """Return the client's endpoint classes by method and path template."""
    found: dict[tuple[str, str], type[ApiEndpoint]] = {}
    for module in pkgutil.walk_packages(northflank.endpoints.__path__, "northflank.endpoints."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, ApiEndpoint):
                found |= {(value.method.upper(), path): value for path in value.path_templates}
    return found


def answer_type(endpoint: type[ApiEndpoint]) -> Any:
    """Return the type the client declares for ``data`` of an endpoint's answer."""
    names = vars(importlib.import_module(endpoint.__module__)) | vars(typing) | {"ApiCallResponse": ApiCallResponse}
    result = typing.get_type_hints(endpoint.call, names)["return"]
    return get_args(result)[0]


def _fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    """Return the fields of a declared object: type, and whether it is required."""
    hints = typing_extensions.get_type_hints(kind, vars(declared), include_extras=True)
    fields = {}
    for name, hint in hints.items():
        outer: Any = get_origin(hint)
        optional = outer is typing_extensions.NotRequired
        fields[name] = (get_args(hint)[0] if optional else hint, not optional)
    return fields


def _object_faults(value: Any, kind: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no object"]
    fields = _fields(kind)
    faults = [f"{where}.{name}: missing" for name, (_kind, needed) in fields.items() if needed and name not in value]
    faults += [f"{where}.{name}: not declared" for name in value if name not in fields]
    for name, (part, _needed) in fields.items():
        if name in value:
            faults += type_faults(value[name], part, f"{where}.{name}")
    return faults


def _union_faults(value: Any, kind: Any, where: str) -> list[str]:
    tried = [type_faults(value, part, where) for part in get_args(kind)]
    return min(tried, key=len)


def _list_faults(value: Any, kind: Any, where: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{where}: {value!r} is no list"]
    part = get_args(kind)[0]
    return [fault for number, item in enumerate(value) for fault in type_faults(item, part, f"{where}[{number}]")]


def _plain_faults(value: Any, kind: Any, where: str) -> list[str]:
    accepted = (int, float) if kind is float else kind
    good = isinstance(value, accepted) and (kind is bool or not isinstance(value, bool))
    return [] if good else [f"{where}: {value!r} is no {kind.__name__}"]


def type_faults(value: Any, kind: Any, where: str) -> list[str]:
    """Return in what a JSON value differs from a declared type: missing and undeclared fields, types, enums."""
    origin = get_origin(kind)
    if kind is Any:
        return []
    if typing_extensions.is_typeddict(kind):
        return _object_faults(value, kind, where)
    if origin is Literal:
        return [] if value in get_args(kind) else [f"{where}: {value!r} is not one of {get_args(kind)}"]
    if origin is Union:
        return _union_faults(value, kind, where)
    if origin is list:
        return _list_faults(value, kind, where)
    return _plain_faults(value, origin or kind, where)
