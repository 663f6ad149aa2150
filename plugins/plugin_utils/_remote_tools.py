# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Command lines for containers that may have few tools: of a POSIX shell, with input of a known length, for files.

All of it happens within the one command that is to be run anyhow, and nothing is left behind or remembered.
"""

from __future__ import annotations

import functools
import inspect
import typing as t

from ansible_collections.quayside.paas.plugins.plugin_utils import _stand_ins

# What the become plugin northflank_user puts in front of a command, and the connection northflank_exec takes away. Any
# other connection runs it. It has nothing in it that changes when the command is quoted.
BECOME_MARK = (
    'echo "The become method quayside.paas.northflank_user works over the connection quayside.paas.northflank_exec'
    ' only." >&2; exit 1; '
)

# Arguments: the source of the stand-ins, then the command. Where a tool is missing and Python is there, the stand-ins
# run the command; else it takes the place of the shell.
_START = f"""\
for tool in {" ".join(_stand_ins.TOOLS)}; do
  command -v "$tool" >/dev/null 2>&1 && continue
  command -v python3 >/dev/null 2>&1 && exec python3 -ISc 'import sys; exec(sys.argv[1])' "$0" "$@"
  break
done
exec "$@"
"""

# The first line says how many bytes there are. Nobody has to see the end of the input, and nothing is read beyond.
_FEED = """\
feed() {
  if command -v head >/dev/null 2>&1; then head -c "$1"; else dd bs=1 count="$1" 2>/dev/null; fi
}
command -v head >/dev/null 2>&1 || command -v dd >/dev/null 2>&1 || {
  echo "There is neither head, dd nor python3, one of which is needed to pass data on." >&2; exit 127
}
"""
_FED = _FEED + """{ IFS= read -r count && feed "$count"; } | "$0" -c "$1"\n"""
_STORE = _FEED + """IFS= read -r count && feed "$count" >"$1" && wc -c <"$1"\n"""
# The size goes ahead on its own way; a file that grows meanwhile is read as far as it was there.
_LOAD = _FEED + """size=$(wc -c <"$1") && echo "$size" >&2 && feed "$((size))" <"$1"\n"""


@functools.cache
def _source() -> str:
    return inspect.getsource(_stand_ins)


def _started(shell: str, script: str, *arguments: str) -> list[str]:
    return [shell, "-c", _START, _source(), shell, "-c", script, *arguments]


def plain(shell: str, command: str) -> list[str]:
    """Arguments that run a command of the shell."""
    return _started(shell, command)


def fed(shell: str, command: str) -> list[str]:
    """Arguments that run a command of the shell which reads what counted() makes, and sees its end."""
    return _started(shell, _FED, shell, command)


def store(shell: str, path: str) -> list[str]:
    """Arguments that write what counted() makes into a file, and print the size that it then has."""
    return _started(shell, _STORE, shell, path)


def load(shell: str, path: str) -> list[str]:
    """Arguments that print the size of a file to standard error, and the file itself to standard output."""
    return _started(shell, _LOAD, shell, path)


def counted(size: int, chunks: t.Iterable[bytes]) -> t.Iterator[bytes]:
    """Input for fed() and store(): so many bytes in all."""
    yield b"%d\n" % size
    yield from chunks
