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

from tools import environments, interpreters, paths
from tools.report import Case, read_cases, write_cases

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

OUTPUT = paths.TREE / "tests" / "output"

# Reasons to skip that say nothing about the collection. {python}: only when that interpreter was not found.
KNOWN_SKIPS = (
    r'Skipping sanity test "[\w-]+" on Python (?P<python>[\d.]+) because it could not be found\.',
    r'Skipping sanity test "[\w-]+" on Python [\d.]+ because it is unsupported\..*',
    r'Required program "pwsh" not found\.',
)


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


def place_get_pip(bin_folder: Path) -> None:
    """Put the stand-in for get-pip where this ansible-test looks for it before it downloads."""
    cache = paths.HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    versions = {"24.2", "25.2"}  # ansible-core 2.18 and 2.19; 2.20 to 2.22
    for requirements in bin_folder.parent.glob(
        "lib/python*/site-packages/ansible_test/_internal/python_requirements.py"
    ):
        versions |= set(re.findall(r"\bpip='([\d.]+)'", requirements.read_text(encoding="utf-8")))
    for version in versions:
        shutil.copyfile(
            paths.ROOT / "tests" / "tools" / "get_pip.py", cache / f"get_pip_{version.replace('.', '_')}.py"
        )


def run(bin_folder: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
    """Run ansible-test on the tree, show its output as it comes. Returns exit code and output."""
    command = [str(bin_folder / "ansible-test"), *arguments]
    print("$ ansible-test", *arguments, flush=True)
    lines = []
    with subprocess.Popen(
        command,
        cwd=paths.TREE,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        errors="replace",
    ) as process:
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def sanity(bin_folder: Path, results: Path) -> int:
    """Run every sanity test that needs no container. Writes JUnit files to results; returns 0 if all went well."""
    shutil.rmtree(OUTPUT / "junit", ignore_errors=True)
    place_get_pip(bin_folder)
    environment = environments.session_environment(bin_folder)
    code, _output = run(bin_folder, ["sanity", "--local", "--junit", "--color", "no"], environment)
    cases = read_cases(OUTPUT / "junit")
    for case in unexpected_skips(cases, interpreters.find_interpreters()):
        cases.append(
            Case(f"{case.name}: skips", "failed", f"skipped for a reason that is not on the list: {case.text}")
        )
    ignored = sorted(path.name for path in (paths.TREE / "tests" / "sanity").glob("ignore-*.txt"))
    state = "failed" if ignored else "passed"
    cases.append(Case("no ignore file", state, f"this collection has no sanity ignores: {', '.join(ignored)}"))
    write_cases(results / "sanity.xml", cases)
    return code or int(any(case.state == "failed" for case in cases))


def integration(bin_folder: Path, results: Path) -> int:
    """Run every integration target. Writes a JUnit file to results; returns 0 if all went well."""
    shutil.rmtree(OUTPUT / "data", ignore_errors=True)
    environment = environments.session_environment(bin_folder)
    listing = [str(bin_folder / "ansible-test"), "integration", "--local", "--list-targets"]
    listed = subprocess.run(listing, cwd=paths.TREE, env=environment, capture_output=True, text=True, check=False)
    targets = listed.stdout.split()
    if listed.returncode or not targets:
        print(f"no integration targets\n{listed.stderr}", flush=True)
        return 1
    arguments = ["integration", "--local", "--continue-on-error", "--color", "no"]
    code, output = run(bin_folder, arguments, environment)
    passed: set[str] = set()
    for path in (OUTPUT / "data").glob("integration-*.json"):
        passed |= set(json.loads(path.read_text(encoding="utf-8"))["targets"])
    cases = integration_cases(targets, passed, output)
    write_cases(results / "integration.xml", cases)
    return code
