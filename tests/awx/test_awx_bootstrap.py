# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook awx_bootstrap against a stand-in for AWX: made, found as it should be, mended, and taken away again."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import awx_api
import awx_data
import pytest
from awx_api import Awx
from awx_rules import playbooks_of

from support.playbook import COLLECTION, Run, run_playbook

PLAYBOOK = "quayside.paas.awx_bootstrap"
ADMINISTRATOR = "administrator-b1946ac92492d2347c6235b4d2611184"
TOKEN = "northflank-591785b794601e212b260e25925636fd"
KEY = "cycle-5d41402abc4b2a76b9719d911017c592"
NORTHFLANK = {"NORTHFLANK_API_TOKEN": TOKEN, "NORTHFLANK_TEAM_ID": "platform-team"}
CYCLE = {"CYCLE_API_KEY": KEY, "CYCLE_HUB_ID": "651586fca6078e98982dbd92"}
IMAGE = {"awx_bootstrap_image": "registry.example.com/quayside-ee:1"}
NIGHTLY = {
    "backup_drill_project_id": "web-shop",
    "backup_drill_addon_id": "orders-db",
    "backup_drill_scratch_addon_id": "orders-db-scratch",
}
PROJECT = awx_data.load("project")
MARK = "Made by quayside.paas.awx_bootstrap."


def new_awx(**more: Any) -> Awx:
    """An AWX as it is after its installation, which can reach the collection's own repository."""
    files = {PROJECT["project"]["scm_url"]: playbooks_of(COLLECTION), "https://example.com/d": ["hello.yml"]}
    awx = Awx(ADMINISTRATOR, files, **more)
    awx_api.seed(awx)
    return awx


def play(
    awx: Awx, folder: Path, *arguments: str, secrets: dict[str, str] | None = None, env: Any = None, **variables: Any
) -> Run:
    """Runs the playbook. The journal of awx has then what this run sent, and nothing else."""
    awx.journal.clear()
    return run_playbook(
        folder,
        PLAYBOOK,
        *arguments,
        extra_vars=variables,
        env={
            "HOME": str(folder),  # awx.awx looks for settings there
            "CONTROLLER_HOST": awx.url,
            "CONTROLLER_OAUTH_TOKEN": ADMINISTRATOR,
            "ANSIBLE_DEPRECATION_WARNINGS": "0",  # those of awx.awx
            **(secrets or {}),
            **(env or {}),
        },
    )


def counted(run: Run) -> dict[str, int]:
    """The closing line of localhost."""
    found = re.search(r"^localhost\s+:(.*)$", run.output, flags=re.MULTILINE)
    assert found, run.output
    return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", found[1])}


@dataclasses.dataclass(frozen=True)
class Step:
    """A run. writes: what it sent besides questions. before, state: what there was before it and after it."""

    run: Run
    writes: list[Any]
    before: list[str]
    state: list[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Step]]:
    """The life of a bootstrap: gives a step by its name, after those before it, each on what the one before left."""
    wanted: dict[str, Any] = {"secrets": NORTHFLANK, "awx_bootstrap_nightly": NIGHTLY, **IMAGE}
    absent: dict[str, Any] = {"awx_bootstrap_state": "absent"}
    steps: dict[str, tuple[Callable[[Awx], None], tuple[str, ...], dict[str, Any]]] = {
        "checked": (nothing, ("--check",), {"secrets": {**NORTHFLANK, **CYCLE}, **IMAGE}),
        "begun": (nothing, ("-vvvvv",), {"secrets": NORTHFLANK, **IMAGE}),
        "made": (make_a_credential, (), wanted),
        "again": (nothing, (), wanted),
        "checked again": (spoil, ("--check",), wanted),
        "mended": (nothing, (), {**wanted, "awx_bootstrap_update_secrets": True}),
        "gone": (make_copies, (), absent),
        "still gone": (nothing, (), absent),
        "all gone": (take_away_what_people_made, (), absent),
    }
    done: dict[str, Step] = {}
    with awx_api.running(new_awx()) as awx:

        def upto(name: str) -> Step:
            for each, (before, arguments, variables) in steps.items():
                if name in done:
                    break
                if each not in done:
                    before(awx)
                    found = awx_api.state(awx)
                    run = play(awx, tmp_path_factory.mktemp(each), *arguments, **variables)
                    done[each] = Step(run, awx.writes(), found, awx_api.state(awx))
            return done[name]

        yield upto


def nothing(awx: Awx) -> None:
    """What people do to an AWX between most runs."""


