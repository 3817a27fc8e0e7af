"""Points of the service line in words that the grammar reads: `tcp`, `tcp/80-90`, `icmp/echo-request`, `ip/47`.

A point is `protocol * 65536 + port`. For TCP, UDP and SCTP the port is the destination port, for ICMP and ICMPv6 it is
the message type; a service of any other protocol takes the whole block of 65,536 points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

BLOCK = 1 << 16
ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132
PORT_PROTOCOLS: Mapping[str, int] = {"tcp": TCP, "udp": UDP, "sctp": SCTP}
PORT_PROTOCOL_NAMES: Mapping[int, str] = {number: name for name, number in PORT_PROTOCOLS.items()}

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


def interval_texts(low: int, high: int) -> Iterator[str]:
    """Yield the words for a closed interval of points, protocol by protocol; message types end with 255."""
    for protocol in range(low // BLOCK, high // BLOCK + 1):
        first = max(low - protocol * BLOCK, 0)
        last = min(high - protocol * BLOCK, BLOCK - 1)
        if protocol in TYPE_NAMES and (first, last) != (0, BLOCK - 1):
            last = min(last, 255)
        if first <= last:
            yield protocol_text(protocol, first, last, whole=(first, last) == (0, BLOCK - 1))


def protocol_text(protocol: int, low: int, high: int, *, whole: bool) -> str:
    """Return the word for some ports or types of a protocol, `whole` for all of them."""
    if protocol in PORT_PROTOCOL_NAMES:
        name = PORT_PROTOCOL_NAMES[protocol]
    elif protocol in TYPE_NAMES:
        name = "icmp" if protocol == ICMP else "icmpv6"
        if low == high and not whole:
            return f"{name}/{TYPE_NAMES[protocol].get(low, low)}"
    else:
        return f"ip/{protocol}"
    if whole:
        return name
    return f"{name}/{low}" if low == high else f"{name}/{low}-{high}"
