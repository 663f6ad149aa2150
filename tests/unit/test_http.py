# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests and answers, on a session of requests whose adapter is a fake."""

from __future__ import annotations

import email.utils
import gzip
import json
import os
import re
import subprocess
import sys
import threading
import time
import typing as t

import pytest
import requests
import urllib3

from ansible_collections.quayside.paas.plugins.module_utils import _http
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    InvalidResponseError,
    MissingLibraryError,
    NotFoundError,
    OptionError,
    TransportError,
    WriteInCheckModeError,
)
from ansible_collections.quayside.paas.plugins.module_utils._response import RateLimit, Response, is_rate_limited
from support.settings import limit
from unit.fakes import (
    OK,
    TOKEN,
    URL,
    Call,
    Clock,
    Platform,
    Reply,
    connection_options,
    error_reply,
    get,
    json_reply,
    new_session,
    transport,
)

RESET = requests.exceptions.ConnectionError(
    urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))
)
REFUSED = requests.exceptions.ConnectionError(urllib3.exceptions.NewConnectionError(None, "Connection refused"))  # type: ignore[arg-type]


# What is sent


def test_a_get_sends_the_token_and_nothing_else(platform: Platform, clock: Clock) -> None:
    platform.expects(get("/v1/projects", json_reply({"data": {"a": [1, None]}}, x_answer="42")))
    answer = transport(clock).request("GET", "/v1/projects")
    assert answer.status == 200
    assert answer.body == {"data": {"a": [1, None]}}
    assert answer.is_json
    assert answer.headers["X-Answer"] == "42"
    assert platform.requests[0].body is None


def test_query_values(platform: Platform, clock: Clock) -> None:
    query = {"b": True, "a": False, "none": None, "n": 5, "many": ["x", None, "y"], "odd": "a&b=c d/é", "empty": ""}
    sent = [
        ("b", "true"),
        ("a", "false"),
        ("n", "5"),
        ("many", "x"),
        ("many", "y"),
        ("odd", "a&b=c d/é"),
        ("empty", ""),
    ]
    platform.expects(Call("GET", "/v1/x", query=sent))
    transport(clock).request("GET", "/v1/x", query=query)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", [None, {}, {"name": "é", "n": None}, [1]])
def test_bodies(platform: Platform, clock: Clock, method: str, body: t.Any) -> None:
    platform.expects(Call(method, "/v1/x", body=body))
    transport(clock).request(method, "/v1/x", body=body)
    if body is None:
        assert platform.requests[0].body is None
        assert "Content-Type" not in platform.requests[0].headers


def test_headers_of_the_platform_are_added(platform: Platform, clock: Clock) -> None:
    platform.expects(get("/v1/x"))
    _http.Transport(connection_options(), headers={"X-Orchard": "h1"}, sleep=clock.sleep).request("GET", "/v1/x")
    assert platform.requests[0].headers["X-Orchard"] == "h1"


def test_a_base_url_with_a_path_stands_before_every_path(platform: Platform, clock: Clock) -> None:
    platform.expects(get("http://127.0.0.1:8080/nf/v1/x"))
    transport(clock, url="http://127.0.0.1:8080/nf").request("GET", "/v1/x")


