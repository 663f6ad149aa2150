# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator whose tokens are like no other's on this machine, so that finding one means that it leaked; workers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support import scheduling
from support.own_secrets import start_with_own_secrets
from support.simulator import Simulator


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator of the shipped estate with other tokens and keys, for the whole session."""
    running = start_with_own_secrets(tmp_path_factory.mktemp("estate"))
    yield running
    running.stop()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """All of test_whole_report.py goes to one worker, because it looks at one run."""
    return scheduling.by_scope(config, log, lambda nodeid: "whole" if "test_whole_report.py::" in nodeid else nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests."""
    scheduling.first(items, "test_whole_report.py::", "test_estate_report.py::")
