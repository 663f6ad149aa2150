# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Above HTTP: paging, many parents at once, plain values, ids in paths, messages of errors."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.module_utils import _paging
from ansible_collections.quayside.paas.plugins.module_utils._client import path_segment
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    InvalidResponseError,
    NotFoundError,
    OptionError,
)
from ansible_collections.quayside.paas.plugins.module_utils._paging import Page, collect, fan_out
from ansible_collections.quayside.paas.plugins.module_utils._plain import plain
from ansible_collections.quayside.paas.plugins.module_utils._response import ErrorBody, Response, api_error
from support.settings import limit
from unit.fakes import OK, Clock, Platform, transport


def answer(status: int, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-").lower(): value for name, value in headers.items()}, None, "", False)


# Ids in paths


@pytest.mark.parametrize(
    ("value", "segment"),
    [
        ("orders-db", "orders-db"),
        ("my team", "my%20team"),
        ("a/b", "a%2Fb"),
        ("a?b=c", "a%3Fb%3Dc"),
        ("a#b", "a%23b"),
        ("%2e%2e", "%252e%252e"),
        ("%2F", "%252F"),
        ("...", "..."),
        ("../..", "..%2F.."),
        ("é\u20ac", "%C3%A9%E2%82%AC"),
        ("a\r\nb", "a%0D%0Ab"),
        (" ", "%20"),
        ("a+b&c;d@e:f", "a%2Bb%26c%3Bd%40e%3Af"),
        (17, "17"),
        ("\x00", "%00"),
    ],
)
def test_path_segment(clock: Clock, value: t.Any, segment: str) -> None:
    assert path_segment(value, "addon_id") == segment
    with Platform(clock) as platform:
        platform.respond = lambda _request: OK
        transport(clock).request("GET", f"/v1/addons/{segment}/backups")
        assert platform.paths() == [f"/v1/addons/{segment}/backups"]


@pytest.mark.parametrize("value", ["", ".", "..", "\ud800", "a\udcffb"])
def test_what_cannot_be_an_id(value: str) -> None:
    with pytest.raises(OptionError, match="option addon_id") as caught:
        path_segment(value, "addon_id")
    str(caught.value).encode()


@given(st.text(min_size=1))
def test_a_path_segment_never_leaves_its_place(value: str) -> None:
    try:
        segment = path_segment(value, "addon_id")
    except OptionError:
        return
    assert not set(segment) & set("/?#\\ \r\n")
    assert segment not in (".", "..")
    assert segment.isascii()


# Errors


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (404, ErrorBody("Not here."), "GET /v1/x failed with status 404: Not here."),
        (
            409,
            ErrorBody("Taken", "duplicate", "e1"),
            "GET /v1/x failed with status 409 duplicate: Taken (error id e1).",
        ),
        (400, ErrorBody(""), "GET /v1/x failed with status 400: the platform gave no reason."),
        (401, ErrorBody("no"), "GET /v1/x failed with status 401: no. The token is wrong, has expired or was deleted."),
        (
            403,
            ErrorBody("no"),
            "GET /v1/x failed with status 403: no. The role of the token may lack the permission P > R.",
        ),
        (
            500,
            ErrorBody("oh"),
            "GET /v1/x failed with status 500: oh. The fault is on the platform's side; try again later.",
        ),
    ],
)
def test_messages_of_api_errors(status: int, body: ErrorBody, message: str) -> None:
    error = api_error(answer(status), "GET", "/v1/x", body, "P > R")
    assert str(error) == message
    assert isinstance(error, NotFoundError) is (status == 404)
    assert error.as_result() == {
        "method": "GET",
        "path": "/v1/x",
        "status": status,
        "code": body.code,
        "id": body.error_id,
        "details": None,
    }


def test_a_refusal_without_a_known_permission_makes_none_up() -> None:
    assert str(api_error(answer(403), "GET", "/v1/x", ErrorBody("no"))) == "GET /v1/x failed with status 403: no."


@pytest.mark.parametrize(
    "headers",
    [{"Retry_After": "1800"}, {"x_ratelimit_reset": "1800"}, {"Retry_After": "1800", "x_ratelimit_reset": "9"}],
)
def test_the_message_of_the_rate_limit_says_when_it_ends(headers: dict[str, str]) -> None:
    text = str(api_error(answer(429, **headers), "GET", "/v1/x", ErrorBody("slow down")))
    assert "The rate limit is used up. It ends in 1800 seconds." in text
    assert "retry_budget" in text


