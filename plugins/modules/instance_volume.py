#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_volume
short_description: Extend a volume of a Cycle instance to a minimum size
version_added: 0.1.0
description:
  - Extends a volume of an instance to at least a given size. A volume is never shrunk. No change if it is large enough.
  - The size is that of the deployed volume as measured by the platform, or the configured size until it has been
    measured. Volumes are thinly provisioned and use only the space that they need.
  - The request is never sent again if it may have succeeded. After a timeout or a broken connection, the module resumes
    from the volume, the open jobs and the audit log.
  - The module first waits for open jobs of the container, and for up to half a minute for an earlier extension that
    only the audit log shows.
  - Without the capability C(apionly-jobs-view), the API key cannot see open jobs. The module then waits for the volume
    itself, and fails if the audit log (C(hubs-auditlog-view)) does not show that an earlier extension is finished. A
    key without both capabilities cannot detect a very recent extension.
  - Volumes without storage on the server of the instance, such as external ones, cannot be extended, and the task
    fails. For stateless volumes the platform decides.
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
      - The instance. The task fails if it has migrated. The message contains its successor, which has its own volumes.
    type: str
    required: true
  volume_id:
    description:
      - Id of the volume, as M(quayside.paas.instance_volume_info) returns it. A migration changes the id.
      - Exactly one of O(volume_id), O(destination) and O(identifier) is required.
    type: str
  destination:
    description:
      - Mount path of the volume in the container.
    type: str
  identifier:
    description:
      - Identifier of the volume in its configuration.
    type: str
  size:
    description:
      - Minimum size of the volume, as a whole number with one of the units C(B), C(K), C(M), C(G), C(T) and C(P), in
        upper or lower case, with an optional trailing C(B), for example V(20G) or V(512MB).
      - A C(G) is 1024 C(M). An MB of the platform counts as one C(M). The extension is rounded up to whole C(M).
    type: str
    required: true
"""

EXAMPLES = r"""
---
- name: Extend the data volume to at least 30 GB
  quayside.paas.instance_volume:
    container_id: 66c000000000000000000003
    instance_id: 66d000030000000000000001
    destination: /var/lib/postgresql
    size: 30G

- name: Calculate an extension without performing it
  quayside.paas.instance_volume:
    container_id: 66c000000000000000000003
    instance_id: 66d000030000000000000001
    identifier: data
    size: 1T
  check_mode: true
  register: volume

- name: Show the MB that are missing
  ansible.builtin.debug:
    var: volume.extended_by
"""

RETURN = r"""
---
volume:
  description:
    - The volume, as M(quayside.paas.instance_volume_info) returns it, with V(null) in place of its passwords.
    - In check mode, and when nothing changed, as it is.
  returned: success
  type: dict
  sample:
    id: 651586fca6078e98982dbd99
    config: {identifier: data, destination: /var/lib/data, read_only: false, local: {max_size: 10G}}
    deployed: {id: 651586fca6078e98982dbd9a, storage: {used: 812, total: 20480}}
    sftp: null
size_before:
  description: Its size before, in MB.
  returned: success
  type: int
  sample: 10240
size_after:
  description:
    - Its size now, in MB. In check mode, what it would be. With O(wait=false), what the platform shows right away,
      which may be the size before.
  returned: success
  type: int
  sample: 20480
extended_by:
  description: MB that the task has asked the platform to add, or would in check mode. V(0) when it is large enough.
  returned: success
  type: int
  sample: 10240
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

from ..module_utils._cycle import volumes
from ..module_utils._cycle.api import Cycle
from ..module_utils._module.action import action_module
from ..module_utils._module.runner import run_module

MODULE = action_module(Cycle, volumes.plan, volumes.ARGUMENTS)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
