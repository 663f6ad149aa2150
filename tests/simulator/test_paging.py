# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages as documented, and the ways in which faults spoil them."""

from __future__ import annotations

from typing import Any

import pytest

from support.simulator import Simulator

BACKUPS = "/v1/projects/storefront/addons/orders-postgres/backups"
TOTAL = 137


def fetched(sim: Simulator, query: str = "") -> tuple[list[str], dict[str, Any] | None]:
    """Return ids and pagination block of a page of backups."""
    reply = sim.get(f"{BACKUPS}?{query}")
    assert reply.status == 200, reply.data
    items = reply.data["data"].get("backups") or []
    return [item["id"] for item in items], reply.data.get("pagination")


@pytest.fixture
def ids(sim: Simulator) -> list[str]:
    """The ids of all backups, in order, from the estate."""
    addon = sim.estate()["northflank"]["teams"][0]["projects"][0]["addons"][0]
    found = [backup["id"] for backup in addon["backups"]]
    assert len(found) == TOTAL == len(set(found))
    return found


def test_default_and_largest_page(sim: Simulator, ids: list[str]) -> None:
    for query, size in (("", 50), ("per_page=100", 100), ("per_page=101", 100), ("per_page=100000", 100)):
        page, block = fetched(sim, query)
        assert block is not None
        assert page == ids[:size]
        assert (block["hasNextPage"], block["count"]) == (True, size)


def test_cursor_to_the_end(sim: Simulator, ids: list[str]) -> None:
    seen: list[str] = []
    query, counts = "per_page=60", []
    while True:
        page, block = fetched(sim, query)
        assert block is not None
        seen += page
        counts.append(block["count"])
        if "cursor" not in block:
            break
        query = f"per_page=60&cursor={block['cursor']}"
    assert block == {"hasNextPage": False, "count": 17}
    assert (seen, counts) == (ids, [60, 60, 17])


def test_page_numbers_to_the_end_and_beyond(sim: Simulator, ids: list[str]) -> None:
    pages = [fetched(sim, f"per_page=60&page={number}") for number in (1, 2, 3, 4, 99)]
    assert [page for page, _block in pages] == [ids[:60], ids[60:120], ids[120:], [], []]
    assert [block and block["hasNextPage"] for _page, block in pages] == [True, True, False, False, False]


def test_last_page_that_is_full(sim: Simulator, ids: list[str]) -> None:
    assert fetched(sim, f"per_page=100&page=2&x={TOTAL}")[1] == {"hasNextPage": False, "count": 37}
    sim.generate(project="storefront", addon="session-redis", containers=99)
    reply = sim.get("/v1/projects/storefront/addons/session-redis/containers?per_page=100")
    assert reply.data["pagination"] == {"hasNextPage": False, "count": 100}


def test_a_cursor_wins_over_a_page(sim: Simulator, ids: list[str]) -> None:
    block = fetched(sim, "per_page=10")[1]
    assert block is not None
    assert fetched(sim, f"per_page=10&page=9&cursor={block['cursor']}")[0] == ids[10:20]


def test_empty_list(sim: Simulator) -> None:
    reply = sim.get("/v1/templates/empty-one/runs")
    assert reply.data == {"data": {"templateRuns": []}, "pagination": {"hasNextPage": False, "count": 0}}


@pytest.mark.parametrize("query", ["per_page=0", "per_page=-1", "per_page=many", "page=0", "page=x", "cursor=abc"])
def test_senseless_queries(sim: Simulator, query: str) -> None:
    reply = sim.get(f"{BACKUPS}?{query}")
    assert (reply.status, reply.data["error"]["status"]) == (400, 400)


def test_cursor_of_another_list(sim: Simulator) -> None:
    cursor = sim.get(f"{BACKUPS}?per_page=1").data["pagination"]["cursor"]
    assert sim.get(f"/v1/projects?cursor={cursor}").status == 400
    assert sim.get(f"/v1/teams/tidewater{BACKUPS[3:]}?cursor={cursor}").status == 200


def test_unknown_queries_are_ignored(sim: Simulator, ids: list[str]) -> None:
    assert fetched(sim, "perPage=3&sort=name&concluded=maybe")[0] == ids[:50]


