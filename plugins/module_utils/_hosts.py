# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What the readers of both inventories hand over, and how they read many parents of which some fail."""

from __future__ import annotations

import dataclasses
import typing as t

from ._client import Item, fan_out
from ._errors import NotFoundError, PaasError

T = t.TypeVar("T")
R = t.TypeVar("R")


class Host(t.TypedDict):
    """A host as a reader finds it: JSON types only, no secrets, nothing that depends on how it will be shown.

    name: its usual name; may be empty, odd, or that of other hosts as well. identity: what tells it from every other
    host of the platform and never changes. facts: by name, without a prefix. connection: the variables, with their full
    names, that say to a connection plugin which host it is. groups: its groups, without a prefix; odd characters are
    replaced later.
    """

    name: str
    identity: str
    facts: Item
    connection: dict[str, str]
    groups: list[str]


@dataclasses.dataclass
class Found:
    """What a reader found.

    warnings: what could not be read; with a single one the hosts are not all there is, and are not cached. notes: what
    was left out on purpose, or is gone, for those who ask for more output.
    """

    hosts: list[Host] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)


def read_each(
    read: t.Callable[[T], R],
    parents: t.Sequence[T],
    *,
    concurrency: int,
    name: t.Callable[[T], str],
    found: Found,
    lost: str,
    may_be_gone: bool = True,
    are_hosts: bool = True,
) -> list[tuple[T, R]]:
    """Reads many parents through the bounded pool; those that fail do not hinder the others.

    name: what a parent is called in messages. lost: the warning about some that failed, with {} for their names.
    may_be_gone: whether it is no failure that a parent does not exist any more. are_hosts: whether hosts are missing
    without what is read, and not just facts.
    Returns the parents that could be read, in order, with what was read. Adds to the warnings of found what failed, and
    to its notes what is gone. Raises the first error when each and every parent failed and
    no host can be there.
    """

    def attempt(parent: T) -> list[tuple[T, R | None, PaasError | None]]:
        try:
            return [(parent, read(parent), None)]
        except PaasError as error:
            return [(parent, None, error)]

    results = fan_out(attempt, parents, concurrency=concurrency, name=name)
    errors = [(name(parent), error) for parent, _result, error in results if error is not None]
    failed = [(who, error) for who, error in errors if not (may_be_gone and isinstance(error, NotFoundError))]
    if are_hosts and failed and len(failed) == len(results):
        who, error = failed[0]
        raise error.named(who)
    if len(errors) > len(failed):
        gone = [who for who, error in errors if (who, error) not in failed]
        found.notes.append(f"Gone meanwhile: {', '.join(gone)}.")
    found.warnings += failures_told(lost, failed)
    return [(parent, t.cast("R", result)) for parent, result, error in results if error is None]


def failures_told(lost: str, failed: t.Sequence[tuple[str, PaasError]]) -> list[str]:
    """One warning for each kind of error, with the names of all that met it and the first one's message.

    lost: see read_each().
    """
    kinds: dict[tuple[t.Any, ...], list[tuple[str, PaasError]]] = {}
    for name, error in failed:
        kinds.setdefault((type(error), error.status, error.code), []).append((name, error))
    return [
        f"{lost.format(', '.join(name for name, _error in alike))} {alike[0][1].message}" for alike in kinds.values()
    ]
