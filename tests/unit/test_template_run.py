# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of templates: started once, waited for, aborted, the node to blame named, secrets kept."""

from __future__ import annotations

import json
import typing as t

import pytest
import requests

from ansible_collections.quayside.paas.plugins.module_utils._northflank.states import failed_nodes
from unit.acting import REFUSALS, Item, badly, data, listed, post, sent, well
from unit.fakes import OK, Answer, Call, Clock, Platform, Reply, error_reply, get, json_reply, page
from unit.hosts import declared, validate

NAME = "template_run"
T = "/v1/templates/preview"
RUNS = f"{T}/runs"
WHERE = {"template_id": "preview"}
SECRET = "a-password-that-nobody-knows"
BROKEN = requests.exceptions.ConnectionError("the connection broke")


def node(kind: str = "Build", status: str = "success", ref: str | None = None, **response: t.Any) -> Item:
    return {"kind": kind, "spec": {}, **({"ref": ref} if ref else {}), "response": {"status": status, **response}}


def workflow(*steps: Item, status: str = "success", ref: str | None = None) -> Item:
    return {**node("Workflow", status, ref), "spec": {"type": "sequential", "steps": list(steps)}}


def listing(
    identity: str = "n1", status: str = "success", created: str = "2026-01-01 12:00:00.000Z", **more: t.Any
) -> Item:
    """A run as the list has it."""
    concluded = status in ("success", "failure", "aborted", "skipped", "unknown")
    return {
        "id": identity,
        "templateId": "preview",
        "name": "Preview",
        "status": status,
        "concluded": concluded,
        "createdAt": created,
        **more,
    }


def full(identity: str = "n1", status: str = "success", spec: Item | None = None, **more: t.Any) -> Item:
    return {**listing(identity, status), "spec": spec or workflow(node()), **more}


def runs(*found: Item, **pagination: t.Any) -> Call:
    return listed(RUNS, page("templateRuns", list(found), **pagination))


def one(found: Item | Answer, identity: str = "n1") -> Call:
    return get(f"{RUNS}/{identity}", data(**found) if isinstance(found, dict) else found)


def ids(result: Item) -> tuple[t.Any, ...]:
    return tuple(result["template_run"][name] for name in ("template_id", "id", "status"))


# Starting one


def test_one_is_started_and_waited_for(platform: Platform, clock: Clock) -> None:
    platform.expects(
        runs(listing("n0")),
        post(RUNS, data(**full(status="pending")), {"arguments": {"branch": "main", "Count_Of": 2}}),
        *[one(full(status=status)) for status in ("queued", "running", "retrying", "async_wait", "approval_wait")],
        one(full(arguments={"branch": "main", "Count_Of": 2})),
    )
    result = well(platform, NAME, **WHERE, arguments={"branch": "main", "Count_Of": 2})
    assert (result["changed"], ids(result)) == (True, ("preview", "n1", "success"))
    assert result["template_run"]["arguments"] == {"branch": "main", "Count_Of": 2}
    assert result["template_run"]["spec"]["spec"]["steps"][0]["kind"] == "Build"
    assert result["failed_nodes"] == []
    assert clock.sleeps == [5] * 5
    assert (result["diff"]["before"], result["diff"]["after"]) == ({}, {"id": "n1", "status": "success"})


def test_the_team(platform: Platform) -> None:
    path = RUNS.replace("/v1/", "/v1/teams/crew/")
    platform.expects(listed(path, page("templateRuns", [])), post(path, data(**full()), {}))
    well(platform, NAME, **WHERE, team_id="crew")


def test_without_waiting(platform: Platform, clock: Clock) -> None:
    platform.expects(runs(), post(RUNS, data(**full(status="pending")), {}))
    result = well(platform, NAME, **WHERE, wait=False)
    assert (result["changed"], ids(result), clock.sleeps) == (True, ("preview", "n1", "pending"), [])


