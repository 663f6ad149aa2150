# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a platform has to read, as data: how to list a kind of resource and how to get one."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ._argspec import ArgumentSpec
from ._client import PlatformClient, not_found, path_segment
from ._errors import ApiError, NotFoundError
from ._types import Item, Params, value_at

Ids = t.Mapping[str, str]  # by option
Spec = dict[str, t.Any]  # of an option

_ABSENT = object()


@dataclasses.dataclass(frozen=True)
class Filter:
    # Its query parameter.
    query: str
    # The option. Several values are sent as one, with commas.
    spec: Spec
    # The dotted path to what is filtered by; "" if it is the name of the parameter, None if no field tells.
    field: str | None = ""

    def sent(self, value: t.Any) -> t.Any:
        return ",".join(map(str, value)) if isinstance(value, list) else value

    def accepts(self, item: Item, value: t.Any) -> bool:
        """Whether an item passes, for a platform that does not know the filter and sends everything.

        An item without the field passes: it must not vanish because nobody can tell.
        """
        if self.field is None:
            return True
        found = value_at(item, self.field or self.query, _ABSENT)
        return found is _ABSENT or (found in value if isinstance(value, list) else bool(found == value))


@dataclasses.dataclass(frozen=True)
class Resource:
    """A kind of resource. Platforms extend it by what only they have."""

    # What messages call one of them.
    noun: str
    # The platform's name of the list.
    list_key: str
    # The option that names one.
    id_option: str
    # Paths of lists, with the options that they need in braces. The first one whose options are all known is read.
    lists: tuple[str, ...]
    # What the token needs to read it, in the platform's words.
    permission: str
    # The path of a single one; None if there is no such request.
    one: str | None = None
    parent: Resource | None = None
    # The field that distinguishes items of a list.
    identity: str = "id"
    # By option.
    filters: t.Mapping[str, Filter] = dataclasses.field(default_factory=dict)

    def ancestors(self) -> tuple[Resource, ...]:
        """Return the chain of parents, outermost first, without the resource itself."""
        return (*self.parent.ancestors(), self.parent) if self.parent else ()

    def other_options(self) -> tuple[str, ...]:
        """Return the options that name something to list by, besides the parents."""
        parents = {one.id_option for one in self.ancestors()}
        found = dict.fromkeys(name for path in self.lists for name in options_in(path))
        return tuple(name for name in found if name not in parents)

    # What a platform may define. params: the options of the task; of a parent that is read, only its filters.

    def extra_arguments(self, optional: t.Sequence[str]) -> ArgumentSpec:
        """Return more options of an info module. optional: the options of the chain of parents that may be missing."""
        return ArgumentSpec()

    def query(self, path: str, params: Params) -> dict[str, t.Any]:
        """Return query parameters besides filters. Raises OptionError for what the platform does not offer there."""
        return {}

    def given_filters(self, params: Params) -> list[tuple[Filter, t.Any]]:
        """Return the filters that were given, each with its value."""
        given = [(one, params.get(name)) for name, one in self.filters.items()]
        return [(one, value) for one, value in given if value not in (None, [])]

    def is_deleted(self, item: Item) -> bool:
        """Whether an item that is still listed is gone, so that nothing is below it."""
        return False

    def plain(self, client: t.Any, item: Item, params: Params) -> Item:
        return t.cast("Item", client.plain(item))

    def complete(self, result: Item, client: t.Any, params: Params) -> None:
        """Add to the result of an info module what came along with the items."""

    def read_list(self, client: t.Any, path: str, ids: Ids, params: Params, limit: int | None = None) -> list[Item]:
        """Return the items of a list. path: one of the paths of lists, whose options are all in ids."""
        filters = self.given_filters(params)
        try:
            return t.cast(
                "list[Item]",
                client.get_list(
                    path_of(path, ids),
                    self.list_key,
                    identity=self.identity,
                    query={**self.query(path, params), **{one.query: one.sent(value) for one, value in filters}},
                    keep=lambda item: all(one.accepts(item, value) for one, value in filters),
                    limit=limit,
                    permission=self.permission_for(path),
                ),
            )
        except NotFoundError as error:
            self.name_missing(client, path, ids, error)
            raise

    def permission_for(self, path: str) -> str:
        return self.permission

    def name_missing(self, client: t.Any, path: str, ids: Ids, missing: NotFoundError) -> None:
        """After a 404 of a path: raise NotFoundError for what does not exist, if that can be told."""
        name_missing_parent(client, self, ids, missing)


def options_in(path: str) -> tuple[str, ...]:
    return tuple(re.findall(r"{(\w+)}", path))


def path_of(template: str, ids: Ids) -> str:
    """Return a path with its options filled in, percent-encoded. Raises OptionError for what cannot be an id."""
    return template.format(**{name: path_segment(ids[name], name) for name in options_in(template)})


def name_missing_parent(client: PlatformClient, resource: Resource, ids: Ids, missing: ApiError) -> None:
    """After a 404: raise NotFoundError for the outermost parent that does not exist, if there is one.

    Args:
        missing: The 404. Raised if a parent cannot be read, so that nobody knows.
    """
    client.check_scope()
    for parent in resource.ancestors():
        if parent.id_option not in ids or parent.one is None:
            continue
        try:
            client.get(path_of(parent.one, ids), permission=parent.permission)
        except NotFoundError as error:
            raise not_found(parent.noun, parent.id_option, ids[parent.id_option], error) from None
        except ApiError:
            raise missing from None
