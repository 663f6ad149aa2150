# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the API of AWX 24 that keeps state: what the collection awx.awx asks of it, refused where AWX refuses.

A resource is a dictionary. What AWX does by and by, updates of projects and deletions of inventories, takes a moment of
real time here. Names like main/models are folders of AWX's sources, https://github.com/ansible/awx, below awx.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import http.server
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import awx_rules
import yaml
from awx_kinds import CHOICES, KINDS, NEEDED, REQUIRED, UNIFIED, Kind

Item = dict[str, Any]

ROOT = "/api/v2/"
SECRET = "$encrypted$"  # main/utils: what AWX shows in place of a secret
PAGE, LARGEST_PAGE = 25, 200
# main/models/projects.py: changes of these make AWX update the project, as making it does
UPDATING = ("scm_url", "scm_branch", "scm_type", "scm_refspec")
UNFINISHED = ("new", "pending", "waiting", "running")


class Refusal(Exception):
    """An answer other than the wanted one. status: of HTTP. body: what AWX says."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


@dataclasses.dataclass
class Awx:
    """An AWX.

    token: of its administrator. repositories: the playbooks by the address of a git repository. seconds: what updates
    of projects and deletions of inventories take. items: resources by id, under their plural. others: the ids that a
    list of a resource holds, under plural, id and name of the list. surveys: under plural and id. numbers: the last id
    of each table. journal: method, path and body of each request.
    """

    token: str
    repositories: Mapping[str, list[str]]
    seconds: float = 0.3
    items: dict[str, dict[int, Item]] = dataclasses.field(default_factory=lambda: {plural: {} for plural in KINDS})
    others: dict[tuple[str, int, str], list[int]] = dataclasses.field(default_factory=dict)
    surveys: dict[tuple[str, int], Item] = dataclasses.field(default_factory=dict)
    updates: dict[int, Item] = dataclasses.field(default_factory=dict)
    numbers: Counter[str] = dataclasses.field(default_factory=Counter)
    journal: list[tuple[str, str, Any]] = dataclasses.field(default_factory=list)
    lock: threading.RLock = dataclasses.field(default_factory=threading.RLock)
    url: str = ""

    def writes(self) -> list[tuple[str, str, Any]]:
        """What the journal holds besides questions."""
        return [entry for entry in self.journal if entry[0] != "GET"]

    def named(self, plural: str, name: str) -> Item:
        """The one resource of a name, secrets and all."""
        (found,) = [item for item in self.items[plural].values() if item["name"] == name]
        return found


# Requests


def answer(awx: Awx, method: str, target: str, token: str | None, text: str) -> tuple[int, Any]:
    """The answer to a request: status and body. text: of the body that came."""
    with awx.lock:
        parts = urlsplit(target)
        body = json.loads(text) if text else None
        awx.journal.append((method, target, body))
        settle(awx)
        try:
            if not parts.path.endswith("/"):
                raise Refusal(404, {"detail": "The requested resource could not be found."})
            if parts.path in ("/api/", f"{ROOT}ping/"):
                return 200, {"current_version": ROOT, "version": "24.6.1"}
            if token != awx.token:
                raise Refusal(401, {"detail": "Authentication credentials were not provided."})
            if not parts.path.startswith(ROOT):
                raise Refusal(404, {"detail": "The requested resource could not be found."})
            return route(awx, method, parts.path.removeprefix(ROOT).strip("/").split("/"), parts.query, body)
        except Refusal as refusal:
            return refusal.status, refusal.body


def route(awx: Awx, method: str, path: list[str], query: str, body: Any) -> tuple[int, Any]:
    """The answer to a request of the administrator. path: below ROOT. Raises Refusal."""
    match (method, path):
        case ("GET", [""]):
            return 200, {plural: f"{ROOT}{plural}/" for plural in KINDS}
        case ("GET", ["config"]):
            return 200, {"version": "24.6.1", "license_info": {"license_type": "open"}}
        case ("GET", ["me"]):
            return 200, listed(awx, "users", "username=admin")
        case ("GET", ["unified_job_templates"]):
            return 200, listed(awx, "unified_job_templates", query)
        case ("GET", ["project_updates", number]) if number.isdecimal() and int(number) in awx.updates:
            return 200, shown_update(awx.updates[int(number)])
        case (_, [plural, *rest]) if plural in KINDS:
            return route_kind(awx, method, plural, rest, query, body)
    raise Refusal(404, {"detail": "The requested resource could not be found."})


def route_kind(awx: Awx, method: str, plural: str, path: list[str], query: str, body: Any) -> tuple[int, Any]:
    """As route(), for a kind. path: below its plural."""
    if not path:
        if method == "GET":
            return 200, listed(awx, plural, query)
        if method == "POST":
            return 201, create(awx, plural, body)
        raise Refusal(405, {"detail": f'Method "{method}" not allowed.'})
    item = awx.items[plural].get(int(path[0])) if path[0].isdecimal() else None
    if item is None:
        raise Refusal(404, {"detail": "Not found."})
    match (method, path[1:]):
        case ("GET", []):
            return 200, shown(awx, plural, item)
        case ("PATCH", []):
            return 200, change(awx, plural, item, body)
        case ("DELETE", []):
            return delete(awx, plural, item)
        case (_, [name]):
            return route_list(awx, method, plural, item, name, query, body)
    raise Refusal(405, {"detail": f'Method "{method}" not allowed.'})


def route_list(awx: Awx, method: str, plural: str, item: Item, name: str, query: str, body: Any) -> tuple[int, Any]:
    """As route_kind(), for what hangs on a resource."""
    match (method, plural, name):
        case ("GET", _, _) if name in KINDS[plural].lists:
            ids = awx.others.get((plural, item["id"], name), [])
            return 200, listed(awx, KINDS[plural].lists[name], query, ids)
        case ("POST", _, _) if name in KINDS[plural].lists:
            associate(awx, plural, item, name, body)
            return 204, None
        case (_, "job_templates" | "workflow_job_templates", "survey_spec"):
            return survey(awx, method, plural, item, body)
        case ("GET", "projects", "playbooks"):
            return 200, playbooks(awx, item)
        case ("POST", "projects", "update"):
            return 202, shown_update(start_update(awx, item))
    raise Refusal(404, {"detail": "Not found."})


# What is there


def listed(awx: Awx, plural: str, query: str, ids: Iterable[int] | None = None) -> Item:
    """A page of a list. ids: those to choose from, by default all. Raises Refusal for fields that are not there."""
    items = every(awx, plural) if ids is None else [awx.items[plural][each] for each in ids]
    terms = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True)
             if name not in ("page", "page_size", "order_by")]  # fmt: skip
    either = [(name.removeprefix("or__"), value) for name, value in terms if name.startswith("or__")]
    each = [(name, value) for name, value in terms if not name.startswith("or__")]
    found = [
        item
        for item in items
        if all(meets(awx, item, *term) for term in each)
        and (not either or any(meets(awx, item, *term) for term in either))
    ]
    asked = dict(parse_qsl(query))
    size, page = min(int(asked.get("page_size", PAGE)), LARGEST_PAGE), int(asked.get("page", 1))
    rest = [part for part in query.split("&") if part and not part.startswith("page=")]
    following = f"{ROOT}{plural}/?" + "&".join([*rest, f"page={page + 1}"])
    return {
        "count": len(found),
        "next": following if len(found) > page * size else None,
        "previous": None,
        "results": [shown(awx, plural_of(item), item) for item in found[(page - 1) * size : page * size]],
    }


def every(awx: Awx, plural: str) -> list[Item]:
    """All of a kind, by id; unified job templates are of several."""
    if plural != "unified_job_templates":
        return list(awx.items[plural].values())
    return sorted((item for each in UNIFIED for item in awx.items[each].values()), key=lambda item: item["id"])


def plural_of(item: Item) -> str:
    """The plural that a resource is found under."""
    return next(plural for plural, kind in KINDS.items() if kind.type == item["type"])


def meets(awx: Awx, item: Item, term: str, value: str) -> bool:
    """Whether a resource meets one term of a query: api/filters.py. Raises Refusal for a field that is not there."""
    path, current = term.split("__"), item
    while True:
        kind = KINDS[plural_of(current)]
        field, *path = path
        if not kind.knows(field):
            raise Refusal(400, {"detail": f"{kind.type} has no field named '{field}'"})
        own = organization_of(awx, current) if field == "organization" else current.get(field)
        if not path or path[0] in LOOKUPS:
            return LOOKUPS[path[0] if path else "exact"](own, value)
        if field not in (*kind.references, "organization"):
            raise Refusal(400, {"detail": f"unsupported lookup {path[0]}"})
        if own is None:
            return False
        current = find(awx, kind.references.get(field, "organizations"), own) or {}


def as_text(value: Any) -> str:
    """A value as a query has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


