# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with Northflank's exec is one clear message, and nothing is run twice."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from host_runs import LONG, Done, User, adhoc, in_the_middle, message_of, user, wait_until_begun, with_variables

from support.settings import limit, wait_for
from support.shared_run import SharedRun
from support.simulator import Simulator

REDIS = "session-redis-0"  # of the addon session-redis in the project storefront
KAFKA = "kafka-0"  # of the addon kafka in the project data-platform


@pytest.fixture
def me(tmp_path: Path, sim: Simulator) -> User:
    """A user of the whole estate."""
    return user(tmp_path, sim)


@dataclasses.dataclass(frozen=True)
class Broken:
    """An exec that breaks. host: where. path: of the exec of its parent. fault: what happens. text: in the message."""

    host: str
    path: str
    fault: dict[str, Any]
    text: str
    command: str = LONG


BROKEN = {
    "reset": Broken("shop-mysql-0", "*/shop-mysql*", {"do": "reset", "seconds": 0.5}, "broke"),
    "close": Broken(
        REDIS,
        "*/session-redis*",
        {"do": "close", "seconds": 0.5},
        "closed the connection before the command had ended",
    ),
    "error": Broken(
        "legacy-mongo-78b4d4459d-sbtn8",
        "*/legacy-mongo*",
        {"do": "error", "message": "The node is gone", "seconds": 0.5},
        "The node is gone",
    ),
    "close at the end": Broken(
        "web-shop-5f6d9c7b84-k2x9p",
        "*/web-shop*",
        {"do": "close", "completion": True},
        "before the command had ended",
        "echo done",
    ),
    "unknown": Broken(
        "nightly-invoices-29365415-4gk8s", "*/nightly-invoices*", {"do": "unknown", "seconds": 0.5}, "unknown type"
    ),
    "no JSON": Broken(
        "analytics-postgres-0", "*/analytics-postgres*", {"do": "no_json", "seconds": 0.5}, "no message of exec"
    ),
    "refuse": Broken(KAFKA, "*/kafka*", {"do": "refuse", "message": "Not today"}, "Not today"),
}
POOLER = "orders-postgres-pooler-6c9f7d-x2x8p"
AGAIN, REPEATED = "worker-0_a99f1f42eda8", "worker-0_099aabf16970"  # of the projects data-platform and staging


@dataclasses.dataclass(frozen=True)
class Bad:
    """A run in hosts in each of which something else goes wrong, and the requests that the simulator got."""

    done: Done
    journal: list[dict[str, Any]]
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def bad_run(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> SharedRun[Bad]:
    """One run for everything that can go wrong with exec, because starting Ansible takes longer than all of it."""

    def run() -> Bad:
        simulator.reset()
        me = user(tmp_path_factory.mktemp("bad"), simulator)
        tokens = {
            "orders-postgres-0": simulator.tokens["read-only"],
            "orders-postgres-1": simulator.tokens["expired"],
            POOLER: "nonsense",
        }
        variables: dict[str, dict[str, Any]] = {one.host: {"command": one.command} for one in BROKEN.values()}
        variables |= {
            host: {"command": "true", "ansible_northflank_api_token": token} for host, token in tokens.items()
        }
        variables |= {AGAIN: {"command": "echo one; sleep 1; echo two; exit 3"}, REPEATED: {"command": "echo there"}}
        with_variables(me, variables)
        for one in BROKEN.values():
            simulator.fault("GET", f"/v1/command-exec/{one.path}", {"exec": one.fault})
        simulator.fault("GET", "/v1/command-exec/*/dbt-runner*", {"exec": {"do": "init", "messages": 1}})
        simulator.fault("GET", "/v1/command-exec/*/projects/staging/*", {"status": 503}, times=2)
        done = adhoc(me, ":".join(variables), "true; {{ command }}")  # a text that begins with { would be JSON
        assert "Traceback" not in done.output, done.output[-3000:]
        return Bad(done, simulator.journal(), tokens)

    return SharedRun(run)


@pytest.fixture
def bad(bad_run: SharedRun[Bad]) -> Bad:
    """What came of the run in which much goes wrong."""
    return bad_run.result()


@pytest.mark.parametrize("name", BROKEN)
def test_exec_that_breaks_is_one_message(bad: Bad, name: str) -> None:
    broken = BROKEN[name]
    message = message_of(bad.done, broken.host)
    assert broken.host in message
    assert broken.text in message
    # What may have run is not run again.
    pattern = broken.path.strip("*/")
    assert len([entry for entry in bad.journal if "command-exec" in entry["path"] and pattern in entry["path"]]) <= 2


def test_another_init_changes_nothing(bad: Bad) -> None:
    assert re.search(rf"^{AGAIN} \| FAILED \| rc=3 >>\none\ntwo\n", bad.done.output, re.M), bad.done.output


def test_a_handshake_that_fails_is_repeated(bad: Bad) -> None:
    assert re.search(rf"^{REPEATED} \| CHANGED \| rc=0 >>\nthere\n", bad.done.output, re.M), bad.done.output


@pytest.mark.parametrize(
    "host", ["orders-postgres-0", "orders-postgres-1", POOLER], ids=["read-only", "expired", "nonsense"]
)
def test_a_token_that_is_refused_is_one_message(bad: Bad, host: str) -> None:
    assert "token" in message_of(bad.done, host)
    assert bad.tokens[host] not in bad.done.output


def test_exec_that_is_slow_is_one_message(me: User) -> None:
    me.sim.settings(exec={"delay": 3600})
    done = adhoc(me, REDIS, "true", "-e", "ansible_northflank_timeout=2")
    assert "within 2 seconds" in message_of(done)


def test_a_container_that_is_replaced_in_mid_play_is_one_message(me: User) -> None:
    def replace() -> None:
        redis = {"project": "storefront", "addon": "session-redis", "container": REDIS, "sockets": "reset"}
        kafka = {"project": "data-platform", "addon": "kafka", "container": KAFKA, "sockets": "close"}
        for request in (redis, kafka):
            me.sim.control("replace", request)

    done = in_the_middle(me, [REDIS, KAFKA], replace)
    assert REDIS in message_of(done, REDIS)
    assert KAFKA in message_of(done, KAFKA)
    # The next play with the same inventory finds the one that came instead.
    done = adhoc(me, "northflank_addon_type_redis", "echo there")
    assert REDIS not in done.output
    assert "there" in done.output


def test_workers_end_with_the_controller_and_not_with_the_command(me: User) -> None:
    flag = me.folder / "begun"
    with me.started("ansible", f"{REDIS}*", "-m", "ansible.builtin.raw", "-a", f"touch {flag}; {LONG}") as process:
        wait_until_begun(flag, process)
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert workers
        process.kill()
        process.wait(timeout=limit(30))
        wait_for(lambda: not [pid for pid in workers if Path(f"/proc/{pid}/cwd").exists()], "the end of the workers")
