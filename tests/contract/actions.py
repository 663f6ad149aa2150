# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays for modules that act: each case on a simulator that was just put back to the start, its clock running."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from support.playbook import Run, run_playbook, save

if TYPE_CHECKING:
    from support.simulator import Simulator

# By module: cases with name, args, changed (what the first run has to say), and where they differ from the default:
# again (what the second run has to say), before (requests that prepare the estate), fails_with (part of the message),
# check (changed or unchanged: what check mode says of one that fails), tells (a secret among its arguments).
CASES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    (Path(__file__).parent / "action_cases.yml").read_text(encoding="utf-8")
)
ALL = [(module, case["name"]) for module, cases in CASES.items() for case in cases]
# The platform in a hurry, so that the suite is.
QUICK = {
    "cycle": {
        "jobs": {"queued": 0.1, "running": 0.3},
        "instances": {"new": 0.1, "starting": 0.1, "healthy": 0.05, "deleting": 0.1},
        "migration": {"seconds": 0.5},
    },
    "northflank": {
        "backups": {"scheduled": 0.1, "running": 0.2, "aborting": 0.1},
        "restores": {"scheduled": 0.1, "running": 0.2, "aborting": 0.1},
        "runs": {"pending": 0.1, "node": 0.1, "aborting": 0.1},
    },
}
WAYS: dict[str, dict[str, bool]] = {
    "in process": {"in_process": True, "check": False},
    "as a module": {"in_process": False, "check": False},
    "in process, check mode": {"in_process": True, "check": True},
    "as a module, check mode": {"in_process": False, "check": True},
}


@dataclasses.dataclass(frozen=True)
class Acted:
    """One way of running all cases. journals: by module and case, what the first run asked of the platform."""

    run: Run
    journals: dict[str, list[dict[str, Any]]]

    def result(self, module: str, case: str, turn: str = "first") -> dict[str, Any]:
        return self.run.results[f"{module}/{case}/{turn}"]

    def journal(self, module: str, case: str) -> list[dict[str, Any]]:
        return self.journals[f"{module}/{case}"]


def case_of(module: str, name: str) -> dict[str, Any]:
    """A case by its name."""
    return next(case for case in CASES[module] if case["name"] == name)


def run_way(sim: Simulator, folder: Path, way: dict[str, bool]) -> Acted:
    """Runs every case in a way: once in check mode, twice otherwise."""
    tasks, variables, journals = _tasks(sim, folder, () if way["check"] else ("second",))
    run = run_playbook(
        folder,
        [
            {
                "name": "Act",
                "hosts": "all",
                "gather_facts": False,
                "module_defaults": {
                    "group/quayside.paas.cycle": {
                        "api_url": sim.cycle.url,
                        "api_key": sim.cycle.key,
                        "hub_id": sim.cycle.hub,
                    },
                    "group/quayside.paas.northflank": {"api_url": sim.url, "api_token": sim.token},
                },
                "tasks": [
                    *tasks,
                    save({**variables, **{f"journal/{name}": value for name, value in journals.items()}}),
                ],
            }
        ],
        "-vvvvv",
        *(["--check"] if way["check"] else []),
        "--diff",
        extra_vars={"quayside_paas_in_process": way["in_process"]},
        env={"ANSIBLE_INJECT_INVOCATION": "1", "ANSIBLE_ACTION_PLUGINS": str(Path(__file__).parent / "control")},
        timeout=600,
    )
    assert run.results, run.output[-6000:]
    found = {name: run.results[f"journal/{name}"]["answers"][0]["entries"] for name in journals}
    return Acted(run, found)


