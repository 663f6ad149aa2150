# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service as a process: ready file, start and stop, watched process, lifetime, signals."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from paas_simulator.estate import EstateError, load_estate
from paas_simulator.process import process_identity
from support.settings import NIGHTLY, limit, wait_for
from support.simulator import SERVICE, fetch, run_service, service_environment, start_simulator

SMALL = """
northflank:
  tokens: [{name: only, token: only-one, team: small}]
  teams:
    - id: small
      projects:
        - name: A Project
          id: "odd/id %41"
          addons: [{name: Thing, type: redis, config: {versionTag: "7"}}]
"""


SMALL_CYCLE = """
cycle:
  hub: {id: "555555555555555555555555", name: Small}
  keys: [{name: only, id: "444444444444444444444444", key: only-one}]
"""


def said(*arguments: str | Path) -> dict[str, Any]:
    """Run a command of the service and return the JSON it prints."""
    done = run_service(*map(str, arguments))
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Path]:
    """A ready file; what it names is stopped in the end."""
    file = tmp_path / "deep" / "ready.json"
    file.parent.mkdir()
    yield file
    run_service("stop", "--ready-file", str(file))


@pytest.fixture
def serving(ready: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Runs services in the foreground and ends them."""
    running: list[subprocess.Popen[bytes]] = []

    def serve(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "paas_simulator", "serve", "--ready-file", str(ready), *arguments]
        with ready.with_name("stderr").open("wb") as output:
            process = subprocess.Popen(command, env=service_environment(), stderr=output)
        running.append(process)
        wait_for(lambda: ready.exists() or process.poll() is not None, "the service")
        return process

    yield serve
    for process in running:
        process.kill()
        process.wait()


def test_start_and_stop(ready: Path) -> None:
    first = said("start", "--ready-file", ready)
    assert first["started"] is True
    assert json.loads(ready.read_text()) == {key: first[key] for key in ("url", "pid", "port", "version", "cycle")}
    cycle = first["cycle"]
    assert set(cycle) == {"url", "port", "ssh_port"}
    for listener in (first, cycle):
        assert listener["url"] == f"http://127.0.0.1:{listener['port']}"
        assert fetch(f"{listener['url']}/_sim/health").data["pid"] == first["pid"] != os.getpid()
    with socket.create_connection(("127.0.0.1", cycle["ssh_port"]), timeout=limit(5)) as gateway:
        assert gateway.recv(8) == b"SSH-2.0-"
    assert said("start", "--ready-file", ready) == {**first, "started": False}
    assert said("stop", "--ready-file", ready) == {"stopped": True}
    assert not ready.exists()
    for port in (first["port"], cycle["port"], cycle["ssh_port"]):
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=limit(5))
    assert said("stop", "--ready-file", ready) == {"stopped": False}


def test_two_starts_at_once_make_one_service(ready: Path) -> None:
    command = [sys.executable, "-m", "paas_simulator", "start", "--ready-file", str(ready)]
    both = [subprocess.Popen(command, env=service_environment(), stdout=subprocess.PIPE) for _number in range(3)]
    answers = [json.loads(process.communicate(timeout=limit(30))[0]) for process in both]
    assert sorted(answer["started"] for answer in answers) == [False, False, True]
    assert len({answer["pid"] for answer in answers}) == 1


def test_start_over_a_stale_ready_file(ready: Path) -> None:
    old = said("start", "--ready-file", ready)
    os.kill(old["pid"], signal.SIGKILL)
    wait_for(lambda: process_identity(old["pid"]) is None, "the end of the service")
    new = said("start", "--ready-file", ready)
    assert new["started"] is True
    assert new["pid"] != old["pid"]


def test_stop_leaves_a_stranger_alone(ready: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        ready.write_text(json.dumps({"url": "http://127.0.0.1:9", "pid": stranger.pid, "port": 9}))
        assert said("stop", "--ready-file", ready) == {"stopped": False}
        assert stranger.poll() is None
        assert not ready.exists()
        stranger.kill()


def test_start_says_why_it_failed(ready: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text("northflank: {teams: [{}]}")
    done = run_service("start", "--ready-file", str(ready), "--estate", str(broken))
    assert done.returncode == 1
    assert "the estate cannot be used" in done.stderr
    assert not ready.exists()


@pytest.mark.parametrize("option", ["--port", "--ssh-port", *(["--cycle-port"] if NIGHTLY else [])])
def test_start_on_a_taken_port(ready: Path, tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_service("start", "--ready-file", str(tmp_path / "other.json"), option, port)
    assert done.returncode == 1
    assert "address already in use" in done.stderr.lower()


def test_start_on_ports_of_choice(ready: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [str(each.getsockname()[1]) for each in (one, other)]
    started = said("start", "--ready-file", ready, "--cycle-port", ports[0], "--ssh-port", ports[1])
    assert [str(started["cycle"][name]) for name in ("port", "ssh_port")] == ports


@pytest.mark.parametrize("name", ["asyncssh", "aiohttp"])
def test_it_says_which_library_is_missing(tmp_path: Path, name: str) -> None:
    text = f"raise ModuleNotFoundError('No module named {name}', name='{name}')"
    (tmp_path / f"{name}.py").write_text(text)
    environment = service_environment()
    environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"
    command = [sys.executable, "-m", "paas_simulator", "serve"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit(30), check=False)
    assert done.returncode == 1
    assert done.stderr == f"paas_simulator: the Python package {name} is missing in {sys.prefix}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_at_once(
    serving: Callable[..., subprocess.Popen[bytes]], ready: Path, number: signal.Signals
) -> None:
    process = serving()
    url = json.loads(ready.read_text())["url"]
    fetch(f"{url}/_sim/faults", "POST", body={"path": "*", "fault": {"delay": 3600}})
    with pytest.raises(TimeoutError):
        fetch(f"{url}/v1/auth", timeout=0.3)
    process.send_signal(number)
    assert process.wait(timeout=limit(10)) == 0
    assert not ready.exists()
    assert ready.with_name("stderr").read_text() == ""


def test_it_ends_with_the_watched_process(serving: Callable[..., subprocess.Popen[bytes]], ready: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as watched:
        process = serving("--watch-pid", str(watched.pid))
        time.sleep(0.5)  # The process is looked at every 0.2 seconds.
        assert process.poll() is None
        watched.kill()
        # Not waited for: a zombie counts as gone.
        wait_for(lambda: process.poll() is not None, "the end of the service")
    assert not ready.exists()


def test_it_ends_when_the_watched_process_is_gone_already(serving: Callable[..., subprocess.Popen[bytes]]) -> None:
    with subprocess.Popen(["true"]) as watched:
        watched.wait()
    process = serving("--watch-pid", str(watched.pid))
    wait_for(lambda: process.poll() is not None, "the end of the service")


def test_lifetime(serving: Callable[..., subprocess.Popen[bytes]], ready: Path) -> None:
    started = time.monotonic()
    process = serving("--lifetime", "0.3")
    wait_for(lambda: process.poll() is not None, "the end of the service")
    assert time.monotonic() - started > 0.3
    assert process.returncode == 0
    assert not ready.exists()


def test_an_estate_of_ones_own(tmp_path: Path) -> None:
    estate = tmp_path / "small.yml"
    estate.write_text(SMALL)
    small = start_simulator(estate=estate)
    try:
        assert (small.token, small.team, small.tokens) == ("only-one", "small", {"only": "only-one"})
        assert (
            small.get("/v1/projects/odd%2Fid%20%2541/addons", token="only").data["data"]["addons"][0]["id"] == "thing"
        )
        assert small.get("/v1/projects/odd%2Fid%20A", token="only").status == 404
    finally:
        small.stop()
    with pytest.raises(OSError, match="refused"):
        fetch(f"{small.url}/_sim/health")


def test_an_estate_of_cycle_alone(tmp_path: Path) -> None:
    estate = tmp_path / "small.yml"
    estate.write_text(SMALL_CYCLE)
    small = start_simulator(estate=estate)
    try:
        assert (small.tokens, small.teams) == ({}, [])
        assert (small.cycle.key, small.cycle.hub) == ("only-one", "5" * 24)
        assert small.cycle.get("/v1/hubs/current", key="only").data["data"]["id"] == small.cycle.hub
        assert fetch(f"{small.url}/v1/projects", headers={"Authorization": "Bearer only-one"}).status == 401
        assert small.get("/v1/projects", token=None).status == 401
    finally:
        small.stop()


def test_the_smallest_estates_that_the_role_documents(tmp_path: Path) -> None:
    text = (SERVICE.parent / "README.md").read_text(encoding="utf-8")
    estate = tmp_path / "small.yml"
    estate.write_text("".join(re.findall(r"```yaml\n((?:northflank|cycle):\n.*?)```", text, re.DOTALL)))
    small = start_simulator(estate=estate)
    try:
        assert small.get("/v1/projects/shop/addons/database").status == 200
        (container,) = small.cycle.get("/v1/containers").data["data"]
        (instance,) = small.cycle.get(f"/v1/containers/{container['id']}/instances").data["data"]
        assert instance["state"]["current"] == "running"
    finally:
        small.stop()


def test_tokens_are_listed(tmp_path: Path) -> None:
    estate = tmp_path / "small.yml"
    no_cycle: dict[str, Any] = {"hub": None, "keys": {}}
    estate.write_text(SMALL)
    assert said("tokens", "--estate", estate) == {
        "tokens": {"only": "only-one"},
        "teams": ["small"],
        "cycle": no_cycle,
    }
    estate.write_text(SMALL_CYCLE)
    cycle = {"hub": "5" * 24, "keys": {"only": "only-one"}}
    assert said("tokens", "--estate", estate) == {"tokens": {}, "teams": [], "cycle": cycle}
    shipped = said("tokens")
    assert set(shipped["tokens"]) >= {"demo", "read-only", "no-addons", "expired", "org"}
    assert set(shipped["cycle"]["keys"]) >= {"demo", "read-only", "no-jobs", "no-ssh", "expired"}
    assert len(shipped["cycle"]["hub"]) == 24
    assert all(len(token) > 40 for token in shipped["tokens"].values())
    assert all(len(key) > 40 for key in shipped["cycle"]["keys"].values())


@pytest.mark.parametrize("content", ["- a list", "{", "northflank: []", "cycle: []", "other: {}", "{}"])
def test_files_that_are_no_estate(tmp_path: Path, content: str) -> None:
    estate = tmp_path / "bad.yml"
    estate.write_text(content)
    with pytest.raises(EstateError, match=re.escape(str(estate))):
        load_estate(estate)


def test_an_error_in_an_estate_is_printed(tmp_path: Path) -> None:
    estate = tmp_path / "bad.yml"
    estate.write_text("- a list")
    done = run_service("tokens", "--estate", str(estate))
    assert done.returncode == 1
    assert done.stderr.startswith(f"paas_simulator: {estate}: not an estate")
