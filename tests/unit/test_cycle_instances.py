# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Placing and deleting instances on a platform in memory, by a clock that is moved by hand."""

from __future__ import annotations

import copy
import functools
import typing as t

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._cycle import instances, jobs, placement
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    InvalidResponseError,
    JobError,
    NotFoundError,
    OptionError,
    PaasError,
    StateError,
    TransportError,
    WaitTimeoutError,
)
from ansible_collections.quayside.paas.plugins.module_utils._module.action import apply
from ansible_collections.quayside.paas.plugins.module_utils._plan import Plan
from ansible_collections.quayside.paas.plugins.module_utils._wait import Deadline
from unit.fakes import Clock
from unit.hosts import declared, validate

Item = dict[str, t.Any]


def not_found(code: str) -> NotFoundError:
    return NotFoundError(f"404 {code}", status=404, code=code)


def broken() -> TransportError:
    return TransportError("The connection broke.", may_have_succeeded=True)


def one(identity: str, server: str = "s1", state: str = "running", **more: t.Any) -> Item:
    """An instance."""
    health = more.pop("healthy", None)
    return {
        "id": identity,
        "server_id": server,
        "ready_state": "active",
        "migration": None,
        "state": {"current": state, "health": {"healthy": health}},
        **more,
    }


def moving(identity: str, to: str, target: str, state: str = "migrating", **more: t.Any) -> Item:
    """An instance that migrates."""
    return one(identity, state=state, migration={"to": {"instance_id": to, "server_id": target}, "from": None}, **more)


class Hub:
    """Cycle with the container c1. What is asked for begins a job, which takes its time by the clock.

    create, run, delete: seconds until an instance is there, runs, is gone. show: seconds until a job is visible.
    end: seconds until it is done. keep: seconds until it is removed after that.
    sent: requests that change something, as method, path, body. trouble: what happens to the next ones of these, None
    for nothing; an error with may_have_succeeded is raised after the request was carried out, unless the request is in
    lost.
    """

    def __init__(self, clock: Clock, *found: Item, strategy: str | None = "manual", **container: t.Any) -> None:
        self.clock = clock
        self.check_mode = False
        self.container: Item = {
            "id": "c1",
            "name": "Web",
            "environment": {"id": "e1"},
            "config": {"deploy": {"strategy": strategy}},
            "state": {"current": "running", "desired": "running"},
            **container,
        }
        self.instances = list(found)
        self.usable = ["s1", "s2", "s3"]
        self.log: list[Item] = []
        self.jobs: list[Item] = []
        self.may_see_jobs = True
        self.create, self.run, self.delete_in, self.show, self.end, self.keep = 2.0, 3.0, 2.0, 0.0, 4.0, 1000.0
        self.ends_in = "completed"
        self.becomes = "running"
        self.vanish = True
        self.trouble: list[PaasError | None] = []
        self.lost: list[bool] = []
        self.sent: list[tuple[str, str, t.Any]] = []
        self.reads: list[str] = []
        self._coming: list[tuple[float, t.Callable[[], t.Any]]] = []
        self._numbers = iter(range(1, 1000))

    def after(self, seconds: float, what: t.Callable[[], t.Any]) -> None:
        self._coming.append((self.clock.now() + seconds, what))

    def tick(self) -> None:
        for entry in sorted(self._coming, key=lambda entry: entry[0]):
            if entry[0] <= self.clock.now():
                self._coming.remove(entry)
                entry[1]()

    def get(self, path: str, *, permission: str) -> Item:
        self.tick()
        self.reads.append(path)
        if path.startswith("jobs/"):
            return copy.deepcopy(self._find(self._visible_jobs(), path, "404.job"))
        if path.startswith("containers/c1/instances/"):
            return copy.deepcopy(self._find(self.instances, path, "404.instance"))
        return copy.deepcopy(self._find([self.container], path, "404.container"))

    def _find(self, things: list[Item], path: str, code: str) -> Item:
        identity = path.rpartition("/")[2]
        found = next((thing for thing in things if thing["id"] == identity), None)
        if found is None:
            raise not_found(code)
        return found

    def get_list(
        self, path: str, list_key: str, *, permission: str, keep: t.Any = None, query: t.Any = None
    ) -> list[Item]:
        self.tick()
        self.reads.append(path)
        found = {
            "containers/c1/instances": self.instances,
            "containers/c1/servers/usable": [{"id": server, "hostname": f"host-{server}"} for server in self.usable],
        }.get(path)
        if path == "jobs":
            found = self._visible_jobs()
        if found is None:
            raise not_found("404.container")
        return [copy.deepcopy(thing) for thing in found if keep is None or keep(thing)]

    def get_data(self, path: str, *, query: t.Any) -> list[Item]:
        assert path == "hubs/current/activity"
        assert query == {"filter[container]": "c1", "sort": "-id", "page[number]": 1, "page[size]": 100}
        self.tick()
        self.reads.append(path)
        return copy.deepcopy(self.log)

    def logged(self, identity: str, event: str, status: str) -> Item:
        """An entry of the audit log about the container."""
        return {"id": identity, "event": event, "status": status, "context": {"container_id": "c1"}}

    def _visible_jobs(self) -> list[Item]:
        if not self.may_see_jobs:
            raise ApiError("403.permissions", status=403, code="403.permissions")
        now = self.clock.now()
        return [job for job in self.jobs if job["visible"] <= now <= job["removed"]]

    def post(self, path: str, body: t.Any, *, permission: str) -> Item:
        assert path == "containers/c1/instances"
        assert permission.startswith("containers-manage")
        self.tick()

        def carry_it_out() -> None:
            for order in body:
                for _number in range(order["new_instances"]):
                    new = one(f"n{next(self._numbers):03}", order["server_id"], "starting")
                    self.after(self.create, functools.partial(self.instances.append, new))
                    self.after(self.run, functools.partial(new["state"].update, current=self.becomes))

        return self._change("POST", path, body, carry_it_out)

    def delete(self, path: str, *, body: t.Any = None, permission: str) -> Item:
        assert permission.startswith("containers-manage")
        self.tick()
        ids = body["instances_ids"] if body else [path.rpartition("/")[2]]
        for identity in ids:
            if not any(thing["id"] == identity for thing in self.instances):
                self.sent.append(("DELETE", path, body))
                raise not_found("404.instance")

        def carry_it_out() -> None:
            for thing in [thing for thing in self.instances if thing["id"] in ids]:
                thing["state"]["current"] = "deleting"
                gone = self.instances.remove if self.vanish else lambda it: it["state"].update(current="deleted")
                self.after(self.delete_in, functools.partial(gone, thing))

        return self._change("DELETE", path, body, carry_it_out)

    def _change(self, method: str, path: str, body: t.Any, carry_it_out: t.Callable[[], None]) -> Item:
        self.sent.append((method, path, body))
        errors = [one for one in self.trouble[:1] if one]
        del self.trouble[:1]
        for error in errors:
            if not error.may_have_succeeded or (self.lost and self.lost.pop(0)):
                raise error
        now = self.clock.now()
        job: Item = {
            "id": f"j{len(self.jobs) + 1}",
            "state": {"current": "running", "error": None},
            "tasks": [{"caption": method, "input": {"container_id": "c1"}, "state": {"current": "running"}}],
            "visible": now + self.show,
            "removed": now + self.end + self.keep,
        }
        self.jobs.append(job)
        if self.ends_in != "error":
            carry_it_out()
        self.after(self.end, functools.partial(job["state"].update, current=self.ends_in))
        for error in errors:
            raise error
        return {"action": f"container.{method.lower()}", "job": {"id": job["id"]}}

    def plain(self, value: t.Any) -> t.Any:
        return value

    def live(self) -> dict[str, int]:
        self.tick()
        return {server: len(found) for server, found in instances.live_by_server(self.instances).items()}


