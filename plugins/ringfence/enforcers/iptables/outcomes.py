"""The chains that end a packet's way (allow, deny, watch) and the sets that remember what they stopped.

Our chains share their table with others, so what is allowed goes back to where it came from (RETURN), never ACCEPT.
Chains are `rf_allow_<rule>`, `rf_deny_<rule>_<in|out>` and `rf_watch_<rule>_<in|out>`, and `…_log` where the rule asks
for a log line. A set is keyed by peer address, protocol and the service's port (0 where the protocol has none). One
that is full takes no more elements and changes no verdict.
"""

from __future__ import annotations

from ringfence.enforcers.iptables.text import GENERATION, Parts, set_text
from ringfence.model.rules import Direction
from ringfence.model.tables import Effect, Outcome

REMEMBERED = 4096
REMEMBERED_FOR = 3600
VERDICTS = {Effect.ALLOW: "RETURN", Effect.WATCH: "RETURN", Effect.DENY: "DROP"}
SET_PREFIXES = {Effect.WATCH: "watched", Effect.DENY: "denied"}
PEER = {Direction.IN: "src", Direction.OUT: "dst"}


def outcome_chain(outcome: Outcome, direction: Direction) -> str:
    """Return the name of the chain that carries an outcome out."""
    way = "" if outcome.effect is Effect.ALLOW and not outcome.log else f"_{direction}"
    return f"rf_{outcome.effect}_{outcome.rule}{way}{'_log' if outcome.log else ''}"


def add_outcome(parts: Parts, outcome: Outcome, direction: Direction) -> None:
    """Add the chain of an outcome, and its set, unless they are there."""
    name = outcome_chain(outcome, direction)
    if name in parts.filter:
        return
    rules = []
    if outcome.effect in SET_PREFIXES:
        memory = f"rf_{SET_PREFIXES[outcome.effect]}_{outcome.rule}_{direction}{parts.family}{GENERATION}"
        parts.sets[memory] = set_text(parts.family, memory, "hash:ip,port", REMEMBERED, f"timeout {REMEMBERED_FOR}")
        rules.append(f"-j SET --add-set {memory} {PEER[direction]},dst --exist")
    if outcome.log:
        rules.append(f'-j LOG --log-prefix "ringfence {outcome.effect} {outcome.rule} {direction} "')
    parts.filter[name] = (*rules, f"-j {VERDICTS[outcome.effect]}")
