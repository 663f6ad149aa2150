# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cycle, as far as its published OpenAPI description, its documentation and its official clients describe it."""

from __future__ import annotations

from .platform import Cycle
from .settings import Settings
from .streams import Stream

__all__ = ["Cycle", "Settings", "Stream"]
