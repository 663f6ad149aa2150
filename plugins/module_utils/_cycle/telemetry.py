# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Telemetry of instances: reports, live samples, and a summary out of their counters.

Facts from the vendor's page "Instances" and its API specification of 2026. Counters run since the instance, or its
network interface, was started; those of the CPU are nanoseconds. That cores come as per_core is from older answers.
"""

from __future__ import annotations

import typing as t

from .._argspec import CONCURRENCY, ArgumentSpec
from .._errors import ApiError, InvalidResponseError, NotFoundError
from .._options import check_ranges
from .._paging import fan_out
from .._response import json_object, malformed
from .._timestamps import parse
from .._types import Item, Params, value_at
from .._wait import Deadline
from .._websocket_handshake import require_libraries
from .api import Cycle
from .instances import NOT_NOW, instance_of, instance_path, instances_of, is_gone, is_there, state_of
from .resources import CONTAINERS_VIEW
from .streams import authorise, open_stream

UNLIMITED = 2**60  # bytes; what the kernel says when there is no limit is some larger number

ARGUMENTS = CONCURRENCY.merge(
    ArgumentSpec(
        options={
            "container_id": {"type": "str", "required": True},
            "instance_id": {"type": "str"},
            "range_start": {"type": "str"},
            "range_end": {"type": "str"},
            "live": {
                "type": "dict",
                "options": {
                    "samples": {"type": "int", "default": 2},
                    "timeout": {"type": "int", "default": 30},
                },
            },
            "snapshots": {"type": "bool", "default": True},
        },
        mutually_exclusive=(("live", "range_start"), ("live", "range_end")),
    )
)


def read(client: Cycle, params: Params) -> dict[str, t.Any]:
    """Return what the module instance_telemetry_info returns."""
    container_id, live = params["container_id"], params["live"]
    if live is not None:
        check_ranges(live)
        require_libraries()
        require_libraries()

    def read_one(instance_id: str) -> list[Item]:
        if live:
            return [live_report(client, container_id, instance_id, live["samples"], live["timeout"])]
        return [report(client, container_id, instance_id, params["range_start"], params["range_end"])]

    def read_listed(instance_id: str) -> list[Item]:
        try:
            return read_one(instance_id)
        except NotFoundError:
            if is_there(client, container_id, instance_id):
                raise
            return []  # deleted since it was listed

    if params["instance_id"] is not None:
        reports = read_one(params["instance_id"])
    else:
        reports = fan_out(
            read_listed,
            [str(one["id"]) for one in instances_of(client, container_id) if not is_gone(one)],
            concurrency=params["concurrency"],
            name=lambda instance_id: f'instance "{instance_id}"',
        )
    if not params["snapshots"]:
        reports = [{**one, "snapshots": []} for one in reports]
    return {"reports": reports}


def report(client: Cycle, container_id: str, instance_id: str, start: str | None, end: str | None) -> Item:
    """Return the report of an instance for a range, as results show it; empty for one that has none.

    Args:
        start, end: RFC 3339; without one the platform decides, by its clock.
    """
    path = f"{instance_path(container_id, instance_id)}/telemetry/resources/report"
    query = {"filter[range-start]": start, "filter[range-end]": end}
    try:
        found = client.get(path, query=query, permission=CONTAINERS_VIEW)
    except ApiError as error:
        if not _has_none(client, container_id, instance_id, error):
            raise
        found = {}
    snapshots = found.get("snapshots")
    if not isinstance(snapshots, (list, type(None))):
        raise malformed("GET", f"/v1/{path}", "has no list of snapshots")
    asked = {"start": value_at(found, "request.start") or start, "end": value_at(found, "request.end") or end}
    return _report(client, container_id, instance_id, snapshots or [], **asked)


def live_report(client: Cycle, container_id: str, instance_id: str, samples: int, timeout: float) -> Item:
    """Return the same from the stream: so many samples, or fewer if no more come within the time-out, in seconds."""
    found: list[Item] = []
    try:
        authorisation = authorise(client, "telemetry", container_id, instance_id)
    except ApiError as error:
        if not _has_none(client, container_id, instance_id, error):
            raise
    else:
        with open_stream(client, authorisation) as stream:
            for message in stream.messages(Deadline(timeout, 1)):
                found.append(_sample(message))
                if len(found) == samples:
                    break
    times = [one.get("time") for one in found] or [None]
    return _report(client, container_id, instance_id, found, start=times[0], end=times[-1])


def _sample(data: bytes) -> Item:
    found = json_object(data)
    if found is None:
        raise InvalidResponseError("The telemetry stream sent a message that is no JSON object.")
    return found


def _has_none(client: Cycle, container_id: str, instance_id: str, error: ApiError) -> bool:
    """Whether the platform refused because there is no telemetry, as there is none of an instance that does not run.

    Which status it has for that is not documented. Raises NotFoundError for what does not exist.
    """
    if error.status == 404:
        return bool(instance_of(client, container_id, instance_id))
    if error.status not in NOT_NOW or error.code == "403.permissions":
        return False
    return state_of(instance_of(client, container_id, instance_id)) != "running"


def _report(client: Cycle, container_id: str, instance_id: str, snapshots: list[t.Any], **span: t.Any) -> Item:
    known = [one for one in snapshots if isinstance(one, dict)]
    return {
        "instance_id": instance_id,
        "container_id": container_id,
        **span,
        "snapshots": client.plain(known),
        "summary": summary_of(known),
    }


def summary_of(snapshots: t.Sequence[Item]) -> Item:
    """Return what samples of an instance say in a few numbers; None for what they do not say.

    cpu: share of all cores, 0 to 1; network_rx, network_tx: bytes a second, without the loopback interface; these are
    averages from the first sample since the last restart to the last sample, seconds apart. Everything else is of the
    last sample: cpu_cores; memory_used and memory_limit in bytes, as the kernel counts them, with its cache;
    memory_share of the limit, 0 to 1; processes. samples: how many there are.
    """
    timed = sorted(((at, one) for one in snapshots if (at := parse(one.get("time")))), key=lambda pair: pair[0])
    run = _since_restart([one for _at, one in timed])
    times = [at for at, _one in timed][-len(run) :] if run else []
    seconds = (times[-1] - times[0]).total_seconds() if len(times) > 1 else 0.0
    last = timed[-1][1] if timed else (snapshots[-1] if snapshots else {})
    cores = _cores(last)
    used, limit = _number(last, "memory.usage.usage"), _number(last, "memory.usage.limit")
    if limit is not None and not 0 < limit < UNLIMITED:
        limit = None
    rates = _rates(run, seconds)
    busy, received, sent = (rates.get(name) for name in ("cpu", "rx_bytes", "tx_bytes"))
    return {
        "cpu": None if busy is None or not cores else round(busy / 1e9 / cores, 4),
        "cpu_cores": cores,
        "memory_used": used,
        "memory_limit": limit,
        "memory_share": None if used is None or limit is None else round(used / limit, 4),
        "network_rx": None if received is None else round(received, 1),
        "network_tx": None if sent is None else round(sent, 1),
        "processes": _number(last, "processes.current"),
        "samples": len(snapshots),
        "seconds": round(seconds, 3) if seconds > 0 else None,
    }


def _since_restart(snapshots: list[Item]) -> list[Item]:
    """Return the samples since a counter last went back, as all of them do when the instance is restarted."""
    for place in range(len(snapshots) - 1, 0, -1):
        before, after = _counters(snapshots[place - 1]), _counters(snapshots[place])
        if any(after[name] < before[name] for name in before.keys() & after.keys()):
            return snapshots[place:]
    return snapshots


def _rates(run: t.Sequence[Item], seconds: float) -> dict[str, float]:
    """Return how fast counters grew in a second, over what was there from the first sample to the last."""
    if seconds <= 0:
        return {}
    first, last = _counters(run[0]), _counters(run[-1])
    grown: dict[str, float] = {}
    for name, interface in first.keys() & last.keys():
        grown[name] = grown.get(name, 0) + last[name, interface] - first[name, interface]
    return {name: growth / seconds for name, growth in grown.items() if growth >= 0}


def _counters(snapshot: Item) -> dict[tuple[str, str], float]:
    """Return the counters by name and, of the network, by interface besides the loopback."""
    interfaces = value_at(snapshot, "network.interfaces")
    found = {("cpu", ""): _number(snapshot, "cpu.usage.total")}
    for one in interfaces if isinstance(interfaces, list) else []:
        for name in ("rx_bytes", "tx_bytes"):
            value = _number(one, name)
            if value is not None and one.get("name") != "lo":
                found[name, str(one.get("name"))] = value
    return {key: value for key, value in found.items() if value is not None}


def _cores(snapshot: Item) -> int | None:
    found = _number(snapshot, "cpu.num_cores")
    if found is not None:
        return int(found)
    each = value_at(snapshot, "cpu.usage.per_core") or value_at(snapshot, "cpu.per_core")
    return len(each) if isinstance(each, (list, dict)) and each else None


def _number(value: t.Any, field: str) -> t.Any:
    found = value_at(value, field)
    return found if isinstance(found, (int, float)) and not isinstance(found, bool) else None
