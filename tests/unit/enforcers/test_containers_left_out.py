"""Containers that their host cannot enforce on are left out of the plan with the reason, and nobody else is stopped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.api import Engine, EngineAnswer
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.transform import Shape, hosts
from ringfence.model.assets import Asset

from tests.unit.enforcers.containers import BACK, HOST, compiled, container, machine, network, planned


def with_fact(**changed: object) -> Asset:
    """Return a fourth container of which the source tells something else."""
    one = container("cache", "db", back=9)
    fact = {"host": HOST, "name": "cache", "networks": [network("back", BACK, f"{BACK}.9")], **changed}
    return replace(one, attributes={"ringfence_containers": fact})


LEFT_OUT = {
    "macvlan": (
        with_fact(networks=[{**network("lan", BACK, f"{BACK}.9"), "driver": "macvlan"}]),
        "it says of itself: its macvlan network lan goes past its host's packet filter",
    ),
    "no subnet": (
        with_fact(networks=[{"name": "back", "driver": "bridge"}]),
        "it says of itself: it has an address of no bridge network whose subnet is known",
    ),
    "a name that is none": (with_fact(name="x; reboot"), "it says of itself: no host is known to hold this container"),
    "a subnet that is none": (
        with_fact(networks=[{**network("back", BACK, f"{BACK}.9"), "subnets": ["everything"]}]),
        "it says of itself: its networks cannot be read: 'everything' is not a valid address or network",
    ),
    "another host": (with_fact(host="dock-9"), "its host dock-9 is no workload of this plan"),
}


@pytest.mark.parametrize("reason", LEFT_OUT)
def test_a_container_is_left_out_with_the_reason(reason: str) -> None:
    given, why = LEFT_OUT[reason]
    plan = planned(compiled(given)).plan
    assert plan.left_out.keys() == {given.name}
    assert plan.left_out[given.name].startswith(why.partition(": '")[0])
    assert given.name not in plan.hosts[HOST].containers
    assert len(plan.hosts[HOST].containers) == 3


def test_a_host_with_iptables_enforces_on_none() -> None:
    host = replace(machine(HOST, "10.0.3.1", "host"), enforcer="iptables")
    plan = planned(compiled(host, machines=False)).plan
    assert set(plan.left_out.values()) == {f"iptables on its host {HOST} cannot enforce on containers"}


@pytest.mark.parametrize("enforce", [False, True])
def test_the_source_makes_containers_workloads_where_it_is_asked_to(enforce: bool) -> None:
    told = {
        "Id": "a" * 64,
        "Names": ["/web"],
        "NetworkSettings": {
            "Networks": {
                "front": {"IPAddress": "172.30.1.2", "IPPrefixLen": 24, "Gateway": "172.30.1.1"},
                "odd": {"IPAddress": "172.30.9.2", "IPPrefixLen": "many"},
            }
        },
    }
    answer = EngineAnswer(Engine(HOST, "unix:///x"), containers=[told], networks={"front": {"Driver": "bridge"}})
    ((_, variables),) = hosts([answer], Shape(enforce=enforce)).hosts
    assert variables["ringfence_workload"] is enforce
    assert variables.get("ringfence_enforcer") == ("containers" if enforce else None)
    front, odd = variables["ringfence_containers"]["networks"]
    assert (front["subnets"], front["gateways"]) == (["172.30.1.0/24"], ["172.30.1.1"])
    assert "subnets" not in odd
