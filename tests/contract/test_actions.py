# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module that acts promises, tried with real ansible-playbook runs against the simulator."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from contract import actions
from contract.actions import ALL, CASES, WAYS, Acted, case_of, lasting
from contract.modules import MODULES, documentation
from contract.results import ANSIBLES_OWN, collect, compare
from contract.ways import CASES as READING
from support import openapi
from support.simulator import start_simulator

if TYPE_CHECKING:
    from support.simulator import Simulator

every_case = pytest.mark.parametrize(("module", "case"), ALL)
every_way = pytest.mark.parametrize("way", WAYS)
SUCCEEDING = [(module, name) for module, name in ALL if "fails_with" not in case_of(module, name)]
succeeding_case = pytest.mark.parametrize(("module", "case"), SUCCEEDING)


@pytest.fixture(scope="session")
def acted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Acted]:
    """All cases in every way; side by side, each on a simulator of its own, because most of the time is waiting."""
    folders = {name: tmp_path_factory.mktemp("actions") for name in WAYS}

    def run(name: str) -> Acted:
        simulator = start_simulator()
        try:
            return actions.run_way(simulator, folders[name], WAYS[name])
        finally:
            simulator.stop()

    with ThreadPoolExecutor(len(WAYS)) as pool:
        return dict(zip(WAYS, pool.map(run, WAYS), strict=True))


@pytest.fixture(scope="session")
def known(simulator: Simulator) -> frozenset[str]:
    """All ids of the shipped estate."""
    simulator.reset()
    return frozenset(actions.ID.findall(json.dumps(simulator.estate())))


def test_every_module_has_cases() -> None:
    assert set(READING) | set(CASES) == set(MODULES)
    for module, cases in CASES.items():
        assert {"fails_with" in case for case in cases} == {True, False}, module


@every_way
@every_case
def test_it_ends_as_expected(module: str, case: str, way: str, acted: dict[str, Acted]) -> None:
    result, wanted = acted[way].result(module, case), case_of(module, case)
    foreseen = wanted.get("check") if WAYS[way]["check"] else None
    if "fails_with" in wanted and not foreseen:
        assert result["failed"] is True
        assert wanted["fails_with"] in result["msg"]
        assert result["error"].keys() == {"method", "path", "status", "code", "id", "details"}
    else:
        assert not result.get("failed"), result.get("msg")
        assert result["changed"] is (foreseen == "changed" if foreseen else wanted.get("changed", True))


@pytest.mark.parametrize("way", [name for name, way in WAYS.items() if not way["check"]])
@succeeding_case
def test_the_second_run(module: str, case: str, way: str, acted: dict[str, Acted]) -> None:
    second = acted[way].result(module, case, "second")
    assert not second.get("failed"), second.get("msg")
    assert second["changed"] is case_of(module, case).get("again", False)


@every_case
def test_both_hosts_agree(module: str, case: str, acted: dict[str, Acted], known: frozenset[str]) -> None:
    for mode in ("", ", check mode"):
        here, apart = (lasting(acted[way + mode].result(module, case), known) for way in ("in process", "as a module"))
        assert here == apart


@succeeding_case
def test_check_mode_predicts(module: str, case: str, acted: dict[str, Acted]) -> None:
    real, check = (acted[way].result(module, case) for way in ("in process", "in process, check mode"))
    assert check["changed"] is real["changed"]
    assert check.keys() == real.keys()
    if "diff" in real:
        assert check["diff"]["before"] == real["diff"]["before"]
        assert (check["diff"]["before"] != check["diff"]["after"]) is (real["diff"]["before"] != real["diff"]["after"])
        assert (real["diff"]["before"] != real["diff"]["after"]) is real["changed"]


@every_way
@every_case
def test_check_mode_changes_nothing(module: str, case: str, way: str, acted: dict[str, Acted]) -> None:
    if WAYS[way]["check"]:
        asked = [(entry["method"], entry["path"]) for entry in acted[way].journal(module, case)]
        # On Cycle the GET of SSH credentials makes new ones.
        assert [one for one in asked if one[0] != "GET" or one[1].endswith("/ssh")] == []


@every_way
@succeeding_case
def test_results_keep_their_shape(module: str, case: str, way: str, acted: dict[str, Acted]) -> None:
    turns = ["first"] if WAYS[way]["check"] else ["first", "second"]
    always = {
        name for name, page in documentation(module)["RETURN"].items() if page["returned"] in ("always", "success")
    }
    for turn in turns:
        assert always <= acted[way].result(module, case, turn).keys()


@every_case
def test_results_are_documented(module: str, case: str, acted: dict[str, Acted]) -> None:
    result = acted["as a module"].result(module, case)
    own = {name: value for name, value in result.items() if name not in {*ANSIBLES_OWN, "diff"}}
    compare(own, documentation(module)["RETURN"], module)


@pytest.mark.parametrize("module", CASES)
def test_documented_results_occur(module: str, acted: dict[str, Acted]) -> None:
    seen: set[str] = set()
    for case in CASES[module]:
        collect(acted["as a module"].result(module, case["name"]), "", seen)
    for name, page in documentation(module)["RETURN"].items():
        assert name in seen
        for inner in page.get("contains", {}):
            assert f"{name}.{inner}" in seen, f"no case returns {name}.{inner}"


@every_way
@every_case
def test_the_requests_are_counted(module: str, case: str, way: str, acted: dict[str, Acted]) -> None:
    assert acted[way].result(module, case)["request_count"] == len(acted[way].journal(module, case))


@every_way
def test_requests_are_as_the_vendor_specifies_them(way: str, acted: dict[str, Acted]) -> None:
    assert openapi.check_journal([entry for journal in acted[way].journals.values() for entry in journal]) == []


@every_way
def test_nothing_warns(way: str, acted: dict[str, Acted]) -> None:
    output = acted[way].run.output
    assert not re.findall(r".*\[(?:WARNING|DEPRECATION WARNING)\].*", output)
    assert "Traceback" not in output


@every_way
def test_no_secret_is_in_the_output(way: str, acted: dict[str, Acted], simulator: Simulator) -> None:
    run = acted[way].run
    minted = _secrets(run.results)
    assert minted or WAYS[way]["check"]
    told = {case["tells"] for cases in CASES.values() for case in cases if "tells" in case}
    for secret in {*simulator.cycle.keys.values(), *simulator.tokens.values(), *minted, *told}:
        for form in (secret, base64.b64encode(secret.encode()).decode()):
            assert form not in run.output


def _secrets(value: Any) -> set[str]:
    """The values of secrets in results, wherever they are."""
    if isinstance(value, list):
        return {found for inner in value for found in _secrets(inner)}
    if not isinstance(value, dict):
        return set()
    own = {inner for name, inner in value.items() if name in ("secret", "token") and isinstance(inner, str)}
    return own | {found for inner in value.values() for found in _secrets(inner)}
