"""One row of a table of hosts: where it stands, its cells, and why it may be none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.model.errors import Place


@dataclass(frozen=True, slots=True)
class Row:
    """One row: text in CSV and in sheets, any plain data in YAML and JSON; `fault` says why it is none.

    `also` has the places of the rows of other tables that were merged into it.
    """

    place: Place
    cells: Mapping[str, object]
    fault: str | None = None
    also: tuple[Place, ...] = ()
