#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance
short_description: Place and delete the instances of a Cycle container
version_added: 0.1.0
description:
  - Brings each named server to a number of live instances of a container, or deletes instances.
  - Instances that are being deleted, and those kept only until they are purged, do not count. One that migrates counts
    where it migrates to.
  - What is missing is asked for in one request, which is never sent again while the platform may have carried it out.
    After a time-out or a broken connection the module looks at the instances and the open jobs, and finishes from what
    it finds. Before it places instances it waits for what an earlier task left behind, and counts again. It does not
    wait for that where enough instances are there. With O(state=absent) it does when it finds nothing to delete.
  - Two tasks that place instances of one container at the same moment do not see what the other one is about to do.
    With O(exact) a task then fails when there are too many in the end, and the next run deletes them.
  - When the API key lacks the capability C(apionly-jobs-view), the module cannot see what is still to come. It then
    waits for the instances themselves, and after a broken connection it fails rather than risk to create twice.
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
      - The container that the instances are made from.
    type: str
    required: true
  state:
    description:
      - With V(present), the instances are placed as O(placement) says. With V(absent), those that O(instance_ids),
        O(server_id) or O(all) name are deleted.
    type: str
    choices: [present, absent]
    default: present
  placement:
    description:
      - How many live instances each server shall have. Servers that are not named are left alone.
      - The deployment strategy of the container has to be C(manual).
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
          - How many instances of the container it shall have at least, and with O(exact) at most.
        type: int
        required: true
  exact:
    description:
      - Whether instances beyond the number in O(placement) are deleted. Failed and unhealthy ones go before healthy
        ones, and the newest before older ones.
    type: bool
    default: false
  instance_ids:
    description:
      - With O(state=absent), delete these instances. One that does not exist is no change.
    type: list
    elements: str
  server_id:
    description:
      - With O(state=absent), delete the instances of the container on this server.
    type: str
  all:
    description:
      - With O(state=absent), delete all instances of the container. It goes with none of O(placement), O(instance_ids)
        and O(server_id).
    type: bool
    default: false
  batch:
    description:
      - Whether to delete by one request for all instances instead of one request for each.
      - The platform's documentation no longer says what this request looks like. It works for containers with the
        deployment strategy C(manual) only, and platforms that check requests strictly refuse it.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Two instances on each of two servers, no more and no less
  quayside.paas.instance:
    container_id: 651586fca6078e98982dbd93
    placement:
      - server_id: 651586fca6078e98982dbd97
        count: 2
      - server_id: 651586fca6078e98982dbd98
        count: 2
    exact: true

- name: Delete one instance
  quayside.paas.instance:
    container_id: 651586fca6078e98982dbd93
    state: absent
    instance_ids:
      - 651586fca6078e98982dbd90

- name: Clear a server of the instances of a container
  quayside.paas.instance:
    container_id: 651586fca6078e98982dbd93
    state: absent
    server_id: 651586fca6078e98982dbd97
    wait_timeout: 900
"""

RETURN = r"""
---
servers:
  description: The servers that the task is about, with their live instances of the container before and after.
  returned: success, and on failure when anything was asked for
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
    - {server_id: 651586fca6078e98982dbd97, before: 0, after: 2}
created:
  description:
    - Ids of the instances that are new. Empty in check mode, and with O(wait=false) while they are not there yet.
  returned: success
  type: list
  elements: str
  sample: [651586fca6078e98982dbd90, 651586fca6078e98982dbd91]
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
