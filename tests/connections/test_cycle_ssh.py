# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When cycle_ssh creates credentials and connects, with real plays over the simulator's SSH gateway.

The journal of the simulator counts: GET …/ssh creates credentials, the events of SSH are logins and sessions.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from host_runs import SSH_SECRET, Done, User, ssh_requests, watched

from support.cycle import CONTAINERS
from support.playbook import control_folder
from support.settings import limit, wait_for
from support.simulator import Simulator

Play = dict[str, Any]
ONE = "web-1"
FETCHED = "back-{{ inventory_hostname }}"


class CycleUser(User):
    """A user with an inventory of instances, made by hand."""

    def command(self, program: str, *arguments: str) -> list[str]:
        """A command line with the inventory."""
        return [str(Path(sys.executable).parent / program), "-i", "hosts.json", *arguments]

    def raw(self, command: str, host: str = ONE, *arguments: str, **more: str) -> Done:
        """Runs a command in instances."""
        return self.run("ansible", host, "-m", "ansible.builtin.raw", "-a", command, *arguments, **more)

    def created(self) -> Counter[str]:
        """How many times credentials were created, by instance."""
        return Counter(ssh_requests(self.sim, "GET"))

    def sockets(self) -> list[Path]:
        """The control sockets of masters."""
        return [path for path in Path(control_folder(self.folder)).iterdir() if path.is_socket()]

    def masters(self) -> list[int]:
        """The processes that hold connections."""
        found = []
        for path in self.sockets():
            command = ["ssh", "-O", "check", "-o", f"ControlPath={path}", "host"]
            told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
            found += [int(pid) for pid in re.findall(r"pid=(\d+)", told)]
        return found


def instances(sim: Simulator) -> dict[str, tuple[str, str]]:
    """Container and instance by name, of some that run."""
    found = {}
    for name in ("web", "worker", "checkout-api"):
        path = f"/v1/containers/{CONTAINERS[name]}/instances?page[size]=100"
        running = [one["id"] for one in sim.cycle.get(path).data["data"] if one["state"]["current"] == "running"]
        found |= {f"{name}-{number}": (CONTAINERS[name], one) for number, one in enumerate(running, 1)}
    return found


@pytest.fixture
def me(tmp_path: Path, sim: Simulator) -> Iterator[CycleUser]:
    """A user without connections, neither before nor after."""
    sim.clock(freeze=True)
    hosts = {
        name: {
            "ansible_connection": "quayside.paas.cycle_ssh",
            "ansible_cycle_container_id": container,
            "ansible_cycle_instance_id": instance,
            "ansible_python_interpreter": sys.executable,
        }
        for name, (container, instance) in instances(sim).items()
    }
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    one = CycleUser(tmp_path, sim)
    yield one
    for pid in one.masters():
        os.kill(pid, signal.SIGTERM)


def instance_of(me: CycleUser, name: str = ONE) -> str:
    return instances(me.sim)[name][1]


def events(sim: Simulator, *names: str) -> list[str]:
    """What the gateway was asked for, of the kinds named."""
    found = [entry["body"]["event"] for entry in sim.journal() if entry["method"] == "SSH"]
    return [event for event in found if event in names]


def raw(command: str, **more: Any) -> dict[str, Any]:
    return {"name": command, "ansible.builtin.raw": command, **more}


def play(hosts: str, *tasks: dict[str, Any], **more: Any) -> Play:
    return {"name": "Test", "hosts": hosts, "gather_facts": False, "tasks": list(tasks), **more}


def write(content: str, dest: str = "~/f", **more: Any) -> dict[str, Any]:
    return {"name": "Write", "ansible.builtin.copy": {"content": content, "dest": dest, "mode": "0600"}, **more}


def well(done: Done) -> Done:
    """Asserts that a run went well and that nobody saw a secret meanwhile."""
    assert done.code == 0, done.output[-4000:]
    assert not done.leaks
    return done


def test_credentials_are_created_once_for_each_host_whatever_runs_there(me: CycleUser) -> None:
    tasks = [
        raw("exit 7", register="told", failed_when="told.rc != 7"),
        {"name": "Ping", "ansible.builtin.ping": {}},
        write("{{ inventory_hostname }}"),
        {"name": "Read", "ansible.builtin.command": "cat f", "loop": [1, 2, 3]},
    ]
    done = well(me.play([play("all", *tasks), play("all", raw("true"))], "-vvvvv"))
    hosts = instances(me.sim)
    assert len(hosts) > 5
    assert set(done.recap) == set(hosts)
    assert me.created() == Counter(instance for _container, instance in hosts.values())
    assert len(events(me.sim, "login")) == len(hosts)
    assert ssh_requests(me.sim, "DELETE") == []
    assert not [secret for secret in me.secrets if secret in done.output]
    assert not me.files_with_secrets()
    assert not [path for path in Path(control_folder(me.folder)).glob("*.lock") if SSH_SECRET in path.read_text()]
    assert SSH_SECRET not in me.sim.log
    assert "leaked" not in done.output  # what Python says about shared memory that nobody has removed
    for pid in me.masters():
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert not [secret for secret in (me.sim.cycle.key, SSH_SECRET) if secret.encode() in environment]


