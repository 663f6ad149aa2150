# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of info modules become rows, whatever is odd about them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.filter.estate_report import estate_report
from ansible_collections.quayside.paas.plugins.plugin_utils import _estate_cycle as cycle
from ansible_collections.quayside.paas.plugins.plugin_utils import _estate_facts as facts
from ansible_collections.quayside.paas.plugins.plugin_utils import _estate_northflank as northflank
from ansible_collections.quayside.paas.plugins.plugin_utils import _estate_values as values
from support.settings import NIGHTLY

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-01T03:00:00.004Z", "2026-11-01T03:00:00Z"),
        ("2026-11-01 03:00:00.000Z", "2026-11-01T03:00:00Z"),
        ('2026-11-01T03:00:00Z"', "2026-11-01T03:00:00Z"),
        ("2026-11-01T05:00:00+02:00", "2026-11-01T03:00:00Z"),
        (1793502000, "2026-11-01T03:00:00Z"),
        (1793502000000, "2026-11-01T03:00:00Z"),
        ("1793502000", "2026-11-01T03:00:00Z"),
        ("01.08.2021", "2021-08-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", None),
        ("soon", None),
        ("", None),
        (None, None),
        (True, None),
        ({}, None),
        (10**40, None),
        (-1, None),
    ],
)
def test_time_stamps_of_every_shape(value: Any, expected: str | None) -> None:
    assert values.stamp(value) == expected


def test_a_time_in_the_future_has_no_age() -> None:
    assert values.age("2026-11-02T09:00:00Z", NOW) == 0
    assert values.age("2026-11-02T07:00:00Z", NOW) == 3600
    assert values.age(None, NOW) is None


def test_values_become_plain_and_valid() -> None:
    assert values.plain({1: ("\ud800", float("nan"), float("inf"), {"a"})}) == {"1": ["?", None, None, ["a"]]}


def test_a_part_of_a_loop_tells_which_item_failed() -> None:
    result = {
        "results": [
            {"addons": [{"id": "a"}, "nonsense"], "request_count": 2},
            {
                "msg": "Refused.\n  Ask for it.",
                "ansible_loop_var": "thing",
                "thing": {"id": "shop"},
                "request_count": 1,
            },
            {"skipped": True},
        ]
    }
    part = facts.read_part(result, "addons", "addons")
    assert part.items == [{"id": "a"}]
    assert part.problems == ["addons of shop: Refused. Ask for it."]
    assert (part.requests, part.is_read) == (3, False)


def test_a_loop_over_nothing_was_read() -> None:
    part = facts.read_part(
        {"skipped": True, "skipped_reason": "No items in the list", "results": []}, "addons", "addons"
    )
    assert part == facts.Part([], [], 0, True)


def test_what_was_skipped_or_never_asked_for_is_no_problem() -> None:
    for result in (None, {}, {"skipped": True}):
        part = facts.read_part(result, "addons", "addons")
        assert not part.items
        assert not part.is_read


def estate(**northflank: list[dict[str, Any]]) -> facts.Estate:
    keys = {name: key for name, (key, _words) in facts.PARTS["northflank"].items()}
    raw = {name: {keys[name]: items} for name, items in northflank.items()}
    return facts.estate_of({"northflank": raw, "cycle": None}, NOW, 3, ["redis"])


def addon(**more: Any) -> dict[str, Any]:
    return {
        "project_id": "shop",
        "id": "db",
        "name": "DB",
        "spec": {"type": "postgresql", "config": {"version_tag": "16"}},
        **more,
    }


def backup(day: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "project_id": "shop",
        "addon_id": "db",
        "id": f"b{day}",
        "status": status,
        "created_at": f"2026-{day}T03:00:00Z",
        **more,
    }


def test_an_addon_knows_its_backups() -> None:
    backups = [
        backup("10-31", "completed", completed_at="2026-10-31T03:10:00Z", config={"size": "2048"}),
        backup("11-01", "failed"),
        backup("11-02", "in-progress"),
    ]
    row = estate(projects=[{"id": "shop", "name": "Shop"}], addons=[addon()], backups=backups).tables["addons"][0]
    assert row["project"] == "Shop"
    assert row["last_backup_at"] == "2026-10-31T03:10:00Z"
    assert row["last_backup_size"] == 2048
    assert row["last_backup_status"] == "failed"
    assert row["backup_days"] == ["completed", "failed", "open"]
    assert row["needs_backups"] is True


@pytest.mark.parametrize("source", ["fileUpload", "externalDump"])
def test_an_import_is_no_backup(source: str) -> None:
    backups = [
        backup("10-01", "completed", config={"source": {"type": "snapshot"}}),
        backup("11-02", "completed", config={"source": {"type": source}}),
    ]
    tables = estate(addons=[addon()], backups=backups).tables
    assert tables["addons"][0]["last_backup_at"] == "2026-10-01T03:00:00Z"
    assert tables["addons"][0]["backup_days"] == ["none"] * 3
    assert [row["imported"] for row in tables["backups"]] == [False, True]


