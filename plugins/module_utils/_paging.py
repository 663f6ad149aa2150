# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a list page by page, and the lists of many parents at once."""

from __future__ import annotations

import dataclasses
import itertools
import queue
import threading
import typing as t
from collections import deque
from concurrent.futures import Future

from ._errors import ApiError, InvalidResponseError, PaasError
from ._types import Item, Query

MAX_ITEMS = 200_000  # of one task, in memory

T = t.TypeVar("T")
R = t.TypeVar("R")


@dataclasses.dataclass(frozen=True)
class Page:
    items: list[Item]
    # The query of the next page; None if this is the last one.
    following: Query | None = None
    # Whether the API says that there is a next page. If not, the caller only wants to make sure.
    promised: bool = True


def collect(
    fetch: t.Callable[[Query], Page],
    *,
    identity: t.Callable[[Item], t.Any],
    keep: t.Callable[[Item], bool] = lambda item: True,
    limit: int | None = None,
) -> list[Item]:
    """Read a list page by page until the API says that it is done, or until enough items are kept.

    Args:
        fetch: Reads the page that a query asks for; the query is empty for the first one.
        identity: What distinguishes an item; an item that a shifting list shows twice is kept once.
        keep: Whether an item is wanted.
        limit: How many wanted items are enough.

    Raises:
        InvalidResponseError: The pages repeat, bring nothing new, or do not end.
    """
    kept: list[Item] = []
    seen: set[t.Any] = set()
    queries: set[str] = set()
    query: Query = {}
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
        if page.following is None or (not fresh and not (page.promised and promised)):
            return kept
        _check_progress(page, fresh, queries, len(seen))
        query, promised = page.following, page.promised


def _fresh_items(items: list[Item], identity: t.Callable[[Item], t.Any], seen: set[t.Any]) -> list[Item]:
    fresh = []
    for item in items:
        known = identity(item)
        # Without an identity only an item that is the same to the letter counts as a repetition.
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
    """Read many parents through a bounded pool. Return the results in the order of the parents.

    Args:
        name: What a failing parent is called in its error.
        limit: How many results are enough. Parents are then read one after the other, so that no request is wasted.

    Raises:
        PaasError: Of the first parent that failed, in order. The others are given up.
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
        # Daemons, so that a task that failed or was interrupted ends without waiting for what is no longer wanted.
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