LOOKUPS = {
    "exact": lambda own, value: as_text(own) == (value.lower() if isinstance(own, bool) else value),
    "in": lambda own, value: as_text(own) in value.split(","),
    "contains": lambda own, value: value in as_text(own),
    "startswith": lambda own, value: as_text(own).startswith(value),
    "endswith": lambda own, value: as_text(own).endswith(value),
    "isnull": lambda own, value: (own is None) == (value.lower() == "true"),
}


def find(awx: Awx, plural: str, number: Any) -> Item | None:
    """A resource by its id."""
    return next((item for item in every(awx, plural) if item["id"] == number), None)


def organization_of(awx: Awx, item: Item) -> int | None:
    """The organization of a resource; that of a job template is its project's, that of a source its inventory's."""
    parents = {"job_template": ("projects", "project"), "inventory_source": ("inventories", "inventory")}
    if item["type"] not in parents:
        return item.get("organization")
    plural, field = parents[item["type"]]
    parent = find(awx, plural, item[field])
    return parent["organization"] if parent else None


def shown(awx: Awx, plural: str, item: Item) -> Item:
    """A resource as AWX shows it."""
    kind, own = KINDS[plural], f"{ROOT}{plural}/{item['id']}/"
    found = {**copy.deepcopy(item), "url": own, "related": {name: f"{own}{name}/" for name in kind.lists}}
    if "organization" in kind.read_only:
        found["organization"] = organization_of(awx, item)
    found["summary_fields"] = {
        name: {key: other[key] for key in ("id", "name", "description") if key in other}
        for name, reference in kind.references.items()
        if (other := find(awx, reference, item[name]))
    }
    if plural in ("job_templates", "workflow_job_templates"):
        found["related"]["survey_spec"] = f"{own}survey_spec/"
    if plural == "projects":
        found["related"] |= {"update": f"{own}update/", "playbooks": f"{own}playbooks/"}
        if running := [update for update in awx.updates.values() if is_under_way(update, item)]:
            found["summary_fields"]["current_update"] = {"id": running[0]["id"], "status": running[0]["status"]}
    if plural == "credentials":
        kept = awx.items["credential_types"][item["credential_type"]]
        secret = {field["id"] for field in kept["inputs"].get("fields", []) if field.get("secret")}
        found["inputs"] = {name: SECRET if name in secret else value for name, value in item["inputs"].items()}
    return found


