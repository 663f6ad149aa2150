# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every conditional in examples, guides, roles and playbooks has a boolean result, as ansible-core 2.19 demands.

Most conditionals cannot be run here, so the outermost operation decides: a comparison, a test, `not`, or `and`, `or`
and `if` of such. A variable counts if a template in its own role, file or example gives it such a value.
"""

from __future__ import annotations

import ast
import re
import textwrap
from typing import TYPE_CHECKING, Any

import jinja2
import jinja2.nodes
import pytest
import yaml

from support.playbook import COLLECTION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONDITIONALS = {"when", "until", "failed_when", "changed_when", "break_when", "that"}
VARIABLES = {"vars", "set_fact", "ansible.builtin.set_fact"}
FILTERS = {"bool", "ansible.builtin.bool"}
# Fields that are documented as booleans, of Ansible's results and of the collection's filters.
FIELDS = {"changed", "exists", "writeable", "passed", "is_backup_open", "is_restore_open"}
MAGIC = {"ansible_check_mode", "ansible_diff_mode"}

Definitions = dict[str, list[Any]]


def findings(source: str, documents: list[Any]) -> list[str]:
    """Return the conditionals in parsed YAML that may be anything but a boolean."""
    variables: Definitions = {}
    for document in documents:
        define(document, variables)
    return [
        f"{source}: {key}: {condition}"
        for document in documents
        for key, condition in conditionals(document)
        if not is_boolean(condition, variables)
    ]


def define(part: Any, variables: Definitions) -> None:
    """Add the variables that a part of a document sets."""
    for key, value in mappings(part):
        if key in VARIABLES and isinstance(value, dict):
            for name, each in value.items():
                variables.setdefault(name, []).append(each)


def conditionals(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield the conditionals in a part of a document, each with its key."""
    for key, value in mappings(part):
        if key in CONDITIONALS:
            yield from ((key, each) for each in (value if isinstance(value, list) else [value]))
        elif key == "groups" and isinstance(value, dict):  # of an inventory
            yield from (("groups", each) for each in value.values())


def mappings(part: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the items of all mappings in a part of a document."""
    if isinstance(part, dict):
        yield from part.items()
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from mappings(each)


def is_boolean(condition: Any, variables: Definitions) -> bool:
    if isinstance(condition, bool):
        return True
    # Delimiters in a conditional are deprecated.
    if not isinstance(condition, str) or "{{" in condition:
        return False
    return is_boolean_node(parse(condition), variables)


def parse(expression: str) -> jinja2.nodes.Node:
    output = jinja2.Environment(autoescape=True).parse("{{ (" + expression + ") }}").body[0]
    assert isinstance(output, jinja2.nodes.Output)
    return output.nodes[0]


def is_boolean_node(node: jinja2.nodes.Node, variables: Definitions) -> bool:
    match node:
        case jinja2.nodes.Compare() | jinja2.nodes.Test() | jinja2.nodes.Not():
            return True
        case jinja2.nodes.Const(value=value):
            return isinstance(value, bool)
        case jinja2.nodes.And(left=one, right=other) | jinja2.nodes.Or(left=one, right=other):
            return is_boolean_node(one, variables) and is_boolean_node(other, variables)
        case jinja2.nodes.CondExpr(expr1=one, expr2=jinja2.nodes.Expr() as other):
            return is_boolean_node(one, variables) and is_boolean_node(other, variables)
        case jinja2.nodes.Filter(name="default" | "ansible.builtin.default", node=one, args=[other]):
            return one is not None and is_boolean_node(one, variables) and is_boolean_node(other, variables)
        case jinja2.nodes.Filter(name=name):
            return name in FILTERS
        case jinja2.nodes.Getattr(attr=name):
            return name in FIELDS
        case jinja2.nodes.Name(name=name):
            return name in MAGIC or (name in variables and all(is_boolean_value(v, variables) for v in variables[name]))
    return False


def is_boolean_value(value: Any, variables: Definitions) -> bool:
    template = re.fullmatch(r"\s*\{\{(.*)\}\}\s*", value, re.DOTALL) if isinstance(value, str) else None
    return is_boolean(template.group(1) if template else value if isinstance(value, bool) else None, variables)


# Sources: a name and the texts that share variables


def of_plugins() -> Iterator[tuple[str, list[str]]]:
    for path in sorted((COLLECTION / "plugins").rglob("*.py")):
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "EXAMPLES":
                yield named(path), [ast.literal_eval(statement.value)]


def of_pages() -> Iterator[tuple[str, list[str]]]:
    for path in sorted(COLLECTION.glob("docs/docsite/rst/*.rst")):
        text = path.read_text(encoding="utf-8")
        blocks = re.findall(r"^( *)\.\. code-block:: yaml\S*\n((?:\1 +\S.*\n|\n)+)", text, re.MULTILINE)
        yield named(path), [textwrap.dedent(block) for _indent, block in blocks]
    for path in [COLLECTION / "README.md", *sorted(COLLECTION.glob("roles/*/README.md"))]:
        blocks = re.findall(r"^```yaml\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        yield named(path), blocks


def of_files() -> Iterator[tuple[str, list[str]]]:
    # Integration targets are left out: they run.
    for folder in [*sorted(COLLECTION.glob("roles/*")), COLLECTION / "playbooks", COLLECTION / "extensions"]:
        paths = [
            path for path in sorted(folder.rglob("*.yml")) if path.parent.name not in ("meta", "defaults", "files")
        ]
        yield named(folder), [text_of(path) for path in paths]


def text_of(path: Path) -> str:
    """Return the text of a file; variables of a role as those of a play."""
    text = path.read_text(encoding="utf-8")
    return f"vars:\n{textwrap.indent(text.replace('---', ''), ' ')}" if path.parent.name == "vars" else text


def named(path: Path) -> str:
    return str(path.relative_to(COLLECTION))


SOURCES = [*of_plugins(), *of_pages(), *of_files()]


@pytest.mark.parametrize(("source", "texts"), SOURCES, ids=[name for name, _texts in SOURCES])
def test_conditionals_are_boolean(source: str, texts: list[str]) -> None:
    documents = [document for text in texts for document in yaml.safe_load_all(text)]
    assert findings(source, documents) == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("failed.template_runs", False),
        ("failed.template_runs | length", False),
        ("failed.template_runs | length > 0", True),
        ("found is changed and found.rows", False),
        ("found is changed and 'a' in found.rows", True),
        ("found.rows | default([], true)", False),
        ("found.wanted | bool", True),
        ("not found.rows", True),
        ("known", True),
        ("listed", False),
        ("unknown", False),
        ("'a' if known else 1 == 1", False),
        ("{{ known }}", False),
        (1, False),
        (None, False),
        (False, True),
    ],
)
def test_it_tells_booleans_from_others(condition: Any, expected: bool) -> None:
    task = {
        "vars": {"known": "{{ rows | length > 0 }}", "listed": "{{ rows }}"},
        "block": [{"ansible.builtin.assert": {"that": [condition]}}],
    }
    assert (findings("here", [[task]]) == []) is expected


def test_it_finds_conditionals_in_every_kind_of_source() -> None:
    found = {
        source.partition("/")[0]
        for source, texts in SOURCES
        for text in texts
        for document in yaml.safe_load_all(text)
        for _conditional in conditionals(document)
    }
    assert found >= {"docs", "playbooks", "plugins", "roles"}
