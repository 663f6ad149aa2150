# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The credential keeper, with a stand-in for ssh that is a real process, and what the connection tells ssh.

No test here needs a platform: the client of the API writes down what it was asked for.
"""

from __future__ import annotations

import errno
import functools
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from pathlib import Path

import pytest
from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.playbook.play_context import PlayContext

from ansible_collections.quayside.paas.plugins.connection import cycle_ssh as plugin
from ansible_collections.quayside.paas.plugins.module_utils._cycle.api import Cycle
from ansible_collections.quayside.paas.plugins.module_utils._errors import ApiError, StateError, TransportError
from ansible_collections.quayside.paas.plugins.plugin_utils import _ssh_credentials, _ssh_keeper
from ansible_collections.quayside.paas.plugins.plugin_utils._ssh_credentials import Keeper, Use, serve
from ansible_collections.quayside.paas.plugins.plugin_utils._ssh_keeper import Channel, Message
from ansible_collections.quayside.paas.plugins.plugin_utils._ssh_master import Process, last_words, log_in
from unit.definitions import define_options

NAME = "quayside.paas.cycle_ssh"
SECRET = "I5qQGoaU9s63RFnm5KQE52JIm"
LIMIT = 30.0
connect = socket.socket.connect

# What ssh does as far as it matters here. Behind "login": a path to listen at, the user, and what to do. As -O check:
# says who listens at a path.
SSH = f"""#!{sys.executable} -IS
import os, sys, time
if "-O" in sys.argv:
    path = sys.argv[sys.argv.index("-o") + 1].partition("=")[2]
    try:
        sys.exit("Master running (pid=%s)" % open(path).read() and (
            sys.stderr.write("Master running (pid=%s)" % open(path).read()) and 0))
    except OSError:
        sys.exit(255)
_login, path, user, act = sys.argv[1:]
if act == "probe":
    print("quayside-7")
    sys.exit(7)
with open("/dev/tty", "r+b", buffering=0) as terminal:
    if act == "hang":
        time.sleep(60)
    terminal.write(("%s@gateway's password: " % user).encode())
    given = terminal.readline().strip().decode()
if given != "{SECRET}":
    sys.exit("Permission denied (password).")
ready, told = os.pipe()
if os.fork():
    os.close(told)
    os.read(ready, 1)  # as ssh does, it leaves when the master listens
    os._exit(0)
os.setsid()
for descriptor in (0, 1, 2):
    os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
with open(path, "w") as file:
    file.write(str(os.getpid()))
os.close(told)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _unix_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_unix(self: socket.socket, address: t.Any) -> None:
        assert self.family == socket.AF_UNIX
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_unix)


class Api:
    """A client of the API for as many instances as wanted. It writes down what it does, for all processes to see.

    lifetime: seconds that credentials live. mint, expire: what to do besides.
    """

    def __init__(self, journal: Path, lifetime: float = 1800.0) -> None:
        self.journal = journal
        self.lifetime = lifetime
        self.mint: t.Callable[[], None] = lambda: None
        self.expire: t.Callable[[], None] = lambda: None

    def __call__(self, get: t.Callable[[str], t.Any]) -> Cycle:
        assert get("api_key") == "key"
        return t.cast("Cycle", self)

    def get_new(self, path: str, **_other: t.Any) -> Message:
        self._note("mint", path)
        self.mint()
        events = {"created": "2026-01-01T00:00:00Z", "expires": _later(self.lifetime)}
        return {"token": {"events": events}, "secret": SECRET, "address": "user@gateway:2222"}

    def delete(self, path: str, **_other: t.Any) -> Message:
        self._note("expire", path)
        self.expire()
        return {"tokens": 1}

    def get(self, path: str, **_other: t.Any) -> Message:
        return {"id": path.rpartition("/")[2], "state": {"current": "running"}}

    def report(self) -> Message:
        return {"request_count": 0}

    def close(self) -> None:
        pass

    def _note(self, what: str, path: str) -> None:
        with self.journal.open("a") as file:
            file.write(f"{what} {path.split('/')[3]}\n")

    @property
    def calls(self) -> list[str]:
        return self.journal.read_text().splitlines() if self.journal.exists() else []


