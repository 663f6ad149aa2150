# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bodies of the nox sessions. Each leaves JUnit files in `.cache/results/SESSION`."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import nox
import nox.command

from tools import ansible_test, environments, paths, tree
from tools.report import Case, write_cases

if TYPE_CHECKING:
    from pathlib import Path

    from tools.interpreters import Pair

TEST_SECONDS = 300  # for one test; a suite that hangs would never say so

ENGINE = "ansible_collections.quayside.paas.plugins"
LINTERS = {
    "ruff format": ["ruff", "format", "--check", "--diff", "."],
    "ruff check": ["ruff", "check", "."],
    "mypy engine": ["mypy", "-p", f"{ENGINE}.module_utils", "-p", f"{ENGINE}.plugin_utils", "-p", f"{ENGINE}.action"],
    "mypy simulator": ["mypy", "roles/simulator/files/paas_simulator"],
    "mypy tools": ["mypy", "-m", "noxfile", "-p", "tools"],
    "yamllint": ["yamllint", "--strict", "."],
    "ansible-lint": ["ansible-lint", "--profile", "production", "--offline", "--strict"],
}
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

# Nothing is fetched, so references to documentation elsewhere stay plain text.
OFFLINE_SPHINX = "\nintersphinx_mapping = {}\nsuppress_warnings = ['ref.ref']\n"


def results_folder(session: nox.Session) -> Path:
    """An empty folder for the results of a session."""
    folder = paths.RESULTS / session.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def prepare(session: nox.Session) -> Path:
    """Copy the tree, lay out the home folder, empty the results. Returns the results folder."""
    tree.sync()
    environments.prepare_home()
    session.chdir(paths.TREE)
    return results_folder(session)


def run_pytest(session: nox.Session, pair: Pair, *arguments: str) -> None:
    """Run pytest on folders of the tree."""
    results = prepare(session)
    bin_folder = environments.core_environment(pair)
    command = ["python", "-m", "pytest", f"--junit-xml={results / 'pytest.xml'}"]
    command += [f"--timeout={TEST_SECONDS}", *arguments]
    execute(session, bin_folder, command, environments.session_environment(bin_folder))


def run_sanity(session: nox.Session, pair: Pair) -> None:
    """Run ansible-test sanity on the tree."""
    results = prepare(session)
    if ansible_test.sanity(environments.core_environment(pair), results):
        session.error("ansible-test sanity found something")


def run_integration(session: nox.Session, pair: Pair) -> None:
    """Run the integration targets of the tree."""
    results = prepare(session)
    if ansible_test.integration(environments.core_environment(pair), results):
        session.error("an integration target failed")


def run_tools(session: nox.Session, pair: Pair, tools: dict[str, list[str]]) -> None:
    """Run every tool on the tree, each counting as a test, and fail at the end if one of them did."""
    results = prepare(session)
    bin_folder = environments.lint_environment(pair)
    environment = environments.session_environment(bin_folder) | {
        "MYPYPATH": os.pathsep.join([str(paths.COLLECTIONS), str(paths.TREE / "tests")]),
        "MYPY_CACHE_DIR": str(paths.CACHE / "mypy"),
        "RUFF_CACHE_DIR": str(paths.CACHE / "ruff"),
    }
    record(session, bin_folder, results, {name: (command, environment) for name, command in tools.items()})


def run_package(session: nox.Session, pair: Pair) -> None:
    """Build the collection, import it as Galaxy would, and ask ansible-builder what it needs."""
    results = prepare(session)
    bin_folder = environments.package_environment(pair)
    environment = environments.session_environment(bin_folder)
    dist = paths.CACHE / "dist"
    build = ["ansible-galaxy", "collection", "build", "--output-path", str(dist)]
    shutil.rmtree(dist, ignore_errors=True)
    importer = environment | {
        "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true",
        "GALAXY_IMPORTER_RUN_ANSIBLE_LINT": "false",  # the lint session does, with the stricter profile
    }
    tool = str(paths.TREE / "tests" / "tools" / "check_package.py")
    record(
        session,
        bin_folder,
        results,
        {
            "ansible-galaxy build": (build, environment),
            "galaxy-importer": (["python", tool, "import", str(dist)], importer),
            "ansible-builder introspect": (["python", tool, "introspect", str(paths.COLLECTIONS)], environment),
        },
    )


def record(
    session: nox.Session, bin_folder: Path, results: Path, tools: dict[str, tuple[list[str], dict[str, str]]]
) -> None:
    """Run commands, write each down as a test, and fail the session at the end if one of them failed."""
    cases = []
    for name, (command, environment) in tools.items():
        started = time.monotonic()
        try:
            execute(session, bin_folder, command, environment)
            cases.append(Case(name, "passed"))
        except nox.command.CommandFailed as error:
            cases.append(Case(name, "failed", str(error)))
        session.log(f"{name}: {cases[-1].state} after {time.monotonic() - started:.1f} s")
    write_cases(results / "tools.xml", cases)
    failed = [case.name for case in cases if case.state == "failed"]
    if failed:
        session.error(f"failed: {', '.join(failed)}")


def build_docs(session: nox.Session, pair: Pair) -> None:
    """Write the documentation of the collection as HTML."""
    prepare(session)
    bin_folder = environments.lint_environment(pair)
    environment = environments.session_environment(bin_folder)
    folder = paths.CACHE / "docs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    init = ["antsibull-docs", "sphinx-init", "--use-current", "--squash-hierarchy", "--fail-on-error"]
    init += ["--sphinx-theme", "furo", "--dest-dir", str(folder), "quayside.paas"]
    init += ["--project", "quayside.paas", "--title", "quayside.paas"]
    execute(session, bin_folder, init, environment)
    with (folder / "conf.py").open("a", encoding="utf-8") as configuration:
        configuration.write(OFFLINE_SPHINX)
    execute(session, bin_folder, [str(folder / "build.sh")], environment)
    session.log(f"open {folder / 'build' / 'html' / 'index.html'}")


def execute(session: nox.Session, bin_folder: Path, command: list[str], environment: dict[str, str]) -> None:
    """Run a program of an environment with exactly these variables. Raises CommandFailed."""
    program = str(bin_folder / command[0])
    session.run(program, *command[1:], env=environment, include_outer_env=False, external=True)
