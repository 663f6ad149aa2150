# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens, teams, permissions, errors, rate limit."""

from __future__ import annotations

import pytest

from support.simulator import Simulator, fetch

ADDONS = "/v1/projects/storefront/addons"
ADDON = f"{ADDONS}/orders-postgres"
RUNS = "/v1/templates/preview-environment/runs"


def message(reply: object) -> str:
    """Return the message of an error in the documented envelope."""
    data = reply.data  # type: ignore[attr-defined]
    assert set(data) == {"error"}
    assert set(data["error"]) <= {"status", "message", "id", "details"}
    assert data["error"]["status"] == reply.status  # type: ignore[attr-defined]
    assert isinstance(data["error"]["id"], str)
    return str(data["error"]["message"])


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic dXNlcjpwYXNz", "token"],
)
def test_no_or_wrong_token(sim: Simulator, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for path in ("/v1/auth", "/v1/login", "/v1/projects", RUNS):
        reply = fetch(sim.url + path, headers=headers)
        assert reply.status == 401
        assert message(reply).startswith("Unauthorized")
        assert reply.headers["x-ratelimit-limit"] == "1000"


def test_the_scheme_has_no_case(sim: Simulator) -> None:
    assert fetch(f"{sim.url}/v1/auth", headers={"authorization": f"bearer {sim.token}"}).status == 200


def test_expired_token(sim: Simulator) -> None:
    reply = sim.get("/v1/auth", token="expired")
    assert (reply.status, message(reply)) == (401, "Unauthorized: the token has expired")
    sim.clock(freeze=True, set="2026-06-01T06:59:59Z")
    assert sim.get("/v1/auth", token="expired").status == 200
    sim.clock(advance=1)
    assert sim.get("/v1/auth", token="expired").status == 401


def test_auth_describes_the_token(sim: Simulator) -> None:
    data = sim.get("/v1/auth", token="no-addons").data["data"]
    assert (data["name"], data["entityType"], data["entityId"], data["expiresAt"]) == (
        "no-addons",
        "team",
        "tidewater",
        None,
    )
    assert "Project > Projects > Manage > Read" in data["permissions"]["projectScope"]
    assert not [name for name in data["permissions"]["projectScope"] if "Addons" in name]
    organisation = sim.get("/v1/auth", token="org").data["data"]
    assert (organisation["entityType"], organisation["entityId"]) == ("org", "tidewater-group")
    assert organisation["permissions"]["orgScope"] == ["Organisation > Team > General > Read"]
    assert sim.token not in str(data)


def test_missing_permission(sim: Simulator) -> None:
    for path in (ADDONS, ADDON, f"{ADDON}/containers", f"{ADDON}/restores", f"{ADDONS}/no-such-addon"):
        reply = sim.get(path, token="no-addons")
        assert reply.status == 403
        assert "nsufficient permissions" in message(reply)
        assert reply.data["error"]["details"] == {"permission": "Project > Addons > General > Read"}
    assert sim.get("/v1/projects/storefront", token="no-addons").status == 200
    assert sim.get(RUNS, token="no-addons").status == 200


def test_read_only_token_reads_everything(sim: Simulator) -> None:
    for path in ("/v1/auth", "/v1/projects", ADDON, f"{ADDON}/containers", f"{ADDON}/backups", RUNS):
        assert sim.get(path, token="read-only").status == 200


@pytest.mark.parametrize(
    ("path", "text", "details"),
    [
        ("/v1/projects/nope", "Project not found", {"projectId": "nope"}),
        ("/v1/projects/nope/addons", "Project not found", {"projectId": "nope"}),
        ("/v1/projects/nope/addons/orders-postgres", "Project not found", {"projectId": "nope"}),
        (f"{ADDONS}/nope", "Addon not found", {"addonId": "nope"}),
        (f"{ADDONS}/nope/containers", "Addon not found", {"addonId": "nope"}),
        (f"{ADDONS}/a%20b%2Fc", "Addon not found", {"addonId": "a b/c"}),
        (f"{ADDONS}/a%2520b", "Addon not found", {"addonId": "a%20b"}),
        (f"{ADDON}/backups/nope", "Backup not found", {"backupId": "nope"}),
        (f"{ADDON}/backups/nope/restores", "Backup not found", {"backupId": "nope"}),
        ("/v1/templates/nope", "Template not found", {"templateId": "nope"}),
        ("/v1/templates/nope/runs", "Template not found", {"templateId": "nope"}),
        (f"{RUNS}/nope", "Template run not found", {"templateRunId": "nope"}),
        ("/v1/teams/nope/projects", "Team not found", {"teamId": "nope"}),
        ("/v1/teams/tidewater-labs/projects", "Team not found", {"teamId": "tidewater-labs"}),
    ],
)
def test_what_is_not_there(sim: Simulator, path: str, text: str, details: dict[str, str]) -> None:
    reply = sim.get(path)
    assert (reply.status, message(reply)) == (404, text)
    assert reply.data["error"]["details"] == details


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v2/projects", "/v1/projects/", "/projects", "/v1/teams/tidewater/auth", f"{ADDON}/nothing", "//"],
)
def test_unknown_paths(sim: Simulator, path: str) -> None:
    reply = sim.get(path)
    assert (reply.status, reply.data["error"]["id"]) == (404, "not-found")
    assert reply.headers["x-ratelimit-limit"] == "1000"


