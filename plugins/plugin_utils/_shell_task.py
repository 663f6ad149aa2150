# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Commands in containers: the record of each host, and the result of all, small enough for a database."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ..module_utils._redact import json_spellings

MASK = "********"
MIN_SECRET = 4  # characters; a shorter one would mask half of the output
DELTA = re.compile(r"(?:(\d+) days?, )?(\d+):(\d+):(\d+(?:\.\d+)?)")
STATUSES = ("ok", "failed", "unreachable", "skipped")
TEXTS = ("stdout", "stderr", "message")

Ran = Mapping[str, t.Any]
Record = dict[str, t.Any]

EMPTY: Record = {
    "status": "ok", "rc": None, "stdout": "", "stderr": "", "seconds": None, "changed": False, "message": "",
}  # fmt: skip
LOST: Record = {
    **EMPTY,
    "status": "unreachable",
    "message": "Ansible lost the host in the middle; the output of the run has the reason.",
}
NOT_BEGUN: Record = {**EMPTY, "status": "skipped", "message": "Not begun."}


def record_of(
    ran: Ran,
    secrets: Iterable[str] = (),
    seconds: float | None = None,
    task: str | None = None,
    hidden: bool = False,
) -> Record:
    """Make the record of a host.

    Args:
        ran: What a command, or a loop over commands, returned.
        secrets: Texts to mask.
        seconds: How long it took; without it, what the commands report.
        task: The name of the task that failed, for the message.
        hidden: Whether the task has no_log, so that nothing of its output is kept.
    """
    results = _results(ran)
    status = _status(ran, results)
    record = {
        "status": status,
        "rc": results[-1].get("rc"),
        "stdout": "" if hidden else _joined(results, "stdout"),
        "stderr": "" if hidden else _joined(results, "stderr"),
        "seconds": round(seconds, 3) if seconds is not None else _seconds(results),
        "changed": any(bool(one.get("changed")) for one in results),
        "message": _message(ran, results, task, hidden) if status in ("failed", "unreachable") else "",
    }
    return {key: _masked(value, secrets) if isinstance(value, str) else value for key, value in record.items()}


def _results(ran: Ran) -> list[Ran]:
    """Get the results of a loop, or the only one: some modules return something else as results."""
    found = ran.get("results")
    if isinstance(found, list) and found and all(isinstance(one, Mapping) for one in found):
        return list(found)
    return [ran]


def _status(ran: Ran, results: list[Ran]) -> str:
    if any(one.get("unreachable") for one in results):
        return "unreachable"
    if ran.get("failed") or any(one.get("failed") for one in results):
        return "failed"
    return "skipped" if all(one.get("skipped") for one in results) else "ok"


def _joined(results: list[Ran], name: str) -> str:
    """Join the output of all commands. A module that did not start has its output under another name."""
    texts = (one.get(name) or one.get(f"module_{name}") or "" for one in results)
    return "\n".join(str(text) for text in texts if text)


def _seconds(results: list[Ran]) -> float | None:
    found = [match.groups() for one in results if (match := DELTA.fullmatch(str(one.get("delta"))))]
    if not found:
        return None
    return round(
        sum(
            int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(rest)
            for days, hours, minutes, rest in found
        ),
        3,
    )


def _message(ran: Ran, results: list[Ran], task: str | None, hidden: bool) -> str:
    last = results[-1]
    message = str(last.get("msg") or ran.get("msg") or "failed")
    if last.get("rc") and "non-zero return code" in message:
        message = f"ended with {last['rc']}"
    elif hidden:
        message = "failed, and its no_log hides why"
    if task:
        return f"{task}: {message}"
    return message if last is ran else f"Command {len(results)}: {message}"


def _masked(text: str, secrets: Iterable[str]) -> str:
    # Ansible strips the last line breaks of an output, so that only a part of a secret with one at its end is left. And
    # the output of a module that Ansible could not read is JSON.
    texts = {text for one in secrets for text in (str(one), str(one).strip())}
    for secret in sorted({spelled for text in texts for spelled in json_spellings(text)}, key=len, reverse=True):
        if len(secret) >= MIN_SECRET:
            text = text.replace(secret, MASK)
    return text


def result_of(
    records: Mapping[str, Record],
    hosts: Sequence[str],
    begun: int = 0,
    check_mode: bool = False,
    output_limit: int = 2000,
    artifact_limit: int = 200000,
) -> dict[str, t.Any]:
    """Make the result of all hosts.

    Args:
        records: Records by host. A host that was started and has no record, or an empty one, was lost.
        hosts: All hosts, in their order.
        begun: How many of them were started.
        check_mode: Whether nothing was to run.
        output_limit: Characters that each text of a host may have.
        artifact_limit: Characters that the texts of all hosts may have together.
    """
    limit = min(output_limit, artifact_limit // (len(TEXTS) * max(len(hosts), 1)))
    found = {}
    for place, name in enumerate(hosts):
        record = {**EMPTY, **records[name]} if records.get(name) else LOST if place < begun else NOT_BEGUN
        found[name] = {key: _cut(value, limit) if key in TEXTS else value for key, value in record.items()}
    names = {status: [name for name, record in found.items() if record["status"] == status] for status in STATUSES}
    good = len(names["ok"]) + (len(names["skipped"]) if check_mode else 0)
    return {"hosts": found, **names, "passed": good == len(hosts) > 0, "check_mode": check_mode}


def _cut(text: str, limit: int) -> str:
    """Keep the beginning and the end of a long text, with a mark between them that says how much is missing."""
    if len(text) <= limit:
        return text
    mark = f"\n[… {len(text) - limit} characters cut …]\n"
    head = limit // 2
    return text[:head] + mark + text[len(text) - (limit - head) :]
