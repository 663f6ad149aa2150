# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory updates and jobs as AWX runs them: see runner_jobs.py for what that is."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import runner_jobs
from runner_jobs import Credential, Inventory, Job, Running, Site

from connections.host_runs import SSH_SECRET, holds, running_containers, running_instances, ssh_requests
from support.playbook import COLLECTION
from support.settings import wait_for
from support.simulator import Simulator

PLAYS = "tests/awx/project"
# Some of both platforms, as patterns of AWX's limit.
BOTH = "web-1*:web-2*:session-redis*:kafka-0*"


def secrets(sim: Simulator) -> tuple[str, ...]:
    """What nobody may see."""
    return (sim.token, sim.cycle.key, SSH_SECRET)


def files_with_secrets(job: Running, sim: Simulator) -> list[str]:
    """The files with a secret that a job left in its private data directory, but for the project; paths below it."""
    marks = [secret.encode() for secret in secrets(sim)]
    found = [path.relative_to(job.private) for path in job.private.rglob("*") if path.is_file() and holds(path, marks)]
    return [str(path) for path in found if path.parts[0] != "project"]


def in_events(job: Running, sim: Simulator) -> list[str]:
    """The secrets that can be read in the events or the output of a job."""
    text = json.dumps(job.events) + job.stdout
    return [secret for secret in secrets(sim) if secret in text]


def commands(sim: Simulator) -> list[dict[str, Any]]:
    """What the platform was told of each command that ran in a container of Northflank."""
    return [entry["body"] for entry in sim.journal() if "command-exec" in entry["path"] and "user" in entry["body"]]


def succeeded(job: Running) -> Running:
    """A job that has to have gone well."""
    assert job.status == "successful", job.stdout[-4000:] + job.explanation
    return job


# Inventory updates


def test_the_sources_of_both_platforms_make_one_inventory(
    synced: tuple[Inventory, dict[str, Running]], sim: Simulator
) -> None:
    inventory, runs = synced
    assert len(inventory.hosts) == len(running_containers(sim)) + len(running_instances(sim))
    assert {"northflank_kind_addon", "cycle_container_web"} <= set(inventory.groups)
    for run in runs.values():
        assert not in_events(run, sim)
        assert {Path(name).name for name in files_with_secrets(run, sim)} <= {"command"}
    kept = json.dumps(dataclasses.asdict(inventory))
    assert not [secret for secret in secrets(sim) if secret in kept]


def test_hosts_of_the_inventory_know_their_connection(inventory: Inventory) -> None:
    needed = {
        "quayside.paas.northflank_exec": {"ansible_northflank_project_id", "ansible_northflank_resource_id"},
        "quayside.paas.cycle_ssh": {"ansible_cycle_container_id", "ansible_cycle_instance_id"},
    }
    for name, variables in inventory.hosts.items():
        connection = variables["ansible_connection"]
        connection = connection["__ansible_unsafe"] if isinstance(connection, dict) else connection
        assert needed[connection] <= set(variables), name


MISSING = {
    "Northflank": "No api_token: set the option api_token, or one of the environment variables NORTHFLANK_API_TOKEN",
    "Cycle": "No api_key: set the option api_key, or one of the environment variables CYCLE_API_KEY",
}


def says(job: Running, text: str) -> None:
    """Asserts that a job failed with a message, which is in the guide too, and without a traceback."""
    assert job.status == "failed"
    assert text in " ".join(job.stdout.split()), job.stdout
    assert "Traceback" not in job.stdout
    guide = (COLLECTION / "docs" / "docsite" / "rst" / "awx_guide.rst").read_text(encoding="utf-8")
    assert f"``{text}``" in " ".join(guide.split())


@pytest.mark.parametrize("platform", MISSING)
def test_a_source_without_its_credential_says_what_is_missing(site: Site, platform: str) -> None:
    job, exported = runner_jobs.update(site, f"extensions/awx/inventory/quayside.{platform.lower()}.yml", [])
    assert exported is None
    says(job, MISSING[platform])


def test_a_source_with_a_wrong_token_says_so(site: Site, credentials: dict[str, Credential]) -> None:
    credential = credentials["Northflank"]
    wrong = dataclasses.replace(credential, inputs={**credential.inputs, "api_token": "nonsense"})
    job, exported = runner_jobs.update(site, "extensions/awx/inventory/quayside.northflank.yml", [wrong])
    assert exported is None
    says(job, "The token is wrong, has expired or was deleted")


# Jobs


def test_a_job_works_in_containers_with_nothing_but_what_is_injected(
    site: Site, sim: Simulator, inventory: Inventory, credentials: dict[str, Credential]
) -> None:
    answers = {"containers_word": "{{ 6 * 7 }}"}
    job = Job(
        f"{PLAYS}/containers.yml", inventory, [*credentials.values()], launch_vars=answers, limit=BOTH, verbosity=5
    )
    done = succeeded(runner_jobs.run(site, job))
    hosts = done.recap["ok"]
    assert {name.split(".")[-1].split("_")[0] for name in hosts} == {"northflank", "cycle"}
    assert len(hosts) == 4
    assert set(done.results("Ping")) == hosts
    # AWX marks survey answers, so they are no templates.
    assert {result["stdout"] for result in done.results("Say the word").values()} == {"{{ 6 * 7 }}"}
    assert sorted(done.artifacts["containers_result"]["hosts"]) == sorted(hosts)
    assert done.artifacts["containers_result"]["word"] == "{{ 6 * 7 }}"
    # AWX always names a user, root; the inventory says that nobody is meant.
    assert {told["user"] for told in commands(sim)} == {None}
    assert len(ssh_requests(sim, "GET")) == 2
    assert ssh_requests(sim, "DELETE") == []

    assert not in_events(done, sim)
    # ansible-runner itself writes the environment down. AWX throws the directory away, and shows it without secrets.
    assert files_with_secrets(done, sim) == [str(command_file(done).relative_to(done.private))]
    env = json.loads(command_file(done).read_text(encoding="utf-8"))["env"]
    assert env["NORTHFLANK_API_TOKEN"] == sim.token
    shown = json.dumps(runner_jobs.for_the_display(env))
    assert not [secret for secret in secrets(sim) if secret in shown]


