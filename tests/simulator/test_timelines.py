# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What moves on the simulator's clock."""

from __future__ import annotations

from typing import Any

import pytest

from support.settings import wait_for
from support.simulator import Simulator

ADDON = "/v1/projects/storefront/addons/orders-postgres"
RUNS = "/v1/templates/preview-environment/runs"


def states(sim: Simulator, path: str, moments: list[float], key: str = "status") -> list[Any]:
    """Return a value of a thing at moments (seconds from the start)."""
    found = []
    for moment in moments:
        sim.clock(set=f"2026-11-02T08:{int(moment // 60):02}:{moment % 60:06.3f}Z")
        found.append(sim.get(path).data["data"].get(key))
    return found


@pytest.mark.parametrize(
    ("path", "moments", "expected"),
    [
        (f"{ADDON}/backups/before-release-2026-11-02", [0, 29.9, 30, 89.9, 90],
         ["scheduled", "scheduled", "in-progress", "in-progress", "completed"]),
        (f"{ADDON}/backups/manual-3", [0, 20], ["aborting", "aborted"]),
        ("/v1/projects/storefront/addons/shop-mysql", [179, 180], ["upgrading", "running"]),
        ("/v1/projects/staging/addons/fresh-postgres", [0, 10, 20, 40, 60],
         ["preDeployment", "triggerAllocation", "allocating", "postDeployment", "running"]),
        ("/v1/projects/staging/addons/restoring", [54, 55], ["restore", "failed"]),
        ("/v1/projects/staging/addons/fresh-postgres", [200], ["running"]),
    ],
)  # fmt: skip
def test_states_in_time(still: Simulator, path: str, moments: list[float], expected: list[str]) -> None:
    assert states(still, path, moments) == expected


def test_a_backup_completes(still: Simulator) -> None:
    path = f"{ADDON}/backups/before-release-2026-11-02"
    before = still.get(path).data["data"]
    assert "completedAt" not in before
    assert before["config"]["size"] == "0"
    still.clock(advance=500)
    after = still.get(path).data["data"]
    # The moment of the step, not that of the question.
    assert after["completedAt"] == "2026-11-02T08:01:30.000Z"
    assert after["config"] == {**before["config"], "size": "2147483648"}


def test_an_upgrade_changes_the_configuration(still: Simulator) -> None:
    path = "/v1/projects/storefront/addons/shop-mysql"
    before = still.get(path).data["data"]["spec"]
    assert [action.get("type") for action in before["pendingActions"]] == ["upgrade", "restart"]
    still.clock(advance=180)
    after = still.get(path).data["data"]["spec"]
    assert after["pendingActions"] == []
    assert after["config"] == {**before["config"], "versionTag": "8.4.3", "lifecycleStatus": "active"}


def test_a_restore_shows_in_the_backup(still: Simulator) -> None:
    backup = f"{ADDON}/backups/nightly-2026-11-01"
    path = f"{backup}/restores"
    assert still.get(backup).data["data"]["lastRestore"] == {
        "restoreTimestamp": "2026-11-02T07:58:00.010Z",
        "status": "scheduled",
    }
    still.clock(advance=120)
    assert still.get(backup).data["data"]["lastRestore"] == {
        "restoreTimestamp": "2026-11-02T07:58:00.010Z",
        "status": "completed",
        "completedAt": "2026-11-02T08:02:00.000Z",
    }
    assert [item["status"] for item in still.get(path).data["data"]["restores"]] == [
        "completed",
        "completed",
        "completed",
        "failed",
    ]


def pending_run(sim: Simulator, status: str) -> dict[str, Any]:
    """Return the first run in a state, as listed."""
    found: dict[str, Any] = sim.get(f"{RUNS}?status={status}").data["data"]["templateRuns"][0]
    return found


def test_a_run_goes_its_way(still: Simulator) -> None:
    run = pending_run(still, "pending")
    assert not {"startedAt", "concludedAt"} & set(run)

    def listed() -> dict[str, Any]:
        page = still.get(f"{RUNS}?per_page=100").data["data"]["templateRuns"]
        return next(item for item in page if item["id"] == run["id"])

    still.clock(advance=20)
    running = listed()
    assert (running["status"], running["concluded"]) == ("running", False)
    assert running["startedAt"] == running["updatedAt"] == "2026-11-02 08:00:15.000Z"
    still.clock(advance=60)
    done = listed()
    assert (done["status"], done["concluded"], done["startedAt"]) == ("success", True, running["startedAt"])
    assert done["concludedAt"] == done["updatedAt"] == "2026-11-02 08:01:15.000Z"


def test_a_run_is_started_once(still: Simulator) -> None:
    run = pending_run(still, "retrying")
    still.clock(advance=35)
    item = next(
        each for each in still.get(f"{RUNS}?status=running").data["data"]["templateRuns"] if each["id"] == run["id"]
    )
    assert item["startedAt"] == run["startedAt"]


def test_the_node_tree_follows_the_run(still: Simulator) -> None:
    run = pending_run(still, "running")

    def nodes() -> list[str]:
        steps = still.get(f"{RUNS}/{run['id']}").data["data"]["spec"]["spec"]["steps"]
        return [step["response"]["status"] for step in steps]

    assert nodes() == ["success", "waiting", "waiting", "waiting"]
    still.clock(advance=40)
    assert nodes() == ["success", "failure", "skipped", "skipped"]


def test_containers_show_unix_seconds(still: Simulator) -> None:
    path = "/v1/projects/data-platform/addons/analytics-postgres/containers"
    still.clock(advance=40)
    container = still.get(path).data["data"]["containers"][1]
    assert (container["status"], container["ipAddresses"]) == ("TASK_RUNNING", ["10.244.3.19"])
    assert container["updatedAt"] == 1793606440


def test_going_back_undoes_nothing(still: Simulator) -> None:
    path = f"{ADDON}/backups/manual-3"
    still.clock(advance=20)
    assert still.get(path).data["data"]["status"] == "aborted"
    still.clock(advance=-20)
    assert still.get(path).data["data"]["status"] == "aborted"


def test_it_happens_by_itself_when_the_clock_runs(sim: Simulator) -> None:
    sim.clock(advance=19.5)
    path = f"{ADDON}/backups/manual-3"
    wait_for(lambda: sim.get(path).data["data"]["status"] != "aborting", "the end of the backup")
    assert sim.get(path).data["data"]["completedAt"] == "2026-11-02T08:00:20.000Z"
