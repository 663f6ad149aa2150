# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of commands in one host."""

from __future__ import annotations

DOCUMENTATION = r"""
name: shell_task_record
short_description: What became of commands in one host
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Makes one record of the registered result of a command, or of a loop over several.
  - The role P(quayside.paas.container_shell_task#role) uses it.
positional: _input
options:
  _input:
    description: What the task registered, or C(ansible_failed_result).
    type: dict
    required: true
  secrets:
    description: Texts that are masked wherever they occur. Those of less than four characters are not.
    type: list
    elements: str
    default: []
  seconds:
    description: How long it took. Without it, it is what the commands themselves told.
    type: float
  task:
    description: The name of the task that failed, for the message.
    type: str
  hidden:
    description: Whether the task has C(no_log), so that nothing of what it said is kept.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Ask for room
  ansible.builtin.command:
    cmd: df -h /
  changed_when: false
  register: asked

- name: Show what became of it
  ansible.builtin.debug:
    msg: "{{ asked | quayside.paas.shell_task_record }}"
"""

RETURN = r"""
_value:
  description:
    - The record, with the keys C(status) (V(ok), V(failed), V(unreachable) or V(skipped)), C(rc) (of the last
      command; null when there is none), C(stdout), C(stderr) (of all commands), C(seconds) (null when nobody knows),
      C(changed) and C(message) (empty when all went well).
  type: dict
"""

import re
import typing as t
from collections.abc import Iterable, Mapping

from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.quayside.paas.plugins.module_utils._redact import json_spellings

MASK = "********"
HIDDEN = "failed, and its no_log hides why"
SHORTEST_SECRET = 4
DELTA = re.compile(r"(?:(\d+) days?, )?(\d+):(\d+):(\d+(?:\.\d+)?)")

Result = Mapping[str, t.Any]


def shell_task_record(
    ran: Result,
    secrets: Iterable[str] = (),
    seconds: float | None = None,
    task: str | None = None,
    hidden: bool = False,
) -> dict[str, t.Any]:
    """One record of what a command, or a loop over commands, returned; see the documentation above."""
    results = _results(ran)
    status = _status(ran, results)
    record = {
        "status": status,
        "rc": results[-1].get("rc"),
        "stdout": "" if hidden else _joined(results, "stdout"),
        "stderr": "" if hidden else _joined(results, "stderr"),
        "seconds": round(seconds, 3) if seconds is not None else _seconds(results),
        "changed": any(bool(one.get("changed")) for one in results),
        "message": _message(ran, results, task, hidden) if status in ("failed", "unreachable") else "",
    }
    masked = {key: _masked(value, secrets) if isinstance(value, str) else value for key, value in record.items()}
    # ansible-core 2.18 would take the output of a command for a template.
    wrapped: dict[str, t.Any] = wrap_var(masked)
    return wrapped


def _results(ran: Result) -> list[Result]:
    """The results of a loop, or the only one: some modules call something else of theirs results."""
    found = ran.get("results")
    if isinstance(found, list) and found and all(isinstance(one, Mapping) for one in found):
        return list(found)
    return [ran]


def _status(ran: Result, results: list[Result]) -> str:
    if any(one.get("unreachable") for one in results):
        return "unreachable"
    if ran.get("failed") or any(one.get("failed") for one in results):
        return "failed"
    return "skipped" if all(one.get("skipped") for one in results) else "ok"


def _joined(results: list[Result], name: str) -> str:
    """The output of all, one below the other. A module that did not start told what it had to say elsewhere."""
    texts = (one.get(name) or one.get(f"module_{name}") or "" for one in results)
    return "\n".join(str(text) for text in texts if text)


def _seconds(results: list[Result]) -> float | None:
    found = [match for one in results if (match := DELTA.fullmatch(str(one.get("delta"))))]
    if not found:
        return None
    return round(
        sum(
            int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(rest)
            for days, hours, minutes, rest in (match.groups() for match in found)
        ),
        3,
    )


def _message(ran: Result, results: list[Result], task: str | None, hidden: bool) -> str:
    last = results[-1]
    said = str(last.get("msg") or ran.get("msg") or "failed")
    if last.get("rc") and "non-zero return code" in said:
        said = f"ended with {last['rc']}"
    elif hidden:
        said = HIDDEN
    if task:
        return f"{task}: {said}"
    return said if last is ran else f"Command {len(results)}: {said}"


def _masked(text: str, secrets: Iterable[str]) -> str:
    # Ansible takes the last line breaks from an output, so that of a secret which ends with one a part is left. And the
    # output of a module that Ansible could not read is JSON.
    texts = {text for one in secrets for text in (str(one), str(one).strip())}
    for secret in sorted({spelled for text in texts for spelled in json_spellings(text)}, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return text


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Any]:
        """The filter by its name."""
        return {"shell_task_record": shell_task_record}
