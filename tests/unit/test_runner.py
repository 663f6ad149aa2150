# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Declared modules: their arguments, the way out, and a platform that nobody has."""

from __future__ import annotations

import dataclasses
import threading
import time
import types
import typing as t

import ansible.module_utils.basic
import pytest
from ansible.module_utils.errors import AnsibleFallbackNotFound

from ansible_collections.quayside.paas.plugins.module_utils._argspec import (
    CONNECTION,
    LIST,
    ArgumentSpec,
    from_environment,
)
from ansible_collections.quayside.paas.plugins.module_utils._client import PlatformClient
from ansible_collections.quayside.paas.plugins.module_utils._errors import (
    ApiError,
    NotFoundError,
    PaasError,
    TransportError,
    WaitTimeoutError,
)
from ansible_collections.quayside.paas.plugins.module_utils._http import report
from ansible_collections.quayside.paas.plugins.module_utils._module.info import info_module
from ansible_collections.quayside.paas.plugins.module_utils._module.runner import Module, execute, run_module
from ansible_collections.quayside.paas.plugins.module_utils._northflank.resource import NorthflankResource
from ansible_collections.quayside.paas.plugins.module_utils._options import connection_options
from ansible_collections.quayside.paas.plugins.module_utils._paging import Page
from ansible_collections.quayside.paas.plugins.module_utils._plain import plain
from ansible_collections.quayside.paas.plugins.module_utils._resource import Filter, Resource, options_in
from ansible_collections.quayside.paas.plugins.module_utils._response import ErrorBody, RateLimit, Response
from unit.fakes import TOKEN, URL, Platform, Reply, get, json_reply
from unit.hosts import MODULES, declared, failure, validate

# Arguments

PARENTS = {
    "addon_backup_info": ("project_id", "addon_id", "backup_id"),
    "addon_container_info": ("project_id", "addon_id"),
    "addon_info": ("project_id", "addon_id"),
    "addon_version_info": ("project_id", "addon_id"),
    "backup_restore_info": ("project_id", "addon_id", "backup_id", "source_project_id", "source_addon_id"),
    "project_info": ("project_id",),
    "template_info": ("template_id",),
    "template_run_info": ("template_id", "run_id"),
}
ANYWHERE = ("addon_version_info", "project_info")  # of every project, where none is named
SHARED = {
    "api_token",
    "api_url",
    "team_id",
    "timeout",
    "retry_budget",
    "validate_certs",
    "ca_path",
    "in_process",
    "limit",
}
MORE = {
    "addon_backup_info": {"concurrency"},
    "addon_container_info": {"concurrency"},
    "addon_info": {"concurrency", "full"},
    "addon_version_info": {"concurrency"},
    "backup_restore_info": {"concurrency"},
    "template_run_info": {"concurrency", "status", "concluded"},
}


@pytest.mark.parametrize("module", MODULES)
def test_options_of_modules(module: str) -> None:
    options = declared(module).arguments.options
    assert set(options) == SHARED | set(PARENTS[module]) | MORE.get(module, set())
    assert {name for name, spec in options.items() if spec.get("required")} == (
        {"project_id"} if PARENTS[module][0] == "project_id" and module not in ANYWHERE else set()
    )
    assert {name for name, spec in options.items() if spec.get("no_log")} == {"api_token"}


