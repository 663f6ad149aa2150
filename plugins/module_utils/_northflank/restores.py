# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restores of a backup into an addon: starting, waiting, stopping. Facts from the official client.

A restore replaces the data of the addon. Two at a time into one addon, of which nobody knows what would come out, are
never started: one that is in progress is waited for if it is of the same backup, and an error otherwise.
"""

from __future__ import annotations

from .._argspec import ArgumentSpec
from .._client import not_found
from .._errors import ApiError, NotFoundError, StateError
from .._plan import Plan
from .._resource import name_missing_parent, path_of
from .._types import Item, Params
from .api import Northflank
from .resources import ADDON_BACKUP, ADDONS_UPDATE, BACKUP_RESTORE
from .starting import WAITING, Operation, id_of
from .states import BACKUP_FAILED_STATES, BACKUP_IN_PROGRESS_STATES

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
    """Plan what the module backup_restore does. Raises PaasError, with the restore in results if there is one."""
    restore = _Restore(client, params)
    if params["state"] == "aborted":
        return restore.plan_aborted()
    if params["restore_id"] is not None:
        return restore.plan_wait(restore.with_id())
    return restore.plan_present()


class _Restore(Operation):
    resource = BACKUP_RESTORE

    def __init__(self, client: Northflank, params: Params) -> None:
        super().__init__(client, params)
        # The query that says which addon the backup was made of. What is empty is not given, and not sent.
        self.source = {query: params[option] or None for option, query in BACKUP_RESTORE.scope.items()}
        self.has_source = any(self.source.values())

    def subject(self) -> str:
        return f"restore of backup {self.ids['backup_id']} into addon {self.ids['addon_id']}"

    def named(self, item: Item) -> str:
        return f"The restore {id_of(item)} of the backup {self.ids['backup_id']} into the addon {self.ids['addon_id']}"

    def failure(self, item: Item) -> str | None:
        status = item.get("status")
        if status not in BACKUP_FAILED_STATES:
            return None
        what = {"failed": "failed", "not-supported": "is not supported by the platform"}.get(str(status), "was aborted")
        return (
            f"{self.named(item)} {what} (its status is {status}). The data of the addon may be incomplete: look at its"
            " log on Northflank, and restore again."
        )

    def result(self, item: Item | None) -> Item:
        return {"restore": None if item is None else self.plain(item, id=None, status=None, restoreTimestamp=None)}

    def listed(self, limit: int | None = None) -> list[Item]:
        """Return the restores of the backup into the addon. Raises NotFoundError that names what is missing."""
        try:
            return self.client.get_list(
                path_of(_OF_BACKUP, self.ids),
                BACKUP_RESTORE.list_key,
                query=self.source,
                limit=limit,
                permission=BACKUP_RESTORE.permission,
            )
        except NotFoundError as error:
            if not self.has_source:
                name_missing_parent(self.client, BACKUP_RESTORE, self.ids, error)
                raise
            # The backup of another addon is known there only.
            name_missing_parent(self.client, ADDON_BACKUP, self.ids, error)
            option = "backup_id; looked for with source_project_id and source_addon_id"
            raise not_found("backup", option, self.ids["backup_id"], error) from None

    def now(self, item: Item) -> Item | None:
        """Return one as it is now. There is no request for a single one."""
        return next((one for one in self.listed() if id_of(one) == id_of(item)), None)

    def with_id(self) -> Item:
        """Return the restore that restore_id names. Raises StateError."""
        found = self.now({"id": self.params["restore_id"]})
        if found is None:
            raise StateError(
                f'The backup {self.ids["backup_id"]} has no restore "{self.params["restore_id"]}" into the addon'
                f" {self.ids['addon_id']} (option restore_id)."
            )
        return found

    def plan_present(self) -> Plan:
        self._require_restorable()
        known = self.listed()
        self._require_no_other(known)
        going = [one for one in known if not self.is_over(one)]
        if going:
            return self.plan_wait(self._only(going))
        return self.plan_start(lambda: self._start({id_of(one) for one in known}), {})

    def plan_aborted(self) -> Plan:
        """Plan to stop the restore that the options name, else the one in progress."""
        if self.params["restore_id"] is not None:
            found = self.with_id()
        else:
            going = [one for one in self.listed() if not self.is_over(one)]
            if not going:
                return self.plan_as_it_is(None)
            found = self._only(going)
        return self.plan_stop(found, lambda: self._post("abort-restore", {"restoreId": id_of(found)}))

    def _require_restorable(self) -> None:
        """Raise StateError for a backup that is not complete, NotFoundError if the addon has none of this id."""
        ids = {
            **self.ids,
            **{name: self.params[f"source_{name}"] or self.ids[name] for name in ("project_id", "addon_id")},
        }
        try:
            backup = self.client.get(path_of(str(ADDON_BACKUP.one), ids), permission=ADDON_BACKUP.permission)
        except ApiError as error:
            if self.has_source:
                return  # a global backup may outlive its addon, or be out of the token's reach: the platform decides
            if isinstance(error, NotFoundError):
                name_missing_parent(self.client, ADDON_BACKUP, ids, error)
                raise not_found("backup", "backup_id", ids["backup_id"], error) from None
            raise
        status = backup.get("status")
        has_failed = status in BACKUP_FAILED_STATES
        if has_failed or status in BACKUP_IN_PROGRESS_STATES:
            hint = "" if has_failed else " Wait for it with quayside.paas.addon_backup and its backup_id."
            raise StateError(f"The backup {ids['backup_id']} cannot be restored: its status is {status}.{hint}")

    def _require_no_other(self, known: list[Item]) -> None:
        """Raise StateError if a restore of another backup into the addon is in progress."""
        own = {id_of(one) for one in known}
        found = self.client.get_list(
            path_of(_OF_ADDON, self.ids), BACKUP_RESTORE.list_key, permission=BACKUP_RESTORE.permission
        )
        other = next((one for one in found if not self.is_over(one) and id_of(one) not in own), None)
        if other is not None:
            raise StateError(
                f"The addon {self.ids['addon_id']} is being restored from the backup {other.get('backupId')} (restore"
                f" {id_of(other)}, {other.get('status')}). Nothing was begun: wait for that one, or abort it."
            )

    def _only(self, going: list[Item]) -> Item:
        if len(going) == 1:
            return going[0]
        ids = ", ".join(str(id_of(one)) for one in going)
        raise StateError(
            f"{len(going)} restores of the backup {self.ids['backup_id']} into the addon {self.ids['addon_id']} are"
            f" under way: {ids}. Name one by restore_id."
        )

    def _start(self, before: set[str | None]) -> Item:
        return self.start(
            lambda: {"id": self._post("restore").get("restoreId")},
            lambda: [one for one in self.listed() if id_of(one) not in before],
            "the restore",
        )

    def _post(self, action: str, body: Item | None = None) -> Item:
        path = f"{path_of(str(ADDON_BACKUP.one), self.ids)}/{action}"
        return self.client.post(path, body, query=self.source, permission=ADDONS_UPDATE)
