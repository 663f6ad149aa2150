# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults below requests: the real adapter and the real urllib3, on sockets that are none."""

from __future__ import annotations

import socket
import ssl
import typing as t
from unittest import mock

import pytest
import urllib3

from ansible_collections.quayside.paas.plugins.module_utils import _http
from ansible_collections.quayside.paas.plugins.module_utils._errors import TransportError
from unit.fakes import TOKEN, Clock, Pipe, Reply, Stream, new_session, transport

PLAIN = "http://api.example.com"
GOOD = Reply(200, b'{"data": {"whole": 1}}', {"Connection": "close", "Content-Length": "22"})


class Socket:
    """A connected socket. received: what arrives on it. failing: raised by every attempt to send."""

    def __init__(self, *received: t.Any, failing: Exception | None = None) -> None:
        self.stream = Stream(*received)
        self.failing = failing
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        if self.failing:
            raise self.failing
        self.sent += data

    def makefile(self, *_arguments: t.Any, **_keywords: t.Any) -> Pipe:
        return Pipe(self.stream)

    def settimeout(self, seconds: float) -> None:
        """Time does not pass here."""

    def getpeercert(self, *_arguments: t.Any, **_keywords: t.Any) -> dict[str, t.Any]:
        return {"subjectAltName": (("DNS", "api.example.com"),)}

    def close(self) -> None:
        """Nothing is open."""

    def shutdown(self, how: int) -> None:
        """Nothing is open."""


class Wire:
    """Hands out sockets, or faults, one a connection. hosts: where connections were made to."""

    def __init__(self) -> None:
        self.waiting: list[Socket | Exception] = []
        self.hosts: list[tuple[str, int]] = []

    def __call__(self, address: tuple[str, int], *_arguments: t.Any, **_keywords: t.Any) -> Socket:
        self.hosts.append(address)
        one = self.waiting.pop(0)
        if isinstance(one, Exception):
            raise one
        return one


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Wire]:
    one = Wire()
    monkeypatch.setattr("urllib3.util.connection.create_connection", one)
    session = new_session(0, True)
    with mock.patch.object(_http, "_session_of", return_value=session):
        yield one
    session.close()


