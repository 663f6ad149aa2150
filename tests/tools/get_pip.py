# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the get-pip.py that ansible-test downloads from a host that need not be reachable.

ansible-test finds it in its cache folder and runs it in an environment without pip, with pip's install arguments.
"""

from __future__ import annotations

import subprocess
import sys


def main() -> None:
    """Install pip from the interpreter's own copy, then what was asked for from the package index."""
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
    subprocess.check_call([sys.executable, "-m", "pip", "install", *arguments])


if __name__ == "__main__":
    main()
