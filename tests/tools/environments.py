# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes virtual environments with uv, keeps them while their inputs stay the same, and the variables to run in them."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from tools import interpreters, paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

REQUIREMENTS = paths.ROOT / "tests" / "requirements"
COLLECTION_REQUIREMENTS = paths.ROOT / "requirements.txt"
SIMULATOR_REQUIREMENTS = REQUIREMENTS / "simulator.txt"

# Where the vendor's specification of Cycle is, when it is not beside the checkout.
SPECIFICATION = "CYCLE_OPENAPI"

# Whatever would make a run depend on who runs it, reach a real platform, or point git at another repository.
PRIVATE = re.compile(
    r"PYTHON(PATH|HOME|DONTWRITEBYTECODE|STARTUP|WARNINGS)|VIRTUAL_ENV|(ANSIBLE|NORTHFLANK|NF|CYCLE|PYTEST|GIT)_.*"
    r"|DISPLAY|SSH_.*|XDG_.*|LC_.*|LANG|LANGUAGE|TZ|COLUMNS|LINES|(NO|FORCE)_COLOR"
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
    return str(paths.BOOT / program)


def uv_variables(settings: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Variables for uv: never a download of a Python, bytecode compiled, pip's package index and certificates.

    settings: those of pip. given: the variables there are, which come first.
    """
    variables = clean(given) | {"UV_PYTHON_DOWNLOADS": "never", "UV_COMPILE_BYTECODE": "1"}
    if "index-url" in settings and not {"UV_INDEX_URL", "UV_DEFAULT_INDEX"} & set(given):
        variables["UV_DEFAULT_INDEX"] = settings["index-url"]
    if "cert" in settings:
        variables.setdefault("SSL_CERT_FILE", settings["cert"])
    return variables


def fingerprint(python: interpreters.Interpreter, folder: Path, requirements: Sequence[str | Path]) -> str:
    """What an environment depends on: interpreter, place, and the text of its requirements."""
    parts = [python.full_version, str(python.path), str(folder)]
    parts += [item if isinstance(item, str) else item.read_text(encoding="utf-8") for item in requirements]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from changing a folder meanwhile; sessions run beside each other."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def ensure(
    name: str,
    python: interpreters.Interpreter,
    requirements: Sequence[str | Path],
    bundles: Sequence[str | Path] = (),
) -> Path:
    """Make the environment `.cache/envs/NAME` unless it is up to date.

    requirements, bundles: specifiers (text) and requirement files (paths). Bundles are installed as they are, without
    what they depend on and without compiling their thousands of files.
    Returns its bin folder; raises CalledProcessError when uv fails.
    """
    folder = paths.ENVIRONMENTS / name
    stamp = folder / ".complete"
    wanted = fingerprint(python, folder, [*requirements, *bundles])
    with locked(folder):
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            make(folder, python, requirements, bundles)
            stamp.write_text(wanted, encoding="utf-8")
    return folder / "bin"


def make(
    folder: Path,
    python: interpreters.Interpreter,
    requirements: Sequence[str | Path],
    bundles: Sequence[str | Path] = (),
) -> None:
    """Make an environment afresh. Raises CalledProcessError."""
    print(f"preparing {folder}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    variables = uv_variables(pip_settings(), os.environ)
    create = [_boot("uv"), "venv", "--quiet", "--python", str(python.path), str(folder)]
    subprocess.run(create, check=True, env=variables)
    install(folder, requirements, variables)
    if bundles:
        install(folder, bundles, variables | {"UV_COMPILE_BYTECODE": "0"}, "--no-deps")


def install(folder: Path, requirements: Sequence[str | Path], variables: dict[str, str], *options: str) -> None:
    """Install into an environment. Raises CalledProcessError."""
    arguments: list[str] = []
    for item in requirements:
        arguments += [item] if isinstance(item, str) else ["-r", str(item)]
    python = str(folder / "bin" / "python")
    command = [_boot("uv"), "pip", "install", "--quiet", "--python", python, *options, *arguments]
    if subprocess.run(command, check=False, env=variables).returncode:
        print("again, with the certificates that this system trusts", flush=True)
        subprocess.run(command, check=True, env=variables | {"UV_SYSTEM_CERTS": "true"})


def core_specifier(core: str) -> str:
    """The newest patch of an ansible-core, or its release candidate: "2.21" -> "ansible-core~=2.21.0"."""
    return f"ansible-core~={core}.0" + ("rc1" if core in interpreters.CANDIDATES else "")


def core_environment(pair: interpreters.Pair) -> Path:
    """Environment of an ansible-core with what the test suites import. The oldest one gets the oldest `requests`."""
    requirements: list[str | Path] = [core_specifier(pair.core), COLLECTION_REQUIREMENTS, SIMULATOR_REQUIREMENTS]
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


def awx_environment(pair: interpreters.Pair) -> Path:
    """Environment that runs jobs as AWX does, brings an AWX to a state, and opens pages in a browser."""
    requirements: list[str | Path] = [core_specifier(pair.core), COLLECTION_REQUIREMENTS, SIMULATOR_REQUIREMENTS]
    requirements += [REQUIREMENTS / "core.txt", REQUIREMENTS / "awx.txt"]
    return ensure(f"awx-{pair.name}", pair.python, requirements, [REQUIREMENTS / "awx-collection.txt"])


def demo_environment(pair: interpreters.Pair) -> Path:
    """Environment of the demo: only what a user would install."""
    requirements: list[str | Path] = [core_specifier(pair.core), COLLECTION_REQUIREMENTS, SIMULATOR_REQUIREMENTS]
    return ensure(f"demo-{pair.name}", pair.python, requirements)


def session_variables(bin_folder: Path, collections: Path) -> dict[str, str]:
    """Variables to run a suite in an environment, on the collections in a folder, with a home folder of its own.

    The real bin folders of the found interpreters come before the rest of PATH, and folders of pyenv shims are left
    out: ansible-test looks for interpreters on PATH and stops at a shim that does not start.
    """
    found = interpreters.find_interpreters().values()
    rest = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if not is_shims(folder)]
    search = [str(bin_folder), *(str(python.path.parent) for python in found), *rest]
    return clean(os.environ, keep=SPECIFICATION) | {
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_CONFIG": str(paths.HOME / "ansible.cfg"),
        "HOME": str(paths.HOME),
        "LC_ALL": "C.UTF-8",
        "PATH": os.pathsep.join(dict.fromkeys(search)),
        "PYTHONPATH": str(collections),
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
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
    with locked(paths.HOME):
        if not configuration.exists() or configuration.read_text(encoding="utf-8") != f"[global]\n{text}":
            configuration.touch(mode=0o600)  # an index address may hold credentials
            configuration.write_text(f"[global]\n{text}", encoding="utf-8")
    (paths.HOME / "ansible.cfg").touch()