# Changes


def create(awx: Awx, plural: str, body: Any) -> Item:
    """Makes a resource. Raises Refusal."""
    kind = KINDS[plural]
    missing = [name for name, default in kind.fields.items() if default is REQUIRED and name not in body]
    missing += [name for name in NEEDED.get(plural, ()) if body.get(name) is None]
    if missing:
        raise Refusal(400, {name: ["This field is required."] for name in missing})
    item = {"id": 0, "type": kind.type, **copy.deepcopy({**kind.fields, **kind.read_only})}
    item |= dict.fromkeys(kind.references)
    if plural == "workflow_job_template_nodes":
        item["identifier"] = str(uuid.uuid4())
    if plural == "credentials" and not any(body.get(name) for name in ("user", "team", "organization")):
        raise Refusal(400, {"detail": "Missing 'user', 'team', or 'organization'."})
    item |= accepted(awx, plural, item, body)
    item["id"] = next_number(awx, plural)
    awx.items[plural][item["id"]] = item
    if plural == "projects" and item["scm_type"]:
        start_update(awx, item)
    return shown(awx, plural, item)


def next_number(awx: Awx, plural: str) -> int:
    """An id that no resource of the kind had before."""
    table = "unified_job_templates" if plural in UNIFIED else plural
    awx.numbers[table] += 1
    return awx.numbers[table]


