# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX accepts templates, surveys, workflow and schedules; roles take what surveys give; names lead somewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awx_data
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from awx_rules import playbooks_of, rrule_problems, survey_problems

from support.playbook import COLLECTION

TEMPLATES = {Path(each["playbook"]).stem: each for each in awx_data.load("job_templates")}
PROJECT, INVENTORIES = awx_data.load("project"), awx_data.load("inventories")
WORKFLOW, SCHEDULES = awx_data.load("workflow"), awx_data.load("schedules")
QUESTIONS = [(role, question) for role, template in TEMPLATES.items() for question in template["survey_spec"]["spec"]]
EACH_TEMPLATE = pytest.mark.parametrize("role", list(TEMPLATES))
EACH_QUESTION = pytest.mark.parametrize(
    ("role", "question"), QUESTIONS, ids=[each["variable"] for role, each in QUESTIONS]
)
# What the questions of AWX give, and the types of options that take it.
TYPES = {
    "text": {"str", "raw", "path"},
    "textarea": {"str", "raw"},
    "integer": {"int", "float"},
    "float": {"float"},
    "multiplechoice": {"str", "bool"},
}
GOOD = {"name": "n", "description": "d", "spec": [
    {"type": "multiplechoice", "question_name": "q", "variable": "v", "required": True, "choices": ["a", "b"]},
]}  # fmt: skip


def problems_of(role: str, answers: dict[str, Any]) -> list[str]:
    """What a role has against variables, as Ansible checks them before its first task."""
    found: list[str] = ArgumentSpecValidator(awx_data.role_options(role)).validate(answers).error_messages
    return found


def answers(role: str, *, empty: bool) -> dict[str, Any]:
    """What AWX gives to a job when a person changes nothing but what is required; or empties what can be."""
    found = {}
    for question in TEMPLATES[role]["survey_spec"]["spec"]:
        if question["required"]:
            found[question["variable"]] = question.get("default") or "given"
        else:
            is_text = question["type"] in ("text", "textarea")
            found[question["variable"]] = "" if empty and is_text else question["default"]
    return found


@EACH_TEMPLATE
def test_awx_accepts_the_survey(role: str) -> None:
    assert survey_problems(TEMPLATES[role]["survey_spec"]) == []


@EACH_QUESTION
def test_a_question_asks_for_an_option_of_the_role(role: str, question: dict[str, Any]) -> None:
    option = awx_data.role_options(role)[question["variable"]]
    assert option.get("type", "str") in TYPES[question["type"]]
    assert not option.get("no_log")  # it would be among the variables that AWX shows
    assert question["question_description"].endswith(".")
    if question["type"] == "multiplechoice":
        assert question["choices"] == (["true", "false"] if option["type"] == "bool" else option["choices"])
    if question["required"]:
        return
    default = option.get("default")
    expected = str(default).lower() if isinstance(default, bool) else default or question["default"]
    assert question["default"] == expected
    # A number that is left empty would arrive as text.
    assert question["type"] in ("text", "textarea") or question["default"] != ""


@EACH_TEMPLATE
def test_what_the_role_requires_is_asked_for(role: str) -> None:
    required = {name for name, option in awx_data.role_options(role).items() if option.get("required")}
    assert required <= {each["variable"] for each in TEMPLATES[role]["survey_spec"]["spec"] if each["required"]}


@EACH_TEMPLATE
@pytest.mark.parametrize("empty", [False, True], ids=["defaults", "left empty"])
def test_the_role_takes_what_the_survey_gives(role: str, empty: bool) -> None:
    assert problems_of(role, answers(role, empty=empty)) == []


@EACH_TEMPLATE
def test_the_playbook_plays_the_role_and_awx_finds_it(role: str) -> None:
    template = TEMPLATES[role]
    assert template["playbook"] in playbooks_of(COLLECTION)
    assert f"quayside.paas.{role}" in (COLLECTION / template["playbook"]).read_text(encoding="utf-8")


def test_templates_run_as_their_roles_need() -> None:
    alone = {role for role, template in TEMPLATES.items() if not template["allow_simultaneous"]}
    assert alone == {"estate_report", "backup_drill", "server_evacuation"}
    # A slice that the limit leaves without hosts fails, and with it the job.
    assert not [role for role, template in TEMPLATES.items() if template["job_slice_count"] > 1]
    sliced = {role for role, template in TEMPLATES.items() if template["ask_job_slice_count_on_launch"]}
    assert sliced == {role for role, template in TEMPLATES.items() if template["ask_limit_on_launch"]}
    assert sliced == {"container_shell_task"}


@EACH_TEMPLATE
def test_a_job_depends_on_inventory_sources_only_when_it_goes_into_hosts(role: str) -> None:
    plays = yaml.safe_load((COLLECTION / TEMPLATES[role]["playbook"]).read_text(encoding="utf-8"))
    needs_hosts = any(play["hosts"] != "localhost" for play in plays)
    inventory = TEMPLATES[role]["inventory"]
    assert inventory in {each["name"] for each in INVENTORIES["inventories"]}
    assert (inventory in {each["inventory"] for each in INVENTORIES["inventory_sources"]}) is needs_hosts


def test_inventory_sources_are_files_of_the_project() -> None:
    credentials = {each["name"]: each["credential_type"] for each in PROJECT["credentials"]}
    for source in INVENTORIES["inventory_sources"]:
        content = yaml.safe_load((COLLECTION / source["source_path"]).read_text(encoding="utf-8"))
        assert content["plugin"] == f"quayside.paas.{credentials[source['credential']].lower()}"


