# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The credential keeper: makes SSH credentials of instances, watches the masters that use them, and expires them.

Each task of a run has a process of its own, which may end at any moment; so may the run. The keeper is there from the
first connection until the run is over and its credentials have ended. Workers ask it to `open` an instance: they get
the path of a live master, or are asked for what it takes to start one. Whatever ends the last master of an instance
ends its credentials.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import errno
import fcntl
import glob
import hashlib
import itertools
import os
import resource
import select
import signal
import socket
import syslog
import threading
import time
import typing as t

# Imported before the keeper leaves the folder of the run, to which the path of Python may be relative.
# pylint: disable-next=unused-import
from ansible_collections.quayside.paas.plugins.module_utils import _http  # noqa: F401
from ansible_collections.quayside.paas.plugins.module_utils._cycle.api import KEY_VARIABLES, Cycle
from ansible_collections.quayside.paas.plugins.module_utils._cycle.ssh import Credentials, expire, mint
from ansible_collections.quayside.paas.plugins.module_utils._errors import PaasError, StateError
from ansible_collections.quayside.paas.plugins.module_utils._options import GetOption
from ansible_collections.quayside.paas.plugins.plugin_utils._ssh_keeper import SOCKET, Channel, Message
from ansible_collections.quayside.paas.plugins.plugin_utils._ssh_master import (
    Ended,
    Process,
    last_words,
    log_in,
    master_of,
    serves_commands,
)

LIFETIME = 1800.0  # seconds, as documented; the platform tells it with each credential
MARGIN = 300.0  # seconds before the end of credentials at which there are new ones; a quarter of a short life
WATCH_INTERVAL = 0.5
WORKER_LIMIT = 60.0  # seconds for a worker to answer
DRAIN_LIMIT = 10.0  # seconds for sessions to end before a reset connection is left to itself
KILL_AFTER = 3.0  # seconds that a master has to end
END_LIMIT = 60.0  # seconds in all after the end of a run
# To expire, so that the above is kept.
LAST_TIMEOUT, LAST_RETRY_BUDGET = 10, 20
AT_A_TIME = 8
REFUSED = "Permission denied"  # what ssh says when a password is not the right one

T = t.TypeVar("T")
MakeClient = t.Callable[[GetOption], Cycle]


def _known(value: T | None) -> T:
    """What an instance has from the first time on that it is opened."""
    if value is None:
        raise AssertionError("an instance is used that was not opened")
    return value


class Settings(t.NamedTuple):
    """What a worker wants for an instance, beside the options of the API.

    expire: whether credentials are expired. limit: seconds for a login. ssh: the program. transport: auto, exec or
    shell. locks: the folder in which the runs of a user see each other.
    """

    expire: bool
    limit: float
    ssh: str
    transport: str
    locks: str


@dataclasses.dataclass
class Master:
    """An ssh in the background. users: sessions of workers now. is_suspect: it took none when it had none.

    is_outdated: there are newer credentials. is_retired: it ends after its last session. ended_at: when it was told to.
    told: what ssh wrote at the login, until a worker has it.
    """

    process: Process
    place: Message
    told: str = ""
    users: int = 0
    is_suspect: bool = False
    is_outdated: bool = False
    is_retired: bool = False
    ended_at: float | None = None

    def end(self) -> None:
        """Tells it to end, and after a while does not ask."""
        now = time.monotonic()
        if self.ended_at is None:
            self.ended_at = now
            self.process.signal(signal.SIGTERM)
        elif now - self.ended_at > KILL_AFTER:
            self.process.signal(signal.SIGKILL)


