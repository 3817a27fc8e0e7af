"""Services as sets of points on one line of protocols and ports, their one parser and their one printer.

A point is `protocol * 65536 + port`. For TCP, UDP and SCTP the port is the destination port, for ICMP and ICMPv6 it is
the message type; a service of any other protocol takes the whole block of 65,536 points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ringfence.model.errors import InputError
from ringfence.model.intervals import EMPTY, Interval, IntervalSet

BLOCK = 1 << 16
EVERY_SERVICE = IntervalSet(((0, 256 * BLOCK - 1),))
ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
PORT_PROTOCOLS: Mapping[str, int] = {"tcp": TCP, "udp": UDP, "sctp": SCTP}
PORT_PROTOCOL_NAMES: Mapping[int, str] = {number: name for name, number in PORT_PROTOCOLS.items()}

# IPv6 extension headers that netfilter passes over to find a packet's protocol (Linux: ipv6_find_hdr, ipv6_ext_hdr):
# hop-by-hop, routing, fragment, destination options. It stops at the authentication header (51) and at the first other
# protocol, mobility (135), HIP (139) and shim6 (140) included.
SKIPPED_HEADERS = (0, 43, 44, 60)

# IANA, "ICMP Type Numbers" and "ICMPv6 Parameters"; the names are those nft(8) prints.
ICMP_TYPES: Mapping[str, int] = {
    "echo-reply": 0,
    "destination-unreachable": 3,
    "source-quench": 4,
    "redirect": 5,
    "echo-request": 8,
    "router-advertisement": 9,
    "router-solicitation": 10,
    "time-exceeded": 11,
    "parameter-problem": 12,
    "timestamp-request": 13,
    "timestamp-reply": 14,
    "info-request": 15,
    "info-reply": 16,
    "address-mask-request": 17,
    "address-mask-reply": 18,
}
ICMPV6_TYPES: Mapping[str, int] = {
    "destination-unreachable": 1,
    "packet-too-big": 2,
    "time-exceeded": 3,
    "parameter-problem": 4,
    "echo-request": 128,
    "echo-reply": 129,
    "mld-listener-query": 130,
    "mld-listener-report": 131,
    "mld-listener-done": 132,
    "nd-router-solicit": 133,
    "nd-router-advert": 134,
    "nd-neighbor-solicit": 135,
    "nd-neighbor-advert": 136,
    "nd-redirect": 137,
    "router-renumbering": 138,
    "mld2-listener-report": 143,
}
TYPE_NAMES: Mapping[int, Mapping[int, str]] = {
    ICMP: {number: name for name, number in ICMP_TYPES.items()},
    ICMPV6: {number: name for name, number in ICMPV6_TYPES.items()},
}

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
    """What a rule names, by family: ICMP exists in IPv4 only and ICMPv6 in IPv6 only, the rest in both.

    An extension header of IPv6 is no protocol there: no packet is judged by it.
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

    `named` are the workspace's own names and win over the well-known ones. Raises InputError with the reason.
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
        f"'{text}' is no service", remedy="write 'tcp/80', 'udp/53', 'icmp/echo-request', 'ip/47', 'any' or a name"
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
    return tuple(text for low, high in points for text in _interval_texts(low, high))


def _interval_texts(low: int, high: int) -> Iterable[str]:
    for protocol in range(low // BLOCK, high // BLOCK + 1):
        first = max(low - protocol * BLOCK, 0)
        last = min(high - protocol * BLOCK, BLOCK - 1)
        if protocol in TYPE_NAMES and (first, last) != (0, BLOCK - 1):
            last = min(last, 255)
        if first <= last:
            yield _protocol_text(protocol, (first, last))


def _protocol_text(protocol: int, ports: Interval) -> str:
    low, high = ports
    whole = (low, high) == (0, BLOCK - 1)
    if protocol in PORT_PROTOCOL_NAMES:
        name = PORT_PROTOCOL_NAMES[protocol]
    elif protocol in TYPE_NAMES:
        name = "icmp" if protocol == ICMP else "icmpv6"
        if low == high:
            return f"{name}/{TYPE_NAMES[protocol].get(low, low)}"
    else:
        return f"ip/{protocol}"
    if whole:
        return name
    return f"{name}/{low}" if low == high else f"{name}/{low}-{high}"


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
