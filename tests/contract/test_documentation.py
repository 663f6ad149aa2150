# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module is documented for people: options, attributes, examples that can be pasted, results with samples."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from contract.modules import MODULES, PLATFORMS, ansible_doc, documentation, group_of
from support.playbook import COLLECTION

ATTRIBUTES = {"check_mode", "diff_mode", "idempotent", "action_group"}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ansible-doc shows, with the fragments merged in."""
    shown = ansible_doc(tmp_path_factory.mktemp("doc"), *(f"quayside.paas.{name}" for name in MODULES))
    return {name.rpartition(".")[2]: page for name, page in shown.items()}


@pytest.mark.parametrize("module", MODULES)
def test_ansible_doc_shows_it_whole(module: str, shown: dict[str, Any]) -> None:
    page = shown[module]
    assert page["doc"]["version_added"]
    assert set(page["doc"]["attributes"]) >= ATTRIBUTES
    check_mode = page["doc"]["attributes"]["check_mode"]
    assert check_mode["support"] == "full" or (check_mode["support"] == "partial" and check_mode["details"])
    for name, option in page["doc"]["options"].items():
        assert option["description"], name
        assert option["type"], name
    assert page["examples"].strip()
    assert page["return"]


@pytest.mark.parametrize("module", MODULES)
def test_examples_are_tasks_with_full_names(module: str) -> None:
    def tasks(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [inner for item in items for inner in (tasks(item["block"]) if "block" in item else [item])]

    keywords = {"name", "register", "loop", "loop_control", "when", "vars", "module_defaults", "failed_when"}
    keywords |= {"no_log", "check_mode", "delegate_to"}
    used = set()
    for task in tasks(documentation(module)["EXAMPLES"]):
        assert task["name"][0].isupper()
        (action,) = set(task) - keywords
        assert action.count(".") >= 2, f"{action} is no fully qualified name"
        used.add(action)
    assert f"quayside.paas.{module}" in used


@pytest.mark.parametrize("module", MODULES)
def test_examples_use_options_that_exist(module: str, shown: dict[str, Any]) -> None:
    def arguments(node: Any) -> list[dict[str, Any]]:
        if isinstance(node, list):
            return [found for inner in node for found in arguments(inner)]
        if isinstance(node, dict):
            own = [node[f"quayside.paas.{module}"] or {}] if f"quayside.paas.{module}" in node else []
            return own + [found for key, inner in node.items() if key == "block" for found in arguments(inner)]
        return []

    known = set(shown[module]["doc"]["options"])
    for given in arguments(documentation(module)["EXAMPLES"]):
        assert set(given) <= known


@pytest.mark.parametrize("module", MODULES)
def test_results_have_samples_of_the_documented_shape(module: str) -> None:
    for name, value in documentation(module)["RETURN"].items():
        assert value["description"], name
        assert "sample" in value, name
        for sample in value["sample"] if value["type"] == "list" else [value["sample"]]:
            if "contains" in value:
                assert set(sample) <= set(value["contains"]), name


def test_the_action_groups_have_every_module_of_their_platform() -> None:
    runtime = yaml.safe_load((COLLECTION / "meta/runtime.yml").read_text(encoding="utf-8"))
    groups = {
        name: sorted(member.rpartition(".")[2] for member in runtime["action_groups"][name]) for name in PLATFORMS
    }
    assert groups == {name: [module for module in MODULES if group_of(module) == name] for name in PLATFORMS}


@pytest.mark.parametrize("names", [("rate_limit", "request_count", "error"), ("jobs",)])
def test_what_modules_return_in_common_is_documented_alike(names: tuple[str, ...]) -> None:
    common = [
        {name: documentation(module)["RETURN"][name] for name in names}
        for module in MODULES
        if len(names) > 1 or (names[0] in documentation(module)["RETURN"] and module != "job_info")
    ]
    assert all(one == common[0] for one in common)
