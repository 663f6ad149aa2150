# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the unit tests: no sockets, no environment, time that stands still."""

from __future__ import annotations

import socket
import typing as t

import ansible.module_utils.basic  # noqa: F401 - looks at the network once, when imported; pylint: disable=unused-import
import pytest

from support import properties
from unit.fakes import Clock, Platform

properties.load()

FOREIGN = (
    "NORTHFLANK_API_TOKEN",
    "NF_API_TOKEN",
    "NORTHFLANK_API_BASE_URL",
    "NF_API_HOST",
    "NF_HOST",
    "NORTHFLANK_TEAM_ID",
    "CYCLE_API_KEY",
    "CYCLE_HUB_ID",
    "CYCLE_BASE_URL",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NETRC",
    *(name for word in ("http", "https", "all", "no") for name in (f"{word}_proxy", f"{word.upper()}_PROXY")),
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> t.Iterator[None]:
    """A test with a platform fails when it made other calls than it said."""
    result = yield
    platform = getattr(item, "funcargs", {}).get("platform")
    if platform is not None:
        platform.check()
    return result


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_arguments: t.Any, **_keywords: t.Any) -> t.NoReturn:
        raise AssertionError("a unit test tried to use the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(clock: Clock) -> t.Iterator[Platform]:
    with Platform(clock) as one:
        yield one
