"""What stands decides before everything: answers with quarantines and permissions are those of a plain model."""

from __future__ import annotations

import random

from hypothesis import given
from ringfence.analysis.emergency_tier import with_emergencies
from ringfence.analysis.lookup import TableLookup
from ringfence.compiler import compile_policy
from ringfence.model.addresses import family_of
from ringfence.model.assets import Asset
from ringfence.model.emergencies import EmergencyEnd, Kind, Member, Order
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction
from ringfence.model.services import parse_service, point_of, union
from ringfence.model.tables import Effect, ProcessClass

from .case import Case, side_text
from .points import services, sides
from .reference import Side
from .runs import CASES, drawn
from .strategies import SERVICES, cases


@drawn(CASES // 8)
@given(cases())
def test_a_quarantine_then_a_permission_then_the_policy_decides(case: Case) -> None:
    chance = random.Random(1)
    orders = [_order(case, chance, number) for number in range(3)]
    plain = compile_policy(case.snapshot, case.policy, case.settings)
    tables = with_emergencies(plain, orders).tables
    for side in sides(case, 40, seed=5):
        protocol, port = chance.choice([(side.protocol, side.port), *services(case)])
        point = point_of(protocol, port)
        who = ProcessClass(side.unit, side.user)
        asked = (side.direction, side.local, side.remote, who, point)
        told, without = (TableLookup(one[side.workload.name]).outcome(*asked) for one in (tables, plain.tables))
        decided = _decided(case, orders, side, point)
        if decided is None:
            assert told == without, side_text(side)
        else:
            assert (told.effect, told.rule in {one.id for one in orders}) == (decided, True), side_text(side)


def _order(case: Case, chance: random.Random, number: int) -> Order:
    chosen = chance.sample(case.snapshot.assets, min(3, len(case.snapshot.assets)))
    first, second = _end(chosen[:2]), _end(chosen[2:])
    kind = chance.choice([Kind.QUARANTINE, Kind.PERMISSION])
    allowed = union([parse_service(chance.choice(SERVICES))])
    return Order(f"{kind[0]}-{number:08x}", kind, "alice", "a drill", 0, first, second, services=allowed)


def _end(assets: list[Asset]) -> EmergencyEnd:
    members = [Member(one.name, IntervalSet.of((a, a) for a in one.addresses), one.realm) for one in assets]
    return EmergencyEnd((), tuple(members))


def _decided(case: Case, orders: list[Order], side: Side, point: int) -> Effect | None:
    """Return what emergencies say of a packet at one workload, None where they say nothing of it."""
    name = side.workload.name
    seen = case.settings.sees(side.workload.realm)

    def among(end: EmergencyEnd) -> bool:
        return any(side.remote in one.addresses for one in end.members if one.realm in seen)

    for order in orders:
        if order.kind is Kind.QUARANTINE:
            isolated = name in order.first.names and not among(order.second)
            cut = name not in order.first.names | order.second.names and among(order.first)
            if isolated or cut:
                return Effect.DENY
    for order in orders:
        near, far = (order.first, order.second) if side.direction is Direction.OUT else (order.second, order.first)
        permitted = order.kind is Kind.PERMISSION and name in near.names and among(far)
        if permitted and point in order.services.of(family_of(side.remote)):
            return Effect.ALLOW
    return None
