# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restores: begun once, never two at a time into one addon, waited for, aborted, whatever the platform answers."""

from __future__ import annotations

import typing as t

import pytest
import requests

from unit.acting import REFUSALS, Item, badly, data, listed, post, sent, well
from unit.fakes import OK, Answer, Call, Clock, Platform, Reply, error_reply, get, json_reply, page

NAME = "backup_restore"
P = "/v1/projects/shop"
A = f"{P}/addons/db"
B = f"{A}/backups/b1"
BEGIN, ABORT = f"{B}/restore", f"{B}/abort-restore"
WHERE = {"project_id": "shop", "addon_id": "db", "backup_id": "b1"}
SOURCE = {"source_project_id": "other", "source_addon_id": "origin"}
QUERY = {"sourceProjectId": "other", "sourceAddonId": "origin"}
BROKEN = requests.exceptions.ConnectionError("the connection broke")


def restore(identity: t.Any = "r1", status: str = "completed", **more: t.Any) -> Item:
    return {"id": identity, "restoreTimestamp": "2026-01-14T02:00:00.000Z", "status": status, **more}


def of_backup(*found: Item, **query: str) -> Call:
    return listed(f"{B}/restores", page("restores", list(found)), **query)


def of_addon(*found: Item) -> Call:
    return listed(f"{A}/restores", page("restores", list(found)))


def backup(status: str = "completed") -> Call:
    return get(B, data(id="b1", status=status))


def before(*found: Item) -> list[Call]:
    """What is read before one is begun. found: restores of the backup that are there."""
    return [backup(), of_backup(*found), of_addon(*[{**one, "backupId": "b1"} for one in found])]


def ids(result: Item) -> Item:
    return {name: result["restore"][name] for name in (*WHERE, "id", "status")}


def here(status: t.Any, identity: t.Any = "r1") -> Item:
    return {**WHERE, "id": identity, "status": status}


# Starting one


def test_a_source_that_is_empty_is_none(platform: Platform) -> None:
    platform.expects(*before(), post(BEGIN, data(restoreId="r1")), of_backup(restore()))
    well(platform, NAME, **WHERE, source_project_id="", source_addon_id="")


def test_one_is_begun_and_waited_for(platform: Platform, clock: Clock) -> None:
    platform.expects(
        *before(restore("r0", "failed")),
        post(BEGIN, data(restoreId="r1")),
        of_backup(restore("r0", "failed"), restore(status="scheduled")),
        of_backup(restore(status="in-progress")),
        of_backup(restore(completedAt="2026-01-14T02:01:00.000Z")),
    )
    result = well(platform, NAME, **WHERE)
    assert result["restore"] == {
        **here("completed"),
        "restore_timestamp": "2026-01-14T02:00:00.000Z",
        "completed_at": "2026-01-14T02:01:00.000Z",
    }
    assert (result["changed"], clock.sleeps) == (True, [5, 5])
    assert (result["diff"]["before"], result["diff"]["after"]) == ({}, {"id": "r1", "status": "completed"})
    assert platform.requests[3].body is None


def test_every_run_begins_one(platform: Platform) -> None:
    platform.expects(*before(restore("r0")), post(BEGIN, data(restoreId="r1")), of_backup(restore()))
    assert well(platform, NAME, **WHERE)["changed"] is True


def test_of_another_addon(platform: Platform) -> None:
    platform.expects(
        get("/v1/projects/other/addons/origin/backups/b1", data(status="completed")),
        of_backup(**QUERY),
        of_addon(),
        post(BEGIN, data(restoreId="r1"), **QUERY),
        of_backup(restore(), **QUERY),
    )
    result = well(platform, NAME, **WHERE, **SOURCE)
    assert ids(result) == here("completed")


@pytest.mark.parametrize("status", [403, 404, 500])
def test_of_an_addon_that_cannot_be_seen(platform: Platform, status: int) -> None:
    platform.expects(
        get("/v1/projects/shop/addons/origin/backups/b1", error_reply(status)),
        of_backup(sourceAddonId="origin"),
        of_addon(),
    )
    assert well(platform, NAME, check=True, **WHERE, source_addon_id="origin")["changed"] is True


