"""What a host cannot do without, above every policy: neighbour and router discovery, MLD, IGMP, a DHCP client.

`ringfence.enforcers.nftables.built_in_rules` names the RFCs behind each; the rules say the same here. None of these
begins a connection that carries more than they let through: IGMP, what a host answers from a DHCP client's port to a
server's, and ICMP errors about it are no replies, and are judged by what stands below.
"""

from __future__ import annotations

from ringfence.model.rules import Direction

_ON_LINK = "-m hl --hl-eq 255"
_ONE_HOP = "-m hl --hl-eq 1"
_FROM_LINK = "-s fe80::/10"


def _messages(types: tuple[int, ...], addresses: str, hops: str) -> tuple[str, ...]:
    start = f"{addresses} -p icmpv6 {hops}".lstrip()
    return tuple(f"{start} -m icmp6 --icmpv6-type {kind} -j RETURN" for kind in types)


_BOTH = {
    4: ("-d 224.0.0.0/4 -p 2 -m ttl --ttl-eq 1 -j RETURN",),
    6: (
        *_messages((133, 135, 136), "", _ON_LINK),
        *_messages((134, 137), _FROM_LINK, _ON_LINK),
        *_messages((130, 131, 132, 143), f"{_FROM_LINK} -d ff00::/8", _ONE_HOP),
        *_messages((131, 132, 143), "-s ::/128 -d ff00::/8", _ONE_HOP),
    ),
}
_DHCP = {
    (Direction.IN, 4): ("-p udp -m udp --sport 67 --dport 68 -j RETURN",),
    (Direction.IN, 6): ("-s fe80::/10 -d fe80::/10 -p udp -m udp --sport 547 --dport 546 -j RETURN",),
    (Direction.OUT, 4): ("-d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67 -j RETURN",),
    (Direction.OUT, 6): ("-s fe80::/10 -d ff02::1:2/128 -p udp -m udp --sport 546 --dport 547 -j RETURN",),
}
_REPLY = "--ctstate RELATED,ESTABLISHED"
# The DHCP client's port and the server's, and the protocol of messages.
_DHCP_PORTS = {4: (68, 67, "icmp"), 6: (546, 547, "icmpv6")}


def built_in_rules(direction: Direction, family: int) -> tuple[str, ...]:
    """Return the rules of the built-ins for one direction and family, in order."""
    return (*_BOTH[family], *_DHCP[direction, family])


def replies(direction: Direction, family: int) -> tuple[str, ...]:
    """Return the rules that let the replies of connections through that were allowed, in order."""
    if direction is Direction.IN:
        return (f"-m conntrack {_REPLY} ! --ctproto 2 -j RETURN",)
    client, server, messages = _DHCP_PORTS[family]
    return (
        f"-m conntrack {_REPLY} ! --ctproto 17 -m conntrack ! --ctproto 2 -j RETURN",
        f"-m conntrack {_REPLY} ! --ctproto 2 --ctdir ORIGINAL -j RETURN",
        f"-p udp -m udp ! --sport {client} -m conntrack {_REPLY} -j RETURN",
        f"-p udp -m udp ! --dport {server} -m conntrack {_REPLY} -j RETURN",
        f"-p {messages} -m conntrack {_REPLY} ! --ctproto 2 ! --ctorigsrcport {server} -j RETURN",
    )
