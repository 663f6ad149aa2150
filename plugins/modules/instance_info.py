#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_info
short_description: Read Cycle instances
version_added: 0.1.0
description:
  - Returns the instances of a container, of a server, of every container of an environment, or of every container of
    the hub, or a single instance.
  - Instances have no names. Identify them by id, which sorts by age, by C(hostname) and by server.
  - The result can include deleted instances, and those that are kept only until they are purged. See C(state) and
    C(ready_state).
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
  - quayside.paas._module.fan
options:
  container_id:
    description:
      - Read the instances of this container.
      - Without this option, O(server_id) and O(environment_id), those of every container of the hub, with one request
        or more for each container. They are in the order of the containers, and O(sort) applies within each.
    type: str
  instance_id:
    description:
      - Read this instance only. Needs O(container_id).
      - Mutually exclusive with O(filters) and O(sort).
      - If it does not exist, the list is empty.
    type: str
  server_id:
    description:
      - Read the instances of all containers on this server.
      - The platform does not support O(filters), O(sort) and O(meta) for this list.
      - Mutually exclusive with O(container_id), O(instance_id) and O(environment_id).
    type: str
  environment_id:
    description:
      - Read the instances of every container of this environment. If it does not exist, the list is empty.
      - Mutually exclusive with O(container_id).
    type: str
  filters:
    description:
      - Return only the instances that match all of these filters.
    type: dict
    suboptions:
      state:
        description:
          - Those in one of these states, for example V(running).
        type: list
        elements: str
      server:
        description:
          - Those on the server of this id.
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
      - Resources to return along with the instances, in C(includes), and next to each of them, in its C(included).
    type: list
    elements: str
    choices:
      - creators
      - servers
      - locations
      - integrations
      - containers
      - environments
  meta:
    description:
      - Facts to add to each instance, under its C(meta).
    type: list
    elements: str
    choices:
      - node
      - sdn_pool_ips
"""

EXAMPLES = r"""
---
- name: Read the instances of a container
  quayside.paas.instance_info:
    container_id: 66c000000000000000000001
  register: found

- name: Count those that run and are not to be purged
  ansible.builtin.debug:
    msg: "{{ found.instances | selectattr('ready_state', 'eq', 'active') | map(attribute='state.current')
      | select('eq', 'running') | length }}"

- name: Read those that run on one server, with their servers and locations
  quayside.paas.instance_info:
    container_id: 66c000000000000000000001
    filters:
      state: [running]
      server: 665e00000000000000000001
    include: [servers, locations]
  register: running

- name: Say where each of them is
  ansible.builtin.debug:
    msg: "{{ item.hostname }} on {{ item.included.server.hostname }} in {{ item.included.location.name }}"
  loop: "{{ running.instances }}"
  loop_control:
    label: "{{ item.id }}"

- name: Read the instances of an environment, of each container the newest first, eight containers at a time
  quayside.paas.instance_info:
    environment_id: 66e000000000000000000001
    sort: [-id]
    concurrency: 8

- name: Read what is on a server
  quayside.paas.instance_info:
    server_id: 665e00000000000000000001
    include: [containers]

- name: Read one instance with the state of its node
  quayside.paas.instance_info:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    meta: [node]
