# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Streams: what authorises them, and lines out of a console that comes in pieces, by a clock that is moved by hand."""

from __future__ import annotations

import itertools
import re
import typing as t
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.module_utils._cycle import streams
from ansible_collections.quayside.paas.plugins.module_utils._cycle.api import Cycle
from ansible_collections.quayside.paas.plugins.module_utils._cycle.streams import Authorisation, Capture, stream_url
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    InvalidResponseError,
    PaasError,
    TransportError,
)
from ansible_collections.quayside.paas.plugins.module_utils._wait import Deadline
from ansible_collections.quayside.paas.plugins.module_utils._websocket import Close
from unit.fakes import KEY, Call, Clock, Platform, cycle, cycle_error, resources
from unit.hosts import declared, run

IDS = {"container_id": "c1", "instance_id": "i1"}
PATH = "containers/c1/instances/i1"
TOKEN = "stream/0123456789+abcdefghij"
ADDRESS = "https://console.cycle.io:8920/v1/console"
AUTHORISED = cycle("GET", f"{PATH}/console", resources({"token": TOKEN, "address": ADDRESS}))
TELEMETRY = cycle(
    "GET", f"{PATH}/telemetry/resources/stream", resources({"token": "t2", "address": "wss://s1.example.com/t?x=1"})
)
COMMON = {"changed", "rate_limit", "request_count"}
RESULT = {"lines", "replayed", "matched", "match", "truncated", "bytes", "ended"}
URL_OF_CONSOLE = "wss://console.cycle.io:8920/v1/console?token=stream%2F0123456789%2Babcdefghij"

# Seconds to wait before what arrives, and what that is.
Piece = tuple[float, bytes | PaasError]


class Stream:
    """A WebSocket that delivers pieces as the clock of a test passes."""

    def __init__(self, clock: Clock, pieces: t.Sequence[Piece], closed: Close | None) -> None:
        self._clock = clock
        self._pieces = pieces
        self._closes = closed
        self.closed: Close | None = None
        self.is_left = False

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.is_left = True

    def messages(self, deadline: Deadline) -> t.Iterator[bytes]:
        for seconds, piece in self._pieces:
            if seconds >= deadline.left():
                self._clock.advance(deadline.left())
                return
            self._clock.advance(seconds)
            if isinstance(piece, PaasError):
                raise piece
            yield piece
        self.closed = self._closes
        if self.closed is None:
            self._clock.advance(deadline.left())


Play = t.Callable[..., Stream]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Play:
    """Lets the next stream deliver these pieces, and then close, or stay silent."""

    def prepared(*pieces: Piece, closed: Close | None = None) -> Stream:
        stream = Stream(clock, pieces, closed)
        monkeypatch.setattr(streams, "open_websocket", lambda url, *_arguments, **_keywords: opened(url, stream))
        return stream

    def opened(url: str, stream: Stream) -> Stream:
        assert url == URL_OF_CONSOLE
        return stream

    monkeypatch.setitem(streams.capture.__kwdefaults__, "clock", clock.now)
    return prepared


def captured(**arguments: t.Any) -> dict[str, t.Any]:
    result = run("instance_console", **IDS, **arguments)
    assert not result.get("failed"), result
    assert set(result) == RESULT | COMMON
    assert result["changed"] is False
    return {name: result[name] for name in RESULT}


def failed(module: str = "instance_console", **arguments: t.Any) -> dict[str, t.Any]:
    result = run(module, **IDS, **arguments)
    assert result["failed"] is True
    assert TOKEN not in repr(result)
    return result


# Authorisations


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://c.example.com:8920/v1/console", "wss://c.example.com:8920/v1/console?token=a"),
        ("http://127.0.0.1:80/x", "ws://127.0.0.1:80/x?token=a"),
        ("wss://c.example.com", "wss://c.example.com?token=a"),
        ("ws://[::1]:9/x", "ws://[::1]:9/x?token=a"),
        ("WSS://c.example.com/x", "wss://c.example.com/x?token=a"),
        ("c.example.com/x", "wss://c.example.com/x?token=a"),
        (" wss://c.example.com/x?y=1 ", "wss://c.example.com/x?y=1&token=a"),
        ("wss://c.example.com/x?", "wss://c.example.com/x?token=a"),
    ],
)
def test_urls_of_streams(address: str, expected: str) -> None:
    assert stream_url(address, "a") == expected


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()))
def test_a_token_arrives_as_it_is(token: str) -> None:
    assert parse_qs(urlsplit(stream_url("wss://c.example.com/x", token)).query) == {"token": [token]}


