# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycle's client and its info modules, call by call."""

from __future__ import annotations

import collections
import threading
import typing as t
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.module_utils._cycle.api import SECRETS, Cycle
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    InvalidResponseError,
    NotFoundError,
    OptionError,
    PaasError,
    TransportError,
    WriteInCheckModeError,
)
from unit.fakes import (
    HUB,
    KEY,
    URL,
    Call,
    Clock,
    Platform,
    Reply,
    cycle,
    cycle_error,
    cycle_page,
    json_reply,
    resources,
)
from unit.hosts import declared, failure, found, run, validate

OPTIONS: dict[str, t.Any] = {
    "api_key": KEY,
    "hub_id": HUB,
    "api_url": URL,
    "timeout": 30,
    "retry_budget": 0,
    "validate_certs": True,
    "ca_path": None,
}
MODULES = (
    "container_info",
    "environment_info",
    "instance_info",
    "instance_volume_info",
    "job_info",
    "server_info",
)
LISTS = {
    "container_info": "containers",
    "environment_info": "environments",
    "instance_info": "instances",
    "instance_volume_info": "volumes",
    "job_info": "jobs",
    "server_info": "servers",
}
# What each module reads with as little as it needs.
NEEDS: dict[str, dict[str, t.Any]] = {
    **{name: {} for name in MODULES},
    "instance_info": {"container_id": "c1"},
    "instance_volume_info": {"container_id": "c1", "instance_id": "i1"},
}
CAPABILITIES = {
    "container_info": "containers-view",
    "environment_info": "environments-view",
    "instance_info": "containers-view",
    "instance_volume_info": "containers-view",
    "job_info": "apionly-jobs-view",
    "server_info": "servers-view",
}
THING = {"id": "x", "state": {"current": "running"}}


def client(*, check_mode: bool = False, **changes: t.Any) -> Cycle:
    return Cycle({**OPTIONS, **changes}.get, check_mode=check_mode)


def items(first: int, last: int) -> list[dict[str, t.Any]]:
    return [{"id": f"x{number}"} for number in range(first, last + 1)]


def ids(things: list[dict[str, t.Any]]) -> list[t.Any]:
    return [thing["id"] for thing in things]


def listed(**keywords: t.Any) -> list[t.Any]:
    return ids(client().get_list("containers", "containers", **keywords))


class Pages:
    """A platform with a list. clamp: its largest page. number, size: whether it looks at these parameters."""

    def __init__(self, things: list[t.Any], clamp: int = 10**6, number: bool = True, size: bool = True) -> None:
        self.things = things
        self.clamp = clamp
        self.number = number
        self.size = size
        self.asked: list[tuple[int, int]] = []

    def __call__(self, request: requests.PreparedRequest) -> Reply:
        query = parse_qs(urlsplit(t.cast("str", request.url)).query)
        number, size = (int(query[f"page[{name}]"][0]) for name in ("number", "size"))
        self.asked.append((number, size))
        size = min(size if self.size else self.clamp, self.clamp)
        number = number if self.number else 1
        return resources(self.things[(number - 1) * size : number * size])


