# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrating instances and taking that back, on a platform in memory, by a clock that is moved by hand."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    JobError,
    NotFoundError,
    OptionError,
    PaasError,
    StateError,
    TransportError,
    WaitTimeoutError,
)
from unit.cycle_hub import Hub, Item, Killed, act, broken, hop, instance, refused, trouble
from unit.fakes import Clock

NAME = "instance_migration"
START = {
    "action": "migration.start",
    "contents": {"destination_server_id": "s2", "stateful": {"copy_volumes": False}},
}
REVERT = {"action": "migration.revert"}
KEYS = {
    "changed",
    "destination_server_id",
    "diff",
    "jobs",
    "new_instance",
    "new_instance_id",
    "old_instance",
    "old_instance_id",
    "reverted",
    "source_server_id",
}


@pytest.fixture
def hub(clock: Clock) -> Hub:
    return Hub(clock, instance("i1"))


def to_s2(hub: Hub, **more: t.Any) -> Item:
    return act(hub, NAME, **{"instance_id": "i1", "destination_server_id": "s2", **more})


def fails(hub: Hub, kind: type[PaasError], **more: t.Any) -> PaasError:
    return trouble(hub, NAME, kind, **{"instance_id": "i1", "destination_server_id": "s2", **more})


def migrated(hub: Hub) -> str:
    """The id of the successor of i1, on s2."""
    found: str = to_s2(hub)["new_instance_id"]
    hub.sent.clear()
    return found


def retained(clock: Clock, *more: Item, **changes: t.Any) -> Hub:
    """A hub on which i1 on s1 has become i2 on s2."""
    old = instance("i1", state="stopped", ready_state="purge", migration=hop(to=("i2", "s2")))
    new = instance("i2", "s2", migration=hop(came=("i1", "s1")))
    return Hub(clock, old, {**new, **changes}, *more)


# To another server


def test_it_migrates_waits_and_tells_of_both(hub: Hub, clock: Clock) -> None:
    result = to_s2(hub)
    assert set(result) == KEYS
    assert result["changed"] is True
    assert hub.sent == [START]
    new = result["new_instance_id"]
    assert new not in (None, "i1")
    assert (result["old_instance_id"], result["old_instance"]["ready_state"]) == ("i1", "purge")
    assert (result["new_instance"]["id"], result["new_instance"]["state"]["health"]) == (new, {"healthy": True})
    assert (result["source_server_id"], result["destination_server_id"]) == ("s1", "s2")
    assert [(job["action"], job["state"]) for job in result["jobs"]] == [
        ("container.instance.migration.start", "completed")
    ]
    assert result["diff"]["before"] == {"instance_id": "i1", "server_id": "s1"}
    assert result["diff"]["after"] == {"instance_id": new, "server_id": "s2"}
    # One second until the job begins, four until it is done, two until the health is told, looked at every two.
    assert clock.now() == 1008


def test_check_mode_predicts_with_the_same_keys(hub: Hub) -> None:
    result = to_s2(hub, check=True)
    assert hub.sent == []
    assert set(result) == KEYS
    assert result["changed"] is True
    assert result["diff"] == {
        "before_header": "server of instance i1",
        "after_header": "server of instance i1",
        "before": {"instance_id": "i1", "server_id": "s1"},
        "after": {"instance_id": None, "server_id": "s2"},
    }
    assert (result["old_instance_id"], result["new_instance_id"], result["reverted"]) == ("i1", None, False)


def test_volumes_are_copied_on_request(hub: Hub) -> None:
    to_s2(hub, copy_volumes=True)
    assert hub.sent[0]["contents"]["stateful"] == {"copy_volumes": True}


def test_without_waiting(hub: Hub, clock: Clock) -> None:
    result = to_s2(hub, wait=False)
    assert set(result) == KEYS
    assert (result["changed"], result["new_instance_id"], clock.now()) == (True, None, 1000)
    assert result["diff"]["after"] == {"instance_id": None, "server_id": "s2"}
    assert [job["state"] for job in result["jobs"]] == [None]


@pytest.mark.parametrize("wanted", [{"destination_server_id": "s2"}, {"any_usable": True}])
@pytest.mark.parametrize("purge", [10800.0, 0.0])
def test_the_old_id_is_no_change_again(hub: Hub, clock: Clock, wanted: Item, purge: float) -> None:
    hub.purge = purge
    new = migrated(hub)
    clock.advance(60)
    result = act(hub, NAME, instance_id="i1", **wanted)
    assert (result["changed"], result["old_instance_id"], result["new_instance_id"]) == (False, "i1", new)
    assert set(result) == KEYS
    assert result["jobs"] == hub.sent == []
    assert (result["old_instance"] is None) == (purge == 0)


