# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Option values: addresses, tokens, numbers."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._errors import OptionError
from ansible_collections.quayside.paas.plugins.module_utils._options import (
    ConnectionOptions,
    base_url,
    check_ranges,
    connection_options,
    secret,
)
from unit.fakes import TOKEN

GOOD: dict[str, t.Any] = {
    "api_token": TOKEN,
    "api_url": "https://api.example.com",
    "timeout": 30,
    "retry_budget": 120,
    "validate_certs": True,
    "ca_path": None,
}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("https://api.example.com///", "https://api.example.com"),
        ("https://api.example.com/v1", "https://api.example.com"),
        ("https://api.example.com/v1/", "https://api.example.com"),
        ("https://api.example.com//v1//", "https://api.example.com"),
        ("  https://api.example.com/v1\n", "https://api.example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
        ("https://gateway.example.com/northflank", "https://gateway.example.com/northflank"),
        ("https://gateway.example.com/northflank/v1/", "https://gateway.example.com/northflank"),
        ("https://gateway.example.com/apiv1", "https://gateway.example.com/apiv1"),
        ("https://gateway.example.com/v1/northflank", "https://gateway.example.com/v1/northflank"),
        ("https://gateway.example.com/v12", "https://gateway.example.com/v12"),
    ],
)
def test_base_url_spellings(given: str, url: str) -> None:
    assert base_url(given) == url


def test_a_host_called_v1_stays() -> None:
    assert base_url("https://v1") == "https://v1"
    assert base_url("https://v1/v1/") == "https://v1"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (None, "scheme"),
        ("", "scheme"),
        ("   ", "scheme"),
        ("api.example.com", "scheme"),
        ("api.example.com/v1", "scheme"),
        ("//api.example.com", "scheme"),
        ("/v1", "scheme"),
        ("ftp://api.example.com", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("https://", "scheme"),
        ("https:///v1", "scheme"),
        ("https://:443", "scheme"),
        ("https://api.example.com:port", "not a URL"),
        ("https://api.example.com:99999", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://user:hunter2@api.example.com", "user name or a password"),
        ("https://user@api.example.com", "user name or a password"),
        ("https://@api.example.com", "user name or a password"),
        ("https://api.example.com?team=a", "query or a fragment"),
        ("https://api.example.com/v1/?team=a", "query or a fragment"),
        ("https://api.example.com/#top", "query or a fragment"),
    ],
)
def test_base_url_refuses(given: str | None, word: str) -> None:
    with pytest.raises(OptionError, match="option api_url") as caught:
        base_url(given)
    assert word in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("given", ["https://api.example.com?", "https://api.example.com/v1#", "https://a.example/?"])
def test_base_url_refuses_an_empty_query_or_fragment(given: str) -> None:
    # With it, the path of every request would become a query or a fragment.
    with pytest.raises(OptionError):
        base_url(given)


def test_a_token_is_taken_as_it_is() -> None:
    assert secret(TOKEN, "api_token", ()) == TOKEN
    assert secret("eyJhbGciOi.eyJ_-+/=~.x", "api_token", ()) == "eyJhbGciOi.eyJ_-+/=~.x"


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_token_names_option_and_variables(value: str | None) -> None:
    with pytest.raises(OptionError) as caught:
        secret(value, "api_token", ("FIRST_TOKEN", "SECOND_TOKEN"))
    assert "option api_token" in str(caught.value)
    assert "FIRST_TOKEN, SECOND_TOKEN" in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["sesame\n", "sesame ", " ", "ses ame", "sesame\r\nX-Evil: 1", "sesame\x00", "sésame", "sesame\t", "\udc80sesame"],
)
def test_a_token_that_cannot_be_sent_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(OptionError) as caught:
        secret(value, "api_token", ())
    assert "api_token" in str(caught.value)
    assert "same" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "least", "greatest"),
    [("timeout", 1, 3600), ("retry_budget", 0, 86400), ("concurrency", 1, 32), ("limit", 1, None)],
)
def test_ranges_at_both_ends(name: str, least: int, greatest: int | None) -> None:
    top = greatest or 10**9
    check_ranges({name: least})
    check_ranges({name: top})
    check_ranges({name: None})
    check_ranges({})
    outside = [least - 1, *([greatest + 1] if greatest else [])]
    for value in outside:
        with pytest.raises(OptionError) as caught:
            check_ranges({name: value})
        assert str(caught.value).startswith(f"The option {name} is {value}; it has to be ")
        assert str(least) in str(caught.value)
        assert greatest is None or str(greatest) in str(caught.value)


def test_connection_options(tmp_path: t.Any) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    given = {**GOOD, "api_url": "https://api.example.com/v1/", "ca_path": str(bundle), "validate_certs": False}
    options = connection_options(given.get, variables=("X",))
    assert options == ConnectionOptions("https://api.example.com", TOKEN, 30, 120, False, str(bundle))


def test_connection_options_with_a_token_of_another_name() -> None:
    given = {**GOOD, "api_token": None, "hub_token": "hub-secret"}
    assert connection_options(given.get, token="hub_token").token == "hub-secret"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"ca_path": "/no/such/file.pem"}, "/no/such/file.pem"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": 3601}, "timeout"),
        ({"retry_budget": -1}, "retry_budget"),
        ({"api_url": "nowhere"}, "api_url"),
        ({"api_token": None}, "SOME_TOKEN"),
        ({"api_token": f"{TOKEN}\n"}, "api_token"),
    ],
)
def test_connection_options_refuses(change: dict[str, t.Any], word: str) -> None:
    with pytest.raises(OptionError) as caught:
        connection_options({**GOOD, **change}.get, variables=("SOME_TOKEN",))
    assert word in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_the_token_is_in_no_repr() -> None:
    options = connection_options(GOOD.get)
    assert TOKEN not in f"{options!r} {options} {[options]}"
