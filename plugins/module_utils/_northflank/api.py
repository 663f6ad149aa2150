# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Northflank API v1: addresses, envelopes, errors and paging.

Facts from the vendor's pages ("Get addon", 2021; "List addon containers", "List addon backup restores", "List template
runs", 2024) and the official Python client 2.1.0, unless a comment says otherwise.
"""

from __future__ import annotations

import itertools
import typing as t

from .._argspec import CONNECTION, ArgumentSpec, from_environment
from .._client import PlatformClient, path_segment
from .._errors import InvalidResponseError, NotFoundError
from .._options import ConnectionOptions, GetOption, connection_options
from .._paging import Page
from .._plain import plain
from .._response import ErrorBody, Response
from .._types import Item, Query

DEFAULT_URL = "https://api.northflank.com"
# The variables of the official Python client, in its order.
TOKEN_VARIABLES = ("NORTHFLANK_API_TOKEN", "NF_API_TOKEN")
URL_VARIABLES = ("NORTHFLANK_API_BASE_URL", "NF_API_HOST", "NF_HOST")
TEAM_VARIABLES = ("NORTHFLANK_TEAM_ID",)  # the collection's own; the client wants the team in each call
MAX_PAGE_SIZE = 100

ARGUMENTS = CONNECTION.merge(
    ArgumentSpec(
        options={
            "api_token": {"type": "str", "no_log": True, "fallback": (from_environment, list(TOKEN_VARIABLES))},
            "api_url": {"type": "str", "default": DEFAULT_URL, "fallback": (from_environment, list(URL_VARIABLES))},
            "team_id": {"type": "str", "fallback": (from_environment, list(TEAM_VARIABLES))},
        }
    )
)


class Northflank(PlatformClient):
    """Northflank, for one task."""

    name = "Northflank"
    arguments = ARGUMENTS

    def __init__(self, get_option: GetOption, *, check_mode: bool = False) -> None:
        super().__init__(get_option, check_mode=check_mode)
        self._team = get_option("team_id")
        self.prefix = f"/v1/{team_path(self._team)}"

    def check_scope(self) -> None:
        """Raise NotFoundError if the team of the options does not exist or is not the token's."""
        if self._team is None:
            return
        try:
            self._send("GET", "projects", None, query={"per_page": 1})
        except NotFoundError as error:
            raise NotFoundError(
                f'The team "{self._team}" was not found, or the token does not belong to it (option team_id).',
                method=error.method,
                path=error.path,
                status=error.status,
            ) from None

    def plain(self, value: t.Any, user_keyed: t.Container[str] = ()) -> t.Any:
        """Return a value as users get it. See plain(). Northflank shows no secrets in what the collection reads."""
        return plain(value, user_keyed)

    def _connection(self, get_option: GetOption) -> tuple[ConnectionOptions, dict[str, str]]:
        return access_options(get_option), {}

    def _error_body(self, response: Response) -> ErrorBody:
        return error_body(response)

    def _data(self, method: str, path: str, response: Response) -> Item:
        data = response.body.get("data")
        if isinstance(data, dict):
            return data
        if method == "GET":
            raise self._unexpected(method, path, response, "has no object under the key data")
        return {}  # an action that has nothing to tell

    def _pages(
        self, path: str, list_key: str, query: Query, limit: int | None, permission: str | None
    ) -> t.Callable[[Query], Page]:
        # A filter that the platform does not know thins a page out; small pages would then only cost more requests.
        size = MAX_PAGE_SIZE if limit is None or query else min(limit, MAX_PAGE_SIZE)
        numbers = itertools.count(1)

        def fetch(following: Query) -> Page:
            response = self._send("GET", path, permission, query={"per_page": size, **following, **query})
            items = self._items(path, response, list_key)
            return _page(items, response.body.get("pagination"), next(numbers), size)

        return fetch

    def _items(self, path: str, response: Response, list_key: str) -> list[Item]:
        """Return the list of a page. Absent is empty: several lists are not marked as required."""
        data = self._data("GET", path, response)
        items = data.get(list_key)
        if items is None:
            pagination = response.body.get("pagination")
            count = pagination.get("count") if isinstance(pagination, dict) else None
            if count or any(isinstance(value, list) for value in data.values()):
                raise self._unexpected("GET", path, response, f"has no list {list_key}")
            return []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            what = f"has something else than a list of objects under {list_key}"
            raise self._unexpected("GET", path, response, what)
        return items


def access_options(get_option: GetOption) -> ConnectionOptions:
    """Return how the platform is reached. get_option: see PlatformClient. Raises OptionError."""
    return connection_options(get_option, variables=TOKEN_VARIABLES)


def team_path(team: str | None) -> str:
    """Return what stands in paths before projects and accounts, all of which exist below the team as well."""
    return "" if team is None else f"teams/{path_segment(team, 'team_id')}/"


def error_body(response: Response) -> ErrorBody:
    """Read the documented error envelope, the flat form of older specifications, or plain text.

    The envelope: {"error": {"status", "message", "id", "details"}}. The flat form: {"code", "message", "status"}.
    """
    body = response.body if isinstance(response.body, dict) else {}
    inner = body.get("error")
    error = inner if isinstance(inner, dict) else body
    # The last two are OAuth's shape, as gateways in front of an API may answer.
    message = error.get("message") or body.get("message") or body.get("error_description") or (error is body and inner)
    code, identity = error.get("code"), error.get("id")
    return ErrorBody(
        message=str(message or response.text),
        code=None if code is None else str(code),
        error_id=None if identity is None else str(identity),
        details=error.get("details"),
    )


def _page(items: list[Item], pagination: t.Any, number: int, size: int) -> Page:
    """Return a page. `cursor` may be null, empty, or left over on the last page: hasNextPage decides."""
    next_number = {"page": number + 1}
    pagination = pagination if isinstance(pagination, dict) else {}
    cursor, more = pagination.get("cursor"), pagination.get("hasNextPage")
    if cursor is not None and not isinstance(cursor, (str, int)):
        raise _unreadable(f"cursor is no text but {cursor!r}")
    if more is None:
        if cursor:
            return Page(items, {"cursor": cursor})
        # No word about a next page: one page, unless it is full. Then ask, rather than cut silently.
        return Page(items, next_number if len(items) >= size else None, promised=False)
    if not isinstance(more, bool):
        raise _unreadable(f"hasNextPage is neither true nor false but {more!r}")
    if not more:
        return Page(items)
    return Page(items, {"cursor": cursor} if cursor else next_number)


def _unreadable(what: str) -> InvalidResponseError:
    return InvalidResponseError(f"The list cannot be read to its end: the platform's {what}.")
