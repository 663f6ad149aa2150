# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the sockets of the service listen, as answers of the platforms name them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Endpoints:
    """Hosts and ports of the Cycle listener and of the SSH gateway; set once the sockets are bound.

    The gateways note here the public host key of SSH, and how many connections and sessions are open.
    """

    http_host: str = "127.0.0.1"
    http_port: int = 0
    ssh_host: str = "127.0.0.1"
    ssh_port: int = 0
    ssh_host_key: str = ""
    ssh_connections: int = 0
    ssh_sessions: int = 0
    exec_sessions: int = 0
