# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A callback that writes down when each task began and ended, and nothing else."""

from __future__ import annotations

import json
import os
import time
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: stopwatch
type: aggregate
short_description: Writes down when tasks began and ended
version_added: 0.1.0
description:
  - Writes a list of tasks with the times of the system's monotonic clock into the file E(STOPWATCH_FILE).
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Collects names and times of tasks; a loop counts from its first item to its last."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "stopwatch"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._tasks: list[dict[str, t.Any]] = []

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        self._tasks.append({"name": str(task.get_name()), "began": time.monotonic(), "ended": None})

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._tasks[-1]["ended"] = time.monotonic()

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._tasks[-1]["ended"] = time.monotonic()

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        with open(os.environ["STOPWATCH_FILE"], "w", encoding="utf-8") as file:
            json.dump(self._tasks, file)
