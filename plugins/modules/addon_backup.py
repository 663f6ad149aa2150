#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: addon_backup
short_description: Create, retain, abort or delete backups of a Northflank addon
version_added: 0.1.0
description:
  - Creates a backup of an addon and waits until it is completed. Can also wait for a backup in progress, retain a
    scheduled backup past its expiry date, or abort or delete a backup.
  - With O(name), a backup is created only if the addon has none of that name that is completed or in progress. Without
    O(name) and O(backup_id), every run creates a backup.
  - A request to create a backup that may have succeeded is never sent again. After a timeout or a broken connection,
    the module looks for a new backup for up to 30 seconds and resumes with it. If it finds none, or cannot identify it,
    the task fails.
  - The task fails if the backup fails, is aborted or is not supported.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._northflank
  - quayside.paas._northflank.actiongroup
  - quayside.paas._northflank.wait
  - quayside.paas._module
  - quayside.paas._module.in_process
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(state=present) and neither O(name) nor O(backup_id), every run creates a backup.
      - With O(state=retained), every run sends the request, because the platform does not report whether a backup is
        retained.
options:
  project_id:
    description:
      - The project of the addon, as its id (V(my-shop) for a project called "My Shop").
    type: str
    required: true
  addon_id:
    description:
      - The addon.
    type: str
    required: true
  state:
    description:
      - V(present) ensures that there is a backup. See O(name) and O(backup_id) for when one is created.
      - V(retained) keeps a scheduled backup instead of deleting it after its expiry date. This cannot be undone, but
        the backup can be deleted. The task always reports C(changed).
      - V(aborted) aborts a backup in progress. No change if the backup is finished.
      - V(absent) deletes a backup. No change if it does not exist.
    type: str
    choices:
      - present
      - retained
      - aborted
      - absent
    default: present
  backup_id:
    description:
      - Id of a backup. With O(state=present), the task waits for this backup and creates none.
      - Mutually exclusive with O(name) and with the options of a new backup.
    type: str
  name:
    description:
      - Name of the backup to find or to create. By default, the platform chooses the name of a new backup.
      - It must have 3 to 39 letters and digits, which single spaces, C(-), C(/) or C(:) can separate.
      - Several backups can have the same name. O(state=present) ignores failed and aborted ones. O(state=aborted)
        selects the one in progress. The task fails if several backups remain.
    type: str
  backup_type:
    description:
      - Type of the backup. By default, the platform creates a V(snapshot).
      - A V(snapshot) of the disk is fast and incremental. A V(dump) can be downloaded, but not every type of addon
        supports it.
    type: str
    choices:
      - snapshot
      - dump
  compression_type:
    description:
      - Compression of a dump. By default, the platform decides.
    type: str
    choices:
      - gz
      - zstd
  custom_destination_id:
    description:
      - Id of a custom backup destination in which to store a dump.
    type: str
  additional_destinations:
    description:
      - Custom backup destinations that receive a copy.
    type: list
    elements: dict
    suboptions:
      destination_id:
        description:
          - The destination.
        type: str
        required: true
      retention_time:
        description:
          - Days to keep the copy.
        type: int
"""

EXAMPLES = r"""
---
- name: Create a backup before the release, only once however often the task runs
  quayside.paas.addon_backup:
    project_id: storefront
    addon_id: orders-postgres
    name: before release 2-4
    wait_timeout: 3600

- name: Start a dump to an off-site destination and do not wait for it
  quayside.paas.addon_backup:
    project_id: storefront
    addon_id: orders-postgres
    backup_type: dump
    compression_type: zstd
    custom_destination_id: offsite-s3
    wait: false
  register: dump

- name: Wait for the dump
  quayside.paas.addon_backup:
    project_id: storefront
    addon_id: orders-postgres
    backup_id: "{{ dump.backup.id }}"

- name: Keep a nightly backup past its expiry date
  quayside.paas.addon_backup:
    project_id: storefront
    addon_id: orders-postgres
    backup_id: nightly-2026-11-01
    state: retained

- name: Delete a backup
  quayside.paas.addon_backup:
    project_id: storefront
    addon_id: orders-postgres
    name: before release 2-3
    state: absent
"""

RETURN = r"""
---
backup:
  description:
    - The backup, as M(quayside.paas.addon_backup_info) returns it. V(null) if there is none to delete. A deleted
      backup is returned as it was before.
    - In check mode, the backup that would be created, with V(null) for values that only the platform can provide.
  returned: success, and on failure if there is one
  type: dict
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
      description: Id of the backup. V(null) in check mode if it would be created.
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
      returned: when it is stored in a custom destination and the backup was found by its name
      type: str
    last_restore:
      description: Time stamp and status of the last restore.
      returned: when there was one and the backup was read by itself, as after waiting for it
      type: dict
  sample:
    project_id: storefront
    addon_id: orders-postgres
    id: nightly-2026-11-01
    uid: 668596c647fed81696a8a82c
    name: before release 2-4
    status: completed
    created_at: "2026-01-14T09:00:00.000Z"
    completed_at: "2026-01-14T09:06:41.000Z"
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

from ..module_utils._module.action import action_module
from ..module_utils._module.runner import run_module
from ..module_utils._northflank import backups
from ..module_utils._northflank.api import Northflank

MODULE = action_module(Northflank, backups.plan, backups.ARGUMENTS)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
