#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: template_run_info
short_description: Read the runs of Northflank templates
version_added: 0.1.0
description:
  - Returns the runs of one template or of every template, or one run in full, with its nodes and their states.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._northflank
  - quayside.paas._northflank.actiongroup
  - quayside.paas._module
  - quayside.paas._module.info_module
  - quayside.paas._module.in_process
  - quayside.paas._module.list
  - quayside.paas._module.fan
options:
  template_id:
    description:
      - Read the runs of this template only. By default, those of every template.
    type: str
  run_id:
    description:
      - Read this run only, in full. Needs O(template_id).
      - Mutually exclusive with O(status) and O(concluded).
      - If it does not exist, the list is empty.
    type: str
  status:
    description:
      - Read only runs in this state.
    type: str
    choices:
      - pending
      - running
      - success
      - failure
      - aborted
      - aborting
      - queued
      - unknown
      - skipped
      - waiting
      - retrying
      - async_wait
      - approval_wait
  concluded:
    description:
      - Read only finished runs (V(true)) or only unfinished runs (V(false)).
    type: bool
"""

EXAMPLES = r"""
---
- name: Read the runs of one template
  quayside.paas.template_run_info:
    template_id: preview-environment

- name: Read the latest failure
  quayside.paas.template_run_info:
    template_id: preview-environment
    status: failure
    limit: 1
  register: failed

- name: Read the states of its nodes
  quayside.paas.template_run_info:
    template_id: preview-environment
    run_id: "{{ failed.template_runs[0].id }}"
  when: failed.template_runs | length > 0

- name: Read the unfinished runs of every template
  quayside.paas.template_run_info:
    concluded: false
"""

RETURN = r"""
---
template_runs:
  description: The runs.
  returned: success
  type: list
  elements: dict
  contains:
    template_id:
      description: The template of the run.
      returned: always
      type: str
    id:
      description: Id of the run.
      returned: always
      type: str
    name:
      description: Name of the template.
      returned: always
      type: str
    description:
      description: Description set by the template's owner.
      returned: when there is one
      type: str
    api_version:
      description: Version of the API that the template is written for.
      returned: always
      type: str
    options:
      description: Options of the template.
      returned: when the platform reports it
      type: dict
    status:
      description: State of the run. Other states of the platform are returned unchanged.
      returned: always
      type: str
    concluded:
      description: Whether the run is finished.
      returned: always
      type: bool
    started_at:
      description: Start time, in the platform's format, which can have a space before the time.
      returned: without O(run_id), when it was started
      type: str
    concluded_at:
      description: Completion time.
      returned: without O(run_id), when it is finished
      type: str
    created_at:
      description: Time of the request to run it.
      returned: always
      type: str
    updated_at:
      description: Time of the last change.
      returned: always
      type: str
    arguments:
      description: Arguments of the run. The keys are unchanged.
      returned: with O(run_id), when there are any
      type: dict
    refs:
      description: Results that nodes refer to. The keys are unchanged.
      returned: with O(run_id), when there are any
      type: dict
    gitops:
      description: The repository that stores the template.
      returned: with O(run_id), when there is one
      type: dict
    spec:
      description:
        - The tree of nodes. Each has its C(kind), its own C(spec), and a C(response) with its C(status), C(error) and
          C(retries). The nodes below a C(Workflow) are its C(spec.steps).
      returned: with O(run_id)
      type: dict
    schema:
      description: URL of the schema.
      returned: with O(run_id), when the platform reports it
      type: str
  sample:
    - template_id: example-template
      id: 3dd592f6-ce63-45ee-acf8-13dc5ec5235c
      name: Example Template
      description: This is a sample template.
      api_version: v1.2
      options:
        autorun: false
        concurrency_policy: allow
      status: success
      concluded: true
      started_at: "2021-01-01 12:01:00.000Z"
      concluded_at: "2021-01-01 12:10:00.000Z"
      created_at: "2021-01-01 12:00:00.000Z"
      updated_at: "2021-01-01 12:00:00.000Z"
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

from ..module_utils._module.info import info_module
from ..module_utils._module.runner import run_module
from ..module_utils._northflank.api import Northflank
from ..module_utils._northflank.resources import TEMPLATE_RUN

MODULE = info_module(Northflank, TEMPLATE_RUN)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
