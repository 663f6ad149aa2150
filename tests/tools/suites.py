# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bodies of the nox sessions. Each leaves JUnit files in the work folder's `results/SESSION`."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import nox
import nox.command

from tools import environments, node, pages, paths, tree
from tools.report import Case, write_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tools.interpreters import Pair

# For one test, against hangs only. In proportion to the limits of the tests themselves, see tests/support/settings.py.
TEST_SECONDS = 300 * float(os.environ.get("TEST_TIMEOUT_FACTOR", "4"))

NO_TESTS = 5  # pytest's exit code when none is selected

ENGINE = "ansible_collections.quayside.paas.plugins"
LINTERS = {
    "ruff format": ["ruff", "format", "--check", "--diff", "."],
    "ruff check": ["ruff", "check", "."],
    "mypy engine": [
        "mypy", "-p", f"{ENGINE}.module_utils", "-p", f"{ENGINE}.plugin_utils", "-p", f"{ENGINE}.action",
        "-p", f"{ENGINE}.inventory", "-p", f"{ENGINE}.connection", "-p", f"{ENGINE}.become", "-p", f"{ENGINE}.filter",
    ],
    "mypy simulator": ["mypy", "roles/simulator/files/paas_simulator"],
    "mypy tools": ["mypy", "-m", "noxfile", "-p", "tools"],
    "yamllint": ["yamllint", "--strict", "."],
    "ansible-lint": ["ansible-lint", "--profile", "production", "--offline", "--strict"],
}  # fmt: skip
DOCS = {
    "antsibull-docs lint": [
        "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "all",
        "--check-extra-docs-refs", "--skip-rstcheck", ".",
    ],
    "antsibull-changelog lint": ["antsibull-changelog", "lint"],
    "antsibull-changelog lint-changelog-yaml": [
        "antsibull-changelog", "lint-changelog-yaml", "--strict", "changelogs/changelog.yaml",
    ],
}  # fmt: skip
LICENCE = {"reuse lint": ["reuse", "lint"]}

# Every warning is an error but these. Nothing is fetched, so references to documentation elsewhere and to variables
# stay plain text; a changelog without a release has no title; the highlighter knows Ansible's output only as JSON.
SPHINX_SETTINGS = """
intersphinx_mapping = {}
suppress_warnings = ["ref.ref", "ref.envvar", "toc.no_title", "misc.highlighting_failure"]

from docutils.parsers.rst import Directive, directives

# furo lists the sections beside a page, and shows a table of contents within the page as an error.
class NoContents(Directive):
    option_spec = {"local": directives.flag, "depth": directives.nonnegative_int}

    def run(self):
        return []

directives.register_directive("contents", NoContents)
"""


@dataclass(frozen=True)
class Setting:
    """What a session works with: an environment, a copy of the checkout, a folder for results, variables."""

    session: nox.Session
    bin_folder: Path
    collections: Path
    tree: Path
    results: Path
    variables: dict[str, str]

    def run(self, command: list[str], variables: Mapping[str, str] | None = None, codes: Sequence[int] = (0,)) -> None:
        """Run a program of the environment on the tree, with exactly these variables.

        Raises CommandFailed unless its exit code is one of these.
        """
        program = str(self.bin_folder / command[0])
        self.session.run(
            program,
            *command[1:],
            env=variables or self.variables,
            include_outer_env=False,
            external=True,
            success_codes=codes,
        )


def prepare(session: nox.Session, make_environment: Callable[[Pair], Path], pair: Pair) -> Setting:
    """Make the environment, copy the checkout, lay out the home folder, empty the results, and go to the copy."""
    try:
        bin_folder = make_environment(pair)
    except subprocess.CalledProcessError as error:
        session.error(f"the environment cannot be made: {error.cmd[:3]} ended with exit code {error.returncode}")
    name = session.name.partition("(")[0]
    tree.sync(paths.tree(name))
    environments.prepare_home()
    session.chdir(paths.tree(name))
    results = paths.RESULTS / session.name
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    variables = environments.session_variables(bin_folder, paths.collections(name))
    return Setting(session, bin_folder, paths.collections(name), paths.tree(name), results, variables)