@pytest.fixture(autouse=True)
def _by_the_clock(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(placement, "Deadline", functools.partial(Deadline, sleep=clock.sleep, clock=clock.now))


def params(**arguments: t.Any) -> Item:
    given = {"container_id": "c1", "wait_timeout": 300, "wait_interval": 2, **arguments}
    checked = validate(declared("instance"), **given)
    assert checked.error_messages == []
    return t.cast("Item", checked.validated_parameters)


def wanted(**servers: int) -> list[Item]:
    return [{"server_id": server, "count": count} for server, count in servers.items()]


def plan(hub: Hub, **arguments: t.Any) -> Plan:
    return placement.plan(t.cast("t.Any", hub), params(**arguments))


def act(hub: Hub, **arguments: t.Any) -> Item:
    """The result of the module."""
    return apply(t.cast("t.Any", hub), plan(hub, **arguments))


def place(hub: Hub, exact: bool = False, **servers: int) -> Item:
    return act(hub, placement=wanted(**servers), exact=exact)


def required(hub: Hub, **arguments: t.Any) -> placement.Change:
    given = params(**arguments)
    deadline = Deadline(given["wait_timeout"], given["wait_interval"], sleep=hub.clock.sleep, clock=hub.clock.now)
    return placement.required_change(t.cast("t.Any", hub), given, deadline)


def ids(found: t.Iterable[Item]) -> list[str]:
    return [thing["id"] for thing in found]


# Counting


@pytest.mark.parametrize(
    ("found", "counts"),
    [
        ([], {}),
        ([one("a"), one("b"), one("c", "s2")], {"s1": 2, "s2": 1}),
        (
            [one("a", state=state) for state in ("new", "starting", "running", "stopping", "stopped", "failed")],
            {"s1": 6},
        ),
        ([one("a", state="deleting"), one("b", state="deleted"), one("c", ready_state="purge")], {}),
        ([one("a", ready_state="hibernate"), one("b", ready_state="configuring")], {"s1": 2}),
        # One that migrates counts once, where it will be.
        ([moving("a", "b", "s2"), one("b", "s2", "starting")], {"s2": 1}),
        ([moving("a", "b", "s2")], {"s2": 1}),
        ([moving("a", "b", "s2", "stopped", ready_state="purge"), one("b", "s2")], {"s2": 1}),
        # Its successor failed or was deleted before it got far.
        ([moving("a", "b", "s2"), one("b", "s2", "deleting")], {"s2": 1}),
        # Moved there, moved back, or was moved back: it runs again.
        ([moving("a", "b", "s2", "running")], {"s1": 1}),
        ([moving("a", "b", "s2", "running"), one("b", "s2", "deleted")], {"s1": 1}),
        # Both ends may carry the same record.
        ([moving("a", "b", "s2"), {**moving("b", "b", "s2", "starting"), "server_id": "s2"}], {"s2": 1}),
        ([moving("b", "b", "s2", "starting")], {"s2": 1}),
        ([one("a", migration={}), one("b", migration={"to": None}), one("c", migration={"to": {}})], {"s1": 3}),
        ([{"id": "a", "server_id": "s1"}], {"s1": 1}),
        ([{"id": "a", "server_id": "s1", "state": None}], {"s1": 1}),
    ],
)
def test_live_instances_by_server(found: list[Item], counts: dict[str, int]) -> None:
    live = instances.live_by_server(found)
    assert {server: len(there) for server, there in live.items()} == counts


def test_instances_stand_the_newest_first(clock: Clock) -> None:
    hub = Hub(clock, one("6501"), one("6503"), one("6502"))
    assert ids(instances.instances_of(t.cast("t.Any", hub), "c1")) == ["6503", "6502", "6501"]


@pytest.mark.parametrize("identity", [None, [], {}])
def test_an_instance_without_an_id_is_an_error(clock: Clock, identity: t.Any) -> None:
    hub = Hub(clock, {**one("a"), "id": identity})
    with pytest.raises(InvalidResponseError, match="lists an instance without its id"):
        act(hub, state="absent", all=True)
    assert hub.sent == []


def test_ids_that_are_numbers(clock: Clock) -> None:
    hub = Hub(clock, {**one("x"), "id": 7, "server_id": 9}, {"id": 8})
    found = instances.instances_of(t.cast("t.Any", hub), "c1")
    assert found == [{"id": "8", "server_id": None}, {**one("7"), "server_id": "9"}]


def test_a_successor_that_is_no_id() -> None:
    found = one("a", state="migrating", migration={"to": {"instance_id": ["b"], "server_id": "s2"}})
    assert instances.live_by_server([found]) == {"s2": [found]}


# What has to change


def test_what_is_there_is_no_change(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b"), one("c", "s2"))
    result = place(hub, s1=2, s2=1, s3=0)
    assert result["changed"] is False
    assert result["servers"] == [
        {"server_id": "s1", "before": 2, "after": 2},
        {"server_id": "s2", "before": 1, "after": 1},
        {"server_id": "s3", "before": 0, "after": 0},
    ]
    assert (result["created"], result["deleted"], result["jobs"]) == ([], [], [])
    assert result["diff"]["before"] == result["diff"]["after"]
    assert hub.sent == []
    assert hub.reads == ["containers/c1", "containers/c1/instances"]


def test_more_than_wanted_is_left_alone(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b"), one("c"))
    assert place(hub, s1=1)["changed"] is False
    assert hub.sent == []


def test_what_goes_first(clock: Clock) -> None:
    hub = Hub(
        clock,
        one("01", healthy=True),
        one("02", healthy=False),
        one("03", state="failed"),
        one("04", healthy=None),
        one("05", state="stopped"),
        one("06", healthy=True),
        one("07", state="failed", healthy=False),
        one("08", healthy=False),
        moving("09", "x", "s1"),
        one("10", state="starting"),
        one("11", state="deleting"),
        one("12", ready_state="purge"),
    )
    change = required(hub, placement=wanted(s1=1), exact=True)
    assert ids(change.surplus) == ["07", "03", "08", "02", "10", "05", "06", "04", "01"]
    for count in range(1, 11):
        change = required(hub, placement=wanted(s1=count), exact=True)
        assert ids(change.surplus) == ["07", "03", "08", "02", "10", "05", "06", "04", "01"][: 10 - count]


def test_what_migrates_does_not_go(clock: Clock) -> None:
    hub = Hub(clock, one("a", "s2"), moving("b", "x", "s2"))
    with pytest.raises(StateError, match="The server s2 has 2 instances too many, but only 1 of them can be deleted"):
        place(hub, exact=True, s2=0)
    assert hub.sent == []


@pytest.mark.parametrize("state", ["migrating", "stopped"])
def test_what_a_migration_is_about_to_become_does_not_go(clock: Clock, state: str) -> None:
    hub = Hub(clock, one("a"), moving("b", "c", "s1", state), one("c", state="starting"))
    assert ids(required(hub, placement=wanted(s1=1), exact=True).surplus) == ["a"]
    with pytest.raises(StateError, match="only 1 of them can be deleted while the others migrate"):
        place(hub, exact=True, s1=0)


def test_what_a_migration_that_is_over_has_become_can_go(clock: Clock) -> None:
    hub = Hub(clock, moving("a", "b", "s1", "stopped", ready_state="purge"), one("b", state="failed"), one("c"))
    assert ids(required(hub, placement=wanted(s1=1), exact=True).surplus) == ["b"]


@pytest.mark.parametrize("strategy", ["resource-density", "edge", None])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_containers_that_place_their_instances_themselves(clock: Clock, strategy: str | None, count: int) -> None:
    hub = Hub(clock, one("a"), strategy=strategy)
    with pytest.raises(StateError) as caught:
        place(hub, s1=count)
    said = strategy or "of the platform"
    assert f'The container "Web" (c1) has the deployment strategy {said}, not manual' in str(caught.value)
    assert hub.sent == []


@pytest.mark.parametrize(
    ("servers", "text"),
    [
        ([*wanted(s1=1), *wanted(s1=2)], "names the server s1 twice"),
        (wanted(s1=-1), "asks for -1 instances on the server s1"),
    ],
)
def test_placements_that_cannot_be(clock: Clock, servers: list[Item], text: str) -> None:
    hub = Hub(clock)
    with pytest.raises(OptionError, match=text):
        act(hub, placement=servers)
    assert hub.reads == []


def test_a_placement_that_is_null(clock: Clock) -> None:
    hub = Hub(clock, one("a"))
    with pytest.raises(OptionError, match="say how many instances each server shall have: placement"):
        act(hub, placement=None, exact=True)
    assert hub.reads == []


def test_a_server_that_the_container_cannot_use(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b", "s9"))
    with pytest.raises(StateError) as caught:
        place(hub, s1=2, s8=1, s9=2)
    assert str(caught.value) == (
        "Instances of this container cannot be placed on s8."
        " Servers that it can use: host-s1 (s1), host-s2 (s2), host-s3 (s3)."
    )
    assert hub.sent == []


def test_servers_that_the_key_may_not_see_are_left_to_the_platform(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(client: t.Any, container_id: str) -> t.Any:
        raise ApiError("no", status=403)

    monkeypatch.setattr(placement, "usable_servers", refuse)
    assert place(Hub(clock), s8=1)["changed"] is True


def test_a_server_that_has_some_already_is_not_looked_up(clock: Clock) -> None:
    hub = Hub(clock, one("a"))
    place(hub, s1=2)
    assert "containers/c1/servers/usable" not in hub.reads


@pytest.mark.parametrize("arguments", [{"placement": wanted(s1=1)}, {"state": "absent", "all": True}])
def test_a_container_that_is_not_there(clock: Clock, arguments: Item) -> None:
    hub = Hub(clock)
    with pytest.raises(NotFoundError, match=r'The container "c2" was not found \(option container_id\)') as caught:
        act(hub, container_id="c2", **arguments)
    assert caught.value.code == "404.container"


# Creating


def test_creating_is_one_request(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b", "s3"))
    result = place(hub, s1=2, s2=3, s3=1)
    assert hub.sent == [
        (
            "POST",
            "containers/c1/instances",
            [{"server_id": "s1", "new_instances": 1}, {"server_id": "s2", "new_instances": 3}],
        )
    ]
    assert result["changed"] is True
    assert sorted(result["created"]) == ["n001", "n002", "n003", "n004"]
    assert result["deleted"] == []
    assert result["servers"] == [
        {"server_id": "s1", "before": 1, "after": 2},
        {"server_id": "s2", "before": 0, "after": 3},
        {"server_id": "s3", "before": 1, "after": 1},
    ]
    assert sorted(ids(result["instances"])) == ["a", "b", "n001", "n002", "n003", "n004"]
    assert [(job["id"], job["state"]) for job in result["jobs"]] == [("j1", "completed")]
    assert result["diff"]["before"]["s2"] == {"count": 0, "instances": []}
    assert result["diff"]["after"]["s2"] == {"count": 3, "instances": ["n002", "n003", "n004"]}
    again = place(hub, s1=2, s2=3, s3=1)
    assert again["changed"] is False
    assert again["instances"] == result["instances"]
    assert set(again) == set(result)
    assert len(hub.sent) == 1


def test_check_mode_says_what_would_come(clock: Clock) -> None:
    hub = Hub(clock, one("a", "s1", "failed"), one("b"))
    hub.check_mode = True
    result = place(hub, exact=True, s1=1, s2=2)
    assert hub.sent == []
    assert result["changed"] is True
    assert result["servers"] == [
        {"server_id": "s1", "before": 2, "after": 1},
        {"server_id": "s2", "before": 0, "after": 2},
    ]
    assert (result["created"], result["deleted"], ids(result["instances"])) == ([], ["a"], ["b"])
    assert result["diff"]["before"] == {
        "s1": {"count": 2, "instances": ["a", "b"]},
        "s2": {"count": 0, "instances": []},
    }
    assert result["diff"]["after"] == {"s1": {"count": 1, "instances": ["b"]}, "s2": {"count": 2, "instances": []}}


def test_it_waits_until_the_new_ones_run(clock: Clock) -> None:
    hub = Hub(clock)
    hub.end, hub.run = 1.0, 20.0
    result = place(hub, s1=1)
    assert [thing["state"]["current"] for thing in result["instances"]] == ["running"]
    assert clock.now() >= 1020


@pytest.mark.parametrize(
    "state",
    [
        {"current": "stopped", "desired": "stopped"},
        {"current": "stopped"},
        {"current": "stopped", "desired": None},
        {"current": "new", "desired": ""},
        {"current": "running", "desired": "stopped"},
    ],
)
def test_new_ones_of_a_stopped_container_do_not_have_to_run(clock: Clock, state: Item) -> None:
    hub = Hub(clock, state=state)
    hub.becomes = "stopped"
    assert place(hub, s1=1)["created"] == ["n001"]


@pytest.mark.parametrize(
    "state", [{"current": "running"}, {"current": "running", "desired": None}, {"current": "starting"}, {}, None]
)
def test_new_ones_have_to_run_where_nobody_says_otherwise(clock: Clock, state: t.Any) -> None:
    hub = Hub(clock, state=state)
    hub.becomes = "stopped"
    with pytest.raises(WaitTimeoutError):
        place(hub, s1=1)


def test_a_new_one_that_fails(clock: Clock) -> None:
    hub = Hub(clock)
    hub.becomes = "failed"
    with pytest.raises(StateError, match=r"The new instance n001 failed: the platform gave no reason\.") as caught:
        place(hub, s1=1)
    assert [job["state"] for job in caught.value.results["jobs"]] == ["completed"]
    assert caught.value.results["servers"] == [{"server_id": "s1", "before": 0, "after": 1}]


def test_a_job_that_fails(clock: Clock) -> None:
    hub = Hub(clock)
    hub.ends_in = "error"
    with pytest.raises(JobError) as caught:
        place(hub, s1=1)
    assert [(job["id"], job["state"]) for job in caught.value.results["jobs"]] == [("j1", "error")]
    assert caught.value.results["servers"] == [{"server_id": "s1", "before": 0, "after": 0}]


@pytest.mark.parametrize("exact", [True, False])
def test_somebody_else_places_at_the_same_time(clock: Clock, exact: bool) -> None:
    hub = Hub(clock)
    hub.after(3, lambda: hub.instances.append(one("x1")))
    if not exact:
        assert place(hub, s1=2)["servers"] == [{"server_id": "s1", "before": 0, "after": 3}]
        return
    with pytest.raises(StateError, match=r"The server s1 has 3 instances now, 2 were wanted: meanwhile") as caught:
        place(hub, exact=True, s1=2)
    assert caught.value.results["servers"] == [{"server_id": "s1", "before": 0, "after": 3}]
    assert [job["state"] for job in caught.value.results["jobs"]] == ["completed"]
    assert place(hub, exact=True, s1=2)["servers"] == [{"server_id": "s1", "before": 3, "after": 2}]


def test_the_time_to_wait_is_one_for_the_whole_task(clock: Clock) -> None:
    hub = Hub(clock)
    job = {"id": "j", "state": {"current": "running"}, "caption": "c1", "visible": 0, "removed": clock.now() + 250}
    hub.jobs, hub.end, hub.run = [job], 100.0, 100.0
    with pytest.raises(WaitTimeoutError, match="not done after 300 seconds"):
        place(hub, s1=1)
    assert clock.now() == 1300


def test_a_job_that_is_removed_soon(clock: Clock) -> None:
    hub = Hub(clock)
    hub.keep = -1.0  # between two looks
    hub.run = 9.0
    result = place(hub, s1=1)
    assert result["jobs"][0]["state"] is None
    assert result["created"] == ["n001"]


def test_a_job_that_is_never_visible(clock: Clock) -> None:
    hub = Hub(clock)
    hub.show, hub.keep = 1e6, 1e7
    assert place(hub, s1=1)["created"] == ["n001"]
    assert clock.now() < 1000 + jobs.VISIBLE_WITHIN


def test_a_key_that_may_not_look_at_jobs_waits_for_the_instances(clock: Clock) -> None:
    hub = Hub(clock)
    hub.may_see_jobs = False
    result = place(hub, s1=2)
    assert len(result["created"]) == 2
    assert result["jobs"][0]["state"] is None


def test_the_deadline_of_a_placement(clock: Clock) -> None:
    hub = Hub(clock)
    hub.end, hub.run = 1.0, 1e6
    with pytest.raises(
        WaitTimeoutError, match="The placement of the instances of c1 was not done after 10 seconds"
    ) as caught:
        act(hub, placement=wanted(s1=1), wait_timeout=10)
    assert "its last state was {'n001': 'starting'}" in str(caught.value)
    assert [job["state"] for job in caught.value.results["jobs"]] == ["completed"]
    assert clock.now() == 1010


def test_not_to_wait(clock: Clock) -> None:
    hub = Hub(clock, one("a", "s3"))
    result = act(hub, placement=wanted(s1=2, s3=0), exact=True, wait=False)
    assert clock.sleeps == []
    assert result["changed"] is True
    assert [(job["id"], job["state"]) for job in result["jobs"]] == [("j1", None), ("j2", None)]
    assert (result["created"], result["deleted"]) == ([], ["a"])
    # As it was asked for: nobody waited to see it.
    assert {entry["server_id"]: entry["after"] for entry in result["servers"]} == {"s1": 2, "s3": 0}
    assert result["diff"]["after"] == {"s1": {"count": 2, "instances": []}, "s3": {"count": 0, "instances": []}}


def test_what_the_last_task_has_set_going_is_not_done_twice(clock: Clock) -> None:
    hub = Hub(clock)
    act(hub, placement=wanted(s1=2), wait=False)
    result = place(hub, s1=2)
    assert result["changed"] is False
    assert len(hub.sent) == 1
    assert hub.live() == {"s1": 2}


def test_open_jobs_are_not_waited_for_where_nothing_has_to_change(clock: Clock) -> None:
    hub = Hub(clock, one("a"))
    hub.jobs = [{"id": "j", "state": {"current": "running"}, "caption": "c1", "visible": 0, "removed": 1e9}]
    assert place(hub, s1=1)["changed"] is False
    assert clock.sleeps == []


def test_a_job_that_ends_while_the_instances_are_read(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it made is counted: neither the list of instances nor that of open jobs had it."""
    hub = Hub(clock)
    act(hub, placement=wanted(s1=2), wait=False)
    real = hub.get_list

    def get_list(path: str, *arguments: t.Any, **keywords: t.Any) -> list[Item]:
        found = real(path, *arguments, **keywords)
        clock.sleep(10 if path.endswith("instances") else 0)
        return found

    monkeypatch.setattr(hub, "get_list", get_list)
    place(hub, s1=2)
    assert posts(hub) == [{"s1": 2}]
    assert hub.live() == {"s1": 2}


def test_open_jobs_that_do_not_end(clock: Clock) -> None:
    hub = Hub(clock)
    hub.jobs = [{"id": "j", "state": {"current": "running"}, "caption": "c1", "visible": 0, "removed": 1e9}]
    with pytest.raises(WaitTimeoutError, match="Other jobs of this container are not done after 300 seconds"):
        place(hub, s1=1)
    assert hub.sent == []


# Not twice, not lost


def posts(hub: Hub) -> list[dict[str, int]]:
    return [
        {order["server_id"]: order["new_instances"] for order in body}
        for method, _path, body in hub.sent
        if method == "POST"
    ]


@pytest.mark.parametrize("show", [0.0, 10.0, 25.0, 1e6])
@pytest.mark.parametrize("create", [2.0, 20.0])
def test_a_request_that_broke_and_was_carried_out_is_not_sent_again(clock: Clock, show: float, create: float) -> None:
    hub = Hub(clock)
    hub.show, hub.create, hub.run, hub.end, hub.keep = show, create, create + 1, create + 2, 1e7
    hub.trouble = [broken()]
    result = place(hub, s1=2, s2=1)
    assert posts(hub) == [{"s1": 2, "s2": 1}]
    assert hub.live() == {"s1": 2, "s2": 1}
    assert len(result["created"]) == 3
    assert result["changed"] is True
    assert result["jobs"] == []
    assert {entry["server_id"]: entry["after"] for entry in result["servers"]} == {"s1": 2, "s2": 1}


def test_a_request_that_broke_and_was_not_carried_out_is_sent_again_late(clock: Clock) -> None:
    hub = Hub(clock, one("a"))
    hub.trouble, hub.lost = [broken()], [True]
    result = place(hub, s1=3)
    assert posts(hub) == [{"s1": 2}, {"s1": 2}]
    assert hub.live() == {"s1": 3}
    assert sorted(result["created"]) == ["n001", "n002"]
    assert clock.now() >= 1000 + jobs.VISIBLE_WITHIN


def test_a_request_that_was_carried_out_in_part_is_finished(clock: Clock) -> None:
    hub = Hub(clock)
    hub.trouble, hub.lost = [broken()], [True]
    hub.after(5, lambda: hub.instances.append(one("x1", "s1")))
    place(hub, s1=2, s2=1)
    assert posts(hub) == [{"s1": 2, "s2": 1}, {"s1": 1, "s2": 1}]
    assert hub.live() == {"s1": 2, "s2": 1}


def test_while_a_job_is_open_nothing_is_sent_again(clock: Clock) -> None:
    hub = Hub(clock)
    hub.end, hub.create, hub.run = 200.0, 100.0, 110.0
    hub.trouble = [broken()]
    place(hub, s1=1)
    assert posts(hub) == [{"s1": 1}]
    assert hub.live() == {"s1": 1}


@pytest.mark.parametrize("timeout", [0, 10, 29])
def test_without_time_to_be_sure_nothing_is_sent_again(clock: Clock, timeout: int) -> None:
    hub = Hub(clock)
    hub.trouble, hub.lost = [broken()], [True]
    with pytest.raises(TransportError) as caught:
        act(hub, placement=wanted(s1=2), wait_timeout=timeout)
    assert str(caught.value) == (
        "The connection broke. Instances by server now: {'s1': 0}, wanted: {'s1': 2}. Whether more are to come is not"
        " known, so nothing was asked for again. Run the task again later: it finishes from what is there."
    )
    assert posts(hub) == [{"s1": 2}]
    assert caught.value.results["jobs"] == []
    assert caught.value.results["servers"] == [{"server_id": "s1", "before": 0, "after": 0}]


def test_a_key_that_may_not_look_at_jobs_never_asks_twice(clock: Clock) -> None:
    hub = Hub(clock)
    hub.may_see_jobs = False
    hub.trouble, hub.lost = [broken()], [True]
    with pytest.raises(TransportError, match="Whether more are to come is not known"):
        place(hub, s1=2)
    assert posts(hub) == [{"s1": 2}]
    assert clock.now() == 1300


def test_a_key_that_may_not_look_at_jobs_sees_the_instances_come(clock: Clock) -> None:
    hub = Hub(clock)
    hub.may_see_jobs = False
    hub.trouble = [broken()]
    place(hub, s1=2)
    assert posts(hub) == [{"s1": 2}]
    assert hub.live() == {"s1": 2}


@pytest.mark.parametrize("lost", [[True, True], [True, False]])
def test_two_requests_that_break(clock: Clock, lost: list[bool]) -> None:
    hub = Hub(clock)
    hub.trouble, hub.lost = [broken(), broken()], list(lost)
    if all(lost):
        with pytest.raises(TransportError, match="The connection broke"):
            place(hub, s1=2)
        assert hub.live() == {}
    else:
        place(hub, s1=2)
        assert hub.live() == {"s1": 2}
    assert posts(hub) == [{"s1": 2}, {"s1": 2}]


@pytest.mark.parametrize(
    "error",
    [
        ApiError("422", status=422),
        ApiError("403", status=403),
        TransportError("never sent"),
        ApiError("429", status=429),
    ],
)
def test_a_refusal_is_told_at_once(clock: Clock, error: PaasError) -> None:
    hub = Hub(clock)
    hub.trouble = [error]
    with pytest.raises(type(error)) as caught:
        place(hub, s1=1)
    assert caught.value is error
    assert len(hub.sent) == 1
    assert clock.sleeps == []
    assert error.results["jobs"] == []


def test_an_answer_that_cannot_be_understood_may_have_been_done(clock: Clock) -> None:
    hub = Hub(clock)
    error = InvalidResponseError("no JSON")
    error.may_have_succeeded = True
    hub.trouble = [error]
    place(hub, s1=1)
    assert posts(hub) == [{"s1": 1}]


def test_when_looking_fails_as_well_the_first_failure_is_told(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(clock)
    hub.trouble = [broken()]
    real = hub.get_list

    def get_list(path: str, *arguments: t.Any, **keywords: t.Any) -> list[Item]:
        if path.endswith("instances") and hub.sent:
            raise TransportError("No route.")
        return real(path, *arguments, **keywords)

    monkeypatch.setattr(hub, "get_list", get_list)
    with pytest.raises(TransportError) as caught:
        place(hub, s1=1)
    assert str(caught.value) == "The connection broke. Looking at the instances failed as well: No route."
    assert "servers" not in caught.value.results
    assert posts(hub) == [{"s1": 1}]


# What the audit log tells

CREATE = "container.instances.create"


def test_a_creation_that_only_the_log_tells_of_is_waited_for(clock: Clock) -> None:
    hub = Hub(clock)
    hub.log = [hub.logged("l1", CREATE, "request")]
    hub.after(9, lambda: hub.instances.append(one("m1", "s1")))
    assert place(hub, s1=1)["changed"] is False
    assert posts(hub) == []


def test_what_only_the_log_tells_of_is_given_up(clock: Clock) -> None:
    hub = Hub(clock)
    hub.log = [hub.logged("l1", CREATE, "request")]
    assert place(hub, s1=1)["changed"] is True
    assert posts(hub) == [{"s1": 1}]
    assert clock.now() >= 30


@pytest.mark.parametrize(
    ("log", "there"),
    [
        ([], []),
        ([("l1", CREATE, "request"), ("l2", CREATE, "success")], []),
        ([("l1", CREATE, "request"), ("l2", CREATE, "error")], []),
        ([("l1", CREATE, "request"), ("l2", "container.instance.delete", "success")], []),
        ([("l1", CREATE, "request")], ["m1"]),
    ],
)
def test_a_log_that_tells_of_nothing_open_costs_no_time(
    clock: Clock, log: list[tuple[str, str, str]], there: list[str]
) -> None:
    hub = Hub(clock, *(one(identity, "s2") for identity in there))
    hub.log = [hub.logged(*entry) for entry in log]
    began = clock.now()
    assert required(hub, placement=wanted(s1=1)).missing == {"s1": 1}
    assert clock.now() == began


# Deleting


@pytest.mark.parametrize(
    ("arguments", "gone"),
    [
        ({"instance_ids": ["a", "x"]}, ["a"]),
        ({"instance_ids": []}, []),
        ({"instance_ids": ["x", "y"]}, []),
        ({"server_id": "s2"}, ["p", "c"]),
        ({"server_id": "s9"}, []),
        ({"all": True}, ["p", "c", "b", "a"]),
    ],
)
@pytest.mark.parametrize("vanish", [True, False])
def test_deleting(clock: Clock, arguments: Item, gone: list[str], vanish: bool) -> None:
    hub = Hub(
        clock,
        one("a"),
        one("b"),
        one("c", "s2"),
        one("d", "s2", "deleting"),
        one("e", "s2", "deleted"),
        one("p", "s2", "stopped", ready_state="purge"),
        strategy="edge",
    )
    hub.vanish = vanish
    result = act(hub, state="absent", **arguments)
    assert result["deleted"] == gone
    assert hub.sent == [("DELETE", f"containers/c1/instances/{identity}", None) for identity in gone]
    assert result["changed"] is bool(gone)
    assert len(result["jobs"]) == len(gone)
    assert result["created"] == []
    assert sorted(ids(result["instances"])) == sorted({"a", "b", "c"} - set(gone))
    left = [thing["id"] for thing in hub.instances if thing["state"]["current"] not in ("deleting", "deleted")]
    assert sorted(left) == sorted({"a", "b", "c", "p"} - set(gone))
    again = act(hub, state="absent", **arguments)
    assert again["changed"] is False
    assert set(again) == set(result)


def test_the_diff_of_a_deletion(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b"), one("p", "s2", "stopped", ready_state="purge"))
    result = act(hub, state="absent", instance_ids=["a", "p"])
    assert result["servers"] == [
        {"server_id": "s2", "before": 0, "after": 0},
        {"server_id": "s1", "before": 2, "after": 1},
    ]
    diff = result["diff"]
    assert diff["before"] == {"s1": {"count": 2, "instances": ["a", "b"]}, "s2": {"count": 0, "instances": ["p"]}}
    assert diff["after"] == {"s1": {"count": 1, "instances": ["b"]}, "s2": {"count": 0, "instances": []}}


@pytest.mark.parametrize("arguments", [{}, {"all": False}, {"server_id": ""}])
def test_deleting_nothing_in_particular(clock: Clock, arguments: Item) -> None:
    hub = Hub(clock, one("a"))
    with pytest.raises(OptionError, match="instance_ids, server_id, or all=true"):
        act(hub, state="absent", **arguments)
    assert hub.reads == []


@pytest.mark.parametrize("status", [403, 404, 409, 422])
@pytest.mark.parametrize("state", ["deleting", "deleted", None])
def test_what_is_gone_by_then(clock: Clock, status: int, state: str | None) -> None:
    hub = Hub(clock, one("a"), one("b"))

    class Gone(ApiError):
        """Refused, because somebody else was faster."""

    def vanish() -> None:
        if state is None:
            del hub.instances[0]
        else:
            hub.instances[0]["state"]["current"] = state

    ready = plan(hub, state="absent", instance_ids=["a"])
    vanish()
    hub.trouble = [Gone("gone", status=status)]
    assert ready.act is not None
    hub.after(2, lambda: hub.instances and hub.instances[0]["id"] == "a" and hub.instances.pop(0))
    done = ready.act()
    assert done.result["jobs"] == []
    assert ids(done.result["instances"]) == ["b"]


def test_what_was_deleted_though_the_answer_was_lost(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b"))
    hub.trouble = [broken(), InvalidResponseError("no JSON")]
    hub.trouble[1].may_have_succeeded = True  # type: ignore[union-attr]
    result = act(hub, state="absent", all=True)
    assert result["deleted"] == ["b", "a"]
    assert (result["instances"], result["jobs"]) == ([], [])
    assert len(hub.sent) == 2


def test_what_was_not_deleted_and_cannot_be_looked_at(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(clock, one("a"))
    ready = plan(hub, state="absent", all=True)
    error = broken()
    hub.trouble, hub.lost = [error], [True]

    def unreachable(path: str, *, permission: str) -> Item:
        raise TransportError("No route.")

    monkeypatch.setattr(hub, "get", unreachable)
    assert ready.act is not None
    with pytest.raises(TransportError) as caught:
        ready.act()
    assert caught.value is error


@pytest.mark.parametrize("status", [401, 403, 404, 409, 422, 500])
def test_what_is_still_there_and_cannot_be_deleted(clock: Clock, status: int) -> None:
    hub = Hub(clock, one("a"), one("b"), one("c"))
    error = ApiError("no", status=status)
    hub.trouble = [None, error]
    with pytest.raises(ApiError) as caught:
        act(hub, state="absent", all=True)
    assert caught.value is error
    # The job of the first one is told all the same.
    assert [job["id"] for job in error.results["jobs"]] == ["j1"]
    assert error.results["servers"] == [{"server_id": "s1", "before": 3, "after": 2}]
    assert len(hub.sent) == 2


def test_a_failing_job_among_several(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b"))
    hub.ends_in = "error"
    with pytest.raises(JobError) as caught:
        act(hub, state="absent", all=True)
    assert [(job["id"], job["state"]) for job in caught.value.results["jobs"]] == [("j1", "error"), ("j2", None)]


def test_too_many_go_and_too_few_come_in_one_task(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b"), one("c", "s2"))
    result = place(hub, exact=True, s1=1, s2=2)
    assert [method for method, _path, _body in hub.sent] == ["POST", "DELETE"]
    assert hub.live() == {"s1": 1, "s2": 2}
    assert result["deleted"] == ["b"]
    assert [job["state"] for job in result["jobs"]] == ["completed", "completed"]


# By one request


def test_a_batch(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b"), one("c", "s2"))
    result = act(hub, state="absent", server_id="s1", batch=True)
    assert hub.sent == [("DELETE", "containers/c1/instances", {"instances_ids": ["b", "a"]})]
    assert (result["deleted"], len(result["jobs"])) == (["b", "a"], 1)
    assert hub.live() == {"s2": 1}


def test_a_batch_of_what_is_too_much(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b"), one("c"))
    act(hub, placement=wanted(s1=1), exact=True, batch=True)
    assert hub.sent == [("DELETE", "containers/c1/instances", {"instances_ids": ["c", "b"]})]


@pytest.mark.parametrize(
    "arguments",
    [
        {"state": "absent", "instance_ids": []},
        {"state": "absent", "instance_ids": ["x"]},
        {"state": "absent", "server_id": "s9"},
        {"placement": wanted(s1=1), "exact": True},
        {"placement": wanted(s1=2)},
    ],
)
def test_a_batch_is_never_empty(clock: Clock, arguments: Item) -> None:
    hub = Hub(clock, one("a"))
    act(hub, batch=True, **arguments)
    assert not [request for request in hub.sent if request[0] == "DELETE"]


def test_a_batch_needs_the_manual_strategy(clock: Clock) -> None:
    hub = Hub(clock, one("a"), strategy="edge")
    with pytest.raises(StateError, match="not manual"):
        act(hub, state="absent", all=True, batch=True)
    assert hub.sent == []


def test_a_batch_that_was_repeated_after_it_was_done(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b"))
    ready = plan(hub, state="absent", all=True, batch=True)
    hub.instances.clear()
    assert ready.act is not None
    assert ready.act().result["instances"] == []


def test_a_batch_of_which_something_is_left_is_an_error(clock: Clock) -> None:
    hub = Hub(clock, one("a"), one("b"))
    ready = plan(hub, state="absent", all=True, batch=True)
    del hub.instances[0]
    assert ready.act is not None
    with pytest.raises(NotFoundError):
        ready.act()


# Arguments


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({}, "placement"),
        ({"state": "present", "all": True}, "placement"),
        ({"state": "absent", "instance_ids": ["a"], "server_id": "s"}, "instance_ids"),
        ({"state": "absent", "placement": wanted(s1=1), "server_id": "s"}, "placement"),
        ({"placement": [{"server_id": "s1"}]}, "count"),
        ({"placement": [{"count": 1}]}, "server_id"),
    ],
)
def test_arguments_that_do_not_go_together(arguments: Item, word: str) -> None:
    errors = " ".join(validate(declared("instance"), container_id="c1", **arguments).error_messages)
    assert word in errors


@pytest.mark.parametrize(
    "arguments",
    [
        {"state": "absent", "all": True, "instance_ids": ["a"]},
        {"state": "absent", "all": True, "server_id": "s1"},
        {"state": "absent", "all": True, "placement": wanted(s1=1)},
        {"state": "present", "all": True, "placement": wanted(s1=1)},
    ],
)
def test_all_goes_with_nothing_else(clock: Clock, arguments: Item) -> None:
    hub = Hub(clock, one("a"))
    with pytest.raises(OptionError, match="The option all goes with none of"):
        required(hub, **arguments)
    assert hub.reads == []


def test_saying_no_to_all_is_no_contradiction(clock: Clock) -> None:
    hub = Hub(clock, one("a"))
    change = required(hub, state="absent", all=False, instance_ids=["a"])
    assert ids(change.surplus) == ["a"]


# What an earlier task has asked for and nobody sees yet


def test_nothing_to_delete_is_said_when_no_job_is_open(clock: Clock) -> None:
    hub = Hub(clock)
    act(hub, placement=wanted(s1=2), wait=False)
    assert hub.instances == []
    result = act(hub, state="absent", all=True)
    assert result["changed"] is True
    assert len(result["deleted"]) == 2
    assert hub.live() == {}


# Names of things that are missing


def test_an_instance_that_is_missing_is_named(clock: Clock) -> None:
    hub = Hub(clock, one("a"))
    client = t.cast("t.Any", hub)
    assert instances.instance_of(client, "c1", "a")["id"] == "a"
    with pytest.raises(NotFoundError, match=r'The instance "b" was not found \(option instance_id\)'):
        instances.instance_of(client, "c1", "b")
    with pytest.raises(NotFoundError, match=r'The container "c2" was not found \(option container_id\)'):
        instances.instance_of(client, "c2", "b")


def test_names_of_servers() -> None:
    assert instances.server_name({"id": "s", "nickname": "Anna", "hostname": "h"}) == "Anna (s)"
    assert instances.server_name({"id": "s", "nickname": None, "hostname": "h"}) == "h (s)"
    assert instances.server_name({"id": "s"}) == "server (s)"
