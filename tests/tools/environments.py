# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes virtual environments with uv, keeps them while their inputs stay the same, and the variables to run in them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from tools import interpreters, paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

REQUIREMENTS = paths.ROOT / "tests" / "requirements"
EE_REQUIREMENTS = paths.ROOT / "meta" / "ee-requirements.txt"
SIMULATOR_REQUIREMENTS = REQUIREMENTS / "simulator.txt"

# Whatever would make a run depend on who runs it, reach a real platform, or point git at another repository.
PRIVATE = re.compile(
    r"PYTHON(PATH|HOME|DONTWRITEBYTECODE|STARTUP|WARNINGS)|VIRTUAL_ENV|(ANSIBLE|NORTHFLANK|NF|CYCLE|PYTEST|GIT)_.*"
)


def clean(environment: Mapping[str, str], keep: str = "$^") -> dict[str, str]:
    """Return the environment without the variables of PRIVATE, but with those that match the pattern `keep`."""
    return {
        name: value for name, value in environment.items() if re.fullmatch(keep, name) or not PRIVATE.fullmatch(name)
    }


def pip_settings() -> dict[str, str]:
    """What pip is configured with on this machine, such as {"index-url": "https://…"}; empty if it cannot be told."""
    done = subprocess.run([_boot("python"), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    settings = re.findall(r"^(?:global|user|site|:env:)\.([\w-]+)='(.*)'$", done.stdout, re.MULTILINE)
    return dict(settings)  # pip lists the strongest last


def pip_cache() -> str:
    """The folder of pip's cache, or "" if there is none."""
    command = [_boot("python"), "-m", "pip", "cache", "dir"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _boot(program: str) -> str:
    return str(paths.CACHE / "boot" / "bin" / program)


def uv_environment() -> dict[str, str]:
    """Variables for uv: never a download of a Python, bytecode compiled, the package index that pip is set to."""
    environment = clean(os.environ)
    environment |= {"UV_PYTHON_DOWNLOADS": "never", "UV_COMPILE_BYTECODE": "1"}
    index = pip_settings().get("index-url")
    if index and not {"UV_INDEX_URL", "UV_DEFAULT_INDEX"} & set(environment):
        environment["UV_DEFAULT_INDEX"] = index
    return environment


def fingerprint(python: interpreters.Interpreter, folder: Path, requirements: Sequence[str | Path]) -> str:
    """What an environment depends on: interpreter, place, and the text of its requirements."""
    parts = [python.full_version, str(python.path), str(folder)]
    parts += [item if isinstance(item, str) else item.read_text(encoding="utf-8") for item in requirements]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def ensure(name: str, python: interpreters.Interpreter, requirements: Sequence[str | Path]) -> Path:
    """Make the environment `.cache/envs/NAME` unless it is up to date.

    requirements: specifiers (text) and requirement files (paths).
    Returns its bin folder; raises CalledProcessError when uv fails.
    """
    folder = paths.ENVIRONMENTS / name
    stamp = folder / ".complete"
    wanted = fingerprint(python, folder, requirements)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return folder / "bin"
    print(f"preparing {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    arguments: list[str] = []
    for item in requirements:
        arguments += [item] if isinstance(item, str) else ["-r", str(item)]
    environment = uv_environment()
    subprocess.run(
        [_boot("uv"), "venv", "--quiet", "--python", str(python.path), str(folder)], check=True, env=environment
    )
    install = [_boot("uv"), "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *arguments]
    subprocess.run(install, check=True, env=environment)
    stamp.write_text(wanted, encoding="utf-8")
    return folder / "bin"


def core_specifier(core: str) -> str:
    """The newest patch of an ansible-core: "2.21" -> "ansible-core~=2.21.0"."""
    return f"ansible-core~={core}.0"


def core_environment(pair: interpreters.Pair) -> Path:
    """Environment of an ansible-core with what the test suites import. The oldest one gets the oldest `requests`."""
    requirements: list[str | Path] = [core_specifier(pair.core), EE_REQUIREMENTS, SIMULATOR_REQUIREMENTS]
    requirements.append(REQUIREMENTS / "core.txt")
    if pair.core == min(interpreters.SUPPORT, key=interpreters.number):
        requirements.append(REQUIREMENTS / "floor.txt")
    return ensure(f"core-{pair.name}", pair.python, requirements)


def lint_environment(pair: interpreters.Pair) -> Path:
    """Environment of the linters and documentation tools, next to the given ansible-core."""
    requirements: list[str | Path] = [core_specifier(pair.core), SIMULATOR_REQUIREMENTS, REQUIREMENTS / "lint.txt"]
    return ensure(f"lint-{pair.name}", pair.python, requirements)


def package_environment(pair: interpreters.Pair) -> Path:
    """Environment of what looks at the built archive."""
    return ensure(f"package-{pair.name}", pair.python, [core_specifier(pair.core), REQUIREMENTS / "package.txt"])


def demo_environment(pair: interpreters.Pair) -> Path:
    """Environment of the demo: only what a user would install."""
    requirements: list[str | Path] = [core_specifier(pair.core), EE_REQUIREMENTS, SIMULATOR_REQUIREMENTS]
    return ensure(f"demo-{pair.name}", pair.python, requirements)


def session_environment(bin_folder: Path) -> dict[str, str]:
    """Variables to run a suite in an environment, on the tree under test, with a home folder of its own.

    The real bin folders of the found interpreters come before the rest of PATH, and folders of pyenv shims are left
    out: ansible-test looks for interpreters on PATH and stops at a shim that does not start.
    """
    found = interpreters.find_interpreters().values()
    rest = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if not is_shims(folder)]
    search = [str(bin_folder), *(str(python.path.parent) for python in found), *rest]
    return clean(os.environ) | {
        "ANSIBLE_COLLECTIONS_PATH": str(paths.COLLECTIONS),
        "ANSIBLE_CONFIG": str(paths.HOME / "ansible.cfg"),
        "HOME": str(paths.HOME),
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join(dict.fromkeys(search)),
        "PYTHONPATH": str(paths.COLLECTIONS),
        "PYTHONUNBUFFERED": "1",
    }


def is_shims(folder: str) -> bool:
    """Whether a folder of PATH holds pyenv's shims."""
    return folder.rstrip("/").endswith("/shims") and "pyenv" in folder


def prepare_home() -> None:
    """Lay out the home folder of the suites: an empty Ansible configuration and this machine's pip configuration.

    ansible-test passes HOME on to pip, but none of pip's variables.
    """
    settings = pip_settings() | {"quiet": "2", "disable-pip-version-check": "true"}
    if cache := pip_cache():
        settings["cache-dir"] = cache
    text = "".join(f"{name} = {value}\n" for name, value in sorted(settings.items()))
    configuration = paths.HOME / ".config" / "pip" / "pip.conf"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.touch(mode=0o600)  # an index address may hold credentials
    configuration.write_text(f"[global]\n{text}", encoding="utf-8")
    (paths.HOME / "ansible.cfg").touch()
