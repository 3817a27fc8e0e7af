"""What one asset reaches, as lines and rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.presenting.line import Line
from ringfence.presenting.reach_rows import services_words
from ringfence.presenting.simulation_rows import label_text
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.analysis.blast import Blast, Radius, Reached

COLUMNS = ("#hop", "#assets", "labels", "services", "by way of")
CHANGES = ("", "#hop", "#assets", "labels", "services")
QUARANTINE_NAMED = 3


def now_lines(found: Blast) -> Iterator[Line]:
    """Yield how far an asset reaches now."""
    name = f"{found.asset.name} ({label_text(found.asset.label_values())})"
    yield Line(f"{name} reaches {_far(found.now, found.assets)}, by what hosts enforce now", bold=True)
    if not found.now.enforced:
        yield Line(f"nothing is enforced on {found.asset.name}: everything leaves it", style="yellow")
    if found.now.unenforced:
        words = counted(found.now.unenforced, "of these counts as open", "of these count as open")
        yield Line(f"{words}: nothing is enforced there", style="yellow")


def group_rows(groups: Sequence[Reached]) -> Iterator[tuple[object, ...]]:
    """Yield a row for the assets of equal labels at one distance, under COLUMNS."""
    for one in groups:
        way = " → ".join(name for name, _, _ in one.path[:-1])
        yield one.hop, len(one.assets), label_text(dict(one.labels)), services_words(one.services), way


def outside_lines(found: Blast) -> Iterator[Line]:
    """Yield what passes to addresses of no asset, and which quarantine would help most."""
    for where, services in found.now.outside.items():
        yield Line(f"{where}: {services_words(services)}")
    if not found.now.count:
        return
    yield Line(f"quarantine {found.asset.name}: it reaches nothing any more")
    for one in found.candidates:
        names = first_few(one.assets, QUARANTINE_NAMED)
        yield Line(f"or {names} ({label_text(dict(one.labels))}): {one.fewer:,} fewer are reached beyond")


def draft_lines(found: Blast) -> Iterator[Line]:
    """Yield how far an asset reaches under the draft, and what differs."""
    yield Line()
    new, lost = (sum(len(one.assets) for one in groups) for groups in (found.new, found.lost))
    far = _far(found.draft, found.assets)
    yield Line(f"by the files as they are it would reach {far}: {new:,} new, {lost:,} lost", bold=True)
    if not found.draft.enforced:
        yield Line(f"nothing would be enforced on {found.asset.name}", style="yellow")
    if found.draft.unenforced:
        yield Line(
            f"{found.draft.unenforced:,} of these count as open: nothing would be enforced there", style="yellow"
        )


def change_rows(found: Blast) -> Iterator[tuple[object, ...]]:
    """Yield what the draft adds and takes away, under CHANGES."""
    for sign, groups in (
        ("new", found.new),
        ("lost", found.lost),
        ("more services", found.gained),
        ("fewer services", found.closed),
    ):
        for one in groups:
            yield sign, one.hop, len(one.assets), label_text(dict(one.labels)), services_words(one.services)


def _far(radius: Radius, assets: int) -> str:
    hops = radius.hops
    by_hop = ", ".join(f"{count:,} over {counted(hop, 'hop')}" for hop, count in hops.items())
    return f"{radius.count:,} of {assets:,} other assets" + (f" ({by_hop})" if hops else "")
