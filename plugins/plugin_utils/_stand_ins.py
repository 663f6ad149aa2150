# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Stands in for the few tools that Ansible uses, in containers that have none of them but Python.

The source of this file is sent to the container, see _remote_tools.py. There it runs in two ways: begin() puts itself
into a private folder under the names of the tools, and runs a command that finds them; and tool() is what runs under
such a name. It needs the standard library of Python 3.8 only. Each tool knows the options that Ansible uses.
"""

from __future__ import annotations

import os
import signal
import sys

# Importing takes longer than what the tools do: nothing is imported that is not needed.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing as t

PORTION = 1024 * 1024
NO_EXEC = getattr(os, "ST_NOEXEC", 0)
# Bits of a mode for each letter of a symbolic one, for all three classes of users.
LETTERS = {"r": 0o444, "w": 0o222, "x": 0o111, "s": 0o6000, "t": 0o1000}
CLASSES = {"u": 0o4700, "g": 0o2070, "o": 0o1007, "a": 0o7777}


class Wrong(Exception):
    """What the tool was told cannot be done by it."""


def begin(source: str, command: list[str]) -> int:
    """Runs a command that finds the tools behind those in its path, and returns its exit code."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: sys.exit(128 + received))
    folder = private_folder()
    try:
        if folder is not None:
            write_tools(folder, source)
            os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:{folder}"
        code = os.spawnvp(os.P_WAIT, command[0], command)
        return 128 - code if code < 0 else code
    finally:
        if folder is not None:
            clear_away(folder)


def clear_away(folder: str) -> None:
    """Removes a folder as far as possible."""
    try:
        remove(folder, recursive=True)
    except OSError as error:
        print(f"quayside.paas could not remove {folder}: {error.strerror}", file=sys.stderr)


def private_folder() -> str | None:
    """A new folder that only this user can enter and from which programs can be started; None if there is no place."""
    places = [os.environ.get("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm", os.environ.get("HOME")]
    for place in filter(None, places):
        folder = os.path.join(place, f".quayside-{os.urandom(12).hex()}")
        try:
            if not os.statvfs(place).f_flag & NO_EXEC:
                os.mkdir(folder, 0o700)
                return folder
        except OSError:
            continue
    return None


def write_tools(folder: str, source: str) -> None:
    """Puts the tools into a folder; as many as there is room for."""
    program = os.path.join(folder, ".tool")
    try:
        with open(os.open(program, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700), "w", encoding="utf-8") as file:
            file.write(f"#!{sys.executable} -IS\n{source}")
        for name in TOOLS:
            os.symlink(".tool", os.path.join(folder, name))
    except OSError as error:
        print(f"quayside.paas could not write to {folder}: {error.strerror}", file=sys.stderr)


def tool(name: str, arguments: list[str]) -> int:
    """Does what the tool of that name does, and returns its exit code."""
    try:
        TOOLS[name](arguments)
        return 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"{name}: {where}{error.strerror}", file=sys.stderr)
    except Wrong as error:
        print(f"{name}: {error} (this is a stand-in of quayside.paas)", file=sys.stderr)
    return 1


def parse(arguments: list[str], flags: str = "", valued: str = "") -> tuple[dict[str, str], list[str]]:
    """Options and the rest. flags: letters without a value, valued: letters with one. Raises Wrong for others."""
    options: dict[str, str] = {}
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in flags:
                options[letter] = ""
            elif letter in valued and (letters or rest):
                options[letter], letters = letters or rest.pop(0), ""
            else:
                raise Wrong(f"cannot do {word}")
    return options, rest


def copy(source: int, most: int | None = None) -> None:
    """Passes what a file descriptor gives to standard output. most: bytes; it takes none beyond."""
    while most is None or most > 0:
        data = os.read(source, PORTION if most is None else min(most, PORTION))
        if not data:
            return
        most = None if most is None else most - len(data)
        while data:
            data = data[os.write(1, data) :]


def cat(arguments: list[str]) -> None:
    """cat [FILE...]"""
    for name in parse(arguments)[1] or ["-"]:
        source = 0 if name == "-" else os.open(name, os.O_RDONLY)
        copy(source)
        if source:
            os.close(source)


def head(arguments: list[str]) -> None:
    """head -c NUMBER, of standard input."""
    options, rest = parse(arguments, valued="c")
    if rest or not options.get("c", "").isdigit():
        raise Wrong("can only do -c NUMBER, with standard input")
    copy(0, int(options["c"]))


