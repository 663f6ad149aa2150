# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential types keep AWX's rules, and inject what modules, inventories and connections read."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import awx_data
import pytest
import yaml
from awx_plugins.interfaces import _temporary_private_inject_api as injection
from awx_rules import credential_type_problems
from runner_jobs import Credential, inject

from ansible_collections.quayside.paas.plugins.doc_fragments import _cycle, _northflank
from ansible_collections.quayside.paas.plugins.module_utils._cycle import api as cycle
from ansible_collections.quayside.paas.plugins.module_utils._northflank import api as northflank

TYPES = {each["name"]: each for each in awx_data.load("credential_types")}
CLIENTS = {"Northflank": northflank.Northflank, "Cycle": cycle.Cycle}
FRAGMENTS = {"Northflank": _northflank.ModuleDocFragment, "Cycle": _cycle.ModuleDocFragment}
# The first of the variables that modules look for, by type and input.
VARIABLES = {
    "Northflank": {
        "api_token": northflank.TOKEN_VARIABLES[0],
        "team_id": northflank.TEAM_VARIABLES[0],
        "api_url": northflank.URL_VARIABLES[0],
    },
    "Cycle": {
        "api_key": cycle.KEY_VARIABLES[0],
        "hub_id": cycle.HUB_VARIABLES[0],
        "api_url": cycle.URL_VARIABLES[0],
    },
}
EACH = pytest.mark.parametrize("name", list(VARIABLES))

GOOD: dict[str, Any] = {
    "name": "Good",
    "kind": "cloud",
    "inputs": {"fields": [{"id": "token", "type": "string", "label": "Token", "secret": True}], "required": ["token"]},
    "injectors": {"env": {"GOOD_TOKEN": "{{ token }}"}},
}


def injected(name: str, inputs: dict[str, str], folder: Path) -> dict[str, str]:
    """The environment that AWX makes of a credential."""
    env: dict[str, str] = {}
    args: list[str] = []
    inject([Credential(TYPES[name], inputs)], env, args, folder)
    assert (args, list(folder.iterdir())) == ([], [])  # nothing but the environment
    return env


