# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances of Cycle as hosts: each request that is made, what is told of a host, and what may go wrong."""

from __future__ import annotations

import dataclasses
import json
import threading
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.quayside.paas.plugins.inventory import cycle as plugin
from ansible_collections.quayside.paas.plugins.module_utils._cycle.api import Cycle
from ansible_collections.quayside.paas.plugins.module_utils._cycle.hosts import Selection, read_hosts
from ansible_collections.quayside.paas.plugins.module_utils._errors import ApiError, PaasError
from ansible_collections.quayside.paas.plugins.module_utils._hosts import Found, Host
from support.settings import limit
from unit.definitions import documented_options
from unit.fakes import HUB, KEY, URL, Answer, Call, Clock, Platform, cycle, cycle_error, cycle_page, resources

OPTIONS: dict[str, t.Any] = {
    "api_key": KEY,
    "hub_id": HUB,
    "api_url": URL,
    "timeout": 30,
    "retry_budget": 0,
    "validate_certs": True,
    "ca_path": None,
}
PRODUCTION, STAGING = "66e000000000000000000001", "66e000000000000000000002"
ENVIRONMENTS = {
    PRODUCTION: {"id": PRODUCTION, "identifier": "production", "name": "The shop", "cluster": "eu", "acl": {"a": 1}},
    STAGING: {
        "id": STAGING,
        "identifier": "staging",
        "name": "Next week",
        "cluster": "eu",
        "state": {"current": "live"},
    },
}
SERVERS: dict[str, t.Any] = {
    "s1": {"id": "s1", "hostname": "ams-1", "nickname": "Anna", "cluster": "eu", "location_id": "l1", "node_id": "n"},
    "s2": {"id": "s2", "hostname": "nyc-1", "nickname": None, "cluster": "us", "location_id": "l2", "ephemeral": True},
}
LOCATIONS = {
    "l1": {"id": "l1", "name": "Amsterdam", "provider": {"code": "ams", "vendor": "v"}, "features": {}},
    "l2": {"id": "l2", "name": "New York"},
}
CLUSTERS = {"k1": {"id": "k1", "identifier": "eu"}, "k2": {"id": "k2", "identifier": "us"}}
ALONG = {"servers": SERVERS, "locations": LOCATIONS, "environments": ENVIRONMENTS}


def read(**selection: t.Any) -> Found:
    return read_hosts(Cycle(OPTIONS.get), Selection(**{"concurrency": 1, **selection}))


def container(identity: str, environment: str = PRODUCTION, **more: t.Any) -> dict[str, t.Any]:
    return {
        "id": identity,
        "identifier": f"app-{identity}",
        "name": identity.upper(),
        "environment": {"id": environment, "cluster": "eu"},
        **more,
    }


def counts(total: int | None = None, **states: int) -> dict[str, t.Any]:
    """What a container or server says of its instances."""
    return {"instances_count": {"state": states, "total": sum(states.values()) if total is None else total}}


def instance(identity: str, state: t.Any = "running", server: str = "s1", **more: t.Any) -> dict[str, t.Any]:
    return {
        "id": identity,
        "hub_id": HUB,
        "creator": {"id": "me", "type": "account"},
        "provider": {"vendor": "v"},
        "server_id": server,
        "location_id": SERVERS[server]["location_id"],
        "environment": {"id": PRODUCTION, "vxlan_tag": 7},
        "hostname": f"host-{identity}",
        "state": {"current": state} if isinstance(state, str) else state,
        **more,
    }


def container_list(*containers: t.Any, number: int = 1, answer: Answer | None = None, **filters: t.Any) -> Call:
    given_ = answer or resources(list(containers), environments=ENVIRONMENTS)
    return cycle_page(
        "containers", given_, number=number, include=["environments"], meta=["instances_count"], **filters
    )


def instance_list(
    container_id: str, *instances: t.Any, answer: Answer | None = None, number: int = 1, **filters: str
) -> Call:
    """The list of instances of a container. filters: of the API; states running unless said otherwise."""
    query = {f"filter[{name}]": value for name, value in {"state": "running", **filters}.items() if value}
    given_ = answer or resources(list(instances), **ALONG)
    path = f"containers/{container_id}/instances"
    return cycle_page(path, given_, number=number, include="servers,locations,environments", **query)


