# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""From the results of the info modules to the rows of a report on an estate.

Rows are dictionaries of JSON types. Times in them are ISO 8601 in UTC, or None for what cannot be read. Nothing is
expected to be there: an answer may lack any field, and have states that nobody knows.
"""

from __future__ import annotations

import itertools
import math
import typing as t
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta

from ansible_collections.quayside.paas.plugins.module_utils import _timestamps
from ansible_collections.quayside.paas.plugins.module_utils._cycle.instances import is_leaving
from ansible_collections.quayside.paas.plugins.module_utils._cycle.telemetry import summary_of

Row = dict[str, t.Any]

# What is read of a platform: the name of the part, the key of its result, what it is called in messages.
PARTS: dict[str, dict[str, tuple[str, str]]] = {
    "northflank": {
        "projects": ("projects", "projects"),
        "addons": ("addons", "addons"),
        "versions": ("addon_versions", "versions of addons"),
        "addon_containers": ("containers", "containers of addons"),
        "backups": ("backups", "backups"),
        "restores": ("restores", "restores"),
        "templates": ("templates", "templates"),
        "template_runs": ("template_runs", "template runs"),
        "run_details": ("template_runs", "nodes of failed template runs"),
    },
    "cycle": {
        "environments": ("environments", "environments"),
        "servers": ("servers", "servers"),
        "containers": ("containers", "containers"),
        "instances": ("instances", "instances"),
        "telemetry": ("reports", "telemetry"),
    },
}

CONCLUDED = {"success", "failure", "aborted", "skipped"}
OUTCOMES = {"success": "success", "failure": "failed", "unknown": "failed"}
OVER = {"completed", "failed", "aborted", "not-supported"}  # backups and restores that will not change any more
GONE = {"deleting", "deleted"}
ENDED = {"TASK_KILLED", "TASK_FINISHED"}  # containers of addons that are listed, and are not to run any more
IMPORTS = {"fileUpload", "externalDump"}  # sources of what is listed as a backup, and came from elsewhere

SPARK_POINTS = 48
LONGEST_MESSAGE = 1000


class Part(t.NamedTuple):
    """What was read: its items, why something was not (by message), and how many requests it took."""

    items: list[Row]
    problems: list[str]
    requests: int
    is_read: bool


class Estate(t.NamedTuple):
    """tables: rows by the name of the table. platforms: how reading went. unread: tables that lack something."""

    tables: dict[str, list[Row]]
    platforms: dict[str, Row]
    unread: list[str]


def plain(value: t.Any) -> t.Any:
    """A value as ordinary JSON types, without what Ansible hangs on it; texts are valid Unicode."""
    if isinstance(value, Mapping):
        # To look at the key left out, which Ansible sets for a loop over nothing, is deprecated in ansible-core 2.21.
        return {plain(str(key)): plain(value[key]) for key in value if key != "skipped_reason"}
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Sequence | Set):
        return [plain(one) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return plain(str(value))


def stamp(value: t.Any) -> str | None:
    """A time stamp of a platform as ISO 8601 in UTC, to the second."""
    moment = None if value is None else _timestamps.parse(value)
    try:
        return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return None


def age(value: str | None, now: datetime) -> float | None:
    """Seconds since a time stamp; 0 for one in the future, None without one."""
    moment = None if value is None else _timestamps.parse(value)
    return None if moment is None else max(0.0, (now - moment).total_seconds())


def at(value: t.Any, path: str) -> t.Any:
    """The value below a path of keys with dots between them; None where there is none."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: t.Any) -> str | None:
    """A name, state or message, which ought to be text; None for nothing."""
    return None if value is None or value == "" else str(value)


def truth(value: t.Any) -> bool | None:
    """True or false, None for anything else."""
    return value if isinstance(value, bool) else None


