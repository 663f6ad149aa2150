# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of Northflank: envelopes, errors, every way its lists go on or end."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    InvalidResponseError,
    NotFoundError,
    OptionError,
    PaasError,
    TransportError,
    WriteInCheckModeError,
)
from ansible_collections.quayside.paas.plugins.module_utils._northflank.api import Northflank
from unit.fakes import TOKEN, URL, Call, Clock, Platform, Reply, error_reply, get, json_reply, page

OPTIONS: dict[str, t.Any] = {
    "api_token": TOKEN,
    "api_url": URL,
    "team_id": None,
    "timeout": 30,
    "retry_budget": 0,
    "validate_certs": True,
    "ca_path": None,
}
PATH = "/v1/projects"


def client(**changes: t.Any) -> Northflank:
    return Northflank({**OPTIONS, **changes}.get)


def items(first: int, last: int) -> list[dict[str, t.Any]]:
    return [{"id": f"p{number}"} for number in range(first, last + 1)]


def ids(found: list[dict[str, t.Any]]) -> list[t.Any]:
    return [item["id"] for item in found]


def projects(**keywords: t.Any) -> list[t.Any]:
    return ids(client().get_list("projects", "projects", **keywords))


# Addresses


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/v1", f"{URL}/v1/"])
def test_both_spellings_of_the_base(platform: Platform, url: str) -> None:
    platform.expects(get("/v1/projects/p1"))
    client(api_url=url).get("projects/p1")


@pytest.mark.parametrize(("team", "segment"), [("crew", "crew"), ("my team", "my%20team"), ("a/b", "a%2Fb")])
def test_the_team_stands_behind_the_version(platform: Platform, team: str, segment: str) -> None:
    platform.expects(get(f"/v1/teams/{segment}/projects/p1"), get(f"/v1/teams/{segment}/projects", per_page=100))
    one = client(team_id=team)
    one.get("projects/p1")
    one.get_list("projects", "projects")


@pytest.mark.parametrize("team", ["", ".."])
def test_a_team_that_cannot_be(platform: Platform, team: str) -> None:
    with pytest.raises(OptionError, match="option team_id"):
        client(team_id=team)


def test_scope_without_a_team_asks_nothing(platform: Platform) -> None:
    client().check_scope()


def test_scope_of_a_team_that_is_there(platform: Platform) -> None:
    platform.expects(get("/v1/teams/crew/projects", per_page=1))
    client(team_id="crew").check_scope()


def test_scope_of_a_team_that_is_missing(platform: Platform) -> None:
    platform.expects(get("/v1/teams/crew/projects", error_reply(404), per_page=1))
    with pytest.raises(NotFoundError, match='The team "crew" was not found') as caught:
        client(team_id="crew").check_scope()
    assert "team_id" in str(caught.value)
    assert caught.value.as_result()["path"] == "/v1/teams/crew/projects"
    assert caught.value.status == 404


# Errors


