"""A verdict table as the text of `table inet ringfence`: a pure function, loaded by `nft -f` in one transaction.

A packet meets the fixed rules, then its process, its local address (where the table tells local addresses apart), its
remote address, the dynamic sets that this is in (where they matter), its protocol, its port, and ends in the chain of
its outcome; docs/architecture.md draws this. There is no rule per peer: what grows with the estate are the elements of
interval maps. Chains and maps with equal content are one, also between processes and local addresses, because their
names are made of their content.

As root one transaction takes any size (100,000 elements: 0.9 s). In a user namespace without root it takes some 2,200
elements: nft cannot enlarge its socket's buffer there (212,992 bytes, Linux's net.core.wmem_default). The target then
takes this text apart by its lines and loads it in stages (`target/stages.sh` of the collection). It relies on this: the
head of a block, an element or all of a set's, and a rule are a line each, and no rule leads to a chain of processes.
"""

from __future__ import annotations

from collections import defaultdict

from ringfence.enforcers.membership_chains import Case
from ringfence.enforcers.nftables.container_chains import Holding
from ringfence.enforcers.nftables.dispatch import by_address
from ringfence.enforcers.nftables.dynamic_sets import add_sets, by_membership
from ringfence.enforcers.nftables.fixed_rules import FIELDS, control_rules, fixed_rules
from ringfence.enforcers.nftables.forward_chains import Forwarding
from ringfence.enforcers.nftables.outcomes import add_outcome
from ringfence.enforcers.nftables.processes import by_process
from ringfence.enforcers.nftables.service_chains import service_chains
from ringfence.enforcers.nftables.text import Parts, chain_text
from ringfence.model.intervals import IntervalSet
from ringfence.model.memberships import ALWAYS
from ringfence.model.range_texts import RangeTexts
from ringfence.model.rules import Direction
from ringfence.model.tables import Cell, DirectionTable, ProcessClass, VerdictTable, range_texts_of

HOOKS = {Direction.IN: "input", Direction.OUT: "output"}
# Every ruleset begins so: the table is made where it is missing, so that deleting it cannot fail.
HEAD = "table inet ringfence {}\ndelete table inet ringfence\ntable inet ringfence {\n"


def render(table: VerdictTable, holding: Holding | None = None, forwarding: Forwarding | None = None) -> str:
    """Return the ruleset of a table, with the tables of the containers that its host holds, and of what it forwards.

    Raise RingfenceError for what nftables cannot enforce.
    """
    identity = f"plan_{table.digest[:16]}"
    parts = Parts(chains={identity: chain_text(identity, ())})
    add_sets(parts, table)
    if holding:
        parts.before_peers = holding.before_peers
    base = "".join(_base_chain(parts, direction, table) for direction in Direction)
    if holding:
        for one in holding.contained:
            add_sets(parts, one.table)
        control = [control_rules(parts, direction, table.control) for direction in Direction]
        base += holding.base_chains(
            parts,
            control,
            lambda one, direction: _targets(parts, direction, one.table.direction(direction))[ProcessClass()],
        )
    if forwarding:
        for of_group in forwarding.forwarded:
            add_sets(parts, of_group.table)
        base += forwarding.base_chains(
            parts,
            lambda one, direction: _targets(parts, direction, one.table.direction(direction))[ProcessClass()],
        )
    return f"{HEAD}{parts.text()}{base}}}\n"


def _base_chain(parts: Parts, direction: Direction, table: VerdictTable) -> str:
    hook = HOOKS[direction]
    one = table.direction(direction)
    rules = [
        f"type filter hook {hook} priority 0; policy accept;",
        *fixed_rules(parts, direction, table.control),
        *by_process(parts, direction, one, _targets(parts, direction, one)),
    ]
    return chain_text(hook, rules)


def _targets(parts: Parts, direction: Direction, table: DirectionTable) -> dict[ProcessClass, str]:
    """Return the chain that every process class is led to."""
    cells: defaultdict[ProcessClass, defaultdict[IntervalSet, list[Cell]]] = defaultdict(lambda: defaultdict(list))
    for cell in table.cells:
        cells[cell.process][cell.local].append(cell)
    return {process: _by_local(parts, direction, by_local) for process, by_local in cells.items()}


def _by_local(parts: Parts, direction: Direction, cells: dict[IntervalSet, list[Cell]]) -> str:
    targets: dict[int, defaultdict[str, list[RangeTexts]]] = {4: defaultdict(list), 6: defaultdict(list)}
    for local, of_local in cells.items():
        texts = range_texts_of(local)
        for family in (4, 6):
            if texts.count(family):
                targets[family][_by_remote(parts, direction, of_local, family)].append(texts)
    return by_address(parts, f"{direction}_l", FIELDS[direction][1], targets)


def _by_remote(parts: Parts, direction: Direction, cells: list[Cell], family: int) -> str:
    """Return the chain for some cells and one family: a local address has peers of its own family only."""
    targets: defaultdict[str, list[RangeTexts]] = defaultdict(list)
    asked: defaultdict[RangeTexts, list[Case]] = defaultdict(list)
    of_cells: list[tuple[Cell, str]] = []
    asking: list[Cell] = []
    field = FIELDS[direction][0]
    for cell in cells:
        texts = cell.remote_texts
        if texts.count(family):
            found = service_chains(cell.services, family, direction)
            parts.chains.update(found.chains)
            for outcome in found.outcomes:
                add_outcome(parts, outcome, direction)
            if cell.membership == ALWAYS:
                targets[found.target].append(texts)
                of_cells.append((cell, found.target))
            else:
                asked[texts].append((cell.membership, found.target))
                asking.append(cell)
    for texts, cases in asked.items():
        chain = by_membership(parts, direction, field, family, cases)
        targets[chain].append(texts)
        of_cells += [(cell, chain) for cell in asking if cell.remote_texts == texts]
    looked_up = by_address(parts, f"{direction}_r", field, {family: targets})
    return parts.before_peers(parts, direction, family, of_cells, looked_up) if parts.before_peers else looked_up
