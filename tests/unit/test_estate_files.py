# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report: what the platforms send stays text, and nothing is cut without a word."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.quayside.paas.plugins.filter.estate_report import estate_report

FOLDER = str(Path(__file__).resolve().parents[2] / "roles" / "estate_report" / "files")
HOSTILE = [
    "<script>alert(1)</script>",
    "</style></script><img src=x onerror=alert(1)>",
    '"><b id=\'x\' onclick="alert(1)">',
    "{{ 7*7 }}{% raw %}",
    "\u202egnp.exe\u2066\x00\x07",
    '=HYPERLINK("http://evil.example")',
    "javascript:alert(1)",
    "&lt;b&gt;&amp;",
    "line\nbreak\ttab",
    "x" * 10_000,
    "\ud800 lone",
]


class Page(HTMLParser):
    """Collects what acts or is shown."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def raw(names: list[str], amount: int = 1) -> dict[str, Any]:
    """An estate in which everything is called like this."""
    every = [name for name in names for _time in range(amount)]
    projects = [{"id": f"p{place}", "name": name} for place, name in enumerate(names)]
    child = {"project_id": "p0", "addon_id": "a0", "created_at": "2026-11-01T08:00:00Z"}
    state = {"current": "running", "error": {"message": names[0]}}
    return {
        "northflank": {
            "projects": {"projects": projects},
            "addons": {
                "addons": [
                    {
                        "project_id": "p0",
                        "id": f"a{place}",
                        "name": name,
                        "status": name,
                        "spec": {"type": name, "config": {"version_tag": name, "lifecycle_status": name}},
                    }
                    for place, name in enumerate(every)
                ]
            },
            "addon_containers": {
                "containers": [{**child, "name": name, "status": name, "node_name": name} for name in every]
            },
            "backups": {"backups": [{**child, "id": name, "name": name, "status": name} for name in every]},
            "restores": {"restores": [{**child, "backup_id": name, "id": name, "status": "failed"} for name in every]},
            "templates": {"templates": [{"id": name, "name": name} for name in names]},
            "template_runs": {
                "template_runs": [
                    {
                        "template_id": name,
                        "name": name,
                        "id": name,
                        "status": "failure",
                        "concluded": True,
                        "created_at": "2026-11-01 08:00:00Z",
                    }
                    for name in every
                ]
            },
            "run_details": {
                "template_runs": [
                    {
                        "template_id": name,
                        "id": name,
                        "spec": {"kind": name, "response": {"status": "failure", "error": {"message": name}}},
                    }
                    for name in names
                ]
            },
            "versions": {"msg": names[0]},
        },
        "cycle": {
            "environments": {"environments": [{"id": "e", "name": names[0]}]},
            "servers": {
                "servers": [
                    {
                        "id": name,
                        "hostname": name,
                        "nickname": name,
                        "state": state,
                        "included": {"location": {"name": name}},
                    }
                    for name in every
                ]
            },
            "containers": {
                "containers": [
                    {
                        "id": name,
                        "name": name,
                        "environment": {"id": name},
                        "state": state,
                        "config": {"deploy": {"strategy": name}},
                    }
                    for name in every
                ]
            },
            "instances": {
                "instances": [
                    {
                        "id": name,
                        "hostname": name,
                        "server_id": name,
                        "container_id": name,
                        "state": {"current": "failed", "error": {"message": name}},
                    }
                    for name in every
                ]
            },
            "telemetry": {"msg": names[0]},
        },
    }


def files(estate: dict[str, Any], title: str = "Estate report", **options: Any) -> dict[str, str]:
    found: dict[str, str] = estate_report(estate, now="2026-11-02T08:00:00Z", title=title, folder=FOLDER, **options)[
        "files"
    ]
    return found


@pytest.fixture(scope="module")
def hostile() -> dict[str, str]:
    return files(raw(HOSTILE), title=HOSTILE[0] + HOSTILE[4])


def test_nothing_from_the_platforms_acts(hostile: dict[str, str]) -> None:
    page = Page(hostile["html"])
    kinds = {tag for tag, _attributes in page.tags}
    assert not kinds & {"img", "iframe", "object", "embed", "form", "base", "b"}
    assert [tag for tag, _attributes in page.tags].count("script") == 1
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        for name in ("href", "src"):
            target = attributes.get(name) or ""
            assert target.startswith("#") or target in ("", "data:,", "estate.json", "estate.csv"), (tag, target)
    shown = "".join(page.words)
    assert "<script>alert(1)</script>" in shown
    assert "{{ 7*7 }}{% raw %}" in shown
    assert "&lt;b&gt;&amp;" in shown


def test_names_cannot_disguise_themselves_or_flood_the_page(hostile: dict[str, str]) -> None:
    assert not re.findall("[\u202a-\u202e\u2066-\u2069\x00\x07]", hostile["html"])
    assert "x" * 500 not in hostile["html"]
    assert "x" * 10_000 in hostile["json"]
    assert "x" * 10_000 in hostile["csv"]


def test_the_policy_allows_this_style_and_this_script_only(hostile: dict[str, str]) -> None:
    html = hostile["html"]
    policy = next(attributes["content"] for tag, attributes in Page(html).tags if "http-equiv" in attributes)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    for kind, element in (("style", "style"), ("script", "script")):
        content = re.findall(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)
        assert len(content) == 1
        checksum = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{checksum}'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"https?://(?!www\.gnu\.org)", html.replace("http://evil.example", ""))


def test_csv_has_every_row_and_no_formula(hostile: dict[str, str]) -> None:
    lines = list(csv.reader(io.StringIO(hostile["csv"])))
    report = json.loads(hostile["json"])
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 1 + 2 + sum(len(rows) for rows in report["tables"].values())
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@", "\t", "\n"))]
    assert any(cell.startswith("'=HYPERLINK") for line in lines for cell in line)


def test_json_is_the_report() -> None:
    found = estate_report(raw(["a"]), now="2026-11-02T08:00:00Z", folder=FOLDER)
    assert json.loads(found["files"]["json"]) == found["report"]


def test_without_a_folder_there_are_no_files() -> None:
    assert estate_report(raw(["a"]), now="2026-11-02T08:00:00Z")["files"] == {}


def test_what_is_left_out_is_counted() -> None:
    page = files(raw(["a", "b"], amount=30), rows=10)
    words = " ".join("".join(Page(page["html"]).words).split())
    assert "50 more rows, some with findings, are in estate.csv" in words
    assert re.search(r"[0-9]+ more findings are in", words)
    report = json.loads(page["json"])
    links = set(re.findall(r'href="#([a-z-]+-[0-9]+)"', page["html"]))
    anchors = set(re.findall(r'<tr role="row" id="([^"]+)"', page["html"]))
    assert links
    assert links <= anchors
    assert len(report["tables"]["addons"]) == 60


def test_ten_thousand_rows_make_a_page_that_opens() -> None:
    page = files(raw([f"name {number}" for number in range(10)], amount=130))
    assert len(page["html"]) < 6_000_000
    assert page["csv"].count("\n") > 10_000


def test_nothing_to_report() -> None:
    estate = {"northflank": {"projects": {"projects": []}, "addons": {"addons": []}}, "cycle": None}
    words = " ".join("".join(Page(files(estate)["html"]).words).split())
    assert "Everything within limits" in words
    assert "There is nothing of this kind." in words
    assert "Cycle: not asked for" in words


def test_what_was_not_read_is_said() -> None:
    estate = {"northflank": {"projects": {"msg": "Connection refused."}}, "cycle": None}
    words = " ".join("".join(Page(files(estate)["html"]).words).split())
    assert "Northflank was not read" in words
    assert "Connection refused." in words
    assert "Not read, or not in full: see why" in words


def test_a_folder_without_the_parts_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="cannot read the parts of the page"):
        estate_report(raw(["a"]), now="2026-11-02", folder="/nowhere")
