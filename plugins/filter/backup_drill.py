# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: backup_drill
short_description: What a backup drill does next, and what it proved
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Takes the results of the steps of a drill so far, and returns what to do with them and the result of the drill. The
    role P(quayside.paas.backup_drill#role) evaluates it after each step.
  - The age of the backup and the duration of its restore are measured by the time stamps of the platform.
  - Two addons are the same if they have the same C(uid), the same C(app_id), or the same id in the same project, by
    what the platform reports.
positional: _input
options:
  _input:
    description: The results so far. Those of steps to come are empty or missing.
    type: dict
    required: true
    suboptions:
      projects:
        description: Registered result of a loop of M(quayside.paas.project_info) over O(project_id) and
          O(scratch_project_id).
        type: dict
      source:
        description: Registered result of M(quayside.paas.addon_info) for the addon.
        type: dict
      scratch:
        description: The same for the scratch addon.
        type: dict
      backups:
        description: Registered result of M(quayside.paas.addon_backup_info) for the addon.
        type: dict
      restores:
        description: Registered result of M(quayside.paas.backup_restore_info) for the scratch addon.
        type: dict
      taken:
        description: Registered result of M(quayside.paas.addon_backup) that took a backup.
        type: dict
      restored:
        description: Registered result of M(quayside.paas.backup_restore).
        type: dict
      aborted:
        description: The same for a restore that was aborted.
        type: dict
      failures:
        description: Why a step failed, as sentences.
        type: list
        elements: str
      times:
        description: When the restore started and ended by the controller's clock, in seconds. Used if the platform does
          not report its duration.
        type: list
        elements: float
      checked:
        description: How the checks went, V(none), V(failed) or V(passed).
        type: str
      deleted:
        description: Whether the backup that was taken is deleted.
        type: bool
  project_id:
    description: The project of the addon.
    type: str
    required: true
  addon_id:
    description: The addon that the backup is of.
    type: str
    required: true
  scratch_project_id:
    description: The project of the scratch addon.
    type: str
    required: true
  scratch_addon_id:
    description: The addon to restore into.
    type: str
    required: true
  backup:
    description: Which backup, V(latest), V(take) or the id of one.
    type: str
    default: latest
  max_age:
    description: How many minutes old the backup can be when its restore starts. V(0) for any age.
    type: int
    default: 0
  max_duration:
    description: How many minutes the restore can take. V(0) for any time.
    type: int
    default: 0
  checks:
    description: The file with the checks, if there are any.
    type: str
    default: ""
  cleanup:
    description: Whether a backup that was taken is deleted at the end.
    type: bool
    default: true
  check_mode:
    description: Whether nothing is done.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show how old a backup was that somebody restored by hand
  ansible.builtin.debug:
    msg: "{{ (steps | quayside.paas.backup_drill(project_id='shop', addon_id='orders', scratch_project_id='shop',
      scratch_addon_id='spare', max_age=1440)).result.age_seconds }}"
  vars:
    steps:
      taken: {backup: "{{ found.backups[0] }}"}
      restored: {restore: "{{ done.restores[0] }}"}
"""

RETURN = r"""
_value:
  description: What follows from the results so far.
  type: dict
  contains:
    refusals:
      description: Why the drill must not start, as sentences.
      type: list
      elements: str
    name:
      description: The name of the backup that the drill takes with O(backup=take).
      type: str
    leftovers:
      description: Ids of backups that an earlier drill left, and that are deleted first.
      type: list
      elements: str
    backup:
      description: The backup that was taken or chosen; empty if there is none yet.
      type: dict
    restore:
      description: The restore; empty if there is none yet.
      type: dict
    is_backup_open:
      description: Whether the backup is in progress.
      type: bool
    is_restore_open:
      description: Whether a restore was started and is not known to have finished.
      type: bool
    result:
      description:
        - What the drill proved, C(backup_drill_result) of the role. C(passed) is V(null) in check mode without a reason
          against the drill; C(reasons) says why it did not pass; C(backup) and C(restore) have id, status and time
          stamps, and are V(null) if there is none; C(age_seconds) and C(duration_seconds) are V(null) if unknown;
          C(duration_by) is V(platform) or V(clock); C(objectives) has C(max_age_seconds) and C(max_duration_seconds),
          V(null) without a limit, and C(age_met) and C(duration_met), V(null) if there is nothing to compare; C(taken)
          and C(checks) say what was done, C(left) what is left behind, C(would) what check mode skipped.
      type: dict
"""

import typing as t

from ..plugin_utils._backup_drill import Options, drill


def backup_drill(so_far: t.Mapping[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
    """Work out what a drill does next, and its result; see DOCUMENTATION."""
    return drill(so_far, Options(**options))


class FilterModule:
    """The filter, for Ansible."""

    def filters(self) -> dict[str, t.Any]:
        """Get the filter by its name."""
        return {"backup_drill": backup_drill}
