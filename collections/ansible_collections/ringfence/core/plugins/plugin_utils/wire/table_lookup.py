"""What a verdict table says about one packet, from the table's plain data; for connections that stand when it comes."""

from __future__ import annotations

from bisect import bisect_right

from .table_index import Interval, TableIndex
from .vendored.address_line import fused, interval_of, point_of
from .vendored.service_words import BLOCK


class Lookup:
    """Answers for the packets of one table.

    The control path and the built-ins are no cells: ask `in_control` for the former.
    """

    def __init__(self, table: dict) -> None:
        self._index = TableIndex(table)
        control = table["control"] or {"from": [], "port": None}
        self._control = fused([interval_of(text) for text in control["from"]])
        self._port = control["port"]

    def outcomes(
        self,
        direction: str,
        protocol: int,
        port: int,
        local: str,
        remote: str,
        unit: str | None = None,
        user: str | None = None,
    ) -> list[dict[str, object]]:
        """Return `{"effect", "rule", "log"}` for every membership that the table tells apart, at first that of no set.

        `port` is the service's port or the ICMP type. Raises LookupError where the table covers no such addresses.
        """
        named = self._index.table[direction]
        process = (unit if unit in named["units"] else None, user if user in named["users"] else None)
        here, there, service = point_of(local), point_of(remote), protocol * BLOCK + port
        for cells in self._index.cells(direction).get(process, []):
            at = bisect_right(cells.remotes, there, key=lambda remote: remote[0]) - 1
            if at >= 0 and there <= cells.remotes[at][1] and _holds(cells.local, here):
                return [
                    dict(pieces[bisect_right(pieces, service, key=lambda one: one.low) - 1].outcome._asdict())
                    for _, _, pieces in self._index.cases(cells.remotes[at][2])
                ]
        raise LookupError(f"the table has no cell for {direction} {local} {remote} of {process}")

    def in_control(self, remote: str, port: int) -> bool:
        """Return whether an address and a local TCP port are of the control path."""
        return port == self._port and _holds(self._control, point_of(remote))


def _holds(intervals: list[Interval], point: int) -> bool:
    at = bisect_right(intervals, point, key=lambda interval: interval[0]) - 1
    return at >= 0 and point <= intervals[at][1]
