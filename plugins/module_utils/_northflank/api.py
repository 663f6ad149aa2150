# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The Northflank API v1: addresses, envelopes, errors and paging. Raises PaasError, never ends a module.

Facts from the vendor's pages ("Get addon", 2021; "List addon containers", "List addon backup restores", "List template
runs", 2024) and the official Python client 2.1.0, unless a comment says otherwise.
"""

from __future__ import annotations

import itertools
import typing as t

from .._argspec import CONNECTION, ArgumentSpec, from_environment
from .._client import (
    ErrorBody,
    Item,
    Page,
    collect,
    json_object,
    mark_ambiguous,
    path_segment,
    plain,
    text_or_none,
    unexpected,
)
from .._errors import InvalidResponseError, NotFoundError, PaasError
from .._options import ConnectionOptions, GetOption, connection_options
from .._response import Response

if t.TYPE_CHECKING:
    from .._http import Query

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


def access_options(get_option: GetOption) -> ConnectionOptions:
    """How the platform is reached. get_option: see Northflank. Raises OptionError."""
    return connection_options(get_option, variables=TOKEN_VARIABLES)


def team_path(team: str | None) -> str:
    """What stands in paths in front of projects and accounts, all of which exist a second time below the team."""
    return "" if team is None else f"teams/{path_segment(team, 'team_id')}/"


class Northflank:
    """Northflank, for one task.

    get_option: from option name to value, for the options in ARGUMENTS. check_mode: refuse requests that change
    something. Raises OptionError for options that cannot be used.
    """

    name = "Northflank"
    arguments = ARGUMENTS

    def __init__(self, get_option: GetOption, *, check_mode: bool = False) -> None:
        # Imported here because it takes long, and connections do without.
        from .._http import Transport

        self._transport = Transport(access_options(get_option), check_mode=check_mode)
        self._team = get_option("team_id")
        self._prefix = f"/v1/{team_path(self._team)}"

    @property
    def check_mode(self) -> bool:
        """Whether requests that change something are refused."""
        return self._transport.check_mode

    @property
    def may_have_changed(self) -> bool:
        """Whether the platform carried out something that changes it, or may have."""
        return self._transport.may_have_changed

    def get(self, path: str, *, query: Query | None = None, permission: str | None = None) -> Item:
        """`data` of an answer. path: relative to /v1 or the team, percent-encoded. permission: see api_error()."""
        return self._data(path, self._read(path, query, permission))

    def get_list(
        self,
        path: str,
        list_key: str,
        *,
        identity: str = "id",
        query: Query | None = None,
        keep: t.Callable[[Item], bool] = lambda item: True,
        limit: int | None = None,
        permission: str | None = None,
    ) -> list[Item]:
        """Every item of a list, page by page; ceil(n / 100) requests for n items.

        list_key: the list in `data`. identity: the field that tells one item from the others. keep: which items are
        wanted. limit: stop when as many are there. Raises InvalidResponseError for lists that are broken or do not end.
        """
        # A filter the platform may not know thins a page out; then small pages would only cost more requests.
        size = MAX_PAGE_SIZE if limit is None or query else min(limit, MAX_PAGE_SIZE)

        numbers = itertools.count(1)

        def fetch(following: t.Mapping[str, t.Any]) -> Page:
            answer = self._read(path, {"per_page": size, **following, **(query or {})}, permission)
            items = self._items(path, answer, list_key)
            return _page(items, answer.body.get("pagination"), next(numbers), size)

        return collect(fetch, identity=lambda item: item.get(identity), keep=keep, limit=limit)

    def post(self, path: str, body: t.Any = None, *, query: Query | None = None, permission: str | None = None) -> Item:
        """`data` of the answer; empty for an action that has nothing to tell.

        Not repeated when it may have succeeded: the error then has may_have_succeeded. body: None for an action that
        takes none.
        """
        return self._change("POST", path, permission, query=query, body=body)

    def delete(self, path: str, *, permission: str | None = None) -> None:
        """Repeated on broken connections: what is named by its id can only go once."""
        self._change("DELETE", path, permission)

    def check_scope(self) -> None:
        """Raises NotFoundError, with its name, when the team of the options does not exist or is not the token's."""
        if self._team is None:
            return
        try:
            self._read("projects", {"per_page": 1}, None)
        except NotFoundError as error:
            raise NotFoundError(
                f'The team "{self._team}" was not found, or the token does not belong to it (option team_id).',
                **_facts(error),
            ) from None

    def hide(self, secrets: t.Iterable[str]) -> None:
        """See Transport.hide()."""
        self._transport.hide(secrets)

    def close(self) -> None:
        """See Transport.close()."""
        self._transport.close()

    def report(self) -> dict[str, t.Any]:
        """See Transport.report()."""
        return self._transport.report()

    def plain(self, value: t.Any, user_keyed: t.Container[str] = (), *, secrets: bool = False) -> t.Any:
        """See plain(). Northflank shows no secrets in what the collection reads."""
        return plain(value, user_keyed)

    def _read(self, path: str, query: Query | None, permission: str | None) -> Response:
        return self._send("GET", path, permission, query=query)

    def _change(self, method: str, path: str, permission: str | None, **what: t.Any) -> Item:
        try:
            data = self._send(method, path, permission, **what).body.get("data")
        except PaasError as error:
            mark_ambiguous(error)
            raise
        return data if isinstance(data, dict) else {}

    def _send(self, method: str, path: str, permission: str | None, **what: t.Any) -> Response:
        request = (method, self._prefix + path)
        answer = self._transport.request(*request, **what)
        json_object(self._transport, answer, request, platform=self.name, error_body=error_body, permission=permission)
        return answer

    def _data(self, path: str, answer: Response) -> Item:
        data = answer.body.get("data")
        if not isinstance(data, dict):
            raise self._unexpected(path, answer, "has no object under the key data")
        return data

    def _items(self, path: str, answer: Response, list_key: str) -> list[Item]:
        """The list of a page. Absent is empty: several lists are not marked required, and may be left out."""
        data = self._data(path, answer)
        items = data.get(list_key)
        if items is None:
            pagination = answer.body.get("pagination")
            count = pagination.get("count") if isinstance(pagination, dict) else None
            if count or any(isinstance(value, list) for value in data.values()):
                raise self._unexpected(path, answer, f"has no list {list_key}")
            return []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self._unexpected(path, answer, f"has something else than a list of objects under {list_key}")
        return items

    def _unexpected(self, path: str, answer: Response, what: str) -> InvalidResponseError:
        return unexpected(answer, ("GET", self._prefix + path), what, self.name)


