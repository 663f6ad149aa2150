# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Connection to the API of Cycle.
    DOCUMENTATION = r"""
requirements:
  - requests >= 2.28
options:
  api_key:
    description:
      - An API key of the hub, created in the portal with a role.
      - If not set, the environment variable E(CYCLE_API_KEY) is used. One of the two is required.
        E(CYCLE_API_TOKEN), which the platform sets in containers, is a different token.
      - Set it with C(module_defaults) or in the environment of the controller. Ansible displays the C(environment)
        keyword of a task at high verbosity.
    type: str
  hub_id:
    description:
      - Id of the hub.
      - If not set, the environment variable E(CYCLE_HUB_ID) is used. One of the two is required.
    type: str
  api_url:
    description:
      - URL of the API, with or without a trailing C(/v1). Hubs on a dedicated core use
        C(https://api.CORE.cycle.io).
      - If not set, the environment variable E(CYCLE_BASE_URL) is used.
    type: str
    default: https://api.cycle.io
  timeout:
    description:
      - Seconds to wait for the connection, for the response to begin, and for it to be complete, V(1) to V(3600).
    type: int
    default: 30
  retry_budget:
    description:
      - Total number of seconds to spend on failed requests and on the delays between retries, V(0) to V(86400).
        V(0) disables retries.
      - Requests are retried after the status codes 429, 502, 503 and 504, and after broken connections. C(Retry-After)
        is respected within the budget. Requests that create something are retried only after 429, or if they were
        never sent.
    type: int
    default: 120
  validate_certs:
    description:
      - Whether to verify the TLS certificate of the API.
    type: bool
    default: true
  ca_path:
    description:
      - Path of a file, or of a directory prepared with C(openssl rehash), with the CA certificates to trust instead of
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

    # For modules that return secrets only on request.
    SECRETS = r"""
options:
  secrets:
    description:
      - Whether to return passwords, and the values of environment variables of containers. If V(false), the values are
        V(null), and only their names are returned.
      - The result of such a task is hidden from output and logs, as with C(no_log). A registered variable contains it.
    type: bool
    default: false
"""

    # For modules that read lists.
    SORT = r"""
options:
  sort:
    description:
      - Fields to sort by. Prefix a field with V(-) for descending order, for example V(-id) for the newest first.
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
      - The inventory file whose token is used if the connection has none. Set by
        P(quayside.paas.cycle#inventory) for its hosts if the file contains the token. The token itself stays in
        memory.
    type: str
    vars:
      - name: ansible_cycle_inventory_source
"""
