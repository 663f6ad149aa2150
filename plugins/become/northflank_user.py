# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: northflank_user
short_description: Run commands in a container on Northflank as another user
version_added: 0.1.0
author:
  - Quayside contributors (@quayside)
description:
  - Runs each command as another user of the container through the exec API of Northflank. The image needs no C(sudo),
    and no password is required.
  - Works only with the connection P(quayside.paas.northflank_exec#connection). With any other connection, the command
    fails without running.
options:
  become_user:
    description:
      - User to become, as a user name in the container or a number.
    type: str
    default: root
    vars:
      - name: ansible_become_user
      - name: ansible_northflank_become_user
    env:
      - name: ANSIBLE_BECOME_USER
    ini:
      - section: privilege_escalation
        key: become_user
    keyword:
      - name: become_user
notes:
  - Files are copied into the container as the user of the connection. Where neither that user nor the one to become is
    C(root), modules with files need what
    L(becoming an unprivileged user, https://docs.ansible.com/ansible-core/devel/playbook_guide/playbooks_privilege_escalation.html)
    says; pipelining does without files.
seealso:
  - plugin: quayside.paas.northflank_exec
    plugin_type: connection
"""

EXAMPLES = r"""
- name: Run as the user of the database
  hosts: northflank_addon_type_postgresql
  become: true
  become_method: quayside.paas.northflank_user
  become_user: postgres
  tasks:
    - name: List the databases
      ansible.builtin.command:
        cmd: psql --list
      changed_when: false
"""

import typing as t

from ansible.plugins.become import BecomeBase

from ..plugin_utils._remote_tools import BECOME_MARK


class BecomeModule(BecomeBase):  # type: ignore[misc]
    """Marks commands for the connection, which takes the mark away; elsewhere it keeps them from being run."""

    name = "quayside.paas.northflank_user"

    def build_become_command(self, cmd: str, shell: t.Any) -> str:
        """The command behind the mark."""
        return f"{BECOME_MARK}{cmd}" if cmd else cmd