@pytest.mark.parametrize("junk", ["Wed, 21 Oct 2037 07:28:00 GMT", "soon", "\ud800"])
def test_the_message_of_the_rate_limit_repeats_no_junk(junk: str) -> None:
    text = str(api_error(answer(429, Retry_After=junk), "GET", "/v1/x", ErrorBody("slow down")))
    assert "The rate limit is used up." in text
    assert f"{junk} seconds" not in text
    text.encode()


def test_a_named_error_keeps_its_facts() -> None:
    error = api_error(answer(404), "GET", "/v1/x", ErrorBody("Gone", "c", "i", {"d": 1}))
    named = error.named('addon "a"')
    assert isinstance(named, NotFoundError)
    assert str(named) == f'addon "a": {error}'
    assert named.as_result() == error.as_result()
    assert 'addon "a"' not in str(error)


# Paging


def items(*names: t.Any) -> list[dict[str, t.Any]]:
    return [{"id": name} for name in names]


class Pages:
    """A list that answers with prepared pages, or faults, and remembers the queries."""

    def __init__(self, *pages: Page | Exception) -> None:
        self.pages = list(pages)
        self.queries: list[dict[str, t.Any]] = []

    def __call__(self, query: t.Mapping[str, t.Any]) -> Page:
        self.queries.append(dict(query))
        one = self.pages.pop(0)
        if isinstance(one, Exception):
            raise one
        return one


def read(pages: t.Callable[..., Page], **keywords: t.Any) -> list[t.Any]:
    return [item["id"] for item in collect(pages, identity=lambda item: item.get("id"), **keywords)]


def test_pages_are_read_to_the_end() -> None:
    pages = Pages(Page(items(1, 2), {"cursor": "a"}), Page(items(3), {"cursor": "b"}), Page(items(4)))
    assert read(pages) == [1, 2, 3, 4]
    assert pages.queries == [{}, {"cursor": "a"}, {"cursor": "b"}]
    assert pages.pages == []


def test_an_empty_list() -> None:
    assert read(Pages(Page([]))) == []


@pytest.mark.parametrize(
    ("limit", "expected", "requests"),
    [
        (1, [1], 1),
        (2, [1, 2], 1),
        (3, [1, 2, 3], 2),
        (4, [1, 2, 3, 4], 2),
        (5, [1, 2, 3, 4, 5], 3),
        (99, [1, 2, 3, 4, 5], 3),
    ],
)
def test_a_limit_stops_early(limit: int, expected: list[int], requests: int) -> None:
    pages = Pages(Page(items(1, 2), {"cursor": "a"}), Page(items(3, 4), {"cursor": "b"}), Page(items(5)))
    assert read(pages, limit=limit) == expected
    assert len(pages.queries) == requests


def test_a_limit_counts_what_is_kept() -> None:
    pages = Pages(Page(items(1, 2, 3), {"cursor": "a"}), Page(items(4, 5, 6), {"cursor": "b"}))
    assert read(pages, limit=3, keep=lambda item: item["id"] % 2 == 0) == [2, 4, 6]


def test_a_page_of_which_nothing_is_kept_is_still_new() -> None:
    pages = Pages(Page(items(1), {"cursor": "a"}), Page(items(3), {"cursor": "b"}), Page(items(4)))
    assert read(pages, keep=lambda item: item["id"] == 4) == [4]


def test_a_shifting_list_shows_an_item_once() -> None:
    pages = Pages(Page(items(1, 2, 3), {"cursor": "a"}), Page(items(3, 4), {"cursor": "b"}), Page(items(4, 5)))
    assert read(pages) == [1, 2, 3, 4, 5]


def test_ids_of_different_type_are_the_same() -> None:
    assert read(Pages(Page(items(1, "1", 2)))) == [1, 2]


def test_items_without_an_id_are_told_apart_by_everything_else() -> None:
    found = collect(Pages(Page([{"n": 1}, {"n": 2}, {"n": 1}])), identity=lambda item: item.get("id"))
    assert found == [{"n": 1}, {"n": 2}]


