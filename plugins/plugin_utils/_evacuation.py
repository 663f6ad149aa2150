# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Emptying a server of Cycle: what migrates where and in which batches, what stays and why, and what came of it.

Everything is read from what the platform tells. Records are those of the info modules, and may lack any field.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.quayside.paas.plugins.module_utils._cycle.instances import (
    instances_on,
    is_gone,
    is_leaving,
    live_by_server,
    server_name,
    state_of,
    unfit,
)
from ansible_collections.quayside.paas.plugins.module_utils._cycle.migration_pair import (
    id_of_successor,
    is_retained,
    is_up,
    shall_run,
)
from ansible_collections.quayside.paas.plugins.module_utils._cycle.volumes import megabytes
from ansible_collections.quayside.paas.plugins.module_utils._types import value_at

Item = dict[str, t.Any]
Items = t.Sequence[Item]

# What the platform migrates. What is new, starting, stopping or the like has to settle first.
_MOVABLE = ("running", "stopped", "failed")
_STRATEGIES = {
    "node": "there is one on every server that fits",
    "function": "the platform makes and removes them with the requests",
}


class Found(t.NamedTuple):
    """What was read of the platform.

    instances: those on the server, each with its container in included. servers: all of the hub, with meta.node.
    usable: ids of the servers that a container can use, by its id. siblings: all instances of a container, by its id.
    details: servers with meta.allocations and meta.instances_count, by id.
    """

    instances: Items
    servers: Items
    usable: t.Mapping[str, t.Collection[str]]
    siblings: t.Mapping[str, Items]
    details: t.Mapping[str, Item]


class Wish(t.NamedTuple):
    """What is asked for. targets: ids of the only servers to use; empty for any. volumes: copy or leave."""

    server_id: str
    targets: t.Sequence[str]
    batch: int
    volumes: str
    leave: t.Collection[str]


def as_data(value: t.Any) -> t.Any:
    """A value in new containers, which Ansible never takes for templates; those that come from templates can't be."""

    def renewed(one: t.Any) -> t.Any:
        if isinstance(one, dict):
            return {key: renewed(value) for key, value in one.items()}
        return [renewed(value) for value in one] if isinstance(one, (list, tuple)) else one

    return wrap_var(renewed(value))


def check(found: Found, wish: Wish) -> str:
    """What is wrong with a wish, for people; empty when nothing is."""
    known = {str(one.get("id")) for one in found.servers}
    names = ", ".join(sorted(map(server_name, found.servers))) or "none"
    if wish.server_id not in known:
        return f"There is no server {wish.server_id}. Servers of the hub: {names}."
    if wish.server_id in wish.targets:
        return f"The server {wish.server_id} shall be emptied: it cannot be one of the targets."
    unknown = [one for one in wish.targets if one not in known]
    if unknown:
        return f"There is no server {', '.join(unknown)}, named as a target. Servers of the hub: {names}."
    return ""


def plan(found: Found, wish: Wish) -> Item:
    """What migrates where (moves, batches), what stays (left) and what is kept until it is purged (kept).

    Deterministic: the same state of the platform gives the same plan.
    """
    problem = check(found, wish)
    if problem:
        return no_plan(wish.server_id, problem)
    servers = {str(one["id"]): one for one in found.servers}
    chooser = Chooser(found, wish, servers)
    moves: list[Item] = []
    left: list[Item] = []
    for instance in _in_order([one for one in found.instances if not is_leaving(one)]):
        container = _container(instance)
        reason = why_not(instance, container, wish)
        target, doubts = (None, []) if reason else chooser.choose(instance, container)
        if target is None:
            reason = reason or f"no server can take it: {'; '.join(doubts) or 'there is no other one'}"
            left.append({**describe(instance), "reason": reason})
        else:
            moves.append({**describe(instance), **_way(instance, container, servers.get(target), target)})
    retained = [one for one in found.instances if is_retained(one)]
    moves[:0] = [move for move in (_arriving(one, found, servers) for one in retained) if move]
    batches = [moves[first : first + wish.batch] for first in range(0, len(moves), wish.batch)]
    return {
        "problem": "",
        "server": _named(wish.server_id, servers[wish.server_id]),
        "moves": moves,
        "batches": batches,
        "left": left,
        "kept": [{**describe(one), "until": one.get("purge_time")} for one in retained],
    }


