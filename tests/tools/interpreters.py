# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds Python interpreters by running them, and chooses which ansible-core is tested on which.

Versions are strings of two numbers, such as "3.12" and "2.21".
"""

from __future__ import annotations

import functools
import glob
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# Controller Pythons of each ansible-core, from its `requires-python` and the support matrix of the Ansible docs.
SUPPORT = {
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}
# A release candidate: its failures are shown, and fail nothing.
CANDIDATES = {"2.22": ("3.13", "3.14")}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
COMMON_PYTHONS = ("3.11", "3.12", "3.13")

# venv and ensurepip are separate packages on Debian; ansible-test needs both.
PROBE = (
    "import sys, os, json, venv, ensurepip; base = getattr(sys, '_base_executable', sys.executable);"
    "print(json.dumps([list(sys.version_info[:3]), os.path.realpath(base)]))"
)


@dataclass(frozen=True)
class Interpreter:
    """A Python that was run and answered."""

    version: str
    full_version: str
    path: Path


@dataclass(frozen=True)
class Pair:
    """An ansible-core and the interpreter it is tested on."""

    core: str
    python: Interpreter

    @property
    def name(self) -> str:
        """Such as `2.21-py3.13`; names the nox session and the environment."""
        return f"{self.core}-py{self.python.version}"

    @property
    def title(self) -> str:
        """The pair for people."""
        return f"ansible-core {self.core}, Python {self.python.full_version}"


def number(version: str) -> tuple[int, ...]:
    """Turn "3.12" into (3, 12), for comparing."""
    return tuple(int(part) for part in version.split("."))


def probe(candidate: str) -> Interpreter | None:
    """Run a candidate. None if it does not start (a pyenv shim of another version exits 127) or lacks venv."""
    try:
        done = subprocess.run(
            [candidate, "-I", "-c", PROBE],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        version, path = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Interpreter(f"{version[0]}.{version[1]}", ".".join(map(str, version)), Path(path))


def pyenv_root() -> Path:
    """The folder of pyenv's versions; it need not exist."""
    if root := os.environ.get("PYENV_ROOT"):
        return Path(root)
    try:
        done = subprocess.run(["pyenv", "root"], capture_output=True, text=True, timeout=20, check=True)
        return Path(done.stdout.strip())
    except (OSError, subprocess.SubprocessError):
        return Path.home() / ".pyenv"


def candidates() -> list[str]:
    """Files that may be interpreters: this one, those on PATH, then those of pyenv and uv, newest patch first."""
    found = [sys.executable]
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found += [os.path.join(folder, name) for name in ("python3", *(f"python{version}" for version in PYTHONS))]
    for stem in (pyenv_root() / "versions", Path.home() / ".local/share/uv/python"):
        for version in PYTHONS:
            found += sorted(
                glob.glob(f"{glob.escape(str(stem))}/*{version}*/bin/python{version}"), key=_patch, reverse=True
            )
    return [path for path in dict.fromkeys(found) if os.access(path, os.X_OK)]


def _patch(path: str) -> tuple[int, ...]:
    folder = Path(path).parents[1].name.removeprefix("cpython-").split("-")[0]
    return tuple(int(part) for part in folder.split(".") if part.isdigit())


@functools.cache
def find_interpreters() -> dict[str, Interpreter]:
    """One interpreter for each version of PYTHONS that was found, oldest version first."""
    found: dict[str, Interpreter] = {}
    for candidate in candidates():
        interpreter = probe(candidate)
        if interpreter and interpreter.version in PYTHONS:
            found.setdefault(interpreter.version, interpreter)
    return {version: found[version] for version in PYTHONS if version in found}


def newest_pair(found: dict[str, Interpreter]) -> Pair | None:
    """The newest ansible-core that the found interpreters allow, on the newest of them that it supports."""
    for core in sorted(SUPPORT, key=number, reverse=True):
        for version in sorted(SUPPORT[core], key=number, reverse=True):
            if version in found:
                return Pair(core, found[version])
    return None


def candidate_pairs(found: dict[str, Interpreter]) -> list[Pair]:
    """Each release candidate that has an interpreter, on the newest one that it supports."""
    pairs = []
    for core, supported in CANDIDATES.items():
        versions = [version for version in sorted(supported, key=number) if version in found]
        pairs += [Pair(core, found[version]) for version in versions[-1:]]
    return pairs


def oldest_pairs(found: dict[str, Interpreter]) -> list[Pair]:
    """Each ansible-core that has an interpreter, oldest first, on the oldest one that it supports."""
    pairs = []
    for core in sorted(SUPPORT, key=number):
        versions = [version for version in sorted(SUPPORT[core], key=number) if version in found]
        if versions:
            pairs.append(Pair(core, found[versions[0]]))
    return pairs


def tested_pairs(found: dict[str, Interpreter]) -> list[Pair]:
    """All pairs that `make test-all` and `make test` use, the newest release last."""
    newest = newest_pair(found)
    others = [*candidate_pairs(found), *oldest_pairs(found)]
    return [pair for pair in others if pair != newest] + ([newest] if newest else [])


def missing_lines(found: dict[str, Interpreter]) -> list[str]:
    """A line for each common interpreter that is missing, and for each ansible-core that goes untested."""
    lines = [f"MISSING: no working Python {version} was found" for version in COMMON_PYTHONS if version not in found]
    for core, versions in SUPPORT.items():
        if not set(versions) & set(found):
            lines.append(f"NOT TESTED: ansible-core {core} needs Python {' or '.join(versions)}, none was found")
    return lines