def error_body(answer: Response) -> ErrorBody:
    """Reads the documented error envelope, the flat form of older specifications, or plain text.

    The envelope: {"error": {"status", "message", "id", "details"}}. The flat form: {"code", "message", "status"}.
    """
    body = answer.body if isinstance(answer.body, dict) else {}
    inner = body.get("error")
    error = inner if isinstance(inner, dict) else body
    # The last two are OAuth's shape, as gateways in front of an API may answer.
    message = error.get("message") or body.get("message") or body.get("error_description") or (error is body and inner)
    return ErrorBody(
        message=str(message or answer.text),
        code=text_or_none(error.get("code")),
        error_id=text_or_none(error.get("id")),
        details=error.get("details"),
    )


def _facts(error: NotFoundError) -> dict[str, t.Any]:
    return {"method": error.method, "path": error.path, "status": error.status}


def _page(items: list[Item], pagination: t.Any, number: int, size: int) -> Page:
    """Where the list goes on. `cursor` may be null, empty, or left over on the last page: hasNextPage decides."""
    next_number = {"page": number + 1}
    pagination = pagination if isinstance(pagination, dict) else {}
    cursor = pagination.get("cursor")
    if cursor is not None and not isinstance(cursor, (str, int)):
        raise InvalidResponseError(
            f"The list cannot be read to its end: the platform's cursor is no text but {cursor!r}."
        )
    more = pagination.get("hasNextPage")
    if more is not None and not isinstance(more, bool):
        raise InvalidResponseError(
            f"The list cannot be read to its end: the platform's hasNextPage is neither true nor false but {more!r}."
        )
    if more is None:
        if cursor:
            return Page(items, {"cursor": cursor})
        # No word on a next page: one page, unless it is full. Then ask, rather than cut silently.
        return Page(items, next_number if len(items) >= size else None, promised=False)
    if not more:
        return Page(items)
    return Page(items, {"cursor": cursor} if cursor else next_number)
