# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All masking of secrets: in texts from outside, in results, and in values below names that mean secrets."""

from __future__ import annotations

import json
import re
import typing as t

from ansible.module_utils.common.parameters import remove_values

from ._types import MAX_DEPTH

MASK = "********"


class Redactor:
    """Masks secrets, and the credentials of proxies, in whatever comes from outside. Its repr does not show them."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = secrets

    def hide(self, secrets: t.Iterable[str]) -> None:
        """Mask these as well, also as JSON spells them."""
        # The longest first: one secret may be part of another.
        spellings = {text for secret in secrets for text in json_spellings(secret)}
        self._secrets = (*self._secrets, *sorted(spellings, key=len, reverse=True))

    def longest(self) -> int:
        return max(map(len, self._secrets))

    def __call__(self, value: t.Any, depth: int = 0) -> t.Any:
        """Return a JSON value without the secrets, fit for UTF-8. What is nested too deeply becomes None."""
        if isinstance(value, str):
            return writable(re.sub(r"//[^/@\s]+@", f"//{MASK}@", mask(value, self._secrets)))
        if depth > MAX_DEPTH:
            return None
        if isinstance(value, dict):
            return {self(key): self(inner, depth + 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [self(inner, depth + 1) for inner in value]
        return value


def mask(text: str, secrets: t.Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def json_spellings(text: str) -> set[str]:
    """Return the text as it is and as it is spelled in JSON, with and without escapes for non-ASCII characters."""
    return {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}


def writable(text: str) -> str:
    """Return the text with lone surrogates escaped: JSON can hold them, UTF-8 and so Ansible's results cannot."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def texts_in(value: t.Any) -> t.Iterator[str]:
    """Yield the texts, and the numbers as text, in the value of a secret option."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
        text = str(value)
        yield text
        # A program that repeats it may strip it.
        if text.strip() not in ("", text):
            yield text.strip()


def mask_result(result: dict[str, t.Any], secrets: t.Any) -> dict[str, t.Any]:
    """Mask a result as AnsibleModule does before it prints one, for action plugins, whose results Ansible does not."""
    flags = {key: value for key, value in result.items() if value is None or isinstance(value, bool)}
    return {**remove_values(result, secrets), **flags}


def mask_values(value: t.Any, secret_option: t.Any) -> t.Any:
    """Mask what a secret option holds, before a text is cut so that only a part of a secret would be left.

    Ansible masks a result only at the end.
    """
    return remove_values(value, set(texts_in(secret_option)))


def blank(value: t.Any, names: t.Container[str]) -> t.Any:
    """Return the value with None in place of every text and number below one of the names."""
    if isinstance(value, dict):
        return {key: _emptied(inner) if key in names else blank(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [blank(inner, names) for inner in value]
    return value


def _emptied(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _emptied(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_emptied(inner) for inner in value]
    return value if isinstance(value, bool) else None
