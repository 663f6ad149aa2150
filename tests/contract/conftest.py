# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the contract tests, and which of them run, and where."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract import results
from contract.cases import CASES
from contract.modules import MODULES
from contract.runs import Pieces

if TYPE_CHECKING:
    from support.simulator import Simulator

HERE = Path(__file__).parent
OF_A_MODULE = re.compile(r"test_modules\.py::\w+\[(\w+)")


@pytest.fixture(scope="session")
def pieces(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Pieces:
    """The runs of the cases of all modules."""
    return Pieces(simulator, tmp_path_factory.mktemp("pieces"))


@pytest.fixture(scope="session")
def known(simulator: Simulator) -> frozenset[str]:
    """All ids of the shipped estate."""
    simulator.reset()
    return frozenset(results.ID.findall(json.dumps(simulator.estate())))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave only the tests of the modules that --module names, and what is outside of this folder; sort them."""
    wanted = set(config.getoption("module"))
    if unknown := wanted - set(MODULES):
        raise pytest.UsageError(f"--module: there is no module {', '.join(sorted(unknown))}")

    def stays(item: pytest.Item) -> bool:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        return not wanted or HERE not in item.path.parents or parameters.get("module") in wanted

    if unwanted := [item for item in items if not stays(item)]:
        config.hook.pytest_deselected(items=unwanted)
    items[:] = sorted((item for item in items if stays(item)), key=_rank)


def _rank(item: pytest.Item) -> tuple[int, int, str]:
    """Rank tests by module, those that take long first, so that no worker is left with one in the end."""
    found = OF_A_MODULE.search(item.nodeid)
    if not found:
        return 1, 0, ""
    module = found[1]
    return 0 if CASES[module][0].acts else 2, -len(CASES[module]), module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Send all tests of a module to one worker, which then makes the runs that they share, and no others.

    Groups of pytest-xdist 3.8 would say so, but do not work with pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            module = OF_A_MODULE.search(nodeid)
            if module:
                return module[1]
            return file if Path(file).parent.name == HERE.name else nodeid

    config.option.loadscopereorder = False
    return Scheduling(config, log)
