#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: addon_container_info
short_description: Read the containers of Northflank addons
version_added: 0.1.0
description:
  - Returns the containers of one addon, or of every addon of a project.
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
      - The project to read from, as its id (V(my-shop) for a project called "My Shop").
    type: str
    required: true
  addon_id:
    description:
      - Read the containers of this addon only. By default, those of every addon of the project.
    type: str
"""

EXAMPLES = r"""
---
- name: Read the containers of one addon
  quayside.paas.addon_container_info:
    project_id: storefront
    addon_id: orders-postgres
  register: found

- name: Fail if one of them is not running
  ansible.builtin.assert:
    that: found.containers | rejectattr('status', 'eq', 'TASK_RUNNING') | length == 0

- name: Read the containers of every addon of a project
  quayside.paas.addon_container_info:
    project_id: storefront
  register: all_of_them

- name: Count them by addon
  ansible.builtin.debug:
    msg: "{{ item.0 }}: {{ item.1 | length }}"
  loop: "{{ all_of_them.containers | groupby('addon_id') }}"
  loop_control:
    label: "{{ item.0 }}"
"""

RETURN = r"""
---
containers:
  description: The containers.
  returned: success
  type: list
  elements: dict
  contains:
    project_id:
      description: The project of the addon.
      returned: always
      type: str
    addon_id:
      description: The addon of the container.
      returned: always
      type: str
    name:
      description: Name of the container.
      returned: always
      type: str
    status:
      description: State of the container, for example V(TASK_RUNNING).
      returned: always
      type: str
    created_at:
      description: Creation time, in seconds since 1970.
      returned: always
      type: int
    updated_at:
      description: Time of the last change, in seconds since 1970.
      returned: always
      type: int
    node_name:
      description: The node that it runs on.
      returned: on your own clusters
      type: str
    node_pool_user_id:
      description: Name that the owner gave to the node pool.
      returned: on your own clusters
      type: str
    node_pool_provider_id:
      description: Name that the cloud provider gave to the node pool.
      returned: on your own clusters
      type: str
    host:
      description: Address of the node.
      returned: on your own clusters
      type: str
    ip_addresses:
      description: Addresses of the container.
      returned: on your own clusters
      type: list
      elements: str
  sample:
    - project_id: default-project
      addon_id: example-addon
      name: example-service-78b4d4459d-sbtn8
      status: TASK_RUNNING
      created_at: 1611241087
      updated_at: 1611241087
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
from ..module_utils._northflank.resources import ADDON_CONTAINER

MODULE = info_module(Northflank, ADDON_CONTAINER, required=("project_id",))


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
