"""Small tables, snapshots and flows for the tests of this folder, fixed ones and drawn ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from ringfence.model.addresses import EVERY_ADDRESS, V6_BASE, addresses_of, family_of, point_of
from ringfence.model.assets import Asset, Control, Label, Snapshot
from ringfence.model.flows import Flow
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Mode
from ringfence.model.services import BLOCK, ICMP, ICMPV6, TCP, UDP
from ringfence.model.tables import (
    Cell,
    DirectionTable,
    Effect,
    Outcome,
    ProcessClass,
    ServiceMap,
    VerdictTable,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LAST_POINT = 256 * BLOCK - 1
ALLOW_ALL = ServiceMap(((0, LAST_POINT, Outcome(Effect.ALLOW)),))
ADDRESSES = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "192.0.2.1", "fd00::1", "fd00::2", "2001:db8::1")
POINTS = tuple(point_of(text) for text in ADDRESSES)
GRE = 47
PORTS = (0, 22, 53, 80, 443, 65535)
UNITS = ("api.service", "web.service")
USERS = ("app", "backup")


def asset(name: str, *addresses: str, realm: str = "default", **labels: str) -> Asset:
    """Return an asset with addresses and labels."""
    return Asset(
        name,
        tuple(sorted(point_of(text) for text in addresses)),
        {key: Label(value, "inventory") for key, value in labels.items()},
        realm=realm,
    )


def snapshot(*assets: Asset, taken: datetime = NOON) -> Snapshot:
    """Return a snapshot of assets."""
    return Snapshot(tuple(sorted(assets, key=lambda one: one.name)), taken)


def flow(client: str, server: str, port: int = 443, protocol: int = 6, at: datetime = NOON, **more: object) -> Flow:
    """Return a flow of one moment."""
    return Flow(point_of(client), point_of(server), port, protocol, at, at, **more)  # type: ignore[arg-type] # keywords of Flow


def service_map(*allowed: tuple[int, int, str], otherwise: Effect = Effect.DENY) -> ServiceMap:
    """Return a map that allows ranges of points (low, high, rule) and answers `otherwise` for the rest."""
    pieces: list[tuple[int, int, Outcome]] = []
    at = 0
    for low, high, rule in sorted(allowed):
        if at < low:
            pieces.append((at, low - 1, Outcome(otherwise)))
        pieces.append((low, high, Outcome(Effect.ALLOW, rule)))
        at = high + 1
    if at <= LAST_POINT:
        pieces.append((at, LAST_POINT, Outcome(otherwise)))
    return ServiceMap(tuple(pieces))


def direction(
    *from_remotes: tuple[list[str], ServiceMap], otherwise: ServiceMap = ALLOW_ALL, mode: Mode = Mode.FULL
) -> DirectionTable:
    """Return a direction whose remotes (disjoint lists of networks) have a map each, and the rest `otherwise`."""
    cells = []
    rest = EVERY_ADDRESS
    for networks, services in from_remotes:
        remote = addresses_of(networks)
        rest = rest - remote
        cells.append(Cell(EVERY_ADDRESS, ProcessClass(), remote, services))
    cells.append(Cell(EVERY_ADDRESS, ProcessClass(), rest, otherwise))
    return DirectionTable(mode, tuple(cells))


def table(
    inbound: DirectionTable | None = None, outbound: DirectionTable | None = None, control: Control | None = None
) -> VerdictTable:
    """Return a table; a direction that is not given allows all."""
    return VerdictTable(inbound or direction(), outbound or direction(), control)


def _partition(space: IntervalSet) -> st.SearchStrategy[list[IntervalSet]]:
    """Draw a partition of the line of addresses whose pieces hold and split the addresses of this module."""

    def parts(choice: list[int]) -> list[IntervalSet]:
        rest = space
        taken: list[IntervalSet] = []
        for group in sorted(set(choice) - {0}):
            piece = IntervalSet.of(
                (point, point) for point, chosen in zip(POINTS, choice, strict=True) if chosen == group
            )
            taken.append(piece)
            rest = rest - piece
        return [*taken, rest]

    whole = st.lists(st.integers(0, 3), min_size=len(POINTS), max_size=len(POINTS)).map(parts)
    return st.one_of(
        whole, st.just([IntervalSet(((0, V6_BASE - 2),)) & space, space - IntervalSet(((0, V6_BASE - 2),))])
    )


@st.composite
def service_maps(draw: st.DrawFn) -> ServiceMap:
    """Draw a gapless service map with borders around the ports of this module."""
    borders = sorted(draw(st.sets(st.sampled_from([6 * BLOCK + port for port in PORTS] + [17 * BLOCK, 58 * BLOCK]))))
    starts = [0, *(border for border in borders if border)]
    pieces: list[tuple[int, int, Outcome]] = []
    for index, low in enumerate(starts):
        high = starts[index + 1] - 1 if index + 1 < len(starts) else LAST_POINT
        outcome = Outcome(
            draw(st.sampled_from(list(Effect))), draw(st.sampled_from(["default", "0000000a", "0000000b"]))
        )
        pieces.append((low, high, outcome))
    return ServiceMap(tuple(pieces))


@st.composite
def direction_tables(draw: st.DrawFn) -> DirectionTable:
    """Draw a complete direction: local sets, process classes and remote sets that cover everything once."""
    units = tuple(sorted(draw(st.sets(st.sampled_from(UNITS)))))
    users = tuple(sorted(draw(st.sets(st.sampled_from(USERS)))))
    maps = draw(st.lists(service_maps(), min_size=1, max_size=4))
    cells = [
        Cell(local, ProcessClass(unit, user), remote, draw(st.sampled_from(maps)))
        for unit in (None, *units)
        for user in (None, *users)
        for local in draw(_partition(EVERY_ADDRESS))
        for remote in draw(_partition(EVERY_ADDRESS))
    ]
    return DirectionTable(Mode.FULL, tuple(draw(st.permutations(cells))), units, users)


def verdict_tables() -> st.SearchStrategy[VerdictTable]:
    """Draw whole tables, some with a control path."""
    control = st.sampled_from([None, Control(("10.0.0.0/30",), 22)])
    return st.builds(VerdictTable, direction_tables(), direction_tables(), control)


processes = st.builds(
    ProcessClass,
    st.sampled_from([None, "other.service", *UNITS]),
    st.sampled_from([None, "other", *USERS]),
)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Draw a flow that can be, among the addresses of this module."""
    first = NOON + timedelta(hours=draw(st.integers(-40, 40)))
    optional = st.sampled_from
    client = draw(st.sampled_from(POINTS))
    protocol = draw(st.sampled_from([TCP, UDP, GRE, ICMP if client < V6_BASE else ICMPV6]))
    ports = {GRE: (0,), ICMP: (0, 8, 22), ICMPV6: (22, 128)}
    return Flow(
        client,
        draw(st.sampled_from([point for point in POINTS if family_of(point) == family_of(client)])),
        draw(st.sampled_from(ports.get(protocol, PORTS))),
        protocol,
        first,
        first + timedelta(seconds=draw(st.integers(0, 5))),
        draw(st.integers(1, 9)),
        draw(st.integers(0, 9)),
        draw(st.integers(0, 2**60)),
        draw(optional([None, "other.service", *UNITS])),
        draw(optional([None, "other", *USERS])),
        draw(optional([None, "curl", "ngi\x1b[31mnx", 'a,"b\n'])),
        draw(optional([None, "other.service", *UNITS])),
        draw(optional([None, "other", *USERS])),
        draw(optional([None, "postgres"])),
        draw(st.sampled_from(["", "hosts:web-1", "csv:a.csv"])),
    )