def server_list(*servers: t.Any) -> Call:
    found = resources(list(servers or SERVERS.values()), locations=LOCATIONS, clusters=CLUSTERS)
    return cycle_page("infrastructure/servers", found, include=["locations", "clusters"], meta=["instances_count"])


def server_instances(server_id: str, *instances: t.Any, answer: Answer | None = None) -> Call:
    along = {"environments": ENVIRONMENTS, "containers": {"c1": container("c1", environment_vars={"A": "secret"})}}
    given_ = answer or resources(list(instances), **along)
    return cycle_page(f"infrastructure/servers/{server_id}/instances", given_, include=["containers", "environments"])


def environment_list(answer: Answer | None = None) -> Call:
    return cycle_page("environments", answer or resources(list(ENVIRONMENTS.values())))


def names(found: Found) -> list[str]:
    return [host["name"] for host in found.hosts]


def only(found: Found) -> Host:
    (host,) = found.hosts
    return host


def test_one_list_of_containers_and_one_of_instances_for_each(platform: Platform) -> None:
    platform.expects(
        container_list(container("c1"), container("c2")),
        instance_list("c1", instance("i2"), instance("i1")),
        instance_list("c2", instance("i3", server="s2")),
    )
    found = read()
    assert names(found) == ["host-i1", "host-i2", "host-i3"]
    assert found.warnings == []
    assert len(platform.requests) == 3


def test_what_is_told_of_a_host(platform: Platform) -> None:
    config = {
        "network": {"hostname": "web", "public": "enable", "ports": ["80:80"]},
        "deploy": {"strategy": "manual", "instances": 1},
        "runtime": {"environment_vars": {"TOKEN": "very secret"}},
    }
    one = container("c1", config=config, image={"id": "img"}, annotations={"password": "very secret"}, volumes=[])
    state = {"current": "running", "health": {"healthy": True}}
    platform.expects(container_list(one), instance_list("c1", instance("i1", state=state, service=None)))
    host = only(read())
    assert host == {
        "name": "host-i1",
        "identity": "i1",
        "facts": {
            "instance": {
                "id": "i1",
                "container_id": "c1",
                "server_id": "s1",
                "location_id": "l1",
                "environment": {"id": PRODUCTION, "vxlan_tag": 7},
                "hostname": "host-i1",
                "state": state,
                "service": None,
            },
            "container": {
                "id": "c1",
                "identifier": "app-c1",
                "name": "C1",
                "annotations": {"password": None},
                "image": {"id": "img"},
                "config": {"network": {"hostname": "web", "public": "enable"}, "deploy": {"strategy": "manual"}},
            },
            "environment": {"id": PRODUCTION, "identifier": "production", "name": "The shop", "cluster": "eu"},
            "server": {name: value for name, value in SERVERS["s1"].items() if name != "node_id"},
            "location": {"id": "l1", "name": "Amsterdam", "provider": {"code": "ams", "vendor": "v"}},
        },
        "connection": {"ansible_cycle_container_id": "c1", "ansible_cycle_instance_id": "i1"},
        "groups": [
            "environment_production",
            "container_app-c1",
            "server_ams-1",
            "location_ams",
            "state_running",
            "health_healthy",
        ],
    }
    assert json.loads(json.dumps(host)) == host
    assert "secret" not in repr(host)


@pytest.mark.parametrize(
    ("health", "group"),
    [
        ({"healthy": True}, "health_healthy"),
        ({"healthy": False}, "health_unhealthy"),
        ({"healthy": None}, "health_unknown"),
        ({"healthy": "true"}, "health_unknown"),
        ({"healthy": {}}, "health_unknown"),
        ({}, "health_unknown"),
        (None, "health_unknown"),
    ],
)
def test_health(platform: Platform, health: t.Any, group: str) -> None:
    state = {"current": "running", "health": health}
    platform.expects(container_list(container("c1")), instance_list("c1", instance("i1", state=state)))
    assert [name for name in only(read())["groups"] if name.startswith("health")] == [group]


