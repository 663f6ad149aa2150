# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of hypothesis for all suites: the same examples in every run, no limit of time; NIGHTLY tries more."""

from __future__ import annotations

import hypothesis

from support.settings import NIGHTLY


def load() -> None:
    """Make these settings the default."""
    hypothesis.settings.register_profile(
        "suites",
        database=None,
        deadline=None,
        derandomize=not NIGHTLY,
        max_examples=300 if NIGHTLY else 25,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("suites")
