"""What a host cannot do without, above every policy: neighbour and router discovery, MLD, IGMP, a DHCP client.

`ringfence.enforcers.nftables.built_in_rules` names the RFCs behind each; the rules say the same here. A policy cannot
close them, so nothing may answer through them either: what a host sends as a DHCP client's reply to a server that
spoke first is no lease, and is dropped before the rule for established connections would let it out.
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
_UNANSWERED = {
    (Direction.OUT, 4): ("-p udp -m udp --sport 68 --dport 67 -m conntrack --ctdir REPLY -j DROP",),
    (Direction.OUT, 6): ("-p udp -m udp --sport 546 --dport 547 -m conntrack --ctdir REPLY -j DROP",),
}


def built_in_rules(direction: Direction, family: int) -> tuple[str, ...]:
    """Return the rules of the built-ins for one direction and family, in order."""
    return (*_BOTH[family], *_DHCP[direction, family])


def unanswered_rules(direction: Direction, family: int) -> tuple[str, ...]:
    """Return the rules that stand before established connections: no answer goes out through a built-in."""
    return _UNANSWERED.get((direction, family), ())
