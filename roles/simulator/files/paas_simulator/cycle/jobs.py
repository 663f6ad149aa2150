# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: what is asked for is done by them, a little later; they can fail on order, and are forgotten in the end."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..messages import Record
from ..timeline import Effect
from .access import Key
from .activity import log, notify, request_event
from .stamps import ZERO, nano, stamp
from .state import Job, State

DAY = 86400.0
_ENDED = frozenset({"completed", "error", "expired"})


def _nothing(_moment: float) -> None:
    pass


@dataclass(slots=True)
class Work:
    """What a job is to do.

    ``tasks`` are captions with inputs, ``steps`` the captions in each. ``begin(moment, failing)`` is called when the
    job starts to run, ``done(moment)`` when it is through, ``failed(moment)`` when it failed after its beginning.
    ``context`` is that of the audit log. ``seconds``: how long it runs.
    """

    action: str
    caption: str
    context: Record
    tasks: list[tuple[str, Record]]
    steps: tuple[str, ...]
    seconds: float
    begin: Callable[[float, bool], None] = lambda _moment, _failing: None
    done: Effect = _nothing
    failed: Effect = _nothing


def _step(caption: str) -> Record:
    return {"caption": caption, "description": f"{caption}.", "started": ZERO, "completed": ZERO}


def _task(state: State, work: Work, caption: str, given: Record, moment: float) -> Record:
    return {
        "id": state.mint(moment),
        "caption": caption,
        "header": work.action,
        "events": {"queued": nano(moment), "started": ZERO, "completed": ZERO},
        "steps": [_step(step) for step in work.steps] or None,
        "state": {"current": "pending", "changed": nano(moment)},
        "input": given,
        "output": None,
        "error": None,
    }


def record(state: State, work: Work, creator: Record, moment: float) -> Record:
    """Return the Job of some work, as it is when it has just been made."""
    queue = work.context.get("environment_id", state.hub_id)
    return {
        "id": state.mint(moment),
        "hub_id": state.hub_id,
        "queue": f"environment-{queue}" if "environment_id" in work.context else f"hub-{queue}",
        "caption": work.caption,
        "events": {"queued": nano(moment), "started": ZERO, "completed": ZERO},
        "schedule": ZERO,
        "tasks": [_task(state, work, caption, given, moment) for caption, given in work.tasks],
        "expires": stamp(moment + DAY),
        "hash": format(zlib.crc32(repr((work.action, work.tasks)).encode()), "08x"),
        "limit_duplicates": False,
        "creator": creator,
        "state": {"current": "new", "changed": nano(moment), "error": None},
    }


def _enter(state: State, job: Job, work: Work, current: str, moment: float, error: str | None = None) -> None:
    data = job.data
    data["state"] = {
        "current": current,
        "changed": nano(moment),
        "error": None if error is None else {"message": error},
    }
    if current == "running":
        data["events"]["started"] = nano(moment)
        for task in data["tasks"]:
            task["state"] = {"current": "running", "changed": nano(moment)}
            task["events"]["started"] = nano(moment)
    if current in _ENDED:
        data["events"]["completed"] = nano(moment)
    told: Record = {"id": data["id"], "state": current}
    if error is not None:
        told["error"] = error
    notify(state, "job.state.changed", told, work.context)


def _advance(job: Job, number: int, moment: float, share: float) -> None:
    """Complete the step of a number in each task and start the next one."""
    for task in job.data["tasks"]:
        steps = task["steps"] or []
        if number > 0:
            steps[number - 1]["completed"] = nano(moment)
        if number < len(steps) and share < 1:
            steps[number]["started"] = nano(moment)


def _complete(job: Job, moment: float) -> None:
    for task in job.data["tasks"]:
        task["state"] = {"current": "completed", "changed": nano(moment)}
        task["events"]["completed"] = nano(moment)


def _break(job: Job, moment: float, message: str) -> None:
    """Let the last task fail; those before it are through."""
    *before, last = job.data["tasks"]
    for task in before:
        task["state"] = {"current": "completed", "changed": nano(moment)}
        task["events"]["completed"] = nano(moment)
    last["state"] = {"current": "error", "changed": nano(moment)}
    last["error"] = {"message": f"{last['caption']}: {message}"}


def _ordered_failure(state: State, action: str) -> str | None:
    """Return how a job is to fail, and count it."""
    jobs = state.settings.jobs
    if jobs.fail is None or not fnmatchcase(action, jobs.fail_action) or state.to_fail == 0:
        return None
    if state.to_fail is not None:
        state.to_fail -= 1
    return jobs.fail


def begin(state: State, key: Key, work: Work) -> Record:
    """Make a job for a key and return its descriptor."""
    moment, jobs = state.now(), state.settings.jobs
    failure = _ordered_failure(state, work.action)
    job = Job(record(state, work, key.creator, moment), work.action, moment)
    state.jobs[job.data["id"]] = job
    log(state, key, request_event(work.action), work.context, moment, "request")
    notify(state, "job.created", {"id": job.data["id"], "state": "new"}, work.context)
    message = jobs.fail_message

    def run(now: float) -> None:
        _enter(state, job, work, "running", now)
        _advance(job, 0, now, 0)
        work.begin(now, failure is not None)

    def end(now: float) -> None:
        if failure == "error":
            work.failed(now)
            _break(job, now, message)
            _enter(state, job, work, "error", now, message)
            log(state, key, work.action, work.context, now, "error", message)
        else:
            work.done(now)
            _complete(job, now)
            _enter(state, job, work, "completed", now)
            log(state, key, work.action, work.context, now)

    def expire(now: float) -> None:
        _enter(state, job, work, "expired", now)

    def forget(_now: float) -> None:
        state.jobs.pop(job.data["id"], None)

    last = jobs.queued + work.seconds
    steps: list[tuple[float, Effect]] = [(jobs.queued / 2, lambda now: _enter(state, job, work, "queued", now))]
    if failure == "expired":
        steps.append((last, expire))
    else:
        steps += [(jobs.queued, run), *_progress(job, work, jobs.queued, failure), (last, end)]
    state.later(job.data, [*steps, (last + jobs.kept, forget)], moment)
    return descriptor(state, job)


def _progress(job: Job, work: Work, start: float, failure: str | None) -> list[tuple[float, Effect]]:
    """Return when which step is completed; the last one never is in a job that fails."""
    amount = len(work.steps)

    def completes(number: int) -> Effect:
        return lambda now: _advance(job, number, now, number / amount)

    last = amount if failure is None else amount - 1
    return [(start + work.seconds * number / amount, completes(number)) for number in range(1, last + 1)]


def descriptor(state: State, job: Job) -> Record:
    """Return the JobDescriptor of a job, in the shape that is switched on."""
    shape = state.settings.jobs.descriptor
    if shape == "none":
        return {"action": job.action}
    if shape == "job_id":
        return {"action": job.action, "contents": {}, "job_id": job.data["id"]}
    names = ("caption", "header", "input", "steps")
    return {
        "action": job.action,
        "job": {
            "id": job.data["id"],
            "accepted": True,
            "queue": job.data["queue"],
            "schedule": job.data["schedule"],
            "parallel": {"tasks": False, "sub_queue": None},
            "tasks": [{name: task[name] for name in names} for task in job.data["tasks"]],
        },
    }


def visible(state: State, job: Job, after: float) -> bool:
    """Say whether a job can be seen, which it can some seconds after it was made."""
    return state.now() >= job.created + after
