# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fields each kind of answer shows, today and in the pages of 2021 to 2024 ("seed").

Records hold more than any answer shows. A shape is a mapping of names to None (show as it is) or to a nested shape.
Optional fields are shown when the record has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Union

from ..clock import parse
from ..messages import Record

Shape = Mapping[str, Union["Shape", None]]


def _fields(names: str, **nested: Shape) -> dict[str, Any]:
    return {**dict.fromkeys(names.split()), **nested}


_EMBEDDED = "id appId name uid description stageId"
_RUN = "id templateId name description apiVersion options"

TODAY: dict[str, Shape] = {
    "auth": _fields(
        "id entityType entityId entityUid orgId orgUid name description creatorEmail createdAt expiresAt tokenKind "
        "scope role permissions projectRestrictions workload workloadIdentity"
    ),
    "project item": _fields("id name uid description lifecycleStatus"),
    "project": _fields("id name uid description createdAt lifecycleStatus deployment customRegistry cluster"),
    "embedded service": _fields(f"{_EMBEDDED} serviceType"),
    "embedded job": _fields(f"{_EMBEDDED} jobType"),
    "embedded addon": _fields(_EMBEDDED, spec=_fields("type")),
    "service item": _fields(f"{_EMBEDDED} projectId tags serviceType disabledCI disabledCD status"),
    "service": _fields(
        f"{_EMBEDDED} tags serviceType billing cluster createdAt updatedAt status deployment ports buildSettings "
        "vcsData"
    ),
    "job item": _fields(f"{_EMBEDDED} projectId tags jobType disabledCI disabledCD suspended"),
    "job": _fields(
        f"{_EMBEDDED} projectId tags jobType disabledCI disabledCD suspended billing cluster createdAt settings "
        "deployment buildSettings vcsData"
    ),
    "job run": _fields(
        "id runName status concluded active succeeded failed completions backoffLimit startedAt concludedAt"
    ),
    "addon item": _fields("id name appId uid description tags stageId status", spec=_fields("type")),
    "addon": _fields(
        "id name appId uid description createdAt tags stageId status cluster",
        spec=_fields("type config pendingActions"),
    ),
    "version": _fields("version upgradeTo lifecycleStatus discontinuedBy upgradeHistory"),
    "container": _fields("name createdAt status updatedAt nodeName nodePoolUserId nodePoolProviderId host ipAddresses"),
    "backup item": _fields("id name uid status createdAt completedAt config customDestinationId"),
    "backup": _fields(
        "id name uid status createdAt completedAt lastRestore",
        config=_fields("size addonVersion", source=_fields("type")),
    ),
    "last restore": _fields("restoreTimestamp status completedAt"),
    "restore": _fields("id restoreTimestamp status completedAt"),
    "addon restore": _fields("id backupId restoreTimestamp status completedAt"),
    "template item": _fields("id name apiVersion description options concurrencyPolicy createdAt updatedAt"),
    "template": _fields(
        "id name apiVersion description arguments concurrencyPolicy spec gitops teardownSpec $schema "
        "createdAt updatedAt",
        options=_fields("autorun"),
    ),
    "run item": _fields(f"{_RUN} status startedAt concluded concludedAt createdAt updatedAt"),
    "run": _fields(f"{_RUN} arguments gitops $schema refs spec status concluded createdAt updatedAt"),
}

_SEED_CONFIG = _fields(
    "versionTag lifecycleStatus networking",
    deployment=_fields("replicas storageSize planId region"),
)
_LATER = frozenset({"uid", "tags", "stageId", "cluster", "lifecycleStatus"})

SEED: dict[str, Shape] = {
    **{kind: {name: part for name, part in shape.items() if name not in _LATER} for kind, shape in TODAY.items()},
    "addon": _fields(
        "id name appId description createdAt status",
        spec=_fields("type", config=_SEED_CONFIG),
    ),
    "version": TODAY["version"],
    "container": _fields("name createdAt status updatedAt"),
}

# Values the oldest pages do not have, and what stands for them there: the simulator's choice.
_ADDON_STATES = {"resetting": "preDeployment", "error": "failed", "errorAllocating": "failed"}
_RUN_STATES = {"waiting": "pending", "retrying": "running", "async_wait": "running", "approval_wait": "running"}
_POLICIES = {"latest": "queue", "replace": "queue"}


def _seed_addon(shown: Record) -> None:
    shown["status"] = _ADDON_STATES.get(shown["status"], shown["status"])


def _seed_run(shown: Record) -> None:
    shown["status"] = _RUN_STATES.get(shown["status"], shown["status"])
    options = shown.get("options", {})
    if options.get("concurrencyPolicy") in _POLICIES:
        shown["options"] = {**options, "concurrencyPolicy": _POLICIES[options["concurrencyPolicy"]]}


def _seed_restore(shown: Record) -> None:
    shown["id"] = round(parse(shown["restoreTimestamp"]) * 1000)


_SEED_VALUES: dict[str, Callable[[Record], None]] = {
    "addon": _seed_addon,
    "addon item": _seed_addon,
    "run": _seed_run,
    "run item": _seed_run,
    "restore": _seed_restore,
    "addon restore": _seed_restore,
}


def _show(record: Record, shape: Shape) -> Record:
    return {
        name: record[name] if part is None else _show(record[name], part)
        for name, part in shape.items()
        if name in record
    }


def render(kind: str, record: Record, seed: bool) -> Record:
    """Return what an answer of a kind shows of a record, in the shapes of today or of the oldest pages."""
    if not seed:
        return _show(record, TODAY[kind])
    shown = _show(record, SEED[kind])
    if kind in _SEED_VALUES:
        _SEED_VALUES[kind](shown)
    return shown
