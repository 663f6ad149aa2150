# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: cycle
short_description: Add instances on Cycle to the inventory
version_added: 0.1.0
description:
  - Adds each running instance of the containers of a Cycle hub as a host.
  - The name of the inventory file must end in C(.cycle.yml) or C(.cycle.yaml).
  - The hosts are set up for the connection P(quayside.paas.cycle_ssh#connection).
  - The usual name of a host is the host name of the instance, or, if it has none, the identifier of its container, C(-)
    and its id. The id of the instance makes duplicate names unique. See O(hostname).
  - If something cannot be read, such as the instances of one container, a warning names it and the other hosts are
    kept. The inventory fails only if nothing can be read.
  - Requests are one for each page of 100 containers, and one for each page of 100 instances of each container. A
    container that reports no instances in any of O(states) costs none. O(environments), O(servers),
    O(clusters) and O(telemetry) change that, as they say.
  - The platform reports neither the end of a list nor the page size, so a last page of 20 items or more costs
    one more request.
  - An instance must match each of O(environments), O(containers), O(servers), O(clusters) and O(states) that is given.
  - The API key needs the capability C(containers-view); with O(servers) or O(clusters) C(servers-view) as well, and
    with O(environments) by name, to save requests, C(environments-view).
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._cycle
  - quayside.paas._cycle.plugin
  - quayside.paas._inventory
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    choices: [quayside.paas.cycle]
  environments:
    description:
      - Ids, identifiers or names of the environments to include. By default, all are included. A warning names those
        that do not exist.
      - Only their containers are listed. That costs one more request for each page of 100 environments of the hub,
        unless all of them are given by ids.
    type: list
    elements: str
    default: []
  containers:
    description:
      - Ids, identifiers or names of the containers to include. Identifiers and names are not unique in a hub, so one
        can match several. A warning names those that do not exist.
      - Instances of other containers are not read. The list of containers is still read.
    type: list
    elements: str
    default: []
  servers:
    description:
      - Ids, host names or nicknames of the servers to include. A warning names those that do not exist.
      - Costs one more request for each page of 100 servers of the hub. Without O(environments) and O(containers) it
        takes, in place of all other requests, one for each page of 100 instances of each such server.
    type: list
    elements: str
    default: []
  clusters:
    description:
      - Identifiers or ids of the clusters whose servers to include. A warning names those without servers.
      - Costs and saves the same requests as O(servers).
    type: list
    elements: str
    default: []
  states:
    description:
      - Include instances in one of these states. An empty list includes all.
      - With C(-v), Ansible shows how many instances were excluded because of their state.
      - Instances that are not running can be hosts, but connections to them fail.
    type: list
    elements: str
    choices: [new, starting, migrating, running, stopping, stopped, failed, deleting, deleted]
    default: [running]
  telemetry:
    description:
      - Add the resource usage of each running instance as C(cycle_telemetry), with the keys of C(summary) of
        M(quayside.paas.instance_telemetry_info). Unknown values are V(null).
      - Costs one more request for each running host. The cache contains the usage at that time.
    type: bool
    default: false
  prefix:
    default: cycle_
  builtin_groups:
    description:
      - Create the groups C(cycle_environment_IDENTIFIER), C(cycle_container_IDENTIFIER), C(cycle_server_HOSTNAME),
        C(cycle_location_CODE), C(cycle_state_STATE), and of C(cycle_health_healthy), C(cycle_health_unhealthy) and
        C(cycle_health_unknown) the one that applies. Characters that are invalid in group names are replaced by C(_).
      - If the platform does not send a resource with the instance, its id is used instead of the identifier, host name
        or code.
      - The health of an instance is unknown as long as its health check reported nothing, and always without one.
    type: bool
    default: true
notes:
  - The facts of a host are
    C(cycle_instance), what M(quayside.paas.instance_info) returns of it, without C(creator), C(hub_id), C(provider) and
    C(included);
    C(cycle_container) with C(id), C(identifier), C(name), C(state), C(image), C(stack), C(deployment), C(annotations),
    C(role), C(stateful), C(lock), C(deprecate), and of C(config) C(network.hostname), C(network.public) and
    C(deploy.strategy);
    C(cycle_environment) with C(id), C(identifier), C(name), C(cluster), C(state) and C(about.description);
    C(cycle_server) with C(id), C(hostname), C(nickname), C(cluster), C(location_id), C(model_id), C(state),
    C(features), C(ephemeral), C(evacuate), C(constraints.tags), and of C(provider) C(vendor), C(model), C(location),
    C(zone) and C(init_ips);
    C(cycle_location) with C(id), C(name), C(abbreviation), C(geographic), and of C(provider) C(code), C(location) and
    C(vendor);
    C(cycle_telemetry) with O(telemetry).
    They have the names and values that the modules return. Of what the platform does not send there is C(id) alone.
  - Facts contain no passwords and no environment variables of containers.
seealso:
  - plugin: quayside.paas.cycle_ssh
    plugin_type: connection
"""

EXAMPLES = r"""
---
# Every running instance of the hub that CYCLE_API_KEY and CYCLE_HUB_ID name: my.cycle.yml
plugin: quayside.paas.cycle

---
# Running instances in production on two servers, with the API key from a file
plugin: quayside.paas.cycle
api_key: "{{ lookup('ansible.builtin.file', '/run/secrets/cycle') }}"
hub_id: 66b000000000000000000001
environments: [production]
servers: [eu-ams-1, eu-fra-1]

---
# Groups by region and by the tags of the servers: region_europe, tag_ssd
plugin: quayside.paas.cycle
keyed_groups:
  - key: (cycle_location.geographic or {}).region | default('') | lower
    prefix: region
  - key: cycle_server.constraints.tags | default([])
    prefix: tag

---
# Custom names, a variable, and a group of instances that use most of their memory
plugin: quayside.paas.cycle
containers: [web, checkout-api]
telemetry: true
hostname: "{{ cycle_environment.identifier }}-{{ cycle_container.identifier }}-{{ cycle_instance.id[-6:] }}"
compose:
  since: cycle_instance.events.created
groups:
  full: (cycle_telemetry.memory_share or 0) > 0.9

---
# Failed and stopped instances, without connection variables
plugin: quayside.paas.cycle
states: [failed, stopped]
connection: false

---
# Read the platform once an hour at most. Run ansible-playbook with --flush-cache to refresh it.
plugin: quayside.paas.cycle
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/cycle
cache_timeout: 3600
"""

from ..module_utils._cycle.api import Cycle
from ..module_utils._cycle.hosts import Selection, read_hosts
from ..module_utils._hosts import Found
from ..plugin_utils._inventory import PaasInventory


class InventoryModule(PaasInventory):
    """The inventory of Cycle."""

    NAME = "quayside.paas.cycle"
    client = Cycle
    connection = "quayside.paas.cycle_ssh"
    selecting = ("environments", "containers", "servers", "clusters", "states", "telemetry")

    def read(self, client: Cycle) -> Found:
        """The hosts that the options select. Raises PaasError."""
        options = {name: self.get_option(name) for name in (*self.selecting, "concurrency")}
        return read_hosts(client, Selection(**options))
