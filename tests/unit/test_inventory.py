# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventories of both platforms share: names, options, cache, facts and groups."""

from __future__ import annotations

import json
import re
import textwrap
import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing import vault
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.inventory import northflank
from ansible_collections.quayside.paas.plugins.module_utils._errors import ApiError, PaasError
from ansible_collections.quayside.paas.plugins.module_utils._hosts import Found, Host
from ansible_collections.quayside.paas.plugins.module_utils._northflank.api import Northflank
from ansible_collections.quayside.paas.plugins.plugin_utils import _options
from ansible_collections.quayside.paas.plugins.plugin_utils._inventory import TAKEN, host_names, packed, unpacked
from unit.definitions import define_options
from unit.fakes import TOKEN

NAME = "quayside.paas.northflank"
ODD = "{{ 7*7 }}"


def host(name: str, identity: str | None = None, **facts: t.Any) -> Host:
    """A host of a kind and project that tests do not care about."""
    return Host(
        name=name,
        identity=identity or name,
        facts={"kind": "addon", "project": {"id": "shop"}, "container": {"name": name}, **facts},
        connection={"ansible_host": name, "ansible_northflank_kind": "addon"},
        groups=["kind_addon", "project_web-shop"],
    )


# Names


@pytest.mark.parametrize(
    ("name", "usable"),
    [
        ("example-service-78b4d4459d-sbtn8", "example-service-78b4d4459d-sbtn8"),
        ("db_0.shop", "db_0.shop"),
        ("Zürich-0", "Zürich-0"),
        (ODD, "___7_7___"),
        ("a,b:c[1] d*e?f", "a_b_c_1__d_e_f"),
        ("!all", "_all"),
        ("&all", "_all"),
        ("~all", "_all"),
        ("@file", "_file"),
        ("-v", "_v"),
        ("../../etc", "_._.._etc"),
        ("..", "_."),
        ("a/b\\c\n\x1b[0m\ud800", "a_b_c___0m_"),
    ],
)
def test_what_ansible_cannot_use_in_a_name(name: str, usable: str) -> None:
    assert host_names([(name, "identity")]) == [usable]


@pytest.mark.parametrize("name", ["all", "ungrouped", "localhost", "127.0.0.1", "my_group"])
def test_names_that_mean_something_else(name: str) -> None:
    (changed,) = host_names([(name, "identity")], {*TAKEN, "my_group"})
    assert re.fullmatch(rf"{re.escape(name)}_[0-9a-f]{{12}}", changed)


def test_an_empty_name() -> None:
    assert re.fullmatch(r"host_[0-9a-f]{12}", host_names([("", "identity")])[0])


def test_none_of_several_keeps_the_name_that_all_have() -> None:
    names = host_names([("db-0", "shop/db"), ("web-0", "shop/web"), ("db-0", "lab/db"), ("db 0", "x"), ("db_0", "y")])
    assert names[1] == "web-0"
    assert len(set(names)) == 5
    for name, of in zip((names[0], *names[2:]), ("db-0", "db-0", "db_0", "db_0"), strict=True):
        assert re.fullmatch(rf"{of}_[0-9a-f]{{12}}", name)


def test_a_name_that_looks_like_a_changed_one_gives_way() -> None:
    first, _second = host_names([("a", "1"), ("a", "2")])
    names = host_names([("a", "1"), ("a", "2"), (first, "3")])
    assert len(set(names)) == 3
    assert names[0] == first
    assert names[2].startswith(f"{first}_")


SOME = st.sampled_from(["a", "b", "a b", "a_b", "", "all", "host", "-", "group"]) | st.text(max_size=4)
ESTATES = st.lists(SOME, max_size=12).flatmap(
    lambda names: st.permutations([(name, f"id/{number}") for number, name in enumerate(names)])
)


@given(estate=ESTATES, shuffled=st.randoms(use_true_random=False))
def test_names_are_whole_different_and_do_not_depend_on_the_order(
    estate: list[tuple[str, str]], shuffled: t.Any
) -> None:
    taken = {*TAKEN, "group"}
    names = host_names(estate, taken)
    assert len(set(names)) == len(estate)
    assert all(re.fullmatch(r"\w[\w.-]*", name) and name not in taken for name in names)
    other = list(estate)
    shuffled.shuffle(other)
    assert dict(zip(other, host_names(other, taken), strict=True)) == dict(zip(estate, names, strict=True))


