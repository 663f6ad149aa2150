# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The states that Cycle reports, and what they mean.

Source: the vendor's public API specification of 2026. A state that is not listed here is no error: it is passed on as
it is, and what is in such a state has not finished.
"""

from __future__ import annotations

from .._types import Item, value_at

# Containers, instances, servers and environments. Whether deleted ones stay in lists is not documented.

DELETED_STATES = ("deleted",)
GONE_STATES = ("deleting", *DELETED_STATES)

# Containers. Instances of a container in the state function run when they are called.

CONTAINER_RUNNING_STATES = ("running", "function")
CONTAINER_IN_PROGRESS_STATES = ("new", "starting", "stopping", "deleting")

# Instances. The source of a migration is migrating, then stopped, with the ready_state purge until it is deleted.

INSTANCE_STARTING_STATES = ("new", "starting")
INSTANCE_IN_PROGRESS_STATES = (*INSTANCE_STARTING_STATES, "migrating", "stopping", "deleting")
INSTANCE_FAILED_STATES = ("failed",)
INSTANCE_UP_STATES = ("starting", "running")
INSTANCE_MIGRATABLE_STATES = ("running", "stopped", *INSTANCE_FAILED_STATES)
READY_ACTIVE = "active"
READY_PURGE = "purge"

# Servers

SERVER_READY_STATE = "live"
SERVER_IN_PROGRESS_STATES = ("new", "provisioning", "configuring", "deleting")
SERVER_FAILED_STATES = ("quarantined",)

# Jobs. The official client takes an expired one for a success; the specification does not say that it ever ran.

JOB_PENDING_STATES = ("new", "queued", "scheduled")
JOB_IN_PROGRESS_STATES = (*JOB_PENDING_STATES, "running")
JOB_SUCCESS_STATES = ("completed",)
JOB_FAILED_STATES = ("error", "expired")
JOB_FINAL_STATES = (*JOB_SUCCESS_STATES, *JOB_FAILED_STATES)


def should_run(container: Item) -> bool:
    """Check whether the instances of a container are meant to run: those of a stopped container stay stopped.

    The specification requires no desired state. Without it the current one counts.
    """
    wanted = value_at(container, "state.desired") or value_at(container, "state.current") or "running"
    return wanted in (*CONTAINER_RUNNING_STATES, "starting")


def health_of(instance: Item) -> bool | None:
    """Get what the health check of an instance reports; None if it has not reported yet, or there is none."""
    healthy = value_at(instance, "state.health.healthy")
    return healthy if isinstance(healthy, bool) else None
