"""What a policy states of itself: invariants and tests hold, or are shown to fail, as the reference sees packets."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, permutations, product

from hypothesis import given
from hypothesis import strategies as st
from ringfence.analysis.invariants import broken
from ringfence.analysis.policy_tests import failures
from ringfence.compiler import compile_policy
from ringfence.model.addresses import family_of, network_of, point_of
from ringfence.model.assets import Asset
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Direction, Invariant, Peer, Policy, PolicyTest, Process, Rule
from ringfence.model.selectors import ANY
from ringfence.model.services import BLOCK, parse_service

from .case import Case, packet_text
from .judging import RUNNERS, someone_passes
from .points import addresses, services
from .reference import Packet, Runner, Side, chooses, judge, runs
from .runs import CASES, drawn
from .strategies import SERVICES, cases, peers

PLACE = Place("policy/tests/drawn.yml")
TRIED, JUDGED = 600, 20
ENDS = st.one_of(peers(users=True, with_processes=True), st.just((Peer(ANY),)))
Way = tuple[Process | None, int, Process | None, int]
STATEMENTS = st.tuples(ENDS, ENDS, st.sampled_from(SERVICES), st.sampled_from((Action.ALLOW, Action.DENY)))


def stated(case: Case, sources: tuple[Peer, ...], destinations: tuple[Peer, ...], packet: Packet) -> bool:
    """Return whether a statement about some peers speaks of a packet."""
    named = case.snapshot.named()
    sender, taker = (named.get(name) if name else None for name in (packet.client, packet.server))

    def speaks(peers: tuple[Peer, ...], asset: Asset | None, address: int, runner: Runner) -> bool:
        enforces = asset is not None and asset.workload
        return any(
            chooses(peer.selector, asset, address, case.settings) and (not enforces or runs(peer.process, runner))
            for peer in peers
        )

    return speaks(sources, sender, packet.client_address, Runner(packet.client_unit, packet.client_user)) and speaks(
        destinations, taker, packet.server_address, Runner(packet.server_unit, packet.server_user)
    )


def packets(case: Case, chance: random.Random) -> Iterator[Packet]:
    """Yield packets between two assets, or an asset and an address that none holds as that asset meets it."""
    points = services(case)
    everywhere = addresses(case)
    while True:
        one, direction = chance.choice(case.snapshot.assets), chance.choice(tuple(Direction))
        local, runner = chance.choice(one.addresses), chance.choice(RUNNERS)
        seen = [other for other in case.snapshot.assets if other.realm in case.settings.sees(one.realm)]
        held = {address: other for other in seen for address in other.addresses}
        remote = chance.choice(sorted(held) if chance.random() < 0.7 else everywhere)
        other = chance.choice([asset for asset in seen if remote in asset.addresses]) if remote in held else None
        enforced = one.workload or (other is not None and other.workload)
        if family_of(local) != family_of(remote) or other is one or not enforced:
            continue  # a policy says nothing of what no workload has an end of
        far = chance.choice(RUNNERS) if other else Runner()
        who, whose = (runner.unit, runner.user), (far.unit, far.user)
        if direction is Direction.OUT:
            yield Packet(local, remote, *chance.choice(points), one.name, other and other.name, *who, *whose)
        elif other is None or one.realm in case.settings.sees(other.realm):
            yield Packet(remote, local, *chance.choice(points), other and other.name, one.name, *whose, *who)


@drawn(CASES // 2)
@given(cases(refused=True, names=False), STATEMENTS, st.integers(0, 1 << 30))
def test_an_invariant_holds_exactly_where_no_packet_breaks_it(
    case: Case, statement: tuple[tuple[Peer, ...], tuple[Peer, ...], str, Action], seed: int
) -> None:
    sources, destinations, word, expect = statement
    wanted = parse_service(word)
    invariant = Invariant("drawn", PLACE, expect, sources, destinations, wanted)
    compilation = compile_policy(case.snapshot, replace(case.policy, invariants=(invariant,)), case.settings)
    found = broken(compilation)
    for one in found:
        example = one.example
        (client, a), (server, b) = (read_end(end) for end in (example.client, example.server))
        shown = parse_service(example.service)
        packet = Packet(
            *(a, b), *divmod(min(low for low, _ in (*shown.v4, *shown.v6)), BLOCK),
            *(client, server, example.client_process.unit, example.client_process.user),
            *(example.server_process.unit, example.server_process.user),
        )  # fmt: skip
        assert breaks(case, expect, packet), packet_text(packet)
    if found:
        return
    meant = (
        packet
        for packet in islice(packets(case, random.Random(seed)), TRIED)
        if packet.protocol * BLOCK + packet.port in wanted.of(family_of(packet.client_address))
        and stated(case, sources, destinations, packet)
    )
    for packet in islice(meant, JUDGED):
        assert not breaks(case, expect, packet), packet_text(packet)


def breaks(case: Case, expect: Action, packet: Packet) -> bool:
    """Return whether the reference says of a packet what an invariant excludes."""
    return judge(case.snapshot, case.policy, case.settings, packet).passes is (expect is Action.DENY)


def read_end(text: str) -> tuple[str | None, int]:
    """Return the asset's name, None where none, and the address of an end as a counterexample prints it."""
    name, _, address = text.partition(" (")
    return (name, point_of(address[:-1])) if address else (None, point_of(text))


