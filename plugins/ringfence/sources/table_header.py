"""The header of a table: the first of its lines that has the wanted columns; titles and notes above it are passed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence.model.errors import InputError, Place
from ringfence.model.label_texts import visible
from ringfence.sources.table_row import column_name

# How many rows are looked at for a header; behind that a table has none.
LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns by which a header is known: all of some, one of others; `keys` say which host a row is."""

    all_of: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def fits(self, names: Sequence[str]) -> bool:
        """Return whether these are the names of a header."""
        found = set(names)
        return found.issuperset(self.all_of) and (not self.one_of or not found.isdisjoint(self.one_of))

    def likeness(self, names: Sequence[str]) -> tuple[int, int]:
        """Return how much these are like the names of a header: how many are wanted, and how many there are."""
        return len(set(names) & {*self.all_of, *self.one_of, *self.keys}), len([name for name in names if name])


def header_names(cells: Iterable[str]) -> list[str]:
    """Return the names of columns that the cells of a row would be."""
    return [column_name(cell) for cell in cells]


def uncommented(names: Sequence[str]) -> list[str]:
    """Return names without the sign of a comment before them, as some programs write a header."""
    return [names[0].lstrip("# "), *names[1:]] if names else []


def refuse_repeated(names: Sequence[str], written: Sequence[str], place: Place) -> None:
    """Raise InputError where two columns have one name, with what is written for both and where."""
    for first, name in enumerate(names):
        second = names.index(name, first + 1) if name and name in names[first + 1 :] else None
        if second is not None:
            both = {written[first], written[second]} - {name}
            spelt = f", written {written[first]!r} and {written[second]!r}" if both else ""
            where = f"as columns {first + 1} and {second + 1}{spelt}"
            message = f"the column '{visible(name)}' stands twice in the header, {where}"
            raise InputError(message, place, "rename one of them")