@pytest.mark.parametrize("validate", [True, False])
@pytest.mark.parametrize("bundle", [None, "/etc/ssl/own.pem"])
def test_verification_is_not_overruled_by_the_environment(
    platform: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch, validate: bool, bundle: str | None
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/environment.pem")
    monkeypatch.setenv("CURL_CA_BUNDLE", "/etc/ssl/curl.pem")
    platform.expects(get("/v1/x"))
    transport(clock, validate_certs=validate, ca_path=bundle).request("GET", "/v1/x")
    # Without an option of ours, the variable is the user's word on whom to trust.
    assert platform.verify == [(bundle or "/etc/ssl/environment.pem") if validate else False]


def test_verification_without_any_setting(platform: Platform, clock: Clock) -> None:
    platform.expects(get("/v1/x"))
    transport(clock).request("GET", "/v1/x")
    assert platform.verify == [True]


def test_netrc_does_not_replace_the_token(
    platform: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.example.com login somebody password else\ndefault login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    platform.expects(get("/v1/x"))
    transport(clock).request("GET", "/v1/x")


def test_no_cookie_comes_back(platform: Platform, clock: Clock) -> None:
    cookies = [("Set-Cookie", "session=1; Path=/"), ("Set-Cookie", "b=2; Domain=example.com; Max-Age=3600")]
    platform.expects(get("/v1/x", Reply(200, b"{}", cookies)), get("/v1/x", token="another"))
    transport(clock).request("GET", "/v1/x")
    transport(clock, token="another").request("GET", "/v1/x")


def test_one_session_serves_every_token_of_a_process() -> None:
    first, second = _http._session_of(1, True), _http._session_of(1, True)
    assert first is second
    assert "Authorization" not in first.headers
    assert first.auth is None


def test_another_process_gets_another_session() -> None:
    assert _http._session_of(1, True) is not _http._session_of(2, True)


def test_a_connection_is_not_shared_with_one_that_is_verified_otherwise() -> None:
    sessions = [_http._session_of(1, verify) for verify in (True, False, "/etc/ssl/certs", "/etc/ssl/other")]
    assert len({id(session) for session in sessions}) == len(sessions)


@pytest.mark.parametrize(
    ("options", "verify"),
    [({}, True), ({"validate_certs": False}, False), ({"ca_path": "/"}, "/")],
    ids=str,
)
def test_the_session_is_asked_for_with_process_and_verification(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, options: dict[str, t.Any], verify: bool | str
) -> None:
    asked = []

    def session_of(process: int, verify: bool | str) -> requests.Session:
        asked.append((process, verify))
        session = new_session(process, verify)
        session.mount("https://", platform)
        return session

    platform = Platform(clock)
    platform.expects(get("/v1/x"))
    monkeypatch.setattr(_http, "_session_of", session_of)
    transport(clock, **options).request("GET", "/v1/x")
    assert asked == [(os.getpid(), verify)]


def test_the_session_repeats_nothing_by_itself_and_has_room_for_the_largest_pool() -> None:
    for scheme in ("https://", "http://"):
        adapter = new_session(0, True).get_adapter(scheme)
        assert adapter.max_retries.total == 0  # type: ignore[attr-defined]
        assert adapter._pool_maxsize >= 32  # type: ignore[attr-defined]


# Check mode


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "get", "MKCOL", ""])
def test_check_mode_sends_nothing_that_may_change_something(platform: Platform, clock: Clock, method: str) -> None:
    one = transport(clock, check_mode=True)
    with pytest.raises(WriteInCheckModeError) as caught:
        one.request(method, "/v1/x", body={})
    assert "check mode" in str(caught.value)
    assert caught.value.path == "/v1/x"
    assert one.request_count == 0


def test_check_mode_and_methods_that_do_not_tell(platform: Platform, clock: Clock) -> None:
    platform.expects(get("/v1/x"), Call("POST", "/v1/search", body={}))
    one = transport(clock, check_mode=True)
    one.request("GET", "/v1/x", changes=False)
    one.request("POST", "/v1/search", body={}, changes=False)
    with pytest.raises(WriteInCheckModeError):
        one.request("GET", "/v1/ssh", changes=True)


# Repetition


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_get_is_repeated(platform: Platform, clock: Clock, status: int) -> None:
    platform.expects(get("/v1/x", error_reply(status)), get("/v1/x", error_reply(status)), get("/v1/x", OK))
    one = transport(clock)
    assert one.request("GET", "/v1/x").status == 200
    assert one.request_count == 3
    assert len(clock.sleeps) == 2
    assert 0 < clock.sleeps[0] <= 0.5 < 1.0 / 2 + clock.sleeps[1] <= 1.5


@pytest.mark.parametrize("fault", [RESET, REFUSED, requests.exceptions.ReadTimeout("slow")], ids=repr)
def test_a_get_is_repeated_after_a_broken_connection(platform: Platform, clock: Clock, fault: Exception) -> None:
    platform.expects(get("/v1/x", fault), get("/v1/x", fault), get("/v1/x"))
    assert transport(clock).request("GET", "/v1/x").status == 200
    assert clock.sleeps[0] == 0  # a connection that was kept open may just have been closed
    assert 0.5 <= clock.sleeps[1] <= 1


@pytest.mark.parametrize("status", [201, 204, 304, 400, 401, 403, 404, 408, 409, 418, 422, 500, 501, 505, 520])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_other_answers_are_final(platform: Platform, clock: Clock, method: str, status: int) -> None:
    platform.expects(Call(method, "/v1/x", Reply(status)))
    assert transport(clock).request(method, "/v1/x").status == status
    assert clock.sleeps == []


@pytest.mark.parametrize(
    ("method", "changes", "repeated"),
    [
        ("GET", None, {429, 502, 503, 504}),
        ("HEAD", None, {429, 502, 503, 504}),
        ("PUT", None, {429, 502, 503, 504}),
        ("DELETE", None, {429, 502, 503, 504}),
        ("POST", False, {429, 502, 503, 504}),
        ("POST", None, {429}),
        ("PATCH", None, {429}),
        ("GET", True, {429}),
    ],
)
def test_which_statuses_are_repeated(clock: Clock, method: str, changes: bool | None, repeated: set[int]) -> None:
    for status in (429, 500, 502, 503, 504):
        with Platform(clock) as platform:
            calls = [Call(method, "/v1/x", Reply(status)), Call(method, "/v1/x", Reply(200))]
            platform.expects(*calls[: 2 if status in repeated else 1])
            answer = transport(clock).request(method, "/v1/x", changes=changes)
            assert answer.status == (200 if status in repeated else status)
            platform.check()


