# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups of an addon: taken once, waited for, kept, aborted, deleted, whatever the platform answers."""

from __future__ import annotations

import typing as t

import pytest
import requests

from unit.acting import REFUSALS, Item, badly, data, delete, listed, post, sent, well
from unit.fakes import OK, Answer, Call, Clock, Platform, Reply, error_reply, get, json_reply, page
from unit.hosts import declared, validate

NAME = "addon_backup"
P = "/v1/projects/shop"
A = f"{P}/addons/db"
LIST = f"{A}/backups"
WHERE = {"project_id": "shop", "addon_id": "db"}
BROKEN = requests.exceptions.ConnectionError("the connection broke")


def backup(identity: t.Any = "b1", status: str = "completed", name: str = "nightly", **more: t.Any) -> Item:
    config = {"size": "1", "source": {"type": "liveInstance"}, **more.pop("config", {})}
    return {
        "id": identity,
        "name": name,
        "status": status,
        "createdAt": "2026-01-14T02:00:00.000Z",
        "config": config,
        **more,
    }


def all_of(*found: Item) -> Call:
    return listed(LIST, page("backups", list(found)))


def one(found: Item | Answer) -> Call:
    return get(f"{LIST}/b1", data(**found) if isinstance(found, dict) else found)


def ids(result: Item) -> Item:
    return {name: result["backup"][name] for name in ("project_id", "addon_id", "id", "status")}


def here(status: t.Any, identity: t.Any = "b1") -> Item:
    return {**WHERE, "id": identity, "status": status}


# Taking one


def test_one_is_taken_and_waited_for(platform: Platform, clock: Clock) -> None:
    platform.expects(
        all_of(backup("b0")),
        post(LIST, data(**backup(status="scheduled")), {}),
        one(backup(status="scheduled")),
        one(backup(status="in-progress")),
        one(backup(completedAt="2026-01-14T02:06:41.000Z")),
    )
    result = well(platform, NAME, **WHERE)
    assert result["changed"] is True
    assert ids(result) == here("completed")
    assert result["backup"]["completed_at"] == "2026-01-14T02:06:41.000Z"
    assert clock.sleeps == [5, 5]
    assert (result["diff"]["before"], result["diff"]["after"]) == ({}, {"id": "b1", "status": "completed"})
    assert result["request_count"] == 5


def test_every_option_is_sent(platform: Platform) -> None:
    body = {
        "name": "before release",
        "backupType": "dump",
        "compressionType": "zstd",
        "customDestinationId": "offsite",
        "additionalDestinations": [
            {"destinationId": "a", "type": "custom", "retentionTime": 90},
            {"destinationId": "b", "type": "custom"},
        ],
    }
    platform.expects(all_of(), post(LIST, data(**backup()), body))
    well(
        platform,
        NAME,
        **WHERE,
        name="before release",
        backup_type="dump",
        compression_type="zstd",
        custom_destination_id="offsite",
        additional_destinations=[{"destination_id": "a", "retention_time": 90}, {"destination_id": "b"}],
    )


def test_the_team(platform: Platform) -> None:
    path = LIST.replace("/v1/", "/v1/teams/crew/")
    platform.expects(listed(path, page("backups", [])), post(path, data(**backup()), {}))
    well(platform, NAME, **WHERE, team_id="crew")


def test_without_waiting(platform: Platform, clock: Clock) -> None:
    platform.expects(all_of(), post(LIST, data(**backup(status="scheduled")), {}))
    result = well(platform, NAME, **WHERE, wait=False)
    assert (result["changed"], ids(result), clock.sleeps) == (True, here("scheduled"), [])


def test_check_mode_sends_nothing(platform: Platform) -> None:
    platform.expects(all_of())
    result = well(platform, NAME, check=True, **WHERE, name="x")
    assert result["changed"] is True
    assert result["backup"] == {**WHERE, "id": None, "name": "x", "status": None, "created_at": None, "config": {}}


