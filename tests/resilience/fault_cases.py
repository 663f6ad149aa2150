# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cases: what is asked, what goes wrong, and what has to come of it.

Each case that reads a list has an addon of its own with 250 containers, three pages, so that its faults meet no other.
"""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Callable, Mapping, Sequence

CONTAINERS = 250
LEAST_GAP = 0.95  # of a wait that was asked for; clocks are coarse
ALWAYS = None  # of a fault: every time

Record = dict[str, t.Any]


class Unsafe(str):
    """A text that Ansible must not take for a template."""

    __slots__ = ()


@dataclasses.dataclass(frozen=True)
class Site:
    """What a case can refer to: addresses, tokens, files."""

    url: str
    tls_url: str
    other_name_url: str
    expired_url: str
    ca: str
    other_ca: str
    expired_ca: str
    garbage: str
    tokens: Mapping[str, str]
    team: str
    project: str
    fan_project: str
    broken_project: str
    broken_addon: str
    even_project: str
    even_addon: str


@dataclasses.dataclass(frozen=True)
class Seen:
    """What came of a case. requests: those for the case's own addon. names: its containers, in order."""

    result: Record
    requests: list[Record]
    names: list[str]
    site: Site


@dataclasses.dataclass(frozen=True)
class Case:
    """One task. options: added to the usual ones; None removes one. faults: (fault, times, after) on the own addon.

    fault_path: of the faults, where they are for another one. loop: the items of a loop.
    varies: keys of the result that depend on how fast the machine is.
    """

    name: str
    expect: Callable[[Seen], None]
    options: Mapping[str, t.Any] | Callable[[Site], Mapping[str, t.Any]] = dataclasses.field(default_factory=dict)
    faults: Sequence[tuple[Record, int | None, int]] = ()
    fault_path: Callable[[Site], str] | None = None
    module: str = "addon_container_info"
    environment: Callable[[Site], Mapping[str, str]] | None = None
    loop: Callable[[Site], list[t.Any]] | None = None
    varies: frozenset[str] = frozenset()

    def options_at(self, site: Site) -> Mapping[str, t.Any]:
        """The options, with the addresses and files of a site."""
        return self.options(site) if callable(self.options) else self.options


def one_message(result: Record, words: Sequence[str]) -> None:
    """A failure has one clear message and nothing half done beside it."""
    assert result["failed"] is True, result
    message = result["msg"]
    for word in words:
        assert word in message, message
    assert "\n" not in message
    assert len(message) <= 800, message
    for noise in ("Traceback", "object at 0x", "HTTPConnectionPool", "MaxRetryError", "Errno None"):
        assert noise not in message
    assert not [key for key, value in result.items() if isinstance(value, list)], f"half a list: {sorted(result)}"


def fails(*words: str, requests: int | None = None) -> Callable[[Seen], None]:
    """The task fails with these words in its message, after so many requests for the own list."""

    def expect(seen: Seen) -> None:
        one_message(seen.result, words)
        if requests is not None:
            assert len(seen.requests) == requests

    return expect


def complete(requests: int = 3, waited: float = 0.0, *, or_more: bool = False) -> Callable[[Seen], None]:
    """All 250 are there, once and in order. waited: seconds between the first request and the last."""

    def expect(seen: Seen) -> None:
        assert not seen.result.get("failed"), seen.result
        assert len(seen.names) == CONTAINERS
        assert [item["name"] for item in seen.result["containers"]] == seen.names
        assert seen.result["request_count"] == len(seen.requests)
        assert len(seen.requests) == requests or (or_more and len(seen.requests) > requests)
        took = seen.requests[-1]["monotonic"] - seen.requests[0]["monotonic"]
        assert took >= waited * LEAST_GAP

    return expect


def counts(key: str, number: int, *, requests: int | None = None) -> Callable[[Seen], None]:
    """The list has so many items."""

    def expect(seen: Seen) -> None:
        assert not seen.result.get("failed"), seen.result
        assert len(seen.result[key]) == number
        if requests is not None:
            assert seen.result["request_count"] == requests

    return expect