def command_file(job: Running) -> Path:
    """The file in which ansible-runner keeps the command of a job."""
    (found,) = job.private.glob("artifacts/*/command")
    return found


def test_slices_cover_every_host_once(
    site: Site, sim: Simulator, inventory: Inventory, credentials: dict[str, Credential]
) -> None:
    jobs = [
        Job(f"{PLAYS}/everywhere.yml", inventory, [*credentials.values()], forks=8, slice_number=number, slice_count=2)
        for number in (1, 2)
    ]
    # AWX runs slices at the same time.
    with concurrent.futures.ThreadPoolExecutor() as threads:
        first, second = (succeeded(job) for job in threads.map(lambda job: runner_jobs.run(site, job), jobs))
    assert not first.recap["ok"] & second.recap["ok"]
    assert first.recap["ok"] | second.recap["ok"] == set(inventory.hosts)
    assert abs(len(first.recap["ok"]) - len(second.recap["ok"])) <= 1
    assert sorted(ssh_requests(sim, "GET")) == sorted(running_instances(sim))


def test_artifacts_are_variables_of_the_next_job(
    site: Site, sim: Simulator, inventory: Inventory, credentials: dict[str, Credential]
) -> None:
    limit = "session-redis*"
    job = Job(f"{PLAYS}/containers.yml", inventory, [credentials["Northflank"]], limit=limit)
    first = succeeded(runner_jobs.run(site, dataclasses.replace(job, launch_vars={"containers_word": "one"})))
    variables = runner_jobs.node_vars({"containers_word": "two"}, [first], {"containers_word": "three"})
    assert variables["containers_result"] == first.artifacts["containers_result"]
    second = succeeded(runner_jobs.run(site, dataclasses.replace(job, launch_vars=variables)))
    (result,) = second.results("Say the word").values()
    assert result["stdout"] == "three"


@pytest.mark.parametrize("platform", MISSING)
def test_a_job_without_a_credential_says_what_is_missing(
    site: Site, sim: Simulator, inventory: Inventory, credentials: dict[str, Credential], platform: str
) -> None:
    others = [credential for name, credential in credentials.items() if name != platform]
    limit = {"Northflank": "session-redis*", "Cycle": "web-1*"}[platform]
    job = runner_jobs.run(site, Job(f"{PLAYS}/everywhere.yml", inventory, others, limit=limit))
    says(job, MISSING[platform])
    assert job.recap["dark"] | job.recap["failures"]


def test_an_execution_environment_without_the_collection_says_so(
    site: Site, sim: Simulator, inventory: Inventory, credentials: dict[str, Credential], tmp_path: Path
) -> None:
    other = dataclasses.replace(site, collections=tmp_path)
    job, _nothing = runner_jobs.update(other, "extensions/awx/inventory/quayside.northflank.yml", [])
    says(job, "specifies unknown plugin 'quayside.paas.northflank'")
    job = runner_jobs.run(other, Job(f"{PLAYS}/everywhere.yml", inventory, [credentials["Cycle"]], limit="web-1*"))
    says(job, "the connection plugin 'quayside.paas.cycle_ssh' was not found")


# Cancelling


def test_a_job_that_is_cancelled_leaves_nothing_behind(
    site: Site, sim: Simulator, inventory: Inventory, credentials: dict[str, Credential], tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    begun.touch(mode=0o666)
    begun.chmod(0o666)
    job = Job(
        f"{PLAYS}/patience.yml",
        inventory,
        [*credentials.values()],
        launch_vars={"patience_file": str(begun)},
        limit=BOTH,
    )
    with runner_jobs.started(site, runner_jobs.prepare(site, job)) as running:
        deadline = time.monotonic() + 60
        while len(begun.read_text(encoding="utf-8").split()) < 4:
            assert time.monotonic() < deadline, running.stdout
            assert running.process.poll() is None, running.stdout
            time.sleep(0.1)
        cancelled = time.monotonic()
        # What happens when the pod of a job is deleted: its first process hands the signal on to the others.
        os.killpg(running.process.pid, signal.SIGTERM)
        running.process.wait(timeout=30)
        assert time.monotonic() - cancelled < 15
    # With the container, connections end.
    wait_for(lambda: sim.cycle.ssh()["connections"] == 0, "the end of the connections")
    assert running.status == "canceled", running.stdout
    assert len(ssh_requests(sim, "GET")) == 2
    # Each command ran once, and nothing came after it.
    hosts = begun.read_text(encoding="utf-8").split()
    assert len(hosts) == len(set(hosts)) == 4
    asked = sim.journal()[-1]["number"]
    time.sleep(1)
    assert sim.journal()[-1]["number"] == asked