@pytest.mark.parametrize(
    ("reply", "message", "code", "error_id", "details"),
    [
        (error_reply(409, "Taken", id="e1", details={"field": ["name"]}), "Taken", None, "e1", {"field": ["name"]}),
        (error_reply(409, "Taken", id=17, code=4), "Taken", "4", "17", None),
        (json_reply({"code": "dup", "message": "Taken", "status": 409}, 409), "Taken", "dup", None, None),
        (json_reply({"error": "invalid_token", "error_description": "Expired"}, 409), "Expired", None, None, None),
        (json_reply({"error": "invalid_token"}, 409), "invalid_token", None, None, None),
        (json_reply({"statusCode": 409, "error": "Conflict", "message": "Taken"}, 409), "Taken", None, None, None),
        (json_reply({"error": {"status": 409}}, 409), '{"error": {"status": 409}}', None, None, None),
        (json_reply({"error": None}, 409), '{"error": null}', None, None, None),
        (json_reply({"error": []}, 409), '{"error": \\[\\]}', None, None, None),
        (json_reply(["Taken"], 409), '\\["Taken"\\]', None, None, None),
        (json_reply("Taken", 409), '"Taken"', None, None, None),
        (Reply(409, b"Taken"), "Taken", None, None, None),
        (Reply(409, b"<html>\n<h1>Taken</h1></html>"), "<html> <h1>Taken</h1></html>", None, None, None),
        (Reply(409, b""), "the platform gave no reason", None, None, None),
        (Reply(409, b'{"error": {"message": '), '{"error": {"message":', None, None, None),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_shapes_of_errors(
    platform: Platform, reply: Reply, message: str, code: t.Any, error_id: t.Any, details: t.Any, listed: bool
) -> None:
    platform.expects(get(PATH, reply, per_page=100) if listed else get(PATH, reply))
    pattern = f"^GET /v1/projects failed with status 409( {code})?: {message}"
    with pytest.raises(ApiError, match=pattern) as caught:
        client().get_list("projects", "projects") if listed else client().get("projects")
    facts = caught.value.as_result()
    assert (facts["method"], facts["path"], facts["status"]) == ("GET", PATH, 409)
    assert (facts["code"], facts["id"], facts["details"]) == (code, error_id, details)


def test_a_refusal_names_the_permission(platform: Platform) -> None:
    platform.expects(get(PATH, error_reply(403, "insufficient permissions")))
    with pytest.raises(
        ApiError, match=r"insufficient permissions\. The role of the token may lack the permission A > B"
    ):
        client().get("projects", permission="A > B")


@pytest.mark.parametrize("place", ["message", "id", "code", "details"])
def test_a_token_in_an_error_is_not_repeated(platform: Platform, place: str) -> None:
    error: dict[str, t.Any] = {"message": "No"}
    error[place] = {"deep": [f"token {TOKEN}"]} if place == "details" else f"token {TOKEN} is wrong"
    platform.expects(get(PATH, json_reply({"error": error}, 401)))
    with pytest.raises(ApiError) as caught:
        client().get("projects")
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(caught.value.as_result())


@pytest.mark.parametrize("place", ["message", "id", "code", "details"])
def test_an_error_can_be_written(platform: Platform, place: str) -> None:
    error: dict[str, t.Any] = {"message": "No"}
    error[place] = {"deep\ud800": ["\ud800"]} if place == "details" else "half a \ud800"
    platform.expects(get(PATH, json_reply({"error": error}, 400)))
    with pytest.raises(ApiError) as caught:
        client().get("projects")
    str(caught.value).encode()
    json.dumps(caught.value.as_result(), ensure_ascii=False).encode()


def test_a_token_in_a_header_is_not_repeated(platform: Platform) -> None:
    platform.expects(get(PATH, Reply(429, b"{}", {"Retry-After": TOKEN, "X-Echo": TOKEN}, reason=TOKEN)))
    with pytest.raises(ApiError, match="rate limit is used up") as caught:
        client().get("projects")
    assert TOKEN not in str(caught.value)


# Answers that the API does not promise


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (Reply(200, b"<html><title>Log in</title></html>", {"Content-Type": "text/html"}), "is not JSON"),
        (Reply(200, b""), "is not JSON"),
        (Reply(204), "is not JSON"),
        (Reply(200, b"success"), "is not JSON"),
        (json_reply([]), "is not a JSON object"),
        (json_reply(None), "is not a JSON object"),
        (json_reply("text"), "is not a JSON object"),
    ],
)
@pytest.mark.parametrize("listed", [False, True])
def test_what_is_no_answer_of_the_api(platform: Platform, reply: Reply, what: str, listed: bool) -> None:
    platform.expects(get(PATH, reply, per_page=100) if listed else get(PATH, reply))
    with pytest.raises(InvalidResponseError, match=what) as caught:
        client().get_list("projects", "projects") if listed else client().get("projects")
    assert "Is api_url the address of the Northflank API?" in str(caught.value)
    assert caught.value.path == PATH


@pytest.mark.parametrize("document", [{}, {"data": None}, {"data": []}, {"data": "x"}, {"id": "p1"}])
def test_a_single_thing_without_data(platform: Platform, document: t.Any) -> None:
    platform.expects(get(PATH, json_reply(document)))
    with pytest.raises(InvalidResponseError, match="has no object under the key data"):
        client().get("projects")


@pytest.mark.parametrize(
    "document",
    [
        {"data": []},
        {"data": "x"},
        {"data": {"addons": []}},
        {"data": {}, "pagination": {"hasNextPage": False, "count": 3}},
        {"data": {"projects": {}}},
        {"data": {"projects": "x"}},
        {"data": {"projects": [1]}},
        {"data": {"projects": [{"id": "p1"}, None]}},
        {"data": {"projects": [[]]}},
    ],
)
def test_broken_lists(platform: Platform, document: t.Any) -> None:
    platform.expects(get(PATH, json_reply(document), per_page=100))
    with pytest.raises(InvalidResponseError, match="projects"):
        projects()


@pytest.mark.parametrize(
    "document", [{}, {"message": "down for maintenance"}, {"status": "ok"}, {"error": {"message": "no"}}]
)
def test_an_answer_without_data_is_no_empty_list(platform: Platform, document: t.Any) -> None:
    # `data` is required on every page of the vendor; only the list in it may be missing.
    platform.expects(get(PATH, json_reply(document), per_page=100))
    with pytest.raises(InvalidResponseError):
        projects()


