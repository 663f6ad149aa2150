# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventories of both platforms share: options, cache, names of hosts, facts, groups.

A plugin names its client, its connection and the options that decide what is read, and reads:

    class InventoryModule(PaasInventory):
        NAME = "quayside.paas.northflank"
        client = Northflank
        connection = "quayside.paas.northflank_exec"
        selecting = ("kinds", "projects")

        def read(self, client: Northflank) -> Found:
            return read_hosts(client, kinds=self.get_option("kinds"), ...)

Its documentation extends quayside.paas._inventory, ansible.builtin.constructed and ansible.builtin.inventory_cache.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import typing as t
import weakref
from collections import Counter

from ansible import constants as C
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..module_utils._errors import OptionError, PaasError
from ..module_utils._hosts import Found, Host
from ..module_utils._options import GetOption, check_ranges
from ..module_utils._version import VERSION
from ._options import connection_variables, options_of

if t.TYPE_CHECKING:
    from ._options import Client

# Options whose templates are for each host, and rendered later or by Ansible itself.
FOR_EACH_HOST = frozenset({"compose", "groups", "hostname", "keyed_groups"})
# Names that mean something else to Ansible.
TAKEN = frozenset({"all", "ungrouped", *C.LOCALHOST})
DIGITS = 12  # of the hash that tells hosts of the same name apart
TOLD = 10  # changed names in one warning

# What the hosts in Ansible's memory are: two sources may have different hosts of one name.
_identities: weakref.WeakKeyDictionary[t.Any, tuple[str, str]] = weakref.WeakKeyDictionary()


class PaasInventory(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]
    """Base of both inventory plugins.

    client: the class that reads the platform. connection: the plugin that connects to the hosts. selecting: names of
    the options that decide what is read, besides the client's own.
    """

    client: t.ClassVar[Client]
    connection: t.ClassVar[str]
    selecting: t.ClassVar[tuple[str, ...]]

    def read(self, client: t.Any) -> Found:
        """The hosts that the options select, read by an instance of the plugin's client. Raises PaasError."""
        raise NotImplementedError

    def verify_file(self, path: str) -> bool:
        """Whether a file is an inventory of this plugin: its name ends in .PLATFORM.yml or .PLATFORM.yaml."""
        endings = tuple(f".{self.client.name.lower()}.{ending}" for ending in ("yml", "yaml"))
        if not path.endswith(endings):
            self.display.vvv(f"Skipping {path}: its name does not end in {' or '.join(endings)}")
            return False
        return bool(super().verify_file(path))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Adds hosts, variables and groups. Raises AnsibleParserError."""
        super().parse(inventory, loader, path, cache)
        try:
            self._read_config_data(path)
            check_ranges({"concurrency": self.get_option("concurrency")})
            _check_prefix(self.get_option("prefix"))
            get = options_of(self, self.client)
            known = connection_variables(self, self.client, get, str(path))
            self._add(self._hosts(str(path), get, cache), known)
        except PaasError as error:
            raise AnsibleParserError(error.message) from None

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        """As the base does, after the templates among the options of the file were rendered.

        Before types are checked, so that a template may give a list or a number. Raises AnsibleParserError.
        """
        if direct:
            self.templar.available_variables = self._vars or {}
            direct = {name: self._rendered(name, value) for name, value in direct.items()}
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)

    def _rendered(self, name: str, value: t.Any) -> t.Any:
        if name in FOR_EACH_HOST:
            return value
        if isinstance(value, list):
            return [self._rendered(name, inner) for inner in value]
        if not isinstance(value, str):
            return value
        try:
            return self.templar.template(value)
        except AnsibleError as error:
            raise AnsibleParserError(f"The template of the option {name} cannot be rendered: {error}") from None

    def _hosts(self, path: str, get: GetOption, may_use_cache: bool) -> list[Host]:
        """The hosts from the cache if that is wanted and holds them, else from the platform."""
        if not self.get_option("cache"):
            return self._read_platform(get).hosts
        # What stands in the cache is of use as long as the options ask for the same.
        asked = {name: self.get_option(name) for name in self.selecting}
        asked |= {name: get(name) for name in ("api_url", "team_id", "hub_id") if name in self.client.arguments.options}
        asked = json.loads(json.dumps({"collection": VERSION, **asked}))
        key = self.get_cache_key(path)
        stored = self._stored(key) if may_use_cache else {}
        if stored.get("asked") == asked:
            return unpacked(stored["hosts"], stored["facts"])
        found = self._read_platform(get)
        # Ansible writes it when the inventory is done. Nothing is kept of an incomplete list, nor of an older one.
        self._cache[key] = {} if found.warnings else {"asked": asked, **packed(found.hosts)}
        return found.hosts

    def _stored(self, key: str) -> dict[str, t.Any]:
        try:
            stored = self._cache.get(key)
        except AnsibleError as error:  # older versions of Ansible, about a file that is no JSON
            self.display.warning(f"The cache of the inventory is not used: {error}")
            return {}
        return stored if isinstance(stored, dict) else {}

    def _read_platform(self, get: GetOption) -> Found:
        client = self.client(get)
        try:
            found = self.read(client)
        finally:
            client.close()
        for warning in found.warnings:
            self.display.warning(warning)
        for note in found.notes:
            self.display.v(note)
        return found

    def _add(self, hosts: t.Sequence[Host], known: t.Mapping[str, t.Any]) -> None:
        """Puts the hosts into the inventory. known: variables that every host needs to be connected to."""
        prefix = self.get_option("prefix")
        facts = [{f"{prefix}{name}": value for name, value in host["facts"].items()} for host in hosts]
        groups = [self._groups(host) for host in hosts]
        ours = {None, *((self.NAME, host["identity"]) for host in hosts)}
        others = {name for name, one in self.inventory.hosts.items() if _identities.get(one) not in ours}
        names = self._names(hosts, facts, {*TAKEN, *self.inventory.groups, *itertools.chain(*groups), *others})
        connects = self.get_option("connection")
        for host, name, variables, its_groups in zip(hosts, names, facts, groups, strict=True):
            self.inventory.add_host(name)
            for group in its_groups:
                self.inventory.add_host(name, group=self.inventory.add_group(group))
            if connects:
                variables |= {**known, **host["connection"], "ansible_connection": self.connection}
            for variable, value in variables.items():
                self.inventory.set_variable(name, variable, value)
            _identities[self.inventory.get_host(name)] = (self.NAME, host["identity"])
        self._construct(names)

    def _construct(self, names: t.Sequence[str]) -> None:
        """compose, groups and keyed_groups. Variables first: a group of a host's name would get them in its stead."""
        strict = self.get_option("strict")
        compose, groups, keyed = (self.get_option(option) for option in ("compose", "groups", "keyed_groups"))
        for name in names if compose else ():
            self._set_composite_vars(compose, self.inventory.get_host(name).get_vars(), name, strict=strict)
        for name in names if groups or keyed else ():
            variables = self.inventory.get_host(name).get_vars()
            self._add_host_to_composed_groups(groups, variables, name, strict=strict, fetch_hostvars=False)
            self._add_host_to_keyed_groups(keyed, variables, name, strict=strict, fetch_hostvars=False)

    def _groups(self, host: Host) -> list[str]:
        if not self.get_option("builtin_groups"):
            return []
        return [self._sanitize_group_name(f"{self.get_option('prefix')}{group}") for group in host["groups"]]

    def _names(
        self, hosts: t.Sequence[Host], facts: t.Sequence[dict[str, t.Any]], taken: t.Container[str]
    ) -> list[str]:
        """The names of the hosts, with a word about those that had to be changed."""
        wanted = [self._wanted_name(host, variables) for host, variables in zip(hosts, facts, strict=True)]
        names = host_names([(name, host["identity"]) for name, host in zip(wanted, hosts, strict=True)], taken)
        changed = [f"{old!r} is {new}" for old, new in zip(wanted, names, strict=True) if old != new]
        if changed:
            more = f" and {len(changed) - TOLD} more (shown with -vv)" if len(changed) > TOLD else ""
            self.display.warning(
                "Names that several hosts have, or that Ansible cannot use, were changed as the option hostname of"
                f" {self.NAME} says: {', '.join(changed[:TOLD])}{more}."
            )
        for told in changed[TOLD:]:
            self.display.vv(f"Changed name: {told}")
        return names

    def _wanted_name(self, host: Host, variables: dict[str, t.Any]) -> str:
        template = self.get_option("hostname")
        if not template:
            return host["name"]
        self.templar.available_variables = variables
        try:
            return str(self.templar.template(template))
        except AnsibleError as error:
            told = f"The template of the option hostname cannot be rendered for {host['identity']!r}: {error}"
            if self.get_option("strict"):
                raise AnsibleParserError(told) from None
            self.display.warning(f"{told} Its usual name is used.")
            return host["name"]


