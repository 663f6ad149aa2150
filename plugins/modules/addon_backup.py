#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: addon_backup
short_description: Take, keep, abort and delete backups of a Northflank addon
version_added: 0.1.0
description:
  - Takes a backup of an addon and waits until it is completed. Waits for one that is under way, keeps one from its
    expiry, aborts or deletes one.
  - With O(name), a backup is taken only where the addon has none of that name that is completed or under way. Without
    O(name) and O(backup_id) every run takes a new one.
  - A request for a backup is never sent a second time while the platform may have carried out the first. After a
    time-out or a broken connection the module looks for a backup that was not there before, and goes on with it. When
    it cannot be told which one it is, or none shows within 30 seconds, the task fails and says so.
  - A backup that fails, is aborted or is not supported fails the task.
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
      - With O(state=present) and neither O(name) nor O(backup_id), every run takes a new backup.
      - With O(state=retained) every run asks to retain the backup, because the platform does not tell whether it is
        retained already.
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
      - With V(present), there is a backup. See O(name) and O(backup_id) for when one is taken.
      - With V(retained), a backup made by a schedule is kept for ever rather than deleted after its expiry date. The
        platform does not tell whether one is retained, so that this always says C(changed). It cannot be taken back;
        the backup can be deleted.
      - With V(aborted), a backup that is under way is aborted. One that has ended is no change, however it ended.
      - With V(absent), a backup is deleted. One that is not there is no change.
    type: str
    choices:
      - present
      - retained
      - aborted
      - absent
    default: present
  backup_id:
    description:
      - A backup by its id. With O(state=present) none is taken, and this one is waited for.
      - Mutually exclusive with O(name) and with what a new backup is like.
    type: str
  name:
    description:
      - A backup by its name, or the name of the one to take. Without it the platform names the backup.
      - The platform wants 3 to 39 letters and digits, with a single blank, C(-), C(/) or C(:) between them.
      - Backups can have the same name. With O(state=present) failed and aborted ones do not count; with
        O(state=aborted) the one that is under way is meant. Where several are left the task fails.
    type: str
  backup_type:
    description:
      - What to take. Without it the platform decides, which takes a V(snapshot).
      - A V(snapshot) of the disk is fast and incremental. A V(dump) can be downloaded, and does not exist for every
        type of addon.
    type: str
    choices:
      - snapshot
      - dump
  compression_type:
    description:
      - How to compress a dump. Without it the platform decides.
    type: str
    choices:
      - gz
      - zstd
  custom_destination_id:
    description:
      - A backup destination of one's own that a dump is put in.
    type: str
  additional_destinations:
    description:
      - Backup destinations of one's own that get a copy.
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
          - Days that the copy is kept there.
        type: int
"""

EXAMPLES = r"""
---
- name: Take a backup before the release, once however often this runs
  quayside.paas.addon_backup:
    project_id: web-shop
    addon_id: orders-db
    name: before release 2-4
    wait_timeout: 3600

- name: Take a dump and put it off site
  quayside.paas.addon_backup:
    project_id: web-shop
    addon_id: orders-db
    backup_type: dump
    compression_type: zstd
    custom_destination_id: offsite-s3
    wait: false
  register: dump

- name: Wait for it later
  quayside.paas.addon_backup:
    project_id: web-shop
    addon_id: orders-db
    backup_id: "{{ dump.backup.id }}"

- name: Keep a nightly backup for ever
  quayside.paas.addon_backup:
    project_id: web-shop
    addon_id: orders-db
    backup_id: nightly-2026-01-14
    state: retained

- name: Delete a backup
  quayside.paas.addon_backup:
    project_id: web-shop
    addon_id: orders-db
    name: before release 2-3
    state: absent
"""

RETURN = r"""
---
backup:
  description:
    - The backup, as M(quayside.paas.addon_backup_info) returns it. V(null) when there is none to delete.
    - In check mode, one that would be taken, with V(null) for what only the platform can tell. One that was deleted, as
      it was before.
  returned: success, and on failure when there is one
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
      description: Id of the backup. V(null) in check mode for one that would be taken.
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
    project_id: web-shop
    addon_id: orders-db
    id: before-release-2-4
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
