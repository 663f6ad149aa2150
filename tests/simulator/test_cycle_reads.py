# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cycle: lists, their pages, filters, order, includes and meta."""

from __future__ import annotations

import pytest

from support.cycle import CONTAINERS, ENVIRONMENTS, SERVERS, at, code, ids, instance, instance_id, placement
from support.simulator import Simulator

WEB = at("web", rest="/instances")
NAMES = {identifier: name for name, identifier in (CONTAINERS | SERVERS | ENVIRONMENTS).items()}


def named(found: list[str]) -> list[str]:
    return [NAMES[identifier] for identifier in found]


def test_pages_have_no_total_and_a_size_of_twenty(sim: Simulator) -> None:
    sim.generate(platform="cycle", container=CONTAINERS["worker"], instances=250)
    path = at("worker", rest="/instances")
    first = sim.cycle.get(path)
    assert set(first.data) == {"data"}
    assert len(ids(first)) == 20
    assert len(ids(sim.cycle.get(f"{path}?page[size]=500"))) == 100
    every: list[str] = []
    for number in range(1, 5):
        every += ids(sim.cycle.get(f"{path}?page[size]=100&page[number]={number}"))
    assert len(set(every)) == len(every) == 250
    assert every == sorted(every)
    assert every[20:40] == ids(sim.cycle.get(f"{path}?page%5Bnumber%5D=2"))


def test_page_sizes_are_settings(sim: Simulator) -> None:
    sim.cycle.settings(page={"default": 2, "maximum": 3})
    assert len(ids(sim.cycle.get(WEB))) == 2
    assert len(ids(sim.cycle.get(f"{WEB}?page[size]=100"))) == 3
    assert ids(sim.cycle.get(f"{WEB}?page[size]=3&page[number]=2")) == [instance_id("web", 4)]
    assert ids(sim.cycle.get(f"{WEB}?page[number]=9")) == []


@pytest.mark.parametrize("query", ["page[size]=0", "page[number]=x", "page[number]=-1", "page[size]=%C2%B2"])
def test_pages_that_are_none(sim: Simulator, query: str) -> None:
    assert code(sim.cycle.get(f"{WEB}?{query}")) == "422.invalid-argument"


@pytest.mark.parametrize(
    ("trap", "size", "expected"),
    [
        ("endless", 3, [[1, 2, 3], [4, 1, 2], [3, 4, 1]]),
        ("ignore_page", 3, [[1, 2, 3], [1, 2, 3], [1, 2, 3]]),
        ("ignore_size", 1, [[1, 2, 3, 4], [], []]),
    ],
)
def test_pages_can_be_spoilt(sim: Simulator, trap: str, size: int, expected: list[list[int]]) -> None:
    sim.fault("GET", WEB, {"pagination": trap}, times=None)
    pages = [ids(sim.cycle.get(f"{WEB}?page[size]={size}&page[number]={number}")) for number in (1, 2, 3)]
    assert pages == [[instance_id("web", number) for number in page] for page in expected]


def test_a_size_can_be_clamped(sim: Simulator) -> None:
    sim.generate(platform="cycle", container=CONTAINERS["worker"], instances=50)
    path = at("worker", rest="/instances?page[size]=50")
    sim.fault("GET", "*/instances", {"pagination": "clamp"})
    assert len(ids(sim.cycle.get(path))) == 20
    assert len(ids(sim.cycle.get(path))) == 50


