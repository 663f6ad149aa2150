# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test sessions. `make test` and `make test-all` run them; `.cache/boot/bin/nox --list` shows them.

A session is named after the suite, the ansible-core and the Python: `nox --session "unit(2.21-py3.13)"`.
What they run on is made by tests/tools, in `.cache`: environments in `envs`, for each suite a copy of the checkout in
`trees`, results as JUnit files in `results`.
"""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).resolve().parent / "tests"))

from tools import ansible_test, environments, interpreters, suites

nox.options.sessions = []

PAIRS = interpreters.tested_pairs(interpreters.find_interpreters())
each_pair = nox.parametrize("pair", PAIRS, ids=[pair.name for pair in PAIRS])
newest_pair = nox.parametrize("pair", PAIRS[-1:], ids=[pair.name for pair in PAIRS[-1:]])


@nox.session(python=False)
@each_pair
def unit(session: nox.Session, pair: interpreters.Pair) -> None:
    """The engine and the tools, without sockets."""
    # Shells, sockets and time-outs of real processes are waited for.
    suites.run_pytest(session, pair, "tests/unit", "tests/tools", "-n", "3")


@nox.session(python=False)
@each_pair
def simulator(session: nox.Session, pair: interpreters.Pair) -> None:
    """The simulator's own behaviour."""
    suites.run_pytest(session, pair, "tests/simulator", "-n", "2", "--dist", "worksteal")


@nox.session(python=False)
@each_pair
def conformance(session: nox.Session, pair: interpreters.Pair) -> None:
    """The simulator against the vendors' own clients, and against Cycle's specification."""
    suites.run_conformance(session, pair)


@nox.session(python=False)
@each_pair
def contract(session: nox.Session, pair: interpreters.Pair) -> None:
    """What every module has to keep, with ansible-playbook against the simulator."""
    suites.run_pytest(session, pair, "tests/contract", "-n", "2")


@nox.session(python=False)
@each_pair
def resilience(session: nox.Session, pair: interpreters.Pair) -> None:
    """Bad input, a failing network and a misbehaving platform."""
    # Most of it is waiting.
    suites.run_pytest(session, pair, "tests/resilience", "-n", "3")


@nox.session(python=False)
@each_pair
def connections(session: nox.Session, pair: interpreters.Pair) -> None:
    """Plays in every container of both platforms, with inventories and connections."""
    suites.run_pytest(session, pair, "tests/connections", "-n", "2", "--dist", "loadfile")


@nox.session(python=False)
@each_pair
def roles(session: nox.Session, pair: interpreters.Pair) -> None:
    """The roles, with ansible-playbook against the simulator."""
    suites.run_pytest(session, pair, "tests/roles", "-n", "2", "--dist", "loadfile")


@nox.session(python=False)
@newest_pair
def awx(session: nox.Session, pair: interpreters.Pair) -> None:
    """Jobs as AWX runs them, AWX brought to a state, and the report in a browser."""
    folders = ("tests/awx", "tests/browser")
    suites.run_pytest(
        session, pair, *folders, "-n", "2", "--dist", "loadfile", environment=environments.awx_environment
    )


@nox.session(python=False)
@newest_pair
def bench(session: nox.Session, pair: interpreters.Pair) -> None:
    """What a task costs; no part of the tests."""
    suites.run_pytest(session, pair, "tests/benchmark", "--capture=no", "--timeout=1800")


@nox.session(python=False)
@each_pair
def integration(session: nox.Session, pair: interpreters.Pair) -> None:
    """ansible-test integration, against the simulator."""
    suites.run_ansible_test(session, pair, ansible_test.integration)


@nox.session(python=False)
@each_pair
def sanity(session: nox.Session, pair: interpreters.Pair) -> None:
    """ansible-test sanity; on the newest ansible-core, files are imported on its Python only, unless NIGHTLY is set."""
    sample = pair == PAIRS[-1] and not os.environ.get("NIGHTLY")
    only = pair.python.version if sample else None
    suites.run_ansible_test(session, pair, functools.partial(ansible_test.sanity, python=only))


@nox.session(python=False)
@newest_pair
def lint(session: nox.Session, pair: interpreters.Pair) -> None:
    """ruff, mypy, yamllint, ansible-lint."""
    suites.run_tools(session, pair, suites.LINTERS)


@nox.session(name="docs-lint", python=False)
@newest_pair
def docs_lint(session: nox.Session, pair: interpreters.Pair) -> None:
    """Plugin documentation and changelog."""
    suites.run_tools(session, pair, suites.DOCS)


@nox.session(python=False)
@newest_pair
def licence(session: nox.Session, pair: interpreters.Pair) -> None:
    """Copyright and licence of every file."""
    suites.run_tools(session, pair, suites.LICENCE)


@nox.session(python=False)
@newest_pair
def package(session: nox.Session, pair: interpreters.Pair) -> None:
    """Build, Galaxy's import, and the demo."""
    suites.run_package(session, pair)


@nox.session(name="docs-html", python=False)
@newest_pair
def docs_html(session: nox.Session, pair: interpreters.Pair) -> None:
    """The documentation as HTML, in `.cache/docs/build/html`."""
    suites.build_docs(session, pair)
