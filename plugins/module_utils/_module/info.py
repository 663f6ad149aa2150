# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Info modules: what a declared resource has, by id, as a list, or of all parents."""

from __future__ import annotations

import functools
import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from .._argspec import CONCURRENCY, LIST, ArgumentSpec
from .._errors import InvalidResponseError, NotFoundError
from .._paging import fan_out
from .._plain import snake_key
from .._resource import Ids, Resource, name_missing_parent, options_in, path_of
from .._types import Item, Params
from .runner import Module, Platform


def info_module(
    platform: Platform,
    resource: Resource,
    *,
    required: t.Sequence[str] = (),
    full: bool = False,
    secrets: bool = False,
) -> Module:
    """Declare an info module for a resource.

    Args:
        required: Options of parents that must be given. If others are missing, all such parents are read.
        full: Offer the option full, which reads each item of a list by itself.
        secrets: Offer the option secrets, which shows what is hidden otherwise.
    """
    parents = resource.ancestors()
    named = [one.id_option for one in (*parents, *([resource] if resource.one else []))]
    optional = [name for name in named if name not in required]
    outer = [one for one in parents if one.id_option not in required]
    # What narrows down the list of a parent, if all of its kind are read.
    filters = {name: one for owner in (*outer, resource) for name, one in owner.filters.items()}
    switches = [name for name, offered in (("full", full), ("secrets", secrets)) if offered]
    spec = platform.arguments.merge(LIST)
    if full or outer:
        spec = spec.merge(CONCURRENCY)
    own = ArgumentSpec(
        options={
            **{name: {"type": "str", "required": name in required} for name in named},
            **{name: {"type": "str"} for name in resource.other_options()},
            **{name: one.spec for name, one in filters.items()},
            **{name: {"type": "bool", "default": False} for name in switches},
        },
        # An inner id means nothing without the outer ones.
        required_by={name: tuple(optional[:place]) for place, name in enumerate(optional) if place},
        mutually_exclusive=tuple(_exclusive(resource, outer)),
    )
    return Module(
        arguments=spec.merge(own).merge(resource.extra_arguments(optional)),
        platform=platform,
        run=functools.partial(read, resource),
        is_secret=lambda arguments: bool(boolean(arguments.get("secrets") or False, strict=False)),
    )


def _exclusive(resource: Resource, outer: t.Sequence[Resource]) -> t.Iterator[tuple[str, str]]:
    """Yield pairs of options: there is one way to choose what is listed. outer: the parents that may be missing."""
    own = [resource.id_option] if resource.one else []
    for name in own:
        yield from ((name, option) for option in resource.filters)
    narrowing = [(one.id_option, name) for one in outer for name in one.filters]
    yield from narrowing
    elsewhere = [*(one.id_option for one in outer), *(name for _option, name in narrowing), *own, *resource.filters]
    for name in resource.other_options():
        yield from ((name, option) for option in elsewhere)


def read(resource: Resource, client: t.Any, params: Params) -> dict[str, t.Any]:
    """Return what an info module returns: the items, in snake_case, under the platform's name of their list."""
    reader = _Reader(client, params, resource)
    known = [*(parent.id_option for parent in resource.ancestors()), resource.id_option, *resource.other_options()]
    ids = {name: str(params[name]) for name in known if params.get(name) is not None}
    if resource.id_option in ids:
        items = reader.items_with_id(ids)
    else:
        items = reader.many(resource, ids, params.get("limit"))
        if params.get("full"):
            items = reader.expand(items)
    result: dict[str, t.Any] = {snake_key(resource.list_key): items}
    resource.complete(result, client, params)
    return result


class _Reader:
    """Reads for one task. Items carry the ids of their parents under the options' names.

    Args:
        own: The resource that the task is about.
    """

    def __init__(self, client: t.Any, params: Params, own: Resource) -> None:
        self._client = client
        self._params = params
        self._own = own

    def items_with_id(self, ids: Ids) -> list[Item]:
        """Return the one item with the id, or none. Raises NotFoundError for a missing parent."""
        try:
            return [self._one(ids)]
        except NotFoundError as error:
            missing = error
        name_missing_parent(self._client, self._own, ids, missing)
        return []

    def many(self, resource: Resource, ids: Ids, limit: int | None = None) -> list[Item]:
        """Return the items of a list, or of the lists of all parents if those that are known are too few."""
        path = next((path for path in resource.lists if set(options_in(path)) <= set(ids)), None)
        if path is not None:
            return self._list(resource, path, ids, limit)
        # Read those of the innermost parent that is missing, then the list of each.
        option = next(name for name in reversed(options_in(resource.lists[-1])) if name not in ids)
        parent = next(one for one in resource.ancestors() if one.id_option == option)
        return fan_out(
            lambda found: self.many(resource, {**ids, **_ids_of(parent, found)}, limit),
            [found for found in self.many(parent, ids) if not parent.is_deleted(found)],
            concurrency=self._params["concurrency"],
            name=lambda found: _name_of(parent, found, self._params),
            limit=limit,
        )

    def expand(self, items: list[Item]) -> list[Item]:
        """Return each item as it is when it is read by itself."""
        return fan_out(
            lambda item: [self._one(_ids_of(self._own, item))],
            items,
            concurrency=self._params["concurrency"],
            name=lambda item: _name_of(self._own, item, self._params),
        )

    def _one(self, ids: Ids) -> Item:
        path = t.cast("str", self._own.one)
        query = self._own.query(path, self._params)
        item = self._client.get(path_of(path, ids), query=query, permission=self._own.permission)
        parents = {name: value for name, value in ids.items() if name != self._own.id_option}
        return {**self._own.plain(self._client, item, self._params), **parents}

    def _list(self, resource: Resource, path: str, ids: Ids, limit: int | None) -> list[Item]:
        is_own = resource is self._own
        params = self._params if is_own else {name: self._params.get(name) for name in resource.filters}
        items = resource.read_list(self._client, path, ids, params, limit)
        parents = {name: ids[name] for name in options_in(path) if name not in resource.other_options()}
        return [{**resource.plain(self._client, item, params), **parents} for item in items]


def _ids_of(resource: Resource, item: Item) -> dict[str, str]:
    """Return the ids that lead to an item: its own and its parents'. Raises InvalidResponseError if it has no id."""
    own = item.get(snake_key(resource.identity))
    if own is None or own == "":
        raise InvalidResponseError(
            f"The platform lists a {resource.noun} without its {resource.identity}: it cannot be read."
        )
    parents = {parent.id_option: item[parent.id_option] for parent in resource.ancestors()}
    return {**parents, resource.id_option: str(own)}


def _name_of(resource: Resource, item: Item, known: Params) -> str:
    """Return what an item is called in an error: itself, after the parents that the task did not name."""
    parents = [one for one in resource.ancestors() if known.get(one.id_option) is None]
    names = [(one.noun, item[one.id_option]) for one in parents]
    names.append((resource.noun, item.get(snake_key(resource.identity))))
    return ": ".join(f'{noun} "{name}"' for noun, name in names)