@pytest.mark.parametrize("identity", [17, "17"])
@pytest.mark.parametrize(
    "statuses", [["completed"], ["scheduled", "completed"], ["aborting-soon", "completed"], [None, "completed"]]
)
def test_plausible_lives(platform: Platform, identity: t.Any, statuses: list[t.Any]) -> None:
    lives = [get(f"{LIST}/17", data(**backup(identity, status, completedAt=None))) for status in statuses]
    platform.expects(all_of(), post(LIST, data(id=identity), {}), *lives)
    assert ids(well(platform, NAME, **WHERE)) == here("completed", "17")


def test_one_that_shows_late(platform: Platform, clock: Clock) -> None:
    missing = one(error_reply(404))
    platform.expects(all_of(), post(LIST, data(**backup(status="scheduled")), {}), *[missing] * 6, one(backup()))
    well(platform, NAME, **WHERE)
    assert sum(clock.sleeps) == 30


@pytest.mark.parametrize("seen", [False, True])
def test_one_that_is_gone(platform: Platform, seen: bool) -> None:
    shown = [one(backup(status="scheduled"))] if seen else []
    missing = [one(error_reply(404))] * (1 if seen else 61)  # every five seconds
    platform.expects(all_of(), post(LIST, data(**backup(status="scheduled")), {}), *shown, *missing)
    result = badly(platform, NAME, **WHERE)
    how = "is not there any more" if seen else "is not there, though the platform accepted it"
    assert result["msg"] == (
        f'The backup "nightly" b1 of the addon db {how}. Look on Northflank what became of it before you begin another.'
    )
    assert (result["changed"], ids(result)) == (True, here("scheduled"))


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (
            "failed",
            'The backup "nightly" b1 of the addon db failed. Its log on Northflank may tell why (its status is failed)',
        ),
        ("not-supported", "is not supported by the platform for this addon. Ask for another backup_type"),
        ("aborted", "was aborted (its status is aborted)"),
    ],
)
def test_one_that_ends_badly(platform: Platform, status: str, says: str) -> None:
    platform.expects(all_of(), post(LIST, data(**backup(status="scheduled")), {}), one(backup(status=status)))
    result = badly(platform, NAME, **WHERE)
    assert says in result["msg"]
    assert (result["changed"], ids(result)) == (True, here(status))


def test_one_that_takes_too_long(platform: Platform, clock: Clock) -> None:
    going = one(backup(status="in-progress"))
    platform.expects(all_of(), post(LIST, data(**backup(status="scheduled")), {}), going, going, going)
    result = badly(platform, NAME, **WHERE, wait_timeout=7)
    assert "was not done after 7 seconds (option wait_timeout); its last state was 'in-progress'." in result["msg"]
    assert result["msg"].endswith("It goes on: backup_id=b1 waits for it.")
    assert (result["changed"], ids(result), clock.sleeps) == (True, here("in-progress"), [5, 2])


def test_a_refusal(platform: Platform) -> None:
    platform.expects(all_of(), post(LIST, error_reply(403, "No"), {}))
    result = badly(platform, NAME, **WHERE)
    assert "Project > Addons > General > Update" in result["msg"]
    assert result["changed"] is False
    assert "backup" not in result


def test_an_addon_that_is_not_there(platform: Platform) -> None:
    platform.expects(listed(LIST, error_reply(404)), get(P, data(id="shop")), get(A, error_reply(404)))
    assert 'The addon "db" was not found (option addon_id)' in badly(platform, NAME, **WHERE)["msg"]


# By name


@pytest.mark.parametrize("status", ["completed", "scheduled"])
@pytest.mark.parametrize("check", [False, True])
def test_one_of_that_name_is_there(platform: Platform, status: str, check: bool) -> None:
    there = [backup("b0", name="other"), backup(status=status), backup("b2", "failed"), backup("b3", "aborting")]
    waits = [one(backup())] if status == "scheduled" and not check else []
    platform.expects(all_of(*there), *waits)
    result = well(platform, NAME, check=check, **WHERE, name="nightly")
    assert (result["changed"], ids(result)) == (False, here(status if check else "completed"))


def test_one_of_that_name_is_under_way_and_nobody_waits(platform: Platform) -> None:
    platform.expects(all_of(backup(status="in-progress")))
    result = well(platform, NAME, **WHERE, name="nightly", wait=False)
    assert (result["changed"], ids(result)) == (False, here("in-progress"))