# Options and headers


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/v1", f"{URL}/v1/"])
def test_key_and_hub_go_with_every_request(platform: Platform, url: str) -> None:
    platform.expects(cycle("GET", "containers/c1"), cycle_page("jobs", resources([])), cycle("POST", "x", body=[1]))
    one = client(api_url=url)
    one.get("containers/c1")
    one.get_list("jobs", "jobs")
    one.post("x", [1])
    for request in platform.requests:
        assert request.headers["X-Hub-Id"] == HUB
        assert request.headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"api_key": None}, "CYCLE_API_KEY"),
        ({"api_key": ""}, "CYCLE_API_KEY"),
        ({"hub_id": None}, "CYCLE_HUB_ID"),
        ({"hub_id": ""}, "CYCLE_HUB_ID"),
        ({"api_key": "k\n"}, "api_key"),
        ({"hub_id": "h 1"}, "hub_id"),
        ({"api_url": "api.cycle.io"}, "api_url"),
    ],
)
def test_options_that_cannot_be_used(changes: dict[str, t.Any], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        client(**changes)


def test_variables_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    values = validate(declared("job_info")).validated_parameters
    assert (values["api_key"], values["hub_id"], values["api_url"]) == (None, None, "https://api.cycle.io")
    monkeypatch.setenv("CYCLE_API_KEY", "key")
    monkeypatch.setenv("CYCLE_HUB_ID", "hub")
    monkeypatch.setenv("CYCLE_BASE_URL", "https://api.own.cycle.io")
    monkeypatch.setenv("CYCLE_API_TOKEN", "something else")
    checked = validate(declared("job_info"))
    values = checked.validated_parameters
    assert (values["api_key"], values["hub_id"], values["api_url"]) == ("key", "hub", "https://api.own.cycle.io")
    assert "key" in checked._no_log_values


# Paging


@pytest.mark.parametrize(
    ("count", "clamp", "pages"),
    [
        (0, 100, 1),
        (19, 100, 1),
        (20, 100, 2),
        (99, 100, 2),
        (100, 100, 2),
        (119, 100, 2),
        (250, 100, 4),
        (45, 20, 3),
        (40, 20, 3),
        (19, 20, 1),
        (51, 50, 2),
        (119, 50, 3),
        (150, 50, 4),
        (30, 1000, 2),
    ],
)
def test_pages_end_with_a_short_one(platform: Platform, count: int, clamp: int, pages: int) -> None:
    served = Pages(items(1, count), clamp)
    platform.respond = served
    assert listed() == ids(items(1, count))
    assert served.asked == [(number + 1, 100) for number in range(pages)]


@pytest.mark.parametrize(("count", "default"), [(19, 20), (45, 20), (130, 50)])
def test_a_platform_that_ignores_the_size(platform: Platform, count: int, default: int) -> None:
    platform.respond = Pages(items(1, count), default, size=False)
    assert listed() == ids(items(1, count))


@pytest.mark.parametrize("count", [0, 5, 20, 99, 101, 500])
def test_a_platform_without_pages(platform: Platform, count: int) -> None:
    served = Pages(items(1, count), size=False, number=False)
    platform.respond = served
    assert listed() == ids(items(1, count))
    assert len(served.asked) <= 2


def test_a_platform_that_sends_its_first_page_for_ever(platform: Platform) -> None:
    platform.respond = Pages(items(1, 250), 100, number=False)
    with pytest.raises(InvalidResponseError, match="sends its first page again"):
        listed()


@pytest.mark.parametrize("answer", [resources(None), resources([]), json_reply({"data": None, "includes": None})])
def test_empty_lists(platform: Platform, answer: Reply) -> None:
    platform.expects(cycle_page("containers", answer))
    assert listed() == []


def test_a_list_that_goes_on_with_nothing(platform: Platform) -> None:
    platform.expects(
        cycle_page("containers", resources(items(1, 100))), cycle_page("containers", resources(None), number=2)
    )
    assert listed() == ids(items(1, 100))


@pytest.mark.parametrize("status", [400, 404])
def test_a_page_behind_the_end_may_be_refused(platform: Platform, status: int) -> None:
    platform.expects(
        cycle_page("containers", resources(items(1, 100))),
        cycle_page("containers", cycle_error(status, "invalid-syntax"), number=2),
    )
    assert listed() == ids(items(1, 100))


def test_a_fault_on_a_later_page_is_an_error(platform: Platform) -> None:
    platform.expects(
        cycle_page("containers", resources(items(1, 100))),
        cycle_page("containers", cycle_error(500, "database"), number=2),
    )
    with pytest.raises(ApiError, match=r"500\.database"):
        listed()


def test_what_a_shifting_list_shows_twice_is_there_once(platform: Platform) -> None:
    platform.expects(
        cycle_page("containers", resources([*items(1, 20), *items(5, 8)])),
        cycle_page("containers", resources([*items(19, 38)]), number=2),
        cycle_page("containers", resources([]), number=3),
    )
    assert listed() == ids(items(1, 38))


def test_a_limit_and_a_filter_read_on_until_enough_passed(platform: Platform) -> None:
    served = Pages(items(1, 500), 20)
    platform.respond = served
    assert listed(keep=lambda thing: int(thing["id"][1:]) % 15 == 0, limit=3) == ["x15", "x30", "x45"]
    assert len(served.asked) == 3


@pytest.mark.parametrize("limit", [1, 20])
def test_a_limit_is_one_request_where_one_page_has_enough(platform: Platform, limit: int) -> None:
    platform.expects(cycle_page("containers", resources(items(1, 20))))
    assert listed(limit=limit) == ids(items(1, limit))


@given(count=st.integers(0, 700), clamp=st.integers(20, 300), limit=st.none() | st.integers(1, 800))
def test_every_item_once_and_in_order(count: int, clamp: int, limit: int | None) -> None:
    with Platform(Clock()) as platform:
        served = Pages(items(1, count), clamp)
        platform.respond = served
        assert listed(limit=limit) == ids(items(1, count))[:limit]
        assert len(served.asked) <= count // min(clamp, 100) + 2


def test_the_query_stands_before_the_page(platform: Platform) -> None:
    query = {"filter[state]": "new,running", "sort": ["-id", "name"]}
    platform.expects(
        cycle_page("jobs", resources(items(1, 20)), **query), cycle_page("jobs", resources([]), 2, **query)
    )
    assert len(client().get_list("jobs", "jobs", query=query)) == 20


@pytest.mark.parametrize("document", [{"data": {}}, {"data": "x"}, {"data": [1]}, {"data": [{"id": 1}, None]}])
def test_broken_lists(platform: Platform, document: t.Any) -> None:
    platform.expects(cycle_page("containers", json_reply(document)))
    with pytest.raises(InvalidResponseError, match="something else than a list of containers") as caught:
        listed()
    assert caught.value.path == "/v1/containers"


@pytest.mark.parametrize("data", [None, [], "x", [{"id": "x"}]])
def test_a_single_thing_that_is_none(platform: Platform, data: t.Any) -> None:
    platform.expects(cycle("GET", "containers/c1", resources(data)))
    with pytest.raises(InvalidResponseError, match="no object under the key data") as caught:
        client().get("containers/c1")
    assert caught.value.path == "/v1/containers/c1"


@pytest.mark.parametrize("data", [None, [], {}, [{"server_id": "s"}], {"s": 2}])
def test_data_of_whatever_shape(platform: Platform, data: t.Any) -> None:
    platform.expects(cycle("GET", "containers/c1/servers", resources(data)))
    assert client().get_data("containers/c1/servers") == data


# Answers that are none, and errors


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (json_reply({}), "has no data"),
        (json_reply({"status": "ok"}), "has no data"),
        (json_reply({"error": {"status": 403, "title": "No"}, "data": None}), "holds an error"),
        (json_reply({"error": "invalid_token", "data": []}), "holds an error"),
        (json_reply([]), "is not a JSON object"),
        (Reply(200, b"<html>Log in</html>"), "is not JSON"),
        (Reply(200), "is not JSON"),
        (Reply(204), "is not JSON"),
        (Reply(404, b"<html>Nothing here</html>"), "is not JSON"),
        (Reply(404), "is not JSON"),
        (json_reply("no", 404), "is not JSON"),
    ],
)
@pytest.mark.parametrize("as_list", [False, True])
def test_what_is_no_answer_of_the_api(platform: Platform, reply: Reply, what: str, as_list: bool) -> None:
    platform.expects(cycle_page("containers", reply) if as_list else cycle("GET", "containers", reply))
    with pytest.raises(InvalidResponseError, match=what) as caught:
        client().get_list("containers", "containers") if as_list else client().get("containers")
    assert "Is api_url the address of the Cycle API?" in str(caught.value)


def test_null_beside_data_is_no_error(platform: Platform) -> None:
    platform.expects(cycle("GET", "containers/c1", json_reply({"error": None, "data": {"id": "c1"}, "includes": None})))
    assert client().get("containers/c1") == {"id": "c1"}


