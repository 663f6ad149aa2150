# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The copy of the checkout."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools import tree

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")


def names(root: Path) -> set[str]:
    files = {path.relative_to(root) for path in root.rglob("*") if path.is_file()}
    return {str(path) for path in files if path.parts[0] != ".git"}


def test_an_unpacked_archive_is_copied_without_what_the_tools_made(tmp_path: Path) -> None:
    source, target = tmp_path / "checkout", tmp_path / "copy"
    write(source, "galaxy.yml", "plugins/modules/a.py", "plugins/__pycache__/a.pyc", ".cache/x", "tests/output/y")
    assert tree.sync(target, source) == 2
    assert names(target) == {"galaxy.yml", "plugins/modules/a.py"}


@needs_git
def test_a_checkout_is_copied_with_new_files_and_without_ignored_ones(tmp_path: Path) -> None:
    source, target = tmp_path / "any name", tmp_path / "copy"
    write(source, "galaxy.yml", "tracked.py", "gone.py", "new.py", "secret.txt")
    (source / ".gitignore").write_text("secret.txt\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", source], check=True)
    subprocess.run(["git", "-C", source, "add", "galaxy.yml", "tracked.py", "gone.py"], check=True)
    (source / "gone.py").unlink()
    tree.sync(target, source)
    assert names(target) == {".gitignore", "galaxy.yml", "tracked.py", "new.py"}


def test_a_second_copy_follows_changes_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "checkout", tmp_path / "copy"
    write(source, "stays.py", "old/removed.py", "changed.py")
    tree.sync(target, source)
    before = (target / "stays.py").stat().st_ino
    write(target, "tests/output/junit/x.xml", "left_behind.py")
    (source / "old" / "removed.py").unlink()
    (source / "changed.py").write_text("something longer", encoding="utf-8")
    tree.sync(target, source)
    assert names(target) == {"stays.py", "changed.py", "tests/output/junit/x.xml"}
    assert (target / "changed.py").read_text(encoding="utf-8") == "something longer"
    assert (target / "stays.py").stat().st_ino == before
    assert not (target / "old").exists()


@needs_git
def test_the_copy_is_a_repository_of_its_own(tmp_path: Path) -> None:
    source = tmp_path / "checkout"
    target = source / ".cache" / "copy"
    write(source, "galaxy.yml")
    (source / ".gitignore").write_text("/.cache/\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", source], check=True)
    tree.sync(target, source)
    listed = subprocess.run(["git", "ls-files"], cwd=target, check=True, capture_output=True, text=True).stdout
    assert listed.split() == [".gitignore", "galaxy.yml"]
