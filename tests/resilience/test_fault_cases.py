# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input and faults: each case ends in the right result or in one clear message, both ways of running.

Never a traceback, never a hang, never half a list, never a token where it can be read.
"""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest
from fault_cases import CASES, SAMPLE, Case, Record
from fault_runs import APART, APART_CASES, HERE, ROUTES, Part, Parts, run_all

from support.shared_run import SharedRun

by_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
by_case_apart = pytest.mark.parametrize("case", APART_CASES, ids=[case.name for case in APART_CASES])
by_way = pytest.mark.parametrize("way", [HERE, APART])
by_route = pytest.mark.parametrize("route", ROUTES)


@pytest.fixture(scope="session")
def shared_run(tmp_path_factory: pytest.TempPathFactory) -> SharedRun[Parts]:
    """All cases, run both ways."""
    return SharedRun(lambda: run_all(tmp_path_factory.mktemp("faults")))


@pytest.fixture
def parts(shared_run: SharedRun[Parts]) -> Parts:
    """What came of all cases."""
    return shared_run.result()


def part_of(parts: Parts, way: str, case: Case) -> Part:
    """The part that ran a case one way."""
    return next(part for part in parts.by_way[way] if case.name in part.seen)


def ends_well(parts: Parts, way: str, case: Case) -> None:
    """Assert that a case had the right result one way."""
    seen = part_of(parts, way, case).seen[case.name]
    case.expect(seen)
    assert seen.result["changed"] is False
    assert not seen.result.get("warnings")
    assert not seen.result.get("deprecations")


@by_case
def test_case_ends_well_here(parts: Parts, case: Case) -> None:
    ends_well(parts, HERE, case)
    # Arguments that are not in order are for the ordinary module to complain about.
    refused = any(text in str(part_of(parts, HERE, case).seen[case.name].result.get("msg")) for text in REFUSED)
    assert modules_started(parts, HERE, case) == int(refused)


REFUSED = ("Unsupported parameters", "missing required arguments", "missing parameter(s)", "unable to convert to")


@by_case_apart
def test_case_ends_well_apart_and_the_same(parts: Parts, case: Case) -> None:
    ends_well(parts, APART, case)
    assert modules_started(parts, APART, case) >= 1
    here, apart = (comparable(part_of(parts, way, case), case) for way in (HERE, APART))
    assert here == apart


def test_what_runs_apart_has_each_kind_of_fault() -> None:
    kinds = [{key for case in cases for what, *_rest in case.faults for key in what} for cases in (CASES, APART_CASES)]
    assert kinds[0] == kinds[1]
    assert {case.name for case in CASES} >= SAMPLE


def comparable(part: Part, case: Case) -> t.Any:
    """The result without what time, other requests and the address of the simulator change."""
    text = json.dumps(part.seen[case.name].result)
    for place in part.tls_urls:
        text = text.replace(place.removeprefix("https"), "://TLS")
    text = text.replace(part.url.partition(":")[2], "//SIMULATOR")
    return strip(json.loads(text), case.varies | {"exception"})


def strip(value: t.Any, left_out: frozenset[str]) -> t.Any:
    """Results of a task or of a loop without these keys and without the changing parts of rate_limit."""
    if "results" in value:
        return {**value, "results": [strip(item, left_out) for item in value["results"]]}
    kept: Record = {key: inner for key, inner in value.items() if key not in left_out}
    if "rate_limit" in kept:
        kept["rate_limit"] = {key: inner is None for key, inner in kept["rate_limit"].items()}
    return kept


def modules_started(parts: Parts, way: str, case: Case) -> int:
    """How many module processes Ansible started for a case."""
    output = part_of(parts, way, case).run.output
    section = output.split(f"TASK [case {case.name}] ", 1)[1].split("\nTASK [", 1)[0]
    return section.count("Using module file")


@by_way
def test_no_traceback_anywhere(parts: Parts, way: str) -> None:
    for part in parts.by_way[way]:
        assert "Traceback (most recent call last)" not in part.run.output
        assert "Traceback" not in json.dumps(part.run.results)


@by_way
@by_route
def test_each_way_to_hand_over_a_token_works(parts: Parts, way: str, route: str) -> None:
    part = parts.by_way[way][0]
    assert not part.routes[route].get("failed"), part.routes[route]
    assert len(part.routes[route]["projects"]) >= 3
    assert f"by-{route}" in part.tokens_used


def spellings(secret: str) -> set[str]:
    """A secret, and what base64 makes of it wherever it stands in a longer text."""
    found = {secret}
    for place in range(3):
        encoded = base64.b64encode(b"x" * place + secret.encode()).decode()
        found.add(encoded[4 if place else 0 : len(encoded) // 4 * 4 - 4])
    return found


def leaks(text: str, part: Part, allowed: frozenset[str] = frozenset()) -> list[str]:
    """The names of the tokens that a text holds in one way or another."""
    return [
        name
        for name, secret in part.secrets.items()
        if name not in allowed and any(spelling in text for spelling in spellings(secret))
    ]


# Ansible itself shows `environment` of a task as part of the command that starts an ordinary module.
SHOWN_BY_ANSIBLE = {HERE: frozenset[str](), APART: frozenset({"by-environment"})}


@by_way
def test_no_token_in_the_output(parts: Parts, way: str) -> None:
    for part in parts.by_way[way]:
        assert "quayside.paas" in part.run.output
        assert leaks(part.run.output, part, SHOWN_BY_ANSIBLE[way]) == []


@by_way
def test_no_token_in_the_results(parts: Parts, way: str) -> None:
    for part in parts.by_way[way]:
        text = json.dumps(part.run.results)
        assert "********" in text
        assert leaks(text, part) == []


@by_way
def test_no_token_in_the_process_list(parts: Parts, way: str) -> None:
    found = b"\n".join(parts.command_lines).decode("utf-8", "replace")
    assert leaks(found, parts.by_way[way][0], SHOWN_BY_ANSIBLE[way]) == []


# What the test itself has put into the folder of a run, and the output.
NOT_LEFT = ("cases.yml", "vars.json", "output.txt")


def files_below(folder: Path) -> t.Iterator[Path]:
    """All files in a folder that a run has left there."""
    return (path for path in folder.rglob("*") if path.is_file() and path.name not in NOT_LEFT)


@by_way
def test_no_token_in_files_left_behind(parts: Parts, way: str) -> None:
    for part in parts.by_way[way]:
        for path in files_below(part.run.folder):
            assert leaks(path.read_text(encoding="utf-8", errors="replace"), part) == [], path


@by_way
def test_nothing_is_left_in_the_temporary_folders(parts: Parts, way: str) -> None:
    for part in parts.by_way[way]:
        for name in ("local", "remote"):
            assert list(files_below(part.run.folder / name)) == []


def test_the_search_for_tokens_finds_them(parts: Parts) -> None:
    part = parts.by_way[HERE][0]
    secret = part.secrets["demo"]
    assert leaks(f"Bearer {secret}.", part) == ["demo"]
    for before in ("", "u:", "user:"):
        encoded = base64.b64encode(f"{before}{secret}@host".encode()).decode()
        assert leaks(encoded, part) == ["demo"]
    assert leaks("nothing here", part) == []
