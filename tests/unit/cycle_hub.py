# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycle in memory for tasks of instances: a container, its instances and volumes, jobs that take time by the clock."""

from __future__ import annotations

import copy
import datetime
import functools
import threading
import typing as t
from unittest import mock

from ansible_collections.quayside.paas.plugins.module_utils._cycle import migration, traffic_drain, volumes
from ansible_collections.quayside.paas.plugins.module_utils._cycle.api import SECRETS
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    NotFoundError,
    PaasError,
    TransportError,
)
from ansible_collections.quayside.paas.plugins.module_utils._module.action import apply
from ansible_collections.quayside.paas.plugins.module_utils._redact import blank
from ansible_collections.quayside.paas.plugins.module_utils._wait import Deadline
from unit.fakes import Clock
from unit.hosts import declared, validate

Item = dict[str, t.Any]
REQUEST, DONE = "container.instance.task.{}", "container.instance.{}"


class Killed(BaseException):
    """The process is gone: nobody catches this."""


def refused(status: int = 422, code: str = "422.invalid-input") -> ApiError:
    kind = NotFoundError if status == 404 else ApiError
    return kind(f"The platform said {code}.", status=status, code=code)


def broken() -> TransportError:
    return TransportError("The connection broke.", may_have_succeeded=True)


def instance(identity: str, server: str = "s1", state: str = "running", **more: t.Any) -> Item:
    """An instance; healthy: what its health check says."""
    healthy = more.pop("healthy", True)
    return {
        "id": identity,
        "container_id": "c1",
        "server_id": server,
        "ready_state": "active",
        "migration": None,
        "traffic_drain": None,
        "state": {"current": state, "health": {"healthy": healthy}},
        **more,
    }


def hop(to: tuple[str, str] | None = None, came: tuple[str, str] | None = None) -> Item:
    """The migration of an instance: to and from which instance on which server."""
    found = [None if one is None else {"instance_id": one[0], "server_id": one[1]} for one in (to, came)]
    return {"key": "k", "copy_volumes": False, "to": found[0], "from": found[1]}


def volume(identity: str, total: int = 20480, path: str = "/data", **config: t.Any) -> Item:
    """A volume of 20G."""
    return {
        "id": identity,
        "config": {"identifier": f"name-{identity}", "destination": path, "local": {"max_size": "20G"}, **config},
        "deployed": {
            "id": f"d-{identity}",
            "container_volume_id": f"c-{identity}",
            "storage": {"used": 1, "total": total},
            "last_updated": "2026-01-01T00:00:00Z",
        },
        "sftp": {"username": identity, "password": {"algorithm": "raw", "data": "a secret"}},
    }


def _server(identity: str) -> Item:
    return {"id": identity, "hostname": f"host-{identity}", "cluster": "eu", "state": {"current": "live"}}


