# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates of extensions/awx with answers to their surveys, as AWX runs them: see runner_jobs.py."""

from __future__ import annotations

from typing import Any

import runner_jobs
from runner_jobs import Credential, Inventory, Job, Running, Site, data_of

from connections.host_runs import ssh_requests
from support.cycle import SERVERS
from support.simulator import Simulator


def launched(
    site: Site,
    inventory: Inventory,
    credentials: dict[str, Credential],
    surveys: dict[str, Any],
    name: str,
    answers: dict[str, Any],
    **more: Any,
) -> Running:
    """Runs the playbook of a job template with answers to its survey; texts that are not required stay empty."""
    empty = {each["variable"]: "" for each in surveys[name]["spec"] if not each["required"] and each["type"] == "text"}
    given = {variable: "" for variable in empty if variable not in answers} | answers
    variables = runner_jobs.answered(surveys[name], given)
    (template,) = (each for each in data_of("job_templates") if each["playbook"] == f"playbooks/{name}.yml")
    if template["inventory"] not in {each["inventory"] for each in data_of("inventories")["inventory_sources"]}:
        inventory = Inventory()  # one without hosts
    job = Job(f"playbooks/{name}.yml", inventory, [*credentials.values()], launch_vars=variables, **more)
    found = runner_jobs.run(site, job)
    assert "Traceback" not in found.stdout
    return found


def test_commands_of_a_survey_run_in_containers(
    site: Site, sim: Simulator, inventory: Inventory, credentials: dict[str, Credential], surveys: dict[str, Any]
) -> None:
    job = launched(
        site, inventory, credentials, surveys, "container_shell_task",
        {"container_shell_task_commands": "echo one\necho '{{ 6 * 7 }}'", "container_shell_task_batch": 2},
        limit="web-1*:web-2*:session-redis*:kafka-0*",
    )  # fmt: skip
    assert job.status == "successful", job.stdout
    result = job.artifacts["container_shell_task_result"]
    assert result["passed"]
    assert len(result["ok"]) == len(result["hosts"]) == 4
    assert {each["stdout"] for each in result["hosts"].values()} == {"one\n{{ 6 * 7 }}"}
    assert len(ssh_requests(sim, "GET")) == 2
    assert ssh_requests(sim, "DELETE") == []


def test_a_report_is_made_before_it_fails_the_night(
    site: Site, sim: Simulator, inventory: Inventory, credentials: dict[str, Credential], surveys: dict[str, Any]
) -> None:
    job = launched(site, inventory, credentials, surveys, "estate_report", {"estate_report_fail_on": "critical"})
    assert job.status == "failed"
    assert "estate_report_result" in job.artifacts, job.stdout[-4000:]
    result = job.artifacts["estate_report_result"]
    assert result["findings"]["critical"] > 0
    for kind in ("html", "json", "csv"):
        assert (job.private / "project" / result[kind]).stat().st_size > 1000
    assert {entry["method"] for entry in sim.journal()} == {"GET"}


def test_a_drill_tells_the_next_job_what_came_of_it(
    site: Site, sim: Simulator, inventory: Inventory, credentials: dict[str, Credential], surveys: dict[str, Any]
) -> None:
    # The answers of a nightly workflow, after a job that has left artifacts of its own.
    answers = {
        "backup_drill_project_id": "storefront",
        "backup_drill_addon_id": "orders-postgres",
        "backup_drill_scratch_addon_id": "orders-postgres",
    }
    job = launched(site, inventory, credentials, surveys, "backup_drill", answers)
    # One addon cannot be both, and the role says so before it sends anything.
    assert job.status == "failed"
    assert job.artifacts["backup_drill_result"]["passed"] is False
    assert job.artifacts["backup_drill_result"]["reasons"]
    assert {entry["method"] for entry in sim.journal()} == {"GET"}
    assert runner_jobs.node_vars({}, [job])["backup_drill_result"]["passed"] is False


def test_an_evacuation_can_be_tried_first(
    site: Site, sim: Simulator, inventory: Inventory, credentials: dict[str, Credential], surveys: dict[str, Any]
) -> None:
    job = launched(
        site, inventory, credentials, surveys, "server_evacuation",
        {"server_evacuation_server_id": SERVERS["eu-ams-1"]}, job_type="check",
    )  # fmt: skip
    result = job.artifacts["server_evacuation_result"]
    assert result["server_id"] == SERVERS["eu-ams-1"]
    assert {entry["method"] for entry in sim.journal()} == {"GET"}
