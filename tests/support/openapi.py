# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds requests and answers against the vendor's specification of Cycle's API, an OpenAPI 3.1 file.

The file is not part of the project: `locate` tells where it is, if it is here at all. A check returns findings as
text, one for each thing that is wrong; nothing is right as long as its list is empty.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
import referencing
import yaml
from jsonschema.exceptions import best_match
from referencing.jsonschema import DRAFT202012

VARIABLE = "CYCLE_OPENAPI"
BESIDE = Path("shared", "facts", "cycle-openapi.yml")
MISSING = f"the vendor's specification of Cycle is not part of the project, and not here: name the file in {VARIABLE}"
BASE = "urn:cycle"

# Declared without a body, but the platform's older documentation and client send this one.
COLLECTION_DELETE = {
    "type": "object",
    "required": ["instances_ids"],
    "additionalProperties": False,
    "properties": {
        "instances_ids": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "objectid"}}
    },
}
UNDOCUMENTED_BODIES: dict[str, dict[str, Any]] = {"deleteContainerInstances": COLLECTION_DELETE}

Schema = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method of one path. ``query`` and ``places`` are its parameters by name."""

    method: str
    path: str
    name: str
    query: dict[str, Schema]
    places: dict[str, Schema]
    body: Schema | None
    answers: dict[str, Schema]


# The file has a part of the paths only; this one is described elsewhere in the vendor's specification.
SERVER_ACTIONS = ["evacuation.start", "evacuation.reset", "restart", "power-off", "auth.reset", "compute.restart"]
SERVER_ACTIONS += ["compute.spawner.restart", "features.reconfigure", "sharedfs.reconfigure", "unquarantine"]
SERVER_TASKS = Operation(
    method="POST",
    path="/v1/infrastructure/servers/{serverId}/tasks",
    name="createServerJob",
    query={},
    places={"serverId": {"schema": {"type": "string"}}},
    body={
        "type": "object",
        "required": ["action"],
        "properties": {"action": {"enum": SERVER_ACTIONS}, "contents": {"type": "object"}},
    },
    answers={
        "202": {
            "type": "object",
            "required": ["data"],
            "properties": {"data": {"$ref": f"{BASE}#/components/schemas/JobDescriptor"}},
        },
        "default": {"$ref": f"{BASE}#/components/schemas/ErrorEnvelope"},
    },
)


@dataclass
class Specification:
    """The specification, ready for checks."""

    operations: dict[tuple[str, str], Operation]
    registry: referencing.Registry[Any]
    validators: dict[str, jsonschema.Draft202012Validator] = field(default_factory=dict)


def locate() -> Path | None:
    """Return the path of the file: from the environment, else beside a folder above this one. None if it is nowhere."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    for folder in Path(__file__).resolve().parents:
        if (folder / BESIDE).is_file():
            return folder / BESIDE
    return None


def required() -> Specification:
    """Return the vendor's specification; skips the test that asks for it when it is not here."""
    path = locate()
    if path is None:
        pytest.skip(MISSING)
    return load(path)