@pytest.mark.parametrize(("method", "changes"), [("POST", None), ("PATCH", None), ("GET", True)])
@pytest.mark.parametrize(
    "fault", [RESET, requests.exceptions.ReadTimeout("slow"), requests.exceptions.ChunkedEncodingError("cut")], ids=repr
)
def test_what_may_have_been_done_is_not_sent_again(
    platform: Platform, clock: Clock, method: str, changes: bool | None, fault: Exception
) -> None:
    platform.expects(Call(method, "/v1/x", fault))
    with pytest.raises(TransportError) as caught:
        transport(clock).request(method, "/v1/x", changes=changes)
    assert caught.value.may_have_succeeded
    assert clock.sleeps == []


def test_the_message_says_when_it_is_not_known_whether_a_request_was_carried_out(
    platform: Platform, clock: Clock
) -> None:
    platform.expects(Call("POST", "/v1/x", RESET), get("/v1/ssh", RESET), get("/v1/x", RESET))
    for method, path, changes, unsure in [
        ("POST", "/v1/x", None, True),
        ("GET", "/v1/ssh", True, True),
        ("GET", "/v1/x", None, False),
    ]:
        with pytest.raises(TransportError) as caught:
            transport(clock, retry_budget=0).request(method, path, changes=changes)
        assert ("Whether the request was carried out is not known" in str(caught.value)) is unsure, method


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "GET"])
def test_what_was_never_sent_is_sent_again(platform: Platform, clock: Clock, method: str) -> None:
    platform.expects(Call(method, "/v1/x", REFUSED), Call(method, "/v1/x"))
    assert transport(clock).request(method, "/v1/x").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_idempotent_requests_are_sent_again(platform: Platform, clock: Clock, method: str) -> None:
    platform.expects(Call(method, "/v1/x", RESET), Call(method, "/v1/x", Reply(503)), Call(method, "/v1/x"))
    assert transport(clock).request(method, "/v1/x").status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_retry_after_in_seconds(platform: Platform, clock: Clock, method: str) -> None:
    platform.expects(
        Call(method, "/v1/x", Reply(429, headers={"Retry-After": "17", "x-ratelimit-reset": "3000"})),
        Call(method, "/v1/x", Reply(429, headers={"retry-after": " 3 "})),
        Call(method, "/v1/x"),
    )
    transport(clock).request(method, "/v1/x")
    assert clock.sleeps == [17, 3]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_retry_after_of_an_overloaded_server(platform: Platform, clock: Clock, status: int) -> None:
    platform.expects(get("/v1/x", Reply(status, headers={"Retry-After": "5"})), get("/v1/x"))
    transport(clock).request("GET", "/v1/x")
    assert clock.sleeps == [5]


def test_retry_after_as_a_date(platform: Platform, clock: Clock) -> None:
    date = email.utils.formatdate(time.time() + 40, usegmt=True)
    platform.expects(get("/v1/x", Reply(429, headers={"Retry-After": date})), get("/v1/x"))
    transport(clock).request("GET", "/v1/x")
    assert 35 <= clock.sleeps[0] <= 41


@pytest.mark.parametrize("junk", ["soon", "", "-5", "1.5.2", "Wed, 99 Foo 2026", "9" * 5000, "\u00b2"])
def test_a_retry_after_that_says_nothing_leaves_it_to_the_rate_limit(
    platform: Platform, clock: Clock, junk: str
) -> None:
    headers = {"Retry-After": junk, "x-ratelimit-reset": "12"}
    platform.expects(get("/v1/x", Reply(429, headers=headers)), get("/v1/x"))
    transport(clock).request("GET", "/v1/x")
    assert clock.sleeps == [12]


@pytest.mark.parametrize("status", [429, 403])
def test_the_reset_of_the_rate_limit_is_waited_for(platform: Platform, clock: Clock, status: int) -> None:
    headers = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "42"}
    platform.expects(get("/v1/x", Reply(status, headers=headers)), get("/v1/x"))
    transport(clock).request("GET", "/v1/x")
    assert clock.sleeps == [42]


def test_the_reset_is_not_waited_for_after_other_faults(platform: Platform, clock: Clock) -> None:
    platform.expects(get("/v1/x", Reply(503, headers={"x-ratelimit-reset": "42"})), get("/v1/x"))
    transport(clock).request("GET", "/v1/x")
    assert clock.sleeps[0] <= 0.5


@pytest.mark.parametrize("reset", ["soon", "nan", "inf", "", "1e999"])
def test_a_reset_that_says_nothing_leaves_it_to_the_backoff(platform: Platform, clock: Clock, reset: str) -> None:
    platform.expects(get("/v1/x", Reply(429, headers={"x-ratelimit-reset": reset})), get("/v1/x"))
    transport(clock).request("GET", "/v1/x")
    assert 0.25 <= clock.sleeps[0] <= 0.5


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "0"},
        {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"},
        {"x-ratelimit-reset": "0"},
        {"x-ratelimit-reset": "0.4"},
        {"x-ratelimit-reset": "-3"},
    ],
    ids=str,
)
def test_a_platform_that_asks_for_no_wait_is_not_hammered(
    platform: Platform, clock: Clock, headers: dict[str, str]
) -> None:
    # The window ends within the second, or clocks differ: without a pause thousands of requests would go out.
    platform.expects(*[get("/v1/x", Reply(429, headers=headers))] * 6, get("/v1/x"))
    transport(clock).request("GET", "/v1/x")
    assert sum(clock.sleeps) >= 1


