#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_console
short_description: Capture the console of a Cycle instance
version_added: 0.1.0
description:
  - Returns what the first process of an instance writes, for some seconds or until a line matches.
  - The platform keeps up to 128 KB of it and sends that first. Nothing marks where it ends, so lines that begin to
    arrive in the first second count as replayed, as in the vendor's own tool.
  - What an application writes may hold secrets of its own, and control characters. It is returned as it is, except that
    invalid UTF-8 is replaced and the token of the stream is taken out. Set C(no_log) where this matters.
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
      - Seconds to capture at most, V(1) to V(3600).
    type: int
    default: 10
  until_regex:
    description:
      - Stop at the first line that this regular expression of Python matches somewhere. The task fails when none did.
      - It is tried on each line by itself, on its first 4096 characters, once its end has arrived. A last line without
        an end is tried when the capture is over.
      - A pattern with nested repetitions can take very long on a long line.
    type: str
  max_bytes:
    description:
      - Stop when this much was captured, V(1) to V(16777216).
    type: int
    default: 131072
  backlog:
    description:
      - Whether to capture, and search, what is replayed at the beginning.
    type: bool
    default: true
seealso:
  - module: quayside.paas.instance_stream_info
    description: Get what opens the stream, for a client of one's own.
"""

EXAMPLES = r"""
---
- name: Read what an instance wrote lately
  quayside.paas.instance_console:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    duration: 2
  register: console

- name: Show it
  ansible.builtin.debug:
    var: console.lines

- name: Wait until it says that it is ready, without looking at the past
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
    - This and the next ones come on failure too, when the stream was authorised.
  returned: success
  type: list
  elements: str
  sample: ["Starting", "listening on port 8080"]
replayed:
  description: How many of them, from the first one on, are taken to be replayed.
  returned: success
  type: int
  sample: 1
matched:
  description: Whether a line matched O(until_regex).
  returned: success
  type: bool
  sample: true
match:
  description: The text that matched. V(null) when none did.
  returned: success
  type: str
  sample: listening on port 8080
truncated:
  description: Whether something was cut off because of O(max_bytes).
  returned: success
  type: bool
  sample: false
bytes:
  description: How much was captured, with line ends.
  returned: success
  type: int
  sample: 32
ended:
  description:
    - Why the capture ended. V(duration) when the time was over, V(match) when a line matched, V(size) when O(max_bytes)
      were captured, V(closed) when the platform ended the stream. On failure also V(broken) for a broken connection.
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
