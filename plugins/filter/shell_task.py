# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: shell_task
short_description: What commands in hosts returned, as records
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Without O(hosts), makes one record of the registered result of a command, or of a loop over several.
  - With O(hosts), makes one result of the records of all these hosts, and limits the length of their texts.
  - The role P(quayside.paas.container_shell_task#role) uses it for both.
positional: _input
options:
  _input:
    description:
      - What the task registered, or C(ansible_failed_result).
      - With O(hosts), records by the name of their host. A host that was started and has no record, or an empty one,
        counts as V(unreachable); one that was not started as V(skipped).
    type: dict
    required: true
  secrets:
    description: Texts that are masked wherever they occur. Those of less than four characters are not.
    type: list
    elements: str
    default: []
  seconds:
    description: How long the task took. Without it, the sum of what the commands report.
    type: float
  task:
    description: The name of the task that failed, for the message.
    type: str
  hidden:
    description: Whether the task has C(no_log), so that nothing of its output is kept.
    type: bool
    default: false
  hosts:
    description: The names of all hosts, in their order.
    type: list
    elements: str
  begun:
    description: With O(hosts), how many of them were started.
    type: int
    default: 0
  check_mode:
    description: With O(hosts), whether nothing was to run at all.
    type: bool
    default: false
  output_limit:
    description: With O(hosts), how many characters of each text of a host are kept.
    type: int
    default: 2000
  artifact_limit:
    description: With O(hosts), how many characters the texts of all hosts can have together. Each host gets an equal
      share of it.
    type: int
    default: 200000
"""

EXAMPLES = r"""
- name: Look at the disk
  ansible.builtin.command:
    cmd: df -h /
  changed_when: false
  register: looked

- name: Show the record of this host
  ansible.builtin.debug:
    msg: "{{ looked | quayside.paas.shell_task }}"

- name: Leave the result of a host for the next node of the workflow
  ansible.builtin.set_stats:
    data:
      my_result: "{{ {'web-1': hostvars['web-1'].looked | quayside.paas.shell_task}
        | quayside.paas.shell_task(hosts=['web-1']) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - The record, with the keys C(status) (V(ok), V(failed), V(unreachable) or V(skipped)), C(rc) (of the last
      command; V(null) if there is none), C(stdout), C(stderr) (of all commands), C(seconds) (V(null) if unknown),
      C(changed) and C(message) (empty if all went well).
    - With O(hosts), a dictionary with the keys C(hosts) (a record for each), C(ok), C(failed), C(unreachable),
      C(skipped) (lists of names), C(passed) (whether every host is ok, or was skipped in check mode) and C(check_mode).
  type: dict
"""

import typing as t
from collections.abc import Mapping, Sequence

from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._shell_task import record_of, result_of


def shell_task(value: Mapping[str, t.Any], hosts: Sequence[str] | None = None, **options: t.Any) -> dict[str, t.Any]:
    """Make the record of a host, or with hosts the result of all of them; see DOCUMENTATION."""
    found = record_of(value, **options) if hosts is None else result_of(value, hosts, **options)
    # ansible-core 2.18 would take the output of a command for a template.
    wrapped: dict[str, t.Any] = wrap_var(found)
    return wrapped


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, t.Any]:
        """Get the filter by its name."""
        return {"shell_task": shell_task}