@cache
def load(path: Path) -> Specification:
    """Read the specification, which takes a fifth of a second. Raises OSError and yaml.YAMLError."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    _spell_discriminators_out(document)
    registry = referencing.Registry[Any]().with_resource(BASE, DRAFT202012.create_resource(document))
    operations = {}
    for template, item in document["paths"].items():
        for method, described in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                operation = _operation(document, method, template, described)
                operations[operation.method, template] = operation
    if "JobDescriptor" in document["components"]["schemas"]:
        operations["POST", SERVER_TASKS.path] = SERVER_TASKS
    return Specification(operations, registry)


def _spell_discriminators_out(part: Any) -> None:
    """Turn each discriminator with its oneOf into JSON Schema: the value of the property chooses the one schema."""
    if isinstance(part, list):
        for item in part:
            _spell_discriminators_out(item)
    elif isinstance(part, dict):
        told = part.get("discriminator")
        if isinstance(told, dict) and "mapping" in told and "oneOf" in part:
            name, mapping = told["propertyName"], told["mapping"]
            del part["oneOf"]
            part["x-mapping"] = told
            part["allOf"] = [{"required": [name], "properties": {name: {"enum": sorted(mapping)}}}] + [
                {"if": {"required": [name], "properties": {name: {"const": value}}}, "then": {"$ref": target}}
                for value, target in mapping.items()
            ]
        for item in part.values():
            _spell_discriminators_out(item)


def _pointer(*parts: str) -> Schema:
    escaped = "/".join(
        part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D") for part in parts
    )
    return {"$ref": f"{BASE}#/{escaped}"}


def _followed(document: Any, part: Any) -> tuple[Any, tuple[str, ...]]:
    """Return what a reference to a component stands for, and where that is; a part that is none has no place."""
    if "$ref" not in part:
        return part, ()
    place = tuple(part["$ref"].removeprefix("#/").split("/"))
    found = document
    for name in place:
        found = found[name]
    return found, place


def _operation(document: Any, method: str, template: str, described: Any) -> Operation:
    here = ("paths", template, method)
    query: dict[str, Schema] = {}
    places: dict[str, Schema] = {}
    listed: list[tuple[Any, tuple[str, ...]]]
    listed = [(item, (*here, "parameters", str(n))) for n, item in enumerate(described.get("parameters", []))]
    shared = document["paths"][template].get("parameters", [])
    listed += [(item, ("paths", template, "parameters", str(n))) for n, item in enumerate(shared)]
    for item, at in listed:
        parameter, place = _followed(document, item)
        kept = places if parameter["in"] == "path" else query
        kept[parameter["name"]] = {**parameter, "schema": _pointer(*(place or at), "schema")}
        kept[parameter["name"]]["plain"] = _followed(document, parameter["schema"])[0]
    answers = {}
    for status, item in described["responses"].items():
        response, place = _followed(document, item)
        if "content" in response:
            answers[status] = _pointer(
                *(place or (*here, "responses", status)), "content", "application/json", "schema"
            )
    body = (
        _pointer(*here, "requestBody", "content", "application/json", "schema") if "requestBody" in described else None
    )
    return Operation(method.upper(), template, described["operationId"], query, places, body, answers)


def find(spec: Specification, method: str, path: str) -> Operation | None:
    """Return the operation that serves a path; one without placeholders comes before one with them."""
    segments = path.split("/")
    fitting = [
        operation
        for (verb, template), operation in spec.operations.items()
        if verb == method and _fits(template.split("/"), segments)
    ]
    return min(fitting, key=lambda operation: operation.path.count("{"), default=None)


def _fits(template: list[str], segments: list[str]) -> bool:
    return len(template) == len(segments) and all(
        bool(segment) if part.startswith("{") else part == segment
        for part, segment in zip(template, segments, strict=True)
    )


# Formats


def _fraction(value: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", value))


def _network(value: str) -> bool:
    ipaddress.ip_network(value, strict=False)
    return "/" in value


def _address(value: str) -> bool:
    return bool(ipaddress.ip_address(value))


FORMATS = {
    "date-time": _fraction,
    "objectid": lambda value: bool(re.fullmatch(r"[0-9a-f]{24}", value)),
    "cidr": _network,
    "ip-address": _address,
    "uri": lambda value: bool(re.match(r"[a-z][a-z0-9+.-]*:", value)),
}


def _format_checker() -> jsonschema.FormatChecker:
    checker = jsonschema.FormatChecker(formats=())
    for name, check in FORMATS.items():
        checker.checks(name, raises=ValueError)(lambda value, check=check: not isinstance(value, str) or check(value))
    return checker


FORMAT_CHECKER = _format_checker()


# Values


def check_value(spec: Specification, schema: Schema, value: Any, where: str) -> list[str]:
    """Return in what a JSON value differs from a schema; references in it are those of the specification."""
    key = repr(schema)
    if key not in spec.validators:
        spec.validators[key] = jsonschema.Draft202012Validator(
            schema, registry=spec.registry, format_checker=FORMAT_CHECKER
        )
    return [_told(error, where) for error in spec.validators[key].iter_errors(value)]


def _told(error: jsonschema.ValidationError, where: str) -> str:
    # Of alternatives that all fail, the one that got furthest tells most.
    deepest = best_match([error]) or error
    place = where + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in deepest.absolute_path)
    return f"{place}: {deepest.message[:300]}"


def named(name: str) -> Schema:
    """Return the schema of that name, for check_value."""
    return {"$ref": f"{BASE}#/components/schemas/{name}"}


def undeclared(spec: Specification, schema: Schema, value: Any, where: str) -> set[str]:
    """Return the places of fields in a JSON value that its schema does not name: a misspelt optional one, say.

    The specification does not forbid them. Numbers of list items are left out of the places.
    """
    return set(_undeclared(spec, [schema], value, where))


def _undeclared(spec: Specification, schemas: Iterable[Schema], value: Any, where: str) -> Iterator[str]:
    flat = [part for schema in schemas for part in _flat(spec, schema, value)]
    if isinstance(value, list):
        items = [part["items"] for part in flat if isinstance(part.get("items"), dict)]
        for item in value:
            yield from _undeclared(spec, items, item, f"{where}[]")
    elif isinstance(value, dict) and any("properties" in part or "additionalProperties" in part for part in flat):
        others = [part["additionalProperties"] for part in flat if part.get("additionalProperties", False) is not False]
        for name, item in value.items():
            named = [part["properties"][name] for part in flat if name in part.get("properties", {})]
            if not named and not others:
                yield f"{where}.{name}"
            known = named or [other for other in others if isinstance(other, dict)]
            yield from _undeclared(spec, known, item, f"{where}.{name if named else '*'}")


def _flat(spec: Specification, schema: Schema, value: Any) -> Iterator[Schema]:
    """Yield a schema and all that it is put together of, without the alternatives that the value is none of."""
    if "$ref" in schema:
        base = schema["$ref"] if schema["$ref"].startswith(BASE) else BASE + schema["$ref"]
        yield from _flat(spec, spec.registry.resolver().lookup(base).contents, value)
    yield schema
    for part in schema.get("allOf", []):
        if "then" not in part:
            yield from _flat(spec, part, value)
    for part in [*schema.get("oneOf", []), *schema.get("anyOf", [])]:
        yield from _flat(spec, part, value)
    if (told := schema.get("x-mapping")) and isinstance(value, dict):
        target = told["mapping"].get(value.get(told["propertyName"]))
        if target:
            yield from _flat(spec, {"$ref": target}, value)


# Answers


def check_answer(spec: Specification, method: str, path: str, status: int, body: Any) -> list[str]:
    """Return in what an answer differs from what is declared: its status and its body. path: with or without query."""
    path = path.partition("?")[0]
    where = f"{method} {path} {status}"
    operation = find(spec, method, path)
    if operation is None:
        return [f"{where}: no such operation"]
    if status >= 400:
        return [*check_value(spec, operation.answers["default"], body, where), *_error_status(where, status, body)]
    if str(status) not in operation.answers:
        return [f"{where}: declared are {', '.join(operation.answers)}"]
    return check_value(spec, operation.answers[str(status)], body, where)


def _error_status(where: str, status: int, body: Any) -> list[str]:
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or error.get("status") == status:
        return []
    return [f"{where}: the status within is {error.get('status')!r}"]


def undeclared_fields(spec: Specification, method: str, path: str, status: int, body: Any) -> set[str]:
    """Return the places of fields in an answer that are not declared."""
    operation = find(spec, method, path.partition("?")[0])
    if operation is None:
        return set()
    schema = operation.answers["default" if status >= 400 else str(status)]
    return undeclared(spec, schema, body, operation.name)


# Requests


def check_journal(entries: Iterable[Mapping[str, Any]], spec: Specification | None = None) -> list[str]:
    """Return the findings of all requests to Cycle's REST API in a journal of the simulator, each finding once.

    Without a specification it takes the vendor's, and skips the test when that is not here.
    """
    spec = spec or required()
    findings: dict[str, None] = {}
    for entry in entries:
        if of_cycle(spec, entry):
            findings |= dict.fromkeys(check_request(spec, entry))
    return list(findings)


def of_cycle(spec: Specification, entry: Mapping[str, Any]) -> bool:
    """Say whether a journal's entry is a request to Cycle's REST API: no SSH session, no WebSocket, no Northflank."""
    headers, collection = entry["headers"], entry["path"].split("/")[1:3]
    if entry["method"] == "SSH" or str(headers.get("upgrade", "")).lower() == "websocket":
        return False
    return "x-hub-id" in headers or any(template.split("/")[1:3] == collection for _method, template in spec.operations)


def check_request(spec: Specification, entry: Mapping[str, Any]) -> list[str]:
    """Return in what a request, as an entry of the simulator's journal, differs from what is declared."""
    method, path = entry["method"], entry["path"]
    operation = find(spec, method, path)
    if operation is None:
        return [f"{method} {path}: no such operation"]
    where = f"{method} {operation.path}"
    return [
        *_check_places(spec, operation, path, where),
        *_check_query(spec, operation, entry["query"], where),
        *_check_headers(spec, entry, where),
        *_check_body(spec, operation, entry, where),
    ]


