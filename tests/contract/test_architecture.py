# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms and doors of docs/architecture.md, held by reading the source."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from contract.modules import MODULES
from support.playbook import COLLECTION

if TYPE_CHECKING:
    from pathlib import Path

PLUGINS = COLLECTION / "plugins"
OURS = "ansible_collections.quayside.paas.plugins."
SOURCES = sorted(PLUGINS.rglob("*.py"))

# Which rooms a room may import from, besides itself.
DOORS = {
    "modules": {"module_utils._module", "module_utils._northflank", "module_utils._cycle"},
    "action": {"plugin_utils"},
    "inventory": {"plugin_utils", "module_utils", "module_utils._northflank", "module_utils._cycle"},
    "connection": {"plugin_utils", "module_utils", "module_utils._northflank", "module_utils._cycle"},
    "become": {"plugin_utils", "module_utils"},
    "filter": {"plugin_utils", "module_utils"},
    "plugin_utils": {"module_utils", "module_utils._module", "module_utils._northflank", "module_utils._cycle"},
    "module_utils._module": {"module_utils"},
    "module_utils._northflank": {"module_utils"},
    "module_utils._cycle": {"module_utils"},
    "module_utils": set(),
    "doc_fragments": set(),
}


def imports(source: Path) -> list[str]:
    """What a file imports, by full names, relative imports too."""
    package = f"{OURS}{'.'.join(source.relative_to(PLUGINS).parent.parts)}".split(".")
    names = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*above, *([node.module] if node.module else [])])
            names += [f"{start}.{alias.name}" for alias in node.names]
    return names


def room(dotted: str) -> str:
    first, second = ([*dotted.split("."), "", ""])[:2]
    return f"{first}.{second}" if first == "module_utils" and second in ("_module", "_northflank", "_cycle") else first


def room_of(source: Path) -> str:
    return room(".".join(source.relative_to(PLUGINS).with_suffix("").parts))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_imports_go_through_the_doors(source: Path) -> None:
    here = room_of(source)
    for name in imports(source):
        if name.startswith(OURS):
            there = room(name.removeprefix(OURS))
            assert there == here or there in DOORS[here], f"{here} must not import {name}"


def test_imports_have_no_cycles() -> None:
    files = {".".join(source.relative_to(PLUGINS).with_suffix("").parts): source for source in SOURCES}
    left = {}
    for name, source in files.items():
        ours = [found.removeprefix(OURS) for found in imports(source) if found.startswith(OURS)]
        left[name] = {found if found in files else found.rpartition(".")[0] for found in ours} & set(files) - {name}
    # Take away what imports nothing that is left, until nothing can be taken away.
    while free := [name for name, needed in left.items() if not needed & set(left)]:
        for name in free:
            del left[name]
    assert not left


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_requests_is_imported_in_one_place(source: Path) -> None:
    if source.name != "_http.py":
        assert not [name for name in imports(source) if name.split(".")[0] == "requests"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_modules_end_in_the_runner_only(source: Path) -> None:
    ends = re.findall(r"\b(?:exit_json|fail_json)\b", source.read_text(encoding="utf-8"))
    assert not ends or source.parent.name == "_module"


@pytest.mark.parametrize("module", [name for name in MODULES if name.endswith("_info")])
def test_an_info_module_has_at_most_20_lines_of_code(module: str) -> None:
    source = (PLUGINS / "modules" / f"{module}.py").read_text(encoding="utf-8")
    lines: set[int] = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            continue  # DOCUMENTATION, EXAMPLES, RETURN
        lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    assert len([line for line in lines if source.splitlines()[line - 1].strip()]) <= 20


def test_every_module_has_its_action_and_no_action_is_left_over() -> None:
    assert sorted(path.stem for path in (PLUGINS / "action").glob("*.py")) == MODULES


def test_the_actions_are_all_the_same_two_lines() -> None:
    texts = {path.read_text(encoding="utf-8") for path in (PLUGINS / "action").glob("*.py")}
    assert len(texts) == 1
    _future, *statements = ast.parse(texts.pop()).body
    assert [type(statement) for statement in statements] == [ast.ImportFrom, ast.ClassDef]
