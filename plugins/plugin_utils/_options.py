# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The options of inventories and connections as the platforms' clients want them."""

from __future__ import annotations

import typing as t

from ansible.module_utils.errors import AnsibleFallbackNotFound

if t.TYPE_CHECKING:
    from ..module_utils._cycle.api import Cycle
    from ..module_utils._northflank.api import Northflank
    from ..module_utils._options import GetOption

    Client = type[Northflank] | type[Cycle]

# The option with the token, by platform.
_SECRETS = {"Northflank": "api_token", "Cycle": "api_key"}

# Tokens that stand in inventory files, by platform and file. In memory alone: connections are made in processes forked
# from the one that read the inventories, and a token has no place among the variables of a host.
_tokens: dict[tuple[str, str], str] = {}


def options_of(plugin: t.Any, client: Client, template: t.Callable[[t.Any], t.Any] = lambda value: value) -> GetOption:
    """The options of an inventory or connection plugin, as a client of a platform reads them.

    Environment variables count as they do for modules: one that is set to nothing is not set. A connection without a
    token of its own uses the one in the inventory file that its option inventory_source names. template: applied to the
    texts among the options.
    """

    def get(name: str) -> t.Any:
        value, origin = plugin.get_option_and_origin(name)
        value = str(template(value)) if isinstance(value, str) else value
        if value not in (None, "") and _is_users(origin):
            return value
        if plugin.plugin_type == "connection" and name == _SECRETS[client.name]:
            known = _tokens.get((client.name, str(plugin.get_option("inventory_source"))))
            if known is not None:
                return known
        return _fallback(client.arguments.options[name], None if value == "" else value)

    return get


def connection_variables(plugin: t.Any, client: Client, get: GetOption, source: str) -> dict[str, t.Any]:
    """The variables that let the hosts of an inventory be reached as the inventory itself reached the platform.

    Of its options, those that the user set other than by the environment. The token is not among them: it is kept in
    memory for the connections of this run, and the variables name the inventory, source. get: from options_of().
    """
    prefix = f"ansible_{client.name.lower()}_"
    known: dict[str, t.Any] = {}
    for name in client.arguments.options:
        if name == "in_process" or not _is_users(plugin.get_option_and_origin(name)[1]):
            continue
        value = get(name)
        if name != _SECRETS[client.name]:
            known[prefix + name] = value
        elif value:
            _tokens[client.name, source] = str(value)
            known[f"{prefix}inventory_source"] = source
    return known


def _is_users(origin: t.Any) -> bool:
    """Whether a value was given to this plugin, and not to whatever reads the environment."""
    return origin not in (None, "default") and not str(origin).startswith("env:")


def _fallback(specification: t.Mapping[str, t.Any], value: t.Any) -> t.Any:
    """What an option is that the user did not set: from the environment as for modules, or its default."""
    if "fallback" not in specification:
        return value
    look_up, variables = specification["fallback"]
    try:
        return look_up(*variables)
    except AnsibleFallbackNotFound:
        return specification.get("default")