@pytest.mark.parametrize(("seconds", "attempts"), [("119", 2), ("120", 1), ("121", 1), ("99999999999", 1)])
def test_a_wait_that_does_not_fit_in_the_budget_is_not_begun(
    platform: Platform, clock: Clock, seconds: str, attempts: int
) -> None:
    platform.expects(get("/v1/x", Reply(429, headers={"Retry-After": seconds})), *[get("/v1/x")] * (attempts - 1))
    answer = transport(clock).request("GET", "/v1/x")
    assert answer.status == (200 if attempts == 2 else 429)
    assert clock.sleeps == ([119] if attempts == 2 else [])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("answer", [Reply(429), Reply(429, headers={"Retry-After": "0"}), REFUSED], ids=repr)
def test_a_budget_of_nothing_turns_repetition_off(platform: Platform, clock: Clock, method: str, answer: t.Any) -> None:
    platform.expects(Call(method, "/v1/x", answer))
    one = transport(clock, retry_budget=0)
    if isinstance(answer, Exception):
        with pytest.raises(TransportError):
            one.request(method, "/v1/x")
    else:
        assert one.request(method, "/v1/x").status == 429
    assert clock.sleeps == []
    assert one.request_count == 1


@pytest.mark.parametrize("fault", ["answer", "connection"])
def test_repetition_ends_with_the_budget(platform: Platform, clock: Clock, fault: str) -> None:
    def respond(_request: t.Any) -> Reply:
        clock.advance(1)
        if fault == "connection":
            raise RESET
        return Reply(503)

    platform.respond = respond
    began = clock.now()
    one = transport(clock, retry_budget=60)
    if fault == "connection":
        with pytest.raises(TransportError, match="Connection reset by peer"):
            one.request("GET", "/v1/x")
    else:
        assert one.request("GET", "/v1/x").status == 503
    assert 30 <= clock.now() - began <= 61
    assert one.request_count == len(platform.requests) >= 5


def test_slow_failures_count_and_shorten_the_time_out_of_what_follows(platform: Platform, clock: Clock) -> None:
    def respond(_request: t.Any) -> Reply:
        clock.advance(platform.timeouts[-1])
        raise requests.exceptions.ReadTimeout("slow")

    platform.respond = respond
    began = clock.now()
    with pytest.raises(TransportError):
        transport(clock, timeout=50, retry_budget=120).request("GET", "/v1/x")
    assert clock.now() - began <= 121
    assert platform.timeouts[:2] == [50, 50]
    assert platform.timeouts[2] < 20
    assert min(platform.timeouts) >= 1


def test_the_budget_is_one_for_all_requests_of_a_task(platform: Platform, clock: Clock) -> None:
    limited = Reply(429, headers={"Retry-After": "50"})
    calls = [get("/v1/a", limited), get("/v1/a"), get("/v1/b", limited), get("/v1/b"), get("/v1/c", limited)]
    platform.expects(*calls)
    one = transport(clock)
    statuses = []
    for name in "abc":
        statuses.append(one.request("GET", f"/v1/{name}").status)
        clock.advance(500)  # time that is not spent on trouble
    assert statuses == [200, 200, 429]
    assert clock.sleeps == [50, 50]


def test_success_spends_nothing(platform: Platform, clock: Clock) -> None:
    def respond(_request: t.Any) -> Reply:
        clock.advance(29)
        return Reply(503) if len(platform.requests) == 11 else OK

    platform.respond = respond
    one = transport(clock)
    for _time in range(11):
        assert one.request("GET", "/v1/x").status == 200
    assert one.request_count == 12


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_are_refused(platform: Platform, clock: Clock, method: str, status: int) -> None:
    target = "https://evil.example.net/v1/x"
    platform.expects(Call(method, "/v1/x", Reply(status, headers={"Location": target})))
    with pytest.raises(InvalidResponseError, match=f"redirect to {re.escape(target)}") as caught:
        transport(clock).request(method, "/v1/x")
    assert caught.value.status == status
    assert "api_url" in str(caught.value)


@pytest.mark.parametrize(
    "target",
    ["/v2/x", "//evil.example.net", "http://[::1", "http://", "https://\u00ff/", "x:y", "http://a:port/", "%%%"],
)
def test_odd_redirects_are_refused_all_the_same(platform: Platform, clock: Clock, target: str) -> None:
    platform.expects(get("/v1/x", Reply(302, headers={"Location": target})))
    with pytest.raises(InvalidResponseError, match="redirect"):
        transport(clock).request("GET", "/v1/x")


