"""Who talks to whom and what each policy state says of it: judged once, grouped as often as somebody looks."""

# ruff: noqa: S608 - the SQL is put together from names of ours and numbers
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import RLock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ringfence.analysis.peer_resolution import Ends
from ringfence.analysis.picture_cells import cell_of, neighbours_of, traffic_of_rules
from ringfence.analysis.picture_edges import Grouped, grouped, regrouped
from ringfence.analysis.picture_flows import PictureFlows
from ringfence.analysis.picture_groups import Grouper, Grouping, Node, bare
from ringfence.analysis.picture_middle import middle_of
from ringfence.analysis.picture_rejudging import Difference, Matches, touched
from ringfence.analysis.picture_signs import Placer, Verdicts, judge, standing_of
from ringfence.flows.engine import DuckEngine
from ringfence.flows.records import flow_point
from ringfence.model.picture import (
    Neighbours,
    Picture,
    PictureCell,
    PictureGroup,
    PolicyState,
    RuleTraffic,
)
from ringfence.model.rules import Direction

if TYPE_CHECKING:
    from ringfence.analysis.simulate_ends import End
    from ringfence.flows.window import FlowWindow
    from ringfence.model.assets import Snapshot
    from ringfence.model.judging import Told
    from ringfence.model.rules import Settings
    from ringfence.model.tables import VerdictTable

SERVICES = 8
MOST_GROUPINGS = 12
MOST_CHANGES = 1_000_000  # pairs of ends that were judged otherwise; past that all pictures are made anew
_SHOWN = frozenset(PolicyState)


@dataclass(frozen=True)
class PolicyTables:
    """The tables that hosts have in one state, by name, and the places of the rules in them, by id."""

    tables: Mapping[str, VerdictTable]
    places: Mapping[str, str]

    def names(self) -> dict[str, str]:
        """Return the names of the rules that decide something, by id."""
        every = {id(table): table for table in self.tables.values()}
        return {rule: name for table in every.values() for rule, name in table.rule_names.items()}


