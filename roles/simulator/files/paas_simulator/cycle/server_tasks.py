# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of a server: evacuating it, and no longer."""

from __future__ import annotations

from ..messages import Record
from . import jobs
from .activity import context_of
from .ask import Ask
from .errors import invalid
from .migration import Move
from .placement import choose, usable
from .stamps import nano
from .state import State


def _moves(state: State, server: Record, destination: Record | None, creator: Record) -> list[Move]:
    """Return the migrations that empty a server; what cannot go anywhere stays."""
    found = []
    for instance in list(state.on_server(server["id"])):
        container = state.containers[instance["container_id"]]
        if container.service == "loadbalancer" or instance["ready_state"] != "active":
            continue
        target = destination or choose(state, container, avoid=server["id"])
        if target is not None and usable(state, container, target):
            found.append(Move(state, instance, target, bool(container.data["stateful"]), creator))
    return found


def _evacuate(ask: Ask, server: Record, contents: Record) -> jobs.Work:
    state = ask.state
    wanted = contents.get("destination")
    if not isinstance(wanted, dict) or "server_id" not in wanted:
        raise invalid("destination is required, with server_id", "/contents/destination", "422.missing-argument")
    destination = None if wanted["server_id"] is None else state.servers.get(str(wanted["server_id"]))
    if wanted["server_id"] is not None and (destination is None or destination is server):
        raise invalid("no such server", "/contents/destination/server_id")
    moves: list[Move] = []

    def begin(moment: float, _failing: bool) -> None:
        server["evacuate"] = {"started": nano(moment)}
        moves.extend(_moves(state, server, destination, ask.key.creator))
        for move in moves:
            move.begin(moment)

    def done(moment: float) -> None:
        for move in moves:
            move.done(moment)

    def failed(moment: float) -> None:
        for move in moves:
            move.failed(moment)

    given = {"server_id": server["id"], **contents}
    return jobs.Work(
        "infrastructure.server.evacuation.start",
        f"Evacuate {server['hostname']}",
        context_of(server=server),
        [("Evacuate server", given)],
        ("Mark server", "Migrate instances"),
        state.settings.migration.seconds,
        begin,
        done,
        failed,
    )


def _reset(ask: Ask, server: Record) -> jobs.Work:
    def done(_moment: float) -> None:
        server["evacuate"] = None

    return jobs.Work(
        "infrastructure.server.evacuation.reset",
        f"End the evacuation of {server['hostname']}",
        context_of(server=server),
        [("Reset evacuation", {"server_id": server["id"]})],
        ("Unmark server",),
        ask.state.settings.jobs.running,
        done=done,
    )


def task(ask: Ask) -> Record:
    """POST S/tasks."""
    server = ask.server()
    action, contents = ask.task()
    if action == "evacuation.start":
        work = _evacuate(ask, server, contents)
    elif action == "evacuation.reset":
        work = _reset(ask, server)
    else:
        raise invalid(f"no such action: {action}", "/action")
    return {"data": jobs.begin(ask.state, ask.key, work)}
