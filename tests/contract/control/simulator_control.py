# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action for the plays of these tests: prepares the simulator for a case from the worker, which is quick."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ActionModule(ActionBase):  # type: ignore[misc]
    """Options: `journal` is a file for the requests received since the last clearing, `requests` follow in turn.

    The variable SIMULATOR_ACCESS holds the URLs and headers, as JSON, so that no token is among the options.
    """

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send the requests. Raises AnsibleError."""
        result = super().run(tmp, task_vars)
        access = json.loads(os.environ["SIMULATOR_ACCESS"])
        if "journal" in self._task.args:
            received = _send(access, {"control": "journal", "method": "GET"})["entries"]
            Path(self._task.args["journal"]).write_text(json.dumps(received), encoding="utf-8")
        for request in self._task.args.get("requests", []):
            _send(access, request)
        return result


def _send(access: dict[str, Any], asked: dict[str, Any]) -> Any:
    """Send a request and return the response.

    `control` names a path below /_sim/, `path` one of the platform that it belongs to, `advance` moves the clock.
    """
    if "advance" in asked:
        asked = {"control": "clock", "body": asked}
    method = str(asked.get("method", "POST"))
    headers = {"Content-Type": "application/json"}
    if "control" in asked:
        url = f"{access['northflank']['url']}/_sim/{asked['control']}"
    else:
        is_northflank = asked["path"].startswith(("/v1/projects/", "/v1/templates/"))
        platform = access["northflank" if is_northflank else "cycle"]
        url = platform["url"] + asked["path"]
        headers |= platform["headers"]
    body = json.dumps(asked["body"]).encode() if asked.get("body") is not None else None
    try:
        with OPENER.open(urllib.request.Request(url, body, headers, method=method)) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise AnsibleError(f"{method} {url}: {error.code} {error.read().decode()}") from error
