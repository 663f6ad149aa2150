# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Telemetry: counters that grow, computed from the clock alone: the same moment gives the same snapshot."""

from __future__ import annotations

import math
import zlib

from ..messages import Record
from .ask import Ask
from .errors import invalid
from .queries import moment
from .stamps import nano, read, stamp
from .state import State

_MEMORY_LIMIT = 512 * 1024**2
_LONGEST = 7 * 86400.0
_DEFAULT = 3600.0


def _growing(rate: float, elapsed: float, phase: float) -> int:
    """Return a counter that grows with time, now faster, now slower, by ``rate`` a second on average."""
    period = 300.0
    wave = math.sin(2 * math.pi * elapsed / period + phase) - math.sin(phase)
    return int(rate * (elapsed + 0.4 * period / (2 * math.pi) * wave))


def started(instance: Record) -> float | None:
    """Return since when an instance runs (unix seconds), None when it does not."""
    return read(instance["state"]["changed"]) if instance["state"]["current"] == "running" else None


def snapshot(state: State, instance: Record, at: float) -> Record:
    """Return the ResourceSnapshot of an instance at a moment; all counters are 0 when it does not run."""
    since = started(instance)
    elapsed = 0.0 if since is None else max(0.0, at - since)
    mixed = zlib.crc32(instance["id"].encode())
    phase, cores = mixed % 628 / 100, 2
    share = 0.05 + mixed % 60 / 100
    total = _growing(share * cores * 1e9, elapsed, phase)
    level = 0.0 if since is None else 0.3 + mixed % 40 / 100 + 0.1 * math.sin(elapsed / 600 + phase)
    memory = int(_MEMORY_LIMIT * level)
    received, sent = (
        _growing(20_000 + mixed % 90_000, elapsed, phase),
        _growing(35_000 + mixed % 50_000, elapsed, phase),
    )
    periods = int(elapsed * 10)
    cluster = state.containers[instance["container_id"]].data["environment"]["cluster"]
    unlimited = {"usage": 0, "max_usage": 0, "fail_count": 0, "limit": 0}
    return {
        "time": nano(at),
        "hub_id": state.hub_id,
        "container_id": instance["container_id"],
        "instance_id": instance["id"],
        "environment_id": instance["environment"]["id"],
        "server_id": instance["server_id"],
        "cluster": cluster,
        "cpu": {
            "num_cores": cores,
            "usage": {"total": total, "kernel": total // 4, "user": total - total // 4},
            "throttling": {"periods": periods, "throttled_periods": periods // 50, "throttled_time": periods * 20_000},
        },
        "memory": {
            "cache": memory // 5,
            "usage": {"usage": memory, "max_usage": int(_MEMORY_LIMIT * 0.8), "fail_count": 0, "limit": _MEMORY_LIMIT},
            "swap_usage": unlimited,
            "kernel_usage": unlimited,
            "kernel_tcp_usage": unlimited,
        },
        "processes": {"current": 0 if since is None else 3 + mixed % 5, "limit": 1024},
        "network": {"interfaces": [_interface("eth0", received, sent)]},
        "hugetlb": {"usage": 0, "max": 0, "fail_count": 0},
    }


def _interface(name: str, received: int, sent: int) -> Record:
    return {
        "name": name,
        "rx_bytes": received,
        "tx_bytes": sent,
        "rx_packets": received // 700,
        "tx_packets": sent // 900,
        "rx_dropped": received // 70_000_000,
        "tx_dropped": 0,
        "rx_errors": 0,
        "tx_errors": 0,
    }


def report(ask: Ask) -> Record:
    """GET I/telemetry/resources/report.

    Without a range: the last hour. At most seven days. An instance that does not run has no snapshots.
    """
    state, instance = ask.state, ask.instance()
    settings, now = state.settings.telemetry, state.now()
    given_end, given_start = ask.call.first("filter[range-end]"), ask.call.first("filter[range-start]")
    end = moment(given_end, "/query/filter/range-end") if given_end else now
    start = moment(given_start, "/query/filter/range-start") if given_start else end - _DEFAULT
    if start > end:
        raise invalid("range-start is after range-end", "/query/filter/range-start")
    since = started(instance)
    snapshots = []
    if since is not None:
        last = min(end, now - settings.delay)
        first = max(start, since, last - _LONGEST)
        number = math.ceil(first / settings.sample)
        while number * settings.sample <= last:
            snapshots.append(snapshot(state, instance, number * settings.sample))
            number += 1
    request = {"instance_id": instance["id"], "start": stamp(start), "end": stamp(end)}
    return {"data": {"request": request, "snapshots": snapshots}}