def make_a_credential(awx: Awx) -> None:
    """A person makes the credential that the playbook had no secret for."""
    with awx.lock:
        own = {"name": "Quayside Cycle", "credential_type": awx.named("credential_types", "Cycle")["id"]}
        own |= {"organization": awx.named("organizations", "Quayside")["id"]}
        awx_api.create(awx, "credentials", {**own, "inputs": {"api_key": KEY, "hub_id": "h"}})


def make_copies(awx: Awx) -> None:
    """A person copies the workflow, which AWX gives the same description, and uses the image for a template."""
    with awx.lock:
        copied = {
            key: awx.named("workflow_job_templates", "Quayside nightly")[key] for key in ("description", "organization")
        }
        awx_api.create(awx, "workflow_job_templates", {**copied, "name": "Ours"})
        own: dict[str, Any] = {"name": "Ours", "playbook": "hello.yml"}
        own["inventory"] = awx.named("inventories", "Demo Inventory")["id"]
        own["project"] = awx.named("projects", "Demo Project")["id"]
        own["execution_environment"] = awx.named("execution_environments", "Quayside")["id"]
        awx_api.create(awx, "job_templates", own)


def take_away_what_people_made(awx: Awx) -> None:
    """And takes all of that away."""
    made = {"credentials": "Quayside Cycle", "workflow_job_templates": "Ours", "job_templates": "Ours"}
    with awx.lock:
        for plural, name in made.items():
            awx_api.remove(awx, plural, awx.named(plural, name))


def spoil(awx: Awx) -> None:
    """What people do to an AWX."""
    with awx.lock:
        node = next(each for each in awx.items["workflow_job_template_nodes"].values()
                    if each["identifier"] == "backup-drill")  # fmt: skip
        report = awx.named("job_templates", "Quayside estate report")
        awx_api.change(awx, "job_templates", report, {"timeout": 1, "ask_limit_on_launch": True})
        awx.surveys["job_templates", report["id"]]["spec"].pop()
        awx.others["job_templates", report["id"], "credentials"].pop()
        awx.others["workflow_job_template_nodes", node["id"], "always_nodes"].clear()
        stray = {"identifier": "stray", "workflow_job_template": node["workflow_job_template"]}
        awx_api.create(awx, "workflow_job_template_nodes", {**stray, "unified_job_template": report["id"]})
        awx.named("credential_types", "Northflank")["injectors"]["env"].pop("NORTHFLANK_TEAM_ID")
        awx.named("credentials", "Quayside Northflank")["inputs"]["api_token"] = "another"
        awx.named("projects", "Quayside")["scm_clean"] = False
        awx.named("execution_environments", "Quayside")["image"] = "another"
        awx.named("inventory_sources", "Quayside Cycle")["overwrite"] = False
        awx.named("workflow_job_templates", "Quayside nightly")["extra_vars"] = "{}"
        awx.named("schedules", "Quayside nightly")["enabled"] = False


def described(state: list[str], kind: str) -> dict[str, dict[str, Any]]:
    """The resources of a kind in a state, by name; with names in place of ids."""
    found = [json.loads(each) for each in state]
    return {item.get("name") or item["identifier"]: item for item in found if item["type"] == kind}


def test_check_mode_says_what_it_would_make_and_makes_nothing(story: Callable[[str], Step]) -> None:
    step = story("checked")
    assert step.run.returncode == 0, step.run.output
    assert step.writes == []
    assert step.state == story("checked").before
    for name in ("Northflank", "Quayside Cycle", "Quayside backup drill"):
        assert f"changed: [localhost] => (item={name})" in step.run.output
    assert counted(step.run)["changed"] == 9  # tasks


def test_a_platform_without_a_secret_is_left_out_and_named(story: Callable[[str], Step]) -> None:
    step = story("begun")
    assert step.run.returncode == 0, step.run.output
    assert "Without secrets these were not made: Quayside Cycle." in step.run.output
    assert set(described(step.state, "credential")) == {"Quayside Northflank"}
    assert set(described(step.state, "inventory_source")) == {"Quayside Northflank"}
    assert "update-cycle" not in described(step.state, "workflow_job_template_node")
    templates = described(step.state, "job_template").values()
    assert {tuple(each["credentials"]) for each in templates} == {("Quayside Northflank",)}
    # Nobody has said what to drill.
    lacking = "backup_drill_addon_id, backup_drill_project_id, backup_drill_scratch_addon_id"
    assert f"awx_bootstrap_nightly does not say {lacking}." in step.run.output
    assert described(step.state, "schedule")["Quayside nightly"]["enabled"] is False


