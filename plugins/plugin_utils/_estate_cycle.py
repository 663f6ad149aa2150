# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The tables of Cycle in an estate report: servers, containers and instances."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..module_utils._cycle.instances import is_leaving
from ..module_utils._cycle.states import health_of
from ..module_utils._cycle.telemetry import summary_of
from ..module_utils._types import value_at
from ._estate_values import Row, number, stamp, text, truth

MAX_POINTS = 48  # of a series


class Names(t.NamedTuple):
    """What instances refer to, by id."""

    environments: Mapping[str | None, str | None]
    servers: Mapping[str | None, Row]
    containers: Mapping[str | None, Row]


def cycle_tables(items: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """Make the rows of Cycle. items: those that were read, by part."""
    environments = {text(one.get("id")): text(one.get("name")) or text(one.get("id")) for one in items["environments"]}
    servers = [server_row(one) for one in items["servers"]]
    containers = [container_row(one, environments) for one in items["containers"]]
    usage = {text(one.get("instance_id")): usage_of(one) for one in items["telemetry"]}
    names = Names(environments, {one["id"]: one for one in servers}, {one["id"]: one for one in containers})
    unknown = usage_of({})
    instances = [{**instance_row(one, names), **usage.get(text(one.get("id")), unknown)} for one in items["instances"]]
    staying = [row for one, row in zip(items["instances"], instances, strict=True) if not is_leaving(one)]
    for rows, key in ((servers, "server_id"), (containers, "container_id")):
        there = Counter(one[key] for one in staying)
        running = Counter(one[key] for one in staying if one["state"] == "running")
        for row in rows:
            row["instances"], row["instances_running"] = there[row["id"]], running[row["id"]]
    return {"servers": servers, "containers": containers, "instances": instances}


def state_columns(item: Row) -> Row:
    """Make the columns that servers, containers and instances share."""
    return {
        "id": text(item.get("id")),
        "state": text(value_at(item, "state.current")),
        "changed_at": stamp(value_at(item, "state.changed")),
        "error": text(value_at(item, "state.error.message") or value_at(item, "state.error")),
        "created_at": stamp(value_at(item, "events.created")),
    }


def server_row(item: Row) -> Row:
    """Make the row of a server and its node."""
    return {
        **state_columns(item),
        "name": text(item.get("hostname")) or text(item.get("id")),
        "nickname": text(item.get("nickname")),
        "location": text(value_at(item, "included.location.name")) or text(value_at(item, "provider.location")),
        "cluster": text(item.get("cluster")),
        "online": truth(value_at(item, "meta.node.online")),
        "healthy": truth(value_at(item, "meta.node.healthy")),
        "checked_in_at": stamp(value_at(item, "meta.node.last_checkin")),
        "evacuating_since": stamp(value_at(item, "evacuate.started")),
    }


def container_row(item: Row, environments: Mapping[str | None, str | None]) -> Row:
    """Make the row of a container."""
    environment = text(value_at(item, "environment.id"))
    wanted = value_at(item, "config.deploy.instances")
    return {
        **state_columns(item),
        "name": text(item.get("name")) or text(item.get("identifier")) or text(item.get("id")),
        "environment": environments.get(environment, environment),
        "desired": text(value_at(item, "state.desired")),
        "strategy": text(value_at(item, "config.deploy.strategy")),
        "wanted": wanted if isinstance(wanted, int) else None,
        "started_at": stamp(value_at(item, "events.started")),
    }


def instance_row(item: Row, names: Names) -> Row:
    """Make the row of an instance, without its telemetry."""
    container_id, server_id = text(item.get("container_id")), text(item.get("server_id"))
    container, server = names.containers.get(container_id, {}), names.servers.get(server_id, {})
    environment = text(value_at(item, "environment.id"))
    return {
        **state_columns(item),
        "name": text(item.get("hostname")) or text(item.get("id")),
        "container_id": container_id,
        "container": container.get("name") or container_id,
        "container_state": container.get("state"),
        "environment": names.environments.get(environment, environment),
        "server_id": server_id,
        "server": server.get("name") or server_id,
        "server_online": server.get("online"),
        "location": server.get("location"),
        "ready_state": text(item.get("ready_state")),
        "healthy": health_of(item),
        "draining_since": stamp(value_at(item, "traffic_drain.started")),
    }


def usage_of(report: Row) -> Row:
    """Make the columns of telemetry: shares of 0 to 1 now and over time, and how often the instance was restarted."""
    snapshots = report["snapshots"] if isinstance(report.get("snapshots"), list) else []
    # By time, because two samples of the same moment have no rates.
    timed = {moment: one for one in snapshots if isinstance(one, dict) and (moment := stamp(one.get("time")))}
    moments = thinned(sorted(timed), MAX_POINTS + 1)
    steps = [summary_of([timed[earlier], timed[later]]) for earlier, later in pairwise(moments)]
    # A summary of two samples covers a time unless a counter went back between them, as it does at a restart.
    restarts = [moment for step, moment in zip(steps, moments[1:], strict=True) if step["seconds"] is None]
    return {
        "cpu": number(value_at(report, "summary.cpu")),
        "memory": number(value_at(report, "summary.memory_share")),
        "cpu_series": [step["cpu"] for step in steps],
        "memory_series": [step["memory_share"] for step in steps],
        "restarts": len(restarts) if steps else None,
        "restarted_at": max(restarts, default=None),
    }


def thinned(items: Sequence[str], most: int) -> list[str]:
    """Choose at most so many items, evenly, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]