def first(number: int, *, requests: int, per_page: int) -> Callable[[Seen], None]:
    """The first so many, in so many requests."""

    def expect(seen: Seen) -> None:
        assert [item["name"] for item in seen.result["containers"]] == seen.names[:number]
        assert len(seen.requests) == requests
        assert {tuple(entry["query"]["per_page"]) for entry in seen.requests} == {(str(per_page),)}

    return expect


def holds(**values: t.Any) -> Callable[[Seen], None]:
    """The one addon that was read has these fields."""

    def expect(seen: Seen) -> None:
        assert not seen.result.get("failed"), seen.result
        (addon,) = seen.result["addons"]
        assert {name: addon[name] for name in values} == values

    return expect


def items(*expectations: Callable[[Seen], None]) -> Callable[[Seen], None]:
    """Each item of a loop meets its own expectation."""

    def expect(seen: Seen) -> None:
        results = seen.result["results"]
        assert len(results) == len(expectations)
        for result, expectation in zip(results, expectations, strict=True):
            expectation(dataclasses.replace(seen, result=result))

    return expect


def all_there(seen: Seen) -> None:
    """All 250 are there."""
    assert not seen.result.get("failed"), seen.result
    assert [item["name"] for item in seen.result["containers"]] == seen.names


def no_such_project(shown: str, path: str) -> Callable[[Seen], None]:
    """The project is named as it was given; its path was sent percent-encoded, and nothing else was asked for."""
    return fails(f'The project "{shown}" was not found (option project_id)', f"GET /v1/projects/{path} failed", "404")


def status(code: int, times: int | None = ALWAYS, after: int = 0, **more: t.Any) -> tuple[Record, int | None, int]:
    """A fault that answers with a status."""
    return {"status": code, **more}, times, after


def fault(times: int | None = ALWAYS, after: int = 0, **what: t.Any) -> tuple[Record, int | None, int]:
    """Any other fault."""
    return what, times, after


ADDON = {"project_id": "storefront", "addon_id": "orders-postgres"}
LIST = {"project_id": "storefront", "addon_id": None}
WITHOUT = {"project_id": None, "addon_id": None}
NO_RETRY = {"retry_budget": 0}
HTML = "<html><head><title>Welcome to nginx!</title></head><body>\n<h1>It works</h1></body></html>"
BROKEN_NAME = '{"data": {"id": "orders", "name": "Orders \\ud83d", "status": "running"}}'

NOT_FOUND = [
    Case(
        "unknown_project", no_such_project("nowhere", "nowhere"), {**LIST, "project_id": "nowhere"}, module="addon_info"
    ),
    Case("unknown_project_in_fan", no_such_project("nowhere", "nowhere"), {**LIST, "project_id": "nowhere"}),
    Case(
        "unknown_addon",
        fails(
            'The addon "nothing" was not found (option addon_id)', "GET /v1/projects/storefront/addons/nothing", "404"
        ),
        {**ADDON, "addon_id": "nothing"},
    ),
    Case("unknown_addon_by_id", counts("addons", 0), {**ADDON, "addon_id": "nothing"}, module="addon_info"),
    Case(
        "unknown_project_of_addon",
        no_such_project("nowhere", "nowhere"),
        {"project_id": "nowhere", "addon_id": "nothing"},
        module="addon_info",
    ),
    Case("unknown_backup_by_id", counts("backups", 0), {**ADDON, "backup_id": "nothing"}, module="addon_backup_info"),
    Case(
        "unknown_backup",
        fails('The backup "nothing" was not found (option backup_id)', "/backups/nothing failed with status 404"),
        {**ADDON, "backup_id": "nothing"},
        module="backup_restore_info",
    ),
    Case(
        "unknown_template_by_id", counts("templates", 0), {**WITHOUT, "template_id": "nothing"}, module="template_info"
    ),
    Case(
        "unknown_template",
        fails('The template "nothing" was not found (option template_id)', "GET /v1/templates/nothing failed"),
        {**WITHOUT, "template_id": "nothing"},
        module="template_run_info",
    ),
    Case(
        "unknown_run",
        counts("template_runs", 0),
        {**WITHOUT, "template_id": "preview-environment", "run_id": "nothing"},
        module="template_run_info",
    ),
    Case(
        "unknown_team",
        fails('The team "nobody" was not found', "option team_id"),
        {**LIST, "team_id": "nobody"},
        module="addon_info",
    ),
]


