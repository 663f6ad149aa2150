# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at the built collection. Usage: `check_package.py import FOLDER` or `check_package.py introspect FOLDER`.

import: what Galaxy does with an uploaded archive, warnings included.
introspect: what an execution environment installs.
Runs in the environment of tests/requirements/package.txt.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

# Patterns of the requirements, in order of their names.
EXPECTED: dict[str, list[str]] = {
    "python": [r"requests>=\S+", r"websocket-client>=\S+"],
    "system": [r"openssh-client \[platform:dpkg\]", r"openssh-clients \[platform:rpm\]"],
}


def check_import(folder: Path) -> list[str]:
    """Import the archives in a folder. Returns what is wrong: errors, and warnings too."""
    archives = list(folder.glob("*.tar.gz"))
    if len(archives) != 1:
        return [f"{folder} holds {len(archives)} archives"]
    command = [sys.executable, "-m", "galaxy_importer.main", str(archives[0])]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd=folder)
    print(done.stdout)
    wrong = [line for line in done.stdout.splitlines() if re.match(r"(WARNING|ERROR|CRITICAL)\b", line)]
    return wrong or ([f"exit code {done.returncode}"] if done.returncode else [])


def check_introspection(folder: Path) -> list[str]:
    """Ask ansible-builder for the dependencies of the collections in a folder. Returns what differs from EXPECTED."""
    command = [str(Path(sys.executable).with_name("ansible-builder")), "introspect", str(folder)]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True)
    print(done.stdout)
    found = yaml.safe_load(done.stdout.split("---")[-1]) or {}
    return differences(found)


def differences(found: dict[str, list[str]]) -> list[str]:
    """What in ansible-builder's answer is not exactly EXPECTED."""
    wrong = []
    for kind, patterns in EXPECTED.items():
        lines = sorted(line.partition("#")[0].strip() for line in found.get(kind) or [])
        if len(lines) != len(patterns) or not all(map(re.fullmatch, patterns, lines)):
            wrong.append(f"{kind} dependencies are {lines}, expected {patterns or 'none'}")
    return wrong


def main() -> int:
    """Run the check named by the first argument. Returns 1 if something is wrong."""
    check = {"import": check_import, "introspect": check_introspection}[sys.argv[1]]
    wrong = check(Path(sys.argv[2]))
    print(*(f"wrong: {line}" for line in wrong), sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
