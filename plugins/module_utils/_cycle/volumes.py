# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes of an instance: extending one to a size.

The platform takes what to add, not the size to reach. Adding twice cannot be undone, so before anything is asked for,
whatever an earlier task has asked for has to show in the size: its open jobs are waited for, and the audit log is
searched for a request that shows nowhere else yet.
"""

from __future__ import annotations

import re
import typing as t

from .._argspec import WAIT, ArgumentSpec
from .._errors import ApiError, OptionError, StateError
from .._plan import Done, Plan
from .._timestamps import parse
from .._types import Item, Params, value_at
from .._wait import Deadline
from . import jobs
from .api import Cycle
from .instances import container_of, instance_of, instance_path
from .resources import CONTAINERS_VIEW, INSTANCES_MIGRATE
from .tasks import InstanceTasks, require_staying

ARGUMENTS = WAIT.merge(
    ArgumentSpec(
        options={
            "container_id": {"type": "str", "required": True},
            "instance_id": {"type": "str", "required": True},
            "volume_id": {"type": "str"},
            "destination": {"type": "str"},
            "identifier": {"type": "str"},
            "size": {"type": "str", "required": True},
        },
        mutually_exclusive=(("volume_id", "destination", "identifier"),),
        required_one_of=(("volume_id", "destination", "identifier"),),
    )
)

# The specification's DataSize.
_SIZE = re.compile(r"([0-9]+)(?:([bkmgtp])|([kmgtp])b)", re.IGNORECASE | re.ASCII)
_BYTES = {unit: 1024**power for power, unit in enumerate("bkmgtp")}
_MB = 1024**2
# What an option that names a volume is compared with.
_NAMES = {"volume_id": "id", "destination": "config.destination", "identifier": "config.identifier"}
_EXTEND = "volume.extend"
# Specified for all tasks is the first one; the second exists, and may be what is meant.
_PERMISSION = f"{INSTANCES_MIGRATE} or containers-volumes-manage"


def plan(client: Cycle, params: Params) -> Plan:
    """Plan what the module instance_volume does.

    Raises OptionError, StateError, ApiError, and JobError or WaitTimeoutError with the jobs in results.
    """
    wanted = _wanted(params)
    volume = find(client, params)
    deadline = Deadline(params["wait_timeout"], params["wait_interval"])
    container: Item = {}
    if size_of(volume) < wanted:
        container = container_of(client, params["container_id"])
        tasks = InstanceTasks(client, container, params["instance_id"], deadline)
        tasks.settle(_EXTEND, lambda entry: _is_measured(client, params, entry))
        # Only now: what a job did in between shows.
        volume = find(client, params)
    before = size_of(volume)
    added = max(0, wanted - before)

    def act() -> Done:
        tasks = InstanceTasks(client, container, params["instance_id"], deadline)
        found, done = _extend(tasks, params, volume, added)
        after = size_of(found)
        shown = _shown(found, after) if params["wait"] else None
        return Done(_result(client, found, before, after, added, done), after=shown)

    return Plan(
        result=_result(client, volume, before, before + added, added, []),
        subject=f"volume of instance {params['instance_id']}",
        before=_shown(volume, before),
        after=_shown(volume, before + added),
        act=act if added else None,
    )


def _wanted(params: Params) -> int:
    try:
        return megabytes(params["size"])
    except ValueError:
        raise OptionError(
            f'The option size is "{params["size"]}"; it has to be a whole number with a unit, such as 512M or 20G.'
        ) from None


def megabytes(size: t.Any) -> int:
    """Return a DataSize such as 20G or 512MB in MB, rounded up, by powers of 1024. Raises ValueError."""
    found = _SIZE.fullmatch(size.strip()) if isinstance(size, str) else None
    if found is None:
        raise ValueError(f"{size!r} is no size")
    amount: int = int(found[1]) * _BYTES[(found[2] or found[3]).lower()]
    return -(-amount // _MB)


def data_size(amount: int) -> str:
    """Return MB as a DataSize: in G if that is exact, else in M."""
    return f"{amount // 1024}G" if amount % 1024 == 0 else f"{amount}M"


def find(client: Cycle, params: Params) -> Item:
    """Return the one volume that the options name. Raises StateError that lists what is there."""
    option = next((name for name in _NAMES if params[name] is not None), None)
    if option is None:
        raise OptionError(f"Say which volume: {', '.join(_NAMES)}.")
    found = volumes_of(client, params)
    named = [one for one in found if value_at(one, _NAMES[option]) == params[option]]
    if len(named) == 1:
        _require_local(named[0])
        return named[0]
    if named:
        raise StateError(
            f'{len(named)} volumes of the instance {params["instance_id"]} have the {option} "{params[option]}":'
            f" {'; '.join(map(_described, named))}. Name one by volume_id."
        )
    there = "; ".join(map(_described, found)) or "none"
    raise StateError(
        f'The instance {params["instance_id"]} has no volume "{params[option]}" (option {option}). Its volumes:'
        f" {there}."
    )


def volumes_of(client: Cycle, params: Params) -> list[Item]:
    """Return the volumes of an instance. Raises NotFoundError that names what is missing, StateError if it leaves."""
    container_id, instance_id = params["container_id"], params["instance_id"]
    require_staying(instance_of(client, container_id, instance_id))
    return client.get_list(f"{instance_path(container_id, instance_id)}/volumes", "volumes", permission=CONTAINERS_VIEW)


def _require_local(volume: Item) -> None:
    if isinstance(value_at(volume, "config.local"), dict):
        return
    external = value_at(volume, "config.external.id")
    instead = f"It is the external volume {external}" if external else "The platform keeps it elsewhere"
    raise StateError(
        f"The volume {_described(volume)} has no storage on its server, so that it cannot be extended. {instead}."
    )


def _described(volume: Item) -> str:
    names = [value_at(volume, "config.destination"), value_at(volume, "config.identifier"), volume.get("id")]
    first, *rest = [str(name) for name in names if name]
    return f"{first} ({', '.join(rest)})" if rest else first


def size_of(volume: Item) -> int:
    """Return what a volume can hold, in MB: what is deployed, else what is configured. Raises StateError without both.

    A volume that is deployed and holds nothing has not been measured yet.
    """
    total = value_at(volume, "deployed.storage.total")
    if isinstance(total, (int, float)) and total > 0:
        return int(total)
    try:
        return megabytes(value_at(volume, "config.local.max_size"))
    except ValueError:
        raise StateError(f"The platform does not tell the size of the volume {_described(volume)}.") from None


def _is_measured(client: Cycle, params: Params, entry: Item) -> bool:
    """Whether an extension that the audit log has shows in the sizes."""
    # The log names the instance and not the volume, so that any of its volumes may be the one that was extended.
    made = parse(entry.get("time"))
    measured = [parse(value_at(one, "deployed.last_updated")) for one in volumes_of(client, params)]
    return made is None or any(at is None or at >= made for at in measured)


def _extend(tasks: InstanceTasks, params: Params, volume: Item, added: int) -> tuple[Item, list[Item]]:
    """Ask for the extension, wait unless told not to, and return the volume and the jobs."""
    client, before = tasks.client, size_of(volume)

    def has_grown(now: Item) -> bool:
        # Not until it is as large as wanted: what the platform counts as its own is for it to decide.
        return size_of(now) > before

    return jobs.finish(
        client,
        [_ask(tasks, volume, added, lambda: has_grown(find(client, params)))],
        lambda: find(client, params),
        has_grown,
        what=f"The extension of the volume {_described(volume)} by {data_size(added)}",
        state=lambda one: f"{size_of(one)} MB",
        deadline=tasks.deadline,
        wait=params["wait"],
    )


def _ask(tasks: InstanceTasks, volume: Item, added: int, has_grown: t.Callable[[], bool]) -> Item:
    """Ask for an extension, once only, and return the descriptor of its job."""
    # Which id is meant is not specified. What is refused for its id was not carried out.
    candidates = [volume.get("id"), value_at(volume, "deployed.id"), value_at(volume, "deployed.container_volume_id")]
    refusal: ApiError | None = None
    for identity in dict.fromkeys(str(one) for one in candidates if one):
        task = {"action": _EXTEND, "contents": {"volume_id": identity, "extend_size": data_size(added)}}
        try:
            return tasks.ask(task, has_grown, permission=_PERMISSION)
        except ApiError as error:
            if error.status not in (404, 422):
                raise
            refusal = refusal or error
    raise refusal or StateError(f"The volume {_described(volume)} has no id.")


def _shown(volume: Item, size: int) -> Item:
    return {"volume": str(value_at(volume, "config.destination") or volume.get("id")), "size": data_size(size)}


def _result(client: Cycle, volume: Item, before: int, after: int, added: int, done: list[Item]) -> Item:
    return {
        "volume": client.plain(volume),
        "size_before": before,
        "size_after": after,
        "extended_by": added,
        "jobs": done,
    }