def test_one_of_that_name_that_is_under_way_fails(platform: Platform) -> None:
    platform.expects(all_of(backup(status="in-progress")), one(backup(status="failed")))
    result = badly(platform, NAME, **WHERE, name="nightly")
    assert (result["changed"], ids(result)) == (False, here("failed"))


@pytest.mark.parametrize("status", ["failed", "aborted", "aborting", "not-supported"])
def test_lost_ones_of_that_name_do_not_count(platform: Platform, status: str) -> None:
    platform.expects(all_of(backup("b0", status)), post(LIST, data(**backup()), {"name": "nightly"}))
    assert well(platform, NAME, **WHERE, name="nightly")["changed"] is True


def test_a_lost_one_in_the_way(platform: Platform) -> None:
    platform.expects(all_of(backup("b0", "failed")), post(LIST, error_reply(409, "Taken"), {"name": "nightly"}))
    result = badly(platform, NAME, **WHERE, name="nightly")
    assert result["msg"].endswith("Taken. The backup b0 of that name is failed: state=absent deletes it.")


@pytest.mark.parametrize("state", ["present", "retained", "absent"])
def test_a_name_that_several_have(platform: Platform, state: str) -> None:
    platform.expects(all_of(backup("b1"), backup("b2", "in-progress")))
    result = badly(platform, NAME, **WHERE, name="nightly", state=state)
    assert result["msg"] == (
        'The name "nightly" fits 2 backups of the addon db: b1 (completed), b2 (in-progress). Name one by backup_id.'
    )


@pytest.mark.parametrize("state", ["retained", "aborted"])
def test_a_name_that_none_has(platform: Platform, state: str) -> None:
    platform.expects(all_of(backup(name="other")))
    result = badly(platform, NAME, **WHERE, name="nightly", state=state)
    assert result["msg"] == 'The addon db has no backup of the name "nightly".'


def test_an_empty_name(platform: Platform) -> None:
    assert "The option name is empty" in badly(platform, NAME, **WHERE, name="")["msg"]


# Not twice


LOST_ANSWERS = [
    BROKEN,
    error_reply(500),
    error_reply(503),
    Reply(200, b"success"),
    Reply(502, b"<html>"),
    Reply(204),
    OK,
    json_reply({}),
]


@pytest.mark.parametrize("answer", LOST_ANSWERS)
def test_a_lost_answer(platform: Platform, answer: Answer) -> None:
    platform.expects(
        all_of(backup("b0")),
        post(LIST, answer, {}),
        all_of(backup("b0"), backup("b1", "scheduled")),
        one(backup()),
    )
    result = well(platform, NAME, **WHERE)
    assert (result["changed"], ids(result), sent(platform)) == (True, here("completed"), ["POST backups"])


def test_what_does_not_fit_is_not_it(platform: Platform) -> None:
    others = [
        backup("b2", name="other"),
        backup("b3", config={"compressionType": "gz"}),
        backup("b4", customDestinationId="elsewhere"),
    ]
    body = {"name": "nightly", "compressionType": "zstd", "customDestinationId": "offsite"}
    mine = backup(config={"compressionType": "zstd"})
    platform.expects(all_of(), post(LIST, BROKEN, body), all_of(*others, mine))
    result = well(platform, NAME, **WHERE, name="nightly", compression_type="zstd", custom_destination_id="offsite")
    assert ids(result) == here("completed")


def test_several_new_ones(platform: Platform) -> None:
    platform.expects(all_of(), post(LIST, BROKEN, {}), all_of(backup("b1"), backup("b2")))
    result = badly(platform, NAME, **WHERE)
    assert "2 new ones are there (b1, b2), and nothing tells which one it is" in result["msg"]
    assert "the backup was not asked for again" in result["msg"]
    assert (result["changed"], sent(platform)) == (True, ["POST backups"])


