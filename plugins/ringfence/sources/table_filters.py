"""Which rows of a table stay, and what its columns have that filters ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ringfence.model.label_texts import label_text
from ringfence.sources.table_row import Row

# Columns, and the texts of which a row has one.
Filters = Mapping[str, Sequence[str]]


def stays(row: Row, keep: Filters, leave_out: Filters) -> bool:
    """Return whether a row has one of the texts of every column of `keep`, and none of those of `leave_out`."""
    return all(_has(row, column, texts) for column, texts in keep.items()) and not any(
        _has(row, column, texts) for column, texts in leave_out.items()
    )


def values_of(rows: Sequence[Row], columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return what rows have in each of the columns, every text once."""
    return {
        column: tuple(dict.fromkeys(text for row in rows for text in cell_texts(row.cells.get(column))))
        for column in columns
    }


def cell_texts(value: object) -> Iterator[str]:
    """Yield a cell as the texts that a filter is compared with: one, or those of a list."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, bool):
            yield "true" if one else "false"
        else:
            yield "" if one is None else label_text(str(one))


def _has(row: Row, column: str, texts: Sequence[str]) -> bool:
    return any(text in texts for text in cell_texts(row.cells.get(column)))