class Use:
    """That this run uses an instance, as the other runs of the same user on this machine see it: a lock on a file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def begin(self, timeout: float = END_LIMIT) -> None:
        """Begins to use it: not while another run is expiring. Where there can be no file, runs do not see each other.

        Raises StateError after a number of seconds.
        """
        until = time.monotonic() + timeout
        while self._file is None:
            try:
                self._file = self._locked(fcntl.LOCK_SH)
            except BlockingIOError:
                pass
            except OSError:
                return
            if self._file is None:
                if time.monotonic() > until:
                    raise StateError("Another run of Ansible has been expiring credentials of the instance for long.")
                time.sleep(0.05)

    @contextlib.contextmanager
    def ending(self) -> t.Iterator[bool]:
        """Ends the use. Gives whether nobody else uses it now, which stays so in this context."""
        self.end()
        file = None
        try:
            while file is None:
                file = self._locked(fcntl.LOCK_EX)
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass
        try:
            yield True
        finally:
            if file is not None:
                with contextlib.suppress(OSError):
                    os.unlink(self._path)
                os.close(file)

    def end(self) -> None:
        """Ends the use."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _locked(self, kind: int) -> int | None:
        """The file, locked. None when it is another one by now. Raises OSError, BlockingIOError when others have it."""
        os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            is_same = os.path.samestat(os.fstat(file), os.stat(self._path))
        except FileNotFoundError:
            is_same = False
        except OSError:
            os.close(file)
            raise
        if is_same:
            return file
        os.close(file)
        return None


@dataclasses.dataclass
class Instance:
    """What the keeper knows of an instance.

    lock: held by whoever opens, renews or expires. has_credentials: whether there are some to expire, or may be.
    renew_at, ends_at: by the monotonic clock. most_users: sessions that a master takes, where that is limited.
    transport: exec or shell once that is known; transfer: piped when sftp failed. attempts: logins begun; finished:
    those that are over. failure: how the last one failed, with its number.
    """

    container_id: str
    instance_id: str
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)
    options: Message = dataclasses.field(default_factory=dict, repr=False)
    settings: Settings | None = None
    use: Use | None = None
    credentials: Credentials | None = None
    has_credentials: bool = False
    renew_at: float = 0.0
    ends_at: float = 0.0
    masters: list[Master] = dataclasses.field(default_factory=list)
    most_users: int | None = None
    transport: str | None = None
    transfer: str | None = None
    attempts: int = 0
    finished: int = 0
    failure: tuple[int, PaasError] | None = None
    is_tended: bool = False

    @property
    def is_due(self) -> bool:
        """Whether its credentials will end soon, and are in use."""
        return bool(self.masters) and self.credentials is not None and time.monotonic() >= self.renew_at


class Gone(Exception):
    """The worker that wanted something is gone."""


def _log(text: str) -> None:
    syslog.openlog("quayside.paas", syslog.LOG_PID, syslog.LOG_USER)
    syslog.syslog(syslog.LOG_WARNING, text)


