#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_ssh
short_description: Make and expire SSH credentials of Cycle instances
version_added: 0.1.0
description:
  - Makes SSH credentials for an instance, or expires all credentials that it has.
  - The credentials let into an interactive shell of the instance, through the gateway of the platform. The user is the
    instance, the password is RV(secret). They are documented to end by themselves after 30 minutes;
    RV(expires) tells.
  - The instance has to run.
  - Each task with O(state=present) makes new credentials. There is no request that shows those that exist.
author:
  - Quayside contributors (@quayside)
extends_documentation_fragment:
  - quayside.paas._cycle
  - quayside.paas._cycle.actiongroup
  - quayside.paas._module
  - quayside.paas._module.in_process
attributes:
  check_mode:
    support: partial
    details:
      - In check mode nothing is made or expired, and RV(secret) is V(null).
      - With O(state=absent) it reports a change whenever the instance exists, because the platform does not tell
        whether there is anything to expire.
  diff_mode:
    support: full
    details:
      - How many credentials there were before is not known. The secret is not shown.
  idempotent:
    support: partial
    details:
      - With O(state=present) every run makes new credentials. With O(state=absent) a second run changes nothing.
options:
  container_id:
    description:
      - The container of the instance.
    type: str
    required: true
  instance_id:
    description:
      - The instance.
    type: str
    required: true
  state:
    description:
      - With V(present), new credentials are made. This is a change each time.
      - With V(absent), all credentials of the instance are expired at once, whoever made them. When there were none, or
        when the instance does not exist any more, this is no change.
      - Whether expiring cuts sessions that are open is not documented by the platform.
    type: str
    choices: [present, absent]
    default: present
  dest:
    description:
      - With O(state=present), a file to write the credentials to, on the host that the task runs on. The result then
        has V(null) in place of the secret.
      - It is a JSON object with RV(host), RV(port), RV(user), RV(secret), RV(expires), RV(address), RV(token_id) and
        RV(connection) of the result, and with O(container_id) and O(instance_id). Read it with
        M(ansible.builtin.include_vars) and its option C(name), with C(no_log) on that task.
      - The file has mode C(0600) from its beginning and appears in one step. One that exists is replaced, whatever its
        mode; a link is replaced and not followed. The folder has to exist. Whether the file can be written is tried
        before credentials are made.
      - With O(state=absent), the file is removed.
    type: path
notes:
  - Without O(dest) the result of O(state=present) is kept from display and logs, as with C(no_log), and a registered
    variable has it.
  - The request that makes credentials is not repeated when the connection breaks. The task then fails, and credentials
    may exist that nobody knows the secret of; they end by themselves.
"""

EXAMPLES = r"""
---
- name: Make credentials
  quayside.paas.instance_ssh:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
  register: made

- name: Add the instance to the inventory of this play
  ansible.builtin.add_host:
    name: web-1
    groups: [instances]
    ansible_connection: "{{ made.connection.ansible_connection }}"
    ansible_host: "{{ made.connection.ansible_host }}"
    ansible_port: "{{ made.connection.ansible_port }}"
    ansible_user: "{{ made.connection.ansible_user }}"
    ansible_password: "{{ made.connection.ansible_password }}"
  no_log: true

- name: Expire the credentials
  quayside.paas.instance_ssh:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    state: absent

- name: Make credentials for a file that only its owner can read
  quayside.paas.instance_ssh:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    dest: /run/user/1000/web-1.json

- name: Read them from there
  ansible.builtin.include_vars:
    file: /run/user/1000/web-1.json
    name: web_1
  no_log: true

- name: Expire them and remove the file
  quayside.paas.instance_ssh:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    state: absent
    dest: /run/user/1000/web-1.json
"""

RETURN = r"""
---
host:
  description: Where to connect to. V(null) in check mode and with O(state=absent), as are the next six.
  returned: success
  type: str
  sample: console.cycle.io
port:
  description: The port.
  returned: success
  type: int
  sample: 22
user:
  description: The user.
  returned: success
  type: str
  sample: 5cc78aa0db2ab000014a8b98
secret:
  description: The password. V(null) with O(dest).
  returned: success
  type: str
  sample: I5qQGoaU9s63RFnm5KQE52JIm
expires:
  description: When the credentials end.
  returned: success
  type: str
  sample: "2019-06-19T04:01:11.608559827Z"
address:
  description: User, host and port as the platform writes them. This is no argument for C(ssh).
  returned: success
  type: str
  sample: 5cc78aa0db2ab000014a8b98@console.cycle.io:22
token_id:
  description: Id of the credentials.
  returned: success
  type: str
  sample: 5d09ac7f4146380001a3ecb5
connection:
  description: The same as variables of a host. Each is V(null) where it is not known.
  returned: success
  type: dict
  contains:
    ansible_connection:
      description: The connection plugin.
      returned: always
      type: str
    ansible_host:
      description: Where to connect to.
      returned: always
      type: str
    ansible_port:
      description: The port.
      returned: always
      type: int
    ansible_user:
      description: The user.
      returned: always
      type: str
    ansible_password:
      description: The password. V(null) with O(dest).
      returned: always
      type: str
  sample:
    ansible_connection: ssh
    ansible_host: console.cycle.io
    ansible_port: 22
    ansible_user: 5cc78aa0db2ab000014a8b98
    ansible_password: I5qQGoaU9s63RFnm5KQE52JIm
expired:
  description:
    - How many credentials have ended with O(state=absent), as the platform counts them. V(null) in check mode when this
      cannot be known.
    - When the request had to be repeated, those that ended the first time are not in it. The task then reports a change
      in any case.
  returned: success
  type: int
  sample: 0
file:
  description: The file of O(dest), as an absolute path. V(null) without it.
  returned: success
  type: str
  sample: null
rate_limit:
  description: The last reported rate limit, with C(reset) in seconds. Values that were not reported are V(null).
  returned: always
  type: dict
  sample: {limit: 1000, remaining: 987, reset: 3412}
request_count:
  description: Number of requests sent, including retries.
  returned: always
  type: int
  sample: 1
error:
  description: The failed request, the C(status) of the response, and the platform's error. Missing values are V(null).
  returned: failure
  type: dict
  sample: {method: GET, path: /v1/projects/shop/addons, status: 403, code: null, id: 66c5d1a2e9, details: null}
"""

from ..module_utils._cycle import ssh
from ..module_utils._cycle.api import Cycle
from ..module_utils._module.action import action_module
from ..module_utils._module.runner import run_module

MODULE = action_module(
    Cycle,
    ssh.plan,
    ssh.ARGUMENTS,
    is_secret=lambda arguments: arguments.get("state") != "absent" and not arguments.get("dest"),
)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
