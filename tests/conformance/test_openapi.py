# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks against an OpenAPI file, on a small one: nothing that is wrong goes unseen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import openapi

ID = "651586fca6078e98982dbd90"
PATH = f"/v1/containers/{ID}/instances"
SMALL = """
openapi: 3.1.0
info: {title: small, version: "1"}
paths:
  /v1/containers/{containerId}/instances:
    get:
      operationId: getInstances
      parameters:
        - {name: containerId, in: path, required: true, schema: {type: string}}
        - {name: include, in: query, explode: false, schema: {type: array, items: {type: string, enum: [a, b]}}}
        - {name: meta, in: query, schema: {type: array, items: {type: string, enum: [node, ips]}}}
        - {name: filter, in: query, style: deepObject, explode: true, schema: {$ref: "#/components/schemas/Filter"}}
        - {$ref: "#/components/parameters/Page"}
      responses: &answers
        "200":
          content: {application/json: {schema: {type: object, required: [data], properties: {data: {
            type: array, items: {$ref: "#/components/schemas/Instance"}}}}}}
        default: {$ref: "#/components/responses/Error"}
    delete:
      operationId: deleteContainerInstances
      parameters: [{name: containerId, in: path, required: true, schema: {type: string}}]
      responses: *answers
  /v1/containers/{containerId}/tasks:
    parameters: [{name: containerId, in: path, required: true, schema: {$ref: "#/components/schemas/ID"}}]
    post:
      operationId: createContainerJob
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Task"}}}}
      responses: *answers
  /v1/jobs/latest:
    get: {operationId: getLatestJobs, responses: *answers}
  /v1/jobs/{jobId}:
    get:
      operationId: getJob
      parameters: [{name: jobId, in: path, required: true, schema: {type: string}}]
      responses: *answers
components:
  parameters:
    Page:
      {name: page, in: query, style: deepObject, explode: true,
       schema: {type: object, properties: {number: {type: number}, size: {type: number}}}}
  responses:
    Error:
      content: {application/json: {schema: {type: object, required: [error, data], properties: {
        data: {type: "null"},
        error: {type: object, required: [status, code], properties: {status: {enum: [403, 404]}, code: {type: string}}}
      }}}}
  schemas:
    ID: {type: string, format: objectid}
    Filter: {type: object, properties: {state: {type: string}, range-start: {$ref: "#/components/schemas/DateTime"}}}
    DateTime: {type: string, format: date-time}
    Instance:
      type: object
      required: [id, created]
      properties:
        id: {$ref: "#/components/schemas/ID"}
        created: {$ref: "#/components/schemas/DateTime"}
        state: {allOf: [{type: object, properties: {current: {type: string}}}, {type: object, properties: {x: {}}}]}
        drain: {anyOf: [{type: object, required: [started], properties: {started: {type: string}}}, {type: "null"}]}
        notes: {type: object, additionalProperties: {}}
        tags: {type: object, additionalProperties: {type: object, properties: {up: {type: boolean}}}}
    Task:
      oneOf: [{$ref: "#/components/schemas/Start"}, {$ref: "#/components/schemas/Scale"}]
      discriminator:
        propertyName: action
        mapping: {start: "#/components/schemas/Start", scale: "#/components/schemas/Scale"}
    Start: {type: object, required: [action], properties: {action: {type: string, enum: [start]}}}
    Scale:
      type: object
      required: [action, contents]
      properties:
        action: {type: string, enum: [scale]}
        contents: {type: object, required: [instances], properties: {instances: {type: integer}}}
"""
GOOD = {"id": ID, "created": "2026-01-01T00:00:00.123456789Z"}


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openapi.Specification]:
    """The small specification."""
    file = tmp_path_factory.mktemp("openapi") / "small.yml"
    file.write_text(SMALL, encoding="utf-8")
    yield openapi.load(file)
    openapi.load.cache_clear()


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, {"data": []}, []),
        (200, {"data": [GOOD, {**GOOD, "drain": None, "state": {"current": "x"}}]}, []),
        (200, {}, ["200: 'data' is a required property"]),
        (200, None, ["200: None is not of type 'object'"]),
        (200, {"data": [{**GOOD, "id": "web-1"}]}, ["200.data[0].id: 'web-1' is not a 'objectid'"]),
        (
            200,
            {"data": [{**GOOD, "created": "2026-01-01"}]},
            ["200.data[0].created: '2026-01-01' is not a 'date-time'"],
        ),
        (200, {"data": [{**GOOD, "drain": {}}]}, ["200.data[0].drain: 'started' is a required property"]),
        (202, {"data": []}, ["202: declared are 200, default"]),
        (404, {"error": {"status": 404, "code": "404.x"}, "data": None}, []),
        (404, {"error": {"status": 403, "code": "404.x"}, "data": None}, ["404: the status within is 403"]),
        (404, {"error": {"status": 404, "code": "404.x"}}, ["404: 'data' is a required property"]),
        (401, {"error": "401", "data": None}, ["401.error: '401' is not of type 'object'"]),
    ],
)
def test_answers(spec: openapi.Specification, status: int, body: Any, told: list[str]) -> None:
    found = openapi.check_answer(spec, "GET", f"{PATH}?page[size]=2", status, body)
    assert found == [f"GET {PATH} {text}" for text in told]