@pytest.mark.parametrize(
    ("reply", "message", "code", "details"),
    [
        (cycle_error(422, "invalid-argument", "Bad"), "422 422.invalid-argument: Bad.", "422.invalid-argument", None),
        (
            cycle_error(422, "invalid_argument", "Bad", detail="Not so", source="/data/0"),
            "422 422.invalid-argument: Bad: Not so (at /data/0).",
            "422.invalid-argument",
            {"detail": "Not so", "source": "/data/0"},
        ),
        (json_reply({"error": "invalid", "error_description": "Gone"}, 422), "422: invalid: Gone.", None, None),
        (json_reply({"error": "invalid"}, 422), "422: invalid.", None, None),
        (json_reply({"error": {}, "data": None}, 422), '422: {"error": {}, "data": null}.', None, None),
        (json_reply({"error": {"code": 7, "title": 8}}, 422), "422 7: 8.", "7", None),
        (json_reply({"message": "Down"}, 422), "422: Down.", None, None),
        (json_reply(["no"], 422), '422: ["no"].', None, None),
        (Reply(422, b"no way"), "422: no way.", None, None),
        (Reply(422), "422: the platform gave no reason.", None, None),
    ],
)
@pytest.mark.parametrize("as_list", [False, True])
def test_shapes_of_errors(
    platform: Platform, reply: Reply, message: str, code: str | None, details: t.Any, as_list: bool
) -> None:
    platform.expects(cycle_page("jobs", reply) if as_list else cycle("GET", "jobs", reply))
    with pytest.raises(ApiError) as caught:
        client().get_list("jobs", "jobs") if as_list else client().get("jobs")
    assert str(caught.value) == f"GET /v1/jobs failed with status {message}"
    facts = caught.value.as_result()
    assert (facts["path"], facts["status"], facts["code"], facts["details"]) == ("/v1/jobs", 422, code, details)


def test_a_404_of_the_platform(platform: Platform) -> None:
    platform.expects(cycle("GET", "jobs/j1", cycle_error(404, "job")))
    with pytest.raises(NotFoundError, match=r"404\.job: Not here"):
        client().get("jobs/j1")


@pytest.mark.parametrize(
    ("reply", "hint"),
    [
        (
            cycle_error(403, "permissions", extra={"capability": "containers-ssh"}),
            "The role in use lacks the capability containers-ssh.",
        ),
        (cycle_error(403, "permissions"), "The role of the token may lack the permission containers-view."),
        (cycle_error(403, "permissions", extra=[1]), "The role of the token may lack the permission containers-view."),
        (json_reply({"error": "no"}, 403), "The role of the token may lack the permission containers-view."),
        (cycle_error(403, "wrong_hub"), "Check that hub_id names the hub of the API key."),
        (cycle_error(403, "invalid-ip"), "The API key may not be used from this address."),
        (json_reply({"error": "invalid_token"}, 401), "The token is wrong, has expired or was deleted."),
    ],
)
def test_what_to_do_about_a_refusal(platform: Platform, reply: Reply, hint: str) -> None:
    platform.expects(cycle("GET", "containers/c1", reply))
    with pytest.raises(ApiError) as caught:
        client().get("containers/c1", permission="containers-view")
    assert str(caught.value).endswith(hint)


def test_a_refusal_for_a_state_blames_no_role(platform: Platform) -> None:
    platform.expects(cycle("GET", "containers/c1", cycle_error(403, "invalid-state", "Not running")))
    with pytest.raises(ApiError) as caught:
        client().get("containers/c1", permission="containers-view")
    assert str(caught.value) == "GET /v1/containers/c1 failed with status 403 403.invalid-state: Not running."


@pytest.mark.parametrize("place", ["title", "detail", "code", "source", "extra"])
def test_a_key_in_an_error_is_not_repeated(platform: Platform, place: str) -> None:
    error: dict[str, t.Any] = {"status": 403, "code": "403.permissions", "title": "No"}
    error[place] = {"capability": f"key {KEY}"} if place == "extra" else f"key {KEY}"
    platform.expects(cycle("GET", "jobs", json_reply({"error": error}, 403)))
    with pytest.raises(ApiError) as caught:
        client().get("jobs")
    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value.as_result())
    assert "********" in repr(caught.value.as_result()) + str(caught.value)


# Changes

CHANGES: dict[str, t.Callable[[Cycle], t.Any]] = {
    "POST": lambda one: one.post("things", [1], permission="things-manage"),
    "DELETE": lambda one: one.delete("things", permission="things-manage"),
    "GET": lambda one: one.get_new("things", permission="things-manage"),
}
every_change = pytest.mark.parametrize("method", CHANGES)


def change(method: str, answer: t.Any) -> Call:
    return cycle(method, "things", answer, [1] if method == "POST" else None)


@every_change
def test_a_change_returns_data(platform: Platform, method: str) -> None:
    platform.expects(change(method, json_reply({"data": {"job": {"id": "j"}}}, 202)))
    one = client()
    assert CHANGES[method](one) == {"job": {"id": "j"}}
    assert one.transport.may_have_changed


def test_a_delete_may_have_a_body(platform: Platform) -> None:
    platform.expects(cycle("DELETE", "things", resources({}), body={"ids": ["a"]}))
    assert client().delete("things", body={"ids": ["a"]}) == {}


@every_change
def test_check_mode_sends_no_change(platform: Platform, method: str) -> None:
    one = client(check_mode=True)
    assert one.check_mode
    with pytest.raises(WriteInCheckModeError):
        CHANGES[method](one)
    assert platform.requests == []
    assert not one.transport.may_have_changed


@every_change
@pytest.mark.parametrize(
    "answer",
    [
        cycle_error(500, "database"),
        cycle_error(502, "x"),
        cycle_error(504, "not-available"),
        Reply(202, b"accepted"),
        Reply(303, headers={"Location": "/v1/things/1"}),
        json_reply({"data": None}, 202),
        json_reply({}, 202),
        requests.exceptions.ReadTimeout(),
        requests.exceptions.ConnectionError("reset"),
    ],
    ids=str,
)
def test_what_may_have_been_done_is_told(platform: Platform, method: str, answer: t.Any) -> None:
    platform.expects(change(method, answer))
    one = client()
    with pytest.raises(PaasError) as caught:
        CHANGES[method](one)
    assert caught.value.may_have_succeeded
    assert one.transport.may_have_changed


