"""The ends of seen flows as a draft meets them: which tables, which addresses, which process classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from ringfence.analysis.builtins import kind_of
from ringfence.analysis.lookup import Locals, Remotes, TableLookup
from ringfence.analysis.simulate_judge import Pair, Side
from ringfence.flows.holders import Holders
from ringfence.flows.records import flow_point
from ringfence.model.addresses import V6_BASE, addresses_of, family_of
from ringfence.model.assets import Control, Snapshot
from ringfence.model.intervals import IntervalSet
from ringfence.model.rules import Direction
from ringfence.model.tables import ProcessClass, ServiceMap, VerdictTable

END_KINDS = {"address": "VARCHAR", "asset": "VARCHAR", "unit": "VARCHAR", "owner": "VARCHAR", "said": "BOOLEAN"}


class End(NamedTuple):
    """One end of a flow as the store has it; `said` tells that the host named the process, so no unit means none."""

    address: str
    asset: str | None
    unit: str | None
    user: str | None
    said: bool


@dataclass(frozen=True, slots=True)
class EndPolicy:
    """What the table of an end says to it: the remotes for the process that was seen, then for those it may have been.

    Whether a far address is in a dynamic set is never known: the map for no set comes first, then the others.
    `control` and `networks` are set where the end is a server with a control path.
    """

    remotes: tuple[Remotes, ...]
    control: Control | None
    networks: IntervalSet | None

    def maps(self, far: int) -> tuple[ServiceMap, ...]:
        """Return the service maps for a far address, each once, that of the process that was seen first."""
        if len(self.remotes) == 1:
            cases = self.remotes[0].cases_at(far)
            if len(cases) == 1:
                return (cases[0][1],)
        found = [services for remotes in self.remotes for _, services in remotes.cases_at(far)]
        return tuple({id(services): services for services in found}.values())

    def managed_from(self, far: int) -> bool:
        """Return whether a far address stands in the control path of this end."""
        return self.networks is not None and far in self.networks


class PlacedEnd(NamedTuple):
    """An end with its asset, the address to judge it by, its labels' number, and where it stands in the tables.

    `kind` is that of the address to the built-ins.
    """

    asset: str | None
    point: int
    label: int | None
    kind: int
    draft: EndPolicy | None
    current: EndPolicy | None


# who holds an address, the point to judge, labels, kind
_Stood = tuple[str | None, int, int | None, int]
# the same, and the tables of the draft and of now
_Held = tuple[str | None, int, int | None, int, VerdictTable | None, VerdictTable | None]
_Policies = tuple[EndPolicy | None, EndPolicy | None]


class Standing:
    """Who holds the addresses of flows in a snapshot, whatever the tables are; several `Places` may share it."""

    def __init__(self, snapshot: Snapshot, labels: Mapping[str, int]) -> None:
        """Take a snapshot, and the number of each asset's labels."""
        self._snapshot = snapshot
        self._labels = labels
        self._assets = snapshot.named()
        self._holders = Holders([snapshot])
        self._known: dict[tuple[str, str | None], _Stood | None] = {}

    def at(self, key: tuple[str, str | None]) -> _Stood | None:
        """Return who holds an address that an asset (or none) was seen at, and where it is to be judged."""
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = self._found(*key)
            return found

    def _found(self, address: str, name: str | None) -> _Stood | None:
        point = flow_point(address)
        if name is None:
            name = self._holders.asset(point, self._snapshot.taken)
        if name is None:
            return None, point, None, kind_of(point)
        asset = self._assets.get(name)
        if asset is None:
            return None
        if point not in asset.addresses:
            same = [address for address in asset.addresses if family_of(address) == family_of(point)]
            point = same[0] if same else point
        return name, point, self._labels[name], kind_of(point)


