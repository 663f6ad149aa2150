# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Runs commands and transfers files through an interactive shell, where there is nothing else.

The shell is replaced by an agent, which runs the command with pipes and speaks lines in both directions. To the agent:
its program, then the command's stdin, each ended by a line with a dot; in base64, or as octal escapes for printf. From
it: frames TAG KIND NUMBER : PAYLOAD, where the tag is random and the kind one of

  p  the shell answers question NUMBER
  r  the agent's first part is there; NUMBER: whether the terminal passes all bytes on; PAYLOAD: the tool it works with
  b  the command begins now
  1  stdout, and 2  stderr; NUMBER: characters of payload so far, the last frame has none
  a  NUMBER characters have arrived at the agent: after each line unless the terminal is raw, and at the end of stdin
  x  the command has ended with exit code NUMBER

What does not look like that is prompts, echo and messages of the day. Whatever is lost or altered between does not go
unnoticed: the numbers tell.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import io
import itertools
import os
import re
import secrets
import selectors
import shlex
import subprocess
import time
import typing as t

from ansible_collections.quayside.paas.plugins.module_utils._errors import StateError, TransportError

Sink = t.Callable[[bytes], t.Any]

PORTION = 64 * 1024
# Bytes for a line, which then has less than 1000 characters: a terminal that is not raw cuts long ones, some at 1024.
BYTES_PER_LINE = {"python3": 720, "base64": 720, "od": 240}
QUESTION_INTERVAL = 1.0  # seconds to wait for the first answer; then more and more
QUESTION_INTERVAL_MAX = 8.0
FAREWELL = 2.0  # seconds for the session to end by itself
PLAIN = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz /_,:=+@")
ESCAPES = [chr(byte) if byte in PLAIN else f"\\{byte:03o}" for byte in range(256)]

