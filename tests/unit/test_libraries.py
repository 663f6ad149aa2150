# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error for missing Python libraries."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from ansible_collections.quayside.paas.plugins.module_utils import _libraries

ROOT = Path(__file__).resolve().parents[2]


def test_the_versions_are_those_of_the_requirements_file() -> None:
    lines = re.findall(r"^[^#\n].*$", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert list(_libraries.REQUIREMENTS.values()) == lines


def test_the_readme_has_the_same_versions() -> None:
    command = " ".join(f'"{requirement}"' for requirement in _libraries.REQUIREMENTS.values())
    assert f"python -m pip install {command}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_command_can_be_pasted_into_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/home/me/my venv/bin/python")
    command = "'/home/me/my venv/bin/python' -m pip install 'requests>=2.28.0' 'websocket-client>=1.6.0'"
    message = _libraries.missing_libraries("requests", "websocket-client").message
    assert (
        message == f"Cannot import required Python libraries (requests, websocket-client). Install them with: {command}"
    )