def change(awx: Awx, plural: str, item: Item, body: Any) -> Item:
    """Changes fields of a resource. Raises Refusal."""
    if item.get("managed"):
        raise Refusal(403, {"detail": f"Modifications not allowed for managed {plural}"})
    new = accepted(awx, plural, item, body)
    if plural == "credential_types" and new.get("inputs", item["inputs"]) != item["inputs"] and in_use(awx, item):
        refuse = "Modifications to inputs are not allowed for credential types that are in use"
        raise Refusal(403, {"detail": refuse})
    updating = plural == "projects" and any(new.get(name, item[name]) != item[name] for name in UPDATING)
    item |= new
    if updating:
        start_update(awx, item)
    return shown(awx, plural, item)


def accepted(awx: Awx, plural: str, item: Item, body: Any) -> Item:
    """The fields of a body that count, checked. What is unknown or read-only is ignored. Raises Refusal."""
    if not isinstance(body, dict):
        raise Refusal(400, {"detail": "JSON parse error - not a JSON object"})
    kind = KINDS[plural]
    new: Item = {}
    errors: dict[str, list[str]] = {}
    for name, value in body.items():
        if name in kind.references:
            new[name] = value
            if value is not None and find(awx, kind.references[name], value) is None:
                errors[name] = [f'Invalid pk "{value}" - object does not exist.']
        elif name in kind.fields:
            new[name] = "" if value is None and kind.fields[name] == "" else value  # api/fields.py, NullFieldMixin
            if found := field_problem(plural, name, new[name]):
                errors[name] = [found]
    if errors:
        raise Refusal(400, errors)
    whole = {**item, **new}
    same = [each for each in awx.items[plural].values() if each["id"] != item["id"]
            and all(value_of(awx, each, name) == value_of(awx, whole, name) for name in kind.unique)]  # fmt: skip
    if same:
        names = " and ".join(name.replace("_", " ").capitalize() for name in kind.unique)
        raise Refusal(400, {"__all__": [f"{kind.type} with this {names} already exists."]})
    if plural in CHECKS:
        new |= CHECKS[plural](awx, item, whole, new) or {}
    return new


def value_of(awx: Awx, item: Item, field: str) -> Any:
    """The value of a field; the organization may be another one's."""
    return organization_of(awx, item) if field == "organization" else item[field]


def field_problem(plural: str, name: str, value: Any) -> str:
    """What AWX has against the value of a field."""
    default = KINDS[plural].fields[name]
    kind = str if default is REQUIRED else type(default)
    if default is None or (value is None and default is None):
        return ""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return {bool: "Must be a valid boolean.", int: "A valid integer is required."}.get(kind, "Not a valid value.")
    if default is REQUIRED and not value:
        return "This field may not be blank."
    if value not in CHOICES.get((plural, name), (value,)):
        return f'"{value}" is not a valid choice.'
    if name in ("variables", "extra_vars", "source_vars") and not isinstance(yaml.safe_load(value or "{}"), dict):
        return "Cannot parse as JSON or YAML."
    return ""


