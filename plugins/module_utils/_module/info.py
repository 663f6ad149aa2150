# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Info modules: what a declared resource has, by id, as a list, or over many parents."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.quayside.paas.plugins.module_utils._argspec import FAN, LIST, ArgumentSpec
from ansible_collections.quayside.paas.plugins.module_utils._client import Item, fan_out, path_segment, plain, snake_key
from ansible_collections.quayside.paas.plugins.module_utils._errors import AnswerError, ApiError, NotFoundError
from ansible_collections.quayside.paas.plugins.module_utils._module.runner import Module, Params, Platform
from ansible_collections.quayside.paas.plugins.module_utils._resource import Resource, options_in

Ids = t.Mapping[str, str]


def info_module(
    platform: Platform, resource: Resource, *, required: t.Sequence[str] = (), full: bool = False
) -> Module:
    """Declares an info module for a resource.

    required: the options of parents that must be given; where others are missing, all such parents are read.
    full: offer the option full, which reads each item of a list by itself.
    """
    parents = [parent.id_option for parent in resource.ancestors()]
    own = [resource.id_option] if resource.one else []
    options: dict[str, dict[str, t.Any]] = {
        **{name: {"type": "str", "required": name in required} for name in parents + own},
        **{name: {"type": "str"} for name in resource.scope},
        **{name: filter_.spec for name, filter_ in resource.filters.items()},
    }
    spec = platform.arguments.merge(LIST)
    if full:
        options["full"] = {"type": "bool", "default": False}
    if full or set(parents) - set(required):
        spec = spec.merge(FAN)
    # An inner id means nothing without the outer ones; a scope only with the whole chain.
    optional = [name for name in parents + own if name not in required]
    needs = {name: tuple(optional[:place]) for place, name in enumerate(optional) if place}
    needs.update({name: tuple(optional) for name in resource.scope if optional})
    # One is read by its id, whatever its state.
    exclusive = tuple((name, option) for name in own for option in resource.filters)
    return Module(
        arguments=spec.merge(ArgumentSpec(options=options, required_by=needs, mutually_exclusive=exclusive)),
        platform=platform,
        run=functools.partial(read, resource),
    )


def read(resource: Resource, client: t.Any, params: Params) -> dict[str, t.Any]:
    """What an info module returns: the items of the resource under the platform's name of their list, in snake_case."""
    reader = _Reader(client, params)
    known = [*(parent.id_option for parent in resource.ancestors()), resource.id_option]
    ids = {name: str(params[name]) for name in known if params.get(name) is not None}
    if resource.id_option in ids:
        items = reader.one_or_none(resource, ids)
    else:
        items = reader.many(resource, ids, params.get("limit"))
        if params.get("full"):
            items = reader.each_in_full(resource, items)
    return {snake_key(resource.list_key): items}


class _Reader:
    """Reads resources for one task. Items carry the ids of their parents under the options' names."""

    def __init__(self, client: t.Any, params: Params) -> None:
        self._client = client
        self._params = params

    def one_or_none(self, resource: Resource, ids: Ids) -> list[Item]:
        try:
            return [self._one(resource, ids)]
        except NotFoundError as error:
            missing = error
        self._name_missing_parent(resource, ids, missing)
        return []

    def many(self, resource: Resource, ids: Ids, limit: int | None = None) -> list[Item]:
        path = next((path for path in resource.lists if set(options_in(path)) <= set(ids)), None)
        if path is not None:
            return self._list(resource, path, ids, limit)
        # The parents that are known are too few: read those of the innermost one that is missing, then each one's list.
        option = [name for name in options_in(resource.lists[-1]) if name not in ids][-1]
        parent = next(one for one in resource.ancestors() if one.id_option == option)
        return fan_out(
            lambda found: self.many(resource, {**ids, **_ids_of(parent, found)}, limit),
            self.many(parent, ids),
            concurrency=self._params["concurrency"],
            name=lambda found: _name_of(parent, found, self._params),
            limit=limit,
        )

    def each_in_full(self, resource: Resource, items: list[Item]) -> list[Item]:
        return fan_out(
            lambda item: [self._one(resource, _ids_of(resource, item))],
            items,
            concurrency=self._params["concurrency"],
            name=lambda item: _name_of(resource, item, self._params),
        )

    def _one(self, resource: Resource, ids: Ids) -> Item:
        path = _path(t.cast("str", resource.one), ids)
        item = self._client.get(path, query=self._scope(resource), permission=resource.permission)
        parents = {name: value for name, value in ids.items() if name != resource.id_option}
        return {**plain(item, resource.untouched), **parents}

    def _list(self, resource: Resource, path: str, ids: Ids, limit: int | None) -> list[Item]:
        filters = {option: self._params[option] for option in resource.filters if self._params.get(option) is not None}
        query = {**self._scope(resource), **{resource.filters[name].query: value for name, value in filters.items()}}
        try:
            items = self._client.get_list(
                _path(path, ids),
                resource.list_key,
                identity=resource.identity,
                query=query,
                keep=lambda item: all(resource.filters[name].accepts(item, value) for name, value in filters.items()),
                limit=limit,
                permission=resource.permission,
            )
        except NotFoundError as error:
            missing = error
        else:
            parents = {name: ids[name] for name in options_in(path)}
            return [{**plain(item, resource.untouched), **parents} for item in items]
        self._name_missing_parent(resource, ids, missing)
        raise missing

    def _scope(self, resource: Resource) -> dict[str, t.Any]:
        return {
            query: self._params[option]
            for option, query in resource.scope.items()
            if self._params.get(option) is not None
        }

    def _name_missing_parent(self, resource: Resource, ids: Ids, missing: NotFoundError) -> None:
        """After a 404: raises NotFoundError for the outermost parent that does not exist, if there is one.

        missing: the 404; raised where a parent may not be read, so that nobody knows.
        """
        self._client.check_scope()
        for parent in resource.ancestors():
            if parent.id_option not in ids or parent.one is None:
                continue
            try:
                self._client.get(_path(parent.one, ids), permission=parent.permission)
            except NotFoundError as error:
                raise NotFoundError(
                    f'The {parent.noun} "{ids[parent.id_option]}" was not found (option {parent.id_option}).'
                    f" The platform said: {error.message}",
                    **{name: value for name, value in vars(error).items() if name != "message"},
                ) from None
            except ApiError:
                raise missing from None


def _path(template: str, ids: Ids) -> str:
    return template.format(**{name: path_segment(ids[name], name) for name in options_in(template)})


def _ids_of(resource: Resource, item: Item) -> dict[str, str]:
    """The ids that lead to an item: its own and its parents'. Raises AnswerError when the platform left its own out."""
    own = item.get(snake_key(resource.identity))
    if own is None or own == "":
        raise AnswerError(f"The platform lists a {resource.noun} without its {resource.identity}: it cannot be read.")
    parents = {parent.id_option: item[parent.id_option] for parent in resource.ancestors()}
    return {**parents, resource.id_option: str(own)}


def _name_of(resource: Resource, item: Item, known: Params) -> str:
    """What an item is called in an error: itself, and before it the parents that the task did not name."""
    parents = [one for one in resource.ancestors() if known.get(one.id_option) is None]
    names = [(one.noun, item[one.id_option]) for one in parents]
    names.append((resource.noun, item.get(snake_key(resource.identity))))
    return ": ".join(f'{noun} "{name}"' for noun, name in names)
