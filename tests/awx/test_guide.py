# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide "Northflank and Cycle in AWX": its commands, run as written in a fresh clone, and what it says of the data.

In the guide, a comment ``.. run`` stands before commands that are run, ``.. file: PATH`` before what the reader is told
to save there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import runner_jobs
import yaml
from runner_jobs import data_of

from support.playbook import COLLECTION, environment

GUIDE = (COLLECTION / "docs" / "docsite" / "rst" / "awx_guide.rst").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"^\.\. (?P<mark>run|file: (?P<path>\S+))\n\n\.\. code-block:: \S+\n\n(?P<text>(?:    .*\n|\n)+)", re.M
)
# What the reader has before the first command that is run: the folder, an environment that is active.
BEGIN = "set -eu\nset -o pipefail\n"


def script() -> str:
    """All marked parts of the guide as one shell script."""
    parts = [BEGIN]
    for block in BLOCK.finditer(GUIDE):
        text = textwrap.dedent(block["text"]).strip()
        if block["path"]:
            parts.append(f"cat > {block['path']} <<'END OF FILE'\n{text}\nEND OF FILE\n")
            continue
        for line in text.splitlines():
            prompt, _blank, command = line.partition(" ")
            assert prompt == "$", line
            parts.append(f"echo {shlex.quote(line)}\n{command}\n")
    return "".join(parts)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone in which the guide was followed. Its output is in the file output, beside it."""
    folder = tmp_path_factory.mktemp("guide")
    place = folder / "quayside.paas"
    shutil.copytree(COLLECTION, place, ignore=shutil.ignore_patterns(*runner_jobs.NOT_IN_GIT), symlinks=True)
    inherited = environment(folder)
    variables = {name: value for name, value in inherited.items() if not name.startswith("ANSIBLE_")}
    variables.pop("PYTHONPATH", None)
    variables |= {
        "HOME": str(folder),
        "VIRTUAL_ENV": sys.prefix,
        "PATH": f"{runner_jobs.PROGRAMS}:{os.environ['PATH']}",
    }
    try:
        with (folder / "output").open("w") as output:
            subprocess.run(
                ["bash", "-c", script()], cwd=place, env=variables, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, check=False, timeout=240,
            )  # fmt: skip
        yield place
    finally:
        for ready in folder.glob(".cache/quayside-paas-simulator/ready.json"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(json.loads(ready.read_text(encoding="utf-8"))["pid"], signal.SIGTERM)


def test_its_commands_work_in_a_fresh_clone(clone: Path) -> None:
    output = (clone.parent / "output").read_text(encoding="utf-8")
    # The last command is the last one that was run, and it went well.
    last = [line for line in script().splitlines() if line.startswith("echo '$ ")][-1]
    assert shlex.split(last)[1] in output, output[-4000:]
    assert output.rstrip().endswith("estate.json"), output[-4000:]
    assert "requests>=" in output
    assert "FAILED" not in output
    assert "UNREACHABLE" not in output
    assert "ERROR" not in output


def test_its_commands_make_what_it_says(clone: Path) -> None:
    context = clone / "build" / "ee"
    assert (context / "Containerfile").is_file()
    assert list(context.glob("_build/archives/quayside-paas-*.tar.gz"))
    hosts = {
        platform: set(
            json.loads((clone / "build" / f"{platform}.json").read_text(encoding="utf-8"))["_meta"]["hostvars"]
        )
        for platform in ("northflank", "cycle")
    }
    assert hosts["northflank"]
    assert hosts["cycle"]
    assert not hosts["northflank"] & hosts["cycle"]
    for name in ("orders-postgres-0.storefront.northflank", "web-1.production.cycle"):
        assert name in hosts["northflank"] | hosts["cycle"]
        assert f"``{name}``" in GUIDE
    for kind in ("html", "json", "csv"):
        assert (clone / "build" / "estate-report" / f"estate.{kind}").stat().st_size > 1000


# What it says of the data in extensions/awx


def test_it_names_what_there_is_to_make() -> None:
    data = data_of("project")
    inventories = data_of("inventories")
    names = [each["name"] for each in data_of("credential_types") + data_of("job_templates") + data_of("schedules")]
    names += [each["name"] for each in data["credentials"] + inventories["inventory_sources"]]
    names += [
        data["project"]["name"],
        data["execution_environment"]["name"],
        *(each["name"] for each in inventories["inventories"]),
    ]
    names += [data_of("workflow")["workflow_job_template"]["name"]]
    text = " ".join(GUIDE.split())
    assert not [name for name in names if f"*{name}*" not in text]
    assert not [
        each["source_path"] for each in inventories["inventory_sources"] if f"``{each['source_path']}``" not in text
    ]
    assert data["project"]["scm_url"] in text


def test_its_fields_of_the_forms_have_the_values_of_the_data() -> None:
    text = " ".join(GUIDE.split())
    project = data_of("project")["project"]
    assert f"Branch: ``{project['scm_branch']}``" in text
    assert f"Cache timeout: {project['scm_update_cache_timeout']}" in text
    for source in data_of("inventories")["inventory_sources"]:
        assert f"cache timeout {source['options']['update_cache_timeout']}" in text
        assert all(source["options"][name] for name in ("overwrite", "overwrite_vars", "update_on_launch"))
    sliced = {each["name"] for each in data_of("job_templates") if each["ask_job_slice_count_on_launch"]}
    assert sliced == {"Quayside task in containers"}
    for name, value in data_of("workflow")["workflow_job_template"]["extra_vars"].items():
        assert f" {name}: {value}\n" in GUIDE


def test_its_files_and_versions_are_those_of_the_collection() -> None:
    version = yaml.safe_load((COLLECTION / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert set(re.findall(r"quayside-paas-([\d.]+)\.tar", GUIDE)) == {version}
    assert set(re.findall(r"quayside-ee:([\d.]+\d)", GUIDE)) == {version}
    paths = re.findall(r"``(extensions/[\w./-]+)``", GUIDE)
    assert paths
    assert not [path for path in paths if not (COLLECTION / path).exists() and not path.endswith("known_hosts")]