def delete(awx: Awx, plural: str, item: Item) -> tuple[int, Any]:
    """Deletes a resource and what goes with it; an inventory by and by. Raises Refusal."""
    if item.get("managed"):
        raise Refusal(403, {"detail": f"Deletion not allowed for managed {plural}"})
    if plural == "credential_types" and in_use(awx, item):
        raise Refusal(403, {"detail": "Credential types that are in use cannot be deleted"})
    if plural == "projects" and any(is_under_way(update, item) for update in awx.updates.values()):
        raise Refusal(409, {"error": "Resource is being used by running jobs.", "active_jobs": []})
    if plural != "inventories":
        remove(awx, plural, item)
        return 204, None
    if item["pending_deletion"]:
        raise Refusal(400, {"error": "Inventory is already pending deletion."})
    item["pending_deletion"], item["deleted_at"] = True, time.monotonic() + awx.seconds
    for template in awx.items["job_templates"].values():
        template["inventory"] = None if template["inventory"] == item["id"] else template["inventory"]
    return 202, {}


def remove(awx: Awx, plural: str, item: Item) -> None:
    """Takes a resource out, with what goes with it, and out of what refers to it."""
    del awx.items[plural][item["id"]]
    targets = {plural, "unified_job_templates"} if plural in UNIFIED else {plural}
    for other, kind in KINDS.items():
        for name in (name for name, target in kind.references.items() if target in targets):
            for each in [each for each in awx.items[other].values() if each[name] == item["id"]]:
                if name in kind.cascade and each["id"] in awx.items[other]:
                    remove(awx, other, each)
                else:
                    each[name] = None
    for (other, number, name), ids in list(awx.others.items()):
        if (other, number) == (plural, item["id"]):
            del awx.others[other, number, name]
        elif KINDS[other].lists[name] == plural and item["id"] in ids:
            ids.remove(item["id"])
    awx.surveys.pop((plural, item["id"]), None)


def in_use(awx: Awx, credential_type: Item) -> bool:
    """Whether there is a credential of a type."""
    return any(each["credential_type"] == credential_type["id"] for each in awx.items["credentials"].values())


# What AWX wants of each kind. The checks take the resource as it was, as it would be, and what is new of it. They raise
# Refusal, and return fields that AWX writes otherwise.


def check_credential_type(awx: Awx, _before: Item, whole: Item, new: Item) -> Item:
    """api/serializers.py, CredentialTypeSerializer."""
    if problems := awx_rules.credential_type_problems(whole):
        raise Refusal(400, {"inputs": problems})
    return {"inputs": awx_rules.normal_inputs(whole["inputs"])} if "inputs" in new else {}


def check_credential(awx: Awx, before: Item, whole: Item, _new: Item) -> Item:
    """api/serializers.py, CredentialSerializer. A placeholder stands for the secret that is there."""
    kind = awx.items["credential_types"][whole["credential_type"]]
    if problems := awx_rules.credential_problems(whole["inputs"], kind["inputs"]):
        raise Refusal(400, {"inputs": problems})
    kept = {name: before["inputs"].get(name, value) if value == SECRET else value
            for name, value in whole["inputs"].items()}  # fmt: skip
    return {"inputs": kept}


def check_project(_awx: Awx, _before: Item, whole: Item, _new: Item) -> None:
    """api/serializers.py, ProjectSerializer."""
    if whole["scm_type"] and not whole["scm_url"]:
        raise Refusal(400, {"scm_url": ["SCM URL is required."]})
    if not whole["scm_type"] and any(whole[name] for name in ("scm_update_on_launch", "scm_branch", "scm_refspec")):
        raise Refusal(400, {"detail": "Update on launch and branches need a source control type."})


