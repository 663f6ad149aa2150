# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a backup drill may begin, and what it has proved."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.quayside.paas.plugins.filter.backup_drill_plan import backup_drill_plan
from ansible_collections.quayside.paas.plugins.filter.backup_drill_result import backup_drill_result

Item = dict[str, t.Any]

NAME = "backup drill 0123"


def addon(identity: str = "orders", kind: str = "postgresql", **more: t.Any) -> Item:
    """An addon as addon_info returns it."""
    return {"id": identity, "spec": {"type": kind}, **more}


def backup(identity: str, status: str = "completed", **more: t.Any) -> Item:
    """A backup as addon_backup_info returns it."""
    return {"id": identity, "name": identity, "status": status, **more}


def restore(of: str | None, status: str = "in-progress") -> Item:
    """A restore as backup_restore_info returns it."""
    return {"id": "r1", "status": status, "backup_id": of}


def plan(wanted: str = "b1", **changes: t.Any) -> Item:
    """The plan for a source and a scratch addon that fit."""
    given = {
        "source": addon(uid="u1"),
        "scratch": addon("spare", uid="u2"),
        "source_project": {"id": "shop"},
        "scratch_project": {"id": "staging"},
        "backups": [backup("b1")],
        "restores": [],
        "name": NAME,
    }
    return backup_drill_plan(wanted, **{**given, **changes})


# backup_drill_plan


def test_a_plan() -> None:
    assert plan() == {"refusals": [], "backup": backup("b1"), "leftovers": []}
    assert plan("take") == {"refusals": [], "backup": None, "leftovers": []}


@pytest.mark.parametrize(
    "changes",
    [
        {"scratch": addon("spare", uid="u1")},
        {"scratch": addon("spare", app_id="/us/shop/orders"), "source": addon(app_id="/us/shop/orders")},
        {"scratch": addon(uid="u2"), "scratch_project": {"id": "shop"}},
        {"scratch": addon(), "source": addon(), "scratch_project": {"id": "shop"}},
    ],
    ids=["uid", "app_id", "ids", "ids alone"],
)
@pytest.mark.parametrize("wanted", ["b1", "latest", "take"])
def test_never_into_the_source(wanted: str, changes: Item) -> None:
    (refusal,) = plan(wanted, **changes)["refusals"]
    assert refusal.startswith("The scratch addon is the addon itself: both are orders of the project shop")


def test_the_same_id_in_two_projects_is_two_addons() -> None:
    assert not plan(source=addon(), scratch=addon())["refusals"]
    assert not plan(source=addon(uid="", app_id=None), scratch=addon(uid="", app_id=None))["refusals"]


def test_types_have_to_be_the_same() -> None:
    (refusal,) = plan(scratch=addon("spare", "mysql"))["refusals"]
    assert (
        refusal == "The addon is of type postgresql, the scratch addon of type mysql. They have to be of the same type."
    )


@pytest.mark.parametrize(
    ("wanted", "changes", "refusals"),
    [
        ("b1", {"source": {}, "backups": []}, ["The addon does not exist."]),
        ("b1", {"scratch": {}}, ["The scratch addon does not exist."]),
        ("b9", {}, ["The addon has no backup b9. Say latest, take, or the id of one."]),
        ("latest", {"backups": [backup("b1", "failed")]}, ["The addon has no completed backup."]),
        (
            "b1",
            {"backups": [backup("b1", "in-progress")]},
            ["The backup b1 is not completed (its status is in-progress)."],
        ),
    ],
)
def test_what_is_missing_is_said(wanted: str, changes: Item, refusals: list[str]) -> None:
    assert plan(wanted, **changes)["refusals"] == refusals


def test_the_latest_is_the_one_that_was_completed_last() -> None:
    backups = [
        backup("odd", completed_at="soon"),
        backup("old", completed_at="2026-01-02T00:00:00Z", created_at="2026-01-01T00:00:00Z"),
        backup("new", completed_at=1767398400, created_at="2026-01-01T00:00:00Z"),  # a day after
        backup("later", "in-progress", created_at="2026-02-01T00:00:00Z"),
        backup("without", completed_at="", created_at="2026-01-02 12:00:00.000Z"),
    ]
    for order in (backups, backups[::-1]):
        assert plan("latest", backups=order)["backup"]["id"] == "new"
    assert plan("latest", backups=backups[:1])["backup"]["id"] == "odd"


@pytest.mark.parametrize(
    ("wanted", "restores", "refused"),
    [
        ("b1", [restore("b1")], False),
        ("b1", [restore("b2")], True),
        ("b1", [restore(None)], True),
        ("b1", [restore("b2", "completed"), restore("b3", "aborted"), restore("b4", "failed")], False),
        ("take", [restore("b1")], True),
    ],
)
def test_a_scratch_addon_that_is_being_restored_is_busy(wanted: str, restores: list[Item], refused: bool) -> None:
    refusals = plan(wanted, restores=restores)["refusals"]
    assert bool(refusals) == refused
    assert all("is being restored already, from the backup" in one for one in refusals)