@dataclass
class Places:
    """Places the ends of flows, as they stand in a snapshot, in the tables of a draft and of now."""

    standing: Standing
    draft: Mapping[str, VerdictTable]
    current: Mapping[str, VerdictTable] | None

    def __post_init__(self) -> None:
        self._lookups: dict[int, TableLookup] = {}
        self._held: dict[tuple[str, str | None], _Held | None] = {}
        self._processes: dict[tuple[object, ...], tuple[Locals, ...]] = {}
        self._everywhere: dict[tuple[object, ...], _Policies] = {}
        self._end_policies: dict[tuple[object, ...], EndPolicy] = {}

    def place(self, end: End, direction: Direction) -> PlacedEnd | None:
        """Return where an end stands; None if the asset that held its address then is gone: a draft says nothing of it.

        An asset that moved since is judged where it is now; an address that no asset held then belongs to who holds it
        now, so that flows from before an asset was known count for it.
        """
        key = end[:2]
        try:
            held = self._held[key]
        except KeyError:
            held = self._held[key] = self._holder(key)
        if held is None:
            return None
        name, point, label, kind, draft, current = held
        if draft is None and current is None:
            return PlacedEnd(name, point, label, kind, None, None)
        # most tables say the same of all addresses of their host
        alike = (id(draft), id(current), direction is Direction.IN, *end[2:])
        policies = self._everywhere.get(alike)
        if policies is None:
            found = [self._end_policy(table, end, point, direction) for table in (draft, current)]
            policies = found[0][0], found[1][0]
            if all(everywhere for _, everywhere in found):
                self._everywhere[alike] = policies
        return PlacedEnd(name, point, label, kind, *policies)

    def _holder(self, key: tuple[str, str | None]) -> _Held | None:
        stood = self.standing.at(key)
        if stood is None:
            return None
        name = stood[0]
        if name is None:
            return *stood, None, None
        return *stood, self.draft.get(name), self.current.get(name) if self.current is not None else None

    def _end_policy(
        self, table: VerdictTable | None, end: End, point: int, direction: Direction
    ) -> tuple[EndPolicy | None, bool]:
        """Return what a table says to a process at an address, and whether it does so at every address."""
        if table is None:
            return None, True
        inbound = direction is Direction.IN
        key = (id(table), inbound, *end[2:])
        known = self._processes.get(key)
        if known is None:
            known = self._processes[key] = self._locals(table, end, direction)
        found = tuple({id(one): one for one in [locals_of.at(point) for locals_of in known]}.values())
        control = table.control if inbound else None
        same = (control, *map(id, found))
        policy = self._end_policies.get(same)
        if policy is None:
            networks = _networks(control) if control else None
            policy = self._end_policies[same] = EndPolicy(found, control, networks)
        return policy, all(one is locals_of.remotes[0] for locals_of in known for one in locals_of.remotes)

    def _locals(self, table: VerdictTable, end: End, direction: Direction) -> tuple[Locals, ...]:
        """Return what a table says to the process that was seen, then to each that it may have been."""
        lookup = self._lookups.get(id(table))
        if lookup is None:
            lookup = self._lookups[id(table)] = TableLookup(table)
        directed = lookup.directions[direction]
        said = {"unit": end.unit, "user": end.user}
        choices = [
            (said.get(kind),) if said.get(kind) or end.said else (None, *names) for kind, names in directed.table.named
        ]
        kinds = directed.table.kinds
        classes = (ProcessClass(**dict(zip(kinds, one, strict=True))) for one in product(*choices))
        return tuple({id(one): one for process in classes for one in (directed.locals_of(process),)}.values())


@dataclass
class Pairs:
    """Makes pairs of placed ends, one object for all that are judged alike."""

    compared: bool
    _known: dict[tuple[object, ...], Pair] = field(default_factory=dict)

    def between(self, client: PlacedEnd, server: PlacedEnd, *, itself: bool) -> Pair:
        """Return the pair of two ends; `compared` says that the tables of now count too."""
        draft = _between(client.draft, server.draft, client.point, server.point)
        now = _between(client.current, server.current, client.point, server.point) if self.compared else None
        kinds = (client.kind, server.kind, server.point >= V6_BASE)
        key = (itself, kinds, _identity(draft), now and _identity(now))
        known = self._known.get(key)
        if known is None:
            sides = _sides(draft), _sides(now) if now else None
            known = self._known[key] = Pair(client.point, server.point, itself, *sides)
        return known


_Meeting = tuple[tuple[ServiceMap, ...] | None, tuple[ServiceMap, ...] | None, Control | None]


def _between(client: EndPolicy | None, server: EndPolicy | None, client_point: int, server_point: int) -> _Meeting:
    return (
        client.maps(server_point) if client else None,
        server.maps(client_point) if server else None,
        server.control if server and server.managed_from(client_point) else None,
    )


def _identity(meeting: _Meeting) -> tuple[object, ...]:
    out, into, control = meeting
    return (out and tuple(map(id, out)), into and tuple(map(id, into)), control)


def _sides(meeting: _Meeting) -> tuple[Side | None, Side | None]:
    out, into, control = meeting
    return Side(Direction.OUT, out) if out else None, Side(Direction.IN, into, control) if into else None


@lru_cache(maxsize=1024)
def _networks(control: Control) -> IntervalSet:
    return addresses_of(control.networks)
