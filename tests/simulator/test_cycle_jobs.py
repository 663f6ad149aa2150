# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycle: jobs, seen early and late, done well and badly."""

from __future__ import annotations

from typing import Any

import pytest

from support.cycle import CONTAINERS, at, code, ids, instance_id, job, placement, state
from support.simulator import Simulator

WORKER = at("worker", rest="/instances")
ZERO = "0001-01-01T00:00:00Z"


def _create(sim: Simulator, **amounts: int) -> Any:
    return sim.cycle.send("POST", WORKER, placement(**amounts))


def test_times_and_steps(still: Simulator) -> None:
    accepted = _create(still, eu_ams_1=1)
    found = job(still, accepted)
    assert found["state"] == {"current": "new", "changed": "2026-11-02T08:00:00.000000487Z", "error": None}
    assert found["events"]["completed"] == found["events"]["started"] == ZERO
    assert "66e000000000000000000001" in found["queue"].split("-")
    finished = []
    for seconds in (0.35, 0.4, 0.4, 0.4):
        still.clock(advance=seconds)
        (task,) = job(still, accepted)["tasks"]
        finished.append((task["state"]["current"], sum(step["completed"] != ZERO for step in task["steps"])))
    assert finished == [("running", 0), ("running", 1), ("running", 2), ("completed", 3)]
    found = job(still, accepted)
    assert ZERO not in found["events"].values()
    assert found["creator"] == {"id": "66ab00000000000000000001", "type": "api-key"}


def test_a_job_can_be_invisible_at_first(still: Simulator) -> None:
    still.cycle.settings(jobs={"visible_after": 0.2, "list_visible_after": 0.6})
    path = f"/v1/jobs/{_create(still, eu_ams_1=1).data['data']['job']['id']}"
    seen = []
    for seconds in (0, 0.3, 0.4):
        still.clock(advance=seconds)
        listed = path.rpartition("/")[2] in ids(still.cycle.get("/v1/jobs"))
        seen.append((still.cycle.get(path).status, listed))
    assert seen == [(404, False), (200, False), (200, True)]


def test_jobs_are_forgotten(still: Simulator) -> None:
    still.cycle.settings(jobs={"kept": 5})
    path = f"/v1/jobs/{_create(still, eu_ams_1=1).data['data']['job']['id']}"
    still.clock(advance=6)
    assert still.cycle.get(path).data["data"]["state"]["current"] == "completed"
    still.clock(advance=1)
    assert code(still.cycle.get(path)) == "404.job"
    assert len(ids(still.cycle.get(WORKER))) == 1


def test_a_job_that_fails_does_nothing(still: Simulator) -> None:
    still.cycle.settings(jobs={"fail": "error", "fail_message": "no space left"})
    accepted = _create(still, eu_ams_1=2)
    still.clock(advance=5)
    found = job(still, accepted)
    assert found["state"]["current"] == "error"
    assert found["state"]["error"] == {"message": "no space left"}
    assert found["tasks"][0]["error"] == {"message": "Create instances: no space left"}
    assert found["tasks"][0]["state"]["current"] == "error"
    assert found["tasks"][0]["steps"][-1]["completed"] == ZERO
    assert ids(still.cycle.get(WORKER)) == []


def test_a_job_that_fails_half_way(still: Simulator) -> None:
    still.cycle.settings(jobs={"fail": "error", "partial": 3})
    accepted = _create(still, eu_ams_1=2, eu_ams_2=2)
    still.clock(advance=5)
    assert job(still, accepted)["state"]["current"] == "error"
    found = still.cycle.get(WORKER).data["data"]
    assert [each["state"]["current"] for each in found] == ["running"] * 3
    assert len({each["server_id"] for each in found}) == 2


def test_a_job_that_expires_never_ran(still: Simulator) -> None:
    still.cycle.settings(jobs={"fail": "expired", "partial": 3})
    accepted = _create(still, eu_ams_1=2)
    still.clock(advance=1)
    assert job(still, accepted)["state"]["current"] == "queued"
    still.clock(advance=1)
    found = job(still, accepted)
    assert (found["state"]["current"], found["state"]["error"]) == ("expired", None)
    assert found["events"]["started"] == ZERO
    assert ids(still.cycle.get(WORKER)) == []


def test_only_some_jobs_fail(still: Simulator) -> None:
    still.cycle.settings(jobs={"fail": "error", "fail_action": "container.instance.delete", "fail_times": 1})
    first, second = (still.cycle.send("DELETE", at("web", number)) for number in (1, 2))
    made = _create(still, eu_ams_1=1)
    still.clock(advance=0.5)
    assert state(still, "web", 1) == "deleting"
    still.clock(advance=2)
    assert [job(still, each)["state"]["current"] for each in (first, second, made)] == [
        "error",
        "completed",
        "completed",
    ]
    # Deleting failed: the instance is as before.
    assert (state(still, "web", 1), state(still, "web", 2)) == ("running", "gone")
    still.cycle.settings(jobs={"fail": "error", "fail_times": 1})
    assert still.cycle.send("DELETE", at("web", 3)).status == 202
    still.clock(advance=2)
    assert state(still, "web", 3) == "running"


def test_every_task_of_a_failed_job_is_told(still: Simulator) -> None:
    still.cycle.settings(jobs={"fail": "error"})
    wanted = [instance_id("web", number) for number in (1, 2)]
    accepted = still.cycle.send("DELETE", at("web", rest="/instances"), wanted)
    still.clock(advance=2)
    tasks = job(still, accepted)["tasks"]
    assert [task["state"]["current"] for task in tasks] == ["completed", "error"]
    assert [task["input"]["instance_id"] for task in tasks] == wanted


@pytest.mark.parametrize(("shape", "keys"), [("job_id", {"action", "contents", "job_id"}), ("none", {"action"})])
def test_other_descriptors(still: Simulator, shape: str, keys: set[str]) -> None:
    still.cycle.settings(jobs={"descriptor": shape})
    described = _create(still, eu_ams_1=1).data["data"]
    assert set(described) == keys
    newest = still.cycle.get("/v1/jobs/latest").data["data"][0]
    assert described.get("job_id", newest["id"]) == newest["id"]
    still.clock(advance=2)
    assert len(ids(still.cycle.get(WORKER))) == 1


def test_lists_of_jobs(still: Simulator) -> None:
    made = [_create(still, eu_ams_1=1).data["data"]["job"]["id"] for _number in range(2)]
    past = ["66b100000000000000000001", "66b100000000000000000002"]
    assert ids(still.cycle.get("/v1/jobs")) == [*past, *made]
    assert ids(still.cycle.get("/v1/jobs?filter[state]=new,queued")) == made
    assert ids(still.cycle.get("/v1/jobs?filter[state]=error")) == past[1:]
    assert ids(still.cycle.get("/v1/jobs?filter[range-start]=2026-11-02T07:59:00Z")) == made
    assert ids(still.cycle.get(f"/v1/jobs?filter[search]={CONTAINERS['canary']}")) == past[1:]
    assert ids(still.cycle.get("/v1/jobs/latest")) == [*reversed(made), *reversed(past)]
    creators = still.cycle.get("/v1/jobs?include=creators").data["includes"]["creators"]
    assert [each["name"] for each in creators["api_keys"].values()] == ["demo"]
