# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What both platforms share above HTTP: errors from answers, lists page by page, many parents at once, plain names."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import queue
import threading
import typing as t
from collections import deque
from concurrent.futures import Future
from urllib.parse import quote

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict

from ._errors import ApiError, InvalidResponseError, NotFoundError, OptionError, PaasError
from ._response import MAX_DEPTH, Response, is_rate_limited, retry_after, writable

if t.TYPE_CHECKING:
    from ._http import Transport

MAX_ITEMS = 200_000  # of one task, in memory
MAX_ERROR_TEXT = 1000  # characters of what a platform says

Item = dict[str, t.Any]
Request = tuple[str, str]  # method and path
T = t.TypeVar("T")
R = t.TypeVar("R")


@dataclasses.dataclass(frozen=True)
class ErrorBody:
    """What an error answer says, as far as its shape was recognised."""

    message: str
    code: str | None = None
    error_id: str | None = None
    details: t.Any = None
    # What the platform says that the token lacks.
    lacking: str | None = None

    def redacted(self, redact: t.Callable[[t.Any], t.Any]) -> ErrorBody:
        """The same, each part passed through redact."""
        return ErrorBody(*(redact(getattr(self, field.name)) for field in dataclasses.fields(self)))


@dataclasses.dataclass(frozen=True)
class Page:
    """One page of a list.

    following: the query that asks for the next page, or None when this is the last one.
    promised: whether the API says that there is a next page, or the caller only wants to make sure.
    """

    items: list[Item]
    following: t.Mapping[str, t.Any] | None = None
    promised: bool = True


def path_segment(value: t.Any, option: str) -> str:
    """An id as one segment of a path, percent-encoded. Raises OptionError for what cannot be one."""
    text = str(value)
    if text in ("", ".", ".."):
        raise OptionError(f"The option {option} is {text!r}, which cannot be an id.")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise OptionError(f"The option {option} holds characters that cannot be sent.") from None


def api_error(answer: Response, method: str, path: str, body: ErrorBody, permission: str | None = None) -> ApiError:
    """The error for an answer with an error status.

    permission: what the documentation of the platform says the token needs for this request.
    """
    identity = f" (error id {body.error_id})" if body.error_id else ""
    code = f" {body.code}" if body.code else ""
    said = body.message[:MAX_ERROR_TEXT].rstrip(".") or "the platform gave no reason"
    hint = _hint(answer, permission, body.lacking)
    kind = NotFoundError if answer.status == 404 else ApiError
    return kind(
        f"{method} {path} failed with status {answer.status}{code}: {said}{identity}. {hint}".rstrip(),
        method=method,
        path=path,
        status=answer.status,
        code=body.code,
        error_id=body.error_id,
        details=body.details,
    )


def not_found(noun: str, option: str, identity: str, error: NotFoundError) -> NotFoundError:
    """The error for something named by an option that does not exist. error: what the platform said."""
    return NotFoundError(
        f'The {noun} "{identity}" was not found (option {option}). The platform said: {error.message}',
        **{name: value for name, value in vars(error).items() if name not in ("message", "results")},
    )


def json_object(
    transport: Transport,
    answer: Response,
    request: Request,
    *,
    platform: str,
    error_body: t.Callable[[Response], ErrorBody],
    permission: str | None = None,
) -> Item:
    """The body of a successful answer, which is a JSON object on both platforms.

    platform: its name for messages. error_body: reads the platform's error answers. permission: see api_error().
    Raises ApiError for an error status, InvalidResponseError for anything that cannot come from the platform.
    """
    if not 200 <= answer.status < 300:
        if answer.status == 404 and not isinstance(answer.body, dict):
            # Whoever says this may not be the platform: it must not pass for "there is no such thing".
            raise unexpected(answer, request, "is not JSON", platform)
        raise api_error(answer, *request, error_body(answer).redacted(transport.redact), permission)
    if not isinstance(answer.body, dict):
        raise unexpected(answer, request, "is not a JSON object" if answer.is_json else "is not JSON", platform)
    return answer.body


