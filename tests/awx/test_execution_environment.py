# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment: what ansible-builder makes of its definition."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import runner_jobs
import yaml

from support.playbook import COLLECTION, environment

DEFINITION = "extensions/awx/execution-environment/execution-environment.yml"


def builder(folder: Path, *arguments: str) -> str:
    """Runs ansible-builder in a folder and returns what it printed. Raises CalledProcessError."""
    command = [str(runner_jobs.PROGRAMS / "ansible-builder"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), text=True, stdout=subprocess.PIPE, check=True, timeout=60
    )
    return done.stdout


def test_it_needs_what_the_collection_says(site: runner_jobs.Site, tmp_path: Path) -> None:
    printed = builder(tmp_path, "introspect", str(site.collections))
    needed = yaml.safe_load(printed.split("---")[-1])
    lines = {kind: sorted(line.partition("#")[0].strip() for line in needed[kind]) for kind in ("python", "system")}
    patterns = {
        "python": [r"requests>=\S+", r"websocket-client>=\S+"],
        "system": [r"openssh-client \[platform:dpkg\]", r"openssh-clients \[platform:rpm\]"],
    }
    for kind, wanted in patterns.items():
        assert len(lines[kind]) == len(wanted), printed
        assert all(map(re.fullmatch, wanted, lines[kind])), printed


@pytest.fixture(scope="module")
def context(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build context, made in a checkout with the archive where ansible-galaxy puts it."""
    checkout = tmp_path_factory.mktemp("checkout")
    shutil.copytree(COLLECTION / "extensions", checkout / "extensions")
    shutil.copy(archive, checkout)
    builder(checkout, "create", "--file", DEFINITION, "--context", "build/ee", "--output-filename", "Containerfile")
    return checkout / "build" / "ee"


def test_the_context_has_the_collection_as_it_is_now(context: Path) -> None:
    (required,) = yaml.safe_load((context / "_build" / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    version = yaml.safe_load((COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert required == {"name": f"archives/quayside-paas-{version}.tar.gz", "type": "file"}, (
        f"{DEFINITION} has to name the archive of version {version}, twice"
    )
    with tarfile.open(context / "_build" / required["name"]) as archive:
        names = archive.getnames()
    assert {"MANIFEST.json", "requirements.txt", "meta/ee-bindep.txt", "roles/simulator/README.md"} <= set(names)


def test_the_container_file_has_what_the_definition_says(context: Path) -> None:
    text = (context / "Containerfile").read_text(encoding="utf-8")
    assert 'ARG EE_BASE_IMAGE="quay.io/centos/centos:stream9"' in text
    assert 'ARG PYCMD="/usr/bin/python3.12"' in text
    assert re.search(r'^ARG ANSIBLE_INSTALL_REFS="ansible-core~=2\.21\.\d+ ansible-runner~=2\.4\.\d+"$', text, re.M)
    # What the collection needs is found out while building, from the collection.
    assert "introspect.py introspect" in text
