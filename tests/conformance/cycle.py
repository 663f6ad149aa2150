# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to the simulated Cycle whose answers are all held against the vendor's specification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from support import openapi
from support.simulator import Reply, Simulator, fetch

Query = list[tuple[str, str]]

# Ends of the places of fields that the specification does not declare and that are there on purpose.
BEYOND = (
    ".ha_elections",  # newer than the specification
    "getHub.data.integrations",  # required, but not declared
    ".api_keys.*.creator",  # likewise
    ".includes.stacks",  # a value of the parameter, but not declared in the answer
    "createInstances.data.job_id",  # the older descriptor of a job
    "createInstances.data.contents",
)

CONTAINER = "/v1/containers/{containerId}"
INSTANCES = f"{CONTAINER}/instances"
INSTANCE = f"{INSTANCES}/{{instanceId}}"
NOWHERE = "0123456789abcdef01234567"  # an id that nothing has


@dataclass
class Checked:
    """A simulator and the specification. ``findings`` are those of all answers so far, ``called`` what was asked."""

    sim: Simulator
    spec: openapi.Specification
    findings: dict[str, None] = field(default_factory=dict)
    beyond: set[str] = field(default_factory=set)
    called: set[tuple[str, str]] = field(default_factory=set)

    def ask(self, method: str, path: str, query: Query | None = None, body: Any = None, **headers: str | None) -> Reply:
        """Send a request with the key ``demo`` and check the answer. headers: changes; None leaves one out."""
        sent = {**self.sim.cycle.headers(), **{name.replace("_", "-"): value for name, value in headers.items()}}
        reply = fetch(
            f"{self.sim.cycle.url}{path}{'?' + urlencode(query, safe='[],') if query else ''}",
            method,
            {name: value for name, value in sent.items() if value is not None},
            body,
        )
        return self.check(method, path, reply)

    def check(self, method: str, path: str, reply: Reply) -> Reply:
        """Hold an answer against the specification."""
        found = openapi.check_answer(self.spec, method, path, reply.status, reply.data)
        self.findings |= dict.fromkeys(found)
        if not found:
            self.beyond |= openapi.undeclared_fields(self.spec, method, path, reply.status, reply.data)
        operation = openapi.find(self.spec, method, path)
        if operation:
            self.called.add((method, operation.path))
        return reply

    def get(self, path: str, *query: tuple[str, str]) -> Any:
        """Read something that is there; return its data."""
        reply = self.ask("GET", path, list(query))
        assert reply.status == 200, f"{path} {query}: {reply.status} {reply.data}"
        return reply.data["data"]

    def all(self, path: str, *query: tuple[str, str]) -> list[Any]:
        """Read all pages of a list."""
        found: list[Any] = []
        for number in range(1, 1000):
            page = self.get(path, *query, ("page[number]", str(number)), ("page[size]", "100"))
            found += page
            if len(page) < 100:
                break
        return found

    def send(self, method: str, path: str, body: Any = None, status: int = 202) -> Any:
        """Change something; return the data of the answer, which has that status."""
        reply = self.ask(method, path, body=body)
        assert reply.status == status, f"{method} {path}: {reply.status} {reply.data}"
        return reply.data["data"]

    def verdict(self) -> None:
        """Fail when an answer was not as declared."""
        shown = "\n".join(list(self.findings)[:40])
        assert not self.findings, f"{len(self.findings)} answers or parts of them are not as declared:\n{shown}"
        beyond = sorted(place for place in self.beyond if not place.endswith(BEYOND))
        assert not beyond, f"fields that are not declared: {beyond}"


def places(checked: Checked, template: str) -> list[str]:
    """Return the paths of a template for everything of the estate that its placeholders can stand for."""
    if "{containerId}" in template:
        found = [template.replace("{containerId}", one["id"]) for one in checked.all("/v1/containers")]
        if "{instanceId}" not in template:
            return found
        return [
            path.replace("{instanceId}", instance["id"])
            for path in found
            for instance in checked.all(path.partition("/{instanceId}")[0])
        ]
    for name, collection in (
        ("{environmentId}", "/v1/environments"),
        ("{serverId}", "/v1/infrastructure/servers"),
        ("{jobId}", "/v1/jobs"),
    ):
        if name in template:
            return [template.replace(name, one["id"]) for one in checked.all(collection)]
    return [template]


def filled(template: str, **ids: str) -> str:
    """Return the path of a template; placeholders without an id stand for nothing there is."""
    names = {"containerId", "instanceId", "environmentId", "serverId", "jobId"}
    return template.format(**{name: ids.get(name.removesuffix("Id"), NOWHERE) for name in names})


def manual(checked: Checked, *, stateful: bool = False) -> Any:
    """Return a container of the estate whose instances are made by hand, and that has some that run."""
    for container in checked.all("/v1/containers"):
        wanted = container["config"]["deploy"]["strategy"] == "manual" and container["stateful"] is stateful
        if wanted and running(checked, container) and len(usable(checked, container)) > 1:
            return container
    raise AssertionError(f"the estate has no container for this: manual, stateful {stateful}, two servers")


def running(checked: Checked, container: Any) -> list[Any]:
    """Return the instances of a container that run and are to go on."""
    listed = checked.all(filled(INSTANCES, container=container["id"]), ("filter[state]", "running"))
    return [instance for instance in listed if instance["ready_state"] == "active"]


def usable(checked: Checked, container: Any) -> list[Any]:
    """Return the servers on which a container's instances can be."""
    return checked.all(filled(f"{CONTAINER}/servers/usable", container=container["id"]))


def follow(checked: Checked, descriptor: Any, look: Callable[[], object], step: float = 0.25) -> list[str]:
    """Move the clock in steps until the job of a descriptor ends, and look each time; return the job's states."""
    states: list[str] = []
    for _turn in range(200):
        look()
        state = checked.get(f"/v1/jobs/{descriptor['job']['id']}")["state"]["current"]
        if states[-1:] != [state]:
            states.append(state)
        if state in ("completed", "error", "expired"):
            break
        checked.sim.clock(advance=step)
    return states


def passing(checked: Checked, seconds: float, step: float = 0.25) -> Iterator[float]:
    """Move the clock in steps for some seconds; yield the seconds since the start."""
    for turn in range(round(seconds / step)):
        yield turn * step
        checked.sim.clock(advance=step)
