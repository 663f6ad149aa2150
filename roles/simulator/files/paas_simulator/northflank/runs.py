# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The node tree of a template run: the template's tree with a response on each node.

Runs of the estate have responses that fit their status; runs that a request has started go from node to node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import count

from ..clock import parse
from ..messages import Record

# Run status → response of the nodes before the one at work, of that, of those behind it.
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
_ALTOGETHER = (
    "failure",
    "aborting",
    "aborted",
    "approval_wait",
    "retrying",
    "async_wait",
    "waiting",
    "skipped",
    "unknown",
)


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


def _steps(node: Record) -> list[Record] | None:
    """Return the nodes in a workflow, None for any other node."""
    return node["spec"].get("steps") if node["kind"] == "Workflow" else None


def _respond(node: Record, status: str, started: int, positions: Iterator[int], at_work: int) -> Record:
    before, current, later = _PROGRESS[status]
    steps = _steps(node)
    if steps is None:
        position = next(positions)
        mine = before if position < at_work else current if position == at_work else later
        return {**node, "response": _response(mine, started + 20 * position)}
    done = [_respond(step, status, started, positions, at_work) for step in steps]
    # A workflow stands where the first of its steps stands that is not through.
    states = [step["response"]["status"] for step in done] or [current]
    whole = next((state for state in states if state != "success"), "success")
    return {**node, "spec": {**node["spec"], "steps": done}, "response": {"status": whole, **_times(whole, started)}}


def run_tree(run: Record, spec: Record) -> Record:
    """Return the ``spec`` of a run, made from its template's."""
    started = int(parse(str(run.get("startedAt", run["createdAt"]))))
    status = run["status"] if run["status"] in _PROGRESS else "unknown"
    at_work = 1  # the second node, or the one that waits for a person
    if status == "approval_wait":
        at_work = next((place for place, leaf in enumerate(leaves(spec)) if leaf["kind"] == "Approval"), at_work)
    return _respond(spec, status, started, count(), at_work)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A node that is no workflow, and when it is at work: seconds after the run has started to run."""

    node: Record
    start: float
    end: float


def fresh_tree(spec: Record) -> Record:
    """Return the ``spec`` of a run that is new: a copy of its template's, all nodes waiting."""
    tree = deepcopy(spec)
    for node in nodes(tree):
        node["response"] = {"status": "waiting"}
    return tree


def nodes(node: Record) -> Iterator[Record]:
    """Return a node and all nodes in it."""
    yield node
    for step in _steps(node) or ():
        yield from nodes(step)


def leaves(tree: Record) -> list[Record]:
    """Return the nodes of a tree that are no workflows, in their order."""
    return [node for node in nodes(tree) if _steps(node) is None]


def plan(node: Record, start: float, seconds: Callable[[Record], float]) -> tuple[float, list[Leaf]]:
    """Return when a node ends, and when each leaf in it is at work; ``seconds`` says how long a leaf takes.

    The steps of a parallel workflow begin together, those of any other one behind each other.
    """
    steps = _steps(node)
    if steps is None:
        end = start + seconds(node)
        return end, [Leaf(node, start, end)]
    last = start
    found: list[Leaf] = []
    for step in steps:
        ended, inner = plan(step, start if node["spec"].get("type") == "parallel" else last, seconds)
        last, found = max(last, ended), [*found, *inner]
    return last, found


def respond(tree: Record, node: Record, status: str, moment: float, **more: object) -> None:
    """Note the response of a node of a started run at a moment (unix seconds), and what it means for the workflows."""
    old = node.get("response", {})
    response: Record = {"status": status, **{name: old[name] for name in ("startTime", "retries") if name in old}}
    if status in ("skipped", "unknown"):
        response = {"status": status}
    else:
        response.setdefault("startTime", int(moment))
    if status in _ENDED:
        response["endTime"] = int(moment)
    node["response"] = {**response, **more}
    summarize(tree)


def summarize(node: Record) -> None:
    """Let each workflow stand where the worst of its steps stands."""
    steps = _steps(node)
    if steps is None:
        return
    for step in steps:
        summarize(step)
    inner = [step.get("response", {"status": "unknown"}) for step in steps]
    states = {response["status"] for response in inner}
    whole = next((state for state in _ALTOGETHER if state in states), "success")
    response: Record = {"status": whole}
    starts = [each["startTime"] for each in inner if "startTime" in each]
    ends = [each["endTime"] for each in inner if "endTime" in each]
    if starts:
        response["startTime"] = min(starts)
    if ends and whole in _ENDED:
        response["endTime"] = max(ends)
    node["response"] = response
