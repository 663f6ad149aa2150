# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # How to reach Northflank.
    DOCUMENTATION = r"""
requirements:
  - requests >= 2.28
options:
  api_token:
    description:
      - A token for the Northflank API, made in the web application under an API role.
      - Without the option, the environment variable E(NORTHFLANK_API_TOKEN) is used, then E(NF_API_TOKEN).
        One of the three is needed.
      - Prefer C(module_defaults) or the environment of the controller to C(environment) on a task, which Ansible shows
        at high verbosity.
    type: str
  api_url:
    description:
      - Address of the API, with or without C(/v1) at its end.
      - Without the option, the environment variable E(NORTHFLANK_API_BASE_URL) is used, then E(NF_API_HOST), then
        E(NF_HOST).
    type: str
    default: https://api.northflank.com
  team_id:
    description:
      - Work in this team. Needed with the token of an organisation; the token of a team works in its own.
      - Without the option, the environment variable E(NORTHFLANK_TEAM_ID) is used.
    type: str
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
        connections. The platform's C(Retry-After) and C(x-ratelimit-reset) are obeyed when they fit in.
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

    # For modules that set something going. Sparing, because of the rate limit.
    WAIT = r"""
options:
  wait:
    description:
      - Whether to wait until it is done. Otherwise the task ends as soon as the platform has accepted what it was asked
        for.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait in all, V(0) to V(86400). When they are over the task fails, and what it has set going goes on.
    type: int
    default: 1800
  wait_interval:
    description:
      - Seconds between two looks, V(1) to V(3600). Each look is a request, of which the platform allows for 1000 an
        hour unless agreed otherwise.
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
      - The inventory file whose token is used when the connection has none of its own. Set by
        P(quayside.paas.northflank#inventory) for its hosts when the token stands in the file; the token itself stays in
        the memory of the run.
    type: str
    vars:
      - name: ansible_northflank_inventory_source
"""