def _later(seconds: float) -> str:
    whole, part = divmod(seconds, 1)
    minutes, rest = divmod(int(whole), 60)
    return f"2026-01-01T00:{minutes:02}:{rest:02}.{int(part * 1000):03}Z"


class Worker:
    """A worker that talks to a keeper. act: what its ssh does."""

    def __init__(self, channel: Channel, tools: Path, instance: str = "i1", act: str = "in", **settings: t.Any) -> None:
        self.channel = channel
        self.instance = instance
        self.commands: Message = {}
        self._tools = tools
        self._act = act
        self._settings = settings

    def open(self, lost: str | None = None) -> Message:
        """A place, or what went wrong."""
        self.ask("open", lost=lost)
        while True:
            answer = self.channel.receive(LIMIT)
            assert answer is not None
            if "want" not in answer:
                return answer
            self.channel.send(self.terms() if answer["want"] == "options" else self.login(answer))

    def ask(self, what: str, **more: t.Any) -> None:
        self.channel.send(
            {"ask": what, "api_url": "u", "container_id": "c1", "instance_id": self.instance, **more},
        )

    def release(self) -> None:
        self.ask("release")

    def terms(self) -> Message:
        options = {"api_url": "u", "api_key": "key", "hub_id": "h", "timeout": 30, "retry_budget": 120}
        settings = {"expire": True, "limit": 20.0, "transport": "auto", "ssh": str(self._tools / "ssh")}
        return {"options": options, "settings": {**settings, "locks": str(self._tools / "locks"), **self._settings}}

    def login(self, place: Message) -> Message:
        self.commands = place
        words = [str(self._tools / "ssh"), "login", place["control_path"], place["user"]]
        return {"login": [*words, self._act], "probe": [*words, "probe"], "folder": "/"}


class Setting(t.NamedTuple):
    """A keeper in this process."""

    keeper: Keeper
    api: Api
    folder: Path
    log: list[str]

    def worker(self, instance: str = "i1", act: str = "in", **settings: t.Any) -> Worker:
        ours, theirs = socket.socketpair()
        threading.Thread(target=self.keeper.converse, args=(Channel(theirs),), daemon=True).start()
        return Worker(Channel(ours), self.folder, instance, act, **settings)

    def masters(self) -> list[int]:
        return [process.pid for process in self.keeper.processes()]


@pytest.fixture
def tools() -> t.Iterator[Path]:
    # A short path, as sockets want it.
    with tempfile.TemporaryDirectory(prefix="qs", dir="/tmp", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "ssh"
        file.write_text(SSH)
        file.chmod(0o700)
        yield Path(folder)


@pytest.fixture
def setting(tools: Path) -> t.Iterator[Setting]:
    log: list[str] = []
    api = Api(tools / "journal")
    one = Setting(Keeper(str(tools), api, log.append), api, tools, log)
    yield one
    one.keeper.end(5)
    assert not any(process.is_running() for process in one.keeper.processes())
    assert SECRET not in str(log)


def until(condition: t.Callable[[], t.Any], limit: float = LIMIT) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def watch(keeper: Keeper, stop: threading.Event) -> None:
    while not stop.wait(0.02):
        keeper.tend()


@pytest.fixture
def watched(setting: Setting) -> t.Iterator[Setting]:
    """A keeper that does what it does by itself."""
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(setting.keeper, stop))
    thread.start()
    yield setting
    stop.set()
    thread.join()


# Opening


