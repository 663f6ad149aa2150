# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drills: a backup is taken or picked, restored into a scratch addon, checked, measured; and what goes wrong."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from role_runs import RoleRun, every_result, last_request, play, started

from support.settings import limit, wait_for
from support.simulator import Simulator

LEDGER = {"project_id": "staging", "addon_id": "ledger-postgres", "scratch_addon_id": "restore-scratch"}
ORDERS = {"project_id": "storefront", "addon_id": "orders-postgres", "scratch_project_id": "staging"}
SOURCE, SCRATCH = (f"/v1/projects/staging/addons/{LEDGER[name]}" for name in ("addon_id", "scratch_addon_id"))
KEYS = {
    *("passed", "reasons", "backup", "restore", "age_seconds", "duration_seconds", "duration_by", "objectives"),
    *("check_mode", "project_id", "addon_id", "scratch_project_id", "scratch_addon_id", "taken", "checks", "left"),
    "would",
}
QUICK = {"scheduled": 0.001, "running": 0.001, "aborting": 0.001}  # seconds, over before anybody looks


@pytest.fixture(autouse=True)
def _quick(sim: Simulator) -> None:
    sim.settings(backups=QUICK, restores=QUICK)


def variables(**given: Any) -> dict[str, Any]:
    """Extra variables; given without their prefix."""
    return {f"backup_drill_{name}": value for name, value in {**LEDGER, "wait_interval": 1, **given}.items()}


def drill(sim: Simulator, folder: Path, *arguments: str, **given: Any) -> tuple[RoleRun, dict[str, Any]]:
    """Plays the playbook; how it went, and the artifact, whose shape is always the same."""
    done = play(sim, folder, "backup_drill", variables(**given), *arguments)
    assert "Traceback" not in done.output
    found: dict[str, Any] = done.artifacts["backup_drill_result"]
    assert set(found) == KEYS
    assert done.code == (2 if found["reasons"] else 0), done.output
    return done, found


def writes(done: RoleRun) -> list[str]:
    """What was changed, in order."""
    return [f"{entry['method']} {entry['path']}" for entry in done.writes]


def statuses(sim: Simulator, addon: str, what: str) -> list[str]:
    """The statuses of the backups or restores of an addon that the estate did not have at its start."""
    listed = sim.get(f"{addon}/{what}?per_page=100").data["data"][what]
    return [one["status"] for one in listed if not one.get("name", "").startswith("nightly/")]


