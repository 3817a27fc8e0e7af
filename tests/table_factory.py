"""Verdict tables built by hand and drawn by hypothesis, without a compiler."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from ringfence.model.addresses import EVERY_ADDRESS, V6_BASE, addresses_of, point_of
from ringfence.model.assets import Control
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Mode
from ringfence.model.services import BLOCK, ICMP, ICMPV6, SCTP, TCP, UDP, parse_service
from ringfence.model.tables import (
    Cell,
    DirectionTable,
    Effect,
    Outcome,
    Piece,
    ProcessClass,
    ServiceMap,
    VerdictTable,
)

LAST_SERVICE = 256 * BLOCK - 1
LAST_V4, LAST_V6 = (1 << 32) - 1, V6_BASE + (1 << 128) - 1
DENY, WATCH = Outcome(Effect.DENY), Outcome(Effect.WATCH)
ALLOW = Outcome(Effect.ALLOW, "5f3a9c01")
CONTROL = Control(("10.9.0.0/16", "fd09::/16"), 22)
OUTCOMES = (
    DENY,
    WATCH,
    ALLOW,
    Outcome(Effect.DENY, "0badcafe", log=True),
    Outcome(Effect.ALLOW, "00c0ffee", log=True),
    Outcome(Effect.WATCH, "12345678"),
)
_CUT_BEFORE = (
    *("0.0.0.1", "10.0.0.0", "10.0.0.1", "10.1.0.0", "11.0.0.0", "192.168.7.9", "224.0.0.0", "255.255.255.255"),
    *("::1", "2001:db8::", "fd00::", "fe80::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
)
ADDRESS_CUTS = [point_of(text) for text in _CUT_BEFORE]
SERVICE_CUTS = sorted(
    protocol * BLOCK + port
    for protocol, ports in {
        0: (1,),
        ICMP: (0, 3, 8, 9, 255),
        2: (0,),
        TCP: (0, 1, 22, 80, 81, 8443, 65535),
        UDP: (0, 53, 54),
        47: (0,),
        48: (0,),
        ICMPV6: (0, 128, 129),
        59: (0,),
        SCTP: (0, 9, 10),
        133: (0,),
        255: (0,),
    }.items()
    for port in ports
    if protocol + port
)


def service_map(*allowed: str, outcome: Outcome = ALLOW, rest: Outcome = DENY) -> ServiceMap:
    """Return a map with an outcome for some services (their IPv4 and IPv6 points alike) and another for the rest."""
    points = IntervalSet.of(
        interval for text in allowed for one in (parse_service(text),) for interval in (*one.v4, *one.v6)
    )
    pieces: list[Piece] = []
    low = 0
    for first, last in points:
        if first > low:
            pieces.append((low, first - 1, rest))
        pieces.append((first, last, outcome))
        low = last + 1
    if low <= LAST_SERVICE:
        pieces.append((low, LAST_SERVICE, rest))
    return ServiceMap(tuple(pieces))


def direction_table(peers: dict[tuple[str, ...], ServiceMap], rest: ServiceMap | None = None) -> DirectionTable:
    """Return a direction without processes: a service map for some remote networks, and one for all other addresses."""
    sets = [(addresses_of(networks), services) for networks, services in peers.items()]
    left = EVERY_ADDRESS
    for addresses, _ in sets:
        left = left - addresses
    cells = [Cell(EVERY_ADDRESS, ProcessClass(), addresses, services) for addresses, services in sets]
    return DirectionTable(Mode.FULL, (*cells, Cell(EVERY_ADDRESS, ProcessClass(), left, rest or service_map())))


def shop_table(inbound: DirectionTable | None = None) -> VerdictTable:
    """Return a small table as a policy would make it: web reaches this host's 8443, it may ask for names."""
    web = direction_table(
        {("10.1.0.0/24", "2001:db8:1::/64"): service_map("tcp/8443"), ("10.2.0.7",): service_map("icmp")}
    )
    names = direction_table({("10.0.0.53",): service_map("dns")})
    return VerdictTable(inbound or web, names, CONTROL, {ALLOW.rule: "web to api"})


@st.composite
def partitions(draw: st.DrawFn, most: int) -> list[IntervalSet]:
    """Draw disjoint sets that together hold every address of both families."""
    cuts = draw(st.sets(st.sampled_from(ADDRESS_CUTS), max_size=6))
    starts = sorted({0, V6_BASE, *cuts})
    ends = [*(start - 1 for start in starts[1:]), LAST_V6]
    spans = [(low, LAST_V4 if low <= LAST_V4 < high else high) for low, high in zip(starts, ends, strict=True)]
    count = draw(st.integers(1, most))
    owners = draw(st.lists(st.integers(0, count - 1), min_size=len(spans), max_size=len(spans)))
    sets = [IntervalSet.of(s for s, o in zip(spans, owners, strict=True) if o == owner) for owner in range(count)]
    return [one for one in sets if one]


@st.composite
def service_maps(draw: st.DrawFn) -> ServiceMap:
    """Draw a map of the whole service line with few outcomes."""
    starts = [0, *sorted(draw(st.sets(st.sampled_from(SERVICE_CUTS), max_size=6)))]
    pieces: list[Piece] = []
    for low, high in zip(starts, [*(start - 1 for start in starts[1:]), LAST_SERVICE], strict=True):
        outcome = draw(st.sampled_from(OUTCOMES))
        if pieces and pieces[-1][2] == outcome:
            pieces[-1] = (pieces[-1][0], high, outcome)
        else:
            pieces.append((low, high, outcome))
    return ServiceMap(tuple(pieces))


@st.composite
def directions(draw: st.DrawFn, users: Sequence[str] = ()) -> DirectionTable:
    """Draw one direction: up to two units, up to three local and four remote sets."""
    units = ("api.service", "web@1.service")[: draw(st.integers(0, 2))]
    users = tuple(users)[: draw(st.integers(0, 2))]
    pool = draw(st.lists(service_maps(), min_size=1, max_size=3))
    locals_ = draw(partitions(3))
    cells = [
        Cell(local, ProcessClass(unit, user), remote, draw(st.sampled_from(pool)))
        for unit in (None, *units)
        for user in (None, *users)
        for local in locals_
        for remote in draw(partitions(4))
    ]
    return DirectionTable(Mode.FULL, tuple(cells), units, users)


@st.composite
def tables(draw: st.DrawFn) -> VerdictTable:
    """Draw a whole table."""
    control = draw(st.sampled_from([None, CONTROL, Control(("192.0.2.0/24",), 2222)]))
    return VerdictTable(draw(directions()), draw(directions(("backup", "deploy"))), control, {ALLOW.rule: "a rule"})
