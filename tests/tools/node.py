# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installs the npm packages of a suite in `.cache/node`, where there is a Node.js."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from tools import environments, paths

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = paths.ROOT / "tests" / "conformance" / "cycle_client"
FILES = ("package.json", "package-lock.json")
SECONDS = 120  # for an installation
MINIMUM = 20  # the oldest Node.js that the packages want

# For the suite: the folder with node_modules, or why there is none.
FOLDER = "NODE_PACKAGES"
LACK = "NODE_PACKAGES_LACK"


def variables() -> dict[str, str]:
    """Variables for the suite that runs programs of these packages; installs them unless that has been done."""
    folder = paths.CACHE / "node"
    lack = missing() or install(SOURCE, folder)
    return {LACK: lack} if lack else {FOLDER: str(folder)}


def missing() -> str:
    """What of Node.js is not on PATH, or too old; "" if nothing."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not on PATH"
    version = node_version()
    major = version.lstrip("v").partition(".")[0]
    return "" if major.isdecimal() and int(major) >= MINIMUM else f"Node.js {MINIMUM} is wanted, not {version}"


def node_version() -> str:
    """The version of Node.js, such as "v20.20.2"."""
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()


def install(source: Path, folder: Path) -> str:
    """Install the packages of source's lock file in a folder unless they are there. Returns why it failed, or ""."""
    parts = [node_version(), *((source / name).read_text(encoding="utf-8") for name in FILES)]
    wanted = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    stamp = folder / ".complete"
    with environments.locked(folder):
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
            return ""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in FILES:
            shutil.copy2(source / name, folder / name)
        if lack := run_npm(folder):
            return lack
        stamp.write_text(wanted, encoding="utf-8")
    return ""


def run_npm(folder: Path) -> str:
    """Run npm on the lock file of a folder, without scripts of the packages. Returns why it failed, or ""."""
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    variables = environments.clean(os.environ)
    try:
        done = subprocess.run(
            command, cwd=folder, env=variables, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"npm did not install the packages within {SECONDS} s"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
    return f"npm could not install the packages: {lines[0]}"
