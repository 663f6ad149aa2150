# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter collection_version."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.quayside.paas.plugins.filter.collection_version import FilterModule, collection_version


def test_it_is_a_filter() -> None:
    assert FilterModule().filters() == {"collection_version": collection_version}


@pytest.mark.parametrize("name", ["nowhere.to_be_found", "quayside.nothing"])
def test_a_collection_that_is_not_there_has_no_version(name: str) -> None:
    assert collection_version(name) == ""


def test_an_installed_collection_says_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Any:
        assert name == "ansible_collections.some.where"
        found = importlib.machinery.ModuleSpec(name, None, is_package=True)
        found.submodule_search_locations = [str(tmp_path)]
        return found

    monkeypatch.setattr(importlib.util, "find_spec", find)
    assert collection_version("some.where") == "*"
    manifest = {"collection_info": {"version": "24.6.1"}}
    (tmp_path / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert collection_version("some.where") == "24.6.1"


@pytest.mark.parametrize("name", ["awx", "awx.awx.project", "awx/awx.x", "", None, "awx..awx"])
def test_what_is_no_name_is_refused(name: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="wants the name of a collection"):
        collection_version(name)
