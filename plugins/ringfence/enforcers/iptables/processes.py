"""Process classes on the way out: chains that the target fills with cgroups and uids, and the chains behind them.

`rf_units_out` asks for the cgroups of units, the deepest first, `rf_users_out` and `rf_out_u<n>` for uids; `n` counts
the table's sorted units from 0, `m` its users. On the way in a packet has no socket yet where iptables looks, so no
process is told apart there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.enforcers.iptables.text import Parts
from ringfence.model.errors import RingfenceError
from ringfence.model.rules import Direction
from ringfence.model.tables import OTHER, DirectionTable, ProcessClass, VerdictTable

if TYPE_CHECKING:
    from pydantic import JsonValue


def process_elements(table: VerdictTable) -> list[dict[str, JsonValue]]:
    """Return what the target fills in for processes: for every unit and user the chains that ask, and their targets."""
    one = table.outbound
    found: list[dict[str, JsonValue]] = []
    for n, unit in enumerate(one.units):
        found.append({"unit": unit, "elements": [["rf_units_out", f"goto rf_out_u{n}"]]})
    for m, user in enumerate(one.users):
        elements: list[JsonValue] = [["rf_users_out", f"goto rf_out_x{m}"]]
        elements += [[f"rf_out_u{n}", f"goto rf_out_u{n}_x{m}"] for n in range(len(one.units))]
        found.append({"user": user, "elements": elements})
    return found


def by_process(parts: Parts, direction: Direction, table: DirectionTable, targets: dict[ProcessClass, str]) -> str:
    """Return the chain that leads every process class to its target, and add what it needs.

    Raise RingfenceError for a unit or a user on the way in.
    """
    if direction is Direction.IN and (table.units or table.users):
        raise RingfenceError(
            f"iptables cannot see whose listener a packet is for: {', '.join((*table.units, *table.users))}",
            remedy="name no unit and no user in `to`, or use nftables on this host",
        )
    start = targets[OTHER]
    if table.users:
        parts.filter["rf_users_out"] = (f"-g {start}",)
        start = "rf_users_out"
    if table.units:
        parts.filter["rf_units_out"] = (f"-g {start}",)
        start = "rf_units_out"
    for n, unit in enumerate((None, *table.units)):
        of_unit = "rf_out" if unit is None else f"rf_out_u{n - 1}"
        if unit is not None:
            parts.filter[of_unit] = (f"-g {targets[ProcessClass(unit, None)]}",)
        for m, user in enumerate(table.users):
            parts.filter[f"{of_unit}_x{m}"] = (f"-g {targets[ProcessClass(unit, user)]}",)
    return start
