# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a plugin without Ansible's loader, which wants the collection to be where collections are."""

from __future__ import annotations

import importlib
import typing as t

import yaml
from ansible import constants as C


def define_options(kind: str, name: str, documentation: str) -> None:
    """Makes the options of a plugin, its fragments' too, known to Ansible."""
    C.config.initialize_plugin_configuration_definitions(kind, name, documented_options(documentation))


def documented_options(documentation: str) -> dict[str, t.Any]:
    """The options of a plugin, its fragments' too, as Ansible merges them."""
    document = yaml.safe_load(documentation)
    merged: dict[str, t.Any] = {}
    for part in (*map(_fragment, document.get("extends_documentation_fragment", [])), document):
        for option, keys in part.get("options", {}).items():
            merged.setdefault(option, {}).update(keys)
    return merged


def _fragment(name: str) -> dict[str, t.Any]:
    names = [*name.split("."), "documentation"]
    package = "ansible" if names[0] == "ansible" else f"ansible_collections.{names[0]}.{names[1]}"
    module = importlib.import_module(f"{package}.plugins.doc_fragments.{names[2]}")
    found: dict[str, t.Any] = yaml.safe_load(getattr(module.ModuleDocFragment, names[3].upper()))
    return found