@contextlib.contextmanager
def when_seen(sim: Simulator, path: str, act: Callable[[], object]) -> Iterator[None]:
    """Acts once, as soon as a POST to a path that ends so is in the journal."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            if any(entry["method"] == "POST" and entry["path"].endswith(path) for entry in sim.journal()):
                act()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def test_a_backup_is_taken_restored_checked_and_deleted(sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "checks.yml").write_text(
        "- name: Is it the scratch addon, and the backup?\n"
        "  ansible.builtin.assert:\n"
        "    that: [backup_drill_scratch.id == 'restore-scratch', backup_drill_restored.status == 'completed']\n",
        encoding="utf-8",
    )
    done, found = drill(
        sim,
        tmp_path,
        backup="take",
        checks=str(tmp_path / "checks.yml"),
        max_age=60,
        max_duration=60,
        backup_type="dump",
    )
    assert (found["passed"], found["reasons"], found["checks"], found["taken"]) == (True, [], "passed", True)
    backup, restore = found["backup"], found["restore"]
    assert (backup["status"], restore["status"], found["duration_by"]) == ("completed", "completed", "platform")
    assert 0 <= found["age_seconds"] < 3600
    assert 0 < found["duration_seconds"] < 3600
    assert found["objectives"] == {
        "max_age_seconds": 3600, "max_duration_seconds": 3600, "age_met": True, "duration_met": True,
    }  # fmt: skip
    assert writes(done) == [
        f"POST {SOURCE}/backups",
        f"POST {SCRATCH}/backups/{backup['id']}/restore",
        f"DELETE {SOURCE}/backups/{backup['id']}",
    ]
    assert done.writes[0]["body"] == {"name": backup["name"], "backupType": "dump"}
    assert statuses(sim, SOURCE, "backups") == []
    assert statuses(sim, SCRATCH, "restores") == ["completed"]
    assert found["left"] == ["The addon restore-scratch of the project staging has the data of the backup."]
    assert "DRILL     passed" in done.output


def test_the_latest_backup_of_another_project_misses_both_objectives(sim: Simulator, tmp_path: Path) -> None:
    sim.clock(freeze=True)
    sim.settings(restores={"scheduled": 1, "running": 179})
    backups = sim.get("/v1/projects/storefront/addons/orders-postgres/backups?per_page=100").data["data"]["backups"]
    latest = max((one for one in backups if one["status"] == "completed"), key=lambda one: one["completedAt"])
    with when_seen(sim, "/restore", lambda: sim.clock(advance=180)):
        done, found = drill(sim, tmp_path, **ORDERS, max_age=1, max_duration=2)
    assert found["backup"]["id"] == latest["id"]
    assert not found["passed"]
    assert (found["objectives"]["age_met"], found["objectives"]["duration_met"]) == (False, False)
    assert found["duration_seconds"] == 180
    assert found["age_seconds"] > 60
    assert "1 min are allowed" in found["reasons"][0]
    assert found["reasons"][1].endswith("min; 2 min are allowed.")
    assert [entry["query"] for entry in done.writes] == [
        {"sourceProjectId": ["storefront"], "sourceAddonId": ["orders-postgres"]}
    ]


SAME = {"data": {"uid": "5f0000000000000000000001"}}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "same id": ({"scratch_addon_id": LEDGER["addon_id"], "backup": "take"}, "The scratch addon is the addon itself"),
    "same uid": ({}, "The scratch addon is the addon itself"),
    "types": (
        {**ORDERS, "scratch_project_id": "storefront", "scratch_addon_id": "shop-mysql"},
        "of the same type",
    ),
    "backup": ({**ORDERS, "backup": "before-release-2026-11-02"}, "is not completed (its status is scheduled)"),
}


def test_what_must_not_be_is_refused_before_anything_is_sent(sim: Simulator, tmp_path: Path) -> None:
    sim.clock(freeze=True)
    for path in (SOURCE, SCRATCH):
        sim.fault("GET", path, {"patch": SAME}, times=None)
    tasks = [
        {
            "name": name,
            "block": [
                {"ansible.builtin.include_role": {"name": "quayside.paas.backup_drill"}, "vars": variables(**given)}
            ],
            "rescue": [{"ansible.builtin.meta": "noop"}],
        }
        for name, (given, _said) in REFUSED.items()
    ]
    done = play(sim, tmp_path, [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}], None, "-v")
    results = every_result(done.output, "backup_drill_result")
    for (name, (_given, said)), found in zip(REFUSED.items(), results, strict=True):
        assert (found["passed"], found["left"], found["restore"]) == (False, [], None), name
        assert said in found["reasons"][0], name
    assert not done.writes


def test_check_mode_says_what_would_be_done(sim: Simulator, tmp_path: Path) -> None:
    done, found = drill(sim, tmp_path, "--check", backup="take")
    assert (found["passed"], found["check_mode"]) == (None, True)
    assert [step.split()[0] for step in found["would"]] == ["Take", "Restore", "Delete"]
    assert "Its data is replaced." in done.output
    assert not done.writes


def test_check_mode_as_a_keyword_proves_nothing(sim: Simulator, tmp_path: Path) -> None:
    role = {"ansible.builtin.include_role": {"name": "quayside.paas.backup_drill"}}
    plays = [{"hosts": "localhost", "gather_facts": False, "check_mode": True, "tasks": [role]}]
    done = play(sim, tmp_path, plays, variables())
    assert (done.code, done.writes) == (2, [])
    found = done.artifacts["backup_drill_result"]
    assert (found["passed"], found["reasons"]) == (False, ["No restore was completed, so that nothing is proved."])


def test_a_restore_that_fails_leaves_no_backup(sim: Simulator, tmp_path: Path) -> None:
    sim.settings(restores={"outcome": "failed"})
    done, found = drill(sim, tmp_path, backup="take")
    assert (found["passed"], found["restore"]["status"], found["duration_seconds"]) == (False, "failed", None)
    assert "failed" in found["reasons"][0]
    assert writes(done)[-1].startswith(f"DELETE {SOURCE}/backups/")
    assert statuses(sim, SOURCE, "backups") == []
    assert "may be incomplete" in found["left"][0]


def test_a_backup_that_fails_is_not_restored(sim: Simulator, tmp_path: Path) -> None:
    sim.settings(backups={"outcome": "failed"})
    done, found = drill(sim, tmp_path, backup="take")
    assert (found["backup"]["status"], found["restore"], found["left"]) == ("failed", None, [])
    assert [line.split()[0] for line in writes(done)] == ["POST", "DELETE"]
    assert statuses(sim, SOURCE, "backups") == []


def test_checks_that_fail_and_no_cleaning_up(sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "checks.yml").write_text(
        '- {name: Count the orders, ansible.builtin.fail: {msg: "There are {{ 1 - 1 }} orders."}}\n', encoding="utf-8"
    )
    _done, found = drill(sim, tmp_path, backup="take", checks=str(tmp_path / "checks.yml"), cleanup=False)
    assert (found["passed"], found["checks"]) == (False, "failed")
    assert found["reasons"] == ["Count the orders: There are 0 orders."]
    assert found["restore"]["status"] == "completed"
    assert statuses(sim, SOURCE, "backups") == ["completed"]
    assert len(found["left"]) == 2


def test_what_a_check_with_no_log_says_is_not_repeated(sim: Simulator, tmp_path: Path) -> None:
    secret = os.urandom(12).hex()
    (tmp_path / "checks.yml").write_text(
        f'- {{name: Log in, no_log: true, ansible.builtin.fail: {{msg: "{secret} is wrong"}}}}\n', encoding="utf-8"
    )
    _done, found = drill(sim, tmp_path, checks=str(tmp_path / "checks.yml"))
    assert found["reasons"] == ["Log in: it failed, and its no_log hides why"]
    assert secret not in repr(found)


def test_a_backup_of_an_earlier_drill_that_is_being_aborted_is_in_no_way(sim: Simulator, tmp_path: Path) -> None:
    sim.settings(backups={**QUICK, "outcome": "in-progress", "aborting": 600})
    pair = "staging/ledger-postgres/staging/restore-scratch"
    name = f"backup drill {hashlib.sha256(pair.encode()).hexdigest()[:12]}"
    earlier = sim.send("POST", f"{SOURCE}/backups", {"name": name}).data["data"]["id"]
    assert sim.send("POST", f"{SOURCE}/backups/{earlier}/abort").status == 200
    sim.settings(backups={**QUICK, "outcome": "completed", "aborting": 600})
    done, found = drill(sim, tmp_path, backup="take")
    assert (found["passed"], found["reasons"]) == (True, [])
    assert found["backup"]["id"] != earlier
    assert writes(done)[-1] == f"DELETE {SOURCE}/backups/{found['backup']['id']}"
    assert statuses(sim, SOURCE, "backups") == ["aborting"]


def test_an_addon_that_does_not_run_again_is_a_failure(sim: Simulator, tmp_path: Path) -> None:
    sim.fault("GET", SCRATCH, {"patch": {"data": {"status": "restore"}}}, times=None)
    _done, found = drill(sim, tmp_path, wait_timeout=1)
    assert found["restore"]["status"] == "completed"
    assert found["reasons"][0].startswith("Wait until the scratch addon runs again")


def test_a_run_after_a_killed_one_goes_on_with_what_it_began_and_aborts_what_takes_too_long(
    sim: Simulator, tmp_path: Path
) -> None:
    sim.settings(restores={"outcome": "in-progress"})
    since = last_request(sim)
    with started(sim, tmp_path / "killed", "backup_drill", variables(backup="take")) as process:

        def restoring() -> bool:
            assert process.poll() is None, process.communicate()[0]
            return statuses(sim, SCRATCH, "restores") == ["in-progress"]

        wait_for(restoring, "the restore")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=limit(10))
    # The killed one left both under way. The next one goes on with them, and gives up when its time is over.
    done, found = drill(sim, tmp_path / "second", backup="take", wait_timeout=2)
    assert (found["passed"], found["restore"]["status"]) == (False, "aborted")
    assert "within 2 seconds" in found["reasons"][0] or "2 s" in found["reasons"][0], found["reasons"]
    # Backup and restore were asked for once.
    both = [entry["path"].rsplit("/", 1)[1] for entry in sim.journal(since) if entry["method"] == "POST"]
    assert both == ["backups", "restore", "abort-restore"]
    assert [line.rsplit("/", 1)[1] for line in writes(done)[:1]] == ["abort-restore"]
    assert statuses(sim, SOURCE, "backups") == []
    assert statuses(sim, SCRATCH, "restores") == ["aborted"]