def test_a_redirect_does_not_show_the_token(platform: Platform, clock: Clock) -> None:
    target = f"https://evil.example.net/?a={TOKEN}" + "x" * 1000
    platform.expects(get("/v1/x", Reply(302, headers={"Location": target})))
    with pytest.raises(InvalidResponseError) as caught:
        transport(clock).request("GET", "/v1/x")
    assert TOKEN not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_the_body_of_a_redirect_is_not_read_without_bound(
    platform: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_http, "MAX_RESPONSE", 100_000)
    flood = (b"x" * 65536,) * 160
    platform.expects(get("/v1/x", Reply(302, flood, {"Location": "/v2/x"})))
    with pytest.raises(InvalidResponseError):
        transport(clock).request("GET", "/v1/x")
    assert platform.streams[0].delivered < 1_000_000


def test_a_redirect_status_without_a_target_is_an_answer(platform: Platform, clock: Clock) -> None:
    platform.expects(get("/v1/x", Reply(302, b"moved")))
    assert transport(clock).request("GET", "/v1/x").status == 302


# Answers


@pytest.mark.parametrize(
    ("body", "parsed"),
    [
        (b"{}", {}),
        (b"[]", []),
        (b"null", None),
        (b"  0 \n", 0),
        (b'"text"', "text"),
        ('{"a": "é\u20ac\U0001f600"}'.encode(), {"a": "é\u20ac\U0001f600"}),
        (b'\xef\xbb\xbf{"bom": 1}', {"bom": 1}),
        (b'{"a": 1e3}', {"a": 1000.0}),
    ],
)
def test_json_bodies(platform: Platform, clock: Clock, body: bytes, parsed: t.Any) -> None:
    platform.expects(get("/v1/x", Reply(200, body)))
    answer = transport(clock).request("GET", "/v1/x")
    assert answer.body == parsed
    assert answer.is_json


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b" \r\n\t ", ""),
        (b"<html>\n  <b>no</b></html>", "<html> <b>no</b></html>"),
        (b"success", "success"),
        (b'{"a": 1', '{"a": 1'),
        (b'{"a": NaN}', '{"a": NaN}'),
        (b'{"a": Infinity}', '{"a": Infinity}'),
        (b"-Infinity", "-Infinity"),
        (b'{"a": "\xff\xfe"}', '{"a": "\ufffd\ufffd"}'),
        (b'{"a": 1}{"b": 2}', '{"a": 1}{"b": 2}'),
        (b"\x00\x01\x02", "\x00\x01\x02"),
        (b"[" * 200_000, "[" * 300),
        (b"9" * 10_000, "9" * 300),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_bodies_that_are_no_json(platform: Platform, clock: Clock, body: bytes, text: str) -> None:
    platform.expects(get("/v1/x", Reply(200, body)))
    answer = transport(clock).request("GET", "/v1/x")
    assert answer.body is None
    assert not answer.is_json
    assert answer.text == text