def test_an_unknown_scheme_is_told() -> None:
    with pytest.raises(InvalidResponseError, match="unknown scheme 'ftp'"):
        stream_url("ftp://c.example.com", TOKEN)


def test_both_authorisations(platform: Platform) -> None:
    platform.expects(AUTHORISED, TELEMETRY)
    result = run("instance_stream_info", **IDS)
    assert set(result) == {"streams"} | COMMON
    assert result["streams"] == {
        "console": {"address": ADDRESS, "token": TOKEN, "url": URL_OF_CONSOLE},
        "telemetry": {
            "address": "wss://s1.example.com/t?x=1",
            "token": "t2",
            "url": "wss://s1.example.com/t?x=1&token=t2",
        },
    }


@pytest.mark.parametrize(
    ("asked", "calls"), [(["console"], [AUTHORISED]), (["telemetry", "telemetry"], [TELEMETRY]), ([], [])]
)
def test_only_what_is_asked_for_and_always_the_same_keys(
    platform: Platform, asked: list[str], calls: list[Call]
) -> None:
    platform.expects(*calls)
    found = run("instance_stream_info", **IDS, streams=asked)["streams"]
    assert {kind: set(found[kind]) for kind in found} == {key: {"address", "token", "url"} for key in streams.KINDS}
    assert {kind for kind in found if found[kind]["token"] is not None} == set(asked)


def test_authorisations_are_kept_from_display() -> None:
    assert declared("instance_stream_info").is_secret(IDS)
    assert not declared("instance_console").is_secret(IDS)
    assert TOKEN not in repr(Authorisation(ADDRESS, TOKEN, URL_OF_CONSOLE))


@pytest.mark.parametrize("answer", [{}, {"token": "x"}, {"address": ADDRESS}, {"token": "", "address": ADDRESS}])
def test_an_authorisation_that_is_none(platform: Platform, answer: t.Any) -> None:
    platform.expects(cycle("GET", f"{PATH}/console", resources(answer)))
    assert "no address or no token" in failed("instance_stream_info", streams=["console"])["msg"]


def test_an_instance_that_does_not_run_is_told(platform: Platform) -> None:
    platform.expects(
        cycle("GET", f"{PATH}/console", cycle_error(403, "invalid-state")),
        cycle("GET", PATH, resources({"id": "i1", "state": {"current": "stopped"}})),
    )
    assert "The instance is stopped" in failed()["msg"]


def test_a_key_without_the_capability_is_told(platform: Platform) -> None:
    platform.expects(
        cycle("GET", f"{PATH}/console", cycle_error(403, "permissions")),
        cycle("GET", PATH, resources({"id": "i1", "state": {"current": "running"}})),
    )
    assert "may lack the permission containers-console" in failed()["msg"]


def test_an_instance_that_is_not_there_is_named(platform: Platform) -> None:
    platform.expects(
        cycle("GET", f"{PATH}/console", cycle_error(404, "instance")),
        cycle("GET", PATH, cycle_error(404, "instance")),
        cycle("GET", "containers/c1", resources({"id": "c1"})),
    )
    assert 'The instance "i1" was not found' in failed()["msg"]


