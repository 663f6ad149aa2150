# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # How to reach Cycle.
    DOCUMENTATION = r"""
requirements:
  - requests >= 2.28
options:
  api_key:
    description:
      - An API key of the hub, made in the portal under a role.
      - Without the option, the environment variable E(CYCLE_API_KEY) is used. One of the two is needed.
        E(CYCLE_API_TOKEN), which containers find in their environment, is something else.
      - Prefer C(module_defaults) or the environment of the controller to C(environment) on a task, which Ansible shows
        at high verbosity.
    type: str
  hub_id:
    description:
      - Id of the hub to work in.
      - Without the option, the environment variable E(CYCLE_HUB_ID) is used. One of the two is needed.
    type: str
  api_url:
    description:
      - Address of the API, with or without C(/v1) at its end. Hubs with a core of their own have another one,
        C(https://api.CORE.cycle.io).
      - Without the option, the environment variable E(CYCLE_BASE_URL) is used.
    type: str
    default: https://api.cycle.io
  timeout:
    description:
      - Seconds to wait for the connection, for an answer to begin, and for it to be complete, V(1) to V(3600).
    type: int
    default: 30
  retry_budget:
    description:
      - Seconds in all that the task may spend on failed attempts and on the waits between them, V(0) to V(86400).
        V(0) turns repetition off.
      - Repeated are requests that were refused with status 429 or answered with 502, 503 or 504, and broken
        connections. A C(Retry-After) of the platform is obeyed when it fits in. What creates something is repeated
        only when the platform refused it with status 429, or when it was never sent.
    type: int
    default: 120
  validate_certs:
    description:
      - Whether the certificate of the API is verified.
    type: bool
    default: true
  ca_path:
    description:
      - A file, or a folder prepared by C(openssl rehash), with the certificates of the authorities to trust instead of
        the default ones.
    type: path
seealso:
  - name: Cycle API documentation
    description: The vendor's documentation of the API.
    link: https://docs.cycle.io/
"""

    # Membership of the action group.
    ACTIONGROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/quayside.paas.cycle) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - quayside.paas.cycle
"""

    # For modules that hide secrets unless asked for.
    SECRETS = r"""
options:
  secrets:
    description:
      - Whether to return passwords, and the values of environment variables of containers. Without it they are V(null);
        their names are returned all the same.
      - The result of such a task is kept from display and logs as with C(no_log). A registered variable has it.
    type: bool
    default: false
"""

    # For modules that read lists.
    SORT = r"""
options:
  sort:
    description:
      - Fields to sort by, with V(-) in front for the reverse, for example V(-id) for the newest first.
    type: list
    elements: str
"""

    # For inventories and connections: the same options from the environment.
    PLUGIN = r"""
options:
  api_key:
    env:
      - name: CYCLE_API_KEY
  hub_id:
    env:
      - name: CYCLE_HUB_ID
  api_url:
    env:
      - name: CYCLE_BASE_URL
"""

    # For connections: the same options from variables of the host.
    CONNECTION = r"""
options:
  api_key:
    vars:
      - name: ansible_cycle_api_key
  api_url:
    vars:
      - name: ansible_cycle_api_url
  hub_id:
    vars:
      - name: ansible_cycle_hub_id
  timeout:
    vars:
      - name: ansible_cycle_timeout
  retry_budget:
    vars:
      - name: ansible_cycle_retry_budget
  validate_certs:
    vars:
      - name: ansible_cycle_validate_certs
  ca_path:
    vars:
      - name: ansible_cycle_ca_path
  inventory_source:
    description:
      - The inventory file whose token is used when the connection has none of its own. Set by
        P(quayside.paas.cycle#inventory) for its hosts when the token stands in the file; the token itself stays in
        the memory of the run.
    type: str
    vars:
      - name: ansible_cycle_inventory_source
"""