def test_what_does_not_come_along_is_its_id(platform: Platform) -> None:
    bare = {"id": 7, "server_id": 5, "state": {"current": "running"}, "environment": {"id": "e9"}}
    platform.expects(container_list(answer=resources([{"id": "c1"}])), instance_list("c1", answer=resources([bare])))
    host = only(read())
    assert host["name"] == "c1-7"
    facts = host["facts"]
    assert facts["instance"] == {**bare, "id": "7", "server_id": "5", "container_id": "c1"}
    assert [facts[kind] for kind in ("container", "environment", "server", "location")] == [
        {"id": "c1"},
        {"id": "e9"},
        {"id": "5"},
        {"id": None},
    ]
    assert host["groups"] == ["environment_e9", "container_c1", "server_5", "state_running", "health_unknown"]


@pytest.mark.parametrize("hostname", [None, "", "{{ 7*7 }}"])
def test_the_name_is_the_host_name_or_made_of_container_and_id(platform: Platform, hostname: str | None) -> None:
    platform.expects(container_list(container("c1")), instance_list("c1", instance("i1", hostname=hostname)))
    assert only(read())["name"] == (hostname or "app-c1-i1")


def test_hosts_share_what_belongs_to_several(platform: Platform) -> None:
    platform.expects(container_list(container("c1")), instance_list("c1", instance("i1"), instance("i2")))
    one, other = (host["facts"] for host in read().hosts)
    for kind in ("container", "environment", "server", "location"):
        assert one[kind] is other[kind]


def test_containers_that_say_they_have_none_cost_no_request(platform: Platform) -> None:
    silent = [
        container("c3", instances=0),
        container("c4", meta=None),
        container("c5", meta=counts(total=2)),
        container("c6", meta=counts(stopped=2, total=3)),
        container("c7", meta={"instances_count": {"state": {"stopped": "2"}, "total": 2}}),
    ]
    platform.expects(
        container_list(
            container("c0", meta=counts()),
            container("c1", meta=counts(stopped=2, running=0)),
            container("c2", meta=counts(stopped=1, running=1)),
            *silent,
        ),
        instance_list("c2", instance("i2")),
        *(instance_list(one["id"]) for one in silent),
    )
    found = read()
    assert names(found) == ["host-i2"]
    assert found.notes == [
        "Instances left out because of their state: 3 stopped.",
        "Containers that do not tell how many instances they have in other states: 5.",
    ]


def test_states_are_filtered_here_as_well(platform: Platform) -> None:
    platform.expects(
        container_list(container("c1"), container("c2", meta=counts(running=1, failed=1, deleted=0))),
        instance_list("c1", instance("i1"), instance("i2", "stopped"), instance("i3", {})),
        instance_list("c2", instance("i4"), instance("i5", "failed")),
    )
    found = read()
    assert names(found) == ["host-i1", "host-i4"]
    assert found.notes[0] == "Instances left out because of their state: 1 failed, 1 stopped, 1 unknown."


def test_several_states(platform: Platform) -> None:
    platform.expects(
        container_list(container("c1", meta=counts(stopped=1))),
        instance_list("c1", instance("i1", "stopped"), instance("i2", "running"), state="stopped,failed"),
    )
    assert names(read(states=["stopped", "failed"])) == ["host-i1"]


def test_all_states(platform: Platform) -> None:
    every = [instance("i1", "failed"), instance("i2", "deleted"), instance("i3", "brand-new-state")]
    platform.expects(
        container_list(container("c0", meta=counts()), container("c1", meta=counts(failed=3))),
        instance_list("c1", *every, state=""),
    )
    found = read(states=[])
    assert names(found) == ["host-i1", "host-i2", "host-i3"]
    assert found.notes == []


def test_deleted_containers_are_not_read(platform: Platform) -> None:
    platform.expects(container_list(container("c1", state={"current": "deleted"})))
    assert read().hosts == []


def test_environments_by_id_cost_nothing(platform: Platform) -> None:
    platform.expects(
        container_list(container("c1"), container("c2", STAGING), **{"filter[environment]": PRODUCTION}),
        instance_list("c1", instance("i1")),
    )
    found = read(environments=[PRODUCTION])
    assert names(found) == ["host-i1"]
    assert found.warnings == []