def test_what_an_earlier_drill_left_goes_unless_it_is_under_way() -> None:
    mine = [
        backup("done", name=NAME), backup("lost", "failed", name=NAME), backup("going", "in-progress", name=NAME),
        backup("used", name=NAME), backup("nightly"),
    ]  # fmt: skip
    found = plan("take", backups=mine, restores=[restore("used")])
    assert found == {"refusals": [], "backup": None, "leftovers": ["done", "lost"]}


# backup_drill_result

BACKUP = {
    "id": "b1", "name": "nightly", "status": "completed", "created_at": "2026-01-01T23:00:00Z",
    "completed_at": "2026-01-02T00:00:00Z", "config": {"size": "1024"}, "addon_id": "orders",
}  # fmt: skip
RESTORE = {
    "id": "r1",
    "status": "completed",
    "restore_timestamp": "2026-01-02 02:00:00.000Z",
    "completed_at": "2026-01-02T02:10:00Z",
}


def test_a_result() -> None:
    result = backup_drill_result([], BACKUP, RESTORE, clock=700.0, max_age=120, max_duration=10, facts={"taken": False})
    assert result == {
        "passed": True,
        "reasons": [],
        "backup": {
            "id": "b1", "name": "nightly", "status": "completed", "created_at": "2026-01-01T23:00:00Z",
            "completed_at": "2026-01-02T00:00:00Z", "size": "1024",
        },
        "restore": RESTORE,
        "age_seconds": 7200.0,
        "duration_seconds": 600.0,
        "duration_by": "platform",
        "objectives": {"max_age_seconds": 7200, "max_duration_seconds": 600, "age_met": True, "duration_met": True},
        "check_mode": False,
        "taken": False,
    }  # fmt: skip


def test_missed_objectives_are_reasons() -> None:
    result = backup_drill_result([], BACKUP, RESTORE, max_age=119, max_duration=9)
    assert result["passed"] is False
    assert result["reasons"] == [
        "The backup was 120.0 min old when its restore began; 119 min are allowed.",
        "The restore took 10.0 min; 9 min are allowed.",
    ]


def test_what_nobody_knows_is_missed() -> None:
    unknown = {"id": "r1", "status": "completed"}
    result = backup_drill_result([], BACKUP, unknown, max_age=5, max_duration=5)
    assert (result["age_seconds"], result["duration_seconds"]) == (None, None)
    assert [reason.split(";")[0] for reason in result["reasons"]] == [
        "The backup was an unknown time old when its restore began",
        "The restore took an unknown time",
    ]
    assert backup_drill_result([], BACKUP, unknown)["passed"] is True


def test_the_clock_helps_where_the_platform_does_not_tell() -> None:
    for change in ({"completed_at": None}, {"completed_at": "2026-01-02T01:59:00Z"}):
        result = backup_drill_result([], BACKUP, {**RESTORE, **change}, clock=61.0004, max_duration=1)
        assert (result["duration_seconds"], result["duration_by"]) == (61.0, "clock")
        assert result["objectives"]["duration_met"] is False


def test_the_age_of_a_backup_without_an_end_counts_from_its_beginning() -> None:
    assert backup_drill_result([], {**BACKUP, "completed_at": None}, RESTORE)["age_seconds"] == 10800.0


@pytest.mark.parametrize("restore", [{}, {"id": None, "status": None}, {**RESTORE, "status": "failed"}])
def test_without_a_restore_that_is_completed_nothing_is_proved(restore: Item) -> None:
    result = backup_drill_result([], BACKUP, restore)
    assert (result["passed"], result["reasons"]) == (False, ["No restore was completed, so that nothing is proved."])


@pytest.mark.parametrize("status", ["failed", "aborted", "in-progress"])
def test_a_restore_that_is_not_completed_has_no_duration(status: str) -> None:
    result = backup_drill_result(["It failed."], BACKUP, {**RESTORE, "status": status}, clock=1.0, max_duration=1)
    assert (result["duration_seconds"], result["objectives"]["duration_met"]) == (None, None)
    assert result["reasons"] == ["It failed."]


@pytest.mark.parametrize(
    ("failures", "check_mode", "passed"),
    [([], False, False), ([], True, None), (["no"], True, False), (["no"], False, False)],
)
def test_without_backup_and_restore(failures: list[str], check_mode: bool, passed: bool | None) -> None:
    result = backup_drill_result(failures, {}, {}, max_age=1, max_duration=1, check_mode=check_mode)
    assert (result["passed"], result["backup"], result["restore"]) == (passed, None, None)
