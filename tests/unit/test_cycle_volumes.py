# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing volumes to a size, on a platform in memory, by a clock that is moved by hand."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.module_utils._cycle.volumes import data_size, megabytes, size_of
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    JobError,
    OptionError,
    PaasError,
    StateError,
    TransportError,
    WaitTimeoutError,
)
from unit.cycle_hub import Hub, Item, Killed, act, broken, hop, instance, refused, trouble, volume
from unit.fakes import Clock
from unit.hosts import declared, validate

NAME = "instance_volume"
KEYS = {"changed", "diff", "extended_by", "jobs", "size_after", "size_before", "volume"}


def extension(size: str, identity: str = "v1") -> Item:
    return {"action": "volume.extend", "contents": {"volume_id": identity, "extend_size": size}}


@pytest.fixture
def hub(clock: Clock) -> Hub:
    made = Hub(clock, instance("i1"))
    made.volumes["i1"] = [volume("v1"), volume("v2", 512, "/tmp")]
    return made


def grow(hub: Hub, size: str = "30G", **more: t.Any) -> Item:
    return act(hub, NAME, **{"instance_id": "i1", "volume_id": "v1", "size": size, **more})


def fails(hub: Hub, kind: type[PaasError], size: str = "30G", **more: t.Any) -> PaasError:
    return trouble(hub, NAME, kind, **{"instance_id": "i1", "volume_id": "v1", "size": size, **more})


def total(hub: Hub) -> int:
    found: int = hub.volumes["i1"][0]["deployed"]["storage"]["total"]
    return found


# Sizes


@pytest.mark.parametrize(
    ("size", "found"),
    [
        ("512M", 512),
        ("512mb", 512),
        ("10G", 10240),
        ("10gB", 10240),
        ("1t", 1024**2),
        ("1P", 1024**3),
        ("1b", 1),
        ("0B", 0),
        ("1024k", 1),
        ("1025KB", 2),
        (" 2g ", 2048),
    ],
)
def test_sizes(size: str, found: int) -> None:
    assert megabytes(size) == found


@pytest.mark.parametrize("size", ["20", "G", "1.5G", "-1G", "1bb", "1 G", "1E", "٣G", "", None, 20])
def test_what_is_no_size(size: t.Any) -> None:
    with pytest.raises(ValueError, match="is no size"):
        megabytes(size)


@given(st.integers(min_value=1, max_value=10**9))
def test_what_is_sent_is_exact_and_in_the_largest_unit(amount: int) -> None:
    sent = data_size(amount)
    assert megabytes(sent) == amount
    assert sent.endswith("G") == (amount % 1024 == 0)


def test_which_size_counts() -> None:
    assert size_of(volume("v1", 100)) == 100
    assert size_of(volume("v1", 0)) == 20480
    assert size_of({**volume("v1"), "deployed": None}) == 20480
    with pytest.raises(StateError, match="does not tell the size of the volume /data"):
        size_of({**volume("v1", local={"max_size": "much"}), "deployed": None})


# Growing


def test_it_grows_by_what_is_missing(hub: Hub) -> None:
    result = grow(hub)
    assert set(result) == KEYS
    assert hub.sent == [extension("10G")]
    assert (result["changed"], result["size_before"], result["size_after"]) == (True, 20480, 30720)
    assert result["extended_by"] == 10240
    assert [job["state"] for job in result["jobs"]] == ["completed"]
    assert (result["diff"]["before"], result["diff"]["after"]) == (
        {"volume": "/data", "size": "20G"},
        {"volume": "/data", "size": "30G"},
    )


def test_passwords_are_hidden(hub: Hub) -> None:
    assert grow(hub)["volume"]["sftp"] == {"username": "v1", "password": {"algorithm": None, "data": None}}
    assert "a secret" not in repr(grow(hub, check=True, size="40G"))


def test_twice_adds_nothing(hub: Hub) -> None:
    grow(hub)
    again = grow(hub)
    assert set(again) == KEYS
    assert (again["changed"], again["extended_by"], again["jobs"]) == (False, 0, [])
    assert len(hub.sent) == 1


@pytest.mark.parametrize("size", ["20G", "20480M", "1G"])
def test_it_never_shrinks_and_costs_two_requests(hub: Hub, size: str) -> None:
    result = grow(hub, size)
    assert (result["changed"], result["size_after"], hub.sent, len(hub.reads)) == (False, 20480, [], 2)


@pytest.mark.parametrize(("size", "sent"), [("20481M", "1M"), ("21474836481b", "1M"), ("22G", "2G"), ("1T", "1004G")])
def test_what_is_missing_is_rounded_up(hub: Hub, size: str, sent: str) -> None:
    assert grow(hub, size)["changed"] is True
    assert hub.sent == [extension(sent)]


def test_check_mode_predicts(hub: Hub) -> None:
    result = grow(hub, check=True)
    assert set(result) == KEYS
    assert (result["changed"], result["size_before"], result["size_after"], hub.sent) == (True, 20480, 30720, [])
    assert (result["extended_by"], result["diff"]["after"]["size"]) == (10240, "30G")