def token(name: str) -> Callable[[Site], Mapping[str, t.Any]]:
    """Options with a token of the estate."""
    return lambda site: {**LIST, "api_token": site.tokens[name]}


def organisation(team: str | None, **options: t.Any) -> Callable[[Site], Mapping[str, t.Any]]:
    """Options with the organisation's token. team: the name of a field of Site, or the team itself."""
    return lambda site: {
        **WITHOUT,
        "api_token": site.tokens["org"],
        "team_id": site.team if team == "team" else team,
        **options,
    }


NO_VARIABLES = {"NORTHFLANK_API_TOKEN": "", "NF_API_TOKEN": ""}
TOKENS = [
    Case(
        "wrong_token",
        fails(
            "GET /v1/projects/storefront/addons failed with status 401",
            "The token is wrong, has expired or was deleted",
        ),
        {**LIST, "api_token": "nf-sim-wrong-0000000000000000000000000000"},
        module="addon_info",
    ),
    Case(
        "expired_token",
        fails("GET /v1/projects/storefront/addons failed with status 401", "has expired"),
        token("expired"),
        module="addon_info",
    ),
    Case(
        "token_without_permission",
        fails("GET /v1/projects/storefront/addons failed with status 403", "Project > Addons > General > Read"),
        token("no-addons"),
        module="addon_info",
    ),
    Case(
        "token_of_other_project",
        no_such_project("data-platform", "data-platform"),
        lambda site: {**LIST, "project_id": "data-platform", "api_token": site.tokens["one-project"]},
        module="addon_info",
    ),
    Case(
        "no_token",
        fails("No api_token", "NORTHFLANK_API_TOKEN, NF_API_TOKEN"),
        {**LIST, "api_token": None},
        module="addon_info",
        environment=lambda site: NO_VARIABLES,
    ),
    Case("empty_token", fails("No api_token", "NF_API_TOKEN"), {**LIST, "api_token": ""}, module="addon_info"),
    Case(
        "token_with_line_end",
        fails("The value of api_token cannot be right", "trailing line end"),
        {**LIST, "api_token": "nf-sim-line-end-00000000000000000000\n"},
        module="addon_info",
    ),
    Case(
        "organisation_without_team",
        fails("GET /v1/projects failed with status 400", "needs a team"),
        organisation(None),
        module="project_info",
    ),
    Case("organisation_with_team", counts("templates", 4), organisation("team"), module="template_info"),
    Case("organisation_with_other_team", counts("projects", 1), organisation("tidewater-labs"), module="project_info"),
    Case(
        "organisation_with_wrong_team",
        fails('The team "nobody" was not found', "option team_id"),
        organisation("nobody", template_id="labs-setup"),
        module="template_run_info",
    ),
    Case(
        "token_in_message",
        fails("GET /v1/projects", "failed with status 400", "no such token: ********"),
        faults=[
            status(400, body={"error": {"message": "no such token: {demo}", "id": "odd", "details": {"got": "{demo}"}}})
        ],
    ),
    Case("token_in_html", fails("is not JSON", "You sent ********"), faults=[fault(text="<p>You sent {demo}</p>")]),
    Case(
        "token_in_redirect",
        fails("redirect to https://elsewhere.example/?token=********"),
        faults=[status(302, headers={"location": "https://elsewhere.example/?token={demo}"})],
    ),
    Case(
        "token_in_answer",
        counts("containers", 1),
        faults=[
            fault(body={"data": {"containers": [{"name": "my {demo} here"}]}, "pagination": {"hasNextPage": False}})
        ],
    ),
]

