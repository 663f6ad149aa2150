# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What migrates where when a Cycle server is emptied."""

from __future__ import annotations

DOCUMENTATION = r"""
name: evacuation_plan
short_description: Plan how a Cycle server is emptied
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Says which instances of a server migrate where, in which batches, and which stay, each with the reason.
  - Targets are servers that the platform says the container can use, that are live, online, healthy, in the cluster of
    the container and not being evacuated, and that have memory left for what the container reserves. Of these it is
    the one with the fewest instances of the same container, then the one with the fewest of all, then the one with the
    lowest id. Each choice counts for the next one.
  - Instances that migrate already come first, then the healthy ones, where the containers take turns, then those that
    have failed or are unhealthy.
  - The same state of the platform gives the same plan.
  - The role P(quayside.paas.server_evacuation#role) uses it.
positional: _input
options:
  _input:
    description:
      - The instances on the server, as M(quayside.paas.instance_info) returns them with C(server_id) and
        C(include=containers).
    type: list
    elements: dict
    required: true
  server_id:
    description: The server to empty.
    type: str
    required: true
  servers:
    description: All servers of the hub, as M(quayside.paas.server_info) returns them with C(meta=node).
    type: list
    elements: dict
    required: true
  usable:
    description:
      - What a loop over container ids registered that read the servers that each can use, with C(usable_for) of
        M(quayside.paas.server_info).
    type: list
    elements: dict
    required: true
  siblings:
    description:
      - What a loop over container ids registered that read the instances of each, with M(quayside.paas.instance_info).
    type: list
    elements: dict
    required: true
  details:
    description:
      - What a loop over server ids registered that read each of them, with C(meta) V(allocations) and
        V(instances_count) of M(quayside.paas.server_info).
    type: list
    elements: dict
    required: true
  targets:
    description:
      - Ids of the only servers to migrate to. When there are none, any server will do.
      - A text is split at commas, blanks and line breaks.
    type: raw
    default: []
  batch:
    description: How many instances make a batch.
    type: int
    default: 3
  volumes:
    description:
      - Whether instances that have volumes with contents migrate, with these contents (V(copy)), or stay (V(leave)).
      - Volumes that are stateless or external do not count.
    type: str
    choices: [copy, leave]
    default: copy
  leave_strategies:
    description: Deployment strategies of containers whose instances stay. A text is split as O(targets) are.
    type: raw
    default: [node, function]
"""

EXAMPLES = r"""
- name: Read the servers
  quayside.paas.server_info:
    meta: [node]
  register: hub

- name: Read what is on the server
  quayside.paas.instance_info:
    server_id: 651586fca6078e98982dbd97
    include: [containers]
  register: there

- name: Read the servers that the containers can use
  quayside.paas.server_info:
    usable_for: "{{ item }}"
  loop: "{{ there.instances | map(attribute='container_id') | unique }}"
  register: usable

- name: Read all instances of the containers
  quayside.paas.instance_info:
    container_id: "{{ item }}"
  loop: "{{ there.instances | map(attribute='container_id') | unique }}"
  register: siblings

- name: Read what is left on the servers
  quayside.paas.server_info:
    server_id: "{{ item }}"
    meta: [allocations, instances_count]
  loop: "{{ hub.servers | map(attribute='id') }}"
  register: details

- name: Show what would go where
  ansible.builtin.debug:
    msg: "{{ there.instances | quayside.paas.evacuation_plan(server_id='651586fca6078e98982dbd97', servers=hub.servers,
      usable=usable.results, siblings=siblings.results, details=details.results) }}"
"""

RETURN = r"""
_value:
  description: The plan.
  type: dict
  contains:
    problem:
      description:
        - Why there is no plan, as when the server or a target is not known. Empty when there is one.
      type: str
    server:
      description: The server, as C(id) and C(name).
      type: dict
    moves:
      description:
        - What migrates, in this order. Each has C(instance_id), C(container_id), C(container), C(hostname), C(state),
          C(target_id), C(target), C(copy_volumes), C(drain) (whether it runs and is not drained), C(under_way) (whether
          it migrates, or has migrated and its successor is not up) and C(revert) (whether the migration is to be taken
          back when it fails, which is so unless it was done already).
      type: list
      elements: dict
    batches:
      description: The same, as lists of as many as a batch has.
      type: list
      elements: list
    left:
      description: What stays, with C(instance_id), C(container_id), C(container), C(hostname), C(state), C(reason).
      type: list
      elements: dict
    kept:
      description: Instances that have migrated and are kept until they are purged (C(until)).
      type: list
      elements: dict
  sample:
    problem: ""
    server: {id: 651586fca6078e98982dbd97, name: Anna}
    moves: &moves
      - instance_id: 651586fca6078e98982dbd90
        container_id: 651586fca6078e98982dbd93
        container: web
        hostname: web-1
        state: running, healthy
        target_id: 651586fca6078e98982dbd98
        target: Frieda
        copy_volumes: false
        drain: true
        under_way: false
        revert: true
    batches: [*moves]
    left: []
    kept: []
"""

import typing as t
from collections.abc import Iterable, Sequence

from ansible.errors import AnsibleFilterError

from ansible_collections.quayside.paas.plugins.plugin_utils._evacuation import Found, Item, Wish, as_data, plan
from ansible_collections.quayside.paas.plugins.plugin_utils._surveys import as_list


def evacuation_plan(
    instances: Sequence[Item],
    *,
    server_id: str,
    servers: Sequence[Item],
    usable: Iterable[Item],
    siblings: Iterable[Item],
    details: Iterable[Item],
    targets: t.Any = (),
    batch: t.Any = 3,
    volumes: str = "copy",
    leave_strategies: t.Any = ("node", "function"),
) -> t.Any:
    """The plan; for what goes in and comes out see the documentation above. Raises AnsibleFilterError."""
    if int(batch) < 1:
        raise AnsibleFilterError(f"A batch has at least one instance, not {batch}.")
    found = Found(
        instances=instances,
        servers=servers,
        usable={str(one["item"]): {str(server["id"]) for server in one["servers"]} for one in usable},
        siblings={str(one["item"]): one["instances"] for one in siblings},
        details={str(one["item"]): server for one in details for server in one["servers"]},
    )
    wish = Wish(str(server_id), as_list(targets), int(batch), volumes, as_list(leave_strategies))
    return as_data(plan(found, wish))


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Any]:
        """The filter by its name."""
        return {"evacuation_plan": evacuation_plan}
