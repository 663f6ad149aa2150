# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The Cycle API: headers, envelopes, errors, paging and what comes along. Raises PaasError, never ends a module.

Facts from the vendor's page "Instances" and its public API specification of 2026, unless a comment says otherwise.
"""

from __future__ import annotations

import itertools
import threading
import typing as t

from .._argspec import CONNECTION, ArgumentSpec, from_environment
from .._client import ErrorBody, Item, Page, as_it_is, collect, json_object, mark_ambiguous, text_or_none, unexpected
from .._errors import InvalidResponseError, PaasError
from .._options import ConnectionOptions, GetOption, connection_options, secret
from .._response import Response

if t.TYPE_CHECKING:
    from .._http import Query

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


class Cycle:
    """A hub on Cycle, for one task.

    get_option: from option name to value, for the options in ARGUMENTS. check_mode: refuse requests that change
    something. Raises OptionError for options that cannot be used. Paths are relative to /v1 and percent-encoded.
    """

    name = "Cycle"
    arguments = ARGUMENTS

    def __init__(self, get_option: GetOption, *, check_mode: bool = False) -> None:
        # Imported here because it takes long, and connections do without.
        from .._http import Transport

        options = connection_options(get_option, token="api_key", variables=KEY_VARIABLES)
        hub = secret(get_option("hub_id"), "hub_id", HUB_VARIABLES)
        # Both headers on every request, also where the specification asks for one only.
        self._transport = Transport(options, headers={"X-Hub-Id": hub}, check_mode=check_mode)
        self._lock = threading.Lock()

    @property
    def check_mode(self) -> bool:
        """Whether requests that change something are refused."""
        return self._transport.check_mode

    @property
    def may_have_changed(self) -> bool:
        """Whether the platform carried out something that changes it, or may have."""
        return self._transport.may_have_changed

    def get(
        self,
        path: str,
        *,
        query: Query | None = None,
        permission: str | None = None,
        includes: Item | None = None,
    ) -> Item:
        """The resource of an answer. permission: see api_error(). includes: what comes along is added to it."""
        body = self._send("GET", path, query=query, permission=permission)
        self._add_includes(body, includes)
        return self._object(("GET", path), body)

    def get_data(self, path: str, *, query: Query | None = None, permission: str | None = None) -> t.Any:
        """`data` of an answer, of whatever type."""
        return self._send("GET", path, query=query, permission=permission)["data"]

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
        includes: Item | None = None,
    ) -> list[Item]:
        """Every item of a list, page by page.

        list_key: what the items are called in errors. identity: the field that tells one item from the others. keep:
        which items are wanted. limit: stop when as many are there. includes: what comes along is added to it.
        Raises InvalidResponseError for lists that are broken or do not end.
        """
        numbers = itertools.count(1)
        first: list[Item] = []

        def fetch(following: Query) -> Page:
            number = next(numbers)
            page = {"page[number]": number, "page[size]": MAX_PAGE_SIZE}
            body = self._send("GET", path, query={**(query or {}), **page, **following}, permission=permission)
            items = self._items(path, list_key, body)
            self._add_includes(body, includes)
            if number == 1:
                first.extend(items)
            elif len(items) == MAX_PAGE_SIZE and items == first:
                raise InvalidResponseError(
                    f"The list of {list_key} cannot be read: the platform sends its first page again."
                )
            # The platform tells neither a total nor a largest page: go on until a page is short or brings nothing new.
            more = {"page[number]": number + 1} if len(items) >= DOCUMENTED_PAGE else None
            return Page(items, more, promised=False)

        return collect(fetch, identity=lambda item: item.get(identity), keep=keep, limit=limit)

    def post(self, path: str, body: t.Any, *, permission: str | None = None) -> Item:
        """`data` of the answer. Not repeated when it may have succeeded: the error then has may_have_succeeded."""
        return self._change("POST", path, body=body, permission=permission)

    def delete(self, path: str, *, body: t.Any = None, permission: str | None = None) -> Item:
        """`data` of the answer. Repeated on broken connections: what is named by its id can only go once."""
        return self._change("DELETE", path, body=body, permission=permission)

    def get_new(self, path: str, *, permission: str | None = None) -> Item:
        """`data` of the answer to a GET that makes something new, as GET /ssh does. Never sent in check mode."""
        return self._change("GET", path, permission=permission, changes=True)

    def plain(self, value: t.Any, user_keyed: t.Container[str] = (), *, secrets: bool = False) -> t.Any:
        """A value of the API as users get it. Cycle's names are in snake_case already.

        secrets: whether passwords and the like are shown; otherwise they are None.
        """
        found = as_it_is(value)
        return found if secrets else without_secrets(found)

    def check_scope(self) -> None:
        """Nothing to check: a wrong hub is refused as such."""

    @property
    def options(self) -> ConnectionOptions:
        """How the platform is reached."""
        return self._transport.options

    def count_request(self) -> None:
        """See Transport.count_request()."""
        self._transport.count_request()

    def redact(self, value: t.Any) -> t.Any:
        """See Transport.redact()."""
        return self._transport.redact(value)

    def close(self) -> None:
        """See Transport.close()."""
        self._transport.close()

    def report(self) -> dict[str, t.Any]:
        """See Transport.report()."""
        return self._transport.report()

    def _send(self, method: str, path: str, *, permission: str | None, **what: t.Any) -> Item:
        request = (method, f"/v1/{path}")
        answer = self._transport.request(*request, **what)
        if answer.status == 403 and error_body(answer).code not in (None, "403.permissions"):
            permission = None  # it was refused for another reason
        body = json_object(
            self._transport, answer, request, platform=self.name, error_body=error_body, permission=permission
        )
        if "data" not in body or body.get("error"):
            raise unexpected(answer, request, "holds an error" if body.get("error") else "has no data", self.name)
        return body

    def _change(self, method: str, path: str, *, permission: str | None, **what: t.Any) -> Item:
        try:
            return self._object((method, path), self._send(method, path, permission=permission, **what))
        except PaasError as error:
            mark_ambiguous(error)
            raise

    def _object(self, request: tuple[str, str], body: Item) -> Item:
        data = body["data"]
        if not isinstance(data, dict):
            method, path = request
            raise InvalidResponseError(
                f"The answer to {method} /v1/{path} has no object under the key data.",
                method=method,
                path=f"/v1/{path}",
            )
        return data

    def _items(self, path: str, list_key: str, body: Item) -> list[Item]:
        items = body["data"]
        # Go's JSON writes an empty list as null.
        if items is None:
            return []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise InvalidResponseError(
                f"The answer to GET /v1/{path} has something else than a list of {list_key} under the key data.",
                method="GET",
                path=f"/v1/{path}",
            )
        return items

    def _add_includes(self, body: Item, includes: Item | None) -> None:
        found = body.get("includes")
        if includes is None or not isinstance(found, dict):
            return
        with self._lock:  # several lists may be read at once
            _merge(includes, found)


def _merge(target: Item, more: Item, *, creators: bool = True) -> None:
    """Adds included resources, by kind and id, to those that are there.

    creators: whether the kind of this name is sorted by what they are first. Below the kinds that end in :identifiers
    are lists of ids.
    """
    for kind, found in more.items():
        known = target.setdefault(kind, {})
        if not isinstance(found, dict):
            continue
        if creators and kind == "creators":
            _merge(known, found, creators=False)
        else:
            for key, value in found.items():
                there = known.get(key)
                both = isinstance(there, list) and isinstance(value, list)
                known[key] = [*there, *(one for one in value if one not in there)] if both else value


def error_body(answer: Response) -> ErrorBody:
    """Reads the documented envelope, or OAuth's shape, which authentication errors may have.

    The envelope: {"error": {"status", "code", "title", "detail", "source", "extra": {"capability"}}, "data": null}.
    OAuth's: {"error": "...", "error_description": "..."}.
    """
    body = answer.body if isinstance(answer.body, dict) else {}
    error = body.get("error")
    if not isinstance(error, dict):
        said = [text for text in (error, body.get("error_description"), body.get("message")) if isinstance(text, str)]
        return ErrorBody(message=": ".join(said) or answer.text)
    extra = error.get("extra")
    lacking = extra.get("capability") if isinstance(extra, dict) else None
    details = {name: error[name] for name in ("detail", "source", "extra") if error.get(name)}
    said = [str(error[name]) for name in ("title", "detail") if error.get(name)]
    place = f" (at {error['source']})" if error.get("source") else ""
    # In 2022 the codes were spelled with underscores.
    code = (text_or_none(error.get("code")) or "").replace("_", "-") or None
    advice = f". {ADVICE[code]}" if code in ADVICE else ""
    return ErrorBody(
        message=(": ".join(said) or answer.text) + place + advice,
        code=code,
        details=details or None,
        lacking=f"the capability {lacking}" if lacking else None,
    )


def without_secrets(value: t.Any) -> t.Any:
    """The value with None in place of every text and number below a name in SECRETS. Names, true and false stay."""
    if isinstance(value, dict):
        return {key: _hidden(inner) if key in SECRETS else without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_secrets(inner) for inner in value]
    return value


def _hidden(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(inner) for inner in value]
    return value if isinstance(value, bool) else None