def test_check_mode_sends_nothing(platform: Platform) -> None:
    platform.expects(runs())
    result = well(platform, NAME, check=True, **WHERE, arguments={"a": 1})
    assert result["changed"] is True
    nothing = dict.fromkeys(("id", "name", "status", "concluded", "created_at", "updated_at"))
    assert result["template_run"] == {**WHERE, **nothing, "arguments": {"a": 1}}
    assert result["failed_nodes"] == []


@pytest.mark.parametrize("wait", [True, False])
def test_one_of_which_only_the_id_is_told(platform: Platform, wait: bool) -> None:
    platform.expects(runs(), post(RUNS, data(id="n1"), {}), one(full()))
    assert ids(well(platform, NAME, **WHERE, wait=wait)) == ("preview", "n1", "success")


def test_a_template_that_is_not_there(platform: Platform) -> None:
    platform.expects(listed(RUNS, error_reply(404)), get(T, error_reply(404)))
    assert 'The template "preview" was not found (option template_id)' in badly(platform, NAME, **WHERE)["msg"]


@pytest.mark.parametrize(
    ("status", "says"), [(403, "Account > Templates > General > Run"), (409, "concurrency policy")]
)
def test_a_refusal(platform: Platform, status: int, says: str) -> None:
    platform.expects(runs(), post(RUNS, error_reply(status, "No"), {}))
    result = badly(platform, NAME, **WHERE)
    assert says in result["msg"]
    assert result["changed"] is False


# How it ends


@pytest.mark.parametrize("concluded", [None, "no word", True])
@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("failure", "The run n1 of the template preview failed (its status is failure)."),
        ("aborted", "was aborted"),
        ("skipped", "was not carried out: the platform skipped it"),
        ("unknown", "ended, and the platform does not know how"),
    ],
)
def test_one_that_ends_badly(platform: Platform, status: str, says: str, concluded: t.Any) -> None:
    last = full(status=status, concluded=concluded)
    platform.expects(runs(), post(RUNS, data(**full(status="pending")), {}), one(last))
    result = badly(platform, NAME, **WHERE)
    assert says in result["msg"]
    assert (result["changed"], ids(result)) == (True, ("preview", "n1", status))


def test_a_state_that_is_new(platform: Platform) -> None:
    strange = one(full(status="melting"))
    platform.expects(
        runs(),
        post(RUNS, data(**full(status="pending")), {}),
        strange,
        strange,
        one(full(status="molten", concluded=True)),
    )
    assert "failed (its status is molten)" in badly(platform, NAME, **WHERE)["msg"]


def test_what_is_not_concluded_goes_on(platform: Platform) -> None:
    platform.expects(runs(), post(RUNS, data(**full(concluded=False)), {}), one(full(concluded=False)), one(full()))
    assert well(platform, NAME, **WHERE)["changed"] is True


def test_the_failing_node_is_named(platform: Platform) -> None:
    error = {"code": 409, "message": "The addon is paused."}
    spec = workflow(
        node(), workflow(node("Build", "failure", "api", error=error), status="failure", ref="images"), status="failure"
    )
    platform.expects(runs(), post(RUNS, data(**full(status="pending")), {}), one(full(status="failure", spec=spec)))
    result = badly(platform, NAME, **WHERE)
    assert result["msg"].endswith(" Failed: Workflow > Workflow images > Build api: 409 The addon is paused.")
    assert result["failed_nodes"] == [
        {
            "path": "Workflow > Workflow images > Build api",
            "kind": "Build",
            "ref": "api",
            "status": "failure",
            "code": "409",
            "message": "The addon is paused.",
        }
    ]


