# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which worker runs what."""

from __future__ import annotations

from typing import Any

import pytest

from support import scheduling


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """All of test_fault_cases.py goes to one worker, since a worker that gets any of it makes all of its runs."""
    return scheduling.by_scope(config, log, lambda nodeid: "runs" if "test_fault_cases.py::" in nodeid else nodeid)