def test_the_workflow_leads_from_the_updates_over_the_drill_to_the_report() -> None:
    nodes = {node["identifier"]: node for node in WORKFLOW["nodes"]}
    sources = {each["name"] for each in INVENTORIES["inventory_sources"]}
    names = {template["name"] for template in TEMPLATES.values()} | sources
    assert {node["unified_job_template"] for node in nodes.values()} <= names
    followers = {name: set(node.get("always_nodes", [])) | set(node.get("failure_nodes", []))
                 for name, node in nodes.items()}  # fmt: skip
    assert set().union(*followers.values()) <= set(nodes)
    first = {name for name in nodes if name not in set().union(*followers.values())}
    assert {nodes[name]["unified_job_template"] for name in first} == sources
    assert all(followers[name] == {"backup-drill"} for name in first)
    assert nodes["backup-drill"]["all_parents_must_converge"] is True
    # The report is made whatever became of the drill, and a drill that fails twice fails the workflow.
    assert nodes["backup-drill"]["always_nodes"] == ["estate-report"]
    last = {name for name in nodes if not followers[name]}
    assert last == {"estate-report", "backup-drill-again"}


def test_the_workflow_answers_questions_of_its_parts() -> None:
    parts = {node["unified_job_template"] for node in WORKFLOW["nodes"]}
    roles = [role for role, template in TEMPLATES.items() if template["name"] in parts]
    questions = {each["variable"]: each for role in roles for each in TEMPLATES[role]["survey_spec"]["spec"]}
    given = WORKFLOW["workflow_job_template"]["extra_vars"]
    assert set(given) <= set(questions)
    for role in roles:
        own = {name: value for name, value in given.items() if name.startswith(role)}
        assert problems_of(role, {**answers(role, empty=False), **own}) == []


def test_awx_accepts_the_schedules() -> None:
    for schedule in SCHEDULES:
        assert rrule_problems(schedule["rrule"]) == []
        assert schedule["unified_job_template"] == WORKFLOW["workflow_job_template"]["name"]


# The rules themselves


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"type": "boolean"}, "not one of the allowed question types"),
        ({"type": None}, "'type' expected to be str"),
        ({"required": "yes"}, "'required' expected to be bool"),
        ({"default": "c"}, "Default choice"),
        ({"default": "a\nb"}, "only have one default"),
        ({"default": 5}, "Default value 5"),
        ({"type": "integer", "default": "5"}, "Default value 5"),
        ({"type": "integer", "max": "5"}, "The max limit"),
    ],
)
def test_a_question_that_breaks_a_rule_is_seen(change: dict[str, Any], problem: str) -> None:
    assert survey_problems(GOOD) == []
    (question,) = GOOD["spec"]
    assert problem in "; ".join(survey_problems({**GOOD, "spec": [{**question, **change}]}))


@pytest.mark.parametrize("name", ["type", "question_name", "variable", "required", "choices"])
def test_a_question_that_lacks_something_is_seen(name: str) -> None:
    (question,) = GOOD["spec"]
    spec = [{key: value for key, value in question.items() if key != name}]
    assert survey_problems({**GOOD, "spec": spec}) != []


@pytest.mark.parametrize(
    "survey",
    [None, {}, {**GOOD, "spec": []}, {**GOOD, "spec": GOOD["spec"] * 2}, {**GOOD, "name": 1}, {**GOOD, "spec": [1]}],
)
def test_a_survey_that_breaks_a_rule_is_seen(survey: Any) -> None:
    assert survey_problems(survey) != []


@pytest.mark.parametrize(
    ("rrule", "problem"),
    [
        ("", "may not be blank"),
        ("DTSTART:NONSENSE", "Valid DTSTART required"),
        ("DTSTART:20300308T050000 RRULE:FREQ=DAILY;INTERVAL=1", "naive datetime"),
        ("DTSTART:20300308T050000Z DTSTART:20310308T050000Z RRULE:FREQ=DAILY;INTERVAL=1", "Multiple DTSTART"),
        ("DTSTART:20300308T050000Z", "One or more rule required"),
        ("DTSTART:20300308T050000Z RRULE:FREQ=DAILY", "INTERVAL required"),
        ("DTSTART:20300308T050000Z RRULE:FREQ=SECONDLY;INTERVAL=5", "SECONDLY is not supported"),
        ("DTSTART:20300308T050000Z RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=5MO", "numeric prefix"),
        ("DTSTART:20300308T050000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=5;UNTIL=20310101T000000Z", "both COUNT and UNTIL"),
        ("DTSTART:20300308T050000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=2000", "COUNT > 999"),
        ("DTSTART:20300308T050000Z RRULE:FREQ=DAILY;INTERVAL=1; EXDATE:20310401", "EXDATE"),
        ("DTSTART:20300308T050000Z RRULE:FREQ=DAILY;INTERVAL=1; RDATE:20310401", "RDATE"),
    ],
)
def test_a_rule_of_a_schedule_that_awx_refuses_is_seen(rrule: str, problem: str) -> None:
    assert problem in "; ".join(rrule_problems(rrule))


def test_playbooks_are_what_awx_takes_for_them(tmp_path: Path) -> None:
    play = "- name: A play\n  hosts: all\n"
    files = {
        "site.yml": play,
        "playbooks/one.yaml": play,
        "playbooks/imports.yml": "- import_playbook: one.yaml\n",
        "playbooks/variables.yml": "name: x\n",
        "playbooks/tasks/two.yml": play,
        "roles/r/meta/main.yml": play,
        ".github/x.yml": play,
        "group_vars/all.yml": play,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert playbooks_of(tmp_path) == ["playbooks/imports.yml", "playbooks/one.yaml", "site.yml"]
