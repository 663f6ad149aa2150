#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: addon_backup_info
short_description: Read the backups of Northflank addons
version_added: 0.1.0
description:
  - Returns the backups of one addon, or of every addon of a project, or one backup with its last restore.
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
      - Read the backups of this addon only. By default, those of every addon of the project.
    type: str
  backup_id:
    description:
      - Read this backup only, with its last restore. Needs O(addon_id).
      - If it does not exist, the list is empty.
    type: str
"""

EXAMPLES = r"""
---
- name: Read the backups of one addon
  quayside.paas.addon_backup_info:
    project_id: storefront
    addon_id: orders-postgres
  register: found

- name: Fail if none is completed
  ansible.builtin.assert:
    that: found.backups | selectattr('status', 'eq', 'completed') | length > 0

- name: Read the first backups of the list
  quayside.paas.addon_backup_info:
    project_id: storefront
    addon_id: orders-postgres
    limit: 5

- name: Read the backups of every addon of a project
  quayside.paas.addon_backup_info:
    project_id: storefront

- name: Read one backup with its last restore
  quayside.paas.addon_backup_info:
    project_id: storefront
    addon_id: orders-postgres
    backup_id: nightly-2026-11-01
"""

RETURN = r"""
---
backups:
  description: The backups.
  returned: success
  type: list
  elements: dict
  contains:
    project_id:
      description: The project of the addon.
      returned: always
      type: str
    addon_id:
      description: The addon of the backup.
      returned: always
      type: str
    id:
      description: Id of the backup.
      returned: always
      type: str
    uid:
      description: Id of the backup that never changes.
      returned: when the platform reports it
      type: str
    name:
      description: Name of the backup.
      returned: always
      type: str
    status:
      description: State of the backup, for example V(completed) or V(in-progress).
      returned: always
      type: str
    created_at:
      description: Start time.
      returned: always
      type: str
    completed_at:
      description: Completion time.
      returned: when it is finished
      type: str
    config:
      description: Its C(size) as a string of bytes, its C(source), compression and version.
      returned: always
      type: dict
    custom_destination_id:
      description: Destination that stores it.
      returned: when it is stored in a custom destination
      type: str
    last_restore:
      description: Time stamp and status of the last restore.
      returned: with O(backup_id), when there was one
      type: dict
  sample:
    - project_id: storefront
      addon_id: orders-postgres
      id: nightly-2026-11-01
      uid: 668596c647fed81696a8a82c
      name: nightly/2026-11-01
      status: completed
      created_at: "2026-01-14T02:00:00.000Z"
      completed_at: "2026-01-14T02:06:41.000Z"
      config:
        size: "734003200"
        source:
          type: liveInstance
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
from ..module_utils._northflank.resources import ADDON_BACKUP

MODULE = info_module(Northflank, ADDON_BACKUP, required=("project_id",))


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
