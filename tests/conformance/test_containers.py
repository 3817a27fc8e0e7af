"""Containers as workloads: what their host's kernel does is what the reference says, before and after restarts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import process_lines
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from ringfence.compiler import compile_policy
from ringfence.enforcers import enforcer
from ringfence.model.addresses import point_of
from ringfence.model.assets import Asset, Label, Snapshot
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Rule, Settings
from ringfence.model.selectors import ANY, LabelIn, Not, Selector
from ringfence.model.services import parse_service
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
    POINTS,
    PORTS,
    PUBLISHED,
    ContainerWorld,
    Probe,
    needs_root,
)
from tests.conformance.reference import Direction, Packet, judge
from tests.examples import examples
from tests.unit.plan.plan_estates import CONTROL, INPUTS, NOW

INSIDE = f"containers-{HOST}"
SETTINGS = Settings(control=CONTROL, realms={"default": (INSIDE,), INSIDE: ("default",)})
PLACE = Place("policy/drawn.yml", 1, 1)
ROLES = (*CONTAINERS, HOST, CLIENT)
SERVICES = ("any", *(f"tcp/{port}" for port in PORTS), "tcp/1-1000", "udp/53")


@dataclass(frozen=True)
class Drawn:
    """A policy, the last bytes of the containers' addresses when it is compiled, and after a restart."""

    policy: Policy
    first: dict[str, int]
    then: dict[str, int]


def selectors() -> st.SearchStrategy[Selector]:
    chosen = st.lists(st.sampled_from(ROLES), min_size=1, max_size=3, unique=True)
    labels = chosen.map(lambda roles: LabelIn("role", tuple(sorted(roles))))
    return st.one_of(labels, labels, labels.map(Not), st.just(ANY))


@st.composite
def drawn(draw: st.DrawFn) -> Drawn:
    rules = tuple(
        Rule(
            id=f"{number:08x}",
            name=f"rule {number}",
            place=PLACE,
            sources=(Peer(draw(selectors())),),
            destinations=(Peer(draw(selectors())),),
            action=draw(st.sampled_from((Action.ALLOW, Action.ALLOW, Action.DENY, Action.PASS))),
            services=parse_service(draw(st.sampled_from(SERVICES))),
            tier=draw(st.sampled_from(("guardrail", "application", "baseline"))),
        )
        for number in range(draw(st.integers(1, 6)))
    )
    modes = st.sampled_from((Mode.FULL, Mode.FULL, Mode.SELECTIVE, Mode.OBSERVE))
    enforcement = tuple(
        Enforcement(LabelIn("role", (role,)), draw(modes), draw(modes), PLACE) for role in (*CONTAINERS, HOST)
    )
    numbers = list(range(2, 8))
    first = draw(st.permutations(numbers))
    then = draw(st.permutations(numbers))
    return Drawn(
        Policy(rules=rules, enforcement=enforcement),
        *(dict(zip(CONTAINERS, one, strict=False)) for one in (first, then)),
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerWorld]:
    if needs_root():
        pytest.skip("needs root: containers are namespaces that tests enter")
    one = ContainerWorld(tmp_path_factory.mktemp("containers"), published=True)
    yield one
    one.close()


def snapshot(last: dict[str, int]) -> Snapshot:
    """Return the assets with the addresses that containers have."""
    assets = [_asset(HOST, HOST_AT), replace(_asset(CLIENT, CLIENT_AT), workload=False)]
    for name, network in CONTAINERS.items():
        v4, v6 = NETWORKS[network]
        told = {
            "name": network,
            "driver": "bridge",
            "subnets": [f"{v4}.0/24", f"{v6}:/64"],
            "gateways": [f"{v4}.1", f"{v6}:1"],
        }
        fact = {"host": HOST, "name": name, "networks": [told]}
        at = (f"{v4}.{last[name]}", f"{v6}:{last[name]:x}")
        one = replace(_asset(name, at), realm=INSIDE, enforcer="containers", attributes={"ringfence_containers": fact})
        assets.append(one)
    return Snapshot(tuple(sorted(assets, key=lambda one: one.name)), NOW)


def _asset(name: str, addresses: tuple[str, ...]) -> Asset:
    return Asset(name, tuple(sorted(map(point_of, addresses))), {"role": Label(name, "inventory")})


def probes(world: ContainerWorld) -> list[tuple[Probe, Packet]]:
    """Return every connection between containers, their host and the client, with the packet that begins it."""
    found = []
    for source in ROLES:
        for target in ROLES:
            bridged = source in CONTAINERS and CONTAINERS[source] == CONTAINERS.get(target)
            if source == target or {source, target} == {HOST, CLIENT} or (bridged and not world.same_bridge):
                continue
            for family, address in enumerate(world.addresses[target]):
                sent_from = world.addresses[source][family]
                if source == HOST and target in CONTAINERS:
                    v4, v6 = NETWORKS[CONTAINERS[target]]
                    sent_from = (f"{v4}.1", f"{v6}:1")[family]
                ends = point_of(sent_from), point_of(address)
                found += [
                    (
                        (source, address, point),
                        Packet(*ends, point >> 16 or 6, point & 0xFFFF, client=source, server=target),
                    )
                    for point in POINTS
                ]
    return found + (published(world) if world.published else [])


