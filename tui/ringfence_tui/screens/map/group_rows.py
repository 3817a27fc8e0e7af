"""What is said of a group while the cursor stands on its number or name."""

from __future__ import annotations

from ringfence.model.picture import Picture, PictureGroup, Sign, SignCount

from ringfence_tui.screens.map.model import Comparison
from ringfence_tui.screens.map.names import how_many, name_of
from ringfence_tui.screens.map.strip import signs_of
from ringfence_tui.spans import Row, Span, Tone


def group_rows(group: PictureGroup, picture: Picture, comparison: Comparison) -> tuple[Row, ...]:
    """Return its name, its hosts, and the flows from it and to it by sign."""
    hosts = f"   {how_many(group.assets, 'host')}" if group.assets else ""
    name: Row = (Span(name_of(group), Tone.STRONG), Span(hosts), Span("   enter goes into it", Tone.DIM))
    return (name, _flows(group, picture, comparison, outward=True), _flows(group, picture, comparison, outward=False))


def _flows(group: PictureGroup, picture: Picture, comparison: Comparison, *, outward: bool) -> Row:
    counts: dict[Sign, SignCount] = {}
    ends = set()
    number = picture.groups.index(group) if group in picture.groups else None
    for edge in picture.edges:
        near, far = (edge.client, edge.server) if outward else (edge.server, edge.client)
        if near == number:
            ends.add(far)
            for sign, count in edge.signs.get(comparison.shown, {}).items():
                counts[sign] = counts.get(sign, SignCount()) + count
    side = "to  " if outward else "from"
    return (Span(f"{side} {how_many(len(ends), 'group')}".ljust(18), Tone.DIM), *signs_of(counts))
