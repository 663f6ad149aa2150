# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the cases of a module in every way, in one playbook."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract.cases import CASES, Case, sample
from support.playbook import PlaybookTimeoutError, Run, run_playbook, save
from support.settings import NIGHTLY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.simulator import Simulator

IN_PROCESS = "in process"
AS_A_MODULE = "as a module"
WAYS = (IN_PROCESS, AS_A_MODULE)
# Durations at the platforms, short so that the suite is.
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
# Modules that only read have to return the same to the byte, so time stands still for them.
STILL = {"freeze": True, "set": "2026-11-02T08:00:00Z"}


@dataclasses.dataclass(frozen=True)
class CaseRun:
    """A case that runs in one way: in process twice, but in check mode and as a module once (twice in nightly runs)."""

    case: Case
    way: str
    check: bool
    # Numbers the runs of a piece.
    number: int
    # For files that the module writes.
    folder: Path
    # Of the first run and, if there is one, of the second.
    results: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    # The requests of all of them.
    journal: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        """Name it in one line."""
        return f"{self.case.module}: {self.case.name} ({self.way}{', check mode' if self.check else ''})"

    @property
    def result(self) -> dict[str, Any]:
        """Of the first run."""
        return self.results[0]

    @property
    def variables(self) -> list[str]:
        """The variables that take the results."""
        is_repeated = not self.check and (self.way == IN_PROCESS or NIGHTLY)
        return [f"result_{self.number}_{turn}" for turn in range(2 if is_repeated else 1)]

    @property
    def journal_file(self) -> Path:
        """The file for the requests."""
        return self.folder / f"journal-{self.number}.json"

    def tasks(self) -> list[dict[str, Any]]:
        """Return the tasks of the case itself."""
        args = {
            name: value.replace("FOLDER", str(self.folder)) if isinstance(value, str) else value
            for name, value in self.case.args.items()
        }
        task = {
            "name": f"{self.case.name} ({self.way})",
            f"quayside.paas.{self.case.module}": args,
            "ignore_errors": True,
        }
        return [{**task, "register": variable} for variable in self.variables]

    def requests(self) -> list[dict[str, Any]]:
        """Return what puts the simulator into the state that the case wants."""
        pace = {"control": "settings", "body": QUICK} if self.case.acts else {"control": "clock", "body": STILL}
        clear = {"control": "journal", "method": "DELETE"}
        return [{"control": "reset", "body": {}}, pace, *self.case.before, clear]

    def finished(self, run: Run) -> CaseRun:
        """Return it with what the playbook left."""
        results = [run.results[variable] for variable in self.variables]
        return dataclasses.replace(
            self, results=results, journal=json.loads(self.journal_file.read_text(encoding="utf-8"))
        )


@dataclasses.dataclass(frozen=True)
class Piece:
    """All cases of a module, in every way."""

    run: Run
    case_runs: list[CaseRun]

    def of_way(self, way: str, *, check: bool = False) -> dict[str, CaseRun]:
        """Return what ran in a way, by the name of the case."""
        return {one.case.name: one for one in self.case_runs if (one.way, one.check) == (way, check)}


class Pieces:
    """Runs each piece when a test first asks for it, and only once."""

    def __init__(self, simulator: Simulator, folder: Path) -> None:
        """Take the simulator to run on, and a folder for what the runs leave."""
        self.simulator = simulator
        self._folder = folder
        self._known: dict[str, Piece | str] = {}
        self._reported: set[str] = set()

    def get(self, module: str) -> Piece:
        """Return a piece. If its playbook failed, the first test that asks for it fails, and others are skipped."""
        if module not in self._known:
            self._known[module] = "its run was interrupted"
            self._known[module] = self._run(module)
        known = self._known[module]
        if isinstance(known, Piece):
            return known
        if module in self._reported:
            pytest.skip(f"the cases of {module} did not run, see its first failure")
        self._reported.add(module)
        pytest.fail(f"{module}: {known}", pytrace=False)

    def _run(self, module: str) -> Piece | str:
        """Return a piece, or why there is none."""
        folder = self._folder / module
        planned = list(_plan(module, folder))
        try:
            run = run_or_fail(
                folder,
                _plays(self.simulator, planned),
                *("-vvvvv", "--diff"),
                # With invocation, results repeat the arguments, the token among them: they have to be masked.
                env={"ANSIBLE_INJECT_INVOCATION": "1", **simulator_environment(self.simulator)},
            )
        except pytest.fail.Exception as error:
            return str(error.msg)
        return Piece(run, [one.finished(run) for one in planned])


