# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an AWX has before its first job: an execution environment with the collection, a project, synced inventories."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import runner_jobs

from support.own_secrets import start_with_own_secrets
from support.playbook import COLLECTION, environment
from support.simulator import Simulator


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulator with tokens and keys of its own, for the whole session."""
    running = start_with_own_secrets(tmp_path_factory.mktemp("estate"))
    yield running
    running.stop()


@pytest.fixture
def sim(simulator: Simulator) -> Simulator:
    """The simulator as at its start, where nothing starts or ends by itself."""
    simulator.reset()
    simulator.clock(freeze=True)
    return simulator


def galaxy(folder: Path, *arguments: str, **more: str) -> None:
    """Runs ansible-galaxy collection in the checkout. folder: its home. Raises CalledProcessError."""
    command = [str(runner_jobs.PROGRAMS / "ansible-galaxy"), "collection", *arguments]
    subprocess.run(command, cwd=COLLECTION, env=environment(folder, **more), check=True, timeout=120)


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the collection."""
    folder = tmp_path_factory.mktemp("archive")
    galaxy(folder, "build", "--output-path", str(folder))
    (built,) = folder.glob("*.tar.gz")
    return built


@pytest.fixture(scope="session")
def site(archive: Path) -> Iterator[runner_jobs.Site]:
    """Where jobs run. The execution environment has the collection from its archive, the project is the checkout."""
    # A short name, because control sockets of ssh are below it.
    folder = Path(tempfile.mkdtemp(prefix="qs-awx-", dir="/tmp"))
    found = runner_jobs.Site(folder, folder / "project", folder / "collections", folder / "home")
    found.home.mkdir()
    # By force, because it would do nothing where the checkout itself is on Python's path.
    galaxy(found.home, "install", str(archive), "--force", ANSIBLE_COLLECTIONS_PATH=str(found.collections))
    ignored = shutil.ignore_patterns(*runner_jobs.NOT_IN_GIT)
    shutil.copytree(COLLECTION, found.project, ignore=ignored, symlinks=True)
    yield found
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def credentials(simulator: Simulator) -> dict[str, runner_jobs.Credential]:
    """A credential of each type, by the name of the type."""
    types = {each["name"]: each for each in runner_jobs.data_of("credential_types")}
    return runner_jobs.credentials_of(simulator, types)


@pytest.fixture(scope="session")
def synced(
    site: runner_jobs.Site, simulator: Simulator, credentials: dict[str, runner_jobs.Credential]
) -> tuple[runner_jobs.Inventory, dict[str, runner_jobs.Running]]:
    """The inventory with both sources updated, and the updates by platform."""
    simulator.reset()
    simulator.clock(freeze=True)
    inventory = runner_jobs.Inventory()
    runs = {}
    for platform, credential in credentials.items():
        source = f"extensions/awx/inventory/quayside.{platform.lower()}.yml"
        runs[platform], exported = runner_jobs.update(site, source, [credential], verbosity=2)
        assert exported is not None, runs[platform].stdout + runs[platform].explanation
        runner_jobs.save(inventory, exported)
    return inventory, runs


@pytest.fixture
def inventory(synced: tuple[runner_jobs.Inventory, Any]) -> runner_jobs.Inventory:
    """The inventory with both sources updated."""
    return synced[0]


@pytest.fixture(scope="session")
def surveys() -> dict[str, Any]:
    """The surveys of the job templates, by the name of the playbook."""
    return {Path(each["playbook"]).stem: each["survey_spec"] for each in runner_jobs.data_of("job_templates")}
