# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action for the plays of these tests: sends requests to the simulator from the worker, which is quick."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):  # type: ignore[misc]
    """requests: a list of objects with url, and optionally method, headers, body. Returns answers, the parsed JSON."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        answers = []
        for asked in self._task.args["requests"]:
            body = None if asked.get("body") is None else json.dumps(asked["body"]).encode()
            headers = {"Content-Type": "application/json", **asked.get("headers", {})}
            request = urllib.request.Request(str(asked["url"]), body, headers, method=str(asked.get("method", "GET")))
            with opener.open(request, timeout=30) as answer:
                answers.append(json.load(answer))
        return {**result, "answers": answers}
