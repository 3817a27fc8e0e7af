"""Policy tests that expect what Ringfence allows and other firewalls of the ends cut, as far as hosts told these."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from ringfence.model.problems import Problem, Severity
from ringfence.model.rules import Action
from ringfence.model.services import service_texts
from ringfence.operations.forwarding_ways import ways_of
from ringfence.operations.other_firewalls import hosts_that_told, other_firewalls

if TYPE_CHECKING:
    from ringfence.analysis.explain import Answer
    from ringfence.analysis.ways import Way
    from ringfence.beside import Others
    from ringfence.compiler import Compilation
    from ringfence.estate import Estate
    from ringfence.model.rules import Peer, PolicyTest

# Pairs of ends that are judged for one test, and tests that are told of.
MOST_PAIRS = 50
MOST_TOLD = 20
REMEDY = "allow it there too; 'ringfence explain' says by which rule, and 'ringfence info' reads the host again"


def cut_tests(estate: Estate, compilation: Compilation) -> list[Problem]:
    """Return a warning for each test that expects `allow` and that another firewall of an end cuts.

    One pair of ends stands for all of a test; tests of pairs without a host that told of others are left out.
    """
    told = hosts_that_told(estate, compilation.tables)
    if not told:
        return []
    expected = (test for test in compilation.policy.tests if test.expect is Action.ALLOW)
    on_the_way = ways_of(estate)
    found = (_cut(estate, compilation, test, told, on_the_way) for test in expected)
    return list(islice((problem for problem in found if problem is not None), MOST_TOLD))


def _cut(
    estate: Estate,
    compilation: Compilation,
    test: PolicyTest,
    told: frozenset[str],
    on_the_way: tuple[list[Way], dict[str, Others]],
) -> Problem | None:
    from ringfence.analysis.explain import explain
    from ringfence.model.errors import InputError

    ways, forwarders = on_the_way
    for client, server in islice(_pairs(compilation, test, told, every=bool(ways)), MOST_PAIRS):
        others = {**forwarders, **other_firewalls(estate, {client, server} & told)}
        try:
            explained = explain(compilation, client, server, test.services, None, others, ways)
        except InputError:
            continue  # ends of two families
        for answer in explained.answers:
            if answer.verdict == "allow" and answer.beside is not None and answer.beside.cuts:
                return Problem(Severity.WARNING, _words(test, client, server, answer), test.place, REMEDY)
    return None


def _pairs(
    compilation: Compilation, test: PolicyTest, told: frozenset[str], *, every: bool
) -> Iterator[tuple[str, str]]:
    """Yield pairs of ends of which at least one told of other firewalls, or where a host may forward all of them."""
    clients, servers = (_names(compilation, peers) for peers in (test.sources, test.destinations))
    there = [server for server in servers if server in told]
    for client in clients:
        for server in servers if every or client in told else there:
            if client != server:
                yield client, server


def _names(compilation: Compilation, peers: tuple[Peer, ...]) -> list[str]:
    from ringfence.analysis.peer_resolution import chosen_addresses, points_of

    return [
        asset.name
        for asset in compilation.snapshot.assets
        if any(chosen_addresses(peer.selector, asset, points_of(asset)) for peer in peers)
    ]


def _words(test: PolicyTest, client: str, server: str, answer: Answer) -> str:
    assert answer.beside is not None
    services = ", ".join(service_texts(answer.services)[:4])
    return (
        f"test '{test.name}': {client} to {server} on {services} is allowed by Ringfence and {answer.beside.short}, "
        f"told {answer.beside.seen}"
    )
