# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening WebSockets: proxies and TLS as for requests, retries within the budget, errors without the token.

The connection is made here, because websocket-client follows redirects with the token.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import http.client
import importlib.util
import os
import ssl
import time
import typing as t
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from ._errors import InvalidResponseError, OptionError, PaasError, TransportError
from ._libraries import missing_libraries
from ._options import ConnectionOptions
from ._response import EXCERPT, ErrorBody, Response, api_error
from ._retry import RetryBudget, with_retries
from ._websocket import HAS_WEBSOCKET, MAX_MESSAGE, Redact, WebSocket, Wire, reason_of

if HAS_WEBSOCKET:
    import websocket
# Importing it takes longer than many a task. Parts of it are, where they are needed.
HAS_REQUESTS = importlib.util.find_spec("requests") is not None

MAX_HANDSHAKE = 64 * 1024  # bytes of a response to the handshake
SCHEMES = {"ws": "http", "wss": "https"}


class _Target(t.NamedTuple):
    url: str
    scheme: str
    host: str
    port: int
    path: str
    # What messages call it, without the query, which may hold a token.
    place: str


def open_websocket(
    url: str,
    options: ConnectionOptions,
    *,
    redact: Redact,
    error_body: t.Callable[[Response], ErrorBody],
    attempting: t.Callable[[], None] = lambda: None,
    sleep: t.Callable[[float], t.Any] = time.sleep,
    clock: t.Callable[[], float] = time.monotonic,
) -> WebSocket:
    """Open a WebSocket, again if necessary, as often as retry_budget allows.

    Args:
        url: With the scheme ws or wss.
        options: Time-out, budget and certificates; their URL and token are not used.
        redact: Masks secrets in texts, that of the URL too.
        error_body: Reads an error response.
        attempting: Called before each attempt.
        sleep, clock: Replaced in tests.

    Raises:
        MissingLibraryError: websocket-client or requests is missing.
        OptionError: The URL is unusable.
        TransportError: No connection, or no complete response.
        ApiError: The platform refused.
        InvalidResponseError: The response is not one of a WebSocket.
    """
    require_libraries()
    target = _target(url)

    def attempt(timeout: int) -> WebSocket | Response:
        attempting()
        limited = dataclasses.replace(options, timeout=timeout)
        wire = _connect(target, limited, redact, clock)
        client = _shake_hands(wire, target, limited, redact)
        if isinstance(client, Response):
            return client
        wire.received, wire.limit = 0, MAX_MESSAGE
        return WebSocket(client, wire, target.place, redact, clock)

    outcome = with_retries(
        attempt,
        "GET",
        target.path,
        timeout=options.timeout,
        budget=RetryBudget(options.retry_budget, clock),
        sleep=sleep,
        clock=clock,
    )
    if isinstance(outcome, Response):
        raise _refused(outcome, target, error_body(outcome).redacted(redact))
    return outcome


def require_libraries() -> None:
    """Check that a WebSocket can be opened here. Raises MissingLibraryError."""
    needed = {"requests": HAS_REQUESTS, "websocket-client": HAS_WEBSOCKET}
    if missing := [name for name, is_there in needed.items() if not is_there]:
        raise missing_libraries(*missing)


def _target(url: str) -> _Target:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise OptionError("The address of the WebSocket is no URL.") from None
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise OptionError("The address of the WebSocket has to be a URL with the scheme ws or wss.")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    number = port or (443 if parts.scheme == "wss" else 80)
    path = parts.path or "/"
    return _Target(url, parts.scheme, parts.hostname, number, path, f"{parts.scheme}://{name}:{number}{path}")


def _connect(target: _Target, options: ConnectionOptions, redact: Redact, clock: t.Callable[[], float]) -> Wire:
    """Return a connected socket, through a proxy and with TLS where wanted. Raises TransportError."""
    facts: dict[str, t.Any] = {"method": "GET", "path": target.path}
    try:
        connection = _way(target, options)
        connection.connect()
    except ssl.SSLError as error:
        raise TransportError(
            f"The TLS connection to {target.place} could not be made: {reason_of(error, redact)}. If the"
            " certificate comes from your own authority, name its file in ca_path.",
            is_final=not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)),
            **facts,
        ) from None
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise TransportError(
            f"{target.place} could not be reached: {reason_of(error, redact)}. Check the network and proxy variables.",
            **facts,
        ) from None
    wire = Wire(connection.sock, MAX_HANDSHAKE, clock)
    wire.deadline = clock() + options.timeout
    return wire