def test_answers_of_what_is_not_declared(spec: openapi.Specification) -> None:
    assert openapi.check_answer(spec, "PUT", PATH, 200, {}) == [f"PUT {PATH} 200: no such operation"]


def test_fields_that_are_not_declared(spec: openapi.Specification) -> None:
    instance = {**GOOD, "stat": 1, "state": {"current": "x", "x": {"free": 1}, "y": 1}, "drain": {"ended": 1}}
    body = {
        "data": [instance, {**GOOD, "notes": {"x": {"y": 1}}, "tags": {"any": {"up": True, "down": 1}}}],
        "incldes": {},
    }
    assert openapi.undeclared_fields(spec, "GET", PATH, 200, body) == {
        "getInstances.incldes",
        "getInstances.data[].stat",
        "getInstances.data[].state.y",
        "getInstances.data[].drain.ended",
        "getInstances.data[].tags.*.down",
    }


def test_a_literal_path_comes_first(spec: openapi.Specification) -> None:
    names = [
        operation and operation.name
        for operation in (openapi.find(spec, "GET", f"/v1/jobs/{x}") for x in ("latest", ID))
    ]
    assert names == ["getLatestJobs", "getJob"]
    assert openapi.find(spec, "GET", "/v1/jobs/") is None


def entry(**changes: Any) -> dict[str, Any]:
    """Return an entry of the journal: a list of instances, with changes."""
    headers = {"x-hub-id": ID, **({"content-type": "application/json"} if changes.get("body") is not None else {})}
    plain = {"method": "GET", "path": PATH, "query": {}, "headers": headers, "body": None}
    return {**plain, "token": "demo", "status": 200, **changes}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"include": ["a,b"], "meta": ["node", "ips"], "page[size]": ["5"], "page[number]": ["1"]}, ""),
        ({"filter[state]": ["a,b"], "filter[range-start]": ["2026-01-01T00:00:00Z"], "include": ["a"]}, ""),
        ({"include": ["a", "b"]}, "include: repeated, where a comma is wanted"),
        ({"include": ["c"]}, "include[0]: 'c' is not one of ['a', 'b']"),
        ({"meta": ["node,ips"]}, "meta: has a comma, where repetition is wanted: node,ips"),
        ({"meta": ["nodes"]}, "meta[0]: 'nodes' is not one of ['node', 'ips']"),
        ({"meta[a]": ["node"]}, "meta is no object: meta[a]"),
        ({"page": ["5"]}, "page: not declared"),
        ({"page[offset]": ["5"]}, "page[offset]: not declared"),
        ({"page[size]": ["many"]}, "page[size]: 'many' is not of type 'number'"),
        ({"page[size]": ["5", "6"]}, "page[size]: given 2 times"),
        ({"filter[range-start]": ["today"]}, "filter[range-start]: 'today' is not a 'date-time'"),
        ({"filter[stat]": ["x"]}, "filter[stat]: not declared"),
        ({"sort": ["-id"]}, "no parameter sort"),
    ],
)
def test_queries(spec: openapi.Specification, query: dict[str, list[str]], told: str) -> None:
    found = openapi.check_request(spec, entry(query=query))
    assert [text.partition("instances")[2].lstrip(": ") for text in found] == ([told] if told else [])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"path": "/v1/nothing"}, "GET /v1/nothing: no such operation"),
        ({"token": None, "status": 401}, ""),
        ({"token": None}, "no Authorization"),
        ({"headers": {}}, "X-Hub-Id: None is not of type 'string'"),
        ({"headers": {"x-hub-id": "mine"}}, "X-Hub-Id: 'mine' is not a 'objectid'"),
        ({"body": {}}, "a body, although none is declared"),
        ({"method": "DELETE"}, "no body"),
        ({"method": "DELETE", "body": {"instances_ids": [ID]}}, ""),
        ({"method": "DELETE", "body": {"instances_ids": []}}, "body.instances_ids: [] should be non-empty"),
        ({"method": "DELETE", "body": [ID]}, "is not of type 'object'"),
    ],
)
def test_requests(spec: openapi.Specification, changes: dict[str, Any], told: str) -> None:
    found = openapi.check_request(spec, entry(**changes))
    assert len(found) == bool(told)
    assert told in "".join(found)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"action": "start"}, ""),
        ({"action": "scale", "contents": {"instances": 2}}, ""),
        (None, "no body"),
        ({"action": "scale"}, "body: 'contents' is a required property"),
        ({"action": "scale", "contents": {"instances": "2"}}, "body.contents.instances: '2' is not of type 'integer'"),
        ({"action": "scale", "contents": {"instances": 2, "instance": 2}}, "body.contents.instance: not declared"),
        ({"action": "fly"}, "body.action: 'fly' is not one of ['scale', 'start']"),
    ],
)
def test_bodies(spec: openapi.Specification, body: Any, told: str) -> None:
    found = openapi.check_request(spec, entry(method="POST", path=f"/v1/containers/{ID}/tasks", body=body))
    assert len(found) == bool(told)
    assert told in "".join(found)


