# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of resources that the stand-in for AWX keeps, with the fields and defaults that AWX 24 has."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

# The default of fields that have to be given.
REQUIRED: Any = object()


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of resource.

    type: what AWX calls one. fields: their defaults, which tell their types too. references: fields that hold ids, with
    the kinds, by plural, that they are of. read_only: fields that AWX sets. unique: fields that tell one from another.
    lists: what can be associated, by the name of the list, with the kind. cascade: references with which it goes.
    """

    type: str
    fields: Mapping[str, Any]
    references: Mapping[str, str] = dataclasses.field(default_factory=dict)
    read_only: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    unique: tuple[str, ...] = ("name",)
    lists: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cascade: tuple[str, ...] = ()

    def knows(self, field: str) -> bool:
        """Whether there is such a field to ask for."""
        return field in ("id", "type") or field in self.fields or field in self.references or field in self.read_only


NAMED = {"name": REQUIRED, "description": ""}
NOTIFICATIONS = {
    f"notification_templates_{event}": "notification_templates" for event in ("started", "success", "error")
}
# What a launch can ask for.
ASKED = (
    *("diff_mode", "variables", "limit", "tags", "skip_tags", "job_type", "verbosity", "inventory", "credential"),
    *("execution_environment", "forks", "instance_groups", "job_slice_count", "labels", "timeout", "scm_branch"),
)
# What a node or a schedule can give to what it starts.
PROMPTS: dict[str, Any] = {
    **dict.fromkeys(("scm_branch", "job_type", "job_tags", "skip_tags", "limit", "diff_mode", "verbosity"), None),
    **dict.fromkeys(("forks", "job_slice_count", "timeout"), None),
    "extra_data": {},
}
PROMPTED = {"inventory": "inventories", "execution_environment": "execution_environments"}

KINDS: dict[str, Kind] = {
    "organizations": Kind(
        "organization",
        {**NAMED, "max_hosts": 0},
        {"default_environment": "execution_environments"},
        lists={"users": "users", "admins": "users", "galaxy_credentials": "credentials", **NOTIFICATIONS},
    ),
    "users": Kind("user", {"username": REQUIRED, "is_superuser": False}, unique=("username",)),
    "teams": Kind("team", NAMED, {"organization": "organizations"}, unique=("organization", "name")),
    "notification_templates": Kind(
        "notification_template",
        {**NAMED, "notification_type": "email", "notification_configuration": {}},
        {"organization": "organizations"},
        unique=("organization", "name"),
        cascade=("organization",),
    ),
    "credential_types": Kind(
        "credential_type",
        {**NAMED, "kind": REQUIRED, "inputs": {}, "injectors": {}},
        read_only={"managed": False, "namespace": None},
        unique=("name", "kind"),
    ),
    "credentials": Kind(
        "credential",
        {**NAMED, "inputs": {}},
        {"organization": "organizations", "credential_type": "credential_types"},
        read_only={"managed": False, "kind": None, "cloud": False},
        unique=("organization", "name", "credential_type"),
        cascade=("organization", "credential_type"),
    ),
    "execution_environments": Kind(
        "execution_environment",
        {**NAMED, "image": REQUIRED, "pull": ""},
        {"organization": "organizations", "credential": "credentials"},
        read_only={"managed": False},
        cascade=("organization",),
    ),
    "projects": Kind(
        "project",
        {
            **NAMED,
            **dict.fromkeys(("local_path", "scm_type", "scm_url", "scm_branch", "scm_refspec"), ""),
            **dict.fromkeys(("scm_clean", "scm_track_submodules", "scm_delete_on_update"), False),
            **dict.fromkeys(("scm_update_on_launch", "allow_override"), False),
            **dict.fromkeys(("scm_update_cache_timeout", "timeout"), 0),
        },
        {
            "organization": "organizations",
            "credential": "credentials",
            "default_environment": "execution_environments",
            "signature_validation_credential": "credentials",
        },
        read_only={"status": "never updated", "scm_revision": "", "last_update_failed": False},
        unique=("organization", "name"),
        lists=NOTIFICATIONS,
        cascade=("organization",),
    ),
    "inventories": Kind(
        "inventory",
        {**NAMED, "kind": "", "host_filter": None, "variables": "", "prevent_instance_group_fallback": False},
        {"organization": "organizations"},
        read_only={"pending_deletion": False},
        unique=("organization", "name"),
    ),
    "inventory_sources": Kind(
        "inventory_source",
        {
            **NAMED,
            **dict.fromkeys(("source", "source_path", "source_vars", "scm_branch", "enabled_var", "enabled_value"), ""),
            **dict.fromkeys(("host_filter", "limit"), ""),
            **dict.fromkeys(("overwrite", "overwrite_vars", "update_on_launch"), False),
            **dict.fromkeys(("timeout", "update_cache_timeout"), 0),
            "verbosity": 1,
        },
        {
            "inventory": "inventories",
            "source_project": "projects",
            "credential": "credentials",
            "execution_environment": "execution_environments",
        },
        read_only={"status": "never updated", "organization": None},
        unique=("inventory", "name"),
        lists=NOTIFICATIONS,
        cascade=("inventory", "source_project"),
    ),
    "job_templates": Kind(
        "job_template",
        {
            **NAMED,
            **dict.fromkeys(("playbook", "scm_branch", "limit", "extra_vars", "job_tags", "skip_tags"), ""),
            **dict.fromkeys(("start_at_task", "host_config_key", "webhook_service"), ""),
            **dict.fromkeys(("force_handlers", "use_fact_cache", "survey_enabled", "become_enabled"), False),
            **dict.fromkeys(("diff_mode", "allow_simultaneous", "prevent_instance_group_fallback"), False),
            **{f"ask_{name}_on_launch": False for name in ASKED},
            **dict.fromkeys(("forks", "verbosity", "timeout"), 0),
            "job_type": "run",
            "job_slice_count": 1,
        },
        {
            "inventory": "inventories",
            "project": "projects",
            "execution_environment": "execution_environments",
            "webhook_credential": "credentials",
        },
        read_only={"organization": None, "status": "never updated"},
        unique=("organization", "name"),
        lists={"credentials": "credentials", **NOTIFICATIONS},
    ),
    "workflow_job_templates": Kind(
        "workflow_job_template",
        {
            **NAMED,
            **dict.fromkeys(("extra_vars", "webhook_service"), ""),
            **dict.fromkeys(("survey_enabled", "allow_simultaneous"), False),
            **dict.fromkeys(("limit", "scm_branch", "job_tags", "skip_tags"), None),
            **{f"ask_{name}_on_launch": False for name in ASKED},
        },
        {"organization": "organizations", "inventory": "inventories", "webhook_credential": "credentials"},
        read_only={"status": "never updated"},
        unique=("organization", "name"),
        lists={**NOTIFICATIONS, "notification_templates_approvals": "notification_templates"},
    ),
    "workflow_job_template_nodes": Kind(
        "workflow_job_template_node",
        {"identifier": "", "all_parents_must_converge": False, **PROMPTS},
        {
            **PROMPTED,
            "workflow_job_template": "workflow_job_templates",
            "unified_job_template": "unified_job_templates",
        },
        unique=("identifier", "workflow_job_template"),
        lists={
            **{f"{outcome}_nodes": "workflow_job_template_nodes" for outcome in ("success", "failure", "always")},
            "credentials": "credentials",
        },
        cascade=("workflow_job_template",),
    ),
    "schedules": Kind(
        "schedule",
        {**NAMED, "rrule": REQUIRED, "enabled": True, **PROMPTS},
        {**PROMPTED, "unified_job_template": "unified_job_templates"},
        unique=("unified_job_template", "name"),
        lists={"credentials": "credentials"},
        cascade=("unified_job_template",),
    ),
}
# References that have to be given.
NEEDED = {
    "credentials": ("credential_type",),
    "inventories": ("organization",),
    "inventory_sources": ("inventory",),
    "notification_templates": ("organization",),
    "schedules": ("unified_job_template",),
    "teams": ("organization",),
    "workflow_job_template_nodes": ("workflow_job_template",),
}
CHOICES: dict[tuple[str, str], tuple[Any, ...]] = {
    ("execution_environments", "pull"): ("", "always", "missing", "never"),
    ("inventories", "kind"): ("", "smart", "constructed"),
    ("inventory_sources", "source"): ("scm", "ec2", "gce", "azure_rm", "controller", "openstack", "file"),
    ("inventory_sources", "verbosity"): (0, 1, 2),
    ("job_templates", "job_type"): ("run", "check"),
    ("job_templates", "verbosity"): (0, 1, 2, 3, 4, 5),
    ("projects", "scm_type"): ("", "git", "svn", "insights", "archive"),
}
# Those that a job can be made of share a table, and so their ids.
UNIFIED = ("projects", "inventory_sources", "job_templates", "workflow_job_templates")