def test_the_excerpt_is_short_and_can_be_written(platform: Platform, clock: Clock) -> None:
    body = json.dumps({"message": "\ud800 " + "word " * 1000}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    platform.expects(get("/v1/x", Reply(400, body)))
    answer = transport(clock).request("GET", "/v1/x")
    assert len(answer.text) <= _http.EXCERPT
    answer.text.encode()


def test_gzip(platform: Platform, clock: Clock) -> None:
    body = gzip.compress(json.dumps({"data": list(range(100_000))}).encode())
    headers = {"Content-Encoding": "gzip"}
    platform.expects(get("/v1/x", Reply(200, (body[:5], body[5:700], body[700:]), headers)))
    assert transport(clock).request("GET", "/v1/x").body == {"data": list(range(100_000))}


def test_chunked(platform: Platform, clock: Clock) -> None:
    pieces = (b'4\r\n{"a"\r\n', b"4\r\n: 1}\r\n", b"0\r\n\r\n")
    platform.expects(get("/v1/x", Reply(200, pieces, {"Transfer-Encoding": "chunked"})))
    assert transport(clock).request("GET", "/v1/x").body == {"a": 1}


CUT = {
    "length": Reply(200, b'{"data": {"a":', {"Content-Length": "1000"}),
    "length and valid": Reply(200, b'{"data": {}}', {"Content-Length": "1000"}),
    "nothing of it": Reply(200, b"", {"Content-Length": "1000"}),
    "chunk": Reply(200, b'10\r\n{"data"', {"Transfer-Encoding": "chunked"}),
    "last chunk": Reply(200, b"2\r\n{}\r\n", {"Transfer-Encoding": "chunked"}),
    "reset": Reply(200, (b'{"data"', ConnectionResetError(104, "Connection reset by peer")), {"Content-Length": "99"}),
    "time-out": Reply(200, (b'{"data"', TimeoutError("timed out")), {"Content-Length": "99"}),
    "gzip": Reply(200, b"\x1f\x8b\x08\x00 this is no gzip", {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("name", CUT)
def test_a_body_cut_short_is_read_again(platform: Platform, clock: Clock, name: str) -> None:
    platform.expects(get("/v1/x", CUT[name]), get("/v1/x", json_reply({"data": {"whole": 1}})))
    assert transport(clock).request("GET", "/v1/x").body == {"data": {"whole": 1}}


@pytest.mark.parametrize("name", CUT)
def test_after_a_body_cut_short_a_post_may_have_been_done(platform: Platform, clock: Clock, name: str) -> None:
    platform.expects(Call("POST", "/v1/x", CUT[name]))
    with pytest.raises(TransportError, match="Whether the request was carried out is not known") as caught:
        transport(clock).request("POST", "/v1/x")
    assert caught.value.may_have_succeeded


def test_an_answer_that_drips_is_given_up_at_the_time_out(platform: Platform, clock: Clock) -> None:
    drops = [piece for _second in range(1000) for piece in (b"x", lambda: clock.advance(1))]
    platform.expects(get("/v1/x", Reply(200, tuple(drops))))
    began = clock.now()
    with pytest.raises(TransportError, match=r"within 30 seconds \(option timeout\)"):
        transport(clock, retry_budget=0).request("GET", "/v1/x")
    if hasattr(urllib3.HTTPResponse, "read1"):
        assert 30 <= clock.now() - began <= 32  # older versions of urllib3 see it only at the end
    assert platform.streams[0].delivered


def test_an_answer_that_takes_its_time_within_the_time_out(platform: Platform, clock: Clock) -> None:
    pieces = [piece for part in (b"{", b'"a"', b":", b"1", b"}") for piece in (part, lambda: clock.advance(5))]
    platform.expects(get("/v1/x", Reply(200, tuple(pieces))))
    assert transport(clock).request("GET", "/v1/x").body == {"a": 1}


def test_the_largest_answer(platform: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http, "MAX_RESPONSE", 2 * 1024 * 1024)
    fits = b" " * (2 * 1024 * 1024 - 2) + b"{}"
    platform.expects(get("/v1/x", Reply(200, fits)), get("/v1/x", Reply(200, b" " + fits)))
    one = transport(clock)
    assert one.request("GET", "/v1/x").body == {}
    with pytest.raises(InvalidResponseError, match="GET /v1/x is larger than 2 MiB"):
        one.request("GET", "/v1/x")


def test_an_oversized_answer_is_not_read_to_its_end(
    platform: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_http, "MAX_RESPONSE", 1024 * 1024)
    platform.expects(get("/v1/x", Reply(200, (b"x" * 65536,) * 200)))
    with pytest.raises(InvalidResponseError):
        transport(clock).request("GET", "/v1/x")
    assert platform.streams[0].delivered < 2 * 1024 * 1024


def test_compression_hides_no_size(platform: Platform, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http, "MAX_RESPONSE", 1024 * 1024)
    bomb = gzip.compress(b" " * 20 * 1024 * 1024)
    assert len(bomb) < 100_000
    platform.expects(get("/v1/x", Reply(200, bomb, {"Content-Encoding": "gzip"})))
    with pytest.raises(InvalidResponseError, match="larger than 1 MiB"):
        transport(clock).request("GET", "/v1/x")


# Secrets


@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_token_in_a_body_is_not_repeated(platform: Platform, clock: Clock, status: int) -> None:
    body = f"<html>{TOKEN} is no token, {TOKEN}</html>".encode()
    platform.expects(get("/v1/x", Reply(status, body, {"X-Echo": TOKEN}, reason=f"No {TOKEN}")))
    answer = transport(clock).request("GET", "/v1/x")
    assert answer.text == "<html>******** is no token, ********</html>"


@pytest.mark.parametrize("before", range(1150, 1205, 5))
def test_no_part_of_a_token_is_left_where_an_excerpt_is_cut(platform: Platform, clock: Clock, before: int) -> None:
    platform.expects(get("/v1/x", Reply(401, f"<html>{' ' * (before - 6)}{TOKEN} is wrong</html>".encode())))
    answer = transport(clock).request("GET", "/v1/x")
    assert TOKEN[:4] not in answer.text


@pytest.mark.parametrize("fault", [requests.exceptions.ConnectionError, requests.exceptions.ConnectTimeout, OSError])
@pytest.mark.parametrize("before", [0, 100, 280, 290])
def test_a_token_in_a_fault_is_not_repeated(platform: Platform, clock: Clock, fault: t.Any, before: int) -> None:
    platform.expects(get("/v1/x", fault(OSError(f"{'.' * before}{TOKEN} was refused"))))
    with pytest.raises(TransportError) as caught:
        transport(clock, retry_budget=0).request("GET", "/v1/x")
    assert TOKEN[:4] not in str(caught.value)


def test_the_transport_shows_no_token(clock: Clock) -> None:
    assert TOKEN not in repr(transport(clock))
    assert TOKEN not in repr(vars(transport(clock)))


# Faults that no repetition helps against


def test_an_impossible_url_is_the_options_fault(platform: Platform, clock: Clock) -> None:
    for url in ("https://*.example.com", "https://..", "https://\u2100.example"):
        with pytest.raises(OptionError, match="is no usable URL"):
            transport(clock, url=url).request("GET", "/v1/x")
    assert clock.sleeps == []
    assert platform.requests == []


def test_a_host_that_no_name_server_could_know_is_the_options_fault(platform: Platform, clock: Clock) -> None:
    def respond(_request: t.Any) -> t.NoReturn:
        raise urllib3.exceptions.LocationParseError("'a..b', label empty or too long")  # what urllib3 itself raises

    platform.respond = respond
    changing = transport(clock, url="https://a..b")
    with pytest.raises(OptionError, match=r"is no usable URL: .*label empty or too long"):
        changing.request("POST", "/v1/x")
    assert clock.sleeps == []
    assert changing.may_have_changed is False


def test_facts_of_a_transport_error(platform: Platform, clock: Clock) -> None:
    platform.expects(get("/v1/x", RESET))
    with pytest.raises(TransportError) as caught:
        transport(clock, retry_budget=0).request("GET", "/v1/x")
    assert str(caught.value).startswith("GET /v1/x failed:")
    assert URL in str(caught.value)
    facts = caught.value.as_result()
    assert facts == {"method": "GET", "path": "/v1/x", "status": None, "code": None, "id": None, "details": None}


def test_without_requests_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http, "HAS_REQUESTS", False)
    with pytest.raises(MissingLibraryError, match="requests"):
        _http.Transport(connection_options())


def test_without_requests_a_module_says_so(tmp_path: t.Any) -> None:
    script = tmp_path / "without.py"
    script.write_text(
        "import sys\n"
        "sys.modules.update(requests=None, urllib3=None)\n"
        "from ansible_collections.quayside.paas.plugins.modules import project_info\n"
        "from ansible_collections.quayside.paas.plugins.module_utils._module.runner import execute\n"
        "params = dict(api_token='t', api_url='https://x', timeout=1, retry_budget=0, validate_certs=True)\n"
        "result = execute(project_info.MODULE, params, check_mode=False)\n"
        "assert result['failed'] is True, result\n"
        "print(result['msg'])\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=limit(30),
        check=False,
        env=_environment(),
    )
    assert done.returncode == 0, done.stderr
    assert f"{sys.executable} -m pip install 'requests>=2.28.0'" in done.stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


# Rate limit


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, RateLimit()),
        ({"limit": "1000", "remaining": "999", "reset": "3600"}, RateLimit(1000, 999, 3600)),
        ({"limit": "1000.0", "remaining": "12.9", "reset": "0.5"}, RateLimit(1000, 12, 0)),
        ({"limit": "many", "remaining": "", "reset": "nan"}, RateLimit()),
        ({"limit": "inf", "remaining": "-1", "reset": "1e400"}, RateLimit(None, -1, None)),
        ({"remaining": " 7 "}, RateLimit(None, 7, None)),
        ({"reset": "\u00e9"}, RateLimit()),
    ],
    ids=str,
)
def test_headers_of_the_rate_limit(
    platform: Platform, clock: Clock, headers: dict[str, str], expected: RateLimit
) -> None:
    platform.expects(get("/v1/x", Reply(200, b"{}", {f"X-RateLimit-{name}": v for name, v in headers.items()})))
    one = transport(clock)
    one.request("GET", "/v1/x")
    assert one.rate_limit == expected
    assert one.report() == {
        "rate_limit": {"limit": expected.limit, "remaining": expected.remaining, "reset": expected.reset},
        "request_count": 1,
    }