def test_no_new_one(platform: Platform, clock: Clock) -> None:
    platform.expects(all_of(backup()), post(LIST, BROKEN, {}), *[all_of(backup())] * 7)
    result = badly(platform, NAME, **WHERE)
    assert "Within 30 seconds nothing new has shown" in result["msg"]
    assert (result["changed"], sent(platform), sum(clock.sleeps)) == (True, ["POST backups"], 30)


def test_no_new_one_and_no_time(platform: Platform) -> None:
    platform.expects(all_of(), post(LIST, BROKEN, {}), all_of())
    assert "Within 0 seconds nothing new" in badly(platform, NAME, **WHERE, wait_timeout=0)["msg"]


def test_a_list_that_cannot_be_read_then(platform: Platform) -> None:
    platform.expects(all_of(), post(LIST, BROKEN, {}), listed(LIST, error_reply(500, "oh")))
    result = badly(platform, NAME, **WHERE)
    assert result["error"]["method"] == "POST"
    assert (
        "Looking for it failed as well: GET /v1/projects/shop/addons/db/backups failed with status 500" in result["msg"]
    )


def test_a_rate_limit_is_waited_for(platform: Platform) -> None:
    platform.expects(
        all_of(),
        post(LIST, json_reply({}, 429, Retry_After="3"), {}),
        post(LIST, data(**backup()), {}),
    )
    assert well(platform, NAME, **WHERE, retry_budget=60)["changed"] is True


# By id


@pytest.mark.parametrize("check", [False, True])
def test_one_is_waited_for(platform: Platform, check: bool) -> None:
    platform.expects(one(backup(status="in-progress")), *([] if check else [one(backup())]))
    result = well(platform, NAME, check=check, **WHERE, backup_id="b1")
    assert (result["changed"], ids(result)) == (False, here("in-progress" if check else "completed"))


def test_one_is_looked_at(platform: Platform) -> None:
    platform.expects(one(backup(status="in-progress")))
    assert ids(well(platform, NAME, **WHERE, backup_id="b1", wait=False)) == here("in-progress")


def test_one_that_has_failed(platform: Platform) -> None:
    platform.expects(one(backup(status="failed")))
    assert badly(platform, NAME, **WHERE, backup_id="b1", check=True)["changed"] is False


@pytest.mark.parametrize("state", ["present", "retained", "aborted"])
def test_one_that_is_not_there(platform: Platform, state: str) -> None:
    platform.expects(one(error_reply(404)), get(P, data()), get(A, data()))
    result = badly(platform, NAME, **WHERE, backup_id="b1", state=state)
    assert 'The backup "b1" was not found (option backup_id)' in result["msg"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"state": "absent"},
        {"state": "retained"},
        {"state": "aborted"},
        {"backup_id": "b1", "name": "x"},
        {"backup_id": "b1", "backup_type": "dump"},
        {"backup_id": "b1", "additional_destinations": []},
    ],
)
def test_options_that_do_not_go_together(arguments: Item) -> None:
    assert validate(declared(NAME), **WHERE, **arguments).error_messages


# Retaining


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_one_is_retained(platform: Platform, check: bool, named: bool) -> None:
    platform.expects(all_of(backup()) if named else one(backup()), *([] if check else [post(f"{LIST}/b1/retain")]))
    which = {"name": "nightly"} if named else {"backup_id": "b1"}
    result = well(platform, NAME, check=check, **WHERE, **which, state="retained")
    assert (result["changed"], ids(result)) == (True, here("completed"))
    assert (result["diff"]["before"]["retained"], result["diff"]["after"]["retained"]) == (None, True)


def test_retaining_may_be_repeated(platform: Platform) -> None:
    path = f"{LIST}/b1/retain"
    platform.expects(one(backup()), post(path, BROKEN), post(path))
    well(platform, NAME, **WHERE, backup_id="b1", state="retained")


@pytest.mark.parametrize("answers", [[error_reply(409)], [BROKEN, error_reply(400)], [BROKEN, BROKEN]])
def test_retaining_fails(platform: Platform, answers: list[Answer]) -> None:
    platform.expects(one(backup()), *[post(f"{LIST}/b1/retain", answer) for answer in answers])
    badly(platform, NAME, **WHERE, backup_id="b1", state="retained")


