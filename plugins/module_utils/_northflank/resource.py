# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What resources of Northflank have besides those of Cycle: the user's own keys, scopes, singletons."""

from __future__ import annotations

import dataclasses
import typing as t

from .._argspec import ArgumentSpec
from .._errors import ApiError
from .._resource import Ids, Resource, name_missing_parent, path_of
from .._types import Item, Params

NOTHING_THERE = (400, 404, 422)  # what the platform may answer for a parent that has none


@dataclasses.dataclass(frozen=True)
class NorthflankResource(Resource):
    # Maps, as the platform spells their names, whose keys are the user's own.
    user_keyed: frozenset[str] = frozenset()
    # Query parameters of every request, by option.
    scope: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    # If a parent has exactly one, so that the list is an object: what stands for none, as users get it.
    singleton: t.Mapping[str, t.Any] | None = None

    def extra_arguments(self, optional: t.Sequence[str]) -> ArgumentSpec:
        needed = {name: tuple(optional) for name in self.scope if optional}
        return ArgumentSpec(options={name: {"type": "str"} for name in self.scope}, required_by=needed)

    def query(self, path: str, params: Params) -> dict[str, t.Any]:
        return {query: params[option] for option, query in self.scope.items() if params.get(option) is not None}

    def plain(self, client: t.Any, item: Item, params: Params) -> Item:
        return {**(self.singleton or {}), **client.plain(item, self.user_keyed)}

    def read_list(self, client: t.Any, path: str, ids: Ids, params: Params, limit: int | None = None) -> list[Item]:
        if self.singleton is None:
            return super().read_list(client, path, ids, params, limit)
        try:
            return [client.get(path_of(path, ids), permission=self.permission)]
        except ApiError as error:
            if error.status not in NOTHING_THERE:
                raise
            # A parent that was found in a list exists.
            if all(params.get(one.id_option) is not None for one in self.ancestors()):
                name_missing_parent(client, self, ids, error)
            return [{}]
