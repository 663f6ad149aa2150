# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Option values, from module parameters or from the options of a plugin."""

from __future__ import annotations

import dataclasses
import os
import typing as t
from urllib.parse import urlsplit, urlunsplit

from ._errors import OptionError

GetOption = t.Callable[[str], t.Any]  # from the name of an option to its value

# Least and greatest value of options that are numbers; None is no bound.
RANGES: dict[str, tuple[int, int | None]] = {
    "timeout": (1, 3600),
    "retry_budget": (0, 86400),
    "limit": (1, None),
    "concurrency": (1, 32),
    "wait_timeout": (0, 86400),
    "wait_interval": (1, 3600),
    "duration": (1, 3600),
    "max_bytes": (1, 16 * 1024 * 1024),
    "samples": (1, 1000),
}


@dataclasses.dataclass(frozen=True)
class ConnectionOptions:
    # Scheme, host and port, possibly a path, without trailing slash and without /v1.
    url: str
    token: str = dataclasses.field(repr=False)
    # Seconds for the connection, for a response to begin, and for it to be complete.
    timeout: int
    # Seconds in all that failed attempts and the waits between them may take.
    retry_budget: int
    validate_certs: bool = True
    # A file or folder of certificates to trust; None for the default ones.
    ca_path: str | None = None


def connection_options(
    get: GetOption, *, token: str = "api_token", variables: t.Sequence[str] = ()
) -> ConnectionOptions:
    """Read and check the options of a connection.

    Args:
        token: The name of the option with the token.
        variables: The environment variables that can hold the token.

    Raises:
        OptionError: An option is unusable.
    """
    check_ranges({name: get(name) for name in ("timeout", "retry_budget")})
    ca_path = get("ca_path")
    if ca_path is not None and not os.path.exists(ca_path):
        raise OptionError(f"The option ca_path names {ca_path}, which does not exist.")
    return ConnectionOptions(
        url=base_url(get("api_url")),
        token=secret(get(token), token, variables),
        timeout=get("timeout"),
        retry_budget=get("retry_budget"),
        validate_certs=get("validate_certs"),
        ca_path=ca_path,
    )


def check_ranges(options: t.Mapping[str, t.Any]) -> None:
    """Raise OptionError if a number is outside its range. Options that are absent or None are ignored."""
    for name, (least, greatest) in RANGES.items():
        value = options.get(name)
        if value is None:
            continue
        if value < least or (greatest is not None and value > greatest):
            allowed = f"at least {least}" if greatest is None else f"from {least} to {greatest}"
            raise OptionError(f"The option {name} is {value}; it has to be {allowed}.")


def base_url(value: str | None) -> str:
    """Return the base URL without trailing slashes and without a trailing /v1.

    Raises:
        OptionError: It is not an http or https URL, or contains credentials, a query or a fragment.
    """
    url = (value or "").strip().rstrip("/")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError as error:
        raise OptionError(f"The option api_url is not a URL: {error}.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OptionError("The option api_url has to be a URL such as https://api.example.com, with its scheme.")
    if parts.username is not None or parts.password is not None:
        raise OptionError("The option api_url must not hold a user name or a password.")
    if "?" in url or "#" in url:
        raise OptionError("The option api_url must not hold a query or a fragment.")
    return urlunsplit(parts._replace(path=parts.path.removesuffix("/v1").rstrip("/")))


def secret(value: t.Any, name: str, variables: t.Sequence[str]) -> str:
    """Return the value of a token option.

    Args:
        variables: The environment variables that can hold it.

    Raises:
        OptionError: It is missing, or cannot be sent in an HTTP header. The message does not contain the value.
    """
    if not value:
        raise OptionError(
            f"No {name}: set the option {name}, or one of the environment variables {', '.join(variables)}."
        )
    text = str(value)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise OptionError(
            f"The value of {name} cannot be right: it holds blanks, line ends or characters outside ASCII."
            " Was it read from a file with a trailing line end?"
        )
    return text
