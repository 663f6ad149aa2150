# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of the service that need no socket."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paas_simulator.clock import Clock, iso, parse
from paas_simulator.estate import EstateError
from paas_simulator.journal import Journal
from paas_simulator.merge import merge_patch
from paas_simulator.messages import Answer, read_call
from paas_simulator.northflank.errors import ApiError
from paas_simulator.northflank.paging import page
from paas_simulator.northflank.settings import PageSize
from paas_simulator.ratelimit import RateLimiter
from paas_simulator.routing import Router
from paas_simulator.timeline import Timelines
from paas_simulator.world import World

# The examples of RFC 7396, appendix A.
RFC_7396 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7396)
def test_merge_patch(target: Any, patch: Any, result: Any) -> None:
    assert merge_patch(target, patch) == result


def test_merge_patch_leaves_the_target_alone() -> None:
    target = {"a": {"b": [1]}, "c": 1}
    merge_patch(target, {"a": {"b": 2}, "c": None})
    assert target == {"a": {"b": [1]}, "c": 1}


def test_time_stamps() -> None:
    moment = parse("2026-11-02T08:00:00.125Z")
    assert iso(moment) == "2026-11-02T08:00:00.125Z"
    assert iso(moment, " ") == "2026-11-02 08:00:00.125Z"
    assert parse("2026-11-02 08:00:00.125Z") == parse("2026-11-02T10:00:00.125+02:00") == moment


def test_clock_stands_until_it_is_let_go() -> None:
    clock = Clock(1000.0)
    assert clock.now() == clock.now() == 1000.0
    clock.advance(5.5)
    assert clock.now() == 1005.5
    clock.freeze(False)
    first = clock.now()
    while clock.now() == first:
        pass
    assert 1005.5 <= first < clock.now() < 1065


def test_timelines_run_in_order_of_time_and_only_once() -> None:
    done: list[tuple[str, Any, float]] = []
    lines = Timelines()

    def apply(record: dict[str, Any], changes: dict[str, Any], moment: float) -> None:
        done.append((record["name"], changes["status"], moment))

    first, second = {"name": "first"}, {"name": "second"}
    lines.attach(first, [{"after": 1, "status": "a"}, {"after": 30, "status": "b"}], 100, apply)
    lines.attach(second, [{"after": 10, "status": "c"}], 100, apply)
    lines.run(100.9)
    assert done == []
    lines.run(130)
    lines.run(130)
    assert done == [("first", "a", 101.0), ("second", "c", 110.0), ("first", "b", 130.0)]


def test_a_new_timeline_takes_the_place_of_the_old_one() -> None:
    done: list[str] = []
    lines = Timelines()
    record: dict[str, Any] = {}
    lines.attach(record, [{"after": 5, "status": "old"}], 0, lambda _r, changes, _m: done.append(changes["status"]))
    lines.attach(record, [{"after": 9, "status": "new"}], 0, lambda _r, changes, _m: done.append(changes["status"]))
    lines.run(10)
    assert done == ["new"]
    lines.attach(record, [{"after": 1, "status": "never"}], 10, lambda _r, changes, _m: done.append(changes["status"]))
    lines.cancel(record)
    lines.run(20)
    assert done == ["new"]


def test_rate_limit_window_opens_with_the_first_request() -> None:
    limiter = RateLimiter()
    taken = [limiter.take("a", now, 2, 60) for now in (100.0, 130.5, 131.0, 159.9, 160.0)]
    assert [(t.remaining, t.reset, t.exceeded) for t in taken] == [
        (1, 60, False),
        (0, 30, False),
        (0, 29, True),
        (0, 1, True),
        (1, 60, False),
    ]
    assert limiter.take("b", 160.0, 2, 60).remaining == 1


def test_rate_limit_window_when_the_clock_goes_back() -> None:
    limiter = RateLimiter()
    limiter.take("a", 1000.0, 2, 60)
    assert limiter.take("a", 10.0, 2, 60).reset == 60