def test_the_new_id_is_no_change_on_its_server(hub: Hub) -> None:
    new = migrated(hub)
    result = to_s2(hub, instance_id=new)
    assert (result["changed"], result["old_instance_id"], result["source_server_id"]) == (False, "i1", "s1")


def test_what_is_there_costs_two_requests(clock: Clock) -> None:
    hub = Hub(clock, instance("i1", "s2", "stopped"))
    result = to_s2(hub)
    assert (result["changed"], result["old_instance_id"], result["new_instance_id"]) == (False, None, "i1")
    assert len(hub.reads) == 2


def test_a_chain_of_migrations_is_followed(hub: Hub, clock: Clock) -> None:
    new = migrated(hub)
    third = to_s2(hub, destination_server_id="s3")
    assert (third["changed"], third["old_instance_id"]) == (True, new)
    again = to_s2(hub, destination_server_id="s3")
    assert (again["changed"], again["new_instance_id"]) == (False, third["new_instance_id"])


def test_one_that_migrates_there_is_waited_for(hub: Hub) -> None:
    to_s2(hub, wait=False)
    hub.clock.advance(2)
    predicted = to_s2(hub, check=True)
    result = to_s2(hub)
    assert (predicted["changed"], result["changed"]) == (False, False)
    assert result["new_instance"]["state"]["current"] == "running"
    assert hub.sent == [START]


def test_one_that_migrates_elsewhere_goes_on_from_there(hub: Hub) -> None:
    to_s2(hub, wait=False)
    hub.clock.advance(2)
    result = to_s2(hub, destination_server_id="s3")
    assert (result["changed"], result["source_server_id"], result["destination_server_id"]) == (True, "s2", "s3")


def test_one_that_has_left_a_server_stays_where_it_is(hub: Hub) -> None:
    new = migrated(hub)
    for identity in ("i1", new):
        result = to_s2(hub, instance_id=identity, destination_server_id="s3", source_server_id="s1")
        assert (result["changed"], result["new_instance_id"], result["destination_server_id"]) == (False, new, "s2")
    assert hub.sent == []


def test_one_that_leaves_a_server_is_waited_for(hub: Hub) -> None:
    to_s2(hub, wait=False)
    hub.sent.clear()
    result = to_s2(hub, destination_server_id="s3", source_server_id="s1")
    assert (result["changed"], result["new_instance"]["server_id"], hub.sent) == (False, "s2", [])


def test_one_on_the_server_that_is_to_be_left_migrates(hub: Hub) -> None:
    assert to_s2(hub, source_server_id="s1")["changed"] is True
    assert hub.sent == [START]


def test_a_successor_that_does_not_run_yet_is_waited_for(clock: Clock) -> None:
    hub = retained(clock, state={"current": "starting", "health": None})
    hub.after(9, lambda: hub.instances[1].update(state={"current": "running", "health": {"healthy": True}}))
    assert to_s2(hub)["changed"] is False
    assert clock.now() == 1010


@pytest.mark.parametrize(
    ("check", "healthy", "is_done"),
    [
        ({"command": "x"}, True, True),
        ({"command": "x"}, None, False),
        ({"command": "x"}, False, False),
        (None, None, True),
        (None, True, True),
        (None, False, False),
    ],
)
def test_what_healthy_means(clock: Clock, check: t.Any, healthy: bool | None, is_done: bool) -> None:
    hub = retained(clock, state={"current": "running", "health": {"healthy": healthy}})
    hub.container["config"]["deploy"]["health_check"] = check
    if is_done:
        assert to_s2(hub)["new_instance"]["state"]["health"]["healthy"] is healthy
        assert clock.now() == 1000
    else:
        assert "was not done after 30 seconds" in fails(hub, WaitTimeoutError, wait_timeout=30).message


def test_without_a_health_check_nothing_may_be_said_of_it(clock: Clock) -> None:
    hub = retained(clock, state={"current": "running"})
    hub.container["config"] = {"deploy": {}}
    assert to_s2(hub)["changed"] is False
    assert clock.now() == 1000