def test_many_failing_nodes(platform: Platform) -> None:
    spec = workflow(*[node("Job", "failure", f"j{number}", error="x" * 400) for number in range(7)])
    platform.expects(one(full(status="failure", spec=spec)))
    result = badly(platform, NAME, **WHERE, run_id="n1")
    assert len(result["failed_nodes"]) == 7
    assert f"Workflow > Job j0: {'x' * 300}; Workflow > Job j1" in result["msg"]
    assert "Job j4" in result["msg"]
    assert "Job j5" not in result["msg"]
    assert result["msg"].endswith("; and 2 more.")


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        (None, []),
        ("text", []),
        ([], []),
        ({"kind": "Workflow"}, []),
        ({"kind": "Build", "response": "failure"}, []),
        ({"kind": "Build", "response": {"status": "failure"}}, ["Build"]),
        ({"kind": "Build", "response": {"status": "invalid", "error": {}}}, ["Build"]),
        (workflow(status="failure"), ["Workflow"]),
        ({"kind": "Condition", "spec": {"then": {"steps": [node("Job", "failure")]}}}, ["Condition > Job"]),
        ({"steps": [node("Job", "failure", "a"), node("Job"), node("Job", "failure", "b")]}, ["Job a", "Job b"]),
    ],
)
def test_trees(spec: t.Any, paths: list[str]) -> None:
    found = failed_nodes({"spec": spec})
    assert [one["path"] for one in found] == paths
    assert all(set(one) == {"path", "kind", "ref", "status", "code", "message"} for one in found)


def test_a_tree_that_is_too_deep(platform: Platform) -> None:
    spec = node("Job", "failure")
    for _level in range(60):
        spec = workflow(spec)
    platform.expects(one(full(status="failure", spec=spec)))
    assert "levels deep" in badly(platform, NAME, **WHERE, run_id="n1")["msg"]


@pytest.mark.parametrize("spec", [None, workflow(node(), node("Approval", "approval_wait", "sign-off"))])
def test_an_approval_that_does_not_come(platform: Platform, spec: Item | None) -> None:
    waiting = full(status="approval_wait", spec=spec)
    platform.expects(runs(), post(RUNS, data(**waiting), {}), one(waiting), one(waiting))
    result = badly(platform, NAME, **WHERE, wait_timeout=5)
    assert "was not done after 5 seconds" in result["msg"]
    which = " (Workflow > Approval sign-off)" if spec else ""
    assert f"It waits until a person approves it on Northflank{which}. Then run_id=n1 waits for it." in result["msg"]
    assert (result["changed"], ids(result)) == (True, ("preview", "n1", "approval_wait"))


def test_one_that_takes_too_long(platform: Platform) -> None:
    going = one(full(status="running"))
    platform.expects(runs(), post(RUNS, data(**full(status="pending")), {}), going, going)
    result = badly(platform, NAME, **WHERE, wait_timeout=5)
    assert result["msg"].endswith("its last state was 'running'. It goes on: run_id=n1 waits for it.")


# Not twice

LOST_ANSWERS = [BROKEN, error_reply(500), error_reply(502), Reply(200, b"success"), OK, json_reply({})]


@pytest.mark.parametrize("answer", LOST_ANSWERS)
def test_a_lost_answer(platform: Platform, answer: Answer) -> None:
    platform.expects(
        runs(listing("n0")),
        post(RUNS, answer, {}),
        runs(listing("n0")),
        runs(listing(status="running"), listing("n0")),
        one(full(status="running")),
        one(full()),
    )
    result = well(platform, NAME, **WHERE)
    assert (result["changed"], ids(result), sent(platform)) == (True, ("preview", "n1", "success"), ["POST runs"])


def test_of_several_new_ones_the_one_with_these_arguments(platform: Platform) -> None:
    platform.expects(
        runs(),
        post(RUNS, BROKEN, {"arguments": {"a": 1}}),
        runs(listing("n1"), listing("n2")),
        one(full("n1", arguments={"a": 2}), "n1"),
        one(full("n2", arguments={"a": 1, "b": 3}), "n2"),
    )
    assert ids(well(platform, NAME, **WHERE, arguments={"a": 1})) == ("preview", "n2", "success")


