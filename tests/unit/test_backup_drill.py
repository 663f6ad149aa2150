# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a backup drill may begin, and what it has proved."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
import yaml

from ansible_collections.quayside.paas.plugins.filter.backup_drill import DOCUMENTATION, backup_drill
from ansible_collections.quayside.paas.plugins.plugin_utils._backup_drill import Options

Item = dict[str, t.Any]

WHERE: Item = {"project_id": "shop", "addon_id": "orders", "scratch_project_id": "staging", "scratch_addon_id": "spare"}
NAME = Options(**WHERE).backup_name


def addon(identity: str = "orders", kind: str = "postgresql", **more: t.Any) -> Item:
    """An addon as addon_info returns it."""
    return {"id": identity, "spec": {"type": kind}, **more}


def backup(identity: str, status: str = "completed", **more: t.Any) -> Item:
    """A backup as addon_backup_info returns it."""
    return {"id": identity, "name": identity, "status": status, **more}


def restore(of: str | None, status: str = "in-progress") -> Item:
    """A restore as backup_restore_info returns it."""
    return {"id": "r1", "status": status, "backup_id": of}


def looked_at(
    source: Item | None = None,
    scratch: Item | None = None,
    source_project: str | None = "shop",
    scratch_project: str | None = "staging",
    backups: t.Sequence[Item] | None = None,
    restores: t.Sequence[Item] = (),
) -> Item:
    """What the steps have read that change nothing; without arguments a source and a scratch addon that fit."""
    source = addon(uid="u1") if source is None else source
    scratch = addon("spare", uid="u2") if scratch is None else scratch
    return {
        "projects": {
            "results": [{"projects": [{"id": one}] if one else []} for one in (source_project, scratch_project)]
        },
        "source": {"addons": [source] if source else []},
        "scratch": {"addons": [scratch] if scratch else []},
        "backups": {"backups": [backup("b1")] if backups is None else list(backups)},
        "restores": {"restores": list(restores)},
    }


def plan(wanted: str = "b1", **changes: t.Any) -> Item:
    """What the drill plans; changes: of what was read."""
    found = backup_drill(looked_at(**changes), **WHERE, backup=wanted)
    return {name: found[name] for name in ("refusals", "backup", "leftovers")}


def result(
    failures: t.Sequence[str] = (), backup: Item | None = None, restore: Item | None = None, **options: t.Any
) -> Item:
    """What a drill with this backup and this restore proved; options: of the filter, or further steps."""
    steps = {name: options.pop(name) for name in ("times", "checked", "deleted") if name in options}
    so_far = {"taken": {"backup": backup}, "restored": {"restore": restore}, "failures": failures, **steps}
    found: Item = backup_drill(so_far, **WHERE, **options)["result"]
    return found


def test_the_documentation_has_the_options() -> None:
    options = yaml.safe_load(DOCUMENTATION)["options"]
    fields = {field.name: field for field in dataclasses.fields(Options)}
    assert [name for name in options if name != "_input"] == list(fields)
    for name, field in fields.items():
        if options[name].get("required"):
            assert field.default is dataclasses.MISSING
        else:
            assert (options[name]["default"], options[name]["type"]) == (field.default, field.type)


# What it plans


def test_a_plan() -> None:
    assert plan() == {"refusals": [], "backup": backup("b1"), "leftovers": []}
    assert plan("take") == {"refusals": [], "backup": {}, "leftovers": []}


@pytest.mark.parametrize("step", ["projects", "source", "scratch", "backups", "restores"])
@pytest.mark.parametrize("missing", [None, {}, {"failed": True, "msg": "no"}])
def test_there_is_no_plan_before_everything_was_read(step: str, missing: Item | None) -> None:
    found = backup_drill({**looked_at(), step: missing}, **WHERE, backup="b1")
    assert (found["refusals"], found["backup"], found["leftovers"]) == ([], {}, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"scratch": addon("spare", uid="u1")},
        {"scratch": addon("spare", app_id="/us/shop/orders"), "source": addon(app_id="/us/shop/orders")},
        {"scratch": addon(uid="u2"), "scratch_project": "shop"},
        {"scratch": addon(), "source": addon(), "scratch_project": "shop"},
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
    assert found == {"refusals": [], "backup": {}, "leftovers": ["done", "lost"]}


# What it proved

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


LEFT_BACKUP = f'The backup "{NAME}" of the addon orders.'


def test_a_result() -> None:
    found = result([], BACKUP, RESTORE, times=[1000.0, 1700.0], max_age=120, max_duration=10)
    assert found == {
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
        **WHERE,
        "taken": True,
        "checks": "none",
        "left": ["The addon spare of the project staging has the data of the backup.", LEFT_BACKUP],
        "would": [],
    }  # fmt: skip


def test_missed_objectives_are_reasons() -> None:
    found = result([], BACKUP, RESTORE, max_age=119, max_duration=9)
    assert found["passed"] is False
    assert found["reasons"] == [
        "The backup was 120.0 min old when its restore began; 119 min are allowed.",
        "The restore took 10.0 min; 9 min are allowed.",
    ]


def test_what_nobody_knows_is_missed() -> None:
    unknown = {"id": "r1", "status": "completed"}
    found = result([], BACKUP, unknown, max_age=5, max_duration=5)
    assert (found["age_seconds"], found["duration_seconds"]) == (None, None)
    assert [reason.split(";")[0] for reason in found["reasons"]] == [
        "The backup was an unknown time old when its restore began",
        "The restore took an unknown time",
    ]
    assert result([], BACKUP, unknown)["passed"] is True