@pytest.mark.parametrize(
    ("module", "arguments", "missing"),
    [
        ("addon_info", {}, "project_id"),
        ("addon_container_info", {"addon_id": "a"}, "project_id"),
        ("addon_version_info", {"addon_id": "a"}, "project_id"),
        ("addon_backup_info", {"project_id": "p", "backup_id": "b"}, "addon_id"),
        ("backup_restore_info", {"project_id": "p", "backup_id": "b"}, "addon_id"),
        ("backup_restore_info", {"project_id": "p", "addon_id": "a", "source_addon_id": "x"}, "backup_id"),
        ("backup_restore_info", {"project_id": "p", "addon_id": "a", "source_project_id": "x"}, "backup_id"),
        ("backup_restore_info", {"project_id": "p", "source_project_id": "x"}, "addon_id"),
        ("template_run_info", {"run_id": "r"}, "template_id"),
    ],
)
def test_an_inner_id_needs_the_outer_ones(module: str, arguments: dict[str, t.Any], missing: str) -> None:
    errors = validate(declared(module), **arguments).error_messages
    assert errors
    assert missing in " ".join(errors)


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("project_info", {}),
        ("project_info", {"project_id": "p"}),
        ("addon_info", {"project_id": "p", "addon_id": "a", "full": True}),
        ("addon_backup_info", {"project_id": "p", "addon_id": "a", "backup_id": "b"}),
        ("backup_restore_info", {"project_id": "p", "addon_id": "a"}),
        ("backup_restore_info", {"project_id": "p", "addon_id": "a", "backup_id": "b", "source_addon_id": "x"}),
        ("template_run_info", {"template_id": "t", "run_id": "r"}),
        ("template_run_info", {"status": "approval_wait", "concluded": False}),
    ],
)
def test_arguments_that_are_in_order(module: str, arguments: dict[str, t.Any]) -> None:
    assert validate(declared(module), **arguments).error_messages == []


def test_a_state_that_no_run_has() -> None:
    assert validate(declared("template_run_info"), status="levitating").error_messages


def test_defaults() -> None:
    found = validate(declared("template_run_info"), api_token=TOKEN)
    values = found.validated_parameters
    assert {name: values[name] for name in ("api_url", "timeout", "retry_budget", "concurrency", "limit")} == {
        "api_url": "https://api.northflank.com",
        "timeout": 30,
        "retry_budget": 120,
        "concurrency": 4,
        "limit": None,
    }
    assert values["validate_certs"] is True
    assert TOKEN in found._no_log_values


@pytest.mark.parametrize(
    ("environment", "token", "url"),
    [
        ({"NORTHFLANK_API_TOKEN": "one", "NF_API_TOKEN": "two"}, "one", "https://api.northflank.com"),
        ({"NF_API_TOKEN": "two"}, "two", "https://api.northflank.com"),
        ({"NORTHFLANK_API_TOKEN": "", "NF_API_TOKEN": "two"}, "two", "https://api.northflank.com"),
        ({"NORTHFLANK_API_TOKEN": ""}, None, "https://api.northflank.com"),
        ({"NF_HOST": "https://c", "NF_API_HOST": "https://b"}, None, "https://b"),
        (
            {"NF_HOST": "https://c", "NORTHFLANK_API_BASE_URL": "https://a", "NF_API_HOST": "https://b"},
            None,
            "https://a",
        ),
        ({"NF_HOST": ""}, None, "https://api.northflank.com"),
    ],
)
def test_variables_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], token: str | None, url: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = validate(declared("project_info"))
    assert found.error_messages == []
    assert (found.validated_parameters["api_token"], found.validated_parameters["api_url"]) == (token, url)
    assert token is None or token in found._no_log_values


@pytest.mark.parametrize(
    ("variable", "option", "team"),
    [(None, None, None), ("", None, None), ("ours", None, "ours"), ("ours", "theirs", "theirs")],
)
def test_the_team_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, option: str | None, team: str | None
) -> None:
    if variable is not None:
        monkeypatch.setenv("NORTHFLANK_TEAM_ID", variable)
    found = validate(declared("project_info"), **({} if option is None else {"team_id": option}))
    assert found.error_messages == []
    assert found.validated_parameters["team_id"] == team


def test_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTHFLANK_API_TOKEN", "variable")
    monkeypatch.setenv("NORTHFLANK_API_BASE_URL", "https://variable")
    found = validate(declared("project_info"), api_token="option", api_url="https://option")
    assert (found.validated_parameters["api_token"], found.validated_parameters["api_url"]) == (
        "option",
        "https://option",
    )


def test_a_missing_token_names_both_variables() -> None:
    result = failure("project_info", api_token=None)
    assert "NORTHFLANK_API_TOKEN, NF_API_TOKEN" in result["msg"]


def test_from_environment_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "")
    with pytest.raises(AnsibleFallbackNotFound):
        from_environment("EMPTY", "ABSENT")


