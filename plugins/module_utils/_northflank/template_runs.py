# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Runs of a template: starting and stopping them. Facts from the official client."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible.module_utils.common.parameters import remove_values

from .._argspec import ArgumentSpec, texts_in
from .._client import Item, not_found
from .._errors import (
    JobError,
    NotFoundError,
    OptionError,
    PaasError,
)
from .._plan import Plan
from .._resource import name_missing_parent, path_of
from .._timestamps import parse
from .._wait import Deadline
from .api import Northflank
from .resources import (
    RUNS_ABORT,
    TEMPLATE_RUN,
    TEMPLATES_RUN,
    USER_KEYED,
)
from .starting import (
    WAITING,
    Kind,
    Params,
    deadline_of,
    id_of,
    if_there,
    plan_start,
    plan_stop,
    plan_wait,
    start,
)
from .states import (
    RUN_APPROVAL_STATE,
    RUN_SUCCESS_STATES,
    failed_nodes,
    is_run_finished,
    nodes_in,
)

if t.TYPE_CHECKING:
    from datetime import datetime

ARGUMENTS = WAITING.merge(
    ArgumentSpec(
        options={
            "template_id": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "aborted"], "default": "present"},
            "run_id": {"type": "str"},
            "arguments": {"type": "dict"},
            "secret_arguments": {"type": "dict", "no_log": True},
        },
        mutually_exclusive=(("run_id", "arguments"), ("run_id", "secret_arguments")),
        required_if=(("state", "aborted", ("run_id",)),),
    )
)

# How many runs are read before one is started, where they are listed newest first. A template may have had thousands.
# The order is not documented: in any other, all are read.
_REMEMBERED = 100
_COMPARED = 10  # new runs whose arguments are compared, each with a request
_NAMED_NODES = 5  # of those to blame, in a message
_MAX_REASON = 300  # characters of what the platform says of a node


def plan(client: Northflank, params: Params) -> Plan:
    """What the module template_run does. Raises PaasError, with the run in results where there is one."""
    client.hide(texts_in(params["secret_arguments"]))
    deadline = deadline_of(params)
    kind = _kind(client, params)
    if params["run_id"] is None:
        return _plan_start(client, kind, params, deadline)
    run = _by_id(client, params)
    if params["state"] == "present":
        return plan_wait(client, kind, params, run, deadline)

    def send() -> None:
        client.post(f"{_run_path(params, run)}/abort", permission=RUNS_ABORT)

    return plan_stop(client, kind, params, run, send, deadline)


# What is there


def _template(params: Params) -> dict[str, str]:
    return {"template_id": str(params["template_id"])}


def _list_path(params: Params) -> str:
    return path_of(TEMPLATE_RUN.lists[0], _template(params))


def _run_path(params: Params, run: Item) -> str:
    return path_of(str(TEMPLATE_RUN.one), {**_template(params), "run_id": id_of(run) or ""})


def _runs(client: Northflank, params: Params, limit: int | None = None) -> list[Item]:
    try:
        return client.get_list(
            _list_path(params), TEMPLATE_RUN.list_key, limit=limit, permission=TEMPLATE_RUN.permission
        )
    except NotFoundError as error:
        name_missing_parent(client, TEMPLATE_RUN, _template(params), error)
        raise


def _now(client: Northflank, params: Params, run: Item) -> Item | None:
    """A run as it is now, in full."""
    return if_there(lambda: client.get(_run_path(params, run), permission=TEMPLATE_RUN.permission))


def _by_id(client: Northflank, params: Params) -> Item:
    run = {"id": params["run_id"]}
    try:
        return client.get(_run_path(params, run), permission=TEMPLATE_RUN.permission)
    except NotFoundError as error:
        name_missing_parent(client, TEMPLATE_RUN, _template(params), error)
        raise not_found("template run", "run_id", str(params["run_id"]), error) from None


# Results


def _kind(client: Northflank, params: Params) -> Kind:
    def named(run: Item) -> str:
        return f"The run {id_of(run)} of the template {params['template_id']}"

    def result(run: Item | None) -> Item:
        run = run or {}
        unknown = dict.fromkeys(("id", "name", "status", "concluded", "createdAt", "updatedAt"))
        shown = {
            "template_run": {**client.plain({**unknown, **run}, USER_KEYED), **_template(params)},
            "failed_nodes": failed_nodes(run) if _has_failed(run) else [],
        }
        return t.cast("Item", _masked(shown, params))

    def require_good(run: Item) -> None:
        status = run.get("status")
        if not _has_failed(run):
            return
        told = result(run)
        error = JobError(f"{named(run)} {_ending(str(status))} (its status is {status}).{_blame(told['failed_nodes'])}")
        error.results.update(told)
        raise error

    def late(run: Item) -> str:
        again = f"run_id={id_of(run)} waits for it."
        if run.get("status") == RUN_APPROVAL_STATE:
            nodes = "; ".join(node["path"] for node in nodes_in(run, (RUN_APPROVAL_STATE,)))
            return f" It waits until a person approves it on Northflank{f' ({nodes})' if nodes else ''}. Then {again}"
        return f" It goes on: {again}"

    return Kind(
        subject=f"run of template {params['template_id']}",
        now=lambda run: _now(client, params, run),
        named=named,
        require_good=require_good,
        result=result,
        late=late,
        is_over=is_run_finished,
    )