def test_environments_by_name_are_looked_up(platform: Platform) -> None:
    platform.expects(
        environment_list(),
        container_list(container("c1"), container("c2", "other"), **{"filter[environment]": f"{PRODUCTION},{STAGING}"}),
        instance_list("c1", instance("i1")),
    )
    found = read(environments=["production", "Next week", "nix", "none"])
    assert names(found) == ["host-i1"]
    assert found.warnings == ['There is no environment with the id or name "nix", "none".']


def test_no_environment_at_all(platform: Platform) -> None:
    platform.expects(environment_list())
    found = read(environments=["nix"])
    assert found.hosts == []
    assert len(found.warnings) == 1


def test_environments_that_may_not_be_listed_come_along_with_containers(platform: Platform) -> None:
    platform.expects(
        environment_list(cycle_error(403, "permissions")),
        container_list(container("c1"), container("c2", STAGING)),
        instance_list("c2", instance("i1")),
    )
    found = read(environments=["staging", "nix"])
    assert names(found) == ["host-i1"]
    assert found.warnings == ['There is no environment that has containers, with the id or name "nix".']
    assert "environments-view" in found.notes[0]


def test_many_environments_are_not_put_into_an_address(platform: Platform) -> None:
    wanted = [PRODUCTION, *(f"66e1{number:020x}" for number in range(50))]
    platform.expects(container_list(container("c1")), instance_list("c1", instance("i1")))
    found = read(environments=wanted)
    assert names(found) == ["host-i1"]
    assert len(found.warnings) == 1


@pytest.mark.parametrize("name", ["c1", "app-c1", "C1"])
def test_containers_by_id_identifier_or_name(platform: Platform, name: str) -> None:
    platform.expects(container_list(container("c1"), container("c2")), instance_list("c1", instance("i1")))
    found = read(containers=[name, "nix"])
    assert names(found) == ["host-i1"]
    assert found.warnings == ['There is no container with the id or name "nix".']


def test_nothing_named_none_is_meant_by_what_has_no_name(platform: Platform) -> None:
    platform.expects(container_list(container("c1", name=None)))
    assert read(containers=["None"]).hosts == []


@pytest.mark.parametrize("name", ["s1", "ams-1", "Anna"])
def test_servers_alone_cost_one_list_each(platform: Platform, name: str) -> None:
    listed = [instance("i2", container_id="c1"), instance("i1", "failed", container_id="c1")]
    platform.expects(server_list(), server_instances("s1", *listed))
    found = read(servers=[name, "nix"])
    host = only(found)
    assert host["name"] == "host-i2"
    assert host["facts"]["server"]["hostname"] == "ams-1"
    assert host["facts"]["location"]["name"] == "Amsterdam"
    assert host["facts"]["container"] == {"id": "c1", "identifier": "app-c1", "name": "C1"}
    assert host["facts"]["environment"]["identifier"] == "production"
    assert host["connection"] == {"ansible_cycle_container_id": "c1", "ansible_cycle_instance_id": "i2"}
    assert found.warnings == ['There is no server with the id or name "nix".']
    assert found.notes == ["Instances left out because of their state: 1 failed."]


@pytest.mark.parametrize("name", ["us", "k2"])
def test_clusters_by_identifier_or_id(platform: Platform, name: str) -> None:
    listed = instance("i1", server="s2", container_id="c1")
    platform.expects(server_list(), server_instances("s2", listed))
    found = read(clusters=[name, "asia"])
    assert names(found) == ["host-i1"]
    assert found.warnings == ['There is no cluster that has servers, with the id or name "asia".']


def test_servers_have_to_be_in_the_clusters(platform: Platform) -> None:
    platform.expects(server_list())
    found = read(clusters=["us"], servers=["ams-1"])
    assert found.hosts == []
    assert found.warnings == ['There is no server in the clusters asked for, with the id or name "ams-1".']


def test_servers_that_say_they_have_none_cost_no_request(platform: Platform) -> None:
    platform.expects(
        server_list(
            {**SERVERS["s1"], "meta": counts()}, {**SERVERS["s1"], "id": "s3", "meta": counts(stopped=1)}, SERVERS["s2"]
        ),
        server_instances("s3", instance("i1", "stopped", container_id="c1")),
    )
    found = read(clusters=["eu"])
    assert found.hosts == []
    assert found.notes == ["Instances left out because of their state: 1 stopped."]


