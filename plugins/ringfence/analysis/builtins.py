"""Built-ins: what every ruleset lets through above all tiers and in every mode (semantics 7).

They are as narrow as `ringfence.enforcers.nftables.built_in_rules` says, with the sections of the RFCs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from ringfence.model.addresses import addresses_of, family_of
from ringfence.model.addresses import point_of as address_point
from ringfence.model.assets import Control
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.rules import Direction
from ringfence.model.services import BLOCK, ICMPV6, TCP, UDP, point_of

LOOPBACK = addresses_of(["127.0.0.0/8", "::1"])
IGMP = 2
GROUPS_V4 = addresses_of(["224.0.0.0/4"])
GROUPS_V6 = addresses_of(["ff00::/8"])
LINK_LOCAL = addresses_of(["fe80::/10"])
NO_ADDRESS_YET = address_point("::")
EVERYBODY = address_point("255.255.255.255")
DHCP_SERVERS = address_point("ff02::1:2")
# RFC 4861: solicitations and the advertisements of neighbours, advertisements of routers and redirects.
DISCOVERY_TYPES = IntervalSet(((133, 133), (135, 136)))
ROUTER_TYPES = IntervalSet(((134, 134), (137, 137)))
# RFC 2710 and RFC 3810.
MLD_QUERY = 130
MLD_TYPES = IntervalSet(((130, 132), (143, 143)))


@dataclass(frozen=True, slots=True)
class Dhcp:
    """One kind of a DHCP client's packets: the service's point, the port it comes from, and between which addresses."""

    service_point: int
    client_port: int
    clients: IntervalSet
    servers: IntervalSet


# What a host's DHCP client sends, and what servers and relays send it.
DHCP = {
    Direction.OUT: (
        Dhcp(point_of(UDP, 67), 68, addresses_of(["0.0.0.0/0"]), IntervalSet(((EVERYBODY, EVERYBODY),))),
        Dhcp(point_of(UDP, 547), 546, LINK_LOCAL, IntervalSet(((DHCP_SERVERS, DHCP_SERVERS),))),
    ),
    Direction.IN: (
        Dhcp(point_of(UDP, 68), 67, addresses_of(["0.0.0.0/0"]), addresses_of(["0.0.0.0/0"])),
        Dhcp(point_of(UDP, 546), 547, LINK_LOCAL, LINK_LOCAL),
    ),
}


def edges(control: Control | None) -> Iterator[int]:
    """Yield the points of the service line at which a built-in of a workload begins, or has just ended."""
    ranges = [(one.service_point, one.service_point) for kinds in DHCP.values() for one in kinds]
    messages = (*DISCOVERY_TYPES, *ROUTER_TYPES, (MLD_QUERY, MLD_QUERY), *MLD_TYPES)
    ranges += [(point_of(ICMPV6, low), point_of(ICMPV6, high)) for low, high in messages]
    ranges.append((point_of(IGMP, 0), point_of(IGMP, BLOCK - 1)))
    if control:
        ranges.append((point_of(TCP, control.port), point_of(TCP, control.port)))
    for low, high in ranges:
        yield from (low, high + 1)


def built_in(
    client: int, server: int, service_point: int, *, control: Control | None, inbound: bool, itself: bool
) -> str | None:
    """Return the name of the built-in that lets a connection through one workload, or None.

    `client`, `server` and `service_point` are points; `control` is that workload's control path; `inbound` says that
    the workload is the server; `itself` that it is the client too: traffic of one host. What a host sends to a loopback
    address stays in it; what comes to it from one may have come over a wire, and only the policy lets that in. The port
    that a client sends from is not asked for: where a built-in wants one, see `from_port`.
    """
    protocol, port = divmod(service_point, BLOCK)
    if itself or (server in LOOPBACK and (client in LOOPBACK or not inbound)):
        return "loopback"
    if inbound and control and protocol == TCP and port == control.port and client in addresses_of(control.networks):
        return "control path"
    if protocol == ICMPV6 and family_of(server) == 6:
        if port in DISCOVERY_TYPES or (port in ROUTER_TYPES and client in LINK_LOCAL):
            return "neighbour discovery"
        speaks = client in LINK_LOCAL or (client == NO_ADDRESS_YET and port != MLD_QUERY)
        if port in MLD_TYPES and server in GROUPS_V6 and speaks:
            return "multicast listener discovery"
    if protocol == IGMP and server in GROUPS_V4:
        return "IGMP"
    return None


def kind_of(address: int) -> int:
    """Return a number that is equal for addresses that all built-ins but the control path take for the same."""
    if not bisect_right(_TURNS, address) & 1:
        return len(_KINDS)
    return next(number for number, kind in enumerate(_KINDS) if address in kind)


_KINDS = (
    LOOPBACK,
    LINK_LOCAL,
    *(IntervalSet(((one, one),)) for one in (NO_ADDRESS_YET, EVERYBODY, DHCP_SERVERS)),
    GROUPS_V4,
    GROUPS_V6,
)
# where addresses of some kind begin, and where they have just ended
_TURNS = [turn for low, high in union(_KINDS) for turn in (low, high + 1)]


def from_port(client: int, server: int, service_point: int, *, inbound: bool) -> int | None:
    """Return the port from which the built-in DHCP client lets a connection through one workload, None for no port."""
    for one in DHCP[Direction.IN if inbound else Direction.OUT]:
        if one.service_point == service_point and client in one.clients and server in one.servers:
            return one.client_port
    return None
