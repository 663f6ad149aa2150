# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What needs attention in an estate: a rule is a function from a row of a table to its findings.

Severities: critical, act now; warning, look today; notice, good to know.
"""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from ..module_utils._cycle import states as cycle
from ..module_utils._northflank import states as northflank
from ._estate_values import DAY, HOUR, Row, age

SEVERITIES = ("critical", "warning", "notice")

# The thresholds, and what they are unless the report is asked for others.
THRESHOLDS: Mapping[str, float] = {
    # Hours after which the last backup of an addon is a warning, and critical.
    "backup_max_age": 26.0,
    "backup_critical_age": 168.0,
    # Days before the end of support of a version.
    "support_notice": 90.0,
    # Hours for which a restart is a warning.
    "restart_window": 24.0,
    # Hours that something may be in progress.
    "stuck_after": 6.0,
    # Percent of its memory that an instance may use.
    "memory_max": 90.0,
    # Failed runs of a template in a row that are critical.
    "failures_in_a_row": 3,
    # Days that the charts go back, and for which failures count.
    "days": 14,
}

AT_RISK = {"addon_support", "backup_age", "backup_failed", "backup_missing"}  # rules about what still works
SETTLING = 600.0  # seconds after its creation that a container may still change without having been restarted


@dataclasses.dataclass(frozen=True)
class Limits:
    """The thresholds of a report, and its moment, which ages are measured at."""

    now: datetime
    thresholds: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        return self.thresholds[name]

    def age(self, moment: str | None) -> float | None:
        """Get the seconds since a time stamp, None without one."""
        return age(moment, self.now)

    def within(self, moment: str | None, hours: float) -> bool:
        """Check whether a time stamp is known and not older than so many hours."""
        seconds = self.age(moment)
        return seconds is not None and seconds <= hours * HOUR

    def older(self, moment: str | None, hours: float) -> bool:
        """Check whether a time stamp is known and older than so many hours."""
        seconds = self.age(moment)
        return seconds is not None and seconds > hours * HOUR

    def counts(self, moment: str | None) -> bool:
        """Check whether a failure still counts; one of unknown time does."""
        return moment is None or self.within(moment, self["days"] * 24)


class Finding(t.NamedTuple):
    """What a rule found."""

    severity: str
    # The name of the rule, which can be shared by rules of several tables.
    rule: str
    # A sentence without the name of the thing.
    text: str
    # When it began, if that is known.
    since: str | None


Found = Iterator[Finding]
Rule = Callable[[Row, Limits], Found]


# Northflank


def addon_state(row: Row, limits: Limits) -> Found:
    """Find addons that are broken or paused, or are running without a running container."""
    status, count = row["status"], row["containers"]
    if status in northflank.ADDON_FAILED_STATES:
        yield Finding("critical", "addon_state", f"Its state is {status}.", None)
    elif status == northflank.ADDON_PAUSED_STATE:
        yield Finding("notice", "addon_state", "Paused: no backups are made of it.", None)
    elif status == northflank.ADDON_RUNNING_STATE and count and not row["containers_running"]:
        yield Finding("critical", "addon_state", f"Reported as running, but {none_of(count, 'container')}.", None)


def addon_support(row: Row, limits: Limits) -> Found:
    """Find versions at or near the end of their support."""
    if row["status"] in northflank.ADDON_DELETED_STATES:
        return
    version, until = row["version"] or "unknown", row["discontinued_by"]
    upgrades = row["upgrade_to"]
    upgrade = f" Upgrade to {upgrades[-1]}." if upgrades else ""
    left = None if until is None else (datetime.fromisoformat(until) - limits.now).total_seconds()
    has_ended = left is not None and left <= 0
    if row["lifecycle"] == "discontinued" or has_ended:
        ended = f"has been out of support since {until[:10]}" if has_ended else "is out of support"
        yield Finding("critical", "addon_support", f"Version {version} {ended}.{upgrade}", until)
    elif left is not None and left <= limits["support_notice"] * DAY:
        text = f"Support of version {version} ends on {until[:10]}, in {span(left)}.{upgrade}"
        yield Finding("warning", "addon_support", text, None)
    elif row["lifecycle"] == "deprecated":
        ends = f"; its support ends on {until[:10]}" if until else ""
        # A known end is a warning when it is near, which it is not.
        severity = "notice" if until else "warning"
        yield Finding(severity, "addon_support", f"Version {version} is deprecated{ends}.{upgrade}", None)


def addon_backups(row: Row, limits: Limits) -> Found:
    """Find backups that are missing, older than allowed, or failed last."""
    if not row["needs_backups"] or row["status"] in northflank.ADDON_NO_BACKUP_STATES:
        return
    last = row["last_backup_at"]
    if row["last_backup"] is None:
        if not limits.within(row["created_at"], limits["backup_max_age"]):
            supported = row["last_backup_status"] != "not-supported"
            some = "It has no completed backup" if row["backups"] else "It has no backup"
            text = f"{some}." if supported else f"{some}: the platform did not support the last one."
            yield Finding("critical" if supported else "warning", "backup_missing", text, row["created_at"])
    elif limits.older(last, limits["backup_max_age"]):
        is_critical = limits.older(last, limits["backup_critical_age"])
        allowed = limits["backup_critical_age" if is_critical else "backup_max_age"]
        text = f"The last backup is {span(limits.age(last))} old; {number(allowed)} h are allowed."
        yield Finding("critical" if is_critical else "warning", "backup_age", text, last)
    failed = row["last_backup_failed_at"]
    if row["last_backup_status"] == "failed" and limits.counts(failed):
        yield Finding("warning", "backup_failed", "The latest backup failed.", failed)


def container_state(row: Row, limits: Limits) -> Found:
    """Find containers of addons that failed, are stuck, or were probably restarted or replaced.

    The platform counts no restarts. It reports when a container was created and when it last changed.
    """
    status, changed = row["status"], row["updated_at"]
    if status in northflank.CONTAINER_FAILED_STATES:
        text = f"Failed {span(limits.age(changed))} ago." if changed else "Failed."
        yield Finding("critical" if limits.counts(changed) else "notice", "container_failed", text, changed)
    elif status in northflank.CONTAINER_IN_PROGRESS_STATES and limits.older(changed, limits["stuck_after"]):
        text = f"Has been in {status} for {span(limits.age(changed))}."
        yield Finding("warning", "container_stuck", text, changed)
    if status in (northflank.CONTAINER_RUNNING_STATE, *northflank.CONTAINER_STARTING_STATES):
        yield from container_restart(row, limits)


def container_restart(row: Row, limits: Limits) -> Found:
    """Find a container that changed long after its creation, or is new while its addon is not."""
    created, changed = row["created_at"], row["updated_at"]
    window = limits["restart_window"]
    if created is None or not limits.within(changed or created, window):
        return
    lived = (limits.age(created) or 0.0) - (limits.age(changed or created) or 0.0)
    if lived > SETTLING:
        text = f"Changed {span(limits.age(changed))} ago, {span(lived)} after its creation: probably restarted."
        yield Finding("warning", "container_restart", text, changed)
    elif limits.within(created, window) and limits.older(row["addon_created_at"], window):
        text = f"Created {span(limits.age(created))} ago, its addon is older: replaced or added."
        yield Finding("warning", "container_restart", text, created)


def open_too_long(row: Row, limits: Limits) -> Found:
    """Find backups and restores that do not finish."""
    status, since = row["status"], row["created_at"]
    if status in northflank.BACKUP_IN_PROGRESS_STATES and limits.older(since, limits["stuck_after"]):
        yield Finding("warning", "stuck", f"Has been in the state {status} for {span(limits.age(since))}.", since)


def restore_failed(row: Row, limits: Limits) -> Found:
    """Find failed restores; they are less severe if a later one of the same addon was completed."""
    ended = row["completed_at"] or row["created_at"]
    if row["status"] != "failed" or not limits.counts(ended):
        return
    text = f"The restore of {row['backup_id']} failed"
    if row.get("completed_later"):
        yield Finding("notice", "restore_failed", f"{text}; a later one was completed.", ended)
    else:
        yield Finding("critical", "restore_failed", f"{text}, and none has been completed since.", ended)


def template_failing(row: Row, limits: Limits) -> Found:
    """Find templates whose last runs failed."""
    failures, since = row["failures_in_a_row"], row["last_failure_at"]
    if not failures or not limits.counts(since):
        return
    severity = "critical" if failures >= limits["failures_in_a_row"] else "warning"
    count = "Its last run failed" if failures == 1 else f"Its last {failures} runs failed"
    why = f" at {row['last_failure']}" if row["last_failure"] else ""
    yield Finding(severity, "template_failing", f"{count}{why}.", since)


def run_open(row: Row, limits: Limits) -> Found:
    """Find runs that wait for a person, and those in progress for too long."""
    if row["outcome"] != "open":
        return
    since = row["started_at"] or row["created_at"]
    duration = span(limits.age(since))
    if row["status"] == northflank.RUN_APPROVAL_STATE:
        yield Finding("notice", "run_waits", f"Has been waiting for approval for {duration}.", since)
    elif limits.older(since, limits["stuck_after"]):
        yield Finding("warning", "stuck", f"Has been in the state {row['status']} for {duration}.", since)


# Cycle


def server_state(row: Row, limits: Limits) -> Found:
    """Find servers that are not live, whose node is offline or unhealthy, or that are being evacuated."""
    state, count = row["state"], row["instances"]
    if state is not None and state != cycle.SERVER_READY_STATE:
        is_change = state in (*cycle.SERVER_IN_PROGRESS_STATES, *cycle.DELETED_STATES)
        error = f": {row['error']}" if row["error"] else ""
        severity = "notice" if is_change else "critical"
        yield Finding(severity, "server_state", f"Its state is {state}{error}.", row["changed_at"])
    if row["online"] is False:
        seen = row["checked_in_at"]
        last = f", last seen {span(limits.age(seen))} ago" if seen else ""
        text = f"Its node is offline{last}. It has {count} instance{'' if count == 1 else 's'}."
        yield Finding("critical", "server_offline", text, seen)
    elif row["healthy"] is False:
        yield Finding("warning", "server_unwell", "Its node is unhealthy.", None)
    if row["evacuating_since"]:
        duration = span(limits.age(row["evacuating_since"]))
        text = f"Has been evacuating for {duration}; {count} instance{' is' if count == 1 else 's are'} left."
        yield Finding("notice", "server_evacuates", text, row["evacuating_since"])


def hub_container_state(row: Row, limits: Limits) -> Found:
    """Find containers with an error, not in their desired state, or running without a running instance."""
    state, desired, changed = row["state"], row["desired"], row["changed_at"]
    if state in cycle.GONE_STATES:
        return
    if row["error"]:
        yield Finding("critical", "container_error", f"{row['error']}.", changed)
    if state == "running" and row["instances"] and not row["instances_running"]:
        text = f"Reported as running, but {none_of(row['instances'], 'instance')}."
        yield Finding("critical", "container_down", text, changed)
    if desired and state != desired and limits.older(changed, limits["stuck_after"]):
        text = f"Has been {state} for {span(limits.age(changed))}; its desired state is {desired}."
        yield Finding("warning", "stuck", text, changed)


def instance_state(row: Row, limits: Limits) -> Found:
    """Find instances that failed, are unhealthy or stuck, or are stopped while their container is running."""
    state, changed = row["state"], row["changed_at"]
    duration = span(limits.age(changed))
    if state in cycle.INSTANCE_FAILED_STATES:
        error = f": {row['error']}" if row["error"] else ""
        yield Finding("critical", "instance_failed", f"Failed{error}.", changed)
    elif state == "running" and row["healthy"] is False:
        yield Finding("critical", "instance_unhealthy", "Running, but its health check fails.", None)
    elif state in cycle.INSTANCE_IN_PROGRESS_STATES and limits.older(changed, limits["stuck_after"]):
        yield Finding("warning", "stuck", f"Has been {state} for {duration}.", changed)
    elif state == "stopped" and row["container_state"] == "running" and row["ready_state"] == cycle.READY_ACTIVE:
        text = f"Has been stopped for {duration}, while its container is running."
        yield Finding("warning", "instance_stopped", text, changed)
    if state == "running" and row["server_online"] is False:
        text = "Reported as running, but the node of its server is offline."
        yield Finding("notice", "instance_unsure", text, None)


def instance_restart(row: Row, limits: Limits) -> Found:
    """Find instances that were restarted.

    The platform counts no restarts: the counters of telemetry start again, and the state has a time of change.
    """
    if row["state"] != "running":
        return
    if row["restarts"]:
        times = "once" if row["restarts"] == 1 else f"{row['restarts']} times"
        text = f"Restarted {times} by its telemetry, last {span(limits.age(row['restarted_at']))} ago."
        yield Finding("warning", "instance_restart", text, row["restarted_at"])
        return
    created, changed = limits.age(row["created_at"]), limits.age(row["changed_at"])
    lived = 0.0 if created is None or changed is None else created - changed
    if lived > SETTLING and limits.within(row["changed_at"], limits["restart_window"]):
        text = f"Has been running for {span(changed)}, but was created {span(created)} ago: restarted."
        yield Finding("warning", "instance_restart", text, row["changed_at"])


def instance_memory(row: Row, limits: Limits) -> Found:
    """Find instances that have nearly used up their memory."""
    if row["state"] == "running" and row["memory"] is not None and row["memory"] * 100 >= limits["memory_max"]:
        yield Finding("warning", "instance_memory", f"Uses {row['memory']:.0%} of its memory.", None)


# How the texts are written


def span(seconds: float | None) -> str:
    """Write a length of time in its largest unit."""
    if seconds is None:
        return "an unknown time"
    for unit, size in (("d", DAY), ("h", HOUR), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def number(value: float) -> str:
    """Write a threshold without needless decimals."""
    return f"{value:g}"


def none_of(count: int, noun: str) -> str:
    """Write that none of so many children is running."""
    return f"its only {noun} is not" if count == 1 else f"none of its {count} {noun}s is"


# Which rules apply to which table


class Area(t.NamedTuple):
    """A table, its rules, and what its findings show."""

    title: str
    platform: str
    # The column with the name, and those that say where it is.
    subject: str
    where: tuple[str, ...]
    rules: tuple[Rule, ...]


AREAS: Mapping[str, Area] = {
    "addons": Area("Addons", "northflank", "name", ("project",), (addon_state, addon_support, addon_backups)),
    "addon_containers": Area(
        "Addon containers", "northflank", "name", ("project", "addon"), (container_state,)
    ),
    "backups": Area("Backups", "northflank", "name", ("project", "addon"), (open_too_long,)),
    "restores": Area("Restores", "northflank", "addon", ("project",), (restore_failed, open_too_long)),
    "templates": Area("Templates", "northflank", "name", (), (template_failing,)),
    "template_runs": Area("Template runs", "northflank", "template", (), (run_open,)),
    "servers": Area("Servers", "cycle", "name", ("location",), (server_state,)),
    "containers": Area("Containers", "cycle", "name", ("environment",), (hub_container_state,)),
    "instances": Area(
        "Instances",
        "cycle",
        "name",
        ("environment", "container", "server"),
        (instance_state, instance_restart, instance_memory),
    ),
}  # fmt: skip


def mark_recovered(restores: list[Row]) -> None:
    """Mark each restore after which one of the same addon was completed."""
    newest: dict[tuple[t.Any, t.Any], str] = {}
    for row in restores:
        if row["status"] in northflank.BACKUP_SUCCESS_STATES:
            key = (row["project_id"], row["addon_id"])
            newest[key] = max(newest.get(key, ""), row["created_at"] or "")
    for row in restores:
        row["completed_later"] = newest.get((row["project_id"], row["addon_id"]), "") > (row["created_at"] or "")


def findings_of(tables: Mapping[str, list[Row]], limits: Limits) -> list[Row]:
    """Apply all rules: the worst first, then what is broken before what is at risk, then the latest first.

    Each row gets ``row``, a unique name, its worst ``severity`` (ok for none) and its ``findings`` (texts).
    """
    mark_recovered(tables.get("restores", []))
    found: list[Row] = []
    for table, area in AREAS.items():
        for place, row in enumerate(tables.get(table, []), 1):
            of_row = [finding for rule in area.rules for finding in rule(row, limits)]
            row["row"] = f"{table.replace('_', '-')}-{place}"
            row["severity"] = min((one.severity for one in of_row), key=SEVERITIES.index, default="ok")
            row["findings"] = [one.text for one in of_row]
            found += [
                {
                    "severity": one.severity,
                    "rule": one.rule,
                    "platform": area.platform,
                    "table": table,
                    "row": row["row"],
                    "subject": row[area.subject],
                    "where": [row[name] for name in area.where if row[name]],
                    "text": one.text,
                    "since": one.since,
                }
                for one in of_row
            ]
    found.sort(key=lambda one: one["since"] or "", reverse=True)
    found.sort(key=lambda one: (SEVERITIES.index(one["severity"]), one["rule"] in AT_RISK))
    return found