@every_change
@pytest.mark.parametrize(
    "answer",
    [
        cycle_error(403, "permissions"),
        cycle_error(404, "container"),
        cycle_error(422, "invalid-argument"),
        cycle_error(429, "rate-limiting"),
        requests.exceptions.ConnectTimeout(),
    ],
    ids=str,
)
def test_what_was_refused_or_never_sent_was_not_done(platform: Platform, method: str, answer: t.Any) -> None:
    platform.expects(change(method, answer))
    one = client()
    with pytest.raises(PaasError) as caught:
        CHANGES[method](one)
    assert not caught.value.may_have_succeeded
    assert not one.transport.may_have_changed


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("answer", [cycle_error(503, "not-ready"), requests.exceptions.ReadTimeout()], ids=str)
def test_what_makes_something_new_is_not_repeated(platform: Platform, method: str, answer: t.Any) -> None:
    platform.expects(change(method, answer))
    with pytest.raises((ApiError, TransportError)):
        CHANGES[method](client(retry_budget=60))


@every_change
def test_a_refusal_for_the_rate_is_repeated(platform: Platform, method: str) -> None:
    platform.expects(change(method, cycle_error(429, "rate-limiting")), change(method, resources({"id": "a"})))
    assert CHANGES[method](client(retry_budget=60)) == {"id": "a"}


@pytest.mark.parametrize("answer", [cycle_error(503, "not-ready"), requests.exceptions.ReadTimeout()], ids=str)
def test_a_delete_is_repeated(platform: Platform, answer: t.Any) -> None:
    platform.expects(change("DELETE", answer), change("DELETE", resources({"id": "a"})))
    assert client(retry_budget=60).delete("things") == {"id": "a"}


# Secrets

WITH_SECRETS = {
    "name": "n",
    "password": {"algorithm": "raw", "data": "sekret-1"},
    "sftp": {"host": "h", "password": "sekret-2"},
    "runtime": {"environment_vars": {"A": "sekret-3", "PIN": 1234567}},
    "auth": [{"user": "sekret-4"}, "sekret-5"],
    "integration": {"auth": {"api_key": "sekret-6"}},
    "keys": [{"secret": "sekret-7", "name": "k"}],
    "origin": {"token": "sekret-8", "credentials": {"username": "u", "passphrase": "sekret-9"}},
    "services": {"scheduler": {"config": {"access_keys": [{"name": "a", "secret": "sekret-10"}], "public": True}}},
    "spec": {"scoped_variables": [{"identifier": "v", "source": {"details": {"value": "sekret-11"}}}]},
}
HIDDEN = {
    "name": "n",
    "password": {"algorithm": None, "data": None},
    "sftp": {"host": "h", "password": None},
    "runtime": {"environment_vars": {"A": None, "PIN": None}},
    "auth": [{"user": None}, None],
    "integration": {"auth": {"api_key": None}},
    "keys": [{"secret": None, "name": "k"}],
    "origin": {"token": None, "credentials": {"username": None, "passphrase": None}},
    "services": {"scheduler": {"config": {"access_keys": [{"name": None, "secret": None}], "public": True}}},
    "spec": {"scoped_variables": [{"identifier": None, "source": {"details": {"value": None}}}]},
}


def test_secrets_are_hidden_and_names_stay() -> None:
    assert client().plain(WITH_SECRETS) == HIDDEN


def test_secrets_are_shown_on_request() -> None:
    assert client().plain(WITH_SECRETS, secrets=True) == WITH_SECRETS


@pytest.mark.parametrize("name", sorted(SECRETS))
@pytest.mark.parametrize("value", ["s", 5, 1.5, None, ["s", 5], {"a": {"b": ["s"]}}, True, [False]])
def test_whatever_type_a_secret_has(name: str, value: t.Any) -> None:
    hidden = client().plain({"x": [{name: value}], "y": "s"})
    assert "'s'" not in repr(hidden["x"])
    assert "5" not in repr(hidden["x"])
    assert hidden["y"] == "s"
    assert ("True" in repr(hidden), "False" in repr(hidden)) == (value is True, value == [False])


def test_names_of_the_platform_stay_as_they_are() -> None:
    value = {"integrations:identifiers": {"aB": ["x"]}, "annotations": {"myKey": 1}, "id": 5}
    assert client().plain(value) == value


# What comes along


def test_includes_of_all_pages(platform: Platform) -> None:
    platform.expects(
        cycle_page(
            "containers",
            resources(
                items(1, 20),
                creators={"accounts": {"a": {"id": "a"}}, "employees": None, "api_keys": {}},
                environments={"e": {"id": "e", "tags": ["old"]}},
                **{"environments:identifiers": {"shop": ["e"], "own": ["o"]}},
            ),
        ),
        cycle_page(
            "containers",
            resources(
                items(21, 22),
                creators={"accounts": {"b": {"id": "b"}}, "employees": {"m": {"id": "m"}}, "api_keys": None},
                environments={"f": {"id": "f"}, "e": {"id": "e", "tags": ["new"]}},
                images=None,
                **{"environments:identifiers": {"shop": ["f", "e"]}},
            ),
            number=2,
        ),
    )
    one = client()
    one.get_list("containers", "containers")
    assert one.includes == {
        "creators": {
            "accounts": {"a": {"id": "a"}, "b": {"id": "b"}},
            "employees": {"m": {"id": "m"}},
            "api_keys": {},
        },
        "environments": {"e": {"id": "e", "tags": ["new"]}, "f": {"id": "f"}},
        "environments:identifiers": {"shop": ["e", "f"], "own": ["o"]},
        "images": {},
    }


@pytest.mark.parametrize("found_along", [None, [], "x", {"creators": None}, {"creators": [1], "x": "y"}])
def test_includes_of_another_shape_are_left_out(platform: Platform, found_along: t.Any) -> None:
    platform.expects(cycle("GET", "jobs/j", json_reply({"data": {}, "includes": found_along})))
    one = client()
    one.get("jobs/j")
    assert not any(one.includes.values())


