# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The states that Northflank reports, and what they mean.

Sources: the vendor pages of 2021 to 2024 and the official Python client 2.1.0. A state that is not listed here is no
error: it is passed on as it is, and what is in such a state has not finished.
"""

from __future__ import annotations

import typing as t

from .._types import Item

# Addons

ADDON_RUNNING_STATE = "running"
ADDON_PAUSED_STATE = "paused"
ADDON_CREATING_STATES = ("preDeployment", "triggerAllocation", "allocating", "postDeployment")
ADDON_DELETED_STATES = ("deleting", "deleted")
# Whether these are permanent is not documented.
ADDON_FAILED_STATES = ("failed", "error", "errorAllocating")
ADDON_IN_PROGRESS_STATES = (
    *ADDON_CREATING_STATES,
    *("scaling", "upgrading", "resetting", "backup", "restore", "deleting"),
)
# Addons of which no backup is expected: they have no data yet, none any more, or are paused.
ADDON_NO_BACKUP_STATES = (
    *ADDON_CREATING_STATES,
    *("resetting", "errorAllocating", ADDON_PAUSED_STATE),
    *ADDON_DELETED_STATES,
)

# Backups and restores

BACKUP_IN_PROGRESS_STATES = ("scheduled", "in-progress", "aborting")
BACKUP_SUCCESS_STATES = ("completed",)
BACKUP_FINAL_STATES = (*BACKUP_SUCCESS_STATES, "aborted", "failed", "not-supported")
# One that is being aborted counts as failed before it has finished.
BACKUP_FAILED_STATES = ("aborting", *(state for state in BACKUP_FINAL_STATES if state not in BACKUP_SUCCESS_STATES))

# Runs of templates, and their nodes

RUN_APPROVAL_STATE = "approval_wait"  # until a person approves
RUN_IN_PROGRESS_STATES = (
    *("pending", "queued", "running", "waiting", "retrying", "async_wait", "aborting"),
    RUN_APPROVAL_STATE,
)
RUN_SUCCESS_STATES = ("success",)
RUN_FAILED_STATES = ("failure", "unknown")
RUN_FINAL_STATES = (*RUN_SUCCESS_STATES, *RUN_FAILED_STATES, "aborted", "skipped")
NODE_FAILED_STATES = ("failure", "invalid")

# Containers of addons, services and jobs

CONTAINER_RUNNING_STATE = "TASK_RUNNING"
CONTAINER_STARTING_STATES = ("TASK_STARTING", "TASK_STAGING")
CONTAINER_IN_PROGRESS_STATES = (*CONTAINER_STARTING_STATES, "TASK_KILLING")
CONTAINER_FAILED_STATES = ("TASK_FAILED",)
CONTAINER_STOPPED_STATES = ("TASK_KILLED", "TASK_FINISHED")
CONTAINER_FINAL_STATES = (*CONTAINER_FAILED_STATES, *CONTAINER_STOPPED_STATES)


def is_backup_finished(item: Item) -> bool:
    """Check whether a backup or a restore has finished, well or not."""
    return item.get("status") in BACKUP_FINAL_STATES


def is_run_finished(run: Item) -> bool:
    """Check whether a run of a template has finished, well or not.

    ``concluded`` decides, whatever the status is. The vendor page and the official client require it, and describe it
    as "whether the run has concluded (aborted, success, failed)". So a run of the status ``success`` that is not
    concluded is in progress, and one of any other status that is concluded has finished.

    The status decides only if ``concluded`` is missing. No source explains the statuses ``skipped`` and ``unknown``.
    Every other status that is not final is the name of something to wait for, so these two count as final: the run was
    skipped, or it finished with an unknown outcome, which counts as a failure.
    """
    concluded = run.get("concluded")
    return concluded if isinstance(concluded, bool) else run.get("status") in RUN_FINAL_STATES


def failed_nodes(run: Item) -> list[Item]:
    """Find the nodes of a run that failed, and why: the innermost ones, in the order of the tree.

    Returns:
        For each node its path from the outermost node (kinds, with refs if there are any), kind, ref, status, and the
        code and message of its error, which are None if the platform reports none.
    """
    return nodes_in(run, NODE_FAILED_STATES)


def nodes_in(run: Item, states: t.Container[str]) -> list[Item]:
    """Find the innermost nodes of a run that are in one of these states; see failed_nodes()."""
    return _search(run.get("spec"), (), states)


def _search(value: t.Any, path: tuple[str, ...], states: t.Container[str]) -> list[Item]:
    if isinstance(value, list):
        return [found for inner in value for found in _search(inner, path, states)]
    if not isinstance(value, dict):
        return []
    if not isinstance(value.get("kind"), str):
        return [found for inner in value.values() for found in _search(inner, path, states)]
    ref = value.get("ref")
    here = (*path, f"{value['kind']} {ref}" if ref else value["kind"])
    # Nodes are nested in steps of a Workflow; other kinds may have nodes elsewhere in their spec.
    inner = _search(value.get("spec"), here, states)
    response = value.get("response")
    response = response if isinstance(response, dict) else {}
    if inner or response.get("status") not in states:
        return inner
    error = response.get("error")
    error = error if isinstance(error, dict) else {"message": error}
    return [
        {
            "path": " > ".join(here),
            "kind": value["kind"],
            "ref": ref,
            "status": response["status"],
            "code": None if error.get("code") is None else str(error["code"]),
            "message": None if error.get("message") is None else str(error["message"]),
        }
    ]
