"""What stands above every policy: the control path, loopback, cut and established connections, and the built-ins.

In order: the control path, before anything that asks conntrack; loopback; connections to cut; replies; tuples that
stood before; and the built-ins of `built_in_rules`.
"""

from __future__ import annotations

from ringfence.enforcers.nftables.built_in_rules import built_in_rules, replies
from ringfence.enforcers.nftables.text import (
    PROTOCOL_OF_FAMILY,
    TYPE_OF_FAMILY,
    Parts,
    elements_text,
    set_text,
)
from ringfence.model.addresses import addresses_of
from ringfence.model.assets import Control
from ringfence.model.rules import Direction
from ringfence.model.tables import range_texts_of

# Direction -> the field of the remote address, the local address, the remote and the local port, the interface.
FIELDS = {
    Direction.IN: ("saddr", "daddr", "sport", "dport", "iifname"),
    Direction.OUT: ("daddr", "saddr", "dport", "sport", "oifname"),
}
# A SYN (0x2) without ACK (0x10) is no packet of a connection that stood: it begins another, which the policy judges
# (RFC 9293, 3.5). In the words that nft lists it with.
NO_FIRST_PACKET = "tcp flags & (0x2 | 0x10) != 0x2"
# What has no ports and no message type that conntrack knows; a message and its answer are told apart by their types.
MESSAGES = {4: ("icmp", "icmp_type"), 6: ("icmpv6", "icmpv6_type")}
WITHOUT_PORTS = "meta l4proto != { 1, 6, 17, 58, 132 }"


def control_rules(parts: Parts, direction: Direction, control: Control | None) -> list[str]:
    """Return the rules that keep the control path open in one direction, and add the sets they need."""
    remote, _, _, local_port, _ = FIELDS[direction]
    rules = []
    if control:
        networks = range_texts_of(addresses_of(control.networks))
        for family in (4, 6):
            if networks.count(family):
                name = f"control{family}"
                parts.sets[name] = set_text(
                    "set",
                    name,
                    f"type {TYPE_OF_FAMILY[family]}",
                    "flags interval",
                    elements_text(networks.joined(", ", (family,))),
                )
                ip = PROTOCOL_OF_FAMILY[family]
                rules.append(f"{ip} {remote} @{name} tcp {local_port} {control.port} accept")
    return rules


def fixed_rules(parts: Parts, direction: Direction, control: Control | None) -> list[str]:
    """Return the rules of one direction, in order, and add the sets they need."""
    remote, local, remote_port, local_port, interface = FIELDS[direction]
    rules = control_rules(parts, direction, control)
    tuples = {
        family: f"{ip} {local} . {ip} {remote} . meta l4proto . th {local_port} . th {remote_port}"
        for family, ip in PROTOCOL_OF_FAMILY.items()
    }
    # client and server as the filter sees them: in front of source NAT and behind destination NAT
    ends = {family: f"ct original {ip} saddr . ct reply {ip} saddr" for family, ip in PROTOCOL_OF_FAMILY.items()}
    _add_sets(parts)
    return [
        *rules,
        f'{interface} "lo" accept',
        *(f"{key} @cut{family} drop" for family, key in tuples.items()),
        *(f"{key} . {MESSAGES[family][0]} type @cut_icmp{family} drop" for family, key in ends.items()),
        *(f"{WITHOUT_PORTS} {key} . meta l4proto @cut_bare{family} drop" for family, key in ends.items()),
        *replies(direction),
        *(f"{key} @standing{family} {NO_FIRST_PACKET} accept" for family, key in tuples.items()),
        *(f"meta l4proto != 6 {key} @standing{family} accept" for family, key in tuples.items()),
        *built_in_rules(direction),
    ]


def _add_sets(parts: Parts) -> None:
    for family, address in TYPE_OF_FAMILY.items():
        pair = f"type {address} . {address}"
        ports = f"{pair} . inet_proto . inet_service . inet_service"
        parts.sets[f"cut{family}"] = set_text("set", f"cut{family}", ports)
        parts.sets[f"cut_icmp{family}"] = set_text("set", f"cut_icmp{family}", f"{pair} . {MESSAGES[family][1]}")
        parts.sets[f"cut_bare{family}"] = set_text("set", f"cut_bare{family}", f"{pair} . inet_proto")
        parts.sets[f"standing{family}"] = set_text("set", f"standing{family}", ports, "flags timeout")
