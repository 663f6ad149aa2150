# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser, and the page that the role estate_report writes about the shipped estate."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.playbook import run_playbook
from support.simulator import Simulator

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MOMENT = "2026-11-02T08:00:00Z"  # where the clock of the shipped estate starts
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# It runs as whoever runs the tests, root too, and has nothing to ask of anybody.
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium of this machine."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"NO BROWSER: the page was not looked at, because none of {', '.join(BROWSERS)} is in the path")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=program, args=SWITCHES)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def folder(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the three files of a report, made by the playbook from the simulator."""
    simulator.reset()
    simulator.clock(set=MOMENT, freeze=True)
    place = tmp_path_factory.mktemp("report")
    run = run_playbook(
        place / "run",
        "quayside.paas.estate_report",
        extra_vars={"estate_report_dest": str(place / "files"), "estate_report_now": MOMENT},
        env={
            "NORTHFLANK_API_BASE_URL": simulator.url,
            "NORTHFLANK_API_TOKEN": simulator.token,
            "CYCLE_BASE_URL": simulator.cycle.url,
            "CYCLE_API_KEY": simulator.cycle.key,
            "CYCLE_HUB_ID": simulator.cycle.hub,
        },
    )
    assert run.returncode == 0, run.output
    return place / "files"
