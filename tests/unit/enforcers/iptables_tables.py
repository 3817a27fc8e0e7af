"""Tables as iptables can enforce them: nobody is told apart on the way in."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from ringfence.model.tables import OTHER, DirectionTable, VerdictTable

from tests.table_factory import tables


def without_listeners(table: VerdictTable) -> VerdictTable:
    """Return a table in which every listener is judged as one that no rule names."""
    cells = tuple(cell for cell in table.inbound.cells if cell.process == OTHER)
    return replace(table, inbound=DirectionTable(table.inbound.mode, cells))


def iptables_tables() -> st.SearchStrategy[VerdictTable]:
    """Draw a whole table."""
    return tables().map(without_listeners)
