# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packages for Node.js: installed once, and a machine without it is told of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools import node

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def programs(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    """Make programs the only ones on PATH, from the lines of shell scripts."""
    folder.mkdir()
    for name, lines in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def source(tmp_path: Path) -> Path:
    """A folder with the two files of npm."""
    (tmp_path / "source").mkdir()
    for name in node.FILES:
        (tmp_path / "source" / name).write_text("{}", encoding="utf-8")
    return tmp_path / "source"


def test_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path / "bin", monkeypatch)
    assert node.missing() == "node is not on PATH"
    assert node.variables() == {node.LACK: "node is not on PATH"}


def test_no_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path / "bin", monkeypatch, node="echo v22.1.0")
    assert node.missing() == "npm is not on PATH"


def test_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version, told in (("v20.0.0", ""), ("v22.1.0", ""), ("v18.3.0", "Node.js 20 is wanted, not v18.3.0")):
        programs(tmp_path / version, monkeypatch, node=f"echo {version}", npm="exit 0")
        assert node.missing() == told


def test_what_is_installed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path / "bin", monkeypatch, node="echo v22.1.0", npm="echo once >> count")
    target, files = tmp_path / "target", source(tmp_path)
    for _turn in range(2):
        assert node.install(files, target) == ""
    assert (target / "count").read_text(encoding="utf-8") == "once\n"
    (files / node.FILES[1]).write_text('{"changed": true}', encoding="utf-8")
    (target / "old").touch()
    assert node.install(files, target) == ""
    assert not (target / "old").exists()
    assert (target / node.FILES[1]).read_text(encoding="utf-8") == '{"changed": true}'


def test_a_failure_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path / "bin", monkeypatch, node="echo v22.1.0", npm="echo 'npm error 404 there is none' >&2; exit 1")
    target, files = tmp_path / "target", source(tmp_path)
    assert node.install(files, target) == "npm could not install the packages: npm error 404 there is none"
    programs(tmp_path / "other", monkeypatch, node="echo v22.1.0", npm="exit 0")
    assert node.install(files, target) == ""


def test_versions_are_exact_and_the_lock_names_no_address() -> None:
    listed = json.loads((node.SOURCE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((node.SOURCE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert listed == {name: locked[f"node_modules/{name}"]["version"] for name in listed}
    assert all("integrity" in package and "resolved" not in package for name, package in locked.items() if name)
