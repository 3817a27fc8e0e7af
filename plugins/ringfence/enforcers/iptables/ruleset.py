"""A verdict table as what a host with iptables and ipset loads: a pure function of the table and of the mark's bits.

One text with three sections, each behind a line `# section <name>`: `ipset`, new sets for `ipset restore`; `ipv4` and
`ipv6`, for `iptables-restore --noflush` and `ip6tables-restore --noflush`. A packet of a direction meets the fixed
rules, then its process, its local address, its remote address, the dynamic sets that this is in, its protocol, its
port, and ends in the chain of its outcome; docs/enforcers.md draws this. Every step onward is `-g`, so that RETURN in
the chain of an outcome leads back to the host's own rules.
"""

from __future__ import annotations

from collections import defaultdict

from ringfence.enforcers.iptables import mark_classes
from ringfence.enforcers.iptables.dynamic_sets import add_sets, by_membership
from ringfence.enforcers.iptables.fixed_rules import SIDES, fixed_rules
from ringfence.enforcers.iptables.mark_classes import Marks, Partition
from ringfence.enforcers.iptables.processes import by_process
from ringfence.enforcers.iptables.service_chains import service_chain
from ringfence.enforcers.iptables.text import SECTION, Parts
from ringfence.enforcers.membership_chains import Case
from ringfence.model.addresses import FAMILIES
from ringfence.model.intervals import IntervalSet, union
from ringfence.model.memberships import ALWAYS
from ringfence.model.rules import Direction
from ringfence.model.tables import Cell, DirectionTable, ProcessClass, ServiceMap, VerdictTable

# Classes of remote addresses up to which a rule for each is cheaper than marking every packet.
MOST_IN_LINE = 8


def render(table: VerdictTable, marks: Marks | None = None) -> str:
    """Return what a host loads; without bits of the mark, a rule for each class of addresses.

    Raise RingfenceError for what iptables cannot enforce.
    """
    parts = [_of_family(table, family, marks) for family in FAMILIES]
    sections = {"ipset": "".join(text for one in parts for text in one.sets.values())}
    sections |= {f"ipv{one.family}": one.stream() for one in parts}
    return "".join(f"{SECTION}{name}\n{text}" for name, text in sections.items())


def _of_family(table: VerdictTable, family: int, marks: Marks | None) -> Parts:
    parts = Parts(family)
    parts.filter[f"rf_plan_{table.digest[:16]}"] = ()
    add_sets(parts, table)
    for direction in Direction:
        one = table.direction(direction)
        rules = fixed_rules(parts, direction, table.control)
        start = by_process(parts, direction, one, _Addresses(parts, direction, one, marks).targets())
        parts.filter[f"rf_{direction}"] = (*rules, f"-g {start}")
    if marks and "rf_out" in parts.mangle:
        parts.mangle["rf_post"] = (mark_classes.clearing(marks),)
    parts.check_depth()
    return parts


class _Addresses:
    """Leads every process class of one direction and family by its local and remote addresses."""

    def __init__(self, parts: Parts, direction: Direction, table: DirectionTable, marks: Marks | None) -> None:
        self.parts, self.direction, self.marks = parts, direction, marks
        self.remote, self.local = SIDES[direction][:2]
        self._services: dict[ServiceMap, str] = {}
        whole = FAMILIES[parts.family]
        cells: defaultdict[ProcessClass, defaultdict[IntervalSet, list[Cell]]] = defaultdict(lambda: defaultdict(list))
        for cell in table.cells:
            if local := cell.local & whole:
                cells[cell.process][local].append(cell)
        self.partitions: dict[ProcessClass, dict[IntervalSet, Partition]] = {
            process: {local: self._partition(of_local) for local, of_local in by_local.items()}
            for process, by_local in cells.items()
        }

    def targets(self) -> dict[ProcessClass, str]:
        """Return the chain that every process class is led to."""
        chains = self._chains()
        found = {}
        for process, by_local in self.partitions.items():
            locals_: defaultdict[str, list[IntervalSet]] = defaultdict(list)
            for local, partition in by_local.items():
                locals_[chains[id(partition)]].append(local)
            found[process] = self._in_line("l", self.local, {one: union(sets) for one, sets in locals_.items()})
        return found

    def _chains(self) -> dict[int, str]:
        """Return the chain of every partition of remote addresses, by its identity."""
        every = [partition for by_local in self.partitions.values() for partition in by_local.values()]
        if self.marks and any(len(partition) > MOST_IN_LINE for partition in every):
            distinct = {tuple(sorted(partition.items())): partition for partition in every}
            classes = mark_classes.classes_of(list(distinct.values()))
            if len(classes.addresses) <= self.marks.classes:
                chains = dict(zip(distinct, self._marked(classes, self.marks), strict=True))
                return {id(partition): chains[tuple(sorted(partition.items()))] for partition in every}
        return {id(partition): self._in_line("r", self.remote, partition) for partition in every}

    def _marked(self, classes: mark_classes.Classes, marks: Marks) -> list[str]:
        rules = mark_classes.mark_rules(self.parts, self.direction, self.remote, classes, marks)
        self.parts.mangle[f"rf_{self.direction}"] = tuple(rules)
        return [
            mark_classes.tree(marks, led, lambda rules: self.parts.chain(f"rf_{self.direction}_m", rules))
            for led in classes.led
        ]

    def _in_line(self, level: str, side: str, partition: Partition) -> str:
        """Return the chain that asks for one set of addresses after another, the most numerous its default."""
        default = max(partition, key=lambda target: (len(partition[target]), target))
        rules = [
            f"-m set --match-set {self._set(level, partition[target])} {side} -g {target}"
            for target in sorted(partition)
            if target != default
        ]
        return self.parts.chain(f"rf_{self.direction}_{level}", [*rules, f"-g {default}"]) if rules else default

    def _set(self, level: str, addresses: IntervalSet) -> str:
        return self.parts.set_of_networks(f"rf_{self.direction}_{level}{self.parts.family}", addresses)

    def _partition(self, cells: list[Cell]) -> Partition:
        targets: defaultdict[str, list[IntervalSet]] = defaultdict(list)
        asked: defaultdict[IntervalSet, list[Case]] = defaultdict(list)
        whole = FAMILIES[self.parts.family]
        for cell in cells:
            if remote := cell.remote & whole:
                target = self._service_chain(cell.services)
                if cell.membership == ALWAYS:
                    targets[target].append(remote)
                else:
                    asked[remote].append((cell.membership, target))
        for remote, cases in asked.items():
            targets[by_membership(self.parts, self.direction, self.remote, cases)].append(remote)
        return {target: union(sets) for target, sets in targets.items()}

    def _service_chain(self, services: ServiceMap) -> str:
        if services not in self._services:
            self._services[services] = service_chain(self.parts, services, self.direction)
        return self._services[services]
