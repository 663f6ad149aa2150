#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: template_info
short_description: Read Northflank templates
version_added: 0.1.0
description:
  - Returns all templates of the account or team, or one in full, with its nodes.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._northflank
  - quayside.paas._northflank.actiongroup
  - quayside.paas._module
  - quayside.paas._module.info_module
  - quayside.paas._module.in_process
  - quayside.paas._module.list
options:
  template_id:
    description:
      - Read this template only, in full.
      - If it does not exist, the list is empty.
    type: str
"""

EXAMPLES = r"""
---
- name: Read all templates
  quayside.paas.template_info:
  register: found

- name: Show those that run automatically
  ansible.builtin.debug:
    msg: "{{ item.id }}"
  loop: "{{ found.templates | selectattr('options.autorun', 'defined') | selectattr('options.autorun') }}"

- name: Read one template with its arguments and nodes
  quayside.paas.template_info:
    template_id: preview-environment
"""

RETURN = r"""
---
templates:
  description: The templates.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the template.
      returned: always
      type: str
    name:
      description: Name of the template.
      returned: always
      type: str
    description:
      description: Description set by its owner.
      returned: when there is one
      type: str
    api_version:
      description: Version of the API that the template is written for.
      returned: always
      type: str
    options:
      description: Whether it runs by itself (C(autorun)), and what a second run at a time does (C(concurrency_policy)).
      returned: when the platform reports it
      type: dict
    concurrency_policy:
      description: What a second run at a time does.
      returned: when the platform reports it
      type: str
    arguments:
      description: Arguments and their defaults. The keys are unchanged.
      returned: with O(template_id), when there are any
      type: dict
    spec:
      description: The tree of nodes.
      returned: with O(template_id)
      type: dict
    gitops:
      description: The repository that it is kept in.
      returned: with O(template_id), when there is one
      type: dict
    teardown_spec:
      description: The nodes that undo it.
      returned: with O(template_id), when there are any
      type: dict
    schema:
      description: URL of the schema.
      returned: with O(template_id), when the platform reports it
      type: str
    created_at:
      description: Creation time.
      returned: when the platform reports it
      type: str
    updated_at:
      description: Time of the last change.
      returned: when the platform reports it
      type: str
  sample:
    - id: example-template
      name: Example Template
      description: This is a sample template.
      api_version: v1.2
      options:
        autorun: false
      concurrency_policy: allow
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
from ..module_utils._northflank.resources import TEMPLATE

MODULE = info_module(Northflank, TEMPLATE)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