class Keeper:
    """See the module. folder: for the sockets of masters. client: makes the client of the API from its options."""

    def __init__(
        self,
        folder: str,
        client: MakeClient = Cycle,
        log: t.Callable[[str], None] = _log,
    ) -> None:
        self._folder = folder
        self._client = client
        self._log = log
        self._instances: dict[tuple[str, str], Instance] = {}
        self._lock = threading.Lock()  # of the dictionary, and of the users of masters
        self._numbers = itertools.count(1)
        self._is_ending = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(AT_A_TIME)

    # What workers ask for

    def converse(self, channel: Channel) -> None:
        """Answers a worker until it is gone."""
        held: Master | None = None
        try:
            while (request := channel.receive()) is not None:
                self._release(held)
                held = None
                answer, held = self._answer(request, channel)
                if answer is not None:
                    channel.send(answer)
        except (OSError, ValueError, Gone):
            pass
        finally:
            self._release(held)
            channel.close()

    def _answer(self, request: Message, channel: Channel) -> tuple[Message | None, Master | None]:
        instance = self._instance(request)
        try:
            if request["ask"] == "open":
                master = self._open(instance, request.get("lost"), channel)
                told, master.told = master.told, ""
                known = {"transport": instance.transport, "transfer": instance.transfer, "told": told}
                return {**master.place, **known}, master
            if request["ask"] == "reset":
                self._reset(instance)
                return {}, None
        except PaasError as error:
            return {"error": error.message}, None
        except (OSError, Gone):
            raise
        except Exception as error:
            self._log(f"instance {instance.instance_id}: {type(error).__name__}")
            return {"error": f"The keeper of SSH credentials failed ({type(error).__name__})."}, None
        instance.transfer = request.get("transfer") or instance.transfer
        return None, None

    def _instance(self, request: Message) -> Instance:
        key = (str(request["api_url"]), str(request["instance_id"]))
        with self._lock:
            return self._instances.setdefault(key, Instance(str(request["container_id"]), key[1]))

    def _release(self, master: Master | None) -> None:
        if master is None:
            return
        with self._lock:
            master.users -= 1
            if master.is_retired and not master.users:
                master.end()

    def _open(self, instance: Instance, lost: str | None, channel: Channel) -> Master:
        """A master with one more user. lost: the path at which the worker found no master, or no room."""
        finished = instance.finished
        with instance.lock:
            if self._is_ending.is_set():
                raise StateError("The run is over: no connection is opened any more.")
            self._forget_ended(instance)
            self._note_lost(instance, lost)
            self._renew_if_due(instance)
            master = self._free(instance, outdated=False)
            if master is None:
                if instance.failure and instance.failure[0] > finished:
                    raise instance.failure[1]  # it was under way already when this worker began to wait
                master = self._new_master(instance, channel)
            with self._lock:
                master.users += 1
            return master

    def _free(self, instance: Instance, *, outdated: bool) -> Master | None:
        for master in instance.masters:
            if master.is_retired or master.is_outdated is not outdated:
                continue
            if instance.most_users is None or master.users < instance.most_users:
                return master
        return None

    def _note_lost(self, instance: Instance, lost: str | None) -> None:
        """A master that is alive and has taken no session has enough of them, or is of no use."""
        for master in instance.masters:
            if master.place["control_path"] != lost:
                continue
            if master.is_suspect:
                self._retire(master)
            master.is_suspect = master.users == 0
            instance.most_users = max(1, min(master.users, instance.most_users or master.users))

    def _retire(self, master: Master) -> None:
        with self._lock:
            master.is_retired = True
            if not master.users:
                master.end()

    # Logging in. All of it with the instance's lock

    def _new_master(self, instance: Instance, channel: Channel) -> Master:
        """Another master. When there are no new credentials for one, that of the old ones has to do."""
        instance.attempts += 1
        try:
            master = self._with_credentials(instance, channel)
        except PaasError as error:
            outdated = self._free(instance, outdated=True)
            if outdated is not None:
                return outdated
            instance.failure = (instance.attempts, error)
            has_expired = not instance.masters and self._expire(instance)
            if error.may_have_succeeded:
                then = (
                    "were expired at once" if has_expired else f"end by themselves, after {LIFETIME / 60:.0f} minutes"
                )
                error.message += f" It was not sent again. Credentials that it may have made {then}."
            raise
        except (OSError, Gone):
            if not instance.masters:
                self._expire(instance)
            raise
        finally:
            instance.finished = instance.attempts
        instance.failure = None
        for other in instance.masters:
            if other.is_outdated:
                self._retire(other)
        instance.masters.append(master)
        return master

    def _with_credentials(self, instance: Instance, channel: Channel) -> Master:
        self._take_settings(instance, _ask(channel, {"want": "options"}))
        is_new = instance.credentials is None
        if is_new:
            self._mint(instance)
        try:
            return self._log_in(instance, channel)
        except StateError as error:
            if is_new or REFUSED not in error.message:
                raise
        self._mint(instance)  # somebody else has ended those that there were
        return self._log_in(instance, channel)

    def _take_settings(self, instance: Instance, told: Message) -> None:
        instance.options, instance.settings = told["options"], Settings(**told["settings"])
        if instance.use is None:
            name = hashlib.sha256(f"{instance.options.get('api_url')} {instance.instance_id}".encode()).hexdigest()[:32]
            instance.use = Use(os.path.join(instance.settings.locks, name))
        if instance.settings.transport != "auto":
            instance.transport = instance.settings.transport

    @contextlib.contextmanager
    def _cycle(self, instance: Instance, **other: t.Any) -> t.Iterator[Cycle]:
        client = self._client({**instance.options, **other}.get)
        try:
            yield client
        finally:
            client.close()

    def _mint(self, instance: Instance) -> None:
        _known(instance.use).begin()
        began = time.monotonic()
        try:
            with self._cycle(instance) as client:
                instance.credentials = mint(client, instance.container_id, instance.instance_id, advise=False)
        except PaasError as error:
            instance.has_credentials = instance.has_credentials or error.may_have_succeeded
            raise
        instance.has_credentials = True
        lifetime = instance.credentials.lifetime or LIFETIME
        instance.ends_at = began + lifetime
        instance.renew_at = instance.ends_at - min(MARGIN, lifetime / 4)
        for master in instance.masters:
            master.is_outdated = True

    def _log_in(self, instance: Instance, channel: Channel) -> Master:
        credentials, settings = _known(instance.credentials), _known(instance.settings)
        path = os.path.join(self._folder, f"m{next(self._numbers)}")
        place = {"host": credentials.host, "port": credentials.port, "user": credentials.user, "control_path": path}
        commands = _ask(channel, {"want": "commands", **place})
        environment = {name: value for name, value in os.environ.items() if name not in KEY_VARIABLES}
        folder = commands["folder"]
        ended = log_in(
            commands["login"],
            user=credentials.user,
            secret=credentials.secret,
            folder=folder,
            limit=settings.limit,
            environment=environment,
            is_wanted=lambda: channel.is_open() and not self._is_ending.is_set(),
        )
        if not channel.is_open():
            _end_at(settings.ssh, path)
            raise Gone
        if ended.code != 0:
            raise StateError(_refusal(instance.instance_id, place, ended))
        process = master_of(settings.ssh, path)
        if process is None:
            raise StateError(
                f"The SSH login to instance {instance.instance_id} went well, but its connection ended at once."
                f" {last_words(ended.told)}".rstrip()
            )
        master = Master(process, place, told=ended.told)
        if instance.transport is None:
            limit = settings.limit
            serves = serves_commands(commands["probe"], folder=folder, limit=limit, environment=environment)
            if not process.is_running():
                raise StateError(f"The gateway closed the connection to instance {instance.instance_id} right away.")
            instance.transport = "exec" if serves else "shell"
        return master

    # Renewing and ending. All of it with the instance's lock

    def _renew_if_due(self, instance: Instance) -> None:
        """New credentials for the next master; those that are connected go on with the old ones."""
        if not instance.is_due:
            return
        try:
            self._mint(instance)
        except PaasError as error:
            left = instance.ends_at - time.monotonic()
            # What may have been done is not done again as long as there is something that works.
            wait = left if error.may_have_succeeded else left / 2
            instance.renew_at = time.monotonic() + max(wait, 5.0)
            self._log(f"SSH credentials of instance {instance.instance_id} could not be renewed: {error.message}")

    def _forget_ended(self, instance: Instance) -> None:
        for master in [one for one in instance.masters if not one.process.is_running()]:
            instance.masters.remove(master)
            master.process.close()
            with contextlib.suppress(OSError):
                os.unlink(master.place["control_path"])
        if not instance.masters and instance.has_credentials:
            self._expire(instance)

    def _expire(self, instance: Instance) -> bool:
        """Expires the credentials of an instance, unless others use it or it is not wanted. Whether that was done."""
        instance.credentials = None
        if instance.use is None or instance.settings is None:
            return False
        if not instance.has_credentials or not instance.settings.expire:
            instance.has_credentials = False
            instance.use.end()
            return False
        with instance.use.ending() as is_last:
            try:
                if is_last:
                    options = instance.options
                    with self._cycle(
                        instance,
                        timeout=min(options["timeout"], LAST_TIMEOUT),
                        retry_budget=min(options["retry_budget"], LAST_RETRY_BUDGET),
                    ) as client:
                        expire(client, instance.container_id, instance.instance_id)
                instance.has_credentials = False
            except PaasError as error:
                self._log(f"SSH credentials of instance {instance.instance_id} could not be expired: {error.message}")
        return not instance.has_credentials and is_last

    def _reset(self, instance: Instance) -> None:
        """Ends the masters of an instance after their sessions, and so its credentials."""
        with instance.lock:
            for master in instance.masters:
                self._retire(master)
        until = time.monotonic() + DRAIN_LIMIT
        while time.monotonic() < until and any(one.process.is_running() for one in list(instance.masters)):
            time.sleep(0.02)
        with instance.lock:
            self._forget_ended(instance)

    # What goes on by itself

    def processes(self) -> list[Process]:
        """The masters to watch."""
        with self._lock:
            return [master.process for one in self._instances.values() for master in one.masters]

    def tend(self) -> None:
        """Begins what has become due: expiring after masters that have ended, renewing."""
        with self._lock:
            for instance in self._instances.values():
                for master in instance.masters:
                    if master.ended_at is not None:
                        master.end()
                has_ended = any(not master.process.is_running() for master in instance.masters)
                if (has_ended or instance.is_due) and not instance.is_tended:
                    instance.is_tended = True
                    self._pool.submit(self._tend, instance)

    def _tend(self, instance: Instance) -> None:
        try:
            with instance.lock:
                if not self._is_ending.is_set():
                    self._forget_ended(instance)
                    self._renew_if_due(instance)
        finally:
            instance.is_tended = False

    def end(self, limit: float = END_LIMIT) -> None:
        """Ends all masters, expires all credentials, and takes no longer than a number of seconds."""
        until = time.monotonic() + limit
        self._is_ending.set()
        with self._lock:
            instances = list(self._instances.values())
        for instance in instances:
            for master in list(instance.masters):
                master.end()
        ending = {self._pool.submit(self._end, instance, until): instance for instance in instances}
        done, late = concurrent.futures.wait(ending, timeout=limit)
        if late:
            self._log(
                f"There was no time to expire SSH credentials of {len(late)} instances of {len(done) + len(late)}."
            )

    def _end(self, instance: Instance, until: float) -> None:
        if not instance.lock.acquire(timeout=max(0.0, until - time.monotonic())):
            return
        try:
            for master in instance.masters:
                master.end()
            self._expire(instance)
            for master in instance.masters:
                while master.process.is_running() and time.monotonic() < until:
                    time.sleep(0.02)
                    master.end()
        finally:
            instance.lock.release()


