#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_stream_info
short_description: Get what opens the console and telemetry streams of a Cycle instance
version_added: 0.1.0
description:
  - Returns address and token of the WebSockets of an instance, for clients of one's own.
  - M(quayside.paas.instance_console) and M(quayside.paas.instance_telemetry_info) use the streams by themselves.
  - A token opens its stream within 15 minutes. A stream that is open outlives it.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._cycle
  - quayside.paas._cycle.actiongroup
  - quayside.paas._module
  - quayside.paas._module.info_module
  - quayside.paas._module.in_process
options:
  container_id:
    description:
      - The container of the instance.
    type: str
    required: true
  instance_id:
    description:
      - The instance.
    type: str
    required: true
  streams:
    description:
      - What to ask for.
      - V(console) needs the capability C(containers-console), V(telemetry) needs C(containers-view).
    type: list
    elements: str
    choices: [console, telemetry]
    default: [console, telemetry]
notes:
  - The result is kept from display and logs, as with C(no_log), and a registered variable has it.
"""

EXAMPLES = r"""
---
- name: Get what opens the console
  quayside.paas.instance_stream_info:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    streams: [console]
  register: found

- name: Hand it to a client that reads the address from its input
  ansible.builtin.command:
    cmd: /usr/local/bin/follow-console
    stdin: "{{ found.streams.console.url }}"
  no_log: true
"""

RETURN = r"""
---
streams:
  description: What opens each stream.
  returned: success
  type: dict
  contains:
    console:
      description: Output of the first process of the instance as it is, which is no JSON and may be invalid UTF-8.
      returned: always
      type: dict
      contains:
        address:
          description: The address, with a scheme that the platform chooses. V(null) when it was not asked for.
          returned: always
          type: str
        token:
          description: The token, which the address needs as query parameter C(token).
          returned: always
          type: str
        url:
          description: Both in one, with the scheme C(ws) or C(wss).
          returned: always
          type: str
    telemetry:
      description: Samples of its resources, one JSON object a message, about one a second.
      returned: always
      type: dict
      contains:
        address:
          description: The address, with a scheme that the platform chooses. V(null) when it was not asked for.
          returned: always
          type: str
        token:
          description: The token, which the address needs as query parameter C(token).
          returned: always
          type: str
        url:
          description: Both in one, with the scheme C(ws) or C(wss).
          returned: always
          type: str
  sample:
    console:
      address: https://console.cycle.io:8920/v1/console
      token: bd1c5a6f0e7a4d8c
      url: wss://console.cycle.io:8920/v1/console?token=bd1c5a6f0e7a4d8c
    telemetry: {address: null, token: null, url: null}
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

from ..module_utils._cycle import streams
from ..module_utils._cycle.api import Cycle
from ..module_utils._module.runner import module_of, run_module

MODULE = module_of(Cycle, streams.read_authorisations, streams.INFO_ARGUMENTS, is_secret=lambda arguments: True)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
