# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node tree of a template run: the template's tree with a response on each node that fits the run's status."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ..clock import parse
from ..messages import Record

# Run status → response of the first node, the node at work, the nodes behind it.
_PROGRESS: dict[str, tuple[str, str, str]] = {
    "pending": ("waiting", "waiting", "waiting"),
    "queued": ("waiting", "waiting", "waiting"),
    "waiting": ("success", "waiting", "waiting"),
    "running": ("success", "waiting", "waiting"),
    "retrying": ("success", "retrying", "waiting"),
    "async_wait": ("success", "async_wait", "waiting"),
    "approval_wait": ("success", "approval_wait", "waiting"),
    "aborting": ("success", "aborting", "waiting"),
    "aborted": ("success", "aborted", "skipped"),
    "success": ("success", "success", "success"),
    "failure": ("success", "failure", "skipped"),
    "skipped": ("skipped", "skipped", "skipped"),
    "unknown": ("unknown", "unknown", "unknown"),
}
_ENDED = frozenset({"success", "failure", "aborted"})


def _times(status: str, started: int) -> Record:
    times: Record = {}
    if status not in ("waiting", "skipped", "unknown"):
        times["startTime"] = started
    if status in _ENDED:
        times["endTime"] = started + 20
    return times


def _response(status: str, started: int) -> Record:
    response: Record = {"status": status, **_times(status, started)}
    if status == "failure":
        response["error"] = {"code": 409, "message": "The resource is not in a state that allows this action"}
    if status == "retrying":
        response["retries"] = {"attempts": 1, "maxAttempts": 3, "timestamp": started + 10, "nextAttempt": started + 40}
    return response


def _respond(node: Record, status: str, started: int, leaves: Iterator[int]) -> Record:
    first, current, later = _PROGRESS[status]
    steps = node["spec"].get("steps") if node["kind"] == "Workflow" else None
    if steps is None:
        mine = (first, current)[position] if (position := next(leaves)) < 2 else later
        return {**node, "response": _response(mine, started + 20 * position)}
    done = [_respond(step, status, started, leaves) for step in steps]
    # A workflow stands where the first of its steps stands that is not through.
    states = [step["response"]["status"] for step in done] or [current]
    whole = next((state for state in states if state != "success"), "success")
    return {**node, "spec": {**node["spec"], "steps": done}, "response": {"status": whole, **_times(whole, started)}}


def run_tree(run: Record, spec: Record) -> Record:
    """Return the ``spec`` of a run, made from its template's."""
    started = int(parse(str(run.get("startedAt", run["createdAt"]))))
    return _respond(spec, run["status"] if run["status"] in _PROGRESS else "unknown", started, count())