def run_or_fail(folder: Path, plays: list[dict[str, Any]], *arguments: str, **more: Any) -> Run:
    """Do what run_playbook() does, and fail with one line if the playbook fails or does not end."""
    try:
        run = run_playbook(folder, plays, *arguments, **more)
    except PlaybookTimeoutError as error:
        pytest.fail(str(error), pytrace=False)
    if run.returncode:
        pytest.fail(run.summary, pytrace=False)
    return run


def report(findings: Iterable[str]) -> None:
    """Fail with a line for each finding, if there are any."""
    listed = list(findings)
    if listed:
        pytest.fail("\n".join(listed), pytrace=False)


def _plan(module: str, folder: Path) -> Iterator[CaseRun]:
    numbers = itertools.count()
    for way, check in itertools.product(WAYS, (False, True)):
        own = folder / f"{way}{' check' if check else ''}".replace(" ", "-")
        own.mkdir(parents=True)
        for case in CASES[module] if way == IN_PROCESS else sample(CASES[module]):
            yield CaseRun(case, way, check, next(numbers), own)


def _plays(sim: Simulator, planned: list[CaseRun]) -> list[dict[str, Any]]:
    common = {"hosts": "all", "gather_facts": False, "module_defaults": connections(sim)}
    plays = [
        {
            "name": f"Cases {way}{', check mode' if check else ''}",
            **common,
            "check_mode": check,
            "vars": {"quayside_paas_in_process": way == IN_PROCESS},
            "tasks": list(_tasks(cases)),
        }
        for (way, check), cases in itertools.groupby(planned, lambda one: (one.way, one.check))
    ]
    variables = {name: name for one in planned for name in one.variables}
    return [*plays, {"name": "End", **common, "tasks": [save(variables)]}]


def _tasks(cases: Iterable[CaseRun]) -> Iterator[dict[str, Any]]:
    earlier: dict[str, Any] = {}
    for one in cases:
        yield simulator_task(**earlier, requests=one.requests())
        yield from one.tasks()
        earlier = {"journal": str(one.journal_file)}
    yield simulator_task(**earlier)


def connections(sim: Simulator) -> dict[str, Any]:
    """Return module_defaults that lead to a simulator."""
    return {
        "group/quayside.paas.northflank": {"api_url": sim.url, "api_token": sim.token},
        "group/quayside.paas.cycle": {"api_url": sim.cycle.url, "api_key": sim.cycle.key, "hub_id": sim.cycle.hub},
    }


def simulator_task(**options: Any) -> dict[str, Any]:
    """Return a task that prepares the simulator (see control/simulator_control.py for the options)."""
    return {"name": "Prepare the simulator", "simulator_control": options, "check_mode": False}


def simulator_environment(sim: Simulator) -> dict[str, str]:
    """Return the variables of the environment that simulator_task() needs."""
    access = {
        "northflank": {"url": sim.url, "headers": {"Authorization": f"Bearer {sim.token}"}},
        "cycle": {"url": sim.cycle.url, "headers": sim.cycle.headers()},
    }
    return {
        "ANSIBLE_ACTION_PLUGINS": str(Path(__file__).parent / "control"),
        "SIMULATOR_ACCESS": json.dumps(access),
    }
