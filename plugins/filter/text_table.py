# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists as a table of text."""

from __future__ import annotations

DOCUMENTATION = r"""
name: text_table
short_description: Lists as the lines of a text table
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Aligns columns for a terminal. Characters that take two columns, or none, are counted so.
  - Blank space of any kind becomes one blank, and control characters, which a terminal would obey, become V(?).
positional: _input
options:
  _input:
    description: The rows, each a list of values. A null, or what is undefined, is an empty cell.
    type: list
    elements: list
    required: true
  heads:
    description: The titles of the columns. One that begins with V(>) stands above numbers, aligned on the right.
    type: list
    elements: str
    required: true
  most:
    description: How many columns of the terminal a cell takes at most. What is longer is cut and ends with V(…).
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Show the projects
  ansible.builtin.debug:
    msg: "{{ found.projects | map(attribute='id') | zip(found.projects | map(attribute='name'))
      | quayside.paas.text_table(heads=['ID', 'NAME']) }}"
"""

RETURN = r"""
_value:
  description: The lines of the table, the first of which are the titles.
  type: list
  elements: str
"""

import typing as t
import unicodedata
from collections.abc import Iterable, Sequence

from jinja2 import Undefined


def text_table(rows: Iterable[Sequence[t.Any]], heads: Sequence[str], most: int = 30) -> list[str]:
    """The lines of a table; for what goes in see the documentation above."""
    grid = [[head.removeprefix(">") for head in heads]]
    grid += [[_cut(_clean(value), most) for value in row] for row in rows]
    widths = [max(_width(line[place]) for line in grid) for place in range(len(heads))]
    right = [head.startswith(">") for head in heads]
    return ["  ".join(map(_aligned, line, widths, right)).rstrip() for line in grid]


def _clean(value: t.Any) -> str:
    text = "" if value is None or isinstance(value, Undefined) else " ".join(str(value).split())
    # Categories: Cc control, Cs surrogate, Cn and Co nobody's, Cf format such as the mark for text from right to left.
    shown = ("" if _kind(one) == "Cf" else "?" if _kind(one).startswith("C") else one for one in text)
    return "".join(shown).strip()


def _kind(character: str) -> str:
    return unicodedata.category(character)


def _width(text: str) -> int:
    return sum(_columns(one) for one in text)


def _columns(character: str) -> int:
    if _kind(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, most: int) -> str:
    if _width(text) <= most:
        return text
    kept = ""
    for character in text:
        if _width(kept) + _columns(character) >= most:
            break
        kept += character
    return f"{kept.rstrip()}…"


def _aligned(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - _width(text))
    return blanks + text if right else text + blanks


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Any]:
        """The filter by its name."""
        return {"text_table": text_table}
