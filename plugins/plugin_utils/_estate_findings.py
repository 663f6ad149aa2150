# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What in an estate asks for attention: a rule is a function from a row to what it finds there.

Severities: critical, somebody should act now; warning, somebody should look today; notice, good to know.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from ansible_collections.quayside.paas.plugins.plugin_utils._estate_facts import GONE, Row, age

SEVERITIES = ("critical", "warning", "notice")

HOUR = 3600.0
DAY = 24 * HOUR

ADDON_BROKEN = {"failed", "error", "errorAllocating"}
ADDON_BEGINS = {"preDeployment", "triggerAllocation", "allocating", "postDeployment", "resetting"}
NO_DATA = ADDON_BEGINS | GONE | {"errorAllocating", "paused"}  # states in which no backups are made
AT_RISK = {"addon_support", "backup_age", "backup_failed", "backup_missing"}  # rules about what still works
SETTLING = 600.0  # seconds after which a container that was made is expected not to change any more
SERVER_CHANGES = {"new", "provisioning", "configuring", *GONE}
INSTANCE_CHANGES = {"new", "starting", "migrating", "stopping", "deleting"}


class Limits(t.NamedTuple):
    """Thresholds. now: the moment of the report; backup ages, restart_window, stuck_after: hours; support_notice: days;
    memory_max: percent; failures_in_a_row: runs of a template; days: how far back failures count.
    """

    now: datetime
    backup_max_age: float
    backup_critical_age: float
    support_notice: float
    restart_window: float
    stuck_after: float
    memory_max: float
    failures_in_a_row: int
    days: int

    def age(self, moment: str | None) -> float | None:
        """Seconds since a time stamp, None without one."""
        return age(moment, self.now)

    def within(self, moment: str | None, hours: float) -> bool:
        """Whether a time stamp is known and not older than so many hours."""
        seconds = self.age(moment)
        return seconds is not None and seconds <= hours * HOUR

    def older(self, moment: str | None, hours: float) -> bool:
        """Whether a time stamp is known and older than so many hours."""
        seconds = self.age(moment)
        return seconds is not None and seconds > hours * HOUR


class Finding(t.NamedTuple):
    """severity; rule: which one found it; text: a sentence without the name of the thing; since: when it began."""

    severity: str
    rule: str
    text: str
    since: str | None


Found = Iterator[Finding]
Rule = Callable[[Row, Limits], Found]


def span(seconds: float | None) -> str:
    """A length of time as people say it, in its greatest unit."""
    if seconds is None:
        return "an unknown time"
    for size, unit in ((2 * DAY, "d"), (2 * HOUR, "h"), (120.0, "min")):
        if seconds >= size:
            return f"{int(seconds // {'d': DAY, 'h': HOUR, 'min': 60.0}[unit])} {unit}"
    return f"{int(seconds)} s"


def number(value: float) -> str:
    """A threshold without needless decimals."""
    return f"{value:g}"


# Northflank


def addon_state(row: Row, limits: Limits) -> Found:
    """Broken and paused addons, and running ones of which nothing runs."""
    status = row["status"]
    if status in ADDON_BROKEN:
        yield Finding("critical", "addon_state", f"Its state is {status}.", None)
    elif status == "paused":
        yield Finding("notice", "addon_state", "Paused: no backups are made of it.", None)
    elif status == "running" and row["containers"] and not row["containers_running"]:
        count = row["containers"]
        yield Finding("critical", "addon_state", f"Said to run, but none of its containers does ({count} known).", None)


def addon_support(row: Row, limits: Limits) -> Found:
    """Versions at or near the end of their support."""
    if row["status"] in GONE:
        return
    version, until = row["version"] or "unknown", row["discontinued_by"]
    upgrades = row["upgrade_to"]
    upgrade = f" Upgrade to {upgrades[-1]}." if upgrades else ""
    left = None if until is None else (datetime.fromisoformat(until) - limits.now).total_seconds()
    if row["lifecycle"] == "discontinued" or (left is not None and left <= 0):
        ended = f" since {until[:10]}" if until is not None and left is not None and left <= 0 else ""
        yield Finding("critical", "addon_support", f"Version {version} is out of support{ended}.{upgrade}", until)
    elif left is not None and left <= limits.support_notice * DAY:
        days = span(left)
        yield Finding(
            "warning", "addon_support", f"Support of version {version} ends on {until[:10]}, in {days}.{upgrade}", None
        )
    elif row["lifecycle"] == "deprecated":
        ends = f"; its support ends on {until[:10]}" if until else ""
        # An end that is known is a warning when it is near, which it is not.
        severity = "notice" if until else "warning"
        yield Finding(severity, "addon_support", f"Version {version} is deprecated{ends}.{upgrade}", None)