def _check_places(spec: Specification, operation: Operation, path: str, where: str) -> Iterator[str]:
    for part, segment in zip(operation.path.split("/"), path.split("/"), strict=True):
        if part.startswith("{"):
            name = part[1:-1]
            yield from check_value(spec, operation.places[name]["schema"], unquote(segment), f"{where} {name}")


def _check_query(
    spec: Specification, operation: Operation, query: Mapping[str, list[str]], where: str
) -> Iterator[str]:
    for given, values in query.items():
        name, _bracket, key = given.partition("[")
        parameter = operation.query.get(name)
        if parameter is None:
            yield f"{where}: no parameter {name}"
        elif parameter.get("style") == "deepObject":
            yield from _check_deep(spec, parameter, key.removesuffix("]"), values, f"{where} {given}")
        elif key:
            yield f"{where}: {name} is no object: {given}"
        else:
            yield from _check_array(spec, parameter, values, f"{where} {given}")


def _check_deep(spec: Specification, parameter: Schema, key: str, values: list[str], where: str) -> Iterator[str]:
    schema = parameter["plain"].get("properties", {}).get(key)
    if schema is None:
        yield f"{where}: not declared"
        return
    if len(values) != 1:
        yield f"{where}: given {len(values)} times"
    if "$ref" in schema:
        schema = {"$ref": BASE + schema["$ref"]}
    for value in values:
        yield from check_value(spec, schema, _typed(value, schema.get("type")), where)