def test_an_instance_on_two_servers_is_one_host(platform: Platform) -> None:
    moving = instance("i1", container_id="c1")
    platform.expects(server_list(), server_instances("s1", moving), server_instances("s2", moving))
    assert names(read(servers=["s1", "s2"])) == ["host-i1"]


def test_servers_of_a_container_are_filtered_by_the_platform_and_here(platform: Platform) -> None:
    platform.expects(
        server_list(),
        container_list(container("c1", meta=counts(running=3, stopped=9))),
        instance_list("c1", instance("i1"), instance("i2", server="s2"), server="s1"),
    )
    found = read(containers=["c1"], servers=["ams-1"])
    assert names(found) == ["host-i1"]
    # How many of the stopped ones are on that server nobody says.
    assert found.notes == ["Containers that do not tell how many instances they have in other states: 1."]


def test_several_servers_of_a_container_are_filtered_here(platform: Platform) -> None:
    platform.expects(
        server_list(),
        container_list(container("c1"), **{"filter[environment]": PRODUCTION}),
        instance_list("c1", instance("i1"), instance("i2", server="s2")),
    )
    assert names(read(environments=[PRODUCTION], servers=["s1", "s2"])) == ["host-i1", "host-i2"]


def test_a_container_that_fails_is_told_and_the_others_stay(platform: Platform) -> None:
    platform.expects(
        container_list(container("c1"), container("c2"), container("c3")),
        instance_list("c1", answer=cycle_error(500, "internal", "Broken")),
        instance_list("c2", instance("i1")),
        instance_list("c3", answer=cycle_error(404, "container", "Gone")),
    )
    found = read()
    assert names(found) == ["host-i1"]
    (warning,) = found.warnings
    assert 'container "app-c1"' in warning
    assert "Broken" in warning
    assert 'Gone meanwhile: container "app-c3".' in found.notes


def test_a_server_that_fails_is_told_and_the_others_stay(platform: Platform) -> None:
    platform.expects(
        server_list(),
        server_instances("s1", answer=cycle_error(500, "internal", "Broken")),
        server_instances("s2", instance("i1", server="s2", container_id="c1")),
    )
    found = read(servers=["s1", "s2"])
    assert names(found) == ["host-i1"]
    (warning,) = found.warnings
    assert 'server "ams-1"' in warning


def test_a_page_that_fails_is_told_and_those_before_stay(platform: Platform) -> None:
    many = [instance(f"i{number:03}") for number in range(100)]
    platform.expects(
        container_list(container("c1")),
        instance_list("c1", *many),
        instance_list("c1", answer=cycle_error(500, "internal", "Broken"), number=2),
    )
    found = read()
    assert len(found.hosts) == 100
    (warning,) = found.warnings
    assert warning.startswith('The list of instances of the container "app-c1" breaks off')
    assert "the first 100" in warning
    assert "Broken" in warning


def test_containers_on_a_page_that_fails_are_told_of(platform: Platform) -> None:
    empty = [container(f"c{number}", meta=counts()) for number in range(1, 100)]
    platform.expects(
        container_list(container("c0"), *empty),
        container_list(answer=cycle_error(503, "busy", "Busy"), number=2),
        instance_list("c0", instance("i1")),
    )
    found = read()
    assert names(found) == ["host-i1"]
    (warning,) = found.warnings
    assert warning.startswith("The list of containers breaks off")


def test_nothing_that_can_be_read_is_an_error(platform: Platform) -> None:
    platform.expects(container_list(answer=cycle_error(401, "auth.invalid", "No")))
    with pytest.raises(ApiError) as caught:
        read()
    assert caught.value.status == 401


def test_what_comes_without_an_id_is_told_of(platform: Platform) -> None:
    platform.expects(
        container_list(container("c1"), {"name": "nobody"}),
        instance_list("c1", instance("i1"), {"hostname": "nobody"}),
    )
    found = read()
    assert names(found) == ["host-i1"]
    first, second = found.warnings
    assert first == "Containers that the platform lists without an id, whose instances are missing: 1."
    assert second.startswith('The list of instances of the container "app-c1" has an instance without its id')


