"""What a policy states of itself: invariants and tests hold, or are shown to fail, as the reference sees packets."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, permutations, product

from hypothesis import given
from hypothesis import strategies as st
from ringfence.analysis.counterexample import Counterexample
from ringfence.analysis.invariants import broken
from ringfence.analysis.policy_tests import failures
from ringfence.compiler import compile_policy
from ringfence.model.addresses import family_of, network_of, point_of
from ringfence.model.assets import Asset
from ringfence.model.errors import Place
from ringfence.model.rules import Action, Direction, Invariant, Peer, Policy, PolicyTest, Process, Rule
from ringfence.model.selectors import ANY, AllOf, AnyOf, FqdnIs, Selector
from ringfence.model.services import BLOCK, parse_service

from .case import Case, packet_text
from .judging import RUNNERS, memberships, names_in, someone_passes
from .points import NOWHERE, addresses, services
from .reference import Packet, Runner, Side, chooses, judge, runs
from .runs import CASES, drawn
from .strategies import SERVICES, cases, peers

PLACE = Place("policy/tests/drawn.yml")
TRIED, JUDGED = 600, 40
SOURCES = st.one_of(peers(users=True, with_processes=True), st.just((Peer(ANY),)))
DESTINATIONS = st.one_of(peers(users=True, with_processes=True, names=True), st.just((Peer(ANY),)))
Way = tuple[Process | None, int, Process | None, int]
EXPECTED = (Action.ALLOW, Action.DENY)
STATEMENTS = st.tuples(SOURCES, DESTINATIONS, st.sampled_from(SERVICES), st.sampled_from(EXPECTED))


def stated(case: Case, sources: tuple[Peer, ...], destinations: tuple[Peer, ...], packet: Packet) -> bool:
    """Return whether a statement about some peers speaks of a packet."""
    named = case.snapshot.named()
    sender, taker = (named.get(name) if name else None for name in (packet.client, packet.server))

    def speaks(
        peers: tuple[Peer, ...], asset: Asset | None, address: int, runner: Runner, names: frozenset[str] = frozenset()
    ) -> bool:
        enforces = asset is not None and asset.workload
        return any(
            chooses(peer.selector, asset, address, case.settings, names)
            and (not enforces or runs(peer.process, runner))
            for peer in peers
        )

    client, server = (packet.client_unit, packet.client_user), (packet.server_unit, packet.server_user)
    return speaks(sources, sender, packet.client_address, Runner(*client)) and speaks(
        destinations, taker, packet.server_address, Runner(*server), packet.server_names
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
@given(cases(refused=True), STATEMENTS, st.integers(0, 1 << 30))
def test_an_invariant_holds_exactly_where_no_packet_breaks_it(
    case: Case, statement: tuple[tuple[Peer, ...], tuple[Peer, ...], str, Action], seed: int
) -> None:
    chance = random.Random(seed)
    invariants = invariants_of(case, statement, chance)
    compilation = compile_policy(case.snapshot, replace(case.policy, invariants=invariants), case.settings)
    found = {one.invariant.name: one.example for one in broken(compilation)}
    for invariant in invariants:
        if invariant.name in found:
            assert_breaks(case, invariant, found[invariant.name])
        else:
            assert_unbroken(case, invariant, chance)


def invariants_of(
    case: Case, statement: tuple[tuple[Peer, ...], tuple[Peer, ...], str, Action], chance: random.Random
) -> tuple[Invariant, ...]:
    """Return a drawn invariant, and such as say of what rules say of names that it never, or always, passes."""
    sources, destinations, word, expect = statement
    found = [Invariant("drawn", PLACE, expect, sources, destinations, parse_service(word))]
    for rule in case.policy.rules:
        if names_in([rule.destinations]):
            ends = chance.choice((rule.destinations, destinations))
            found.append(Invariant(rule.id, PLACE, chance.choice(EXPECTED), (Peer(ANY),), ends, rule.services))
    return tuple(found)


def assert_breaks(case: Case, invariant: Invariant, example: Counterexample) -> None:
    """Assert that the reference says of a counterexample what it is said to show."""
    (client, a, _), (server, b, names) = (read_end(end) for end in (example.client, example.server))
    shown = parse_service(example.service)
    packet = Packet(
        *(a, b), *divmod(min(low for low, _ in (*shown.v4, *shown.v6)), BLOCK),
        *(client, server, example.client_process.unit, example.client_process.user),
        *(example.server_process.unit, example.server_process.user, names),
    )  # fmt: skip
    ends = (tuple(Peer(peer.selector) for peer in peers) for peers in (invariant.sources, invariant.destinations))
    assert stated(case, *ends, packet), packet_text(packet)
    assert breaks(case, invariant.expect, packet), packet_text(packet)


def assert_unbroken(case: Case, invariant: Invariant, chance: random.Random) -> None:
    """Assert that no packet breaks an invariant, whatever its server is an answer to at that time [12]."""
    sources, destinations, wanted = invariant.sources, invariant.destinations, invariant.services
    assert wanted is not None
    answers = memberships(names_in((destinations, *(rule.destinations for rule in case.policy.rules))))
    meant = (
        replace(packet, server_names=names)
        for packet in islice(packets(case, chance), TRIED)
        if packet.protocol * BLOCK + packet.port in wanted.of(family_of(packet.client_address))
        for names in answers
        if stated(case, sources, destinations, replace(packet, server_names=names))
    )
    for packet in islice(meant, JUDGED):
        assert not breaks(case, invariant.expect, packet), packet_text(packet)


def breaks(case: Case, expect: Action, packet: Packet) -> bool:
    """Return whether the reference says of a packet what an invariant excludes."""
    return judge(case.snapshot, case.policy, case.settings, packet).passes is (expect is Action.DENY)


def read_end(text: str) -> tuple[str | None, int, frozenset[str]]:
    """Return the asset's name (None: no asset), the address and the names of an end as a counterexample prints it."""
    end, names = read_names(text)
    name, _, address = end.partition(" (")
    return (name, point_of(address[:-1]), names) if address else (None, point_of(end), names)


