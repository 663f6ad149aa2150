# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Backups of an addon: taking, keeping, stopping and deleting them. Facts from the official client."""

from __future__ import annotations

import dataclasses

from .._argspec import ArgumentSpec
from .._client import Item, not_found
from .._errors import (
    JobError,
    NotFoundError,
    OptionError,
    PaasError,
    StateError,
)
from .._plan import Done, Plan
from .._resource import name_missing_parent, path_of, value_at
from .._wait import Deadline, wait_until
from .api import Northflank
from .resources import ADDON_BACKUP, ADDONS_UPDATE
from .starting import (
    WAITING,
    Kind,
    Params,
    deadline_of,
    id_of,
    if_there,
    plan_as_it_is,
    plan_start,
    plan_stop,
    plan_wait,
    start,
)
from .states import (
    BACKUP_FAILED_STATES,
    is_backup_finished,
)

# What a backup that is taken is like.
_LIKE = ("backup_type", "compression_type", "custom_destination_id", "additional_destinations")
ARGUMENTS = WAITING.merge(
    ArgumentSpec(
        options={
            "project_id": {"type": "str", "required": True},
            "addon_id": {"type": "str", "required": True},
            "state": {
                "type": "str",
                "choices": ["present", "retained", "aborted", "absent"],
                "default": "present",
            },
            "backup_id": {"type": "str"},
            "name": {"type": "str"},
            "backup_type": {"type": "str", "choices": ["snapshot", "dump"]},
            "compression_type": {"type": "str", "choices": ["gz", "zstd"]},
            "custom_destination_id": {"type": "str"},
            "additional_destinations": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "destination_id": {"type": "str", "required": True},
                    "retention_time": {"type": "int"},
                },
            },
        },
        mutually_exclusive=tuple(("backup_id", other) for other in ("name", *_LIKE)),
        required_if=tuple(("state", state, ("backup_id", "name"), True) for state in ("retained", "aborted", "absent")),
    )
)


def plan(client: Northflank, params: Params) -> Plan:
    """What the module addon_backup does. Raises PaasError, with the backup in results where there is one."""
    if params["name"] == "":
        raise OptionError("The option name is empty. Leave it out to let the platform name the backup.")
    plans = {"present": _plan_present, "retained": _plan_retained, "aborted": _plan_aborted, "absent": _plan_absent}
    return plans[params["state"]](client, params, deadline_of(params))


# What is there


def _addon(params: Params) -> dict[str, str]:
    return {name: str(params[name]) for name in ("project_id", "addon_id")}


def _list_path(params: Params) -> str:
    return path_of(ADDON_BACKUP.lists[0], _addon(params))


def _one_path(params: Params, backup: Item) -> str:
    return path_of(str(ADDON_BACKUP.one), {**_addon(params), "backup_id": id_of(backup) or ""})


def _all(client: Northflank, params: Params) -> list[Item]:
    try:
        return client.get_list(_list_path(params), ADDON_BACKUP.list_key, permission=ADDON_BACKUP.permission)
    except NotFoundError as error:
        name_missing_parent(client, ADDON_BACKUP, _addon(params), error)
        raise


def _now(client: Northflank, params: Params, backup: Item) -> Item | None:
    """A backup as it is now."""
    return if_there(lambda: client.get(_one_path(params, backup), permission=ADDON_BACKUP.permission))


def _named(client: Northflank, params: Params) -> list[Item]:
    return [one for one in _all(client, params) if one.get("name") == params["name"]]


def _by_id(client: Northflank, params: Params) -> Item:
    """The backup that backup_id names. Raises NotFoundError that names what is missing, the addon before the backup."""
    identity = str(params["backup_id"])
    try:
        return client.get(_one_path(params, {"id": identity}), permission=ADDON_BACKUP.permission)
    except NotFoundError as error:
        name_missing_parent(client, ADDON_BACKUP, _addon(params), error)
        raise not_found("backup", "backup_id", identity, error) from None


def _only(found: list[Item], params: Params) -> Item:
    """The one backup that a name means. Raises StateError."""
    if len(found) == 1:
        return found[0]
    addon, name = params["addon_id"], params["name"]
    if not found:
        raise StateError(f'The addon {addon} has no backup of the name "{name}".')
    ids = ", ".join(f"{id_of(one)} ({one.get('status')})" for one in found)
    raise StateError(f'The name "{name}" fits {len(found)} backups of the addon {addon}: {ids}. Name one by backup_id.')


def _kind(client: Northflank, params: Params) -> Kind:
    def named(backup: Item) -> str:
        name = backup.get("name")
        called = f' "{name}"' if name and name != id_of(backup) else ""
        return f"The backup{called} {id_of(backup)} of the addon {params['addon_id']}"

    def result(backup: Item | None) -> Item:
        if backup is None:
            return {"backup": None}
        unknown = {"id": None, "name": params["name"], "status": None, "createdAt": None, "config": {}}
        return {"backup": {**client.plain({**unknown, **backup}), **_addon(params)}}

    def require_good(backup: Item) -> None:
        status = backup.get("status")
        if status not in BACKUP_FAILED_STATES:
            return
        what = {
            "failed": "failed. Its log on Northflank may tell why",
            "not-supported": "is not supported by the platform for this addon. Ask for another backup_type",
        }.get(str(status), "was aborted")
        error = JobError(f"{named(backup)} {what} (its status is {status}).")
        error.results.update(result(backup))
        raise error

    return Kind(
        subject=f"backup of addon {params['addon_id']}",
        now=lambda backup: _now(client, params, backup),
        named=named,
        require_good=require_good,
        result=result,
        late=lambda backup: f" It goes on: backup_id={id_of(backup)} waits for it.",
    )


