# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module as a process of its own, as Ansible starts it on a host, so that it can be killed."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t

from support.playbook import COLLECTIONS_PATH, environment

if t.TYPE_CHECKING:
    from pathlib import Path

Arguments = dict[str, t.Any]

# AnsibleModule reads its arguments from these, as the wrapper that Ansible ships sets them.
PROGRAM = """
import sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
basic._ANSIBLE_PROFILE = "legacy"
from ansible_collections.quayside.paas.plugins.modules import {module}
{module}.main()
"""


def start(folder: Path, module: str, arguments: Arguments) -> subprocess.Popen[bytes]:
    """Starts a module."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(module=module)],
        env=environment(folder, PYTHONPATH=str(COLLECTIONS_PATH)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdin
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: subprocess.Popen[bytes]) -> dict[str, t.Any]:
    """The result of the module."""
    output, _none = process.communicate(timeout=120)
    result: dict[str, t.Any] = json.loads(output)
    return result
