# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WebSockets over a pair of sockets, with a platform at the other end that does what each test says."""

from __future__ import annotations

import base64
import contextlib
import http.client
import re
import socket
import ssl
import struct
import threading
import time
import typing as t

import pytest

from ansible_collections.quayside.paas.plugins.module_utils import _websocket, _websocket_handshake
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    InvalidResponseError,
    MissingLibraryError,
    OptionError,
    TransportError,
)
from ansible_collections.quayside.paas.plugins.module_utils._response import ErrorBody, Response
from ansible_collections.quayside.paas.plugins.module_utils._wait import Deadline
from ansible_collections.quayside.paas.plugins.module_utils._websocket import (
    Close,
    WebSocket,
    Wire,
)
from ansible_collections.quayside.paas.plugins.module_utils._websocket_handshake import MAX_HANDSHAKE, open_websocket
from support.settings import limit
from unit.fakes import TOKEN, Clock, connection_options
from unit.peers import BINARY, CLOSE, PING, PONG, TEXT, Network, Peer, Script, frame

pytest.importorskip("websocket")

SECRET = "stream-0123456789-abcdefghij"
ADDRESS = f"wss://console.example.com:8920/v1/console?token={SECRET}"


def redact(value: t.Any) -> t.Any:
    return value.replace(SECRET, "********") if isinstance(value, str) else value


def read_error(response: Response) -> ErrorBody:
    return ErrorBody(response.text)


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[..., WebSocket]]:
    """Opens a WebSocket to the scripts given."""
    networks: list[Network] = []

    def opened(*scripts: Script | Exception, url: str = ADDRESS, retry_budget: int = 0, **keywords: t.Any) -> WebSocket:
        networks.append(Network(*scripts))
        opened.network = networks[-1]  # type: ignore[attr-defined]
        monkeypatch.setattr(_websocket_handshake, "_way", networks[-1].way)
        options = connection_options(retry_budget=retry_budget, timeout=keywords.pop("timeout", limit(5)))
        return open_websocket(url, options, redact=redact, error_body=read_error, **keywords)

    yield opened
    for network in networks:
        network.check()


def closing(peer: Peer) -> None:
    """The proper end, from the client's side."""
    assert peer.read() == (CLOSE, struct.pack("!H", 1000))
    peer.send(struct.pack("!H", 1000), CLOSE)


# Opening