# The backslash makes what is typed, and echoed, another text than what is printed. There is nothing in it that could
# leave the shell waiting for more when a part is lost.
QUESTION = " unset HISTFILE;echo %s\\p%d:"
# Nothing in it is special to one shell. It reads the agent's program from the line with the tag on: what was typed for
# the shell before, and comes to be read here, is forgotten. Python reads its program itself, because bash reads ahead.
# It has to prove that it works: there are commands of that name that do not, from version managers without a version.
FIRST_PART = (
    " exec /bin/sh -c '_m=%s _k=0 _r=1 _t= _p=;"
    'python3 -ISc "import atexit,base64,os,signal,subprocess,sys,threading,tty;from itertools import*;'
    "t=sys.argv[1];f=sys.stdin.buffer;os.isatty(0)and tty.setraw(0);"
    'atexit.register(os._exit,0);print(t+\\"r1:python3\\",flush=True);'
    "list(takewhile(lambda l:l.strip()!=t.encode(),f));"
    'p=b\\"\\".join(takewhile(lambda l:l.strip()!=b\\".\\",f));exec(base64.b64decode(p))" $_m 2>/dev/null&&exit;'
    "for _i in od base64;do command -v $_i >/dev/null 2>&1&&printf . >/dev/null 2>&1&&_t=$_i;done;"
    "[ -t 0 ]&&{ stty raw -echo isig 2>/dev/null||_r=0;};"
    'echo "${_m}r$_r:$_t";'
    "while IFS= read -r _l;do "
    'if [ "$_l" = $_m ];then _p= _k=0;else _p=$_p$_l _k=$((_k+${#_l}));fi;'
    '[ $_r = 1 ]||echo "${_m}a$_k:";'
    '[ "$_l" = . ]&&break;done;'
    'eval "${_p%%.}"\''
)
# Continues what the first part has begun: t, f and p are from there.
PYTHON_AGENT = """
tag, arrived = t, len(p) - p.count(b"\\n") + 1
lock = threading.Lock()
ended = False

def say(kind, number, payload=b""):
    line = ("%s%s%d:" % (tag, kind, number)).encode() + payload + b"\\n"
    with lock:
        while line:
            line = line[os.write(1, line):]

def leave(*_):
    # The client is gone: without it, the command would take what it has read for all there is.
    if not ended:
        os.killpg(child.pid, signal.SIGKILL)
    os._exit(0)

def feed(arrived):
    try:
        for line in f:
            line = line.rstrip()
            if line == tag.encode():
                break
            arrived += len(line)
            try:
                if line == b".":
                    child.stdin.close()
                    say("a", arrived)
                elif line:
                    child.stdin.write(base64.b64decode(line))
            except BrokenPipeError:
                pass  # the command has read enough
    finally:
        leave()

def pump(kind, file):
    number, data = 0, b"-"
    while data:
        data = os.read(file.fileno(), 49152)
        payload = base64.b64encode(data)
        number += len(payload)
        say(kind, number, payload)

say("b", 0)
pipe = subprocess.PIPE
child = subprocess.Popen(["/bin/sh", "-c", command], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
signal.signal(signal.SIGHUP, leave)
feeder = threading.Thread(target=feed, args=(arrived,), daemon=True)
stderr = threading.Thread(target=pump, args=("2", child.stderr), daemon=True)
feeder.start()
stderr.start()
try:
    pump("1", child.stdout)
    stderr.join()
    code = child.wait()
    ended = True
    say("x", code if code >= 0 else 128 - code)
    feeder.join()
except OSError:
    leave()
"""
# The agent without Python. Descriptor 3 is the terminal, 4 leads to $_x, 5 is the command's stderr. A terminal that is
# not raw echoes, even into the middle of what is written meanwhile: there, a command begins when its stdin is complete.
SHELL_AGENT = (
    "exec 3>&1;"
    '_o() { _n=0;while IFS= read -r _l;do _n=$((_n+${#_l}));echo "$_m$1$_n:$_l";done;echo "$_m$1$_n:";};'
    '_i() { while IFS= read -r _l;do _k=$((_k+${#_l}));[ "$_l" = . ]&&break;$1 "$_l"||return;'
    '[ $_r = 1 ]||echo "${_m}a$_k:">&3;done;echo "${_m}a$_k:">&3;};'
    "_keep() { _s=$_s$1;};"
    '_kept() { if [ $_r = 1 ];then _i "$1";else "$1" "$_s";fi;};'
    '_s=;[ ${_r}%(kind)s = 0run ]&&_i _keep;echo "${_m}b0:";'
    "_x=$({ { %(work)s|_o 1 >&3;} 2>&1|%(encode)s|_o 2 >&3;} 4>&1);"
    'echo "${_m}x${_x:-137}:";'
    'while IFS= read -r _l&&[ "$_l" != $_m ];do :;done'
)
SHELL_WORK = {
    # In a subshell, because some shells report a killed command to where that command's own stderr goes.
    "run": "{ _kept %(decode)s;} 2>/dev/null|"
    '{ { (exec /bin/sh -c "$_c" 2>&5 3>&- 4>&- 5>&-);echo $? >&4;} 5>&2 2>/dev/null;}|%(encode)s',
    "put": '{ { _i %(decode)s;} >"$_c"&&{ wc -c <"$_c" 2>/dev/null||:;};echo $? >&4;}|%(encode)s',
    "fetch": '{ %(encode)s <"$_c";echo $? >&4;}',
}
SHELL_TOOLS = {
    "base64": {"decode": "echo|base64 -d", "encode": "base64"},
    "od": {"decode": "printf", "encode": "od -An -v -to1"},
}
PYTHON_WORK = {
    "put": "import os,shutil,sys;f=open(sys.argv[1],'wb');shutil.copyfileobj(sys.stdin.buffer,f);f.flush();"
    "print(os.fstat(f.fileno()).st_size)",
    "fetch": "import shutil,sys;shutil.copyfileobj(open(sys.argv[1],'rb'),sys.stdout.buffer)",
}


