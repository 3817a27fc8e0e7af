"""Process classes in the ruleset: maps that the target fills with cgroups and uids, and the names behind them.

A unit's cgroup of depth L goes into the map `units_<in|out>_<L>`. The maps are asked from the deepest level to the
shallowest, so the innermost named unit decides. A user's uid goes into `users_out`, and for every unit of that
direction into `users_out_u<n>` as well. `n` counts the table's sorted units from 0, `m` its users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.enforcers.nftables.text import Parts, chain_text, set_text
from ringfence.model.errors import RingfenceError
from ringfence.model.rules import Direction
from ringfence.model.tables import OTHER, DirectionTable, ProcessClass, VerdictTable

if TYPE_CHECKING:
    from pydantic import JsonValue

DEEPEST_LEVEL = 6


def process_elements(table: VerdictTable) -> list[dict[str, JsonValue]]:
    """Return the `processes` of a plan's host: for every unit and user its map names and what they lead to."""
    found: dict[tuple[str, str], list[JsonValue]] = {}
    for direction in Direction:
        one = table.direction(direction)
        for n, unit in enumerate(one.units):
            found.setdefault(("unit", unit), []).append([f"units_{direction}", f"goto {direction}_u{n}"])
        for m, user in enumerate(one.users):
            elements = found.setdefault(("user", user), [])
            elements.append([f"users_{direction}", f"goto {direction}_x{m}"])
            elements += [[f"users_{direction}_u{n}", f"goto {direction}_u{n}_x{m}"] for n in range(len(one.units))]
    return [{kind: name, "elements": elements} for (kind, name), elements in sorted(found.items())]


def by_process(
    parts: Parts, direction: Direction, table: DirectionTable, targets: dict[ProcessClass, str]
) -> list[str]:
    """Return the rules that lead every process class to its target, and add the maps and chains they need.

    Raise RingfenceError for a user on the way in, which nft cannot see.
    """
    if direction is Direction.IN and table.users:
        raise RingfenceError(
            f"nftables cannot see the user of a listener: {', '.join(table.users)}",
            remedy="name the listener's unit in `to`",
        )
    rules: list[str] = []
    if table.units:
        for level in range(DEEPEST_LEVEL, 0, -1):
            name = f"units_{direction}_{level}"
            parts.sets[name] = set_text("map", name, "type cgroupsv2 : verdict")
            rules.append(f"socket cgroupv2 level {level} vmap @{name}")
    for n, unit in enumerate(table.units):
        name = f"{direction}_u{n}"
        parts.chains[name] = chain_text(name, _by_user(parts, direction, table, targets, unit, f"_u{n}"))
    return rules + _by_user(parts, direction, table, targets, OTHER.unit, "")


def _by_user(
    parts: Parts,
    direction: Direction,
    table: DirectionTable,
    targets: dict[ProcessClass, str],
    unit: str | None,
    suffix: str,
) -> list[str]:
    rules = []
    if table.users:
        map_name = f"users_{direction}{suffix}"
        parts.sets[map_name] = set_text("map", map_name, "type uid : verdict")
        rules.append(f"meta skuid vmap @{map_name}")
    for m, user in enumerate(table.users):
        name = f"{direction}{suffix}_x{m}"
        parts.chains[name] = chain_text(name, (f"goto {targets[ProcessClass(unit, user)]}",))
    return [*rules, f"goto {targets[ProcessClass(unit, None)]}"]
