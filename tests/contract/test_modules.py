# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module promises, tried with real ansible-playbook runs against the simulator."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from contract.cases import CASES
from contract.modules import MODULES, documentation, group_of
from contract.results import ANSIBLES_OWN, SECRET_NAMES, difference, lasting, names, secrets, shown, undocumented
from contract.runs import AS_A_MODULE, IN_PROCESS, WAYS, CaseRun, Pieces, report
from support import openapi
from support.playbook import output_file

if TYPE_CHECKING:
    from collections.abc import Iterator

every_module = pytest.mark.parametrize("module", CASES)
ERROR_KEYS = {"method", "path", "status", "code", "id", "details"}
WARNING = re.compile(r".*\[(?:WARNING|DEPRECATION WARNING)\].*|.*Traceback.*")


def test_every_module_has_cases() -> None:
    assert set(CASES) == set(MODULES)


@every_module
def test_cases_succeed_and_fail(module: str) -> None:
    assert {case.fails_with is None for case in CASES[module]} == {True, False}
    assert len({case.name for case in CASES[module]}) == len(CASES[module])


@every_module
def test_it_runs(module: str, pieces: Pieces) -> None:
    for check in (False, True):
        in_process, as_a_module = (pieces.get(module).of_way(way, check=check) for way in WAYS)
        assert set(in_process) == {case.name for case in CASES[module]}
        assert {one.case.fails_with is None for one in as_a_module.values()} == {True, False}


@every_module
def test_it_ends_as_expected(module: str, pieces: Pieces) -> None:
    report(f"{one}: {wrong}" for one in pieces.get(module).case_runs if (wrong := _wrong_end(one)))


def _wrong_end(one: CaseRun) -> str | None:
    """Say what is wrong about how a case ended, or return None."""
    result, case = one.result, one.case
    message = str(result.get("msg"))
    foreseen = case.check if one.check else None
    if case.fails_with is None or foreseen:
        wanted = foreseen == "changed" if foreseen else case.changed
        if result.get("failed"):
            return f"it failed: {message}"
        return None if result["changed"] is wanted else f"changed is {result['changed']}"
    if not result.get("failed"):
        return "it did not fail"
    if case.fails_with not in message:
        return f"the message lacks {case.fails_with!r}: {message}"
    return None if result["error"].keys() == ERROR_KEYS else f"error has {sorted(result['error'])}"


@every_module
def test_a_second_run(module: str, pieces: Pieces) -> None:
    report(f"{one}: {wrong}" for one in pieces.get(module).case_runs if (wrong := _wrong_repetition(one)))


def _wrong_repetition(one: CaseRun) -> str | None:
    """Say what is wrong about the second run of a case, or return None."""
    if len(one.results) < 2 or (one.case.acts and one.case.fails_with is not None):
        return None
    first, second = one.results
    if one.case.acts and second.get("failed"):
        return f"the second run failed: {second.get('msg')}"
    if second["changed"] is not one.case.again:
        return f"changed is {second['changed']} in the second run"
    return None if one.case.acts else difference(_unmetered(first), _unmetered(second))


@every_module
def test_both_ways_return_the_same(module: str, pieces: Pieces, known: frozenset[str]) -> None:
    def compared(one: CaseRun) -> Any:
        return lasting(one.result, known, str(one.folder)) if one.case.acts else one.result

    piece = pieces.get(module)
    report(
        f"{one}: {wrong}"
        for check in (False, True)
        for name, one in piece.of_way(AS_A_MODULE, check=check).items()
        if (wrong := difference(compared(one), compared(piece.of_way(IN_PROCESS, check=check)[name])))
    )


@every_module
def test_check_mode_reports_what_the_run_reports(module: str, pieces: Pieces) -> None:
    piece = pieces.get(module)
    report(
        f"{one}: {wrong}"
        for way in WAYS
        for name, one in piece.of_way(way, check=True).items()
        for wrong in _wrong_predictions(piece.of_way(way)[name], one)
    )