def test_the_team(platform: Platform) -> None:
    calls = [*before(), post(BEGIN, data(restoreId="r1")), of_backup(restore())]
    platform.expects(*[_in_team(call) for call in calls])
    well(platform, NAME, **WHERE, team_id="crew")


def _in_team(call: Call) -> Call:
    return Call(call.method, call.path.replace("/v1/", "/v1/teams/crew/"), call.answer, call.query, call.body)


def test_check_mode_sends_nothing(platform: Platform) -> None:
    platform.expects(*before())
    result = well(platform, NAME, check=True, **WHERE)
    assert result["changed"] is True
    assert result["restore"] == {**here(None, None), "restore_timestamp": None}


@pytest.mark.parametrize("shows", [True, False])
def test_without_waiting(platform: Platform, clock: Clock, shows: bool) -> None:
    platform.expects(
        *before(), post(BEGIN, data(restoreId="r1")), of_backup(*([restore(status="scheduled")] if shows else []))
    )
    result = well(platform, NAME, **WHERE, wait=False)
    assert (result["changed"], clock.sleeps) == (True, [])
    assert ids(result) == here("scheduled" if shows else None)
    assert set(result["restore"]) == {*WHERE, "id", "status", "restore_timestamp"}


@pytest.mark.parametrize(("answered", "told"), [("17", 17), (17, "17"), (17, 17)])
def test_ids_that_are_numbers(platform: Platform, answered: t.Any, told: t.Any) -> None:
    platform.expects(
        *before(restore(16)),
        post(BEGIN, data(restoreId=answered)),
        of_backup(restore(16), restore(told, "in-progress")),
        of_backup(restore(16), restore(told)),
    )
    assert ids(well(platform, NAME, **WHERE)) == here("completed", "17")


def test_a_list_that_is_left_out(platform: Platform) -> None:
    none = json_reply({"data": {}})
    platform.expects(
        backup(),
        listed(f"{B}/restores", none),
        listed(f"{A}/restores", none),
        post(BEGIN, data(restoreId="r1")),
        listed(f"{B}/restores", none),
        of_backup(restore()),
    )
    assert ids(well(platform, NAME, **WHERE)) == here("completed")


def test_one_that_never_shows(platform: Platform) -> None:
    platform.expects(*before(), post(BEGIN, data(restoreId="r1")), *[of_backup()] * 61)  # every five seconds
    result = badly(platform, NAME, **WHERE)
    assert result["msg"].startswith(
        "The restore r1 of the backup b1 into the addon db is not there, though the platform accepted it. Look on"
    )
    assert (result["changed"], result["restore"]["id"]) == (True, "r1")


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("failed", "The restore r1 of the backup b1 into the addon db failed (its status is failed). The data of the"),
        ("not-supported", "is not supported by the platform (its status is not-supported)"),
        ("aborted", "was aborted (its status is aborted)"),
    ],
)
def test_one_that_ends_badly(platform: Platform, status: str, says: str) -> None:
    platform.expects(*before(), post(BEGIN, data(restoreId="r1")), of_backup(restore(status=status)))
    result = badly(platform, NAME, **WHERE)
    assert says in result["msg"]
    assert (result["changed"], ids(result)) == (True, here(status))


def test_one_that_takes_too_long(platform: Platform) -> None:
    going = of_backup(restore(status="in-progress"))
    platform.expects(*before(), post(BEGIN, data(restoreId="r1")), going, going)
    result = badly(platform, NAME, **WHERE, wait_timeout=5)
    assert result["msg"].endswith("its last state was 'in-progress'. It goes on: restore_id=r1 waits for it.")
    assert (result["changed"], ids(result)) == (True, here("in-progress"))


@pytest.mark.parametrize("status", ["scheduled", "in-progress", "failed", "aborting", "aborted", "not-supported"])
def test_a_backup_that_is_not_complete(platform: Platform, status: str) -> None:
    platform.expects(backup(status))
    result = badly(platform, NAME, **WHERE)
    assert f"The backup b1 cannot be restored: its status is {status}." in result["msg"]
    assert ("Wait for it" in result["msg"]) is (status in ("scheduled", "in-progress"))


