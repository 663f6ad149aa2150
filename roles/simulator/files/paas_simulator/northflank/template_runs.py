# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Template runs started and aborted by requests. Their nodes change nothing in the estate."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..clock import parse
from ..messages import Record
from ..timeline import Effect
from . import runs
from .ask import Ask
from .errors import ApiError, invalid, not_found
from .lives import changer
from .settings import STAYS
from .state import Template
from .transfers import refuse_ended

_change = changer("run")


def named(ask: Ask, template: Template) -> Record:
    """Return the run that the path names. Raises ApiError."""
    found = template.runs.get(ask.given["templateRunId"])
    if found is None:
        raise not_found("template run", templateRunId=ask.given["templateRunId"])
    return found


def whole(ask: Ask, template: Template, run: Record) -> Record:
    """Return the payload of a run in full, with its node tree."""
    spec = run["spec"] if "spec" in run else runs.run_tree(run, template.data["spec"])
    return ask.one("run", {**run, "spec": spec})


def start(ask: Ask) -> Record:
    """POST T/runs. What happens while other runs go on is as the concurrency policy of the template says."""
    template = settled(ask)
    given = ask.body("arguments").get("arguments", {})
    if not isinstance(given, dict):
        raise invalid("arguments", "is an object", given)
    active = [run for run in template.runs.values() if not run["concluded"]]
    policy = template.data["concurrencyPolicy"] if active else "allow"
    if policy == "forbid" and ask.settings.runs.forbidden == "conflict":
        raise ApiError(409, "The template is running already, and its concurrency policy forbids another run")
    run = _new(ask, template, given)
    if policy in ("queue", "latest"):
        _queue(ask, template, run, alone=policy == "latest")
    elif policy == "forbid":
        _conclude(run, ask.settings.runs.forbidden, ask.now)
    else:
        for other in active if policy == "replace" else ():
            _abort(ask, other)
        _go(ask, template, run, ask.now)
    return whole(ask, template, run)


def abort(ask: Ask) -> Record:
    """POST T/runs/{templateRunId}/abort."""
    template = settled(ask)
    run = named(ask, template)
    if run["concluded"]:
        refuse_ended(ask, "template run", run["status"])
    else:
        _abort(ask, run)
    return whole(ask, template, run)


def settled(ask: Ask) -> Template:
    """Return the template that the path names, its queue moved on: runs begin when all before them have concluded."""
    template = ask.template()
    while template.queue:
        run = template.runs[template.queue[0]]
        before = [other for other in template.runs.values() if other["id"] not in template.queue]
        if run["status"] == "queued" and not all(other["concluded"] for other in before):
            break
        del template.queue[0]
        if run["status"] == "queued":
            ends = [parse(str(other["concludedAt"])) for other in before if "concludedAt" in other]
            _go(ask, template, run, max([parse(run["createdAt"]), *ends]))
            ask.timelines.run(ask.now)
    return template


def _new(ask: Ask, template: Template, given: Record) -> Record:
    arguments = {**template.data.get("arguments", {}), **given}
    entry: Record = {"status": "pending", "spec": runs.fresh_tree(template.data["spec"]), "refs": {}}
    more: Record = {name: template.data[name] for name in ("gitops", "$schema") if name in template.data}
    if "gitops" in more:
        # Of the template only, as the official client declares it.
        more["gitops"] = {name: value for name, value in more["gitops"].items() if name != "templateSha"}
    return ask.loader.run(template, {**more, **entry, **({"arguments": arguments} if arguments else {})})


def _queue(ask: Ask, template: Template, run: Record, alone: bool) -> None:
    """Let a run wait for its turn; ``alone``: those that wait already are skipped for it."""
    for other in template.queue if alone else ():
        _conclude(template.runs[other], "skipped", ask.now)
    template.queue = [*([] if alone else template.queue), run["id"]]
    _change(run, {"status": "queued"}, ask.now)


def _conclude(run: Record, status: str, moment: float) -> None:
    """End a run: nodes that are at work share its fate, those that were not reached are skipped."""
    tree: Record = run.get("spec", {})
    for node in runs.leaves(tree) if tree else ():
        response = node.get("response", {})
        if response.get("status") in ("success", "failure", "skipped"):
            continue
        reached = "startTime" in response and status in ("failure", "aborted")
        runs.respond(tree, node, "aborted" if reached else "unknown" if status == "unknown" else "skipped", moment)
    _change(run, {"status": status}, moment)


def _abort(ask: Ask, run: Record) -> None:
    if run["status"] == "aborting":
        return
    tree: Record = run.get("spec", {})
    for node in runs.leaves(tree) if tree else ():
        response = node.get("response", {})
        if "startTime" in response and "endTime" not in response:
            runs.respond(tree, node, "aborting", ask.now)
    _change(run, {"status": "aborting"}, ask.now)
    ask.timelines.later(run, [(ask.settings.runs.aborting, lambda now: _conclude(run, "aborted", now))], ask.now)


