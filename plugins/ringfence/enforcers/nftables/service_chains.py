"""A service map as chains: protocol, then port or message type, each with its explicit default.

No verdict needs a header that a packet may lack: the protocol map covers all 256 protocols and a port map all ports,
so the rule behind a map is reached only by packets without that header (a later fragment, a truncated packet); it is
the strictest outcome that the header could have led to.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ringfence.enforcers.nftables.outcomes import outcome_chain
from ringfence.enforcers.nftables.text import chain_text, content_name
from ringfence.enforcers.service_runs import runs_of, strictest
from ringfence.model.rules import Direction
from ringfence.model.services import ICMP, ICMPV6, SCTP, TCP, UDP
from ringfence.model.tables import Outcome, Piece, ServiceMap

KEYS = {ICMP: "icmp type", ICMPV6: "icmpv6 type", TCP: "tcp dport", UDP: "udp dport", SCTP: "sctp dport"}


@dataclass(frozen=True, slots=True)
class ServiceChains:
    """Where to go for a service map, the chains that this needs by name, and the outcomes they end in."""

    target: str
    chains: tuple[tuple[str, str], ...]
    outcomes: tuple[Outcome, ...]


@lru_cache(maxsize=4096)
def service_chains(services: ServiceMap, family: int, direction: Direction) -> ServiceChains:
    """Return the chains of a service map for packets of one family; equal maps have equal names in every ruleset."""
    outcomes = tuple(dict.fromkeys(outcome for _, _, outcome in services.pieces))
    chains: dict[str, str] = {}
    protocols: list[tuple[int, int, str]] = []
    blocks = runs_of(services, family)
    for low, high, pieces in blocks:
        target = outcome_chain(pieces[0][2], direction)
        if len(pieces) > 1:
            target = _chain(f"{direction}_p", KEYS[low], pieces, direction, chains)
        if protocols and protocols[-1][2] == target and protocols[-1][1] + 1 == low:
            protocols[-1] = (protocols[-1][0], high, target)
        else:
            protocols.append((low, high, target))
    if len(protocols) == 1:
        return ServiceChains(protocols[0][2], (), outcomes)
    met = (outcome for *_, pieces in blocks for *_, outcome in pieces)
    fallback = outcome_chain(strictest(met), direction)
    rules = (_vmap("meta l4proto", protocols), f"goto {fallback}")
    name = content_name(f"{direction}_s", *rules)
    chains[name] = chain_text(name, rules)
    return ServiceChains(name, tuple(chains.items()), outcomes)


def _chain(prefix: str, key: str, pieces: list[Piece], direction: Direction, chains: dict[str, str]) -> str:
    entries = [(low, high, outcome_chain(outcome, direction)) for low, high, outcome in pieces]
    fallback = outcome_chain(strictest(outcome for *_, outcome in pieces), direction)
    rules = (_vmap(key, entries), f"goto {fallback}")
    name = content_name(prefix, *rules)
    chains[name] = chain_text(name, rules)
    return name


def _vmap(key: str, entries: list[tuple[int, int, str]]) -> str:
    words = ", ".join(f"{low if low == high else f'{low}-{high}'} : goto {target}" for low, high, target in entries)
    return f"{key} vmap {{ {words} }}"
