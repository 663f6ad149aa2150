# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: collection_version
short_description: The version of an installed collection
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Tells whether Ansible finds a collection on the controller, and which version of it. So a role can say what is
    missing before it includes tasks that would not even be read without it.
options:
  _input:
    description: Name of the collection, as V(awx.awx).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Say what is missing
  ansible.builtin.assert:
    that: ('awx.awx' | quayside.paas.collection_version) != ''
    fail_msg: This needs the collection awx.awx. Install it with ansible-galaxy collection install awx.awx.
"""

RETURN = r"""
_value:
  description: The version, empty when the collection is not installed, V(*) when it does not say.
  type: str
"""

import importlib.util
import json
import typing as t
from pathlib import Path

from ansible.errors import AnsibleFilterError


def collection_version(name: t.Any) -> str:
    """See the documentation. Raises AnsibleFilterError for what is no name of a collection."""
    parts = str(name).split(".")
    if len(parts) != 2 or not all(part.isidentifier() for part in parts):
        raise AnsibleFilterError(
            f"collection_version wants the name of a collection, such as awx.awx, and got {name!r}."
        )
    try:
        found = importlib.util.find_spec(f"ansible_collections.{name}")
    except ModuleNotFoundError:  # not even the namespace
        found = None
    if found is None:
        return ""
    for folder in found.submodule_search_locations or ():
        manifest = Path(folder) / "MANIFEST.json"
        if manifest.is_file():
            return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    return "*"  # a checkout


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters by name."""
        return {"collection_version": collection_version}
