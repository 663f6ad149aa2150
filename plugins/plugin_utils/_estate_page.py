# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""A report on an estate as one HTML page that needs nothing but itself.

Every value goes through the escaping of Jinja. Only the style and the script of the page are allowed to act, by their
checksums in its Content-Security-Policy, so that a value that were not escaped would still do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ._estate_findings import AREAS, SEVERITIES, number, span
from ._estate_values import DAY, HOUR, Row, age

PLATFORMS = {"northflank": "Northflank", "cycle": "Cycle"}
# Sections of the page, by the table that they are about.
SECTIONS = {
    "addons": "Addons",
    "addon_containers": "Containers of addons",
    "backups": "Backups",
    "restores": "Restores",
    "templates": "Template runs",
    "servers": "Servers",
    "instances": "Instances",
    "containers": "Containers",
}
IN_SECTION = {"template_runs": "templates"}
# The columns by which rows without findings are ordered; a minus for the latest first.
ORDERS: dict[str, str] = {
    "addons": "name",
    "addon_containers": "-updated_at",
    "backups": "-created_at",
    "restores": "-created_at",
    "templates": "-last_at",
    "template_runs": "-created_at",
    "servers": "name",
    "containers": "name",
    "instances": "name",
}
OUTCOMES = ("failed", "other", "open", "success")  # from the bottom of a column to its top
HOT_PLACES = 5
# What goes on for ever is shown in full where something is wrong, and else only so many of the latest.
HISTORY = {"backups": 30, "restores": 30, "template_runs": 30}

# A control character is no HTML, and in a name it is there to deceive: U+202E turns what follows around.
CONTROLS: dict[int, str] = dict.fromkeys(
    (*range(32), *range(127, 160), 0x2028, 0x2029, *range(0x202A, 0x202F)), "\ufffd"
)
CONTROLS |= dict.fromkeys((*range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C, 0xFEFF), "\ufffd")
CONTROLS |= dict.fromkeys((9, 10, 13), " ")

NOTHING = "\N{EN DASH}"  # stands where there is no value