NETWORK = [
    Case(
        "unreachable",
        fails("http://127.0.0.1:1 could not be reached", "Check api_url, the network and proxy variables"),
        {"api_url": "http://127.0.0.1:1", **NO_RETRY},
    ),
    Case(
        "unreachable_for_a_while",
        fails("could not be reached", "Check api_url"),
        {"api_url": "http://127.0.0.1:1", "retry_budget": 1},
        varies=frozenset({"request_count"}),
    ),
    Case(
        "unreachable_proxy",
        fails("could not be reached", "proxy variables"),
        NO_RETRY,
        environment=lambda site: {
            **dict.fromkeys(("http_proxy", "HTTP_PROXY"), "http://127.0.0.1:1"),
            **dict.fromkeys(("no_proxy", "NO_PROXY"), ""),
        },
    ),
    Case("tls_unknown_authority", fails("TLS", "certificate", "ca_path"), lambda site: {"api_url": site.tls_url}),
    Case("tls_ca_path", complete(), lambda site: {"api_url": site.tls_url, "ca_path": site.ca}),
    Case("tls_not_validated", complete(), lambda site: {"api_url": site.tls_url, "validate_certs": False}),
    Case(
        "tls_ca_path_wins_over_environment",
        complete(),
        lambda site: {"api_url": site.tls_url, "ca_path": site.ca},
        environment=lambda site: {"REQUESTS_CA_BUNDLE": site.other_ca, "CURL_CA_BUNDLE": site.other_ca},
    ),
    Case(
        "tls_wrong_ca_path",
        fails("TLS", "ca_path"),
        lambda site: {"api_url": site.tls_url, "ca_path": site.other_ca},
    ),
    Case(
        "tls_ca_path_is_no_certificate",
        fails("ca_path"),
        lambda site: {"api_url": site.tls_url, "ca_path": site.garbage},
    ),
    Case(
        "tls_ca_path_missing",
        fails("The option ca_path names /nonexistent/ca.pem, which does not exist"),
        {"ca_path": "/nonexistent/ca.pem"},
    ),
    Case(
        "tls_other_name",
        fails("TLS", "127.0.0.1"),
        lambda site: {"api_url": site.other_name_url, "ca_path": site.other_ca},
    ),
    Case(
        "tls_expired",
        fails("TLS", "expired"),
        lambda site: {"api_url": site.expired_url, "ca_path": site.expired_ca},
    ),
    Case(
        "tls_to_plain_port",
        fails("TLS"),
        lambda site: {"api_url": site.url.replace("http:", "https:"), **NO_RETRY},
    ),
    Case(
        "plain_to_tls_port",
        fails("GET /v1/projects/"),
        lambda site: {"api_url": site.tls_url.replace("https:", "http:"), **NO_RETRY},
    ),
    Case(
        "tls_checked_again_in_a_loop",
        items(all_there, fails("TLS", "certificate"), all_there),
        {"api_url": "{{ item.url }}", "validate_certs": "{{ item.check }}"},
        loop=lambda site: [{"url": site.tls_url, "check": check} for check in (False, True, False)],
    ),
    Case(
        "token_of_each_item_in_a_loop",
        items(all_there, fails("401"), all_there),
        {"api_token": "{{ tokens[item] }}"},
        loop=lambda site: ["demo", "expired", "read-only"],
    ),
    Case(
        "redirect",
        fails("redirect", "/v1/elsewhere", "set api_url to the address of the API itself", requests=1),
        faults=[status(302, headers={"location": "/v1/elsewhere"})],
    ),
    Case(
        "redirect_to_other_host",
        fails("redirect to http://localhost:1/v1", "token stays with one host", requests=1),
        faults=[status(307, headers={"location": "http://localhost:1/v1"})],
    ),
]