@pytest.mark.parametrize(
    "document",
    [
        {"data": {}, "pagination": {"hasNextPage": False, "count": 0}},
        {"data": {}},
        {"data": {"projects": None}, "pagination": {"hasNextPage": False, "count": 0}},
        {"data": {"projects": []}},
        {"data": {"projects": []}, "pagination": {"hasNextPage": False, "cursor": None, "count": 0}},
    ],
)
def test_empty_lists(platform: Platform, document: t.Any) -> None:
    platform.expects(get(PATH, json_reply(document), per_page=100))
    assert projects() == []


def test_another_key_beside_the_list_does_not_matter(platform: Platform) -> None:
    platform.expects(get(PATH, json_reply({"data": {"runId": "r", "projects": items(1, 2)}}), per_page=100))
    assert projects() == ["p1", "p2"]


# Paging


def test_cursors(platform: Platform) -> None:
    platform.expects(
        get(PATH, page("projects", items(1, 100), hasNextPage=True, cursor="Mg=="), per_page=100),
        get(PATH, page("projects", items(101, 200), hasNextPage=True, cursor="a+b/c&d"), per_page=100, cursor="Mg=="),
        get(PATH, page("projects", items(201, 201)), per_page=100, cursor="a+b/c&d"),
    )
    assert projects() == ids(items(1, 201))


@pytest.mark.parametrize("cursor", [{}, {"cursor": None}, {"cursor": ""}])
def test_page_numbers_where_there_is_no_cursor(platform: Platform, cursor: dict[str, t.Any]) -> None:
    platform.expects(
        get(PATH, page("projects", items(1, 100), hasNextPage=True, **cursor), per_page=100),
        get(PATH, page("projects", items(101, 200), hasNextPage=True, **cursor), per_page=100, page=2),
        get(PATH, page("projects", items(201, 250), **cursor), per_page=100, page=3),
    )
    assert projects() == ids(items(1, 250))


def test_page_numbers_after_cursors(platform: Platform) -> None:
    platform.expects(
        get(PATH, page("projects", items(1, 100), hasNextPage=True, cursor="a"), per_page=100),
        get(PATH, page("projects", items(101, 200), hasNextPage=True), per_page=100, cursor="a"),
        get(PATH, page("projects", items(201, 300), hasNextPage=True, cursor="b"), per_page=100, page=3),
        get(PATH, page("projects", items(301, 301)), per_page=100, cursor="b"),
    )
    assert projects() == ids(items(1, 301))


@pytest.mark.parametrize("cursor", [None, "", "left-over"])
def test_the_last_page_may_carry_any_cursor(platform: Platform, cursor: str | None) -> None:
    platform.expects(get(PATH, page("projects", items(1, 100), hasNextPage=False, cursor=cursor), per_page=100))
    assert projects() == ids(items(1, 100))


def test_a_cursor_that_repeats(platform: Platform) -> None:
    platform.expects(
        get(PATH, page("projects", items(1, 100), hasNextPage=True, cursor="a"), per_page=100),
        get(PATH, page("projects", items(101, 200), hasNextPage=True, cursor="a"), per_page=100, cursor="a"),
    )
    with pytest.raises(InvalidResponseError, match="same cursor"):
        projects()


def test_a_list_that_repeats_its_first_page(platform: Platform) -> None:
    platform.expects(
        get(PATH, page("projects", items(1, 100), hasNextPage=True), per_page=100),
        get(PATH, page("projects", items(1, 100), hasNextPage=True), per_page=100, page=2),
    )
    with pytest.raises(InvalidResponseError, match="nothing new"):
        projects()


def test_an_announced_page_that_is_empty(platform: Platform) -> None:
    platform.expects(
        get(PATH, page("projects", items(1, 100), hasNextPage=True, cursor="a"), per_page=100),
        get(PATH, page("projects", [], hasNextPage=False), per_page=100, cursor="a"),
    )
    assert projects() == ids(items(1, 100))


def test_an_item_that_a_shifting_list_shows_twice(platform: Platform) -> None:
    platform.expects(
        get(PATH, page("projects", items(1, 100), hasNextPage=True, cursor="a"), per_page=100),
        get(PATH, page("projects", items(100, 150)), per_page=100, cursor="a"),
    )
    assert projects() == ids(items(1, 150))


