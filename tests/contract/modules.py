# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of the collection, found rather than listed, and documentation."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.playbook import COLLECTION, environment
from support.settings import limit

MODULES = sorted(path.stem for path in (COLLECTION / "plugins/modules").glob("*.py"))


@cache
def documentation(module: str) -> dict[str, Any]:
    """Return DOCUMENTATION, EXAMPLES and RETURN of a module, parsed, as they stand in its file."""
    tree = ast.parse((COLLECTION / "plugins/modules" / f"{module}.py").read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = yaml.safe_load(node.value.value)
    return found


PLATFORMS = ("cycle", "northflank")


def group_of(module: str) -> str:
    """Return the action group, and so the platform, that the documentation of a module names."""
    fragments = documentation(module)["DOCUMENTATION"]["extends_documentation_fragment"]
    (found,) = [name for name in PLATFORMS if f"quayside.paas._{name}.actiongroup" in fragments]
    return found


def ansible_doc(folder: Path, *arguments: str) -> dict[str, Any]:
    """Return what ansible-doc shows, with the fragments merged in, by full name.

    Args:
        folder: For temporary files.
        arguments: Full names, and options.
    """
    command = [Path(sys.executable).parent / "ansible-doc", "--json", *arguments]
    with (folder / "errors.txt").open("w+", encoding="utf-8") as errors:
        try:
            done = subprocess.run(
                command, env=environment(folder), stdout=subprocess.PIPE, stderr=errors, timeout=limit(60), check=False
            )
        except subprocess.TimeoutExpired:
            pytest.fail(f"ansible-doc did not end within {limit(60):.0f} s", pytrace=False)
        errors.seek(0)
        if done.returncode or "WARNING" in errors.read():
            pytest.fail(f"ansible-doc exited with {done.returncode}, or warned: {errors.name}", pytrace=False)
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown
