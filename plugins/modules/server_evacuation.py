#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: server_evacuation
short_description: Migrate a batch of instances away from a Cycle server
version_added: 0.1.0
description:
  - Chooses the next instances of a server that can migrate, and a server for each. Drains them of traffic, migrates
    them and waits until the new instances are running and healthy. A task migrates one batch. Run it again for the
    next one.
  - Each task reads the state from the platform. Nothing is migrated twice, and a migration in progress is waited for,
    whoever started it. After a task that was killed, run it again.
  - Instances of different containers migrate at the same time, at most 32. Those of one container migrate one after the
    other.
  - A migration that fails does not stop the others of the batch. It is taken back (O(revert)), so that the old instance
    runs and gets traffic again. The task fails at the end if more failed than O(max_unhealthy) allows. Its result is
    complete then as well.
  - Targets are servers that the platform says the container can use, that are live, online, healthy, in the cluster of
    the container and not being evacuated, and that have enough memory left for what the container reserves. Of these
    the one with the fewest instances of the same container is chosen, then the one with the fewest instances of all,
    then the one with the lowest id. Each choice counts for the next one.
  - Migrations in progress come first, then healthy instances, where the containers take turns, then those that have
    failed or are unhealthy. The same state of the platform gives the same order.
  - Instances of load balancers and of virtual machines cannot be migrated. Those that are starting or stopping are
    left until that is over.
  - The role P(quayside.paas.server_evacuation#role) repeats this module until the server is empty or too many
    migrations fail.
notes:
  - The API key needs the capabilities C(servers-view), C(containers-view), C(containers-instances-migrate) and
    C(apionly-jobs-view). A key that cannot see jobs is refused, because it cannot see either whether a migration is
    still to begin.
  - Cycle cannot keep new instances away from a server without evacuating it itself, all instances at once. It may place
    new instances on the server meanwhile.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._cycle
  - quayside.paas._cycle.actiongroup
  - quayside.paas._module
  - quayside.paas._module.in_process
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the id and the server of each instance of the batch.
  idempotent:
    support: partial
    details:
      - Each task migrates the next batch. Once RV(batches_remaining=0), running it again changes nothing.
options:
  server_id:
    description:
      - The server to migrate instances away from.
    type: str
    required: true
  targets:
    description:
      - Ids of the only servers to migrate to. They must fit all the same. If it is empty, any server that fits is used.
    type: list
    elements: str
    default: []
  batch:
    description:
      - Maximum number of instances to migrate in this task, at least V(1).
    type: int
    default: 3
  max_unhealthy:
    description:
      - Number of migrations of the batch that may fail, or end with an unhealthy instance, before the task fails.
    type: int
    default: 0
  drain:
    description:
      - Whether to keep new traffic away from running instances before they migrate.
      - Instances that somebody else has drained stay drained if they stay on the server. See RV(drained).
    type: bool
    default: true
  drain_seconds:
    description:
      - Seconds to wait for open connections to end after the batch has been drained.
    type: int
    default: 30
  volumes:
    description:
      - What to do with instances that have volumes with contents. With V(copy) they are migrated with the contents.
        With V(leave) they stay.
      - Volumes that are stateless, which the platform never copies, or external do not count.
    type: str
    choices: [copy, leave]
    default: copy
  leave_strategies:
    description:
      - Deployment strategies of containers whose instances stay. With V(node) there is one on every server that fits.
        With V(function) the platform creates and deletes them with the requests.
    type: list
    elements: str
    default: [node, function]
  skip_instances:
    description:
      - Ids of instances that stay, for example because their migration has failed before.
    type: list
    elements: str
    default: []
  revert:
    description:
      - Whether to take a migration back that was started and then failed or timed out, so that the old instance runs
        again.
      - A migration that an earlier task finished, and whose new instance is not healthy yet, is waited for and not
        taken back.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait for each step of an instance, such as its drain, its migration, or taking that back, V(0) to
        V(86400).
    type: int
    default: 600
  wait_interval:
    description:
      - Seconds between two polls, V(1) to V(3600).
    type: int
    default: 2
"""

EXAMPLES = r"""
---
- name: Show which instances would migrate first, and which would stay
  quayside.paas.server_evacuation:
    server_id: 665e00000000000000000002
  check_mode: true

- name: Migrate up to two instances to a given server
  quayside.paas.server_evacuation:
    server_id: 665e00000000000000000002
    targets: [665e00000000000000000003]
    batch: 2
    drain_seconds: 5
  register: evacuation

- name: Name what is left and why
  ansible.builtin.debug:
    msg: "{{ item.container }} {{ item.instance_id }}: {{ item.reason }}"
  loop: "{{ evacuation.remaining }}"

- name: Migrate the next batch, and allow one migration to fail
  quayside.paas.server_evacuation:
    server_id: 665e00000000000000000002
    max_unhealthy: 1
    drain_seconds: 5
    skip_instances: "{{ evacuation.outcomes | rejectattr('state', 'eq', 'migrated') | map(attribute='instance_id') }}"
  register: evacuation
"""

RETURN = r"""
---
server_id:
  description: The server.
  returned: success, and failure of migrations
  type: str
  sample: 665e00000000000000000002
server:
  description: Its nickname or hostname.
  returned: success, and failure of migrations
  type: str
  sample: eu-ams-2
outcomes:
  description: What became of the instances of the batch, in check mode what would. Empty if no instance can migrate.
  returned: success, and failure of migrations
  type: list
  elements: dict
  contains:
    instance_id:
      description: Id of the instance.
      returned: always
      type: str
    new_instance_id:
      description: Id of its successor on the other server. V(null) if there is none, as in check mode.
      returned: always
      type: str
    container_id:
      description: Id of its container.
      returned: always
      type: str
    container:
      description: Identifier of its container, or its name if it has none.
      returned: always
      type: str
    hostname:
      description: Hostname of the instance.
      returned: always
      type: str
    target_id:
      description: Id of the server that it migrated to, or was to migrate to.
      returned: always
      type: str
    target:
      description: Nickname or hostname of that server.
      returned: always
      type: str
    state:
      description:
        - V(migrated) if the successor is running and healthy. V(reverted) if the migration failed and was taken back.
          V(failed) if it failed and was not taken back.
      returned: always
      type: str
    reason:
      description: Why it was not migrated, in which state both instances are, and what to do. Otherwise empty.
      returned: always
      type: str
    job_ids:
      description: Ids of the jobs that the task started for it. M(quayside.paas.job_info) reads them.
      returned: always
      type: list
      elements: str
  sample:
    - instance_id: 66d000040000000000000002
      new_instance_id: 66d100000000000000000001
      container_id: 66c000000000000000000004
      container: checkout-api
      hostname: checkout-api-2
      target_id: 665e00000000000000000001
      target: Anna
      state: migrated
      reason: ''
      job_ids: [66b100000000000000000003, 66b100000000000000000004]
remaining:
  description: The other instances on the server, besides those in RV(kept).
  returned: success, and failure of migrations
  type: list
  elements: dict
  contains:
    instance_id:
      description: Id of the instance.
      returned: always
      type: str
    container_id:
      description: Id of its container.
      returned: always
      type: str
    container:
      description: Identifier of its container, or its name if it has none.
      returned: always
      type: str
    hostname:
      description: Hostname of the instance.
      returned: always
      type: str
    state:
      description: Its state, its health if it is running, and whether it is drained of traffic.
      returned: always
      type: str
    target_id:
      description: Id of the server that it is to migrate to in a further batch. V(null) if it stays.
      returned: always
      type: str
    target:
      description: Nickname or hostname of that server.
      returned: always
      type: str
    reason:
      description: Why it has not migrated.
      returned: always
      type: str
  sample:
    - instance_id: 66d000080000000000000001
      container_id: 66c000000000000000000008
      container: reports
      hostname: reports-1
      state: stopped
      target_id: null
      target: null
      reason: it has volumes with contents, and volumes=leave
batches_remaining:
  description: How many further batches can be migrated.
  returned: success, and failure of migrations
  type: int
  sample: 0
kept:
  description: Instances that have migrated, and that the platform keeps until it purges them. They do not run.
  returned: success, and failure of migrations
  type: list
  elements: dict
  contains:
    instance_id:
      description: Id of the instance.
      returned: always
      type: str
    container_id:
      description: Id of its container.
      returned: always
      type: str
    container:
      description: Identifier of its container, or its name if it has none.
      returned: always
      type: str
    hostname:
      description: Hostname of the instance.
      returned: always
      type: str
    state:
      description: Its state, and whether it is drained of traffic.
      returned: always
      type: str
    until:
      description: When it is purged. Until then M(quayside.paas.instance_migration) can take the migration back.
      returned: always
      type: str
  sample:
    - instance_id: 66d000040000000000000002
      container_id: 66c000000000000000000004
      container: checkout-api
      hostname: checkout-api-2
      state: stopped
      until: '2026-01-01T03:00:00Z'
drained:
  description:
    - Ids of instances that are drained of traffic and stay on the server, or that could not be given traffic again. Use
      M(quayside.paas.instance_traffic_drain) with C(state=disabled) for that.
  returned: success, and failure of migrations
  type: list
  elements: str
  sample: []
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

from ..module_utils._cycle import evacuation
from ..module_utils._cycle.api import Cycle
from ..module_utils._module.action import action_module
from ..module_utils._module.runner import run_module

MODULE = action_module(Cycle, evacuation.plan, evacuation.ARGUMENTS)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
