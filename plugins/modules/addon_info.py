#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: addon_info
short_description: Read Northflank addons
version_added: 0.1.0
description:
  - Returns all addons of a project, or one in full.
  - The platform lists addons without their configuration. O(full) reads each of them in full, one request an addon.
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
      - Read this addon only, in full.
      - If it does not exist, the list is empty.
    type: str
  full:
    description:
      - Read each addon of the list in full.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Read all addons of a project
  quayside.paas.addon_info:
    project_id: storefront
  register: found

- name: Show those that are not running
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.status }}"
  loop: "{{ found.addons | rejectattr('status', 'eq', 'running') }}"
  loop_control:
    label: "{{ item.id }}"

- name: Read one addon in full
  quayside.paas.addon_info:
    project_id: storefront
    addon_id: orders-postgres
  register: orders

- name: Fail if the version is out of support
  ansible.builtin.assert:
    that: orders.addons[0].spec.config.lifecycle_status == 'active'

- name: Read all addons with their configuration, eight at a time
  quayside.paas.addon_info:
    project_id: storefront
    full: true
    concurrency: 8
"""

RETURN = r"""
---
addons:
  description: The addons.
  returned: success
  type: list
  elements: dict
  contains:
    project_id:
      description: The project of the addon.
      returned: always
      type: str
    id:
      description: Id of the addon.
      returned: always
      type: str
    uid:
      description: Id of the addon that never changes.
      returned: when the platform reports it
      type: str
    app_id:
      description: Full id, with account and project.
      returned: always
      type: str
    name:
      description: Name of the addon.
      returned: always
      type: str
    description:
      description: Description set by its owner.
      returned: when there is one
      type: str
    tags:
      description: Tags of the addon.
      returned: when the platform reports it
      type: list
      elements: str
    stage_id:
      description: The stage of the pipeline that it belongs to.
      returned: when there is one
      type: str
    status:
      description:
        - State of the addon, for example V(running), V(paused), V(backup), V(failed). Other states of the platform are
          returned unchanged.
      returned: always
      type: str
    created_at:
      description: Creation time.
      returned: when read in full
      type: str
    cluster:
      description: The cluster that it runs on.
      returned: when read in full and the platform reports it
      type: dict
    spec:
      description: Type and configuration.
      returned: always
      type: dict
      contains:
        type:
          description: Type of the addon.
          returned: always
          type: str
        config:
          description:
            - Configuration. A managed database has C(version_tag), C(lifecycle_status), C(deployment) and
              C(networking), a custom addon has C(template_values) or C(template_values_redacted), a managed bucket
              has C(region).
          returned: when read in full
          type: dict
        pending_actions:
          description: Changes that are pending.
          returned: when read in full and the platform reports it
          type: list
          elements: dict
  sample:
    - project_id: default-project
      id: example-addon
      name: Example Addon
      app_id: /example-user/default-project/example-addon
      description: This is the addon description
      created_at: "2021-01-20T11:19:53.175Z"
      status: running
      spec:
        type: mongodb
        config:
          version_tag: 4.2.14
          lifecycle_status: active
          deployment:
            replicas: 1
            storage_size: 1024
            plan_id: nf-compute-20
            region: europe-west
          networking:
            tls_enabled: true
            external_access_enabled: true
            ip_policies:
              - address: 127.0.0.1
                action: ALLOW
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
from ..module_utils._northflank.resources import ADDON

MODULE = info_module(Northflank, ADDON, required=("project_id",), full=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
