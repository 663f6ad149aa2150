# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of a platform's API as users get them."""

from __future__ import annotations

import functools
import typing as t

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict

from ._errors import InvalidResponseError
from ._redact import writable
from ._types import MAX_DEPTH, Item


@functools.lru_cache(maxsize=4096)
def snake_key(key: str) -> str:
    """Return a name of the platform as results spell it: app_id for appId, schema for $schema, which Jinja cannot."""
    return writable(str(next(iter(camel_dict_to_snake_dict({key.lstrip("$") or key: None})))))


def plain(value: t.Any, user_keyed: t.Container[str] = (), *, depth: int = 0) -> t.Any:
    """Return a value with keys in snake_case and ids as strings; everything else as it is.

    Args:
        user_keyed: Names, as the platform spells them, of maps whose keys are the user's own.

    Raises:
        InvalidResponseError: The value is nested too deeply.
    """
    _check_depth(depth)
    if isinstance(value, dict):
        out: Item = {}
        for key, inner in value.items():
            name = snake_key(key)
            # Two spellings of one name: neither may be lost.
            name = writable(key) if name != key and (name in value or name in out) else name
            out[name] = _value(key, inner, user_keyed, depth + 1)
        return out
    if isinstance(value, list):
        return [plain(inner, user_keyed, depth=depth + 1) for inner in value]
    return writable(value) if isinstance(value, str) else value


def _value(key: str, value: t.Any, user_keyed: t.Container[str], depth: int) -> t.Any:
    if isinstance(value, int) and not isinstance(value, bool) and (key in ("id", "uid") or key.endswith(("Id", "Uid"))):
        return str(value)
    if key in user_keyed and isinstance(value, dict):
        return as_it_is(value, depth)
    return plain(value, user_keyed, depth=depth)


def as_it_is(value: t.Any, depth: int = 0) -> t.Any:
    """Return a value whose keys stay as they are. Raises what plain() raises."""
    _check_depth(depth)
    if isinstance(value, dict):
        return {writable(key): as_it_is(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_it_is(inner, depth + 1) for inner in value]
    return writable(value) if isinstance(value, str) else value


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidResponseError(f"The answer is nested more than {MAX_DEPTH} levels deep.")