def run(
    argv: t.Sequence[str],
    command: str,
    stdin: bytes | None = None,
    *,
    timeout: float = 30.0,
    silence: float | None = None,
    environment: t.Mapping[str, str] | None = None,
) -> tuple[int, bytes, bytes]:
    """Runs a command with /bin/sh -c. Gives its exit code (128 + n for signal n), what it wrote to stdout and stderr.

    argv: what opens the interactive shell, on a terminal or not, for example ssh -tt -e none HOST over a live master.
    stdin: what the command reads, then the end of the file. timeout: seconds to get a shell that is ready, and each
    further step until the command begins. silence: seconds without a byte in either direction after which the session
    counts as lost; None: a command may be silent as long as it likes. environment: of argv's process; None: our own.
    The command's own environment is that of the interactive shell; it sees no terminal but, without Python, /dev/tty.
    Raises TransportError (may_have_succeeded says whether the command may have run; what argv wrote to its stderr is in
    the message) and StateError (the container lacks what it takes).
    """
    stdout = bytearray()
    with _Session(argv, environment) as session:
        session.open("run", command, io.BytesIO(stdin or b""), timeout)
        code, stderr = session.converse(stdout.extend, timeout, silence)
    return code, bytes(stdout), stderr


def put(
    argv: t.Sequence[str],
    source: str,
    target: str,
    *,
    timeout: float = 30.0,
    silence: float | None = 60.0,
    environment: t.Mapping[str, str] | None = None,
) -> None:
    """Writes the local file source to the path target of the container: truncates it, new ones as umask has it.

    Raises OSError for the local file, StateError when the container cannot write or has another size in the end (which
    wc tells it where there is no Python; without wc, only how much has arrived), else what run() raises.
    """
    told = bytearray()
    with open(source, "rb") as file, _Session(argv, environment) as session:
        session.open("put", target, file, timeout)
        code, stderr = session.converse(told.extend, timeout, silence)
        size = file.tell()
        is_whole = session.all_arrived
    if code:
        raise _failed(f"{target} could not be written in the container", code, stderr)
    there = told.decode().strip() or (str(size) if is_whole else "fewer")
    if there != str(size):
        raise StateError(
            f"{target} was written in the container, but not with the {size} bytes of {source}: there are {there} now."
            " Is somebody else writing it?"
        )


def fetch(
    argv: t.Sequence[str],
    source: str,
    target: str,
    *,
    timeout: float = 30.0,
    silence: float | None = 60.0,
    environment: t.Mapping[str, str] | None = None,
) -> None:
    """Writes the container's file source to the local path target, which is left alone when source cannot be read.

    Raises what put() raises.
    """
    with contextlib.ExitStack() as stack:
        session = stack.enter_context(_Session(argv, environment))
        files: list[t.BinaryIO] = []

        def write(data: bytes) -> None:
            if not files:
                files.append(stack.enter_context(open(target, "wb")))
            files[0].write(data)

        session.open("fetch", source, io.BytesIO(), timeout)
        code, stderr = session.converse(write, timeout, silence)
        if code:
            raise _failed(f"{source} could not be read in the container", code, stderr)
        write(b"")


def _failed(what: str, code: int, stderr: bytes) -> StateError:
    lines = stderr.decode(errors="replace").strip().splitlines() or [f"exit code {code}"]
    return StateError(f"{what}: {lines[-1][:300]}")


def _program(kind: str, subject: str, tool: str) -> bytes:
    """What the agent's first part evaluates. subject: the command, or the path."""
    if tool == "python3" and kind in PYTHON_WORK:
        subject = f"exec python3 -ISc {shlex.quote(PYTHON_WORK[kind])} {shlex.quote(subject)}"
    data = os.fsencode(subject)
    if tool == "python3":
        return base64.b64encode(f"command = {data!r}\n{PYTHON_AGENT}".encode())
    tools = SHELL_TOOLS[tool]
    # The dot keeps line feeds at the end.
    text = f'_c=$(printf "{_escaped(data)}.");_c=${{_c%.}};' + SHELL_AGENT % {
        **tools,
        "kind": kind,
        "work": SHELL_WORK[kind] % tools,
    }
    return text.encode()


def _escaped(data: bytes) -> str:
    """Data as a format of printf, which can stand in double quotes."""
    return "".join(map(ESCAPES.__getitem__, data))


def _lines(program: bytes, stdin: t.BinaryIO, tool: str) -> t.Iterator[bytes]:
    """What the agent reads, line by line."""
    length = BYTES_PER_LINE["base64"]
    yield from (program[start : start + length] for start in range(0, len(program), length))
    yield b"."
    while data := stdin.read(BYTES_PER_LINE[tool]):
        yield _escaped(data).encode() if tool == "od" else base64.b64encode(data)
    yield b"."