@given(estate=ESTATES, more=SOME)
def test_another_host_never_takes_over_a_name(estate: list[tuple[str, str]], more: str) -> None:
    before = dict(zip(host_names(estate), estate, strict=True))
    grown = [*estate, (more, "id/another")]
    after = dict(zip(host_names(grown), grown, strict=True))
    assert all(after[name] == bearer for name, bearer in before.items() if name in after)


# The plugin, with a platform that is made up


def found_or_failure(found: t.Any) -> Found:
    """What the platform has; raises it when that is an error."""
    if isinstance(found, PaasError):
        raise found
    return t.cast("Found", found)


class Inventory:
    """Parses inventory files one after the other.

    found: what the platform has. reads: how often it was read. told: what was shown, by kind. data: what came of it.
    options: as the last plugin had them.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "my.northflank.yml"
        self.found: Found | Exception = Found()
        self.reads = 0
        self.told: list[tuple[str, str]] = []
        self.options: dict[str, t.Any] = {}
        self.data = InventoryData()
        self.loader = DataLoader()

    def parse(
        self, text: str = "", *hosts: Host, cache: bool = True, keep: bool = False
    ) -> dict[str, dict[str, t.Any]]:
        """Parses a file with this text, where the platform has these hosts; the variables of each host by name.

        keep: what other sources have put there.
        """
        self.path.write_text(f"plugin: {NAME}\n{textwrap.dedent(text)}\n", encoding="utf-8")
        if hosts:
            self.found = Found(list(hosts))
        self.data = self.data if keep else InventoryData()
        plugin = self._plugin()
        plugin.parse(self.data, self.loader, str(self.path), cache=cache)
        if plugin.get_option("cache"):
            plugin.update_cache_if_changed()  # as Ansible does after parse()
        names = ("api_token", "api_url", "projects", "concurrency", "backups")
        self.options = {name: plugin.get_option(name) for name in names}
        return {name: one.vars for name, one in self.data.hosts.items()}

    def groups(self) -> dict[str, list[str]]:
        """The hosts of each group."""
        return {name: [one.name for one in group.hosts] for name, group in self.data.groups.items() if group.hosts}

    def warnings(self) -> list[str]:
        """What the user was warned about."""
        return [text for kind, text in self.told if kind == "warning"]

    def _plugin(self) -> t.Any:
        plugin = type(
            "InventoryModule", (northflank.InventoryModule,), {"read": lambda _self, client: self._read(client)}
        )()
        plugin._load_name = plugin.ansible_name = NAME
        plugin._redirected_names = [NAME]
        plugin.display = mock.Mock()
        for kind in ("warning", "v", "vv", "vvv"):
            getattr(plugin.display, kind).side_effect = lambda text, kind=kind: self.told.append((kind, text))
        return plugin

    def _read(self, client: t.Any) -> Found:
        assert isinstance(client, Northflank)
        self.reads += 1
        return found_or_failure(self.found)


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inventory:
    monkeypatch.setattr(_options, "_tokens", {})
    monkeypatch.setenv("NF_API_TOKEN", TOKEN)
    define_options("inventory", NAME, northflank.DOCUMENTATION)
    return Inventory(tmp_path)


def rendered(text: str, variables: dict[str, t.Any]) -> t.Any:
    """A template of a playbook with the variables of a host."""
    from ansible.template import Templar

    try:
        from ansible.template import trust_as_template
    except ImportError:  # ansible-core 2.18
        return Templar(loader=DataLoader(), variables=variables).template(text)
    return Templar(loader=DataLoader(), variables=variables).template(trust_as_template(text))


@pytest.mark.parametrize(
    ("name", "is_ours"),
    [
        ("my.northflank.yml", True),
        ("my.northflank.yaml", True),
        ("northflank.yml", False),
        ("my.cycle.yml", False),
        ("my.northflank.json", False),
    ],
)
def test_the_name_of_the_file_says_whose_it_is(inventory: Inventory, name: str, is_ours: bool) -> None:
    path = inventory.path.with_name(name)
    path.write_text("", encoding="utf-8")
    assert inventory._plugin().verify_file(str(path)) is is_ours
    assert not inventory._plugin().verify_file(str(path.with_name(f"absent.{name}")))


def test_facts_groups_and_the_connection(inventory: Inventory) -> None:
    variables = inventory.parse("api_url: https://nf.example.com\ntimeout: 7", host("db-0"))["db-0"]
    assert {name: value for name, value in variables.items() if not name.startswith("inventory_")} == {
        "northflank_kind": "addon",
        "northflank_project": {"id": "shop"},
        "northflank_container": {"name": "db-0"},
        "ansible_connection": "quayside.paas.northflank_exec",
        "ansible_host": "db-0",
        "ansible_northflank_kind": "addon",
        "ansible_northflank_api_url": "https://nf.example.com",
        "ansible_northflank_timeout": 7,
    }
    assert inventory.groups() == {"northflank_kind_addon": ["db-0"], "northflank_project_web_shop": ["db-0"]}


def test_what_can_be_turned_off_or_named_otherwise(inventory: Inventory) -> None:
    text = "prefix: nf_\nconnection: false\nbuiltin_groups: false"
    variables = inventory.parse(text, host("db-0"))["db-0"]
    assert {name for name in variables if not name.startswith("inventory_")} == {
        "nf_kind",
        "nf_project",
        "nf_container",
    }
    assert not inventory.groups()


def test_the_token_of_the_file_is_not_among_the_variables(inventory: Inventory) -> None:
    variables = inventory.parse(f"api_token: {TOKEN}x", host("db-0"))
    assert variables["db-0"]["ansible_northflank_inventory_source"] == str(inventory.path)
    assert TOKEN not in repr(variables)
    assert list(_options._tokens.values()) == [f"{TOKEN}x"]


def test_no_text_of_the_platform_is_a_template(inventory: Inventory) -> None:
    odd = host(ODD, project={"id": ODD, "labels": {ODD: [ODD, {"x": ODD}]}})
    text = """
        compose:
          plain: northflank_container.name
        keyed_groups:
          - key: northflank_project.id
            prefix: project
    """
    (variables,) = inventory.parse(text, odd).values()
    for name in ("northflank_container.name", "northflank_project.id", "ansible_host", "plain"):
        assert rendered("{{ " + name + " }}", variables) == ODD
    assert rendered("{{ northflank_project.labels.values() | first | first }}", variables) == ODD
    assert "49" not in json.dumps(variables)
    assert inventory.groups()["project____7_7___"] == ["___7_7___"]


def test_changed_names_are_told(inventory: Inventory) -> None:
    hosts = [host(f"a {number}", f"id/{number}") for number in range(11)]
    names = list(inventory.parse("", *hosts, host("fine")))
    assert names == [*(f"a_{number}" for number in range(11)), "fine"]
    (warning,) = inventory.warnings()
    assert "'a 0' is a_0, 'a 1' is a_1" in warning
    assert warning.endswith("'a 9' is a_9 and 1 more (shown with -vv).")
    assert ("vv", "Changed name: 'a 10' is a_10") in inventory.told


def test_no_host_has_the_name_of_a_group(inventory: Inventory) -> None:
    variables = inventory.parse("", host("northflank_kind_addon"), host("db-0"))
    (changed, other) = variables
    assert re.fullmatch(r"northflank_kind_addon_[0-9a-f]{12}", changed)
    assert inventory.groups()["northflank_kind_addon"] == [changed, other]
    assert variables[changed]["ansible_host"] == "northflank_kind_addon"


def test_variables_are_those_of_the_host_though_a_group_gets_its_name(inventory: Inventory) -> None:
    text = """
        compose:
          composed: northflank_container.name
        keyed_groups:
          - key: "'db_1'"
            separator: ''
    """
    variables = inventory.parse(text, host("db_0"), host("db_1"))
    assert variables["db_1"]["composed"] == variables["db_1"]["northflank_container"]["name"] == "db_1"
    assert not inventory.data.groups["db_1"].vars


def test_hosts_of_one_name_from_two_sources_are_two(inventory: Inventory) -> None:
    inventory.parse("", host("db-0", "addon/ours/shop/db"))
    variables = inventory.parse("", host("db-0", "addon/theirs/shop/db", project={"id": "theirs"}), keep=True)
    first, second = variables
    assert first == "db-0"
    assert re.fullmatch(r"db-0_[0-9a-f]{12}", second)
    assert [variables[name]["northflank_project"]["id"] for name in (first, second)] == ["shop", "theirs"]
    assert "'db-0' is db-0_" in inventory.warnings()[0]


def test_a_host_that_two_sources_have_is_one(inventory: Inventory) -> None:
    inventory.parse("", host("db-0"))
    assert list(inventory.parse("", host("db-0"), keep=True)) == ["db-0"]
    assert not inventory.warnings()


def test_variables_from_elsewhere_join_those_of_the_host(inventory: Inventory) -> None:
    inventory.data.add_host("db-0")
    inventory.data.set_variable("db-0", "mine", 1)
    variables = inventory.parse("", host("db-0"), keep=True)
    assert (variables["db-0"]["mine"], variables["db-0"]["northflank_kind"]) == (1, "addon")


# Names by template


def test_a_template_gives_the_name(inventory: Inventory) -> None:
    text = 'hostname: "{{ northflank_project.id }}.{{ northflank_container.name | upper }}"'
    assert list(inventory.parse(text, host("db-0"), host(ODD))) == ["shop.DB-0", "shop.___7_7___"]


def test_where_the_template_fails_the_usual_name_stands_in(inventory: Inventory) -> None:
    text = 'hostname: "{{ northflank_service.id }}-0"'
    assert list(inventory.parse(text, host("db-0"), host("web-0", service={"id": "web"}))) == ["db-0", "web-0"]
    (warning,) = inventory.warnings()
    assert warning.startswith("The template of the option hostname cannot be rendered for 'db-0': ")
    assert warning.endswith("Its usual name is used.")
    with pytest.raises(AnsibleParserError, match="cannot be rendered for 'db-0'"):
        inventory.parse(f"{text}\nstrict: true")


def test_constructed_groups(inventory: Inventory) -> None:
    text = """
        compose:
          size: northflank_disk.gb * 2
        groups:
          big: size | int > 5
        keyed_groups:
          - key: northflank_disk.kind
            prefix: disk
    """
    big, small = (host(f"db-{gb}", disk={"gb": gb, "kind": kind}) for gb, kind in ((3, "ssd"), (1, "hdd")))
    variables = inventory.parse(text, big, small, host("none"))
    assert int(variables["db-3"]["size"]) == 6  # a text on ansible-core 2.18
    assert "size" not in variables["none"]
    groups = inventory.groups()
    assert (groups["big"], groups["disk_ssd"], groups["disk_hdd"]) == (["db-3"], ["db-3"], ["db-1"])
    with pytest.raises(Exception, match="Could not set size for host none"):
        inventory.parse(f"strict: true\n{textwrap.dedent(text)}")


# Options


def test_options_may_be_templates(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "token-of-the-environment")
    text = """
        api_token: "{{ lookup('env', 'SOME_TOKEN') }}"
        api_url: "https://{{ 'nf' }}.example.com"
        projects: "{{ ['web-shop', 'a,b'] }}"
        concurrency: "{{ 2 + 3 }}"
        backups: "{{ 'yes' }}"
    """
    variables = inventory.parse(text, host("db-0"))
    assert inventory.options == {
        "api_token": "token-of-the-environment",
        "api_url": "https://nf.example.com",
        "projects": ["web-shop", "a,b"],
        "concurrency": 5,
        "backups": True,
    }
    assert variables["db-0"]["ansible_northflank_api_url"] == "https://nf.example.com"
    inventory.parse("projects: [\"{{ 'web' }}-shop\", lab]")
    assert inventory.options["projects"] == ["web-shop", "lab"]


def test_what_an_environment_variable_holds_is_no_template(
    inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_URL", "https://example.com/{{7*7}}")
    inventory.parse("api_url: \"{{ lookup('env', 'SOME_URL') }}\"")
    assert inventory.options["api_url"] == "https://example.com/{{7*7}}"


def test_options_may_be_vaulted(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = VaultSecret(b"password")
    inventory.loader.set_vault_secrets([("default", secret)])
    context = getattr(vault, "VaultSecretsContext", None)
    if context is not None:  # from ansible-core 2.19
        monkeypatch.setattr(context, "_current", context([("default", secret)]))
    text = VaultLib([("default", secret)]).encrypt("token-of-the-vault", secret).decode()
    inventory.parse("api_token: !vault |\n" + textwrap.indent(text, "  "), host("db-0"))
    assert list(_options._tokens.values()) == ["token-of-the-vault"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("api_url: '{{ nowhere }}'", "^The template of the option api_url cannot be rendered: .*nowhere"),
        ("api_url: '{{ broken'", "^The template of the option api_url cannot be rendered: "),
        ("prefix: my-", "^The option prefix is 'my-': variables begin with it"),
        ("concurrency: 33", "^The option concurrency is 33; it has to be from 1 to 32"),
        ("api_url: northflank.example.com", "^The option api_url has to be a URL"),
        ("kinds: [addons]", "addons"),
    ],
)
def test_options_that_cannot_be_right(inventory: Inventory, text: str, message: str) -> None:
    with pytest.raises(Exception, match=message) as caught:
        inventory.parse(text, host("db-0"))
    assert type(caught.value).__module__ == "ansible.errors"
    assert not inventory.reads


def test_an_error_of_the_platform_is_one_message(inventory: Inventory) -> None:
    inventory.found = ApiError("GET /v1/projects failed with status 401.")
    with pytest.raises(AnsibleParserError, match=r"^GET /v1/projects failed with status 401\.$"):
        inventory.parse("")


def test_the_client_is_closed_whatever_happens(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = mock.Mock()
    monkeypatch.setattr(Northflank, "close", closed)
    inventory.found = ApiError("Out of order.")
    with pytest.raises(AnsibleParserError):
        inventory.parse("")
    inventory.parse("", host("db-0"))
    assert closed.call_count == 2


def test_warnings_and_notes_are_shown(inventory: Inventory) -> None:
    inventory.found = Found([host("db-0")], ["Something is missing."], ["Something is gone."])
    assert list(inventory.parse("")) == ["db-0"]
    assert inventory.told == [("warning", "Something is missing."), ("v", "Something is gone.")]


# The cache


def caching(inventory: Inventory, more: str = "") -> str:
    folder = inventory.path.parent / "cache"
    return f"api_token: {TOKEN}\ncache: true\ncache_plugin: jsonfile\ncache_connection: {folder}\n{more}"


def cached(inventory: Inventory) -> str:
    """What is in the cache, as text."""
    (path,) = (inventory.path.parent / "cache").iterdir()
    return path.read_text(encoding="utf-8")


def test_the_second_run_does_not_ask(inventory: Inventory) -> None:
    shared = {"id": "shop", "name": ODD}
    hosts = [host(ODD, "1", project=shared), host("db-0", "2", project=shared, none=None)]
    first = inventory.parse(caching(inventory), *hosts)
    groups = inventory.groups()
    assert inventory.parse(caching(inventory)) == first
    assert inventory.groups() == groups
    assert inventory.reads == 1
    assert rendered("{{ northflank_project.name }}", first["db-0"]) == ODD
    assert TOKEN not in cached(inventory)
    json.loads(cached(inventory))


def test_what_does_not_change_what_is_read_may_change(inventory: Inventory) -> None:
    inventory.parse(caching(inventory), host("db-0"))
    text = "prefix: nf_\nconnection: false\nhostname: '{{ nf_project.id }}'"
    variables = inventory.parse(caching(inventory, text))
    assert inventory.reads == 1
    assert list(variables) == ["shop"]
    assert "ansible_host" not in variables["shop"]


@pytest.mark.parametrize("more", ["projects: [lab]", "team_id: ours", "api_url: https://other.example.com"])
def test_other_questions_are_asked_anew(inventory: Inventory, more: str) -> None:
    inventory.parse(caching(inventory), host("db-0"))
    assert list(inventory.parse(caching(inventory, more), host("other-0"))) == ["other-0"]
    assert list(inventory.parse(caching(inventory, more), host("not-read"))) == ["other-0"]
    assert inventory.reads == 2


def test_a_flush_asks_and_rewrites_the_cache(inventory: Inventory) -> None:
    inventory.parse(caching(inventory), host("old-0"))
    assert list(inventory.parse(caching(inventory), host("new-0"), cache=False)) == ["new-0"]
    assert list(inventory.parse(caching(inventory), host("not-read"))) == ["new-0"]
    assert inventory.reads == 2


def test_an_incomplete_list_is_not_kept_nor_is_the_one_before(inventory: Inventory) -> None:
    inventory.parse(caching(inventory), host("db-0"), host("web-0"))
    inventory.found = Found([host("db-0")], ["The containers of web could not be read."])
    assert list(inventory.parse(caching(inventory), cache=False)) == ["db-0"]
    assert "db-0" not in cached(inventory)
    assert list(inventory.parse(caching(inventory), host("db-0"), host("web-0"))) == ["db-0", "web-0"]
    assert inventory.reads == 3


def test_a_broken_cache_is_read_anew(inventory: Inventory) -> None:
    inventory.parse(caching(inventory), host("db-0"))
    (path,) = (inventory.path.parent / "cache").iterdir()
    path.write_text("{broken", encoding="utf-8")
    assert list(inventory.parse(caching(inventory))) == ["db-0"]
    assert inventory.reads == 2
    assert any("cache" in warning for warning in inventory.warnings())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(facts=st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES), max_size=4), shared=VALUES)
def test_hosts_pass_through_the_cache_unchanged(facts: list[dict[str, t.Any]], shared: t.Any) -> None:
    hosts = [host("x", str(number), **one, shared=shared) for number, one in enumerate(facts)]
    stored = json.loads(json.dumps(packed(hosts)))
    assert unpacked(stored["hosts"], stored["facts"]) == hosts
