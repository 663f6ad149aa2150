# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every read and write the simulator serves, as a call of the vendor's client.

Path template without the team → the attribute of the client, the arguments that are needed, and for a list the key of
``data``. ``{placeholders}`` of the template are the arguments in camelCase.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from northflank import ApiClient

# Makes a client with the token of a name.
Clients = Callable[[str], ApiClient]

PROJECT: dict[str, Any] = {"project_id": "storefront"}
ADDON: dict[str, Any] = {**PROJECT, "addon_id": "orders-postgres"}
SERVICE: dict[str, Any] = {**PROJECT, "service_id": "web-shop"}
JOB: dict[str, Any] = {**PROJECT, "job_id": "nightly-invoices"}
BACKUP: dict[str, Any] = {**ADDON, "backup_id": "nightly-2026-11-01"}
TEMPLATE: dict[str, Any] = {"template_id": "preview-environment"}
RUN: dict[str, Any] = {**TEMPLATE, "template_run_id": "3dd592f6-ce63-45ee-acf8-13dc5ec5235c"}

_P = "/v1/projects/{projectId}"
_A = f"{_P}/addons/{{addonId}}"
_S = f"{_P}/services/{{serviceId}}"
_J = f"{_P}/jobs/{{jobId}}"


@dataclass(frozen=True)
class Read:
    """One read: ``name`` is the attribute path in the client, ``key`` names the list in the answer, if it is one.

    ``alone``: the list is all there is in ``data``; the client merges the pages of no other one.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    alone: bool = True

    def of(self, client: Any) -> Any:
        """Return the client's callable."""
        return called(client, self.name)


@dataclass(frozen=True)
class Write:
    """One write: ``name`` is the attribute path in the client, ``data`` the body; None for a call without one."""

    name: str
    arguments: dict[str, Any]
    data: dict[str, Any] | None = None

    def send(self, client: Any, **more: Any) -> Any:
        """Carry it out with the client and return the answer."""
        body = {} if self.data is None else {"data": self.data}
        return called(client, self.name)(**{**self.arguments, **body, **more})


def called(client: Any, name: str) -> Any:
    """Return the client's callable of an attribute path."""
    found = client
    for part in name.split("."):
        found = getattr(found, part)
    return found


READS = {
    "/v1/auth": Read("get.auth"),
    "/v1/projects": Read("list.projects", key="projects"),
    _P: Read("get.project", PROJECT),
    f"{_P}/addons": Read("list.addons", PROJECT, "addons"),
    _A: Read("get.addon", ADDON),
    f"{_A}/containers": Read("get.addon.containers", ADDON, "containers"),
    f"{_A}/version": Read("get.addon.version", ADDON),
    "/v1/addon-types": Read("get.addon.types"),
    f"{_A}/backups": Read("get.addon.backups", ADDON, "backups"),
    f"{_A}/backups/{{backupId}}": Read("get.addon.backup", BACKUP),
    f"{_A}/backups/{{backupId}}/restores": Read("get.addon.backup.restores", BACKUP, "restores"),
    f"{_A}/restores": Read("get.addon.restores", ADDON, "restores"),
    f"{_P}/services": Read("list.services", PROJECT, "services"),
    _S: Read("get.service", SERVICE),
    f"{_S}/containers": Read("get.service.containers", SERVICE, "containers"),
    f"{_P}/jobs": Read("list.jobs", PROJECT, "jobs"),
    _J: Read("get.job", JOB),
    f"{_J}/runs": Read("get.job.runs", JOB, "runs"),
    f"{_J}/containers": Read("get.job.containers", JOB, "containers", alone=False),
    "/v1/templates": Read("list.templates", key="templates"),
    "/v1/templates/{templateId}": Read("get.template", TEMPLATE),
    "/v1/templates/{templateId}/runs": Read("list.template_runs", TEMPLATE, "templateRuns"),
    "/v1/templates/{templateId}/runs/{templateRunId}": Read("get.template_run", RUN),
}

LEDGER: dict[str, Any] = {"project_id": "staging", "addon_id": "ledger-postgres"}
SCRATCH: dict[str, Any] = {"project_id": "staging", "addon_id": "restore-scratch"}
GOOD: dict[str, Any] = {**LEDGER, "backup_id": "nightly-2026-11-02"}
FRESH: dict[str, Any] = {**LEDGER, "backup_id": "fresh-one"}
_T = "/v1/templates/{templateId}/runs"

# In this order each of them can be carried out; what only an answer tells is not known here.
WRITES = {
    ("POST", f"{_A}/backups"): Write("backup.addon", LEDGER, {"name": "fresh one"}),
    ("POST", f"{_A}/backups/{{backupId}}/retain"): Write("retain.addon.backup", FRESH),
    ("POST", f"{_A}/backups/{{backupId}}/abort"): Write("abort.addon.backup", FRESH),
    ("POST", f"{_A}/backups/{{backupId}}/restore"): Write("restore.addon.backup", GOOD),
    ("POST", f"{_A}/backups/{{backupId}}/abort-restore"): Write("abort.addon.restore", GOOD, {"restoreId": "0" * 24}),
    ("DELETE", f"{_A}/backups/{{backupId}}"): Write("delete.backup", {**LEDGER, "backup_id": "nightly-2026-11-01"}),
    ("POST", _T): Write("run.template", {"template_id": "nightly-dumps-2"}, {"arguments": {"retentionDays": "7"}}),
    ("POST", f"{_T}/{{templateRunId}}/abort"): Write("abort.template_run", RUN),
}

# The command line client's log-in; the Python client has no call for it.
WITHOUT_CALL = frozenset({"/v1/login"})
# The only routes without a form under /v1/teams/{teamId}.
WITHOUT_TEAM = frozenset({"/v1/auth", "/v1/login", "/v1/addon-types"})
