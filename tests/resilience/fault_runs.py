# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs all cases both ways: three ansible-playbook processes side by side, each against a simulator of its own."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import json
import os
import threading
import typing as t
from pathlib import Path

import yaml
from fault_cases import CASES, CONTAINERS, SAMPLE, Case, Record, Seen, Site, Unsafe
from tls_relay import Relays, make_certificate

from support.playbook import Run, run_playbook, save
from support.settings import NIGHTLY, limit
from support.simulator import SERVICE, Simulator, start_simulator

HERE, APART = "here", "apart"
WAYS = {HERE: True, APART: False}  # value of quayside_paas_in_process
# Ways to hand over a token, each with a token of its own: that tells who leaks which.
ROUTES = ("option", "module_defaults", "vars", "controller", "environment")
HANGS_AFTER = 120  # seconds on a fast machine, where a run takes less than half of that
# Cases that run apart, where each takes a process.
APART_CASES = CASES if NIGHTLY else [case for case in CASES if case.name in SAMPLE]


class Dumper(yaml.SafeDumper):
    """Writes texts that are no templates with Ansible's tag for them."""


Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


@dataclasses.dataclass(frozen=True)
class Part:
    """What one ansible-playbook made of its cases."""

    run: Run
    seen: dict[str, Seen]
    routes: dict[str, Record]
    tokens_used: set[str | None]
    secrets: dict[str, str]
    url: str
    tls_urls: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Parts:
    """All runs. by_way: the parts of each way. command_lines: those of all processes that held a token."""

    by_way: dict[str, list[Part]]
    command_lines: set[bytes]


@dataclasses.dataclass(frozen=True)
class Files:
    """Certificates and other files that cases use."""

    estate: Path
    tokens: tuple[str, ...]
    ca: Path
    other_ca: Path
    expired_ca: Path
    garbage: Path
    netrc: Path


