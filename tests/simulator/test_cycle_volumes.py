# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycle: volumes and how they grow, the draining of traffic."""

from __future__ import annotations

from typing import Any

import pytest

from support.cycle import at, code, instance, job
from support.simulator import Reply, Simulator

POSTGRES = at("orders-postgres", 1)


def _volumes(sim: Simulator, path: str = POSTGRES) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sim.cycle.get(f"{path}/volumes").data["data"]
    return found


def _extend(sim: Simulator, volume: object, size: object) -> Reply:
    contents = {"volume_id": volume, "extend_size": size}
    return sim.cycle.send("POST", f"{POSTGRES}/tasks", {"action": "volume.extend", "contents": contents})


def test_what_volumes_show(sim: Simulator) -> None:
    data, scratch = _volumes(sim)
    assert data["config"]["destination"] == "/var/lib/postgresql"
    assert data["deployed"]["storage"] == {"used": 5120, "total": 20480}
    assert data["deployed"]["instance_id"] == instance(sim, "orders-postgres", 1)["id"]
    assert scratch["config"]["local"]["stateless"] is True
    assert _volumes(sim, at("web", 1)) == []
    assert _volumes(sim, at("reports", 1))[0]["deployed"] is None
    (newest,) = sim.cycle.get(f"{POSTGRES}/volumes?sort=-id&page[size]=1").data["data"]
    assert newest["id"] == scratch["id"]


def test_passwords_can_be_recognised(sim: Simulator) -> None:
    data = _volumes(sim)[0]
    assert data["sftp"]["password"]["data"].startswith("sim-sftp-password-")
    assert data["config"]["remote_access"]["password"]["data"] == "sim-remote-access-password-orders"
    # The other server does not serve volumes by SFTP.
    assert _volumes(sim, at("orders-postgres", 2))[0]["sftp"] is None


@pytest.mark.parametrize(
    ("size", "added"),
    [("1G", 1024), ("10gb", 10240), ("512M", 512), ("2T", 2097152), ("1024k", 1), ("1025KB", 2), ("5b", 1)],
)
def test_a_volume_grows_by_what_is_asked_for(still: Simulator, size: str, added: int) -> None:
    accepted = _extend(still, _volumes(still)[0]["id"], size)
    assert accepted.data["data"]["action"] == "container.instance.volume.extend"
    assert _volumes(still)[0]["deployed"]["storage"]["total"] == 20480
    still.clock(advance=2)
    assert job(still, accepted)["state"]["current"] == "completed"
    assert _volumes(still)[0]["deployed"]["storage"]["total"] == 20480 + added
    assert _volumes(still)[1]["deployed"]["storage"]["total"] == 512


def test_growing_twice_is_growing_by_twice_as_much(still: Simulator) -> None:
    for _number in range(2):
        assert _extend(still, _volumes(still)[0]["deployed"]["id"], "1G").status == 202
    still.clock(advance=2)
    assert _volumes(still)[0]["deployed"]["storage"]["total"] == 20480 + 2048


@pytest.mark.parametrize("size", ["", "G", "10", "-1G", "1.5G", "1Gi", "1 G", " 1G", "0M", 10, None, "\uff11G"])
def test_sizes_that_are_none(still: Simulator, size: object) -> None:
    assert code(_extend(still, _volumes(still)[0]["id"], size)) == "422.invalid-argument"


def test_which_ids_are_taken(still: Simulator) -> None:
    of_container = _volumes(still)[0]["deployed"]["container_volume_id"]
    assert code(_extend(still, "66df000300000000000000ff", "1G")) == "422.invalid-argument"
    assert code(_extend(still, of_container, "1G")) == "422.invalid-argument"
    still.cycle.settings(volumes={"container_volume_id": True})
    assert _extend(still, of_container, "1G").status == 202
    missing = {"action": "volume.extend", "contents": {"volume_id": of_container}}
    assert code(still.cycle.send("POST", f"{POSTGRES}/tasks", missing)) == "422.missing-argument"


def test_extending_that_fails(still: Simulator) -> None:
    still.cycle.settings(jobs={"fail": "error"})
    accepted = _extend(still, _volumes(still)[0]["id"], "1G")
    still.clock(advance=2)
    assert job(still, accepted)["state"]["current"] == "error"
    assert _volumes(still)[0]["deployed"]["storage"]["total"] == 20480


def test_draining(still: Simulator) -> None:
    def drain(enable: object, number: int = 1) -> Reply:
        body = {"action": "traffic-drain.reconfigure", "contents": {"enable": enable}}
        return still.cycle.send("POST", at("web", number, "/tasks"), body)

    assert instance(still, "web", 4)["traffic_drain"] is not None
    assert instance(still, "web", 1)["traffic_drain"] is None
    drain(True)
    still.clock(advance=2)
    started = instance(still, "web", 1)["traffic_drain"]["started"]
    assert started.startswith("2026-11-02T08:00:01.5")
    drain(True)
    still.clock(advance=2)
    assert instance(still, "web", 1)["traffic_drain"]["started"] == started
    drain(False)
    still.clock(advance=2)
    assert instance(still, "web", 1)["traffic_drain"] is None
    assert code(drain("yes")) == "422.invalid-argument"