def test_secrets_are_in_no_output_and_no_file(story: Callable[[str], Step]) -> None:
    run = story("begun").run
    sent = [body for method, path, body in story("begun").writes if path.endswith("/credentials/") and "inputs" in body]
    assert [each["inputs"] for each in sent] == [{"api_token": TOKEN, "team_id": "platform-team"}]
    for secret in (TOKEN, ADMINISTRATOR):
        assert secret not in run.output
        assert all(secret not in path.read_text("utf-8", "replace") for path in run.folder.rglob("*") if path.is_file())


def test_everything_is_as_the_data_says(story: Callable[[str], Step]) -> None:
    step = story("made")
    assert step.run.returncode == 0, step.run.output
    ours = [json.loads(each) for each in step.state if MARK in each]
    assert len(ours) == 16  # without the credential that a person made
    assert all(each["description"].endswith(MARK) for each in ours)
    for wanted in awx_data.load("credential_types"):
        found = described(step.state, "credential_type")[wanted["name"]]
        assert {name: found[name] for name in ("kind", "inputs", "injectors")} == {
            name: wanted[name] for name in ("kind", "inputs", "injectors")
        }
    project = described(step.state, "project")["Quayside"]
    settings = {name: value for name, value in PROJECT["project"].items() if name != "description"}
    assert {name: project[name] for name in settings} == settings
    assert (project["organization"], project["status"]) == ("Quayside", "successful")
    image = described(step.state, "execution_environment")["Quayside"]
    assert (image["image"], image["pull"]) == (IMAGE["awx_bootstrap_image"], "always")


def test_inventory_sources_are_as_the_data_says(story: Callable[[str], Step]) -> None:
    data = awx_data.load("inventories")
    made = described(story("made").state, "inventory")
    assert {each["name"] for each in data["inventories"]} <= set(made)
    assert {made[each["name"]]["organization"] for each in data["inventories"]} == {"Quayside"}
    found = described(story("made").state, "inventory_source")
    assert set(found) == {each["name"] for each in data["inventory_sources"]}
    for wanted in data["inventory_sources"]:
        expected = {
            "source": "scm",
            "source_project": "Quayside",
            "inventory": wanted["inventory"],
            "execution_environment": "Quayside",
            "source_path": wanted["source_path"],
            "credential": wanted["credential"],
            **wanted["options"],
        }
        assert {name: found[wanted["name"]][name] for name in expected} == expected


def test_job_templates_are_as_the_data_says(story: Callable[[str], Step]) -> None:
    found = described(story("made").state, "job_template")
    data = awx_data.load("job_templates")
    assert set(found) == {each["name"] for each in data}
    for wanted in data:
        expected = {name: value for name, value in wanted.items() if name not in ("description", "survey_spec")}
        expected |= {
            "project": "Quayside",
            "execution_environment": "Quayside",
            "credentials": ["Quayside Cycle", "Quayside Northflank"],
            "survey_enabled": True,
            "job_type": "run",
            "survey": wanted["survey_spec"],
        }
        assert {name: found[wanted["name"]][name] for name in expected} == expected


def test_workflow_and_schedule_are_as_the_data_says(story: Callable[[str], Step]) -> None:
    state, data = story("made").state, awx_data.load("workflow")
    workflow = described(state, "workflow_job_template")["Quayside nightly"]
    assert json.loads(workflow["extra_vars"]) == {**data["workflow_job_template"]["extra_vars"], **NIGHTLY}
    nodes = described(state, "workflow_job_template_node")
    assert set(nodes) == {node["identifier"] for node in data["nodes"]}
    for node in data["nodes"]:
        found = nodes[node["identifier"]]
        assert found["unified_job_template"] == node["unified_job_template"]
        assert found["all_parents_must_converge"] == node.get("all_parents_must_converge", False)
        for name in ("always_nodes", "success_nodes", "failure_nodes"):
            assert found[name] == sorted(node.get(name, []))
    (wanted,) = awx_data.load("schedules")
    schedule = described(state, "schedule")[wanted["name"]]
    assert (schedule["rrule"], schedule["unified_job_template"]) == (wanted["rrule"], "Quayside nightly")
    assert schedule["enabled"] is True  # the drill has its answers


def test_a_second_run_sends_questions_only(story: Callable[[str], Step]) -> None:
    step = story("again")
    assert step.run.returncode == 0, step.run.output
    assert counted(step.run)["changed"] == 0
    assert step.writes == []
    assert step.state == story("made").state


def test_check_mode_says_what_it_would_mend_and_mends_nothing(story: Callable[[str], Step]) -> None:
    step = story("checked again")
    assert step.run.returncode == 0, step.run.output
    assert step.writes == []
    assert step.state == story("checked again").before
    for name in ("Northflank", "Quayside Cycle", "Quayside estate report", "stray"):
        assert f"changed: [localhost] => (item={name})" in step.run.output


