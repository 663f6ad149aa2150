# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How it went to empty a Cycle server."""

from __future__ import annotations

DOCUMENTATION = r"""
name: evacuation_result
short_description: How it went to empty a Cycle server
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Makes the result of the role P(quayside.paas.server_evacuation#role), of the same shape whatever happened.
positional: _input
options:
  _input:
    description:
      - The plan, as P(quayside.paas.evacuation_plan#filter) returns it; empty when there was none.
    type: dict
    required: true
  server_id:
    description: The server.
    type: str
    required: true
  outcomes:
    description: What P(quayside.paas.evacuation_outcomes#filter) returned for all batches so far.
    type: list
    elements: dict
    default: []
  begun:
    description: How many batches were begun.
    type: int
    default: 0
  now:
    description:
      - The instances that are on the server in the end, as M(quayside.paas.instance_info) returns them with
        C(include=containers). V(null) when they could not be read.
    type: list
    elements: dict
  drained:
    description: Instances that could not be given traffic again.
    type: list
    elements: str
    default: []
  failure:
    description: What ended it early, as C(ansible_failed_result). Empty when nothing did.
    type: dict
    default: {}
  check_mode:
    description: Whether this is check mode, and nothing has been done.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Leave the result for the next node of the workflow
  ansible.builtin.set_stats:
    data:
      evacuation: "{{ plan | quayside.paas.evacuation_result(server_id=plan.server.id, outcomes=became,
        now=there.instances, begun=plan.batches | length) }}"
"""

RETURN = r"""
_value:
  description: The result.
  type: dict
  contains:
    server_id:
      description: The server. C(server) is its name.
      type: str
    state:
      description:
        - V(evacuated) when nothing is left but what is kept until it is purged; V(incomplete) when something is left
          or did not come up elsewhere; V(stopped) when it ended early, as when too much went wrong; V(failed) when
          nothing was begun; V(planned) in check mode.
      type: str
    check_mode:
      description: Whether this is what would be.
      type: bool
    migrated:
      description:
        - Instances that migrated, or would. Each has C(instance_id), C(new_instance_id), C(container_id), C(container),
          C(hostname), C(target_id), C(target) and C(reason), which is empty.
      type: list
      elements: dict
    reverted:
      description: Those whose migration was taken back, likewise, with C(reason).
      type: list
      elements: dict
    failed:
      description: Those whose migration failed and was not taken back, likewise, with C(reason).
      type: list
      elements: dict
    left:
      description:
        - Those that were not tried, with C(instance_id), C(container_id), C(container), C(hostname), C(state) and
          C(reason).
      type: list
      elements: dict
    kept:
      description: Those that have migrated and are kept until they are purged (C(until)).
      type: list
      elements: dict
    drained:
      description: Ids of instances that are drained and stay on the server, or could not be given traffic again.
      type: list
      elements: str
    batches:
      description: How many batches were C(planned) and C(done).
      type: dict
    reason:
      description: Why it did not succeed. Empty when it did.
      type: str
    next:
      description: What to do next. Empty when nothing is to be done.
      type: str
"""

import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.quayside.paas.plugins.plugin_utils._evacuation import (
    Course,
    Item,
    as_data,
    no_plan,
    reason_of,
    result,
)


def evacuation_result(
    plan: Item,
    *,
    server_id: str,
    outcomes: Sequence[Item] = (),
    begun: t.Any = 0,
    now: Sequence[Item] | None = None,
    drained: Sequence[str] = (),
    failure: Mapping[str, t.Any] | None = None,
    check_mode: bool = False,
) -> t.Any:
    """The result; for what goes in and comes out see the documentation above."""
    course = Course(outcomes, int(begun), now, drained, reason_of(failure or {}), check_mode)
    return as_data(result(plan or no_plan(str(server_id)), course))


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Any]:
        """The filter by its name."""
        return {"evacuation_result": evacuation_result}