def test_a_repeated_cursor_ends_with_an_error() -> None:
    pages = Pages(*(Page(items(n), {"cursor": "same"}) for n in range(10)))
    with pytest.raises(
        InvalidResponseError, match="does not end: after 2 items the platform sends the same cursor again"
    ):
        read(pages)
    assert len(pages.queries) == 2


def test_cursors_that_alternate_end_with_an_error() -> None:
    pages = Pages(*(Page(items(n), {"cursor": "ab"[n % 2]}) for n in range(10)))
    with pytest.raises(InvalidResponseError, match="same cursor"):
        read(pages)
    assert len(pages.queries) == 3


@pytest.mark.parametrize("second", [[], items(1, 2)])
def test_a_promised_page_without_anything_new_is_an_error(second: list[t.Any]) -> None:
    pages = Pages(Page(items(1, 2), {"cursor": "a"}), Page(second, {"cursor": "b"}), Page(items(3)))
    with pytest.raises(InvalidResponseError, match="after 2 items the platform announces another page"):
        read(pages)


def test_a_last_page_without_anything_new_is_fine() -> None:
    assert read(Pages(Page(items(1), {"cursor": "a"}), Page([]))) == [1]
    assert read(Pages(Page(items(1), {"cursor": "a"}), Page(items(1)))) == [1]


def test_an_endless_list_ends_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_paging, "MAX_ITEMS", 1000)
    asked = []

    def fetch(query: t.Mapping[str, t.Any]) -> Page:
        asked.append(query)
        first = 100 * len(asked)
        return Page(items(*range(first, first + 100)), {"cursor": str(first)})

    with pytest.raises(InvalidResponseError, match="has more than 1000 items"):
        read(fetch)
    assert len(asked) == 11
    asked.clear()
    assert len(read(fetch, limit=700)) == 700


@pytest.mark.parametrize("status", [400, 404])
def test_asking_for_an_unpromised_page_may_be_refused(status: int) -> None:
    error = api_error(answer(status), "GET", "/v1/x", ErrorBody("no such page"))
    assert read(Pages(Page(items(1), {"page": 2}, promised=False), error)) == [1]
    with pytest.raises(ApiError):
        read(Pages(Page(items(1), {"page": 2}), error))


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_other_errors_of_an_unpromised_page_are_errors(status: int) -> None:
    error = api_error(answer(status), "GET", "/v1/x", ErrorBody("no"))
    with pytest.raises(ApiError):
        read(Pages(Page(items(1), {"page": 2}, promised=False), error))


def test_the_first_page_is_always_promised() -> None:
    with pytest.raises(NotFoundError):
        read(Pages(api_error(answer(404), "GET", "/v1/x", ErrorBody("no"))))


def test_a_platform_that_ignores_page_numbers_ends() -> None:
    same = [Page(items(1, 2), {"page": n}, promised=False) for n in (2, 3)]
    assert read(Pages(*same)) == [1, 2]


@pytest.mark.parametrize("cursor", [["a"], {"a": 1}, 7, True])
def test_a_cursor_of_any_type_is_no_crash(cursor: t.Any) -> None:
    pages = Pages(Page(items(1), {"cursor": cursor}), Page(items(2)))
    with contextlib.suppress(InvalidResponseError):
        assert read(pages) == [1, 2]


