# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Following jobs that are not there yet, no longer there, or nobody's to see, by a clock that is moved by hand."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._cycle import jobs
from ansible_collections.quayside.paas.plugins.module_utils._cycle.states import JOB_IN_PROGRESS_STATES
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    JobError,
    NotFoundError,
    TransportError,
    WaitTimeoutError,
)
from ansible_collections.quayside.paas.plugins.module_utils._wait import Deadline
from unit.fakes import Clock

GONE = NotFoundError("GET /v1/jobs/j1 failed with status 404 404.job: Job not found.", status=404, code="404.job")
REFUSED = ApiError("GET /v1/jobs/j1 failed with status 403 403.permissions: No.", status=403)
FULL = {
    "action": "container.instance.delete",
    "job": {"id": "j1", "accepted": True, "tasks": [{"caption": "Delete instance", "steps": None}]},
}
STEPS = [
    {"caption": "a", "completed": "2026-01-01T00:00:05.123456789Z"},
    {"caption": "b", "completed": "0001-01-01T00:00:00Z"},
]


def job(state: str, *tasks: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
    return {"id": "j1", "state": {"current": state, "error": None}, "tasks": list(tasks), **more}


def task(caption: str = "Delete instance", state: str = "running", error: str | None = None) -> dict[str, t.Any]:
    return {
        "caption": caption,
        "state": {"current": state},
        "error": {"message": error} if error else None,
        "steps": STEPS,
    }


class Client:
    """Answers every look at a job with the next of some answers, and with the last one from then on."""

    def __init__(self, *answers: t.Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.lists: list[dict[str, t.Any]] = []

    def get(self, path: str, *, permission: str) -> dict[str, t.Any]:
        assert permission == "apionly-jobs-view"
        self.asked.append(path)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return t.cast("dict[str, t.Any]", answer)

    def get_list(self, path: str, list_key: str, *, keep: t.Any, **query: t.Any) -> list[dict[str, t.Any]]:
        assert (path, list_key) == ("jobs", "jobs")
        self.lists.append(query)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [one for one in answer if keep(one)]


def deadline_of(clock: Clock, timeout: float = 300, interval: float = 2) -> Deadline:
    return Deadline(timeout, interval, sleep=clock.sleep, clock=clock.now)


def follow(clock: Clock, *answers: t.Any, timeout: float = 300, **keywords: t.Any) -> dict[str, t.Any]:
    descriptor = keywords.pop("descriptor", FULL)
    return jobs.follow(t.cast("t.Any", Client(*answers)), descriptor, deadline_of(clock, timeout), **keywords)


# Descriptors


@pytest.mark.parametrize(
    ("descriptor", "identity"),
    [
        (FULL, "j1"),
        ({"action": "a", "job_id": "j2"}, "j2"),
        ({"action": "a", "job": {"id": "j1"}, "job_id": "j2"}, "j1"),
        ({"action": "a", "job": {"id": 7}}, "7"),
        ({"action": "a", "job": None, "job_id": "j2"}, "j2"),
        ({"action": "a"}, None),
        ({"action": "a", "job": None}, None),
        ({"action": "a", "job": {}, "job_id": ""}, None),
        ({"action": "a", "job": "j1"}, None),
        ({}, None),
    ],
)
def test_the_id_of_a_job(descriptor: dict[str, t.Any], identity: str | None) -> None:
    assert jobs.job_id(descriptor) == identity


def test_a_job_that_nobody_looked_at() -> None:
    assert jobs.announced(FULL) == {
        "id": "j1",
        "action": "container.instance.delete",
        "state": None,
        "tasks": [{"caption": "Delete instance", "state": None, "error": None, "steps": 0, "steps_done": 0}],
        "seconds": 0.0,
    }
    empty = {"id": None, "action": None, "state": None, "tasks": [], "seconds": 0.0}
    for descriptor in ({}, {"job": {}}, {"job": {"tasks": None}}, {"job": {"tasks": "x"}}, {"job": {"tasks": [1]}}):
        assert jobs.announced(descriptor) == empty


def test_without_a_job_nothing_is_asked(clock: Clock) -> None:
    client = Client(AssertionError())
    result = jobs.follow(t.cast("t.Any", client), {"action": "a"}, deadline_of(clock))
    assert result == {"id": None, "action": "a", "state": None, "tasks": [], "seconds": 0.0}
    assert client.asked == []


# The ordinary course


def test_a_job_to_its_end(clock: Clock) -> None:
    client = Client(job("new"), job("queued"), job("running", task()), job("completed", task(state="completed")))
    result = jobs.follow(t.cast("t.Any", client), FULL, deadline_of(clock))
    assert result == {
        "id": "j1",
        "action": "container.instance.delete",
        "state": "completed",
        "tasks": [{"caption": "Delete instance", "state": "completed", "error": None, "steps": 2, "steps_done": 1}],
        "seconds": 6.0,
    }
    assert client.asked == ["jobs/j1"] * 4
    assert clock.sleeps == [2, 2, 2]


@pytest.mark.parametrize("state", ["scheduled", "levitating", None])
def test_states_that_are_no_end(clock: Clock, state: t.Any) -> None:
    assert follow(clock, job(state), job("completed"))["seconds"] == 2


def test_a_job_that_is_done_at_once(clock: Clock) -> None:
    assert follow(clock, job("completed"), timeout=0)["state"] == "completed"
    assert clock.sleeps == []


def test_an_id_is_encoded(clock: Clock) -> None:
    client = Client(job("completed"))
    jobs.follow(t.cast("t.Any", client), {"job_id": "a/b"}, deadline_of(clock))
    assert client.asked == ["jobs/a%2Fb"]


@pytest.mark.parametrize("tasks", [None, "x", {}, [None, 1], [{"steps": "x"}], [{"steps": 5}], [{"steps": [None, {}]}]])
def test_tasks_of_any_shape(clock: Clock, tasks: t.Any) -> None:
    result = follow(clock, {"state": {"current": "completed"}, "tasks": tasks})
    assert all(one["steps_done"] == 0 for one in result["tasks"])


# Jobs that are not there


def test_a_job_that_is_not_visible_yet(clock: Clock) -> None:
    assert follow(clock, GONE, GONE, GONE, job("running"), job("completed"))["seconds"] == 8


def test_a_job_that_never_becomes_visible_is_left_to_the_resource(clock: Clock) -> None:
    result = follow(clock, GONE)
    assert (result["state"], result["tasks"]) == (None, [])
    assert result["seconds"] == jobs.VISIBLE_WITHIN


def test_a_job_that_is_not_visible_while_the_resource_says_that_all_is_done(clock: Clock) -> None:
    settled = iter([False, False, True])
    assert follow(clock, GONE, settled=lambda: next(settled))["seconds"] == 4
    assert next(settled, None) is None


def test_a_job_that_is_gone_after_it_was_seen(clock: Clock) -> None:
    asked: list[bool] = []
    result = follow(clock, job("running", task()), GONE, settled=lambda: asked.append(True) or False)
    assert result["state"] is None
    assert result["tasks"][0]["caption"] == "Delete instance"
    assert result["seconds"] == 2
    assert asked == []


def test_a_job_that_is_not_visible_when_the_time_is_over(clock: Clock) -> None:
    with pytest.raises(WaitTimeoutError, match="the platform does not show it") as caught:
        follow(clock, GONE, timeout=5)
    assert caught.value.results["jobs"][0]["id"] == "j1"
    assert clock.sleeps == [2, 2, 1]


@pytest.mark.parametrize("seen", [[], [job("running", task())]])
def test_a_key_that_may_not_look_at_jobs(clock: Clock, seen: list[t.Any]) -> None:
    result = follow(clock, *seen, REFUSED)
    assert result["id"] == "j1"
    assert result["state"] == ("running" if seen else None)
    assert result["seconds"] == 2 * len(seen)


@pytest.mark.parametrize(
    "error", [ApiError("broken", status=500), ApiError("who", status=401), TransportError("no connection")]
)
def test_other_errors_go_through(clock: Clock, error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        follow(clock, job("running"), error)
    assert caught.value is error


# Bad ends


def test_a_job_that_fails(clock: Clock) -> None:
    failed = job("error", task(), task("Stop", "error", "no answer."), task("Clean up", "error", "disk full"))
    failed["state"]["error"] = {"message": "It broke."}
    with pytest.raises(JobError) as caught:
        follow(clock, job("running"), failed)
    assert str(caught.value) == (
        "The job j1 (container.instance.delete) ended in an error: It broke; Stop: no answer; Clean up: disk full."
    )
    (result,) = caught.value.results["jobs"]
    assert (result["state"], result["seconds"]) == ("error", 2.0)
    assert [one["error"] for one in result["tasks"]] == [None, "no answer.", "disk full"]


def test_a_job_that_expires_is_a_failure(clock: Clock) -> None:
    with pytest.raises(JobError, match=r"expired before it ran: the platform gave no reason\.$") as caught:
        follow(clock, job("expired"))
    assert caught.value.results["jobs"][0]["state"] == "expired"


@pytest.mark.parametrize("error", [None, {}, {"message": None}, {"message": ""}, "text"])
def test_a_job_that_fails_without_a_reason(clock: Clock, error: t.Any) -> None:
    with pytest.raises(JobError, match="the platform gave no reason"):
        follow(clock, {"state": {"current": "error", "error": error}, "tasks": [{"error": error}]})


@pytest.mark.parametrize(("timeout", "sleeps"), [(5, [2, 2, 1]), (0, [])])
def test_the_deadline(clock: Clock, timeout: float, sleeps: list[float]) -> None:
    with pytest.raises(WaitTimeoutError) as caught:
        follow(clock, job("running", task()), timeout=timeout)
    assert str(caught.value) == (
        f"The job j1 (container.instance.delete) was not done after {timeout} seconds (option wait_timeout); its last"
        " state was 'running'. It goes on: quayside.paas.job_info shows it."
    )
    assert caught.value.results["jobs"] == [
        {
            "id": "j1",
            "action": "container.instance.delete",
            "state": "running",
            "tasks": [{"caption": "Delete instance", "state": "running", "error": None, "steps": 2, "steps_done": 1}],
            "seconds": float(timeout),
        }
    ]
    assert clock.sleeps == sleeps


def test_seconds_count_from_when_the_job_was_followed(clock: Clock) -> None:
    deadline = deadline_of(clock)
    clock.advance(100)
    client = t.cast("t.Any", Client(job("running"), job("completed")))
    assert jobs.follow(client, FULL, deadline)["seconds"] == 2


def test_a_job_has_its_time_to_become_visible_from_when_it_was_followed(clock: Clock) -> None:
    deadline = deadline_of(clock)
    clock.advance(100)
    client = t.cast("t.Any", Client(GONE, GONE, GONE, job("completed")))
    assert jobs.follow(client, FULL, deadline)["state"] == "completed"


# Open jobs

CONTAINER = {"id": "c1", "environment": {"id": "e1"}}


@pytest.mark.parametrize(
    ("more", "concerns"),
    [
        ({"tasks": [{"input": {"container_id": "c1"}}]}, True),
        ({"tasks": [{"input": {"nested": {"ids": ["x", "c1"]}}}]}, True),
        ({"caption": "Create instances of c1"}, True),
        ({"tasks": [{"input": {"container_id": "c2"}}], "queue": "environment-e1"}, False),
        ({"tasks": [{"input": {}}], "queue": "environment-e1"}, True),
        ({"tasks": None, "queue": "e1-instances"}, True),
        ({"queue": "environment-e2"}, False),
        ({"tasks": [None, 5], "queue": None}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("state", ["new", "queued", "scheduled", "running", "completed", "error", "expired"])
def test_jobs_that_concern_a_container(more: dict[str, t.Any], concerns: bool, state: str) -> None:
    one = {"id": "j1", "state": {"current": state}, **more}
    client = Client([one])
    expected = [one] if concerns and state in JOB_IN_PROGRESS_STATES else []
    assert jobs.open_jobs(t.cast("t.Any", client), CONTAINER) == expected
    assert client.lists == [
        {
            "query": {"filter[state]": "new,queued,scheduled,running", "sort": "-id"},
            "permission": "apionly-jobs-view",
        }
    ]


def test_a_container_whose_environment_nobody_tells() -> None:
    client = Client([{"id": "j1", "state": {"current": "new"}, "queue": "environment-None"}])
    assert jobs.open_jobs(t.cast("t.Any", client), {"id": "c1"}) == []


def test_open_jobs_that_the_key_may_not_see() -> None:
    assert jobs.open_jobs(t.cast("t.Any", Client(REFUSED)), CONTAINER) is None
    with pytest.raises(ApiError):
        jobs.open_jobs(t.cast("t.Any", Client(ApiError("no", status=500))), CONTAINER)


OPEN = {"id": "j7", "state": {"current": "running"}, "caption": "c1"}


@pytest.mark.parametrize(
    ("answers", "sleeps"), [([[]], []), ([REFUSED], []), ([[OPEN], [OPEN], []], [2, 2]), ([[OPEN], REFUSED], [2])]
)
def test_waiting_for_open_jobs(clock: Clock, answers: list[t.Any], sleeps: list[float]) -> None:
    jobs.wait_for_open_jobs(t.cast("t.Any", Client(*answers)), CONTAINER, deadline_of(clock))
    assert clock.sleeps == sleeps


@pytest.mark.parametrize("tasks", [None, 5, "x", {}, [None, 1]])
def test_open_jobs_with_tasks_of_any_shape(clock: Clock, tasks: t.Any) -> None:
    client = t.cast("t.Any", Client([{**OPEN, "tasks": tasks}]))
    assert [one["id"] for one in jobs.open_jobs(client, CONTAINER) or []] == ["j7"]


def test_open_jobs_that_do_not_end(clock: Clock) -> None:
    client = t.cast("t.Any", Client([OPEN, {**OPEN, "id": "j8"}]))
    with pytest.raises(WaitTimeoutError, match=r"are not done after 3 seconds .*: j7, j8\. Nothing was changed\."):
        jobs.wait_for_open_jobs(client, CONTAINER, deadline_of(clock, 3))
    assert clock.sleeps == [2, 1]