def check_source(awx: Awx, _before: Item, whole: Item, _new: Item) -> None:
    """api/serializers.py, InventorySourceSerializer."""
    if whole["source"] == "scm" and whole["source_project"] is None:
        raise Refusal(400, {"source_project": ["Project required for scm type sources."]})
    if whole["source"] != "scm" and (whole["source_path"] or whole["source_project"]):
        raise Refusal(400, {"detail": "Cannot set source_path if not SCM type."})
    if whole["credential"] is not None:
        kind = awx.items["credential_types"][awx.items["credentials"][whole["credential"]]["credential_type"]]["kind"]
        if kind in ("insights", "vault"):
            raise Refusal(400, {"credential": ["Credentials of type insights and vault are disallowed."]})
    if awx.items["inventories"][whole["inventory"]]["pending_deletion"]:
        raise Refusal(400, {"inventory": ["The inventory is pending deletion."]})


def check_job_template(awx: Awx, _before: Item, whole: Item, _new: Item) -> None:
    """api/serializers.py, JobOptionsSerializer and JobTemplateSerializer."""
    if whole["project"] is None:
        raise Refusal(400, {"project": ["This field is required."]})
    if not whole["playbook"]:
        raise Refusal(400, {"playbook": ["Must select playbook for project."]})
    if whole["playbook"] not in playbooks(awx, awx.items["projects"][whole["project"]]):
        raise Refusal(400, {"playbook": ["Playbook not found for project."]})
    if whole["inventory"] is None and not whole["ask_inventory_on_launch"]:
        raise Refusal(400, {"inventory": ["Must either set a default value or ask to prompt on launch."]})
    if whole["inventory"] is not None and awx.items["inventories"][whole["inventory"]]["pending_deletion"]:
        raise Refusal(400, {"inventory": ["The inventory is pending deletion."]})
    if whole["job_slice_count"] < 1:
        raise Refusal(400, {"job_slice_count": ["Ensure this value is greater than or equal to 1."]})


def check_prompts(awx: Awx, _before: Item, whole: Item, new: Item) -> None:
    """api/serializers.py, LaunchConfigurationBaseSerializer: what is started has to ask for what it is given."""
    target = find(awx, "unified_job_templates", whole["unified_job_template"])
    if target is None or "extra_data" not in new:
        return
    questions = awx.surveys.get((plural_of(target), target["id"]), {}).get("spec", [])
    known = {question["variable"] for question in questions} if target.get("survey_enabled") else set()
    unknown = [] if target.get("ask_variables_on_launch") else sorted(set(whole["extra_data"]) - known)
    if unknown:
        raise Refusal(400, {"extra_data": [f"Variables {', '.join(unknown)} are not allowed on launch."]})


def check_schedule(awx: Awx, before: Item, whole: Item, new: Item) -> None:
    """api/serializers.py, ScheduleSerializer. Unlike a node, it has to answer all questions of what it starts."""
    check_prompts(awx, before, whole, new)
    if problems := awx_rules.rrule_problems(whole["rrule"]):
        raise Refusal(400, {"rrule": problems})
    target = find(awx, "unified_job_templates", whole["unified_job_template"]) or {}
    spec = awx.surveys.get((plural_of(target), target["id"]), {}).get("spec", [])
    missing = [each["variable"] for each in spec if target.get("survey_enabled") and each["required"]
               and each.get("default") in (None, "") and each["variable"] not in whole["extra_data"]]  # fmt: skip
    if missing:
        raise Refusal(400, {"variables_needed_to_start": [f"'{name}' value missing" for name in missing]})


CHECKS = {
    "credential_types": check_credential_type,
    "credentials": check_credential,
    "projects": check_project,
    "inventory_sources": check_source,
    "job_templates": check_job_template,
    "workflow_job_template_nodes": check_prompts,
    "schedules": check_schedule,
}


# What hangs on resources