def test_several_new_ones_with_the_same_arguments(platform: Platform) -> None:
    platform.expects(
        runs(), post(RUNS, BROKEN, {}), runs(listing("n1"), listing("n2")), one(full("n1"), "n1"), one(full("n2"), "n2")
    )
    result = badly(platform, NAME, **WHERE)
    assert "2 new ones are there (n1, n2)" in result["msg"]
    assert (result["changed"], sent(platform)) == (True, ["POST runs"])


def test_nothing_new(platform: Platform, clock: Clock) -> None:
    platform.expects(runs(listing("n0")), post(RUNS, BROKEN, {}), *[runs(listing("n0"))] * 7)
    assert "nothing new has shown. So the run was not asked for again" in badly(platform, NAME, **WHERE)["msg"]
    assert (sent(platform), sum(clock.sleeps)) == (["POST runs"], 30)


MANY = [listing(f"o{number}", created=f"2026-01-01 12:{number // 2:02}:00.000Z") for number in reversed(range(100))]
OLD = [listing(f"oo{number}", created="2025-12-31T12:00:00.000Z") for number in range(50)]


@pytest.mark.parametrize("created", ["2026-01-01 12:49:00.000Z", "2026-01-02T00:00:00.000Z"])
def test_a_template_with_many_runs(platform: Platform, created: str) -> None:
    platform.expects(
        runs(*MANY, hasNextPage=True, cursor="a"),
        post(RUNS, BROKEN, {}),
        runs(listing(created=created), *MANY[:99], hasNextPage=True, cursor="b"),
        listed(RUNS, page("templateRuns", [MANY[99], *OLD]), cursor="b"),
        one(full()),
    )
    assert ids(well(platform, NAME, **WHERE)) == ("preview", "n1", "success")


@pytest.mark.parametrize("created", ["2025-06-01 12:00:00.000Z", None, "soon"])
def test_a_template_with_many_runs_of_which_none_is_new(platform: Platform, created: t.Any) -> None:
    after = [
        runs(*MANY, hasNextPage=True, cursor="b"),
        listed(RUNS, page("templateRuns", [listing(created=created), *OLD]), cursor="b"),
    ]
    platform.expects(runs(*MANY, hasNextPage=True, cursor="a"), post(RUNS, BROKEN, {}), *after)
    assert "nothing new has shown" in badly(platform, NAME, **WHERE, wait_timeout=0)["msg"]


@pytest.mark.parametrize("created", [None, "2026-01-01 12:00:00.000Z", "soon"])
def test_a_template_with_many_runs_in_an_unknown_order(platform: Platform, created: t.Any) -> None:
    many = [listing(f"o{number}", created=created) for number in range(100)]
    everything = [*many, listing("o100", created=created)]
    pages = [
        runs(*many, hasNextPage=True, cursor="a"),
        listed(RUNS, page("templateRuns", [everything[100]]), cursor="a"),
    ]
    more = listed(RUNS, page("templateRuns", [everything[100], listing(created=created)]), cursor="a")
    platform.expects(pages[0], *pages, post(RUNS, BROKEN, {}), pages[0], more, one(full()))
    assert ids(well(platform, NAME, **WHERE)) == ("preview", "n1", "success")


def test_arguments_are_compared_as_texts_and_secret_ones_by_name(platform: Platform) -> None:
    """The platform may show values as texts, and not those of secrets."""
    given = {"count": 2, "deep": {"a": 1}, "password": SECRET}
    platform.expects(
        runs(),
        post(RUNS, BROKEN, {"arguments": given}),
        runs(listing("n1"), listing("n2"), listing("n3")),
        one(full("n1", arguments={"count": 2, "deep": {"a": 1}}), "n1"),
        one(full("n2", arguments={"count": "2", "deep": '{"a": 1}', "password": "***"}), "n2"),
        one(full("n3", arguments={"count": 3, "deep": {"a": 1}, "password": "***"}), "n3"),
    )
    arguments = {"arguments": {"count": 2, "deep": {"a": 1}}, "secret_arguments": {"password": SECRET}}
    assert ids(well(platform, NAME, **WHERE, **arguments)) == ("preview", "n2", "success")


