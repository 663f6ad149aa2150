#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance
short_description: Create and delete instances of a Cycle container by server
version_added: 0.1.0
description:
  - Ensures that each named server has a number of live instances of a container, or deletes instances.
  - Instances that are being deleted, or are kept only until they are purged, do not count. A migrating instance counts
    for its destination.
  - All missing instances are created with one request. It is never sent again if it may have succeeded. After a timeout
    or a broken connection, the module resumes from the instances and the open jobs that it finds.
  - Before it creates instances, or if O(state=absent) finds none to delete, the module waits for open jobs of earlier
    tasks and counts again.
  - Two tasks that place instances of one container at the same time do not see each other's requests. With O(exact), a
    task fails if there are too many instances in the end. The next run deletes them.
  - Without the capability C(apionly-jobs-view), the API key cannot see open jobs. The module then waits for the
    instances themselves. After a broken connection the task fails, to avoid duplicate instances.
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
      - The container of the instances.
    type: str
    required: true
  state:
    description:
      - V(present) creates the instances that O(placement) requires. V(absent) deletes the instances that
        O(instance_ids), O(server_id) or O(all) select.
    type: str
    choices: [present, absent]
    default: present
  placement:
    description:
      - Number of live instances on each server. Servers that are not listed are not changed.
      - The deployment strategy of the container must be C(manual).
    type: list
    elements: dict
    suboptions:
      server_id:
        description:
          - The server.
        type: str
        required: true
      count:
        description:
          - Minimum number of instances of the container, and with O(exact) the maximum.
        type: int
        required: true
  exact:
    description:
      - Whether to delete instances beyond the number in O(placement). Failed and unhealthy ones are deleted first, then
        the newest.
    type: bool
    default: false
  instance_ids:
    description:
      - With O(state=absent), delete these instances. No change if they do not exist.
    type: list
    elements: str
  server_id:
    description:
      - With O(state=absent), delete the instances of the container on this server.
    type: str
  all:
    description:
      - With O(state=absent), delete all instances of the container. Mutually exclusive with O(placement),
        O(instance_ids) and O(server_id).
    type: bool
    default: false
  batch:
    description:
      - Whether to delete all instances with one request instead of one request each.
      - The platform no longer documents this request. It works only for containers with the deployment strategy
        C(manual). Platforms that validate requests strictly reject it.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Run exactly two instances on each of two servers
  quayside.paas.instance:
    container_id: 66c000000000000000000001
    placement:
      - server_id: 665e00000000000000000001
        count: 2
      - server_id: 665e00000000000000000003
        count: 2
    exact: true

- name: Delete one instance
  quayside.paas.instance:
    container_id: 66c000000000000000000001
    state: absent
    instance_ids:
      - 66d000010000000000000001

- name: Delete all instances of a container from a server
  quayside.paas.instance:
    container_id: 66c000000000000000000001
    state: absent
    server_id: 665e00000000000000000001
    wait_timeout: 900
"""

RETURN = r"""
---
servers:
  description: The affected servers, with their live instances of the container before and after.
  returned: success, and on failure if a request was sent
  type: list
  elements: dict
  contains:
    server_id:
      description: The server.
      returned: always
      type: str
    before:
      description: Live instances before.
      returned: always
      type: int
    after:
      description: Live instances after. In check mode and with O(wait=false), what they would be.
      returned: always
      type: int
  sample:
    - {server_id: 665e00000000000000000001, before: 0, after: 2}
created:
  description:
    - Ids of the new instances. Empty in check mode, and with O(wait=false) until they exist.
  returned: success
  type: list
  elements: str
  sample: [66d000010000000000000001, 66d000010000000000000002]
deleted:
  description: Ids of the instances that were deleted, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: []
instances:
  description: All live instances of the container, as M(quayside.paas.instance_info) returns them.
  returned: success
  type: list
  elements: dict
  sample: []
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

from ..module_utils._cycle import placement
from ..module_utils._cycle.api import Cycle
from ..module_utils._module.action import action_module
from ..module_utils._module.runner import run_module

MODULE = action_module(Cycle, placement.plan, placement.ARGUMENTS)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
