# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task costs: in process, as an ordinary module, with ansible.builtin.uri, and Ansible's own floor.

One ansible-playbook against one simulator on loopback. `python -m pytest tests/benchmark --capture=no` prints a table,
and writes bench.json and bench.md into the folder that the variable BENCH_FOLDER names, else into .cache/bench.
It fails when a loop in process costs more than 1/20 of the same loop over ansible.builtin.uri.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import platform
import re
import statistics
import typing as t
from importlib import metadata
from pathlib import Path

import pytest

from support.playbook import COLLECTION, run_playbook, save
from support.simulator import start_simulator

ITEMS = 100
SEPARATE = 10
ROUNDS = 3  # of the cheap ways; a loop of the dear ones averages over its items
LISTED = 10_000
REQUIRED = 20.0  # uri / in process
HERE = Path(__file__).resolve().parent

WAYS = {
    "in_process": "quayside.paas.addon_info, in process",
    "ordinary": "quayside.paas.addon_info, in_process: false",
    "uri": "ansible.builtin.uri",
    "debug": "ansible.builtin.debug (no request)",
}
CHEAP = ("debug", "in_process")

Task = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Measured:
    """What the playbook did. seconds and requests: by name of the phase. results: registered ones, by name."""

    seconds: dict[str, list[float]]
    requests: dict[str, list[int]]
    results: dict[str, t.Any]


def module_task(way: str, addon: str) -> Task:
    """A task that reads one addon. addon: its id or a template."""
    if way == "uri":
        return {
            "ansible.builtin.uri": {
                "url": "{{ api_url }}/v1/projects/{{ project }}/addons/" + addon,
                "headers": {"Authorization": "Bearer {{ token }}", "Accept": "application/json"},
            }
        }
    if way == "debug":
        return {"ansible.builtin.debug": {"msg": addon}}
    options = {"project_id": "{{ project }}", "addon_id": addon, "in_process": way == "in_process"}
    return {"quayside.paas.addon_info": options}


def tasks_of_playbook(addons: list[str]) -> list[Task]:
    """The tasks, named after their phases, with registered results."""
    tasks: list[Task] = [
        {"name": f"warm-up {way}", **module_task(way, addons[0]), "no_log": True} for way in WAYS
    ]  # imports, bytecode
    for way in WAYS:
        for turn in range(ROUNDS if way in CHEAP else 1):
            loop = {"loop": addons, "register": f"loop_{way}_{turn}", "loop_control": {"label": ""}}
            tasks.append({"name": f"loop {way}", **module_task(way, "{{ item }}"), **loop})
    for way in WAYS:
        tasks += [{"name": f"separate {way}", **module_task(way, addon)} for addon in addons[:SEPARATE]]
    listing = {"project_id": "{{ big_project }}", "addon_id": "{{ big_addon }}"}
    tasks.append({"name": "list in_process", "quayside.paas.addon_container_info": listing, "register": "listed"})
    count = {
        "count": "listed.containers | length",
        "distinct": "listed.containers | map(attribute='name') | unique | length",
    }
    tasks.append(
        {
            "name": "Count",
            "ansible.builtin.set_fact": {
                "listed_numbers": {name: "{{ " + text + " }}" for name, text in count.items()}
                | {"request_count": "{{ listed.request_count }}"}
            },
        }
    )
    names = {f"loop_{way}": f"loop_{way}_0" for way in WAYS if way != "debug"} | {"listed": "listed_numbers"}
    return [*tasks, save(names)]


