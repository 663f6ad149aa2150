# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes such as 512M or 10GB."""

from __future__ import annotations

import re

_SIZE = re.compile(r"([0-9]+)(?:([bkmgtp])|([kmgtp])b)", re.IGNORECASE)
_POWERS: dict[str, int] = {unit: 1024**power for power, unit in enumerate("bkmgtp")}
_MEGABYTE = 1024**2


def megabytes(size: object) -> int:
    """Return a DataSize in MB, rounded up. Raises ValueError."""
    found = _SIZE.fullmatch(size) if isinstance(size, str) and size.isascii() else None
    if found is None:
        raise ValueError(f"not a size: {size!r}")
    amount = int(found[1]) * _POWERS[(found[2] or found[3]).lower()]
    return -(-amount // _MEGABYTE)
