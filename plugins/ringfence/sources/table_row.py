"""The rows of a table of hosts: each with its place, its cells, its oddities, and why it may not be valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ringfence.model.errors import Place
from ringfence.model.label_texts import label_text
from ringfence.model.problems import Problem


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is odd about a cell, in words that follow 'is'.

    `lost` is whether the cell therefore has no value; `dated` whether it is a date, which most cells may be.
    """

    text: str
    lost: bool = False
    dated: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row: text in CSV and in sheets, any plain data in YAML and JSON; `fault` says why it is not valid.

    `also` has the places of the rows of other tables that were merged into it. `doubts` are those about cells, by
    column. A `short` row has fewer fields than the header.
    """

    place: Place
    cells: Mapping[str, object]
    fault: str | None = None
    also: tuple[Place, ...] = ()
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
    short: bool = False


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table as it was read: its columns in order, its rows, the place of its header, and its problems.

    `header` is None for a format without one.
    """

    shown: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    header: Place | None = None
    notes: tuple[Problem, ...] = ()

    @property
    def place(self) -> Place:
        """Return where a message about the table as a whole points."""
        return self.header or Place(self.shown, 1)


def column_name(text: str) -> str:
    """Return the name of a column as it is compared: on one line, without what cannot be seen."""
    return " ".join(label_text(text).split())
