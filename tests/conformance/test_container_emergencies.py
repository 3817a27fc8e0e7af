"""Quarantines and permissions of containers and their host: the kernel does what a model says, also after restarts."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.host_emergencies import (
    emergency_order,
    read_emergencies,
)
from ansible_collections.ringfence.core.plugins.plugin_utils.targets.orders import Reply, process_lines
from ringfence.analysis.held_containers import held_by
from ringfence.compiler import compile_policy
from ringfence.enforcers import enforcer
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.emergencies import EmergencyEnd, Kind, Member, Order
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Action, Enforcement, Mode, Peer, Policy, Rule
from ringfence.model.selectors import ANY, LabelIn
from ringfence.model.services import parse_service
from ringfence.operations.emergency_entries import entry_of
from ringfence.plan import Circumstances
from ringfence.plan.build import build
from ringfence.wire.emergency_lines import Emergency, format  # noqa: A004

from tests.conformance.container_world import CLIENT, CONTAINERS, HOST, ContainerWorld, needs_root
from tests.conformance.reference import judge
from tests.conformance.test_containers import PLACE, ROLES, SETTINGS, probes, snapshot
from tests.lone_target import LoneTarget
from tests.unit.plan.plan_estates import INPUTS, NOW

pytestmark = pytest.mark.skipif(needs_root(), reason="needs root: containers are namespaces that tests enter")
NUMBERS = dict(zip(CONTAINERS, (2, 3, 4, 5), strict=True))
LATER = dict(zip(CONTAINERS, (3, 2, 9, 4), strict=True))
NOBODY = EmergencyEnd()
# What the quarantine isolates and keeps, and what the permission opens.
CASES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "a container alone": (("a",), (), ("d",), ("c",)),
    "a container, another is kept": (("c",), ("a", CLIENT), (CLIENT,), ("b", "d")),
    "a peer that containers are reached from": ((CLIENT,), (), ("a", "b"), (HOST, "d")),
    "the host with all that it forwards": ((HOST,), ("d",), (HOST, "a"), ("d",)),
    "a peer, and the host is kept": ((CLIENT, "b"), (HOST,), (HOST,), ("a", "c")),
    "a peer, and a container is kept": ((CLIENT,), ("c",), ("d",), (CLIENT,)),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerWorld]:
    one = ContainerWorld(tmp_path_factory.mktemp("containers"))
    yield one
    one.close()


@pytest.fixture
def target(world: ContainerWorld, tmp_path: Path) -> Iterator[LoneTarget]:
    """The host with a policy that lets half of the connections pass."""
    one = LoneTarget(tmp_path, world.host, ["dash", "-s"], stand_ins=world.engine)
    yield one
    assert one.ask("remove", {"force": "1"})[1].last("state") == "none"


def policy() -> Policy:
    """Return a policy that lets every second pair talk on one port, and in one direction."""
    pairs = [(one, other) for one in ROLES for other in ROLES if one != other][::2]
    rules = tuple(
        Rule(
            f"{number:08x}", f"rule {number}", PLACE, (Peer(LabelIn("role", (one,))),),
            (Peer(LabelIn("role", (other,))),), Action.ALLOW, parse_service("tcp/80"),
        )
        for number, (one, other) in enumerate(pairs)
    )  # fmt: skip
    return Policy(rules=rules, enforcement=(Enforcement(ANY, Mode.FULL, Mode.FULL, PLACE),))


def ends(assets: Snapshot, names: tuple[str, ...]) -> EmergencyEnd:
    named = assets.named()
    return EmergencyEnd(names, tuple(_member(named[name]) for name in names))


def _member(asset: Asset) -> Member:
    return Member(asset.name, IntervalSet.of((one, one) for one in asset.addresses), asset.realm)


def passes(
    world: ContainerWorld, orders: tuple[Order, ...], assets: Snapshot, rules: Policy
) -> set[tuple[str, str, int]]:
    """Return the connections that the model lets through."""
    quarantine, *permissions = orders
    found = set()
    for probe, packet in probes(world):
        client, server = str(packet.client), str(packet.server)
        # what the host itself sends to a container comes from the address of the bridge, which nobody is known by
        bridge = server in CONTAINERS and client == HOST
        if denied(quarantine, client, server) or denied(quarantine, server, "" if bridge else client):
            continue
        permitted = any(
            client in one.first.names and server in one.second.names and probe[2] == 5432 for one in permissions
        )
        if permitted or judge(assets, rules, SETTINGS, packet).passes:
            found.add(probe)
    return found


def denied(order: Order, near: str, far: str) -> bool:
    """Return whether one end, which its host enforces on, refuses the other; a container shares its host's fate."""
    if near == CLIENT:
        return False
    whose = near if near in order.first.names | order.second.names else HOST
    if whose in order.first.names:
        return far not in order.second.names
    return whose not in order.second.names and far in order.first.names


def ask(target: LoneTarget, *put: Emergency, ends: tuple[str, ...] = ()) -> Reply:
    status, reply, errors = target.ask("emergency", {}, emergency_order(format(put), list(ends)).encode())
    assert (status, reply.last("state")) == (0, "held"), errors
    return reply


@pytest.mark.parametrize("case", CASES)
def test_emergencies_of_containers_hold_wherever_they_go(world: ContainerWorld, target: LoneTarget, case: str) -> None:
    world.start(NUMBERS)
    assets, rules = snapshot(NUMBERS), policy()
    compiled = compile_policy(assets, rules, SETTINGS, abilities=lambda name: enforcer(name).abilities)
    draft = build(compiled, enforcer, Circumstances(INPUTS, 1, NOW))
    lines = process_lines(draft.plan.hosts[HOST].runtime)
    world.host.load(draft.rulesets[draft.plan.hosts[HOST].ruleset])
    assert "failed" not in world.fill(lines)

    isolated, kept, clients, servers = (ends(assets, names) for names in CASES[case])
    now = int(time.time())
    orders = (
        Order("q-0123abcd", Kind.QUARANTINE, "ann", "scans", now, isolated, kept),
        Order(
            "p-0123abcd", Kind.PERMISSION, "ann", "looks", now, clients, servers,
            services=parse_service("tcp/5432"), ends=now + 600,
        ),
    )  # fmt: skip
    inside = held_by(assets.assets)[HOST]
    entries = [entry_of(order, assets.named()[HOST], SETTINGS, inside) for order in orders]
    reply = ask(target, *(entry for entry in entries if entry))
    assert read_emergencies(reply).drift == ()

    wanted = passes(world, orders, assets, rules)
    made = world.passing([probe for probe, _ in probes(world)], wanted.__contains__)
    assert made == wanted, {"opened": sorted(made - wanted), "closed": sorted(wanted - made)}

    # each comes back with another address, some of them with another's
    world.start(LATER)
    assert "failed" not in world.fill(lines)
    target.stand_ins = world.engine + "follow_engines() { echo again; }\n"
    assert target.ask("follow")[0] == 0
    assert read_emergencies(target.ask("status")[1]).drift == ()
    wanted = passes(world, orders, snapshot(LATER), rules)
    made = world.passing([probe for probe, _ in probes(world)], wanted.__contains__)
    assert made == wanted, {"opened": sorted(made - wanted), "closed": sorted(wanted - made)}
    ask(target, ends=tuple(order.id for order in orders))
    if random.Random(case).random() < 0.3:
        plain = {probe for probe, packet in probes(world) if judge(snapshot(LATER), rules, SETTINGS, packet).passes}
        assert world.passing([probe for probe, _ in probes(world)], plain.__contains__) == plain
