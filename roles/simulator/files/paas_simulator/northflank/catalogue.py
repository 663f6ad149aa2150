# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of managed addons: their versions, and what they can do. Which there are is the simulator's choice."""

from __future__ import annotations

from ..messages import Record
from .state import Addon

# Newest first.
_VERSIONS = {
    "postgresql": ("17.2.0", "16.6.0", "16.4.0", "15.10.0", "15.8.0", "14.15.0", "14.13.0", "13.18.0"),
    "mysql": ("8.4.3", "8.0.40", "8.0.33"),
    "mongodb": ("8.0.3", "7.0.14", "6.0.19", "5.0.30", "4.4.29", "4.2.14"),
    "redis": ("7.4.1", "7.2.6", "7.2.4", "6.2.16", "6.2.14"),
    "minio": ("2024.11.7", "2024.8.29"),
}
_TEXTS = {
    "postgresql": ("PostgreSQL", "Relational database"),
    "mysql": ("MySQL", "Relational database"),
    "mongodb": ("MongoDB", "Document database"),
    "redis": ("Redis", "In-memory database"),
    "minio": ("MinIO", "Object storage"),
}
_FEATURES = (
    "backupsDump",
    "customDBName",
    "externalAccess",
    "forkAddon",
    "importDump",
    "importLive",
    "scaleReplicas",
    "tls",
)
_LACKS = {
    "redis": ("customDBName", "importLive"),
    "minio": ("backupsDump", "customDBName", "importDump", "importLive"),
}
_RESOURCES: Record = {
    "storage": {"options": [1024, 4096, 10240, 20480, 65536, 102400], "default": 4096},
    "replicas": {"options": [1, 2, 3, 5], "default": 1},
}


def _type(kind: str) -> Record:
    name, description = _TEXTS[kind]
    versions = list(_VERSIONS[kind])
    return {
        "type": kind,
        "name": name,
        "description": description,
        "features": {feature: feature not in _LACKS.get(kind, ()) for feature in _FEATURES},
        "versions": versions,
        "major": list(dict.fromkeys(version.partition(".")[0] for version in versions)),
        "resources": _RESOURCES,
    }


TYPES = [_type(kind) for kind in _VERSIONS]


def backs_up(addon: Addon, kind: str) -> bool:
    """Say whether an addon supports backups of a kind, dump or snapshot. Only managed databases have any."""
    known = next((each for each in TYPES if each["type"] == addon.data["spec"]["type"]), None)
    return addon.managed and (kind == "snapshot" or known is None or bool(known["features"]["backupsDump"]))


def _parts(version: str) -> list[int]:
    return [int(part) if part.isdigit() else 0 for part in version.split(".")]


def _step(old: list[int], new: list[int]) -> str:
    if old[:1] != new[:1]:
        return "major"
    return "minor" if old[:2] != new[:2] else "patch"


def version(addon: Addon) -> Record:
    """Return the version details of a managed addon; what its entry in the estate says under ``version`` wins."""
    config = addon.data["spec"]["config"]
    mine = _parts(config["versionTag"])
    newer = [each for each in _VERSIONS.get(addon.data["spec"]["type"], ()) if _parts(each) > mine]
    details: Record = {
        "version": config["versionTag"],
        "upgradeTo": [{"version": each, "type": _step(mine, _parts(each))} for each in newer],
        "lifecycleStatus": config["lifecycleStatus"],
        "upgradeHistory": [],
    }
    return {**details, **addon.data.get("version", {})}
