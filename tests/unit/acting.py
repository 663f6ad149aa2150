# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the modules for Northflank that act, call by call, by a clock that is moved by hand."""

from __future__ import annotations

import functools
import typing as t
from unittest import mock

from ansible_collections.quayside.paas.plugins.module_utils._module.runner import execute
from ansible_collections.quayside.paas.plugins.module_utils._northflank import starting
from ansible_collections.quayside.paas.plugins.module_utils._wait import Deadline
from unit.fakes import OK, TOKEN, URL, Answer, Call, Platform, get, json_reply
from unit.hosts import declared, validate

Item = dict[str, t.Any]
OWN = {"changed", "diff", "rate_limit", "request_count"}
REFUSALS = [400, 404, 409, 422]


def data(**found: t.Any) -> Answer:
    """An answer with one object."""
    return json_reply({"data": found})


def post(path: str, answer: Answer = OK, body: t.Any = None, **query: str) -> Call:
    """A POST; its query as keywords, in order."""
    return Call("POST", path, answer, list(query.items()), body)


def delete(path: str, answer: Answer = OK) -> Call:
    return Call("DELETE", path, answer)


def listed(path: str, answer: Answer, **query: t.Any) -> Call:
    """A page of a list."""
    return get(path, answer, per_page=100, **query)


def run(platform: Platform, module: str, *, check: bool = False, **arguments: t.Any) -> Item:
    """The result of a module, with its diff. Token and address are given; retry_budget is 0."""
    declaration = declared(module)
    checked = validate(declaration, **{"api_token": TOKEN, "api_url": URL, "retry_budget": 0, **arguments})
    assert checked.error_messages == []
    clock = platform.clock
    timed = functools.partial(Deadline, sleep=clock.sleep, clock=clock.now)
    with mock.patch.object(starting, "Deadline", timed):
        result = execute(declaration, checked.validated_parameters, check_mode=check, diff=True)
    assert TOKEN not in repr(result)
    assert len(platform.requests) >= result["request_count"]
    return result


def well(platform: Platform, module: str, *, check: bool = False, **arguments: t.Any) -> Item:
    """The result of a module that has to succeed. What the diff shows differs when, and only when, it is changed."""
    result = run(platform, module, check=check, **arguments)
    assert not result.get("failed"), result["msg"]
    assert (result["diff"]["before"] != result["diff"]["after"]) is result["changed"]
    return result


def badly(platform: Platform, module: str, **arguments: t.Any) -> Item:
    """The result of a module that has to fail."""
    result = run(platform, module, **arguments)
    assert result["failed"] is True
    assert set(result["error"]) == {"method", "path", "status", "code", "id", "details"}
    return result


def sent(platform: Platform) -> list[str]:
    """The methods and last parts of paths of what was sent to change something."""
    return [
        f"{one.method} {str(one.url).partition('?')[0].rpartition('/')[2]}"
        for one in platform.requests
        if one.method != "GET"
    ]
