# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What Northflank has to read, as data. Source of paths and permissions: vendor pages, official Python client 2.1.0."""

from __future__ import annotations

from .._resource import Filter
from .resource import NorthflankResource
from .states import RUN_FINAL_STATES, RUN_IN_PROGRESS_STATES

# Maps in templates, runs and addons whose keys are names that a user made up.
USER_KEYED = frozenset(
    {
        "annotations",
        "argumentOverrides",
        "arguments",
        "buildArguments",
        "buildFiles",
        "dockerSecretMounts",
        "files",
        "labels",
        "refs",
        "runtimeEnvironment",
        "runtimeFiles",
        "templateValues",
        "variables",
    }
)

# What it takes to change something, in the words of the official client.
ADDONS_UPDATE = "Project > Addons > General > Update"
TEMPLATES_RUN = "Account > Templates > General > Run"
RUNS_ABORT = "Account > Templates > Runs > Abort"

PROJECT = NorthflankResource(
    noun="project",
    list_key="projects",
    id_option="project_id",
    lists=("projects",),
    one="projects/{project_id}",
    permission="Project > Projects > Manage > Read",
)
ADDON = NorthflankResource(
    noun="addon",
    list_key="addons",
    id_option="addon_id",
    parent=PROJECT,
    lists=("projects/{project_id}/addons",),
    one="projects/{project_id}/addons/{addon_id}",
    user_keyed=USER_KEYED,
    permission="Project > Addons > General > Read",
)
ADDON_CONTAINER = NorthflankResource(
    noun="container",
    list_key="containers",
    id_option="container_name",
    parent=ADDON,
    lists=("projects/{project_id}/addons/{addon_id}/containers",),
    identity="name",
    permission="Project > Addons > General > Read (in older roles: Deployment > View Instances)",
)
ADDON_VERSION = NorthflankResource(
    noun="version",
    list_key="addonVersions",
    id_option="addon_version",
    parent=ADDON,
    lists=("projects/{project_id}/addons/{addon_id}/version",),
    # Addons of one's own kind and buckets may have none. Whether the platform says 404 or 400 then is not documented.
    singleton={"version": None, "upgrade_to": [], "lifecycle_status": None, "upgrade_history": []},
    permission="Project > Addons > General > Read",
)
ADDON_BACKUP = NorthflankResource(
    noun="backup",
    list_key="backups",
    id_option="backup_id",
    parent=ADDON,
    lists=("projects/{project_id}/addons/{addon_id}/backups",),
    one="projects/{project_id}/addons/{addon_id}/backups/{backup_id}",
    permission="Project > Addons > General > Read",
)
BACKUP_RESTORE = NorthflankResource(
    noun="restore",
    list_key="restores",
    id_option="restore_id",
    parent=ADDON_BACKUP,
    lists=(
        "projects/{project_id}/addons/{addon_id}/backups/{backup_id}/restores",
        "projects/{project_id}/addons/{addon_id}/restores",
    ),
    scope={"source_project_id": "sourceProjectId", "source_addon_id": "sourceAddonId"},
    permission="Project > Addons > General > Read",
)
TEMPLATE = NorthflankResource(
    noun="template",
    list_key="templates",
    id_option="template_id",
    lists=("templates",),
    one="templates/{template_id}",
    user_keyed=USER_KEYED,
    permission="Account > Templates > General > Read",
)
TEMPLATE_RUN = NorthflankResource(
    noun="template run",
    list_key="templateRuns",
    id_option="run_id",
    parent=TEMPLATE,
    lists=("templates/{template_id}/runs",),
    one="templates/{template_id}/runs/{run_id}",
    filters={
        "status": Filter("status", {"type": "str", "choices": [*RUN_IN_PROGRESS_STATES, *RUN_FINAL_STATES]}),
        "concluded": Filter("concluded", {"type": "bool"}),
    },
    user_keyed=USER_KEYED,
    permission="Account > Templates > General > Read",
)
