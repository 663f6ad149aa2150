# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers a container can be on."""

from __future__ import annotations

from ..messages import Record
from .state import Container, State


def usable(state: State, container: Container, server: Record) -> bool:
    """Say whether new instances of a container can be put on a server.

    Same cluster, live, node online, not evacuating, the tags that the container asks for, services where it is one.
    """
    return (
        server["cluster"] == container.data["environment"]["cluster"]
        and server["state"]["current"] == "live"
        and server["evacuate"] is None
        and state.online[server["id"]]
        and (container.service is None or bool(server["constraints"]["allow"]["services"]))
        and _tags_fit(container, set(server["constraints"]["tags"]))
    )


def _tags_fit(container: Container, tags: set[str]) -> bool:
    constraints = container.data["config"]["deploy"].get("constraints") or {}
    wanted = (constraints.get("node") or {}).get("tags") or {}
    some, every = set(wanted.get("any") or []), set(wanted.get("all") or [])
    return every <= tags and (not some or bool(some & tags))


def choose(state: State, container: Container, avoid: str | None = None) -> Record | None:
    """Return the usable server with the fewest instances of the container, not the one to avoid."""
    found = [each for each in state.servers.values() if usable(state, container, each) and each["id"] != avoid]
    amounts = {each["id"]: 0 for each in found}
    for instance in container.living():
        if instance["server_id"] in amounts:
            amounts[instance["server_id"]] += 1
    return min(found, key=lambda each: (amounts[each["id"]], each["id"]), default=None)
