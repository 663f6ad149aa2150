#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_migration
short_description: Migrate a Cycle instance to another server, or revert it
version_added: 0.1.0
description:
  - Migrates an instance to another server, or reverts the migration.
  - A migration stops the instance and creates a new one, with a new id, on the other server. The old instance is kept
    until it is purged some hours later. Until then the migration can be reverted.
  - No change if the instance is already on the target server, or if O(instance_id) is the id of an instance that has
    migrated there, as long as the old or the new instance shows this. If it is currently migrating there, the task
    waits for that migration.
  - The request is never sent again if it may have succeeded. After a timeout or a broken connection, the module resumes
    from the instance and the open jobs that it finds.
  - The module first waits for open jobs of the container. It also waits for a migration that only the audit log shows,
    if the API key has the capability C(hubs-auditlog-view). With C(apionly-jobs-view) this takes at most half a minute.
  - If the migration fails, the message contains the state of both instances and what to do next.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._cycle
  - quayside.paas._cycle.actiongroup
  - quayside.paas._module
  - quayside.paas._module.action_module
  - quayside.paas._module.in_process
  - quayside.paas._module.wait
options:
  container_id:
    description:
      - The container of the instance.
    type: str
    required: true
  instance_id:
    description:
      - The instance. An id from before a migration selects the new instance.
      - With O(state=reverted), the old or the new instance of the migration.
    type: str
    required: true
  state:
    description:
      - V(present) migrates the instance unless it is on the target server, and waits until it is running, and healthy
        if its container has a health check. If the old instance or the container was stopped, the new instance can be
        stopped.
      - V(reverted) reverts the last migration of the instance. The old instance runs again, and the new one is deleted.
        No change if the instance has not migrated or does not exist. The task fails if the old instance is purged.
    type: str
    choices: [present, reverted]
    default: present
  destination_server_id:
    description:
      - The server to migrate to. The container must be able to use it.
      - With O(state=present), either O(destination_server_id) or O(any_usable) is required.
    type: str
  any_usable:
    description:
      - Whether to choose the server automatically. Candidates are the other servers that the platform reports as usable
        for the container, that are live, not being evacuated, and in the cluster of the environment. The one with the
        fewest instances is chosen, then the one with the lowest id. Servers with an unknown number come last.
      - No change if the instance O(instance_id) has already migrated to any server. The id of the new instance migrates
        it again.
    type: bool
    default: false
  source_server_id:
    description:
      - Migrate the instance only if it is on this server, for example to empty the server.
      - No change if the instance, or its successor, is on any other server, even if that is not
        O(destination_server_id). If it is currently migrating to another server, the task waits for that migration.
    type: str
  copy_volumes:
    description:
      - Whether to copy the contents of stateful volumes to the new instance.
    type: bool
    default: false
  revert_on_failure:
    description:
      - Whether to revert a migration that fails or times out, while the old instance is kept. The task still fails, and
        C(reverted) shows whether the migration was reverted.
      - The wait for the revert takes up to O(wait_timeout) in addition. No effect with O(wait=false).
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Migrate an instance with the contents of its volumes
  quayside.paas.instance_migration:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    destination_server_id: 665e00000000000000000003
    copy_volumes: true
    wait_timeout: 1800
  register: migration

- name: Show the id of the new instance
  ansible.builtin.debug:
    var: migration.new_instance_id

- name: Migrate an instance to any usable server, and revert if that fails
  quayside.paas.instance_migration:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000002
    any_usable: true
    revert_on_failure: true

- name: Migrate an instance only if it is on a server to be emptied
  quayside.paas.instance_migration:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    source_server_id: 665e00000000000000000001
    destination_server_id: 665e00000000000000000003

- name: Revert a migration
  quayside.paas.instance_migration:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    state: reverted
"""

RETURN = r"""
---
old_instance_id:
  description:
    - Id of the instance that migrates or has migrated. V(null) when the platform tells of no migration, because the
      instance has always been where it shall be.
  returned: always
  type: str
  sample: 66d000010000000000000001
new_instance_id:
  description:
    - Id of the instance on the server that was migrated to. V(null) while there is none, as in check mode. With
      O(state=reverted), the one that goes; V(null) when there was nothing to take back.
  returned: always
  type: str
  sample: 651586fca6078e98982dbda4
old_instance:
  description:
    - The old instance, as M(quayside.paas.instance_info) returns it. V(null) when it is purged or not known.
  returned: always
  type: dict
  sample:
    id: 66d000010000000000000001
    server_id: 665e00000000000000000001
    ready_state: purge
    purge_time: '2026-01-01T03:00:00Z'
    state: {current: stopped, changed: '2026-01-01T00:00:00Z'}
new_instance:
  description:
    - The new instance, as M(quayside.paas.instance_info) returns it. V(null) while there is none, and once it is gone.
  returned: always
  type: dict
  sample:
    id: 651586fca6078e98982dbda4
    server_id: 665e00000000000000000003
    ready_state: active
    state: {current: running, changed: '2026-01-01T00:00:00Z'}
source_server_id:
  description: The server of the old instance. V(null) when there is no old instance.
  returned: always
  type: str
  sample: 665e00000000000000000001
destination_server_id:
  description:
    - The server that was migrated to, or would be in check mode. With O(state=reverted), the one that is left again.
      V(null) when there was nothing to take back.
  returned: always
  type: str
  sample: 665e00000000000000000003
reverted:
  description:
    - Whether the task took a migration back, or would in check mode. On failure too, with O(revert_on_failure).
  returned: always
  type: bool
  sample: false
jobs:
  description: The jobs that the task started on the platform.
  returned: success, and on failure if there are any
  type: list
  elements: dict
  contains:
    id:
      description: Id of the job. V(null) if the platform returned none.
      returned: always
      type: str
    action:
      description: Action of the job, as the platform names it.
      returned: always
      type: str
    state:
      description:
        - Last state. V(null) with O(wait=false), if the key lacks the capability C(apionly-jobs-view), or if the
          platform no longer lists the finished job.
      returned: always
      type: str
    tasks:
      description:
        - Its tasks, each with C(caption), C(state), C(error), the number of C(steps), and the number of finished
          steps (C(steps_done)).
      returned: always
      type: list
      elements: dict
    seconds:
      description: Seconds that the task waited for it.
      returned: always
      type: float
  sample:
    - id: 651586fca6078e98982dbda0
      action: container.instance.delete
      state: completed
      tasks:
        - {caption: Delete instance, state: completed, error: null, steps: 2, steps_done: 2}
      seconds: 4.1
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

from ..module_utils._cycle import migration
from ..module_utils._cycle.api import Cycle
from ..module_utils._module.action import action_module
from ..module_utils._module.runner import run_module

MODULE = action_module(Cycle, migration.plan, migration.ARGUMENTS)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