# Aborting

ABORT = f"{LIST}/b1/abort"


def test_one_is_aborted(platform: Platform) -> None:
    platform.expects(
        one(backup(status="in-progress")),
        post(ABORT),
        one(backup(status="in-progress")),
        one(backup(status="aborting")),
        one(backup(status="aborted")),
    )
    result = well(platform, NAME, **WHERE, backup_id="b1", state="aborted")
    assert (result["changed"], ids(result)) == (True, here("aborted"))
    assert [result["diff"][side]["status"] for side in ("before", "after")] == ["in-progress", "aborted"]


@pytest.mark.parametrize("check", [False, True])
def test_one_is_aborted_without_waiting(platform: Platform, check: bool) -> None:
    going = one(backup(status="in-progress"))
    platform.expects(going, *([] if check else [post(ABORT), going]))
    result = well(platform, NAME, check=check, **WHERE, backup_id="b1", state="aborted", wait=False)
    assert (result["changed"], ids(result)) == (True, here("in-progress"))


def test_one_that_goes_when_it_is_aborted(platform: Platform) -> None:
    gone = one(error_reply(404))
    platform.expects(one(backup(status="in-progress")), post(ABORT), one(backup(status="aborting")), gone)
    result = well(platform, NAME, **WHERE, backup_id="b1", state="aborted")
    assert (result["changed"], ids(result)) == (True, here("aborting"))


@pytest.mark.parametrize("status", ["completed", "failed", "aborted", "not-supported"])
def test_one_that_has_ended_is_no_change(platform: Platform, status: str) -> None:
    platform.expects(one(backup(status=status)))
    result = well(platform, NAME, **WHERE, backup_id="b1", state="aborted")
    assert (result["changed"], ids(result)) == (False, here(status))


@pytest.mark.parametrize("wait", [False, True])
@pytest.mark.parametrize("check", [False, True])
def test_one_that_is_being_aborted_is_waited_for(platform: Platform, wait: bool, check: bool) -> None:
    waits = wait and not check
    more = [one(backup(status="aborting")), one(backup(status="aborted"))] if waits else []
    platform.expects(one(backup(status="aborting")), *more)
    result = well(platform, NAME, check=check, **WHERE, backup_id="b1", state="aborted", wait=wait)
    assert (result["changed"], ids(result)) == (False, here("aborted" if waits else "aborting"))


@pytest.mark.parametrize("status", REFUSALS)
def test_one_that_ended_in_between(platform: Platform, status: int) -> None:
    going, done = one(backup(status="in-progress")), one(backup())
    platform.expects(going, post(ABORT, error_reply(status)), done, done)
    result = well(platform, NAME, **WHERE, backup_id="b1", state="aborted")
    assert (result["changed"], ids(result)) == (False, here("completed"))


def test_one_that_ends_well_all_the_same(platform: Platform) -> None:
    going, done = one(backup(status="in-progress")), one(backup())
    platform.expects(going, post(ABORT), going, done)
    result = well(platform, NAME, **WHERE, backup_id="b1", state="aborted")
    assert (result["changed"], ids(result)) == (False, here("completed"))


@pytest.mark.parametrize("status", [400, 403, 409])
def test_an_abort_that_is_refused(platform: Platform, status: int) -> None:
    going = one(backup(status="in-progress"))
    platform.expects(going, post(ABORT, error_reply(status, "No")), *([going] if status != 403 else []))
    assert badly(platform, NAME, **WHERE, backup_id="b1", state="aborted")["changed"] is False


@pytest.mark.parametrize("shows", [True, False])
def test_an_abort_whose_answer_is_lost(platform: Platform, shows: bool) -> None:
    going, aborted = one(backup(status="in-progress")), one(backup(status="aborted"))
    again = [aborted] if shows else [going, post(ABORT)]
    platform.expects(going, post(ABORT, BROKEN), *again, aborted)
    assert well(platform, NAME, **WHERE, backup_id="b1", state="aborted")["changed"] is True


