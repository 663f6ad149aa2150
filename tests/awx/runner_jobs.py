# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inventory updates and jobs the way AWX does: private data directory, injected credentials, ansible-runner.

What AWX keeps in its database is here in dataclasses, and the container of the execution environment is a process with
a home and collections of its own. The rest is done as AWX does it. Names like tasks/jobs.py are files of its sources,
https://github.com/ansible/awx, below awx/main.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ansible_runner
import yaml
from awx_plugins.interfaces import _temporary_private_inject_api as injection
from awx_plugins.interfaces._temporary_private_api import ManagedCredentialType
from awx_plugins.interfaces._temporary_private_credential_api import Credential as Inputs

from support.playbook import COLLECTION, environment
from support.simulator import Simulator

PROGRAMS = Path(sys.executable).parent
DATA = COLLECTION / "extensions" / "awx"
# Where a job finds its private data directory, and the collections of the execution environment.
RUNNER, SHARED_COLLECTIONS = "/runner", "/usr/share/ansible/collections"

# settings/defaults.py: every setting that begins with ANSIBLE_ goes into the environment of every job.
SETTINGS = {
    "ANSIBLE_FORCE_COLOR": "True",
    "ANSIBLE_HOST_KEY_CHECKING": "False",
    "ANSIBLE_PARAMIKO_RECORD_HOST_KEYS": "False",
}
# constants.py: STANDARD_INVENTORY_UPDATE_ENV
INVENTORY_UPDATE = {
    "ANSIBLE_HOST_PATTERN_MISMATCH": "error",
    "ANSIBLE_INVENTORY_EXPORT": "True",
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
    "ANSIBLE_VERBOSE_TO_STDERR": "True",
}
RUNNER_SETTINGS = {"job_timeout": 0, "suppress_ansible_output": True, "suppress_output_file": True}
# What a checkout does not have.
NOT_IN_GIT = (".git", ".cache", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", "*.tar.gz", "output")

_numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Site:
    """Where jobs run. folder: for private data directories. project: the checkout. collections: those of the execution
    environment. home: of the user in it."""

    folder: Path
    project: Path
    collections: Path
    home: Path


@dataclasses.dataclass(frozen=True)
class Credential:
    """A credential. kind: its type, with name, inputs and injectors as the data of AWX has them."""

    kind: Mapping[str, Any]
    inputs: Mapping[str, Any]


@dataclasses.dataclass
class Inventory:
    """What AWX keeps of an inventory: the variables of hosts by name; hosts, children and vars of groups by name."""

    hosts: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Job:
    """A job when it is launched. template_vars: the extra variables of the template; launch_vars: those of survey and
    workflow. slice_number: 1 to slice_count."""

    playbook: str
    inventory: Inventory
    credentials: Sequence[Credential] = ()
    template_vars: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    launch_vars: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    limit: str = ""
    verbosity: int = 0
    forks: int = 0
    job_type: str = "run"
    slice_number: int = 1
    slice_count: int = 1


@dataclasses.dataclass(frozen=True)
class Prepared:
    """A private data directory, and what ansible-runner is called with."""

    private: Path
    parameters: dict[str, Any]
    collections: str


@dataclasses.dataclass
class Running:
    """A job that runs, or ran. private: the directory in the execution environment. status: as ansible-runner has it.

    process: the execution environment, with ansible-runner's worker in it. events: all job events so far. explanation:
    what AWX shows as such, and as traceback.
    """

    private: Path
    process: subprocess.Popen[bytes]
    events: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    status: str = "unstarted"
    explanation: str = ""

    @property
    def stdout(self) -> str:
        """The output of the job as AWX shows it."""
        return "\n".join(event["stdout"] for event in self.events if event.get("stdout"))

    @property
    def artifacts(self) -> dict[str, Any]:
        """What set_stats left: tasks/callback.py, event_handler()."""
        for event in self.events:
            if found := event.get("event_data", {}).get("artifact_data"):
                return dict(found)
        return {}

    @property
    def recap(self) -> dict[str, set[str]]:
        """Which hosts were ok, dark (unreachable), had failures and so on, from the last event."""
        data = next((each["event_data"] for each in self.events if each["event"] == "playbook_on_stats"), {})
        return {kind: set(data.get(kind, {})) for kind in ("ok", "changed", "dark", "failures", "processed")}

    def results(self, task: str) -> dict[str, dict[str, Any]]:
        """The results of a task that went well, by host."""
        wanted = [each["event_data"] for each in self.events if each["event"] == "runner_on_ok"]
        return {data["host"]: data["res"] for data in wanted if data["task"] == task}


def data_of(name: str) -> Any:
    """A file of extensions/awx."""
    return yaml.safe_load((DATA / f"{name}.yml").read_text(encoding="utf-8"))


# Credentials


def inject(credentials: Sequence[Credential], env: dict[str, Any], args: list[str], private: Path) -> None:
    """Adds what the credentials inject, with the code of AWX itself."""
    for credential in credentials:
        kind = ManagedCredentialType(
            namespace=credential.kind["name"].lower(),
            name=credential.kind["name"],
            kind="cloud",
            inputs=dict(credential.kind["inputs"]),
            injectors=dict(credential.kind["injectors"]),
        )
        injection.inject_credential(kind, Inputs(dict(credential.inputs)), env, {}, args, str(private))


def for_the_display(env: Mapping[str, Any]) -> dict[str, Any]:
    """An environment as AWX shows it with a job: models/credential.py, build_safe_env()."""
    safe: dict[str, Any] = injection.build_safe_env(dict(env))
    return safe


# Private data directories


def private_directory(site: Site, number: int) -> Path:
    """A private data directory with the project in it: tasks/jobs.py, build_private_data_dir()."""
    private = Path(tempfile.mkdtemp(prefix=f"awx_{number}_", dir=site.folder))
    for name in ("inventory", "env", "cp"):
        (private / name).mkdir(mode=0o700)
    shutil.copytree(site.project, private / "project", ignore=shutil.ignore_patterns(*NOT_IN_GIT), symlinks=True)
    return private


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Writes a file of a private data directory."""
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def prepare_update(site: Site, source: str, credentials: Sequence[Credential], verbosity: int = 0) -> Prepared:
    """What AWX gives to ansible-runner for an inventory source: tasks/jobs.py, RunInventoryUpdate.

    source: a file of the project.
    """
    number = next(_numbers)
    private = private_directory(site, number)
    path = f"{RUNNER}/project/{source}"
    args = ["ansible-inventory", "--list", "--export", "-i", path]
    args += ["--output", f"{RUNNER}/artifacts/{number}/output.json", "--playbook-dir", os.path.dirname(path)]
    if verbosity:
        args += ["-" + "v" * min(5, verbosity * 2 + 1)]
    collections = f"{RUNNER}/requirements_collections:~/.ansible/collections:{SHARED_COLLECTIONS}"
    env = {**SETTINGS, **INVENTORY_UPDATE, "INVENTORY_SOURCE_ID": "1", "INVENTORY_UPDATE_ID": str(number)}
    env |= {"AWX_PRIVATE_DATA_DIR": str(private), "ANSIBLE_COLLECTIONS_PATH": collections}
    inject(credentials, env, args, private)
    write(private / "args", " ".join(args))
    write(private / "env" / "settings", json.dumps(RUNNER_SETTINGS))
    return Prepared(private, parameters(private, number, env), str(site.collections))


def prepare(site: Site, job: Job) -> Prepared:
    """What AWX gives to ansible-runner for a job: tasks/jobs.py, RunJob."""
    number = next(_numbers)
    private = private_directory(site, number)
    collections = f"{RUNNER}/requirements_collections:~/.ansible/collections:{SHARED_COLLECTIONS}"
    env = {
        **SETTINGS,
        "AWX_PRIVATE_DATA_DIR": str(private),
        "JOB_ID": str(number),
        "INVENTORY_ID": "1",
        "PROJECT_REVISION": "0" * 40,
        "MAX_EVENT_RES": "700000",
        "AWX_HOST": "https://towerhost",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{RUNNER}/cp",
        "ANSIBLE_COLLECTIONS_PATH": collections,
        "ANSIBLE_ROLES_PATH": ":".join(
            [f"{RUNNER}/requirements_roles", "~/.ansible/roles", "/usr/share/ansible/roles"]
        ),
    }
    args = arguments(job)
    inject(job.credentials, env, args, private)
    meta = {f"{name}_{key}": value for name in ("awx", "tower") for key, value in
            {"job_id": number, "job_launch_type": "manual", "user_name": "admin"}.items()}  # fmt: skip
    extra_vars = {**job.template_vars, **job.launch_vars, **meta}
    write(private / "env" / "extravars", extra_vars_file(extra_vars, job.template_vars))
    write(private / "env" / "cmdline", ansible_runner.utils.args2cmdline(*args))
    write(private / "env" / "settings", json.dumps(RUNNER_SETTINGS))
    text = json.dumps(script_data(job.inventory, job.slice_number, job.slice_count))
    script = f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({text!r})\n"
    write(private / "inventory" / "hosts", script, 0o700)
    found = parameters(private, number, env)
    found |= {"playbook": job.playbook, "inventory": str(private / "inventory" / "hosts")}
    return Prepared(private, found, str(site.collections))


def parameters(private: Path, number: int, env: dict[str, Any]) -> dict[str, Any]:
    """The arguments of ansible_runner.run() that all kinds have: tasks/jobs.py, BaseTask.run()."""
    return {
        "ident": number,
        "private_data_dir": str(private),
        "suppress_env_files": True,
        "envvars": env,
        "fact_cache_type": "",
    }


def arguments(job: Job) -> list[str]:
    """The command line without the playbook: tasks/jobs.py, RunJob.build_args(). There is always a user, and he is
    root where no machine credential has another one."""
    args = ["--check"] if job.job_type == "check" else []
    args += ["-u", "root"]
    if job.forks:
        args += [f"--forks={job.forks}"]
    if job.limit:
        args += ["-l", job.limit]
    if job.verbosity:
        args += ["-" + "v" * min(5, job.verbosity)]
    return args


class UnsafeDumper(yaml.SafeDumper):
    """Marks each text so that Ansible takes it for no template."""

    def represent_data(self, data: Any) -> yaml.Node:
        """The node of a value."""
        if isinstance(data, str):
            return self.represent_scalar("!unsafe", data)
        return super().represent_data(data)


def extra_vars_file(extra_vars: Mapping[str, Any], template_vars: Mapping[str, Any]) -> str:
    """env/extravars: utils/safe_yaml.py, safe_dump(). Only what the template says itself may be a template.

    From ansible-core 2.19 on, text marked in this way becomes what YAML takes it for: an empty one is null.
    """
    text = ""
    for name, value in extra_vars.items():
        is_trusted = name in template_vars and template_vars[name] == value
        text += yaml.dump({name: value}, Dumper=yaml.SafeDumper if is_trusted else UnsafeDumper)
    return text


# Inventories


def save(inventory: Inventory, exported: Mapping[str, Any]) -> None:
    """Takes over what an inventory update found: utils/mem_inventory.py, dict_to_mem_data(), and inventory_import.py.

    A host name with one colon would be taken for name and port.
    """
    for name, group in exported.items():
        if name == "_meta":
            continue
        known = inventory.groups.setdefault(name, {"hosts": [], "children": [], "vars": {}})
        for host in group.get("hosts", []):
            assert host.count(":") != 1, host
            inventory.hosts.setdefault(host, {})
            if host not in known["hosts"]:
                known["hosts"].append(host)
        for child in group.get("children", []):
            if child not in known["children"]:
                known["children"].append(child)
        known["vars"].update(group.get("vars", {}))
    for name, variables in exported["_meta"]["hostvars"].items():
        inventory.hosts[name].update(variables)


def script_data(inventory: Inventory, slice_number: int = 1, slice_count: int = 1) -> dict[str, Any]:
    """What an inventory is to a job: models/inventory.py, get_script_data(). Slices are every n-th host by name."""
    names = sorted(inventory.hosts)
    if slice_count > 1:
        names = names[slice_number - 1 :: slice_count]
    real = {name: group for name, group in inventory.groups.items() if name not in ("all", "ungrouped")}
    grouped = {host for group in real.values() for host in group["hosts"]}
    data: dict[str, Any] = {"all": {"hosts": [name for name in names if name not in grouped], "children": list(real)}}
    if variables := inventory.groups.get("all", {}).get("vars"):
        data["all"]["vars"] = variables
    for name, group in real.items():
        found = {"hosts": [host for host in group["hosts"] if host in names], "children": group["children"]}
        info = {key: value for key, value in {**found, "vars": group["vars"]}.items() if value}
        if info:
            data[name] = info
    numbers = {name: number for number, name in enumerate(inventory.hosts, 1)}
    data["_meta"] = {"hostvars": {}}
    for name in names:
        own = {"remote_tower_enabled": "true", "remote_tower_id": numbers[name]}
        data["_meta"]["hostvars"][name] = copy.deepcopy(inventory.hosts[name]) | own
    return data


# Surveys and workflows


def answered(survey: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """The variables that a survey gives: models/mixins.py, _update_unified_job_kwargs(). Raises ValueError.

    Answers to questions that are not in the survey are refused, as AWX does where variables are not asked for.
    """
    questions = {question["variable"]: question for question in survey["spec"]}
    if unknown := set(answers) - set(questions):
        raise ValueError(f"Variables {sorted(unknown)} are not allowed on launch")
    if missing := [name for name, each in questions.items() if each["required"] and name not in answers
                   and each.get("default") in (None, "")]:  # fmt: skip
        raise ValueError(f"{missing} value missing")
    defaults = {name: each["default"] for name, each in questions.items() if each.get("default") is not None}
    valid = {name: value for name, value in defaults.items() if not problem(questions[name], value)}
    if problems := [found for name, value in answers.items() if (found := problem(questions[name], value))]:
        raise ValueError("; ".join(problems))
    return {**valid, **answers}


def problem(question: Mapping[str, Any], value: Any) -> str:
    """What AWX has against an answer; empty for nothing: models/mixins.py, _survey_element_validation()."""
    kinds: dict[str, tuple[type, ...]] = {"integer": (int,), "float": (int, float), "multiselect": (list,)}
    kind = question["type"]
    if type(value) not in kinds.get(kind, (str,)):
        return f"Value {value} for {question['variable']} is of the wrong type"
    size = len(value) if kind in ("text", "textarea", "password") else value
    choices = question.get("choices") or []
    choices = choices.split("\n") if isinstance(choices, str) else choices
    wrong = {
        "is too small": kind in ("text", "textarea", "password", "integer", "float")
        and question.get("min") not in ("", None)
        and size < question["min"],
        "is too large": kind in ("text", "textarea", "password", "integer", "float")
        and question.get("max") not in ("", None)
        and size > question["max"],
        "is no choice": kind == "multiplechoice" and value not in choices,
        "has what is no choice": kind == "multiselect" and not set(value) <= set(choices),
    }
    return next((f"{question['variable']} {text}" for text, is_so in wrong.items() if is_so), "")


def node_vars(
    node: Mapping[str, Any], ancestors: Sequence[Running], workflow: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The variables that a job gets in a workflow: models/workflow.py, get_job_kwargs(). What the node says comes
    first, then the artifacts of the jobs before it, then the variables of the workflow itself."""
    found = dict(node)
    for job in ancestors:
        found.update({name: value for name, value in job.artifacts.items() if name != "_ansible_no_log"})
    return found | dict(workflow or {})


# Running


@contextlib.contextmanager
def started(site: Site, prepared: Prepared) -> Iterator[Running]:
    """Runs what is prepared, as tasks/receptor.py does on another node: ansible-runner transmits it to a worker, and
    processes what that sends. At the end of the block the worker is waited for, and told to end when the block failed.
    Then its container ends: whatever is left of it is killed."""
    private = Path(tempfile.mkdtemp(prefix="r-", dir=site.folder))
    process = subprocess.Popen(
        ["ansible-runner", "worker", f"--private-data-dir={private}"],
        env=in_execution_environment(site, private),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    running = Running(private, process)
    with process.stdin as pipe:
        ansible_runner.interface.run(streamer="transmit", _output=pipe, **there(prepared, private))
    reader = threading.Thread(target=process_stream, args=(running, prepared), daemon=True)
    reader.start()
    try:
        yield running
        process.wait(timeout=120)
        reader.join(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)
        end_container(running)
        process.stdout.close()


def end_container(running: Running) -> None:
    """Kills what is left of a job. Raises TimeoutError when something does not end."""
    deadline = time.monotonic() + 10
    while left := processes_of(running):
        if time.monotonic() > deadline:
            raise TimeoutError(f"processes {left} do not end")
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.05)


def processes_of(running: Running) -> list[int]:
    """The processes of a job: those that have its private data directory in their environment."""
    mark = str(running.private).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def process_stream(running: Running, prepared: Prepared) -> None:
    """Takes what a worker sends until it is all there."""
    keep = ("ident", "private_data_dir")

    def take_event(event: dict[str, Any]) -> bool:
        running.events.append(event)
        return False  # AWX keeps events in its database

    def take_status(data: dict[str, Any], **_nothing: Any) -> None:
        running.status = data["status"]
        running.explanation += data.get("job_explanation", "") + data.get("result_traceback", "")

    ansible_runner.interface.run(
        streamer="process",
        quiet=True,
        _input=running.process.stdout,
        event_handler=take_event,
        status_handler=take_status,
        **{name: prepared.parameters[name] for name in keep},
    )


def run(site: Site, job: Job) -> Running:
    """Runs a job to its end."""
    with started(site, prepare(site, job)) as running:
        pass
    return running


def update(site: Site, source: str, credentials: Sequence[Credential], verbosity: int = 0) -> tuple[Running, Any]:
    """Updates an inventory source. Returns the run, and what AWX would save of it; None when it failed."""
    prepared = prepare_update(site, source, credentials, verbosity)
    with started(site, prepared) as running:
        pass
    output = prepared.private / "artifacts" / str(prepared.parameters["ident"]) / "output.json"
    return running, json.loads(output.read_text(encoding="utf-8")) if output.exists() else None


def there(prepared: Prepared, private: Path) -> dict[str, Any]:
    """The parameters with the paths of a container made paths of this machine, in files too."""
    places = {RUNNER: str(private), SHARED_COLLECTIONS: prepared.collections}

    def moved(text: str) -> str:
        for inside, outside in places.items():
            text = text.replace(f"{inside}/", f"{outside}/") if inside == RUNNER else text.replace(inside, outside)
        return text

    for name in ("args", "env/cmdline"):
        path = prepared.private / name
        if path.exists():
            write(path, moved(path.read_text(encoding="utf-8")))
    env = {name: moved(value) for name, value in prepared.parameters["envvars"].items()}
    return {**prepared.parameters, "envvars": env}


def in_execution_environment(site: Site, private: Path) -> dict[str, str]:
    """The environment of a worker: programs, a home, nothing of the developer's."""
    found = {name: value for name, value in environment(site.home).items() if not name.startswith("ANSIBLE_")}
    found.pop("PYTHONPATH", None)  # where the tests may have the collection from
    return {
        **found,
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "HOME": str(site.home),
        "TMPDIR": str(site.home),
    }


def credentials_of(sim: Simulator, types: Mapping[str, Mapping[str, Any]]) -> dict[str, Credential]:
    """Credentials of both types for a simulator."""
    return {
        "Northflank": Credential(types["Northflank"], {"api_token": sim.token, "api_url": sim.url}),
        "Cycle": Credential(
            types["Cycle"], {"api_key": sim.cycle.key, "hub_id": sim.cycle.hub, "api_url": sim.cycle.url}
        ),
    }
