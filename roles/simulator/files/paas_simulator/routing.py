# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of routes as a tree of path segments: literal segments win over parameters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Target = TypeVar("Target")


@dataclass(slots=True)
class _Node(Generic[Target]):
    literals: dict[str, _Node[Target]] = field(default_factory=dict)
    parameter: tuple[str, _Node[Target]] | None = None
    methods: dict[str, Target] = field(default_factory=dict)


class Router(Generic[Target]):
    """Finds what serves a path."""

    def __init__(self) -> None:
        self._root: _Node[Target] = _Node()

    def add(self, method: str, template: str, target: Target) -> None:
        """Register a target under a template such as ``/v1/projects/{projectId}``."""
        node = self._root
        for part in template.split("/")[1:]:
            if part.startswith("{"):
                if node.parameter is None:
                    node.parameter = (part[1:-1], _Node())
                node = node.parameter[1]
            else:
                node = node.literals.setdefault(part, _Node())
        node.methods[method] = target

    def find(self, segments: tuple[str, ...]) -> tuple[dict[str, Target], dict[str, str]] | None:
        """Return the targets of a path by method, and its parameters; None for an unknown path."""
        node = self._root
        parameters: dict[str, str] = {}
        for part in segments:
            following = node.literals.get(part)
            if following is None:
                if node.parameter is None or not part:
                    return None
                name, following = node.parameter
                parameters[name] = part
            node = following
        return (node.methods, parameters) if node.methods else None