def no_plan(server_id: str, problem: str = "") -> Item:
    """A plan of nothing."""
    nothing: Item = {name: [] for name in ("moves", "batches", "left", "kept")}
    return {"problem": problem, "server": _named(server_id, None), **nothing}


def why_not(instance: Item, container: Item, wish: Wish) -> str | None:
    """Why an instance is not migrated; None when it is. Sources: specification, documentation of migrations."""
    strategy = value_at(container, "config.deploy.strategy")
    if instance.get("service") == "loadbalancer" or value_at(container, "image.service") == "loadbalancer":
        return "instances of load balancers cannot be migrated"
    if instance.get("extension"):
        return "it belongs to a virtual machine"
    if strategy in wish.leave:
        more = f": {_STRATEGIES[strategy]}" if strategy in _STRATEGIES else ""
        return f"its container has the deployment strategy {strategy}{more}"
    if wish.volumes == "leave" and has_contents(container):
        return "it has volumes with contents, which shall not be migrated"
    if state_of(instance) == "migrating":
        return None  # it leaves, and is waited for
    ready = instance.get("ready_state", "active")
    if state_of(instance) not in _MOVABLE or ready != "active":
        state = state_of(instance) if ready == "active" else ready
        return f"it is {state or 'in no known state'}: run this again when that is over"
    return None


def has_contents(container: Item) -> bool:
    """Whether instances of a container have volumes on their server whose contents shall last."""
    volumes = container.get("volumes") or []
    return any(
        value_at(one, "config.local") is not None
        and not value_at(one, "config.local.stateless")
        and not (value_at(one, "external") or value_at(one, "config.external"))
        for one in volumes
    )


class Chooser:
    """Chooses servers, one instance after the other, and remembers what it has given them."""

    def __init__(self, found: Found, wish: Wish, servers: t.Mapping[str, Item]) -> None:
        """servers: all of the hub by id."""
        self._found, self._wish, self._servers = found, wish, servers
        self._coming: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()
        self._by_container: dict[str, Counter[str]] = {}
        for container_id, siblings in found.siblings.items():
            live = live_by_server(siblings)
            self._by_container[container_id] = Counter({server: len(ones) for server, ones in live.items()})

    def choose(self, instance: Item, container: Item) -> tuple[str | None, list[str]]:
        """The server for an instance: one with the fewest instances of its container, then with the fewest of all.

        Returns its id; or None, and for each server that might be expected to do why it does not.
        """
        to = value_at(instance, "migration.to.server_id")
        if state_of(instance) == "migrating" and to:
            return str(to), []
        fitting, doubts = [], []
        for server_id in self._wish.targets or sorted(self._servers):
            if server_id == self._wish.server_id:
                continue
            doubt = self._doubt(server_id, container)
            if doubt is None:
                fitting.append(server_id)
            else:
                doubts.append(f"{server_name(self._servers[server_id])} {doubt}")
        if not fitting:
            return None, doubts
        container_id = str(instance.get("container_id"))
        ours = self._by_container.setdefault(container_id, Counter())

        def order(server_id: str) -> tuple[float, float, int, str]:
            coming = self._coming[server_id]
            return ours[server_id], instances_on(self._found.details.get(server_id, {})) + coming, coming, server_id

        best = min(fitting, key=order)
        ours[best] += 1
        self._coming[best] += 1
        self._taken[best] += memory(container)
        return best, []

    def _doubt(self, server_id: str, container: Item) -> str | None:
        """Why a container's instance cannot go to a server; None when it can."""
        server = self._servers[server_id]
        reason = unfit(server, container)
        if reason is not None:
            return reason
        if value_at(server, "meta.node.online") is False:
            return "is offline"
        if value_at(server, "meta.node.healthy") is False:
            return "is not healthy"
        if server_id not in self._found.usable.get(str(container.get("id")), ()):
            return f"cannot be used by the container{_missing_tags(server, container)}"
        room = room_of(self._found.details.get(server_id, {}))
        if room is not None and room - self._taken[server_id] < memory(container):
            return f"has no room: {max(0, room - self._taken[server_id])} MB of memory for {memory(container)} MB"
        return None


