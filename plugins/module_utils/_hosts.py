# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the readers of both inventories return, and how they read many parents of which some fail."""

from __future__ import annotations

import dataclasses
import typing as t

from ._errors import NotFoundError, PaasError
from ._paging import fan_out
from ._types import Item

T = t.TypeVar("T")
R = t.TypeVar("R")


class Host(t.TypedDict):
    """A host as a reader finds it: JSON types only, no secrets, nothing that depends on how it will be shown."""

    # Its usual name; may be empty, odd, or that of other hosts as well.
    name: str
    # What distinguishes it from every other host of the platform and never changes.
    identity: str
    # By name, without a prefix.
    facts: Item
    # The variables, with their full names, that tell a connection plugin which host it is.
    connection: dict[str, str]
    # Without a prefix; odd characters are replaced later.
    groups: list[str]


@dataclasses.dataclass
class Found:
    """What a reader found."""

    hosts: list[Host] = dataclasses.field(default_factory=list)
    # What could not be read. After a single warning the hosts are not complete, and are not cached.
    warnings: list[str] = dataclasses.field(default_factory=list)
    # What was left out on purpose, or is gone, for those who ask for more output.
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
    """Read many parents through the bounded pool; those that fail do not stop the others.

    Args:
        name: What a parent is called in messages.
        found: Gets a warning about what failed, and a note about what is gone.
        lost: The warning about some that failed, with {} for their names.
        may_be_gone: Whether a parent that no longer exists is no failure.
        are_hosts: Whether hosts are missing without what is read, and not just facts.

    Returns:
        The parents that could be read, in order, with what was read.

    Raises:
        PaasError: The first one, if every parent failed and no host can be there.
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
    # One warning for each kind of error, with the names of all that met it and the first one's message.
    kinds: dict[tuple[t.Any, ...], list[tuple[str, PaasError]]] = {}
    for who, error in failed:
        kinds.setdefault((type(error), error.status, error.code), []).append((who, error))
    for alike in kinds.values():
        found.warnings.append(f"{lost.format(', '.join(who for who, _error in alike))} {alike[0][1].message}")
    return [(parent, t.cast("R", result)) for parent, result, error in results if error is None]
