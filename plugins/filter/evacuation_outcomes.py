# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of a batch of instances when a Cycle server is emptied."""

from __future__ import annotations

DOCUMENTATION = r"""
name: evacuation_outcomes
short_description: What became of a batch when a Cycle server is emptied
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Makes one record for each instance of a batch, from the registered results of the loops that drained them, started
    their migrations and waited for these.
  - The role P(quayside.paas.server_evacuation#role) uses it.
positional: _input
options:
  _input:
    description: The batch, one of C(batches) of P(quayside.paas.evacuation_plan#filter).
    type: list
    elements: dict
    required: true
  drains:
    description: The results of M(quayside.paas.instance_traffic_drain), whose items are those of the batch.
    type: list
    elements: dict
    required: true
  starts:
    description: The results of M(quayside.paas.instance_migration) with C(wait=false), likewise.
    type: list
    elements: dict
    required: true
  waits:
    description: The results of M(quayside.paas.instance_migration), likewise.
    type: list
    elements: dict
    required: true
  jobs:
    description:
      - The results of M(quayside.paas.job_info), whose items are those of O(starts). They tell why one failed.
    type: list
    elements: dict
    default: []
  check_mode:
    description: Whether nobody waited because this is check mode.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Keep what became of them
  ansible.builtin.set_fact:
    became: "{{ batch | quayside.paas.evacuation_outcomes(drains=drained.results, starts=started.results,
      waits=migrated.results, check_mode=ansible_check_mode) }}"
"""

RETURN = r"""
_value:
  description:
    - The records, in the order of the batch.
  type: list
  elements: dict
  contains:
    instance_id:
      description: The instance. C(container_id), C(container) and C(hostname) say whose and which it is.
      type: str
    target_id:
      description: The server that it migrated to, or was to migrate to. C(target) is its name.
      type: str
    new_instance_id:
      description: What it has become, as far as that is known. Otherwise V(null).
      type: str
    result:
      description: V(migrated), V(reverted) (it runs where it was), or V(failed).
      type: str
    reason:
      description: What went wrong. Empty for one that migrated.
      type: str
    undrain:
      description: The instance that was drained of traffic for this and shall get traffic again. Mostly V(null).
      type: str
"""

import typing as t
from collections.abc import Sequence

from ansible_collections.quayside.paas.plugins.plugin_utils._evacuation import Item, as_data, outcomes


def evacuation_outcomes(
    batch: Sequence[Item],
    *,
    drains: Sequence[Item],
    starts: Sequence[Item],
    waits: Sequence[Item],
    jobs: Sequence[Item] = (),
    check_mode: bool = False,
) -> t.Any:
    """The records; for what goes in and comes out see the documentation above."""
    return as_data(outcomes(batch, drains, starts, waits, jobs, check_mode=check_mode))


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Any]:
        """The filter by its name."""
        return {"evacuation_outcomes": evacuation_outcomes}
