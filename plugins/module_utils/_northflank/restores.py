# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Restores of a backup into an addon: starting and stopping them. Facts from the official client.

A restore replaces the data of the addon. Two at a time into one addon, of which nobody knows what would come out, are
never begun: one that is under way is gone on with when it is of the same backup, and an error otherwise.
"""

from __future__ import annotations

import typing as t

from .._argspec import ArgumentSpec
from .._client import Item, not_found
from .._errors import (
    ApiError,
    JobError,
    NotFoundError,
    StateError,
)
from .._plan import Plan
from .._resource import name_missing_parent, path_of
from .._wait import Deadline
from .api import Northflank
from .resources import (
    ADDON_BACKUP,
    ADDONS_UPDATE,
    BACKUP_RESTORE,
)
from .starting import (
    WAITING,
    Kind,
    Params,
    deadline_of,
    id_of,
    plan_as_it_is,
    plan_start,
    plan_stop,
    plan_wait,
    start,
)
from .states import (
    BACKUP_FAILED_STATES,
    BACKUP_IN_PROGRESS_STATES,
    is_backup_finished,
)

ARGUMENTS = WAITING.merge(
    ArgumentSpec(
        options={
            "project_id": {"type": "str", "required": True},
            "addon_id": {"type": "str", "required": True},
            "backup_id": {"type": "str", "required": True},
            "source_project_id": {"type": "str"},
            "source_addon_id": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "aborted"], "default": "present"},
            "restore_id": {"type": "str"},
        }
    )
)
_OF_BACKUP, _OF_ADDON = BACKUP_RESTORE.lists


def plan(client: Northflank, params: Params) -> Plan:
    """What the module backup_restore does. Raises PaasError, with the restore in results where there is one."""
    deadline = deadline_of(params)
    if params["state"] == "aborted":
        return _plan_aborted(client, params, deadline)
    if params["restore_id"] is not None:
        return plan_wait(client, _kind(client, params), params, _by_id(client, params), deadline)
    return _plan_present(client, params, deadline)


# What is there


def _ids(params: Params) -> dict[str, str]:
    return {name: str(params[name]) for name in ("project_id", "addon_id", "backup_id")}


def _source(params: Params) -> dict[str, t.Any]:
    """The query that says which addon the backup was made of. What is empty is not given, and not sent."""
    return {query: params[option] or None for option, query in BACKUP_RESTORE.scope.items()}


def _path(params: Params, action: str) -> str:
    return f"{path_of(str(ADDON_BACKUP.one), _ids(params))}/{action}"


def _all(client: Northflank, params: Params) -> list[Item]:
    """The restores of the backup into the addon. Raises NotFoundError that names what is missing."""
    ids = _ids(params)
    try:
        return client.get_list(
            path_of(_OF_BACKUP, ids),
            BACKUP_RESTORE.list_key,
            query=_source(params),
            permission=BACKUP_RESTORE.permission,
        )
    except NotFoundError as error:
        if not any(_source(params).values()):
            name_missing_parent(client, BACKUP_RESTORE, ids, error)
            raise
        # The backup of another addon is known there only.
        name_missing_parent(client, ADDON_BACKUP, ids, error)
        raise not_found(
            "backup", "backup_id; looked for with source_project_id and source_addon_id", ids["backup_id"], error
        ) from None


def _now(client: Northflank, params: Params, restore: Item) -> Item | None:
    """A restore as it is now. There is no call for a single one."""
    return next((one for one in _all(client, params) if id_of(one) == id_of(restore)), None)


def _by_id(client: Northflank, params: Params) -> Item:
    found = _now(client, params, {"id": params["restore_id"]})
    if found is None:
        raise StateError(
            f'The backup {params["backup_id"]} has no restore "{params["restore_id"]}" into the addon'
            f" {params['addon_id']} (option restore_id)."
        )
    return found


def _require_restorable(client: Northflank, params: Params) -> None:
    """Raises StateError for a backup that is not complete, NotFoundError where the addon has none of this id."""
    own = {name: params[f"source_{name}"] or params[name] for name in ("project_id", "addon_id")}
    ids = {**own, "backup_id": str(params["backup_id"])}
    try:
        backup = client.get(path_of(str(ADDON_BACKUP.one), ids), permission=ADDON_BACKUP.permission)
    except ApiError as error:
        if any(_source(params).values()):
            return  # a global backup may outlive its addon, or be out of the token's reach: the platform decides
        if isinstance(error, NotFoundError):
            name_missing_parent(client, ADDON_BACKUP, ids, error)
            raise not_found("backup", "backup_id", ids["backup_id"], error) from None
        raise
    status = backup.get("status")
    has_failed = status in BACKUP_FAILED_STATES
    if has_failed or status in BACKUP_IN_PROGRESS_STATES:
        hint = "" if has_failed else " Wait for it with quayside.paas.addon_backup and its backup_id."
        raise StateError(f"The backup {ids['backup_id']} cannot be restored: its status is {status}.{hint}")


def _kind(client: Northflank, params: Params) -> Kind:
    def named(restore: Item) -> str:
        return f"The restore {id_of(restore)} of the backup {params['backup_id']} into the addon {params['addon_id']}"

    def result(restore: Item | None) -> Item:
        if restore is None:
            return {"restore": None}
        unknown = {"id": None, "status": None, "restoreTimestamp": None}
        return {"restore": {**client.plain({**unknown, **restore}), **_ids(params)}}

    def require_good(restore: Item) -> None:
        status = restore.get("status")
        if status not in BACKUP_FAILED_STATES:
            return
        what = {"failed": "failed", "not-supported": "is not supported by the platform"}.get(str(status), "was aborted")
        error = JobError(
            f"{named(restore)} {what} (its status is {status}). The data of the addon may be incomplete: look at its"
            " log on Northflank, and restore again."
        )
        error.results.update(result(restore))
        raise error

    return Kind(
        subject=f"restore of backup {params['backup_id']} into addon {params['addon_id']}",
        now=lambda restore: _now(client, params, restore),
        named=named,
        require_good=require_good,
        result=result,
        late=lambda restore: f" It goes on: restore_id={id_of(restore)} waits for it.",
    )


# Present


def _plan_present(client: Northflank, params: Params, deadline: Deadline) -> Plan:
    _require_restorable(client, params)
    known = _all(client, params)
    _require_no_other(client, params, known)
    kind = _kind(client, params)
    going = [one for one in known if not is_backup_finished(one)]
    if going:
        return plan_wait(client, kind, params, _only(going, params), deadline)
    return plan_start(kind, params, lambda: _start(client, params, known, deadline), {}, deadline, good="completed")


def _require_no_other(client: Northflank, params: Params, known: list[Item]) -> None:
    """Raises StateError when a restore of another backup into the addon is under way."""
    own = {id_of(one) for one in known}
    found = client.get_list(
        path_of(_OF_ADDON, _ids(params)), BACKUP_RESTORE.list_key, permission=BACKUP_RESTORE.permission
    )
    others = [one for one in found if not is_backup_finished(one) and id_of(one) not in own]
    if others:
        one = others[0]
        raise StateError(
            f"The addon {params['addon_id']} is being restored from the backup {one.get('backupId')} (restore"
            f" {id_of(one)}, {one.get('status')}). Nothing was begun: wait for that one, or abort it."
        )


def _only(going: list[Item], params: Params) -> Item:
    if len(going) == 1:
        return going[0]
    ids = ", ".join(str(id_of(one)) for one in going)
    raise StateError(
        f"{len(going)} restores of the backup {params['backup_id']} into the addon {params['addon_id']} are under way:"
        f" {ids}. Name one by restore_id."
    )


def _start(client: Northflank, params: Params, known: list[Item], deadline: Deadline) -> Item:
    before = {id_of(one) for one in known}

    def send() -> Item:
        answer = client.post(_path(params, "restore"), query=_source(params), permission=ADDONS_UPDATE)
        return {"id": answer.get("restoreId")}

    return start(
        send,
        lambda: [one for one in _all(client, params) if id_of(one) not in before],
        deadline,
        what="the restore",
    )


# Aborted


def _plan_aborted(client: Northflank, params: Params, deadline: Deadline) -> Plan:
    kind = _kind(client, params)
    found = _abortable(client, params)
    if found is None:
        return plan_as_it_is(kind, None)
    body = {"restoreId": id_of(found)}

    def send() -> None:
        client.post(_path(params, "abort-restore"), body, query=_source(params), permission=ADDONS_UPDATE)

    return plan_stop(client, kind, params, found, send, deadline)


def _abortable(client: Northflank, params: Params) -> Item | None:
    """The restore that the options name, else the one that is under way; None when there is none."""
    if params["restore_id"] is not None:
        return _by_id(client, params)
    going = [one for one in _all(client, params) if not is_backup_finished(one)]
    return _only(going, params) if going else None
