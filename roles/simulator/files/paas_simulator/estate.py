# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate file: what a simulator has at its start."""

from __future__ import annotations

from pathlib import Path

import yaml

from .messages import Record

SHIPPED_ESTATE = Path(__file__).with_name("estate.yml")


class EstateError(Exception):
    """The estate file cannot be used."""


def load_estate(path: Path | None = None) -> Record:
    """Read an estate file. Raises EstateError."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    source = path or SHIPPED_ESTATE
    try:
        estate = yaml.load(source.read_text(encoding="utf-8"), Loader=loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise EstateError(f"{source}: {exc}") from exc
    if not isinstance(estate, dict) or not _sections(estate):
        raise EstateError(f"{source}: not an estate: a mapping with the keys northflank, cycle or both is expected")
    return estate


def _sections(estate: Record) -> bool:
    """Say whether there is at least one platform, and all there are can be looked into."""
    found = [estate[name] for name in ("northflank", "cycle") if name in estate]
    return bool(found) and all(isinstance(section, dict) for section in found)
