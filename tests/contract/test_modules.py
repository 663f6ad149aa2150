# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module promises, tried with real ansible-playbook runs against the simulator."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest

from contract.modules import documentation
from contract.results import ANSIBLES_OWN, collect, compare
from contract.ways import CASES, WAYS, Ran
from support import openapi

if TYPE_CHECKING:
    from support.simulator import Simulator

ALL = [(module, case["name"]) for module, cases in CASES.items() for case in cases]
FAILING = {
    (module, case["name"]): case["fails_with"]
    for module, cases in CASES.items()
    for case in cases
    if "fails_with" in case
}
every_case = pytest.mark.parametrize(("module", "case"), ALL)
every_way = pytest.mark.parametrize("way", WAYS)


@pytest.mark.parametrize("module", CASES)
def test_every_module_has_cases_that_succeed_and_one_that_fails(module: str) -> None:
    kinds = ["fails_with" in case for case in CASES[module]]
    assert True in kinds
    assert False in kinds


@every_way
@every_case
def test_it_ends_as_expected(module: str, case: str, way: str, ways: dict[str, Ran]) -> None:
    result = ways[way].result(module, case)
    if (module, case) in FAILING:
        assert result["failed"] is True
        assert FAILING[module, case] in result["msg"]
    else:
        assert not result.get("failed"), result.get("msg")


@every_case
def test_both_hosts_of_a_module_agree_to_the_byte(module: str, case: str, ways: dict[str, Ran]) -> None:
    assert ways["in process"].result(module, case) == ways["as a module"].result(module, case)


@every_case
def test_check_mode_says_what_the_real_run_says(module: str, case: str, ways: dict[str, Ran]) -> None:
    for way in ("in process", "as a module"):
        real, check = (ways[name].result(module, case) for name in (way, f"{way}, check mode"))
        assert _lasting(check) == _lasting(real)


@every_way
def test_check_mode_sends_nothing_but_get(way: str, ways: dict[str, Ran]) -> None:
    if WAYS[way]["check"]:
        assert {entry["method"] for entry in ways[way].journal} == {"GET"}


@pytest.mark.parametrize("way", [name for name, way in WAYS.items() if "second" in way["turns"]])
@every_case
def test_the_second_run_changes_nothing(module: str, case: str, way: str, ways: dict[str, Ran]) -> None:
    first, second = (ways[way].result(module, case, turn) for turn in ("first", "second"))
    assert second["changed"] is False
    assert _lasting(first) == _lasting(second)


@every_way
def test_the_requests_are_counted_as_the_platform_counts_them(way: str, ways: dict[str, Ran]) -> None:
    results = ways[way].run.results.values()
    assert sum(result["request_count"] for result in results) == len(ways[way].journal)


@every_way
def test_requests_are_as_the_vendor_specifies_them(way: str, ways: dict[str, Ran]) -> None:
    assert openapi.check_journal(ways[way].journal) == []


@every_way
def test_nothing_warns(way: str, ways: dict[str, Ran]) -> None:
    output = ways[way].run.output
    assert not re.findall(r".*\[(?:WARNING|DEPRECATION WARNING)\].*", output)
    assert "Traceback" not in output
    assert not [name for name, result in ways[way].run.results.items() if {"warnings", "deprecations"} & set(result)]


@every_way
def test_the_token_is_nowhere_in_the_output(way: str, ways: dict[str, Ran], simulator: Simulator) -> None:
    run = ways[way].run
    texts = [run.output, (run.folder / "results.json").read_text(encoding="utf-8")]
    for secret in {*simulator.tokens.values(), *simulator.cycle.keys.values()}:
        for form in (secret, base64.b64encode(secret.encode()).decode()):
            assert not [text for text in texts if form in text]


@every_case
def test_results_are_documented(module: str, case: str, ways: dict[str, Ran]) -> None:
    result = ways["as a module"].result(module, case)
    own = {name: value for name, value in result.items() if name not in ANSIBLES_OWN}
    compare(own, documentation(module)["RETURN"], module)


@pytest.mark.parametrize("module", CASES)
def test_documented_results_occur(module: str, ways: dict[str, Ran]) -> None:
    seen: set[str] = set()
    for case in CASES[module]:
        collect(ways["as a module"].result(module, case["name"]), "", seen)
    for name, page in documentation(module)["RETURN"].items():
        assert name in seen
        for inner in page.get("contains", {}):
            assert f"{name}.{inner}" in seen, f"no case returns {name}.{inner}"


def _lasting(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what every request changes."""
    return {name: value for name, value in result.items() if name not in ("rate_limit", "invocation")}