def published(world: ContainerWorld) -> list[tuple[Probe, Packet]]:
    """Return what the client asks published ports for: the packet has the container's own address and port."""
    found = []
    for target, (port, inner) in PUBLISHED.items():
        for family in (0, 1):
            ends = point_of(CLIENT_AT[family]), point_of(world.addresses[target][family])
            probe = CLIENT, HOST_AT[family], port
            found.append((probe, Packet(*ends, 6, inner, client=CLIENT, server=target)))
    return found


def agrees(world: ContainerWorld, policy: Policy, last: dict[str, int]) -> None:
    """Try every connection; the kernel must do what the reference says for the addresses that containers have now."""
    now = snapshot(last)
    tried = probes(world)
    allowed = {probe for probe, packet in tried if judge(now, policy, SETTINGS, packet).passes}
    made = world.passing([probe for probe, _ in tried], allowed.__contains__)
    assert made == allowed, {"opened": sorted(made - allowed), "closed": sorted(allowed - made)}


def closes(world: ContainerWorld, policy: Policy, last: dict[str, int]) -> None:
    """Nothing that the reference denies passes while nobody has filled in what containers have now."""
    now = snapshot(last)
    tried = probes(world)
    allowed = {probe for probe, packet in tried if judge(now, policy, SETTINGS, packet).passes}
    made = world.passing([probe for probe, _ in tried], lambda _: False)
    assert made <= allowed, sorted(made - allowed)


def closed_by_default() -> Drawn:
    """Return a case in which an address that is not known is let through where one container is not."""
    one, other = LabelIn("role", ("a",)), LabelIn("role", ("c",))
    open_to_all = Rule(
        "0" * 8, "all", PLACE, (Peer(ANY),), (Peer(ANY),), Action.ALLOW, parse_service("any"), tier="baseline"
    )
    denied = Rule(
        "1" * 8, "not a", PLACE, (Peer(one),), (Peer(other),), Action.DENY, parse_service("any"), tier="guardrail"
    )
    observed = LabelIn("role", ("a", "b"))  # all of its network, so that nothing else closes it
    modes = (Enforcement(observed, Mode.OBSERVE, Mode.OBSERVE, PLACE), Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE))
    numbers = dict(zip(CONTAINERS, range(2, 8), strict=False))
    return Drawn(Policy(rules=(open_to_all, denied), enforcement=modes), numbers, numbers)


QUICK = (Phase.explicit, Phase.generate)  # a failing case takes seconds, a smaller one as many


@settings(
    max_examples=examples(15), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=QUICK
)
@given(drawn())
@example(closed_by_default())
def test_the_kernel_of_a_container_host_does_what_the_reference_says(world: ContainerWorld, case: Drawn) -> None:
    compiled = compile_policy(
        snapshot(case.first), case.policy, SETTINGS, abilities=lambda name: enforcer(name).abilities
    )
    draft = build(compiled, enforcer, Circumstances(INPUTS, 1, NOW))
    host = draft.plan.hosts[HOST]
    assert sorted(host.containers) == sorted(CONTAINERS)
    lines = process_lines(host.runtime)
    world.start(case.first)
    world.host.load(draft.rulesets[host.ruleset])
    closes(world, case.policy, case.first)
    assert "failed" not in world.fill(lines)
    agrees(world, case.policy, case.first)
    # addresses that nobody had, of one container of each network: closed until they are filled in
    fresh = {name: number + (100 if name in ("a", "d") else 0) for name, number in case.first.items()}
    world.start(fresh)
    closes(world, case.policy, fresh)
    # each other's addresses
    world.start(case.then)
    assert "failed" not in world.fill(lines)
    agrees(world, case.policy, case.then)


def test_what_is_drawn_denies_and_allows() -> None:
    """The reference says both of some connections of a drawn case; else nothing was tried."""
    policy = Policy(
        rules=(
            Rule(
                "0" * 8, "one", PLACE, (Peer(LabelIn("role", ("a",))),), (Peer(LabelIn("role", ("c",))),), Action.ALLOW,
                parse_service("tcp/80"),
            ),
        ),
        enforcement=(Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE),),
    )  # fmt: skip
    now = snapshot(dict(zip(CONTAINERS, range(2, 8), strict=False)))
    ends = point_of("172.30.1.2"), point_of("172.30.2.4")
    said = [judge(now, policy, SETTINGS, Packet(*ends, 6, port, client="a", server="c")) for port in PORTS]
    assert [one.passes for one in said] == [True, False, False]
    assert said[1].sides[Direction.OUT].effect is Effect.DENY
