# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated parts of a hub: any number of things, the same for the same seed."""

from __future__ import annotations

from random import Random

from ..messages import Record
from . import loading
from .state import Container, State

_AMOUNTS = ("containers", "instances", "servers", "environments", "jobs")
_STATES = ("running",) * 17 + ("starting", "stopped", "failed")
_PURPOSES = ("orders", "billing", "catalogue", "sessions", "search", "reports", "identity", "media", "ledger", "stock")
_ACTIONS = ("container.instances.create", "container.instance.delete", "container.restart", "container.reconfigure")


def _amounts(request: Record) -> dict[str, int]:
    amounts = {name: request.get(name, 0) for name in _AMOUNTS}
    for name, amount in amounts.items():
        if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount <= 100_000:
            raise ValueError(f"{name} is a number from 0 to 100000")
    return amounts


def _id(kind: str, rng: Random) -> str:
    """Return an id of a kind; like those of the estate it is older than what is made later."""
    return f"66{kind}{rng.getrandbits(80):020x}"


def _servers(state: State, rng: Random, amount: int) -> list[str]:
    like = list(state.servers.values())
    if amount and not like:
        raise ValueError("servers are made after the model of one that the estate has")
    made = []
    for number in range(len(like) + 1, len(like) + 1 + amount):
        model = like[number % len(like)]
        location = state.resources["locations"][model["location_id"]]["provider"]["code"]
        entry = {
            "id": _id("5e", rng),
            "hostname": f"generated-{number:05}",
            "cluster": model["cluster"],
            "location": location,
            "model_id": model["model_id"],
            "tags": ["generated", *model["constraints"]["tags"]],
        }
        made.append(str(loading.server(state, entry)["id"]))
    return made


def _environments(state: State, rng: Random, amount: int) -> list[str]:
    clusters = sorted({server["cluster"] for server in state.servers.values()}) or ["default"]
    made = []
    for number in range(len(state.environments) + 1, len(state.environments) + 1 + amount):
        name = f"{rng.choice(_PURPOSES)}-{number:05}"
        entry = {"id": _id("e0", rng), "identifier": name, "name": name, "cluster": rng.choice(clusters)}
        made.append(str(loading.environment(state, entry)["id"]))
    return made


def _containers(state: State, rng: Random, amount: int) -> list[Container]:
    if amount and not state.environments:
        raise ValueError("containers need an environment")
    made = []
    for number in range(len(state.containers) + 1, len(state.containers) + 1 + amount):
        name = f"{rng.choice(_PURPOSES)}-{number:05}"
        home = rng.choice(list(state.environments.values()))
        entry = {
            "id": _id("c0", rng),
            "identifier": name,
            "name": name,
            "environment": home["identifier"],
            "strategy": "manual",
        }
        made.append(loading.container(state, entry))
    return made


def _instances(state: State, rng: Random, container: Container, amount: int) -> list[str]:
    cluster = container.data["environment"]["cluster"]
    servers = [each for each in state.servers.values() if each["cluster"] == cluster]
    if amount and not servers:
        raise ValueError(f"no server is in the cluster {cluster}")
    made = []
    for _number in range(amount):
        entry = {"id": _id("d1", rng), "age": rng.uniform(3600, 30 * 86400), "state": rng.choice(_STATES)}
        made.append(str(loading.instance(state, container, rng.choice(servers), entry)["id"]))
    container.data["config"]["deploy"]["instances"] += amount
    return made


def _jobs(state: State, rng: Random, amount: int) -> list[str]:
    containers = list(state.containers)
    if amount and not containers:
        raise ValueError("jobs need a container")
    return [
        str(
            loading.job(
                state,
                {
                    "id": _id("b0", rng),
                    "action": rng.choice(_ACTIONS),
                    "container": rng.choice(containers),
                    "ago": rng.uniform(60, 86400),
                },
            )["id"]
        )
        for _number in range(amount)
    ]


def add(state: State, request: Record) -> Record:
    """Add things and return their ids. Raises ValueError.

    Amounts: servers, environments, containers, instances (a container), jobs. ``container`` is the id of an existing
    one that gets the instances, in place of new ones; ``seed`` is a number.
    """
    unknown = sorted(set(request) - {*_AMOUNTS, "container", "seed"})
    if unknown:
        raise ValueError(f"unknown keys: {', '.join(unknown)}")
    amounts = _amounts(request)
    rng = Random(f"{request.get('seed', 0)}/{len(state.instances)}/{len(state.containers)}/{len(state.jobs)}")
    added: Record = {
        "servers": _servers(state, rng, amounts["servers"]),
        "environments": _environments(state, rng, amounts["environments"]),
    }
    if "container" in request:
        if request["container"] not in state.containers:
            raise ValueError(f"no such container: {request['container']}")
        targets, added["containers"] = [state.containers[request["container"]]], []
    else:
        if amounts["instances"] and not amounts["containers"]:
            raise ValueError("instances needs container or containers")
        targets = _containers(state, rng, amounts["containers"])
        added["containers"] = [container.id for container in targets]
    added["instances"] = {target.id: _instances(state, rng, target, amounts["instances"]) for target in targets}
    added["jobs"] = _jobs(state, rng, amounts["jobs"])
    return added