def room_of(server: Item) -> int | None:
    """Memory in MB that is not allocated yet; None when the server does not tell.

    What "allocatable" means, all or what is left, is not documented. It is an upper bound for the room either way.
    """
    total, allocatable, allocated = (
        value_at(server, f"meta.allocations.ram.{name}") for name in ("total_mb", "allocatable_mb", "allocated_mb")
    )
    bounds = [one for one in (allocatable,) if isinstance(one, int)]
    if isinstance(total, int) and isinstance(allocated, int):
        bounds.append(total - allocated)
    return min(bounds, default=None)


def memory(container: Item) -> int:
    """Memory in MB that is reserved for each instance of a container; 0 when none is."""
    try:
        return megabytes(value_at(container, "config.resources.ram.reserve"))
    except ValueError:
        return 0


def _missing_tags(server: Item, container: Item) -> str:
    """What tags a server would need for a container, for a message."""
    tags = set(value_at(server, "constraints.tags") or [])
    wanted = value_at(container, "config.deploy.constraints.node.tags") or {}
    every, some = set(wanted.get("all") or []) - tags, set(wanted.get("any") or [])
    if every:
        return f": it lacks the tag {', '.join(sorted(every))}"
    return f": it has none of the tags {', '.join(sorted(some))}" if some and not some & tags else ""


def _container(instance: Item) -> Item:
    """The container that came along with an instance; of an unknown one, its id."""
    found = value_at(instance, "included.container")
    return found if isinstance(found, dict) else {"id": instance.get("container_id")}


def describe(instance: Item) -> Item:
    """An instance as plans and results show it."""
    container = _container(instance)
    return {
        "instance_id": str(instance.get("id")),
        "container_id": str(instance.get("container_id")),
        "container": container.get("identifier") or container.get("name") or str(container.get("id")),
        "hostname": instance.get("hostname"),
        "state": condition(instance),
    }


def condition(instance: Item) -> str:
    """The state of an instance, its health and whether it is drained, for people."""
    health = value_at(instance, "state.health.healthy")
    parts = [state_of(instance) or "unknown"]
    if state_of(instance) == "running" and health is not None:
        parts.append("healthy" if health else "unhealthy")
    if instance.get("traffic_drain"):
        parts.append("drained")
    return ", ".join(parts)


def _is_sound(instance: Item) -> bool:
    """Whether an instance is not known to be in trouble."""
    return state_of(instance) != "failed" and value_at(instance, "state.health.healthy") is not False


def _in_order(instances: Items) -> list[Item]:
    """Instances in the order in which they migrate.

    First what is under way; what is in trouble already last, so that it does not hold up the rest. In between the
    containers take turns, so that a batch has few instances of the same one.
    """
    turns: Counter[tuple[int, str]] = Counter()
    keys = []
    for one in sorted(instances, key=lambda instance: str(instance.get("id"))):
        rank = 0 if state_of(one) == "migrating" else 1 if _is_sound(one) else 2
        container_id = str(one.get("container_id"))
        keys.append((rank, turns[rank, container_id], container_id, str(one.get("id")), one))
        turns[rank, container_id] += 1
    return [key[-1] for key in sorted(keys, key=lambda key: key[:-1])]


def _named(server_id: str, server: Item | None) -> Item:
    name = (server or {}).get("nickname") or (server or {}).get("hostname")
    return {"id": server_id, "name": str(name or server_id)}


def _way(instance: Item, container: Item, server: Item | None, target: str) -> Item:
    """Where an instance goes, and how."""
    under_way = state_of(instance) == "migrating"
    return {
        "target_id": target,
        "target": _named(target, server)["name"],
        "copy_volumes": has_contents(container),
        "drain": state_of(instance) == "running" and not instance.get("traffic_drain"),
        "under_way": under_way,
        "revert": True,
    }


