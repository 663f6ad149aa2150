# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""What Cycle has to read, as data. Source: the vendor's page "Instances" and its public API specification of 2026.

Capabilities are those that the specification lists; its texts, and the page, name some that no longer exist.
"""

from __future__ import annotations

from .._resource import Filter
from .resource import CycleResource, Include, Listing
from .states import DELETED_STATES

STR = {"type": "str"}
STRINGS = {"type": "list", "elements": "str"}

CONTAINERS_VIEW = "containers-view"
SERVERS_VIEW = "servers-view"
ENVIRONMENTS_VIEW = "environments-view"
JOBS_VIEW = "apionly-jobs-view"
# The vendor's page says containers-update, which was replaced by this one in 2024.
CONTAINERS_MANAGE = "containers-manage (in older hubs: containers-update)"
# The page says containers-instance-migrate.
INSTANCES_MIGRATE = "containers-instances-migrate (in older hubs: containers-instance-migrate)"
CONTAINERS_SSH = "containers-ssh"
CONTAINERS_CONSOLE = "containers-console"

CREATORS = Include("creator", "creator.id", by_kind=True)
DELETED = {"state.current": DELETED_STATES}
# No field of an item tells whether it is in a range or matches a search.
SEARCH_AND_RANGE = {
    "search": Filter("filter[search]", STR, None),
    "range_start": Filter("filter[range-start]", STR, None),
    "range_end": Filter("filter[range-end]", STR, None),
}

ENVIRONMENT = CycleResource(
    noun="environment",
    list_key="environments",
    id_option="environment_id",
    lists=("environments",),
    one="environments/{environment_id}",
    nested_filters={
        "state": Filter("filter[state]", STRINGS, "state.current"),
        "identifier": Filter("filter[identifier]", STR, "identifier"),
        "creator": Filter("filter[creator]", STR, None),
        "stack_build": Filter("filter[stack_build]", STR, None),
        "search": SEARCH_AND_RANGE["search"],
    },
    include={"creators": CREATORS, "stacks": Include("stack", "stack.id"), "clusters": Include("cluster", "cluster")},
    # Only a single environment comes with its cluster.
    listings={
        "environments": Listing(frozenset({"include", "meta", "sort", "filters"}), without=frozenset({"clusters"}))
    },
    meta=("containers", "containers_count", "instances_count", "service_versions"),
    sortable=True,
    permission=ENVIRONMENTS_VIEW,
)
CONTAINER = CycleResource(
    noun="container",
    list_key="containers",
    id_option="container_id",
    lists=("containers",),
    one="containers/{container_id}",
    filters={"environment_id": Filter("filter[environment]", STR, "environment.id")},
    nested_filters={
        "state": Filter("filter[state]", STRINGS, "state.current"),
        "identifier": Filter("filter[identifier]", STR, "identifier"),
        "deployment_strategy": Filter("filter[deployment_strategy]", STR, "config.deploy.strategy"),
        "deprecated": Filter("filter[deprecated]", {"type": "bool"}, "deprecate"),
        "image": Filter("filter[image]", STR, "image.id"),
        "stack": Filter("filter[stack]", STR, "stack.id"),
        "service": Filter("filter[service]", STR, None),
        "public_network": Filter("filter[public_network]", STR, None),
        "tags": Filter("filter[tags]", STRINGS, None),
        "deployment": Filter("filter[deployment]", STRINGS, None),
        "creator": Filter("filter[creator]", STR, None),
        **SEARCH_AND_RANGE,
    },
    include={
        "creators": CREATORS,
        "images": Include("image", "image.id"),
        "stack_builds": Include("stack_build", "stack.build_id"),
        "stacks": Include("stack", "stack.id"),
        "environments": Include("environment", "environment.id"),
    },
    meta=("instances_count", "domains", "ips"),
    sortable=True,
    deleted_when=DELETED,
    permission=CONTAINERS_VIEW,
)
INSTANCE = CycleResource(
    noun="instance",
    list_key="instances",
    id_option="instance_id",
    parent=CONTAINER,
    lists=("infrastructure/servers/{server_id}/instances", "containers/{container_id}/instances"),
    one="containers/{container_id}/instances/{instance_id}",
    nested_filters={
        "state": Filter("filter[state]", STRINGS, "state.current"),
        "server": Filter("filter[server]", STR, "server_id"),
        **SEARCH_AND_RANGE,
    },
    include={
        "creators": CREATORS,
        "servers": Include("server", "server_id"),
        "locations": Include("location", "location_id"),
        "integrations": Include("integration", "provider.integration_id"),
        "containers": Include("container", "container_id"),
        "environments": Include("environment", "environment.id"),
    },
    meta=("node", "sdn_pool_ips"),
    sortable=True,
    listings={
        "infrastructure/servers/{server_id}/instances": Listing(
            frozenset({"include"}), include={"creators": "creator"}, of="server"
        ),
        # Of all array parameters only this one is specified as one text with commas.
        "containers/{container_id}/instances": Listing(
            frozenset({"include", "meta", "sort", "filters"}), joined=frozenset({"include"})
        ),
    },
    deleted_when=DELETED,
    permission=CONTAINERS_VIEW,
)
INSTANCE_VOLUME = CycleResource(
    noun="volume",
    list_key="volumes",
    id_option="volume_id",
    parent=INSTANCE,
    lists=("containers/{container_id}/instances/{instance_id}/volumes",),
    sortable=True,
    permission=CONTAINERS_VIEW,
)
SERVER = CycleResource(
    noun="server",
    list_key="servers",
    id_option="server_id",
    lists=("containers/{usable_for}/servers/usable", "infrastructure/servers"),
    one="infrastructure/servers/{server_id}",
    nested_filters={
        "state": Filter("filter[state]", STRINGS, "state.current"),
        "cluster": Filter("filter[cluster]", STR, "cluster"),
        "location": Filter("filter[location]", STR, "location_id"),
        # Whether that is the vendor or the integration is not documented.
        "providers": Filter("filter[providers]", STRINGS, None),
        "tags": Filter("filter[tags]", STRINGS, None),
    },
    include={
        "locations": Include("location", "location_id"),
        "models": Include("model", "model_id"),
        "integrations": Include("integration", "provider.integration_id"),
        "clusters": Include("cluster", "cluster"),
    },
    meta=("node", "instances_count", "allocations"),
    sortable=True,
    listings={
        "containers/{usable_for}/servers/usable": Listing(
            frozenset({"include", "meta", "sort"}),
            include={"locations": "location"},
            without=frozenset({"clusters", "allocations"}),
            of="container",
            permission=CONTAINERS_VIEW,
        ),
        "infrastructure/servers": Listing(
            frozenset({"include", "meta", "sort", "filters"}), without=frozenset({"allocations"})
        ),
    },
    permission=SERVERS_VIEW,
)
JOB = CycleResource(
    noun="job",
    list_key="jobs",
    id_option="job_id",
    lists=("jobs",),
    one="jobs/{job_id}",
    nested_filters={"state": Filter("filter[state]", STRINGS, "state.current"), **SEARCH_AND_RANGE},
    include={"creators": CREATORS},
    listings={"jobs/{job_id}": Listing(frozenset())},
    sortable=True,
    permission=JOBS_VIEW,
)
