# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Modules that act: plan from what is there, stop in check mode, act, and show what is different."""

from __future__ import annotations

import typing as t

from .._argspec import ArgumentSpec
from .._plan import Plan
from .runner import Client, Module, Params, Platform, module_of


def action_module(
    platform: Platform,
    plan: t.Callable[[t.Any, Params], Plan],
    *arguments: ArgumentSpec,
    is_secret: t.Callable[[Params], bool] | None = None,
) -> Module:
    """Declares a module that acts.

    plan: reads what is there, compares it with the parameters, and says what to do; it changes nothing itself.
    arguments: the module's own options, and groups of options that it shares with others. is_secret: see Module.
    """

    def run(client: Client, params: Params) -> dict[str, t.Any]:
        return apply(client, plan(client, params))

    secret = {} if is_secret is None else {"is_secret": is_secret}
    return module_of(platform, run, *arguments, **secret)


def apply(client: Client, plan: Plan) -> dict[str, t.Any]:
    """Does what a plan says, unless this is check mode, and returns the result of the task with its diff."""
    result, after, changed = dict(plan.result), plan.after, plan.act is not None
    if plan.act is not None and not client.check_mode:
        done = plan.act()
        result.update(done.result)
        after = plan.after if done.after is None else done.after
        changed = done.changed
    headers = {"before_header": plan.subject, "after_header": plan.subject}
    return {**result, "changed": changed, "diff": {**headers, "before": plan.before, "after": after}}
