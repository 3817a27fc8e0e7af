"""Discovery for people: a line for each source as it is asked, then what came and went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ringfence.model.counts import counted
from ringfence.model.source_steps import SourceStage, SourceStep
from ringfence.presenting.line import Line
from ringfence.wire.first_few import first_few

if TYPE_CHECKING:
    from ringfence.operations.discover import Discovered


def source_lines(step: SourceStep) -> Iterator[Line]:
    """Return a line for what a source is at."""
    yield Line(f"{step.source}: {step.words()}", "red" if step.stage is SourceStage.FAILED else None)


def discovered_lines(found: Discovered) -> Iterator[Line]:
    """Return what came, went and changed, and where the snapshot is."""
    for word, names in (("new", found.added), ("gone", found.removed)):
        if names:
            yield Line(f"{counted(len(names), 'asset')} {word}: {first_few(list(names))}")
    if found.changed:
        yield Line(f"{counted(found.changed, 'asset')} changed")
    if not (found.added or found.removed or found.changed):
        yield Line("nothing changed")
    total = sum(one.assets for one in found.sources)
    kept = "the snapshot is kept" if found.kept else "no snapshot is kept"
    yield Line(f"asked in {found.seconds:.1f} s; {counted(total, 'asset')} by source; {kept}", bold=True)
