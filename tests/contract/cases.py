# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of every module: tasks, on the estate that the simulator ships, and how they end."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from support.settings import NIGHTLY


@dataclasses.dataclass(frozen=True)
class Case:
    """A task with a module and how it ends."""

    module: str
    name: str
    # Whether the module acts, instead of only reading.
    acts: bool
    args: dict[str, Any] = dataclasses.field(default_factory=dict)
    # Requests that prepare the estate (see control/simulator_control.py).
    before: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    # What the first run and check mode report.
    changed: bool = False
    # What a second run reports.
    again: bool = False
    # Part of the message of a case that fails.
    fails_with: str | None = None
    # What check mode reports of a failure that it cannot foresee: changed or unchanged.
    check: str | None = None
    # A secret among the arguments.
    tells: str | None = None
    # Whether it proves something that only an ordinary module can show.
    always_as_module: bool = False


def sample(cases: list[Case]) -> list[Case]:
    """Return the cases of a module that also run as an ordinary module, which is slow.

    These are the first one that succeeds (and changes something, if any does), the first one that fails, and those
    marked with always_as_module; in nightly runs all.
    """
    if NIGHTLY:
        return cases
    succeeding = [case for case in cases if case.fails_with is None]
    failing = [case for case in cases if case.fails_with is not None]
    changing = [case for case in succeeding if case.changed]
    chosen = [*(changing or succeeding)[:1], *failing[:1]]
    return [case for case in cases if case in chosen or case.always_as_module]


def _load(name: str, acts: bool) -> dict[str, list[Case]]:
    content = yaml.safe_load((Path(__file__).parent / name).read_text(encoding="utf-8"))
    return {module: [Case(module=module, acts=acts, **case) for case in cases] for module, cases in content.items()}


CASES = _load("cases.yml", acts=False) | _load("action_cases.yml", acts=True)
