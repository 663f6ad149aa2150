# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Template runs that requests set going: from node to node, failing, waiting, aborted, one after another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.simulator import Simulator, start_simulator

TEMPLATES = "/v1/templates"
EMPTY = f"{TEMPLATES}/empty-one/runs"
DUMPS = f"{TEMPLATES}/nightly-dumps-2/runs"
MIGRATION = f"{TEMPLATES}/schema-migration/runs"
PREVIEW = f"{TEMPLATES}/preview-environment/runs"

LEAF = {"kind": "Message", "spec": {"text": "Done"}}
OWN = {
    "name": "Release",
    "arguments": {"a": "1", "b": "2"},
    "spec": {
        "kind": "Workflow",
        "spec": {
            "type": "sequential",
            "steps": [
                {**LEAF, "ref": "first"},
                {
                    "kind": "Workflow",
                    "spec": {
                        "type": "parallel",
                        "steps": [
                            {**LEAF, "ref": "left"},
                            {
                                "kind": "Addon",
                                "ref": "right",
                                "spec": {"name": "Database"},
                                "settings": {"maxAttempts": 3, "backoff": {"type": "fixed", "delay": 10}},
                            },
                        ],
                    },
                },
                {"kind": "Approval", "spec": {"message": "Go on?"}},
                {**LEAF, "ref": "last"},
            ],
        },
    },
}


POLICIES = ("allow", "queue", "latest", "replace", "forbid")


def own_estate() -> dict[str, Any]:
    """Return an estate with a team and a token for each concurrency policy; its template has that policy."""
    tokens = [{"name": name, "token": f"nf-sim-{name}-0000", "team": name, "permissions": ["*"]} for name in POLICIES]
    teams = [
        {"id": name, "name": name, "templates": [{**OWN, "options": {"autorun": False, "concurrencyPolicy": name}}]}
        for name in POLICIES
    ]
    return {"clock": "2026-11-02T08:00:00.000Z", "northflank": {"tokens": tokens, "teams": teams}}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A simulator of its own estate at its start, its clock standing still; ``demo`` is the token of a policy."""
    file = tmp_path_factory.mktemp("small") / "estate.yml"
    file.write_text(json.dumps(own_estate()), encoding="utf-8")
    simulator = start_simulator(estate=file)

    def choose(policy: str = "allow") -> Simulator:
        simulator.reset()
        simulator.clock(freeze=True, set="2026-11-02T08:00:00.000Z")
        simulator.tokens["demo"] = simulator.tokens[policy]
        return simulator

    yield choose
    simulator.stop()


RELEASE = f"{TEMPLATES}/release/runs"


def begin(sim: Simulator, path: str = RELEASE, **arguments: Any) -> dict[str, Any]:
    """Start a run and return the answer's data."""
    reply = sim.send("POST", path, {"arguments": arguments} if arguments else {})
    assert reply.status == 200, reply.data
    made: dict[str, Any] = reply.data["data"]
    return made


def now(sim: Simulator, run: dict[str, Any]) -> dict[str, Any]:
    """Return a run as it is now."""
    found: dict[str, Any] = sim.get(f"{TEMPLATES}/{run['templateId']}/runs/{run['id']}").data["data"]
    return found


def listed(sim: Simulator, run: dict[str, Any]) -> dict[str, Any]:
    """Return a run as it is in the list."""
    pages = [sim.get(f"{TEMPLATES}/{run['templateId']}/runs?per_page=100&page={page}").data["data"] for page in (1, 2)]
    return next(each for page in pages for each in page["templateRuns"] if each["id"] == run["id"])


