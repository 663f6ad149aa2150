# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results compared with each other, and with their documentation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": (int, float),
    "list": list,
    "dict": dict,
    "raw": object,
}

# Added by Ansible itself.
ANSIBLES_OWN = {"changed", "failed", "msg", "invocation", "exception", "diff"}
# Longer values are cut in messages.
MAX_VALUE = 120

SECRET_NAMES = {"secret", "token", "password", "environment_vars"}
# What Ansible, up to 2.21 and later, shows in place of a secret argument, wherever the platform repeats it.
MASKS = {"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "$REDACTED$"}

# What differs from run to run of a module that acts: time, what the platform creates (addresses too, in the simulator),
# and how soon it reports the health of a new instance.
CHANGING = frozenset(
    {"seconds", "request_count", "rate_limit", "invocation", "health", "readiness"}
    | {"secret", "token", "url", "ansible_password", "port", "ansible_port"}
    | {"lines", "replayed", "bytes", "match", "environment"}
    | {"start_time", "end_time"}
)
PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+")
COUNT = re.compile(r"(?<=Lines seen: )\d+")
STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*Z")
# What the platform calls a backup that is given no name, and the id it makes of that.
UNNAMED = re.compile(r"(?<=anual.)\d{4}-\d\d-\d\d[- ]\d\d[-:]\d\d[-:]\d\d")
ID = re.compile(r"\b(?:[0-9a-f]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")


def difference(one: Any, other: Any, where: str = "result") -> str | None:
    """Say where two values differ first, or return None."""
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return f"{where} has {sorted(one.keys() ^ other.keys())} on one side only"
        pairs = [(f"{where}.{name}", one[name], other[name]) for name in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = [(f"{where}[{number}]", *pair) for number, pair in enumerate(zip(one, other, strict=True))]
    else:
        # True equals 1, but not to the byte.
        same = one == other and type(one) is type(other)
        return None if same else f"{where}: {shown(one)} is not {shown(other)}"
    return next((found for path, *pair in pairs if (found := difference(*pair, path))), None)


def shown(value: Any) -> str:
    """Return a short text for a value."""
    text = repr(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


def lasting(value: Any, known: frozenset[str], folder: str) -> Any:
    """Return a result of a module that acts without what differs from run to run.

    Args:
        value: The result or a part of it.
        known: The ids of the estate, which stay.
        folder: The path of a folder, which differs.
    """
    if isinstance(value, dict):
        return {
            lasting(name, known, folder): lasting(inner, known, folder)
            for name, inner in value.items()
            if name not in CHANGING
        }
    if isinstance(value, list):
        return [lasting(inner, known, folder) for inner in value]
    if isinstance(value, str):
        without = value.replace(folder, "FOLDER")
        for pattern, name in ((UNNAMED, "TIME"), (STAMP, "TIME"), (PORT, "PORT"), (COUNT, "N")):
            without = pattern.sub(name, without)
        return ID.sub(lambda found: found[0] if found[0] in known else "NEW", without)
    return value


def undocumented(value: dict[str, Any], documented: dict[str, Any], where: str = "") -> Iterator[str]:
    """Find what a result has that is not documented, or not with its type."""
    for name, inner in value.items():
        page = documented.get(name)
        if page is None:
            yield f"{where}{name} is not documented"
        elif inner is not None:
            if not isinstance(inner, TYPES[page["type"]]) or (page["type"] == "int" and isinstance(inner, bool)):
                yield f"{where}{name} is no {page['type']}: {shown(inner)}"
            for one in inner if isinstance(inner, list) else [inner]:
                if isinstance(one, dict) and "contains" in page:
                    yield from undocumented(one, page["contains"], f"{where}{name}.")


def names(value: Any, where: str = "") -> set[str]:
    """Return the names of all that a result holds, with dots."""
    if isinstance(value, list):
        return {name for inner in value for name in names(inner, where)}
    if not isinstance(value, dict):
        return set()
    paths = {name: f"{where}.{name}" if where else name for name in value}
    return {*paths.values(), *(found for name, inner in value.items() for found in names(inner, paths[name]))}


def secrets(value: Any, *, below: bool = False) -> set[str]:
    """Return the secrets in a result, wherever they are.

    Args:
        value: The result or a part of it.
        below: Whether the name of the part, or of one that it is in, says that it is secret.
    """
    if isinstance(value, dict):
        return {
            found
            for name, inner in value.items()
            if name != "algorithm"
            for found in secrets(inner, below=below or name in SECRET_NAMES)
        }
    if isinstance(value, list):
        return {found for inner in value for found in secrets(inner, below=below)}
    return {value} - MASKS if below and isinstance(value, str) else set()
