#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: environment_info
short_description: Read Cycle environments
version_added: 0.1.0
description:
  - Returns the environments of the hub, or one of them.
  - An environment is a group of containers with a private network of their own.
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
  environment_id:
    description:
      - Read this environment only.
      - Mutually exclusive with O(filters) and O(sort).
      - If it does not exist, the list is empty.
    type: str
  filters:
    description:
      - Return only the environments that match all of these filters.
    type: dict
    suboptions:
      state:
        description:
          - Those in one of these states, for example V(live).
        type: list
        elements: str
      identifier:
        description:
          - Those with this identifier. There can be several.
        type: str
      creator:
        description:
          - Those created by the account, API key or other creator with this id.
        type: str
      stack_build:
        description:
          - Those that the stack build of this id is deployed to.
        type: str
      search:
        description:
          - Those with this text in one of the fields that the platform searches.
        type: str
  include:
    description:
      - Resources to return along with the environments, in C(includes), and next to each of them, in its C(included).
      - V(clusters) is available together with O(environment_id) only.
    type: list
    elements: str
    choices:
      - creators
      - stacks
      - clusters
  meta:
    description:
      - Facts to add to each environment, under its C(meta).
    type: list
    elements: str
    choices:
      - containers
      - containers_count
      - instances_count
      - service_versions
"""

EXAMPLES = r"""
---
- name: Find an environment by its identifier
  quayside.paas.environment_info:
    filters:
      identifier: production
  register: found

- name: Read its containers
  quayside.paas.container_info:
    environment_id: "{{ found.environments[0].id }}"

- name: Count the instances of every environment
  quayside.paas.environment_info:
    meta: [instances_count]
  register: all

- name: Show the numbers
  ansible.builtin.debug:
    msg: "{{ item.name }} has {{ item.meta.instances_count.available }} instances"
  loop: "{{ all.environments }}"
  loop_control:
    label: "{{ item.identifier }}"

- name: Read one environment with its cluster
  quayside.paas.environment_info:
    environment_id: 66e000000000000000000001
    include: [clusters]
"""

RETURN = r"""
---
environments:
  description: The environments.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the environment.
      returned: always
      type: str
    identifier:
      description: Its short name, for example V(production). Several environments may have the same one.
      returned: always
      type: str
    name:
      description: Its name.
      returned: always
      type: str
    cluster:
      description: Identifier of the cluster that it is on.
      returned: always
      type: str
    about:
      description: Its C(description), and whether it is a C(favorite).
      returned: always
      type: dict
    creator:
      description: Its creator, as C(id) and C(type), for example V(account), V(api-key) or V(platform).
      returned: always
      type: dict
    hub_id:
      description: The hub.
      returned: always
      type: str
    state:
      description:
        - Its state. C(current) is V(new), V(live), V(cloning), V(deleting), V(deleted) or a newer one, C(changed) says
          since when, C(error) what went wrong.
      returned: always
      type: dict
    events:
      description: When it was C(created), C(updated) and C(deleted). A time in the year 1 means never.
      returned: always
      type: dict
    features:
      description: What it uses, as C(legacy_networking), and C(monitoring) with its C(tier).
      returned: always
      type: dict
    services:
      description:
        - Its services, C(loadbalancer), C(discovery), C(vpn), C(scheduler) and C(gateway), each with C(enable),
          C(container_id), C(high_availability), C(auto_update) and C(config). V(null) for one that it does not have.
          Secrets in the configuration are V(null).
      returned: always
      type: dict
    acl:
      description: Access control list. V(null) if only roles apply.
      returned: when the platform reports it
      type: dict
    private_network:
      description: Its network, as C(vxlan_tag), C(subnet), C(ipv6) and C(legacy). V(null) until there is one.
      returned: when the platform reports it
      type: dict
    deployments:
      description: Versions of deployments by tag, in C(tags). V(null) when there are none.
      returned: when the platform reports it
      type: dict
    meta:
      description:
        - The facts selected with O(meta). C(containers) lists its containers in short, C(containers_count) and
          C(instances_count) have C(total), C(available) and the number by C(state), C(service_versions) tells the
          versions of services.
      returned: with O(meta)
      type: dict
    included:
      description:
        - The resources that O(include) asked for, by what they are to the environment. V(null) for one that did not
          come along.
      returned: always
      type: dict
  sample:
    - id: 66e000000000000000000001
      identifier: production
      name: Production
      cluster: eu
      about: {description: The shop, favorite: false}
      creator: {id: 66aa00000000000000000001, type: account}
      hub_id: 66b000000000000000000001
      state: {current: live, changed: "2026-01-01T00:00:00Z"}
      events:
        created: "2026-01-01T00:00:00Z"
        updated: "2026-01-01T00:00:00Z"
        deleted: "0001-01-01T00:00:00Z"
      features: {legacy_networking: false, monitoring: {tier: standard}}
      services:
        loadbalancer: {enable: true, container_id: 651586fca6078e98982dbd99, high_availability: false}
        discovery: null
        vpn: null
      private_network: {vxlan_tag: 1, subnet: "1", ipv6: {ip: "fd00::1", cidr: "fd00::/64"}, legacy: null}
      included:
        cluster: {id: 651586fca6078e98982dbd9d, identifier: eu}
includes:
  description:
    - The resources selected with O(include), by kind and id, as the platform sends them. Kinds that end in
      C(:identifiers) map the identifiers of such resources to lists of ids.
  returned: success
  type: dict
  sample:
    clusters:
      651586fca6078e98982dbd9d: {id: 651586fca6078e98982dbd9d, identifier: eu}
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
from ..module_utils._cycle.resources import ENVIRONMENT
from ..module_utils._module.info import info_module
from ..module_utils._module.runner import run_module

MODULE = info_module(Cycle, ENVIRONMENT)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