def test_one_new_run_of_somebody_else_is_not_taken(platform: Platform) -> None:
    theirs = [runs(listing("n1")), one(full("n1", arguments={"a": 2}), "n1")]
    platform.expects(runs(), post(RUNS, BROKEN, {"arguments": {"a": 1}}), *theirs * 7)
    assert "nothing new has shown" in badly(platform, NAME, **WHERE, arguments={"a": 1})["msg"]


# Secrets


@pytest.mark.parametrize("given", [{"password": SECRET, "deep": [{"key": SECRET}]}, f'{{"password": "{SECRET}"}}'])
def test_secret_arguments_are_sent_and_masked(platform: Platform, given: t.Any) -> None:
    sent_ = {"a": 1, "password": SECRET, **({} if isinstance(given, str) else {"deep": [{"key": SECRET}]})}
    spec = workflow(node(data={"url": f"https://x:{SECRET}@y"}))
    platform.expects(
        runs(),
        post(RUNS, data(**full(status="pending")), {"arguments": sent_}),
        one(full(arguments=sent_, spec=spec)),
    )
    result = well(platform, NAME, **WHERE, arguments={"a": 1}, secret_arguments=given)
    assert ids(result) == ("preview", "n1", "success")
    assert result["template_run"]["arguments"]["a"] == 1
    assert set(result["template_run"]["arguments"]) == set(sent_)
    assert SECRET not in repr(result)


def test_secret_arguments_are_masked_without_the_blank_space_around_them(platform: Platform) -> None:
    given = {"key": f"{SECRET}\n"}
    platform.expects(runs(), post(RUNS, data(**full(arguments={"key": SECRET})), {"arguments": given}))
    assert SECRET not in repr(well(platform, NAME, **WHERE, secret_arguments=given))


def test_secret_arguments_are_masked_in_check_mode(platform: Platform) -> None:
    platform.expects(runs())
    assert SECRET not in repr(well(platform, NAME, check=True, **WHERE, secret_arguments={"password": SECRET}))


def test_secret_arguments_are_masked_in_errors(platform: Platform) -> None:
    body = {"arguments": {"password": SECRET, "number": 8421}}
    refused = error_reply(400, f"password {SECRET} or 8421 is too short", details={"value": SECRET})
    platform.expects(runs(), post(RUNS, refused, body))
    result = badly(platform, NAME, **WHERE, secret_arguments=body["arguments"])
    assert SECRET not in repr(result)
    assert "8421" not in repr(result)
    assert "is too short" in result["msg"]


def test_secret_arguments_are_masked_in_failures(platform: Platform) -> None:
    body = {"arguments": {"password": SECRET}}
    failing = node("Job", "failure", error={"code": "1", "message": f"cannot log in with {SECRET}"})
    platform.expects(runs(), post(RUNS, data(**full(status="failure", spec=failing)), body))
    result = badly(platform, NAME, **WHERE, secret_arguments=body["arguments"])
    assert SECRET not in repr(result)
    assert "cannot log in with" in result["msg"]


@pytest.mark.parametrize("secret", ['quoted "and"\nlong enough', "grün und geheim"])
@pytest.mark.parametrize("before", [100, 190, 230])
def test_secret_arguments_are_masked_in_what_is_no_json(platform: Platform, secret: str, before: int) -> None:
    """Also in the spelling of JSON, and where the answer is cut within one."""
    echo = Reply(400, b"<p>" + b"x" * before + json.dumps({"password": secret}).encode() + b"y" * 500)
    platform.expects(runs(), post(RUNS, echo, {"arguments": {"password": secret}}))
    message = badly(platform, NAME, **WHERE, secret_arguments={"password": secret})["msg"]
    assert "<p>xxx" in message
    assert not [cut for cut in (json.dumps(secret)[1:-1][:5], json.dumps(secret)[1:-1][-5:]) if cut in message]


