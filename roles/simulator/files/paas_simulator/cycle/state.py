# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the hub. Records are dictionaries in the platform's own spelling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ..clock import Clock
from ..endpoints import Endpoints
from ..messages import Record
from ..timeline import Effect, Timelines
from .access import Key
from .settings import Settings


@dataclass(slots=True)
class Container:
    """A container and its instances by id; ``outcome``: what becomes of new ones; ``console_lines``: kept output."""

    data: Record
    instances: dict[str, Record] = field(default_factory=dict)
    outcome: str = "running"
    console_lines: int = 40
    made: int = 0

    @property
    def id(self) -> str:
        """The container's id."""
        return str(self.data["id"])

    @property
    def strategy(self) -> str | None:
        """The deployment strategy."""
        found: str | None = self.data["config"]["deploy"].get("strategy")
        return found

    @property
    def service(self) -> str | None:
        """What service of an environment the container is, if any."""
        found: str | None = self.data["image"]["service"]
        return found

    def living(self) -> list[Record]:
        """Return the instances that count: neither deleted nor about to be."""
        return [each for each in self.instances.values() if counts(each)]


@dataclass(slots=True)
class Job:
    """A job, the action it is for, and when it was made (unix seconds)."""

    data: Record
    action: str
    created: float


@dataclass(slots=True)
class Credential:
    """An SSH credential: the token as shown, its secret, the end of its life, the key that made it."""

    token: Record
    secret: str
    expires: float
    key: Key


@dataclass(frozen=True, slots=True)
class Pass:
    """What a short-lived token lets in to, until when, for which key."""

    kind: str
    instance_id: str | None
    expires: float
    key: str


@dataclass(slots=True)
class State:
    """Everything the hub has. ``resources``: what is only included: accounts, api_keys, images, locations, ..."""

    clock: Clock
    timelines: Timelines
    endpoints: Endpoints
    settings: Settings
    hub: Record = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    resources: dict[str, dict[str, Record]] = field(default_factory=dict)
    environments: dict[str, Record] = field(default_factory=dict)
    servers: dict[str, Record] = field(default_factory=dict)
    online: dict[str, bool] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=dict)
    instances: dict[str, Record] = field(default_factory=dict)
    volumes: dict[str, list[Record]] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    activity: list[Record] = field(default_factory=list)
    credentials: dict[str, list[Credential]] = field(default_factory=dict)
    passes: dict[str, Pass] = field(default_factory=dict)
    listeners: list[Callable[[Record], None]] = field(default_factory=list)
    minted: int = 0
    to_fail: int | None = None

    def now(self) -> float:
        """Return the simulator's time in unix seconds."""
        return self.clock.now()

    def mint(self, moment: float) -> str:
        """Return a new id; like the platform's it begins with its time, so that sorting by id is sorting by age."""
        self.minted += 1
        return f"{int(moment):08x}{self.minted:016x}"

    @property
    def hub_id(self) -> str:
        """The id of the hub."""
        return str(self.hub["id"])

    def later(self, record: Record, steps: Iterable[tuple[float, Effect]], start: float) -> None:
        """Give a record its future: effects in seconds after the start, in place of the one it had."""
        self.timelines.later(record, steps, start)

    def on_server(self, server_id: str) -> Iterator[Record]:
        """Return the instances on a server."""
        return (each for each in self.instances.values() if each["server_id"] == server_id)


def counts(instance: Record) -> bool:
    """Say whether an instance is there to stay."""
    return instance["ready_state"] != "purge" and instance["state"]["current"] not in ("deleting", "deleted")
