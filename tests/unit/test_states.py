# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""States of both platforms: listed once, the same as in the documentation, and judged alike everywhere."""

from __future__ import annotations

import ast
import importlib
import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.quayside.paas.plugins.module_utils._cycle import states as cycle
from ansible_collections.quayside.paas.plugins.module_utils._northflank import states as northflank
from ansible_collections.quayside.paas.plugins.plugin_utils._estate_northflank import outcome_of
from unit.acting import Item, badly, data, well
from unit.fakes import Platform, get

COLLECTION = Path(__file__).resolve().parents[2]
PLUGINS = COLLECTION / "plugins"


def lists_of(module: t.Any) -> dict[str, tuple[str, ...]]:
    """The lists of a file of states, by name."""
    return {name: value for name, value in vars(module).items() if name.endswith("_STATES")}


def states_of(module: t.Any, kind: str) -> set[str]:
    """All states of a kind of thing."""
    return {state for name, states in lists_of(module).items() if name.startswith(f"{kind}_") for state in states}


# Listed once

KNOWN = {state for module in (cycle, northflank) for states in lists_of(module).values() for state in states} | {
    value for module in (cycle, northflank) for name, value in vars(module).items() if name.endswith("_STATE")
}
HOME = {PLUGINS / "module_utils" / platform / "states.py" for platform in ("_northflank", "_cycle")}
# The simulator is the platform, AWX is another one, and the evacuation of servers has lists of its own.
OTHER_ROLES = {"simulator", "awx_bootstrap", "server_evacuation"}
OTHER_FILES = {PLUGINS / "plugin_utils" / "_evacuation.py"}


def is_list_of_states(values: t.Sequence[t.Any]) -> bool:
    return len(values) > 1 and all(isinstance(one, str) and one in KNOWN for one in values)


def lists_in_python(text: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            values = [one.value if isinstance(one, ast.Constant) else None for one in node.elts]
            found += [str(values)] if is_list_of_states(values) else []
    return found


def lists_in_yaml(text: str) -> list[str]:
    """Lists of YAML and of Jinja, in brackets or with an item on each line."""
    brackets = [found.split(",") for found in re.findall(r"\[([^\[\]]*)\]", text)]
    lines = [found.split("- ")[1:] for found in re.findall(r"(?:^ *- [\w-]+\n)+", text, re.MULTILINE)]
    lists = [[word.strip(" '\"\n") for word in words] for words in brackets + lines]
    return [str(words) for words in lists if is_list_of_states(words)]


def test_a_list_of_states_is_found() -> None:
    assert lists_in_python("x in ('completed', 'failed')") == ["['completed', 'failed']"]
    assert lists_in_python("x = frozenset({'TASK_RUNNING', 'TASK_FAILED'})")
    assert lists_in_python("('completed', 'other'), ['running'], f('new', 'live')") == []
    assert lists_in_yaml("over: [completed, not-supported]\nwhen: x in ['new', \"queued\"]") != []
    assert lists_in_yaml("over:\n  - completed\n  - not-supported\n") == ["['completed', 'not-supported']"]
    assert lists_in_yaml("loop: [html, json]\nwhen: x in ['failed', 'unreachable']") == []


@pytest.mark.parametrize(
    "file", sorted({*PLUGINS.rglob("*.py")} - HOME - OTHER_FILES), ids=lambda path: str(path.relative_to(PLUGINS))
)
def test_no_plugin_has_a_list_of_states(file: Path) -> None:
    assert lists_in_python(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "file",
    [
        path
        for folder in (COLLECTION / "roles", COLLECTION / "playbooks")
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".yml", ".j2") and not OTHER_ROLES & {*path.parts}
    ],
    ids=lambda path: str(path.relative_to(COLLECTION)),
)
def test_no_role_has_a_list_of_states(file: Path) -> None:
    assert lists_in_yaml(file.read_text(encoding="utf-8")) == []


# As documented


def text_of(kind: str, name: str, string: str) -> t.Any:
    """The documentation of a plugin as data."""
    plugin = importlib.import_module(f"ansible_collections.quayside.paas.plugins.{kind}.{name}")
    return yaml.safe_load(getattr(plugin, string))


@pytest.mark.parametrize(
    ("module", "list_key", "states"),
    [
        ("instance_info", "instances", states_of(cycle, "INSTANCE") | set(cycle.DELETED_STATES)),
        (
            "container_info",
            "containers",
            states_of(cycle, "CONTAINER") | {"stopped"} | set(cycle.DELETED_STATES),
        ),
        (
            "server_info",
            "servers",
            states_of(cycle, "SERVER") | {cycle.SERVER_READY_STATE} | set(cycle.DELETED_STATES),
        ),
        ("job_info", "jobs", states_of(cycle, "JOB")),
    ],
)
def test_states_of_cycle_are_those_documented(module: str, list_key: str, states: set[str]) -> None:
    described = text_of("modules", module, "RETURN")[list_key]["contains"]["state"]["description"]
    (current,) = re.findall(r"C\(current\) is (.*?) or a newer one", " ".join(described))
    assert set(re.findall(r"V\((\S+?)\)", current)) == states


