#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: job_info
short_description: Read Cycle jobs
version_added: 0.1.0
description:
  - Returns the jobs of the hub, or one job. Long-running operations of the platform are jobs.
  - The platform removes finished jobs after some time. The outcome of a removed job is unknown.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._cycle
  - quayside.paas._cycle.actiongroup
  - quayside.paas._cycle.sort
  - quayside.paas._module
  - quayside.paas._module.info_module
  - quayside.paas._module.in_process
  - quayside.paas._module.list
options:
  job_id:
    description:
      - Read this job only, for example one that a task with C(wait=false) returned.
      - Mutually exclusive with O(filters) and O(sort). There is no O(include) for a single job.
      - If it does not exist, the list is empty.
    type: str
  filters:
    description:
      - Return only the jobs that match all of these filters.
    type: dict
    suboptions:
      state:
        description:
          - Those in one of these states, for example V(running).
        type: list
        elements: str
      search:
        description:
          - Those with this text in one of the fields that the platform searches.
        type: str
      range_start:
        description:
          - Those from this time on, as C(2026-01-31T12:00:00Z).
        type: str
      range_end:
        description:
          - Those until this time.
        type: str
  include:
    description:
      - Resources to return along with the jobs, in C(includes), and next to each of them, in its C(included).
    type: list
    elements: str
    choices:
      - creators
"""

EXAMPLES = r"""
---
- name: Read the unfinished jobs, the newest first
  quayside.paas.job_info:
    filters:
      state: [new, queued, scheduled, running]
    sort: [-id]

- name: Place instances without waiting
  quayside.paas.instance:
    container_id: 66c000000000000000000001
    placement:
      - server_id: 665e00000000000000000001
        count: 2
    wait: false
  register: placed

- name: Read the jobs of that task
  quayside.paas.job_info:
    job_id: "{{ item.id }}"
  loop: "{{ placed.jobs }}"
  loop_control:
    label: "{{ item.action }}"

- name: Read the failed jobs of the last day with their creators
  quayside.paas.job_info:
    filters:
      state: [error, expired]
      range_start: "{{ '%Y-%m-%dT%H:%M:%SZ' | ansible.builtin.strftime(now(utc=true).timestamp() - 86400, utc=true) }}"
    include: [creators]
"""

RETURN = r"""
---
jobs:
  description: The jobs.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the job.
      returned: always
      type: str
    hub_id:
      description: The hub.
      returned: always
      type: str
    queue:
      description: The queue that it waits in. It names the environment that the job is about.
      returned: always
      type: str
    caption:
      description: What it does.
      returned: always
      type: str
    events:
      description: When it was C(queued), C(started) and C(completed). A time in the year 1 means not yet.
      returned: always
      type: dict
    schedule:
      description: Scheduled time. A time in the year 1 means at once.
      returned: always
      type: str
    tasks:
      description:
        - Its tasks. Each has C(id), C(caption), C(header), C(events), C(state), C(input), C(output), C(error), and
          C(steps), of which those that are done have a C(completed) after the year 1.
      returned: always
      type: list
      elements: dict
    expires:
      description: Expiry time.
      returned: always
      type: str
    hash:
      description: Hash that identifies duplicates of the job.
      returned: always
      type: str
    limit_duplicates:
      description: Whether it keeps other jobs from doing the same shortly afterwards.
      returned: always
      type: bool
    creator:
      description: Its creator, as C(id) and C(type), for example V(account), V(api-key) or V(platform).
      returned: always
      type: dict
    state:
      description:
        - Its state. C(current) is V(new), V(queued), V(scheduled), V(running), V(completed), V(error), V(expired) or a
          newer one, C(changed) says since when, C(error.message) what went wrong. V(expired) is a failure.
      returned: always
      type: dict
    included:
      description:
        - The resources that O(include) asked for, by what they are to the job. V(null) for one that did not
          come along.
      returned: always
      type: dict
  sample:
    - id: 651586fca6078e98982dbda0
      hub_id: 66b000000000000000000001
      queue: environment-66e000000000000000000001
      caption: Delete instance
      events:
        queued: "2026-01-01T00:00:00Z"
        started: "2026-01-01T00:00:01Z"
        completed: "0001-01-01T00:00:00Z"
      schedule: "0001-01-01T00:00:00Z"
      tasks:
        - id: 651586fca6078e98982dbda1
          caption: Delete instance
          header: container.instance.delete
          state: {current: running}
          steps: null
          input: {instance_id: 66d000010000000000000001}
          output: null
          error: null
      expires: "2026-01-01T01:00:00Z"
      hash: 3f1a
      limit_duplicates: false
      creator: {id: 66ab00000000000000000001, type: api-key}
      state: {current: running, changed: "2026-01-01T00:00:01Z", error: null}
      included: {}
includes:
  description:
    - The resources selected with O(include), by kind and id, as the platform sends them. Kinds that end in
      C(:identifiers) map the identifiers of such resources to lists of ids.
  returned: success
  type: dict
  sample:
    creators:
      api_keys:
        66aa00000000000000000001: {id: 66aa00000000000000000001, name: Automation}
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

from ..module_utils._cycle.api import Cycle
from ..module_utils._cycle.resources import JOB
from ..module_utils._module.info import info_module
from ..module_utils._module.runner import run_module

MODULE = info_module(Cycle, JOB)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