def test_the_successor_of_a_stopped_one_may_stay_stopped(clock: Clock) -> None:
    hub = Hub(clock, instance("i1", state="stopped"), state={"desired": "stopped"})
    hub.outcome = "stopped"
    assert to_s2(hub)["new_instance"]["state"]["current"] == "stopped"


def test_a_successor_that_is_not_meant_to_be_stopped(hub: Hub) -> None:
    hub.outcome = "stopped"
    assert "is stopped" in fails(hub, WaitTimeoutError, wait_timeout=30).message


# Which server


def test_any_server_is_the_one_with_the_fewest_instances(hub: Hub) -> None:
    def server(name: str, count: t.Any, **more: t.Any) -> Item:
        return {"id": name, "meta": {"instances_count": {"available": count, "total": 9}}, "cluster": "eu", **more}

    hub.usable = [
        server("s1", 0),
        server("s9", 3),
        server("s8", 3),
        server("s7", 1, evacuate={"started": "2026-01-01T00:00:00Z"}),
        server("s6", 1, cluster="us"),
        server("s5", 1, state={"current": "quarantined"}),
        {"id": "s4", "state": {"current": "live"}},
    ]
    result = act(hub, NAME, check=True, instance_id="i1", any_usable=True)
    assert result["destination_server_id"] == "s8"
    assert ("containers/c1/servers/usable", {"meta": ["instances_count"]}) in hub.queries
    hub.usable = [one for one in hub.usable if one["id"] not in ("s8", "s9")]
    assert act(hub, NAME, check=True, instance_id="i1", any_usable=True)["destination_server_id"] == "s4"


def test_without_another_server(hub: Hub) -> None:
    hub.usable = hub.usable[:1]
    error = trouble(hub, NAME, StateError, instance_id="i1", any_usable=True)
    assert error.message.startswith("There is no other server for the instance i1, which is on s1.")
    assert hub.sent == []


def test_a_wish_that_is_switched_off_is_none(hub: Hub) -> None:
    assert to_s2(hub, any_usable=False, check=True)["destination_server_id"] == "s2"


def test_a_server_that_cannot_be_used(hub: Hub) -> None:
    error = fails(hub, StateError, destination_server_id="s9", check=True)
    assert "Servers that its container can use: host-s1 (s1), host-s2 (s2), host-s3 (s3)." in error.message


def test_when_the_servers_may_not_be_seen_the_platform_decides(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def get_list(path: str, *rest: t.Any, **more: t.Any) -> list[Item]:
        if path.endswith("usable"):
            raise refused(403, "403.permissions")
        return Hub.get_list(hub, path, *rest, **more)

    monkeypatch.setattr(hub, "get_list", get_list)
    assert to_s2(hub)["changed"] is True


# What cannot migrate


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (instance("i1", service="loadbalancer"), "is a load balancer's"),
        (instance("i1", state="deleting"), "is deleting"),
        (instance("i1", state="deleted"), "is deleted"),
        (
            instance("i1", state="stopped", ready_state="purge", migration=hop(to=("gone", "s3"))),
            "successor gone is gone",
        ),
    ],
)
def test_what_cannot_migrate(clock: Clock, found: Item, said: str) -> None:
    hub = Hub(clock, found)
    assert said in fails(hub, StateError).message
    assert hub.sent == []


def test_unknown_ones(hub: Hub) -> None:
    assert '"i9" was not found (option instance_id)' in fails(hub, NotFoundError, instance_id="i9").message
    assert '"c9" was not found (option container_id)' in fails(hub, NotFoundError, container_id="c9").message


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"destination_server_id": None}, "Say where to migrate to"),
        ({"any_usable": True}, "and not both"),
        ({"state": "reverted"}, "name no destination"),
        ({"state": "reverted", "destination_server_id": None, "any_usable": True}, "name no destination"),
        ({"state": "reverted", "destination_server_id": None, "source_server_id": "s1"}, "no source"),
    ],
)
def test_options_that_do_not_fit(hub: Hub, arguments: Item, said: str) -> None:
    assert said in fails(hub, OptionError, **arguments).message
    assert hub.reads == []


def test_what_the_platform_refuses_says_nothing_of_states(hub: Hub) -> None:
    hub.trouble = [(refused(403, "403.permissions"), False)]
    error = fails(hub, ApiError)
    assert error.message == "The platform said 403.permissions."
    assert error.results == {}


# Failures


