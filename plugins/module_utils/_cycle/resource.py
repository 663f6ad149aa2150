# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lists of Cycle have besides those of Northflank: more filters, what comes along, extra facts, sorting."""

from __future__ import annotations

import dataclasses
import typing as t

from .._argspec import ArgumentSpec
from .._client import not_found
from .._errors import NotFoundError, OptionError
from .._resource import Filter, Ids, Resource, options_in
from .._types import Item, Params, value_at


@dataclasses.dataclass(frozen=True)
class Include:
    """A kind of resource that the API sends along."""

    # What one of them is called.
    name: str
    # The dotted path to its id in an item.
    field: str
    # Whether the resources are sorted by kind first.
    by_kind: bool = False


@dataclasses.dataclass(frozen=True)
class Listing:
    """What a path takes, where it differs from the other paths of its resource."""

    # The options that it has, of include, meta, sort and filters.
    takes: frozenset[str]
    # Values of include and meta that it does not have.
    without: frozenset[str] = frozenset()
    # Its own names for values of include.
    include: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    # Parameters that hold several values in one, with commas; others are repeated.
    joined: frozenset[str] = frozenset()
    # What the option in the path names, if it is not a parent.
    of: str | None = None
    # What the key needs, if it is not what the resource says.
    permission: str | None = None


@dataclasses.dataclass(frozen=True)
class CycleResource(Resource):
    # Below the option filters. They apply to the resource that a module reads, not if it is read as a parent.
    nested_filters: t.Mapping[str, Filter] = dataclasses.field(default_factory=dict)
    # What the API sends along on request, by kind, and the extra facts that it adds.
    include: t.Mapping[str, Include] = dataclasses.field(default_factory=dict)
    meta: tuple[str, ...] = ()
    sortable: bool = False
    listings: t.Mapping[str, Listing] = dataclasses.field(default_factory=dict)
    # Dotted paths, and the values that say that an item is gone though it may still be listed.
    deleted_when: t.Mapping[str, t.Container[str]] = dataclasses.field(default_factory=dict)

    def extra_arguments(self, optional: t.Sequence[str]) -> ArgumentSpec:
        options: dict[str, dict[str, t.Any]] = {}
        if self.nested_filters:
            nested = {name: one.spec for name, one in self.nested_filters.items()}
            options["filters"] = {"type": "dict", "options": nested}
        if self.include:
            options["include"] = {"type": "list", "elements": "str", "choices": list(self.include)}
        if self.meta:
            options["meta"] = {"type": "list", "elements": "str", "choices": list(self.meta)}
        if self.sortable:
            options["sort"] = {"type": "list", "elements": "str"}
        # One is read by its id, whatever its state.
        own = [(self.id_option, name) for name in ("filters", "sort") if name in options and self.one]
        return ArgumentSpec(options=options, mutually_exclusive=tuple(own))

    def given_filters(self, params: Params) -> list[tuple[Filter, t.Any]]:
        nested = params.get("filters") or {}
        given = [(one, nested.get(name)) for name, one in self.nested_filters.items()]
        return super().given_filters(params) + [(one, value) for one, value in given if value not in (None, [])]

    def query(self, path: str, params: Params) -> dict[str, t.Any]:
        asked = {name: params[name] for name in ("include", "meta", "sort") if params.get(name)}
        listing = self.listings.get(path)
        if listing is None:
            return asked
        self._check_offered(path, listing, asked, params)
        renamed = {name: [listing.include.get(one, one) for one in value] for name, value in asked.items()}
        return {name: ",".join(value) if name in listing.joined else value for name, value in renamed.items()}

    def _check_offered(self, path: str, listing: Listing, asked: Item, params: Params) -> None:
        names = [*asked, *(["filters"] if any((params.get("filters") or {}).values()) else [])]
        missing = [name for name in names if name not in listing.takes]
        missing += [
            f"{one} of {name}" for name in ("include", "meta") for one in asked.get(name, ()) if one in listing.without
        ]
        if missing:
            where = f"lists by {options_in(path)[0]}" if options_in(path) else "lists, only for a single one"
            if path == self.one:
                where = f"a single {self.noun}"
            raise OptionError(f"The platform does not offer {' and '.join(missing)} for {where}.")

    def is_deleted(self, item: Item) -> bool:
        return any(str(value_at(item, field)) in values for field, values in self.deleted_when.items())

    def permission_for(self, path: str) -> str:
        listing = self.listings.get(path)
        return (listing and listing.permission) or self.permission

    def name_missing(self, client: t.Any, path: str, ids: Ids, missing: NotFoundError) -> None:
        listing = self.listings.get(path)
        if listing is not None and listing.of:
            option = options_in(path)[0]
            raise not_found(listing.of, option, ids[option], missing)
        super().name_missing(client, path, ids, missing)

    def plain(self, client: t.Any, item: Item, params: Params) -> Item:
        return t.cast("Item", client.plain(item, secrets=bool(params.get("secrets"))))

    def complete(self, result: Item, client: t.Any, params: Params) -> None:
        """Add what came along: all of it, and to each item what it refers to."""
        if not self.include:
            return
        includes = self.plain(client, client.includes, params)
        for item in result[self.list_key]:
            item["included"] = self._included(item, includes, params.get("include") or ())
        result["includes"] = includes

    def _included(self, item: Item, includes: Item, asked: t.Sequence[str]) -> Item:
        """Return the resources that came along with an item, by what they are to it; None for one that did not."""
        found: Item = {}
        for kind in asked:
            resources = includes.get(kind) or {}
            if self.include[kind].by_kind:
                resources = {key: value for group in resources.values() for key, value in (group or {}).items()}
            found[self.include[kind].name] = _by_id(resources, value_at(item, self.include[kind].field))
        return found


def _by_id(resources: t.Mapping[str, t.Any], wanted: t.Any) -> t.Any:
    """Return a resource by its id, or by its identifier if items refer to that."""
    if wanted is None or str(wanted) in resources:
        return resources.get(str(wanted))
    named = (one for one in resources.values() if isinstance(one, dict) and one.get("identifier") == wanted)
    return next(named, None)
