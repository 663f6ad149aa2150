# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to run a module, and the cases that are run in each of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from support.playbook import Run, save

if TYPE_CHECKING:
    from support.simulator import Simulator

# By module: a list of cases with the name of the case, its arguments and, where it has to fail, part of the message.
CASES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "cases.yml").read_text(encoding="utf-8")
)

# The second turn is in process only: that both hosts agree on the first one is a test of its own, and modules are slow.
WAYS: dict[str, dict[str, Any]] = {
    "in process": {"in_process": True, "check": False, "turns": ("first", "second")},
    "as a module": {"in_process": False, "check": False, "turns": ("first",)},
    "in process, check mode": {"in_process": True, "check": True, "turns": ("first", "second")},
    "as a module, check mode": {"in_process": False, "check": True, "turns": ("first",)},
}


@dataclasses.dataclass(frozen=True)
class Ran:
    """One way of running all cases. results: by module, case and turn (first, second). journal: what was asked."""

    run: Run
    journal: list[dict[str, Any]]

    def result(self, module: str, case: str, turn: str = "first") -> dict[str, Any]:
        return self.run.results[f"{module}/{case}/{turn}"]


def play(sim: Simulator, turns: tuple[str, ...]) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = []
    variables: dict[str, str] = {}
    for turn in turns:
        for module, cases in CASES.items():
            for case in cases:
                variable = f"result_{len(variables)}"
                variables[f"{module}/{case['name']}/{turn}"] = variable
                tasks.append(
                    {
                        "name": f"{module}: {case['name']} ({turn})",
                        f"quayside.paas.{module}": case.get("args", {}),
                        "register": variable,
                        "ignore_errors": "fails_with" in case,
                    }
                )
    connections = {
        "group/quayside.paas.northflank": {"api_url": sim.url, "api_token": sim.token},
        "group/quayside.paas.cycle": {"api_url": sim.cycle.url, "api_key": sim.cycle.key, "hub_id": sim.cycle.hub},
    }
    return [
        {
            "name": "Run every case of every module",
            "hosts": "all",
            "gather_facts": False,
            "module_defaults": connections,
            "tasks": [*tasks, save(variables)],
        }
    ]