class JudgedPicture:
    """The flows of a window with their verdicts in some states; close it, or use it with `with`.

    Any thread may ask it; one question is answered at a time. Beside the states there may be others of any name, which
    no picture shows: what a rule would do before it is in the draft.
    """

    def __init__(
        self,
        window: FlowWindow,
        snapshot: Snapshot,
        settings: Settings,
        states: Mapping[PolicyState, PolicyTables],
        told: Told | None = None,
    ) -> None:
        """Judge all flows of a window, which this closes; `told` hears how many of how many groups are judged."""
        self.window = window
        self.snapshot = snapshot
        self.lock = RLock()
        self.settings = settings
        self._private = private = settings.private_addresses()
        self.flows = PictureFlows.of(window)
        self.verdicts = Verdicts()
        self.engine = DuckEngine(window.connection)
        self.tables: dict[str, PolicyTables] = {}
        self._standing = standing_of(snapshot)
        nobody = Placer(self._standing, {}, private)
        self.clients = tuple(_nodes(nobody, self.flows.clients, Direction.OUT))
        self.servers = tuple(_nodes(nobody, self.flows.servers, Direction.IN))
        self._kept: dict[object, Grouped] = {}
        self._groupings: dict[object, Grouping] = {}
        self._groupers: dict[tuple[str, ...], Grouper] = {}
        self._put: object = None
        self._change = 0
        self._forget()
        for state, tables in states.items():
            self.judge(state, tables, told)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free what is held."""
        with self.lock:
            self.window.close()

    @property
    def states(self) -> tuple[PolicyState, ...]:
        """Return the states that are judged."""
        return tuple(state for state in PolicyState if state in self.tables)

    def judge(self, state: str, tables: PolicyTables, told: Told | None = None) -> int:
        """Judge every flow under the tables of a state; return how many."""
        with self.lock:
            count = judge(self.flows, self._placer(tables), self.verdicts, str(state), told=told)
            self.tables[state] = tables
            self._changed(state)
            return count

    def copy(self, state: str, other: str) -> None:
        """Let a state say of every flow what another one says."""
        with self.lock:
            kept = "".join(f", f.{one}" for one in self.tables if one != state)
            base = "f.id, f.client, f.server, f.service, f.refused, f.connections, f.last"
            query = f"SELECT {base}{kept}, f.{other} AS {state} FROM picture_flows AS f"
            self.engine.keep("picture_flows", query)
            self.tables[state] = self.tables[other]
            self._changed(state)

    def rejudge(self, state: str, tables: PolicyTables, difference: Difference, told: Told | None = None) -> int:
        """Judge again what can be judged otherwise under the new tables of a state; return how many flows that is.

        What passes so far comes first, the most connections first: `told` hears of the worst before the rest.
        """
        with self.lock:
            chosen = touched(self, state, tables.tables, difference)
            count = 0
            if told is not None:
                told(0, 0)
            if chosen:
                shown = state in _SHOWN
                self._change += shown
                changes = self._change if shown else None
                count = judge(self.flows, self._placer(tables), self.verdicts, str(state), chosen, told, changes)
                if shown and self.engine.rows("SELECT count(*) FROM picture_changes")[0] > (MOST_CHANGES,):
                    self._forget()
            self.tables[state] = tables
            return count

    def at(self, levels: Sequence[str], inside: PictureGroup | None = None, services: int = SERVICES) -> Picture:
        """Return the picture by some label keys, coarsest first, `asset` and `process` among them as the finest.

        With `inside`, the groups in one group and what talks with them. Each edge has so many services at most. After
        `rejudge`, edges that say the same as in the last picture of these levels are the same objects, in its order.
        """
        key = (tuple(levels), inside and bare(inside), services)
        with self.lock:
            known, found = self._kept.pop(key, None), None
            if known is not None and known.change == self._change:
                found = known
            elif known is not None:
                found = regrouped(self, known, self.grouping(levels, inside), services, self._change)
            if found is None:
                found = grouped(self, tuple(levels), inside, services, self._change)
            self._kept[key] = found
            if len(self._kept) > MOST_GROUPINGS:
                self._kept.pop(next(iter(self._kept)))
            return found.picture

    def cell(self, levels: Sequence[str], client: PictureGroup, server: PictureGroup, limit: int = 50) -> PictureCell:
        """Return the traffic from one group to another with its busiest flows."""
        with self.lock:
            return cell_of(self, levels, client, server, limit)

    def neighbours(
        self,
        levels: Sequence[str],
        group: PictureGroup,
        services: int = SERVICES,
        inside: PictureGroup | None = None,
    ) -> Neighbours:
        """Return who talks to a group and whom it talks to, and what the group is itself; `inside` is as in `at`."""
        with self.lock:
            found = neighbours_of(self, levels, group, services, inside)
            return replace(found, middle=middle_of(self, tuple(levels), group))

    def traffic_of_rules(self, state: str) -> Mapping[str, RuleTraffic]:
        """Return what each rule decides of all flows in a state, by its id; else it is not there."""
        with self.lock:
            return traffic_of_rules(self, state)

    def grouping(self, levels: Sequence[str], inside: PictureGroup | None = None) -> Grouping:
        """Return the groups, with the ends' in the tables `picture_client_group` and `picture_server_group`."""
        key = (tuple(levels), inside and bare(inside))
        grouping = self._groupings.get(key)
        if grouping is None:
            grouping = Grouper(self.snapshot, levels, inside).grouping(self.clients, self.servers)
            self._groupings[key] = grouping
            if len(self._groupings) > MOST_GROUPINGS:
                self._groupings.pop(next(iter(self._groupings)))
        if self._put == key:
            return grouping
        self._put = None
        kinds = {"number": "INTEGER", "g": "INTEGER", "within": "BOOLEAN"}
        for side, numbers in (("client", grouping.clients), ("server", grouping.servers)):
            within = [number in grouping.within for number in numbers]
            self.engine.put(f"picture_{side}_group", kinds, [list(range(len(numbers))), list(numbers), within])
        self._put = key
        return grouping

    def grouper(self, levels: Sequence[str]) -> Grouper:
        """Return what says which group of some levels an end belongs to; it remembers the labels of assets."""
        key = tuple(levels)
        found = self._groupers.get(key)
        if found is None:
            if len(self._groupers) > MOST_GROUPINGS:
                self._groupers.clear()
            found = self._groupers[key] = Grouper(self.snapshot, key)
        return found

    @cached_property
    def matches(self) -> Matches:
        """Return what says which of the flows a rule can match; what selectors choose is remembered."""
        return Matches(Ends(self.snapshot, self.settings), self.clients, self.servers, self.flows.services)

    def signs_sql(self) -> tuple[str, str]:
        """Return the columns of the signs of all states, and the joins that they need, for flows `f`."""
        columns = "".join(f", {one.value}_v.sign AS {one.value}" for one in self.states)
        joins = "".join(
            f" LEFT JOIN picture_verdicts AS {one.value}_v ON {one.value}_v.number = f.{one.value}"
            for one in self.states
        )
        return columns, joins

    def _changed(self, state: str) -> None:
        """Have pictures made anew where another state may say anything else of any flow."""
        if state in _SHOWN:
            self._forget()

    def _forget(self) -> None:
        self._kept.clear()
        self.engine.put("picture_changes", dict.fromkeys(("change", "client", "server"), "INTEGER"), [[], [], []])

    def _placer(self, tables: PolicyTables) -> Placer:
        return Placer(self._standing, tables.tables, self._private)


def _nodes(nobody: Placer, ends: Iterable[End], direction: Direction) -> Iterator[Node]:
    """Yield who each end is now; an asset that is gone is nobody known."""
    for end in ends:
        placed = nobody.place(end, direction)
        process = end.unit or end.user
        if placed is None:
            yield Node(end.address, None, False, process, flow_point(end.address))
        else:
            internet = placed.asset is None and placed.label is not None
            yield Node(end.address, placed.asset, internet, process, placed.point)
