"""What stands above every policy: the control path, loopback, cut and standing connections, and the built-ins.

In order: the control path, before anything that asks conntrack; loopback; tuples to cut; replies; tuples that stood
before; neighbour and router discovery and MLD (RFC 4861, 2710, 3810); IGMP; DHCP client (RFC 2131, 8415).
"""

from __future__ import annotations

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

DISCOVERY_AND_MLD = "{ 130, 131, 132, 133, 134, 135, 136, 137, 143 }"
# Direction -> the field of the remote address, the local address, the remote and the local port, the interface.
FIELDS = {
    Direction.IN: ("saddr", "daddr", "sport", "dport", "iifname"),
    Direction.OUT: ("daddr", "saddr", "dport", "sport", "oifname"),
}
# A SYN (0x2) without ACK (0x10) is no packet of a connection that stood: it begins another, which the policy judges
# (RFC 9293, 3.5). In the words that nft lists it with.
NO_FIRST_PACKET = "tcp flags & (0x2 | 0x10) != 0x2"
# Family, server's port, client's port. Source before destination, as the kernel's listing puts them.
DHCP_PORTS = (("ipv4", 67, 68), ("ipv6", 547, 546))


def fixed_rules(parts: Parts, direction: Direction, control: Control | None) -> list[str]:
    """Return the rules of one direction, in order, and add the sets they need."""
    remote, local, remote_port, local_port, interface = FIELDS[direction]
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
    tuples = {
        family: f"{ip} {local} . {ip} {remote} . tcp {local_port} . tcp {remote_port}"
        for family, ip in PROTOCOL_OF_FAMILY.items()
    }
    for family, address in TYPE_OF_FAMILY.items():
        for name in (f"cut{family}", f"standing{family}"):
            parts.sets[name] = set_text("set", name, f"type {address} . {address} . inet_service . inet_service")
    return [
        *rules,
        f'{interface} "lo" accept',
        *(f"{key} @cut{family} drop" for family, key in tuples.items()),
        "ct state established,related accept",
        *(f"{key} @standing{family} {NO_FIRST_PACKET} accept" for family, key in tuples.items()),
        f"icmpv6 type {DISCOVERY_AND_MLD} accept",
        "ip protocol 2 accept",
        *(_dhcp_rule(direction, *ports) for ports in DHCP_PORTS),
    ]


def _dhcp_rule(direction: Direction, family: str, server: int, client: int) -> str:
    source, destination = (server, client) if direction is Direction.IN else (client, server)
    return f"meta nfproto {family} udp sport {source} udp dport {destination} accept"
