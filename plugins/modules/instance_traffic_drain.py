#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_traffic_drain
short_description: Drain a Cycle instance of traffic, or route traffic to it again
version_added: 0.1.0
description:
  - Keeps new traffic away from an instance, or routes traffic to it again.
  - The module first waits for open jobs of the container.
  - Platform versions before 2025 do not support this. They reject draining and report every instance as not drained.
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
      - The instance. The task fails if it has migrated. The message contains its successor.
    type: str
    required: true
  state:
    description:
      - Whether the instance is drained of traffic.
    type: str
    choices: [enabled, disabled]
    default: enabled
"""

EXAMPLES = r"""
---
- name: Drain an instance before maintenance
  quayside.paas.instance_traffic_drain:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001

- name: Route traffic to the instance again
  quayside.paas.instance_traffic_drain:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    state: disabled
"""

RETURN = r"""
---
traffic_drain:
  description: Whether the instance is drained.
  returned: success
  type: dict
  contains:
    enabled:
      description: Whether it is, or would be in check mode. With O(wait=false), whether the platform shows it already.
      returned: always
      type: bool
    started:
      description: Since when. V(null) when it is not drained, and in check mode when it would be.
      returned: always
      type: str
  sample: {enabled: true, started: '2026-01-01T00:00:00Z'}
instance:
  description:
    - The instance, as M(quayside.paas.instance_info) returns it. In check mode, as it is.
  returned: success
  type: dict
  sample:
    id: 66d000010000000000000001
    server_id: 665e00000000000000000001
    state: {current: running, changed: '2026-01-01T00:00:00Z'}
    traffic_drain: {started: '2026-01-01T00:00:00Z'}
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

from ..module_utils._cycle import traffic_drain
from ..module_utils._cycle.api import Cycle
from ..module_utils._module.action import action_module
from ..module_utils._module.runner import run_module

MODULE = action_module(Cycle, traffic_drain.plan, traffic_drain.ARGUMENTS)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