def test_states_of_instances_are_those_of_the_inventory() -> None:
    choices = text_of("inventory", "cycle", "DOCUMENTATION")["options"]["states"]["choices"]
    assert set(choices) == states_of(cycle, "INSTANCE") | set(cycle.DELETED_STATES)


def test_states_of_runs_are_those_documented() -> None:
    choices = text_of("modules", "template_run_info", "DOCUMENTATION")["options"]["status"]["choices"]
    assert sorted(choices) == sorted({*northflank.RUN_IN_PROGRESS_STATES, *northflank.RUN_FINAL_STATES})


def test_the_inventory_takes_containers_that_run() -> None:
    option = text_of("inventory", "northflank", "DOCUMENTATION")["options"]["statuses"]
    assert option["default"] == [northflank.CONTAINER_RUNNING_STATE]


@pytest.mark.parametrize(
    ("module", "kind"), [(northflank, "BACKUP"), (northflank, "RUN"), (northflank, "CONTAINER"), (cycle, "JOB")]
)
def test_what_is_final_is_not_in_progress(module: t.Any, kind: str) -> None:
    lists = lists_of(module)
    final, in_progress = set(lists[f"{kind}_FINAL_STATES"]), set(lists[f"{kind}_IN_PROGRESS_STATES"])
    assert not final & in_progress
    assert states_of(module, kind) == final | in_progress
    assert set(lists[f"{kind}_FAILED_STATES"]) - {"aborting"} < final


# Backups and runs


@pytest.mark.parametrize(
    ("status", "finished"),
    [
        ("completed", True),
        ("not-supported", True),
        ("aborting", False),
        ("novel", False),
        (None, False),
        (["x"], False),
    ],
)
def test_whether_a_backup_has_finished(status: t.Any, finished: bool) -> None:
    assert northflank.is_backup_finished({"status": status}) is finished


STATUSES = [*northflank.RUN_IN_PROGRESS_STATES, *northflank.RUN_FINAL_STATES, "novel"]
FINISHED = {"success", "failure", "aborted", "skipped", "unknown"}


def expected_outcome(status: str, concluded: t.Any) -> str:
    """How a run went, by what the sources say of concluded and status."""
    if concluded is False or (concluded is not True and status not in FINISHED):
        return "open"
    return {"success": "success", "failure": "failed", "unknown": "failed"}.get(status, "other")


@pytest.mark.parametrize("concluded", [True, False, None, "no word"])
@pytest.mark.parametrize("status", STATUSES)
def test_the_module_and_the_report_judge_a_run_alike(platform: Platform, status: str, concluded: t.Any) -> None:
    run: Item = {"id": "n1", "status": status, "concluded": concluded, "spec": {}}
    outcome = outcome_of(run)
    assert outcome == expected_outcome(status, concluded)
    platform.expects(get("/v1/templates/preview/runs/n1", data(**run)))
    act = well if outcome in ("open", "success") else badly
    act(platform, "template_run", template_id="preview", run_id="n1", wait=False)


@pytest.mark.parametrize("status", [None, ["success"], {"success": 1}, 5])
def test_a_run_of_an_odd_status_is_in_progress(status: t.Any) -> None:
    assert not northflank.is_run_finished({"status": status})
    assert northflank.is_run_finished({"status": status, "concluded": True})


# Containers and instances


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        ({"desired": "running", "current": "stopped"}, True),
        ({"desired": "function", "current": "function"}, True),
        ({"desired": "starting", "current": "new"}, True),
        ({"desired": "stopped", "current": "running"}, False),
        ({"desired": "deleted", "current": "running"}, False),
        # Without a desired state the present one counts.
        ({"current": "running"}, True),
        ({"desired": None, "current": "starting"}, True),
        ({"desired": "", "current": "stopped"}, False),
        ({}, True),
        (None, True),
    ],
)
def test_whether_instances_of_a_container_should_run(state: t.Any, wanted: bool) -> None:
    assert cycle.should_run({"state": state}) is wanted


@pytest.mark.parametrize(
    ("state", "health"),
    [
        ({"health": {"healthy": True}}, True),
        ({"health": {"healthy": False}}, False),
        ({"health": {"healthy": None}}, None),
        ({"health": {"healthy": "yes"}}, None),
        ({"health": None}, None),
        (None, None),
    ],
)
def test_the_health_of_an_instance(state: t.Any, health: bool | None) -> None:
    assert cycle.health_of({"state": state}) is health
