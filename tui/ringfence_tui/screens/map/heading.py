"""The line above the matrix: levels, how many groups, the time, what is compared, order and filter."""

from __future__ import annotations

from ringfence.model.picture import PictureGroup

from ringfence_tui.screens.map.levels import Level
from ringfence_tui.screens.map.model import Comparison, Matrix, Only, Order, proposal
from ringfence_tui.screens.map.names import how_many, name_of
from ringfence_tui.screens.map.times import Times
from ringfence_tui.spans import Row, Span, Tone

WIDE = 110


def heading(
    matrix: Matrix, level: Level, times: Times, width: int, rows: tuple[int, int] | None = None, changes: int = 0
) -> Row:
    """Return the line; `rows` are the first and last that are seen, where not all are; `changes` the draft's."""
    proposed = proposal(matrix.picture)
    groups = len(matrix.shown)
    count = (
        f"{groups} of {len(matrix.picture.groups)} groups"
        if matrix.view.only is not Only.ALL
        else how_many(groups, "group")
    )
    if matrix.hidden and matrix.view.only is Only.ALL:
        count += f" ({how_many(matrix.hidden, 'empty row')} hidden)"
    if not matrix.picture.groups:
        count = "nothing was seen"
    if rows is not None:
        count += f", rows {rows[0]}-{rows[1]}"
    view = matrix.view
    parts = [Span(f" {level.words}", Tone.STRONG)]
    if level.path:
        parts.append(Span(f"  in {level.path}", Tone.STRONG))
    parts += [Span(f"   {proposed or count}", Tone.WARN if proposed else Tone.PLAIN), Span(f"   {times.words}")]
    parts.append(Span(f"   {view.comparison}"))
    if width >= WIDE or view.order is not Order.LABELS:
        parts.append(Span(f"   order: {view.order.value}", Tone.DIM))
    if width >= WIDE or view.only is not Only.ALL:
        parts.append(Span(f"   only: {view.only.value}", Tone.DIM))
    if changes:
        parts.append(Span(f"   draft {changes} *", Tone.WARN))
    return tuple(parts)


def neighbour_heading(group: PictureGroup, comparison: Comparison, times: Times, changes: int = 0) -> Row:
    """Return the line above the neighbour view."""
    hosts = f" ({how_many(group.assets, 'host')})" if group.assets else ""
    draft = (Span(f"   draft {changes} *", Tone.WARN),) if changes else ()
    parts = Span(" neighbours of  "), Span(name_of(group), Tone.STRONG), Span(f"{hosts}   {times.words}   {comparison}")
    return (*parts, *draft, Span("   v", Tone.KEY), Span(" matrix", Tone.DIM))
