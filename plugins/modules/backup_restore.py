#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: backup_restore
short_description: Restore a backup into a Northflank addon
version_added: 0.1.0
description:
  - Restores a backup into an addon and waits until that is completed, waits for a restore that is under way, or aborts
    one.
  - A restore B(replaces the data that the addon has). What was written since the backup is lost, and there is no way
    back but another backup. One that fails or is aborted may leave the data incomplete.
  - Every run starts a restore, with two exceptions. A restore of the same backup into the same addon that is under way
    is gone on with, which is no change. With O(restore_id) none is started.
  - Two restores at a time into one addon are never begun. A restore of another backup that is under way is an error.
  - A request for a restore is never sent a second time while the platform may have carried out the first. After a
    time-out or a broken connection the module looks for a restore that was not there before, and goes on with it. When
    it cannot be told which one it is, or none shows within 30 seconds, the task fails and says so.
  - A restore that fails, is aborted or is not supported fails the task, and so does a backup that is not completed.
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
      - With O(state=present) and without O(restore_id), every run that finds none under way restores again.
options:
  project_id:
    description:
      - The project of the addon that is restored, as its id (V(my-shop) for a project called "My Shop").
    type: str
    required: true
  addon_id:
    description:
      - The addon that is restored. Its data is replaced.
    type: str
    required: true
  backup_id:
    description:
      - The backup to restore.
    type: str
    required: true
  source_project_id:
    description:
      - The project of the addon that the backup was made of, for a global backup of another addon.
    type: str
  source_addon_id:
    description:
      - The addon that the backup was made of, for a global backup of another addon.
    type: str
  state:
    description:
      - With V(present), the backup is restored.
      - With V(aborted), a restore that is under way is aborted. One that has ended is no change, however it ended.
    type: str
    choices:
      - present
      - aborted
    default: present
  restore_id:
    description:
      - A restore by its id. With O(state=present) none is started, and this one is waited for.
      - With O(state=aborted), the restore to abort. Without it, the one of this backup that is under way; none is no
        change.
    type: str
"""

EXAMPLES = r"""
---
- name: Restore a backup
  quayside.paas.backup_restore:
    project_id: staging
    addon_id: orders-db
    backup_id: before-release-2-4
    wait_timeout: 3600

- name: Restore the backup of the shop's database into another addon
  quayside.paas.backup_restore:
    project_id: staging
    addon_id: orders-db-copy
    backup_id: nightly-2026-01-14
    source_project_id: web-shop
    source_addon_id: orders-db
    wait: false
  register: begun

- name: Wait for it later
  quayside.paas.backup_restore:
    project_id: staging
    addon_id: orders-db-copy
    backup_id: nightly-2026-01-14
    source_project_id: web-shop
    source_addon_id: orders-db
    restore_id: "{{ begun.restore.id }}"

- name: Abort whatever restore of a backup is under way
  quayside.paas.backup_restore:
    project_id: staging
    addon_id: orders-db
    backup_id: before-release-2-4
    state: aborted
"""

RETURN = r"""
---
restore:
  description:
    - The restore, as M(quayside.paas.backup_restore_info) returns it. V(null) when there is none to abort.
    - In check mode, one that would be begun, with V(null) for what only the platform can tell.
  returned: success, and on failure when there is one
  type: dict
  contains:
    project_id:
      description: The project of the addon.
      returned: always
      type: str
    addon_id:
      description: The addon that is restored.
      returned: always
      type: str
    backup_id:
      description: The backup that was restored.
      returned: always
      type: str
    id:
      description:
        - Id of the restore. A string, also where the platform sends a number. V(null) in check mode for one that would
          be begun.
      returned: always
      type: str
    status:
      description:
        - State of the restore, for example V(completed) or V(failed). V(null) as long as the platform does not show it.
      returned: always
      type: str
    restore_timestamp:
      description: Start time. V(null) as long as the platform does not show it.
      returned: always
      type: str
    completed_at:
      description: Completion time.
      returned: when it is finished
      type: str
  sample:
    project_id: staging
    addon_id: orders-db
    backup_id: before-release-2-4
    id: 668596c647fed81696a8a82c
    status: completed
    restore_timestamp: "2021-01-20T11:19:54.494Z"
    completed_at: "2021-01-20T11:21:02.118Z"
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
from ..module_utils._northflank import restores
from ..module_utils._northflank.api import Northflank

MODULE = action_module(Northflank, restores.plan, restores.ARGUMENTS)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
