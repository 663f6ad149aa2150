# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule finds what it is for, at its threshold and not before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.quayside.paas.plugins.filter.estate_report import DOCUMENTATION, estate_report
from ansible_collections.quayside.paas.plugins.plugin_utils import _estate_findings as rules

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
LIMITS = rules.Limits(NOW, rules.THRESHOLDS)


def ago(**time: float) -> str:
    return (NOW - timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


def found(rule: rules.Rule, row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.severity, one.rule) for one in rule(row, LIMITS)]


def addon(**more: Any) -> dict[str, Any]:
    row = {
        "status": "running", "containers": 1, "containers_running": 1, "version": "16", "lifecycle": "active",
        "discontinued_by": None, "upgrade_to": [], "needs_backups": True, "backups": 3, "last_backup": "b",
        "last_backup_at": ago(hours=1), "last_backup_status": "completed", "last_backup_failed_at": None,
        "created_at": ago(days=99),
    }  # fmt: skip
    return {**row, **more}


def test_the_role_and_the_filter_have_the_same_thresholds() -> None:
    role = Path(__file__).resolve().parents[2] / "roles" / "estate_report"
    defaults, specs, variables = (
        yaml.safe_load((role / name).read_text(encoding="utf-8"))
        for name in ("defaults/main.yml", "meta/argument_specs.yml", "vars/main.yml")
    )
    options = yaml.safe_load(DOCUMENTATION)["options"]
    assert variables["__estate_report_thresholds"].keys() == rules.THRESHOLDS.keys()
    assert options["thresholds"]["suboptions"].keys() == rules.THRESHOLDS.keys()
    for name, default in rules.THRESHOLDS.items():
        variable = f"estate_report_{name}"
        assert variables["__estate_report_thresholds"][name] == f"{{{{ {variable} }}}}"
        told = (specs["argument_specs"]["main"]["options"][variable], options["thresholds"]["suboptions"][name])
        assert [one["default"] for one in told] == [default, default] == [defaults[variable]] * 2
        assert [one["type"] for one in told] == [type(default).__name__] * 2
    for name in ("run_details", "telemetry_containers", "telemetry_hours", "rows", "fail_on", "fail_unread", "title"):
        assert defaults[f"estate_report_{name}"] == options[name]["default"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (addon(), []),
        (addon(status="failed"), [("critical", "addon_state")]),
        (addon(status="errorAllocating"), [("critical", "addon_state")]),
        (addon(status="novel"), []),
        (addon(status="paused"), [("notice", "addon_state")]),
        (addon(containers_running=0), [("critical", "addon_state")]),
        (addon(containers=0, containers_running=0), []),
    ],
)
def test_addon_state(row: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(rules.addon_state, row) == expected


@pytest.mark.parametrize(
    ("row", "severity"),
    [
        (addon(), None),
        (addon(lifecycle="novel"), None),
        (addon(lifecycle="deprecated"), "warning"),
        (addon(lifecycle="deprecated", discontinued_by=ago(days=-91)), "notice"),
        (addon(lifecycle="deprecated", discontinued_by=ago(days=-89)), "warning"),
        (addon(lifecycle="discontinued"), "critical"),
        (addon(discontinued_by=ago(days=-91)), None),
        (addon(discontinued_by=ago(days=-90)), "warning"),
        (addon(discontinued_by=ago(days=1)), "critical"),
        (addon(lifecycle="discontinued", status="deleting"), None),
    ],
)
def test_addon_support(row: dict[str, Any], severity: str | None) -> None:
    assert found(rules.addon_support, row) == ([(severity, "addon_support")] if severity else [])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (addon(last_backup_at=ago(hours=26)), []),
        (addon(last_backup_at=ago(hours=26.1)), [("warning", "backup_age")]),
        (addon(last_backup_at=ago(hours=168.1)), [("critical", "backup_age")]),
        (addon(last_backup=None, last_backup_at=None), [("critical", "backup_missing")]),
        (addon(last_backup=None, last_backup_at=None, created_at=ago(hours=2)), []),
        (addon(last_backup=None, last_backup_at=None, needs_backups=False), []),
        (addon(last_backup=None, last_backup_at=None, status="paused"), []),
        (addon(last_backup=None, last_backup_at=None, status="allocating"), []),
        (addon(last_backup=None, last_backup_at=None, status="errorAllocating"), []),
        (addon(last_backup=None, last_backup_at=None, status="failed"), [("critical", "backup_missing")]),
        (
            addon(last_backup=None, last_backup_at=None, last_backup_status="not-supported"),
            [("warning", "backup_missing")],
        ),
        (addon(last_backup_at=None), []),
        (addon(last_backup_status="failed", last_backup_failed_at=ago(hours=1)), [("warning", "backup_failed")]),
        (addon(last_backup_status="failed", last_backup_failed_at=ago(days=15)), []),
    ],
)
def test_addon_backups(row: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(rules.addon_backups, row) == expected


def container(status: str, made: float, changed: float | None, addon_made: float = 999) -> dict[str, Any]:
    """Ages in hours."""
    return {"status": status, "created_at": ago(hours=made), "updated_at": changed and ago(hours=changed),
            "addon_created_at": ago(hours=addon_made)}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (container("TASK_RUNNING", 500, 499.9), []),
        (container("TASK_RUNNING", 500, 3), [("warning", "container_restart")]),
        (container("TASK_RUNNING", 500, 25), []),
        (container("TASK_RUNNING", 3, 3), [("warning", "container_restart")]),
        (container("TASK_RUNNING", 3, 3, addon_made=3), []),
        (container("TASK_FAILED", 500, 3), [("critical", "container_failed")]),
        (container("TASK_FAILED", 500, 400), [("notice", "container_failed")]),
        (container("TASK_FAILED", 500, None), [("critical", "container_failed")]),
        (container("TASK_KILLING", 500, 7), [("warning", "container_stuck")]),
        (container("TASK_KILLING", 500, 1), []),
        (container("TASK_KILLED", 500, 1), []),
        (container("TASK_NOVEL", 500, 1), []),
    ],
)
def test_containers_of_addons(row: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(rules.container_state, row) == expected


def test_a_failed_restore_is_less_bad_when_a_later_one_was_completed() -> None:
    rows = [
        {
            "project_id": "p",
            "addon_id": "a",
            "backup_id": "b",
            "status": "failed",
            "created_at": ago(hours=5),
            "completed_at": None,
        },
        {
            "project_id": "p",
            "addon_id": "a",
            "backup_id": "b",
            "status": "completed",
            "created_at": ago(hours=4),
            "completed_at": None,
        },
        {
            "project_id": "p",
            "addon_id": "other",
            "backup_id": "b",
            "status": "failed",
            "created_at": ago(hours=5),
            "completed_at": None,
        },
    ]
    rules.mark_recovered(rows)
    assert [found(rules.restore_failed, row) for row in rows] == [
        [("notice", "restore_failed")], [], [("critical", "restore_failed")],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("failures", "since", "severity"),
    [(0, None, None), (1, ago(hours=1), "warning"), (3, ago(hours=1), "critical"), (3, ago(days=20), None)],
)
def test_failing_templates(failures: int, since: str | None, severity: str | None) -> None:
    row = {"failures_in_a_row": failures, "last_failure_at": since, "last_failure": None}
    assert found(rules.template_failing, row) == ([(severity, "template_failing")] if severity else [])


@pytest.mark.parametrize(
    ("status", "hours", "expected"),
    [
        ("running", 1, []),
        ("running", 7, [("warning", "stuck")]),
        ("approval_wait", 100, [("notice", "run_waits")]),
    ],
)
def test_open_runs(status: str, hours: float, expected: list[tuple[str, str]]) -> None:
    row = {"outcome": "open", "status": status, "started_at": None, "created_at": ago(hours=hours)}
    assert found(rules.run_open, row) == expected


@pytest.mark.parametrize(
    ("status", "hours", "count"), [("in-progress", 7, 1), ("in-progress", 5, 0), ("completed", 99, 0)]
)
def test_backups_and_restores_that_do_not_end(status: str, hours: float, count: int) -> None:
    assert len(found(rules.open_too_long, {"status": status, "created_at": ago(hours=hours)})) == count


def server(**more: Any) -> dict[str, Any]:
    row = {"state": "live", "error": None, "changed_at": None, "online": True, "healthy": True, "checked_in_at": None,
           "evacuating_since": None, "instances": 2}  # fmt: skip
    return {**row, **more}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (server(), []),
        (server(online=None, healthy=None), []),
        (server(state="quarantined"), [("critical", "server_state")]),
        (server(state="provisioning"), [("notice", "server_state")]),
        (server(online=False, healthy=False), [("critical", "server_offline")]),
        (server(healthy=False), [("warning", "server_unwell")]),
        (server(evacuating_since=ago(hours=1)), [("notice", "server_evacuates")]),
    ],
)
def test_servers(row: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(rules.server_state, row) == expected


def instance(**more: Any) -> dict[str, Any]:
    row = {"state": "running", "error": None, "changed_at": ago(days=9), "created_at": ago(days=9), "healthy": True,
           "container_state": "running", "ready_state": "active", "server_online": True, "restarts": 0,
           "restarted_at": None, "memory": 0.5}  # fmt: skip
    return {**row, **more}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (instance(), []),
        (instance(state="failed"), ["instance_failed"]),
        (instance(healthy=False), ["instance_unhealthy"]),
        (instance(healthy=None), []),
        (instance(state="migrating", changed_at=ago(hours=7)), ["stuck"]),
        (instance(state="migrating", changed_at=ago(hours=5)), []),
        (instance(state="stopped"), ["instance_stopped"]),
        (instance(state="stopped", ready_state="purge"), []),
        (instance(state="stopped", container_state="stopped"), []),
        (instance(server_online=False), ["instance_unsure"]),
        (instance(changed_at=ago(hours=2)), ["instance_restart"]),
        (instance(changed_at=ago(hours=30)), []),
        (instance(restarts=2, restarted_at=ago(hours=1)), ["instance_restart"]),
        (instance(memory=0.9), ["instance_memory"]),
        (instance(memory=0.89), []),
        (instance(memory=None), []),
    ],
)
def test_instances(row: dict[str, Any], expected: list[str]) -> None:
    assert [one for rule in rules.AREAS["instances"].rules for _severity, one in found(rule, row)] == expected


