"""What a group of a picture is itself: the modes of its hosts, what was seen to listen there, the rules that decide."""

# ruff: noqa: S608 - the SQL is put together from names of ours and numbers
from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.analysis.picture_cells import shares_of
from ringfence.analysis.picture_counts import whole
from ringfence.analysis.picture_groups import PROCESS, Grouper, Node
from ringfence.model.picture import (
    GroupMiddle,
    Listening,
    ModeShare,
    PictureGroup,
    PolicyState,
    RuleShare,
    Sign,
    SignCount,
)
from ringfence.model.rules import Direction

if TYPE_CHECKING:
    from ringfence.analysis.picture import JudgedPicture

_SIDES = {"client": Direction.OUT, "server": Direction.IN}


def middle_of(picture: JudgedPicture, levels: tuple[str, ...], group: PictureGroup) -> GroupMiddle:
    """Return what a group is itself, of a picture of some levels."""
    grouper = picture.grouper(levels)
    for side, nodes in (("client", picture.clients), ("server", picture.servers)):
        numbers = [number for number, node in enumerate(nodes) if grouper.belongs(node, group)]
        picture.engine.put(f"picture_cell_{side}", {"number": "INTEGER"}, [numbers])
    return GroupMiddle(_modes(picture, grouper, levels, group), _listening(picture), _rules(picture))


def _modes(
    picture: JudgedPicture, grouper: Grouper, levels: tuple[str, ...], group: PictureGroup
) -> dict[PolicyState, tuple[ModeShare, ...]]:
    if PROCESS in levels:
        return {}
    names = [name for name in picture.snapshot.named() if grouper.belongs(Node("", name, False, None), group)]
    found: dict[PolicyState, tuple[ModeShare, ...]] = {}
    for state in picture.states:
        tables = picture.tables[state].tables
        counts: dict[tuple[str, str], int] = {}
        for name in names:
            table = tables.get(name)
            modes = (table.inbound.mode.value, table.outbound.mode.value) if table is not None else ("", "")
            counts[modes] = counts.get(modes, 0) + 1
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        found[state] = tuple(ModeShare(inbound, outbound, hosts) for (inbound, outbound), hosts in ordered)
    return found


def _listening(picture: JudgedPicture) -> tuple[Listening, ...]:
    rows = picture.engine.rows(
        "SELECT f.server, f.service, sum(f.connections)::BIGINT FROM picture_flows AS f WHERE NOT f.refused"
        " AND f.server IN (SELECT number FROM picture_cell_server) GROUP BY ALL ORDER BY ALL"
    )
    hosts: dict[tuple[int, str | None], set[str]] = {}
    connections: dict[tuple[int, str | None], int] = {}
    named: dict[int, set[str]] = {}
    for server, service, count in rows:
        node = picture.servers[whole(server)]
        key = (whole(service), node.process)
        hosts.setdefault(key, set()).add(node.asset or node.address)
        connections[key] = connections.get(key, 0) + whole(count)
        if node.process is not None:
            named.setdefault(key[0], set()).add(node.process)
    # a report that names no process says nothing new where others name it
    keys = [key for key in hosts if key[1] is not None or key[0] not in named]
    ordered = sorted(keys, key=lambda key: (-connections[key], key[0], key[1] or ""))
    return tuple(
        Listening(*picture.flows.services[key[0]], key[1], len(hosts[key]), connections[key]) for key in ordered
    )


def _rules(picture: JudgedPicture) -> dict[PolicyState, tuple[RuleShare, ...]]:
    found: dict[PolicyState, dict[tuple[str, str, Sign], SignCount]] = {state: {} for state in picture.states}
    for side, direction in _SIDES.items():
        for state in picture.states:
            rows = picture.engine.rows(
                f"SELECT f.{state.value}, count(*), sum(f.connections)::BIGINT FROM picture_flows AS f"
                f" WHERE NOT f.refused AND f.{side} IN (SELECT number FROM picture_cell_{side})"
                " GROUP BY ALL ORDER BY ALL"
            )
            for number, flows, connections in rows:
                verdict = picture.verdicts.verdicts[whole(number)]
                sign = picture.verdicts.signs[whole(number)]
                for of_side, outcome in verdict.deciding() if verdict else ():
                    if of_side is direction:
                        key = (outcome.rule, of_side.value, sign)
                        count = SignCount(whole(flows), whole(connections))
                        found[state][key] = found[state].get(key, SignCount()) + count
    return {state: shares_of(picture, state, counts) for state, counts in found.items()}