def test_includes_of_many_lists_at_once(platform: Platform) -> None:
    count = 40

    def respond(request: requests.PreparedRequest) -> Reply:
        name = urlsplit(t.cast("str", request.url)).path.rpartition("/")[2]
        return resources([{"id": name}], servers={name: {"id": name}}, creators={"accounts": {name: {"id": name}}})

    platform.respond = respond
    one = client()
    threads = [threading.Thread(target=lambda n=n: one.get_list(f"things/{n}", "things")) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(one.includes["servers"]) == count
    assert len(one.includes["creators"]["accounts"]) == count


# Arguments of the modules

SHARED = {"api_key", "hub_id", "api_url", "timeout", "retry_budget", "validate_certs", "ca_path", "in_process", "limit"}
OWN = {
    "container_info": {"container_id", "environment_id", "filters", "include", "meta", "sort", "secrets"},
    "environment_info": {"environment_id", "filters", "include", "meta", "sort"},
    "instance_info": {
        *("container_id", "instance_id", "server_id", "environment_id"),
        *("filters", "include", "meta", "sort", "concurrency"),
    },
    "instance_volume_info": {"container_id", "instance_id", "sort", "secrets", "concurrency"},
    "job_info": {"job_id", "filters", "include", "sort"},
    "server_info": {"server_id", "usable_for", "filters", "include", "meta", "sort"},
}


@pytest.mark.parametrize("module", MODULES)
def test_options_of_modules(module: str) -> None:
    options = declared(module).arguments.options
    assert set(options) == SHARED | OWN[module]
    required = {"container_id"} if module == "instance_volume_info" else set()
    assert {name for name, spec in options.items() if spec.get("required")} == required
    assert {name for name, spec in options.items() if spec.get("no_log")} == {"api_key"}


@pytest.mark.parametrize(
    ("module", "arguments", "words"),
    [
        ("instance_info", {"instance_id": "i"}, ["container_id"]),
        ("instance_info", {"container_id": "c", "environment_id": "e"}, ["container_id", "environment_id"]),
        ("instance_info", {"container_id": "c", "server_id": "s"}, ["container_id", "server_id"]),
        ("instance_info", {"environment_id": "e", "server_id": "s"}, ["environment_id", "server_id"]),
        ("instance_info", {"container_id": "c", "instance_id": "i", "sort": ["id"]}, ["instance_id", "sort"]),
        ("instance_info", {"container_id": "c", "instance_id": "i", "filters": {"search": "x"}}, ["filters"]),
        ("instance_info", {"include": ["everything"]}, ["include"]),
        ("instance_info", {"meta": ["everything"]}, ["meta"]),
        ("instance_info", {"filters": {"colour": "red"}}, ["colour"]),
        ("container_info", {"container_id": "c", "environment_id": "e"}, ["container_id", "environment_id"]),
        ("container_info", {"container_id": "c", "filters": {"image": "x"}}, ["container_id", "filters"]),
        ("server_info", {"server_id": "s", "usable_for": "c"}, ["server_id", "usable_for"]),
        ("environment_info", {"environment_id": "e", "sort": ["id"]}, ["environment_id", "sort"]),
        ("job_info", {"job_id": "j", "filters": {"state": ["new"]}}, ["job_id", "filters"]),
        ("instance_volume_info", {}, ["container_id"]),
        ("instance_volume_info", {"container_id": "c", "environment_id": "e"}, ["environment_id"]),
    ],
)
def test_arguments_that_do_not_go_together(module: str, arguments: dict[str, t.Any], words: list[str]) -> None:
    errors = " ".join(validate(declared(module), **arguments).error_messages)
    assert errors
    assert [word for word in words if word not in errors] == []


@pytest.mark.parametrize(
    ("module", "arguments", "message"),
    [
        (
            "instance_info",
            {"server_id": "s", "meta": ["node"], "sort": ["id"], "filters": {"state": ["running"]}},
            "The platform does not offer meta and sort and filters for lists by server_id.",
        ),
        (
            "server_info",
            {"usable_for": "c", "include": ["models", "clusters"], "meta": ["allocations"]},
            "The platform does not offer clusters of include and allocations of meta for lists by usable_for.",
        ),
        (
            "server_info",
            {"usable_for": "c", "filters": {"tags": ["a"]}},
            "The platform does not offer filters for lists by usable_for.",
        ),
        (
            "server_info",
            {"meta": ["node", "allocations"]},
            "The platform does not offer allocations of meta for lists, only for a single one.",
        ),
        (
            "environment_info",
            {"include": ["clusters"]},
            "The platform does not offer clusters of include for lists, only for a single one.",
        ),
        ("job_info", {"job_id": "j", "include": ["creators"]}, "The platform does not offer include for a single job."),
    ],
)
def test_what_the_platform_does_not_offer_is_not_asked_for(
    platform: Platform, module: str, arguments: dict[str, t.Any], message: str
) -> None:
    result = failure(module, **arguments)
    assert result["msg"] == message
    assert result["request_count"] == 0


def test_filters_without_values_are_none(platform: Platform) -> None:
    path = "infrastructure/servers/s1/instances"
    platform.expects(cycle_page(path, resources([])), cycle_page("containers", resources([])))
    assert found("instance_info", "instances", server_id="s1", filters={}) == []
    assert found("container_info", "containers", filters={"state": [], "identifier": None}) == []


# Which list is read


def test_the_instances_of_a_container(platform: Platform) -> None:
    platform.expects(cycle_page("containers/c1/instances", resources([THING])))
    assert found("instance_info", "instances", container_id="c1") == [{**THING, "container_id": "c1", "included": {}}]


def test_an_instance(platform: Platform) -> None:
    path = "containers/c%2F1/instances/i1"
    platform.expects(
        cycle("GET", path, resources({"id": "i1"}), include=["servers", "locations"], meta=["node", "sdn_pool_ips"])
    )
    (instance,) = found(
        "instance_info",
        "instances",
        container_id="c/1",
        instance_id="i1",
        include=["servers", "locations"],
        meta=["node", "sdn_pool_ips"],
    )
    assert instance == {"id": "i1", "container_id": "c/1", "included": {"server": None, "location": None}}


@pytest.mark.parametrize("identity", [None, [], {}, 7, "unknown"])
def test_ids_of_what_came_along_of_any_shape(platform: Platform, identity: t.Any) -> None:
    instance = {"id": "i1", "server_id": identity}
    answer = resources(instance, servers={"7": {"id": "7"}})
    platform.expects(cycle("GET", "containers/c1/instances/i1", answer, include=["servers"]))
    (one,) = found("instance_info", "instances", container_id="c1", instance_id="i1", include=["servers"])
    assert one["included"] == {"server": {"id": "7"} if identity == 7 else None}


@pytest.mark.parametrize("state", [None, [], {}])
def test_states_of_parents_of_any_shape(platform: Platform, state: t.Any) -> None:
    platform.expects(
        cycle_page("containers", resources([{"id": "c1", "state": {"current": state}}])),
        cycle_page("containers/c1/instances", resources([THING])),
    )
    assert [one["id"] for one in found("instance_info", "instances")] == [THING["id"]]


def test_the_instances_of_a_server(platform: Platform) -> None:
    instance = {"id": "i1", "container_id": "c1", "server_id": "s1", "creator": {"id": "a1"}}
    path = "infrastructure/servers/s1/instances"
    answer = resources(
        [instance], creators={"accounts": {"a1": {"id": "a1", "name": "A"}}}, servers={"s1": {"id": "s1"}}
    )
    # Here the parameter is called creator, and several values are repeated.
    platform.expects(cycle_page(path, answer, include=["creator", "servers"]))
    assert found("instance_info", "instances", server_id="s1", include=["creators", "servers"]) == [
        {**instance, "included": {"creator": {"id": "a1", "name": "A"}, "server": {"id": "s1"}}}
    ]


@pytest.mark.parametrize(("arguments", "query"), [({}, {}), ({"environment_id": "e1"}, {"filter[environment]": "e1"})])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_instances_of_many_containers(
    platform: Platform, arguments: dict[str, t.Any], query: dict[str, t.Any], concurrency: int
) -> None:
    containers = [{"id": f"c{n}", "environment": {"id": "e1"}, "state": {"current": "running"}} for n in (1, 2, 3)]
    containers.append({"id": "c9", "environment": {"id": "e1"}, "state": {"current": "deleted"}})
    asked = {"include": "servers,locations", "meta": "node", "sort": "-id", "filter[state]": "running,failed"}
    platform.expects(
        cycle_page("containers", resources(containers), **query),
        *[
            cycle_page(
                f"containers/c{n}/instances",
                resources([{"id": f"i{n}", "server_id": f"s{n}"}], servers={f"s{n}": {"id": f"s{n}", "hostname": "h"}}),
                **asked,
            )
            for n in (1, 2, 3)
        ],
        any_order=concurrency > 1,
    )
    result = run(
        "instance_info",
        **arguments,
        include=["servers", "locations"],
        meta=["node"],
        sort=["-id"],
        filters={"state": ["running", "failed"]},
        concurrency=concurrency,
    )
    assert [(one["id"], one["container_id"]) for one in result["instances"]] == [(f"i{n}", f"c{n}") for n in (1, 2, 3)]
    assert [one["included"]["server"]["id"] for one in result["instances"]] == ["s1", "s2", "s3"]
    assert {one["included"]["location"] for one in result["instances"]} == {None}
    assert set(result["includes"]["servers"]) == {"s1", "s2", "s3"}
    assert result["request_count"] == 4


def test_containers_of_another_environment_are_not_looked_into(platform: Platform) -> None:
    # A platform that ignores the filter sends all containers.
    containers = [{"id": "c1", "environment": {"id": "e1"}}, {"id": "c2", "environment": {"id": "e2"}}]
    platform.expects(
        cycle_page("containers", resources(containers), **{"filter[environment]": "e2"}),
        cycle_page("containers/c2/instances", resources([{"id": "i"}])),
    )
    (one,) = found("instance_info", "instances", environment_id="e2")
    assert one["container_id"] == "c2"


def test_a_limit_over_many_containers(platform: Platform) -> None:
    platform.expects(
        cycle_page("containers", resources([{"id": "c1"}, {"id": "c2"}, {"id": "c3"}])),
        cycle_page("containers/c1/instances", resources(items(1, 2))),
        cycle_page("containers/c2/instances", resources(items(3, 5))),
    )
    assert ids(found("instance_info", "instances", limit=3)) == ["x1", "x2", "x3"]


def test_a_container_that_cannot_be_read_is_named(platform: Platform) -> None:
    platform.expects(
        cycle_page("containers", resources([{"id": "c1"}])),
        cycle_page("containers/c1/instances", cycle_error(500, "database", "Oh")),
    )
    message = failure("instance_info")["msg"]
    assert message.startswith(
        'container "c1": GET /v1/containers/c1/instances failed with status 500 500.database: Oh.'
    )


def test_servers_that_are_usable(platform: Platform) -> None:
    # Here the parameter is called location, and several values are repeated.
    query = {"include": ["location", "models"], "meta": ["node", "instances_count"], "sort": ["-id"]}
    server = {"id": "s1", "location_id": "l1", "model_id": "m1"}
    answer = resources([server], locations={"l1": {"id": "l1"}}, models={})
    platform.expects(cycle_page("containers/c1/servers/usable", answer, **query))
    assert found(
        "server_info",
        "servers",
        usable_for="c1",
        include=["locations", "models"],
        meta=["node", "instances_count"],
        sort=["-id"],
    ) == [{**server, "included": {"location": {"id": "l1"}, "model": None}}]


def test_the_volumes_of_an_instance(platform: Platform) -> None:
    platform.expects(cycle_page("containers/c1/instances/i1/volumes", resources([{"id": "v1"}]), sort="-id"))
    assert found("instance_volume_info", "volumes", container_id="c1", instance_id="i1", sort=["-id"]) == [
        {"id": "v1", "container_id": "c1", "instance_id": "i1"}
    ]


def test_the_volumes_of_every_instance_of_a_container(platform: Platform) -> None:
    instances = [{"id": "i1"}, {"id": "i2", "state": {"current": "deleted"}}, {"id": "i3"}]
    platform.expects(
        cycle_page("containers/c1/instances", resources(instances)),
        cycle_page("containers/c1/instances/i1/volumes", resources([{"id": "v1"}])),
        cycle_page("containers/c1/instances/i3/volumes", resources([{"id": "v3"}])),
        any_order=True,
    )
    volumes = found("instance_volume_info", "volumes", container_id="c1")
    assert [(one["instance_id"], one["id"]) for one in volumes] == [("i1", "v1"), ("i3", "v3")]


@pytest.mark.parametrize(
    ("module", "path", "arguments"),
    [
        ("container_info", "containers/x", {"container_id": "x"}),
        ("environment_info", "environments/x", {"environment_id": "x"}),
        ("server_info", "infrastructure/servers/x", {"server_id": "x"}),
        ("job_info", "jobs/x", {"job_id": "x"}),
    ],
)
def test_a_single_one(platform: Platform, module: str, path: str, arguments: dict[str, t.Any]) -> None:
    platform.expects(cycle("GET", path, resources(THING)), cycle("GET", path, cycle_error(404, "x")))
    own = {"included": {}}
    assert found(module, LISTS[module], **arguments) == [{**THING, **own}]
    assert found(module, LISTS[module], **arguments) == []


def test_an_environment_in_its_cluster(platform: Platform) -> None:
    # Environments and servers name their cluster by its identifier; what comes along is by id.
    clusters = {"k1": {"id": "k1", "identifier": "us"}, "k2": {"id": "k2", "identifier": "eu"}}
    environment = {"id": "e1", "cluster": "eu", "creator": {"id": "key"}}
    creators = {"accounts": {}, "employees": None, "api_keys": {"key": {"id": "key", "secret": "sekret"}}}
    answer = resources(environment, clusters=clusters, creators=creators)
    platform.expects(cycle("GET", "environments/e1", answer, include=["clusters", "creators", "stacks"]))
    result = run("environment_info", environment_id="e1", include=["clusters", "creators", "stacks"])
    (one,) = result["environments"]
    assert one["included"] == {"cluster": clusters["k2"], "creator": {"id": "key", "secret": None}, "stack": None}
    assert set(result["includes"]) == {"clusters", "creators"}
    assert "sekret" not in repr(result)


def test_what_came_along_is_nested_too_deeply(platform: Platform) -> None:
    creators: t.Any = {}
    for _level in range(300):
        creators = {"creators": creators}
    answer = resources(THING, creators=creators)
    platform.expects(cycle("GET", "containers/c1/instances/i1", answer, include="creators"))
    message = failure("instance_info", container_id="c1", instance_id="i1", include=["creators"])["msg"]
    assert "nested more than 100 levels deep" in message


@pytest.mark.parametrize("secrets", [False, True])
def test_secrets_of_containers(platform: Platform, secrets: bool) -> None:
    container = {
        "id": "c1",
        "config": {"runtime": {"environment_vars": {"A": "sekret"}}},
        "image": {"id": "m1"},
        "environment": {"id": "e1"},
    }
    images = {"m1": {"id": "m1", "origin": {"token": "sekret"}}}
    platform.expects(cycle("GET", "containers/c1", resources(container, images=images), include="images"))
    result = run("container_info", container_id="c1", include=["images"], secrets=secrets)
    shown = "sekret" if secrets else None
    (one,) = result["containers"]
    assert one["config"]["runtime"]["environment_vars"] == {"A": shown}
    assert one["included"]["image"]["origin"]["token"] == shown
    assert result["includes"]["images"]["m1"]["origin"]["token"] == shown
    assert declared("container_info").is_secret({"secrets": secrets}) is secrets


@pytest.mark.parametrize("secrets", [False, True])
def test_secrets_of_volumes(platform: Platform, secrets: bool) -> None:
    password = {"algorithm": "raw", "data": "sekret"}
    volume = {"id": "v1", "config": {"remote_access": {"password": password}}, "sftp": {"password": password}}
    platform.expects(cycle_page("containers/c1/instances/i1/volumes", resources([volume])))
    (one,) = found("instance_volume_info", "volumes", container_id="c1", instance_id="i1", secrets=secrets)
    expected = password if secrets else {"algorithm": None, "data": None}
    assert one["config"]["remote_access"]["password"] == one["sftp"]["password"] == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, False),
        ({"secrets": None}, False),
        ({"secrets": "no"}, False),
        ({"secrets": "yes"}, True),
        ({"secrets": True}, True),
    ],
)
def test_arguments_of_a_task_say_whether_its_result_is_secret(arguments: dict[str, t.Any], expected: bool) -> None:
    assert declared("instance_volume_info").is_secret(arguments) is expected
    assert declared("instance_info").is_secret({}) is False


