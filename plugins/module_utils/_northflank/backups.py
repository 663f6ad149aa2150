# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups of an addon: taking, keeping, stopping and deleting them. Facts from the official client."""

from __future__ import annotations

import dataclasses

from .._argspec import ArgumentSpec
from .._errors import OptionError, PaasError, StateError
from .._plan import Done, Plan
from .._types import Item, Params, value_at
from .._wait import wait_until
from .api import Northflank
from .resources import ADDON_BACKUP, ADDONS_UPDATE
from .starting import WAITING, Operation, id_of
from .states import BACKUP_FAILED_STATES

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
    """Plan what the module addon_backup does. Raises PaasError, with the backup in results if there is one."""
    if params["name"] == "":
        raise OptionError("The option name is empty. Leave it out to let the platform name the backup.")
    backup = _Backup(client, params)
    plans = {
        "present": backup.plan_present,
        "retained": backup.plan_retained,
        "aborted": backup.plan_aborted,
        "absent": backup.plan_absent,
    }
    return plans[params["state"]]()


class _Backup(Operation):
    resource = ADDON_BACKUP

    def subject(self) -> str:
        return f"backup of addon {self.params['addon_id']}"

    def named(self, item: Item) -> str:
        name = item.get("name")
        called = f' "{name}"' if name and name != id_of(item) else ""
        return f"The backup{called} {id_of(item)} of the addon {self.params['addon_id']}"

    def failure(self, item: Item) -> str | None:
        status = item.get("status")
        if status not in BACKUP_FAILED_STATES:
            return None
        what = {
            "failed": "failed. Its log on Northflank may tell why",
            "not-supported": "is not supported by the platform for this addon. Ask for another backup_type",
        }.get(str(status), "was aborted")
        return f"{self.named(item)} {what} (its status is {status})."

    def result(self, item: Item | None) -> Item:
        unknown = {"id": None, "name": self.params["name"], "status": None, "createdAt": None, "config": {}}
        return {"backup": None if item is None else self.plain(item, **unknown)}

    def plan_present(self) -> Plan:
        if self.params["backup_id"] is not None:
            return self.plan_wait(self.with_id())
        known = self.listed()
        named = self._named(known) if self.params["name"] is not None else []
        counting = [one for one in named if one.get("status") not in BACKUP_FAILED_STATES]
        if counting:
            return self.plan_wait(self._only(counting))
        return self.plan_start(lambda: self._take(known, named), {})

    def plan_retained(self) -> Plan:
        """Plan to keep it. Always a change: the platform does not tell whether a backup is retained already."""
        backup = self._meant()
        plan_ = self.plan_as_it_is(backup)

        def act() -> Done:
            path = f"{self.path(backup)}/retain"
            try:
                self.client.post(path, permission=ADDONS_UPDATE)
            except PaasError as error:
                if not error.may_have_succeeded:
                    raise
                # To keep it twice is to keep it.
                self.client.post(path, permission=ADDONS_UPDATE)
            return Done({})

        return dataclasses.replace(
            plan_, before={**plan_.before, "retained": None}, after={**plan_.before, "retained": True}, act=act
        )

    def plan_aborted(self) -> Plan:
        backup = self.with_id() if self.params["backup_id"] is not None else self._stoppable(self._named(self.listed()))
        return self.plan_stop(backup, lambda: self.client.post(f"{self.path(backup)}/abort", permission=ADDONS_UPDATE))

    def plan_absent(self) -> Plan:
        found = self._deletable()
        plan_ = self.plan_as_it_is(found)
        if found is None:
            return plan_
        return dataclasses.replace(plan_, after={}, act=lambda: self._delete(found))

    def _meant(self) -> Item:
        return self.with_id() if self.params["backup_id"] is not None else self._only(self._named(self.listed()))

    def _named(self, backups: list[Item]) -> list[Item]:
        return [one for one in backups if one.get("name") == self.params["name"]]

    def _only(self, found: list[Item]) -> Item:
        """Return the one backup that a name means. Raises StateError."""
        if len(found) == 1:
            return found[0]
        addon, name = self.params["addon_id"], self.params["name"]
        if not found:
            raise StateError(f'The addon {addon} has no backup of the name "{name}".')
        ids = ", ".join(f"{id_of(one)} ({one.get('status')})" for one in found)
        raise StateError(
            f'The name "{name}" fits {len(found)} backups of the addon {addon}: {ids}. Name one by backup_id.'
        )

    def _stoppable(self, named: list[Item]) -> Item:
        """Return the backup that a name means for stopping: the one in progress; without any, the newest."""
        going = [one for one in named if not self.is_over(one)]
        if going or not named:
            return self._only(going)
        return max(named, key=lambda one: str(one.get("createdAt")))

    def _deletable(self) -> Item | None:
        if self.params["backup_id"] is None:
            named = self._named(self.listed())
            return self._only(named) if named else None
        found = self.now({"id": self.params["backup_id"]})
        if found is None:
            # A missing backup is what is wanted; a missing addon is a mistake.
            self.listed()
        return found

    def _take(self, known: list[Item], named: list[Item]) -> Item:
        """Take a backup.

        Args:
            known: All that were there before.
            named: Those of them with the wanted name, which are lost.
        """
        before = {id_of(one) for one in known}
        try:
            return self.start(
                lambda: self.client.post(self.list_path(), self._body(), permission=ADDONS_UPDATE),
                lambda: [one for one in self.listed() if id_of(one) not in before and self._fits(one)],
                "the backup",
            )
        except PaasError as error:
            if error.status == 409 and named:
                lost = named[0]
                error.message += (
                    f" The backup {id_of(lost)} of that name is {lost.get('status')}: state=absent deletes it."
                )
            raise

    def _body(self) -> Item:
        params = self.params
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

    def _fits(self, backup: Item) -> bool:
        """Whether a backup may be the one that was asked for, as far as it tells."""
        told = {
            "name": backup.get("name"),
            "compression_type": value_at(backup, "config.compressionType"),
            "custom_destination_id": backup.get("customDestinationId"),
        }
        return all(value in (None, self.params[name]) or self.params[name] is None for name, value in told.items())

    def _delete(self, backup: Item) -> Done:
        try:
            self.client.delete(self.path(backup), permission=ADDONS_UPDATE)
        except PaasError as error:
            # Somebody else was faster, or it was done in spite of the error.
            if not error.may_have_succeeded and error.status not in (404, 409):
                raise
            if self.now(backup) is not None:
                raise
        if self.params["wait"]:
            wait_until(
                lambda: self.now(backup),
                lambda now: now is None,
                what=f"The deletion of the backup {id_of(backup)} of the addon {self.params['addon_id']}",
                state=lambda now: (now or {}).get("status"),
                deadline=self.deadline,
            )
        return Done({})
