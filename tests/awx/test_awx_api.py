# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for AWX refuses what AWX refuses, hides secrets, and takes its time as AWX does."""

from __future__ import annotations

import json
from typing import Any

import awx_api
import pytest
from awx_api import Awx

TYPE = {
    "name": "Good",
    "kind": "cloud",
    "inputs": {"fields": [{"id": "token", "label": "Token", "secret": True}, {"id": "team", "label": "Team"}]},
    "injectors": {"env": {"GOOD_TOKEN": "{{ token }}"}},
}


def ask(awx: Awx, method: str, path: str, body: Any = None, token: str | None = "t") -> tuple[int, Any]:
    """A request below /api/v2/."""
    return awx_api.answer(awx, method, f"/api/v2/{path}", token, "" if body is None else json.dumps(body))


def make(awx: Awx, plural: str, **body: Any) -> int:
    """Makes a resource and returns its id."""
    status, found = ask(awx, "POST", f"{plural}/", body)
    assert status == 201, found
    return int(found["id"])


@pytest.fixture
def awx() -> Awx:
    """An AWX where everything takes no time."""
    found = Awx("t", {"https://example.com/d": ["hello.yml"]}, seconds=0)
    awx_api.seed(found)
    return found


def template(awx: Awx, **more: Any) -> tuple[int, Any]:
    """An attempt to make a job template of the demonstration project and inventory."""
    project, inventory = awx.named("projects", "Demo Project")["id"], awx.named("inventories", "Demo Inventory")["id"]
    body = {"name": "T", "project": project, "inventory": inventory, "playbook": "hello.yml", **more}
    return ask(awx, "POST", "job_templates/", body)


def test_only_the_token_opens(awx: Awx) -> None:
    assert ask(awx, "GET", "ping/", token=None)[0] == 200
    assert ask(awx, "GET", "organizations/", token=None)[0] == 401
    assert ask(awx, "GET", "organizations/", token="other")[0] == 401
    assert ask(awx, "GET", "organizations")[0] == 404  # the slash belongs to it


def test_lists_are_filtered_and_come_in_pages(awx: Awx) -> None:
    for number in range(30):
        make(awx, "organizations", name=f"o{number}", description="even" if number % 2 == 0 else "")
    found = ask(awx, "GET", "organizations/?description=even")[1]
    assert (found["count"], len(found["results"]), found["next"]) == (15, 15, None)
    first = ask(awx, "GET", "organizations/")[1]
    assert (first["count"], len(first["results"])) == (31, 25)
    second = awx_api.answer(awx, "GET", first["next"], "t", "")[1]
    assert len(second["results"]) == 6
    either = ask(awx, "GET", "organizations/?or__id=1&or__name=o1")[1]["results"]
    assert [each["name"] for each in either] == ["Default", "o1"]
    assert ask(awx, "GET", "projects/?organization__name=Default&name__in=a,Demo Project")[1]["count"] == 1
    assert ask(awx, "GET", "projects/?colour=red")[0] == 400


def test_secrets_are_hidden_and_kept(awx: Awx) -> None:
    kind = make(awx, "credential_types", **TYPE)
    assert ask(awx, "GET", f"credential_types/{kind}/")[1]["inputs"]["fields"][0]["type"] == "string"
    number = make(
        awx, "credentials", name="c", organization=1, credential_type=kind, inputs={"token": "s", "team": "a"}
    )
    assert ask(awx, "GET", f"credentials/{number}/")[1]["inputs"] == {"token": "$encrypted$", "team": "a"}
    ask(awx, "PATCH", f"credentials/{number}/", {"inputs": {"token": "$encrypted$", "team": "b"}})
    assert awx.named("credentials", "c")["inputs"] == {"token": "s", "team": "b"}
    assert ask(awx, "PATCH", f"credentials/{number}/", {"inputs": {"tokens": "s"}})[0] == 400
    assert ask(awx, "POST", "credentials/", {"name": "d", "credential_type": kind})[0] == 400  # nobody's


def test_a_type_in_use_keeps_its_inputs_and_stays(awx: Awx) -> None:
    kind = make(awx, "credential_types", **TYPE)
    make(awx, "credentials", name="c", organization=1, credential_type=kind)
    assert ask(awx, "PATCH", f"credential_types/{kind}/", {"inputs": TYPE["inputs"]})[0] == 200
    assert ask(awx, "PATCH", f"credential_types/{kind}/", {"inputs": {"fields": []}, "injectors": {}})[0] == 403
    assert ask(awx, "DELETE", f"credential_types/{kind}/")[0] == 403
    managed = awx.named("credential_types", "Machine")["id"]
    assert ask(awx, "PATCH", f"credential_types/{managed}/", {"name": "x"})[0] == 403
    assert (
        ask(awx, "POST", "credential_types/", {**TYPE, "name": "b", "injectors": {"env": {"ANSIBLE_X": "1"}}})[0] == 400
    )


