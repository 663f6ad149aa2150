# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator of hosting platforms: real HTTP, kept state, a clock that tests can move, faults on demand."""

from __future__ import annotations

__version__ = "0.1.0"
