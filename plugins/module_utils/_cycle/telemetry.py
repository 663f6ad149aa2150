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
from .instances import (
    NOT_NOW,
    container_of,
    instance_of,
    instance_path,
    instances_of,
    is_gone,
    is_there,
    state_of,
)
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
    """What the module instance_telemetry_info does."""
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
            _listed(client, container_id),
            concurrency=params["concurrency"],
            name=lambda instance_id: f'instance "{instance_id}"',
        )
    if not params["snapshots"]:
        reports = [{**one, "snapshots": []} for one in reports]
    return {"reports": reports}


def _listed(client: Cycle, container_id: str) -> list[str]:
    """The ids of the instances of a container that are not deleted. Raises NotFoundError that names the container."""
    try:
        return [str(one.get("id")) for one in instances_of(client, container_id) if not is_gone(one)]
    except NotFoundError:
        container_of(client, container_id)
        raise


def report(client: Cycle, container_id: str, instance_id: str, start: str | None, end: str | None) -> Item:
    """The report of an instance for a range, as results show it; empty for one that has none.

    start, end: RFC 3339; without one the platform decides, whose clock counts. Raises NotFoundError, when the instance
    is not there, and ApiError.
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
    """The same from the stream: so many samples, or fewer where no more come within the time-out, in seconds.

    Raises what authorise() and open_stream() raise, InvalidResponseError for a message that is no sample.
    """
    found: list[Item] = []
    try:
        authorisation = authorise(client, "telemetry", container_id, instance_id)
    except ApiError as error:
        if not _has_none(client, container_id, instance_id, error):
            raise
    else:
        with open_stream(client, authorisation) as stream:
            for message in stream.messages(Deadline(timeout, 1)):
                found.append(_sample(message.data))
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
    """What samples of an instance say in a few numbers; None for what cannot be told from them.

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
    busy = _rate([_number(one, "cpu.usage.total") for one in run], seconds)
    received, sent = (_network_rate(run, seconds, name) for name in ("rx_bytes", "tx_bytes"))
    return {
        "cpu": None if busy is None or not cores else round(busy / 1e9 / cores, 4),
        "cpu_cores": cores,
        "memory_used": used,
        "memory_limit": limit,
        "memory_share": None if used is None or limit is None else round(used / limit, 4),
        "network_rx": received,
        "network_tx": sent,
        "processes": _number(last, "processes.current"),
        "samples": len(snapshots),
        "seconds": round(seconds, 3) if seconds > 0 else None,
    }


def _since_restart(snapshots: list[Item]) -> list[Item]:
    """The samples since a counter last went back, as all of them do when the instance is restarted."""
    for place in range(len(snapshots) - 1, 0, -1):
        before, after = _counters(snapshots[place - 1]), _counters(snapshots[place])
        if any(after[name] < before[name] for name in before.keys() & after.keys()):
            return snapshots[place:]
    return snapshots


def _counters(snapshot: Item) -> dict[t.Any, float]:
    found: dict[t.Any, float] = {}
    total = _number(snapshot, "cpu.usage.total")
    if total is not None:
        found["cpu"] = total
    for name in ("rx_bytes", "tx_bytes"):
        found.update({(name, interface): value for interface, value in _traffic(snapshot, name).items()})
    return found


def _traffic(snapshot: Item, name: str) -> dict[str, float]:
    """A counter of each network interface besides the loopback."""
    interfaces = value_at(snapshot, "network.interfaces")
    found: dict[str, float] = {}
    for one in interfaces if isinstance(interfaces, list) else []:
        value = _number(one, name)
        if value is not None and one.get("name") != "lo":
            found[str(one.get("name"))] = value
    return found


def _network_rate(run: t.Sequence[Item], seconds: float, name: str) -> float | None:
    """Bytes a second over the interfaces that were there from the first sample to the last."""
    if not run:
        return None
    first, last = _traffic(run[0], name), _traffic(run[-1], name)
    there = first.keys() & last.keys()
    if not there:
        return None
    rate = _rate([sum(first[one] for one in there), sum(last[one] for one in there)], seconds)
    return None if rate is None else round(rate, 1)


def _rate(counter: t.Sequence[float | None], seconds: float) -> float | None:
    """How fast a counter grew from its first value to its last."""
    if len(counter) < 2 or seconds <= 0:
        return None
    first, last = counter[0], counter[-1]
    return None if first is None or last is None or last < first else (last - first) / seconds


def _cores(snapshot: Item) -> int | None:
    found = _number(snapshot, "cpu.num_cores")
    if found is not None:
        return int(found)
    each = value_at(snapshot, "cpu.usage.per_core") or value_at(snapshot, "cpu.per_core")
    return len(each) if isinstance(each, (list, dict)) and each else None


def _number(value: t.Any, field: str) -> t.Any:
    found = value_at(value, field)
    return found if isinstance(found, (int, float)) and not isinstance(found, bool) else None