def wc(arguments: list[str]) -> None:
    """wc -c, of standard input."""
    options, rest = parse(arguments, flags="c")
    if rest or not options:
        raise Wrong("can only do -c, with standard input")
    count = 0
    while data := os.read(0, PORTION):
        count += len(data)
    print(count)


def mkdir(arguments: list[str]) -> None:
    """mkdir [-p] [-m MODE] FOLDER..."""
    options, rest = parse(arguments, flags="p", valued="m")
    for folder in rest:
        if "p" in options:
            os.makedirs(folder, exist_ok=True)
        else:
            os.mkdir(folder)
        if "m" in options:
            os.chmod(folder, new_mode(options["m"], 0o777, True))


def rm(arguments: list[str]) -> None:
    """rm [-f] [-r] FILE..."""
    options, rest = parse(arguments, flags="frR")
    for path in rest:
        if os.path.realpath(path) == "/":
            raise Wrong("does not remove /")
        try:
            remove(path, bool({"r", "R"} & set(options)))
        except FileNotFoundError:
            if "f" not in options:
                raise


def remove(path: str, recursive: bool) -> None:
    """Removes a file, or a folder with what is in it."""
    if recursive and os.path.isdir(path) and not os.path.islink(path):
        for entry in os.listdir(path):
            remove(os.path.join(path, entry), True)
        os.rmdir(path)
    else:
        os.unlink(path)


def chmod(arguments: list[str]) -> None:
    """chmod MODE FILE... A mode such as u-w may look like an option."""
    if len(arguments) < 2:
        raise Wrong("needs a mode and files")
    for path in arguments[1:]:
        os.chmod(path, new_mode(arguments[0], os.stat(path).st_mode & 0o7777, os.path.isdir(path)))


def new_mode(text: str, mode: int, is_folder: bool) -> int:
    """The mode that octal digits or symbols make of another one. Raises Wrong."""
    import re

    if re.fullmatch("[0-7]{1,4}", text):
        return int(text, 8)
    for clause in text.split(","):
        match = re.fullmatch("([ugoa]*)([-+=])([rwxXst]*)", clause)
        if match is None:
            raise Wrong(f"does not know the mode {text}")
        who, action, letters = match.groups()
        mode = _changed(mode, who, action, letters.replace("X", "x" if is_folder or mode & 0o111 else ""))
    return mode


def _changed(mode: int, who: str, action: str, letters: str) -> int:
    mask = 0
    for letter in who or "a":
        mask |= CLASSES[letter]
    bits = 0
    for letter in letters:
        bits |= LETTERS[letter] & mask
    if not who:
        os.umask(umask := os.umask(0))
        bits &= ~umask
    if action == "=":
        return mode & ~mask | bits
    return mode | bits if action == "+" else mode & ~bits


def chown(arguments: list[str]) -> None:
    """chown USER[:GROUP] FILE..."""
    _options, (owner, *paths) = parse(arguments or [""])
    user, _colon, group = owner.partition(":")
    for path in paths:
        os.chown(path, _number("user", user), _number("group", group))


def chgrp(arguments: list[str]) -> None:
    """chgrp GROUP FILE..."""
    _options, (group, *paths) = parse(arguments or [""])
    for path in paths:
        os.chown(path, -1, _number("group", group))


def _number(kind: str, name: str) -> int:
    """The number of a user or group, -1 for none. Raises Wrong."""
    import grp
    import pwd

    if not name or name.isdigit():
        return int(name or -1)
    try:
        return pwd.getpwnam(name).pw_uid if kind == "user" else grp.getgrnam(name).gr_gid
    except KeyError:
        raise Wrong(f"there is no {kind} {name}") from None


def sleep(arguments: list[str]) -> None:
    """sleep SECONDS..."""
    import time

    try:
        time.sleep(sum(float(one) for one in arguments))
    except ValueError:
        raise Wrong("needs numbers of seconds") from None


def uname(arguments: list[str]) -> None:
    """uname [-amnrsv]"""
    options, _rest = parse(arguments, flags="amnrsv")
    wanted = "snrvm" if "a" in options else options or "s"
    known = dict(zip("snrvm", os.uname()))  # noqa: B905 - strict is of Python 3.10
    print(*(known[letter] for letter in known if letter in wanted))


TOOLS: dict[str, t.Callable[[list[str]], None]] = {
    each.__name__: each for each in (cat, chgrp, chmod, chown, head, mkdir, rm, sleep, uname, wc)
}

if __name__ == "__main__":
    called = os.path.basename(sys.argv[0])
    sys.exit(tool(called, sys.argv[1:]) if called in TOOLS else begin(sys.argv[1], sys.argv[2:]))
