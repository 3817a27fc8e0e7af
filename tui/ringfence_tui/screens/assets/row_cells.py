"""A row of the assets' table: its columns, and the cells of one asset."""

from __future__ import annotations

from datetime import datetime

from ringfence_tui.ages import age
from ringfence_tui.screens.assets.model import AssetTable
from ringfence_tui.screens.overview.rows import short
from ringfence_tui.spans import Span, Tone
from ringfence_tui.widgets.table import Cells, Column

LEAST_NAME, MOST_NAME = 12, 30
MODE_TONES = {"full": Tone.STRONG, "selective": Tone.PLAIN, "observe": Tone.DIM, "none": Tone.WARN}


def columns(longest: int) -> tuple[Column, ...]:
    """Return the columns for names of at most so many cells."""
    return (
        Column("NAME", max(LEAST_NAME, min(longest, MOST_NAME)), grow=3),
        Column("ADDRESS", 13, grow=1),
        Column("ENV", 5, grow=1),
        Column("APP", 5, grow=1),
        Column("ROLE", 6, grow=1),
        Column("MODE", 9),
        Column("TRAFFIC", 7, rank=2),
        Column("SOURCES", 8, grow=1, rank=3),
        Column("DRIFT", 5, rank=1),
    )


def cells_of(table: AssetTable, index: int, now: datetime) -> Cells:
    """Return the cells of an asset."""
    name, addresses, sources, enforcer, _, stale, _ = table.rows[index]
    first, _, more = addresses.partition(" ")
    mode, seen, drift = table.of("mode", index), table.of("seen", index), table.of("drift", index)
    known = "seen" in table.told
    return (
        name,
        f"{first} +{more.count(' ') + 1}" if more else first,
        *(table.label(index, key) or Span("–", Tone.DIM) for key in ("env", "app", "role")),
        Span(mode[:9] if enforcer else "–", MODE_TONES.get(mode, Tone.DIM)),
        Span(age(seen, now) if seen else "none" if known else "", Tone.DIM),
        Span(
            " ".join(dict.fromkeys(short(one.partition(":")[0]) for one in sources.split(" "))),
            Tone.WARN if stale else Tone.DIM,
        ),
        Span("x" if drift else "", Tone.BAD),
    )