def test_an_abort_that_is_lost_twice(platform: Platform) -> None:
    going = one(backup(status="in-progress"))
    platform.expects(going, post(ABORT, BROKEN), going, post(ABORT, BROKEN), going)
    assert badly(platform, NAME, **WHERE, backup_id="b1", state="aborted")["changed"] is True


def test_the_one_of_a_name_that_goes_on_is_aborted(platform: Platform) -> None:
    platform.expects(
        all_of(backup("b0"), backup(status="in-progress"), backup("b2", "failed")),
        post(ABORT),
        one(backup(status="aborted")),
    )
    assert ids(well(platform, NAME, **WHERE, name="nightly", state="aborted")) == here("aborted")


def test_none_of_a_name_goes_on(platform: Platform) -> None:
    platform.expects(all_of(backup("b0", createdAt="2026-01-13"), backup("b1"), backup("b2", createdAt="2026-01-12")))
    result = well(platform, NAME, **WHERE, name="nightly", state="aborted")
    assert (result["changed"], ids(result)) == (False, here("completed"))


def test_two_of_a_name_go_on(platform: Platform) -> None:
    platform.expects(all_of(backup("b0", "scheduled"), backup("b1", "in-progress"), backup("b2")))
    assert "fits 2 backups" in badly(platform, NAME, **WHERE, name="nightly", state="aborted")["msg"]


# Deleting


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("check", [False, True])
def test_one_is_deleted(platform: Platform, named: bool, check: bool) -> None:
    first = all_of(backup()) if named else one(backup())
    rest = [delete(f"{LIST}/b1"), one(backup()), one(error_reply(404))]
    platform.expects(first, *([] if check else rest))
    which = {"name": "nightly"} if named else {"backup_id": "b1"}
    result = well(platform, NAME, check=check, **WHERE, **which, state="absent")
    assert (result["changed"], ids(result), result["diff"]["after"]) == (True, here("completed"), {})


def test_one_is_deleted_without_waiting(platform: Platform) -> None:
    platform.expects(one(backup()), delete(f"{LIST}/b1"))
    assert well(platform, NAME, **WHERE, backup_id="b1", state="absent", wait=False)["changed"] is True


@pytest.mark.parametrize("named", [False, True])
def test_nothing_to_delete(platform: Platform, named: bool) -> None:
    platform.expects(*([] if named else [one(error_reply(404))]), all_of(backup("b0", name="other")))
    which = {"name": "nightly"} if named else {"backup_id": "b1"}
    result = well(platform, NAME, **WHERE, **which, state="absent")
    assert (result["changed"], result["backup"]) == (False, None)


def test_nothing_to_delete_from(platform: Platform) -> None:
    platform.expects(one(error_reply(404)), listed(LIST, error_reply(404)), get(P, error_reply(404)))
    assert 'The project "shop" was not found' in badly(platform, NAME, **WHERE, backup_id="b1", state="absent")["msg"]


@pytest.mark.parametrize("answer", [error_reply(404), error_reply(409), error_reply(500), Reply(200, b"success")])
def test_somebody_else_was_faster(platform: Platform, answer: Answer) -> None:
    gone = one(error_reply(404))
    platform.expects(one(backup()), delete(f"{LIST}/b1", answer), gone, gone)
    assert well(platform, NAME, **WHERE, backup_id="b1", state="absent")["changed"] is True


@pytest.mark.parametrize("status", [400, 403, 409, 500])
def test_one_that_cannot_be_deleted(platform: Platform, status: int) -> None:
    looks = [one(backup())] if status in (409, 500) else []
    platform.expects(one(backup()), delete(f"{LIST}/b1", error_reply(status, "In use")), *looks)
    result = badly(platform, NAME, **WHERE, backup_id="b1", state="absent")
    assert "In use" in result["msg"]
    assert result["changed"] is (status == 500)


def test_one_that_does_not_go(platform: Platform) -> None:
    platform.expects(one(backup()), delete(f"{LIST}/b1"), *[one(backup())] * 3)
    result = badly(platform, NAME, **WHERE, backup_id="b1", state="absent", wait_timeout=10)
    assert "The deletion of the backup b1 of the addon db was not done after 10 seconds" in result["msg"]
