# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules that act: they plan first, and change something only outside check mode."""

from __future__ import annotations

import typing as t

from .._argspec import ArgumentSpec
from .._client import PlatformClient
from .._plan import Plan
from .._types import Params
from .runner import Module, Platform, module_of


def action_module(
    platform: Platform, plan: t.Callable[[t.Any, Params], Plan], *arguments: ArgumentSpec, **more: t.Any
) -> Module:
    """Declare a module that acts. See module_of().

    Args:
        plan: Reads what is there, compares it with the parameters, and says what to do; it changes nothing itself.
    """

    def run(client: PlatformClient, params: Params) -> dict[str, t.Any]:
        return apply(client, plan(client, params))

    return module_of(platform, run, *arguments, **more)


def apply(client: PlatformClient, plan: Plan) -> dict[str, t.Any]:
    """Do what a plan says, unless this is check mode, and return the result of the task with its diff."""
    result, after, changed = dict(plan.result), plan.after, plan.act is not None
    if plan.act is not None and not client.check_mode:
        done = plan.act()
        result.update(done.result)
        after = plan.after if done.after is None else done.after
        changed = done.changed
    headers = {"before_header": plan.subject, "after_header": plan.subject}
    return {**result, "changed": changed, "diff": {**headers, "before": plan.before, "after": after}}
