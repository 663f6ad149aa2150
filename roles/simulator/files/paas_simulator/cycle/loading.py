# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the estate file to the state: what the file leaves out is filled in."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ..messages import Record
from . import jobs, lives, records, resources, shared
from .access import Key, read_key
from .activity import context_of, log
from .migration import keep
from .settings import OUTCOMES
from .shared import DAY
from .stamps import ZERO, nano, read, stamp
from .state import Container, Job, State


def load(state: State, estate: Record) -> None:
    """Build the state from an estate's section; an empty one gives a hub without anything. Raises ValueError."""
    state.hub = shared.hub(estate.get("hub", {}), state.now())
    state.resources = shared.shared(estate, state)
    for entry in estate.get("keys", []):
        key(state, entry)
    for entry in estate.get("environments", []):
        environment(state, entry)
    for entry in estate.get("servers", []):
        server(state, entry)
    for entry in estate.get("containers", []):
        container(state, entry)
    for entry in estate.get("jobs", []):
        job(state, entry)
    for entry in estate.get("activity", []):
        _activity(state, entry)


def creator(state: State) -> Record:
    """Return who made what the estate does not say: the first account."""
    return {"id": next(iter(state.resources["accounts"]), "66aa00000000000000000001"), "type": "account"}


def key(state: State, entry: Record) -> None:
    """Add an API key; it can be included as the creator of things."""
    made = read_key(entry, state.hub_id)
    state.keys[entry["key"]] = made
    state.resources["api_keys"][made.id] = {
        "id": made.id,
        "name": made.name,
        "creator": creator(state),
        "hub_id": made.hub,
        "permissions": {"all_environments": True, "environments": []},
        "capabilities": {"all": made.patterns == ("*",), "specific": made.capabilities()},
        "ips": None,
        "state": {"current": "live", "changed": stamp(state.now() - 90 * DAY)},
        "events": {"created": stamp(state.now() - 90 * DAY), "updated": stamp(state.now() - 90 * DAY), "deleted": ZERO},
    }


def environment(state: State, entry: Record) -> Record:
    """Add an environment and return it."""
    made = resources.environment(state, entry, creator(state))
    state.environments[made["id"]] = made
    return made


def server(state: State, entry: Record) -> Record:
    """Add a server and return it; ``location`` is the code of one, ``online: false`` takes its node away."""
    locations = {each["provider"]["code"]: each for each in state.resources["locations"].values()}
    made = resources.server(state, entry, locations[entry["location"]], creator(state))
    state.servers[made["id"]] = made
    state.online[made["id"]] = entry.get("online", True)
    return made


def container(state: State, entry: Record) -> Container:
    """Add a container with its instances and return it. Raises KeyError, ValueError."""
    environments = {each["identifier"]: each for each in state.environments.values()}
    data = resources.container(state, entry, environments[entry["environment"]], creator(state))
    made = Container(data, outcome=entry.get("outcome", "running"), console_lines=entry.get("console_lines", 40))
    if made.outcome not in OUTCOMES:
        raise ValueError(f"outcomes are {', '.join(OUTCOMES)}, not {made.outcome}")
    state.containers[made.id] = made
    servers = {each["hostname"]: each for each in state.servers.values()}
    for part in entry.get("instances", []):
        instance(state, made, servers[part["server"]], part)
    service = data["image"]["service"]
    if service is not None:
        state.environments[data["environment"]["id"]]["services"][service] = {
            "enable": True,
            "container_id": made.id,
            "high_availability": False,
            "auto_update": True,
            "config": None,
        }
    return made


def _health(made: Container, entry: Record, moment: float) -> Record:
    """Return what an instance's entry says of its health; where it is checked, an instance that runs is healthy."""
    checked = lives.checked(made) and entry.get("state", "running") == "running"
    if "healthy" not in entry and not checked:
        return {}
    healthy = entry.get("healthy", True)
    updated = ZERO if healthy is None else nano(moment)
    found: Record = {"health": {"healthy": healthy, "updated": updated}}
    if made.data["config"]["deploy"].get("readiness_check") is not None:
        found["readiness"] = {"ready": healthy, "updated": updated}
    return found


