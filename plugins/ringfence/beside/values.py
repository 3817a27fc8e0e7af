"""Fields of packets and what they are compared with, shared by what nft and what iptables writes.

A field gives the values that it may have here: numbers, `None` for "not known", or nothing at all where the packet has
no such field, so that no test of it holds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

from ringfence.beside.packets import FORWARD, Packet
from ringfence.beside.rules import Truth, agreed
from ringfence.wire.address_line import V6_BASE, fused, interval_of

# None: not known; empty: the packet has none
Values = tuple[int, ...] | None
Field = Callable[[Packet], Values]
LOOPBACK = "lo"

# IANA's protocol numbers by the names that nft and iptables print (/etc/protocols of Debian).
PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipencap": 4, "ipv4": 4, "tcp": 6, "egp": 8, "igp": 9, "udp": 17, "dccp": 33, "ipv6": 41,
    "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "icmpv6": 58, "eigrp": 88, "ospf": 89, "ospfigp": 89, "pim": 103,
    "ipcomp": 108, "vrrp": 112, "l2tp": 115, "sctp": 132, "mobility-header": 135, "ipv6-mh": 135, "udplite": 136,
}  # fmt: skip
STATES = {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128, "ece": 64}


class Ranges:
    """Closed intervals of numbers, looked up in the logarithm of how many there are."""

    def __init__(self, intervals: Iterable[tuple[int, int]]) -> None:
        self.intervals = fused(list(intervals))
        self._lows = [low for low, _ in self.intervals]

    def __contains__(self, value: int) -> bool:
        at = bisect_right(self._lows, value) - 1
        return at >= 0 and value <= self.intervals[at][1]


def within(field: Field, ranges: Ranges, *, otherwise: bool = False) -> Callable[[Packet], Truth]:
    """Return the test whether a field is in ranges; `otherwise`: whether it is there and outside of them."""

    def test(packet: Packet) -> Truth:
        values = field(packet)
        if values is None:
            return None
        if not values:
            return False
        return agreed((value in ranges) != otherwise for value in values)

    return test


def interface_is(name: str, inward: bool) -> Callable[[Packet], Truth]:
    """Return the test whether a packet came in by, or leaves by, an interface; `eth*` are all that begin so.

    Of interfaces the loopback alone is known: connections of a host with itself are on it, and no others. What is
    forwarded has both where it is routed.
    """

    def test(packet: Packet) -> Truth:
        if inward != packet.inward and packet.hook != FORWARD:
            return False
        if name.endswith("*"):
            return True if name == "*" else (None if not packet.own else LOOPBACK.startswith(name[:-1]))
        if packet.own:
            return name == LOOPBACK
        return False if name == LOOPBACK else None

    return test


def addresses(text: str) -> tuple[int, int]:
    """Return the interval of `a`, `a-b`, `a/length` or `a/mask` on the line of addresses. Raise ValueError."""
    address, slash, mask = text.partition("/")
    if slash and not mask.isdigit():
        length = _length(*(interval_of(one)[0] for one in (mask, address)))
        text = f"{address}/{length}"
    return interval_of(text)


def _length(mask: int, address: int) -> int:
    """Return the length of a mask of ones and then zeros. Raise ValueError for others."""
    whole, base = (128, V6_BASE) if address >= V6_BASE else (32, 0)
    rest = ~(mask - base) & ((1 << whole) - 1)
    if rest & (rest + 1):
        raise ValueError("a mask with holes")
    return whole - rest.bit_length()


# Fields


def source(packet: Packet) -> Values:
    """Return the address that a packet comes from."""
    return (packet.source,)


def destination(packet: Packet) -> Values:
    """Return the address that a packet goes to."""
    return (packet.destination,)


def of_family(field: Field, family: int) -> Field:
    """Return a field that packets of one family alone have."""
    return lambda packet: field(packet) if packet.family == family else ()


def of_protocols(field: Field, protocols: tuple[int, ...]) -> Field:
    """Return a field that packets of some protocols alone have."""
    return lambda packet: field(packet) if packet.protocol in protocols else ()


def protocol(packet: Packet) -> Values:
    """Return the protocol behind the addresses."""
    return (packet.protocol,)


def destination_port(packet: Packet) -> Values:
    """Return the port that a packet goes to."""
    return _one(packet.destination_port)


def source_port(packet: Packet) -> Values:
    """Return the port that a packet comes from."""
    return _one(packet.source_port)


def message(packet: Packet) -> Values:
    """Return the type of an ICMP message."""
    return _one(packet.message)


def state(packet: Packet) -> Values:
    """Return the state of the packet's connection."""
    return _one(packet.state)


def flags(packet: Packet) -> Values:
    """Return the flags of a segment of TCP."""
    return packet.flags if packet.protocol == 6 else ()


def direction(packet: Packet) -> Values:
    """Return 0 for the direction of the packet that began the connection, else 1."""
    return (int(packet.reply),)


def source_type(packet: Packet) -> Values:
    """Return what routing may call the address that a packet comes from."""
    return packet.address_types(destination=False)


def destination_type(packet: Packet) -> Values:
    """Return what routing may call the address that a packet goes to."""
    return packet.address_types(destination=True)


def unknown(_packet: Packet) -> Values:
    """Return that nothing is known of a field."""
    return None


def _one(value: int | None) -> Values:
    return None if value is None else (value,)
