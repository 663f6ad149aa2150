# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: text_table
short_description: Lists as the lines of a text table
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Aligns columns for a terminal, and takes into account that some characters take two columns, or none.
  - Whitespace of any kind becomes one blank. Control characters, which a terminal would obey, become V(?).
positional: _input
options:
  _input:
    description: The rows, each a list of values. A null or undefined value is an empty cell.
    type: list
    elements: list
    required: true
  heads:
    description: The titles of the columns. A column whose title begins with V(>) is aligned on the right, for numbers.
    type: list
    elements: str
    required: true
  most:
    description: The largest width of a cell, in columns of the terminal. Longer text is cut and ends with V(…).
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
from collections.abc import Iterable, Sequence

from ..plugin_utils._text_table import table_of


def text_table(rows: Iterable[Sequence[t.Any]], heads: Sequence[str], most: int = 30) -> list[str]:
    """Make the lines of a table; see DOCUMENTATION."""
    return table_of(rows, heads, most)


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, t.Any]:
        """Get the filter by its name."""
        return {"text_table": text_table}
