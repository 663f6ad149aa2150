# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the simulator as a process of its own and controls it over HTTP, with nothing but the standard library."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from support.settings import limit

SERVICE = Path(__file__).resolve().parents[2] / "roles" / "simulator" / "files"
START_SECONDS = 15.0
RESPONSE_LIMIT = limit(30)

_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Reply(NamedTuple):
    """An answer: header names in lower case; ``data`` is the parsed JSON, or the text where it is none."""

    status: int
    headers: dict[str, str]
    data: Any


def service_environment() -> dict[str, str]:
    """Return the environment in which ``python -m paas_simulator`` finds the service and leaves no files behind."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "quayside-paas-tests"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONPATH": str(SERVICE), "PYTHONPYCACHEPREFIX": str(cache)}


def run_service(*arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """Run a command of the service to its end."""
    command = [python, "-m", "paas_simulator", *arguments]
    return subprocess.run(
        command, env=service_environment(), capture_output=True, text=True, timeout=limit(30), check=False
    )


def fetch(
    url: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    timeout: float = RESPONSE_LIMIT,
) -> Reply:
    """Send a request and return the answer, whatever its status. Raises OSError when there is none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=dict(headers or {}))
    if body is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with _opener.open(request, timeout=timeout) as answer:
            return _reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return _reply(error.code, error.headers, error.read())


def _reply(status: int, headers: Any, raw: bytes) -> Reply:
    text = raw.decode("utf-8")
    try:
        data = json.loads(text)
    except ValueError:
        data = text
    return Reply(status, {name.lower(): value for name, value in headers.items()}, data)


