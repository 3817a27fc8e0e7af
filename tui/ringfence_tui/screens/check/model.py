"""The rows of what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ringfence_tui.screens.overview.model import Wrong
from ringfence_tui.spans import Row, Span, Tone, row


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong, errors first."""

    wrong: tuple[Wrong, ...]


def rows(checked: Checked) -> tuple[Row, ...]:
    """Return two or three rows for each thing that is wrong, and one where nothing is."""
    if not checked.wrong:
        return (row(Span(" ✓ ", Tone.GOOD), "nothing is wrong in the files, the inventory, the tests, the invariants"),)
    return tuple(line for one in checked.wrong for line in _of(one))


def _of(one: Wrong) -> Iterator[Row]:
    sign = Span(" ✗ ", Tone.BAD) if one.error else Span(" ! ", Tone.WARN)
    yield row(sign, Span(one.place or "the workspace", Tone.STRONG))
    yield row("   ", one.message)
    if one.remedy:
        yield row("   ", Span(f"→ {one.remedy}", Tone.DIM))
    yield ()