def _typed(value: str, kind: Any) -> Any:
    if kind in ("number", "integer") and re.fullmatch(r"-?\d+", value):
        return int(value)
    return {"true": True, "false": False}.get(value, value) if kind == "boolean" else value


def _check_array(spec: Specification, parameter: Schema, values: list[str], where: str) -> Iterator[str]:
    """Check an array: comma separated with explode false, else repeated; where a comma would be part of a value."""
    items = values
    if parameter.get("explode", True) is False:
        if len(values) != 1:
            yield f"{where}: repeated, where a comma is wanted"
        items = [part for value in values for part in value.split(",")]
    elif any("," in value for value in values):
        yield f"{where}: has a comma, where repetition is wanted: {', '.join(values)}"
        return
    yield from check_value(spec, parameter["schema"], items, where)


def _check_headers(spec: Specification, entry: Mapping[str, Any], where: str) -> Iterator[str]:
    headers = entry["headers"]
    # The journal keeps the name of the key in place of the header.
    if entry["token"] is None and entry["status"] != 401:
        yield f"{where}: no Authorization"
    yield from check_value(spec, {"type": "string", "format": "objectid"}, headers.get("x-hub-id"), f"{where} X-Hub-Id")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if entry["body"] is not None and kind != "application/json":
        yield f"{where}: a body of the type {kind!r}"


def _check_body(spec: Specification, operation: Operation, entry: Mapping[str, Any], where: str) -> Iterator[str]:
    schema, body = operation.body or UNDOCUMENTED_BODIES.get(operation.name), entry["body"]
    if schema is None:
        if body is not None:
            yield f"{where}: a body, although none is declared"
    elif body is not None:
        yield from check_value(spec, schema, body, f"{where} body")
        yield from (f"{place}: not declared" for place in undeclared(spec, schema, body, f"{where} body"))
    elif operation.body is None or operation.method != "DELETE":  # the other deletions need none
        yield f"{where}: no body"