def test_containers_that_ended_are_told_apart() -> None:
    states = ("TASK_RUNNING", "TASK_FAILED", "TASK_KILLED", "TASK_FINISHED")
    containers = [{"project_id": "shop", "addon_id": "db", "name": state, "status": state} for state in states]
    row = estate(addons=[addon()], addon_containers=containers).tables["addons"][0]
    assert (row["containers"], row["containers_running"], row["containers_ended"]) == (4, 1, 2)


def test_instances_on_their_way_out_do_not_count() -> None:
    items = [
        {"id": name, "server_id": "s", "container_id": "c", "state": {"current": state}, "ready_state": ready}
        for name, state, ready in (
            ("a", "running", "active"),
            ("b", "stopped", "active"),
            ("c", "stopped", "purge"),
            ("d", "deleting", "active"),
        )
    ]
    cycle = {
        "servers": {"servers": [{"id": "s"}]},
        "containers": {"containers": [{"id": "c"}]},
        "instances": {"instances": items},
    }
    tables = facts.estate_of({"northflank": None, "cycle": cycle}, NOW, 3, []).tables
    for row in (*tables["servers"], *tables["containers"]):
        assert (row["instances"], row["instances_running"]) == (2, 1)
    assert len(tables["instances"]) == 4


@pytest.mark.parametrize(
    ("spec", "needs"),
    [
        ({"type": "postgresql", "config": {"version_tag": "16"}}, True),
        ({"type": "redis", "config": {"version_tag": "7"}}, False),
        ({"type": "bucket", "config": {"region": "eu"}}, False),
        ({"type": "custom", "config": {"template_values": "a: 1"}}, False),
    ],
)
def test_which_addons_need_backups(spec: dict[str, Any], needs: bool) -> None:
    assert estate(addons=[addon(spec=spec)]).tables["addons"][0]["needs_backups"] is needs


def test_the_version_of_an_addon_is_told_by_its_version_endpoint() -> None:
    version = {
        "project_id": "shop",
        "addon_id": "db",
        "version": "16.4",
        "lifecycle_status": "deprecated",
        "discontinued_by": "01.08.2027",
        "upgrade_to": [{"version": "17.0", "type": "major"}],
    }
    row = estate(addons=[addon()], versions=[version]).tables["addons"][0]
    assert (row["version"], row["lifecycle"], row["discontinued_by"], row["upgrade_to"]) == (
        "16.4",
        "deprecated",
        "2027-08-01T00:00:00Z",
        ["17.0"],
    )


def run(number: int, status: str, concluded: bool = True, template: str = "preview") -> dict[str, Any]:
    return {
        "template_id": template,
        "id": str(number),
        "name": template.title(),
        "status": status,
        "concluded": concluded,
        "created_at": f"2026-11-0{number} 03:00:00.000Z",
    }


def test_failures_in_a_row_are_those_since_the_last_success() -> None:
    runs = [
        run(1, "failure"),
        run(2, "success"),
        run(3, "failure"),
        run(4, "aborted"),
        run(5, "unknown"),
        run(6, "approval_wait", concluded=False),
    ]
    (row,) = estate(template_runs=runs).tables["templates"]
    assert (row["failures_in_a_row"], row["open"], row["last_status"]) == (2, 1, "approval_wait")


@pytest.mark.parametrize(
    ("status", "concluded", "outcome"),
    [
        ("success", True, "success"),
        ("failure", True, "failed"),
        ("unknown", True, "failed"),
        ("skipped", True, "other"),
        ("aborted", True, "other"),
        ("novel", True, "other"),
        ("running", False, "open"),
        ("approval_wait", False, "open"),
        ("novel", False, "open"),
        ("failure", None, "failed"),
    ],
)
def test_outcomes(status: str, concluded: bool | None, outcome: str) -> None:
    assert northflank.outcome_of({"status": status, "concluded": concluded}) == outcome


def test_the_innermost_failed_node_is_named() -> None:
    node = {
        "kind": "Workflow",
        "response": {"status": "failure"},
        "spec": {
            "steps": [
                {"kind": "Project", "ref": "p", "response": {"status": "success"}},
                {"kind": "Addon", "ref": "db", "response": {"status": "failure", "error": {"message": "taken"}}},
            ]
        },
    }
    assert northflank.failure_of({"spec": node}) == "Addon db: taken"
    assert northflank.failure_of({"spec": {"kind": "Workflow", "spec": {"steps": None}}}) is None


def snapshot(second: int, total: int, used: int) -> dict[str, Any]:
    return {
        "time": f"2026-11-02T07:{second // 60:02}:{second % 60:02}Z",
        "cpu": {"num_cores": 2, "usage": {"total": total}},
        "memory": {"usage": {"usage": used, "limit": 1000}},
    }