def read_names(text: str) -> tuple[str, frozenset[str]]:
    """Return an end without the names that it is said to be an answer to, and these."""
    end, *sets = text.split(" and in ")
    return end, frozenset(one.removeprefix("fqdn:") for one in sets)


@dataclass(frozen=True)
class Ends:
    """A pair that a policy test speaks of: two assets, or an asset and an address that none holds as it meets it.

    `names` are those that the test says the server is an answer to; `unknown` says that it tells nothing else of it.
    """

    client: Asset | int
    server: Asset | int
    names: frozenset[str] = frozenset()
    unknown: bool = False


@drawn(CASES // 2)
@given(cases(), SOURCES, DESTINATIONS, st.sampled_from(("tcp/80", "udp/53")), st.integers(0, 1 << 30))
def test_a_policy_test_fails_exactly_where_a_pair_answers_otherwise(
    case: Case, sources: tuple[Peer, ...], destinations: tuple[Peer, ...], word: str, seed: int
) -> None:
    said = ("drawn", PLACE, sources, destinations, parse_service(word))
    tests = [PolicyTest(*said, expect) for expect in EXPECTED]
    compilation = compile_policy(case.snapshot, replace(case.policy, tests=tuple(tests)), case.settings)
    found = {failure.test.expect: failure for failure in failures(compilation)}
    # the ends of the ranges that the test names are places to look at too
    marked = replace(case, policy=Policy((*case.policy.rules, Rule("", *said[:4], Action.PASS, said[4]))))
    meant = list(meant_by(marked, sources, destinations))
    assert bool(meant) is not any(not failure.client for failure in found.values())

    def wrong(expect: Action, ends: Ends, ways: list[Way]) -> bool:
        """Return whether a pair answers otherwise; nothing may pass to an address whatever it is an answer to [12]."""
        if expect is Action.ALLOW:
            return not pair_passes(case, word, ends, ways, ends.names)
        answers = [ends.names] if ends.names else memberships(names_in(rule.destinations for rule in case.policy.rules))
        return any(pair_passes(case, word, ends, ways, names) for names in answers)

    for ends, ways in random.Random(seed).sample(meant, min(len(meant), 8)):
        for expect in EXPECTED:
            assert expect in found or not wrong(expect, ends, ways), f"{ends}, expected to {expect}"
    for expect, failure in found.items():
        named = [one for one in meant if is_named(one[0].client, failure.client) and is_server(one[0], failure.server)]
        assert not meant or any(wrong(expect, *one) for one in named), failure


def meant_by(case: Case, sources: tuple[Peer, ...], destinations: tuple[Peer, ...]) -> Iterator[tuple[Ends, list[Way]]]:
    """Yield the pairs that a policy test speaks of, with the ways in which it does.

    A name alone stands for one address of each family of which nothing else is known.
    """
    clients = [asset for asset in case.snapshot.assets if asset.workload]
    for peer in destinations:
        for names, rest in readings(peer.selector):
            if names and rest is None:
                pairs_ = [Ends(client, point_of(one), names, True) for client in clients for one in NOWHERE]
            else:
                pairs_ = [replace(ends, names=names) for ends in pairs(case)]
            for ends in pairs_:
                if ways := list(ways_between(case, sources, Peer(rest or ANY, peer.process), ends)):
                    yield ends, ways


def readings(selector: Selector) -> Iterator[tuple[frozenset[str], Selector | None]]:
    """Yield the ways to read a selector: names to be an answer to, and what else must hold (None: nothing)."""
    match selector:
        case FqdnIs(name):
            yield frozenset({name}), None
        case AnyOf(parts) if names_in([[Peer(selector)]]):
            for part in parts:
                yield from readings(part)
        case AllOf(parts) if names_in([[Peer(selector)]]):
            for chosen in product(*(list(readings(part)) for part in parts)):
                rest = tuple(other for _, other in chosen if other is not None)
                yield frozenset().union(*(names for names, _ in chosen)), AllOf(rest) if rest else None
        case _:
            yield frozenset(), None if says_nothing(selector) else selector


def says_nothing(selector: Selector) -> bool:
    """Return whether a selector is `any`, or made of it in such a way that every address is chosen."""
    match selector:
        case AllOf(parts):
            return bool(parts) and all(map(says_nothing, parts))
        case AnyOf(parts):
            return any(map(says_nothing, parts))
    return selector == ANY


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


def is_server(ends: Ends, text: str) -> bool:
    """Return whether a pair's server is the one that a failure names, with the names that the test says it is."""
    if ends.unknown:
        return text == " and ".join(f"fqdn:{name}" for name in sorted(ends.names))
    end, names = read_names(text)
    return is_named(ends.server, end) and (names == ends.names if ends.names else True)


def is_named(end: Asset | int, text: str) -> bool:
    """Return whether an end is the asset, or lies in the range, that a failure names."""
    if isinstance(end, Asset):
        return end.name == text
    return not text.isalnum() and not text.startswith("fqdn:") and end in network_of(text)


def ways_between(case: Case, sources: tuple[Peer, ...], destination: Peer, ends: Ends) -> Iterator[Way]:
    """Yield the pairs of addresses, of one family, in which a statement about some peers speaks of two ends."""
    for source in sources:
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


def pair_passes(case: Case, word: str, ends: Ends, found: list[Way], names: frozenset[str]) -> bool:
    """Return whether a service (by its word) passes in one of some ways, for a process on each end that is meant.

    `names` are those that the server's address is an answer to.
    """
    (point, _), *_ = parse_service(word).v4
    service = divmod(point, BLOCK)
    client, server = held_by(ends.client)[0], held_by(ends.server)[0]
    return any(
        (client is None or someone_passes(case, Side(client, Direction.OUT, a, b, *service, names=names), sender))
        and (server is None or someone_passes(case, Side(server, Direction.IN, b, a, *service), taker))
        for sender, a, taker, b in found
    )