def test_a_backup_that_is_not_there(platform: Platform) -> None:
    platform.expects(get(B, error_reply(404)), get(P, data()), get(A, data()))
    assert 'The backup "b1" was not found (option backup_id)' in badly(platform, NAME, **WHERE)["msg"]


def test_an_addon_that_is_not_there(platform: Platform) -> None:
    platform.expects(get(B, error_reply(404)), get(P, data()), get(A, error_reply(404)))
    assert 'The addon "db" was not found (option addon_id)' in badly(platform, NAME, **WHERE)["msg"]


def test_a_refusal(platform: Platform) -> None:
    platform.expects(*before(), post(BEGIN, error_reply(409, "Busy")))
    result = badly(platform, NAME, **WHERE)
    assert ("Busy" in result["msg"], result["changed"], "restore" in result) == (True, False, False)


# Never two at a time


@pytest.mark.parametrize("check", [False, True])
def test_one_of_the_same_backup_is_gone_on_with(platform: Platform, check: bool) -> None:
    platform.expects(*before(restore("r0"), restore(status="in-progress")), *([] if check else [of_backup(restore())]))
    result = well(platform, NAME, check=check, **WHERE)
    assert (result["changed"], ids(result)) == (False, here("in-progress" if check else "completed"))
    assert sent(platform) == []


def test_one_of_another_backup_is_an_error(platform: Platform) -> None:
    other = {**restore("r9", "in-progress"), "backupId": "b9"}
    platform.expects(backup(), of_backup(restore("r0")), of_addon({**restore("r0"), "backupId": "b1"}, other))
    result = badly(platform, NAME, **WHERE)
    assert "The addon db is being restored from the backup b9 (restore r9, in-progress)." in result["msg"]
    assert result["changed"] is False


def test_one_of_another_backup_that_has_ended(platform: Platform) -> None:
    platform.expects(backup(), of_backup(), of_addon({**restore("r9", "failed"), "backupId": "b9"}))
    assert well(platform, NAME, check=True, **WHERE)["changed"] is True


def test_two_of_the_same_backup(platform: Platform) -> None:
    platform.expects(*before(restore("r1", "in-progress"), restore("r2", "scheduled")))
    assert "2 restores of the backup b1" in badly(platform, NAME, **WHERE)["msg"]


LOST_ANSWERS = [BROKEN, error_reply(500), error_reply(504), Reply(200, b"success"), OK, json_reply({})]


@pytest.mark.parametrize("answer", LOST_ANSWERS)
def test_a_lost_answer(platform: Platform, answer: Answer) -> None:
    platform.expects(
        *before(restore("r0")),
        post(BEGIN, answer),
        of_backup(restore("r0")),
        of_backup(restore("r0"), restore(status="scheduled")),
        of_backup(restore("r0"), restore()),
    )
    result = well(platform, NAME, **WHERE)
    assert (result["changed"], ids(result), sent(platform)) == (True, here("completed"), ["POST restore"])


def test_nothing_new(platform: Platform) -> None:
    platform.expects(*before(restore("r0")), post(BEGIN, BROKEN), *[of_backup(restore("r0"))] * 7)
    result = badly(platform, NAME, **WHERE)
    assert "Within 30 seconds nothing new has shown. So the restore was not asked for again" in result["msg"]
    assert (result["changed"], sent(platform)) == (True, ["POST restore"])


def test_several_new_ones(platform: Platform) -> None:
    platform.expects(*before(), post(BEGIN, BROKEN), of_backup(restore("r1"), restore("r2")))
    assert "2 new ones are there (r1, r2)" in badly(platform, NAME, **WHERE)["msg"]


# By id


def test_one_is_waited_for(platform: Platform) -> None:
    platform.expects(
        of_backup(restore(status="scheduled")), of_backup(restore(status="scheduled")), of_backup(restore())
    )
    result = well(platform, NAME, **WHERE, restore_id="r1")
    assert (result["changed"], ids(result)) == (False, here("completed"))


@pytest.mark.parametrize("arguments", [{"check": True}, {"wait": False}])
def test_one_is_looked_at(platform: Platform, arguments: Item) -> None:
    platform.expects(of_backup(restore(status="scheduled")))
    assert ids(well(platform, NAME, **WHERE, restore_id="r1", **arguments)) == here("scheduled")


