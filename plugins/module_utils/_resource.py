# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What a platform lists, described as data."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ._client import Item, not_found, path_segment
from ._errors import ApiError, NotFoundError

_ABSENT = object()


@dataclasses.dataclass(frozen=True)
class Filter:
    """A filter of a list that the API has.

    query: its query parameter. spec: the option's argument spec; several values are sent as one, with commas.
    field: where an item has what is filtered by, with dots; the name of the parameter where it is not given, None where
    no field tells.
    """

    query: str
    spec: dict[str, t.Any]
    field: str | None = ""

    def sent(self, value: t.Any) -> t.Any:
        """The value of the query parameter."""
        return ",".join(map(str, value)) if isinstance(value, list) else value

    def accepts(self, item: Item, value: t.Any) -> bool:
        """Whether an item passes, for a platform that does not know the filter: it then sends everything.

        An item without the field passes: it must not vanish because nobody can tell.
        """
        if self.field is None:
            return True
        found = value_at(item, self.field or self.query, _ABSENT)
        return found is _ABSENT or (found in value if isinstance(value, list) else bool(found == value))


@dataclasses.dataclass(frozen=True)
class Include:
    """A kind of resource that the API sends along.

    name: what one of them is called. field: where an item has its id, with dots. by_kind: whether the resources are
    sorted by kind first.
    """

    name: str
    field: str
    by_kind: bool = False


@dataclasses.dataclass(frozen=True)
class Listing:
    """How a list differs from the other lists of its resource.

    takes: the options of its resource that it has: include, meta, sort, filters. without: values of include and meta
    that it does not have. include: its own names for values. joined: see Resource, None for the same. of: what the
    option in its path names, where that is no parent. permission: see Resource, None for the same.
    """

    takes: frozenset[str]
    without: frozenset[str] = frozenset()
    include: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    joined: frozenset[str] | None = None
    of: str | None = None
    permission: str | None = None


@dataclasses.dataclass(frozen=True)
class Resource:
    """A kind of thing on a platform, how to list it and how to get one.

    noun: what messages call one of them. list_key: the platform's name of the list.
    id_option: the option that names one. lists: paths of lists, with the options they need in braces; the first one
    whose options are all known is read. one: the path of a single one, or None when there is no such call.
    parent: of which kind the parent is. identity: the field that tells one from the others in a list.
    filters: by option. nested_filters: those below the option filters, which apply to the resource that a module reads
    and not where it is read as a parent. scope: query parameters, by option, that every request of this resource takes.
    include: what the API sends along on request. meta: the extra facts that it adds on request. sortable: whether lists
    can be sorted. joined: query parameters of lists that hold several values in one, with commas; others are repeated.
    listings: the lists, by path, that differ, and where need be the path of a single one. deleted_when: fields,
    with dots, and the values that say that one is gone though it may still be listed; nothing is read below such a
    one. user_keyed: maps, as the platform spells their names, whose keys are the user's own. singleton: given where
    a parent has exactly one, so that the paths of lists answer an object; what stands for one, as users get it,
    where a parent has none.
    permission: what a token needs to read it, in the platform's words.
    """

    noun: str
    list_key: str
    id_option: str
    lists: tuple[str, ...]
    permission: str
    one: str | None = None
    parent: Resource | None = None
    identity: str = "id"
    filters: t.Mapping[str, Filter] = dataclasses.field(default_factory=dict)
    nested_filters: t.Mapping[str, Filter] = dataclasses.field(default_factory=dict)
    scope: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    include: t.Mapping[str, Include] = dataclasses.field(default_factory=dict)
    meta: tuple[str, ...] = ()
    sortable: bool = False
    joined: frozenset[str] = frozenset()
    listings: t.Mapping[str, Listing] = dataclasses.field(default_factory=dict)
    deleted_when: t.Mapping[str, t.Container[str]] = dataclasses.field(default_factory=dict)
    user_keyed: frozenset[str] = frozenset()
    singleton: t.Mapping[str, t.Any] | None = None

    def ancestors(self) -> tuple[Resource, ...]:
        """The chain of parents, outermost first, without the resource itself."""
        return (*self.parent.ancestors(), self.parent) if self.parent else ()

    def is_over(self, item: Item) -> bool:
        """Whether an item is gone though it is still listed."""
        return any(str(value_at(item, field)) in values for field, values in self.deleted_when.items())

    def other_options(self) -> tuple[str, ...]:
        """Options that name something to list by, besides the parents."""
        parents = {one.id_option for one in self.ancestors()}
        found = dict.fromkeys(name for path in self.lists for name in options_in(path))
        return tuple(name for name in found if name not in parents)


def path_of(template: str, ids: t.Mapping[str, str]) -> str:
    """A path of a resource with its options filled in, percent-encoded. Raises OptionError for what cannot be an id."""
    return template.format(**{name: path_segment(ids[name], name) for name in options_in(template)})


def name_missing_parent(client: t.Any, resource: Resource, ids: t.Mapping[str, str], missing: ApiError) -> None:
    """After a 404: raises NotFoundError for the outermost parent that does not exist, if there is one.

    client: of the platform. ids: by option. missing: the 404; raised where a parent may not be read, so that nobody
    knows.
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


def options_in(path: str) -> tuple[str, ...]:
    """The options that a path of a resource needs, in order."""
    return tuple(re.findall(r"{(\w+)}", path))


def value_at(item: t.Any, field: str, default: t.Any = None) -> t.Any:
    """The value at a place such as state.current; the default where something on the way is missing."""
    for name in field.split("."):
        if not isinstance(item, dict) or name not in item:
            return default
        item = item[name]
    return item