class Hub:
    """Cycle with the container c1 on servers s1 to s3. What is asked for begins a job, which takes time by the clock.

    queue, work: seconds until a job begins, and from then until it is done. show: seconds until lists have it. lag:
    seconds until a size shows after the job. purge: seconds that a source is kept. names: whether an instance that
    migrates names its successor. tells: whether jobs say what they are about. logs: whether the audit log has what is
    asked for and done. ends_in: how the next jobs end. outcome, healthy: what becomes of successors; outcomes: of those
    of a container. volume_field: the id that extending takes. trouble: what happens to the next requests that change
    something: None for nothing, else an exception to raise and whether the request is carried out all the same. sent:
    the bodies of those requests. calls: all requests, with their query or body. Requests of several threads are
    answered one after the other.
    """

    def __init__(self, clock: Clock, *found: Item, **container: t.Any) -> None:
        self.clock = clock
        self.check_mode = False
        self.container: Item = {
            "id": "c1",
            "environment": {"id": "e1", "cluster": "eu"},
            "config": {"deploy": {"health_check": {"command": "/healthz"}}},
            "state": {"current": "running", "desired": "running"},
            **container,
        }
        self.containers: dict[str, Item] = {"c1": self.container}
        self.servers: list[Item] = [_server(name) for name in ("s1", "s2", "s3")]
        self.instances = list(found)
        self.volumes: dict[str, list[Item]] = {}
        self.usable: list[Item] = [{"id": one["id"], "hostname": one["hostname"]} for one in self.servers]
        self.jobs: list[Item] = []
        self.log: list[Item] = []
        self.may_see_jobs = self.may_read_log = self.tells = self.logs = self.names = True
        self.queue, self.work, self.show, self.lag, self.purge = 1.0, 4.0, 0.0, 0.0, 10800.0
        self.ends_in = "completed"
        self.outcome, self.healthy = "running", True
        self.outcomes: dict[str, str] = {}
        self.volume_field = "id"
        self.trouble: list[tuple[BaseException, bool] | None] = []
        self.sent: list[Item] = []
        self.reads: list[str] = []
        self.queries: list[tuple[str, t.Any]] = []
        self.calls: list[tuple[str, str, t.Any]] = []
        self.may_have_changed = False
        self.includes: Item = {}
        self.transport = self
        self._lock = threading.RLock()
        self._coming: list[tuple[float, t.Callable[[], t.Any]]] = []
        self._numbers = iter(range(1, 1000))

    # What a module calls

    def get(self, path: str, *, permission: str, query: t.Any = None) -> Item:
        with self._lock:
            self._read(path, query)
            kind, identity = path.rsplit("/", 1)
            if kind == "jobs":
                return self._one(self._visible_jobs(), identity, "404.job")
            if kind == "infrastructure/servers":
                return self._one(self.servers, identity, "404.server")
            if kind.endswith("/instances"):
                return self._one(self._instances_of(kind), identity, "404.instance")
            return self._one(list(self.containers.values()), identity, "404.container")

    def get_list(
        self,
        path: str,
        list_key: str,
        *,
        permission: str,
        keep: t.Any = None,
        query: t.Any = None,
        limit: int | None = None,
    ) -> list[Item]:
        with self._lock:
            self._read(path, query)
            found = self._listed(path)
            if "containers" in ((query or {}).get("include") or ()):
                self.includes["containers"] = copy.deepcopy(self.containers)
            return [copy.deepcopy(one) for one in found if keep is None or keep(one)][:limit]

    def _listed(self, path: str) -> list[Item]:
        if path == "jobs":
            return self._visible_jobs()
        if path == "infrastructure/servers":
            return self.servers
        if path.endswith("/servers/usable"):
            return self.usable
        if path.endswith("/instances"):
            return self._instances_of(path)
        identity = path.removeprefix("containers/c1/instances/").removesuffix("/volumes")
        self._one(self.instances, identity, "404.instance")
        return self.volumes.get(identity, [])

    def _instances_of(self, path: str) -> list[Item]:
        """Those of a container or of a server, whose list of instances this is the path of."""
        field = "container_id" if path.startswith("containers/") else "server_id"
        return [one for one in self.instances if one[field] == path.split("/")[-2]]

    def get_data(self, path: str, *, query: t.Any = None, permission: str | None = None) -> t.Any:
        assert path == "hubs/current/activity"
        with self._lock:
            self._read(path, query)
            if not self.may_read_log:
                raise refused(403, "403.permissions")
            wanted = (query or {}).get("filter[instance]")
            return copy.deepcopy([one for one in self.log if wanted in (None, one["context"]["instance_id"])])

    def post(self, path: str, body: Item, *, permission: str) -> Item:
        assert not self.check_mode
        with self._lock:
            self._tick()
            self.sent.append(body)
            self.calls.append(("POST", path, body))
            trouble = self.trouble.pop(0) if self.trouble else None
            self.may_have_changed = self.may_have_changed or trouble is None or trouble[1]
            if trouble is not None and not trouble[1]:
                raise trouble[0]
            descriptor = self._begin(self._live(path.split("/")[-2]), body["action"], body.get("contents", {}))
            if trouble is not None:
                raise trouble[0]
            return descriptor

    def plain(self, value: t.Any) -> t.Any:
        return blank(value, SECRETS)

    # What the platform does

    def after(self, seconds: float, what: t.Callable[[], t.Any]) -> None:
        self._coming.append((self.clock.now() + seconds, what))

    def _tick(self) -> None:
        while due := sorted((one for one in self._coming if one[0] <= self.clock.now()), key=lambda one: one[0]):
            self._coming.remove(due[0])
            due[0][1]()

    def _read(self, path: str, query: t.Any = None) -> None:
        self._tick()
        self.reads.append(path)
        self.queries.append((path, query))
        self.calls.append(("GET", path, query))

    def _one(self, things: list[Item], identity: str, code: str) -> Item:
        found = next((one for one in things if one["id"] == identity), None)
        if found is None:
            raise refused(404, code)
        return copy.deepcopy(found)

    def _live(self, identity: str) -> Item:
        return next(one for one in self.instances if one["id"] == identity)

    def _visible_jobs(self) -> list[Item]:
        if not self.may_see_jobs:
            raise refused(403, "403.permissions")
        return [job for job in self.jobs if self.clock.now() >= job["made"] + self.show]

    def stamp(self) -> str:
        moment = datetime.datetime.fromtimestamp(self.clock.now(), datetime.UTC)
        return moment.isoformat().replace("+00:00", "Z")

    def note(self, event: str, identity: str, status: str = "success") -> None:
        entry = {"event": event, "status": status, "context": {"instance_id": identity}, "time": self.stamp()}
        if self.logs:
            self.log.append({"id": f"a{next(self._numbers):04}", **entry})

    def _begin(self, one: Item, action: str, contents: Item) -> Item:
        begin, done = {
            "migration.start": self._migration,
            "migration.revert": self._revert,
            "volume.extend": self._extension,
            "traffic-drain.reconfigure": self._drain,
        }[action](one, contents)
        job: Item = {
            "id": f"j{next(self._numbers)}",
            "queue": "env-e1",
            "made": self.clock.now(),
            "state": {"current": "queued"},
            "tasks": [{"caption": action, "input": {"container_id": one["container_id"], "instance_id": one["id"]}}],
        }
        if not self.tells:
            job["tasks"][0]["input"] = {}
        self.jobs.append(job)
        self.note(REQUEST.format(action), one["id"], "request")
        how = self.ends_in

        def end() -> None:
            job["state"] = {"current": how, "error": None if how == "completed" else {"message": "no room"}}
            if how == "expired":
                return
            if how == "completed":
                done()
            self.note(DONE.format(action), one["id"], "success" if how == "completed" else "error")

        if how == "completed":
            self.after(self.queue, begin)
        self.after(self.queue + self.work, end)
        return {"action": f"container.instance.{action}", "job": {"id": job["id"]}}

    def _migration(self, one: Item, contents: Item) -> tuple[t.Callable[[], None], t.Callable[[], None]]:
        if one["ready_state"] != "active" or one["state"]["current"] == "migrating":
            raise refused()
        new = instance(f"n{next(self._numbers)}", contents["destination_server_id"], "new", healthy=None)
        new["container_id"] = one["container_id"]
        new["migration"] = hop(came=(one["id"], one["server_id"]))

        def begin() -> None:
            if one["state"]["current"] == "migrating" or one["ready_state"] != "active":
                return
            one["state"]["current"] = "migrating"
            one["migration"] = hop(to=(new["id"], new["server_id"])) if self.names else None
            self.instances.append(new)

        def done() -> None:
            if new not in self.instances:
                return
            one.update(ready_state="purge", purge_time="2026-01-01T03:00:00Z")
            one["migration"] = hop(to=(new["id"], new["server_id"]))
            one["state"] = {"current": "stopped", "health": None}
            new["state"]["current"] = self.outcomes.get(one["container_id"], self.outcome)
            self.after(2, lambda: new["state"].update(health={"healthy": self.healthy}))
            self.after(self.purge, lambda: one in self.instances and self.instances.remove(one))

        return begin, done

    def _revert(self, one: Item, contents: Item) -> tuple[t.Callable[[], None], t.Callable[[], None]]:
        if one["ready_state"] != "purge":
            raise refused()
        new = self._live(one["migration"]["to"]["instance_id"])

        def begin() -> None:
            one["state"]["current"], new["state"]["current"] = "starting", "deleting"

        def done() -> None:
            self.instances.remove(new)
            one.update(ready_state="active", migration=None)
            one["state"] = {"current": "running", "health": {"healthy": None}}

        return begin, done

    def _extension(self, one: Item, contents: Item) -> tuple[t.Callable[[], None], t.Callable[[], None]]:
        known = {"id": lambda v: v["id"], "deployed": lambda v: v["deployed"]["id"]}[self.volume_field]
        found = [each for each in self.volumes[one["id"]] if known(each) == contents["volume_id"]]
        if not found:
            raise refused()
        storage = found[0]["deployed"]["storage"]

        def show() -> None:
            storage["total"] += volumes.megabytes(contents["extend_size"])
            found[0]["deployed"]["last_updated"] = self.stamp()

        return (lambda: None), (lambda: self.after(self.lag, show))

    def _drain(self, one: Item, contents: Item) -> tuple[t.Callable[[], None], t.Callable[[], None]]:
        drained = {"started": "2026-01-01T00:00:00Z"} if contents["enable"] else None
        return (lambda: None), (lambda: one.update(traffic_drain=drained))


def act(hub: Hub, module: str, *, check: bool = False, **arguments: t.Any) -> Item:
    """The result of a module on a hub, by the hub's clock. Raises what it raises."""
    access = {"api_key": "k", "hub_id": "h", "container_id": "c1"}
    checked = validate(declared(module), **{**access, **arguments})
    assert checked.error_messages == []
    plans = {"migration": migration, "volume": volumes, "traffic_drain": traffic_drain}
    one = plans[module.removeprefix("instance_")]
    timed = functools.partial(Deadline, sleep=hub.clock.sleep, clock=hub.clock.now)
    hub.check_mode = check
    with mock.patch.object(one, "Deadline", timed):
        return apply(hub, one.plan(t.cast("t.Any", hub), checked.validated_parameters))  # type: ignore[arg-type]


def trouble(hub: Hub, module: str, kind: type[PaasError], **arguments: t.Any) -> PaasError:
    """The error that a module fails with."""
    try:
        result = act(hub, module, **arguments)
    except kind as error:
        return error
    raise AssertionError(f"did not fail: {result}")