def test_order(sim: Simulator) -> None:
    assert ids(sim.cycle.get(f"{WEB}?sort=-id")) == [instance_id("web", number) for number in (4, 3, 2, 1)]
    by_server = [instance_id("web", number) for number in (4, 1, 2, 3)]
    assert ids(sim.cycle.get(f"{WEB}?sort=-server_id,id")) == by_server
    assert ids(sim.cycle.get(f"{WEB}?sort=-server_id&sort=id")) == by_server
    assert ids(sim.cycle.get(f"{WEB}?sort=unheard-of")) == [instance_id("web", number) for number in (1, 2, 3, 4)]
    newest = ids(sim.cycle.get(f"{WEB}?sort=-events.created"))
    assert newest[:2] == [instance_id("web", 4), instance_id("web", 3)]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("filter[state]=failed", [2]),
        ("filter[state]=failed,running", [1, 2, 3, 4]),
        ("filter%5Bstate%5D=running%2Cfailed", [1, 2, 3, 4]),
        ("filter[state]=", [1, 2, 3, 4]),
        ("filter[state]=stopped", []),
        (f"filter[server]={SERVERS['eu-ams-1']}", [1, 2, 3, 4]),
        (f"filter[server]={SERVERS['eu-ams-2']}", []),
        ("filter[search]=CANARY-3", [3]),
        ("filter[search]=0002", [2]),
        ("filter[unheard-of]=x", [1, 2, 3, 4]),
        ("filter[range-end]=2020-01-01T00:00:00Z", []),
        ("filter[range-start]=2020-01-01T00:00:00Z&filter[state]=failed", [2]),
    ],
)
def test_filters_of_instances(sim: Simulator, query: str, numbers: list[int]) -> None:
    found = ids(sim.cycle.get(at("canary", rest=f"/instances?{query}")))
    assert found == [instance_id("canary", number) for number in numbers]


def test_a_range(still: Simulator) -> None:
    path = f"{WEB}?filter[range-start]=2026-11-01T00:00:00Z"
    assert ids(still.cycle.get(path)) == [instance_id("web", number) for number in (3, 4)]
    assert ids(still.cycle.get(f"{path}&filter[range-end]=2026-11-01T12:00:00.000000001%2B00:00")) == [
        instance_id("web", 3)
    ]
    assert code(still.cycle.get(f"{WEB}?filter[range-start]=yesterday")) == "422.invalid-argument"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("filter[identifier]=web", ["web"]),
        ("filter[search]=7*7", ["hostile-name"]),
        ("filter[state]=stopped", ["reports"]),
        ("filter[service]=loadbalancer", ["loadbalancer"]),
        (f"filter[environment]={ENVIRONMENTS['overseas']}", ["edge-cache"]),
        ("filter[deployment_strategy]=resource-density,function", ["checkout-api", "resize"]),
        ("filter[public_network]=enable", ["web", "loadbalancer", "edge-cache"]),
        ("filter[tags]=ssd", ["orders-postgres"]),
        ("filter[deprecated]=true", []),
        ("filter[deployment]=v4.2.0", ["web"]),
    ],
)
def test_filters_of_containers(sim: Simulator, query: str, names: list[str]) -> None:
    assert named(ids(sim.cycle.get(f"/v1/containers?{query}"))) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("filter[cluster]=us", ["us-nyc-1", "us-sjc-1"]),
        ("filter[tags]=db,edge", ["eu-fra-1", "us-nyc-1", "us-sjc-1"]),
        ("filter[location]=661000000000000000000001", ["eu-ams-1", "eu-ams-2"]),
        ("filter[providers]=virtual", ["us-sjc-1"]),
        ("filter[state]=deleted", []),
    ],
)
def test_filters_of_servers(sim: Simulator, query: str, names: list[str]) -> None:
    assert named(ids(sim.cycle.get(f"/v1/infrastructure/servers?{query}"))) == names


def test_filters_of_environments(sim: Simulator) -> None:
    assert named(ids(sim.cycle.get("/v1/environments?filter[identifier]=staging"))) == ["staging"]
    assert named(ids(sim.cycle.get("/v1/environments?filter[search]=over"))) == ["overseas"]


@pytest.mark.parametrize(
    "query", ["include=servers,locations", "include=servers&include=locations", "include=servers%2Clocations"]
)
def test_arrays_come_with_commas_or_repeated(sim: Simulator, query: str) -> None:
    for path in (WEB, at("web", 1)):
        includes = sim.cycle.get(f"{path}?{query}").data["includes"]
        assert set(includes) == {"servers", "locations"}