# Faults. Where one says "the last page", it is the third one of 50.


def last(sim: Simulator) -> dict[str, Any]:
    block = fetched(sim, "page=3")[1]
    assert block is not None
    return block


def test_null_and_empty_cursor_on_the_last_page(sim: Simulator) -> None:
    for trap, value in (("null_cursor", None), ("empty_cursor", "")):
        sim.fault("GET", BACKUPS, {"pagination": trap}, times=2)
        first = fetched(sim)[1]
        assert first is not None
        assert first["cursor"]
        assert last(sim) == {"hasNextPage": False, "count": 37, "cursor": value}


def test_repeat_cursor(sim: Simulator, ids: list[str]) -> None:
    sim.fault("GET", BACKUPS, {"pagination": "repeat_cursor"}, times=None)
    page, block = fetched(sim)
    assert block is not None
    for _attempt in range(3):
        page, again = fetched(sim, f"cursor={block['cursor']}")
        assert (page, again) == (ids[50:100], {"hasNextPage": True, "count": 50, "cursor": block["cursor"]})


def test_stale_cursor(sim: Simulator) -> None:
    sim.fault("GET", BACKUPS, {"pagination": "stale_cursor"}, times=None)
    block = last(sim)
    assert block["hasNextPage"] is False
    page, again = fetched(sim, f"cursor={block['cursor']}")
    assert (page, again) == ([], {"hasNextPage": False, "count": 0, "cursor": block["cursor"]})


def test_no_cursor(sim: Simulator, ids: list[str]) -> None:
    sim.fault("GET", BACKUPS, {"pagination": "no_cursor"}, times=None)
    assert fetched(sim) == (ids[:50], {"hasNextPage": True, "count": 50})
    assert fetched(sim, "page=2") == (ids[50:100], {"hasNextPage": True, "count": 50})
    assert last(sim) == {"hasNextPage": False, "count": 37}


def test_page_numbers_only(sim: Simulator, ids: list[str]) -> None:
    cursor = (fetched(sim)[1] or {})["cursor"]
    sim.fault("GET", BACKUPS, {"pagination": "page_numbers_only"}, times=None)
    assert fetched(sim, f"cursor={cursor}") == (ids[:50], {"hasNextPage": True, "count": 50})
    assert fetched(sim, f"cursor={cursor}&page=2") == (ids[50:100], {"hasNextPage": True, "count": 50})


def test_cursor_only(sim: Simulator, ids: list[str]) -> None:
    sim.fault("GET", BACKUPS, {"pagination": "cursor_only"}, times=None)
    page, block = fetched(sim, "page=2")
    assert page == ids[:50]
    assert block is not None
    assert fetched(sim, f"page=7&cursor={block['cursor']}")[0] == ids[50:100]


def test_no_block(sim: Simulator, ids: list[str]) -> None:
    sim.fault("GET", BACKUPS, {"pagination": "no_block"})
    assert fetched(sim) == (ids[:50], None)


def test_list_absent_or_null(sim: Simulator) -> None:
    for trap, data in (("list_key_absent", {}), ("list_null", {"backups": None})):
        sim.fault("GET", BACKUPS, {"pagination": trap})
        assert sim.get(BACKUPS).data == {"data": data, "pagination": {"hasNextPage": False, "count": 0}}


def test_endless(sim: Simulator, ids: list[str]) -> None:
    sim.fault("GET", BACKUPS, {"pagination": "endless"}, times=None)
    query, cursors, seen = "per_page=100", set(), []
    for _attempt in range(5):
        page, block = fetched(sim, query)
        assert block is not None
        assert (block["hasNextPage"], block["count"], len(page)) == (True, 100, 100)
        seen += page
        cursors.add(block["cursor"])
        query = f"per_page=100&cursor={block['cursor']}"
    assert len(cursors) == 5
    assert seen == (ids * 4)[:500]


def test_traps_leave_single_things_alone(sim: Simulator) -> None:
    sim.fault("GET", "/v1/templates/*", {"pagination": "list_null"})
    assert sim.get("/v1/templates/empty-one").data["data"]["id"] == "empty-one"
