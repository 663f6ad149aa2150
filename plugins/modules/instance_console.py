#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_console
short_description: Capture the console output of a Cycle instance
version_added: 0.1.0
description:
  - Returns the output of the first process of an instance, for some seconds or until a line matches.
  - The output is returned unchanged, except that invalid UTF-8 is replaced and the token of the stream is removed. It
    may contain secrets and control characters of the application. Set C(no_log) if this matters.
  - The platform first replays up to 128 KB of earlier output. Nothing marks its end, so lines that begin to arrive in
    the first second count as replayed, as in the vendor's own tool.
requirements:
  - websocket-client >= 1.6
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
  duration:
    description:
      - Maximum number of seconds to capture, V(1) to V(3600).
    type: int
    default: 10
  until_regex:
    description:
      - Stop at the first line in which this Python regular expression is found. The task fails if no line matches.
      - It is matched against the first 4096 characters of each complete line, and of an incomplete last line at the
        end.
      - A pattern with nested repetitions can be very slow on a long line.
    type: str
  max_bytes:
    description:
      - Maximum number of bytes to capture, V(1) to V(16777216).
    type: int
    default: 131072
  backlog:
    description:
      - Whether to capture and search the replayed output.
    type: bool
    default: true
seealso:
  - module: quayside.paas.instance_stream_info
    description: Get the address and token of the stream, for your own client.
"""

EXAMPLES = r"""
---
- name: Read the recent output of an instance
  quayside.paas.instance_console:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    duration: 2
  register: console

- name: Show the lines
  ansible.builtin.debug:
    var: console.lines

- name: Wait for a line of new output
  quayside.paas.instance_console:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    until_regex: 'listening on port \d+'
    backlog: false
    duration: 120
"""

RETURN = r"""
---
lines:
  description:
    - The lines, without their ends. The first one may lack its beginning, and the last one its end.
    - Also returned on failure if the stream was authorised, like the following values.
  returned: success
  type: list
  elements: str
  sample: ["Starting", "listening on port 8080"]
replayed:
  description: Number of leading lines that count as replayed.
  returned: success
  type: int
  sample: 1
matched:
  description: Whether a line matched O(until_regex).
  returned: success
  type: bool
  sample: true
match:
  description: The text that matched. V(null) if none did.
  returned: success
  type: str
  sample: listening on port 8080
truncated:
  description: Whether the output was truncated because of O(max_bytes).
  returned: success
  type: bool
  sample: false
bytes:
  description: Number of bytes captured, including line ends.
  returned: success
  type: int
  sample: 32
ended:
  description:
    - Why the capture ended. V(duration) after O(duration), V(match) if a line matched, V(size) at O(max_bytes),
      V(closed) if the platform ended the stream. On failure also V(broken) for a broken connection.
  returned: success
  type: str
  sample: match
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

MODULE = module_of(Cycle, streams.capture, streams.CONSOLE_ARGUMENTS)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
