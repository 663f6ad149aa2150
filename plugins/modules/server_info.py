#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: server_info
short_description: Read Cycle servers
version_added: 0.1.0
description:
  - Returns the servers of the hub, those that instances of a container can be placed on, or one server.
  - Servers carry tags, in C(constraints.tags). Instances do not.
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
  server_id:
    description:
      - Read this server only.
      - Mutually exclusive with O(usable_for), O(filters) and O(sort).
      - If it does not exist, the list is empty.
    type: str
  usable_for:
    description:
      - Read the servers that instances of the container of this id can be placed on, as the platform sees it.
      - For this list the platform has no O(filters).
    type: str
  filters:
    description:
      - Return only the servers that match all of these filters.
    type: dict
    suboptions:
      state:
        description:
          - Those in one of these states, for example V(live).
        type: list
        elements: str
      cluster:
        description:
          - Those of the cluster with this identifier, for example V(production). Clusters are not named by ids here.
        type: str
      location:
        description:
          - Those at the location of this id.
        type: str
      providers:
        description:
          - Those of one of these providers.
        type: list
        elements: str
      tags:
        description:
          - Those with at least one of these tags.
        type: list
        elements: str
  include:
    description:
      - Resources to return along with the servers, in C(includes), and next to each of them, in its C(included).
      - V(clusters) is not available together with O(usable_for).
    type: list
    elements: str
    choices:
      - locations
      - models
      - integrations
      - clusters
  meta:
    description:
      - Facts to add to each server, under its C(meta).
      - V(allocations) is available together with O(server_id) only.
    type: list
    elements: str
    choices:
      - node
      - instances_count
      - allocations
"""

EXAMPLES = r"""
---
- name: Read the servers that instances of a container can be placed on
  quayside.paas.server_info:
    usable_for: 66c000000000000000000001
    meta: [node, instances_count]
  register: usable

- name: Place one instance on each that is healthy
  quayside.paas.instance:
    container_id: 66c000000000000000000001
    placement:
      - server_id: "{{ item.id }}"
        count: 1
  loop: "{{ usable.servers | selectattr('meta.node.healthy') }}"
  loop_control:
    label: "{{ item.hostname }}"

- name: Read the servers of a cluster that have a tag, with their locations
  quayside.paas.server_info:
    filters:
      cluster: production
      tags: [ssd]
    include: [locations]

- name: Read the free resources of a server
  quayside.paas.server_info:
    server_id: 665e00000000000000000001
    meta: [allocations]
  register: one

- name: Fail if too little memory is left
  ansible.builtin.assert:
    that: one.servers[0].meta.allocations.ram.allocatable_mb - one.servers[0].meta.allocations.ram.allocated_mb > 2048
"""

RETURN = r"""
---
servers:
  description: The servers.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id of the server.
      returned: always
      type: str
    hub_id:
      description: The hub.
      returned: always
      type: str
    location_id:
      description: Id of its location.
      returned: always
      type: str
    model_id:
      description: Id of its model.
      returned: always
      type: str
    node_id:
      description: Its node in the platform.
      returned: always
      type: str
    shared_file_systems:
      description: File systems that it shares with others, as C(mounts) and C(directories).
      returned: always
      type: dict
    hostname:
      description: Its host name.
      returned: always
      type: str
    nickname:
      description: Its nickname. V(null) if it has none.
      returned: when the platform reports it
      type: str
    creator:
      description: Its creator, as C(id) and C(type), for example V(account), V(api-key) or V(platform).
      returned: always
      type: dict
    provider:
      description:
        - Its provider, as C(vendor), C(integration_id), C(model), C(location), C(server), C(zone), C(init_ips)
          and C(mac_addr).
      returned: always
      type: dict
    cluster:
      description: Identifier of its cluster.
      returned: always
      type: str
    features:
      description:
        - Its features. C(sftp) is whether volumes can be reached by SFTP, C(base_volume_gb) the size of its base
          volume, C(gateway) the gateway that it is.
      returned: always
      type: dict
    constraints:
      description:
        - What may be placed on it. C(tags) are its tags, C(allow) has C(pool), C(services), C(overcommit) and
          C(overcommit_multiple).
      returned: always
      type: dict
    autoscale:
      description: Its autoscaling group (C(group_id)), if autoscaling created it. Otherwise V(null).
      returned: when the platform reports it
      type: dict
    ephemeral:
      description: Whether autoscaling created it and can delete it.
      returned: always
      type: bool
    evacuate:
      description: Start of its evacuation (C(started)), during which it takes no new instances. Otherwise V(null).
      returned: when the platform reports it
      type: dict
    state:
      description:
        - Its state. C(current) is V(new), V(provisioning), V(configuring), V(quarantined), V(live), V(deleting),
          V(deleted) or a newer one, C(changed) is the time of the change, C(error) the error.
      returned: always
      type: dict
    events:
      description:
        - When it was C(created), C(updated) and C(deleted), when it last got an instance (C(latest_instance)), and how
          C(provisioning) went. A time in the year 1 means never.
      returned: always
      type: dict
    meta:
      description:
        - The facts selected with O(meta). C(node) has C(healthy), C(online), C(last_checkin), C(state) and C(stats),
          C(instances_count) has C(total), C(available) and the number by C(state), C(allocations) has C(cpu_shares)
          and C(ram).
      returned: with O(meta)
      type: dict
    included:
      description:
        - The resources selected with O(include), by their relation to the server. V(null) if the platform did not
          return one.
      returned: always
      type: dict
  sample:
    - id: 665e00000000000000000001
      hub_id: 66b000000000000000000001
      location_id: "661000000000000000000001"
      model_id: "661200000000000000000001"
      node_id: 651586fca6078e98982dbd9c
      shared_file_systems: {mounts: null, directories: null}
      hostname: node-7
      nickname: null
      creator: {id: 66aa00000000000000000001, type: account}
      provider:
        vendor: virtual
        integration_id: "661100000000000000000001"
        model: rack-16
        location: site-a
        server: rack-4
        init_ips: [198.51.100.7]
      cluster: production
      features: {sftp: true, base_volume_gb: 50, gateway: null}
      constraints: {tags: [ssd], allow: {pool: true, services: true, overcommit: false}}
      ephemeral: false
      evacuate: null
      state: {current: live, changed: "2026-01-01T00:00:00Z"}
      events:
        created: "2026-01-01T00:00:00Z"
        updated: "2026-01-01T00:00:00Z"
        deleted: "0001-01-01T00:00:00Z"
        latest_instance: "2026-01-02T00:00:00Z"
      included:
        location: {id: "661000000000000000000001", name: Site A}
includes:
  description:
    - The resources selected with O(include), by kind and id, as the platform sends them. Kinds that end in
      C(:identifiers) map the identifiers of such resources to lists of ids.
  returned: success
  type: dict
  sample:
    locations:
      "661000000000000000000001": {id: "661000000000000000000001", name: Site A}
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
from ..module_utils._cycle.resources import SERVER
from ..module_utils._module.info import info_module
from ..module_utils._module.runner import run_module

MODULE = info_module(Cycle, SERVER)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
