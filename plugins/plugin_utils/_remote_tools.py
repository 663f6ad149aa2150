# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What connections run in containers: command lines with input of a known length, and which tools that takes."""

from __future__ import annotations

import re
import typing as t

# What the become plugin northflank_user puts in front of a command, and the connection northflank_exec takes away. Any
# other connection runs it. It has nothing in it that changes when the command is quoted.
BECOME_MARK = (
    'echo "The become method quayside.paas.northflank_user works over the connection quayside.paas.northflank_exec'
    ' only." >&2; exit 1; '
)
# What Ansible itself and the connections run in a container, besides Python.
TOOLS = ("base64", "cat", "chgrp", "chmod", "chown", "dd", "head", "mkdir", "rm", "sleep", "stty", "wc")
NOT_FOUND = 127  # the exit code of a shell that does not find a command

# The first line of the input says how many bytes follow, because its end cannot be sent. Without head, the command must
# not run at all: it would take its input for empty.
_FED = """\
command -v head >/dev/null || { echo "head: not found" >&2; exit 127; }
{ IFS= read -r count && head -c "$count"; } | "$0" -c "$1"
"""
_STORE = """IFS= read -r count && head -c "$count" >"$1" && wc -c <"$1"\n"""
# The size is sent separately, so that a file that grows meanwhile is read up to there.
_LOAD = """size=$(wc -c <"$1") && echo "$size" >&2 && head -c "$((size))" <"$1"\n"""


def fed(shell: str, command: str) -> list[str]:
    """Return the arguments that run a shell command which reads the input that counted() makes, and sees its end."""
    return [shell, "-c", _FED, shell, command]


def store(shell: str, path: str) -> list[str]:
    """Return the arguments that write the input that counted() makes to a file, and print the resulting size."""
    return [shell, "-c", _STORE, shell, path]


def load(shell: str, path: str) -> list[str]:
    """Return the arguments that print the size of a file to standard error and the file to standard output."""
    return [shell, "-c", _LOAD, shell, path]


def counted(size: int, chunks: t.Iterable[bytes]) -> t.Iterator[bytes]:
    """Yield the input for fed() and store(): `size` bytes in `chunks`."""
    yield b"%d\n" % size
    yield from chunks


def missing_tool(code: int, output: bytes) -> str | None:
    """Return a message if a command failed because the container lacks one of the usual tools.

    Args:
        code: The exit code of the command.
        output: What it wrote to standard output and standard error.
    """
    if code != NOT_FOUND:
        return None
    name = "|".join(TOOLS)
    # zsh puts the name behind.
    pattern = rf"(?<![\w./-])({name}): (?:[\w ]+ )?not found|not found: ({name})$"
    found = re.search(pattern.encode(), output.replace(b"\r", b""), re.MULTILINE)
    return without(next(filter(None, found.groups())).decode()) if found else None


def without(tools: str) -> str:
    """Return the message about `tools` that a container does not have."""
    return (
        f"The container has no {tools}. Ansible needs a POSIX shell and the usual tools there, as coreutils or busybox"
        " provide them, and Python for most modules."
    )
