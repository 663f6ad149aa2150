# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules against the platform as the vendor's pages of 2021 and 2024 show it: fewer fields, numeric restore ids,
no filters of template runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.playbook import run_playbook, save

if TYPE_CHECKING:
    from pathlib import Path

    from support.simulator import Simulator

ORDERS = {"project_id": "storefront", "addon_id": "orders-postgres"}
PREVIEW = {"template_id": "preview-environment"}
TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "addon": ("addon_info", ORDERS),
    "containers": ("addon_container_info", ORDERS),
    "restores": ("backup_restore_info", {"project_id": "storefront"}),
    "failed runs": ("template_run_info", {**PREVIEW, "status": "failure"}),
    "open runs": ("template_run_info", {**PREVIEW, "concluded": False}),
    "a few failed runs": ("template_run_info", {**PREVIEW, "status": "failure", "limit": 5}),
}


@pytest.fixture(scope="module")
def results(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the tasks return, by compatibility and name."""
    tasks = [
        {"name": name, f"quayside.paas.{module}": arguments, "register": f"result_{number}"}
        for number, (name, (module, arguments)) in enumerate(TASKS.items())
    ]
    connection = {"group/quayside.paas.northflank": {"api_url": simulator.url, "api_token": simulator.token}}
    saved = save({name: f"result_{number}" for number, name in enumerate(TASKS)})
    plays = [{"hosts": "localhost", "gather_facts": False, "module_defaults": connection, "tasks": [*tasks, saved]}]
    found = {}
    for compatibility in ("seed", "today"):
        simulator.reset()
        simulator.clock(freeze=True)
        simulator.settings(compatibility=compatibility)
        run = run_playbook(tmp_path_factory.mktemp(compatibility), plays)
        assert run.returncode == 0, run.output[-3000:]
        found[compatibility] = run.results
    simulator.reset()
    return found


def test_fields_that_are_missing_stay_missing(results: dict[str, dict[str, Any]]) -> None:
    old, new = (results[compatibility]["addon"]["addons"][0] for compatibility in ("seed", "today"))
    assert {"uid", "tags", "cluster"} <= set(new) - set(old)
    assert old["spec"]["config"]["deployment"]["storage_size"] == new["spec"]["config"]["deployment"]["storage_size"]


def test_every_container_is_there(results: dict[str, dict[str, Any]]) -> None:
    old, new = (results[compatibility]["containers"]["containers"] for compatibility in ("seed", "today"))
    assert [container["name"] for container in old] == [container["name"] for container in new]


def test_ids_of_restores_are_strings_whatever_the_platform_sends(results: dict[str, dict[str, Any]]) -> None:
    old, new = (results[compatibility]["restores"]["restores"] for compatibility in ("seed", "today"))
    assert all(isinstance(restore["id"], str) and restore["id"].isdigit() for restore in old)
    assert all(isinstance(restore["id"], str) and len(restore["id"]) == 24 for restore in new)
    assert len(old) == len(new) > 0


@pytest.mark.parametrize("name", ["failed runs", "open runs"])
def test_filters_the_platform_does_not_know_work_all_the_same(name: str, results: dict[str, dict[str, Any]]) -> None:
    old, new = (
        [run["id"] for run in results[compatibility][name]["template_runs"]] for compatibility in ("seed", "today")
    )
    assert old == new
    assert old
    # All 133 runs were read, where the platform of today sends only those that are wanted.
    assert results["seed"][name]["request_count"] == 2
    assert results["today"][name]["request_count"] == 1


def test_a_limit_counts_what_passes_the_filter(results: dict[str, dict[str, Any]]) -> None:
    for compatibility in ("seed", "today"):
        runs = results[compatibility]["a few failed runs"]["template_runs"]
        assert [run["status"] for run in runs] == ["failure"] * 5


@pytest.mark.parametrize("compatibility", ["seed", "today"])
def test_what_is_begun_is_waited_for(simulator: Simulator, tmp_path: Path, compatibility: str) -> None:
    simulator.reset()
    quick = {"scheduled": 0.1, "running": 0.1}
    simulator.settings(compatibility=compatibility, backups=quick, restores=quick, runs={"pending": 0.1, "node": 0.1})
    ledger = {"project_id": "staging", "addon_id": "ledger-postgres"}
    acting: list[tuple[str, dict[str, Any]]] = [
        ("addon_backup", {**ledger, "name": "by hand"}),
        ("backup_restore", {**ledger, "backup_id": "{{ result_0.backup.id }}"}),
        ("template_run", {"template_id": "nightly-dumps-2"}),
    ]
    access = {"api_url": simulator.url, "api_token": simulator.token}
    tasks = [
        {f"quayside.paas.{module}": {**access, "wait_interval": 1, **arguments}, "register": f"result_{number}"}
        for number, (module, arguments) in enumerate(acting)
    ]
    saved = save({module: f"result_{number}" for number, (module, _arguments) in enumerate(acting)})
    run = run_playbook(tmp_path, [{"hosts": "localhost", "gather_facts": False, "tasks": [*tasks, saved]}])
    simulator.reset()
    assert run.returncode == 0, run.output[-3000:]
    assert all(result["changed"] for result in run.results.values())
    assert run.results["addon_backup"]["backup"]["status"] == "completed"
    assert run.results["backup_restore"]["restore"]["status"] == "completed"
    assert isinstance(run.results["backup_restore"]["restore"]["id"], str)
    assert run.results["template_run"]["template_run"]["status"] == "success"