def test_lists_are_read_page_by_page(platform: Platform) -> None:
    many = [instance(f"i{number:03}") for number in range(120)]
    platform.expects(
        container_list(container("c1")), instance_list("c1", *many[:100]), instance_list("c1", *many[100:], number=2)
    )
    # The second page has 20, which may be all that the platform sends at once.
    platform.expects(instance_list("c1", number=3))
    assert len(read().hosts) == 120


def telemetry(instance_id: str, answer: Answer | None = None) -> Call:
    memory = {"usage": {"usage": 50, "max_usage": 60, "fail_count": 0, "limit": 200}}
    snapshot = {"time": "2026-01-01T00:00:00Z", "memory": memory, "processes": {"current": 3}}
    given_ = answer or resources({"request": {}, "snapshots": [snapshot]})
    return cycle("GET", f"containers/c1/instances/{instance_id}/telemetry/resources/report", given_)


def test_telemetry_costs_one_request_for_each_that_runs(platform: Platform) -> None:
    platform.expects(
        container_list(container("c1")),
        instance_list("c1", instance("i1"), instance("i2", "stopped"), instance("i3"), state=""),
        telemetry("i1"),
        telemetry("i3", cycle_error(500, "internal", "Broken")),
    )
    found = read(states=[], telemetry=True)
    told = [host["facts"]["telemetry"] for host in found.hosts]
    assert [one["memory_share"] for one in told] == [0.25, None, None]
    assert [one["samples"] for one in told] == [1, 0, 0]
    assert {tuple(one) for one in told} == {tuple(told[0])}
    (warning,) = found.warnings
    assert 'instance "i3"' in warning
    assert "Broken" in warning


def test_without_any_telemetry_the_hosts_stay(platform: Platform) -> None:
    platform.expects(
        container_list(container("c1")),
        instance_list("c1", instance("i1")),
        telemetry("i1", cycle_error(403, "permissions", "No")),
    )
    found = read(telemetry=True)
    assert only(found)["facts"]["telemetry"]["samples"] == 0
    assert len(found.warnings) == 1


def test_containers_are_read_at_once_but_not_too_many(platform: Platform) -> None:
    under_way, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=limit(10))

    def slow(_request: t.Any) -> t.Any:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        both.wait()
        with lock:
            under_way -= 1
        return resources([])

    lists = [instance_list(f"c{number}", answer=slow) for number in range(6)]
    platform.expects(container_list(*(container(f"c{number}") for number in range(6))))
    platform.expects(*lists, any_order=True)
    assert read(concurrency=2).hosts == []
    assert most == 2


def test_the_inventory_has_an_option_for_each_choice_with_the_same_default() -> None:
    options = documented_options(plugin.DOCUMENTATION)
    chosen = {field.name: field.default for field in dataclasses.fields(Selection)}
    assert {*plugin.InventoryModule.selecting, "concurrency"} == set(chosen)
    documented = {name: options[name]["default"] for name in chosen}
    assert documented == {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()}


def test_the_inventory_reads_what_its_options_say(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    given_ = {**dataclasses.asdict(Selection()), "containers": ["c2"], "states": ["failed"], "concurrency": 1}
    inventory = plugin.InventoryModule()
    monkeypatch.setattr(inventory, "get_option", given_.get)
    platform.expects(
        container_list(container("c1"), container("c2")), instance_list("c2", instance("i1", "failed"), state="failed")
    )
    assert names(inventory.read(Cycle(OPTIONS.get))) == ["host-i1"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ("id", "server_id", "container_id", "hostname", "state", "environment", "location_id", "meta", "identifier")
)


@given(one=st.dictionaries(FIELDS, JSON), holder=st.dictionaries(FIELDS, JSON), along=JSON)
def test_whatever_the_platform_sends_there_is_a_host_or_a_word(one: t.Any, holder: t.Any, along: t.Any) -> None:
    with Platform(Clock()) as platform:
        platform.expects(
            container_list({**holder, "id": "c1", "state": None, "meta": None}),
            instance_list(
                "c1", answer=resources([one], servers=along, locations={"x": along}, environments=along), state=""
            ),
        )
        try:
            found = read(states=[])
        except PaasError:
            return
        assert len(found.hosts) + len(found.warnings) == 1
        for host in found.hosts:
            assert json.loads(json.dumps(host)) == host
            assert all(isinstance(name, str) for name in [host["name"], host["identity"], *host["groups"]])