def make_files(folder: Path) -> Files:
    """Writes the files, once for all parts of a way."""
    folder.mkdir()
    estate = yaml.safe_load((SERVICE / "paas_simulator" / "estate.yml").read_text(encoding="utf-8"))
    tokens = estate["northflank"]["tokens"]
    tokens += [{**tokens[0], "name": f"by-{route}"} for route in ROUTES]
    for token in tokens:
        # Like no other's on this machine, where more than one run may be under way.
        token["token"] = f"nf-sim-{token['name'].replace('_', '-')}-{os.urandom(16).hex()}"
    (folder / "estate.yml").write_text(yaml.safe_dump(estate), encoding="utf-8")
    (folder / "garbage.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    # If it was obeyed, every request would be refused.
    (folder / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (folder / "netrc").chmod(0o600)
    return Files(
        estate=folder / "estate.yml",
        tokens=tuple(token["token"] for token in tokens),
        ca=make_certificate(folder / "ca.pem"),
        other_ca=make_certificate(folder / "other.pem", "192.0.2.1"),
        expired_ca=make_certificate(folder / "expired.pem", expired=True),
        garbage=folder / "garbage.pem",
        netrc=folder / "netrc",
    )


def make_site(simulator: Simulator, relays: Relays, files: Files) -> tuple[Site, list[str]]:
    """Fills a simulator and puts TLS in front of it. Returns the site, and an addon for each case."""
    simulator.clock(set="2026-11-02T08:00:00.000Z", freeze=True)
    main = simulator.generate(projects=1, addons=len(CASES), containers=CONTAINERS, seed=5)
    fans = simulator.generate(projects=3, addons=3, containers=200, seed=6)
    simulator.settings(rate_limit={"limit": 1_000_000})
    fan, broken, even = fans["projects"]
    site = Site(
        url=simulator.url,
        tls_url=relays.add(simulator.url, files.ca),
        other_name_url=relays.add(simulator.url, files.other_ca),
        expired_url=relays.add(simulator.url, files.expired_ca),
        ca=str(files.ca),
        other_ca=str(files.other_ca),
        expired_ca=str(files.expired_ca),
        garbage=str(files.garbage),
        tokens=simulator.tokens,
        team=simulator.team,
        project=main["projects"][0],
        fan_project=fan,
        broken_project=broken,
        broken_addon=fans["addons"][broken][1],
        even_project=even,
        even_addon=fans["addons"][even][0],
    )
    return site, main["addons"][site.project]


def set_faults(simulator: Simulator, site: Site, case: Case, addon: str) -> None:
    """Sets the faults of a case; {demo} in them becomes the token."""
    own = f"/v1/projects/{site.project}/addons/{addon}*"
    path = case.fault_path(site) if case.fault_path else own
    for what, times, after in case.faults:
        real = json.loads(json.dumps(what).replace("{demo}", site.tokens["demo"]))
        simulator.fault("GET", path, real, times=times, after=after)


def variable(name: str) -> str:
    """The variable that holds the result of a case."""
    return f"result_of_{name}"


def task_of(case: Case, site: Site, addon: str) -> Record:
    """The task of a case."""
    usual = {
        "api_url": site.url,
        "api_token": site.tokens["demo"],
        # So that a case fails of nothing but what it is about.
        "timeout": int(limit(15)),
        "retry_budget": int(limit(30)),
        "project_id": site.project,
        "addon_id": addon,
    }
    options = {name: value for name, value in {**usual, **case.options_at(site)}.items() if value is not None}
    task = {
        "name": f"case {case.name}",
        f"quayside.paas.{case.module}": options,
        "register": variable(case.name),
        "ignore_errors": True,
    }
    if case.environment:
        task["environment"] = dict(case.environment(site))
    if case.loop:
        task |= {"loop": case.loop(site), "loop_control": {"label": "an item"}}
    return task


def route_plays(site: Site) -> list[Record]:
    """Plays that hand over the token in each way. NF_API_TOKEN is set for the whole process."""
    module = "quayside.paas.project_info"
    base: Record = {"hosts": "localhost", "gather_facts": False}
    usual = {"api_url": site.url}

    def task(route: str, **more: t.Any) -> Record:
        return {
            "name": f"route {route}",
            module: usual,
            "register": f"route_{route}",
            "ignore_errors": True,
            **more,
        }

    defaults = {"group/quayside.paas.northflank": {"api_token": site.tokens["by-module_defaults"]}}
    return [
        {**base, "tasks": [task("option", **{module: {**usual, "api_token": site.tokens["by-option"]}})]},
        {**base, "module_defaults": defaults, "tasks": [task("module_defaults")]},
        {
            **base,
            "vars": {"my_token": site.tokens["by-vars"]},
            "tasks": [task("vars", **{module: {**usual, "api_token": "{{ my_token }}"}})],
        },
        {**base, "tasks": [task("controller")]},
        {
            **base,
            "tasks": [task("environment", environment={"NORTHFLANK_API_TOKEN": site.tokens["by-environment"]})],
        },
    ]


@contextlib.contextmanager
def watched_command_lines(wanted: t.Sequence[str]) -> t.Iterator[set[bytes]]:
    """Collect the command lines of all processes that hold one of some texts, as long as the block runs."""
    texts = [text.encode() for text in wanted]
    found: set[bytes] = set()
    looks, ended = 0, threading.Event()

    def look() -> None:
        nonlocal looks
        while not ended.wait(0.05):
            looks += 1
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    line = path.read_bytes()
                    if any(text in line for text in texts):
                        found.add(line)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
    assert looks > 10


def run_part(folder: Path, way: str, cases: list[Case], files: Files, with_routes: bool) -> Part:
    """Runs some cases one way, at the highest verbosity."""
    relays = Relays()
    simulator = start_simulator(estate=files.estate)
    try:
        site, addons = make_site(simulator, relays, files)
        own = dict(zip((case.name for case in CASES), addons, strict=True))
        for case in cases:
            set_faults(simulator, site, case, own[case.name])
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [task_of(case, site, own[case.name]) for case in cases],
        }
        routes = ROUTES if with_routes else ()
        names = {case.name: variable(case.name) for case in cases} | {name: f"route_{name}" for name in routes}
        ending = {"hosts": "localhost", "gather_facts": False, "tasks": [save(names)]}
        plays = [play, *(route_plays(site) if with_routes else []), ending]
        folder.mkdir()
        (folder / "cases.yml").write_text(yaml.dump(plays, Dumper=Dumper, sort_keys=False), encoding="utf-8")
        run = run_playbook(
            folder,
            folder / "cases.yml",
            "-vvvvv",
            # Not in the playbook: Ansible quotes lines of it next to a task that fails.
            extra_vars={"quayside_paas_in_process": WAYS[way], "tokens": dict(site.tokens)},
            env={
                "NF_API_TOKEN": site.tokens["by-controller"],
                "NETRC": str(files.netrc),
                "PYTHONHASHSEED": "0",  # some messages of Ansible list a set
            },
            timeout=limit(HANGS_AFTER),
        )
        journal = simulator.journal()
        listed = containers_of(simulator, site.project)
    finally:
        simulator.stop()
        relays.stop()
    assert run.returncode == 0, f"ansible-playbook ended with {run.returncode}\n{run.output[-6000:]}"
    seen = {}
    for case in cases:
        path = f"/v1/projects/{site.project}/addons/{own[case.name]}"
        requests = [entry for entry in journal if entry["path"].startswith(path)]
        seen[case.name] = Seen(run.results[case.name], requests, listed[own[case.name]], site)
    return Part(
        run=run,
        seen=seen,
        routes={name: run.results[name] for name in routes},
        tokens_used={entry["token"] for entry in journal if entry["path"] == "/v1/projects"},
        secrets=dict(site.tokens),
        url=site.url,
        tls_urls=(site.tls_url, site.other_name_url, site.expired_url),
    )


def containers_of(simulator: Simulator, project_id: str) -> dict[str, list[str]]:
    """The names of the containers of every addon of a project, in order."""
    projects = simulator.estate()["northflank"]["teams"][0]["projects"]
    (addons,) = (project["addons"] for project in projects if project["id"] == project_id)
    return {addon["id"]: [container["name"] for container in addon["containers"]] for addon in addons}


def run_all(folder: Path) -> Parts:
    """Run every case here, and a sample or all of them apart. Parts run at the same time: much of it is waiting."""
    # With tokens of its own for each way.
    files = {way: make_files(folder / way) for way in (HERE, APART)}
    tokens = [token for of_way in files.values() for token in of_way.tokens]
    parts = [(HERE, CASES[::2], True), (HERE, CASES[1::2], False)]
    halves = [APART_CASES[::2], APART_CASES[1::2]] if NIGHTLY else [APART_CASES]
    parts += [(APART, cases, not number) for number, cases in enumerate(halves)]
    by_way: dict[str, list[Part]] = {HERE: [], APART: []}
    with watched_command_lines(tokens) as command_lines, concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = [
            (way, pool.submit(run_part, folder / f"part{number}", way, cases, files[way], routes))
            for number, (way, cases, routes) in enumerate(parts)
        ]
        for way, future in running:
            by_way[way].append(future.result())
    return Parts(by_way, command_lines)
