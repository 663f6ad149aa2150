# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host inside the controller's worker: when it runs a task, and what it leaves behind."""

from __future__ import annotations

import datetime
import json
import os
import sys
import types
import typing as t

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._argspec import ArgumentSpec
from ansible_collections.quayside.paas.plugins.module_utils._redact import mask_result
from ansible_collections.quayside.paas.plugins.modules import template_run
from ansible_collections.quayside.paas.plugins.plugin_utils import _in_process
from ansible_collections.quayside.paas.plugins.plugin_utils._in_process import (
    SWITCH,
    InProcessAction,
    _environment,
    _variables_of_host,
    _with_secrets_read,
)
from unit.fakes import TOKEN, URL, Platform, Reply, error_reply, get, json_reply

ORDINARY = {"changed": False, "way": "ordinary"}
INTERNAL = {
    "_ansible_check_mode": False,
    "_ansible_diff": False,
    "_ansible_version": "2.99",
    "_ansible_inject_invocation": True,
}


class Templar:
    """Knows no templates but one."""

    def template(self, value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {key: self.template(inner) for key, inner in value.items()}
        return {"{{ no }}": False, "{{ yes }}": "yes", "{{ python }}": sys.executable}.get(value, value)


class Connection:
    """A connection of the local kind."""

    transport = "local"
    become: t.Any = None
    _shell = types.SimpleNamespace(env_prefix=lambda **_environment: "", tmpdir=None)


class Action(InProcessAction):
    """The action of a task, with as little of Ansible around it as can be."""

    # The name of the file decides what is run, not the task's name for it, which may be redirected.
    __module__ = "ansible_collections.quayside.paas.plugins.action.project_info"

    def __init__(self, folder: str, arguments: dict[str, t.Any], environment: t.Any = None, **internal: t.Any) -> None:
        self._task = types.SimpleNamespace(
            action="other.collection.redirected",
            args=arguments,
            async_val=0,
            delegate_to=None,
            environment=environment,
        )
        self._connection = Connection()
        self._templar = Templar()
        self._loader = types.SimpleNamespace(get_basedir=lambda: folder)
        self.internal = {**INTERNAL, **internal}
        self.variables_seen: list[t.Any] = []

    def _update_module_args(self, module_name: str, module_args: dict[str, t.Any], task_vars: t.Any) -> None:
        self.variables_seen.append(task_vars)
        module_args.update(self.internal)


ARGUMENTS = {"api_token": TOKEN, "api_url": URL, "retry_budget": 0}


@pytest.fixture(autouse=True)
def ordinary(monkeypatch: pytest.MonkeyPatch) -> list[t.Any]:
    """Takes the place of the ordinary way. What it returns: the variables of each time that it was taken."""
    taken: list[t.Any] = []

    def run(self: t.Any, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        taken.append(task_vars)
        return dict(ORDINARY)

    monkeypatch.setattr(_in_process.OrdinaryAction, "run", run)
    monkeypatch.delenv("ANSIBLE_PYTHON_INTERPRETER", raising=False)
    return taken


@pytest.fixture
def action(tmp_path: t.Any) -> Action:
    return Action(str(tmp_path), dict(ARGUMENTS))


def own(**variables: t.Any) -> dict[str, t.Any]:
    return {"ansible_python_interpreter": sys.executable, **variables}


def projects(platform: Platform, *names: str) -> None:
    platform.expects(get("/v1/projects", json_reply({"data": {"projects": [{"id": n} for n in names]}}), per_page=100))


# Which way


def test_without_requests_the_ordinary_module_may_still_have_it(
    action: Action, ordinary: list[t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_in_process._http, "HAS_REQUESTS", False)
    assert action.run(task_vars=own()) == ORDINARY
    assert len(ordinary) == 1


def test_a_local_task_runs_here(platform: Platform, action: Action, ordinary: list[t.Any]) -> None:
    projects(platform, "a")
    result = action.run(task_vars=own())
    assert result["projects"] == [{"id": "a"}]
    assert result["request_count"] == 1
    assert ordinary == []


@pytest.mark.parametrize("variables", [None, {}, {"ansible_python_interpreter": "auto_silent"}, own(other=1)])
def test_tasks_without_an_interpreter_of_their_own_run_here(
    platform: Platform, action: Action, ordinary: list[t.Any], variables: t.Any
) -> None:
    projects(platform, "a")
    assert "projects" in action.run(task_vars=variables)
    assert ordinary == []


def _remote(action: Action) -> None:
    action._connection.transport = "ssh"


def _become(action: Action) -> None:
    action._connection.become = types.SimpleNamespace(name="sudo")


def _async(action: Action) -> None:
    action._task.async_val = 60


def _off(action: Action) -> None:
    action._task.args["in_process"] = False


def _off_as_text(action: Action) -> None:
    action._task.args["in_process"] = "no"


def _off_by_template(action: Action) -> None:
    action._task.args["in_process"] = "{{ no }}"


def _no_switch(action: Action) -> None:
    action._task.args["in_process"] = "perhaps"


def _unknown_option(action: Action) -> None:
    action._task.args["colour"] = "red"


def _wrong_type(action: Action) -> None:
    action._task.args["timeout"] = "soon"


@pytest.mark.parametrize(
    "change",
    [_remote, _become, _async, _off, _off_as_text, _off_by_template, _no_switch, _unknown_option, _wrong_type],
)
def test_what_is_left_to_the_ordinary_module(
    platform: Platform, action: Action, ordinary: list[t.Any], change: t.Callable[[Action], None]
) -> None:
    change(action)
    variables = own()
    assert action.run(task_vars=variables) == ORDINARY
    assert ordinary == [variables]


@pytest.mark.parametrize(
    ("variables", "here"),
    [
        ({"ansible_python_interpreter": sys.executable}, True),
        ({"ansible_python_interpreter": "{{ python }}"}, True),
        (
            {
                "ansible_python_interpreter": os.path.join(os.path.dirname(sys.executable), ".", "x", "..", "")
                + os.path.basename(sys.executable)
            },
            True,
        ),
        ({"ansible_python_interpreter": "/usr/bin/python-of-another"}, False),
        ({"ansible_python_interpreter": "/usr/bin/env python3"}, False),
        ({"ansible_python_interpreter": "auto"}, True),
        ({"ansible_python_interpreter": "auto_legacy_silent"}, True),
        (own(**{SWITCH: False}), False),
        (own(**{SWITCH: "false"}), False),
        (own(**{SWITCH: "{{ no }}"}), False),
        (own(**{SWITCH: "{{ yes }}"}), True),
        (own(**{SWITCH: "perhaps"}), False),
        (own(**{SWITCH: True}), True),
    ],
    ids=str,
)
def test_which_variables_matter(action: Action, variables: dict[str, t.Any], here: bool) -> None:
    assert action._may_run_here(variables) is here


def test_a_link_to_an_interpreter_is_another_one(action: Action, tmp_path: t.Any) -> None:
    # A virtual environment is a link, and has libraries of its own.
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    assert not action._may_run_here({"ansible_python_interpreter": str(link)})


def test_the_option_wins_over_the_variable(action: Action) -> None:
    action._task.args["in_process"] = True
    assert action._may_run_here(own(**{SWITCH: False}))
    action._task.args["in_process"] = False
    assert not action._may_run_here(own(**{SWITCH: True}))


# The variables of the host


def test_without_delegation_the_host_is_the_tasks() -> None:
    variables = {"a": 1, "ansible_delegated_vars": {"other": {"a": 2}}}
    assert _variables_of_host(types.SimpleNamespace(delegate_to=None), variables) is variables


def test_with_delegation_the_host_is_the_other() -> None:
    task = types.SimpleNamespace(delegate_to="other")
    assert _variables_of_host(task, {"a": 1, "ansible_delegated_vars": {"other": {"a": 2}}}) == {"a": 2}
    assert _variables_of_host(task, {"a": 1, "ansible_delegated_vars": {}})["a"] == 1
    assert _variables_of_host(task, {"a": 1}) == {"a": 1}


def test_the_interpreter_of_the_host_that_is_delegated_to_counts(
    platform: Platform, action: Action, ordinary: list[t.Any]
) -> None:
    action._task.delegate_to = "other"
    there = {"ansible_python_interpreter": "/opt/other/python"}
    variables = own(ansible_delegated_vars={"other": there})
    assert action.run(task_vars=variables) == ORDINARY
    assert ordinary == [variables]
    projects(platform, "a")
    there["ansible_python_interpreter"] = sys.executable
    assert "projects" in action.run(task_vars={**variables, "ansible_python_interpreter": "/opt/python"})
    assert action.variables_seen == [there]


# What the task leaves behind


def test_the_environment_of_the_task_holds_during_the_task_only(platform: Platform, tmp_path: t.Any) -> None:
    seen = {}

    def respond(_request: t.Any) -> Reply:
        seen.update(os.environ)
        os.environ["LEFT_BEHIND"] = "1"
        return json_reply({"data": {"projects": []}})

    platform.respond = respond
    before = dict(os.environ)
    environment = [{"NF_API_TOKEN": TOKEN, "NUMBER": 5}, {"NORTHFLANK_API_BASE_URL": URL, "FLAG": "{{ yes }}"}]
    action = Action(str(tmp_path), {"retry_budget": 0}, environment)
    assert action.run(task_vars=own())["projects"] == []
    assert {name: seen[name] for name in ("NF_API_TOKEN", "NUMBER", "FLAG")} == {
        "NF_API_TOKEN": TOKEN,
        "NUMBER": "5",
        "FLAG": "yes",
    }
    assert platform.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert dict(os.environ) == before


def test_the_environment_is_restored_after_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "as it was")
    monkeypatch.setenv("REMOVED_INSIDE", "back again")
    before = dict(os.environ)

    def fail_inside() -> None:
        with _environment({"KEPT": "other", "ADDED": "1", "TRUTH": True}):
            assert (os.environ["KEPT"], os.environ["ADDED"], os.environ["TRUTH"]) == ("other", "1", "True")
            del os.environ["REMOVED_INSIDE"]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert dict(os.environ) == before


def test_a_defect_leaves_environment_and_folder_as_they_were(platform: Platform, tmp_path: t.Any) -> None:
    def respond(_request: t.Any) -> Reply:
        raise ZeroDivisionError(os.getcwd())

    platform.respond = respond
    before, folder = dict(os.environ), os.getcwd()
    with pytest.raises(ZeroDivisionError) as caught:
        Action(str(tmp_path), dict(ARGUMENTS), {"ADDED": "1"}).run(task_vars=own())
    assert os.path.realpath(str(caught.value)) == os.path.realpath(tmp_path)
    assert dict(os.environ) == before
    assert os.getcwd() == folder


def test_the_arguments_of_the_task_stay_as_they_are(platform: Platform, action: Action) -> None:
    projects(platform)
    action.run(task_vars=own())
    assert action._task.args == ARGUMENTS


# Secret results


@pytest.mark.parametrize(
    ("asynchronous", "hidden", "refused"), [(30, False, True), (30, True, False), (0, False, False)]
)
def test_a_secret_result_is_not_left_to_async(
    tmp_path: t.Any,
    ordinary: list[t.Any],
    monkeypatch: pytest.MonkeyPatch,
    asynchronous: int,
    hidden: bool,
    refused: bool,
) -> None:
    """What Ansible gets in the end does not pass by the action plugin, which could hide it."""
    action = Action(str(tmp_path), dict(ARGUMENTS))
    action._task.async_val, action._task.no_log = asynchronous, hidden
    action._connection._play_context = types.SimpleNamespace(no_log=False)
    secret = {"is_secret": lambda _arguments: True, "arguments": ArgumentSpec()}
    monkeypatch.setattr(action, "_module", lambda: types.SimpleNamespace(**secret))
    monkeypatch.setattr(action, "_may_run_here", lambda _variables: False)
    result = action.run(task_vars=own())
    if refused:
        assert "set no_log on the task, or run it without async" in result["msg"]
        assert (result["failed"], result["changed"], result["request_count"]) == (True, False, 0)
        assert ordinary == []
    else:
        assert result == {**ORDINARY, "_ansible_no_log": True}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('{"password": "x"}', {"password": "x"}),
        ("password=x", {"password": "x"}),
        ({"password": "x"}, {"password": "x"}),
        ("no dictionary", "no dictionary"),
        (None, None),
    ],
)
def test_a_secret_dictionary_that_is_a_text_is_read_before_ansible_masks(
    tmp_path: t.Any, ordinary: list[t.Any], monkeypatch: pytest.MonkeyPatch, given: t.Any, expected: t.Any
) -> None:
    """Ansible masks the values of a dictionary, and a text only as a whole."""
    options = {"secret": {"type": "dict", "no_log": True}, "open": {"type": "dict"}}
    module = types.SimpleNamespace(is_secret=lambda _arguments: False, arguments=ArgumentSpec(options=options))
    action = Action(str(tmp_path), {"secret": given, "open": "a=b"})
    monkeypatch.setattr(action, "_module", lambda: module)
    monkeypatch.setattr(action, "_may_run_here", lambda _variables: False)
    action.run(task_vars=own())
    assert action._task.args == {"secret": expected, "open": "a=b"}


