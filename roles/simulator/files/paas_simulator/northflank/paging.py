# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages: ``per_page``, ``page``, ``cursor``, the ``pagination`` block, and the ways a fault can spoil them.

Where the documentation is silent: a cursor wins over ``page``; a page behind the end is empty; ``per_page`` above the
maximum is cut to it; anything that is no number from 1, and a cursor of another list, is a 400.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TypeVar

from ..messages import Call, Record
from .errors import ApiError
from .settings import PageSize

Thing = TypeVar("Thing")


def _cursor(offset: int, tag: str) -> str:
    # Clients do not always percent-encode cursors: only letters, digits, - and _.
    return base64.urlsafe_b64encode(f"{offset}.{tag}".encode()).decode().rstrip("=")


def _offset_of(cursor: str, tag: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        offset, _dot, found = text.partition(".")
        if found == tag and offset.isdigit():
            return int(offset)
    except (binascii.Error, ValueError):
        pass
    raise ApiError(400, "Invalid cursor", "invalid-cursor", {"cursor": cursor})


def _number(call: Call, name: str, default: int) -> int:
    text = call.first(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ApiError(400, f"Invalid query parameter: {name} must be a number from 1", details={name: text})
    return int(text)


@dataclass(slots=True)
class _Spoil:
    """What a pagination fault may touch."""

    payload: Record
    key: str
    last: bool
    cursor: str  # the request's own, else the one that leads to the next page

    @property
    def block(self) -> Record:
        block: Record = self.payload["pagination"]
        return block


def _leave_cursor(value: Callable[[_Spoil], str | None]) -> Callable[[_Spoil], None]:
    def spoil(page: _Spoil) -> None:
        if page.last:
            page.block["cursor"] = value(page)

    return spoil


def _repeat(page: _Spoil) -> None:
    page.block.update(hasNextPage=True, cursor=page.cursor)


def _no_cursor(page: _Spoil) -> None:
    page.block.pop("cursor", None)


def _no_block(page: _Spoil) -> None:
    page.payload.pop("pagination")


def _no_list(page: _Spoil) -> None:
    page.payload.update(data={}, pagination={"hasNextPage": False, "count": 0})


def _null_list(page: _Spoil) -> None:
    page.payload.update(data={page.key: None}, pagination={"hasNextPage": False, "count": 0})


_SPOILS: dict[str, Callable[[_Spoil], None]] = {
    "null_cursor": _leave_cursor(lambda _page: None),
    "empty_cursor": _leave_cursor(lambda _page: ""),
    "stale_cursor": _leave_cursor(lambda page: page.cursor),
    "repeat_cursor": _repeat,
    "no_cursor": _no_cursor,
    "page_numbers_only": _no_cursor,
    "no_block": _no_block,
    "list_key_absent": _no_list,
    "list_null": _null_list,
}


def _start(call: Call, tag: str, size: int) -> int:
    cursor = None if call.trap == "page_numbers_only" else call.first("cursor")
    if cursor:
        return _offset_of(cursor, tag)
    return 0 if call.trap == "cursor_only" else (_number(call, "page", 1) - 1) * size


def _chosen(things: Collection[Thing], start: int, size: int, endless: bool) -> list[Thing]:
    if endless and things:
        start %= len(things)
        return list(islice(cycle(things), start, start + size))
    return list(islice(things, start, start + size))


def page(
    call: Call,
    identity: str,
    key: str,
    things: Collection[Thing],
    show: Callable[[Thing], Record],
    sizes: PageSize,
) -> Record:
    """Return the payload of a list answer.

    ``identity`` tells this list from others (a cursor belongs to one list), ``key`` is the list's name in ``data``,
    ``show`` renders one thing. Raises ApiError.
    """
    tag = format(zlib.crc32(identity.encode()), "x")
    size = min(_number(call, "per_page", sizes.default), sizes.maximum)
    start = _start(call, tag, size)
    endless = call.trap == "endless"
    chosen = _chosen(things, start, size, endless)
    following = start + len(chosen)
    more = endless or following < len(things)
    following_cursor = _cursor(following, tag)
    block: Record = {"hasNextPage": more, "count": len(chosen)}
    if more:
        block["cursor"] = following_cursor
    payload: Record = {"data": {key: [show(thing) for thing in chosen]}, "pagination": block}
    if call.trap in _SPOILS:
        _SPOILS[call.trap](_Spoil(payload, key, not more, call.first("cursor") or following_cursor))
    return payload
