# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of Cycle in JavaScript work against the simulator: the vendor's earlier one, and the library of today's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support import openapi
from support.simulator import Simulator

PROGRAMS = Path(__file__).with_name("cycle_client")
FOLDER = os.environ.get("NODE_PACKAGES", "")
WHY = os.environ.get("NODE_PACKAGES_LACK", "NODE_PACKAGES names no folder; make test sets it")
SECONDS = 60

if not FOLDER:
    pytest.skip(f"the clients in JavaScript are not here: {WHY}", allow_module_level=True)


def run(program: str, sim: Simulator, **given: str) -> dict[str, Any]:
    """Run a program of cycle_client with these values besides the simulator's; return what it found."""
    node = shutil.which("node")
    assert node is not None
    common = {"packages": FOLDER, "url": sim.cycle.url, "key": sim.cycle.key, "hub": sim.cycle.hub}
    done = subprocess.run(
        [node, str(PROGRAMS / program)],
        input=json.dumps(common | given),
        env=os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def requests_of_node(sim: Simulator) -> list[dict[str, Any]]:
    """Return what the programs have asked, without what the tests have."""
    return [entry for entry in sim.journal() if "Python" not in entry["headers"].get("user-agent", "")]


@pytest.fixture
def container(sim: Simulator) -> Any:
    """A container of the estate whose instances are made by hand, and that has some on two servers to choose from."""
    for one in sim.cycle.get("/v1/containers?page[size]=100").data["data"]:
        servers = sim.cycle.get(f"/v1/containers/{one['id']}/servers/usable").data["data"]
        if one["config"]["deploy"]["strategy"] == "manual" and not one["stateful"] and len(servers) > 1:
            return one
    raise AssertionError("the estate has no such container")


@pytest.fixture
def held(sim: Simulator, container: Any) -> list[str]:
    """The ids of the container's instances, oldest first."""
    path = f"/v1/containers/{container['id']}/instances?page[size]=100&sort=id"
    return [one["id"] for one in sim.cycle.get(path).data["data"]]


def test_the_library_of_the_present_client(sim: Simulator, container: Any, held: list[str]) -> None:
    found = run("present.mjs", sim, container=container["identifier"])
    assert found["containers"] == [container["identifier"]]
    assert found["container_includes"] == ["creators", "environments", "environments:identifiers"]
    assert found["instances_count"]["total"] >= len(held)
    assert found["before"] == held[::-1]
    assert found["nodes"] == [True] * len(held)
    assert found["servers_included"] == [True] * len(held)
    assert set(found["states"]) <= {"running", "starting"}
    assert found["states"]
    for step, status in (("create", 202), ("migrate", 202), ("remove", 202)):
        assert found[step]["status"] == status
        assert found[step]["action"]
        last = found[step]["seen"][-1]
        assert (last["state"], last["done"]) == ("completed", last["steps"]), step
    assert len(found["created"]) == 1
    assert found["server"] is True
    assert found["ssh"] == {"user": True, "secret": True, "valid": True}
    assert found["expired"] == 1
    assert found["report"] is True
    assert found["streams"] == [True, True]
    assert found["migrated"] == {"id_changed": True, "server": True, "from": True, "source": "purge"}
    assert found["gone"] in ("404.instance", "deleted")
    assert found["unknown"] == [404, "404.instance", None]
    # The library repeats every array.
    listing = "GET /v1/containers/{containerId}/instances"
    assert openapi.check_journal(requests_of_node(sim)) == [f"{listing} include: repeated, where a comma is wanted"]


def test_the_earlier_client(sim: Simulator, container: Any, held: list[str]) -> None:
    server = sim.cycle.get(f"/v1/containers/{container['id']}/servers/usable").data["data"][0]["id"]
    found = run("earlier.mjs", sim, container=container["identifier"], server=server)
    assert found["hub"] is True
    assert found["containers"] == [container["identifier"]]
    assert {"instances_count", "ips"} <= set(found["metas"])
    assert found["includes"] == ["environments", "environments:identifiers", "images"]
    assert found["before"] == held
    assert found["servers"] > 0
    assert found["create"] == found["remove"] == "completed"
    assert found["console"] > 0
    assert found["telemetry"] is True
    assert found["ssh"] is True
    assert found["expired"] == 1
    assert found["old_action"][0] is False
    assert found["old_action"][1] in (403, 422)
    assert found["left"] == []
    assert found["jobs"] is True
    assert {"job.created", "job.state.changed", "container.instance.state.changed"} <= set(found["topics"])
    assert found["instances_told"] is True
    spec = openapi.required()
    assert openapi.check_value(spec, openapi.named("ResourceSnapshot"), found["snapshot"], "snapshot") == []
    # It separates every array by commas, and knows older names.
    told = " ".join(openapi.check_journal(requests_of_node(sim)))
    assert "GET /v1/containers meta: has a comma, where repetition is wanted: instances_count,ips" in told
    assert "body.action: 'migrate' is not one of" in told
    assert "instances include" not in told
