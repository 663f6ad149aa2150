# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers changed: PATCH, and the tasks start, stop, restart, scale, reconfigure."""

from __future__ import annotations

from collections.abc import Callable

from ..messages import Record
from ..timeline import Effect
from . import includes, jobs, lives
from .activity import context_of, log, notify
from .ask import Ask
from .errors import invalid
from .placement import choose
from .stamps import nano, stamp
from .state import Container, State
from .writes import make

STRATEGIES = (
    "resource-density",
    "high-availability",
    "distributed",
    "first-available",
    "manual",
    "node",
    "edge",
    "function",
)

# Field of the body → field of the resource. The body's annotation is the resource's annotations.
_PATCHED: dict[str, tuple[str, type]] = {
    "name": ("name", str),
    "identifier": ("identifier", str),
    "deprecate": ("deprecate", bool),
    "lock": ("lock", bool),
    "annotation": ("annotations", dict),
}


def patch(ask: Ask) -> Record:
    """PATCH C; fields that are not known are ignored."""
    container, body = ask.container(), ask.body()
    if not isinstance(body, dict):
        raise invalid("the body is an object", "/", "422.missing-argument")
    for name, value in body.items():
        if name in _PATCHED and value is not None and not isinstance(value, _PATCHED[name][1]):
            raise invalid(f"not a value for {name}", f"/{name}")
    moment = ask.state.now()
    changes = {_PATCHED[name][0]: value for name, value in body.items() if name in _PATCHED and value is not None}
    container.data |= changes
    container.data["events"]["updated"] = stamp(moment)
    log(ask.state, ask.key, "container.update", context_of(container), moment)
    return ask.one("container", container.data, includes.CONTAINERS)


def change(state: State, container: Container, current: str, desired: str, moment: float) -> None:
    """Put a container into a state."""
    container.data["state"] = {"current": current, "desired": desired, "changed": nano(moment)}
    notify(state, "container.state.changed", {"id": container.id, "state": current}, context_of(container))


def _movable(container: Container, *states: str) -> list[Record]:
    return [each for each in container.living() if each["state"]["current"] in states]


def _start(state: State, container: Container, moment: float) -> None:
    change(state, container, "starting", "running", moment)
    for instance in _movable(container, "new", "stopped", "failed"):
        lives.start(state, instance, moment, lives.outcome_of(state, container))


def _started(state: State, container: Container, moment: float) -> None:
    change(state, container, "running", "running", moment)
    container.data["events"]["started"] = stamp(moment)


def _stop(state: State, container: Container, moment: float) -> None:
    change(state, container, "stopping", "stopped", moment)
    for instance in _movable(container, "new", "starting", "running", "failed"):
        lives.stop(state, instance, moment, state.settings.jobs.running / 2)


def _stopped(state: State, container: Container, moment: float) -> None:
    change(state, container, "stopped", "stopped", moment)


def _restart(state: State, container: Container, moment: float) -> None:
    for instance in _movable(container, "running", "failed"):
        lives.start(state, instance, moment, lives.outcome_of(state, container))


def _nothing(_state: State, _container: Container, _moment: float) -> None:
    pass


def _scale(contents: Record) -> Callable[[State, Container, float], None]:
    wanted = contents.get("instances")
    if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
        raise invalid("instances is a number from 0", "/contents/instances")

    def scale(state: State, container: Container, moment: float) -> None:
        container.data["config"]["deploy"]["instances"] = wanted
        living = sorted(container.living(), key=lambda instance: str(instance["id"]))
        for instance in living[wanted:]:
            state.timelines.cancel(instance)
            lives.change(state, instance, "deleting", moment)
            state.later(instance, [(state.settings.instances.deleting, _remover(state, instance))], moment)
        for _number in range(wanted - len(living)):
            server = choose(state, container)
            if server is not None:
                creator = {"id": container.data["environment"]["id"], "type": "environment"}
                make(state, container, server, moment, creator)

    return scale


def _remover(state: State, instance: Record) -> Effect:
    return lambda now: lives.remove(state, instance, now)


def _reconfigure(contents: Record) -> Callable[[State, Container, float], None]:
    """The contents are a complete Config; they take the place of the one there is."""
    network, deploy = contents.get("network"), contents.get("deploy")
    if not isinstance(network, dict) or not {"public", "hostname"} <= set(network):
        raise invalid("network is required, with public and hostname", "/contents/network", "422.missing-argument")
    if not isinstance(deploy, dict) or "instances" not in deploy:
        raise invalid("deploy is required, with instances", "/contents/deploy", "422.missing-argument")
    if deploy.get("strategy") is not None and deploy["strategy"] not in STRATEGIES:
        raise invalid("no such deployment strategy", "/contents/deploy/strategy")

    def reconfigure(state: State, container: Container, moment: float) -> None:
        resources = container.data["config"]["resources"]
        container.data["config"] = {"resources": resources, **contents}
        container.data["events"]["updated"] = stamp(moment)
        notify(state, "container.reconfigured", {"id": container.id}, context_of(container))

    return reconfigure


_Phase = Callable[[State, Container, float], None]
_PHASES: dict[str, tuple[_Phase, _Phase]] = {
    "start": (_start, _started),
    "stop": (_stop, _stopped),
    "restart": (_restart, _nothing),
}
_WITH_CONTENTS: dict[str, Callable[[Record], _Phase]] = {"scale": _scale, "reconfigure": _reconfigure}


def task(ask: Ask) -> Record:
    """POST C/tasks."""
    state, container = ask.state, ask.container()
    action, contents = ask.task()
    if action == "scale" and (container.strategy == "manual" or container.data["stateful"]):
        raise invalid("manual and stateful containers are not scaled that way", "/action", "422.invalid-input")
    first: _Phase
    last: _Phase
    if action in _WITH_CONTENTS:
        first, last = _WITH_CONTENTS[action](contents), _nothing
    elif action in _PHASES:
        first, last = _PHASES[action]
    else:
        raise invalid(f"no such action: {action}", "/action")
    work = jobs.Work(
        f"container.{action}",
        f"{action.capitalize()} {container.data['name']}",
        context_of(container),
        [(f"{action.capitalize()} container", {"container_id": container.id, **contents})],
        (f"{action.capitalize()} container",),
        state.settings.jobs.running,
        lambda moment, failing: None if failing else first(state, container, moment),
        lambda moment: last(state, container, moment),
    )
    return {"data": jobs.begin(state, ask.key, work)}