def _end_at(ssh: str, path: str) -> None:
    """Ends the master that listens at a path, if there is one. ssh: the program."""
    process = master_of(ssh, path)
    if process is not None:
        process.signal(signal.SIGTERM)
        process.close()


def _ask(channel: Channel, question: Message) -> Message:
    try:
        channel.send(question)
        answer = channel.receive(WORKER_LIMIT)
    except OSError:
        answer = None
    if answer is None or "cancel" in answer:
        raise Gone
    return answer


def _refusal(instance_id: str, place: Message, ended: Ended) -> str:
    """Why a login failed, and what to do about it."""
    said = last_words(ended.told)
    host = place["host"] if place["port"] == 22 else f"[{place['host']}]:{place['port']}"
    advice = ""
    if "IDENTIFICATION HAS CHANGED" in said or "Host key verification failed" in said:
        said = "the host key of the gateway is not the one that is known, or none is known."
        advice = f" If the new key is right, remove the old one with ssh-keygen -R '{host}'; see the option host_keys."
    elif REFUSED in said:
        advice = (
            " The credentials had just been made: another run or user may have expired them, or the instance ended."
        )
    return (
        f"The SSH login to instance {instance_id} at {place['host']} port {place['port']} failed:"
        f" {said.rstrip('.')}.{advice} Nothing was run there."
    )