def addon_backups(row: Row, limits: Limits) -> Found:
    """Backups that are missing, older than allowed, or failed last."""
    if not row["needs_backups"] or row["status"] in NO_DATA:
        return
    last = row["last_backup_at"]
    if row["last_backup"] is None:
        if not limits.within(row["created_at"], limits.backup_max_age):
            supported = row["last_backup_status"] != "not-supported"
            some = "It has no completed backup" if row["backups"] else "It has no backup"
            text = f"{some}." if supported else f"{some}: the last one tried was not supported."
            yield Finding("critical" if supported else "warning", "backup_missing", text, row["created_at"])
    elif limits.older(last, limits.backup_max_age):
        severity = "critical" if limits.older(last, limits.backup_critical_age) else "warning"
        allowed = limits.backup_max_age if severity == "warning" else limits.backup_critical_age
        old = span(limits.age(last))
        yield Finding(severity, "backup_age", f"Last backup is {old} old; {number(allowed)} h are allowed.", last)
    failed = row["last_backup_failed_at"]
    if row["last_backup_status"] == "failed" and (failed is None or limits.within(failed, limits.days * 24)):
        yield Finding("warning", "backup_failed", "The backup tried last has failed.", failed)


def container_state(row: Row, limits: Limits) -> Found:
    """Containers of addons that failed, hang, or seem to have been restarted or replaced.

    The platform counts no restarts. It tells when a container was made and when it last changed.
    """
    status, changed = row["status"], row["updated_at"]
    if status == "TASK_FAILED":
        recent = changed is None or limits.within(changed, limits.days * 24)
        text = f"Failed {span(limits.age(changed))} ago." if changed else "Failed."
        yield Finding("critical" if recent else "notice", "container_failed", text, changed)
    elif status in ("TASK_STARTING", "TASK_STAGING", "TASK_KILLING") and limits.older(changed, limits.stuck_after):
        yield Finding("warning", "container_stuck", f"In {status} for {span(limits.age(changed))}.", changed)
    if status in ("TASK_RUNNING", "TASK_STARTING", "TASK_STAGING"):
        yield from container_restart(row, limits)


def container_restart(row: Row, limits: Limits) -> Found:
    """A container that changed long after it was made, or is new though its addon is not."""
    made, changed = row["created_at"], row["updated_at"]
    if made is None or not limits.within(changed or made, limits.restart_window):
        return
    lived = (limits.age(made) or 0.0) - (limits.age(changed or made) or 0.0)
    if lived > SETTLING:
        text = f"Changed {span(limits.age(changed))} ago, {span(lived)} after it was made: probably restarted."
        yield Finding("warning", "container_restart", text, changed)
    elif limits.within(made, limits.restart_window) and limits.older(row["addon_created_at"], limits.restart_window):
        text = f"Made {span(limits.age(made))} ago, its addon is older: replaced or added."
        yield Finding("warning", "container_restart", text, made)


def open_too_long(row: Row, limits: Limits) -> Found:
    """Backups and restores that do not come to an end."""
    if row["status"] in ("scheduled", "in-progress", "aborting") and limits.older(
        row["created_at"], limits.stuck_after
    ):
        text = f"In state {row['status']} for {span(limits.age(row['created_at']))}."
        yield Finding("warning", "stuck", text, row["created_at"])


def restore_failed(row: Row, limits: Limits) -> Found:
    """Failed restores; less bad when a later one of the same addon was completed."""
    ended = row["completed_at"] or row["created_at"]
    if row["status"] != "failed" or (ended is not None and not limits.within(ended, limits.days * 24)):
        return
    later = row.get("completed_later")
    text = f"Restore of {row['backup_id']} failed"
    if later:
        yield Finding("notice", "restore_failed", f"{text}; a later one was completed.", ended)
    else:
        yield Finding("critical", "restore_failed", f"{text}, and none was completed since.", ended)


def template_failing(row: Row, limits: Limits) -> Found:
    """Templates whose last runs failed."""
    failures, since = row["failures_in_a_row"], row["last_failure_at"]
    if not failures or (since is not None and not limits.within(since, limits.days * 24)):
        return
    severity = "critical" if failures >= limits.failures_in_a_row else "warning"
    count = "Its last run failed" if failures == 1 else f"Its last {failures} runs failed"
    why = f" at {row['last_failure']}" if row["last_failure"] else ""
    yield Finding(severity, "template_failing", f"{count}{why}.", since)


def run_open(row: Row, limits: Limits) -> Found:
    """Runs that wait for a person, and those that go on for too long."""
    if row["outcome"] != "open":
        return
    since = row["started_at"] or row["created_at"]
    if row["status"] == "approval_wait":
        yield Finding("notice", "run_waits", f"Waits for approval since {span(limits.age(since))}.", since)
    elif limits.older(since, limits.stuck_after):
        yield Finding("warning", "stuck", f"In state {row['status']} for {span(limits.age(since))}.", since)


# Cycle


