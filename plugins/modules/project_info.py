#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: project_info
short_description: Read Northflank projects
version_added: 0.1.0
description:
  - Returns all projects that the token can see, or one project with its services, jobs and addons.
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
  project_id:
    description:
      - Read this project only, with its services, jobs and addons.
      - If it does not exist, the list is empty.
    type: str
"""

EXAMPLES = r"""
---
- name: Read all projects
  quayside.paas.project_info:
  register: estate

- name: Show them
  ansible.builtin.debug:
    msg: "{{ estate.projects | map(attribute='id') | join(', ') }}"

- name: Read one project with its services, jobs and addons
  quayside.paas.project_info:
    project_id: storefront
  register: shop

- name: Show its cron jobs
  ansible.builtin.debug:
    msg: "{{ shop.projects[0].jobs | selectattr('job_type', 'eq', 'cron') | map(attribute='name') }}"

- name: Set token and team once for all modules of the group
  module_defaults:
    group/quayside.paas.northflank:
      api_token: "{{ northflank_token }}"
      team_id: platform-team
  block:
    - name: Read the projects of the team
      quayside.paas.project_info:
"""

RETURN = r"""
---
projects:
  description: The projects.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the project.
      returned: always
      type: str
    uid:
      description: Id of the project that never changes.
      returned: when the platform reports it
      type: str
    name:
      description: Name of the project.
      returned: always
      type: str
    description:
      description: Description set by its owner.
      returned: when there is one
      type: str
    lifecycle_status:
      description: State of the project itself, for example V(created).
      returned: when the platform reports it
      type: str
    created_at:
      description: Creation time.
      returned: with O(project_id)
      type: str
    deployment:
      description: The C(region) of a project on the platform's own clusters.
      returned: with O(project_id), when the platform reports it
      type: dict
    custom_registry:
      description: The container registry of the project.
      returned: with O(project_id), when the platform reports it
      type: dict
    cluster:
      description: The cluster that the project runs on.
      returned: with O(project_id), when the platform reports it
      type: dict
    services:
      description: The services, each with C(id), C(app_id), C(name), C(service_type).
      returned: with O(project_id)
      type: list
      elements: dict
    jobs:
      description: The jobs, each with C(id), C(app_id), C(name), C(job_type).
      returned: with O(project_id)
      type: list
      elements: dict
    addons:
      description: The addons, each with C(id), C(app_id), C(name), C(spec).
      returned: with O(project_id)
      type: list
      elements: dict
  sample:
    - id: storefront
      name: Storefront
      description: What customers see
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
from ..module_utils._northflank.resources import PROJECT

MODULE = info_module(Northflank, PROJECT)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
