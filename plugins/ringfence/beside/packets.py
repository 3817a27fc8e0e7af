"""A packet as other firewalls of a host see it: what is known of it at one hook, and what is not."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.model.addresses import V6_BASE, family_of
from ringfence.model.services import BLOCK, ICMP, ICMPV6, SCTP, TCP, UDP

FORWARD = "forward"
# What has ports of its own: UDP-Lite (RFC 3828) and DCCP (RFC 4340) beside those that policies name.
PORTS = (TCP, UDP, SCTP, 136, 33)
# Linux, include/uapi/linux/netfilter/nf_conntrack_common.h and nf_tables.h: bits of `ct state`.
NEW, ESTABLISHED = 8, 2
# Linux, include/uapi/linux/rtnetlink.h: types of an address.
UNSPECIFIED, UNICAST, LOCAL, BROADCAST, MULTICAST, UNREACHABLE = 0, 1, 2, 3, 5, 7
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
# What a TCP that speaks RFC 9293 sends once a connection has begun.
_LATER = tuple(
    flags | push | urgent | congestion
    for flags in (ACK, FIN | ACK, RST | ACK)
    for push in (0, PSH)
    for urgent in (0, URG)
    for congestion in (0, ECE, CWR, ECE | CWR)
)
# The answers of messages that connection tracking takes for requests (Linux: nf_conntrack_proto_icmp.c, …_icmpv6.c).
REPLIES = {ICMP: {8: 0, 13: 14, 15: 16, 17: 18}, ICMPV6: {128: 129}}
_BROADCASTS = (0xFFFFFFFF,)


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet of a connection at a hook of one host.

    `source` and `destination` are points of addresses. `port` is the service's port or the request's message type, None
    where the protocol has neither. `first` is the packet that begins the connection, `reply` one of the other
    direction. `own`: both ends are this host, so the packet is on its loopback interface; no other packet is.
    `through`: neither is, so this host forwards it.
    """

    hook: str
    source: int
    destination: int
    protocol: int
    port: int | None
    first: bool = True
    reply: bool = False
    own: bool = False
    through: bool = False

    @property
    def family(self) -> int:
        """Return 4 or 6."""
        return family_of(self.source)

    @property
    def inward(self) -> bool:
        """Return whether it came from an interface, and goes to none that is known here."""
        return self.hook in ("prerouting", "input", "ingress")

    @property
    def state(self) -> int | None:
        """Return the bit of its connection's state, None where it may be several."""
        if self.protocol in REPLIES and self.port not in REPLIES[self.protocol]:
            return None
        return NEW if self.first else ESTABLISHED

    @property
    def message(self) -> int | None:
        """Return the type of an ICMP message."""
        if self.protocol not in REPLIES or self.port is None:
            return None
        return REPLIES[self.protocol].get(self.port) if self.reply else self.port

    @property
    def destination_port(self) -> int | None:
        """Return the port that it is sent to, None where any may be."""
        return None if self.reply or self.protocol not in PORTS else self.port

    @property
    def source_port(self) -> int | None:
        """Return the port that it is sent from, None where any may be."""
        return self.port if self.reply and self.protocol in PORTS else None

    @property
    def flags(self) -> tuple[int, ...]:
        """Return the flags that a segment of TCP may have here; congestion control sets some or not (RFC 3168)."""
        if self.first:
            return (SYN, SYN | ECE | CWR)
        return (*_LATER, RST, SYN | ACK, SYN | ACK | ECE) if self.reply else (*_LATER, RST)

    def address_types(self, *, destination: bool) -> tuple[int, ...]:
        """Return what routing may call one of its addresses."""
        point = self.destination if destination else self.source
        if _multicast(point):
            return (MULTICAST,)
        if point in _BROADCASTS:
            return (BROADCAST,)
        if self.through:
            return (UNICAST, BROADCAST) if destination else (UNICAST, UNSPECIFIED, UNREACHABLE)
        here = destination if self.inward else not destination
        if here or self.own:
            return (LOCAL,)
        return (UNICAST, BROADCAST) if destination else (UNICAST, UNSPECIFIED, UNREACHABLE)


def packet_of(
    hook: str,
    client: int,
    server: int,
    service: int,
    *,
    first: bool = True,
    reply: bool = False,
    own: bool = False,
    through: bool = False,
) -> Packet:
    """Return a packet of the connection from a client to a point of the service line."""
    protocol, number = divmod(service, BLOCK)
    port = number if protocol in PORTS or protocol in REPLIES else None
    ends = (server, client) if reply else (client, server)
    return Packet(hook, *ends, protocol, port, first, reply, own, through)


def _multicast(point: int) -> bool:
    return (point - V6_BASE) >> 120 == 0xFF if point >= V6_BASE else point >> 28 == 0xE
