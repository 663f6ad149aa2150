# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of inventories and connections: as modules take them from the environment, tokens in memory alone."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.quayside.paas.plugins.module_utils._cycle.api import Cycle
from ansible_collections.quayside.paas.plugins.module_utils._northflank.api import Northflank
from ansible_collections.quayside.paas.plugins.plugin_utils import _options
from ansible_collections.quayside.paas.plugins.plugin_utils._options import connection_variables, options_of

DEFAULTS: dict[str, Any] = {"timeout": 30, "retry_budget": 120, "validate_certs": True, "ca_path": None}


class Plugin:
    """A plugin whose options were set as named: by its file, the environment, variables, or not at all."""

    def __init__(self, kind: str, **options: tuple[Any, str | None]) -> None:
        self.plugin_type = kind
        self._options = {name: (value, "default") for name, value in DEFAULTS.items()} | options

    def get_option_and_origin(self, name: str) -> tuple[Any, str | None]:
        return self._options.get(name, (None, "default"))

    def get_option(self, name: str) -> Any:
        return self.get_option_and_origin(name)[0]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_options, "_tokens", {})
    for client in (Northflank, Cycle):
        for option in client.arguments.options.values():
            for variable in option["fallback"][1] if "fallback" in option else ():
                monkeypatch.delenv(variable, raising=False)


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTHFLANK_API_TOKEN", "")
    monkeypatch.setenv("NF_API_TOKEN", "second")
    monkeypatch.setenv("NORTHFLANK_API_BASE_URL", "")
    get = options_of(Plugin("inventory", api_token=("", "env: NF"), api_url=("", "env: NF_HOST")), Northflank)
    assert get("api_token") == "second"
    assert get("api_url") == "https://api.northflank.com"
    assert get("team_id") is None


def test_the_first_variable_counts_as_it_does_for_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTHFLANK_API_TOKEN", "first")
    monkeypatch.setenv("NF_API_TOKEN", "second")
    # Ansible's own rule is that the last one counts.
    assert (
        options_of(Plugin("inventory", api_token=("second", "env: NF_API_TOKEN")), Northflank)("api_token") == "first"
    )


def test_the_team_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTHFLANK_TEAM_ID", "ours")
    plugin = Plugin("inventory", team_id=("ours", "env: NORTHFLANK_TEAM_ID"))
    get = options_of(plugin, Northflank)
    assert get("team_id") == "ours"
    # Hosts find it where the inventory found it.
    assert "ansible_northflank_team_id" not in connection_variables(plugin, Northflank, get, "/my.northflank.yml")
    assert options_of(Plugin("connection"), Northflank)("team_id") == "ours"
    monkeypatch.setenv("NORTHFLANK_TEAM_ID", "")
    assert options_of(Plugin("inventory", team_id=("", "env: NORTHFLANK_TEAM_ID")), Northflank)("team_id") is None


def test_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLE_API_KEY", "from-environment")
    plugin = Plugin("connection", api_key=("from-variable", "var: ansible_cycle_api_key"))
    assert options_of(plugin, Cycle)("api_key") == "from-variable"


def test_texts_are_templated_and_numbers_are_not() -> None:
    plugin = Plugin("inventory", api_token=("{{ token }}", "Direct"), timeout=(7, "Direct"))
    get = options_of(plugin, Northflank, template=lambda text: text.replace("{{ token }}", "told"))
    assert get("api_token") == "told"
    assert get("timeout") == 7


def test_a_template_that_gives_nothing_leaves_it_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NF_API_TOKEN", "from-environment")
    get = options_of(Plugin("inventory", api_token=("{{ x }}", "Direct")), Northflank, template=lambda _text: "")
    assert get("api_token") == "from-environment"


def test_the_token_of_an_inventory_file_stays_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTHFLANK_API_TOKEN", "from-environment")
    files = {name: Plugin("inventory", api_token=(f"token-{name}", "Direct")) for name in ("one", "two")}
    for name, plugin in files.items():
        told = connection_variables(plugin, Northflank, options_of(plugin, Northflank), f"/{name}.northflank.yml")
        assert told == {"ansible_northflank_inventory_source": f"/{name}.northflank.yml"}
    for name in files:
        source = (f"/{name}.northflank.yml", "var: ansible_northflank_inventory_source")
        assert options_of(Plugin("connection", inventory_source=source), Northflank)("api_token") == f"token-{name}"
    # Neither the connections of other hosts nor other inventories get it.
    for kind in ("connection", "inventory"):
        assert options_of(Plugin(kind), Northflank)("api_token") == "from-environment"


def test_a_key_is_no_token_of_the_other_platform() -> None:
    plugin = Plugin("inventory", api_key=("key", "Direct"))
    connection_variables(plugin, Cycle, options_of(plugin, Cycle), "/same.yml")
    source = ("/same.yml", "var: ansible_northflank_inventory_source")
    assert options_of(Plugin("connection", inventory_source=source), Northflank)("api_token") is None


def test_hosts_are_reached_as_the_inventory_reached_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYCLE_API_KEY", "from-environment")
    monkeypatch.setenv("CYCLE_HUB_ID", "hub-of-the-environment")
    plugin = Plugin(
        "inventory",
        api_key=("from-environment", "env: CYCLE_API_KEY"),
        hub_id=("hub-of-the-environment", "env: CYCLE_HUB_ID"),
        api_url=("https://api.core.cycle.io", "Direct"),
        validate_certs=(False, "Direct"),
        timeout=(7, "Direct"),
    )
    assert connection_variables(plugin, Cycle, options_of(plugin, Cycle), "/my.cycle.yml") == {
        "ansible_cycle_api_url": "https://api.core.cycle.io",
        "ansible_cycle_validate_certs": False,
        "ansible_cycle_timeout": 7,
    }
