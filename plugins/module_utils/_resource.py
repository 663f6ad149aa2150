# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What a platform lists, described as data."""

from __future__ import annotations

import dataclasses
import re
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.quayside.paas.plugins.module_utils._client import Item


@dataclasses.dataclass(frozen=True)
class Filter:
    """A filter of a list that the API has.

    query: its query parameter, which is also the name of the field in an item. spec: the option's argument spec.
    """

    query: str
    spec: dict[str, t.Any]

    def accepts(self, item: Item, value: t.Any) -> bool:
        """Whether an item passes, for a platform too old to know the filter: it then sends everything.

        An item without the field passes: it must not vanish because nobody can tell.
        """
        return self.query not in item or bool(item[self.query] == value)


@dataclasses.dataclass(frozen=True)
class Resource:
    """A kind of thing on a platform, how to list it and how to get one.

    noun: what messages call one of them. list_key: the platform's name of the list in an answer.
    id_option: the option that names one. lists: paths of lists, with the options of the parents in braces; the
    first one whose parents are all known is read. one: the path of a single one, or None when there is no such call.
    parent: of which kind the parent is. identity: the field that tells one from the others in a list.
    filters: by option. scope: query parameters, by option, that every request of this resource takes.
    untouched: maps, as the platform spells their names, whose keys are the user's own.
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
    scope: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    untouched: frozenset[str] = frozenset()

    def ancestors(self) -> tuple[Resource, ...]:
        """The chain of parents, outermost first, without the resource itself."""
        return (*self.parent.ancestors(), self.parent) if self.parent else ()


def options_in(path: str) -> tuple[str, ...]:
    """The options that a path of a resource needs, in order."""
    return tuple(re.findall(r"{(\w+)}", path))