def run_pytest(
    session: nox.Session,
    pair: Pair,
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    environment: Callable[[Pair], Path] = environments.core_environment,
) -> None:
    """Run pytest on folders of the tree, in an environment, with these variables besides.

    Arguments of the session (behind `--`) follow these; if there are paths among them, they replace the folders.
    """
    setting = prepare(session, environment, pair)
    selects = any(argument.startswith("tests/") for argument in session.posargs)
    given = [argument for argument in arguments if not (selects and argument.startswith("tests/"))]
    command = ["python", "-m", "pytest", f"--junit-xml={setting.results / 'pytest.xml'}", "-o", "junit_family=xunit1"]
    command += ["--tb=short", f"--timeout={TEST_SECONDS}", *given, *session.posargs]
    codes = (0, NO_TESTS) if session.posargs else (0,)
    setting.run(command, setting.variables | {"BENCH_FOLDER": str(paths.CACHE / "bench"), **(variables or {})}, codes)


def run_conformance(session: nox.Session, pair: Pair) -> None:
    """Run the suite that takes the vendor's clients; those for Node.js where it can be had."""
    variables = node.variables()
    for name, value in variables.items():
        session.log(f"{name}: {value}")
    run_pytest(session, pair, "tests/conformance", variables=variables)


def run_ansible_test(session: nox.Session, pair: Pair, run: Callable[[Path, Path, dict[str, str]], list[Case]]) -> None:
    """Run `ansible_test.sanity` or `ansible_test.integration` on the tree."""
    setting = prepare(session, environments.core_environment, pair)
    cases = run(setting.bin_folder, setting.tree, setting.variables)
    conclude(setting, cases)


def run_tools(session: nox.Session, pair: Pair, tools: Mapping[str, list[str]]) -> None:
    """Run every tool on the tree, each counting as a test."""
    setting = prepare(session, environments.lint_environment, pair)
    variables = setting.variables | {
        "MYPYPATH": os.pathsep.join([str(setting.collections), str(setting.tree / "tests")]),
        "MYPY_CACHE_DIR": str(paths.CACHE / "mypy"),
        "RUFF_CACHE_DIR": str(paths.CACHE / "ruff"),
    }
    conclude(setting, [run_tool(setting, name, command, variables) for name, command in tools.items()])


def run_package(session: nox.Session, pair: Pair) -> None:
    """Build the collection, import it as Galaxy would, and run the demo from it."""
    setting = prepare(session, environments.package_environment, pair)
    dist = paths.CACHE / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    build = ["ansible-galaxy", "collection", "build", "--output-path", str(dist)]
    check = ["python", str(setting.tree / "tests" / "tools" / "check_package.py")]
    importer = setting.variables | {
        "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true",
        "GALAXY_IMPORTER_RUN_ANSIBLE_LINT": "false",  # the lint session does, with the stricter profile
    }
    demo = [str(paths.BOOT / "python"), str(paths.ROOT / "tests" / "tools" / "main.py"), "demo"]
    cases = [
        run_tool(setting, "ansible-galaxy build", build),
        run_tool(setting, "galaxy-importer", [*check, str(dist)], importer),
        run_tool(setting, "demo", demo, environments.clean(os.environ)),
    ]
    conclude(setting, cases)


def build_docs(session: nox.Session, pair: Pair) -> None:
    """Write the documentation of the collection as HTML, and look at the pages."""
    setting = prepare(session, environments.lint_environment, pair)
    folder = paths.CACHE / "docs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    init = ["antsibull-docs", "sphinx-init", "--use-current", "--squash-hierarchy", "--fail-on-error"]
    init += ["--sphinx-theme", "furo", "--dest-dir", str(folder), "quayside.paas"]
    init += ["--project", "quayside.paas", "--title", "quayside.paas"]
    setting.run(init)
    with (folder / "conf.py").open("a", encoding="utf-8") as configuration:
        configuration.write(SPHINX_SETTINGS)
    built = run_tool(setting, "every page is written without a warning", [str(folder / "build.sh")])
    conclude(setting, [built, pages.check_error_boxes(folder / "build" / "html")])
    session.log(f"open {folder / 'build' / 'html' / 'index.html'}")


def run_tool(setting: Setting, name: str, command: list[str], variables: Mapping[str, str] | None = None) -> Case:
    """Run a tool. Returns how it went, as a test."""
    started = time.monotonic()
    try:
        setting.run(command, variables)
        case = Case(name, "passed")
    except nox.command.CommandFailed as error:
        case = Case(name, "failed", str(error))
    setting.session.log(f"{name}: {case.state} after {time.monotonic() - started:.1f} s")
    return case


def conclude(setting: Setting, cases: list[Case]) -> None:
    """Write the tests of a session down, and fail it if one of them did."""
    write_cases(setting.results / "cases.xml", cases)
    if failed := [case.name for case in cases if case.state == "failed"]:
        setting.session.error(f"failed: {', '.join(failed)}")
