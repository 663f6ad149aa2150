# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: cycle
short_description: Instances of Cycle as hosts
version_added: 0.1.0
description:
  - Makes a host of each running instance of the containers of a hub on Cycle.
  - The file has to have a name that ends in C(.cycle.yml) or C(.cycle.yaml).
  - The hosts can be connected to at once, with P(quayside.paas.cycle_ssh#connection).
  - The usual name of a host is the host name of the instance, or the identifier of its container, C(-) and its id where
    it has none. Hosts of the same name are told apart by the id of the instance; see O(hostname).
  - What cannot be read, such as the instances of one container, is warned about by name; the other hosts stay. Only
    when nothing can be read does the inventory fail.
  - Requests are one for each page of 100 containers, and one for each page of 100 instances of each container. A
    container that says itself that it has no instances in one of O(states) costs none. O(environments), O(servers),
    O(clusters) and O(telemetry) change that, as they say.
  - The platform does not say where a list ends, nor how long a page may be, so a last page of 20 items or more costs
    one more request.
  - An instance has to fit each of O(environments), O(containers), O(servers), O(clusters) and O(states) that is given.
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
      - Ids, identifiers or names of the environments whose instances to take. Without them those of all are taken. One
        that does not exist is warned about.
      - Only their containers are listed. That costs one more request for each page of 100 environments of the hub,
        unless all of them are given by ids.
    type: list
    elements: str
    default: []
  containers:
    description:
      - Ids, identifiers or names of the containers whose instances to take. Identifiers and names are not unique in a
        hub, so one may mean several. One that does not exist is warned about.
      - Of other containers no instances are read. The list of containers is read all the same.
    type: list
    elements: str
    default: []
  servers:
    description:
      - Ids, host names or nicknames of the servers whose instances to take. One that does not exist is warned about.
      - Costs one more request for each page of 100 servers of the hub. Without O(environments) and O(containers) it
        takes, in place of all other requests, one for each page of 100 instances of each such server.
    type: list
    elements: str
    default: []
  clusters:
    description:
      - Identifiers or ids of the clusters whose instances to take, those on the servers of the clusters. One without
        servers is warned about.
      - Costs and saves the same requests as O(servers).
    type: list
    elements: str
    default: []
  states:
    description:
      - Take instances in one of these states. An empty list takes all that the platform lists.
      - With C(-v) Ansible says how many instances were left out because of their state.
      - Instances that do not run are hosts all the same, which cannot be connected to.
    type: list
    elements: str
    choices: [new, starting, migrating, running, stopping, stopped, failed, deleting, deleted]
    default: [running]
  telemetry:
    description:
      - Tell in C(cycle_telemetry) what each instance that runs uses, as C(summary) of
        M(quayside.paas.instance_telemetry_info) does. What cannot be told is V(null).
      - Costs one more request for each host that runs. Hosts are cached with what they used at that time.
    type: bool
    default: false
  prefix:
    default: cycle_
  builtin_groups:
    description:
      - Make the groups C(cycle_environment_IDENTIFIER), C(cycle_container_IDENTIFIER), C(cycle_server_HOSTNAME),
        C(cycle_location_CODE), C(cycle_state_STATE), and of C(cycle_health_healthy), C(cycle_health_unhealthy) and
        C(cycle_health_unknown) the one that fits. Characters that names of groups cannot have become C(_).
      - What the platform does not send with an instance has its id in place of the identifier, host name or code.
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
  - Passwords and the like, and the environment variables of containers, are not among the facts.
seealso:
  - plugin: quayside.paas.cycle_ssh
    plugin_type: connection
"""

EXAMPLES = r"""
---
# Every running instance of the hub that CYCLE_API_KEY and CYCLE_HUB_ID name: my.cycle.yml
plugin: quayside.paas.cycle

---
# What runs in production on two servers. The key is taken from a file.
plugin: quayside.paas.cycle
api_key: "{{ lookup('ansible.builtin.file', '/run/secrets/cycle') }}"
hub_id: 66b000000000000000000001
environments: [production]
servers: [eu-ams-1, eu-ams-2]

---
# Groups by region and by the tags of the servers: region_europe, tag_ssd
plugin: quayside.paas.cycle
keyed_groups:
  - key: (cycle_location.geographic or {}).region | default('') | lower
    prefix: region
  - key: cycle_server.constraints.tags | default([])
    prefix: tag

---
# Unusual names, a variable, and a group of instances that use most of their memory
plugin: quayside.paas.cycle
containers: [web, checkout-api]
telemetry: true
hostname: "{{ cycle_environment.identifier }}-{{ cycle_container.identifier }}-{{ cycle_instance.id[-6:] }}"
compose:
  since: cycle_instance.events.created
groups:
  full: (cycle_telemetry.memory_share or 0) > 0.9

---
# What failed or was stopped, to look at; it cannot be connected to.
plugin: quayside.paas.cycle
states: [failed, stopped]
connection: false

---
# Read the platform once an hour at most. Run ansible-playbook with --flush-cache to read it anew.
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
