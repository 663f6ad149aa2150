# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to the collection quayside.paas: its names may change in any release.

"""The Python libraries that the collection needs besides Ansible, and the error for one that is missing."""

from __future__ import annotations

import shlex
import sys

from ._errors import MissingLibraryError

# The lines of requirements.txt, which a module that runs on another host does not have at hand.
REQUIREMENTS = {"requests": "requests>=2.28.0", "websocket-client": "websocket-client>=1.6.0"}


def missing_libraries(*names: str) -> MissingLibraryError:
    """Return the error for libraries that cannot be imported, with the command that installs them.

    Args:
        names: Keys of REQUIREMENTS.
    """
    command = [sys.executable, "-m", "pip", "install", *(REQUIREMENTS[name] for name in names)]
    return MissingLibraryError(
        f"Cannot import required Python libraries ({', '.join(names)}). Install them with: {shlex.join(command)}"
    )