def test_router_prefers_literals_and_knows_other_methods() -> None:
    router: Router[str] = Router()
    router.add("GET", "/v1/things", "list")
    router.add("GET", "/v1/things/{id}", "one")
    router.add("GET", "/v1/things/special", "special")
    assert router.find(("v1", "things")) == ({"GET": "list"}, {})
    assert router.find(("v1", "things", "a b")) == ({"GET": "one"}, {"id": "a b"})
    assert router.find(("v1", "things", "special")) == ({"GET": "special"}, {})
    assert router.find(("v1",)) is None
    assert router.find(("v1", "things", "")) is None
    assert router.find(("v1", "things", "a", "b")) is None


def test_segments_are_decoded_once() -> None:
    call = read_call("GET", "/v1/a%2Fb/%2541/my%20team", "x=1&x=%262&empty=", {}, b"")
    assert call.segments == ("v1", "a/b", "%41", "my team")
    assert call.query == {"x": ["1", "&2"], "empty": [""]}


def test_journal_is_bounded_and_keeps_counting() -> None:
    journal = Journal(capacity=10)
    for number in range(25):
        journal.open(read_call("GET", f"/{number}", "", {"Authorization": "Bearer secret", "X-A": "1"}, b""), 0)
    entries = journal.entries()
    assert [entry["number"] for entry in entries] == list(range(16, 26))
    assert entries[0]["headers"] == {"x-a": "1"}
    assert [entry["number"] for entry in journal.entries(since=23)] == [24, 25]
    assert journal.entries(since=25) == []
    assert "secret" not in str(entries)


def test_answers_keep_their_letters() -> None:
    assert Answer(payload={"name": "Bücher ✓"}).body() == '{"name":"Bücher ✓"}'.encode()


@given(total=st.integers(0, 400), size=st.integers(1, 150), default=st.integers(1, 120))
def test_paging_shows_every_item_once(total: int, size: int, default: int) -> None:
    records = [{"n": number} for number in range(total)]
    sizes = PageSize(default=default, maximum=100)
    seen: list[int] = []
    query = {"per_page": [str(size)]}
    while True:
        call = read_call("GET", "/", "", {}, b"")
        call.query = query
        payload = page(call, "list", "items", records, lambda record: record, sizes)
        items, block = payload["data"]["items"], payload["pagination"]
        seen += [item["n"] for item in items]
        assert block["count"] == len(items) <= min(size, 100)
        assert ("cursor" in block) == block["hasNextPage"]
        if not block["hasNextPage"]:
            break
        assert block["cursor"].replace("-", "").replace("_", "").isalnum()
        query = {"per_page": [str(size)], "cursor": [block["cursor"]]}
    assert seen == list(range(total))


def test_a_cursor_of_another_list_is_refused() -> None:
    call = read_call("GET", "/", "per_page=1", {}, b"")
    cursor = page(call, "this", "items", [{}, {}], dict, PageSize())["pagination"]["cursor"]
    other = read_call("GET", "/", f"cursor={cursor}", {}, b"")
    with pytest.raises(ApiError) as caught:
        page(other, "that", "items", [{}, {}], dict, PageSize())
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"projects": [{"name": "日本", "createdAt": "2026-01-01T00:00:00Z"}]}, "give an id"),
        ({"templates": [{"name": "Daily", "runs": [{"createdAt": "2026-02-31 10:00:00.000Z"}]}]}, "day"),
    ],
    ids=["name", "time"],
)
def test_an_estate_that_cannot_be_served_is_refused_when_it_is_read(part: dict[str, Any], message: str) -> None:
    team = {"id": "crew", "name": "Crew", "organisation": "org", **part}
    estate = {"northflank": {"organisations": [{"id": "org", "name": "Org"}], "teams": [team], "tokens": []}}
    with pytest.raises(EstateError, match=message):
        World(estate)
