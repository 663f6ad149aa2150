# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Does what Galaxy does with an uploaded archive; warnings count as errors. Usage: `check_package.py FOLDER`.

Runs in the environment of tests/requirements/package.txt.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def check_import(folder: Path) -> list[str]:
    """Import the archive in a folder. Returns what is wrong: errors, and warnings too."""
    archives = list(folder.glob("*.tar.gz"))
    if len(archives) != 1:
        return [f"{folder} holds {len(archives)} archives"]
    command = [sys.executable, "-m", "galaxy_importer.main", str(archives[0])]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, cwd=folder)
    print(done.stdout)
    wrong = [line for line in done.stdout.splitlines() if re.match(r"(WARNING|ERROR|CRITICAL)\b", line)]
    return wrong or ([f"exit code {done.returncode}"] if done.returncode else [])


def main() -> int:
    """Check the archive in the folder that the first argument names. Returns 1 if something is wrong."""
    wrong = check_import(Path(sys.argv[1]))
    print(*(f"wrong: {line}" for line in wrong), sep="\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