def _go(ask: Ask, template: Template, run: Record, moment: float) -> None:
    """Let a run begin at a moment."""
    wanted = ask.settings.runs
    fails: Record = template.data.get("fails", {})
    usual = "failure" if fails else "success"
    outcome = ask.outcome("runs", usual, template.data["id"])
    _change(run, {"status": "pending"}, moment)
    if outcome == "pending":
        ask.timelines.cancel(run)
    elif outcome == "queued":
        _change(run, {"status": "queued"}, moment)
    elif outcome in ("skipped", "unknown", "aborted"):
        ask.timelines.later(run, [(wanted.pending, lambda now: _conclude(run, outcome, now))], moment)
    else:
        note = fails if outcome == usual == "failure" else {}
        ask.timelines.later(run, _life(ask, run, outcome, note), moment)


def _failing(tree: Record, name: str) -> Record | None:
    """Return the node at which a run is to fail: the first one of that ref or kind, else the last."""
    found = runs.leaves(tree)
    same = [node for node in found if name and name in (node.get("ref"), node["kind"])]
    return next(iter(same or found[-1:]), None)


def _life(ask: Ask, run: Record, outcome: str, fails: Record) -> list[tuple[float, Effect]]:
    """Return what happens to a run: from pending through its nodes to its end, or until it stays in a state."""
    wanted, tree = ask.settings.runs, run["spec"]
    failing = _failing(tree, str(fails.get("node", wanted.fail_node))) if outcome == "failure" else None
    error = {"code": fails.get("code", wanted.fail_code), "message": fails.get("message", wanted.fail_message)}

    def seconds(node: Record) -> float:
        if node["kind"] == "Approval":
            return math.inf if wanted.approval is None else wanted.approval
        return wanted.node + (sum(_pauses(node)) + len(_pauses(node)) * wanted.node if node is failing else 0)

    end, leaves = runs.plan(tree, wanted.pending, seconds)
    steps: list[tuple[float, Effect]] = [(wanted.pending, lambda now: _change(run, {"status": "running"}, now))]
    if outcome in STAYS:
        return [*steps, (wanted.pending, _staying(run, leaves, outcome))]
    for leaf in leaves:
        steps.append((leaf.start, _begin(run, leaf.node)))
        if leaf.node is failing:
            steps += [*_retries(run, leaf, wanted.node), (leaf.end, _fail(ask, run, leaf.node, error))]
        else:
            steps.append((leaf.end, _succeed(run, leaf.node)))
    if failing is None:
        steps.append((end, lambda now: _conclude(run, outcome, now)))
    # Sorting is stable: what one node ends at, the next begins at.
    return sorted(((after, do) for after, do in steps if after < math.inf), key=lambda step: step[0])


def _staying(run: Record, leaves: Iterable[runs.Leaf], status: str) -> Effect:
    """Return what leaves a run in a state, at its first node."""

    def stay(moment: float) -> None:
        for leaf in list(leaves)[:1]:
            runs.respond(run["spec"], leaf.node, "waiting" if status == "running" else status, moment)
        _change(run, {"status": status}, moment)

    return stay


def _follow(run: Record, moment: float) -> None:
    """Let a run that goes on stand where its node tree stands."""
    status = run["spec"]["response"]["status"]
    _change(run, {"status": status if status in ("approval_wait", "retrying") else "running"}, moment)


def _begin(run: Record, node: Record) -> Effect:
    def begin(moment: float) -> None:
        runs.respond(run["spec"], node, "approval_wait" if node["kind"] == "Approval" else "waiting", moment)
        _follow(run, moment)

    return begin


def _succeed(run: Record, node: Record) -> Effect:
    def succeed(moment: float) -> None:
        runs.respond(run["spec"], node, "success", moment)
        if "ref" in node:
            run["refs"][node["ref"]] = {"id": node["ref"]}
        _follow(run, moment)

    return succeed


def _pauses(node: Record) -> list[float]:
    """Return the seconds between the attempts at a node that fails."""
    settings = node.get("settings", {})
    return [float(settings.get("backoff", {}).get("delay", 0))] * (int(settings.get("maxAttempts", 1)) - 1)


def _retries(run: Record, leaf: runs.Leaf, seconds: float) -> list[tuple[float, Effect]]:
    """Return what happens between the attempts at a node that fails."""
    pauses = _pauses(leaf.node)
    steps: list[tuple[float, Effect]] = []
    after = leaf.start
    for number, pause in enumerate(pauses, 1):
        after += seconds
        steps.append((after, _retry(run, leaf.node, number, len(pauses) + 1, pause)))
        after += pause
    return steps


def _retry(run: Record, node: Record, attempt: int, attempts: int, pause: float) -> Effect:
    def retry(moment: float) -> None:
        retries = {"attempts": attempt, "maxAttempts": attempts, "timestamp": int(moment)}
        more = {"retries": {**retries, "nextAttempt": int(moment + pause)}}
        runs.respond(run["spec"], node, "retrying", moment, **more)
        _follow(run, moment)

    return retry


def _fail(ask: Ask, run: Record, node: Record, error: Record) -> Effect:
    def fail(moment: float) -> None:
        # Nothing more happens at the other nodes.
        ask.timelines.cancel(run)
        more: Record = {"error": error}
        if _pauses(node):
            attempts = len(_pauses(node)) + 1
            more["retries"] = {"attempts": attempts, "maxAttempts": attempts, "timestamp": int(moment)}
        runs.respond(run["spec"], node, "failure", moment, **more)
        _conclude(run, "failure", moment)

    return fail