def _arriving(instance: Item, found: Found, servers: t.Mapping[str, Item]) -> Item | None:
    """An instance that has migrated already and whose successor is not up yet, as a move to wait for; None otherwise.

    That is what a run leaves behind that was killed, and a migration of somebody else's.
    """
    container = _container(instance)
    siblings = {str(one.get("id")): one for one in found.siblings.get(str(instance.get("container_id")), [])}
    successor = siblings.get(str(id_of_successor(instance)))
    if successor is None or is_leaving(successor) or is_gone(instance):
        return None
    if is_up(container, successor, may_rest=True) or not shall_run(container):
        return None
    target = str(successor.get("server_id"))
    way = _way(instance, container, servers.get(target), target)
    return {**describe(instance), **way, "under_way": True, "revert": False}


# What came of it


def outcomes(
    batch: Items, drains: Items, starts: Items, waits: Items, jobs: Items = (), *, check_mode: bool = False
) -> list[Item]:
    """What became of the moves of a batch, from the results of the loops that drained, started and waited.

    jobs: the results of a loop over starts that read their jobs, for the reason. Each has result (migrated, reverted,
    failed), new_instance_id, reason, and undrain: the id of an instance that this run has drained and that shall get
    traffic again, or None. In check mode what would become of them.
    """
    drained, started, waited = ({_id(one): one for one in results} for results in (drains, starts, waits))
    found = []
    for move in batch:
        identity = move["instance_id"]
        drain, start, wait = (results.get(identity, {}) for results in (drained, started, waited))
        result, reason = _verdict(drain, start, wait, _failure_of(identity, jobs), check_mode)
        end = wait if wait.get("old_instance_id") or wait.get("new_instance") else start
        target_id = value_at(end, "new_instance.server_id") or move["target_id"]
        found.append(
            {
                **{key: move[key] for key in ("instance_id", "container_id", "container", "hostname")},
                "target_id": target_id,
                "target": move["target"] if target_id == move["target_id"] else target_id,
                "new_instance_id": None if result == "reverted" else end.get("new_instance_id"),
                "result": result,
                "reason": reason,
                "undrain": _to_undrain(move, drain, end, result) if drain.get("changed") and not check_mode else None,
            }
        )
    return found


def _id(result: Item) -> str:
    return str(value_at(result, "item.instance_id"))


def _verdict(drain: Item, start: Item, wait: Item, job: str, check_mode: bool) -> tuple[str, str]:
    """What became of a move: the result, and the reason where it did not migrate. job: how its job failed, or empty."""
    for what, result in (("It could not be drained", drain), ("Its migration could not be started", start)):
        if result.get("failed"):
            return "failed", f"{what}: {_message(result)}"
    if wait.get("failed"):
        return "reverted" if wait.get("reverted") else "failed", " ".join(filter(None, (_message(wait), job)))
    if check_mode or (wait and not wait.get("skipped")):
        return "migrated", ""
    return "failed", "Nobody waited for its migration."


def _failure_of(instance_id: str, jobs: Items) -> str:
    """What the job of a migration says of its failure; nothing when it does not."""
    mine = (one for one in jobs if value_at(one, "item.item.instance_id") == instance_id)
    for job in (job for one in mine for job in one.get("jobs") or []):
        if value_at(job, "state.current") in ("error", "expired"):
            said = value_at(job, "state.error.message") or "no reason was given"
            return f"Its job {job.get('id')} ended as {value_at(job, 'state.current')}: {said}."
    return ""


def _message(result: Item) -> str:
    return str(result.get("msg") or "Ansible gave no reason.")


def _to_undrain(move: Item, drain: Item, end: Item, result: str) -> str | None:
    """The id of the instance that shall get traffic again after a migration, or after one that came to nothing."""
    if result == "migrated":
        # Whether a new instance is drained as the old one was is not documented.
        return end.get("new_instance_id") if value_at(end, "new_instance.traffic_drain") else None
    old = end.get("old_instance") or drain.get("instance") or {}
    stays = result == "reverted" or (not is_leaving(old) and state_of(old) == "running")
    return str(move["instance_id"]) if stays else None


class Course(t.NamedTuple):
    """How an evacuation went.

    outcomes: those of all batches that were begun. begun: how many that were. now: the instances on the server in the
    end; None when they could not be read. drained: ids of instances that could not be undrained. error: why it ended
    early, or empty.
    """

    outcomes: Items
    begun: int
    now: Items | None
    drained: t.Sequence[str]
    error: str
    check_mode: bool