def test_without_waiting(hub: Hub, clock: Clock) -> None:
    result = grow(hub, wait=False)
    assert (result["changed"], result["size_after"], result["diff"]["after"]["size"]) == (True, 20480, "30G")
    assert clock.now() == 1000
    assert grow(hub, wait=False)["changed"] is False
    assert len(hub.sent) == 1


def test_a_size_that_shows_late_is_waited_for(hub: Hub) -> None:
    hub.lag = 25
    assert grow(hub)["size_after"] == 30720


def test_a_size_that_the_platform_counts_otherwise(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.after(6, lambda: hub.volumes["i1"][0]["deployed"]["storage"].update(total=30000))
    hub.lag = 9999
    assert grow(hub)["size_after"] == 30000


def test_a_size_that_never_shows(hub: Hub) -> None:
    hub.lag = 9999
    error = fails(hub, WaitTimeoutError, wait_timeout=60)
    assert "The extension of the volume /data (name-v1, v1) by 10G was not done after 60 seconds" in error.message
    assert [job["state"] for job in error.results["jobs"]] == ["completed"]


def test_a_job_that_fails(hub: Hub, clock: Clock) -> None:
    hub.ends_in = "error"
    error = fails(hub, JobError)
    assert [job["state"] for job in error.results["jobs"]] == ["error"]
    hub.ends_in = "completed"
    for one in hub.volumes["i1"]:
        one["deployed"]["last_updated"] = "1970-01-01T00:00:00Z"
    assert grow(hub)["size_after"] == 30720
    assert clock.now() < 1020


def test_a_job_that_is_not_to_be_seen(hub: Hub, clock: Clock) -> None:
    hub.show = 9999
    assert grow(hub)["size_after"] == 30720
    assert clock.now() < 1010


@pytest.mark.parametrize("field", ["id", "deployed"])
def test_either_id_of_the_volume_may_be_meant(hub: Hub, field: str) -> None:
    hub.volume_field = field
    assert grow(hub)["size_after"] == 30720
    assert hub.sent[-1] == extension("10G", {"id": "v1", "deployed": "d-v1"}[field])


def test_a_refusal_is_told_as_it_came_first(hub: Hub) -> None:
    hub.trouble = [(refused(422, f"422.{name}"), False) for name in ("first", "second", "third")]
    assert "422.first" in fails(hub, ApiError).message
    assert [one["contents"]["volume_id"] for one in hub.sent] == ["v1", "d-v1", "c-v1"]


def test_what_is_not_about_the_id_is_not_tried_again(hub: Hub) -> None:
    hub.trouble = [(refused(403, "403.permissions"), False)]
    fails(hub, ApiError)
    assert len(hub.sent) == 1


# Which volume


@pytest.mark.parametrize("name", [{"volume_id": "v2"}, {"destination": "/tmp"}, {"identifier": "name-v2"}])
def test_named_by(hub: Hub, name: Item) -> None:
    result = act(hub, NAME, instance_id="i1", size="1G", **name)
    assert (result["volume"]["id"], result["extended_by"]) == ("v2", 512)


@pytest.mark.parametrize("names", [{}, {"volume_id": "v1", "destination": "/data"}])
def test_exactly_one_name(names: Item) -> None:
    given_options = {"api_key": "k", "hub_id": "h", "container_id": "c1", "instance_id": "i1", "size": "1G", **names}
    assert validate(declared(NAME), **given_options).error_messages != []


def test_unknown_and_ambiguous_names_list_what_is_there(hub: Hub) -> None:
    error = trouble(hub, NAME, StateError, instance_id="i1", destination="/nowhere", size="1G")
    assert error.message == (
        'The instance i1 has no volume "/nowhere" (option destination). Its volumes: /data (name-v1, v1);'
        " /tmp (name-v2, v2)."
    )
    hub.volumes["i1"].append(volume("v3"))
    error = trouble(hub, NAME, StateError, instance_id="i1", destination="/data", size="1G")
    assert error.message.startswith('2 volumes of the instance i1 have the destination "/data"')
    assert "/data (name-v3, v3). Name one by volume_id." in error.message


@pytest.mark.parametrize(("external", "said"), [({"id": "x1"}, "the external volume x1"), (None, "keeps it elsewhere")])
def test_volumes_without_storage_of_their_own(hub: Hub, external: t.Any, said: str) -> None:
    hub.volumes["i1"][0] = volume("v1", local=None, external=external)
    assert said in fails(hub, StateError, "1G").message


def test_an_instance_that_has_migrated(clock: Clock) -> None:
    hub = Hub(clock, instance("i1", state="stopped", ready_state="purge", migration=hop(to=("i2", "s2"))))
    assert "Its successor is i2" in fails(hub, StateError).message


def test_a_size_without_a_unit(hub: Hub) -> None:
    assert 'The option size is "20"' in fails(hub, OptionError, "20").message
    assert hub.reads == []


# Not twice, not lost


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("show", [0.0, 3.0, 600.0])
@pytest.mark.parametrize("lag", [0.0, 20.0])
@pytest.mark.parametrize("later", [0, 2, 6])
def test_killed_after_the_request_and_run_again(
    hub: Hub, clock: Clock, blind: bool, show: float, lag: float, later: int
) -> None:
    hub.volumes["i1"][0]["deployed"]["last_updated"] = "1970-01-01T00:00:00Z"
    hub.volumes["i1"][1]["deployed"]["last_updated"] = "1970-01-01T00:00:00Z"
    hub.may_see_jobs, hub.show, hub.lag = not blind, show, lag
    hub.trouble = [(Killed(), True)]
    with pytest.raises(Killed):
        grow(hub)
    clock.advance(later)
    result = grow(hub)
    assert len(hub.sent) == 1
    assert (result["changed"], result["size_after"], total(hub)) == (False, 30720, 30720)


def test_a_larger_wish_right_after_a_kill_adds_to_what_is_under_way(hub: Hub) -> None:
    hub.trouble = [(Killed(), True)]
    with pytest.raises(Killed):
        grow(hub)
    assert grow(hub, "35G")["extended_by"] == 5120
    assert (hub.sent, total(hub)) == ([extension("10G"), extension("5G")], 35 * 1024)


def test_jobs_alone_will_do(hub: Hub) -> None:
    hub.may_read_log = False
    hub.trouble = [(Killed(), True)]
    with pytest.raises(Killed):
        grow(hub)
    assert grow(hub)["changed"] is False
    assert len(hub.sent) == 1


def test_a_request_that_only_the_log_tells_of_is_given_up_after_a_while(hub: Hub, clock: Clock) -> None:
    hub.note("container.instance.task.volume.extend", "i1", "request")
    assert grow(hub)["changed"] is True
    assert 1030 <= clock.now() < 1045


def test_a_key_that_cannot_see_jobs_does_not_give_it_up(hub: Hub) -> None:
    hub.may_see_jobs = False
    hub.note("container.instance.task.volume.extend", "i1", "request")
    error = fails(hub, WaitTimeoutError)
    assert "volume.extend, as the audit log tells. With the capability apionly-jobs-view" in error.message
    assert hub.sent == []


def test_an_extension_of_another_instance_does_not_matter(hub: Hub, clock: Clock) -> None:
    hub.note("container.instance.task.volume.extend", "i2", "request")
    assert grow(hub)["changed"] is True
    assert clock.now() < 1010


def test_jobs_that_do_not_end(hub: Hub) -> None:
    hub.work = 9999
    grow(hub, wait=False)
    error = fails(hub, WaitTimeoutError, wait_timeout=20)
    assert error.message.startswith("What was asked for before is not done after 20 seconds")
    assert "Nothing was changed." in error.message
    assert len(hub.sent) == 1


@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("logs", [True, False])
def test_a_broken_connection_after_the_request(hub: Hub, blind: bool, logs: bool) -> None:
    hub.may_see_jobs, hub.logs = not blind, logs
    hub.trouble = [(broken(), True)]
    result = grow(hub)
    assert (result["changed"], total(hub), len(hub.sent)) == (True, 30720, 1)


@pytest.mark.parametrize("lag", [0.0, 90.0])
def test_a_request_whose_job_nobody_sees(hub: Hub, lag: float) -> None:
    hub.show, hub.lag = 9999, lag
    hub.trouble = [(broken(), True)]
    assert grow(hub)["size_after"] == 30720
    assert len(hub.sent) == 1


def test_a_request_that_never_arrived_is_sent_again_after_a_while(hub: Hub, clock: Clock) -> None:
    hub.trouble = [(broken(), False)]
    assert grow(hub)["size_after"] == 30720
    assert hub.sent == [extension("10G")] * 2
    assert clock.now() >= 1030


def test_a_job_that_does_not_tell_may_have_been_it(hub: Hub) -> None:
    # The job of this request tells nothing, ends, and the size does not show.
    hub.tells = hub.logs = False
    hub.lag = 9999
    hub.trouble = [(broken(), True)]
    error = fails(hub, TransportError)
    assert "one of them may have been this" in error.message
    assert len(hub.sent) == 1


def test_what_cannot_be_read_after_a_broken_connection(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.trouble = [(broken(), True)]

    def get_list(path: str, *rest: t.Any, **more: t.Any) -> list[Item]:
        if hub.sent:
            raise TransportError("Nobody answers.")
        return Hub.get_list(hub, path, *rest, **more)

    monkeypatch.setattr(hub, "get_list", get_list)
    error = fails(hub, TransportError)
    assert error.message.startswith("The connection broke. Nothing tells whether volume.extend was accepted")
    assert "Nobody answers." in error.message
    assert error.may_have_succeeded is True