def _wrong_predictions(run: CaseRun, check: CaseRun) -> Iterator[str]:
    """Find what check mode reports otherwise than the run."""
    real, promised = run.result, check.result
    if not run.case.acts:
        if wrong := difference(_unmetered(real), _unmetered(promised)):
            yield wrong
    elif run.case.fails_with is None:
        if promised["changed"] is not real["changed"]:
            yield f"changed is {promised['changed']}"
        if promised.keys() != real.keys():
            yield f"only one of both has {sorted(promised.keys() ^ real.keys())}"
        if "diff" in real:
            if wrong := difference(real["diff"]["before"], promised["diff"]["before"], "diff.before"):
                yield wrong
            for name, result in (("the run", real), ("check mode", promised)):
                if (result["diff"]["before"] != result["diff"]["after"]) is not real["changed"]:
                    yield f"the diff of {name} does not fit changed, which is {real['changed']}"


@every_module
def test_check_mode_only_reads(module: str, pieces: Pieces) -> None:
    report(
        f"{one}: {entry['method']} {entry['path']}"
        for one in pieces.get(module).case_runs
        for entry in one.journal
        # At Cycle, reading SSH credentials creates them.
        if one.check and (entry["method"] != "GET" or entry["path"].endswith("/ssh"))
    )


@every_module
def test_requests_are_counted(module: str, pieces: Pieces) -> None:
    counts = [
        (one, sum(result["request_count"] for result in one.results), len(one.journal))
        for one in pieces.get(module).case_runs
    ]
    report(f"{one}: request_count is {told}, not {sent}" for one, told, sent in counts if told != sent)


@pytest.mark.parametrize("module", [module for module in CASES if group_of(module) == "cycle"])
def test_requests_are_as_the_vendor_specifies_them(module: str, pieces: Pieces) -> None:
    report(
        f"{one}: {finding}" for one in pieces.get(module).case_runs for finding in openapi.check_journal(one.journal)
    )


@every_module
def test_nothing_warns(module: str, pieces: Pieces) -> None:
    piece = pieces.get(module)
    report(WARNING.findall(piece.run.output))
    report(
        f"{one}: {shown(result[name])}"
        for one in piece.case_runs
        for result in one.results
        for name in ("warnings", "deprecations")
        if name in result
    )


@every_module
def test_no_secret_is_shown(module: str, pieces: Pieces) -> None:
    piece = pieces.get(module)
    results = [result for one in piece.case_runs for result in one.results]
    created = secrets(results)
    returns_secrets = SECRET_NAMES & {name.rpartition(".")[2] for name in documented_names(module)} or any(
        case.args.get("secrets") for case in CASES[module]
    )
    # Otherwise this would prove nothing about them.
    assert created or not returns_secrets
    given = {*pieces.simulator.cycle.keys.values(), *pieces.simulator.tokens.values()}
    given |= {case.tells for case in CASES[module] if case.tells is not None}
    report(
        f"{module}: {place} has a secret that ends in {hidden[-4:]}"
        for place, text, values in (
            (output_file(piece.run.folder), piece.run.output, given | created),
            ("a result", json.dumps(results), given),
        )
        for hidden in values
        if hidden in text or base64.b64encode(hidden.encode()).decode() in text
    )


@every_module
def test_results_are_documented(module: str, pieces: Pieces) -> None:
    pages = documentation(module)["RETURN"]
    report(
        f"{one}: {wrong}"
        for check in (False, True)
        for one in pieces.get(module).of_way(IN_PROCESS, check=check).values()
        for wrong in undocumented({name: one.result[name] for name in one.result.keys() - ANSIBLES_OWN}, pages)
    )


@every_module
def test_documented_results_occur(module: str, pieces: Pieces) -> None:
    occurring = {name for one in pieces.get(module).of_way(IN_PROCESS).values() for name in names(one.result)}
    report(f"{module}: no case returns {name}" for name in documented_names(module) - occurring)


@every_module
def test_results_keep_their_shape(module: str, pieces: Pieces) -> None:
    pages = documentation(module)["RETURN"]
    always = {name for name, page in pages.items() if page["returned"] in ("always", "success")}
    report(
        f"{one}: {sorted(missing)} is missing"
        for one in pieces.get(module).case_runs
        for result in one.results
        if not result.get("failed") and (missing := always - result.keys())
    )


def documented_names(module: str) -> set[str]:
    """Return the names of all documented results, with dots."""

    def below(pages: dict[str, Any], where: str) -> Iterator[str]:
        for name, page in pages.items():
            yield f"{where}{name}"
            yield from below(page.get("contains", {}), f"{where}{name}.")

    return set(below(documentation(module)["RETURN"], ""))


def _unmetered(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without what every request changes."""
    return {name: value for name, value in result.items() if name not in ("rate_limit", "invocation")}