def phases(stopwatch: list[dict[str, t.Any]]) -> list[tuple[str, float, float]]:
    """Name, begin and end of each phase: a loop, or a row of separate tasks."""
    found: list[tuple[str, float, float]] = []
    for task in stopwatch:
        name = task["name"]
        if name.startswith("separate") and found and found[-1][0] == name:
            found[-1] = (name, found[-1][1], task["ended"])
        else:
            found.append((name, task["began"], task["ended"]))
    return found


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Everything measured, in one run."""
    folder = tmp_path_factory.mktemp("bench")
    simulator = start_simulator()
    try:
        added = simulator.generate(projects=1, addons=ITEMS, seed=1)
        (project,) = added["projects"]
        big = simulator.generate(projects=1, addons=1, containers=LISTED, seed=2)
        (big_project,) = big["projects"]
        simulator.settings(rate_limit={"limit": 1_000_000})
        simulator.clear_journal()
        options = {"api_url": "{{ api_url }}", "api_token": "{{ token }}"}
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {"group/quayside.paas.northflank": options},
            "tasks": tasks_of_playbook(added["addons"][project]),
        }
        environment = {
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
            "ANSIBLE_CALLBACKS_ENABLED": "stopwatch",
            "STOPWATCH_FILE": str(folder / "stopwatch.json"),
        }
        variables = {
            "api_url": simulator.url,
            "token": simulator.token,
            "project": project,
            "big_project": big_project,
            "big_addon": big["addons"][big_project][0],
        }
        run = run_playbook(folder, [play], extra_vars=variables, env=environment, timeout=280)
        assert run.returncode == 0, run.output[-4000:]
        journal = simulator.journal()
    finally:
        simulator.stop()
    seconds: dict[str, list[float]] = {}
    requests: dict[str, list[int]] = {}
    for name, began, ended in phases(json.loads((folder / "stopwatch.json").read_text(encoding="utf-8"))):
        seconds.setdefault(name, []).append(ended - began)
        # Both processes read the same clock of the system.
        sent = sum(began <= entry["monotonic"] <= ended for entry in journal)
        requests.setdefault(name, []).append(sent)
    result = Measured(seconds, requests, run.results)
    write_report(result)
    return result


def milliseconds(result: Measured, name: str) -> float:
    """Median milliseconds an item of a phase."""
    items = ITEMS if name.startswith("loop") else SEPARATE
    return statistics.median(result.seconds[name]) * 1000 / items


def ratio(result: Measured, phase: str) -> float:
    """How many times as long uri takes as the way in process."""
    return milliseconds(result, f"{phase} uri") / milliseconds(result, f"{phase} in_process")


def report_of(result: Measured) -> dict[str, t.Any]:
    """The report as data."""
    ways = {
        way: {
            "loop_ms": round(milliseconds(result, f"loop {way}"), 2),
            "loop_requests": result.requests[f"loop {way}"][0],
            "separate_ms": round(milliseconds(result, f"separate {way}"), 2),
            "separate_requests": result.requests[f"separate {way}"][0],
        }
        for way in WAYS
    }
    listing = {
        "items": result.results["listed"]["count"],
        "requests": result.requests["list in_process"][0],
        "seconds": round(result.seconds["list in_process"][0], 2),
    }
    return {
        "ways": ways,
        "uri_by_in_process": {"loop": round(ratio(result, "loop"), 1), "separate": round(ratio(result, "separate"), 1)},
        "required": REQUIRED,
        "list": listing,
        "machine": {
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "ansible-core": metadata.version("ansible-core"),
            "requests": metadata.version("requests"),
        },
    }


def as_markdown(report: dict[str, t.Any]) -> str:
    """The report as a table."""
    machine = report["machine"]
    versions = f"ansible-core {machine['ansible-core']}, Python {machine['python']}, requests {machine['requests']}"
    lines = [
        f"Milliseconds an item; {versions}, {machine['cpus']} cores, simulator on loopback.",
        "",
        f"| way | loop of {ITEMS} | requests | {SEPARATE} tasks | requests |",
        "|---|---:|---:|---:|---:|",
    ]
    for way, text in WAYS.items():
        row = report["ways"][way]
        numbers = (row["loop_ms"], row["loop_requests"], row["separate_ms"], row["separate_requests"])
        lines.append(f"| {text} | {numbers[0]:.1f} | {numbers[1]} | {numbers[2]:.1f} | {numbers[3]} |")
    ratios, listing = report["uri_by_in_process"], report["list"]
    return "\n".join(
        [
            *lines,
            f"| uri / in process | {ratios['loop']:.1f} | | {ratios['separate']:.1f} | |",
            "",
            f"A list of {listing['items']:,} containers: {listing['requests']} requests, {listing['seconds']:.2f} s.",
            "",
        ]
    )


def write_report(result: Measured) -> None:
    """Prints the report, and writes it down as JSON and Markdown."""
    report = report_of(result)
    folder = Path(os.environ.get("BENCH_FOLDER") or COLLECTION / ".cache" / "bench")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (folder / "bench.md").write_text(as_markdown(report), encoding="utf-8")
    print(f"\n{as_markdown(report)}\nwritten to {folder}")


def snake(value: t.Any) -> t.Any:
    """Keys of a platform's answer as the modules write them."""
    if isinstance(value, dict):
        return {re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower(): snake(inner) for key, inner in value.items()}
    return [snake(inner) for inner in value] if isinstance(value, list) else value


def without_rate_limit(items: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Results of a loop without what another request changes, and without what tells the ways apart."""
    kept = json.loads(json.dumps(items))
    for item in kept:
        item.pop("rate_limit")
        # Newer versions of Ansible leave it out of registered results.
        item.get("invocation", {"module_args": {}})["module_args"].pop("in_process", None)
    return t.cast("list[dict[str, t.Any]]", kept)


def test_both_ways_give_the_same_results(measured: Measured) -> None:
    here = without_rate_limit(measured.results["loop_in_process"]["results"])
    apart = without_rate_limit(measured.results["loop_ordinary"]["results"])
    assert len(here) == ITEMS
    assert here == apart


def test_results_are_what_uri_reads(measured: Measured) -> None:
    ours = measured.results["loop_in_process"]["results"]
    theirs = measured.results["loop_uri"]["results"]
    assert len(theirs) == ITEMS
    for mine, raw in zip(ours, theirs, strict=True):
        (addon,) = mine["addons"]
        project = addon.pop("project_id")
        assert mine["item"] == raw["item"] == addon["id"]
        assert raw["url"].endswith(f"/v1/projects/{project}/addons/{addon['id']}")
        assert addon == snake(raw["json"]["data"])


@pytest.mark.parametrize("way", [way for way in WAYS if way != "debug"])
def test_every_item_is_one_request(measured: Measured, way: str) -> None:
    assert set(measured.requests[f"loop {way}"]) == {ITEMS}
    assert measured.requests[f"separate {way}"] == [SEPARATE]


def test_a_long_list_is_complete_and_takes_one_request_a_hundred(measured: Measured) -> None:
    requests = math.ceil(LISTED / 100)
    numbers = {name: int(value) for name, value in measured.results["listed"].items()}
    assert numbers == {"count": LISTED, "distinct": LISTED, "request_count": requests}
    assert measured.requests["list in_process"] == [requests]


def test_a_loop_in_process_takes_at_most_a_twentieth_of_uri(measured: Measured) -> None:
    assert ratio(measured, "loop") >= REQUIRED, as_markdown(report_of(measured))