def reason_of(failure: t.Mapping[str, t.Any]) -> str:
    """The message of a failed task, or of the first item that failed; empty when there is no such thing."""
    failed = next((one for one in failure.get("results") or [] if one.get("failed")), failure)
    return str(failed.get("msg") or failure.get("msg") or "") if failure else ""


def result(planned: Item, course: Course) -> Item:
    """The result of the role, of the same shape whatever happened."""
    by_result = {
        name: [_without(one) for one in course.outcomes if one["result"] == name]
        for name in ("migrated", "reverted", "failed")
    }
    left = _left(planned, course)
    state, reason = _state(planned, course, by_result, left)
    still = (str(one.get("id")) for one in course.now or [] if one.get("traffic_drain") and not is_leaving(one))
    drained = list(dict.fromkeys([*course.drained, *still]))
    return {
        "server_id": planned["server"]["id"],
        "server": planned["server"]["name"],
        "state": state,
        "check_mode": course.check_mode,
        **by_result,
        "left": left,
        "kept": planned["kept"] if course.now is None else _kept(course.now),
        "drained": drained,
        "batches": {"planned": len(planned["batches"]), "done": course.begun},
        "reason": reason,
        "next": _advice(state, by_result, left, drained),
    }


def _without(outcome: Item) -> Item:
    """An outcome as results show it."""
    return {key: value for key, value in outcome.items() if key not in ("result", "undrain")}


def _kept(now: Items) -> list[Item]:
    return [{**describe(one), "until": one.get("purge_time")} for one in now if is_retained(one)]


def _left(planned: Item, course: Course) -> list[Item]:
    """The instances that are on the server in the end and were not tried, and why."""
    tried = {one["instance_id"] for one in course.outcomes}
    why = {one["instance_id"]: one["reason"] for one in planned["left"]}
    waiting = {one["instance_id"] for one in planned["moves"]} - tried
    if course.now is None:
        moves = [one for one in planned["moves"] if one["instance_id"] in waiting and not course.check_mode]
        return [*planned["left"], *({**_short(one), "reason": "its turn did not come"} for one in moves)]
    found = []
    for one in course.now:
        described = describe(one)
        identity = described["instance_id"]
        if is_leaving(one) or identity in tried or (course.check_mode and identity in waiting):
            continue
        reason = why.get(identity)
        if reason is None:
            reason = "its turn did not come" if identity in waiting else "it came while the server was being emptied"
        found.append({**described, "reason": reason})
    return found


def _short(move: Item) -> Item:
    return {key: move[key] for key in ("instance_id", "container_id", "container", "hostname", "state")}


def _state(planned: Item, course: Course, by_result: t.Mapping[str, Items], left: Items) -> tuple[str, str]:
    """How an evacuation ended, and why it did not succeed; see the documentation of the filter."""
    if planned["problem"] or (course.error and not course.outcomes):
        return "failed", planned["problem"] or course.error
    if course.error:
        return "stopped", course.error
    stay = len(by_result["reverted"]) + len(by_result["failed"]) + len(left)
    reason = f"{stay} instance{'s' if stay > 1 else ''} would stay" if course.check_mode else ""
    reason = (
        reason or f"{stay} instance{'s are' if stay > 1 else ' is'} left on the server or did not come up elsewhere"
    )
    if course.check_mode:
        return "planned", f"{reason}." if stay else ""
    return ("incomplete", f"{reason}.") if stay else ("evacuated", "")


def _advice(state: str, by_result: t.Mapping[str, Items], left: Items, drained: t.Sequence[str]) -> str:
    """What to do next."""
    if state == "failed":
        return "Nothing was migrated. See to that, and run this again."
    parts = []
    if by_result["reverted"] or by_result["failed"]:
        parts.append("See to the instances that were reverted or failed, each with its reason.")
    if left:
        parts.append("What is left says why: move or delete it by hand, or change what forbids it.")
    if drained:
        parts.append("What is drained gets traffic with quayside.paas.instance_traffic_drain and state=disabled.")
    if parts and state != "planned":
        parts.append("Then run this again: it goes on from what is there, and migrates nothing twice.")
    return " ".join(parts)
