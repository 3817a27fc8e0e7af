"""Built-ins: what every ruleset lets through above all tiers and in every mode (semantics 7)."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.addresses import V6_BASE, addresses_of, family_of
from ringfence.model.assets import Control
from ringfence.model.intervals import IntervalSet
from ringfence.model.services import BLOCK, ICMPV6, TCP, UDP

LOOPBACK = addresses_of(["127.0.0.0/8", "::1"])
IGMP = 2
# RFC 4861 (133 to 137: router and neighbour discovery), RFC 2710 and RFC 3810 (130 to 132 and 143: MLD).
DISCOVERY_TYPES = IntervalSet(((133, 137),))
MLD_TYPES = IntervalSet(((130, 132), (143, 143)))
# RFC 2131: a client answers on 68 what a server sends from 67; RFC 8415: 546 and 547.
DHCP_SERVER_PORTS = {4: 67, 6: 547}
DHCP_CLIENT_PORTS = {4: 68, 6: 546}


def edges(control: Control | None) -> Iterator[int]:
    """Yield the points of the service line at which a built-in of a workload begins, or has just ended."""
    ports = {*DHCP_SERVER_PORTS.values(), *DHCP_CLIENT_PORTS.values()}
    parts = [(UDP, port, port) for port in ports]
    parts += [(ICMPV6, low, high) for low, high in (*DISCOVERY_TYPES, *MLD_TYPES)]
    parts += [(IGMP, 0, BLOCK - 1), *([(TCP, control.port, control.port)] if control else [])]
    for protocol, low, high in parts:
        yield from (protocol * BLOCK + low, protocol * BLOCK + high + 1)


def built_in(client: int, server: int, service_point: int, *, control: Control | None, inbound: bool) -> str | None:
    """Return the name of the built-in that lets a connection through one workload, or None.

    `client`, `server` and `service_point` are points; `control` is that workload's control path; `inbound` says that
    the workload is the server.
    """
    protocol, port = divmod(service_point, BLOCK)
    if client == server or (client in LOOPBACK and server in LOOPBACK):
        return "loopback"
    if inbound and control and protocol == TCP and port == control.port and client in addresses_of(control.networks):
        return "control path"
    family = family_of(server)
    if protocol == ICMPV6 and family == 6:
        if port in DISCOVERY_TYPES:
            return "neighbour discovery"
        if port in MLD_TYPES:
            return "multicast listener discovery"
    if protocol == IGMP and server < V6_BASE:
        return "IGMP"
    if protocol == UDP and port == (DHCP_CLIENT_PORTS if inbound else DHCP_SERVER_PORTS)[family]:
        return "DHCP client"
    return None
