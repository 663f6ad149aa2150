# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Behaviour that every module documents.
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description:
      - Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
      - This assumes that the system controlled or queried by the module has not changed in a relevant way.
"""

    # For modules that only read.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module does not modify state.
  diff_mode:
    support: N/A
    details:
      - This module does not modify state.
  idempotent:
    support: full
    details:
      - This module does not modify state.
"""

    # Where a task runs.
    IN_PROCESS = r"""
options:
  in_process:
    description:
      - Whether to run the task inside the process of the controller if it runs on the controller. This saves several
        hundred milliseconds for each task and loop item. The results are the same.
      - Tasks with C(become) or C(async), tasks on other hosts, and tasks with a Python interpreter of their own always
        run as ordinary modules. If the interpreter is left to discovery, the controller's own is used.
      - The variable C(quayside_paas_in_process) sets this for a host, a group or a play. The option takes precedence.
    type: bool
    default: true
"""

    # For modules that read lists.
    LIST = r"""
options:
  limit:
    description:
      - Maximum number of items to return. Reading stops when it is reached.
      - By default, all items are read, 100 a request.
    type: int
"""

    # For modules that can read many parents in one task.
    FAN = r"""
options:
  concurrency:
    description:
      - Maximum number of concurrent requests when several lists or items are read, V(1) to V(32).
      - It does not change the order of the results.
      - With O(limit), lists are read one after the other, to save requests.
    type: int
    default: 4
"""

    # For modules that start an operation on the platform.
    WAIT = r"""
options:
  wait:
    description:
      - Whether to wait until the operation is finished. Otherwise the task ends as soon as the platform has accepted
        the request.
    type: bool
    default: true
  wait_timeout:
    description:
      - Total number of seconds to wait, V(0) to V(86400). When the wait times out, the task fails, and the operation
        continues on the platform.
    type: int
    default: 300
  wait_interval:
    description:
      - Seconds between two polls, V(1) to V(3600).
    type: int
    default: 2
"""

    # For modules that make changes and are idempotent.
    ACTION_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""
