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
  - A restore B(replaces the data of the addon). Data written since the backup is lost, and only another backup can
    bring it back. A restore that fails or is aborted may leave incomplete data.
  - Restores a backup into an addon and waits until the restore is completed. Can also wait for a restore in progress or
    abort one.
  - Every run starts a restore, unless O(restore_id) is set or the same backup is already being restored into the addon.
    In these cases the task waits for that restore, which is no change.
  - Two restores into one addon never run at the same time. The task fails if a restore of another backup is in
    progress.
  - A request to start a restore that may have succeeded is never sent again. After a timeout or a broken connection,
    the module looks for a new restore for up to 30 seconds and resumes with it. If it finds none, or cannot identify
    it, the task fails.
  - The task fails if the restore fails, is aborted or is not supported, or if the backup is not completed.
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
      - With O(state=present) and without O(restore_id), every run that finds no restore in progress starts one.
options:
  project_id:
    description:
      - Id of the project of the addon to restore into (V(my-shop) for a project called "My Shop").
    type: str
    required: true
  addon_id:
    description:
      - The addon to restore into. Its data is replaced.
    type: str
    required: true
  backup_id:
    description:
      - The backup to restore.
    type: str
    required: true
  source_project_id:
    description:
      - Id of the project of O(source_addon_id), to restore a global backup of another addon.
    type: str
  source_addon_id:
    description:
      - Id of the addon that the backup was created from, to restore a global backup of another addon.
    type: str
  state:
    description:
      - V(present) restores the backup.
      - V(aborted) aborts a restore in progress. No change if the restore is finished.
    type: str
    choices:
      - present
      - aborted
    default: present
  restore_id:
    description:
      - Id of a restore. With O(state=present), the task waits for this restore and starts none.
      - With O(state=aborted), the restore to abort. By default, the one of this backup that is in progress. No change
        if there is none.
    type: str
"""

EXAMPLES = r"""
---
- name: Restore a backup
  quayside.paas.backup_restore:
    project_id: staging
    addon_id: ledger-postgres
    backup_id: nightly-2026-11-01
    wait_timeout: 3600

- name: Restore a backup into an addon of another project, and do not wait for it
  quayside.paas.backup_restore:
    project_id: staging
    addon_id: restore-scratch
    backup_id: nightly-2026-11-01
    source_project_id: storefront
    source_addon_id: orders-postgres
    wait: false
  register: started

- name: Wait for the restore
  quayside.paas.backup_restore:
    project_id: staging
    addon_id: restore-scratch
    backup_id: nightly-2026-11-01
    source_project_id: storefront
    source_addon_id: orders-postgres
    restore_id: "{{ started.restore.id }}"

- name: Abort the restore of a backup that is in progress
  quayside.paas.backup_restore:
    project_id: staging
    addon_id: ledger-postgres
    backup_id: nightly-2026-11-01
    state: aborted
"""

RETURN = r"""
---
restore:
  description:
    - The restore, as M(quayside.paas.backup_restore_info) returns it. V(null) if there is none to abort.
    - In check mode, the restore that would be started, with V(null) for values that only the platform can provide.
  returned: success, and on failure if there is one
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
        - State of the restore, for example V(completed) or V(failed). V(null) until the platform reports it.
      returned: always
      type: str
    restore_timestamp:
      description: Start time. V(null) until the platform reports it.
      returned: always
      type: str
    completed_at:
      description: Completion time.
      returned: when it is finished
      type: str
  sample:
    project_id: staging
    addon_id: ledger-postgres
    backup_id: nightly-2026-11-01
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
