# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs `ansible-test sanity` and `ansible-test integration` without containers, and turns what they say into tests."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from tools import interpreters, paths
from tools.report import Case, read_cases

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

# Reasons to skip that say nothing about the collection. {python}: only when that interpreter was not found.
KNOWN_SKIPS = (
    r'Skipping sanity test "[\w-]+" on Python (?P<python>[\d.]+) because it could not be found\.',
    r'Skipping sanity test "[\w-]+" on Python [\d.]+ because it is unsupported\..*',
    r'Required program "pwsh" not found\.',
)


def sanity(bin_folder: Path, tree: Path, variables: Mapping[str, str], python: str | None = None) -> list[Case]:
    """Run every sanity test that needs no container on the tree. Returns the tests.

    Args:
        python: The only version on which files are compiled and imported; without it, every one that is found.
    """
    place_get_pip(bin_folder)
    shutil.rmtree(tree / "tests" / "output", ignore_errors=True)
    only = ["--python", python] if python else []
    code, _output = run(bin_folder, tree, ["sanity", "--local", "--junit", "--color", "no", *only], variables)
    cases = read_cases(tree / "tests" / "output" / "junit")
    for case in unexpected_skips(cases, interpreters.find_interpreters()):
        cases.append(Case(f"{case.name}: skip", "failed", f"this reason to skip is not on the list: {case.text}"))
    ignored = sorted(path.name for path in (tree / "tests" / "sanity").glob("ignore-*.txt"))
    cases.append(Case("no ignore file", "failed" if ignored else "passed", f"there must be none: {ignored}"))
    return with_exit_code(cases, code)


def integration(bin_folder: Path, tree: Path, variables: Mapping[str, str]) -> list[Case]:
    """Run every integration target of the tree. Returns one test for each."""
    shutil.rmtree(tree / "tests" / "output", ignore_errors=True)
    code, listed = run(bin_folder, tree, ["integration", "--local", "--list-targets"], variables, errors=False)
    targets = listed.split()
    if code or not targets:
        return [Case("targets", "failed", "there are no integration targets")]
    arguments = ["integration", "--local", "--continue-on-error", "--color", "no"]
    code, output = run(bin_folder, tree, arguments, variables)
    passed: set[str] = set()
    for path in (tree / "tests" / "output" / "data").glob("integration-*.json"):
        passed |= set(json.loads(path.read_text(encoding="utf-8"))["targets"])
    return with_exit_code(integration_cases(targets, passed, output), code)


def run(
    bin_folder: Path, tree: Path, arguments: Sequence[str], variables: Mapping[str, str], errors: bool = True
) -> tuple[int, str]:
    """Run ansible-test on the tree and show its output as it comes. Returns exit code and output.

    errors: whether the output includes what goes to the standard error.
    """
    print("$ ansible-test", *arguments, flush=True)
    lines = []
    with subprocess.Popen(
        [str(bin_folder / "ansible-test"), *arguments],
        cwd=tree,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if errors else None,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def place_get_pip(bin_folder: Path) -> None:
    """Put the stand-in for get-pip where this ansible-test looks for it before it downloads."""
    cache = paths.HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    versions = {"24.2", "25.2"}  # ansible-core 2.19; 2.20 to 2.22
    for source in bin_folder.parent.glob("lib/python*/site-packages/ansible_test/_internal/python_requirements.py"):
        versions |= set(re.findall(r"\bpip='([\d.]+)'", source.read_text(encoding="utf-8")))
    for version in versions:
        name = f"get_pip_{version.replace('.', '_')}.py"
        shutil.copyfile(paths.ROOT / "tests" / "tools" / "get_pip.py", cache / name)


def unexpected_skips(cases: Iterable[Case], found: Collection[str]) -> list[Case]:
    """Skipped tests whose reason is not known to be harmless. found: versions of the interpreters there are."""

    def harmless(reason: str) -> bool:
        for pattern in KNOWN_SKIPS:
            if match := re.fullmatch(pattern, reason.strip(), re.DOTALL):
                return match.groupdict().get("python") not in found
        return False

    return [case for case in cases if case.state == "skipped" and not harmless(case.text)]


def integration_cases(targets: Sequence[str], passed: Collection[str], output: str) -> list[Case]:
    """One test for each target: passed, failed (named in ansible-test's last error), or else left out by it."""
    match = re.search(r"integration test\(s\) listed below \(out of \d+\) failed\..*?:\n((?:[\w.-]+\n?)+)", output)
    failed = set(match.group(1).split()) if match else set()
    cases = []
    for target in targets:
        if target in failed:
            cases.append(Case(target, "failed", "see the output of ansible-test"))
        elif target in passed:
            cases.append(Case(target, "passed"))
        else:
            cases.append(Case(target, "skipped", "ansible-test left it out, see its warnings"))
    return cases


def with_exit_code(cases: list[Case], code: int) -> list[Case]:
    """The tests, and a failed one if ansible-test failed although none of them did."""
    if code and not any(case.state == "failed" for case in cases):
        return [*cases, Case("ansible-test", "failed", f"ended with exit code {code}")]
    return cases