def test_includes_are_whole_resources_of_what_is_on_the_page(sim: Simulator) -> None:
    names = "creators,servers,locations,integrations,containers,environments"
    reply = sim.cycle.get(f"{WEB}?include={names},unheard-of&page[size]=1")
    includes = reply.data["includes"]
    assert set(includes) == {
        *names.split(","),
        "containers:identifiers",
        "environments:identifiers",
        "integrations:identifiers",
    }
    assert list(includes["servers"]) == [SERVERS["eu-ams-1"]]
    assert includes["servers"][SERVERS["eu-ams-1"]]["hostname"] == "eu-ams-1"
    assert includes["containers"][CONTAINERS["web"]]["name"] == "Web shop"
    assert includes["containers:identifiers"] == {"web": [CONTAINERS["web"]]}
    assert includes["environments:identifiers"] == {"production": [ENVIRONMENTS["production"]]}
    assert [each["name"]["last"] for each in includes["creators"]["accounts"].values()] == ["Vos"]
    assert "includes" not in sim.cycle.get(WEB).data
    two = sim.cycle.get(f"{WEB}?include=servers").data["includes"]["servers"]
    assert set(two) == {SERVERS["eu-ams-1"], SERVERS["eu-fra-1"]}


def test_the_api_key_is_the_creator_of_what_it_made(sim: Simulator) -> None:
    accepted = sim.cycle.send("POST", at("worker", rest="/instances"), placement(eu_ams_1=1))
    assert accepted.status == 202
    sim.clock(advance=3)
    reply = sim.cycle.get(at("worker", rest="/instances?include=creators"))
    (made,) = reply.data["data"]
    (key,) = reply.data["includes"]["creators"]["api_keys"].values()
    assert made["creator"] == {"id": key["id"], "type": "api-key"}
    assert key["name"] == "demo"
    assert sim.cycle.keys["demo"] not in str(reply.data)


def test_instances_of_a_server_have_an_include_of_their_own(sim: Simulator) -> None:
    path = f"/v1/infrastructure/servers/{SERVERS['eu-fra-1']}/instances"
    reply = sim.cycle.get(f"{path}?include=creator,containers")
    assert {each["container_id"] for each in reply.data["data"]} == {
        CONTAINERS[name] for name in ("web", "orders-postgres", "loadbalancer", "ledger")
    }
    assert set(reply.data["includes"]) == {"creators", "containers", "containers:identifiers"}
    assert "creators" not in sim.cycle.get(f"{path}?include=creators,servers").data["includes"]


def test_meta_only_on_request(sim: Simulator) -> None:
    assert "meta" not in instance(sim, "web", 1)
    found = sim.cycle.get(at("web", 1, "?meta=node&meta=sdn_pool_ips,unheard-of")).data["data"]["meta"]
    assert set(found) == {"node", "sdn_pool_ips"}
    assert found["node"]["online"] is True
    away = sim.cycle.get(at("edge-cache", 2, "?meta=node")).data["data"]["meta"]["node"]
    assert (away["online"], away["state"]["current"]) == (False, "offline")


def test_counts(sim: Simulator) -> None:
    canary = sim.cycle.get(at("canary", rest="?meta=instances_count")).data["data"]
    assert canary["meta"]["instances_count"] == {"state": {"running": 3, "failed": 1}, "total": 4, "available": 4}
    assert canary["instances"] == 4
    # Migrating with its destination, and the one that took over; neither the purge leftover nor the one being deleted.
    assert sim.cycle.get(at("ledger")).data["data"]["instances"] == 3
    server = sim.cycle.get(f"/v1/infrastructure/servers/{SERVERS['eu-fra-2']}?meta=instances_count,allocations").data
    assert server["data"]["meta"]["instances_count"]["total"] == 1
    assert server["data"]["meta"]["allocations"]["ram"]["allocated_mb"] == 256
    assert server["data"]["evacuate"] is not None
    environment = sim.cycle.get(f"/v1/environments/{ENVIRONMENTS['overseas']}?meta=instances_count,containers").data
    assert environment["data"]["meta"]["instances_count"]["total"] == 2
    assert [each["name"] for each in environment["data"]["meta"]["containers"]] == ["Edge cache"]