def hub_container(**more: Any) -> dict[str, Any]:
    row = {
        "state": "running",
        "desired": "running",
        "error": None,
        "changed_at": ago(days=1),
        "instances": 2,
        "instances_running": 1,
    }
    return {**row, **more}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (hub_container(), []),
        (hub_container(error="image not found"), ["container_error"]),
        (hub_container(instances_running=0), ["container_down"]),
        (hub_container(instances=0, instances_running=0), []),
        (hub_container(desired="stopped"), ["stuck"]),
        (hub_container(state="deleted", desired="running"), []),
    ],
)
def test_containers_of_a_hub(row: dict[str, Any], expected: list[str]) -> None:
    assert [rule for _severity, rule in found(rules.hub_container_state, row)] == expected


RAW: dict[str, Any] = {
    "northflank": {
        "projects": {"projects": [{"id": "p", "name": "P"}], "request_count": 1},
        "addons": {
            "results": [
                {
                    "addons": [
                        {
                            "project_id": "p",
                            "id": "broken",
                            "name": "Broken",
                            "status": "failed",
                            "spec": {"type": "redis", "config": {}},
                        },
                        {
                            "project_id": "p",
                            "id": "fine",
                            "name": "Fine",
                            "status": "running",
                            "spec": {"type": "redis", "config": {}},
                        },
                    ]
                }
            ]
        },
        "template_runs": {
            "template_runs": [
                {"template_id": "t", "id": "1", "status": "failure", "concluded": True, "created_at": ago(hours=1)},
                {"template_id": "t", "id": "2", "status": "success", "concluded": True, "created_at": ago(hours=30)},
            ]
        },
    },
    "cycle": {"containers": {"msg": "The key is not known."}},
}