def page_of(report: Mapping[str, t.Any], folder: str, limit: int) -> str:
    """Render a report.

    folder: where the template, the style and the script are. limit: rows that a table may have; the worst are kept.
    """
    style, script = ((Path(folder) / f"estate.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    now = datetime.fromisoformat(report["now"])
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= filters_for(report, now)
    environment.globals |= {
        "report": report,
        "limit": limit,
        "names": PLATFORMS,
        "sections": SECTIONS,
        "titles": {table: area.title for table, area in AREAS.items()},
        "severities": SEVERITIES,
        **page_rows(report, limit),
        **headings(report, now),
        "limits": limits_of(report["thresholds"]),
        # The two files are ours, and have nothing that would end their elements.
        "style": Markup(style),
        "script": Markup(script),
        "policy": policy(style, script),
    }
    return environment.get_template("estate.html.j2").render()


def policy(style: str, script: str) -> str:
    """The Content-Security-Policy that lets this style and this script act, and nothing be fetched."""
    allowed = [
        f"{kind}-src 'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
        for kind, content in (("style", style), ("script", script))
    ]
    return "; ".join(["default-src 'none'", *allowed, "img-src data:", "base-uri 'none'", "form-action 'none'"])


def page_rows(report: Mapping[str, t.Any], limit: int) -> Row:
    """The rows on the page by table, the worst first, and which anchors they make."""
    severities: dict[str | None, list[Row]] = {}
    for one in report["findings"]:
        severities.setdefault(one["row"], []).append({"severity": one["severity"], "text": one["text"]})
    page: dict[str, list[Row]] = {}
    cut: dict[str, bool] = {}
    for table, rows in report["tables"].items():
        ordered = ordered_rows(rows, ORDERS[table])
        bad = [row for row in ordered if row["severity"] != "ok"]
        fine = ordered[len(bad) :][: HISTORY.get(table, limit)]
        page[table] = [{**row, "marks": severities.get(row["row"], [])} for row in (bad + fine)[:limit]]
        cut[table] = len(bad) > limit
    return {"page": page, "page_cut": cut, "shown": {row["row"] for rows in page.values() for row in rows}}


def ordered_rows(rows: Sequence[Row], column: str) -> list[Row]:
    """Rows, the worst first, and of equals by a column; a minus before its name for the reverse."""
    name, reverse = column.lstrip("-"), column.startswith("-")
    ordered = sorted(rows, key=lambda row: str(row[name] or "").casefold(), reverse=reverse)
    ordered.sort(key=lambda row: (*SEVERITIES, "ok").index(row["severity"]))
    return ordered


def headings(report: Mapping[str, t.Any], now: datetime) -> Row:
    """What the first screen says beside the counts."""
    counts = [f"{count} {plural_word(severity, count)}" for severity, count in report["counts"].items() if count]
    ages = [age(one["since"], now) for one in report["findings"]]
    runs = report["series"]["template_runs"]
    instances = [row["instances"] for row in report["tables"].get("servers", [])]
    return {
        "headline": ", ".join(counts) or "nothing to report",
        "hot": hot_places(report["findings"]),
        "began": {
            "last": sum(seconds is not None and seconds <= DAY for seconds in ages),
            "before": sum(seconds is not None and DAY < seconds <= 2 * DAY for seconds in ages),
        },
        "yesterday": (now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "any_unread": any(how["problems"] for how in report["platforms"].values()),
        "runs_total": sum(day[outcome] for day in runs for outcome in OUTCOMES),
        "runs_failed": sum(day["failed"] for day in runs),
        "runs_most": max((sum(day[outcome] for outcome in OUTCOMES) for day in runs), default=0),
        "most_instances": max(instances, default=0),
    }


def plural_word(severity: str, count: int) -> str:
    """critical, warning(s), notice(s)."""
    return severity if severity == "critical" or count == 1 else f"{severity}s"


def hot_places(findings: Sequence[Row]) -> list[Row]:
    """The projects, environments and locations with the most and worst findings."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for one in findings:
        if one["table"] is not None:
            place = (one["platform"], (one["where"] or [one["subject"]])[0] or "")
            counts.setdefault(place, Counter())[one["severity"]] += 1
    ordered = sorted(counts.items(), key=lambda pair: [-pair[1][severity] for severity in SEVERITIES])
    return [
        {"platform": platform, "name": name, **{severity: count[severity] for severity in SEVERITIES}}
        for (platform, name), count in ordered[:HOT_PLACES]
        if count["critical"] or count["warning"]
    ]


def limits_of(thresholds: Mapping[str, t.Any]) -> list[tuple[str, str]]:
    """The thresholds in words."""
    return [
        ("Age of the last backup, warning", f"{number(thresholds['backup_max_age'])} h"),
        ("Age of the last backup, critical", f"{number(thresholds['backup_critical_age'])} h"),
        ("Notice before the end of support", f"{number(thresholds['support_notice'])} d"),
        ("A restart is a warning for", f"{number(thresholds['restart_window'])} h"),
        ("Under way for too long after", f"{number(thresholds['stuck_after'])} h"),
        ("Memory of an instance, warning", f"{number(thresholds['memory_max'])} %"),
        ("Failed runs in a row, critical", str(thresholds["failures_in_a_row"])),
        ("Failures count for", f"{thresholds['days']} d"),
    ]


# What the template writes values with.


def filters_for(report: Mapping[str, t.Any], now: datetime) -> dict[str, t.Any]:
    """The filters of the template, some of which know the moment and the limits of the report."""
    thresholds = report["thresholds"]

    def ago(moment: str | None) -> str:
        seconds = age(moment, now)
        return NOTHING if seconds is None else f"{span(seconds)} ago"

    def age_bar(moment: str | None) -> Markup:
        seconds = age(moment, now) or 0.0
        allowed, worst = thresholds["backup_max_age"] * HOUR, thresholds["backup_critical_age"] * HOUR
        severity = "critical" if seconds > worst else "warning" if seconds > allowed else "ok"
        # Full at twice what is allowed, which the mark in the middle shows.
        share = min(1.0, seconds / (2 * allowed)) if allowed > 0 else 1.0
        return drawing(
            "bar",
            "0 0 84 6",
            f'<rect class="track" width="84" height="6" rx="3"/><rect class="{severity}" width="{84 * share:.1f}" '
            'height="6" rx="3"/><rect class="mark" x="41.5" width="1" height="6"/>',
        )

    return {
        "ago": ago,
        "age_bar": age_bar,
        "anchor": lambda table: table.replace("_", "-"),
        "section": lambda table: IN_SECTION.get(table, table),
        "short": short,
        "clock": lambda moment: f"{moment[:10]} {moment[11:16]} UTC",
        "long_date": lambda moment: datetime.fromisoformat(moment).strftime("%A, %-d %B %Y, %H:%M UTC"),
        "short_day": lambda day: datetime.fromisoformat(day).strftime("%-d %b"),
        "thousands": lambda value: f"{value:,}",
        "number": number,
        "plural": lambda count, word: f"{count:,} {word}{'' if count == 1 else 's'}",
        "size": size,
        "seconds_taken": lambda row: "" if (seconds := taken(row)) is None else seconds,
        "took": lambda row: None if (seconds := taken(row)) is None else span(seconds),
        "groups": groups,
        "instance_state": instance_state,
        "backup_days": backup_days,
        "run_days": run_days,
        "day_mark": lambda outcome: Markup("<svg aria-hidden='true'>{}</svg>").format(day_mark(outcome, 0)),
        "column": column,
        "running_bar": running_bar,
        "spark": spark,
    }


def short(value: t.Any, most: int) -> str:
    """A text of at most so many characters, on one line, without what could disguise it."""
    text = NOTHING if value is None else str(value)[: most * 4].translate(CONTROLS)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def size(value: int | None) -> str | None:
    """Bytes in a unit that people read."""
    if value is None:
        return None
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:,.1f} TiB"


def taken(row: Mapping[str, t.Any]) -> float | None:
    """Seconds from beginning to end."""
    begun = row.get("started_at") or row["created_at"]
    ended = row.get("completed_at") or row.get("concluded_at")
    if not begun or not ended:
        return None
    return max(0.0, (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds())


def groups(rows: Sequence[Row], name: str) -> list[Row]:
    """Rows by a column, the groups by their names, in each the order as it was."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[name] or NOTHING, []).append(row)
    return [{"name": key, "rows": found[key]} for key in sorted(found, key=str.casefold)]


def instance_state(row: Mapping[str, t.Any]) -> str | None:
    """State of an instance with what else holds of it."""
    more = {"purge": "kept until it is purged", "hibernate": "hibernates"}.get(row["ready_state"] or "")
    drained = "gets no new traffic" if row["draining_since"] else None
    told = [one for one in (row["state"], more, drained) if one]
    return ", ".join(told) or None


def drawing(name: str, box: str, content: str) -> Markup:
    """An SVG that only shows what stands next to it in words. content: made of numbers and names of ours."""
    return Markup(f'<svg class="{name}" viewBox="{box}" preserveAspectRatio="none" aria-hidden="true">{content}</svg>')


def day_mark(outcome: str, left: int) -> Markup:
    """A day of a calendar: full, crossed, hollow, or a low track."""
    if outcome == "none":
        return Markup(f'<rect class="c-none" x="{left}" y="11" width="7" height="3"/>')
    if outcome == "open":
        return Markup(f'<rect class="c-open" x="{left + 1}" y="3" width="5" height="10"/>')
    cross = f'<path class="c-cross" d="M{left + 1.5} 5l4 6m0-6l-4 6"/>' if outcome == "failed" else ""
    return Markup(f'<rect class="c-{outcome}" x="{left}" y="2" width="7" height="12"/>{cross}')


def backup_days(outcomes: Sequence[str]) -> Markup:
    """A calendar of backups, the last day at the right, with its sum in words."""
    marks = "".join(day_mark(outcome, place * 9) for place, outcome in enumerate(outcomes))
    width = len(outcomes) * 9
    counts = Counter(outcomes)
    words = (
        f"{counts['completed']} of {len(outcomes)} days with a completed backup, {counts['failed']} with failed ones"
    )
    return Markup(
        f'<svg width="{width}" height="14" viewBox="0 0 {width} 14" aria-hidden="true">{marks}</svg>'
        f'<span class="unseen">{words}</span>'
    )


def run_days(days: Sequence[Row]) -> Markup:
    """Runs by day as small columns, failures at the bottom, with their sum in words."""
    most = max((sum(day[outcome] for outcome in OUTCOMES) for day in days), default=0)
    rects = "".join(stacked(day, most, 11 * place, 9, 22) for place, day in enumerate(days))
    failed = sum(day["failed"] > 0 for day in days)
    return drawing("tiny", f"0 0 {11 * len(days)} 22", rects) + Markup(
        f'<span class="unseen">failures on {failed} of {len(days)} days</span>'
    )


def stacked(day: Mapping[str, t.Any], most: int, left: float, width: float, height: float) -> str:
    """The outcomes of a day above each other, to the scale that most runs have the whole height."""
    bottom, rects = height, f'<rect class="s-track" x="{left}" y="{height - 0.5}" width="{width}" height="0.5"/>'
    for outcome in OUTCOMES:
        part = height * day[outcome] / most if most else 0.0
        bottom -= part
        if part:
            rects += (
                f'<rect class="o-{outcome}" x="{left}" y="{bottom:.2f}" width="{width}" height="{part * 0.97:.2f}"/>'
            )
    return rects


def column(day: Mapping[str, t.Any], most: int) -> Markup:
    """A column of the chart of runs, failures at the bottom where they compare best."""
    return drawing("", "0 0 10 100", stacked(day, most, 0, 10, 100))


def running_bar(row: Mapping[str, t.Any], most: int) -> Markup:
    """How many instances of a server run, of those on it, to a scale for all servers."""
    unit = 110 / most if most else 0.0
    return drawing(
        "stack",
        "0 0 110 8",
        f'<rect class="s-track" width="110" height="8"/><rect class="s-rest" width="{row["instances"] * unit:.1f}" '
        f'height="8"/><rect class="s-running" width="{row["instances_running"] * unit:.1f}" height="8"/>',
    )


def spark(series: Sequence[float | None], label: str, now: float | None) -> Markup:
    """A cell with a share and how it went, on a scale of 0 to 100 %."""
    known = [value for value in series if value is not None]
    if now is None and not known:
        return Markup(
            f'<td role="cell" data-label="{label}" class="blank" data-sort=""><span class="soft">{NOTHING}</span></td>'
        )
    path, pen = "", "M"
    for place, value in enumerate(series):
        if value is None:
            pen = "M"
            continue
        path += f"{pen}{96 * place / max(1, len(series) - 1):.1f} {21 - 20 * min(1.0, max(0.0, value)):.1f}"
        pen = "L"
    words = f" ({min(known):.0%} to {max(known):.0%})" if known else ""
    shown = NOTHING if now is None else f"{now:.0%}"
    sort = "" if now is None else f"{now:.4f}"
    return Markup(
        f'<td role="cell" data-label="{label}" data-sort="{sort}"><span class="spark"><span class="num">{shown}'
        f'<span class="unseen">{words}</span></span><svg viewBox="0 0 96 22" preserveAspectRatio="none" '
        f'aria-hidden="true"><path class="floor" d="M0 21.500H96"/><path d="{path}"/></svg></span></td>'
    )