def options(name: str, env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a module's options are in an environment, without options of the task."""
    for variable, value in env.items():
        monkeypatch.setenv(variable, value)
    found = {}
    for option, specification in CLIENTS[name].arguments.options.items():
        if "fallback" in specification:
            look_up, variables = specification["fallback"]
            try:
                found[option] = look_up(*variables)
            except Exception:  # AnsibleFallbackNotFound, in whichever module it lives
                found[option] = specification.get("default")
    return found


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for client in CLIENTS.values():
        for specification in client.arguments.options.values():
            for variable in specification["fallback"][1] if "fallback" in specification else ():
                monkeypatch.delenv(variable, raising=False)


def test_there_are_both_platforms() -> None:
    assert set(TYPES) == set(CLIENTS)


@EACH
def test_awx_accepts_the_type(name: str) -> None:
    assert credential_type_problems(TYPES[name]) == []


@EACH
def test_fields_are_what_a_person_needs(name: str) -> None:
    fields = {field["id"]: field for field in TYPES[name]["inputs"]["fields"]}
    assert set(fields) == set(VARIABLES[name])
    assert [each for each in fields if fields[each].get("secret")] == [next(iter(VARIABLES[name]))]
    # One that is missing would be injected as "False".
    assert {field["type"] for field in fields.values()} == {"string"}
    assert all(field["label"] and field["help_text"].endswith(".") for field in fields.values())


@EACH
def test_all_inputs_are_injected_for_modules_and_plugins(name: str, tmp_path: Path) -> None:
    inputs = {field: f"value-of-{field}" for field in VARIABLES[name]}
    assert injected(name, inputs, tmp_path) == {VARIABLES[name][field]: value for field, value in inputs.items()}
    # Inventories and connections name the same variables.
    documented = yaml.safe_load(FRAGMENTS[name].PLUGIN)["options"]
    for field, variable in VARIABLES[name].items():
        assert variable in [each["name"] for each in documented[field]["env"]], field
    # The type has an input for each option that the environment can give.
    assert set(VARIABLES[name]) == {
        option for option, each in CLIENTS[name].arguments.options.items() if "fallback" in each
    }


@EACH
def test_what_is_injected_is_what_modules_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {field: f"value-of-{field}" for field in VARIABLES[name]}
    assert options(name, injected(name, inputs, tmp_path), monkeypatch) == inputs


@EACH
@pytest.mark.parametrize("empty", [{}, {"api_url": "", "team_id": ""}], ids=["left out", "empty"])
def test_fields_left_empty_are_as_if_not_set(
    name: str, empty: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    required = dict.fromkeys(TYPES[name]["inputs"]["required"], "given")
    optional = {field: value for field, value in empty.items() if field in VARIABLES[name]}
    env = injected(name, {**required, **optional}, tmp_path)
    assert {variable for variable, value in env.items() if not value} == {
        VARIABLES[name][field] for field in VARIABLES[name] if field not in required
    }
    expected = {field: required.get(field, CLIENTS[name].arguments.options[field].get("default"))
                for field in VARIABLES[name]}  # fmt: skip
    assert options(name, env, monkeypatch) == expected


@EACH
def test_awx_does_not_show_the_secret_with_a_job(name: str, tmp_path: Path) -> None:
    env = injected(name, {field: f"value-of-{field}" for field in VARIABLES[name]}, tmp_path)
    secret = next(iter(VARIABLES[name]))
    assert f"value-of-{secret}" not in injection.build_safe_env(env).values()


# The rules themselves


def changed(path: str, value: Any) -> dict[str, Any]:
    """GOOD with one thing else; path: keys and indexes with slashes between them."""
    found = copy.deepcopy(GOOD)
    at: Any = found
    *way, last = path.split("/")
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
    at[int(last) if isinstance(at, list) else last] = value
    return found


def test_a_good_type_breaks_no_rule() -> None:
    assert credential_type_problems(GOOD) == []
    assert credential_type_problems(changed("injectors/file", {"template": "{{ token }}"})) == []
    with_file = changed("injectors/file", {"template.a": "{{ token }}", "template.b": "x"})
    with_file["injectors"]["env"]["GOOD_FILE"] = "{{ tower.filename.a }}"
    with_file["injectors"]["extra_vars"] = {"good": "{{ tower.filename.b }}"}
    assert credential_type_problems(with_file) == []


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("kind", "scm", "Must be 'cloud' or 'net'"),
        ("inputs/metadata", [], "inputs has metadata"),
        ("inputs/required", "token", "required is no list"),
        ("inputs/fields", ["token"], "fields is no list of objects"),
        ("inputs/fields/0", {"id": "token"}, "lacks label"),
        ("inputs/fields/0", {"label": "Token"}, "lacks id"),
        ("inputs/fields/0/description", "text", "a field has description"),
        ("inputs/fields/0/type", "integer", "integer is no type"),
        ("inputs/fields/0/format", "json", "json is no format"),
        ("inputs/fields/0/secret", "yes", "secret is no bool"),
        ("inputs/fields/0/id", "to-ken", "is no identifier"),
        ("inputs/fields/0/id", "1token", "is no identifier"),
        ("inputs/fields/0/id", "tower", "reserved"),
        ("inputs/fields/0/choices", [], "choices is no list of different strings"),
        ("inputs/fields/0/choices", ["a", "a"], "choices is no list of different strings"),
        ("inputs/fields/0/type", "boolean", "secret not allowed for boolean type"),
        ("inputs/fields/0/ask_at_runtime", True, "ask_at_runtime is not supported"),
        ("inputs/fields", [{"id": "token", "label": "a"}, {"id": "token", "label": "b"}], "must be unique"),
        ("injectors/environment", {}, "injectors has environment"),
        ("injectors/file", {"templates": "x"}, "templates is no key of a file"),
        ("injectors/file", {"template": "x", "template.a": "y"}, "multi-file syntax"),
        ("injectors/env/ANSIBLE_TOKEN", "x", "may affect Ansible configuration"),
        ("injectors/env/PATH", "x", "is not allowed to be used"),
        ("injectors/env/GOOD-TOKEN", "x", "no name of an environment variable"),
        ("injectors/env/GOOD_TOKEN", "{{ tokens }}", "uses an undefined field"),
        ("injectors/env/GOOD_TOKEN", "{{ token", "Syntax error"),
        ("injectors/env/GOOD_TOKEN", "{{ token.__class__.__mro__ }}", "unsafe"),
        ("injectors/env/GOOD_TOKEN", "tökén", "no ASCII text"),
        ("injectors/env/GOOD_FILE", "{{ tower.filename }}", "uses an undefined field"),
        ("injectors/extra_vars/good-token", "x", "is no variable"),
    ],
)
def test_a_rule_that_is_broken_is_seen(path: str, value: Any, problem: str) -> None:
    assert problem in "; ".join(credential_type_problems(changed(path, value)))