def test_telemetry_becomes_series_and_counts_restarts() -> None:
    snapshots = [
        snapshot(0, 10**9, 100),
        snapshot(10, 11 * 10**9, 200),
        snapshot(20, 10**9, 300),
        snapshot(30, 2 * 10**9, 900),
    ]
    found = cycle.usage_of({"snapshots": snapshots, "summary": {"cpu": 0.05, "memory_share": 0.9}})
    assert found["cpu_series"] == [0.5, None, 0.05]
    assert found["memory_series"] == [0.2, 0.3, 0.9]
    assert (found["restarts"], found["restarted_at"]) == (1, "2026-11-02T07:00:20Z")
    assert (found["cpu"], found["memory"]) == (0.05, 0.9)


def test_two_samples_of_one_moment_are_no_restart() -> None:
    assert cycle.usage_of({"snapshots": [snapshot(0, 1, 1), snapshot(0, 1, 1), snapshot(10, 2, 1)]})["restarts"] == 0


def test_series_are_bounded() -> None:
    found = cycle.usage_of({"snapshots": [snapshot(number, number, 1) for number in range(1000)]})
    assert len(found["cpu_series"]) == cycle.MAX_POINTS


def test_no_telemetry_says_nothing_about_restarts() -> None:
    assert cycle.usage_of({"snapshots": []})["restarts"] is None


def test_a_platform_that_was_not_read_is_told_apart() -> None:
    raw = {"northflank": {"projects": {"msg": "no way"}}, "cycle": None}
    found = facts.estate_of(raw, NOW, 3, [])
    assert found.platforms["northflank"]["state"] == "unread"
    assert found.platforms["cycle"]["state"] == "off"
    assert "addons" in found.unread
    partly = facts.estate_of(
        {"northflank": {"projects": {"projects": [{"id": "a"}]}, "templates": {"msg": "no"}}}, NOW, 3, []
    )
    assert partly.platforms["northflank"]["state"] == "partly"


FIELDS = [
    "id",
    "name",
    "project_id",
    "addon_id",
    "container_id",
    "server_id",
    "instance_id",
    "template_id",
    "status",
    "state",
    "spec",
    "config",
    "created_at",
    "updated_at",
    "completed_at",
    "restore_timestamp",
    "concluded",
    "meta",
    "events",
    "included",
    "environment",
    "evacuate",
    "summary",
    "snapshots",
    "upgrade_to",
    "discontinued_by",
    "results",
]
INNER = [
    "current",
    "changed",
    "error",
    "message",
    "health",
    "healthy",
    "node",
    "online",
    "config",
    "version_tag",
    "type",
    "size",
    "steps",
    "id",
    "time",
    "cpu",
    "memory_share",
    "created",
    "deploy",
    "instances",
    "location",
    "name",
]
odd_items = st.dictionaries(
    st.sampled_from(FIELDS),
    st.sampled_from(["a", "2026-11-02T07:00:00Z", True, 1])
    | json_values
    | st.dictionaries(st.sampled_from(INNER), json_values | st.dictionaries(st.sampled_from(INNER), json_values)),
)


@settings(max_examples=200 if NIGHTLY else 6)  # each makes a page
@given(
    st.dictionaries(
        st.sampled_from([*facts.PARTS["northflank"], *facts.PARTS["cycle"]]), st.lists(odd_items, max_size=3)
    )
)
def test_nothing_is_expected_to_be_there(parts: dict[str, list[Any]]) -> None:
    raw = {
        platform: {name: {key: parts.get(name, [])} for name, (key, _words) in known.items()}
        for platform, known in facts.PARTS.items()
    }
    folder = Path(__file__).resolve().parents[2] / "roles" / "estate_report" / "files"
    found = estate_report(raw, now="2026-11-02T08:00:00Z", folder=str(folder))
    assert found["files"]["html"].endswith("</html>\n")


def test_details_are_the_last_failed_run_of_each_template_and_running_containers() -> None:
    runs = [
        run(1, "failure"),
        run(2, "failure"),
        run(2, "success", template="dumps"),
        run(1, "failure", template="old"),
    ]
    runs[-1]["created_at"] = "2026-01-01T00:00:00Z"
    containers = [
        {"id": name, "state": {"current": state}}
        for name, state in (("a", "running"), ("b", "stopped"), ("c", "running"))
    ]
    raw = {
        "northflank": {"template_runs": {"template_runs": runs}},
        "cycle": {"containers": {"containers": containers}},
    }
    made = estate_report(raw, "2026-11-02T08:00:00Z", telemetry_containers=1, telemetry_hours=2)
    found = made["details"]
    assert [(one["template_id"], one["run_id"]) for one in found["runs"]] == [("preview", "2")]
    assert (found["container_ids"], made["report"]["telemetry_left_out"]) == (["a"], 1)
    assert (found["telemetry_start"], found["telemetry_end"]) == ("2026-11-02T06:00:00Z", "2026-11-02T08:00:00Z")


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_platform_that_is_not_wanted(nothing: Any) -> None:
    assert facts.estate_of({"northflank": nothing}, NOW, 3, []).platforms["northflank"]["state"] == "off"


def test_details_of_nothing() -> None:
    raw = {"northflank": {"template_runs": {"msg": "failed"}}}
    found = estate_report(raw, "2026-11-02T08:00:00Z")["details"]
    assert (found["runs"], found["container_ids"]) == ([], [])