@given(n=st.integers(0, 450), size=st.integers(1, 120), data=st.data())
def test_every_item_once_and_in_order(n: int, size: int, data: st.DataObject) -> None:
    limit = data.draw(st.none() | st.integers(1, 500))
    asked = []

    def fetch(query: t.Mapping[str, t.Any]) -> Page:
        asked.append(query)
        first = query.get("cursor", 0)
        rest = first + size < n
        return Page(items(*range(first, min(first + size, n))), {"cursor": first + size} if rest else None)

    assert read(fetch, limit=limit) == list(range(n))[:limit]
    wanted = n if limit is None else min(n, limit)
    assert len(asked) == max(1, -(-wanted // size))


# Many parents


def test_results_stand_in_the_order_of_the_parents() -> None:
    def slow_first(parent: int) -> list[int]:
        time.sleep(0.02 if parent % 3 == 0 else 0)
        return [parent * 10, parent * 10 + 1]

    found = fan_out(slow_first, range(12), concurrency=5, name=str)
    assert found == [value for parent in range(12) for value in (parent * 10, parent * 10 + 1)]


@pytest.mark.parametrize("concurrency", [1, 2, 5, 32])
@pytest.mark.parametrize("count", [0, 1, 4, 13])
def test_never_more_at_once_than_allowed(concurrency: int, count: int) -> None:
    lock = threading.Lock()
    running, most, threads = 0, 0, set()
    together = threading.Barrier(min(concurrency, count)) if 0 < count <= concurrency else None

    def read_one(parent: int) -> list[int]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            threads.add(threading.get_ident())
        if together:
            together.wait(limit(5))  # as many as allowed do run at once
        time.sleep(0.002)
        with lock:
            running -= 1
        return [parent]

    assert fan_out(read_one, range(count), concurrency=concurrency, name=str) == list(range(count))
    assert most <= concurrency
    assert len(threads) <= concurrency


def test_work_is_not_queued_far_ahead() -> None:
    started: list[int] = []
    fan_out(lambda parent: started.append(parent) or [parent], range(100), concurrency=2, name=str, limit=3)
    assert len(started) <= 6


def test_nothing_is_begun_once_the_limit_is_reached() -> None:
    for _time in range(30):
        started: list[int] = []
        fan_out(
            lambda parent, seen=started: seen.append(parent) or [parent], range(9), concurrency=1, name=str, limit=2
        )
        time.sleep(0.003)  # for a thread that was let go to begin
        assert started == [0, 1]


@pytest.mark.parametrize(
    ("limit", "expected"), [(1, [0]), (4, [0, 0, 1, 1]), (5, [0, 0, 1, 1, 2]), (None, 20), (99, 20)]
)
def test_a_limit_over_many_parents(limit: int | None, expected: t.Any) -> None:
    found = fan_out(lambda parent: [parent] * 2, range(10), concurrency=3, name=str, limit=limit)
    assert found == expected if isinstance(expected, list) else len(found) == expected


def test_the_first_failure_in_order_is_told_with_its_name() -> None:
    late = threading.Event()

    def read_one(parent: int) -> list[int]:
        if parent == 3:
            late.set()
            raise ApiError("third is broken", status=500)
        if parent == 2:
            late.wait(limit(5))
            raise NotFoundError("second is gone", status=404)
        return [parent]

    with pytest.raises(NotFoundError) as caught:
        fan_out(read_one, range(6), concurrency=6, name=lambda parent: f'addon "{parent}"')
    assert str(caught.value) == 'addon "2": second is gone'
    assert caught.value.status == 404


def test_after_a_failure_nothing_new_is_begun() -> None:
    started = []

    def read_one(parent: int) -> list[int]:
        started.append(parent)
        raise ApiError("no")

    with pytest.raises(ApiError):
        fan_out(read_one, range(50), concurrency=2, name=str)
    assert len(started) <= 3


def test_other_exceptions_go_through_as_they_are() -> None:
    def read_one(parent: int) -> list[int]:
        raise ZeroDivisionError("a defect")

    with pytest.raises(ZeroDivisionError) as caught:
        fan_out(read_one, range(3), concurrency=2, name=str)
    assert str(caught.value) == "a defect"


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_does_not_wait_for_what_is_under_way(interrupt: type[BaseException]) -> None:
    release = threading.Event()
    waited_for: list[int] = []

    def read_one(parent: int) -> list[int]:
        if parent == 0:
            raise interrupt
        if not release.wait(limit(20)):
            waited_for.append(parent)
        return [parent]

    try:
        with pytest.raises(interrupt):
            fan_out(read_one, range(8), concurrency=4, name=str)
        assert not waited_for
    finally:
        release.set()


def test_a_process_that_failed_ends_without_waiting_for_the_others(tmp_path: t.Any) -> None:
    # Ansible waits for the process of a module, whatever it has printed.
    script = tmp_path / "fail.py"
    script.write_text(
        "import threading, time\n"
        "from ansible_collections.quayside.paas.plugins.module_utils._paging import fan_out\n"
        "from ansible_collections.quayside.paas.plugins.module_utils._errors import ApiError\n"
        "under_way = threading.Event()\n"
        "def read(parent):\n"
        "    if parent:\n"
        "        under_way.set()\n"
        "        time.sleep(600)\n"
        "    under_way.wait()\n"
        "    raise ApiError('no')\n"
        "try:\n"
        "    fan_out(read, range(2), concurrency=2, name=str)\n"
        "except ApiError:\n"
        "    print('failed', flush=True)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"failed\n"
            process.wait(limit(10))
        finally:
            process.kill()


# Plain values


def test_keys_become_snake_case_and_values_stay() -> None:
    value = {
        "appId": "/a/b",
        "ipAddresses": ["10.0.0.1"],
        "hasNextPage": True,
        "customDBName": None,
        "$schema": "https://x",
        "createdAt": 1611241087,
        "spec": {"config": {"storageSize": 1.5, "ipPolicies": [{"addressList": [{"innerKey": False}]}]}},
        "options": [[{"deepKey": ""}]],
    }
    assert plain(value) == {
        "app_id": "/a/b",
        "ip_addresses": ["10.0.0.1"],
        "has_next_page": True,
        "custom_db_name": None,
        "schema": "https://x",
        "created_at": 1611241087,
        "spec": {"config": {"storage_size": 1.5, "ip_policies": [{"address_list": [{"inner_key": False}]}]}},
        "options": [[{"deep_key": ""}]],
    }


@pytest.mark.parametrize("depth", [0, 1, 4])
def test_user_keyed_maps_stay_as_they_are_at_any_depth(depth: int) -> None:
    mine = {"myKey": {"innerKey": 1, "id": 5}, "DATABASE_URL": "x", "listKey": [{"aB": 1, "otherId": 7}]}
    value: t.Any = {"arguments": mine, "otherMap": {"aB": 1}}
    expected: t.Any = {"arguments": mine, "other_map": {"a_b": 1}}
    for _level in range(depth):
        value, expected = {"nodeList": [value]}, {"node_list": [expected]}
    assert plain(value, {"arguments"}) == expected


def test_numeric_ids_become_strings_and_nothing_else_does() -> None:
    value = {
        "id": 1693287033325,
        "backupId": 0,
        "grid": 5,
        "count": 3,
        "validId": True,
        "id2": 4,
        "ids": [1],
        "aId": 1.5,
    }
    found = plain(value)
    assert found["id"] == "1693287033325"
    assert found["backup_id"] == "0"
    assert found["valid_id"] is True
    assert {key: found[key] for key in ("grid", "count", "id2", "ids")} == {"grid": 5, "count": 3, "id2": 4, "ids": [1]}


@pytest.mark.parametrize(
    "keys",
    [
        ("appId", "app_id"),
        ("app_id", "appId"),
        ("appID", "appId", "app_id"),
        ("app_id", "appID", "appId"),
        ("AppName", "appName", "app_name", "APPName"),
    ],
    ids=str,
)
def test_two_spellings_of_a_name_lose_nothing(keys: tuple[str, ...]) -> None:
    found = plain({key: f"value {key}" for key in keys})
    assert sorted(found.values()) == sorted(f"value {key}" for key in keys)


KEYS = st.sampled_from(["id", "Id", "aId", "a_id", "AId", "aB", "a_b", "AB", "ab", "arguments", "Arguments"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=8
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)


def leaves(value: t.Any) -> list[str]:
    if isinstance(value, dict):
        return sorted(leaf for inner in value.values() for leaf in leaves(inner))
    if isinstance(value, list):
        return sorted(leaf for inner in value for leaf in leaves(inner))
    return [str(value)]


@given(VALUES)
def test_no_value_is_lost(value: t.Any) -> None:
    assert leaves(plain(value, {"arguments"})) == leaves(value)


@given(VALUES)
def test_what_is_plain_already_stays(value: t.Any) -> None:
    once = plain(value, {"arguments"})
    assert leaves(plain(once, {"arguments"})) == leaves(once)


@pytest.mark.parametrize(
    "value",
    [
        "\ud800",
        {"name": "a\udfffb"},
        {"list": ["\ud83d"]},
        {"arguments": {"k\ud800": "v\ud800", "l": ["\ud800"]}},
        {"key\ud800": 1},
        {"inner": [{"key\ud800": 1}]},
    ],
    ids=ascii,
)
def test_what_cannot_be_written_is_replaced(value: t.Any) -> None:
    found = plain(value, {"arguments"})
    json.dumps(found, ensure_ascii=False).encode()
    assert "ud" in str(found)  # escaped, not lost


def test_text_that_can_be_written_stays() -> None:
    assert plain({"name": "é\u20ac\U0001f600\x00"}) == {"name": "é\u20ac\U0001f600\x00"}
