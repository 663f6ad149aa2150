# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that is read with GET and changes nothing."""

from __future__ import annotations

from typing import Any

from ..messages import Record
from . import includes
from .ask import Ask
from .jobs import visible
from .placement import usable
from .queries import Filters, between, one_of, search
from .shared import NO_ID

_INSTANCES: Filters = {
    "state": one_of(lambda instance: instance["state"]["current"]),
    "search": search("id", "hostname", "server_id", "stateful.base_hostname"),
    "server": one_of(lambda instance: instance["server_id"]),
    **between("events.created"),
}


def _tags(container: Record) -> list[str]:
    tags = (((container["config"]["deploy"].get("constraints") or {}).get("node") or {}).get("tags")) or {}
    return [*(tags.get("any") or []), *(tags.get("all") or [])]


_CONTAINERS: Filters = {
    "creator": one_of(lambda container: container["creator"]["id"]),
    "identifier": one_of(lambda container: container["identifier"]),
    "search": search("id", "name", "identifier"),
    "state": one_of(lambda container: container["state"]["current"]),
    "deprecated": one_of(lambda container: container["deprecate"]),
    "service": one_of(lambda container: container["image"]["service"]),
    "public_network": one_of(lambda container: container["config"]["network"]["public"]),
    "image": one_of(lambda container: container["image"]["id"]),
    "environment": one_of(lambda container: container["environment"]["id"]),
    "tags": one_of(_tags),
    "stack": one_of(lambda container: (container["stack"] or {}).get("id")),
    "deployment": one_of(lambda container: (container["deployment"] or {}).get("version")),
    "deployment_strategy": one_of(lambda container: container["config"]["deploy"].get("strategy")),
    **between("events.created"),
}
_SERVERS: Filters = {
    "state": one_of(lambda server: server["state"]["current"]),
    "tags": one_of(lambda server: server["constraints"]["tags"]),
    "cluster": one_of(lambda server: server["cluster"]),
    "location": one_of(lambda server: server["location_id"]),
    "providers": one_of(lambda server: (server["provider"]["vendor"], server["provider"]["integration_id"])),
    "search": search("id", "hostname", "nickname"),
}
_ENVIRONMENTS: Filters = {
    "creator": one_of(lambda environment: environment["creator"]["id"]),
    "identifier": one_of(lambda environment: environment["identifier"]),
    "search": search("id", "name", "identifier"),
    "state": one_of(lambda environment: environment["state"]["current"]),
}
_JOBS: Filters = {
    "state": one_of(lambda job: job["state"]["current"]),
    "search": search("id", "caption", "queue", "tasks"),
    **between("events.queued"),
}


def _in_context(name: str) -> Any:
    return one_of(lambda entry: entry["context"].get(name))


_ACTIVITY: Filters = {
    "search": search("id", "event", "context", "annotations"),
    "state": one_of(lambda entry: entry["status"]),
    "user": one_of(lambda entry: entry["user"]["id"]),
    "environment": _in_context("environment_id"),
    "container": _in_context("container_id"),
    "virtual-machine": _in_context("virtual_machine_id"),
    "instance": _in_context("instance_id"),
    "server": _in_context("server_id"),
    "events": one_of(lambda entry: entry["event"]),
    # An amount of detail: what is asked for and all that matters more. The simulator's choice.
    "verbosity": lambda entry, text: not text.isdigit() or entry["verbosity"] <= int(text),
    **between("time"),
}

_LATEST = 20


def containers(ask: Ask) -> Record:
    """GET /v1/containers."""
    found = (container.data for container in ask.state.containers.values())
    return ask.listed("container", found, _CONTAINERS, includes.CONTAINERS)


def container(ask: Ask) -> Record:
    """GET C."""
    return ask.one("container", ask.container().data, includes.CONTAINERS)


def container_servers(ask: Ask) -> Record:
    """GET C/servers: one object by the specification, an array by its prose; see the setting."""
    amounts: dict[str, int] = {}
    for instance in ask.container().living():
        amounts[instance["server_id"]] = amounts.get(instance["server_id"], 0) + 1
    shape = ask.state.settings.container_servers_shape
    if shape == "map":
        return {"data": amounts}
    pairs = [{"server_id": server, "instances": amount} for server, amount in sorted(amounts.items())]
    if shape == "array":
        return {"data": pairs}
    # There is no object that means none: what an empty one of the platform's language looks like.
    return {"data": pairs[0] if pairs else {"server_id": NO_ID, "instances": 0}}


def usable_servers(ask: Ask) -> Record:
    """GET C/servers/usable."""
    found = (server for server in ask.state.servers.values() if usable(ask.state, ask.container(), server))
    return ask.listed("server", list(found), _SERVERS, includes.USABLE_SERVERS)


def instances(ask: Ask) -> Record:
    """GET C/instances."""
    return ask.listed("instance", ask.container().instances.values(), _INSTANCES, includes.INSTANCES)


def instance(ask: Ask) -> Record:
    """GET I."""
    return ask.one("instance", ask.instance(), includes.INSTANCES)


def volumes(ask: Ask) -> Record:
    """GET I/volumes."""
    return ask.listed("volume", ask.state.volumes.get(ask.instance()["id"], []), {})


def servers(ask: Ask) -> Record:
    """GET /v1/infrastructure/servers."""
    return ask.listed("server", ask.state.servers.values(), _SERVERS, includes.SERVERS)


def server(ask: Ask) -> Record:
    """GET S."""
    return ask.one("single server", ask.server(), includes.SERVERS)


def server_instances(ask: Ask) -> Record:
    """GET S/instances; the include is called creator here."""
    found = ask.state.on_server(ask.server()["id"])
    return ask.listed("instance", found, _INSTANCES, includes.SERVER_INSTANCES)


def environments(ask: Ask) -> Record:
    """GET /v1/environments."""
    known = {name: make for name, make in includes.ENVIRONMENTS.items() if name != "clusters"}
    return ask.listed("environment", ask.state.environments.values(), _ENVIRONMENTS, known)


def environment(ask: Ask) -> Record:
    """GET E."""
    return ask.one("environment", ask.environment(), includes.ENVIRONMENTS)


def hub(ask: Ask) -> Record:
    """GET /v1/hubs/current."""
    return ask.one("hub", ask.state.hub)


def activity(ask: Ask) -> Record:
    """GET /v1/hubs/current/activity."""
    return ask.listed("activity", ask.state.activity, _ACTIVITY, includes.ACTIVITY)


def jobs(ask: Ask) -> Record:
    """GET /v1/jobs; a job may be later in the list than on its own."""
    settings = ask.state.settings.jobs
    after = max(settings.list_visible_after, settings.visible_after)
    found = (job.data for job in ask.state.jobs.values() if visible(ask.state, job, after))
    return ask.listed("job", found, _JOBS, includes.JOBS)


def latest_jobs(ask: Ask) -> Record:
    """GET /v1/jobs/latest: the newest ones, newest first."""
    settings = ask.state.settings.jobs
    after = max(settings.list_visible_after, settings.visible_after)
    found = [job.data for job in ask.state.jobs.values() if visible(ask.state, job, after)]
    return {"data": sorted(found, key=lambda job: str(job["id"]), reverse=True)[:_LATEST]}


def job(ask: Ask) -> Record:
    """GET /v1/jobs/{jobId}."""
    return ask.one("job", ask.job().data)
