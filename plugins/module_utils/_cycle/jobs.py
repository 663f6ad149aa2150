# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Jobs: what Cycle does after it has answered.

A job can be missing before it is visible and after it is done, and a key may lack the capability to look at jobs at
all. So a job only tells of failures and of the end; whether all is well, the resource tells.
"""

from __future__ import annotations

import json
import typing as t

from .._client import Item, path_segment
from .._errors import (
    ApiError,
    JobError,
    NotFoundError,
    WaitTimeoutError,
)
from .._resource import value_at
from .resources import JOBS_VIEW
from .states import (
    JOB_FAILED_STATES,
    JOB_IN_PROGRESS_STATES,
    JOB_SUCCESS_STATES,
)

if t.TYPE_CHECKING:
    from .._wait import Deadline
    from .api import Cycle

# Seconds in which an accepted job becomes visible. The vendor's own client gives up after 5 looks 2 seconds apart, the
# Terraform provider after 10 looks 3 seconds apart.
VISIBLE_WITHIN = 30.0
NEVER = "0001-01-01"  # how the zero time begins, which stands for "never"


def _items(value: t.Any) -> list[Item]:
    """The objects of a list, where the platform may have sent anything."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def job_id(descriptor: Item) -> str | None:
    """The id of the job that a descriptor announces: in job.id, in older answers in job_id; None when there is none."""
    found = value_at(descriptor, "job.id") or descriptor.get("job_id")
    return str(found) if found else None


def announced(descriptor: Item) -> Item:
    """A job as results show it, before anyone looked at it."""
    return _result(descriptor, {"tasks": value_at(descriptor, "job.tasks")}, None, 0.0)


def follow(
    client: Cycle, descriptor: Item, deadline: Deadline, *, settled: t.Callable[[], bool] = lambda: False
) -> Item:
    """Waits for the end of a job and returns the job as results show it; its state is None when it could not be seen.

    settled: whether the resource shows that all is done; asked while the job is not visible yet.
    Raises JobError when it ended in an error or expired, WaitTimeoutError; both carry the job in results.
    """
    identity = job_id(descriptor)
    began = deadline.waited()
    record: Item = {}
    while identity is not None:
        try:
            record = client.get(f"jobs/{path_segment(identity, 'job')}", permission=JOBS_VIEW)
        except NotFoundError:
            if record or settled() or deadline.waited() - began >= VISIBLE_WITHIN:
                record = {**record, "state": None}  # the platform removes jobs that are done
                break
        except ApiError as error:
            if error.status == 403:
                break  # the key may change things, and may not look at jobs
            raise
        state = value_at(record, "state.current")
        if state in JOB_SUCCESS_STATES:
            break
        if state in JOB_FAILED_STATES:
            raise _failed(_result(descriptor, record, state, deadline.waited() - began), record)
        if not deadline.pause():
            result = _result(descriptor, record, state, deadline.waited() - began)
            raise _too_late(result, deadline.timeout)
    return _result(descriptor, record, value_at(record, "state.current"), deadline.waited() - began)


def open_jobs(client: Cycle, container: Item) -> list[Item] | None:
    """Jobs that are about a container and are not done yet; None when the key may not look at jobs."""
    environment = value_at(container, "environment.id")

    def concerns(job: Item) -> bool:
        if value_at(job, "state.current") not in JOB_IN_PROGRESS_STATES:
            return False
        if str(container["id"]) in json.dumps(job):
            return True
        # A job that does not tell what it is about may be about anything in its environment.
        tells = any(task.get("input") for task in _items(job.get("tasks")))
        return not tells and bool(environment) and str(environment) in str(job.get("queue"))

    try:
        return client.get_list(
            "jobs",
            "jobs",
            query={"filter[state]": ",".join(JOB_IN_PROGRESS_STATES), "sort": "-id"},
            keep=concerns,
            permission=JOBS_VIEW,
        )
    except ApiError as error:
        if error.status == 403:
            return None
        raise


def wait_for_open_jobs(client: Cycle, container: Item, deadline: Deadline) -> None:
    """Waits until no job is open that is about a container, as far as the key may know. Raises WaitTimeoutError."""
    while found := open_jobs(client, container):
        if not deadline.pause():
            ids = ", ".join(str(job.get("id")) for job in found)
            raise WaitTimeoutError(
                f"Other jobs of this container are not done after {deadline.timeout:g} seconds (option wait_timeout):"
                f" {ids}. Nothing was changed.",
                last_seen=value_at(found[0], "state.current"),
            )


def _result(descriptor: Item, record: Item, state: t.Any, seconds: float) -> Item:
    return {
        "id": job_id(descriptor),
        "action": descriptor.get("action"),
        "state": state,
        "tasks": [_task(task) for task in _items(record.get("tasks"))],
        "seconds": round(seconds, 1),
    }


def _task(task: Item) -> Item:
    steps = _items(task.get("steps"))
    done = [step for step in steps if not str(step.get("completed") or NEVER).startswith(NEVER)]
    return {
        "caption": task.get("caption"),
        "state": value_at(task, "state.current"),
        "error": value_at(task, "error.message"),
        "steps": len(steps),
        "steps_done": len(done),
    }


def _failed(result: Item, record: Item) -> JobError:
    state = result["state"]
    said = [value_at(record, "state.error.message")]
    said += [f"{task['caption']}: {task['error']}" for task in result["tasks"] if task["error"]]
    reasons = "; ".join(str(text).rstrip(".") for text in said if text) or "the platform gave no reason"
    ended = "expired before it ran" if state == "expired" else "ended in an error"
    error = JobError(f"The job {result['id']} ({result['action']}) {ended}: {reasons}.")
    error.results["jobs"] = [result]
    return error


def _too_late(result: Item, timeout: float) -> WaitTimeoutError:
    seen = f"its last state was {result['state']!r}" if result["state"] else "the platform does not show it"
    error = WaitTimeoutError(
        f"The job {result['id']} ({result['action']}) was not done after {timeout:g} seconds (option wait_timeout);"
        f" {seen}. It goes on: quayside.paas.job_info shows it.",
        last_seen=result["state"],
    )
    error.results["jobs"] = [result]
    return error