def _way(target: _Target, options: ConnectionOptions) -> http.client.HTTPConnection:
    """Return a connection that is not made yet, to the place itself or by a tunnel through the environment's proxy."""
    proxy = _proxy_of(target)
    host, port, headers = _proxy(proxy) if proxy else (target.host, target.port, {})
    if target.scheme == "wss":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=options.timeout, context=_context(options)
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=options.timeout)
    if proxy:
        connection.set_tunnel(target.host, target.port, headers)
    return connection


def _proxy_of(target: _Target) -> str | None:
    """Return the proxy that requests takes from the environment; None for a direct connection."""
    if not getproxies().keys() - {"no"}:
        return None
    from ._http import proxy_for

    return proxy_for(target.place.replace(target.scheme, SCHEMES[target.scheme], 1))


def _proxy(url: str) -> tuple[str, int, dict[str, str]]:
    """Return host, port and headers for a proxy. Raises OptionError for kinds that cannot be used here."""
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port or 80
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme != "http" or not parts.hostname:
        raise OptionError(
            "WebSockets can use a proxy that is named by a URL such as http://proxy.example.com:3128 only. Change the"
            " proxy variable, or name the host of the WebSocket in no_proxy."
        )
    if parts.username is None:
        return parts.hostname, port, {}
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return parts.hostname, port, {"Proxy-Authorization": f"Basic {base64.b64encode(credentials).decode()}"}


def _context(options: ConnectionOptions) -> ssl.SSLContext:
    if not options.validate_certs:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        import certifi  # comes with requests

        bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        trusted = options.ca_path or bundle or certifi.where()
        if os.path.isdir(trusted):
            context = ssl.create_default_context(capath=trusted)
        else:
            context = ssl.create_default_context(cafile=trusted)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _shake_hands(wire: Wire, target: _Target, options: ConnectionOptions, redact: Redact) -> t.Any:
    """Return the client of websocket-client, or the response if the other side does not switch protocols."""
    facts: dict[str, t.Any] = {"method": "GET", "path": target.path}
    # Texts of the console are not always UTF-8.
    client: t.Any = websocket.WebSocket(skip_utf8_validation=True)
    # No response may leave a cookie for the next request; websocket-client keeps them for the whole process.
    with contextlib.suppress(AttributeError):
        websocket._handshake.CookieJar.jar.clear()
    with contextlib.ExitStack() as failed:
        failed.callback(wire.close)
        try:
            client.connect(
                target.url,
                socket=wire,
                suppress_origin=True,
                redirect_limit=0,
                timeout=options.timeout,
            )
            if client.getstatus() != 101:
                raise websocket.WebSocketException
        except websocket.WebSocketBadStatusException as error:
            return _response(error, redact)
        except websocket.WebSocketTimeoutException:
            raise TransportError(
                f"No complete answer from {target.place} within {options.timeout} seconds (option timeout).", **facts
            ) from None
        except (websocket.WebSocketConnectionClosedException, OSError) as error:
            raise TransportError(
                f"The connection to {target.place} broke before it was open: {reason_of(error, redact)}.", **facts
            ) from None
        except (websocket.WebSocketException, ValueError, LookupError, InvalidResponseError) as error:
            status, what = client.getstatus(), reason_of(error, redact)
            if status not in (None, 101):
                what = f"it redirects (status {status}), which is not followed, so that the token stays with one host"
            raise InvalidResponseError(
                f"{target.place} does not answer as a WebSocket: {what}.", status=status, **facts
            ) from None
        failed.pop_all()
    return client


def _response(error: t.Any, redact: Redact) -> Response:
    content = error.resp_body if isinstance(error.resp_body, bytes) else b""
    text = " ".join(redact(content.decode("utf-8", "replace")).split())[:EXCERPT]
    return Response.parse(int(error.status_code), dict(error.resp_headers or {}), content, text)


def _refused(response: Response, target: _Target, body: ErrorBody) -> PaasError:
    """Return the error for a response with an error status, or with one of another kind of request."""
    if response.status < 400:
        return InvalidResponseError(
            f"{target.place} does not answer as a WebSocket, but with status {response.status}. The answer begins:"
            f" {response.text or '(empty)'}",
            method="GET",
            path=target.path,
            status=response.status,
        )
    found = api_error(response, "GET", target.path, body)
    found.message = f"{target.place} refused the WebSocket. {found.message}"
    return found