def test_unknown_paths_need_no_token(sim: Simulator) -> None:
    assert sim.get("/v1/nothing", token=None).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods(sim: Simulator, method: str) -> None:
    reply = sim.get("/v1/projects", method=method)
    assert (reply.status, reply.headers["allow"]) == (405, "GET")
    assert message(reply) == "Method not allowed"


def test_with_and_without_team(sim: Simulator) -> None:
    for path in ("/v1/projects", "/v1/projects/storefront", ADDONS, f"{ADDON}/backups?per_page=3", RUNS):
        team = sim.get(path.replace("/v1", "/v1/teams/tidewater", 1))
        plain = sim.get(path)
        assert plain.status == team.status == 200
        assert plain.data == team.data


def test_organisation_token_needs_a_team(sim: Simulator) -> None:
    for path in ("/v1/projects", ADDON, "/v1/templates", RUNS):
        reply = sim.get(path, token="org")
        assert (reply.status, reply.data["error"]["id"]) == (400, "team-required")
        assert sim.get(path.replace("/v1", "/v1/teams/tidewater", 1), token="org").status == 200
    labs = sim.get("/v1/teams/tidewater-labs/projects", token="org").data["data"]["projects"]
    assert [project["id"] for project in labs] == ["prototypes"]
    assert sim.get("/v1/teams/nobody/projects", token="org").status == 404


def test_token_restricted_to_projects(sim: Simulator) -> None:
    projects = sim.get("/v1/projects", token="one-project").data["data"]["projects"]
    assert [project["id"] for project in projects] == ["storefront"]
    assert sim.get(ADDON, token="one-project").status == 200
    assert sim.get("/v1/projects/staging/addons", token="one-project").status == 404


def test_rate_limit_counts_down_on_the_clock(still: Simulator) -> None:
    first = still.get("/v1/projects").headers
    assert (first["x-ratelimit-limit"], first["x-ratelimit-remaining"]) == ("1000", "999")
    assert first["x-ratelimit-reset"] == "3600"
    still.clock(advance=100)
    second = still.get("/v1/nothing").headers
    assert (second["x-ratelimit-remaining"], second["x-ratelimit-reset"]) == ("998", "3500")
    still.clock(advance=3500)
    third = still.get("/v1/projects").headers
    assert (third["x-ratelimit-remaining"], third["x-ratelimit-reset"]) == ("999", "3600")


def test_rate_limit_is_kept_for_each_token(still: Simulator) -> None:
    still.settings(rate_limit={"limit": 2, "window": 60})
    assert [still.get("/v1/auth").status for _attempt in range(4)] == [200, 200, 429, 429]
    assert still.get("/v1/auth", token="read-only").status == 200
    assert [still.get("/v1/auth", token=None).status for _attempt in range(3)] == [401, 401, 429]
    reply = still.get("/v1/auth")
    assert message(reply) == "Rate limit exceeded"
    assert reply.headers["x-ratelimit-remaining"] == "0"
    assert "retry-after" not in reply.headers
    still.clock(advance=60)
    assert still.get("/v1/auth").status == 200


def test_rate_limit_with_retry_after(still: Simulator) -> None:
    still.settings(rate_limit={"limit": 1, "window": 90, "retry_after": True})
    still.get("/v1/auth")
    still.clock(advance=30)
    reply = still.get("/v1/auth")
    assert (reply.status, reply.headers["retry-after"], reply.headers["x-ratelimit-reset"]) == (429, "60", "60")
