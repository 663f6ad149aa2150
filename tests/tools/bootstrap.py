# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the environment that holds nox and uv, and goes on in it; or removes all that was made.

Standard library only: this is the first thing `make` runs. Usage: `python bootstrap.py COMMAND`, where `clean` removes
the work folder and any other command is one of tests/tools/main.py.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

TOOLS = Path(__file__).resolve().parent
ROOT = TOOLS.parents[1]
REQUIREMENTS = ROOT / "tests" / "requirements" / "boot.txt"


def suits(folder: Path) -> bool:
    """Whether environments work below a folder: their scripts begin with `#!` and its path, which takes no blank.

    Systems cut that line, the strictest after 127 characters.
    """
    return re.fullmatch(r"[\w./+@,=~-]{1,70}", str(folder)) is not None


def work_folder(root: Path) -> Path:
    """Where everything is made: `.cache` of the checkout, or a folder of the user's cache if that is unsuitable."""
    usual = root / ".cache"
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    elsewhere = caches / f"quayside-paas-{hashlib.sha256(str(root).encode()).hexdigest()[:12]}"
    return elsewhere if suits(elsewhere) and not suits(usual) else usual


WORK = work_folder(ROOT)
BOOT = WORK / "boot"


def fingerprint() -> str:
    """What the environment depends on: interpreter, place (scripts hold absolute paths) and requirements."""
    parts = [sys.version, sys.base_prefix, str(BOOT), REQUIREMENTS.read_text(encoding="utf-8")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def ensure_boot() -> Path:
    """Make the environment unless it is up to date. Returns its interpreter; raises CalledProcessError."""
    python = BOOT / "bin" / "python"
    stamp = BOOT / ".complete"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == fingerprint():
        return python
    print(f"preparing {BOOT} (nox, uv)", flush=True)
    shutil.rmtree(BOOT, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(BOOT)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--quiet", "-r", str(REQUIREMENTS)], check=True)
    stamp.write_text(fingerprint(), encoding="utf-8")
    return python


def main() -> NoReturn:
    """Replace this process by the command in the environment, so that signals reach it directly."""
    if sys.argv[1:] == ["clean"]:
        shutil.rmtree(WORK, ignore_errors=True)
        sys.exit(0)
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    os.environ.clear()
    os.environ.update(environment, PYTHONUNBUFFERED="1")
    try:
        python = ensure_boot()
    except subprocess.CalledProcessError as error:
        sys.exit(f"cannot prepare {BOOT}: {error}")
    os.execv(python, [str(python), str(TOOLS / "main.py"), *sys.argv[1:]])


if __name__ == "__main__":
    main()
