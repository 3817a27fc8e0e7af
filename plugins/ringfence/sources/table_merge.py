"""Several tables of the same hosts as one: rows with the same key become one row, and contradictions are reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ringfence.model.errors import Place
from ringfence.model.label_texts import label_text
from ringfence.model.problems import Problem, Severity
from ringfence.sources.host_variables import shown
from ringfence.sources.table_row import Row


def merged_rows(
    tables: Sequence[Sequence[Row]], keys: Sequence[str], united: Sequence[str] = ()
) -> tuple[tuple[Row, ...], tuple[Problem, ...]]:
    """Return one row for every key, in the order of first appearance, and a warning per contradiction.

    The key of a row is the first of the columns `keys` that is not empty, whatever its case. The value of a cell is
    that of the first table that has it; the columns `united` hold the values of all. A row without a key, and a second
    one of one table with the same key, are returned with their fault.
    """
    found: dict[str, Row] = {}
    broken: list[Row] = []
    problems: list[Problem] = []
    for rows in tables:
        here: dict[str, Place] = {}
        for row in rows:
            key = _key(row, keys)
            if row.fault is not None or key is None:
                broken.append(row if row.fault is not None else replace(row, fault=_without_key(row, keys)))
            elif key in here:
                broken.append(replace(row, fault=f"the key '{key}' stands already at {here[key]}"))
            else:
                here[key] = row.place
                found[key] = _merged(found[key], row, united, problems) if key in found else row
    if problems:
        message = f"{len(problems)} cells contradict each other; the table that is named first in 'table' counts"
        problems.append(Problem(Severity.WARNING, message, remedy="correct one of the two, or reorder the tables"))
    return (*found.values(), *broken), tuple(problems)


def _key(row: Row, keys: Sequence[str]) -> str | None:
    for column in keys:
        value = row.cells.get(column)
        if isinstance(value, str | int) and label_text(str(value)):
            return label_text(str(value)).casefold()
    return None


def _without_key(row: Row, keys: Sequence[str]) -> str:
    lost = next((column for column in keys if column in row.doubts and row.doubts[column].lost), None)
    return f"it has no {' or '.join(keys)}" if lost is None else f"its cell '{lost}' is {row.doubts[lost].text}"


def _merged(first: Row, second: Row, united: Sequence[str], problems: list[Problem]) -> Row:
    cells, doubts = dict(first.cells), dict(first.doubts)
    for column, value in second.cells.items():
        have = cells.get(column)
        if _empty(have):
            cells[column] = value
            if column in second.doubts:
                doubts[column] = second.doubts[column]
            elif not _empty(value):
                doubts.pop(column, None)
        elif column in united:
            cells[column] = [*_several(have), *_several(value)]
        elif not _empty(value) and not _same(have, value):
            message = f"'{column}' is {shown(have)} at {first.place}, and here {shown(value)}"
            problems.append(Problem(Severity.WARNING, message, second.place))
    return replace(first, cells=cells, doubts=doubts, also=(*first.also, second.place))


def _same(one: object, other: object) -> bool:
    if isinstance(one, Mapping | list) or isinstance(other, Mapping | list):
        return one == other
    return label_text(str(one)).casefold() == label_text(str(other)).casefold()


def _several(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if _empty(value) else [value]


def _empty(value: object) -> bool:
    return value is None or value in ("", [], {})
