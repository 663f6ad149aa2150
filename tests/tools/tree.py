# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies the checkout to a folder `ansible_collections/quayside/paas` in `.cache`.

Ansible and ansible-test want a collection below a folder of that name and follow no symlink to it; a checkout may be
called anything.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tools import paths

# Without git: what is no part of the project. A subset of .gitignore, as names of any level.
LEFT_OUT = {".git", ".cache", ".ansible", ".nox", ".venv", "__pycache__", "build", "dist", ".mypy_cache", ".ruff_cache"}
LEFT_OUT_PATHS = {Path("tests/output"), Path("tests/integration/inventory")}
# In the copy: what the tools make there, and may find again.
KEPT = {".git", "__pycache__", ".ansible"}
KEPT_PATHS = {Path("tests/output")}


def project_files(root: Path) -> list[Path]:
    """Files of the project, relative to root: tracked and new ones, without what git ignores."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        top = subprocess.run([*command[:3], "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True)
        if Path(top.stdout.strip()).resolve() == root.resolve():
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            names = sorted(set(done.stdout.split("\0")) - {""})
            return [Path(name) for name in names if (root / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        pass  # no git, an unpacked archive, or a checkout of somebody else
    return sorted(walk(root, LEFT_OUT, LEFT_OUT_PATHS))


def walk(root: Path, names: set[str], relative: set[Path]) -> list[Path]:
    """Files below root, relative to it, without entries of these names and without these paths."""
    found = []
    for entry in root.iterdir():
        if entry.name in names or Path(entry.name) in relative:
            continue
        if entry.is_dir() and not entry.is_symlink():
            below = {path.relative_to(entry.name) for path in relative if path.parts[0] == entry.name}
            found += [Path(entry.name) / path for path in walk(entry, names, below)]
        else:
            found.append(Path(entry.name))
    return found


def sync(target: Path, source: Path = paths.ROOT) -> int:
    """Make target a copy of source's project files. Returns how many files it holds.

    Unchanged files stay untouched, so a suite that is reading them is not disturbed.
    """
    files = project_files(source)
    target.mkdir(parents=True, exist_ok=True)
    for extra in set(walk(target, KEPT, KEPT_PATHS)) - set(files):
        (target / extra).unlink()
    for path in files:
        if not same(source / path, target / path):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / path, target / path)
    remove_empty_folders(target)
    own_repository(target)
    return len(files)


def same(left: Path, right: Path) -> bool:
    """Whether two files agree in size, time and mode."""
    if not right.is_file():
        return False
    first, second = left.stat(), right.stat()
    return (first.st_size, first.st_mtime_ns, first.st_mode) == (second.st_size, second.st_mtime_ns, second.st_mode)


def remove_empty_folders(folder: Path) -> bool:
    """Remove folders without files (but for bytecode) below a folder. Returns whether it is such a folder itself."""
    empty = True
    for entry in list(folder.iterdir()):
        if entry.name in {".git", "output"}:
            empty = False
        elif entry.is_dir() and not entry.is_symlink():
            if entry.name != "__pycache__" and remove_empty_folders(entry):
                shutil.rmtree(entry)
            elif entry.name != "__pycache__":
                empty = False
        else:
            empty = False
    return empty


def own_repository(target: Path) -> None:
    """Give the copy a git repository of its own, with every file in its index.

    Without it ansible-test asks the checkout's repository, which ignores `.cache`, and reuse cannot tell what git
    ignores.
    """
    if shutil.which("git") is None:
        return
    if not (target / ".git").exists():
        subprocess.run(["git", "init", "--quiet", str(target)], check=True)
    subprocess.run(["git", "-C", str(target), "-c", "core.excludesFile=", "add", "--all"], check=True)