def test_specs_are_merged() -> None:
    first = ArgumentSpec(
        options={"a": {"type": "str"}, "b": {"type": "str"}},
        mutually_exclusive=(("a", "b"),),
        required_by={"a": ("b",)},
        required_if=(("a", "x", ("b",)),),
    )
    second = ArgumentSpec(
        options={"b": {"type": "int"}, "c": {}},
        mutually_exclusive=(("b", "c"),),
        required_one_of=(("a", "c"),),
        required_by={"c": ("b",)},
    )
    assert first.merge(second).to_kwargs() == {
        "argument_spec": {"a": {"type": "str"}, "b": {"type": "int"}, "c": {}},
        "mutually_exclusive": [["a", "b"], ["b", "c"]],
        "required_one_of": [["a", "c"]],
        "required_if": [["a", "x", ("b",)]],
        "required_by": {"a": ["b"], "c": ["b"]},
    }
    assert first.options["b"] == {"type": "str"}
    assert set(CONNECTION.merge(LIST).options) - set(LIST.options) == set(CONNECTION.options)


# The way out


class Ended(BaseException):
    """A module ended."""


class FakeModule:
    """Stands for AnsibleModule."""

    params: t.ClassVar[dict[str, t.Any]] = {}
    made: t.ClassVar[dict[str, t.Any]] = {}
    ended: t.ClassVar[tuple[str, dict[str, t.Any]] | None] = None

    def __init__(self, **keywords: t.Any) -> None:
        FakeModule.made = keywords
        self.check_mode = True
        self._diff = False

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        FakeModule.ended = ("exit_json", result)
        raise Ended

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        FakeModule.ended = ("fail_json", result)
        raise Ended


@pytest.mark.parametrize("broken", [None, ApiError("it broke", status=500, error_id="e1")])
def test_run_module(monkeypatch: pytest.MonkeyPatch, broken: ApiError | None) -> None:
    monkeypatch.setattr(ansible.module_utils.basic, "AnsibleModule", FakeModule)
    seen = []

    class Client:
        def __init__(self, get_option: t.Any, *, check_mode: bool = False) -> None:
            seen.append((get_option("flavour"), check_mode))
            self.check_mode = check_mode

        arguments = ArgumentSpec()
        transport = types.SimpleNamespace(may_have_changed=False)

        def report(self) -> dict[str, t.Any]:
            return {"request_count": 7}

        def close(self) -> None:
            seen.append("closed")

    def act(client: t.Any, params: t.Any) -> dict[str, t.Any]:
        if broken:
            raise broken
        return {"things": [params["flavour"]]}

    monkeypatch.setattr(FakeModule, "params", {"flavour": "sweet"})
    spec = ArgumentSpec(options={"flavour": {"type": "str"}}, required_one_of=(("flavour",),))
    with pytest.raises(Ended):
        run_module(Module(arguments=spec, platform=t.cast("t.Any", Client), run=act))
    assert FakeModule.made == {**spec.to_kwargs(), "supports_check_mode": True}
    assert seen == [("sweet", True), "closed"]
    assert FakeModule.ended is not None
    way, result = FakeModule.ended  # pylint: disable=unpacking-non-sequence
    assert result["request_count"] == 7
    assert result["changed"] is False
    if broken:
        assert way == "fail_json"
        assert result["msg"] == "it broke"
        assert result["error"]["id"] == "e1"
    else:
        assert way == "exit_json"
        assert result["things"] == ["sweet"]
        assert "failed" not in result


def test_defects_are_not_hidden() -> None:
    class Client:
        arguments = ArgumentSpec()

        def __init__(self, get_option: t.Any, *, check_mode: bool = False) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        execute(Module(ArgumentSpec(), t.cast("t.Any", Client), lambda client, params: {}), {}, check_mode=False)


def test_reports_have_the_same_keys_with_and_without_a_request() -> None:
    empty = {"rate_limit": {"limit": None, "remaining": None, "reset": None}, "request_count": 0}
    assert report(RateLimit(), 0) == empty
    result = failure("project_info", timeout=0)
    assert {name: result[name] for name in empty} == empty


# Errors