# Filters

CONTAINERS = [
    {
        "id": "c1",
        "identifier": "web",
        "state": {"current": "running"},
        "config": {"deploy": {"strategy": "manual"}},
        "deprecate": False,
        "image": {"id": "m1"},
    },
    {
        "id": "c2",
        "identifier": "db",
        "state": {"current": "stopped"},
        "config": {"deploy": {"strategy": None}},
        "deprecate": True,
        "image": {"id": None},
    },
    {"id": "c3"},
]


@pytest.mark.parametrize(
    ("filters", "query", "expected"),
    [
        ({"state": ["running", "new"]}, {"filter[state]": "running,new"}, ["c1", "c3"]),
        ({"identifier": "db"}, {"filter[identifier]": "db"}, ["c2", "c3"]),
        ({"deployment_strategy": "manual"}, {"filter[deployment_strategy]": "manual"}, ["c1", "c3"]),
        ({"deprecated": True}, {"filter[deprecated]": "true"}, ["c2", "c3"]),
        ({"deprecated": False}, {"filter[deprecated]": "false"}, ["c1", "c3"]),
        ({"image": "m1"}, {"filter[image]": "m1"}, ["c1", "c3"]),
        ({"tags": ["a", "b"]}, {"filter[tags]": "a,b"}, ["c1", "c2", "c3"]),
        (
            {"search": "x y", "range_start": "2026-01-01T00:00:00Z", "range_end": "2026-02-01T00:00:00Z"},
            {
                "filter[search]": "x y",
                "filter[range-start]": "2026-01-01T00:00:00Z",
                "filter[range-end]": "2026-02-01T00:00:00Z",
            },
            ["c1", "c2", "c3"],
        ),
    ],
)
def test_filters_hold_on_a_platform_that_ignores_them(
    platform: Platform, filters: dict[str, t.Any], query: dict[str, str], expected: list[str]
) -> None:
    platform.expects(cycle_page("containers", resources(CONTAINERS), **query))
    assert ids(found("container_info", "containers", filters=filters)) == expected