def serve(listener: socket.socket, folder: str, controller: int, client: MakeClient = Cycle) -> None:
    """Is the keeper of a run. listener: where workers connect. controller: the process whose end is the end of the run.

    A signal to terminate counts as that, too. client: see Keeper.
    """
    with contextlib.suppress(ValueError, OSError):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    told_to_end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_end.set())
    for path in glob.glob(os.path.join(glob.escape(folder), "m*")):  # of a keeper of this run that was killed
        _end_at("ssh", path)
    keeper = Keeper(folder, client)
    run = Process(controller)
    listener.setblocking(False)
    while run.is_running() and not told_to_end.is_set():
        _wait(listener, run, *keeper.processes())
        with contextlib.suppress(BlockingIOError):
            while True:
                connection = _accepted(listener)
                connection.setblocking(True)
                threading.Thread(target=keeper.converse, args=(Channel(connection),), daemon=True).start()
        keeper.tend()
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(folder, SOCKET))
    listener.close()
    keeper.end()


def _accepted(listener: socket.socket) -> socket.socket:
    try:
        return listener.accept()[0]
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            time.sleep(WATCH_INTERVAL)
        raise BlockingIOError from None


def _wait(listener: socket.socket, *processes: Process) -> None:
    """Waits until a worker connects, a process ends, or some time has passed."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    for process in processes:
        descriptor = process.descriptor
        if descriptor is not None:
            poll.register(descriptor, select.POLLIN)
    poll.poll(WATCH_INTERVAL * 1000)
