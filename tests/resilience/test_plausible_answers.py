# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where nobody knows what Cycle answers, every plausible answer leads to the same end. Time is simulated."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

import pytest

from resilience import module_process

if t.TYPE_CHECKING:
    from pathlib import Path

    from support.simulator import Simulator

WORKER = "66c000000000000000000002"
SERVER, OTHER = "665e00000000000000000001", "665e00000000000000000003"
Result = dict[str, t.Any]
Run = Callable[..., Result]

# What the simulator is set to, and the key that asks.
ANSWERS: dict[str, tuple[dict[str, t.Any], str]] = {
    "as specified": ({}, "demo"),
    "the old descriptor": ({"jobs": {"descriptor": "job_id"}}, "demo"),
    "a descriptor without a job": ({"jobs": {"descriptor": "none"}}, "demo"),
    "a key that may not see jobs": ({}, "no-jobs"),
    "a job that is not visible at first": ({"jobs": {"visible_after": 1.2, "list_visible_after": 1.2}}, "demo"),
    "a job that is visible only when it is done": ({"jobs": {"visible_after": 9}}, "demo"),
    "a job that vanishes at its end": ({"jobs": {"kept": 0}}, "demo"),
    "a job that waits in its queue": ({"jobs": {"queued": 3}}, "demo"),
    "deleted instances stay visible": ({"instances": {"deleted_visible": True}}, "demo"),
    "the shapes of 2024": ({"seed": True}, "demo"),
    "small pages": ({"page": {"default": 20, "maximum": 20}}, "demo"),
    "health is not reported": ({"instances": {"outcomes": {"*": "unreported"}}}, "demo"),
}


@pytest.fixture
def run(sim: Simulator, tmp_path: Path) -> Run:
    """Run a module, by its name, the name of a key and its options; return its result."""

    def run_module(module: str, key: str = "demo", **options: t.Any) -> Result:
        access = {"api_url": sim.cycle.url, "api_key": sim.cycle.keys[key], "hub_id": sim.cycle.hub}
        return module_process.run(sim, tmp_path, module, {**access, "timeout": 3600, **options})

    return run_module


def on_servers(sim: Simulator) -> list[str]:
    found = sim.cycle.get(f"/v1/containers/{WORKER}/instances?page[size]=100").data["data"]
    return sorted(one["server_id"] for one in found if one["state"]["current"] not in ("deleting", "deleted"))


@pytest.mark.parametrize("answer", ANSWERS)
def test_placing_and_deleting(sim: Simulator, run: Run, answer: str) -> None:
    settings, key = ANSWERS[answer]
    sim.cycle.settings(**settings)
    wanted = {
        "container_id": WORKER,
        "placement": [{"server_id": SERVER, "count": 2}, {"server_id": OTHER, "count": 1}],
        "exact": True,
        "wait_interval": 1,
    }
    placed = run("instance", key, **wanted)
    assert not placed.get("failed"), placed
    assert len(placed["created"]) == 3
    assert on_servers(sim) == [SERVER, SERVER, OTHER]
    assert run("instance", key, **wanted)["changed"] is False
    deleted = run("instance", key, container_id=WORKER, state="absent", server_id=SERVER, wait_interval=1)
    assert not deleted.get("failed"), deleted
    assert len(deleted["deleted"]) == 2
    assert on_servers(sim) == [OTHER]
    again = run("instance", key, container_id=WORKER, state="absent", server_id=SERVER, wait_interval=1)
    assert again["changed"] is False


def test_a_job_that_never_ends_is_a_failure_in_time(sim: Simulator, run: Run) -> None:
    sim.cycle.settings(jobs={"queued": 1000})
    placement = [{"server_id": SERVER, "count": 1}]
    result = run("instance", container_id=WORKER, placement=placement, wait_timeout=2, wait_interval=1)
    assert result["failed"]
    assert result["changed"]
    assert "not done after 2 seconds" in result["msg"]
    assert result["jobs"][0]["state"] in ("new", "queued")


def test_an_expired_job_is_a_failure(sim: Simulator, run: Run) -> None:
    sim.cycle.settings(jobs={"fail": "expired"})
    placement = [{"server_id": SERVER, "count": 1}]
    result = run("instance", container_id=WORKER, placement=placement, wait_interval=1)
    assert result["failed"]
    assert "expired before it ran" in result["msg"]


def test_an_instance_that_does_not_start_is_a_failure(sim: Simulator, run: Run) -> None:
    sim.cycle.settings(instances={"outcomes": {WORKER: "failed"}})
    placement = [{"server_id": SERVER, "count": 1}]
    result = run("instance", container_id=WORKER, placement=placement, wait_interval=1)
    assert result["failed"]
    assert result["changed"]
    assert "failed" in result["msg"]
    assert result["servers"] == [{"server_id": SERVER, "before": 0, "after": 1}]


@pytest.mark.parametrize("trap", ["clamp", "ignore_size"])
def test_pages_of_other_sizes_lose_nothing(sim: Simulator, run: Run, trap: str) -> None:
    sim.control("generate", {"platform": "cycle", "container": WORKER, "instances": 250})
    sim.fault("GET", f"/v1/containers/{WORKER}/instances", {"pagination": trap}, times=None)
    assert len(run("instance_info", container_id=WORKER)["instances"]) == 250


def test_pages_that_repeat_are_an_error(sim: Simulator, run: Run) -> None:
    sim.control("generate", {"platform": "cycle", "container": WORKER, "instances": 250})
    sim.fault("GET", f"/v1/containers/{WORKER}/instances", {"pagination": "ignore_page"}, times=None)
    result = run("instance_info", container_id=WORKER)
    assert result["failed"]
    assert "sends its first page again" in result["msg"]


def test_pages_without_end_are_an_error(sim: Simulator, run: Run) -> None:
    sim.fault("GET", "/v1/containers/*/instances", {"pagination": "endless"}, times=None)
    result = run("instance_info", container_id="66c000000000000000000001")
    assert result["failed"]
    assert "list" in result["msg"]


def test_errors_of_authentication_in_the_shape_of_oauth(sim: Simulator, run: Run) -> None:
    sim.cycle.settings(errors={"oauth": True})
    result = run("container_info", "expired")
    assert result["failed"]
    assert result["error"]["status"] == 401


@pytest.mark.parametrize(
    ("key", "capability", "module", "options"),
    [
        (
            "no-manage",
            "containers-manage",
            "instance",
            {"state": "absent", "all": True, "container_id": "66c000000000000000000001"},
        ),
        (
            "no-ssh",
            "containers-ssh",
            "instance_ssh",
            {"container_id": "66c000000000000000000001", "instance_id": "66d000010000000000000001"},
        ),
        (
            "no-console",
            "containers-console",
            "instance_console",
            {"container_id": "66c000000000000000000001", "instance_id": "66d000010000000000000001"},
        ),
        (
            "no-migrate",
            "containers-instances-migrate",
            "instance_migration",
            {"container_id": "66c000000000000000000001", "instance_id": "66d000010000000000000001", "any_usable": True},
        ),
        ("no-jobs", "apionly-jobs-view", "job_info", {}),
    ],
)
def test_the_missing_capability_is_named(
    run: Run, key: str, capability: str, module: str, options: dict[str, t.Any]
) -> None:
    result = run(module, key, **options)
    assert result["failed"]
    assert result["changed"] is False
    assert result["error"]["status"] == 403
    assert f"lacks the capability {capability}" in result["msg"]
