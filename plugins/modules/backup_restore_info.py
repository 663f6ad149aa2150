#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: backup_restore_info
short_description: Read the restores of Northflank addon backups
version_added: 0.1.0
description:
  - Returns the restores of one backup, of all backups of an addon, or of all addons of a project.
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
      - Read the restores of this addon only. By default, those of every addon of the project.
    type: str
  backup_id:
    description:
      - Read the restores of this backup only. Needs O(addon_id).
    type: str
  source_project_id:
    description:
      - The project of the addon that the backup was made of, for a global backup of another addon. Needs O(backup_id).
    type: str
  source_addon_id:
    description:
      - The addon that the backup was made of, for a global backup of another addon. Needs O(backup_id).
    type: str
"""

EXAMPLES = r"""
---
- name: Read the restores of one backup
  quayside.paas.backup_restore_info:
    project_id: storefront
    addon_id: orders-postgres
    backup_id: nightly-2026-11-01

- name: Read the restores of all backups of an addon
  quayside.paas.backup_restore_info:
    project_id: storefront
    addon_id: orders-postgres
  register: found

- name: Name the restores that failed
  ansible.builtin.debug:
    msg: "{{ item.id }} of backup {{ item.backup_id }}, begun {{ item.restore_timestamp }}"
  loop: "{{ found.restores | selectattr('status', 'eq', 'failed') }}"
  loop_control:
    label: "{{ item.id }}"

- name: Read the restores of a global backup into another addon
  quayside.paas.backup_restore_info:
    project_id: staging
    addon_id: restore-scratch
    backup_id: nightly-2026-11-01
    source_project_id: storefront
    source_addon_id: orders-postgres
"""

RETURN = r"""
---
restores:
  description: The restores.
  returned: success
  type: list
  elements: dict
  contains:
    project_id:
      description: The project of the addon.
      returned: always
      type: str
    addon_id:
      description: The addon of the restore.
      returned: always
      type: str
    backup_id:
      description: The backup that was restored.
      returned: always
      type: str
    id:
      description: Id of the restore. A string, also where the platform sends a number.
      returned: always
      type: str
    status:
      description: State of the restore, for example V(completed) or V(failed).
      returned: always
      type: str
    restore_timestamp:
      description: Start time.
      returned: always
      type: str
    completed_at:
      description: Completion time.
      returned: when it is finished
      type: str
  sample:
    - project_id: storefront
      addon_id: orders-postgres
      backup_id: nightly-2026-11-01
      id: 668596c647fed81696a8a82c
      status: completed
      restore_timestamp: "2021-01-20T11:19:54.494Z"
      completed_at: "2021-01-20T11:19:54.494Z"
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
from ..module_utils._northflank.resources import BACKUP_RESTORE

MODULE = info_module(Northflank, BACKUP_RESTORE, required=("project_id",))


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