class Simulator:
    """A running simulator. ``tokens`` are by name, ``token`` is the one that may do everything, ``team`` its team."""

    def __init__(
        self, ready: Mapping[str, Any], process: subprocess.Popen[bytes], folder: Path, known: Mapping[str, Any]
    ) -> None:
        """Wrap a service by its ready data and its tokens as listed; ``folder`` is removed when it is stopped."""
        self.url: str = ready["url"]
        self.process = process
        self.tokens: dict[str, str] = known["tokens"]
        self.teams: list[str] = known["teams"]
        self.cycle = Cycle(self, ready["cycle"], known["cycle"])
        self._folder = folder

    @property
    def token(self) -> str:
        """The token ``demo``, or the first of an estate that has no such one."""
        return self.tokens.get("demo", next(iter(self.tokens.values())))

    @property
    def team(self) -> str:
        """The first team of the estate."""
        return self.teams[0]

    @property
    def log(self) -> str:
        """What the service has written."""
        return (self._folder / "log").read_text(encoding="utf-8")

    def control(self, name: str, body: Any = None, method: str | None = None) -> Any:
        """Call a control under ``/_sim/``; return its answer. Raises AssertionError when it is refused."""
        verb = method or ("GET" if body is None else "POST")
        reply = fetch(f"{self.url}/_sim/{name}", verb, body=body)
        assert reply.status == 200, f"{verb} /_sim/{name}: {reply.status} {reply.data}"
        return reply.data

    def get(self, path: str, token: str | None = "demo", method: str = "GET", **headers: str) -> Reply:
        """Send a request to the platform with the token of that name (None: without)."""
        sent = dict(headers)
        if token is not None:
            sent["Authorization"] = f"Bearer {self.tokens.get(token, token)}"
        return fetch(self.url + path, method, sent)

    def send(self, method: str, path: str, body: Any = None, token: str = "demo") -> Reply:
        """Send a request to the platform with a JSON body (None: without) with the token of that name."""
        return fetch(self.url + path, method, {"Authorization": f"Bearer {self.tokens[token]}"}, body)

    def journal(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the requests received, those with a number above ``since``."""
        entries: list[dict[str, Any]] = self.control(f"journal?since={since}")["entries"]
        return entries

    def clear_journal(self) -> None:
        """Forget the requests received."""
        self.control("journal", method="DELETE")

    def fault(self, method: str, path: str, fault: dict[str, Any], times: int | None = 1, after: int = 0) -> int:
        """Set a fault for requests whose path matches the pattern; return its id."""
        request = {"method": method, "path": path, "fault": fault, "times": times, "after": after}
        return int(self.control("faults", request)["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults set, with the number of requests each has hit."""
        found: list[dict[str, Any]] = self.control("faults")["faults"]
        return found

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.control("faults", method="DELETE")

    def clock(self, **move: Any) -> dict[str, Any]:
        """Return the clock, moved before by any of ``advance`` (seconds), ``set`` (ISO), ``freeze`` (bool)."""
        result: dict[str, Any] = self.control("clock", move or None)
        return result

    def generate(self, **amounts: Any) -> dict[str, Any]:
        """Add things to the estate; return what was added."""
        result: dict[str, Any] = self.control("generate", amounts)
        return result

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return Northflank's settings, changed before."""
        result: dict[str, Any] = self.control("settings", {"northflank": changes} if changes else None)["northflank"]
        return result

    def estate(self) -> dict[str, Any]:
        """Return the whole state."""
        result: dict[str, Any] = self.control("estate")
        return result

    def routes(self) -> list[dict[str, Any]]:
        """Return the routes of the platform."""
        result: list[dict[str, Any]] = self.control("routes")["northflank"]
        return result

    def reset(self) -> None:
        """Put everything back to the start."""
        self.control("reset", {})

    def stop(self) -> None:
        """End the service."""
        self.process.terminate()
        try:
            self.process.wait(timeout=limit(5))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class Cycle:
    """The Cycle half of a simulator. ``keys`` are by name, ``key`` is the one that may do everything."""

    def __init__(self, simulator: Simulator, ready: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        """Take Cycle's parts of the ready data and of the tokens listed."""
        self.url: str = ready["url"]
        self.ssh_port: int = ready["ssh_port"]
        self.hub: str = known["hub"]
        self.keys: dict[str, str] = known["keys"]
        self._simulator = simulator

    @property
    def key(self) -> str:
        """The key ``demo``, or the first of an estate that has no such one."""
        return self.keys.get("demo", next(iter(self.keys.values())))

    def headers(self, key: str | None = "demo", hub: str | None = None) -> dict[str, str]:
        """Return the two headers of the platform for the key of that name (None: without)."""
        bearer = {} if key is None else {"Authorization": f"Bearer {self.keys.get(key, key)}"}
        return {**bearer, "X-Hub-Id": self.hub if hub is None else hub}

    def get(self, path: str, key: str | None = "demo", **headers: str) -> Reply:
        """Read from the platform with the key of that name (None: without)."""
        return fetch(self.url + path, "GET", {**self.headers(key), **headers})

    def send(self, method: str, path: str, body: Any = None, key: str | None = "demo", **headers: str) -> Reply:
        """Send a request with a JSON body (None: without) with the key of that name (None: without)."""
        return fetch(self.url + path, method, {**self.headers(key), **headers}, body)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return Cycle's settings, changed before."""
        answer = self._simulator.control("settings", {"cycle": changes} if changes else None)
        settings: dict[str, Any] = answer["cycle"]
        return settings

    def ssh(self) -> dict[str, Any]:
        """Return what the SSH gateway tells of itself: public host key, connections and sessions that are open."""
        told: dict[str, Any] = self._simulator.control("ssh")
        return told


def _wait_ready(ready: Path, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + limit(START_SECONDS)
    while time.monotonic() < deadline and process.poll() is None:
        if ready.exists():
            answer: dict[str, Any] = json.loads(ready.read_text(encoding="utf-8"))
            return answer
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise RuntimeError(f"the simulator did not start: {log.read_text(encoding='utf-8')}")


def start_simulator(python: str = sys.executable, estate: str | os.PathLike[str] | None = None) -> Simulator:
    """Start a simulator that ends with this process; ``estate`` names an estate file. Raises RuntimeError."""
    chosen = [] if estate is None else ["--estate", os.fspath(estate)]
    listed = run_service("tokens", *chosen, python=python)
    if listed.returncode:
        raise RuntimeError(listed.stderr)
    known = json.loads(listed.stdout)
    folder = Path(tempfile.mkdtemp(prefix="paas-simulator-"))
    ready, log = folder / "ready.json", folder / "log"
    command = [python, "-m", "paas_simulator", "serve", "--ready-file", str(ready), "--watch-pid", str(os.getpid())]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *chosen], env=service_environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    answer = _wait_ready(ready, process, log)
    return Simulator(answer, process, folder, known)
