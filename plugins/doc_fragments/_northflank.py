# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Connection to the API of Northflank.
    DOCUMENTATION = r"""
requirements:
  - requests >= 2.28
options:
  api_token:
    description:
      - A token for the Northflank API, created in the web application with an API role.
      - If not set, the environment variable E(NORTHFLANK_API_TOKEN) is used, then E(NF_API_TOKEN).
        One of the three is required.
      - Set it with C(module_defaults) or in the environment of the controller. Ansible displays the C(environment)
        keyword of a task at high verbosity.
    type: str
  api_url:
    description:
      - URL of the API, with or without a trailing C(/v1).
      - If not set, the environment variable E(NORTHFLANK_API_BASE_URL) is used, then E(NF_API_HOST), then
        E(NF_HOST).
    type: str
    default: https://api.northflank.com
  team_id:
    description:
      - Id of the team. Required with the token of an organisation. The token of a team uses its own team by default.
      - If not set, the environment variable E(NORTHFLANK_TEAM_ID) is used.
    type: str
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
        and C(x-ratelimit-reset) are respected within the budget.
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
  - name: Northflank API documentation
    description: The vendor's documentation of the API.
    link: https://northflank.com/docs/v1/api/introduction
"""

    # Membership of the action group.
    ACTIONGROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/quayside.paas.northflank) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - quayside.paas.northflank
"""

    # For modules that start an operation. They poll slowly because of the rate limit.
    WAIT = r"""
options:
  wait:
    description:
      - Whether to wait until the operation is finished. Otherwise the task ends as soon as the platform has accepted
        the request.
    type: bool
    default: true
  wait_timeout:
    description:
      - Total number of seconds to wait, V(0) to V(86400). When the wait times out, the task fails, and the operation
        continues on the platform.
    type: int
    default: 1800
  wait_interval:
    description:
      - Seconds between two polls, V(1) to V(3600). Each poll is a request. The default rate limit of the platform is
        1000 requests an hour.
    type: int
    default: 5
"""

    # For inventories and connections: the same options from the environment.
    PLUGIN = r"""
options:
  api_token:
    env:
      - name: NF_API_TOKEN
      - name: NORTHFLANK_API_TOKEN
  api_url:
    env:
      - name: NF_HOST
      - name: NF_API_HOST
      - name: NORTHFLANK_API_BASE_URL
  team_id:
    env:
      - name: NORTHFLANK_TEAM_ID
"""

    # For connections: the same options from variables of the host.
    CONNECTION = r"""
options:
  api_token:
    vars:
      - name: ansible_northflank_api_token
  api_url:
    vars:
      - name: ansible_northflank_api_url
  team_id:
    vars:
      - name: ansible_northflank_team_id
  timeout:
    vars:
      - name: ansible_northflank_timeout
  retry_budget:
    vars:
      - name: ansible_northflank_retry_budget
  validate_certs:
    vars:
      - name: ansible_northflank_validate_certs
  ca_path:
    vars:
      - name: ansible_northflank_ca_path
  inventory_source:
    description:
      - The inventory file whose token is used if the connection has none. Set by
        P(quayside.paas.northflank#inventory) for its hosts if the file contains the token. The token itself stays in
        memory.
    type: str
    vars:
      - name: ansible_northflank_inventory_source
"""
