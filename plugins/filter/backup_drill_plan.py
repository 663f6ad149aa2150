# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a drill may begin, and with which backup."""

from __future__ import annotations

DOCUMENTATION = r"""
name: backup_drill_plan
short_description: Whether a backup drill may begin, and with which backup
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Looks at what the platform has, and says what a drill would do. The role P(quayside.paas.backup_drill#role) uses it.
  - Two addons are the same when they have the same C(uid), the same C(app_id), or the same id in the same project, by
    what the platform answers, not by what it was asked for.
positional: _input
options:
  _input:
    description:
      - What is wanted, V(latest), V(take) or the id of a backup.
    type: str
    required: true
  source:
    description: The addon that the backup is of, as M(quayside.paas.addon_info) returns it. Empty when it is not there.
    type: dict
    required: true
  scratch:
    description: The addon to restore into. Empty when it is not there.
    type: dict
    required: true
  source_project:
    description: The project of the source, as M(quayside.paas.project_info) returns it.
    type: dict
    required: true
  scratch_project:
    description: The project of the scratch addon.
    type: dict
    required: true
  backups:
    description: The backups of the source, as M(quayside.paas.addon_backup_info) returns them.
    type: list
    elements: dict
    required: true
  restores:
    description: The restores into the scratch addon, as M(quayside.paas.backup_restore_info) returns them.
    type: list
    elements: dict
    required: true
  name:
    description: The name that a backup gets which is taken.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the backup that a drill would restore
  ansible.builtin.debug:
    msg: "{{ 'latest' | quayside.paas.backup_drill_plan(source=orders, scratch=spare, source_project=shop,
      scratch_project=shop, backups=found.backups, restores=[], name='backup drill') }}"
"""

RETURN = r"""
_value:
  description:
    - A dictionary with the keys C(refusals) (why not, a list of sentences), C(backup) (the one to restore; null when
      one is to be taken) and C(leftovers) (ids of backups that an earlier drill left and that have to go).
  type: dict
"""

import typing as t
from collections.abc import Sequence
from datetime import UTC, datetime

from ..module_utils._timestamps import parse

Item = dict[str, t.Any]

TERMINAL = ("completed", "aborted", "failed", "not-supported")
NEVER = datetime.min.replace(tzinfo=UTC)


def backup_drill_plan(
    wanted: str,
    source: Item,
    scratch: Item,
    source_project: Item,
    scratch_project: Item,
    backups: Sequence[Item],
    restores: Sequence[Item],
    name: str,
) -> dict[str, t.Any]:
    """What a drill would do; for what goes in and out see the documentation above."""
    refusals = [
        f"The {what} does not exist." for what, found in (("addon", source), ("scratch addon", scratch)) if not found
    ]
    if source and scratch:
        refusals += _unfit(source, scratch, source_project, scratch_project)
    going = [one for one in restores if one.get("status") not in TERMINAL]
    if wanted == "take":
        earlier = [one for one in backups if one.get("name") == name]
        in_use = [one["id"] for one in earlier if any(other.get("backup_id") == one["id"] for other in going)]
        leftovers = [one["id"] for one in earlier if one.get("status") in TERMINAL and one["id"] not in in_use]
        return {"refusals": refusals or _busy(going, in_use), "backup": None, "leftovers": leftovers}
    backup = _chosen(wanted, backups)
    if source:
        refusals += _unusable(wanted, backup)
    if backup and not refusals:
        refusals += _busy(going, [backup["id"]])
    return {"refusals": refusals, "backup": backup, "leftovers": []}


def _unfit(source: Item, scratch: Item, source_project: Item, scratch_project: Item) -> list[str]:
    if _same(source, scratch, source_project, scratch_project):
        place = f"{source['id']} of the project {source_project.get('id')} (uid {source.get('uid')})"
        return [f"The scratch addon is the addon itself: both are {place}. A drill never restores into that one."]
    own, other = ((one.get("spec") or {}).get("type") for one in (source, scratch))
    if own != other:
        return [f"The addon is of type {own}, the scratch addon of type {other}. They have to be of the same type."]
    return []


def _same(source: Item, scratch: Item, source_project: Item, scratch_project: Item) -> bool:
    if any(source.get(key) and source.get(key) == scratch.get(key) for key in ("uid", "app_id")):
        return True
    return (source_project.get("id"), source.get("id")) == (scratch_project.get("id"), scratch.get("id"))


def _chosen(wanted: str, backups: Sequence[Item]) -> Item | None:
    if wanted != "latest":
        return next((one for one in backups if one["id"] == wanted), None)
    completed = [one for one in backups if one.get("status") == "completed"]
    return max(completed, key=lambda one: _completion(one) or NEVER, default=None)


def _completion(backup: Item) -> datetime | None:
    return parse(backup.get("completed_at")) or parse(backup.get("created_at"))


def _unusable(wanted: str, backup: Item | None) -> list[str]:
    if backup is None:
        return [
            "The addon has no completed backup."
            if wanted == "latest"
            else f"The addon has no backup {wanted}. Say latest, take, or the id of one."
        ]
    if backup.get("status") != "completed":
        return [f"The backup {wanted} is not completed (its status is {backup.get('status')})."]
    return []


def _busy(going: Sequence[Item], wanted: Sequence[str]) -> list[str]:
    """Why not: restores of other backups that are under way. One that does not tell its backup is of another one."""
    others = [one for one in going if one.get("backup_id") not in wanted]
    said = "The scratch addon is being restored already, from the backup {} (restore {}, {})."
    return [said.format(one.get("backup_id"), one.get("id"), one.get("status")) for one in others]


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Any]:
        """The filter by its name."""
        return {"backup_drill_plan": backup_drill_plan}