def test_an_argument_in_both(platform: Platform) -> None:
    result = badly(platform, NAME, **WHERE, arguments={"a": 1, "b": 2}, secret_arguments={"b": SECRET})
    assert result["msg"] == "The options arguments and secret_arguments both have b."


@pytest.mark.parametrize(
    "arguments", [{"run_id": "n1", "arguments": {}}, {"run_id": "n1", "secret_arguments": {}}, {"state": "aborted"}]
)
def test_options_that_do_not_go_together(arguments: Item) -> None:
    assert validate(declared(NAME), **WHERE, **arguments).error_messages


# By id


def test_one_is_waited_for(platform: Platform) -> None:
    platform.expects(one(full(status="running")), one(full(status="running")), one(full()))
    result = well(platform, NAME, **WHERE, run_id="n1")
    assert (result["changed"], ids(result)) == (False, ("preview", "n1", "success"))


@pytest.mark.parametrize("arguments", [{"check": True}, {"wait": False}])
def test_one_is_looked_at(platform: Platform, arguments: Item) -> None:
    platform.expects(one(full(status="running")))
    result = well(platform, NAME, **WHERE, run_id="n1", **arguments)
    assert (result["changed"], ids(result)) == (False, ("preview", "n1", "running"))


@pytest.mark.parametrize("state", ["present", "aborted"])
def test_one_that_is_not_there(platform: Platform, state: str) -> None:
    platform.expects(one(error_reply(404)), get(T, data()))
    result = badly(platform, NAME, **WHERE, run_id="n1", state=state)
    assert 'The template run "n1" was not found (option run_id)' in result["msg"]


# Aborting

ABORT = f"{RUNS}/n1/abort"


def test_one_is_aborted(platform: Platform) -> None:
    platform.expects(
        one(full(status="running")),
        post(ABORT, data(**full(status="aborting"))),
        one(full(status="aborting")),
        one(full(status="aborting")),
        one(full(status="aborted")),
    )
    result = well(platform, NAME, **WHERE, run_id="n1", state="aborted")
    assert (result["changed"], ids(result), result["failed_nodes"]) == (True, ("preview", "n1", "aborted"), [])


def test_check_mode_aborts_nothing(platform: Platform) -> None:
    platform.expects(one(full(status="running")))
    result = well(platform, NAME, check=True, **WHERE, run_id="n1", state="aborted")
    assert (result["changed"], result["diff"]["after"]["status"]) == (True, "aborted")


@pytest.mark.parametrize("status", ["success", "failure", "aborted", "skipped"])
def test_one_that_has_ended_is_no_change(platform: Platform, status: str) -> None:
    platform.expects(one(full(status=status)))
    assert well(platform, NAME, **WHERE, run_id="n1", state="aborted")["changed"] is False


@pytest.mark.parametrize("status", REFUSALS)
def test_one_that_ended_in_between(platform: Platform, status: int) -> None:
    platform.expects(one(full(status="running")), post(ABORT, error_reply(status)), one(full()), one(full()))
    result = well(platform, NAME, **WHERE, run_id="n1", state="aborted")
    assert (result["changed"], ids(result)) == (False, ("preview", "n1", "success"))


def test_an_abort_without_the_permission(platform: Platform) -> None:
    platform.expects(one(full(status="running")), post(ABORT, error_reply(403, "No")))
    result = badly(platform, NAME, **WHERE, run_id="n1", state="aborted")
    assert "Account > Templates > Runs > Abort" in result["msg"]
    assert result["changed"] is False