def share(value: t.Any) -> float | None:
    """A number, None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def read_part(result: t.Any, key: str, name: str) -> Part:
    """Take a registered result, of a task or of a loop, whether it failed or not."""
    # A loop over nothing counts as skipped, and there was nothing to read.
    if not isinstance(result, dict) or (result.get("skipped") and result.get("results") != []):
        return Part([], [], 0, False)
    each = [one for one in result["results"] if not one.get("skipped")] if "results" in result else [result]
    items, problems = [], []
    for one in each:
        found = one.get(key)
        if isinstance(found, list):
            items += [item for item in found if isinstance(item, dict)]
        else:
            of = one.get(one.get("ansible_loop_var") or "item")
            label = at(of, "id") if isinstance(of, dict) else of
            subject = f"{name} of {label}" if label else name
            message = " ".join(str(one.get("msg") or "no answer").split())[:LONGEST_MESSAGE]
            problems.append(f"{subject}: {message}")
    return Part(items, problems, sum(int(one.get("request_count") or 0) for one in each), not problems)


def estate_of(raw: Mapping[str, t.Any], now: datetime, days: int, backup_exempt: Sequence[str]) -> Estate:
    """Turn registered results into rows.

    raw: by platform (northflank, cycle) the registered result of each part in PARTS; None for a platform that is not to
    be read. days: length of the calendars of backups, ending today. backup_exempt: what needs no backups, as the type
    of addons, the id of a project, or PROJECT/ADDON.
    """
    tables: dict[str, list[Row]] = {}
    platforms: dict[str, Row] = {}
    unread: list[str] = []
    for platform, parts in PARTS.items():
        given = raw.get(platform)
        # ansible-core 2.18 turns none into an empty text.
        if not isinstance(given, Mapping):
            platforms[platform] = {"state": "off", "requests": 0, "problems": []}
            continue
        read = {part: read_part(given.get(part), *found) for part, found in parts.items()}
        problems = [problem for part in read.values() for problem in part.problems]
        state = "read" if not problems else "partly" if any(part.items for part in read.values()) else "unread"
        requests = sum(part.requests for part in read.values())
        platforms[platform] = {"state": state, "requests": requests, "problems": problems}
        root = read["projects" if platform == "northflank" else "containers"]
        tables |= northflank_tables(read, now, days, backup_exempt) if platform == "northflank" else cycle_tables(read)
        unread += [name for name in parts if not read[name].is_read or (root.problems and name in NEED_ROOT)]
    return Estate(tables, platforms, unread)


# Parts that are read for each project or container, so that nothing of them is read without these.
NEED_ROOT = {"addons", "addon_containers", "backups", "restores", "instances", "telemetry"}


# Northflank


def northflank_tables(
    read: Mapping[str, Part], now: datetime, days: int, backup_exempt: Sequence[str]
) -> dict[str, list[Row]]:
    """The rows of Northflank."""
    names = {str(one.get("id")): text(one.get("name")) or str(one.get("id")) for one in read["projects"].items}
    containers = [addon_container_row(one, names) for one in read["addon_containers"].items]
    backups = [backup_row(one, names) for one in read["backups"].items]
    restores = [restore_row(one, names) for one in read["restores"].items]
    runs = run_rows(read["template_runs"].items, read["run_details"].items)
    versions = {addon_key(one): one for one in read["versions"].items}
    by_addon = {
        "containers": grouped(containers),
        "backups": grouped(backups),
        "restores": grouped(restores),
    }
    addons = [
        addon_row(
            one,
            names,
            versions.get((text(one.get("project_id")), text(one.get("id")))),
            by_addon,
            now,
            days,
            backup_exempt,
        )
        for one in read["addons"].items
    ]
    addon_names = {(one["project_id"], one["id"]): (one["name"], one["created_at"]) for one in addons}
    for row in (*containers, *backups, *restores):
        row["addon"], row["addon_created_at"] = addon_names.get(addon_key(row), (row["addon_id"], None))
    return {
        "addons": addons,
        "addon_containers": containers,
        "backups": backups,
        "restores": restores,
        "templates": template_rows(read["templates"].items, runs, now, days),
        "template_runs": runs,
    }


def addon_key(row: Mapping[str, t.Any]) -> tuple[t.Any, t.Any]:
    """What tells the addon of a row."""
    return text(row.get("project_id")), text(row.get("addon_id"))


def grouped(rows: Iterable[Row]) -> dict[tuple[t.Any, t.Any], list[Row]]:
    """Rows by their addon."""
    found: dict[tuple[t.Any, t.Any], list[Row]] = defaultdict(list)
    for row in rows:
        found[addon_key(row)].append(row)
    return found


def parents(item: Row, names: Mapping[str, str]) -> Row:
    """The columns that say where a child of an addon belongs."""
    project = str(item.get("project_id"))
    return {"project_id": project, "project": names.get(project, project), "addon_id": text(item.get("addon_id"))}


def addon_container_row(item: Row, names: Mapping[str, str]) -> Row:
    """A container of an addon."""
    return {
        **parents(item, names),
        "name": text(item.get("name")),
        "status": text(item.get("status")),
        "created_at": stamp(item.get("created_at")),
        "updated_at": stamp(item.get("updated_at")),
        "node": text(item.get("node_name")),
    }


def backup_row(item: Row, names: Mapping[str, str]) -> Row:
    """A backup; its size in bytes."""
    size = at(item, "config.size")
    return {
        **parents(item, names),
        "id": text(item.get("id")),
        "name": text(item.get("name")),
        "status": text(item.get("status")),
        "created_at": stamp(item.get("created_at")),
        "completed_at": stamp(item.get("completed_at")),
        "imported": text(at(item, "config.source.type")) in IMPORTS,
        "size": int(size) if str(size).isascii() and str(size).isdigit() and len(str(size)) < 20 else None,
    }


def restore_row(item: Row, names: Mapping[str, str]) -> Row:
    """A restore."""
    return {
        **parents(item, names),
        "backup_id": text(item.get("backup_id")),
        "id": text(item.get("id")),
        "status": text(item.get("status")),
        "created_at": stamp(item.get("restore_timestamp")),
        "completed_at": stamp(item.get("completed_at")),
    }


def addon_row(
    item: Row,
    names: Mapping[str, str],
    version: Row | None,
    by_addon: Mapping[str, Mapping[tuple[t.Any, t.Any], list[Row]]],
    now: datetime,
    days: int,
    backup_exempt: Sequence[str],
) -> Row:
    """An addon with what its containers, backups and restores come to."""
    project, addon_id = str(item.get("project_id")), str(item.get("id"))
    key = (project, addon_id)
    kind = text(at(item, "spec.type"))
    containers, backups, restores = (by_addon[name].get(key, []) for name in ("containers", "backups", "restores"))
    told = version or {}
    upgrades = told.get("upgrade_to")
    # Custom addons and buckets have no version, and the platform's backups are not theirs.
    is_database = at(item, "spec.config.version_tag") is not None or at(item, "spec.config") is None
    exempt = bool({kind, project, f"{project}/{addon_id}"} & set(backup_exempt))
    return {
        "project_id": project,
        "project": names.get(project, project),
        "id": addon_id,
        "name": text(item.get("name")) or addon_id,
        "type": kind,
        "status": text(item.get("status")),
        "created_at": stamp(item.get("created_at")),
        "version": text(told.get("version")) or text(at(item, "spec.config.version_tag")),
        "lifecycle": text(told.get("lifecycle_status")) or text(at(item, "spec.config.lifecycle_status")),
        "discontinued_by": stamp(told.get("discontinued_by")),
        "upgrade_to": [
            str(one["version"])
            for one in (upgrades if isinstance(upgrades, list) else [])
            if isinstance(one, dict) and one.get("version") is not None
        ],
        "containers": len(containers),
        "containers_running": sum(one["status"] == "TASK_RUNNING" for one in containers),
        "containers_ended": sum(one["status"] in ENDED for one in containers),
        "needs_backups": (is_database or bool(backups)) and not exempt,
        **backups_summary([one for one in backups if not one["imported"]], now, days),
        "last_restore": last_restore(restores),
    }


def backups_summary(backups: Sequence[Row], now: datetime, days: int) -> Row:
    """The last completed backup of an addon, how the latest that is over ended, and one outcome a day."""
    completed = [one for one in backups if one["status"] == "completed"]
    last = max(completed, key=when_done, default=None)
    over = [one for one in backups if one["status"] in OVER]
    latest = max(over, key=when_done, default=None)
    return {
        "backups": len(backups),
        "last_backup": None if last is None else last["name"] or last["id"],
        "last_backup_at": None if last is None else when_done(last) or None,
        "last_backup_size": None if last is None else last["size"],
        "last_backup_status": None if latest is None else latest["status"],
        "last_backup_failed_at": (
            when_done(latest) or None if latest is not None and latest["status"] == "failed" else None
        ),
        "backup_days": calendar(backups, now, days),
    }


def when_done(row: Mapping[str, t.Any]) -> str:
    """When a backup or restore ended, or else began; "" when nobody knows. These texts sort by time."""
    return row["completed_at"] or row["created_at"] or ""


def days_until(now: datetime, days: int) -> list[str]:
    """The dates of so many days, ending with that of a moment, in UTC."""
    return [(now - timedelta(days=back)).strftime("%Y-%m-%d") for back in range(days - 1, -1, -1)]


def calendar(backups: Iterable[Row], now: datetime, days: int) -> list[str]:
    """What became of the backups of each day: completed when one was, else failed, open or none."""
    by_day: dict[str, set[str | None]] = defaultdict(set)
    for one in backups:
        by_day[(one["created_at"] or one["completed_at"] or "")[:10]].add(one["status"])
    return [day_outcome(by_day.get(day, set())) for day in days_until(now, days)]


def day_outcome(statuses: Set[str | None]) -> str:
    """The best of the states that backups of a day are in."""
    if "completed" in statuses:
        return "completed"
    if "failed" in statuses:
        return "failed"
    return "open" if statuses - OVER else "none"


def last_restore(restores: Sequence[Row]) -> Row | None:
    """State and time of the restore of an addon that began last."""
    last = max(restores, key=lambda one: one["created_at"] or "", default=None)
    return None if last is None else {"status": last["status"], "at": when_done(last) or None}


def run_rows(items: Iterable[Row], details: Iterable[Row]) -> list[Row]:
    """Runs of templates, with the node that failed where it was read."""
    failures = {(text(one.get("template_id")), text(one.get("id"))): failed_node(one.get("spec")) for one in details}
    return [
        {
            "template_id": text(one.get("template_id")),
            "template": text(one.get("name")) or text(one.get("template_id")),
            "id": text(one.get("id")),
            "status": text(one.get("status")),
            "outcome": outcome_of(one),
            "created_at": stamp(one.get("created_at")),
            "started_at": stamp(one.get("started_at")),
            "concluded_at": stamp(one.get("concluded_at")),
            "failure": failures.get((text(one.get("template_id")), text(one.get("id")))),
        }
        for one in items
    ]


def outcome_of(run: Mapping[str, t.Any]) -> str:
    """success, failed, other (aborted, skipped, what nobody knows), or open for a run that goes on.

    That unknown is an error and concluded the reliable sign is how the vendor's pages can be read.
    """
    status = str(run.get("status"))
    if run.get("concluded") is not True and status not in CONCLUDED:
        return "open"
    return OUTCOMES.get(status, "other")


def failed_node(node: t.Any, depth: int = 0) -> str | None:
    """Name and error of the innermost node that failed, in the order of the tree; None when no node says so."""
    if not isinstance(node, dict) or depth > 50:
        return None
    steps = at(node, "spec.steps")
    for step in steps if isinstance(steps, list) else []:
        found = failed_node(step, depth + 1)
        if found is not None:
            return found
    if at(node, "response.status") not in ("failure", "invalid"):
        return None
    name = " ".join(str(part) for part in (node.get("kind"), node.get("ref")) if part)
    message = text(at(node, "response.error.message"))
    return f"{name}: {message}" if message else name


def template_rows(items: Iterable[Row], runs: Sequence[Row], now: datetime, days: int) -> list[Row]:
    """Templates with what their runs come to; also those of which only runs are known."""
    by_template: dict[str | None, list[Row]] = defaultdict(list)
    for run in runs:
        by_template[run["template_id"]].append(run)
    names = {text(one.get("id")): text(one.get("name")) for one in items}
    names |= {key: some[0]["template"] for key, some in by_template.items() if key not in names}
    return [template_row(key, name or key, by_template[key], now, days) for key, name in names.items()]


def template_row(key: str | None, name: str | None, runs: Sequence[Row], now: datetime, days: int) -> Row:
    """A template: its last run, failures in a row, and outcomes by day."""
    newest_first = sorted(runs, key=lambda run: run["created_at"] or "", reverse=True)
    in_a_row: list[Row] = []
    for run in newest_first:
        if run["outcome"] == "success":
            break
        if run["outcome"] == "failed":
            in_a_row.append(run)
    last = newest_first[0] if newest_first else None
    return {
        "id": key,
        "name": name,
        "runs": len(runs),
        "open": sum(run["outcome"] == "open" for run in runs),
        "last_status": None if last is None else last["status"],
        "last_at": None if last is None else last["created_at"],
        "failures_in_a_row": len(in_a_row),
        "last_failure_at": in_a_row[0]["concluded_at"] or in_a_row[0]["created_at"] if in_a_row else None,
        "last_failure": in_a_row[0]["failure"] if in_a_row else None,
        "run_days": runs_by_day(runs, now, days),
    }


def runs_by_day(runs: Iterable[Row], now: datetime, days: int) -> list[Row]:
    """How many runs were asked for on each day, by outcome."""
    counts = Counter((str(run["created_at"])[:10], run["outcome"]) for run in runs)
    outcomes = ("success", "failed", "other", "open")
    return [{"day": day, **{name: counts[day, name] for name in outcomes}} for day in days_until(now, days)]


# Cycle


def cycle_tables(read: Mapping[str, Part]) -> dict[str, list[Row]]:
    """The rows of Cycle."""
    environments = {
        text(one.get("id")): text(one.get("name")) or text(one.get("id")) for one in read["environments"].items
    }
    servers = [server_row(one) for one in read["servers"].items]
    containers = [container_row(one, environments) for one in read["containers"].items]
    usage = {text(one.get("instance_id")): usage_of(one) for one in read["telemetry"].items}
    known = {"servers": {one["id"]: one for one in servers}, "containers": {one["id"]: one for one in containers}}
    instances = [instance_row(one, known, environments, usage) for one in read["instances"].items]
    staying = [row for one, row in zip(read["instances"].items, instances, strict=True) if not is_leaving(one)]
    for rows, key in ((servers, "server_id"), (containers, "container_id")):
        there = Counter(one[key] for one in staying)
        running = Counter(one[key] for one in staying if one["state"] == "running")
        for row in rows:
            row["instances"], row["instances_running"] = there[row["id"]], running[row["id"]]
    return {"servers": servers, "containers": containers, "instances": instances}


def state_columns(item: Row) -> Row:
    """The columns that servers, containers and instances share."""
    return {
        "id": text(item.get("id")),
        "state": text(at(item, "state.current")),
        "changed_at": stamp(at(item, "state.changed")),
        "error": text(at(item, "state.error.message") or at(item, "state.error")),
        "created_at": stamp(at(item, "events.created")),
    }


def server_row(item: Row) -> Row:
    """A server and its node."""
    return {
        **state_columns(item),
        "name": text(item.get("hostname")) or text(item.get("id")),
        "nickname": text(item.get("nickname")),
        "location": text(at(item, "included.location.name")) or text(at(item, "provider.location")),
        "cluster": text(item.get("cluster")),
        "online": truth(at(item, "meta.node.online")),
        "healthy": truth(at(item, "meta.node.healthy")),
        "checked_in_at": stamp(at(item, "meta.node.last_checkin")),
        "evacuating_since": stamp(at(item, "evacuate.started")),
    }


def container_row(item: Row, environments: Mapping[str | None, str | None]) -> Row:
    """A container."""
    environment = text(at(item, "environment.id"))
    wanted = at(item, "config.deploy.instances")
    return {
        **state_columns(item),
        "name": text(item.get("name")) or text(item.get("identifier")) or text(item.get("id")),
        "environment": environments.get(environment, environment),
        "desired": text(at(item, "state.desired")),
        "strategy": text(at(item, "config.deploy.strategy")),
        "wanted": wanted if isinstance(wanted, int) else None,
        "started_at": stamp(at(item, "events.started")),
    }


def instance_row(
    item: Row,
    known: Mapping[str, Mapping[t.Any, Row]],
    environments: Mapping[str | None, str | None],
    usage: Mapping[t.Any, Row],
) -> Row:
    """An instance, where it is, and what it uses."""
    container = known["containers"].get(text(item.get("container_id")), {})
    server = known["servers"].get(text(item.get("server_id")), {})
    environment = text(at(item, "environment.id"))
    return {
        **state_columns(item),
        "name": text(item.get("hostname")) or text(item.get("id")),
        "container_id": text(item.get("container_id")),
        "container": container.get("name") or text(item.get("container_id")),
        "container_state": container.get("state"),
        "environment": environments.get(environment, environment),
        "server_id": text(item.get("server_id")),
        "server": server.get("name") or text(item.get("server_id")),
        "server_online": server.get("online"),
        "location": server.get("location"),
        "ready_state": text(item.get("ready_state")),
        "healthy": truth(at(item, "state.health.healthy")),
        "draining_since": stamp(at(item, "traffic_drain.started")),
        **usage.get(text(item.get("id")), usage_of({})),
    }


def usage_of(report: Row) -> Row:
    """What a report of telemetry says: shares of 0 to 1 now and over time, and how often the instance was restarted."""
    snapshots = report["snapshots"] if isinstance(report.get("snapshots"), list) else []
    # By time, because two samples of the same moment have no rates.
    timed = {moment: one for one in snapshots if isinstance(one, dict) and (moment := stamp(one.get("time")))}
    picked = [timed[moment] for moment in thinned(sorted(timed), SPARK_POINTS + 1)]
    steps = [summary_of(pair) for pair in itertools.pairwise(picked)]
    # A summary of two samples has a time between them unless a counter went back, as at a restart.
    restarts = sum(step["seconds"] is None for step in steps)
    return {
        "cpu": share(at(report, "summary.cpu")),
        "memory": share(at(report, "summary.memory_share")),
        "cpu_series": [step["cpu"] for step in steps],
        "memory_series": [step["memory_share"] for step in steps],
        "restarts": restarts if steps else None,
        "restarted_at": max(
            (moment for step, after in zip(steps, picked[1:], strict=True)
             if step["seconds"] is None and (moment := stamp(after["time"]))), default=None,
        ),
    }  # fmt: skip


def thinned(items: Sequence[t.Any], most: int) -> list[t.Any]:
    """At most so many items, evenly chosen, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]
