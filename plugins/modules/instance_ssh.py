#!/usr/bin/python
# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: instance_ssh
short_description: Create and expire SSH credentials of Cycle instances
version_added: 0.1.0
description:
  - Creates SSH credentials for an instance, or expires all of its credentials.
  - The credentials open an interactive shell in the instance through the gateway of the platform. The user is the
    instance, the password is RV(secret). The documented lifetime is 30 minutes. See RV(expires).
  - The instance must be running.
  - Each task with O(state=present) creates new credentials. The platform cannot list existing ones.
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
      - In check mode nothing is created or expired, and RV(secret) is V(null).
      - With O(state=absent) it reports a change whenever the instance exists, because the platform does not
        report whether it has credentials.
  diff_mode:
    support: full
    details:
      - The previous number of credentials is unknown. The secret is not shown.
  idempotent:
    support: partial
    details:
      - With O(state=present) every run creates new credentials. With O(state=absent) a second run changes nothing.
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
      - V(present) creates new credentials. This is always a change.
      - V(absent) immediately expires all credentials of the instance, including those of other users. No change if
        there are none, or if the instance no longer exists.
      - The platform does not document whether open sessions end.
    type: str
    choices: [present, absent]
    default: present
  dest:
    description:
      - With O(state=present), path of a file to write the credentials to, on the host that runs the task. The
        secret in the result is then V(null).
      - The file contains a JSON object with RV(host), RV(port), RV(user), RV(secret), RV(expires), RV(address),
        RV(token_id) and RV(connection) of the result, and with O(container_id) and O(instance_id). Read it with
        M(ansible.builtin.include_vars) and its option C(name), with C(no_log) on that task.
      - The file is written atomically with mode C(0600). An existing file or link is replaced. The directory must
        exist. The task checks that it can write the file before it creates credentials.
      - With O(state=absent), the file is removed.
    type: path
notes:
  - Without O(dest), the result of O(state=present) is hidden from output and logs, as with C(no_log). A registered
    variable contains it.
  - The request to create credentials is not retried after a broken connection. The task then fails. Credentials that
    may have been created are unusable and expire.
"""

EXAMPLES = r"""
---
- name: Create credentials
  quayside.paas.instance_ssh:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
  register: ssh

- name: Add the instance to the inventory of this play
  ansible.builtin.add_host:
    name: web-1
    groups: [instances]
    ansible_connection: "{{ ssh.connection.ansible_connection }}"
    ansible_host: "{{ ssh.connection.ansible_host }}"
    ansible_port: "{{ ssh.connection.ansible_port }}"
    ansible_user: "{{ ssh.connection.ansible_user }}"
    ansible_password: "{{ ssh.connection.ansible_password }}"
  no_log: true

- name: Expire the credentials
  quayside.paas.instance_ssh:
    container_id: 66c000000000000000000001
    instance_id: 66d000010000000000000001
    state: absent

- name: Write new credentials to a file that only its owner can read
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
