# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit log of a hub: what was asked for and done, even if a job is not visible yet."""

from __future__ import annotations

import typing as t

from .._errors import ApiError
from .._types import Item, value_at
from .api import Cycle


def has_open_creation(client: Cycle, container_id: str, read: t.Callable[[], list[Item]]) -> bool:
    """Whether the log has a request to create instances of a container that nothing shows to be done yet.

    Args:
        read: Reads the instances. Ids grow with time: an instance younger than the request shows that it was done.
    """
    about = ("container.instances.create", "container.instances.delete", "container.instance.delete")
    entries = newest_entries(client, "container", container_id)
    newest = next((one for one in entries if one.get("event") in about), {})
    if newest.get("event") != about[0] or newest.get("status") != "request":
        return False
    return not any(str(one.get("id")) > str(newest.get("id")) for one in read())


def newest_entries(client: Cycle, kind: str, identity: str) -> list[Item]:
    """Return the last entries about a container or an instance, newest first; none if the key may not read them.

    Which capability that takes is not stated; hubs-auditlog-view exists. Source: specification.
    """
    query = {f"filter[{kind}]": identity, "sort": "-id", "page[number]": 1, "page[size]": 100}
    try:
        entries = client.get_data("hubs/current/activity", query=query)
    except ApiError as error:
        if (error.status or 0) < 500:
            return []
        raise
    found = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    own = [one for one in found if value_at(one, f"context.{kind}_id") == identity]
    return sorted(own, key=lambda one: str(one.get("id")), reverse=True)
