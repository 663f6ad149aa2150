# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding interpreters, and the choice of what is tested on which."""

from __future__ import annotations

import sys
from pathlib import Path

from tools import interpreters
from tools.interpreters import Interpreter


def found(*versions: str) -> dict[str, Interpreter]:
    return {version: Interpreter(version, f"{version}.1", Path(f"/opt/python{version}")) for version in versions}


def names(pairs: list[interpreters.Pair]) -> list[str]:
    return [pair.name for pair in pairs]


def test_the_newest_core_takes_the_newest_interpreter_it_supports() -> None:
    newest = interpreters.newest_pair(found("3.11", "3.12", "3.13"))
    assert newest
    assert newest.name == "2.21-py3.13"


def test_with_python_3_11_alone_the_newest_core_is_2_19() -> None:
    newest = interpreters.newest_pair(found("3.11"))
    assert newest
    assert newest.name == "2.19-py3.11"


def test_without_interpreters_nothing_is_chosen() -> None:
    assert interpreters.newest_pair({}) is None
    assert interpreters.tested_pairs({}) == []


def test_every_core_takes_the_oldest_interpreter_it_supports() -> None:
    pairs = interpreters.oldest_pairs(found("3.11", "3.12", "3.13"))
    assert names(pairs) == ["2.19-py3.11", "2.20-py3.12", "2.21-py3.12"]
    assert names(interpreters.oldest_pairs(found("3.13"))) == [f"2.{minor}-py3.13" for minor in (19, 20, 21)]


def test_the_tested_pairs_end_with_the_newest_and_repeat_nothing() -> None:
    assert names(interpreters.tested_pairs(found("3.11", "3.12", "3.13")))[-2:] == ["2.21-py3.12", "2.21-py3.13"]
    assert names(interpreters.tested_pairs(found("3.13"))) == [f"2.{minor}-py3.13" for minor in (22, 19, 20, 21)]


def test_a_release_candidate_is_never_the_newest_core() -> None:
    assert names(interpreters.candidate_pairs(found("3.11", "3.13"))) == ["2.22-py3.13"]
    assert interpreters.candidate_pairs(found("3.11", "3.12")) == []


def test_what_is_missing_is_said() -> None:
    assert interpreters.missing_lines(found("3.11", "3.12", "3.13")) == []
    lines = interpreters.missing_lines(found("3.11"))
    assert "MISSING: no working Python 3.12 was found" in lines
    assert "MISSING: no working Python 3.13 was found" in lines
    assert "NOT TESTED: ansible-core 2.21 needs Python 3.12 or 3.13 or 3.14, none was found" in lines
    assert not any("2.19" in line for line in lines)


def test_versions_compare_as_numbers() -> None:
    assert max(("3.9", "3.11"), key=interpreters.number) == "3.11"


def test_an_interpreter_is_asked_for_its_version() -> None:
    answer = interpreters.probe(sys.executable)
    assert answer
    assert answer.full_version == ".".join(map(str, sys.version_info[:3]))
    assert answer.path.is_file()


def test_a_program_that_does_not_start_is_no_interpreter(tmp_path: Path) -> None:
    shim = tmp_path / "python3.12"
    shim.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    assert interpreters.probe(str(shim)) is None
    assert interpreters.probe(str(tmp_path / "absent")) is None


def test_a_program_that_says_something_else_is_no_interpreter(tmp_path: Path) -> None:
    program = tmp_path / "python3.12"
    program.write_text("#!/bin/sh\necho hello\n", encoding="utf-8")
    program.chmod(0o755)
    assert interpreters.probe(str(program)) is None


def test_the_newest_patch_of_pyenv_comes_first() -> None:
    folders = ["/p/versions/3.12.1/bin/python3.12", "/p/versions/3.12.10/bin/python3.12"]
    assert max(folders, key=interpreters._patch) == folders[1]
    assert interpreters._patch("/u/cpython-3.13.2-linux-x86_64-gnu/bin/python3.13") == (3, 13, 2)
