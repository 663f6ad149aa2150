# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that move: a new instance with a new id takes over, the old one is kept for a while.

The source is migrating while the job runs, then stopped with ready_state purge until it is purged; only then can a
migration be reverted, and only on the source.
"""

from __future__ import annotations

from copy import deepcopy

from ..messages import Record
from . import jobs, lives, records
from .activity import context_of, notify
from .ask import Ask
from .errors import ApiError, invalid
from .placement import usable
from .stamps import ZERO, nano, stamp
from .state import Container, State

_MOVABLE = ("running", "stopped", "failed")


def _refuse(detail: str, code: str = "422.invalid-input") -> ApiError:
    return invalid(detail, "/contents/destination_server_id", code)


def check(state: State, container: Container, instance: Record, server_id: object) -> Record:
    """Return the server an instance is to go to. Raises ApiError when it cannot."""
    if container.service == "loadbalancer":
        raise invalid("instances of load balancers cannot be migrated", "/action", "422.not-compatible")
    if instance["ready_state"] != "active" or instance["state"]["current"] not in _MOVABLE:
        raise invalid(f"the instance is {instance['state']['current']}", "/action", "422.invalid-input")
    server = state.servers.get(str(server_id))
    if server is None:
        raise _refuse("no such server", "422.invalid-argument")
    if server["id"] == instance["server_id"]:
        raise _refuse("the instance is on that server")
    if not usable(state, container, server):
        raise _refuse("the container cannot be on that server", "422.not-compatible")
    return server


def _take_over(state: State, source: Record, destination: Record, copy: bool) -> None:
    """Give the new instance its volumes: with the contents of the old ones, where those are to be copied."""
    deployed = [each["deployed"] for each in state.volumes.get(source["id"], []) if each["deployed"] is not None]
    olds = {each["container_volume_id"]: each for each in deployed}
    for volume in state.volumes.get(destination["id"], []):
        old = olds.get(volume["deployed"]["container_volume_id"])
        stateless = (volume["config"].get("local") or {}).get("stateless")
        if copy and old is not None and not stateless:
            volume["deployed"]["storage"] = dict(old["storage"])


def _arrive(state: State, source: Record, server: Record, copy: bool, creator: Record, moment: float) -> Record:
    """Make the new instance; it comes up as the settings say."""
    container = state.containers[source["container_id"]]
    given = {"stateful": deepcopy(source["stateful"]), "hostname": source["hostname"]}
    destination = records.instance(state, container, server, moment, creator, given)
    key = state.mint(moment)
    common = {"key": key, "copy_volumes": copy, "started": nano(moment), "completed": ZERO}
    here = {"instance_id": source["id"], "server_id": source["server_id"]}
    there = {"instance_id": destination["id"], "server_id": server["id"]}
    source["migration"] = {**common, "to": there, "from": None}
    destination["migration"] = {**common, "to": None, "from": here}
    lives.place(state, container, destination)
    if container.data["volumes"]:
        state.volumes[destination["id"]] = records.volumes(state, container, destination, moment)
        _take_over(state, source, destination, copy)
    if source["state"]["current"] == "stopped":
        lives.rest(state, destination, moment)
    else:
        outcome = state.settings.migration.outcome
        outcome = lives.outcome_of(state, container) if outcome == "running" else outcome
        lives.start(state, destination, moment, outcome, state.settings.instances.new)
    return destination


def _tell(state: State, instance: Record) -> None:
    context = context_of(state.containers[instance["container_id"]])
    notify(state, "container.instance.migration.update", {"id": instance["id"]}, context)


class Move:
    """One migration from its beginning to its end, good or bad."""

    def __init__(self, state: State, source: Record, server: Record, copy: bool, creator: Record) -> None:
        self._state, self._source, self._server, self._copy, self._creator = state, source, server, copy, creator
        self._before: Record = {}
        self._destination: Record | None = None

    def begin(self, moment: float, _failing: bool = False) -> None:
        """Let the source migrate and the destination come up; nothing when the source has gone meanwhile."""
        state, source = self._state, self._source
        if source["id"] not in state.instances or source["state"]["current"] not in _MOVABLE:
            return
        state.timelines.cancel(source)
        self._before = dict(source["state"])
        self._destination = _arrive(state, source, self._server, self._copy, self._creator, moment)
        lives.change(state, source, "migrating", moment)
        _tell(state, source)

    def done(self, moment: float) -> None:
        """Stop the source and keep it until it is purged."""
        state, source = self._state, self._source
        if self._destination is None:
            return
        for instance in (source, self._destination):
            instance["migration"]["completed"] = nano(moment)
        lives.change(state, source, "stopped", moment)
        source["state"]["health"] = None
        keep(state, source, moment + state.settings.migration.purge, moment)
        _tell(state, source)

    def failed(self, moment: float) -> None:
        """Let the source be as before; the destination goes."""
        if self._destination is None:
            return
        lives.remove(self._state, self._destination, moment)
        self._source["migration"] = None
        lives.change(self._state, self._source, self._before["current"], moment)
        self._source["state"] |= self._before
        _tell(self._state, self._source)


def keep(state: State, source: Record, until: float, now: float) -> None:
    """Mark a source for the purge, which comes at a moment."""
    source["ready_state"] = "purge"
    source["purge_time"] = stamp(until)
    state.later(source, [(until - now, lambda moment: lives.remove(state, source, moment))], now)


def start(ask: Ask, contents: Record) -> Record:
    """The task migration.start."""
    state, container, source = ask.state, ask.container(), ask.instance()
    if "destination_server_id" not in contents:
        raise _refuse("destination_server_id is required", "422.missing-argument")
    server = check(state, container, source, contents["destination_server_id"])
    stateful = contents.get("stateful") or {}
    copy = stateful.get("copy_volumes", False) if isinstance(stateful, dict) else None
    if not isinstance(copy, bool):
        raise invalid("copy_volumes is a boolean", "/contents/stateful/copy_volumes")
    move = Move(state, source, server, copy, ask.key.creator)
    given = {
        "container_id": container.id,
        "instance_id": source["id"],
        "destination_server_id": server["id"],
        "copy_volumes": copy,
    }
    work = jobs.Work(
        "container.instance.migration.start",
        f"Migrate {source['hostname']}",
        context_of(container, source),
        [("Migrate instance", given)],
        ("Stop source", "Create destination", *(("Copy volumes",) if copy else ()), "Start destination"),
        state.settings.migration.seconds,
        move.begin,
        move.done,
        move.failed,
    )
    return jobs.begin(state, ask.key, work)


def revert(ask: Ask, _contents: Record) -> Record:
    """The task migration.revert: only on a source that has not been purged yet."""
    state, container, source = ask.state, ask.container(), ask.instance()
    migration = source["migration"]
    if source["ready_state"] != "purge" or not migration or not migration.get("to"):
        raise invalid("there is no migration to revert", "/action", "422.invalid-input")
    destination = state.instances.get(migration["to"]["instance_id"])

    def begin(moment: float, _failing: bool) -> None:
        # The purge waits for the end of the job.
        state.timelines.cancel(source)
        lives.change(state, source, "starting", moment)
        if destination is not None:
            state.timelines.cancel(destination)
            lives.change(state, destination, "deleting", moment)
        _tell(state, source)

    def done(moment: float) -> None:
        if destination is not None:
            lives.remove(state, destination, moment)
        source.update(ready_state="active", purge_time=None, migration=None)
        lives.up(state, source, moment, "running")
        _tell(state, source)

    def failed(moment: float) -> None:
        if destination is not None:
            lives.change(state, destination, "running", moment)
        lives.change(state, source, "stopped", moment)
        keep(state, source, moment + state.settings.migration.purge, moment)

    given = {"container_id": container.id, "instance_id": source["id"]}
    work = jobs.Work(
        "container.instance.migration.revert",
        f"Revert the migration of {source['hostname']}",
        context_of(container, source),
        [("Revert migration", given)],
        ("Stop destination", "Start source"),
        state.settings.migration.seconds,
        begin,
        done,
        failed,
    )
    return jobs.begin(state, ask.key, work)
