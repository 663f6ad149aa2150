# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # What the inventories of both platforms share, see plugin_utils/_inventory.py. They add the choices of plugin, the
    # default of prefix, and builtin_groups.
    DOCUMENTATION = r"""
options:
  plugin:
    description: Says that the file belongs to this plugin.
    type: str
    required: true
  hostname:
    description:
      - A template that gives the name of a host from its facts. Without it the usual name is used.
      - Where it cannot be rendered, the usual name is used, with a warning; with O(strict) the inventory fails.
      - Characters other than letters, digits, C(.), C(-) and C(_) become C(_), and so does a C(.) or C(-) at the
        beginning. An empty name becomes C(host).
      - Each host whose name is then empty, that of another host, of a group, or one that Ansible understands otherwise,
        such as C(all) or C(localhost), gets C(_) and 12 digits appended, which depend on what identifies the host on
        the platform, and on nothing else. So of several hosts with one name none has just that name.
      - The same goes for a host that has the name of one of another inventory of the collection, read before.
      - Ansible warns about changed names.
    type: str
  prefix:
    description: What the names of facts and of built-in groups begin with. Letters, digits and underscores.
    type: str
  connection:
    description:
      - Set C(ansible_connection), and the variables that the connection plugin needs to reach the host, so that plays
        can go there at once.
      - A token or key that stands in the file is not among the variables; it is kept in the memory of the run.
    type: bool
    default: true
  concurrency:
    description: How many requests may be under way at once, V(1) to V(32).
    type: int
    default: 4
notes:
  - Options except O(hostname), O(compose), O(groups) and O(keyed_groups) may be templates or vaulted values. They can
    use lookups and extra variables.
  - No text from the platform is ever taken for a template.
  - The cache holds what was read, without secrets. It is not used when the options ask for something else than is in
    it, and keeps nothing when something could not be read.
"""