# What comes back


def test_secrets_are_masked(platform: Platform, tmp_path: t.Any) -> None:
    text = f"token {TOKEN} in here"
    document = {"data": {"projects": [{"id": "a", "description": text}]}}
    platform.expects(get("/v1/projects", json_reply(document), per_page=100))
    result = Action(str(tmp_path), dict(ARGUMENTS)).run(task_vars=own())
    assert TOKEN not in json.dumps(result)
    assert result["projects"][0]["description"] == "token ******** in here"
    assert result["invocation"]["module_args"]["api_token"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert result["invocation"]["module_args"]["api_url"] == URL
    assert result["changed"] is False


def test_the_invocation_has_every_option(platform: Platform, action: Action) -> None:
    projects(platform)
    arguments = action.run(task_vars=own())["invocation"]["module_args"]
    assert arguments["limit"] is None
    assert arguments["timeout"] == 30
    assert not [name for name in arguments if name.startswith("_ansible")]


def test_newer_versions_may_not_want_the_invocation(platform: Platform, tmp_path: t.Any) -> None:
    projects(platform)
    action = Action(str(tmp_path), dict(ARGUMENTS), _ansible_inject_invocation=False)
    assert "invocation" not in action.run(task_vars=own())


def test_a_failure_comes_back_as_a_result(platform: Platform, action: Action) -> None:
    platform.expects(get("/v1/projects", error_reply(403, f"{TOKEN} may not"), per_page=100))
    result = action.run(task_vars=own())
    assert result["failed"] is True
    assert "******** may not" in result["msg"]
    assert result["error"]["status"] == 403
    assert result["error"]["code"] is None


def test_check_mode_and_diff_mode_reach_the_module(
    platform: Platform, tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def execute(module: t.Any, params: t.Any, *, check_mode: bool, diff: bool) -> dict[str, t.Any]:
        seen.append((check_mode, diff))
        return {"changed": False}

    monkeypatch.setattr(_in_process, "execute", execute)
    for mode, diff in [(True, False), (False, True)]:
        Action(str(tmp_path), dict(ARGUMENTS), _ansible_check_mode=mode, _ansible_diff=diff).run(task_vars=own())
    assert seen == [(True, False), (False, True)]


def test_masking_keeps_truth_and_nothing() -> None:
    result = {
        "changed": True,
        "failed": None,
        "count": 1,
        "text": "True or True1",
        "inner": {"flag": True, "k": "True1"},
    }
    found = mask_result(result, {"True", "None"})
    assert found["changed"] is True
    assert found["failed"] is None
    assert found["count"] == 1
    assert "True" not in found["text"]
    assert "True" not in found["inner"]["k"]


def test_masking_without_secrets_changes_nothing() -> None:
    result = {"changed": False, "n": None, "l": [{"a": [1, 2.5, "x", True]}]}
    assert mask_result(result, set()) == result


def test_arguments_that_json_cannot_hold_as_they_are(platform: Platform, tmp_path: t.Any) -> None:
    platform.expects(get("/v1/projects/2026-01-14", json_reply({"data": {"id": "2026-01-14"}})))

    arguments = {**ARGUMENTS, "project_id": datetime.date(2026, 1, 14)}
    result = Action(str(tmp_path), arguments).run(task_vars=own())
    assert result["projects"] == [{"id": "2026-01-14"}]


# Secrets that are given as text


@pytest.mark.parametrize("text", ['{"password": "word-1"}', "{'password': 'word-1'}", "password=word-1"])
def test_secret_dictionaries_are_read_before_ansible_looks_for_secrets(text: str) -> None:
    given = {"template_id": "a=b", "arguments": "a=b", "secret_arguments": text}
    read = _with_secrets_read(template_run.MODULE, given)
    assert read == {**given, "secret_arguments": {"password": "word-1"}}


@pytest.mark.parametrize("given", ["word-1", "{word-1", {"a": "{}"}, None])
def test_what_is_no_secret_dictionary_as_text_stays(given: t.Any) -> None:
    assert _with_secrets_read(template_run.MODULE, {"secret_arguments": given}) == {"secret_arguments": given}