def leaves(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes of a tree that are no workflows."""
    if node["kind"] != "Workflow":
        return [node]
    return [leaf for step in node["spec"]["steps"] for leaf in leaves(step)]


def states(run: dict[str, Any]) -> list[str]:
    """Return the states of a run, of its tree, and of its leaves."""
    return [
        run["status"],
        run["spec"]["response"]["status"],
        *(leaf["response"]["status"] for leaf in leaves(run["spec"])),
    ]


def test_a_run_goes_from_node_to_node(small: Any) -> None:
    sim = small()
    sim.settings(runs={"approval": 5, "pending": 1, "node": 10})
    run = begin(sim, a="one", c={"d": [1]})
    assert run["arguments"] == {"a": "one", "b": "2", "c": {"d": [1]}}
    assert (run["templateId"], run["name"], run["concluded"]) == ("release", "Release", False)
    assert run["createdAt"] == "2026-11-02 08:00:00.000Z"
    assert states(run) == ["pending", *["waiting"] * 6]
    assert now(sim, run) == run
    seen = []
    for advance in (1, 10, 10, 5, 10):
        sim.clock(advance=advance)
        seen.append(states(now(sim, run)))
    assert seen == [
        ["running", "waiting", "waiting", "waiting", "waiting", "waiting", "waiting"],
        ["running", "waiting", "success", "waiting", "waiting", "waiting", "waiting"],
        ["approval_wait", "approval_wait", "success", "success", "success", "approval_wait", "waiting"],
        ["running", "waiting", "success", "success", "success", "success", "waiting"],
        ["success"] * 7,
    ]
    done = now(sim, run)
    assert done["concluded"] is True
    assert done["refs"] == {name: {"id": name} for name in ("first", "left", "right", "last")}
    # 2026-11-02 08:00:00 is 1793606400.
    assert [(leaf["response"]["startTime"], leaf["response"]["endTime"]) for leaf in leaves(done["spec"])] == [
        (1793606401, 1793606411),
        (1793606411, 1793606421),
        (1793606411, 1793606421),
        (1793606421, 1793606426),
        (1793606426, 1793606436),
    ]
    assert done["spec"]["response"] == {"status": "success", "startTime": 1793606401, "endTime": 1793606436}
    item = listed(sim, run)
    assert (item["startedAt"], item["concludedAt"]) == ("2026-11-02 08:00:01.000Z", "2026-11-02 08:00:36.000Z")
    assert not {"startedAt", "concludedAt"} & set(done)


def test_an_approval_waits_for_ever(small: Any) -> None:
    sim = small()
    run = begin(sim)
    sim.clock(advance=10**6)
    assert states(now(sim, run)) == [
        "approval_wait",
        "approval_wait",
        "success",
        "success",
        "success",
        "approval_wait",
        "waiting",
    ]
    answer = sim.send("POST", f"{RELEASE}/{run['id']}/abort")
    assert (answer.status, states(answer.data["data"])[:2]) == (200, ["aborting", "aborting"])
    sim.clock(advance=1)
    assert states(now(sim, run)) == ["aborted", "aborted", "success", "success", "success", "aborted", "skipped"]
    assert now(sim, run)["concluded"] is True


def test_the_estates_run_waits_at_its_approval(still: Simulator) -> None:
    run = still.get(f"{PREVIEW}/3dd592f6-ce63-45ee-acf8-13dc5ec5235c").data["data"]
    waiting = [leaf for leaf in leaves(run["spec"]) if leaf["response"]["status"] == "approval_wait"]
    assert [leaf["kind"] for leaf in waiting] == ["Approval"]
    assert run["spec"]["response"]["status"] == "approval_wait"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("first", ["failure", "failure", "failure", "skipped", "skipped", "skipped", "skipped"]),
        ("left", ["failure", "failure", "success", "failure", "aborted", "skipped", "skipped"]),
        ("Message", ["failure", "failure", "failure", "skipped", "skipped", "skipped", "skipped"]),
        ("", ["failure", "failure", "success", "success", "success", "success", "failure"]),
    ],
)
def test_a_run_fails_at_a_node(small: Any, name: str, expected: list[str]) -> None:
    sim = small()
    settings = {"outcome": "failure", "outcome_of": "rel*", "outcome_times": 1, "approval": 0}
    sim.settings(runs={**settings, "fail_node": name, "fail_code": 418, "fail_message": "No tea"})
    failing, good = begin(sim), begin(sim)
    sim.clock(advance=0.5)
    sim.settings(runs={"fail_message": "Too late"})
    sim.clock(advance=100)
    run = now(sim, failing)
    assert states(run) == expected
    (error,) = [leaf["response"]["error"] for leaf in leaves(run["spec"]) if "error" in leaf["response"]]
    assert error == {"code": 418, "message": "No tea"}
    assert run["concluded"] is True
    assert now(sim, good)["status"] == "success"


def test_a_node_is_tried_again(small: Any) -> None:
    sim = small()
    sim.settings(runs={"outcome": "failure", "fail_node": "right"})
    run = begin(sim)
    # pending 0.3, first 0.7, then three attempts of 0.7 with pauses of 10
    sim.clock(advance=1.8)
    found = now(sim, run)
    assert states(found)[:5] == ["retrying", "retrying", "success", "success", "retrying"]
    right = leaves(found["spec"])[2]["response"]
    retries = {"attempts": 1, "maxAttempts": 3, "timestamp": 1793606401, "nextAttempt": 1793606411}
    assert (right["retries"], right["startTime"]) == (retries, 1793606401)
    sim.clock(advance=10.7)
    assert leaves(now(sim, run)["spec"])[2]["response"]["retries"]["attempts"] == 2
    sim.clock(advance=10.7)
    failed = now(sim, run)
    assert failed["status"] == "failure"
    right = leaves(failed["spec"])[2]["response"]
    assert (right["status"], right["retries"]["attempts"], right["error"]["code"]) == ("failure", 3, 500)


@pytest.mark.parametrize(
    "status", ["pending", "queued", "running", "waiting", "retrying", "async_wait", "approval_wait"]
)
def test_runs_that_never_end(small: Any, status: str) -> None:
    sim = small()
    sim.settings(runs={"outcome": status})
    run = begin(sim)
    sim.clock(advance=10**6)
    assert (now(sim, run)["status"], now(sim, run)["concluded"]) == (status, False)
    sim.send("POST", f"{RELEASE}/{run['id']}/abort")
    sim.clock(advance=1)
    assert (now(sim, run)["status"], now(sim, run)["concluded"]) == ("aborted", True)


@pytest.mark.parametrize("status", ["aborted", "skipped", "unknown"])
def test_runs_that_conclude_otherwise(small: Any, status: str) -> None:
    sim = small()
    sim.settings(runs={"outcome": status})
    run = begin(sim)
    sim.clock(advance=1)
    found = now(sim, run)
    assert (found["status"], found["concluded"]) == (status, True)
    expected = "unknown" if status == "unknown" else "skipped"
    assert set(states(found)[1:]) == {expected}


def test_abort(small: Any) -> None:
    sim = small()
    run = begin(sim)
    sim.clock(advance=1.2)
    path = f"{RELEASE}/{run['id']}/abort"
    answer = sim.send("POST", path)
    assert (answer.status, answer.data["data"]["status"], answer.data["data"]["concluded"]) == (200, "aborting", False)
    assert states(answer.data["data"])[2:] == ["success", "aborting", "aborting", "waiting", "waiting"]
    assert sim.send("POST", path).data["data"]["status"] == "aborting"
    sim.clock(advance=0.5)
    done = now(sim, run)
    assert states(done) == ["aborted", "aborted", "success", "aborted", "aborted", "skipped", "skipped"]
    reply = sim.send("POST", path)
    assert (reply.status, reply.data["error"]["details"]) == (409, {"status": "aborted"})
    sim.settings(aborts={"ended": "ignore"})
    assert sim.send("POST", path).data["data"] == done
    assert sim.send("POST", f"{RELEASE}/nothing/abort").status == 404


def test_runs_of_the_estate_are_aborted(still: Simulator) -> None:
    runs = []
    for status in ("approval_wait", "running", "queued"):
        runs += still.get(f"{PREVIEW}?status={status}").data["data"]["templateRuns"]
        answer = still.send("POST", f"{PREVIEW}/{runs[-1]['id']}/abort")
        assert (answer.status, answer.data["data"]["status"]) == (200, "aborting")
    assert len(runs) == 3
    still.clock(advance=100)
    for run in runs:
        found = now(still, run)
        assert (found["status"], found["concluded"], found["spec"]["response"]["status"]) == (
            "aborted",
            True,
            "aborted",
        )


@pytest.mark.parametrize("body", [[], {"arguments": []}, {"arguments": "a=1"}, {"arguments": None}, {"args": {}}])
def test_bodies_that_make_no_sense(still: Simulator, body: Any) -> None:
    reply = still.send("POST", EMPTY, body)
    assert reply.status == 400
    assert reply.data["error"]["message"].startswith("Invalid request body")
    assert still.get(EMPTY).data["data"]["templateRuns"] == []


def test_a_start_needs_no_body(still: Simulator) -> None:
    run = still.send("POST", EMPTY).data["data"]
    assert "arguments" not in run
    still.clock(advance=1)
    assert now(still, run)["status"] == "success"


def test_several_at_a_time(small: Any) -> None:
    sim = small("allow")
    runs = [begin(sim), begin(sim)]
    sim.clock(advance=1)
    assert [now(sim, run)["status"] for run in runs] == ["running", "running"]


def test_one_after_another(small: Any) -> None:
    sim = small("queue")
    sim.settings(runs={"approval": 0, "pending": 1, "node": 3})
    first, second, third = runs = [begin(sim) for _number in range(3)]
    assert [run["status"] for run in runs] == ["pending", "queued", "queued"]
    sim.clock(advance=10)
    assert [now(sim, run)["status"] for run in runs] == ["success", "pending", "queued"]
    sim.clock(advance=1)
    assert sim.send("POST", f"{RELEASE}/{third['id']}/abort").status == 200
    fourth = begin(sim)
    sim.clock(advance=100)
    assert [now(sim, run)["status"] for run in (*runs, fourth)] == ["success", "success", "aborted", "success"]
    # However late one looks: each began when the one before it was through.
    ends = [listed(sim, run)["concludedAt"] for run in (first, second, fourth)]
    assert ends == [f"2026-11-02 08:00:{end}.000Z" for end in (10, 20, 30)]


def test_the_latest_only(small: Any) -> None:
    sim = small("latest")
    sim.settings(runs={"approval": 0})
    runs = [begin(sim) for _number in range(4)]
    assert [now(sim, run)["status"] for run in runs] == ["pending", "skipped", "skipped", "queued"]
    sim.clock(advance=60)
    assert [now(sim, run)["status"] for run in runs] == ["success", "skipped", "skipped", "success"]


def test_one_in_place_of_another(small: Any) -> None:
    sim = small("replace")
    sim.settings(runs={"approval": 0})
    runs = [begin(sim), begin(sim)]
    assert [now(sim, run)["status"] for run in runs] == ["aborting", "pending"]
    sim.clock(advance=60)
    assert [now(sim, run)["status"] for run in runs] == ["aborted", "success"]


@pytest.mark.parametrize("answer", ["conflict", "skipped", "aborted"])
def test_one_only(small: Any, answer: str) -> None:
    sim = small("forbid")
    sim.settings(runs={"approval": 0, "forbidden": answer})
    first = begin(sim)
    reply = sim.send("POST", RELEASE, {})
    if answer == "conflict":
        assert reply.status == 409
        assert len(sim.get(RELEASE).data["data"]["templateRuns"]) == 1
    else:
        assert (reply.data["data"]["status"], reply.data["data"]["concluded"]) == (answer, True)
    sim.clock(advance=60)
    assert now(sim, first)["status"] == "success"
    assert begin(sim)["status"] == "pending"


def test_the_failing_template_of_the_estate(still: Simulator) -> None:
    run = begin(still, MIGRATION, release="2026.11")
    assert run["arguments"] == {"release": "2026.11"}
    assert still.send("POST", MIGRATION, {}).status == 409
    still.clock(advance=10)
    assert states(now(still, run)) == ["failure", "failure", "success", "failure", "skipped"]
    (error,) = [leaf["response"]["error"] for leaf in leaves(now(still, run)["spec"]) if "error" in leaf["response"]]
    assert error["message"].startswith("The job run ended with exit code 3")
    still.settings(runs={"outcome": "success"})
    mended = begin(still, MIGRATION)
    still.clock(advance=10)
    assert now(still, mended)["status"] == "success"


def test_the_good_template_of_the_estate(still: Simulator) -> None:
    run = begin(still, DUMPS, retentionDays="30")
    assert run["arguments"] == {"retentionDays": "30"}
    still.clock(advance=10)
    assert now(still, run)["status"] == "success"


def test_a_run_behind_those_that_never_end(still: Simulator) -> None:
    run = begin(still, PREVIEW, prNumber="1313")
    still.clock(advance=10**6)
    assert now(still, run)["status"] == listed(still, run)["status"] == "queued"


def test_permissions_and_teams(still: Simulator) -> None:
    run = f"{PREVIEW}/3dd592f6-ce63-45ee-acf8-13dc5ec5235c/abort"
    for path, permission in (
        (DUMPS, "Account > Templates > General > Run"),
        (run, "Account > Templates > Runs > Abort"),
    ):
        reply = still.send("POST", path, token="read-only")
        assert (reply.status, reply.data["error"]["details"]) == (403, {"permission": permission})
        assert still.send("POST", path, token="org").status == 400
        assert still.send("POST", path.replace("/v1", "/v1/teams/tidewater-labs", 1), token="org").status == 404
        assert still.send("POST", path.replace("/v1", "/v1/teams/tidewater", 1), token="org").status == 200
    assert still.send("POST", f"{TEMPLATES}/nothing/runs").status == 404
    held = {
        token: still.get("/v1/auth", token=token).data["data"]["permissions"]["teamScope"]
        for token in ("demo", "read-only")
    }
    assert {"Account > Templates > General > Run", "Account > Templates > Runs > Abort"} <= set(held["demo"])
    assert held["read-only"] == ["Account > Templates > General > Read"]


def test_states_of_the_oldest_shapes(small: Any) -> None:
    sim = small()
    sim.settings(compatibility="seed")
    run = begin(sim)
    sim.clock(advance=60)
    assert (now(sim, run)["status"], listed(sim, run)["status"]) == ("running", "running")


def test_reset_forgets_runs(sim: Simulator) -> None:
    before = sim.estate()["northflank"]["teams"]
    begin(sim, DUMPS)
    begin(sim, PREVIEW)
    assert sim.estate()["northflank"]["teams"] != before
    sim.reset()
    assert sim.estate()["northflank"]["teams"] == before
