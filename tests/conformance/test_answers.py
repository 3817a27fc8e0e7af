"""What people are told is what the reference says: `explain` for single packets, `reach` for pairs of assets."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

from hypothesis import given
from ringfence.analysis.explain import explain
from ringfence.analysis.reach import reach
from ringfence.compiler import compile_policy
from ringfence.model.addresses import address_text, family_of, network_of
from ringfence.model.addresses import point_of as address_point
from ringfence.model.assets import Asset
from ringfence.model.errors import Place
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction, Enforcement, Mode
from ringfence.model.selectors import ANY, AssetNamed
from ringfence.model.services import Services, point_of
from ringfence.model.tables import ProcessClass

from .case import Case, packet_text, side_text
from .judging import RUNNERS, names_in, passes, proper_hops, someone_passes
from .points import NOWHERE, addresses, services, sides
from .reference import Packet, Side, judge, sides_of, stands_above
from .runs import CASES, drawn
from .strategies import cases, process_rules

# ICMP is IPv4's, ICMPv6 is IPv6's.
ONE_FAMILY = {1: 4, 58: 6}


@drawn(CASES // 2)
@given(cases())
def test_explain_says_what_the_reference_says(case: Case) -> None:
    compilation = compile_policy(case.snapshot, case.policy, case.settings)
    holders: dict[int, list[Asset]] = {}
    for asset in case.snapshot.assets:
        for address in asset.addresses:
            holders.setdefault(address, []).append(asset)
    named = sorted(names_in(rule.destinations for rule in case.policy.rules))
    for side in sides(case, 40, seed=3):
        ends = (side.local, side.remote) if side.direction is Direction.OUT else (side.remote, side.local)
        names = [[asset.name for asset in holders.get(end, [])] for end in ends]
        if [side.workload.name] not in names or max(map(len, names)) > 1:
            continue  # `explain` is asked about an address and finds its one holder
        client, server = (next(iter(found), None) for found in names)
        who = (side.unit, side.user, side.unit, side.user)
        # nobody can say a hop limit or a source port: `explain` takes the one as it should be, and tells of the other
        hops = proper_hops(side.protocol, side.port)
        packet = Packet(*ends, side.protocol, side.port, client, server, *who, hops=hops)

        def expected(packet: Packet) -> str:
            sides_ = sides_of(case.snapshot, packet).values()
            if packet.client is not None and packet.client == packet.server:
                return "allow"  # what a host sends itself is loopback
            return "allow" if all(stands_above(one, case.settings) or passes(case, one) for one in sides_) else "deny"

        point = IntervalSet(((point_of(side.protocol, side.port),) * 2,))
        process = ProcessClass(side.unit, side.user)
        told = explain(compilation, *map(address_text, ends), Services(point, point), process)
        assert told.verdict == expected(packet), packet_text(packet)
        changing = {
            (f"fqdn:{name}",)
            for name in named
            if expected(replace(packet, server_names=frozenset({name}))) != told.verdict
        }
        assert {other.members for other in told.others} == changing, packet_text(packet)
        if side.direction is Direction.OUT:
            (somewhere,) = (one for one in map(address_point, NOWHERE) if family_of(one) == family_of(side.local))
            for name in named:
                answer = replace(packet, server_address=somewhere, server=None, server_names=frozenset({name}))
                told = explain(compilation, address_text(side.local), name, Services(point, point), process)
                assert told.verdict == expected(answer), packet_text(answer)
                assert told.members == (f"fqdn:{name}",)


@drawn(CASES // 4)
@given(cases())
def test_reach_says_what_the_reference_says_of_two_assets(case: Case) -> None:
    chance = random.Random(0)
    rows: dict[tuple[str, str], IntervalSet] = {}
    for row in reach(compile_policy(case.snapshot, case.policy, case.settings)):
        rows[row.client, row.server] = rows.get((row.client, row.server), IntervalSet()) | row.services
    for _ in range(8):
        client, server = chance.sample(case.snapshot.assets, 2)
        protocol, port = chance.choice(services(case))
        told = point_of(protocol, port) in rows.get((client.name, server.name), IntervalSet())
        pairs = [pair for pair in product(client.addresses, server.addresses) if len(set(map(family_of, pair))) == 1]
        both = len({family_of(a) for a, _ in pairs}) == 2
        if both and protocol in ONE_FAMILY:  # what one family's ICMP says is no answer for the other's
            pairs = [pair for pair in pairs if family_of(pair[0]) == ONE_FAMILY[protocol]]
        # an asset of a realm that it does not see is none that a client can meet [11]
        expected = server.realm in case.settings.sees(client.realm) and any(
            someone_passes(case, Side(client, Direction.OUT, a, b, protocol, port))
            and someone_passes(case, Side(server, Direction.IN, b, a, protocol, port))
            for a, b in pairs
        )
        words = side_text(Side(client, Direction.OUT, client.addresses[0], server.addresses[0], protocol, port))
        assert told is expected, f"{words} ({server.name}): reach says {told}"


@drawn(CASES // 4)
@given(cases())
def test_reach_says_what_the_reference_says_of_addresses_that_nobody_holds(case: Case) -> None:
    chance = random.Random(0)
    found: dict[tuple[str, Direction], list[tuple[IntervalSet, IntervalSet]]] = {}
    named = {asset.name: asset for asset in case.snapshot.assets}
    for row in reach(compile_policy(case.snapshot, case.policy, case.settings)):
        for name, other, direction in ((row.client, row.server, Direction.OUT), (row.server, row.client, Direction.IN)):
            if name in named and other not in named and not other.startswith("fqdn:"):
                found.setdefault((name, direction), []).append((network_of(other), row.services))
    for _ in range(12):
        asset, direction = chance.choice(case.snapshot.assets), chance.choice(tuple(Direction))
        seen = [one for one in case.snapshot.assets if one.realm in case.settings.sees(asset.realm)]
        held = {address for one in seen for address in one.addresses}
        remote = chance.choice([address for address in addresses(case) if address not in held])
        protocol, port = chance.choice(services(case))
        told = any(
            remote in remotes and point_of(protocol, port) in passing
            for remotes, passing in found.get((asset.name, direction), [])
        )
        locals_ = [address for address in asset.addresses if family_of(address) == family_of(remote)]
        expected = any(someone_passes(case, Side(asset, direction, one, remote, protocol, port)) for one in locals_)
        words = side_text(Side(asset, direction, asset.addresses[0], remote, protocol, port))
        assert told is expected, f"{words}: reach says {told}"


@drawn(CASES // 4)
@given(cases())
def test_reach_by_address_says_for_which_processes_as_if_every_mode_were_full(case: Case) -> None:
    chance = random.Random(0)
    everywhere = Enforcement(ANY, Mode.FULL, Mode.FULL, Place("policy/enforcement.yml"))
    rules = (*case.policy.rules, *process_rules(case.settings.tiers[-1]))
    case = replace(case, policy=replace(case.policy, rules=rules))
    full = replace(case, policy=replace(case.policy, enforcement=(everywhere,)))
    compilation = compile_policy(case.snapshot, case.policy, case.settings, full=True)
    for _ in range(2):
        client, server = chance.sample(case.snapshot.assets, 2)
        ends = [AssetNamed(client.name)], [AssetNamed(server.name)]
        rows = list(reach(compilation, *ends, by_address=True))
        out, into = (compilation.tables.get(asset.name) for asset in (client, server))
        pairs = [pair for pair in product(client.addresses, server.addresses) if len(set(map(family_of, pair))) == 1]
        for a, b in chance.sample(pairs, min(len(pairs), 3)):
            (protocol, port), sender, taker = chance.choice(services(case)), *chance.choices(RUNNERS, k=2)
            classes = (
                out.outbound.class_of(ProcessClass(sender.unit, sender.user)) if out else None,
                into.inbound.class_of(ProcessClass(taker.unit, taker.user)) if into else None,
            )
            told = any(
                (row.client, row.server) == (address_text(a), address_text(b))
                and row.client_process in (None, classes[0])
                and row.server_process in (None, classes[1])
                and point_of(protocol, port) in row.services
                for row in rows
            )
            who = (sender.unit, sender.user, taker.unit, taker.user)
            packet = Packet(a, b, protocol, port, client.name, server.name, *who)
            expected = judge(full.snapshot, full.policy, full.settings, packet).passes
            expected = expected and server.realm in case.settings.sees(client.realm)
            assert told is expected, f"{packet_text(packet)}: reach says {told}"
