"""Services as sets of points on one line of protocols and ports, their one parser and their one printer.

A point is `protocol * 65536 + port`. For TCP, UDP and SCTP the port is the destination port, for ICMP and ICMPv6 it is
the message type; a service of any other protocol takes the whole block of 65,536 points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ringfence.model.errors import InputError
from ringfence.model.intervals import EMPTY, IntervalSet
from ringfence.wire.service_words import (
    BLOCK,
    ICMP,
    ICMP_TYPES,
    ICMPV6,
    ICMPV6_TYPES,
    PORT_PROTOCOL_NAMES,
    PORT_PROTOCOLS,
    SCTP,
    TCP,
    TYPE_NAMES,
    UDP,
    interval_texts,
)

__all__ = [
    "ANY_SERVICE",
    "BLOCK",
    "EVERY_SERVICE",
    "ICMP",
    "ICMPV6",
    "ICMPV6_TYPES",
    "ICMP_TYPES",
    "PORT_PROTOCOLS",
    "PORT_PROTOCOL_NAMES",
    "SCTP",
    "SKIPPED_HEADERS",
    "TCP",
    "TYPE_NAMES",
    "UDP",
    "WELL_KNOWN",
    "Services",
    "block_of",
    "parse_service",
    "point_of",
    "service_texts",
    "union",
]

EVERY_SERVICE = IntervalSet(((0, 256 * BLOCK - 1),))

# IPv6 extension headers that netfilter passes over to find a packet's protocol (Linux: ipv6_find_hdr, ipv6_ext_hdr):
# hop-by-hop, routing, fragment, destination options. It stops at the authentication header (51) and at the first other
# protocol, mobility (135), HIP (139) and shim6 (140) included.
SKIPPED_HEADERS = (0, 43, 44, 60)

# Services that need no definition in a workspace: IANA's registered ports of what policies name most often.
WELL_KNOWN: Mapping[str, tuple[str, ...]] = {
    "ssh": ("tcp/22",),
    "smtp": ("tcp/25",),
    "dns": ("udp/53", "tcp/53"),
    "dhcp": ("udp/67-68",),
    "http": ("tcp/80",),
    "kerberos": ("tcp/88", "udp/88"),
    "ntp": ("udp/123",),
    "snmp": ("udp/161",),
    "ldap": ("tcp/389",),
    "https": ("tcp/443",),
    "smb": ("tcp/445",),
    "syslog": ("udp/514",),
    "ldaps": ("tcp/636",),
    "mssql": ("tcp/1433",),
    "oracle": ("tcp/1521",),
    "nfs": ("tcp/2049",),
    "mysql": ("tcp/3306",),
    "rdp": ("tcp/3389",),
    "postgresql": ("tcp/5432",),
    "amqp": ("tcp/5672",),
    "winrm": ("tcp/5985-5986",),
    "redis": ("tcp/6379",),
    "kubernetes-api": ("tcp/6443",),
    "elasticsearch": ("tcp/9200",),
    "prometheus": ("tcp/9090",),
    "node-exporter": ("tcp/9100",),
    "memcached": ("tcp/11211",),
    "mongodb": ("tcp/27017",),
    "ping": ("icmp/echo-request", "icmpv6/echo-request"),
}


@dataclass(frozen=True, slots=True)
class Services:
    """The services of a rule, by family: ICMP exists in IPv4 only and ICMPv6 in IPv6 only, all others in both.

    An extension header of IPv6 is not a protocol here, because no packet is judged by it.
    """

    v4: IntervalSet = EMPTY
    v6: IntervalSet = EMPTY

    def of(self, family: int) -> IntervalSet:
        """Return the points for family 4 or 6."""
        return self.v6 if family == 6 else self.v4

    def __or__(self, other: Services) -> Services:
        return Services(self.v4 | other.v4, self.v6 | other.v6)


ANY_SERVICE = Services(EVERY_SERVICE, EVERY_SERVICE)


def block_of(protocol: int) -> IntervalSet:
    """Return all points of an IP protocol number."""
    return IntervalSet(((protocol * BLOCK, protocol * BLOCK + BLOCK - 1),))


def point_of(protocol: int, port: int = 0) -> int:
    """Return the point of a protocol number and a port or ICMP type."""
    return protocol * BLOCK + port


def parse_service(text: str, named: Mapping[str, Services] | None = None) -> Services:
    """Return the services of one word of the grammar: `any`, `tcp`, `tcp/80-90`, `icmp/echo-request`, `ip/47`, a name.

    `named` are the workspace's own names and win over the well-known ones. Raise InputError with the reason.
    """
    text = text.strip()
    if named and text in named:
        return named[text]
    if text == "any":
        return ANY_SERVICE
    protocol, slash, detail = text.partition("/")
    if protocol in PORT_PROTOCOLS:
        points = _ports(PORT_PROTOCOLS[protocol], detail, text) if slash else block_of(PORT_PROTOCOLS[protocol])
        return Services(points, points)
    if protocol == "icmp":
        return Services(v4=_types(ICMP, ICMP_TYPES, detail, text) if slash else block_of(ICMP))
    if protocol == "icmpv6":
        return Services(v6=_types(ICMPV6, ICMPV6_TYPES, detail, text) if slash else block_of(ICMPV6))
    if protocol == "ip" and slash:
        number = _number(detail, 255, f"'{text}' names no IP protocol number from 0 to 255")
        return Services(block_of(number), EMPTY if number in SKIPPED_HEADERS else block_of(number))
    if text in WELL_KNOWN:
        return union(parse_service(part) for part in WELL_KNOWN[text])
    raise InputError(
        f"'{text}' is not a valid service",
        remedy="write 'tcp/80', 'udp/53', 'icmp/echo-request', 'ip/47', 'any' or a name",
    )


def union(services: Iterable[Services]) -> Services:
    """Return all points of several services."""
    total = Services()
    for one in services:
        total = total | one
    return total


def service_texts(points: IntervalSet) -> tuple[str, ...]:
    """Return points in the grammar's words, in order: `any` for all, `tcp` for a whole protocol, closed port ranges."""
    if points == EVERY_SERVICE:
        return ("any",)
    return tuple(text for low, high in points for text in interval_texts(low, high))


def _ports(protocol: int, detail: str, text: str) -> IntervalSet:
    low_text, dash, high_text = detail.partition("-")
    wrong = f"'{text}' names no port or range of ports from 0 to 65535"
    low = _number(low_text, BLOCK - 1, wrong)
    high = _number(high_text, BLOCK - 1, wrong) if dash else low
    if low > high:
        raise InputError(f"'{text}' is a range that ends before it begins", remedy=f"write '{high}-{low}'")
    return IntervalSet(((point_of(protocol, low), point_of(protocol, high)),))


def _types(protocol: int, names: Mapping[str, int], detail: str, text: str) -> IntervalSet:
    if detail in names:
        return IntervalSet(((point_of(protocol, names[detail]),) * 2,))
    low_text, dash, high_text = detail.partition("-")
    wrong = f"'{text}' names no message type: one of {', '.join(names)}, or a number from 0 to 255"
    low = _number(low_text, 255, wrong)
    high = _number(high_text, 255, wrong) if dash else low
    if low > high:
        raise InputError(f"'{text}' is a range that ends before it begins", remedy=f"write '{high}-{low}'")
    return IntervalSet(((point_of(protocol, low), point_of(protocol, high)),))


def _number(text: str, most: int, wrong: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > most:
        raise InputError(wrong)
    return int(text)
