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
  - Returns the runs of one template or of every template, or one run in full, with its nodes and what became of them.
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
      - Read the runs of this template only. Without it, those of every template.
    type: str
  run_id:
    description:
      - Read this run only, in full. Needs O(template_id).
      - Mutually exclusive with O(status) and O(concluded).
      - When the template has none of this id, the list is empty.
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
      - Read only runs that are over (V(true)), or only those that are not (V(false)).
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

- name: Read what became of its nodes
  quayside.paas.template_run_info:
    template_id: preview-environment
    run_id: "{{ failed.template_runs[0].id }}"
  when: failed.template_runs | length > 0

- name: Read what goes on at the moment, in every template
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
      description: What the template's owner says of it.
      returned: when there is one
      type: str
    api_version:
      description: Version of the API that the template is written for.
      returned: always
      type: str
    options:
      description: How the template was run.
      returned: when the platform tells
      type: dict
    status:
      description: State of the run. New states of the platform pass through.
      returned: always
      type: str
    concluded:
      description: Whether the run is over.
      returned: always
      type: bool
    started_at:
      description: When it was started, as the platform writes it, which may be with a blank between date and time.
      returned: without O(run_id), when it was started
      type: str
    concluded_at:
      description: When it was over.
      returned: without O(run_id), when it is over
      type: str
    created_at:
      description: When it was asked for.
      returned: always
      type: str
    updated_at:
      description: When it last changed.
      returned: always
      type: str
    arguments:
      description: Arguments of the run. The keys are as the user wrote them.
      returned: with O(run_id), when there are any
      type: dict
    refs:
      description: Results that nodes refer to. The keys are as the user wrote them.
      returned: with O(run_id), when there are any
      type: dict
    gitops:
      description: The repository that the template is kept in.
      returned: with O(run_id), when there is one
      type: dict
    spec:
      description:
        - The tree of nodes. Each has its C(kind), its own C(spec), and a C(response) with its C(status), C(error) and
          C(retries). The nodes below a C(Workflow) are its C(spec.steps).
      returned: with O(run_id)
      type: dict
    schema:
      description: Address of the schema.
      returned: with O(run_id), when the platform tells
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
  description:
    - What the platform last said of its rate limit, requests allowed (C(limit)) and left (C(remaining)) in the current
      window, and seconds until it ends (C(reset)). Each is V(null) where the platform said nothing.
  returned: always
  type: dict
  sample: {limit: 1000, remaining: 987, reset: 3412}
request_count:
  description: How many requests the task sent, repeated ones included.
  returned: always
  type: int
  sample: 1
error:
  description:
    - The facts behind C(msg), which are the request (C(method), C(path)), the C(status) of the answer, and what the
      platform said (C(code), C(id) of this very error, C(details)). Each is V(null) where there is none.
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
