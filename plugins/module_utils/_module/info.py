# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Info modules: what a declared resource has, by id, as a list, or over many parents."""

from __future__ import annotations

import functools
import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from .._argspec import CONCURRENCY, LIST, ArgumentSpec
from .._client import Item, fan_out, not_found, snake_key
from .._errors import ApiError, InvalidResponseError, NotFoundError, OptionError
from .._resource import Filter, Include, Listing, Resource, name_missing_parent, options_in, path_of, value_at
from .runner import Module, Params, Platform

Ids = t.Mapping[str, str]

NOTHING_THERE = (400, 404, 422)  # what a platform may say of a parent that has none


def info_module(
    platform: Platform,
    resource: Resource,
    *,
    required: t.Sequence[str] = (),
    full: bool = False,
    secrets: bool = False,
) -> Module:
    """Declares an info module for a resource.

    required: the options of parents that must be given; where others are missing, all such parents are read.
    full: offer the option full, which reads each item of a list by itself. secrets: offer the option secrets, which
    shows what is hidden otherwise.
    """
    chain = [*resource.ancestors(), *([resource] if resource.one else [])]
    named = [one.id_option for one in chain]
    others = resource.other_options()
    # What narrows the list of a parent down, where all of its kind are read.
    outer = [one for one in resource.ancestors() if one.id_option not in required]
    wider = {name: filter_ for parent in outer for name, filter_ in parent.filters.items()}
    options: dict[str, dict[str, t.Any]] = {
        **{name: {"type": "str", "required": name in required} for name in named},
        **{name: {"type": "str"} for name in (*others, *resource.scope)},
        **{name: filter_.spec for name, filter_ in {**wider, **resource.filters}.items()},
        **_query_options(resource),
    }
    spec = platform.arguments.merge(LIST)
    if full:
        options["full"] = {"type": "bool", "default": False}
    if secrets:
        options["secrets"] = {"type": "bool", "default": False}
    parents = {one.id_option for one in resource.ancestors()}
    if full or parents - set(required):
        spec = spec.merge(CONCURRENCY)
    # An inner id means nothing without the outer ones; a scope only with the whole chain.
    optional = [name for name in named if name not in required]
    needs = {name: tuple(optional[:place]) for place, name in enumerate(optional) if place}
    needs.update({name: tuple(optional) for name in resource.scope if optional})
    return Module(
        arguments=spec.merge(
            ArgumentSpec(options=options, required_by=needs, mutually_exclusive=_exclusive(resource, options, required))
        ),
        platform=platform,
        run=functools.partial(read, resource),
        is_secret=_asks_for_secrets,
    )


def _asks_for_secrets(arguments: Params) -> bool:
    return bool(boolean(arguments.get("secrets") or False, strict=False))


def _query_options(resource: Resource) -> dict[str, dict[str, t.Any]]:
    options: dict[str, dict[str, t.Any]] = {}
    if resource.nested_filters:
        nested = {name: filter_.spec for name, filter_ in resource.nested_filters.items()}
        options["filters"] = {"type": "dict", "options": nested}
    if resource.include:
        options["include"] = {"type": "list", "elements": "str", "choices": list(resource.include)}
    if resource.meta:
        options["meta"] = {"type": "list", "elements": "str", "choices": list(resource.meta)}
    if resource.sortable:
        options["sort"] = {"type": "list", "elements": "str"}
    return options


def _exclusive(resource: Resource, options: t.Container[str], required: t.Sequence[str]) -> tuple[tuple[str, str], ...]:
    # One is read by its id, whatever its state.
    own = [resource.id_option] if resource.one else []
    listed = [name for name in (*resource.filters, "filters", "sort") if name in options]
    pairs = [(name, option) for name in own for option in listed]
    # There is one way to choose what is listed: by the parents, by what narrows them down, or by something else.
    outer = [one for one in resource.ancestors() if one.id_option not in required]
    narrowed = [(one.id_option, name) for one in outer for name in one.filters]
    others = resource.other_options()
    elsewhere = [one.id_option for one in outer] + [name for one in outer for name in one.filters] + own
    pairs += narrowed + [(name, option) for name in others for option in [*elsewhere, *resource.filters]]
    return tuple(pairs)