def test_a_second_run_uses_the_connections_of_the_first(me: CycleUser) -> None:
    for _number in range(2):
        well(me.raw("true", "all"))
    assert set(me.created().values()) == {1}
    assert len(events(me.sim, "login")) == len(instances(me.sim))


def test_two_runs_at_once_share_connections(me: CycleUser) -> None:
    (me.folder / "play.yml").write_text(json.dumps([play("all", raw("true"), raw("sleep 1"), raw("true"))]))
    with (
        watched(me.secrets) as leaks,
        me.started("ansible-playbook", "play.yml") as one,
        me.started("ansible-playbook", "play.yml") as other,
    ):
        for process in (one, other):
            output, _nothing = process.communicate(timeout=limit(60))
            assert process.returncode == 0, output
    assert not leaks
    assert set(me.created().values()) == {1}
    assert len(events(me.sim, "login")) == len(instances(me.sim))


def test_all_hosts_may_delegate_to_one(me: CycleUser) -> None:
    well(me.play([play("all", raw("sleep 0.5; true", delegate_to=ONE), raw("true", delegate_to=ONE))]))
    assert me.created() == {instance_of(me): 1}


def test_a_gateway_that_limits_sessions_gets_more_connections(me: CycleUser) -> None:
    me.sim.cycle.settings(ssh={"sessions": 3})
    tasks = [raw("sleep 3; echo done", delegate_to=ONE), raw("true", delegate_to=ONE)]
    done = well(me.play([play("all", *tasks)]))
    assert {line["ok"] for line in done.recap.values()} == {2}
    assert 2 <= me.created()[instance_of(me)] <= 4
    assert events(me.sim, "session")


def test_a_gateway_that_takes_no_session_is_one_message(me: CycleUser) -> None:
    me.sim.fault("SSH", f"/{instance_of(me)}", {"status": 401}, times=None)
    done = me.raw("true")
    assert done.code == 4
    assert done.output.count("UNREACHABLE") == 1
    assert "failed" in done.output
    assert me.created() == {instance_of(me): 2}
    assert events(me.sim, "refused", "login") == ["refused"] * 2


def test_credentials_that_are_refused_are_created_again_once(me: CycleUser) -> None:
    me.sim.fault("SSH", f"/{instance_of(me)}", {"status": 401})
    well(me.raw("true"))
    assert me.created() == {instance_of(me): 2}
    assert events(me.sim, "refused", "login") == ["refused", "login"]


def kill_masters(me: CycleUser, number: int = signal.SIGKILL) -> None:
    """Ends the masters. After SIGKILL their control sockets are still there."""
    masters = me.masters()
    assert masters
    for pid in masters:
        os.kill(pid, number)
    wait_for(lambda: not me.masters(), "the end of the masters")


def test_a_master_that_has_gone_is_replaced_once(me: CycleUser) -> None:
    well(me.raw("true"))
    for created, number in ((2, signal.SIGKILL), (3, signal.SIGTERM)):
        kill_masters(me, number)
        well(me.raw("true"))
        assert me.created() == {instance_of(me): created}
    well(me.raw("true"))
    assert me.created() == {instance_of(me): 3}


def test_a_master_that_goes_between_two_items_of_a_task_is_replaced(me: CycleUser) -> None:
    items = {"loop": [1, 2], "loop_control": {"pause": 3}}
    (me.folder / "play.yml").write_text(json.dumps([play(ONE, raw("echo {{ item }} >> begun", **items))]))
    with me.started("ansible-playbook", "play.yml") as process:
        wait_for(lambda: "exit" in events(me.sim, "exit")[1:], "the first item")  # after the probe
        kill_masters(me)
        output, _nothing = process.communicate(timeout=limit(60))
    assert process.returncode == 0, output
    assert me.created() == {instance_of(me): 2}
    assert "1\r\n2" in me.raw("cat begun").output.replace("\n", "\r\n")


