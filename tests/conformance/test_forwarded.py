"""Machines behind a router: what its kernel does with forwarded packets is what the reference says of both ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ringfence.compiler import compile_policy
from ringfence.enforcers import enforcer
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.rules import Enforcement, Mode, Settings
from ringfence.model.selectors import LabelIn
from ringfence.model.tables import Effect
from ringfence.plan import Circumstances
from ringfence.plan.build import build

from tests.conformance.container_world import (
    CLIENT,
    CLIENT_AT,
    CONTAINERS,
    HOST,
    HOST_AT,
    NETWORKS,
    PORTS,
    ContainerWorld,
    Probe,
    needs_root,
)
from tests.conformance.reference import Direction, Packet, judge
from tests.conformance.test_containers import PLACE, QUICK, Drawn, drawn
from tests.examples import examples
from tests.unit.plan.plan_estates import CONTROL, INPUTS, NOW

SETTINGS = Settings(control=CONTROL)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerWorld]:
    if needs_root():
        pytest.skip("needs root: machines are namespaces that tests enter")
    one = ContainerWorld(tmp_path_factory.mktemp("forwarded"))
    yield one
    one.close()


def snapshot(last: dict[str, int], strangers: frozenset[str]) -> Snapshot:
    """Return a router and the machines around it; nobody knows the strangers."""
    at: dict[str, tuple[str, ...]] = {CLIENT: CLIENT_AT}
    for name, network in CONTAINERS.items():
        v4, v6 = NETWORKS[network]
        at[name] = (f"{v4}.{last[name]}", f"{v6}:{last[name]:x}")
    around = [replace(_asset(name, its), enforcer="forwarded") for name, its in at.items() if name not in strangers]
    own = (*HOST_AT, *(f"{v4}.1" for v4, _ in NETWORKS.values()), *(f"{v6}:1" for _, v6 in NETWORKS.values()))
    router = replace(_asset(HOST, own), attributes={"ringfence_nftables": {"forwards": True}})
    return Snapshot(tuple(sorted((router, *around), key=lambda one: one.name)), NOW)


def _asset(name: str, addresses: tuple[str, ...]) -> Asset:
    return Asset(name, tuple(sorted(map(point_of, addresses))), {"role": Label(name, "inventory")})


def probes(world: ContainerWorld, known: frozenset[str]) -> list[tuple[Probe, Packet]]:
    """Return every connection that the router forwards, with the packet that begins it."""
    found = []
    for source in (*CONTAINERS, CLIENT):
        for target in (*CONTAINERS, CLIENT):
            bridged = source in CONTAINERS and CONTAINERS[source] == CONTAINERS.get(target)
            if source == target or (bridged and not world.same_bridge):
                continue
            for family, address in enumerate(world.addresses[target]):
                ends = point_of(world.addresses[source][family]), point_of(address)
                named = {"client": source if source in known else None, "server": target if target in known else None}
                found += [((source, address, port), Packet(*ends, 6, port, **named)) for port in PORTS]
    return found


@settings(
    max_examples=examples(12), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=QUICK
)
@given(
    drawn(), st.sets(st.sampled_from((*CONTAINERS, CLIENT)), max_size=1), st.sampled_from(Mode), st.sampled_from(Mode)
)
def test_the_kernel_of_a_router_does_what_the_reference_says_of_both_ends(
    world: ContainerWorld, case: Drawn, unknown: set[str], inbound: Mode, outbound: Mode
) -> None:
    strangers = frozenset(unknown)
    now = snapshot(case.first, strangers)
    own = Enforcement(LabelIn("role", (HOST,)), inbound, outbound, PLACE)
    policy = replace(case.policy, enforcement=(own, *case.policy.enforcement))
    compiled = compile_policy(now, policy, SETTINGS, abilities=lambda name: enforcer(name).abilities)
    draft = build(compiled, enforcer, Circumstances(INPUTS, 1, NOW))
    known = frozenset(asset.name for asset in now.assets)
    assert {name for one in draft.plan.hosts[HOST].forwarded for name in one.assets} == known - {HOST}
    world.start(case.first)
    world.host.load(draft.rulesets[draft.plan.hosts[HOST].ruleset])
    tried = probes(world, known)
    observed = {Direction.IN: inbound is Mode.OBSERVE, Direction.OUT: outbound is Mode.OBSERVE}
    allowed = set()
    for probe, packet in tried:
        said = judge(now, policy, SETTINGS, packet)
        if all(one.effect is not Effect.DENY or observed[direction] for direction, one in said.sides.items()):
            allowed.add(probe)
    made = world.passing([probe for probe, _ in tried], allowed.__contains__)
    assert made == allowed, {"opened": sorted(made - allowed), "closed": sorted(allowed - made)}
