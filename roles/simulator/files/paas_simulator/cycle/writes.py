# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances made and deleted."""

from __future__ import annotations

from typing import Any

from ..messages import Record
from ..timeline import Effect
from . import jobs, lives, records
from .access import Key
from .activity import context_of, log, notify
from .ask import Ask
from .errors import invalid
from .placement import choose, usable
from .state import Container, State

_MANY = 1000


def _placements(ask: Ask, container: Container) -> list[tuple[Record, int]]:
    """Return servers with numbers of new instances from the body. Raises ApiError."""
    body = ask.body()
    if not isinstance(body, list) or not body:
        raise invalid("the body is a list of server_id and new_instances", "/", "422.missing-argument")
    return [_placement(ask.state, container, entry, f"/{index}") for index, entry in enumerate(body)]


def _placement(state: State, container: Container, entry: Any, source: str) -> tuple[Record, int]:
    if not isinstance(entry, dict) or not {"server_id", "new_instances"} <= set(entry):
        raise invalid("server_id and new_instances are required", source, "422.missing-argument")
    amount = entry["new_instances"]
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < 1:
        raise invalid("new_instances is a number from 1", f"{source}/new_instances")
    if amount > _MANY:
        raise invalid(f"new_instances is at most {_MANY}", f"{source}/new_instances", "422.max-exceeded")
    server = state.servers.get(str(entry["server_id"]))
    if server is None:
        raise invalid("no such server", f"{source}/server_id")
    if not usable(state, container, server):
        raise invalid("the container cannot be on that server", f"{source}/server_id", "422.not-compatible")
    return server, amount


def _only_manual(container: Container) -> None:
    if container.strategy != "manual":
        detail = f"the deployment strategy is {container.strategy}, not manual"
        raise invalid(detail, "/config/deploy/strategy", "422.invalid-input")


def make(state: State, container: Container, server: Record, moment: float, creator: Record) -> Record:
    """Make an instance on a server and let it come up, or rest where its container is stopped; return it."""
    instance = records.instance(state, container, server, moment, creator)
    lives.place(state, container, instance)
    if container.data["volumes"]:
        state.volumes[instance["id"]] = records.volumes(state, container, instance, moment)
    if container.data["state"]["current"] in ("stopped", "stopping"):
        lives.rest(state, instance, moment)
    else:
        lives.start(state, instance, moment, lives.outcome_of(state, container), state.settings.instances.new)
    notify(state, "container.instances.reconfigured", {"id": container.id}, context_of(container))
    return instance


def _one_by_one(state: State, container: Container, targets: list[Record], key: Key, moment: float) -> None:
    """Make an instance on each of the servers, when the settings say."""
    times = state.settings.instances

    def maker(server: Record) -> Effect:
        def create_one(now: float) -> None:
            make(state, container, server, now, key.creator)

        return create_one

    steps = [(times.appear + number * times.apart, maker(server)) for number, server in enumerate(targets)]
    # The steps belong to no record that is there already.
    state.later({}, steps, moment)


def create(ask: Ask) -> Record:
    """POST C/instances."""
    state, container = ask.state, ask.container()
    _only_manual(container)
    placements = _placements(ask, container)

    def begin(moment: float, failing: bool) -> None:
        targets = [server for server, amount in placements for _number in range(amount)]
        _one_by_one(state, container, targets[: state.settings.jobs.partial] if failing else targets, ask.key, moment)

    given = {
        "container_id": container.id,
        "servers": [{"server_id": server["id"], "new_instances": amount} for server, amount in placements],
    }
    work = jobs.Work(
        "container.instances.create",
        f"Create instances of {container.data['name']}",
        context_of(container),
        [("Create instances", given)],
        ("Reserve capacity", "Create instances", "Start instances"),
        state.settings.jobs.running,
        begin,
    )
    return {"data": jobs.begin(state, ask.key, work)}


def _deletion(ask: Ask, container: Container, instances: list[Record]) -> Record:
    state = ask.state
    before: list[tuple[Record, Record]] = []

    def begin(moment: float, _failing: bool) -> None:
        for instance in instances:
            if instance["id"] in container.instances and instance["state"]["current"] not in ("deleting", "deleted"):
                before.append((instance, dict(instance["state"])))
                state.timelines.cancel(instance)
                lives.change(state, instance, "deleting", moment)

    def done(moment: float) -> None:
        for instance, _state in before:
            lives.remove(state, instance, moment)
            _replace(state, container, instance, moment)
        notify(state, "container.instances.reconfigured", {"id": container.id}, context_of(container))

    def failed(moment: float) -> None:
        for instance, old in before:
            lives.change(state, instance, old["current"], moment)
            instance["state"] |= old

    only = instances[0] if len(instances) == 1 else None
    work = jobs.Work(
        "container.instance.delete",
        f"Delete instances of {container.data['name']}",
        context_of(container, only),
        [("Delete instance", {"container_id": container.id, "instance_id": each["id"]}) for each in instances],
        ("Stop instance", "Remove instance"),
        state.settings.instances.deleting,
        begin,
        done,
        failed,
    )
    return {"data": jobs.begin(state, ask.key, work)}


def _replace(state: State, container: Container, gone: Record, moment: float) -> None:
    """Make a new instance for a deleted one, where the platform sees to their number."""
    if container.strategy == "manual" or not state.settings.instances.replace:
        return
    server = choose(state, container)
    if server is not None and gone["ready_state"] == "active":
        make(state, container, server, moment, {"id": container.data["environment"]["id"], "type": "environment"})


def delete(ask: Ask) -> Record:
    """DELETE I; an instance that is being deleted can be deleted again, which does nothing more."""
    return _deletion(ask, ask.container(), [ask.instance()])


def _listed_ids(body: Any) -> list[str] | None:
    """Return the ids in the body of a collection DELETE, in either of its two forms. Raises ApiError."""
    ids = body.get("instances_ids") if isinstance(body, dict) else body
    if ids is None:
        return None
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise invalid("instances_ids is a list of ids", "/instances_ids")
    return list(dict.fromkeys(ids))


def delete_many(ask: Ask) -> Record:
    """DELETE C/instances: the ids in the body; without any it does what is switched on."""
    container = ask.container()
    _only_manual(container)
    ids = _listed_ids(ask.body())
    empty = ask.state.settings.delete_collection.empty
    if not ids:
        if empty == "refuse":
            raise invalid("instances_ids is required", "/instances_ids", "422.missing-argument")
        ids = list(container.instances) if empty == "all" else []
    unknown = [each for each in ids if each not in container.instances]
    if unknown:
        raise invalid(f"no such instance: {', '.join(unknown)}", "/instances_ids")
    if not ids:
        log(ask.state, ask.key, "container.instances.delete", context_of(container), ask.state.now())
        return {"data": {"action": "container.instance.delete"}}
    return _deletion(ask, container, [container.instances[each] for each in ids])
