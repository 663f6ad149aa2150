# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What modules that act are about to do, and what they did."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Done:
    # What the task returns, over what the plan promised.
    result: t.Mapping[str, t.Any]
    # For the diff; None if it is as planned.
    after: t.Any = None
    # False if it turned out that there was nothing to do.
    changed: bool = True


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a task is about to do, from what is there and what is wanted."""

    # What the task returns in check mode, and if there is nothing to do.
    result: t.Mapping[str, t.Any]
    # The diff: what it is about, and what it shows, without secrets.
    subject: str
    before: t.Any
    after: t.Any
    # Does it; None if there is nothing to do.
    act: t.Callable[[], Done] | None = None