def read(resource: Resource, client: t.Any, params: Params) -> dict[str, t.Any]:
    """What an info module returns: the items of the resource under the platform's name of their list, in snake_case."""
    reader = _Reader(client, params, resource)
    known = [*(parent.id_option for parent in resource.ancestors()), resource.id_option, *resource.other_options()]
    ids = {name: str(params[name]) for name in known if params.get(name) is not None}
    if resource.id_option in ids:
        items = reader.items_with_id(resource, ids)
    else:
        items = reader.many(resource, ids, params.get("limit"))
        if params.get("full"):
            items = reader.expand(resource, items)
    result: dict[str, t.Any] = {snake_key(resource.list_key): items}
    if resource.include:
        includes = client.plain(reader.includes, secrets=bool(params.get("secrets")))
        result["includes"] = includes
        for item in items:
            item["included"] = _included(resource.include, item, includes, params.get("include") or ())
    return result


def _included(kinds: t.Mapping[str, Include], item: Item, includes: Item, asked: t.Sequence[str]) -> Item:
    """The resources that came along with an item, by what they are to it; None for one that did not come."""
    found: Item = {}
    for kind in asked:
        resources = includes.get(kind) or {}
        if kinds[kind].by_kind:
            resources = {key: value for group in resources.values() for key, value in (group or {}).items()}
        found[kinds[kind].name] = _by_id(resources, value_at(item, kinds[kind].field))
    return found


def _by_id(resources: t.Mapping[str, t.Any], wanted: t.Any) -> t.Any:
    """A resource by its id, or by its identifier where items refer to that."""
    if wanted is None or str(wanted) in resources:
        return resources.get(str(wanted))
    named = (one for one in resources.values() if isinstance(one, dict) and one.get("identifier") == wanted)
    return next(named, None)