def server_state(row: Row, limits: Limits) -> Found:
    """Servers that are not live, whose node is offline or unwell, or that are being emptied."""
    state = row["state"]
    if state is not None and state != "live":
        severity = "notice" if state in SERVER_CHANGES else "critical"
        error = f": {row['error']}" if row["error"] else ""
        yield Finding(severity, "server_state", f"Its state is {state}{error}.", row["changed_at"])
    if row["online"] is False:
        count = row["instances"]
        seen = row["checked_in_at"]
        last = f", last seen {span(limits.age(seen))} ago" if seen else ""
        text = f"Its node is offline{last}. {count} instance{'' if count == 1 else 's'} on it."
        yield Finding("critical", "server_offline", text, seen)
    elif row["healthy"] is False:
        yield Finding("warning", "server_unwell", "Its node is not healthy.", None)
    if row["evacuating_since"]:
        ago = span(limits.age(row["evacuating_since"]))
        text = f"Being evacuated since {ago}; {row['instances']} left."
        yield Finding("notice", "server_evacuates", text, row["evacuating_since"])


def cycle_container_state(row: Row, limits: Limits) -> Found:
    """Containers with an error, that do not become what they shall, or run without any instance running."""
    state, desired = row["state"], row["desired"]
    if state in GONE:
        return
    if row["error"]:
        yield Finding("critical", "container_error", f"{row['error']}.", row["changed_at"])
    if state == "running" and row["instances"] and not row["instances_running"]:
        text = f"Said to run, but none of its {row['instances']} instances does."
        yield Finding("critical", "container_down", text, row["changed_at"])
    if desired and state != desired and limits.older(row["changed_at"], limits.stuck_after):
        text = f"Has been {state} for {span(limits.age(row['changed_at']))}, but shall be {desired}."
        yield Finding("warning", "stuck", text, row["changed_at"])


def instance_state(row: Row, limits: Limits) -> Found:
    """Instances that failed, are unhealthy, hang, or are stopped while their container runs."""
    state, changed = row["state"], row["changed_at"]
    for_long = span(limits.age(changed))
    if state == "failed":
        error = f": {row['error']}" if row["error"] else ""
        yield Finding("critical", "instance_failed", f"Failed{error}.", changed)
    elif state == "running" and row["healthy"] is False:
        yield Finding("critical", "instance_unhealthy", "Runs, but its health check fails.", None)
    elif state in INSTANCE_CHANGES and limits.older(changed, limits.stuck_after):
        yield Finding("warning", "stuck", f"Has been {state} for {for_long}.", changed)
    elif state == "stopped" and row["container_state"] == "running" and row["ready_state"] == "active":
        yield Finding("warning", "instance_stopped", f"Stopped for {for_long}, while its container runs.", changed)
    if state == "running" and row["server_online"] is False:
        yield Finding("notice", "instance_unsure", "Said to run, but the node of its server is offline.", None)


def instance_restart(row: Row, limits: Limits) -> Found:
    """Instances that were started again.

    The platform counts no restarts: counters of telemetry go back at one, and the state has a time of change.
    """
    if row["state"] != "running":
        return
    if row["restarts"]:
        times = "once" if row["restarts"] == 1 else f"{row['restarts']} times"
        text = f"Restarted {times}, as its telemetry shows; {span(limits.age(row['restarted_at']))} ago last."
        yield Finding("warning", "instance_restart", text, row["restarted_at"])
        return
    made, changed = limits.age(row["created_at"]), limits.age(row["changed_at"])
    lived = 0.0 if made is None or changed is None else made - changed
    if lived > SETTLING and limits.within(row["changed_at"], limits.restart_window):
        text = f"Runs since {span(changed)}, though made {span(made)} ago: started again."
        yield Finding("warning", "instance_restart", text, row["changed_at"])


def instance_memory(row: Row, limits: Limits) -> Found:
    """Instances that have nearly used up their memory."""
    if row["state"] == "running" and row["memory"] is not None and row["memory"] * 100 >= limits.memory_max:
        yield Finding("warning", "instance_memory", f"Uses {row['memory']:.0%} of its memory.", None)


class Area(t.NamedTuple):
    """What the findings of a table look like. title, platform; rules; subject: the column with the name; where: the
    columns that say where it is.
    """

    title: str
    platform: str
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
    "containers": Area("Containers", "cycle", "name", ("environment",), (cycle_container_state,)),
    "instances": Area(
        "Instances",
        "cycle",
        "name",
        ("environment", "container", "server"),
        (instance_state, instance_restart, instance_memory),
    ),
}  # fmt: skip


def mark_recovered(restores: list[Row]) -> None:
    """Tell each restore whether a later one of the same addon was completed."""
    newest: dict[tuple[t.Any, t.Any], str] = {}
    for row in restores:
        if row["status"] == "completed":
            key = (row["project_id"], row["addon_id"])
            newest[key] = max(newest.get(key, ""), row["created_at"] or "")
    for row in restores:
        row["completed_later"] = newest.get((row["project_id"], row["addon_id"]), "") > (row["created_at"] or "")


def findings_of(tables: Mapping[str, list[Row]], limits: Limits) -> list[Row]:
    """Apply all rules; the worst first, of equals what is broken before what is at risk, then those that began last.

    Each row gets ``row``, a name of its own, its worst ``severity`` (ok for none) and its ``findings`` (texts).
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