def test_a_report() -> None:
    report = estate_report(RAW, now="2026-11-02T08:00:00Z", thresholds={"days": 3})["report"]
    assert report["counts"] == {"critical": 2, "warning": 1, "notice": 0}
    assert [(one["severity"], one["subject"]) for one in report["findings"]] == [
        ("critical", "Cycle"), ("critical", "Broken"), ("warning", "t"),
    ]  # fmt: skip
    assert "The key is not known." in report["findings"][0]["text"]
    assert report["platforms"]["cycle"]["state"] == "unread"
    assert [row["severity"] for row in report["tables"]["addons"]] == ["critical", "ok"]
    assert report["findings"][1]["row"] == report["tables"]["addons"][0]["row"]
    assert report["series"]["days"] == ["2026-10-31", "2026-11-01", "2026-11-02"]
    assert [day["failed"] for day in report["series"]["template_runs"]] == [0, 0, 1]
    lately = {one["name"]: (one["last"], one["before"]) for one in report["lately"]}
    assert lately["Template runs failed"] == (1, 0)
    assert lately["Template runs succeeded"] == (0, 1)


def test_what_is_broken_comes_before_what_is_at_risk() -> None:
    spec = {"type": "postgresql", "config": {"version_tag": "16"}}
    addons = [
        {"project_id": "p", "id": name, "status": status, "created_at": ago(days=days), "spec": spec}
        for name, status, days in (("bare", "running", 3), ("broken", "failed", 9))
    ]
    raw = {"northflank": {"addons": {"addons": addons}}, "cycle": None}
    report = estate_report(raw, now="2026-11-02T08:00:00Z")["report"]
    assert [(one["subject"], one["rule"]) for one in report["findings"]] == [
        ("broken", "addon_state"), ("bare", "backup_missing"), ("broken", "backup_missing"),
    ]  # fmt: skip