class _Reader:
    """Reads resources for one task. Items carry the ids of their parents under the options' names.

    own: the resource that the task is about. includes: what came along, as the platform sends it.
    """

    def __init__(self, client: t.Any, params: Params, own: Resource) -> None:
        self._client = client
        self._params = params
        self._own = own
        self.includes: Item = {}

    def items_with_id(self, resource: Resource, ids: Ids) -> list[Item]:
        try:
            return [self._one(resource, ids)]
        except NotFoundError as error:
            missing = error
        name_missing_parent(self._client, resource, ids, missing)
        return []

    def many(self, resource: Resource, ids: Ids, limit: int | None = None) -> list[Item]:
        path = next((path for path in resource.lists if set(options_in(path)) <= set(ids)), None)
        if path is not None and resource.singleton is not None:
            return [self._singleton(resource, path, ids)]
        if path is not None:
            return self._list(resource, path, ids, limit)
        # The parents that are known are too few: read those of the innermost one that is missing, then each one's list.
        option = next(name for name in reversed(options_in(resource.lists[-1])) if name not in ids)
        parent = next(one for one in resource.ancestors() if one.id_option == option)
        return fan_out(
            lambda found: self.many(resource, {**ids, **_ids_of(parent, found)}, limit),
            [found for found in self.many(parent, ids) if not parent.is_over(found)],
            concurrency=self._params["concurrency"],
            name=lambda found: _name_of(parent, found, self._params),
            limit=limit,
        )

    def expand(self, resource: Resource, items: list[Item]) -> list[Item]:
        return fan_out(
            lambda item: [self._one(resource, _ids_of(resource, item))],
            items,
            concurrency=self._params["concurrency"],
            name=lambda item: _name_of(resource, item, self._params),
        )

    def _one(self, resource: Resource, ids: Ids) -> Item:
        path = path_of(t.cast("str", resource.one), ids)
        query = {**self._scope(resource), **self._extras(resource)}
        self._check_offered(resource, t.cast("str", resource.one), query)
        item = self._client.get(path, query=query, permission=resource.permission, **self._collecting(resource))
        parents = {name: value for name, value in ids.items() if name != resource.id_option}
        return {**self._plain(item, resource), **parents}

    def _singleton(self, resource: Resource, path: str, ids: Ids) -> Item:
        """The one that a parent has, or what stands for none."""
        found: Item = {}
        try:
            found = self._client.get(path_of(path, ids), permission=resource.permission)
        except ApiError as error:
            if error.status not in NOTHING_THERE:
                raise
            # A parent that was found in a list exists.
            if all(self._params.get(one.id_option) is not None for one in resource.ancestors()):
                name_missing_parent(self._client, resource, ids, error)
        return {**(resource.singleton or {}), **self._plain(found, resource), **ids}

    def _list(self, resource: Resource, path: str, ids: Ids, limit: int | None) -> list[Item]:
        filters = self._filters(resource)
        listing = resource.listings.get(path) or Listing(frozenset())
        query = {
            **self._scope(resource),
            **self._list_query(resource, path),
            **{filter_.query: filter_.sent(value) for filter_, value in filters},
        }
        try:
            items = self._client.get_list(
                path_of(path, ids),
                resource.list_key,
                identity=resource.identity,
                query=query,
                keep=lambda item: all(filter_.accepts(item, value) for filter_, value in filters),
                limit=limit,
                permission=listing.permission or resource.permission,
                **self._collecting(resource),
            )
        except NotFoundError as error:
            missing = error
        else:
            parents = {name: ids[name] for name in options_in(path) if name not in resource.other_options()}
            return [{**self._plain(item, resource), **parents} for item in items]
        if listing.of:
            option = options_in(path)[0]
            raise not_found(listing.of, option, ids[option], missing)
        name_missing_parent(self._client, resource, ids, missing)
        raise missing

    def _plain(self, item: Item, resource: Resource) -> Item:
        secrets = bool(self._params.get("secrets"))
        return t.cast("Item", self._client.plain(item, resource.user_keyed, secrets=secrets))

    def _filters(self, resource: Resource) -> list[tuple[Filter, t.Any]]:
        """The filters that were given, each with its value."""
        given = [(filter_, self._params.get(name)) for name, filter_ in resource.filters.items()]
        if resource is self._own:
            nested = self._params.get("filters") or {}
            given += [(filter_, nested.get(name)) for name, filter_ in resource.nested_filters.items()]
        return [(filter_, value) for filter_, value in given if value not in (None, [])]

    def _extras(self, resource: Resource) -> dict[str, t.Any]:
        """The query of what shall come along."""
        if resource is not self._own:
            return {}
        return {name: self._params[name] for name in ("include", "meta") if self._params.get(name)}

    def _list_query(self, resource: Resource, path: str) -> dict[str, t.Any]:
        """What a list is asked for besides filters. Raises OptionError for what the platform does not offer for it."""
        if resource is not self._own:
            return {}
        query = self._extras(resource)
        if self._params.get("sort"):
            query["sort"] = self._params["sort"]
        joined = resource.joined
        self._check_offered(resource, path, query)
        listing = resource.listings.get(path)
        if listing is not None:
            query = {name: [listing.include.get(one, one) for one in value] for name, value in query.items()}
            joined = resource.joined if listing.joined is None else listing.joined
        return {name: ",".join(value) if name in joined else value for name, value in query.items()}

    def _check_offered(self, resource: Resource, path: str, query: t.Mapping[str, t.Any]) -> None:
        listing = resource.listings.get(path)
        if listing is None or resource is not self._own:
            return
        asked = [*query, *(["filters"] if any((self._params.get("filters") or {}).values()) else [])]
        missing = [name for name in asked if name not in listing.takes]
        missing += [
            f"{one} of {name}" for name in ("include", "meta") for one in query.get(name, ()) if one in listing.without
        ]
        if missing:
            where = f"lists by {options_in(path)[0]}" if options_in(path) else "lists, only for a single one"
            if path == resource.one:
                where = f"a single {resource.noun}"
            raise OptionError(f"The platform does not offer {' and '.join(missing)} for {where}.")

    def _collecting(self, resource: Resource) -> dict[str, t.Any]:
        return {"includes": self.includes} if resource is self._own and resource.include else {}

    def _scope(self, resource: Resource) -> dict[str, t.Any]:
        return {
            query: self._params[option]
            for option, query in resource.scope.items()
            if self._params.get(option) is not None
        }


def _ids_of(resource: Resource, item: Item) -> dict[str, str]:
    """The ids that lead to an item: its own and its parents'. Raises InvalidResponseError for an item without an id."""
    own = item.get(snake_key(resource.identity))
    if own is None or own == "":
        raise InvalidResponseError(
            f"The platform lists a {resource.noun} without its {resource.identity}: it cannot be read."
        )
    parents = {parent.id_option: item[parent.id_option] for parent in resource.ancestors()}
    return {**parents, resource.id_option: str(own)}


def _name_of(resource: Resource, item: Item, known: Params) -> str:
    """What an item is called in an error: itself, and before it the parents that the task did not name."""
    parents = [one for one in resource.ancestors() if known.get(one.id_option) is None]
    names = [(one.noun, item[one.id_option]) for one in parents]
    names.append((resource.noun, item.get(snake_key(resource.identity))))
    return ": ".join(f'{noun} "{name}"' for noun, name in names)
