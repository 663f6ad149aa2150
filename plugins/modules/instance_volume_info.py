#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_volume_info
short_description: Read the volumes of Cycle instances
version_added: 0.1.0
description:
  - Returns the volumes of one instance, or of every instance of a container.
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
  - quayside.paas._module.fan
options:
  container_id:
    description:
      - The container of the instances.
    type: str
    required: true
  instance_id:
    description:
      - Read the volumes of this instance only.
      - By default, those of every instance of the container, with one request or more for each. They stand in the order
        of the instances, and O(sort) applies within each.
    type: str
"""

EXAMPLES = r"""
---
- name: Read the volumes of an instance
  quayside.paas.instance_volume_info:
    container_id: 66c000000000000000000003
    instance_id: 66d000030000000000000001
  register: found

- name: Show the used space
  ansible.builtin.debug:
    msg: "{{ item.config.destination }} holds {{ item.deployed.storage.used }} of {{ item.deployed.storage.total }} MB"
  loop: "{{ found.volumes | selectattr('deployed') }}"
  loop_control:
    label: "{{ item.id }}"

- name: Read the volumes of every instance of a container
  quayside.paas.instance_volume_info:
    container_id: 66c000000000000000000003

- name: Read the SFTP credentials of a volume
  quayside.paas.instance_volume_info:
    container_id: 66c000000000000000000003
    instance_id: 66d000030000000000000001
    secrets: true
  register: with_secrets
"""

RETURN = r"""
---
volumes:
  description: The volumes.
  returned: success
  type: list
  elements: dict
  contains:
    container_id:
      description: The container of the instance.
      returned: always
      type: str
    instance_id:
      description: The instance.
      returned: always
      type: str
    id:
      description: Id of the volume, by which M(quayside.paas.instance_volume) knows it.
      returned: always
      type: str
    config:
      description:
        - Its configuration, with C(identifier), C(destination) (the path in the instance), C(read_only),
          C(block_device), C(local) with C(max_size), C(stateless) and C(storage_pool), C(external), and
          C(remote_access), whose C(password) is V(null) without O(secrets).
      returned: always
      type: dict
    deployed:
      description:
        - Where it is, with C(id), C(server_id), C(container_volume_id), C(path), and C(storage), the megabytes C(used)
          and in C(total). V(null) while it is not on a server.
      returned: when the platform reports it
      type: dict
    sftp:
      description:
        - How to reach it by SFTP, as C(host), C(port), C(username) and C(password), which is V(null) without
          O(secrets). V(null) when it cannot be reached so.
      returned: when the platform reports it
      type: dict
  sample:
    - container_id: 66c000000000000000000001
      instance_id: 66d000010000000000000001
      id: 651586fca6078e98982dbd99
      config:
        identifier: data
        read_only: false
        block_device: false
        destination: /var/lib/postgresql
        local: {max_size: 20G, stateless: false, storage_pool: null}
        external: null
        remote_access: {enable: true, ips: [], password: {algorithm: null, data: null}}
      deployed:
        id: 651586fca6078e98982dbd9e
        server_id: 665e00000000000000000001
        storage: {used: 5120, total: 20480}
      sftp: {host: node-7, port: 22, username: 651586fca6078e98982dbd99, password: {algorithm: null, data: null}}
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
from ..module_utils._cycle.resources import INSTANCE_VOLUME
from ..module_utils._module.info import info_module
from ..module_utils._module.runner import run_module

MODULE = info_module(Cycle, INSTANCE_VOLUME, required=("container_id",), secrets=True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