def test_a_job_that_fails(hub: Hub) -> None:
    hub.ends_in = "error"
    error = fails(hub, JobError)
    assert "no room" in error.message
    assert "the old instance i1 on server s1 is running and healthy" in error.message
    assert "the new instance on server s2 is not there" in error.message
    assert [job["state"] for job in error.results["jobs"]] == ["error"]
    assert (error.results["old_instance_id"], error.results["new_instance_id"]) == ("i1", None)


def test_a_successor_that_fails(hub: Hub) -> None:
    hub.outcome = "failed"
    error = fails(hub, StateError)
    new = error.results["new_instance_id"]
    assert error.message == (
        f"The new instance {new} failed: the platform gave no reason. Now the old instance i1 on server s1 is stopped,"
        f" kept until it is purged (2026-01-01T03:00:00Z); the new instance {new} on server s2 is failed."
        " With state=reverted the old instance is brought back."
    )
    assert error.results["reverted"] is False
    assert KEYS - {"changed", "diff"} == set(error.results)


def test_one_that_is_not_done_in_time_goes_on(hub: Hub) -> None:
    error = fails(hub, WaitTimeoutError, wait_timeout=3, revert_on_failure=True)
    assert "i1 on server s1 is migrating" in error.message
    assert "It was not reverted: that takes a migration that is done." in error.message
    assert "Running the task again waits for it, and does not start another one." in error.message
    assert to_s2(hub)["changed"] is False
    assert hub.sent == [START]


def test_a_migration_that_was_given_up_shows_without_jobs(hub: Hub) -> None:
    hub.may_see_jobs = False
    to_s2(hub, wait=False)
    hub.clock.advance(2)

    def give_up() -> None:
        hub.instances[:] = [instance("i1")]

    hub.after(1, give_up)
    assert "was given up" in fails(hub, StateError).message


def test_revert_on_failure(hub: Hub) -> None:
    hub.outcome = "failed"
    error = fails(hub, StateError, revert_on_failure=True)
    assert hub.sent == [START, REVERT]
    assert error.message.endswith("The migration was reverted: the instance i1 is running on server s1 again.")
    assert error.results["reverted"] is True
    assert [job["action"].rpartition(".")[2] for job in error.results["jobs"]] == ["start", "revert"]
    assert error.results["old_instance"]["state"]["current"] == "running"
    assert error.results["new_instance"] is None


def fails_early(hub: Hub) -> None:
    """Starts a migration whose successor fails while the source still migrates."""
    to_s2(hub, wait=False)
    hub.clock.advance(2)
    hub.after(0, lambda: hub.instances[-1]["state"].update(current="failed"))


def test_revert_on_failure_before_the_migration_is_over(hub: Hub) -> None:
    hub.outcome = "failed"
    fails_early(hub)
    error = fails(hub, StateError, revert_on_failure=True)
    assert "i1 on server s1 is migrating" in error.message
    assert error.results["reverted"] is True
    assert hub.sent == [START, REVERT]


def test_revert_on_failure_when_the_migration_does_not_end(hub: Hub) -> None:
    hub.work = 1000
    fails_early(hub)
    error = fails(hub, StateError, revert_on_failure=True, wait_timeout=60)
    assert "It was not reverted: that takes a migration that is done." in error.message
    assert hub.sent == [START]


def test_revert_on_failure_of_an_unhealthy_one(hub: Hub) -> None:
    hub.healthy = False
    error = fails(hub, WaitTimeoutError, wait_timeout=20, revert_on_failure=True)
    assert "is running and unhealthy" in error.message
    assert error.results["reverted"] is True


def test_revert_on_failure_with_nothing_to_revert(hub: Hub) -> None:
    hub.ends_in = "expired"
    error = fails(hub, JobError, revert_on_failure=True)
    assert "It was not reverted: there is no old instance that is kept." in error.message
    assert hub.sent == [START]


def test_a_revert_that_fails_as_well(hub: Hub) -> None:
    hub.outcome = "failed"
    hub.trouble = [None, (refused(403, "403.permissions"), False)]
    error = fails(hub, StateError, revert_on_failure=True)
    assert "Reverting it failed as well: The platform said 403.permissions." in error.message
    assert error.results["reverted"] is False


# Back again