def test_usable_servers(sim: Simulator) -> None:
    usable = {name: ids(sim.cycle.get(at(name, rest="/servers/usable"))) for name in ("web", "edge-cache")}
    # Not the evacuating one, not the one whose node is away, none of another cluster.
    assert named(usable["web"]) == ["eu-ams-1", "eu-ams-2", "eu-fra-1"]
    assert named(usable["edge-cache"]) == ["us-nyc-1"]
    reply = sim.cycle.get(at("web", rest="/servers/usable?include=location,models&meta=node"))
    assert set(reply.data["includes"]) == {"locations", "models"}
    assert reply.data["data"][0]["meta"]["node"]["online"] is True


def test_the_servers_of_a_container_in_three_shapes(sim: Simulator) -> None:
    path = at("web", rest="/servers")
    first, second = SERVERS["eu-ams-1"], SERVERS["eu-fra-1"]
    assert sim.cycle.get(path).data["data"] == {"server_id": first, "instances": 3}
    assert sim.cycle.get(at("worker", rest="/servers")).data["data"]["instances"] == 0
    sim.cycle.settings(container_servers_shape="array")
    assert sim.cycle.get(path).data["data"] == [
        {"server_id": first, "instances": 3},
        {"server_id": second, "instances": 1},
    ]
    sim.cycle.settings(container_servers_shape="map")
    assert sim.cycle.get(path).data["data"] == {first: 3, second: 1}


def test_fields_that_are_easily_mistaken(sim: Simulator) -> None:
    ordinary, balancer = instance(sim, "web", 1), instance(sim, "loadbalancer", 1)
    assert "service" not in ordinary
    assert balancer["service"] == "loadbalancer"
    assert ordinary["events"]["deleted"] == "0001-01-01T00:00:00Z"
    assert "ha_elections" in ordinary
    assert "function" not in ordinary
    assert isinstance(instance(sim, "resize", 1)["function"]["seed"], int)
    assert ordinary["stateful"] is None
    assert instance(sim, "orders-postgres", 1)["stateful"]["base_hostname"] == "orders-postgres-1"
    assert len(ordinary["state"]["changed"]) == len("2026-10-03T08:00:05.000000487Z")
    assert sim.cycle.get(at("hostile-name")).data["data"]["name"] == "{{ 7*7 }}"


def test_the_states_there_are(sim: Simulator) -> None:
    states = {
        (name, number): (found["state"]["current"], found["ready_state"])
        for name, amount in (("ledger", 5), ("canary", 4), ("reports", 2))
        for number in range(1, amount + 1)
        for found in [instance(sim, name, number)]
    }
    assert states["ledger", 1] == ("migrating", "active")
    assert states["ledger", 2] == ("stopped", "purge")
    assert states["ledger", 3] == ("deleting", "active")
    assert states["ledger", 4] == ("starting", "active")
    assert states["canary", 2] == ("failed", "active")
    assert states["reports", 1] == ("stopped", "active")
    assert instance(sim, "canary", 2)["state"]["error"]["message"] == "exit code 137: out of memory"
    assert [instance(sim, "canary", number)["state"]["health"]["healthy"] for number in (1, 3, 4)] == [
        True,
        False,
        None,
    ]


def test_identifiers_only_where_they_are_declared(sim: Simulator) -> None:
    def keys(path: str) -> set[str]:
        return set(sim.cycle.get(path).data["includes"])

    assert keys("/v1/containers?include=environments,stacks") == {
        "environments",
        "environments:identifiers",
        "stacks",
        "stacks:identifiers",
    }
    assert keys("/v1/infrastructure/servers?include=integrations,clusters") == {"integrations", "clusters"}
    assert keys("/v1/environments?include=creators,stacks,clusters") == {"creators", "stacks"}