def instance(state: State, made: Container, on: Record, entry: Record) -> Record:
    """Add an instance and return it.

    ``age``: seconds since it was made; ``state``, ``error``, ``healthy``; ``moved_from``: the id of the source, which
    comes before it; ``purge_in``: seconds until it is purged.
    """
    now = state.now()
    since = now - entry.get("age", 30 * DAY)
    given: Record = {
        "id": entry["id"],
        "state": {
            "current": entry.get("state", "running"),
            "changed": nano(since + 5),
            **_health(made, entry, since + 6),
        },
    }
    if "error" in entry:
        given["state"]["error"] = {"message": entry["error"], "time": nano(since + 5)}
    if "drain" in entry:
        given["traffic_drain"] = {"started": nano(since + entry["drain"])}
    record = records.instance(state, made, on, since, creator(state), given)
    lives.place(state, made, record)
    if made.data["volumes"]:
        state.volumes[record["id"]] = records.volumes(state, made, record, since)
        _used(state.volumes[record["id"]], record["id"], entry.get("volumes_deployed", True))
    if "moved_from" in entry:
        _moved(state, state.instances[entry["moved_from"]], record, entry.get("moved", True))
    if "purge_in" in entry:
        keep(state, record, now + entry["purge_in"], now)
    return record


def _used(volumes: list[Record], identifier: str, deployed: bool) -> None:
    """Give the volumes of an estate's instance ids that stay the same, and contents."""
    for number, volume in enumerate(volumes, 1):
        volume["id"] = f"66df{identifier[4:10]}{identifier[-12:]}{number:02x}"
        if not deployed:
            volume["deployed"] = volume["sftp"] = None
            continue
        volume["deployed"]["id"] = f"66de{identifier[4:10]}{identifier[-12:]}{number:02x}"
        volume["deployed"]["path"] = f"/var/lib/cycle/volumes/{volume['id']}"
        volume["deployed"]["storage"]["used"] = volume["deployed"]["storage"]["total"] // 4
        if volume["sftp"] is not None:
            volume["sftp"] |= {"username": volume["id"], "password": records.password("sftp", volume["id"])}


def _moved(state: State, source: Record, destination: Record, through: bool) -> None:
    since = read(destination["events"]["created"])
    completed = nano(since + 120) if through else ZERO
    common = {"key": f"66dc{source['id'][4:]}", "copy_volumes": True, "started": nano(since), "completed": completed}
    there = {"instance_id": destination["id"], "server_id": destination["server_id"]}
    here = {"instance_id": source["id"], "server_id": source["server_id"]}
    source["migration"] = {**common, "to": there, "from": None}
    destination["migration"] = {**common, "to": None, "from": here}
    destination["hostname"] = source["hostname"]
    destination["stateful"] = deepcopy(source["stateful"])


def job(state: State, entry: Record) -> Record:
    """Add a job of the past and return its data; ``ago``: seconds since it was made; it stays."""
    made = state.containers[entry["container"]]
    moment = state.now() - entry.get("ago", 3600)
    action, caption = str(entry["action"]), str(entry.get("caption", entry["action"]))
    given = {"container_id": made.id, **entry.get("input", {})}
    work = jobs.Work(action, caption, context_of(made), [(caption, given)], (), 1)
    data = jobs.record(state, work, creator(state), moment)
    current = entry.get("state", "completed")
    error = {"message": entry["error"]} if "error" in entry else None
    done = current in ("completed", "error")
    data["state"] = {"current": current, "changed": nano(moment + 2), "error": error}
    data["events"] |= {"started": nano(moment + 1), "completed": nano(moment + 2) if done else ZERO}
    task = data["tasks"][0]
    task["state"] = {"current": current if done else "pending", "changed": nano(moment + 2)}
    task["error"] = error
    task["events"] = dict(data["events"])
    if "id" in entry:
        data["id"] = entry["id"]
    state.jobs[data["id"]] = Job(data, action, moment)
    return data


def _activity(state: State, entry: Record) -> None:
    """Add an entry of the past, by a key of a name."""
    who: dict[str, Key] = {each.name: each for each in state.keys.values()}
    made = state.containers[entry["container"]]
    concerned: Any = state.instances.get(entry.get("instance", ""))
    moment = state.now() - entry.get("ago", 3600)
    status, error = entry.get("status", "success"), entry.get("error")
    log(state, who[entry["key"]], entry["event"], context_of(made, concerned), moment, status, error)