ANSWERS = [
    Case(
        "html",
        fails("GET /v1/projects/", "is not JSON", "api_url", "Welcome to nginx", requests=1),
        faults=[fault(text=HTML)],
    ),
    Case("html_on_second_page", fails("is not JSON", requests=2), faults=[fault(after=1, text=HTML)]),
    Case("html_of_a_gateway_once", complete(4), faults=[status(502, times=1, text=HTML)]),
    Case("empty_answer", fails("is not JSON", "(empty)", requests=1), faults=[fault(text="")]),
    Case("answer_is_null", fails("is not a JSON object", requests=1), faults=[fault(body=None)]),
    Case("answer_is_a_list", fails("is not a JSON object", requests=1), faults=[fault(body=[1])]),
    Case(
        "answer_without_data", fails("GET /v1/projects/", "data", requests=1), faults=[fault(body={"message": "hello"})]
    ),
    Case("answer_with_nan", fails("is not JSON"), faults=[fault(text='{"data": {"containers": [{"name": NaN}]}}')]),
    Case("answer_too_deep", fails("is not JSON"), faults=[fault(text="[" * 100_000)]),
    Case("list_absent", counts("containers", 0, requests=1), faults=[fault(pagination="list_key_absent")]),
    Case("list_null", counts("containers", 0, requests=1), faults=[fault(pagination="list_null")]),
    Case(
        "list_missing_but_counted",
        fails("has no list containers", requests=1),
        faults=[fault(patch={"data": {"containers": None}})],
    ),
    Case("list_is_an_object", fails("a list of objects"), faults=[fault(patch={"data": {"containers": {"a": 1}}})]),
    Case("list_of_texts", fails("a list of objects"), faults=[fault(after=1, patch={"data": {"containers": ["a"]}})]),
    Case("truncated", fails("is not JSON", requests=1), faults=[fault(truncate=60)]),
    Case("truncated_on_last_page", fails("is not JSON", requests=3), faults=[fault(after=2, truncate=60)]),
    Case(
        "unknown_status",
        holds(status="levitating"),
        faults=[fault(patch={"data": {"status": "levitating"}})],
        module="addon_info",
    ),
    Case(
        "unknown_field",
        holds(id="7", brand_new={"inner_key": [1, None]}, created_at=None),
        faults=[fault(body={"data": {"id": 7, "createdAt": None, "brandNew": {"innerKey": [1, None]}}})],
        module="addon_info",
    ),
    Case(
        "text_that_is_no_utf8",
        holds(name="Orders \\ud83d"),  # escaped: half of a pair cannot be written as UTF-8
        faults=[fault(text=BROKEN_NAME, content_type="application/json")],
        module="addon_info",
    ),
    Case(
        "flat_error",
        fails("failed with status 409 CONFLICT: It is busy", requests=1),
        faults=[status(409, body={"code": "CONFLICT", "message": "It is busy", "status": 409})],
    ),
    Case(
        "text_error",
        fails("failed with status 500: out of cheese", requests=1),
        faults=[status(500, text="out of cheese")],
    ),
    Case(
        "empty_error",
        fails("failed with status 500", "gave no reason", "try again later"),
        faults=[status(500, text="")],
    ),
    Case(
        "error_id",
        fails("failed with status 400: No (error id e-77)"),
        faults=[
            status(400, body={"error": {"status": 400, "message": "No.", "id": "e-77", "details": {"why": ["x"]}}})
        ],
    ),
]

PAGES = [
    Case("three_pages", complete()),
    *[
        Case(trap, complete(), faults=[fault(pagination=trap)])
        for trap in (
            "null_cursor",
            "empty_cursor",
            "stale_cursor",
            "no_cursor",
            "page_numbers_only",
            "cursor_only",
            "no_block",
        )
    ],
    Case(
        "no_block_and_full_pages",
        counts("containers", 200, requests=3),
        lambda site: {"project_id": site.even_project, "addon_id": site.even_addon},
        [fault(pagination="no_block")],
        lambda site: f"*/addons/{site.even_addon}/containers",
    ),
    Case(
        "repeated_cursor", fails("does not end", "same cursor", requests=2), faults=[fault(pagination="repeat_cursor")]
    ),
    Case("endless", fails("does not end", "brought nothing new", requests=4), faults=[fault(pagination="endless")]),
    Case("limit_within_a_page", first(7, requests=1, per_page=7), {"limit": 7}),
    Case("limit_within_pages", first(150, requests=2, per_page=100), {"limit": 150}),
    Case("limit_beyond_the_end", complete(), {"limit": 1000}),
]

