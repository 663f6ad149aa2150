# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Cycle API: headers, envelopes, errors, paging and what comes along.

Facts from the vendor's page "Instances" and its public API specification of 2026, unless a comment says otherwise.
"""

from __future__ import annotations

import itertools
import threading
import typing as t

from .._argspec import CONNECTION, ArgumentSpec, from_environment
from .._client import PlatformClient
from .._errors import InvalidResponseError
from .._options import ConnectionOptions, GetOption, connection_options, secret
from .._paging import Page
from .._plain import as_it_is
from .._redact import blank
from .._response import ErrorBody, Response, malformed
from .._types import Item, Query

DEFAULT_URL = "https://api.cycle.io"
KEY_VARIABLES = ("CYCLE_API_KEY",)
HUB_VARIABLES = ("CYCLE_HUB_ID",)
URL_VARIABLES = ("CYCLE_BASE_URL",)
MAX_PAGE_SIZE = 100  # no largest size is documented; the platform may send fewer
# The vendor's page shows pages of 20. A page with fewer items was not cut short by a limit of the platform.
DOCUMENTED_PAGE = 20
# Values below these names are secrets: of volumes, integrations, schedulers, API keys, the sources of images and
# stacks, and what containers have in their environment.
SECRETS = frozenset(
    {
        *("password", "root_password", "passphrase", "private_key", "secret", "token", "api_key"),
        *("auth", "credentials", "access_keys", "environment_vars", "scoped_variables"),
    }
)
# What to do about refusals that no capability would change.
ADVICE = {
    "403.wrong-hub": "Check that hub_id names the hub of the API key.",
    "403.mismatch": "Check that hub_id names the hub of the API key.",
    "403.invalid-ip": "The API key may not be used from this address.",
}

ARGUMENTS = CONNECTION.merge(
    ArgumentSpec(
        options={
            "api_key": {"type": "str", "no_log": True, "fallback": (from_environment, list(KEY_VARIABLES))},
            "hub_id": {"type": "str", "fallback": (from_environment, list(HUB_VARIABLES))},
            "api_url": {"type": "str", "default": DEFAULT_URL, "fallback": (from_environment, list(URL_VARIABLES))},
        }
    )
)


class Cycle(PlatformClient):
    """A hub on Cycle, for one task."""

    name = "Cycle"
    arguments = ARGUMENTS

    def __init__(self, get_option: GetOption, *, check_mode: bool = False) -> None:
        super().__init__(get_option, check_mode=check_mode)
        # What came along with responses, by kind and id, as the platform sends it.
        self.includes: Item = {}
        self._lock = threading.Lock()

    def get_data(self, path: str, *, query: Query | None = None, permission: str | None = None) -> t.Any:
        """Return `data` of a response, of whatever type."""
        return self._send("GET", path, permission, query=query).body["data"]

    def get_new(self, path: str, *, permission: str | None = None) -> Item:
        """Return `data` of a GET that creates something, as GET /ssh does. Never sent in check mode."""
        return self._change("GET", path, permission, changes=True)

    def plain(self, value: t.Any, *, secrets: bool = False) -> t.Any:
        """Return a value as users get it. Cycle's names are in snake_case already.

        Args:
            secrets: Whether passwords and the like are shown; otherwise they are None.
        """
        found = as_it_is(value)
        return found if secrets else blank(found, SECRETS)

    def _connection(self, get_option: GetOption) -> tuple[ConnectionOptions, dict[str, str]]:
        options = connection_options(get_option, token="api_key", variables=KEY_VARIABLES)
        # On every request, also where the specification asks for one of both headers only.
        return options, {"X-Hub-Id": secret(get_option("hub_id"), "hub_id", HUB_VARIABLES)}

    def _error_body(self, response: Response) -> ErrorBody:
        return error_body(response)

    def _send(self, method: str, path: str, permission: str | None, **what: t.Any) -> Response:
        response = super()._send(method, path, permission, **what)
        if "data" not in response.body or response.body.get("error"):
            what_is_wrong = "holds an error" if response.body.get("error") else "has no data"
            raise self._unexpected(method, path, response, what_is_wrong)
        found = response.body.get("includes")
        if isinstance(found, dict):
            with self._lock:  # several lists may be read at once
                _merge(self.includes, found)
        return response

    def _data(self, method: str, path: str, response: Response) -> Item:
        data = response.body["data"]
        if not isinstance(data, dict):
            raise malformed(method, self.prefix + path, "has no object under the key data")
        return data

    def _pages(
        self, path: str, list_key: str, query: Query, limit: int | None, permission: str | None
    ) -> t.Callable[[Query], Page]:
        numbers = itertools.count(1)
        first: list[Item] = []

        def fetch(following: Query) -> Page:
            number = next(numbers)
            page = {"page[number]": number, "page[size]": MAX_PAGE_SIZE}
            items = self._items(
                path, list_key, self._send("GET", path, permission, query={**query, **page, **following})
            )
            if number == 1:
                first.extend(items)
            elif len(items) == MAX_PAGE_SIZE and items == first:
                raise InvalidResponseError(
                    f"The list of {list_key} cannot be read: the platform sends its first page again."
                )
            # The platform tells neither a total nor a largest page: go on until a page is short or brings nothing new.
            more = {"page[number]": number + 1} if len(items) >= DOCUMENTED_PAGE else None
            return Page(items, more, promised=False)

        return fetch

    def _items(self, path: str, list_key: str, response: Response) -> list[Item]:
        items = response.body["data"]
        # Go's JSON writes an empty list as null.
        if items is None:
            return []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            what = f"has something else than a list of {list_key} under the key data"
            raise malformed("GET", self.prefix + path, what)
        return items


def _merge(target: Item, more: Item, *, creators: bool = True) -> None:
    """Add included resources, by kind and id, to those that are there.

    Args:
        creators: Whether the kind of this name is sorted by what they are first.
    """
    for kind, found in more.items():
        known = target.setdefault(kind, {})
        if not isinstance(found, dict):
            continue
        if creators and kind == "creators":
            _merge(known, found, creators=False)
            continue
        for key, value in found.items():
            there = known.get(key)
            # Below the kinds that end in :identifiers are lists of ids.
            both = isinstance(there, list) and isinstance(value, list)
            known[key] = [*there, *(one for one in value if one not in there)] if both else value


def error_body(response: Response) -> ErrorBody:
    """Read the documented envelope, or OAuth's shape, which authentication errors may have.

    The envelope: {"error": {"status", "code", "title", "detail", "source", "extra": {"capability"}}, "data": null}.
    OAuth's: {"error": "...", "error_description": "..."}.
    """
    body = response.body if isinstance(response.body, dict) else {}
    error = body.get("error")
    if not isinstance(error, dict):
        said = [text for text in (error, body.get("error_description"), body.get("message")) if isinstance(text, str)]
        return ErrorBody(message=": ".join(said) or response.text)
    extra = error.get("extra")
    lacking = extra.get("capability") if isinstance(extra, dict) else None
    details = {name: error[name] for name in ("detail", "source", "extra") if error.get(name)}
    said = [str(error[name]) for name in ("title", "detail") if error.get(name)]
    place = f" (at {error['source']})" if error.get("source") else ""
    # In 2022 the codes were spelled with underscores.
    code = None if error.get("code") is None else str(error["code"]).replace("_", "-") or None
    advice = f". {ADVICE[code]}" if code in ADVICE else ""
    return ErrorBody(
        message=(": ".join(said) or response.text) + place + advice,
        code=code,
        details=details or None,
        lacking=f"the capability {lacking}" if lacking else None,
        may_be_permission=code in (None, "403.permissions"),
    )