def associate(awx: Awx, plural: str, item: Item, name: str, body: Any) -> None:
    """Puts a resource into a list of another one, or takes it out. Raises Refusal."""
    target = KINDS[plural].lists[name]
    other = awx.items[target].get(body.get("id"))
    if other is None:
        raise Refusal(400, {"msg": f"{target} with id {body.get('id')} does not exist"})
    ids = awx.others.setdefault((plural, item["id"], name), [])
    if body.get("disassociate"):
        if other["id"] in ids:
            ids.remove(other["id"])
        return
    if target == "workflow_job_template_nodes":
        check_edge(awx, item, other)
    if plural == "job_templates" and name == "credentials":
        check_attached(awx, ids, other)
    if other["id"] not in ids:
        ids.append(other["id"])


def check_edge(awx: Awx, parent: Item, child: Item) -> None:
    """api/views/__init__.py, WorkflowJobTemplateNodeChildrenBaseList.is_valid_relation()."""
    if parent["workflow_job_template"] != child["workflow_job_template"]:
        raise Refusal(400, {"Error": "Cannot associate nodes of different workflows."})
    if child["id"] in children(awx, parent["id"]):
        raise Refusal(400, {"Error": "Relationship not allowed."})
    ahead = {child["id"]}
    while True:
        more = ahead | {each for number in ahead for each in children(awx, number)}
        if parent["id"] in more:
            raise Refusal(400, {"Error": "Cycle detected."})
        if more == ahead:
            return
        ahead = more


def children(awx: Awx, number: int) -> set[int]:
    """The ids of the nodes that follow one, on whatever outcome."""
    outcomes = ("success_nodes", "failure_nodes", "always_nodes")
    return {each for name in outcomes for each in awx.others.get(("workflow_job_template_nodes", number, name), [])}


def check_attached(awx: Awx, ids: Iterable[int], credential: Item) -> None:
    """api/views/__init__.py, JobTemplateCredentialsList.is_valid_relation()."""
    kind = awx.items["credential_types"][credential["credential_type"]]
    if kind["id"] in [awx.items["credentials"][each]["credential_type"] for each in ids if each != credential["id"]]:
        raise Refusal(400, {"error": f"Cannot assign multiple {kind['name']} credentials."})
    if kind["kind"] not in ("ssh", "vault", "cloud", "net"):
        raise Refusal(400, {"error": f"Cannot assign a Credential of kind `{kind['kind']}`."})


def survey(awx: Awx, method: str, plural: str, item: Item, body: Any) -> tuple[int, Any]:
    """The survey of a template. Raises Refusal."""
    if method == "GET":
        return 200, copy.deepcopy(awx.surveys.get((plural, item["id"]), {}))
    if method == "DELETE":
        awx.surveys.pop((plural, item["id"]), None)
        return 200, {}
    if problems := awx_rules.survey_problems(body):
        raise Refusal(400, {"error": problems[0]})
    awx.surveys[plural, item["id"]] = copy.deepcopy(body)
    return 200, {}


def playbooks(awx: Awx, project: Item) -> list[str]:
    """What AWX saw at the last update that went well."""
    return awx.repositories.get(project["scm_url"], []) if project["scm_revision"] else []


# What takes its time


def start_update(awx: Awx, project: Item) -> Item:
    """Starts an update of a project, or tells of the one that is under way already."""
    if running := [update for update in awx.updates.values() if is_under_way(update, project)]:
        return running[0]
    number = len(awx.updates) + 1
    project["status"] = "pending"
    awx.updates[number] = {"id": number, "project": project["id"], "status": "pending", "begun": time.monotonic()}
    return awx.updates[number]


def is_under_way(update: Item, project: Item) -> bool:
    """Whether an update is of a project and not at its end."""
    return bool(update["project"] == project["id"] and update["status"] in UNFINISHED)