def test_credentials_that_somebody_expires_are_created_again(me: CycleUser) -> None:
    # The task of the guide; here the platform ends the sessions, too.
    me.sim.cycle.settings(ssh={"close_on_expire": True})
    ids = {name: f"{{{{ ansible_cycle_{name} }}}}" for name in ("container_id", "instance_id")}
    expire = {"name": "Expire", "quayside.paas.instance_ssh": {**ids, "state": "absent"}, "delegate_to": "localhost"}
    done = well(me.play([play(ONE, raw("true"), expire)]))
    assert done.recap[ONE]["changed"] == 2
    assert ssh_requests(me.sim, "DELETE") == [instance_of(me)]
    wait_for(lambda: not me.masters(), "the end of the connection")
    well(me.raw("true"))
    assert me.created() == {instance_of(me): 2}


def test_a_command_that_is_cut_is_not_run_again(me: CycleUser) -> None:
    flag = me.folder / "begun"
    with me.started("ansible", ONE, "-m", "ansible.builtin.raw", "-a", f"echo begun >> {flag}; sleep 60") as process:
        wait_for(flag.exists, "the command")
        kill_masters(me)
        output, _nothing = process.communicate(timeout=limit(30))
    assert "UNREACHABLE" in output
    assert "The command may have run, completely or in part" in output
    assert flag.read_text() == "begun\n"
    assert me.created() == {instance_of(me): 1}


@pytest.mark.parametrize(
    "variables",
    [
        {"SSH_ASKPASS_REQUIRE": "never"},
        {"SSH_ASKPASS_REQUIRE": "force", "SSH_ASKPASS": "/bin/false", "DISPLAY": ":77"},
        {"DISPLAY": ""},
        {"ANSIBLE_SSH_PASSWORD_MECHANISM": "disable"},
    ],
    ids=",".join,
)
def test_settings_of_the_user_do_not_decide_whether_the_login_works(me: CycleUser, variables: dict[str, str]) -> None:
    well(me.raw("true", **variables))
    assert me.created() == {instance_of(me): 1}


def test_connections_are_shared_whatever_the_user_sets(me: CycleUser) -> None:
    tasks = [raw("true"), raw("true")]
    well(me.play([play(ONE, *tasks)], ANSIBLE_SSH_ARGS="-o ControlMaster=no -o ControlPersist=no -o ControlPath=none"))
    assert me.created() == {instance_of(me): 1}


def test_reset_connection(me: CycleUser) -> None:
    reset = {"name": "Reset", "ansible.builtin.meta": "reset_connection"}
    well(me.play([play(ONE, reset, raw("true"), reset, raw("true"), reset)]))
    assert me.created() == {instance_of(me): 2}
    wait_for(lambda: me.sim.cycle.ssh()["connections"] == 0, "the end of the connections")
    assert events(me.sim, "login", "close") == ["login", "close"] * 2


def test_wait_for_connection(me: CycleUser) -> None:
    # The instance cannot be reached twice, that is for one attempt.
    me.sim.fault("GET", f"/v1/containers/*/instances/{instance_of(me)}/ssh", {"status": 409}, times=2)
    wait = {"name": "Wait", "ansible.builtin.wait_for_connection": {"timeout": 60, "sleep": 1}}
    well(me.play([play(ONE, wait, raw("true"))]))
    # Two were refused.
    assert me.created() == {instance_of(me): 3}


def test_add_host(me: CycleUser) -> None:
    container, instance = instances(me.sim)["checkout-api-1"]
    task = {
        "name": "Add",
        "ansible.builtin.add_host": {
            "name": "added",
            "groups": "new",
            "ansible_connection": "quayside.paas.cycle_ssh",
            "ansible_cycle_container_id": container,
            "ansible_cycle_instance_id": instance,
        },
    }
    done = well(me.play([play("localhost", task, connection="local"), play("new", raw("true"))]))
    assert done.recap["added"]["ok"] == 1
    assert me.created() == {instance: 1}


def test_an_idle_connection_ends(me: CycleUser) -> None:
    for number in (1, 2):
        well(me.raw("true", ONE, "-e", "ansible_cycle_idle_timeout=1"))
        wait_for(lambda: me.sim.cycle.ssh()["connections"] == 0, "the end of the connection")
        assert me.created() == {instance_of(me): number}


