# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers of docs/architecture.md, enforced by reading the source."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

from contract.modules import MODULES
from contract.runs import report
from support.playbook import COLLECTION

if TYPE_CHECKING:
    from pathlib import Path

PLUGINS = COLLECTION / "plugins"
OURS = "ansible_collections.quayside.paas.plugins."
SOURCES = sorted(PLUGINS.rglob("*.py"))

# Which layers a layer may import from, besides itself.
ALLOWED = {
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


def test_imports_keep_to_the_layers() -> None:
    report(
        f"{_shown(source)}: {_layer_of(source)} must not import {name}"
        for source in SOURCES
        for name in _imports(source)
        if name.startswith(OURS)
        and (layer := _layer(name.removeprefix(OURS))) != _layer_of(source)
        and layer not in ALLOWED[_layer_of(source)]
    )


def test_requests_is_imported_in_one_place() -> None:
    importing = {source for source in SOURCES for name in _imports(source) if name.split(".")[0] == "requests"}
    assert [_shown(source) for source in importing] == ["module_utils/_http.py"]


def test_modules_end_in_the_runner_only() -> None:
    report(
        f"{_shown(source)}: calls {name}"
        for source in SOURCES
        for name in re.findall(r"\b(?:exit_json|fail_json)\b", source.read_text(encoding="utf-8"))
        if source.parent.name != "_module"
    )


def test_info_modules_have_at_most_20_lines_of_code() -> None:
    counts = {source: _lines_of_code(source) for source in (PLUGINS / "modules").glob("*_info.py")}
    assert counts
    report(f"{_shown(source)}: {count} lines of code" for source, count in counts.items() if count > 20)


def test_imports_have_no_cycles() -> None:
    files = {".".join(source.relative_to(PLUGINS).with_suffix("").parts): source for source in SOURCES}
    left = {}
    for name, source in files.items():
        ours = [found.removeprefix(OURS) for found in _imports(source) if found.startswith(OURS)]
        left[name] = {found if found in files else found.rpartition(".")[0] for found in ours} & set(files) - {name}
    # Remove what imports nothing that is left, until nothing can be removed.
    while free := [name for name, needed in left.items() if not needed & set(left)]:
        for name in free:
            del left[name]
    assert not left


def test_every_module_has_its_action_and_no_action_is_left_over() -> None:
    assert sorted(path.stem for path in (PLUGINS / "action").glob("*.py")) == MODULES


def test_the_actions_are_all_the_same_two_lines() -> None:
    texts = {path.read_text(encoding="utf-8") for path in (PLUGINS / "action").glob("*.py")}
    assert len(texts) == 1
    _future, *statements = ast.parse(texts.pop()).body
    assert [type(statement) for statement in statements] == [ast.ImportFrom, ast.ClassDef]


@cache
def _imports(source: Path) -> list[str]:
    """Return the full names of what a file imports from absolute or relative modules."""
    package = OURS + ".".join(source.relative_to(PLUGINS).parts[:-1])
    names = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names += [f"{base}.{alias.name}" for alias in node.names]
    return names


def _layer(dotted: str) -> str:
    first, second = ([*dotted.split("."), "", ""])[:2]
    return f"{first}.{second}" if first == "module_utils" and second in ("_module", "_northflank", "_cycle") else first


def _layer_of(source: Path) -> str:
    return _layer(".".join(source.relative_to(PLUGINS).with_suffix("").parts))


def _lines_of_code(source: Path) -> int:
    text = source.read_text(encoding="utf-8")
    lines: set[int] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            continue  # DOCUMENTATION, EXAMPLES, RETURN
        lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len([line for line in lines if text.splitlines()[line - 1].strip()])


def _shown(source: Path) -> str:
    return str(source.relative_to(PLUGINS))