# Present


def _plan_present(client: Northflank, params: Params, deadline: Deadline) -> Plan:
    kind = _kind(client, params)
    if params["backup_id"] is not None:
        return plan_wait(client, kind, params, _by_id(client, params), deadline)
    known = _all(client, params)
    named = [one for one in known if params["name"] is not None and one.get("name") == params["name"]]
    counting = [one for one in named if one.get("status") not in BACKUP_FAILED_STATES]
    if counting:
        return plan_wait(client, kind, params, _only(counting, params), deadline)
    return plan_start(
        kind, params, lambda: _take(client, params, known, named, deadline), {}, deadline, good="completed"
    )


def _body(params: Params) -> Item:
    body = {
        "name": params["name"],
        "backupType": params["backup_type"],
        "compressionType": params["compression_type"],
        "customDestinationId": params["custom_destination_id"],
    }
    body = {name: value for name, value in body.items() if value is not None}
    if params["additional_destinations"]:
        # There is one type so far. Source: official client.
        body["additionalDestinations"] = [
            {
                "destinationId": one["destination_id"],
                "type": "custom",
                **({} if one["retention_time"] is None else {"retentionTime": one["retention_time"]}),
            }
            for one in params["additional_destinations"]
        ]
    return body


def _take(client: Northflank, params: Params, known: list[Item], named: list[Item], deadline: Deadline) -> Item:
    """Takes a backup. known: all that were there before. named: those of them with the wanted name, which are lost."""
    before = {id_of(one) for one in known}
    try:
        return start(
            lambda: client.post(_list_path(params), _body(params), permission=ADDONS_UPDATE),
            lambda: [one for one in _all(client, params) if id_of(one) not in before and _fits(one, params)],
            deadline,
            what="the backup",
        )
    except PaasError as error:
        if error.status == 409 and named:
            lost = named[0]
            error.message += f" The backup {id_of(lost)} of that name is {lost.get('status')}: state=absent deletes it."
        raise


def _fits(backup: Item, params: Params) -> bool:
    """Whether a backup may be one that was asked for, as far as it tells."""
    told = {
        "name": backup.get("name"),
        "compression_type": value_at(backup, "config.compressionType"),
        "custom_destination_id": backup.get("customDestinationId"),
    }
    return all(value in (None, params[name]) or params[name] is None for name, value in told.items())


# Retained


def _plan_retained(client: Northflank, params: Params, deadline: Deadline) -> Plan:
    """Always a change: the platform does not tell whether a backup is retained already."""
    backup = _by_id(client, params) if params["backup_id"] is not None else _only(_named(client, params), params)
    plan_ = plan_as_it_is(_kind(client, params), backup)

    def act() -> Done:
        path = f"{_one_path(params, backup)}/retain"
        try:
            client.post(path, permission=ADDONS_UPDATE)
        except PaasError as error:
            if not error.may_have_succeeded:
                raise
            # To keep it twice is to keep it.
            client.post(path, permission=ADDONS_UPDATE)
        return Done({})

    return dataclasses.replace(
        plan_, before={**plan_.before, "retained": None}, after={**plan_.before, "retained": True}, act=act
    )


# Aborted


def _plan_aborted(client: Northflank, params: Params, deadline: Deadline) -> Plan:
    backup = _by_id(client, params) if params["backup_id"] is not None else _stoppable(_named(client, params), params)

    def send() -> None:
        client.post(f"{_one_path(params, backup)}/abort", permission=ADDONS_UPDATE)

    return plan_stop(client, _kind(client, params), params, backup, send, deadline)


def _stoppable(named: list[Item], params: Params) -> Item:
    """The backup that a name means for stopping: the one that goes on; without any, the newest."""
    going = [one for one in named if not is_backup_finished(one)]
    if going or not named:
        return _only(going, params)
    return max(named, key=lambda one: str(one.get("createdAt")))


# Absent


def _plan_absent(client: Northflank, params: Params, deadline: Deadline) -> Plan:
    found = _deletable(client, params)
    kind = _kind(client, params)
    plan_ = plan_as_it_is(kind, found)
    if found is None:
        return plan_
    backup = found

    def act() -> Done:
        try:
            client.delete(_one_path(params, backup), permission=ADDONS_UPDATE)
        except PaasError as error:
            # Somebody else was faster, or it was done in spite of the error.
            if not error.may_have_succeeded and error.status not in (404, 409):
                raise
            if kind.now(backup) is not None:
                raise
        if params["wait"]:
            wait_until(
                lambda: kind.now(backup),
                lambda now: now is None,
                what=f"The deletion of the backup {id_of(backup)} of the addon {params['addon_id']}",
                state=lambda now: (now or {}).get("status"),
                deadline=deadline,
            )
        return Done({})

    return dataclasses.replace(plan_, after={}, act=act)


def _deletable(client: Northflank, params: Params) -> Item | None:
    if params["backup_id"] is None:
        named = _named(client, params)
        return _only(named, params) if named else None
    found = _now(client, params, {"id": params["backup_id"]})
    if found is None:
        # A backup that is not there is what is wanted; an addon that is not there is a mistake.
        _all(client, params)
    return found