NEVER_SENT: dict[str, t.Callable[[], t.Any]] = {
    "refused": lambda: ConnectionRefusedError(111, "Connection refused"),
    "no route": lambda: OSError(113, "No route to host"),
    "time-out": lambda: TimeoutError("timed out"),
    "no such host": lambda: socket.gaierror(-2, "Name or service not known"),
}
PERHAPS_DONE: dict[str, t.Callable[[], t.Any]] = {
    "reset before the answer": lambda: Socket(ConnectionResetError(104, "Connection reset by peer")),
    "closed before the answer": Socket,
    "time-out before the answer": lambda: Socket(TimeoutError("timed out")),
    "reset in the headers": lambda: Socket(b"HTTP/1.1 200 OK\r\nContent-", ConnectionResetError(104, "reset")),
    "reset in the body": lambda: Socket(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", ConnectionResetError(104, "r")
    ),
    "body cut short": lambda: Socket(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{}"),
    "no HTTP": lambda: Socket(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "reset while sending": lambda: Socket(failing=ConnectionResetError(104, "Connection reset by peer")),
    "TLS cut in the body": lambda: Socket(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
    ),
    "TLS cut before the answer": lambda: Socket(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")),
}


def working() -> Socket:
    return Socket(*GOOD.pieces())


def check_message(error: TransportError, method: str) -> None:
    text = str(error)
    assert text.startswith(f"{method} /v1/x failed: ")
    assert "api.example.com" in text
    assert TOKEN not in text
    assert " object at 0x" not in text
    assert "keyword argument" not in text, "urllib3's affair"


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("fault", NEVER_SENT)
def test_what_was_never_sent_is_sent_again(wire: Wire, clock: Clock, fault: str, method: str) -> None:
    last = working()
    wire.waiting = [NEVER_SENT[fault](), NEVER_SENT[fault](), last]
    one = transport(clock, url=PLAIN)
    assert one.request(method, "/v1/x", body={"n": 1}).body == {"data": {"whole": 1}}
    assert one.request_count == 3
    assert last.sent.startswith(f"{method} /v1/x HTTP/1.1\r\n".encode())
    assert f"Authorization: Bearer {TOKEN}\r\n".encode() in last.sent
    assert last.sent.endswith(b'{"n": 1}') or last.sent.endswith(b'{"n":1}')


@pytest.mark.parametrize("fault", NEVER_SENT)
def test_the_message_for_what_was_never_sent(wire: Wire, clock: Clock, fault: str) -> None:
    wire.waiting = [NEVER_SENT[fault]()]
    with pytest.raises(TransportError, match="could not be reached") as caught:
        transport(clock, url=PLAIN, retry_budget=0).request("POST", "/v1/x")
    assert not caught.value.may_have_succeeded
    check_message(caught.value, "POST")


@pytest.mark.parametrize("fault", PERHAPS_DONE)
def test_a_get_is_repeated(wire: Wire, clock: Clock, fault: str) -> None:
    wire.waiting = [PERHAPS_DONE[fault](), working()]
    assert transport(clock, url=PLAIN).request("GET", "/v1/x").body == {"data": {"whole": 1}}


@pytest.mark.parametrize("fault", PERHAPS_DONE)
def test_a_post_that_may_have_been_done_is_not_sent_again(wire: Wire, clock: Clock, fault: str) -> None:
    wire.waiting = [PERHAPS_DONE[fault](), working()]
    with pytest.raises(TransportError, match="Whether the request was carried out is not known") as caught:
        transport(clock, url=PLAIN).request("POST", "/v1/x")
    assert caught.value.may_have_succeeded
    assert len(wire.waiting) == 1
    assert clock.sleeps == []
    check_message(caught.value, "POST")


def test_a_time_out_names_the_option(wire: Wire, clock: Clock) -> None:
    wire.waiting = [PERHAPS_DONE["time-out before the answer"]()]
    with pytest.raises(TransportError, match=r"within 7 seconds \(option timeout\)"):
        transport(clock, url=PLAIN, timeout=7, retry_budget=0).request("GET", "/v1/x")


def test_a_certificate_that_is_not_trusted(wire: Wire, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")
    monkeypatch.setattr("urllib3.connection.ssl_wrap_socket", mock.Mock(side_effect=fault))
    wire.waiting = [Socket(), Socket()]
    for method in ("GET", "POST"):
        with pytest.raises(TransportError, match="self-signed certificate") as caught:
            transport(clock).request(method, "/v1/x")
        assert "ca_path" in str(caught.value)
        assert not caught.value.may_have_succeeded
        check_message(caught.value, method)
    assert clock.sleeps == []
    assert wire.hosts == [("api.example.com", 443)] * 2


def test_https_goes_through_tls(wire: Wire, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    wrap = mock.Mock(side_effect=lambda sock, **_more: sock)
    monkeypatch.setattr("urllib3.connection.ssl_wrap_socket", wrap)
    wire.waiting = [working()]
    assert transport(clock).request("GET", "/v1/x").status == 200
    assert wrap.call_args.kwargs["server_hostname"] == "api.example.com"


def test_a_proxy_that_cannot_be_reached(wire: Wire, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example.com:3128")
    last = working()
    wire.waiting = [NEVER_SENT["refused"](), last]
    assert transport(clock, url=PLAIN).request("POST", "/v1/x").status == 200
    assert wire.hosts == [("proxy.example.com", 3128)] * 2
    assert last.sent.startswith(b"POST http://api.example.com/v1/x HTTP/1.1\r\n")


@pytest.mark.parametrize("fault", PERHAPS_DONE)
def test_behind_a_proxy_a_post_is_not_sent_twice_either(
    wire: Wire, clock: Clock, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example.com:3128")
    wire.waiting = [PERHAPS_DONE[fault](), working()]
    with pytest.raises(TransportError) as caught:
        transport(clock, url=PLAIN).request("POST", "/v1/x")
    assert caught.value.may_have_succeeded
    assert len(wire.waiting) == 1


def test_the_adapter_leaves_repetition_to_us(wire: Wire, clock: Clock) -> None:
    wire.waiting = [NEVER_SENT["refused"](), working()]
    with pytest.raises(TransportError):
        transport(clock, url=PLAIN, retry_budget=0).request("GET", "/v1/x")
    assert len(wire.waiting) == 1


def test_a_redirect_is_not_followed(wire: Wire, clock: Clock) -> None:
    head = b"HTTP/1.1 307 Moved\r\nLocation: http://evil.example.net/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    wire.waiting = [Socket(head), working()]
    with pytest.raises(Exception, match="redirect"):
        transport(clock, url=PLAIN).request("GET", "/v1/x")
    assert wire.hosts == [("api.example.com", 80)]


def test_insecure_requests_warn_nobody(wire: Wire, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    # A warning on stderr would show in every task.
    monkeypatch.setattr("urllib3.connection.ssl_wrap_socket", mock.Mock(side_effect=lambda sock, **_more: sock))
    wire.waiting = [working()]
    with mock.patch("warnings.showwarning") as shown:
        assert transport(clock, validate_certs=False).request("GET", "/v1/x").status == 200
    assert not [call for call in shown.call_args_list if issubclass(call.args[1], urllib3.exceptions.HTTPWarning)]
