"""Flows that cannot be: what no packet, no clock and no host can have made is told and left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ringfence.model.addresses import address_text, addresses_of, family_of
from ringfence.model.errors import InputError
from ringfence.model.flows import Flow
from ringfence.model.services import ICMP, ICMPV6, PORT_PROTOCOLS

# NetFlow and its kin came in the nineties; a clock that was never set says 1970 or 1980.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# Clocks and time zones of exporters differ; a day covers every zone.
TOLERANCE = timedelta(days=1)
UNSPECIFIED = addresses_of(["0.0.0.0", "::"])  # noqa: S104 - nothing is bound
BROADCAST = addresses_of(["255.255.255.255"])
MULTICAST = addresses_of(["224.0.0.0/4", "ff00::/8"])
# DCCP and UDP-Lite have ports too, though a policy does not tell them apart.
WITH_PORTS = frozenset({*PORT_PROTOCOLS.values(), 33, 136})
# IPv6 extension headers (RFC 8200, 4): a packet is judged by the protocol behind them.
V6_HEADERS = frozenset({0, 43, 44, 60})
FAMILY_OF_ICMP = {ICMP: 4, ICMPV6: 6}
_CACHED = 1 << 16


def latest_time(now: datetime | None = None) -> datetime:
    """Return the latest time that a flow can have been seen at; the machine's clock counts where it is ahead of `now`.

    `now` may be a fixed time (SOURCE_DATE_EPOCH) that flows of today lie behind.
    """
    clock = datetime.now(UTC)
    return max(clock, now or clock) + TOLERANCE


def refuse_time(time: datetime, name: str, latest: datetime) -> None:
    """Raise InputError for a time before flows were recorded or in the future."""
    if time > latest:
        raise InputError(f"{name} {_shown(time)} lies in the future", remedy="look at the clock of what recorded it")
    if time < EARLIEST:
        raise InputError(
            f"{name} {_shown(time)} is before {EARLIEST.year}", remedy="look at the clock of what recorded it"
        )


def refuse_impossible(flow: Flow, latest: datetime) -> None:
    """Raise InputError with the reason where a flow cannot be."""
    family = family_of(flow.client)
    if family != family_of(flow.server):
        raise InputError(
            f"no packet goes from {address_text(flow.client)} to {address_text(flow.server)}: they are of two families"
        )
    _refuse_protocol(flow.protocol, flow.port, family)
    if (reason := _client(flow.client)) and not (
        flow.client in UNSPECIFIED and (flow.server in BROADCAST or flow.server in MULTICAST)
    ):
        raise InputError(f"{address_text(flow.client)} cannot be a client: it is {reason}")
    if flow.server in UNSPECIFIED:
        raise InputError(f"{address_text(flow.server)} cannot be a server: it is the unspecified address")
    refuse_time(flow.first_seen, "first_seen", latest)
    refuse_time(flow.last_seen, "last_seen", latest)
    if flow.last_seen < flow.first_seen:
        raise InputError(f"last_seen {_shown(flow.last_seen)} is before first_seen {_shown(flow.first_seen)}")
    if min(flow.connections, flow.packets, flow.bytes) < 0:
        raise InputError("a count is negative")


def possible_rows(latest: datetime) -> str:
    """Return the SQL condition for rows of the store that can be, as `refuse_impossible` has it."""
    stamps = [f"TIMESTAMP '{time.astimezone(UTC).replace(tzinfo=None).isoformat(' ')}'" for time in (EARLIEST, latest)]
    return (
        "contains(client, ':') = contains(server, ':')"
        f" AND NOT (protocol = {ICMP} AND contains(client, ':'))"
        f" AND NOT (protocol = {ICMPV6} AND NOT contains(client, ':'))"
        f" AND first_seen >= {stamps[0]} AND first_seen <= {stamps[1]} AND last_seen <= {stamps[1]}"
    )


def _refuse_protocol(protocol: int, port: int | None, family: int) -> None:
    if FAMILY_OF_ICMP.get(protocol, family) != family:
        name, other = ("icmp", 4) if protocol == ICMP else ("icmpv6", 6)
        raise InputError(f"{name} is a protocol of IPv{other}, and the addresses are IPv{family}")
    if family == 6 and protocol in V6_HEADERS:
        raise InputError(
            f"protocol {protocol} is an extension header of IPv6", remedy="name the protocol that stands behind it"
        )
    if not 0 <= protocol <= 255:
        raise InputError(f"protocol {protocol} is not a number from 0 to 255")
    if protocol in WITH_PORTS:
        if port is None or not 0 <= port <= 65535:
            raise InputError(f"port {port} is not a number from 0 to 65535")
    elif protocol in FAMILY_OF_ICMP:
        if port is not None and not 0 <= port <= 255:
            raise InputError(f"port {port} is not an ICMP type, a number from 0 to 255")
    elif port:
        raise InputError(f"protocol {protocol} has no ports, and port {port} is given", remedy="leave the port empty")


@lru_cache(maxsize=_CACHED)
def _client(point: int) -> str | None:
    for what, addresses in (
        ("the unspecified address", UNSPECIFIED),
        ("the broadcast address", BROADCAST),
        ("a multicast address", MULTICAST),
    ):
        if point in addresses:
            return what
    return None


def _shown(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time.year >= 1000 else f"of the year {time.year}"
