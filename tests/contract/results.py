# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results held against their documentation."""

from __future__ import annotations

from typing import Any

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
ANSIBLES_OWN = {"changed", "failed", "msg", "invocation", "exception"}


def compare(value: dict[str, Any], documented: dict[str, Any], where: str) -> None:
    """Asserts that everything in a result is documented, with its type."""
    for name, inner in value.items():
        assert name in documented, f"{where} returns {name}, which is not documented"
        page = documented[name]
        if inner is None:
            continue
        assert isinstance(inner, TYPES[page["type"]]), f"{where}.{name} is no {page['type']}: {inner!r}"
        assert page["type"] != "int" or not isinstance(inner, bool)
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, dict) and "contains" in page:
                compare(one, page["contains"], f"{where}.{name}")


def collect(value: Any, where: str, seen: set[str]) -> None:
    """Adds the names of all that a result holds to seen, with dots."""
    if isinstance(value, list):
        for inner in value:
            collect(inner, where, seen)
    elif isinstance(value, dict):
        for name, inner in value.items():
            path = f"{where}.{name}" if where else name
            seen.add(path)
            collect(inner, path, seen)