def test_several_filters_at_once(platform: Platform) -> None:
    query = {"filter[environment]": "e1", "filter[state]": "running", "filter[identifier]": "web"}
    platform.expects(cycle_page("containers", resources([]), **query))
    filters = {"identifier": "web", "state": ["running"]}
    assert found("container_info", "containers", environment_id="e1", filters=filters) == []


def test_filters_of_instances_do_not_apply_to_containers(platform: Platform) -> None:
    platform.expects(
        cycle_page("containers", resources([{"id": "c1", "state": {"current": "stopped"}}])),
        cycle_page("containers/c1/instances", resources([THING]), **{"filter[state]": "running"}),
    )
    assert ids(found("instance_info", "instances", filters={"state": ["running"]})) == ["x"]


# What is not there


def test_an_instance_that_is_not_there(platform: Platform) -> None:
    platform.expects(
        cycle("GET", "containers/c1/instances/i1", cycle_error(404, "instance")),
        cycle("GET", "containers/c1", resources({"id": "c1"})),
    )
    assert found("instance_info", "instances", container_id="c1", instance_id="i1") == []


@pytest.mark.parametrize("arguments", [{}, {"instance_id": "i1"}])
def test_a_container_that_is_not_there(platform: Platform, arguments: dict[str, str]) -> None:
    missing = cycle_error(404, "container", "Container not found")
    path = "containers/c1/instances"
    platform.expects(
        cycle("GET", f"{path}/i1", missing) if arguments else cycle_page(path, missing),
        cycle("GET", "containers/c1", missing),
    )
    result = failure("instance_info", container_id="c1", **arguments)
    assert result["msg"] == (
        'The container "c1" was not found (option container_id). The platform said:'
        " GET /v1/containers/c1 failed with status 404 404.container: Container not found."
    )
    assert result["error"]["code"] == "404.container"