def test_what_was_changed_is_set_right(story: Callable[[str], Step]) -> None:
    step = story("mended")
    assert step.run.returncode == 0, step.run.output
    assert story("checked again").before != story("made").state
    assert step.state == story("made").state


def test_what_a_person_made_is_used_as_it_is(story: Callable[[str], Step]) -> None:
    own = described(story("mended").state, "credential")["Quayside Cycle"]
    assert (own["description"], own["inputs"]) == ("", {"api_key": KEY, "hub_id": "h"})


def test_what_was_made_is_taken_away_and_nothing_else(story: Callable[[str], Step]) -> None:
    step = story("gone")
    assert step.run.returncode == 0, step.run.output
    # What people made stays, and what that needs: type, organization and image.
    left = set(story("still gone").state) - set(story("checked").before)
    assert {(json.loads(each)["type"], json.loads(each)["name"]) for each in left} == {
        ("credential", "Quayside Cycle"),
        ("workflow_job_template", "Ours"),
        ("job_template", "Ours"),
        ("execution_environment", "Quayside"),
        ("credential_type", "Cycle"),
        ("organization", "Quayside"),
    }
    assert set(story("checked").before) <= set(step.state)
    assert {method for method, _path, _body in step.writes} == {"DELETE"}


def test_taken_away_twice(story: Callable[[str], Step]) -> None:
    step = story("still gone")
    assert step.run.returncode == 0, step.run.output
    assert counted(step.run)["changed"] == 0
    assert step.writes == []


def test_what_stayed_is_taken_away_when_nothing_needs_it(story: Callable[[str], Step]) -> None:
    step = story("all gone")
    assert step.run.returncode == 0, step.run.output
    assert step.state == story("checked").before


def test_a_name_that_something_else_has_is_not_touched(tmp_path: Path) -> None:
    with awx_api.running(new_awx()) as awx:
        taken = {"name": "Northflank", "kind": "cloud", "description": "Ours"}
        awx_api.create(awx, "credential_types", taken)
        before = awx_api.state(awx)
        run = play(awx, tmp_path / "made", **IMAGE)
        assert run.returncode == 2
        assert "AWX has credential_types named Northflank already" in run.output
        assert "put Made by quayside.paas.awx_bootstrap. into their descriptions" in run.output.replace("\n", " ")
        gone = play(awx, tmp_path / "gone", awx_bootstrap_state="absent")
        assert (gone.returncode, awx.writes()) == (0, [])
        assert awx_api.state(awx) == before


def test_a_repository_that_awx_cannot_read_is_named(tmp_path: Path) -> None:
    with awx_api.running(new_awx()) as awx:
        url = "https://git.example.com/nothing.git"
        run = play(awx, tmp_path, awx_bootstrap_project_url=url, awx_bootstrap_project_timeout=10, **IMAGE)
        assert run.returncode == 2
        assert awx.items["job_templates"] == {}
        assert "The Project Update - Quayside, failed" in run.output


@pytest.mark.parametrize(
    ("variables", "env", "message"),
    [
        (IMAGE, {"ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}, "The collection awx.awx is not installed."),
        ({}, {}, "Set awx_bootstrap_image to the image of your execution environment"),
        (IMAGE, {"CONTROLLER_OAUTH_TOKEN": "wrong"}, "Invalid authentication credentials"),
        (IMAGE, {"CONTROLLER_HOST": "http://127.0.0.1:9"}, "Look at CONTROLLER_HOST (http://127.0.0.1:9)"),
        (IMAGE, {"CONTROLLER_HOST": ""}, "Look at CONTROLLER_HOST (not set)"),
        ({**IMAGE, "awx_bootstrap_nightly": "no dictionary"}, {}, "awx_bootstrap_nightly"),
    ],
    ids=["without awx.awx", "without an image", "wrong token", "wrong address", "no address", "wrong type"],
)
def test_what_is_missing_is_said(variables: dict[str, str], env: dict[str, str], message: str, tmp_path: Path) -> None:
    with awx_api.running(new_awx()) as awx:
        run = play(awx, tmp_path, env=env, **variables)
        assert run.returncode == 2
        assert message in run.output
        assert "Traceback" not in run.output
        # Without awx.awx Ansible says so first.
        assert run.output.count("fatal:") == (2 if "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH" in env else 1)
        assert awx.writes() == []


def test_somebody_who_is_no_administrator_is_told(tmp_path: Path) -> None:
    with awx_api.running(new_awx()) as awx:
        awx.items["users"][1]["is_superuser"] = False
        run = play(awx, tmp_path, **IMAGE)
        assert run.returncode == 2
        assert "The user admin is no system administrator of AWX." in run.output
        assert awx.writes() == []