def unexpected(answer: Response, request: Request, what: str, platform: str) -> InvalidResponseError:
    """The error for an answer that the platform does not promise. what: what is wrong with it."""
    method, path = request
    return InvalidResponseError(
        f"The answer to {method} {path} (status {answer.status}) {what}. Is api_url the address of the {platform} API?"
        f" The answer begins: {answer.text or '(empty)'}",
        method=method,
        path=path,
        status=answer.status,
    )


def mark_ambiguous(error: PaasError) -> None:
    """Marks the error of a request that changes something, where it may have been carried out in spite of it.

    An answer that cannot be understood, or a fault of the platform, does not say that nothing was done.
    """
    if isinstance(error, InvalidResponseError) or (isinstance(error, ApiError) and (error.status or 0) >= 500):
        error.may_have_succeeded = True


def text_or_none(value: t.Any) -> str | None:
    """A part of an error answer as text, whatever type it has."""
    return None if value is None else str(value)


def _hint(answer: Response, permission: str | None, lacking: str | None) -> str:
    if is_rate_limited(answer):
        wait = retry_after(answer)
        ends = "" if wait is None else f" It ends in {math.ceil(wait)} seconds."
        return f"The rate limit is used up.{ends} Raise retry_budget to wait for it, or send fewer requests."
    if answer.status == 401:
        return "The token is wrong, has expired or was deleted."
    if answer.status == 403:
        if lacking:
            return f"The role in use lacks {lacking}."
        return f"The role of the token may lack the permission {permission}." if permission else ""
    if answer.status >= 500:
        return "The fault is on the platform's side; try again later."
    return ""


def collect(
    fetch: t.Callable[[t.Mapping[str, t.Any]], Page],
    *,
    identity: t.Callable[[Item], t.Any],
    keep: t.Callable[[Item], bool] = lambda item: True,
    limit: int | None = None,
) -> list[Item]:
    """Reads a list page by page until the API says that it is done, or until `limit` items are kept.

    fetch: reads the page that a query asks for; the query is empty for the first one. identity: what tells an item of
    this list from the others; an item that a shifting list shows twice is kept once. keep: whether an item is wanted.
    Raises InvalidResponseError when the pages repeat, bring nothing new, or do not end; what fetch raises.
    """
    kept: list[Item] = []
    seen: set[t.Any] = set()
    queries: set[str] = set()
    query: t.Mapping[str, t.Any] = {}
    promised = True
    while True:
        try:
            page = fetch(query)
        except ApiError as error:
            if not promised and error.status in (400, 404, 422):
                return kept
            raise
        fresh = _fresh_items(page.items, identity, seen)
        kept += filter(keep, fresh)
        if limit is not None and len(kept) >= limit:
            return kept[:limit]
        if page.following is None or (not fresh and not page.promised) or (not fresh and not promised):
            return kept
        _check_progress(page, fresh, queries, len(seen))
        query, promised = page.following, page.promised


def _fresh_items(items: list[Item], identity: t.Callable[[Item], t.Any], seen: set[t.Any]) -> list[Item]:
    fresh = []
    for item in items:
        known = identity(item)
        # Without an identity nothing can be called a repetition, unless it is the same to the letter.
        known = repr(item) if known is None else str(known)
        if known not in seen:
            seen.add(known)
            fresh.append(item)
    return fresh


def _check_progress(page: Page, fresh: list[Item], queries: set[str], total: int) -> None:
    asked = repr(page.following)
    if asked in queries:
        raise InvalidResponseError(
            f"The list does not end: after {total} items the platform sends the same cursor again."
        )
    queries.add(asked)
    if not fresh:
        raise InvalidResponseError(
            f"The list does not end: after {total} items the platform announces another page,"
            " but this one brought nothing new."
        )
    if total > MAX_ITEMS:
        raise InvalidResponseError(f"The list has more than {MAX_ITEMS} items. Set limit to read its beginning.")


