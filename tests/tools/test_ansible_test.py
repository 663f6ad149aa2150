# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading what ansible-test says."""

from __future__ import annotations

import pytest

from tools.ansible_test import integration_cases, unexpected_skips
from tools.report import Case

NOT_FOUND = 'Skipping sanity test "import" on Python 3.14 because it could not be found.'


@pytest.mark.parametrize(
    "reason",
    [
        NOT_FOUND,
        'Skipping sanity test "pylint" on Python 3.14 because it is unsupported. Supported Python versions: 3.12, 3.13',
        'Required program "pwsh" not found.',
    ],
)
def test_known_skips_are_let_through(reason: str) -> None:
    assert unexpected_skips([Case("sanity.x", "skipped", reason)], {"3.11", "3.12"}) == []


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        (NOT_FOUND, {"3.14"}),  # ansible-test did not find what we found
        ('Required program "shellcheck" not found.', set()),
        ('Skipping sanity test "import" on Python 3.12 due to missing virtual environment support.', set()),
    ],
)
def test_other_skips_are_reported(reason: str, found: set[str]) -> None:
    cases = [Case("sanity.good", "passed"), Case("sanity.x", "skipped", reason)]
    assert [case.name for case in unexpected_skips(cases, found)] == ["sanity.x"]


OUTPUT = """
Running project_info integration test role
ERROR: Command "ansible-playbook project_info-x.yml" returned exit status 2.
FATAL: The 2 integration test(s) listed below (out of 3) failed. See error output above for details:
addon_info
project_info
"""


def test_each_integration_target_is_one_test() -> None:
    cases = integration_cases(["addon_info", "needs_root", "project_info", "template_info"], {"template_info"}, OUTPUT)
    assert [(case.name, case.state) for case in cases] == [
        ("addon_info", "failed"),
        ("needs_root", "skipped"),
        ("project_info", "failed"),
        ("template_info", "passed"),
    ]


def test_without_a_failure_what_passed_is_what_was_recorded() -> None:
    cases = integration_cases(["a", "b"], {"a", "b"}, "Running a integration test role\n")
    assert [case.state for case in cases] == ["passed", "passed"]
