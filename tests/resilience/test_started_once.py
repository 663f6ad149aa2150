# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups, restores and template runs of Northflank are started once, whatever becomes of the request or its answer.

The module runs as a process of its own, as Ansible starts it. Time is simulated.
"""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from resilience import module_process
from resilience.module_process import PATIENT, Arguments, ModuleProcess
from support.settings import wait_for
from support.simulator import Simulator

if t.TYPE_CHECKING:
    from pathlib import Path

ADDON = "/v1/projects/staging/addons/ledger-postgres"
WHERE = {"project_id": "staging", "addon_id": "ledger-postgres"}


@dataclasses.dataclass(frozen=True)
class Start:
    """A task that starts something. path: what is posted to. listed: where what was started is listed, and its key."""

    module: str
    arguments: Arguments
    path: str
    listed: str
    key: str
    returned: str


STARTS = {
    "backup": Start("addon_backup", WHERE, f"{ADDON}/backups", f"{ADDON}/backups", "backups", "backup"),
    "named backup": Start(
        "addon_backup", {**WHERE, "name": "nightly"}, f"{ADDON}/backups", f"{ADDON}/backups", "backups", "backup"
    ),
    "restore": Start(
        "backup_restore",
        {**WHERE, "backup_id": "nightly-2026-11-02"},
        f"{ADDON}/backups/nightly-2026-11-02/restore",
        f"{ADDON}/restores",
        "restores",
        "restore",
    ),
    "run": Start(
        "template_run",
        {"template_id": "nightly-dumps-2", "arguments": {"a": "b"}},
        "/v1/templates/nightly-dumps-2/runs",
        "/v1/templates/nightly-dumps-2/runs",
        "templateRuns",
        "template_run",
    ),
}
every_start = pytest.mark.parametrize("name", STARTS)
every_module = pytest.mark.parametrize("name", ["backup", "restore", "run"])


class Platform:
    """A simulator, and what the tests ask of it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.restart()

    def restart(self, working: float = 0.2) -> None:
        """Everything as at the start. working: seconds that backups and restores take, and each node of a run."""
        self.simulator.reset()
        phases = {"scheduled": 0.1, "running": working}
        self.simulator.settings(backups=phases, restores=phases, runs={"pending": 0.1, "node": working})

    def ids(self, start: Start) -> set[str]:
        found = self.simulator.get(f"{start.listed}?per_page=100").data["data"][start.key]
        return {str(one["id"]) for one in found}

    def posts(self, start: Start) -> int:
        """How often it was asked for."""
        return sum(entry["method"] == "POST" and entry["path"] == start.path for entry in self.simulator.journal())


@pytest.fixture
def platform(simulator: Simulator) -> Platform:
    return Platform(simulator)


def run(platform: Platform, folder: Path, start: Start, **more: t.Any) -> dict[str, t.Any]:
    return begin(platform, folder, start, **more).result()


def begin(platform: Platform, folder: Path, start: Start, **more: t.Any) -> ModuleProcess:
    access = {"api_url": platform.simulator.url, "api_token": platform.simulator.token}
    arguments = {**access, **PATIENT, **start.arguments, **more}
    return module_process.start(platform.simulator, folder, start.module, arguments)


@every_start
@pytest.mark.parametrize("fault", [{"reset": "after"}, {"delay": 3600}], ids=["broken", "late"])
def test_its_answer_is_lost(platform: Platform, tmp_path: Path, name: str, fault: dict[str, t.Any]) -> None:
    start = STARTS[name]
    before = platform.ids(start)
    platform.simulator.fault("POST", start.path, fault)
    # Reads that a slow machine does not answer within a second are repeated.
    result = run(platform, tmp_path, start, timeout=1)
    assert not result.get("failed"), result
    assert result["changed"] is True
    assert platform.posts(start) == 1
    assert platform.ids(start) - before == {result[start.returned]["id"]}


@every_module
def test_the_connection_breaks_at_any_request(platform: Platform, tmp_path: Path, name: str) -> None:
    start = STARTS[name]
    number, hit = 1, True
    while hit:
        platform.restart()
        before = platform.ids(start)
        platform.simulator.clear_journal()
        platform.simulator.fault("*", "*", {"reset": "body"}, after=number - 1)
        result = run(platform, tmp_path, start)
        hit = platform.simulator.faults()[0]["hits"] == 1
        platform.simulator.clear_faults()
        assert not result.get("failed"), f"broken at request {number}: {result}"
        assert platform.posts(start) == 1, f"broken at request {number}"
        assert len(platform.ids(start) - before) == 1, f"broken at request {number}"
        number += 1
    assert number > 3


@every_module
@pytest.mark.parametrize("fault", [{"reset": "before"}, {"status": 503}], ids=["lost", "refused"])
def test_it_never_arrived(platform: Platform, tmp_path: Path, name: str, fault: dict[str, t.Any]) -> None:
    """Nobody can tell: it is not asked for again, and the task says so."""
    start = STARTS[name]
    before = platform.ids(start)
    platform.simulator.fault("POST", start.path, fault)
    result = run(platform, tmp_path, start, wait_timeout=60)
    assert result["failed"]
    assert result["changed"] is True
    assert "was not asked for again" in result["msg"]
    assert platform.posts(start) == 1
    assert platform.ids(start) == before


def test_the_rate_limit_refuses_it(platform: Platform, tmp_path: Path) -> None:
    """A refusal is certain: then it is asked for again."""
    start = STARTS["run"]
    before = platform.ids(start)
    platform.simulator.fault("POST", start.path, {"rate_limit": {"status": 429, "retry_after": 1}})
    result = run(platform, tmp_path, start)
    assert not result.get("failed"), result
    assert platform.posts(start) == 2
    assert len(platform.ids(start) - before) == 1


def accepted(platform: Platform, start: Start) -> bool:
    """Whether the platform has carried out the request that starts it."""
    return any(
        entry["method"] == "POST" and entry["path"] == start.path and entry["status"]
        for entry in platform.simulator.journal()
    )


@pytest.mark.parametrize("name", ["named backup", "restore"])
def test_killed_when_it_was_accepted(platform: Platform, tmp_path: Path, name: str) -> None:
    """The next run goes on with what is under way."""
    start = STARTS[name]
    platform.restart(working=6)
    before = platform.ids(start)
    platform.simulator.fault("POST", start.path, {"delay": 3600})
    process = begin(platform, tmp_path, start)
    wait_for(lambda: accepted(platform, start), "the request to start it")
    process.kill()
    result = run(platform, tmp_path, start)
    assert not result.get("failed"), result
    assert result["changed"] is False
    assert platform.posts(start) == 1
    assert platform.ids(start) - before == {result[start.returned]["id"]}
