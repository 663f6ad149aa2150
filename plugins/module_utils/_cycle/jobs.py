# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs: what Cycle does after it has responded.

A job can be missing before it is visible and after it is done, and a key may lack the capability to see jobs at all. So
a job only reports failure and completion; success is judged from the resource.
"""

from __future__ import annotations

import json
import typing as t

from .._client import path_segment
from .._errors import ApiError, JobError, NotFoundError, PaasError, WaitTimeoutError
from .._types import Item, value_at
from .._wait import Deadline, wait_until
from .api import Cycle
from .resources import JOBS_VIEW
from .states import JOB_FAILED_STATES, JOB_IN_PROGRESS_STATES, JOB_SUCCESS_STATES

# Seconds in which an accepted job becomes visible. The vendor's own client gives up after 5 looks 2 seconds apart, the
# Terraform provider after 10 looks 3 seconds apart.
VISIBLE_WITHIN = 30.0
NEVER = "0001-01-01"  # how the zero time begins, which stands for "never"

T = t.TypeVar("T")


def finish(
    client: Cycle,
    descriptors: t.Sequence[Item],
    read: t.Callable[[], T],
    is_done: t.Callable[[T], bool],
    *,
    what: str,
    state: t.Callable[[T], t.Any],
    deadline: Deadline,
    wait: bool = True,
    settled: t.Callable[[], bool] | None = None,
) -> tuple[T, list[Item]]:
    """Follow jobs, and wait until the resource shows that all is done. Return what was read last, and the jobs.

    Args:
        descriptors: What announces the jobs.
        read, is_done, what, state: See wait_until().
        wait: Whether to wait at all.
        settled: See follow(); by default whether is_done.

    Raises:
        PaasError: With the jobs in results.
    """
    done = [announced(one) for one in descriptors]
    try:
        if not wait:
            return read(), done
        for place, descriptor in enumerate(descriptors):
            done[place] = follow(client, descriptor, deadline, settled=settled or (lambda: is_done(read())))
        return wait_until(read, is_done, what=what, state=state, deadline=deadline), done
    except PaasError as error:
        add_jobs(error, done)
        raise


def follow(
    client: Cycle, descriptor: Item, deadline: Deadline, *, settled: t.Callable[[], bool] = lambda: False
) -> Item:
    """Wait for the end of a job and return it as results show it; its state is None if it could not be seen.

    Args:
        settled: Whether the resource shows that all is done; asked while the job is not visible yet.

    Raises:
        JobError: It ended in an error or expired. The job is in results.
        WaitTimeoutError: It did not end in time. The job is in results.
    """
    identity = job_id(descriptor)
    began = deadline.waited()
    record: Item = {}

    def result(state: t.Any) -> Item:
        return _result(descriptor, record, state, deadline.waited() - began)

    while identity is not None:
        try:
            record = client.get(f"jobs/{path_segment(identity, 'job')}", permission=JOBS_VIEW)
        except NotFoundError:
            if record or settled() or deadline.waited() - began >= VISIBLE_WITHIN:
                return result(None)  # the platform removes jobs that are done
        except ApiError as error:
            if error.status == 403:
                break  # the key may change things, and may not see jobs
            raise
        state = value_at(record, "state.current")
        if state in JOB_SUCCESS_STATES:
            break
        if state in JOB_FAILED_STATES:
            raise _failed(result(state), record)
        if not deadline.pause():
            raise _too_late(result(state), deadline.timeout)
    return result(value_at(record, "state.current"))


def announced(descriptor: Item) -> Item:
    """Return a job as results show it, before anyone looked at it."""
    return _result(descriptor, {"tasks": value_at(descriptor, "job.tasks")}, None, 0.0)


def add_jobs(error: PaasError, known: t.Iterable[Item]) -> None:
    """Put jobs into the results of an error, which may have one of them already, as it is now."""
    newer = {one["id"]: one for one in error.results.get("jobs", [])}
    error.results["jobs"] = [newer.pop(one["id"], one) for one in known] + list(newer.values())


def job_id(descriptor: Item) -> str | None:
    """Return the id of the job that a descriptor announces (job.id, in older responses job_id); None without one."""
    found = value_at(descriptor, "job.id") or descriptor.get("job_id")
    return str(found) if found else None


def open_jobs(client: Cycle, container: Item) -> list[Item] | None:
    """Return the jobs that are about a container and not done yet; None if the key may not see jobs."""
    environment = value_at(container, "environment.id")

    def concerns(job: Item) -> bool:
        if value_at(job, "state.current") not in JOB_IN_PROGRESS_STATES:
            return False
        if str(container["id"]) in json.dumps(job):
            return True
        # A job that does not say what it is about may be about anything in its environment.
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
    """Wait until no job is open that is about a container, as far as the key can see. Raises WaitTimeoutError."""
    while found := open_jobs(client, container):
        if not deadline.pause():
            ids = ", ".join(str(job.get("id")) for job in found)
            raise WaitTimeoutError(
                f"Other jobs of this container are not done after {deadline.timeout:g} seconds (option wait_timeout):"
                f" {ids}. Nothing was changed."
            )


def _items(value: t.Any) -> list[Item]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


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
    said = [value_at(record, "state.error.message")]
    said += [f"{task['caption']}: {task['error']}" for task in result["tasks"] if task["error"]]
    reasons = "; ".join(str(text).rstrip(".") for text in said if text) or "the platform gave no reason"
    ended = "expired before it ran" if result["state"] == "expired" else "ended in an error"
    error = JobError(f"The job {result['id']} ({result['action']}) {ended}: {reasons}.")
    error.results["jobs"] = [result]
    return error


def _too_late(result: Item, timeout: float) -> WaitTimeoutError:
    seen = f"its last state was {result['state']!r}" if result["state"] else "the platform does not show it"
    error = WaitTimeoutError(
        f"The job {result['id']} ({result['action']}) was not done after {timeout:g} seconds (option wait_timeout);"
        f" {seen}. It goes on: quayside.paas.job_info shows it."
    )
    error.results["jobs"] = [result]
    return error
