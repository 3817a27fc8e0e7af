"""What a simulation says of recorded flows is what the reference says of their packets, side by side."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from ringfence.analysis.simulate import JudgedFlow, simulate
from ringfence.analysis.simulate_judge import BUILT_IN, Category
from ringfence.compiler import compile_policy
from ringfence.flows.window import FlowWindow
from ringfence.model.addresses import addresses_of, family_of
from ringfence.model.assets import Asset, Snapshot
from ringfence.model.flows import Flow
from ringfence.model.rules import Direction, Rule
from ringfence.model.services import BLOCK
from ringfence.model.tables import Effect, Outcome

from .case import Case
from .judging import RUNNERS, memberships, names_in, passes, proper_hops
from .points import BUILT_IN as BUILT_IN_POINTS
from .points import CLIENT_PORTS, addresses, services
from .reference import Runner, Side, judge_side, stands_above
from .runs import CASES, drawn
from .strategies import UNITS, USERS, cases, process_rules

BEFORE, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 8, tzinfo=UTC)
FLOWS = 12
LOOPBACK = addresses_of(["127.0.0.0/8", "::1"])


@dataclass(frozen=True)
class End:
    """One end of a flow as it is to be judged: who holds it, at which address, and what is known of its process."""

    asset: Asset | None
    address: int
    unit: str | None
    user: str | None
    said: bool

    def side(self, direction: Direction, far: End, flow: Flow) -> Side | None:
        """Return the packet as this end sees it, None where it is not a workload."""
        if self.asset is None or not self.asset.workload:
            return None
        ends = (self.address, far.address)
        hops = proper_hops(flow.protocol, flow.port)
        return Side(self.asset, direction, *ends, flow.protocol, flow.port, self.unit, self.user, hops=hops)

    def runners(self) -> list[Runner]:
        """Return every process that it may have been."""
        return [
            runner
            for runner in RUNNERS
            if (runner.unit == self.unit or not (self.unit or self.said))
            and (runner.user == self.user or not (self.user or self.said))
        ]


@drawn(CASES // 3)
@given(cases(), cases(), st.integers(0, 1 << 30))
def test_a_simulation_says_of_every_flow_what_the_reference_says(case: Case, other: Case, seed: int) -> None:
    chance = random.Random(seed)
    # without these two hardly a flow would depend on its process
    policy = replace(case.policy, rules=(*case.policy.rules, *process_rules(case.settings.tiers[-1])))
    now = Case(replace(case.snapshot, taken=NOW), policy, case.settings)
    snapshots = (moved(now.snapshot, chance), now.snapshot)
    # the same estate under another policy is what is enforced now
    enforced = Case(now.snapshot, replace(other.policy, rules=in_tiers(other, case)), case.settings)
    drafts = [compile_policy(one.snapshot, one.policy, one.settings).tables for one in (now, enforced)]
    with FlowWindow.of_flows(flows(now, chance), snapshots) as window:
        simulation = simulate(drafts[0], now.snapshot, window, drafts[1])
        judged = list(simulation.flows())
        assert len(judged) + simulation.gone.flows == len(window)
    for one in judged:
        assert_agrees(now, enforced, snapshots, one)


def moved(snapshot: Snapshot, chance: random.Random) -> Snapshot:
    """Return an earlier snapshot: addresses that others held then, and an asset that is no more."""
    assets = list(snapshot.assets)
    held = [asset.addresses for asset in assets]
    chance.shuffle(held)
    before = [
        replace(asset, addresses=one) if chance.random() < 0.5 else asset
        for asset, one in zip(assets, held, strict=True)
    ]
    before[0] = replace(before[0], name="gone") if chance.random() < 0.3 else before[0]
    return Snapshot(tuple(sorted(before, key=lambda asset: asset.name)), BEFORE)


def flows(case: Case, chance: random.Random) -> list[Flow]:
    """Return flows between the places of a case, each of its own pair of addresses and service."""
    places, points = addresses(case), services(case)
    ruled = [divmod(low, BLOCK) for rule in case.policy.rules for low, _ in (*rule.services.v4, *rule.services.v6)]
    held = [address for asset in case.snapshot.assets for address in asset.addresses]
    found: dict[tuple[int, int, int, int], Flow] = {}
    while len(found) < FLOWS:
        ends = [chance.choice(held if chance.random() < 0.9 else places) for _ in range(2)]
        protocol, port = chance.choice(ruled if ruled and chance.random() < 0.8 else (*points, *BUILT_IN_POINTS))
        inside = any(set(ends) <= set(asset.addresses) for asset in case.snapshot.assets)
        if len({family_of(end) for end in ends}) > 1 or (inside and chance.random() < 0.95):
            continue  # of two families there is no packet
        seen = chance.choice((BEFORE - timedelta(days=1), BEFORE + timedelta(days=1), NOW + timedelta(days=1)))
        units = [chance.choice((None, None, None, "z.service", *UNITS)) for _ in range(2)]
        users = [chance.choice((None, None, None, "backup", *USERS)) for _ in range(2)]
        names = [chance.choice((None, None, "program")) for _ in range(2)]
        found[ends[0], ends[1], protocol, port] = Flow(
            *ends, port, protocol, seen, seen,
            client_unit=units[0], client_user=users[0], client_process=names[0],
            server_unit=units[1], server_user=users[1], server_process=names[1],
        )  # fmt: skip
    return list(found.values())


def assert_agrees(draft: Case, enforced: Case, snapshots: Sequence[Snapshot], one: JudgedFlow) -> None:
    """Assert that a flow's verdict is the reference's, for the process that was seen and those it may have been."""
    flow, verdict = one.flow, one.verdict
    client = end_of(snapshots, flow.client, flow.first_seen, flow.client_unit, flow.client_user, flow.client_process)
    server = end_of(snapshots, flow.server, flow.first_seen, flow.server_unit, flow.server_user, flow.server_process)
    itself = (client.asset is not None and client.asset is server.asset) or (
        client.address in LOOPBACK and server.address in LOOPBACK
    )
    sides = [client.side(Direction.OUT, server, flow), server.side(Direction.IN, client, flow)]
    possible = []
    for case, outcomes in ((draft, verdict.draft), (enforced, verdict.current)):
        assert outcomes is not None
        for side, outcome in zip(sides, outcomes, strict=True):
            assert_side(case, side, outcome, itself)
    for side, end in zip(sides, (client, server), strict=True):
        free = side is None or itself or stands_above(side, draft.settings)
        possible.append({True} if free or side is None else passing_as(draft, side, end.runners()))
    assert verdict.depends is (len({a and b for a, b in product(*possible)}) > 1)
    before, after = (
        all(o is None or o.effect is not Effect.DENY for o in two) for two in (verdict.current, verdict.draft)
    )
    assert verdict.category is Category.of(before=before, after=after)


def passing_as(case: Case, side: Side, runners: Sequence[Runner]) -> set[bool]:
    """Return whether a packet passes, were it any of these processes', its server an answer to any names [12], and sent
    from any port [7]."""
    outbound = side.direction is Direction.OUT
    answers = memberships(names_in(rule.destinations for rule in case.policy.rules)) if outbound else [side.names]
    return {
        stands_above(replace(side, client_port=port), case.settings)
        or passes(case, replace(side, unit=runner.unit, user=runner.user, names=names))
        for runner, names, port in product(runners, answers, CLIENT_PORTS)
    }


def assert_side(case: Case, side: Side | None, outcome: Outcome | None, itself: bool) -> None:
    """Assert that one side's outcome is the reference's."""
    if side is None:
        assert outcome is None
        return
    assert outcome is not None
    if itself or stands_above(side, case.settings):
        assert outcome.effect is Effect.ALLOW
        assert outcome.rule.startswith(BUILT_IN)
        return
    expected = judge_side(case.snapshot, case.policy, case.settings, side)
    assert outcome.effect is expected.effect
    assert outcome.rule in expected.rules


def end_of(
    snapshots: Sequence[Snapshot], address: int, seen: datetime, unit: str | None, user: str | None, said: str | None
) -> End:
    """Return an end: the asset that held the address then (else now), where it is now."""
    now = snapshots[1]
    known = now if seen >= now.taken else snapshots[0]
    holders = [asset.name for asset in known.assets if address in asset.addresses]
    holders = holders or [asset.name for asset in now.assets if address in asset.addresses]
    if not holders:
        return End(None, address, unit, user, said is not None)
    asset = now.named()[holders[0]]
    near = [one for one in asset.addresses if family_of(one) == family_of(address)]
    where = address if address in asset.addresses or not near else near[0]
    return End(asset, where, unit, user, said is not None)


def in_tiers(case: Case, other: Case) -> tuple[Rule, ...]:
    """Return the rules of a case, put into a tier that another's settings have."""
    return tuple(
        replace(rule, tier=rule.tier if rule.tier in (*other.settings.tiers, "emergency") else other.settings.tiers[0])
        for rule in case.policy.rules
    )