def test_texts_of_a_stream_are_redacted(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    given_: dict[str, t.Any] = {}
    monkeypatch.setattr(streams, "open_websocket", lambda url, _options, **keywords: given_.update(keywords, url=url))
    options = {"api_key": KEY, "hub_id": "h", "timeout": 1, "retry_budget": 0, "validate_certs": True, "ca_path": None}
    client = Cycle({**options, "api_url": "https://api.example.com"}.get)
    streams.open_stream(client, Authorisation(ADDRESS, TOKEN, URL_OF_CONSOLE))
    said = {f"a {TOKEN}": [f"{URL_OF_CONSOLE} and {KEY}", None, 5]}
    assert given_["redact"](said) == {
        "a ********": [URL_OF_CONSOLE.partition("=")[0] + "=******** and ********", None, 5]
    }
    given_["attempting"]()
    assert client.report()["request_count"] == 1


# Captures


def test_lines_replayed_and_new(platform: Platform, play: Play) -> None:
    platform.expects(AUTHORISED)
    stream = play((0.0, b"one\r\ntw"), (0.5, b"o\nthr"), (1.0, b"ee\n"), (5.0, b"fo\xffur\n"), (20.0, b"too late\n"))
    assert captured() == {
        "lines": ["one", "two", "three", "fo\ufffdur"],
        "replayed": 3,  # three began in the first second
        "matched": False,
        "match": None,
        "truncated": False,
        "bytes": 21,
        "ended": "duration",
    }
    assert stream.is_left


def test_without_the_backlog(platform: Platform, play: Play) -> None:
    platform.expects(AUTHORISED)
    play((0.0, b"one\ntw"), (1.5, b"o\nthree\n"), (1.0, b"four"), closed=Close(1000, ""))
    result = captured(backlog=False)
    assert (result["lines"], result["replayed"], result["bytes"]) == (["three", "four"], 0, 10)
    assert result["ended"] == "closed"


def test_it_stops_at_the_first_match(platform: Platform, play: Play) -> None:
    platform.expects(AUTHORISED)
    play((0.2, b"starting\n"), (3.0, b"listening on port 8080\nmore\n"), (1.0, b"listening on port 8081\n"))
    result = captured(until_regex=r"port (\d+)")
    assert (result["lines"], result["match"]) == (["starting", "listening on port 8080"], "port 8080")
    assert (result["matched"], result["ended"]) == (True, "match")


def test_what_is_replayed_matches_only_when_it_is_wanted(platform: Platform, play: Play) -> None:
    pieces = ((0.0, b"ready\n"), (2.0, b"ready again\n"))
    platform.expects(AUTHORISED, AUTHORISED)
    play(*pieces)
    assert captured(until_regex="ready")["lines"] == ["ready"]
    play(*pieces)
    assert captured(until_regex="ready", backlog=False)["lines"] == ["ready again"]


def test_a_line_is_searched_when_it_is_complete(platform: Platform, play: Play) -> None:
    platform.expects(AUTHORISED)
    play((2.0, b"done"), (0.1, b" with errors\n"), (0.1, b"done\n"))
    assert captured(until_regex="done$")["lines"] == ["done with errors", "done"]


@pytest.mark.parametrize("closed", [None, Close(1000, "")])
def test_a_prompt_without_an_end_matches_at_the_end(platform: Platform, play: Play, closed: Close | None) -> None:
    platform.expects(AUTHORISED)
    play((0.0, b"web-1 login: "), closed=closed)
    result = captured(until_regex="login: $")
    assert (result["match"], result["ended"], result["lines"]) == ("login: ", "match", ["web-1 login: "])


@pytest.mark.parametrize(
    ("pieces", "closed", "arguments", "said", "ended"),
    [
        ([(0.0, b"one\n")], None, {"duration": 7}, "within 7 seconds (option duration)", "duration"),
        ([(0.0, b"one\n")], Close(1000, ""), {}, "before the platform ended the stream", "closed"),
        ([(0.0, b"one\ntwo")], None, {"max_bytes": 5}, "within 5 bytes (option max_bytes)", "size"),
    ],
)
def test_no_match_is_a_failure_that_has_the_lines(
    platform: Platform, play: Play, pieces: list[Piece], closed: t.Any, arguments: t.Any, said: str, ended: str
) -> None:
    platform.expects(AUTHORISED)
    play(*pieces, closed=closed)
    result = failed(until_regex="never", **arguments)
    assert f"matched until_regex (never) {said}" in result["msg"]
    assert result["ended"] == ended
    assert result["lines"][0] == "one"
    assert set(result) == RESULT | COMMON | {"failed", "msg", "error"}


def test_a_stream_that_breaks_is_a_failure_that_has_the_lines(platform: Platform, play: Play) -> None:
    platform.expects(AUTHORISED)
    stream = play((0.0, b"one\ntwo"), (3.0, TransportError("The connection to wss://x broke: reset.")))
    result = failed()
    assert result["msg"] == "The connection to wss://x broke: reset."
    assert (result["lines"], result["ended"]) == (["one", "two"], "broken")
    assert stream.is_left


@pytest.mark.parametrize("pattern", ["(", "[a", "*", "(?P<a>x)(?P<a>y)", "a{99999999999}"])
def test_a_pattern_that_is_none_is_refused_before_anything_is_sent(platform: Platform, pattern: str) -> None:
    result = failed(until_regex=pattern)
    assert "until_regex" in result["msg"]
    assert result["request_count"] == 0


@pytest.mark.parametrize(
    ("option", "value"), [("duration", 0), ("duration", 3601), ("max_bytes", 0), ("max_bytes", 2**25)]
)
def test_bounds(platform: Platform, option: str, value: int) -> None:
    assert f"The option {option} is {value}" in failed(**{option: value})["msg"]


def test_what_is_too_much_is_cut_to_the_byte(platform: Platform, play: Play) -> None:
    platform.expects(AUTHORISED, AUTHORISED)
    play((0.0, b"12345\n7890\nmore"))
    result = captured(max_bytes=9)
    assert (result["lines"], result["bytes"]) == (["12345", "789"], 9)
    assert (result["truncated"], result["ended"]) == (True, "size")
    play((0.0, b"12345\n789"), closed=Close(1000, ""))
    result = captured(max_bytes=9)
    assert (result["bytes"], result["truncated"], result["ended"]) == (9, False, "closed")


def test_what_is_not_kept_does_not_count(platform: Platform, play: Play) -> None:
    platform.expects(AUTHORISED)
    play((0.0, b"x" * 1000), (0.1, b"\n" + b"y" * 1000 + b"\n"), (2.0, b"12345\n"))
    result = captured(max_bytes=6, backlog=False)
    assert (result["lines"], result["truncated"]) == (["12345"], False)


def test_a_pattern_is_tried_on_the_beginning_of_a_long_line(platform: Platform, play: Play) -> None:
    platform.expects(AUTHORISED)
    play((0.0, b"x" * 4096 + b"needle\n" + b"x" * 4000 + b"needle\n"))
    result = captured(until_regex="needle")
    assert [len(line) for line in result["lines"]] == [4102, 4006]


def test_the_token_is_taken_out_of_the_lines(platform: Platform, play: Play) -> None:
    platform.expects(AUTHORISED)
    play((0.0, f"GET /?token={TOKEN}\nhttps://ann:secret@example.com\n".encode()))
    assert captured()["lines"] == ["GET /?token=********", "https://ann:secret@example.com"]


def test_check_mode_captures_too(platform: Platform, play: Play) -> None:
    platform.expects(AUTHORISED)
    play((0.0, b"one\n"))
    assert captured(check_mode=True)["lines"] == ["one"]


@given(
    st.binary(max_size=200),
    st.lists(st.integers(0, 200), max_size=8),
    st.integers(1, 220),
    st.booleans(),
)
@example(data=b"\n\x00", cuts=[], most=1, with_replay=False)
def test_where_pieces_end_does_not_matter(data: bytes, cuts: list[int], most: int, with_replay: bool) -> None:
    whole = Capture(None, most, with_replay, TOKEN)
    whole.add(data, False)
    whole.finish("closed")
    pieces = Capture(None, most, with_replay, TOKEN)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    for start, end in itertools.pairwise(places):
        if pieces.add(data[start:end], False):
            break
    pieces.finish("closed")
    assert pieces.result() == whole.result()
    kept = data[:most]
    expected = kept.decode("utf-8", "replace") if b"\n" not in kept else None
    assert whole.bytes == len(kept)
    assert whole.truncated is (len(data) > most)
    assert len(whole.lines) == len(re.findall(rb"[^\n]*\n|[^\n]+", kept))
    if expected is not None and kept:
        assert whole.lines == [expected.rstrip("\r")]