class _Session:
    """One interactive shell and the process that leads to it, which ends with the context."""

    def __init__(self, argv: t.Sequence[str], environment: t.Mapping[str, str] | None) -> None:
        self._tag = f"q{secrets.token_hex(8)}"
        self._pattern = re.compile(self._tag.encode() + rb"([rpb12ax])([0-9]+):(.*)")
        self._tool = ""
        self._is_raw = False
        self._may_have_succeeded = False
        # To the session: lines that are not made yet, bytes that are not sent yet, characters sent and acknowledged.
        self._lines: t.Iterator[bytes] | None = None
        self._outgoing = bytearray()
        self._sent, self._arrived = 0, -1
        # From it: frames, the beginning of a line, characters of stdout and stderr.
        self._frames: collections.deque[tuple[str, int, bytes]] = collections.deque()
        self._partial = b""
        self._totals = {"1": 0, "2": 0}
        self._is_over = False
        self._complaint = b""
        self._moved = time.monotonic()
        try:
            self._process = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=environment,
            )
        except OSError as error:
            raise TransportError(f"{argv[0]} could not be started: {error.strerror}.", is_final=True) from None
        ends = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._stdin, self._stdout, self._stderr = t.cast("tuple[t.BinaryIO, t.BinaryIO, t.BinaryIO]", ends)
        self._selector = selectors.DefaultSelector()
        os.set_blocking(self._stdin.fileno(), False)
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._selector.register(self._stderr, selectors.EVENT_READ)

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *_exception: object) -> None:
        with contextlib.suppress(OSError, TransportError):
            if not self._is_over:
                # What ends the command, the agent or the shell, whichever reads it: some gateways keep a session that
                # its client has left.
                self._farewell(f"\3\n{self._tag}\n exit")
        if not self._is_over:
            self._process.terminate()
        try:
            self._process.wait(1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._selector.close()
        for file in (self._stdin, self._stdout, self._stderr):
            file.close()

    @property
    def all_arrived(self) -> bool:
        """Whether the far end has said that all of the input has arrived."""
        return self._arrived == self._sent

    def open(self, kind: str, subject: str, stdin: t.BinaryIO, timeout: float) -> None:
        """Gets a shell that answers, puts the agent in its place and gives it work. Raises TransportError, StateError.

        kind: run, put or fetch. subject: the command, or the path. timeout: seconds.
        """
        deadline = time.monotonic() + timeout
        patience = QUESTION_INTERVAL
        found = None
        for number in itertools.count(1):
            until = time.monotonic() + patience
            self._send(QUESTION % (self._tag, number))
            while (found := self._receive(min(until, deadline))) and found[0] != "r":
                # Only the answer to the last question says that the shell has read, or lost, all that was typed before.
                if found[:2] == ("p", number):
                    self._send(FIRST_PART % self._tag)
                    until = time.monotonic() + patience
            if found:
                break
            if time.monotonic() >= deadline:
                raise TransportError(f"No POSIX shell answered within {timeout:g} seconds{self._last_words()}.")
            patience = min(patience * 2, QUESTION_INTERVAL_MAX)
        if not found:
            raise AssertionError("no answer, and yet one was told")
        self._is_raw, self._tool = bool(found[1]), found[2].decode(errors="replace")
        if self._tool not in BYTES_PER_LINE:
            raise StateError(
                "The container has neither Python nor printf with base64 or od, without which no data can be moved."
            )
        self._lines = _lines(_program(kind, subject, self._tool), stdin, self._tool)
        self._may_have_succeeded = True
        self._send(self._tag)

    def converse(self, sink: Sink, timeout: float, silence: float | None) -> tuple[int, bytes]:
        """Moves all data. Gives the exit code and stderr. sink gets stdout. Raises TransportError."""
        stderr = bytearray()
        sinks = {"1": sink, "2": stderr.extend}
        patience: float | None = timeout
        code = None
        while code is None:
            frame = self._receive(None if patience is None else self._moved + patience)
            if frame is None:
                if patience is not None and self._moved + patience <= time.monotonic():
                    raise self._lost(f"nothing came or went for {patience:g} seconds")
                continue
            kind, number, payload = frame
            if kind == "b":
                patience = silence
            elif kind == "a":
                self._arrived = number
            elif kind == "x":
                code = number
            elif kind not in sinks:
                raise self._lost("what runs the command there has ended")
            elif not payload:
                del sinks[kind]
            else:
                sinks[kind](self._decoded(payload))
        if sinks:
            raise self._lost("some of what the command wrote is missing")
        self._farewell(f"\n{self._tag}")
        return code, bytes(stderr)

    def _decoded(self, payload: bytes) -> bytes:
        try:
            if self._tool == "od":
                return bytes(int(number, 8) for number in payload.split())
            return base64.b64decode(payload, validate=True)
        except ValueError:
            raise self._lost("what came is no data") from None

    def _farewell(self, line: str) -> None:
        """Lets the agent end; it waits for that, so that nothing is lost of what it wrote."""
        self._lines = None
        self._send(line)
        until = time.monotonic() + FAREWELL
        while not self._is_over and (left := until - time.monotonic()) > 0:
            self._turn(left)

    def _send(self, line: str) -> None:
        self._outgoing += line.encode() + b"\n"

    def _receive(self, until: float | None) -> tuple[str, int, bytes] | None:
        """The next frame, or None when there is none at that time. Raises TransportError."""
        while not self._frames:
            if self._is_over:
                raise self._lost("it ended")
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return None
            self._turn(left)
        return self._frames.popleft()

    def _lost(self, why: str) -> TransportError:
        what = (
            "What was asked for may have been done, or a part of it" if self._may_have_succeeded else "Nothing was done"
        )
        return TransportError(
            f"The session with the interactive shell was lost: {why}{self._last_words()}. {what}.",
            may_have_succeeded=self._may_have_succeeded,
        )

    def _last_words(self) -> str:
        """What the process that leads to the shell has complained of."""
        until = time.monotonic() + 0.5
        while self._is_over and self._stderr in self._selector.get_map() and time.monotonic() < until:
            self._turn(0.1)
        words = " ".join(self._complaint.decode(errors="replace").split())
        return f" ({words})" if words else ""

    def _turn(self, seconds: float | None) -> None:
        """Waits until something can be read or written, for so long at most, and does it."""
        self._make_lines()
        is_waiting = self._stdin in self._selector.get_map()
        if self._outgoing and not is_waiting:
            self._selector.register(self._stdin, selectors.EVENT_WRITE)
        elif is_waiting and not self._outgoing:
            self._selector.unregister(self._stdin)
        for key, _events in self._selector.select(seconds):
            self._moved = time.monotonic()
            if key.fileobj is self._stdin:
                self._write()
            else:
                self._read(t.cast("t.BinaryIO", key.fileobj))

    def _make_lines(self) -> None:
        while self._lines and len(self._outgoing) < PORTION and (self._is_raw or self._arrived == self._sent):
            line = next(self._lines, b"")
            if not line:
                self._lines = None
                break
            self._sent += len(line)
            self._outgoing += line + b"\n"

    def _write(self) -> None:
        try:
            written = os.write(self._stdin.fileno(), self._outgoing[:PORTION])
            del self._outgoing[:written]
        except BlockingIOError:
            pass
        except OSError:  # it reads no more; what it has written is still to be read
            self._outgoing.clear()
            self._lines = None

    def _read(self, file: t.BinaryIO) -> None:
        data = os.read(file.fileno(), PORTION)
        if not data:
            self._selector.unregister(file)
            self._is_over = self._is_over or file is self._stdout
        elif file is self._stderr:
            self._complaint = (self._complaint + data)[-500:]
        else:
            *lines, self._partial = (self._partial + data).split(b"\n")
            for line in lines:
                self._take(line.rstrip(b"\r"))

    def _take(self, line: bytes) -> None:
        """Finds the frame in a line."""
        found = self._pattern.search(line)
        if not found:
            return
        kind, number, payload = found[1].decode(), int(found[2]), found[3]
        if kind in self._totals:
            self._totals[kind] += len(payload)
            if self._totals[kind] != number:
                raise self._lost("some of the data is missing, or something else was written into it")
        self._frames.append((kind, number, payload))
