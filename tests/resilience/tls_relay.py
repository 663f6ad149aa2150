# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates made on the spot, and TLS in front of a plain server."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
import threading
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support.settings import limit


def make_certificate(path: Path, address: str = "127.0.0.1", *, expired: bool = False) -> Path:
    """Writes a self-signed certificate for an address, and its key into the same file. Returns the path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, path.stem)])
    now = datetime.datetime.now(datetime.UTC)
    ends = now + datetime.timedelta(days=-1 if expired else 30)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    return path


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()


class Relays:
    """TLS servers on 127.0.0.1 that pass everything on to a plain server; all in one thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda _loop, _context: None)  # failed handshakes are what is wanted
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def add(self, target: str, certificate: Path) -> str:
        """Starts a server with a certificate in front of the URL. Returns its own URL."""
        return asyncio.run_coroutine_threadsafe(self._serve(target, certificate), self._loop).result(timeout=limit(10))

    async def _serve(self, target: str, certificate: Path) -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        parts = urlsplit(target)

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there_reader, there_writer = await asyncio.open_connection(parts.hostname, parts.port)
            await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer), return_exceptions=True)

        server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
        port: t.Any = server.sockets[0].getsockname()[1]
        return f"https://127.0.0.1:{port}"

    def stop(self) -> None:
        """Ends all of them."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