def test_the_clock_helps_where_the_platform_does_not_tell() -> None:
    for change in ({"completed_at": None}, {"completed_at": "2026-01-02T01:59:00Z"}):
        found = result([], BACKUP, {**RESTORE, **change}, times=["1000", 1061.0004], max_duration=1)
        assert (found["duration_seconds"], found["duration_by"]) == (61.0, "clock")
        assert found["objectives"]["duration_met"] is False


def test_the_age_of_a_backup_without_an_end_counts_from_its_beginning() -> None:
    assert result([], {**BACKUP, "completed_at": None}, RESTORE)["age_seconds"] == 10800.0


@pytest.mark.parametrize("restore", [{}, {"id": None, "status": None}, {**RESTORE, "status": "failed"}])
def test_without_a_restore_that_is_completed_nothing_is_proved(restore: Item) -> None:
    found = result([], BACKUP, restore)
    assert (found["passed"], found["reasons"]) == (False, ["No restore was completed, so that nothing is proved."])


@pytest.mark.parametrize("status", ["failed", "aborted", "in-progress"])
def test_a_restore_that_is_not_completed_has_no_duration(status: str) -> None:
    found = result(["It failed."], BACKUP, {**RESTORE, "status": status}, times=[1.0, 2.0], max_duration=1)
    assert (found["duration_seconds"], found["objectives"]["duration_met"]) == (None, None)
    assert found["reasons"] == ["It failed."]


@pytest.mark.parametrize(
    ("failures", "check_mode", "passed"),
    [([], False, False), ([], True, None), (["no"], True, False), (["no"], False, False)],
)
def test_without_backup_and_restore(failures: list[str], check_mode: bool, passed: bool | None) -> None:
    found = result(failures, {}, {}, max_age=1, max_duration=1, check_mode=check_mode)
    assert (found["passed"], found["backup"], found["restore"]) == (passed, None, None)


# What the role asks besides


@pytest.mark.parametrize(
    ("status", "is_open"),
    [("scheduled", True), ("aborting", True), ("novel", True), (None, True), ("completed", False), ("aborted", False)],
)
def test_what_is_in_progress_when_a_drill_fails(status: str | None, is_open: bool) -> None:
    steps = {"taken": {"backup": backup("b1", t.cast("str", status))}, "restored": {"restore": {"status": status}}}
    found = backup_drill(steps, **WHERE)
    assert (found["is_backup_open"], found["is_restore_open"]) == (is_open, is_open)


def test_what_was_never_seen_may_be_in_progress_if_it_was_asked_for() -> None:
    failed = {"failed": True, "msg": "no response"}
    found = backup_drill({"taken": failed, "restored": failed}, **WHERE)
    assert (found["is_backup_open"], found["is_restore_open"]) == (False, True)
    assert not backup_drill({}, **WHERE)["is_restore_open"]


def test_the_restore_that_was_aborted_counts() -> None:
    steps = {"restored": {"restore": restore("b1")}, "aborted": {"restore": restore("b1", "aborted")}}
    found = backup_drill(steps, **WHERE)
    assert (found["restore"]["status"], found["is_restore_open"]) == ("aborted", False)


@pytest.mark.parametrize(
    ("status", "deleted", "left"),
    [
        ("completed", True, ["The addon spare of the project staging has the data of the backup."]),
        ("aborted", True, ["The addon spare of the project staging, whose data may be incomplete."]),
        (None, False, [LEFT_BACKUP]),
        (None, True, []),
    ],
)
def test_what_is_left(status: str | None, deleted: bool, left: list[str]) -> None:
    done = None if status is None else restore("b1", status)
    assert result(["It failed."], BACKUP, done, deleted=deleted)["left"] == left


@pytest.mark.parametrize(
    ("options", "would"),
    [
        ({"backup": "b1"}, ["Restore the backup b1 into the addon spare. Its data is replaced."]),
        ({"backup": "latest"}, ["Restore the backup b1 into the addon spare. Its data is replaced."]),
        (
            {"backup": "take", "checks": "sums.yml"},
            [
                "Delete the backup old, which an earlier drill left.",
                "Take a backup of the addon orders.",
                "Restore it into the addon spare. Its data is replaced.",
                "Run the checks of sums.yml.",
                "Delete the backup.",
            ],
        ),
        (
            {"backup": "take", "cleanup": False},
            [
                "Delete the backup old, which an earlier drill left.",
                "Take a backup of the addon orders.",
                "Restore it into the addon spare. Its data is replaced.",
            ],
        ),
    ],
)
def test_what_would_be_done(options: Item, would: list[str]) -> None:
    before = looked_at(backups=[backup("b1"), backup("old", "failed", name=NAME)])
    assert backup_drill(before, **WHERE, **options, check_mode=True)["result"]["would"] == would
    assert backup_drill(before, **WHERE, **options)["result"]["would"] == []
    failed = backup_drill({**before, "failures": ["no"]}, **WHERE, **options, check_mode=True)
    assert failed["result"]["would"] == []


def test_the_name_of_the_backup_belongs_to_the_pair() -> None:
    assert backup_drill({}, **WHERE)["name"] == NAME
    for other in WHERE:
        assert backup_drill({}, **{**WHERE, other: "other"})["name"] != NAME
