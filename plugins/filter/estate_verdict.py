# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: estate_verdict
short_description: Says whether a report on an estate is good enough
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Decides for the role P(quayside.paas.estate_report#role) whether it fails at the end, and says why.
positional: _input
options:
  _input:
    description: What P(quayside.paas.estate_report#filter) returns.
    type: dict
    required: true
  fail_on:
    description: The least severity of findings to fail on, or V(never).
    type: str
    choices: [never, critical, warning]
    default: never
  fail_unread:
    description: Whether to fail when a platform could not be read, or not in full.
    type: bool
    default: true
  put:
    description: The registered result of the loop that sent the files away. What was skipped does not count.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Stop when something is critical
  ansible.builtin.assert:
    that: (report | quayside.paas.estate_verdict(fail_on='critical')).passed
"""

RETURN = r"""
_value:
  description: The verdict.
  type: dict
  contains:
    passed:
      description: Whether there is no reason to fail.
      type: bool
    reasons:
      description: The reasons, as sentences.
      type: list
      elements: str
    platforms:
      description: The state of each platform, V(read), V(partly), V(unread) or V(off).
      type: dict
    put:
      description: Whether files were sent away, and all were taken.
      type: bool
"""

import typing as t

from ansible_collections.quayside.paas.plugins.plugin_utils._estate_facts import Row, plain
from ansible_collections.quayside.paas.plugins.plugin_utils._estate_findings import SEVERITIES

TAKEN = {200, 201, 204}


def estate_verdict(report: t.Any, fail_on: str = "never", fail_unread: bool = True, put: t.Any = None) -> Row:
    """See DOCUMENTATION."""
    given, sent = plain(report), plain(put or {})
    platforms = {platform: how["state"] for platform, how in given["platforms"].items()}
    reasons = []
    missing = [platform for platform, state in platforms.items() if state in ("unread", "partly")]
    if fail_unread and missing:
        reasons.append(f"Not read, or not in full: {', '.join(missing)}.")
    for severity in SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on in SEVERITIES else ():
        count = given["counts"][severity]
        if count:
            reasons.append(f"There {'is 1 finding' if count == 1 else f'are {count} findings'} of severity {severity}.")
    statuses = [one.get("status", 0) for one in sent.get("results", []) if not one.get("skipped")]
    refused = sorted({status for status in statuses if status not in TAKEN}, key=str)
    if refused:
        answers = " and ".join(
            f"with status {status}" if status and status != -1 else "not at all" for status in refused
        )
        reasons.append(f"The object store did not take the files, it answered {answers}.")
    return {
        "passed": not reasons,
        "reasons": reasons,
        "platforms": platforms,
        "put": bool(statuses) and not refused,
    }


class FilterModule:
    def filters(self) -> dict[str, t.Any]:
        return {"estate_verdict": estate_verdict}