RATE = [
    Case("rate_limit_that_ends", complete(4, waited=2), faults=[fault(1, 1, rate_limit={"reset": 2})]),
    Case(
        "rate_limit_retry_after",
        complete(4, waited=1),
        faults=[fault(1, 2, rate_limit={"retry_after": 1, "reset": 900})],
    ),
    Case("rate_limit_without_a_word", complete(4), faults=[fault(1, rate_limit={"reset": None})]),
    Case("rate_limit_as_403", complete(4, waited=1), faults=[fault(1, rate_limit={"status": 403, "reset": 1})]),
    Case(
        "rate_limit_too_long",
        fails("status 429", "The rate limit is used up. It ends in 600 seconds", "retry_budget", requests=2),
        faults=[fault(ALWAYS, 1, rate_limit={"reset": 600})],
    ),
    Case(
        "rate_limit_without_end",
        fails("status 429", "The rate limit is used up", "retry_budget"),
        {"retry_budget": 2},
        [fault(rate_limit={"reset": 1})],
        varies=frozenset({"request_count"}),
    ),
]

WEATHER = [
    *[Case(f"answer_{code}_once", complete(4), faults=[status(code, 1, 1)]) for code in (502, 503, 504)],
    Case("answer_503_retry_after", complete(4, waited=1), faults=[status(503, 1, 1, headers={"retry-after": "1"})]),
    Case(
        "answer_503_for_ever",
        fails("failed with status 503", "on the platform's side"),
        {"retry_budget": 1},
        [status(503, ALWAYS, 1)],
        varies=frozenset({"request_count"}),
    ),
    Case("answer_503_no_retry", fails("failed with status 503", requests=2), NO_RETRY, [status(503, 1, 1)]),
    *[
        Case(f"reset_{where}_once", complete(4), faults=[fault(1, 1, reset=where)])
        for where in ("before", "after", "body")
    ],
    *[
        Case(
            f"reset_{where}_no_retry",
            fails("GET /v1/projects/", "broke", requests=2),
            NO_RETRY,
            [fault(1, 1, reset=where)],
        )
        for where in ("before", "after", "body")
    ],
    Case(
        "reset_for_ever",
        fails("broke before the answer was complete"),
        {"retry_budget": 1},
        [fault(ALWAYS, 2, reset="body")],
        varies=frozenset({"request_count"}),
    ),
    Case(
        "slow_once",
        complete(4, waited=2, or_more=True),
        {"timeout": 2, "retry_budget": 3600},
        [fault(1, 1, delay=3600)],
        varies=frozenset({"request_count"}),
    ),
    Case(
        "too_slow",
        fails("no complete answer", "within 2 seconds (option timeout)", requests=1),
        {"timeout": 2, **NO_RETRY},
        [fault(delay=3600)],
    ),
    Case(
        "many_troubles",
        complete(6),
        faults=[status(503, 1), fault(1, 1, reset="body"), fault(1, 1, delay=0.3, status=502)],
    ),
    Case(
        "fan_one_fails",
        lambda seen: fails(f'addon "{seen.site.broken_addon}": GET', "failed with status 500")(seen),
        lambda site: {"project_id": site.broken_project, "addon_id": None, "concurrency": 1},
        [status(500)],
        lambda site: f"*/addons/{site.broken_addon}/containers",
        varies=frozenset({"request_count"}),
    ),
    Case(
        "fan_many_at_a_time",
        counts("containers", 300),
        lambda site: {"project_id": site.fan_project, "addon_id": None, "concurrency": 32, "limit": 300},
        varies=frozenset({"request_count"}),
    ),
]


def out_of_range(option: str, value: int, allowed: str) -> Case:
    """An option whose number is too small or too large."""
    name = f"{option}_{value}".replace("-", "minus_")
    return Case(name, fails(f"The option {option} is {value}; it has to be {allowed}"), {option: value})