def test_one_that_has_failed(platform: Platform) -> None:
    platform.expects(of_backup(restore(status="failed")))
    assert badly(platform, NAME, **WHERE, restore_id="r1")["changed"] is False


@pytest.mark.parametrize("state", ["present", "aborted"])
def test_one_that_is_not_there(platform: Platform, state: str) -> None:
    platform.expects(of_backup(restore("r0")))
    result = badly(platform, NAME, **WHERE, restore_id="r1", state=state)
    assert result["msg"] == 'The backup b1 has no restore "r1" into the addon db (option restore_id).'


def test_one_of_a_backup_that_is_not_there(platform: Platform) -> None:
    platform.expects(
        listed(f"{B}/restores", error_reply(404)), get(P, data()), get(A, data()), get(B, error_reply(404))
    )
    assert 'The backup "b1" was not found' in badly(platform, NAME, **WHERE, restore_id="r1")["msg"]


def test_one_of_another_addons_backup_that_is_not_there(platform: Platform) -> None:
    platform.expects(listed(f"{B}/restores", error_reply(404, "Who knows"), **QUERY), get(P, data()), get(A, data()))
    message = badly(platform, NAME, **WHERE, **SOURCE, restore_id="r1")["msg"]
    assert message.startswith('The backup "b1" was not found (option backup_id; looked for with source_project_id and')
    assert "Who knows" in message


# Aborting


@pytest.mark.parametrize("identity", ["r1", None])
@pytest.mark.parametrize("source", [{}, SOURCE])
def test_one_is_aborted(platform: Platform, identity: str | None, source: dict[str, str]) -> None:
    query = QUERY if source else {}
    platform.expects(
        of_backup(restore("r0"), restore(status="in-progress"), **query),
        post(ABORT, OK, {"restoreId": "r1"}, **query),
        of_backup(restore(status="aborting"), **query),
        of_backup(restore(status="aborting"), **query),
        of_backup(restore(status="aborted"), **query),
    )
    which = {"restore_id": identity} if identity else {}
    result = well(platform, NAME, **WHERE, **which, **source, state="aborted")
    assert (result["changed"], ids(result)) == (True, here("aborted"))


def test_check_mode_aborts_nothing(platform: Platform) -> None:
    platform.expects(of_backup(restore(status="in-progress")))
    result = well(platform, NAME, check=True, **WHERE, state="aborted")
    assert (result["changed"], result["diff"]["after"]["status"]) == (True, "aborted")


def test_none_is_under_way(platform: Platform) -> None:
    platform.expects(of_backup(restore("r0")))
    result = well(platform, NAME, **WHERE, state="aborted")
    assert (result["changed"], result["restore"]) == (False, None)


def test_several_are_under_way(platform: Platform) -> None:
    platform.expects(of_backup(restore("r1", "in-progress"), restore("r2", "scheduled")))
    assert "Name one by restore_id" in badly(platform, NAME, **WHERE, state="aborted")["msg"]


@pytest.mark.parametrize("status", ["completed", "failed", "aborted"])
def test_one_that_has_ended_is_no_change(platform: Platform, status: str) -> None:
    platform.expects(of_backup(restore(status=status)))
    result = well(platform, NAME, **WHERE, restore_id="r1", state="aborted")
    assert (result["changed"], ids(result)) == (False, here(status))


@pytest.mark.parametrize("status", REFUSALS)
def test_one_that_ended_in_between(platform: Platform, status: int) -> None:
    done = of_backup(restore())
    platform.expects(
        of_backup(restore(status="in-progress")), post(ABORT, error_reply(status), {"restoreId": "r1"}), done, done
    )
    assert well(platform, NAME, **WHERE, state="aborted")["changed"] is False


def test_an_abort_whose_answer_is_lost(platform: Platform) -> None:
    aborting, aborted = of_backup(restore(status="aborting")), of_backup(restore(status="aborted"))
    platform.expects(
        of_backup(restore(status="in-progress")), post(ABORT, BROKEN, {"restoreId": "r1"}), aborting, aborting, aborted
    )
    assert well(platform, NAME, **WHERE, state="aborted")["changed"] is True
    assert sent(platform) == ["POST abort-restore"]
