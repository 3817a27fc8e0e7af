"""What a store of flows was made of, as rows and a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.presenting.forgetting_view import size_text
from ringfence.presenting.line import Line

if TYPE_CHECKING:
    from ringfence.flows.kept_sources import KeptSource
    from ringfence.operations.flow_sources import KeptFlows

SOURCE_COLUMNS = ("source", "format", "added", "#flows", "#records", "#wrong rows", "days", "#size")


def source_rows(sources: Iterable[KeptSource]) -> Iterator[tuple[object, ...]]:
    """Yield a row for each place that was added, under SOURCE_COLUMNS."""
    for one in sources:
        added = one.added[:19].replace("+00:00", "") + "Z" if one.added else None
        size = None if one.size is None else size_text(one.size)
        yield one.name, one.read_as, added, one.flows, one.records or None, one.wrong, days_text(one.days), size


def days_text(days: tuple[str, ...]) -> str:
    """Return days as people read them: one, or the first and the last with how many there are."""
    if len(days) < 2:
        return "".join(days)
    return f"{days[0]} to {days[-1]}" + ("" if len(days) == 2 else f" ({len(days)})")


def kept_line(found: KeptFlows) -> Line:
    """Return what all of it is."""
    if not found.days:
        return Line("no flow is kept (ringfence flows collect, or ringfence flows add, keeps some)")
    days = tuple(one.day for one in found.days)
    flows = counted(found.flows, "flow") + (" or more" if any(one.flows is None for one in found.days) else "")
    return Line(
        f"{flows} of {counted(len(days), 'day')}, {days_text(days)}; {size_text(found.size)} on disk", bold=True
    )
