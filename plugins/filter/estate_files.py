# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: estate_files
short_description: Writes a report on an estate as HTML, JSON and CSV
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Turns what P(quayside.paas.estate_report#filter) returns into the texts of three files.
  - The page needs nothing but itself. Texts from the platforms are escaped in it, and in the CSV none can be taken for
    a formula. JSON and CSV have every row.
positional: _input, folder
options:
  _input:
    description: The report.
    type: dict
    required: true
  folder:
    description: The folder with the template, the style and the script of the page, C(files) of the role.
    type: path
    required: true
  rows:
    description:
      - How many rows a table of the page may have. The worst are kept, and the page says how many are left out.
    type: int
    default: 500
"""

EXAMPLES = r"""
- name: Write the page only
  ansible.builtin.copy:
    content: "{{ (report | quayside.paas.estate_files(role_path ~ '/files')).html }}"
    dest: /var/www/estate.html
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The texts of the files.
  type: dict
  contains:
    html:
      description: The page.
      type: str
    json:
      description: The report, with the keys in their order.
      type: str
    csv:
      description: One line for each row of each table.
      type: str
"""

import json
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.quayside.paas.plugins.plugin_utils._estate_csv import csv_of
from ansible_collections.quayside.paas.plugins.plugin_utils._estate_facts import plain
from ansible_collections.quayside.paas.plugins.plugin_utils._estate_page import page_of


def estate_files(report: t.Any, folder: str, rows: int = 500) -> dict[str, str]:
    """See DOCUMENTATION. Raises AnsibleFilterError when the folder lacks a file."""
    given = plain(report)
    try:
        page = page_of(given, str(folder), max(1, int(rows)))
    except OSError as error:
        raise AnsibleFilterError(f"estate_files: cannot read the parts of the page: {error}") from error
    return {
        "html": page,
        "json": json.dumps(given, indent=1, ensure_ascii=False) + "\n",
        "csv": csv_of(given),
    }


class FilterModule:
    def filters(self) -> dict[str, t.Any]:
        return {"estate_files": estate_files}