def test_the_handshake_asks_for_what_is_wanted_and_nothing_else(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        closing(peer)

    connect(script).close()
    peer = connect.network.peers[0]
    assert peer.request[0] == f"GET /v1/console?token={SECRET} HTTP/1.1"
    assert peer.header("Host") == "console.example.com:8920"
    assert peer.header("Origin") is None
    assert peer.header("Authorization") is None


def test_cookies_are_not_kept(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.accept("Set-Cookie: session=abc; Domain=example.com")
        closing(peer)

    for _time in range(2):
        connect(script).close()
        assert connect.network.peers[0].header("Cookie") is None


def test_a_refusal_is_told_without_the_token(connect: t.Any) -> None:
    body = {"message": f"the token {SECRET} is too old"}
    with pytest.raises(ApiError) as caught:
        connect(lambda peer: peer.answer(403, body))
    error = caught.value
    assert (error.status, error.method, error.path) == (403, "GET", "/v1/console")
    assert error.message.startswith("wss://console.example.com:8920/v1/console refused the WebSocket.")
    assert "the token ******** is too old" in error.message
    assert SECRET not in repr(vars(error))


def test_attempts_are_repeated_within_the_budget(connect: t.Any, clock: Clock) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        closing(peer)

    attempts: list[float] = []
    scripts = [
        ConnectionRefusedError(111, "Connection refused"),
        lambda peer: peer.answer(503, {}, "Retry-After: 7"),
        lambda peer: peer.answer(429, {}),
        script,
    ]
    opened = connect(
        *scripts,
        retry_budget=60,
        attempting=lambda: attempts.append(clock.now()),
        sleep=clock.sleep,
        clock=clock.now,
    )
    opened.close()
    assert len(attempts) == 4
    assert clock.sleeps[0] == 0.0  # the first repetition after a broken connection is immediate
    assert clock.sleeps[1] == 7.0
    assert 0 < clock.sleeps[2] < 7


def test_a_wait_that_does_not_fit_is_not_begun(connect: t.Any, clock: Clock) -> None:
    with pytest.raises(ApiError, match="status 503"):
        connect(
            lambda peer: peer.answer(503, {}, "Retry-After: 61"), retry_budget=60, sleep=clock.sleep, clock=clock.now
        )
    assert clock.sleeps == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_other_refusals_are_not_repeated(connect: t.Any, status: int, clock: Clock) -> None:
    with pytest.raises(ApiError, match=f"status {status}"):
        connect(lambda peer: peer.answer(status, b"no"), retry_budget=60, sleep=clock.sleep)


def test_a_redirect_is_not_followed(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.answer(302, b"", f"Location: wss://elsewhere.example.com/?token={SECRET}")
        assert peer.socket.recv(1) == b"", "the connection was left open"

    with pytest.raises(InvalidResponseError) as caught:
        connect(script)
    assert "it redirects (status 302)" in caught.value.message
    assert caught.value.status == 302
    assert SECRET not in caught.value.message
    assert "elsewhere" not in caught.value.message


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm8=\r\n\r\n",
        b"220 mail.example.com ESMTP\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\xff\xff\xff\r\n\r\n",
        b"HTTP/1.1 101 " + b"x" * MAX_HANDSHAKE * 2,
    ],
    ids=["ordinary answer", "wrong key", "mail", "no status", "no text", "endless"],
)
def test_what_is_no_websocket_is_told(connect: t.Any, sent: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        try:
            peer.write(sent)
        except OSError:
            assert len(sent) > MAX_HANDSHAKE  # the client does not take it all

    with pytest.raises(InvalidResponseError, match="does not answer as a WebSocket") as caught:
        connect(script)
    assert SECRET not in caught.value.message
    assert "wss://console.example.com:8920/v1/console" in caught.value.message


def test_an_error_answer_without_end_is_bounded(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.write(b"HTTP/1.1 403 No\r\nContent-Length: 99999999999\r\n\r\nNot you")
        peer.socket.shutdown(socket.SHUT_WR)

    with pytest.raises((ApiError, TransportError)):
        connect(script)


def test_an_end_before_it_is_open_is_a_broken_connection(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.socket.shutdown(socket.SHUT_RDWR)

    with pytest.raises(TransportError, match="broke before it was open"):
        connect(script)


def test_an_answer_that_does_not_come_ends_in_time(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        with contextlib.suppress(OSError):  # drips until the client leaves, so that no single read takes long
            while True:
                peer.write(b"H")
                time.sleep(0.05)

    with pytest.raises(TransportError, match=r"No complete answer .* within 0.3 seconds \(option timeout\)"):
        connect(script, timeout=0.3)


def test_tls_that_fails_is_not_tried_again(connect: t.Any, clock: Clock) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
    with pytest.raises(TransportError, match=r"TLS connection to wss://.*self-signed certificate.*ca_path") as caught:
        connect(error, retry_budget=60, sleep=clock.sleep)
    assert caught.value.is_final


def test_a_host_that_is_not_there_is_named(connect: t.Any) -> None:
    with pytest.raises(
        TransportError, match=r"wss://console.example.com:8920/v1/console could not be reached: .*known"
    ):
        connect(socket.gaierror(-2, "Name or service not known"))


@pytest.mark.parametrize(("known", "library"), [("HAS_WEBSOCKET", "websocket-client"), ("HAS_REQUESTS", "requests")])
def test_without_a_library_it_says_what_to_install(
    connect: t.Any, monkeypatch: pytest.MonkeyPatch, known: str, library: str
) -> None:
    monkeypatch.setattr(_websocket_handshake, known, False)
    with pytest.raises(MissingLibraryError, match=f"pip install '{library}>="):
        connect()


@pytest.mark.parametrize("url", ["", "https://x.example.com", "ws://", "ws://x.example.com:99999/", "wss://[::1"])
def test_an_impossible_url_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(OptionError) as caught:
        open_websocket(f"{url}?token={SECRET}", connection_options(), redact=redact, error_body=read_error)
    assert SECRET not in caught.value.message


# The way there


def way(url: str, **options: t.Any) -> http.client.HTTPConnection:
    return _websocket_handshake._way(_websocket_handshake._target(url), connection_options(**options))


def test_without_a_proxy_it_goes_to_the_place_itself() -> None:
    plain, secure = way("ws://a.example.com/x"), way("wss://[fd00::1]:99/x", timeout=7)
    assert (plain.host, plain.port, type(plain)) == ("a.example.com", 80, http.client.HTTPConnection)
    assert (secure.host, secure.port, type(secure), secure.timeout) == ("fd00::1", 99, http.client.HTTPSConnection, 7)


@pytest.mark.parametrize(
    ("variable", "value", "url", "expected"),
    [
        ("https_proxy", "http://p.example.com:3128", "wss://a.example.com", ("p.example.com", 3128)),
        ("HTTP_PROXY", "http://p.example.com", "ws://a.example.com", ("p.example.com", 80)),
        ("all_proxy", "p.example.com:3128", "wss://a.example.com", ("p.example.com", 3128)),
        ("http_proxy", "http://p.example.com:3128", "wss://a.example.com", ("a.example.com", 443)),
        ("https_proxy", "http://p.example.com:3128", "wss://b.internal.example.com", ("b.internal.example.com", 443)),
    ],
    ids=["wss", "ws", "all", "other scheme", "no_proxy"],
)
def test_proxies_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, url: str, expected: tuple[str, int]
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("no_proxy", ".internal.example.com")
    connection = way(url)
    assert (connection.host, connection.port) == expected


def test_the_tunnel_through_a_proxy_has_its_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://ann:p%40ss@p.example.com:3128")
    connection = t.cast("t.Any", way("wss://a.example.com"))
    assert connection._tunnel_host == "a.example.com"
    assert base64.b64decode(connection._tunnel_headers["Proxy-Authorization"].removeprefix("Basic ")) == b"ann:p@ss"


@pytest.mark.parametrize("proxy", ["socks5://p.example.com:1080", "https://p.example.com", "http://p.example.com:x"])
def test_other_proxies_are_refused(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(OptionError, match="no_proxy"):
        way("wss://a.example.com")


def test_certificates_are_verified_unless_told_not_to(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> None:
    asked: list[dict[str, t.Any]] = []
    real = ssl.create_default_context

    def context(**where: t.Any) -> ssl.SSLContext:
        asked.append(where)
        return real()

    monkeypatch.setattr(ssl, "create_default_context", context)
    contexts = [
        t.cast("t.Any", way("wss://a.example.com", **options))._context
        for options in ({}, {"ca_path": str(tmp_path)}, {"ca_path": __file__}, {"validate_certs": False})
    ]
    assert [one.verify_mode for one in contexts] == [ssl.CERT_REQUIRED] * 3 + [ssl.CERT_NONE]
    assert [one.check_hostname for one in contexts] == [True] * 3 + [False]
    assert asked[0]["cafile"].endswith("cacert.pem") or asked[0]["cafile"]
    assert asked[1:] == [{"capath": str(tmp_path)}, {"cafile": __file__}, {}]


# Messages


def test_messages_of_both_kinds_in_pieces_and_with_pings(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.send("caf\u00e9", TEXT)
        peer.send(b"\xff\xfe", TEXT)  # invalid as a text, and what consoles send
        peer.send(b"one ", BINARY, fin=False)
        peer.send(b"hello", PING)
        peer.send(b"two", 0)
        peer.send(b"x" * 70000)
        assert peer.read() == (PONG, b"hello")
        closing(peer)

    with connect(script) as stream:
        assert stream.receive(limit(5)) == "caf\u00e9".encode()
        assert stream.receive(limit(5)) == b"\xff\xfe"
        assert stream.receive(limit(5)) == b"one two"
        assert stream.receive(limit(5)) == b"x" * 70000
        assert stream.closed is None


def test_nothing_within_the_time_is_none_and_the_message_may_come_later(connect: t.Any) -> None:
    go_on = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        whole = frame(b"late but whole")
        peer.write(whole[:7])
        go_on.wait(limit(5))
        peer.write(whole[7:])
        closing(peer)

    with connect(script) as stream:
        assert stream.receive(0.05) is None
        assert stream.receive(0) is None
        go_on.set()
        assert stream.receive(limit(5)) == b"late but whole"


def test_pings_do_not_keep_it_beyond_the_deadline(connect: t.Any) -> None:
    stop = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        while not stop.wait(0.02):
            peer.send(b"", PING)
        peer.wait_for_the_end()

    with connect(script) as stream:
        assert stream.receive(0.2) is None
        stop.set()


def test_the_end_that_the_platform_tells(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(b"last words")
        peer.send(struct.pack("!H", 1001) + f"going away, {SECRET}".encode(), CLOSE)
        assert peer.read()[0] == CLOSE

    with connect(script) as stream:
        deadline = Deadline(limit(5), 1)
        assert list(stream.messages(deadline)) == [b"last words"]
        assert stream.closed == Close(1001, "going away, ********")
        assert stream.receive(limit(5)) is None


def test_messages_stop_at_the_deadline(connect: t.Any, clock: Clock) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(b"one")
        closing(peer)

    with connect(script) as stream:
        assert list(stream.messages(Deadline(0.1, 1))) == [b"one"]
        assert stream.closed is None


def test_an_end_without_a_word_between_messages_is_an_end(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(b"one")
        peer.send(b"", PING)
        assert peer.read()[0] == PONG
        peer.socket.shutdown(socket.SHUT_WR)

    with connect(script) as stream:
        assert list(stream.messages(Deadline(limit(5), 1))) == [b"one"]
        assert stream.closed == Close(None, "")


@pytest.mark.parametrize("part", [frame(b"abcdef")[:1], frame(b"abcdef")[:5], frame(b"abc", BINARY, fin=False)])
def test_an_end_within_a_message_is_a_broken_connection(connect: t.Any, part: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.write(part)
        peer.socket.shutdown(socket.SHUT_WR)

    with connect(script) as stream, pytest.raises(TransportError, match="broke") as caught:
        stream.receive(limit(5))
    assert caught.value.may_have_succeeded


@pytest.mark.parametrize("fragments", [False, True])
def test_a_message_that_is_too_large_is_refused_before_it_is_there(
    connect: t.Any, monkeypatch: pytest.MonkeyPatch, fragments: bool
) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        try:
            if not fragments:
                peer.write(b"\x82\x7f" + struct.pack("!Q", 2**60))
            for number in range(100):
                peer.write(frame(b"x" * 500, 0 if number else BINARY, fin=False) if fragments else b"x" * 500)
        except OSError:
            pass  # the client has left
        peer.wait_for_the_end()

    monkeypatch.setattr(_websocket_handshake, "MAX_MESSAGE", 1000)
    with connect(script) as stream, pytest.raises(InvalidResponseError, match="larger than 1000 bytes"):
        stream.receive(limit(5))


def test_what_breaks_the_protocol_is_told(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.write(b"\xf3\x00")  # reserved bits, an opcode that there is none of
        peer.wait_for_the_end()

    with connect(script) as stream, pytest.raises(InvalidResponseError, match="no WebSocket message"):
        stream.receive(limit(5))


def test_sending(connect: t.Any) -> None:
    got: list[tuple[int, bytes]] = []

    def script(peer: Peer) -> None:
        peer.accept()
        got.extend(peer.read() for _number in range(2))
        closing(peer)

    with connect(script) as stream:
        stream.queue("text")
        stream.queue(b"\x00" * 70000)
        assert stream.receive(limit(5), only_until_sent=True) is None
    assert got == [(TEXT, b"text"), (BINARY, b"\x00" * 70000)]


def test_sending_to_who_does_not_read_ends_in_time(connect: t.Any) -> None:
    with connect(lambda peer: peer.accept()) as stream:
        stream.queue(b"\x00" * 50_000_000)
        assert stream.receive(0.2, only_until_sent=True) is None
        assert stream.unsent > 0


def test_sending_to_who_is_gone_ends_the_connection(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.socket.close()

    with connect(script) as stream:
        connect.network.threads[0].join(limit(5))
        stream.queue(b"\x00" * 10000)
        assert stream.receive(limit(5)) is None
        assert stream.closed == Close(None, "")


def test_what_is_queued_goes_while_something_is_received(connect: t.Any) -> None:
    """The other side does not read until all it has to say is out."""
    got: list[tuple[int, bytes]] = []

    def script(peer: Peer) -> None:
        peer.accept()
        for _number in range(40):
            peer.send(b"x" * 100_000)
        got.extend(peer.read() for _number in range(3))
        closing(peer)

    with connect(script) as stream:
        stream.queue(b"y" * 5_000_000)
        stream.ping()
        stream.queue("last")
        assert stream.unsent > 0
        for _number in range(40):
            assert stream.receive(limit(5)) == b"x" * 100_000
        assert stream.receive(limit(5), only_until_sent=True) is None
        assert stream.unsent == 0
        assert stream.closed is None
    assert got == [(BINARY, b"y" * 5_000_000), (PING, b""), (TEXT, b"last")]


def test_nothing_to_send_is_nothing_to_wait_for(connect: t.Any) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        closing(peer)

    with connect(script) as stream:
        assert stream.receive(float("inf"), only_until_sent=True) is None


def test_signs_of_life(connect: t.Any, clock: Clock) -> None:
    answer = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        assert peer.read() == (PING, b"")
        answer.wait(limit(5))
        peer.send(b"", PONG)
        closing(peer)

    with connect(script, clock=clock.now) as stream:
        stream.watch_tcp(30)  # which a socket like this one has no idea of
        stream.ping()
        clock.advance(7)
        assert stream.receive(0.05) is None
        assert not stream.answers_pings
        assert stream.quiet() == 7
        answer.set()
        while not stream.answers_pings:
            assert stream.receive(0.01) is None
        assert stream.quiet() == 0


def test_who_takes_nothing_is_stuck(connect: t.Any, clock: Clock) -> None:
    with connect(lambda peer: peer.accept(), clock=clock.now) as stream:
        stream.queue(b"x" * 5_000_000)
        assert stream.receive(0.05) is None
        assert stream.unsent
        clock.advance(7)
        assert stream.receive(0.05) is None
        assert stream.stuck() == 7
    # Leaving did not wait for anybody to take the rest.


def test_what_came_before_the_connection_broke_is_still_read(connect: t.Any) -> None:
    gone = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        peer.send(b"the end, and why")
        peer.socket.close()
        gone.set()

    with connect(script) as stream:
        assert gone.wait(limit(5))
        stream.queue(b"x" * 1_000_000)
        assert stream.receive(limit(5)) == b"the end, and why"


def test_tcp_is_watched_where_the_system_can() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as plain:
        wire = Wire(plain, MAX_HANDSHAKE, time.monotonic)
        stream = WebSocket(None, wire, "ws://x", redact, time.monotonic)
        stream.watch_tcp(60)
        assert plain.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000
            assert plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 20


def test_closing_does_not_wait_for_ever_and_may_be_repeated(connect: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_websocket, "CLOSE_WITHIN", 0.1)
    stop = threading.Event()

    def script(peer: Peer) -> None:
        peer.accept()
        try:
            while not stop.is_set():
                peer.send(b"more and more")
        except OSError:
            pass

    stream = connect(script)
    stream.close()
    stream.close()
    stop.set()


def test_nothing_says_the_token(connect: t.Any) -> None:
    with connect(lambda peer: (peer.accept(), closing(peer))) as stream:
        assert SECRET not in repr(stream)
    assert not re.search(TOKEN, repr(connect.network.peers[0].request))
