#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_migration
short_description: Migrate an instance of a Cycle container to another server
version_added: 0.1.0
description:
  - Brings an instance to another server, or takes that back.
  - A migration stops the instance and makes a new one, with an id of its own, on the other server. The old one is kept
    until it is purged, some hours later, and can be brought back until then.
  - An instance that is where it shall be is no change. So is the id of one that has migrated there already, as long as
    the old or the new instance tells of it, and one that migrates there at the moment, whose migration is then waited
    for instead of starting another one.
  - The request is never sent again while the platform may have carried it out. After a time-out or a broken connection
    the module looks at the instance and the open jobs, and goes on from what it finds. Jobs of the container that an
    earlier task left behind are waited for before anything is decided, and so is a migration that only the audit log
    tells of, as long as the API key may read that (C(hubs-auditlog-view)) and, for keys with C(apionly-jobs-view), for
    half a minute.
  - When it fails, the message says what state both instances are in and what to do next.
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
      - The instance. Its id from before a migration will do as well, and stands for the instance that it has become.
      - With O(state=reverted), the old or the new instance of the migration.
    type: str
    required: true
  state:
    description:
      - With V(present), the instance is migrated unless it is where it shall be. It is then waited for to run and to be
        healthy, as far as its container has a health check. Where the old instance was stopped, or the container is,
        the new one may be stopped.
      - With V(reverted), the last migration of the instance is taken back. The old instance runs again, and the new one
        is gone. An instance that has not migrated is no change, and neither is one that does not exist, as the new
        instance does not after a revert. It is an error when the old instance is purged.
    type: str
    choices: [present, reverted]
    default: present
  destination_server_id:
    description:
      - The server to migrate to. It has to be one that the container can use.
      - With O(state=present), either O(destination_server_id) or O(any_usable) is needed.
    type: str
  any_usable:
    description:
      - Whether to choose the server. It is one of those that the platform says the container can use, and not the one
        that the instance is on. Those that are not live, are being evacuated, or are in another cluster than the
        environment of the container are left out. Of the rest it is the one with the fewest instances of all
        containers, those with an unknown number last, and of several the one with the lowest id.
      - Any server is right once the instance named by O(instance_id) has migrated. The same id is no change then. The
        id of the new instance asks to migrate again.
    type: bool
    default: false
  source_server_id:
    description:
      - Migrate the instance only as long as it is on this server, as when the server shall be emptied.
      - When the instance, or what it has become, is on another server, that is no change, whichever it is. When it
        migrates to another one at the moment, this is waited for. Where O(destination_server_id) is another one again,
        this does not matter then.
    type: str
  copy_volumes:
    description:
      - Whether the contents of stateful volumes are copied to the new instance.
    type: bool
    default: false
  revert_on_failure:
    description:
      - Whether to take a migration back that was started and then failed, or was not done in time, while the old
        instance is kept. The task fails all the same, and C(reverted) says whether it was taken back.
      - Waiting for that takes up to O(wait_timeout) once more. It has no effect with O(wait=false).
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

- name: Use the new id from here on
  ansible.builtin.debug:
    var: migration.new_instance_id

- name: Away from this server, wherever there is room, and back if that fails
  quayside.paas.instance_migration:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000002
    any_usable: true
    revert_on_failure: true

- name: Away from a server that shall be emptied; once it is elsewhere, wherever that is, it stays there
  quayside.paas.instance_migration:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    source_server_id: 665e00000000000000000001
    destination_server_id: 665e00000000000000000003

- name: Take a migration back
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
