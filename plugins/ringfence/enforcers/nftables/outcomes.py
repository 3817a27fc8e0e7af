"""The chains that end a packet's way (allow, deny, watch) and the kernel sets that remember what they stopped.

Chains are `allow_<rule>`, `deny_<rule>_<in|out>` and `watch_<rule>_<in|out>`, and `<effect>_<rule>_<in|out>_log` where
the rule asks for a log line. A set is keyed by peer address, protocol and port (the service's port in both directions),
one of them per family; packets without ports go to a set of the same name with `_bare` at its end. A set that is full
takes no more elements and changes no verdict: the rule that updates it is not the rule that decides.
"""

from __future__ import annotations

from ringfence.enforcers.nftables.text import PROTOCOL_OF_FAMILY, TYPE_OF_FAMILY, Parts, chain_text, set_text
from ringfence.model.rules import Direction
from ringfence.model.tables import Effect, Outcome

REMEMBERED = 4096
REMEMBERED_FOR = "1h"
VERDICTS = {Effect.ALLOW: "accept", Effect.WATCH: "accept", Effect.DENY: "drop"}
SET_PREFIXES = {Effect.WATCH: "watched", Effect.DENY: "denied"}
PEER = {Direction.IN: "saddr", Direction.OUT: "daddr"}
WITH_PORTS = "{ 6, 17, 132 }"


def outcome_chain(outcome: Outcome, direction: Direction) -> str:
    """Return the name of the chain that carries an outcome out."""
    way = "" if outcome.effect is Effect.ALLOW and not outcome.log else f"_{direction}"
    return f"{outcome.effect}_{outcome.rule}{way}{'_log' if outcome.log else ''}"


def add_outcome(parts: Parts, outcome: Outcome, direction: Direction) -> None:
    """Add the chain of an outcome, and its sets, unless they are there."""
    name = outcome_chain(outcome, direction)
    if name in parts.chains:
        return
    rules = ["counter"]
    if outcome.effect in SET_PREFIXES:
        for family in (4, 6):
            rules += _remember(parts, outcome, direction, family)
    if outcome.log:
        rules.append(f'log prefix "ringfence {outcome.effect} {outcome.rule} {direction} "')
    parts.chains[name] = chain_text(name, (*rules, VERDICTS[outcome.effect]))


def _remember(parts: Parts, outcome: Outcome, direction: Direction, family: int) -> tuple[str, str]:
    name = f"{SET_PREFIXES[outcome.effect]}_{outcome.rule}_{direction}{family}"
    bare = f"{name}_bare"
    bounds = (f"size {REMEMBERED}", "flags dynamic,timeout", f"timeout {REMEMBERED_FOR}")
    address = TYPE_OF_FAMILY[family]
    parts.sets[name] = set_text("set", name, f"type {address} . inet_proto . inet_service", *bounds)
    parts.sets[bare] = set_text("set", bare, f"type {address} . inet_proto", *bounds)
    peer = f"{PROTOCOL_OF_FAMILY[family]} {PEER[direction]} . meta l4proto"
    return (
        f"meta l4proto {WITH_PORTS} update @{name} {{ {peer} . th dport counter }}",
        f"meta l4proto != {WITH_PORTS} update @{bare} {{ {peer} counter }}",
    )
