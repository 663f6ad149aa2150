# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules against the platform as the vendor's pages of 2021 and 2024 show it: fewer fields, numeric restore ids,
no filters of template runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from contract.runs import QUICK, connections, run_or_fail, simulator_environment, simulator_task
from support.playbook import save

if TYPE_CHECKING:
    from support.simulator import Simulator

ORDERS = {"project_id": "storefront", "addon_id": "orders-postgres"}
LEDGER = {"project_id": "staging", "addon_id": "ledger-postgres", "wait_interval": 1}
PREVIEW = {"template_id": "preview-environment"}
READING: dict[str, tuple[str, dict[str, Any]]] = {
    "addon": ("addon_info", ORDERS),
    "containers": ("addon_container_info", ORDERS),
    "restores": ("backup_restore_info", {"project_id": "storefront"}),
    "failed runs": ("template_run_info", {**PREVIEW, "status": "failure"}),
    "open runs": ("template_run_info", {**PREVIEW, "concluded": False}),
    "a few failed runs": ("template_run_info", {**PREVIEW, "status": "failure", "limit": 5}),
}
ACTING: dict[str, tuple[str, dict[str, Any]]] = {
    "backup": ("addon_backup", {**LEDGER, "name": "by hand"}),
    "restore": ("backup_restore", {**LEDGER, "backup_id": "{{ result_backup.backup.id }}"}),
    "template run": ("template_run", {"template_id": "nightly-dumps-2", "wait_interval": 1}),
}
COMPATIBILITIES = ("seed", "today")


@pytest.fixture(scope="module")
def results(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the tasks return, by compatibility and name."""
    variables = {name: f"result_{name.replace(' ', '_')}" for name in (*READING, *ACTING)}

    def tasks(some: dict[str, tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
        return [
            {"name": name, f"quayside.paas.{module}": options, "register": variables[name]}
            for name, (module, options) in some.items()
        ]

    found = {}
    for compatibility in COMPATIBILITIES:
        settings = {"northflank": {**QUICK["northflank"], "compatibility": compatibility}}
        prepare = [{"control": "reset", "body": {}}, {"control": "settings", "body": settings}]
        freeze = {"control": "clock", "body": {"freeze": True}}
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": connections(simulator),
            "tasks": [
                simulator_task(requests=[*prepare, freeze]),
                *tasks(READING),
                simulator_task(requests=prepare),
                *tasks(ACTING),
                save(variables),
            ],
        }
        run = run_or_fail(tmp_path_factory.mktemp(compatibility), [play], env=simulator_environment(simulator))
        found[compatibility] = run.results
    return found


def test_fields_that_are_missing_stay_missing(results: dict[str, dict[str, Any]]) -> None:
    old, new = (results[compatibility]["addon"]["addons"][0] for compatibility in COMPATIBILITIES)
    assert {"uid", "tags", "cluster"} <= set(new) - set(old)
    assert old["spec"]["config"]["deployment"]["storage_size"] == new["spec"]["config"]["deployment"]["storage_size"]


def test_every_container_is_there(results: dict[str, dict[str, Any]]) -> None:
    old, new = (results[compatibility]["containers"]["containers"] for compatibility in COMPATIBILITIES)
    assert [container["name"] for container in old] == [container["name"] for container in new]


def test_ids_of_restores_are_strings_whatever_the_platform_sends(results: dict[str, dict[str, Any]]) -> None:
    old, new = (results[compatibility]["restores"]["restores"] for compatibility in COMPATIBILITIES)
    assert all(isinstance(restore["id"], str) and restore["id"].isdigit() for restore in old)
    assert all(isinstance(restore["id"], str) and len(restore["id"]) == 24 for restore in new)
    assert len(old) == len(new) > 0


@pytest.mark.parametrize("name", ["failed runs", "open runs"])
def test_filters_the_platform_does_not_know_work_all_the_same(name: str, results: dict[str, dict[str, Any]]) -> None:
    old, new = (
        [run["id"] for run in results[compatibility][name]["template_runs"]] for compatibility in COMPATIBILITIES
    )
    assert old == new
    assert old
    # All 133 runs were read, where the platform of today sends only those that are wanted.
    assert results["seed"][name]["request_count"] == 2
    assert results["today"][name]["request_count"] == 1


def test_a_limit_counts_what_passes_the_filter(results: dict[str, dict[str, Any]]) -> None:
    for compatibility in COMPATIBILITIES:
        runs = results[compatibility]["a few failed runs"]["template_runs"]
        assert [run["status"] for run in runs] == ["failure"] * 5


@pytest.mark.parametrize("compatibility", COMPATIBILITIES)
def test_what_is_started_is_waited_for(compatibility: str, results: dict[str, dict[str, Any]]) -> None:
    acted = {name: results[compatibility][name] for name in ACTING}
    assert all(result["changed"] for result in acted.values())
    assert acted["backup"]["backup"]["status"] == "completed"
    assert acted["restore"]["restore"]["status"] == "completed"
    assert isinstance(acted["restore"]["restore"]["id"], str)
    assert acted["template run"]["template_run"]["status"] == "success"