def packed(hosts: t.Sequence[Host]) -> dict[str, list[t.Any]]:
    """Hosts for the cache, with the facts that they share once: several hosts hold the very same objects.

    facts: all of them. hosts: the hosts, with the place of a fact in its stead.
    """
    facts: list[t.Any] = []
    places: dict[int, int] = {}

    def place(fact: t.Any) -> int:
        if id(fact) not in places:
            places[id(fact)] = len(facts)
            facts.append(fact)
        return places[id(fact)]

    return {
        "hosts": [{**host, "facts": {name: place(fact) for name, fact in host["facts"].items()}} for host in hosts],
        "facts": facts,
    }


def unpacked(hosts: t.Sequence[t.Any], facts: t.Sequence[t.Any]) -> list[Host]:
    """The hosts that were packed."""
    return [
        t.cast("Host", {**host, "facts": {name: facts[place] for name, place in host["facts"].items()}})
        for host in hosts
    ]


def host_names(wanted: t.Sequence[tuple[str, str]], taken: t.Container[str] = TAKEN) -> list[str]:
    """The names of hosts in the inventory, in the order given: all different, none of them taken.

    wanted: the name and the identity of each host; identities are all different. The name of a host does not depend on
    the order. The rule is documented in the option hostname.
    """
    names = [usable(name) for name, _identity in wanted]
    told_apart: set[int] = set()
    while True:
        bearers = Counter(names)
        unclear = {
            index
            for index, name in enumerate(names)
            if index not in told_apart and (bearers[name] > 1 or not name or name in taken)
        }
        if not unclear:
            return names
        for index in unclear:
            digest = hashlib.sha256(wanted[index][1].encode(errors="backslashreplace")).hexdigest()[:DIGITS]
            names[index] = f"{names[index] or 'host'}_{digest}"
        told_apart |= unclear


def usable(name: str) -> str:
    """A name without what Ansible would read as a separator, a pattern, a template or a path."""
    return re.sub(r"[^\w.-]", "_", re.sub(r"^[^\w]", "_", name))


def _check_prefix(prefix: str) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", prefix):
        raise OptionError(
            f"The option prefix is {prefix!r}: variables begin with it, so it has to be made of the letters a to z,"
            " digits and underscores, and must not begin with a digit."
        )
