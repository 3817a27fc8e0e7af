"""Containers in their host's ruleset: base chains for what they send and receive, and maps that the target fills.

What a container sends is met by `containers_out`, what it receives by `containers_in`: forwarded packets by both, what
the host itself receives or sends by one of them, each before other chains of the hook. There a packet has its real
client and the container's own address and port, in front of source NAT and behind destination NAT. Runtime maps
(`containers_in4`, …) lead each address that a container has now to its table. Other addresses of a network are led to
the strictest outcome of the network's containers: a container that starts is closed until the target has filled it in.

Where a table looks its remote addresses up, those of containers are asked first, in a map `peers_…` that the target
fills too: a container is known by the address it has now, whatever it had when the table was compiled, and an address
of its networks that none has is let through nowhere where one of them could be denied something.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ringfence.enforcers import Contained, Network
from ringfence.enforcers.nftables.built_in_rules import BUILT_IN
from ringfence.enforcers.nftables.outcomes import add_outcome, outcome_chain
from ringfence.enforcers.nftables.text import (
    PROTOCOL_OF_FAMILY,
    TYPE_OF_FAMILY,
    Parts,
    chain_text,
    content_name,
    elements_text,
    set_text,
)
from ringfence.model.addresses import family_of
from ringfence.model.errors import RingfenceError
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.rules import Direction, Mode
from ringfence.model.tables import DEFAULT_RULE, Cell, Effect, Outcome, range_texts_of

if TYPE_CHECKING:
    from pydantic import JsonValue

# Chain -> hook and priority. All stand before chains at priority 0, Docker's among them; client's side first.
BASES = {
    "containers_forward_out": ("forward", -11, Direction.OUT),
    "containers_forward_in": ("forward", -10, Direction.IN),
    "containers_input": ("input", -10, Direction.OUT),
    "containers_output": ("output", -10, Direction.IN),
}
# On the way out there is no such rule: what destination NAT turns from an address of the host to a container still has
# `lo` as its interface there.
LOOPBACK = {"containers_input": 'iifname "lo" accept'}
# What the table of emergencies, which is asked before, let begin for a while.
PERMITTED = "ct label 97 accept"
# What the client sends on an established connection: judged each time for a container whose enforcement cuts.
ASKED_ANEW = "ct state established ct direction 0"
REPLIES = "ct state established,related ct protocol != 2 accept"
# An empty chain that has the target switch on what gives packets within a bridge to the tables.
BRIDGED = "containers_bridged"
REMOTE = {Direction.IN: "saddr", Direction.OUT: "daddr"}
LOCAL = {Direction.IN: "daddr", Direction.OUT: "saddr"}
STRICTEST = (Effect.DENY, Effect.WATCH, Effect.ALLOW)


class Holding:
    """The containers of one ruleset, and what the target fills in for each, gathered while tables are rendered."""

    def __init__(self, contained: Sequence[Contained], *, bridged: bool = False) -> None:
        """Take the containers; with `bridged` the target has packets within a bridge pass here as well."""
        self.bridged = bridged
        self.contained = sorted(contained, key=lambda one: one.called)
        networks: dict[str, list[Network]] = {}
        for one in self.contained:
            for network in one.networks:
                networks.setdefault(network.name, []).append(network)
        self.networks = {name: union(one.addresses for one in several) for name, several in networks.items()}
        self.addresses = union(self.networks.values())
        self._elements: dict[str, dict[tuple[str, str], None]] = {one.called: {} for one in self.contained}

    def runtime(self) -> list[dict[str, JsonValue]]:
        """Return what the target fills in: for every container its maps, and what its addresses lead to there."""
        return [
            {"container": called, "elements": [list(one) for one in elements]}
            for called, elements in self._elements.items()
        ]

    def before_peers(
        self, parts: Parts, direction: Direction, family: int, places: Sequence[tuple[Cell, str]], beyond: str
    ) -> str:
        """Return the chain that asks for containers before `beyond` asks for other remote addresses.

        `places` are the cells of one look-up with what they lead to. Raise RingfenceError where the rules tell the
        addresses of one container apart, of which it may have others any time.
        """
        texts = range_texts_of(self.addresses)
        if not texts.count(family):
            return beyond
        targets = {one.called: target for one in self.contained if (target := _target(one, family, places))}
        field = f"{PROTOCOL_OF_FAMILY[family]} {REMOTE[direction]}"
        name = content_name(f"peers_{direction}{family}", *(f"{who} {chain}" for who, chain in targets.items()))
        parts.sets[name] = set_text("map", name, f"type {TYPE_OF_FAMILY[family]} : verdict")
        for called, chain in targets.items():
            self._elements[called][name, f"goto {chain}"] = None
        rules = [f"{field} vmap @{name}"]
        outcomes = {outcome.effect for cell, _ in places for *_, outcome in cell.services.pieces}
        effect = next(one for one in STRICTEST if one in outcomes)
        if effect is not Effect.ALLOW:
            strict = Outcome(effect, DEFAULT_RULE)
            add_outcome(parts, strict, direction)
            nets = f"container_nets{family}"
            parts.sets[nets] = set_text(
                "set",
                nets,
                f"type {TYPE_OF_FAMILY[family]}",
                "flags interval",
                elements_text(texts.joined(", ", (family,))),
            )
            rules.append(f"{field} @{nets} goto {outcome_chain(strict, direction)}")
        elif not targets:
            return beyond
        rules.append(f"goto {beyond}")
        chain = content_name(f"{direction}_k", *rules)
        parts.chains[chain] = chain_text(chain, rules)
        return chain

    def base_chains(
        self, parts: Parts, control: Sequence[Sequence[str]], start: Callable[[Contained, Direction], str]
    ) -> str:
        """Return the base chains, and add the chains and maps they need.

        `control` are the rules of the host's control path on its way in and out, and `start` gives the chain that a
        container's table begins with in one direction.
        """
        for direction in Direction:
            self._chain(parts, direction, start)
        if self.bridged:
            strict = min((self._strictest(name, Direction.OUT) for name in self.networks), key=_strictness)
            add_outcome(parts, strict, Direction.OUT)
            link = (REPLIES, *BUILT_IN, f"goto {outcome_chain(strict, Direction.OUT)}")
            parts.chains["containers_link"] = chain_text("containers_link", link)
            parts.chains[BRIDGED] = chain_text(BRIDGED, ())
        own = dict(zip(("containers_input", "containers_output"), control, strict=True))
        text = ""
        for name, (hook, priority, direction) in BASES.items():
            rules = [f"type filter hook {hook} priority {priority}; policy accept;", *own.get(name, ())]
            if name in LOOPBACK:
                rules.append(LOOPBACK[name])
            if self.bridged and name == "containers_forward_out":
                # nothing routes these, so they stay within a bridge; a table knows nobody by them
                rules.append("ip6 saddr fe80::/10 goto containers_link")
            text += chain_text(name, (*rules, f"goto containers_{direction}"))
        return text

    def _chain(self, parts: Parts, direction: Direction, start: Callable[[Contained, Direction], str]) -> None:
        rules = [PERMITTED]
        for family, protocol in PROTOCOL_OF_FAMILY.items():
            name = f"containers_cut_{direction}{family}"
            parts.sets[name] = set_text("map", name, f"type {TYPE_OF_FAMILY[family]} : verdict")
            rules.append(f"{ASKED_ANEW} {protocol} {LOCAL[direction]} vmap @{name}")
        rules += [REPLIES, *BUILT_IN]
        for family, protocol in PROTOCOL_OF_FAMILY.items():
            name = f"containers_{direction}{family}"
            parts.sets[name] = set_text("map", name, f"type {TYPE_OF_FAMILY[family]} : verdict")
            rules.append(f"{protocol} {LOCAL[direction]} vmap @{name}")
        for one in self.contained:
            begin = start(one, direction)
            for family in PROTOCOL_OF_FAMILY:
                self._elements[one.called][f"containers_{direction}{family}", f"goto {begin}"] = None
                if one.cut:
                    self._elements[one.called][f"containers_cut_{direction}{family}", f"goto {begin}"] = None
        for family, protocol in PROTOCOL_OF_FAMILY.items():
            elements = []
            for network, addresses in sorted(self.networks.items()):
                strict = self._strictest(network, direction)
                add_outcome(parts, strict, direction)
                texts = range_texts_of(addresses - self._stricter(network, direction))
                if texts.count(family):
                    leads = f" : goto {outcome_chain(strict, direction)}"
                    elements.append(texts.joined(f"{leads}, ", (family,)) + leads)
            if elements:
                name = f"networks_{direction}{family}"
                parts.sets[name] = set_text(
                    "map",
                    name,
                    f"type {TYPE_OF_FAMILY[family]} : verdict",
                    "flags interval",
                    elements_text(", ".join(elements)),
                )
                rules.append(f"{protocol} {LOCAL[direction]} vmap @{name}")
        name = f"containers_{direction}"
        parts.chains[name] = chain_text(name, rules)

    def _strictest(self, network: str, direction: Direction) -> Outcome:
        """Return what meets an address of a network that no container of the plan has."""
        modes = {
            one.table.direction(direction).mode
            for one in self.contained
            if any(other.name == network for other in one.networks)
        }
        return Outcome(Effect.WATCH if modes == {Mode.OBSERVE} else Effect.DENY, DEFAULT_RULE)

    def _stricter(self, network: str, direction: Direction) -> IntervalSet:
        """Return the addresses that another network decides: two of equal addresses may follow each other."""
        before = [
            addresses
            for name, addresses in self.networks.items()
            if name != network
            and (self._strictest(name, direction).effect, name) < (self._strictest(network, direction).effect, network)
        ]
        return union(before)


def _strictness(outcome: Outcome) -> int:
    return STRICTEST.index(outcome.effect)


def _target(one: Contained, family: int, places: Sequence[tuple[Cell, str]]) -> str:
    """Return where the addresses of a container lead, empty where it has none of the family."""
    points = [point for point in one.addresses if family_of(point) == family]
    found = {target for point in points for cell, target in places if point in cell.remote}
    if len(found) > 1:
        raise RingfenceError(
            f"rules tell the addresses of container {one.name} apart, which it may not keep",
            remedy="name containers by their labels, not by `cidr` or `list`",
        )
    return next(iter(found), "")