@pytest.mark.parametrize("block", [{}, {"pagination": None}, {"pagination": {}}])
def test_without_a_word_on_pages_a_page_that_is_not_full_is_the_last(platform: Platform, block: t.Any) -> None:
    platform.expects(get(PATH, json_reply({"data": {"projects": items(1, 99)}, **block}), per_page=100))
    assert projects() == ids(items(1, 99))


@pytest.mark.parametrize(
    ("second", "last"),
    [
        (json_reply({"data": {"projects": items(101, 120)}}), 120),
        (json_reply({"data": {"projects": []}}), 100),
        (json_reply({"data": {"projects": items(1, 100)}}), 100),
        (json_reply({"data": {}}), 100),
        (error_reply(404), 100),
        (error_reply(400), 100),
    ],
)
def test_without_a_word_on_pages_a_full_page_is_asked_on(platform: Platform, second: Reply, last: int) -> None:
    platform.expects(
        get(PATH, json_reply({"data": {"projects": items(1, 100)}}), per_page=100),
        get(PATH, second, per_page=100, page=2),
    )
    assert projects() == ids(items(1, last))


def test_a_block_with_nothing_but_a_cursor(platform: Platform) -> None:
    platform.expects(
        get(PATH, json_reply({"data": {"projects": items(1, 3)}, "pagination": {"cursor": "a"}}), per_page=100),
        get(PATH, json_reply({"data": {"projects": items(4, 5)}, "pagination": {}}), per_page=100, cursor="a"),
    )
    assert projects() == ids(items(1, 5))


@pytest.mark.parametrize("cursor", [["a", "b"], {"next": 1}])
def test_a_cursor_that_is_no_text_is_no_crash(platform: Platform, cursor: t.Any) -> None:
    platform.respond = lambda _request: page("projects", items(1, 1), hasNextPage=True, cursor=cursor)
    with pytest.raises(PaasError):
        projects()


@pytest.mark.parametrize(("limit", "size"), [(1, 1), (7, 7), (100, 100), (101, 100), (5000, 100)])
def test_a_limit_asks_for_no_more_than_it_needs(platform: Platform, limit: int, size: int) -> None:
    platform.expects(get(PATH, page("projects", items(1, min(limit, 30)), hasNextPage=False), per_page=size))
    assert projects(limit=limit) == ids(items(1, min(limit, 30)))


def test_a_limit_stops_early(platform: Platform) -> None:
    platform.expects(
        get(PATH, page("projects", items(1, 100), hasNextPage=True, cursor="a"), per_page=100),
        get(PATH, page("projects", items(101, 200), hasNextPage=True, cursor="b"), per_page=100, cursor="a"),
    )
    assert projects(limit=150) == ids(items(1, 150))


def test_a_limit_on_a_platform_that_sends_more_than_asked(platform: Platform) -> None:
    platform.expects(get(PATH, page("projects", items(1, 50), hasNextPage=True, cursor="a"), per_page=3))
    assert projects(limit=3) == ids(items(1, 3))


def test_filters_go_out_with_every_page(platform: Platform) -> None:
    filters = {"status": "failure", "concluded": "true"}
    platform.expects(
        get(PATH, page("projects", items(1, 100), hasNextPage=True, cursor="a"), per_page=100, **filters),
        get(PATH, page("projects", items(101, 101)), per_page=100, cursor="a", **filters),
    )
    assert projects(query={"status": "failure", "concluded": True}, limit=500) == ids(items(1, 101))


def test_a_list_in_the_middle_of_which_the_platform_fails(platform: Platform) -> None:
    platform.expects(
        get(PATH, page("projects", items(1, 100), hasNextPage=True, cursor="a"), per_page=100),
        get(PATH, error_reply(500, "oh"), per_page=100, cursor="a"),
    )
    with pytest.raises(ApiError, match="status 500: oh"):
        projects()


def test_a_page_cut_short_is_read_again_and_nothing_is_lost(platform: Platform, clock: Clock) -> None:
    cut = Reply(200, (b'{"data": {"projects": [', ConnectionResetError(104, "reset")), {"Content-Length": "9999"})
    platform.expects(
        get(PATH, page("projects", items(1, 100), hasNextPage=True, cursor="a"), per_page=100),
        get(PATH, cut, per_page=100, cursor="a"),
        get(PATH, page("projects", items(101, 110)), per_page=100, cursor="a"),
    )
    one = client(retry_budget=60)
    assert ids(one.get_list("projects", "projects")) == ids(items(1, 110))
    assert one.report()["request_count"] == 3


def test_a_connection_that_fails_for_good(platform: Platform) -> None:
    platform.expects(get(PATH, OSError("no network"), per_page=100))
    with pytest.raises(TransportError, match="GET /v1/projects failed"):
        projects()


