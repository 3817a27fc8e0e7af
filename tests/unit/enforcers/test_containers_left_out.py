"""Containers that their host cannot enforce on are left out of the plan with the reason, and nobody else is stopped."""

from __future__ import annotations

from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.api import (
    Engine,
    EngineAnswer,
    ask_engines,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.sources.containers.transform import Shape, hosts
from ringfence.analysis.checks import problems
from ringfence.model.assets import Asset
from ringfence.model.problems import Severity

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
    "no root": (with_fact(rootless=True), "it says of itself: it is rootless: what it sends and receives are sockets"),
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


def test_two_of_one_name_are_both_left_out_and_the_others_are_not() -> None:
    """Docker and Podman of one host may each have one."""
    given = with_fact(name="shop-web-1")
    plan = planned(compiled(given)).plan
    web = next(name for name in plan.left_out if name != given.name)
    assert plan.left_out.keys() == {given.name, web}
    assert set(plan.left_out.values()) == {
        f"several containers of {HOST} are called 'shop-web-1', and it tells them apart by name alone: "
        "rename all but one"
    }
    assert len(plan.hosts[HOST].containers) == 2


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
    assert "rootless" not in variables["ringfence_containers"]
    front, odd = variables["ringfence_containers"]["networks"]
    assert (front["subnets"], front["gateways"]) == (["172.30.1.0/24"], ["172.30.1.1"])
    assert "subnets" not in odd


NONE_OF_ITS_OWN = {
    "rootless": ({"rootless": True}, "it is rootless: what it sends and receives are sockets of its user or unit"),
    "host": ({"network_mode": "host"}, "it is in the network of its host, whose table judges it"),
    "host, told by Podman": ({"networks": [{"name": "host"}]}, "it is in the network of its host"),
    "host, of which Podman tells nothing": (
        {"networks": [], "state": "running"},
        "its engine tells of no network of its own: in that of its host, the host's table judges it",
    ),
    "joined": ({"network_mode": f"container:{'ab' * 32}"}, "it is in the network of container abababababab"),
}


@pytest.mark.parametrize("case", NONE_OF_ITS_OWN)
def test_containers_without_packets_of_their_own_are_named_by_plan_and_check(case: str) -> None:
    changed, why = NONE_OF_ITS_OWN[case]
    given = replace(with_fact(**changed), addresses=(), workload=False)
    made = compiled(given)
    plan = planned(made).plan
    assert plan.left_out.keys() == {given.name}
    assert plan.left_out[given.name].startswith(why)
    (problem,) = [one for one in problems(made) if given.name in one.message]
    assert (problem.severity, why in problem.message) == (Severity.WARNING, True)
    assert not any(given.name in one.message for one in problems(compiled(replace(given, enforcer="nftables"))))


def test_who_is_in_the_network_of_another_has_no_addresses_of_its_own() -> None:
    def told(identity: str, name: str, *aliases: str) -> dict[str, object]:
        network = {"IPAddress": "10.88.0.2", "IPPrefixLen": 16, "Aliases": list(aliases)}
        return {"Id": identity * 64, "Names": [f"/{name}"], "NetworkSettings": {"Networks": {"podman": network}}}

    # as Podman tells of them: the same network, address and aliases, and no mode
    both = [told("a", "joined", "b" * 12), told("b", "web", "b" * 12, "shop"), told("c", "other", "shop")]
    answer = EngineAnswer(Engine(HOST, "unix:///x"), containers=both, networks={"podman": {"Driver": "bridge"}})
    found = {name.partition(".")[0]: its for name, its in hosts([answer], Shape(enforce=True)).hosts}
    assert {name: one["ringfence_workload"] for name, one in found.items()} == {
        "joined": False,
        "web": True,
        "other": True,
    }
    assert found["joined"]["ringfence_containers"]["network_mode"] == "container:web"
    assert found["joined"]["ringfence_addresses"] == []


def test_a_rootless_engine_has_no_workloads_and_no_addresses_that_others_meet() -> None:
    networks = {"podman": {"IPAddress": "10.88.0.2", "IPPrefixLen": 16}}
    told = {"Names": ["/web"], "NetworkSettings": {"Networks": networks}, "HostConfig": {"NetworkMode": "bridge"}}
    answer = EngineAnswer(Engine(HOST, "unix:///x"), containers=[told], rootless=True)
    ((_, variables),) = hosts([answer], Shape(enforce=True)).hosts
    assert (variables["ringfence_workload"], variables["ringfence_addresses"]) == (False, [])
    assert "ringfence_realm" not in variables
    fact = variables["ringfence_containers"]
    assert (fact["rootless"], fact["network_mode"], variables["ringfence_enforcer"]) == (True, "bridge", "containers")


class Answers(BaseHTTPRequestHandler):
    """An engine that has no container, and what it says of itself."""

    protocol_version = "HTTP/1.1"
    info: bytes | None = None

    def do_GET(self) -> None:
        """Answer one question."""
        said = self.info if self.path == "/info" else b"{}" if self.path == "/version" else b"[]"
        self.send_response(403 if said is None else 200)
        self.send_header("Content-Length", str(len(said or b"")))
        self.end_headers()
        self.wfile.write(said or b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("info", "rootless"),
    [
        (b'{"SecurityOptions": ["name=seccomp,profile=default", "name=rootless"]}', True),
        (b'{"SecurityOptions": ["name=seccomp,profile=default"]}', False),
        (b'{"SecurityOptions": null}', False),
        (b"no JSON", False),
        (None, False),
    ],
)
def test_an_engine_is_asked_whether_it_has_root(info: bytes | None, rootless: bool) -> None:
    with HTTPServer(("127.0.0.1", 0), type("Told", (Answers,), {"info": info})) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        (answer,) = ask_engines([Engine(HOST, f"tcp://127.0.0.1:{server.server_port}")], {}, 20, 1)
        server.shutdown()
        thread.join()
    assert (answer.failure, answer.rootless) == ("", rootless)