@dataclass(frozen=True)
class Ends:
    """A pair that a policy test speaks of: two assets, or an asset and an address that none holds as it meets it."""

    client: Asset | int
    server: Asset | int


@drawn(CASES // 2)
@given(cases(names=False), ENDS, ENDS, st.sampled_from(("tcp/80", "udp/53")), st.integers(0, 1 << 30))
def test_a_policy_test_fails_exactly_where_a_pair_answers_otherwise(
    case: Case, sources: tuple[Peer, ...], destinations: tuple[Peer, ...], word: str, seed: int
) -> None:
    said = ("drawn", PLACE, sources, destinations, parse_service(word))
    tests = [PolicyTest(*said, expect) for expect in (Action.ALLOW, Action.DENY)]
    compilation = compile_policy(case.snapshot, replace(case.policy, tests=tuple(tests)), case.settings)
    found = {failure.test.expect: failure for failure in failures(compilation)}
    # the ends of the ranges that the test names are places to look at too
    marked = replace(case, policy=Policy((*case.policy.rules, Rule("", *said[:4], Action.PASS, said[4]))))
    meant = [ends for ends in pairs(marked) if next(ways(case, sources, destinations, ends), None)]
    assert bool(meant) is not any(not failure.client for failure in found.values())

    def passing(ends: Ends) -> bool:
        return pair_passes(case, word, ends, ways(case, sources, destinations, ends))

    for ends in random.Random(seed).sample(meant, min(len(meant), 8)):
        expect = Action.DENY if passing(ends) else Action.ALLOW
        assert expect in found, f"{ends}, expected to {expect}"
    for expect, failure in found.items():
        named = [one for one in meant if is_named(one.client, failure.client) and is_named(one.server, failure.server)]
        assert not meant or any(passing(ends) is (expect is Action.DENY) for ends in named), failure


def pairs(case: Case) -> Iterator[Ends]:
    """Yield every pair of assets and, for addresses that no asset holds, those where verdicts may change."""
    sees, assets = case.settings.sees, case.snapshot.assets
    for client, server in permutations(assets, 2):
        if server.realm in sees(client.realm) and (client.workload or server.workload):
            yield Ends(client, server)
    for asset in (one for one in assets if one.workload):
        held = {address for one in assets if one.realm in sees(asset.realm) for address in one.addresses}
        for address in set(addresses(case)) - held:
            yield from (Ends(asset, address), Ends(address, asset))


def is_named(end: Asset | int, text: str) -> bool:
    """Return whether an end is the asset, or lies in the range, that a failure names."""
    if isinstance(end, Asset):
        return end.name == text
    return not text.isalnum() and end in network_of(text)


def ways(case: Case, sources: tuple[Peer, ...], destinations: tuple[Peer, ...], ends: Ends) -> Iterator[Way]:
    """Yield the pairs of addresses, of one family, in which a statement about some peers speaks of two ends."""
    for source, destination in product(sources, destinations):
        clients, servers = (
            [address for address in held if chooses(peer.selector, asset, address, case.settings)]
            for peer, (asset, held) in ((source, held_by(ends.client)), (destination, held_by(ends.server)))
        )
        for a, b in product(clients, servers):
            if family_of(a) == family_of(b):
                yield source.process, a, destination.process, b


def held_by(end: Asset | int) -> tuple[Asset | None, tuple[int, ...]]:
    """Return the asset and the addresses of an end."""
    return (end, end.addresses) if isinstance(end, Asset) else (None, (end,))


def pair_passes(case: Case, word: str, ends: Ends, found: Iterator[Way]) -> bool:
    """Return whether a service (by its word) passes in one of some ways, for a process on each end that is meant."""
    (point, _), *_ = parse_service(word).v4
    service = divmod(point, BLOCK)
    client, server = held_by(ends.client)[0], held_by(ends.server)[0]
    return any(
        (client is None or someone_passes(case, Side(client, Direction.OUT, a, b, *service), sender))
        and (server is None or someone_passes(case, Side(server, Direction.IN, b, a, *service), taker))
        for sender, a, taker, b in found
    )
