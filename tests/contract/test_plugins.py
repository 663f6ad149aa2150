# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories, connections and become plugins are documented for people, and read the environment as modules do."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.quayside.paas.plugins.module_utils._cycle.api import Cycle
from ansible_collections.quayside.paas.plugins.module_utils._northflank.api import Northflank
from contract.modules import ansible_doc
from support.playbook import COLLECTION

KINDS = ("inventory", "connection", "become", "filter")
PLUGINS = [(kind, path.stem) for kind in KINDS for path in sorted((COLLECTION / "plugins" / kind).glob("*.py"))]
REACHING = [plugin for plugin in PLUGINS if plugin[0] in ("inventory", "connection")]
NAMES = "{0[0]}-{0[1]}".format


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    """What ansible-doc shows, with the fragments merged in."""
    found = {}
    for kind in KINDS:
        named = [f"quayside.paas.{name}" for of, name in PLUGINS if of == kind]
        for full_name, page in ansible_doc(tmp_path_factory.mktemp("doc"), "-t", kind, *named).items():
            found[kind, full_name.rpartition(".")[2]] = page
    return found


def test_there_are_plugins_of_each_kind() -> None:
    assert {kind for kind, _name in PLUGINS} == set(KINDS)


@pytest.mark.parametrize("plugin", PLUGINS, ids=NAMES)
def test_ansible_doc_shows_it_whole(plugin: tuple[str, str], shown: dict[tuple[str, str], Any]) -> None:
    doc = shown[plugin]["doc"]
    assert doc["short_description"]
    assert doc["version_added"]
    for name, option in doc["options"].items():
        assert option["description"], name
        assert option.get("type") or name == "cache_prefix", name  # of a fragment of Ansible itself
    assert shown[plugin]["examples"].strip()


@pytest.mark.parametrize("plugin", REACHING, ids=NAMES)
def test_the_environment_is_that_of_the_modules(plugin: tuple[str, str], shown: dict[tuple[str, str], Any]) -> None:
    client = Northflank if "northflank" in plugin[1] else Cycle
    options = shown[plugin]["doc"]["options"]
    for name, argument in client.arguments.options.items():
        if name == "in_process":
            continue
        # Where the connection has a time-out of its own, that of the API has another name.
        option = options.get(f"api_{name}", options[name])
        variables = argument["fallback"][1] if "fallback" in argument else []
        assert sorted(entry["name"] for entry in option.get("env", [])) == sorted(variables), name
        if plugin[0] == "connection":
            assert f"ansible_{client.name.lower()}_{name}" in [entry["name"] for entry in option["vars"]]


@pytest.mark.parametrize("plugin", [plugin for plugin in PLUGINS if plugin[0] == "inventory"], ids=NAMES)
def test_examples_of_an_inventory_are_inventory_files(
    plugin: tuple[str, str], shown: dict[tuple[str, str], Any]
) -> None:
    options = set(shown[plugin]["doc"]["options"])
    examples = list(yaml.safe_load_all(shown[plugin]["examples"]))
    assert len(examples) > 1
    for example in examples:
        assert example["plugin"] == f"quayside.paas.{plugin[1]}"
        assert set(example) <= options
