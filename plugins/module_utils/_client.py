# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the clients of both platforms share: requests and their errors. Raises PaasError, never ends a module."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ._argspec import ArgumentSpec
from ._errors import InvalidResponseError, NotFoundError, OptionError
from ._options import ConnectionOptions, GetOption
from ._paging import Page, collect
from ._response import ErrorBody, Response, api_error, mark_ambiguous
from ._types import Item, Query


class PlatformClient:
    """Base of Northflank and Cycle, for one task. Paths are relative to the prefix and percent-encoded.

    Args:
        get_option: From option name to value, for the options in arguments.
        check_mode: Refuse requests that change something.

    Raises:
        OptionError: An option is unusable.
    """

    name: t.ClassVar[str]
    # The options that make a client.
    arguments: t.ClassVar[ArgumentSpec]
    prefix = "/v1/"

    def __init__(self, get_option: GetOption, *, check_mode: bool = False) -> None:
        from ._http import Transport  # slow to import, and connections do without

        options, headers = self._connection(get_option)
        self.transport = Transport(options, headers=headers, check_mode=check_mode)

    # What a platform defines

    def _connection(self, get_option: GetOption) -> tuple[ConnectionOptions, dict[str, str]]:
        """Return how to reach the platform, and the headers of every request."""
        raise NotImplementedError

    def _error_body(self, response: Response) -> ErrorBody:
        raise NotImplementedError

    def _data(self, method: str, path: str, response: Response) -> Item:
        """Return the object in a response. Raises InvalidResponseError if there must be one and is none."""
        raise NotImplementedError

    def _pages(
        self, path: str, list_key: str, query: Query, limit: int | None, permission: str | None
    ) -> t.Callable[[Query], Page]:
        """Return what reads a page of a list. See collect()."""
        raise NotImplementedError

    def check_scope(self) -> None:
        """Raise NotFoundError if what the options name around all paths does not exist."""

    # What all have

    @property
    def check_mode(self) -> bool:
        """Whether requests that change something are refused."""
        return self.transport.check_mode

    def report(self) -> dict[str, t.Any]:
        return self.transport.report()

    def close(self) -> None:
        self.transport.close()

    def get(self, path: str, *, query: Query | None = None, permission: str | None = None) -> Item:
        """Return one resource. permission: what the token needs for it, in the platform's words."""
        return self._data("GET", path, self._send("GET", path, permission, query=query))

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
        """Return every item of a list, page by page.

        Args:
            list_key: The platform's name of the list.
            identity: The field that distinguishes an item.
            keep: Whether an item is wanted.
            limit: How many wanted items are enough.

        Raises:
            InvalidResponseError: The list is broken or does not end.
        """
        fetch = self._pages(path, list_key, query or {}, limit, permission)
        return collect(fetch, identity=lambda item: item.get(identity), keep=keep, limit=limit)

    def post(self, path: str, body: t.Any = None, *, query: Query | None = None, permission: str | None = None) -> Item:
        """Return the object of the response, {} if there may be none. Not resent if the request may have succeeded."""
        return self._change("POST", path, permission, query=query, body=body)

    def delete(self, path: str, *, body: t.Any = None, permission: str | None = None) -> Item:
        """Return as post() does. Resent on broken connections: what is named by its id can only go once."""
        return self._change("DELETE", path, permission, body=body)

    def _change(self, method: str, path: str, permission: str | None, **what: t.Any) -> Item:
        with mark_ambiguous():
            return self._data(method, path, self._send(method, path, permission, **what))

    def _send(self, method: str, path: str, permission: str | None, **what: t.Any) -> Response:
        """Send a request and return the response, whose body is an object. what: see Transport.request().

        Raises:
            ApiError: The response has an error status.
            InvalidResponseError: The response cannot come from the platform.
        """
        response = self.transport.request(method, self.prefix + path, **what)
        is_object = isinstance(response.body, dict)
        # A 404 that is not JSON may not be the platform's: it must not pass for "there is no such thing".
        if not is_object and (response.status == 404 or 200 <= response.status < 300):
            kind = "JSON" if response.status == 404 or not response.is_json else "a JSON object"
            raise self._unexpected(method, path, response, f"is not {kind}")
        if not 200 <= response.status < 300:
            body = self._error_body(response).redacted(self.transport.redact)
            raise api_error(response, method, self.prefix + path, body, permission)
        return response

    def _unexpected(self, method: str, path: str, response: Response, what: str) -> InvalidResponseError:
        """Return the error for a response that the platform does not promise. what: what is wrong with it."""
        return InvalidResponseError(
            f"The answer to {method} {self.prefix}{path} (status {response.status}) {what}. Is api_url the address of"
            f" the {self.name} API? The answer begins: {response.text or '(empty)'}",
            method=method,
            path=self.prefix + path,
            status=response.status,
        )


def path_segment(value: t.Any, option: str) -> str:
    """Return an id as one segment of a path, percent-encoded. Raises OptionError for what cannot be one."""
    text = str(value)
    if text in ("", ".", ".."):
        raise OptionError(f"The option {option} is {text!r}, which cannot be an id.")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise OptionError(f"The option {option} holds characters that cannot be sent.") from None


def not_found(noun: str, option: str, identity: str, error: NotFoundError) -> NotFoundError:
    """Return the error for something that an option names and that does not exist. error: what the platform said."""
    return NotFoundError(
        f'The {noun} "{identity}" was not found (option {option}). The platform said: {error.message}', **error.facts()
    )
