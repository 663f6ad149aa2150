# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of commands in all hosts, small enough for a database."""

from __future__ import annotations

DOCUMENTATION = r"""
name: shell_task_result
short_description: What became of commands in all hosts
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Puts the records of hosts together and bounds the length of their texts.
  - The role P(quayside.paas.container_shell_task#role) uses it.
positional: _input
options:
  _input:
    description:
      - Records of P(quayside.paas.shell_task_record#filter) by the name of the host. A host that was begun and has no
        record, or an empty one, counts as V(unreachable); one that was not begun as V(skipped).
    type: dict
    required: true
  hosts:
    description: The names of all hosts, in their order.
    type: list
    elements: str
    required: true
  begun:
    description: How many of them were begun.
    type: int
    default: 0
  check_mode:
    description: Whether nothing was to run at all.
    type: bool
    default: false
  output_limit:
    description: How many characters of each text are kept.
    type: int
    default: 2000
  artifact_limit:
    description: How many characters the texts of all hosts may have together. Each host gets an equal share of it.
    type: int
    default: 200000
"""

EXAMPLES = r"""
- name: Leave the result for the next node of the workflow
  ansible.builtin.set_stats:
    data:
      my_result: "{{ records | quayside.paas.shell_task_result(hosts=records.keys(), begun=records | length) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - A dictionary with the keys C(hosts) (a record for each), C(ok), C(failed), C(unreachable), C(skipped) (lists of
      names), C(passed) (whether every host is ok, or check mode left it alone) and C(check_mode).
  type: dict
"""

import typing as t
from collections.abc import Mapping, Sequence

from ansible.utils.unsafe_proxy import wrap_var

Record = dict[str, t.Any]

EMPTY: Record = {
    "status": "ok", "rc": None, "stdout": "", "stderr": "", "seconds": None, "changed": False, "message": "",
}  # fmt: skip
STATES = ("ok", "failed", "unreachable", "skipped")
TEXTS = ("stdout", "stderr", "message")
LOST = "Ansible lost the host in the middle; the output of the run has the reason."
NOT_BEGUN = "Not begun."


def shell_task_result(
    records: Mapping[str, Record],
    hosts: Sequence[str],
    begun: int = 0,
    check_mode: bool = False,
    output_limit: int = 2000,
    artifact_limit: int = 200000,
) -> dict[str, t.Any]:
    """The records of all hosts and who is in which state; see the documentation above."""
    limit = min(output_limit, artifact_limit // (len(TEXTS) * max(len(hosts), 1)))
    found = {name: _bounded(_record(records.get(name), place < begun), limit) for place, name in enumerate(hosts)}
    names = {state: [name for name, record in found.items() if record["status"] == state] for state in STATES}
    result = {
        "hosts": found,
        **names,
        "passed": len(names["ok"]) + (len(names["skipped"]) if check_mode else 0) == len(hosts) > 0,
        "check_mode": check_mode,
    }
    # ansible-core 2.18 would take the output of a command for a template.
    wrapped: dict[str, t.Any] = wrap_var(result)
    return wrapped


def _record(known: Record | None, begun: bool) -> Record:
    if known:
        return {**EMPTY, **known}
    return (
        {**EMPTY, "status": "unreachable", "message": LOST}
        if begun
        else {**EMPTY, "status": "skipped", "message": NOT_BEGUN}
    )


def _bounded(record: Record, limit: int) -> Record:
    return {key: _cut(value, limit) if key in TEXTS else value for key, value in record.items()}


def _cut(text: str, limit: int) -> str:
    """The beginning and the end of a long text, with a mark between them that says how much is missing."""
    if len(text) <= limit:
        return text
    mark = f"\n[… {len(text) - limit} characters cut …]\n"
    head = limit // 2
    return text[:head] + mark + text[len(text) - (limit - head) :]


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Any]:
        """The filter by its name."""
        return {"shell_task_result": shell_task_result}
