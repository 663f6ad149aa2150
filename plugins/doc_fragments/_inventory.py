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
    description: Marks the file as a configuration of this plugin.
    type: str
    required: true
  hostname:
    description:
      - A template that renders the name of a host from its facts. By default, the usual name is used.
      - If it cannot be rendered, the usual name is used, with a warning. With O(strict), the inventory fails instead.
      - Characters other than letters, digits, C(.), C(-) and C(_) are replaced by C(_), and so is a leading C(.) or
        C(-). An empty name is replaced by C(host).
      - C(_) and 12 digits are appended to a name that was empty, is reserved (such as C(all) or C(localhost)), or is
        that of a group, of another host, or of a host of another inventory of the collection that was read before. The
        digits depend only on the identity of the host on the platform. All hosts that share a name get them.
      - Ansible warns about changed names.
    type: str
  prefix:
    description: Prefix of the names of facts and built-in groups. Letters, digits and underscores.
    type: str
  connection:
    description:
      - Whether to set C(ansible_connection), and the variables that the connection plugin needs to connect to the host.
      - A token or key in the file is not set as a variable. It is only kept in memory.
    type: bool
    default: true
  concurrency:
    description: Maximum number of concurrent requests, V(1) to V(32).
    type: int
    default: 4
notes:
  - Text from the platform is never evaluated as a template.
  - The cache contains no secrets. It is not used if the options select other data than it contains, and not written if
    something could not be read.
  - Options except O(hostname), O(compose), O(groups) and O(keyed_groups) can be templates or vaulted values. They can
    use lookups and extra variables.
"""