"""

RETURN = r"""
---
instances:
  description: The instances.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the instance. Newer instances have greater ids.
      returned: always
      type: str
    creator:
      description: Its creator, as C(id) and C(type), for example V(account), V(api-key) or V(platform).
      returned: always
      type: dict
    hub_id:
      description: The hub.
      returned: always
      type: str
    container_id:
      description: The container that it is made from.
      returned: always
      type: str
    location_id:
      description: The location of its server.
      returned: always
      type: str
    environment:
      description:
        - Its environment (C(id)) and its addresses in the network of this environment, C(network_subnet), C(subnet),
          C(ipv6), C(legacy), C(mac_addr) and C(vxlan_tag).
      returned: always
      type: dict
    stateful:
      description: For an instance of a stateful container, C(id) and C(base_hostname). Otherwise V(null).
      returned: always
      type: dict
    function:
      description: For an instance of a function container, its C(seed).
      returned: when the instance is one of a function
      type: dict
    provider:
      description: The provider of its server, as C(vendor), C(integration_id) and C(location).
      returned: always
      type: dict
    server_id:
      description: The server that it is on.
      returned: always
      type: str
    ready_state:
      description:
        - Whether it may run. V(active) may be started and stopped, V(configuring) may not start yet, V(hibernate) may
          not run, V(purge) is kept only until C(purge_time).
      returned: always
      type: str
    purge_time:
      description: When it is purged, for one that was migrated away. Otherwise V(null).
      returned: always
      type: str
    hostname:
      description: Its host name.
      returned: always
      type: str
    service:
      description:
        - The service of the environment that it is a part of, V(discovery), V(vpn), V(loadbalancer), V(scheduler) or
          V(gateway).
      returned: when the instance belongs to a service
      type: str
    extension:
      description:
        - What it is the instance of besides a container, for example a virtual machine, as C(identifier) and C(id).
          Otherwise V(null).
      returned: when the platform reports it
      type: dict
    state:
      description:
        - Its state. C(current) is V(new), V(starting), V(migrating), V(running), V(stopping), V(stopped), V(failed),
          V(deleting), V(deleted) or a newer one, C(changed) is the time of the change, C(error) the error.
          C(health.healthy) and C(readiness.ready) are V(null) until they are reported. Where nothing is checked,
          C(health) and C(readiness) are V(null) or absent.
      returned: always
      type: dict
    autoscale:
      description: For one that was made by autoscaling, until when it stays at least (C(min_ttl)). Otherwise V(null).
      returned: when the platform reports it
      type: dict
    traffic_drain:
      description: Since when no new traffic is sent to it (C(started)). V(null) when it gets traffic.
      returned: when the platform reports it
      type: dict
    migration:
      description:
        - Its last migration, with C(key), C(copy_volumes), C(started), C(completed), and the instance and server that
          it went to (C(to)) or came from (C(from)). V(null) when there was none. A C(completed) in the year 1 means
          that it is under way.
      returned: when the platform reports it
      type: dict
    deployment:
      description: The deployment (C(version)) that it belongs to. Otherwise V(null).
      returned: when the platform reports it
      type: dict
    events:
      description: When it was C(created), C(updated) and C(deleted). A time in the year 1 means never.
      returned: always
      type: dict
    ha_elections:
      description: Elections of a service that is highly available, as the platform sends them. Otherwise V(null).
      returned: when the platform reports it
      type: dict
    meta:
      description:
        - The facts selected with O(meta). C(node) has C(healthy), C(online), C(last_checkin) and C(state) of the
          server's node, C(sdn_pool_ips) lists the addresses of the instance in pools.
      returned: with O(meta)
      type: dict
    included:
      description:
        - The resources that O(include) asked for, by what they are to the instance. V(null) for one that did not
          come along.
      returned: always
      type: dict
  sample:
    - id: 66d000010000000000000001
      creator: {id: 66ab00000000000000000001, type: api-key}
      hub_id: 66b000000000000000000001
      container_id: 66c000000000000000000001
      location_id: "661000000000000000000001"
      environment:
        id: 66e000000000000000000001
        network_subnet: "1"
        subnet: "1"
        ipv6: {ip: "fd00::21:0:0:0", cidr: "fd00::21:0:0:0/96"}
        legacy: null
        mac_addr: "02:00:00:00:00:01"
        vxlan_tag: 1
      provider: {vendor: virtual, integration_id: "661100000000000000000001", location: site-a}
      server_id: 665e00000000000000000001
      ready_state: active
      hostname: web-1
      state:
        current: running
        changed: "2026-01-01T00:00:00Z"
        health: {healthy: true, updated: "2026-01-01T00:00:10Z"}
      events:
        created: "2026-01-01T00:00:00Z"
        updated: "2026-01-01T00:00:00Z"
        deleted: "0001-01-01T00:00:00Z"
      included:
        server: {id: 665e00000000000000000001, hostname: node-7}
includes:
  description:
    - The resources selected with O(include), by kind and id, as the platform sends them. Kinds that end in
      C(:identifiers) map the identifiers of such resources to lists of ids.
  returned: success
  type: dict
  sample:
    servers:
      665e00000000000000000001: {id: 665e00000000000000000001, hostname: node-7}
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
from ..module_utils._cycle.resources import INSTANCE
from ..module_utils._module.info import info_module
from ..module_utils._module.runner import run_module

MODULE = info_module(Cycle, INSTANCE)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
