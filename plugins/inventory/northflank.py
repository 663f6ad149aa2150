# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: northflank
short_description: Add containers on Northflank to the inventory
version_added: 0.1.0
description:
  - Adds each running container of the addons, services and jobs on Northflank as a host.
  - The name of the inventory file must end in C(.northflank.yml) or C(.northflank.yaml).
  - The hosts are set up for the connection P(quayside.paas.northflank_exec#connection).
  - The usual name of a host is that of its container. Team, project, kind, addon, service or job,
    and container make duplicate names unique. See O(hostname).
  - If something cannot be read, such as a project, a warning names it and the other hosts are kept. The inventory fails
    only if nothing can be read.
  - Jobs have the containers of one run, which the platform chooses. Build services have none.
  - Requests are one for each page of 100 projects, unless O(projects) names them; one for each project; and one for
    each page of 100 containers of each addon, service and job. O(tags), O(details) and O(backups) cost more, as they
    say.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._northflank
  - quayside.paas._northflank.plugin
  - quayside.paas._inventory
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    choices: [quayside.paas.northflank]
  kinds:
    description: Kinds of resources whose containers to include.
    type: list
    elements: str
    choices: [addon, service, job]
    default: [addon, service, job]
  projects:
    description:
      - Ids of the projects to read. By default, all that the token can access are read.
      - Fewer projects cost fewer requests.
    type: list
    elements: str
    default: []
  tags:
    description:
      - Include addons, services and jobs that have one of these tags.
      - Costs one more request for each page of 100 addons, services or jobs of each project, as O(details) does.
    type: list
    elements: str
    default: []
  statuses:
    description:
      - Include containers with one of these statuses, for example V(TASK_STARTING), V(TASK_FAILED) or V(TASK_FINISHED).
        An empty list includes all.
      - With C(-v), Ansible shows how many containers were excluded because of their status.
      - Containers that are not running can be hosts, but connections to them fail.
    type: list
    elements: str
    default: [TASK_RUNNING]
  details:
    description:
      - Read the lists of addons, services and jobs as well, to get their C(tags) and C(status).
      - Costs one more request for each page of 100 addons, services or jobs of each project.
    type: bool
    default: false
  backups:
    description:
      - Add the last backup and the last restore of each addon, as C(northflank_last_backup) and
        C(northflank_last_restore). They are V(null) if there is none.
      - Costs two more requests for each addon that has a host, and more where there are over 100 backups.
    type: bool
    default: false
  prefix:
    default: northflank_
  builtin_groups:
    description:
      - Create the groups C(northflank_project_ID), C(northflank_kind_KIND), C(northflank_addon_type_TYPE) and
        C(northflank_status_STATUS). Characters that are invalid in group names are replaced by C(_).
    type: bool
    default: true
notes:
  - The facts of a host are C(northflank_kind), which is V(addon), V(service) or V(job);
    C(northflank_project) with C(id), C(name) and what else M(quayside.paas.project_info) returns of one project;
    C(northflank_addon), C(northflank_service) or C(northflank_job) with C(id), C(name), C(app_id) and what else stands
    in the project of it, with C(tags) and states where O(tags) or O(details) is set;
    C(northflank_container) as M(quayside.paas.addon_container_info) returns it;
    C(northflank_node) with C(name), C(pool_user_id), C(pool_provider_id) and C(host) of the node, which is empty except
    on your own clusters;
    with O(backups), for addons, C(northflank_last_backup) and C(northflank_last_restore) as
    M(quayside.paas.addon_backup_info) and M(quayside.paas.backup_restore_info) return them.
seealso:
  - plugin: quayside.paas.northflank_exec
    plugin_type: connection
"""

EXAMPLES = r"""
---
# Every running container that the token in NORTHFLANK_API_TOKEN can see: my.northflank.yml
plugin: quayside.paas.northflank

---
# The databases of two projects, with their last backups. The token comes from a file.
plugin: quayside.paas.northflank
api_token: "{{ lookup('ansible.builtin.file', '/run/secrets/northflank') }}"
kinds: [addon]
projects: [storefront, data-platform]
backups: true

---
# Resources tagged for production, in groups by tag and region: tag_production, region_europe_west
plugin: quayside.paas.northflank
tags: [production]
keyed_groups:
  - key: (northflank_addon | default(northflank_service) | default(northflank_job)).tags
    prefix: tag
  - key: (northflank_project.deployment | default({})).region | default('')
    prefix: region

---
# Long names of hosts, a variable, and a group of databases without backups
plugin: quayside.paas.northflank
backups: true
hostname: "{{ northflank_project.id }}-{{ northflank_container.name }}"
compose:
  started: northflank_container.created_at
groups:
  no_backup: northflank_kind == 'addon' and not northflank_last_backup

---
# Read the platform once an hour at most. Run ansible-playbook with --flush-cache to refresh it.
plugin: quayside.paas.northflank
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/northflank
cache_timeout: 3600
"""

from ..module_utils._hosts import Found
from ..module_utils._northflank.api import Northflank
from ..module_utils._northflank.hosts import Selection, read_hosts
from ..plugin_utils._inventory import PaasInventory


class InventoryModule(PaasInventory):
    """The inventory of Northflank."""

    NAME = "quayside.paas.northflank"
    client = Northflank
    connection = "quayside.paas.northflank_exec"
    selecting = ("kinds", "projects", "tags", "statuses", "details", "backups")

    def read(self, client: Northflank) -> Found:
        """The hosts that the options select. Raises PaasError."""
        options = {name: self.get_option(name) for name in (*self.selecting, "concurrency")}
        return read_hosts(client, Selection(**options))