def test_one_login_serves_every_worker(setting: Setting) -> None:
    places: list[Message] = []
    workers = [setting.worker() for _number in range(20)]
    threads = [threading.Thread(target=lambda one=one: places.append(one.open())) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert len(places) == 20
    assert {(one["control_path"], one["user"], one["host"], one["port"]) for one in places} == {
        (places[0]["control_path"], "user", "gateway", 2222)
    }
    assert {one["transport"] for one in places} == {"exec"}
    assert setting.api.calls == ["mint i1"]
    setting.keeper.end(5)
    assert setting.api.calls == ["mint i1", "expire i1"]


def test_instances_have_credentials_of_their_own(setting: Setting) -> None:
    assert setting.worker("i1").open()["control_path"] != setting.worker("i2").open()["control_path"]
    setting.keeper.end(5)
    assert sorted(setting.api.calls) == ["expire i1", "expire i2", "mint i1", "mint i2"]


def test_what_was_found_out_is_remembered(setting: Setting) -> None:
    worker = setting.worker()
    assert worker.open()["transfer"] is None
    worker.ask("release", transfer="piped")
    until(lambda: setting.worker().open()["transfer"] == "piped")


def test_a_transport_that_is_set_is_not_looked_for(setting: Setting) -> None:
    assert setting.worker(transport="shell").open()["transport"] == "shell"


def test_workers_that_wait_share_a_failure(setting: Setting) -> None:
    def refuse() -> None:
        until(lambda: sum(one.is_waiting for one in waiting) == len(waiting))
        time.sleep(0.2)
        raise ApiError("refused")

    class Waiting:
        is_waiting = False

        def open(self) -> None:
            worker = setting.worker()
            self.is_waiting = True
            answers.append(worker.open())

    setting.api.mint = refuse
    waiting, answers = [Waiting() for _number in range(5)], list[Message]()
    threads = [threading.Thread(target=one.open) for one in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert answers == [{"error": "refused"}] * 5
    assert setting.api.calls == ["mint i1"]
    assert setting.worker().open() == {"error": "refused"}  # later, it is tried again
    assert setting.api.calls == ["mint i1"] * 2


def test_a_login_that_is_refused_expires_the_credentials(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ssh_credentials, "log_in", functools.partial(_with_other_secret, log_in))
    answer = setting.worker().open()
    assert "Permission denied" in answer["error"]
    assert "instance i1 at gateway port 2222" in answer["error"]
    assert setting.api.calls == ["mint i1", "expire i1"]


def _with_other_secret(call: t.Callable[..., t.Any], *arguments: t.Any, **keywords: t.Any) -> t.Any:
    return call(*arguments, **{**keywords, "secret": "guess"})


def test_a_login_that_hangs_is_given_up(setting: Setting) -> None:
    began = time.monotonic()
    answer = setting.worker(act="hang", limit=0.3).open()
    assert "took too long" in answer["error"]
    assert time.monotonic() - began < 3
    assert setting.api.calls == ["mint i1", "expire i1"]


def test_a_worker_that_ends_before_the_login_leaves_no_credentials(setting: Setting) -> None:
    worker = setting.worker()
    worker.ask("open")
    assert worker.channel.receive(LIMIT) == {"want": "options"}
    worker.channel.send(worker.terms())
    assert (worker.channel.receive(LIMIT) or {})["want"] == "commands"
    assert setting.api.calls == ["mint i1"]
    worker.channel.close()
    until(lambda: setting.api.calls == ["mint i1", "expire i1"])


def test_a_worker_that_ends_during_the_login_leaves_no_credentials(setting: Setting) -> None:
    worker = setting.worker(act="hang", limit=30)
    worker.ask("open")
    assert worker.channel.receive(LIMIT) == {"want": "options"}
    worker.channel.send(worker.terms())
    worker.channel.send(worker.login(worker.channel.receive(LIMIT) or {}))
    time.sleep(0.2)
    worker.channel.close()
    until(lambda: setting.api.calls == ["mint i1", "expire i1"], 3)


def test_what_may_have_been_made_is_expired_and_not_asked_for_again(setting: Setting) -> None:
    def lose() -> None:
        raise TransportError("The connection broke.", may_have_succeeded=True)

    setting.api.mint = lose
    answer = setting.worker().open()
    assert answer["error"].startswith("The connection broke. It was not sent again.")
    assert "were expired at once" in answer["error"]
    assert setting.api.calls == ["mint i1", "expire i1"]


def test_a_defect_is_told_and_not_waited_for(setting: Setting) -> None:
    worker = setting.worker()
    worker.terms = lambda: {"options": {}}  # type: ignore[method-assign]
    assert "KeyError" in worker.open()["error"]


# Masters


def test_a_master_that_ends_takes_its_credentials_along(watched: Setting) -> None:
    worker = watched.worker()
    worker.open()
    worker.release()
    os.kill(watched.masters()[0], signal.SIGKILL)
    until(lambda: watched.api.calls == ["mint i1", "expire i1"], 3)
    assert worker.open()["transport"] == "exec"
    assert watched.api.calls == ["mint i1", "expire i1", "mint i1"]


def test_the_worker_finds_a_lost_master_before_the_keeper(setting: Setting) -> None:
    worker = setting.worker()
    first = worker.open()["control_path"]
    master = Process(setting.masters()[0])
    master.signal(signal.SIGKILL)
    until(lambda: not master.is_running())
    assert worker.open(lost=first)["control_path"] != first
    assert setting.api.calls == ["mint i1", "expire i1", "mint i1"]


def test_a_master_that_is_full_gets_another_one_beside_it(setting: Setting) -> None:
    first, second = setting.worker(), setting.worker()
    full = first.open()["control_path"]
    assert second.open()["control_path"] == full
    assert second.open(lost=full)["control_path"] != full
    assert setting.worker().open()["control_path"] != full
    assert setting.api.calls == ["mint i1"]
    assert len(setting.masters()) == 3


def test_a_master_that_never_takes_a_session_is_ended(watched: Setting) -> None:
    worker = watched.worker()
    first = worker.open()["control_path"]
    assert worker.open(lost=first)["control_path"] == first
    assert worker.open(lost=first)["control_path"] != first
    until(lambda: len(watched.masters()) == 1)
    assert watched.api.calls == ["mint i1"]


def test_credentials_that_others_ended_are_made_again(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = setting.worker(), setting.worker()
    full = first.open()["control_path"]
    secrets = iter(["ended", SECRET])
    monkeypatch.setattr(
        _ssh_credentials,
        "log_in",
        lambda *arguments, **keywords: log_in(*arguments, **{**keywords, "secret": next(secrets)}),
    )
    assert second.open(lost=full)["control_path"] != full
    assert setting.api.calls == ["mint i1"] * 2


def test_reset_ends_the_master_after_its_sessions(watched: Setting) -> None:
    busy, other = watched.worker(), watched.worker()
    busy.open()
    other.ask("reset")
    time.sleep(0.3)
    assert watched.api.calls == ["mint i1"]
    busy.release()
    assert other.channel.receive(LIMIT) == {}
    assert watched.api.calls == ["mint i1", "expire i1"]
    assert watched.masters() == []


def test_reset_of_what_is_not_there(setting: Setting) -> None:
    worker = setting.worker()
    worker.ask("reset")
    assert worker.channel.receive(LIMIT) == {}
    assert setting.api.calls == []


# Renewal


def test_credentials_are_renewed_while_they_are_in_use(watched: Setting) -> None:
    watched.api.lifetime = 2.0
    worker, busy = watched.worker(), watched.worker()
    first = worker.open()["control_path"]
    assert busy.open()["control_path"] == first
    until(lambda: watched.api.calls == ["mint i1"] * 2, 3)
    old = watched.masters()
    assert len(old) == 1  # what runs goes on
    watched.api.lifetime = 1800.0
    second = worker.open()["control_path"]
    assert second != first
    assert set(old) < set(watched.masters())
    busy.release()
    until(lambda: not Process(old[0]).is_running())
    until(lambda: len(watched.masters()) == 1)
    assert "expire i1" not in watched.api.calls


def test_nothing_is_renewed_without_a_master(watched: Setting) -> None:
    watched.api.lifetime = 1.0
    worker = watched.worker()
    worker.open()
    os.kill(watched.masters()[0], signal.SIGKILL)
    time.sleep(1.5)
    assert watched.api.calls == ["mint i1", "expire i1"]


@pytest.mark.parametrize("may_have_succeeded", [True, False])
def test_what_cannot_be_renewed_is_used_as_long_as_it_works(watched: Setting, may_have_succeeded: bool) -> None:
    def fail() -> None:
        raise TransportError("no answer", may_have_succeeded=may_have_succeeded)

    watched.api.lifetime = 1.0
    worker = watched.worker()
    first = worker.open()["control_path"]
    watched.api.mint = fail
    until(lambda: len(watched.api.calls) == 2, 3)
    assert worker.open()["control_path"] == first
    assert watched.api.calls == ["mint i1"] * 2
    assert "could not be renewed: no answer" in watched.log[0]


# Expiring


def test_credentials_that_are_to_live_are_left_alone(setting: Setting) -> None:
    setting.worker(expire=False).open()
    setting.keeper.end(5)
    assert setting.api.calls == ["mint i1"]


def test_what_cannot_be_expired_is_logged(setting: Setting) -> None:
    def fail() -> None:
        raise ApiError("status 503")

    setting.api.expire = fail
    setting.worker().open()
    began = time.monotonic()
    setting.keeper.end(5)
    assert time.monotonic() - began < 3
    assert setting.log == ["SSH credentials of instance i1 could not be expired: status 503"]


def test_there_is_a_limit_to_the_end(setting: Setting) -> None:
    setting.api.expire = lambda: time.sleep(3)
    setting.worker().open()
    began = time.monotonic()
    setting.keeper.end(0.5)
    assert time.monotonic() - began < 2
    assert setting.log == ["There was no time to expire SSH credentials of 1 instances of 1."]


def test_nothing_is_opened_after_the_end(setting: Setting) -> None:
    setting.keeper.end(1)
    assert "The run is over" in setting.worker().open()["error"]
    assert setting.api.calls == []


def test_the_last_of_two_runs_expires(setting: Setting) -> None:
    other = setting._replace(keeper=Keeper(str(setting.folder / "locks"), setting.api, setting.log.append))
    setting.worker().open()
    other.worker().open()
    setting.keeper.end(5)
    assert setting.api.calls == ["mint i1", "mint i1"]
    other.keeper.end(5)
    assert setting.api.calls == ["mint i1", "mint i1", "expire i1"]


def test_nobody_begins_while_another_run_expires(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    first, second = Use(path), Use(path)
    first.begin()
    with first.ending() as is_last:
        assert is_last
        with pytest.raises(StateError, match="has been expiring"):
            second.begin(0.2)
    second.begin()
    first.begin()
    with second.ending() as is_last:
        assert not is_last
    with first.ending() as is_last:
        assert is_last
    assert not os.path.exists(path)


# The process


@pytest.fixture
def run(tools: Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[subprocess.Popen[bytes]]:
    """What stands for a run of ansible-playbook, whose workers we are."""
    process = subprocess.Popen(["sleep", "60"])
    monkeypatch.setattr(_ssh_keeper, "controller", lambda: process.pid)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def reach(tools: Path, run: subprocess.Popen[bytes]) -> t.Callable[[], Worker]:
    started = functools.partial(serve, client=Api(tools / "journal"))
    return lambda: Worker(_ssh_keeper.reach(str(tools), lambda: started), tools)


def calls(tools: Path) -> list[str]:
    return Api(tools / "journal").calls


def keepers(tools: Path) -> list[Path]:
    return list(tools.glob("qs-*"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_end_of_the_run_ends_everything(
    tools: Path, run: subprocess.Popen[bytes], reach: t.Callable[[], Worker], number: int
) -> None:
    worker = reach()
    place = worker.open()
    other = reach()
    assert other.open()["control_path"] == place["control_path"]
    master = Process(int(Path(place["control_path"]).read_text()))
    assert master.is_running()
    assert len(keepers(tools)) == 1
    assert keepers(tools)[0].stat().st_mode & 0o777 == 0o700
    run.send_signal(number)  # it is not waited for: a zombie has ended as well
    until(lambda: calls(tools) == ["mint i1", "expire i1"])
    until(lambda: not master.is_running() and keepers(tools) == [])
    assert worker.channel.receive(LIMIT) is None


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_the_end_of_a_worker_ends_nothing(tools: Path, reach: t.Callable[[], Worker]) -> None:
    child = os.fork()
    if child == 0:
        reach().open()
        os._exit(0)
    os.waitpid(child, 0)
    time.sleep(0.3)
    assert calls(tools) == ["mint i1"]
    assert reach().open()["control_path"].endswith("m1")
    assert calls(tools) == ["mint i1"]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_workers_start_one_keeper(tools: Path, run: subprocess.Popen[bytes]) -> None:
    def count(listener: socket.socket, folder: str, controller: int) -> None:
        with (tools / "started").open("a") as file:
            file.write(f"{os.getpid()}\n")
        serve(listener, folder, controller)

    def worker() -> int:
        child = os.fork()
        if child == 0:
            failed = 1
            try:
                _ssh_keeper.reach(str(tools), lambda: count)
                failed = 0
            finally:
                os._exit(failed)
        return child

    assert [os.waitpid(child, 0)[1] for child in [worker() for _number in range(20)]] == [0] * 20
    until((tools / "started").exists)
    assert len((tools / "started").read_text().splitlines()) == 1


def test_a_keeper_that_was_killed_is_replaced(tools: Path, run: subprocess.Popen[bytes]) -> None:
    def tell(listener: socket.socket, folder: str, controller: int) -> None:
        (tools / "pid").write_text(str(os.getpid()))
        serve(listener, folder, controller, Api(tools / "journal"))

    first = Worker(_ssh_keeper.reach(str(tools), lambda: tell), tools)
    first.open()
    keeper = Process(int((tools / "pid").read_text()))
    keeper.signal(signal.SIGKILL)
    assert first.channel.receive(LIMIT) is None
    until(lambda: not keeper.is_running())
    second = Worker(_ssh_keeper.reach(str(tools), lambda: tell), tools)
    assert "control_path" in second.open()
    assert calls(tools) == ["mint i1", "mint i1"]
    run.kill()
    until(lambda: calls(tools) == ["mint i1", "mint i1", "expire i1"])


def test_a_keeper_that_cannot_start_is_told_of(
    tools: Path, run: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fork() -> t.NoReturn:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", fork)
    with pytest.raises(StateError, match=r"could not be started: Resource temporarily unavailable\."):
        _ssh_keeper.reach(str(tools), lambda: serve)


def test_no_keeper_is_found_where_there_is_none(tools: Path, run: subprocess.Popen[bytes]) -> None:
    assert _ssh_keeper.find(str(tools)) is None
    assert keepers(tools) == []


def test_a_name_that_is_too_long_is_replaced(tools: Path, run: subprocess.Popen[bytes]) -> None:
    folder = _ssh_keeper._folder(str(tools / ("x" * 100)), run.pid)
    try:
        assert len(folder) <= _ssh_keeper.PATH_MAX
        assert os.stat(folder).st_mode & 0o777 == 0o700
    finally:
        os.rmdir(folder)


def test_a_folder_of_others_is_not_used(tools: Path) -> None:
    (tools / "open").mkdir()
    (tools / "open").chmod(0o755)
    with pytest.raises(PermissionError):
        _ssh_keeper._make_private(str(tools / "open"))
    (tools / "link").symlink_to("/tmp")
    with pytest.raises(PermissionError):
        _ssh_keeper._make_private(str(tools / "link"))


# Logging in


def test_no_other_password_is_given_away(tools: Path) -> None:
    command = [str(tools / "ssh"), "login", str(tools / "m"), "somebody", "in"]
    ended = log_in(command, user="user", secret=SECRET, folder="/", limit=0.5)
    assert ended.code == 255
    assert "somebody@gateway's password:" in ended.told
    assert SECRET not in ended.told


def test_a_program_that_is_missing(tools: Path) -> None:
    ended = log_in([str(tools / "none")], user="user", secret=SECRET, folder="/", limit=5)
    assert ended.code == 1
    assert "No such file or directory" in ended.told


def test_words_of_ssh() -> None:
    told = "debug1: a\r\nWarning: Permanently added 'x'.\r\n@@@@@@\r\nuser@host: Permission denied (password).\r\n"
    assert last_words(told) == "user@host: Permission denied (password)."


# The connection


@pytest.fixture(autouse=True, scope="module")
def _options() -> None:
    define_options("connection", NAME, plugin.DOCUMENTATION)


PLACE = {"host": "gateway", "port": 2222, "user": "i1", "control_path": "/f/m1", "transport": "exec", "transfer": None}


def connection(**variables: t.Any) -> t.Any:
    one = plugin.Connection.__new__(plugin.Connection)
    one._load_name = one.ansible_name = NAME
    one._redirected_names = [NAME]
    one.__init__(PlayContext())  # type: ignore[misc]
    ids = {"ansible_cycle_container_id": "c1", "ansible_cycle_instance_id": "i1"}
    one.set_options(var_options={**ids, **variables})
    return one


def words(one: t.Any, *, login: bool = False) -> list[str]:
    one._place, one._is_login, one.host = dict(PLACE), login, "gateway"
    return [each.decode() for each in one._build_command("ssh", "ssh", "gateway", "true")]


def value(arguments: list[str], name: str) -> str | None:
    """What ssh takes for an option: the first one counts."""
    found = [one.partition("=")[2] for one in arguments if one.startswith(f"{name}=")]
    return found[0].strip('"') if found else None


def test_all_options_of_ssh_are_there() -> None:
    connection()
    ours = C.config.get_configuration_definitions("connection", NAME)
    theirs = C.config.get_configuration_definitions("connection", "ssh")
    assert set(theirs) < set(ours)
    assert "ansible_ssh_args" in {one["name"] for one in ours["ssh_args"]["vars"]}
    assert ours["timeout"] == theirs["timeout"]


def test_the_home_is_that_of_the_user_in_the_instance() -> None:
    assert connection(ansible_user="somebody").get_option("remote_user") is None


def test_sessions_use_the_master_and_nothing_else() -> None:
    arguments = words(connection(ansible_ssh_common_args="-J bastion -o ForwardAgent=yes", ansible_password="p"))
    assert value(arguments, "ControlPath") == "/f/m1"
    assert value(arguments, "ControlMaster") == "no"
    assert value(arguments, "User") == "i1"
    assert value(arguments, "Port") == "2222"
    assert value(arguments, "ForwardAgent") == "yes"
    assert "bastion" not in arguments
    assert plugin.NO_MASTER not in shlex.join(arguments)
    assert arguments[-2:] == ["gateway", "true"]
    said = subprocess.run(["sh", "-c", f"exec {value(arguments, 'ProxyCommand')}"], capture_output=True, check=False)
    assert said.stderr.decode().strip() == plugin.NO_MASTER


def test_a_login_asks_for_the_password_and_stays() -> None:
    arguments = words(connection(ansible_ssh_common_args="-J bastion", ansible_cycle_idle_timeout=42), login=True)
    assert value(arguments, "ControlMaster") == "yes"
    assert value(arguments, "ControlPersist") == "42"
    assert value(arguments, "PasswordAuthentication") == "yes"
    assert value(arguments, "PreferredAuthentications") == "password,keyboard-interactive"
    assert value(arguments, "ProxyCommand") is None
    assert "bastion" in arguments
    assert arguments[0] == "ssh"


def test_no_limit_to_idleness() -> None:
    assert value(words(connection(ansible_cycle_idle_timeout=0), login=True), "ControlPersist") == "yes"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ("accept-new", None)),
        ({"ansible_cycle_host_keys": "strict"}, ("yes", None)),
        ({"ansible_cycle_host_keys": "ignore"}, ("no", "/dev/null")),
        ({"ansible_host_key_checking": False}, ("no", "/dev/null")),
        ({"ansible_host_key_checking": False, "ansible_cycle_host_keys": "accept-new"}, ("accept-new", None)),
        ({"ansible_host_key_checking": False, "ansible_cycle_host_keys": "strict"}, ("yes", None)),
    ],
)
def test_host_keys(variables: dict[str, t.Any], expected: tuple[str, str | None]) -> None:
    arguments = words(connection(**variables), login=True)
    assert (value(arguments, "StrictHostKeyChecking"), value(arguments, "UserKnownHostsFile")) == expected


def test_options_of_the_api(monkeypatch: pytest.MonkeyPatch, tools: Path) -> None:
    monkeypatch.setenv("CYCLE_API_KEY", "key")
    one = connection(
        ansible_cycle_hub_id="hub",
        ansible_cycle_timeout=7,
        ansible_ssh_executable=str(tools / "ssh"),
        ansible_timeout=3,
    )
    terms = json.loads(json.dumps(one._terms()))
    assert terms["options"]["api_key"] == "key"
    assert terms["options"]["hub_id"] == "hub"
    assert terms["options"]["timeout"] == 7
    assert terms["settings"]["expire"] is True
    assert terms["settings"]["limit"] == 3 * one.get_option("timeout")


def test_without_ssh_nothing_is_asked_for() -> None:
    with pytest.raises(StateError, match="no /none/ssh on the controller"):
        connection(ansible_ssh_executable="/none/ssh")._terms()


def test_a_session_that_did_not_begin_is_tried_with_another_master(monkeypatch: pytest.MonkeyPatch) -> None:
    one, lost = connection(), list[str | None]()
    monkeypatch.setattr(plugin, "PAUSE", 0)

    def open_one(path: str | None) -> Message:
        lost.append(path)
        return {**PLACE, "control_path": f"/f/m{len(lost)}"}

    def act() -> str:
        if len(lost) < 3:
            raise plugin.NoMasterError("none")
        return "done"

    monkeypatch.setattr(one, "_open", open_one)
    assert one._with_master(act) == "done"
    assert lost == [None, "/f/m1", "/f/m2"]
    lost[:] = []

    def never() -> str:
        raise plugin.NoMasterError("none")

    with pytest.raises(AnsibleConnectionFailure, match="takes no session"):
        one._with_master(never)
    assert len(lost) == plugin.ATTEMPTS


def test_a_session_that_breaks_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    one, begun = connection(), list[int]()
    monkeypatch.setattr(one, "_open", lambda _lost: dict(PLACE))

    def act() -> None:
        begun.append(1)
        raise AnsibleConnectionFailure("Shared connection closed.")

    with pytest.raises(AnsibleConnectionFailure, match=r"instance i1 broke; .* may have been carried out"):
        one._with_master(act)
    assert begun == [1]
    assert one._place == {}


@pytest.mark.parametrize("action", ["put", "get"])
@pytest.mark.parametrize("transport", ["exec", "shell"])
def test_a_local_file_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, transport: str, action: str
) -> None:
    one, local = connection(), str(tmp_path / "none" / "file")
    one._place = {**PLACE, "transport": transport, "transfer": "piped"}
    monkeypatch.setattr(one, "exec_command", lambda *_arguments, **_keywords: (0, b"data", b""))

    def transfer(_argv: list[str], source: str, target: str, **_keywords: t.Any) -> None:
        open(source if action == "put" else target, "rb" if action == "put" else "wb").close()

    monkeypatch.setattr(plugin._interactive_shell, {"put": "put", "get": "fetch"}[action], transfer)
    paths = (local, "/remote") if action == "put" else ("/remote", local)
    with pytest.raises(AnsibleError, match=rf"^The local file {local} cannot be used: No such file or directory\."):
        one._file_transport_command(*paths, action)


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [([], []), (["-J", "a", "-v"], ["-v"]), (["-Ja", "-v"], ["-v"]), (["-v", "-J"], ["-v"])],
)
def test_hosts_on_the_way(arguments: list[str], kept: list[str]) -> None:
    assert plugin._without_jump(arguments) == kept
