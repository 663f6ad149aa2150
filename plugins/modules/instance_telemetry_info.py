#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_telemetry_info
short_description: Read the resource usage of Cycle instances
version_added: 0.1.0
description:
  - Returns samples of the resource usage of one instance, or of all instances of a container, and a summary of them.
  - By default, samples come from a report, which can be about ten minutes behind. With O(live), they come from the
    telemetry stream, about one a second.
  - An instance without telemetry, such as one that is not running, has an empty report.
  - The response of the platform for missing telemetry is not documented. The module interprets status 404 for an
    existing instance, and 403, 409, 422 or 503 for an instance that is not running, as missing telemetry.
requirements:
  - websocket-client >= 1.6, for O(live) only
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
      - The container.
    type: str
    required: true
  instance_id:
    description:
      - Read this instance only. By default, all instances of the container that are not deleted, the newest first.
    type: str
  range_start:
    description:
      - Start of the report, in RFC 3339 format, for example V(2026-01-31T11:00:00Z). By default, the platform decides.
    type: str
  range_end:
    description:
      - End of the report. By default, the platform decides.
    type: str
  live:
    description:
      - Read samples from the telemetry stream instead of the report.
    type: dict
    suboptions:
      samples:
        description:
          - Number of samples of each instance, V(1) to V(1000).
        type: int
        default: 2
      timeout:
        description:
          - Seconds to wait for them, for each instance, V(1) to V(3600). After a timeout, the report contains the
            samples received so far.
        type: int
        default: 30
  snapshots:
    description:
      - Whether to return the samples themselves, besides the summary.
    type: bool
    default: true
  concurrency:
    description:
      - Maximum number of concurrent report requests, or of open streams with O(live), V(1) to V(32).
      - It does not change the order of the results.
    type: int
    default: 4
"""

EXAMPLES = r"""
---
- name: Read the latest report of every instance of a container, in short
  quayside.paas.instance_telemetry_info:
    container_id: 66c000000000000000000001
    snapshots: false
  register: usage

- name: Fail if one of them uses nearly all of its memory
  ansible.builtin.assert:
    that: usage.reports | map(attribute='summary.memory_share') | select('gt', 0.9) | length == 0
  when: usage.reports | map(attribute='summary.memory_share') | select('none') | length == 0

- name: Read one hour of one instance
  quayside.paas.instance_telemetry_info:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    range_start: "2026-01-31T11:00:00Z"
    range_end: "2026-01-31T12:00:00Z"

- name: Read the current usage of an instance
  quayside.paas.instance_telemetry_info:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    live:
      samples: 5
"""

RETURN = r"""
---
reports:
  description: One report for each instance.
  returned: success
  type: list
  elements: dict
  contains:
    instance_id:
      description: The instance.
      returned: always
      type: str
    container_id:
      description: Its container.
      returned: always
      type: str
    start:
      description:
        - Beginning of the range. With O(live), the time of the first sample. V(null) if there is no report or sample.
      returned: always
      type: str
    end:
      description: End of the range. With O(live), the time of the last sample. V(null) as above.
      returned: always
      type: str
    snapshots:
      description:
        - The samples, as the platform sends them. Counters run since the instance, or its network interface, was
          started. Those of the CPU are nanoseconds. Empty with O(snapshots=false).
      returned: always
      type: list
      elements: dict
    summary:
      description:
        - Summary of the samples. Unknown values are V(null), for example a rate from a single sample.
        - Rates are averages. They are the growth of a counter from the first sample to the last one, divided by the
          seconds between them. If a counter decreases, the instance was restarted, and only later
          samples count.
      returned: always
      type: dict
      contains:
        cpu:
          description:
            - Share of all cores that was in use, 0 to 1. This is the growth of C(cpu.usage.total), divided by the time
              and by the number of cores.
          returned: always
          type: float
        cpu_cores:
          description: Number of cores, in the last sample.
          returned: always
          type: int
        memory_used:
          description: Bytes in use in the last sample (C(memory.usage.usage)), with what the kernel caches.
          returned: always
          type: int
        memory_limit:
          description: Bytes that may be in use (C(memory.usage.limit)). V(null) without a limit.
          returned: always
          type: int
        memory_share:
          description: C(memory_used) divided by C(memory_limit).
          returned: always
          type: float
        network_rx:
          description: Bytes a second that came in, over all interfaces but the loopback.
          returned: always
          type: float
        network_tx:
          description: Bytes a second that went out, over all interfaces but the loopback.
          returned: always
          type: float
        processes:
          description: Number of processes in the last sample.
          returned: always
          type: int
        samples:
          description: Number of samples in the report.
          returned: always
          type: int
        seconds:
          description: Seconds between the samples that the rates were computed from.
          returned: always
          type: float
  sample:
    - instance_id: 66d000010000000000000001
      container_id: 66c000000000000000000001
      start: "2026-01-31T11:00:00Z"
      end: "2026-01-31T12:00:00Z"
      snapshots: []
      summary:
        cpu: 0.2137
        cpu_cores: 2
        memory_used: 104857600
        memory_limit: 536870912
        memory_share: 0.1953
        network_rx: 20480.5
        network_tx: 35111.0
        processes: 5
        samples: 60
        seconds: 3540.0
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

from ..module_utils._cycle import telemetry
from ..module_utils._cycle.api import Cycle
from ..module_utils._module.runner import module_of, run_module

MODULE = module_of(Cycle, telemetry.read, telemetry.ARGUMENTS)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