def fan_out(
    read: t.Callable[[T], list[R]],
    parents: t.Sequence[T],
    *,
    concurrency: int,
    name: t.Callable[[T], str],
    limit: int | None = None,
) -> list[R]:
    """Reads many parents through a bounded pool; the results stand in the order of the parents.

    name: what a failing parent is called in its error. limit: stop when as many results are there; parents are then
    read one after the other, so that no request is spent on what is not wanted.
    Raises the error of the first parent that failed, in order, with the parent's name; the others are given up.
    """
    results: list[R] = []
    waiting = iter(parents)
    tasks: queue.SimpleQueue[tuple[T, Future[list[R]]] | None] = queue.SimpleQueue()
    begun: deque[tuple[T, Future[list[R]]]] = deque()
    workers = max(1, min(concurrency, len(parents))) if limit is None else 1

    def begin() -> None:
        for parent in itertools.islice(waiting, 1):
            begun.append((parent, Future()))
            tasks.put(begun[-1])

    for _worker in range(workers):
        # Daemons, so that a task that failed or was interrupted ends without waiting for what nobody wants any more.
        threading.Thread(target=_work, args=(read, tasks), daemon=True).start()
        begin()
    try:
        while begun and (limit is None or len(results) < limit):
            parent, future = begun.popleft()
            try:
                results += future.result()
            except PaasError as error:
                raise error.named(name(parent)) from None
            if len(results) > MAX_ITEMS:
                raise InvalidResponseError(f"There are more than {MAX_ITEMS} items. Set limit to read the first ones.")
            if limit is None or len(results) < limit:
                begin()
        return results if limit is None else results[:limit]
    finally:
        for _parent, future in begun:
            future.cancel()
        for _worker in range(workers):
            tasks.put(None)


def _work(read: t.Callable[[T], list[R]], tasks: queue.SimpleQueue[tuple[T, Future[list[R]]] | None]) -> None:
    while (task := tasks.get()) is not None:
        parent, future = task
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(read(parent))
        except BaseException as error:
            future.set_exception(error)


@functools.lru_cache(maxsize=4096)
def snake_key(key: str) -> str:
    """A name of the platform as results spell it: app_id for appId, schema for $schema, which Jinja could not reach."""
    return writable(str(next(iter(camel_dict_to_snake_dict({key.lstrip("$") or key: None})))))


def plain(value: t.Any, user_keyed: t.Container[str] = (), *, depth: int = 0) -> t.Any:
    """A value of the API as users get it: keys in snake_case, ids as strings, everything else as it is.

    user_keyed: names, as the platform spells them, of maps whose keys are the user's own.
    Raises InvalidResponseError for what is nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise InvalidResponseError(f"The answer is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, dict):
        out: Item = {}
        for key, inner in value.items():
            name = snake_key(key)
            # Two spellings of one name: neither may be lost.
            name = writable(key) if name != key and (name in value or name in out) else name
            out[name] = _value(key, inner, user_keyed, depth + 1)
        return out
    if isinstance(value, list):
        return [plain(inner, user_keyed, depth=depth + 1) for inner in value]
    return writable(value) if isinstance(value, str) else value


def _value(key: str, value: t.Any, user_keyed: t.Container[str], depth: int) -> t.Any:
    if isinstance(value, int) and not isinstance(value, bool) and (key in ("id", "uid") or key.endswith(("Id", "Uid"))):
        return str(value)
    if key in user_keyed and isinstance(value, dict):
        return as_it_is(value, depth)
    return plain(value, user_keyed, depth=depth)


def as_it_is(value: t.Any, depth: int = 0) -> t.Any:
    """A value of the API as users get it where its keys stay as they are. Raises what plain() raises."""
    if depth > MAX_DEPTH:
        raise InvalidResponseError(f"The answer is nested more than {MAX_DEPTH} levels deep.")
    if isinstance(value, dict):
        return {writable(key): as_it_is(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_it_is(inner, depth + 1) for inner in value]
    return writable(value) if isinstance(value, str) else value
