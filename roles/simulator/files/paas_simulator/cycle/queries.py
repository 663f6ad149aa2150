# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries: arrays with commas or repeated, filters, sorting, pages.

Where nothing is documented: items come by id, 20 on a page, 100 at most, sizes above are cut; unknown filters and sort
fields are ignored; a page number or size that is none is a 422.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..messages import Call, Record
from .errors import invalid
from .settings import PageSize
from .stamps import read

Show = Callable[[Record], Any]
Filters = dict[str, Callable[[Record, str], bool]]


def array(call: Call, name: str) -> list[str]:
    """Return the values of an array parameter, given with commas, repeated, or both."""
    return [value for text in call.query.get(name, []) for value in text.split(",") if value]


def _lookup(item: Any, path: str) -> Any:
    for part in path.split("."):
        item = item.get(part) if isinstance(item, dict) else None
    return item


def _ordered(items: list[Record], fields: list[str]) -> list[Record]:
    items = sorted(items, key=lambda item: str(item["id"]))
    for name in reversed(fields):
        path = name.lstrip("-")
        if any(_lookup(item, path) is not None for item in items):
            items.sort(key=lambda item: _comparable(_lookup(item, path)), reverse=name.startswith("-"))
    return items


def _comparable(value: Any) -> tuple[int, float, str]:
    if isinstance(value, (int, float)):
        return (1, float(value), "")
    return (0, 0.0, "") if value is None else (2, 0.0, str(value))


def _filtered(call: Call, items: Iterable[Record], filters: Filters) -> list[Record]:
    wanted = [(filters[name], text) for name in filters for text in [call.first(f"filter[{name}]")] if text]
    found = list(items)
    for matches, text in wanted:
        found = [item for item in found if matches(item, text)]
    return found


def _number(call: Call, name: str, default: int) -> int:
    text = call.first(f"page[{name}]")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise invalid(f"page[{name}] is a number from 1", f"/query/page/{name}")
    return int(text)


def page(call: Call, items: list[Record], sizes: PageSize) -> list[Record]:
    """Return the page of a list that is asked for; faults may spoil it. Raises ApiError."""
    number, size = _number(call, "number", 1), min(_number(call, "size", sizes.default), sizes.maximum)
    if call.trap == "ignore_size":
        return items if number == 1 else []
    if call.trap == "ignore_page":
        number = 1
    if call.trap == "clamp":
        size = min(size, 20)
    start = (number - 1) * size
    if call.trap == "endless" and items:
        return [items[(start + index) % len(items)] for index in range(size)]
    return items[start : start + size]


def chosen(call: Call, items: Iterable[Record], filters: Filters, sizes: PageSize) -> list[Record]:
    """Return what a list answers with: filtered, sorted, one page of it. Raises ApiError."""
    return page(call, _ordered(_filtered(call, items, filters), array(call, "sort")), sizes)


def one_of(value: Callable[[Record], Any]) -> Callable[[Record, str], bool]:
    """Return a filter: the value is one of those given with commas; of several values, any is."""

    def matches(item: Record, text: str) -> bool:
        found = value(item)
        values = found if isinstance(found, (list, tuple, set)) else [found]
        wanted = text.split(",")
        return any(_text(each) in wanted for each in values)

    return matches


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def search(*paths: str) -> Callable[[Record, str], bool]:
    """Return a filter: one of the fields contains the text, whatever the case."""

    def matches(item: Record, text: str) -> bool:
        return any(text.lower() in str(_lookup(item, path) or "").lower() for path in paths)

    return matches


def moment(text: str, source: str) -> float:
    """Return the unix seconds of a date-time in a query. Raises ApiError."""
    try:
        # A plus sign that was not percent-encoded arrives as a blank.
        return read(text.replace(" ", "+"))
    except ValueError:
        raise invalid(f"not a date-time: {text}", source) from None


def between(path: str) -> Filters:
    """Return the filters range-start and range-end on a time stamp; both ends belong to the range."""
    return {
        "range-start": lambda item, text: read(_lookup(item, path)) >= moment(text, "/query/filter/range-start"),
        "range-end": lambda item, text: read(_lookup(item, path)) <= moment(text, "/query/filter/range-end"),
    }
