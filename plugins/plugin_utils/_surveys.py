# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""Answers to surveys of AWX, which knows no lists."""

from __future__ import annotations

import re
import typing as t


def as_list(value: t.Any) -> list[str]:
    """A list of texts, or a text of words with commas, blanks or line breaks in between, as a survey gives it.

    A single word of digits may come as a number.
    """
    found = value if isinstance(value, (list, tuple)) else re.split(r"[\s,]+", "" if value is None else str(value))
    return [str(one) for one in found if one not in ("", None)]
