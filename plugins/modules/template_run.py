#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: template_run
short_description: Run a Northflank template
version_added: 0.1.0
description:
  - Runs a template with arguments and waits until the run is finished. Can also wait for a run in progress or abort
    one.
  - With O(state=present) and without O(run_id), every run of the task runs the template. The concurrency policy of the
    template decides whether runs can overlap.
  - The task fails if the run fails, is aborted or is skipped. The message contains the innermost failed nodes with
    their errors, and RV(failed_nodes) returns them as data.
  - The module waits for a run that needs an approval until O(wait_timeout). The message then says that a person must
    approve it.
  - A request to run a template that may have succeeded is never sent again. After a timeout or a broken connection, the
    module looks for a new run, if there are several for the one with the same arguments, for up to 30 seconds and
    resumes with it. If it finds none, or cannot identify it, the task fails.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._northflank
  - quayside.paas._northflank.actiongroup
  - quayside.paas._northflank.wait
  - quayside.paas._module
  - quayside.paas._module.in_process
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(state=present) and without O(run_id), every run of the task runs the template.
options:
  template_id:
    description:
      - The template, as its id (V(preview-environment) for a template called "Preview environment").
    type: str
    required: true
  state:
    description:
      - V(present) runs the template.
      - V(aborted) aborts the run O(run_id). No change if it is finished.
    type: str
    choices:
      - present
      - aborted
    default: present
  run_id:
    description:
      - Id of a run. With O(state=present), the task waits for this run and starts none.
      - Required with O(state=aborted).
    type: str
  arguments:
    description:
      - Arguments of the run by name. They override those of the template.
      - They are displayed at high verbosity. Use O(secret_arguments) for secrets.
    type: dict
  secret_arguments:
    description:
      - More arguments, with secret values. The values are masked wherever they occur in the result.
      - Masking replaces text, so a value such as V(1) would also mask parts of ids and states. Use O(arguments) for
        values that are not secret.
    type: dict
"""

EXAMPLES = r"""
---
- name: Create a preview environment
  quayside.paas.template_run:
    template_id: preview-environment
    arguments:
      branch: feature/checkout
      replicas: 2
    secret_arguments:
      databasePassword: "{{ preview_database_password }}"
    wait_timeout: 3600

- name: Start a run and do not wait for it
  quayside.paas.template_run:
    template_id: nightly-dumps-2
    wait: false
  register: report

- name: Wait for the run
  quayside.paas.template_run:
    template_id: nightly-dumps-2
    run_id: "{{ report.template_run.id }}"

- name: Abort the run
  quayside.paas.template_run:
    template_id: nightly-dumps-2
    run_id: "{{ report.template_run.id }}"
    state: aborted
"""

RETURN = r"""
---
template_run:
  description:
    - The run, as M(quayside.paas.template_run_info) returns it by its id.
    - In check mode, one that would be started, with V(null) for values that only the platform can provide.
  returned: success, and on failure when there is one
  type: dict
  contains:
    template_id:
      description: The template of the run.
      returned: always
      type: str
    id:
      description: Id of the run. V(null) in check mode if a run would be started.
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
    created_at:
      description: Time of the request to run it, in the platform's format, which can have a space before the time.
      returned: always
      type: str
    updated_at:
      description: Time of the last change.
      returned: always
      type: str
    arguments:
      description:
        - Arguments of the run. The keys are unchanged, the values of O(secret_arguments) are masked.
      returned: when there are any
      type: dict
    refs:
      description: Results that nodes refer to. The keys are unchanged.
      returned: when there are any
      type: dict
    gitops:
      description: The repository that stores the template.
      returned: when there is one
      type: dict
    spec:
      description:
        - The tree of nodes. Each has its C(kind), its own C(spec), and a C(response) with its C(status), C(error) and
          C(retries). The nodes below a C(Workflow) are its C(spec.steps).
      returned: when the run is there
      type: dict
    schema:
      description: URL of the schema.
      returned: when the platform reports it
      type: str
  sample:
    template_id: example-template
    id: 3dd592f6-ce63-45ee-acf8-13dc5ec5235c
    name: Example Template
    api_version: v1.2
    arguments:
      branch: feature/checkout
    status: success
    concluded: true
    created_at: "2021-01-01 12:00:00.000Z"
    updated_at: "2021-01-01 12:10:00.000Z"
    spec:
      kind: Workflow
      spec:
        type: sequential
        steps: []
      response:
        status: success
failed_nodes:
  description:
    - The nodes that failed, innermost only, if the run did not succeed. Otherwise empty.
  returned: success, and on failure when there is a run
  type: list
  elements: dict
  contains:
    path:
      description: The nodes from the outermost one to this one, each with its kind and its C(ref), if any.
      returned: always
      type: str
    kind:
      description: Kind of the node.
      returned: always
      type: str
    ref:
      description: Name by which other nodes refer to it. V(null) if it has none.
      returned: always
      type: str
    status:
      description: State of the node.
      returned: always
      type: str
    code:
      description: Code of its error. V(null) if the platform reports none.
      returned: always
      type: str
    message:
      description: The platform's error message. V(null) if there is none.
      returned: always
      type: str
  sample:
    - path: Workflow > Workflow images > Build api
      kind: Build
      ref: api
      status: failure
      code: "409"
      message: The resource is not in a state that allows this action
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

from ..module_utils._module.action import action_module
from ..module_utils._module.runner import run_module
from ..module_utils._northflank import template_runs
from ..module_utils._northflank.api import Northflank

MODULE = action_module(Northflank, template_runs.plan, template_runs.ARGUMENTS)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
