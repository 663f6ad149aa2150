# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which worker of pytest-xdist runs what: tests that share an expensive run go to one, all others to whichever is free.

Groups of pytest-xdist 3.8 would do it, but do not work with pytest 9.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def by_scope(config: pytest.Config, log: Any, scope_of: Callable[[str], str]) -> Any:
    """Return a scheduler for the hook pytest_xdist_make_scheduler.

    Args:
        config: What the hook gets.
        log: What the hook gets.
        scope_of: Names the scope of a test by its node id. All tests of a scope go to the same worker, larger scopes
            first.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    return Scheduling(config, log)


def first(items: list[pytest.Item], *names: str) -> None:
    """Put tests whose node id contains one of the names, the longest ones, before all others."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in names))
