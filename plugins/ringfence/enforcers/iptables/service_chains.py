"""A service map as chains: protocol, then port or message type, each with its explicit default.

iptables has no maps: a chain asks for one value after another, and for many ports in spans until few are left. What
cannot be asked for alone is the default's: protocol 0 (`-p 0` is every protocol) and message type 255 of ICMP
(`--icmp-type 255` is every type). Among ports the default is the strictest outcome, which a packet without ports meets.
"""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.enforcers.iptables.outcomes import add_outcome, outcome_chain
from ringfence.enforcers.iptables.text import Parts
from ringfence.enforcers.service_runs import runs_of, strictest
from ringfence.model.rules import Direction
from ringfence.model.services import ICMP, ICMPV6, SCTP, TCP, UDP
from ringfence.model.tables import Piece, ServiceMap

NAMES = {TCP: "tcp", UDP: "udp", SCTP: "sctp"}
MESSAGES = {ICMP: "-p icmp -m icmp --icmp-type", ICMPV6: "-p icmpv6 -m icmp6 --icmpv6-type"}
AUTHENTICATION = 51
# Ports that one chain asks for one by one.
MOST_ASKED = 16

Entry = tuple[int, int, str]


def service_chain(parts: Parts, services: ServiceMap, direction: Direction) -> str:
    """Return the chain of a service map for packets of one family, and add it with all behind it."""
    for *_, outcome in services.pieces:
        add_outcome(parts, outcome, direction)
    targets: dict[int, str] = {}
    for low, high, pieces in runs_of(services, parts.family):
        target = outcome_chain(pieces[0][2], direction)
        if len(pieces) > 1:
            target = _header_chain(parts, low, pieces, direction)
        targets.update(dict.fromkeys(range(low, high + 1), target))
    default = targets[0]
    if set(targets.values()) == {default}:
        return default
    asked = {protocol: target for protocol, target in targets.items() if target != default}
    rules = []
    if parts.family == 6:
        # IPv6 looks behind this header for a protocol, so it must be asked for first
        rules.append(f"-m ah -g {targets[AUTHENTICATION]}")
        asked.pop(AUTHENTICATION, None)
    rules += [f"-p {NAMES.get(protocol, protocol)} -g {target}" for protocol, target in asked.items()]
    return parts.chain(f"rf_{direction}_s", [*rules, f"-g {default}"])


def _header_chain(parts: Parts, protocol: int, pieces: list[Piece], direction: Direction) -> str:
    entries = [(low, high, outcome_chain(outcome, direction)) for low, high, outcome in pieces]
    if protocol in MESSAGES:
        default = entries[-1][2]
        rules = [
            f"{MESSAGES[protocol]} {kind} -g {target}"
            for low, high, target in _without(entries, default)
            for kind in range(low, high + 1)
        ]
        return parts.chain(f"rf_{direction}_p", [*rules, f"-g {default}"])
    default = outcome_chain(strictest(outcome for *_, outcome in pieces), direction)
    return _port_chain(parts, f"rf_{direction}_p", NAMES[protocol], _without(entries, default), default)


def _port_chain(parts: Parts, prefix: str, protocol: str, entries: list[Entry], default: str) -> str:
    asks = f"-p {protocol} -m {protocol} --dport"
    if len(entries) <= MOST_ASKED:
        rules = [f"{asks} {low if low == high else f'{low}:{high}'} -g {target}" for low, high, target in entries]
        return parts.chain(prefix, [*rules, f"-g {default}"])
    share = -(-len(entries) // MOST_ASKED)
    some = [entries[at : at + share] for at in range(0, len(entries), share)]
    rules = [
        f"{asks} {each[0][0]}:{each[-1][1]} -g {_port_chain(parts, prefix, protocol, each, default)}" for each in some
    ]
    return parts.chain(prefix, [*rules, f"-g {default}"])


def _without(entries: Iterable[Entry], default: str) -> list[Entry]:
    return [entry for entry in entries if entry[2] != default]
