#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: container_info
short_description: Read Cycle containers
version_added: 0.1.0
description:
  - Returns the containers of the hub or of an environment, or one of them.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._cycle
  - quayside.paas._cycle.actiongroup
  - quayside.paas._cycle.secrets
  - quayside.paas._cycle.sort
  - quayside.paas._module
  - quayside.paas._module.info_module
  - quayside.paas._module.in_process
  - quayside.paas._module.list
options:
  container_id:
    description:
      - Read this container only.
      - Mutually exclusive with O(environment_id), O(filters) and O(sort).
      - If it does not exist, the list is empty.
    type: str
  environment_id:
    description:
      - Read the containers of this environment. If it does not exist, the list is empty.
    type: str
  filters:
    description:
      - Return only the containers that match all of these filters.
    type: dict
    suboptions:
      state:
        description:
          - Those in one of these states, for example V(running).
        type: list
        elements: str
      identifier:
        description:
          - Those with this identifier. There can be several, in different environments.
        type: str
      deployment_strategy:
        description:
          - Those with this deployment strategy, for example V(manual).
        type: str
      deprecated:
        description:
          - Those that are deprecated (V(true)), or those that are not (V(false)).
        type: bool
      image:
        description:
          - Those that use the image of this id.
        type: str
      stack:
        description:
          - Those that were deployed from the stack of this id.
        type: str
      service:
        description:
          - Those that provide this service of their environment, for example V(loadbalancer).
        type: str
      public_network:
        description:
          - Those with this access to the public network, for example V(egress-only).
        type: str
      tags:
        description:
          - Those with these server tags.
        type: list
        elements: str
      deployment:
        description:
          - Those that belong to one of these deployments.
        type: list
        elements: str
      creator:
        description:
          - Those created by the account, API key or other creator with this id.
        type: str
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
      - Resources to return along with the containers, in C(includes), and next to each of them, in its C(included).
    type: list
    elements: str
    choices:
      - creators
      - images
      - stack_builds
      - stacks
      - environments
  meta:
    description:
      - Facts to add to each container, under its C(meta).
    type: list
    elements: str
    choices:
      - instances_count
      - domains
      - ips
"""

EXAMPLES = r"""
---
- name: Find a container by its identifier
  quayside.paas.container_info:
    environment_id: 66e000000000000000000001
    filters:
      identifier: web
  register: found

- name: Read its instances
  quayside.paas.instance_info:
    container_id: "{{ found.containers[0].id }}"

- name: Read the containers that instances can be placed for, with the number of instances by state
  quayside.paas.container_info:
    filters:
      deployment_strategy: manual
    meta: [instances_count]

- name: Read one container with its environment
  quayside.paas.container_info:
    container_id: 66c000000000000000000001
    include: [environments]
  register: web

- name: Read the environment variables of a container
  quayside.paas.container_info:
    container_id: 66c000000000000000000001
    secrets: true
  register: with_secrets
"""

RETURN = r"""
---
containers:
  description: The containers.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the container.
      returned: always
      type: str
    identifier:
      description: Its short name, for example V(web). Several containers of a hub may have the same one.
      returned: always
      type: str
    name:
      description: Its name.
      returned: always
      type: str
    creator:
      description: Its creator, as C(id) and C(type), for example V(account), V(api-key) or V(platform).
      returned: always
      type: dict
    environment:
      description:
        - Its environment (C(id)), the cluster of this (C(cluster)), and the addresses of the container in its network,
          C(container_subnet), C(ipv6) and C(legacy).
      returned: always
      type: dict
    hub_id:
      description: The hub.
      returned: always
      type: str
    image:
      description:
        - What it runs, as C(id) of the image, C(service) of the environment, or C(extension). What it is not is
          V(null).
      returned: always
      type: dict
    stack:
      description: The stack that it was deployed from, as C(id), C(build_id) and C(identifier). Otherwise V(null).
      returned: when the platform reports it
      type: dict
    config:
      description:
        - Its configuration. C(network) has its host name and ports, C(deploy) the number of C(instances), the
          C(strategy), constraints and checks, C(runtime) the command and C(environment_vars), C(resources) the limits.
          There may be C(scale) and C(integrations). The values of C(environment_vars) are V(null) without O(secrets).
      returned: always
      type: dict
    deployment:
      description: The deployment (C(version)) that it belongs to. Otherwise V(null).
      returned: when the platform reports it
      type: dict
    instances:
      description: Number of instances. O(meta=instances_count) counts them by state.
      returned: always
      type: int
    volumes:
      description:
        - Its volumes, each with C(id), C(hash) and C(config). M(quayside.paas.instance_volume_info) reads those of its
          instances.
      returned: when the platform reports it
      type: list
      elements: dict
    annotations:
      description: Annotations set by its owner, with unchanged keys. V(null) if there are none.
      returned: when the platform reports it
      type: dict
    role:
      description: V(orchestrator) for one that has this role. Otherwise V(null).
      returned: when the platform reports it
      type: str
    stateful:
      description: Whether its instances keep what they store and their identity.
      returned: always
      type: bool
    deprecate:
      description: Whether it is deprecated.
      returned: always
      type: bool
    lock:
      description: Whether it is protected from being deleted.
      returned: always
      type: bool
    state:
      description:
        - Its state. C(current) is V(new), V(starting), V(running), V(function), V(stopping), V(stopped), V(deleting),
          V(deleted) or a newer one, C(desired) what it shall become, C(changed) says since when, C(error) what went
          wrong.
      returned: always
      type: dict
    events:
      description:
        - When it was C(created), C(updated) and C(deleted), and last C(started). A time in the year 1 means never.
      returned: always
      type: dict
    meta:
      description:
        - The facts selected with O(meta). C(instances_count) has C(total), C(available) and the number by C(state),
          C(domains) lists its names in DNS, C(ips) its addresses in pools.
      returned: with O(meta)
      type: dict
    included:
      description:
        - The resources that O(include) asked for, by what they are to the container. V(null) for one that did not
          come along.
      returned: always
      type: dict
  sample:
    - id: 66c000000000000000000001
      identifier: web
      name: Web shop
      creator: {id: 66aa00000000000000000001, type: account}
      environment: {id: 66e000000000000000000001, cluster: production, container_subnet: null, ipv6: null, legacy: null}
      hub_id: 66b000000000000000000001
      image: {id: 651586fca6078e98982dbd9a, extension: null, service: null}
      config:
        network: {public: enable, hostname: web, ports: ["80:3000"]}
        deploy: {instances: 2, strategy: manual}
        runtime: {privileged: false, environment_vars: {API_TOKEN: null}}
      instances: 2
      stateful: false
      deprecate: false
      lock: false
      state: {current: running, desired: running, changed: "2026-01-01T00:00:00Z"}
      events:
        created: "2026-01-01T00:00:00Z"
        updated: "2026-01-01T00:00:00Z"
        deleted: "0001-01-01T00:00:00Z"
        started: "2026-01-01T00:00:30Z"
      included: {}
includes:
  description:
    - The resources selected with O(include), by kind and id, as the platform sends them. Kinds that end in
      C(:identifiers) map the identifiers of such resources to lists of ids.
  returned: success
  type: dict
  sample:
    environments:
      66e000000000000000000001: {id: 66e000000000000000000001, identifier: production, name: Production}
    "environments:identifiers":
      production: [66e000000000000000000001]
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
from ..module_utils._cycle.resources import CONTAINER
from ..module_utils._module.info import info_module
from ..module_utils._module.runner import run_module

MODULE = info_module(Cycle, CONTAINER, secrets=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