def test_errors_as_results() -> None:
    error = PaasError("text", method="GET", path="/x", status=404, code="c", error_id="i", details=[1])
    assert str(error) == error.message == "text"
    assert error.as_result() == {"method": "GET", "path": "/x", "status": 404, "code": "c", "id": "i", "details": [1]}
    assert set(PaasError("text").as_result()) == set(error.as_result())
    assert set(PaasError("text").as_result().values()) == {None}


@pytest.mark.parametrize(
    "error",
    [
        PaasError("text"),
        NotFoundError("text", status=404),
        TransportError("text", may_have_succeeded=True, path="/x"),
        WaitTimeoutError("text"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_named_error_is_of_the_same_kind(error: PaasError) -> None:
    named = error.named("it")
    assert type(named) is type(error)
    assert str(named) == "it: text"
    assert {**vars(named), "message": "text"} == vars(error)


# Resources


def test_options_in_paths() -> None:
    assert options_in("projects/{project_id}/addons/{addon_id}") == ("project_id", "addon_id")
    assert options_in("projects") == ()


# A platform that nobody has: other addresses, envelope, errors, paging, names and header.

FARM = Resource(
    noun="farm", list_key="farmList", id_option="farm", identity="code", lists=("farms",), one="farms/{farm}",
    permission="farms:read",
)  # fmt: skip
FIELD = Resource(
    noun="field", list_key="fields", id_option="field", identity="n", parent=FARM, lists=("farms/{farm}/fields",),
    permission="fields:read",
)  # fmt: skip
TREE = NorthflankResource(
    noun="tree",
    list_key="treeRows",
    id_option="tree",
    identity="label",
    parent=FIELD,
    lists=("farms/{farm}/fields/{field}/trees",),
    one="farms/{farm}/fields/{field}/trees/{tree}",
    filters={"ripe": Filter("isRipe", {"type": "bool"})},
    scope={"season": "inSeason"},
    user_keyed=frozenset({"nickNames"}),
    permission="trees:read",
)


class Orchard(PlatformClient):
    """An orchard: rows in `rows`, pages by offset, errors as {"fault": text}."""

    name = "Orchard"
    prefix = "/"
    arguments = CONNECTION.merge(
        ArgumentSpec(options={"api_url": {"type": "str"}, "key": {"type": "str", "no_log": True, "required": True}})
    )

    def _connection(self, get_option: t.Any) -> t.Any:
        return connection_options(get_option, token="key", variables=("ORCHARD_KEY",)), {"X-Orchard": "1"}

    def _error_body(self, response: Response) -> ErrorBody:
        return ErrorBody(response.body["fault"])

    def _data(self, method: str, path: str, response: Response) -> dict[str, t.Any]:
        return t.cast("dict[str, t.Any]", response.body)

    def _pages(self, path: str, list_key: str, query: t.Any, limit: t.Any, permission: str | None) -> t.Any:
        def fetch(following: t.Mapping[str, t.Any]) -> Page:
            body = self.get(path, query={"offset": 0, **following, **query}, permission=permission)
            return Page(body["rows"], {"offset": body["next"]} if body.get("next") else None)

        return fetch

    def plain(self, value: t.Any, user_keyed: t.Any = ()) -> t.Any:
        return plain(value, user_keyed)


TREES = info_module(Orchard, TREE)


def orchard(**arguments: t.Any) -> dict[str, t.Any]:
    given = {"key": TOKEN, "api_url": URL, "retry_budget": 0, **arguments}
    checked = validate(TREES, **given)
    assert checked.error_messages == []
    return execute(TREES, checked.validated_parameters, check_mode=False)


def test_arguments_of_an_invented_module() -> None:
    options = TREES.arguments.options
    assert {"farm", "field", "tree", "ripe", "season", "limit", "concurrency", "key", "timeout"} <= set(options)
    assert "api_token" not in options
    assert TREES.arguments.required_by == {
        "field": ("farm",),
        "tree": ("farm", "field"),
        "season": ("farm", "field", "tree"),
    }


def test_an_invented_list(platform: Platform) -> None:
    row = {"label": "t1", "isRipe": True, "nickNames": {"myTree": 1}, "leafCount": 3}
    platform.expects(
        get("/farms/f%201/fields/7/trees", json_reply({"rows": [row], "next": 1}), offset=0, isRipe="true"),
        get("/farms/f%201/fields/7/trees", json_reply({"rows": [{**row, "isRipe": False}]}), offset=1, isRipe="true"),
    )
    result = orchard(farm="f 1", field="7", ripe=True)
    assert result["tree_rows"] == [
        {"farm": "f 1", "field": "7", "label": "t1", "is_ripe": True, "nick_names": {"myTree": 1}, "leaf_count": 3}
    ]
    assert platform.requests[0].headers["X-Orchard"] == "1"


def test_an_invented_thing(platform: Platform) -> None:
    platform.expects(get("/farms/f1/fields/7/trees/t1", json_reply({"label": "t1"}), inSeason="spring"))
    result = orchard(farm="f1", field="7", tree="t1", season="spring")
    assert result["tree_rows"] == [{"farm": "f1", "field": "7", "label": "t1"}]


def test_an_invented_parent_that_is_missing(platform: Platform) -> None:
    gone = json_reply({"fault": "No such farm."}, 404)
    platform.expects(get("/farms/f1/fields/7/trees/t1", gone), get("/farms/f1", gone))
    result = orchard(farm="f1", field="7", tree="t1")
    assert result["failed"] is True
    assert result["msg"].startswith('The farm "f1" was not found (option farm).')


def test_everything_of_an_invented_platform(platform: Platform) -> None:
    platform.expects(
        get("/farms", json_reply({"rows": [{"code": "f1"}, {"code": "f2"}]}), offset=0),
        get("/farms/f1/fields", json_reply({"rows": [{"n": 1}, {"n": 2}]}), offset=0),
        get("/farms/f2/fields", json_reply({"rows": [{"n": 3}]}), offset=0),
        *[
            get(f"/farms/{farm}/fields/{n}/trees", json_reply({"rows": [{"label": f"t{n}"}]}), offset=0)
            for farm, n in (("f1", 1), ("f1", 2), ("f2", 3))
        ],
        any_order=True,
    )
    result = orchard()
    assert [(row["farm"], row["field"], row["label"]) for row in result["tree_rows"]] == [
        ("f1", "1", "t1"),
        ("f1", "2", "t2"),
        ("f2", "3", "t3"),
    ]
    assert result["request_count"] == 6


def test_an_identity_of_two_words(platform: Platform) -> None:
    farm = dataclasses.replace(FARM, identity="farmCode")
    fields = info_module(Orchard, dataclasses.replace(FIELD, parent=farm))
    platform.expects(
        get("/farms", json_reply({"rows": [{"farmCode": "f1"}]}), offset=0),
        get("/farms/f1/fields", json_reply({"rows": [{"n": 2}]}), offset=0),
    )
    params = validate(fields, key=TOKEN, api_url=URL).validated_parameters
    assert execute(fields, params, check_mode=False)["fields"] == [{"farm": "f1", "n": 2}]


def test_a_failure_deep_in_an_invented_platform_is_named(platform: Platform) -> None:
    platform.expects(
        get("/farms", json_reply({"rows": [{"code": "f1"}]}), offset=0),
        get("/farms/f1/fields", json_reply({"rows": [{"n": 2}]}), offset=0),
        get("/farms/f1/fields/2/trees", json_reply({"fault": "Rain"}, 403), offset=0),
    )
    message = orchard()["msg"]
    assert message.startswith('farm "f1": field "2": GET /farms/f1/fields/2/trees failed with status 403: Rain.')
    assert "may lack the permission trees:read" in message


def test_no_more_requests_at_once_than_allowed_on_two_levels(platform: Platform) -> None:
    lock = threading.Lock()
    running, most = 0, 0

    def respond(request: t.Any) -> Reply:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.005)
        with lock:
            running -= 1
        path = request.path_url.partition("?")[0]
        key = "code" if path == "/farms" else "n" if path.endswith("/fields") else "label"
        return json_reply({"rows": [{key: str(number)} for number in range(4)]})

    platform.respond = respond
    assert len(orchard(concurrency=3)["tree_rows"]) == 64
    assert most <= 3
