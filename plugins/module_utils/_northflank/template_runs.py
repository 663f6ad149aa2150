# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of a template: starting and stopping them, and which node is to blame. Facts from the official client."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from datetime import datetime

from .._argspec import ArgumentSpec
from .._errors import OptionError, PaasError
from .._plan import Plan
from .._redact import mask_values, texts_in
from .._timestamps import parse
from .._types import Item, Params
from .api import Northflank
from .resources import RUNS_ABORT, TEMPLATE_RUN, TEMPLATES_RUN
from .starting import WAITING, Operation, id_of
from .states import RUN_APPROVAL_STATE, failed_nodes, is_run_finished, nodes_in

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

# How many runs are read before one is started, if they are listed newest first. A template may have had thousands.
# The order is not documented: in any other, all are read.
_REMEMBERED = 100
_COMPARED = 10  # new runs whose arguments are compared, each with a request
_NAMED_NODES = 5  # of those to blame, in a message
_MAX_REASON = 300  # characters of what the platform says about a node


def plan(client: Northflank, params: Params) -> Plan:
    """Plan what the module template_run does. Raises PaasError, with the run in results if there is one."""
    client.transport.redact.hide(texts_in(params["secret_arguments"]))
    operation = _Run(client, params)
    if params["run_id"] is None:
        return operation.plan_present()
    run = operation.with_id()
    if params["state"] == "present":
        return operation.plan_wait(run)
    return operation.plan_stop(run, lambda: client.post(f"{operation.path(run)}/abort", permission=RUNS_ABORT))


@dataclasses.dataclass(frozen=True)
class _Before:
    """The runs that there are before one is started."""

    # Of all of them, or of the newest ones.
    ids: frozenset[str | None]
    # Then when the very newest was made; None if ids has all.
    newest: datetime | None = None


class _Run(Operation):
    resource = TEMPLATE_RUN
    good = "success"

    def __init__(self, client: Northflank, params: Params) -> None:
        super().__init__(client, params)
        self.open: Item = params["arguments"] or {}
        self.secret: Item = params["secret_arguments"] or {}

    def subject(self) -> str:
        return f"run of template {self.ids['template_id']}"

    def named(self, item: Item) -> str:
        return f"The run {id_of(item)} of the template {self.ids['template_id']}"

    def failure(self, item: Item) -> str | None:
        status = item.get("status")
        if not self.is_over(item) or status == self.good:
            return None
        what = {
            "aborted": "was aborted",
            "skipped": "was not carried out: the platform skipped it, as the concurrency policy of a template may want"
            " it",
            "unknown": "ended, and the platform does not know how",
        }.get(str(status), "failed")
        return f"{self.named(item)} {what} (its status is {status}).{_blame(self.result(item)['failed_nodes'])}"

    def result(self, item: Item | None) -> Item:
        run = item or {}
        unknown = dict.fromkeys(("id", "name", "status", "concluded", "createdAt", "updatedAt"))
        shown = {
            "template_run": self.plain(run, **unknown),
            "failed_nodes": failed_nodes(run) if self.is_over(run) and run.get("status") != self.good else [],
        }
        # The platform repeats secret arguments.
        return t.cast("Item", mask_values(shown, self.secret))

    def is_over(self, item: Item) -> bool:
        return is_run_finished(item)

    def late(self, item: Item) -> str:
        if item.get("status") != RUN_APPROVAL_STATE:
            return super().late(item)
        nodes = "; ".join(node["path"] for node in nodes_in(item, (RUN_APPROVAL_STATE,)))
        where = f" ({nodes})" if nodes else ""
        return f" It waits until a person approves it on Northflank{where}. Then run_id={id_of(item)} waits for it."

    def plan_present(self) -> Plan:
        """Plan to start a run. Raises OptionError for arguments that are given twice."""
        twice = sorted(set(self.open) & set(self.secret))
        if twice:
            raise OptionError(f"The options arguments and secret_arguments both have {', '.join(map(str, twice))}.")
        arguments = {**self.open, **self.secret}
        body: Item = {"arguments": arguments} if arguments else {}
        before = self._before()
        return self.plan_start(lambda: self._start(body, before), body)

    def _before(self) -> _Before:
        runs = self.listed(_REMEMBERED)
        newest = None
        if len(runs) >= _REMEMBERED:
            newest = _made_last(runs)
            runs = runs if newest else self.listed()
        return _Before(frozenset(map(id_of, runs)), newest)

    def _start(self, body: Item, before: _Before) -> Item:
        try:
            run = self.start(
                lambda: self.client.post(self.list_path(), body, permission=TEMPLATES_RUN),
                lambda: self._new(before),
                "the run",
            )
        except PaasError as error:
            if error.status == 409:
                error.message += " The concurrency policy of the template may forbid a run while another one goes on."
            raise
        # Without its nodes it has to be read before it is judged.
        return run if "spec" in run else {"id": id_of(run)}

    def _new(self, before: _Before) -> list[Item]:
        """Return runs that were not there before and may be the one that was asked for."""
        found = [
            one
            for one in self.listed(2 * _REMEMBERED if before.newest else None)
            if id_of(one) not in before.ids and _is_since(one, before.newest)
        ]
        full = [self.now(one) or one for one in found[:_COMPARED]]
        return [one for one in full if self._has_arguments(one)] + found[_COMPARED:]

    def _has_arguments(self, run: Item) -> bool:
        """Whether a run was started with the arguments of the task, among the template's own, as far as it tells.

        Whether the platform shows values as they were sent is not documented: texts are compared, and of secrets the
        names.
        """
        there = run.get("arguments")
        if not isinstance(there, dict):
            return True
        return set(self.secret) <= set(there) and all(
            name in there and _text(there[name]) == _text(value) for name, value in self.open.items()
        )


def _made_last(runs: list[Item]) -> datetime | None:
    """Return when the newest run was made, if they are listed newest first."""
    made = [moment for moment in (parse(run.get("createdAt")) for run in runs) if moment]
    is_sorted = len(made) == len(runs) and made == sorted(made, reverse=True)
    return made[0] if is_sorted and made[0] > made[-1] else None


def _is_since(run: Item, moment: datetime | None) -> bool:
    made = parse(run.get("createdAt"))
    return moment is None or (made is not None and made >= moment)


def _text(value: t.Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _blame(nodes: list[Item]) -> str:
    if not nodes:
        return ""
    told = "; ".join(f"{node['path']}: {_reason(node)}" for node in nodes[:_NAMED_NODES])
    more = f"; and {len(nodes) - _NAMED_NODES} more" if len(nodes) > _NAMED_NODES else ""
    return f" Failed: {told}{more}."


def _reason(node: Item) -> str:
    said = [str(node[name]) for name in ("code", "message") if node[name] is not None]
    return " ".join(said).rstrip(".")[:_MAX_REASON] or str(node["status"])