def test_the_type_of_a_body(spec: openapi.Specification) -> None:
    request = entry(
        method="POST", path=f"/v1/containers/{ID}/tasks", body={"action": "start"}, headers={"x-hub-id": ID}
    )
    assert openapi.check_request(spec, request) == ["POST /v1/containers/{containerId}/tasks: a body of the type ''"]


def test_ids_in_paths(spec: openapi.Specification) -> None:
    request = entry(method="POST", path="/v1/containers/web/tasks", body={"action": "start"})
    assert openapi.check_request(spec, request) == [
        "POST /v1/containers/{containerId}/tasks containerId: 'web' is not a 'objectid'"
    ]


def test_a_journal(spec: openapi.Specification) -> None:
    entries = [
        entry(),
        entry(query={"sort": ["id"]}),
        entry(query={"sort": ["-id"]}),
        entry(path="/v1/projects", headers={}),
        entry(path="/v1/jobs/latest", headers={}),
        entry(method="SSH", path=f"/{ID}", headers={}),
        entry(path="/v1/console", query={"token": ["********"]}, headers={"upgrade": "websocket"}),
    ]
    assert openapi.check_journal(entries, spec) == [
        "GET /v1/containers/{containerId}/instances: no parameter sort",
        "GET /v1/jobs/latest X-Hub-Id: None is not of type 'string'",
    ]


def test_where_the_file_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(openapi.VARIABLE, str(tmp_path / "mine.yml"))
    assert openapi.locate() == tmp_path / "mine.yml"
    monkeypatch.delenv(openapi.VARIABLE)
    monkeypatch.setattr(openapi, "__file__", str(tmp_path / "a" / ".cache" / "b" / "tests" / "support" / "openapi.py"))
    assert openapi.locate() is None
    beside = tmp_path / openapi.BESIDE
    beside.parent.mkdir(parents=True)
    beside.touch()
    assert openapi.locate() == beside