def shown_update(update: Item) -> Item:
    """An update of a project as AWX shows it."""
    finished = update["status"] not in UNFINISHED
    return {
        **{key: value for key, value in update.items() if key != "begun"},
        "type": "project_update",
        "name": "update",
        "url": f"{ROOT}project_updates/{update['id']}/",
        "failed": update["status"] == "failed",
        "finished": "2026-01-01T00:00:00Z" if finished else None,
        "event_processing_finished": finished,
        "scm_revision": update.get("scm_revision", ""),
    }


def settle(awx: Awx) -> None:
    """Brings to its end what has had its time."""
    now = time.monotonic()
    for item in [each for each in awx.items["inventories"].values() if each.get("deleted_at", now) < now]:
        remove(awx, "inventories", item)
    for update in awx.updates.values():
        project = awx.items["projects"].get(update["project"])
        if update["status"] not in UNFINISHED or project is None:
            continue
        known = project["scm_url"] in awx.repositories
        update["status"] = "running" if now < update["begun"] + awx.seconds else "successful" if known else "failed"
        project["status"] = update["status"]
        if update["status"] == "successful":
            project["scm_revision"] = update["scm_revision"] = f"{len(awx.updates):040x}"


# Where it begins


def seed(awx: Awx) -> None:
    """What a new AWX has: an administrator, types of credentials, and the demonstration objects."""
    with awx.lock:
        create(awx, "users", {"username": "admin", "is_superuser": True})
        default = create(awx, "organizations", {"name": "Default"})["id"]
        for name, kind in (("Machine", "ssh"), ("Source Control", "scm"), ("Container Registry", "registry")):
            item = {"type": "credential_type", "name": name, "description": "", "kind": kind, "injectors": {}}
            item["inputs"] = {"fields": [{"id": "username", "type": "string", "label": "Username"}]}
            item |= {"id": next_number(awx, "credential_types"), "managed": True, "namespace": kind}
            awx.items["credential_types"][item["id"]] = item
        create(awx, "execution_environments", {"name": "AWX EE (latest)", "image": "quay.io/ansible/awx-ee:latest"})
        demo = {"name": "Demo Project", "organization": default, "scm_type": "git", "scm_url": "https://example.com/d"}
        create(awx, "projects", demo)
        awx.updates[1]["begun"] -= awx.seconds  # long ago
        settle(awx)
        create(awx, "inventories", {"name": "Demo Inventory", "organization": default})


def state(awx: Awx) -> Any:
    """All that there is, to be compared: resources without their ids and times, and with names for references."""
    with awx.lock:
        settle(awx)
        found = []
        for plural, items in awx.items.items():
            for item in items.values():
                described = readable(awx, KINDS[plural], item)
                for name, target in KINDS[plural].lists.items():
                    ids = awx.others.get((plural, item["id"], name), [])
                    described[name] = sorted(label(awx.items[target][each]) for each in ids)
                described["survey"] = awx.surveys.get((plural, item["id"]))
                found.append(described)
        return sorted(json.dumps(each, sort_keys=True) for each in found)


def readable(awx: Awx, kind: Kind, item: Item) -> Item:
    """A resource with names in place of ids, without what differs from run to run."""
    names = {
        name: label(other) if (other := find(awx, target, item[name])) else None
        for name, target in kind.references.items()
    }
    return {**{key: value for key, value in item.items() if key not in ("id", "scm_revision")}, **names}


def label(item: Item) -> str:
    """What a person would call a resource."""
    return str(item.get("name") or item.get("identifier") or item.get("username"))


@contextlib.contextmanager
def running(awx: Awx) -> Iterator[Awx]:
    """Serves an AWX on a free port of 127.0.0.1; sets its url."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            given = self.headers.get("Authorization", "")
            token = given.removeprefix("Bearer ") if given.startswith("Bearer ") else None
            status, body = answer(awx, self.command, self.path, token, self.rfile.read(length).decode())
            data = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = respond

        def log_message(self, *_arguments: Any) -> None:
            """The journal is enough."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        awx.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield awx
        finally:
            server.shutdown()
            thread.join()
