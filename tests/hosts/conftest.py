# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator whose tokens are like no other's on this machine, so that finding one means that it leaked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.own_secrets import start_with_own_secrets
from support.simulator import Simulator


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator of the shipped estate with other tokens and keys, for the whole session."""
    running = start_with_own_secrets(tmp_path_factory.mktemp("estate"))
    yield running
    running.stop()