@given(n=st.integers(0, 420), cursors=st.booleans(), limit=st.none() | st.integers(1, 450))
def test_any_list_is_read_whole_in_as_few_requests_as_can_be(n: int, cursors: bool, limit: int | None) -> None:
    def respond(request: t.Any) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        size = int(query["per_page"])
        assert 1 <= size <= 100
        first = int(query["cursor"]) if "cursor" in query else (int(query.get("page", 1)) - 1) * size
        found = [{"id": f"p{number}"} for number in range(first, min(first + size, n))]
        more = {"hasNextPage": True, **({"cursor": str(first + size)} if cursors else {})} if first + size < n else {}
        return page("projects", found, **more)

    with Platform(Clock()) as platform:
        platform.respond = respond
        assert projects(limit=limit) == [f"p{number}" for number in range(n)][:limit]
        wanted = n if limit is None else min(n, limit)
        assert len(platform.requests) == max(1, -(-wanted // 100))


@pytest.mark.parametrize("more", ["true", "false", 1, 0, [], {}])
def test_a_next_page_that_is_neither_announced_nor_denied(platform: Platform, more: t.Any) -> None:
    platform.expects(get(PATH, page("projects", items(1, 2), hasNextPage=more, cursor=""), per_page=100))
    with pytest.raises(InvalidResponseError, match="hasNextPage is neither true nor false"):
        projects()


@pytest.mark.parametrize("body", [b"<html>no such page</html>", b"", b"Not Found", b"[]"])
def test_a_404_of_somebody_else_is_not_taken_for_the_platforms(platform: Platform, body: bytes) -> None:
    platform.expects(get("/v1/projects/p", Reply(404, body)))
    with pytest.raises(InvalidResponseError, match=r"status 404\) is not JSON. Is api_url the address"):
        client().get("projects/p")


def test_details_without_end_are_left_out(platform: Platform) -> None:
    deep = b"[" * 400 + b"]" * 400
    platform.expects(get(PATH, Reply(400, b'{"error": {"message": "No", "details": ' + deep + b"}}")))
    with pytest.raises(ApiError, match="No") as caught:
        client().get("projects")
    assert json.dumps(caught.value.as_result()).count("[") <= 101


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_numbers_that_json_cannot_hold_are_no_json(platform: Platform, number: str) -> None:
    platform.expects(get(PATH, Reply(200, f'{{"data": {{"size": {number}}}}}'.encode())))
    with pytest.raises(InvalidResponseError, match="is not JSON"):
        client().get("projects")


# Requests that change something


def test_what_is_sent_to_change_something(platform: Platform) -> None:
    platform.expects(
        Call("POST", PATH, json_reply({"data": {"id": "p1"}}), [("q", "1")], {"name": "x"}),
        Call("POST", f"{PATH}/p1/pause", json_reply({"data": {}})),
        Call("POST", f"{PATH}/p1/pause", json_reply({})),
        Call("DELETE", f"{PATH}/p1", json_reply({"data": {}})),
    )
    one = client()
    assert one.post("projects", {"name": "x"}, query={"q": 1, "none": None}) == {"id": "p1"}
    assert (one.post("projects/p1/pause"), one.post("projects/p1/pause")) == ({}, {})
    one.delete("projects/p1")
    assert one.transport.may_have_changed is True
    assert [request.headers.get("Content-Length") for request in platform.requests[1:3]] == ["0", "0"]


@pytest.mark.parametrize("method", ["post", "delete"])
@pytest.mark.parametrize(
    ("answer", "in_doubt"),
    [
        (error_reply(400), False),
        (error_reply(404), False),
        (error_reply(409), False),
        (error_reply(429), False),
        (error_reply(500), True),
        (error_reply(503), True),
        (Reply(404, b"who are you?"), True),
        (Reply(204), True),
        (Reply(200, b"success"), True),
        (requests.exceptions.ReadTimeout("too long"), True),
        (requests.exceptions.ConnectionError("it broke"), True),
        (requests.exceptions.ConnectTimeout("nobody there"), False),
    ],
)
def test_whether_it_may_be_done(platform: Platform, method: str, answer: t.Any, in_doubt: bool) -> None:
    platform.expects(Call(method.upper(), PATH, answer))
    one = client()
    with pytest.raises(PaasError) as caught:
        getattr(one, method)("projects")
    assert caught.value.may_have_succeeded is in_doubt


def test_check_mode_sends_nothing_that_changes(platform: Platform) -> None:
    one = Northflank(OPTIONS.get, check_mode=True)
    with pytest.raises(WriteInCheckModeError):
        one.post("projects")
    with pytest.raises(WriteInCheckModeError):
        one.delete("projects")