def _has_failed(run: Item) -> bool:
    return is_run_finished(run) and run.get("status") not in RUN_SUCCESS_STATES


def _masked(value: t.Any, params: Params) -> t.Any:
    """A value without the secret arguments, which the platform repeats.

    Ansible masks them as well, but only in the end: what is cut before that could keep a part of one.
    """
    return remove_values(value, set(texts_in(params["secret_arguments"])))


def _ending(status: str) -> str:
    endings = {
        "aborted": "was aborted",
        "skipped": "was not carried out: the platform skipped it, as the concurrency policy of a template may want it",
        "unknown": "ended, and the platform does not know how",
    }
    return endings.get(status, "failed")


def _blame(nodes: list[Item]) -> str:
    if not nodes:
        return ""
    told = "; ".join(f"{node['path']}: {_reason(node)}" for node in nodes[:_NAMED_NODES])
    more = f"; and {len(nodes) - _NAMED_NODES} more" if len(nodes) > _NAMED_NODES else ""
    return f" Failed: {told}{more}."


def _reason(node: Item) -> str:
    said = [str(node[name]) for name in ("code", "message") if node[name] is not None]
    return " ".join(said).rstrip(".")[:_MAX_REASON] or str(node["status"])


# Starting


def _plan_start(client: Northflank, kind: Kind, params: Params, deadline: Deadline) -> Plan:
    arguments = _arguments(params)
    before = _before(client, params)
    predicted: Item = {"arguments": arguments} if arguments else {}
    return plan_start(
        kind, params, lambda: _start(client, params, arguments, before, deadline), predicted, deadline, good="success"
    )


def _arguments(params: Params) -> Item:
    open_, secret = params["arguments"] or {}, params["secret_arguments"] or {}
    twice = sorted(set(open_) & set(secret))
    if twice:
        raise OptionError(f"The options arguments and secret_arguments both have {', '.join(map(str, twice))}.")
    return {**open_, **secret}


@dataclasses.dataclass(frozen=True)
class _Before:
    """The runs that there are before one is started.

    ids: of all of them, or of the newest ones. newest: then when the very newest was made; None where ids has all.
    """

    ids: frozenset[str | None]
    newest: datetime | None = None


def _before(client: Northflank, params: Params) -> _Before:
    runs = _runs(client, params, _REMEMBERED)
    newest = None
    if len(runs) >= _REMEMBERED:
        newest = _made_last(runs)
        runs = runs if newest else _runs(client, params)
    return _Before(frozenset(map(id_of, runs)), newest)


def _made_last(runs: list[Item]) -> datetime | None:
    """When the newest run was made, if they are listed newest first."""
    made = [moment for moment in (parse(run.get("createdAt")) for run in runs) if moment]
    is_sorted = len(made) == len(runs) and made == sorted(made, reverse=True)
    return made[0] if is_sorted and made[0] > made[-1] else None


def _start(client: Northflank, params: Params, arguments: Item, before: _Before, deadline: Deadline) -> Item:
    body = {"arguments": arguments} if arguments else {}
    try:
        run = start(
            lambda: client.post(_list_path(params), body, permission=TEMPLATES_RUN),
            lambda: _new(client, params, before),
            deadline,
            what="the run",
        )
    except PaasError as error:
        if error.status == 409:
            error.message += " The concurrency policy of the template may forbid a run while another one goes on."
        raise
    # Without its nodes it has to be read before it is judged.
    return run if "spec" in run else {"id": id_of(run)}


def _new(client: Northflank, params: Params, before: _Before) -> list[Item]:
    """Runs that were not there before and may be the one that was asked for."""
    found = [
        one
        for one in _runs(client, params, 2 * _REMEMBERED if before.newest else None)
        if id_of(one) not in before.ids and _is_since(one, before.newest)
    ]
    full = [_now(client, params, one) or one for one in found[:_COMPARED]]
    return [one for one in full if _has_arguments(one, params)] + found[_COMPARED:]


def _is_since(run: Item, moment: datetime | None) -> bool:
    made = parse(run.get("createdAt"))
    return moment is None or (made is not None and made >= moment)


def _has_arguments(run: Item, params: Params) -> bool:
    """Whether a run was started with the arguments of the task, among the template's own, as far as it tells.

    Whether the platform shows values as they were sent is not documented: texts are compared, and of secrets the names.
    """
    there = run.get("arguments")
    if not isinstance(there, dict):
        return True
    open_, secret = params["arguments"] or {}, params["secret_arguments"] or {}
    return set(secret) <= set(there) and all(
        name in there and _text(there[name]) == _text(value) for name, value in open_.items()
    )


def _text(value: t.Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