def test_check_mode_logs_in(me: CycleUser) -> None:
    done = well(me.play([play(ONE, {"name": "Ping", "ansible.builtin.ping": {}})], "--check"))
    assert done.recap[ONE]["ok"] == 1
    assert me.created() == {instance_of(me): 1}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_a_connection_for_the_next_one(me: CycleUser, number: int) -> None:
    flag = me.folder / "begun"
    command = ["ansible", ONE, "-m", "ansible.builtin.raw", "-a", f"touch {flag}; sleep 60"]
    with me.started(*command) as process:
        wait_for(flag.exists, "the command")
        os.killpg(process.pid, number)
        process.communicate(timeout=limit(30))
    # Nobody ends the worker of a controller that was killed; its command goes on beside the next one.
    if number != signal.SIGKILL:
        wait_for(lambda: me.sim.cycle.ssh()["sessions"] == 0, "the end of the command")
    well(me.raw("true"))
    assert me.created() == {instance_of(me): 1}


# Gateways


def only_a_shell(me: CycleUser) -> None:
    me.sim.cycle.settings(ssh={"exec": False, "sftp": False})


def test_a_gateway_with_only_a_shell_is_probed_once_for_each_host(me: CycleUser) -> None:
    only_a_shell(me)
    tasks = [
        raw("echo out; echo err >&2; exit 3", register="told", failed_when="told.rc != 3"),
        {
            "name": "Compare",
            "ansible.builtin.assert": {"that": ["told.stdout_lines == ['out']", "told.stderr_lines == ['err']"]},
        },
        write("äü\n" * 5000),
        {"name": "Fetch", "ansible.builtin.fetch": {"src": "~/f", "dest": FETCHED, "flat": True}},
    ]
    for pipelining in ("0", "1"):
        well(me.play([play("web-*", *tasks)], ANSIBLE_PIPELINING=pipelining))
    hosts = [name for name in instances(me.sim) if name.startswith("web-")]
    assert set(me.created().values()) == {1}
    assert len(events(me.sim, "exec")) == len(me.created()) == len(hosts)
    for name in hosts:
        assert (me.folder / f"back-{name}").read_text(encoding="utf-8") == "äü\n" * 5000


def test_a_gateway_without_sftp_is_asked_for_it_once(me: CycleUser) -> None:
    me.sim.cycle.settings(ssh={"sftp": False})
    for number in (1, 2):
        well(me.play([play(ONE, write("x", "~/{{ item }}", loop=[number, number + 2]))]))
    assert len(events(me.sim, "sftp")) == 1
    assert me.created() == {instance_of(me): 1}


@pytest.mark.parametrize("prepare", [lambda _me: None, only_a_shell], ids=["exec", "shell"])
def test_a_command_that_reads_ends_with_its_input(me: CycleUser, prepare: Callable[[CycleUser], None]) -> None:
    prepare(me)
    well(me.raw("cat; echo over"))


@pytest.mark.parametrize("prepare", [lambda _me: None, only_a_shell], ids=["exec", "shell"])
def test_a_container_without_the_usual_tools_is_one_message(
    me: CycleUser, prepare: Callable[[CycleUser], None]
) -> None:
    prepare(me)
    me.sim.cycle.settings(ssh={"tools": "posix"})
    done = me.run("ansible", ONE, "-m", "ansible.builtin.ping")
    assert done.code == 2
    assert done.output.count("FAILED!") == 1
    assert re.search(r"has no [\w, ]+\. Ansible needs a POSIX shell and the usual tools there", done.output)


def test_a_gateway_that_is_slow_is_one_message(me: CycleUser) -> None:
    me.sim.cycle.settings(ssh={"delay": 600})
    done = me.raw("true", ONE, "-e", "ansible_ssh_timeout=2")
    assert done.code == 4
    assert done.output.count("UNREACHABLE!") == 1
    assert "it took longer than 6 seconds. Nothing was run there." in done.output
    assert me.created() == {instance_of(me): 1}


def test_a_gateway_with_another_host_key_gets_no_password(me: CycleUser) -> None:
    other = "AAAAC3NzaC1lZDI1NTE5AAAAINiY/UxRJeVmqLsH25jd2LdAHp1gDMdTPtcBEO1zCMZs"
    known = me.folder / "known_hosts"
    known.write_text(f"[127.0.0.1]:{me.sim.cycle.ssh_port} ssh-ed25519 {other}\n")
    done = me.raw("true")
    assert done.code == 4
    assert f"remove the old one with ssh-keygen -R '[127.0.0.1]:{me.sim.cycle.ssh_port}'" in done.output
    assert events(me.sim, "login", "refused") == []
    known.write_text("")
    done = me.raw("true", ONE, "-e", "ansible_cycle_host_keys=strict")
    assert "the host key of the gateway is unknown or has changed" in done.output
    assert events(me.sim, "login", "refused") == []