def test_an_answer_without_a_rate_limit_leaves_what_is_known(platform: Platform, clock: Clock) -> None:
    headers = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "5", "x-ratelimit-reset": "60"}
    platform.expects(get("/v1/x", Reply(200, b"{}", headers)), get("/v1/x"), get("/v1/x", Reply(502)), get("/v1/x"))
    one = transport(clock)
    one.request("GET", "/v1/x")
    one.request("GET", "/v1/x")
    one.request("GET", "/v1/x")
    assert one.rate_limit == RateLimit(1000, 5, 60)


def test_the_rate_limit_of_an_error_counts(platform: Platform, clock: Clock) -> None:
    headers = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "5", "x-ratelimit-reset": "60"}
    platform.expects(get("/v1/x", Reply(500, b"", headers)))
    one = transport(clock)
    one.request("GET", "/v1/x")
    assert one.rate_limit == RateLimit(1000, 5, 60)


def limited(remaining: int, reset: int) -> Reply:
    left = {"x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": str(reset)}
    return Reply(200, b"{}", {"x-ratelimit-limit": "1000", **left})


@pytest.mark.parametrize(
    ("first", "second"),
    [((5, 60), (4, 60)), ((5, 60), (4, 58)), ((0, 2), (999, 3600)), ((5, 60), (700, 60))],
    ids=str,
)
def test_of_requests_in_a_row_the_last_one_counts(
    platform: Platform, clock: Clock, first: tuple[int, int], second: tuple[int, int]
) -> None:
    platform.expects(get("/v1/x", limited(*first)), get("/v1/x", limited(*second)))
    one = transport(clock)
    one.request("GET", "/v1/x")
    one.request("GET", "/v1/x")
    assert one.rate_limit == RateLimit(1000, *second)


