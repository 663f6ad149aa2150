# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Lists as a table of text for a terminal."""

from __future__ import annotations

import typing as t
import unicodedata
from collections.abc import Iterable, Sequence

from jinja2 import Undefined


def table_of(rows: Iterable[Sequence[t.Any]], heads: Sequence[str], most: int) -> list[str]:
    """Make the lines of a table.

    Args:
        rows: The rows, each a list of values.
        heads: The titles of the columns; one that begins with > is above numbers.
        most: How many columns of the terminal a cell may take.
    """
    grid = [[head.removeprefix(">") for head in heads]]
    grid += [[_cut(_clean(value), most) for value in row] for row in rows]
    widths = [max(_width(line[place]) for line in grid) for place in range(len(heads))]
    right = [head.startswith(">") for head in heads]
    return ["  ".join(map(_aligned, line, widths, right)).rstrip() for line in grid]


def _clean(value: t.Any) -> str:
    """Write a value on one line, without characters that a terminal obeys."""
    text = "" if value is None or isinstance(value, Undefined) else " ".join(str(value).split())
    # Categories: Cc control, Cs surrogate, Cn and Co unassigned, Cf format, such as the marks of text direction.
    kinds = [(one, unicodedata.category(one)) for one in text]
    shown = ("" if kind == "Cf" else "?" if kind.startswith("C") else one for one, kind in kinds)
    return "".join(shown).strip()


def _cut(text: str, most: int) -> str:
    if _width(text) <= most:
        return text
    kept = ""
    for character in text:
        if _width(kept) + _columns(character) >= most:
            break
        kept += character
    return f"{kept.rstrip()}…"


def _width(text: str) -> int:
    return sum(_columns(one) for one in text)


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _aligned(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - _width(text))
    return blanks + text if right else text + blanks
