# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables and requirements of the environments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools import environments, interpreters, paths

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_depends_on_the_person_is_left_out() -> None:
    given = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "NORTHFLANK_API_TOKEN": "secret",
        "NF_API_TOKEN": "secret",
        "ANSIBLE_CONFIG": "/home/me/ansible.cfg",
        "PYTHONPATH": "/x",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_DIR": "/y",
        "HTTPS_PROXY": "http://proxy",
    }
    assert set(environments.clean(given)) == {"PATH", "HOME", "HTTPS_PROXY"}


def test_the_demo_keeps_the_variables_of_the_platform() -> None:
    given = {"NORTHFLANK_API_TOKEN": "secret", "NF_API_TOKEN": "secret", "ANSIBLE_CONFIG": "x"}
    assert set(environments.clean(given, keep="(NORTHFLANK|NF)_.*")) == {"NORTHFLANK_API_TOKEN", "NF_API_TOKEN"}


def test_the_suites_are_told_where_the_specification_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CYCLE_OPENAPI", "/somewhere/cycle.yml")
    monkeypatch.setenv("CYCLE_API_KEY", "secret")
    variables = environments.session_variables(tmp_path, tmp_path)
    assert variables["CYCLE_OPENAPI"] == "/somewhere/cycle.yml"
    assert "CYCLE_API_KEY" not in variables


def test_uv_is_told_what_pip_is_set_to() -> None:
    variables = environments.uv_variables({"index-url": "https://mirror/simple", "cert": "/etc/ca.pem"}, {})
    assert variables["UV_DEFAULT_INDEX"] == "https://mirror/simple"
    assert variables["SSL_CERT_FILE"] == "/etc/ca.pem"
    assert variables["UV_PYTHON_DOWNLOADS"] == "never"


def test_what_uv_is_told_already_comes_first() -> None:
    given = {"UV_DEFAULT_INDEX": "https://mine/simple", "SSL_CERT_FILE": "/my/ca.pem"}
    variables = environments.uv_variables({"index-url": "https://mirror/simple", "cert": "/etc/ca.pem"}, given)
    assert variables | given == variables


def test_folders_of_shims_are_told_apart() -> None:
    assert environments.is_shims("/home/me/.pyenv/shims")
    assert environments.is_shims("/home/me/.pyenv/shims/")
    assert not environments.is_shims("/home/me/.pyenv/versions/3.12.1/bin")
    assert not environments.is_shims("/usr/bin")


def test_any_patch_of_an_ansible_core_will_do() -> None:
    assert environments.core_specifier("2.21") == "ansible-core~=2.21.0"


def test_the_oldest_requests_that_is_tested_is_the_one_that_is_promised() -> None:
    requirements = environments.COLLECTION_REQUIREMENTS.read_text(encoding="utf-8")
    promised = re.search(r"^requests>=(.+)$", requirements, re.MULTILINE)
    floor = (environments.REQUIREMENTS / "floor.txt").read_text(encoding="utf-8")
    assert promised
    assert f"requests=={promised.group(1)}\n" in floor


def test_the_oldest_core_that_is_tested_is_the_one_that_is_required() -> None:
    runtime = (paths.ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8")
    oldest = min(interpreters.SUPPORT, key=interpreters.number)
    assert f'requires_ansible: ">={oldest}.0"' in runtime