@pytest.mark.parametrize("identity", ["i1", "i2"])
def test_reverted_by_either_id(clock: Clock, identity: str) -> None:
    hub = retained(clock)
    predicted = act(hub, NAME, check=True, instance_id=identity, state="reverted")
    assert (predicted["changed"], predicted["reverted"], hub.sent) == (True, True, [])
    result = act(hub, NAME, instance_id=identity, state="reverted")
    assert hub.sent == [REVERT]
    assert set(result) == set(predicted) == KEYS
    assert (result["changed"], result["reverted"]) == (True, True)
    assert (result["old_instance_id"], result["new_instance_id"], result["new_instance"]) == ("i1", "i2", None)
    assert result["old_instance"]["state"]["current"] == "running"
    assert result["diff"]["before"] == {"instance_id": "i2", "server_id": "s2"}
    assert result["diff"]["after"] == {"instance_id": "i1", "server_id": "s1"}
    again = act(hub, NAME, instance_id=identity, state="reverted")
    assert (again["changed"], again["reverted"], hub.sent) == (False, False, [REVERT])
    assert set(again) == KEYS


def test_nothing_to_revert(hub: Hub) -> None:
    result = act(hub, NAME, instance_id="i1", state="reverted")
    assert (result["changed"], result["old_instance_id"], hub.sent) == (False, "i1", [])


@pytest.mark.parametrize("identity", ["i1", "i2"])
def test_a_purged_source_cannot_be_reverted_to(clock: Clock, identity: str) -> None:
    hub = retained(clock)
    del hub.instances[0]
    error = trouble(hub, NAME, StateError, instance_id=identity, state="reverted")
    assert "of the instance i1 can no longer be reverted" in error.message
    assert "Migrate i2 instead." in error.message


def test_a_revert_under_way_is_waited_for(clock: Clock) -> None:
    hub = retained(clock)
    act(hub, NAME, instance_id="i1", state="reverted", wait=False)
    for seconds in (0, 2):
        clock.advance(seconds)
        result = act(hub, NAME, instance_id="i1", state="reverted")
        assert (result["changed"], result["old_instance"]["state"]["current"]) == (False, "running")
    assert hub.sent == [REVERT]


def test_a_revert_under_way_shows_without_jobs(clock: Clock) -> None:
    hub = retained(clock)
    hub.may_see_jobs = hub.may_read_log = False
    act(hub, NAME, instance_id="i2", state="reverted", wait=False)
    clock.advance(2)
    assert act(hub, NAME, instance_id="i2", state="reverted")["changed"] is False
    assert clock.now() > 1004
    assert hub.sent == [REVERT]


def test_a_migration_under_way_is_waited_for_and_reverted(hub: Hub) -> None:
    to_s2(hub, wait=False)
    hub.clock.advance(2)
    result = act(hub, NAME, instance_id="i1", state="reverted")
    assert (result["changed"], result["source_server_id"]) == (True, "s1")
    assert [one["id"] for one in hub.instances] == ["i1"]


def test_a_source_that_does_not_come_back(clock: Clock) -> None:
    hub = retained(clock)
    hub.after(6, lambda: hub.instances[0]["state"].update(current="failed", error={"message": "no disk."}))
    error = trouble(hub, NAME, StateError, instance_id="i1", state="reverted", wait_timeout=60)
    assert "The instance i1 failed when it was brought back: no disk." in error.message


# Not twice, not lost


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("show", [0.0, 20.0])
@pytest.mark.parametrize("later", [0, 2, 30])
def test_killed_after_the_request_and_run_again(hub: Hub, clock: Clock, blind: bool, show: float, later: int) -> None:
    hub.may_see_jobs, hub.show = not blind, show
    hub.trouble = [(Killed(), True)]
    with pytest.raises(Killed):
        to_s2(hub)
    clock.advance(later)
    result = to_s2(hub)
    assert hub.sent == [START]
    assert result["new_instance"]["server_id"] == "s2"
    assert [one["ready_state"] for one in hub.instances] == ["purge", "active"]


def test_killed_while_reverting_and_run_again(clock: Clock) -> None:
    hub = retained(clock)
    hub.trouble = [(Killed(), True)]
    with pytest.raises(Killed):
        act(hub, NAME, instance_id="i2", state="reverted")
    result = act(hub, NAME, instance_id="i2", state="reverted")
    assert hub.sent == [REVERT]
    assert (result["changed"], [one["id"] for one in hub.instances]) == (False, ["i1"])


@pytest.mark.parametrize("blind", [False, True])
def test_a_broken_connection_after_the_request(hub: Hub, blind: bool) -> None:
    hub.may_see_jobs = not blind
    hub.trouble = [(broken(), True)]
    result = to_s2(hub)
    assert hub.sent == [START]
    assert (result["changed"], result["new_instance"]["server_id"]) == (True, "s2")
    assert len(result["jobs"]) == 1


