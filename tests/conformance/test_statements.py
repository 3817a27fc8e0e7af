"""What a policy states of itself: invariants hold, and broken ones are shown, as the reference sees single packets."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

from hypothesis import given
from hypothesis import strategies as st
from ringfence.analysis.invariants import broken
from ringfence.compiler import compile_policy
from ringfence.model.addresses import family_of, point_of
from ringfence.model.assets import Asset
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Direction, Invariant, Peer
from ringfence.model.selectors import ANY
from ringfence.model.services import BLOCK, parse_service

from .case import Case, packet_text
from .points import addresses, services
from .reference import Packet, Runner, chooses, judge, runs
from .runs import CASES, drawn
from .strategies import SERVICES, UNITS, USERS, cases, peers

PLACE = Place("policy/tests/drawn.yml")
TRIED, JUDGED = 600, 20
RUNNERS = tuple(product((None, "z.service", *UNITS), (None, "backup", *USERS)))
ENDS = st.one_of(peers(users=True, with_processes=True), st.just((Peer(ANY),)))
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
        far = chance.choice(RUNNERS) if other else (None, None)
        if direction is Direction.OUT:
            yield Packet(local, remote, *chance.choice(points), one.name, other and other.name, *runner, *far)
        elif other is None or one.realm in case.settings.sees(other.realm):
            yield Packet(remote, local, *chance.choice(points), other and other.name, one.name, *far, *runner)


@drawn(CASES // 2)
@given(cases(refused=True), STATEMENTS, st.integers(0, 1 << 30))
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