def _tasks(
    sim: Simulator, folder: Path, more_turns: tuple[str, ...]
) -> tuple[list[dict[str, Any]], dict[str, str], dict[str, str]]:
    tasks: list[dict[str, Any]] = []
    variables: dict[str, str] = {}
    journals: dict[str, str] = {}
    for module, case in ((module, case) for module, cases in CASES.items() for case in cases):
        name = f"{module}/{case['name']}"
        arguments = _filled(case.get("args", {}), folder)
        before = [_prepared(sim, one) for one in case.get("before", [])]
        tasks.append(
            _control(
                f"{name}: prepare",
                [
                    _sim(sim, "reset", {}),
                    _sim(sim, "settings", QUICK),
                    *before,
                    _sim(sim, "journal", None, "DELETE"),
                ],
            )
        )
        for turn in ("first", *more_turns):
            variables[f"{name}/{turn}"] = f"result_{len(variables)}"
            tasks.append(
                {
                    "name": f"{name} ({turn})",
                    f"quayside.paas.{module}": arguments,
                    "register": variables[f"{name}/{turn}"],
                    "ignore_errors": True,
                }
            )
            if turn == "first":
                journals[name] = f"journal_{len(journals)}"
                tasks.append({**_control(f"{name}: journal", [_sim(sim, "journal")]), "register": journals[name]})
    return tasks, variables, journals


def _filled(arguments: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {
        name: value.replace("FOLDER", str(folder)) if isinstance(value, str) else value
        for name, value in arguments.items()
    }


def _control(name: str, requests: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "simulator_control": {"requests": requests}, "check_mode": False, "no_log": True}


def _sim(sim: Simulator, control: str, body: Any = None, method: str | None = None) -> dict[str, Any]:
    verb = method or ("GET" if body is None else "POST")
    return {"url": f"{sim.url}/_sim/{control}", "method": verb, "body": body}


def _prepared(sim: Simulator, asked: dict[str, Any]) -> dict[str, Any]:
    """A preparing request: `control` names one below /_sim/, `path` one of the platform, `advance` moves the clock.

    The platform is that of the module's, as the path tells.
    """
    if "advance" in asked:
        return _sim(sim, "clock", {"advance": asked["advance"]})
    if "control" in asked:
        return _sim(sim, asked["control"], asked["body"])
    of_northflank = asked["path"].startswith(("/v1/projects/", "/v1/templates/"))
    headers = {"Authorization": f"Bearer {sim.cycle.key}", "X-Hub-Id": sim.cycle.hub}
    if of_northflank:
        headers = {"Authorization": f"Bearer {sim.token}"}
    return {
        "url": (sim.url if of_northflank else sim.cycle.url) + asked["path"],
        "method": asked.get("method", "POST"),
        "headers": headers,
        "body": asked.get("body"),
    }


# What differs from run to run: time, what the platform makes anew (addresses too, in the simulator), and how soon it
# tells of a new instance's health.
CHANGING = frozenset(
    {"seconds", "request_count", "rate_limit", "invocation", "health", "readiness"}
    | {"secret", "token", "url", "ansible_password", "port", "ansible_port"}
    | {"lines", "replayed", "bytes", "match", "environment"}
    | {"start_time", "end_time"}
)
FOLDER = re.compile(r"\S*/actions\d+/")
PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+")
COUNT = re.compile(r"(?<=Lines seen: )\d+")
STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*Z")
# What the platform calls a backup that is given no name, and the id it makes of that.
UNNAMED = re.compile(r"(?<=anual.)\d{4}-\d\d-\d\d[- ]\d\d[-:]\d\d[-:]\d\d")
ID = re.compile(r"\b(?:[0-9a-f]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")


def lasting(value: Any, known: frozenset[str]) -> Any:
    """A result without what differs from run to run. known: ids of the estate, which stay."""
    if isinstance(value, dict):
        return {lasting(name, known): lasting(inner, known) for name, inner in value.items() if name not in CHANGING}
    if isinstance(value, list):
        return [lasting(inner, known) for inner in value]
    if isinstance(value, str):
        without = COUNT.sub("N", PORT.sub("PORT", FOLDER.sub("FOLDER/", STAMP.sub("TIME", UNNAMED.sub("TIME", value)))))
        return ID.sub(lambda found: found[0] if found[0] in known else "NEW", without)
    return value