OPTIONS = [
    out_of_range("limit", 0, "at least 1"),
    out_of_range("concurrency", 0, "from 1 to 32"),
    out_of_range("concurrency", 33, "from 1 to 32"),
    out_of_range("timeout", 0, "from 1 to 3600"),
    out_of_range("timeout", 3601, "from 1 to 3600"),
    out_of_range("retry_budget", -1, "from 0 to 86400"),
    Case("limit_no_number", fails("limit", "many"), {"limit": "many"}),
    Case("unknown_option", fails("colour"), {"colour": "blue"}),
    Case("in_process_unclear", fails("in_process", "perhaps"), {"in_process": "perhaps"}),
    Case("project_missing", fails("missing required arguments: project_id"), WITHOUT),
    Case("backup_without_addon", fails("backup_id"), {**LIST, "backup_id": "x"}, module="addon_backup_info"),
    *[
        Case(f"url_{name}", complete(), lambda site, change=change: {"api_url": change(site.url)})  # type: ignore[misc]
        for name, change in {
            "with_slash": lambda url: f"{url}/",
            "with_v1": lambda url: f"{url}/v1",
            "with_v1_and_slash": lambda url: f"{url}/v1/",
            "with_blanks": lambda url: f"  {url}  ",
            "in_capitals": lambda url: url.replace("http", "HTTP"),
        }.items()
    ],
    *[
        Case(f"url_{name}", fails("api_url", *words), {"api_url": url})
        for name, url, words in (
            ("of_ftp", "ftp://127.0.0.1", ["https://"]),
            ("without_scheme", "api.northflank.com", ["scheme"]),
            ("with_credentials", "http://me:nf-sim-demo-in-url@127.0.0.1", ["user name or a password"]),
            ("with_query", "http://127.0.0.1?a=b", ["query"]),
            ("half_open", "http://[::1", []),
            ("port_too_large", "http://127.0.0.1:77777", []),
        )
    ],
]

HOSTILE = [
    *[
        Case(f"project_{name}", no_such_project(text, path), {**LIST, "project_id": Unsafe(text)}, module="addon_info")
        for name, text, path in (
            ("above", "../x", "..%2Fx"),
            ("with_slash", "a/b", "a%2Fb"),
            ("template", "{{ 7*7 }}", "%7B%7B%207%2A7%20%7D%7D"),
            ("with_query", "a?b=c#d", "a%3Fb%3Dc%23d"),
            ("encoded", "%2e%2e", "%252e%252e"),
            ("foreign", "größe 東京", "gr%C3%B6%C3%9Fe%20%E6%9D%B1%E4%BA%AC"),
        )
    ],
    *[
        Case(
            f"project_{name}",
            fails("The option project_id", "cannot be an id"),
            {**LIST, "project_id": text},
            module="addon_info",
        )
        for name, text in (("dot", "."), ("dots", ".."), ("empty", ""))
    ],
    Case("addon_above", counts("addons", 0), {**ADDON, "addon_id": "../../data-platform"}, module="addon_info"),
    Case(
        "addon_empty", fails("The option addon_id", "cannot be an id"), {**ADDON, "addon_id": ""}, module="addon_info"
    ),
    Case("team_above", fails('The team "../x" was not found'), {**LIST, "team_id": "../x"}, module="addon_info"),
    Case("team_empty", fails("The option team_id", "cannot be an id"), {**LIST, "team_id": ""}, module="addon_info"),
    Case(
        "template_in_an_answer",
        holds(description="Catalogue. Template: {{ 7*7 }}; do not render"),
        {"project_id": "storefront", "addon_id": "shop-mysql"},
        module="addon_info",
    ),
]

CASES = [*NOT_FOUND, *TOKENS, *NETWORK, *ANSWERS, *PAGES, *RATE, *WEATHER, *OPTIONS, *HOSTILE]

# What runs apart by default: what the ordinary module does in a way of its own (arguments, environment, masking, files,
# odd text), and each kind of fault once. A test sees to it that no kind of fault is missing.
SAMPLE = frozenset(
    (
        *("unknown_project", "unknown_backup_by_id", "unknown_run"),
        *("wrong_token", "no_token", "token_with_line_end", "organisation_with_team", "token_in_message"),
        *("token_in_html", "token_in_redirect", "token_in_answer"),
        *("unreachable", "unreachable_proxy", "tls_ca_path_wins_over_environment", "tls_wrong_ca_path"),
        *("tls_ca_path_missing", "token_of_each_item_in_a_loop"),
        *("answer_with_nan", "list_missing_but_counted", "truncated", "text_that_is_no_utf8", "flat_error"),
        *("no_block", "limit_within_pages", "rate_limit_that_ends"),
        *("answer_503_retry_after", "reset_for_ever", "too_slow", "many_troubles", "fan_one_fails"),
        *("limit_0", "limit_no_number", "unknown_option", "project_missing", "url_with_credentials"),
        *("project_template", "project_foreign", "template_in_an_answer"),
    )
)