def test_a_job_found_after_a_broken_connection_may_fail(hub: Hub) -> None:
    hub.ends_in = "error"
    hub.trouble = [(broken(), True)]
    assert "no room" in fails(hub, JobError).message
    assert hub.sent == [START]


def test_a_request_that_never_arrived_is_sent_again_after_a_while(hub: Hub, clock: Clock) -> None:
    hub.trouble = [(broken(), False)]
    assert to_s2(hub)["changed"] is True
    assert hub.sent == [START, START]
    assert clock.now() >= 1030


def test_a_request_that_breaks_twice_is_given_up(hub: Hub) -> None:
    hub.trouble = [(broken(), False), (broken(), False)]
    error = fails(hub, TransportError)
    assert hub.sent == [START, START]
    assert "Nothing tells whether migration.start was accepted" in error.message
    assert "the old instance i1 on server s1 is running" in error.message


def test_a_key_that_sees_nothing_does_not_send_again(hub: Hub) -> None:
    hub.may_see_jobs = False
    hub.trouble = [(broken(), False)]
    error = fails(hub, TransportError, wait_timeout=100)
    assert hub.sent == [START]
    assert "so it was not asked for again" in error.message


def test_a_revert_of_which_nobody_knows(clock: Clock) -> None:
    hub = retained(clock)
    hub.trouble = [(broken(), True)]
    result = act(hub, NAME, instance_id="i1", state="reverted")
    assert (result["changed"], hub.sent) == (True, [REVERT])


@pytest.mark.parametrize("there", [False, True])
def test_an_old_migration_that_was_taken_back_is_not_taken_for_the_new_one(clock: Clock, there: bool) -> None:
    # Whether the platform forgets migration.to after a revert is not known.
    hub = Hub(clock, instance("i1", migration=hop(to=("i2", "s2"))), *[instance("i2", "s2")] * there)
    hub.may_see_jobs = False
    result = to_s2(hub)
    assert (result["changed"], result["old_instance_id"]) == (True, "i1")
    assert result["new_instance_id"] not in (None, "i2")


def test_a_successor_that_is_not_named_yet(hub: Hub) -> None:
    hub.names = hub.may_read_log = False
    hub.show, hub.work = 9999, 60
    hub.trouble = [(broken(), True)]
    assert to_s2(hub)["new_instance"]["server_id"] == "s2"
    assert hub.sent == [START]


# Without seeing jobs


@pytest.fixture
def moving(clock: Clock) -> Hub:
    """A hub on which i1 becomes i2 on s2, which runs already, in five seconds. Jobs cannot be seen."""
    old = instance("i1", state="migrating", migration=hop(to=("i2", "s2")))
    hub = Hub(clock, old, instance("i2", "s2", migration=hop(came=("i1", "s1"))))
    hub.may_see_jobs = False
    hub.after(5, lambda: old.update(ready_state="purge", state={"current": "stopped"}))
    return hub


def test_the_source_has_to_be_left_behind(moving: Hub, clock: Clock) -> None:
    assert to_s2(moving)["changed"] is False
    assert clock.now() >= 1005


def test_a_migration_elsewhere_is_waited_for_first(moving: Hub, clock: Clock) -> None:
    result = to_s2(moving, destination_server_id="s3")
    assert (result["changed"], result["old_instance_id"], result["source_server_id"]) == (True, "i2", "s2")


def test_a_migration_is_waited_for_before_it_is_reverted(moving: Hub) -> None:
    result = act(moving, NAME, instance_id="i2", state="reverted")
    assert (result["changed"], result["old_instance"]["state"]["current"]) == (True, "running")


# What somebody else does


def test_a_successor_that_is_deleted_meanwhile(clock: Clock) -> None:
    hub = retained(clock, state={"current": "starting"})
    hub.after(3, lambda: hub.instances[1].update(ready_state="purge"))
    assert "The new instance i2 is about to be gone." in fails(hub, StateError).message


def test_a_successor_that_is_not_the_last_one_cannot_be_reverted(clock: Clock) -> None:
    hub = retained(clock)
    hub.instances[0]["migration"] = hop(to=("i3", "s3"))
    error = trouble(hub, NAME, StateError, instance_id="i2", state="reverted")
    assert "can no longer be reverted" in error.message
