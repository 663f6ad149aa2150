#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: addon_version_info
short_description: Read the versions of Northflank addons
version_added: 0.1.0
description:
  - Returns for an addon, for every addon of a project, or for every addon of every project, which version it has,
    whether and until when that is supported, what it can be upgraded to, and what upgrades there were.
  - Each addon has one item. Where the platform tells no version, as it may be for buckets and addons of one's own kind,
    the item has V(null) for the version.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._northflank
  - quayside.paas._northflank.actiongroup
  - quayside.paas._module
  - quayside.paas._module.info_module
  - quayside.paas._module.in_process
  - quayside.paas._module.list
  - quayside.paas._module.fan
options:
  project_id:
    description:
      - Read the addons of this project only, as its id (V(my-shop) for a project called "My Shop"). Without it,
        those of every project.
    type: str
  addon_id:
    description:
      - Read this addon only. Needs O(project_id).
    type: str
"""

EXAMPLES = r"""
---
- name: Read the version of one addon
  quayside.paas.addon_version_info:
    project_id: storefront
    addon_id: orders-postgres

- name: Read the versions of all addons
  quayside.paas.addon_version_info:
  register: found

- name: Show the addons whose version is deprecated or discontinued
  ansible.builtin.debug:
    msg: "{{ item.addon_id }}: {{ item.version }}, until {{ item.discontinued_by | default('no date') }}"
  loop: "{{ found.addon_versions | selectattr('lifecycle_status', 'in', ['deprecated', 'discontinued']) }}"
  loop_control:
    label: "{{ item.addon_id }}"
"""

RETURN = r"""
---
addon_versions:
  description: The addons, each with its version.
  returned: success
  type: list
  elements: dict
  contains:
    project_id:
      description: The project of the addon.
      returned: always
      type: str
    addon_id:
      description: The addon.
      returned: always
      type: str
    version:
      description: Its version. V(null) where the platform tells none.
      returned: always
      type: str
    lifecycle_status:
      description:
        - Whether the version is V(active), V(deprecated) or V(discontinued). V(null) where the platform tells none.
      returned: always
      type: str
    discontinued_by:
      description: When it is no longer supported, as the platform writes it, for example V(01.08.2021).
      returned: when the platform reports it
      type: str
    upgrade_to:
      description: What it can be upgraded to, each with its C(version) and the C(type) of the upgrade.
      returned: always
      type: list
      elements: dict
    upgrade_history:
      description:
        - The upgrades so far, each with C(upgrade_id), C(upgrade_type), C(previous_version), C(new_version),
          C(created_at), C(completed_at) and its C(status.status).
      returned: always
      type: list
      elements: dict
  sample:
    - project_id: storefront
      addon_id: orders-postgres
      version: 14.5.0
      lifecycle_status: deprecated
      discontinued_by: 01.08.2027
      upgrade_to:
        - version: 14.9.0
          type: minor
      upgrade_history: []
rate_limit:
  description: The last reported rate limit, with C(reset) in seconds. Values that were not reported are V(null).
  returned: always
  type: dict
  sample: {limit: 1000, remaining: 987, reset: 3412}
request_count:
  description: Number of requests sent, including retries.
  returned: always
  type: int
  sample: 1
error:
  description: The failed request, the C(status) of the response, and the platform's error. Missing values are V(null).
  returned: failure
  type: dict
  sample: {method: GET, path: /v1/projects/shop/addons, status: 403, code: null, id: 66c5d1a2e9, details: null}
"""

from ..module_utils._module.info import info_module
from ..module_utils._module.runner import run_module
from ..module_utils._northflank.api import Northflank
from ..module_utils._northflank.resources import ADDON_VERSION

MODULE = info_module(Northflank, ADDON_VERSION)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