@pytest.mark.parametrize(
    ("missing", "option"), [("container", "container_id"), ("instance", "instance_id"), (None, None)]
)
def test_volumes_of_what_is_not_there(platform: Platform, missing: str | None, option: str | None) -> None:
    gone = cycle_error(404, "instance")
    platform.expects(cycle_page("containers/c1/instances/i1/volumes", gone))
    there = resources({"id": "x"})
    platform.expects(cycle("GET", "containers/c1", gone if missing == "container" else there))
    if missing != "container":
        platform.expects(cycle("GET", "containers/c1/instances/i1", gone if missing == "instance" else there))
    message = failure("instance_volume_info", container_id="c1", instance_id="i1")["msg"]
    wanted = f"was not found (option {option})" if option else "GET /v1/containers/c1/instances/i1/volumes failed"
    assert wanted in message


@pytest.mark.parametrize(
    ("module", "arguments", "path", "message"),
    [
        (
            "instance_info",
            {"server_id": "s1"},
            "infrastructure/servers/s1/instances",
            'The server "s1" was not found (option server_id).',
        ),
        (
            "server_info",
            {"usable_for": "c1"},
            "containers/c1/servers/usable",
            'The container "c1" was not found (option usable_for).',
        ),
    ],
)
def test_what_a_list_is_of_is_named(
    platform: Platform, module: str, arguments: dict[str, str], path: str, message: str
) -> None:
    platform.expects(cycle_page(path, cycle_error(404, "x")))
    assert failure(module, **arguments)["msg"].startswith(message)


def test_a_container_without_an_id_is_a_broken_answer(platform: Platform) -> None:
    platform.expects(cycle_page("containers", resources([{"name": "no id"}])))
    assert "lists a container without its id" in failure("instance_info")["msg"]


# All of them


@pytest.mark.parametrize("module", MODULES)
def test_check_mode_reads_all_the_same(platform: Platform, module: str) -> None:
    platform.respond = lambda _request: resources([THING])
    result = run(module, check_mode=True, **NEEDS[module])
    assert ids(result[LISTS[module]]) == ["x"]
    assert {request.method for request in platform.requests} == {"GET"}


@pytest.mark.parametrize("module", MODULES)
def test_a_refusal_names_the_capability(platform: Platform, module: str) -> None:
    platform.respond = lambda _request: cycle_error(403, "permissions", "Missing capability")
    message = failure(module, **NEEDS[module])["msg"]
    assert message.endswith(f"may lack the permission {CAPABILITIES[module]}.")


def test_usable_servers_are_a_matter_of_containers(platform: Platform) -> None:
    platform.respond = lambda _request: cycle_error(403, "permissions")
    assert failure("server_info", usable_for="c1")["msg"].endswith("may lack the permission containers-view.")


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_failures_have_one_shape(platform: Platform, module: str, status: int) -> None:
    platform.respond = lambda _request: cycle_error(status, "some-code", "No")
    result = failure(module, **NEEDS[module])
    assert result["changed"] is False
    assert (result["error"]["status"], result["error"]["code"]) == (status, f"{status}.some-code")
    assert f"failed with status {status} {status}.some-code: No" in result["msg"]


@pytest.mark.parametrize("module", MODULES)
def test_modules_repeat_and_count(platform: Platform, module: str) -> None:
    answers = collections.deque([Reply(503), Reply(429, headers={"Retry-After": "5"}), resources([])])
    platform.respond = lambda _request: answers.popleft()
    result = run(module, retry_budget=60, **NEEDS[module])
    assert result[LISTS[module]] == []
    assert result["request_count"] == 3
    assert platform.clock.sleeps[1] == 5


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("bad", ["..", ".", ""])
def test_ids_that_cannot_be(platform: Platform, module: str, bad: str) -> None:
    (first, *_others) = [
        name for name in declared(module).arguments.options if name.endswith("_id") and name != "hub_id"
    ]
    result = failure(module, **{first: bad})
    assert f"The option {first} is '{bad}'" in result["msg"]
    assert result["request_count"] == 0