@pytest.mark.parametrize(
    "more", [{"playbook": "other.yml"}, {"playbook": ""}, {"project": None}, {"inventory": None}, {"name": ""},
             {"project": 99}, {"forks": "many"}, {"job_type": "scan"}, {"extra_vars": "[]"}, {"job_slice_count": 0}]
)  # fmt: skip
def test_job_templates_that_awx_refuses(awx: Awx, more: dict[str, Any]) -> None:
    assert template(awx)[0] == 201
    assert template(awx)[0] == 400  # there is one of the name
    assert template(awx, **{"name": "other", **more})[0] == 400


def test_a_template_has_one_credential_of_a_type(awx: Awx) -> None:
    kind = make(awx, "credential_types", **TYPE)
    first, second = (make(awx, "credentials", name=name, organization=1, credential_type=kind) for name in "ab")
    path = f"job_templates/{template(awx)[1]['id']}/credentials/"
    assert ask(awx, "POST", path, {"id": first})[0] == 204
    assert ask(awx, "POST", path, {"id": second})[0] == 400
    assert ask(awx, "POST", path, {"id": first, "disassociate": True})[0] == 204
    assert ask(awx, "POST", path, {"id": second})[0] == 204
    assert [each["name"] for each in ask(awx, "GET", path)[1]["results"]] == ["b"]


def test_a_workflow_goes_in_no_circle(awx: Awx) -> None:
    target = template(awx)[1]["id"]
    one, other = (make(awx, "workflow_job_templates", name=name, organization=1) for name in "ab")

    def node(identifier: str, workflow: int) -> int:
        whole = {"identifier": identifier, "workflow_job_template": workflow, "unified_job_template": target}
        return make(awx, "workflow_job_template_nodes", **whole)

    def edge(parent: int, kind: str, child: int) -> int:
        return ask(awx, "POST", f"workflow_job_template_nodes/{parent}/{kind}_nodes/", {"id": child})[0]

    first, second, third, foreign = node("1", one), node("2", one), node("3", one), node("1", other)
    assert (edge(first, "always", second), edge(second, "success", third)) == (204, 204)
    assert (edge(third, "failure", first), edge(first, "success", second), edge(first, "always", foreign)) == (400,) * 3
    body = {"extra_data": {"unknown": 1}}
    assert ask(awx, "PATCH", f"workflow_job_template_nodes/{first}/", body)[0] == 400
    assert ask(awx, "DELETE", f"workflow_job_templates/{one}/")[0] == 204
    assert ask(awx, "GET", "workflow_job_template_nodes/")[1]["count"] == 1


def test_a_schedule_has_to_answer_what_is_required(awx: Awx) -> None:
    number = template(awx, survey_enabled=True)[1]["id"]
    question = {"type": "text", "question_name": "q", "variable": "v", "required": True}
    survey = {"name": "n", "description": "", "spec": [question]}
    assert ask(awx, "POST", f"job_templates/{number}/survey_spec/", {**survey, "spec": []})[0] == 400
    assert ask(awx, "POST", f"job_templates/{number}/survey_spec/", survey)[0] == 200
    rule = "DTSTART:20300101T000000Z RRULE:FREQ=DAILY;INTERVAL=1"
    body = {"name": "s", "unified_job_template": number, "rrule": rule}
    assert ask(awx, "POST", "schedules/", body)[0] == 400
    assert ask(awx, "POST", "schedules/", {**body, "extra_data": {"v": "x"}, "rrule": "daily"})[0] == 400
    assert ask(awx, "POST", "schedules/", {**body, "extra_data": {"v": "x"}})[0] == 201


def test_a_project_is_updated_by_and_by(awx: Awx) -> None:
    awx.seconds = 60
    new = {"name": "p", "organization": 1, "scm_type": "git", "scm_url": "https://example.com/d"}
    number = make(awx, "projects", **new)
    assert ask(awx, "GET", f"projects/{number}/")[1]["status"] == "running"
    assert ask(awx, "GET", f"projects/{number}/playbooks/")[1] == []
    assert ask(awx, "DELETE", f"projects/{number}/")[0] == 409
    awx.seconds = 0
    assert ask(awx, "GET", f"projects/{number}/playbooks/")[1] == ["hello.yml"]
    assert ask(awx, "PATCH", f"projects/{number}/", {"scm_url": "https://example.com/none"})[0] == 200
    assert ask(awx, "GET", f"projects/{number}/")[1]["status"] == "failed"


def test_an_inventory_is_deleted_by_and_by(awx: Awx) -> None:
    awx.seconds = 60
    number = awx.named("inventories", "Demo Inventory")["id"]
    assert ask(awx, "DELETE", f"inventories/{number}/")[0] == 202
    assert ask(awx, "GET", f"inventories/{number}/")[1]["pending_deletion"] is True
    assert ask(awx, "DELETE", f"inventories/{number}/")[0] == 400
    awx.items["inventories"][number]["deleted_at"] = 0
    assert ask(awx, "GET", f"inventories/{number}/")[0] == 404