def test_of_requests_at_the_same_time_the_one_that_left_the_fewest_counts(clock: Clock) -> None:
    # Answers overtake each other; what was served earlier has more left of both.
    one = transport(clock)
    began = clock.now()
    for remaining, reset in ((990, 3500), (991, 3502), (989, 3500), (992, 3503)):
        clock.sleep(1)
        headers = dict(limited(remaining, reset).headers)
        one._note_rate_limit(Response(200, headers, {}, "", True), began)
    assert one.rate_limit == RateLimit(1000, 989, 3500)


@pytest.mark.parametrize(
    ("status", "remaining", "limited"),
    [(429, None, True), (429, "5", True), (403, None, False), (403, "5", False), (403, "0", True), (503, "0", False)],
)
def test_what_refuses_because_of_the_rate_limit(
    platform: Platform, clock: Clock, status: int, remaining: str | None, limited: bool
) -> None:
    headers = {} if remaining is None else {"x-ratelimit-remaining": remaining}
    platform.expects(get("/v1/x", Reply(status, headers=headers)))
    assert is_rate_limited(transport(clock, retry_budget=0).request("GET", "/v1/x")) is limited


def test_many_threads_are_counted(platform: Platform, clock: Clock) -> None:
    platform.respond = lambda _request: OK
    one = transport(clock)
    threads = [
        threading.Thread(target=lambda: [one.request("GET", "/v1/x") for _time in range(20)]) for _thread in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one.request_count == len(platform.requests) == 160


def test_answers_are_released(clock: Clock) -> None:
    closed = []

    class Watched(Platform):
        def send(self, request: t.Any, **keywords: t.Any) -> requests.Response:  # type: ignore[override]
            response = super().send(request, **keywords)
            close = response.close
            response.close = lambda: (closed.append(1), close())[1]  # type: ignore[method-assign]
            return response

    with Watched(clock) as watched:
        watched.expects(get("/v1/x"), get("/v1/x", Reply(302, headers={"Location": "/"})), get("/v1/x", CUT["reset"]))
        transport(clock, retry_budget=0).request("GET", "/v1/x")
        for _time in range(2):
            with pytest.raises((InvalidResponseError, TransportError)):
                transport(clock, retry_budget=0).request("GET", "/v1/x")
        watched.check()
    assert len(closed) >= 3


# The end


def test_nothing_is_sent_after_the_end(platform: Platform, clock: Clock) -> None:
    one = transport(clock)
    one.close()
    with pytest.raises(TransportError, match="the task is over"):
        one.request("GET", "/v1/x")
    assert one.request_count == 0


def test_a_wait_ends_with_the_task(platform: Platform) -> None:
    def wait_then_close(_request: t.Any) -> Reply:
        threading.Timer(0.05, one.close).start()
        return Reply(429, b"{}", {"Retry-After": "60"})

    platform.expects(get("/v1/x", wait_then_close))
    one = _http.Transport(connection_options(), sleep=None, clock=time.monotonic)
    with pytest.raises(TransportError, match="the task is over"):
        one.request("GET", "/v1/x")
    assert one.request_count == 1


@pytest.mark.parametrize(
    "text", ["http://user:pa55word@proxy.example:3128", "Failed to parse: https://pa55word@x:99999/."], ids=str
)
def test_the_credentials_of_a_proxy_are_not_repeated(clock: Clock, text: str) -> None:
    assert "pa55word" not in transport(clock).redact(text)


def test_a_proxy_that_is_no_url_does_not_show_its_password(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:pa55word@127.0.0.1:99999")
    with pytest.raises(OptionError, match="or a proxy variable") as caught:
        transport(clock).request("GET", "/v1/x")
    assert "pa55word" not in str(caught.value)


def test_an_error_of_ours_is_not_the_cause_of_another(platform: Platform, clock: Clock) -> None:
    platform.expects(get("/v1/x", ConnectionResetError(104, "Connection reset by peer")))

    def request_after_trouble() -> None:
        try:
            raise NotFoundError("the first trouble")
        except NotFoundError:
            transport(clock, retry_budget=0).request("GET", "/v1/x")

    with pytest.raises(TransportError) as caught:
        request_after_trouble()
    assert "the first trouble" not in str(caught.value)
    assert "Connection reset by peer" in str(caught.value)


def test_no_part_of_a_token_is_left_where_a_long_answer_is_cut(platform: Platform, clock: Clock) -> None:
    # The token lies across the end of what is looked at, behind blanks that an excerpt leaves out.
    for place in range(_http.BEGINNING - len(TOKEN) - 1, _http.BEGINNING + 1):
        body = b" " * place + TOKEN.encode() + b" " * 100
        platform.expects(get("/v1/x", Reply(500, body)))
        text = transport(clock, retry_budget=0).request("GET", "/v1/x").text
        assert TOKEN[:6] not in text