@pytest.mark.parametrize("exempt", [["redis", "p/a"], "redis,p/a", "redis, p/a"])
def test_what_needs_no_backups_may_be_a_text(exempt: Any) -> None:
    report = estate_report(RAW, now="2026-11-02T08:00:00Z", backup_exempt=exempt)["report"]
    assert report["thresholds"]["backup_exempt"] == ["redis", "p/a"]


def test_the_same_estate_and_moment_give_the_same_report() -> None:
    assert estate_report(RAW, now="2026-11-02T08:00:00Z") == estate_report(RAW, now="2026-11-02T08:00:00+00:00")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"now": "soon"}, "now is not a time"),
        ({"now": "2026-11-02", "thresholds": {"days": 0}}, "days must be"),
        ({"now": "2026-11-02", "thresholds": {"days": 91}}, "days must be"),
        ({"now": "2026-11-02", "thresholds": {"memory_max": "much"}}, "could not convert"),
        ({"now": "2026-11-02", "thresholds": {"memory": 9}}, "thresholds has the unknown memory"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        estate_report(RAW, **options)


@pytest.mark.parametrize(
    ("options", "reasons"),
    [
        ({}, ["Not read, or not in full: cycle."]),
        ({"fail_unread": False}, []),
        ({"fail_unread": False, "fail_on": "critical"}, ["There are 2 findings of severity critical."]),
        (
            {"fail_unread": False, "fail_on": "warning"},
            ["There are 2 findings of severity critical.", "There is 1 finding of severity warning."],
        ),
    ],
)
def test_reasons_to_fail(options: dict[str, Any], reasons: list[str]) -> None:
    assert estate_report(RAW, now="2026-11-02T08:00:00Z", **options)["reasons"] == reasons
