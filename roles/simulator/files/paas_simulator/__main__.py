# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m paas_simulator``."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        from .cli import main

        sys.exit(main())
    except ModuleNotFoundError as exc:
        if (exc.name or "").startswith("paas_simulator"):
            raise
        sys.exit(f"paas_simulator: the Python package {exc.name} is missing in {sys.prefix}")
