# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What a task that acts is about to do, and what became of it."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Done:
    """What became of a plan.

    result: what the task returns, over what the plan promised. after: for the diff; None when it is as planned.
    changed: False when it turned out that there was nothing to do.
    """

    result: t.Mapping[str, t.Any]
    after: t.Any = None
    changed: bool = True


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a task is about to do, from what is there and what is wanted.

    result: what the task returns in check mode, and when there is nothing to do. subject: what the diff is about.
    before, after: what the diff shows, without secrets. act: does it; None when there is nothing to do.
    """

    result: t.Mapping[str, t.Any]
    subject: str
    before: t.Any
    after: t.Any
    act: t.Callable[[], Done] | None = None
